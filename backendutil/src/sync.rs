//! The locks, counters and signals that the hub is made of. In this crate's own tests they are those of a scheduler that
//! tries interleavings (`hub/interleavings.rs`); the code above them is the same.

#[cfg(not(test))]
pub(crate) use self::real::{AtomicBool, AtomicU32, AtomicU64, Mutex, Notify, Ordering, RwLock};
#[cfg(test)]
pub(crate) use self::scheduled::{AtomicBool, AtomicU32, AtomicU64, Mutex, Notify, Ordering, RwLock, alone, schedule};

#[cfg(not(test))]
mod real {
    pub(crate) use parking_lot::{Mutex, RwLock};
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
    pub(crate) use tokio::sync::Notify;
}

#[cfg(test)]
mod scheduled {
    use std::pin::Pin;
    use std::sync::PoisonError;
    use std::task::{Context, Poll, Waker};

    use shuttle::scheduler::{PctScheduler, RandomScheduler};
    use shuttle::sync as scheduled;
    pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

    /// Runs a test that has no threads, for these locks work in a schedule alone.
    pub(crate) fn alone(test: impl Fn() + Send + Sync + 'static) {
        run(RandomScheduler::new_from_seed(0, 1), test);
    }

    /// Runs a test that often, each time in another order of its threads' steps: half of them at random, half with few
    /// changes of thread at points that are chosen to find what random orders miss. A failure prints the order.
    pub(crate) fn schedule(times: usize, test: impl Fn() + Send + Sync + Clone + 'static) {
        run(RandomScheduler::new_from_seed(1, times.div_ceil(2)), test.clone());
        run(PctScheduler::new_from_seed(1, 3, times / 2), test);
    }

    fn run(scheduler: impl shuttle::scheduler::Scheduler + 'static, test: impl Fn() + Send + Sync + 'static) {
        let mut config = shuttle::Config::new();
        config.stack_size = 512 * 1024;
        shuttle::Runner::new(scheduler, config).run(test);
    }

    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(scheduled::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn lock(&self) -> scheduled::MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    #[derive(Debug, Default)]
    pub(crate) struct RwLock<T>(scheduled::RwLock<T>);

    impl<T> RwLock<T> {
        pub(crate) fn read(&self) -> scheduled::RwLockReadGuard<'_, T> {
            self.0.read().unwrap_or_else(PoisonError::into_inner)
        }

        pub(crate) fn write(&self) -> scheduled::RwLockWriteGuard<'_, T> {
            self.0.write().unwrap_or_else(PoisonError::into_inner)
        }
    }

    /// As much of tokio's `Notify` as is used: whoever asked before a call is woken by it, whoever asks after it waits.
    #[derive(Debug, Default)]
    pub(crate) struct Notify(Mutex<Waiting>);

    #[derive(Debug, Default)]
    struct Waiting {
        calls: u64,
        asked: u64,
        wakers: Vec<(u64, Waker)>,
    }

    impl Notify {
        pub(crate) fn notify_waiters(&self) {
            let mut waiting = self.0.lock();
            waiting.calls += 1;
            let wakers = std::mem::take(&mut waiting.wakers);
            drop(waiting);
            wakers.into_iter().for_each(|(_, waker)| waker.wake());
        }

        pub(crate) fn notified(&self) -> Notified<'_> {
            let mut waiting = self.0.lock();
            waiting.asked += 1;
            Notified {
                notify: self,
                calls: waiting.calls,
                id: waiting.asked,
            }
        }
    }

    pub(crate) struct Notified<'a> {
        notify: &'a Notify,
        calls: u64,
        id: u64,
    }

    impl Future for Notified<'_> {
        type Output = ();

        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            let mut waiting = self.notify.0.lock();
            if waiting.calls > self.calls {
                return Poll::Ready(());
            }
            waiting.wakers.retain(|(id, _)| *id != self.id);
            waiting.wakers.push((self.id, cx.waker().clone()));
            Poll::Pending
        }
    }

    impl Drop for Notified<'_> {
        fn drop(&mut self) {
            self.notify.0.lock().wakers.retain(|(id, _)| *id != self.id);
        }
    }
}
