//! Removing messages: out of the pages at once, as ghosts out of rows and bodies later.

use backend_api::{Account, Changes, Remove, Result, SystemFlag, Uid, UidSet};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::body;
use crate::error::sql;
use crate::page::Record;
use crate::page_table::{column, each_page, facts, is_in};
use crate::tx::{Mailbox, Place, Tx, uid, uid_set};
use crate::uids;

/// Operations in the log of expunges of one mailbox, at least; it is cut when it holds a quarter more.
const LOG: i64 = 100_000;

/// Removes messages and says which.
pub(crate) fn remove(tx: &mut Tx<'_>, account: &Account, place: Place, set: &UidSet, which: Remove) -> Result<UidSet> {
    let mut mailbox = tx.mailbox(place)?;
    let from = mailbox.mod_seq();
    let gone = take_out(tx, place, &mut mailbox, set, which)?;
    if gone.is_empty() {
        return Ok(gone);
    }
    mailbox.highest_modseq = mailbox.highest_modseq.saturating_add(1);
    log(tx, place, &mut mailbox, &gone)?;
    tx.save(place, &mailbox)?;
    let mut changes = Changes::default();
    (changes.from, changes.to, changes.vanished) = (from, mailbox.mod_seq(), gone.clone());
    changes.uid_next = mailbox.next_uid();
    tx.tell(account, place, changes);
    Ok(gone)
}

/// Takes messages out of the pages and the counters. The caller counts the mod-sequence, logs and saves.
pub(crate) fn take_out(
    tx: &Tx<'_>,
    place: Place,
    mailbox: &mut Mailbox,
    set: &UidSet,
    which: Remove,
) -> Result<UidSet> {
    let mut gone = UidSet::new();
    each_page(tx.conn, place, set, |mut stored| {
        let goes = |r: &Record| is_in(set, r) && (which == Remove::All || r.has(SystemFlag::Deleted));
        let mut out = Vec::new();
        for record in stored.page.records.iter().filter(|r| goes(r)) {
            out.push(record.uid);
            mailbox.messages -= 1;
            mailbox.unseen -= i64::from(!record.has(SystemFlag::Seen));
            mailbox.deleted -= i64::from(record.has(SystemFlag::Deleted));
            mailbox.recent -= i64::from(i64::from(record.uid) >= mailbox.first_recent);
        }
        if out.is_empty() {
            return Ok(());
        }
        for fact in facts(tx.conn, place, &out)? {
            mailbox.size = mailbox.size.saturating_sub(fact.size);
        }
        out.into_iter().filter_map(Uid::new).for_each(|uid| gone.insert(uid));
        stored.page.records.retain(|r| !goes(r));
        stored.write(tx.conn)
    })?;
    Ok(gone)
}

/// Writes down what vanished under the mailbox's highest mod-sequence, and that its rows are still there.
pub(crate) fn log(tx: &mut Tx<'_>, place: Place, mailbox: &mut Mailbox, gone: &UidSet) -> Result<()> {
    let blob = uids::encode(gone);
    tx.conn
        .prepare_cached("INSERT INTO vanished (account, mailbox, modseq, uids) VALUES (?, ?, ?, ?)")
        .and_then(|mut s| s.execute(params![place.account, place.mailbox, mailbox.highest_modseq, blob]))
        .map_err(sql)?;
    tx.conn
        .prepare_cached("INSERT INTO ghosts (account, mailbox, modseq, at, uids) VALUES (?, ?, ?, ?, ?)")
        .and_then(|mut s| {
            s.execute(params![
                place.account,
                place.mailbox,
                mailbox.highest_modseq,
                tx.now,
                blob
            ])
        })
        .map_err(sql)?;
    tx.after.ghosts.push(place);
    mailbox.log_rows += 1;
    if mailbox.log_rows > LOG + LOG / 4 {
        cut_log(tx, place, mailbox)?;
    }
    Ok(())
}

fn cut_log(tx: &Tx<'_>, place: Place, mailbox: &mut Mailbox) -> Result<()> {
    let floor: Option<i64> = tx
        .conn
        .prepare_cached(
            "SELECT modseq FROM vanished WHERE account = ? AND mailbox = ? ORDER BY modseq DESC LIMIT 1 OFFSET ?",
        )
        .and_then(|mut s| {
            s.query_row(params![place.account, place.mailbox, LOG], |r| r.get(0))
                .optional()
        })
        .map_err(sql)?;
    let Some(floor) = floor else {
        return Ok(());
    };
    let cut = tx
        .conn
        .prepare_cached("DELETE FROM vanished WHERE account = ? AND mailbox = ? AND modseq <= ?")
        .and_then(|mut s| s.execute(params![place.account, place.mailbox, floor]))
        .map_err(sql)?;
    mailbox.log_rows = mailbox.log_rows.saturating_sub(i64::try_from(cut).unwrap_or(0));
    mailbox.log_floor = mailbox.log_floor.max(floor);
    Ok(())
}

/// What is left of the ghosts of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    Nothing,
    /// Those that somebody still numbers.
    Needed,
    /// Perhaps more that nobody needs.
    More,
}

/// Removes rows and bodies of messages that were expunged up to a mod-sequence, `most` of them.
pub(crate) fn reclaim(tx: &mut Tx<'_>, place: Place, up_to: u64, most: u32) -> Result<Left> {
    let rows: Vec<(i64, Vec<u8>)> = tx
        .conn
        .prepare_cached(
            "SELECT id, uids FROM ghosts WHERE account = ? AND mailbox = ? AND modseq <= ? ORDER BY modseq LIMIT ?",
        )
        .and_then(|mut s| {
            let key = params![place.account, place.mailbox, column(up_to), most];
            let rows = s.query_map(key, |r| Ok((r.get(0)?, r.get(1)?)))?;
            rows.collect()
        })
        .map_err(sql)?;
    let mut left = u64::from(most);
    for (row, blob) in rows {
        let ghosts = uid_set(&blob)?;
        let now = uids::first(&ghosts, u32::try_from(left).unwrap_or(most));
        reclaim_row(tx, place, row, &ghosts, &now)?;
        left = left.saturating_sub(now.len());
        if left == 0 {
            return Ok(Left::More);
        }
    }
    let needed = tx
        .conn
        .prepare_cached("SELECT 1 FROM ghosts WHERE account = ? AND mailbox = ?")
        .and_then(|mut s| s.exists([place.account, place.mailbox]))
        .map_err(sql)?;
    Ok(if needed { Left::Needed } else { Left::Nothing })
}

/// The mailboxes that have ghosts.
pub(crate) fn haunted(conn: &Connection) -> Result<Vec<Place>> {
    conn.prepare_cached("SELECT DISTINCT account, mailbox FROM ghosts")
        .and_then(|mut s| {
            let place = |r: &Row<'_>| {
                Ok(Place {
                    account: r.get(0)?,
                    mailbox: r.get(1)?,
                })
            };
            let places = s.query_map([], place)?;
            places.collect()
        })
        .map_err(sql)
}

/// Removes rows and bodies of some of the ghosts of one row.
pub(crate) fn reclaim_row(tx: &mut Tx<'_>, place: Place, row: i64, ghosts: &UidSet, now: &UidSet) -> Result<()> {
    for uid in now.iter() {
        let body: Option<i64> = tx
            .conn
            .prepare_cached("DELETE FROM messages WHERE account = ? AND mailbox = ? AND uid = ? RETURNING body")
            .and_then(|mut s| {
                s.query_row(params![place.account, place.mailbox, uid.get()], |r| r.get(0))
                    .optional()
            })
            .map_err(sql)?;
        if let Some(body) = body {
            body::release(tx, body)?;
        }
    }
    let left = uids::difference(ghosts, now);
    if left.is_empty() {
        tx.conn
            .prepare_cached("DELETE FROM ghosts WHERE id = ?")
            .and_then(|mut s| s.execute([row]))
            .map_err(sql)?;
        return Ok(());
    }
    tx.conn
        .prepare_cached("UPDATE ghosts SET uids = ? WHERE id = ?")
        .and_then(|mut s| s.execute(params![uids::encode(&left), row]))
        .map_err(sql)?;
    Ok(())
}

/// Gives the messages below `below` that were in no session yet to the caller's: from which UID on. Who has them already
/// is decided here, among all processes.
pub(crate) fn claim_recent(tx: &mut Tx<'_>, place: Place, below: Uid) -> Result<Uid> {
    let mut mailbox = tx.mailbox(place)?;
    let first = uid(mailbox.first_recent).map_or(below, |first| first.min(below));
    let end = i64::from(below.get()).min(mailbox.uid_next);
    if end <= mailbox.first_recent {
        return Ok(below);
    }
    mailbox.first_recent = end;
    mailbox.recent = 0;
    if let (true, Some(from)) = (end < mailbox.uid_next, uid(end)) {
        each_page(tx.conn, place, &UidSet::run(from, Uid::MAX), |stored| {
            let recent = stored.page.records.iter().filter(|r| i64::from(r.uid) >= end);
            mailbox.recent += i64::try_from(recent.count()).unwrap_or(0);
            Ok(())
        })?;
    }
    // No other process has to hear of it: what it sees as recent is decided by what is written here.
    tx.conn
        .prepare_cached("UPDATE mailboxes SET first_recent = ?3, recent = ?4 WHERE account = ?1 AND id = ?2")
        .and_then(|mut s| {
            s.execute(params![
                place.account,
                place.mailbox,
                mailbox.first_recent,
                mailbox.recent
            ])
        })
        .map_err(sql)?;
    Ok(first)
}
