//! Every command in its accepted and its refused forms.

use crate::support::Driver;
use imap_core::{Config, RawSet, SetEnd, resolve_search_seq, resolve_seq, resolve_uid};

/// What a command is read as, or what it is answered.
fn read(start: impl Fn() -> Driver, line: &str) -> String {
    let mut driver = start();
    let out = driver.send(&format!("a {line}\r\n"));
    let events = driver.events();
    match events.lines().next() {
        Some(event) if !event.starts_with("refused") => event.strip_prefix("a ").unwrap_or(event).to_owned(),
        _ => out.trim_end().strip_prefix("a ").unwrap_or(&out).to_owned(),
    }
}

fn check(start: impl Fn() -> Driver + Copy, table: &[(&str, &str)]) {
    let wrong: Vec<String> = table
        .iter()
        .map(|(line, expected)| (line, expected, read(start, line)))
        .filter(|(_, expected, got)| *expected != got)
        .map(|(line, expected, got)| format!("{line}\n  expected {expected}\n  got      {got}\n"))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn fresh() -> Driver {
    Driver::new(Config::default())
}

/// R3501-040, R3501-087, R3501-092, R3501-098, R3501-121, R3501-195, R2177-010, R5161-006, R2971-006
#[test]
fn commands_without_a_mailbox() {
    check(
        fresh,
        &[
            ("CAPABILITY", "Capability"),
            ("capability", "Capability"),
            ("CAPABILITY x", "BAD expected the end of the command at column 13"),
            ("CAPABILITY ", "BAD expected the end of the command at column 13"),
            ("NOOP", "Noop"),
            ("noop  ", "BAD expected the end of the command at column 7"),
            ("NOOP x", "BAD expected the end of the command at column 7"),
            ("NO", "BAD unknown command"),
            ("", "BAD unknown command"),
            (" NOOP", "BAD unknown command"),
            ("NOOP\t", "BAD unknown command"),
            ("UID", "BAD unknown command"),
            ("UID NOOP", "BAD unknown command"),
            ("X-FOO bar", "BAD unknown command"),
            ("LOGIN fred foo", "Login { user: \"fred\", password: … }"),
            ("LOGIN \"fr ed\" \"f\\\"oo\"", "Login { user: \"fr ed\", password: … }"),
            ("LOGIN {4+}\r\nfred {1+}\r\n ", "Login { user: \"fred\", password: … }"),
            ("LOGIN {0+}\r\n \"\"", "Login { user: \"\", password: … }"),
            (
                "LOGIN {1+}\r\n\u{80}",
                "BAD expected a user name and a password at column 8",
            ),
            ("LOGIN fred", "BAD expected a user name and a password at column 8"),
            (
                "LOGIN fred foo bar",
                "BAD expected a user name and a password at column 8",
            ),
            ("LOGIN  fred foo", "BAD expected a user name and a password at column 8"),
            (
                "LOGIN fred {3+}\r\nf\0o",
                "BAD expected a user name and a password at column 8",
            ),
            (
                "LOGIN fred foo\0",
                "BAD expected a user name and a password at column 8",
            ),
            ("LOGIN (a) b", "BAD expected a user name and a password at column 8"),
            ("SELECT x", "BAD SELECT is not possible now: log in first"),
            ("FETCH 1 UID", "BAD FETCH is not possible now: log in first"),
            ("IDLE", "BAD IDLE is not possible now: log in first"),
            ("STARTTLS", "BAD TLS is active already"),
            ("ID NIL", "Id([])"),
            ("ID ()", "Id([])"),
            (
                "ID (\"name\" \"x\" {2+}\r\nos NIL)",
                "Id([(\"name\", Some(\"x\")), (\"os\", None)])",
            ),
            ("ID", "BAD expected a space and NIL or a list of fields at column 5"),
            ("ID (\"name\")", "BAD expected a space and a value at column 13"),
            ("ID (name x)", "BAD expected a field name at column 7"),
            (
                "ID (\"0123456789012345678901234567890\" NIL)",
                "BAD [LIMIT] too many octets in ID",
            ),
        ],
    );
    check(
        Driver::authenticated,
        &[
            ("LOGIN a b", "BAD LOGIN is not possible now: already logged in"),
            (
                "AUTHENTICATE PLAIN",
                "BAD AUTHENTICATE is not possible now: already logged in",
            ),
            ("STARTTLS", "BAD STARTTLS is not possible now: already logged in"),
            ("FETCH 1 UID", "BAD FETCH is not possible now: select a mailbox first"),
            ("UNSELECT", "BAD UNSELECT is not possible now: select a mailbox first"),
            ("CLOSE", "BAD CLOSE is not possible now: select a mailbox first"),
            ("ENABLE UTF8=ACCEPT x-foo", "Enable([\"UTF8=ACCEPT\", \"X-FOO\"])"),
            ("ENABLE", "BAD expected a space and names of capabilities at column 9"),
            ("NAMESPACE", "Namespace"),
            ("IDLE", "Idle"),
            ("IDLE x", "BAD expected the end of the command at column 7"),
        ],
    );
    check(
        Driver::selected,
        &[
            ("CHECK", "Check"),
            ("CLOSE", "Close"),
            ("UNSELECT", "Unselect"),
            ("EXPUNGE", "Expunge(None)"),
            ("EXPUNGE 1", "BAD expected the end of the command at column 10"),
            ("UID EXPUNGE 1:*", "Expunge(Some(RawSet([(Number(1), Star)])))"),
            ("UID EXPUNGE", "BAD expected a space and a message set at column 14"),
            ("LOGOUT", "Logout"),
        ],
    );
}

/// R3501-053, R3501-058, R3501-071, R3501-180, R6154-003, R6154-004
#[test]
fn commands_about_mailboxes() {
    check(
        Driver::authenticated,
        &[
            ("SELECT inBox", "Select { mailbox: Ok(\"INBOX\"), access: ReadWrite }"),
            (
                "EXAMINE \"a \\\"b\\\\\"",
                "Select { mailbox: Ok(\"a \\\"b\\\\\"), access: ReadOnly }",
            ),
            (
                "SELECT {3+}\r\nfoo",
                "Select { mailbox: Ok(\"foo\"), access: ReadWrite }",
            ),
            ("SELECT a]b", "Select { mailbox: Ok(\"a]b\"), access: ReadWrite }"),
            (
                "SELECT Entw&APw-rfe",
                "Select { mailbox: Ok(\"Entwürfe\"), access: ReadWrite }",
            ),
            (
                "SELECT a//b",
                "Select { mailbox: Err(\"a mailbox name cannot have an empty level\"), access: ReadWrite }",
            ),
            (
                "SELECT {2+}\r\n\u{e9}",
                "Select { mailbox: Err(\"a mailbox name is in modified UTF-7, without 8-bit octets\"), access: ReadWrite }",
            ),
            (
                "SELECT x (CONDSTORE)",
                "BAD expected the end of the command, for there are no parameters here at column 11",
            ),
            ("SELECT", "BAD expected a space and a mailbox name at column 9"),
            (
                "SELECT a%",
                "BAD expected the end of the command, for there are no parameters here at column 11",
            ),
            (
                "SELECT \"a\\b\"",
                "BAD expected a quote or a backslash after a backslash at column 13",
            ),
            ("SELECT \"a", "BAD expected a quoted string with its end at column 10"),
            (
                "SELECT ~{1+}\r\nx",
                "BAD expected the end of the command, for there are no parameters here at column 11",
            ),
            ("CREATE foo", "Create { mailbox: Ok(\"foo\"), special_use: [] }"),
            (
                "CREATE foo/bar/",
                "Create { mailbox: Ok(\"foo/bar\"), special_use: [] }",
            ),
            (
                "CREATE foo (USE (\\Sent \\drafts))",
                "Create { mailbox: Ok(\"foo\"), special_use: [Sent, Drafts] }",
            ),
            (
                "CREATE foo (USE ())",
                "Create { mailbox: Ok(\"foo\"), special_use: [] }",
            ),
            ("CREATE foo (USE (\\Foo))", "NO [USEATTR] there is no such special use"),
            ("CREATE foo (XYZ)", "BAD expected the parameter USE at column 15"),
            (
                "CREATE {4+}\r\na\r\nb",
                "Create { mailbox: Err(\"a mailbox name cannot hold control characters\"), special_use: [] }",
            ),
            (
                "CREATE \"\"",
                "Create { mailbox: Err(\"a mailbox name cannot be empty\"), special_use: [] }",
            ),
            ("CREATE ", "BAD expected a mailbox name at column 10"),
            ("DELETE foo", "Delete(Ok(\"foo\"))"),
            ("DELETE foo bar", "BAD expected the end of the command at column 13"),
            (
                "RENAME inbox \"o p\"",
                "Rename { from: Ok(\"INBOX\"), to: Ok(\"o p\") }",
            ),
            ("RENAME a", "BAD expected a space and a mailbox name at column 11"),
            ("SUBSCRIBE &-", "Subscribe(Ok(\"&\"))"),
            ("UNSUBSCRIBE x", "Unsubscribe(Ok(\"x\"))"),
            (
                "LIST \"\" *",
                "List { names: Ok((\"\", \"*\")), lsub: false, options: None }",
            ),
            (
                "LIST \"\" \"\"",
                "List { names: Ok((\"\", \"\")), lsub: false, options: None }",
            ),
            (
                "LSUB a/ %/b*c",
                "List { names: Ok((\"a/\", \"%/b*c\")), lsub: true, options: None }",
            ),
            (
                "LIST \"\" &AOk-*",
                "List { names: Ok((\"\", \"é*\")), lsub: false, options: None }",
            ),
            (
                "LIST \"\" &*",
                "List { names: Err(\"a name in modified UTF-7 ends shifted back to US-ASCII\"), lsub: false, options: None }",
            ),
            (
                "LSUB &AOk *",
                "List { names: Err(\"a name in modified UTF-7 ends shifted back to US-ASCII\"), lsub: true, options: None }",
            ),
            ("LIST *", "BAD expected a reference name at column 8"),
            ("LIST \"\" (a b)", "BAD expected a pattern at column 11"),
            (
                "LIST (special-use) \"\" *",
                "List { names: Ok((\"\", \"*\")), lsub: false, options: Some(ListOptions { special_use: true }) }",
            ),
            (
                "LIST () \"\" \"\" RETURN (SPECIAL-USE)",
                "List { names: Ok((\"\", \"\")), lsub: false, options: Some(ListOptions { special_use: false }) }",
            ),
            (
                "LIST \"\" % return (SPECIAL-USE SPECIAL-USE)",
                "List { names: Ok((\"\", \"%\")), lsub: false, options: Some(ListOptions { special_use: false }) }",
            ),
            (
                "LIST (SUBSCRIBED) \"\" *",
                "BAD expected the option SPECIAL-USE at column 9",
            ),
            ("LIST (SPECIAL-USE) *", "BAD expected a reference name at column 22"),
            (
                "LIST \"\" * RETURN (CHILDREN)",
                "BAD expected the option SPECIAL-USE at column 21",
            ),
            (
                "LIST \"\" * RETURN",
                "BAD expected RETURN and a list of options at column 13",
            ),
            ("LSUB (SPECIAL-USE) \"\" *", "BAD expected a reference name at column 8"),
            (
                "LSUB \"\" * RETURN (SPECIAL-USE)",
                "BAD expected the end of the command at column 12",
            ),
            (
                "STATUS inbox (MESSAGES unseen)",
                "Status { mailbox: Ok(\"INBOX\"), items: StatusItems { messages: true, recent: false, uid_next: false, \
             uid_validity: false, unseen: true }, append_limit: false }",
            ),
            (
                "STATUS x (RECENT UIDNEXT UIDVALIDITY APPENDLIMIT)",
                "Status { mailbox: Ok(\"x\"), items: StatusItems { messages: false, recent: true, uid_next: true, \
             uid_validity: true, unseen: false }, append_limit: true }",
            ),
            ("STATUS x ()", "BAD expected a status item at column 13"),
            ("STATUS x (FOO)", "BAD expected a status item at column 13"),
            ("STATUS x MESSAGES", "BAD expected a list of status items at column 12"),
            ("STATUS x (MESSAGES  UNSEEN)", "BAD expected a status item at column 22"),
        ],
    );
}

/// R3501-027, R3501-050, R3501-194, R3501-249, R3501-256, R3501-258, R3501-263, R3501-342
#[test]
fn commands_about_messages() {
    let set = |runs: &str| format!("RawSet([{runs}])");
    let flags = "FLAGS, +FLAGS or -FLAGS, with .SILENT or without";
    let store = |change: &str, silent: bool| {
        format!(
            "Store {{ uid: false, set: {}, change: {change}, silent: {silent} }}",
            set("(Number(1), Number(1))")
        )
    };
    let table = [
        ("STORE 1 FLAGS ()".to_owned(), store("Replace(())", false)),
        (
            "STORE 1 +FLAGS (\\seen $A)".to_owned(),
            store("Add((\\Seen $A))", false),
        ),
        (
            "STORE 1 -flags.silent \\Deleted \\Draft".to_owned(),
            store("Remove((\\Deleted \\Draft))", true),
        ),
        ("STORE 1 FLAGS.SILENT (a)".to_owned(), store("Replace((a))", true)),
        ("STORE 1 +FLAGS.SILENT (a)".to_owned(), store("Add((a))", true)),
        ("STORE 1 -FLAGS (a)".to_owned(), store("Remove((a))", false)),
    ];
    let table: Vec<(&str, &str)> = table.iter().map(|(line, e)| (line.as_str(), e.as_str())).collect();
    check(Driver::selected, &table);
    let bad_store = format!("BAD expected {flags} at column 11");
    check(
        Driver::selected,
        &[
            ("STORE 1 FLAGS", "BAD expected a space and a flag list at column 16"),
            (
                "STORE 1 FLAGS (\\Recent)",
                "BAD expected a flag that can be set at column 18",
            ),
            (
                "STORE 1 FLAGS (\\Foo)",
                "BAD expected a flag that can be set at column 18",
            ),
            ("STORE 1 FLAGS \\*", "BAD expected a flag that can be set at column 18"),
            ("STORE 1 FLAGS (a  b)", "BAD expected a flag at column 20"),
            (
                "STORE 1 FLAGS (a",
                "BAD expected a flag or the end of the flag list at column 19",
            ),
            (
                "STORE 1 +FLAGS (\\Answered) (UNCHANGEDSINCE 1)",
                "BAD expected the end of the command at column 29",
            ),
            ("STORE 1 (UNCHANGEDSINCE 1) FLAGS ()", &bad_store),
            ("STORE 1 *FLAGS ()", &bad_store),
            ("STORE 1 FLAGS.LOUD ()", &bad_store),
            ("STORE 01 FLAGS ()", "BAD expected a message set at column 9"),
            ("STORE 0 FLAGS ()", "BAD expected a message set at column 9"),
            ("STORE 4294967296 FLAGS ()", "BAD expected a message set at column 9"),
            (
                "FETCH 99999999999999999999 UID",
                "BAD expected a message set at column 9",
            ),
            ("FETCH 1, UID", "BAD expected a message set at column 11"),
            ("FETCH 1:2:3 UID", "BAD expected a space and FETCH items at column 12"),
            (
                "UID COPY 4294967295:1,* foo",
                "Copy { uid: true, set: RawSet([(Number(4294967295), Number(1)), (Star, Star)]), mailbox: Ok(\"foo\") }",
            ),
            (
                "MOVE 1 foo",
                "Move { uid: false, set: RawSet([(Number(1), Number(1))]), mailbox: Ok(\"foo\") }",
            ),
            ("COPY 1", "BAD expected a space and a mailbox name at column 9"),
            ("UID MOVE foo 1", "BAD expected a message set at column 12"),
            (
                "APPEND x (\\Recent) {1}",
                "BAD expected a flag that can be set at column 13",
            ),
            ("APPEND x", "BAD expected a space and a message literal at column 11"),
            (
                "APPEND x \"foo\"",
                "BAD expected a date such as \"17-Jul-1996 02:44:25 -0700\" at column 13",
            ),
            (
                "APPEND x foo",
                "BAD expected a flag list, a date or a message literal at column 12",
            ),
            (
                "APPEND x (\\Seen)",
                "BAD expected a space and a date or a message literal at column 19",
            ),
            (
                "APPEND x \"31-Feb-2020 00:00:00 +0000\" {1}",
                "BAD expected a moment that exists at column 12",
            ),
            (
                "APPEND x \" 1-Jan-2020 24:00:00 +0000\" {1}",
                "BAD expected a moment that exists at column 12",
            ),
            (
                "APPEND x \" 1-Jan-2020 00:00:00 +0160\" {1}",
                "BAD expected a moment that exists at column 12",
            ),
            (
                "APPEND x \"1-Jan-2020 00:00:00 +0000\" {1}",
                "BAD expected a date such as \"17-Jul-1996 02:44:25 -0700\" at column 13",
            ),
            (
                "APPEND x ~{1+}\r\nx",
                "BAD expected a flag list, a date or a message literal at column 12",
            ),
            (
                "APPEND x {1+}\r\n",
                "append to Ok(\"x\") AppendArgs { flags: (), date: None, size: 1 }",
            ),
        ],
    );
}

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

#[test]
fn sets_of_50_000_ranges_work_and_have_their_bound() {
    let set = |n: u32| {
        (0..n)
            .map(|i| format!("{}:{}", i * 10 + 1, i * 10 + 5))
            .collect::<Vec<_>>()
            .join(",")
    };
    let mut d = Driver::selected();
    assert_eq!(
        d.send(&format!("a UID FETCH {} FLAGS\r\n", set(50_000))),
        "a OK done\r\n"
    );
    assert_eq!(
        d.send(&format!("a UID FETCH {} FLAGS\r\n", ["1"; 200_001].join(","))),
        "a BAD [LIMIT] too many ranges in a message set\r\n"
    );
}

/// R3501-256, R3501-257, R3501-258, R3501-274, R3501-275
#[test]
fn sets_are_resolved_in_the_view() {
    use SetEnd::{Number, Star};
    let set = |runs: &[(SetEnd, SetEnd)]| RawSet(runs.to_vec());
    let seq = |runs: &[(SetEnd, SetEnd)], exists| resolve_seq(&set(runs), exists).map(|s| s.to_string());
    assert_eq!(seq(&[(Number(5), Number(2)), (Star, Star)], 9), Ok("2:5,9".into()));
    assert_eq!(seq(&[(Number(3), Star)], 9), Ok("3:9".into()));
    assert_eq!(seq(&[(Number(10), Star)], 9), Err("no message has such a high number"));
    assert_eq!(seq(&[(Star, Star)], 0), Err("the mailbox is empty"));
    let search = |runs: &[(SetEnd, SetEnd)], exists| resolve_search_seq(&set(runs), exists).to_string();
    assert_eq!(search(&[(Number(5), Number(99))], 9), "5:9");
    assert_eq!(search(&[(Number(50), Number(99))], 9), "");
    assert_eq!(search(&[(Star, Star)], 0), "");
    let uid = |runs: &[(SetEnd, SetEnd)], last| resolve_uid(&set(runs), backend_api::Uid::new(last)).to_string();
    assert_eq!(uid(&[(Number(559), Star)], 100), "100:559");
    assert_eq!(uid(&[(Number(559), Star), (Number(3), Number(4))], 0), "3:4");
    assert_eq!(uid(&[(Number(4_294_967_295), Number(1))], 5), "1:4294967295");
}

/// R3501-355
#[test]
fn spaces_before_the_line_end_are_refused() {
    check(
        || Driver::new(Config::default()),
        &[
            ("NOOP ", "BAD expected the end of the command at column 7"),
            ("LOGIN a b ", "BAD expected a user name and a password at column 8"),
        ],
    );
}

/// R3501-011, R3501-353
#[test]
fn a_tag_is_repeated_where_it_can_be_read() {
    let mut d = Driver::authenticated();
    let untagged = "* BAD expected a tag at column 1\r\n";
    let table = [
        ("]x!~.5 NOOP", "]x!~.5 OK done\r\n"),
        ("a+ NOOP", untagged),
        ("* NOOP", untagged),
        ("(a NOOP", untagged),
        ("a\"b NOOP", untagged),
        (" NOOP", untagged),
        ("a", "a BAD expected a space and a command at column 2\r\n"),
    ];
    for (line, answer) in table {
        assert_eq!(d.send(&format!("{line}\r\n")), answer, "{line}");
    }
}
