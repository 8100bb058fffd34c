//! RENAME (RFC 3501 6.3.5).

use backend_api::{Backend, Ctx, Error, ErrorKind, MailboxName, Session};
use imap_core::MailboxArg;

use super::{existing, need, possible};
use crate::connection::Conn;
use crate::reply::{Fail, Reply};

pub(super) async fn run<B: Backend>(conn: &mut Conn<B>, from: MailboxArg, to: MailboxArg) -> Result<Reply, Fail> {
    let (from, to) = (existing(from)?, possible(to)?);
    check(&from, &to)?;
    let session = need(&mut conn.session)?;
    session.rename(&Ctx::new(&conn.info), &from, &to).await?;
    Reply::ok("RENAME completed")
}

/// What no backend has to think about.
fn check(from: &MailboxName, to: &MailboxName) -> Result<(), Error> {
    if from == to || to.is_inbox() {
        return Err(Error::new(ErrorKind::AlreadyExists, "there is such a mailbox already"));
    }
    // INBOX stays where it is: its messages may well go below it.
    if to.is_below(from) && !from.is_inbox() {
        return Err(Error::new(ErrorKind::Cannot, "a mailbox cannot be moved below itself"));
    }
    Ok(())
}
