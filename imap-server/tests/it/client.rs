//! The client's end of a conversation: what it sends, and exactly what it must be told.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use imap_server::prelude::*;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::fake::{Fake, LONG};

pub struct Client {
    pub stream: DuplexStream,
    pub task: JoinHandle<()>,
    read: Vec<u8>,
}

/// Two ends on this machine: passwords may be sent.
pub fn loopback() -> ConnInfo {
    ConnInfo::new("127.0.0.1:50000".parse().ok(), "127.0.0.1:143".parse().ok())
}

/// Two ends with a network between them.
pub fn far() -> ConnInfo {
    ConnInfo::new("192.0.2.7:50000".parse().ok(), "192.0.2.1:143".parse().ok())
}

/// What is offered before login on the loopback interface, and after.
pub const CAPS: &str = "IMAP4rev1 AUTH=PLAIN AUTH=LOGIN SASL-IR ID ENABLE IDLE LITERAL+ NAMESPACE UNSELECT UIDPLUS MOVE \
                        CHILDREN SPECIAL-USE CREATE-SPECIAL-USE APPENDLIMIT=1073741824";
pub const CAPS_IN: &str = "IMAP4rev1 SASL-IR ID ENABLE IDLE LITERAL+ NAMESPACE UNSELECT UIDPLUS MOVE \
                           CHILDREN SPECIAL-USE CREATE-SPECIAL-USE APPENDLIMIT=1073741824";

/// The greeting of who may send no password, and may begin TLS or not.
pub fn greeting_without_login(starttls: bool) -> String {
    let starttls = if starttls { "STARTTLS " } else { "" };
    let rest = CAPS_IN.strip_prefix("IMAP4rev1 ").unwrap();
    format!("* OK [CAPABILITY IMAP4rev1 {starttls}LOGINDISABLED {rest}] Ready\r\n")
}

impl Client {
    /// A connection that breaks when told to.
    pub fn breakable(server: &Server<Fake>) -> (Self, Arc<Notify>) {
        let (stream, theirs) = duplex(1 << 20);
        let broken = Arc::new(Notify::new());
        let theirs = Breakable {
            stream: theirs,
            broken: Box::pin(broken.clone().notified_owned()),
            is: false,
        };
        let server = server.clone();
        let task = tokio::spawn(async move { server.serve(theirs, loopback()).await });
        let client = Self {
            stream,
            task,
            read: Vec::new(),
        };
        (client, broken)
    }

    /// A connection over a pipe of so many octets.
    pub fn with_pipe(server: &Server<Fake>, info: ConnInfo, tls: Tls, octets: usize) -> Self {
        let (stream, theirs) = duplex(octets);
        let server = server.clone();
        let task = tokio::spawn(async move { server.serve_tls(theirs, info, tls).await });
        Self {
            stream,
            task,
            read: Vec::new(),
        }
    }

    pub fn new(server: &Server<Fake>) -> Self {
        Self::with_pipe(server, loopback(), Tls::None, 1 << 20)
    }

    /// Greeted.
    pub async fn greeted(server: &Server<Fake>) -> Self {
        let mut client = Self::new(server);
        client.expect(&format!("* OK [CAPABILITY {CAPS}] Ready\r\n")).await;
        client
    }

    /// Logged in.
    pub async fn logged_in(server: &Server<Fake>) -> Self {
        let mut client = Self::greeted(server).await;
        client.send("in LOGIN demo secret\r\n").await;
        client
            .expect(&format!("in OK [CAPABILITY {CAPS_IN}] Logged in\r\n"))
            .await;
        client
    }

    /// INBOX is selected, or examined.
    pub async fn in_mailbox(server: &Server<Fake>, command: &str) -> Self {
        let mut client = Self::logged_in(server).await;
        client.send(&format!("sel {command} INBOX\r\n")).await;
        client.skip_to("sel OK").await;
        server.backend().calls();
        client
    }

    pub async fn selected(server: &Server<Fake>) -> Self {
        Self::in_mailbox(server, "SELECT").await
    }

    pub async fn send(&mut self, text: impl AsRef<[u8]>) {
        self.stream.write_all(text.as_ref()).await.unwrap();
    }

    /// Exactly this comes next.
    pub async fn expect(&mut self, text: &str) {
        while self.read.len() < text.len() && self.more().await {}
        let got = self.read.drain(..text.len().min(self.read.len())).collect::<Vec<_>>();
        assert_eq!(String::from_utf8_lossy(&got), text);
    }

    /// Nothing comes.
    pub async fn quiet(&mut self) {
        let more = timeout(Duration::from_millis(1), self.more()).await;
        assert_eq!(String::from_utf8_lossy(&self.read), "", "{more:?}");
    }

    /// Nothing comes any more, and the connection is closed.
    pub async fn expect_end(&mut self) {
        while self.more().await {}
        assert_eq!(String::from_utf8_lossy(&self.read), "");
    }

    /// Lines up to and with one that starts like this.
    pub async fn skip_to(&mut self, start: &str) -> String {
        loop {
            let line = self.line().await;
            if line.starts_with(start) {
                return line;
            }
        }
    }

    pub async fn line(&mut self) -> String {
        loop {
            if let Some(at) = self.read.iter().position(|b| *b == b'\n') {
                return String::from_utf8_lossy(&self.read.drain(..=at).collect::<Vec<_>>()).into_owned();
            }
            assert!(
                self.more().await,
                "the connection ended: {:?}",
                String::from_utf8_lossy(&self.read)
            );
        }
    }

    async fn more(&mut self) -> bool {
        let read = timeout(LONG, self.stream.read_buf(&mut self.read))
            .await
            .expect("nothing came in a day");
        read.unwrap() > 0
    }

    /// A conversation: `C:` is sent, `S:` must come, exactly, and nothing more than that.
    pub async fn talk(&mut self, lines: &str) {
        for line in lines.lines().map(str::trim_start).filter(|l| !l.is_empty()) {
            if let Some(line) = line.strip_prefix("C: ") {
                self.quiet().await;
                self.send(&format!("{line}\r\n")).await;
            } else if let Some(line) = line.strip_prefix("S: ") {
                self.expect(&format!("{line}\r\n")).await;
            } else {
                panic!("neither C: nor S: {line}");
            }
        }
        self.quiet().await;
    }

    /// The server's task has ended.
    pub async fn ended(self) {
        self.task.await.unwrap();
    }
}

/// A stream that fails from a moment on, as one does whose peer is gone.
struct Breakable {
    stream: DuplexStream,
    broken: Pin<Box<OwnedNotified>>,
    is: bool,
}

impl Breakable {
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        self.is = self.is || self.broken.as_mut().poll(cx).is_ready();
        if self.is {
            Err(io::ErrorKind::ConnectionReset.into())
        } else {
            Ok(())
        }
    }
}

impl AsyncRead for Breakable {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Breakable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
