//! Asking the index: which messages of a mailbox may hold what is sought.

use backend_api::{Result, Sought, SoughtIn, Uid, UidSet};
use rusqlite::Connection;

use super::block::Block;
use super::database::SegmentRow;
use super::grams::{self, Area, Gram};
use super::lists::Bits;
use crate::error::{damaged, sql};
use crate::tx::Place;

/// Grams of a string that are looked up: with more, hardly a message fewer is named.
const MOST_GRAMS: usize = 48;

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
                if let Some(found) = having(conn, &row, grams)? {
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

/// The messages of a segment that have all these grams.
fn having(conn: &Connection, row: &SegmentRow, grams: &[Gram]) -> Result<Option<Bits>> {
    let count = row.segment.count as usize;
    let mut all: Option<Bits> = None;
    let mut block: Option<Block> = None;
    for gram in grams {
        let block = match &mut block {
            Some(block) if block.covers(*gram) => block,
            block => block.insert(Block::covering(conn, row.segment, *gram)?),
        };
        let mut these = Bits::none(count);
        if !block.find(*gram, |ordinal| these.put(ordinal as usize))? {
            return Ok(None);
        }
        if let Some(all) = &mut all {
            if !all.retain(&these) {
                return Ok(None);
            }
        } else {
            all = Some(these);
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
