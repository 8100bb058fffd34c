//! One connection's view of a mailbox: which message each number means, until the connection is told otherwise.
#![doc = include_str!("seq_mapper.md")]

use std::sync::Arc;

use backend_api::{NumSet, Seq, SeqSet, Uid, UidSet};

use crate::finder::Finder;
use crate::listing::Snapshot;

/// Messages that are still numbered here and that the store has lost: consecutive UIDs under consecutive numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ghosts {
    uid: u32,
    seq: u32,
    len: u32,
    /// Ghosts in the runs before this one.
    before: u32,
}

/// Runs of ghosts, ascending, in columns: a look-up goes through one of them.
#[derive(Debug, Clone, Default)]
struct Runs {
    uids: Vec<u32>,
    seqs: Vec<u32>,
    /// Ghosts up to and with each run.
    ends: Vec<u32>,
    by_uid: Finder,
    by_seq: Finder,
}

impl Runs {
    fn get(&self, at: usize) -> Option<Ghosts> {
        let before = at.checked_sub(1).and_then(|i| self.ends.get(i)).copied().unwrap_or(0);
        Some(Ghosts {
            uid: *self.uids.get(at)?,
            seq: *self.seqs.get(at)?,
            len: self.ends.get(at)? - before,
            before,
        })
    }

    fn last(&self) -> Option<Ghosts> {
        self.get(self.ends.len().checked_sub(1)?)
    }

    /// The runs from a place on.
    fn iter(&self, from: usize) -> impl Iterator<Item = Ghosts> + '_ {
        (from..self.ends.len()).filter_map(|at| self.get(at))
    }

    fn count(&self) -> u32 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Adds a run above all others; one that continues the last becomes part of it.
    fn push(&mut self, run: Ghosts) {
        let end = self.count() + run.len;
        let continues = |last: Ghosts| last.uid + last.len == run.uid && last.seq + last.len == run.seq;
        if self.last().is_some_and(continues) {
            self.ends.pop();
        } else {
            self.uids.push(run.uid);
            self.seqs.push(run.seq);
        }
        self.ends.push(end);
    }

    /// Takes out the ghost with the highest number.
    fn pop(&mut self) -> Option<(Seq, Uid)> {
        let last = self.last()?;
        let behind = last.len - 1;
        match self.ends.last_mut() {
            Some(end) if behind > 0 => *end -= 1,
            _ => {
                self.ends.pop();
                self.uids.pop();
                self.seqs.pop();
            }
        }
        Some((Seq::new(last.seq + behind)?, Uid::new(last.uid + behind)?))
    }

    /// The last run that begins at or before this number.
    fn at_seq(&self, seq: u32) -> Option<Ghosts> {
        self.get(self.by_seq.last_at_most(&self.seqs, seq)?)
    }

    /// The last run that begins at or before this UID.
    fn at_uid(&self, uid: u32) -> Option<Ghosts> {
        self.get(self.by_uid.last_at_most(&self.uids, uid)?)
    }

    /// After the last [`push`](Self::push).
    fn finish(&mut self) {
        let columns = [&mut self.uids, &mut self.seqs, &mut self.ends];
        columns.into_iter().for_each(Vec::shrink_to_fit);
        self.by_uid = Finder::new(&self.uids);
        self.by_seq = Finder::new(&self.seqs);
    }
}

/// A numbered message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbered {
    /// Its number.
    pub seq: Seq,
    /// Its UID.
    pub uid: Uid,
    /// Where it is in the snapshot; `None` for a ghost: expunged elsewhere, still numbered here.
    pub index: Option<u32>,
}

/// The view: the snapshot that was last told, how far of it was announced, and as runs what is still numbered besides.
///
/// Memory is in proportion to the runs of pending expunges, whatever the number of events was. All look-ups are
/// logarithmic.
#[derive(Debug, Clone)]
pub struct SeqMapper {
    told: Arc<Snapshot>,
    /// The highest UID that was announced; 0 for none.
    announced: u32,
    /// Shared, so that a command can hold a view of its own at no cost.
    ghosts: Arc<Runs>,
}

impl SeqMapper {
    /// The view of a connection that was told everything in this snapshot (SELECT). O(1).
    pub fn new(told: Arc<Snapshot>) -> Self {
        let announced = last_uid(&told);
        Self {
            told,
            announced,
            ghosts: Arc::default(),
        }
    }

    /// The snapshot up to which flags were told.
    pub fn told(&self) -> &Arc<Snapshot> {
        &self.told
    }

    /// EXISTS as told: ghosts included, what was not announced left out.
    pub fn exists(&self) -> u32 {
        self.announced_rows() + self.ghost_count()
    }

    /// The highest UID that was announced.
    pub fn last_uid(&self) -> Option<Uid> {
        let last = self.exists();
        Seq::new(last).and_then(|seq| self.at(seq)).map(|n| n.uid)
    }

    /// How many expunges are not told yet.
    pub fn ghost_count(&self) -> u32 {
        self.ghosts.count()
    }

    /// Whether messages of the told snapshot are not announced yet.
    pub fn has_unannounced(&self) -> bool {
        last_uid(&self.told) > self.announced
    }

    fn announced_rows(&self) -> u32 {
        Uid::new(self.announced).map_or(0, |uid| self.told.rank(uid))
    }

    /// The message of this number. O(log).
    pub fn at(&self, seq: Seq) -> Option<Numbered> {
        let seq_no = seq.get();
        let run = self.ghosts.at_seq(seq_no);
        if let Some(g) = run.filter(|g| seq_no - g.seq < g.len) {
            return Some(Numbered {
                seq,
                uid: Uid::new(g.uid + (seq_no - g.seq))?,
                index: None,
            });
        }
        let index = seq_no - 1 - run.map_or(0, |g| g.before + g.len);
        let uid = self.told.uid_at(index).filter(|uid| uid.get() <= self.announced)?;
        Some(Numbered {
            seq,
            uid,
            index: Some(index),
        })
    }

    /// The UID of this number. O(log).
    pub fn uid(&self, seq: Seq) -> Option<Uid> {
        self.at(seq).map(|n| n.uid)
    }

    /// The number of this message, if it has one here. O(log).
    pub fn seq(&self, uid: Uid) -> Option<Seq> {
        let n = uid.get();
        if n > self.announced {
            return None;
        }
        let run = self.ghosts.at_uid(n);
        if let Some(g) = run.filter(|g| n - g.uid < g.len) {
            return Seq::new(g.seq + (n - g.uid));
        }
        let index = self.told.index_of(uid)?;
        Seq::new(index + 1 + run.map_or(0, |g| g.before + g.len))
    }

    /// How many numbered messages have a UID of at most this.
    fn rank(&self, uid: u32) -> u32 {
        let uid = uid.min(self.announced);
        let ghosts = self
            .ghosts
            .at_uid(uid)
            .map_or(0, |g| g.before + g.len.min(uid - g.uid + 1));
        ghosts + Uid::new(uid).map_or(0, |u| self.told.rank(u))
    }

    /// The numbers of a set in this view: what is in no view is in no set. O(runs log).
    pub fn resolve(&self, set: &NumSet) -> SeqSet {
        let exists = self.exists();
        let mut out = SeqSet::new();
        let mut push = |a: u32, b: u32| {
            if let (Some(a), Some(b)) = (Seq::new(a), Seq::new(b.min(exists)))
                && a <= b
            {
                out.push_run(a, b);
            }
        };
        match set {
            NumSet::Seq(set) => set.runs().iter().for_each(|(a, b)| push(a.get(), b.get())),
            NumSet::Uid(set) => {
                set.runs()
                    .iter()
                    .for_each(|(a, b)| push(self.rank(a.get() - 1) + 1, self.rank(b.get())));
            }
        }
        out
    }

    /// The UIDs of a set in this view, as runs that hold no message that was not announced (and ghosts, which are no
    /// longer in the store). This is what a write may touch.
    pub fn uids(&self, seqs: &SeqSet) -> UidSet {
        let runs = seqs
            .runs()
            .iter()
            .filter_map(|(a, b)| Some((self.uid(*a)?, self.uid(*b)?)));
        UidSet::from_runs(runs)
    }

    /// The UIDs of a set in this view one by one, none besides. O(messages).
    pub fn exact_uids(&self, seqs: &SeqSet) -> UidSet {
        self.numbered(seqs).map(|n| n.uid).collect()
    }

    /// Every UID that was announced: what EXPUNGE may touch.
    pub fn announced_uids(&self) -> UidSet {
        Uid::new(self.announced).map_or_else(UidSet::new, |last| UidSet::run(Uid::MIN, last))
    }

    /// Whether a ghost has one of these numbers.
    pub fn has_ghost(&self, seqs: &SeqSet) -> bool {
        let last = |b: &Seq| self.ghosts.at_seq(b.get()).map(|g| g.seq + (g.len - 1));
        seqs.runs().iter().any(|(a, b)| last(b) >= Some(a.get()))
    }

    /// The messages of these numbers, ascending, each in O(log).
    pub fn numbered<'a>(&'a self, seqs: &'a SeqSet) -> impl Iterator<Item = Numbered> + 'a {
        seqs.iter().map_while(|seq| self.at(seq))
    }

    /// The messages of these numbers that are no ghosts, ascending. O(log) for each run of the set, O(1) for each message.
    pub fn live<'a>(&'a self, seqs: &'a SeqSet) -> impl Iterator<Item = (Seq, Uid)> + 'a {
        let runs = seqs.runs().iter();
        runs.flat_map(|(first, last)| self.live_run(first.get(), last.get()))
    }

    fn live_run(&self, first: u32, last: u32) -> impl Iterator<Item = (Seq, Uid)> + '_ {
        let at = self.ghosts.by_seq.last_at_most(&self.ghosts.seqs, first);
        let run = at.and_then(|at| self.ghosts.get(at));
        let mut before = run.map_or(0, |g| g.before + g.len.min(first - g.seq));
        let index = first - 1 - before;
        let mut ghosts = self.ghosts.iter(at.unwrap_or(0)).peekable();
        let announced = self.announced;
        let uids = self.told.uids(index).take_while(move |uid| uid.get() <= announced);
        uids.zip(index + 1..).map_while(move |(uid, place): (Uid, u32)| {
            while let Some(run) = ghosts.next_if(|g| g.uid < uid.get()) {
                before = run.before + run.len;
            }
            let seq = place + before;
            Some((Seq::new(seq).filter(|_| seq <= last)?, uid))
        })
    }

    /// Takes up a newer snapshot, whose changed flags have been told. What vanished stays numbered as ghosts; what is new
    /// stays unannounced.
    ///
    /// `vanished` is what the newer snapshot lacks of the one told before ([`Difference::Vanished`]), ascending: UID and
    /// index there. Those not announced are never mentioned.
    ///
    /// [`Difference::Vanished`]: crate::listing::Difference::Vanished
    pub fn advance(&mut self, newer: Arc<Snapshot>, vanished: &[(Uid, u32)]) {
        if vanished.is_empty() {
            self.told = newer;
            return;
        }
        let announced = self.announced;
        let lost = vanished.iter().filter(|(uid, _)| uid.get() <= announced);
        let old = std::mem::take(&mut self.ghosts);
        let mut old = old.iter(0).peekable();
        let (mut merged, mut ghosts_before) = (Runs::default(), 0);
        for (uid, index) in lost {
            while let Some(run) = old.next_if(|g| g.uid < uid.get()) {
                ghosts_before = run.before + run.len;
                merged.push(run);
            }
            merged.push(Ghosts {
                uid: uid.get(),
                seq: index + 1 + ghosts_before,
                len: 1,
                before: 0,
            });
        }
        old.for_each(|run| merged.push(run));
        merged.finish();
        self.ghosts = Arc::new(merged);
        self.told = newer;
    }

    /// Announces all of the told snapshot, and says how many messages there are now. The UIDs newly announced are those
    /// above the returned second number.
    pub fn announce(&mut self) -> (u32, u32) {
        let before = self.announced;
        self.announced = before.max(last_uid(&self.told));
        (self.exists(), before)
    }

    /// Takes the ghost with the highest number out of the view: its EXPUNGE is being told. Every higher number falls by
    /// one.
    pub fn pop_ghost(&mut self) -> Option<(Seq, Uid)> {
        if self.ghosts.count() == 0 {
            return None;
        }
        Arc::make_mut(&mut self.ghosts).pop()
    }
}

fn last_uid(snapshot: &Snapshot) -> u32 {
    snapshot
        .len()
        .checked_sub(1)
        .and_then(|i| snapshot.uid_at(i))
        .map_or(0, Uid::get)
}
