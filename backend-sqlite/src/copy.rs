//! Copying and moving messages between mailboxes: references to the same bodies, in one transaction.

use backend_api::{Account, Changes, Copied, Error, ErrorKind, Keyword, MessageEntry, Remove, Result, Uid, UidSet};

use crate::append::{Arrival, arrive};
use crate::body;
use crate::expunge::{log, take_out};
use crate::keywords::Keywords;
use crate::page_table::{each_page, facts, is_in};
use crate::tx::{Mailbox, Place, Tx};

/// Messages that are copied, with their keywords by name.
struct Source {
    uids: Vec<Uid>,
    arrivals: Vec<Arrival>,
    /// All keywords of all of them.
    names: Vec<Keyword>,
    keywords: Keywords,
}

/// Old and new UID of each message.
type Pairs = Vec<(Uid, Uid)>;

/// Copies messages: all of the set, or those that are still there.
pub(crate) fn copy(
    tx: &mut Tx<'_>,
    account: &Account,
    from: Place,
    set: &UidSet,
    to: Place,
    all: bool,
) -> Result<Copied> {
    tx.mailbox(from)?;
    let mut target = target(tx, to)?;
    let source = read(tx, from, set)?;
    if all && (source.uids.len() as u64) < set.len() {
        let text = "some of the messages were expunged; nothing was copied";
        return Err(Error::new(ErrorKind::ExpungeIssued, text));
    }
    if source.uids.is_empty() {
        return Ok(Copied::new(target.validity(), Vec::new()));
    }
    let before = target.mod_seq();
    target.highest_modseq = target.highest_modseq.saturating_add(1);
    let (uids, set) = put(tx, to, &mut target, source)?;
    tx.save(to, &target)?;
    let mut changes = Changes::default();
    (changes.from, changes.to, changes.set) = (before, target.mod_seq(), set);
    changes.uid_next = target.next_uid();
    tx.tell(account, to, changes);
    Ok(Copied::new(target.validity(), uids))
}

/// Moves those messages of the set that are still there.
pub(crate) fn r#move(tx: &mut Tx<'_>, account: &Account, from: Place, set: &UidSet, to: Place) -> Result<Copied> {
    if from == to {
        return renumber(tx, account, from, set);
    }
    let mut origin = tx.mailbox(from)?;
    let mut target = target(tx, to)?;
    let source = read(tx, from, set)?;
    if source.uids.is_empty() {
        return Ok(Copied::new(target.validity(), Vec::new()));
    }
    let (origin_before, target_before) = (origin.mod_seq(), target.mod_seq());
    target.highest_modseq = target.highest_modseq.saturating_add(1);
    let (uids, arrived) = put(tx, to, &mut target, source)?;
    tx.save(to, &target)?;
    let gone = take_out(tx, from, &mut origin, set, Remove::All)?;
    origin.highest_modseq = origin.highest_modseq.saturating_add(1);
    log(tx, from, &mut origin, &gone)?;
    tx.save(from, &origin)?;

    let mut changes = Changes::default();
    (changes.from, changes.to, changes.set) = (target_before, target.mod_seq(), arrived);
    changes.uid_next = target.next_uid();
    tx.tell(account, to, changes);
    let mut changes = Changes::default();
    (changes.from, changes.to, changes.vanished) = (origin_before, origin.mod_seq(), gone);
    changes.uid_next = origin.next_uid();
    tx.tell(account, from, changes);
    Ok(Copied::new(target.validity(), uids))
}

/// Moves within a mailbox: the messages get new UIDs (RFC 6851 4.4).
fn renumber(tx: &mut Tx<'_>, account: &Account, place: Place, set: &UidSet) -> Result<Copied> {
    let mut mailbox = tx.mailbox(place)?;
    let source = read(tx, place, set)?;
    if source.uids.is_empty() {
        return Ok(Copied::new(mailbox.validity(), Vec::new()));
    }
    let before = mailbox.mod_seq();
    mailbox.highest_modseq = mailbox.highest_modseq.saturating_add(1);
    // Out first: a set that reaches beyond the last message does not hold the new ones.
    let gone = take_out(tx, place, &mut mailbox, set, Remove::All)?;
    log(tx, place, &mut mailbox, &gone)?;
    let (uids, arrived) = put(tx, place, &mut mailbox, source)?;
    tx.save(place, &mailbox)?;
    let mut changes = Changes::default();
    (changes.from, changes.to) = (before, mailbox.mod_seq());
    (changes.set, changes.vanished, changes.uid_next) = (arrived, gone, mailbox.next_uid());
    tx.tell(account, place, changes);
    Ok(Copied::new(mailbox.validity(), uids))
}

fn target(tx: &Tx<'_>, to: Place) -> Result<Mailbox> {
    tx.mailbox(to).map_err(|e| match e.kind() {
        ErrorKind::NotFound => Error::not_found("no such mailbox to copy to"),
        _ => e,
    })
}

fn read(tx: &Tx<'_>, place: Place, set: &UidSet) -> Result<Source> {
    let mut source = Source {
        uids: Vec::new(),
        arrivals: Vec::new(),
        names: Vec::new(),
        keywords: Keywords::load(tx.conn, place)?,
    };
    let mut ids: Vec<u16> = Vec::new();
    each_page(tx.conn, place, set, |stored| {
        let records: Vec<_> = stored.page.records.iter().filter(|r| is_in(set, r)).collect();
        let uids: Vec<u32> = records.iter().map(|r| r.uid).collect();
        for (fact, record) in facts(tx.conn, place, &uids)?.iter().zip(records) {
            let keywords = stored.page.keywords_of(record);
            ids.extend_from_slice(keywords);
            source.uids.extend(Uid::new(fact.uid));
            source.arrivals.push(Arrival {
                body: fact.body,
                size: fact.size,
                date: fact.date,
                system: record.system,
                keywords: keywords.to_vec(),
            });
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(())
    })?;
    source.names = source.keywords.names(&ids).cloned().collect();
    Ok(source)
}

/// Adds references to the bodies, and the messages with the keywords as the target mailbox counts them.
fn put(tx: &mut Tx<'_>, to: Place, target: &mut Mailbox, mut source: Source) -> Result<(Pairs, Vec<MessageEntry>)> {
    let mut keywords = Keywords::load(tx.conn, to)?;
    keywords.intern(tx.conn, to, &source.names)?;
    for arrival in &mut source.arrivals {
        body::refer(tx, arrival.body)?;
        let names: Vec<Keyword> = source.keywords.names(&arrival.keywords).cloned().collect();
        arrival.keywords = keywords.known(&names);
    }
    let entries = arrive(tx, to, target, &source.arrivals, &mut keywords)?;
    let uids = source.uids.into_iter().zip(entries.iter().map(|e| e.uid)).collect();
    Ok((uids, entries))
}
