//! Every order of steps between sessions, writers and a mailbox: the hub's own code over a scheduler that chooses which
//! thread takes the next step.

use std::sync::Arc;

use backend_api::{Changes, ModSeq, UidSet, Watcher};
use shuttle::{future::block_on, thread};

use super::tests::{account, at, changes, entry, loaded, picture, uid};
use super::*;
use crate::sync::schedule;

/// Orders tried in each test.
const ORDERS: usize = 2_000;

/// A change of a store with mod-sequences, as it is told by whoever made it.
fn push(hub: &Hub, from: u64, to: u64) {
    hub.mailbox(&account(), 1, Some(changes(from, to)));
}

/// A waiter that is not woken never ends, which the scheduler finds.
#[test]
fn no_wake_up_is_lost_between_a_look_and_the_wait() {
    schedule(ORDERS, || {
        let hub = Hub::new();
        let open = loaded(&hub, 1, 3);
        let waiter = |ready: fn(&Open) -> bool| {
            let open = open.clone();
            thread::spawn(move || block_on(open.until(|| ready(&open))))
        };
        let waiters = [
            waiter(|open| open.current().generation() == 3),
            waiter(|open| open.must_ask().is_some()),
            waiter(Open::is_deleted),
        ];
        push(&hub, 1, 2);
        push(&hub, 2, 3);
        hub.changed(&account(), 1);
        let mut gone = Changes::default();
        gone.deleted = true;
        hub.mailbox(&account(), 1, Some(gone));
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
    });
}

#[test]
fn a_wait_that_is_dropped_takes_no_wake_up_from_another() {
    schedule(ORDERS, || {
        let hub = Hub::new();
        let open = loaded(&hub, 1, 3);
        let dropped = thread::spawn({
            let open = open.clone();
            move || {
                let mut waiting = Box::pin(open.until(|| open.current().generation() == 2));
                block_on(std::future::poll_fn(|cx| {
                    let _ = waiting.as_mut().poll(cx);
                    std::task::Poll::Ready(())
                }));
            }
        });
        let waits = thread::spawn({
            let open = open.clone();
            move || block_on(open.until(|| open.current().generation() == 2))
        });
        push(&hub, 1, 2);
        dropped.join().unwrap();
        waits.join().unwrap();
    });
}

/// The writers' changes overlap and follow on each other in every order; readers look at any time.
#[test]
fn whoever_reads_sees_the_mailbox_of_one_moment_and_writers_publish_in_order() {
    schedule(ORDERS, || {
        let hub = Hub::new();
        let open = loaded(&hub, 1, 3);
        let writer = |parts: [(u64, u64); 2]| {
            let hub = hub.clone();
            thread::spawn(move || parts.into_iter().for_each(|(from, to)| push(&hub, from, to)))
        };
        let writers = [writer([(1, 2), (2, 4)]), writer([(1, 3), (3, 5)])];
        let mut last = (0, ModSeq::ZERO);
        for _ in 0..4 {
            let now = open.current();
            let mark = (now.generation(), now.highest_mod_seq());
            assert!(mark == last || (mark.0 > last.0 && mark.1 > last.1));
            assert_eq!(picture(&now), at(now.highest_mod_seq().get()));
            last = mark;
        }
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        let now = open.current();
        assert_eq!(picture(&now), at(now.highest_mod_seq().get()));
        assert!(now.highest_mod_seq() == ModSeq(5) || open.must_ask().is_some());
    });
}

/// Without mod-sequences of the store's own every change is counted here: none may be lost.
#[test]
fn changes_that_are_counted_here_each_have_a_number_of_their_own() {
    schedule(ORDERS, || {
        let hub = Hub::new();
        let open = loaded(&hub, 1, 4);
        let remover = |n: u32| {
            let open = open.clone();
            thread::spawn(move || open.count_up(|_, _| (Vec::new(), UidSet::run(uid(n), uid(n)), None)))
        };
        let removers = [remover(1), remover(2), remover(3)];
        removers.into_iter().for_each(|remover| remover.join().unwrap());
        let now = open.current();
        assert_eq!((now.generation(), now.highest_mod_seq()), (4, ModSeq(4)));
        assert_eq!(picture(&now), ["4 1 ()"]);
    });
}

/// The first list arrives while changes do.
#[test]
fn a_mailbox_being_loaded_is_whole_or_not_there_and_what_came_meanwhile_is_asked_for() {
    schedule(ORDERS, || {
        let hub = Hub::new();
        let open = hub.open(&account(), 1);
        let mark = open.must_ask().unwrap();
        let writer = thread::spawn({
            let hub = hub.clone();
            move || push(&hub, 1, 2)
        });
        let reader = thread::spawn({
            let open = open.clone();
            move || {
                if open.is_loaded() {
                    let now = open.current();
                    assert!(now.highest_mod_seq() >= ModSeq(1));
                    assert_eq!(picture(&now), at(now.highest_mod_seq().get()));
                }
            }
        });
        open.load(
            Snapshot::new((1..=3).map(|n| entry(n, 1)).collect(), None, ModSeq(1)),
            None,
        );
        open.answered(mark);
        writer.join().unwrap();
        reader.join().unwrap();
        assert!(picture(&open.current()) == at(2) || open.must_ask().is_some());
    });
}

/// A session's view of the mailbox, without what it tells of it.
struct View {
    open: Held,
    told: Arc<Snapshot>,
    expunges_told: Arc<AtomicU64>,
}

impl View {
    fn new(open: &Held) -> Self {
        let (told, expunges_told) = open.add_view();
        Self {
            open: open.clone(),
            told,
            expunges_told,
        }
    }

    /// Every message that it numbers is there or in its grave, and its body was not given away.
    fn check(&self, reclaimed: &Mutex<UidSet>) {
        let now = self.open.current();
        for row in self.told.rows(0) {
            let kept = now.get(row.uid).is_some() || self.open.ghost(row.uid).is_some();
            assert!(kept, "the ghost of {} is not there", row.uid);
            assert!(!reclaimed.lock().contains(row.uid), "{} is still numbered", row.uid);
        }
    }

    fn is_told(&mut self) {
        self.told = self.open.current();
        self.expunges_told.store(self.told.generation(), Ordering::Release);
    }
}

/// What a session does when it was told of expunges, and when it goes.
fn reclaim(open: &Open, reclaimed: &Mutex<UidSet>) {
    let mut gone = reclaimed.lock();
    let more = open.exhume();
    more.iter().for_each(|uid| gone.insert(uid));
}

/// One view is there from the start, one comes and goes; messages are removed meanwhile.
#[test]
fn graves_are_kept_while_a_view_needs_them_and_none_is_left_when_no_view_does() {
    schedule(2 * ORDERS, || {
        let hub = Hub::new();
        let open = loaded(&hub, 1, 4);
        let reclaimed = Arc::new(Mutex::default());
        let session = |polls: usize| {
            let (open, reclaimed) = (open.clone(), reclaimed.clone());
            thread::spawn(move || {
                let mut view = View::new(&open);
                view.check(&reclaimed);
                for _ in 0..polls {
                    view.is_told();
                    reclaim(&open, &reclaimed);
                    view.check(&reclaimed);
                }
                drop(view);
                reclaim(&open, &reclaimed);
            })
        };
        let sessions = [session(0), session(1)];
        for n in [2, 3] {
            open.count_up(|_, _| (Vec::new(), UidSet::run(uid(n), uid(n)), None));
        }
        sessions.into_iter().for_each(|session| session.join().unwrap());
        reclaim(&open, &reclaimed);
        assert_eq!(*reclaimed.lock(), UidSet::run(uid(2), uid(3)));
        let graves = open.graves.lock();
        assert_eq!((graves.entries.len(), graves.uids.len()), (0, 0));
        assert!(graves.told.iter().all(|told| told.strong_count() == 0));
    });
}

/// Opened and closed by several at once.
#[test]
fn closed_mailboxes_are_counted_once() {
    schedule(ORDERS, || {
        let hub = Hub::new();
        let sessions = [1, 1, 2].map(|id| {
            let hub = hub.clone();
            thread::spawn(move || drop(loaded(&hub, id, 1)))
        });
        sessions.into_iter().for_each(|session| session.join().unwrap());
        let all = hub.0.lock();
        let octets: u64 = all.open.values().map(|open| open.current().octets()).sum();
        assert_eq!((all.open.len(), all.closed.len(), all.kept), (2, 2, octets));
        assert!(all.open.values().all(|open| open.users.load(Ordering::Acquire) == 0));
    });
}

/// There is no room for closed mailboxes, so that every one that is closed is pushed out.
#[test]
fn a_mailbox_in_use_is_the_one_that_everybody_finds() {
    schedule(ORDERS, || {
        let hub = Hub::new();
        hub.keep(0);
        let sessions = [1, 1, 2].map(|id| {
            let hub = hub.clone();
            thread::spawn(move || {
                let open = loaded(&hub, id, 1);
                let found = hub.find(&account(), id).unwrap();
                assert!(std::ptr::eq(Arc::as_ptr(&found), &*open));
            })
        });
        sessions.into_iter().for_each(|session| session.join().unwrap());
    });
}

#[test]
fn a_mailbox_deleted_while_it_is_opened_and_closed_is_forgotten() {
    schedule(ORDERS, || {
        let hub = Hub::new();
        let open = loaded(&hub, 1, 1);
        let closing = thread::spawn(move || drop(open));
        let opening = thread::spawn({
            let hub = hub.clone();
            move || hub.find(&account(), 1).is_some_and(|open| open.is_deleted())
        });
        let mut gone = Changes::default();
        gone.deleted = true;
        hub.mailbox(&account(), 1, Some(gone));
        closing.join().unwrap();
        opening.join().unwrap();
        let all = hub.0.lock();
        assert_eq!((all.open.len(), all.closed.len(), all.kept), (0, 0, 0));
    });
}
