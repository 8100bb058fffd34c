//! A message as FETCH and SEARCH read it: its index, stored or made, and ranges of its octets.

use backend_api::{Bytes, Error, FetchSink, Load, Loaded, MailStore, MessageBody, Result, Uid};
use imap_message::{Index, Indexer};

use super::mailbox::MappedMailbox;

/// Octets read at once.
pub(super) const PIECE: u64 = 64 * 1024;

/// A message that was loaded for its index, its octets, or both.
pub(super) struct Octets {
    pub(super) uid: Uid,
    index: Option<Index<Bytes>>,
    body: Option<MessageBody>,
}

impl Octets {
    pub(super) fn new(loaded: Loaded) -> Self {
        // An index of another version is as good as none: it is made again.
        let index = loaded.index.and_then(|bytes| Index::parse(bytes).ok());
        Self {
            uid: loaded.uid,
            index,
            body: loaded.body,
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
        self.index = Some(index.map_err(|_| Error::internal("an index just made cannot be read"))?);
        Ok(true)
    }

    /// The index, after [`need_index`](Self::need_index).
    pub(super) fn index(&self) -> Result<&Index<Bytes>> {
        self.index
            .as_ref()
            .ok_or_else(|| Error::internal("the index was not made"))
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
