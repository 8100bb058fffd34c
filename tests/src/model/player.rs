//! A simulated client: sends random commands, and checks each response against the rules and its picture.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::Log;
use super::act::{self, Act, Sent};
use super::ledger::{Ledger, Truth};
use super::picture::{Checked, Picture};
use crate::frame::{Framing, response_len};
use crate::message::Random;
use crate::response::{Condition, Response, set};
use crate::stream::BoxedStream;

const DEADLINE: Duration = Duration::from_secs(30);

/// One client.
pub(super) struct Player {
    name: usize,
    wire: Wire,
    pub(super) picture: Option<Picture>,
    /// The mailbox that a SELECT is just opening.
    opening: Option<Picture>,
    waiting: VecDeque<Sent>,
    idle: bool,
    tags: u32,
}

impl Player {
    pub(super) async fn login(name: usize, stream: BoxedStream, log: &mut Log) -> Checked<Self> {
        let mut wire = Wire::new(stream);
        wire.response().await?;
        log.note(name, '>', b"login LOGIN demo secret");
        wire.send(b"login LOGIN demo secret\r\n").await?;
        let answer = wire.response().await?;
        if !answer.starts_with(b"login OK ") {
            return Err("LOGIN was refused".into());
        }
        Ok(Self {
            name,
            wire,
            picture: None,
            opening: None,
            waiting: VecDeque::new(),
            idle: false,
            tags: 0,
        })
    }

    /// Whether answers are to come.
    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether it is in IDLE.
    pub(super) fn is_idle(&self) -> bool {
        self.idle
    }

    /// Its connection is cut: what it had sent may have been done, or not.
    pub(super) fn gives_up(&self, ledger: &mut Ledger) {
        let writes = |sent: &Sent| matches!(sent.act, Act::Append { .. } | Act::Copy { .. });
        if self.waiting.iter().any(writes) {
            ledger.is_uncertain();
        }
    }

    /// Sends one command, or up to four in one write.
    pub(super) async fn send(&mut self, random: &mut Random, ledger: &mut Ledger, log: &mut Log) -> Checked {
        let mut octets = Vec::new();
        let most = if random.one_in(3) { random.below(4) + 1 } else { 1 };
        for _ in 0..most {
            let (words, act) = act::next(random, self.picture.as_ref(), &mut ledger.last_id);
            self.tags += 1;
            let tag = format!("{}a{}", self.name, self.tags);
            let line = format!("{tag} {words}\r\n");
            log.note(self.name, '>', line.as_bytes());
            octets.extend_from_slice(line.as_bytes());
            self.warn(&act, ledger);
            // What comes behind would have to know how these end.
            let last = act.expunges() || matches!(act, Act::Open { .. } | Act::Shut | Act::Idle);
            self.waiting.push_back(Sent { tag, act });
            if last {
                break;
            }
        }
        self.begins();
        self.wire.send(&octets).await
    }

    /// Notes which messages may go by what is being sent.
    fn warn(&self, act: &Act, ledger: &mut Ledger) {
        let Some(picture) = &self.picture else { return };
        let uids = match act {
            Act::Store {
                flag: "\\Deleted",
                sign,
                uids,
                ..
            } if *sign != "-" => uids,
            Act::Copy { moves: true, uids, .. } => uids,
            _ => return,
        };
        uids.iter().for_each(|uid| ledger.may_be_gone(&picture.mailbox, *uid));
    }

    pub(super) async fn done(&mut self, log: &mut Log) -> Checked {
        log.note(self.name, '>', b"DONE");
        self.idle = false;
        self.wire.send(b"DONE\r\n").await
    }

    pub(super) async fn noop(&mut self, ledger: &mut Ledger, log: &mut Log) -> Checked {
        self.tags += 1;
        let tag = format!("{}n{}", self.name, self.tags);
        log.note(self.name, '>', format!("{tag} NOOP").as_bytes());
        self.wire.send(format!("{tag} NOOP\r\n").as_bytes()).await?;
        self.waiting.push_back(Sent { tag, act: Act::Noop });
        self.hear_all(ledger, log).await
    }

    /// Hears everything up to the answer of the last command; in IDLE, up to its continuation.
    pub(super) async fn hear_all(&mut self, ledger: &mut Ledger, log: &mut Log) -> Checked {
        while self.waits() && !self.idle {
            let response = self.wire.response().await?;
            self.hear(&response, ledger, log)?;
        }
        Ok(())
    }

    /// Hears what has come already.
    pub(super) async fn hear_what_is_there(&mut self, ledger: &mut Ledger, log: &mut Log) -> Checked {
        tokio::task::yield_now().await;
        while let Some(response) = self.wire.response_if_there().await? {
            self.hear(&response, ledger, log)?;
        }
        Ok(())
    }

    fn hear(&mut self, octets: &[u8], ledger: &mut Ledger, log: &mut Log) -> Checked {
        log.note(self.name, '<', octets);
        match Response::parse(octets)? {
            Response::Continue => match self.waiting.front().map(|s| &s.act) {
                Some(Act::Idle) if !self.idle => self.idle = true,
                _ => return Err("a continuation that nobody asked for".into()),
            },
            Response::Condition(condition) if condition.tag == "*" => self.hear_untagged(&condition, ledger)?,
            Response::Condition(condition) => self.hear_tagged(&condition, ledger)?,
            Response::Exists(n) => self.told()?.exists_told(n)?,
            Response::Expunge(n) => {
                self.may_expunge()?;
                self.told()?.expunge_told(n)?;
            }
            Response::Recent(n) if n > self.told()?.exists() => {
                return Err(format!("{n} recent are more than there are"));
            }
            Response::Fetch {
                seq, uid, flags, body, ..
            } => self.hear_fetch(seq, uid, flags, body.as_deref(), ledger)?,
            Response::Search(found) => self.hear_search(&found)?,
            Response::Status(..) | Response::Recent(_) | Response::Other(_) => {}
        }
        Ok(())
    }

    /// The picture that untagged data is about.
    fn told(&mut self) -> Checked<&mut Picture> {
        let picture = self.opening.as_mut().or(self.picture.as_mut());
        picture.ok_or_else(|| "data about a mailbox, and none is selected".into())
    }

    /// RFC 3501 7.4.1, 5.5.
    fn may_expunge(&self) -> Checked {
        let Some(running) = self.waiting.front() else {
            return Err("EXPUNGE while no command runs".into());
        };
        if !running.act.allows_expunge() {
            return Err(format!("EXPUNGE while {:?} is answered", running.act));
        }
        let behind = self.waiting.iter().skip(1).find(|s| s.act.uses_numbers());
        match behind {
            Some(sent) if !running.act.expunges() => {
                Err(format!("EXPUNGE shifts the numbers of {}, sent before it", sent.tag))
            }
            _ => Ok(()),
        }
    }

    fn hear_fetch(
        &mut self,
        seq: u32,
        uid: Option<u32>,
        flags: Option<BTreeSet<String>>,
        body: Option<&[u8]>,
        ledger: &mut Ledger,
    ) -> Checked {
        let picture = self.told()?;
        picture.fetch_told(seq, uid, flags)?;
        if let (Some(uid), Some(id)) = (uid, body.and_then(id_of)) {
            ledger.is_told(&picture.mailbox, uid, id)?;
        }
        let told = picture.messages.get((seq - 1) as usize);
        if let Some((uid, flags)) = told.and_then(|m| Some((m.uid?, m.flags.as_ref()?)))
            && flags.contains("\\deleted")
        {
            ledger.may_be_gone(&picture.mailbox, uid);
        }
        Ok(())
    }

    fn hear_search(&mut self, found: &[u32]) -> Checked {
        let Some(Act::Search { uid, .. }) = self.waiting.front().map(|s| s.act.clone()) else {
            return Err("a SEARCH response that nobody asked for".into());
        };
        let picture = self.told()?;
        if !found.is_sorted_by(|a, b| a < b) {
            return Err(format!("{found:?} does not rise"));
        }
        let wrong = match uid {
            true => found.iter().find(|uid| picture.is_gone(**uid)),
            false => found.iter().find(|n| **n == 0 || **n > picture.exists()),
        };
        wrong.map_or(Ok(()), |n| Err(format!("SEARCH found {n}, which is not there")))
    }

    fn hear_untagged(&mut self, condition: &Condition, ledger: &mut Ledger) -> Checked {
        if condition.word == "BYE" {
            return Err("BYE that nobody asked for".into());
        }
        if let Some(code) = condition.code("COPYUID") {
            return self.copied(&code, ledger);
        }
        if let (Some(opening), Some(code)) = (&mut self.opening, condition.code("UIDVALIDITY")) {
            opening.uid_validity = code
                .first()
                .and_then(|v| v.parse().ok())
                .ok_or("UIDVALIDITY is no number")?;
        }
        Ok(())
    }

    fn hear_tagged(&mut self, condition: &Condition, ledger: &mut Ledger) -> Checked {
        let Some(Sent { tag, act }) = self.waiting.front().cloned() else {
            return Err("an answer that nobody waits for".into());
        };
        if tag != condition.tag {
            return Err(format!(
                "the answer to {}, and {tag} is not answered yet",
                condition.tag
            ));
        }
        if self.idle {
            return Err("IDLE was answered before DONE".into());
        }
        match condition.word.as_str() {
            "OK" => self.succeeded(&act, condition, ledger)?,
            "NO" => self.refused(&act, condition)?,
            _ => return Err(format!("{act:?} was answered {}", condition.word)),
        }
        self.waiting.pop_front();
        self.begins();
        Ok(())
    }

    fn succeeded(&mut self, act: &Act, condition: &Condition, ledger: &mut Ledger) -> Checked {
        match act {
            Act::Open { read_only, .. } => {
                let expected = if *read_only { "READ-ONLY" } else { "READ-WRITE" };
                if condition.code(expected).is_none() {
                    return Err(format!("opened without {expected}"));
                }
                self.picture = self.opening.take();
            }
            Act::Shut => self.picture = None,
            Act::Append { mailbox, id } => {
                let code = condition.code("APPENDUID").ok_or("APPEND without APPENDUID")?;
                let uid = code
                    .get(1)
                    .and_then(|u| u.parse().ok())
                    .ok_or("APPENDUID is no number")?;
                ledger.is(mailbox, uid, *id)?;
            }
            Act::Copy { .. } => {
                if let Some(code) = condition.code("COPYUID") {
                    self.copied(&code, ledger)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What may be refused: writing to what was opened by EXAMINE, and numbers whose messages are gone.
    fn refused(&mut self, act: &Act, condition: &Condition) -> Checked {
        let read_only = self.picture.as_ref().is_some_and(|p| p.read_only);
        let fits = match condition.code.as_str() {
            "NOPERM" => read_only && matches!(act, Act::Store { .. } | Act::Expunge),
            "EXPUNGEISSUED" => matches!(act, Act::Store { .. } | Act::Fetch { .. } | Act::Copy { .. }),
            _ => false,
        };
        match fits {
            true => Ok(()),
            false => Err(format!("{act:?} was answered NO [{}]", condition.code)),
        }
    }

    fn copied(&self, code: &[&str], ledger: &mut Ledger) -> Checked {
        let (Some(Act::Copy { uids, to, moves, .. }), Some(picture)) =
            (self.waiting.front().map(|s| &s.act), &self.picture)
        else {
            return Err("COPYUID where nothing is copied".into());
        };
        let sets = (code.get(1).and_then(|s| set(s)), code.get(2).and_then(|s| set(s)));
        let (Some(old), Some(new)) = sets else {
            return Err(format!("COPYUID with {code:?}"));
        };
        if old.len() != new.len() || old.iter().any(|uid| !uids.contains(uid)) {
            return Err(format!("COPYUID {code:?} is not of {uids:?}"));
        }
        old.iter()
            .zip(&new)
            .try_for_each(|(old, new)| ledger.copied(&picture.mailbox, *old, to, *new, *moves))
    }

    /// The command at the front is the one being answered from now on.
    fn begins(&mut self) {
        match self.waiting.front().map(|s| s.act.clone()) {
            Some(Act::Open { mailbox, read_only }) => {
                self.picture = None;
                self.opening = Some(Picture::new(&mailbox, read_only));
            }
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
        for uid in uids {
            let Some(n) = picture.number_of(*uid) else { continue };
            let flag = flag.to_ascii_lowercase();
            let flags = &mut picture.messages[n as usize - 1].flags;
            match (sign, flags) {
                ("+", Some(flags)) => drop(flags.insert(flag)),
                ("-", Some(flags)) => drop(flags.remove(&flag)),
                ("", flags) => *flags = Some([flag].into()),
                _ => {}
            }
        }
    }
}

/// A session that is told nothing falsified, and opens a mailbox anew each time it is asked.
pub(super) struct Witness {
    wire: Wire,
}

impl Witness {
    pub(super) async fn login(stream: BoxedStream) -> Checked<Self> {
        let mut wire = Wire::new(stream);
        wire.send(b"login LOGIN demo secret\r\n").await?;
        while !wire.response().await?.starts_with(b"login OK ") {}
        Ok(Self { wire })
    }

    /// What is in a mailbox.
    pub(super) async fn truth(&mut self, mailbox: &str) -> Checked<Vec<Truth>> {
        let lines =
            format!("b EXAMINE {mailbox}\r\nc UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (X-ID)])\r\nd UNSELECT\r\n");
        self.wire.send(lines.as_bytes()).await?;
        let mut all = Vec::new();
        loop {
            match Response::parse(&self.wire.response().await?)? {
                Response::Fetch {
                    uid: Some(uid),
                    flags: Some(flags),
                    body: Some(body),
                    ..
                } => all.push(Truth {
                    uid,
                    flags,
                    id: id_of(&body).unwrap_or(0),
                }),
                Response::Condition(c) if c.tag != "*" && c.word != "OK" => {
                    return Err(format!("{} was refused", c.tag));
                }
                Response::Condition(c) if c.tag == "d" => return Ok(all),
                _ => {}
            }
        }
    }
}

/// The number in a message's `X-Id`.
fn id_of(header: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(header).ok()?;
    text.strip_prefix("X-Id: ")?.split("\r\n").next()?.parse().ok()
}

/// A connection that hears whole responses.
struct Wire {
    stream: BoxedStream,
    unread: BytesMut,
}

impl Wire {
    fn new(stream: BoxedStream) -> Self {
        Self {
            stream,
            unread: BytesMut::new(),
        }
    }

    async fn send(&mut self, octets: &[u8]) -> Checked {
        self.stream.write_all(octets).await.map_err(|e| e.to_string())?;
        self.stream.flush().await.map_err(|e| e.to_string())
    }

    fn take(&mut self) -> Checked<Option<Vec<u8>>> {
        match response_len(&self.unread) {
            Framing::Whole(len) => {
                let whole = self.unread.split_to(len);
                Ok(Some(whole[..len - 2].to_vec()))
            }
            Framing::More => Ok(None),
            Framing::Broken(why) => Err(why.to_owned()),
        }
    }

    async fn response(&mut self) -> Checked<Vec<u8>> {
        loop {
            if let Some(response) = self.take()? {
                return Ok(response);
            }
            let read = timeout(DEADLINE, self.stream.read_buf(&mut self.unread)).await;
            match read {
                Ok(Ok(0)) => return Err("the server closed the connection".into()),
                Ok(Ok(_)) => {}
                Ok(Err(e)) => return Err(e.to_string()),
                Err(_) => return Err("no answer in time".into()),
            }
        }
    }

    /// What can be had without waiting.
    async fn response_if_there(&mut self) -> Checked<Option<Vec<u8>>> {
        loop {
            if let Some(response) = self.take()? {
                return Ok(Some(response));
            }
            let Self { stream, unread } = self;
            let read = tokio::select! {
                biased;
                read = stream.read_buf(unread) => Some(read),
                () = std::future::ready(()) => None,
            };
            match read {
                None => return Ok(None),
                Some(Ok(0)) => return Err("the server closed the connection".into()),
                Some(Ok(_)) => {}
                Some(Err(e)) => return Err(e.to_string()),
            }
        }
    }
}
