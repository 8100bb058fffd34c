//! A future that is polled so many times and then dropped, to see what it leaves behind.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// How long something that must happen may take.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// When a future is dropped that has been polled often enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropAt {
    /// At once: what it began may still be under way.
    AtOnce,
    /// When it was woken: what it waited for has happened, and it does not know yet.
    Woken,
}

impl DropAt {
    /// Both.
    pub const ALL: [Self; 2] = [Self::AtOnce, Self::Woken];
}

/// Who polls: remembers that it was woken. Whoever may still wake it holds a reference.
#[derive(Debug, Default)]
pub struct Poller {
    woken: AtomicU64,
    notify: Notify,
}

impl Wake for Poller {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.fetch_add(1, Ordering::SeqCst);
        self.notify.notify_one();
    }
}

impl Poller {
    /// Waits until nobody holds a waker any more: nothing is registered anywhere for the future that was dropped.
    ///
    /// # Panics
    /// Somebody still does after a long time.
    pub async fn is_forgotten(self: Arc<Self>) {
        until("a waker is still registered", || Arc::strong_count(&self) == 1).await;
    }
}

/// Polls a future up to so many times, each time once it was woken, and drops it: its output, if it came to its end, and who
/// polled it.
///
/// # Panics
/// Nobody wakes it.
pub async fn poll_times<F: Future>(future: F, times: usize, drop: DropAt) -> (Option<F::Output>, Arc<Poller>) {
    let poller = Arc::new(Poller::default());
    let waker = poller.clone().into();
    let mut future = pin!(future);
    for poll in 1..=times {
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        if let Poll::Ready(output) = polled {
            return (Some(output), poller);
        }
        if poll == times && drop == DropAt::AtOnce {
            break;
        }
        let woken = tokio::time::timeout(DEADLINE, poller.notify.notified()).await;
        assert!(woken.is_ok(), "nobody woke the future after poll {poll}");
    }
    (None, poller)
}

/// Lets others work until something is so.
///
/// # Panics
/// It is not so after a long time.
pub async fn until(otherwise: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !so() {
        assert!(Instant::now() < end, "{otherwise}");
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_future_is_dropped_after_so_many_polls() {
        let twice = || async {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            7
        };
        for (times, output) in [(1, None), (2, None), (3, Some(7))] {
            let (done, poller) = poll_times(twice(), times, DropAt::Woken).await;
            assert_eq!(done, output);
            poller.is_forgotten().await;
        }
    }
}
