//! One run: the steps of a script at a site.

use std::time::Duration;

use super::command::{Act, message};
use super::ledger::MailboxKey;
use super::player::Player;
use super::rule::{Broken, Checked, Rule, broken, check};
use super::scene::Scene;
use super::script::{Script, Step, Verb};
use super::site::Site;
use super::target::Outcome;
use super::witness::Witness;
use crate::message::Random;

/// A run under way.
pub(super) struct Run<'a> {
    pub(super) site: &'a Site,
    pub(super) scene: Scene,
    pub(super) players: Vec<Player>,
    pub(super) witnesses: Vec<Witness>,
    /// A connection was cut since the last quiet point, or a client of a mailbox that is gone.
    pub(super) was_cut: bool,
    /// What the witness saw last, a line for each mailbox.
    pub(super) there: Vec<String>,
    lock_step: bool,
}

/// Runs a script.
pub(super) async fn run(site: &Site, script: &Script) -> Outcome {
    let mut run = Run::new(site, script.lock_step);
    let result = run.through(script).await;
    Outcome {
        log: run.scene.log.0,
        result,
        steps: usize::try_from(run.scene.clock).unwrap_or(usize::MAX),
    }
}

impl<'a> Run<'a> {
    /// Nobody is there yet.
    pub(super) fn new(site: &'a Site, lock_step: bool) -> Self {
        Self {
            site,
            scene: Scene::new(site),
            players: Vec::new(),
            witnesses: Vec::new(),
            was_cut: false,
            there: Vec::new(),
            lock_step,
        }
    }

    async fn through(&mut self, script: &Script) -> Checked {
        for server in 0..self.site.servers() {
            let wire = self.site.connect_to_truth(server).await?;
            self.witnesses.push(Witness::new(wire, self.site.abilities.unselect));
        }
        for name in &self.site.names {
            let key = self.scene.ledger.created(name);
            let (truth, counters) = self.witnesses[0].truth(name).await?;
            self.scene.ledger.validity_told(key, counters.uid_validity)?;
            self.scene.ledger.begins_with(key, &truth)?;
        }
        for name in 0..script.clients {
            self.players.push(Player::login(name, self.site).await?);
        }
        for step in &script.steps {
            self.scene.clock += 1;
            self.step(step).await?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Checked {
        match step.verb {
            Verb::Quiet => return self.quiet(step.dice).await,
            Verb::Arrives => return self.arrives().await,
            Verb::Vanishes => return self.vanishes(step.dice).await,
            _ => {}
        }
        let done = self.step_of_client(step).await;
        self.forgives(step.client, done).await
    }

    /// What a client of a deleted mailbox is told is accepted: he is cut off, and another takes his place.
    pub(super) async fn forgives(&mut self, name: usize, done: Checked) -> Checked {
        let strict = self.scene.abilities.strict;
        match done {
            Err(Broken { rule, .. }) if self.players[name].doomed && (!strict || rule == Rule::Connection) => {
                self.replaces(name).await
            }
            done => done.map_err(|wrong| wrong.at(format!("client {name}"))),
        }
    }

    /// A client goes without a word, and another takes its place.
    pub(super) async fn replaces(&mut self, name: usize) -> Checked {
        self.scene.log.event(format!("client {name} is connected anew"));
        self.players[name].gives_up(&mut self.scene);
        self.players[name] = Player::login(name, self.site).await?;
        self.was_cut = true;
        Ok(())
    }

    async fn step_of_client(&mut self, step: &Step) -> Checked {
        let name = step.client;
        match step.verb {
            Verb::Cut => return self.replaces(name).await,
            Verb::Create | Verb::Delete | Verb::Rename | Verb::Empty => {
                return self.changes_mailboxes(step).await;
            }
            _ => {}
        }
        let mut random = Random::new(step.dice.rotate_left(17));
        let (player, scene) = (&mut self.players[name], &mut self.scene);
        if player.idle {
            player.hear_what_is_there(scene).await?;
            if step.verb != Verb::Listen && random.one_in(2) {
                player.finish(scene).await?;
            }
            return Ok(());
        }
        if player.waits() {
            if random.one_in(3) {
                return player.hear_what_is_there(scene).await;
            }
            player.hear_all(scene).await?;
        }
        if step.verb == Verb::Listen || player.idle {
            return Ok(());
        }
        player.send(step, scene).await?;
        if self.lock_step {
            player.hear_all(scene).await?;
        }
        Ok(())
    }

    async fn arrives(&mut self) -> Checked {
        let Some(inbox) = self.scene.ledger.key("INBOX") else {
            return Ok(());
        };
        if !self.site.abilities.outside {
            return Ok(());
        }
        self.scene.ledger.last_id += 1;
        let id = self.scene.ledger.last_id;
        let floor = self.scene.ledger.uid_floor(inbox);
        let Some(uid) = self.site.arrives(&message(id)).await else {
            return Ok(());
        };
        self.scene
            .log
            .event(format!("message {id} comes into INBOX with UID {uid}"));
        self.scene.ledger.made(inbox, uid, id, floor)
    }

    async fn vanishes(&mut self, dice: u64) -> Checked {
        let ledger = &mut self.scene.ledger;
        let found = ledger
            .key("INBOX")
            .and_then(|inbox| Some((inbox, ledger.some(inbox, dice)?)));
        let Some((inbox, uid)) = found.filter(|_| self.site.abilities.outside) else {
            return Ok(());
        };
        ledger.may_be_taken(inbox, uid);
        self.scene.log.event(format!("UID {uid} goes from INBOX"));
        self.site.vanishes(uid).await;
        Ok(())
    }

    /// CREATE, DELETE, RENAME. Nothing that names a mailbox is under way meanwhile, so that all know what a name means;
    /// everything else goes on.
    async fn changes_mailboxes(&mut self, step: &Step) -> Checked {
        let (name, able) = (step.client, self.scene.abilities);
        for other in 0..self.players.len() {
            if other != name && self.players[other].names_mailbox() {
                let heard = self.players[other].hear_all(&mut self.scene).await;
                self.forgives(other, heard).await?;
            }
        }
        let (player, scene) = (&mut self.players[name], &mut self.scene);
        player.finish(scene).await?;
        let mut random = Random::new(step.dice);
        let new = scene.unused(random.next_u64());
        let own = player.picture.as_ref().map(|picture| picture.mailbox);
        let old: Vec<(String, MailboxKey)> = scene
            .ledger
            .names()
            .filter(|(name, key)| *name != "INBOX" && (able.strict || Some(*key) != own))
            .map(|(name, key)| (name.to_owned(), key))
            .collect();
        let picked = (!old.is_empty()).then(|| old[random.below(old.len() as u64) as usize].clone());
        let words = match (step.verb, &picked) {
            (Verb::Create, _) if scene.has_room() => format!("CREATE {new}"),
            (Verb::Delete, Some((name, _))) if scene.ledger.names().count() > 1 => format!("DELETE {name}"),
            (Verb::Rename, Some((name, _))) if scene.has_room() => format!("RENAME {name} {new}"),
            (Verb::Empty, _) if able.inbox && scene.has_room() => format!("RENAME INBOX {new}"),
            _ => return Ok(()),
        };
        player.asks(&words, Act::Mailbox, scene).await?;
        let done = player.last_was_ok;
        check(Rule::Mailboxes, !done || able.writable, || {
            format!("{words} is answered OK by a server that can only be read")
        })?;
        if !done {
            return Ok(());
        }
        match (step.verb, picked) {
            (Verb::Create, _) => drop(scene.ledger.created(&new)),
            (Verb::Delete, Some((old, key))) => {
                scene.ledger.deleted(&old);
                if own == Some(key) {
                    player.picture = None;
                }
                self.dooms(key);
            }
            (Verb::Rename, Some((old, key))) => {
                scene.ledger.renamed(&old, &new, able.strict);
                if !able.strict {
                    self.dooms(key);
                }
            }
            (Verb::Empty, _) => match scene.ledger.key("INBOX") {
                Some(inbox) => scene.ledger.emptied(inbox, &new)?,
                None => return broken(Rule::Mailboxes, "LIST does not show INBOX"),
            },
            _ => {}
        }
        Ok(())
    }

    /// Whoever has this mailbox selected may be cut off (RFC 2180 3).
    fn dooms(&mut self, key: MailboxKey) {
        for player in &mut self.players {
            let of = |picture: &Option<super::picture::Picture>| picture.as_ref().is_some_and(|p| p.mailbox == key);
            if of(&player.picture) || of(&player.opening) {
                player.doomed = true;
            }
        }
    }
}

/// How long a server that cannot say when it has finished with connections that were cut may take, in pieces.
pub(super) const PATIENCE: [Duration; 7] = [
    Duration::from_millis(10),
    Duration::from_millis(30),
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
];
