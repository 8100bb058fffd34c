//! What a run has besides its clients: their common knowledge, the conversation so far, and a clock.

use std::fmt::Write as _;

use super::ledger::Ledger;
use super::site::{Abilities, Site};

/// What the clients of a run share.
pub(super) struct Scene {
    pub(super) ledger: Ledger,
    pub(super) log: Log,
    pub(super) abilities: Abilities,
    /// Steps taken: what was heard before another thing was sent is known by it.
    pub(super) clock: u64,
    /// Sessions get numbers of their own.
    pub(super) sessions: u64,
    pool: Vec<String>,
}

impl Scene {
    pub(super) fn new(site: &Site) -> Self {
        Self {
            ledger: Ledger::new(!site.abilities.writable),
            log: Log::default(),
            abilities: site.abilities,
            clock: 0,
            sessions: 0,
            pool: ["x", "y", "z", "w"].map(|name| format!("{}{name}", site.prefix)).into(),
        }
    }

    /// A name that no mailbox has. There are few of them, so that names come again.
    pub(super) fn unused(&self, dice: u64) -> String {
        let free: Vec<&String> = self
            .pool
            .iter()
            .filter(|name| self.ledger.key(name).is_none())
            .collect();
        match free.len() as u64 {
            0 => format!("{}q", self.pool[0]),
            n => free[(dice % n) as usize].clone(),
        }
    }

    /// Whether another mailbox can be made.
    pub(super) fn has_room(&self) -> bool {
        self.pool.iter().any(|name| self.ledger.key(name).is_none())
    }
}

/// What was said and heard by all.
#[derive(Debug, Default)]
pub(super) struct Log(pub(super) Vec<String>);

impl Log {
    /// The client's number, `>` or `<`, and the line.
    pub(super) fn note(&mut self, player: usize, sign: char, octets: &[u8]) {
        let mut line = String::new();
        let _ = write!(line, "{player}{sign} {}", crate::frame::shown(octets));
        self.0.push(line);
    }

    /// What happened besides.
    pub(super) fn event(&mut self, what: String) {
        self.0.push(format!("   {what}"));
    }
}
