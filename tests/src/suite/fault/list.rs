//! The faults themselves.

use super::{Fault, Memory};

/// All faults.
pub const FAULTS: &[Fault] = &[
    fault("the greeting is BAD", "greeting", |_, s| changed(s, "* OK", "* BAD")),
    fault("the greeting is missing", "greeting", |_, _| gone()),
    fault("a tag is another's", "tag", |_, s| tagged(s).then(|| format!("x{s}"))),
    fault("a tag is in the other case", "tag", |_, s| {
        let (tag, rest) = s.split_once(' ')?;
        tagged(s).then(|| format!("{} {rest}", other_case(tag)))
    }),
    fault("a line ends with LF", "2.2", |_, s| {
        Some(format!("{}\n", s.strip_suffix("\r\n")?))
    }),
    fault("the end of a line is missing", "2.2", |_, s| {
        if tagged(s) {
            s.strip_suffix("\r\n").map(str::to_owned)
        } else {
            None
        }
    }),
    fault("the text of a completion is missing", "2.2", |_, s| {
        if tagged(s) {
            Some(format!("{}\r\n", words(s, 2)?))
        } else {
            None
        }
    }),
    fault("a completion comes twice", "2.2", |_, s| tagged(s).then(|| s.repeat(2))),
    fault(
        "a completion is missing",
        "2.2",
        |_, s| if tagged(s) { gone() } else { None },
    ),
    fault("a completion comes before its data", "2.2", |m, s| held_back(m, s)),
    fault("NO becomes OK", "6.3", |_, s| {
        if tagged(s) { changed(s, " NO ", " OK ") } else { None }
    }),
    fault("BAD becomes OK", "9-syntax", |_, s| {
        if tagged(s) { changed(s, " BAD ", " OK ") } else { None }
    }),
    fault("BAD becomes NO", "9-syntax", |_, s| {
        if tagged(s) { changed(s, " BAD ", " NO ") } else { None }
    }),
    fault("OK becomes NO", "6.1.2", |_, s| {
        if tagged(s) { changed(s, " OK ", " NO ") } else { None }
    }),
    fault("two spaces", "7.4.2", |_, s| changed(s, " FETCH ", "  FETCH ")),
    fault("a parenthesis is missing", "7.4.2", |_, s| changed(s, ")\r\n", "\r\n")),
    fault("a continuation request is missing", "literal", |_, s| {
        if s.starts_with('+') { gone() } else { None }
    }),
    fault("a continuation request comes twice", "literal", |_, s| {
        s.starts_with('+').then(|| s.repeat(2))
    }),
    fault("a continuation request without a space", "literal", |_, s| {
        s.starts_with('+').then(|| "+\r\n".into())
    }),
    fault("EXISTS is missing", "6.3.1-select", |_, s| drop_data(s, "EXISTS")),
    fault("EXISTS is 0", "6.3.1-select", |_, s| {
        data(s, "EXISTS").then(|| "* 0 EXISTS\r\n".into())
    }),
    fault("EXISTS is one more", "6.3.1-select", |_, s| {
        if data(s, "EXISTS") { one_more(s, "* ") } else { None }
    }),
    fault("RECENT is missing", "6.3.1-select", |_, s| drop_data(s, "RECENT")),
    fault("FLAGS is missing", "6.3.1-select", |_, s| {
        if s.starts_with("* FLAGS") { gone() } else { None }
    }),
    fault("PERMANENTFLAGS lacks flags", "6.3.1-select", |_, s| {
        let (front, rest) = s.split_once("[PERMANENTFLAGS (")?;
        let (_, behind) = rest.split_once(')')?;
        Some(format!("{front}[PERMANENTFLAGS (){behind}"))
    }),
    fault("UIDVALIDITY is missing", "6.3.1-select", |_, s| {
        if s.contains("[UIDVALIDITY ") { gone() } else { None }
    }),
    fault("UIDVALIDITY is another each time", "6.3.10-status", |m, s| {
        m.count += 1;
        let shifted = shifted(s, "UIDVALIDITY ", i64::from(m.count));
        shifted
    }),
    fault("UIDNEXT is missing", "6.3.1-select", |_, s| {
        if s.contains("[UIDNEXT ") { gone() } else { None }
    }),
    fault("UIDNEXT is one less", "uid", |_, s| shifted(s, "UIDNEXT ", -1)),
    fault("UNSEEN is the next message", "6.3.1-select", |_, s| {
        shifted(s, "[UNSEEN ", 1)
    }),
    fault("READ-ONLY is missing", "6.3.2-examine", |_, s| {
        changed(s, "[READ-ONLY] ", "")
    }),
    fault("READ-WRITE becomes READ-ONLY", "6.3.1-select", |_, s| {
        changed(s, "[READ-WRITE]", "[READ-ONLY]")
    }),
    fault("EXPUNGE is missing", "6.4.3-expunge", |_, s| drop_data(s, "EXPUNGE")),
    fault("EXPUNGE comes twice", "6.4.3-expunge", |_, s| {
        data(s, "EXPUNGE").then(|| s.repeat(2))
    }),
    fault("EXPUNGE does not count what went before", "6.4.3-expunge", |m, s| {
        if !data(s, "EXPUNGE") {
            return None;
        }
        m.count += 1;
        shifted(s, "* ", i64::from(m.count) - 1)
    }),
    fault("EXPUNGE comes with FETCH", "6.4.5-fetch", |m, s| {
        if data(s, "FETCH") && m.count == 0 {
            m.count = 1;
            return Some(format!("* 1 EXPUNGE\r\n{s}"));
        }
        None
    }),
    fault("FETCH is missing", "6.4.6-store", |_, s| drop_data(s, "FETCH")),
    fault("FETCH comes twice", "6.4.5-fetch", |_, s| {
        data(s, "FETCH").then(|| s.repeat(2))
    }),
    fault("FETCH is of the next message", "6.4.5-fetch", |_, s| {
        if data(s, "FETCH") { one_more(s, "* ") } else { None }
    }),
    fault("FETCH is empty", "6.4.5-fetch", |_, s| {
        data(s, "FETCH").then(|| format!("{} ()\r\n", words(s, 3).unwrap_or_default()))
    }),
    fault("a UID is one more", "6.4.8-uid", |_, s| shifted(s, "UID ", 1)),
    fault("a flag has no backslash", "6.4.6-store", |_, s| {
        if data(s, "FETCH") { changed(s, "(\\", "(") } else { None }
    }),
    fault("a flag is missing", "6.4.6-store", |_, s| {
        if data(s, "FETCH") {
            changed(s, "\\Seen", "")
        } else {
            None
        }
    }),
    fault("a size is one more", "7.4.2", |_, s| shifted(s, "RFC822.SIZE ", 1)),
    fault("a date has no zone", "internaldate", |_, s| {
        let at = s.find("INTERNALDATE \"")? + 34;
        Some(format!("{}{}", s.get(..at)?, s.get(at + 6..)?))
    }),
    fault("a day has no space in front", "internaldate", |_, s| {
        changed(s, "INTERNALDATE \" ", "INTERNALDATE \"")
    }),
    fault("a literal says one octet less", "6.4.5-fetch", |_, s| {
        literal(s, |size, text| Some((size - 1, text.into())))
    }),
    fault("a literal says one octet more", "6.4.5-fetch", |_, s| {
        literal(s, |size, text| Some((size + 1, text.into())))
    }),
    fault("a body is cut short", "6.4.5-fetch", |_, s| {
        literal(s, |size, text| {
            Some((size.checked_sub(1)?, text.get(..text.len() - 1)?.into()))
        })
    }),
    fault("a line of a body ends with LF", "6.4.5-fetch", |_, s| {
        literal(s, |size, text| Some((size - 1, changed(text, "\r\n", "\n")?)))
    }),
    fault("a header is unfolded", "header", |_, s| {
        literal(s, |size, text| {
            Some((
                size - 2,
                changed(text, "\r\n\t", "\t").or_else(|| changed(text, "\r\n ", " "))?,
            ))
        })
    }),
    fault("an origin is missing", "6.4.5-fetch", |_, s| {
        let (front, rest) = s.split_once("]<")?;
        Some(format!("{front}]{}", rest.split_once('>')?.1))
    }),
    fault("a section is another", "6.4.5-fetch", |_, s| {
        changed(s, "BODY[TEXT]", "BODY[1]")
    }),
    fault("PEEK comes back", "6.4.5-fetch", |_, s| {
        changed(s, "BODY[", "BODY.PEEK[")
    }),
    fault("fields of an envelope are swapped", "envelope", |_, s| {
        let (front, rest) = s.split_once("ENVELOPE (\"")?;
        let (date, rest) = rest.split_once("\" \"")?;
        let (subject, rest) = rest.split_once('"')?;
        Some(format!("{front}ENVELOPE (\"{subject}\" \"{date}\"{rest}"))
    }),
    fault("NIL is an empty string", "envelope", |_, s| {
        if data(s, "FETCH") {
            changed(s, " NIL", " \"\"")
        } else {
            None
        }
    }),
    fault("an empty string is NIL", "7.4.2", |_, s| {
        if data(s, "FETCH") {
            changed(s, "\"\"", "NIL")
        } else {
            None
        }
    }),
    fault("a quote is not escaped", "envelope", |_, s| changed(s, "\\\"", "\"")),
    fault("8 bits in a quoted string", "envelope", |_, s| {
        if s.contains("ENVELOPE (\"") {
            changed(s, "ENVELOPE (\"", "ENVELOPE (\"\u{e9}")
        } else {
            None
        }
    }),
    fault("the lines of a part are one more", "body", |_, s| {
        let (front, rest) = s.split_once("\"7BIT\" ")?;
        let (size, rest) = rest.split_once(' ')?;
        let lines: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let more = lines.parse::<u32>().ok()? + 1;
        Some(format!("{front}\"7BIT\" {size} {more}{}", rest.get(lines.len()..)?))
    }),
    fault("BODY has extension data", "7.4.2-body", |_, s| {
        changed(s, " BODYSTRUCTURE (", " BODY (").or_else(|| changed(s, "(BODYSTRUCTURE (", "(BODY ("))
    }),
    fault("SEARCH is missing", "6.4.4-search", |_, s| {
        if s.starts_with("* SEARCH") { gone() } else { None }
    }),
    fault("SEARCH finds the next message", "6.4.4-search", |_, s| {
        shifted(s, "* SEARCH ", 1)
    }),
    fault("SEARCH finds one too many", "6.4.4-search", |_, s| {
        s.starts_with("* SEARCH").then(|| format!("{} 77\r\n", s.trim_end()))
    }),
    fault("LIST is missing", "6.3.8-list", |_, s| {
        if s.starts_with("* LIST") { gone() } else { None }
    }),
    fault("LIST comes twice", "6.3.8-list", |_, s| {
        s.starts_with("* LIST").then(|| s.repeat(2))
    }),
    fault("LSUB is missing", "lsub", |_, s| {
        if s.starts_with("* LSUB") { gone() } else { None }
    }),
    fault("a separator is another", "6.3.8-list", |_, s| {
        if s.starts_with("* LIST") {
            changed(s, ") \"/\" ", ") \".\" ")
        } else {
            None
        }
    }),
    fault("a name is in the other case", "6.3.8-list", |_, s| {
        let (front, name) = s.rsplit_once(' ')?;
        (s.starts_with("* LIST") && !name.contains("INBOX")).then(|| format!("{front} {}", other_case(name)))
    }),
    fault("STATUS is of another mailbox", "6.3.10-status", |_, s| {
        if s.starts_with("* STATUS") {
            changed(s, " (", "x (")
        } else {
            None
        }
    }),
    fault("STATUS is missing", "6.3.10-status", |_, s| {
        if s.starts_with("* STATUS") { gone() } else { None }
    }),
    fault("STATUS counts one more", "6.3.10-status", |_, s| {
        shifted(s, "MESSAGES ", 1)
    }),
    fault("BYE is missing", "logout", |_, s| {
        if s.starts_with("* BYE") { gone() } else { None }
    }),
    fault("CAPABILITY lacks IMAP4rev1", "capability", |_, s| {
        changed(s, " IMAP4rev1", "")
    }),
    fault("CAPABILITY is missing", "capability", |_, s| {
        if s.starts_with("* CAPABILITY") { gone() } else { None }
    }),
    fault("COPYUID is the other way round", "rfc4315", |_, s| {
        let (front, rest) = s.split_once("[COPYUID ")?;
        let (validity, rest) = rest.split_once(' ')?;
        let (from, rest) = rest.split_once(' ')?;
        let (to, rest) = rest.split_once(']')?;
        Some(format!("{front}[COPYUID {validity} {to} {from}]{rest}"))
    }),
    fault("COPYUID pairs are crossed", "rfc4315", |_, s| {
        let (front, rest) = s.split_once("[COPYUID ")?;
        let (sets, rest) = rest.split_once(']')?;
        let (sources, to) = sets.rsplit_once(' ')?;
        let (first, last) = to.split_once(':')?;
        Some(format!("{front}[COPYUID {sources} {last}:{first}]{rest}"))
    }),
    fault("COPYUID is missing", "rfc4315", |_, s| without_code(s, "COPYUID")),
    fault("APPENDUID is of another message", "rfc4315", |_, s| {
        let (front, rest) = s.split_once("[APPENDUID ")?;
        let (validity, rest) = rest.split_once(' ')?;
        let (uid, rest) = rest.split_once(']')?;
        Some(format!(
            "{front}[APPENDUID {validity} {}]{rest}",
            uid.parse::<u32>().ok()? + 1
        ))
    }),
    fault("APPENDUID is missing", "rfc4315", |_, s| without_code(s, "APPENDUID")),
    fault("TRYCREATE is missing", "append", |_, s| without_code(s, "TRYCREATE")),
    fault("ENABLED is missing", "rfc5161", |_, s| {
        if s.starts_with("* ENABLED") { gone() } else { None }
    }),
    fault("NAMESPACE is missing", "rfc2342", |_, s| {
        if s.starts_with("* NAMESPACE") { gone() } else { None }
    }),
    fault("ID is missing", "rfc2971", |_, s| {
        if s.starts_with("* ID") { gone() } else { None }
    }),
];

const fn fault(name: &'static str, hint: &'static str, falsify: fn(&mut Memory, &str) -> Option<String>) -> Fault {
    Fault { name, hint, falsify }
}

#[allow(clippy::unnecessary_wraps, reason = "what a fault returns")]
fn gone() -> Option<String> {
    Some(String::new())
}

fn tagged(s: &str) -> bool {
    !s.starts_with("* ") && !s.starts_with('+')
}

/// Whether it is `* n NAME`.
fn data(s: &str, name: &str) -> bool {
    let mut words = s.split([' ', '\r']);
    words.next() == Some("*") && words.next().is_some_and(|n| n.parse::<u32>().is_ok()) && words.next() == Some(name)
}

fn drop_data(s: &str, name: &str) -> Option<String> {
    data(s, name).then(String::new)
}

fn changed(s: &str, from: &str, to: &str) -> Option<String> {
    s.contains(from).then(|| s.replacen(from, to, 1))
}

/// The first words.
fn words(s: &str, count: usize) -> Option<&str> {
    let end = s
        .trim_end()
        .match_indices(' ')
        .nth(count - 1)
        .map_or(s.trim_end().len(), |(at, _)| at);
    s.get(..end)
}

fn one_more(s: &str, before: &str) -> Option<String> {
    shifted(s, before, 1)
}

/// The number behind this text becomes another.
fn shifted(s: &str, before: &str, by: i64) -> Option<String> {
    let at = s.find(before)? + before.len();
    let digits: String = s.get(at..)?.chars().take_while(char::is_ascii_digit).collect();
    let number = digits.parse::<i64>().ok()? + by;
    Some(format!("{}{number}{}", s.get(..at)?, s.get(at + digits.len()..)?))
}

fn other_case(s: &str) -> String {
    let swap = |c: char| {
        if c.is_ascii_lowercase() {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        }
    };
    s.chars().map(swap).collect()
}

/// The first literal gets another size and other octets.
fn literal(s: &str, change: impl Fn(usize, &str) -> Option<(usize, String)>) -> Option<String> {
    let (front, rest) = s.split_once("}\r\n")?;
    let (front, size) = front.rsplit_once('{')?;
    let size: usize = size.parse().ok().filter(|size| *size > 1)?;
    // Each character is an octet, but not each is one in a `str`.
    let text: String = rest.chars().take(size).collect();
    let behind: String = rest.chars().skip(size).collect();
    let (size, text) = change(size, &text)?;
    Some(format!("{front}{{{size}}}\r\n{text}{behind}"))
}

/// The code goes, the text stays.
fn without_code(s: &str, name: &str) -> Option<String> {
    let (front, rest) = s.split_once(&format!("[{name}"))?;
    Some(format!("{front}{}", rest.split_once("] ")?.1))
}

/// Data is held back until its completion was told.
fn held_back(memory: &mut Memory, s: &str) -> Option<String> {
    if tagged(s) {
        return Some(format!("{s}{}", std::mem::take(&mut memory.held)));
    }
    if s.starts_with("* ") && !s.starts_with("* BYE") {
        memory.held.push_str(s);
        return gone();
    }
    None
}
