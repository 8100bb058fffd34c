//! ID (RFC 2971): who we are; who the client says it is goes to the log.

use backend_api::Backend;

use crate::connection::Conn;
use crate::log;
use crate::reply::{Fail, Reply};

pub(super) fn run<B: Backend>(conn: &mut Conn<B>, client: &[(String, Option<String>)]) -> Result<Reply, Fail> {
    log::client_id(client);
    let ours: Vec<_> = conn
        .server
        .config
        .id
        .iter()
        .map(|(k, v)| (k.as_str(), Some(v.as_str())))
        .collect();
    conn.wire.core.writer().id(&ours);
    Reply::ok("ID completed")
}
