//! A message as FETCH and SEARCH read it: its index, stored or made, and ranges of its octets.

use std::sync::Arc;

use backend_api::{Bytes, Error, FetchSink, Load, Loaded, MailStore, MessageBody, Result, Uid};
use imap_message::{Index, Indexer};

use super::indexes::MailboxIndexes;
use super::mailbox::MappedMailbox;

/// Octets read at once.
pub(super) const PIECE: u64 = 64 * 1024;

/// A message that was loaded for its index, its octets, or both.
pub(super) struct Octets {
    pub(super) uid: Uid,
    index: Option<Arc<Index<Bytes>>>,
    /// Its first octets, if they were loaded without the others.
    header: Option<Bytes>,
    body: Option<MessageBody>,
}

impl Octets {
    fn of(loaded: Loaded, indexes: &MailboxIndexes) -> Self {
        // An index of another version is as good as none: it is made again.
        let index = loaded.index.and_then(|bytes| Index::parse(bytes).ok()).map(Arc::new);
        if let Some(index) = &index {
            indexes.put(loaded.uid, index);
        }
        Self {
            uid: loaded.uid,
            index,
            header: loaded.header,
            body: loaded.body,
        }
    }

    /// Octets that go as far as `end` at least, from the start on; `None` if the message went meanwhile.
    pub(super) async fn up_to<S: MailStore>(
        &mut self,
        mailbox: &MappedMailbox<S>,
        end: u64,
    ) -> Result<Option<MessageBody>> {
        match &self.header {
            Some(header) if self.body.is_none() && header.len() as u64 >= end => {
                Ok(Some(MessageBody::from(header.clone())))
            }
            _ => self.body(mailbox).await,
        }
    }

    /// The octets; `None` if the message went meanwhile.
    pub(super) async fn body<S: MailStore>(&mut self, mailbox: &MappedMailbox<S>) -> Result<Option<MessageBody>> {
        if self.body.is_none() {
            let (loaded, _) = mailbox.load(&[self.uid], Load::new(false, true)).await?;
            self.body = loaded.into_iter().next().and_then(|l| l.body);
        }
        Ok(self.body.clone())
    }

    /// Makes sure that there is an index; `false` if the message went meanwhile.
    pub(super) async fn need_index<S: MailStore>(&mut self, mailbox: &MappedMailbox<S>) -> Result<bool> {
        if self.index.is_some() {
            return Ok(true);
        }
        let Some(body) = self.body(mailbox).await? else {
            return Ok(false);
        };
        let mut indexer = Indexer::new();
        let mut at = 0;
        while at < body.size() {
            let piece = body.read_at(at, piece_len(body.size() - at)).await?;
            at += piece.len() as u64;
            indexer.push(&piece);
        }
        let index = Index::parse(Bytes::from(indexer.finish().into_bytes()));
        let index = index.map_err(|_| Error::internal("an index just made cannot be read"))?;
        let index = Arc::new(index);
        mailbox.source.indexes.put(self.uid, &index);
        self.index = Some(index);
        Ok(true)
    }

    /// Where the message's header ends, after [`need_index`](Self::need_index).
    pub(super) fn header_end(&self) -> Result<u64> {
        Ok(self.index()?.part(&[]).map_or(u64::MAX, |part| part.header().end))
    }

    /// The index, after [`need_index`](Self::need_index).
    pub(super) fn index(&self) -> Result<&Index<Bytes>> {
        self.index
            .as_deref()
            .ok_or_else(|| Error::internal("the index was not made"))
    }
}

impl<S: MailStore> MappedMailbox<S> {
    /// Messages from the start of a list of growing UIDs, and how many of the list that covers, at least one. Where indexes
    /// are wanted alone, those that are in memory are not loaded.
    pub(super) async fn octets(&self, uids: &[Uid], what: Load) -> Result<(Vec<Octets>, usize)> {
        let indexes = &self.source.indexes;
        let from_memory = |uid: &Uid| {
            let from_store = what.body || what.header;
            let index = if from_store { None } else { indexes.get(*uid) };
            let (uid, header, body) = (*uid, None, None);
            Octets {
                uid,
                index,
                header,
                body,
            }
        };
        let known: Vec<Octets> = uids.iter().map(from_memory).collect();
        let unknown: Vec<Uid> = known.iter().filter(|o| o.index.is_none()).map(|o| o.uid).collect();
        if unknown.is_empty() {
            return Ok((known, uids.len()));
        }
        let (loaded, covered) = self.load(&unknown, what).await?;
        let next = unknown.get(covered).and_then(|next| uids.binary_search(next).ok());
        let covered = next.unwrap_or(uids.len());
        let mut loaded = loaded.into_iter().peekable();
        let known = known.into_iter().take(covered);
        let octets = known.filter_map(|known| match known.index {
            Some(_) => Some(known),
            None => loaded.next_if(|l| l.uid == known.uid).map(|l| Octets::of(l, indexes)),
        });
        Ok((octets.collect(), covered))
    }
}

pub(super) fn piece_len(left: u64) -> usize {
    usize::try_from(left.min(PIECE)).unwrap_or(0)
}

/// Reads `len` octets from `start` on into the sink, piece by piece.
pub(super) async fn stream(body: &MessageBody, start: u64, len: u64, out: &mut dyn FetchSink) -> Result<()> {
    let mut at = 0;
    while at < len {
        let piece = body.read_at(start + at, piece_len(len - at)).await?;
        at += piece.len() as u64;
        out.data(&piece);
        if out.is_full() {
            out.ready().await?;
        }
    }
    Ok(())
}
