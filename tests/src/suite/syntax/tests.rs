//! What the formal syntax allows and what it does not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use proptest::prelude::*;

use super::super::token::Response;

/// What is wrong with a response; empty when nothing is.
fn wrong(response: &str) -> String {
    match Response::parse(response.as_bytes()) {
        Err(malformed) => malformed.to_string(),
        Ok(parsed) => super::check(&parsed, false).err().unwrap_or_default(),
    }
}

#[track_caller]
fn all_fine(responses: &[&str]) {
    for response in responses {
        assert_eq!(wrong(response), "", "{response}");
    }
}

#[track_caller]
fn none_fine(responses: &[&str]) {
    for response in responses {
        assert_ne!(wrong(response), "", "{response}");
    }
}

#[test]
fn status_responses() {
    all_fine(&[
        "* OK hello",
        "* OK [CAPABILITY IMAP4rev1 IDLE] hello",
        "* BYE x",
        "* PREAUTH [ALERT] x",
        "a1 OK [READ-WRITE] done",
        "a1 NO [BADCHARSET (US-ASCII \"UTF-8\")] x",
        "a1 NO [BADCHARSET] x",
        "* OK [PERMANENTFLAGS (\\Seen $x \\*)] x",
        "* OK [UIDVALIDITY 4294967295] x",
        "a OK [COPYUID 1 2:3,5 7:9] x",
        "a OK [APPENDUID 1 2:3] x",
        "a NO [X-OWN anything (at \"all] x",
        "* OK [HIGHESTMODSEQ 9223372036854775807] x",
        "a OK x {3}",
        "+ ",
        "+ idling",
        "+ YGgGCSqGSIb3EgECAgIAb1kwV6ADAgEFoQMCAQ+i",
    ]);
    none_fine(&[
        "",
        "*",
        "* OK",
        "* OK ",
        "a OK",
        "a BYE x",
        "a+ OK x",
        "a(b OK x",
        "+",
        "a FINE x",
        "* OK [] x",
        "* OK [UIDNEXT 0] x",
        "* OK [UIDNEXT 4294967296] x",
        "* OK [UIDNEXT 07] x",
        "* OK [READ-ONLY 3] x",
        "* OK [READ-ONLY]",
        "* OK [READ-ONLY]x",
        "* OK [CAPABILITY IDLE] x",
        "* OK [PERMANENTFLAGS \\Seen] x",
        "* OK [PERMANENTFLAGS (\\)] x",
        "a OK [COPYUID 1 2:* 3] x",
        "a OK [COPYUID 1 2] x",
        "a NO [BADCHARSET ()] x",
        "a OK d\u{f6}ne",
    ]);
}

#[test]
fn mailbox_data() {
    all_fine(&[
        "* FLAGS ()",
        "* FLAGS (\\Seen \\Answered $x)",
        "* LIST (\\Noselect \\HasChildren) \"/\" \"a b\"",
        "* LIST () NIL INBOX",
        "* LIST () \"\\\\\" {3}\r\na\"b",
        "* LIST () \"/\" x (CHILDINFO (\"SUBSCRIBED\"))",
        "* LSUB () \"/\" x]",
        "* STATUS x (MESSAGES 0 UIDNEXT 1 HIGHESTMODSEQ 0 MAILBOXID (F-1_a) APPENDLIMIT NIL X (1))",
        "* STATUS x ()",
        "* SEARCH",
        "* SEARCH 1 2 (MODSEQ 5)",
        "* 0 EXISTS",
        "* 3 RECENT",
        "* ESEARCH",
        "* ESEARCH (TAG \"a\") UID MIN 1 ALL 1:3 COUNT 0 MODSEQ 4 PARTIAL (1:2 NIL)",
        "* VANISHED (EARLIER) 1:3,5",
        "* THREAD (2)(3 6 (4 23)(44 7 96))",
        "* THREAD",
        "* NAMESPACE ((\"\" \"/\")(\"x\" NIL \"EXT\" (\"a\"))) NIL ((\"p\" \".\"))",
        "* ID NIL",
        "* ID (\"name\" NIL \"version\" \"1\")",
        "* ENABLED CONDSTORE",
        "* QUOTA \"\" (STORAGE 10 512)",
        "* QUOTAROOT INBOX \"\" x",
        "* ACL x a lrs \"b c\" \"\"",
        "* MYRIGHTS x lrs",
        "* LISTRIGHTS x a \"\" l r",
        "* METADATA x (/shared/comment \"c\" /private/x NIL)",
        "* METADATA \"\" /shared/comment",
        "* XSOMETHING any (thing at {2}\r\nxx all)",
    ]);
    none_fine(&[
        "* FLAGS",
        "* FLAGS (\\Seen \\*)",
        "* FLAGS (a%)",
        "* LIST \"/\" x",
        "* LIST () / x",
        "* LIST () \"//\" x",
        "* LIST () \"/\" a%",
        "* LIST () \"/\" x ()y",
        "* LIST (Noselect) \"/\" x",
        "* LIST (\\Marked \\Unmarked) \"/\" x",
        "* STATUS x (MESSAGES)",
        "* STATUS x (UIDNEXT 0)",
        "* STATUS x MESSAGES 1",
        "* STATUS (MESSAGES 1)",
        "* SEARCH 0",
        "* SEARCH 1:2",
        "* SEARCH  1",
        "* SEARCH 1 ",
        "* EXISTS",
        "* 1 SEARCH",
        "* 0 EXPUNGE",
        "* 4294967296 EXISTS",
        "* 1 EXISTS 2",
        "* ESEARCH (TAG a)",
        "* ESEARCH MIN 0",
        "* ESEARCH MIN",
        "* VANISHED 1:*",
        "* VANISHED (EARLIER)",
        "* THREAD (1) (2)",
        "* THREAD (1 (2))",
        "* THREAD ()",
        "* NAMESPACE NIL NIL",
        "* NAMESPACE ((\"\" \"/\") (\"x\" NIL)) NIL NIL",
        "* ID (name NIL)",
        "* ID (\"name\" NIL \"NAME\" NIL)",
        "* CAPABILITY IDLE",
        "* QUOTA x (STORAGE 10)",
        "* ACL x a",
        "* METADATA x (/shared/comment)",
    ]);
}

const ENVELOPE: &str = "(NIL \"s\" ((NIL NIL \"a\" \"b\")(\"x\" NIL \"c\" \"d\")) NIL NIL NIL NIL NIL NIL \"<i@d>\")";

#[test]
fn fetch_data() {
    let envelope = |envelope: &str| wrong(&format!("* 1 FETCH (ENVELOPE {envelope})"));
    assert_eq!(envelope(ENVELOPE), "");
    for broken in [
        ENVELOPE.replace(")(", ") ("),
        ENVELOPE.replace("((NIL NIL \"a\" \"b\")(\"x\" NIL \"c\" \"d\"))", "()"),
        ENVELOPE.replace("NIL \"a\"", "\"a\""),
        ENVELOPE.replace(" \"<i@d>\"", ""),
        ENVELOPE.replace("\"s\"", "s"),
    ] {
        assert_ne!(envelope(&broken), "", "{broken}");
    }
    all_fine(&[
        "* 1 FETCH (FLAGS (\\Seen \\Recent) UID 3 INTERNALDATE \" 7-Jul-1996 02:44:25 -0700\" RFC822.SIZE 0)",
        "* 1 FETCH (BODY[] NIL BODY[HEADER] \"\" BODY[1.2.MIME] {2}\r\nab BODY[HEADER.FIELDS (a \"b\")]<3> \"\")",
        "* 1 FETCH (BINARY[1] ~{2}\r\na\0 BINARY.SIZE[1] 2)",
        "* 1 FETCH (MODSEQ (12) EMAILID (M1) THREADID NIL PREVIEW NIL SAVEDATE NIL)",
        "* 1 FETCH (BODY (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5 1))",
        "* 1 FETCH (BODYSTRUCTURE (\"TEXT\" \"PLAIN\" (\"a\" \"b\") NIL NIL \"7BIT\" 5 1 NIL (\"inline\" NIL) (\"de\") NIL 3 (NIL)))",
        "* 1 FETCH (BODY ((\"IMAGE\" \"PNG\" NIL NIL NIL \"BASE64\" 5)(\"A\" \"B\" NIL NIL NIL \"7BIT\" 5) \"MIXED\"))",
    ]);
    none_fine(&[
        "* 1 FETCH ()",
        "* 1 FETCH FLAGS ()",
        "* 0 FETCH (FLAGS ())",
        "* 1 FETCH (FLAGS)",
        "* 1 FETCH (FLAGS (Seen\\))",
        "* 1 FETCH (UID 0)",
        "* 1 FETCH (INTERNALDATE \"7-Jul-1996 02:44:25 -0700\")",
        "* 1 FETCH (INTERNALDATE \"17-Jul-1996 02:44:25\")",
        "* 1 FETCH (BODY[] x)",
        "* 1 FETCH (BODY[MIME] \"\")",
        "* 1 FETCH (BODY[0] \"\")",
        "* 1 FETCH (BODY[HEADER.FIELDS] \"\")",
        "* 1 FETCH (BODY.PEEK[] \"\" x)",
        "* 1 FETCH (BODY[] {3}\r\nab)",
        "* 1 FETCH (BODY[] \"\u{e4}\")",
        "* 1 FETCH (BODY[] \"a\0b\")",
        "* 1 FETCH (BODY[] {3}\r\na\0b)",
        "* 1 FETCH (BODY[] \"a\\b\")",
        "* 1 FETCH (MODSEQ 12)",
        "* 1 FETCH (MODSEQ (0))",
        "* 1 FETCH (BODY (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5))",
        "* 1 FETCH (BODY (\"TEXT\" \"PLAIN\" () NIL NIL \"7BIT\" 5 1))",
        "* 1 FETCH (BODY (\"TEXT\" \"PLAIN\" NIL NIL NIL NIL 5 1))",
        "* 1 FETCH (BODY (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5 1 NIL))",
        "* 1 FETCH (BODY ((\"A\" \"B\" NIL NIL NIL \"7BIT\" 5) (\"A\" \"B\" NIL NIL NIL \"7BIT\" 5) \"MIXED\"))",
        "* 1 FETCH (BODY ((\"A\" \"B\" NIL NIL NIL \"7BIT\" 5)))",
        "* 1 FETCH (BODY (\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 5))",
    ]);
}

#[test]
fn utf8_is_for_those_who_enabled_it() {
    let parsed = Response::parse("* LIST () \"/\" \"\u{e4}\"".as_bytes()).unwrap();
    assert!(super::check(&parsed, false).is_err());
    assert!(super::check(&parsed, true).is_ok());
    let broken = Response::parse(b"* LIST () \"/\" \"\xe4\"").unwrap();
    assert!(super::check(&broken, true).is_err());
}

proptest! {
    /// Whatever a server sends: an answer, not a panic.
    #[test]
    fn anything_is_checked(octets in proptest::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(response) = Response::parse(&octets) {
            let _ = super::check(&response, false);
        }
    }

    /// The same of what looks like a response.
    #[test]
    fn anything_like_a_response_is_checked(parts in proptest::collection::vec(
        prop_oneof![Just("* "), Just("1 "), Just("FETCH "), Just("("), Just(")"), Just(" "), Just("\"a\""), Just("BODY["), Just("]"),
            Just("<0>"), Just("{1}\r\na"), Just("NIL"), Just("OK "), Just("["), Just("ENVELOPE "), Just("BODY "), Just("THREAD "), Just("7")], 0..24)) {
        if let Ok(response) = Response::parse(parts.concat().as_bytes()) {
            let _ = super::check(&response, false);
        }
    }

    /// Lists that nest without end are refused, however long they are.
    #[test]
    fn nesting_is_bounded(depth in 101_usize..5000) {
        let response = format!("* THREAD {}", "(".repeat(depth));
        prop_assert!(Response::parse(response.as_bytes()).is_err());
    }
}
