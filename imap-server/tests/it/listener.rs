//! Real sockets.

use std::time::Duration;

use imap_server::prelude::*;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::client::CAPS;
use crate::fake::Fake;

#[tokio::test]
async fn a_listener_serves_until_the_shutdown() {
    let server = Server::new(Fake::new(1));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn({
        let server = server.clone();
        async move { server.serve_listener(listener, Tls::None).await }
    });
    let mut c = BufReader::new(TcpStream::connect(address).await.unwrap());
    let mut line = String::new();
    c.read_line(&mut line).await.unwrap();
    // Both ends are loopback addresses.
    assert_eq!(line, format!("* OK [CAPABILITY {CAPS}] Ready\r\n"));
    c.write_all(b"a LOGIN demo secret\r\nb SELECT INBOX\r\nc FETCH 1 BODY[]\r\n")
        .await
        .unwrap();
    loop {
        line.clear();
        c.read_line(&mut line).await.unwrap();
        if line.starts_with("c ") {
            break;
        }
    }
    assert_eq!(line, "c OK FETCH completed\r\n");
    assert_eq!(server.handle().sessions()[0].peer, c.get_ref().local_addr().ok());
    let handle = server.handle();
    let shutdown = tokio::spawn(async move { handle.shutdown("Goodbye", Duration::from_secs(10)).await });
    let mut rest = String::new();
    c.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "* BYE Goodbye\r\n");
    drop(c);
    assert_eq!(shutdown.await.unwrap(), 0);
    serving.await.unwrap().unwrap();
}
