//! How the listing of an open mailbox keeps in step with its store, for stores with mod-sequences and without.

use std::sync::Arc;

use backend_api::{
    Account, Appended, ErrorKind, FlagChange, FlagsChanged, MailStore, MessageEntry, ModSeq, NewMessage, Remove,
    Result, UidSet,
};

use crate::hub::Open;
use crate::listing::Snapshot;

/// A mailbox of a store, with the listing that its sessions share.
pub(crate) struct Source<S> {
    pub(crate) store: Arc<S>,
    pub(crate) account: Account,
    pub(crate) open: Arc<Open>,
}

impl<S> Clone for Source<S> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            account: self.account.clone(),
            open: self.open.clone(),
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
            let known = self.open.current().highest_mod_seq();
            if let Some(changes) = self.store.changes_since(account, id, known).await? {
                if changes.deleted {
                    self.open.delete();
                } else {
                    self.open.take_up(changes);
                }
                return Ok(());
            }
        }
        let mut messages = self.store.messages(account, id).await?;
        if !messages.entries.is_sorted_by(|a, b| a.uid < b.uid) {
            messages.entries.sort_by_key(|e| e.uid);
            messages.entries.dedup_by_key(|e| e.uid);
        }
        self.open.count_up(|current, mod_seq| {
            let mod_seq = mod_seq.max(messages.highest_mod_seq);
            let (set, vanished) = current.compare(&messages.entries, mod_seq);
            (set, vanished, messages.uid_next)
        });
        Ok(())
    }

    /// Runs a write of a store without mod-sequences, and takes up what it did. If this future is dropped between, the
    /// store is asked again.
    async fn write<T>(
        &self,
        write: impl Future<Output = Result<T>>,
        take_up: impl FnOnce(&Snapshot, ModSeq, &T) -> (Vec<MessageEntry>, UidSet),
    ) -> Result<T> {
        let _one_at_a_time = self.open.sync.lock().await;
        if self.open.is_loaded() {
            self.catch_up_locked().await?;
        }
        let mark = self.open.ask();
        let done = write.await?;
        if self.open.is_loaded() {
            self.open.count_up(|current, mod_seq| {
                let (set, vanished) = take_up(current, mod_seq, &done);
                (set, vanished, None)
            });
            self.open.answered(mark);
        }
        Ok(done)
    }

    pub(crate) async fn set_flags(&self, uids: &UidSet, change: &FlagChange) -> Result<FlagsChanged> {
        let write = self.store.set_flags(&self.account, self.open.id(), uids, change, None);
        if self.store.has_mod_seqs() {
            return write.await;
        }
        self.write(write, |current, mod_seq, done: &FlagsChanged| {
            let changed = done.changed.iter().filter_map(|(uid, flags)| {
                let row = current.get(*uid).filter(|row| row.flags != flags)?;
                Some(row.to_entry().with_flags(flags.clone()).with_mod_seq(mod_seq))
            });
            (changed.collect(), UidSet::new())
        })
        .await
    }

    pub(crate) async fn remove(&self, uids: &UidSet, which: Remove) -> Result<UidSet> {
        let write = self.store.remove(&self.account, self.open.id(), uids, which);
        if self.store.has_mod_seqs() {
            return write.await;
        }
        self.write(write, |_, _, removed: &UidSet| (Vec::new(), removed.clone()))
            .await
    }

    pub(crate) async fn add(&self, messages: Vec<NewMessage>) -> Result<Appended> {
        let about: Vec<_> = messages.iter().map(|m| (m.flags.clone(), m.date, m.size)).collect();
        let write = self.store.add(&self.account, self.open.id(), messages);
        if self.store.has_mod_seqs() {
            return write.await;
        }
        self.write(write, |_, mod_seq, added: &Appended| {
            let entry = |(uid, (flags, date, size)): (&_, &(backend_api::Flags, _, _))| {
                MessageEntry::new(*uid)
                    .with_flags(flags.clone())
                    .with_date(*date)
                    .with_size(*size)
                    .with_mod_seq(mod_seq)
            };
            let mut set: Vec<_> = added.uids.iter().zip(&about).map(entry).collect();
            set.sort_by_key(|e| e.uid);
            (set, UidSet::new())
        })
        .await
    }

    /// Some writes are done by the store in a way that only it can tell: have it asked.
    pub(crate) fn look_again(&self) {
        if !self.store.has_mod_seqs() {
            self.open.look_again();
        }
    }
}
