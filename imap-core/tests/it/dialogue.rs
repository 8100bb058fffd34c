//! Conversations, as a client and the core have them.

use crate::support::{Driver, split_everywhere};
use imap_core::{Config, Connection, Event, Greeting, State};

#[test]
fn a_greeting_carries_the_capabilities_and_preauth_logs_in() {
    let mut core = Connection::new(Config::default(), false, true);
    core.greeting(Greeting::Ok("hello"));
    let rest = "SASL-IR ID ENABLE IDLE LITERAL+ NAMESPACE UNSELECT UIDPLUS MOVE CHILDREN SPECIAL-USE CREATE-SPECIAL-USE \
                APPENDLIMIT=1073741824";
    assert_eq!(
        core.output().split(),
        format!("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN {rest}] hello\r\n")
    );
    let mut core = Connection::new(Config::default(), false, true);
    core.greeting(Greeting::PreAuth("hello"));
    assert_eq!(
        core.output().split(),
        format!("* PREAUTH [CAPABILITY IMAP4rev1 {rest}] hello\r\n")
    );
    assert_eq!(core.state(), State::Authenticated);
}

#[test]
fn who_is_turned_away_is_told_why_and_closed() {
    let mut core = Connection::new(Config::default(), false, true);
    core.greeting(Greeting::Bye("full"));
    assert_eq!(core.output().split(), "* BYE full\r\n");
    core.input().extend_from_slice(b"a NOOP\r\n");
    assert_eq!(core.next_event(), Event::Close("full".into()));
}

/// R3501-356, R3501-357
#[test]
fn each_synchronizing_literal_gets_its_own_continuation() {
    let mut d = Driver::new(Config::default());
    assert_eq!(d.send("a LOGIN {4}\r\n"), "+ go on\r\n");
    assert_eq!(d.send("fred {3}\r\n"), "+ go on\r\n");
    assert_eq!(d.send("foo\r\n"), "a OK done\r\n");
    assert_eq!(d.events(), "a Login { user: \"fred\", password: … }\n");
}

/// R7888-004, R3501-006
#[test]
fn a_refused_literal_is_never_executed() {
    let refused = [
        (
            "a XYZZY {12+}\r\nx DELETE y\r\n\r\nb NOOP\r\n",
            "a BAD unknown command\r\nb OK done\r\n",
        ),
        (
            "a CREATE (x {12+}\r\nx DELETE y\r\n foo\r\nb NOOP\r\n",
            "a BAD expected a mailbox name at column 10\r\nb OK done\r\n",
        ),
        (
            "a APPEND x (\\Foo) {12+}\r\nx DELETE y\r\n\r\nb NOOP\r\n",
            "a BAD expected a flag that can be set at column 13\r\nb OK done\r\n",
        ),
        (
            "a APPEND x \"99-Foo-2020\" {12+}\r\nx DELETE y\r\n {12+}\r\nx DELETE y\r\n\r\nb NOOP\r\n",
            "a BAD expected a date such as \"17-Jul-1996 02:44:25 -0700\" at column 16\r\nb OK done\r\n",
        ),
        (
            "a FETCH 1 {12+}\r\nx DELETE y\r\n\r\nb NOOP\r\n",
            "a BAD FETCH is not possible now: select a mailbox first\r\nb OK done\r\n",
        ),
        (
            "+ {12+}\r\nx DELETE y\r\n\r\nb NOOP\r\n",
            "* BAD expected a tag at column 1\r\nb OK done\r\n",
        ),
        (
            "a CREATE \"x {12+}\r\nx DELETE y\r\n\r\nb NOOP\r\n",
            "a BAD expected 7-bit text without control characters in a quoted string at column 18\r\nb OK done\r\n",
        ),
        (
            "a APPEND &bad {12+}\r\nx DELETE y\r\n\r\nb NOOP\r\n",
            "a NO [NONEXISTENT] a name in modified UTF-7 ends shifted back to US-ASCII\r\nb OK done\r\n",
        ),
        (
            "a LOGIN a {12+}\r\nx DELETE y\r\n\r\nb NOOP\r\n",
            "a BAD LOGIN is not possible now: already logged in\r\nb OK done\r\n",
        ),
    ];
    for (octets, answers) in refused {
        assert_eq!(Driver::authenticated().send(octets), answers, "{octets}");
        split_everywhere(Driver::authenticated, octets.as_bytes());
    }
}

#[test]
fn a_refused_command_gets_no_continuation() {
    let mut d = Driver::authenticated();
    assert_eq!(d.send("a XYZZY {5}\r\n"), "a BAD unknown command\r\n");
    assert_eq!(
        d.send("b NOOP {5}\r\n"),
        "b BAD expected the end of the command at column 7\r\n"
    );
    assert_eq!(d.send("c NOOP\r\n"), "c OK done\r\n");
}

#[test]
fn a_command_after_a_literal_in_the_same_packet_runs() {
    let mut d = Driver::authenticated();
    assert_eq!(
        d.send("a CREATE {3+}\r\nfoo\r\nb NOOP\r\nc APPEND x {5+}\r\nhello\r\nd NOOP\r\n"),
        "a OK done\r\nb OK done\r\nc OK appended\r\nd OK done\r\n"
    );
}

/// R3501-356
#[test]
fn junk_after_a_literal_is_bad_and_the_connection_stays_usable() {
    let mut d = Driver::authenticated();
    let bad = "a BAD expected the end of the command at column 18\r\n";
    assert_eq!(
        d.send("a CREATE {3+}\r\nfoojunk\r\n"),
        bad.replace("column 18", "column 19")
    );
    assert_eq!(
        d.send("b APPEND x {5+}\r\nhellojunk {3+}\r\nx y\r\nc NOOP\r\n"),
        "b BAD expected the end of the command after the message\r\nc OK done\r\n"
    );
    assert_eq!(d.events().lines().last(), Some("c Noop"));
}

#[test]
fn an_append_gives_its_message_and_its_end() {
    let mut d = Driver::authenticated();
    assert_eq!(
        d.send("a append Sent (\\Seen $Ok) \" 1-Feb-2020 10:00:00 +0130\" {5}\r\n"),
        "+ go on\r\n"
    );
    assert_eq!(d.send("a\r\n\0\n"), "");
    assert_eq!(d.send("\r\n"), "a OK appended\r\n");
    assert_eq!(
        d.events(),
        "a append to Ok(\"Sent\") AppendArgs { flags: (\\Seen $Ok), date: Some(DateTime { unix: 1580545800, offset: 90 }), \
         size: 5 }\na\\r\\n\\x00\\n end\n"
    );
}

/// R7889-002, R7888-005
#[test]
fn a_message_that_is_too_large_is_refused_before_it_is_sent() {
    let start = || {
        let mut d = Driver::with_limits(|l| l.message = 10);
        d.core.set_authenticated();
        d
    };
    let mut d = start();
    assert_eq!(
        d.send("a APPEND x {11}\r\n"),
        "a NO [TOOBIG] the message is too large\r\n"
    );
    assert_eq!(
        d.send("b APPEND x {12+}\r\nb CREATE y\r\n\r\nc APPEND x {10+}\r\n0123456789\r\n"),
        "b NO [TOOBIG] the message is too large\r\nc OK appended\r\n"
    );
    split_everywhere(
        start,
        b"b APPEND x {12+}\r\nb CREATE y\r\n\r\nc APPEND x {10+}\r\n0123456789\r\n",
    );
}

#[test]
fn sasl_lines_are_base64_or_cancel() {
    let plain = || Driver::new(Config::default());
    let challenge = "+ d2hvPw==\r\n";
    let table = [
        ("AGEAYg==\r\n", "auth OK authenticated\r\n"),
        ("*\r\n", "auth BAD cancelled\r\n"),
        ("\r\n", "auth OK authenticated\r\n"),
        ("AGEAYg\r\n", "auth BAD expected base64\r\n"),
        ("AGE AYg=\r\n", "auth BAD expected base64\r\n"),
        ("AGEAYg==\n", "auth BAD a line ends with CR LF\r\n"),
    ];
    for (line, answer) in table {
        let mut d = plain();
        assert_eq!(d.send("auth AUTHENTICATE plain\r\n"), challenge);
        assert_eq!(d.send(&format!("{line}z NOOP\r\n")), format!("{answer}z OK done\r\n"));
        split_everywhere(plain, format!("auth AUTHENTICATE PLAIN\r\n{line}z NOOP\r\n").as_bytes());
    }
}

/// R4959-001, R4959-005, R4959-006
#[test]
fn an_initial_response_comes_with_the_command() {
    let answer = |line: &str| {
        let mut d = Driver::new(Config::default());
        let out = d.send(&format!("auth AUTHENTICATE {line}\r\n"));
        (out, d.events())
    };
    let bad = "expected a mechanism, and perhaps an initial response in base64 at column 18";
    assert_eq!(answer("PLAIN AGEAYg==").0, "auth OK done\r\n");
    assert_eq!(
        answer("PLAIN =").1,
        "auth Authenticate { mechanism: \"PLAIN\", initial: Some(…) }\n"
    );
    assert_eq!(answer("PLAIN AGEA!").0, format!("auth BAD {bad}\r\n"));
    assert_eq!(
        answer("SCRAM-SHA-1").0,
        "auth NO [CANNOT] this mechanism is not offered\r\n"
    );
    assert_eq!(answer("X-FOO").0, "auth NO [CANNOT] this mechanism is not offered\r\n");
}

/// R3501-118, R5530-004
#[test]
fn a_password_over_a_plain_network_is_refused_before_it_is_read() {
    let mut core = Connection::new(Config::default(), false, false);
    core.input()
        .extend_from_slice(b"a LOGIN fred {6}\r\nb AUTHENTICATE PLAIN\r\nc LOGIN a b\r\n");
    while core.next_event() != Event::NeedInput {}
    let no = "NO [PRIVACYREQUIRED] passwords are taken over TLS alone\r\n";
    assert_eq!(core.output().split(), format!("a {no}b {no}c {no}"));
}

#[test]
fn idle_ends_with_done_in_any_spelling_and_what_follows_runs() {
    for done in ["DONE", "done", "DoNe", "DONE "] {
        let octets = format!("a IDLE\r\n{done}\r\nb NOOP\r\n");
        let mut d = Driver::selected();
        assert_eq!(d.send(&octets), "+ idling\r\na OK idled\r\nb OK done\r\n", "{done}");
        split_everywhere(Driver::selected, octets.as_bytes());
    }
}

/// R2177-007
#[test]
fn anything_but_done_ends_idle_and_is_not_executed() {
    for other in [
        "b DELETE x",
        "DONE x",
        "",
        "DONE {5+}\r\nb NOO",
        "b APPEND x {12+}\r\nx DELETE y\r\n",
    ] {
        let octets = format!("a IDLE\r\n{other}\r\nc NOOP\r\n");
        let mut d = Driver::selected();
        assert_eq!(
            d.send(&octets),
            "+ idling\r\na BAD expected DONE\r\nc OK done\r\n",
            "{other}"
        );
        split_everywhere(Driver::selected, octets.as_bytes());
    }
    let long = format!("a IDLE\r\n{}\r\nc NOOP\r\n", "x".repeat(1000));
    split_everywhere(Driver::selected, long.as_bytes());
}

/// R3501-101
#[test]
fn starttls_forgets_what_came_before_the_handshake() {
    let config = Config {
        starttls: true,
        ..Config::default()
    };
    let mut core = Connection::new(config, false, false);
    core.input().extend_from_slice(b"a STARTTLS\r\nb CAPABILITY\r\nc LOG");
    let Event::Command { tag, .. } = core.next_event() else {
        panic!()
    };
    core.complete(&tag, &imap_core::Answer::ok("begin"));
    assert_eq!(core.next_event(), Event::NeedInput);
    assert!(core.has_input());
    core.set_tls();
    assert!(!core.has_input());
    core.input().extend_from_slice(b"d STARTTLS\r\n");
    assert!(matches!(core.next_event(), Event::Refused { .. }));
    assert_eq!(core.output().split(), "a OK begin\r\nd BAD TLS is active already\r\n");
}

#[test]
fn after_bye_nothing_is_read_and_logout_is_answered() {
    let mut d = Driver::selected();
    assert_eq!(d.send("a LOGOUT\r\nb NOOP\r\n"), "* BYE logging out\r\na OK done\r\n");
    assert_eq!(d.send("c NOOP\r\n"), "");
    assert_eq!(d.core.next_event(), Event::Close("logging out".into()));
}

#[test]
fn too_many_bad_commands_in_a_row_end_the_connection() {
    let mut d = Driver::with_limits(|l| l.before_login.bad_commands = 3);
    let bad = "a BAD unknown command\r\n";
    assert_eq!(
        d.send("a X\r\na X\r\nb NOOP\r\na X\r\na X\r\n"),
        format!("{bad}{bad}b OK done\r\n{bad}{bad}")
    );
    assert_eq!(
        d.send("a X {5+}\r\nb NOOP\r\n"),
        format!("{bad}* BYE too many bad commands\r\n")
    );
    assert_eq!(d.core.next_event(), Event::Close("too many bad commands".into()));
}

#[test]
fn secrets_are_in_no_debug_output() {
    let mut d = Driver::new(Config::default());
    d.send("a LOGIN fred {6+}\r\nsecret");
    assert!(!format!("{:?}", d.core).contains("secret"));
    d.send("\r\n");
    assert!(!d.events().contains("secret"));
    assert!(!format!("{:?}", d.core).contains("secret"));
}
