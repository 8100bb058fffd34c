//! The server as an embedder builds it: a backend, its settings, and connections to serve.

use std::sync::Arc;
use std::time::Duration;

use backend_api::{Backend, ConnInfo};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::config::{Caps, Config, MIN_AUTOLOGOUT, PollPolicy, Times};
use crate::connection;
use crate::handle::Handle;
use crate::registry::Registry;
use crate::tls::Tls;

/// An IMAP server over a backend. Cloning it is cheap and gives the same server.
pub struct Server<B: Backend> {
    pub(crate) shared: Arc<Shared<B>>,
}

/// What all connections of a server have in common.
pub(crate) struct Shared<B> {
    pub(crate) backend: B,
    pub(crate) config: Config,
    /// What the protocol core is set to, where STARTTLS is offered and where not.
    pub(crate) core: [Arc<imap_core::Config>; 2],
    pub(crate) registry: Arc<Registry>,
}

impl<B> Shared<B> {
    pub(crate) fn core(&self, starttls: bool) -> &Arc<imap_core::Config> {
        let [without, with] = &self.core;
        if starttls { with } else { without }
    }
}

impl<B: Backend> Server<B> {
    /// A server of this backend, to be set up and built.
    pub fn builder(backend: B) -> Builder<B> {
        Builder {
            backend,
            config: Config::default(),
            core: imap_core::Config::default(),
        }
    }

    /// A server of this backend with all settings at their defaults.
    pub fn new(backend: B) -> Self {
        Self::builder(backend).build()
    }

    /// Serves one connection over any stream until it ends, without TLS of our own: set [`ConnInfo::tls`] where the stream
    /// is encrypted already. Passwords are taken when it is, when both ends are loopback addresses, or when
    /// [`insecure_auth`](Builder::insecure_auth) was set.
    ///
    /// A panic in the backend ends this connection alone.
    ///
    /// # Cancel safety
    /// Dropping the future cuts the connection off. What a backend was handed is done, or not begun.
    pub async fn serve<S>(&self, stream: S, info: ConnInfo)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.serve_tls(stream, info, Tls::None).await;
    }

    /// The same with TLS of ours: from the start, or offered by STARTTLS.
    ///
    /// # Cancel safety
    /// As [`serve`](Server::serve).
    pub async fn serve_tls<S>(&self, stream: S, info: ConnInfo, tls: Tls)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Box::pin(connection::serve(self.shared.clone(), Box::new(stream), info, tls)).await;
    }

    /// To see who is connected, to disconnect, and to shut down.
    pub fn handle(&self) -> Handle {
        Handle {
            registry: self.shared.registry.clone(),
        }
    }

    /// The backend.
    pub fn backend(&self) -> &B {
        &self.shared.backend
    }
}

impl<B: Backend> Clone for Server<B> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
        }
    }
}

impl<B: Backend> std::fmt::Debug for Server<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("config", &self.shared.config)
            .finish_non_exhaustive()
    }
}

/// Settings of a [`Server`]. Each has a default that is right for most.
#[derive(Debug)]
#[must_use]
pub struct Builder<B> {
    backend: B,
    config: Config,
    core: imap_core::Config,
}

impl<B: Backend> Builder<B> {
    /// After which commands changes made by others are told. Default: all that allow it.
    pub fn poll_policy(mut self, policy: PollPolicy) -> Self {
        self.config.poll = policy;
        self
    }

    /// Takes passwords without TLS over any network. For tests and trusted networks alone. Default: no.
    pub fn insecure_auth(mut self, yes: bool) -> Self {
        self.core.insecure_auth = yes;
        self
    }

    /// How long things may take; the autologout is raised to 30 minutes where it is below (RFC 3501 5.4), the keep-alive to
    /// a second.
    pub fn times(mut self, times: Times) -> Self {
        self.config.times = times;
        let times = &mut self.config.times;
        times.autologout = times.autologout.max(MIN_AUTOLOGOUT);
        times.keep_alive = times.keep_alive.max(Duration::from_secs(1));
        self
    }

    /// How long a failed login waits for its answer. Default: 1.5 s.
    pub fn failed_login_delay(mut self, delay: Duration) -> Self {
        self.config.times.failed_login = delay;
        self
    }

    /// How many connections there may be at once. Default: see [`Caps`].
    pub fn caps(mut self, caps: Caps) -> Self {
        self.config.caps = caps;
        self
    }

    /// What a client can make the protocol core keep or do. Default: see [`Limits`](imap_core::Limits).
    pub fn limits(mut self, limits: imap_core::Limits) -> Self {
        self.core.limits = limits;
        self
    }

    /// Does not offer a capability, such as `"IDLE"` or `"AUTH=LOGIN"`. Capabilities can only be taken away: what the
    /// server can do is what it offers.
    pub fn without_capability(mut self, name: &str) -> Self {
        self.core.disabled.insert(name.to_ascii_uppercase());
        self
    }

    /// What ID answers (RFC 2971), instead of `name` alone.
    pub fn id<K: Into<String>, V: Into<String>>(mut self, fields: impl IntoIterator<Item = (K, V)>) -> Self {
        self.config.id = fields.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        self
    }

    /// The server.
    pub fn build(self) -> Server<B> {
        let with = imap_core::Config {
            starttls: true,
            ..self.core.clone()
        };
        let without = imap_core::Config {
            starttls: false,
            ..self.core
        };
        Server {
            shared: Arc::new(Shared {
                backend: self.backend,
                config: self.config,
                core: [Arc::new(without), Arc::new(with)],
                registry: Arc::new(Registry::default()),
            }),
        }
    }
}
