//! Clients that do not read, and answers that go out in as few writes as they can.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use imap_compliance::stream::BoxedStream;
use imap_compliance::world::loopback;
use imap_compliance::{Client, Kind, World};
use imap_server::Tls;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

imap_compliance::claims! {
    every: [a_client_that_does_not_read_is_not_read_from],
    writable: [a_client_that_does_not_read_delays_nobody_else],
}

/// R3501-078
async fn a_client_that_does_not_read_delays_nobody_else(world: World) {
    let big = format!("Subject: big\r\n\r\n{}", "x".repeat(8 << 20));
    let mut c = world.login().await;
    c.says(format!("a APPEND INBOX {{{}+}}\r\n{big}", big.len())).await;
    c.hears("a OK [APPENDUID <v> 8] <text>").await;
    let mut sleeper = world.login().await;
    sleeper.says("a SELECT INBOX").await;
    while !sleeper.response().await.starts_with(b"a OK ") {}
    sleeper
        .says("b FETCH 5 BODY.PEEK[]\r\nc FETCH 5 BODY.PEEK[]\r\nd FETCH 5 BODY.PEEK[]")
        .await;
    let mut other = world.login().await;
    other.says("a SELECT INBOX").await;
    while !other.response().await.starts_with(b"a OK ") {}
    for _ in 0..20 {
        other.talks(r"C: b STORE 5 +FLAGS.SILENT (\Seen)").await;
        other.hears("b OK <text>").await;
        other.talks(r"C: c STORE 5 -FLAGS.SILENT (\Seen)").await;
        other.hears("c OK <text>").await;
    }
    other.talks(r"C: d STORE 1:5 +FLAGS.SILENT (\Deleted)").await;
    other.hears("d OK <text>").await;
    other.says("e EXPUNGE").await;
    while !other.response().await.starts_with(b"e OK ") {}
    // What was being read goes on to its end.
    for tag in ["b", "c", "d"] {
        let told = sleeper.response().await;
        assert!(
            told.len() > 8 << 20 || told.starts_with(tag.as_bytes()),
            "{} octets",
            told.len()
        );
        if told.len() > 8 << 20 {
            while !sleeper.response().await.starts_with(tag.as_bytes()) {}
        }
    }
}

/// Of 40 MB of commands no more is taken than fits into the buffers, until somebody reads the answers.
async fn a_client_that_does_not_read_is_not_read_from(world: World) {
    let mut stream = world.stream(loopback(), Tls::None);
    stream.write_all(b"a LOGIN demo secret\r\n").await.unwrap();
    let commands = "b CAPABILITY\r\n".repeat(10_000);
    let mut taken = 0;
    // Where time is paused this is over as soon as nothing moves any more.
    while timeout(Duration::from_millis(300), stream.write_all(commands.as_bytes()))
        .await
        .is_ok()
    {
        taken += commands.len();
        assert!(taken < 40 << 20, "40 MB were taken and nothing was read");
    }
    assert!(taken < 4 << 20, "{taken} octets were taken and nothing was read");
    let mut read = vec![0; 64 * 1024];
    assert!(stream.read(&mut read).await.unwrap() > 0);
}

/// Counts how often the server writes.
struct Counting {
    inner: tokio::io::DuplexStream,
    reads: Arc<AtomicUsize>,
}

impl AsyncRead for Counting {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        if polled.is_ready() {
            self.reads.fetch_add(1, Ordering::Relaxed);
        }
        polled
    }
}

impl AsyncWrite for Counting {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, octets)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// With a client that takes all there is at each chance, answers of a batch come in one piece.
#[tokio::test(start_paused = true)]
async fn a_batch_is_answered_in_one_write() {
    let world = World::new(Kind::Memory).await;
    let reads = Arc::new(AtomicUsize::new(0));
    let inner = world.stream(loopback(), Tls::None);
    let mut c = Client::new(Box::new(Counting {
        inner,
        reads: reads.clone(),
    }) as BoxedStream);
    c.hears("* OK [CAPABILITY <list>] <text>").await;
    c.talks("C: a LOGIN demo secret\n S: a OK [CAPABILITY <list>] <text>\n C: a EXAMINE INBOX")
        .await;
    c.hears(&world.selected_lines("a", "READ-ONLY")).await;
    reads.store(0, Ordering::Relaxed);
    c.says("b FETCH 1:4 (UID FLAGS)\r\nc NOOP\r\nd FETCH 1:4 (UID)\r\ne NOOP")
        .await;
    while !c.response().await.starts_with(b"e OK ") {}
    let pieces = reads.load(Ordering::Relaxed);
    // The buffer of a reader grows, so that one write may be read in a few pieces; a write a line would be eleven.
    assert!(pieces <= 4, "{pieces} pieces");
}
