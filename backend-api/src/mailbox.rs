//! Mailboxes: their names, their attributes, and what SELECT and STATUS tell of them.

use std::fmt;
use std::sync::Arc;

use crate::{Flags, Keyword, ModSeq, Seq, Uid, UidValidity};

/// The hierarchy separator of every mailbox name.
pub const SEPARATOR: char = '/';

/// A valid mailbox name, decoded: UTF-8, levels separated by `/`, `INBOX` in upper case at its start.
///
/// Modified UTF-7 (RFC 3501 5.1.3) stays in the core; a backend never sees it. Other names match case by case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxName(Arc<str>);

/// Why a name is not possible, in words for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidMailboxName(pub &'static str);

impl fmt::Display for InvalidMailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
impl std::error::Error for InvalidMailboxName {}

impl MailboxName {
    /// The longest name, in octets of UTF-8. Long enough for any person, short enough to list a million of them.
    pub const MAX_LEN: usize = 1_000;
    /// The most levels, so that a hierarchy can be walked without a stack.
    pub const MAX_LEVELS: usize = 64;

    /// A name as people write it.
    ///
    /// # Errors
    /// Empty, too long or too deep; an empty level (`a//b`, `/a`, `a/`); a control character (C0, DEL, C1) or U+2028,
    /// U+2029.
    pub fn new(name: &str) -> Result<Self, InvalidMailboxName> {
        let err = |why| Err(InvalidMailboxName(why));
        if name.is_empty() {
            return err("a mailbox name cannot be empty");
        }
        if name.len() > Self::MAX_LEN {
            return err("a mailbox name has at most 1000 octets");
        }
        if name
            .chars()
            .any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}'))
        {
            return err("a mailbox name cannot hold control characters");
        }
        if name.split(SEPARATOR).any(str::is_empty) {
            return err("a mailbox name cannot have an empty level");
        }
        if name.split(SEPARATOR).count() > Self::MAX_LEVELS {
            return err("a mailbox name has at most 64 levels");
        }
        let (first, rest) = match name.find(SEPARATOR) {
            Some(at) => name.split_at(at),
            None => (name, ""),
        };
        if first.eq_ignore_ascii_case("INBOX") && first != "INBOX" {
            return Ok(Self(format!("INBOX{rest}").into()));
        }
        Ok(Self(name.into()))
    }

    /// `INBOX`
    pub fn inbox() -> Self {
        Self("INBOX".into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is `INBOX` itself.
    pub fn is_inbox(&self) -> bool {
        &*self.0 == "INBOX"
    }

    /// The name one level up, if there is one.
    pub fn parent(&self) -> Option<Self> {
        self.0
            .rfind(SEPARATOR)
            .and_then(|at| self.0.get(..at))
            .map(|p| Self(p.into()))
    }

    /// Whether this name is below `other` in the hierarchy.
    pub fn is_below(&self, other: &Self) -> bool {
        self.0
            .strip_prefix(&*other.0)
            .is_some_and(|rest| rest.starts_with(SEPARATOR))
    }
}

impl fmt::Display for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// What a mailbox is for (RFC 6154, RFC 8457).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SpecialUse {
    /// `\All`
    All,
    /// `\Archive`
    Archive,
    /// `\Drafts`
    Drafts,
    /// `\Flagged`
    Flagged,
    /// `\Important`
    Important,
    /// `\Junk`
    Junk,
    /// `\Sent`
    Sent,
    /// `\Trash`
    Trash,
}

impl SpecialUse {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::All,
        Self::Archive,
        Self::Drafts,
        Self::Flagged,
        Self::Important,
        Self::Junk,
        Self::Sent,
        Self::Trash,
    ];

    /// The attribute, with its backslash.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "\\All",
            Self::Archive => "\\Archive",
            Self::Drafts => "\\Drafts",
            Self::Flagged => "\\Flagged",
            Self::Important => "\\Important",
            Self::Junk => "\\Junk",
            Self::Sent => "\\Sent",
            Self::Trash => "\\Trash",
        }
    }

    /// The use of this name, with its backslash, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|u| u.name().eq_ignore_ascii_case(name))
    }
}

/// What LIST tells of a name besides the name (RFC 3501 7.2.2, RFC 3348, RFC 5258, RFC 6154).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Attributes {
    /// `\NonExistent`: the name is listed for its children or its subscription alone. Implies `\Noselect`.
    pub non_existent: bool,
    /// `\Noselect`: cannot be selected.
    pub no_select: bool,
    /// `\Noinferiors`: can never have children.
    pub no_inferiors: bool,
    /// `\HasChildren` or `\HasNoChildren`; `None` says neither.
    pub has_children: Option<bool>,
    /// `\Subscribed`
    pub subscribed: bool,
    /// `\Marked` or `\Unmarked`; `None` says neither.
    pub marked: Option<bool>,
    /// What the mailbox is for.
    pub special_use: Vec<SpecialUse>,
}

/// One line of LIST or LSUB.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListEntry {
    /// The name.
    pub name: MailboxName,
    /// Its attributes.
    pub attributes: Attributes,
}

impl ListEntry {
    /// A line with these attributes.
    pub fn new(name: MailboxName, attributes: Attributes) -> Self {
        Self { name, attributes }
    }
}

/// What LIST or LSUB asks (RFC 3501 6.3.8, 6.3.9).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ListQuery {
    /// Reference name and pattern joined: `*` matches anything, `%` anything but the separator.
    pub patterns: Vec<String>,
    /// LSUB: subscribed names alone, and with `%` also a parent of one, as `\Noselect` (RFC 3501 6.3.9).
    pub lsub: bool,
}

impl ListQuery {
    /// LIST or LSUB of these patterns.
    pub fn new(patterns: Vec<String>, lsub: bool) -> Self {
        Self { patterns, lsub }
    }
}

/// How a mailbox is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// SELECT
    ReadWrite,
    /// EXAMINE: nothing may change, not even `\Recent`.
    ReadOnly,
}

/// What SELECT and EXAMINE tell of a mailbox (RFC 3501 6.3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Selected {
    /// Number of messages.
    pub exists: u32,
    /// Number of messages that are recent to this session.
    pub recent: u32,
    /// The first message without `\Seen`.
    pub unseen: Option<Seq>,
    /// UIDVALIDITY
    pub uid_validity: UidValidity,
    /// UIDNEXT; `None` once every UID is used up.
    pub uid_next: Option<Uid>,
    /// HIGHESTMODSEQ; `None` where mod-sequences are not kept (NOMODSEQ).
    pub highest_mod_seq: Option<ModSeq>,
    /// Keywords in use in the mailbox, for `* FLAGS`.
    pub keywords: Vec<Keyword>,
    /// Flags that a client can change for good (PERMANENTFLAGS).
    pub permanent: PermanentFlags,
    /// The mailbox is open for reading only, whatever was asked for.
    pub read_only: bool,
}

impl Selected {
    /// An empty, read-only mailbox; set the fields that differ.
    pub fn new(uid_validity: UidValidity) -> Self {
        Self {
            exists: 0,
            recent: 0,
            unseen: None,
            uid_validity,
            uid_next: Some(Uid::MIN),
            highest_mod_seq: None,
            keywords: Vec::new(),
            permanent: PermanentFlags::None,
            read_only: true,
        }
    }
}

/// Which flags a client can change for good (RFC 3501 7.1 PERMANENTFLAGS).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PermanentFlags {
    /// None: `()`.
    None,
    /// These alone.
    These(Flags),
    /// The system flags, every keyword there is, and new keywords (`\*`).
    All,
}

/// Which counters STATUS asks for (RFC 3501 6.3.10, RFC 8438, RFC 9051).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct StatusItems {
    /// `MESSAGES`
    pub messages: bool,
    /// `RECENT`
    pub recent: bool,
    /// `UIDNEXT`
    pub uid_next: bool,
    /// `UIDVALIDITY`
    pub uid_validity: bool,
    /// `UNSEEN`
    pub unseen: bool,
}

/// The counters of a mailbox. What was not asked for may be left at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Number of messages.
    pub messages: u32,
    /// Number of messages that no session has claimed as recent yet.
    pub recent: u32,
    /// The next UID; `None` once every UID is used up.
    pub uid_next: Option<Uid>,
    /// UIDVALIDITY
    pub uid_validity: UidValidity,
    /// Number of messages without `\Seen`.
    pub unseen: u32,
    /// Number of messages with `\Deleted`.
    pub deleted: u32,
    /// Octets of all messages together.
    pub size: u64,
    /// HIGHESTMODSEQ, where kept.
    pub highest_mod_seq: Option<ModSeq>,
}

impl Status {
    /// An empty mailbox; set the fields that differ.
    pub fn new(uid_validity: UidValidity) -> Self {
        Self {
            messages: 0,
            recent: 0,
            uid_next: Some(Uid::MIN),
            uid_validity,
            unseen: 0,
            deleted: 0,
            size: 0,
            highest_mod_seq: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inbox_is_one_name_in_any_case() {
        assert!(MailboxName::new("inBox").unwrap().is_inbox());
        assert_eq!(MailboxName::new("Inbox/a").unwrap().as_str(), "INBOX/a");
        assert_eq!(MailboxName::new("inboxes").unwrap().as_str(), "inboxes");
        assert_eq!(MailboxName::new("a/inbox").unwrap().as_str(), "a/inbox");
    }

    #[test]
    fn names_that_no_client_could_handle_are_refused() {
        for name in [
            "",
            "/",
            "a//b",
            "/a",
            "a/",
            "a\r\nb",
            "a\0",
            "\u{7f}",
            "\u{85}",
            &"x".repeat(1001),
            &"a/".repeat(70),
        ] {
            assert!(MailboxName::new(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_child_is_below_its_parents_alone() {
        let name = |s| MailboxName::new(s).unwrap();
        assert!(name("a/b/c").is_below(&name("a")));
        assert!(!name("ab").is_below(&name("a")));
        assert!(!name("a").is_below(&name("a")));
        assert_eq!(name("a/b").parent(), Some(name("a")));
        assert_eq!(name("a").parent(), None);
    }
}
