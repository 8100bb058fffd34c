//! A simulated client: its connection, its picture, what it sent and waits for. What it makes of answers is in `hear`.

use std::collections::VecDeque;

use super::command::{Act, Sent, Where};
use super::picture::Picture;
use super::rule::Checked;
use super::scene::Scene;
use super::script::{Step, Verb};
use super::site::Site;
use super::wire::Wire;
use crate::message::Random;

/// One client.
pub(super) struct Player {
    pub(super) name: usize,
    pub(super) wire: Wire,
    /// What it knows of its mailbox.
    pub(super) picture: Option<Picture>,
    /// The mailbox that a SELECT is just opening.
    pub(super) opening: Option<Picture>,
    /// What waits for its answer.
    pub(super) waiting: VecDeque<Sent>,
    /// IDLE has begun, and DONE was not sent.
    pub(super) idle: bool,
    /// A synchronizing literal was announced.
    pub(super) offering: bool,
    /// Its mailbox was deleted: it may be cut off.
    pub(super) doomed: bool,
    /// Whether the last answer was OK.
    pub(super) last_was_ok: bool,
    /// What SEARCH found last.
    pub(super) found: Vec<u32>,
    tags: u32,
}

impl Player {
    /// A client that has just logged in.
    pub(super) async fn login(name: usize, site: &Site) -> Checked<Self> {
        Ok(Self::new(name, site.connect(name).await?))
    }

    /// A client on this connection, on which it has just logged in.
    pub(super) fn new(name: usize, wire: Wire) -> Self {
        Self {
            name,
            wire,
            picture: None,
            opening: None,
            waiting: VecDeque::new(),
            idle: false,
            offering: false,
            doomed: false,
            last_was_ok: false,
            found: Vec::new(),
            tags: 0,
        }
    }

    /// Whether answers are to come.
    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether a command that names a mailbox is under way.
    pub(super) fn names_mailbox(&self) -> bool {
        self.waiting.iter().any(|sent| sent.act.names_mailbox())
    }

    /// Its connection is cut: what it had sent may have been done, or not.
    pub(super) fn gives_up(&self, scene: &mut Scene) {
        for Sent { act, .. } in &self.waiting {
            match act {
                Act::Append { mailbox, id, .. } => scene.ledger.may_be_made(*mailbox, *id),
                Act::Copy { to, .. } => scene.ledger.is_uncertain(*to),
                _ => {}
            }
        }
    }

    /// Sends what a step is about, or several commands in one write.
    pub(super) async fn send(&mut self, step: &Step, scene: &mut Scene) -> Checked {
        let mut random = Random::new(step.dice);
        let mut octets = Vec::new();
        for nth in 0..step.pipelined {
            let verb = match nth {
                0 => step.verb,
                _ => PIPELINED[random.below(PIPELINED.len() as u64) as usize],
            };
            let abilities = scene.abilities;
            let unused = scene.unused(0);
            let (words, act) = Where {
                picture: self.picture.as_ref(),
                ledger: &mut scene.ledger,
                abilities: &abilities,
                unused: &unused,
            }
            .command(verb, &mut random);
            let literal = matches!(act, Act::Append { .. }) && !abilities.literal_plus;
            if nth > 0 && (literal || (!abilities.strict && self.is_ambiguous(&act))) {
                break;
            }
            self.warn(&act, scene);
            // What comes behind would have to know how these end.
            let last = act.expunges() || literal;
            let last = last || matches!(act, Act::Open { .. } | Act::OpenNothing | Act::Shut | Act::Idle);
            let line = self.says(words, act, scene);
            octets.extend_from_slice(line.as_bytes());
            if literal {
                self.begins(scene);
                return self.offer(&line, scene).await;
            }
            if last {
                break;
            }
        }
        self.begins(scene);
        self.wire.send(&octets).await
    }

    /// RFC 3501 5.5: a client may not send it behind what it sent, because numbers may mean something else by then.
    fn is_ambiguous(&self, act: &Act) -> bool {
        (act.uses_numbers() || act.uses_star()) && self.waiting.iter().any(|sent| sent.act.allows_expunge(false))
    }

    /// Gives a command its tag; its line.
    fn says(&mut self, words: String, act: Act, scene: &mut Scene) -> String {
        self.tags += 1;
        let tag = format!("{}a{}", self.name, self.tags);
        let line = format!("{tag} {words}\r\n");
        scene.log.note(self.name, '>', line.as_bytes());
        self.waiting.push_back(Sent { tag, act });
        line
    }

    /// APPEND with a synchronizing literal (RFC 3501 7.5).
    async fn offer(&mut self, line: &str, scene: &mut Scene) -> Checked {
        let at = line.find("}\r\n").map_or(line.len(), |at| at + 3);
        self.wire.send(&line.as_bytes()[..at]).await?;
        self.offering = true;
        while self.offering && self.waits() {
            let response = self.wire.response().await?;
            self.hear(&response, scene)?;
        }
        if !self.waits() {
            self.offering = false;
            return Ok(());
        }
        self.wire.send(&line.as_bytes()[at..]).await
    }

    /// Notes which messages may go by what is being sent.
    fn warn(&self, act: &Act, scene: &mut Scene) {
        let (Some(picture), Act::Store { flag, sign, uids, .. }) = (&self.picture, act) else {
            return;
        };
        if *flag == "\\Deleted" && *sign != "-" {
            uids.iter()
                .for_each(|uid| scene.ledger.may_bear_deleted(picture.mailbox, *uid));
        }
    }

    /// One command alone, and its answer, after all that was under way.
    pub(super) async fn asks(&mut self, words: &str, act: Act, scene: &mut Scene) -> Checked {
        self.hear_all(scene).await?;
        let line = self.says(words.to_owned(), act, scene);
        self.begins(scene);
        self.wire.send(line.as_bytes()).await?;
        self.hear_all(scene).await
    }

    /// Ends IDLE.
    pub(super) async fn done(&mut self, scene: &mut Scene) -> Checked {
        scene.log.note(self.name, '>', b"DONE");
        self.idle = false;
        self.wire.send(b"DONE\r\n").await
    }

    /// Hears everything up to the answer of the last command; in IDLE, up to its continuation.
    pub(super) async fn hear_all(&mut self, scene: &mut Scene) -> Checked {
        while self.waits() && !self.idle {
            let response = self.wire.response().await?;
            self.hear(&response, scene)?;
        }
        Ok(())
    }

    /// Hears what has come already.
    pub(super) async fn hear_what_is_there(&mut self, scene: &mut Scene) -> Checked {
        tokio::task::yield_now().await;
        while let Some(response) = self.wire.response_if_there().await? {
            self.hear(&response, scene)?;
        }
        Ok(())
    }

    /// Hears everything, and is in no command any more.
    pub(super) async fn finish(&mut self, scene: &mut Scene) -> Checked {
        self.hear_all(scene).await?;
        if self.idle {
            self.done(scene).await?;
            self.hear_all(scene).await?;
        }
        Ok(())
    }
}

/// What may come behind another command in one write.
const PIPELINED: [Verb; 16] = [
    Verb::Store,
    Verb::Store,
    Verb::Store,
    Verb::Fetch,
    Verb::Fetch,
    Verb::Fetch,
    Verb::Append,
    Verb::Append,
    Verb::Noop,
    Verb::Noop,
    Verb::Search,
    Verb::Copy,
    Verb::Move,
    Verb::Expunge,
    Verb::UidExpunge,
    Verb::Idle,
];
