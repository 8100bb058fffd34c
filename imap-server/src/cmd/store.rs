//! STORE and UID STORE (RFC 3501 6.4.6).

use backend_api::{Backend, Ctx, FlagChange, Mailbox, Rights, Updates};
use imap_core::{Code, RawSet};

use super::{need, resolve, writable};
use crate::connection::Conn;
use crate::reply::{Fail, Reply};
use crate::sink::Out;

pub(super) async fn run<B: Backend>(
    conn: &mut Conn<B>,
    uid: bool,
    set: &RawSet,
    change: &FlagChange,
    silent: bool,
) -> Result<Reply, Fail> {
    let set = match resolve(conn, uid, set) {
        Ok(set) => set,
        Err(why) => return Reply::bad(why),
    };
    writable(conn)?;
    let mailbox = need(&mut conn.mailbox)?;
    let ctx = Ctx::new(&conn.info);
    let wire = &mut conn.wire;
    let mut out = Out::new(&mut wire.core, &mut wire.tx).with_uid(uid);
    let mut updates = Updates::new(&mut out, Rights::FLAGS);
    let stored = mailbox.store(&ctx, &set, change, silent, &mut updates).await;
    wire.check()?;
    // RFC 2180 4.2.1: .SILENT asked for no answer about single messages, so there is nothing that is missing.
    if stored?.missing && !silent {
        return Reply::no(Code::ExpungeIssued, "Some messages were expunged by another session");
    }
    Reply::ok("STORE completed")
}
