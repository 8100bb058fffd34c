//! A socket that acknowledges at once what was received and has no answer yet.
//!
//! Many clients send a literal and the rest of the command by two writes, and leave Nagle's algorithm on (Python's imaplib
//! among them): the second waits in the client's kernel until the first is acknowledged, and our kernel puts that off for
//! 40 ms, hoping for an answer that takes it along. There is none before the command is whole.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A stream whose peer can be told that everything has come so far.
pub(crate) trait Acknowledge {
    /// Sends the acknowledgement that is put off, if there is one. In vain where that cannot be done.
    fn acknowledge(&self);
}

impl Acknowledge for TcpStream {
    fn acknowledge(&self) {
        // It costs 40 ms at most if it fails.
        #[cfg(target_os = "linux")]
        let _ = socket2::SockRef::from(self).set_tcp_quickack(true);
    }
}

/// The stream, and what was received since the last was sent.
pub(crate) struct Prompt<S> {
    stream: S,
    unanswered: usize,
    acknowledged: bool,
}

/// Of more than this that comes in one go single pieces are not acknowledged: it would have the sender send smaller ones, and
/// 40 ms matter less.
const BULK: usize = 128 * 1024;

impl<S> Prompt<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            unanswered: 0,
            acknowledged: true,
        }
    }

    /// What is sent acknowledges what was received.
    fn answered(&mut self) {
        (self.unanswered, self.acknowledged) = (0, true);
    }
}

impl<S: AsyncRead + Acknowledge + Unpin> AsyncRead for Prompt<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        let received = buf.filled().len().saturating_sub(before);
        if received > 0 {
            self.unanswered = self.unanswered.saturating_add(received);
            self.acknowledged = self.unanswered > BULK;
        } else if polled.is_pending() && !std::mem::replace(&mut self.acknowledged, true) {
            self.stream.acknowledge();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Prompt<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        self.answered();
        Pin::new(&mut self.stream).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.answered();
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    struct Counted(DuplexStream, Cell<usize>);

    impl Acknowledge for Counted {
        fn acknowledge(&self) {
            self.1.set(self.1.get() + 1);
        }
    }

    impl AsyncRead for Counted {
        fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_read(cx, buf)
        }
    }

    impl AsyncWrite for Counted {
        fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.0).poll_write(cx, octets)
        }
        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(cx)
        }
        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(cx)
        }
    }

    /// Waits for more, which does not come.
    async fn waits(stream: &mut Prompt<Counted>) -> usize {
        let mut octets = [0; 8];
        tokio::select! {
            biased;
            read = stream.read(&mut octets) => panic!("{read:?}"),
            () = std::future::ready(()) => stream.stream.1.get(),
        }
    }

    #[tokio::test]
    async fn what_has_no_answer_is_acknowledged_once_before_more_is_waited_for() {
        let (mut client, server) = duplex(64);
        let mut server = Prompt::new(Counted(server, Cell::new(0)));
        assert_eq!(waits(&mut server).await, 0, "nothing has come");
        client.write_all(b"literal").await.unwrap();
        let mut octets = [0; 7];
        server.read_exact(&mut octets[..3]).await.unwrap();
        server.read_exact(&mut octets[..4]).await.unwrap();
        assert_eq!(server.stream.1.get(), 0, "there may be more at once");
        assert_eq!(waits(&mut server).await, 1);
        assert_eq!(waits(&mut server).await, 1);
        client.write_all(b"end").await.unwrap();
        server.read_exact(&mut octets[..3]).await.unwrap();
        server.write_all(b"done").await.unwrap();
        assert_eq!(waits(&mut server).await, 1, "the answer took it along");
    }

    #[tokio::test]
    async fn pieces_of_much_that_comes_in_one_go_are_not_acknowledged() {
        let (mut client, server) = duplex(64 * 1024);
        let mut server = Prompt::new(Counted(server, Cell::new(0)));
        let mut octets = vec![0; 64 * 1024];
        let mut said = Vec::new();
        for _ in 0..4 {
            client.write_all(&vec![b'x'; 64 * 1024]).await.unwrap();
            server.read_exact(&mut octets).await.unwrap();
            said.push(waits(&mut server).await);
        }
        assert_eq!(said, [1, 2, 2, 2]);
        server.write_all(b"done").await.unwrap();
        client.write_all(b"next").await.unwrap();
        server.read_exact(&mut octets[..4]).await.unwrap();
        assert_eq!(waits(&mut server).await, 3);
    }
}
