//! Delivering a message into a user's mailbox, for the command line and whatever else brings mail.

use backend_api::{Appended, DateTime, Error, ErrorKind, Flags, MailboxName, Uid, UidValidity};
use tokio::io::AsyncRead;

use crate::append::{self, Arriving};
use crate::stage;
use crate::store::SqliteStore;
use crate::tx::{Tx, account_id, check_account};
use crate::{listing, mailboxes};

/// A message to be delivered.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Delivery {
    /// To whom.
    pub user: String,
    /// Into which mailbox: INBOX unless said otherwise.
    pub mailbox: MailboxName,
    /// Whether a mailbox that is not there is created (and subscribed).
    pub create: bool,
    /// Octets before the message: header lines such as Return-Path and Delivered-To, each with CRLF.
    pub prefix: Vec<u8>,
    /// INTERNALDATE; `None` is now.
    pub date: Option<DateTime>,
}

impl Delivery {
    /// A delivery into a user's INBOX.
    pub fn new(user: &str) -> Self {
        Self {
            user: user.to_owned(),
            mailbox: MailboxName::inbox(),
            create: false,
            prefix: Vec::new(),
            date: None,
        }
    }
}

/// Where a message was delivered to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivered {
    /// UIDVALIDITY of the mailbox.
    pub uid_validity: UidValidity,
    /// The message's UID.
    pub uid: Uid,
}

/// Why a message was not delivered. Each kind is another exit code of `sysexits.h`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeliverError {
    /// `EX_NOUSER`: it will never be delivered.
    #[error("there is no user {0}")]
    NoUser(String),
    /// `EX_CANTCREAT`: there is no such mailbox, and none was to be made.
    #[error("there is no mailbox {0}")]
    NoMailbox(MailboxName),
    /// `EX_TEMPFAIL`: the store is busy or cannot be used just now; try again.
    #[error("{0}")]
    Busy(Error),
    /// `EX_TEMPFAIL`: the disk is full; try again.
    #[error("{0}")]
    Full(Error),
    /// `EX_DATAERR`: the message is larger than allowed.
    #[error("{0}")]
    TooBig(Error),
    /// `EX_IOERR`: the message could not be read.
    #[error("the message could not be read: {0}")]
    Input(Error),
    /// `EX_SOFTWARE`: anything else.
    #[error("{0}")]
    Other(Error),
}

impl From<Error> for DeliverError {
    fn from(e: Error) -> Self {
        match e.kind() {
            ErrorKind::InUse | ErrorKind::Unavailable => Self::Busy(e),
            ErrorKind::OverQuota => Self::Full(e),
            ErrorKind::TooBig => Self::TooBig(e),
            ErrorKind::Disconnected => Self::Input(e),
            _ => Self::Other(e),
        }
    }
}

impl SqliteStore {
    /// Delivers one message, read to its end. It is durable when this returns; a server on the same folder tells its
    /// clients. Octets are kept as they are: who reads mail with bare LF line ends converts them first.
    ///
    /// # Errors
    /// See [`DeliverError`]. Nothing was delivered then.
    ///
    /// # Cancel safety
    /// Dropped, the message is delivered or not, whole.
    pub async fn deliver(
        &self,
        delivery: Delivery,
        message: &mut (dyn AsyncRead + Send + Unpin),
    ) -> Result<Delivered, DeliverError> {
        let shared = &self.shared;
        let user = delivery.user.clone();
        let account = shared.readers.call(move |conn| listing::account(conn, &user)).await?;
        let account = account.ok_or_else(|| DeliverError::NoUser(delivery.user.clone()))?;
        let name = delivery.mailbox.clone();
        let (a, n) = (account.clone(), name.clone());
        let found = shared.readers.call(move |conn| listing::mailbox(conn, &a, &n)).await?;
        if found.is_none() && !delivery.create {
            return Err(DeliverError::NoMailbox(name));
        }
        let mut message = Source { message, failed: false };
        let staged = stage::to_the_end(shared, account_id(&account), &delivery.prefix, &mut message).await;
        let staged = match staged {
            Err(e) if message.failed => return Err(DeliverError::Input(e)),
            other => stage::place(shared, other?).await?,
        };
        let date = delivery.date.unwrap_or_else(DateTime::now);
        let create = delivery.create;
        let store = move |tx: &mut Tx<'_>| {
            // Removed since it was looked up.
            if check_account(tx.conn, account_id(&account)).is_err() {
                return Ok(Err(DeliverError::NoUser(account.name().to_owned())));
            }
            let flags = Flags::NONE;
            let place = match mailboxes::find(tx, &account, &name)? {
                Some(place) => place,
                None if create => {
                    mailboxes::subscribe(tx, &account, &name, true)?;
                    mailboxes::create(tx, &account, &name, &[])?
                }
                None => return Ok(Err(DeliverError::NoMailbox(name))),
            };
            append::add(tx, &account, place, vec![Arriving { flags, date, staged }]).map(Ok)
        };
        let appended: Appended = shared.writer.call(store).await??;
        let uid = appended.uids.first().copied();
        Ok(Delivered {
            uid_validity: appended.uid_validity,
            uid: uid.ok_or_else(|| Error::internal("a delivery without a UID"))?,
        })
    }
}

/// Tells a failure of the message's source from one of ours.
struct Source<'a> {
    message: &'a mut (dyn AsyncRead + Send + Unpin),
    failed: bool,
}

impl AsyncRead for Source<'_> {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        let polled = std::pin::Pin::new(&mut *self.message).poll_read(cx, buf);
        if matches!(polled, std::task::Poll::Ready(Err(_))) {
            self.failed = true;
        }
        polled
    }
}
