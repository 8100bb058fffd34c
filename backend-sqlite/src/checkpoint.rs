//! Carrying the write-ahead log into the database, on a thread of its own, so that no commit waits for it.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

use crate::shared::Shared;

/// A log shorter than this is left alone while commits come in.
const SMALL: u64 = 4 * 1024 * 1024;
/// A log longer than this is emptied even if that makes writers wait.
const LARGE: u64 = 256 * 1024 * 1024;
/// Between two checkpoints under load.
const PAUSE: Duration = Duration::from_millis(250);
/// Without a commit for so long, the log is emptied.
const IDLE: Duration = Duration::from_secs(5);

/// Tells the thread that something was committed.
#[derive(Default)]
pub(crate) struct Checkpoint {
    state: Mutex<State>,
    change: Condvar,
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
    fn pause(&self) -> Option<()> {
        let mut state = self.state.lock();
        let until = Instant::now() + PAUSE;
        while !state.stop && !self.change.wait_until(&mut state, until).timed_out() {}
        (!state.stop).then_some(())
    }
}

/// The thread.
pub(crate) fn run(shared: &Shared, conn: &Connection) {
    // Waits for readers a moment, not for ever: there is always a next time.
    let _ = conn.busy_timeout(Duration::from_millis(100));
    let mut emptied = true;
    loop {
        let wait = (!emptied).then_some(IDLE);
        let Some(dirty) = shared.checkpoint.wait(wait) else {
            return;
        };
        if !dirty {
            carry(conn, "PRAGMA wal_checkpoint(TRUNCATE)");
            emptied = true;
            continue;
        }
        emptied = false;
        if shared.checkpoint.pause().is_none() {
            return;
        }
        match std::fs::metadata(shared.folder.log()).map_or(0, |m| m.len()) {
            0..SMALL => {}
            SMALL..LARGE => carry(conn, "PRAGMA wal_checkpoint(PASSIVE)"),
            _ => carry(conn, "PRAGMA wal_checkpoint(TRUNCATE)"),
        }
    }
}

fn carry(conn: &Connection, how: &str) {
    if let Err(e) = conn.query_row(how, [], |_| Ok(())) {
        tracing::warn!(error = %e, "a checkpoint failed");
    }
}
