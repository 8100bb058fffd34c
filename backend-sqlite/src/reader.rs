//! The connections that read: a read runs at once, on the caller's own thread, while one of them is free and reading is
//! quick; else it is handed to threads of their own.
//!
//! Nearly every read finds its few pages in memory and takes microseconds, where handing it to another thread and waking
//! up again costs more than the read itself. A read that waited for the disk shows that the next may, too: for a while all
//! go to the threads then, so that a slow disk does not hold up connections that want nothing of it.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use backend_api::{Error, Result};
use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::error::sql;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// A read that took this long has waited for something.
const SLOW: Duration = Duration::from_millis(2);
/// Reads that go to the threads after a slow one.
const WARY: u32 = 64;

/// The connections that read, and the queue before the reading threads.
#[derive(Default)]
pub(crate) struct Readers {
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    /// Connections that nobody reads with.
    free: Vec<Connection>,
    jobs: VecDeque<Job>,
    /// So many reads more go to the threads.
    wary: u32,
    stop: bool,
}

impl Readers {
    /// One more connection to read with, and so one more read at a time.
    pub(crate) fn add(&self, conn: Connection) {
        self.state.lock().free.push(conn);
    }

    /// Reads a little in one consistent picture of the store.
    ///
    /// # Cancel safety
    /// Dropped, nothing is read that was not begun.
    pub(crate) async fn call<T, F>(&self, read: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let free = {
            let mut state = self.state.lock();
            let now = !state.stop && state.wary == 0 && state.jobs.is_empty();
            state.wary = state.wary.saturating_sub(1);
            now.then(|| state.free.pop()).flatten()
        };
        match free {
            Some(conn) => self.at_once(conn, read),
            None => self.call_long(read).await,
        }
    }

    /// The same for what takes long however quick the disk is, such as a mailbox's whole list: by a thread of its own.
    ///
    /// # Cancel safety
    /// As for [`call`](Self::call).
    pub(crate) async fn call_long<T, F>(&self, read: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let (answer, result) = oneshot::channel();
        let job = move |conn: &Connection| {
            if !answer.is_closed() {
                let _ = answer.send(snapshot(conn, read));
            }
        };
        {
            let mut state = self.state.lock();
            if state.stop {
                return Err(crate::error::unavailable());
            }
            state.jobs.push_back(Box::new(job));
        }
        self.work.notify_one();
        result.await.map_err(|_| Error::internal("a reader gave no answer"))?
    }

    fn at_once<T>(&self, conn: Connection, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let began = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| snapshot(&conn, read)));
        let slow = began.elapsed() > SLOW;
        self.put_back(conn, slow);
        outcome.unwrap_or_else(|_| Err(Error::internal("a read of the store panicked")))
    }

    fn put_back(&self, conn: Connection, slow: bool) {
        if !conn.is_autocommit() {
            let _ = conn.execute_batch("ROLLBACK");
        }
        let mut state = self.state.lock();
        if slow {
            state.wary = WARY;
        }
        if state.stop && state.jobs.is_empty() {
            // The end: what was read with is closed, and threads that waited for a connection see that nothing is left.
            drop(state);
            self.work.notify_all();
            return;
        }
        state.free.push(conn);
        let waiting = !state.jobs.is_empty();
        drop(state);
        if waiting {
            self.work.notify_one();
        }
    }

    /// The threads end after what they were given before, and the connections are closed.
    pub(crate) fn stop(&self) {
        let mut state = self.state.lock();
        state.stop = true;
        if state.jobs.is_empty() {
            state.free.clear();
        }
        drop(state);
        self.work.notify_all();
    }

    /// A reader's thread.
    pub(crate) fn run(&self) {
        while let Some((conn, job)) = self.next() {
            if catch_unwind(AssertUnwindSafe(|| job(&conn))).is_err() {
                tracing::error!("a read of the store panicked");
            }
            self.put_back(conn, false);
        }
    }

    fn next(&self) -> Option<(Connection, Job)> {
        let mut state = self.state.lock();
        loop {
            if state.jobs.is_empty() {
                if state.stop {
                    return None;
                }
            } else if let Some(conn) = state.free.pop()
                && let Some(job) = state.jobs.pop_front()
            {
                return Some((conn, job));
            }
            self.work.wait(&mut state);
        }
    }
}

/// All that is read in here is of one moment.
fn snapshot<T>(conn: &Connection, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    let run = |text| conn.prepare_cached(text).and_then(|mut s| s.execute([])).map_err(sql);
    run("BEGIN")?;
    let outcome = read(conn);
    run("COMMIT")?;
    outcome
}
