//! What a simulated client makes of a response: each is checked against the rules and its picture.

use super::command::{Act, Sent, id_of};
use super::picture::{FlagSet, Picture};
use super::player::Player;
use super::rule::{Broken, Checked, Rule, broken, check};
use super::scene::Scene;
use crate::frame::shown;
use crate::response::{Condition, Response, set};

/// A response taken apart.
pub(super) fn parsed(octets: &[u8]) -> Checked<Response> {
    Response::parse(octets).map_err(|_| Broken {
        rule: Rule::Syntax,
        why: format!("this is no response that a server may send: {}", shown(octets)),
    })
}

/// Numbers as they stand in a response.
pub(super) fn numbers(numbers: &[u32]) -> String {
    match numbers {
        [] => "none".to_owned(),
        _ => numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(" "),
    }
}

impl Player {
    /// Hears one response.
    pub(super) fn hear(&mut self, octets: &[u8], scene: &mut Scene) -> Checked {
        scene.log.note(self.name, '<', octets);
        let response = parsed(octets)?;
        match response {
            Response::Continue => match self.waiting.front().map(|s| &s.act) {
                Some(Act::Idle) if !self.idle => self.idle = true,
                Some(Act::Append { .. }) if self.offering => self.offering = false,
                _ => {
                    return broken(
                        Rule::Answer,
                        "a continuation request (`+`) comes, and no command waits for one",
                    );
                }
            },
            Response::Condition(condition) if condition.tag == "*" => self.hear_untagged(&condition, scene)?,
            Response::Condition(condition) => self.hear_tagged(&condition, scene)?,
            Response::Exists(n) => {
                if self.opening.is_none() {
                    self.may_exist(n, scene)?;
                }
                self.told(scene)?.exists_told(n)?;
            }
            Response::Expunge(n) => {
                self.may_expunge(scene)?;
                self.told(scene)?.expunge_told(n)?;
            }
            Response::Fetch {
                seq,
                uid,
                flags,
                recent,
                body,
            } => self.hear_fetch(seq, uid, flags, recent, body.as_deref(), scene)?,
            Response::Search(found) => {
                self.hear_search(&found, scene)?;
                self.found = found;
            }
            Response::Status(_, items) => self.hear_status(&items, scene)?,
            Response::Recent(n) => self.told(scene)?.recent_told(n)?,
            Response::Other(_) => {}
        }
        Ok(())
    }

    /// The picture that untagged data is about.
    fn told(&mut self, scene: &Scene) -> Checked<&mut Picture> {
        let strict = scene.abilities.strict;
        let running = self.waiting.front();
        check(Rule::Answer, !strict || running.is_some(), || {
            "data about the mailbox come while no command is in progress".into()
        })?;
        let picture = self.opening.as_mut().or(self.picture.as_mut());
        picture.ok_or_else(|| Broken {
            rule: Rule::Answer,
            why: "data about a mailbox come, and none is selected".into(),
        })
    }

    /// RFC 3501 7.4.1, 5.5.
    fn may_expunge(&self, scene: &Scene) -> Checked {
        let strict = scene.abilities.strict;
        let Some(running) = self.waiting.front() else {
            return broken(Rule::ExpungeLegal, "EXPUNGE comes while no command is in progress");
        };
        let allowed = match strict {
            true => running.act.allows_expunge(true),
            // Several may run at once.
            false => self.waiting.iter().any(|sent| sent.act.allows_expunge(false)),
        };
        check(Rule::ExpungeLegal, allowed, || {
            format!("EXPUNGE comes while {} is being answered", running.tag)
        })?;
        match self.waiting.iter().skip(1).find(|sent| sent.act.uses_numbers()) {
            Some(behind) if strict && !running.act.expunges() => broken(
                Rule::HeldBack,
                format!(
                    "EXPUNGE changes what the sequence numbers of {} mean, which was sent before it",
                    behind.tag
                ),
            ),
            _ => Ok(()),
        }
    }

    /// RFC 3501 5.5: `*` of a command that was sent before is not to mean what its client had not seen.
    fn may_exist(&self, n: u32, scene: &Scene) -> Checked {
        let grows = self.picture.as_ref().is_some_and(|picture| n > picture.exists());
        let behind = self.waiting.iter().skip(1).find(|sent| sent.act.uses_star());
        match behind {
            Some(behind) if grows && scene.abilities.strict => broken(
                Rule::HeldBack,
                format!(
                    "EXISTS changes what `*` in {} means, which was sent before it",
                    behind.tag
                ),
            ),
            _ => Ok(()),
        }
    }

    fn hear_fetch(
        &mut self,
        seq: u32,
        uid: Option<u32>,
        flags: Option<FlagSet>,
        recent: bool,
        body: Option<&[u8]>,
        scene: &mut Scene,
    ) -> Checked {
        let picture = self.told(scene)?;
        picture.fetch_told(seq, uid, flags, recent)?;
        let (mailbox, read_only) = (picture.mailbox, picture.read_only);
        let session = (picture.session, picture.opened_at);
        if let (Some(uid), Some(id)) = (uid, body.and_then(id_of)) {
            scene.ledger.is_told(mailbox, uid, id)?;
        }
        let Some(message) = picture.messages.get((seq - 1) as usize) else {
            return Ok(());
        };
        if let Some(uid) = message.uid {
            if message.flags.as_ref().is_some_and(|flags| flags.contains("\\deleted")) {
                scene.ledger.may_bear_deleted(mailbox, uid);
            }
            if message.recent {
                let now = scene.clock;
                scene.ledger.recent_told(mailbox, uid, session, read_only, now)?;
            }
        }
        Ok(())
    }

    fn hear_search(&mut self, found: &[u32], scene: &Scene) -> Checked {
        let asked = self.waiting.iter().find_map(|sent| match sent.act {
            Act::Search { uid, .. } => Some(uid),
            _ => None,
        });
        let Some(uid) = asked else {
            return broken(Rule::Search, "a SEARCH response comes, and no SEARCH is in progress");
        };
        let strict = scene.abilities.strict;
        let picture = self.told(scene)?;
        check(Rule::Search, !strict || found.is_sorted_by(|a, b| a < b), || {
            format!("the numbers of SEARCH do not rise: {}", numbers(found))
        })?;
        let wrong = match uid {
            true => found.iter().find(|uid| picture.is_gone(**uid)),
            false => found.iter().find(|n| **n == 0 || **n > picture.exists()),
        };
        match (wrong, uid) {
            (None, _) => Ok(()),
            (Some(uid), true) => broken(Rule::Search, format!("SEARCH tells UID {uid}, whose EXPUNGE was told")),
            (Some(n), false) => broken(
                Rule::Search,
                format!("SEARCH tells message {n}, and EXISTS is {}", picture.exists()),
            ),
        }
    }

    fn hear_status(&mut self, items: &[(String, u32)], scene: &mut Scene) -> Checked {
        let asked = self.waiting.iter().find_map(|sent| match sent.act {
            Act::Status { mailbox, floor } => Some((mailbox, floor)),
            _ => None,
        });
        let Some((mailbox, floor)) = asked else {
            return Ok(());
        };
        let of = |name: &str| {
            items
                .iter()
                .find(|(n, _)| n.eq_ignore_ascii_case(name))
                .map(|(_, v)| *v)
        };
        if let Some(validity) = of("UIDVALIDITY") {
            scene.ledger.validity_told(mailbox, validity)?;
        }
        if let Some(next) = of("UIDNEXT") {
            scene.ledger.uid_next_told(mailbox, next, floor)?;
        }
        let messages = of("MESSAGES").unwrap_or(u32::MAX);
        let most = of("UNSEEN").max(of("RECENT")).unwrap_or(0);
        check(Rule::Status, most <= messages, || {
            format!("UNSEEN or RECENT is {most}, more than MESSAGES, which is {messages}")
        })
    }

    fn hear_untagged(&mut self, condition: &Condition, scene: &mut Scene) -> Checked {
        if condition.word == "BYE" {
            return broken(Rule::Connection, "BYE comes, and nobody sent LOGOUT");
        }
        if let Some(code) = condition.code("COPYUID") {
            return self.copied(&code, scene);
        }
        let number = |name| condition.code(name)?.first()?.parse::<u32>().ok();
        let Some(opening) = &mut self.opening else {
            return Ok(());
        };
        if let Some(validity) = number("UIDVALIDITY") {
            scene.ledger.validity_told(opening.mailbox, validity)?;
        }
        if let Some(next) = number("UIDNEXT").filter(|_| scene.abilities.strict) {
            opening.uid_next_told(next)?;
        }
        Ok(())
    }

    fn hear_tagged(&mut self, condition: &Condition, scene: &mut Scene) -> Checked {
        let strict = scene.abilities.strict;
        let at = self.waiting.iter().position(|sent| sent.tag == condition.tag);
        let Some((at, Sent { act, .. })) = at.and_then(|at| Some((at, self.waiting.get(at)?.clone()))) else {
            return broken(
                Rule::Answer,
                format!(
                    "an answer comes with the tag {}, and no command with it is in progress",
                    condition.tag
                ),
            );
        };
        check(Rule::Answer, at == 0 || !strict, || {
            format!("{} is answered before what was sent before it", condition.tag)
        })?;
        check(Rule::Answer, !self.idle || act != Act::Idle, || {
            "IDLE was answered before DONE".into()
        })?;
        self.last_was_ok = condition.word == "OK";
        match condition.word.as_str() {
            "OK" => self.succeeded(&act, condition, scene)?,
            "NO" => self.refused(&act, condition, scene)?,
            _ if self.doomed && !strict => {}
            _ => {
                return broken(
                    Rule::Answer,
                    format!("{} was answered {}", condition.tag, condition.word),
                );
            }
        }
        self.waiting.remove(at);
        if at == 0 {
            self.begins(scene);
        }
        Ok(())
    }

    fn succeeded(&mut self, act: &Act, condition: &Condition, scene: &mut Scene) -> Checked {
        let able = scene.abilities;
        match act {
            Act::Open { read_only, .. } => {
                let expected = match *read_only || !able.writable {
                    true => "READ-ONLY",
                    false => "READ-WRITE",
                };
                check(Rule::Answer, !able.strict || condition.code(expected).is_some(), || {
                    format!("the mailbox is opened without the response code [{expected}]")
                })?;
                self.picture = self.opening.take();
                if let Some(picture) = &mut self.picture {
                    picture.read_only |= condition.code("READ-ONLY").is_some();
                }
                self.doomed = false;
            }
            Act::OpenNothing => {
                return broken(
                    Rule::Mailboxes,
                    "SELECT of a mailbox that does not exist is answered OK",
                );
            }
            Act::Shut => {
                self.picture = None;
                self.doomed = false;
            }
            Act::Append { mailbox, id, floor } => match condition.code("APPENDUID") {
                Some(code) => {
                    let numbers: Vec<u32> = code.iter().filter_map(|n| n.parse().ok()).collect();
                    let [validity, uid] = numbers[..] else {
                        let why = format!("[APPENDUID {}] is not a UIDVALIDITY and one UID", code.join(" "));
                        return broken(Rule::UidPlus, why);
                    };
                    scene.ledger.validity_told(*mailbox, validity)?;
                    scene.ledger.made(*mailbox, uid, *id, *floor)?;
                }
                None => {
                    check(Rule::UidPlus, !able.uid_plus || !able.strict, || {
                        "APPEND is answered OK without [APPENDUID …]".into()
                    })?;
                    scene.ledger.made_somewhere(*mailbox, *id);
                }
            },
            Act::Copy { to, uids, .. } => match condition.code("COPYUID") {
                Some(code) => self.copied(&code, scene)?,
                // MOVE has it in an untagged OK; nothing copied has none.
                None if able.uid_plus => {}
                None => {
                    let from = self.picture.as_ref().map(|picture| picture.mailbox);
                    for uid in uids {
                        match from.and_then(|from| scene.ledger.id(from, *uid)) {
                            Some(id) => scene.ledger.may_be_made(*to, id),
                            None => scene.ledger.is_uncertain(*to),
                        }
                    }
                }
            },
            _ => {}
        }
        Ok(())
    }

    /// What may be refused: writing to what is read-only, numbers whose messages are gone, and all in a mailbox that is gone.
    fn refused(&mut self, act: &Act, condition: &Condition, scene: &Scene) -> Checked {
        let able = scene.abilities;
        let read_only = self.picture.as_ref().is_some_and(|p| p.read_only);
        let reads = matches!(
            act,
            Act::Open { .. } | Act::Shut | Act::Noop | Act::Idle | Act::Status { .. } | Act::Search { .. }
        );
        let fits = match act {
            Act::OpenNothing => true,
            // RFC 3501 6.4.2 knows no NO.
            Act::Shut => !able.strict,
            _ if self.doomed => true,
            Act::Mailbox => !able.strict || !able.writable,
            _ if !able.writable && !reads => true,
            Act::Store { .. } | Act::Expunge if read_only => condition.code == "NOPERM" || !able.strict,
            Act::Store { .. } | Act::Fetch { .. } | Act::Copy { .. } => {
                condition.code == "EXPUNGEISSUED" || !able.strict
            }
            _ => !able.strict && !reads,
        };
        check(Rule::Answer, fits, || {
            let code = match condition.code.as_str() {
                "" => String::new(),
                code => format!(" [{code}]"),
            };
            format!(
                "{} was answered NO{code}, and there is no reason to refuse it",
                condition.tag
            )
        })?;
        match act {
            // RFC 3501 6.3.1: after a failed SELECT no mailbox is selected.
            Act::Open { .. } | Act::OpenNothing => {
                (self.picture, self.opening, self.doomed) = (None, None, false);
            }
            Act::Store { uids, .. } => {
                for uid in uids {
                    if let Some(message) = self.picture.as_mut().and_then(|p| p.of_uid(*uid)) {
                        message.flags = message.flags.take().filter(|_| able.strict);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn copied(&self, code: &[&str], scene: &mut Scene) -> Checked {
        let copying = self.waiting.iter().find_map(|sent| match &sent.act {
            Act::Copy {
                uids, to, moves, floor, ..
            } => Some((uids, *to, *moves, *floor)),
            _ => None,
        });
        let (Some((uids, to, moves, floor)), Some(picture)) = (copying, &self.picture) else {
            return broken(Rule::UidPlus, "[COPYUID …] comes, and no COPY or MOVE is in progress");
        };
        let malformed = || {
            let why = format!("[COPYUID {}] is not a UIDVALIDITY and two sets of UIDs", code.join(" "));
            broken(Rule::UidPlus, why)
        };
        let [validity, old, new] = code[..] else {
            return malformed();
        };
        let (Ok(validity), Some(old), Some(new)) = (validity.parse(), set(old), set(new)) else {
            return malformed();
        };
        let fits = old.len() == new.len() && old.iter().all(|uid| uids.contains(uid));
        check(Rule::UidPlus, fits, || {
            format!(
                "[COPYUID {}] does not fit the command, which copies {}",
                code.join(" "),
                numbers(uids)
            )
        })?;
        scene.ledger.validity_told(to, validity)?;
        for (old, new) in old.iter().zip(&new) {
            scene.ledger.copied((picture.mailbox, *old), (to, *new), moves, floor)?;
        }
        Ok(())
    }

    /// The command at the front is the one being answered from now on.
    pub(super) fn begins(&mut self, scene: &mut Scene) {
        match self.waiting.front().map(|s| s.act.clone()) {
            Some(Act::Open { mailbox, read_only }) => {
                scene.sessions += 1;
                self.picture = None;
                let read_only = read_only || !scene.abilities.writable;
                self.opening = Some(Picture::new(mailbox, scene.sessions, scene.clock, read_only));
            }
            Some(Act::OpenNothing) => self.picture = None,
            Some(Act::Store {
                uids,
                sign,
                flag,
                silent: true,
                ..
            }) => self.stored(&uids, sign, flag),
            _ => {}
        }
    }

    /// RFC 3501 6.4.6: after .SILENT a client assumes that its change was made.
    fn stored(&mut self, uids: &[u32], sign: &str, flag: &str) {
        let Some(picture) = self.picture.as_mut().filter(|p| !p.read_only) else {
            return;
        };
        let flag = flag.to_ascii_lowercase();
        for uid in uids {
            let Some(message) = picture.of_uid(*uid) else { continue };
            match (sign, &mut message.flags) {
                ("+", Some(flags)) => drop(flags.insert(flag.clone())),
                ("-", Some(flags)) => drop(flags.remove(&flag)),
                ("", flags) => *flags = Some([flag.clone()].into()),
                _ => {}
            }
        }
    }
}
