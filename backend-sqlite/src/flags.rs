//! Changing flags: each page that holds a message of the set is rewritten once.

use std::borrow::Cow;

use backend_api::{Account, Changes, FlagChange, FlagsChanged, Keyword, ModSeq, Result, SystemFlag, Uid, UidSet};

use crate::keywords::Keywords;
use crate::page::Page;
use crate::page_table::{each_page, is_in};
use crate::tx::{Mailbox, Place, Tx};

/// Changed messages that the watcher is told one by one; beyond it the store is asked for them.
pub(crate) const TELL: usize = 100_000;

/// Makes these changes, one after the other, to the flags of those messages of their sets that are there, decided on what
/// the store holds now. They have one mod-sequence.
pub(crate) fn set_flags(
    tx: &mut Tx<'_>,
    account: &Account,
    place: Place,
    changes: &[(UidSet, FlagChange)],
    unchanged_since: Option<ModSeq>,
) -> Result<FlagsChanged> {
    let mut mailbox = tx.mailbox(place)?;
    let mut keywords = Keywords::load(tx.conn, place)?;
    let from = mailbox.mod_seq();
    let changes = changes
        .iter()
        .map(|(set, change)| Ok((set, Change::new(tx, place, &mut keywords, change)?)))
        .collect::<Result<Vec<_>>>()?;
    let all: Cow<'_, UidSet> = match changes.as_slice() {
        [(set, _)] => Cow::Borrowed(*set),
        many => Cow::Owned(UidSet::from_runs(many.iter().flat_map(|(set, _)| set.runs()).copied())),
    };
    let next = from.next();
    let mut answer = FlagsChanged::default();
    each_page(tx.conn, place, &all, |mut stored| {
        let mut touched = Vec::new();
        for (set, change) in &changes {
            if !stored.may_hold_of(set) {
                continue;
            }
            let more = touch(
                &mut stored.page,
                set,
                change,
                unchanged_since,
                next,
                &mut mailbox,
                &mut answer,
            );
            touched.extend(more);
        }
        if touched.is_empty() {
            return Ok(());
        }
        if changes.len() > 1 {
            touched.sort_unstable();
            touched.dedup();
        }
        stored.write(tx.conn)?;
        let touched = touched.iter().filter_map(|at| stored.page.records.get(*at));
        let flags = touched.filter_map(|record| {
            let flags = keywords.flags(record.system, stored.page.keywords_of(record));
            Some((Uid::new(record.uid)?, flags))
        });
        answer.changed.extend(flags);
        Ok(())
    })?;
    if answer.changed.is_empty() {
        return Ok(answer);
    }
    mailbox.highest_modseq = mailbox.highest_modseq.saturating_add(1);
    tx.save(place, &mailbox)?;
    if answer.changed.len() <= TELL {
        let mut changes = Changes::default();
        (changes.from, changes.to, changes.flags) = (from, mailbox.mod_seq(), answer.changed.clone());
        changes.uid_next = mailbox.next_uid();
        tx.tell(account, place, changes);
    } else {
        tx.tell_to_ask(account, place);
    }
    Ok(answer)
}

/// A change with the keywords' ids instead of their names.
struct Change {
    kind: Kind,
    system: u8,
    keywords: Vec<u16>,
}

enum Kind {
    Add,
    Remove,
    Replace,
}

impl Change {
    fn new(tx: &Tx<'_>, place: Place, keywords: &mut Keywords, change: &FlagChange) -> Result<Self> {
        let named: &[Keyword] = change.flags().keywords();
        let (kind, keywords) = match change {
            FlagChange::Remove(_) => (Kind::Remove, keywords.known(named)),
            FlagChange::Add(_) => (Kind::Add, keywords.intern(tx.conn, place, named)?),
            FlagChange::Replace(_) => (Kind::Replace, keywords.intern(tx.conn, place, named)?),
        };
        Ok(Self {
            kind,
            system: change.flags().system(),
            keywords,
        })
    }

    fn system(&self, before: u8) -> u8 {
        match self.kind {
            Kind::Add => before | self.system,
            Kind::Remove => before & !self.system,
            Kind::Replace => self.system,
        }
    }

    /// The sorted ids after the change, in `after`.
    fn keywords(&self, before: &[u16], after: &mut Vec<u16>) {
        after.clear();
        match self.kind {
            Kind::Replace => after.extend_from_slice(&self.keywords),
            Kind::Remove => after.extend(before.iter().filter(|id| self.keywords.binary_search(id).is_err())),
            Kind::Add => {
                after.extend_from_slice(before);
                after.extend(self.keywords.iter().filter(|id| before.binary_search(id).is_err()));
                after.sort_unstable();
            }
        }
    }
}

/// Changes the records of a page, and says at which places.
fn touch(
    page: &mut Page,
    set: &UidSet,
    change: &Change,
    unchanged_since: Option<ModSeq>,
    next: ModSeq,
    mailbox: &mut Mailbox,
    answer: &mut FlagsChanged,
) -> Vec<usize> {
    let mut touched = Vec::new();
    let mut after = Vec::new();
    for at in 0..page.records.len() {
        let Some(&record) = page.records.get(at).filter(|r| is_in(set, r)) else {
            continue;
        };
        if unchanged_since.is_some_and(|since| record.modseq > since.get()) {
            Uid::new(record.uid)
                .into_iter()
                .for_each(|uid| answer.modified.insert(uid));
            continue;
        }
        let system = change.system(record.system);
        change.keywords(page.keywords_of(&record), &mut after);
        if system == record.system && after == page.keywords_of(&record) {
            continue;
        }
        let had = |flag: SystemFlag| i64::from(record.has(flag));
        let has = |flag: SystemFlag| i64::from(system & flag as u8 != 0);
        mailbox.unseen += had(SystemFlag::Seen) - has(SystemFlag::Seen);
        mailbox.deleted += has(SystemFlag::Deleted) - had(SystemFlag::Deleted);
        page.set(at, next.get(), system, &after);
        touched.push(at);
    }
    touched
}
