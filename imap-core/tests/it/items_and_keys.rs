//! The items of FETCH and the keys of SEARCH, in their accepted and their refused forms.

use crate::commands::read;
use crate::support::Driver;

/// The items of `FETCH 1 items`, or the answer.
fn items(text: &str) -> String {
    let got = read(Driver::selected, &format!("FETCH 1 {text}"));
    match got.split_once("items: ") {
        Some((_, items)) => items.trim_end_matches(" }").to_owned(),
        None => got,
    }
}

/// R3501-232 to R3501-235, R3501-243, R3501-244, R3501-247, R3501-249, R3501-252, R3501-254, R3501-273
#[test]
fn fetch_items() {
    let section = |path: &str, text: &str, partial: &str, form: &str, peek: bool| {
        format!(
            "[Section(BodySection {{ section: Section {{ path: [{path}], text: {text} }}, partial: {partial}, form: {form}, \
             peek: {peek} }})]"
        )
    };
    let table = [
        ("FLAGS", "[Flags]".to_owned()),
        ("(flags uid FLAGS)", "[Flags, Uid]".into()),
        ("ALL", "[Flags, InternalDate, Rfc822Size, Envelope]".into()),
        ("fast", "[Flags, InternalDate, Rfc822Size]".into()),
        ("FULL", "[Flags, InternalDate, Rfc822Size, Envelope, Body]".into()),
        ("(BODY BODYSTRUCTURE)", "[Body, BodyStructure]".into()),
        ("BODY[]", section("", "All", "None", "Body", false)),
        ("body.peek[header]", section("", "Header", "None", "Body", true)),
        (
            "BODY[TEXT]<5.10>",
            section("", "Text", "Some(Partial { offset: 5, count: 10 })", "Body", false),
        ),
        ("BODY[1.2]", section("1, 2", "All", "None", "Body", false)),
        ("BODY[1.MIME]", section("1", "Mime", "None", "Body", false)),
        ("BODY[3.HEADER]", section("3", "Header", "None", "Body", false)),
        (
            "BODY[HEADER.FIELDS (To \"X-Y\" {1+}\r\nz)]",
            section("", "HeaderFields([\"To\", \"X-Y\", \"z\"])", "None", "Body", false),
        ),
        (
            "BODY.PEEK[1.HEADER.FIELDS.NOT (a)]<0.1>",
            section(
                "1",
                "HeaderFieldsNot([\"a\"])",
                "Some(Partial { offset: 0, count: 1 })",
                "Body",
                true,
            ),
        ),
        ("RFC822", section("", "All", "None", "Rfc822", false)),
        ("RFC822.HEADER", section("", "Header", "None", "Rfc822Header", true)),
        ("RFC822.TEXT", section("", "Text", "None", "Rfc822Text", false)),
        ("(RFC822.SIZE INTERNALDATE)", "[Rfc822Size, InternalDate]".into()),
        ("", "BAD expected a FETCH item at column 11".into()),
        ("()", "BAD expected a FETCH item at column 12".into()),
        ("FOO", "BAD expected a FETCH item at column 11".into()),
        ("(ALL)", "BAD expected a FETCH item at column 12".into()),
        ("(FLAGS ALL)", "BAD expected a FETCH item at column 18".into()),
        ("ALL FAST", "BAD expected the end of the command at column 14".into()),
        ("FLAGS UID", "BAD expected the end of the command at column 16".into()),
        (
            "(FLAGS",
            "BAD expected a space or the end of the list at column 17".into(),
        ),
        ("MODSEQ", "BAD expected a FETCH item at column 11".into()),
        ("BODY.PEEK", "BAD expected a FETCH item at column 11".into()),
        (
            "BODY[MIME]",
            "BAD expected HEADER, HEADER.FIELDS, HEADER.FIELDS.NOT, TEXT, or MIME of a part at column 16".into(),
        ),
        ("BODY[0]", "BAD expected a part number at column 16".into()),
        (
            "BODY[1.]",
            "BAD expected HEADER, HEADER.FIELDS, HEADER.FIELDS.NOT, TEXT, or MIME of a part at column 18".into(),
        ),
        (
            "BODY[",
            "BAD expected HEADER, HEADER.FIELDS, HEADER.FIELDS.NOT, TEXT, or MIME of a part at column 16".into(),
        ),
        (
            "BODY[HEADER.FIELDS ()]",
            "BAD expected a header field name at column 31".into(),
        ),
        (
            "BODY[HEADER.FIELDS (\"a:b\")]",
            "BAD expected a header field name at column 31".into(),
        ),
        (
            "BODY[]<0.0>",
            "BAD expected a range such as <0.1024> at column 20".into(),
        ),
        ("BODY[]<0>", "BAD expected a range such as <0.1024> at column 19".into()),
        (
            "BODY[]<4294967296.1>",
            "BAD expected a range such as <0.1024> at column 18".into(),
        ),
        ("BODYX[]", "BAD expected a FETCH item at column 11".into()),
    ];
    for (text, expected) in table {
        assert_eq!(items(text), expected, "{text}");
    }
    assert_eq!(
        read(Driver::selected, "UID FETCH 5:* (FLAGS UID)"),
        "Fetch { uid: true, set: RawSet([(Number(5), Star)]), items: [Uid, Flags] }"
    );
}

/// The key of `SEARCH text`, or the answer.
fn key(text: &str) -> String {
    let got = read(Driver::selected, &format!("SEARCH {text}"));
    match got.split_once("key: ") {
        Some((_, key)) => key.trim_end_matches(" }").to_owned(),
        None => got,
    }
}

fn checked_keys(table: &[(&str, &str)]) {
    for (text, expected) in table {
        assert_eq!(key(text), expected.trim_end_matches(" }"), "{text}");
    }
}

/// R3501-204 to R3501-227, R3501-230
#[test]
fn search_keys() {
    checked_keys(&[
        ("ALL", "All"),
        ("answered", "Has(System(Answered))"),
        ("DELETED", "Has(System(Deleted))"),
        ("DRAFT", "Has(System(Draft))"),
        ("FLAGGED", "Has(System(Flagged))"),
        ("SEEN", "Has(System(Seen))"),
        ("UNANSWERED", "Not(Has(System(Answered)))"),
        ("UNDELETED", "Not(Has(System(Deleted)))"),
        ("UNDRAFT", "Not(Has(System(Draft)))"),
        ("UNFLAGGED", "Not(Has(System(Flagged)))"),
        ("UNSEEN", "Not(Has(System(Seen)))"),
        ("RECENT", "Recent"),
        ("OLD", "Not(Recent)"),
        ("NEW", "And([Recent, Not(Has(System(Seen)))])"),
        ("KEYWORD $Junk", "Has(Keyword($Junk))"),
        ("UNKEYWORD $Junk", "Not(Has(Keyword($Junk)))"),
        ("KEYWORD \\Seen", "BAD expected a keyword at column 18"),
        ("BEFORE 1-Feb-1994", "Before(Date { days: 8797 })"),
        ("ON \"01-feb-1994\"", "On(Date { days: 8797 })"),
        ("SINCE 1-Jan-1970", "Since(Date { days: 0 })"),
        ("SENTBEFORE 1-Jan-1970", "SentBefore(Date { days: 0 })"),
        ("SENTON 1-Jan-1970", "SentOn(Date { days: 0 })"),
        ("SENTSINCE 1-Jan-1970", "SentSince(Date { days: 0 })"),
        ("ON 31-Feb-1994", "BAD expected a day that exists at column 13"),
        ("ON 1994-02-01", "BAD expected a date such as 1-Feb-1994 at column 15"),
        ("BCC a", "Header { name: \"Bcc\", value: \"a\" }"),
        ("CC a", "Header { name: \"Cc\", value: \"a\" }"),
        ("FROM a", "Header { name: \"From\", value: \"a\" }"),
        ("TO \"\"", "Header { name: \"To\", value: \"\" }"),
        ("SUBJECT \"a b\"", "Header { name: \"Subject\", value: \"a b\" }"),
        ("HEADER X-Spam \"\"", "Header { name: \"X-Spam\", value: \"\" }"),
        ("HEADER X-Spam", "BAD expected a space and a text at column 23"),
        ("BODY a", "Body(\"a\")"),
        ("TEXT {3+}\r\na b", "Text(\"a b\")"),
        ("LARGER 5", "Larger(5)"),
        ("SMALLER 4294967295", "Smaller(4294967295)"),
        ("SMALLER 4294967296", "BAD expected a number of octets at column 18"),
        ("LARGER -1", "BAD expected a number of octets at column 17"),
        ("2,4:*", "Set(Seq(RawSet([(Number(2), Number(2)), (Number(4), Star)])))"),
        ("UID 7", "Set(Uid(RawSet([(Number(7), Number(7))])))"),
        (
            "UID",
            "BAD expected a space and the argument of the search key at column 13",
        ),
        ("NOT SEEN", "Not(Has(System(Seen)))"),
        ("NOT NOT ALL", "Not(Not(All))"),
        ("OR ALL RECENT", "Or([All, Recent])"),
        ("OR OR ALL OLD RECENT", "Or([All, Not(Recent), Recent])"),
        ("OR ALL OR OLD RECENT", "Or([All, Not(Recent), Recent])"),
        (
            "OR (OR ALL OLD) NOT (RECENT ALL)",
            "Or([All, Not(Recent), Not(And([Recent, All]))])",
        ),
        (
            "OR (ALL OLD) RECENT ALL",
            "And([Or([And([All, Not(Recent)]), Recent]), All])",
        ),
        ("(ALL)", "All"),
        ("((ALL (RECENT)))", "And([All, Recent])"),
        ("ALL RECENT", "And([All, Recent])"),
        ("", "BAD expected a search key at column 10"),
        ("FOO", "BAD expected a search key at column 10"),
        ("ALL  RECENT", "BAD expected a search key at column 14"),
        ("OR ALL", "BAD expected a space and a search key at column 16"),
        ("NOT", "BAD expected a space and a search key at column 13"),
        ("()", "BAD expected a search key at column 11"),
        ("(ALL", "BAD expected a space or a closing parenthesis at column 14"),
        (
            "ALL)",
            "BAD expected a search key or the end of the command at column 13",
        ),
        ("(OR ALL)", "BAD expected a space and a search key at column 17"),
        ("0", "BAD expected a message set at column 10"),
        ("CHARSET UTF-8 ALL", "All"),
        ("CHARSET us-ascii ALL", "All"),
        (
            "CHARSET \"utf-8\" SUBJECT {2+}\r\n\u{e9}",
            "Header { name: \"Subject\", value: \"é\" }",
        ),
        (
            "CHARSET X-FOO ALL",
            "NO [BADCHARSET (US-ASCII UTF-8)] this charset is not known",
        ),
        ("CHARSET UTF-8", "BAD expected a space and a search key at column 23"),
        ("CHARSET", "BAD expected a search key at column 10"),
        (
            "SUBJECT {2+}\r\n\u{e9} UNSEEN",
            "And([Header { name: \"Subject\", value: \"é\" }, Not(Has(System(Seen)))])",
        ),
    ]);
}

#[test]
fn search_text_is_decoded_from_its_charset() {
    let mut d = Driver::selected();
    d.push(b"a SEARCH CHARSET ISO-8859-1 TEXT {1+}\r\n\xe9\r\n");
    d.push(b"a SEARCH TEXT {1+}\r\n\xe9\r\n");
    assert_eq!(
        d.events(),
        "a Search { uid: false, key: Text(\"é\") }\n\
         refused Some(\"a\"): expected a text in the charset of the search at column 15\n"
    );
}

#[test]
fn or_chains_of_500_terms_are_flat_in_either_direction() {
    let right = "OR SEEN ".repeat(499) + "SEEN";
    let left = "OR ".repeat(499) + &["SEEN"; 500].join(" ");
    let parentheses = "(OR SEEN ".repeat(499) + "SEEN" + &")".repeat(499);
    let flat = |n: usize| format!("Or([{}])", vec!["Has(System(Seen))"; n].join(", "));
    assert_eq!(key(&right), flat(500));
    assert_eq!(key(&left), flat(500));
    let or_in_parentheses = parentheses.replacen("(OR SEEN ", "OR SEEN ", 1).replacen(')', "", 1);
    assert_eq!(key(&or_in_parentheses), flat(500));
    assert_eq!(key(&parentheses), flat(500));
    let literals = "OR SUBJECT {1+}\r\nx ".repeat(499) + "ALL";
    let subject = "Header { name: \"Subject\", value: \"x\" }";
    assert_eq!(key(&literals), format!("Or([{}, All])", vec![subject; 499].join(", ")));
}

#[test]
fn nesting_and_terms_of_a_search_are_bounded() {
    let limit = |what: &str| format!("BAD [LIMIT] too many {what}");
    assert_eq!(
        key(&("NOT ".repeat(200) + "ALL")),
        "Not(".repeat(200) + "All" + &")".repeat(200)
    );
    assert_eq!(key(&("NOT ".repeat(201) + "ALL")), limit("levels of search keys"));
    assert_eq!(
        key(&("NOT (ALL ".repeat(101) + "ALL" + &")".repeat(101))),
        limit("levels of search keys")
    );
    assert_eq!(key(&("(".repeat(5_000) + "ALL" + &")".repeat(5_000))), "All");
    assert_eq!(key(&"(".repeat(100_000)), limit("search keys"));
    assert_eq!(key(&"NOT ".repeat(100_000)), limit("search keys"));
    assert_eq!(key(&"OR ".repeat(100_000)), limit("search keys"));
    assert_eq!(key(&"ALL ".repeat(10_001)), limit("search keys"));
}
