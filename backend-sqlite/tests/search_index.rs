//! The search index: whom it names, that it keeps up with the mail, and that nothing makes it leave a message out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use common::*;

use std::path::Path;
use std::sync::{Arc, Mutex};

use backend_api::*;
use backend_sqlite::{Options, SqliteStore};

/// Nothing in the background: what is indexed, and when, is said by the test.
fn quiet() -> Options {
    let mut options = small();
    options.background = false;
    options
}

async fn quiet_world() -> World {
    world_with(quiet()).await
}

fn sought(area: SoughtIn, strings: &[&str]) -> Sought {
    Sought::new(area, strings.iter().map(|s| (*s).to_owned()).collect())
}

/// The messages of a mailbox that may hold a string in what BODY searches; `None` when nothing is known.
async fn named(store: &SqliteStore, w: &World, mailbox: MailboxId, string: &str) -> Option<Vec<u32>> {
    let asked = [sought(SoughtIn::Body, &[string])];
    let answer = store.may_hold(&w.account, mailbox, &asked).await;
    let set = answer.into_iter().next().flatten()?;
    Some(set.iter().map(Uid::get).collect())
}

fn number(w: &World, query: &str) -> i64 {
    let conn = rusqlite::Connection::open(w.dir.path().join("search.db")).unwrap();
    conn.query_row(query, [], |r| r.get(0)).unwrap()
}

/// How many bodies the index knows.
fn indexed(w: &World) -> i64 {
    number(w, "SELECT ifnull(sum(count), 0) FROM segments")
}

fn segments(w: &World) -> i64 {
    number(w, "SELECT count(*) FROM segments")
}

fn blocks(w: &World) -> i64 {
    number(w, "SELECT count(*) FROM blocks")
}

/// Looks after each pass of what the store does in the background, until it is so.
async fn until<F: Future<Output = bool>>(store: &SqliteStore, mut is_so: impl FnMut() -> F) {
    let mut passes = store.passes();
    let waiting = async {
        while !is_so().await {
            passes.changed().await.unwrap();
        }
    };
    let most = std::time::Duration::from_secs(60);
    tokio::time::timeout(most, waiting)
        .await
        .expect("it did not come to be");
}

/// Closes the store, does something to its folder, and opens it again.
fn reopen_with(w: World, options: Options, between: impl FnOnce(&Path)) -> World {
    let World {
        store,
        account,
        inbox,
        dir,
        told,
    } = w;
    drop(store);
    between(dir.path());
    let store = SqliteStore::open(dir.path(), options).unwrap();
    World {
        store,
        account,
        inbox,
        told,
        dir,
    }
}

fn message(subject: &str, text: &str) -> String {
    format!("Subject: {subject}\r\n\r\n{text}\r\n")
}

#[tokio::test]
async fn messages_that_lack_a_string_are_not_named() {
    let w = quiet_world().await;
    w.add("Subject: Gr=?utf-8?q?=C3=BC=C3=9Fe?=\r\nX-Note: first\r\n\r\nApples and pears\r\n")
        .await;
    w.add("Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nX-Other: apples\r\n\r\nÄPFEL\r\n")
        .await;
    w.add("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nQXBwbGVz\r\n")
        .await;
    w.store.index_now().await.unwrap();
    let table = [
        (sought(SoughtIn::Body, &["apples"]), Some(vec![1, 3])),
        (sought(SoughtIn::Body, &["apples and pears"]), Some(vec![1])),
        (sought(SoughtIn::Body, &["äpfel"]), Some(vec![2])),
        (sought(SoughtIn::Body, &["first"]), Some(vec![])),
        (sought(SoughtIn::Text, &["apples"]), Some(vec![1, 2, 3])),
        (sought(SoughtIn::Text, &["base64"]), Some(vec![3])),
        (sought(SoughtIn::Header, &["subject: ", "grüße"]), Some(vec![1, 2])),
        (sought(SoughtIn::Header, &["x-note: "]), Some(vec![1])),
        (sought(SoughtIn::Header, &["x-none: ", "a"]), Some(vec![])),
        (sought(SoughtIn::Text, &["=?utf-8?q?gr=c3"]), Some(vec![2])),
        // Too short to say.
        (sought(SoughtIn::Body, &["ap"]), None),
        (sought(SoughtIn::Body, &["ä"]), None),
    ];
    let asked: Vec<Sought> = table.iter().map(|(sought, _)| sought.clone()).collect();
    let answers = w.store.may_hold(&w.account, w.inbox, &asked).await;
    for ((sought, expected), answer) in table.iter().zip(answers) {
        let named = answer.map(|set| set.iter().map(Uid::get).collect::<Vec<_>>());
        assert_eq!(named, *expected, "{sought:?}");
    }
}

#[tokio::test]
async fn a_message_that_is_not_indexed_yet_is_named() {
    let w = quiet_world().await;
    w.add(&message("a", "one")).await;
    assert_eq!(named(&w.store, &w, w.inbox, "two").await, Some(vec![1]));
    w.store.index_now().await.unwrap();
    assert_eq!(named(&w.store, &w, w.inbox, "two").await, Some(vec![]));
    w.add(&message("b", "two")).await;
    w.add(&message("c", "three")).await;
    assert_eq!(named(&w.store, &w, w.inbox, "two").await, Some(vec![2, 3]));
    w.store.index_now().await.unwrap();
    assert_eq!(named(&w.store, &w, w.inbox, "two").await, Some(vec![2]));
}

#[tokio::test]
async fn what_comes_in_is_indexed_in_the_background() {
    let w = world().await;
    for n in 0..20 {
        w.add(&message("a", &format!("number {n} of many"))).await;
    }
    until(&w.store, || async {
        named(&w.store, &w, w.inbox, "number 7 of").await == Some(vec![8])
    })
    .await;
}

#[tokio::test]
async fn equal_messages_are_indexed_once_and_found_in_every_mailbox() {
    let w = quiet_world().await;
    let other = w.make("other").await;
    for _ in 0..3 {
        w.add(&message("a", "the same apples")).await;
    }
    w.add(&message("b", "different pears")).await;
    w.store
        .copy(&w.account, w.inbox, &set("3:4"), other, false)
        .await
        .unwrap();
    w.store.index_now().await.unwrap();
    assert_eq!(indexed(&w), 2);
    assert_eq!(named(&w.store, &w, w.inbox, "apples").await, Some(vec![1, 2, 3]));
    assert_eq!(named(&w.store, &w, other, "apples").await, Some(vec![1]));
    assert_eq!(named(&w.store, &w, other, "pears").await, Some(vec![2]));
    // Copied after they were indexed.
    w.store
        .copy(&w.account, w.inbox, &set("1"), other, false)
        .await
        .unwrap();
    assert_eq!(named(&w.store, &w, other, "apples").await, Some(vec![1, 3]));
    assert_eq!(named(&w.store, &w, other, "pears").await, Some(vec![2]));
}

#[tokio::test]
async fn what_was_removed_leaves_the_index() {
    let w = quiet_world().await;
    for n in 0..30 {
        w.add(&message("a", &format!("apples {n}"))).await;
    }
    w.store.index_now().await.unwrap();
    assert_eq!(indexed(&w), 30);
    w.store
        .remove(&w.account, w.inbox, &set("1:29"), Remove::All)
        .await
        .unwrap();
    // What an earlier life left is cleared away.
    let mut background = small();
    background.search_index = false;
    let w = w.reopen(background);
    until(&w.store, || async { w.rows("bodies") == 1 }).await;
    let w = w.reopen(quiet());
    w.store.index_now().await.unwrap();
    assert_eq!(indexed(&w), 1);
    assert_eq!(named(&w.store, &w, w.inbox, "apples 7").await, Some(vec![]));
    assert_eq!(named(&w.store, &w, w.inbox, "apples 29").await, Some(vec![30]));
}

#[tokio::test]
async fn a_removed_account_leaves_the_index() {
    let w = quiet_world().await;
    w.add(&message("a", "apples")).await;
    w.store.index_now().await.unwrap();
    w.store.remove_user("ann").await.unwrap();
    w.store.index_now().await.unwrap();
    assert_eq!((indexed(&w), blocks(&w)), (0, 0));
}

#[tokio::test]
async fn accounts_know_nothing_of_each_other() {
    let w = quiet_world().await;
    let bob = w.store.add_user("bob", None, true).await.unwrap();
    let inbox = w.store.mailbox(&bob, &MailboxName::inbox()).await.unwrap().unwrap().id;
    w.add(&message("a", "apples")).await;
    let body = Incoming::Body(MessageBody::from(message("b", "pears")));
    w.store
        .add(&bob, inbox, vec![NewMessage::new(Flags::NONE, date(), 0, body)])
        .await
        .unwrap();
    w.store.index_now().await.unwrap();
    let asked = [sought(SoughtIn::Body, &["apples"]), sought(SoughtIn::Body, &["pears"])];
    let one = Some(UidSet::run(Uid::MIN, Uid::MIN));
    assert_eq!(
        w.store.may_hold(&w.account, w.inbox, &asked).await,
        [one.clone(), Some(UidSet::new())]
    );
    assert_eq!(w.store.may_hold(&bob, inbox, &asked).await, [Some(UidSet::new()), one]);
}

/// Noise, endless text, and fields so long that where they are cut matters.
#[tokio::test]
async fn a_message_that_is_too_much_for_the_index_is_always_named() {
    let w = quiet_world().await;
    let mut state = 1u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(33 + (state >> 33) as u8 % 90)
    };
    let noisy: String = (0..300_000).map(|_| noise()).collect();
    w.add(&message("noise", &noisy)).await;
    w.add(&message("long", &"apples and pears\r\n".repeat(300_000))).await;
    w.add(&format!("To: {}\r\n\r\napples\r\n", "a@b,\r\n ".repeat(20_000)))
        .await;
    w.add(&message("short", "apples")).await;
    w.store.index_now().await.unwrap();
    assert_eq!(named(&w.store, &w, w.inbox, "plums").await, Some(vec![1, 2, 3]));
    let size = std::fs::metadata(w.dir.path().join("search.db")).unwrap().len();
    assert!(size < 200_000, "{size}");
}

#[tokio::test]
async fn switched_off_there_is_no_index_and_nothing_is_known() {
    let mut options = quiet();
    options.search_index = false;
    let w = world_with(options).await;
    w.add(&message("a", "apples")).await;
    assert_eq!(named(&w.store, &w, w.inbox, "apples").await, None);
    assert!(!w.dir.path().join("search.db").exists());
    // Switched on, it takes in what came before.
    let w = w.reopen(quiet());
    w.store.index_now().await.unwrap();
    assert_eq!(named(&w.store, &w, w.inbox, "pears").await, Some(vec![]));
}

#[tokio::test]
async fn two_stores_on_a_folder_have_one_index() {
    let w = quiet_world().await;
    let other = SqliteStore::open(w.dir.path(), quiet()).unwrap();
    let body = Incoming::Body(MessageBody::from(message("b", "pears")));
    w.add(&message("a", "apples")).await;
    other
        .add(&w.account, w.inbox, vec![NewMessage::new(Flags::NONE, date(), 0, body)])
        .await
        .unwrap();
    let (one, two) = tokio::join!(w.store.index_now(), other.index_now());
    one.and(two).unwrap();
    assert_eq!(indexed(&w), 2);
    for store in [&w.store, &other] {
        assert_eq!(named(store, &w, w.inbox, "apples").await, Some(vec![1]));
    }
}

#[tokio::test]
async fn those_who_make_an_index_together_make_it_once() {
    let w = quiet_world().await;
    w.add(&message("a", "apples")).await;
    for _ in 0..10 {
        let stores: Vec<_> = (0..4)
            .map(|_| SqliteStore::open(w.dir.path(), quiet()).unwrap())
            .collect();
        let ask = |at: usize| named(&stores[at], &w, w.inbox, "pears");
        // Each on a reader of its own store, at the same time.
        let (one, two, three, four) = tokio::join!(ask(0), ask(1), ask(2), ask(3));
        assert_eq!(
            [one, two, three, four],
            [const { &[1u32] }; 4].map(|all| Some(all.to_vec()))
        );
        drop(stores);
        for file in ["search.db", "search.db-wal", "search.db-shm"] {
            let _ = std::fs::remove_file(w.dir.path().join(file));
        }
    }
}

#[tokio::test]
async fn an_index_of_another_version_is_made_anew() {
    let w = quiet_world().await;
    w.add(&message("a", "apples")).await;
    w.store.index_now().await.unwrap();
    let w = reopen_with(w, quiet(), |dir| {
        let conn = rusqlite::Connection::open(dir.join("search.db")).unwrap();
        conn.execute_batch("PRAGMA user_version = 7; DROP TABLE segments")
            .unwrap();
    });
    assert_eq!(named(&w.store, &w, w.inbox, "pears").await, Some(vec![1]));
    w.store.index_now().await.unwrap();
    assert_eq!(named(&w.store, &w, w.inbox, "pears").await, Some(vec![]));
}

/// Numbers of bodies are given again when an older copy of the mail is put in place; the index must not speak of them.
#[tokio::test]
async fn an_index_of_other_mail_is_made_anew() {
    for later in [0, 1, 5] {
        let w = quiet_world().await;
        w.add(&message("a", "apples")).await;
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("mail.db");
        let mail = rusqlite::Connection::open(w.dir.path().join("mail.db")).unwrap();
        mail.execute("VACUUM INTO ?", [copy.to_str().unwrap()]).unwrap();
        drop(mail);
        for n in 0..3 {
            w.add(&message("b", &format!("pears {n}"))).await;
        }
        w.store.index_now().await.unwrap();
        let mut off = quiet();
        off.search_index = false;
        let w = reopen_with(w, off, |dir| {
            for name in ["mail.db-wal", "mail.db-shm"] {
                let _ = std::fs::remove_file(dir.join(name));
            }
            std::fs::copy(&copy, dir.join("mail.db")).unwrap();
        });
        for n in 0..later {
            w.add(&message("c", &format!("plums {n}"))).await;
        }
        let w = w.reopen(quiet());
        let all: Vec<u32> = (1..=later + 1).collect();
        assert_eq!(
            named(&w.store, &w, w.inbox, "plums").await,
            Some(all),
            "{later} messages later"
        );
        w.store.index_now().await.unwrap();
        let plums: Vec<u32> = (2..=later + 1).collect();
        assert_eq!(
            named(&w.store, &w, w.inbox, "plums").await,
            Some(plums),
            "{later} messages later"
        );
    }
}

#[tokio::test]
async fn a_damaged_index_leaves_no_message_out_and_reindex_mends_it() {
    let w = quiet_world().await;
    for n in 0..40 {
        w.add(&message(
            &format!("subject {n}"),
            &format!("apples and {n} pears, of which {} are ripe", n * 7),
        ))
        .await;
    }
    w.store.index_now().await.unwrap();
    let (path, whole) = (w.dir.path().join("search.db"), tempfile::tempdir().unwrap());
    let whole = whole.path().join("whole.db");
    let mut w = reopen_with(w, quiet(), |dir| {
        std::fs::copy(dir.join("search.db"), &whole).unwrap();
    });
    let octets = std::fs::read(&whole).unwrap();
    let (mut unusable, mut exact) = (0, 0);
    for at in (0..octets.len()).step_by(97) {
        w = reopen_with(w, quiet(), |_| {
            let mut damaged = octets.clone();
            damaged[at] ^= 0x55;
            std::fs::write(&path, damaged).unwrap();
        });
        match named(&w.store, &w, w.inbox, "13 pears").await {
            None => unusable += 1,
            Some(uids) => {
                assert!(uids.contains(&14), "octet {at}: {uids:?}");
                exact += usize::from(uids == [14]);
            }
        }
    }
    assert!(
        unusable > 10 && exact > 10,
        "{unusable} times unusable, {exact} times exact"
    );
    for how in [Damage::Start, Damage::Middle, Damage::Cut, Damage::Noise] {
        w = reopen_with(w, quiet(), |_| how.to(&path, &octets));
        let done = w.store.reindex(None, |_| {}).await.unwrap();
        assert_eq!(done.messages, 40, "{how:?}");
        assert_eq!(
            named(&w.store, &w, w.inbox, "13 pears").await,
            Some(vec![14]),
            "{how:?}"
        );
    }
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    Start,
    Middle,
    Cut,
    Noise,
}

impl Damage {
    fn to(self, path: &Path, whole: &[u8]) {
        let mut octets = whole.to_vec();
        match self {
            Self::Start => octets[..2_000].fill(0x5a),
            Self::Middle => octets[2_000..20_000].fill(0),
            Self::Cut => octets.truncate(5_000),
            Self::Noise => octets = (0..9_999u32).map(|n| (n * 37 % 251) as u8).collect(),
        }
        std::fs::write(path, octets).unwrap();
    }
}

#[tokio::test]
async fn one_users_index_is_made_anew_and_the_others_stay() {
    let w = quiet_world().await;
    let bob = w.store.add_user("bob", None, true).await.unwrap();
    let inbox = w.store.mailbox(&bob, &MailboxName::inbox()).await.unwrap().unwrap().id;
    for n in 0..3 {
        w.add(&message("a", &format!("apples {n}"))).await;
        let body = Incoming::Body(MessageBody::from(message("b", &format!("pears {n}"))));
        w.store
            .add(&bob, inbox, vec![NewMessage::new(Flags::NONE, date(), 0, body)])
            .await
            .unwrap();
    }
    w.store.index_now().await.unwrap();
    // What it knows of ann is lost, without anybody noticing.
    let w = reopen_with(w, quiet(), |dir| {
        let conn = rusqlite::Connection::open(dir.join("search.db")).unwrap();
        conn.execute_batch("DELETE FROM segments WHERE account = 1").unwrap();
    });
    assert_eq!(named(&w.store, &w, w.inbox, "apples 1").await, Some(vec![1, 2, 3]));
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    let done = w
        .store
        .reindex(Some("ann"), move |at| tell.lock().unwrap().push((at.done, at.messages)))
        .await
        .unwrap();
    assert_eq!(
        (done.messages, done.size),
        (3, 3 * message("a", "apples 0").len() as u64)
    );
    assert_eq!(*told.lock().unwrap(), [(0, 3), (3, 3)]);
    assert_eq!(named(&w.store, &w, w.inbox, "apples 1").await, Some(vec![2]));
    let asked = [sought(SoughtIn::Body, &["pears 1"])];
    assert_eq!(
        w.store.may_hold(&bob, inbox, &asked).await,
        [Some(UidSet::run(uid_of(2), uid_of(2)))]
    );
    let error = w.store.reindex(Some("nobody"), |_| {}).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no user nobody");
}

/// A server that has the right to the index does what somebody else asks for.
#[tokio::test]
async fn reindex_beside_a_server_is_done_by_it() {
    let w = world().await;
    for n in 0..300 {
        w.add(&message("a", &format!("apples {n}"))).await;
    }
    until(&w.store, || async {
        named(&w.store, &w, w.inbox, "plums").await == Some(vec![])
    })
    .await;
    let brief = SqliteStore::open(w.dir.path(), Options::brief()).unwrap();
    for user in [Some("ann"), None] {
        let done = brief.reindex(user, |_| {}).await.unwrap();
        assert_eq!(done.messages, 300);
        assert_eq!(indexed(&w), 300);
    }
    assert_eq!(named(&w.store, &w, w.inbox, "apples 299").await, Some(vec![300]));
}

/// Reindexing that is cut off is gone on with.
#[tokio::test]
async fn what_reindex_left_undone_is_done_later() {
    let w = quiet_world().await;
    for n in 0..3 {
        w.add(&message("a", &format!("apples {n}"))).await;
    }
    w.store.index_now().await.unwrap();
    let w = reopen_with(w, quiet(), |dir| {
        let conn = rusqlite::Connection::open(dir.join("search.db")).unwrap();
        conn.execute_batch("DELETE FROM segments; DELETE FROM blocks; INSERT INTO behind VALUES (1, 0, 3)")
            .unwrap();
    });
    assert_eq!(named(&w.store, &w, w.inbox, "plums").await, Some(vec![1, 2, 3]));
    w.add(&message("b", "plums")).await;
    w.store.index_now().await.unwrap();
    assert_eq!(named(&w.store, &w, w.inbox, "plums").await, Some(vec![4]));
    assert_eq!(indexed(&w), 4);
}

/// Many small batches, so that segments are merged many times over, with messages going meanwhile.
#[tokio::test]
async fn merged_segments_name_the_same_messages() {
    let w = quiet_world().await;
    for n in 1..=150u32 {
        w.add(&message(
            "a",
            &format!("number {n}, {} of it", "apples ".repeat(n as usize % 5)),
        ))
        .await;
        w.store.index_now().await.unwrap();
        if n % 10 == 0 {
            w.store
                .remove(&w.account, w.inbox, &set(&format!("{}:{}", n - 3, n - 1)), Remove::All)
                .await
                .unwrap();
        }
    }
    assert!(segments(&w) < 40, "{}", segments(&w));
    let with = |holds: &dyn Fn(u32) -> bool| Some((1..=150).filter(|n| holds(*n)).collect::<Vec<u32>>());
    assert_eq!(named(&w.store, &w, w.inbox, "apples").await, with(&|n| n % 5 != 0));
    assert_eq!(named(&w.store, &w, w.inbox, "number 77,").await, with(&|n| n == 77));
    assert_eq!(named(&w.store, &w, w.inbox, "oranges").await, with(&|_| false));
}

#[tokio::test]
async fn an_index_that_cannot_be_written_is_behind_and_catches_up() {
    let w = quiet_world().await;
    w.add(&message("a", "apples")).await;
    w.store.index_now().await.unwrap();
    for n in 0..20 {
        w.add(&message("b", &format!("pears {n} {}", "x".repeat(n)))).await;
    }
    let blocked = rusqlite::Connection::open(w.dir.path().join("search.db")).unwrap();
    // Another's transaction that does not end stands for a database that cannot be written.
    blocked.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(kind(w.store.index_now().await), ErrorKind::InUse);
    let behind: Vec<u32> = (2..=21).collect();
    assert_eq!(named(&w.store, &w, w.inbox, "plums").await, Some(behind));
    blocked.execute_batch("ROLLBACK").unwrap();
    w.store.index_now().await.unwrap();
    assert_eq!(named(&w.store, &w, w.inbox, "plums").await, Some(vec![]));
}
