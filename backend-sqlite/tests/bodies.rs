//! Bodies of every size: staged, stored, shared, read piece by piece, and gone without a trace.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use common::*;

use backend_api::*;
use backend_sqlite::Options;

/// Octets that no compression and no dedup by pieces could guess.
fn octets(len: usize, seed: u8) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[seed]);
    let mut out = vec![0; len];
    hasher.finalize_xof().fill(&mut out);
    out
}

/// In memory, in a file on the way to rows, rows over more than one chunk, a file.
const SIZES: [usize; 9] = [0, 1, 1_000, 1_001, 262_144, 262_145, 600_000, 600_001, 1_500_000];

#[tokio::test]
async fn every_class_of_body_comes_back_octet_for_octet() {
    let w = world_with(small()).await;
    for (n, len) in SIZES.into_iter().enumerate() {
        let text = octets(len, n as u8);
        let uid = w.add_bytes(w.inbox, &text, Flags::NONE).await;
        assert!(w.text(w.inbox, uid.get()).await == text, "{len} octets");
    }
    assert_eq!(files(w.dir.path()).len(), 2);
    let w = w.reopen(small());
    for (n, len) in SIZES.into_iter().enumerate() {
        assert!(
            w.text(w.inbox, n as u32 + 1).await == octets(len, n as u8),
            "{len} octets after reopening"
        );
    }
}

#[tokio::test]
async fn a_header_comes_alone_out_of_every_class_of_body() {
    let w = world_with(small()).await;
    let mut headers = Vec::new();
    for (n, body) in SIZES.into_iter().enumerate() {
        let header = format!("Subject: {n}\r\nX-Id: {}\r\n\r\n", "x".repeat(n * 100));
        w.add(&format!("{header}{}", "text\r\n".repeat(body / 6))).await;
        headers.push(Some(header));
    }
    w.add("").await;
    headers.push(Some(String::new()));
    // One that is read piece by piece with the body.
    w.add(&format!("X-Id: {}\r\n\r\n", "x".repeat(300_000))).await;
    headers.push(None);
    w.add("Subject: last\r\n\r\nx").await;
    headers.push(Some("Subject: last\r\n\r\n".to_owned()));
    let uids: Vec<Uid> = (1..=headers.len() as u32).map(uid_of).collect();
    let (loaded, covered) = w.store.load(&w.account, w.inbox, &uids, Load::header()).await.unwrap();
    assert_eq!(covered, uids.len());
    assert!(loaded.iter().all(|l| l.index.is_some() && l.body.is_none()));
    let given: Vec<Option<String>> = loaded
        .into_iter()
        .map(|l| l.header.map(|octets| String::from_utf8(octets.to_vec()).unwrap()))
        .collect();
    assert_eq!(given, headers);
}

#[tokio::test]
async fn any_range_of_a_large_body_can_be_read() {
    let w = world_with(small()).await;
    for len in [600_000usize, 700_000] {
        let text = octets(len, 7);
        let uid = w.add_bytes(w.inbox, &text, Flags::NONE).await;
        let body = w.store.body(&w.account, w.inbox, uid).await.unwrap();
        assert!(matches!(body, MessageBody::Ranged(_)));
        for (at, n) in [
            (0, 1),
            (262_140, 10),
            (262_144, 65_536),
            (len - 1, 1),
            (5, 65_536),
            (65_541, 65_536),
            (len - 70_000, 65_536),
            (10, 0),
        ] {
            let piece = body.read_at(at as u64, n).await.unwrap();
            assert!(piece == text[at..at + n], "{n} octets at {at} of {len}");
        }
    }
}

#[tokio::test]
async fn a_file_that_is_being_read_stays_readable_when_its_message_goes() {
    let w = world_with(small()).await;
    let text = octets(700_000, 1);
    let uid = w.add_bytes(w.inbox, &text, Flags::NONE).await;
    let body = w.store.body(&w.account, w.inbox, uid).await.unwrap();
    w.store
        .remove(&w.account, w.inbox, &set("1"), Remove::All)
        .await
        .unwrap();
    w.reclaim(w.inbox, "1").await;
    w.store.tidy().await.unwrap();
    assert!(files(w.dir.path()).is_empty());
    assert!(body.read_all(1 << 20).await.unwrap() == text);
}

#[tokio::test]
async fn the_same_octets_are_stored_once_in_an_account_and_never_shared_between_two() {
    let w = world_with(small()).await;
    let text = octets(700_000, 3);
    w.add_bytes(w.inbox, &text, Flags::NONE).await;
    w.add_bytes(w.inbox, &text, Flags::SEEN).await;
    w.store.files_removed().await;
    assert_eq!((w.rows("bodies"), files(w.dir.path()).len()), (1, 1));
    let bob = w.store.add_user("bob", None, true).await.unwrap();
    let inbox = w.store.mailbox(&bob, &MailboxName::inbox()).await.unwrap().unwrap().id;
    let body = Incoming::Body(MessageBody::from(text.clone()));
    let message = NewMessage::new(Flags::NONE, date(), text.len() as u64, body);
    w.store.add(&bob, inbox, vec![message]).await.unwrap();
    assert_eq!((w.rows("bodies"), files(w.dir.path()).len()), (2, 2));
}

#[tokio::test]
async fn a_body_goes_with_its_last_message_and_nothing_remains() {
    let w = world_with(small()).await;
    let to = w.make("to").await;
    for (n, len) in SIZES.into_iter().enumerate() {
        w.add_bytes(w.inbox, &octets(len, n as u8), Flags::NONE.with_keyword("k"))
            .await;
        w.add_bytes(w.inbox, &octets(len, n as u8), Flags::NONE).await;
    }
    let all = set("1:1000");
    w.store.copy(&w.account, w.inbox, &all, to, false).await.unwrap();
    w.store.remove(&w.account, w.inbox, &all, Remove::All).await.unwrap();
    w.reclaim(w.inbox, "1:1000").await;
    w.store.tidy().await.unwrap();
    assert_eq!(w.rows("bodies"), SIZES.len() as i64);
    for (n, len) in SIZES.into_iter().enumerate() {
        assert!(w.text(to, 2 * n as u32 + 1).await == octets(len, n as u8));
    }
    w.store.r#move(&w.account, to, &all, w.inbox).await.unwrap();
    w.reclaim(to, "1:1000").await;
    w.store.remove(&w.account, w.inbox, &all, Remove::All).await.unwrap();
    w.reclaim(w.inbox, "1:1000").await;
    w.store.tidy().await.unwrap();
    for table in ["messages", "pages", "bodies", "contents", "indexes", "ghosts"] {
        assert_eq!(w.rows(table), 0, "{table}");
    }
    assert!(files(w.dir.path()).is_empty());
}

#[tokio::test]
async fn what_was_removed_but_not_reclaimed_goes_when_the_folder_is_opened_alone() {
    let w = world_with(small()).await;
    let gone = w.make("gone").await;
    w.add_bytes(w.inbox, &octets(700_000, 1), Flags::NONE).await;
    w.add_bytes(gone, &octets(800_000, 2), Flags::NONE).await;
    w.add_bytes(gone, b"small", Flags::NONE).await;
    w.store
        .remove(&w.account, w.inbox, &set("1"), Remove::All)
        .await
        .unwrap();
    w.store.delete(&w.account, gone, &name("gone")).await.unwrap();
    let mut options = small();
    options.background = false;
    let w = w.reopen(options);
    // Without anything in the background, the test decides when.
    assert_eq!(w.rows("messages"), 3);
    let w = w.reopen(small());
    let cleared = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        while w.rows("mailboxes") > 1 || w.rows("ghosts") > 0 {
            tokio::task::yield_now().await;
        }
    });
    cleared.await.expect("leftovers are still there");
    for table in ["messages", "pages", "bodies", "contents", "indexes", "ghosts"] {
        assert_eq!(w.rows(table), 0, "{table}");
    }
    assert_eq!(w.rows("mailboxes"), 1);
    w.store.files_removed().await;
    assert!(files(w.dir.path()).is_empty());
}

#[tokio::test]
async fn a_removed_account_leaves_nothing() {
    let w = world_with(small()).await;
    for (n, len) in SIZES.into_iter().enumerate() {
        w.add_bytes(w.inbox, &octets(len, n as u8), Flags::NONE.with_keyword("k"))
            .await;
    }
    w.store
        .remove(&w.account, w.inbox, &set("1:3"), Remove::All)
        .await
        .unwrap();
    w.store.remove_user("ann").await.unwrap();
    for table in [
        "messages",
        "pages",
        "bodies",
        "contents",
        "indexes",
        "ghosts",
        "vanished",
        "keywords",
        "subscriptions",
    ] {
        assert_eq!(w.rows(table), 0, "{table}");
    }
    w.store.files_removed().await;
    assert!(files(w.dir.path()).is_empty());
    assert!(w.store.list_users().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_staged_message_that_is_dropped_leaves_nothing() {
    let w = world_with(small()).await;
    for len in SIZES {
        let text = octets(len, 0);
        let staged = w.store.stage(&w.account, len as u64, &mut &text[..]).await.unwrap();
        assert_eq!(files(w.dir.path()).len(), usize::from(len > 1_000), "{len} octets");
        drop(staged);
        assert!(files(w.dir.path()).is_empty(), "{len} octets");
    }
}

#[tokio::test]
async fn a_message_that_could_not_be_added_leaves_nothing() {
    let w = world_with(small()).await;
    for len in SIZES {
        let text = octets(len, 0);
        let staged = w
            .store
            .stage(&w.account, len as u64, &mut &text[..])
            .await
            .unwrap()
            .unwrap();
        let message = NewMessage::new(Flags::NONE, date(), len as u64, Incoming::Staged(staged));
        assert_eq!(
            kind(w.store.add(&w.account, 99, vec![message]).await),
            ErrorKind::NotFound
        );
        assert!(files(w.dir.path()).is_empty(), "{len} octets");
        assert_eq!(w.rows("bodies"), 0);
    }
}

#[tokio::test]
async fn a_client_that_goes_away_in_the_middle_leaves_nothing() {
    let w = world_with(small()).await;
    for len in [500usize, 700_000] {
        let text = octets(len, 0);
        let outcome = w.store.stage(&w.account, len as u64 + 1, &mut &text[..]).await;
        assert_eq!(kind(outcome.map(drop)), ErrorKind::Disconnected);
        assert!(files(w.dir.path()).is_empty());
    }
}

#[tokio::test]
async fn exactly_the_announced_octets_are_taken() {
    let w = world_with(small()).await;
    for len in [0usize, 500, 1_000, 1_001, 700_000] {
        let text = octets(len + 5, 0);
        let mut source = &text[..];
        w.store.stage(&w.account, len as u64, &mut source).await.unwrap();
        assert_eq!(source.len(), 5);
    }
}

#[tokio::test]
async fn a_message_above_the_limit_is_refused_before_it_is_read() {
    let mut options = Options::default();
    options.append_limit = Some(10);
    let w = world_with(options).await;
    let mut source = &b"12345678901"[..];
    let outcome = w.store.stage(&w.account, 11, &mut source).await;
    assert_eq!(kind(outcome.map(drop)), ErrorKind::TooBig);
    assert_eq!(source.len(), 11);
    assert_eq!(w.store.append_limit(), Some(10));
}

#[tokio::test]
async fn a_message_staged_for_one_account_cannot_be_added_to_another() {
    let w = world().await;
    let bob = w.store.add_user("bob", None, true).await.unwrap();
    let staged = w.store.stage(&w.account, 1, &mut &b"x"[..]).await.unwrap().unwrap();
    let message = NewMessage::new(Flags::NONE, date(), 1, Incoming::Staged(staged));
    assert_eq!(kind(w.store.add(&bob, 1, vec![message]).await), ErrorKind::Internal);
}

#[tokio::test]
async fn an_old_file_without_a_row_is_swept_and_a_young_one_is_left() {
    let w = world_with(small()).await;
    w.add_bytes(w.inbox, &octets(700_000, 1), Flags::NONE).await;
    let kept = files(w.dir.path());
    std::fs::File::open(&kept[0])
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH)
        .unwrap();
    let shelf = w.dir.path().join("bodies/aa");
    std::fs::create_dir_all(&shelf).unwrap();
    let (old, young) = (shelf.join("aa".repeat(16)), shelf.join("ab".repeat(16)));
    for path in [&old, &young] {
        std::fs::write(path, b"x").unwrap();
    }
    std::fs::File::open(&old)
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH)
        .unwrap();
    w.store.tidy().await.unwrap();
    assert!(!old.exists() && young.exists());
    assert!(files(w.dir.path()).contains(&kept[0]));
}

#[tokio::test]
async fn a_missing_file_is_not_an_empty_message() {
    let w = world_with(small()).await;
    w.add_bytes(w.inbox, &octets(700_000, 1), Flags::NONE).await;
    std::fs::remove_file(&files(w.dir.path())[0]).unwrap();
    assert_eq!(
        kind(w.store.body(&w.account, w.inbox, uid_of(1)).await),
        ErrorKind::NotFound
    );
}
