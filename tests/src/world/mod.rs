//! A server of its own for each test, in this process, over each kind of backend, with the same mail in all of them.

mod content;
mod folder;
mod four_methods;
mod outside;
mod settings;
mod tls;

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use backend_api::{Account, ConnInfo, MailStore, Uid};
use backend_memory::MemoryStore;
use backend_sqlite::{Options, SqliteStore};
use backendutil::{Hub, Mapped};
use imap_server::{Handle, Server, Tls};
use tempfile::TempDir;
use tokio::io::duplex;
use tokio::sync::watch;

use crate::client::Client;
use crate::stream::BoxedStream;

pub use content::{ALTERNATIVE, FORWARDED, LATIN, PLAIN};
pub use folder::Folder;
pub use four_methods::FourMethods;
use outside::{Outside, Store};
pub use settings::Settings;
pub use tls::Certificate;

/// The kinds of backend that every claim is tried on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `backend-memory` under `Mapped`.
    Memory,
    /// `backend-sqlite` under `Mapped`, in a folder of its own.
    Sqlite,
    /// The four required methods of a `MailStore` alone under `Mapped`: it can be read, not written.
    FourMethods,
}

/// A server with mail in it.
///
/// The user `demo` has the password `secret`; INBOX holds four messages with the UIDs 2, 3, 5, 7 ([`PLAIN`],
/// [`ALTERNATIVE`], [`LATIN`], [`FORWARDED`]), of which the second and third are not `\Seen`; beside it there are the empty
/// mailboxes Archive, `Archive/2024`, Drafts, Junk, Sent, Trash and `Täglich`. All but the last are subscribed. No message is
/// recent. The user `other` has nothing but empty mailboxes.
pub struct World {
    kind: Kind,
    server: Box<dyn Served>,
    outside: Box<dyn Outside>,
    connections: watch::Sender<usize>,
    _folder: Option<TempDir>,
}

/// A server whose backend's type is forgotten.
trait Served: Send + Sync {
    fn serve(&self, stream: BoxedStream, info: ConnInfo, tls: Tls, counted: Counted);
    fn handle(&self) -> Handle;
}

/// One connection that is being served.
struct Counted(watch::Sender<usize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|n| *n -= 1);
    }
}

impl<B: backend_api::Backend> Served for Server<B> {
    fn serve(&self, stream: BoxedStream, info: ConnInfo, tls: Tls, counted: Counted) {
        let server = self.clone();
        tokio::spawn(async move {
            server.serve_tls(stream, info, tls).await;
            drop(counted);
        });
    }

    fn handle(&self) -> Handle {
        Server::handle(self)
    }
}

impl World {
    /// A world over this kind of backend.
    pub async fn new(kind: Kind) -> Self {
        Self::with(kind, &Settings::default()).await
    }

    /// The same with a server that is set up otherwise.
    ///
    /// # Panics
    /// The store cannot be made.
    pub async fn with(kind: Kind, settings: &Settings) -> Self {
        match kind {
            Kind::Memory => {
                let store = MemoryStore::new()
                    .with_user("demo", "secret")
                    .with_user("other", "secret");
                Self::over(kind, Arc::new(store), Account::new("demo"), settings, None).await
            }
            Kind::Sqlite => {
                let folder = temporary_folder();
                let store = SqliteStore::open(folder.path(), Options::default()).expect("the store opens");
                let users = format!("demo:{HASH}\nother:{HASH}\n");
                store.import_users(&users).await.expect("the users are added");
                let account = store.account("demo").await.expect("demo is there");
                Self::over(kind, store, account, settings, Some(folder)).await
            }
            Kind::FourMethods => {
                Self::over(kind, Arc::new(FourMethods::new()), Account::new("demo"), settings, None).await
            }
        }
    }

    async fn over<S: MailStore>(
        kind: Kind,
        store: Arc<S>,
        account: Account,
        settings: &Settings,
        folder: Option<TempDir>,
    ) -> Self
    where
        Store<S>: Outside,
    {
        let backend = Mapped::<S>::new(store.clone());
        let hub: Hub = backend.hub();
        if kind != Kind::FourMethods {
            content::fill(&*store, &account).await;
        }
        let outside = Store { store, hub, account };
        Self {
            kind,
            server: Box::new(settings.apply(Server::builder(backend)).build()),
            outside: Box::new(outside),
            connections: watch::Sender::new(0),
            _folder: folder,
        }
    }

    /// A world over the memory store with something of the test's own around it: `wrap` makes the backend, and the hub by
    /// which it hears of what happens outside.
    ///
    /// # Panics
    /// The store cannot be filled.
    pub async fn around_memory<B: backend_api::Backend>(wrap: impl FnOnce(Arc<MemoryStore>) -> (B, Hub)) -> Self {
        let store = Arc::new(MemoryStore::new().with_user("demo", "secret"));
        let account = Account::new("demo");
        content::fill(&*store, &account).await;
        let (backend, hub) = wrap(store.clone());
        Self {
            kind: Kind::Memory,
            server: Box::new(Settings::default().apply(Server::builder(backend)).build()),
            outside: Box::new(Store { store, hub, account }),
            connections: watch::Sender::new(0),
            _folder: None,
        }
    }

    /// Waits until no more than so many connections are served: those that were cut have ended here, too.
    pub async fn until_connections(&self, at_most: usize) {
        let counted = self.connections.subscribe().wait_for(|n| *n <= at_most).await.is_ok();
        debug_assert!(counted, "the counter is this world's own");
    }

    /// Over which kind of backend it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The server's handle.
    pub fn handle(&self) -> Handle {
        self.server.handle()
    }

    /// A new connection over loopback without TLS. The greeting is still to be heard.
    pub fn connect(&self) -> Client {
        self.connect_from(loopback(), Tls::None)
    }

    /// A new connection from another machine.
    pub fn connect_from_afar(&self, tls: Tls) -> Client {
        let ours = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 143));
        let theirs = SocketAddr::from((Ipv4Addr::new(198, 51, 100, 7), 40_000));
        self.connect_from(ConnInfo::new(Some(theirs), Some(ours)), tls)
    }

    fn connect_from(&self, info: ConnInfo, tls: Tls) -> Client {
        Client::new(Box::new(self.stream(info, tls)) as BoxedStream)
    }

    /// A new connection's stream, for whoever puts something between it and a client.
    pub fn stream(&self, info: ConnInfo, tls: Tls) -> tokio::io::DuplexStream {
        let (ours, theirs) = duplex(PIPE);
        self.connections.send_modify(|n| *n += 1);
        let counted = Counted(self.connections.clone());
        self.server.serve(Box::new(theirs), info, tls, counted);
        ours
    }

    /// A connection that `demo` has logged in on.
    pub async fn login(&self) -> Client {
        self.login_as("demo").await
    }

    /// A connection that somebody has logged in on.
    pub async fn login_as(&self, user: &str) -> Client {
        let mut client = self.connect();
        client.hears("* OK [CAPABILITY <list>] <text>").await;
        client.says(format!("login LOGIN {user} secret")).await;
        client.hears("login OK [CAPABILITY <list>] <text>").await;
        client
    }

    /// A connection with INBOX selected, its UIDVALIDITY bound to `<v>`.
    pub async fn selected(&self) -> Client {
        let mut client = self.login().await;
        client.says("sel SELECT INBOX").await;
        client.hears(&self.selected_lines("sel", "READ-WRITE")).await;
        client
    }

    /// What SELECT INBOX is answered at the start of a test.
    pub fn selected_lines(&self, tag: &str, access: &str) -> String {
        let (permanent, access) = match (self.kind, access) {
            (Kind::FourMethods, _) | (_, "READ-ONLY") => ("", "READ-ONLY"),
            _ => (r"\Answered \Flagged \Deleted \Seen \Draft $Forwarded \*", access),
        };
        format!(
            r"* FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded)
              * 4 EXISTS
              * 0 RECENT
              * OK [UNSEEN 2] <text>
              * OK [PERMANENTFLAGS ({permanent})] <text>
              * OK [UIDNEXT 8] <text>
              * OK [UIDVALIDITY <v>] <text>
              {tag} OK [{access}] <text>"
        )
    }

    /// A message comes into INBOX from outside of IMAP.
    pub async fn arrives(&self, message: &str) -> Uid {
        self.outside.arrives(message).await
    }

    /// A message goes from INBOX outside of IMAP.
    pub async fn vanishes(&self, uid: u32) {
        self.outside.vanishes(Uid::new(uid).expect("a UID is not 0")).await;
    }
}

/// A folder for one test, in memory where that is to be had: what a disk is for is tested elsewhere.
fn temporary_folder() -> TempDir {
    let in_memory = tempfile::tempdir_in("/dev/shm");
    in_memory.or_else(|_| tempfile::tempdir()).expect("a temporary folder")
}

/// What is known of a connection between two loopback addresses.
pub fn loopback() -> ConnInfo {
    let here = |port| Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    ConnInfo::new(here(40_000), here(143))
}

/// Tries a claim on a world of this kind. Time is paused where nothing happens outside of the runtime.
///
/// # Panics
/// The claim is not true.
pub fn run<F: Future<Output = ()>>(kind: Kind, claim: impl FnOnce(World) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(kind != Kind::Sqlite)
        .build()
        .expect("a runtime");
    runtime.block_on(async { claim(World::new(kind).await).await });
}

/// Makes tests of claims: those of `every` are tried on every kind of backend, those of `writable` on those that can be
/// written, those of `four_methods` on the read-only one.
#[macro_export]
macro_rules! claims {
    (every: [$($every:ident),* $(,)?] $(, writable: [$($writable:ident),* $(,)?])? $(, four_methods: [$($four:ident),* $(,)?])? $(,)?) => {
        mod memory {
            $(#[test] fn $every() { $crate::world::run($crate::Kind::Memory, super::$every); })*
            $($(#[test] fn $writable() { $crate::world::run($crate::Kind::Memory, super::$writable); })*)?
        }
        mod sqlite {
            $(#[test] fn $every() { $crate::world::run($crate::Kind::Sqlite, super::$every); })*
            $($(#[test] fn $writable() { $crate::world::run($crate::Kind::Sqlite, super::$writable); })*)?
        }
        mod four_methods {
            $(#[test] fn $every() { $crate::world::run($crate::Kind::FourMethods, super::$every); })*
            $($(#[test] fn $four() { $crate::world::run($crate::Kind::FourMethods, super::$four); })*)?
        }
    };
}

/// Of `secret`, and it costs nothing: what a costly one is for is tested elsewhere. One that is no argon2id would be made
/// anew at the first login.
const HASH: &str = "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$vk+JgWgZGbXHtEqPQPhzXbD+QxxkJR5Fq2AXLhDyYaY";

/// Octets on their way in each direction.
const PIPE: usize = 64 * 1024;
