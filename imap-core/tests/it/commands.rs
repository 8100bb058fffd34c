//! Every command in its accepted and its refused forms; what FETCH and SEARCH ask for stands in `items_and_keys`.

use crate::support::Driver;
use imap_core::{Config, RawSet, SetEnd, resolve_search_seq, resolve_seq, resolve_uid};

/// What a command is read as, or what it is answered.
pub(super) fn read(start: impl Fn() -> Driver, line: &str) -> String {
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
