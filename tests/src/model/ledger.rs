//! What all clients together know of the mailboxes: which message each UID is, and which may be gone.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::picture::Checked;

/// A message as it is in the store.
#[derive(Debug, Clone)]
pub(super) struct Truth {
    pub(super) uid: u32,
    pub(super) flags: BTreeSet<String>,
    /// Its `X-Id`; 0 for those that were there at the start.
    pub(super) id: u64,
}

type Place = (String, u32);

/// The clients' common knowledge.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Messages get ascending numbers of their own.
    pub(super) last_id: u64,
    /// Which message a UID is.
    ids: HashMap<Place, u64>,
    /// Copies whose source is not known yet: whoever made that has not heard so.
    copies: Vec<(Place, Place)>,
    /// Messages that somebody may have expunged: marked `\Deleted` once, or moved.
    may_be_gone: HashSet<Place>,
    /// Messages that a MOVE took away.
    moved: HashSet<Place>,
    /// A connection was cut while it wrote: what it did is known to nobody.
    uncertain: bool,
}

impl Ledger {
    /// With what every world begins with.
    pub(super) fn new() -> Self {
        let inbox = [2, 3, 5, 7].map(|uid| (("INBOX".to_owned(), uid), 0));
        Self {
            ids: inbox.into(),
            ..Self::default()
        }
    }

    /// A UID is this message.
    pub(super) fn is(&mut self, mailbox: &str, uid: u32, id: u64) -> Checked {
        let known = *self.ids.entry((mailbox.to_owned(), uid)).or_insert(id);
        match known == id {
            true => Ok(()),
            false => Err(format!(
                "UID {uid} of {mailbox} is message {id}, and was message {known}"
            )),
        }
    }

    /// A client was told of this message. One that somebody made on a connection that was cut may bear `\Deleted` from its
    /// source without anybody having been told.
    pub(super) fn is_told(&mut self, mailbox: &str, uid: u32, id: u64) -> Checked {
        if self.uncertain && !self.ids.contains_key(&(mailbox.to_owned(), uid)) {
            self.may_be_gone(mailbox, uid);
        }
        self.is(mailbox, uid, id)
    }

    /// A message was copied.
    pub(super) fn copied(&mut self, from: &str, old: u32, to: &str, new: u32, moves: bool) -> Checked {
        let source = (from.to_owned(), old);
        if moves && !self.moved.insert(source.clone()) {
            return Err(format!("UID {old} of {from} was moved twice"));
        }
        self.copies.push((source, (to.to_owned(), new)));
        self.follow()
    }

    /// Takes up the copies whose source is known by now.
    fn follow(&mut self) -> Checked {
        loop {
            let ids = &self.ids;
            let (known, unknown): (Vec<_>, Vec<_>) = std::mem::take(&mut self.copies)
                .into_iter()
                .partition(|(source, _)| ids.contains_key(source));
            self.copies = unknown;
            if known.is_empty() {
                return Ok(());
            }
            for (source, (to, new)) in known {
                if self.may_be_gone.contains(&source) {
                    self.may_be_gone(&to, new);
                }
                if let Some(id) = self.ids.get(&source).copied() {
                    self.is(&to, new, id)?;
                }
            }
        }
    }

    /// Somebody does something by which this message may go.
    pub(super) fn may_be_gone(&mut self, mailbox: &str, uid: u32) {
        self.may_be_gone.insert((mailbox.to_owned(), uid));
    }

    /// What somebody did last will never be answered.
    pub(super) fn is_uncertain(&mut self) {
        self.uncertain = true;
    }

    /// Compares with what is there: nothing lost, nothing doubled, each UID its own message.
    pub(super) fn agrees_with(&mut self, mailbox: &str, truth: &[Truth]) -> Checked {
        self.follow()?;
        for Truth { uid, flags, id } in truth {
            let place = (mailbox.to_owned(), *uid);
            if !self.ids.contains_key(&place) && !self.uncertain {
                return Err(format!(
                    "UID {uid} of {mailbox} (message {id}) was never told to whoever made it"
                ));
            }
            if self.moved.contains(&place) {
                return Err(format!("UID {uid} of {mailbox} was moved and is still there"));
            }
            self.is(mailbox, *uid, *id)?;
            if flags.contains("\\deleted") {
                self.may_be_gone.insert(place);
            }
        }
        let there: HashSet<u32> = truth.iter().map(|t| t.uid).collect();
        let lost = self.ids.keys().find(|place| {
            place.0 == mailbox
                && !there.contains(&place.1)
                && !self.may_be_gone.contains(*place)
                && !self.moved.contains(*place)
        });
        match lost {
            Some((_, uid)) => Err(format!("UID {uid} of {mailbox} was lost: nobody deleted it")),
            None => Ok(()),
        }
    }

    /// Everything is known again.
    pub(super) fn settled(&mut self) {
        self.uncertain = false;
        self.copies.clear();
    }
}
