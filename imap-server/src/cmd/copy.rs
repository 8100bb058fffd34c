//! COPY and UID COPY (RFC 3501 6.4.7, RFC 4315 3).

use backend_api::{Backend, Ctx, Mailbox};
use imap_core::{MailboxArg, RawSet};

use super::{need, possible, resolve};
use crate::connection::Conn;
use crate::reply::{Fail, Reply};

pub(super) async fn run<B: Backend>(
    conn: &mut Conn<B>,
    uid: bool,
    set: &RawSet,
    to: MailboxArg,
) -> Result<Reply, Fail> {
    let set = match resolve(conn, uid, set) {
        Ok(set) => set,
        Err(why) => return Reply::bad(why),
    };
    let to = possible(to)?;
    let mailbox = need(&mut conn.mailbox)?;
    let copied = mailbox.copy(&Ctx::new(&conn.info), &set, &to).await;
    Ok(Reply::Copied(copied.map_err(Fail::Target)?))
}
