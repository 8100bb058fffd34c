//! The messages of one mailbox as immutable columns in shared chunks: what every session of the mailbox looks at.
//!
//! A [`Snapshot`] never changes. A change makes another that shares every chunk it does not touch, so taking one costs a
//! reference count, and the difference between two costs as much as they differ.

use std::collections::BTreeSet;
use std::sync::Arc;

use backend_api::{DateTime, Flags, Keyword, MessageEntry, ModSeq, SystemFlag, Uid, UidSet};

/// Messages in a full chunk: small enough to copy for one changed flag, large enough that a million messages are a
/// thousand chunks.
pub const CHUNK: usize = 1024;

/// Two neighbours that together hold at most as many become one.
const MERGE: usize = CHUNK / 2;

/// Octets not known: the body must be read.
const UNKNOWN: u64 = u64::MAX;

/// What never changes of the messages of a chunk.
#[derive(Debug, Default)]
struct Fixed {
    dates: Vec<DateTime>,
    sizes: Vec<u64>,
}

/// A run of messages, ascending by UID. Never empty within a snapshot.
#[derive(Debug)]
struct Chunk {
    uids: Arc<[u32]>,
    fixed: Arc<Fixed>,
    /// The distinct flags in this chunk: a handful.
    flags: Vec<Flags>,
    /// For each message which of them.
    flags_of: Vec<u16>,
    mod_seqs: Vec<u64>,
    unseen: u32,
    deleted: u32,
}

/// One message of a snapshot.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// UID
    pub uid: Uid,
    /// Flags, without `\Recent`.
    pub flags: &'a Flags,
    /// Mod-sequence of the last change.
    pub mod_seq: ModSeq,
    /// INTERNALDATE
    pub date: DateTime,
    /// Octets; `None` where only the body tells.
    pub size: Option<u64>,
}

impl Row<'_> {
    /// The same as an entry of its own.
    pub fn to_entry(&self) -> MessageEntry {
        let entry = MessageEntry::new(self.uid)
            .with_flags(self.flags.clone())
            .with_date(self.date)
            .with_mod_seq(self.mod_seq);
        match self.size {
            Some(size) => entry.with_size(size),
            None => entry,
        }
    }
}

impl Chunk {
    fn len(&self) -> usize {
        self.flags_of.len()
    }

    fn row(&self, i: usize) -> Option<Row<'_>> {
        let flags = self.flags.get(usize::from(*self.flags_of.get(i)?))?;
        Some(Row {
            uid: Uid::new(*self.uids.get(i)?)?,
            flags,
            mod_seq: ModSeq(*self.mod_seqs.get(i)?),
            date: *self.fixed.dates.get(i)?,
            size: self.fixed.sizes.get(i).copied().filter(|s| *s != UNKNOWN),
        })
    }

    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.len()).filter_map(|i| self.row(i))
    }

    /// How many of its messages have a UID of at most this. `first` is its lowest UID, `beyond` that of the next chunk.
    fn rank(&self, uid: u32, first: u32, beyond: Option<u32>) -> usize {
        let beyond = beyond.unwrap_or_else(|| self.last_uid().saturating_add(1));
        rank_between(&self.uids, uid, first, beyond)
    }

    /// UID, mod-sequence and flags of the messages from a place on.
    fn columns(&self, from: usize) -> impl Iterator<Item = (&u32, &u64, &u16)> {
        let uids = self.uids.get(from..).unwrap_or_default();
        let mod_seqs = self.mod_seqs.get(from..).unwrap_or_default();
        let flags_of = self.flags_of.get(from..).unwrap_or_default();
        uids.iter().zip(mod_seqs).zip(flags_of).map(|((u, m), f)| (u, m, f))
    }

    fn first_uid(&self) -> u32 {
        self.uids.first().copied().unwrap_or(u32::MAX)
    }

    fn last_uid(&self) -> u32 {
        self.uids.last().copied().unwrap_or(0)
    }

    /// This chunk with the flags and mod-sequences of messages it holds already; `None` if `set` names another.
    fn with_flags(&self, set: &[MessageEntry]) -> Option<Self> {
        let (mut flags, mut flags_of, mut mod_seqs) =
            (self.flags.clone(), self.flags_of.clone(), self.mod_seqs.clone());
        for entry in set {
            let i = self.uids.binary_search(&entry.uid.get()).ok()?;
            if *mod_seqs.get(i)? > entry.mod_seq.get() {
                continue;
            }
            *flags_of.get_mut(i)? = intern(&mut flags, &entry.flags)?;
            *mod_seqs.get_mut(i)? = entry.mod_seq.get();
        }
        // Flags that no message has any more would pile up over many changes.
        if flags.len() > 64 {
            return None;
        }
        let mut chunk = Self {
            uids: self.uids.clone(),
            fixed: self.fixed.clone(),
            flags,
            flags_of,
            mod_seqs,
            unseen: 0,
            deleted: 0,
        };
        chunk.count();
        Some(chunk)
    }

    fn count(&mut self) {
        let of = |f: SystemFlag| self.flags.iter().map(|x| x.has(f)).collect::<Vec<bool>>();
        let (seen, deleted) = (of(SystemFlag::Seen), of(SystemFlag::Deleted));
        let has = |table: &[bool], i: &u16| table.get(usize::from(*i)).copied().unwrap_or(false);
        self.unseen = self.flags_of.iter().map(|i| u32::from(!has(&seen, i))).sum();
        self.deleted = self.flags_of.iter().map(|i| u32::from(has(&deleted, i))).sum();
    }
}

fn intern(table: &mut Vec<Flags>, flags: &Flags) -> Option<u16> {
    let at = match table.iter().position(|f| f == flags && same_spelling(f, flags)) {
        Some(at) => at,
        None => {
            table.push(flags.clone());
            table.len() - 1
        }
    };
    u16::try_from(at).ok()
}

/// Equality of flags disregards case; what is shown must not.
fn same_spelling(a: &Flags, b: &Flags) -> bool {
    a.keywords()
        .iter()
        .map(Keyword::as_str)
        .eq(b.keywords().iter().map(Keyword::as_str))
}

/// Fills chunks with ascending messages.
#[derive(Default)]
struct Builder {
    chunks: Vec<Arc<Chunk>>,
    uids: Vec<u32>,
    fixed: Fixed,
    flags: Vec<Flags>,
    flags_of: Vec<u16>,
    mod_seqs: Vec<u64>,
}

impl Builder {
    fn push(&mut self, uid: Uid, flags: &Flags, mod_seq: ModSeq, date: DateTime, size: Option<u64>) {
        let Some(at) = intern(&mut self.flags, flags) else {
            return;
        };
        self.uids.push(uid.get());
        self.fixed.dates.push(date);
        self.fixed.sizes.push(size.unwrap_or(UNKNOWN));
        self.flags_of.push(at);
        self.mod_seqs.push(mod_seq.get());
        if self.flags_of.len() == CHUNK {
            self.cut();
        }
    }

    fn row(&mut self, row: Row<'_>) {
        self.push(row.uid, row.flags, row.mod_seq, row.date, row.size);
    }

    fn entry(&mut self, e: &MessageEntry) {
        self.push(e.uid, &e.flags, e.mod_seq, e.date, e.size);
    }

    /// Ends the present chunk, after taking a small one before it into it.
    fn cut(&mut self) {
        if self.flags_of.is_empty() {
            return;
        }
        let mut chunk = Chunk {
            uids: self.uids.as_slice().into(),
            fixed: Arc::new(std::mem::take(&mut self.fixed)),
            flags: std::mem::take(&mut self.flags),
            flags_of: std::mem::take(&mut self.flags_of),
            mod_seqs: std::mem::take(&mut self.mod_seqs),
            unseen: 0,
            deleted: 0,
        };
        self.uids.clear();
        let small = self.chunks.pop_if(|last| last.len() + chunk.len() <= MERGE);
        if let Some(small) = small {
            small.rows().chain(chunk.rows()).for_each(|row| self.row(row));
            return self.cut();
        }
        chunk.count();
        self.chunks.push(Arc::new(chunk));
    }

    /// Takes a chunk as it is, unless it and the one before it are small.
    fn share(&mut self, chunk: &Arc<Chunk>) {
        self.cut();
        match self.chunks.pop_if(|last| last.len() + chunk.len() <= MERGE) {
            Some(small) => small.rows().chain(chunk.rows()).for_each(|row| self.row(row)),
            None => self.chunks.push(chunk.clone()),
        }
    }
}

/// The messages of a mailbox at one moment.
#[derive(Debug)]
pub struct Snapshot {
    chunks: Vec<Arc<Chunk>>,
    /// For each chunk the messages before it.
    starts: Vec<u32>,
    /// For each chunk its first UID: a look-up touches no chunk but the one it ends in.
    firsts: Vec<u32>,
    len: u32,
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
        let firsts = chunks.iter().map(|c| c.first_uid()).collect();
        Self {
            chunks,
            starts,
            firsts,
            len,
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
            .rows()
            .position(|r| !r.flags.has(SystemFlag::Seen))?;
        Some(self.starts.get(at)? + u32::try_from(i).ok()?)
    }

    /// The message at an index from 0. O(log chunks).
    pub fn row(&self, index: u32) -> Option<Row<'_>> {
        let at = self.starts.partition_point(|s| *s <= index).checked_sub(1)?;
        self.chunks.get(at)?.row((index - self.starts.get(at)?) as usize)
    }

    /// The UID at an index from 0. O(log chunks).
    pub fn uid_at(&self, index: u32) -> Option<Uid> {
        let at = self.starts.partition_point(|s| *s <= index).checked_sub(1)?;
        let uid = self.chunks.get(at)?.uids.get((index - self.starts.get(at)?) as usize)?;
        Uid::new(*uid)
    }

    /// How many messages have a UID of at most this. O(log messages).
    pub fn rank(&self, uid: Uid) -> u32 {
        let at = self.firsts.partition_point(|first| *first <= uid.get());
        let Some(at) = at.checked_sub(1) else { return 0 };
        let (Some(chunk), Some(start), Some(first)) = (self.chunks.get(at), self.starts.get(at), self.firsts.get(at))
        else {
            return 0;
        };
        start + u32::try_from(chunk.rank(uid.get(), *first, self.firsts.get(at + 1).copied())).unwrap_or(0)
    }

    /// The index of a message. O(log messages).
    pub fn index_of(&self, uid: Uid) -> Option<u32> {
        let at = self
            .firsts
            .partition_point(|first| *first <= uid.get())
            .checked_sub(1)?;
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
        let at = self.starts.partition_point(|s| *s <= from).saturating_sub(1);
        let skip = from.saturating_sub(self.starts.get(at).copied().unwrap_or(0)) as usize;
        self.chunks.iter().skip(at).flat_map(|chunk| chunk.rows()).skip(skip)
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
pub(crate) fn rank_between(numbers: &[u32], n: u32, first: u32, beyond: u32) -> usize {
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
    for row in chunk.rows() {
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

struct Cursor<'a> {
    snapshot: &'a Snapshot,
    chunk: usize,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn new(snapshot: &'a Snapshot) -> Self {
        Self {
            snapshot,
            chunk: 0,
            at: 0,
        }
    }

    fn peek(&self) -> Option<Row<'a>> {
        self.snapshot.chunks.get(self.chunk)?.row(self.at)
    }

    fn index(&self) -> u32 {
        let start = self
            .snapshot
            .starts
            .get(self.chunk)
            .copied()
            .unwrap_or(self.snapshot.len);
        start + u32::try_from(self.at).unwrap_or(0)
    }

    /// How many messages from here on, to the end of a chunk at most, are the same in both.
    fn same(&self, other: &Self) -> usize {
        let chunk = |c: &Self| c.snapshot.chunks.get(c.chunk);
        let (Some(a), Some(b)) = (chunk(self), chunk(other)) else {
            return 0;
        };
        let same_flags = |x: u16, y: u16| a.flags.get(usize::from(x)) == b.flags.get(usize::from(y));
        let both = a.columns(self.at).zip(b.columns(other.at));
        both.take_while(|(x, y)| x.0 == y.0 && x.1 == y.1 && same_flags(*x.2, *y.2))
            .count()
    }

    /// By messages of one chunk.
    fn advance(&mut self, messages: usize) {
        self.at += messages;
        if self.snapshot.chunks.get(self.chunk).is_some_and(|c| self.at >= c.len()) {
            self.chunk += 1;
            self.at = 0;
        }
    }

    /// The chunk that starts here.
    fn whole(&self) -> Option<&'a Arc<Chunk>> {
        (self.at == 0).then(|| self.snapshot.chunks.get(self.chunk)).flatten()
    }
}

/// One difference between two snapshots.
#[derive(Debug, Clone, Copy)]
pub enum Difference<'a> {
    /// The message is in both and was changed: its mod-sequence or its flags are others.
    Changed {
        /// As it was.
        old: Row<'a>,
        /// As it is.
        new: Row<'a>,
    },
    /// The message is gone.
    Vanished {
        /// As it was.
        old: Row<'a>,
        /// Its index in the older snapshot.
        index: u32,
    },
    /// The message is new.
    Added {
        /// As it is.
        new: Row<'a>,
    },
}

/// The differences between two snapshots, ascending by UID.
pub struct Diff<'a> {
    old: Cursor<'a>,
    new: Cursor<'a>,
}

impl<'a> Iterator for Diff<'a> {
    type Item = Difference<'a>;

    fn next(&mut self) -> Option<Difference<'a>> {
        loop {
            if let (Some(a), Some(b)) = (self.old.whole(), self.new.whole())
                && Arc::ptr_eq(a, b)
            {
                self.old.chunk += 1;
                self.new.chunk += 1;
                continue;
            }
            let same = self.old.same(&self.new);
            if same > 0 {
                self.old.advance(same);
                self.new.advance(same);
                continue;
            }
            match (self.old.peek(), self.new.peek()) {
                (None, None) => return None,
                (Some(old), Some(new)) if old.uid == new.uid => {
                    self.old.advance(1);
                    self.new.advance(1);
                    return Some(Difference::Changed { old, new });
                }
                (Some(old), new) if new.is_none_or(|n| old.uid < n.uid) => {
                    let index = self.old.index();
                    self.old.advance(1);
                    return Some(Difference::Vanished { old, index });
                }
                (_, Some(new)) => {
                    self.new.advance(1);
                    return Some(Difference::Added { new });
                }
                (Some(_), None) => return None,
            }
        }
    }
}

/// Looks up messages by ascending UID: neighbours cost nothing.
pub struct Seek<'a>(Cursor<'a>);

impl Snapshot {
    /// For look-ups in ascending order.
    pub fn seek(&self) -> Seek<'_> {
        Seek(Cursor::new(self))
    }
}

impl<'a> Seek<'a> {
    /// The message of this UID, which must not be below one asked for before.
    pub fn seek(&mut self, uid: Uid) -> Option<Row<'a>> {
        let n = uid.get();
        let cursor = &mut self.0;
        if cursor.snapshot.chunks.get(cursor.chunk)?.last_uid() < n {
            cursor.chunk = cursor.snapshot.chunks.partition_point(|c| c.last_uid() < n);
            cursor.at = 0;
        }
        let uids = &cursor.snapshot.chunks.get(cursor.chunk)?.uids;
        if uids.get(cursor.at) != Some(&n) {
            cursor.at = uids.partition_point(|u| *u < n);
        }
        let row = cursor.peek().filter(|row| row.uid == uid)?;
        cursor.at += 1;
        Some(row)
    }
}

#[cfg(test)]
mod tests {
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
        assert!(snapshot.chunks.first().unwrap().flags.len() <= 65);
    }
}
