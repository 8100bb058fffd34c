//! A memory store that is slow, or wrong in one way.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use backend_api::{
    Abilities, Account, Appended, Copied, Credentials, FlagChange, FlagsChanged, MailStore, MailboxEntry, MailboxId,
    MailboxName, MessageBody, Messages, ModSeq, NewMessage, Remove, Result, SpecialUse, Uid, UidSet, UidValidity,
    async_trait,
};
use backend_memory::MemoryStore;
use tokio::sync::Mutex;
use tokio::task::yield_now;

use super::flaw::Flaw;
use crate::message::Random;

/// The memory store, and what is wrong with it.
pub(super) struct FlawedStore {
    inner: Arc<MemoryStore>,
    flaw: Flaw,
    random: Mutex<Random>,
    added: AtomicU64,
    /// Messages whose flags were changed.
    changed: Mutex<HashSet<(MailboxId, Uid)>>,
}

impl FlawedStore {
    pub(super) fn new(inner: Arc<MemoryStore>, flaw: Flaw, seed: u64) -> Self {
        Self {
            inner,
            flaw,
            random: Mutex::new(Random::new(seed)),
            added: AtomicU64::new(0),
            changed: Mutex::new(HashSet::new()),
        }
    }

    fn validity(&self, right: UidValidity) -> UidValidity {
        match self.flaw {
            Flaw::ValidityKept => UidValidity::MIN,
            _ => right,
        }
    }

    fn copied(&self, mut copied: Copied) -> Copied {
        copied.uid_validity = self.validity(copied.uid_validity);
        copied
    }

    /// Lets others come between.
    async fn pause(&self) {
        if self.flaw == Flaw::Slow {
            let times = self.random.lock().await.below(6);
            for _ in 0..times {
                yield_now().await;
            }
        }
    }
}

/// Does something after a pause and before another.
macro_rules! slowly {
    ($store:expr, $done:expr) => {{
        $store.pause().await;
        let done = $done.await;
        $store.pause().await;
        done
    }};
}

#[async_trait]
impl MailStore for FlawedStore {
    async fn login(&self, who: Credentials<'_>) -> Result<Account> {
        self.inner.login(who).await
    }

    async fn mailboxes(&self, account: &Account) -> Result<Vec<MailboxEntry>> {
        let mut all = slowly!(self, self.inner.mailboxes(account))?;
        if self.flaw == Flaw::ValidityKept {
            all.iter_mut()
                .for_each(|entry| entry.uid_validity = self.validity(entry.uid_validity));
        }
        Ok(all)
    }

    async fn messages(&self, account: &Account, mailbox: MailboxId) -> Result<Messages> {
        slowly!(self, self.inner.messages(account, mailbox))
    }

    async fn body(&self, account: &Account, mailbox: MailboxId, uid: Uid) -> Result<MessageBody> {
        let body = slowly!(self, self.inner.body(account, mailbox, uid));
        if body.is_err() && self.flaw == Flaw::GhostIsAnother {
            let there = self.inner.messages(account, mailbox).await?.entries;
            if let Some(next) = there.iter().map(|m| m.uid).find(|next| *next > uid) {
                return self.inner.body(account, mailbox, next).await;
            }
        }
        body
    }

    fn abilities(&self, account: Option<&Account>) -> Abilities {
        self.inner.abilities(account)
    }

    async fn add(&self, account: &Account, mailbox: MailboxId, messages: Vec<NewMessage>) -> Result<Appended> {
        let added = slowly!(self, self.inner.add(account, mailbox, messages))?;
        if self.flaw == Flaw::AppendForgets && self.added.fetch_add(1, Ordering::Relaxed) % 4 == 3 {
            let uids = added.uids.iter().copied().collect();
            self.inner.remove(account, mailbox, &uids, Remove::All).await?;
        }
        Ok(Appended::new(self.validity(added.uid_validity), added.uids))
    }

    async fn set_flags(
        &self,
        account: &Account,
        mailbox: MailboxId,
        uids: &UidSet,
        change: &FlagChange,
        since: Option<ModSeq>,
    ) -> Result<FlagsChanged> {
        if self.flaw == Flaw::SecondFlagsForgotten {
            let mut changed = self.changed.lock().await;
            let entries = self.inner.messages(account, mailbox).await?.entries;
            let named = entries.into_iter().filter(|m| uids.contains(m.uid));
            let (again, first): (Vec<_>, Vec<_>) = named.partition(|m| changed.contains(&(mailbox, m.uid)));
            changed.extend(first.iter().map(|m| (mailbox, m.uid)));
            let first: UidSet = first.iter().map(|m| m.uid).collect();
            let mut done = self.inner.set_flags(account, mailbox, &first, change, since).await?;
            done.changed
                .extend(again.into_iter().map(|m| (m.uid, change.apply(&m.flags))));
            done.changed.sort_unstable_by_key(|(uid, _)| *uid);
            return Ok(done);
        }
        slowly!(self, self.inner.set_flags(account, mailbox, uids, change, since))
    }

    async fn remove(&self, account: &Account, mailbox: MailboxId, uids: &UidSet, which: Remove) -> Result<UidSet> {
        slowly!(self, self.inner.remove(account, mailbox, uids, which))
    }

    async fn copy(
        &self,
        account: &Account,
        from: MailboxId,
        uids: &UidSet,
        to: MailboxId,
        all: bool,
    ) -> Result<Option<Copied>> {
        let copied = slowly!(self, self.inner.copy(account, from, uids, to, all))?;
        if self.flaw == Flaw::CopyForgets
            && let Some((_, last)) = copied.as_ref().and_then(|copied| copied.uids.last())
        {
            let last = UidSet::run(*last, *last);
            self.inner.remove(account, to, &last, Remove::All).await?;
        }
        Ok(copied.map(|copied| self.copied(copied)))
    }

    async fn r#move(&self, account: &Account, from: MailboxId, uids: &UidSet, to: MailboxId) -> Result<Option<Copied>> {
        let moved = match self.flaw {
            Flaw::MoveKeeps => self.inner.copy(account, from, uids, to, false).await,
            _ => slowly!(self, self.inner.r#move(account, from, uids, to)),
        };
        Ok(moved?.map(|moved| self.copied(moved)))
    }

    async fn create(&self, account: &Account, name: &MailboxName, special_use: &[SpecialUse]) -> Result<()> {
        slowly!(self, self.inner.create(account, name, special_use))
    }

    async fn delete(&self, account: &Account, mailbox: MailboxId, name: &MailboxName) -> Result<()> {
        slowly!(self, self.inner.delete(account, mailbox, name))
    }

    async fn rename(&self, account: &Account, from: &MailboxName, to: &MailboxName) -> Result<()> {
        if self.flaw == Flaw::RenameLoses
            && from.is_inbox()
            && let Some(inbox) = self.inner.mailbox(account, from).await?
            && let Some(first) = self.inner.messages(account, inbox.id).await?.entries.first()
        {
            let first = UidSet::run(first.uid, first.uid);
            self.inner.remove(account, inbox.id, &first, Remove::All).await?;
        }
        slowly!(self, self.inner.rename(account, from, to))
    }

    async fn subscribe(&self, account: &Account, name: &MailboxName, subscribed: bool) -> Result<()> {
        self.inner.subscribe(account, name, subscribed).await
    }

    async fn first_recent(&self, account: &Account, mailbox: MailboxId, below: Uid, claim: bool) -> Result<Uid> {
        slowly!(self, self.inner.first_recent(account, mailbox, below, claim))
    }
}
