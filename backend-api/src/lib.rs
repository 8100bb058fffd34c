//! The vocabulary and the traits that an IMAP backend author implements.
#![doc = include_str!("guide.md")]

mod abilities;
mod backend;
mod conn;
mod date;
mod error;
mod fetch;
mod flags;
mod mailbox;
mod message;
mod number;
mod search;
mod set;
mod store;
mod updates;

pub use async_trait::async_trait;
pub use bytes::Bytes;

pub use abilities::Abilities;
pub use backend::{
    Append, AppendOptions, Appended, Backend, Copied, ListSink, Mailbox, Session, Stored, WaitingStore, Welcome,
};
pub use conn::{Account, ConnInfo, Credentials, Ctx};
pub use date::{Date, DateTime};
pub use error::{Error, ErrorKind, Result};
pub use fetch::{BodySection, Fetch, FetchItem, FetchSink, Fetched, Partial, Section, SectionForm, SectionText};
pub use flags::{Flag, FlagChange, Flags, Keyword, SystemFlag};
pub use mailbox::{
    Access, Attributes, InvalidMailboxName, ListEntry, ListQuery, MailboxName, PermanentFlags, SEPARATOR, Selected,
    SpecialUse, Status, StatusItems,
};
pub use message::{Incoming, Load, Loaded, MessageBody, NewMessage, RangedBody};
pub use number::{ModSeq, Seq, Uid, UidValidity};
pub use search::{SearchKey, SearchSink, Sought, SoughtIn};
pub use set::{NumSet, Number, NumberSet, SeqSet, UidSet};
pub use store::{Changes, FlagsChanged, MailStore, MailboxEntry, MailboxId, MessageEntry, Messages, Remove, Watcher};
pub use updates::{ExistsUpdates, ExpungeUpdates, FlagUpdates, Rights, UpdateSink, Updates};
