//! NOOP (RFC 3501 6.1.2): an occasion to be told of changes, which the end of every command is.

use crate::reply::{Fail, Reply};

pub(super) fn run() -> Result<Reply, Fail> {
    Reply::ok("NOOP completed")
}
