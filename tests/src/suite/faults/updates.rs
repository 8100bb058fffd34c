//! Faults of what is told of changes: EXISTS, RECENT, EXPUNGE, flags of others, IDLE.

use super::{Fault, Heard, Memory};

pub(super) const FAULTS: &[Fault] = &[
    Fault::each("EXISTS is lost when mail comes", "3501 7.3.1", |h| {
        (h.is("EXISTS") && !selects(h)).then(String::new)
    })
    .seen_by(&["3501 5.2"]),
    Fault::each("EXISTS is one too high when mail comes", "3501 7.3.1", |h| {
        (h.is("EXISTS") && !selects(h)).then(|| h.numbered(h.number()? + 1))?
    })
    .seen_by(&["3501 5.2"]),
    Fault::each("RECENT is lost when mail comes", "3501 7.3.1", |h| {
        (h.is("RECENT") && !selects(h)).then(String::new)
    })
    .seen_by(&["3501 2.3.2"]),
    Fault::each("EXPUNGE is lost", "3501 7.4.1", |h| h.is("EXPUNGE").then(String::new)),
    Fault::each("EXPUNGE is told twice", "3501 7.4.1", |h| {
        h.is("EXPUNGE").then(|| h.text.repeat(2))
    }),
    Fault::remembering("EXPUNGE is one too high", "3501 7.4.1", |memory, h| {
        let number = h.number().filter(|n| h.is("EXPUNGE") && *n < memory.exists)?;
        h.numbered(number + 1)
    }),
    Fault::each("EXPUNGE is one too low", "3501 7.4.1", |h| {
        let number = h.number().filter(|n| h.is("EXPUNGE") && *n > 1)?;
        h.numbered(number - 1)
    }),
    Fault::each("EXPUNGE of zero", "3501 7.4.1", |h| {
        h.is("EXPUNGE").then(|| h.numbered(0))?
    }),
    Fault::answer("EXPUNGE responses in another order", "3501 7.4.1", |_, lines| {
        let places: Vec<_> = (0..lines.len())
            .filter(|at| lines.get(*at).is_some_and(|line| expunges(line)))
            .collect();
        for (first, last) in places.iter().zip(places.iter().rev()).take(places.len() / 2) {
            lines.swap(*first, *last);
        }
    })
    .seen_by(&["3501 6.4.3", "3501 2.3.1.2"]),
    Fault::answer(
        "EXPUNGE numbers do not account for those before",
        "3501 7.4.1",
        |_, lines| {
            for (before, line) in (0..).zip(lines.iter_mut().filter(|line| expunges(line))) {
                let number = line
                    .split(' ')
                    .nth(1)
                    .and_then(|n| n.parse::<u32>().ok())
                    .unwrap_or_default();
                *line = format!("* {} EXPUNGE\r\n", number + before);
            }
        },
    )
    .seen_by(&["3501 6.4.3"]),
    Fault::remembering("EXPUNGE is told with the next command", "3501 6.4.3", |memory, h| {
        if h.is("EXPUNGE") {
            memory.kept.push(h.text.clone());
            memory.count = 0;
            return Some(String::new());
        }
        if !h.tagged() || memory.kept.is_empty() {
            return None;
        }
        memory.count += 1;
        (memory.count > 1).then(|| format!("{}{}", memory.kept.drain(..).collect::<String>(), h.text))
    }),
    Fault::answer("EXPUNGE is told while no command runs", "3501 5.3", |h, lines| {
        // What was to be told with a command is told behind it.
        if h.verb() != "EXPUNGE" {
            let (late, rest): (Vec<_>, Vec<_>) = lines.drain(..).partition(|line| expunges(line));
            lines.extend(rest);
            lines.extend(late);
        }
    })
    .seen_by(&["3501 6.1.2"]),
    Fault::remembering(
        "EXPUNGE is told while a FETCH is answered",
        "3501 7.4.1",
        |memory, h| during(memory, h, &["FETCH"]),
    ),
    Fault::remembering(
        "EXPUNGE is told while a STORE is answered",
        "3501 7.4.1",
        |memory, h| during(memory, h, &["STORE"]),
    ),
    Fault::remembering(
        "EXPUNGE is told while a SEARCH is answered",
        "3501 7.4.1",
        |memory, h| during(memory, h, &["SEARCH"]),
    ),
    Fault::remembering(
        "messages have new numbers before EXPUNGE is told",
        "3501 7.4.1",
        |memory, h| {
            if h.is("EXPUNGE") {
                memory.of_others.retain(|told| *told != h.text);
            }
            let number = h.number().filter(|_| h.is("FETCH"))?;
            let gone = memory
                .of_others
                .iter()
                .filter_map(|told| told.split(' ').nth(1)?.parse::<u32>().ok());
            let gone = u32::try_from(gone.filter(|gone| *gone < number).count()).ok()?;
            h.numbered(number - gone)
        },
    ),
    Fault::remembering("EXISTS shrinks in place of EXPUNGE", "3501 5.2", |memory, h| {
        let left = memory.exists.saturating_sub(1);
        h.is("EXPUNGE").then(|| format!("* {left} EXISTS\r\n"))
    })
    .seen_by(&["3501 7.4.1"]),
    Fault::each("CLOSE tells EXPUNGE", "3501 6.4.2", |h| {
        (h.completes("OK") && h.verb() == "CLOSE").then(|| format!("* 1 EXPUNGE\r\n{}", h.text))
    }),
    Fault::asking("CLOSE removes nothing", "3501 6.4.2", |c| {
        (c.verb() == "CLOSE").then(|| format!("{} UNSELECT", c.tag))
    }),
    Fault::asking("UNSELECT removes", "3691 2", |c| {
        (c.verb() == "UNSELECT").then(|| format!("{} CLOSE", c.tag))
    }),
    Fault::asking("EXPUNGE removes nothing", "3501 6.4.3", |c| {
        (c.name == "EXPUNGE").then(|| format!("{} NOOP", c.tag))
    }),
    Fault::asking("UID EXPUNGE removes what it does not name", "4315 2.1", |c| {
        let set = c.line.split(' ').nth(3).filter(|_| c.name == "UID EXPUNGE")?;
        let valid = set
            .split([',', ':'])
            .all(|uid| uid.parse::<std::num::NonZeroU32>().is_ok());
        valid.then(|| format!("{} EXPUNGE", c.tag))
    }),
    Fault::each("flags that others changed are not told", "3501 5.2", |h| {
        (h.is("FETCH") && !matches!(h.verb(), "FETCH" | "STORE")).then(String::new)
    }),
    Fault::asking("NOOP tells nothing", "3501 6.1.2", |c| {
        (c.verb() == "NOOP").then(|| format!("{} CAPABILITY", c.tag))
    })
    .telling(|h| (h.verb() == "NOOP" && h.text.starts_with("* ")).then(String::new)),
    Fault::each("while idling nothing is told", "2177 3", |h| {
        (h.verb() == "IDLE" && h.text.starts_with("* ")).then(String::new)
    }),
    Fault::remembering("while idling everything waits for the end", "2177 3", |memory, h| {
        if h.verb() != "IDLE" || h.asks() {
            return None;
        }
        if h.tagged() {
            return Some(format!("{}{}", memory.kept.drain(..).collect::<String>(), h.text));
        }
        memory.kept.push(h.text.clone());
        Some(String::new())
    }),
];

fn selects(heard: &Heard) -> bool {
    matches!(heard.verb(), "SELECT" | "EXAMINE")
}

fn expunges(line: &str) -> bool {
    line.starts_with("* ") && line.ends_with(" EXPUNGE\r\n")
}

/// What another client was told is told at once, and not again later.
fn during(memory: &mut Memory, heard: &Heard, commands: &[&str]) -> Option<String> {
    if heard.is("EXPUNGE")
        && let Some(at) = memory.kept.iter().position(|told| *told == heard.text)
    {
        memory.kept.remove(at);
        return Some(String::new());
    }
    if heard.is("EXPUNGE")
        && let Some(at) = memory.of_others.iter().position(|told| *told == heard.text)
    {
        memory.of_others.remove(at);
        return None;
    }
    if !heard.tagged() || heard.of_uids() || !commands.contains(&heard.verb()) || memory.of_others.is_empty() {
        return None;
    }
    let told = std::mem::take(&mut memory.of_others);
    memory.kept.extend(told.iter().cloned());
    Some(format!("{}{}", told.concat(), heard.text))
}
