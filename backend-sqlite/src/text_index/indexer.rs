//! Who keeps the index in step: one store at a time on a folder, on a thread of low priority, in small steps each of which
//! is whole or was not. After a crash it goes on where the last step ended.

use std::collections::HashSet;
use std::fs::{File, TryLockError};
use std::sync::Arc;
use std::time::{Duration, Instant};

use backend_api::{Error, Result};
use rusqlite::{Connection, OptionalExtension as _};

use super::TextIndex;
use super::database::{self, Body, SegmentRow, State, begin};
use super::grams::Collector;
use super::growing::{Batch, Range, merge, to_merge};
use super::pace::Pace;
use crate::error::sql;
use crate::folder::{Folder, private_file};
use crate::schema;
use crate::shared::Shared;

/// A look for messages of other processes.
const TIMER: Duration = Duration::from_secs(5);
/// After something went wrong.
const TROUBLE: Duration = Duration::from_secs(60);
/// Between two searches for bodies that are no more, and from the start to the first: a start has more urgent work.
const SWEEP: Duration = Duration::from_secs(600);
/// A segment of which one body in so many is no more is written anew.
const DEAD: usize = 5;

/// The thread.
pub(crate) fn run(shared: &Arc<Shared>) {
    lower_priority();
    let mut indexer = None;
    let mut wait = Duration::ZERO;
    while shared.text_index.wait(wait) {
        wait = match work(shared, &mut indexer) {
            Ok(()) => TIMER,
            Err(e) => {
                indexer = None;
                tracing::error!(kind = ?e.kind(), source = std::error::Error::source(&e), "{}", super::TROUBLED);
                TROUBLE
            }
        };
        shared.pass_is_over();
    }
}

/// On Linux a thread has a priority of its own.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(10);
}

fn work<'s>(shared: &'s Shared, indexer: &mut Option<Indexer<'s>>) -> Result<()> {
    let working = match indexer {
        Some(working) => working,
        None => match Indexer::new(&shared.text_index, &shared.folder)? {
            Some(new) => indexer.insert(new),
            None => return Ok(()),
        },
    };
    working.pace.begin();
    while !shared.stopping() && working.step(&shared.folder)? {}
    if !shared.stopping() {
        working.tidy(&|| shared.stopping())?;
    }
    Ok(())
}

/// What was read, and for which state of the index.
struct Read {
    state: State,
    range: Range,
    change: i64,
    batch: Batch,
}

/// The right to change the index, and what it takes.
pub(super) struct Indexer<'i> {
    pace: Pace<'i>,
    conn: Connection,
    mail: Connection,
    grams: Option<Collector>,
    /// Accounts whose segments may be too many.
    grown: Vec<i64>,
    swept: Instant,
    /// Locked, never read.
    _right: File,
}

impl<'i> Indexer<'i> {
    /// `None` when another store has the right.
    pub(super) fn new(index: &'i TextIndex, folder: &Folder) -> Result<Option<Self>> {
        let right = private_file(&folder.root().join("run/indexer"))?;
        match right.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(e)) => return Err(e.into()),
        }
        let mail = schema::reading(&folder.database()).map_err(sql)?;
        let conn = index.connect(&mail)?;
        let mut select = conn.prepare("SELECT DISTINCT account FROM segments").map_err(sql)?;
        let rows = select.query_map([], |r| r.get(0)).map_err(sql)?;
        let grown = rows.collect::<rusqlite::Result<_>>().map_err(sql)?;
        drop(select);
        Ok(Some(Self {
            pace: Pace::new(index),
            conn,
            mail,
            grams: None,
            grown,
            swept: Instant::now(),
            _right: right,
        }))
    }

    /// Takes in the next messages, or makes one segment of several: whether there may be more to do.
    pub(super) fn step(&mut self, folder: &Folder) -> Result<bool> {
        let more = self.merge_one()? || self.take_in(folder)?;
        if more {
            self.pace.give_way();
        } else {
            // It may be a few MiB, and is needed again when the next message comes.
            self.grams = None;
        }
        Ok(more)
    }

    fn take_in(&mut self, folder: &Folder) -> Result<bool> {
        match self.read(folder)? {
            Some(read) => self.write(read).map(|()| true),
            None => Ok(false),
        }
    }

    /// Reads the next messages, if there are any.
    fn read(&mut self, folder: &Folder) -> Result<Option<Read>> {
        let state = State::read(&self.conn)?;
        let Some((range, change)) = self.next_range(&state)? else {
            return Ok(None);
        };
        let grams = self.grams.get_or_insert_with(Collector::new);
        let picture = self.mail.unchecked_transaction().map_err(sql)?;
        self.pace.reading();
        let batch = Batch::read(&self.mail, folder, range, grams, &mut self.pace);
        self.pace.free();
        let batch = batch?;
        picture.commit().map_err(sql)?;
        Ok(Some(Read {
            state,
            range,
            change,
            batch,
        }))
    }

    /// Writes them into the index, unless it is no longer the one they were read for: somebody may have begun to make it
    /// anew.
    fn write(&mut self, read: Read) -> Result<()> {
        let Read {
            state,
            range,
            change,
            batch,
        } = read;
        let tx = begin(&mut self.conn)?;
        let is_next = match range.account {
            None => State::read(&tx)? == state,
            Some(account) => behind(&tx)? == Some((account, range.after, range.upto)),
        };
        if !is_next {
            return Ok(());
        }
        let (upto, anchor) = (batch.upto, batch.anchor.clone());
        self.grown.extend(batch.write(&tx, self.pace.writing())?);
        match range.account {
            None => {
                let anchor = anchor.unwrap_or(state.anchor);
                State { upto, change, anchor }.write(&tx)?;
            }
            Some(account) => {
                let text = match upto < range.upto {
                    true => "UPDATE behind SET after = ?2 WHERE account = ?1",
                    false => "DELETE FROM behind WHERE account = ?1 AND after < ?2",
                };
                tx.execute(text, [account, upto]).map_err(sql)?;
            }
        }
        tx.commit().map_err(sql)
    }

    /// What is to be taken in next, and the mail database's change number.
    fn next_range(&self, state: &State) -> Result<Option<(Range, i64)>> {
        let (change, next_body): (i64, i64) = self
            .mail
            .prepare_cached("SELECT change, next_body FROM store")
            .and_then(|mut s| s.query_row([], |r| Ok((r.get(0)?, r.get(1)?))))
            .map_err(sql)?;
        let newest = next_body.saturating_sub(1);
        let range = match behind(&self.conn)? {
            _ if newest > state.upto => Range {
                after: state.upto,
                upto: newest,
                account: None,
            },
            Some((account, after, upto)) => Range {
                after,
                upto,
                account: Some(account),
            },
            None => return Ok(None),
        };
        Ok(Some((range, change)))
    }

    fn merge_one(&mut self) -> Result<bool> {
        let Some(account) = self.grown.pop() else {
            return Ok(false);
        };
        let tx = begin(&mut self.conn)?;
        let rows = SegmentRow::of_account(&tx, account)?;
        let Some(range) = to_merge(&rows) else {
            return Ok(true);
        };
        let rows = rows.get(range).unwrap_or_default();
        let mut gone = HashSet::new();
        for row in rows {
            gone.extend(missing(&self.mail, &row.bodies()?)?);
        }
        merge(&tx, rows, &gone, self.pace.writing())?;
        tx.commit().map_err(sql)?;
        self.grown.push(account);
        Ok(true)
    }

    /// Once in a while: takes out the bodies that are no more, and gives room back to the disk.
    fn tidy(&mut self, stop: &dyn Fn() -> bool) -> Result<()> {
        if self.swept.elapsed() < SWEEP {
            return Ok(());
        }
        self.sweep(stop)?;
        self.swept = Instant::now();
        Ok(())
    }

    /// Takes out what is no more, segment by segment.
    pub(super) fn sweep(&mut self, stop: &dyn Fn() -> bool) -> Result<()> {
        let mut after = 0i64;
        while !stop() {
            let next: Option<(i64, i64)> = self
                .conn
                .prepare_cached("SELECT id, account FROM segments WHERE id > ? ORDER BY id LIMIT 1")
                .and_then(|mut s| s.query_row([after], |r| Ok((r.get(0)?, r.get(1)?))).optional())
                .map_err(sql)?;
            let Some((id, account)) = next else { break };
            after = id;
            let tx = begin(&mut self.conn)?;
            let rows = SegmentRow::of_account(&tx, account)?;
            let Some(row) = rows.into_iter().find(|row| row.segment.id == id) else {
                continue;
            };
            let bodies = row.bodies()?;
            let gone = missing(&self.mail, &bodies)?;
            if gone.len() * DEAD >= bodies.len() {
                merge(&tx, std::slice::from_ref(&row), &gone, self.pace.writing())?;
                tx.commit().map_err(sql)?;
                self.pace.give_way();
            }
        }
        self.give_back()
    }

    /// Gives pages back to the disk when more than a quarter of them hold nothing.
    fn give_back(&self) -> Result<()> {
        let number = |pragma| self.conn.query_row(pragma, [], |r| r.get::<_, i64>(0)).map_err(sql);
        let (free, pages) = (number("PRAGMA freelist_count")?, number("PRAGMA page_count")?);
        if free > pages / 4 {
            let mut vacuum = self.conn.prepare("PRAGMA incremental_vacuum").map_err(sql)?;
            let mut rows = vacuum.query([]).map_err(sql)?;
            while rows.next().map_err(sql)?.is_some() {}
        }
        Ok(())
    }
}

/// The first account that is being taken in again, and what of it is still to come.
fn behind(conn: &Connection) -> Result<Option<(i64, i64, i64)>> {
    conn.prepare_cached("SELECT account, after, upto FROM behind ORDER BY account LIMIT 1")
        .and_then(|mut s| s.query_row([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).optional())
        .map_err(sql)
}

/// Those bodies that are no more.
fn missing(mail: &Connection, bodies: &[Body]) -> Result<HashSet<i64>> {
    // In one picture: else each look-up locks the database anew, which costs more than it.
    let picture = mail.unchecked_transaction().map_err(sql)?;
    let mut select = picture
        .prepare_cached("SELECT 1 FROM bodies WHERE id = ?")
        .map_err(sql)?;
    let mut gone = HashSet::new();
    for body in bodies {
        if !select.exists([body.id]).map_err(sql)? {
            gone.insert(body.id);
        }
    }
    drop(select);
    picture.commit().map_err(sql)?;
    Ok(gone)
}

/// Forgets what is known of an account, or of all: from now on its messages are read until they are taken in again.
pub(super) fn forget(index: &TextIndex, mail: &Connection, account: Option<i64>) -> Result<()> {
    let Some(account) = account else {
        return database::reset(&index.path);
    };
    let mut conn = index.connect(mail)?;
    let tx = begin(&mut conn)?;
    for row in SegmentRow::of_account(&tx, account)? {
        SegmentRow::delete(&tx, row.segment)?;
    }
    let upto = State::read(&tx)?.upto;
    tx.execute("INSERT OR REPLACE INTO behind VALUES (?, 0, ?)", [account, upto])
        .map_err(sql)?;
    tx.commit().map_err(sql)
}

/// How many messages of an account, or of all, are taken in, and whether all are.
pub(super) fn progress(conn: &Connection, mail: &Connection, account: Option<i64>) -> Result<(u64, bool)> {
    let state = State::read(conn)?;
    let next_body: i64 = mail
        .query_row("SELECT next_body FROM store", [], |r| r.get(0))
        .map_err(sql)?;
    let done: i64 = conn
        .query_row(
            "SELECT ifnull(sum(count), 0) FROM segments WHERE ?1 IS NULL OR account = ?1",
            [account],
            |r| r.get(0),
        )
        .map_err(sql)?;
    let waiting: bool = conn
        .query_row(
            "SELECT EXISTS (SELECT 1 FROM behind WHERE ?1 IS NULL OR account = ?1)",
            [account],
            |r| r.get(0),
        )
        .map_err(sql)?;
    let done = u64::try_from(done).map_err(Error::internal)?;
    Ok((done, state.upto >= next_body.saturating_sub(1) && !waiting))
}

#[cfg(test)]
mod tests {
    use backend_api::{Account, ErrorKind, Flags, Incoming, MailStore as _, MailboxName, MessageBody, NewMessage};

    use super::*;
    use crate::{Options, SqliteStore};

    async fn add(store: &SqliteStore, account: &Account, text: String) {
        let inbox = store.mailbox(account, &MailboxName::inbox()).await.unwrap().unwrap();
        let body = Incoming::Body(MessageBody::from(text));
        let message = NewMessage::new(Flags::NONE, backend_api::DateTime::now(), 0, body);
        store.add(account, inbox.id, vec![message]).await.unwrap();
    }

    #[tokio::test]
    async fn on_a_full_disk_nothing_is_half_taken_in() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path(), Options::brief()).unwrap();
        let account = store.add_user("ann", None, true).await.unwrap();
        let (index, folder) = (&store.shared.text_index, &store.shared.folder);
        let mut indexer = Indexer::new(index, folder).unwrap().unwrap();
        for n in 0..50u64 {
            let number = |k| (n * 7_919 + k) * 2_654_435_761 % 0xff_ffff;
            let text: String = (0..200).map(|k| format!("{:x} ", number(k))).collect();
            add(&store, &account, format!("Subject: {n}\r\n\r\n{text}\r\n")).await;
        }
        let pages = |n: i64| format!("PRAGMA max_page_count = {n}");
        let most = |indexer: &Indexer<'_>, n| indexer.conn.query_row(&pages(n), [], |_| Ok(())).unwrap();
        most(&indexer, 1);
        assert_eq!(indexer.step(folder).unwrap_err().kind(), ErrorKind::OverQuota);
        let counts = |indexer: &Indexer<'_>| -> (i64, i64) {
            let query = "SELECT (SELECT count(*) FROM segments), (SELECT count(*) FROM blocks)";
            indexer
                .conn
                .query_row(query, [], |r| Ok((r.get(0)?, r.get(1)?)))
                .unwrap()
        };
        assert_eq!(counts(&indexer), (0, 0));
        most(&indexer, 1_000_000);
        while indexer.step(folder).unwrap() {}
        assert_eq!(progress(&indexer.conn, &indexer.mail, None).unwrap(), (50, true));
        assert!(counts(&indexer).1 > 1);
    }

    #[tokio::test]
    async fn what_was_read_for_an_index_that_is_made_anew_meanwhile_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path(), Options::brief()).unwrap();
        let account = store.add_user("ann", None, true).await.unwrap();
        let (index, folder) = (&store.shared.text_index, &store.shared.folder);
        let mut indexer = Indexer::new(index, folder).unwrap().unwrap();
        let mail = schema::reading(&folder.database()).unwrap();
        for n in 0..3 {
            add(&store, &account, format!("Subject: {n}\r\n\r\napples\r\n")).await;
            while indexer.step(folder).unwrap() {}
        }
        for whose in [Some(1), None] {
            forget(index, &mail, whose).unwrap();
            let read = indexer.read(folder).unwrap().unwrap();
            // It is begun once more, and is further already.
            while indexer.step(folder).unwrap() {}
            indexer.write(read).unwrap();
            assert_eq!(
                progress(&indexer.conn, &indexer.mail, None).unwrap(),
                (3, true),
                "{whose:?}"
            );
            let rows = SegmentRow::of_account(&indexer.conn, 1).unwrap();
            let bodies: Vec<i64> = rows
                .iter()
                .flat_map(|row| row.bodies().unwrap())
                .map(|body| body.id)
                .collect();
            assert_eq!(bodies, [1, 2, 3], "{whose:?}");
        }
    }

    #[tokio::test]
    async fn it_gives_way_while_it_reads_and_writes_and_between_steps() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path(), Options::brief()).unwrap();
        let account = store.add_user("ann", None, true).await.unwrap();
        let (index, folder) = (&store.shared.text_index, &store.shared.folder);
        let hour = Duration::from_secs(3600);
        index.bulk.moved(Instant::now() + hour);
        // So that each rest ends at once.
        index.stop();
        let mut indexer = Indexer::new(index, folder).unwrap().unwrap();
        let long_ago = Instant::now().checked_sub(hour).unwrap();
        // More grams than are written without a look at the clock.
        let text: String = (0..100).map(|n| format!("{n:03} ")).collect();
        add(&store, &account, format!("Subject: a\r\n\r\n{text}\r\n")).await;
        let mut rested = Vec::new();
        let mut did = |indexer: &mut Indexer<'_>| {
            rested.push(indexer.pace.since != long_ago);
            indexer.pace.since = long_ago;
        };
        indexer.pace.since = long_ago;
        let read = indexer.read(folder).unwrap().unwrap();
        did(&mut indexer);
        indexer.write(read).unwrap();
        did(&mut indexer);
        assert!(
            indexer.step(folder).unwrap(),
            "it looks whether there are too many segments"
        );
        did(&mut indexer);
        assert_eq!(rested, [true; 3]);
    }

    #[tokio::test]
    async fn only_one_store_at_a_time_changes_the_index() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(dir.path(), Options::brief()).unwrap();
        let (index, folder) = (&store.shared.text_index, &store.shared.folder);
        let one = Indexer::new(index, folder).unwrap();
        assert!(one.is_some() && Indexer::new(index, folder).unwrap().is_none());
        drop(one);
        assert!(Indexer::new(index, folder).unwrap().is_some());
    }
}
