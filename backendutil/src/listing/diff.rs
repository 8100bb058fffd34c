//! How two snapshots differ, and look-ups in ascending order: what is shared is skipped.

use std::sync::Arc;

use backend_api::Uid;

use super::Snapshot;
use super::chunk::{Chunk, Row};

pub(super) struct Cursor<'a> {
    snapshot: &'a Snapshot,
    chunk: usize,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        Self {
            snapshot,
            chunk: 0,
            at: 0,
        }
    }

    pub(super) fn peek(&self) -> Option<Row<'a>> {
        self.snapshot.chunks.get(self.chunk)?.row(self.at)
    }

    pub(super) fn index(&self) -> u32 {
        let start = self
            .snapshot
            .starts
            .get(self.chunk)
            .copied()
            .unwrap_or(self.snapshot.len);
        start + u32::try_from(self.at).unwrap_or(0)
    }

    /// How many messages from here on, to the end of a chunk at most, are the same in both.
    pub(super) fn same(&self, other: &Self) -> usize {
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
    pub(super) fn advance(&mut self, messages: usize) {
        self.at += messages;
        if self.snapshot.chunks.get(self.chunk).is_some_and(|c| self.at >= c.len()) {
            self.chunk += 1;
            self.at = 0;
        }
    }

    /// The chunk that starts here.
    pub(super) fn whole(&self) -> Option<&'a Arc<Chunk>> {
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
    pub(super) old: Cursor<'a>,
    pub(super) new: Cursor<'a>,
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
pub struct Seek<'a>(pub(super) Cursor<'a>);

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
            let Snapshot { by_first, firsts, .. } = cursor.snapshot;
            cursor.chunk = by_first.last_at_most(firsts, n)?;
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
