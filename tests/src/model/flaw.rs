//! Backends that are wrong in one way each: proof that the model checker finds what cannot be faked between a right server
//! and its clients.

use std::sync::Arc;

use backend_api::{
    Access, Account, Append, Backend, Copied, Credentials, Ctx, Fetch, FetchSink, Fetched, FlagChange, ListQuery,
    ListSink, MailStore, Mailbox, MailboxName, NumSet, Remove, Result, Rights, SearchKey, SearchSink, Selected,
    Session, SpecialUse, Status, StatusItems, Stored, Uid, UidSet, Updates, async_trait,
};
use backend_memory::MemoryStore;
use backendutil::{Hub, Mapped, MappedMailbox, MappedSession};
use tokio::sync::Notify;
use tokio::task::yield_now;

use super::flawed_store::FlawedStore;
use crate::world::World;

/// A way in which a backend is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing is wrong, but every operation of the store takes its time, so that others come between.
    Slow,
    /// A poll tells nothing.
    TellsNothing,
    /// A change between the poll and the wait of IDLE wakes nobody.
    LostWakeUp,
    /// CLOSE of what EXAMINE opened expunges.
    ExamineExpunges,
    /// What is read of a message that is gone is the next one.
    GhostIsAnother,
    /// MOVE leaves the messages where they were.
    MoveKeeps,
    /// APPEND is acknowledged, and one in four messages is not there.
    AppendForgets,
    /// COPY leaves out the last message and says that it did not.
    CopyForgets,
    /// A second change of the same message's flags is acknowledged and not made.
    SecondFlagsForgotten,
    /// A mailbox that is made again has the UIDVALIDITY of the one before.
    ValidityKept,
    /// RENAME of INBOX loses a message.
    RenameLoses,
}

impl Flaw {
    /// All that must be found.
    pub const ALL: [Self; 10] = [
        Self::TellsNothing,
        Self::LostWakeUp,
        Self::ExamineExpunges,
        Self::GhostIsAnother,
        Self::MoveKeeps,
        Self::AppendForgets,
        Self::CopyForgets,
        Self::SecondFlagsForgotten,
        Self::ValidityKept,
        Self::RenameLoses,
    ];
}

/// A world whose backend has this flaw.
pub(super) async fn world(flaw: Flaw, seed: u64) -> World {
    World::around_memory(|memory| {
        let inner = Mapped::<FlawedStore>::new(Arc::new(FlawedStore::new(memory.clone(), flaw, seed)));
        let hub = inner.hub();
        let shared = Shared {
            flaw,
            memory,
            hub: hub.clone(),
            written: Arc::new(Notify::new()),
        };
        (Flawed { inner, shared }, hub)
    })
    .await
}

#[derive(Clone)]
struct Shared {
    flaw: Flaw,
    memory: Arc<MemoryStore>,
    hub: Hub,
    /// Somebody has just written something.
    written: Arc<Notify>,
}

struct Flawed {
    inner: Mapped<FlawedStore>,
    shared: Shared,
}

struct FlawedSession {
    inner: MappedSession<FlawedStore>,
    shared: Shared,
}

struct FlawedMailbox {
    inner: MappedMailbox<FlawedStore>,
    shared: Shared,
    /// Opened by EXAMINE: whose mailbox, and its name.
    examined: Option<(String, MailboxName)>,
}

#[async_trait]
impl Backend for Flawed {
    type Session = FlawedSession;

    async fn login(&self, ctx: &Ctx<'_>, who: Credentials<'_>) -> Result<Self::Session> {
        Ok(FlawedSession {
            inner: self.inner.login(ctx, who).await?,
            shared: self.shared.clone(),
        })
    }
}

#[async_trait]
impl Session for FlawedSession {
    type Mailbox = FlawedMailbox;

    fn user(&self) -> &str {
        self.inner.user()
    }

    async fn list(&mut self, ctx: &Ctx<'_>, query: &ListQuery, out: &mut dyn ListSink) -> Result<()> {
        self.inner.list(ctx, query, out).await
    }

    async fn status(&mut self, ctx: &Ctx<'_>, name: &MailboxName, items: StatusItems) -> Result<Status> {
        self.inner.status(ctx, name, items).await
    }

    async fn create(&mut self, ctx: &Ctx<'_>, name: &MailboxName, special_use: &[SpecialUse]) -> Result<()> {
        self.inner.create(ctx, name, special_use).await
    }

    async fn delete(&mut self, ctx: &Ctx<'_>, name: &MailboxName) -> Result<()> {
        self.inner.delete(ctx, name).await
    }

    async fn rename(&mut self, ctx: &Ctx<'_>, from: &MailboxName, to: &MailboxName) -> Result<()> {
        self.inner.rename(ctx, from, to).await
    }

    async fn subscribe(&mut self, ctx: &Ctx<'_>, name: &MailboxName, subscribed: bool) -> Result<()> {
        self.inner.subscribe(ctx, name, subscribed).await
    }

    async fn select(&mut self, ctx: &Ctx<'_>, name: &MailboxName, access: Access) -> Result<(Self::Mailbox, Selected)> {
        let (inner, selected) = self.inner.select(ctx, name, access).await?;
        let mailbox = FlawedMailbox {
            inner,
            shared: self.shared.clone(),
            examined: (access == Access::ReadOnly).then(|| (self.inner.user().to_owned(), name.clone())),
        };
        Ok((mailbox, selected))
    }

    async fn append<'s>(&'s mut self, ctx: &Ctx<'_>, to: &MailboxName) -> Result<Box<dyn Append + 's>> {
        self.shared.written.notify_waiters();
        self.inner.append(ctx, to).await
    }
}

#[async_trait]
impl Mailbox for FlawedMailbox {
    fn last_uid(&self) -> Option<Uid> {
        self.inner.last_uid()
    }

    async fn fetch(&mut self, ctx: &Ctx<'_>, set: &NumSet, want: &Fetch, out: &mut dyn FetchSink) -> Result<Fetched> {
        self.inner.fetch(ctx, set, want, out).await
    }

    async fn store(
        &mut self,
        ctx: &Ctx<'_>,
        set: &NumSet,
        change: &FlagChange,
        silent: bool,
        out: &mut Updates<'_>,
    ) -> Result<Stored> {
        let stored = self.inner.store(ctx, set, change, silent, out).await;
        self.shared.written.notify_waiters();
        stored
    }

    async fn search(&mut self, ctx: &Ctx<'_>, key: &SearchKey, out: &mut dyn SearchSink) -> Result<()> {
        self.inner.search(ctx, key, out).await
    }

    async fn copy(&mut self, ctx: &Ctx<'_>, set: &NumSet, to: &MailboxName) -> Result<Copied> {
        let copied = self.inner.copy(ctx, set, to).await;
        self.shared.written.notify_waiters();
        copied
    }

    async fn r#move(&mut self, ctx: &Ctx<'_>, set: &NumSet, to: &MailboxName) -> Result<Copied> {
        let moved = self.inner.r#move(ctx, set, to).await;
        self.shared.written.notify_waiters();
        moved
    }

    async fn expunge(&mut self, ctx: &Ctx<'_>, uids: Option<&UidSet>) -> Result<()> {
        let expunged = self.inner.expunge(ctx, uids).await;
        self.shared.written.notify_waiters();
        expunged
    }

    async fn changed(&mut self, rights: Rights) {
        match self.shared.flaw {
            Flaw::TellsNothing => std::future::pending().await,
            // What was written before this is asked wakes nobody.
            Flaw::LostWakeUp => self.shared.written.notified().await,
            _ => self.inner.changed(rights).await,
        }
    }

    async fn poll(&mut self, ctx: &Ctx<'_>, out: &mut Updates<'_>) -> Result<()> {
        if self.shared.flaw == Flaw::TellsNothing {
            return Ok(());
        }
        self.inner.poll(ctx, out).await?;
        if self.shared.flaw == Flaw::LostWakeUp {
            for _ in 0..20 {
                yield_now().await;
            }
        }
        Ok(())
    }
}

impl Drop for FlawedMailbox {
    fn drop(&mut self) {
        let Some((user, name)) = self.examined.take() else {
            return;
        };
        let Shared { flaw, memory, hub, .. } = self.shared.clone();
        if flaw != Flaw::ExamineExpunges {
            return;
        }
        tokio::spawn(async move {
            let account = Account::new(&user);
            let Ok(Some(entry)) = memory.mailbox(&account, &name).await else {
                return;
            };
            let all = UidSet::run(Uid::MIN, Uid::MAX);
            let removed = memory.remove(&account, entry.id, &all, Remove::Deleted).await;
            if removed.is_ok() {
                hub.changed(&account, entry.id);
            }
        });
    }
}
