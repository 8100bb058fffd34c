//! Messages of a listing in columns, as many as are copied when one of them changes.

use std::sync::Arc;

use backend_api::{DateTime, Flags, Keyword, MessageEntry, ModSeq, SystemFlag, Uid};

use super::rank_between;

/// Messages in a full chunk: small enough to copy for one changed flag, large enough that a million messages are a
/// thousand chunks.
pub const CHUNK: usize = 1024;

/// Two neighbours that together hold at most as many become one.
pub(super) const MERGE: usize = CHUNK / 2;

/// Octets not known: the body must be read.
pub(super) const UNKNOWN: u64 = u64::MAX;

/// What never changes of the messages of a chunk.
#[derive(Debug, Default)]
pub(super) struct Fixed {
    pub(super) dates: Vec<DateTime>,
    pub(super) sizes: Vec<u64>,
}

/// A run of messages, ascending by UID. Never empty within a snapshot.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) uids: Arc<[u32]>,
    pub(super) fixed: Arc<Fixed>,
    /// The distinct flags in this chunk, a handful: what no message has is not among them.
    pub(super) flags: Vec<Flags>,
    /// For each message which of them.
    pub(super) flags_of: Vec<u16>,
    pub(super) mod_seqs: Vec<u64>,
    pub(super) unseen: u32,
    pub(super) deleted: u32,
    /// About the memory that it takes.
    pub(super) octets: u32,
}

/// Octets of a message: UID, date, size, flags and mod-sequence.
const MESSAGE: usize = size_of::<u32>() + size_of::<DateTime>() + 2 * size_of::<u64>() + size_of::<u16>();
/// Octets of a chunk besides: what it is made of, and its places in the tables of a snapshot.
const OVERHEAD: usize = size_of::<Chunk>() + size_of::<Fixed>() + 128;
/// Octets of a keyword with its name, which is mostly short, and what counts who holds them.
const KEYWORD: usize = size_of::<Keyword>() + 48;

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
    pub(super) fn len(&self) -> usize {
        self.flags_of.len()
    }

    pub(super) fn row(&self, i: usize) -> Option<Row<'_>> {
        let flags = self.flags.get(usize::from(*self.flags_of.get(i)?))?;
        Some(Row {
            uid: Uid::new(*self.uids.get(i)?)?,
            flags,
            mod_seq: ModSeq(*self.mod_seqs.get(i)?),
            date: *self.fixed.dates.get(i)?,
            size: self.fixed.sizes.get(i).copied().filter(|s| *s != UNKNOWN),
        })
    }

    /// The messages from a place on.
    pub(super) fn rows(&self, from: usize) -> impl Iterator<Item = Row<'_>> {
        (from..self.len()).filter_map(|i| self.row(i))
    }

    /// How many of its messages have a UID of at most this. `first` is its lowest UID, `beyond` that of the next chunk.
    pub(super) fn rank(&self, uid: u32, first: u32, beyond: Option<u32>) -> usize {
        let beyond = beyond.unwrap_or_else(|| self.last_uid().saturating_add(1));
        rank_between(&self.uids, uid, first, beyond)
    }

    /// UID, mod-sequence and flags of the messages from a place on.
    pub(super) fn columns(&self, from: usize) -> impl Iterator<Item = (&u32, &u64, &u16)> {
        let uids = self.uids.get(from..).unwrap_or_default();
        let mod_seqs = self.mod_seqs.get(from..).unwrap_or_default();
        let flags_of = self.flags_of.get(from..).unwrap_or_default();
        uids.iter().zip(mod_seqs).zip(flags_of).map(|((u, m), f)| (u, m, f))
    }

    pub(super) fn first_uid(&self) -> u32 {
        self.uids.first().copied().unwrap_or(u32::MAX)
    }

    pub(super) fn last_uid(&self) -> u32 {
        self.uids.last().copied().unwrap_or(0)
    }

    /// This chunk with the flags and mod-sequences of messages it holds already; `None` if `set` names another.
    pub(super) fn with_flags(&self, set: &[MessageEntry]) -> Option<Self> {
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
        let mut chunk = Self {
            uids: self.uids.clone(),
            fixed: self.fixed.clone(),
            flags,
            flags_of,
            mod_seqs,
            unseen: 0,
            deleted: 0,
            octets: 0,
        };
        chunk.count();
        Some(chunk)
    }

    /// Counts and measures, and takes flags out of the table that no message has any more.
    pub(super) fn count(&mut self) {
        let mut having = vec![0_u32; self.flags.len()];
        for place in &self.flags_of {
            if let Some(count) = having.get_mut(usize::from(*place)) {
                *count += 1;
            }
        }
        let of = |f: SystemFlag, set: bool| {
            let counted = self.flags.iter().zip(&having).filter(|(flags, _)| flags.has(f) == set);
            counted.map(|(_, count)| count).sum()
        };
        self.unseen = of(SystemFlag::Seen, false);
        self.deleted = of(SystemFlag::Deleted, true);
        if having.contains(&0) {
            self.tidy(&having);
        }
        let flags = self.flags.iter();
        let flags: usize = flags.map(|f| size_of_val(f) + KEYWORD * f.keywords().len()).sum();
        self.octets = u32::try_from(OVERHEAD + MESSAGE * self.len() + flags).unwrap_or(u32::MAX);
    }

    fn tidy(&mut self, having: &[u32]) {
        let mut kept = having.iter().map(|count| *count > 0);
        self.flags.retain(|_| kept.next().unwrap_or(true));
        let mut next = 0;
        let places = having.iter().map(|count| {
            let place = next;
            next += u16::from(*count > 0);
            place
        });
        let places: Vec<u16> = places.collect();
        for place in &mut self.flags_of {
            *place = places.get(usize::from(*place)).copied().unwrap_or(*place);
        }
    }
}

pub(super) fn intern(table: &mut Vec<Flags>, flags: &Flags) -> Option<u16> {
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
pub(super) fn same_spelling(a: &Flags, b: &Flags) -> bool {
    a.keywords()
        .iter()
        .map(Keyword::as_str)
        .eq(b.keywords().iter().map(Keyword::as_str))
}

/// What was gathered, without the room for more: it is never added to.
fn fitted<T>(gathered: &mut Vec<T>) -> Vec<T> {
    gathered.shrink_to_fit();
    std::mem::take(gathered)
}

/// Fills chunks with ascending messages.
#[derive(Default)]
pub(super) struct Builder {
    pub(super) chunks: Vec<Arc<Chunk>>,
    pub(super) uids: Vec<u32>,
    pub(super) fixed: Fixed,
    pub(super) flags: Vec<Flags>,
    pub(super) flags_of: Vec<u16>,
    pub(super) mod_seqs: Vec<u64>,
}

impl Builder {
    pub(super) fn push(&mut self, uid: Uid, flags: &Flags, mod_seq: ModSeq, date: DateTime, size: Option<u64>) {
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

    pub(super) fn row(&mut self, row: Row<'_>) {
        self.push(row.uid, row.flags, row.mod_seq, row.date, row.size);
    }

    pub(super) fn entry(&mut self, e: &MessageEntry) {
        self.push(e.uid, &e.flags, e.mod_seq, e.date, e.size);
    }

    /// Ends the present chunk, after taking a small one before it into it.
    pub(super) fn cut(&mut self) {
        if self.flags_of.is_empty() {
            return;
        }
        let mut chunk = Chunk {
            uids: self.uids.as_slice().into(),
            fixed: Arc::new(Fixed {
                dates: fitted(&mut self.fixed.dates),
                sizes: fitted(&mut self.fixed.sizes),
            }),
            flags: fitted(&mut self.flags),
            flags_of: fitted(&mut self.flags_of),
            mod_seqs: fitted(&mut self.mod_seqs),
            unseen: 0,
            deleted: 0,
            octets: 0,
        };
        self.uids.clear();
        let small = self.chunks.pop_if(|last| last.len() + chunk.len() <= MERGE);
        if let Some(small) = small {
            small.rows(0).chain(chunk.rows(0)).for_each(|row| self.row(row));
            return self.cut();
        }
        chunk.count();
        self.chunks.push(Arc::new(chunk));
    }

    /// Takes a chunk as it is, unless it and the one before it are small.
    pub(super) fn share(&mut self, chunk: &Arc<Chunk>) {
        self.cut();
        match self.chunks.pop_if(|last| last.len() + chunk.len() <= MERGE) {
            Some(small) => small.rows(0).chain(chunk.rows(0)).for_each(|row| self.row(row)),
            None => self.chunks.push(chunk.clone()),
        }
    }
}
