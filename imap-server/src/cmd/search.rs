//! SEARCH and UID SEARCH (RFC 3501 6.4.4).

use backend_api::{Backend, Ctx, Mailbox, SearchKey};
use imap_core::{RawNumSet, resolve_search};

use super::{last_uid, need};
use crate::connection::Conn;
use crate::reply::{Fail, Reply};
use crate::sink::{Found, Out};
use crate::wire::race;

pub(super) async fn run<B: Backend>(conn: &mut Conn<B>, uid: bool, key: SearchKey<RawNumSet>) -> Result<Reply, Fail> {
    let key = resolve_search(key, conn.wire.core.exists(), last_uid(conn));
    let mailbox = need(&mut conn.mailbox)?;
    let ctx = Ctx::new(&conn.info);
    let wire = &mut conn.wire;
    let mut found = Found::new(Out::new(&mut wire.core, &mut wire.tx), uid);
    let searched = race(
        mailbox.search(&ctx, &key, &mut found),
        &mut wire.rx,
        &wire.entry,
        wire.times.backend,
    )
    .await?;
    found.end();
    wire.check()?;
    searched?;
    Reply::ok("SEARCH completed")
}
