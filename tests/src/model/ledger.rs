//! What all clients together know: which mailboxes there are, which message each UID is, who may have removed what.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::picture::FlagSet;
use super::rule::{Checked, Rule, broken, check};

/// A message as it is in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Truth {
    pub(super) uid: u32,
    pub(super) flags: FlagSet,
    /// Its `X-Id`; 0 for those that were there at the start.
    pub(super) id: u64,
}

/// A mailbox, whatever it is called now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct MailboxKey(pub(super) usize);

/// Which messages somebody asked to expunge since the last quiet point.
#[derive(Debug, Default)]
struct Expunged {
    all: bool,
    uids: HashSet<u32>,
}

/// One mailbox.
#[derive(Debug, Default)]
struct Shelf {
    validity: Option<u32>,
    /// Where UIDs under another UIDVALIDITY may take the place of these.
    renamed: bool,
    /// Which message a UID is.
    ids: BTreeMap<u32, u64>,
    /// UIDs whose making was told to whoever made them.
    explained: HashSet<u32>,
    /// Messages made whose UID nobody was told, and that must come to light.
    expected: Vec<u64>,
    /// The same that may have been made, or not.
    possible: Vec<u64>,
    /// Messages that may bear `\Deleted`.
    deletable: HashSet<u32>,
    expunged: Expunged,
    /// Messages that a MOVE took away, or that went outside of IMAP.
    taken: HashSet<u32>,
    /// RENAME of INBOX took messages away whose UIDs nobody was told.
    took_unseen: bool,
    /// A connection was cut while it wrote into this mailbox: what it did is known to nobody.
    uncertain: bool,
    /// Who was shown `\Recent`, and when.
    recent: HashMap<u32, (u64, u64)>,
    /// No UID below this one is given any more.
    uid_next: u32,
}

/// How a message is told from others: by the header field that each of these messages has.
fn message(id: u64) -> String {
    match id {
        0 => "a message without an X-Id field".to_owned(),
        id => format!("the message with `X-Id: {id}`"),
    }
}

/// A copy whose source is not known yet.
#[derive(Debug)]
struct Copied {
    from: (MailboxKey, u32),
    to: (MailboxKey, u32),
}

/// The clients' common knowledge.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Messages get ascending numbers of their own.
    pub(super) last_id: u64,
    /// The store keeps no UIDNEXT.
    forgets_uid_next: bool,
    shelves: Vec<Shelf>,
    names: BTreeMap<String, MailboxKey>,
    /// Names that were given up: the UIDVALIDITY and highest UID that must not come again there.
    graves: HashMap<String, Vec<(MailboxKey, u32, u32)>>,
    copies: Vec<Copied>,
}

impl Ledger {
    /// Nothing is known yet; `forgets_uid_next`: the store keeps no UIDNEXT.
    pub(super) fn new(forgets_uid_next: bool) -> Self {
        Self {
            forgets_uid_next,
            ..Self::default()
        }
    }

    /// The mailboxes that have a name.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, MailboxKey)> {
        self.names.iter().map(|(name, key)| (name.as_str(), *key))
    }

    pub(super) fn key(&self, name: &str) -> Option<MailboxKey> {
        self.names.get(name).copied()
    }

    /// The name of a mailbox, if it still has one.
    pub(super) fn name(&self, key: MailboxKey) -> Option<&str> {
        self.names().find(|(_, k)| *k == key).map(|(name, _)| name)
    }

    fn shelf(&mut self, key: MailboxKey) -> &mut Shelf {
        &mut self.shelves[key.0]
    }

    /// A mailbox of this name is there.
    pub(super) fn created(&mut self, name: &str) -> MailboxKey {
        let key = MailboxKey(self.shelves.len());
        self.shelves.push(Shelf::default());
        self.names.insert(name.to_owned(), key);
        key
    }

    /// It is no more.
    pub(super) fn deleted(&mut self, name: &str) {
        if let Some(key) = self.names.remove(name) {
            self.bury(name, key);
        }
    }

    fn bury(&mut self, name: &str, key: MailboxKey) {
        let shelf = &self.shelves[key.0];
        let highest = shelf.ids.keys().next_back().copied().unwrap_or(0);
        if let Some(validity) = shelf.validity {
            let grave = (key, validity, highest.max(shelf.uid_next.saturating_sub(1)));
            self.graves.entry(name.to_owned()).or_default().push(grave);
        }
    }

    /// It has another name; `keeps`: and the same UIDs under the same UIDVALIDITY.
    pub(super) fn renamed(&mut self, from: &str, to: &str, keeps: bool) {
        if let Some(key) = self.names.remove(from) {
            self.bury(from, key);
            self.shelf(key).renamed |= !keeps;
            self.names.insert(to.to_owned(), key);
        }
    }

    /// INBOX was emptied into a new mailbox (RFC 3501 6.3.5).
    pub(super) fn emptied(&mut self, inbox: MailboxKey, to: &str) -> Checked {
        self.follow()?;
        // What was copied there and nobody looked into has gone with the others.
        self.copies.retain(|copied| copied.to.0 != inbox);
        let into = self.created(to);
        let shelf = self.shelf(inbox);
        // Whoever has not heard of it yet may still read them in INBOX.
        shelf.possible.append(&mut shelf.expected);
        shelf.took_unseen |= shelf.uncertain || !shelf.possible.is_empty();
        let (mut expected, mut possible) = (Vec::new(), shelf.possible.clone());
        for (uid, id) in &shelf.ids {
            let sure = !shelf.taken.contains(uid) && !shelf.deletable.contains(uid) && shelf.explained.contains(uid);
            if sure { &mut expected } else { &mut possible }.push(*id);
        }
        shelf.taken.extend(shelf.ids.keys().chain(&shelf.explained));
        // A copy of what nobody had looked into is there as well.
        let uncertain = shelf.uncertain || shelf.explained.iter().any(|uid| !shelf.ids.contains_key(uid));
        let new = self.shelf(into);
        (new.expected, new.possible, new.uncertain) = (expected, possible, uncertain);
        Ok(())
    }

    /// UIDVALIDITY of a mailbox, as told.
    pub(super) fn validity_told(&mut self, key: MailboxKey, validity: u32) -> Checked {
        check(Rule::Status, validity > 0, || {
            "UIDVALIDITY is 0, and must be more".to_owned()
        })?;
        let shelf = self.shelf(key);
        match shelf.validity.replace(validity) {
            Some(known) if known != validity && shelf.renamed => {
                let ids = std::mem::take(&mut shelf.ids);
                *shelf = Shelf {
                    validity: Some(validity),
                    possible: ids.into_values().collect(),
                    ..Shelf::default()
                };
                Ok(())
            }
            Some(known) => check(Rule::UidRises, known == validity, || {
                format!("UIDVALIDITY was {known} and is {validity} now")
            }),
            None => Ok(()),
        }
    }

    /// The lowest UID that a message made from now on can have.
    pub(super) fn uid_floor(&self, key: MailboxKey) -> u32 {
        let shelf = &self.shelves[key.0];
        let above = shelf.ids.keys().next_back().map_or(1, |last| last + 1);
        above.max(shelf.uid_next)
    }

    /// UIDNEXT of a mailbox, as told.
    pub(super) fn uid_next_told(&mut self, key: MailboxKey, uid_next: u32, floor: u32) -> Checked {
        // A store that does not keep UIDNEXT forgets of messages that went before anybody was told of them.
        let floor = if self.forgets_uid_next { 1 } else { floor };
        let shelf = self.shelf(key);
        shelf.uid_next = shelf.uid_next.max(uid_next);
        check(Rule::Status, uid_next >= floor, || {
            format!("UIDNEXT is {uid_next}, though the next UID must be at least {floor}")
        })
    }

    /// A UID is this message.
    pub(super) fn is(&mut self, key: MailboxKey, uid: u32, id: u64) -> Checked {
        let name = self.name(key).unwrap_or("a mailbox that is gone").to_owned();
        let graves = self.graves.get(&name);
        let shelf = &mut self.shelves[key.0];
        let reused = graves
            .into_iter()
            .flatten()
            .any(|(other, validity, highest)| *other != key && Some(*validity) == shelf.validity && uid <= *highest);
        if reused && !shelf.renamed {
            let why = format!(
                "UID {uid} of {name} was given before, under the same UIDVALIDITY, in a mailbox of that name that was deleted"
            );
            return broken(Rule::UidKept, why);
        }
        let known = *shelf.ids.entry(uid).or_insert(id);
        check(Rule::UidKept, known == id, || {
            format!("UID {uid} of {name} is now {}, and was {}", message(id), message(known))
        })
    }

    /// A client was told of this message. What nobody knows the making of may bear `\Deleted` from its source, or have gone
    /// by RENAME of INBOX before that client heard of it.
    pub(super) fn is_told(&mut self, key: MailboxKey, uid: u32, id: u64) -> Checked {
        let shelf = self.shelf(key);
        if !shelf.ids.contains_key(&uid) {
            if shelf.uncertain || !shelf.possible.is_empty() {
                shelf.deletable.insert(uid);
            }
            if shelf.took_unseen && !shelf.explained.contains(&uid) {
                self.may_be_taken(key, uid);
            }
        }
        self.is(key, uid, id)
    }

    /// Whoever made a message was told its UID.
    pub(super) fn made(&mut self, key: MailboxKey, uid: u32, id: u64, floor: u32) -> Checked {
        check(Rule::UidRises, uid >= floor, || {
            format!("a new message has UID {uid}, though the next UID must be at least {floor}")
        })?;
        let doubled = !self.shelf(key).explained.insert(uid);
        check(Rule::UidPlus, !doubled, || {
            format!("APPENDUID tells UID {uid}, which was told for another new message")
        })?;
        self.is(key, uid, id)
    }

    /// A message was made, its UID not told.
    pub(super) fn made_somewhere(&mut self, key: MailboxKey, id: u64) {
        self.shelf(key).expected.push(id);
    }

    /// A message may have been made.
    pub(super) fn may_be_made(&mut self, key: MailboxKey, id: u64) {
        self.shelf(key).possible.push(id);
    }

    /// A message was copied.
    pub(super) fn copied(
        &mut self,
        from: (MailboxKey, u32),
        to: (MailboxKey, u32),
        moves: bool,
        floor: u32,
    ) -> Checked {
        if moves {
            let twice = !self.shelf(from.0).taken.insert(from.1);
            check(Rule::Move, !twice, || {
                format!(
                    "MOVE of UID {} was answered twice with COPYUID: it was moved twice",
                    from.1
                )
            })?;
        }
        check(Rule::UidRises, to.1 >= floor, || {
            format!("a copy has UID {}, though the next UID must be at least {floor}", to.1)
        })?;
        let doubled = !self.shelf(to.0).explained.insert(to.1);
        check(Rule::UidPlus, !doubled, || {
            format!("COPYUID tells UID {}, which was told for another new message", to.1)
        })?;
        self.copies.push(Copied { from, to });
        self.follow()
    }

    /// Takes up the copies whose source is known by now.
    fn follow(&mut self) -> Checked {
        loop {
            let shelves = &self.shelves;
            let is_known = |copied: &Copied| shelves[copied.from.0.0].ids.contains_key(&copied.from.1);
            let (known, unknown): (Vec<_>, Vec<_>) = std::mem::take(&mut self.copies).into_iter().partition(is_known);
            self.copies = unknown;
            if known.is_empty() {
                return Ok(());
            }
            for Copied { from, to } in known {
                let source = &self.shelves[from.0.0];
                let (deletable, id) = (source.deletable.contains(&from.1), source.ids.get(&from.1).copied());
                if deletable {
                    self.may_bear_deleted(to.0, to.1);
                }
                if let Some(id) = id {
                    self.is(to.0, to.1, id)?;
                }
            }
        }
    }

    /// Somebody marks this message `\Deleted`, or was told that it is.
    pub(super) fn may_bear_deleted(&mut self, key: MailboxKey, uid: u32) {
        self.shelf(key).deletable.insert(uid);
    }

    /// Somebody expunges: these, or all that bear `\Deleted`.
    pub(super) fn expunges(&mut self, key: MailboxKey, uids: Option<&[u32]>) {
        let expunged = &mut self.shelf(key).expunged;
        match uids {
            Some(uids) => expunged.uids.extend(uids),
            None => expunged.all = true,
        }
    }

    /// Somebody moves this message away, or it goes outside of IMAP; he may fail.
    pub(super) fn may_be_taken(&mut self, key: MailboxKey, uid: u32) {
        let shelf = self.shelf(key);
        shelf.deletable.insert(uid);
        shelf.expunged.uids.insert(uid);
    }

    /// What somebody did last in this mailbox will never be answered.
    pub(super) fn is_uncertain(&mut self, key: MailboxKey) {
        self.shelf(key).uncertain = true;
    }

    /// One of the UIDs that are known.
    pub(super) fn some(&self, key: MailboxKey, dice: u64) -> Option<u32> {
        let ids = &self.shelves[key.0].ids;
        let at = dice.checked_rem(ids.len() as u64)?;
        ids.keys().nth(at as usize).copied()
    }

    /// The message of a UID, if it is known.
    pub(super) fn id(&self, key: MailboxKey, uid: u32) -> Option<u64> {
        self.shelves[key.0].ids.get(&uid).copied()
    }

    /// A session was shown a message with `\Recent` (RFC 3501 2.3.2).
    pub(super) fn recent_told(
        &mut self,
        key: MailboxKey,
        uid: u32,
        session: (u64, u64),
        read_only: bool,
        now: u64,
    ) -> Checked {
        let (session, opened_at) = session;
        match self.shelf(key).recent.get(&uid) {
            Some((other, since)) if *other != session && (!read_only || opened_at > *since) => broken(
                Rule::Recent,
                format!("UID {uid} is shown with \\Recent to a second session"),
            ),
            None if !read_only => {
                self.shelf(key).recent.insert(uid, (session, now));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// What a mailbox holds at the start.
    pub(super) fn begins_with(&mut self, key: MailboxKey, truth: &[Truth]) -> Checked {
        self.learns(key, truth)?;
        let shelf = self.shelf(key);
        shelf.explained.extend(truth.iter().map(|t| t.uid));
        self.settled(key, truth);
        Ok(())
    }

    /// This is there: each UID its own message.
    pub(super) fn learns(&mut self, key: MailboxKey, truth: &[Truth]) -> Checked {
        truth.iter().try_for_each(|t| self.is(key, t.uid, t.id))?;
        self.follow()
    }

    /// Compares with what is there and was learned: nothing lost, nothing doubled.
    pub(super) fn agrees_with(&mut self, key: MailboxKey, truth: &[Truth]) -> Checked {
        let shelf = self.shelf(key);
        let unexplained: Vec<(u32, u64)> = shelf
            .ids
            .iter()
            .filter(|(uid, _)| !shelf.explained.contains(uid))
            .map(|(uid, id)| (*uid, *id))
            .collect();
        for (uid, id) in unexplained {
            let Shelf { expected, possible, .. } = shelf;
            let from = [expected, possible]
                .into_iter()
                .find_map(|list| Some((list.iter().position(|known| *known == id)?, list)));
            match from {
                Some((at, list)) => drop(list.swap_remove(at)),
                None if shelf.uncertain => {}
                None => {
                    let why = format!(
                        "UID {uid} is {}: neither APPENDUID nor COPYUID told this UID, or the message is there twice",
                        message(id)
                    );
                    return broken(Rule::NothingLost, why);
                }
            }
            shelf.explained.insert(uid);
        }
        let Expunged { all, uids } = &shelf.expunged;
        let may_go = |uid: &u32| shelf.deletable.contains(uid) && (*all || uids.contains(uid));
        // Of a message that went before anybody looked into it only the UID is known.
        let unseen = shelf
            .deletable
            .iter()
            .filter(|uid| !shelf.ids.contains_key(uid) && may_go(uid));
        check(Rule::NothingLost, shelf.expected.len() <= unseen.count(), || {
            let each: Vec<String> = shelf.expected.iter().map(|id| message(*id)).collect();
            format!(
                "APPEND or COPY was answered OK, but the mailbox does not hold {}",
                each.join(", ")
            )
        })?;
        let mut bearing = Vec::new();
        for Truth { uid, flags, .. } in truth {
            if shelf.taken.contains(uid) {
                return broken(
                    Rule::NothingLost,
                    format!("UID {uid} was expunged or moved away, and is still there"),
                );
            }
            if flags.contains("\\deleted") {
                bearing.push(*uid);
            }
        }
        let there: HashSet<u32> = truth.iter().map(|t| t.uid).collect();
        let lost = shelf
            .ids
            .keys()
            .find(|uid| !there.contains(uid) && !shelf.taken.contains(uid) && !may_go(uid));
        match lost {
            Some(uid) if shelf.deletable.contains(uid) => broken(
                Rule::NothingLost,
                format!("UID {uid} is gone: it had \\Deleted, but nobody sent EXPUNGE, CLOSE or MOVE for it"),
            ),
            Some(uid) => broken(
                Rule::NothingLost,
                format!("UID {uid} is gone, though nobody had given it \\Deleted"),
            ),
            None => {
                shelf.deletable.extend(bearing);
                Ok(())
            }
        }
    }

    /// Everything about this mailbox is known again: this is there.
    pub(super) fn settled(&mut self, key: MailboxKey, truth: &[Truth]) {
        self.copies.retain(|copied| copied.to.0 != key);
        let shelf = self.shelf(key);
        let there: HashSet<u32> = truth.iter().map(|t| t.uid).collect();
        let gone: Vec<u32> = shelf.ids.keys().filter(|uid| !there.contains(uid)).copied().collect();
        shelf.taken.extend(gone);
        let bears = |t: &&Truth| t.flags.contains("\\deleted");
        shelf.deletable = truth.iter().filter(bears).map(|t| t.uid).collect();
        shelf.expunged = Expunged::default();
        shelf.expected.clear();
        shelf.possible.clear();
        (shelf.uncertain, shelf.took_unseen) = (false, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(uid: u32, id: u64) -> Truth {
        let flags = FlagSet::new();
        Truth { uid, flags, id }
    }

    /// INBOX with UID 7.
    fn inbox() -> (Ledger, MailboxKey) {
        let mut ledger = Ledger::new(false);
        let inbox = ledger.created("INBOX");
        ledger.begins_with(inbox, &[message(7, 0)]).unwrap();
        (ledger, inbox)
    }

    fn agrees(ledger: &mut Ledger, key: MailboxKey, truth: &[Truth]) -> Checked {
        ledger.learns(key, truth)?;
        ledger.agrees_with(key, truth)
    }

    #[test]
    fn what_rename_of_inbox_took_may_be_told_to_whoever_has_not_heard_of_it() {
        let (mut ledger, inbox) = inbox();
        // 0> APPEND INBOX, and the connection is cut.
        ledger.may_be_made(inbox, 1);
        // 1> RENAME INBOX Box
        ledger.emptied(inbox, "Box").unwrap();
        // 2< * 2 FETCH (UID 8 BODY[HEADER.FIELDS (X-ID)] …)
        ledger.is_told(inbox, 8, 1).unwrap();
        agrees(&mut ledger, inbox, &[]).unwrap();
        let into = ledger.key("Box").unwrap();
        agrees(&mut ledger, into, &[message(1, 0), message(2, 1)]).unwrap();
    }

    #[test]
    fn a_copy_that_nobody_was_told_of_goes_with_rename_of_inbox() {
        let (mut ledger, inbox) = inbox();
        // 0> UID MOVE 7 INBOX, and the connection is cut.
        ledger.may_be_taken(inbox, 7);
        ledger.is_uncertain(inbox);
        ledger.emptied(inbox, "Box").unwrap();
        ledger.is_told(inbox, 8, 0).unwrap();
        agrees(&mut ledger, inbox, &[]).unwrap();
    }

    #[test]
    fn what_was_cut_off_may_come_into_inbox_after_its_rename() {
        let (mut ledger, inbox) = inbox();
        ledger.may_be_made(inbox, 1);
        ledger.emptied(inbox, "Box").unwrap();
        ledger.is_told(inbox, 8, 1).unwrap();
        agrees(&mut ledger, inbox, &[message(8, 1)]).unwrap();
    }

    #[test]
    fn what_came_into_inbox_after_its_rename_is_not_lost() {
        let (mut ledger, inbox) = inbox();
        ledger.may_be_made(inbox, 1);
        ledger.emptied(inbox, "Box").unwrap();
        // 0< OK [APPENDUID 1 9]
        ledger.made(inbox, 9, 2, 8).unwrap();
        ledger.is_told(inbox, 9, 2).unwrap();
        let lost = agrees(&mut ledger, inbox, &[]).unwrap_err();
        assert_eq!(lost.why, "UID 9 is gone, though nobody had given it \\Deleted");
    }

    #[test]
    fn after_a_quiet_point_nothing_unseen_can_have_gone() {
        let (mut ledger, inbox) = inbox();
        ledger.may_be_made(inbox, 1);
        ledger.emptied(inbox, "Box").unwrap();
        agrees(&mut ledger, inbox, &[]).unwrap();
        ledger.settled(inbox, &[]);
        ledger.made_somewhere(inbox, 2);
        ledger.is_told(inbox, 9, 2).unwrap();
        let lost = agrees(&mut ledger, inbox, &[]).unwrap_err();
        assert_eq!(lost.rule, Rule::NothingLost);
    }
}
