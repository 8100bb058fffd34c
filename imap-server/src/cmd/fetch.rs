//! FETCH and UID FETCH (RFC 3501 6.4.5).

use backend_api::{Backend, Ctx, Fetch, FetchItem, Mailbox};
use imap_core::{Code, RawSet};

use super::{need, resolve};
use crate::connection::Conn;
use crate::reply::{Fail, Reply};
use crate::sink::{Messages, Out};
use crate::wire::race;

pub(super) async fn run<B: Backend>(
    conn: &mut Conn<B>,
    uid: bool,
    set: &RawSet,
    items: Vec<FetchItem>,
) -> Result<Reply, Fail> {
    let set = match resolve(conn, uid, set) {
        Ok(set) => set,
        Err(why) => return Reply::bad(why),
    };
    let with_uid = uid || items.contains(&FetchItem::Uid);
    let mut want = Fetch::new(items);
    want.set_seen = !conn.is_read_only() && want.items.iter().any(sets_seen);
    let mailbox = need(&mut conn.mailbox)?;
    let ctx = Ctx::new(&conn.info);
    let wire = &mut conn.wire;
    let mut messages = Messages {
        out: Out::new(&mut wire.core, &mut wire.tx),
        with_uid,
    };
    let fetched = race(
        mailbox.fetch(&ctx, &set, &want, &mut messages),
        &mut wire.rx,
        &wire.entry,
        wire.times.backend,
    )
    .await?;
    wire.check_whole(&fetched)?;
    if fetched.is_err() && wire.tx.is_stopped() {
        return Err(wire.stopped().into());
    }
    if fetched?.missing {
        return Reply::no(Code::ExpungeIssued, "Some messages were expunged by another session");
    }
    Reply::ok("FETCH completed")
}

fn sets_seen(item: &FetchItem) -> bool {
    matches!(item, FetchItem::Section(section) if !section.peek)
}
