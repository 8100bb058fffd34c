//! What the threads of one open store have in common, and the work that may be done behind the others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use backend_api::{Result, Watcher};
use parking_lot::Mutex;

use crate::checkpoint::Checkpoint;
use crate::expunge::{self, Left};
use crate::folder::Folder;
use crate::login_cache::LoginCache;
use crate::options::Options;
use crate::reader::Readers;
use crate::recover::Bell;
use crate::remover::Remover;
use crate::text_index::TextIndex;
use crate::tx::{Place, Tx};
use crate::views::{self, Views};
use crate::watch::{Seen, Wake};
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
    pub(crate) watch: Wake,
    pub(crate) remover: Arc<Remover>,
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
    /// Passes of background work that are over.
    pub(crate) passes: tokio::sync::watch::Sender<u64>,
}

impl Shared {
    /// Some background work is done for now.
    pub(crate) fn pass_is_over(&self) {
        self.passes.send_modify(|passes| *passes += 1);
    }

    /// Whether the store is being closed.
    pub(crate) fn stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Up to which mod-sequence every session, of whatever process, was told of what was expunged from these mailboxes,
    /// the highest of all where none has the mailbox selected; `None` when that cannot be known just now.
    pub(crate) fn told_up_to(&self, places: Vec<Place>) -> Option<HashMap<Place, u64>> {
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

    /// What is to be done now, before anything else of its transaction. Expunged messages wait as long as somebody may still
    /// number them; who does is asked once nobody can expunge any more, so that what is expunged after the answer stays.
    pub(crate) fn take_work(&self, shared: &Arc<Shared>) -> Option<Box<dyn Work>> {
        let places: Vec<Place> = self.due(shared).into_iter().map(|(place, _)| place).collect();
        if places.is_empty() {
            return None;
        }
        let shared = shared.clone();
        Some(unanswered(move |tx| {
            for (place, up_to) in shared.told_up_to(places).unwrap_or_default() {
                shared.behind.clear_away(&shared, tx, place, up_to)?;
            }
            Ok(())
        }))
    }

    fn clear_away(&self, shared: &Shared, tx: &mut Tx<'_>, place: Place, up_to: u64) -> Result<()> {
        self.ghosts.lock().insert(place, Some(up_to));
        match expunge::reclaim(tx, place, up_to, PIECE)? {
            Left::Nothing => self.done(place, up_to),
            Left::Needed => {}
            Left::More => {
                self.reclaim(place);
                shared.writer.behind();
            }
        }
        Ok(())
    }

    /// Nothing is left, unless somebody asked again meanwhile.
    fn done(&self, place: Place, up_to: u64) {
        let mut ghosts = self.ghosts.lock();
        if ghosts.get(&place) == Some(&Some(up_to)) {
            ghosts.remove(&place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, SqliteStore};
    use backend_api::{
        Account, DateTime, Flags, Incoming, MailStore, MailboxName, MessageBody, NewMessage, Remove, UidSet,
    };

    /// Two stores on one folder, which tidy up when they are asked to, and a message in an INBOX.
    struct Two {
        ours: Arc<SqliteStore>,
        other: Arc<SqliteStore>,
        account: Account,
        place: Place,
        _dir: tempfile::TempDir,
    }

    impl Two {
        async fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let open = || SqliteStore::open(dir.path(), Options::brief()).unwrap();
            let (ours, other) = (open(), open());
            let account = ours.add_user("ann", None, true).await.unwrap();
            let inbox = ours.mailbox(&account, &MailboxName::inbox()).await.unwrap().unwrap().id;
            let body = Incoming::Body(MessageBody::from("ghost".to_owned()));
            let message = NewMessage::new(Flags::NONE, DateTime::new(0, 0), 5, body);
            ours.add(&account, inbox, vec![message]).await.unwrap();
            let place = Place::new(&account, inbox);
            Self {
                ours,
                other,
                account,
                place,
                _dir: dir,
            }
        }

        async fn expunge(&self, by: &SqliteStore) {
            let all = UidSet::run(backend_api::Uid::MIN, backend_api::Uid::MAX);
            let gone = by.remove(&self.account, self.place.id(), &all, Remove::All).await;
            assert_eq!(gone.unwrap().len(), 1);
        }

        async fn rows(&self) -> i64 {
            let count = |conn: &rusqlite::Connection| {
                conn.query_row("SELECT count(*) FROM messages", [], |r| r.get(0))
                    .map_err(crate::error::sql)
            };
            self.ours.shared.readers.call(count).await.unwrap()
        }
    }

    #[tokio::test]
    async fn what_is_expunged_after_it_was_asked_who_numbers_the_mailbox_stays() {
        let two = Two::new().await;
        let shared = &two.ours.shared;
        shared.behind.reclaim(two.place);
        let mut work = shared.behind.take_work(shared).unwrap();
        let view = two.other.view(&two.account, two.place.id());
        two.expunge(&two.other).await;
        shared.writer.call(move |tx| work.run(tx)).await.unwrap();
        assert_eq!(two.rows().await, 1, "a session of the other numbers it");
        drop(view);
        two.ours.tidy().await.unwrap();
        assert_eq!(two.rows().await, 0);
    }

    /// Until it is committed, a session that begins sees it: nobody can know yet who.
    #[tokio::test]
    async fn what_is_expunged_in_the_same_transaction_is_not_cleared_away() {
        let two = Two::new().await;
        let shared = &two.ours.shared;
        let (go, wait) = std::sync::mpsc::channel();
        let blocked = shared
            .writer
            .call(move |_| wait.recv().map_err(backend_api::Error::internal));
        let together = async {
            let behind = async {
                shared.behind.reclaim(two.place);
                shared.writer.behind();
                go.send(()).unwrap();
            };
            tokio::join!(biased; two.expunge(&two.ours), behind)
        };
        let (blocked, _) = tokio::join!(biased; blocked, together);
        blocked.unwrap();
        assert_eq!(two.rows().await, 1);
        two.ours.tidy().await.unwrap();
        assert_eq!(two.rows().await, 0);
    }
}
