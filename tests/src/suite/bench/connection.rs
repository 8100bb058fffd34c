//! One connection, blocking: it counts what comes back, passes over literals and keeps nothing, so that measuring costs
//! little beside what is measured.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use super::peer::{Peer, Way};
use super::stream::Stream;
use super::tally::{Tally, begins, literal, number};
use super::trouble::{Result, Stop, Trouble};
use crate::suite::client::astring;
use crate::suite::target::Security;

/// How long nothing may come, or be taken.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often it is looked whether the run is to end, while nothing comes.
const TICK: Duration = Duration::from_millis(200);
/// A line that is longer is not waited for.
const LINE: usize = 1 << 26;

/// Room for what a server sends at once, in octets.
#[derive(Debug, Clone, Copy)]
pub(super) enum Room {
    /// For a connection that hardly hears anything: 4 KiB.
    Small = 4 << 10,
    /// For short answers: 16 KiB.
    Medium = 16 << 10,
    /// For long answers: 256 KiB.
    Large = 256 << 10,
}

/// One connection.
pub(super) struct Connection {
    stream: Stream,
    /// What was read lies between `from` and `to`.
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    /// The number of the last tag.
    tag: u32,
    out: Vec<u8>,
    patience: Duration,
    stop: Stop,
}

impl Connection {
    /// A connection that has heard the greeting and, where it is to be had by STARTTLS, speaks TLS.
    pub(super) fn open(peer: &Peer, way: Way, room: Room, stop: &Stop) -> Result<Self> {
        Self::open_within(peer, way, room, PATIENCE, stop)
    }

    /// The same for a server that may not be there yet, and is waited for no longer than this at once.
    pub(super) fn greeted(peer: &Peer, way: Way, patience: Duration, stop: &Stop) -> Result<Self> {
        Self::open_within(peer, way, Room::Small, patience, stop)
    }

    fn open_within(peer: &Peer, way: Way, room: Room, patience: Duration, stop: &Stop) -> Result<Self> {
        let security = peer.security(way);
        let mut stream = Stream::Plain(peer.connect(way, TICK)?);
        if security == Security::Tls {
            stream = stream.within_tls(peer)?;
        }
        let mut connection = Self {
            stream,
            buffer: vec![0; room as usize],
            from: 0,
            to: 0,
            tag: 0,
            out: Vec::new(),
            patience,
            stop: stop.clone(),
        };
        let greeting = connection.line_text()?;
        if !begins(greeting.as_bytes(), b"* OK") {
            return Trouble::wrong(format!("the greeting is {greeting}"));
        }
        if security == Security::StartTls {
            connection.command("STARTTLS")?;
            if connection.from < connection.to {
                return Trouble::wrong("octets come in front of the TLS handshake");
            }
            connection.stream = connection.stream.within_tls(peer)?;
        }
        Ok(connection)
    }

    /// A connection that has logged in.
    pub(super) fn login(peer: &Peer, account: usize, way: Way, room: Room, stop: &Stop) -> Result<Self> {
        let mut connection = Self::open(peer, way, room, stop)?;
        let login = peer.accounts.login(account);
        let command = [
            b"LOGIN ".as_slice(),
            &astring(&login.user),
            b" ",
            &astring(&login.password),
        ];
        connection.begin();
        connection.out.extend(command.concat());
        connection.end_line();
        connection.send()?;
        match connection.answers(1) {
            // The password is in no report.
            Err(Trouble::Wrong(answer)) => Trouble::wrong(format!("LOGIN {}: {answer}", login.user)),
            other => other.map(|_| connection),
        }
    }

    /// Sends a command and takes its answer.
    pub(super) fn command(&mut self, command: &str) -> Result<Tally> {
        self.start(command)?;
        self.answers(1).map_err(|trouble| in_answer_to(trouble, command))
    }

    /// Sends a command whose answer is taken by [`Connection::answers`].
    pub(super) fn start(&mut self, command: &str) -> Result<()> {
        self.add(command);
        self.send()
    }

    /// Sends many commands in one go and takes their answers, which are counted together.
    pub(super) fn commands(&mut self, commands: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Tally> {
        let before = self.tag;
        for command in commands {
            self.add(command.as_ref());
        }
        self.send()?;
        self.answers(self.tag.wrapping_sub(before))
    }

    /// APPEND with a literal that waits for the server's consent.
    pub(super) fn append(&mut self, mailbox: &str, options: &str, message: &[u8]) -> Result<()> {
        self.start_append(mailbox, options, message)?;
        self.finish_append(message)?;
        self.answers(1).map_err(|trouble| in_answer_to(trouble, "APPEND"))?;
        Ok(())
    }

    /// APPEND with a literal that does not wait.
    pub(super) fn append_at_once(&mut self, mailbox: &str, options: &str, message: &[u8]) -> Result<()> {
        let command = format!("APPEND {mailbox} {options}{{{}+}}", message.len());
        self.add(&command);
        self.finish_append(message)?;
        self.answers(1).map_err(|trouble| in_answer_to(trouble, "APPEND"))?;
        Ok(())
    }

    /// The first half of an APPEND, up to the server's consent. `options` are flags and date, with a space behind them.
    pub(super) fn start_append(&mut self, mailbox: &str, options: &str, message: &[u8]) -> Result<()> {
        self.start(&format!("APPEND {mailbox} {options}{{{}}}", message.len()))?;
        self.continuation().map_err(|trouble| in_answer_to(trouble, "APPEND"))
    }

    /// The second half, without the answer.
    pub(super) fn finish_append(&mut self, message: &[u8]) -> Result<()> {
        self.out.extend_from_slice(message);
        self.end_line();
        self.send()
    }

    /// APPEND of many messages, each sent with a literal that does not wait: in one command if the server knows MULTIAPPEND.
    /// The time until all are answered is the caller's to take.
    pub(super) fn append_many(&mut self, mailbox: &str, messages: &[(String, Vec<u8>)], one: bool) -> Result<()> {
        let before = self.tag;
        for (index, (options, message)) in messages.iter().enumerate() {
            if !one || index == 0 {
                self.begin();
                self.out.extend_from_slice(format!("APPEND {mailbox}").as_bytes());
            }
            let size = message.len();
            self.out
                .extend_from_slice(format!(" {options}{{{size}+}}\r\n").as_bytes());
            self.out.extend_from_slice(message);
            if !one || index + 1 == messages.len() {
                self.end_line();
            }
        }
        self.send()?;
        let answers = self.answers(self.tag.wrapping_sub(before));
        answers.map_err(|trouble| in_answer_to(trouble, "APPEND"))?;
        Ok(())
    }

    fn begin(&mut self) {
        self.tag = self.tag.wrapping_add(1);
        self.out.extend_from_slice(format!("a{} ", self.tag).as_bytes());
    }

    fn end_line(&mut self) {
        self.out.extend_from_slice(b"\r\n");
    }

    fn add(&mut self, command: &str) {
        self.begin();
        self.out.extend_from_slice(command.as_bytes());
        self.end_line();
    }

    /// Sends what stands in `out`.
    fn send(&mut self) -> Result<()> {
        let out = std::mem::take(&mut self.out);
        let (mut rest, mut ticks) = (out.as_slice(), 0);
        while !rest.is_empty() {
            match self.stream.write(rest) {
                Ok(0) => return Trouble::wrong("the server takes no more octets"),
                Ok(count) => {
                    rest = rest.get(count..).unwrap_or_default();
                    ticks = 0;
                }
                Err(error) => self.once_more(error, &mut ticks)?,
            }
        }
        while let Err(error) = self.stream.flush() {
            self.once_more(error, &mut ticks)?;
        }
        // The memory is used again, unless it was for something large.
        if out.capacity() <= 1 << 16 {
            self.out = out;
            self.out.clear();
        }
        Ok(())
    }

    /// The next `count` tagged responses, each of which must be OK and belong to one of the last `count` commands; what comes
    /// untagged meanwhile is counted.
    pub(super) fn answers(&mut self, count: u32) -> Result<Tally> {
        let mut tally = Tally::default();
        let mut left = count;
        while left > 0 {
            let range = self.line()?;
            let line = self.buffer.get(range).unwrap_or_default();
            tally.octets += line.len() as u64;
            if let Some(response) = line.strip_prefix(b"* ") {
                tally.untagged(response);
                let mut next = literal(response);
                while let Some(size) = next {
                    self.pass(size)?;
                    let range = self.line()?;
                    let line = self.buffer.get(range).unwrap_or_default();
                    tally.octets += size + line.len() as u64;
                    tally.in_literals += size;
                    next = literal(line);
                }
                continue;
            }
            let (tag, rest) = number(line.strip_prefix(b"a").unwrap_or_default());
            let age = tag.map(|tag| u64::from(self.tag).wrapping_sub(tag));
            if age.is_none_or(|age| age >= u64::from(count)) || !begins(rest, b" OK") {
                return Trouble::wrong(shown(line));
            }
            left -= 1;
        }
        Ok(tally)
    }

    /// Waits for the server's consent to go on.
    pub(super) fn continuation(&mut self) -> Result<()> {
        loop {
            let line = self.line_text()?;
            if line.starts_with('+') {
                return Ok(());
            }
            if !line.starts_with("* ") {
                return Trouble::wrong(line);
            }
        }
    }

    fn line_text(&mut self) -> Result<String> {
        let range = self.line()?;
        Ok(shown(self.buffer.get(range).unwrap_or_default()))
    }

    /// Where the next line lies, with its LF.
    fn line(&mut self) -> Result<Range<usize>> {
        let mut seen = 0;
        loop {
            if let Some(line) = self.buffered_line(seen) {
                return Ok(line);
            }
            seen = self.to - self.from;
            self.fill()?;
        }
    }

    /// The next line if it was read already; so many octets of it were looked at before.
    fn buffered_line(&mut self, seen: usize) -> Option<Range<usize>> {
        let from = self.from + seen;
        let found = memchr::memchr(b'\n', self.buffer.get(from..self.to)?)?;
        let line = self.from..from + found + 1;
        self.from = line.end;
        Some(line)
    }

    /// Passes over octets.
    fn pass(&mut self, mut count: u64) -> Result<()> {
        loop {
            let here = (self.to - self.from) as u64;
            if here >= count {
                self.from += count as usize;
                return Ok(());
            }
            count -= here;
            self.from = self.to;
            self.fill()?;
        }
    }

    /// Reads at least one octet more.
    fn fill(&mut self) -> Result<()> {
        self.stop.check()?;
        let mut ticks = 0;
        loop {
            match self.read() {
                Ok(_) => return Ok(()),
                Err(Trouble::Io(error)) => self.once_more(error, &mut ticks)?,
                Err(trouble) => return Err(trouble),
            }
        }
    }

    fn read(&mut self) -> Result<usize> {
        let room = self.buffer.len() - self.to;
        if self.from == self.to {
            (self.from, self.to) = (0, 0);
        } else if self.from > 0 && room < self.buffer.len() / 4 {
            self.buffer.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.to - self.from);
        }
        if self.to == self.buffer.len() {
            if self.to >= LINE {
                return Trouble::wrong(format!("a line of more than {LINE} octets"));
            }
            self.buffer.resize(self.to * 2, 0);
        }
        let room = self.buffer.get_mut(self.to..).unwrap_or_default();
        match self.stream.read(room)? {
            0 => Trouble::wrong("the server has ended the connection"),
            count => {
                self.to += count;
                Ok(count)
            }
        }
    }

    /// Whether to try again after an error, which counts ticks.
    fn once_more(&self, error: io::Error, ticks: &mut u32) -> Result<()> {
        match error.kind() {
            ErrorKind::Interrupted => Ok(()),
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                *ticks += 1;
                self.stop.check()?;
                if TICK * *ticks >= self.patience {
                    return Trouble::wrong(format!("nothing came for {} s", self.patience.as_secs()));
                }
                Ok(())
            }
            _ => Err(error.into()),
        }
    }

    /// From now on [`Connection::heard`] may be used, and nothing else.
    pub(super) fn listen(&mut self) -> Result<()> {
        Ok(self.stream.socket().set_nonblocking(true)?)
    }

    /// What has come meanwhile, without waiting.
    pub(super) fn heard(&mut self) -> Result<Tally> {
        let mut tally = Tally::default();
        loop {
            while let Some(line) = self.buffered_line(0) {
                let line = self.buffer.get(line).unwrap_or_default();
                tally.untagged(line.strip_prefix(b"* ").unwrap_or_default());
            }
            match self.read() {
                Ok(_) => {}
                Err(Trouble::Io(error)) if error.kind() == ErrorKind::WouldBlock => return Ok(tally),
                Err(trouble) => return Err(trouble),
            }
        }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.socket().as_fd()
    }
}

/// A line for people.
fn shown(line: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(line).trim_end().to_owned();
    if let Some((end, _)) = text.char_indices().nth(200) {
        text.truncate(end);
        text.push('…');
    }
    text
}

fn in_answer_to(trouble: Trouble, command: &str) -> Trouble {
    let command: String = command.chars().take(60).collect();
    match trouble {
        Trouble::Wrong(answer) => Trouble::Wrong(format!("{command}: {answer}")),
        other => other,
    }
}
