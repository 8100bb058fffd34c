//! A client of a scenario: its connection, what it has heard but not yet compared, and what was said so far.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use tokio::time::Instant;

use super::conversation::Conversation;
use super::outcome::By;
use super::syntax;
use super::target::{Login, Security, Target};
use super::token::{Response, Token};
use super::wire::{Heard, Wire};

/// Why a scenario does not go on.
#[derive(Debug)]
pub enum Trouble {
    /// A deviation.
    Wrong {
        /// What is wrong.
        what: String,
        /// What was expected: line and text.
        expected: Vec<(u32, String)>,
        /// Where in the conversation.
        at: Option<usize>,
    },
    /// Something is lacking.
    Lacks(String),
}

impl Trouble {
    /// A deviation with nothing expected in its place.
    pub fn wrong(what: impl Into<String>, at: Option<usize>) -> Self {
        Self::Wrong {
            what: what.into(),
            expected: Vec::new(),
            at,
        }
    }
}

/// A response as a client has it: where it stands in the conversation, and what it is.
pub type Placed = (usize, Response);

/// What a client heard next.
#[derive(Debug)]
pub enum Next {
    /// A response.
    Response(Placed),
    /// The server has ended the connection.
    Closed,
    /// Nothing came in time.
    Nothing,
}

/// One client.
pub struct Client {
    /// `A`, `B` …
    pub name: char,
    wire: Option<Wire>,
    /// What it sends with the next write.
    out: Vec<u8>,
    waiting: VecDeque<Placed>,
    timeout: Duration,
    tag: u32,
    /// Whether it has logged in with the last lines that it sent.
    pub after_login: bool,
    /// What is shown instead of passwords.
    secrets: Vec<Vec<u8>>,
    /// Whether UTF8=ACCEPT was enabled.
    utf8: bool,
    /// Whether responses need only be understood, as for what the suite itself wants of a server.
    pub lenient: bool,
}

impl Client {
    /// A client with a new connection, its greeting not yet read.
    ///
    /// # Errors
    /// There is no connection.
    pub async fn connect(name: char, target: &dyn Target, timeout: Duration) -> io::Result<Self> {
        let stream = tokio::time::timeout(timeout, target.connect()).await;
        let stream = stream.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no connection in time"))??;
        let logins = [Some(target.first()), target.second()];
        let passwords = logins.into_iter().flatten().map(|l| l.password);
        Ok(Self {
            name,
            wire: Some(Wire::new(stream)),
            out: Vec::new(),
            waiting: VecDeque::new(),
            timeout,
            tag: 0,
            after_login: false,
            secrets: passwords.flat_map(|password| secrets(&password)).collect(),
            utf8: false,
            lenient: false,
        })
    }

    /// Whether there is a connection.
    pub fn is_connected(&self) -> bool {
        self.wire.is_some()
    }

    /// Adds to what goes out with the next write.
    pub fn queue(&mut self, octets: &[u8]) {
        self.out.extend_from_slice(octets);
    }

    /// Sends what is queued, in one write.
    ///
    /// # Errors
    /// The connection takes no more. A server may well have closed it: that is seen when something must be heard.
    pub async fn flush(&mut self, slowly: bool, talk: &mut Conversation) {
        let out = std::mem::take(&mut self.out);
        if out.is_empty() {
            return;
        }
        for line in lines(&out) {
            talk.add(self.name, By::Client, &self.masked(line));
        }
        let Some(wire) = &mut self.wire else {
            talk.remark(self.name, "there is no connection to send this on");
            return;
        };
        let sent = if slowly {
            let mut sent = Ok(());
            for octet in &out {
                sent = wire.send(std::slice::from_ref(octet), self.timeout).await;
                if sent.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            sent
        } else {
            wire.send(&out, self.timeout).await
        };
        if let Err(error) = sent {
            talk.remark(self.name, &format!("this could not be sent: {error}"));
        }
    }

    fn masked(&self, line: &[u8]) -> Vec<u8> {
        let mut line = line.to_vec();
        for secret in &self.secrets {
            while let Some(at) = line.windows(secret.len()).position(|w| w == secret.as_slice()) {
                let shown: &[u8] = if secret.starts_with(b" ") { b" ***" } else { b"***" };
                line.splice(at..at + secret.len(), shown.iter().copied());
            }
        }
        line
    }

    /// What is heard next, within the time.
    ///
    /// # Errors
    /// It is no response, or it breaks the formal syntax.
    pub async fn next(&mut self, within: Duration, talk: &mut Conversation) -> Result<Next, Trouble> {
        match self.waiting.pop_front() {
            Some(placed) => Ok(Next::Response(placed)),
            None => self.read(within, talk).await,
        }
    }

    /// Keeps a response for later.
    pub fn keep(&mut self, placed: Placed) {
        self.waiting.push_back(placed);
    }

    /// What the wire has next, whatever is kept.
    ///
    /// # Errors
    /// It is no response, or it breaks the formal syntax.
    pub async fn read(&mut self, within: Duration, talk: &mut Conversation) -> Result<Next, Trouble> {
        let Some(wire) = &mut self.wire else {
            return Ok(Next::Closed);
        };
        match wire.hear(Instant::now() + within).await {
            Heard::Response(octets) => {
                let at = talk.add(self.name, By::Server, &octets);
                let response = Response::parse(&octets).map_err(|malformed| {
                    Trouble::wrong(format!("No response has this syntax: {malformed}."), Some(at))
                })?;
                self.utf8 |= enables_utf8(&response);
                if !self.lenient {
                    syntax::check(&response, self.utf8)
                        .map_err(|why| Trouble::wrong(format!("This breaks the formal syntax: {why}."), Some(at)))?;
                }
                Ok(Next::Response((at, response)))
            }
            Heard::Broken(why, octets) => {
                let at = talk.add(self.name, By::Server, &octets);
                Err(Trouble::wrong(why, Some(at)))
            }
            Heard::Closed(rest) => {
                self.wire = None;
                if !rest.is_empty() {
                    let at = talk.add(self.name, By::Server, &rest);
                    return Err(Trouble::wrong("The connection ended within a line.", Some(at)));
                }
                talk.remark(self.name, "the server closed the connection");
                Ok(Next::Closed)
            }
            Heard::Nothing(rest) if rest.is_empty() => Ok(Next::Nothing),
            Heard::Nothing(rest) => {
                let at = talk.add(self.name, By::Server, &rest);
                Err(Trouble::wrong(
                    "A line or literal begins here and does not end.",
                    Some(at),
                ))
            }
        }
    }

    /// The connection, to do something else with it.
    pub fn take_wire(&mut self) -> Option<Wire> {
        self.wire.take()
    }

    /// Goes on with this connection.
    pub fn put_wire(&mut self, wire: Wire) {
        self.wire = Some(wire);
    }

    /// Cuts the connection.
    pub async fn close(&mut self) {
        self.waiting.clear();
        if let Some(wire) = self.wire.take() {
            wire.close().await;
        }
    }

    /// What was heard and not compared.
    pub fn left(&mut self) -> Option<Placed> {
        self.waiting.pop_front()
    }

    // What the suite itself needs of a server.

    /// Sends a command and hears its answer: what came before it, and its word, code and text. The parts stand around
    /// literals.
    ///
    /// # Errors
    /// No answer comes, or none that can be understood.
    pub async fn command(&mut self, parts: &[&[u8]], talk: &mut Conversation) -> Result<Answer, Trouble> {
        self.tag += 1;
        let tag = format!("setup{}", self.tag);
        self.queue(tag.as_bytes());
        self.queue(b" ");
        let mut heard = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.flush(false, talk).await;
                loop {
                    match self.next(self.timeout, talk).await? {
                        Next::Response((_, Response::Continue { .. })) => break,
                        Next::Response((at, response)) => match answer(&tag, response, &mut heard) {
                            Some(answer) => return Ok(Answer { at, heard, ..answer }),
                            None => continue,
                        },
                        Next::Closed => return Err(Trouble::wrong("The server closed the connection.", talk.last())),
                        Next::Nothing => return Err(Trouble::wrong("The server does not ask for the literal.", None)),
                    }
                }
            }
            self.queue(part);
        }
        self.queue(b"\r\n");
        self.flush(false, talk).await;
        loop {
            match self.next(self.timeout, talk).await? {
                Next::Response((at, response)) => {
                    if let Some(answer) = answer(&tag, response, &mut heard) {
                        return Ok(Answer { at, heard, ..answer });
                    }
                }
                Next::Closed => return Err(Trouble::wrong("The server closed the connection.", talk.last())),
                Next::Nothing => return Err(Trouble::wrong("The server does not answer.", talk.last())),
            }
        }
    }

    /// Reads the greeting: its text and the capabilities that it tells.
    ///
    /// # Errors
    /// There is none, or the server does not let us in.
    pub async fn greeting(&mut self, talk: &mut Conversation) -> Result<(String, Option<Vec<String>>), Trouble> {
        let next = match self.next(self.timeout, talk).await {
            // What is no response at all: probably no IMAP server.
            Err(Trouble::Wrong { at: Some(at), .. }) => return Err(no_greeting(talk.text(at), Some(at))),
            next => next?,
        };
        match next {
            Next::Response((at, Response::Status { tag, word, code, text })) if tag == b"*" => {
                let text = String::from_utf8_lossy(&text).into_owned();
                match word.as_str() {
                    "OK" => Ok((text, capabilities_of_code(code.as_deref()))),
                    "PREAUTH" => Err(Trouble::Lacks(
                        "the server greets with PREAUTH: nobody can log in".into(),
                    )),
                    _ => Err(Trouble::wrong(format!("The server does not want us: {text}"), Some(at))),
                }
            }
            Next::Response((at, _)) => Err(no_greeting(talk.text(at), Some(at))),
            Next::Closed => Err(Trouble::wrong(
                "The server closed the connection without a greeting.",
                talk.last(),
            )),
            Next::Nothing => {
                let what = format!("No greeting comes within {} s.", self.timeout.as_secs_f32());
                Err(Trouble::wrong(what, None))
            }
        }
    }

    /// The capabilities of now.
    ///
    /// # Errors
    /// The server does not tell them.
    pub async fn capabilities(&mut self, talk: &mut Conversation) -> Result<Vec<String>, Trouble> {
        let answer = self.command(&[b"CAPABILITY"], talk).await?;
        for response in &answer.heard {
            if let (Response::Data(tokens), Some((None, name))) = (response, response.name())
                && name == "CAPABILITY"
            {
                return Ok(words(tokens.get(1..).unwrap_or_default()));
            }
        }
        Err(Trouble::wrong("CAPABILITY tells none.", Some(answer.at)))
    }

    /// The TLS handshake: whether TLS began, or the server ended the connection instead.
    ///
    /// # Errors
    /// It fails otherwise, or octets came in front of it.
    pub async fn start_tls(&mut self, target: &dyn Target, talk: &mut Conversation) -> Result<bool, Trouble> {
        let Some(wire) = self.wire.take() else {
            return Err(Trouble::wrong("There is no connection.", talk.last()));
        };
        let stream = wire.into_stream().map_err(|octets| {
            let at = talk.add(self.name, By::Server, &octets);
            Trouble::wrong("This came in front of the TLS handshake.", Some(at))
        })?;
        let done = tokio::time::timeout(self.timeout, target.handshake(stream)).await;
        let done = done.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "it takes too long")));
        let stream = match done {
            Ok(stream) => stream,
            Err(error) if is_end(&error) => {
                talk.remark(self.name, "the server ended the connection");
                return Ok(false);
            }
            Err(error) if error.to_string().contains("invalid peer certificate") => {
                let why = "the server's certificate is not trusted (--insecure takes any)";
                return Err(Trouble::Lacks(why.into()));
            }
            Err(error) => {
                return Err(Trouble::wrong(
                    format!("The TLS handshake fails: {error}."),
                    talk.last(),
                ));
            }
        };
        talk.remark(self.name, "TLS begins");
        self.wire = Some(Wire::new(stream));
        Ok(true)
    }

    /// STARTTLS where the target wants it in front of a login; the capabilities afterwards, if anything was done.
    ///
    /// # Errors
    /// It is refused or fails.
    pub async fn secure(&mut self, target: &dyn Target, talk: &mut Conversation) -> Result<bool, Trouble> {
        if target.security() != Security::StartTls {
            return Ok(false);
        }
        let answer = self.command(&[b"STARTTLS"], talk).await?;
        if answer.word != "OK" {
            return Err(Trouble::wrong(
                format!("STARTTLS is refused: {}", answer.text),
                Some(answer.at),
            ));
        }
        if !self.start_tls(target, talk).await? {
            let what = "The server ends the connection instead of the TLS handshake.";
            return Err(Trouble::wrong(what, talk.last()));
        }
        Ok(true)
    }

    /// Logs in.
    ///
    /// # Errors
    /// The server does not let us.
    pub async fn login(&mut self, login: &Login, talk: &mut Conversation) -> Result<Answer, Trouble> {
        let (user, password) = (astring(&login.user), astring(&login.password));
        let command = [b"LOGIN ".as_slice(), &user, b" ", &password].concat();
        let answer = self.command(&[&command], talk).await?;
        if answer.word != "OK" {
            return Err(Trouble::wrong(
                format!("The server refuses the login of {}: {}", login.user, answer.text),
                Some(answer.at),
            ));
        }
        Ok(answer)
    }
}

/// What came in the place of a greeting (RFC 3501 7.1), and which server says such a thing.
fn no_greeting(line: &str, at: Option<usize>) -> Trouble {
    let protocol = match line {
        l if l.starts_with("220") => Some("SMTP or FTP"),
        l if l.starts_with("+OK") => Some("POP3"),
        l if l.starts_with("SSH-") => Some("SSH"),
        l if l.starts_with("HTTP/") || l.starts_with("<") => Some("HTTP"),
        l if l.starts_with("\\x15\\x03") => Some("TLS"),
        l if l.starts_with("\"IMPLEMENTATION\"") => Some("ManageSieve"),
        _ => None,
    };
    let short: String = line.chars().take(80).collect();
    let is = protocol.map(|protocol| format!(": it speaks {protocol}"));
    let what = format!(
        "The server does not greet as an IMAP server does (`* OK …`), but says `{short}`{}.",
        is.unwrap_or_default()
    );
    Trouble::wrong(what, at)
}

/// What is shown otherwise of a password: its octets, unless they are so few that they would be found everywhere, and the
/// quoted string that LOGIN sends.
fn secrets(password: &str) -> Vec<Vec<u8>> {
    let bare = (password.len() > 5).then(|| password.as_bytes().to_vec());
    bare.into_iter()
        .chain([[b" ".as_slice(), &astring(password)].concat()])
        .collect()
}

/// Whether quoted strings may have more than 7 bits from here on (RFC 6855 3).
fn enables_utf8(response: &Response) -> bool {
    match (response, response.name()) {
        (Response::Data(tokens), Some((None, name))) => name == "ENABLED" && tokens.iter().any(|t| t.is("UTF8=ACCEPT")),
        _ => false,
    }
}

/// Whether an error says no more than that the other side hung up.
fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
    )
}

/// The answer to a command of the suite's own.
#[derive(Debug)]
pub struct Answer {
    /// Untagged responses before it.
    pub heard: Vec<Response>,
    /// `OK`, `NO` or `BAD`.
    pub word: String,
    /// The text.
    pub text: String,
    /// The capabilities that its code tells.
    pub capabilities: Option<Vec<String>>,
    /// Where it stands in the conversation.
    pub at: usize,
}

fn answer(tag: &str, response: Response, heard: &mut Vec<Response>) -> Option<Answer> {
    match response {
        Response::Status {
            tag: heard_tag,
            word,
            code,
            text,
        } if heard_tag == tag.as_bytes() => Some(Answer {
            heard: Vec::new(),
            word,
            text: String::from_utf8_lossy(&text).into_owned(),
            capabilities: capabilities_of_code(code.as_deref()),
            at: 0,
        }),
        other => {
            // A server may say as much as it likes; what is needed comes early.
            if heard.len() < 100_000 {
                heard.push(other);
            }
            None
        }
    }
}

fn capabilities_of_code(code: Option<&[Token]>) -> Option<Vec<String>> {
    let (name, rest) = code?.split_first()?;
    name.is("CAPABILITY").then(|| words(rest))
}

fn words(tokens: &[Token]) -> Vec<String> {
    let words = tokens.iter().filter_map(Token::atom);
    words.map(|w| String::from_utf8_lossy(w).to_ascii_uppercase()).collect()
}

/// A text as an astring; what cannot be quoted is left as it is, for the server to refuse.
pub fn astring(text: &str) -> Vec<u8> {
    let mut out = vec![b'"'];
    for octet in text.bytes() {
        if matches!(octet, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(octet);
    }
    out.push(b'"');
    out
}

/// The lines of what is sent, for the conversation.
fn lines(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    octets.split_inclusive(|b| *b == b'\n')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use async_trait::async_trait;
    use tokio::io::AsyncWriteExt as _;

    use super::*;
    use crate::stream::BoxedStream;

    /// A server that says this and nothing else.
    struct Says(&'static [u8]);

    #[async_trait]
    impl Target for Says {
        fn name(&self) -> String {
            "says".to_owned()
        }

        fn first(&self) -> Login {
            Login::new("a", "b")
        }

        async fn connect(&self) -> io::Result<BoxedStream> {
            let (ours, mut theirs) = tokio::io::duplex(1 << 12);
            theirs.write_all(self.0).await?;
            // Kept open: nothing more comes.
            tokio::spawn(async move {
                let _open = theirs;
                std::future::pending::<()>().await;
            });
            Ok(Box::new(ours))
        }
    }

    async fn greeted(with: &'static [u8]) -> String {
        let mut client = Client::connect('A', &Says(with), Duration::from_secs(2)).await.unwrap();
        match client.greeting(&mut Conversation::default()).await {
            Ok((text, _)) => text,
            Err(Trouble::Wrong { what, .. } | Trouble::Lacks(what)) => what,
        }
    }

    #[tokio::test]
    async fn a_password_is_not_in_the_conversation_however_short_it_is() {
        let mut client = Client::connect('A', &Says(b""), Duration::from_secs(2)).await.unwrap();
        let mut talk = Conversation::default();
        client.queue(b"x LOGIN \"a\" \"b\"\r\nx STORE 1 +FLAGS (b)\r\n");
        client.flush(false, &mut talk).await;
        assert_eq!(
            [talk.text(0), talk.text(1)],
            ["x LOGIN \"a\" ***", "x STORE 1 +FLAGS (b)"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_greets_otherwise_is_told_by_what_it_says() {
        assert_eq!(greeted(b"* OK ready\r\n").await, "ready");
        let other = "The server does not greet as an IMAP server does (`* OK \u{2026}`), but says";
        for (greeting, told) in [
            (b"220 mx ESMTP\r\n".as_slice(), "`220 mx ESMTP`: it speaks SMTP or FTP."),
            (b"+OK POP3 ready\r\n", "`+OK POP3 ready`: it speaks POP3."),
            (b"SSH-2.0-OpenSSH_9\n", "`SSH-2.0-OpenSSH_9\\n`: it speaks SSH."),
            (
                b"\x15\x03\x03\0\x02\x02",
                "`\\x15\\x03\\x03\\x00\\x02\\x02`: it speaks TLS.",
            ),
            (b"* 3 EXISTS\r\n", "`* 3 EXISTS`."),
            (b"hello\r\n", "`hello`."),
        ] {
            assert_eq!(greeted(greeting).await, format!("{other} {told}"));
        }
        assert_eq!(greeted(b"").await, "No greeting comes within 2 s.");
    }
}
