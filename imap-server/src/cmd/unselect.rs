//! UNSELECT (RFC 3691): nothing is selected, and nothing removed.

use backend_api::Backend;

use crate::connection::Conn;
use crate::reply::{Fail, Reply};

pub(super) fn run<B: Backend>(conn: &mut Conn<B>) -> Result<Reply, Fail> {
    conn.close_mailbox();
    Reply::ok("UNSELECT completed")
}
