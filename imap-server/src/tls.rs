//! TLS: when a connection is encrypted, and the handshake.

use std::io;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::io::Duplex;

/// How the connections of a listener are encrypted.
///
/// Certificates are in the [`ServerConfig`]; one with a `cert_resolver` of its own can replace them while it runs.
#[derive(Clone, Default)]
pub enum Tls {
    /// Not at all, and STARTTLS is not offered.
    #[default]
    None,
    /// By STARTTLS, when the client asks for it (port 143).
    StartTls(Arc<ServerConfig>),
    /// From the first octet on (port 993, RFC 8314).
    Implicit(Arc<ServerConfig>),
}

impl Tls {
    /// What STARTTLS needs, where it is offered.
    pub(crate) fn for_starttls(&self) -> Option<&Arc<ServerConfig>> {
        match self {
            Self::StartTls(config) => Some(config),
            Self::None | Self::Implicit(_) => None,
        }
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::StartTls(_) => "StartTls",
            Self::Implicit(_) => "Implicit",
        })
    }
}

/// The server's side of the handshake.
///
/// # Errors
/// The client went away, or speaks no TLS that we do.
pub(crate) async fn handshake(config: &Arc<ServerConfig>, stream: Box<dyn Duplex>) -> io::Result<Box<dyn Duplex>> {
    let stream = TlsAcceptor::from(config.clone()).accept(stream).await?;
    Ok(Box::new(stream))
}
