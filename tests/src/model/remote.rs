//! A server somewhere, spoken to over TCP, with TLS or without.

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use super::rule::{Broken, Checked, Rule, broken, check};
use super::wire::{DEADLINE, Wire};
use crate::stream::BoxedStream;

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Security {
    /// Not at all.
    #[default]
    Plain,
    /// TLS from the first octet (RFC 8314 3.2). The certificate is not checked.
    Tls,
    /// STARTTLS (RFC 3501 6.2.1). The certificate is not checked.
    StartTls,
}

/// A server at `host:port`, and an account of it.
#[derive(Debug, Clone)]
pub struct Remote {
    /// `host:port`
    pub address: String,
    /// How connections are protected.
    pub security: Security,
    /// The account's name.
    pub user: String,
    /// Its password.
    pub password: String,
    /// Capabilities that are not to be used, though the server has them: to go on behind what is known to be wrong with it.
    pub without: Vec<String>,
}

impl Remote {
    /// A connection on which the user is logged in.
    pub(super) async fn connect(&self) -> Checked<Wire> {
        let gone = |e: std::io::Error| Broken {
            rule: Rule::Unreachable,
            why: format!("no connection to {}: {e}", self.address),
        };
        let connected = timeout(DEADLINE, TcpStream::connect(&self.address)).await;
        let stream = connected.unwrap_or_else(|late| Err(late.into())).map_err(gone)?;
        stream.set_nodelay(true).map_err(gone)?;
        let mut wire = match self.security {
            Security::Tls => Wire::new(self.handshake(Box::new(stream)).await.map_err(gone)?),
            _ => Wire::new(Box::new(stream)),
        };
        wire.response().await?;
        if self.security == Security::StartTls {
            let (_, answer) = wire.ask("tls", "STARTTLS").await?;
            check(Rule::Answer, answer.starts_with("OK"), || {
                format!("STARTTLS is answered {answer}")
            })?;
            wire = Wire::new(self.handshake(wire.into_stream()).await.map_err(gone)?);
        }
        login(&mut wire, &self.user, &self.password).await?;
        Ok(wire)
    }

    async fn handshake(&self, stream: BoxedStream) -> std::io::Result<BoxedStream> {
        let host = self.address.rsplit_once(':').map_or(&*self.address, |(host, _)| host);
        let host = host.trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host).map_err(std::io::Error::other)?;
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(std::io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        Ok(Box::new(stream))
    }
}

/// Logs in, after the greeting.
pub(super) async fn login(wire: &mut Wire, user: &str, password: &str) -> Checked {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let words = format!("LOGIN {} {}", quoted(user), quoted(password));
    let (_, answer) = wire.ask("login", &words).await?;
    match answer.starts_with("OK") {
        true => Ok(()),
        false => broken(Rule::Answer, format!("LOGIN of {user} is answered {answer}")),
    }
}

/// Takes every certificate: whom we speak to is not what is tested.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{Remote, Rule, Security, Stress, Target, stress};

    #[test]
    fn a_server_that_cannot_be_reached_breaks_no_rule_of_imap() {
        let nowhere = Remote {
            // Nobody listens at port 0.
            address: "127.0.0.1:0".to_owned(),
            security: Security::Plain,
            user: "demo".to_owned(),
            password: "secret".to_owned(),
            without: Vec::new(),
        };
        let failure = stress(&Target::remote(nowhere), Stress::default(), |_| {}).unwrap_err();
        assert_eq!(failure.rule, Rule::Unreachable);
        let shown = failure.to_string();
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(
            [lines[0], lines[lines.len() - 1]],
            [
                "seed 0: the server cannot be reached (RFC 3501 2.1)",
                "repeat: MODEL_SEED=0 cargo test -p imap-compliance --test model over_the_wire # with MODEL_REMOTE=127.0.0.1:0"
            ]
        );
        assert_eq!(lines.len(), 3, "{shown}");
    }
}
