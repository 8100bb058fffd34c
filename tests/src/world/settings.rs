//! How the server of a world is set up where that is not its default.

use std::time::Duration;

use backend_api::Backend;
use imap_server::{Caps, Limits, PollPolicy};

/// What tests set. Failed logins are answered at once unless a test wants to see the delay.
#[derive(Debug, Default)]
pub struct Settings {
    /// The delay before a failed login is answered.
    pub failed_login_delay: Duration,
    /// Passwords without TLS from anywhere.
    pub insecure_auth: bool,
    /// Capabilities taken away.
    pub without: Vec<&'static str>,
    /// Limits of the protocol core.
    pub limits: Option<Limits>,
    /// Numbers of connections.
    pub caps: Option<Caps>,
    /// When changes of others are told.
    pub poll: PollPolicy,
}

impl Settings {
    pub(super) fn apply<B: Backend>(&self, builder: imap_server::Builder<B>) -> imap_server::Builder<B> {
        let mut builder = builder
            .failed_login_delay(self.failed_login_delay)
            .insecure_auth(self.insecure_auth)
            .poll_policy(self.poll);
        if let Some(limits) = &self.limits {
            builder = builder.limits(limits.clone());
        }
        if let Some(caps) = &self.caps {
            builder = builder.caps(caps.clone());
        }
        self.without.iter().fold(builder, |b, name| b.without_capability(name))
    }
}
