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
    let session = need(&mut conn.session)?;
    session.delete(&Ctx::new(&conn.info), &name).await?;
    conn.close_if_gone().await?;
    Reply::ok("DELETE completed")
}
