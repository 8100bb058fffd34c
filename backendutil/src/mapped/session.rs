//! A logged-in connection over a [`MailStore`]: mailbox names to mailboxes, and what is done to mailboxes as a whole.

use std::sync::Arc;

use async_trait::async_trait;
use backend_api::{
    Abilities, Access, Account, Append, Ctx, Error, ErrorKind, ListQuery, ListSink, MailStore, MailboxEntry,
    MailboxName, PermanentFlags, Result, Selected, Seq, Session, SpecialUse, Status, StatusItems,
};

use super::append::MappedAppend;
use super::indexes::Indexes;
use super::mailbox::MappedMailbox;
use super::sync::{Source, Unsure};
use crate::hub::Hub;
use crate::list::list;

/// A logged-in connection of [`Mapped`](super::Mapped).
pub struct MappedSession<S> {
    store: Arc<S>,
    hub: Hub,
    indexes: Arc<Indexes>,
    account: Account,
}

impl<S: MailStore> MappedSession<S> {
    pub(super) fn new(store: Arc<S>, hub: Hub, indexes: Arc<Indexes>, account: Account) -> Self {
        Self {
            store,
            hub,
            indexes,
            account,
        }
    }

    async fn entry(&self, name: &MailboxName) -> Result<MailboxEntry> {
        find(&*self.store, &self.account, name).await
    }

    fn source(&self, entry: &MailboxEntry) -> Source<S> {
        source(&self.store, &self.hub, &self.indexes, &self.account, entry)
    }
}

/// The mailbox of this name, if it can be selected.
pub(super) async fn find<S: MailStore>(store: &S, account: &Account, name: &MailboxName) -> Result<MailboxEntry> {
    let entry = store.mailbox(account, name).await?;
    let entry = entry.filter(|e| !e.attributes.no_select && !e.attributes.non_existent);
    entry.ok_or_else(|| Error::not_found("no such mailbox"))
}

pub(super) fn source<S>(
    store: &Arc<S>,
    hub: &Hub,
    indexes: &Arc<Indexes>,
    account: &Account,
    entry: &MailboxEntry,
) -> Source<S> {
    Source {
        store: store.clone(),
        account: account.clone(),
        open: hub.open(account, entry.id),
        indexes: indexes.of(account, entry),
    }
}

#[async_trait]
impl<S: MailStore> Session for MappedSession<S> {
    type Mailbox = MappedMailbox<S>;

    fn user(&self) -> &str {
        self.account.name()
    }

    fn abilities(&self) -> Abilities {
        self.store.abilities(Some(&self.account))
    }

    async fn list(&mut self, _ctx: &Ctx<'_>, query: &ListQuery, out: &mut dyn ListSink) -> Result<()> {
        let entries = self.store.mailboxes(&self.account).await?;
        for entry in list(&entries, query) {
            out.put(&entry);
            if out.is_full() {
                out.ready().await?;
            }
        }
        Ok(())
    }

    async fn status(&mut self, _ctx: &Ctx<'_>, name: &MailboxName, _items: StatusItems) -> Result<Status> {
        let entry = self.entry(name).await?;
        if let Some(status) = entry.status {
            return Ok(status);
        }
        let source = self.source(&entry);
        if source.must_be_asked() {
            source.open.ask();
        }
        let now = source.now().await?;
        if source.open.is_deleted() {
            return Err(Error::not_found("no such mailbox"));
        }
        let mut status = Status::new(entry.uid_validity);
        status.messages = now.len();
        status.unseen = now.unseen();
        status.deleted = now.deleted();
        status.uid_next = now.uid_next();
        if let (Some(first), Some(below)) = (source.open.recent_from(), now.uid_next())
            && first < below
        {
            // A session of another process may have had them since.
            let first = first.max(self.store.first_recent(&self.account, entry.id, below, false).await?);
            let old = backend_api::Uid::new(first.get() - 1).map_or(0, |uid| now.rank(uid));
            status.recent = now.len() - old;
        }
        status.highest_mod_seq = self.store.has_mod_seqs().then(|| now.highest_mod_seq());
        Ok(status)
    }

    async fn create(&mut self, _ctx: &Ctx<'_>, name: &MailboxName, special_use: &[SpecialUse]) -> Result<()> {
        self.store.create(&self.account, name, special_use).await
    }

    async fn delete(&mut self, _ctx: &Ctx<'_>, name: &MailboxName) -> Result<()> {
        let Some(entry) = self.store.mailbox(&self.account, name).await? else {
            let all = self.store.mailboxes(&self.account).await?;
            let parent = all.iter().any(|m| m.name.is_below(name) && !m.attributes.non_existent);
            return Err(match parent {
                true => Error::new(ErrorKind::HasChildren, "the name is there for its children alone"),
                false => Error::not_found("no such mailbox"),
            });
        };
        let source = self.source(&entry);
        let _unsure = Unsure::new([&source]);
        self.store.delete(&self.account, entry.id, name).await?;
        source.open.delete();
        Ok(())
    }

    async fn rename(&mut self, _ctx: &Ctx<'_>, from: &MailboxName, to: &MailboxName) -> Result<()> {
        let inbox = match from.is_inbox() {
            true => self.store.mailbox(&self.account, from).await?,
            false => None,
        };
        let emptied = inbox.map(|inbox| self.source(&inbox));
        let _unsure = emptied.as_ref().map(|inbox| Unsure::new([inbox]));
        self.store.rename(&self.account, from, to).await
    }

    async fn subscribe(&mut self, _ctx: &Ctx<'_>, name: &MailboxName, subscribed: bool) -> Result<()> {
        self.store.subscribe(&self.account, name, subscribed).await
    }

    async fn select(
        &mut self,
        _ctx: &Ctx<'_>,
        name: &MailboxName,
        access: Access,
    ) -> Result<(Self::Mailbox, Selected)> {
        let entry = self.entry(name).await?;
        let source = self.source(&entry);
        // Before the list is read: what is removed from then on is kept.
        let kept = self.store.view(&self.account, entry.id);
        // The store may have changed unheard while nobody had the mailbox open.
        if source.must_be_asked() {
            source.open.ask();
        }
        source.now().await?;
        if source.open.is_deleted() {
            return Err(Error::not_found("no such mailbox"));
        }
        let writable = self.store.is_writable(&self.account, entry.id);
        let read_only = access == Access::ReadOnly || !writable;
        let mut mailbox = MappedMailbox::new(source, kept, self.hub.clone(), read_only);
        mailbox.claim_recent(None).await;
        let now = mailbox.view.told();
        let mut selected = Selected::new(entry.uid_validity);
        selected.exists = now.len();
        selected.unseen = now.first_unseen().and_then(|i| Seq::new(i + 1));
        selected.uid_next = now.uid_next();
        selected.highest_mod_seq = self.store.has_mod_seqs().then(|| now.highest_mod_seq());
        selected.keywords = now.keywords().iter().cloned().collect();
        selected.read_only = read_only;
        selected.permanent = match !read_only && self.abilities().flags {
            true => PermanentFlags::All,
            false => PermanentFlags::None,
        };
        selected.recent = mailbox.recent_count();
        Ok((mailbox, selected))
    }

    async fn append<'s>(&'s mut self, _ctx: &Ctx<'_>, to: &MailboxName) -> Result<Box<dyn Append + 's>> {
        let entry = self.entry(to).await?;
        if !self.store.is_writable(&self.account, entry.id) {
            return Err(Error::new(ErrorKind::ReadOnly, "this mailbox is read-only"));
        }
        Ok(Box::new(MappedAppend::new(self.source(&entry))))
    }

    fn append_limit(&self) -> Option<u64> {
        self.store.append_limit()
    }
}
