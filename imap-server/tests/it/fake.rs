//! A backend of one mailbox that records what it is asked, and misbehaves as told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use imap_server::prelude::*;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::watch;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    ExistsFalls,
    NumberAboveExists,
    SectionTooLong,
    SectionTooShort,
    FailsWithinSentSection,
    FailsWithinUnsentSection,
    FailsBetweenMessages,
    EndMissing,
    FetchPanics,
    PollPanics,
    Internal,
    PollFails,
    Gone,
    FetchHangs,
    LoginHangs,
    AppendRefusedAfterTwoOctets,
    CommitFails,
    Missing,
    StoreWaits,
    PollHangs,
    ChangedLies,
}

pub struct Message {
    pub flags: Flags,
    pub body: Bytes,
}

pub struct World {
    pub calls: Vec<String>,
    pub fault: Option<Fault>,
    pub messages: BTreeMap<Uid, Message>,
    pub uid_next: u32,
    pub mailboxes: BTreeSet<String>,
    pub turn_away: Option<&'static str>,
    pub preauth: bool,
    pub read_only: bool,
    pub append_limit: Option<u64>,
    /// Of any session, and of the one that logs in.
    pub abilities: [Abilities; 2],
    pub polls: usize,
}

/// The backend; clones are the same.
#[derive(Clone)]
pub struct Fake(Arc<(Mutex<World>, watch::Sender<u64>)>);

pub const USER: &str = "demo";
pub const PASSWORD: &[u8] = b"secret";
pub const VALIDITY: UidValidity = UidValidity::MIN;

impl Fake {
    /// With so many messages in INBOX.
    pub fn new(messages: u32) -> Self {
        let world = World {
            calls: Vec::new(),
            fault: None,
            messages: BTreeMap::new(),
            uid_next: 1,
            mailboxes: ["INBOX", "Other"].map(String::from).into(),
            turn_away: None,
            preauth: false,
            read_only: false,
            append_limit: None,
            abilities: [Abilities::ALL; 2],
            polls: 0,
        };
        let fake = Self(Arc::new((Mutex::new(world), watch::Sender::new(0))));
        for n in 1..=messages {
            fake.arrive(format!("message {n}"));
        }
        fake
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.0.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub fn with(self, fault: Fault) -> Self {
        self.world().fault = Some(fault);
        self
    }

    /// A message arrives.
    pub fn arrive(&self, body: impl Into<Bytes>) -> Uid {
        let uid = self.world().add(body.into(), Flags::NONE);
        self.notify();
        uid
    }

    /// The same without waking anybody.
    pub fn remove_quietly(&self, uid: u32) {
        self.world().messages.remove(&Uid::new(uid).unwrap()).unwrap();
    }

    /// Another session removes a message.
    pub fn remove(&self, uid: u32) {
        self.world().messages.remove(&Uid::new(uid).unwrap()).unwrap();
        self.notify();
    }

    /// Another session changes flags.
    pub fn flag(&self, uid: u32, flags: Flags) {
        self.world().messages.get_mut(&Uid::new(uid).unwrap()).unwrap().flags = flags;
        self.notify();
    }

    pub fn notify(&self) {
        self.0.1.send_modify(|n| *n += 1);
    }

    /// What was asked since the last time.
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.world().calls)
    }

    fn call(&self, call: String) {
        self.world().calls.push(call);
    }

    fn has(&self, fault: Fault) -> bool {
        self.world().fault == Some(fault)
    }

    fn must_exist(&self, name: &MailboxName) -> Result<()> {
        if self.world().mailboxes.contains(name.as_str()) {
            Ok(())
        } else {
            Err(Error::not_found("no such mailbox"))
        }
    }
}

impl World {
    fn add(&mut self, body: Bytes, flags: Flags) -> Uid {
        let uid = Uid::new(self.uid_next).unwrap();
        self.uid_next += 1;
        self.messages.insert(uid, Message { flags, body });
        uid
    }
}

#[async_trait]
impl Backend for Fake {
    type Session = FakeSession;

    fn abilities(&self) -> Abilities {
        self.world().abilities[0]
    }

    async fn connect(&self, _: &ConnInfo) -> Result<Welcome<FakeSession>> {
        let world = self.world();
        Ok(match world.turn_away {
            Some(text) => Welcome::TurnAway(text.into()),
            None if world.preauth => Welcome::PreAuth(FakeSession {
                fake: self.clone(),
                user: "preauth".into(),
            }),
            None => Welcome::Greet,
        })
    }

    async fn login(&self, _: &Ctx<'_>, who: Credentials<'_>) -> Result<FakeSession> {
        self.call(format!("login {}", who.user()));
        if self.has(Fault::LoginHangs) {
            std::future::pending::<()>().await;
        }
        let Credentials::Password { user, password } = who else {
            return Err(Error::authentication_failed());
        };
        // `ü` for a name beyond US-ASCII; any `user…` for caps.
        if password != PASSWORD || !(user == USER || user == "jürgen" || user.starts_with("user")) {
            return Err(Error::authentication_failed());
        }
        Ok(FakeSession {
            fake: self.clone(),
            user: user.into(),
        })
    }
}

pub struct FakeSession {
    fake: Fake,
    user: String,
}

#[async_trait]
impl Session for FakeSession {
    type Mailbox = FakeMailbox;

    fn user(&self) -> &str {
        &self.user
    }

    async fn list(&mut self, _: &Ctx<'_>, query: &ListQuery, out: &mut dyn ListSink) -> Result<()> {
        self.fake.call(format!("list {:?} lsub={}", query.patterns, query.lsub));
        let names: Vec<_> = self.fake.world().mailboxes.iter().cloned().collect();
        for name in names {
            let mut attributes = Attributes::default();
            if name == "Junk" {
                attributes.special_use.push(SpecialUse::Junk);
            }
            out.put(&ListEntry::new(MailboxName::new(&name).unwrap(), attributes));
            if out.is_full() {
                out.ready().await?;
            }
        }
        Ok(())
    }

    async fn status(&mut self, _: &Ctx<'_>, name: &MailboxName, _: StatusItems) -> Result<Status> {
        self.fake.call(format!("status {name}"));
        if self.fake.has(Fault::Internal) {
            return Err(Error::internal("the disk is on fire"));
        }
        self.fake.must_exist(name)?;
        let world = self.fake.world();
        let mut status = Status::new(VALIDITY);
        status.messages = world.messages.len() as u32;
        status.uid_next = Uid::new(world.uid_next);
        Ok(status)
    }

    async fn create(&mut self, _: &Ctx<'_>, name: &MailboxName, uses: &[SpecialUse]) -> Result<()> {
        self.fake.call(format!("create {name} {uses:?}"));
        match self.fake.world().mailboxes.insert(name.to_string()) {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::AlreadyExists, "there is one")),
        }
    }

    async fn delete(&mut self, _: &Ctx<'_>, name: &MailboxName) -> Result<()> {
        self.fake.call(format!("delete {name}"));
        self.fake.must_exist(name)?;
        self.fake.world().mailboxes.remove(name.as_str());
        Ok(())
    }

    async fn rename(&mut self, _: &Ctx<'_>, from: &MailboxName, to: &MailboxName) -> Result<()> {
        self.fake.call(format!("rename {from} {to}"));
        self.fake.must_exist(from)
    }

    async fn subscribe(&mut self, _: &Ctx<'_>, name: &MailboxName, subscribed: bool) -> Result<()> {
        self.fake.call(format!("subscribe {name} {subscribed}"));
        Ok(())
    }

    async fn select(&mut self, _: &Ctx<'_>, name: &MailboxName, access: Access) -> Result<(FakeMailbox, Selected)> {
        self.fake.call(format!("select {name} {access:?}"));
        self.fake.must_exist(name)?;
        let world = self.fake.world();
        let view = world
            .messages
            .iter()
            .map(|(uid, m)| (*uid, m.flags.clone()))
            .collect::<Vec<_>>();
        let mut selected = Selected::new(VALIDITY);
        selected.exists = view.len() as u32;
        selected.uid_next = Uid::new(world.uid_next);
        let unseen = view.iter().position(|(_, f)| !f.has(SystemFlag::Seen));
        selected.unseen = unseen.and_then(|i| Seq::new(i as u32 + 1));
        selected.read_only = world.read_only || access == Access::ReadOnly;
        if !selected.read_only {
            selected.permanent = PermanentFlags::All;
        }
        let mailbox = FakeMailbox {
            fake: self.fake.clone(),
            view,
            changes: self.fake.0.1.subscribe(),
            seen_generation: *self.fake.0.1.borrow(),
        };
        Ok((mailbox, selected))
    }

    async fn append<'s>(&'s mut self, _: &Ctx<'_>, to: &MailboxName) -> Result<Box<dyn Append + 's>> {
        self.fake.call(format!("append {to}"));
        self.fake.must_exist(to)?;
        Ok(Box::new(FakeAppend {
            fake: self.fake.clone(),
            taken: Vec::new(),
        }))
    }

    fn abilities(&self) -> Abilities {
        self.fake.world().abilities[1]
    }

    fn append_limit(&self) -> Option<u64> {
        self.fake.world().append_limit
    }
}

struct FakeAppend {
    fake: Fake,
    taken: Vec<(Flags, Bytes)>,
}

#[async_trait]
impl Append for FakeAppend {
    async fn message(
        &mut self,
        options: AppendOptions,
        size: u64,
        body: &mut (dyn AsyncRead + Send + Unpin),
    ) -> Result<()> {
        self.fake.call(format!("message {size} {:?}", options.flags));
        if self.fake.has(Fault::AppendRefusedAfterTwoOctets) {
            body.read_exact(&mut [0; 2]).await?;
            return Err(Error::new(ErrorKind::OverQuota, "two octets are too many"));
        }
        let mut octets = Vec::new();
        body.read_to_end(&mut octets).await?;
        assert_eq!(octets.len() as u64, size);
        self.taken.push((options.flags, octets.into()));
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<Appended> {
        if self.fake.has(Fault::CommitFails) {
            return Err(Error::new(ErrorKind::Unavailable, "not now"));
        }
        let uids = {
            let mut world = self.fake.world();
            self.taken
                .iter()
                .map(|(f, b)| world.add(b.clone(), f.clone()))
                .collect()
        };
        self.fake.notify();
        Ok(Appended::new(VALIDITY, uids))
    }
}

impl Drop for FakeAppend {
    fn drop(&mut self) {
        self.fake.call("append dropped".into());
    }
}

pub struct FakeMailbox {
    fake: Fake,
    /// What the client was told.
    view: Vec<(Uid, Flags)>,
    changes: watch::Receiver<u64>,
    seen_generation: u64,
}

impl FakeMailbox {
    fn uids(&self, set: &NumSet) -> Vec<(Seq, Uid)> {
        let numbered = self.view.iter().enumerate();
        let numbered = numbered.map(|(i, (uid, _))| (Seq::new(i as u32 + 1).unwrap(), *uid));
        let wanted = |(seq, uid): &(Seq, Uid)| match set {
            NumSet::Seq(set) => set.contains(*seq),
            NumSet::Uid(set) => set.contains(*uid),
        };
        numbered.filter(wanted).collect()
    }

    fn matches(&self, seq: Seq, uid: Uid, key: &SearchKey) -> bool {
        match key {
            SearchKey::All => true,
            SearchKey::Set(NumSet::Seq(set)) => set.contains(seq),
            SearchKey::Set(NumSet::Uid(set)) => set.contains(uid),
            SearchKey::Has(flag) => self
                .fake
                .world()
                .messages
                .get(&uid)
                .is_some_and(|m| m.flags.contains(flag)),
            SearchKey::Not(key) => !self.matches(seq, uid, key),
            _ => false,
        }
    }

    async fn put_message(&self, seq: Seq, uid: Uid, want: &Fetch, out: &mut dyn FetchSink) -> Result<()> {
        let fault = self.fake.world().fault;
        let (body, flags, newly_seen) = {
            let mut world = self.fake.world();
            let Some(message) = world.messages.get_mut(&uid) else {
                return Ok(());
            };
            let newly_seen = want.set_seen && !message.flags.has(SystemFlag::Seen);
            if newly_seen {
                message.flags = message.flags.clone().with(SystemFlag::Seen);
            }
            (message.body.clone(), message.flags.clone(), newly_seen)
        };
        let seq = if fault == Some(Fault::NumberAboveExists) {
            Seq::MAX
        } else {
            seq
        };
        out.begin(seq, uid);
        for item in &want.items {
            match item {
                FetchItem::Flags => out.flags(&flags, false),
                FetchItem::Rfc822Size => out.rfc822_size(body.len() as u64),
                FetchItem::Section(section) => {
                    out.section(section, Some(body.len() as u64));
                    match fault {
                        Some(Fault::SectionTooLong) => {
                            out.data(&body);
                            out.data(b"and more");
                        }
                        Some(Fault::SectionTooShort) => out.data(&body[1..]),
                        Some(Fault::FailsWithinUnsentSection) => {
                            out.data(&body[1..]);
                            return Err(Error::internal("the body has a hole"));
                        }
                        Some(Fault::FailsWithinSentSection) => {
                            out.data(&body[1..]);
                            out.ready().await?;
                            return Err(Error::internal("the body has a hole"));
                        }
                        _ => {
                            for piece in body.chunks(64 * 1024) {
                                out.data(piece);
                                if out.is_full() {
                                    out.ready().await?;
                                }
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        if newly_seen && !want.wants(&FetchItem::Flags) {
            out.flags(&flags, false);
        }
        if fault != Some(Fault::EndMissing) {
            out.end();
        }
        if out.is_full() {
            out.ready().await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Mailbox for FakeMailbox {
    fn last_uid(&self) -> Option<Uid> {
        self.view.last().map(|(uid, _)| *uid)
    }

    async fn fetch(&mut self, _: &Ctx<'_>, set: &NumSet, want: &Fetch, out: &mut dyn FetchSink) -> Result<Fetched> {
        self.fake.call(format!("fetch {set:?} seen={}", want.set_seen));
        let fault = self.fake.world().fault;
        match fault {
            Some(Fault::FetchPanics) => panic!("the index is damaged"),
            Some(Fault::FetchHangs) => {
                let _dropped = Dropped(self.fake.clone());
                std::future::pending::<()>().await;
            }
            _ => {}
        }
        for (seq, uid) in self.uids(set) {
            self.put_message(seq, uid, want, out).await?;
            if fault == Some(Fault::FailsBetweenMessages) {
                return Err(Error::new(ErrorKind::Unavailable, "come back later"));
            }
            let flags = self.fake.world().messages.get(&uid).map(|m| m.flags.clone());
            if let Some(flags) = flags {
                self.view[seq.get() as usize - 1].1 = flags;
            }
        }
        Ok(Fetched::with_missing(fault == Some(Fault::Missing)))
    }

    async fn store_ahead(&mut self, _: &Ctx<'_>, waiting: &[WaitingStore]) {
        let sets: Vec<String> = waiting.iter().map(|one| format!("{:?}", one.set)).collect();
        self.fake.call(format!("ahead {}", sets.join(" ")));
    }

    async fn store(
        &mut self,
        _: &Ctx<'_>,
        set: &NumSet,
        change: &FlagChange,
        silent: bool,
        out: &mut Updates<'_>,
    ) -> Result<Stored> {
        self.fake.call(format!("store {set:?} {change:?} silent={silent}"));
        if self.fake.has(Fault::StoreWaits) {
            let cut_off = Dropped(self.fake.clone());
            tokio::time::sleep(Duration::from_secs(20)).await;
            std::mem::forget(cut_off);
            self.fake.call("stored".into());
        }
        for (seq, uid) in self.uids(set) {
            let flags = {
                let mut world = self.fake.world();
                let Some(message) = world.messages.get_mut(&uid) else {
                    continue;
                };
                message.flags = change.apply(&message.flags);
                message.flags.clone()
            };
            self.view[seq.get() as usize - 1].1 = flags.clone();
            if !silent && let Some(mut to) = out.flags() {
                to.put(seq, uid, &flags, false, Some(ModSeq(7)));
            }
        }
        self.fake.notify();
        Ok(Stored::with_missing(self.fake.has(Fault::Missing)))
    }

    async fn search(&mut self, _: &Ctx<'_>, key: &SearchKey, out: &mut dyn SearchSink) -> Result<()> {
        self.fake.call(format!("search {key:?}"));
        for (i, (uid, _)) in self.view.iter().enumerate() {
            let seq = Seq::new(i as u32 + 1).unwrap();
            if self.matches(seq, *uid, key) {
                out.put(seq, *uid);
            }
        }
        if self.fake.has(Fault::FailsBetweenMessages) {
            return Err(Error::new(ErrorKind::Unavailable, "come back later"));
        }
        Ok(())
    }

    async fn copy(&mut self, _: &Ctx<'_>, set: &NumSet, to: &MailboxName) -> Result<Copied> {
        self.fake.call(format!("copy {set:?} {to}"));
        self.fake.must_exist(to)?;
        let uids = self
            .uids(set)
            .into_iter()
            .map(|(_, uid)| (uid, Uid::new(uid.get() + 100).unwrap()));
        Ok(Copied::new(VALIDITY, uids.collect()))
    }

    async fn r#move(&mut self, ctx: &Ctx<'_>, set: &NumSet, to: &MailboxName) -> Result<Copied> {
        let copied = self.copy(ctx, set, to).await?;
        for (uid, _) in &copied.uids {
            self.fake.world().messages.remove(uid);
        }
        self.fake.notify();
        Ok(copied)
    }

    async fn expunge(&mut self, _: &Ctx<'_>, uids: Option<&UidSet>) -> Result<()> {
        self.fake.call(format!("expunge {uids:?}"));
        let announced: BTreeSet<Uid> = self.view.iter().map(|(uid, _)| *uid).collect();
        self.fake.world().messages.retain(|uid, m| {
            let named = uids.is_none_or(|set| set.contains(*uid));
            !(m.flags.has(SystemFlag::Deleted) && named && announced.contains(uid))
        });
        self.fake.notify();
        Ok(())
    }

    async fn changed(&mut self, rights: Rights) {
        let untold = |fake: &Fake, view: &[(Uid, Flags)]| {
            let world = fake.world();
            let gone = rights.expunge && view.iter().any(|(uid, _)| !world.messages.contains_key(uid));
            let flags = view
                .iter()
                .any(|(uid, f)| world.messages.get(uid).is_some_and(|m| m.flags != *f));
            let last = view.last().map(|(uid, _)| *uid);
            let new = world.messages.keys().next_back().copied() > last;
            world.fault == Some(Fault::ChangedLies)
                || gone
                || rights.flags && flags
                || rights.exists && new
                || world.fault == Some(Fault::Gone)
        };
        loop {
            if untold(&self.fake, &self.view) {
                return;
            }
            let seen = self.seen_generation;
            if self.changes.wait_for(|n| *n > seen).await.is_err() {
                return std::future::pending().await;
            }
            self.seen_generation = *self.changes.borrow();
        }
    }

    async fn poll(&mut self, _: &Ctx<'_>, out: &mut Updates<'_>) -> Result<()> {
        let (fault, now) = {
            let mut world = self.fake.world();
            world.polls += 1;
            let now: BTreeMap<Uid, Flags> = world.messages.iter().map(|(u, m)| (*u, m.flags.clone())).collect();
            (world.fault, now)
        };
        match fault {
            Some(Fault::PollHangs) => std::future::pending::<()>().await,
            Some(Fault::PollPanics) => panic!("the poll is damaged"),
            Some(Fault::Gone) => return Err(Error::new(ErrorKind::MailboxGone, "The mailbox was deleted")),
            Some(Fault::PollFails) => return Err(Error::internal("the poll failed")),
            Some(Fault::ExistsFalls) => {
                if let Some(mut to) = out.exists() {
                    to.put(0, 0);
                }
                return Ok(());
            }
            _ => {}
        }
        if let Some(mut to) = out.flags() {
            for (i, (uid, told)) in self.view.iter_mut().enumerate() {
                if let Some(flags) = now.get(uid).filter(|f| *f != told) {
                    to.put(Seq::new(i as u32 + 1).unwrap(), *uid, flags, false, Some(ModSeq(7)));
                    *told = flags.clone();
                }
            }
        }
        if let Some(mut to) = out.expunges() {
            for i in (0..self.view.len()).rev() {
                let uid = self.view[i].0;
                if !now.contains_key(&uid) {
                    to.put(Seq::new(i as u32 + 1).unwrap(), uid);
                    self.view.remove(i);
                }
            }
        }
        if let Some(mut to) = out.exists() {
            let last = self.last_uid();
            let new = now.iter().filter(|(uid, _)| Some(**uid) > last);
            let before = self.view.len();
            self.view.extend(new.map(|(uid, f)| (*uid, f.clone())));
            if self.view.len() > before {
                to.put(self.view.len() as u32, 0);
            }
        }
        Ok(())
    }
}

/// Records that a call was cut off.
struct Dropped(Fake);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.call("dropped".into());
    }
}

/// Longer than anything here takes.
pub const LONG: Duration = Duration::from_secs(24 * 3600);
