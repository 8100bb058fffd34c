//! A mail client that says what a test tells it, and reads responses with their literals.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::DEADLINE;

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// A connection.
pub(crate) struct Client {
    stream: BufReader<Box<dyn Stream>>,
    socket: TcpStream,
    tags: u32,
}

/// What a command was answered with: the untagged responses, and the tagged one without its tag.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) untagged: Vec<String>,
    pub(crate) tagged: String,
}

impl Client {
    /// Connects, and reads the greeting.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let mut client = Self::open(address);
        assert!(client.line().unwrap().starts_with("* OK "));
        client
    }

    /// Connects with TLS from the start, trusting this certificate, and reads the greeting.
    pub(crate) fn connect_tls(address: SocketAddr, certificate: &Path) -> io::Result<Self> {
        let mut client = Self::open(address).secured(certificate)?;
        assert!(client.line()?.starts_with("* OK "));
        Ok(client)
    }

    fn open(address: SocketAddr) -> Self {
        let socket = TcpStream::connect_timeout(&address, DEADLINE).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        socket.set_write_timeout(Some(DEADLINE)).unwrap();
        Self {
            stream: BufReader::new(Box::new(socket.try_clone().unwrap())),
            socket,
            tags: 0,
        }
    }

    /// The same connection with TLS on it.
    pub(crate) fn secured(self, certificate: &Path) -> io::Result<Self> {
        assert!(self.stream.buffer().is_empty(), "something came before the handshake");
        let mut socket = self.socket.try_clone()?;
        let mut tls = ClientConnection::new(trusting(certificate), name(&socket)).map_err(io::Error::other)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut socket)?;
        }
        Ok(Self {
            stream: BufReader::new(Box::new(StreamOwned::new(tls, socket))),
            ..self
        })
    }

    /// A line, with the literals in it.
    pub(crate) fn line(&mut self) -> io::Result<String> {
        let mut all = Vec::new();
        loop {
            if self.stream.read_until(b'\n', &mut all)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = all.strip_suffix(b"\r\n").unwrap();
            let Some(size) = literal(line) else {
                all.truncate(line.len());
                return Ok(String::from_utf8_lossy(&all).into_owned());
            };
            let start = all.len();
            all.resize(start + size, 0);
            self.stream.read_exact(&mut all[start..])?;
        }
    }

    /// Fills `octets` and takes no more than that off the buffer.
    pub(crate) fn take(&mut self, octets: &mut [u8]) -> io::Result<()> {
        self.stream.read_exact(octets)
    }

    /// Sends octets as they are.
    pub(crate) fn send(&mut self, octets: impl AsRef<[u8]>) -> io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(octets.as_ref())?;
        stream.flush()
    }

    /// Sends a command, without waiting; its tag.
    pub(crate) fn start(&mut self, command: impl AsRef<[u8]>) -> io::Result<String> {
        self.tags += 1;
        let tag = format!("t{}", self.tags);
        self.send([tag.as_bytes(), b" ", command.as_ref(), b"\r\n"].concat())?;
        Ok(tag)
    }

    /// Reads up to the tagged response.
    pub(crate) fn answer(&mut self, tag: &str) -> io::Result<Answer> {
        let mut untagged = Vec::new();
        loop {
            let line = self.line()?;
            if let Some(tagged) = line.strip_prefix(tag).and_then(|rest| rest.strip_prefix(' ')) {
                let tagged = tagged.to_owned();
                return Ok(Answer { untagged, tagged });
            }
            untagged.push(line);
        }
    }

    /// A command and its answer.
    pub(crate) fn ask(&mut self, command: impl AsRef<[u8]>) -> io::Result<Answer> {
        let tag = self.start(command)?;
        self.answer(&tag)
    }

    /// The untagged responses to a command that is answered OK.
    pub(crate) fn ok(&mut self, command: &str) -> Vec<String> {
        let answer = self.ask(command).unwrap();
        assert!(answer.tagged.starts_with("OK "), "{command}: {answer:?}");
        answer.untagged
    }

    /// Whether this user has this password.
    pub(crate) fn is_let_in(&mut self, user: &str, password: &str) -> bool {
        let answer = self.ask(format!("LOGIN {user} {password}")).unwrap();
        let refused = answer.tagged.starts_with("NO [AUTHENTICATIONFAILED] ");
        assert!(refused || answer.tagged.starts_with("OK "), "{answer:?}");
        !refused
    }

    pub(crate) fn log_in(&mut self, user: &str, password: &str) {
        assert!(self.is_let_in(user, password), "{user} is not let in");
    }

    /// Adds a message; the tagged answer.
    pub(crate) fn append(&mut self, mailbox: &str, message: &[u8]) -> io::Result<String> {
        let head = format!("APPEND {mailbox} {{{}+}}\r\n", message.len());
        let answer = self.ask([head.as_bytes(), message].concat())?;
        Ok(answer.tagged)
    }
}

/// The size of the literal that a line announces at its end.
fn literal(line: &[u8]) -> Option<usize> {
    let open = line.strip_suffix(b"}")?.iter().rposition(|b| *b == b'{')?;
    std::str::from_utf8(&line[open + 1..line.len() - 1]).ok()?.parse().ok()
}

fn trusting(certificate: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

fn name(socket: &TcpStream) -> ServerName<'static> {
    ServerName::from(socket.peer_addr().unwrap().ip())
}
