//! What wakes who waits for a change: level-triggered, so no change between a look and a wait is lost.

use crate::sync::Notify;

/// Wakes whoever waits for the next change.
#[derive(Debug, Default)]
pub struct Wake(Notify);

impl Wake {
    /// Something changed.
    pub fn wake(&self) {
        self.0.notify_waiters();
    }

    /// Waits until `ready` says yes; it is asked again after every [`wake`](Wake::wake).
    ///
    /// # Cancel safety
    /// Safe: nothing is consumed.
    pub async fn until(&self, mut ready: impl FnMut() -> bool) {
        loop {
            // Made first, asked then: a wake between the two is not lost, for a `Notified` hears every call since it was made.
            let notified = self.0.notified();
            if ready() {
                return;
            }
            notified.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::task::{Context, Poll};

    use super::*;
    use crate::sync::alone;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// A waiter whose look happens in two halves, with `between` in the middle: the answer is what was seen before it.
    fn wait_with(between: impl Fn(usize), wake: &Wake, changed: &AtomicBool) -> bool {
        let woken = Arc::new(Woken::default());
        let waker = woken.clone().into();
        let mut looks = 0;
        let mut waiting = Box::pin(wake.until(|| {
            let seen = changed.load(Ordering::SeqCst);
            looks += 1;
            between(looks);
            seen
        }));
        let mut polled = 0;
        while polled == 0 || woken.0.swap(0, Ordering::SeqCst) > 0 {
            if waiting.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Ready(()) {
                return true;
            }
            polled += 1;
        }
        false
    }

    #[test]
    fn a_change_at_any_point_of_a_wait_is_seen() {
        alone(|| {
            // Before it, during its first look after the state was read, during none.
            for at in 0..3 {
                let (wake, changed) = (Wake::default(), AtomicBool::new(false));
                let change = || {
                    changed.store(true, Ordering::SeqCst);
                    wake.wake();
                };
                if at == 0 {
                    change();
                }
                let seen = wait_with(
                    |look| {
                        if look == at {
                            change()
                        }
                    },
                    &wake,
                    &changed,
                );
                assert_eq!(seen, at < 2, "{at}");
            }
        });
    }

    #[test]
    fn each_of_many_waiters_is_woken_and_a_dropped_one_takes_nothing() {
        alone(|| {
            let (wake, changed) = (Wake::default(), AtomicBool::new(false));
            let woken: Vec<_> = (0..4).map(|_| Arc::new(Woken::default())).collect();
            let mut waiting: Vec<_> = woken
                .iter()
                .map(|w| {
                    (
                        Box::pin(wake.until(|| changed.load(Ordering::SeqCst))),
                        w.clone().into(),
                    )
                })
                .collect();
            for (future, waker) in &mut waiting {
                assert!(future.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
            }
            drop(waiting.remove(1));
            changed.store(true, Ordering::SeqCst);
            wake.wake();
            let counts: Vec<usize> = woken.iter().map(|w| w.0.load(Ordering::SeqCst)).collect();
            assert_eq!(counts, [1, 0, 1, 1]);
            for (future, waker) in &mut waiting {
                assert!(future.as_mut().poll(&mut Context::from_waker(waker)).is_ready());
            }
        });
    }
}
