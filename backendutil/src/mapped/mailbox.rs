//! One connection's selected mailbox over a [`MailStore`]: its view, what of its own doing it was told already, and polls.

use std::any::Any;
use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use backend_api::{
    Copied, Ctx, Error, ErrorKind, Fetch, FetchSink, Fetched, FlagChange, Incoming, Load, MailStore, Mailbox,
    MailboxName, NewMessage, NumSet, Remove, Result, Rights, SearchKey, SearchSink, SeqSet, Stored, Uid, UidSet,
    Updates, WaitingStore,
};

use super::recent::Recent;
use super::session::{find, source};
use super::sync::{Source, Unsure};
use super::told::Told;
use crate::hub::Hub;
use crate::listing::{Difference, Snapshot};
use crate::seq_mapper::SeqMapper;
use crate::sync::{AtomicU64, Ordering};

/// A selected mailbox of [`Mapped`](super::Mapped).
pub struct MappedMailbox<S: MailStore> {
    pub(super) source: Source<S>,
    hub: Hub,
    pub(super) view: SeqMapper,
    pub(super) read_only: bool,
    /// UIDs that are recent to this session.
    recent: Recent,
    /// Messages that were claimed and are not announced yet.
    claimed: Option<(Uid, Uid)>,
    /// What this command has told of changes already, so that the poll behind it does not say it again.
    pub(super) told: Told,
    /// STORE commands of which the changes were made before they are run. Until the last of them is, nothing is told but by
    /// them: else a poll would tell of a change whose command is still to come.
    ahead: VecDeque<WaitingStore>,
    /// How many keywords the client knows of.
    keywords: usize,
    /// The generation up to which this view was told of every expunge. Others look at it.
    expunges_told: Option<Arc<AtomicU64>>,
    /// What says to the store that messages are numbered here.
    _kept: Kept,
}

/// What [`MailStore::view`] returned.
pub(super) type Kept = Option<Box<dyn Any + Send + Sync>>;

impl<S: MailStore> MappedMailbox<S> {
    /// Begins with what the listing is now; `kept` was asked for before it was read.
    pub(super) fn new(source: Source<S>, kept: Kept, hub: Hub, read_only: bool) -> Self {
        let (now, expunges_told) = source.open.add_view();
        let keywords = now.keywords().len();
        // For stores that other processes write to: none of them need keep for us what was removed until now.
        source.store.reclaim(
            &source.account,
            source.open.id(),
            &UidSet::new(),
            source.open.told_up_to(),
        );
        Self {
            source,
            hub,
            view: SeqMapper::new(now),
            read_only,
            recent: Recent::default(),
            claimed: None,
            told: Told::default(),
            ahead: VecDeque::new(),
            keywords,
            expunges_told: Some(expunges_told),
            _kept: kept,
        }
    }

    /// How many of the view's messages are recent. Called once those that were claimed are in the view.
    pub(super) fn recent_count(&mut self) -> u32 {
        if let Some((first, last)) = self.claimed.take() {
            let seqs = self.view.resolve(&NumSet::Uid(UidSet::run(first, last)));
            self.recent
                .add(first, last, u32::try_from(seqs.len()).unwrap_or(u32::MAX));
        }
        self.recent.count()
    }

    pub(super) fn is_recent(&self, uid: Uid) -> bool {
        self.recent.contains(uid)
    }

    /// The messages of the told snapshot above `announced` are recent here if no session had them before. EXAMINE shows that
    /// and claims nothing. Called before they are announced: who is cut off in here has told nothing.
    pub(super) async fn claim_recent(&mut self, announced: Option<Uid>) {
        let told = self.view.told();
        let (Some(last), Some(below)) = (told.len().checked_sub(1).and_then(|i| told.uid_at(i)), told.uid_next())
        else {
            return;
        };
        let Source {
            store, account, open, ..
        } = &self.source;
        // The hub decides among the sessions here, the store among those of all processes.
        let mut here = open.recent_from().filter(|first| *first <= last);
        if here.is_some() && !self.read_only {
            here = open.claim_recent(Some(below));
        }
        let Some(here) = here else {
            return;
        };
        match store.first_recent(account, open.id(), below, !self.read_only).await {
            Ok(first) => {
                let new = announced.and_then(|uid| Uid::new(uid.get().saturating_add(1)));
                let first = first.max(here).max(new.unwrap_or(Uid::MIN));
                if first <= last {
                    self.claimed = Some((first, last));
                }
            }
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), source = std::error::Error::source(&error), "no message is recent");
                if !self.read_only {
                    open.unclaim_recent(here);
                }
            }
        }
    }

    pub(super) fn require_writable(&self) -> Result<()> {
        match self.read_only {
            true => Err(Error::new(ErrorKind::ReadOnly, "the mailbox is open for reading only")),
            false => Ok(()),
        }
    }

    /// Whether a poll with these rights has something to do.
    fn has_news(&self, rights: Rights) -> bool {
        let open = &self.source.open;
        let moved = open.current().generation() != self.view.told().generation();
        open.is_deleted()
            || (rights.flags && (moved || open.must_ask().is_some()))
            || (rights.expunge && self.view.ghost_count() > 0)
            || (rights.exists && self.view.has_unannounced())
    }

    /// Names the mailbox's keywords when there are new ones: before the first message that has one.
    fn tell_keywords(&mut self, now: &Snapshot, out: &mut Updates<'_>) {
        if now.keywords().len() != self.keywords
            && let Some(mut flags) = out.flags()
        {
            self.keywords = now.keywords().len();
            flags.keywords(&now.keywords().iter().cloned().collect::<Vec<_>>());
        }
    }

    async fn tell_flags(&mut self, now: &Arc<Snapshot>, out: &mut Updates<'_>) -> Result<()> {
        self.tell_keywords(now, out);
        self.told.close();
        let before = self.view.told().clone();
        let announced = self.view.announced_uids().last();
        let mut vanished = Vec::new();
        for difference in before.diff(now) {
            match difference {
                Difference::Added { new } if Some(new.uid) <= announced => return Err(self.late(new.uid)),
                Difference::Added { .. } => {}
                Difference::Vanished { old, index } => vanished.push((old.uid, index)),
                Difference::Changed { new, .. } if self.told.has(new.uid, new.mod_seq) => {}
                Difference::Changed { new, .. } => {
                    let (Some(seq), Some(mut flags)) = (self.view.seq(new.uid), out.flags()) else {
                        continue;
                    };
                    flags.put(
                        seq,
                        new.uid,
                        new.flags,
                        self.recent.contains(new.uid),
                        Some(new.mod_seq),
                    );
                    if out.is_full() {
                        out.ready().await?;
                    }
                }
            }
        }
        self.told = Told::default();
        self.view.advance(now.clone(), &vanished);
        Ok(())
    }

    /// A message came to be below those that the client knows: no number could be given to it.
    fn late(&self, uid: Uid) -> Error {
        let mailbox = self.source.open.id();
        tracing::warn!(mailbox, %uid, "the store gave a new message a UID that is not above all others");
        Error::new(
            ErrorKind::Bye,
            "the mailbox changed in a way that needs a new connection",
        )
    }

    async fn tell_expunges(&mut self, out: &mut Updates<'_>) -> Result<()> {
        if self.view.ghost_count() == 0 {
            return Ok(());
        }
        while let Some(mut expunges) = out.expunges() {
            let Some((seq, uid)) = self.view.pop_ghost() else { break };
            expunges.put(seq, uid);
            self.recent.remove(uid);
            if out.is_full() {
                out.ready().await?;
            }
        }
        Ok(())
    }

    /// What nobody numbers any more may go.
    fn reclaim(&self) {
        if self.view.ghost_count() == 0
            && let Some(told) = &self.expunges_told
        {
            told.store(self.view.told().generation(), Ordering::Release);
        }
        let Source {
            store, account, open, ..
        } = &self.source;
        if open.has_graves() {
            let gone = open.exhume();
            if !gone.is_empty() {
                store.reclaim(account, open.id(), &gone, open.told_up_to());
            }
        }
    }

    /// Whether this is the STORE that comes next of those made ahead. Any other command ends what was to come of them.
    fn was_made_ahead(&mut self, set: &NumSet, change: &FlagChange) -> bool {
        let next = self.ahead.pop_front();
        let same = next.is_some_and(|next| next.set == *set && next.change == *change);
        if !same {
            self.ahead.clear();
        }
        same
    }

    /// The messages that a set names here, and whether one of them was expunged elsewhere.
    pub(super) fn resolve(&self, set: &NumSet) -> (SeqSet, bool) {
        let seqs = self.view.resolve(set);
        let missing = !set.is_uid() && self.view.has_ghost(&seqs);
        (seqs, missing)
    }

    async fn target(&self, to: &MailboxName) -> Result<Source<S>> {
        let (store, account) = (&self.source.store, &self.source.account);
        let entry = find(&**store, account, to).await?;
        if !store.is_writable(account, entry.id) {
            return Err(Error::new(ErrorKind::ReadOnly, "the target mailbox is read-only"));
        }
        Ok(source(store, &self.hub, self.source.indexes.of_all(), account, &entry))
    }

    /// COPY for a store without that operation: every message is read and added.
    async fn copy_by_hand(&self, uids: &UidSet, to: &Source<S>, all: bool) -> Result<Copied> {
        let now = self.source.now().await?;
        let (mut messages, mut old) = (Vec::new(), Vec::new());
        for (first, last) in uids.runs() {
            let from = now.rank(*first) - u32::from(now.get(*first).is_some());
            for row in now.rows(from).take_while(|r| r.uid <= *last) {
                let (loaded, _) = self.load(&[row.uid], Load::new(false, true)).await?;
                let Some(body) = loaded.into_iter().next().and_then(|l| l.body) else {
                    continue;
                };
                let size = body.size();
                messages.push(NewMessage::new(row.flags.clone(), row.date, size, Incoming::Body(body)));
                old.push(row.uid);
            }
        }
        if all && old.len() as u64 != self.count_announced(uids) {
            return Err(expunge_issued());
        }
        if messages.is_empty() {
            return Ok(Copied::new(backend_api::UidValidity::MIN, Vec::new()));
        }
        let added = to.add(messages).await?;
        Ok(Copied::new(
            added.uid_validity,
            old.into_iter().zip(added.uids).collect(),
        ))
    }

    /// How many messages of these are numbered here.
    fn count_announced(&self, uids: &UidSet) -> u64 {
        self.view.resolve(&NumSet::Uid(uids.clone())).len()
    }

    pub(super) async fn load(&self, uids: &[Uid], what: Load) -> Result<(Vec<backend_api::Loaded>, usize)> {
        let (loaded, covered) = self
            .source
            .store
            .load(&self.source.account, self.source.open.id(), uids, what)
            .await?;
        if covered == 0 || covered > uids.len() {
            return Err(Error::internal(
                "the store loaded another number of messages than it was asked for",
            ));
        }
        Ok((loaded, covered))
    }
}

fn expunge_issued() -> Error {
    Error::new(
        ErrorKind::ExpungeIssued,
        "some of the messages were expunged by another session",
    )
}

impl<S: MailStore> Drop for MappedMailbox<S> {
    fn drop(&mut self) {
        self.expunges_told = None;
        self.reclaim();
    }
}

#[async_trait]
impl<S: MailStore> Mailbox for MappedMailbox<S> {
    fn last_uid(&self) -> Option<Uid> {
        self.view.last_uid()
    }

    async fn fetch(&mut self, _ctx: &Ctx<'_>, set: &NumSet, want: &Fetch, out: &mut dyn FetchSink) -> Result<Fetched> {
        self.ahead.clear();
        super::fetch::fetch(self, set, want, out).await
    }

    async fn store(
        &mut self,
        _ctx: &Ctx<'_>,
        set: &NumSet,
        change: &FlagChange,
        silent: bool,
        out: &mut Updates<'_>,
    ) -> Result<Stored> {
        self.require_writable()?;
        let made = self.was_made_ahead(set, change);
        let (seqs, mut missing) = self.resolve(set);
        if seqs.is_empty() {
            return Ok(Stored::default());
        }
        if !made {
            self.source.set_flags(&self.view.uids(&seqs), change).await?;
        }
        let now = self.source.now().await?;
        self.tell_keywords(&now, out);
        let view = self.view.clone();
        let known = view.told();
        let mut earlier = std::mem::take(&mut self.told);
        earlier.close();
        let mut cursor = now.seek();
        for numbered in view.numbered(&seqs) {
            let Some(index) = numbered.index else { continue };
            let Some(row) = cursor.seek(numbered.uid) else {
                missing |= !set.is_uid();
                continue;
            };
            if silent {
                // What was told since the last poll is not kept: then the client may think something else.
                let known = known.row(index).filter(|_| !earlier.mentions(row.uid));
                let expected = known.map(|old| change.apply(old.flags));
                if expected.is_some_and(|flags| flags == *row.flags) {
                    self.told.put(numbered.seq, row.uid, row.mod_seq);
                }
                continue;
            }
            let Some(mut flags) = out.flags() else { continue };
            flags.put(
                numbered.seq,
                row.uid,
                row.flags,
                self.recent.contains(row.uid),
                Some(row.mod_seq),
            );
            self.told.put(numbered.seq, row.uid, row.mod_seq);
            if out.is_full() {
                out.ready().await?;
            }
        }
        earlier.add(std::mem::take(&mut self.told));
        self.told = earlier;
        Ok(Stored::with_missing(missing))
    }

    async fn store_ahead(&mut self, _ctx: &Ctx<'_>, waiting: &[WaitingStore]) {
        self.ahead.clear();
        if self.read_only {
            return;
        }
        let uids = |one: &WaitingStore| self.view.uids(&self.view.resolve(&one.set));
        let changes = waiting.iter().map(|one| (uids(one), one.change.clone())).collect();
        match self.source.set_flags_each(changes).await {
            Ok(true) => self.ahead.extend(waiting.iter().cloned()),
            Ok(false) => {}
            // Which of them cannot be made shows when they are run one by one.
            Err(error) => tracing::debug!(kind = ?error.kind(), "flags were not changed ahead"),
        }
    }

    async fn search(&mut self, _ctx: &Ctx<'_>, key: &SearchKey, out: &mut dyn SearchSink) -> Result<()> {
        self.ahead.clear();
        super::search::search(self, key, out).await
    }

    async fn copy(&mut self, _ctx: &Ctx<'_>, set: &NumSet, to: &MailboxName) -> Result<Copied> {
        self.ahead.clear();
        let to = self.target(to).await?;
        let (seqs, missing) = self.resolve(set);
        if missing {
            return Err(expunge_issued());
        }
        let all = !set.is_uid();
        let uids = if all {
            self.view.exact_uids(&seqs)
        } else {
            self.view.uids(&seqs)
        };
        let Source {
            store, account, open, ..
        } = &self.source;
        if uids.is_empty() {
            return Ok(Copied::new(backend_api::UidValidity::MIN, Vec::new()));
        }
        let unsure = Unsure::new([&to]);
        match store.copy(account, open.id(), &uids, to.open.id(), all).await? {
            Some(copied) => Ok(copied),
            None => {
                unsure.settled();
                self.copy_by_hand(&uids, &to, all).await
            }
        }
    }

    async fn r#move(&mut self, _ctx: &Ctx<'_>, set: &NumSet, to: &MailboxName) -> Result<Copied> {
        self.ahead.clear();
        self.require_writable()?;
        let to = self.target(to).await?;
        let (seqs, missing) = self.resolve(set);
        let uids = self.view.uids(&seqs);
        let Source {
            store, account, open, ..
        } = &self.source;
        if uids.is_empty() {
            return Ok(Copied::new(backend_api::UidValidity::MIN, Vec::new()));
        }
        let unsure = Unsure::new([&self.source, &to]);
        let mut copied = match store.r#move(account, open.id(), &uids, to.open.id()).await? {
            Some(moved) => moved,
            None => {
                unsure.settled();
                let _nobody_else = open.moving.lock().await;
                let copied = self.copy_by_hand(&uids, &to, false).await?;
                let old: UidSet = copied.uids.iter().map(|(old, _)| *old).collect();
                self.source.remove(&old, Remove::All).await?;
                copied
            }
        };
        copied.missing = !set.is_uid() && (missing || (copied.uids.len() as u64) < seqs.len());
        Ok(copied)
    }

    async fn expunge(&mut self, _ctx: &Ctx<'_>, uids: Option<&UidSet>) -> Result<()> {
        self.ahead.clear();
        self.require_writable()?;
        let announced = self.view.announced_uids();
        let uids = uids.map_or(announced.clone(), |uids| announced.intersection(uids));
        if !uids.is_empty() {
            self.source.remove(&uids, Remove::Deleted).await?;
        }
        Ok(())
    }

    async fn changed(&mut self, rights: Rights) {
        self.ahead.clear();
        let open = self.source.open.clone();
        let this = &*self;
        open.until(|| this.has_news(rights)).await;
    }

    async fn poll(&mut self, _ctx: &Ctx<'_>, out: &mut Updates<'_>) -> Result<()> {
        let now = self.source.now().await?;
        let rights = if self.ahead.is_empty() {
            out.rights()
        } else {
            Rights::NONE
        };
        if self.has_news(rights) && rights.flags {
            if now.generation() != self.view.told().generation() {
                self.tell_flags(&now, out).await?;
            }
            self.tell_expunges(out).await?;
            if rights.exists && self.view.has_unannounced() {
                self.claim_recent(self.view.announced_uids().last()).await;
                let (exists, _) = self.view.announce();
                let recent = self.recent_count();
                if let Some(mut news) = out.exists() {
                    news.put(exists, recent);
                }
            }
            self.reclaim();
        }
        if rights.flags {
            self.told = Told::default();
        }
        if self.source.open.is_deleted() {
            return Err(Error::new(ErrorKind::MailboxGone, "the selected mailbox was deleted"));
        }
        Ok(())
    }
}
