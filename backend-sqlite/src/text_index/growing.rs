//! How the index grows: bodies are taken in by batches, each a segment an account, and small segments become larger ones.

use std::collections::{BTreeMap, HashSet};

use backend_api::Result;
use rusqlite::{Connection, Row};

use super::block::{Cursor, Writer};
use super::database::{Body, SegmentRow};
use super::entries::{self, Entries};
use super::grams::{Collector, END};
use super::pace::{Pace, Writing};
use super::reading::{self, Source};
use crate::error::sql;
use crate::folder::Folder;
use crate::tx::unsigned;

/// Bodies that are taken in together.
const BATCH: usize = 256;
/// Octets of them, as far as a body more is not yet too much: what one look at the mail database reads.
const OCTETS: u64 = 8 * 1024 * 1024;
/// Grams of them: 8 octets of memory each.
const GRAMS: usize = 1024 * 1024;
const _: () = assert!(BATCH <= entries::MOST);

/// Segments that become one.
const TOGETHER: usize = 8;
/// The most that a segment holds: bounds the work of one transaction.
const MOST_BODIES: u32 = 64 * 1024;
const MOST_OCTETS: u64 = 32 * 1024 * 1024;

/// Bodies that were read, not yet in the index.
#[derive(Default)]
pub(super) struct Batch {
    accounts: BTreeMap<i64, Growing>,
    /// Everything up to this body is in it.
    pub(super) upto: i64,
    /// The last of them and its object id.
    pub(super) anchor: Option<(i64, Vec<u8>)>,
    octets: u64,
    grams: usize,
    count: usize,
}

/// The bodies of one account, and their grams.
#[derive(Default)]
struct Growing {
    bodies: Vec<Body>,
    entries: Entries,
}

/// What is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    /// Bodies above this.
    pub(super) after: i64,
    /// Up to this; it was given already.
    pub(super) upto: i64,
    /// Of this account alone.
    pub(super) account: Option<i64>,
}

impl Batch {
    /// Reads the first bodies of a range, as they are in one picture of the mail database.
    pub(super) fn read(
        mail: &Connection,
        folder: &Folder,
        range: Range,
        grams: &mut Collector,
        pace: &mut Pace<'_>,
    ) -> Result<Self> {
        let mut batch = Self::default();
        let text = match range.account {
            None => {
                "SELECT id, account, size, file, email_id FROM bodies WHERE id > ?1 AND id <= ?2 ORDER BY id LIMIT 256"
            }
            // The unary plus keeps SQLite from sorting all bodies of the account.
            Some(_) => {
                "SELECT id, account, size, file, email_id FROM bodies WHERE id > ?1 AND id <= ?2 AND +account = ?3
                 ORDER BY id LIMIT 256"
            }
        };
        let mut select = mail.prepare_cached(text).map_err(sql)?;
        let mut rows = match range.account {
            None => select.query([range.after, range.upto]),
            Some(account) => select.query([range.after, range.upto, account]),
        }
        .map_err(sql)?;
        batch.upto = range.upto;
        while let Some(row) = rows.next().map_err(sql)? {
            let found = Found::new(row).map_err(sql)?;
            batch.take_in(mail, folder, found, grams, pace);
            if batch.is_full() {
                batch.upto = batch.anchor.as_ref().map_or(range.upto, |(body, _)| *body);
                break;
            }
        }
        Ok(batch)
    }

    fn take_in(
        &mut self,
        mail: &Connection,
        folder: &Folder,
        found: Found,
        grams: &mut Collector,
        pace: &mut Pace<'_>,
    ) {
        let known = reading::read(mail, folder, found.source, grams, pace).unwrap_or_else(|e| {
            // Whoever searches meets the error, or finds that the message went.
            tracing::warn!(body = found.source.id, kind = ?e.kind(), source = std::error::Error::source(&e),
                "a message cannot be read for the search index");
            false
        });
        let growing = self.accounts.entry(found.account).or_default();
        growing.bodies.push(Body {
            id: found.source.id,
            unknown: !known,
        });
        grams.take(|found| {
            let found = if known { found } else { &[] };
            growing.entries.push(found);
            self.grams += found.len();
        });
        self.octets = self.octets.saturating_add(found.source.size);
        self.count += 1;
        self.anchor = Some((found.source.id, found.object));
    }

    fn is_full(&self) -> bool {
        self.count >= BATCH || self.octets >= OCTETS || self.grams >= GRAMS
    }

    /// Writes the segments, and says of which accounts.
    pub(super) fn write(self, conn: &Connection, mut pace: Writing<'_, '_>) -> Result<Vec<i64>> {
        let mut touched = Vec::new();
        for (account, growing) in self.accounts {
            let segment = SegmentRow::insert(conn, account, &growing.bodies)?;
            let mut writer = Writer::new(conn, segment);
            growing.entries.by_gram(|gram, ordinals| {
                pace.give_way();
                writer.put(gram, ordinals)
            })?;
            SegmentRow::set_octets(conn, segment, writer.finish()?)?;
            touched.push(account);
        }
        Ok(touched)
    }
}

struct Found {
    source: Source,
    account: i64,
    object: Vec<u8>,
}

impl Found {
    fn new(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            source: Source {
                id: row.get(0)?,
                size: unsigned(row.get(2)?),
                file: row.get(3)?,
            },
            account: row.get(1)?,
            object: row.get(4)?,
        })
    }
}

/// Which neighbours among an account's segments are to become one, if any.
pub(super) fn to_merge(rows: &[SegmentRow]) -> Option<std::ops::Range<usize>> {
    let sizes: Vec<(u32, u64)> = rows.iter().map(|row| (row.segment.count, row.octets)).collect();
    choose(&sizes)
}

/// Eight of one size become one, with whatever smaller ones lie between: each body is copied once for each power of eight.
fn choose(sizes: &[(u32, u64)]) -> Option<std::ops::Range<usize>> {
    let level = |&(count, octets): &(u32, u64)| match octets >= MOST_OCTETS / 2 {
        true => u32::MAX,
        false => count.max(1).ilog2() / 3,
    };
    let levels: Vec<u32> = sizes.iter().map(level).collect();
    for most in 0..MOST_BODIES.ilog2() / 3 {
        let mut start = 0;
        for run in levels.chunk_by(|a, b| (*a <= most) == (*b <= most)) {
            let range = start..start + run.len();
            start = range.end;
            let full = run.iter().filter(|level| **level == most).count();
            if full >= TOGETHER {
                let fits = fitting(sizes.get(range.clone()).unwrap_or_default());
                if fits >= 2 {
                    return Some(range.start..range.start + fits);
                }
            }
        }
    }
    None
}

/// How many from the start are not too much for one segment.
fn fitting(sizes: &[(u32, u64)]) -> usize {
    let (mut bodies, mut all) = (0u32, 0u64);
    let fits = sizes.iter().take_while(|(count, octets)| {
        bodies = bodies.saturating_add(*count);
        all = all.saturating_add(*octets);
        bodies <= MOST_BODIES && all <= MOST_OCTETS
    });
    fits.count()
}

/// Makes one segment of neighbours, without the bodies that are no more.
pub(super) fn merge(
    conn: &Connection,
    rows: &[SegmentRow],
    gone: &HashSet<i64>,
    mut pace: Writing<'_, '_>,
) -> Result<()> {
    let Some(account) = rows.first().map(|row| row.account) else {
        return Ok(());
    };
    let mut bodies = Vec::new();
    // For each segment: the new ordinal of each of its bodies.
    let mut places: Vec<Vec<Option<u32>>> = Vec::new();
    for row in rows {
        let mut of_segment = Vec::new();
        for body in row.bodies()? {
            let stays = !gone.contains(&body.id);
            of_segment.push(stays.then(|| u32::try_from(bodies.len()).unwrap_or(u32::MAX)));
            bodies.extend(stays.then_some(body));
        }
        places.push(of_segment);
    }
    if !bodies.is_empty() {
        let mut cursors = Vec::new();
        for row in rows {
            cursors.push(Cursor::new(conn, row.segment)?);
        }
        let segment = SegmentRow::insert(conn, account, &bodies)?;
        let mut writer = Writer::new(conn, segment);
        let mut ordinals = Vec::new();
        while let Some(gram) = cursors.iter().map(Cursor::gram).min().filter(|gram| *gram < END) {
            pace.give_way();
            ordinals.clear();
            for (cursor, places) in cursors.iter_mut().zip(&places) {
                if cursor.gram() == gram {
                    cursor.take(|old| ordinals.extend(places.get(old as usize).copied().flatten()))?;
                }
            }
            if !ordinals.is_empty() {
                writer.put(gram, &ordinals)?;
            }
        }
        SegmentRow::set_octets(conn, segment, writer.finish()?)?;
    }
    rows.iter().try_for_each(|row| SegmentRow::delete(conn, row.segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_stay_few_and_are_copied_seldom() {
        for batch in [1u32, 5, 256] {
            let mut sizes: Vec<(u32, u64)> = Vec::new();
            let mut copied = 0u64;
            let all = 100_000 / batch;
            for _ in 0..all {
                sizes.push((batch, u64::from(batch) * 500));
                while let Some(range) = choose(&sizes) {
                    let whole: (u32, u64) = sizes[range.clone()]
                        .iter()
                        .fold((0, 0), |(a, b), (count, octets)| (a + count, b + octets));
                    copied += u64::from(whole.0);
                    assert!(whole.0 <= MOST_BODIES && whole.1 <= MOST_OCTETS, "{whole:?}");
                    sizes.splice(range, [whole]);
                }
                assert!(sizes.len() <= 64, "{sizes:?}");
            }
            let stored = u64::from(all * batch);
            assert!(copied <= 7 * stored, "batches of {batch}: {copied} copied of {stored}");
        }
    }

    #[test]
    fn a_large_segment_is_left_alone() {
        let large = (40_000, MOST_OCTETS / 2);
        assert_eq!(choose(&[large; 30]), None);
        let mut sizes = vec![large];
        sizes.extend([(1, 10); 8]);
        sizes.push(large);
        assert_eq!(choose(&sizes), Some(1..9));
    }
}
