//! A message literal as a stream of known size: what has been received of it first, then the socket itself.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use imap_core::Connection;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::io::Rx;

/// The present literal of a connection. It ends where the literal ends, whatever follows.
///
/// It fails when the client goes away before that, sends nothing for too long, or the connection is asked to end; and then
/// goes on failing.
pub(crate) struct Literal<'a> {
    core: &'a mut Connection,
    rx: &'a mut Rx,
    stall: Duration,
    last_octet: Instant,
    timer: Pin<Box<Sleep>>,
    stopped: Pin<Box<WaitForCancellationFutureOwned>>,
    failed: Option<Failure>,
    /// A NUL was in it.
    nul: bool,
}

/// Why a literal did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    Closed,
    Broken(io::ErrorKind),
    Stalled,
    Stopped,
}

impl<'a> Literal<'a> {
    pub(crate) fn new(core: &'a mut Connection, rx: &'a mut Rx, stall: Duration, stop: CancellationToken) -> Self {
        Self {
            core,
            rx,
            stall,
            last_octet: Instant::now(),
            timer: Box::pin(sleep(stall)),
            stopped: Box::pin(stop.cancelled_owned()),
            failed: None,
            nul: false,
        }
    }

    /// Reads and forgets what is left. Says whether a NUL was in the literal: none may hold one (R3501-193).
    ///
    /// # Errors
    /// The literal did not come to its end, now or before.
    pub(crate) async fn finish(mut self) -> Result<bool, Failure> {
        let mut waste = Vec::new();
        loop {
            if let Some(failure) = self.failed {
                return Err(failure);
            }
            if self.core.literal_remaining() == 0 {
                return Ok(self.nul);
            }
            waste.resize(WASTE, 0);
            // What fails is remembered.
            let _ = self.read(&mut waste).await;
        }
    }

    fn fail(&mut self, failure: Failure) -> Poll<io::Result<()>> {
        self.failed = Some(failure);
        Poll::Ready(Err(failure.into()))
    }

    /// What the socket has; at most what belongs to the literal.
    fn poll_socket(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>, left: u64) -> Poll<io::Result<()>> {
        match ready!(self.poll_at_most(cx, buf, left)) {
            Err(e) => self.fail(Failure::Broken(e.kind())),
            Ok(0) => self.fail(Failure::Closed),
            Ok(octets) => {
                self.core.literal_read_directly(octets);
                self.last_octet = Instant::now();
                Poll::Ready(Ok(()))
            }
        }
    }

    fn poll_at_most(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>, left: u64) -> Poll<io::Result<usize>> {
        if buf.remaining() as u64 <= left {
            let before = buf.filled().len();
            ready!(self.rx.poll_read(cx, buf))?;
            return Poll::Ready(Ok(buf.filled().len() - before));
        }
        // Here alone, at the literal's end, are octets set to zero first.
        let room = usize::try_from(left).unwrap_or(usize::MAX);
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(room));
        ready!(self.rx.poll_read(cx, &mut part))?;
        let octets = part.filled().len();
        buf.advance(octets);
        Poll::Ready(Ok(octets))
    }

    /// Why nothing more is waited for.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.stopped.as_mut().poll(cx).is_ready() {
            return self.fail(Failure::Stopped);
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            let deadline = self.last_octet + self.stall;
            if deadline <= Instant::now() {
                return self.fail(Failure::Stalled);
            }
            self.timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

impl AsyncRead for Literal<'_> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(failure) = this.failed {
            return Poll::Ready(Err(failure.into()));
        }
        let left = this.core.literal_remaining();
        if left == 0 || buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        this.rx.take_ahead(this.core);
        let buffered = this.core.read_literal(buf.remaining());
        if !buffered.is_empty() {
            this.nul |= has_nul(&buffered);
            buf.put_slice(&buffered);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        match this.poll_socket(cx, buf, left) {
            Poll::Pending => this.poll_patience(cx),
            done => {
                this.nul |= buf.filled().get(before..).is_some_and(has_nul);
                done
            }
        }
    }
}

fn has_nul(octets: &[u8]) -> bool {
    memchr::memchr(0, octets).is_some()
}

/// All of them are the end of the connection to a backend.
impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Closed => Self::new(io::ErrorKind::UnexpectedEof, "the client closed the connection"),
            Failure::Broken(_) => Self::new(io::ErrorKind::ConnectionReset, "the connection is broken"),
            Failure::Stalled => Self::new(io::ErrorKind::ConnectionAborted, "the client stopped sending"),
            Failure::Stopped => Self::new(io::ErrorKind::ConnectionAborted, "the connection is being closed"),
        }
    }
}

/// Octets thrown away at a time.
const WASTE: usize = 16 * 1024;
