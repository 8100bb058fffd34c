//! Asking the index: which messages of a mailbox may hold what is sought.

use backend_api::{Result, Sought, SoughtIn, Uid, UidSet};
use rusqlite::Connection;

use super::block::{Block, Segment};
use super::database::SegmentRow;
use super::grams::{self, Area, Gram};
use super::lists::Bits;
use crate::error::{damaged, sql};
use crate::tx::Place;

/// Grams of a string that are looked up: with more, hardly a message fewer is named.
const MOST_GRAMS: usize = 48;

/// Where no more messages of a segment are left than this, nor more than one of so many, they most likely hold the string
/// once some grams more have left out none of them: to read these costs less than to look up all others.
const FEW: (usize, usize) = (8, 32);
/// And so many grams.
const SURE: usize = 2;

/// What one [`Sought`] comes to: a message may hold it that has all grams of one of these.
struct Query(Vec<Vec<Gram>>);

impl Query {
    /// `None` when the strings are too short to have a gram.
    fn new(sought: &Sought) -> Option<Self> {
        let areas: &[Area] = match sought.area {
            SoughtIn::Header => &[Area::Header],
            SoughtIn::Body => &[Area::Body],
            SoughtIn::Text => &[Area::Header, Area::Body],
        };
        let all: Vec<Vec<Gram>> = areas
            .iter()
            .map(|area| some_of(grams::of_strings(*area, &sought.strings)))
            .collect();
        all.iter().all(|grams| !grams.is_empty()).then_some(Self(all))
    }
}

/// At most so many of these, from everywhere in the list.
fn some_of(grams: Vec<Gram>) -> Vec<Gram> {
    let every = grams.len().div_ceil(MOST_GRAMS).max(1);
    grams.into_iter().step_by(every).collect()
}

/// What the index knows of an account's bodies.
struct Answer {
    /// The bodies that it knows, ascending.
    bodies: Vec<i64>,
    /// For each query: which of them may hold it.
    may_hold: Vec<Bits>,
}

/// For each of these the messages of a mailbox that may hold it; `None` where nothing is known.
pub(super) fn may_hold(
    conn: &Connection,
    mail: &Connection,
    place: Place,
    sought: &[Sought],
) -> Result<Vec<Option<UidSet>>> {
    let queries: Vec<Option<Query>> = sought.iter().map(Query::new).collect();
    let known: Vec<&Query> = queries.iter().flatten().collect();
    if known.is_empty() {
        return Ok(Vec::new());
    }
    let tx = conn.unchecked_transaction().map_err(sql)?;
    let answer = ask(&tx, place.account, &known)?;
    tx.commit().map_err(sql)?;
    let mut sets = messages(mail, place, &answer)?.into_iter();
    Ok(queries
        .iter()
        .map(|query| query.as_ref().and_then(|_| sets.next()))
        .collect())
}

fn ask(conn: &Connection, account: i64, queries: &[&Query]) -> Result<Answer> {
    let rows = SegmentRow::of_account(conn, account)?;
    let all: usize = rows.iter().map(|row| row.segment.count as usize).sum();
    let mut answer = Answer {
        bodies: Vec::with_capacity(all),
        may_hold: queries.iter().map(|_| Bits::none(all)).collect(),
    };
    for row in rows {
        let base = answer.bodies.len();
        let bodies = row.bodies()?;
        if base > 0 && bodies.first().map(|body| body.id) <= answer.bodies.last().copied() {
            return Err(damaged("two segments of the search index overlap"));
        }
        for (query, may_hold) in queries.iter().zip(&mut answer.may_hold) {
            for grams in &query.0 {
                if let Some(found) = having(conn, row.segment, grams)? {
                    found.iter().for_each(|at| may_hold.put(base + at));
                }
            }
            let unknown = bodies.iter().enumerate().filter(|(_, body)| body.unknown);
            unknown.for_each(|(at, _)| may_hold.put(base + at));
        }
        answer.bodies.extend(bodies.iter().map(|body| body.id));
    }
    Ok(answer)
}

/// The messages of a segment that may have all these grams, each of which is looked up until it is clear.
fn having(conn: &Connection, segment: Segment, grams: &[Gram]) -> Result<Option<Bits>> {
    let count = segment.count as usize;
    let mut all: Option<Bits> = None;
    let mut block: Option<Block> = None;
    let few = FEW.0.min(count / FEW.1);
    let mut in_vain = 0;
    for gram in grams {
        let block = match &mut block {
            Some(block) if block.covers(*gram) => block,
            block => block.insert(Block::covering(conn, segment, *gram)?),
        };
        let mut these = Bits::none(count);
        if !block.find(*gram, |ordinal| these.put(ordinal as usize))? {
            return Ok(None);
        }
        let Some(all) = &mut all else {
            all = Some(these);
            continue;
        };
        let before = all.len();
        all.retain(&these);
        let left = all.len();
        if left == 0 {
            return Ok(None);
        }
        in_vain = if left < before { 0 } else { in_vain + 1 };
        if in_vain >= SURE && left <= few {
            break;
        }
    }
    Ok(all)
}

/// The messages of a mailbox whose body may hold each query, and those whose body the index does not know.
fn messages(mail: &Connection, place: Place, answer: &Answer) -> Result<Vec<UidSet>> {
    let mut sets: Vec<UidSet> = answer.may_hold.iter().map(|_| UidSet::new()).collect();
    let mut select = mail
        .prepare_cached("SELECT uid, body FROM messages WHERE account = ? AND mailbox = ? ORDER BY uid")
        .map_err(sql)?;
    let mut rows = select.query([place.account, place.mailbox]).map_err(sql)?;
    let mut next = 0;
    while let Some(row) = rows.next().map_err(sql)? {
        let (uid, body): (u32, i64) = (row.get(0).map_err(sql)?, row.get(1).map_err(sql)?);
        let Some(uid) = Uid::new(uid) else { continue };
        // Bodies come mostly in the order of the messages.
        let at = match answer.bodies.get(next) {
            Some(known) if *known == body => Some(next),
            _ => answer.bodies.binary_search(&body).ok(),
        };
        if let Some(at) = at {
            next = at + 1;
        }
        for (set, may_hold) in sets.iter_mut().zip(&answer.may_hold) {
            if at.is_none_or(|at| may_hold.has(at)) {
                set.push_run(uid, uid);
            }
        }
    }
    Ok(sets)
}

#[cfg(test)]
mod tests {
    use super::super::block::Writer;
    use super::*;

    #[test]
    fn grams_are_looked_up_until_it_is_clear_who_has_them() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE blocks (id INTEGER PRIMARY KEY, octets BLOB NOT NULL) STRICT")
            .unwrap();
        let segment = Segment { id: 1, count: 256 };
        let mut writer = Writer::new(&conn, segment);
        let most: Vec<u32> = (0..256).filter(|n| n % 9 != 5).collect();
        for gram in 0..2_000 {
            let ordinals: &[u32] = if gram == 10 { &[3, 7, 14] } else { &most };
            writer.put(gram, ordinals).unwrap();
        }
        writer.finish().unwrap();
        let found = |grams: &[Gram]| {
            let found = having(&conn, segment, grams)?;
            Ok::<_, backend_api::Error>(found.map(|bits| bits.iter().collect::<Vec<_>>()))
        };
        let many: Vec<usize> = most.iter().map(|n| *n as usize).collect();
        assert_eq!(found(&[20, 500, 1_000, 1_500, 1_900]).unwrap(), Some(many));
        assert_eq!(found(&[10, 500, 1_000, 1_500, 1_900]).unwrap(), Some(vec![3, 7]));
        assert_eq!(
            found(&[10, 500, 1_000, 1_500, 3_000]).unwrap(),
            Some(vec![3, 7]),
            "one that is named in vain is no harm"
        );
        assert_eq!(found(&[20, 500, 1_000, 1_500, 3_000]).unwrap(), None);
        // Nor need the block of the last be there, except where many are left.
        let (_, last) = segment.keys();
        conn.execute("DELETE FROM blocks WHERE id > ?", [last - (1 << 25) + 1_600])
            .unwrap();
        assert_eq!(found(&[10, 500, 1_000, 1_500, 1_900]).unwrap(), Some(vec![3, 7]));
        assert!(found(&[20, 500, 1_000, 1_500, 1_900]).is_err());
    }
}
