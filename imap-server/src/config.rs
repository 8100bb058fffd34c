//! What an operator or embedder can set: times, caps and policy, each with its default and the reason for it.

use std::time::Duration;

/// When changes made by others are told after a command that did not ask for them (RFC 3501 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum PollPolicy {
    /// After every command whose row of the command table allows it: what RFC 3501 7 asks for, and the default.
    #[default]
    AfterEveryCommand,
    /// After NOOP, CHECK, in IDLE, and after commands whose own outcome is told by a poll (EXPUNGE, MOVE); not before a
    /// UID FETCH or UID SEARCH either. For backends whose poll is expensive.
    OnlyWhenAsked,
}

/// Everything that can be set; the builder has a method for each.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) poll: PollPolicy,
    pub(crate) times: Times,
    pub(crate) caps: Caps,
    pub(crate) id: Vec<(String, String)>,
}

/// How long things may take.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Times {
    /// From the first octet to a successful login, TLS handshakes included: 60 s. Long enough for a person's client, short
    /// enough that connections which never log in do not pile up.
    pub login: Duration,
    /// Without an octet from a client that is logged in, IDLE included: 30 minutes, and never less, since clients renew
    /// IDLE every 29 (RFC 3501 5.4, RFC 2177).
    pub autologout: Duration,
    /// Of silence in IDLE before `* OK Still here`: 2 minutes, which keeps NAT and firewalls from forgetting the connection.
    pub keep_alive: Duration,
    /// Without the peer taking a single octet, or sending one of a literal it announced: 5 minutes.
    pub stall: Duration,
    /// Without a backend answering, or the peer taking a part of what it answers, for what only reads: 10 minutes. What
    /// changes something is always awaited.
    pub backend: Duration,
    /// Before a failed login is answered: 1.5 s. Other connections do not wait.
    pub failed_login: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            login: Duration::from_secs(60),
            autologout: MIN_AUTOLOGOUT,
            keep_alive: Duration::from_secs(120),
            stall: Duration::from_secs(300),
            backend: Duration::from_secs(600),
            failed_login: Duration::from_millis(1_500),
        }
    }
}

/// How many of a kind there may be at once.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Caps {
    /// Connections of this server: 50,000, which idle in less than 1 GB.
    pub connections: usize,
    /// Connections of one user: 16,000. A mail client opens 5 to 20, a web front end one a request; an account that many
    /// share, or that a program watches for many, has thousands.
    pub per_user: usize,
    /// Connections from one address: 32,000, because a whole company, or a web front end, may stand behind one.
    pub per_address: usize,
    /// Failed logins of one connection before it is closed: 5.
    pub failed_logins: u32,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            connections: 50_000,
            per_user: 16_000,
            per_address: 32_000,
            failed_logins: 5,
        }
    }
}

/// RFC 3501 5.4: an autologout timer after login MUST be at least 30 minutes.
pub(crate) const MIN_AUTOLOGOUT: Duration = Duration::from_secs(30 * 60);

impl Default for Config {
    fn default() -> Self {
        Self {
            poll: PollPolicy::default(),
            times: Times::default(),
            caps: Caps::default(),
            id: vec![("name".into(), "imap-server".into())],
        }
    }
}
