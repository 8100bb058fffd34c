//! How the index gives way while much is moved: a large message comes in, or many are read.
//!
//! A thread of low priority still gets much of a core from others that block often, as those do that take a large message
//! in, piece by piece from the network to a file, or put out a mailbox batch by batch. Then that would go at half its pace,
//! for an index that nobody waits for. So as long as there is such work, who keeps the index rests for most of the time: a
//! tenth of it it goes on, so that a stream of such work does not keep it from ever being done. While it writes, which may
//! hold up another process that makes the index anew, it rests for a second at most.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::TextIndex;

/// Much is moved as long as the last piece of it is not older than this.
const LATELY: Duration = Duration::from_millis(50);
/// After so much work it rests.
const LEAST: Duration = Duration::from_millis(2);
/// And for so many times as long as it worked.
const TIMES: u32 = 9;
/// The most that it rests within a transaction that writes.
const WRITING: Duration = Duration::from_secs(1);
/// And within one picture of the mail database: less than a checkpoint waits for those who read.
const READING: Duration = Duration::from_millis(40);
/// Parts of work that writes that are so small that a look at the clock for each would show.
const CALLS: u32 = 64;
/// While it rests it looks so often whether much is still moved.
pub(super) const LOOK: Duration = Duration::from_millis(20);

/// When the last piece of much was moved.
pub(super) struct Bulk {
    opened: Instant,
    /// Microseconds since then, and one more; 0 is never.
    last: AtomicU64,
}

impl Bulk {
    pub(super) fn new() -> Self {
        Self {
            opened: Instant::now(),
            last: AtomicU64::new(0),
        }
    }

    /// A piece was moved.
    pub(super) fn moved(&self, at: Instant) {
        let micros = at.saturating_duration_since(self.opened).as_micros();
        let last = u64::try_from(micros).unwrap_or(u64::MAX).saturating_add(1);
        self.last.store(last, Ordering::Relaxed);
    }

    /// How long ago; `None` is never.
    pub(super) fn ago(&self, now: Instant) -> Option<Duration> {
        let last = self.last.load(Ordering::Relaxed).checked_sub(1)?;
        let now = now.saturating_duration_since(self.opened);
        Some(now.saturating_sub(Duration::from_micros(last)))
    }

    /// Whether there is more to come, most likely.
    pub(super) fn moves(&self, now: Instant) -> bool {
        self.ago(now).is_some_and(|ago| ago < LATELY)
    }
}

/// How long to rest after so much work.
fn rest(worked: Duration) -> Option<Duration> {
    (worked >= LEAST).then(|| worked.saturating_mul(TIMES))
}

/// Work that gives way.
pub(super) struct Pace<'i> {
    index: &'i TextIndex,
    /// When it began, or rested last, or nothing much was moved.
    pub(super) since: Instant,
    /// The longest that it may rest as things are.
    left: Duration,
}

impl<'i> Pace<'i> {
    pub(super) fn new(index: &'i TextIndex) -> Self {
        let (since, left) = (Instant::now(), Duration::MAX);
        Self { index, since, left }
    }

    /// Work begins, after there was none.
    pub(super) fn begin(&mut self) {
        self.since = Instant::now();
    }

    /// What follows is in one picture of the mail database, which keeps its log from being emptied.
    pub(super) fn reading(&mut self) {
        self.left = READING;
    }

    /// Nothing is held open any more.
    pub(super) fn free(&mut self) {
        self.left = Duration::MAX;
    }

    /// Between two parts of the work, where nobody waits for it: rests if it is time to.
    pub(super) fn give_way(&mut self) {
        let now = Instant::now();
        if !self.index.bulk.moves(now) {
            self.since = now;
        } else if let Some(wanted) = rest(now.saturating_duration_since(self.since))
            && !self.left.is_zero()
        {
            self.index.rest(wanted.min(self.left));
            self.since = Instant::now();
            self.left = self.left.saturating_sub(self.since.saturating_duration_since(now));
        }
    }

    /// For the work of one transaction that writes.
    pub(super) fn writing(&mut self) -> Writing<'_, 'i> {
        self.left = WRITING;
        Writing { pace: self, calls: 0 }
    }
}

/// Work of one transaction that gives way.
pub(super) struct Writing<'p, 'i> {
    pace: &'p mut Pace<'i>,
    calls: u32,
}

impl Writing<'_, '_> {
    /// Between two small parts of the work.
    pub(super) fn give_way(&mut self) {
        self.calls = self.calls.wrapping_add(1);
        if self.calls.is_multiple_of(CALLS) {
            self.pace.give_way();
        }
    }
}

impl Drop for Writing<'_, '_> {
    fn drop(&mut self) {
        self.pace.free();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use backend_api::{
        Account, DateTime, Flags, Incoming, Load, MailStore as _, MailboxName, MessageBody, NewMessage, Uid,
    };

    use super::*;
    use crate::{Options, SqliteStore};

    const HOUR: Duration = Duration::from_secs(3600);
    const MOST: Duration = Duration::from_secs(60);

    fn store() -> (tempfile::TempDir, std::sync::Arc<SqliteStore>) {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path(), Options::brief()).unwrap();
        (dir, store)
    }

    #[test]
    fn nine_tenths_of_the_time_are_rest() {
        let micros = Duration::from_micros;
        let table = [
            (micros(0), None),
            (micros(1_999), None),
            (micros(2_000), Some(micros(18_000))),
            (micros(30_000), Some(micros(270_000))),
            (Duration::MAX, Some(Duration::MAX)),
        ];
        for (worked, expected) in table {
            assert_eq!(rest(worked), expected, "{worked:?}");
        }
    }

    #[test]
    fn much_is_moved_until_its_last_piece_is_old() {
        let bulk = Bulk::new();
        let at = |millis| bulk.opened + Duration::from_millis(millis);
        assert!(!bulk.moves(at(0)) && !bulk.moves(at(10)));
        bulk.moved(at(0));
        assert_eq!(bulk.ago(at(7)), Some(Duration::from_millis(7)));
        bulk.moved(at(100));
        let seen = [90, 100, 149, 150, 1_000].map(|millis| bulk.moves(at(millis)));
        assert_eq!(seen, [true, true, true, false, false]);
    }

    #[test]
    fn what_was_done_before_much_was_moved_counts_for_no_rest() {
        let (_dir, store) = store();
        let mut pace = Pace::new(&store.shared.text_index);
        let long_ago = pace.since.checked_sub(HOUR).unwrap();
        pace.since = long_ago;
        pace.give_way();
        assert_ne!(pace.since, long_ago);
    }

    /// Rests for an hour at most, on a thread of its own, and says when that is over.
    fn resting(store: &SqliteStore) -> Receiver<()> {
        let shared = store.shared.clone();
        let (ended, end) = channel();
        std::thread::spawn(move || {
            shared.text_index.rest(HOUR);
            ended.send(()).unwrap();
        });
        end
    }

    #[test]
    fn who_writes_rests_for_so_long_in_all_and_no_longer() {
        let (_dir, store) = store();
        let index = &store.shared.text_index;
        index.bulk.moved(Instant::now() + HOUR);
        let mut pace = Pace::new(index);
        let mut writing = pace.writing();
        assert_eq!(writing.pace.left, WRITING);
        writing.pace.left = Duration::from_millis(5);
        let long_ago = writing.pace.since.checked_sub(HOUR).unwrap();
        for _ in 0..CALLS * 3 {
            writing.pace.since = long_ago;
            writing.give_way();
        }
        assert_eq!(writing.pace.left, Duration::ZERO);
        assert_eq!(writing.pace.since, long_ago, "no rest any more");
    }

    #[test]
    fn who_reads_rests_for_so_long_in_all_until_the_picture_is_given_up() {
        let (_dir, store) = store();
        let index = &store.shared.text_index;
        index.bulk.moved(Instant::now() + HOUR);
        let mut pace = Pace::new(index);
        let long_ago = pace.since.checked_sub(HOUR).unwrap();
        pace.reading();
        assert_eq!(pace.left, READING);
        pace.left = Duration::from_millis(5);
        for _ in 0..3 {
            pace.since = long_ago;
            pace.give_way();
        }
        assert_eq!((pace.left, pace.since), (Duration::ZERO, long_ago), "no rest any more");
        pace.free();
        assert_eq!(pace.left, Duration::MAX);
    }

    #[test]
    fn a_rest_ends_when_nothing_much_is_moved_any_more() {
        let (_dir, store) = store();
        store.shared.text_index.bulk.moved(Instant::now());
        let end = resting(&store);
        assert_eq!(end.recv_timeout(MOST), Ok(()));
        assert!(!store.shared.text_index.bulk.moves(Instant::now()));
    }

    #[test]
    fn a_rest_ends_when_the_store_is_closed() {
        let (_dir, store) = store();
        store.shared.text_index.bulk.moved(Instant::now() + HOUR);
        let end = resting(&store);
        drop(store);
        assert_eq!(end.recv_timeout(MOST), Ok(()));
    }

    async fn add(store: &SqliteStore, account: &Account, size: usize) {
        let inbox = store.mailbox(account, &MailboxName::inbox()).await.unwrap().unwrap();
        let body = Incoming::Body(MessageBody::from("a".repeat(size)));
        let message = NewMessage::new(Flags::NONE, DateTime::now(), size as u64, body);
        store.add(account, inbox.id, vec![message]).await.unwrap();
    }

    #[tokio::test]
    async fn a_small_message_is_not_given_way_to_and_a_large_one_is() {
        let (_dir, store) = store();
        let account = store.add_user("ann", None, true).await.unwrap();
        let moved = || store.shared.text_index.bulk.ago(Instant::now()).is_some();
        add(&store, &account, 64 * 1024).await;
        assert!(!moved());
        add(&store, &account, 512 * 1024).await;
        assert!(moved());
    }

    #[tokio::test]
    async fn a_message_that_is_read_is_not_given_way_to_and_many_are() {
        let (_dir, store) = store();
        let account = store.add_user("ann", None, true).await.unwrap();
        let inbox = store.mailbox(&account, &MailboxName::inbox()).await.unwrap().unwrap();
        let moved = || store.shared.text_index.bulk.ago(Instant::now()).is_some();
        for _ in 0..32 {
            add(&store, &account, 10).await;
        }
        let uids: Vec<Uid> = (1..=32).map(|n| Uid::new(n).unwrap()).collect();
        store
            .load(&account, inbox.id, &uids[..1], Load::new(true, true))
            .await
            .unwrap();
        assert!(!moved());
        store
            .load(&account, inbox.id, &uids, Load::new(true, false))
            .await
            .unwrap();
        assert!(moved());
    }
}
