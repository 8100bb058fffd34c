//! How a connection is asked from outside to end, and what it is to say then.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::registry::Registry;

/// One connection's signal: set once, with the text of the BYE.
#[derive(Default)]
pub(crate) struct Stop {
    reason: OnceLock<String>,
    signal: CancellationToken,
}

impl Stop {
    /// Asks the connection to end as soon as nothing that changes something is under way.
    pub(crate) fn stop(&self, reason: &str) {
        let _ = self.reason.set(reason.to_owned());
        self.signal.cancel();
    }

    /// Whether it was asked to.
    pub(crate) fn is_stopped(&self) -> bool {
        self.signal.is_cancelled()
    }

    /// Waits until it is asked to. Cancel safe.
    pub(crate) async fn stopped(&self) {
        self.signal.cancelled().await;
    }

    /// The same as a future that owns what it needs.
    pub(crate) fn signal(&self) -> CancellationToken {
        self.signal.clone()
    }

    /// The text of the BYE.
    pub(crate) fn reason(&self) -> &str {
        self.reason.get().map_or("Closing", String::as_str)
    }
}

/// Asks every connection to end, and after `deadline` ends them. How many had to be ended.
pub(crate) async fn shut_down(registry: &Arc<Registry>, reason: &str, deadline: Duration) -> usize {
    registry.close(reason);
    if timeout(deadline, empty(registry)).await.is_ok() {
        return 0;
    }
    let left = registry.len();
    registry.kill.cancel();
    // Their tasks have to run once more to notice; one that never runs again is its executor's matter.
    let _ = timeout(Duration::from_secs(1), empty(registry)).await;
    left
}

async fn empty(registry: &Registry) {
    loop {
        let mut notified = std::pin::pin!(registry.empty.notified());
        notified.as_mut().enable();
        if registry.len() == 0 {
            return;
        }
        notified.await;
    }
}
