//! The signals that a server answers to.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
pub(crate) enum Asked {
    /// SIGHUP
    ToReload,
    /// SIGTERM or SIGINT, by its name.
    ToEnd(&'static str),
}

/// Received from when this was made on.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Starts receiving.
    ///
    /// # Errors
    /// The system does not allow it.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The next one. Cancel safe.
    pub(crate) async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::ToEnd("SIGTERM"),
            _ = self.interrupt.recv() => Asked::ToEnd("SIGINT"),
            _ = self.hang_up.recv() => Asked::ToReload,
        }
    }

    /// The next one that asks for the end. Cancel safe.
    pub(crate) async fn end(&mut self) {
        while !matches!(self.next().await, Asked::ToEnd(_)) {}
    }
}
