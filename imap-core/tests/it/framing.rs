//! Where lines and literals end, whatever arrives.

use crate::support::{Driver, split_everywhere};
use imap_core::{Config, Event};

#[test]
fn a_session_is_the_same_however_it_is_split() {
    let session = b"a CAPABILITY\r\nb LOGIN {4+}\r\nfred {3+}\r\nfoo\r\nc SELECT \"a b\"\r\nd SEARCH CHARSET UTF-8 OR \
        SUBJECT {2+}\r\n\xc3\xa9 BODY {0+}\r\n UNSEEN\r\ne FETCH 1:* (FLAGS BODY[HEADER.FIELDS ({4+}\r\nDate To)])\r\n\
        f APPEND {1+}\r\nx (\\Seen) {10+}\r\nab\r\ncd\r\n\xff\0\r\n\r\n\r\ng BAD\r\nh IDLE\r\nDONE\r\ni STORE 1 +FLAGS \
        (\\Answered)\r\nj UNSELECT \r\nk LOGOUT\r\n";
    split_everywhere(|| Driver::new(Config::default()), session);
}

/// R3501-354
#[test]
fn an_empty_line_is_bad_and_the_session_goes_on() {
    let mut d = Driver::authenticated();
    let bad = "* BAD expected a tag and a command\r\n";
    assert_eq!(d.send("\r\n  \r\na NOOP\r\n"), format!("{bad}{bad}a OK done\r\n"));
}

#[test]
fn a_bare_line_feed_is_bad_and_ends_the_line() {
    let crlf = "BAD a line ends with CR LF\r\n";
    let table = [
        ("a NOOP\nb NOOP\r\n", format!("a {crlf}b OK done\r\n")),
        ("a NOOP\n\nb NOOP\r\n", format!("a {crlf}* {crlf}b OK done\r\n")),
        // What follows is text of the quoted string.
        (
            "a CREATE \"x\nb DELETE \"y\"\r\nc NOOP\r\n",
            format!("a {crlf}c OK done\r\n"),
        ),
        (
            "a CREATE x {10+}\nb DELETE y\nc NOOP\r\nd NOOP\r\n",
            format!("a {crlf}c OK done\r\nd OK done\r\n"),
        ),
        (
            "a CREATE {3+}\r\nx\ny\r\nb NOOP\r\n",
            "a OK done\r\nb OK done\r\n".into(),
        ),
        ("a CREATE {1+}\r\nx y\nb NOOP\r\n", format!("a {crlf}b OK done\r\n")),
    ];
    for (octets, answers) in table {
        assert_eq!(Driver::authenticated().send(octets), answers, "{octets:?}");
        split_everywhere(Driver::authenticated, octets.as_bytes());
    }
}

#[test]
fn control_characters_and_8_bit_octets_in_lines_are_bad() {
    let quoted = "expected 7-bit text without control characters in a quoted string";
    let table: [(&[u8], String); 5] = [
        (
            b"a CREATE x\0y\r\n",
            "a BAD expected the end of the command at column 11\r\n".into(),
        ),
        (b"a CREATE \"x\0y\"\r\n", format!("a BAD {quoted} at column 12\r\n")),
        (b"a CREATE \"x\ry\"\r\n", format!("a BAD {quoted} at column 12\r\n")),
        (b"a CREATE \"\xc3\xa9\"\r\n", format!("a BAD {quoted} at column 11\r\n")),
        (
            b"a CREATE {3+}\r\nx\0y\r\n",
            "a BAD expected a literal without NUL at column 10\r\n".into(),
        ),
    ];
    for (octets, answer) in table {
        assert_eq!(
            Driver::authenticated().push(octets),
            answer,
            "{}",
            octets.escape_ascii()
        );
    }
}

#[test]
fn a_line_that_is_too_long_is_bad_and_kept_in_bounded_memory() {
    let start = || Driver::new(Config::default());
    let answer = "a BAD [TOOBIG] the command is too long\r\nb OK done\r\n";
    let mut d = start();
    assert_eq!(d.push(b"a ID "), "");
    let mut out = String::new();
    for _ in 0..2_000 {
        out += &d.push(&[b'x'; 10_000]);
        assert!(d.core.input().len() < 100);
    }
    assert_eq!(out + &d.send(" {12+}\r\nx DELETE y\r\n\r\nb NOOP\r\n"), answer);
    let shorter = [b"a ID ", &[b'x'; 9_000][..], b" {12+}\r\nx DELETE y\r\n\r\nb NOOP\r\n"].concat();
    assert_eq!(start().push(&shorter), answer);
    split_everywhere(start, &shorter);
}

#[test]
fn login_with_a_literal_of_50_mb_is_refused_before_an_octet_is_stored() {
    let mut d = Driver::new(Config::default());
    let answer = "a BAD [TOOBIG] the literal is too large\r\n";
    assert_eq!(d.send("a LOGIN {52428800}\r\n"), answer);
    assert_eq!(d.send("a LOGIN fred {52428800+}\r\n"), answer);
    for _ in 0..52_428_800 / 65_536 {
        assert_eq!(d.push(&[b'x'; 65_536]), "");
        assert!(!d.core.has_input());
    }
    assert_eq!(d.send("\r\nb NOOP\r\n"), "b OK done\r\n");
}

/// R7888-005, R7888-008
#[test]
fn an_absurd_literal_ends_the_connection() {
    let not_64 = "* BYE a literal has a size that 64 bits can say\r\n";
    let beyond = "a BAD expected a literal of a size that 64 bits can say\r\n";
    let bye = "* BYE [TOOBIG] the literal is too large\r\n";
    let big = "a BAD [TOOBIG] the literal is too large\r\n";
    let table = [
        ("a ID ({99999999999+}\r\n", format!("{big}{bye}")),
        ("a ID ({18446744073709551616}\r\n", format!("{beyond}{not_64}")),
        (
            "a ID ({18446744073709551616+}\r\nb NOOP\r\n",
            format!("{beyond}{not_64}"),
        ),
        (
            "a ID ({18446744073709551615}\r\nb NOOP\r\n",
            format!("{big}b OK done\r\n"),
        ),
        (
            "a XYZZY {4294967296+}\r\nb NOOP\r\n",
            format!("a BAD unknown command\r\n{bye}"),
        ),
        (
            "a XYZZY {99999999999999999999999999999+}\r\nb NOOP\r\n",
            format!("a BAD unknown command\r\n{not_64}"),
        ),
    ];
    for (octets, answers) in table {
        assert_eq!(Driver::new(Config::default()).send(octets), answers, "{octets}");
        split_everywhere(|| Driver::new(Config::default()), octets.as_bytes());
    }
}

#[test]
fn a_literal_of_4_gib_is_not_a_small_one() {
    let mut d = Driver::authenticated();
    assert_eq!(
        d.send("a APPEND x {4294967296+}\r\nb DELETE y\r\n"),
        "a NO [TOOBIG] the message is too large\r\n* BYE [TOOBIG] the literal is too large\r\n"
    );
}

#[test]
fn literals_of_one_command_are_bounded_in_number_and_together() {
    let mut d = Driver::with_limits(|l| {
        l.before_login.literals = 3;
        l.before_login.command = 200;
    });
    let fields = |n: usize| format!("a ID ({})\r\n", vec!["{1+}\r\nx NIL"; n].join(" "));
    assert_eq!(d.send(&fields(3)), "a OK done\r\n");
    assert_eq!(
        d.send(&(fields(4) + "b NOOP\r\n")),
        "a BAD [TOOBIG] the command has too many literals\r\nb OK done\r\n"
    );
    assert_eq!(
        d.send(&format!(
            "a ID ({{1+}}\r\nx {{190+}}\r\n{})\r\nb NOOP\r\n",
            "x".repeat(190)
        )),
        "a BAD [TOOBIG] the command is too long\r\nb OK done\r\n"
    );
}

#[test]
fn what_is_read_again_for_each_literal_is_bounded() {
    let mut d = Driver::with_limits(|l| l.read_again = 100);
    d.core.set_authenticated();
    assert_eq!(d.send("a ID ({1}\r\n"), "+ go on\r\n");
    let answers: Vec<String> = (0..4).map(|_| d.send("x NIL {1}\r\n")).collect();
    let refused = "a BAD [TOOBIG] the command has too many literals\r\n";
    // What follows a refused synchronizing literal is the next command.
    assert_eq!(
        answers,
        ["+ go on\r\n", "+ go on\r\n", refused, "x BAD unknown command\r\n"]
    );
}

#[test]
fn a_message_that_the_driver_leaves_is_thrown_away() {
    let mut d = Driver::authenticated();
    d.core.input().extend_from_slice(b"a APPEND x {10+}\r\n01234");
    let Event::AppendMessage { tag, .. } = d.core.next_event() else {
        panic!()
    };
    d.core.accept_literal();
    assert_eq!(d.core.read_literal(2), "01");
    assert_eq!(d.core.literal_remaining(), 8);
    assert_eq!(d.core.next_event(), Event::NeedInput);
    d.core.input().extend_from_slice(b"56789\r\nb NOOP\r\n");
    assert_eq!(d.core.next_event(), Event::AppendEnd { tag: tag.clone() });
    d.core.complete(&tag, &imap_core::Answer::ok("done"));
    assert_eq!(d.send(""), "a OK done\r\nb OK done\r\n");
}

#[test]
fn a_message_may_be_refused_in_its_middle() {
    let mut d = Driver::authenticated();
    d.core.input().extend_from_slice(b"a APPEND x {10+}\r\n01");
    let Event::AppendMessage { tag, .. } = d.core.next_event() else {
        panic!()
    };
    d.core.accept_literal();
    assert_eq!(d.core.read_literal(9), "01");
    d.core.literal_read_directly(4);
    d.core.refuse_literal(&tag, &imap_core::Answer::no("disk full"));
    assert_eq!(d.send("b X\r"), "a NO disk full\r\n");
    assert_eq!(d.send(" x {3+}\r\nc \r\r\nb NOOP\r\n"), "b OK done\r\n");
}
