//! Snapshots of a listing against a plain map of the same messages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use backend_api::{DateTime, Flags, MessageEntry, ModSeq, SystemFlag, Uid, UidSet};
use backendutil::listing::{Difference, Row, Snapshot};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// UID to what is known of the message.
type Model = BTreeMap<u32, MessageEntry>;

/// One change of a mailbox, in permille of its messages.
#[derive(Debug, Clone)]
struct Step {
    append: usize,
    gap: u32,
    /// From where, how many, and each how manieth.
    flag: (usize, usize, usize),
    flags: u8,
    remove: (usize, usize, usize),
    /// Flags older than those that are known.
    stale: bool,
    /// A message whose UID is not above all others.
    late: bool,
}

fn part() -> impl Strategy<Value = (usize, usize, usize)> {
    (
        0..1000_usize,
        prop_oneof![Just(0), 0..50_usize, 0..1000_usize],
        1..40_usize,
    )
}

fn step() -> impl Strategy<Value = Step> {
    let append = prop_oneof![3 => Just(0), 3 => 1..5_usize, 2 => 0..1500_usize];
    let remove = prop_oneof![3 => Just((0, 0, 1)), 3 => part(), 2 => (0..500_usize, 0..900_usize, 1..2_usize)];
    (
        append,
        1..4_u32,
        part(),
        0..32_u8,
        remove,
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(append, gap, flag, flags, remove, stale, late)| Step {
            append,
            gap,
            flag,
            flags,
            remove,
            stale,
            late,
        })
}

fn uid(n: u32) -> Uid {
    Uid::new(n).unwrap()
}

fn entry(n: u32, flags: u8, mod_seq: u64) -> MessageEntry {
    let entry = MessageEntry::new(uid(n))
        .with_flags(flags_of(n, flags))
        .with_date(DateTime::new(i64::from(n), 60))
        .with_mod_seq(ModSeq(mod_seq));
    if n.is_multiple_of(97) {
        entry
    } else {
        entry.with_size(u64::from(n) * 3)
    }
}

/// Some have keywords, some of them so many different ones that a chunk's table is long.
fn flags_of(n: u32, flags: u8) -> Flags {
    let plain = Flags::from_parts(flags, []);
    match n % 11 {
        0 => plain.with_keyword("$Forwarded"),
        1 if flags & 16 != 0 => plain.with_keyword(&format!("k{}", n % 300)),
        _ => plain,
    }
}

fn select(model: &Model, (from, span, every): (usize, usize, usize)) -> Vec<u32> {
    let (from, span) = (model.len() * from / 1000, model.len() * span / 1000);
    model.keys().copied().skip(from).take(span).step_by(every).collect()
}

/// What a step sets and removes.
fn change(model: &Model, step: &Step, mod_seq: u64, next: &mut u32) -> (Vec<MessageEntry>, UidSet) {
    let mut set = BTreeMap::new();
    for n in select(model, step.flag) {
        let stale = ModSeq(model[&n].mod_seq.get().saturating_sub(1));
        let changed = entry(n, step.flags, mod_seq);
        set.insert(
            n,
            if step.stale {
                changed.with_mod_seq(stale)
            } else {
                changed
            },
        );
    }
    for _ in 0..step.append {
        set.insert(*next, entry(*next, step.flags, mod_seq));
        *next += step.gap;
    }
    if step.late
        && let Some(free) = (1..*next).find(|n| !model.contains_key(n))
    {
        set.insert(free, entry(free, step.flags, mod_seq));
    }
    let vanished = select(model, step.remove).into_iter().map(uid).collect();
    (set.into_values().collect(), vanished)
}

fn apply(model: &Model, set: &[MessageEntry], vanished: &UidSet) -> Model {
    let mut model = model.clone();
    for e in set {
        let n = e.uid.get();
        match model.get_mut(&n) {
            Some(known) if known.mod_seq <= e.mod_seq => {
                known.flags = e.flags.clone();
                known.mod_seq = e.mod_seq;
            }
            Some(_) => {}
            None => drop(model.insert(n, e.clone())),
        }
    }
    model.retain(|n, _| !vanished.contains(uid(*n)));
    model
}

fn entries(rows: impl Iterator<Item = impl std::borrow::Borrow<MessageEntry>>) -> Vec<MessageEntry> {
    rows.map(|e| e.borrow().clone()).collect()
}

fn assert_same(snapshot: &Snapshot, model: &Model) {
    assert_eq!(entries(snapshot.rows(0).map(|r| r.to_entry())), entries(model.values()));
    let has = |f| model.values().filter(|e| e.flags.has(f)).count() as u32;
    assert_eq!(snapshot.len() as usize, model.len());
    assert_eq!(snapshot.is_empty(), model.is_empty());
    assert_eq!(snapshot.unseen(), model.len() as u32 - has(SystemFlag::Seen));
    assert_eq!(snapshot.deleted(), has(SystemFlag::Deleted));
    let first = model.values().position(|e| !e.flags.has(SystemFlag::Seen));
    assert_eq!(snapshot.first_unseen(), first.map(|i| i as u32));
    assert_eq!(snapshot.size(), model.values().map(|e| e.size).sum());
    for flag in SystemFlag::ALL {
        let having = |e: &&MessageEntry| e.flags.has(flag);
        let found = snapshot.uids_where(|flags| flags.has(flag));
        assert!(model.values().filter(having).all(|e| found.contains(e.uid)));
        let run = |(first, last): &(Uid, Uid)| model.range(first.get()..=last.get()).any(|(_, e)| having(&e));
        assert!(found.runs().iter().all(run), "none of {found} is there in vain");
    }
}

/// Look-ups by index and by UID, at chosen places and at both ends.
fn assert_look_ups(snapshot: &Snapshot, model: &Model, places: &[u32]) {
    let uids: Vec<u32> = model.keys().copied().collect();
    let top = uids.last().copied().unwrap_or(0);
    let len = uids.len() as u32;
    for i in places
        .iter()
        .map(|p| p % (len + 2))
        .chain([0, len.saturating_sub(1), len, u32::MAX])
    {
        let expected = uids.get(i as usize).copied();
        assert_eq!(snapshot.uid_at(i).map(Uid::get), expected);
        assert_eq!(
            snapshot.row(i).map(|r| r.to_entry()),
            expected.map(|n| model[&n].clone())
        );
        let rest: Vec<u32> = snapshot.rows(i).take(3).map(|r| r.uid.get()).collect();
        assert_eq!(rest, uids.iter().copied().skip(i as usize).take(3).collect::<Vec<_>>());
        let rest: Vec<u32> = snapshot.uids(i).map(Uid::get).collect();
        assert_eq!(rest, uids.get(i as usize..).unwrap_or_default());
    }
    let asked = places
        .iter()
        .map(|p| p % (top + 3) + 1)
        .chain([1, top.max(1), u32::MAX]);
    let mut asked: Vec<u32> = asked.collect();
    for n in &asked {
        let below = uids.partition_point(|u| u <= n);
        assert_eq!(snapshot.rank(uid(*n)) as usize, below);
        assert_eq!(snapshot.index_of(uid(*n)), uids.binary_search(n).ok().map(|i| i as u32));
        assert_eq!(
            snapshot.get(uid(*n)).map(|r: Row<'_>| r.to_entry()),
            model.get(n).cloned()
        );
    }
    asked.sort_unstable();
    let mut seek = snapshot.seek();
    for n in &asked {
        assert_eq!(
            seek.seek(uid(*n)).map(|r| r.to_entry()),
            model.get(n).cloned(),
            "seek {n}"
        );
    }
    let mut all = snapshot.seek();
    assert!(uids.iter().all(|n| all.seek(uid(*n)).is_some()));
}

/// The older model, after what `diff` says.
fn follow(older: &Model, a: &Snapshot, b: &Snapshot) -> Model {
    let mut model = older.clone();
    let mut last = 0;
    for difference in a.diff(b) {
        let n = match difference {
            Difference::Changed { old, new } => {
                assert_eq!(old.uid, new.uid);
                assert_eq!(model.insert(new.uid.get(), new.to_entry()), Some(old.to_entry()));
                new.uid
            }
            Difference::Vanished { old, index } => {
                assert_eq!(a.uid_at(index), Some(old.uid));
                assert_eq!(model.remove(&old.uid.get()), Some(old.to_entry()));
                old.uid
            }
            Difference::Added { new } => {
                assert_eq!(model.insert(new.uid.get(), new.to_entry()), None);
                new.uid
            }
        };
        assert!(n.get() > last, "ascending");
        last = n.get();
    }
    model
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 24,
        rng_seed: RngSeed::Fixed(7),
        failure_persistence: None,
        max_shrink_iters: 300,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_history_of_snapshots_is_that_of_a_plain_map(
        first in 0..5000_usize,
        steps in prop::collection::vec(step(), 1..12),
        places in prop::collection::vec(any::<u32>(), 20),
    ) {
        let (mut next, mut model) = (1, Model::new());
        for _ in 0..first {
            model.insert(next, entry(next, (next % 32) as u8, 1));
            next += 1 + next % 2;
        }
        let mut shuffled = entries(model.values());
        shuffled.reverse();
        let mut snapshot = Snapshot::new(shuffled, Uid::new(next), ModSeq(1));
        let mut history = Vec::new();
        assert_same(&snapshot, &model);
        for (i, step) in steps.iter().enumerate() {
            let mod_seq = i as u64 + 2;
            let (set, vanished) = change(&model, step, mod_seq, &mut next);
            let newer = snapshot.apply(&set, &vanished, Uid::new(next), ModSeq(mod_seq));
            prop_assert_eq!(newer.generation(), snapshot.generation() + 1);
            prop_assert_eq!(newer.uid_next(), Uid::new(next));
            prop_assert_eq!(newer.highest_mod_seq(), ModSeq(mod_seq));
            let newer_model = apply(&model, &set, &vanished);
            assert_same(&newer, &newer_model);
            assert_look_ups(&newer, &newer_model, &places);
            history.push((snapshot, model));
            (snapshot, model) = (newer, newer_model);
        }
        history.push((snapshot, model));
        for (i, (a, older)) in history.iter().enumerate() {
            for (b, newer) in &history[i..] {
                prop_assert_eq!(&follow(older, a, b), newer);
                prop_assert_eq!(&follow(newer, b, a), older);
            }
        }
    }

    #[test]
    fn comparing_with_a_fresh_list_finds_what_leads_to_it(
        first in 0..4000_usize,
        steps in prop::collection::vec(step(), 2),
    ) {
        let (mut next, mut model) = (1, Model::new());
        for _ in 0..first {
            model.insert(next, entry(next, (next % 32) as u8, 0));
            next += 1;
        }
        let old = Snapshot::new(entries(model.values()), None, ModSeq::ZERO);
        for step in &steps {
            let (set, vanished) = change(&model, step, 0, &mut next);
            model = apply(&model, &set, &vanished);
        }
        let (set, vanished) = old.compare(&entries(model.values()), ModSeq(9));
        prop_assert!(set.iter().all(|e| e.mod_seq == ModSeq(9)));
        let touched: Vec<u32> = set.iter().map(|e| e.uid.get()).collect();
        let differs = |n: &u32| old.get(uid(*n)).is_none_or(|row| *row.flags != model[n].flags);
        prop_assert_eq!(touched, model.keys().copied().filter(differs).collect::<Vec<_>>());
        let newer = old.apply(&set, &vanished, None, ModSeq(9));
        let plain = |e: &MessageEntry| e.clone().with_mod_seq(ModSeq::ZERO);
        prop_assert_eq!(
            newer.rows(0).map(|r| plain(&r.to_entry())).collect::<Vec<_>>(),
            entries(model.values())
        );
        prop_assert_eq!(newer.compare(&entries(model.values()), ModSeq(10)), (Vec::new(), UidSet::new()));
    }
}

#[test]
fn of_two_entries_with_one_uid_the_first_counts() {
    let list = vec![entry(5, 1, 0), entry(2, 0, 0), entry(5, 2, 0)];
    let snapshot = Snapshot::new(list, None, ModSeq::ZERO);
    assert_eq!(
        entries(snapshot.rows(0).map(|r| r.to_entry())),
        [entry(2, 0, 0), entry(5, 1, 0)]
    );
    assert_eq!(snapshot.uid_next(), Uid::new(6));
}

#[test]
fn uid_next_never_falls_and_ends_with_the_last_uid() {
    let empty = Snapshot::new(Vec::new(), None, ModSeq::ZERO);
    assert_eq!(empty.uid_next(), Some(Uid::MIN));
    let ten = empty.apply(&[], &UidSet::new(), Uid::new(10), ModSeq(1));
    assert_eq!(ten.uid_next(), Uid::new(10));
    assert_eq!(
        ten.apply(&[], &UidSet::new(), Uid::new(4), ModSeq(2)).uid_next(),
        Uid::new(10)
    );
    assert_eq!(
        ten.apply(&[entry(30, 0, 2)], &UidSet::new(), None, ModSeq(2))
            .uid_next(),
        Uid::new(31)
    );
    let full = ten.apply(&[entry(u32::MAX, 0, 2)], &UidSet::new(), None, ModSeq(2));
    assert_eq!(full.uid_next(), None);
    assert_eq!(full.apply(&[], &UidSet::new(), Uid::new(4), ModSeq(3)).uid_next(), None);
}

#[test]
fn a_keyword_is_shown_as_it_is_spelled_and_counts_once() {
    let flags = |name| Flags::NONE.with_keyword(name);
    let list = vec![
        MessageEntry::new(uid(1)).with_flags(flags("$Junk")),
        MessageEntry::new(uid(2)).with_flags(flags("$junk")),
    ];
    let snapshot = Snapshot::new(list, None, ModSeq::ZERO);
    let shown: Vec<String> = snapshot.rows(0).map(|r| r.flags.to_string()).collect();
    assert_eq!(shown, ["($Junk)", "($junk)"]);
    assert_eq!(snapshot.keywords().len(), 1);
}
