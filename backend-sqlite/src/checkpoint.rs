//! Carrying the write-ahead log into the database, on a thread of its own, so that no commit waits for it.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};
use rusqlite::Connection;

use crate::folder::Folder;
use crate::shared::Shared;

/// A log shorter than this is left alone while commits come in.
const SMALL: u64 = 4 * 1024 * 1024;
/// Octets of a page of the database.
const PAGE: u64 = 4096;
/// A log longer than this is emptied even if that makes writers wait.
const LARGE: u64 = 256 * 1024 * 1024;
/// Between two checkpoints under load, at least.
const PAUSE: Duration = Duration::from_millis(250);
/// And so many times as long as the last one took, on a disk that is slow.
const SHARE: u32 = 20;
/// But no longer than this, nor longer than the log takes to become large.
const LONGEST: Duration = Duration::from_secs(1);
/// A part of the log that is carried so soon holds nobody up.
const SOON: Duration = Duration::from_millis(20);
/// How often it is tried to come so near to the end of the log.
const TRIES: usize = 3;
/// Writers wait for readers at most so long when the log is to begin anew.
const ANEW: Duration = Duration::from_millis(5);
/// Otherwise a checkpoint waits for readers so long: there is always a next time.
const READERS: Duration = Duration::from_millis(100);
/// Without a commit for so long, the log is emptied.
const IDLE: Duration = Duration::from_secs(5);

/// Tells the thread that something was committed.
#[derive(Default)]
pub(crate) struct Checkpoint {
    state: Mutex<State>,
    change: Condvar,
    /// Held by who writes, or keeps all from writing.
    writing: Mutex<()>,
}

#[derive(Default)]
struct State {
    dirty: bool,
    stop: bool,
}

impl Checkpoint {
    /// Something was committed.
    pub(crate) fn wake(&self) {
        let mut state = self.state.lock();
        if !state.dirty {
            state.dirty = true;
            self.change.notify_one();
        }
    }

    /// While this is held nobody else of this process writes.
    pub(crate) fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock()
    }

    /// The thread ends.
    pub(crate) fn stop(&self) {
        self.state.lock().stop = true;
        self.change.notify_all();
    }

    /// Waits for a commit: whether there was one; `None` when the thread is to end.
    fn wait(&self, wait: Option<Duration>) -> Option<bool> {
        let mut state = self.state.lock();
        while !state.dirty && !state.stop {
            match wait {
                None => self.change.wait(&mut state),
                Some(wait) => {
                    if self.change.wait_for(&mut state, wait).timed_out() {
                        break;
                    }
                }
            }
        }
        if state.stop {
            return None;
        }
        Some(std::mem::take(&mut state.dirty))
    }

    /// Lets commits pile up for a while; `None` when the thread is to end.
    fn pause(&self, pause: Duration, is_large: impl Fn() -> bool) -> Option<()> {
        let until = Instant::now() + pause;
        loop {
            let mut state = self.state.lock();
            let look = until.min(Instant::now() + PAUSE);
            while !state.stop && !self.change.wait_until(&mut state, look).timed_out() {}
            if state.stop {
                return None;
            }
            drop(state);
            if look == until || is_large() {
                return Some(());
            }
        }
    }
}

/// The thread.
pub(crate) fn run(shared: &Shared, conn: &Connection) {
    let mut emptied = true;
    let mut pause = PAUSE;
    loop {
        let wait = (!emptied).then_some(IDLE);
        let Some(dirty) = shared.checkpoint.wait(wait) else {
            return;
        };
        if !dirty {
            carry(conn, "PRAGMA wal_checkpoint(TRUNCATE)", READERS);
            emptied = true;
            continue;
        }
        emptied = false;
        let is_large = || log_length(&shared.folder) >= LARGE;
        if shared.checkpoint.pause(pause, is_large).is_none() {
            return;
        }
        let began = Instant::now();
        under_load(&shared.checkpoint, &shared.folder, conn);
        pause = pause_after(began.elapsed());
    }
}

/// How long commits may pile up after a checkpoint that took so long.
fn pause_after(took: Duration) -> Duration {
    took.saturating_mul(SHARE).clamp(PAUSE, LONGEST)
}

fn log_length(folder: &Folder) -> u64 {
    std::fs::metadata(folder.log()).map_or(0, |m| m.len())
}

/// Keeps the log short while commits come in.
fn under_load(checkpoint: &Checkpoint, folder: &Folder, conn: &Connection) {
    if log_length(folder) < SMALL {
        return;
    }
    // Nearly all of it without anybody waiting; then the rest, so that the next commit writes from the start of the log
    // again. To write over what is there costs a disk half of what it costs to let a file grow.
    let mut soon = false;
    for _ in 0..TRIES {
        let began = Instant::now();
        let frames = carry(conn, "PRAGMA wal_checkpoint(PASSIVE)", READERS);
        if frames.is_some_and(|frames| frames < SMALL / PAGE) {
            return;
        }
        soon = began.elapsed() < SOON;
        if soon {
            break;
        }
    }
    // Else SQLite would wait for a moment in which nobody writes, which may not come.
    if log_length(folder) >= LARGE {
        let _writers = checkpoint.writing();
        carry(conn, "PRAGMA wal_checkpoint(TRUNCATE)", READERS);
    } else if soon {
        let _writers = checkpoint.writing();
        carry(conn, "PRAGMA wal_checkpoint(RESTART)", ANEW);
    }
}

/// Carries what it may, and says how many pages there are in the log.
fn carry(conn: &Connection, how: &str, patience: Duration) -> Option<u64> {
    let carried = conn
        .busy_timeout(patience)
        .and_then(|()| conn.query_row(how, [], |row| row.get::<_, i64>(1)));
    match carried {
        Ok(frames) => u64::try_from(frames).ok(),
        Err(e) => {
            tracing::warn!(error = %e, "a checkpoint failed");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use backend_api::{Account, DateTime, Flags, Incoming, MailStore as _, MailboxName, MessageBody, NewMessage};

    use super::*;
    use crate::{Options, SqliteStore, schema};

    fn quiet() -> Options {
        Options {
            background: false,
            ..Options::default()
        }
    }

    /// So many messages of half a megabyte, which are rows.
    async fn add(store: &SqliteStore, account: &Account, count: u8) {
        let inbox = store.mailbox(account, &MailboxName::inbox()).await.unwrap().unwrap();
        for _ in 0..count {
            let before = store.mailbox(account, &inbox.name).await.unwrap().unwrap();
            let octet = u8::try_from(before.status.unwrap().messages).unwrap();
            let octets = vec![octet; 512 * 1024];
            let size = octets.len() as u64;
            let body = Incoming::Body(MessageBody::from(octets));
            let message = NewMessage::new(Flags::NONE, DateTime::now(), size, body);
            store.add(account, inbox.id, vec![message]).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_long_log_is_written_from_its_start_again() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path(), quiet()).unwrap();
        let account = store.add_user("ann", None, true).await.unwrap();
        let folder = &store.shared.folder;
        let conn = schema::writing(&folder.database()).unwrap();
        let length = || std::fs::metadata(folder.log()).unwrap().len();
        add(&store, &account, 2).await;
        let short = length();
        under_load(&store.shared.checkpoint, folder, &conn);
        add(&store, &account, 2).await;
        assert!(length() > short, "a short log is left alone");
        add(&store, &account, 8).await;
        let long = length();
        assert!((SMALL..LARGE).contains(&long), "{long}");
        under_load(&store.shared.checkpoint, folder, &conn);
        add(&store, &account, 2).await;
        assert_eq!(length(), long);
        // What was written over had been carried before.
        drop(conn);
        drop(store);
        let store = SqliteStore::open(dir.path(), quiet()).unwrap();
        let inbox = store.mailbox(&account, &MailboxName::inbox()).await.unwrap().unwrap();
        assert_eq!(inbox.status.unwrap().messages, 14);
    }

    #[test]
    fn a_checkpoint_that_took_long_is_not_the_last_for_long() {
        let millis = Duration::from_millis;
        let table = [(0, 250), (12, 250), (20, 400), (50, 1_000), (10_000, 1_000)];
        for (took, pause) in table {
            assert_eq!(pause_after(millis(took)), millis(pause), "{took} ms");
        }
    }

    #[test]
    fn a_pause_ends_when_the_log_is_large_or_the_thread_is_to_end() {
        let hour = Duration::from_secs(3600);
        let checkpoint = Checkpoint::default();
        assert_eq!(checkpoint.pause(hour, || true), Some(()));
        checkpoint.stop();
        assert_eq!(checkpoint.pause(hour, || false), None);
    }

    /// Who reads keeps the picture that he began with, and commits go on.
    #[tokio::test]
    async fn a_log_that_is_read_grows_on() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path(), quiet()).unwrap();
        let account = store.add_user("ann", None, true).await.unwrap();
        let folder = &store.shared.folder;
        let conn = schema::writing(&folder.database()).unwrap();
        let reader = schema::reading(&folder.database()).unwrap();
        add(&store, &account, 10).await;
        let picture = reader.unchecked_transaction().unwrap();
        let count = || -> i64 {
            picture
                .query_row("SELECT count(*) FROM messages", [], |row| row.get(0))
                .unwrap()
        };
        assert_eq!(count(), 10);
        let before = std::fs::metadata(folder.log()).unwrap().len();
        add(&store, &account, 2).await;
        under_load(&store.shared.checkpoint, folder, &conn);
        add(&store, &account, 2).await;
        assert_eq!(count(), 10);
        assert!(std::fs::metadata(folder.log()).unwrap().len() > before + 2_000_000);
    }
}
