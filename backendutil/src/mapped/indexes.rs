//! Indexes of messages that were read lately, of all sessions: what ENVELOPE, BODYSTRUCTURE, header fields and searches
//! are answered from without asking the store again.

use std::sync::Arc;

use backend_api::{Account, Bytes, MailboxEntry, MailboxId, Uid, UidValidity};
use imap_message::Index;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// Octets of memory that the indexes may have unless it is said otherwise: those of about 20,000 messages.
pub(super) const INDEXES: u64 = 32 * 1024 * 1024;
/// What an index costs besides its octets: its layout, its key twice, and its place in the table.
const OVERHEAD: u64 = 320;
/// A larger one is not kept: it would drive out too many others.
const LARGEST: usize = 64 * 1024;

/// A message. It never changes, so that what was read of it stays true.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    account: Account,
    mailbox: MailboxId,
    validity: UidValidity,
    uid: Uid,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Arc<Index<Bytes>>> for Weight {
    fn weight(&self, _: &Key, index: &Arc<Index<Bytes>>) -> u64 {
        index.as_bytes().len() as u64 + OVERHEAD
    }
}

/// Indexes in memory, up to so many octets. What was not asked for lately goes first; a walk through a mailbox larger than
/// this does not drive out what others ask for again and again.
pub(super) struct Indexes(Cache<Key, Arc<Index<Bytes>>, Weight>);

impl Indexes {
    pub(super) fn new(octets: u64) -> Self {
        let estimate = usize::try_from(octets / 2_048).unwrap_or(usize::MAX);
        Self(Cache::with_weighter(estimate, octets, Weight))
    }

    /// Those of one mailbox.
    pub(super) fn of(self: &Arc<Self>, account: &Account, mailbox: &MailboxEntry) -> MailboxIndexes {
        MailboxIndexes {
            indexes: self.clone(),
            account: account.clone(),
            mailbox: mailbox.id,
            validity: mailbox.uid_validity,
        }
    }
}

/// The indexes of one mailbox.
#[derive(Clone)]
pub(crate) struct MailboxIndexes {
    indexes: Arc<Indexes>,
    account: Account,
    mailbox: MailboxId,
    validity: UidValidity,
}

impl MailboxIndexes {
    /// Those of all mailboxes.
    pub(super) fn of_all(&self) -> &Arc<Indexes> {
        &self.indexes
    }

    fn key(&self, uid: Uid) -> Key {
        Key {
            account: self.account.clone(),
            mailbox: self.mailbox,
            validity: self.validity,
            uid,
        }
    }

    pub(super) fn get(&self, uid: Uid) -> Option<Arc<Index<Bytes>>> {
        self.indexes.0.get(&self.key(uid))
    }

    pub(super) fn put(&self, uid: Uid, index: &Arc<Index<Bytes>>) {
        if index.as_bytes().len() <= LARGEST {
            self.indexes.0.insert(self.key(uid), index.clone());
        }
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn they_never_have_more_memory_than_they_were_given() {
        const GIVEN: u64 = 1_000_000;
        let [mailbox, ..] = mailboxes(GIVEN);
        let one = index(&format!("Subject: {}\r\n\r\n", "x".repeat(1_000)));
        for n in 1..10_000 {
            mailbox.put(uid(n), &one);
            assert!(mailbox.indexes.0.weight() <= GIVEN);
        }
        assert!(mailbox.indexes.0.weight() > GIVEN / 2);
        let part = "--b\r\nContent-Type: text/plain; name=attachment\r\n\r\n\r\n";
        let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
        let huge = index(&format!("{head}{}--b--\r\n", part.repeat(900)));
        assert!(huge.as_bytes().len() > LARGEST, "{}", huge.as_bytes().len());
        mailbox.put(uid(10_000), &huge);
        assert!(mailbox.get(uid(10_000)).is_none());
    }
}
