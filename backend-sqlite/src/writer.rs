//! The one thread that changes the database: it takes every waiting operation into one transaction and answers after the
//! commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use backend_api::{Error, Result};
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::error::{sql, unavailable};
use crate::shared::Shared;
use crate::stage::StagedFile;
use crate::tx::{After, Tx};

/// Operations that wait or run at a time; further callers wait before they hand theirs over.
const QUEUE: usize = 1_024;
/// Between two tries to begin.
const PAUSE: Duration = Duration::from_millis(3);

/// Where operations are handed to the writer.
pub(crate) struct Writer {
    queue: Sender<Message>,
    room: Arc<Semaphore>,
    /// Whether the writer was told of work that may be done later and has not looked for it yet.
    told: AtomicBool,
}

/// What the writer is sent.
pub(crate) enum Message {
    Work(Box<dyn Work>),
    /// Something may be done behind the others.
    Behind,
    Stop,
}

/// One operation: it runs in a transaction, and is told afterwards whether that was committed.
pub(crate) trait Work: Send {
    /// Does it; on an error what it did is undone.
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<()>;
    /// Whether it matters that it outlasts a failure of power.
    fn must_last(&self) -> bool;
    /// Answers the caller.
    fn finish(self: Box<Self>, verdict: Result<()>);
}

impl Writer {
    /// A writer and the end of its queue that [`run`] takes.
    pub(crate) fn new() -> (Self, Receiver<Message>) {
        let (queue, end) = std::sync::mpsc::channel();
        let writer = Self {
            queue,
            room: Arc::new(Semaphore::new(QUEUE)),
            told: AtomicBool::new(false),
        };
        (writer, end)
    }

    /// Runs an operation and gives its result once it is durable.
    ///
    /// # Cancel safety
    /// Dropped before the hand-over it does nothing; after it, the operation runs to its end.
    pub(crate) async fn call<T, F>(&self, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.call_to_last(true, operation).await
    }

    /// The same for what every process sees when this returns, but what need not outlast a failure of power: without a
    /// wait for the disk, unless others wait for it.
    pub(crate) async fn call_lazily<T, F>(&self, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.call_to_last(false, operation).await
    }

    async fn call_to_last<T, F>(&self, lasts: bool, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let permit = self.room.clone().acquire_owned().await.map_err(|_| unavailable())?;
        let (answer, result) = oneshot::channel();
        self.send(operation, lasts, Some(permit), move |r| {
            let _ = answer.send(r);
        })?;
        result.await.map_err(|_| Error::internal("the writer gave no answer"))?
    }

    /// The same for a thread that may wait.
    pub(crate) fn call_blocking<T, F>(&self, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let (answer, result) = std::sync::mpsc::sync_channel(1);
        self.send(operation, true, None, move |r| {
            let _ = answer.send(r);
        })?;
        result
            .recv()
            .map_err(|_| Error::internal("the writer gave no answer"))?
    }

    /// Tells the writer that there is something to do behind the others.
    pub(crate) fn behind(&self) {
        if !self.told.swap(true, Ordering::AcqRel) {
            let _ = self.queue.send(Message::Behind);
        }
    }

    /// The writer ends after what it was handed before.
    pub(crate) fn stop(&self) {
        let _ = self.queue.send(Message::Stop);
    }

    fn send<T, F, A>(&self, operation: F, lasts: bool, permit: Option<OwnedSemaphorePermit>, answer: A) -> Result<()>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
        A: FnOnce(Result<T>) + Send + 'static,
    {
        let call = Call {
            operation: Some(operation),
            outcome: None,
            answer,
            lasts,
            _permit: permit,
        };
        self.queue
            .send(Message::Work(Box::new(call)))
            .map_err(|_| unavailable())
    }
}

/// An operation whose outcome nobody waits for.
pub(crate) fn unanswered<F>(operation: F) -> Box<dyn Work>
where
    F: FnOnce(&mut Tx<'_>) -> Result<()> + Send + 'static,
{
    Box::new(Call {
        operation: Some(operation),
        outcome: None,
        answer: |outcome: Result<()>| {
            if let Err(e) = outcome {
                tracing::warn!(kind = ?e.kind(), source = std::error::Error::source(&e), "work behind the others failed");
            }
        },
        lasts: true,
        _permit: None,
    })
}

struct Call<T, F, A> {
    operation: Option<F>,
    outcome: Option<T>,
    answer: A,
    lasts: bool,
    _permit: Option<OwnedSemaphorePermit>,
}

impl<T, F, A> Work for Call<T, F, A>
where
    T: Send,
    F: FnOnce(&mut Tx<'_>) -> Result<T> + Send,
    A: FnOnce(Result<T>) + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let Some(operation) = self.operation.take() else {
            return Err(Error::internal("an operation was run twice"));
        };
        self.outcome = Some(operation(tx)?);
        Ok(())
    }

    fn must_last(&self) -> bool {
        self.lasts
    }

    fn finish(self: Box<Self>, verdict: Result<()>) {
        let Self { outcome, answer, .. } = *self;
        answer(verdict.and_then(|()| outcome.ok_or_else(|| Error::internal("an operation did not run"))));
    }
}

/// The writer's thread.
pub(crate) fn run(shared: &Arc<Shared>, mut conn: Connection, queue: &Receiver<Message>) {
    let mut pace = Pace::default();
    while let Ok(first) = queue.recv() {
        let mut stop = false;
        let mut group: Vec<Box<dyn Work>> = Vec::new();
        let mut behind = false;
        let mut next = Some(first);
        let until = Instant::now() + pace.patience();
        while let Some(message) = next {
            match message {
                Message::Work(work) => group.push(work),
                Message::Behind => behind = true,
                Message::Stop => stop = true,
            }
            if stop || group.len() >= shared.options.group {
                break;
            }
            next = queue.try_recv().ok();
            if next.is_none() && !group.is_empty() && group.len() < pace.expected() {
                next = queue.recv_timeout(until.saturating_duration_since(Instant::now())).ok();
            }
        }
        let answered = group.len();
        if behind {
            shared.writer.told.store(false, Ordering::Release);
            group.splice(..0, shared.behind.take_work(shared));
        }
        let began = Instant::now();
        if catch_unwind(AssertUnwindSafe(|| commit_group(shared, &conn, group))).is_err() {
            tracing::error!("the writer panicked; it goes on with a new connection");
            match crate::schema::writing(&shared.folder.database()) {
                Ok(fresh) => conn = fresh,
                Err(e) => tracing::error!(error = %e, "no new connection"),
            }
        }
        pace.note(answered, began.elapsed());
        if stop {
            return;
        }
    }
}

/// How many operations the next group may be of, and how long to wait for them.
///
/// Clients that write one thing after another send the next one shortly after the commit of the last. A group that begins
/// with the first of them leaves the rest to another commit; where a commit takes milliseconds it pays to wait a fraction
/// of that for as many as came together before. One client alone never waits, nor does anybody where commits are quick.
#[derive(Default)]
struct Pace {
    groups: [usize; 2],
    commit: Duration,
}

impl Pace {
    /// A commit that takes less is not worth waiting for.
    const QUICK: Duration = Duration::from_micros(500);
    /// The longest that a group is waited for.
    const MOST: Duration = Duration::from_millis(2);

    fn note(&mut self, group: usize, took: Duration) {
        if group > 0 {
            self.groups = [self.groups[1], group];
            self.commit = (self.commit * 3 + took) / 4;
        }
    }

    fn expected(&self) -> usize {
        self.groups[0].max(self.groups[1])
    }

    fn patience(&self) -> Duration {
        if self.commit < Self::QUICK {
            return Duration::ZERO;
        }
        (self.commit / 3).min(Self::MOST)
    }
}

/// Runs all operations of a group. What a broken transaction took with it is answered; the others get another one.
fn commit_group(shared: &Shared, conn: &Connection, group: Vec<Box<dyn Work>>) {
    if group.is_empty() {
        return;
    }
    let lasts = group.iter().any(|work| work.must_last());
    let mut waiting = group.into_iter().peekable();
    while waiting.peek().is_some() {
        let mut done = Vec::new();
        let writing = shared.checkpoint.writing();
        let outcome = wait_for_disk(conn, lasts).and_then(|()| one_transaction(shared, conn, &mut waiting, &mut done));
        if let Err(e) = &outcome {
            tracing::warn!(kind = ?e.kind(), error = %e, source = std::error::Error::source(e), "a transaction failed");
            if !conn.is_autocommit() {
                let _ = conn.execute_batch("ROLLBACK");
            }
        }
        drop(writing);
        if matches!(outcome, Ok(true)) && !shared.behind.was_alone(&shared.folder) {
            shared.folder.ring();
        }
        let began = done.len();
        for (work, after, verdict) in done {
            let verdict = match &outcome {
                Ok(_) => verdict,
                Err(e) => verdict.and_then(|()| Err(Error::new(e.kind(), e.text()))),
            };
            if outcome.is_ok() {
                settle(shared, after);
            } else {
                after.leave_files();
            }
            work.finish(verdict);
        }
        // A transaction that could not begin would not for the rest either.
        if let Err(e) = outcome
            && began == 0
        {
            waiting
                .by_ref()
                .for_each(|work| work.finish(Err(Error::new(e.kind(), e.text()))));
        }
    }
    shared.checkpoint.wake();
}

type Done = (Box<dyn Work>, After, Result<()>);

/// Runs what waits, and commits: whether others have to hear of it.
fn one_transaction(
    shared: &Shared,
    conn: &Connection,
    waiting: &mut std::iter::Peekable<std::vec::IntoIter<Box<dyn Work>>>,
    done: &mut Vec<Done>,
) -> Result<bool> {
    begin(conn, shared.options.patience)?;
    let (change, next_body) = conn
        .prepare_cached("SELECT change, next_body FROM store")
        .and_then(|mut s| s.query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))))
        .map_err(sql)?;
    let mut tx = Tx {
        conn,
        change: change.saturating_add(1),
        now: now(),
        next_body,
        file_above: shared.options.file_above,
        after: After::default(),
        changed: false,
    };
    for mut work in waiting.by_ref() {
        let verdict = guarded(&mut tx, work.as_mut());
        let after = std::mem::take(&mut tx.after);
        let failed = verdict.is_err();
        done.push((work, after, verdict));
        if failed && conn.is_autocommit() {
            return Err(unavailable().with_source("SQLite rolled the whole transaction back"));
        }
    }
    let (changed, change, has_bodies) = (tx.changed, tx.change, tx.next_body != next_body);
    // Else nothing is written where nothing was done.
    if changed || has_bodies {
        conn.prepare_cached("UPDATE store SET change = ?, next_body = ?")
            .and_then(|mut s| s.execute([if changed { change } else { change - 1 }, tx.next_body]))
            .map_err(sql)?;
    }
    if changed {
        shared.seen.ours(change);
    }
    commit(conn).inspect_err(|_| shared.seen.not_ours(change))?;
    if has_bodies {
        shared.text_index.wake();
    }
    Ok(changed)
}

/// One operation in a savepoint of its own, so that it is undone alone.
fn guarded(tx: &mut Tx<'_>, work: &mut dyn Work) -> Result<()> {
    let run = |name| {
        tx.conn
            .prepare_cached(name)
            .and_then(|mut s| s.execute([]))
            .map_err(sql)
    };
    run("SAVEPOINT operation")?;
    let outcome = catch_unwind(AssertUnwindSafe(|| work.run(tx)))
        .unwrap_or_else(|_| Err(Error::internal("an operation of the store panicked")));
    let run = |name| {
        tx.conn
            .prepare_cached(name)
            .and_then(|mut s| s.execute([]))
            .map_err(sql)
    };
    match outcome {
        Ok(()) => run("RELEASE operation").map(drop),
        Err(e) => {
            tx.after = After::default();
            if !tx.conn.is_autocommit() {
                run("ROLLBACK TO operation")?;
                run("RELEASE operation")?;
            }
            Err(e)
        }
    }
}

/// Begins at once or, while another process writes, as soon as it lets us.
fn begin(conn: &Connection, patience: Duration) -> Result<()> {
    let started = Instant::now();
    conn.busy_timeout(Duration::ZERO).map_err(sql)?;
    loop {
        let tried = conn.prepare_cached("BEGIN IMMEDIATE").and_then(|mut s| s.execute([]));
        match tried {
            Ok(_) => break,
            Err(e) if is_busy(&e) && started.elapsed() < patience => std::thread::sleep(PAUSE),
            Err(e) => return Err(sql(e)),
        }
    }
    conn.busy_timeout(patience).map_err(sql)
}

fn commit(conn: &Connection) -> Result<()> {
    let done = conn.prepare_cached("COMMIT").and_then(|mut s| s.execute([]));
    done.map(drop).map_err(|e| match e.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => sql(e),
        _ => unavailable().with_source(e),
    })
}

/// Whether each commit from now on waits until it is on the disk. Without, it can be lost with the power, but not torn, and
/// never before an earlier one.
fn wait_for_disk(conn: &Connection, wait: bool) -> Result<()> {
    // Compiled each time: the setting takes effect then.
    let how = match wait {
        true => "PRAGMA synchronous = FULL",
        false => "PRAGMA synchronous = NORMAL",
    };
    conn.execute_batch(how).map_err(sql)
}

fn is_busy(e: &rusqlite::Error) -> bool {
    matches!(
        e.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// What a committed operation wanted done afterwards.
fn settle(shared: &Shared, after: After) {
    let watcher = shared.watcher.get();
    after.keep.into_iter().for_each(StagedFile::keep);
    // Whoever is told of it next says so; if nobody is, the timer looks.
    after.ghosts.into_iter().for_each(|place| shared.behind.reclaim(place));
    for notice in after.notices {
        let tell = || watcher.map(|w| w.mailbox(&notice.account, notice.mailbox, notice.changes));
        if catch_unwind(AssertUnwindSafe(tell)).is_err() {
            tracing::error!("a watcher of the store panicked");
        }
    }
    for id in after.unlink {
        shared.remover.remove(shared.folder.body(&id));
    }
    after.discard.into_iter().for_each(|file| shared.remover.discard(file));
}

/// Seconds since 1970, as rows have them.
pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, SqliteStore};
    use backend_api::ErrorKind;

    #[test]
    fn a_group_is_waited_for_where_several_write_and_commits_are_slow() {
        let slow = Duration::from_millis(4);
        let mut pace = Pace::default();
        for _ in 0..20 {
            pace.note(1, slow);
        }
        assert_eq!(pace.expected(), 1, "one client alone: the first is all of the group");
        pace.note(7, slow);
        pace.note(1, slow);
        assert_eq!(pace.expected(), 7);
        assert!(
            pace.patience() > slow / 4 && pace.patience() < slow / 2,
            "{:?}",
            pace.patience()
        );
        pace.note(1, slow);
        assert_eq!(pace.expected(), 1, "they are gone");
        for _ in 0..20 {
            pace.note(7, Duration::from_micros(50));
        }
        assert_eq!(pace.patience(), Duration::ZERO, "commits are quick");
    }

    async fn store() -> (tempfile::TempDir, Arc<SqliteStore>) {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path(), Options::brief()).unwrap();
        (dir, store)
    }

    #[tokio::test]
    async fn a_panic_in_an_operation_is_its_callers_error_alone() {
        let (_dir, store) = store().await;
        let panicking = store.shared.writer.call(|_| -> Result<()> { panic!("as tested") });
        let (panicked, added) = tokio::join!(panicking, store.add_user("ann", None, true));
        assert_eq!(panicked.unwrap_err().kind(), ErrorKind::Internal);
        added.unwrap();
        assert_eq!(store.list_users().await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_full_disk_is_over_quota_and_the_store_goes_on() {
        let (_dir, store) = store().await;
        let pages = |n: i64| {
            store.shared.writer.call(move |tx| {
                let set = tx
                    .conn
                    .query_row(&format!("PRAGMA max_page_count = {n}"), [], |_| Ok(()));
                set.map_err(sql)
            })
        };
        let fill = || {
            store.shared.writer.call(|tx| {
                let fill = "INSERT INTO contents (id, octets) VALUES (1, zeroblob(1000000))";
                tx.conn.execute(fill, []).map(drop).map_err(sql)
            })
        };
        pages(1).await.unwrap();
        assert_eq!(fill().await.unwrap_err().kind(), ErrorKind::OverQuota);
        pages(1_000_000).await.unwrap();
        fill().await.unwrap();
    }

    #[tokio::test]
    async fn a_group_whose_transaction_breaks_fails_and_the_next_one_does_not() {
        let (_dir, store) = store().await;
        let add = |id: i64| {
            store.shared.writer.call(move |tx| {
                let add = tx
                    .conn
                    .execute("INSERT INTO indexes (id, octets) VALUES (?, x'00')", [id]);
                add.map(drop).map_err(sql)
            })
        };
        let broken = store.shared.writer.call(|tx| {
            tx.conn.execute_batch("ROLLBACK").map_err(sql)?;
            Err::<(), _>(Error::internal("as SQLite does on some errors"))
        });
        let (before, broken, after) = tokio::join!(biased; add(1), broken, add(2));
        assert_eq!(before.is_ok(), count(&store).await == 2);
        assert!(broken.is_err());
        after.unwrap();
    }

    async fn count(store: &SqliteStore) -> i64 {
        let count = |conn: &Connection| {
            conn.query_row("SELECT count(*) FROM indexes", [], |r| r.get(0))
                .map_err(sql)
        };
        store.shared.readers.call(count).await.unwrap()
    }

    #[tokio::test]
    async fn only_what_need_not_last_goes_without_a_wait_for_the_disk() {
        let (_dir, store) = store().await;
        let how = |tx: &mut Tx<'_>| {
            let read = tx.conn.query_row("PRAGMA synchronous", [], |r| r.get(0));
            read.map_err(sql)
        };
        let writer = &store.shared.writer;
        const NORMAL: i64 = 1;
        const FULL: i64 = 2;
        assert_eq!(writer.call(how).await.unwrap(), FULL);
        assert_eq!(writer.call_lazily(how).await.unwrap(), NORMAL);
        assert_eq!(writer.call(how).await.unwrap(), FULL);
        let (slow, went) = std::sync::mpsc::channel();
        let block = writer.call(move |_| went.recv().map_err(Error::internal));
        let together =
            async { tokio::join!(biased; writer.call_lazily(how), writer.call(how), async { slow.send(()) }) };
        let (_, (lazy, lasting, _)) = tokio::join!(biased; block, together);
        assert_eq!((lazy.unwrap(), lasting.unwrap()), (FULL, FULL));
    }

    #[tokio::test]
    async fn operations_that_cannot_begin_are_answered_and_the_store_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let mut options = Options::brief();
        options.patience = Duration::from_millis(5);
        let store = SqliteStore::open(dir.path(), options).unwrap();
        let holder = Connection::open(dir.path().join("mail.db")).unwrap();
        holder.execute_batch("BEGIN IMMEDIATE").unwrap();
        let call = || store.shared.writer.call(|_| Ok(()));
        let (one, two) = tokio::join!(call(), call());
        assert_eq!(one.unwrap_err().kind(), ErrorKind::InUse);
        assert_eq!(two.unwrap_err().kind(), ErrorKind::InUse);
        holder.execute_batch("ROLLBACK").unwrap();
        call().await.unwrap();
    }
}
