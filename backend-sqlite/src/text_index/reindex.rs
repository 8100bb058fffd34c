//! Making the search index anew, for the command line: by us, or by the server that has the right to it.

use std::sync::Arc;
use std::time::Duration;

use backend_api::{Error, Result as StoreResult};
use rusqlite::{Connection, OptionalExtension as _};

use super::indexer::{Indexer, forget, progress};
use crate::error::sql;
use crate::schema;
use crate::shared::Shared;
use crate::store::SqliteStore;
use crate::tx::unsigned;
use crate::users::UserError;

/// Between two looks at what another store does.
const LOOK: Duration = Duration::from_millis(200);

/// How far making the index anew is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reindexing {
    /// Messages that are taken in. Equal messages of one account count once.
    pub done: u64,
    /// Messages there are.
    pub messages: u64,
}

/// What the index is after it was made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reindexed {
    /// Messages in it. Equal messages of one account count once.
    pub messages: u64,
    /// Octets of all these messages.
    pub size: u64,
    /// Octets of the index on the disk, of all accounts.
    pub index_size: u64,
}

impl SqliteStore {
    /// Makes the search index of a user, or of all, anew, and returns when it is done. It mends an index that is damaged, as
    /// far as all users' is made anew. Clients search meanwhile; their searches read messages. `progress` is told now and
    /// then.
    ///
    /// # Errors
    /// [`UserError::Unknown`]; [`UserError::Store`] when the index cannot be written.
    ///
    /// # Cancel safety
    /// Dropped, it goes on in the background until the store is closed; a server on the folder does the rest.
    pub async fn reindex<F>(&self, user: Option<&str>, progress: F) -> Result<Reindexed, UserError>
    where
        F: FnMut(Reindexing) + Send + 'static,
    {
        let account = match user {
            Some(name) => Some(crate::tx::account_id(&self.account(name).await?)),
            None => None,
        };
        let shared = self.shared.clone();
        let work = move || reindex(&shared, account, progress);
        let done = tokio::task::spawn_blocking(work).await;
        Ok(done.map_err(Error::internal)??)
    }

    /// Takes all messages into the search index that are not in it yet, unless another store is at it, and removes from it
    /// what is no more. It is what else is done in the background.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub async fn index_now(&self) -> StoreResult<()> {
        let shared = self.shared.clone();
        let work = move || match Indexer::new(&shared.text_index, &shared.folder)? {
            Some(mut indexer) => {
                while indexer.step(&shared.folder)? {}
                indexer.sweep(&|| shared.stopping())
            }
            None => Ok(()),
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }
}

fn reindex(shared: &Arc<Shared>, account: Option<i64>, mut tell: impl FnMut(Reindexing)) -> StoreResult<Reindexed> {
    let index = &shared.text_index;
    let mail = schema::reading(&shared.folder.database()).map_err(sql)?;
    forget(index, &mail, account)?;
    let conn = index.connect(&mail)?;
    let (mut indexer, mut told) = (None, None);
    loop {
        let (messages, size) = mail_of(&mail, account)?;
        let (done, is_all) = progress(&conn, &mail, account)?;
        let at = Reindexing { done, messages };
        if told.replace(at) != Some(at) {
            tell(at);
        }
        if is_all {
            let pages = |pragma| conn.query_row(pragma, [], |r| r.get(0)).map(unsigned).map_err(sql);
            let index_size = pages("PRAGMA page_count")?.saturating_mul(pages("PRAGMA page_size")?);
            return Ok(Reindexed {
                messages: done,
                size,
                index_size,
            });
        }
        if shared.stopping() {
            return Err(crate::error::unavailable());
        }
        if indexer.is_none() {
            indexer = Indexer::new(index, &shared.folder)?;
        }
        match &mut indexer {
            Some(indexer) => drop(indexer.step(&shared.folder)?),
            None => std::thread::sleep(LOOK),
        }
    }
}

/// How many bodies an account has, or all, and their octets.
fn mail_of(mail: &Connection, account: Option<i64>) -> StoreResult<(u64, u64)> {
    let found: Option<(i64, i64)> = mail
        .prepare_cached("SELECT count(*), ifnull(sum(size), 0) FROM bodies WHERE ?1 IS NULL OR account = ?1")
        .and_then(|mut s| s.query_row([account], |r| Ok((r.get(0)?, r.get(1)?))).optional())
        .map_err(sql)?;
    let (count, size) = found.unwrap_or_default();
    Ok((unsigned(count), unsigned(size)))
}
