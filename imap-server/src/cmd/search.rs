//! SEARCH and UID SEARCH (RFC 3501 6.4.4).

use backend_api::{Backend, Ctx, Mailbox, NumSet, SearchKey};
use imap_core::{RawNumSet, resolve_search_seq, resolve_uid};

use super::{last_uid, need};
use crate::connection::Conn;
use crate::reply::{Fail, Reply};
use crate::sink::{Found, Out};
use crate::wire::race;

pub(super) async fn run<B: Backend>(conn: &mut Conn<B>, uid: bool, key: SearchKey<RawNumSet>) -> Result<Reply, Fail> {
    let (exists, last) = (conn.wire.core.exists(), last_uid(conn));
    // A criterion does not address a message, it asks whether there is one: numbers above EXISTS match nothing.
    let key = key.try_map_sets(&mut |set| {
        Ok::<_, Fail>(match set {
            RawNumSet::Seq(set) => NumSet::Seq(resolve_search_seq(&set, exists)),
            RawNumSet::Uid(set) => NumSet::Uid(resolve_uid(&set, last)),
        })
    })?;
    let mailbox = need(&mut conn.mailbox)?;
    let ctx = Ctx::new(&conn.info);
    let wire = &mut conn.wire;
    let mut found = Found::new(Out::new(&mut wire.core, &mut wire.tx), uid);
    let searched = race(mailbox.search(&ctx, &key, &mut found), &mut wire.rx, &wire.entry).await?;
    found.end();
    wire.check()?;
    searched?;
    Reply::ok("SEARCH completed")
}
