//! Blocks: the lists of a segment's grams, in the order of the grams, a page of the database each. Each block says what it
//! covers and has a checksum, so that damage, or a block that is missing, is never taken for an answer.

use backend_api::Result;
use rusqlite::{Connection, params};

use super::grams::{END, Gram};
use super::lists::{put_list, put_number, skip_list, take_list, take_number};
use crate::error::{damaged, sql};

/// A row of 4 KiB pages holds so many octets without an overflow page.
const FULL: usize = 4_040;
/// Octets of the checksum that a block begins with.
const SUM: usize = 4;
/// Octets before its entries: the checksum, and the first gram behind it.
const HEAD: usize = SUM + 4;
/// Bits of a gram within the key of a block.
const GRAM_BITS: u32 = 25;

/// A segment, as its blocks know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) id: i64,
    /// How many messages are in it.
    pub(super) count: u32,
}

impl Segment {
    /// The keys that its blocks may have.
    pub(super) fn keys(self) -> (i64, i64) {
        let first = self.id.saturating_mul(1 << GRAM_BITS);
        (first, first.saturating_add((1 << GRAM_BITS) - 1))
    }

    fn key(self, gram: Gram) -> i64 {
        self.keys().0.saturating_add(i64::from(gram))
    }

    fn sum(self, first: Gram, octets: &[u8]) -> [u8; SUM] {
        let count = u64::from(self.count).to_le_bytes();
        checksum(&[&self.key(first).to_le_bytes(), &count, octets])
    }
}

/// A checksum that is right for this version of the index alone.
pub(super) fn checksum(parts: &[&[u8]]) -> [u8; SUM] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&super::database::VERSION.to_le_bytes());
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().to_le_bytes()
}

/// Writes the blocks of a new segment.
pub(super) struct Writer<'c> {
    conn: &'c Connection,
    segment: Segment,
    first: Gram,
    last: Gram,
    /// The block that is being made. Its head is filled in at last.
    octets: Vec<u8>,
    written: u64,
}

impl<'c> Writer<'c> {
    pub(super) fn new(conn: &'c Connection, segment: Segment) -> Self {
        Self {
            conn,
            segment,
            first: 0,
            last: 0,
            octets: vec![0; HEAD],
            written: 0,
        }
    }

    /// Adds a gram, above the ones before, with the ordinals of its messages.
    pub(super) fn put(&mut self, gram: Gram, ordinals: &[u32]) -> Result<()> {
        let start = self.octets.len();
        self.add(gram, ordinals);
        if start > HEAD && self.octets.len() > FULL {
            self.octets.truncate(start);
            self.write(gram)?;
            (self.first, self.last) = (gram, gram);
            self.add(gram, ordinals);
        }
        Ok(())
    }

    fn add(&mut self, gram: Gram, ordinals: &[u32]) {
        put_number(&mut self.octets, u64::from(gram.saturating_sub(self.last)));
        put_list(&mut self.octets, ordinals, self.segment.count);
        self.last = gram;
    }

    /// Ends the segment and says how many octets its blocks take.
    pub(super) fn finish(mut self) -> Result<u64> {
        self.write(END)?;
        Ok(self.written)
    }

    fn write(&mut self, next: Gram) -> Result<()> {
        if let Some((sum, rest)) = self.octets.split_first_chunk_mut::<SUM>() {
            if let Some(head) = rest.first_chunk_mut() {
                *head = next.to_le_bytes();
            }
            *sum = self.segment.sum(self.first, rest);
        }
        self.written += self.octets.len() as u64;
        self.conn
            .prepare_cached("INSERT INTO blocks (id, octets) VALUES (?, ?)")
            .and_then(|mut s| s.execute(params![self.segment.key(self.first), self.octets]))
            .map_err(sql)?;
        self.octets.truncate(HEAD);
        Ok(())
    }
}

/// A block that was read.
pub(super) struct Block {
    segment: Segment,
    octets: Vec<u8>,
    first: Gram,
    next: Gram,
}

impl Block {
    /// The block in which a gram is if it is in the segment.
    pub(super) fn covering(conn: &Connection, segment: Segment, gram: Gram) -> Result<Self> {
        let mut select = conn
            .prepare_cached("SELECT id, octets FROM blocks WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1")
            .map_err(sql)?;
        let (start, _) = segment.keys();
        let mut rows = select.query([start, segment.key(gram)]).map_err(sql)?;
        let row = rows.next().map_err(sql)?.ok_or_else(missing)?;
        let key: i64 = row.get(0).map_err(sql)?;
        let octets = row.get_ref(1).map_err(sql)?.as_blob().map_err(|_| broken())?;
        let first = Gram::try_from(key.saturating_sub(start)).map_err(|_| broken())?;
        let sum = octets.get(..SUM).ok_or_else(broken)?;
        let rest = octets.get(SUM..).ok_or_else(broken)?;
        if sum != segment.sum(first, rest) {
            return Err(broken());
        }
        let (next, entries) = rest.split_first_chunk().ok_or_else(broken)?;
        let next = Gram::from_le_bytes(*next);
        if gram >= next {
            return Err(missing());
        }
        Ok(Self {
            segment,
            octets: entries.to_vec(),
            first,
            next,
        })
    }

    /// Hands on the ordinals of a gram's messages; whether it is there.
    pub(super) fn find(&self, gram: Gram, sink: impl FnMut(u32)) -> Result<bool> {
        let mut entries = self.entries();
        while let Some(found) = entries.gram()? {
            if found == gram {
                return entries.list(sink).map(|()| true);
            }
            if found > gram {
                return Ok(false);
            }
            entries.skip()?;
        }
        Ok(false)
    }

    /// Whether a gram is here if it is in the segment.
    pub(super) fn covers(&self, gram: Gram) -> bool {
        (self.first..self.next).contains(&gram)
    }

    /// The first gram behind this block.
    fn next(&self) -> Gram {
        self.next
    }

    fn entries(&self) -> Entries<'_> {
        Entries {
            count: self.segment.count,
            rest: &self.octets,
            last: self.first,
        }
    }
}

/// The entries of a block, one after the other: a gram, then its list.
struct Entries<'b> {
    count: u32,
    rest: &'b [u8],
    last: Gram,
}

impl Entries<'_> {
    fn gram(&mut self) -> Result<Option<Gram>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let gap = take_number(&mut self.rest).and_then(|gap| Gram::try_from(gap).ok());
        self.last = gap.and_then(|gap| self.last.checked_add(gap)).ok_or_else(broken)?;
        Ok(Some(self.last))
    }

    fn list(&mut self, sink: impl FnMut(u32)) -> Result<()> {
        take_list(&mut self.rest, self.count, sink).ok_or_else(broken)
    }

    fn skip(&mut self) -> Result<()> {
        skip_list(&mut self.rest, self.count).ok_or_else(broken)
    }
}

/// All grams of a segment, ascending, in the memory of one block.
pub(super) struct Cursor<'c> {
    conn: &'c Connection,
    block: Block,
    /// Where the list of the current gram begins in the block.
    at: usize,
    gram: Gram,
}

impl<'c> Cursor<'c> {
    /// At the first gram.
    pub(super) fn new(conn: &'c Connection, segment: Segment) -> Result<Self> {
        let block = Block::covering(conn, segment, 0)?;
        let mut cursor = Self {
            conn,
            gram: block.first,
            block,
            at: 0,
        };
        cursor.advance()?;
        Ok(cursor)
    }

    /// The current gram; [`END`] behind the last one.
    pub(super) fn gram(&self) -> Gram {
        self.gram
    }

    /// Hands on the ordinals of the current gram's messages and goes on to the next.
    pub(super) fn take(&mut self, sink: impl FnMut(u32)) -> Result<()> {
        let mut entries = self.entries();
        entries.list(sink)?;
        self.at = self.block.octets.len() - entries.rest.len();
        self.advance()
    }

    fn advance(&mut self) -> Result<()> {
        loop {
            let mut entries = self.entries();
            if let Some(gram) = entries.gram()? {
                self.at = self.block.octets.len() - entries.rest.len();
                self.gram = gram;
                return Ok(());
            }
            if self.block.next() == END {
                self.gram = END;
                return Ok(());
            }
            self.block = Block::covering(self.conn, self.block.segment, self.block.next())?;
            (self.at, self.gram) = (0, self.block.first);
        }
    }

    fn entries(&self) -> Entries<'_> {
        Entries {
            count: self.block.segment.count,
            rest: self.block.octets.get(self.at..).unwrap_or_default(),
            last: self.gram,
        }
    }
}

fn broken() -> backend_api::Error {
    damaged("a block of the search index")
}

fn missing() -> backend_api::Error {
    damaged("a block of the search index is missing")
}
