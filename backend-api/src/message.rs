//! The octets of messages: how a store hands them out, and what comes in to be kept.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{DateTime, Error, ErrorKind, Flags, Result, Uid};

/// Random access to the octets of a message that is too large to be handed over at once.
#[async_trait]
pub trait RangedBody: Send + Sync {
    /// Octets in all.
    fn size(&self) -> u64;

    /// Exactly `len` octets from `offset` on; the caller asks for at most 64 KiB, and for nothing beyond the end. Each
    /// call is a short read of its own: nothing stays locked between two.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when the message was removed meanwhile.
    async fn read_at(&self, offset: u64, len: usize) -> Result<Bytes>;
}

/// The octets of a message (RFC 5322, lines ended by CRLF).
#[derive(Clone)]
#[non_exhaustive]
pub enum MessageBody {
    /// In memory.
    Bytes(Bytes),
    /// Read piece by piece.
    Ranged(Arc<dyn RangedBody>),
}

impl MessageBody {
    /// Octets in all.
    pub fn size(&self) -> u64 {
        match self {
            Self::Bytes(b) => b.len() as u64,
            Self::Ranged(r) => r.size(),
        }
    }

    /// Exactly `len` octets from `offset` on.
    ///
    /// # Errors
    /// Those of [`RangedBody::read_at`]; [`Internal`](crate::ErrorKind::Internal) when the range is not inside the body,
    /// or the store answered with another length.
    pub async fn read_at(&self, offset: u64, len: usize) -> Result<Bytes> {
        let outside = || Error::internal("a range outside the message was asked for");
        match self {
            Self::Bytes(all) => {
                let start = usize::try_from(offset).map_err(|_| outside())?;
                let end = start
                    .checked_add(len)
                    .filter(|end| *end <= all.len())
                    .ok_or_else(outside)?;
                Ok(all.slice(start..end))
            }
            Self::Ranged(body) => {
                if offset.checked_add(len as u64).is_none_or(|end| end > body.size()) {
                    return Err(outside());
                }
                let piece = body.read_at(offset, len).await?;
                if piece.len() == len {
                    Ok(piece)
                } else {
                    Err(Error::internal("the store answered a read with another length"))
                }
            }
        }
    }

    /// All octets in memory.
    ///
    /// # Errors
    /// [`TooBig`](crate::ErrorKind::TooBig) above `limit`; those of reading.
    pub async fn read_all(&self, limit: usize) -> Result<Bytes> {
        let size = usize::try_from(self.size()).ok().filter(|s| *s <= limit);
        let size = size.ok_or_else(|| Error::new(ErrorKind::TooBig, "the message is too large for this mailbox"))?;
        if let Self::Bytes(all) = self {
            return Ok(all.clone());
        }
        let mut all = Vec::with_capacity(size);
        while all.len() < size {
            all.extend_from_slice(&self.read_at(all.len() as u64, (size - all.len()).min(65_536)).await?);
        }
        Ok(all.into())
    }
}

impl<T: Into<Bytes>> From<T> for MessageBody {
    fn from(bytes: T) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl fmt::Debug for MessageBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageBody({} octets)", self.size())
    }
}

/// Where the octets of a new message are.
#[non_exhaustive]
pub enum Incoming {
    /// Held by the caller, in memory or in a temporary file.
    Body(MessageBody),
    /// What the store's own [`stage`](crate::MailStore::stage) returned.
    Staged(Box<dyn Any + Send>),
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(body) => body.fmt(f),
            Self::Staged(_) => f.write_str("Staged"),
        }
    }
}

/// A message to be stored.
#[derive(Debug)]
#[non_exhaustive]
pub struct NewMessage {
    /// Its flags.
    pub flags: Flags,
    /// INTERNALDATE.
    pub date: DateTime,
    /// Octets.
    pub size: u64,
    /// The octets.
    pub body: Incoming,
}

impl NewMessage {
    /// A message to be stored.
    pub fn new(flags: Flags, date: DateTime, size: u64, body: Incoming) -> Self {
        Self {
            flags,
            date,
            size,
            body,
        }
    }

    /// All octets in memory.
    ///
    /// # Errors
    /// [`TooBig`](crate::ErrorKind::TooBig) above `limit`; [`Internal`](crate::ErrorKind::Internal) for a staged message,
    /// which only the store that staged it can read.
    pub fn read_all(&self, limit: usize) -> impl Future<Output = Result<Bytes>> + Send + use<> {
        let body = match &self.body {
            Incoming::Body(body) => Ok(body.clone()),
            Incoming::Staged(_) => Err(Error::internal("a staged message is read by the store that staged it")),
        };
        async move { body?.read_all(limit).await }
    }
}

/// What of a message is to be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Load {
    /// Its stored index.
    pub index: bool,
    /// Its octets.
    pub body: bool,
    /// The octets of its header, which an answer needs that its index does not give.
    pub header: bool,
}

impl Load {
    /// The index, the body, or both.
    pub fn new(index: bool, body: bool) -> Self {
        let header = false;
        Self { index, body, header }
    }

    /// The index and the octets of the header.
    pub fn header() -> Self {
        Self {
            index: true,
            body: false,
            header: true,
        }
    }
}

/// A message as loaded.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Loaded {
    /// Its UID.
    pub uid: Uid,
    /// The index that the store keeps (made by `imap-message`), if it was asked for and is there.
    pub index: Option<Bytes>,
    /// Its octets, if they were asked for, or if the store has no index to give.
    pub body: Option<MessageBody>,
    /// Its first octets, at least up to the end of its header, if those were asked for and the store can read them for less
    /// than the body. A store that cannot gives none of them, or the body.
    pub header: Option<Bytes>,
}

impl Loaded {
    /// A loaded message.
    pub fn new(uid: Uid, index: Option<Bytes>, body: Option<MessageBody>) -> Self {
        let header = None;
        Self {
            uid,
            index,
            body,
            header,
        }
    }

    /// The same with the octets of its header.
    #[must_use]
    pub fn with_header(self, header: Option<Bytes>) -> Self {
        Self { header, ..self }
    }
}
