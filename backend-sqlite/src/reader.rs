//! The threads that read, each with a connection of its own: one hop for a command or a piece of its answer.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

use backend_api::{Error, Result};
use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::error::sql;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// The queue before the reading threads.
#[derive(Default)]
pub(crate) struct Readers {
    queue: Mutex<Queue>,
    work: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    stop: bool,
}

impl Readers {
    /// Reads in one consistent picture of the store.
    ///
    /// # Cancel safety
    /// Dropped, nothing is read that was not begun.
    pub(crate) async fn call<T, F>(&self, read: F) -> Result<T>
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
            let mut queue = self.queue.lock();
            if queue.stop {
                return Err(crate::error::unavailable());
            }
            queue.jobs.push_back(Box::new(job));
        }
        self.work.notify_one();
        result.await.map_err(|_| Error::internal("a reader gave no answer"))?
    }

    /// The threads end after what they were given before.
    pub(crate) fn stop(&self) {
        self.queue.lock().stop = true;
        self.work.notify_all();
    }

    /// A reader's thread.
    pub(crate) fn run(&self, conn: &Connection) {
        while let Some(job) = self.next() {
            if catch_unwind(AssertUnwindSafe(|| job(conn))).is_err() {
                tracing::error!("a read of the store panicked");
            }
            if !conn.is_autocommit() {
                let _ = conn.execute_batch("ROLLBACK");
            }
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.queue.lock();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            if queue.stop {
                return None;
            }
            self.work.wait(&mut queue);
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
