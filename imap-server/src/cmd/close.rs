//! CLOSE (RFC 3501 6.4.2): removes what is `\Deleted` without a word, then nothing is selected.

use backend_api::{Backend, Ctx, ErrorKind, Mailbox};

use super::need;
use crate::connection::Conn;
use crate::reply::{Fail, Reply};

pub(super) async fn run<B: Backend>(conn: &mut Conn<B>) -> Result<Reply, Fail> {
    if !conn.is_read_only() {
        let removed = need(&mut conn.mailbox)?.expunge(&Ctx::new(&conn.info), None).await;
        match removed {
            // It was deleted by another client: nothing is left to be removed.
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::MailboxGone) => {}
            // Answered NO: the mailbox stays selected, which is what its client then thinks.
            removed => removed?,
        }
    }
    conn.close_mailbox();
    Reply::ok("CLOSE completed")
}
