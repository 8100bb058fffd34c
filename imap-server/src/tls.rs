//! TLS: when a connection is encrypted, and the handshake.

use std::io;
use std::sync::Arc;

use tokio::time::{Instant, sleep_until};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::io::Duplex;
use crate::shutdown::Stop;

/// How the connections of a listener are encrypted.
///
/// Certificates are in the [`ServerConfig`], which [`server_config`] makes of files; one with a `cert_resolver` of its own can replace them while it runs.
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

/// What [`Tls`] needs, from a chain of certificates and a private key in PEM form.
///
/// # Errors
/// There is no certificate or no key in them, or they do not belong together.
pub fn server_config(certificates: &[u8], key: &[u8]) -> io::Result<Arc<ServerConfig>> {
    let bad = |why: &dyn std::fmt::Display| io::Error::new(io::ErrorKind::InvalidData, why.to_string());
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates).collect();
    let chain = chain.map_err(|e| bad(&e))?;
    if chain.is_empty() {
        return Err(bad(&"no certificate found"));
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|e| bad(&e))?;
    // Named, because another crate of the build may have brought a second provider, and then there is no default.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = builder
        .map_err(|e| bad(&e))?
        .with_no_client_auth()
        .with_single_cert(chain, key);
    config.map(Arc::new).map_err(|e| bad(&e))
}

/// The server's side of the handshake, until the time for it is up or the connection is asked to end.
///
/// # Errors
/// One of these, or the client went away or speaks no TLS that we do.
pub(crate) async fn handshake(
    config: &Arc<ServerConfig>,
    stream: Box<dyn Duplex>,
    deadline: Instant,
    stop: &Stop,
) -> io::Result<Box<dyn Duplex>> {
    tokio::select! {
        done = TlsAcceptor::from(config.clone()).accept(stream) => Ok(Box::new(done?)),
        () = sleep_until(deadline) => Err(io::ErrorKind::TimedOut.into()),
        () = stop.stopped() => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}
