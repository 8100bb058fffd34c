//! How the listing of an open mailbox keeps in step with its store, for stores with mod-sequences and without.

use std::sync::Arc;

use backend_api::{
    Abilities, Account, Appended, Changes, ErrorKind, FlagChange, FlagsChanged, MailStore, MessageEntry, Messages,
    ModSeq, NewMessage, Remove, Result, Uid, UidSet,
};

use super::indexes::MailboxIndexes;
use crate::hub::Held;
use crate::listing::Snapshot;

/// A mailbox of a store, with the listing that its sessions share.
pub(crate) struct Source<S> {
    pub(crate) store: Arc<S>,
    pub(crate) account: Account,
    pub(crate) open: Held,
    pub(crate) indexes: MailboxIndexes,
}

impl<S> Clone for Source<S> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            account: self.account.clone(),
            open: self.open.clone(),
            indexes: self.indexes.clone(),
        }
    }
}

impl<S: MailStore> Source<S> {
    /// The snapshot of now: whatever was acknowledged to anybody before this call is in it.
    pub(crate) async fn now(&self) -> Result<Arc<Snapshot>> {
        self.store.refresh();
        if self.open.must_ask().is_some() && !self.open.is_deleted() {
            self.catch_up().await?;
        }
        Ok(self.open.current())
    }

    async fn catch_up(&self) -> Result<()> {
        let _one_at_a_time = self.open.sync.lock().await;
        self.catch_up_locked().await
    }

    async fn catch_up_locked(&self) -> Result<()> {
        let Some(mark) = self.open.must_ask() else {
            return Ok(());
        };
        let result = if self.open.is_loaded() {
            self.ask_for_changes().await
        } else {
            self.load().await
        };
        match result {
            Err(e) if e.kind() == ErrorKind::NotFound => self.open.delete(),
            other => other?,
        }
        self.open.answered(mark);
        Ok(())
    }

    async fn load(&self) -> Result<()> {
        let messages = self.store.messages(&self.account, self.open.id()).await?;
        let snapshot = Snapshot::new(messages.entries, messages.uid_next, messages.highest_mod_seq);
        self.open.load(snapshot, messages.first_recent);
        Ok(())
    }

    async fn ask_for_changes(&self) -> Result<()> {
        let (account, id) = (&self.account, self.open.id());
        if self.store.has_mod_seqs() {
            let before = self.open.current();
            let known = before.highest_mod_seq();
            if let Some(changes) = self.store.changes_since(account, id, known).await? {
                if changes.deleted {
                    self.open.delete();
                } else {
                    self.open.take_up(changes);
                }
                return Ok(());
            }
            // Changes told meanwhile may be older or newer than this list: whichever has the higher mod-sequence stays.
            let messages = self.sorted_messages().await?;
            let (set, vanished) = before.compare(&messages.entries, messages.highest_mod_seq);
            let own = |e: MessageEntry| {
                let at = messages.entries.binary_search_by_key(&e.uid, |m| m.uid);
                at.ok().and_then(|at| messages.entries.get(at)).cloned().unwrap_or(e)
            };
            let mut changes = Changes::default();
            changes.to = messages.highest_mod_seq;
            changes.set = set.into_iter().map(own).collect();
            changes.vanished = vanished;
            changes.uid_next = messages.uid_next;
            self.open.take_up(changes);
            return Ok(());
        }
        let messages = self.sorted_messages().await?;
        self.open.count_up(|current, mod_seq| {
            let (set, vanished) = current.compare(&messages.entries, mod_seq);
            (set, vanished, messages.uid_next)
        });
        Ok(())
    }

    async fn sorted_messages(&self) -> Result<Messages> {
        let mut messages = self.store.messages(&self.account, self.open.id()).await?;
        if !messages.entries.is_sorted_by(|a, b| a.uid < b.uid) {
            messages.entries.sort_by_key(|e| e.uid);
            messages.entries.dedup_by_key(|e| e.uid);
        }
        Ok(messages)
    }

    /// Runs a write of a store without mod-sequences, and takes up what it did. If `take_up` cannot tell, or this future is
    /// dropped between, the store is asked.
    async fn write<T>(
        &self,
        write: impl Future<Output = Result<T>>,
        take_up: impl FnOnce(&Snapshot, ModSeq, &T) -> Option<(Vec<MessageEntry>, UidSet)>,
    ) -> Result<T> {
        let _one_at_a_time = self.open.sync.lock().await;
        if self.open.is_loaded() {
            self.catch_up_locked().await?;
        }
        let mark = self.open.ask();
        // Somebody may have asked while the list was read; the answer to this write is none to that.
        let known = self.open.is_answered(mark - 1);
        let unsure = Unsure::new([self]);
        let done = write.await?;
        let mut sure = false;
        if self.open.is_loaded() {
            self.open.count_up(|current, mod_seq| {
                let taken = take_up(current, mod_seq, &done);
                sure = known && taken.is_some();
                let (set, vanished) = taken.unwrap_or_default();
                (set, vanished, None)
            });
        }
        if sure {
            self.open.answered(mark);
            unsure.settled();
        }
        Ok(done)
    }

    pub(crate) async fn set_flags(&self, uids: &UidSet, change: &FlagChange) -> Result<FlagsChanged> {
        let write = self.store.set_flags(&self.account, self.open.id(), uids, change, None);
        if self.store.has_mod_seqs() {
            let _unsure = Unsure::new([self]);
            return write.await;
        }
        self.write(write, |current, mod_seq, done: &FlagsChanged| {
            let changed = done.changed.iter().filter_map(|(uid, flags)| {
                let row = current.get(*uid).filter(|row| row.flags != flags)?;
                Some(row.to_entry().with_flags(flags.clone()).with_mod_seq(mod_seq))
            });
            Some((changed.collect(), UidSet::new()))
        })
        .await
    }

    /// Several changes as one operation, if the store has one that tells by itself what became of it.
    pub(crate) async fn set_flags_each(&self, changes: Vec<(UidSet, FlagChange)>) -> Result<bool> {
        if !self.store.has_mod_seqs() {
            return Ok(false);
        }
        let _unsure = Unsure::new([self]);
        self.store.set_flags_each(&self.account, self.open.id(), changes).await
    }

    pub(crate) async fn remove(&self, uids: &UidSet, which: Remove) -> Result<UidSet> {
        let write = self.store.remove(&self.account, self.open.id(), uids, which);
        if self.store.has_mod_seqs() {
            let _unsure = Unsure::new([self]);
            return write.await;
        }
        self.write(write, |_, _, removed: &UidSet| Some((Vec::new(), removed.clone())))
            .await
    }

    pub(crate) async fn add(&self, messages: Vec<NewMessage>) -> Result<Appended> {
        let about: Vec<_> = messages.iter().map(|m| (m.flags.clone(), m.date, m.size)).collect();
        let write = self.store.add(&self.account, self.open.id(), messages);
        if self.store.has_mod_seqs() {
            let _unsure = Unsure::new([self]);
            return write.await;
        }
        self.write(write, |current, mod_seq, added: &Appended| {
            // A gap may be a message from elsewhere that nobody has told of yet. It must not come to be below these.
            let first = current.uid_next()?;
            let follows = |(uid, place): (&Uid, u32)| first.get().checked_add(place) == Some(uid.get());
            if !added.uids.iter().zip(0..).all(follows) {
                return None;
            }
            let entry = |(uid, (flags, date, size)): (&_, &(backend_api::Flags, _, _))| {
                MessageEntry::new(*uid)
                    .with_flags(flags.clone())
                    .with_date(*date)
                    .with_size(*size)
                    .with_mod_seq(mod_seq)
            };
            let set = added.uids.iter().zip(&about).map(entry).collect();
            Some((set, UidSet::new()))
        })
        .await
    }

    /// What clients of this account can do.
    pub(crate) fn abilities(&self) -> Abilities {
        self.store.abilities(Some(&self.account))
    }

    /// Whether changes are learned of by asking alone.
    pub(crate) fn must_be_asked(&self) -> bool {
        !self.store.has_mod_seqs() || !self.open.pushes()
    }
}

/// A write of which only the store knows what it did. However it ends, also when it is dropped half-way, the store is
/// asked, and those who wait look again.
pub(crate) struct Unsure<'a, S: MailStore, const N: usize>(Option<[&'a Source<S>; N]>);

impl<'a, S: MailStore, const N: usize> Unsure<'a, S, N> {
    /// Before a write to these mailboxes.
    pub(crate) fn new(mailboxes: [&'a Source<S>; N]) -> Self {
        Self(Some(mailboxes))
    }

    /// What was done is known, or nothing was.
    pub(crate) fn settled(mut self) {
        self.0 = None;
    }
}

impl<S: MailStore, const N: usize> Drop for Unsure<'_, S, N> {
    fn drop(&mut self) {
        for mailbox in self.0.iter().flatten() {
            if mailbox.must_be_asked() {
                mailbox.open.look_again();
            }
        }
    }
}
