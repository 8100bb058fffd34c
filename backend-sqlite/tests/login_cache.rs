//! A password that was right a moment ago is known again, and no longer than it is right.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use backend_api::{Credentials, ErrorKind, MailStore};
use backend_sqlite::{Options, SqliteStore};

async fn log_in(store: &SqliteStore, password: &'static str) -> Result<(), ErrorKind> {
    let who = Credentials::password("ann", password.as_bytes());
    store.login(who).await.map(drop).map_err(|e| e.kind())
}

const WRONG: Result<(), ErrorKind> = Err(ErrorKind::AuthenticationFailed);

#[tokio::test]
async fn a_changed_password_and_a_removed_account_are_refused_at_once_also_when_another_process_did_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), Options::default()).unwrap();
    let other = SqliteStore::open(dir.path(), Options::default()).unwrap();
    store.add_user("ann", Some(b"first"), true).await.unwrap();
    for _ in 0..3 {
        assert_eq!(log_in(&store, "first").await, Ok(()));
        assert_eq!(log_in(&store, "First").await, WRONG);
    }

    other.set_password("ann", b"second").await.unwrap();
    assert_eq!(log_in(&store, "first").await, WRONG);
    assert_eq!(log_in(&store, "second").await, Ok(()));

    other.remove_user("ann").await.unwrap();
    assert_eq!(log_in(&store, "second").await, WRONG);
    other.add_user("ann", Some(b"third"), true).await.unwrap();
    assert_eq!(log_in(&store, "second").await, WRONG);
    assert_eq!(log_in(&store, "third").await, Ok(()));
}
