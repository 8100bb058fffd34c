//! What may be told when, with commands waiting behind.

use backend_api::Rights;
use imap_core::{Answer, Config, Connection, Event, Tag};

/// A selected connection that has begun the first of these commands.
fn begun(octets: &str) -> (Connection, Tag) {
    let mut core = Connection::new(Config::default(), true, false);
    core.set_authenticated();
    core.set_selected(false, 10);
    core.input().extend_from_slice(octets.as_bytes());
    let tag = next(&mut core);
    (core, tag)
}

fn next(core: &mut Connection) -> Tag {
    match core.next_event() {
        Event::Command { tag, .. } => tag,
        other => panic!("{other:?}"),
    }
}

/// R3501-086, R3501-304 to R3501-308, R3501-359
#[test]
fn rights_follow_the_table() {
    let table = [
        ("a NOOP", Rights::NONE, Rights::ALL),
        ("a FETCH 1 UID", Rights::NONE, Rights::NO_EXPUNGE),
        ("a UID FETCH 1:* UID", Rights::NO_EXPUNGE, Rights::ALL),
        ("a UID SEARCH UID 1:*", Rights::NO_EXPUNGE, Rights::ALL),
        ("a UID SEARCH OR SEEN NOT (UID 5 1:*)", Rights::NONE, Rights::NO_EXPUNGE),
        ("a UID SEARCH *", Rights::NONE, Rights::NO_EXPUNGE),
        ("a SEARCH UID 1", Rights::NONE, Rights::NO_EXPUNGE),
        ("a EXPUNGE", Rights::NONE, Rights::ALL),
        ("a SELECT x", Rights::NONE, Rights::NONE),
        ("a CLOSE", Rights::NONE, Rights::NONE),
        ("a LOGOUT", Rights::NONE, Rights::NONE),
    ];
    for (command, start, end) in table {
        let (mut core, _) = begun(&format!("{command}\r\n"));
        assert_eq!(
            (core.rights_at_start(), core.rights_at_end()),
            (start, end),
            "{command}"
        );
    }
}

/// R3501-086
#[test]
fn what_waits_behind_holds_back() {
    let table = [
        ("", Rights::ALL),
        ("b NOOP\r\n", Rights::ALL),
        ("b UID STORE 5 FLAGS ()\r\n", Rights::ALL),
        ("b STORE 1:* +FLAGS (\\Deleted)\r\n", Rights::FLAGS),
        ("b NOOP\r\nc STORE 1:* +FLAGS (\\Deleted)\r\n", Rights::FLAGS),
        ("b UID STORE 5:* FLAGS ()\r\n", Rights::FLAGS),
        ("b", Rights::FLAGS),
        ("b NOOP", Rights::FLAGS),
    ];
    for (behind, rights) in table {
        let (mut core, _) = begun(&format!("a NOOP\r\n{behind}"));
        assert_eq!(core.holds_back(), rights == Rights::FLAGS);
        assert_eq!(core.rights_at_end(), rights, "{behind}");
    }
    let (mut core, _) = begun("a UID FETCH 1:* UID\r\nb STORE 1:* FLAGS ()\r\n");
    assert_eq!(core.rights_at_start(), Rights::FLAGS);
}

/// What was found is remembered, but not for longer than it holds.
#[test]
fn a_command_that_arrives_octet_by_octet_is_told_apart_as_soon_as_it_can_be() {
    let waiting = "b NOOP\r\nc FETCH 1 UID\r\nd UID STORE 5 FLAGS ()\r\ne NOOP\r\n";
    let fetch = waiting.find("c FETCH").unwrap()..;
    let (mut core, mut tag) = begun("a NOOP\r\n");
    for (at, octet) in waiting.bytes().enumerate() {
        core.input().extend_from_slice(&[octet]);
        let held_back = octet != b'\n' || fetch.contains(&at);
        assert_eq!(core.holds_back(), held_back, "{:?}", waiting.get(..=at));
    }
    for (next_tag, held_back) in [("b", true), ("c", false), ("d", false), ("e", false)] {
        core.complete(&tag, &Answer::ok("done"));
        tag = next(&mut core);
        assert_eq!(
            (tag.as_str(), core.holds_back(), core.holds_back()),
            (next_tag, held_back, held_back)
        );
    }
}

/// R3501-083, R3501-200
#[test]
fn a_command_that_expunges_holds_back_exists_alone() {
    let mut expunges = Rights::ALL;
    expunges.exists = false;
    for command in ["EXPUNGE", "UID EXPUNGE 1:5", "MOVE 1 x", "UID MOVE 1 x"] {
        for (behind, rights) in [
            ("", Rights::ALL),
            ("b NOOP\r\n", Rights::ALL),
            ("b STORE 1:* +FLAGS (\\Deleted)\r\n", expunges),
            ("b UID STORE 1:* +FLAGS (\\Deleted)\r\n", expunges),
        ] {
            let (mut core, _) = begun(&format!("a {command}\r\n{behind}"));
            assert_eq!(core.rights_at_end(), rights, "{command} {behind}");
            assert_eq!(core.is_holding_back(), rights == expunges);
        }
    }
}

#[test]
fn at_most_100_commands_are_held_back_in_a_row() {
    let (mut core, mut tag) = begun(&("a NOOP\r\n".repeat(300) + "b STORE 1 FLAGS ()\r\n"));
    let mut told = Vec::new();
    for n in 1..300 {
        if core.rights_at_end() == Rights::ALL {
            told.push(n);
        }
        core.complete(&tag, &Answer::ok("done"));
        tag = next(&mut core);
    }
    assert_eq!(told, [101, 202]);
}

#[test]
fn what_was_held_back_for_too_long_is_told() {
    let (mut core, tag) = begun("a NOOP\r\nb NOOP\r\nc FETCH 1 UID\r\n");
    assert_eq!(core.rights_at_end(), Rights::FLAGS);
    assert!(core.is_holding_back());
    core.complete(&tag, &Answer::ok("done"));
    next(&mut core);
    core.end_hold_back();
    assert_eq!(core.rights_at_end(), Rights::ALL);
    assert!(!core.is_holding_back());
}

#[test]
fn idle_tells_expunges_only_while_nothing_is_unread() {
    let (mut core, _) = begun("a IDLE\r\n");
    core.begin_idle();
    assert_eq!(core.rights_in_idle(), Rights::ALL);
    core.input().extend_from_slice(b"DO");
    assert_eq!(core.rights_in_idle(), Rights::NO_EXPUNGE);
    core.input().extend_from_slice(b"NE\r\nb FETCH 1 UID\r\n");
    assert!(matches!(core.next_event(), Event::IdleDone { .. }));
    assert_eq!(core.rights_in_idle(), Rights::NONE);
    assert_eq!(core.rights_at_end(), Rights::FLAGS);
}

#[test]
fn octets_of_a_message_are_no_commands_that_wait() {
    let mut core = Connection::new(Config::default(), true, false);
    core.set_authenticated();
    core.input().extend_from_slice(b"a APPEND x {10+}\r\nb FETCH 1 ");
    assert!(matches!(core.next_event(), Event::AppendMessage { .. }));
    assert!(!core.holds_back());
    core.input().extend_from_slice(b"\r\n");
    assert!(!core.holds_back());
    core.input().extend_from_slice(b"c");
    assert!(core.holds_back());
}

#[test]
fn a_whole_command_that_waits_can_be_looked_at_without_taking_it() {
    let table = [
        ("", ""),
        ("b STORE 1 FLAGS ()", ""),
        ("b STORE 1 FLAGS ()\r\n", "STORE"),
        (
            "b STORE 1 FLAGS ()\r\nc UID STORE 7 FLAGS ()\r\nd NO",
            "STORE, UID STORE",
        ),
        ("b STORE 1 FLAGS ()\r\n\r\nc NOOP\r\n", "STORE"),
        ("b STORE 1 FLAGS ()\r\nc STORE\r\nd NOOP\r\n", "STORE"),
        ("b STORE 1 FLAGS ()\nc NOOP\r\n", ""),
        ("b NOOP\r\nc CREATE {1+}\r\nx\r\n", "NOOP"),
        // Not legal in this state.
        ("b NOOP\r\nc LOGIN a b\r\n", "NOOP"),
    ];
    for (behind, seen) in table {
        let (mut core, tag) = begun(&format!("a NOOP\r\n{behind}"));
        let mut names = Vec::new();
        let mut at = 0;
        while let Some((command, next)) = core.peek_command(at) {
            names.push(command.name());
            at = next;
        }
        assert_eq!(names.join(", "), seen, "{behind:?}");
        core.complete(&tag, &Answer::ok("done"));
        let next = core.next_event();
        assert_eq!(
            matches!(next, Event::Command { .. }),
            !names.is_empty(),
            "{behind:?}: {next:?}"
        );
    }
}

#[test]
fn octets_of_a_message_are_looked_at_as_no_command() {
    let mut core = Connection::new(Config::default(), true, false);
    core.set_authenticated();
    core.input()
        .extend_from_slice(b"a APPEND x {30+}\r\nb NOOP\r\nc NOOP\r\n");
    assert!(matches!(core.next_event(), Event::AppendMessage { .. }));
    assert_eq!(core.peek_command(0), None);
}
