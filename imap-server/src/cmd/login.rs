//! LOGIN (RFC 3501 6.2.3).

use backend_api::Backend;
use imap_core::Secret;

use crate::auth;
use crate::connection::Conn;
use crate::reply::{Fail, Reply};

pub(super) async fn run<B: Backend>(conn: &mut Conn<B>, user: &str, password: &Secret) -> Result<Reply, Fail> {
    auth::log_in(conn, user, password.expose()).await
}
