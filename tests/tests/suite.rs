//! The compliance suite, whole, on each of our backends: a test for each scenario.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use async_trait::async_trait;
use backend_memory::MemoryStore;
use backend_sqlite::{Options, SqliteStore};
use backendutil::Mapped;
use imap_compliance::suite::scenario::Start;
use imap_compliance::suite::target::Filled;
use imap_compliance::suite::{Fill, InProcess};
use imap_compliance::world::{Certificate, FourMethods};
use imap_server::Server;
use tempfile::TempDir;

/// A server that answers refused logins at once, with STARTTLS.
fn in_process<B: backend_api::Backend>(name: &str, backend: B) -> InProcess {
    let server = Server::builder(backend)
        .failed_login_delay(std::time::Duration::ZERO)
        .build();
    InProcess::with_starttls(name, server, Certificate::new().server(), "demo", "secret")
}

imap_compliance::suite!(memory, || async {
    let store = MemoryStore::new()
        .with_user("demo", "secret")
        .with_user("other", "secret");
    in_process("the memory store", Mapped::new(store))
        .second_user("other", "secret")
        .with_time_standing_still()
});

imap_compliance::suite!(sqlite, || async {
    let in_memory = tempfile::tempdir_in("/dev/shm");
    let folder: TempDir = in_memory.or_else(|_| tempfile::tempdir()).expect("a temporary folder");
    let store = SqliteStore::open(folder.path(), Options::default()).expect("the store opens");
    // A hash that costs nothing: what a costly one is for is tested elsewhere.
    let hash =
        "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$fIbdC2xakJ6cNlONBQKde0ZQtJof49m9l+7mj3O30mA";
    let users = format!("demo:{hash}\nother:{hash}\n");
    store.import_users(&users).await.expect("the users are added");
    in_process("the SQLite store", Mapped::<SqliteStore>::new(store))
        .second_user("other", "secret")
        .keeping(folder)
});

imap_compliance::suite!(four_methods, || async {
    let store = Arc::new(FourMethods::new());
    in_process("a store of four methods", Mapped::<FourMethods>::new(store.clone()))
        .filled_by(Inbox(store))
        .read_only()
        .with_time_standing_still()
});

/// Fills the only mailbox that there is.
struct Inbox(Arc<FourMethods>);

#[async_trait]
impl Fill for Inbox {
    async fn fill(&self, start: &Start) -> Filled {
        let Some(only) = start.only_mailbox() else {
            return Filled::Cannot("there is one mailbox".into());
        };
        let messages = only
            .messages
            .iter()
            .map(|m| (m.backend_flags(), m.backend_date(), m.octets.clone()));
        self.0.begin_with(messages);
        Filled::Done(start.names_with("INBOX"))
    }
}

#[path = "suite/socket.rs"]
mod socket;

#[path = "suite/program.rs"]
mod program;
