//! EXPUNGE (RFC 3501 6.4.3) and UID EXPUNGE (RFC 4315 2.1). What was removed is told by the poll at the command's end.

use backend_api::{Backend, Ctx, Mailbox};
use imap_core::{RawSet, resolve_uid};

use super::{last_uid, need, writable};
use crate::connection::Conn;
use crate::reply::{Fail, Reply};

pub(super) async fn run<B: Backend>(conn: &mut Conn<B>, uids: Option<RawSet>) -> Result<Reply, Fail> {
    writable(conn)?;
    let uids = uids.map(|set| resolve_uid(&set, last_uid(conn)));
    let mailbox = need(&mut conn.mailbox)?;
    mailbox.expunge(&Ctx::new(&conn.info), uids.as_ref()).await?;
    Reply::ok("EXPUNGE completed")
}
