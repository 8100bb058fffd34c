//! Indexes of messages that were read lately, of all sessions: what ENVELOPE, BODYSTRUCTURE, header fields and searches
//! are answered from without asking the store again.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use backend_api::{Account, Bytes, MailboxEntry, Uid};
use imap_message::Index;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// Octets of memory that the indexes may have unless it is said otherwise: those of about 40,000 messages.
pub(super) const INDEXES: u64 = 64 * 1024 * 1024;
/// What an index costs besides its octets: its layout, its key twice, and its place in the table.
const OVERHEAD: u64 = 200;
/// A larger one is not kept: it would drive out too many others.
const LARGEST: usize = 64 * 1024;

/// A message. It never changes, so that what was read of it stays true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    mailbox: Fingerprint,
    uid: Uid,
}

/// Account, mailbox and UIDVALIDITY in 128 bits, by a secret of this process: no two of a machine have the same, and nobody
/// can make them so. An account's name in each key would cost more than all else of a look-up.
type Fingerprint = [u64; 2];

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Arc<Index<Bytes>>> for Weight {
    fn weight(&self, _: &Key, index: &Arc<Index<Bytes>>) -> u64 {
        index.as_bytes().len() as u64 + OVERHEAD
    }
}

type Kept = Cache<Key, Arc<Index<Bytes>>, Weight>;

/// Indexes in memory, up to so many octets, in two halves. One has the last that were read: a client reads a mailbox and then
/// reads it again, and what it read should be there still, however often others read theirs. The other has those that were
/// asked for again: a walk through a large mailbox drives out none of them. An index in both counts twice.
pub(super) struct Indexes {
    last: Kept,
    again: Kept,
    secrets: [RandomState; 2],
}

impl Indexes {
    pub(super) fn new(octets: u64) -> Self {
        let half = octets / 2;
        let estimate = usize::try_from(half / 2_048).unwrap_or(usize::MAX);
        Self {
            last: Cache::with_weighter(estimate, half, Weight),
            again: Cache::with_weighter(estimate, half, Weight),
            secrets: [RandomState::new(), RandomState::new()],
        }
    }

    fn get(&self, key: &Key) -> Option<Arc<Index<Bytes>>> {
        if let Some(index) = self.again.get(key) {
            return Some(index);
        }
        let index = self.last.get(key)?;
        self.again.insert(*key, index.clone());
        Some(index)
    }

    fn put(&self, key: Key, index: &Arc<Index<Bytes>>) {
        self.last.insert(key, index.clone());
        // Once asked for, it stays longer than what came before it; else it would be the first to go.
        self.last.get(&key);
    }

    /// Those of one mailbox.
    pub(super) fn of(self: &Arc<Self>, account: &Account, mailbox: &MailboxEntry) -> MailboxIndexes {
        let name = (account, mailbox.id, mailbox.uid_validity);
        MailboxIndexes {
            mailbox: self.secrets.each_ref().map(|secret| secret.hash_one(name)),
            indexes: self.clone(),
        }
    }
}

/// The indexes of one mailbox.
#[derive(Clone)]
pub(crate) struct MailboxIndexes {
    indexes: Arc<Indexes>,
    mailbox: Fingerprint,
}

impl MailboxIndexes {
    /// Those of all mailboxes.
    pub(super) fn of_all(&self) -> &Arc<Indexes> {
        &self.indexes
    }

    fn key(&self, uid: Uid) -> Key {
        Key {
            mailbox: self.mailbox,
            uid,
        }
    }

    pub(super) fn get(&self, uid: Uid) -> Option<Arc<Index<Bytes>>> {
        self.indexes.get(&self.key(uid))
    }

    pub(super) fn put(&self, uid: Uid, index: &Arc<Index<Bytes>>) {
        if index.as_bytes().len() <= LARGEST {
            self.indexes.put(self.key(uid), index);
        }
    }
}

#[cfg(test)]
mod tests {
    use backend_api::UidValidity;

    use super::*;

    fn uid(n: u32) -> Uid {
        Uid::new(n).unwrap()
    }

    fn index(text: &str) -> Arc<Index<Bytes>> {
        let octets = Index::of(text.as_bytes()).into_bytes();
        Arc::new(Index::parse(Bytes::from(octets)).unwrap())
    }

    fn mailboxes(octets: u64) -> [MailboxIndexes; 4] {
        let indexes = Arc::new(Indexes::new(octets));
        let (ann, bob) = (Account::new("ann"), Account::new("bob"));
        let (one, two) = (MailboxEntry::new(1, "INBOX"), MailboxEntry::new(2, "other"));
        let mut anew = one.clone();
        anew.uid_validity = UidValidity::new(2).unwrap();
        [
            indexes.of(&ann, &one),
            indexes.of(&ann, &two),
            indexes.of(&ann, &anew),
            indexes.of(&bob, &one),
        ]
    }

    #[test]
    fn an_index_is_that_of_its_account_mailbox_uidvalidity_and_uid_alone() {
        let [mailbox, others @ ..] = mailboxes(1_000_000);
        mailbox.put(uid(7), &index("Subject: seven\r\n\r\n"));
        let envelope = |i: Arc<Index<Bytes>>| i.envelope().to_vec();
        assert_eq!(
            mailbox.get(uid(7)).map(envelope),
            Some(index("Subject: seven\r\n\r\n").envelope().to_vec())
        );
        assert!(mailbox.get(uid(8)).is_none());
        assert!(others.iter().all(|other| other.get(uid(7)).is_none()));
    }

    /// How many of these are in memory.
    fn kept(mailbox: &MailboxIndexes, uids: std::ops::Range<u32>) -> usize {
        uids.filter(|n| mailbox.get(uid(*n)).is_some()).count()
    }

    #[test]
    fn what_was_read_last_is_there_though_others_are_read_more_often() {
        let one = index(&format!("Subject: {}\r\n\r\n", "x".repeat(1_000)));
        let room = u32::try_from(INDEXES / (one.as_bytes().len() as u64 + OVERHEAD)).unwrap();
        let [often, once, walked, _] = mailboxes(INDEXES);
        for _ in 0..4 {
            for n in (1..room).filter(|n| often.get(uid(*n)).is_none()) {
                often.put(uid(n), &one);
            }
        }
        (1..room / 3).for_each(|n| once.put(uid(n), &one));
        let there = kept(&once, 1..room / 3);
        assert!(there > room as usize / 3 * 9 / 10, "{there} of {}", room / 3);
        // They were asked for again by this, so a walk through a larger mailbox drives none of them out.
        (1..room * 2).for_each(|n| walked.put(uid(n), &one));
        let after = kept(&once, 1..room / 3);
        assert!(after > there * 9 / 10, "{after} of {there}");
    }

    fn weight(mailbox: &MailboxIndexes) -> u64 {
        mailbox.indexes.last.weight() + mailbox.indexes.again.weight()
    }

    #[test]
    fn they_never_have_more_memory_than_they_were_given() {
        const GIVEN: u64 = 1_000_000;
        let [mailbox, ..] = mailboxes(GIVEN);
        let one = index(&format!("Subject: {}\r\n\r\n", "x".repeat(1_000)));
        for n in 1..10_000 {
            mailbox.put(uid(n), &one);
            assert!(weight(&mailbox) <= GIVEN);
        }
        (1..10_000).for_each(|n| drop(mailbox.get(uid(n))));
        assert!(
            weight(&mailbox) > GIVEN * 3 / 4 && weight(&mailbox) <= GIVEN,
            "{}",
            weight(&mailbox)
        );
        let part = "--b\r\nContent-Type: text/plain; name=attachment\r\n\r\n\r\n";
        let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
        let huge = index(&format!("{head}{}--b--\r\n", part.repeat(900)));
        assert!(huge.as_bytes().len() > LARGEST, "{}", huge.as_bytes().len());
        mailbox.put(uid(10_000), &huge);
        assert!(mailbox.get(uid(10_000)).is_none());
    }
}
