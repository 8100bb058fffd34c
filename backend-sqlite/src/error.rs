//! What went wrong, in the words of the one who has to know: clients, or the person who opens a folder.

use std::io;
use std::path::PathBuf;

use backend_api::{Error, ErrorKind};
use rusqlite::ErrorCode;

/// Why a data folder could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder was written by a newer version of this program.
    #[error("{path} was written by a newer version (schema {found}; this program knows {known}): update the program")]
    Newer {
        /// The folder.
        path: PathBuf,
        /// The schema version found.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// The database in the folder is not one of ours.
    #[error("{path} holds a database that is not a mail store")]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// The folder is on a network file system, where locks and shared memory cannot be trusted.
    #[error("{path} is on a network file system ({kind}): mail would be damaged there; use a local disk")]
    NetworkFileSystem {
        /// The folder.
        path: PathBuf,
        /// The file system.
        kind: &'static str,
    },
    /// A file or folder could not be made or read.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The database could not be opened.
    #[error("{path}: {source}")]
    Database {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: rusqlite::Error,
    },
}

/// An error of SQLite as clients are told of it.
pub(crate) fn sql(e: rusqlite::Error) -> Error {
    match e.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Error::new(ErrorKind::OverQuota, "no space left").with_source(e),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => in_use().with_source(e),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            Error::new(ErrorKind::Corruption, "the mail store is damaged").with_source(e)
        }
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly) => unavailable().with_source(e),
        _ => Error::internal(e),
    }
}

/// Another process holds the database.
pub(crate) fn in_use() -> Error {
    Error::new(ErrorKind::InUse, "the mail store is busy; try again")
}

/// The store cannot be used just now.
pub(crate) fn unavailable() -> Error {
    Error::new(ErrorKind::Unavailable, "the mail store cannot be used just now")
}

/// A mailbox that is not there (any more).
pub(crate) fn no_mailbox() -> Error {
    Error::not_found("no such mailbox")
}

/// The account was removed while somebody was logged in.
pub(crate) fn no_account() -> Error {
    Error::new(ErrorKind::Bye, "this account was removed")
}

/// What is stored cannot be read.
pub(crate) fn damaged(what: &'static str) -> Error {
    Error::new(ErrorKind::Corruption, "the mail store is damaged").with_source(what)
}
