//! What an operation works on: the open transaction, the counters of mailboxes, and what is to be done after the commit.

use backend_api::{Account, Changes, Error, ErrorKind, MailboxId, ModSeq, Result, Uid, UidSet, UidValidity};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::error::{damaged, no_account, no_mailbox, sql};
use crate::stage::StagedFile;

/// The key of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) account: i64,
    pub(crate) mailbox: i64,
}

impl Place {
    /// The key of this mailbox; numbers that were never given name no mailbox.
    pub(crate) fn new(account: &Account, mailbox: MailboxId) -> Self {
        Self {
            account: account_id(account),
            mailbox: i64::try_from(mailbox).unwrap_or(-1),
        }
    }

    /// Its number, as the contract has it.
    pub(crate) fn id(self) -> MailboxId {
        MailboxId::try_from(self.mailbox).unwrap_or(0)
    }
}

/// The row of an account.
pub(crate) fn account_id(account: &Account) -> i64 {
    i64::try_from(account.id()).unwrap_or(-1)
}

/// The counters of a mailbox, as its row holds them.
#[derive(Debug, Clone)]
pub(crate) struct Mailbox {
    pub(crate) uid_validity: u32,
    /// Up to 2^32, when every UID is used up.
    pub(crate) uid_next: i64,
    pub(crate) first_recent: i64,
    pub(crate) recent: i64,
    pub(crate) highest_modseq: i64,
    pub(crate) log_floor: i64,
    pub(crate) log_rows: i64,
    pub(crate) messages: i64,
    pub(crate) unseen: i64,
    pub(crate) deleted: i64,
    pub(crate) size: i64,
}

/// The columns of a mailbox's row that [`Mailbox::read`] reads, in its order.
macro_rules! counters {
    () => {
        "uid_validity, uid_next, first_recent, recent, highest_modseq, log_floor, log_rows, messages, unseen, deleted, size"
    };
}
pub(crate) use counters;

impl Mailbox {
    /// Reads [`counters`], the first columns of the row.
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            uid_validity: row.get(0)?,
            uid_next: row.get(1)?,
            first_recent: row.get(2)?,
            recent: row.get(3)?,
            highest_modseq: row.get(4)?,
            log_floor: row.get(5)?,
            log_rows: row.get(6)?,
            messages: row.get(7)?,
            unseen: row.get(8)?,
            deleted: row.get(9)?,
            size: row.get(10)?,
        })
    }

    /// The counters of a mailbox that is there.
    pub(crate) fn load(conn: &Connection, place: Place) -> Result<Self> {
        conn.prepare_cached(concat!(
            "SELECT ",
            counters!(),
            " FROM mailboxes WHERE account = ? AND id = ? AND name IS NOT NULL"
        ))
        .and_then(|mut s| {
            s.query_row(params![place.account, place.mailbox], Self::read)
                .optional()
        })
        .map_err(sql)?
        .ok_or_else(|| check_account(conn, place.account).err().unwrap_or_else(no_mailbox))
    }

    /// The next UID; `None` once all are used up.
    pub(crate) fn next_uid(&self) -> Option<Uid> {
        uid(self.uid_next)
    }

    /// From which UID on messages were in no session yet; `None` once all UIDs are used up and were in one.
    pub(crate) fn first_recent(&self) -> Option<Uid> {
        uid(self.first_recent)
    }

    /// The highest mod-sequence.
    pub(crate) fn mod_seq(&self) -> ModSeq {
        mod_seq(self.highest_modseq)
    }

    /// UIDVALIDITY.
    pub(crate) fn validity(&self) -> UidValidity {
        UidValidity::new(self.uid_validity).unwrap_or(UidValidity::MIN)
    }
}

/// Whether the account is (still) there.
///
/// # Errors
/// Those who act for one that was removed are sent away.
pub(crate) fn check_account(conn: &Connection, account: i64) -> Result<()> {
    let alive = conn
        .prepare_cached("SELECT 1 FROM accounts WHERE id = ? AND removed = 0")
        .and_then(|mut s| s.exists([account]))
        .map_err(sql)?;
    if alive { Ok(()) } else { Err(no_account()) }
}

/// A UID as a column holds it.
pub(crate) fn uid(n: i64) -> Option<Uid> {
    u32::try_from(n).ok().and_then(Uid::new)
}

/// A mod-sequence as a column holds it.
pub(crate) fn mod_seq(n: i64) -> ModSeq {
    ModSeq(unsigned(n))
}

/// A number that is never negative, as a column holds it.
pub(crate) fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// A count as a column holds it.
pub(crate) fn count(n: i64) -> u32 {
    u32::try_from(n.max(0)).unwrap_or(u32::MAX)
}

/// What a committed operation has to tell the watcher.
#[derive(Debug)]
pub(crate) struct Notice {
    pub(crate) account: Account,
    pub(crate) mailbox: MailboxId,
    pub(crate) changes: Option<Changes>,
}

/// What is done after the commit.
#[derive(Debug, Default)]
pub(crate) struct After {
    /// Told in this order.
    pub(crate) notices: Vec<Notice>,
    /// Mailboxes with messages that were expunged and are kept until nobody numbers them.
    pub(crate) ghosts: Vec<Place>,
    /// Large bodies whose last reference went.
    pub(crate) unlink: Vec<[u8; 16]>,
    /// Files that a row names from the commit on.
    pub(crate) keep: Vec<StagedFile>,
    /// Files whose octets are there already.
    pub(crate) discard: Vec<StagedFile>,
}

impl After {
    /// The commit failed, and a crash may yet bring it back: files are left to be swept when no row names them.
    pub(crate) fn leave_files(self) {
        self.keep.into_iter().for_each(StagedFile::keep);
    }
}

/// One operation's view of the transaction.
pub(crate) struct Tx<'c> {
    pub(crate) conn: &'c Connection,
    /// Written to each mailbox that changes, so that other processes find it.
    pub(crate) change: i64,
    /// Seconds since 1970.
    pub(crate) now: i64,
    pub(crate) next_body: i64,
    /// Larger bodies are files.
    pub(crate) file_above: u64,
    pub(crate) after: After,
    /// Whether something was changed that other processes have to hear of.
    pub(crate) changed: bool,
}

impl Tx<'_> {
    /// The counters of a mailbox that is there.
    pub(crate) fn mailbox(&self, place: Place) -> Result<Mailbox> {
        Mailbox::load(self.conn, place)
    }

    /// Writes the counters of a mailbox, and that it changed.
    pub(crate) fn save(&mut self, place: Place, m: &Mailbox) -> Result<()> {
        self.changed = true;
        self.conn
            .prepare_cached(
                "UPDATE mailboxes SET uid_next = ?3, first_recent = ?4, recent = ?5, highest_modseq = ?6, log_floor = ?7,
                 log_rows = ?8, messages = ?9, unseen = ?10, deleted = ?11, size = ?12, change = ?13
                 WHERE account = ?1 AND id = ?2",
            )
            .and_then(|mut s| {
                s.execute(params![
                    place.account,
                    place.mailbox,
                    m.uid_next,
                    m.first_recent,
                    m.recent,
                    m.highest_modseq,
                    m.log_floor,
                    m.log_rows,
                    m.messages,
                    m.unseen,
                    m.deleted,
                    m.size,
                    self.change
                ])
            })
            .map_err(sql)?;
        Ok(())
    }

    /// Tells the watcher, once this is committed.
    pub(crate) fn tell(&mut self, account: &Account, place: Place, changes: Changes) {
        self.after.notices.push(Notice {
            account: account.clone(),
            mailbox: place.id(),
            changes: Some(changes),
        });
    }

    /// Tells the watcher that there is too much to tell: it asks.
    pub(crate) fn tell_to_ask(&mut self, account: &Account, place: Place) {
        self.after.notices.push(Notice {
            account: account.clone(),
            mailbox: place.id(),
            changes: None,
        });
    }

    /// The number of a new body, never given before.
    pub(crate) fn new_body(&mut self) -> i64 {
        let id = self.next_body;
        self.next_body = id.saturating_add(1);
        id
    }

    /// A UIDVALIDITY that this account never had: the clock, or one above the last.
    pub(crate) fn new_uid_validity(&self, account: i64) -> Result<u32> {
        let next: Option<i64> = self
            .conn
            .prepare_cached(
                "UPDATE accounts SET uid_validity = max(uid_validity + 1, ?2) WHERE id = ?1 AND removed = 0
                 RETURNING uid_validity",
            )
            .and_then(|mut s| s.query_row(params![account, self.now], |r| r.get(0)).optional())
            .map_err(sql)?;
        let next = next.ok_or_else(no_account)?;
        u32::try_from(next).map_err(|_| Error::new(ErrorKind::Limit, "no more mailboxes can be created"))
    }

    /// Random octets for an object id.
    pub(crate) fn object_id(&self) -> Result<[u8; 16]> {
        crate::folder::random_id().map_err(Error::internal)
    }
}

/// Changes without content: something about the mailbox itself.
pub(crate) fn no_changes(m: &Mailbox) -> Changes {
    let mut changes = Changes::default();
    (changes.from, changes.to, changes.uid_next) = (m.mod_seq(), m.mod_seq(), m.next_uid());
    changes
}

/// That the mailbox is gone.
pub(crate) fn deleted(at: ModSeq) -> Changes {
    let mut changes = Changes::default();
    (changes.from, changes.to, changes.deleted) = (at, at.next(), true);
    changes
}

/// A set of UIDs as a column holds it.
pub(crate) fn uid_set(blob: &[u8]) -> Result<UidSet> {
    let runs = crate::uids::decode(blob).ok_or_else(|| damaged("a set of UIDs"))?;
    Ok(UidSet::from_runs(runs))
}
