//! What is kept of removed messages while some session may still number them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Weak;

use backend_api::{MessageEntry, ModSeq, Uid, UidSet};

use crate::listing::{Difference, Snapshot};
use crate::sync::{AtomicU64, Ordering};

/// Metadata of removed messages that some session still numbers is kept for at most as many of a mailbox.
const KEEP_GHOSTS: usize = 100_000;

/// Removals are gathered when there are more than this.
pub(super) const CROWDED: usize = 64;

/// Messages that were removed while sessions may still number them.
#[derive(Default)]
pub(super) struct Graves {
    pub(super) entries: BTreeMap<Uid, MessageEntry>,
    /// By the generation in which they went, and its mod-sequence, oldest first.
    pub(super) uids: VecDeque<(u64, ModSeq, UidSet)>,
    /// The mod-sequence of those that were taken out last.
    pub(super) up_to: ModSeq,
    /// For each view the generation up to which it was told of expunges.
    pub(super) told: Vec<Weak<AtomicU64>>,
    /// One of the views for which the oldest removal was kept when that was looked at last. As long as it is, nobody else
    /// has to be asked: of many views that are told one after the other, each looks at one.
    behind: Weak<AtomicU64>,
    /// At how many of `uids` they are gathered.
    crowded: usize,
}

impl Graves {
    pub(super) fn bury(&mut self, before: &Snapshot, after: &Snapshot, vanished: &UidSet) {
        let mut gone = UidSet::new();
        let is_viewed = self.told.iter().any(|t| t.strong_count() > 0);
        for difference in before.diff(after) {
            if let Difference::Vanished { old, .. } = difference {
                gone.insert(old.uid);
                if is_viewed && self.entries.len() < KEEP_GHOSTS {
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
            self.uids.push_back((after.generation(), after.highest_mod_seq(), gone));
        }
        if self.uids.len() > self.crowded {
            let told = self.told();
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
        type Runs = Vec<(Uid, Uid)>;
        let mut gathered: Vec<(u64, ModSeq, Runs)> = Vec::new();
        for (generation, mod_seq, uids) in self.uids.drain(..) {
            match gathered.last_mut() {
                Some((last, at, runs)) if !told.iter().any(|t| (*last..generation).contains(t)) => {
                    (*last, *at) = (generation, mod_seq);
                    runs.extend_from_slice(uids.runs());
                }
                _ => gathered.push((generation, mod_seq, uids.runs().to_vec())),
            }
        }
        let gathered = gathered.into_iter();
        self.uids = gathered
            .map(|(generation, mod_seq, runs)| (generation, mod_seq, UidSet::from_runs(runs)))
            .collect();
    }

    pub(super) fn exhume(&mut self) -> UidSet {
        let Some(oldest) = self.uids.front().map(|(generation, ..)| *generation) else {
            return UidSet::new();
        };
        let told_up_to = |view: &Weak<AtomicU64>| view.upgrade().map(|told| told.load(Ordering::Acquire));
        if told_up_to(&self.behind).is_some_and(|told| told < oldest) {
            return UidSet::new();
        }
        let mut told = u64::MAX;
        for view in &self.told {
            told = told.min(told_up_to(view).unwrap_or(u64::MAX));
            if told < oldest {
                self.behind = view.clone();
                return UidSet::new();
            }
        }
        let mut out = Vec::new();
        while let Some((_, mod_seq, uids)) = self.uids.pop_front_if(|(generation, ..)| *generation <= told) {
            self.up_to = mod_seq;
            for (first, last) in uids.runs() {
                self.entries.extract_if(*first..=*last, |_, _| true).for_each(drop);
            }
            out.extend_from_slice(uids.runs());
        }
        UidSet::from_runs(out)
    }
}
