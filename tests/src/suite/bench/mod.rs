//! The load generator: how fast a server is, or two side by side, and whether what they answer is right.
//!
//! [`run`] measures what a [`Plan`] names and gives a [`Record`]; [`report`] and [`plot`] show it. Each server is measured
//! round after round, two of them in turn, so that what the machine does meanwhile meets both. Every answer is looked at: a
//! wrong one makes an error of its row, never a fast result. Connections are blocking and have a thread each where several go
//! on at once; what comes back is counted and thrown away, which costs a small part of what servers take to send it.
//!
//! The mailboxes are a round's own. Their names begin with `imap-compliance-bench-`, and they are removed when the round ends,
//! also early.

mod catalogue;
mod connection;
mod corpus;
mod groups;
mod growth;
mod mailboxes;
mod measure;
mod peer;
pub mod plot;
mod process;
mod record;
pub mod report;
mod restart;
mod round;
mod row;
mod sizes;
mod statistics;
mod stream;
mod tally;
mod trouble;

use std::sync::Arc;
use std::time::Instant;

pub use catalogue::{list, names};
pub use peer::{Accounts, Peer};
pub use process::Processes;
pub use record::{Better, Comparison, Finding, Record, Server, VERSION};
pub use row::{Measured, Row};
pub use sizes::{Scale, Sizes};
pub use trouble::Stop;

use catalogue::{GROUPS, GROWTH, Group};
use round::Round;

/// What is to be measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// One server, or two that are compared.
    pub peers: Vec<Peer>,
    /// The groups that are chosen; all when none is.
    pub groups: Vec<String>,
    /// Instead of groups: how cost grows with the size of a mailbox.
    pub growth: bool,
    /// Which sizes those are.
    pub scale: Scale,
    /// The sizes.
    pub sizes: Sizes,
    /// How often each server is measured.
    pub rounds: usize,
    /// What tells the mailboxes of this run from those of others.
    pub name: String,
    /// Ends it early.
    pub stop: Stop,
}

/// Is told how a run goes on.
pub trait Watcher: Sync {
    /// A round begins: which, and on which server.
    fn begins(&self, label: &str, round: usize);
    /// Something begins that takes its time.
    fn says(&self, label: &str, what: &str);
    /// A row is there; `title` is what people call it.
    fn ended(&self, label: &str, title: &str, row: &Row);
    /// Something should be known by whoever runs it.
    fn warns(&self, label: &str, what: &str);
}

impl Plan {
    fn chosen(&self) -> Vec<&'static Group> {
        if self.growth {
            return GROWTH.to_vec();
        }
        let is_chosen = |group: &&&Group| self.groups.is_empty() || self.groups.iter().any(|name| name == group.name);
        GROUPS.iter().filter(is_chosen).copied().collect()
    }

    /// How many rows will be told of to a [`Watcher`].
    pub fn steps(&self) -> usize {
        let lines = |group: &&Group| {
            let sizes = if group.by_size { self.sizes.growth.len() } else { 1 };
            group.lines.len() * sizes
        };
        let lines: usize = self.chosen().iter().map(lines).sum();
        lines * self.rounds * self.peers.len()
    }
}

/// Measures. It blocks, for minutes.
pub fn run(plan: &Plan, watcher: &dyn Watcher) -> Record {
    process::open_many_files();
    let (began, started, load_before) = (Instant::now(), super::report::now(), process::load());
    let (groups, sizes) = (plan.chosen(), Arc::new(plan.sizes.clone()));
    let peers: Vec<Arc<Peer>> = plan.peers.iter().cloned().map(Arc::new).collect();
    let mut rounds: Vec<Vec<Vec<Row>>> = vec![Vec::new(); peers.len()];
    'all: for round in 0..plan.rounds {
        for ((peer, rounds), side) in peers.iter().zip(&mut rounds).zip('a'..) {
            if plan.stop.is_set() {
                break 'all;
            }
            watcher.begins(&peer.label, round + 1);
            // Both may be the same server.
            let name = format!("{}-{}{side}", plan.name, round + 1);
            let round = Round::new(peer.clone(), sizes.clone(), plan.stop.clone(), &name, watcher);
            rounds.push(round.run(&groups));
        }
    }
    let (rows, geometric_mean) = record::rows(&groups, &sizes, &rounds);
    let server = |peer: &Arc<Peer>| Server {
        label: peer.label.clone(),
        address: peer.network.address.clone(),
        server: peer.facts.server(),
    };
    Record {
        version: VERSION,
        suite: env!("CARGO_PKG_VERSION").to_owned(),
        started,
        millis: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        interrupted: plan.stop.is_set(),
        scale: plan.scale,
        rounds: plan.rounds,
        load_before,
        load_after: process::load(),
        servers: peers.iter().map(server).collect(),
        rows,
        geometric_mean,
    }
}
