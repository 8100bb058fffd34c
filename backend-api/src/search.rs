//! What SEARCH asks, and where its answer goes.

use async_trait::async_trait;

use crate::{Date, Flag, ModSeq, NumSet, Result, Seq, Uid};

/// One search criterion (RFC 3501 6.4.4). `S` is how a message set stands in it: resolved for a backend.
///
/// Strings are UTF-8, whatever charset the client used; they match without regard to case, as substrings of the decoded
/// text.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SearchKey<S = NumSet> {
    /// `ALL`
    All,
    /// A message set, or `UID` with one.
    Set(S),
    /// The flag is set: `SEEN`, `KEYWORD $Junk` …
    Has(Flag),
    /// `RECENT`; `NEW` is `And([Recent, Not(Has(\Seen))])`, `OLD` is `Not(Recent)`.
    Recent,
    /// `BEFORE`: the day of INTERNALDATE, in its own zone, is earlier.
    Before(Date),
    /// `ON`
    On(Date),
    /// `SINCE`
    Since(Date),
    /// `SENTBEFORE`: the day in the Date header, as written there, is earlier.
    SentBefore(Date),
    /// `SENTON`
    SentOn(Date),
    /// `SENTSINCE`
    SentSince(Date),
    /// `HEADER name value`, and `FROM`, `TO`, `CC`, `BCC`, `SUBJECT`. An empty value asks whether the field is there.
    Header {
        /// The field's name, without colon.
        name: String,
        /// The substring.
        value: String,
    },
    /// `BODY`: the substring is in the body.
    Body(String),
    /// `TEXT`: the substring is in the header or the body.
    Text(String),
    /// `LARGER`: RFC822.SIZE is greater than this.
    Larger(u64),
    /// `SMALLER`
    Smaller(u64),
    /// `MODSEQ` (RFC 7162): the mod-sequence is at least this.
    ModSeq(ModSeq),
    /// `NOT`
    Not(Box<Self>),
    /// Any of these: chains of `OR`, flattened. Never empty.
    Or(Vec<Self>),
    /// All of these: a list of keys. Never empty.
    And(Vec<Self>),
}

impl<S> SearchKey<S> {
    /// The same key with every message set replaced.
    ///
    /// # Errors
    /// The first error of `resolve`.
    pub fn try_map_sets<T, E>(self, resolve: &mut impl FnMut(S) -> Result<T, E>) -> Result<SearchKey<T>, E> {
        Ok(match self {
            Self::Set(set) => SearchKey::Set(resolve(set)?),
            Self::Not(key) => SearchKey::Not(Box::new(key.try_map_sets(resolve)?)),
            Self::Or(keys) => SearchKey::Or(map_all(keys, resolve)?),
            Self::And(keys) => SearchKey::And(map_all(keys, resolve)?),
            Self::All => SearchKey::All,
            Self::Has(flag) => SearchKey::Has(flag),
            Self::Recent => SearchKey::Recent,
            Self::Before(d) => SearchKey::Before(d),
            Self::On(d) => SearchKey::On(d),
            Self::Since(d) => SearchKey::Since(d),
            Self::SentBefore(d) => SearchKey::SentBefore(d),
            Self::SentOn(d) => SearchKey::SentOn(d),
            Self::SentSince(d) => SearchKey::SentSince(d),
            Self::Header { name, value } => SearchKey::Header { name, value },
            Self::Body(s) => SearchKey::Body(s),
            Self::Text(s) => SearchKey::Text(s),
            Self::Larger(n) => SearchKey::Larger(n),
            Self::Smaller(n) => SearchKey::Smaller(n),
            Self::ModSeq(m) => SearchKey::ModSeq(m),
        })
    }
}

fn map_all<S, T, E>(
    keys: Vec<SearchKey<S>>,
    resolve: &mut impl FnMut(S) -> Result<T, E>,
) -> Result<Vec<SearchKey<T>>, E> {
    keys.into_iter().map(|k| k.try_map_sets(resolve)).collect()
}

/// Strings that SEARCH looks for, as a store that keeps an index of its messages' text is asked for them
/// ([`MailStore::may_hold`](crate::MailStore::may_hold)).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Sought {
    /// Where they are looked for.
    pub area: SoughtIn,
    /// All of these, each somewhere in one area, folded as by `imap_message::fold`; octet for octet then.
    pub strings: Vec<String>,
}

/// Where SEARCH looks for a string. Which texts of a message these are, `imap_message::searched` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SoughtIn {
    /// The message's own header, decoded: `name: value` and a line end for each field.
    Header,
    /// What BODY searches.
    Body,
    /// What TEXT searches: all strings in what BODY searches, or all of them in the header or a MIME header, as it stands
    /// there or decoded.
    Text,
}

impl Sought {
    /// These strings, folded already.
    pub fn new(area: SoughtIn, strings: Vec<String>) -> Self {
        Self { area, strings }
    }
}

/// Where a backend puts the messages that a SEARCH found, in ascending order.
///
/// The rules of [`FetchSink`](crate::FetchSink) hold: put, and await `ready` with no lock held when it is full.
#[async_trait]
pub trait SearchSink: Send {
    /// A message that matches.
    fn put(&mut self, seq: Seq, uid: Uid);
    /// Whether [`ready`](SearchSink::ready) must be awaited before more is put.
    fn is_full(&self) -> bool;
    /// Waits until there is room.
    ///
    /// # Errors
    /// The connection is gone: return the error at once.
    async fn ready(&mut self) -> Result<()>;
}
