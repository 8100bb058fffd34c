//! SEARCH: what a key means, evaluated with as little of a message as decides it (RFC 3501 6.4.4).
//!
//! A [`Program`] is compiled once for a command. Of most messages the columns of the listing say whether they match
//! ([`Program::cheap`]); where they do not, the answer names what is needed, so that the caller can load it for many
//! messages at once, and goes on with [`Program::with_index`] and at last [`Program::with_body`], which reads the text in
//! pieces of 64 KiB and stops as soon as the answer is certain.
//!
//! An index of the texts makes it fast: [`Program::sought`] is what it may be asked for, and what it answers
//! ([`Program::narrow`]) decides, in the columns' stage, about each message that certainly does not hold a string, under NOT
//! and OR as well. The others are read all the same, so that an index need not be exact to give exact answers.
//!
//! Before any message is looked at, [`Program::named`] and [`Program::may_match`] say which can match at all: where a key
//! names numbers or UIDs, has a string that an index knows or a flag that few have, the size of the mailbox hardly counts.
//!
//! # What the keys search
//! Strings match as substrings without regard to case (each character in lower case), octet for octet otherwise: white
//! space and line ends stand for themselves.
//!
//! - **HEADER** (and FROM, TO, CC, BCC, SUBJECT): the text of any field of that name, unfolded, its encoded words decoded.
//! - **BODY**: the decoded text of every `text/*` part and of parts of type `message/*` that carry no message, and of
//!   messages within the message their header, as it stands there and decoded, and their text. Neither the header of the
//!   message nor the MIME headers of its parts; no other types (RFC 3501 lets a server leave them out), nor what stands
//!   before, between and behind the parts of a multipart.
//! - **TEXT**: what BODY searches, and the header and the MIME headers of the parts, as they stand there and decoded.
//! - **BEFORE, ON, SINCE**: the day of INTERNALDATE in its own zone. **SENTBEFORE, SENTON, SENTSINCE**: the day as the Date
//!   field writes it; a message without a Date field that can be read matches none of them.
//!
//! The empty string is in every text; HEADER with an empty string asks whether there is such a field. Nothing matches across
//! two parts, across two fields of a name, or across header and body.

mod evaluate;
mod narrow;
mod needles;
mod program;
mod scan;

use backend_api::{
    DateTime, Error, Flags, MessageBody, ModSeq, NumSet, Result, SearchKey, Seq, SeqSet, Sought, Uid, UidSet,
};
use imap_message::Index;

use evaluate::{Columns, evaluate};
use narrow::{OfFlags, named};
use program::Parts;
use scan::Message;

/// A search key, made ready to be asked of many messages.
#[derive(Debug)]
pub struct Program {
    parts: Parts,
}

/// What the listing knows of a message.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Its number in the view of the session that searches.
    pub seq: Seq,
    /// Its UID.
    pub uid: Uid,
    /// Its flags.
    pub flags: &'a Flags,
    /// Whether it is recent to the session that searches.
    pub recent: bool,
    /// INTERNALDATE.
    pub date: DateTime,
    /// Octets, where known.
    pub size: Option<u64>,
    /// The mod-sequence of its last change.
    pub mod_seq: ModSeq,
}

/// What must be known of a message to say more. Each includes the ones before it, except that an index and a body tell
/// the size as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// [`Row::size`].
    Size,
    /// The index: [`Program::with_index`] goes on.
    Index,
    /// The index and the header's octets: [`Program::with_body`] decides, and reads no more of the body than that.
    Header,
    /// The index and the body: [`Program::with_body`] decides.
    Body,
}

/// Whether a message matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// This must be known to say; it is the least that may be enough.
    Unknown(Need),
}

impl From<Result<bool, Need>> for Verdict {
    fn from(value: Result<bool, Need>) -> Self {
        match value {
            Ok(true) => Self::Yes,
            Ok(false) => Self::No,
            Err(need) => Self::Unknown(need),
        }
    }
}

impl Program {
    /// Compiles a key: constants vanish, lists become flat, in each list the cheap tests come first, and each needle and
    /// each header field is there once, however often the key names it.
    pub fn compile(key: &SearchKey) -> Self {
        Self {
            parts: program::compile(key),
        }
    }

    /// What an index may be asked for ([`MailStore::may_hold`](backend_api::MailStore::may_hold)): the strings that the key
    /// looks for, each once.
    pub fn sought(&self) -> &[Sought] {
        &self.parts.sought
    }

    /// Takes what an index answered: from now on it decides about the messages that certainly do not hold a string. It must
    /// have been asked after the messages came to be that this is used for.
    pub fn narrow(&mut self, may_hold: Vec<Option<UidSet>>) {
        self.parts.may_hold = may_hold;
    }

    /// The most that is needed for an ordinary message; `None` if the columns decide about all of them. (An index leaves
    /// out header fields of unusual length, so that [`with_index`](Self::with_index) may ask for the header all the same.)
    pub fn needs(&self) -> Option<Need> {
        self.parts.needs
    }

    /// The numbers outside of which no message matches, as far as the key names messages, by numbers or UIDs or by a string
    /// that an index knows ([`narrow`](Self::narrow)); `None` if it names none. `resolve` says which numbers a set means.
    pub fn named(&self, resolve: impl Fn(&NumSet) -> SeqSet) -> Option<SeqSet> {
        named(&self.parts.root, &self.parts, &resolve)
    }

    /// Whether a message with these flags can match, whatever else there is to know of it.
    pub fn may_match(&self, flags: &Flags) -> bool {
        evaluate(&self.parts.root, &mut OfFlags(flags)) != Ok(false)
    }

    /// What the columns alone say.
    pub fn cheap(&self, row: &Row<'_>) -> Verdict {
        let mut known = Columns {
            row,
            parts: &self.parts,
        };
        evaluate(&self.parts.root, &mut known).into()
    }

    /// What the columns and the message's index say: never that the index or the size is needed.
    pub fn with_index<B: AsRef<[u8]>>(&self, row: &Row<'_>, index: &Index<B>) -> Verdict {
        let mut known = Message::new(&self.parts, row, index);
        evaluate(&self.parts.root, &mut known).into()
    }

    /// Whether the message matches. Reads of the body only what is needed for that: nothing, the header, or the text up to
    /// the point where the answer is certain; all needles are looked for in one pass.
    ///
    /// # Errors
    /// Those of reading the body; [`NotFound`](backend_api::ErrorKind::NotFound) says that it was removed meanwhile.
    ///
    /// # Cancel safety
    /// Nothing is changed; a dropped search leaves nothing behind.
    pub async fn with_body<B>(&self, row: &Row<'_>, index: &Index<B>, body: &MessageBody) -> Result<bool>
    where
        B: AsRef<[u8]> + Sync,
    {
        let mut message = Message::new(&self.parts, row, index);
        if let Ok(matches) = evaluate(&self.parts.root, &mut message) {
            return Ok(matches);
        }
        if let Some(matches) = message.read(body).await? {
            return Ok(matches);
        }
        let decided = evaluate(&self.parts.root, &mut message);
        decided.map_err(|_| Error::internal("a search was undecided after all was read"))
    }
}

#[cfg(test)]
mod tests;
