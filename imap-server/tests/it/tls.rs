//! Implicit TLS and STARTTLS.

use std::sync::Arc;
use std::time::Duration;

use imap_server::prelude::*;
use imap_server::rustls;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::{CAPS, CAPS_IN, Client, far, greeting_without_login};
use crate::fake::Fake;

fn configs() -> (Arc<rustls::ServerConfig>, TlsConnector) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let cert: CertificateDer<'static> = made.cert.der().clone();
    let server = server_config(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(cert).unwrap();
    let client = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (server, TlsConnector::from(Arc::new(client)))
}

async fn connect(connector: &TlsConnector, stream: DuplexStream) -> BufReader<TlsStream<DuplexStream>> {
    let name = ServerName::try_from("localhost").unwrap();
    BufReader::new(connector.connect(name, stream).await.unwrap())
}

async fn line(stream: &mut BufReader<TlsStream<DuplexStream>>) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    line
}

fn over_a_pipe(server: &Server<Fake>, tls: Tls) -> DuplexStream {
    let (ours, theirs) = duplex(1 << 16);
    let server = server.clone();
    tokio::spawn(async move { server.serve_tls(theirs, far(), tls).await });
    ours
}

#[tokio::test(start_paused = true)]
async fn with_implicit_tls_a_password_is_taken_from_afar() {
    let (config, connector) = configs();
    let server = Server::new(Fake::new(0));
    let mut c = connect(&connector, over_a_pipe(&server, Tls::Implicit(config))).await;
    assert_eq!(line(&mut c).await, format!("* OK [CAPABILITY {CAPS}] Ready\r\n"));
    c.write_all(b"a LOGIN demo secret\r\n").await.unwrap();
    c.flush().await.unwrap();
    assert_eq!(line(&mut c).await, format!("a OK [CAPABILITY {CAPS_IN}] Logged in\r\n"));
    assert!(server.handle().sessions()[0].tls);
    c.write_all(b"b LOGOUT\r\n").await.unwrap();
    c.flush().await.unwrap();
    assert_eq!(line(&mut c).await, "* BYE Logging out\r\n");
    assert_eq!(line(&mut c).await, "b OK LOGOUT completed\r\n");
    assert_eq!(c.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn starttls_changes_the_capabilities_and_lets_passwords_through() {
    let (config, connector) = configs();
    let server = Server::new(Fake::new(0));
    let mut c = Client::with_pipe(&server, far(), Tls::StartTls(config), 1 << 16);
    c.expect(&greeting_without_login(true)).await;
    c.talk("C: a STARTTLS\nS: a OK Begin TLS negotiation now").await;
    let mut c = connect(&connector, c.stream).await;
    c.write_all(b"b CAPABILITY\r\nc STARTTLS\r\nd LOGIN demo secret\r\n")
        .await
        .unwrap();
    c.flush().await.unwrap();
    assert_eq!(line(&mut c).await, format!("* CAPABILITY {CAPS}\r\n"));
    assert_eq!(line(&mut c).await, "b OK CAPABILITY completed\r\n");
    assert_eq!(line(&mut c).await, "c BAD TLS is active already\r\n");
    assert_eq!(line(&mut c).await, format!("d OK [CAPABILITY {CAPS_IN}] Logged in\r\n"));
}

#[tokio::test(start_paused = true)]
async fn octets_in_front_of_the_handshake_are_forgotten() {
    let (config, connector) = configs();
    let server = Server::new(Fake::new(0));
    let mut c = Client::with_pipe(&server, far(), Tls::StartTls(config), 1 << 16);
    c.line().await;
    c.send("a STARTTLS\r\nx CREATE injected\r\ny NOOP").await;
    c.expect("a OK Begin TLS negotiation now\r\n").await;
    let mut c = connect(&connector, c.stream).await;
    c.write_all(b"b NOOP\r\n").await.unwrap();
    c.flush().await.unwrap();
    assert_eq!(line(&mut c).await, "b OK NOOP completed\r\n");
}

#[tokio::test(start_paused = true)]
async fn without_a_certificate_there_is_no_starttls() {
    let server = Server::new(Fake::new(0));
    let mut c = Client::with_pipe(&server, far(), Tls::None, 1 << 16);
    c.expect(&greeting_without_login(false)).await;
    c.send("a STARTTLS\r\n").await;
    c.expect("a BAD TLS is not available here\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_does_not_come_ends_within_the_minute() {
    let (config, _) = configs();
    let server = Server::new(Fake::new(0));
    for tls in [Tls::Implicit(config.clone()), Tls::StartTls(config)] {
        let start = tokio::time::Instant::now();
        let starttls = matches!(tls, Tls::StartTls(_));
        let mut c = Client::with_pipe(&server, far(), tls, 1 << 16);
        if starttls {
            c.line().await;
            c.talk("C: a STARTTLS\nS: a OK Begin TLS negotiation now").await;
        }
        c.expect_end().await;
        c.ended().await;
        assert_eq!(start.elapsed(), Duration::from_secs(60));
    }
}

#[test]
fn what_is_no_certificate_is_refused() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let (cert, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let other = rcgen::generate_simple_self_signed(vec!["localhost".into()])
        .unwrap()
        .signing_key
        .serialize_pem();
    for (cert, key) in [("", &*key), ("nonsense", &key), (&cert, ""), (&cert, &other)] {
        assert!(server_config(cert.as_bytes(), key.as_bytes()).is_err());
    }
}
