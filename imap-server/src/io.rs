//! The two directions of a connection's stream: when a read costs no memory, and how long a peer may take none of our octets.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use imap_core::Connection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{sleep, timeout};

use crate::registry::Entry;

/// What a connection runs over.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A stream that both directions hold. Both live in one task, so the lock is never waited for.
#[derive(Clone)]
struct Socket(Arc<Mutex<Box<dyn Duplex>>>);

impl Socket {
    fn poll<T>(&self, f: impl FnOnce(Pin<&mut (dyn Duplex + 'static)>) -> T) -> T {
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        f(Pin::new(&mut **stream))
    }
}

/// The direction from the client.
pub(crate) struct Rx {
    socket: Socket,
    /// Read while a backend was at work.
    ahead: BytesMut,
    /// The client has closed its side.
    eof: bool,
    /// Octets received, for the log.
    pub(crate) octets: u64,
}

/// The direction to the client.
pub(crate) struct Tx {
    socket: Socket,
    entry: Arc<Entry>,
    stall: Duration,
    /// What went wrong while a backend waited for room.
    pub(crate) broken: Option<io::Error>,
    /// Octets sent, for the log.
    pub(crate) octets: u64,
}

/// Both directions of a stream.
pub(crate) fn split(stream: Box<dyn Duplex>, entry: Arc<Entry>, stall: Duration) -> (Rx, Tx) {
    let socket = Socket(Arc::new(Mutex::new(stream)));
    let rx = Rx {
        socket: socket.clone(),
        ahead: BytesMut::new(),
        eof: false,
        octets: 0,
    };
    let tx = Tx {
        socket,
        entry,
        stall,
        broken: None,
        octets: 0,
    };
    (rx, tx)
}

impl Rx {
    /// Gives what the client sent next to where commands are parsed; 0 is the end. No buffer is held while waiting: octets
    /// pass over the stack. Cancel safe.
    pub(crate) async fn read(&mut self, core: &mut Connection) -> io::Result<usize> {
        poll_fn(|cx| self.poll_read_into(cx, core)).await
    }

    fn poll_read_into(&mut self, cx: &mut Context<'_>, core: &mut Connection) -> Poll<io::Result<usize>> {
        if !self.ahead.is_empty() {
            return Poll::Ready(Ok(self.take_ahead(core)));
        }
        self.poll_socket::<READ>(cx, |octets| core.input().extend_from_slice(octets))
    }

    fn poll_socket<const N: usize>(
        &mut self,
        cx: &mut Context<'_>,
        take: impl FnOnce(&[u8]),
    ) -> Poll<io::Result<usize>> {
        let mut space = [const { MaybeUninit::<u8>::uninit() }; N];
        let mut space = ReadBuf::uninit(&mut space);
        ready!(self.poll_read(cx, &mut space))?;
        take(space.filled());
        Poll::Ready(Ok(space.filled().len()))
    }

    /// Reads past all buffers, for the octets of a literal. Nothing may have been read ahead.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.eof {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        ready!(self.socket.poll(|s| s.poll_read(cx, buf)))?;
        let read = buf.filled().len() - before;
        self.octets += read as u64;
        self.eof = read == 0 && buf.remaining() > 0;
        Poll::Ready(Ok(()))
    }

    /// Moves what was read ahead to where commands are parsed; how much that was.
    pub(crate) fn take_ahead(&mut self, core: &mut Connection) -> usize {
        let ahead = std::mem::take(&mut self.ahead);
        if !ahead.is_empty() {
            core.input().extend_from_slice(&ahead);
        }
        ahead.len()
    }

    /// Takes what has arrived already, without waiting; whether anything had. An error or the end shows again at the next
    /// proper read.
    pub(crate) async fn read_what_is_there(&mut self, core: &mut Connection) -> bool {
        poll_fn(|cx| {
            let read = self.poll_read_into(cx, core);
            Poll::Ready(matches!(read, Poll::Ready(Ok(octets)) if octets > 0))
        })
        .await
    }

    /// Reads and forgets, to the end or up to a bound.
    pub(crate) async fn discard(&mut self) {
        let mut left = DISCARD;
        while left > 0 && !self.eof {
            match poll_fn(|cx| self.poll_socket::<READ>(cx, |_| ())).await {
                Ok(octets) if octets > 0 => left = left.saturating_sub(octets),
                _ => return,
            }
        }
    }

    /// Waits until the connection is broken. What a client sends meanwhile is kept up to a bound; that it closes its side
    /// breaks nothing, since it may still read. Cancel safe.
    pub(crate) async fn broken(&mut self) -> io::Error {
        poll_fn(|cx| {
            while !self.eof && self.ahead.len() < AHEAD {
                let mut ahead = std::mem::take(&mut self.ahead);
                let read = self.poll_socket::<AHEAD>(cx, |octets| ahead.extend_from_slice(octets));
                self.ahead = ahead;
                if let Err(e) = ready!(read) {
                    return Poll::Ready(e);
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Replaces the stream beneath both directions by what `f` makes of it, and forgets what was read ahead.
    pub(crate) async fn replace<F>(&mut self, f: impl FnOnce(Box<dyn Duplex>) -> F) -> io::Result<()>
    where
        F: Future<Output = io::Result<Box<dyn Duplex>>>,
    {
        self.ahead = BytesMut::new();
        let none: Box<dyn Duplex> = Box::new(tokio::io::empty());
        let old = std::mem::replace(&mut *self.lock(), none);
        let new = f(old).await?;
        *self.lock() = new;
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Box<dyn Duplex>> {
        self.socket.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tx {
    /// Sends all of `out`.
    ///
    /// # Errors
    /// The connection is broken, or the peer took no octet for too long.
    pub(crate) async fn drain(&mut self, out: &mut BytesMut) -> io::Result<()> {
        while !out.is_empty() {
            let written = self.progress(Op::Write(out)).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.octets += written as u64;
            self.entry.progress.fetch_add(1, Ordering::Relaxed);
            out.advance(written);
        }
        self.progress(Op::Flush).await.map(drop)
    }

    /// One step, within the time that a peer has for it; less when the connection has been asked to end.
    async fn progress(&mut self, op: Op<'_>) -> io::Result<usize> {
        let Self {
            socket, entry, stall, ..
        } = self;
        let step = || poll_fn(|cx| socket.poll(|s| op.poll(s, cx)));
        if !entry.stop.is_stopped() {
            tokio::select! {
                biased;
                done = step() => return done,
                () = sleep(*stall) => return Err(io::ErrorKind::TimedOut.into()),
                () = entry.stop.stopped() => {}
            }
        }
        timeout(GRACE, step()).await?
    }

    /// From now on a peer has so long to take an octet.
    pub(crate) fn set_stall(&mut self, stall: Duration) {
        self.stall = stall;
    }

    /// Whether the connection was asked to end.
    pub(crate) fn is_stopped(&self) -> bool {
        self.entry.stop.is_stopped()
    }

    /// Says that nothing more comes, so that the peer reads everything before it.
    pub(crate) async fn close(&mut self) {
        let _ = timeout(GRACE, poll_fn(|cx| self.socket.poll(|s| s.poll_shutdown(cx)))).await;
    }
}

enum Op<'a> {
    Write(&'a [u8]),
    Flush,
}

impl Op<'_> {
    fn poll(&self, stream: Pin<&mut (dyn Duplex + 'static)>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match self {
            Self::Write(octets) => stream.poll_write(cx, octets),
            Self::Flush => stream.poll_flush(cx).map_ok(|()| 0),
        }
    }
}

/// Octets of one read.
const READ: usize = 16 * 1024;
/// Octets read ahead at most while a backend works.
const AHEAD: usize = 4 * 1024;
/// Octets read from a client to which we have said farewell.
const DISCARD: usize = 1 << 20;
/// For a connection that was asked to end: until it is given up.
pub(crate) const GRACE: Duration = Duration::from_secs(5);
