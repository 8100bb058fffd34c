//! Message flags: the five system flags as bits, keywords as shared, sorted names that match without case.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// One flag of a message (RFC 3501 2.3.2). `\Recent` is none: it belongs to a session, not to a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Flag {
    /// A flag with a backslash.
    System(SystemFlag),
    /// Any other.
    Keyword(Keyword),
}

/// The system flags that can be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SystemFlag {
    /// `\Answered`
    Answered = 1,
    /// `\Flagged`
    Flagged = 2,
    /// `\Deleted`
    Deleted = 4,
    /// `\Seen`
    Seen = 8,
    /// `\Draft`
    Draft = 16,
}

impl SystemFlag {
    /// All, in the order in which they are written.
    pub const ALL: [Self; 5] = [Self::Answered, Self::Flagged, Self::Deleted, Self::Seen, Self::Draft];

    /// The name, with its backslash.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered => "\\Answered",
            Self::Flagged => "\\Flagged",
            Self::Deleted => "\\Deleted",
            Self::Seen => "\\Seen",
            Self::Draft => "\\Draft",
        }
    }

    /// The flag of this name, with its backslash, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.name().eq_ignore_ascii_case(name))
    }
}

/// A keyword (RFC 3501 2.3.2, RFC 5788): an atom of at most 255 octets. It keeps its spelling and compares without case.
#[derive(Clone)]
pub struct Keyword(Arc<str>);

impl Keyword {
    /// The longest keyword, in octets.
    pub const MAX_LEN: usize = 255;

    /// A keyword of this name, or `None` when it is no IMAP atom or too long.
    pub fn new(name: &str) -> Option<Self> {
        let atom = |b: u8| b > b' ' && b < 0x7f && !b"(){%*\"\\]".contains(&b);
        (!name.is_empty() && name.len() <= Self::MAX_LEN && name.bytes().all(atom)).then(|| Self(name.into()))
    }

    /// The name as it was first spelled.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn folded(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.bytes().map(|b| b.to_ascii_lowercase())
    }
}

impl PartialEq for Keyword {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}
impl Eq for Keyword {}
impl PartialOrd for Keyword {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Keyword {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}
impl Hash for Keyword {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().for_each(|b| state.write_u8(b));
    }
}
impl fmt::Debug for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The flags of one message. Cloning is cheap: a byte and, where there are keywords, a reference count.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Flags {
    system: u8,
    /// Sorted, without duplicates; `None` when empty.
    keywords: Option<Arc<[Keyword]>>,
}

impl Flags {
    /// No flags.
    pub const NONE: Self = Self {
        system: 0,
        keywords: None,
    };
    /// `\Seen` alone.
    pub const SEEN: Self = Self {
        system: SystemFlag::Seen as u8,
        keywords: None,
    };

    /// No flags.
    pub fn new() -> Self {
        Self::NONE
    }

    /// Flags from the bits of [`SystemFlag`] (others are dropped) and keywords in any order.
    pub fn from_parts(system: u8, keywords: impl IntoIterator<Item = Keyword>) -> Self {
        let mut keywords: Vec<Keyword> = keywords.into_iter().collect();
        if !keywords.is_empty() {
            keywords.sort();
            keywords.dedup();
        }
        Self {
            system: system & 31,
            keywords: (!keywords.is_empty()).then(|| keywords.into()),
        }
    }

    /// These flags and one more.
    #[must_use]
    pub fn with(self, flag: SystemFlag) -> Self {
        Self {
            system: self.system | flag as u8,
            ..self
        }
    }

    /// These flags and this keyword; a name that is no keyword is left out.
    #[must_use]
    pub fn with_keyword(self, name: &str) -> Self {
        let more = Keyword::new(name);
        Self::from_parts(self.system, self.keywords().iter().cloned().chain(more))
    }

    /// The system flags as the bits of [`SystemFlag`].
    pub fn system(&self) -> u8 {
        self.system
    }

    /// The keywords, sorted without regard to case.
    pub fn keywords(&self) -> &[Keyword] {
        self.keywords.as_deref().unwrap_or_default()
    }

    /// Whether this system flag is set.
    pub fn has(&self, flag: SystemFlag) -> bool {
        self.system & flag as u8 != 0
    }

    /// Whether this flag is set.
    pub fn contains(&self, flag: &Flag) -> bool {
        match flag {
            Flag::System(f) => self.has(*f),
            Flag::Keyword(k) => self.keywords().binary_search(k).is_ok(),
        }
    }

    /// Whether no flag is set.
    pub fn is_empty(&self) -> bool {
        self.system == 0 && self.keywords.is_none()
    }

    /// Every flag, system flags first.
    pub fn iter(&self) -> impl Iterator<Item = Flag> + '_ {
        let system = SystemFlag::ALL.into_iter().filter(|f| self.has(*f)).map(Flag::System);
        system.chain(self.keywords().iter().cloned().map(Flag::Keyword))
    }

    /// The flags of either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let system = self.system | other.system;
        match (&self.keywords, &other.keywords) {
            (_, None) => Self {
                system,
                keywords: self.keywords.clone(),
            },
            (None, _) => Self {
                system,
                keywords: other.keywords.clone(),
            },
            _ => Self::from_parts(system, self.keywords().iter().chain(other.keywords()).cloned()),
        }
    }

    /// These flags without the others.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let system = self.system & !other.system;
        if self.keywords.is_none() || other.keywords.is_none() {
            return Self {
                system,
                keywords: self.keywords.clone(),
            };
        }
        let gone = other.keywords();
        Self::from_parts(
            system,
            self.keywords()
                .iter()
                .filter(|k| gone.binary_search(k).is_err())
                .cloned(),
        )
    }
}

impl FromIterator<Flag> for Flags {
    fn from_iter<T: IntoIterator<Item = Flag>>(flags: T) -> Self {
        let (mut system, mut keywords) = (0, Vec::new());
        for flag in flags {
            match flag {
                Flag::System(f) => system |= f as u8,
                Flag::Keyword(k) => keywords.push(k),
            }
        }
        Self::from_parts(system, keywords)
    }
}

/// As IMAP writes it: `(\Seen $Forwarded)`.
impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        for (i, flag) in self.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            flag.fmt(f)?;
        }
        f.write_str(")")
    }
}
impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System(s) => s.name(),
            Self::Keyword(k) => k.as_str(),
        })
    }
}

/// What a STORE does to the flags of a message (RFC 3501 6.4.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlagChange {
    /// `+FLAGS`
    Add(Flags),
    /// `-FLAGS`
    Remove(Flags),
    /// `FLAGS`
    Replace(Flags),
}

impl FlagChange {
    /// The flags of a message that had these.
    pub fn apply(&self, before: &Flags) -> Flags {
        match self {
            Self::Add(flags) => before.union(flags),
            Self::Remove(flags) => before.difference(flags),
            Self::Replace(flags) => flags.clone(),
        }
    }

    /// The flags that the client named.
    pub fn flags(&self) -> &Flags {
        match self {
            Self::Add(flags) | Self::Remove(flags) | Self::Replace(flags) => flags,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(names: &[&str]) -> Flags {
        names.iter().fold(Flags::NONE, |f, n| match SystemFlag::from_name(n) {
            Some(s) => f.with(s),
            None => f.with_keyword(n),
        })
    }

    #[test]
    fn a_keyword_keeps_its_spelling_and_matches_without_case() {
        let f = flags(&["$Forwarded", "$forwarded", "\\seen"]);
        assert_eq!(f.to_string(), "(\\Seen $Forwarded)");
        assert!(f.contains(&Flag::Keyword(Keyword::new("$FORWARDED").unwrap())));
    }

    #[test]
    fn what_is_no_atom_is_no_keyword() {
        for name in ["", "a b", "a]", "\\Seen", "a(", "é", "a\r\n", &"x".repeat(256)] {
            assert_eq!(Keyword::new(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_change_adds_removes_or_replaces() {
        let before = flags(&["\\Seen", "A", "b"]);
        assert_eq!(
            FlagChange::Add(flags(&["\\Draft", "a", "C"])).apply(&before),
            flags(&["\\Seen", "\\Draft", "A", "b", "C"])
        );
        assert_eq!(
            FlagChange::Remove(flags(&["\\Seen", "B"])).apply(&before),
            flags(&["A"])
        );
        assert_eq!(FlagChange::Replace(flags(&["X"])).apply(&before), flags(&["X"]));
    }
}
