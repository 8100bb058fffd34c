//! What the threads of one open store have in common, and the work that may be done behind the others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use backend_api::Watcher;
use parking_lot::Mutex;

use crate::checkpoint::Checkpoint;
use crate::expunge::{self, Left};
use crate::folder::Folder;
use crate::login_cache::LoginCache;
use crate::options::Options;
use crate::reader::Readers;
use crate::recover::Bell;
use crate::text_index::TextIndex;
use crate::tx::Place;
use crate::views::{self, Views};
use crate::watch::Seen;
use crate::writer::{Work, Writer, unanswered};

/// Removed messages that are reclaimed in one operation: a few milliseconds of the writer's time.
const PIECE: u32 = 500;
/// Mailboxes with ghosts that are remembered; those of others are found when the store tidies up.
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
    pub(crate) views: Views,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) text_index: TextIndex,
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

    /// Up to which mod-sequence every session, of whatever process, was told of what was expunged from these mailboxes;
    /// `None` when that cannot be known just now.
    fn told_up_to(&self, places: Vec<Place>) -> Option<HashMap<Place, u64>> {
        // Those who are not there when this is asked read the mailboxes as they are now.
        let others = self.folder.others().ok()??;
        let here = |place| (place, self.views.told_up_to(place).unwrap_or(u64::MAX));
        let mut least: HashMap<Place, u64> = places.into_iter().map(here).collect();
        for other in others {
            for (place, told) in views::of_another(&other)? {
                if let Some(least) = least.get_mut(&place) {
                    *least = told.min(*least);
                }
            }
        }
        Some(least)
    }
}

/// Work that nobody waits for. What is asked again before it is done is done once.
#[derive(Default)]
pub(crate) struct Behind {
    /// Mailboxes with ghosts, and the mod-sequence up to which they were cleared away last; `None`: not yet.
    ghosts: Mutex<HashMap<Place, Option<u64>>>,
    alone: Mutex<Option<(Instant, bool)>>,
}

impl Behind {
    /// This mailbox has messages that were expunged, and nobody here or elsewhere may number them any more.
    pub(crate) fn reclaim(&self, place: Place) {
        let mut ghosts = self.ghosts.lock();
        if ghosts.len() < MAX_WAITING || ghosts.contains_key(&place) {
            ghosts.insert(place, None);
        }
    }

    /// Whether no other store was open on the folder when that was last looked at, within the last second.
    pub(crate) fn was_alone(&self, folder: &Folder) -> bool {
        let known = *self.alone.lock();
        match known {
            Some((at, alone)) if at.elapsed() < ALONE_FOR => alone,
            _ => {
                let alone = !folder.others_alive().unwrap_or(true);
                *self.alone.lock() = Some((Instant::now(), alone));
                alone
            }
        }
    }

    /// Another store rang.
    pub(crate) fn heard_others(&self) {
        *self.alone.lock() = None;
    }

    /// Whether something waits.
    pub(crate) fn waits(&self) -> bool {
        !self.ghosts.lock().is_empty()
    }

    /// Whether something waits that can be done now.
    pub(crate) fn is_due(&self, shared: &Shared) -> bool {
        !self.due(shared).is_empty()
    }

    /// The mailboxes with ghosts that nobody may number any more, and up to which mod-sequence.
    fn due(&self, shared: &Shared) -> Vec<(Place, u64)> {
        let places: Vec<Place> = self.ghosts.lock().keys().copied().collect();
        if places.is_empty() {
            return Vec::new();
        }
        let Some(told) = shared.told_up_to(places) else {
            return Vec::new();
        };
        let ghosts = self.ghosts.lock();
        let is_due = |(place, up_to): &(Place, u64)| match ghosts.get(place) {
            Some(Some(before)) => before < up_to,
            Some(None) => true,
            None => false,
        };
        told.into_iter().filter(is_due).collect()
    }

    /// The operations to be done now. Expunged messages wait as long as somebody may still number them.
    pub(crate) fn take_work(&self, shared: &Arc<Shared>) -> Vec<Box<dyn Work>> {
        let mut work: Vec<Box<dyn Work>> = Vec::new();
        for (place, up_to) in self.due(shared) {
            self.ghosts.lock().insert(place, Some(up_to));
            let shared = shared.clone();
            work.push(unanswered(move |tx| {
                match expunge::reclaim(tx, place, up_to, PIECE)? {
                    Left::Nothing => shared.behind.done(place, up_to),
                    Left::Needed => {}
                    Left::More => {
                        shared.behind.reclaim(place);
                        shared.writer.behind();
                    }
                }
                Ok(())
            }));
        }
        work
    }

    /// Nothing is left, unless somebody asked again meanwhile.
    fn done(&self, place: Place, up_to: u64) {
        let mut ghosts = self.ghosts.lock();
        if ghosts.get(&place) == Some(&Some(up_to)) {
            ghosts.remove(&place);
        }
    }
}
