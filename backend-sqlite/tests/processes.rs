//! Two stores on one folder, as two processes have it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use common::*;

use std::sync::Arc;
use std::time::Duration;

use backend_api::*;
use backend_sqlite::{Options, SqliteStore};

struct Other {
    store: Arc<SqliteStore>,
    told: Arc<Told>,
}

fn other(w: &World, options: Options) -> Other {
    let store = SqliteStore::open(w.dir.path(), options).unwrap();
    let told = Arc::new(Told::default());
    store.attach(told.clone());
    Other { store, told }
}

async fn add(store: &SqliteStore, w: &World, text: &str) -> Uid {
    let body = Incoming::Body(MessageBody::from(text.to_owned()));
    let message = NewMessage::new(Flags::NONE, date(), 0, body);
    store.add(&w.account, w.inbox, vec![message]).await.unwrap().uids[0]
}

fn quiet() -> Options {
    let mut options = Options::default();
    options.background = false;
    options
}

#[tokio::test]
async fn what_the_other_acknowledged_is_seen_by_the_next_look() {
    let w = world_with(quiet()).await;
    let other = other(&w, quiet());
    for n in 1..50 {
        assert_eq!(add(&other.store, &w, "x").await, uid_of(n));
        // Two looks for clients are so far apart that this is one of them.
        let until = std::time::Instant::now() + Duration::from_micros(30);
        while std::time::Instant::now() < until {}
        w.store.refresh();
        assert_eq!(w.told.take(), [(w.inbox, None)], "after message {n}");
    }
}

/// Counts what it is told, and takes its time as a hub with many mailboxes does.
#[derive(Default)]
struct Slow(std::sync::atomic::AtomicUsize);

impl Watcher for Slow {
    fn mailbox(&self, _: &Account, _: MailboxId, _: Option<Changes>) {
        let until = std::time::Instant::now() + Duration::from_micros(200);
        while std::time::Instant::now() < until {}
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }
}

#[tokio::test]
async fn of_two_who_look_together_neither_goes_on_before_the_watcher_was_told() {
    let w = world_with(quiet()).await;
    let looking = SqliteStore::open(w.dir.path(), quiet()).unwrap();
    let told = Arc::new(Slow::default());
    looking.attach(told.clone());
    for n in 1..=200 {
        w.add("x").await;
        let until = std::time::Instant::now() + Duration::from_micros(30);
        while std::time::Instant::now() < until {}
        let barrier = std::sync::Barrier::new(2);
        let look = || {
            barrier.wait();
            looking.refresh();
            told.0.load(std::sync::atomic::Ordering::SeqCst)
        };
        let seen = std::thread::scope(|s| [s.spawn(look), s.spawn(look)].map(|t| t.join().unwrap()));
        assert_eq!(seen, [n, n]);
    }
}

#[tokio::test]
async fn our_own_changes_are_told_once() {
    let w = world_with(quiet()).await;
    let other = other(&w, quiet());
    w.add("a").await;
    assert_eq!(w.told.take().len(), 1);
    w.store.tidy().await.unwrap();
    w.store.refresh();
    assert!(w.told.take().is_empty());
    other.store.refresh();
    assert_eq!(other.told.take(), [(w.inbox, None)]);
}

#[tokio::test]
async fn idle_clients_hear_of_the_others_delivery() {
    let w = world().await;
    let other = other(&w, Options::brief());
    for _ in 0..20 {
        add(&other.store, &w, "x").await;
        let heard = tokio::time::timeout(Duration::from_secs(10), w.told.next());
        assert_eq!(heard.await.expect("nothing was heard")[0], (w.inbox, None));
    }
}

#[tokio::test]
async fn the_others_deletion_is_told_as_such() {
    let w = world_with(quiet()).await;
    let other = other(&w, quiet());
    let id = w.make("gone").await;
    other.store.refresh();
    other.told.take();
    w.store.delete(&w.account, id).await.unwrap();
    let until = std::time::Instant::now() + Duration::from_micros(30);
    while std::time::Instant::now() < until {}
    other.store.refresh();
    let told = other.told.take();
    assert_eq!(told[0].0, id);
    assert!(told[0].1.as_ref().unwrap().deleted);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_write_at_the_same_time_and_nothing_is_lost() {
    let w = world().await;
    let other = other(&w, Options::default());
    let mut racing = tokio::task::JoinSet::new();
    for n in 0..100 {
        let store = if n % 2 == 0 {
            w.store.clone()
        } else {
            other.store.clone()
        };
        let (account, inbox) = (w.account.clone(), w.inbox);
        racing.spawn(async move {
            let body = Incoming::Body(MessageBody::from(format!("message {n}")));
            let message = NewMessage::new(Flags::NONE, date(), 0, body);
            store.add(&account, inbox, vec![message]).await.unwrap().uids[0].get()
        });
    }
    let mut uids = racing.join_all().await;
    uids.sort_unstable();
    assert_eq!(uids, (1..=100).collect::<Vec<_>>());
    assert_eq!(w.uids(w.inbox).await, uids);
    assert_eq!(w.status(w.inbox).await.messages, 100);
}

#[tokio::test]
async fn a_ghost_stays_as_long_as_another_process_may_number_it() {
    let w = world_with(quiet()).await;
    w.add("ghost").await;
    let other = other(&w, quiet());
    w.store
        .remove(&w.account, w.inbox, &set("1"), Remove::All)
        .await
        .unwrap();
    w.store.reclaim(&w.account, w.inbox, &set("1"));
    w.store.tidy().await.unwrap();
    let body = other.store.body(&w.account, w.inbox, uid_of(1)).await.unwrap();
    assert_eq!(body.read_all(10).await.unwrap(), "ghost");
    drop(other);
    let gone = tokio::time::timeout(Duration::from_secs(10), async {
        while w.rows("messages") > 0 {
            w.store.tidy().await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    gone.await.expect("the ghost was not reclaimed");
}

#[tokio::test]
async fn a_process_that_holds_the_database_too_long_is_in_use() {
    let mut options = quiet();
    options.patience = Duration::from_millis(50);
    let w = world_with(options).await;
    let holder = rusqlite::Connection::open(w.dir.path().join("mail.db")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let body = Incoming::Body(MessageBody::from("x"));
    let message = NewMessage::new(Flags::NONE, date(), 0, body);
    let outcome = w.store.add(&w.account, w.inbox, vec![message]).await;
    assert_eq!(kind(outcome), ErrorKind::InUse);
    // Reading goes on meanwhile, and writing afterwards.
    assert!(w.uids(w.inbox).await.is_empty());
    holder.execute_batch("ROLLBACK").unwrap();
    w.add("y").await;
}
