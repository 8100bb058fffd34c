//! Adding messages to a mailbox: rows, pages and counters of new messages and of copied ones.

use backend_api::{
    Account, Appended, Changes, DateTime, Error, ErrorKind, Flags, MessageEntry, Result, SystemFlag, Uid,
};
use rusqlite::params;

use crate::body;
use crate::error::sql;
use crate::keywords::Keywords;
use crate::page::{PAGE, Page};
use crate::page_table::{self, Fact, Stored};
use crate::stage::Staged;
use crate::tx::{Mailbox, Place, Tx, mod_seq};

/// A message that was staged, and what it comes with.
pub(crate) struct Arriving {
    pub(crate) flags: Flags,
    pub(crate) date: DateTime,
    pub(crate) staged: Staged,
}

/// A message with a body, on its way into a mailbox.
pub(crate) struct Arrival {
    pub(crate) body: i64,
    pub(crate) size: i64,
    pub(crate) date: DateTime,
    pub(crate) system: u8,
    /// Ids of the mailbox that it comes to, sorted.
    pub(crate) keywords: Vec<u16>,
}

/// Adds messages, all or none.
pub(crate) fn add(tx: &mut Tx<'_>, account: &Account, place: Place, messages: Vec<Arriving>) -> Result<Appended> {
    let mut mailbox = tx.mailbox(place)?;
    let validity = mailbox.validity();
    if messages.is_empty() {
        return Ok(Appended::new(validity, Vec::new()));
    }
    let mut keywords = Keywords::default();
    if messages.iter().any(|m| !m.flags.keywords().is_empty()) {
        keywords = Keywords::load(tx.conn, place)?;
        keywords.intern(tx.conn, place, messages.iter().flat_map(|m| m.flags.keywords()))?;
    }
    let mut arrivals = Vec::with_capacity(messages.len());
    for message in messages {
        if message.staged.account != place.account {
            return Err(Error::internal("a message was staged for another account"));
        }
        arrivals.push(Arrival {
            size: i64::try_from(message.staged.size).map_err(Error::internal)?,
            date: message.date,
            system: message.flags.system(),
            keywords: keywords.known(message.flags.keywords()),
            body: body::insert(tx, place.account, message.staged)?,
        });
    }
    let from = mailbox.mod_seq();
    mailbox.highest_modseq = mailbox.highest_modseq.saturating_add(1);
    let set = arrive(tx, place, &mut mailbox, &arrivals, &mut keywords)?;
    tx.save(place, &mailbox)?;
    let uids = set.iter().map(|e| e.uid).collect();
    let mut changes = Changes::default();
    (changes.from, changes.to, changes.set) = (from, mailbox.mod_seq(), set);
    changes.uid_next = mailbox.next_uid();
    tx.tell(account, place, changes);
    Ok(Appended::new(validity, uids))
}

/// Gives each arrival the next UID, under the mailbox's highest mod-sequence. The caller saves the mailbox.
pub(crate) fn arrive(
    tx: &mut Tx<'_>,
    place: Place,
    mailbox: &mut Mailbox,
    arrivals: &[Arrival],
    keywords: &mut Keywords,
) -> Result<Vec<MessageEntry>> {
    let modseq = mod_seq(mailbox.highest_modseq).get();
    let mut entries = Vec::with_capacity(arrivals.len());
    let mut open = OpenPage::last(tx, place)?;
    let mut insert = tx
        .conn
        .prepare_cached(
            "INSERT INTO messages (account, mailbox, uid, size, date, zone, saved, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .map_err(sql)?;
    for arrival in arrivals {
        let uid = next_uid(mailbox)?;
        insert
            .execute(params![
                place.account,
                place.mailbox,
                uid.get(),
                arrival.size,
                arrival.date.unix(),
                arrival.date.offset_minutes(),
                tx.now,
                arrival.body
            ])
            .map_err(sql)?;
        open.push(tx, uid, modseq, arrival)?;
        count_in(mailbox, arrival);
        let fact = Fact {
            uid: uid.get(),
            size: arrival.size,
            date: arrival.date,
            body: arrival.body,
        };
        entries.extend(open.entry(&fact, keywords));
    }
    open.write(tx)?;
    Ok(entries)
}

fn next_uid(mailbox: &mut Mailbox) -> Result<Uid> {
    let full = || {
        Error::new(
            ErrorKind::Limit,
            "every UID of this mailbox is used up; make a new mailbox",
        )
    };
    let uid = mailbox.next_uid().ok_or_else(full)?;
    mailbox.uid_next = mailbox.uid_next.saturating_add(1);
    Ok(uid)
}

fn count_in(mailbox: &mut Mailbox, arrival: &Arrival) {
    let has = |flag: SystemFlag| i64::from(arrival.system & flag as u8 != 0);
    mailbox.messages += 1;
    mailbox.recent += 1;
    mailbox.unseen += 1 - has(SystemFlag::Seen);
    mailbox.deleted += has(SystemFlag::Deleted);
    mailbox.size = mailbox.size.saturating_add(arrival.size);
}

/// The page that messages are being added to.
struct OpenPage {
    place: Place,
    row: Option<i64>,
    page: Page,
}

impl OpenPage {
    fn last(tx: &Tx<'_>, place: Place) -> Result<Self> {
        let last = Stored::last(tx.conn, place)?;
        let (row, page) = match last.filter(|s| s.page.records.len() < PAGE) {
            Some(stored) => (Some(stored.row), stored.page),
            None => (None, Page::default()),
        };
        Ok(Self { place, row, page })
    }

    fn push(&mut self, tx: &Tx<'_>, uid: Uid, modseq: u64, arrival: &Arrival) -> Result<()> {
        if self.page.records.len() >= PAGE {
            self.write(tx)?;
            (self.row, self.page) = (None, Page::default());
        }
        self.page.push(uid.get(), modseq, arrival.system, &arrival.keywords);
        Ok(())
    }

    fn entry(&self, fact: &Fact, keywords: &mut Keywords) -> Option<MessageEntry> {
        fact.entry(self.page.records.last()?, &self.page, keywords)
    }

    fn write(&mut self, tx: &Tx<'_>) -> Result<()> {
        match self.row {
            None => page_table::insert(tx.conn, self.place, &self.page),
            Some(row) => {
                let page = std::mem::take(&mut self.page);
                Stored { row, page }.write(tx.conn)
            }
        }
    }
}
