//! The numbers of IMAP: UIDs, message sequence numbers, UIDVALIDITY, mod-sequences. None of the first three can be zero.

use std::fmt;
use std::num::NonZeroU32;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(NonZeroU32);

        impl $name {
            /// The lowest.
            pub const MIN: Self = Self(NonZeroU32::MIN);
            /// The highest.
            pub const MAX: Self = Self(NonZeroU32::MAX);

            /// The number, or `None` for zero.
            pub const fn new(n: u32) -> Option<Self> {
                match NonZeroU32::new(n) {
                    Some(n) => Some(Self(n)),
                    None => None,
                }
            }

            /// The plain number.
            pub const fn get(self) -> u32 {
                self.0.get()
            }

            /// The next number, or `None` after the highest.
            pub const fn next(self) -> Option<Self> {
                match self.0.checked_add(1) {
                    Some(n) => Some(Self(n)),
                    None => None,
                }
            }
        }

        impl From<NonZeroU32> for $name {
            fn from(n: NonZeroU32) -> Self {
                Self(n)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// A unique identifier of a message in a mailbox (RFC 3501 2.3.1.1): strictly ascending, never used twice under one
    /// UIDVALIDITY.
    Uid
}
number! {
    /// A message sequence number (RFC 3501 2.3.1.2): the position in one connection's view of a mailbox, from 1.
    Seq
}
number! {
    /// UIDVALIDITY of a mailbox (RFC 3501 2.3.1.1): another value says that all UIDs known of it are void.
    UidValidity
}

/// A mod-sequence (RFC 7162 3.1): grows with every change of a mailbox. 0 is before the first change; at most 2^63 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ModSeq(pub u64);

impl ModSeq {
    /// Before the first change.
    pub const ZERO: Self = Self(0);

    /// The plain number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The next one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for ModSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
