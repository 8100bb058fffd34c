//! Faults of what FETCH and STORE tell of messages: UIDs, flags, sizes, dates, envelopes, structures.

use super::{Fault, Heard};

pub(super) const FAULTS: &[Fault] = &[
    Fault::each("a UID is one too high", "3501 2.3.1.1", |h| {
        value(h, "UID", |uid| Some((uid.parse::<u32>().ok()? + 1).to_string()))
    }),
    Fault::each("UID FETCH tells no UIDs", "3501 6.4.8", |h| {
        (h.of_uids() && h.verb() == "FETCH").then(|| without(h, "UID"))?
    }),
    Fault::each("UID STORE tells no UIDs", "3501 6.4.8", |h| {
        (h.of_uids() && h.verb() == "STORE").then(|| without(h, "UID"))?
    }),
    Fault::each("UID FETCH tells UIDs in place of numbers", "3501 6.4.8", |h| {
        let uid = h.text.split_once("UID ")?.1.split([' ', ')']).next()?.parse().ok()?;
        (h.of_uids() && h.is("FETCH")).then(|| h.numbered(uid))?
    }),
    Fault::each("FETCH tells another number", "3501 7.4.2", |h| {
        (h.is("FETCH") && h.verb() == "FETCH").then(|| h.numbered(h.number()? + 1))?
    })
    .seen_by(&["3501 6.4.5"]),
    Fault::each("the number of FETCH is zero", "3501 4", |h| {
        h.is("FETCH").then(|| h.numbered(0))?
    })
    .seen_by(&["3501 6.4.5"]),
    Fault::answer("FETCH passes over the last message", "3501 6.4.5", |h, lines| {
        let last = lines.iter().rposition(|line| line.contains(" FETCH ("));
        if let (Some(last), "FETCH") = (last, h.verb()) {
            lines.remove(last);
        }
    }),
    Fault::each("FETCH tells no FLAGS", "3501 6.4.5", |h| {
        (h.verb() == "FETCH" && h.line().contains("FLAGS")).then(|| without(h, "FLAGS"))?
    })
    .seen_by(&["3501 2.3.2"]),
    Fault::each("a flag without its backslash", "3501 2.3.2", |h| {
        h.is("FETCH").then(|| h.text.replacen("(\\", "(", 1))
    })
    .seen_by(&["3501 6.4.6"]),
    Fault::each("\\Recent for everybody", "3501 2.3.2", |h| {
        value(h, "FLAGS", |flags| {
            let others = flags.trim_matches(['(', ')']).replace("\\Recent", "");
            Some(format!("({})", format!("{others} \\Recent").trim().replace("  ", " ")))
        })
    }),
    Fault::each("\\Recent for nobody", "3501 2.3.2", |h| {
        flags_without(h, |flag| flag == "\\Recent")
    }),
    Fault::each("\\Deleted is never told", "3501 2.3.2", |h| {
        flags_without(h, |flag| flag == "\\Deleted")
    })
    .seen_by(&["3501 6.4.6"]),
    Fault::each("keywords are never told", "3501 2.3.2", |h| {
        flags_without(h, |flag| !flag.starts_with('\\'))
    })
    .seen_by(&["3501 6.4.6"]),
    Fault::each("who marks a message as seen is not told", "3501 6.4.5", |h| {
        (h.verb() == "FETCH" && h.text.contains("BODY[")).then(|| without(h, "FLAGS"))?
    }),
    Fault::asking("BODY.PEEK marks as seen", "3501 6.4.5", |c| {
        c.line
            .contains("BODY.PEEK[")
            .then(|| c.line.replace("BODY.PEEK[", "BODY["))
    })
    .telling(|h| (h.verb() == "FETCH" && h.text.contains("BODY[")).then(|| without(h, "FLAGS"))?),
    Fault::asking("BODY[] does not mark as seen", "3501 6.4.5", |c| {
        let reads = c.verb() == "FETCH" && c.line.contains("BODY[");
        reads.then(|| c.line.replace("BODY[", "BODY.PEEK["))
    }),
    Fault::each("STORE tells nothing", "3501 6.4.6", |h| {
        (h.is("FETCH") && h.verb() == "STORE").then(String::new)
    }),
    Fault::asking("STORE.SILENT tells", "3501 6.4.6", |c| {
        replaced(c, "STORE", ".SILENT", "")
    }),
    Fault::asking("+FLAGS replaces", "3501 6.4.6", |c| {
        replaced(c, "STORE", "+FLAGS", "FLAGS")
    }),
    Fault::asking("-FLAGS adds", "3501 6.4.6", |c| {
        replaced(c, "STORE", "-FLAGS", "+FLAGS")
    }),
    Fault::asking("FLAGS only adds", "3501 6.4.6", |c| {
        replaced(c, "STORE", " FLAGS", " +FLAGS")
    }),
    Fault::asking("STORE changes nothing", "3501 6.4.6", |c| {
        (c.verb() == "STORE").then(|| format!("{} NOOP", c.tag))
    }),
    Fault::each("RFC822.SIZE is one too low", "3501 2.3.4", |h| {
        value(h, "RFC822.SIZE", |size| {
            Some(size.parse::<u32>().ok()?.saturating_sub(1).to_string())
        })
    }),
    Fault::each("INTERNALDATE has no zone", "3501 2.3.3", |h| {
        value(h, "INTERNALDATE", |date| {
            Some(format!("{}\"", date.rsplit_once(' ')?.0))
        })
    })
    .seen_by(&["3501 9"]),
    Fault::each("the day of INTERNALDATE has one place", "3501 9", |h| {
        value(h, "INTERNALDATE", |date| {
            Some(date.replacen("\" ", "\"", 1).replacen("\"0", "\"", 1))
        })
    })
    .seen_by(&["3501 6.3.11"]),
    Fault::each("INTERNALDATE is an hour off", "3501 2.3.3", |h| {
        value(h, "INTERNALDATE", |date| {
            let (day, time) = date.split_once(' ').filter(|(day, _)| day.len() > 1)?;
            let (hour, rest) = time.split_once(':')?;
            Some(format!("{day} {:02}:{rest}", (hour.parse::<u32>().ok()? + 1) % 24))
        })
    })
    .seen_by(&["3501 6.3.11"]),
    Fault::each("the zone of INTERNALDATE has another sign", "3501 2.3.3", |h| {
        value(h, "INTERNALDATE", |date| {
            Some(date.replace(" -", " ~").replace(" +", " -").replace(" ~", " +"))
        })
    })
    .seen_by(&["3501 6.3.11"]),
    Fault::each("subject and date are swapped in ENVELOPE", "3501 7.4.2", |h| {
        envelope(h, |members| members.swap(0, 1))
    })
    .seen_by(&["3501 2.3.5"]),
    Fault::each("to and cc are swapped in ENVELOPE", "3501 7.4.2", |h| {
        envelope(h, |members| members.swap(5, 6))
    })
    .seen_by(&["3501 2.3.5"]),
    Fault::each("reply-to is not defaulted in ENVELOPE", "3501 7.4.2", |h| absent(h, 4)).seen_by(&["3501 2.3.5"]),
    Fault::each("sender is not defaulted in ENVELOPE", "3501 7.4.2", |h| absent(h, 3)).seen_by(&["3501 2.3.5"]),
    Fault::each("ENVELOPE has nine members", "3501 7.4.2", |h| {
        envelope(h, |members| _ = members.pop())
    })
    .seen_by(&["3501 2.3.5"]),
    Fault::each("the size of a part is one too high", "3501 7.4.2", |h| {
        structure(h, |part| more(part, 6))
    })
    .seen_by(&["3501 2.3.6"]),
    Fault::each("the lines of a text are one too many", "3501 7.4.2", |h| {
        structure(h, |part| {
            if part.first().is_some_and(|kind| kind.eq_ignore_ascii_case("\"text\"")) {
                more(part, 7);
            }
        })
    })
    .seen_by(&["3501 2.3.6"]),
    Fault::each("the lines of a text are missing", "3501 7.4.2", |h| {
        structure(h, |part| {
            if part.len() > 7 && part.first().is_some_and(|kind| kind.eq_ignore_ascii_case("\"text\"")) {
                part.remove(7);
            }
        })
    })
    .seen_by(&["3501 2.3.6"]),
    Fault::each("parameters are lost in BODYSTRUCTURE", "3501 7.4.2", |h| {
        structure(h, |part| {
            if let Some(parameters) = part.get_mut(2).filter(|p| p.starts_with('(')) {
                "NIL".clone_into(parameters);
            }
        })
    })
    .seen_by(&["3501 2.3.6"]),
    Fault::each("the encoding is lost in BODYSTRUCTURE", "3501 7.4.2", |h| {
        structure(h, |part| {
            if let Some(encoding) = part.get_mut(5) {
                "\"7BIT\"".clone_into(encoding);
            }
        })
    })
    .seen_by(&["3501 2.3.6"]),
    Fault::each("the subtype of a multipart is lost", "3501 7.4.2", |h| {
        structure(h, |part| {
            let children = part.iter().take_while(|word| word.starts_with('(')).count();
            if children > 0 && part.len() > children {
                part.remove(children);
            }
        })
    })
    .seen_by(&["3501 2.3.6"]),
    Fault::each("BODY has extension data", "3501 7.4.2", |h| {
        value(h, "BODY", |body| {
            Some(format!("{} NIL NIL NIL NIL)", body.strip_suffix(')')?))
        })
    })
    .seen_by(&["3501 6.4.5"]),
];

/// An item of FETCH and its value.
pub(super) struct Item {
    pub(super) name: String,
    pub(super) value: String,
}

/// A FETCH response with its items changed.
pub(super) fn items(heard: &Heard, change: impl FnOnce(&mut Vec<Item>)) -> Option<String> {
    let (before, after) = heard.text.split_once(" FETCH (").filter(|_| heard.is("FETCH"))?;
    let words = words(after.strip_suffix(")\r\n")?);
    let pair = |pair: &[&str]| {
        Some(Item {
            name: (*pair.first()?).to_owned(),
            value: (*pair.get(1)?).to_owned(),
        })
    };
    let mut items = words.chunks(2).map(pair).collect::<Option<Vec<_>>>()?;
    change(&mut items);
    if items.is_empty() {
        return Some(String::new());
    }
    let items: Vec<_> = items
        .into_iter()
        .map(|Item { name, value }| format!("{name} {value}"))
        .collect();
    Some(format!("{before} FETCH ({})\r\n", items.join(" ")))
}

/// A FETCH response with another value of an item.
fn value(heard: &Heard, name: &str, change: impl Fn(&str) -> Option<String>) -> Option<String> {
    items(heard, |items| {
        for item in items.iter_mut().filter(|item| item.name == name) {
            item.value = change(&item.value).unwrap_or_else(|| item.value.clone());
        }
    })
}

/// A FETCH response without an item; nothing where that was all.
fn without(heard: &Heard, name: &str) -> Option<String> {
    items(heard, |items| items.retain(|item| item.name != name))
}

fn flags_without(heard: &Heard, lost: fn(&str) -> bool) -> Option<String> {
    value(heard, "FLAGS", |flags| {
        let flags = flags.strip_prefix('(')?.strip_suffix(')')?.split(' ');
        let left: Vec<_> = flags.filter(|flag| !flag.is_empty() && !lost(flag)).collect();
        Some(format!("({})", left.join(" ")))
    })
}

fn replaced(command: &super::Command, verb: &str, from: &str, to: &str) -> Option<String> {
    let has = command.verb() == verb && command.line.contains(from);
    has.then(|| command.line.replacen(from, to, 1))
}

fn envelope(heard: &Heard, change: impl Fn(&mut Vec<String>)) -> Option<String> {
    value(heard, "ENVELOPE", |envelope| {
        let mut members: Vec<_> = inner(envelope)?.into_iter().map(str::to_owned).collect();
        (members.len() == 10).then(|| change(&mut members))?;
        Some(format!("({})", members.join(" ")))
    })
}

/// ENVELOPE with a member that is NIL.
fn absent(heard: &Heard, member: usize) -> Option<String> {
    envelope(heard, |members| {
        if let Some(member) = members.get_mut(member) {
            "NIL".clone_into(member);
        }
    })
}

/// BODYSTRUCTURE with each part changed, those within others first.
fn structure(heard: &Heard, change: impl Fn(&mut Vec<String>)) -> Option<String> {
    value(heard, "BODYSTRUCTURE", |body| part(body, &change))
}

fn part(body: &str, change: &dyn Fn(&mut Vec<String>)) -> Option<String> {
    let words = inner(body)?;
    let children = words.iter().take_while(|word| word.starts_with('(')).count();
    let of = |(index, word): (usize, &&str)| match index < children {
        true => part(word, change).unwrap_or_else(|| (*word).to_owned()),
        false => (*word).to_owned(),
    };
    let mut words: Vec<_> = words.iter().enumerate().map(of).collect();
    change(&mut words);
    let (children, rest) = words.split_at_checked(children)?;
    let rest = rest.join(" ");
    match children {
        [] => Some(format!("({rest})")),
        _ => Some(format!("({} {rest})", children.concat())),
    }
}

fn more(part: &mut [String], at: usize) {
    if let Some(number) = part.get_mut(at)
        && let Ok(count) = number.parse::<u32>()
    {
        *number = (count + 1).to_string();
    }
}

/// The words of a list.
fn inner(list: &str) -> Option<Vec<&str>> {
    Some(words(list.strip_prefix('(')?.strip_suffix(')')?))
}

/// The text of a quoted string or literal.
pub(super) fn string(value: &str) -> Option<String> {
    if let Some(quoted) = value.strip_prefix('"') {
        return Some(quoted.strip_suffix('"')?.replace("\\\"", "\"").replace("\\\\", "\\"));
    }
    Some(
        value
            .split_once("}\r\n")
            .filter(|_| value.starts_with('{'))?
            .1
            .to_owned(),
    )
}

/// A literal of this text.
pub(super) fn literal(text: &str) -> String {
    format!("{{{}}}\r\n{text}", text.chars().count())
}

/// What stands between spaces, lists and strings whole; two lists need no space between them.
pub(super) fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut depth, mut quoted, mut escaped, mut skip) = (0, 0_usize, false, false, 0_usize);
    for (at, c) in text.char_indices() {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' => {
                let before = text.get(start..at).unwrap_or_default();
                if depth == 0 && c == '(' && before.ends_with(')') {
                    words.push(before);
                    start = at;
                }
                depth += 1;
            }
            ')' | ']' => depth = depth.saturating_sub(1),
            '{' => {
                let size = text
                    .get(at + 1..)
                    .and_then(|rest| rest.split_once("}\r\n"))
                    .map(|(size, _)| size);
                if let Some((size, octets)) = size.and_then(|size| Some((size, size.parse::<usize>().ok()?))) {
                    skip = size.len() + 3 + octets;
                }
            }
            ' ' if depth == 0 => {
                words.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    words.push(text.get(start..).unwrap_or_default());
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_lists_and_strings_too() {
        let of = r#"BODY[HEADER.FIELDS (A B)] {4}
a) ( "a \" (b" ("x" NIL)(y) 3"#
            .replace('\n', "\r\n");
        let found = words(&of);
        let header = "{4}\r\na) (";
        assert_eq!(
            found,
            [
                "BODY[HEADER.FIELDS (A B)]",
                header,
                r#""a \" (b""#,
                r#"("x" NIL)"#,
                "(y)",
                "3"
            ]
        );
    }
}
