//! Deliberate faults between a right server and its clients: proof that the scenarios find them.
//!
//! A [`Fault`] changes what a client asks or what a server tells, one response at a time, and leaves all else as it is.
//! [`play`] plays a scenario with one in between; the mailboxes are made, and the clients log in and select, without it.

mod change;
mod codes;
mod fetch;
mod framing;
mod mailboxes;
mod octets;
mod search;
mod select;
mod updates;

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::client::Trouble;
use super::needs::lacks;
use super::outcome::Verdict;
use super::place::{Facts, Keeper};
use super::play::Player;
use super::scenario::{Scenario, Start};
use super::target::{Filled, Login, Security, Target};
use crate::stream::BoxedStream;
use change::{Command, Heard, Memory};

/// A way to be wrong.
#[derive(Clone, Copy)]
pub struct Fault {
    /// What is wrong.
    pub name: &'static str,
    /// What it breaks: an RFC and its section, such as `3501 7.4.1`.
    pub breaks: &'static str,
    /// Further sections whose scenarios are likely to see it.
    pub seen_by: &'static [&'static str],
    /// What a client's command becomes, given and returned without its CR LF.
    asks: Option<fn(&Command) -> Option<String>>,
    tells: Tells,
}

/// What becomes of what the server tells. Text has one character for each octet.
#[derive(Clone, Copy)]
enum Tells {
    /// It stays.
    AsItIs,
    /// Each response may become something else, or nothing.
    Each(fn(&Heard) -> Option<String>),
    /// The whole answer to a command, the tagged response last. An answer with continuations is in pieces.
    Answer(fn(&Heard, &mut Vec<String>)),
    /// As each, with what was before.
    Remembering(fn(&mut Memory, &Heard) -> Option<String>),
}

impl Fault {
    const fn new(name: &'static str, breaks: &'static str, tells: Tells) -> Self {
        Self {
            name,
            breaks,
            seen_by: &[],
            asks: None,
            tells,
        }
    }

    /// Responses are changed one by one.
    const fn each(name: &'static str, breaks: &'static str, tells: fn(&Heard) -> Option<String>) -> Self {
        Self::new(name, breaks, Tells::Each(tells))
    }

    /// Answers are changed as a whole.
    const fn answer(name: &'static str, breaks: &'static str, tells: fn(&Heard, &mut Vec<String>)) -> Self {
        Self::new(name, breaks, Tells::Answer(tells))
    }

    /// Responses are changed one by one, by what was before.
    const fn remembering(
        name: &'static str,
        breaks: &'static str,
        tells: fn(&mut Memory, &Heard) -> Option<String>,
    ) -> Self {
        Self::new(name, breaks, Tells::Remembering(tells))
    }

    /// The server does something else than it was asked.
    const fn asking(name: &'static str, breaks: &'static str, asks: fn(&Command) -> Option<String>) -> Self {
        Self {
            asks: Some(asks),
            ..Self::new(name, breaks, Tells::AsItIs)
        }
    }

    /// What the server tells of that something else is dressed up.
    const fn telling(self, tells: fn(&Heard) -> Option<String>) -> Self {
        Self {
            tells: Tells::Each(tells),
            ..self
        }
    }

    /// Further sections whose scenarios are likely to see it.
    const fn seen_by(self, seen_by: &'static [&'static str]) -> Self {
        Self { seen_by, ..self }
    }

    /// How likely a scenario sees it: the lower, the more.
    pub fn distance(&self, scenario: &Scenario) -> usize {
        let section = format!("{} {}", scenario.rfc, scenario.section);
        let mut sections = std::iter::once(&self.breaks).chain(self.seen_by);
        sections.position(|likely| *likely == section).unwrap_or(usize::MAX)
    }
}

impl std::fmt::Debug for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fault")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// All faults.
pub fn all() -> impl Iterator<Item = &'static Fault> {
    let areas: [&'static [Fault]; 8] = [
        framing::FAULTS,
        octets::FAULTS,
        fetch::FAULTS,
        updates::FAULTS,
        select::FAULTS,
        mailboxes::FAULTS,
        search::FAULTS,
        codes::FAULTS,
    ];
    areas.into_iter().flatten()
}

/// What the connections of one scenario have in common.
#[derive(Debug, Default)]
struct Common {
    changes: AtomicUsize,
    connections: AtomicUsize,
    /// EXPUNGE responses, with the connection that they were told to.
    expunged: Mutex<Vec<(usize, String)>>,
}

/// A target with a fault on each of its connections.
struct Faulty<'a> {
    right: &'a dyn Target,
    fault: Option<&'static Fault>,
    common: Arc<Common>,
}

#[async_trait]
impl Target for Faulty<'_> {
    fn name(&self) -> String {
        self.right.name()
    }

    fn first(&self) -> Login {
        self.right.first()
    }

    fn second(&self) -> Option<Login> {
        self.right.second()
    }

    fn security(&self) -> Security {
        self.right.security()
    }

    fn owns_inbox(&self) -> bool {
        self.right.owns_inbox()
    }

    fn is_read_only(&self) -> bool {
        self.right.is_read_only()
    }

    async fn connect(&self) -> io::Result<BoxedStream> {
        let right = self.right.connect().await?;
        Ok(change::between(right, self.fault, self.common.clone()))
    }

    async fn fill(&self, start: &Start) -> Filled {
        self.right.fill(start).await
    }
}

/// What came of a scenario with a fault in between.
#[derive(Debug)]
pub struct Played {
    /// Passed, failed or skipped.
    pub verdict: Verdict,
    /// How often the fault changed something.
    pub changes: usize,
}

/// Plays a scenario with a fault between the server and its clients; without one everything is passed on as it is. The
/// server is not cleaned up afterwards, and must speak without TLS.
///
/// # Errors
/// The mailboxes could not be made.
pub async fn play(
    right: &dyn Target,
    fault: Option<&'static Fault>,
    facts: &Facts,
    scenario: &Scenario,
) -> Result<Played, Trouble> {
    const PATIENCE: Duration = Duration::from_secs(20);
    const PREFIX: &str = "imap-compliance-fault-0x";
    if let Some(reason) = lacks(scenario, right, facts) {
        let verdict = Verdict::Skipped { reason };
        return Ok(Played { verdict, changes: 0 });
    }
    let (mut keeper, _) = Keeper::new(right, false, PATIENCE).await?;
    let names = keeper.prepare(right, &scenario.start, PREFIX, facts).await?;
    keeper.logout().await;
    let common = Arc::new(Common::default());
    let faulty = Faulty {
        right,
        fault,
        common: common.clone(),
    };
    let player = Player::new(&faulty, scenario, facts, PREFIX, &names, PATIENCE);
    let verdict = player.play("").await;
    let changes = common.changes.load(Ordering::Relaxed);
    Ok(Played { verdict, changes })
}
