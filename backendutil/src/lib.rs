//! What every backend would otherwise write itself, and get wrong: listings, sequence views, wake-ups, LIST matching,
//! SEARCH evaluation, and [`Mapped`], which makes a complete backend of a
//! [`MailStore`](backend_api::MailStore).
//!
//! A mailbox that somebody has open is listed once a process, in a [`Snapshot`](listing::Snapshot) that never changes:
//! a change makes the next one ([`listing`]). What one connection was told is a [`SeqMapper`]. A [`Hub`] holds the
//! current snapshots and wakes who waits.

mod finder;
mod hub;
pub mod list;
pub mod listing;
mod mapped;
pub mod search;
mod seq_mapper;
mod sync;
mod wake;

pub use hub::Hub;
pub use mapped::{Mapped, MappedMailbox, MappedSession};
pub use seq_mapper::{Numbered, SeqMapper};
pub use wake::Wake;
