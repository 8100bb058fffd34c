//! Differential: what imap-codec reads as a command, we read too, and what it refuses, we refuse, for the commands that
//! both know. Left out is where we differ and mean it: imap-codec takes `STATUS x ()` and `FETCH 1 ()`, of which RFC 3501
//! wants at least one item (R3501-180).

use imap_codec::CommandCodec;
use imap_codec::decode::Decoder;
use imap_core::Event;
use proptest::prelude::*;

use crate::support::Driver;

fn ours(line: &[u8]) -> bool {
    let mut driver = Driver::selected();
    driver.core.input().extend_from_slice(line);
    matches!(driver.core.next_event(), Event::Command { .. })
}

fn theirs(line: &[u8]) -> bool {
    matches!(CommandCodec::new().decode(line), Ok((rest, _)) if rest.is_empty())
}

fn one_of(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::sample::select(words).prop_map(str::to_owned)
}

fn set() -> impl Strategy<Value = String> {
    let number = prop_oneof![one_of(&["0", "1", "*", "4294967295", "4294967296"]), "[1-9][0-9]{0,3}"];
    let range = prop_oneof![
        number.clone(),
        (number.clone(), number).prop_map(|(a, b)| format!("{a}:{b}"))
    ];
    proptest::collection::vec(range, 1..4).prop_map(|r| r.join(","))
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9.!#$&'-]{1,6}",
        one_of(&[
            "\"\"",
            "\"a b\"",
            "\"\\\"\"",
            "\"\\x\"",
            "\"",
            "{3+}\r\na b",
            "{0+}\r\n",
            "NIL",
            "]",
            "a%",
            "a*"
        ]),
    ]
}

/// imap-codec does not look into modified UTF-7.
fn mailbox() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9.]{1,6}",
        one_of(&[
            "inbox",
            "\"\"",
            "\"a b\"",
            "\"\\\"\"",
            "\"\\x\"",
            "{3+}\r\na b",
            "{0+}\r\n",
            "a]",
            "a%",
            "a("
        ]),
    ]
}

fn flags() -> impl Strategy<Value = String> {
    let flag = one_of(&["\\Seen", "\\Deleted", "\\answered", "$Junk", "a", "\\", "]", "a]"]);
    (proptest::collection::vec(flag, 0..4), any::<bool>()).prop_map(|(flags, list)| {
        let flags = flags.join(" ");
        if list { format!("({flags})") } else { flags }
    })
}

fn date() -> impl Strategy<Value = String> {
    one_of(&[
        "1-Feb-1994",
        "01-feb-1994",
        "\"28-Dec-2020\"",
        "32-Jan-2020",
        "1-Foo-2020",
        "1-1-2020",
        "001-Jan-2020",
    ])
}

fn key() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        one_of(&[
            "ALL", "answered", "NEW", "OLD", "UNSEEN", "UNDRAFT", "RECENT", "FOO", ""
        ]),
        set(),
        set().prop_map(|s| format!("UID {s}")),
        (
            one_of(&["BEFORE", "ON", "SINCE", "SENTBEFORE", "SENTON", "SENTSINCE"]),
            date()
        )
            .prop_map(|(k, d)| format!("{k} {d}")),
        (
            one_of(&["BCC", "BODY", "CC", "FROM", "SUBJECT", "TEXT", "TO", "HEADER X"]),
            text()
        )
            .prop_map(|(k, t)| format!("{k} {t}")),
        (
            one_of(&["LARGER", "SMALLER"]),
            one_of(&["0", "5", "4294967295", "4294967296", "x"])
        )
            .prop_map(|(k, n)| format!("{k} {n}")),
        (one_of(&["KEYWORD", "UNKEYWORD"]), one_of(&["a", "\\a", "$x", "a]"])).prop_map(|(k, n)| format!("{k} {n}")),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|k| format!("NOT {k}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("OR {a} {b}")),
            proptest::collection::vec(inner, 1..3).prop_map(|k| format!("({})", k.join(" "))),
        ]
    })
}

fn item() -> impl Strategy<Value = String> {
    let section = one_of(&[
        "",
        "HEADER",
        "TEXT",
        "MIME",
        "1",
        "1.2",
        "1.MIME",
        "1.TEXT",
        "0",
        "1.",
        "HEADER.FIELDS (a b)",
        "HEADER.FIELDS ()",
        "2.HEADER.FIELDS.NOT (\"x\")",
        "1.HEADER",
    ]);
    let partial = one_of(&["", "", "<0.1>", "<0.0>", "<1>", "<4294967296.1>"]);
    prop_oneof![
        one_of(&[
            "FLAGS",
            "UID",
            "BODY",
            "bodystructure",
            "ENVELOPE",
            "INTERNALDATE",
            "RFC822",
            "RFC822.SIZE",
            "ALL",
            "FOO"
        ]),
        (one_of(&["BODY", "BODY.PEEK"]), section, partial).prop_map(|(b, s, p)| format!("{b}[{s}]{p}")),
    ]
}

fn command() -> impl Strategy<Value = String> {
    let items = prop_oneof![
        item(),
        proptest::collection::vec(item(), 1..4).prop_map(|i| format!("({})", i.join(" "))),
        one_of(&["ALL", "fast", "FULL"]),
    ];
    let uid = || one_of(&["", "UID ", "uid "]);
    let status = proptest::collection::vec(
        one_of(&["MESSAGES", "recent", "UIDNEXT", "UIDVALIDITY", "UNSEEN"]),
        1..3,
    );
    prop_oneof![
        (
            one_of(&["SELECT", "EXAMINE", "CREATE", "DELETE", "SUBSCRIBE", "unsubscribe"]),
            mailbox()
        )
            .prop_map(|(c, m)| format!("{c} {m}")),
        (mailbox(), mailbox()).prop_map(|(a, b)| format!("RENAME {a} {b}")),
        (
            one_of(&["LIST", "LSUB"]),
            mailbox(),
            one_of(&["*", "%", "\"\"", "a*b", "{1+}\r\n*", "(a)", ""])
        )
            .prop_map(|(c, r, p)| format!("{c} {r} {p}")),
        (mailbox(), status).prop_map(|(m, s)| format!("STATUS {m} ({})", s.join(" "))),
        (uid(), set(), items).prop_map(|(u, s, i)| format!("{u}FETCH {s} {i}")),
        (
            uid(),
            set(),
            one_of(&["FLAGS", "+FLAGS", "-flags.silent", "*FLAGS"]),
            flags()
        )
            .prop_map(|(u, s, c, f)| format!("{u}STORE {s} {c} {f}")),
        (uid(), one_of(&["COPY", "MOVE"]), set(), mailbox()).prop_map(|(u, c, s, m)| format!("{u}{c} {s} {m}")),
        (uid(), one_of(&["", "CHARSET UTF-8 ", "CHARSET US-ASCII "]), key())
            .prop_map(|(u, c, k)| format!("{u}SEARCH {c}{k}")),
        set().prop_map(|s| format!("UID EXPUNGE {s}")),
        one_of(&[
            "NOOP",
            "CHECK",
            "CLOSE",
            "EXPUNGE",
            "UNSELECT",
            "IDLE",
            "CAPABILITY",
            "LOGOUT",
            "NOOP x",
            "NO"
        ]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn commands_that_both_know_are_read_alike(command in command()) {
        let line = format!("a {command}\r\n");
        prop_assert_eq!(ours(line.as_bytes()), theirs(line.as_bytes()), "{:?}", line);
    }
}
