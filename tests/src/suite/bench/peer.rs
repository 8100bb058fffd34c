//! A server that is measured: where it is, who logs in to it, and by which processes it is seen from outside.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection};

use super::process::Processes;
use crate::suite::network::Network;
use crate::suite::place::Facts;
use crate::suite::target::{Login, Security};

/// The accounts that are used, all with one password.
#[derive(Debug, Clone)]
pub struct Accounts {
    /// The name; `{}` in it stands for a number from 1 on.
    pub name: String,
    /// How many there are.
    pub count: usize,
    /// The password.
    pub password: String,
}

impl Accounts {
    /// The account with this index; behind the last the first comes again.
    pub fn login(&self, index: usize) -> Login {
        let number = index % self.count.max(1) + 1;
        Login::new(self.name.replace("{}", &number.to_string()), self.password.clone())
    }
}

/// A server that is measured.
#[derive(Debug, Clone)]
pub struct Peer {
    /// What it is called in reports.
    pub label: String,
    /// Where it is. Its account is not looked at.
    pub network: Network,
    /// Who logs in.
    pub accounts: Accounts,
    /// A port that speaks TLS from the first octet on, besides the one that is measured.
    pub tls_port: Option<u16>,
    /// The processes that it consists of, as far as they are known.
    pub processes: Processes,
    /// A command of the shell that starts it anew and ends when it runs again.
    pub restart: Option<String>,
    /// What was learned of it before.
    pub facts: Facts,
    tls: Arc<ClientConfig>,
}

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// As the run was asked for.
    Asked,
    /// By TLS, though the run is in the clear.
    WithinTls,
}

impl Peer {
    /// A server. Where connections are in the clear, the certificate of those within TLS is not looked at: the password goes
    /// in the clear beside it.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(label: String, network: Network, accounts: Accounts, facts: Facts) -> io::Result<Self> {
        let trusting = Network {
            insecure: network.insecure || network.security == Security::Plain,
            ..network.clone()
        };
        let mut config = trusting.tls_config()?;
        // A client that comes for the first time has no session to resume.
        config.resumption = Resumption::disabled();
        Ok(Self {
            label,
            network,
            accounts,
            tls_port: None,
            processes: Processes::default(),
            restart: None,
            facts,
            tls: Arc::new(config),
        })
    }

    /// How a connection within TLS is had, when the others are in the clear: the port, and whether STARTTLS comes first. An
    /// error says why there is none.
    pub(super) fn within_tls(&self) -> Result<Security, &'static str> {
        match (self.network.security, self.tls_port) {
            (Security::Tls | Security::StartTls, _) => Err("all connections are within TLS already"),
            (Security::Plain, Some(_)) => Ok(Security::Tls),
            (Security::Plain, None) if self.facts.has("STARTTLS") => Ok(Security::StartTls),
            (Security::Plain, None) => Err("the server has no STARTTLS, and no --tls-port was named"),
        }
    }

    /// How connections are protected on this way.
    pub(super) fn security(&self, way: Way) -> Security {
        match way {
            Way::Asked => self.network.security,
            Way::WithinTls => self.within_tls().unwrap_or_default(),
        }
    }

    /// A connection on this way, without TLS yet, whose reading and writing waits so long at once.
    pub(super) fn connect(&self, way: Way, tick: Duration) -> io::Result<TcpStream> {
        let port = self.tls_port.filter(|_| way == Way::WithinTls);
        let stream = match port {
            Some(port) => TcpStream::connect((self.network.host(), port))?,
            None => TcpStream::connect(&self.network.address)?,
        };
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(tick))?;
        stream.set_write_timeout(Some(tick))?;
        Ok(stream)
    }

    /// The client's side of a TLS connection.
    pub(super) fn client_connection(&self) -> io::Result<ClientConnection> {
        let name = ServerName::try_from(self.network.host().to_owned()).map_err(io::Error::other)?;
        ClientConnection::new(self.tls.clone(), name).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_numbered_and_used_again() {
        let names = |name: &str, count| {
            let accounts = Accounts {
                name: name.into(),
                count,
                password: "secret".into(),
            };
            [0, 1, 2].map(|index| accounts.login(index).user)
        };
        assert_eq!(names("user{}", 2), ["user1", "user2", "user1"]);
        assert_eq!(names("joe", 1), ["joe", "joe", "joe"]);
    }
}
