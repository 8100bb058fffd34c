//! ENABLE (RFC 5161): extensions that change what the server sends.

use backend_api::Backend;

use crate::connection::Conn;
use crate::reply::{Fail, Reply};

pub(super) fn run<B: Backend>(conn: &mut Conn<B>, names: &[String]) -> Result<Reply, Fail> {
    conn.wire.core.enable(names);
    Reply::ok("ENABLE completed")
}
