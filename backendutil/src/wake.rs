//! A counter that wakes: level-triggered, so no change between a look and a wait is lost.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// Counts changes and wakes whoever waits for the next one.
#[derive(Debug, Default)]
pub struct Wake {
    count: AtomicU64,
    notify: Notify,
}

impl Wake {
    /// Something changed.
    pub fn wake(&self) {
        self.count.fetch_add(1, Ordering::AcqRel);
        self.notify.notify_waiters();
    }

    /// Waits until `ready` says yes; it is asked again after every [`wake`](Wake::wake).
    ///
    /// # Cancel safety
    /// Safe: nothing is consumed.
    pub async fn until(&self, mut ready: impl FnMut() -> bool) {
        loop {
            // Registered first, asked then: a wake between the two is not lost.
            let notified = self.notify.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if ready() {
                return;
            }
            notified.await;
        }
    }
}
