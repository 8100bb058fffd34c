//! A server somewhere on the network.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    self, ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore, SignatureScheme, WantsVerifier,
};

use super::target::{Login, Security, Target};
use crate::stream::BoxedStream;

/// A server at `host:port`.
#[derive(Debug, Clone)]
pub struct Network {
    /// The host and port to connect to.
    pub address: String,
    /// The first account.
    pub first: Login,
    /// The second account.
    pub second: Option<Login>,
    /// How connections are protected.
    pub security: Security,
    /// Whether any certificate will do.
    pub insecure: bool,
    /// Whether INBOX may be changed.
    pub owns_inbox: bool,
}

impl Network {
    /// The host without the port.
    pub(super) fn host(&self) -> &str {
        let host = self
            .address
            .rsplit_once(':')
            .map_or(self.address.as_str(), |(host, _)| host);
        host.trim_start_matches('[').trim_end_matches(']')
    }

    /// What a handshake with it needs: it looks at the certificate, unless any will do.
    ///
    /// # Errors
    /// There is no TLS to be had.
    pub(super) fn tls_config(&self) -> io::Result<ClientConfig> {
        if self.insecure {
            return any_config();
        }
        let mut roots = RootCertStore::empty();
        for certificate in rustls_native_certs::load_native_certs().certs {
            // A root that cannot be read vouches for nobody; the others do.
            let _ = roots.add(certificate);
        }
        Ok(builder()?.with_root_certificates(roots).with_no_client_auth())
    }
}

fn builder() -> io::Result<ConfigBuilder<ClientConfig, WantsVerifier>> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    builder.with_safe_default_protocol_versions().map_err(io::Error::other)
}

fn any_config() -> io::Result<ClientConfig> {
    let any = Arc::new(AnyCertificate(ring::default_provider()));
    let config = builder()?.dangerous().with_custom_certificate_verifier(any);
    Ok(config.with_no_client_auth())
}

/// The client's side of a TLS handshake with a server of this name, whatever its certificate.
///
/// # Errors
/// It fails.
pub async fn any_certificate(host: &str, stream: BoxedStream) -> io::Result<BoxedStream> {
    handshake(any_config()?, host, stream).await
}

async fn handshake(config: ClientConfig, host: &str, stream: BoxedStream) -> io::Result<BoxedStream> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    Ok(Box::new(
        TlsConnector::from(Arc::new(config)).connect(name, stream).await?,
    ))
}

#[async_trait]
impl Target for Network {
    fn name(&self) -> String {
        self.address.clone()
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
        self.owns_inbox
    }

    async fn connect(&self) -> io::Result<BoxedStream> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let stream: BoxedStream = Box::new(stream);
        if self.security == Security::Tls {
            self.handshake(stream).await
        } else {
            Ok(stream)
        }
    }

    async fn handshake(&self, stream: BoxedStream) -> io::Result<BoxedStream> {
        handshake(self.tls_config()?, self.host(), stream).await
    }
}

/// Takes any certificate, as test servers have that nobody vouches for. That the server has its key is still proved.
#[derive(Debug)]
struct AnyCertificate(CryptoProvider);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
