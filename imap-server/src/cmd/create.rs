//! CREATE (RFC 3501 6.3.3, RFC 6154 3).

use backend_api::{Backend, Ctx, Error, ErrorKind, Session, SpecialUse};
use imap_core::MailboxArg;

use super::{need, possible};
use crate::connection::Conn;
use crate::reply::{Fail, Reply};

pub(super) async fn run<B: Backend>(
    conn: &mut Conn<B>,
    mailbox: MailboxArg,
    special_use: &[SpecialUse],
) -> Result<Reply, Fail> {
    let name = possible(mailbox)?;
    if name.is_inbox() {
        return Err(Error::new(ErrorKind::AlreadyExists, "INBOX is always there").into());
    }
    let session = need(&mut conn.session)?;
    session.create(&Ctx::new(&conn.info), &name, special_use).await?;
    Reply::ok("CREATE completed")
}
