//! What clients of [`Mapped`] are told, in conversations of two to four sessions, over stores of every kind.
//!
//! [`Mapped`]: backendutil::Mapped
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod cancel;
mod client;
mod closed;
mod conversations;
mod interleaved;
#[path = "../support/large.rs"]
mod large;
#[path = "../support/random.rs"]
mod random;
mod read_only;
mod searches;
mod stores;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use backend_memory::MemoryStore;
use stores::{Around, ModSeqStore, Push};

fn memory() -> Around<MemoryStore> {
    Around::new(MemoryStore::new().with_user("demo", "secret"))
}

/// Without COPY and MOVE of its own.
fn by_hand() -> Around<MemoryStore> {
    Around::by_hand(MemoryStore::new().with_user("demo", "secret"))
}

fn mod_seqs(push: Push) -> Around<ModSeqStore> {
    Around::new(ModSeqStore::new(push))
}

/// Counts how often somebody was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Polls so many times, and gives the result if there is one by then.
fn poll_times<F: Future + ?Sized>(mut future: Pin<&mut F>, times: usize) -> Option<F::Output> {
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..times {
        if let Poll::Ready(done) = future.as_mut().poll(&mut cx) {
            return Some(done);
        }
    }
    None
}

/// Runs to the end what waits for nothing but pauses. That it is stuck is a failure. (No runtime: there is nothing to wait
/// for, and one would count the polls.)
fn finish<F: Future + ?Sized>(mut future: Pin<&mut F>) -> F::Output {
    poll_times(future.as_mut(), 100_000).expect("it waits for something that never comes")
}

fn run(test: impl Future<Output = ()>) {
    finish(Box::pin(test).as_mut());
}

/// Each conversation with each kind of store that can be written to.
macro_rules! on_every_store {
    ($($name:ident: $messages:expr),* $(,)?) => { $(
        mod $name {
            use super::*;
            use $crate::stores::Push;

            #[test]
            fn memory() {
                $crate::run(async { super::$name(World::with_messages($crate::memory(), $messages).await).await });
            }
            #[test]
            fn without_copy_and_move() {
                $crate::run(async { super::$name(World::with_messages($crate::by_hand(), $messages).await).await });
            }
            #[test]
            fn mod_seqs_told() {
                $crate::run(async { super::$name(World::with_messages($crate::mod_seqs(Push::Changes), $messages).await).await });
            }
            #[test]
            fn mod_seqs_hinted_at() {
                $crate::run(async { super::$name(World::with_messages($crate::mod_seqs(Push::Hint), $messages).await).await });
            }
            #[test]
            fn mod_seqs_not_told() {
                $crate::run(async { super::$name(World::with_messages($crate::mod_seqs(Push::Nothing), $messages).await).await });
            }
        }
    )* };
}
use on_every_store;
