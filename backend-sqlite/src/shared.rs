//! What the threads of one open store have in common, and the work that may be done behind the others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use backend_api::{UidSet, Watcher};
use parking_lot::Mutex;

use crate::checkpoint::Checkpoint;
use crate::expunge;
use crate::folder::Folder;
use crate::login_cache::LoginCache;
use crate::options::Options;
use crate::reader::Readers;
use crate::recover::Bell;
use crate::tx::Place;
use crate::uids::union;
use crate::watch::Seen;
use crate::writer::{Work, Writer, unanswered};

/// Removed messages that are reclaimed in one operation: a few milliseconds of the writer's time.
const PIECE: u32 = 500;
/// Runs of removed messages that wait to be reclaimed; beyond it they wait for their time to be over.
const MAX_WAITING: usize = 100_000;
/// How old the knowledge may be that no other process is there.
const ALONE_FOR: Duration = Duration::from_secs(1);

/// One open store.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) folder: Folder,
    pub(crate) writer: Writer,
    pub(crate) readers: Readers,
    pub(crate) watcher: OnceLock<Arc<dyn Watcher>>,
    pub(crate) seen: Seen,
    pub(crate) behind: Behind,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) bell: Bell,
    /// Password checks at a time: each takes a core and 19 MiB.
    pub(crate) checks: Arc<tokio::sync::Semaphore>,
    /// Passwords found right lately; `None` where the system has no randomness for its key.
    pub(crate) logins: Option<LoginCache>,
    pub(crate) stop: AtomicBool,
}

impl Shared {
    /// Whether the store is being closed.
    pub(crate) fn stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }
}

/// Work that nobody waits for. What is asked again before it is done is done once.
#[derive(Default)]
pub(crate) struct Behind {
    waiting: Mutex<Waiting>,
    alone: Mutex<Option<(Instant, bool)>>,
}

#[derive(Default)]
struct Waiting {
    claims: HashMap<Place, u32>,
    reclaims: HashMap<Place, UidSet>,
}

impl Behind {
    /// Messages below `below` are recent to nobody any more.
    pub(crate) fn claim(&self, place: Place, below: u32) {
        let mut waiting = self.waiting.lock();
        let at = waiting.claims.entry(place).or_default();
        *at = below.max(*at);
    }

    /// Nobody here numbers these removed messages any more.
    pub(crate) fn reclaim(&self, place: Place, gone: &UidSet) {
        let mut waiting = self.waiting.lock();
        let runs: usize = waiting.reclaims.values().map(|s| s.runs().len()).sum();
        if runs.saturating_add(gone.runs().len()) > MAX_WAITING {
            return;
        }
        let all = waiting.reclaims.entry(place).or_default();
        *all = union(all, gone);
    }

    /// Whether no other store was open on the folder when that was last looked at, within the last second.
    pub(crate) fn was_alone(&self, folder: &Folder) -> bool {
        let known = *self.alone.lock();
        match known {
            Some((at, alone)) if at.elapsed() < ALONE_FOR => alone,
            _ => self.is_alone(folder),
        }
    }

    /// Whether no other store is open on the folder. One that opens it from now on numbers nothing that was removed before.
    fn is_alone(&self, folder: &Folder) -> bool {
        let alone = !folder.others_alive().unwrap_or(true);
        *self.alone.lock() = Some((Instant::now(), alone));
        alone
    }

    /// Another store rang.
    pub(crate) fn heard_others(&self) {
        *self.alone.lock() = None;
    }

    /// Whether something waits that can be done now.
    pub(crate) fn is_due(&self, shared: &Shared) -> bool {
        let (claims, reclaims) = self.waits();
        claims || (reclaims && self.is_alone(&shared.folder))
    }

    fn waits(&self) -> (bool, bool) {
        let waiting = self.waiting.lock();
        (!waiting.claims.is_empty(), !waiting.reclaims.is_empty())
    }

    /// The operations to be done now. Removed messages wait as long as another process may still number them.
    pub(crate) fn take_work(&self, shared: &Arc<Shared>) -> Vec<Box<dyn Work>> {
        let may_reclaim = self.waits().1 && self.is_alone(&shared.folder);
        let mut waiting = self.waiting.lock();
        let mut work: Vec<Box<dyn Work>> = Vec::new();
        for (place, below) in waiting.claims.drain() {
            work.push(unanswered(move |tx| expunge::claim_recent(tx, place, below)));
        }
        if !may_reclaim {
            return work;
        }
        for (place, gone) in waiting.reclaims.drain() {
            let shared = shared.clone();
            work.push(unanswered(move |tx| {
                if expunge::reclaim(tx, place, &gone, PIECE)? {
                    shared.behind.reclaim(place, &gone);
                    shared.writer.behind();
                }
                Ok(())
            }));
        }
        work
    }
}
