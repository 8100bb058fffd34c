//! MOVE and UID MOVE (RFC 6851). What another session expunged is left out. COPYUID stands in an untagged OK, before the EXPUNGEs that the poll at the end tells.

use backend_api::{Backend, Ctx, Mailbox};
use imap_core::{Code, MailboxArg, RawSet};

use super::{need, possible, resolve, writable};
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
    writable(conn)?;
    let to = possible(to)?;
    let mailbox = need(&mut conn.mailbox)?;
    let moved = mailbox
        .r#move(&Ctx::new(&conn.info), &set, &to)
        .await
        .map_err(Fail::Target)?;
    if !moved.uids.is_empty() {
        let code = Code::CopyUid {
            uid_validity: moved.uid_validity,
            uids: &moved.uids,
        };
        conn.wire.core.writer().ok_code(&code, "Moved");
    }
    Reply::ok(match moved.missing {
        true => "MOVE completed; some messages had been expunged by another session",
        false => "MOVE completed",
    })
}
