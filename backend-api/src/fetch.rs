//! What a FETCH asks for, and how a backend hands over what it found.

use std::num::NonZeroU32;

use async_trait::async_trait;

use crate::{DateTime, Flags, ModSeq, Result, Seq, Uid};

/// What one FETCH command asks of each message (RFC 3501 6.4.5, RFC 9051 6.4.5).
///
/// The core has already expanded the macros `ALL`, `FAST` and `FULL` and added `UID` where the command or an
/// extension demands it. Duplicates are removed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Fetch {
    /// The items, in the order in which the client named them.
    pub items: Vec<FetchItem>,
    /// `\Seen` is to be set on every message that lacks it, because an item without PEEK was asked for and the
    /// mailbox is open for writing.
    pub set_seen: bool,
    /// Only messages changed after this mod-sequence are answered (CHANGEDSINCE, RFC 7162 3.1.4.1).
    pub changed_since: Option<ModSeq>,
}

impl Fetch {
    /// A request for these items that sets no flag.
    pub fn new(items: Vec<FetchItem>) -> Self {
        Self {
            items,
            ..Self::default()
        }
    }

    /// Whether this item was asked for.
    pub fn wants(&self, item: &FetchItem) -> bool {
        self.items.contains(item)
    }
}

/// One item of a FETCH.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchItem {
    /// `FLAGS`
    Flags,
    /// `UID`
    Uid,
    /// `INTERNALDATE`
    InternalDate,
    /// `RFC822.SIZE`, in octets
    Rfc822Size,
    /// `MODSEQ` (RFC 7162)
    ModSeq,
    /// `ENVELOPE`
    Envelope,
    /// `BODY`, the structure without extension data
    Body,
    /// `BODYSTRUCTURE`, the structure with extension data
    BodyStructure,
    /// `BODY[…]<…>`, `BODY.PEEK[…]<…>`, `RFC822`, `RFC822.HEADER`, `RFC822.TEXT`
    Section(BodySection),
}

/// A range of a message's octets, named by a section, as one FETCH item.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BodySection {
    /// What is asked for.
    pub section: Section,
    /// `<offset.count>`: at most `count` octets from `offset` on.
    pub partial: Option<Partial>,
    /// The spelling in which the client asked, and in which it is answered.
    pub form: SectionForm,
    /// `.PEEK`, or a form that never sets `\Seen`.
    pub peek: bool,
}

impl BodySection {
    /// `BODY.PEEK[section]`
    pub fn peek(section: Section) -> Self {
        Self {
            section,
            partial: None,
            form: SectionForm::Body,
            peek: true,
        }
    }

    /// A section in all its parts.
    pub fn new(section: Section, partial: Option<Partial>, form: SectionForm, peek: bool) -> Self {
        Self {
            section,
            partial,
            form,
            peek,
        }
    }

    /// The range that this item takes of a section of `size` octets: start and length, cut to what is there.
    pub fn range(&self, size: u64) -> (u64, u64) {
        match self.partial {
            None => (0, size),
            Some(p) => {
                let start = p.offset.min(size);
                (start, p.count.min(size - start))
            }
        }
    }
}

/// `<offset.count>` (RFC 3501 6.4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partial {
    /// First octet, from 0.
    pub offset: u64,
    /// How many octets at most; never 0.
    pub count: u64,
}

/// The spelling of a section item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SectionForm {
    /// `BODY[…]`
    Body,
    /// `RFC822`
    Rfc822,
    /// `RFC822.HEADER`
    Rfc822Header,
    /// `RFC822.TEXT`
    Rfc822Text,
}

/// Which octets of a message (`section-spec` of RFC 3501 9).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Section {
    /// Part numbers from the outside in; empty is the message itself.
    pub path: Vec<NonZeroU32>,
    /// Which text of that part.
    pub text: SectionText,
}

/// Which text of a part (`section-text` of RFC 3501 9).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum SectionText {
    /// The whole: header and body of the message for an empty path, else the part's body.
    #[default]
    All,
    /// `HEADER`: the header of the message, or of a message/rfc822 part.
    Header,
    /// `HEADER.FIELDS (…)`: the fields of these names alone, and the empty line.
    HeaderFields(Vec<String>),
    /// `HEADER.FIELDS.NOT (…)`: all fields but these, and the empty line.
    HeaderFieldsNot(Vec<String>),
    /// `TEXT`: the body of the message, or of a message/rfc822 part.
    Text,
    /// `MIME`: the MIME header of a part.
    Mime,
}

/// What became of a FETCH.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Fetched {
    /// Some message of the set was expunged by another session and could not be read any more: the command ends with
    /// `NO [EXPUNGEISSUED]` (RFC 2180 4.1.2) after what was there has been answered.
    pub missing: bool,
}

impl Fetched {
    /// The outcome with `missing` as given.
    pub fn with_missing(missing: bool) -> Self {
        Self { missing }
    }
}

/// Where a backend puts the answer to a FETCH.
///
/// A message is `begin`, any of its items in any order, `end`. Everything but [`ready`](FetchSink::ready) is
/// synchronous and only writes into a buffer. A sink that says [`is_full`](FetchSink::is_full) has taken what it was
/// given, but wants `ready().await` before more: at the latest after each message and after each piece of a section.
/// **Release every lock and every read transaction before you await `ready`**: the peer may be slow for minutes.
///
/// A sink that is used against these rules (a section that is longer or shorter than announced, an item outside
/// `begin` and `end`, a number that is not in the view) ends the connection with BYE; nothing wrong reaches the client.
#[async_trait]
pub trait FetchSink: Send {
    /// Starts the answer for one message. `uid` is written where the client, or an extension, wants it.
    fn begin(&mut self, seq: Seq, uid: Uid);
    /// `FLAGS`
    fn flags(&mut self, flags: &Flags, recent: bool);
    /// `INTERNALDATE`
    fn internal_date(&mut self, date: DateTime);
    /// `RFC822.SIZE`, octets
    fn rfc822_size(&mut self, octets: u64);
    /// `MODSEQ`
    fn mod_seq(&mut self, mod_seq: ModSeq);
    /// `ENVELOPE`, as finished wire octets (`imap-message` makes them).
    fn envelope(&mut self, wire: &[u8]);
    /// `BODY`, as finished wire octets.
    fn body(&mut self, wire: &[u8]);
    /// `BODYSTRUCTURE`, as finished wire octets.
    fn body_structure(&mut self, wire: &[u8]);
    /// Announces a section of `octets` octets, after `partial` was applied; exactly as many must follow through
    /// [`data`](FetchSink::data). `None` is NIL: the part does not exist.
    fn section(&mut self, item: &BodySection, octets: Option<u64>);
    /// The next octets of the announced section.
    fn data(&mut self, octets: &[u8]);
    /// Ends the answer for this message.
    fn end(&mut self);
    /// Whether [`ready`](FetchSink::ready) must be awaited before more is put.
    fn is_full(&self) -> bool;
    /// Waits until the client has taken enough.
    ///
    /// # Errors
    /// The connection is gone, or the sink was misused: return the error at once.
    ///
    /// # Cancel safety
    /// Safe: dropping the future loses nothing that was put.
    async fn ready(&mut self) -> Result<()>;
}
