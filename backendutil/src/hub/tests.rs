//! The hub by itself: what arrives in any order, what stays listed, what graves cost.

use super::graves::CROWDED;
use super::*;
use crate::sync::alone;

pub(super) fn account() -> Account {
    Account::new("demo")
}

pub(super) fn uid(n: u32) -> Uid {
    Uid::new(n).unwrap()
}

pub(super) fn entry(n: u32, mod_seq: u64) -> MessageEntry {
    MessageEntry::new(uid(n)).with_mod_seq(ModSeq(mod_seq))
}

pub(super) fn loaded(hub: &Hub, id: MailboxId, messages: u32) -> Held {
    let open = hub.open(&account(), id);
    let list = (1..=messages).map(|n| entry(n, 1)).collect();
    open.load(Snapshot::new(list, None, ModSeq(1)), None);
    open.answered(1);
    open
}

/// What happened under each mod-sequence: 2 adds UID 4, 3 removes UID 2, 4 sets a flag on 1 and adds 5, 5 removes 5.
pub(super) fn changes(from: u64, to: u64) -> Changes {
    let mut changes = Changes::default();
    (changes.from, changes.to) = (ModSeq(from), ModSeq(to));
    let holds = |mod_seq| mod_seq > from && mod_seq <= to;
    if to == 4 && holds(4) {
        changes.flags.push((uid(1), Flags::SEEN));
    } else if holds(4) {
        changes.set.push(entry(1, 4).with_flags(Flags::SEEN));
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

pub(super) fn picture(snapshot: &Snapshot) -> Vec<String> {
    snapshot
        .rows(0)
        .map(|r| format!("{} {} {}", r.uid, r.mod_seq, r.flags))
        .collect()
}

/// The mailbox as it is at a mod-sequence.
pub(super) fn at(to: u64) -> Vec<String> {
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
    alone(|| {
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
    });
}

#[test]
fn changes_that_come_before_the_list_are_asked_for() {
    alone(|| {
        let hub = Hub::new();
        let open = hub.open(&account(), 1);
        let mark = open.must_ask().unwrap();
        hub.mailbox(&account(), 1, Some(changes(1, 2)));
        open.load(Snapshot::new(vec![entry(1, 1)], None, ModSeq(1)), None);
        open.answered(mark);
        assert!(open.must_ask().is_some());
    });
}

/// How many mailboxes there are, how many of them are closed, and the octets that are counted for these.
fn count(hub: &Hub) -> (usize, usize, u64) {
    let all = hub.0.lock();
    (all.open.len(), all.closed.len(), all.kept)
}

/// The octets of a listing of so many messages.
fn octets(messages: u32) -> u64 {
    loaded(&Hub::new(), 1, messages).current().octets()
}

#[test]
fn closed_mailboxes_stay_in_bounds() {
    alone(|| {
        let hub = Hub::new();
        let kept = loaded(&hub, 1_000_000, 5);
        for id in 0..2_000 {
            drop(loaded(&hub, id, 10));
        }
        assert_eq!(
            count(&hub),
            (KEEP_MAILBOXES + 1, KEEP_MAILBOXES, octets(10) * KEEP_MAILBOXES as u64)
        );
        assert!(hub.find(&account(), 1_000_000).is_some(), "one in use stays");
        let large = octets(100_000);
        hub.keep(5 * large);
        for id in 5_000..5_020 {
            drop(loaded(&hub, id, 100_000));
        }
        assert_eq!(count(&hub), (6, 5, 5 * large));
        drop(kept);
        assert_eq!(count(&hub), (5, 5, 4 * large + octets(5)), "the oldest made room");
        hub.keep(0);
        assert_eq!(count(&hub), (0, 0, 0));
    });
}

#[test]
fn one_that_is_too_large_is_not_kept_and_pushes_no_other_out() {
    alone(|| {
        let hub = Hub::new();
        hub.keep(octets(2_000));
        drop(loaded(&hub, 1, 10));
        drop(loaded(&hub, 2, 2_001));
        assert_eq!(count(&hub), (1, 1, octets(10)));
        assert!(hub.find(&account(), 1).is_some());
        drop(loaded(&hub, 3, 2_000));
        assert_eq!(count(&hub), (1, 1, octets(2_000)));
    });
}

#[test]
fn one_mailbox_opened_again_and_again_pushes_no_other_out() {
    alone(|| {
        let hub = Hub::new();
        drop(loaded(&hub, 1, 10));
        for _ in 0..1_000 {
            drop(loaded(&hub, 2, 1_000));
        }
        assert_eq!(count(&hub), (2, 2, octets(10) + octets(1_000)));
        assert!(hub.find(&account(), 1).is_some());
    });
}

#[test]
fn a_mailbox_being_opened_is_never_pushed_out() {
    alone(|| {
        let hub = Hub::new();
        drop(loaded(&hub, 1, 1));
        let opening = hub.open(&account(), 1);
        for id in 2..1_000 {
            drop(loaded(&hub, id, 1));
        }
        let found = hub.find(&account(), 1).unwrap();
        assert!(std::ptr::eq(Arc::as_ptr(&found), &*opening));
    });
}

#[test]
fn a_deleted_mailbox_is_forgotten_at_once() {
    alone(|| {
        let hub = Hub::new();
        let open = loaded(&hub, 1, 1);
        let mut changes = Changes::default();
        changes.deleted = true;
        hub.mailbox(&account(), 1, Some(changes));
        assert_eq!((open.is_deleted(), count(&hub).0), (true, 0));
        drop(open);
        assert_eq!(count(&hub), (0, 0, 0));
    });
}

#[test]
fn removals_while_a_view_sleeps_cost_what_they_removed_not_how_many_there_were() {
    alone(|| {
        let hub = Hub::new();
        let open = loaded(&hub, 1, 4_000);
        let (_, sleeping) = open.add_view();
        let (_, awake) = open.add_view();
        for n in 1..=2_000 {
            open.count_up(|_, _| (Vec::new(), UidSet::run(uid(n), uid(n)), None));
            awake.store(open.current().generation(), Ordering::Release);
            assert!(open.exhume().is_empty());
        }
        assert!(open.graves.lock().uids.len() <= 2 * CROWDED);
        sleeping.store(open.current().generation(), Ordering::Release);
        assert_eq!(open.exhume(), UidSet::run(uid(1), uid(2_000)));
        let graves = open.graves.lock();
        assert_eq!((graves.entries.len(), graves.uids.len()), (0, 0));
    });
}

#[test]
fn views_that_came_and_went_leave_nothing() {
    alone(|| {
        let hub = Hub::new();
        let open = loaded(&hub, 1, 1);
        for _ in 0..10_000 {
            drop(open.add_view());
        }
        assert!(open.graves.lock().told.len() <= 8);
    });
}
