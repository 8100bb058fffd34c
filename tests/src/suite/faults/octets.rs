//! Faults of strings and literals.

use super::fetch::{Item, items, literal, string};
use super::{Fault, Heard};

pub(super) const FAULTS: &[Fault] = &[
    Fault::each("a literal counts an octet less", "3501 4.3", |h| {
        counted(h, |n| n.saturating_sub(1))
    })
    .seen_by(&["3501 6.4.5"]),
    Fault::each("a literal counts an octet more", "3501 4.3", |h| counted(h, |n| n + 1)).seen_by(&["3501 6.4.5"]),
    Fault::each("a body lacks its last octet", "3501 6.4.5", |h| {
        bodies(h, |body| {
            body.chars().take(body.chars().count().saturating_sub(1)).collect()
        })
    }),
    Fault::each("a body has lines that end with LF", "3501 2.2", |h| {
        bodies(h, |body| body.replace("\r\n", "\n"))
    })
    .seen_by(&["3501 6.4.5"]),
    Fault::each("a body has one more empty line", "3501 6.4.5", |h| {
        bodies(h, |body| format!("{body}\r\n"))
    }),
    Fault::each("the 8th bit of a body is lost", "3501 4.3.1", |h| {
        let seven = |c: char| char::from(u8::try_from(c).unwrap_or(0) & 0x7f);
        bodies(h, |body| body.chars().map(seven).collect())
    })
    .seen_by(&["3501 6.3.11"]),
    Fault::each("a NUL in a literal", "3501 4", |h| {
        bodies(h, |body| body.replacen('a', "\0", 1))
    })
    .seen_by(&["3501 6.4.5"]),
    Fault::each("header folding is lost", "3501 6.4.5", |h| {
        sections(h, "BODY[HEADER", |body| {
            body.replace("\r\n\t", " ").replace("\r\n ", " ")
        })
    })
    .seen_by(&["3501 6.3.11"]),
    Fault::each("HEADER.FIELDS has a field more", "3501 6.4.5", |h| {
        sections(h, "BODY[HEADER.FIELDS (", |body| format!("X-Also: here\r\n{body}"))
    }),
    Fault::each("HEADER.FIELDS.NOT has a field less", "3501 6.4.5", |h| {
        let shorter = |body: &str| body.split_once("\r\n").map_or("", |(_, rest)| rest).to_owned();
        sections(h, "BODY[HEADER.FIELDS.NOT (", shorter)
    }),
    Fault::each("the empty line behind HEADER.FIELDS is missing", "3501 6.4.5", |h| {
        sections(h, "BODY[HEADER.FIELDS (", without_empty_line)
    })
    .seen_by(&["3501 7.4.2"]),
    Fault::each("the empty line behind HEADER is missing", "3501 7.4.2", |h| {
        sections(h, "BODY[HEADER]", without_empty_line)
    })
    .seen_by(&["3501 6.4.5"]),
    Fault::each("a part of a message lacks its last line end", "3501 6.4.5", |h| {
        sections(h, "BODY[1]", |body| {
            body.strip_suffix("\r\n").unwrap_or(body).to_owned()
        })
    })
    .seen_by(&["3501 7.4.2"]),
    Fault::each("the origin of a partial is missing", "3501 7.4.2", |h| {
        let at = h.text.find("]<").filter(|_| h.is("FETCH"))?;
        let (before, after) = (h.text.get(..=at)?, h.text.get(at..)?);
        Some(format!("{before}{}", after.split_once('>')?.1))
    })
    .seen_by(&["3501 6.4.5"]),
    Fault::each("the origin of a partial is one too high", "3501 7.4.2", |h| {
        let (before, after) = h.text.split_once("]<").filter(|_| h.is("FETCH"))?;
        let (origin, after) = after.split_once('>')?;
        Some(format!("{before}]<{}>{after}", origin.parse::<u32>().ok()? + 1))
    })
    .seen_by(&["3501 6.4.5"]),
    Fault::asking("a partial begins an octet late", "3501 6.4.5", |c| {
        let (before, after) = c.line.split_once("]<").filter(|_| c.verb() == "FETCH")?;
        let (origin, after) = after.split_once('.')?;
        Some(format!("{before}]<{}.{after}", origin.parse::<u32>().ok()? + 1))
    })
    .telling(|h| {
        let (before, after) = h.text.split_once("]<").filter(|_| h.is("FETCH"))?;
        let (origin, after) = after.split_once('>')?;
        Some(format!(
            "{before}]<{}>{after}",
            origin.parse::<u32>().ok()?.saturating_sub(1)
        ))
    }),
    Fault::each("BODY.PEEK is told as such", "3501 7.4.2", |h| {
        (h.is("FETCH") && h.line().contains("BODY.PEEK[")).then(|| h.text.replacen("BODY[", "BODY.PEEK[", 1))
    })
    .seen_by(&["3501 6.4.5"]),
    Fault::each("another section is named", "3501 7.4.2", |h| {
        h.with("BODY[TEXT]", "BODY[]")
    })
    .seen_by(&["3501 6.4.5"]),
    Fault::asking("TEXT is the whole message", "3501 6.4.5", |c| {
        c.line
            .contains("BODY.PEEK[TEXT]")
            .then(|| c.line.replace("BODY.PEEK[TEXT]", "BODY.PEEK[]"))
    })
    .telling(|h| h.with("BODY[]", "BODY[TEXT]")),
    Fault::asking("a part is told with its MIME header", "3501 6.4.5", |c| {
        c.line.contains("[1]").then(|| c.line.replace("[1]", "[1.MIME]"))
    })
    .telling(|h| h.with("[1.MIME]", "[1]")),
    Fault::each("a quote in a quoted string is not escaped", "3501 4.3", |h| {
        (h.is("FETCH") || h.is("LIST")).then(|| h.text.replacen("\\\"", "\"", 1))
    })
    .seen_by(&["3501 7.4.2", "3501 4", "3501 7.2.2"]),
    Fault::each("8 bits in a quoted string", "3501 4.3", |h| {
        let envelope = h.text.find("ENVELOPE (\"").filter(|_| h.is("FETCH"))?;
        let (before, after) = h.text.split_at_checked(envelope + "ENVELOPE (\"".len())?;
        Some(format!("{before}\u{e9}{after}"))
    })
    .seen_by(&["3501 7.4.2", "3501 2.3.5"]),
    Fault::each("an empty string is NIL", "3501 4.4", |h| {
        (h.is("LIST") && h.line().contains("\"\" \"\"")).then(|| h.text.replace(" \"\"\r\n", " NIL\r\n"))
    })
    .seen_by(&["3501 6.3.8"]),
    Fault::each("NIL is an empty string", "3501 4.4", |h| {
        let envelope = h.text.find("ENVELOPE").filter(|_| h.is("FETCH"))?;
        let (before, after) = h.text.split_at_checked(envelope)?;
        Some(format!("{before}{}", after.replace("NIL", "\"\"")))
    })
    .seen_by(&["3501 4", "3501 7.4.2"]),
];

/// The same with another size of its first literal.
fn counted(heard: &Heard, count: fn(usize) -> usize) -> Option<String> {
    let (before, after) = heard.text.split_once('{').filter(|_| heard.is("FETCH"))?;
    let (size, after) = after.split_once('}')?;
    Some(format!("{before}{{{}}}{after}", count(size.parse().ok()?)))
}

/// The same with other texts in the sections that begin so.
fn sections(heard: &Heard, front: &str, body: impl Fn(&str) -> String) -> Option<String> {
    items(heard, |of| {
        for Item { value, .. } in of.iter_mut().filter(|item| item.name.starts_with(front)) {
            if let Some(text) = string(value) {
                *value = literal(&body(&text));
            }
        }
    })
}

/// The same with other texts in all that is text of a message.
fn bodies(heard: &Heard, body: impl Fn(&str) -> String) -> Option<String> {
    sections(heard, "BODY[]", body)
}

fn without_empty_line(header: &str) -> String {
    match header.strip_suffix("\r\n\r\n") {
        Some(fields) => format!("{fields}\r\n"),
        None => header.to_owned(),
    }
}
