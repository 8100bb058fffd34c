//! What an embedder holds of a running server: who is connected, and how to end connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use backend_api::MailboxName;

use crate::registry::Registry;
use crate::shutdown;

/// A connection as [`Handle::sessions`] lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// The connection's number, as in the log.
    pub id: u64,
    /// Who is logged in, if anybody.
    pub user: Option<String>,
    /// The other end, where there is a socket.
    pub peer: Option<SocketAddr>,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// The selected mailbox.
    pub mailbox: Option<MailboxName>,
    /// When the connection began.
    pub since: SystemTime,
}

/// A handle on a server: it only signals, so it can be cloned, kept and dropped freely.
#[derive(Clone)]
pub struct Handle {
    pub(crate) registry: Arc<Registry>,
}

impl Handle {
    /// Every connection there is, in the order in which they came.
    pub fn sessions(&self) -> Vec<SessionInfo> {
        self.registry.sessions()
    }

    /// Ends all connections of a user with `* BYE` and this reason; how many. A change under way is finished first.
    pub fn disconnect_user(&self, user: &str, reason: &str) -> usize {
        self.registry.stop(|s| s.user.as_deref() == Some(user), reason)
    }

    /// Ends one connection with `* BYE` and this reason; whether there was one of this number.
    pub fn disconnect(&self, id: u64, reason: &str) -> bool {
        self.registry.stop(|s| s.id == id, reason) > 0
    }

    /// Takes no more connections, says `* BYE` with this reason to those there are, and waits until they have ended.
    /// Changes under way are finished. After `deadline` the rest is cut off; returned is how many that were.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the shutdown under way, without its deadline.
    pub async fn shutdown(&self, reason: &str, deadline: Duration) -> usize {
        shutdown::shut_down(&self.registry, reason, deadline).await
    }

    /// Whether [`shutdown`](Handle::shutdown) was called.
    pub fn is_shutting_down(&self) -> bool {
        self.registry.closing.is_cancelled()
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle")
            .field("connections", &self.registry.len())
            .finish()
    }
}
