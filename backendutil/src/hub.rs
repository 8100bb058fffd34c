//! The open mailboxes of a process: whom a change wakes, and where the current snapshot of each is.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use backend_api::{Account, Changes, MailboxId, MessageEntry, ModSeq, Uid, UidSet, Watcher};
use parking_lot::{Mutex, RwLock};

use crate::listing::{Difference, Snapshot};
use crate::wake::Wake;

/// Closed mailboxes stay listed, newest first, as long as they hold fewer messages than this together: opening one again
/// is then free. At about 40 octets a message this is 20 MB.
const KEEP_MESSAGES: u64 = 500_000;
/// And at most as many.
const KEEP_MAILBOXES: usize = 256;
/// Metadata of removed messages that some session still numbers is kept for at most as many of a mailbox.
const KEEP_GHOSTS: usize = 100_000;

/// Removals are gathered when there are more than this.
const CROWDED: usize = 64;

/// Which mailbox: what is cached for an account is for that account alone.
type Key = (Account, MailboxId);

/// The open mailboxes, and a handle to say that something changed. Clones are one hub.
#[derive(Clone, Default)]
pub struct Hub(Arc<Mutex<Mailboxes>>);

#[derive(Default)]
struct Mailboxes {
    open: HashMap<Key, Arc<Open>>,
    /// Closed ones that are still listed, oldest first.
    closed: VecDeque<(Key, u64)>,
    kept_messages: u64,
}

impl Hub {
    /// A hub without mailboxes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Messages of this mailbox were added, changed or removed, or the mailbox went: its sessions look, and idling clients
    /// are told at once. Never blocks.
    pub fn changed(&self, account: &Account, mailbox: MailboxId) {
        if let Some(open) = self.find(account, mailbox) {
            open.look_again();
        }
    }

    pub(crate) fn find(&self, account: &Account, mailbox: MailboxId) -> Option<Arc<Open>> {
        self.0.lock().open.get(&(account.clone(), mailbox)).cloned()
    }

    /// The mailbox, which may not be loaded yet. It stays in the hub as long as the result is held.
    pub(crate) fn open(&self, account: &Account, mailbox: MailboxId) -> Held {
        let key = (account.clone(), mailbox);
        let mut all = self.0.lock();
        let open = all
            .open
            .entry(key.clone())
            .or_insert_with(|| Arc::new(Open::new(key, Arc::downgrade(&self.0))));
        // Counted under the lock: a mailbox that is given out is never taken for unused.
        open.users.fetch_add(1, Ordering::AcqRel);
        Held(open.clone())
    }
}

/// A mailbox in use.
pub(crate) struct Held(Arc<Open>);

impl Deref for Held {
    type Target = Open;

    fn deref(&self) -> &Open {
        &self.0
    }
}

impl Clone for Held {
    fn clone(&self) -> Self {
        self.0.users.fetch_add(1, Ordering::AcqRel);
        Self(self.0.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.0.users.fetch_sub(1, Ordering::AcqRel) == 1
            && let Some(hub) = self.0.hub.upgrade()
        {
            hub.lock().closed(&self.0);
        }
    }
}

impl Watcher for Hub {
    fn mailbox(&self, account: &Account, mailbox: MailboxId, changes: Option<Changes>) {
        let Some(open) = self.find(account, mailbox) else {
            return;
        };
        match changes {
            None => open.look_again(),
            Some(changes) if changes.deleted => open.delete(),
            Some(changes) => {
                open.pushes.store(true, Ordering::Release);
                open.take_up(changes);
            }
        }
    }
}

impl Mailboxes {
    fn forget(&mut self, open: &Open) {
        if self
            .open
            .get(&open.key)
            .is_some_and(|o| std::ptr::eq(Arc::as_ptr(o), open))
        {
            self.open.remove(&open.key);
        }
    }

    /// Nobody uses a mailbox any more: it stays listed while there is room.
    fn closed(&mut self, open: &Open) {
        if open.is_deleted() {
            return self.forget(open);
        }
        if let Some(at) = self.closed.iter().position(|(key, _)| *key == open.key)
            && let Some((_, messages)) = self.closed.remove(at)
        {
            self.kept_messages = self.kept_messages.saturating_sub(messages);
        }
        let messages = u64::from(open.current().len());
        self.closed.push_back((open.key.clone(), messages));
        self.kept_messages += messages;
        while self.kept_messages > KEEP_MESSAGES || self.closed.len() > KEEP_MAILBOXES {
            let Some((key, messages)) = self.closed.pop_front() else {
                return;
            };
            self.kept_messages = self.kept_messages.saturating_sub(messages);
            // One that is in use again comes back here when it is closed.
            if self
                .open
                .get(&key)
                .is_some_and(|o| o.users.load(Ordering::Acquire) == 0)
            {
                self.open.remove(&key);
            }
        }
    }
}

/// A mailbox that some session has open, or had open lately.
pub(crate) struct Open {
    key: Key,
    hub: Weak<Mutex<Mailboxes>>,
    /// Held while the store is asked for the list or, where it keeps no mod-sequences, while it is written to.
    pub(crate) sync: tokio::sync::Mutex<()>,
    /// Held while messages are copied and then removed, for a store that cannot move them: nobody else has them meanwhile.
    pub(crate) moving: tokio::sync::Mutex<()>,
    /// Replaced under a lock that is held for the exchange of a pointer alone.
    current: RwLock<Arc<Snapshot>>,
    /// Held while the next snapshot is made.
    publishing: Mutex<()>,
    loaded: AtomicBool,
    deleted: AtomicBool,
    /// How often somebody said that the store must be asked, and up to where that was done.
    asked: AtomicU64,
    answered: AtomicU64,
    wake: Wake,
    /// How many [`Held`] there are.
    users: AtomicU32,
    /// Whether the store tells its changes itself, as it should when it keeps mod-sequences.
    pushes: AtomicBool,
    recent_from: Mutex<Option<Uid>>,
    graves: Mutex<Graves>,
}

/// Messages that were removed while sessions may still number them.
#[derive(Default)]
struct Graves {
    entries: BTreeMap<Uid, MessageEntry>,
    /// By the generation in which they went, oldest first.
    uids: VecDeque<(u64, UidSet)>,
    /// For each view the generation up to which it was told of expunges.
    told: Vec<Weak<AtomicU64>>,
    /// At how many of `uids` they are gathered.
    crowded: usize,
}

impl Open {
    fn new(key: Key, hub: Weak<Mutex<Mailboxes>>) -> Self {
        Self {
            key,
            hub,
            sync: tokio::sync::Mutex::default(),
            moving: tokio::sync::Mutex::default(),
            current: RwLock::default(),
            publishing: Mutex::default(),
            loaded: AtomicBool::new(false),
            deleted: AtomicBool::new(false),
            asked: AtomicU64::new(1),
            answered: AtomicU64::new(0),
            wake: Wake::default(),
            users: AtomicU32::new(0),
            pushes: AtomicBool::new(false),
            recent_from: Mutex::default(),
            graves: Mutex::default(),
        }
    }

    pub(crate) fn id(&self) -> MailboxId {
        self.key.1
    }

    pub(crate) fn current(&self) -> Arc<Snapshot> {
        self.current.read().clone()
    }

    pub(crate) fn is_loaded(&self) -> bool {
        self.loaded.load(Ordering::Acquire)
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted.load(Ordering::Acquire)
    }

    /// Whether the store has told a change of this mailbox of its own accord.
    pub(crate) fn pushes(&self) -> bool {
        self.pushes.load(Ordering::Acquire)
    }

    /// The store has to be asked before the current snapshot is relied on. Returns a mark for [`Open::answered`].
    pub(crate) fn ask(&self) -> u64 {
        self.asked.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// The mark up to which the store has to be asked, if it has.
    pub(crate) fn must_ask(&self) -> Option<u64> {
        let asked = self.asked.load(Ordering::Acquire);
        (self.answered.load(Ordering::Acquire) < asked).then_some(asked)
    }

    /// What was asked for up to this mark is in the current snapshot.
    pub(crate) fn answered(&self, mark: u64) {
        self.answered.fetch_max(mark, Ordering::AcqRel);
    }

    /// Whether all that was asked for up to this mark is in the current snapshot.
    pub(crate) fn is_answered(&self, mark: u64) -> bool {
        self.answered.load(Ordering::Acquire) >= mark
    }

    pub(crate) fn look_again(&self) {
        self.ask();
        self.wake.wake();
    }

    pub(crate) fn delete(&self) {
        self.deleted.store(true, Ordering::Release);
        if let Some(hub) = self.hub.upgrade() {
            hub.lock().forget(self);
        }
        self.wake.wake();
    }

    pub(crate) async fn until(&self, ready: impl FnMut() -> bool) {
        self.wake.until(ready).await;
    }

    /// The first snapshot.
    pub(crate) fn load(&self, snapshot: Snapshot, first_recent: Option<Uid>) {
        *self.recent_from.lock() = first_recent.or(snapshot.uid_next());
        *self.current.write() = Arc::new(snapshot);
        self.loaded.store(true, Ordering::Release);
    }

    /// Changes of a store with mod-sequences. They are taken up if they follow on what is known; else the store is asked.
    pub(crate) fn take_up(&self, changes: Changes) {
        let taken = self.is_loaded() && {
            let _one_at_a_time = self.publishing.lock();
            let current = self.current();
            match current.highest_mod_seq() {
                known if changes.to <= known => return,
                known if changes.from <= known => {
                    self.publish(&current, &changes.set, &changes.vanished, changes.uid_next, changes.to);
                    true
                }
                _ => false,
            }
        };
        if !taken {
            self.ask();
        }
        self.wake.wake();
    }

    /// Changes of a store without mod-sequences, which are counted here. `self.sync` is held.
    pub(crate) fn count_up(&self, change: impl FnOnce(&Snapshot, ModSeq) -> (Vec<MessageEntry>, UidSet, Option<Uid>)) {
        {
            let _one_at_a_time = self.publishing.lock();
            let current = self.current();
            let mod_seq = current.highest_mod_seq().next();
            let (set, vanished, uid_next) = change(&current, mod_seq);
            if set.is_empty()
                && vanished.is_empty()
                && uid_next.is_none_or(|n| current.uid_next().is_none_or(|known| n <= known))
            {
                return;
            }
            self.publish(&current, &set, &vanished, uid_next, mod_seq);
        }
        self.wake.wake();
    }

    fn publish(
        &self,
        current: &Snapshot,
        set: &[MessageEntry],
        vanished: &UidSet,
        uid_next: Option<Uid>,
        mod_seq: ModSeq,
    ) {
        let newer = Arc::new(current.apply(set, vanished, uid_next, mod_seq));
        if !vanished.is_empty() {
            self.graves.lock().bury(current, &newer, vanished);
        }
        *self.current.write() = newer;
    }

    /// A message that was removed, as it was last.
    pub(crate) fn ghost(&self, uid: Uid) -> Option<MessageEntry> {
        self.graves.lock().entries.get(&uid).cloned()
    }

    /// Gives messages from the first recent one on to one session: the UIDs from the result to `next` are its own.
    pub(crate) fn claim_recent(&self, next: Option<Uid>) -> Option<Uid> {
        let mut from = self.recent_from.lock();
        let first = (*from)?;
        if next.is_some_and(|n| n <= first) {
            return None;
        }
        *from = next;
        Some(first)
    }

    /// From which UID on messages are in no session yet.
    pub(crate) fn recent_from(&self) -> Option<Uid> {
        *self.recent_from.lock()
    }

    /// Another view is on this mailbox; `told` is the generation up to which it was told of expunges.
    pub(crate) fn add_view(&self, told: &Arc<AtomicU64>) {
        let mut graves = self.graves.lock();
        if graves.told.len() == graves.told.capacity() {
            graves.told.retain(|t| t.strong_count() > 0);
        }
        graves.told.push(Arc::downgrade(told));
    }

    /// The messages that no view numbers any more, taken out.
    pub(crate) fn exhume(&self) -> UidSet {
        self.graves.lock().exhume()
    }

    /// Whether removed messages are kept for some view.
    pub(crate) fn has_graves(&self) -> bool {
        !self.graves.lock().uids.is_empty()
    }
}

impl Graves {
    fn bury(&mut self, before: &Snapshot, after: &Snapshot, vanished: &UidSet) {
        let mut gone = UidSet::new();
        let told = self.told();
        for difference in before.diff(after) {
            if let Difference::Vanished { old, .. } = difference {
                gone.insert(old.uid);
                if !told.is_empty() && self.entries.len() < KEEP_GHOSTS {
                    self.entries.insert(old.uid, old.to_entry());
                }
            }
        }
        // A message can come and go between two looks; what is kept of it must go, too.
        if let Some(unseen) = before.uid_next() {
            let unseen = vanished.intersection(&UidSet::run(unseen, Uid::MAX));
            unseen.runs().iter().for_each(|(a, b)| gone.push_run(*a, *b));
        }
        if !gone.is_empty() {
            self.uids.push_back((after.generation(), gone));
        }
        if self.uids.len() > self.crowded {
            self.gather(&told);
            self.crowded = CROWDED.max(self.uids.len() * 2);
        }
    }

    /// For each view the generation up to which it was told, ascending.
    fn told(&mut self) -> Vec<u64> {
        self.told.retain(|t| t.strong_count() > 0);
        let told = self.told.iter().filter_map(Weak::upgrade);
        let mut told: Vec<u64> = told.map(|t| t.load(Ordering::Acquire)).collect();
        told.sort_unstable();
        told
    }

    /// Makes one of those between which no view stands: the number of removals does not count, only what they removed.
    fn gather(&mut self, told: &[u64]) {
        let mut gathered: Vec<(u64, Vec<(Uid, Uid)>)> = Vec::new();
        for (generation, uids) in self.uids.drain(..) {
            match gathered.last_mut() {
                Some((last, runs)) if !told.iter().any(|t| (*last..generation).contains(t)) => {
                    *last = generation;
                    runs.extend_from_slice(uids.runs());
                }
                _ => gathered.push((generation, uids.runs().to_vec())),
            }
        }
        let gathered = gathered.into_iter();
        self.uids = gathered
            .map(|(generation, runs)| (generation, UidSet::from_runs(runs)))
            .collect();
    }

    fn exhume(&mut self) -> UidSet {
        if self.uids.is_empty() {
            return UidSet::new();
        }
        let told = self.told().first().copied().unwrap_or(u64::MAX);
        let mut out = Vec::new();
        while let Some((_, uids)) = self.uids.pop_front_if(|(generation, _)| *generation <= told) {
            for (first, last) in uids.runs() {
                self.entries.extract_if(*first..=*last, |_, _| true).for_each(drop);
            }
            out.extend_from_slice(uids.runs());
        }
        UidSet::from_runs(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account::new("demo")
    }

    fn uid(n: u32) -> Uid {
        Uid::new(n).unwrap()
    }

    fn entry(n: u32, mod_seq: u64) -> MessageEntry {
        MessageEntry::new(uid(n)).with_mod_seq(ModSeq(mod_seq))
    }

    fn loaded(hub: &Hub, id: MailboxId, messages: u32) -> Held {
        let open = hub.open(&account(), id);
        let list = (1..=messages).map(|n| entry(n, 1)).collect();
        open.load(Snapshot::new(list, None, ModSeq(1)), None);
        open.answered(1);
        open
    }

    /// What happened under each mod-sequence: 2 adds UID 4, 3 removes UID 2, 4 sets a flag on 1 and adds 5, 5 removes 5.
    fn changes(from: u64, to: u64) -> Changes {
        let mut changes = Changes::default();
        (changes.from, changes.to) = (ModSeq(from), ModSeq(to));
        let holds = |mod_seq| mod_seq > from && mod_seq <= to;
        if holds(4) {
            changes.set.push(entry(1, 4).with_flags(backend_api::Flags::SEEN));
        }
        if holds(2) {
            changes.set.push(entry(4, 2));
        }
        if holds(4) && to < 5 {
            changes.set.push(entry(5, 4));
        }
        let gone = [(3, 2), (5, 5)].into_iter().filter(|(mod_seq, _)| holds(*mod_seq));
        changes.vanished = gone.map(|(_, n)| uid(n)).collect();
        changes
    }

    fn picture(snapshot: &Snapshot) -> Vec<String> {
        snapshot
            .rows(0)
            .map(|r| format!("{} {} {}", r.uid, r.mod_seq, r.flags))
            .collect()
    }

    /// The mailbox as it is at a mod-sequence.
    fn at(to: u64) -> Vec<String> {
        let all = [
            ("1 1 ()", 1..4),
            ("1 4 (\\Seen)", 4..6),
            ("2 1 ()", 1..3),
            ("3 1 ()", 1..6),
            ("4 2 ()", 2..6),
            ("5 4 ()", 4..5),
        ];
        all.into_iter()
            .filter(|(_, when)| when.contains(&to))
            .map(|(line, _)| line.into())
            .collect()
    }

    fn permutations(n: usize) -> Vec<Vec<usize>> {
        if n == 0 {
            return vec![Vec::new()];
        }
        let shorter = permutations(n - 1);
        let insert = |p: &Vec<usize>, at: usize| {
            let mut p = p.clone();
            p.insert(at, n - 1);
            p
        };
        shorter
            .iter()
            .flat_map(|p| (0..n).map(|at| insert(p, at)).collect::<Vec<_>>())
            .collect()
    }

    #[test]
    fn changes_in_any_order_of_arrival_end_in_the_truth_or_in_asking() {
        // Contiguous, overlapping, and all at once, as a push and an answer may bring them.
        let parts = [(1, 2), (2, 3), (3, 5), (1, 4), (2, 5)];
        for order in permutations(parts.len()) {
            let hub = Hub::new();
            let open = loaded(&hub, 1, 3);
            let mut generation = open.current().generation();
            for i in &order {
                let (from, to) = parts[*i];
                hub.mailbox(&account(), 1, Some(changes(from, to)));
                let now = open.current();
                assert!(now.generation() >= generation);
                generation = now.generation();
                // Whoever reads sees the mailbox of one moment.
                assert_eq!(picture(&now), at(now.highest_mod_seq().get()), "{order:?}");
            }
            if open.current().highest_mod_seq() < ModSeq(5) {
                assert!(open.must_ask().is_some(), "{order:?}");
                open.take_up(changes(open.current().highest_mod_seq().get(), 5));
            }
            assert_eq!(picture(&open.current()), at(5), "{order:?}");
        }
    }

    #[test]
    fn two_publishers_and_readers_on_threads_see_one_mailbox() {
        for _ in 0..200 {
            let hub = Hub::new();
            let open = loaded(&hub, 1, 3);
            let publish = |parts: [(u64, u64); 2]| {
                for (from, to) in parts {
                    hub.mailbox(&account(), 1, Some(changes(from, to)));
                }
            };
            let read = || {
                let mut last = 0;
                for _ in 0..50 {
                    let now = open.current();
                    assert!(now.generation() >= last);
                    last = now.generation();
                    assert_eq!(picture(&now), at(now.highest_mod_seq().get()));
                }
            };
            std::thread::scope(|threads| {
                threads.spawn(|| publish([(1, 2), (3, 4)]));
                threads.spawn(|| publish([(2, 3), (4, 5)]));
                threads.spawn(read);
            });
            assert!(open.current().highest_mod_seq() == ModSeq(5) || open.must_ask().is_some());
        }
    }

    #[test]
    fn changes_that_come_before_the_list_are_asked_for() {
        let hub = Hub::new();
        let open = hub.open(&account(), 1);
        let mark = open.must_ask().unwrap();
        hub.mailbox(&account(), 1, Some(changes(1, 2)));
        open.load(Snapshot::new(vec![entry(1, 1)], None, ModSeq(1)), None);
        open.answered(mark);
        assert!(open.must_ask().is_some());
    }

    fn count(hub: &Hub) -> (usize, usize, u64) {
        let all = hub.0.lock();
        (all.open.len(), all.closed.len(), all.kept_messages)
    }

    #[test]
    fn closed_mailboxes_stay_in_bounds() {
        let hub = Hub::new();
        let kept = loaded(&hub, 1_000_000, 5);
        for id in 0..2_000 {
            drop(loaded(&hub, id, 10));
        }
        assert_eq!(
            count(&hub),
            (KEEP_MAILBOXES + 1, KEEP_MAILBOXES, 10 * KEEP_MAILBOXES as u64)
        );
        assert!(hub.find(&account(), 1_000_000).is_some(), "one in use stays");
        for id in 5_000..5_020 {
            drop(loaded(&hub, id, 100_000));
        }
        assert_eq!(count(&hub), (6, 5, KEEP_MESSAGES));
        drop(kept);
        drop(loaded(&hub, 6_000, 500_001));
        assert_eq!(count(&hub), (0, 0, 0));
    }

    #[test]
    fn one_mailbox_opened_again_and_again_pushes_no_other_out() {
        let hub = Hub::new();
        drop(loaded(&hub, 1, 10));
        for _ in 0..1_000 {
            drop(loaded(&hub, 2, 1_000));
        }
        assert_eq!(count(&hub), (2, 2, 1_010));
        assert!(hub.find(&account(), 1).is_some());
    }

    #[test]
    fn a_mailbox_being_opened_is_never_pushed_out() {
        let hub = Hub::new();
        drop(loaded(&hub, 1, 1));
        let opening = hub.open(&account(), 1);
        for id in 2..1_000 {
            drop(loaded(&hub, id, 1));
        }
        let found = hub.find(&account(), 1).unwrap();
        assert!(std::ptr::eq(Arc::as_ptr(&found), &*opening));
    }

    #[test]
    fn a_deleted_mailbox_is_forgotten_at_once() {
        let hub = Hub::new();
        let open = loaded(&hub, 1, 1);
        let mut changes = Changes::default();
        changes.deleted = true;
        hub.mailbox(&account(), 1, Some(changes));
        assert_eq!((open.is_deleted(), count(&hub).0), (true, 0));
        drop(open);
        assert_eq!(count(&hub), (0, 0, 0));
    }

    #[test]
    fn removals_while_a_view_sleeps_cost_what_they_removed_not_how_many_there_were() {
        let hub = Hub::new();
        let open = loaded(&hub, 1, 20_000);
        let sleeping = Arc::new(AtomicU64::new(open.current().generation()));
        let awake = Arc::new(AtomicU64::new(open.current().generation()));
        open.add_view(&sleeping);
        open.add_view(&awake);
        for n in 1..=10_000 {
            open.count_up(|_, _| (Vec::new(), UidSet::run(uid(n), uid(n)), None));
            awake.store(open.current().generation(), Ordering::Release);
            assert!(open.exhume().is_empty());
        }
        assert!(open.graves.lock().uids.len() <= 2 * CROWDED);
        sleeping.store(open.current().generation(), Ordering::Release);
        assert_eq!(open.exhume(), UidSet::run(uid(1), uid(10_000)));
        let graves = open.graves.lock();
        assert_eq!((graves.entries.len(), graves.uids.len()), (0, 0));
    }

    #[test]
    fn views_that_came_and_went_leave_nothing() {
        let hub = Hub::new();
        let open = loaded(&hub, 1, 1);
        for _ in 0..10_000 {
            open.add_view(&Arc::new(AtomicU64::new(0)));
        }
        assert!(open.graves.lock().told.len() <= 8);
    }
}
