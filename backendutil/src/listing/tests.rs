//! How a listing is cut into chunks, and which of them snapshots share.

use super::chunk::MERGE;
use super::*;

fn uid(n: u32) -> Uid {
    Uid::new(n).unwrap()
}

fn entry(n: u32, mod_seq: u64) -> MessageEntry {
    MessageEntry::new(uid(n)).with_mod_seq(ModSeq(mod_seq))
}

fn of(len: u32) -> Snapshot {
    Snapshot::new((1..=len).map(|n| entry(n, 1)).collect(), None, ModSeq(1))
}

/// None is empty or too large, and of any two neighbours one could not have taken in the other.
fn assert_well_cut(snapshot: &Snapshot) {
    let lens: Vec<usize> = snapshot.chunks.iter().map(|c| c.len()).collect();
    assert!(lens.iter().all(|len| (1..=CHUNK).contains(len)), "{lens:?}");
    assert!(lens.windows(2).all(|two| two[0] + two[1] > MERGE), "{lens:?}");
    assert!(lens.len() <= 2 * snapshot.len() as usize / MERGE + 1, "{lens:?}");
    assert_eq!(lens.iter().sum::<usize>(), snapshot.len() as usize);
}

#[test]
fn a_hundred_thousand_removals_and_insertions_leave_no_heap_of_tiny_chunks() {
    let (mut snapshot, mut next, mut state) = (of(10_000), 10_001, 1_u64);
    for round in 0..1_000_u64 {
        // In turn more goes than comes, and more comes than goes.
        let removals = if (round / 100) % 2 == 0 { 90 } else { 10 };
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            u32::try_from(state >> 33).unwrap() % snapshot.len()
        };
        let gone: UidSet = (0..removals).map(|_| snapshot.uid_at(random()).unwrap()).collect();
        let new: Vec<_> = (next..next + 100 - removals).map(|n| entry(n, 1)).collect();
        next += 100 - removals;
        snapshot = snapshot.apply(&new, &gone, None, ModSeq(round + 2));
        assert_well_cut(&snapshot);
    }
}

#[test]
fn chunks_that_shrink_from_the_last_to_the_first_become_few() {
    let mut snapshot = of(100 * 1024);
    for chunk in (0..100).rev() {
        let first = chunk * 1024;
        snapshot = snapshot.apply(&[], &UidSet::run(uid(first + 2), uid(first + 1024)), None, ModSeq(2));
        assert_well_cut(&snapshot);
    }
    assert_eq!((snapshot.len(), snapshot.chunks.len()), (100, 1));
}

#[test]
fn small_chunks_become_one_when_the_large_one_between_them_goes() {
    let every_other = (0..50).map(|i| (uid(i * 2048 + 2), uid(i * 2048 + 1024)));
    let small = of(100 * 1024).apply(&[], &UidSet::from_runs(every_other), None, ModSeq(2));
    let large = (0..50).map(|i| (uid(i * 2048 + 1025), uid(i * 2048 + 2048)));
    let few = small.apply(&[], &UidSet::from_runs(large), None, ModSeq(3));
    assert_well_cut(&few);
    assert_eq!((few.len(), few.chunks.len()), (50, 1));
}

#[test]
fn what_did_not_change_is_shared() {
    let old = of(10 * 1024);
    let new = old.apply(&[entry(5_000, 2), entry(10_241, 2)], &UidSet::new(), None, ModSeq(2));
    let shared = old
        .chunks
        .iter()
        .filter(|c| new.chunks.iter().any(|n| Arc::ptr_eq(c, n)))
        .count();
    assert_eq!((shared, new.chunks.len()), (9, 11));
    let flagged = |s: &Snapshot| s.chunks.get(4).unwrap().fixed.clone();
    assert!(
        Arc::ptr_eq(&flagged(&old), &flagged(&new)),
        "what never changes is not copied"
    );
}

#[test]
fn flags_that_no_message_has_any_more_do_not_pile_up() {
    let mut snapshot = of(100);
    for i in 0..1_000 {
        let flags = Flags::NONE.with_keyword(&format!("k{i}"));
        snapshot = snapshot.apply(
            &[entry(1, i + 2).with_flags(flags)],
            &UidSet::new(),
            None,
            ModSeq(i + 2),
        );
    }
    assert_eq!(snapshot.chunks.first().unwrap().flags.len(), 2);
}
