//! The search index's own database: what is in it, which version, and to which mail database it belongs.
//!
//! It can be made again from the mail, so a commit does not wait for the disk, and no commit of mail waits for it. What
//! it claims is true for ever: a body's number is never given twice, and its octets never change.

use std::path::Path;
use std::time::{Duration, Instant};

use backend_api::Result;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, TransactionBehavior, params};

use super::block::{Segment, checksum};
use super::lists::{put_number, take_number};
use crate::error::{damaged, sql};
use crate::folder::private_file;
use crate::tx::unsigned;

/// How it is written.
const FORMAT: u32 = 2;
/// How it is written and what of a message is in it: an index of another version is made anew.
pub(super) const VERSION: u32 =
    FORMAT << 16 | (imap_message::VERSION as u32) << 8 | imap_message::SEARCHED_VERSION as u32;

const TABLES: &str = "
-- One row: bodies up to `upto` were taken in. `change` is the mail database's when that was written, `anchor` the object id
-- of the last body taken in: if they do not fit the mail database, that is an older copy.
CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    upto INTEGER NOT NULL,
    change INTEGER NOT NULL,
    anchor_body INTEGER NOT NULL,
    anchor BLOB NOT NULL
) STRICT;
INSERT INTO state VALUES (1, 0, 0, 0, x'');

-- Accounts that are being taken in again: their bodies above `after` and up to `upto` are still to come.
CREATE TABLE behind (account INTEGER PRIMARY KEY, after INTEGER NOT NULL, upto INTEGER NOT NULL) STRICT;

-- Bodies of one account that were taken in together. `bodies` names them, with a checksum; `octets` is what their blocks take.
CREATE TABLE segments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    octets INTEGER NOT NULL,
    bodies BLOB NOT NULL
) STRICT;
CREATE INDEX segments_by_account ON segments (account, first);

-- The lists of a segment's grams: the key is the segment's number * 2^25 + the first gram.
CREATE TABLE blocks (id INTEGER PRIMARY KEY, octets BLOB NOT NULL) STRICT;
";

/// Opens the database, made when it is not there and anew when it is of another version.
pub(super) fn open(path: &Path) -> Result<Connection> {
    private_file(path)?;
    let began = Instant::now();
    loop {
        // Of two that make a new database at once, SQLite sends one away without waiting.
        match connect(path) {
            Err(e) if e.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && began.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            connected => {
                let mut conn = connected.map_err(sql)?;
                make(&mut conn).map_err(sql)?;
                return Ok(conn);
            }
        }
    }
}

/// How long another process that writes is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(PATIENCE)?;
    let pages: i64 = conn.query_row("PRAGMA page_count", [], |r| r.get(0))?;
    if pages == 0 {
        // It is decided before there is anything, and would wait for whoever writes.
        conn.execute_batch("PRAGMA auto_vacuum = INCREMENTAL")?;
    }
    crate::schema::into_wal(&conn)?;
    conn.execute_batch(
        "PRAGMA synchronous = NORMAL;
         PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 16777216; PRAGMA cache_size = -4096;
         PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;",
    )?;
    conn.set_prepared_statement_cache_capacity(32);
    Ok(conn)
}

fn make(conn: &mut Connection) -> rusqlite::Result<()> {
    if is_current(conn)? {
        return Ok(());
    }
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if !is_current(&tx)? {
        tx.execute_batch(
            "DROP TABLE IF EXISTS state; DROP TABLE IF EXISTS behind; DROP TABLE IF EXISTS segments;
             DROP TABLE IF EXISTS blocks;",
        )?;
        tx.execute_batch(TABLES)?;
        tx.execute_batch(&format!("PRAGMA user_version = {VERSION}"))?;
    }
    tx.commit()
}

fn is_current(conn: &Connection) -> rusqlite::Result<bool> {
    let found: u32 = conn.query_row("PRAGMA user_version", [], |r| r.get(0))?;
    Ok(found == VERSION)
}

/// Empties the database, however damaged it is, and whoever else has it open.
pub(super) fn reset(path: &Path) -> Result<()> {
    private_file(path)?;
    let outcome = || {
        let conn = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        conn.busy_timeout(Duration::from_secs(30))?;
        // SQLite says that one is opened as far as it goes before it is reset.
        let _ = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_RESET_DATABASE, true)?;
        conn.execute_batch("VACUUM")?;
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_RESET_DATABASE, false)
    };
    outcome().map(drop).map_err(sql)?;
    open(path).map(drop)
}

/// What the index and the mail database know of each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    /// Bodies up to this were taken in.
    pub(super) upto: i64,
    /// The mail database's change number.
    pub(super) change: i64,
    /// The last body taken in, and its object id.
    pub(super) anchor: (i64, Vec<u8>),
}

impl State {
    pub(super) fn read(conn: &Connection) -> Result<Self> {
        conn.prepare_cached("SELECT upto, change, anchor_body, anchor FROM state")
            .and_then(|mut s| {
                s.query_row([], |r| {
                    Ok(Self {
                        upto: r.get(0)?,
                        change: r.get(1)?,
                        anchor: (r.get(2)?, r.get(3)?),
                    })
                })
            })
            .map_err(sql)
    }

    pub(super) fn write(&self, conn: &Connection) -> Result<()> {
        let (body, object) = &self.anchor;
        conn.prepare_cached("UPDATE state SET upto = ?, change = ?, anchor_body = ?, anchor = ?")
            .and_then(|mut s| s.execute(params![self.upto, self.change, body, object]))
            .map(drop)
            .map_err(sql)
    }

    /// Whether the mail database is one that this can have been made of.
    fn fits(&self, mail: &Connection) -> Result<bool> {
        let (change, next_body): (i64, i64) = mail
            .query_row("SELECT change, next_body FROM store", [], |r| {
                Ok((r.get(0)?, r.get(1)?))
            })
            .map_err(sql)?;
        let (body, object) = &self.anchor;
        let found: Option<Vec<u8>> = mail
            .query_row("SELECT email_id FROM bodies WHERE id = ?", [body], |r| r.get(0))
            .optional()
            .map_err(sql)?;
        Ok(change >= self.change && next_body > self.upto && found.is_none_or(|found| found == *object))
    }
}

/// Empties an index that was made of another mail database: one that was copied back from an earlier time.
pub(super) fn check(conn: &mut Connection, mail: &Connection) -> Result<()> {
    let tx = begin(conn)?;
    if !State::read(&tx)?.fits(mail)? {
        tracing::warn!("the search index belongs to another state of the mail: it is made anew");
        for text in ["DELETE FROM blocks", "DELETE FROM segments", "DELETE FROM behind"] {
            tx.execute(text, []).map_err(sql)?;
        }
        let empty = State {
            upto: 0,
            change: 0,
            anchor: (0, Vec::new()),
        };
        empty.write(&tx)?;
    }
    tx.commit().map_err(sql)
}

/// A transaction that writes.
pub(super) fn begin(conn: &mut Connection) -> Result<rusqlite::Transaction<'_>> {
    conn.transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(sql)
}

/// A body, as a segment names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) id: i64,
    /// The lists do not know what it holds.
    pub(super) unknown: bool,
}

/// A segment's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SegmentRow {
    pub(super) segment: Segment,
    pub(super) account: i64,
    pub(super) octets: u64,
    bodies: Vec<u8>,
}

impl SegmentRow {
    /// All segments of an account, by their bodies.
    pub(super) fn of_account(conn: &Connection, account: i64) -> Result<Vec<Self>> {
        let mut select = conn
            .prepare_cached("SELECT id, count, octets, bodies FROM segments WHERE account = ? ORDER BY first")
            .map_err(sql)?;
        let rows = select
            .query_map([account], |r| {
                Ok(Self {
                    segment: Segment {
                        id: r.get(0)?,
                        count: r.get(1)?,
                    },
                    account,
                    octets: unsigned(r.get(2)?),
                    bodies: r.get(3)?,
                })
            })
            .map_err(sql)?;
        rows.collect::<rusqlite::Result<_>>().map_err(sql)
    }

    /// Adds a segment of these bodies, ascending, whose blocks are still to be written.
    pub(super) fn insert(conn: &Connection, account: i64, bodies: &[Body]) -> Result<Segment> {
        let count = u32::try_from(bodies.len()).map_err(backend_api::Error::internal)?;
        let first = bodies.first().map_or(0, |body| body.id);
        let id: i64 = conn
            .prepare_cached(
                "INSERT INTO segments (account, first, count, octets, bodies) VALUES (?, ?, ?, 0, x'') RETURNING id",
            )
            .and_then(|mut s| s.query_row(params![account, first, count], |r| r.get(0)))
            .map_err(sql)?;
        let segment = Segment { id, count };
        let mut names = Vec::new();
        let mut last = 0;
        for body in bodies {
            let gap = u64::try_from(body.id.saturating_sub(last)).map_err(backend_api::Error::internal)?;
            put_number(&mut names, gap << 1 | u64::from(body.unknown));
            last = body.id;
        }
        let sum = names_sum(segment, account, &names);
        names.extend_from_slice(&sum);
        conn.prepare_cached("UPDATE segments SET bodies = ? WHERE id = ?")
            .and_then(|mut s| s.execute(params![names, id]))
            .map_err(sql)?;
        Ok(segment)
    }

    /// Notes how many octets the blocks of a segment take.
    pub(super) fn set_octets(conn: &Connection, segment: Segment, octets: u64) -> Result<()> {
        let octets = i64::try_from(octets).unwrap_or(i64::MAX);
        conn.prepare_cached("UPDATE segments SET octets = ? WHERE id = ?")
            .and_then(|mut s| s.execute([octets, segment.id]))
            .map(drop)
            .map_err(sql)
    }

    /// Removes a segment.
    pub(super) fn delete(conn: &Connection, segment: Segment) -> Result<()> {
        let (first, last) = segment.keys();
        conn.prepare_cached("DELETE FROM blocks WHERE id BETWEEN ? AND ?")
            .and_then(|mut s| s.execute([first, last]))
            .map_err(sql)?;
        conn.prepare_cached("DELETE FROM segments WHERE id = ?")
            .and_then(|mut s| s.execute([segment.id]))
            .map_err(sql)?;
        Ok(())
    }

    /// The bodies in it, ascending: the ordinals in its lists count these.
    pub(super) fn bodies(&self) -> Result<Vec<Body>> {
        let broken = || damaged("a segment of the search index");
        let (mut rest, sum) = self.bodies.split_last_chunk().ok_or_else(broken)?;
        if *sum != names_sum(self.segment, self.account, rest) {
            return Err(broken());
        }
        let mut bodies = Vec::new();
        let mut id = 0i64;
        while !rest.is_empty() {
            let number = take_number(&mut rest).ok_or_else(broken)?;
            let gap = i64::try_from(number >> 1).map_err(|_| broken())?;
            id = id.checked_add(gap).ok_or_else(broken)?;
            let unknown = number & 1 == 1;
            bodies.push(Body { id, unknown });
        }
        if bodies.len() != self.segment.count as usize {
            return Err(broken());
        }
        Ok(bodies)
    }
}

fn names_sum(segment: Segment, account: i64, names: &[u8]) -> [u8; 4] {
    let (id, count) = (segment.id.to_le_bytes(), u64::from(segment.count).to_le_bytes());
    checksum(&[b"bodies", &id, &count, &account.to_le_bytes(), names])
}
