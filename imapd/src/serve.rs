//! The server's life: everything opened in an order in which failing leaves no trace, serving, the signals, the end.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use backend_sqlite::SqliteStore;
use imap_server::prelude::{Mapped, Tls};
use imap_server::{Caps, Server};
use tokio::net::TcpListener;

use crate::cli::{Common, LogFormat, ServeArgs};
use crate::config::Config;
use crate::demo::{self, Demo};
use crate::failure::Failure;
use crate::signals::{Asked, Signals};
use crate::tls::Certificate;
use crate::{folder, listen, log, self_signed};

/// How long clients that are slow to say goodbye, and changes under way, are waited for.
const DEADLINE: Duration = Duration::from_secs(10);

/// Runs the server until a signal ends it.
///
/// # Errors
/// It cannot be started, or a listener failed for good.
pub(crate) fn run(common: Common, args: ServeArgs) -> Result<(), Failure> {
    let config = Config::new(common, args)?;
    log::start(config.log_format, log::SERVER);
    raise_file_limit();
    // The ports first: whoever finds them taken has made no folder, and no account whose password nobody saw.
    let plain = listen::addresses(&config.listen, "--listen")?;
    let tls = listen::addresses(&config.listen_tls, "--listen-tls")?;
    let listeners = Listeners {
        plain: listen::bind(&plain, "--listen")?,
        tls: listen::bind(&tls, "--listen-tls")?,
    };
    let given = config
        .tls
        .clone()
        .map(|(cert, key)| Certificate::read(cert, key))
        .transpose()?;
    let is_new = !folder::is_there(&config.data);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(format!("threads cannot be started: {e}")))?;
    let store = {
        let _inside = runtime.enter();
        folder::open_for_server(&config.data, config.search_index)?
    };
    let certificate = match given {
        Some(given) => given,
        None => {
            let (cert, key) = self_signed::at(&config.data)?;
            Certificate::read(cert, key)?
        }
    };
    let done = runtime.block_on(serve(&config, store.clone(), listeners, certificate, is_new));
    // The connections' tasks hold the store; with its last handle it closes, after all that was handed to it is done.
    runtime.shutdown_timeout(Duration::from_secs(1));
    drop(store);
    done
}

struct Listeners {
    plain: Vec<std::net::TcpListener>,
    tls: Vec<std::net::TcpListener>,
}

async fn serve(
    config: &Config,
    store: Arc<SqliteStore>,
    listeners: Listeners,
    certificate: Arc<Certificate>,
    is_new: bool,
) -> Result<(), Failure> {
    let mut signals = Signals::new().map_err(|e| Failure::new(format!("signals cannot be received: {e}")))?;
    let has_users = store.has_users().await?;
    let demo = match is_new && !has_users {
        true => demo::make(&store, &config.data).await?,
        false => None,
    };
    let server = Server::builder(Mapped::new(store))
        .insecure_auth(config.insecure_auth)
        .id([("name", "imapd"), ("version", env!("CARGO_PKG_VERSION"))])
        .caps(caps(config))
        .build();
    let tls = certificate.server_config()?;
    let mut running = Running {
        server,
        listening: tokio::task::JoinSet::new(),
    };
    let plain = running.start(listeners.plain, &Tls::StartTls(tls.clone()))?;
    let implicit = running.start(listeners.tls, &Tls::Implicit(tls))?;
    say_listening(plain.iter().chain(&implicit));
    match demo {
        Some(demo) => introduce(config, &demo, &plain, &implicit, &certificate),
        None if has_users || is_new => tracing::info!("serving {}", config.data.display()),
        None => tracing::info!(
            "serving {}, which has no accounts: make one with `imapd --data {0} user add NAME`",
            config.data.display()
        ),
    }
    // Whoever started us need not be there, or want to know.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    running.until_asked(&mut signals, &certificate).await?;
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    running.end(&mut signals).await;
    Ok(())
}

struct Running {
    server: Server<Mapped<SqliteStore>>,
    listening: tokio::task::JoinSet<std::io::Result<()>>,
}

impl Running {
    /// Accepts connections on each of these, and says where that is.
    fn start(&mut self, listeners: Vec<std::net::TcpListener>, tls: &Tls) -> Result<Vec<SocketAddr>, Failure> {
        let mut addresses = Vec::new();
        for listener in listeners {
            let failed = |e| Failure::new(format!("a listener cannot be started: {e}"));
            let listener = TcpListener::from_std(listener).map_err(failed)?;
            addresses.push(listener.local_addr().map_err(failed)?);
            let (server, tls) = (self.server.clone(), tls.clone());
            self.listening
                .spawn(async move { server.serve_listener(listener, tls).await });
        }
        Ok(addresses)
    }

    /// Serves until it is asked to end, or cannot go on.
    async fn until_asked(&mut self, signals: &mut Signals, certificate: &Certificate) -> Result<(), Failure> {
        loop {
            tokio::select! {
                asked = signals.next() => match asked {
                    Asked::ToReload => reload(certificate),
                    Asked::ToEnd(signal) => {
                        tracing::info!(signal, "shutting down");
                        return Ok(());
                    }
                },
                Some(ended) = self.listening.join_next() => match ended {
                    Ok(Ok(())) => {}
                    Ok(Err(e)) => return Err(Failure::new(format!("a listener failed: {e}"))),
                    Err(e) => return Err(Failure::new(format!("a listener failed: {e}"))),
                },
            }
        }
    }

    async fn end(self, signals: &mut Signals) {
        let handle = self.server.handle();
        let ended = handle.shutdown("The server is shutting down", DEADLINE);
        tokio::select! {
            cut_off = ended => tracing::info!(cut_off, "all connections ended"),
            () = signals.end() => {
                tracing::warn!("asked again: ending at once");
                std::process::exit(1);
            }
        }
    }
}

fn reload(certificate: &Certificate) {
    let _ = sd_notify::notify(&reloading());
    match certificate.reload() {
        Ok(()) => tracing::info!(cert = %certificate.path().display(), "read the certificate again"),
        Err(error) => tracing::error!(%error, "the certificate was not exchanged, the one before stays"),
    }
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
}

/// With the time, which `Type=notify-reload` wants to see.
fn reloading() -> Vec<sd_notify::NotifyState<'static>> {
    let now = sd_notify::NotifyState::monotonic_usec_now().ok();
    [sd_notify::NotifyState::Reloading].into_iter().chain(now).collect()
}

/// How many connections there may be.
fn caps(config: &Config) -> Caps {
    let mut caps = Caps::default();
    let [connections, per_user, per_address] = config.most.map(|most| most.and_then(|n| usize::try_from(n).ok()));
    caps.connections = connections.unwrap_or(caps.connections);
    caps.per_user = per_user.unwrap_or(caps.per_user);
    caps.per_address = per_address.unwrap_or(caps.per_address);
    caps
}

/// One line each on standard output, where scripts wait for them.
fn say_listening<'a>(addresses: impl Iterator<Item = &'a SocketAddr>) {
    let mut out = std::io::stdout().lock();
    for address in addresses {
        // Nobody to tell when nobody listens.
        let _ = writeln!(out, "listening on {address}");
    }
    let _ = out.flush();
}

fn introduce(config: &Config, demo: &Demo, plain: &[SocketAddr], tls: &[SocketAddr], certificate: &Certificate) {
    match config.log_format {
        LogFormat::Text => {
            let text = demo.introduction(&config.data, plain.first(), tls.first(), certificate.path());
            eprint!("{}", text.as_str());
        }
        // Log lines are kept and passed on: no password in them.
        LogFormat::Json => tracing::info!(
            "made an account `demo`; set its password with `imapd --data {} user passwd demo`",
            config.data.display()
        ),
    }
}

/// A connection is a file; the soft limit of 1,024 is from another time.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, limit = limit.current, "the limit on open files stays where it is");
    }
}
