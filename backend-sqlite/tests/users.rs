//! Accounts, passwords and deliveries.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use common::*;

use backend_api::*;
use backend_sqlite::{DeliverError, Delivery, Options, SqliteStore, UserError};

async fn login(store: &SqliteStore, user: &str, password: &[u8]) -> Result<Account> {
    store.login(Credentials::Password { user, password }).await
}

#[tokio::test]
async fn a_user_logs_in_with_the_password_and_with_nothing_else() {
    let w = world().await;
    let added = w.store.add_user("bob", Some(b"secret"), false).await.unwrap();
    assert_eq!(login(&w.store, "bob", b"secret").await.unwrap(), added);
    for (user, password) in [
        ("bob", &b"secret\0"[..]),
        ("bob", b""),
        ("Bob", b"secret"),
        ("bob ", b"secret"),
        ("nobody", b"secret"),
        ("ann", b""),
    ] {
        let error = login(&w.store, user, password).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AuthenticationFailed, "{user:?} {password:?}");
        assert_eq!(error.text(), Error::authentication_failed().text());
    }
}

#[tokio::test]
async fn a_changed_password_is_the_one_that_counts() {
    let w = world().await;
    w.store.set_password("ann", b"one").await.unwrap();
    w.store.set_password("ann", b"two").await.unwrap();
    assert!(login(&w.store, "ann", b"one").await.is_err());
    login(&w.store, "ann", b"two").await.unwrap();
    assert!(matches!(
        w.store.set_password("nobody", b"x").await,
        Err(UserError::Unknown(_))
    ));
    assert!(matches!(
        w.store.set_password("ann", b"").await,
        Err(UserError::Password(_))
    ));
}

#[tokio::test]
async fn a_user_has_the_usual_mailboxes_subscribed_unless_bare() {
    let w = world().await;
    let list = async |account: &Account| {
        let all = w.store.mailboxes(account).await.unwrap();
        let line = |m: &MailboxEntry| format!("{} {} {:?}", m.name, m.attributes.subscribed, m.attributes.special_use);
        all.iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(list(&w.account).await, ["INBOX true []"]);
    let bob = w.store.add_user("bob", None, false).await.unwrap();
    assert_eq!(
        list(&bob).await,
        [
            "Archive true [Archive]",
            "Drafts true [Drafts]",
            "INBOX true []",
            "Junk true [Junk]",
            "Sent true [Sent]",
            "Trash true [Trash]"
        ]
    );
}

#[tokio::test]
async fn names_that_cannot_be_are_refused_in_words() {
    let w = world().await;
    for (name, why) in [
        ("", "a user name cannot be empty"),
        ("  ", "a user name cannot be empty"),
        ("a/b", "a user name cannot hold a slash"),
        ("a\nb", "a user name cannot hold control characters"),
        (&"x".repeat(256), "a user name has at most 255 octets"),
        ("ann", "the user ann exists already"),
        (" ann ", "the user ann exists already"),
    ] {
        assert_eq!(w.store.add_user(name, None, true).await.unwrap_err().to_string(), why);
    }
    w.store.add_user("jörg@example.org", None, true).await.unwrap();
}

#[tokio::test]
async fn users_are_listed_with_what_they_have() {
    let w = world().await;
    w.add("12345").await;
    w.store.add_user("bob", Some(b"x"), false).await.unwrap();
    let users = w.store.list_users().await.unwrap();
    let lines: Vec<_> = users
        .iter()
        .map(|u| (u.name.as_str(), u.has_password, u.mailboxes, u.messages, u.size))
        .collect();
    assert_eq!(lines, [("ann", false, 1, 1, 5), ("bob", true, 6, 0, 0)]);
    assert!(w.store.has_users().await.unwrap());
}

#[tokio::test]
async fn two_hundred_users_are_imported_or_none() {
    let w = world().await;
    let mut lines: String = (0..20).map(|n| format!("user{n}:{{SSHA256}}{}\n", ssha256())).collect();
    lines.push_str("# a comment\n\nplain:pass:word\n");
    assert_eq!(w.store.import_users(&lines).await.unwrap(), 21);
    login(&w.store, "plain", b"pass:word").await.unwrap();
    login(&w.store, "user7", b"secret").await.unwrap();
    // The hash was replaced by one of ours at that login.
    login(&w.store, "user7", b"secret").await.unwrap();
    assert!(login(&w.store, "user7", b"wrong").await.is_err());

    let count = w.store.list_users().await.unwrap().len();
    for (lines, why) in [
        ("new:x\nann:x\n", "line 2: the user ann exists already"),
        ("new:x\nnew:y\n", "line 2: the user new is there twice"),
        (
            "new:x\nno colon\n",
            "line 2: there is no colon between name and password",
        ),
        (
            "new:{MD5}x\n",
            "line 1: scheme MD5 is not known (PLAIN, ARGON2ID, SHA, SSHA, SHA256, SSHA256, SHA512, SSHA512 are)",
        ),
        ("a/b:x\n", "line 1: a user name cannot hold a slash"),
        ("new:\n", "line 1: the password is empty"),
    ] {
        assert_eq!(w.store.import_users(lines).await.unwrap_err().to_string(), why);
    }
    assert_eq!(w.store.list_users().await.unwrap().len(), count);
}

fn ssha256() -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    let mut octets = sha2::Sha256::new()
        .chain_update(b"secret")
        .chain_update(b"salt")
        .finalize()
        .to_vec();
    octets.extend_from_slice(b"salt");
    base64::engine::general_purpose::STANDARD.encode(octets)
}

#[tokio::test]
async fn an_old_hash_is_replaced_at_the_first_login() {
    let w = world().await;
    w.store
        .import_users(&format!("old:{{SSHA256}}{}", ssha256()))
        .await
        .unwrap();
    let stored = || -> String {
        let conn = rusqlite::Connection::open(w.dir.path().join("mail.db")).unwrap();
        conn.query_row("SELECT password FROM accounts WHERE name = 'old'", [], |r| r.get(0))
            .unwrap()
    };
    assert!(login(&w.store, "old", b"wrong").await.is_err());
    assert!(stored().starts_with("{SSHA256}"));
    login(&w.store, "old", b"secret").await.unwrap();
    assert!(stored().starts_with("$argon2id$"));
    login(&w.store, "old", b"secret").await.unwrap();
}

#[tokio::test]
async fn a_removed_user_is_gone_and_the_name_is_free() {
    let w = world().await;
    w.add("x").await;
    w.store.remove_user("ann").await.unwrap();
    assert!(matches!(w.store.remove_user("ann").await, Err(UserError::Unknown(_))));
    let again = w.store.add_user("ann", None, true).await.unwrap();
    assert_ne!(again, w.account);
    assert_eq!(w.store.list_users().await.unwrap()[0].messages, 0);
}

#[tokio::test]
async fn a_delivered_message_is_in_the_mailbox() {
    let w = world().await;
    let mut delivery = Delivery::new("ann");
    delivery.prefix = b"Return-Path: <a@b>\r\n".to_vec();
    let delivered = w
        .store
        .deliver(delivery, &mut &b"Subject: x\r\n\r\nbody"[..])
        .await
        .unwrap();
    assert_eq!(delivered.uid, uid_of(1));
    assert_eq!(
        w.text(w.inbox, 1).await,
        b"Return-Path: <a@b>\r\nSubject: x\r\n\r\nbody"
    );
}

#[tokio::test]
async fn a_delivery_of_any_size_is_whole() {
    let w = world_with(small()).await;
    for len in [0usize, 1, 7_000, 9_000, 300_000, 700_000] {
        let text: Vec<u8> = (0..len).map(|n| (n / 7) as u8).collect();
        let delivered = w.store.deliver(Delivery::new("ann"), &mut &text[..]).await.unwrap();
        assert!(w.text(w.inbox, delivered.uid.get()).await == text, "{len} octets");
    }
}

#[tokio::test]
async fn a_mailbox_is_made_for_a_delivery_when_asked() {
    let w = world().await;
    let mut delivery = Delivery::new("ann");
    delivery.mailbox = name("lists/rust");
    let outcome = w.store.deliver(delivery.clone(), &mut &b"x"[..]).await;
    assert!(matches!(outcome, Err(DeliverError::NoMailbox(m)) if m == name("lists/rust")));
    delivery.create = true;
    w.store.deliver(delivery, &mut &b"x"[..]).await.unwrap();
    let made = w.store.mailbox(&w.account, &name("lists/rust")).await.unwrap().unwrap();
    assert!(made.attributes.subscribed);
    assert_eq!(w.uids(made.id).await, [1]);
}

#[tokio::test]
async fn a_delivery_says_what_hindered_it() {
    let mut options = Options::default();
    options.append_limit = Some(10);
    let w = world_with(options).await;
    let outcome = w.store.deliver(Delivery::new("nobody"), &mut &b"x"[..]).await;
    assert!(matches!(outcome, Err(DeliverError::NoUser(_))));
    let outcome = w.store.deliver(Delivery::new("ann"), &mut &b"12345678901"[..]).await;
    assert!(matches!(outcome, Err(DeliverError::TooBig(_))));
    let outcome = w.store.deliver(Delivery::new("ann"), &mut Broken).await;
    assert!(matches!(outcome, Err(DeliverError::Input(_))));
    assert!(files(w.dir.path()).is_empty());
    assert!(w.uids(w.inbox).await.is_empty());
}

struct Broken;

impl tokio::io::AsyncRead for Broken {
    fn poll_read(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        _: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Err(std::io::Error::other("broken")))
    }
}
