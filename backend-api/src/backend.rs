//! Tier 1: [`Backend`], [`Session`] and [`Mailbox`], one trait for each state of a connection.

use async_trait::async_trait;
use tokio::io::AsyncRead;

use crate::{
    Abilities, Access, ConnInfo, Credentials, Ctx, DateTime, Fetch, FetchSink, Fetched, FlagChange, Flags, ListEntry,
    ListQuery, MailboxName, NumSet, Result, Rights, SearchKey, SearchSink, Selected, SpecialUse, Status, StatusItems,
    Uid, UidSet, UidValidity, Updates,
};

/// How a connection is received.
#[derive(Debug)]
#[non_exhaustive]
pub enum Welcome<S> {
    /// The usual greeting: the client must log in.
    Greet,
    /// The client is known already (`* PREAUTH`).
    PreAuth(S),
    /// Turned away: `* BYE` with this text.
    TurnAway(String),
}

/// A source of mailboxes: what an embedder plugs into the server.
///
/// This is tier 1, the whole contract. Most authors want [`MailStore`](crate::MailStore) instead, which knows neither
/// sequence numbers nor update rules.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// A logged-in connection.
    type Session: Session;

    /// What any session may be able to do: it is advertised before login. Default: everything.
    fn abilities(&self) -> Abilities {
        Abilities::ALL
    }

    /// Receives a connection, after TLS where it is implicit.
    async fn connect(&self, conn: &ConnInfo) -> Result<Welcome<Self::Session>> {
        let _ = conn;
        Ok(Welcome::Greet)
    }

    /// Checks who somebody is.
    ///
    /// # Errors
    /// [`AuthenticationFailed`](crate::ErrorKind::AuthenticationFailed), in the same words whether the user exists or
    /// not; [`Unavailable`](crate::ErrorKind::Unavailable) when it cannot be checked now.
    ///
    /// # Cancel safety
    /// The future is dropped when the client disconnects.
    async fn login(&self, ctx: &Ctx<'_>, who: Credentials<'_>) -> Result<Self::Session>;
}

/// Where a backend puts the lines of LIST and LSUB. The rules of [`FetchSink`] hold.
#[async_trait]
pub trait ListSink: Send {
    /// One mailbox.
    fn put(&mut self, entry: &ListEntry);
    /// Whether [`ready`](ListSink::ready) must be awaited before more is put.
    fn is_full(&self) -> bool;
    /// Waits until the client has taken enough.
    ///
    /// # Errors
    /// The connection is gone: return the error at once.
    async fn ready(&mut self) -> Result<()>;
}

/// A logged-in connection (the authenticated state of RFC 3501 3.2).
///
/// The core has checked every name: it is valid, and `INBOX` is in upper case. Methods that change something are awaited
/// to their end even when the client disconnects; hand each change to your executor as one message, so that a future
/// dropped before the hand-over has done nothing, and one dropped after it everything.
#[async_trait]
pub trait Session: Send + 'static {
    /// A selected mailbox.
    type Mailbox: Mailbox;

    /// The user's name, for the log.
    fn user(&self) -> &str;

    /// What this session can do: it is advertised from login on. Default: everything.
    fn abilities(&self) -> Abilities {
        Abilities::ALL
    }

    /// The lines of LIST or LSUB, parents before children. `INBOX` always exists. LIST of the empty pattern is answered
    /// by the core. `backendutil::list` matches patterns in linear time.
    ///
    /// # Errors
    /// Any; the command is then answered NO.
    async fn list(&mut self, ctx: &Ctx<'_>, query: &ListQuery, out: &mut dyn ListSink) -> Result<()>;

    /// The counters of a mailbox, without selecting it and without touching `\Recent` (RFC 3501 6.3.10).
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound)
    async fn status(&mut self, ctx: &Ctx<'_>, name: &MailboxName, items: StatusItems) -> Result<Status>;

    /// Creates a mailbox, and the levels above it that are missing (RFC 3501 6.3.3, RFC 6154 3). A name used before gets
    /// another UIDVALIDITY, unless no UID of the old one comes again.
    ///
    /// # Errors
    /// [`AlreadyExists`](crate::ErrorKind::AlreadyExists), [`UseAttr`](crate::ErrorKind::UseAttr),
    /// [`NoPermission`](crate::ErrorKind::NoPermission), [`Limit`](crate::ErrorKind::Limit)
    async fn create(&mut self, ctx: &Ctx<'_>, name: &MailboxName, special_use: &[SpecialUse]) -> Result<()>;

    /// Removes a mailbox and its messages; its children stay (RFC 3501 6.3.4). Never called for INBOX.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound); [`HasChildren`](crate::ErrorKind::HasChildren) for a name that is there
    /// for its children alone.
    async fn delete(&mut self, ctx: &Ctx<'_>, name: &MailboxName) -> Result<()>;

    /// Renames a mailbox and all below it. `INBOX` itself stays and is emptied into `to`; its children stay
    /// (RFC 3501 6.3.5). Never called with the same name twice, nor to move a mailbox below itself.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`AlreadyExists`](crate::ErrorKind::AlreadyExists)
    async fn rename(&mut self, ctx: &Ctx<'_>, from: &MailboxName, to: &MailboxName) -> Result<()>;

    /// Adds or removes a subscription. It stays when the mailbox goes (RFC 3501 6.3.6).
    ///
    /// # Errors
    /// Any; the command is then answered NO.
    async fn subscribe(&mut self, ctx: &Ctx<'_>, name: &MailboxName, subscribed: bool) -> Result<()>;

    /// Opens a mailbox. The core has closed the one before, also when this fails.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), also for a name that cannot be selected.
    async fn select(&mut self, ctx: &Ctx<'_>, name: &MailboxName, access: Access) -> Result<(Self::Mailbox, Selected)>;

    /// Begins an APPEND, before the first octet of a message is asked for: refuse here what can be refused.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`OverQuota`](crate::ErrorKind::OverQuota),
    /// [`ReadOnly`](crate::ErrorKind::ReadOnly)
    async fn append<'s>(&'s mut self, ctx: &Ctx<'_>, to: &MailboxName) -> Result<Box<dyn Append + 's>>;

    /// The largest message that APPEND takes, in octets, where the backend has a limit below the server's (RFC 7889).
    fn append_limit(&self) -> Option<u64> {
        None
    }
}

/// What comes with a message in APPEND.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AppendOptions {
    /// Its flags.
    pub flags: Flags,
    /// INTERNALDATE; `None` is now.
    pub date: Option<DateTime>,
}

impl AppendOptions {
    /// These flags and this date.
    pub fn new(flags: Flags, date: Option<DateTime>) -> Self {
        Self { flags, date }
    }
}

/// Where the messages went (RFC 4315).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Appended {
    /// UIDVALIDITY of the mailbox.
    pub uid_validity: UidValidity,
    /// The new UIDs in the order of the messages.
    pub uids: Vec<Uid>,
}

impl Appended {
    /// These UIDs under this UIDVALIDITY.
    pub fn new(uid_validity: UidValidity, uids: Vec<Uid>) -> Self {
        Self { uid_validity, uids }
    }
}

/// An APPEND under way: `message` once or more, then `commit`. Dropping it stores nothing and leaves nothing behind.
#[async_trait]
pub trait Append: Send {
    /// Takes one message of exactly `size` octets. What is left unread of `body` is thrown away by the core, so text of a
    /// message never becomes a command. **No transaction may be open here**: the client may take hours to send it.
    ///
    /// # Errors
    /// [`TooBig`](crate::ErrorKind::TooBig), [`OverQuota`](crate::ErrorKind::OverQuota); an I/O error of `body` is passed on.
    async fn message(
        &mut self,
        options: AppendOptions,
        size: u64,
        body: &mut (dyn AsyncRead + Send + Unpin),
    ) -> Result<()>;

    /// Stores all messages, or none, durably.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if the mailbox went meanwhile, [`OverQuota`](crate::ErrorKind::OverQuota)
    async fn commit(self: Box<Self>) -> Result<Appended>;
}

/// A STORE command that will be run soon: see [`Mailbox::store_ahead`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitingStore {
    /// The messages.
    pub set: NumSet,
    /// What is to become of their flags.
    pub change: FlagChange,
}

impl WaitingStore {
    /// This change to these messages.
    pub fn new(set: NumSet, change: FlagChange) -> Self {
        Self { set, change }
    }
}

/// What became of a STORE.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stored {
    /// Some message of the set was expunged by another session: `NO [EXPUNGEISSUED]`, after the others were stored.
    pub missing: bool,
}

impl Stored {
    /// The outcome with `missing` as given.
    pub fn with_missing(missing: bool) -> Self {
        Self { missing }
    }
}

/// Where COPY and MOVE put the messages (RFC 4315).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// UIDVALIDITY of the target.
    pub uid_validity: UidValidity,
    /// Old and new UID of each message, in the order in which they were copied.
    pub uids: Vec<(Uid, Uid)>,
    /// Some message of the set was expunged by another session (MOVE alone; COPY then copies nothing).
    pub missing: bool,
}

impl Copied {
    /// These pairs of old and new UID.
    pub fn new(uid_validity: UidValidity, uids: Vec<(Uid, Uid)>) -> Self {
        Self {
            uid_validity,
            uids,
            missing: false,
        }
    }
}

/// One connection's selected mailbox. It owns that connection's view: which message each number means.
///
/// The two things that every author must know: a number is mapped and the storage read under one consistent view of the
/// store; and no EXPUNGE is told while a command that uses numbers runs, so a number keeps its message until the
/// connection was told otherwise through [`Updates::expunges`]. `backendutil::SeqMapper` is such a view, and
/// `backendutil::Mapped` the whole trait.
///
/// Sets are resolved in the view *as told to the client*: a message that arrived but was not announced is in no set,
/// whatever `*` was.
#[async_trait]
pub trait Mailbox: Send + 'static {
    /// The highest UID that was announced, for `*` in a UID set.
    fn last_uid(&self) -> Option<Uid>;

    /// Answers a FETCH, in ascending order. With [`Fetch::set_seen`] the answer of a message whose `\Seen` was set by it
    /// holds FLAGS as well.
    ///
    /// # Errors
    /// Any; what was put before it has been sent.
    ///
    /// # Cancel safety
    /// The future is dropped when the client disconnects.
    async fn fetch(&mut self, ctx: &Ctx<'_>, set: &NumSet, want: &Fetch, out: &mut dyn FetchSink) -> Result<Fetched>;

    /// Changes flags and answers the new flags of every message of the set through `out`, unless `silent`: then only of
    /// those whose flags are not what the client must think (RFC 3501 6.4.6). Never called when open for reading only.
    ///
    /// # Errors
    /// [`ReadOnly`](crate::ErrorKind::ReadOnly), [`Limit`](crate::ErrorKind::Limit) for too many keywords
    async fn store(
        &mut self,
        ctx: &Ctx<'_>,
        set: &NumSet,
        change: &FlagChange,
        silent: bool,
        out: &mut Updates<'_>,
    ) -> Result<Stored>;

    /// A client has sent STORE commands without waiting for answers. They are named here, in their order and no message in
    /// two of them, before the first is run; [`store`](Mailbox::store) is called for each afterwards, with nothing but
    /// [`poll`](Mailbox::poll) in between. Where a change costs a wait for the disk, all of them can be made here as one, and
    /// told when they are asked for: until then nothing of them may be told. Default: nothing is done ahead. Never called
    /// when open for reading only.
    ///
    /// # Cancel safety
    /// Awaited to its end, as [`store`](Mailbox::store) is; dropped with the connection, what was begun may be done.
    async fn store_ahead(&mut self, ctx: &Ctx<'_>, waiting: &[WaitingStore]) {
        let _ = (ctx, waiting);
    }

    /// The messages that match, ascending. Expunged ones never match.
    ///
    /// # Errors
    /// Any; the command is then answered NO.
    ///
    /// # Cancel safety
    /// The future is dropped when the client disconnects.
    async fn search(&mut self, ctx: &Ctx<'_>, key: &SearchKey, out: &mut dyn SearchSink) -> Result<()>;

    /// Copies messages with flags and INTERNALDATE: all or, on any error, none (RFC 3501 6.4.7).
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for the target; [`ExpungeIssued`](crate::ErrorKind::ExpungeIssued) when a
    /// *numbered* message of the set is gone (RFC 2180 4.4.1); with a UID set those are skipped.
    async fn copy(&mut self, ctx: &Ctx<'_>, set: &NumSet, to: &MailboxName) -> Result<Copied>;

    /// Moves messages as one operation; their EXPUNGEs are told by the next poll. Of two sessions that move the same
    /// message one has it. Never called when open for reading only (RFC 6851).
    ///
    /// # Errors
    /// As [`copy`](Mailbox::copy), but expunged messages are skipped.
    async fn r#move(&mut self, ctx: &Ctx<'_>, set: &NumSet, to: &MailboxName) -> Result<Copied>;

    /// Removes the messages that have `\Deleted` in the store now and were announced here, of `uids` alone where given
    /// (EXPUNGE, UID EXPUNGE, CLOSE). Their EXPUNGEs are told by the next poll. Never called when open for reading only.
    ///
    /// # Errors
    /// Any; the command is then answered NO.
    async fn expunge(&mut self, ctx: &Ctx<'_>, uids: Option<&UidSet>) -> Result<()>;

    /// Waits until a poll with these rights would tell something. Level-triggered: what happened before the call counts.
    ///
    /// # Cancel safety
    /// Must be safe: the core drops the future whenever the client sends something.
    async fn changed(&mut self, rights: Rights);

    /// Tells what changed, as far as `out` gives the right to. O(1) when nothing did.
    ///
    /// # Errors
    /// [`MailboxGone`](crate::ErrorKind::MailboxGone) when the mailbox was deleted.
    async fn poll(&mut self, ctx: &Ctx<'_>, out: &mut Updates<'_>) -> Result<()>;
}
