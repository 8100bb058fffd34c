//! RFC 5322 and MIME as IMAP sees them: one pass over a message gives an [`Index`] from which every FETCH item is
//! answered, without I/O.
//!
//! An [`Indexer`] is fed the octets of a message as they arrive; the [`Index`] it gives is what a backend stores beside
//! the message: ENVELOPE, BODY and BODYSTRUCTURE as finished wire octets, where each part stands, and the header lines
//! that clients list. [`Index::resolve`] says which octets a section names.
//!
//! ```
//! use backend_api::{Section, SectionText};
//! use imap_message::{Index, Indexer, Resolved};
//!
//! let message = b"From: Ann <ann@example.org>\r\nSubject: Lunch\r\n\r\nAt noon?\r\n";
//! let mut indexer = Indexer::new();
//! message.chunks(10).for_each(|piece| indexer.push(piece));
//! let stored = indexer.finish().into_bytes();
//!
//! let index = Index::parse(&stored[..])?;
//! assert_eq!(index.body(), br#"("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 10 1)"#);
//! let text = Section { path: Vec::new(), text: SectionText::Text };
//! assert_eq!(index.resolve(&text), Resolved::Range { start: 47, len: 10 });
//! let fields = Section { path: Vec::new(), text: SectionText::HeaderFields(vec!["subject".into()]) };
//! assert_eq!(index.resolve(&fields), Resolved::Ready(b"Subject: Lunch\r\n\r\n".to_vec()));
//! # Ok::<(), imap_message::IndexError>(())
//! ```
//!
//! A message part is read as it stands: one that is encoded, which RFC 2046 5.2.1 forbids, is a message without a header.
//!
//! [`wire`] owns how a string is put on the wire. [`searched`] says which texts of a message SEARCH looks through;
//! [`HeaderReader`] and
//! [`TextDecoder`] make text of them, [`Needle`] looks for a string in it.
//!
//! Nothing here panics, whatever the message; what hostile ones cost is bounded by [`limits`].

mod address;
mod cursor;
mod date;
mod encoded_word;
mod envelope;
mod field;
mod field_reader;
mod filter;
mod index;
mod indexer;
pub mod limits;
mod listed;
mod mime;
mod needle;
mod parameter;
mod part;
mod searched;
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
pub use listed::is_stored;
pub use mime::TransferEncoding;
pub use needle::{Matcher, Needle, fold};
pub use part::Part;
pub use searched::{FieldText, HeaderReader, HeaderRole, SEARCHED_VERSION, Searched, searched};
pub use section::Resolved;
pub use text::TextDecoder;
pub use transfer::TransferDecoder;
pub use tree::PartKind;
