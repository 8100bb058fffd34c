//! A connection's stream together with its protocol core: the next event, when to send, and how a connection ends.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use backend_api::Error;
use bytes::BytesMut;
use imap_core::{Connection, Event};
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout};

use crate::config::Times;
use crate::io::{Duplex, GRACE, Rx, Tx, split};
use crate::log;
use crate::registry::Entry;

/// Why a connection ends.
#[derive(Debug)]
pub(crate) enum End {
    /// The peer is gone, or takes nothing: nobody to tell.
    Broken(io::Error),
    /// The client closed its side, and all its commands are answered.
    Closed,
    /// `* BYE` with this text is to be said.
    Bye(String),
    /// `* BYE` has been said: LOGOUT, or a limit of the core.
    Said(String),
    /// The backend broke the rules of a sink.
    Misuse(&'static str),
    /// A response was begun, sent in part, and cannot be ended: not another octet may follow.
    Torn,
}

/// The stream, the core, and the clock.
pub(crate) struct Wire {
    pub(crate) core: Connection,
    pub(crate) rx: Rx,
    pub(crate) tx: Tx,
    pub(crate) entry: Arc<Entry>,
    pub(crate) times: Times,
    start: Instant,
    last_input: Instant,
    /// Fires at the earliest moment at which time can be up; that moment only ever moves away, so it is set rarely.
    timer: Pin<Box<Sleep>>,
    /// Since when answers wait to be sent.
    unsent_since: Option<Instant>,
    /// Octets of the commands that have ended.
    accounted: u64,
}

impl Wire {
    pub(crate) fn new(
        core: Connection,
        stream: Box<dyn Duplex>,
        entry: Arc<Entry>,
        times: &Times,
        start: Instant,
    ) -> Self {
        // Before login nobody may hold a connection for longer than there is for logging in.
        let (rx, tx) = split(stream, entry.clone(), times.stall.min(times.login));
        Self {
            core,
            rx,
            tx,
            entry,
            start,
            last_input: Instant::now(),
            timer: Box::pin(sleep_until(start + times.login)),
            times: times.clone(),
            unsent_since: None,
            accounted: 0,
        }
    }

    /// What the client wants next. Sends answers when nothing complete is waiting, or many are.
    ///
    /// # Errors
    /// Everything that ends a connection between two commands.
    pub(crate) async fn next(&mut self) -> Result<Event, End> {
        loop {
            if self.is_full() {
                self.flush().await?;
            }
            if self.entry.stop.is_stopped() {
                return Err(self.stopped());
            }
            self.rx.take_ahead(&mut self.core);
            match self.core.next_event() {
                Event::NeedInput => self.fill().await?,
                Event::Close(why) => return Err(End::Said(why)),
                event => return Ok(event),
            }
        }
    }

    /// Sends what is to be sent, then waits for octets.
    pub(crate) async fn fill(&mut self) -> Result<(), End> {
        self.flush().await?;
        self.shrink();
        loop {
            let Self {
                core, rx, entry, timer, ..
            } = self;
            tokio::select! {
                biased;
                read = rx.read(core) => return self.received(read),
                () = entry.stop.stopped() => return Err(self.stopped()),
                () = timer.as_mut() => self.check_time()?,
            }
        }
    }

    /// Somebody has logged in: there is more time now.
    pub(crate) fn logged_in(&mut self) {
        self.tx.set_stall(self.times.stall);
    }

    /// Notes that the client sent something, or the end.
    pub(crate) fn received(&mut self, read: io::Result<usize>) -> Result<(), End> {
        if read.map_err(End::Broken)? == 0 {
            return Err(End::Closed);
        }
        self.note_input();
        Ok(())
    }

    pub(crate) fn stopped(&self) -> End {
        End::Bye(self.entry.stop.reason().to_owned())
    }

    /// When time is up: a minute in total before login, then a time of silence (RFC 3501 5.4).
    pub(crate) fn deadline(&self) -> Instant {
        if self.core.state().is_authenticated() {
            self.last_input + self.times.autologout
        } else {
            self.start + self.times.login
        }
    }

    /// After the timer fired: is time up, or has it moved on?
    pub(crate) fn check_time(&mut self) -> Result<(), End> {
        let deadline = self.deadline();
        if deadline <= Instant::now() {
            let logged_in = self.core.state().is_authenticated();
            let text = if logged_in {
                "Autologout; idle for too long"
            } else {
                "Login took too long"
            };
            return Err(End::Bye(text.into()));
        }
        self.timer.as_mut().reset(deadline);
        Ok(())
    }

    /// Whether answers should be sent before more are made.
    fn is_full(&self) -> bool {
        self.core.pending() >= FULL
    }

    /// Sends all answers.
    pub(crate) async fn flush(&mut self) -> Result<(), End> {
        self.unsent_since = None;
        if self.core.output().is_empty() {
            return Ok(());
        }
        self.tx.drain(self.core.output()).await.map_err(End::Broken)
    }

    /// Before a command is run: answers that have waited for others of their batch are not to wait for a slow one too.
    pub(crate) async fn flush_if_old(&mut self, now: Instant) -> Result<(), End> {
        if self.core.output().is_empty() {
            return Ok(());
        }
        match self.unsent_since {
            Some(since) if now.duration_since(since) > UNSENT => self.flush().await,
            Some(_) => Ok(()),
            None => {
                self.unsent_since = Some(now);
                Ok(())
            }
        }
    }

    /// Gives buffers back.
    pub(crate) fn shrink(&mut self) {
        let output = self.core.output();
        if output.is_empty() && output.capacity() > 0 {
            *output = BytesMut::new();
        }
        self.core.shrink();
    }

    /// What waiting is made of, in parts: where octets go, where they come from, the timer, the signal.
    pub(crate) fn waiting(&mut self) -> (&mut Connection, &mut Rx, Pin<&mut Sleep>, &Entry) {
        (&mut self.core, &mut self.rx, self.timer.as_mut(), &self.entry)
    }

    /// The client has sent something just now.
    pub(crate) fn note_input(&mut self) {
        self.last_input = Instant::now();
    }

    /// All octets written for the client so far, sent or not.
    /// Octets that were taken up since this was asked last: those of one command, its literals included.
    pub(crate) fn account_input(&mut self) -> u64 {
        let taken = self.rx.octets.saturating_sub(self.core.input().len() as u64);
        let before = std::mem::replace(&mut self.accounted, taken);
        taken.saturating_sub(before)
    }

    pub(crate) fn octets_out(&self) -> u64 {
        self.tx.octets + self.core.pending() as u64
    }

    /// What went wrong beneath a backend's call, if anything.
    pub(crate) fn check(&mut self) -> Result<(), End> {
        if let Some(error) = self.tx.broken.take() {
            return Err(End::Broken(error));
        }
        match self.core.writer().misuse() {
            Some(what) => Err(End::Misuse(what)),
            None => Ok(()),
        }
    }

    /// The same after a call that writes responses piece by piece. One that failed within a response takes it back where
    /// none of it was sent: octets are never made up to fill it.
    pub(crate) fn check_whole<T>(&mut self, result: &Result<T, Error>) -> Result<(), End> {
        self.check()?;
        if !self.core.writer().in_response() {
            return Ok(());
        }
        match result {
            Ok(_) => Err(End::Misuse("a response was not ended")),
            Err(_) if self.core.writer().abandon_response() => Ok(()),
            Err(error) => {
                log::expected(error);
                Err(End::Torn)
            }
        }
    }

    /// Sends what is left and closes. What the client still sends is read for a moment: closing with it unread would make
    /// the kernel reset the connection, and the client might lose our last words.
    pub(crate) async fn close(&mut self, end: &End) {
        let flushed = match end {
            End::Broken(_) => return,
            End::Bye(_) | End::Misuse(_) | End::Torn => timeout(GRACE, self.flush()).await.unwrap_or(Err(End::Torn)),
            End::Closed | End::Said(_) => self.flush().await,
        };
        if flushed.is_err() {
            return;
        }
        self.tx.close().await;
        let _ = timeout(LINGER, self.rx.discard()).await;
    }

    /// Awaits something that changes nothing, unless the connection breaks or is asked to end.
    ///
    /// # Errors
    /// It did.
    pub(crate) async fn race<T>(&mut self, work: impl Future<Output = T>) -> Result<T, End> {
        race(work, &mut self.rx, &self.entry, self.times.backend).await
    }
}

/// The same for work that has borrowed the rest of the connection.
pub(crate) async fn race<T>(
    work: impl Future<Output = T>,
    rx: &mut Rx,
    entry: &Entry,
    limit: Duration,
) -> Result<T, End> {
    tokio::select! {
        biased;
        done = work => Ok(done),
        error = rx.broken() => Err(End::Broken(error)),
        () = out_of_patience(entry) => Err(End::Bye(entry.stop.reason().to_owned())),
        () = stuck(entry, limit) => {
            tracing::error!("the backend does not answer");
            Err(End::Bye("The server took too long".into()))
        }
    }
}

/// A connection that was asked to end has a moment to finish what it does.
async fn out_of_patience(entry: &Entry) {
    entry.stop.stopped().await;
    sleep(GRACE).await;
}

/// Nothing has gone on for too long.
async fn stuck(entry: &Entry, limit: Duration) {
    loop {
        let before = entry.progress.load(Ordering::Relaxed);
        sleep(limit).await;
        if entry.progress.load(Ordering::Relaxed) == before {
            return;
        }
    }
}

/// Octets of answers after which they are sent before more are made.
pub(crate) const FULL: usize = 64 * 1024;
/// How long a connection that we closed is read from.
const LINGER: Duration = Duration::from_secs(1);
/// How long an answer waits for others.
const UNSENT: Duration = Duration::from_millis(20);
