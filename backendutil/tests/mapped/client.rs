//! Clients of tier 1 whose sinks write down what they are told, a line for each response.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use backend_api::{
    Access, Account, AppendOptions, Backend, BodySection, Bytes, ConnInfo, Copied, Credentials, Ctx, DateTime, Error,
    Fetch, FetchItem, FetchSink, Flag, FlagChange, Flags, Keyword, MailStore, Mailbox, MailboxName, ModSeq, NewMessage,
    NumSet, Remove, Result, Rights, SearchKey, SearchSink, Selected, Seq, SeqSet, Session, SystemFlag, Uid, UidSet,
    UpdateSink, Updates, WaitingStore,
};
use backendutil::{Hub, Mapped, MappedMailbox, MappedSession};

use crate::stores::Around;

/// A store behind [`Mapped`], and the application that owns it.
pub(crate) struct World<S: MailStore> {
    pub(crate) backend: Mapped<Around<S>>,
    pub(crate) hub: Hub,
    pub(crate) account: Account,
}

impl<S: MailStore> World<S> {
    pub(crate) async fn new(store: Around<S>) -> Self {
        let backend: Mapped<Around<S>> = Mapped::new(Arc::new(store));
        let (hub, account) = (backend.hub(), Account::new("demo"));
        for name in ["other", "third"] {
            let name = MailboxName::new(name).unwrap();
            if backend.store().inner.mailbox(&account, &name).await.unwrap().is_none() {
                backend.store().inner.create(&account, &name, &[]).await.unwrap();
            }
        }
        Self { backend, hub, account }
    }

    /// The same with so many messages in INBOX, which are recent no more.
    pub(crate) async fn with_messages(store: Around<S>, count: usize) -> Self {
        let world = Self::new(store).await;
        world.deliver(1, count).await;
        drop(world.select("INBOX").await);
        world
    }

    pub(crate) fn store(&self) -> &Around<S> {
        self.backend.store()
    }

    /// New messages from the application, which says so afterwards.
    pub(crate) async fn deliver(&self, mailbox: u64, count: usize) {
        self.deliver_unheard(mailbox, count).await;
        self.hub.changed(&self.account, mailbox);
    }

    pub(crate) async fn deliver_unheard(&self, mailbox: u64, count: usize) {
        let new = |_| {
            let body = Bytes::from_static(b"Subject: hello\r\n\r\nText.\r\n");
            let size = body.len() as u64;
            let body = backend_api::Incoming::Body(body.into());
            NewMessage::new(Flags::NONE, DateTime::new(0, 0), size, body)
        };
        let new = (0..count).map(new).collect();
        self.store().inner.add(&self.account, mailbox, new).await.unwrap();
    }

    pub(crate) async fn remove(&self, mailbox: u64, uids: &str) {
        let uids = uid_set(uids);
        let store = &self.store().inner;
        store.remove(&self.account, mailbox, &uids, Remove::All).await.unwrap();
        self.hub.changed(&self.account, mailbox);
    }

    pub(crate) async fn flag(&self, mailbox: u64, uids: &str, flags: &str) {
        let change = FlagChange::Replace(self::flags(flags));
        let store = &self.store().inner;
        let uids = uid_set(uids);
        store
            .set_flags(&self.account, mailbox, &uids, &change, None)
            .await
            .unwrap();
        self.hub.changed(&self.account, mailbox);
    }

    /// What the store holds: `1 (\Seen)`.
    pub(crate) async fn truth(&self, mailbox: u64) -> Vec<String> {
        let messages = self.store().inner.messages(&self.account, mailbox).await.unwrap();
        let line = |e: &backend_api::MessageEntry| format!("{} {}", e.uid, e.flags);
        messages.entries.iter().map(line).collect()
    }

    pub(crate) async fn session(&self) -> MappedSession<Around<S>> {
        let conn = ConnInfo::default();
        let who = Credentials::password("demo", b"secret");
        self.backend.login(&Ctx::new(&conn), who).await.unwrap()
    }

    pub(crate) async fn select(&self, name: &str) -> Client<S> {
        self.open(name, Access::ReadWrite).await.unwrap().0
    }

    pub(crate) async fn open(&self, name: &str, access: Access) -> Result<(Client<S>, Selected)> {
        let conn = ConnInfo::default();
        let mut session = self.session().await;
        let name = MailboxName::new(name).unwrap();
        let (mailbox, selected) = session.select(&Ctx::new(&conn), &name, access).await?;
        let client = Client {
            mailbox,
            session,
            picture: Picture::of(selected.exists),
        };
        Ok((client, selected))
    }
}

/// What a client knows from what it was told alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Picture {
    /// For each number the UID and the flags, where they were told.
    pub(crate) messages: Vec<Option<(Uid, String)>>,
    lines: Vec<String>,
    full: bool,
}

impl Picture {
    fn of(exists: u32) -> Self {
        Self {
            messages: vec![None; exists as usize],
            ..Self::default()
        }
    }

    fn learn(&mut self, seq: Seq, uid: Uid, flags: &Flags) {
        let place = &mut self.messages[seq.get() as usize - 1];
        if let Some((known, _)) = place {
            assert_eq!(*known, uid, "number {seq} means another message");
        }
        *place = Some((uid, flags.to_string()));
    }
}

fn with_recent(flags: &Flags, recent: bool) -> String {
    let text = flags.to_string();
    match (recent, text.as_str()) {
        (false, _) => text,
        (true, "()") => "(\\Recent)".into(),
        (true, _) => text.replace(')', " \\Recent)"),
    }
}

#[async_trait]
impl UpdateSink for Picture {
    fn flags(&mut self, seq: Seq, uid: Uid, flags: &Flags, recent: bool, _: Option<ModSeq>) {
        self.learn(seq, uid, flags);
        self.lines.push(format!("{seq} FETCH {}", with_recent(flags, recent)));
        self.full = true;
    }

    fn expunge(&mut self, seq: Seq, uid: Uid) {
        let known = self.messages.remove(seq.get() as usize - 1);
        assert!(
            known.is_none_or(|(known, _)| known == uid),
            "EXPUNGE {seq} is another message"
        );
        self.lines.push(format!("{seq} EXPUNGE"));
        self.full = true;
    }

    fn exists(&mut self, exists: u32, recent: u32) {
        assert!(exists as usize >= self.messages.len(), "EXISTS falls");
        self.messages.resize(exists as usize, None);
        self.lines.push(format!("{exists} EXISTS {recent} RECENT"));
    }

    fn keywords(&mut self, keywords: &[Keyword]) {
        let keywords: Vec<_> = keywords.iter().map(Keyword::as_str).collect();
        self.lines.push(format!("FLAGS ({})", keywords.join(" ")));
    }

    fn is_full(&self) -> bool {
        self.full
    }

    async fn ready(&mut self) -> Result<()> {
        self.full = false;
        Ok(())
    }
}

#[async_trait]
impl FetchSink for Picture {
    fn begin(&mut self, seq: Seq, uid: Uid) {
        self.lines.push(format!("{seq} FETCH UID {uid}"));
        let place = &mut self.messages[seq.get() as usize - 1];
        let flags = place.take().map_or_else(String::new, |(known, flags)| {
            assert_eq!(known, uid, "number {seq} means another message");
            flags
        });
        *place = Some((uid, flags));
    }

    fn flags(&mut self, flags: &Flags, recent: bool) {
        let line = self.lines.last_mut().unwrap();
        let seq: usize = line.split(' ').next().unwrap().parse().unwrap();
        line.push_str(&format!(" {}", with_recent(flags, recent)));
        self.messages[seq - 1].as_mut().unwrap().1 = flags.to_string();
    }

    fn internal_date(&mut self, date: DateTime) {
        self.lines
            .last_mut()
            .unwrap()
            .push_str(&format!(" date {}", date.unix()));
    }

    fn rfc822_size(&mut self, octets: u64) {
        self.lines.last_mut().unwrap().push_str(&format!(" size {octets}"));
    }

    fn mod_seq(&mut self, mod_seq: ModSeq) {
        self.lines.last_mut().unwrap().push_str(&format!(" modseq {mod_seq}"));
    }

    fn envelope(&mut self, _: &[u8]) {
        self.lines.last_mut().unwrap().push_str(" envelope");
    }

    fn body(&mut self, _: &[u8]) {}

    fn body_structure(&mut self, _: &[u8]) {}

    fn section(&mut self, _: &BodySection, octets: Option<u64>) {
        let octets = octets.map_or_else(|| "NIL".into(), |n| n.to_string());
        self.lines.last_mut().unwrap().push_str(&format!(" body {octets}"));
    }

    fn data(&mut self, _: &[u8]) {}

    fn end(&mut self) {
        self.full = true;
    }

    fn is_full(&self) -> bool {
        self.full
    }

    async fn ready(&mut self) -> Result<()> {
        self.full = false;
        Ok(())
    }
}

#[async_trait]
impl SearchSink for Picture {
    fn put(&mut self, seq: Seq, uid: Uid) {
        self.lines.push(format!("{seq}={uid}"));
    }

    fn is_full(&self) -> bool {
        true
    }

    async fn ready(&mut self) -> Result<()> {
        Ok(())
    }
}

/// A connection with a selected mailbox.
pub(crate) struct Client<S: MailStore> {
    pub(crate) mailbox: MappedMailbox<Around<S>>,
    pub(crate) session: MappedSession<Around<S>>,
    pub(crate) picture: Picture,
}

/// Lines, then the outcome if it is not plainly OK.
fn lines(picture: &mut Picture, outcome: Result<bool>) -> Vec<String> {
    let mut lines = std::mem::take(&mut picture.lines);
    match outcome {
        Ok(false) => {}
        Ok(true) => lines.push("missing".into()),
        Err(error) => lines.push(format!("{:?}", error.kind())),
    }
    lines
}

fn copied(result: Result<Copied>) -> String {
    match result {
        Ok(done) => {
            let pairs: Vec<String> = done.uids.iter().map(|(old, new)| format!("{old}>{new}")).collect();
            let missing = if done.missing { " missing" } else { "" };
            format!("{}{missing}", pairs.join(" "))
        }
        Err(error) => format!("{:?}", error.kind()),
    }
}

impl<S: MailStore> Client<S> {
    pub(crate) async fn poll(&mut self, rights: Rights) -> Vec<String> {
        let conn = ConnInfo::default();
        let mut updates = Updates::new(&mut self.picture, rights);
        let outcome = self.mailbox.poll(&Ctx::new(&conn), &mut updates).await;
        lines(&mut self.picture, outcome.map(|()| false))
    }

    pub(crate) async fn noop(&mut self) -> Vec<String> {
        self.poll(Rights::ALL).await
    }

    /// STORE, without the poll behind it. `change` is `+`, `-` or nothing before flags.
    pub(crate) async fn store(&mut self, set: &NumSet, change: &str, silent: bool) -> Vec<String> {
        let change = flag_change(change);
        let conn = ConnInfo::default();
        let mut updates = Updates::new(&mut self.picture, Rights::NO_EXPUNGE);
        let outcome = self
            .mailbox
            .store(&Ctx::new(&conn), set, &change, silent, &mut updates)
            .await;
        if silent && outcome.is_ok() {
            self.assume(set, &change);
        }
        lines(&mut self.picture, outcome.map(|s| s.missing))
    }

    /// Several STORE commands wait.
    pub(crate) async fn store_ahead(&mut self, stores: &[(NumSet, &str)]) {
        let waiting = |(set, change): &(NumSet, &str)| WaitingStore::new(set.clone(), flag_change(change));
        let waiting: Vec<_> = stores.iter().map(waiting).collect();
        self.mailbox
            .store_ahead(&Ctx::new(&ConnInfo::default()), &waiting)
            .await;
    }

    /// What a client thinks that its silent STORE did.
    fn assume(&mut self, set: &NumSet, change: &FlagChange) {
        for (seq, message) in (1..).map(|n| Seq::new(n).unwrap()).zip(&mut self.picture.messages) {
            let Some((uid, known)) = message else { continue };
            let named = match set {
                NumSet::Seq(set) => set.contains(seq),
                NumSet::Uid(set) => set.contains(*uid),
            };
            if named && !known.is_empty() {
                *known = change.apply(&flags(known.trim_matches(['(', ')']))).to_string();
            }
        }
    }

    pub(crate) async fn fetch(&mut self, set: &NumSet, want: &Fetch) -> Vec<String> {
        let conn = ConnInfo::default();
        let outcome = self.mailbox.fetch(&Ctx::new(&conn), set, want, &mut self.picture).await;
        lines(&mut self.picture, outcome.map(|f| f.missing))
    }

    pub(crate) async fn search(&mut self, key: &SearchKey) -> Vec<String> {
        let conn = ConnInfo::default();
        let outcome = self.mailbox.search(&Ctx::new(&conn), key, &mut self.picture).await;
        lines(&mut self.picture, outcome.map(|()| false))
    }

    pub(crate) async fn copy(&mut self, set: &NumSet, to: &str) -> String {
        let conn = ConnInfo::default();
        let to = MailboxName::new(to).unwrap();
        copied(self.mailbox.copy(&Ctx::new(&conn), set, &to).await)
    }

    pub(crate) async fn r#move(&mut self, set: &NumSet, to: &str) -> String {
        let conn = ConnInfo::default();
        let to = MailboxName::new(to).unwrap();
        copied(self.mailbox.r#move(&Ctx::new(&conn), set, &to).await)
    }

    pub(crate) async fn expunge(&mut self) -> Result<(), Error> {
        self.mailbox.expunge(&Ctx::new(&ConnInfo::default()), None).await
    }

    pub(crate) async fn append(&mut self, to: &str) -> Uid {
        let conn = ConnInfo::default();
        let to = MailboxName::new(to).unwrap();
        let mut append = self.session.append(&Ctx::new(&conn), &to).await.unwrap();
        let text = b"Subject: x\r\n\r\nx\r\n";
        let options = AppendOptions::default();
        append
            .message(options, text.len() as u64, &mut text.as_slice())
            .await
            .unwrap();
        append.commit().await.unwrap().uids[0]
    }

    /// The whole picture as this client could have it: what it does not know yet it asks.
    pub(crate) async fn whole(&mut self) -> Vec<String> {
        self.noop().await;
        let known: BTreeMap<u32, String> = (1..)
            .zip(&self.picture.messages)
            .filter_map(|(seq, m)| m.as_ref().filter(|m| !m.1.is_empty()).map(|m| (seq, m.1.clone())))
            .collect();
        if let Some(last) = Seq::new(u32::try_from(self.picture.messages.len()).unwrap()) {
            let all = NumSet::Seq(SeqSet::run(Seq::MIN, last));
            self.fetch(&all, &Fetch::new(vec![FetchItem::Flags])).await;
        }
        let picture: Vec<String> = self
            .picture
            .messages
            .iter()
            .map(|m| m.as_ref().map(|(uid, flags)| format!("{uid} {flags}")).unwrap())
            .collect();
        for (seq, flags) in known {
            let now = &self.picture.messages[seq as usize - 1].as_ref().unwrap().1;
            assert_eq!(*now, flags, "the flags of {seq} were not told");
        }
        picture
    }
}

pub(crate) fn uid_set(text: &str) -> UidSet {
    let number = |n: &str| Uid::new(n.parse().unwrap()).unwrap();
    let run = |part: &str| match part.split_once(':') {
        Some((a, b)) => (number(a), number(b)),
        None => (number(part), number(part)),
    };
    UidSet::from_runs(text.split(',').map(run))
}

pub(crate) fn uids(text: &str) -> NumSet {
    NumSet::Uid(uid_set(text))
}

pub(crate) fn seqs(text: &str) -> NumSet {
    let seq = |u: Uid| Seq::new(u.get()).unwrap();
    let runs: Vec<_> = uid_set(text).runs().iter().map(|(a, b)| (seq(*a), seq(*b))).collect();
    NumSet::Seq(SeqSet::from_runs(runs))
}

pub(crate) fn flags(text: &str) -> Flags {
    let flag = |name: &str| match SystemFlag::from_name(name) {
        Some(flag) => Flag::System(flag),
        None => Flag::Keyword(Keyword::new(name).unwrap()),
    };
    text.split_whitespace().map(flag).collect()
}

fn flag_change(text: &str) -> FlagChange {
    match text.split_at(1) {
        ("+", rest) => FlagChange::Add(flags(rest)),
        ("-", rest) => FlagChange::Remove(flags(rest)),
        _ => FlagChange::Replace(flags(text)),
    }
}
