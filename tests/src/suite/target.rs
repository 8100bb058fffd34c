//! What scenarios are played on: something that gives connections.

use std::io;

use async_trait::async_trait;

use super::scenario::Start;
use crate::stream::BoxedStream;

/// A user and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl Login {
    /// A user and a password.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            password: password.into(),
        }
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// How connections are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Security {
    /// Not at all.
    #[default]
    Plain,
    /// TLS from the first octet on.
    Tls,
    /// TLS by STARTTLS in front of each login.
    StartTls,
}

/// What a target did to fill the mailboxes of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filled {
    /// Nothing: they are made by CREATE and APPEND on a connection.
    OverTheWire,
    /// All is there; these are the names of the mailboxes, in the order of the start, as they are written in IMAP.
    Done(Vec<String>),
    /// It cannot be: why. The scenario is skipped.
    Cannot(String),
}

/// A server that scenarios are played on.
#[async_trait]
pub trait Target: Send + Sync {
    /// What it is called in reports: `host:port`, or the name of a backend.
    fn name(&self) -> String;

    /// Who may log in.
    fn first(&self) -> Login;

    /// A second account, if there is one.
    fn second(&self) -> Option<Login> {
        None
    }

    /// How connections are protected.
    fn security(&self) -> Security {
        Security::Plain
    }

    /// Whether INBOX may be changed.
    fn owns_inbox(&self) -> bool {
        false
    }

    /// Whether mailboxes can only be read: scenarios that change something are skipped.
    fn is_read_only(&self) -> bool {
        false
    }

    /// A new connection; with [`Security::Tls`] the handshake is done.
    ///
    /// # Errors
    /// There is none.
    async fn connect(&self) -> io::Result<BoxedStream>;

    /// The client's side of a TLS handshake on a connection.
    ///
    /// # Errors
    /// It fails, or this target knows no TLS.
    async fn handshake(&self, stream: BoxedStream) -> io::Result<BoxedStream> {
        drop(stream);
        Err(io::Error::new(io::ErrorKind::Unsupported, "this target knows no TLS"))
    }

    /// Fills the mailboxes of a scenario directly, where that is to be had: for backends that cannot CREATE or APPEND.
    async fn fill(&self, start: &Start) -> Filled {
        let _ = start;
        Filled::OverTheWire
    }
}
