//! CLOSE (RFC 3501 6.4.2): removes what is `\Deleted` without a word, then nothing is selected.

use backend_api::{Backend, Ctx, Mailbox};

use super::need;
use crate::connection::Conn;
use crate::reply::{Fail, Reply};

pub(super) async fn run<B: Backend>(conn: &mut Conn<B>) -> Result<Reply, Fail> {
    let removed = if conn.is_read_only() {
        Ok(())
    } else {
        need(&mut conn.mailbox)?.expunge(&Ctx::new(&conn.info), None).await
    };
    conn.close_mailbox();
    removed?;
    Reply::ok("CLOSE completed")
}
