//! SUBSCRIBE and UNSUBSCRIBE (RFC 3501 6.3.6, 6.3.7).

use backend_api::{Backend, Ctx, Session};
use imap_core::MailboxArg;

use super::{existing, need};
use crate::connection::Conn;
use crate::reply::{Fail, Reply};

pub(super) async fn run<B: Backend>(conn: &mut Conn<B>, mailbox: MailboxArg, subscribed: bool) -> Result<Reply, Fail> {
    let name = existing(mailbox)?;
    let session = need(&mut conn.session)?;
    session.subscribe(&Ctx::new(&conn.info), &name, subscribed).await?;
    Reply::ok(if subscribed {
        "SUBSCRIBE completed"
    } else {
        "UNSUBSCRIBE completed"
    })
}
