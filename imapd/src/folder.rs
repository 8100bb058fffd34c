//! Opening the data folder, for a server and for a brief command, and saying in words why it cannot be.

use std::path::Path;
use std::sync::Arc;

use backend_sqlite::{OpenError, Options, SqliteStore};

use crate::failure::{Failure, with_causes};

/// Why the folder cannot be used.
#[derive(Debug)]
pub(crate) struct Unusable {
    text: String,
    /// Waiting will not help: somebody has to mend it.
    pub(crate) lasting: bool,
}

impl From<Unusable> for Failure {
    fn from(e: Unusable) -> Self {
        Self::new(e.text)
    }
}

/// Whether the folder has a mail store in it.
pub(crate) fn is_there(data: &Path) -> bool {
    data.join("mail.db").exists()
}

/// Opens the folder for a server; it is made if it is not there.
///
/// # Errors
/// It cannot be used.
pub(crate) fn open_for_server(data: &Path, search_index: bool) -> Result<Arc<SqliteStore>, Unusable> {
    let mut options = Options::default();
    options.search_index = search_index;
    open(data, options)
}

/// Opens the folder for a command that does one thing; it is made if it is not there.
///
/// # Errors
/// It cannot be used.
pub(crate) fn open_or_make(data: &Path) -> Result<Arc<SqliteStore>, Unusable> {
    open(data, Options::brief())
}

/// Opens the folder for a command that makes no sense without one: a wrong name makes no new folder, nor does a disk
/// that is not mounted.
///
/// # Errors
/// It is not there, or cannot be used.
pub(crate) fn open_existing(data: &Path) -> Result<Arc<SqliteStore>, Unusable> {
    if is_there(data) {
        return open(data, Options::brief());
    }
    let text = format!(
        "there is no mail store in {}: name the data folder with --data, or make an account there with `imapd user add`",
        data.display()
    );
    Err(Unusable { text, lasting: false })
}

fn open(data: &Path, options: Options) -> Result<Arc<SqliteStore>, Unusable> {
    if data.exists() && !data.is_dir() {
        let text = format!("{} is not a folder: name a data folder with --data", data.display());
        return Err(Unusable { text, lasting: true });
    }
    SqliteStore::open(data, options).map_err(|e| {
        let hint = match &e {
            OpenError::Foreign { .. } => "; name another folder with --data",
            OpenError::Io { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
                "; run this as the folder's owner, or name another with --data"
            }
            _ => "",
        };
        Unusable {
            lasting: matches!(
                e,
                OpenError::Newer { .. } | OpenError::Foreign { .. } | OpenError::NetworkFileSystem { .. }
            ),
            text: format!("the data folder cannot be used: {}{hint}", with_causes(&e)),
        }
    })
}
