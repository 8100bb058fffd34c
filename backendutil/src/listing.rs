//! The messages of one mailbox as immutable columns in shared chunks: what every session of the mailbox looks at.
//!
//! A [`Snapshot`] never changes. A change makes another that shares every chunk it does not touch, so taking one costs a
//! reference count, and the difference between two costs as much as they differ.

mod chunk;
mod diff;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use backend_api::{Flags, Keyword, MessageEntry, ModSeq, SystemFlag, Uid, UidSet};

use self::chunk::{Builder, Chunk};
pub use self::chunk::{CHUNK, Row};
use self::diff::Cursor;
pub use self::diff::{Diff, Difference, Seek};
use crate::finder::Finder;

/// The messages of a mailbox at one moment.
#[derive(Debug)]
pub struct Snapshot {
    chunks: Vec<Arc<Chunk>>,
    /// For each chunk the messages before it.
    starts: Vec<u32>,
    /// For each chunk its first UID: a look-up touches no chunk but the one it ends in.
    firsts: Vec<u32>,
    by_start: Finder,
    by_first: Finder,
    len: u32,
    octets: u64,
    /// Grows by one with every snapshot of a listing.
    generation: u64,
    uid_next: Option<Uid>,
    highest_mod_seq: ModSeq,
    keywords: Arc<BTreeSet<Keyword>>,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self::from_builder(Builder::default(), 0, Some(Uid::MIN), ModSeq::ZERO, Arc::default())
    }
}

impl Snapshot {
    /// The snapshot of these messages, which need not be in order; of several with one UID the first counts.
    pub fn new(mut entries: Vec<MessageEntry>, uid_next: Option<Uid>, highest_mod_seq: ModSeq) -> Self {
        if !entries.is_sorted_by(|a, b| a.uid < b.uid) {
            entries.sort_by_key(|e| e.uid);
            entries.dedup_by_key(|e| e.uid);
        }
        let mut builder = Builder::default();
        entries.iter().for_each(|e| builder.entry(e));
        builder.cut();
        let highest = entries
            .iter()
            .map(|e| e.mod_seq)
            .max()
            .unwrap_or_default()
            .max(highest_mod_seq);
        let after_last = entries.last().map_or(Some(Uid::MIN), |e| e.uid.next());
        let uid_next = higher_uid_next(uid_next, after_last, uid_next.is_none() && entries.is_empty());
        let mut keywords = Arc::default();
        add_keywords(&mut keywords, entries.iter());
        Self::from_builder(builder, 1, uid_next, highest, keywords)
    }

    fn from_builder(
        builder: Builder,
        generation: u64,
        uid_next: Option<Uid>,
        highest_mod_seq: ModSeq,
        keywords: Arc<BTreeSet<Keyword>>,
    ) -> Self {
        let chunks = builder.chunks;
        let mut len = 0_u32;
        let mut starts = Vec::with_capacity(chunks.len());
        for chunk in &chunks {
            starts.push(len);
            len = len.saturating_add(u32::try_from(chunk.len()).unwrap_or(u32::MAX));
        }
        let octets = chunks.iter().map(|c| u64::from(c.octets)).sum();
        let firsts: Vec<u32> = chunks.iter().map(|c| c.first_uid()).collect();
        Self {
            chunks,
            by_start: Finder::new(&starts),
            by_first: Finder::new(&firsts),
            starts,
            firsts,
            len,
            octets,
            generation,
            uid_next,
            highest_mod_seq,
            keywords,
        }
    }

    /// This snapshot after these changes: `set` holds new messages and messages as they are now, ascending by UID. A
    /// message whose mod-sequence here is higher already stays as it is.
    #[must_use]
    pub fn apply(&self, set: &[MessageEntry], vanished: &UidSet, uid_next: Option<Uid>, mod_seq: ModSeq) -> Self {
        let mut builder = Builder::default();
        let mut rest = set;
        let ends = self.firsts.iter().skip(1).map(|first| first.saturating_sub(1));
        for (chunk, end) in self.chunks.iter().zip(ends.chain([u32::MAX])) {
            let mine = rest.partition_point(|e| e.uid.get() <= end);
            let (here, after) = rest.split_at(mine);
            rest = after;
            let loses = overlaps(vanished, chunk.first_uid(), chunk.last_uid());
            let (inside, beyond) = here.split_at(here.partition_point(|e| e.uid.get() <= chunk.last_uid()));
            if !loses && inside.is_empty() && (beyond.is_empty() || chunk.len() >= CHUNK) {
                builder.share(chunk);
                beyond
                    .iter()
                    .filter(|e| !vanished.contains(e.uid))
                    .for_each(|e| builder.entry(e));
                continue;
            }
            let flags_only = if loses || !beyond.is_empty() {
                None
            } else {
                chunk.with_flags(inside)
            };
            match flags_only {
                Some(changed) => builder.share(&Arc::new(changed)),
                None => merge(&mut builder, chunk, here, vanished),
            }
        }
        rest.iter()
            .filter(|e| !vanished.contains(e.uid))
            .for_each(|e| builder.entry(e));
        builder.cut();
        let after_last = set.last().map_or(Some(Uid::MIN), |e| e.uid.next());
        let uid_next = match (self.uid_next, higher_uid_next(uid_next, after_last, uid_next.is_none())) {
            (None, _) | (_, None) => None,
            (a, b) => a.max(b),
        };
        let mut keywords = self.keywords.clone();
        add_keywords(&mut keywords, set.iter());
        Self::from_builder(
            builder,
            self.generation + 1,
            uid_next,
            self.highest_mod_seq.max(mod_seq),
            keywords,
        )
    }

    /// The messages that differ from a fresh list of the whole mailbox, in flags or by a higher mod-sequence: what to set,
    /// each with this mod-sequence, and what vanished. `entries` must be ascending.
    pub fn compare(&self, entries: &[MessageEntry], mod_seq: ModSeq) -> (Vec<MessageEntry>, UidSet) {
        let (mut set, mut vanished) = (Vec::new(), UidSet::new());
        let mut fresh = entries.iter().peekable();
        for row in self.rows(0) {
            while let Some(new) = fresh.next_if(|e| e.uid < row.uid) {
                set.push(new.clone().with_mod_seq(mod_seq));
            }
            match fresh.next_if(|e| e.uid == row.uid) {
                None => vanished.insert(row.uid),
                Some(e) if e.flags == *row.flags && e.mod_seq <= row.mod_seq => {}
                Some(e) => set.push(e.clone().with_mod_seq(mod_seq)),
            }
        }
        set.extend(fresh.map(|e| e.clone().with_mod_seq(mod_seq)));
        (set, vanished)
    }

    /// Number of messages.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// About how many octets of memory it takes, if it shares nothing with others: 38 for each message, and more where
    /// messages have many different keywords.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Which snapshot of its listing it is.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// UIDNEXT; `None` once every UID is used up.
    pub fn uid_next(&self) -> Option<Uid> {
        self.uid_next
    }

    /// The mailbox's highest mod-sequence.
    pub fn highest_mod_seq(&self) -> ModSeq {
        self.highest_mod_seq
    }

    /// The keywords seen in the mailbox since it was opened.
    pub fn keywords(&self) -> &BTreeSet<Keyword> {
        &self.keywords
    }

    /// Number of messages without `\Seen`.
    pub fn unseen(&self) -> u32 {
        self.chunks.iter().map(|c| c.unseen).sum()
    }

    /// Number of messages with `\Deleted`.
    pub fn deleted(&self) -> u32 {
        self.chunks.iter().map(|c| c.deleted).sum()
    }

    /// Octets of all messages; `None` if one's size is unknown.
    pub fn size(&self) -> Option<u64> {
        self.rows(0)
            .try_fold(0_u64, |sum, row| Some(sum.saturating_add(row.size?)))
    }

    /// The first message without `\Seen`, as an index.
    pub fn first_unseen(&self) -> Option<u32> {
        let at = self.chunks.iter().position(|c| c.unseen > 0)?;
        let i = self
            .chunks
            .get(at)?
            .rows(0)
            .position(|r| !r.flags.has(SystemFlag::Seen))?;
        Some(self.starts.get(at)? + u32::try_from(i).ok()?)
    }

    /// The message at an index from 0. O(log chunks).
    pub fn row(&self, index: u32) -> Option<Row<'_>> {
        let at = self.by_start.last_at_most(&self.starts, index)?;
        self.chunks.get(at)?.row((index - self.starts.get(at)?) as usize)
    }

    /// The UID at an index from 0. O(log chunks).
    pub fn uid_at(&self, index: u32) -> Option<Uid> {
        let at = self.by_start.last_at_most(&self.starts, index)?;
        let uid = self.chunks.get(at)?.uids.get((index - self.starts.get(at)?) as usize)?;
        Uid::new(*uid)
    }

    /// How many messages have a UID of at most this. O(log messages).
    pub fn rank(&self, uid: Uid) -> u32 {
        let Some(at) = self.by_first.last_at_most(&self.firsts, uid.get()) else {
            return 0;
        };
        let (Some(chunk), Some(start), Some(first)) = (self.chunks.get(at), self.starts.get(at), self.firsts.get(at))
        else {
            return 0;
        };
        start + u32::try_from(chunk.rank(uid.get(), *first, self.firsts.get(at + 1).copied())).unwrap_or(0)
    }

    /// The index of a message. O(log messages).
    pub fn index_of(&self, uid: Uid) -> Option<u32> {
        let at = self.by_first.last_at_most(&self.firsts, uid.get())?;
        let chunk = self.chunks.get(at)?;
        let (first, beyond) = (*self.firsts.get(at)?, self.firsts.get(at + 1).copied());
        let i = chunk.rank(uid.get(), first, beyond).checked_sub(1)?;
        let found = chunk.uids.get(i) == Some(&uid.get());
        found.then_some(self.starts.get(at)? + u32::try_from(i).ok()?)
    }

    /// The message of this UID.
    pub fn get(&self, uid: Uid) -> Option<Row<'_>> {
        self.index_of(uid).and_then(|i| self.row(i))
    }

    /// The messages from an index on.
    pub fn rows(&self, from: u32) -> impl Iterator<Item = Row<'_>> {
        self.chunks_from(from).flat_map(|(chunk, i)| chunk.rows(i))
    }

    /// The UIDs from an index on.
    pub fn uids(&self, from: u32) -> impl Iterator<Item = Uid> + '_ {
        let chunks = self.chunks_from(from);
        let uids = chunks.flat_map(|(chunk, i)| chunk.uids.get(i..).unwrap_or_default());
        uids.filter_map(|uid| Uid::new(*uid))
    }

    /// The chunks from the one on that this index is in, each with the place in it from which on it counts.
    fn chunks_from(&self, index: u32) -> impl Iterator<Item = (&Arc<Chunk>, usize)> {
        let at = self.by_start.last_at_most(&self.starts, index).unwrap_or(0);
        let first = index.saturating_sub(self.starts.get(at).copied().unwrap_or(0)) as usize;
        let places = std::iter::once(first).chain(std::iter::repeat(0));
        self.chunks.iter().skip(at).zip(places)
    }

    /// In how many parts [`uids_where`](Self::uids_where) looks.
    pub fn parts(&self) -> usize {
        self.chunks.len()
    }

    /// Where messages are that have flags of which this holds: as runs of UIDs, outside of which there is none. O(parts).
    pub fn uids_where(&self, mut holds: impl FnMut(&Flags) -> bool) -> UidSet {
        let ends = self.firsts.iter().skip(1).map(|first| first.saturating_sub(1));
        let chunks = self.chunks.iter().zip(&self.firsts).zip(ends.chain([u32::MAX]));
        let found = chunks.filter(|((chunk, _), _)| chunk.flags.iter().any(&mut holds));
        let mut out = UidSet::new();
        for ((_, first), last) in found {
            if let (Some(first), Some(last)) = (Uid::new(*first), Uid::new(last)) {
                out.push_run(first, last);
            }
        }
        out
    }

    /// What `newer` has that this one has not. Chunks that both share cost nothing.
    pub fn diff<'a>(&'a self, newer: &'a Snapshot) -> Diff<'a> {
        Diff {
            old: Cursor::new(self),
            new: Cursor::new(newer),
        }
    }
}

fn higher_uid_next(given: Option<Uid>, after_last: Option<Uid>, not_given: bool) -> Option<Uid> {
    match (given, after_last) {
        (None, b) if not_given => b,
        (Some(a), Some(b)) => Some(a.max(b)),
        (None, b) => b,
        (_, None) => None,
    }
}

fn add_keywords<'a>(known: &mut Arc<BTreeSet<Keyword>>, entries: impl Iterator<Item = &'a MessageEntry>) {
    for keyword in entries.flat_map(|e| e.flags.keywords()) {
        if !known.contains(keyword) {
            Arc::make_mut(known).insert(keyword.clone());
        }
    }
}

/// How many of these ascending numbers are at most `n`. They begin with `first` and end below `beyond`, which says about
/// where the place is; it is looked for from there, so that few places of memory are touched. O(log) where that is wrong.
fn rank_between(numbers: &[u32], n: u32, first: u32, beyond: u32) -> usize {
    let width = u64::from(beyond.saturating_sub(first)).max(1);
    let part = u64::from(n.saturating_sub(first)) * numbers.len() as u64 / width;
    let guess = usize::try_from(part).unwrap_or(usize::MAX).min(numbers.len());
    let below = |at: usize| numbers.get(at).is_some_and(|other| *other <= n);
    // Random numbers are off by about the root of how many there are.
    let (mut low, mut high, mut step) = (guess, guess, 1 << (numbers.len().max(1).ilog2() / 2));
    while below(high) {
        low = high + 1;
        high = (high + step).min(numbers.len());
        step *= 4;
    }
    while low > 0 && !below(low - 1) {
        high = low - 1;
        low = low.saturating_sub(step);
        step *= 4;
    }
    low + numbers
        .get(low..high)
        .unwrap_or_default()
        .partition_point(|other| *other <= n)
}

fn overlaps(set: &UidSet, first: u32, last: u32) -> bool {
    let at = set.runs().partition_point(|r| r.1.get() < first);
    set.runs().get(at).is_some_and(|r| r.0.get() <= last)
}

fn merge(builder: &mut Builder, chunk: &Chunk, set: &[MessageEntry], vanished: &UidSet) {
    // What was gathered before is a chunk of its own unless it is small.
    if builder.flags_of.len() + chunk.len() + set.len() > CHUNK {
        builder.cut();
    }
    let mut set = set.iter().filter(|e| !vanished.contains(e.uid)).peekable();
    for row in chunk.rows(0) {
        while let Some(new) = set.next_if(|e| e.uid < row.uid) {
            builder.entry(new);
        }
        match set.next_if(|e| e.uid == row.uid) {
            Some(e) if e.mod_seq >= row.mod_seq => {
                builder.push(row.uid, &e.flags, e.mod_seq, row.date, row.size);
            }
            _ if vanished.contains(row.uid) => {}
            _ => builder.row(row),
        }
    }
    set.for_each(|e| builder.entry(e));
}
