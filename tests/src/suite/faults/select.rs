//! Faults of what SELECT and EXAMINE tell.

use super::{Fault, Heard};

pub(super) const FAULTS: &[Fault] = &[
    Fault::each("SELECT tells no EXISTS", "3501 6.3.1", |h| lost(h, "EXISTS")),
    Fault::each("SELECT tells no messages", "3501 6.3.1", |h| {
        (h.is("EXISTS") && selects(h)).then(|| h.numbered(0))?
    }),
    Fault::each("SELECT tells no RECENT", "3501 6.3.1", |h| lost(h, "RECENT")),
    Fault::each("SELECT tells no FLAGS", "3501 6.3.1", |h| lost(h, "FLAGS")),
    Fault::each("FLAGS lacks \\Deleted", "3501 7.2.6", |h| {
        h.is("FLAGS").then(|| h.text.replace(" \\Deleted", ""))
    })
    .seen_by(&["3501 6.3.1"]),
    Fault::each("FLAGS has no parentheses", "3501 7.2.6", |h| {
        h.is("FLAGS").then(|| h.text.replace(['(', ')'], ""))
    })
    .seen_by(&["3501 6.3.1"]),
    Fault::each("SELECT tells no UIDVALIDITY", "3501 6.3.1", |h| {
        (selects(h) && h.has_code("UIDVALIDITY")).then(String::new)
    }),
    Fault::each("SELECT tells no UIDNEXT", "3501 6.3.1", |h| {
        (selects(h) && h.has_code("UIDNEXT")).then(String::new)
    }),
    Fault::remembering(
        "UIDVALIDITY changes from SELECT to SELECT",
        "3501 2.3.1.1",
        |memory, h| {
            memory.count += u32::from(h.has_code("UIDVALIDITY"));
            code(h, "UIDVALIDITY", |n| n + memory.count)
        },
    )
    .seen_by(&["3501 6.3.1"]),
    Fault::each("UIDVALIDITY is zero", "3501 9", |h| code(h, "UIDVALIDITY", |_| 0)).seen_by(&["3501 6.3.1"]),
    Fault::each("UIDNEXT is one too low", "3501 2.3.1.1", |h| {
        code(h, "UIDNEXT", |n| n.saturating_sub(1))
    })
    .seen_by(&["3501 6.3.1"]),
    Fault::each("UIDNEXT is much too high", "3501 2.3.1.1", |h| {
        code(h, "UIDNEXT", |n| n + 1000)
    }),
    Fault::each("UNSEEN is one too high", "3501 6.3.1", |h| code(h, "UNSEEN", |n| n + 1)),
    Fault::each("SELECT tells no UNSEEN", "3501 6.3.1", |h| {
        (selects(h) && h.has_code("UNSEEN")).then(String::new)
    }),
    Fault::each("PERMANENTFLAGS tells \\Recent", "3501 9", |h| {
        h.has_code("PERMANENTFLAGS")
            .then(|| h.text.replacen("(\\", "(\\Recent \\", 1))
    })
    .seen_by(&["3501 6.3.1"]),
    Fault::each("nothing is permanent", "3501 7.1", |h| {
        let (before, after) = h.text.split_once("[PERMANENTFLAGS (")?;
        Some(format!(
            "{before}[PERMANENTFLAGS ({}",
            after.split_once(')').map(|(_, rest)| format!("){rest}"))?
        ))
    })
    .seen_by(&["3501 2.3.2"]),
    Fault::each("EXAMINE is not READ-ONLY", "3501 6.3.2", |h| {
        (h.completes("OK") && h.verb() == "EXAMINE").then(|| h.without_code())?
    }),
    Fault::each("EXAMINE is READ-WRITE", "3501 6.3.2", |h| {
        h.completes("OK").then(|| h.with("[READ-ONLY]", "[READ-WRITE]"))?
    }),
    Fault::each("SELECT is READ-ONLY", "3501 6.3.1", |h| {
        h.completes("OK").then(|| h.with("[READ-WRITE]", "[READ-ONLY]"))?
    }),
    Fault::asking("EXAMINE is SELECT", "3501 6.3.2", |c| {
        let (_, mailbox) = c
            .line
            .split_once(' ')?
            .1
            .split_once(' ')
            .filter(|_| c.verb() == "EXAMINE")?;
        Some(format!("{} SELECT {mailbox}", c.tag))
    })
    .telling(|h| (h.verb() == "EXAMINE").then(|| h.with("[READ-WRITE]", "[READ-ONLY]"))?),
    Fault::each("a failed SELECT is OK", "3501 6.3.1", |h| {
        (h.completes("NO") && h.verb() == "SELECT").then(|| h.with(" NO ", " OK "))?
    }),
];

fn selects(heard: &Heard) -> bool {
    matches!(heard.verb(), "SELECT" | "EXAMINE")
}

fn lost(heard: &Heard, name: &str) -> Option<String> {
    (heard.is(name) && selects(heard)).then(String::new)
}

/// The same with another number in a response code.
fn code(heard: &Heard, name: &str, number: impl Fn(u32) -> u32) -> Option<String> {
    let (before, after) = heard.text.split_once(&format!("[{name} "))?;
    let (old, after) = after.split_once(']')?;
    Some(format!("{before}[{name} {}]{after}", number(old.parse().ok()?)))
}
