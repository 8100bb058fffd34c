//! Tidying up: messages that were removed long ago or in an earlier life, deleted mailboxes, files that no row names.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use backend_api::{Error, Result};
use parking_lot::{Condvar, Mutex};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::error::sql;
use crate::expunge::{self, reclaim_row};
use crate::shared::Shared;
use crate::tx::{Place, Tx, uid_set};
use crate::writer::now;
use crate::{body, schema, uids};

/// A session that still numbers a removed message after so long has had every occasion to be told.
const GHOSTS: i64 = 35 * 60;
/// A deleted mailbox's messages stay for those who are in the middle of reading them, and at least so long.
const MESSAGES: i64 = 60;
/// A deleted mailbox's row stays until every process has seen that it is gone.
const TOMBSTONES: i64 = 60 * 60;
/// A file among the bodies may be so old before its row is committed.
const FILES: Duration = Duration::from_secs(60 * 60);
/// Messages that one operation removes: a few milliseconds of the writer's time.
const PIECE: u32 = 500;
const BETWEEN: Duration = Duration::from_secs(60);
/// In the background a piece of work is followed by a rest of so many times as long.
const RESTS: u32 = 9;
/// And of no more than this.
const REST: Duration = Duration::from_millis(250);

/// What an earlier life left, when no other process was there at the start.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Leftovers {
    /// Mailboxes deleted up to this moment.
    pub(crate) gone: i64,
}

impl Leftovers {
    /// Everything removed up to now.
    pub(crate) fn find(conn: &Connection) -> rusqlite::Result<Self> {
        conn.query_row("SELECT ifnull(max(gone), 0) FROM mailboxes", [], |r| {
            Ok(Self { gone: r.get(0)? })
        })
    }
}

/// Wakes the thread when it is to end.
#[derive(Default)]
pub(crate) struct Bell {
    stop: Mutex<bool>,
    rung: Condvar,
}

impl Bell {
    /// The thread ends.
    pub(crate) fn stop(&self) {
        *self.stop.lock() = true;
        self.rung.notify_all();
    }

    /// `true` when the thread is to end.
    fn wait(&self, most: Duration) -> bool {
        let mut stop = self.stop.lock();
        if !*stop {
            self.rung.wait_for(&mut stop, most);
        }
        *stop
    }
}

/// The thread.
pub(crate) fn run(shared: &Arc<Shared>, leftovers: Leftovers) {
    let mut leftovers = leftovers;
    loop {
        // Nobody waits for it, and others want to write: a tenth of the time is enough.
        let rest = |took: Duration| {
            let _ = shared.bell.wait(took.saturating_mul(RESTS).min(REST));
        };
        if let Err(e) = tidy(shared, leftovers, &rest) {
            tracing::warn!(kind = ?e.kind(), source = std::error::Error::source(&e), "tidying up failed; it is tried again");
        } else {
            leftovers = Leftovers::default();
        }
        shared.pass_is_over();
        if shared.bell.wait(BETWEEN) {
            return;
        }
    }
}

/// Does everything that is due, piece by piece, and returns when it is done. After each piece it calls `rest` with how long
/// that took; what was expunged lately goes on by itself meanwhile, behind the others' work.
pub(crate) fn tidy(shared: &Arc<Shared>, leftovers: Leftovers, rest: &dyn Fn(Duration)) -> Result<()> {
    let conn = schema::reading(&shared.folder.database()).map_err(sql)?;
    for place in expunge::haunted(&conn)? {
        shared.behind.reclaim(place);
    }
    while shared.behind.is_due(shared) && !shared.stopping() {
        let began = Instant::now();
        shared.writer.behind();
        // Behind what was just asked for, this waits for it.
        shared.writer.call_blocking(|_| Ok(()))?;
        rest(began.elapsed());
    }
    let each = |piece: &dyn Fn() -> Result<bool>| -> Result<()> {
        while !shared.stopping() {
            let began = Instant::now();
            if !piece()? {
                break;
            }
            rest(began.elapsed());
        }
        Ok(())
    };
    each(&|| shared.writer.call_blocking(old_ghosts))?;
    for place in gone_mailboxes(shared, &conn, leftovers)? {
        each(&|| shared.writer.call_blocking(move |tx| empty(tx, place)))?;
    }
    shared.writer.call_blocking(move |tx| tombstones(tx, leftovers))?;
    sweep(shared, &conn, rest)
}

/// Removes some ghosts whose time is over; whether there may be more.
fn old_ghosts(tx: &mut Tx<'_>) -> Result<bool> {
    let found: Option<(i64, i64, i64, Vec<u8>)> = tx
        .conn
        .prepare_cached("SELECT id, account, mailbox, uids FROM ghosts WHERE at < ? ORDER BY id LIMIT 1")
        .and_then(|mut s| {
            s.query_row([tx.now - GHOSTS], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))
                .optional()
        })
        .map_err(sql)?;
    let Some((row, account, mailbox, blob)) = found else {
        return Ok(false);
    };
    let ghosts = uid_set(&blob)?;
    let now = uids::first(&ghosts, PIECE);
    reclaim_row(tx, Place { account, mailbox }, row, &ghosts, &now)?;
    Ok(true)
}

/// The deleted mailboxes whose messages may go: nobody numbers them any more, or has had every occasion to end.
fn gone_mailboxes(shared: &Shared, conn: &Connection, leftovers: Leftovers) -> Result<Vec<Place>> {
    let now = now();
    let found: Vec<(Place, i64)> = conn
        .prepare_cached(
            "SELECT account, id, gone FROM mailboxes m WHERE gone IS NOT NULL AND (gone <= ?1 OR gone < ?2) AND (
             EXISTS (SELECT 1 FROM messages x WHERE x.account = m.account AND x.mailbox = m.id) OR
             EXISTS (SELECT 1 FROM pages x WHERE x.account = m.account AND x.mailbox = m.id) OR
             EXISTS (SELECT 1 FROM keywords x WHERE x.account = m.account AND x.mailbox = m.id) OR
             EXISTS (SELECT 1 FROM vanished x WHERE x.account = m.account AND x.mailbox = m.id) OR
             EXISTS (SELECT 1 FROM ghosts x WHERE x.account = m.account AND x.mailbox = m.id))",
        )
        .and_then(|mut s| {
            let place = |r: &Row<'_>| {
                let (account, mailbox) = (r.get(0)?, r.get(1)?);
                Ok((Place { account, mailbox }, r.get(2)?))
            };
            let rows = s.query_map([leftovers.gone, now - MESSAGES], place)?;
            rows.collect()
        })
        .map_err(sql)?;
    // A session that had it selected had said so before it was deleted, and none can select it since.
    let views = shared.told_up_to(found.iter().map(|(place, _)| *place).collect());
    let in_a_view = |place: &Place| {
        views
            .as_ref()
            .is_none_or(|told| told.get(place).is_some_and(|up_to| *up_to != u64::MAX))
    };
    let may_go = |(place, gone): &(Place, i64)| *gone <= leftovers.gone || *gone < now - GHOSTS || !in_a_view(place);
    Ok(found.into_iter().filter(may_go).map(|(place, _)| place).collect())
}

/// Removes some messages of a deleted mailbox; with the last one its pages, keywords and logs. Whether there may be more.
pub(crate) fn empty(tx: &mut Tx<'_>, place: Place) -> Result<bool> {
    let bodies: Vec<i64> = tx
        .conn
        .prepare_cached(
            "DELETE FROM messages WHERE account = ?1 AND mailbox = ?2 AND uid IN
             (SELECT uid FROM messages WHERE account = ?1 AND mailbox = ?2 LIMIT ?3) RETURNING body",
        )
        .and_then(|mut s| {
            let rows = s.query_map(params![place.account, place.mailbox, PIECE], |r| r.get(0))?;
            rows.collect()
        })
        .map_err(sql)?;
    if !bodies.is_empty() {
        bodies.into_iter().try_for_each(|body| body::release(tx, body))?;
        return Ok(true);
    }
    for text in [
        "DELETE FROM pages WHERE account = ? AND mailbox = ?",
        "DELETE FROM keywords WHERE account = ? AND mailbox = ?",
        "DELETE FROM vanished WHERE account = ? AND mailbox = ?",
        "DELETE FROM ghosts WHERE account = ? AND mailbox = ?",
    ] {
        tx.conn
            .prepare_cached(text)
            .and_then(|mut s| s.execute([place.account, place.mailbox]))
            .map_err(sql)?;
    }
    Ok(false)
}

/// Removes the rows of mailboxes and accounts that nobody has to hear of any more.
fn tombstones(tx: &mut Tx<'_>, leftovers: Leftovers) -> Result<()> {
    tx.conn
        .prepare_cached(
            "DELETE FROM mailboxes WHERE gone IS NOT NULL AND (gone <= ?1 OR gone < ?2) AND NOT EXISTS
             (SELECT 1 FROM messages x WHERE x.account = mailboxes.account AND x.mailbox = mailboxes.id)",
        )
        .and_then(|mut s| s.execute([leftovers.gone, tx.now - TOMBSTONES]))
        .map_err(sql)?;
    tx.conn
        .prepare_cached(
            "DELETE FROM accounts WHERE removed = 1 AND NOT EXISTS (SELECT 1 FROM mailboxes m WHERE m.account = accounts.id)",
        )
        .and_then(|mut s| s.execute([]))
        .map_err(sql)?;
    Ok(())
}

/// Removes files among the bodies that are old and that no row names.
fn sweep(shared: &Shared, conn: &Connection, rest: &dyn Fn(Duration)) -> Result<()> {
    let before = SystemTime::now().checked_sub(FILES).unwrap_or(SystemTime::UNIX_EPOCH);
    for shelf in fs::read_dir(shared.folder.bodies()).map_err(Error::internal)? {
        let shelf = shelf.map_err(Error::internal)?.path();
        if shared.stopping() {
            break;
        }
        if !shelf.is_dir() {
            continue;
        }
        let began = Instant::now();
        for file in fs::read_dir(&shelf).map_err(Error::internal)? {
            let file = file.map_err(Error::internal)?;
            let old = file.metadata().and_then(|m| m.modified()).is_ok_and(|at| at < before);
            if old && !is_named(conn, &file.file_name().to_string_lossy())? {
                tracing::info!(file = %file.path().display(), "removing a file that belongs to no message");
                crate::folder::remove_file(&file.path()).map_err(Error::internal)?;
            }
        }
        rest(began.elapsed());
    }
    Ok(())
}

fn is_named(conn: &Connection, name: &str) -> Result<bool> {
    conn.prepare_cached("SELECT 1 FROM bodies WHERE file = unhex(?)")
        .and_then(|mut s| s.exists([name]))
        .map_err(sql)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use backend_api::{DateTime, Flags, Incoming, MailStore as _, MailboxName, MessageBody, NewMessage};

    use super::*;
    use crate::{Options, SqliteStore};

    #[tokio::test]
    async fn each_piece_that_is_cleared_away_is_followed_by_a_rest() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options {
            background: false,
            ..Options::default()
        };
        let store = SqliteStore::open(dir.path(), options).unwrap();
        let account = store.add_user("ann", None, true).await.unwrap();
        let name = MailboxName::new("gone").unwrap();
        store.create(&account, &name, &[]).await.unwrap();
        let mailbox = store.mailbox(&account, &name).await.unwrap().unwrap();
        let message = |n: u32| {
            let body = Incoming::Body(MessageBody::from(n.to_string()));
            NewMessage::new(Flags::NONE, DateTime::now(), 0, body)
        };
        let messages = (0..=2 * PIECE).map(message).collect();
        store.add(&account, mailbox.id, messages).await.unwrap();
        store.delete(&account, mailbox.id, &name).await.unwrap();
        let shared = store.shared.clone();
        let rests = tokio::task::spawn_blocking(move || {
            let rests = Cell::new(0);
            let everything = Leftovers { gone: i64::MAX };
            tidy(&shared, everything, &|_| rests.set(rests.get() + 1)).unwrap();
            rests.get()
        });
        assert_eq!(rests.await.unwrap(), 3);
    }
}
