//! What other processes changed: how it is found at once and without a loop for each connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use backend_api::{Account, Changes, MailboxId};
use notify::{RecursiveMode, Watcher as _};
use parking_lot::Mutex;
use rusqlite::Connection;

use crate::error::sql;
use crate::shared::Shared;
use crate::tx::{deleted, mod_seq, unsigned};

/// Two looks of clients' commands are at least so many microseconds apart: no answer of another process reaches a client,
/// and the client's next command us, in less.
const APART: u64 = 20;
/// A look when nothing was heard for so long.
const TIMER: Duration = Duration::from_secs(1);
/// Commits that come together are looked at together.
const TOGETHER: Duration = Duration::from_millis(1);

/// How far the changes of other processes are known.
pub(crate) struct Seen {
    probe: Mutex<Probe>,
    /// Numbers of our own transactions above the probe's, as runs: their changes were told by the writer.
    own: Mutex<Vec<(i64, i64)>>,
    started: Instant,
    /// When the last look that is at its end began, in microseconds.
    looked: AtomicU64,
}

struct Probe {
    /// `None` once the store is closed.
    conn: Option<Connection>,
    version: i64,
    change: i64,
}

impl Seen {
    /// Everything up to now is known.
    pub(crate) fn new(conn: Connection) -> rusqlite::Result<Self> {
        let version = data_version(&conn)?;
        let change = conn.query_row("SELECT change FROM store", [], |r| r.get(0))?;
        Ok(Self {
            probe: Mutex::new(Probe {
                conn: Some(conn),
                version,
                change,
            }),
            own: Mutex::default(),
            started: Instant::now(),
            looked: AtomicU64::new(0),
        })
    }

    /// Nobody looks any more.
    pub(crate) fn close(&self) {
        self.probe.lock().conn = None;
    }

    /// The transaction of this number is about to be committed, and its changes told, by us.
    pub(crate) fn ours(&self, change: i64) {
        let mut own = self.own.lock();
        match own.last_mut() {
            Some((_, end)) if *end + 1 == change => *end = change,
            _ => own.push((change, change)),
        }
    }

    /// It was not committed.
    pub(crate) fn not_ours(&self, change: i64) {
        let mut own = self.own.lock();
        if let Some((start, end)) = own.last_mut()
            && *end == change
        {
            *end -= 1;
            if *end < *start {
                own.pop();
            }
        }
    }

    /// Whether every change above `after`, up to `up_to`, is our own.
    fn are_ours(&self, after: i64, up_to: i64) -> bool {
        let own = self.own.lock();
        let at = own.partition_point(|(_, end)| *end <= after);
        up_to <= after
            || own
                .get(at)
                .is_some_and(|(start, end)| *start <= after + 1 && up_to <= *end)
    }

    fn forget_ours(&self, up_to: i64) {
        self.own.lock().retain(|(_, end)| *end > up_to);
    }

    /// Before a client is answered. When this returns, the watcher has been told, by whoever looked, of everything that
    /// the client can know another process to have done.
    pub(crate) fn look(&self, shared: &Shared) {
        if self.looked_lately() {
            return;
        }
        let mut probe = self.probe.lock();
        // Somebody may have looked while the lock was waited for.
        if !self.looked_lately() {
            self.look_with(&mut probe, shared);
        }
    }

    /// Whether a look that is at its end began just now.
    fn looked_lately(&self) -> bool {
        self.micros() < self.looked.load(Ordering::Acquire).saturating_add(APART)
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Tells the watcher which mailboxes other processes changed.
    pub(crate) fn look_now(&self, shared: &Shared) {
        self.look_with(&mut self.probe.lock(), shared);
    }

    fn look_with(&self, probe: &mut Probe, shared: &Shared) {
        let began = self.micros();
        let known = probe.change;
        let found = match probe.look() {
            Ok(found) => found,
            Err(e) => {
                let e = sql(e);
                tracing::warn!(
                    source = std::error::Error::source(&e),
                    "cannot see what other processes changed"
                );
                return;
            }
        };
        let Some(watcher) = shared.watcher.get() else {
            return;
        };
        // A mailbox bears the number of its last change alone: one of another process may stand behind our own, which the
        // writer may not have told yet.
        if !self.are_ours(known, probe.change) {
            for changed in found {
                watcher.mailbox(&changed.account, changed.mailbox, changed.changes);
            }
        }
        self.forget_ours(probe.change);
        // Not before: who skips a look relies on what this one told.
        self.looked.store(began, Ordering::Release);
    }
}

struct Changed {
    account: Account,
    mailbox: MailboxId,
    changes: Option<Changes>,
}

impl Probe {
    fn look(&mut self) -> rusqlite::Result<Vec<Changed>> {
        let Some(conn) = &self.conn else {
            return Ok(Vec::new());
        };
        let version = data_version(conn)?;
        if version == self.version {
            return Ok(Vec::new());
        }
        let mut select = conn.prepare_cached(
            "SELECT m.account, a.name, m.id, m.change, m.name IS NULL, m.highest_modseq FROM mailboxes m
             JOIN accounts a ON a.id = m.account WHERE m.change > ? ORDER BY m.change",
        )?;
        let mut rows = select.query([self.change])?;
        let mut found = Vec::new();
        let mut last = self.change;
        while let Some(row) = rows.next()? {
            let (account, gone): (i64, bool) = (row.get(0)?, row.get(4)?);
            last = row.get(3)?;
            found.push(Changed {
                account: Account::with_id(row.get_ref(1)?.as_str()?, unsigned(account)),
                mailbox: unsigned(row.get(2)?),
                changes: gone.then_some(deleted(mod_seq(row.get(5)?))),
            });
        }
        drop(rows);
        drop(select);
        (self.version, self.change) = (version, last);
        Ok(found)
    }
}

fn data_version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("PRAGMA data_version")?.query_row([], |r| r.get(0))
}

/// Wakes the thread that waits for other stores.
pub(crate) struct Wake(SyncSender<()>);

/// What the thread waits for.
pub(crate) struct Rings(Receiver<()>);

impl Wake {
    pub(crate) fn new() -> (Self, Rings) {
        let (wake, rings) = sync_channel(1);
        (Self(wake), Rings(rings))
    }

    /// The thread has something to look at.
    pub(crate) fn wake(&self) {
        // A full channel has a ring in it already.
        let _ = self.0.try_send(());
    }
}

/// The thread that waits for the bell of other stores, with a timer beneath.
pub(crate) fn run(shared: &Arc<Shared>, Rings(rings): &Rings) {
    let weak = Arc::downgrade(shared);
    let ring = move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|e| e.kind.is_modify())
            && let Some(shared) = weak.upgrade()
        {
            shared.watch.wake();
        }
    };
    let watcher = notify::recommended_watcher(ring).and_then(|mut watcher| {
        watcher.watch(&shared.folder.bell(), RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    if let Err(e) = &watcher {
        tracing::warn!(error = %e, "no notice of other processes' writes; looking once a second");
    }
    while !shared.stopping() {
        if rings.recv_timeout(TIMER).is_ok() {
            shared.behind.heard_others();
            std::thread::sleep(TOGETHER);
        }
        let _ = rings.try_recv();
        shared.seen.look_now(shared);
        // Sessions of other processes may have been told meanwhile, or have gone.
        if shared.behind.waits() {
            shared.writer.behind();
        }
    }
}
