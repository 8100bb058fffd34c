//! The search index: which messages may hold a string, so that SEARCH reads those alone.
//!
//! Of each body the distinct [`grams`] are kept, in the order of its account's bodies, in a database of its own
//! (`search.db`) that can be made again from the mail at any time. A body that is not in it is unknown and is read, so an
//! index that is behind, or half gone, makes SEARCH slower and never wrong; what is damaged has a checksum that says so.
//!
//! How the files relate: `grams` is what is looked for, `lists` and `block` how it is written, `database` the tables and
//! whether they belong to this mail, `reading` the texts of a message, `growing` batches and segments, `entries` puts their
//! grams in order, `indexer` the thread that does it, `pace` when that rests, `query` the answer, `reindex` the same for the
//! command line.

mod block;
mod database;
mod entries;
mod grams;
mod growing;
mod indexer;
mod lists;
mod pace;
mod query;
mod reading;
mod reindex;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use backend_api::{Result, Sought, UidSet};
use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

use crate::folder::Folder;
use crate::tx::Place;

pub(crate) use indexer::run;
pub use reindex::{Reindexed, Reindexing};

/// After something went wrong it is left alone for so long.
const TROUBLE: Duration = Duration::from_secs(60);
/// After the first new message, more are awaited for so long.
const PAUSE: Duration = Duration::from_millis(100);
/// Connections kept for those who search.
const MOST_IDLE: usize = 4;

const TROUBLED: &str = "the search index cannot be used: searches read the messages; `imapd reindex` makes it anew";

/// The index of one folder, as one store uses it.
pub(crate) struct TextIndex {
    enabled: bool,
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    /// Whether it was seen, since this store was opened, to belong to the mail database.
    checked: Mutex<bool>,
    trouble: Mutex<Option<Instant>>,
    bell: Mutex<Bell>,
    rung: Condvar,
    bulk: pace::Bulk,
}

#[derive(Default)]
struct Bell {
    news: bool,
    stop: bool,
}

impl TextIndex {
    pub(crate) fn new(folder: &Folder, enabled: bool) -> Self {
        Self {
            enabled,
            path: folder.root().join("search.db"),
            idle: Mutex::default(),
            checked: Mutex::new(false),
            trouble: Mutex::new(None),
            bell: Mutex::default(),
            rung: Condvar::new(),
            bulk: pace::Bulk::new(),
        }
    }

    /// For each of these the messages of a mailbox that may hold it, as far as that is known. Never fails: what goes wrong
    /// is logged, and nothing is known.
    pub(crate) fn may_hold(&self, mail: &Connection, place: Place, sought: &[Sought]) -> Vec<Option<UidSet>> {
        if !self.enabled || self.trouble.lock().is_some_and(|at| at.elapsed() < TROUBLE) {
            return Vec::new();
        }
        let asked = self.take(mail).and_then(|conn| {
            let answer = query::may_hold(&conn, mail, place, sought)?;
            Ok((conn, answer))
        });
        match asked {
            Ok((conn, answer)) => {
                self.keep(conn);
                answer
            }
            Err(e) => {
                tracing::error!(kind = ?e.kind(), source = std::error::Error::source(&e), "{TROUBLED}");
                *self.trouble.lock() = Some(Instant::now());
                self.idle.lock().clear();
                Vec::new()
            }
        }
    }

    fn take(&self, mail: &Connection) -> Result<Connection> {
        let idle = self.idle.lock().pop();
        idle.map_or_else(|| self.connect(mail), Ok)
    }

    fn keep(&self, conn: Connection) {
        let mut idle = self.idle.lock();
        if idle.len() < MOST_IDLE {
            idle.push(conn);
        }
    }

    /// A connection to an index that belongs to this mail database.
    fn connect(&self, mail: &Connection) -> Result<Connection> {
        let mut conn = database::open(&self.path)?;
        let mut checked = self.checked.lock();
        if !*checked {
            database::check(&mut conn, mail)?;
            *checked = true;
        }
        Ok(conn)
    }

    /// There are new messages.
    pub(crate) fn wake(&self) {
        let mut bell = self.bell.lock();
        if !bell.news {
            bell.news = true;
            self.rung.notify_one();
        }
    }

    /// Much is moved just now: a piece of a large message, or many messages at once.
    pub(crate) fn bulk_moves(&self) {
        self.bulk.moved(Instant::now());
    }

    /// Does nothing for so long, unless nothing much is moved any more or the thread is to end.
    fn rest(&self, most: Duration) {
        let mut now = Instant::now();
        let until = now.checked_add(most);
        let mut bell = self.bell.lock();
        while !bell.stop && self.bulk.moves(now) && until.is_none_or(|until| now < until) {
            let look = now + pace::LOOK;
            self.rung
                .wait_until(&mut bell, until.map_or(look, |until| until.min(look)));
            now = Instant::now();
        }
    }

    /// The thread ends.
    pub(crate) fn stop(&self) {
        self.bell.lock().stop = true;
        self.rung.notify_all();
    }

    /// Waits for new messages, at most so long, and then a moment for more of them; `false` when the thread is to end.
    fn wait(&self, most: Duration) -> bool {
        let mut bell = self.bell.lock();
        let until = Instant::now() + most;
        while !bell.stop && !bell.news && !self.rung.wait_until(&mut bell, until).timed_out() {}
        if bell.news {
            let until = Instant::now() + PAUSE;
            while !bell.stop && !self.rung.wait_until(&mut bell, until).timed_out() {}
        }
        bell.news = false;
        !bell.stop
    }
}
