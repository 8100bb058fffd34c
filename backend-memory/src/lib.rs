//! The reference writable [`MailStore`], in memory: what authors of a store of their own read first.
//!
//! It keeps no mod-sequences, knows no sequence numbers and tells nobody of changes: `backendutil::Mapped` does all that.
//! Everything is behind one lock that is never held across an await.
//!
//! ```
//! # async fn run() -> backend_api::Result<()> {
//! use backend_api::{Credentials, MailStore};
//! use backend_memory::MemoryStore;
//!
//! let store = MemoryStore::new().with_user("demo", "secret");
//! store.deliver("demo", "INBOX", "Subject: hello\r\n\r\nhello\r\n")?;
//! let account = store.login(Credentials::password("demo", b"secret")).await?;
//! assert_eq!(store.messages(&account, 1).await?.entries.len(), 1);
//! # Ok(()) }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run()).unwrap();
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap};

use backend_api::{
    Abilities, Account, Appended, Bytes, Copied, Credentials, DateTime, Error, ErrorKind, FlagChange, Flags,
    FlagsChanged, Keyword, MailStore, MailboxEntry, MailboxId, MailboxName, MessageBody, MessageEntry, Messages,
    ModSeq, NewMessage, Remove, Result, SpecialUse, Uid, UidSet, UidValidity, async_trait,
};
use parking_lot::Mutex;

/// The largest message it takes, in octets.
const MAX_MESSAGE: usize = 64 * 1024 * 1024;

/// Keywords of one mailbox: clients are told all of them.
const MAX_KEYWORDS: usize = 4_096;

/// Accounts, mailboxes and messages, gone with the process.
#[derive(Default)]
pub struct MemoryStore {
    accounts: Mutex<HashMap<String, Mailboxes>>,
}

#[derive(Default)]
struct Mailboxes {
    password: String,
    by_id: BTreeMap<MailboxId, Mailbox>,
    subscribed: BTreeSet<MailboxName>,
    /// The last id and the last UIDVALIDITY given; neither comes twice.
    last_id: MailboxId,
}

struct Mailbox {
    name: MailboxName,
    uid_validity: UidValidity,
    special_use: Vec<SpecialUse>,
    messages: BTreeMap<Uid, Message>,
    /// Every keyword that a message ever had here.
    keywords: BTreeSet<Keyword>,
    uid_next: Option<Uid>,
    /// Messages from here on were in no session yet.
    first_recent: Uid,
}

#[derive(Clone)]
struct Message {
    flags: Flags,
    date: DateTime,
    body: Bytes,
}

impl MemoryStore {
    /// A store without accounts.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same store with one account more, which has an empty INBOX.
    #[must_use]
    pub fn with_user(self, name: &str, password: &str) -> Self {
        let mut mailboxes = Mailboxes {
            password: password.to_owned(),
            ..Mailboxes::default()
        };
        mailboxes.make(MailboxName::inbox(), &[]);
        self.accounts.lock().insert(name.to_owned(), mailboxes);
        self
    }

    /// Adds a message from outside. Call `hub.changed` afterwards if clients may have the mailbox open.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) for an account or a mailbox that is not there.
    pub fn deliver(&self, user: &str, mailbox: &str, message: impl Into<Bytes>) -> Result<Uid> {
        let name = MailboxName::new(mailbox).map_err(|_| no_mailbox())?;
        let mut accounts = self.accounts.lock();
        let mailboxes = accounts
            .get_mut(user)
            .ok_or_else(|| Error::not_found("no such account"))?;
        let id = mailboxes.id(&name).ok_or_else(no_mailbox)?;
        mailboxes.get(id)?.add(Message {
            flags: Flags::NONE,
            date: DateTime::now(),
            body: message.into(),
        })
    }

    /// Does something to the mailboxes of an account, under the lock.
    fn with<T>(&self, account: &Account, act: impl FnOnce(&mut Mailboxes) -> Result<T>) -> Result<T> {
        act(self
            .accounts
            .lock()
            .get_mut(account.name())
            .ok_or_else(|| Error::not_found("no such account"))?)
    }
}

impl Mailboxes {
    fn id(&self, name: &MailboxName) -> Option<MailboxId> {
        self.by_id.iter().find(|(_, m)| m.name == *name).map(|(id, _)| *id)
    }

    fn get(&mut self, id: MailboxId) -> Result<&mut Mailbox> {
        self.by_id.get_mut(&id).ok_or_else(no_mailbox)
    }

    fn make(&mut self, name: MailboxName, special_use: &[SpecialUse]) -> MailboxId {
        self.last_id += 1;
        let number = u32::try_from(self.last_id).unwrap_or(u32::MAX);
        let mailbox = Mailbox {
            name,
            uid_validity: UidValidity::new(number).unwrap_or(UidValidity::MAX),
            special_use: special_use.to_vec(),
            messages: BTreeMap::new(),
            keywords: BTreeSet::new(),
            uid_next: Some(Uid::MIN),
            first_recent: Uid::MIN,
        };
        self.by_id.insert(self.last_id, mailbox);
        self.last_id
    }

    /// Makes the levels above a name that are missing.
    fn make_above(&mut self, name: &MailboxName) {
        let mut above = name.parent();
        while let Some(parent) = above.filter(|p| self.id(p).is_none()) {
            above = parent.parent();
            self.make(parent, &[]);
        }
    }
}

impl Mailbox {
    fn add(&mut self, message: Message) -> Result<Uid> {
        let uid = self
            .uid_next
            .ok_or_else(|| Error::new(ErrorKind::Limit, "every UID of this mailbox is used up"))?;
        self.uid_next = uid.next();
        self.messages.insert(uid, message);
        Ok(uid)
    }

    /// Lets these keywords in, or none of them when they are too many.
    fn admit<'a>(&mut self, keywords: impl Iterator<Item = &'a Keyword>) -> Result<()> {
        let new: BTreeSet<Keyword> = keywords.filter(|k| !self.keywords.contains(k)).cloned().collect();
        if self.keywords.len() + new.len() > MAX_KEYWORDS {
            return Err(Error::new(ErrorKind::Limit, "a mailbox can have at most 4096 keywords"));
        }
        self.keywords.extend(new);
        Ok(())
    }

    /// Adds all, or none when there are not UIDs enough.
    fn add_all(&mut self, messages: Vec<Message>) -> Result<Vec<Uid>> {
        self.admit(messages.iter().flat_map(|m| m.flags.keywords()))?;
        let next = self.uid_next.map_or(u64::MAX, |n| u64::from(n.get()));
        if next + messages.len() as u64 > u64::from(u32::MAX) {
            return Err(Error::new(ErrorKind::Limit, "every UID of this mailbox is used up"));
        }
        messages.into_iter().map(|m| self.add(m)).collect()
    }

    fn of<'a>(&'a self, uids: &'a UidSet) -> impl Iterator<Item = (Uid, &'a Message)> {
        uids.runs()
            .iter()
            .flat_map(|(a, b)| self.messages.range(*a..=*b))
            .map(|(uid, m)| (*uid, m))
    }
}

fn no_mailbox() -> Error {
    Error::not_found("no such mailbox")
}

#[async_trait]
impl MailStore for MemoryStore {
    async fn login(&self, who: Credentials<'_>) -> Result<Account> {
        let accounts = self.accounts.lock();
        // An unknown user is compared, too, so that the time taken does not tell.
        let password = accounts.get(who.user()).map_or("", |m| &m.password);
        let right = who.is(who.user(), password) && accounts.contains_key(who.user());
        if right {
            Ok(Account::new(who.user()))
        } else {
            Err(Error::authentication_failed())
        }
    }

    async fn mailboxes(&self, account: &Account) -> Result<Vec<MailboxEntry>> {
        self.with(account, |all| {
            let entry = |(id, m): (&MailboxId, &Mailbox)| {
                let entry = MailboxEntry::named(*id, m.name.clone()).with_uid_validity(m.uid_validity);
                let entry = entry.with_subscribed(all.subscribed.contains(&m.name));
                m.special_use
                    .iter()
                    .fold(entry, |e, special_use| e.with_special_use(*special_use))
            };
            let alone = all.subscribed.iter().filter(|name| all.id(name).is_none());
            let alone = alone.map(|name| MailboxEntry::subscription(name.clone()));
            Ok(all.by_id.iter().map(entry).chain(alone).collect())
        })
    }

    async fn messages(&self, account: &Account, mailbox: MailboxId) -> Result<Messages> {
        self.with(account, |all| {
            let mailbox = all.get(mailbox)?;
            let entry = |(uid, m): (&Uid, &Message)| {
                let entry = MessageEntry::new(*uid).with_flags(m.flags.clone()).with_date(m.date);
                entry.with_size(m.body.len() as u64)
            };
            let mut messages = Messages::from(mailbox.messages.iter().map(entry).collect::<Vec<_>>());
            messages.uid_next = mailbox.uid_next;
            messages.first_recent = Some(mailbox.first_recent);
            Ok(messages)
        })
    }

    async fn body(&self, account: &Account, mailbox: MailboxId, uid: Uid) -> Result<MessageBody> {
        self.with(account, |all| {
            let message = all.get(mailbox)?.messages.get(&uid);
            message
                .map(|m| m.body.clone().into())
                .ok_or_else(|| Error::not_found("no such message"))
        })
    }

    fn abilities(&self, _: Option<&Account>) -> Abilities {
        Abilities::ALL
    }

    async fn add(&self, account: &Account, mailbox: MailboxId, messages: Vec<NewMessage>) -> Result<Appended> {
        let mut new = Vec::new();
        for message in messages {
            let body = message.read_all(MAX_MESSAGE).await?;
            new.push(Message {
                flags: message.flags,
                date: message.date,
                body,
            });
        }
        self.with(account, |all| {
            let mailbox = all.get(mailbox)?;
            Ok(Appended::new(mailbox.uid_validity, mailbox.add_all(new)?))
        })
    }

    async fn set_flags(
        &self,
        account: &Account,
        mailbox: MailboxId,
        uids: &UidSet,
        change: &FlagChange,
        _unchanged_since: Option<ModSeq>,
    ) -> Result<FlagsChanged> {
        self.with(account, |all| {
            let mailbox = all.get(mailbox)?;
            if !matches!(change, FlagChange::Remove(_)) {
                mailbox.admit(change.flags().keywords().iter())?;
            }
            let mut done = FlagsChanged::default();
            for (first, last) in uids.runs() {
                for (uid, message) in mailbox.messages.range_mut(*first..=*last) {
                    message.flags = change.apply(&message.flags);
                    done.changed.push((*uid, message.flags.clone()));
                }
            }
            Ok(done)
        })
    }

    async fn remove(&self, account: &Account, mailbox: MailboxId, uids: &UidSet, which: Remove) -> Result<UidSet> {
        self.with(account, |all| {
            let mailbox = all.get(mailbox)?;
            let goes = |m: &Message| which == Remove::All || m.flags.has(backend_api::SystemFlag::Deleted);
            let gone: UidSet = mailbox.of(uids).filter(|(_, m)| goes(m)).map(|(uid, _)| uid).collect();
            mailbox.messages.retain(|uid, _| !gone.contains(*uid));
            Ok(gone)
        })
    }

    async fn copy(
        &self,
        account: &Account,
        from: MailboxId,
        uids: &UidSet,
        to: MailboxId,
        all_or_none: bool,
    ) -> Result<Option<Copied>> {
        self.with(account, |all| {
            let (old, new): (Vec<_>, Vec<_>) = all.get(from)?.of(uids).map(|(uid, m)| (uid, m.clone())).unzip();
            if all_or_none && old.len() as u64 != uids.len() {
                return Err(Error::new(ErrorKind::ExpungeIssued, "some of the messages are gone"));
            }
            let to = all.get(to)?;
            let new = to.add_all(new)?;
            Ok(Some(Copied::new(to.uid_validity, old.into_iter().zip(new).collect())))
        })
    }

    async fn r#move(&self, account: &Account, from: MailboxId, uids: &UidSet, to: MailboxId) -> Result<Option<Copied>> {
        self.with(account, |all| {
            let (old, new): (Vec<_>, Vec<_>) = all.get(from)?.of(uids).map(|(uid, m)| (uid, m.clone())).unzip();
            let target = all.get(to)?;
            let (uid_validity, new) = (target.uid_validity, target.add_all(new)?);
            let gone: UidSet = old.iter().copied().collect();
            all.get(from)?.messages.retain(|uid, _| !gone.contains(*uid));
            Ok(Some(Copied::new(uid_validity, old.into_iter().zip(new).collect())))
        })
    }

    async fn create(&self, account: &Account, name: &MailboxName, special_use: &[SpecialUse]) -> Result<()> {
        self.with(account, |all| {
            if all.id(name).is_some() {
                return Err(Error::new(ErrorKind::AlreadyExists, "there is such a mailbox already"));
            }
            all.make_above(name);
            all.make(name.clone(), special_use);
            Ok(())
        })
    }

    async fn delete(&self, account: &Account, mailbox: MailboxId, name: &MailboxName) -> Result<()> {
        self.with(account, |all| {
            if all.id(name) != Some(mailbox) {
                return Err(no_mailbox());
            }
            all.by_id.remove(&mailbox).map(drop).ok_or_else(no_mailbox)
        })
    }

    async fn rename(&self, account: &Account, from: &MailboxName, to: &MailboxName) -> Result<()> {
        self.with(account, |all| {
            if all.id(to).is_some() {
                return Err(Error::new(ErrorKind::AlreadyExists, "there is such a mailbox already"));
            }
            if from.is_inbox() {
                let inbox = all.id(from).ok_or_else(no_mailbox)?;
                let messages = std::mem::take(&mut all.get(inbox)?.messages);
                all.make_above(to);
                let id = all.make(to.clone(), &[]);
                return all.get(id)?.add_all(messages.into_values().collect()).map(drop);
            }
            let moved = |name: &MailboxName| {
                let rest = name.as_str().strip_prefix(from.as_str())?;
                (name == from || name.is_below(from)).then(|| MailboxName::new(&format!("{to}{rest}")))
            };
            let renamed = all.by_id.iter().filter_map(|(id, m)| Some((*id, moved(&m.name)?)));
            let renamed: Vec<(MailboxId, _)> = renamed.collect();
            if renamed.is_empty() {
                return Err(no_mailbox());
            }
            for (_, name) in &renamed {
                let taken = name.as_ref().is_ok_and(|n| all.id(n).is_some());
                if taken || name.is_err() {
                    return Err(Error::new(
                        ErrorKind::Cannot,
                        "a mailbox below it cannot have its new name",
                    ));
                }
            }
            all.make_above(to);
            for (id, name) in renamed {
                all.get(id)?.name = name.map_err(|e| Error::new(ErrorKind::Cannot, e.0))?;
            }
            Ok(())
        })
    }

    async fn subscribe(&self, account: &Account, name: &MailboxName, subscribed: bool) -> Result<()> {
        self.with(account, |all| {
            if subscribed {
                all.subscribed.insert(name.clone())
            } else {
                all.subscribed.remove(name)
            };
            Ok(())
        })
    }

    async fn first_recent(&self, account: &Account, mailbox: MailboxId, below: Uid, claim: bool) -> Result<Uid> {
        self.with(account, |all| {
            let mailbox = all.get(mailbox)?;
            let first = mailbox.first_recent.min(below);
            if claim {
                mailbox.first_recent = mailbox.first_recent.max(below);
            }
            Ok(first)
        })
    }
}
