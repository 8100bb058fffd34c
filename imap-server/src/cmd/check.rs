//! CHECK (RFC 3501 6.4.1): what is acknowledged here is durable already, so it is NOOP.

use crate::reply::{Fail, Reply};

pub(super) fn run() -> Result<Reply, Fail> {
    Reply::ok("CHECK completed")
}
