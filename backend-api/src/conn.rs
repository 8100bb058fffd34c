//! Who is connected, and with what they prove who they are.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

/// What is known of a connection before and after login.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ConnInfo {
    /// A number that no other connection of this process has, for the log.
    pub id: u64,
    /// The other end; `None` where there is no socket.
    pub peer: Option<SocketAddr>,
    /// This end.
    pub local: Option<SocketAddr>,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

impl ConnInfo {
    /// A connection between these ends, not encrypted.
    pub fn new(peer: Option<SocketAddr>, local: Option<SocketAddr>) -> Self {
        Self {
            peer,
            local,
            ..Self::default()
        }
    }
}

/// What surrounds a call into a backend.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Ctx<'a> {
    /// The connection that asks.
    pub conn: &'a ConnInfo,
}

impl<'a> Ctx<'a> {
    /// A call on behalf of this connection.
    pub fn new(conn: &'a ConnInfo) -> Self {
        Self { conn }
    }
}

/// A user name and a proof. Its `Debug` shows no secret.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Credentials<'a> {
    /// LOGIN, AUTHENTICATE PLAIN, AUTHENTICATE LOGIN.
    Password {
        /// The user name as the client sent it.
        user: &'a str,
        /// The password, octet for octet.
        password: &'a [u8],
    },
}

impl<'a> Credentials<'a> {
    /// A user name and a password.
    pub fn password(user: &'a str, password: &'a [u8]) -> Self {
        Self::Password { user, password }
    }

    /// The user name.
    pub fn user(&self) -> &'a str {
        match self {
            Self::Password { user, .. } => user,
        }
    }

    /// Whether these are this user and this password. The time taken does not tell where a wrong password differs.
    pub fn is(&self, user: &str, password: &str) -> bool {
        let Self::Password { user: u, password: p } = self;
        let differ = p.iter().zip(password.as_bytes()).fold(0, |d, (a, b)| d | (a ^ b));
        *u == user && p.len() == password.len() && std::hint::black_box(differ) == 0
    }
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({:?}, …)", self.user())
    }
}

/// Who is logged in, as a store names them.
///
/// Two accounts are the same when name and id are; what is cached of an account's mailboxes is never shown to another.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Account {
    name: Arc<str>,
    id: u64,
}

impl Account {
    /// An account of this name.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            id: 0,
        }
    }

    /// An account of this name with a number for the store's own use, such as its row.
    pub fn with_id(name: &str, id: u64) -> Self {
        Self { name: name.into(), id }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The store's own number, 0 where it has none.
    pub fn id(&self) -> u64 {
        self.id
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_right_only_when_it_is_the_same_to_the_last_octet() {
        let who = |password: &'static [u8]| Credentials::Password { user: "demo", password };
        assert!(who(b"secret").is("demo", "secret"));
        for wrong in [&b"secret\0"[..], b"secre", b"", b"Secret"] {
            assert!(!who(wrong).is("demo", "secret"), "{wrong:?}");
        }
        assert!(!who(b"secret").is("Demo", "secret"));
    }

    #[test]
    fn debug_shows_no_password() {
        assert_eq!(
            format!(
                "{:?}",
                Credentials::Password {
                    user: "demo",
                    password: b"hunter2"
                }
            ),
            "Credentials(\"demo\", …)"
        );
    }
}
