//! Faults of response codes.

use super::{Fault, Heard};

pub(super) const FAULTS: &[Fault] = &[
    Fault::each("TRYCREATE is lost", "3501 7.1", |h| {
        h.has_code("TRYCREATE").then(|| h.without_code())?
    })
    .seen_by(&["3501 6.4.7", "3501 6.3.11"]),
    Fault::each("TRYCREATE where CREATE would not help", "3501 7.1", |h| {
        let create = matches!(h.verb(), "APPEND" | "COPY" | "MOVE");
        (h.completes("NO") && !create).then(|| {
            h.without_code()
                .unwrap_or(h.text.clone())
                .replacen(" NO ", " NO [TRYCREATE] ", 1)
        })
    }),
    Fault::each("ALREADYEXISTS is NONEXISTENT", "5530 3", |h| {
        h.with("[ALREADYEXISTS]", "[NONEXISTENT]")
    }),
    Fault::each("NONEXISTENT is ALREADYEXISTS", "5530 3", |h| {
        h.with("[NONEXISTENT]", "[ALREADYEXISTS]")
    }),
    Fault::each("a code without its bracket", "3501 7.1", |h| {
        let (before, after) = h
            .text
            .split_once("] ")
            .filter(|(before, _)| h.tagged() && before.contains('['))?;
        Some(format!("{before} {after}"))
    })
    .seen_by(&["3501 6.3.1"]),
    Fault::each("a code without a text behind it", "3501 7.1", |h| {
        let (before, _) = h
            .text
            .split_once("] ")
            .filter(|(before, _)| h.tagged() && before.contains('['))?;
        Some(format!("{before}]\r\n"))
    })
    .seen_by(&["3501 6.3.1"]),
    Fault::each("COPYUID in another order", "4315 3", |h| {
        copied(h, |from, to| {
            let mut uids: Vec<_> = set(to);
            uids.reverse();
            let uids: Vec<_> = uids.iter().map(u32::to_string).collect();
            format!("{from} {}", uids.join(","))
        })
    }),
    Fault::each("COPYUID is lost", "4315 3", |h| {
        h.has_code("COPYUID").then(|| h.without_code())?
    }),
    Fault::each("COPYUID with its sets swapped", "4315 3", |h| {
        copied(h, |from, to| format!("{to} {from}"))
    }),
    Fault::each("COPYUID without the UIDs of the source", "4315 3", |h| {
        copied(h, |_, to| to.to_owned())
    }),
    Fault::each("COPYUID tells the UIDVALIDITY of another", "4315 3", |h| {
        let (before, after) = h.text.split_once("[COPYUID ")?;
        Some(format!("{before}[COPYUID 1{after}"))
    }),
    Fault::each("APPENDUID is one too high", "4315 3", |h| {
        let (before, after) = h.text.split_once("[APPENDUID ")?;
        let (codes, after) = after.split_once(']')?;
        let (validity, uid) = codes.split_once(' ')?;
        Some(format!(
            "{before}[APPENDUID {validity} {}]{after}",
            uid.parse::<u32>().ok()? + 1
        ))
    }),
    Fault::each("APPENDUID is lost", "4315 3", |h| {
        h.has_code("APPENDUID").then(|| h.without_code())?
    }),
    Fault::each("APPENDUID lacks the UIDVALIDITY", "4315 3", |h| {
        let (before, after) = h.text.split_once("[APPENDUID ")?;
        Some(format!("{before}[APPENDUID {}", after.split_once(' ')?.1))
    }),
    Fault::answer(
        "MOVE tells COPYUID behind its EXPUNGE responses",
        "6851 4.3",
        |h, lines| {
            let code = lines.iter().position(|line| line.starts_with("* OK [COPYUID "));
            if let (Some(at), "MOVE") = (code, h.verb()) {
                let code = lines.remove(at);
                lines.insert(lines.len().saturating_sub(1), code);
            }
        },
    ),
    Fault::each("MOVE tells no EXPUNGE", "6851 3.3", |h| {
        (h.verb() == "MOVE" && h.is("EXPUNGE")).then(String::new)
    }),
];

/// COPYUID with other sets.
fn copied(heard: &Heard, change: impl Fn(&str, &str) -> String) -> Option<String> {
    let (before, after) = heard.text.split_once("[COPYUID ")?;
    let (code, after) = after.split_once(']')?;
    let mut words = code.split(' ');
    let (validity, from, to) = (words.next()?, words.next()?, words.next()?);
    Some(format!("{before}[COPYUID {validity} {}]{after}", change(from, to)))
}

/// The numbers of a set.
fn set(text: &str) -> Vec<u32> {
    let range = |range: &str| {
        let (from, to) = range.split_once(':').unwrap_or((range, range));
        from.parse().unwrap_or(0)..=to.parse().unwrap_or(0)
    };
    text.split(',').flat_map(range).collect()
}
