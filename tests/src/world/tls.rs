//! A certificate for one test, and a client that trusts it alone.

use std::sync::Arc;

use imap_server::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use imap_server::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::TlsConnector;

use crate::stream::BoxedStream;

/// A self-signed certificate for `localhost`.
pub struct Certificate {
    der: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Certificate {
    /// A new one.
    ///
    /// # Panics
    /// It cannot be made.
    pub fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        Self {
            der: made.cert.der().clone(),
            key: PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into()),
        }
    }

    /// What a server needs.
    ///
    /// # Panics
    /// The certificate is not good.
    pub fn server(&self) -> Arc<ServerConfig> {
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![self.der.clone()], self.key.clone_key());
        Arc::new(config.expect("the certificate and its key"))
    }

    /// The client's side of the handshake.
    ///
    /// # Panics
    /// It fails.
    pub async fn handshake(&self, stream: BoxedStream) -> BoxedStream {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).expect("a root");
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").expect("a name");
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        Box::new(stream.expect("the handshake"))
    }
}

impl Default for Certificate {
    fn default() -> Self {
        Self::new()
    }
}
