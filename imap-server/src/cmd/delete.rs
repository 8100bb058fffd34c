//! DELETE (RFC 3501 6.3.4).

use backend_api::{Backend, Ctx, Error, ErrorKind, Session};
use imap_core::MailboxArg;

use super::{existing, need};
use crate::connection::Conn;
use crate::reply::{Fail, Reply};

pub(super) async fn run<B: Backend>(conn: &mut Conn<B>, mailbox: MailboxArg) -> Result<Reply, Fail> {
    let name = existing(mailbox)?;
    if name.is_inbox() {
        return Err(Error::new(ErrorKind::Cannot, "INBOX cannot be deleted").into());
    }
    let was_gone = conn.mailbox_is_gone().await?;
    let session = need(&mut conn.session)?;
    session.delete(&Ctx::new(&conn.info), &name).await?;
    // Who deletes the mailbox that he has selected has no need of a farewell: it is closed, as UNSELECT would. Others are
    // told `* BYE`.
    if !was_gone && conn.mailbox_is_gone().await? {
        conn.close_mailbox();
    }
    Reply::ok("DELETE completed")
}
