//! Quiet points: nobody does anything any more, and what each client knows must be what is there.

use std::time::Duration;

use tokio::time::sleep;

use super::command::Act;
use super::hear::numbers;
use super::ledger::{MailboxKey, Truth};
use super::picture::{Picture, flags};
use super::rule::{Broken, Checked, Rule, broken, check};
use super::run::{PATIENCE, Run};
use crate::message::Random;

/// What is there: each mailbox's key, name and messages.
type Everything = Vec<(MailboxKey, String, Vec<Truth>)>;

/// How everything is looked at.
#[derive(Clone, Copy)]
struct Look {
    /// What a client had sent whose connection was cut may be done at any time.
    late: bool,
    /// How long IDLE may take to tell.
    told_within: Duration,
}

impl Look {
    /// Compares a client's picture with what is there, from which it learns the UIDs that it was not told yet.
    fn agrees(self, picture: &mut Picture, truth: &[Truth]) -> Checked {
        match self.late {
            true => picture.clone().agrees_with(truth),
            false => picture.agrees_with(truth),
        }
    }
}

impl Run<'_> {
    /// A quiet point.
    pub(super) async fn quiet(&mut self, dice: u64) -> Checked {
        let mut random = Random::new(dice);
        for name in 0..self.players.len() {
            let heard = self.comes_to_rest(name, random.one_in(2)).await;
            self.forgives(name, heard).await?;
        }
        let knows = self.site.settles(self.players.len()).await;
        let waits = self.was_cut && !knows;
        let mut patience = if waits { &PATIENCE[..] } else { &[] };
        let everything = loop {
            let look = Look {
                late: waits,
                told_within: if patience.is_empty() { TOLD_WITHIN } else { LOOKED_AGAIN },
            };
            let wrong = match self.agrees(&mut random.clone(), look).await {
                Ok(everything) => break everything,
                Err(wrong) => wrong,
            };
            match patience.split_first().filter(|_| may_pass(wrong.rule)) {
                Some((time, left)) => {
                    sleep(*time).await;
                    patience = left;
                }
                None => {
                    self.shows_what_is_there();
                    return Err(wrong.at(QUIET));
                }
            }
        };
        // Elsewhere what was cut off may be done at any time later.
        if !waits {
            for (key, _, truth) in &everything {
                self.scene.ledger.settled(*key, truth);
            }
            self.was_cut = false;
        }
        Ok(())
    }

    /// Hears all; some clients may stay in IDLE.
    async fn comes_to_rest(&mut self, name: usize, may_idle: bool) -> Checked {
        let (player, scene) = (&mut self.players[name], &mut self.scene);
        player.hear_all(scene).await?;
        if player.idle && !(may_idle && scene.abilities.strict) {
            player.finish(scene).await?;
        }
        Ok(())
    }

    /// Everything is compared, and then looked at closer. What is done in between, late, is wrong in one or the other.
    async fn agrees(&mut self, random: &mut Random, look: Look) -> Checked<Everything> {
        let everything = self.compares(&mut random.clone(), look).await?;
        for name in 0..self.players.len() {
            let heard = self.looks(name, &everything, random, look).await;
            self.forgives(name, heard).await?;
        }
        Ok(everything)
    }

    /// All ask, and everything is compared.
    async fn compares(&mut self, random: &mut Random, look: Look) -> Checked<Everything> {
        for name in 0..self.players.len() {
            if self.players[name].idle || self.players[name].picture.is_none() {
                continue;
            }
            let heard = self.asks(name).await;
            self.forgives(name, heard).await?;
            if look.late {
                let heard = self.asks_for_uids(name).await;
                self.forgives(name, heard).await?;
            }
        }
        let everything = self.sees(random).await?;
        for (key, name, truth) in &everything {
            self.scene
                .ledger
                .agrees_with(*key, truth)
                .map_err(|wrong| wrong.at(name))?;
        }
        for player in self.players.iter_mut().filter(|player| !player.idle) {
            let (client, Some(picture)) = (player.name, &mut player.picture) else {
                continue;
            };
            let Some((_, name, truth)) = everything.iter().find(|(key, ..)| *key == picture.mailbox) else {
                return broken(
                    Rule::Mailboxes,
                    format!("client {client} still has a mailbox selected that LIST does not show"),
                );
            };
            let agreed = look.agrees(picture, truth);
            agreed.map_err(|wrong| wrong.at(format!("client {client}, who sent NOOP in {name}")))?;
        }
        Ok(everything)
    }

    /// What the witness saw belongs to the conversation, where it is what is wrong.
    fn shows_what_is_there(&mut self) {
        for line in std::mem::take(&mut self.there) {
            self.scene.log.event(format!("EXAMINE by another client shows: {line}"));
        }
    }

    /// A client asks for news. Who is in a mailbox that was deleted is cut off after the answer by this project's servers; by
    /// others he may be, and if not need not be right any more (RFC 2180 3): he goes.
    async fn asks(&mut self, name: usize) -> Checked {
        let (player, scene) = (&mut self.players[name], &mut self.scene);
        player.asks("NOOP", Act::Noop, scene).await?;
        if !player.doomed {
            return Ok(());
        }
        if scene.abilities.strict {
            while let Some(response) = player.wire.response_within(TOLD_WITHIN).await? {
                player.hear(&response, scene)?;
            }
            return broken(Rule::Mailboxes, "a client can go on in a mailbox that was deleted");
        }
        self.replaces(name).await
    }

    /// What was seen from elsewhere does not teach the UIDs where a message may have taken the place of another meanwhile.
    async fn asks_for_uids(&mut self, name: usize) -> Checked {
        let (player, scene) = (&mut self.players[name], &mut self.scene);
        let lacks = |picture: &Picture| !picture.knows_all();
        if !player.picture.as_ref().is_some_and(lacks) {
            return Ok(());
        }
        let all = Act::Fetch { uid: false, star: true };
        player.asks("FETCH 1:* (UID)", all, scene).await
    }

    /// What is there, as one of the servers shows it.
    async fn sees(&mut self, random: &mut Random) -> Checked<Everything> {
        let server = random.below(self.witnesses.len() as u64) as usize;
        let witness = &mut self.witnesses[server];
        let ledger = &mut self.scene.ledger;
        let names: Vec<(String, MailboxKey)> = ledger.names().map(|(n, key)| (n.to_owned(), key)).collect();
        let listed = witness.names("").await?;
        if let Some((missing, _)) = names.iter().find(|(name, _)| !listed.contains(name)) {
            return broken(Rule::Mailboxes, format!("LIST does not show {missing}"));
        }
        self.there.clear();
        let mut everything = Vec::new();
        for (name, key) in names {
            let (truth, counters) = witness.truth(&name).await?;
            self.there.push(format!("{name} holds {}", held(&truth)));
            ledger
                .validity_told(key, counters.uid_validity)
                .map_err(|wrong| wrong.at(&name))?;
            ledger.learns(key, &truth).map_err(|wrong| wrong.at(&name))?;
            let floor = ledger.uid_floor(key);
            ledger
                .uid_next_told(key, counters.uid_next, floor)
                .map_err(|wrong| wrong.at(&name))?;
            let unseen = truth.iter().filter(|t| !t.flags.contains("\\seen")).count();
            let fits = (counters.messages as usize, counters.unseen as usize) == (truth.len(), unseen);
            check(Rule::Status, fits, || {
                format!(
                    "STATUS of {name} tells MESSAGES {} and UNSEEN {}, and FETCH shows {} messages, {unseen} of them unseen",
                    counters.messages,
                    counters.unseen,
                    truth.len()
                )
            })?;
            everything.push((key, name, truth));
        }
        Ok(everything)
    }

    /// One client that is in IDLE must be told without asking; the others look closer now and then.
    async fn looks(&mut self, name: usize, everything: &Everything, random: &mut Random, look: Look) -> Checked {
        let dice = random.below(6);
        if self.players[name].idle {
            return self.is_told(name, everything, look).await;
        }
        let (player, scene) = (&mut self.players[name], &mut self.scene);
        let mailbox = player.picture.as_ref().map(|picture| picture.mailbox);
        let Some((_, _, truth)) = everything.iter().find(|(key, ..)| Some(*key) == mailbox) else {
            return Ok(());
        };
        let (words, act) = match dice {
            0 if !truth.is_empty() => ("FETCH 1:* (UID FLAGS)", Act::Fetch { uid: false, star: true }),
            1 => ("UID SEARCH DELETED", SEARCH),
            2 => ("UID SEARCH ALL", SEARCH),
            3 => ("UID SEARCH UNSEEN", SEARCH),
            _ => return Ok(()),
        };
        player.found.clear();
        player.asks(words, act, scene).await?;
        if (1..=3).contains(&dice) {
            let mut found = player.found.clone();
            found.sort_unstable();
            let matches = |t: &&Truth| match dice {
                1 => t.flags.contains("\\deleted"),
                2 => true,
                _ => !t.flags.contains("\\seen"),
            };
            let right: Vec<u32> = truth.iter().filter(matches).map(|t| t.uid).collect();
            check(Rule::Search, found == right, || {
                format!("{words} found {} and should find {}", numbers(&found), numbers(&right))
            })?;
        }
        match &mut player.picture {
            Some(picture) => look.agrees(picture, truth),
            None => Ok(()),
        }
    }

    /// RFC 2177 3: without being asked.
    async fn is_told(&mut self, name: usize, everything: &Everything, look: Look) -> Checked {
        let (player, scene) = (&mut self.players[name], &mut self.scene);
        loop {
            player.hear_what_is_there(scene).await?;
            let agreed = match (&player.picture, player.doomed) {
                (_, true) => broken(Rule::Mailboxes, "IDLE goes on in a mailbox that was deleted"),
                (None, _) => Ok(()),
                (Some(picture), _) => match everything.iter().find(|(key, ..)| *key == picture.mailbox) {
                    // More may be to come: nothing is learned from what looks right.
                    Some((.., truth)) => picture.clone().agrees_with(truth),
                    None => broken(Rule::Mailboxes, "IDLE goes on in a mailbox that LIST does not show"),
                },
            };
            let Err(Broken { why, .. }) = agreed else {
                return Ok(());
            };
            match player.wire.response_within(look.told_within).await? {
                Some(response) => player.hear(&response, scene)?,
                None => {
                    return broken(
                        Rule::IdleTells,
                        format!(
                            "in IDLE nothing more is told within {} s: {why}",
                            look.told_within.as_secs()
                        ),
                    );
                }
            }
        }
    }
}

/// Whether it may come right: what is done late makes a picture differ from what was seen before or after it. What breaks
/// another rule was never right.
fn may_pass(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::MessagesTold
            | Rule::FlagsTold
            | Rule::IdleTells
            | Rule::Search
            | Rule::Status
            | Rule::NothingLost
            | Rule::Mailboxes
    )
}

/// When it was found.
const QUIET: &str = "when all commands had been answered";

/// The messages of a mailbox, their UIDs and flags.
fn held(truth: &[Truth]) -> String {
    if truth.is_empty() {
        return "no message".to_owned();
    }
    let each: Vec<String> = truth
        .iter()
        .map(|t| format!("UID {} {}", t.uid, flags(&t.flags)))
        .collect();
    each.join(", ")
}

const SEARCH: Act = Act::Search {
    uid: true,
    numbers: false,
};

/// How long IDLE may take to tell: a timer of one second stands beneath a store of several processes.
const TOLD_WITHIN: Duration = Duration::from_secs(10);

/// After this time what is there is looked at again, if it may have changed.
const LOOKED_AGAIN: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
