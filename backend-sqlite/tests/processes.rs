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

/// What we have just committed ourselves may not have been told yet: what another did before it must not hide behind it.
#[tokio::test]
async fn what_the_other_did_is_seen_though_something_of_our_own_came_after_it() {
    let w = world_with(quiet()).await;
    let other = other(&w, quiet());
    add(&other.store, &w, "of the other").await;
    add(&w.store, &w, "our own").await;
    let until = std::time::Instant::now() + Duration::from_micros(30);
    while std::time::Instant::now() < until {}
    w.store.refresh();
    let told = w.told.take();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[1], (w.inbox, None));
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
    w.store.delete(&w.account, id, &name("gone")).await.unwrap();
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

/// A session of the store, told of everything up to now.
async fn view(store: &SqliteStore, w: &World) -> Box<dyn std::any::Any + Send + Sync> {
    let view = store.view(&w.account, w.inbox).unwrap();
    told(store, w).await;
    view
}

/// Every session of the store was told of everything up to now.
async fn told(store: &SqliteStore, w: &World) {
    let up_to = store.messages(&w.account, w.inbox).await.unwrap().highest_mod_seq;
    store.reclaim(&w.account, w.inbox, &UidSet::new(), up_to);
}

async fn expunge(store: &SqliteStore, w: &World) {
    store
        .remove(&w.account, w.inbox, &set("1:1000"), Remove::All)
        .await
        .unwrap();
}

/// The store that expunges has no session, or one that was told; that of the other is told last, or goes, or begins only
/// then.
#[tokio::test]
async fn a_ghost_stays_as_long_as_a_session_of_another_process_numbers_it() {
    let w = world_with(quiet()).await;
    let other = other(&w, quiet());
    w.add("ghost").await;
    let theirs = view(&other.store, &w).await;
    let ours = view(&w.store, &w).await;
    expunge(&w.store, &w).await;
    told(&w.store, &w).await;
    w.store.tidy().await.unwrap();
    let body = other.store.body(&w.account, w.inbox, uid_of(1)).await.unwrap();
    assert_eq!(body.read_all(10).await.unwrap(), "ghost");
    // Another mailbox, another session, an earlier mod-sequence: none of them says that it is not needed.
    let elsewhere = other.store.view(&w.account, 77).unwrap();
    other.store.reclaim(&w.account, w.inbox, &UidSet::new(), ModSeq(2));
    w.store.tidy().await.unwrap();
    assert_eq!(w.rows("messages"), 1);
    told(&other.store, &w).await;
    w.store.tidy().await.unwrap();
    assert_eq!((w.rows("messages"), w.rows("ghosts")), (0, 0));
    drop((ours, theirs, elsewhere));

    w.add("of one who leaves").await;
    let theirs = view(&other.store, &w).await;
    expunge(&w.store, &w).await;
    w.store.tidy().await.unwrap();
    assert_eq!(w.rows("messages"), 1);
    drop(theirs);
    w.store.tidy().await.unwrap();
    assert_eq!(w.rows("messages"), 0);

    w.add("of one who comes").await;
    expunge(&w.store, &w).await;
    let theirs = view(&other.store, &w).await;
    w.store.tidy().await.unwrap();
    assert_eq!(w.rows("messages"), 0);
    drop(theirs);
}

/// A command may take longer than a minute, whose client reads slowly. Who has not ended after half an hour is not waited for.
#[tokio::test]
async fn a_deleted_mailbox_keeps_its_messages_while_a_session_of_another_process_reads_them() {
    let w = world_with(quiet()).await;
    let other = other(&w, quiet());
    let later = |seconds: i64| {
        let db = rusqlite::Connection::open(w.dir.path().join("mail.db")).unwrap();
        db.execute("UPDATE mailboxes SET gone = gone - ?", [seconds]).unwrap();
    };
    for (end, left) in [(61, 0), (36 * 60, 1)] {
        let mailbox = w.make("read slowly").await;
        w.add_to(mailbox, "text", Flags::NONE).await;
        let reading = other.store.view(&w.account, mailbox).unwrap();
        w.store.delete(&w.account, mailbox, &name("read slowly")).await.unwrap();
        later(61);
        w.store.tidy().await.unwrap();
        assert_eq!(w.rows("messages"), 1);
        let reading = Some(reading).filter(|_| left == 1);
        later(end);
        w.store.tidy().await.unwrap();
        assert_eq!(w.rows("messages"), 0);
        drop(reading);
    }
}

/// Whoever is told last does it: here the one that did not expunge.
#[tokio::test]
async fn the_process_whose_session_is_told_last_clears_away() {
    let w = world_with(quiet()).await;
    let other = other(&w, quiet());
    w.add("ghost").await;
    let (_theirs, _ours) = (view(&other.store, &w).await, view(&w.store, &w).await);
    expunge(&w.store, &w).await;
    told(&w.store, &w).await;
    let up_to = w.store.messages(&w.account, w.inbox).await.unwrap().highest_mod_seq;
    other.store.reclaim(&w.account, w.inbox, &set("1"), up_to);
    // Behind what was just asked for, this waits for it, and for what that left to be done.
    for _ in 0..2 {
        let behind = other.store.first_recent(&w.account, w.inbox, uid_of(1), true);
        behind.await.unwrap();
    }
    assert_eq!((w.rows("ghosts"), w.rows("messages")), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_claim_at_once_each_recent_message_is_given_to_one() {
    let w = world_with(quiet()).await;
    let other = other(&w, quiet());
    let mut given = Vec::new();
    for round in 0..20 {
        let first = w.add("a").await.get();
        w.add("b").await;
        let mut racing = tokio::task::JoinSet::new();
        for n in 0..8 {
            let store = if n % 2 == 0 {
                w.store.clone()
            } else {
                other.store.clone()
            };
            let (account, inbox) = (w.account.clone(), w.inbox);
            // Some have seen less of the mailbox than others.
            let below = uid_of(first + 1 + u32::from(n > 3));
            racing.spawn(async move {
                let from = store.first_recent(&account, inbox, below, true).await.unwrap();
                from.get()..below.get()
            });
        }
        let claimed = racing.join_all().await.into_iter().flatten();
        let before = given.len();
        given.extend(claimed);
        given[before..].sort_unstable();
        assert_eq!(given[before..], [first, first + 1], "round {round}");
        assert_eq!(w.status(w.inbox).await.recent, 0);
    }
}

#[tokio::test]
async fn a_claim_that_gives_nothing_writes_nothing() {
    let w = world_with(quiet()).await;
    w.add("a").await;
    let log = w.dir.path().join("mail.db-wal");
    let claim = || w.store.first_recent(&w.account, w.inbox, uid_of(2), true);
    let before = std::fs::metadata(&log).unwrap().len();
    assert_eq!(claim().await.unwrap(), uid_of(1));
    let claimed = std::fs::metadata(&log).unwrap().len();
    assert!(claimed > before);
    assert_eq!(claim().await.unwrap(), uid_of(2));
    assert_eq!(std::fs::metadata(&log).unwrap().len(), claimed);
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

/// Who asked to delete `x` found it under that name; renamed by another process since, it is not what he meant.
#[tokio::test]
async fn a_mailbox_that_was_renamed_meanwhile_is_not_deleted() {
    let w = world_with(quiet()).await;
    let other = other(&w, quiet());
    let id = w.make("x").await;
    other.store.rename(&w.account, &name("x"), &name("y")).await.unwrap();
    let x = name("x");
    assert_eq!(kind(w.store.delete(&w.account, id, &x).await), ErrorKind::NotFound);
    w.make("x").await;
    assert_eq!(kind(w.store.delete(&w.account, id, &x).await), ErrorKind::NotFound);
    assert_eq!(w.id("y").await, Some(id));
}

/// Mailboxes, keywords, accounts: what there can be only one of, or only so many, is counted where it is written.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_that_make_the_same_one_does() {
    let w = world_with(quiet()).await;
    let other = other(&w, quiet());
    for round in 0..20 {
        let (made, uses) = (name(&format!("made{round}/below")), [SpecialUse::Archive]);
        let (here, there) = tokio::join!(
            w.store.create(&w.account, &made, &uses),
            other.store.create(&w.account, &made, &uses)
        );
        let refused = here.err().xor(there.err()).expect("one of them makes it");
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
        let id = w.id(made.as_str()).await.unwrap();

        // Two trees to one name: one goes there, whole, and the other stays, whole.
        w.make(&format!("a{round}/x")).await;
        w.make(&format!("b{round}/x")).await;
        let (a, b, to) = (format!("a{round}"), format!("b{round}"), format!("to{round}"));
        let (here, there, target) = (name(&a), name(&b), name(&to));
        let (here, there) = tokio::join!(
            w.store.rename(&w.account, &here, &target),
            other.store.rename(&w.account, &there, &target)
        );
        assert!(here.is_ok() != there.is_ok());
        let stays = if here.is_ok() { &b } else { &a };
        for there in [stays, &to] {
            assert!(w.id(there).await.is_some() && w.id(&format!("{there}/x")).await.is_some());
        }

        let (here, there) = (w.store.clone(), other.store.clone());
        let user = format!("user{round}");
        let (here, there) = tokio::join!(here.add_user(&user, None, true), there.add_user(&user, None, true));
        let refused = here.err().xor(there.err()).expect("one of them makes it");
        assert_eq!(refused.to_string(), format!("the user {user} exists already"));
        w.store.delete(&w.account, id, &made).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_add_keywords_make_no_more_than_there_can_be() {
    let w = world_with(quiet()).await;
    let other = other(&w, quiet());
    w.add("a").await;
    let add = |store: Arc<SqliteStore>, prefix: &'static str| {
        let (account, inbox) = (w.account.clone(), w.inbox);
        async move {
            let mut count = 0;
            for n in 0.. {
                let named = (0..64).map(|k| format!("{prefix}{}", n * 64 + k));
                let flags = named.fold(Flags::NONE, |flags, k| flags.with_keyword(&k));
                let change = FlagChange::Add(flags);
                match store.set_flags(&account, inbox, &set("1"), &change, None).await {
                    Ok(_) => count += 64,
                    Err(e) => return (count, e.kind()),
                }
            }
            unreachable!()
        }
    };
    let (here, there) = (
        tokio::spawn(add(w.store.clone(), "h")),
        tokio::spawn(add(other.store.clone(), "t")),
    );
    let ((here, why), (there, too)) = (here.await.unwrap(), there.await.unwrap());
    assert_eq!((why, too), (ErrorKind::Limit, ErrorKind::Limit));
    assert_eq!(here + there, 4_096);
    assert_eq!(w.rows("keywords"), 4_096);
    let flags = &w.store.messages(&w.account, w.inbox).await.unwrap().entries[0].flags;
    assert_eq!(flags.keywords().len(), 4_096);
}

/// A delivery, and a session, for an account that another process removes.
#[tokio::test]
async fn nothing_is_written_for_an_account_that_another_process_removed() {
    let w = world_with(quiet()).await;
    let other = other(&w, quiet());
    w.make("a").await;
    other.store.remove_user("ann").await.unwrap();
    let (a, b, new) = (&name("a"), &name("b"), name("new"));
    let body = || Incoming::Body(MessageBody::from("x"));
    let message = || NewMessage::new(Flags::NONE, date(), 0, body());
    let (store, account, one) = (&w.store, &w.account, &set("1"));
    let change = &FlagChange::Add(Flags::SEEN);
    let all: [ErrorKind; 10] = [
        kind(store.mailboxes(account).await),
        kind(store.mailbox(account, a).await),
        kind(store.add(account, w.inbox, vec![message()]).await),
        kind(store.set_flags(account, w.inbox, one, change, None).await),
        kind(store.copy(account, w.inbox, one, 2, false).await),
        kind(store.r#move(account, w.inbox, one, 2).await),
        kind(store.create(account, &new, &[]).await),
        kind(store.delete(account, 2, a).await),
        kind(store.rename(account, a, b).await),
        kind(store.subscribe(account, &new, true).await),
    ];
    assert_eq!(all, [ErrorKind::Bye; 10]);
    let mut octets: &[u8] = b"x";
    let mut delivery = backend_sqlite::Delivery::new("ann");
    delivery.create = true;
    let refused = store.deliver(delivery, &mut octets).await.unwrap_err();
    assert!(matches!(refused, backend_sqlite::DeliverError::NoUser(_)), "{refused}");
    for table in ["messages", "bodies", "contents", "subscriptions", "keywords"] {
        assert_eq!(w.rows(table), 0, "{table}");
    }
    drop(other);
}

#[test]
fn processes_that_open_a_new_folder_together_make_it_once() {
    for _ in 0..10 {
        let dir = tempfile::tempdir().unwrap();
        let stores: Vec<_> = std::thread::scope(|s| {
            let open = || SqliteStore::open(dir.path().join("new"), quiet());
            let threads: Vec<_> = (0..4).map(|_| s.spawn(open)).collect();
            threads.into_iter().map(|t| t.join().unwrap().unwrap()).collect()
        });
        assert_eq!(stores.len(), 4);
    }
}

/// A log that stays is read by the next start from its beginning to its end.
#[tokio::test]
async fn the_last_store_that_is_closed_leaves_no_log_behind() {
    let World {
        dir,
        store,
        account,
        inbox,
        told,
    } = world_with(Options::default()).await;
    let log = dir.path().join("mail.db-wal");
    let other = SqliteStore::open(dir.path(), Options::default()).unwrap();
    let body = Incoming::Body(MessageBody::from("kept".to_owned()));
    let message = NewMessage::new(Flags::NONE, date(), 0, body);
    let uid = store.add(&account, inbox, vec![message]).await.unwrap().uids[0];
    drop((store, told));
    assert!(log.exists(), "another store is open");
    drop(other);
    assert!(!log.exists());
    let store = SqliteStore::open(dir.path(), Options::default()).unwrap();
    assert_eq!(store.body(&account, inbox, uid).await.unwrap().size(), 4);
}
