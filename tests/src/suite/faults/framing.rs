//! Faults of lines, tags, texts and continuations: what any response may suffer.

use super::{Fault, Heard};

pub(super) const FAULTS: &[Fault] = &[
    Fault::each("a tagged line ends with LF", "3501 2.2", |h| {
        h.tagged().then(|| h.text.replace("\r\n", "\n"))
    }),
    Fault::each("an untagged line ends with LF", "3501 2.2", |h| {
        let line = h.text.starts_with("* ") && !h.text.contains('{');
        line.then(|| h.text.replace("\r\n", "\n"))
    })
    .seen_by(&["3501 6.1.1"]),
    Fault::each("the CR LF of a tagged line is missing", "3501 2.2", |h| {
        h.tagged().then(|| h.text.trim_end().to_owned())
    })
    .seen_by(&["3501 6.1.2"]),
    Fault::each("the CR LF of an untagged line is missing", "3501 2.2", |h| {
        h.is("EXISTS").then(|| h.text.trim_end().to_owned())
    })
    .seen_by(&["3501 6.3.1"]),
    Fault::each("another tag", "3501 2.2.1", |h| {
        h.tagged().then(|| format!("x{}", h.text))
    }),
    Fault::each("the tag in other case", "3501 2.2.1", |h| {
        let tag = &h.command.as_ref()?.tag;
        let other = match tag.to_ascii_uppercase() == *tag {
            true => tag.to_ascii_lowercase(),
            false => tag.to_ascii_uppercase(),
        };
        h.tagged().then(|| h.text.replacen(tag, &other, 1))
    }),
    Fault::each("the completion is untagged", "3501 2.2.2", |h| {
        let tag = &h.command.as_ref()?.tag;
        h.tagged().then(|| h.text.replacen(tag, "*", 1))
    }),
    Fault::each("a command is completed twice", "3501 2.2.2", |h| {
        h.completes("OK").then(|| h.text.repeat(2))
    }),
    Fault::each("the text of a completion is missing", "3501 7.1", |h| {
        let tag = &h.command.as_ref()?.tag;
        h.completes("OK").then(|| format!("{tag} OK\r\n"))
    })
    .seen_by(&["3501 6.1.2"]),
    Fault::each("the text of the greeting is missing", "3501 7.1.1", |h| {
        h.greeting.then(|| "* OK\r\n".to_owned())
    }),
    Fault::each("no greeting", "3501 2.2", |h| h.greeting.then(String::new)),
    Fault::each("the greeting is BAD", "3501 7.1.1", |h| {
        h.greeting.then(|| "* BAD hello\r\n".to_owned())
    }),
    Fault::each("two spaces", "3501 9", |h| {
        h.is("EXISTS").then(|| h.text.replace(" EXISTS", "  EXISTS"))
    })
    .seen_by(&["3501 7.3.1"]),
    Fault::each("a space at the end of a line", "3501 7.2.5", |h| {
        h.is("SEARCH").then(|| h.text.replace("\r\n", " \r\n"))
    }),
    Fault::each("a space within a list", "3501 9", |h| {
        h.is("FETCH").then(|| h.text.replacen(" (", " ( ", 1))
    })
    .seen_by(&["3501 6.4.5"]),
    Fault::each("a parenthesis is missing", "3501 9", |h| {
        h.is("FETCH").then(|| h.text.replace(")\r\n", "\r\n"))
    })
    .seen_by(&["3501 6.4.5"]),
    Fault::each("a text with 8 bits", "3501 7.1", |h| {
        h.tagged().then(|| h.text.replace("\r\n", " \u{e9}\r\n"))
    })
    .seen_by(&["3501 6.1.2"]),
    Fault::each("OK instead of NO", "3501 7.1.2", ok_for_no).seen_by(&["3501 6.3.4", "3501 6.3.3"]),
    Fault::each("OK instead of BAD", "3501 7.1.3", |h| swapped(h, "BAD", "OK")).seen_by(&["3501 9"]),
    Fault::each("NO instead of OK", "3501 7.1.1", |h| swapped(h, "OK", "NO")).seen_by(&["3501 6.1.2"]),
    Fault::each("NO instead of BAD", "3501 7.1.3", |h| swapped(h, "BAD", "NO")).seen_by(&["3501 9"]),
    Fault::each("BAD instead of NO", "3501 7.1.2", |h| swapped(h, "NO", "BAD")).seen_by(&["3501 6.3.4"]),
    Fault::each("PREAUTH as a completion", "3501 7.1.4", |h| swapped(h, "OK", "PREAUTH")).seen_by(&["3501 6.1.2"]),
    Fault::each("lost continuation", "3501 7.5", |h| h.asks().then(String::new)),
    Fault::each("two continuations", "3501 7.5", |h| h.asks().then(|| h.text.repeat(2))),
    Fault::each("a continuation without its space", "3501 7.5", |h| {
        h.asks().then(|| "+\r\n".to_owned())
    }),
    Fault::each("an empty challenge with a text", "3501 6.2.2", |h| {
        (h.asks() && h.verb() == "AUTHENTICATE").then(|| "+ go ahead\r\n".to_owned())
    }),
    Fault::each("a continuation for a literal sent at once", "7888 3", |h| {
        let at_once = h.command.as_ref().is_some_and(|c| c.at_once);
        (h.tagged() && at_once).then(|| format!("+ go ahead\r\n{}", h.text))
    }),
    Fault::each("LOGOUT without BYE", "3501 7.1.5", |h| {
        (h.is("BYE") && h.verb() == "LOGOUT").then(String::new)
    }),
    Fault::answer("BYE behind the OK of LOGOUT", "3501 7.1.5", |h, lines| {
        if h.verb() == "LOGOUT" {
            lines.reverse();
        }
    }),
    Fault::remembering("the tags of pipelined answers are swapped", "3501 5.5", |memory, h| {
        if !h.tagged() {
            return None;
        }
        let tag = &h.command.as_ref()?.tag;
        match (memory.tag.take(), &h.behind) {
            (Some(kept), _) => Some(h.text.replacen(tag, &kept, 1)),
            (None, Some(behind)) => {
                memory.tag = Some(tag.clone());
                Some(h.text.replacen(tag, behind, 1))
            }
            (None, None) => None,
        }
    }),
    Fault::answer(
        "the data of a command come behind its completion",
        "3501 2.2.2",
        |_, lines| {
            if let Some(tagged) = lines.pop() {
                lines.insert(0, tagged);
            }
        },
    )
    .seen_by(&["3501 6.1.1"]),
    Fault::each("IDLE ends without a completion", "2177 3", |h| {
        (h.tagged() && h.verb() == "IDLE").then(String::new)
    }),
    Fault::each("DONE is answered twice", "2177 3", |h| {
        (h.tagged() && h.verb() == "IDLE").then(|| h.text.repeat(2))
    }),
    Fault::each("IDLE is not continued", "2177 3", |h| {
        (h.asks() && h.verb() == "IDLE").then(String::new)
    }),
];

fn swapped(heard: &Heard, from: &str, to: &str) -> Option<String> {
    heard
        .completes(from)
        .then(|| heard.text.replacen(&format!(" {from} "), &format!(" {to} "), 1))
}

fn ok_for_no(heard: &Heard) -> Option<String> {
    // A login that is not one would make all that follows wrong.
    (!matches!(heard.verb(), "LOGIN" | "AUTHENTICATE"))
        .then(|| swapped(heard, "NO", "OK"))
        .flatten()
}
