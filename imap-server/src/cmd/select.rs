//! SELECT and EXAMINE (RFC 3501 6.3.1, 6.3.2).

use backend_api::{Access, Backend, Ctx, PermanentFlags, Session};
use imap_core::{Answer, Code, MailboxArg};

use super::{existing, need};
use crate::connection::Conn;
use crate::reply::{Fail, Reply};

pub(super) async fn run<B: Backend>(conn: &mut Conn<B>, mailbox: MailboxArg, access: Access) -> Result<Reply, Fail> {
    // Also when this fails, nothing is selected afterwards.
    conn.close_mailbox();
    let name = existing(mailbox)?;
    let session = need(&mut conn.session)?;
    // Not raced: who opens a mailbox may claim what is recent in it.
    let (mailbox, mut selected) = session.select(&Ctx::new(&conn.info), &name, access).await?;
    let read_only = selected.read_only || access == Access::ReadOnly;
    if read_only {
        // Whatever a backend says: STORE is going to be refused.
        selected.permanent = PermanentFlags::None;
    }
    conn.wire.core.select(&selected, read_only);
    conn.mailbox = Some(mailbox);
    conn.place.set_mailbox(Some(name));
    let text = match access {
        Access::ReadWrite => "SELECT completed",
        Access::ReadOnly => "EXAMINE completed",
    };
    let code = if read_only { Code::ReadOnly } else { Code::ReadWrite };
    Ok(Reply::Answer(Answer::ok(text).with_code(code)))
}
