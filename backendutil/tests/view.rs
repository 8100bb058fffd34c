//! The view of one connection against a plain list of what its client was told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/random.rs"]
mod random;

use std::collections::BTreeMap;
use std::sync::Arc;

use backend_api::{Flags, MessageEntry, ModSeq, NumSet, Rights, Seq, SeqSet, Uid, UidSet};
use backendutil::listing::{Difference, Snapshot};
use backendutil::{Numbered, SeqMapper};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use random::Random;

/// A store, one view of it, and the list that its client keeps.
struct World {
    random: Random,
    now: Arc<Snapshot>,
    next: u32,
    view: SeqMapper,
    /// The client's list: the UID under each number.
    numbered: Vec<u32>,
    /// The flags that the client was told.
    told_flags: BTreeMap<u32, Flags>,
    highest_announced: u32,
}

fn uid(n: u32) -> Uid {
    Uid::new(n).unwrap()
}

fn seq(n: usize) -> Seq {
    Seq::new(n as u32).unwrap()
}

impl World {
    fn new(seed: u64, messages: u32) -> Self {
        let list = (1..=messages).map(|n| MessageEntry::new(uid(n * 2)).with_mod_seq(ModSeq(1)));
        let now = Arc::new(Snapshot::new(list.collect(), None, ModSeq(1)));
        let numbered: Vec<u32> = now.rows(0).map(|r| r.uid.get()).collect();
        Self {
            random: Random(seed),
            next: messages * 2 + 1,
            view: SeqMapper::new(now.clone()),
            told_flags: numbered.iter().map(|n| (*n, Flags::NONE)).collect(),
            highest_announced: numbered.last().copied().unwrap_or(0),
            numbered,
            now,
        }
    }

    fn change(&mut self, set: &[MessageEntry], vanished: &UidSet) {
        let mod_seq = self.now.highest_mod_seq().next();
        let set: Vec<_> = set.iter().map(|e| e.clone().with_mod_seq(mod_seq)).collect();
        self.now = Arc::new(self.now.apply(&set, vanished, Uid::new(self.next), mod_seq));
    }

    fn append(&mut self, count: usize) {
        let mut set = Vec::new();
        for _ in 0..count {
            set.push(MessageEntry::new(uid(self.next)));
            self.next += 1 + u32::from(self.random.one_in(3));
        }
        self.change(&set, &UidSet::new());
    }

    /// Consecutive messages of the store, somewhere in it.
    fn some(&mut self, most: usize) -> Vec<MessageEntry> {
        let from = self.random.below(self.now.len() as usize) as u32;
        let count = 1 + self.random.below(most);
        self.now.rows(from).take(count).map(|r| r.to_entry()).collect()
    }

    fn flag(&mut self) {
        let flags = Flags::from_parts(self.random.below(32) as u8, []);
        let some = self.some(5).into_iter().map(|e| e.with_flags(flags.clone()));
        self.change(&some.collect::<Vec<_>>(), &UidSet::new());
    }

    fn expunge(&mut self, most: usize) {
        let every = 1 + self.random.below(3);
        let gone = self.some(most).iter().step_by(every).map(|e| e.uid).collect();
        self.change(&[], &gone);
    }

    /// What a poll does, with as many EXPUNGEs as `most` allows.
    fn poll(&mut self, rights: Rights, most: usize) {
        let told = self.view.told().clone();
        let mut vanished = Vec::new();
        for difference in told.diff(&self.now) {
            match difference {
                Difference::Vanished { old, index } => vanished.push((old.uid, index)),
                Difference::Changed { new, .. } => {
                    let place = self.numbered.iter().position(|n| *n == new.uid.get());
                    assert_eq!(self.view.seq(new.uid), place.map(|p| seq(p + 1)));
                    if place.is_some() {
                        self.told_flags.insert(new.uid.get(), new.flags.clone());
                    }
                }
                Difference::Added { new } => assert_eq!(self.view.seq(new.uid), None),
            }
        }
        self.view.advance(self.now.clone(), &vanished);
        if rights.expunge {
            let mut before = u32::MAX;
            for _ in 0..most {
                let Some((number, gone)) = self.view.pop_ghost() else {
                    break;
                };
                assert!(number.get() < before, "from the highest number down");
                before = number.get();
                assert_eq!(self.numbered.remove(number.get() as usize - 1), gone.get());
                assert_eq!(self.now.get(gone).map(|r| r.uid), None);
            }
        }
        if rights.exists {
            let had = self.numbered.len();
            let (exists, above) = self.view.announce();
            assert_eq!(above, self.highest_announced);
            let new = self
                .now
                .rows(self.now.rank(uid(above.max(1))))
                .filter(|r| r.uid.get() > above);
            self.numbered.extend(new.map(|r| r.uid.get()));
            for n in &self.numbered[had..] {
                self.told_flags.insert(*n, self.now.get(uid(*n)).unwrap().flags.clone());
            }
            self.highest_announced = self.highest_announced.max(self.numbered.last().copied().unwrap_or(0));
            assert_eq!(exists as usize, self.numbered.len());
        }
    }

    fn step(&mut self) {
        match self.random.below(16) {
            0 | 1 => {
                let most = if self.now.len() > 60 { 1 } else { 4 };
                let count = 1 + self.random.below(most);
                self.append(count);
            }
            2 => {
                // Comes and goes before anybody is told.
                self.append(2);
                let gone = self.now.rows(self.now.len() - 2).map(|r| r.uid).take(1).collect();
                self.change(&[], &gone);
            }
            3..=5 => self.flag(),
            6..=8 => self.expunge(1),
            9 => self.expunge(12),
            10 => self.poll(Rights::NO_EXPUNGE, 0),
            11 | 12 => self.poll(Rights::FLAGS, 0),
            13 => {
                let most = self.random.below(4);
                self.poll(Rights::ALL, most);
            }
            14 => {
                let mut rights = Rights::ALL;
                rights.exists = false;
                self.poll(rights, usize::MAX);
            }
            _ => {
                self.poll(Rights::ALL, usize::MAX);
                let live: Vec<u32> = self.now.rows(0).map(|r| r.uid.get()).collect();
                assert_eq!(self.numbered, live, "who was told all has the store's picture");
                assert!(self.now.rows(0).all(|r| self.told_flags[&r.uid.get()] == *r.flags));
            }
        }
    }

    fn index(&self, n: u32) -> Option<u32> {
        self.view.told().index_of(uid(n))
    }

    fn picture(&self) -> Vec<Numbered> {
        let numbered = |(i, n): (usize, &u32)| Numbered {
            seq: seq(i + 1),
            uid: uid(*n),
            index: self.index(*n),
        };
        self.numbered.iter().enumerate().map(numbered).collect()
    }

    fn random_set<N: backend_api::Number>(&mut self, top: usize) -> backend_api::NumberSet<N> {
        let mut set = backend_api::NumberSet::new();
        for _ in 0..self.random.below(5) {
            let from = 1 + self.random.below(top + 2);
            let to = from
                + if self.random.one_in(2) {
                    0
                } else {
                    self.random.below(20)
                };
            set.push_run(N::from_u32(from as u32).unwrap(), N::from_u32(to as u32).unwrap());
        }
        set
    }

    /// The view answers every question as the client's list does.
    fn check(&mut self) {
        let picture = self.picture();
        let exists = picture.len();
        assert_eq!(self.view.exists() as usize, exists);
        let all: Vec<_> = (1..=exists + 1).filter_map(|i| self.view.at(seq(i))).collect();
        assert_eq!(all, picture);
        let mut place = BTreeMap::new();
        for n in &picture {
            place.insert(n.uid.get(), n.seq);
        }
        // Those that are or were numbered, and those beside them that never were or no longer are.
        let beside = picture
            .iter()
            .flat_map(|n| [n.uid.get() - 1, n.uid.get(), n.uid.get() + 1]);
        let new = self.next.saturating_sub(20)..=self.next;
        for n in beside.chain(new).filter(|n| *n > 0) {
            assert_eq!(self.view.seq(uid(n)), place.get(&n).copied(), "UID {n}");
        }
        let ghosts = picture.iter().filter(|n| n.index.is_none()).count();
        assert_eq!(self.view.ghost_count() as usize, ghosts);
        assert_eq!(self.view.last_uid(), picture.last().map(|n| n.uid));
        let unannounced = self.view.told().rows(0).any(|r| r.uid.get() > self.highest_announced);
        assert_eq!(self.view.has_unannounced(), unannounced);
        self.check_sets(&picture);
    }

    fn check_sets(&mut self, picture: &[Numbered]) {
        let seqs: SeqSet = self.random_set(picture.len());
        let uids: UidSet = self.random_set(self.next as usize);
        let of_seqs: SeqSet = picture.iter().map(|n| n.seq).filter(|s| seqs.contains(*s)).collect();
        let of_uids: SeqSet = picture.iter().filter(|n| uids.contains(n.uid)).map(|n| n.seq).collect();
        assert_eq!(self.view.resolve(&NumSet::Seq(seqs)), of_seqs);
        assert_eq!(self.view.resolve(&NumSet::Uid(uids)), of_uids);
        let all = picture.iter().map(|n| n.seq).collect();
        for set in [of_seqs, of_uids, all] {
            let named: Vec<Numbered> = picture.iter().filter(|n| set.contains(n.seq)).copied().collect();
            assert_eq!(self.view.numbered(&set).collect::<Vec<_>>(), named);
            let live = named.iter().filter(|n| n.index.is_some()).map(|n| (n.seq, n.uid));
            assert_eq!(self.view.live(&set).collect::<Vec<_>>(), live.collect::<Vec<_>>());
            assert_eq!(self.view.exact_uids(&set), named.iter().map(|n| n.uid).collect());
            assert_eq!(self.view.has_ghost(&set), named.iter().any(|n| n.index.is_none()));
            // What a write may touch: of everything that is or was numbered or arrived, those that are named.
            let touched = self.view.uids(&set);
            let known = self.now.rows(0).map(|r| r.uid).chain(picture.iter().map(|n| n.uid));
            for known in known {
                assert_eq!(
                    touched.contains(known),
                    named.iter().any(|n| n.uid == known),
                    "UID {known}"
                );
            }
        }
    }
}

#[test]
fn a_hundred_thousand_operations_leave_every_number_its_message() {
    let mut world = World::new(1, 40);
    for i in 0..100_000 {
        world.step();
        if i % 10 == 0 || i < 2_000 {
            world.check();
        }
    }
    assert!(world.next > 20_000, "many messages came and went: {}", world.next);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        rng_seed: RngSeed::Fixed(3),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn in_large_mailboxes_with_many_chunks_too(seed in any::<u64>(), messages in 0..3_000_u32, steps in 1..40_usize) {
        let mut world = World::new(seed, messages);
        for _ in 0..steps {
            match world.random.below(4) {
                0 => world.expunge(800),
                1 => world.append(300),
                _ => world.step(),
            }
        }
        world.check();
        world.poll(Rights::ALL, usize::MAX);
        world.check();
        prop_assert_eq!(world.view.ghost_count(), 0);
    }
}

#[test]
fn ghosts_under_neighbouring_numbers_are_one_run_whatever_the_order_in_which_they_went() {
    let mut world = World::new(1, 0);
    let list = (1..=50_000).map(|n| MessageEntry::new(uid(n)).with_mod_seq(ModSeq(1)));
    world.now = Arc::new(Snapshot::new(list.collect(), None, ModSeq(1)));
    world.view = SeqMapper::new(world.now.clone());
    world.numbered = (1..=50_000).collect();
    world.highest_announced = 50_000;
    world.next = 50_001;
    for start in [30_001, 10_001, 20_001_u32] {
        world.change(&[], &UidSet::run(uid(start), uid(start + 9_999)));
        world.poll(Rights::FLAGS, 0);
    }
    assert_eq!(world.view.ghost_count(), 30_000);
    assert_eq!(
        world.view.at(seq(40_000)).map(|n| (n.uid.get(), n.index)),
        Some((40_000, None))
    );
    assert_eq!(
        world.view.at(seq(40_001)).map(|n| (n.uid.get(), n.index)),
        Some((40_001, Some(10_000)))
    );
    world.poll(Rights::ALL, usize::MAX);
    assert_eq!(world.view.at(seq(10_001)).map(|n| n.uid.get()), Some(40_001));
}
