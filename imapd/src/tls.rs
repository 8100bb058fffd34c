//! The server's certificate: read and checked, exchanged while the server runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, ServerConfig};

use crate::failure::Failure;

/// A certificate and its key in two files, and what was last read from them.
#[derive(Debug)]
pub(crate) struct Certificate {
    cert: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    current: ArcSwap<CertifiedKey>,
}

impl Certificate {
    /// Reads both files.
    ///
    /// # Errors
    /// One of them cannot be read, holds something else, or they do not belong together.
    pub(crate) fn read(cert: PathBuf, key: PathBuf) -> Result<Arc<Self>, Failure> {
        let provider = Arc::new(ring::default_provider());
        let current = ArcSwap::new(read(&cert, &key, &provider)?);
        Ok(Arc::new(Self {
            cert,
            key,
            provider,
            current,
        }))
    }

    /// Reads both files again: connections made from now on see what they hold.
    ///
    /// # Errors
    /// As [`read`](Certificate::read); then nothing changes.
    pub(crate) fn reload(&self) -> Result<(), Failure> {
        self.current.store(read(&self.cert, &self.key, &self.provider)?);
        Ok(())
    }

    /// The certificate's file.
    pub(crate) fn path(&self) -> &Path {
        &self.cert
    }

    /// What a listener needs.
    ///
    /// # Errors
    /// This machine gives no random numbers.
    pub(crate) fn server_config(self: &Arc<Self>) -> Result<Arc<ServerConfig>, Failure> {
        let failed = |e: rustls::Error| Failure::new(format!("TLS cannot be set up: {e}"));
        let mut config = ServerConfig::builder_with_provider(self.provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        // A client that names protocols and not this one was led here by somebody else (RFC 9325 3.7).
        config.alpn_protocols = vec![b"imap".to_vec()];
        config.ticketer = ring::Ticketer::new().map_err(failed)?;
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

fn read(cert: &Path, key: &Path, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, Failure> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .map_err(|e| not_pem("certificate", cert, &e))?;
    if chain.is_empty() {
        let wrong = "holds no certificate; it must be PEM, with -----BEGIN CERTIFICATE-----";
        return Err(Failure::new(format!("{} {wrong}", cert.display())));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|e| not_pem("private key", key, &e))?;
    let certified = CertifiedKey::from_der(chain, secret, provider).map_err(|e| match e {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => Failure::new(format!(
            "the private key {} does not belong to the certificate {}; is the server's own certificate the first in its file?",
            key.display(),
            cert.display()
        )),
        rustls::Error::InvalidCertificate(e) => {
            Failure::new(format!("the certificate {} is damaged: {e}", cert.display()))
        }
        e => Failure::new(format!("the private key {} cannot be used: {e}", key.display())),
    })?;
    warn_if_readable(key);
    Ok(Arc::new(certified))
}

fn not_pem(what: &str, path: &Path, error: &pem::Error) -> Failure {
    let path = path.display();
    Failure::new(match error {
        pem::Error::Io(e) => format!("the {what} {path} cannot be read: {e}"),
        pem::Error::NoItemsFound => format!("{path} holds no {what} in PEM form (-----BEGIN …-----)"),
        e => format!("the {what} {path} is not valid PEM: {e}"),
    })
}

/// Whoever reads the key can pose as this server.
fn warn_if_readable(key: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(key).map_or(0, |m| m.permissions().mode());
    if mode & 0o004 != 0 {
        tracing::warn!(key = %key.display(), "everybody on this machine can read the private key: chmod o= it");
    }
}
