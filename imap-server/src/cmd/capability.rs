//! CAPABILITY (RFC 3501 6.1.1): what this connection can do at this moment.

use backend_api::Backend;

use crate::connection::Conn;
use crate::reply::{Fail, Reply};

pub(super) fn run<B: Backend>(conn: &mut Conn<B>) -> Result<Reply, Fail> {
    let list = conn.wire.core.capabilities();
    conn.wire.core.writer().capability(&list);
    Reply::ok("CAPABILITY completed")
}
