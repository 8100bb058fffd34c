//! What was said and heard in a scenario, as text, and not more of it than a report can use.

use std::fmt::Write as _;

use super::outcome::{By, Said};

/// How many lines of a conversation are kept.
const KEPT: usize = 2_000;

/// How many octets of a line are shown.
const SHOWN: usize = 1_200;

/// All that was said and heard in a scenario.
#[derive(Debug, Default)]
pub struct Conversation {
    said: Vec<Said>,
}

impl Conversation {
    /// Adds a line and gives back its place.
    pub fn add(&mut self, client: char, by: By, octets: &[u8]) -> usize {
        self.note(client, by, shown(octets))
    }

    /// Adds a remark.
    pub fn remark(&mut self, client: char, text: &str) -> usize {
        self.note(client, By::Suite, text.to_owned())
    }

    fn note(&mut self, client: char, by: By, text: String) -> usize {
        if self.said.len() >= KEPT {
            // The beginning explains most; the end is where it fails.
            self.said.remove(KEPT / 4);
        }
        self.said.push(Said {
            client: client.to_string(),
            by,
            text,
        });
        self.said.len() - 1
    }

    /// The lines.
    pub fn into_said(self) -> Vec<Said> {
        self.said
    }

    /// What was said at a place.
    pub fn text(&self, at: usize) -> &str {
        self.said.get(at).map_or("", |said| said.text.as_str())
    }

    /// The last place.
    pub fn last(&self) -> Option<usize> {
        self.said.len().checked_sub(1)
    }
}

/// Octets as text: escapes for what cannot be shown, and not all of it where it is long.
pub fn shown(octets: &[u8]) -> String {
    let octets = octets.strip_suffix(b"\r\n").unwrap_or(octets);
    let front = octets.get(..SHOWN).unwrap_or(octets);
    let mut out = String::with_capacity(front.len());
    for chunk in front.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\r' => out.push_str("\\r"),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                c if c.is_control() => {
                    let _ = write!(out, "\\x{:02x}", c as u32);
                }
                c => out.push(c),
            }
        }
        for octet in chunk.invalid() {
            let _ = write!(out, "\\x{octet:02x}");
        }
    }
    if octets.len() > front.len() {
        let _ = write!(out, "… ({} octets)", octets.len());
    }
    out
}
