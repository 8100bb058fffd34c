//! Servers that stay for many worlds: each world is an account of its own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use backend_sqlite::{Options, SqliteStore};
use backendutil::{Hub, Mapped};
use imap_server::Server;
use tempfile::TempDir;
use tokio::sync::watch;

use super::outside::Store;
use super::{HASH, Kind, Settings, World, content, temporary_folder};

/// Servers of this process, each with a store of its own on one SQLite folder. To open a store takes longer than what most
/// tests do with it.
pub struct Folder {
    servers: Vec<(Server<Mapped<SqliteStore>>, Arc<SqliteStore>, Hub)>,
    accounts: AtomicU64,
    _folder: Option<TempDir>,
}

impl Folder {
    /// So many servers.
    ///
    /// # Panics
    /// A store does not open.
    pub fn new(servers: usize) -> Self {
        let folder = temporary_folder();
        let mut this = Self::beside(folder.path(), servers);
        this._folder = Some(folder);
        this
    }

    /// So many servers on a folder that others serve, too.
    ///
    /// # Panics
    /// A store does not open.
    pub fn beside(folder: &Path, servers: usize) -> Self {
        let server = |_| {
            let store = SqliteStore::open(folder, Options::default()).expect("the store opens");
            let backend = Mapped::<SqliteStore>::new(store.clone());
            let hub = backend.hub();
            let server = Settings::default().apply(Server::builder(backend)).build();
            (server, store, hub)
        };
        Self {
            servers: (0..servers).map(server).collect(),
            accounts: AtomicU64::new(0),
            _folder: None,
        }
    }

    /// An account with the mail of every world and the password `secret`: its name, and a world at each server.
    ///
    /// # Panics
    /// It cannot be made.
    pub async fn worlds(&self) -> (String, Vec<World>) {
        let user = format!("demo{}", self.accounts.fetch_add(1, Ordering::Relaxed));
        let (_, first, _) = &self.servers[0];
        first
            .import_users(&format!("{user}:{HASH}\n"))
            .await
            .expect("the user is added");
        content::fill(&**first, &first.account(&user).await.expect("it is there")).await;
        let mut worlds = Vec::new();
        for (server, store, hub) in &self.servers {
            let account = store.account(&user).await.expect("it is there, too");
            worlds.push(World {
                kind: Kind::Sqlite,
                server: Box::new(server.clone()),
                outside: Box::new(Store {
                    store: store.clone(),
                    hub: hub.clone(),
                    account,
                }),
                connections: watch::Sender::new(0),
                _folder: None,
            });
        }
        (user, worlds)
    }

    /// How many accounts were made.
    pub fn accounts(&self) -> u64 {
        self.accounts.load(Ordering::Relaxed)
    }
}
