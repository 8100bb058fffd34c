//! LOGOUT (RFC 3501 6.1.3): BYE first, then OK, then the connection ends.

use backend_api::Backend;
use imap_core::{Answer, Tag};

use crate::connection::Conn;
use crate::reply::{Fail, Reply};
use crate::wire::End;

pub(super) fn run<B: Backend>(conn: &mut Conn<B>, tag: &Tag) -> Result<Reply, Fail> {
    conn.close_mailbox();
    conn.wire.core.bye("Logging out", None);
    conn.wire.core.complete(tag, &Answer::ok("LOGOUT completed"));
    Err(End::Said("logout".into()).into())
}
