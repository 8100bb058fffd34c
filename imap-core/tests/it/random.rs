//! Whatever is sent: no panic, bounded memory, and the same however it is split.

use imap_core::{Config, State};
use proptest::prelude::*;

use crate::support::{Driver, split_everywhere};

/// Pieces of commands, so that what is random gets past the first word.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let words: &'static [&'static str] = &[
        "a ",
        "a",
        " ",
        "\r\n",
        "\r",
        "\n",
        "LOGIN ",
        "fred ",
        "SELECT ",
        "INBOX",
        "FETCH ",
        "UID ",
        "SEARCH ",
        "STORE ",
        "1:*",
        "5,7",
        "0",
        "FLAGS",
        "+FLAGS ",
        "(",
        ")",
        "BODY[",
        "]",
        "<0.5>",
        "\"",
        "\\",
        "\\Seen",
        "{3+}\r\n",
        "{0+}\r\n",
        "{3}\r\n",
        "{5+}\r\nabcde",
        "{99999999999+}\r\n",
        "{9999999999999999999999+}\r\n",
        "APPEND x ",
        "IDLE\r\n",
        "DONE\r\n",
        "AUTHENTICATE PLAIN\r\n",
        "AGEAYg==\r\n",
        "*\r\n",
        "NOT ",
        "OR ",
        "SUBJECT ",
        "ID ",
        "NIL",
        "CREATE ",
        "LIST ",
        "STATUS ",
        "ENABLE ",
        "CHARSET UTF-8 ",
        "STARTTLS\r\n",
        "a NOOP\r\n",
        "b CLOSE\r\n",
        "&AOk-",
        "%",
    ];
    prop_oneof![
        10 => proptest::sample::select(words).prop_map(|w| w.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..8),
    ]
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(piece(), 0..30).prop_map(|p| p.concat())
}

fn starts() -> [fn() -> Driver; 3] {
    [
        || Driver::new(Config::default()),
        Driver::authenticated,
        Driver::selected,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_sessions_are_the_same_however_they_are_split(octets in octets()) {
        for start in starts() {
            split_everywhere(start, &octets);
        }
    }

    #[test]
    fn answers_are_whole_lines(octets in octets()) {
        for start in starts() {
            let out = start().push(&octets);
            prop_assert!(out.is_empty() || out.ends_with("\r\n"));
            prop_assert!(out.bytes().all(|b| matches!(b, b' '..=b'~' | b'\r' | b'\n')));
            prop_assert_eq!(out.matches('\r').count(), out.matches("\r\n").count());
        }
    }
}

#[test]
fn what_never_ends_is_kept_in_bounded_memory() {
    let prefixes: [&[u8]; 8] = [
        b"",
        b"a LOGIN ",
        b"a LOGIN \"",
        b"a SEARCH {100000+}\r\n",
        b"a XYZ {2000000000+}\r\n",
        b"a IDLE\r\n",
        b"auth AUTHENTICATE PLAIN\r\n",
        b"a APPEND x {1000000000+}\r\n",
    ];
    for start in starts() {
        for prefix in prefixes {
            let mut driver = start();
            driver.push(prefix);
            for _ in 0..700 {
                driver.push(&[b'x'; 8_000]);
                driver.events();
                let bound = if driver.core.state() == State::NotAuthenticated {
                    64 << 10
                } else {
                    5 << 20
                };
                let capacity = driver.core.input().capacity();
                assert!(capacity <= bound, "{capacity}: {}", prefix.escape_ascii());
            }
        }
    }
}
