//! APPEND over a [`MailStore`]: octets are taken in first, without a transaction, and stored at the end.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use async_trait::async_trait;
use backend_api::{
    Append, AppendOptions, Appended, Bytes, DateTime, Error, Incoming, MailStore, MessageBody, NewMessage, RangedBody,
    Result,
};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::sync::Source;

/// What is larger than this while it is sent goes to a temporary file.
const IN_MEMORY: u64 = 64 * 1024;
/// How much of it is handed to the file at once.
const PIECE: usize = 64 * 1024;

/// The messages of one APPEND so far.
pub(super) struct MappedAppend<S> {
    source: Source<S>,
    messages: Vec<NewMessage>,
}

impl<S> MappedAppend<S> {
    pub(super) fn new(source: Source<S>) -> Self {
        Self {
            source,
            messages: Vec::new(),
        }
    }
}

#[async_trait]
impl<S: MailStore> Append for MappedAppend<S> {
    async fn message(
        &mut self,
        options: AppendOptions,
        size: u64,
        body: &mut (dyn AsyncRead + Send + Unpin),
    ) -> Result<()> {
        let incoming = match self.source.store.stage(&self.source.account, size, body).await? {
            Some(staged) => Incoming::Staged(staged),
            None => Incoming::Body(take_in(size, body).await?),
        };
        let date = options.date.unwrap_or_else(DateTime::now);
        self.messages.push(NewMessage::new(options.flags, date, size, incoming));
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<Appended> {
        let count = self.messages.len();
        let appended = self.source.add(self.messages).await?;
        if appended.uids.len() != count {
            return Err(Error::internal("the store did not give each new message a UID"));
        }
        Ok(appended)
    }
}

async fn take_in(size: u64, body: &mut (dyn AsyncRead + Send + Unpin)) -> Result<MessageBody> {
    if size <= IN_MEMORY {
        let mut octets = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        body.take(size).read_to_end(&mut octets).await?;
        return if octets.len() as u64 == size {
            Ok(octets.into())
        } else {
            Err(Error::disconnected())
        };
    }
    let mut file = tempfile::tempfile()?;
    let mut left = size;
    while left > 0 {
        let mut piece = Vec::with_capacity(PIECE);
        let want = left.min(PIECE as u64);
        while (piece.len() as u64) < want {
            if (&mut *body)
                .take(want - piece.len() as u64)
                .read_buf(&mut piece)
                .await?
                == 0
            {
                return Err(Error::disconnected());
            }
        }
        left -= want;
        file = blocking(move || file.write_all(&piece).map(|()| file)).await??;
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(MessageBody::Ranged(Arc::new(TemporaryFile {
        file: Arc::new(file),
        size,
    })))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

/// A message in a file that has no name any more: it is gone when the last reader is.
struct TemporaryFile {
    file: Arc<File>,
    size: u64,
}

#[async_trait]
impl RangedBody for TemporaryFile {
    fn size(&self) -> u64 {
        self.size
    }

    async fn read_at(&self, offset: u64, len: usize) -> Result<Bytes> {
        let file = self.file.clone();
        let read = move || {
            let mut octets = vec![0; len];
            file.read_exact_at(&mut octets, offset).map(|()| octets)
        };
        Ok(blocking(read).await??.into())
    }
}
