//! RFC 5322 and MIME as IMAP sees them: one pass over a message gives an [`Index`] from which every FETCH item is
//! answered, without I/O.
//!
//! An [`Indexer`] is fed the octets of a message as they arrive; the [`Index`] it gives is what a backend stores beside
//! the message: ENVELOPE, BODY and BODYSTRUCTURE as finished wire octets, where each part stands, and the header lines
//! that clients list. [`Index::resolve`] says which octets a section names.
//!
//! [`wire`] owns how a string is put on the wire. [`TextDecoder`], [`decode_header`] and [`Needle`] are for those who
//! search the text of messages.
//!
//! Nothing here panics, whatever the message; what hostile ones cost is bounded by [`limits`].

mod address;
mod cursor;
mod date;
mod encoded_word;
mod envelope;
mod field;
mod filter;
mod index;
mod indexer;
pub mod limits;
mod listed;
mod mime;
mod needle;
mod parameter;
mod part;
mod section;
mod structure;
mod text;
mod transfer;
mod tree;
pub mod wire;

pub use date::SentDate;
pub use encoded_word::decode_header;
pub use field::unfold;
pub use filter::{Filtering, HeaderFilter};
pub use index::{Index, IndexError, VERSION};
pub use indexer::Indexer;
pub use mime::TransferEncoding;
pub use needle::{Matcher, Needle, fold};
pub use part::Part;
pub use section::Resolved;
pub use text::TextDecoder;
pub use transfer::TransferDecoder;
pub use tree::PartKind;
