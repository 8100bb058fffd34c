//! Pages and narrow rows in the database: finding those of a set of UIDs, and writing them back.

use backend_api::{DateTime, MessageEntry, ModSeq, Result, Uid, UidSet};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::error::{damaged, sql};
use crate::keywords::Keywords;
use crate::page::{Page, Record};
use crate::tx::Place;

/// A page and the row that it is in.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) row: i64,
    pub(crate) page: Page,
}

impl Stored {
    fn read(row: &Row<'_>) -> rusqlite::Result<(i64, Option<Page>)> {
        let blob = row.get_ref(1)?;
        Ok((row.get(0)?, blob.as_blob().ok().and_then(Page::decode)))
    }

    fn query(conn: &Connection, text: &str, place: Place, uid: i64) -> Result<Option<Self>> {
        let found = conn
            .prepare_cached(text)
            .and_then(|mut s| {
                s.query_row(params![place.account, place.mailbox, uid], Self::read)
                    .optional()
            })
            .map_err(sql)?;
        let Some((row, page)) = found else {
            return Ok(None);
        };
        let page = page.ok_or_else(|| damaged("a page of flags"))?;
        Ok(Some(Self { row, page }))
    }

    /// The page that new messages are added to, if there is one.
    pub(crate) fn last(conn: &Connection, place: Place) -> Result<Option<Self>> {
        Self::up_to(conn, place, i64::MAX)
    }

    fn up_to(conn: &Connection, place: Place, uid: i64) -> Result<Option<Self>> {
        let text = "SELECT id, records FROM pages WHERE account = ? AND mailbox = ? AND first_uid <= ?
                    ORDER BY first_uid DESC LIMIT 1";
        Self::query(conn, text, place, uid)
    }

    /// The first page with a message of this UID or a higher one.
    fn from(conn: &Connection, place: Place, uid: Uid) -> Result<Option<Self>> {
        let within = Self::up_to(conn, place, uid.get().into())?;
        if within.as_ref().and_then(Self::last_uid) >= Some(uid.get()) {
            return Ok(within);
        }
        let text = "SELECT id, records FROM pages WHERE account = ? AND mailbox = ? AND first_uid > ?
                    ORDER BY first_uid LIMIT 1";
        Self::query(conn, text, place, uid.get().into())
    }

    fn last_uid(&self) -> Option<u32> {
        self.page.records.last().map(|r| r.uid)
    }

    /// Whether a message of the set may be in it: its UIDs lie where those of the page do.
    pub(crate) fn may_hold_of(&self, set: &UidSet) -> bool {
        let (Some(first), Some(last)) = (self.page.records.first(), self.page.records.last()) else {
            return false;
        };
        let at = set.runs().partition_point(|run| run.1.get() < first.uid);
        set.runs().get(at).is_some_and(|run| run.0.get() <= last.uid)
    }

    /// Writes the page back. It goes with its last message.
    pub(crate) fn write(&self, conn: &Connection) -> Result<()> {
        if self.page.records.is_empty() {
            return conn
                .prepare_cached("DELETE FROM pages WHERE id = ?")
                .and_then(|mut s| s.execute([self.row]))
                .map(drop)
                .map_err(sql);
        }
        conn.prepare_cached("UPDATE pages SET records = ?2, max_modseq = ?3 WHERE id = ?1")
            .and_then(|mut s| s.execute(params![self.row, self.page.encode(), column(self.page.max_modseq())]))
            .map(drop)
            .map_err(sql)
    }
}

/// Writes a new page.
pub(crate) fn insert(conn: &Connection, place: Place, page: &Page) -> Result<()> {
    let Some(first) = page.records.first() else {
        return Ok(());
    };
    conn.prepare_cached("INSERT INTO pages (account, mailbox, first_uid, max_modseq, records) VALUES (?, ?, ?, ?, ?)")
        .and_then(|mut s| {
            s.execute(params![
                place.account,
                place.mailbox,
                first.uid,
                column(page.max_modseq()),
                page.encode()
            ])
        })
        .map(drop)
        .map_err(sql)
}

/// Visits, ascending, each page that may hold a message of the set.
pub(crate) fn each_page(
    conn: &Connection,
    place: Place,
    set: &UidSet,
    mut visit: impl FnMut(Stored) -> Result<()>,
) -> Result<()> {
    let mut next = set.first();
    while let Some(uid) = next {
        let Some(stored) = Stored::from(conn, place, uid)? else {
            return Ok(());
        };
        next = stored.last_uid().and_then(|last| above(set, last));
        visit(stored)?;
    }
    Ok(())
}

/// The first UID of the set above `last`.
fn above(set: &UidSet, last: u32) -> Option<Uid> {
    let at = set.runs().partition_point(|run| run.1.get() <= last);
    let (start, _) = set.runs().get(at)?;
    Uid::new(last.checked_add(1)?).map(|next| next.max(*start))
}

/// Whether a record is of the set.
pub(crate) fn is_in(set: &UidSet, record: &Record) -> bool {
    Uid::new(record.uid).is_some_and(|uid| set.contains(uid))
}

/// What never changes of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fact {
    pub(crate) uid: u32,
    pub(crate) size: i64,
    pub(crate) date: DateTime,
    pub(crate) body: i64,
}

impl Fact {
    /// A row of `uid, size, date, zone, body`.
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            uid: row.get(0)?,
            size: row.get(1)?,
            date: DateTime::new(row.get(2)?, row.get(3)?),
            body: row.get(4)?,
        })
    }

    /// As the contract lists it.
    pub(crate) fn entry(&self, record: &Record, page: &Page, keywords: &mut Keywords) -> Option<MessageEntry> {
        let flags = keywords.flags(record.system, page.keywords_of(record));
        let entry = MessageEntry::new(Uid::new(self.uid)?)
            .with_flags(flags)
            .with_date(self.date)
            .with_size(u64::try_from(self.size).unwrap_or(0))
            .with_mod_seq(ModSeq(record.modseq));
        Some(entry)
    }
}

/// Above so many messages of one page it is faster to read the rows in between as well.
const SINGLE: usize = 8;

/// The facts of these messages of one page (ascending). One whose row is missing is damage.
pub(crate) fn facts(conn: &Connection, place: Place, uids: &[u32]) -> Result<Vec<Fact>> {
    let mut facts = Vec::with_capacity(uids.len());
    let (Some(first), Some(last)) = (uids.first(), uids.last()) else {
        return Ok(facts);
    };
    let mut select = conn
        .prepare_cached(
            "SELECT uid, size, date, zone, body FROM messages WHERE account = ? AND mailbox = ? AND uid BETWEEN ? AND ?",
        )
        .map_err(sql)?;
    let mut wanted = uids.iter().copied().peekable();
    let mut collect = |from: u32, to: u32| -> Result<()> {
        let mut rows = select
            .query(params![place.account, place.mailbox, from, to])
            .map_err(sql)?;
        while let Some(row) = rows.next().map_err(sql)? {
            let uid: u32 = row.get(0).map_err(sql)?;
            if wanted.next_if_eq(&uid).is_some() {
                facts.push(Fact::read(row).map_err(sql)?);
            }
        }
        Ok(())
    };
    if uids.len() > SINGLE {
        collect(*first, *last)?;
    } else {
        uids.iter().try_for_each(|uid| collect(*uid, *uid))?;
    }
    if facts.len() == uids.len() {
        return Ok(facts);
    }
    Err(damaged("a message without its row"))
}

/// A mod-sequence as a column holds it.
pub(crate) fn column(modseq: u64) -> i64 {
    i64::try_from(modseq).unwrap_or(i64::MAX)
}
