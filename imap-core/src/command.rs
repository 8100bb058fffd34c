//! What a client can ask: one variant a command, its arguments decoded, sets not yet resolved.

use backend_api::{Access, DateTime, FetchItem, FlagChange, Flags, MailboxName, SearchKey, SpecialUse, StatusItems};
use zeroize::Zeroizing;

/// The end of a range in a set as the client wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SetEnd {
    /// A number, never 0.
    Number(u32),
    /// `*`, the highest number there is.
    Star,
}

/// A `sequence-set` as the client wrote it (RFC 3501 9): what it means depends on the view.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RawSet(pub Vec<(SetEnd, SetEnd)>);

/// A message set in a SEARCH key: by number, or by UID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawNumSet {
    /// Message sequence numbers.
    Seq(RawSet),
    /// `UID …`
    Uid(RawSet),
}

/// A command of the client.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Command {
    /// CAPABILITY
    Capability,
    /// NOOP
    Noop,
    /// LOGOUT
    Logout,
    /// ID (RFC 2971): fields and values, `None` for NIL.
    Id(Vec<(String, Option<String>)>),
    /// STARTTLS. No byte received before the handshake may be looked at after it.
    StartTls,
    /// AUTHENTICATE, with the initial response (RFC 4959) decoded from base64; `=` is an empty one.
    Authenticate {
        /// Mechanism in upper case.
        mechanism: String,
        /// The initial response.
        initial: Option<Secret>,
    },
    /// LOGIN
    Login {
        /// User name.
        user: String,
        /// Password.
        password: Secret,
    },
    /// ENABLE (RFC 5161): names in upper case.
    Enable(Vec<String>),
    /// SELECT, EXAMINE
    Select {
        /// Which mailbox; `Err` carries why the name is not possible: no such mailbox can exist.
        mailbox: MailboxArg,
        /// SELECT or EXAMINE.
        access: Access,
    },
    /// CREATE, with `USE (…)` (RFC 6154)
    Create {
        /// The new name, a trailing separator removed.
        mailbox: MailboxArg,
        /// Special uses asked for.
        special_use: Vec<SpecialUse>,
    },
    /// DELETE
    Delete(MailboxArg),
    /// RENAME
    Rename {
        /// Old name.
        from: MailboxArg,
        /// New name.
        to: MailboxArg,
    },
    /// SUBSCRIBE
    Subscribe(MailboxArg),
    /// UNSUBSCRIBE
    Unsubscribe(MailboxArg),
    /// LIST, LSUB
    List {
        /// Reference name and pattern, decoded; or why no name can match them.
        names: ListNames,
        /// LSUB rather than LIST.
        lsub: bool,
        /// The options of an extended LIST (RFC 5258 3): without them the empty pattern asks for the separator.
        options: Option<ListOptions>,
    },
    /// NAMESPACE (RFC 2342)
    Namespace,
    /// STATUS
    Status {
        /// Which mailbox.
        mailbox: MailboxArg,
        /// Which counters, at least one.
        items: StatusItems,
        /// APPENDLIMIT is asked for too (RFC 7889 3.2).
        append_limit: bool,
    },
    /// CHECK
    Check,
    /// CLOSE
    Close,
    /// UNSELECT (RFC 3691)
    Unselect,
    /// EXPUNGE, or UID EXPUNGE (RFC 4315) of these.
    Expunge(Option<RawSet>),
    /// SEARCH, UID SEARCH; strings are UTF-8 whatever the charset was.
    Search {
        /// Answer with UIDs.
        uid: bool,
        /// What to look for.
        key: SearchKey<RawNumSet>,
    },
    /// FETCH, UID FETCH; macros expanded, duplicates removed.
    Fetch {
        /// The set is of UIDs, and UID is among the items.
        uid: bool,
        /// Which messages.
        set: RawSet,
        /// What of each.
        items: Vec<FetchItem>,
    },
    /// STORE, UID STORE
    Store {
        /// The set is of UIDs.
        uid: bool,
        /// Which messages.
        set: RawSet,
        /// What to do to their flags.
        change: FlagChange,
        /// `.SILENT`
        silent: bool,
    },
    /// COPY, UID COPY
    Copy {
        /// The set is of UIDs.
        uid: bool,
        /// Which messages.
        set: RawSet,
        /// Where to.
        mailbox: MailboxArg,
    },
    /// MOVE, UID MOVE (RFC 6851)
    Move {
        /// The set is of UIDs.
        uid: bool,
        /// Which messages.
        set: RawSet,
        /// Where to.
        mailbox: MailboxArg,
    },
    /// IDLE (RFC 2177)
    Idle,
}

impl Command {
    /// The command's name, UID commands with both words: for the log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Capability => "CAPABILITY",
            Self::Noop => "NOOP",
            Self::Logout => "LOGOUT",
            Self::Id(_) => "ID",
            Self::StartTls => "STARTTLS",
            Self::Authenticate { .. } => "AUTHENTICATE",
            Self::Login { .. } => "LOGIN",
            Self::Enable(_) => "ENABLE",
            Self::Select {
                access: Access::ReadWrite,
                ..
            } => "SELECT",
            Self::Select { .. } => "EXAMINE",
            Self::Create { .. } => "CREATE",
            Self::Delete(_) => "DELETE",
            Self::Rename { .. } => "RENAME",
            Self::Subscribe(_) => "SUBSCRIBE",
            Self::Unsubscribe(_) => "UNSUBSCRIBE",
            Self::List { lsub: false, .. } => "LIST",
            Self::List { .. } => "LSUB",
            Self::Namespace => "NAMESPACE",
            Self::Status { .. } => "STATUS",
            Self::Check => "CHECK",
            Self::Close => "CLOSE",
            Self::Unselect => "UNSELECT",
            Self::Expunge(None) => "EXPUNGE",
            Self::Expunge(Some(_)) => "UID EXPUNGE",
            Self::Search { uid: false, .. } => "SEARCH",
            Self::Search { .. } => "UID SEARCH",
            Self::Fetch { uid: false, .. } => "FETCH",
            Self::Fetch { .. } => "UID FETCH",
            Self::Store { uid: false, .. } => "STORE",
            Self::Store { .. } => "UID STORE",
            Self::Copy { uid: false, .. } => "COPY",
            Self::Copy { .. } => "UID COPY",
            Self::Move { uid: false, .. } => "MOVE",
            Self::Move { .. } => "UID MOVE",
            Self::Idle => "IDLE",
        }
    }
}

/// The options of an extended LIST: those that come with SPECIAL-USE (RFC 6154 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ListOptions {
    /// Mailboxes with a special use alone.
    pub special_use: bool,
}

/// A mailbox argument: a possible name, or why it is none (then no such mailbox exists, and none can be made).
pub type MailboxArg = Result<MailboxName, &'static str>;

/// What LIST and LSUB ask for, reference name and pattern decoded; or why no name can match it: its encoding is none.
pub type ListNames = Result<(String, String), &'static str>;

/// The arguments of APPEND before a message literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendArgs {
    /// Flags of the message.
    pub flags: Flags,
    /// INTERNALDATE, if the client gave one.
    pub date: Option<DateTime>,
    /// Octets of the literal.
    pub size: u64,
}

/// Octets that must not be shown: wiped when dropped, hidden from `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Hides these octets.
    pub fn new(octets: Vec<u8>) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// The octets.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}
