//! Waking between real threads. Every order of their steps is tried in `hub/interleavings.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use backendutil::Wake;

/// The waiter sleeps whenever it is not woken, so one lost wake-up stops the test for ever.
#[test]
fn no_wake_up_is_lost_between_threads() {
    const ROUNDS: u64 = 20_000;
    let (wake, back) = (Arc::new(Wake::default()), Arc::new(Wake::default()));
    let (ping, pong) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let other = std::thread::spawn({
        let (wake, back, ping, pong) = (wake.clone(), back.clone(), ping.clone(), pong.clone());
        move || {
            runtime().block_on(async {
                for round in 1..=ROUNDS {
                    wake.until(|| ping.load(Ordering::Acquire) >= round).await;
                    pong.store(round, Ordering::Release);
                    back.wake();
                }
            });
        }
    });
    runtime().block_on(async {
        for round in 1..=ROUNDS {
            ping.store(round, Ordering::Release);
            wake.wake();
            back.until(|| pong.load(Ordering::Acquire) >= round).await;
        }
    });
    other.join().unwrap();
    assert_eq!(pong.load(Ordering::Relaxed), ROUNDS);
}
