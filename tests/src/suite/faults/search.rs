//! Faults of SEARCH.

use super::{Command, Fault, Heard};

pub(super) const FAULTS: &[Fault] = &[
    Fault::each("SEARCH finds another message", "3501 6.4.4", |h| {
        found(h, |found| {
            if let Some(last) = found.last_mut() {
                *last += 1;
            }
        })
    }),
    Fault::each("SEARCH finds one message less", "3501 6.4.4", |h| {
        found(h, |found| _ = found.pop())
    }),
    Fault::each("SEARCH finds a message twice", "3501 6.4.4", |h| {
        found(h, |found| {
            let again = found.last().copied();
            found.extend(again);
        })
    }),
    Fault::each("SEARCH tells zero", "3501 6.4.4", |h| {
        found(h, |found| found.insert(0, 0))
    }),
    Fault::each("SEARCH tells nothing", "3501 6.4.4", |h| {
        h.is("SEARCH").then(String::new)
    }),
    Fault::each("SEARCH tells nothing where nothing is found", "3501 6.4.4", |h| {
        (h.text == "* SEARCH\r\n").then(String::new)
    }),
    Fault::each("SEARCH tells its results twice", "3501 6.4.4", |h| {
        h.is("SEARCH").then(|| h.text.repeat(2))
    }),
    Fault::each("commas between the results of SEARCH", "3501 7.2.5", |h| {
        let (front, rest) = h.text.split_at_checked("* SEARCH ".len()).filter(|_| h.is("SEARCH"))?;
        Some(format!("{front}{}", rest.replace(' ', ",")))
    })
    .seen_by(&["3501 6.4.4"]),
    Fault::asking("SEARCH tells UIDs", "3501 6.4.4", |c| {
        (c.name == "SEARCH").then(|| c.line.replacen(' ', " UID ", 1))
    })
    .seen_by(&["3501 6.4.8"]),
    Fault::asking("UID SEARCH tells numbers", "3501 6.4.8", |c| {
        let (_, rest) = c
            .line
            .split_once(' ')?
            .1
            .split_once(' ')
            .filter(|_| c.name == "UID SEARCH")?;
        Some(format!("{} {rest}", c.tag))
    }),
    Fault::asking("OR is AND", "3501 6.4.4", |c| key(c, " OR ", " ")),
    Fault::asking("NOT is passed over", "3501 6.4.4", |c| key(c, " NOT ", " ")),
    Fault::asking("LARGER is SMALLER", "3501 6.4.4", |c| key(c, " LARGER ", " SMALLER ")),
    Fault::asking("SINCE is BEFORE", "3501 6.4.4", |c| key(c, " SINCE ", " BEFORE ")),
    Fault::asking("SENTSINCE is SINCE", "3501 6.4.4", |c| key(c, " SENT", " ")),
    Fault::asking("BODY is TEXT", "3501 6.4.4", |c| key(c, " BODY ", " TEXT ")),
    Fault::asking("CC is TO", "3501 6.4.4", |c| key(c, " CC ", " TO ")),
    Fault::asking("NEW is RECENT", "3501 6.4.4", |c| key(c, " NEW", " RECENT")),
    Fault::asking("UNKEYWORD is KEYWORD", "3501 6.4.4", |c| {
        key(c, " UNKEYWORD ", " KEYWORD ")
    }),
];

/// SEARCH with other results.
fn found(heard: &Heard, change: impl Fn(&mut Vec<u32>)) -> Option<String> {
    let numbers = heard.text.strip_prefix("* SEARCH ")?.trim_end().split(' ');
    let mut numbers = numbers.map(str::parse).collect::<Result<Vec<u32>, _>>().ok()?;
    change(&mut numbers);
    let numbers: String = numbers.iter().map(|n| format!(" {n}")).collect();
    Some(format!("* SEARCH{numbers}\r\n"))
}

/// SEARCH with another key.
fn key(command: &Command, from: &str, to: &str) -> Option<String> {
    let has = command.verb() == "SEARCH" && command.line.contains(from);
    has.then(|| command.line.replacen(from, to, 1))
}
