//! NAMESPACE (RFC 2342): one personal namespace without a prefix.

use backend_api::Backend;

use crate::connection::Conn;
use crate::reply::{Fail, Reply};

pub(super) fn run<B: Backend>(conn: &mut Conn<B>) -> Result<Reply, Fail> {
    conn.wire.core.writer().namespace("");
    Reply::ok("NAMESPACE completed")
}
