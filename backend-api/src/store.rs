//! Tier 2: [`MailStore`], for authors who do not want to know IMAP.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::io::AsyncRead;

use crate::{
    Abilities, Account, Appended, Attributes, Copied, Credentials, DateTime, Error, ErrorKind, FlagChange, Flags, Load,
    Loaded, MailboxName, MessageBody, ModSeq, NewMessage, Result, Sought, SpecialUse, Status, Uid, UidSet, UidValidity,
};

/// A mailbox's number: it stays when the mailbox is renamed, and no other mailbox of the account ever has it.
pub type MailboxId = u64;

/// A mailbox, as a store lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MailboxEntry {
    /// Its number.
    pub id: MailboxId,
    /// Its name.
    pub name: MailboxName,
    /// UIDVALIDITY: 1 unless said otherwise. It must differ when UIDs of this name were given anew.
    pub uid_validity: UidValidity,
    /// Attributes for LIST; `has_children` is computed.
    pub attributes: Attributes,
    /// Its counters for STATUS, if the store keeps them: they are of the same moment as the rest. `None`: they are counted
    /// from [`messages`](MailStore::messages).
    pub status: Option<Status>,
}

impl MailboxEntry {
    /// A mailbox of this number and name. A name that is not possible in IMAP (an empty level, control characters) is
    /// mended rather than refused, for stores whose names come from elsewhere.
    pub fn new(id: MailboxId, name: &str) -> Self {
        let mended = || {
            let clean: String = name.chars().filter(|c| !c.is_control()).take(240).collect();
            let levels: Vec<&str> = clean
                .split('/')
                .filter(|l| !l.is_empty())
                .take(MailboxName::MAX_LEVELS)
                .collect();
            MailboxName::new(&levels.join("/")).ok()
        };
        let name = MailboxName::new(name)
            .ok()
            .or_else(mended)
            .unwrap_or_else(MailboxName::inbox);
        Self::named(id, name)
    }

    /// A mailbox of this number and checked name.
    pub fn named(id: MailboxId, name: MailboxName) -> Self {
        Self {
            id,
            name,
            uid_validity: UidValidity::MIN,
            attributes: Attributes::default(),
            status: None,
        }
    }

    /// A subscription whose mailbox is not there (any more).
    pub fn subscription(name: MailboxName) -> Self {
        let attributes = Attributes {
            subscribed: true,
            non_existent: true,
            ..Attributes::default()
        };
        Self {
            attributes,
            ..Self::named(0, name)
        }
    }

    /// The same with this UIDVALIDITY.
    #[must_use]
    pub fn with_uid_validity(self, uid_validity: UidValidity) -> Self {
        Self { uid_validity, ..self }
    }

    /// The same, subscribed or not.
    #[must_use]
    pub fn with_subscribed(mut self, subscribed: bool) -> Self {
        self.attributes.subscribed = subscribed;
        self
    }

    /// The same with a special use.
    #[must_use]
    pub fn with_special_use(mut self, special_use: SpecialUse) -> Self {
        self.attributes.special_use.push(special_use);
        self
    }
}

/// A message, as a store lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageEntry {
    /// Its UID.
    pub uid: Uid,
    /// Its flags.
    pub flags: Flags,
    /// INTERNALDATE.
    pub date: DateTime,
    /// Octets; `None` where the body must be read to know.
    pub size: Option<u64>,
    /// The mod-sequence of its last change, where the store keeps them; else zero.
    pub mod_seq: ModSeq,
}

impl MessageEntry {
    /// A message without flags, of the epoch, of unknown size.
    pub fn new(uid: Uid) -> Self {
        Self {
            uid,
            flags: Flags::NONE,
            date: DateTime::new(0, 0),
            size: None,
            mod_seq: ModSeq::ZERO,
        }
    }

    /// The same with these flags.
    #[must_use]
    pub fn with_flags(self, flags: Flags) -> Self {
        Self { flags, ..self }
    }

    /// The same with this INTERNALDATE.
    #[must_use]
    pub fn with_date(self, date: DateTime) -> Self {
        Self { date, ..self }
    }

    /// The same with this size in octets; it must be exact.
    #[must_use]
    pub fn with_size(self, octets: u64) -> Self {
        Self {
            size: Some(octets),
            ..self
        }
    }

    /// The same with this mod-sequence.
    #[must_use]
    pub fn with_mod_seq(self, mod_seq: ModSeq) -> Self {
        Self { mod_seq, ..self }
    }
}

/// Every message of a mailbox, as one consistent picture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Messages {
    /// Ascending by UID. (Any order is taken; ascending is fastest. Of two entries with one UID the first counts.)
    pub entries: Vec<MessageEntry>,
    /// The next UID, where the store knows it; else one above the highest there ever was here.
    pub uid_next: Option<Uid>,
    /// The mailbox's highest mod-sequence, where the store keeps them; else zero.
    pub highest_mod_seq: ModSeq,
    /// Messages from this UID on were in no session yet: `\Recent`. `None` is from `uid_next` on. See
    /// [`first_recent`](MailStore::first_recent).
    pub first_recent: Option<Uid>,
}

impl From<Vec<MessageEntry>> for Messages {
    fn from(entries: Vec<MessageEntry>) -> Self {
        Self {
            entries,
            ..Self::default()
        }
    }
}

/// What changed in a mailbox between two mod-sequences.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Changes {
    /// The picture this starts from: all changes up to here are known already.
    pub from: ModSeq,
    /// The picture after it: the mailbox's highest mod-sequence.
    pub to: ModSeq,
    /// Messages that are new or whose flags changed, ascending by UID, as they are now.
    pub set: Vec<MessageEntry>,
    /// Messages of the picture at `from` whose flags became these at `to`, ascending by UID and none of `set`: what else is
    /// known of them stays.
    pub flags: Vec<(Uid, Flags)>,
    /// Messages that are gone.
    pub vanished: UidSet,
    /// The next UID now.
    pub uid_next: Option<Uid>,
    /// The mailbox itself is gone.
    pub deleted: bool,
}

/// What a change of flags did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct FlagsChanged {
    /// The messages whose flags were changed, ascending, with their flags as they are now. A store that tells its
    /// [`Watcher`] of each change may leave this empty.
    pub changed: Vec<(Uid, Flags)>,
    /// Messages left as they were because their mod-sequence was above `unchanged_since` (RFC 7162).
    pub modified: UidSet,
}

/// Which messages `remove` removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remove {
    /// Those that have `\Deleted` in the store at that moment.
    Deleted,
    /// All of them.
    All,
}

/// Who wants to hear of changes in a store; [`MailStore::attach`] hands it over. Calls are cheap and never block.
pub trait Watcher: Send + Sync {
    /// Something changed in this mailbox. With `changes` (of a store whose mod-sequences last) it is taken up at once if it
    /// follows on what is known; without, or if not, the store is asked.
    ///
    /// Call it after the change is durable, and in the order of the mod-sequences.
    fn mailbox(&self, account: &Account, mailbox: MailboxId, changes: Option<Changes>);
}

/// A store of messages: four methods make a read-only mail server, each further one adds something.
///
/// Nothing of IMAP is needed to write one: no sequence numbers, no update rules, no sets with `*`, no MIME.
/// `backendutil::Mapped` makes a complete [`Backend`](crate::Backend) of it. What a store refuses by leaving a method at
/// its default, clients see as a mailbox open for reading only.
///
/// A message has a UID that never changes and is never used twice in a mailbox; new messages have higher ones.
///
/// Changes made elsewhere: keep a `backendutil::Hub` (from `Mapped::hub`) and call `hub.changed(account, mailbox)`; idling
/// clients hear of it at once.
#[async_trait]
pub trait MailStore: Send + Sync + 'static {
    /// Checks who somebody is.
    ///
    /// # Errors
    /// [`Error::authentication_failed`]
    async fn login(&self, who: Credentials<'_>) -> Result<Account>;

    /// The account's mailboxes, in any order. One is named `INBOX`.
    ///
    /// # Errors
    /// Any; the command is answered NO.
    async fn mailboxes(&self, account: &Account) -> Result<Vec<MailboxEntry>>;

    /// The messages of a mailbox, as one consistent picture.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when the mailbox is no more.
    async fn messages(&self, account: &Account, mailbox: MailboxId) -> Result<Messages>;

    /// A message, headers and all, with CRLF line ends. The same octets every time.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when it was removed meanwhile.
    async fn body(&self, account: &Account, mailbox: MailboxId, uid: Uid) -> Result<MessageBody>;

    /// What clients of this account can do besides reading; of no account: before login, what those of any may be able to.
    /// Default: nothing. Say here which of the methods below the store has.
    fn abilities(&self, account: Option<&Account>) -> Abilities {
        let _ = account;
        Abilities::READ_ONLY
    }

    /// Whether clients may change the messages of this mailbox: `false` shows it as READ-ONLY. Default: wherever
    /// [`abilities`](MailStore::abilities) names a way to.
    fn is_writable(&self, account: &Account, mailbox: MailboxId) -> bool {
        let _ = mailbox;
        self.abilities(Some(account)).can_write()
    }

    /// Adds messages, all or none, in their order, and gives their UIDs.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`OverQuota`](crate::ErrorKind::OverQuota); the default refuses.
    async fn add(&self, account: &Account, mailbox: MailboxId, messages: Vec<NewMessage>) -> Result<Appended> {
        let _ = (account, mailbox, messages);
        Err(refused("messages cannot be added here"))
    }

    /// Changes flags of those messages that are (still) there, as one operation. Decide on what the store holds at that
    /// moment, also about `unchanged_since`.
    ///
    /// # Errors
    /// [`Limit`](crate::ErrorKind::Limit) for too many keywords; the default refuses.
    async fn set_flags(
        &self,
        account: &Account,
        mailbox: MailboxId,
        uids: &UidSet,
        change: &FlagChange,
        unchanged_since: Option<ModSeq>,
    ) -> Result<FlagsChanged> {
        let _ = (account, mailbox, uids, change, unchanged_since);
        Err(refused("flags cannot be changed here"))
    }

    /// Several changes of flags, in this order, as one operation with one mod-sequence: all or, on any error, none. `false`:
    /// the store has no such operation, did nothing, and [`set_flags`](MailStore::set_flags) is called for each. Worth having
    /// where each operation waits for a disk; asked of stores with mod-sequences alone.
    ///
    /// # Errors
    /// As [`set_flags`](MailStore::set_flags).
    async fn set_flags_each(
        &self,
        account: &Account,
        mailbox: MailboxId,
        changes: Vec<(UidSet, FlagChange)>,
    ) -> Result<bool> {
        let _ = (account, mailbox, changes);
        Ok(false)
    }

    /// Removes messages and says which.
    ///
    /// # Errors
    /// Any; the default refuses.
    async fn remove(&self, account: &Account, mailbox: MailboxId, uids: &UidSet, which: Remove) -> Result<UidSet> {
        let _ = (account, mailbox, uids, which);
        Err(refused("messages cannot be removed here"))
    }

    /// Copies messages with flags and date into another mailbox as one operation; those that are gone are skipped, unless
    /// `all`: then `uids` holds no UID besides those meant, and if one is gone nothing is copied and the error is
    /// [`ExpungeIssued`](crate::ErrorKind::ExpungeIssued). `None`: the
    /// store has no such operation, and `body` and `add` are used.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`OverQuota`](crate::ErrorKind::OverQuota)
    async fn copy(
        &self,
        account: &Account,
        from: MailboxId,
        uids: &UidSet,
        to: MailboxId,
        all: bool,
    ) -> Result<Option<Copied>> {
        let _ = (account, from, uids, to, all);
        Ok(None)
    }

    /// Moves messages into another mailbox as one operation; those that are gone are skipped. The target may be the source:
    /// the messages get new UIDs. `None`: the store has no such operation, and they are copied and removed.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`OverQuota`](crate::ErrorKind::OverQuota)
    async fn r#move(&self, account: &Account, from: MailboxId, uids: &UidSet, to: MailboxId) -> Result<Option<Copied>> {
        let _ = (account, from, uids, to);
        Ok(None)
    }

    /// Creates a mailbox, and the levels above it that are missing.
    ///
    /// # Errors
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists); the default refuses.
    async fn create(&self, account: &Account, name: &MailboxName, special_use: &[SpecialUse]) -> Result<()> {
        let _ = (account, name, special_use);
        Err(no_mailbox_changes())
    }

    /// Removes a mailbox with its messages; its children stay. The client named it by this name: renamed since, it stays.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), also when it has another name by now; the default refuses.
    async fn delete(&self, account: &Account, mailbox: MailboxId, name: &MailboxName) -> Result<()> {
        let _ = (account, mailbox, name);
        Err(no_mailbox_changes())
    }

    /// Renames `from` and everything below it. For `INBOX`: moves its messages into the new mailbox `to`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`AlreadyExists`](crate::ErrorKind::AlreadyExists); the default refuses.
    async fn rename(&self, account: &Account, from: &MailboxName, to: &MailboxName) -> Result<()> {
        let _ = (account, from, to);
        Err(no_mailbox_changes())
    }

    /// Subscribes or unsubscribes a name, whether there is such a mailbox or not.
    ///
    /// # Errors
    /// Any; the default refuses.
    async fn subscribe(&self, account: &Account, name: &MailboxName, subscribed: bool) -> Result<()> {
        let _ = (account, name, subscribed);
        Err(no_mailbox_changes())
    }

    /// One mailbox by name. The default looks through [`mailboxes`](MailStore::mailboxes).
    ///
    /// # Errors
    /// Any; a name that is not there is `None`.
    async fn mailbox(&self, account: &Account, name: &MailboxName) -> Result<Option<MailboxEntry>> {
        let all = self.mailboxes(account).await?;
        Ok(all.into_iter().find(|m| m.name == *name && !m.attributes.non_existent))
    }

    /// Loads messages in the order of `uids`: as many from the start of the list as make a sensible piece of work (at least
    /// one; one that is gone is left out), and how many of the list that covers. The default reads one body.
    ///
    /// # Errors
    /// Any
    async fn load(
        &self,
        account: &Account,
        mailbox: MailboxId,
        uids: &[Uid],
        what: Load,
    ) -> Result<(Vec<Loaded>, usize)> {
        let _ = what;
        let Some(uid) = uids.first() else {
            return Ok((Vec::new(), 0));
        };
        match self.body(account, mailbox, *uid).await {
            Ok(body) => Ok((vec![Loaded::new(*uid, None, Some(body))], 1)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok((Vec::new(), 1)),
            Err(e) => Err(e),
        }
    }

    /// For each of these, in their order: the messages of the mailbox that may hold it, as far as an index says so; those
    /// that were there when this was called, and are not named, certainly do not. `None`, or an answer for fewer: nothing
    /// is known, and the messages are read. A message that the index does not know is named.
    ///
    /// It makes SEARCH fast, and cannot make it fail: what goes wrong is logged by the store.
    async fn may_hold(&self, account: &Account, mailbox: MailboxId, sought: &[Sought]) -> Vec<Option<UidSet>> {
        let _ = (account, mailbox, sought);
        Vec::new()
    }

    /// Takes the octets of a message that is being sent into the store's own keeping, before any transaction. What it
    /// returns comes back in [`Incoming::Staged`](crate::Incoming::Staged); dropped, it must leave nothing behind.
    /// `None`: the caller keeps them, in memory or in a temporary file.
    ///
    /// # Errors
    /// [`OverQuota`](crate::ErrorKind::OverQuota); an I/O error of `body` is passed on.
    async fn stage(
        &self,
        account: &Account,
        size: u64,
        body: &mut (dyn AsyncRead + Send + Unpin),
    ) -> Result<Option<Box<dyn Any + Send>>> {
        let _ = (account, size, body);
        Ok(None)
    }

    /// What changed since `since`, where the store has mod-sequences that last; `None` where it has none, or no longer
    /// knows: then [`messages`](MailStore::messages) is compared.
    ///
    /// # Errors
    /// Any
    async fn changes_since(&self, account: &Account, mailbox: MailboxId, since: ModSeq) -> Result<Option<Changes>> {
        let _ = (account, mailbox, since);
        Ok(None)
    }

    /// Whether mod-sequences are kept and last: then CONDSTORE can be offered, and changes are taken from
    /// [`changes_since`](MailStore::changes_since) and the [`Watcher`] alone.
    fn has_mod_seqs(&self) -> bool {
        false
    }

    /// From which UID on the messages below `below` were in no session yet: `\Recent` (RFC 3501 2.3.2); `below` when there
    /// is none. With `claim` they are in the caller's session from now on: of two who claim at once, in whatever process,
    /// no message is given to both.
    ///
    /// The default keeps no such mark: all of them, as far as the store knows. `Mapped` then gives each message to one
    /// session, as long as the mailbox stays listed.
    ///
    /// # Errors
    /// Any; then nothing is recent to the caller.
    ///
    /// # Cancel safety
    /// Dropped, they may be claimed, and are recent to nobody.
    async fn first_recent(&self, account: &Account, mailbox: MailboxId, below: Uid, claim: bool) -> Result<Uid> {
        let _ = (account, mailbox, below, claim);
        Ok(Uid::MIN)
    }

    /// A session is about to read the mailbox and to number its messages: what others remove from it, in whatever process,
    /// is kept for [`FETCH`](crate::Mailbox::fetch) until [`reclaim`](MailStore::reclaim) says that no session here needs
    /// it, or until what this returns is dropped. Cheap; it does not wait.
    fn view(&self, account: &Account, mailbox: MailboxId) -> Option<Box<dyn Any + Send + Sync>> {
        let _ = (account, mailbox);
        None
    }

    /// No session of this process numbers these removed messages any more, nor another one that was removed up to this
    /// mod-sequence: what is kept of them may go. May be done later.
    fn reclaim(&self, account: &Account, mailbox: MailboxId, uids: &UidSet, up_to: ModSeq) {
        let _ = (account, mailbox, uids, up_to);
    }

    /// Called once, before anything else: who wants to hear of changes.
    fn attach(&self, watcher: Arc<dyn Watcher>) {
        let _ = watcher;
    }

    /// Called before changes are told to a client: a store that other processes write to as well looks here whether they
    /// did, and tells its [`Watcher`]. It runs on the connection's own task: microseconds, no waiting.
    fn refresh(&self) {}

    /// The largest message that `add` takes, in octets.
    fn append_limit(&self) -> Option<u64> {
        None
    }
}

fn refused(what: &str) -> Error {
    Error::new(ErrorKind::ReadOnly, what)
}

fn no_mailbox_changes() -> Error {
    Error::unsupported("mailboxes cannot be changed here")
}
