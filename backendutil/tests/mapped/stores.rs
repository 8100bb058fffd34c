//! Stores to put [`Mapped`] over: with four methods, with mod-sequences, and a wrapper that pauses, hides and records.
//!
//! [`Mapped`]: backendutil::Mapped

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::Poll;

use async_trait::async_trait;
use backend_api::{
    Abilities, Account, Appended, Changes, Copied, Credentials, DateTime, Error, ErrorKind, FlagChange, Flags,
    FlagsChanged, Load, Loaded, MailStore, MailboxEntry, MailboxId, MailboxName, MessageBody, MessageEntry, Messages,
    ModSeq, NewMessage, Remove, Result, SpecialUse, SystemFlag, Uid, UidSet, UidValidity, Watcher,
};

/// What the smallest store there can be holds: 7 messages in INBOX, 2 in `archive`.
pub(crate) struct ReadOnly(pub(crate) Mutex<BTreeMap<u32, Flags>>);

impl ReadOnly {
    pub(crate) fn new() -> Self {
        Self(Mutex::new((1..=7).map(|n| (n, Flags::NONE)).collect()))
    }
}

#[async_trait]
impl MailStore for ReadOnly {
    async fn login(&self, who: Credentials<'_>) -> Result<Account> {
        Ok(Account::new(who.user()))
    }

    async fn mailboxes(&self, _: &Account) -> Result<Vec<MailboxEntry>> {
        Ok(vec![MailboxEntry::new(1, "INBOX"), MailboxEntry::new(2, "archive")])
    }

    async fn messages(&self, _: &Account, mailbox: MailboxId) -> Result<Messages> {
        let all = self.0.lock().unwrap();
        let entry = |(n, flags): (&u32, &Flags)| MessageEntry::new(Uid::new(*n).unwrap()).with_flags(flags.clone());
        match mailbox {
            1 => Ok(all.iter().map(entry).collect::<Vec<_>>().into()),
            _ => Ok(vec![MessageEntry::new(Uid::MIN), MessageEntry::new(Uid::MAX)].into()),
        }
    }

    async fn body(&self, _: &Account, _: MailboxId, uid: Uid) -> Result<MessageBody> {
        match self.0.lock().unwrap().contains_key(&uid.get()) {
            true => Ok(format!("Subject: {uid}\r\n\r\nText {uid}\r\n").into_bytes().into()),
            false => Err(Error::not_found("gone")),
        }
    }
}

/// How a store with mod-sequences tells of its changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Push {
    /// As changes, in order.
    Changes,
    /// That there is one.
    Hint,
    Nothing,
}

/// A store with mod-sequences, which keeps what was removed until it is reclaimed.
pub(crate) struct ModSeqStore {
    push: Push,
    /// `changes_since` does not know.
    pub(crate) forgetful: AtomicBool,
    watcher: OnceLock<Arc<dyn Watcher>>,
    boxes: Mutex<BTreeMap<MailboxId, Box_>>,
}

struct Box_ {
    name: MailboxName,
    messages: BTreeMap<Uid, Message>,
    removed: BTreeMap<Uid, (ModSeq, Message)>,
    highest: ModSeq,
    next: u32,
    first_recent: Uid,
}

#[derive(Clone)]
struct Message {
    flags: Flags,
    date: DateTime,
    body: bytes::Bytes,
    mod_seq: ModSeq,
}

impl Message {
    fn entry(&self, uid: Uid) -> MessageEntry {
        MessageEntry::new(uid)
            .with_flags(self.flags.clone())
            .with_date(self.date)
            .with_size(self.body.len() as u64)
            .with_mod_seq(self.mod_seq)
    }
}

fn new_box(name: MailboxName) -> Box_ {
    Box_ {
        name,
        messages: BTreeMap::new(),
        removed: BTreeMap::new(),
        highest: ModSeq(1),
        next: 1,
        first_recent: Uid::MIN,
    }
}

fn gone() -> Error {
    Error::not_found("no such mailbox")
}

impl Box_ {
    fn add(&mut self, message: Message, mod_seq: ModSeq) -> Uid {
        let uid = Uid::new(self.next).unwrap();
        self.next += 1;
        self.messages.insert(uid, Message { mod_seq, ..message });
        uid
    }

    fn of(&self, uids: &UidSet) -> Vec<(Uid, Message)> {
        let all = self.messages.iter().filter(|(uid, _)| uids.contains(**uid));
        all.map(|(uid, m)| (*uid, m.clone())).collect()
    }

    fn remove(&mut self, uid: Uid, mod_seq: ModSeq) {
        if let Some(message) = self.messages.remove(&uid) {
            self.removed.insert(uid, (mod_seq, message));
        }
    }

    fn changes(&self, from: ModSeq) -> Changes {
        let mut changes = Changes::default();
        changes.from = from;
        changes.to = self.highest;
        let set = self.messages.iter().filter(|(_, m)| m.mod_seq > from);
        changes.set = set.map(|(uid, m)| m.entry(*uid)).collect();
        let gone = self.removed.iter().filter(|(_, (m, _))| *m > from);
        changes.vanished = gone.map(|(uid, _)| *uid).collect();
        changes.uid_next = Uid::new(self.next);
        changes
    }
}

impl ModSeqStore {
    pub(crate) fn new(push: Push) -> Self {
        let names = ["INBOX", "other", "third"].map(|n| MailboxName::new(n).unwrap());
        Self {
            push,
            forgetful: AtomicBool::new(false),
            watcher: OnceLock::new(),
            boxes: Mutex::new((1..).zip(names.map(new_box)).collect()),
        }
    }

    /// A change under the next mod-sequence; told in order, before the lock is given back.
    fn change<T>(&self, account: &Account, id: MailboxId, act: impl FnOnce(&mut Box_, ModSeq) -> T) -> Result<T> {
        let mut boxes = self.boxes.lock().unwrap();
        self.change_locked(&mut boxes, account, id, act)
    }

    fn change_locked<T>(
        &self,
        boxes: &mut BTreeMap<MailboxId, Box_>,
        account: &Account,
        id: MailboxId,
        act: impl FnOnce(&mut Box_, ModSeq) -> T,
    ) -> Result<T> {
        let mailbox = boxes.get_mut(&id).ok_or_else(gone)?;
        let before = mailbox.highest;
        mailbox.highest = before.next();
        let result = act(mailbox, before.next());
        self.tell(account, id, mailbox.changes(before));
        Ok(result)
    }

    fn tell(&self, account: &Account, id: MailboxId, changes: Changes) {
        let Some(watcher) = self.watcher.get() else { return };
        match self.push {
            Push::Changes => watcher.mailbox(account, id, Some(changes)),
            Push::Hint => watcher.mailbox(account, id, None),
            Push::Nothing => {}
        }
    }

    /// How many messages are kept although they were removed.
    pub(crate) fn kept(&self, id: MailboxId) -> usize {
        self.boxes.lock().unwrap().get(&id).map_or(0, |b| b.removed.len())
    }
}

#[async_trait]
impl MailStore for ModSeqStore {
    async fn login(&self, who: Credentials<'_>) -> Result<Account> {
        Ok(Account::new(who.user()))
    }

    async fn mailboxes(&self, _: &Account) -> Result<Vec<MailboxEntry>> {
        let boxes = self.boxes.lock().unwrap();
        let entry = |(id, b): (&MailboxId, &Box_)| {
            let validity = UidValidity::new(u32::try_from(*id).unwrap()).unwrap();
            MailboxEntry::named(*id, b.name.clone()).with_uid_validity(validity)
        };
        Ok(boxes.iter().map(entry).collect())
    }

    async fn messages(&self, _: &Account, mailbox: MailboxId) -> Result<Messages> {
        let boxes = self.boxes.lock().unwrap();
        let mailbox = boxes.get(&mailbox).ok_or_else(gone)?;
        let mut messages = Messages::from(mailbox.messages.iter().map(|(u, m)| m.entry(*u)).collect::<Vec<_>>());
        messages.highest_mod_seq = mailbox.highest;
        messages.uid_next = Uid::new(mailbox.next);
        messages.first_recent = Some(mailbox.first_recent);
        Ok(messages)
    }

    async fn body(&self, _: &Account, mailbox: MailboxId, uid: Uid) -> Result<MessageBody> {
        let boxes = self.boxes.lock().unwrap();
        let mailbox = boxes.get(&mailbox).ok_or_else(gone)?;
        let kept = mailbox.removed.get(&uid).map(|(_, m)| m);
        let message = mailbox.messages.get(&uid).or(kept);
        message
            .map(|m| m.body.clone().into())
            .ok_or_else(|| Error::not_found("gone"))
    }

    fn abilities(&self, _: Option<&Account>) -> Abilities {
        Abilities::ALL
    }

    fn has_mod_seqs(&self) -> bool {
        true
    }

    fn attach(&self, watcher: Arc<dyn Watcher>) {
        self.watcher.set(watcher).ok();
    }

    async fn changes_since(&self, _: &Account, mailbox: MailboxId, since: ModSeq) -> Result<Option<Changes>> {
        if self.forgetful.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let boxes = self.boxes.lock().unwrap();
        Ok(Some(boxes.get(&mailbox).ok_or_else(gone)?.changes(since)))
    }

    async fn add(&self, account: &Account, id: MailboxId, messages: Vec<NewMessage>) -> Result<Appended> {
        let mut new = Vec::new();
        for message in messages {
            let body = message.read_all(1 << 20).await?;
            new.push(Message {
                flags: message.flags,
                date: message.date,
                body,
                mod_seq: ModSeq::ZERO,
            });
        }
        let uids = self.change(account, id, |b, m| new.into_iter().map(|x| b.add(x, m)).collect())?;
        Ok(Appended::new(
            UidValidity::new(u32::try_from(id).unwrap()).unwrap(),
            uids,
        ))
    }

    async fn set_flags(
        &self,
        account: &Account,
        id: MailboxId,
        uids: &UidSet,
        change: &FlagChange,
        _: Option<ModSeq>,
    ) -> Result<FlagsChanged> {
        self.change(account, id, |b, mod_seq| {
            for (uid, message) in &mut b.messages {
                let flags = change.apply(&message.flags);
                if uids.contains(*uid) && flags != message.flags {
                    message.flags = flags;
                    message.mod_seq = mod_seq;
                }
            }
            // Allowed: the watcher hears of it, or the store is asked.
            FlagsChanged::default()
        })
    }

    async fn set_flags_each(
        &self,
        account: &Account,
        id: MailboxId,
        changes: Vec<(UidSet, FlagChange)>,
    ) -> Result<bool> {
        self.change(account, id, |b, mod_seq| {
            for (uids, change) in changes {
                for (_, message) in b.messages.iter_mut().filter(|(uid, _)| uids.contains(**uid)) {
                    message.flags = change.apply(&message.flags);
                    message.mod_seq = mod_seq;
                }
            }
            true
        })
    }

    async fn remove(&self, account: &Account, id: MailboxId, uids: &UidSet, which: Remove) -> Result<UidSet> {
        self.change(account, id, |b, mod_seq| {
            let goes = |m: &Message| which == Remove::All || m.flags.has(SystemFlag::Deleted);
            let gone: UidSet = b
                .of(uids)
                .into_iter()
                .filter(|(_, m)| goes(m))
                .map(|(uid, _)| uid)
                .collect();
            gone.iter().for_each(|uid| b.remove(uid, mod_seq));
            gone
        })
    }

    async fn copy(
        &self,
        account: &Account,
        from: MailboxId,
        uids: &UidSet,
        to: MailboxId,
        all: bool,
    ) -> Result<Option<Copied>> {
        let mut boxes = self.boxes.lock().unwrap();
        let messages = boxes.get(&from).ok_or_else(gone)?.of(uids);
        if all && messages.len() as u64 != uids.len() {
            return Err(Error::new(ErrorKind::ExpungeIssued, "some are gone"));
        }
        let pairs = self.change_locked(&mut boxes, account, to, |b, m| {
            let add = |(uid, message)| (uid, b.add(message, m));
            messages.into_iter().map(add).collect()
        })?;
        Ok(Some(Copied::new(
            UidValidity::new(u32::try_from(to).unwrap()).unwrap(),
            pairs,
        )))
    }

    async fn r#move(&self, account: &Account, from: MailboxId, uids: &UidSet, to: MailboxId) -> Result<Option<Copied>> {
        let mut boxes = self.boxes.lock().unwrap();
        let messages = boxes.get(&from).ok_or_else(gone)?.of(uids);
        let pairs: Vec<(Uid, Uid)> = self.change_locked(&mut boxes, account, to, |b, m| {
            let add = |(uid, message)| (uid, b.add(message, m));
            messages.into_iter().map(add).collect()
        })?;
        self.change_locked(&mut boxes, account, from, |b, m| {
            pairs.iter().for_each(|(old, _)| b.remove(*old, m));
        })?;
        Ok(Some(Copied::new(
            UidValidity::new(u32::try_from(to).unwrap()).unwrap(),
            pairs,
        )))
    }

    async fn create(&self, _: &Account, name: &MailboxName, _: &[SpecialUse]) -> Result<()> {
        let mut boxes = self.boxes.lock().unwrap();
        let id = boxes.keys().last().unwrap() + 100;
        boxes.insert(id, new_box(name.clone()));
        Ok(())
    }

    async fn delete(&self, account: &Account, mailbox: MailboxId, name: &MailboxName) -> Result<()> {
        let removed = self.boxes.lock().unwrap().remove(&mailbox).ok_or_else(gone)?;
        assert_eq!(removed.name, *name);
        let mut changes = Changes::default();
        changes.deleted = true;
        self.tell(account, mailbox, changes);
        Ok(())
    }

    async fn rename(&self, account: &Account, from: &MailboxName, to: &MailboxName) -> Result<()> {
        if !from.is_inbox() {
            let mut boxes = self.boxes.lock().unwrap();
            let renamed = boxes.values_mut().find(|b| b.name == *from).ok_or_else(gone)?;
            renamed.name = to.clone();
            return Ok(());
        }
        self.create(account, to, &[]).await?;
        let target = *self.boxes.lock().unwrap().keys().last().unwrap();
        let all = UidSet::run(Uid::MIN, Uid::MAX);
        self.r#move(account, 1, &all, target).await.map(drop)
    }

    async fn first_recent(&self, _: &Account, mailbox: MailboxId, below: Uid, claim: bool) -> Result<Uid> {
        let mut boxes = self.boxes.lock().unwrap();
        let mailbox = boxes.get_mut(&mailbox).ok_or_else(gone)?;
        let first = mailbox.first_recent.min(below);
        if claim {
            mailbox.first_recent = mailbox.first_recent.max(below);
        }
        Ok(first)
    }

    fn reclaim(&self, _: &Account, mailbox: MailboxId, uids: &UidSet, _: ModSeq) {
        if let Some(mailbox) = self.boxes.lock().unwrap().get_mut(&mailbox) {
            mailbox.removed.retain(|uid, _| !uids.contains(*uid));
        }
    }
}

/// A store as it is, but: each call can be made to pause before and after its work, COPY and MOVE can be hidden, and what
/// is to be reclaimed is written down.
pub(crate) struct Around<S> {
    pub(crate) inner: S,
    pub(crate) pauses: AtomicBool,
    pub(crate) by_hand: bool,
    /// Several changes as one operation are refused.
    pub(crate) each_fails: AtomicBool,
    pub(crate) reclaimed: Mutex<Vec<String>>,
    pub(crate) lists: AtomicUsize,
    /// The UIDs that messages were loaded by.
    pub(crate) loaded: Mutex<Vec<u32>>,
    /// Those of them whose octets behind the header were asked for.
    pub(crate) whole: Mutex<Vec<u32>>,
}

impl<S> Around<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self {
            inner,
            pauses: AtomicBool::new(false),
            by_hand: false,
            each_fails: AtomicBool::new(false),
            reclaimed: Mutex::default(),
            lists: AtomicUsize::new(0),
            loaded: Mutex::default(),
            whole: Mutex::default(),
        }
    }

    pub(crate) fn by_hand(inner: S) -> Self {
        Self {
            by_hand: true,
            ..Self::new(inner)
        }
    }

    async fn pausing<T>(&self, work: impl Future<Output = T>) -> T {
        self.pause().await;
        let done = work.await;
        self.pause().await;
        done
    }

    async fn pause(&self) {
        let mut paused = !self.pauses.load(Ordering::Relaxed);
        std::future::poll_fn(|cx| {
            if std::mem::replace(&mut paused, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

#[async_trait]
impl<S: MailStore> MailStore for Around<S> {
    async fn login(&self, who: Credentials<'_>) -> Result<Account> {
        self.inner.login(who).await
    }

    async fn mailboxes(&self, account: &Account) -> Result<Vec<MailboxEntry>> {
        self.pausing(self.inner.mailboxes(account)).await
    }

    async fn messages(&self, account: &Account, mailbox: MailboxId) -> Result<Messages> {
        self.lists.fetch_add(1, Ordering::Relaxed);
        self.pausing(self.inner.messages(account, mailbox)).await
    }

    async fn body(&self, account: &Account, mailbox: MailboxId, uid: Uid) -> Result<MessageBody> {
        self.pausing(self.inner.body(account, mailbox, uid)).await
    }

    fn abilities(&self, account: Option<&Account>) -> Abilities {
        self.inner.abilities(account)
    }

    async fn add(&self, account: &Account, mailbox: MailboxId, messages: Vec<NewMessage>) -> Result<Appended> {
        self.pausing(self.inner.add(account, mailbox, messages)).await
    }

    async fn set_flags(
        &self,
        account: &Account,
        mailbox: MailboxId,
        uids: &UidSet,
        change: &FlagChange,
        since: Option<ModSeq>,
    ) -> Result<FlagsChanged> {
        self.pausing(self.inner.set_flags(account, mailbox, uids, change, since))
            .await
    }

    async fn set_flags_each(
        &self,
        account: &Account,
        mailbox: MailboxId,
        changes: Vec<(UidSet, FlagChange)>,
    ) -> Result<bool> {
        if self.each_fails.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Limit, "too much at once"));
        }
        self.pausing(self.inner.set_flags_each(account, mailbox, changes)).await
    }

    async fn remove(&self, account: &Account, mailbox: MailboxId, uids: &UidSet, which: Remove) -> Result<UidSet> {
        self.pausing(self.inner.remove(account, mailbox, uids, which)).await
    }

    async fn copy(
        &self,
        account: &Account,
        from: MailboxId,
        uids: &UidSet,
        to: MailboxId,
        all: bool,
    ) -> Result<Option<Copied>> {
        match self.by_hand {
            true => Ok(None),
            false => self.pausing(self.inner.copy(account, from, uids, to, all)).await,
        }
    }

    async fn r#move(&self, account: &Account, from: MailboxId, uids: &UidSet, to: MailboxId) -> Result<Option<Copied>> {
        match self.by_hand {
            true => Ok(None),
            false => self.pausing(self.inner.r#move(account, from, uids, to)).await,
        }
    }

    async fn create(&self, account: &Account, name: &MailboxName, special_use: &[SpecialUse]) -> Result<()> {
        self.pausing(self.inner.create(account, name, special_use)).await
    }

    async fn delete(&self, account: &Account, mailbox: MailboxId, name: &MailboxName) -> Result<()> {
        self.pausing(self.inner.delete(account, mailbox, name)).await
    }

    async fn rename(&self, account: &Account, from: &MailboxName, to: &MailboxName) -> Result<()> {
        self.pausing(self.inner.rename(account, from, to)).await
    }

    async fn subscribe(&self, account: &Account, name: &MailboxName, subscribed: bool) -> Result<()> {
        self.pausing(self.inner.subscribe(account, name, subscribed)).await
    }

    async fn load(
        &self,
        account: &Account,
        mailbox: MailboxId,
        uids: &[Uid],
        what: Load,
    ) -> Result<(Vec<Loaded>, usize)> {
        let outcome = self.pausing(self.inner.load(account, mailbox, uids, what)).await;
        let covered = outcome.as_ref().map_or(0, |(_, covered)| *covered);
        let asked = || uids.iter().take(covered).map(|uid| uid.get());
        self.loaded.lock().unwrap().extend(asked());
        if what.body {
            self.whole.lock().unwrap().extend(asked());
        }
        outcome
    }

    async fn changes_since(&self, account: &Account, mailbox: MailboxId, since: ModSeq) -> Result<Option<Changes>> {
        self.pausing(self.inner.changes_since(account, mailbox, since)).await
    }

    fn has_mod_seqs(&self) -> bool {
        self.inner.has_mod_seqs()
    }

    async fn first_recent(&self, account: &Account, mailbox: MailboxId, below: Uid, claim: bool) -> Result<Uid> {
        self.pausing(self.inner.first_recent(account, mailbox, below, claim))
            .await
    }

    fn view(&self, account: &Account, mailbox: MailboxId) -> Option<Box<dyn Any + Send + Sync>> {
        self.inner.view(account, mailbox)
    }

    fn reclaim(&self, account: &Account, mailbox: MailboxId, uids: &UidSet, up_to: ModSeq) {
        if !uids.is_empty() {
            self.reclaimed.lock().unwrap().push(format!("{mailbox}: {uids}"));
        }
        self.inner.reclaim(account, mailbox, uids, up_to);
    }

    fn attach(&self, watcher: Arc<dyn Watcher>) {
        self.inner.attach(watcher);
    }

    fn refresh(&self) {
        self.inner.refresh();
    }
}
