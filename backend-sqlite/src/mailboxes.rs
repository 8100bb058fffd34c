//! Making, removing, renaming and subscribing mailboxes.

use backend_api::{Account, Error, ErrorKind, MailboxName, Result, SpecialUse, Uid, UidSet};
use rusqlite::{OptionalExtension as _, params};

use crate::copy;
use crate::error::{no_account, no_mailbox, sql};
use crate::tx::{Place, Tx, account_id, check_account, deleted, no_changes};

/// Mailboxes, and subscriptions, of one account: more than anybody has, and few enough to list.
const MAX_NAMES: i64 = 100_000;

/// The bits of a mailbox's special uses, as its column holds them.
pub(crate) fn use_bits(uses: &[SpecialUse]) -> i64 {
    let all = SpecialUse::ALL.iter().enumerate();
    all.filter(|(_, u)| uses.contains(u))
        .fold(0, |bits, (at, _)| bits | 1 << at)
}

/// The special uses of these bits.
pub(crate) fn uses(bits: i64) -> impl Iterator<Item = SpecialUse> {
    let all = SpecialUse::ALL.into_iter().enumerate();
    all.filter_map(move |(at, u)| (bits >> at & 1 == 1).then_some(u))
}

/// Creates a mailbox, and those above it that are missing.
pub(crate) fn create(tx: &mut Tx<'_>, account: &Account, name: &MailboxName, uses: &[SpecialUse]) -> Result<Place> {
    check_room(tx, account, name)?;
    if find(tx, account, name)?.is_some() {
        return Err(exists(name));
    }
    let bits = use_bits(uses);
    let taken: Option<String> = tx
        .conn
        .prepare_cached("SELECT name FROM mailboxes WHERE account = ? AND name IS NOT NULL AND special_use & ? LIMIT 1")
        .and_then(|mut s| s.query_row(params![account_id(account), bits], |r| r.get(0)).optional())
        .map_err(sql)?;
    if let Some(other) = taken {
        let text = format!("the mailbox {other} has this special use already");
        return Err(Error::new(ErrorKind::UseAttr, text));
    }
    create_parents(tx, account, name)?;
    insert(tx, account, name, bits)
}

/// A mailbox by its name.
pub(crate) fn find(tx: &Tx<'_>, account: &Account, name: &MailboxName) -> Result<Option<Place>> {
    let account = account_id(account);
    let mailbox: Option<i64> = tx
        .conn
        .prepare_cached("SELECT id FROM mailboxes WHERE account = ? AND name = ?")
        .and_then(|mut s| s.query_row(params![account, name.as_str()], |r| r.get(0)).optional())
        .map_err(sql)?;
    Ok(mailbox.map(|mailbox| Place { account, mailbox }))
}

fn create_parents(tx: &mut Tx<'_>, account: &Account, name: &MailboxName) -> Result<()> {
    let mut missing = Vec::new();
    let mut above = name.parent();
    while let Some(parent) = above {
        if find(tx, account, &parent)?.is_some() {
            break;
        }
        above = parent.parent();
        missing.push(parent);
    }
    while let Some(parent) = missing.pop() {
        insert(tx, account, &parent, 0)?;
    }
    Ok(())
}

/// A new row. The caller knows that the name is free.
fn insert(tx: &mut Tx<'_>, account: &Account, name: &MailboxName, bits: i64) -> Result<Place> {
    let id = account_id(account);
    let uid_validity = tx.new_uid_validity(id)?;
    let mailbox: i64 = tx
        .conn
        .prepare_cached("UPDATE accounts SET next_mailbox = next_mailbox + 1 WHERE id = ? RETURNING next_mailbox - 1")
        .and_then(|mut s| s.query_row([id], |r| r.get(0)))
        .map_err(sql)?;
    tx.conn
        .prepare_cached(
            "INSERT INTO mailboxes (account, id, name, uid_validity, special_use, uid_next, first_recent, recent,
             highest_modseq, log_floor, log_rows, messages, unseen, deleted, size, change, object_id)
             VALUES (?, ?, ?, ?, ?, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, ?, ?)",
        )
        .and_then(|mut s| {
            let object = tx.object_id().map_err(|_| rusqlite::Error::InvalidQuery)?;
            s.execute(params![
                id,
                mailbox,
                name.as_str(),
                uid_validity,
                bits,
                tx.change,
                object
            ])
        })
        .map_err(sql)?;
    let place = Place { account: id, mailbox };
    touched(tx, account, place)?;
    Ok(place)
}

/// Removes a mailbox, if it has this name. The name is free at once; its messages go later, piece by piece.
pub(crate) fn delete(tx: &mut Tx<'_>, account: &Account, place: Place, name: &MailboxName) -> Result<()> {
    let mailbox = tx.mailbox(place)?;
    if find(tx, account, name)? != Some(place) {
        return Err(no_mailbox());
    }
    if name.is_inbox() {
        return Err(Error::new(ErrorKind::Cannot, "INBOX cannot be deleted"));
    }
    bury(tx, place)?;
    tx.tell(account, place, deleted(mailbox.mod_seq()));
    Ok(())
}

/// The mailbox has no name from now on.
pub(crate) fn bury(tx: &mut Tx<'_>, place: Place) -> Result<()> {
    tx.changed = true;
    tx.conn
        .prepare_cached(
            "UPDATE mailboxes SET name = NULL, special_use = 0, gone = ?3, change = ?4 WHERE account = ?1 AND id = ?2",
        )
        .and_then(|mut s| s.execute([place.account, place.mailbox, tx.now, tx.change]))
        .map(drop)
        .map_err(sql)
}

/// Renames a mailbox and everything below it; `INBOX` is emptied into a new one instead.
pub(crate) fn rename(tx: &mut Tx<'_>, account: &Account, from: &MailboxName, to: &MailboxName) -> Result<()> {
    check_account(tx.conn, account_id(account))?;
    if find(tx, account, to)?.is_some() {
        return Err(exists(to));
    }
    if from.is_inbox() {
        return empty_inbox(tx, account, from, to);
    }
    if to.is_below(from) {
        return Err(Error::new(ErrorKind::Cannot, "a mailbox cannot be moved below itself"));
    }
    let tree = tree(tx, account, from)?;
    if tree.is_empty() {
        return Err(no_mailbox());
    }
    let mut renamed = Vec::with_capacity(tree.len());
    for (place, name) in tree {
        let rest = name.strip_prefix(from.as_str()).unwrap_or_default();
        let name = MailboxName::new(&format!("{to}{rest}")).map_err(|e| Error::new(ErrorKind::Cannot, e.0))?;
        if find(tx, account, &name)?.is_some() {
            return Err(exists(&name));
        }
        renamed.push((place, name));
    }
    create_parents(tx, account, to)?;
    for (place, name) in renamed {
        tx.conn
            .prepare_cached("UPDATE mailboxes SET name = ?3 WHERE account = ?1 AND id = ?2")
            .and_then(|mut s| s.execute(params![place.account, place.mailbox, name.as_str()]))
            .map_err(sql)?;
        touched(tx, account, place)?;
    }
    Ok(())
}

fn empty_inbox(tx: &mut Tx<'_>, account: &Account, inbox: &MailboxName, to: &MailboxName) -> Result<()> {
    let from = find(tx, account, inbox)?.ok_or_else(no_mailbox)?;
    let place = create(tx, account, to, &[])?;
    let all = UidSet::run(Uid::MIN, Uid::MAX);
    copy::r#move(tx, account, from, &all, place).map(drop)
}

/// A mailbox and those below it, parents first. The mailbox itself need not be there.
fn tree(tx: &Tx<'_>, account: &Account, name: &MailboxName) -> Result<Vec<(Place, String)>> {
    let account = account_id(account);
    // '0' follows '/' in ASCII: between them is everything below.
    let mut select = tx
        .conn
        .prepare_cached(
            "SELECT id, name FROM mailboxes WHERE account = ?1 AND (name = ?2 OR (name > ?2 || '/' AND name < ?2 || '0'))
             ORDER BY name",
        )
        .map_err(sql)?;
    let rows = select
        .query_map(params![account, name.as_str()], |r| {
            let mailbox = r.get(0)?;
            Ok((Place { account, mailbox }, r.get(1)?))
        })
        .map_err(sql)?;
    rows.collect::<rusqlite::Result<_>>().map_err(sql)
}

/// Subscribes or unsubscribes a name.
pub(crate) fn subscribe(tx: &mut Tx<'_>, account: &Account, name: &MailboxName, subscribed: bool) -> Result<()> {
    let id = account_id(account);
    check_account(tx.conn, id)?;
    let text = if subscribed {
        check_subscriptions(tx, id)?;
        "INSERT OR IGNORE INTO subscriptions (account, name) VALUES (?, ?)"
    } else {
        "DELETE FROM subscriptions WHERE account = ? AND name = ?"
    };
    tx.conn
        .prepare_cached(text)
        .and_then(|mut s| s.execute(params![id, name.as_str()]))
        .map_err(sql)?;
    match find(tx, account, name)? {
        Some(place) => touched(tx, account, place),
        None => Ok(()),
    }
}

/// Something about the mailbox itself changed: everybody is told.
fn touched(tx: &mut Tx<'_>, account: &Account, place: Place) -> Result<()> {
    let mailbox = tx.mailbox(place)?;
    tx.save(place, &mailbox)?;
    tx.tell(account, place, no_changes(&mailbox));
    Ok(())
}

fn check_room(tx: &Tx<'_>, account: &Account, name: &MailboxName) -> Result<()> {
    let id = account_id(account);
    let alive: Option<i64> = tx
        .conn
        .prepare_cached(
            "SELECT (SELECT count(name) FROM mailboxes WHERE account = ?1) FROM accounts WHERE id = ?1 AND removed = 0",
        )
        .and_then(|mut s| s.query_row([id], |r| r.get(0)).optional())
        .map_err(sql)?;
    let levels = i64::try_from(name.as_str().split('/').count()).unwrap_or(i64::MAX);
    match alive {
        None => Err(no_account()),
        Some(count) if count.saturating_add(levels) > MAX_NAMES => Err(too_many("mailboxes")),
        Some(_) => Ok(()),
    }
}

fn check_subscriptions(tx: &Tx<'_>, account: i64) -> Result<()> {
    let count: i64 = tx
        .conn
        .prepare_cached("SELECT count(*) FROM subscriptions WHERE account = ?")
        .and_then(|mut s| s.query_row([account], |r| r.get(0)))
        .map_err(sql)?;
    if count >= MAX_NAMES {
        return Err(too_many("subscriptions"));
    }
    Ok(())
}

fn too_many(what: &str) -> Error {
    Error::new(
        ErrorKind::Limit,
        format!("an account can have at most {MAX_NAMES} {what}"),
    )
}

fn exists(name: &MailboxName) -> Error {
    Error::new(ErrorKind::AlreadyExists, format!("the mailbox {name} exists already"))
}
