//! What a client knows to be there, and the messages themselves.

use std::collections::{BTreeMap, BTreeSet};

/// A message as it was found, or should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) name: String,
    pub(super) flags: BTreeSet<String>,
}

/// Messages by mailbox and UID.
pub(super) type Held = BTreeMap<(String, u32), Message>;

impl Message {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            flags: BTreeSet::new(),
        }
    }

    /// Its text. Messages of all sizes: rows, several rows, files.
    pub(super) fn text(name: &str) -> String {
        let sum: usize = name.bytes().map(usize::from).sum();
        let lines = [3, 40, 1_000, 40_000][if sum.is_multiple_of(31) { 3 } else { sum % 3 }];
        let line = format!("{name} of the round, again\r\n");
        format!("Subject: {name}\r\n\r\n{}", line.repeat(lines))
    }

    /// Reads `* n FETCH (UID u FLAGS (…) BODY[] {…}` and the text behind it, which must be whole.
    pub(super) fn parse(response: &str) -> (u32, Self) {
        let (head, rest) = response.split_once("\r\n").unwrap();
        let between = |open: &str, close: char| {
            let (_, rest) = head.split_once(open).unwrap();
            rest.split(close).next().unwrap()
        };
        let uid = between("UID ", ' ').parse().unwrap();
        let flags = between("FLAGS (", ')').split_ascii_whitespace();
        let flags = flags.filter(|flag| *flag != "\\Recent").map(str::to_owned).collect();
        // What the delivery adds stands before the subject.
        let text = rest.strip_suffix(')').unwrap();
        let text = text
            .strip_prefix("Return-Path: <>\r\nDelivered-To: alice\r\n")
            .unwrap_or(text);
        let name = text["Subject: ".len()..].split('\r').next().unwrap();
        assert!(text == Self::text(name), "{head}: not as it was sent");
        let name = name.to_owned();
        (uid, Self { name, flags })
    }
}

/// The same numbers in every run.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}
