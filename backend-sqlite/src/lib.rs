//! A [`MailStore`](backend_api::MailStore) on SQLite: one data folder, durable, several processes at a time.
//!
//! [`SqliteStore`] is what a server opens; `backendutil::Mapped` makes an IMAP backend of it. Whoever only looks at mail
//! that is already in another database wants the trait, not this crate.
//!
//! ```no_run
//! use backend_sqlite::{Options, SqliteStore};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let store = SqliteStore::open("./mail", Options::default())?;
//! store.add_user("ann", Some(b"a long password"), false).await?;
//! // `backendutil::Mapped` makes a backend of a clone of it.
//! # Ok(())
//! # }
//! ```
//!
//! How the files relate: `folder` owns the data folder, `schema` what is in the database, `writer` the one thread that
//! changes it (operations of `append`, `flags`, `expunge`, `copy`, `mailboxes`, each on a `tx`), `reader` the threads that
//! read it (`listing`, `load`). Flags are in pages (`page`, `page_table`, `keywords`), bodies in rows or files (`stage`,
//! `body`). `text_index` is what SEARCH is fast by. `watch` finds what other processes changed, `views` what their
//! sessions number, `checkpoint` and `recover` tidy up, `users`, `password` and
//! `deliver` are for the command line.
//!
//! What holds everywhere: nothing is answered, and no watcher told, before the commit is on the disk; a caller's future
//! may be dropped at any time, and the operation then either never began or runs to its end.

mod append;
mod body;
mod checkpoint;
mod copy;
mod deliver;
mod error;
mod expunge;
mod flags;
mod folder;
mod keywords;
mod listing;
mod load;
mod login_cache;
mod mailboxes;
mod options;
mod page;
mod page_table;
mod password;
mod reader;
mod recover;
mod remover;
mod schema;
mod shared;
mod stage;
mod store;
mod text_index;
mod tx;
mod uids;
mod users;
mod views;
mod watch;
mod writer;

pub use deliver::{DeliverError, Delivered, Delivery};
pub use error::OpenError;
pub use options::Options;
pub use store::SqliteStore;
pub use text_index::{Reindexed, Reindexing};
pub use users::{User, UserError};
