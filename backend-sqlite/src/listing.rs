//! What is read of mailboxes without their messages' text: lists, counters, changes.

use backend_api::{
    Account, Changes, MailboxEntry, MailboxId, MailboxName, MessageEntry, Messages, ModSeq, Result, Status, UidSet,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::error::{damaged, no_mailbox, sql};
use crate::keywords::Keywords;
use crate::mailboxes::uses;
use crate::page::Page;
use crate::page_table::{Fact, column, facts};
use crate::tx::{Mailbox, Place, account_id, check_account, count, counters, deleted, unsigned};

/// An account's mailboxes, and its subscriptions of mailboxes that are not there.
pub(crate) fn mailboxes(conn: &Connection, account: &Account) -> Result<Vec<MailboxEntry>> {
    let id = account_id(account);
    check_account(conn, id)?;
    let mut select = conn
        .prepare_cached(concat!(
            "SELECT ",
            counters!(),
            ", m.id, m.name, m.special_use, s.name IS NOT NULL FROM mailboxes m
             LEFT JOIN subscriptions s ON s.account = m.account AND s.name = m.name
             WHERE m.account = ? AND m.name IS NOT NULL ORDER BY m.name"
        ))
        .map_err(sql)?;
    let mut all = Vec::new();
    let mut rows = select.query([id]).map_err(sql)?;
    while let Some(row) = rows.next().map_err(sql)? {
        all.push(entry(row)?);
    }
    let mut select = conn
        .prepare_cached(
            "SELECT s.name FROM subscriptions s WHERE s.account = ?1 AND NOT EXISTS
             (SELECT 1 FROM mailboxes m WHERE m.account = ?1 AND m.name = s.name)",
        )
        .map_err(sql)?;
    let mut rows = select.query([id]).map_err(sql)?;
    while let Some(row) = rows.next().map_err(sql)? {
        all.push(MailboxEntry::subscription(name(row, 0)?));
    }
    Ok(all)
}

/// One mailbox by name.
pub(crate) fn mailbox(conn: &Connection, account: &Account, name: &MailboxName) -> Result<Option<MailboxEntry>> {
    let mut select = conn
        .prepare_cached(concat!(
            "SELECT ",
            counters!(),
            ", m.id, m.name, m.special_use, EXISTS
             (SELECT 1 FROM subscriptions s WHERE s.account = m.account AND s.name = m.name)
             FROM mailboxes m WHERE m.account = ? AND m.name = ?"
        ))
        .map_err(sql)?;
    let mut rows = select.query(params![account_id(account), name.as_str()]).map_err(sql)?;
    let found = rows.next().map_err(sql)?.map(entry).transpose()?;
    if found.is_none() {
        check_account(conn, account_id(account))?;
    }
    Ok(found)
}

fn entry(row: &Row<'_>) -> Result<MailboxEntry> {
    let status = status(&Mailbox::read(row).map_err(sql)?);
    let id: i64 = row.get(11).map_err(sql)?;
    let id = MailboxId::try_from(id).map_err(|_| damaged("a mailbox's number"))?;
    let mut entry = MailboxEntry::named(id, name(row, 12)?)
        .with_uid_validity(status.uid_validity)
        .with_subscribed(row.get(14).map_err(sql)?);
    entry.attributes.special_use.extend(uses(row.get(13).map_err(sql)?));
    entry.status = Some(status);
    Ok(entry)
}

fn name(row: &Row<'_>, column: usize) -> Result<MailboxName> {
    let name = row.get_ref(column).map_err(sql)?;
    let name = name.as_str().map_err(|_| damaged("a mailbox's name"))?;
    MailboxName::new(name).map_err(|_| damaged("a mailbox's name"))
}

fn status(mailbox: &Mailbox) -> Status {
    let mut status = Status::new(mailbox.validity());
    status.messages = count(mailbox.messages);
    status.recent = count(mailbox.recent);
    status.uid_next = mailbox.next_uid();
    status.unseen = count(mailbox.unseen);
    status.deleted = count(mailbox.deleted);
    status.size = unsigned(mailbox.size);
    status.highest_mod_seq = Some(mailbox.mod_seq());
    status
}

/// Every message of a mailbox: pages and narrow rows, read side by side.
pub(crate) fn messages(conn: &Connection, place: Place) -> Result<Messages> {
    let mailbox = Mailbox::load(conn, place)?;
    let mut keywords = Keywords::load(conn, place)?;
    let mut entries: Vec<MessageEntry> = Vec::with_capacity(usize::try_from(mailbox.messages).unwrap_or(0));
    let mut select = conn
        .prepare_cached(
            "SELECT uid, size, date, zone, body FROM messages WHERE account = ? AND mailbox = ? ORDER BY uid",
        )
        .map_err(sql)?;
    let mut narrow = select.query(params![place.account, place.mailbox]).map_err(sql)?;
    let mut select = conn
        .prepare_cached("SELECT records FROM pages WHERE account = ? AND mailbox = ? ORDER BY first_uid")
        .map_err(sql)?;
    let mut pages = select.query(params![place.account, place.mailbox]).map_err(sql)?;
    let mut page = Page::default();
    while let Some(row) = pages.next().map_err(sql)? {
        let blob = row.get_ref(0).map_err(sql)?;
        let blob = blob.as_blob().ok();
        blob.and_then(|b| page.decode_into(b))
            .ok_or_else(|| damaged("a page of flags"))?;
        for record in &page.records {
            let fact = loop {
                let row = narrow.next().map_err(sql)?;
                let fact = Fact::read(row.ok_or_else(|| damaged("a message without its row"))?).map_err(sql)?;
                if fact.uid >= record.uid {
                    break fact;
                }
            };
            if fact.uid > record.uid {
                return Err(damaged("a message without its row"));
            }
            entries.extend(fact.entry(record, &page, &mut keywords));
        }
    }
    let mut messages = Messages::from(entries);
    messages.uid_next = mailbox.next_uid();
    messages.highest_mod_seq = mailbox.mod_seq();
    messages.first_recent = mailbox.first_recent();
    Ok(messages)
}

/// What changed since a mod-sequence; `None` when the log does not reach back so far, or it was never given.
pub(crate) fn changes_since(conn: &Connection, place: Place, since: ModSeq) -> Result<Option<Changes>> {
    let mailbox = match Mailbox::load(conn, place) {
        Ok(mailbox) => mailbox,
        Err(e) if e.kind() == backend_api::ErrorKind::NotFound => return gone(conn, place, since),
        Err(e) => return Err(e),
    };
    let from = column(since.get());
    if from < mailbox.log_floor || from > mailbox.highest_modseq {
        return Ok(None);
    }
    let mut changes = Changes::default();
    (changes.from, changes.to) = (since, mailbox.mod_seq());
    changes.uid_next = mailbox.next_uid();
    changes.vanished = vanished(conn, place, from)?;
    changes.set = changed(conn, place, from)?;
    Ok(Some(changes))
}

fn gone(conn: &Connection, place: Place, since: ModSeq) -> Result<Option<Changes>> {
    let known = conn
        .prepare_cached("SELECT 1 FROM mailboxes WHERE account = ? AND id = ?")
        .and_then(|mut s| s.exists(params![place.account, place.mailbox]))
        .map_err(sql)?;
    if known {
        Ok(Some(deleted(since)))
    } else {
        Err(no_mailbox())
    }
}

fn vanished(conn: &Connection, place: Place, from: i64) -> Result<UidSet> {
    let mut select = conn
        .prepare_cached("SELECT uids FROM vanished WHERE account = ? AND mailbox = ? AND modseq > ?")
        .map_err(sql)?;
    let mut rows = select.query(params![place.account, place.mailbox, from]).map_err(sql)?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next().map_err(sql)? {
        let blob = row.get_ref(0).map_err(sql)?;
        let more = blob.as_blob().ok().and_then(crate::uids::decode);
        runs.extend(more.ok_or_else(|| damaged("a set of UIDs"))?);
    }
    Ok(UidSet::from_runs(runs))
}

fn changed(conn: &Connection, place: Place, from: i64) -> Result<Vec<MessageEntry>> {
    let mut select = conn
        .prepare_cached("SELECT records FROM pages WHERE account = ? AND mailbox = ? AND max_modseq > ?")
        .map_err(sql)?;
    let mut rows = select.query(params![place.account, place.mailbox, from]).map_err(sql)?;
    let mut keywords: Option<Keywords> = None;
    let mut set = Vec::new();
    let mut page = Page::default();
    while let Some(row) = rows.next().map_err(sql)? {
        let blob = row.get_ref(0).map_err(sql)?;
        let blob = blob.as_blob().ok();
        blob.and_then(|b| page.decode_into(b))
            .ok_or_else(|| damaged("a page of flags"))?;
        let keywords = match &mut keywords {
            Some(loaded) => loaded,
            none => none.insert(Keywords::load(conn, place)?),
        };
        let records = || page.records.iter().filter(|r| column(r.modseq) > from);
        let uids: Vec<u32> = records().map(|r| r.uid).collect();
        for (fact, record) in facts(conn, place, &uids)?.iter().zip(records()) {
            set.extend(fact.entry(record, &page, keywords));
        }
    }
    set.sort_unstable_by_key(|e| e.uid);
    Ok(set)
}

/// Whether there is such an account, and its number.
pub(crate) fn account(conn: &Connection, name: &str) -> Result<Option<Account>> {
    let id: Option<i64> = conn
        .prepare_cached("SELECT id FROM accounts WHERE name = ? AND removed = 0")
        .and_then(|mut s| s.query_row([name], |r| r.get(0)).optional())
        .map_err(sql)?;
    Ok(id.map(|id| Account::with_id(name, unsigned(id))))
}
