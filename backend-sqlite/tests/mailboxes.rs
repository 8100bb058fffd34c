//! Creating, deleting, renaming and subscribing mailboxes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use common::*;

use std::collections::HashSet;

use backend_api::*;

async fn names(w: &World) -> Vec<String> {
    let mut all: Vec<String> = w
        .store
        .mailboxes(&w.account)
        .await
        .unwrap()
        .iter()
        .map(|m| m.name.to_string())
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn missing_levels_are_made() {
    let w = world().await;
    w.make("a/b/c").await;
    assert_eq!(names(&w).await, ["INBOX", "a", "a/b", "a/b/c"]);
    assert_eq!(
        kind(w.store.create(&w.account, &name("a/b"), &[]).await),
        ErrorKind::AlreadyExists
    );
    assert_eq!(
        kind(w.store.create(&w.account, &MailboxName::inbox(), &[]).await),
        ErrorKind::AlreadyExists
    );
}

#[tokio::test]
async fn names_differ_by_case() {
    let w = world().await;
    w.make("Work").await;
    w.make("work").await;
    assert_eq!(names(&w).await, ["INBOX", "Work", "work"]);
}

#[tokio::test]
async fn a_special_use_is_kept_and_belongs_to_one_mailbox() {
    let w = world().await;
    w.store
        .create(&w.account, &name("Sent"), &[SpecialUse::Sent])
        .await
        .unwrap();
    let sent = w.store.mailbox(&w.account, &name("Sent")).await.unwrap().unwrap();
    assert_eq!(sent.attributes.special_use, [SpecialUse::Sent]);
    let again = w.store.create(&w.account, &name("Other"), &[SpecialUse::Sent]).await;
    assert_eq!(kind(again), ErrorKind::UseAttr);
    w.store.delete(&w.account, sent.id, &sent.name).await.unwrap();
    w.store
        .create(&w.account, &name("Other"), &[SpecialUse::Sent])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_deleted_mailbox_leaves_its_children_and_its_subscription() {
    let w = world().await;
    w.make("a/b").await;
    w.store.subscribe(&w.account, &name("a"), true).await.unwrap();
    let id = w.id("a").await.unwrap();
    w.told.take();
    w.store.delete(&w.account, id, &name("a")).await.unwrap();
    let told = w.told.take();
    assert_eq!(told[0].0, id);
    assert!(told[0].1.as_ref().unwrap().deleted);
    let all = w.store.mailboxes(&w.account).await.unwrap();
    let a = all.iter().find(|m| m.name == name("a")).unwrap();
    assert!(a.attributes.non_existent && a.attributes.subscribed);
    assert!(all.iter().any(|m| m.name == name("a/b")));
    assert_eq!(w.store.mailbox(&w.account, &name("a")).await.unwrap(), None);
}

#[tokio::test]
async fn inbox_cannot_be_deleted() {
    let w = world().await;
    assert_eq!(
        kind(w.store.delete(&w.account, w.inbox, &MailboxName::inbox()).await),
        ErrorKind::Cannot
    );
}

#[tokio::test]
async fn a_name_made_again_is_another_mailbox() {
    let w = world().await;
    let mut seen = HashSet::new();
    for _ in 0..50 {
        w.make("again").await;
        let entry = w.store.mailbox(&w.account, &name("again")).await.unwrap().unwrap();
        assert!(seen.insert(entry.uid_validity), "UIDVALIDITY was given twice");
        assert!(seen.len() == 1 || entry.id > 1);
        w.store.delete(&w.account, entry.id, &entry.name).await.unwrap();
    }
}

#[tokio::test]
async fn uid_validity_never_repeats_even_when_the_account_is_made_again() {
    let w = world().await;
    let mut seen = HashSet::new();
    for n in 0..5 {
        let account = w.store.add_user("new", None, false).await.unwrap();
        for m in 0..5 {
            w.store.create(&account, &name(&format!("m{n}{m}")), &[]).await.unwrap();
        }
        for entry in w.store.mailboxes(&account).await.unwrap() {
            assert!(seen.insert(entry.uid_validity), "{entry:?}");
        }
        w.store.remove_user("new").await.unwrap();
    }
}

#[tokio::test]
async fn a_renamed_tree_keeps_its_numbers() {
    let w = world().await;
    let (b, c) = (w.make("a/b").await, w.make("a/b/c").await);
    w.make("a/bb").await;
    let before = w.store.mailbox(&w.account, &name("a/b/c")).await.unwrap().unwrap();
    w.store.rename(&w.account, &name("a/b"), &name("x/y")).await.unwrap();
    assert_eq!(names(&w).await, ["INBOX", "a", "a/bb", "x", "x/y", "x/y/c"]);
    assert_eq!((w.id("x/y").await, w.id("x/y/c").await), (Some(b), Some(c)));
    let after = w.store.mailbox(&w.account, &name("x/y/c")).await.unwrap().unwrap();
    assert_eq!(after.uid_validity, before.uid_validity);
}

#[tokio::test]
async fn a_rename_that_cannot_be_changes_nothing() {
    let w = world().await;
    w.make("a/x").await;
    w.make("b/x").await;
    w.store
        .delete(&w.account, w.id("b").await.unwrap(), &name("b"))
        .await
        .unwrap();
    let before = names(&w).await;
    let rename = async |from: &str, to: &str| w.store.rename(&w.account, &name(from), &name(to)).await;
    assert_eq!(kind(rename("none", "c").await), ErrorKind::NotFound);
    assert_eq!(kind(rename("a", "a/x").await), ErrorKind::AlreadyExists);
    assert_eq!(kind(rename("a", "b").await), ErrorKind::AlreadyExists);
    assert_eq!(kind(rename("a", "a/y").await), ErrorKind::Cannot);
    let deepest = vec!["y"; MailboxName::MAX_LEVELS].join("/");
    assert_eq!(kind(rename("a", &deepest).await), ErrorKind::Cannot);
    assert_eq!(names(&w).await, before);
}

#[tokio::test]
async fn a_renamed_inbox_is_emptied_and_stays() {
    let w = world().await;
    w.make("INBOX/child").await;
    w.add("a").await;
    w.add("b").await;
    let before = w
        .store
        .mailbox(&w.account, &MailboxName::inbox())
        .await
        .unwrap()
        .unwrap();
    w.told.take();
    w.store
        .rename(&w.account, &MailboxName::inbox(), &name("old/mail"))
        .await
        .unwrap();
    assert_eq!(names(&w).await, ["INBOX", "INBOX/child", "old", "old/mail"]);
    assert!(w.uids(w.inbox).await.is_empty());
    assert_eq!(w.uids(w.id("old/mail").await.unwrap()).await, [1, 2]);
    let after = w
        .store
        .mailbox(&w.account, &MailboxName::inbox())
        .await
        .unwrap()
        .unwrap();
    let mut empty = Status::new(before.uid_validity);
    (empty.uid_next, empty.highest_mod_seq) = (Some(uid_of(3)), Some(ModSeq(4)));
    let mut expected = before;
    expected.status = Some(empty);
    assert_eq!(after, expected);
    let vanished = w.told.take().into_iter().find(|(id, _)| *id == w.inbox).unwrap();
    assert_eq!(vanished.1.unwrap().vanished, set("1:2"));
    assert_eq!(w.add("c").await, uid_of(3));
}

#[tokio::test]
async fn a_subscription_needs_no_mailbox() {
    let w = world().await;
    w.store.subscribe(&w.account, &name("later"), true).await.unwrap();
    w.store.subscribe(&w.account, &name("later"), true).await.unwrap();
    w.make("later").await;
    assert!(
        w.store
            .mailbox(&w.account, &name("later"))
            .await
            .unwrap()
            .unwrap()
            .attributes
            .subscribed
    );
    w.store.subscribe(&w.account, &name("later"), false).await.unwrap();
    assert!(
        !w.store
            .mailbox(&w.account, &name("later"))
            .await
            .unwrap()
            .unwrap()
            .attributes
            .subscribed
    );
    assert_eq!(w.rows("subscriptions"), 1);
}

#[tokio::test]
async fn an_account_that_was_removed_is_told_so() {
    let w = world().await;
    w.store.remove_user("ann").await.unwrap();
    assert_eq!(kind(w.store.mailboxes(&w.account).await), ErrorKind::Bye);
    assert_eq!(kind(w.store.create(&w.account, &name("x"), &[]).await), ErrorKind::Bye);
    assert_eq!(kind(w.store.messages(&w.account, w.inbox).await), ErrorKind::Bye);
}
