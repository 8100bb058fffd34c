//! The open mailboxes of a process: whom a change wakes, and where the current snapshot of each is.

mod graves;
#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::ops::Deref;
use std::sync::{Arc, Weak};

use backend_api::{Account, Changes, Flags, MailboxId, MessageEntry, ModSeq, Uid, UidSet, Watcher};

use self::graves::Graves;
use crate::listing::Snapshot;
use crate::sync::{AtomicBool, AtomicU32, AtomicU64, Mutex, Ordering, RwLock};
use crate::wake::Wake;

/// Octets of memory that the listings of closed mailboxes may have together unless it is said otherwise.
const KEEP_OCTETS: u64 = 64 * 1024 * 1024;
/// And there are at most as many.
const KEEP_MAILBOXES: usize = 256;

/// Which mailbox: what is cached for an account is for that account alone.
type Key = (Account, MailboxId);

/// The open mailboxes, and a handle to say that something changed. Clones are one hub.
#[derive(Clone, Default)]
pub struct Hub(Arc<Mutex<Mailboxes>>);

struct Mailboxes {
    open: HashMap<Key, Arc<Open>>,
    /// Closed ones that are still listed, with the octets of their listings, oldest first: opening one again is then free.
    closed: VecDeque<(Key, u64)>,
    /// The octets of them all, and the most there may be.
    kept: u64,
    most: u64,
}

impl Default for Mailboxes {
    fn default() -> Self {
        Self {
            open: HashMap::new(),
            closed: VecDeque::new(),
            kept: 0,
            most: KEEP_OCTETS,
        }
    }
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

    /// How many octets of memory the listings of closed mailboxes may have together from now on.
    pub(crate) fn keep(&self, octets: u64) {
        let mut all = self.0.lock();
        all.most = octets;
        all.push_out();
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
            self.uncount(&open.key);
        }
    }

    /// The mailbox is not among the closed ones any more, if it was.
    fn uncount(&mut self, key: &Key) {
        if let Some(at) = self.closed.iter().position(|(closed, _)| closed == key)
            && let Some((_, octets)) = self.closed.remove(at)
        {
            self.kept = self.kept.saturating_sub(octets);
        }
    }

    /// Nobody uses a mailbox any more: it stays listed while there is room.
    fn closed(&mut self, open: &Open) {
        if open.is_deleted() {
            return self.forget(open);
        }
        self.uncount(&open.key);
        let octets = open.current().octets();
        if octets > self.most {
            // All others would have to go for it, and it with them.
            return self.drop_unused(&open.key);
        }
        self.closed.push_back((open.key.clone(), octets));
        self.kept += octets;
        self.push_out();
    }

    fn push_out(&mut self) {
        while self.kept > self.most || self.closed.len() > KEEP_MAILBOXES {
            let Some((key, octets)) = self.closed.pop_front() else {
                return;
            };
            self.kept = self.kept.saturating_sub(octets);
            self.drop_unused(&key);
        }
    }

    /// One that is in use again comes back when it is closed.
    fn drop_unused(&mut self, key: &Key) {
        if self.open.get(key).is_some_and(|o| o.users.load(Ordering::Acquire) == 0) {
            self.open.remove(key);
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
                known if changes.from <= known => match with_flags(&current, changes.set, changes.flags, changes.to) {
                    Some(set) => {
                        self.publish(&current, &set, &changes.vanished, changes.uid_next, changes.to);
                        true
                    }
                    None => false,
                },
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
        // Held until the snapshot is there: a view that begins meanwhile is counted with the snapshot that it sees.
        let mut graves = self.graves.lock();
        if !vanished.is_empty() {
            graves.bury(current, &newer, vanished);
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

    /// What was claimed up to `next` was not given after all.
    pub(crate) fn unclaim_recent(&self, first: Uid) {
        let mut from = self.recent_from.lock();
        *from = from.map(|f| f.min(first));
    }

    /// From which UID on messages are in no session yet, as far as is known here: no message below is.
    pub(crate) fn recent_from(&self) -> Option<Uid> {
        *self.recent_from.lock()
    }

    /// Another view is on this mailbox: the snapshot that it begins with, and where it says up to which generation it was
    /// told of expunges.
    pub(crate) fn add_view(&self) -> (Arc<Snapshot>, Arc<AtomicU64>) {
        let mut graves = self.graves.lock();
        let now = self.current();
        let told = Arc::new(AtomicU64::new(now.generation()));
        if graves.told.len() == graves.told.capacity() {
            graves.told.retain(|t| t.strong_count() > 0);
        }
        graves.told.push(Arc::downgrade(&told));
        (now, told)
    }

    /// The messages that no view numbers any more, taken out.
    pub(crate) fn exhume(&self) -> UidSet {
        self.graves.lock().exhume()
    }

    /// Every view was told of each removal up to this mod-sequence.
    pub(crate) fn told_up_to(&self) -> ModSeq {
        let now = self.current().highest_mod_seq();
        let graves = self.graves.lock();
        if graves.uids.is_empty() { now } else { graves.up_to }
    }

    /// Whether removed messages are kept for some view.
    pub(crate) fn has_graves(&self) -> bool {
        !self.graves.lock().uids.is_empty()
    }
}

/// Changes of flags as entries, with what is known of the messages, among the others; `None` if one is not known.
fn with_flags(
    current: &Snapshot,
    mut set: Vec<MessageEntry>,
    flags: Vec<(Uid, Flags)>,
    mod_seq: ModSeq,
) -> Option<Vec<MessageEntry>> {
    if flags.is_empty() {
        return Some(set);
    }
    let mut cursor = current.seek();
    let alone = set.is_empty();
    set.reserve(flags.len());
    for (uid, flags) in flags {
        let row = cursor.seek(uid)?;
        set.push(row.to_entry().with_flags(flags).with_mod_seq(mod_seq));
    }
    if !alone {
        set.sort_by_key(|entry| entry.uid);
    }
    Some(set)
}
