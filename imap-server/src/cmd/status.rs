//! STATUS (RFC 3501 6.3.10), also of the selected mailbox.

use backend_api::{Backend, Ctx, Session, StatusItems};
use imap_core::MailboxArg;

use super::{existing, need};
use crate::connection::Conn;
use crate::reply::{Fail, Reply};

pub(super) async fn run<B: Backend>(
    conn: &mut Conn<B>,
    mailbox: MailboxArg,
    items: StatusItems,
    append_limit: bool,
) -> Result<Reply, Fail> {
    let name = existing(mailbox)?;
    let session = need(&mut conn.session)?;
    let ctx = Ctx::new(&conn.info);
    let asking = session.status(&ctx, &name, items);
    let status = conn.wire.race(asking).await??;
    let append_limit = append_limit.then(|| conn.wire.core.append_limit());
    conn.wire.core.writer().status(&name, items, &status, append_limit);
    Reply::ok("STATUS completed")
}
