//! The suite within `cargo test`: an embedder's backend, in this process, with a named test for each scenario.
//!
//! ```no_run
//! use imap_compliance::suite::InProcess;
//! use imap_server::{Server, prelude::Mapped};
//!
//! # use backend_memory::MemoryStore as MyStore;
//! imap_compliance::suite!(my_store, || async {
//!     let store = MyStore::new().with_user("demo", "secret");
//!     InProcess::new("my store", Server::new(Mapped::new(store)), "demo", "secret")
//! });
//! # fn main() {}
//! ```
//!
//! That makes a module `my_store` with a test for each scenario. The closure is called once for each: every test has a
//! fresh backend. What a backend lacks skips scenarios, each with its reason on standard error. The crate is not published:
//! it is a path or git dependency, under `[dev-dependencies]`, from where `imap-server` is.
//!
//! Mailboxes are made by CREATE and APPEND. A backend that has neither says by [`filled_by`](InProcess::filled_by) how it
//! comes to what a scenario begins with, and by [`read_only`](InProcess::read_only) that clients change nothing; without
//! the first every scenario is skipped.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use imap_compliance::suite::{Fill, InProcess, scenario::Start, target::Filled};
//! use imap_server::{Server, prelude::{Mapped, async_trait}};
//!
//! # use imap_compliance::world::FourMethods as MyStore;
//! imap_compliance::suite!(my_store, || async {
//!     let store = Arc::new(MyStore::new());
//!     let server = Server::new(Mapped::<MyStore>::new(store.clone()));
//!     InProcess::new("my store", server, "demo", "secret").filled_by(Inbox(store)).read_only()
//! });
//!
//! struct Inbox(Arc<MyStore>);
//!
//! #[async_trait]
//! impl Fill for Inbox {
//!     async fn fill(&self, start: &Start) -> Filled {
//!         let Some(mailbox) = start.only_mailbox() else {
//!             return Filled::Cannot("there is one mailbox".into());
//!         };
//!         let messages = mailbox.messages.iter();
//!         self.0.begin_with(messages.map(|m| (m.backend_flags(), m.backend_date(), m.octets.clone())));
//!         Filled::Done(start.names_with("INBOX"))
//!     }
//! }
//! # fn main() {}
//! ```

use std::any::Any;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use backend_api::{Backend, ConnInfo};
use imap_server::rustls::ServerConfig;
use imap_server::{Server, Tls};

use super::client::Trouble;
use super::library;
use super::network::any_certificate;
use super::outcome::{Outcome, Verdict};
use super::run::{Plan, Running, Worker, survey};
use super::scenario::{Scenario, Start};
use super::target::{Filled, Login, Security, Target};
use crate::stream::BoxedStream;

/// How a backend that cannot CREATE or APPEND comes to what a scenario begins with.
#[async_trait]
pub trait Fill: Send + Sync {
    /// Puts the start of a scenario into the backend, and says what its mailboxes are called there.
    async fn fill(&self, start: &Start) -> Filled;
}

/// A server in this process.
pub struct InProcess {
    name: String,
    first: Login,
    second: Option<Login>,
    connect: Box<dyn Fn() -> BoxedStream + Send + Sync>,
    security: Security,
    fill: Option<Box<dyn Fill>>,
    read_only: bool,
    still: bool,
    kept: Vec<Box<dyn Any + Send + Sync>>,
}

/// Octets on their way in each direction.
const PIPE: usize = 64 * 1024;

impl InProcess {
    /// A server of ours. Connections come from loopback: passwords are taken without TLS.
    pub fn new<B: Backend>(name: &str, server: Server<B>, user: &str, password: &str) -> Self {
        Self::with_tls(name, server, Tls::None, user, password)
    }

    /// The same with STARTTLS offered.
    pub fn with_starttls<B: Backend>(
        name: &str,
        server: Server<B>,
        tls: Arc<ServerConfig>,
        user: &str,
        password: &str,
    ) -> Self {
        Self::with_tls(name, server, Tls::StartTls(tls), user, password)
    }

    fn with_tls<B: Backend>(name: &str, server: Server<B>, tls: Tls, user: &str, password: &str) -> Self {
        let connect = move || {
            let (ours, theirs) = tokio::io::duplex(PIPE);
            let (server, tls) = (server.clone(), tls.clone());
            let here = |port| Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
            let info = ConnInfo::new(here(40_000), here(143));
            tokio::spawn(async move { server.serve_tls(theirs, info, tls).await });
            Box::new(ours) as BoxedStream
        };
        Self::from_connections(name, connect, user, password)
    }

    /// Anything that gives connections: another server, or ours with something in between.
    pub fn from_connections(
        name: &str,
        connect: impl Fn() -> BoxedStream + Send + Sync + 'static,
        user: &str,
        password: &str,
    ) -> Self {
        Self {
            name: name.to_owned(),
            first: Login::new(user, password),
            second: None,
            connect: Box::new(connect),
            security: Security::Plain,
            fill: None,
            read_only: false,
            still: false,
            kept: Vec::new(),
        }
    }

    /// A second account.
    #[must_use]
    pub fn second_user(mut self, user: &str, password: &str) -> Self {
        self.second = Some(Login::new(user, password));
        self
    }

    /// A backend that is filled in its own way.
    #[must_use]
    pub fn filled_by(mut self, fill: impl Fill + 'static) -> Self {
        self.fill = Some(Box::new(fill));
        self
    }

    /// A backend that shows mail and lets nobody change it: scenarios that change something are skipped.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Nothing outside of the runtime does anything (no threads, files or sockets of the backend's own): time stands still
    /// while anybody has something to do and passes at once when nobody has, so that waiting costs nothing.
    #[must_use]
    pub fn with_time_standing_still(mut self) -> Self {
        self.still = true;
        self
    }

    /// Keeps something as long as the server, such as the folder that its store is in.
    #[must_use]
    pub fn keeping(mut self, kept: impl Any + Send + Sync) -> Self {
        self.kept.push(Box::new(kept));
        self
    }
}

#[async_trait]
impl Target for InProcess {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn first(&self) -> Login {
        self.first.clone()
    }

    fn second(&self) -> Option<Login> {
        self.second.clone()
    }

    fn security(&self) -> Security {
        self.security
    }

    fn owns_inbox(&self) -> bool {
        true
    }

    fn is_read_only(&self) -> bool {
        self.read_only
    }

    async fn connect(&self) -> io::Result<BoxedStream> {
        Ok((self.connect)())
    }

    async fn handshake(&self, stream: BoxedStream) -> io::Result<BoxedStream> {
        any_certificate("localhost", stream).await
    }

    async fn fill(&self, start: &Start) -> Filled {
        match &self.fill {
            Some(fill) => fill.fill(start).await,
            None => Filled::OverTheWire,
        }
    }
}

/// Plays a scenario on a server that was just made.
///
/// # Errors
/// Nothing can be played on that server.
pub async fn play(target: &InProcess, scenario: &Scenario) -> Result<Outcome, Trouble> {
    let plan = Plan {
        timeout: Duration::from_secs(20),
        jobs: 1,
        name: "test".to_owned(),
        repeat: "cargo test '{}'".to_owned(),
        running: Running::default(),
    };
    let facts = survey(target, plan.timeout).await?;
    let mut worker = Worker::new(target, &facts, &plan);
    let outcome = worker.play(0, scenario).await;
    worker.end().await;
    Ok(outcome)
}

/// What each test of [`suite!`](crate::suite!) does.
///
/// # Panics
/// The scenario fails: that is how a test says so.
#[allow(clippy::panic, reason = "a test fails by panicking")]
pub fn test<F: Future<Output = InProcess>>(name: &str, factory: impl FnOnce() -> F) {
    let scenario = match library::built_in_named(name) {
        Ok(scenario) => scenario,
        Err(errors) => panic!(
            "{}",
            errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        ),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
    let outcome = runtime.block_on(async {
        let target = factory().await;
        if target.still {
            tokio::time::pause();
        }
        (play(&target, &scenario).await, target.name.clone())
    });
    match outcome {
        (Ok(outcome), target) => match outcome.verdict {
            Verdict::Passed => {}
            // Past the capture of the tests' output, which shows nothing of tests that pass; at once, as others write, too.
            Verdict::Skipped { reason } => {
                let line = format!("skipped for {target}: {name}: {reason}\n");
                let _ = io::stderr().write_all(line.as_bytes());
            }
            Verdict::Failed { failure } => panic!("{}", super::text::failure(&outcome.claim, &scenario.file, &failure)),
        },
        (Err(Trouble::Lacks(why) | Trouble::Wrong { what: why, .. }), _) => panic!("nothing can be played: {why}"),
    }
}
