//! The test client: says octets, hears whole responses, and fails on everything that was not expected.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::frame::{Framing, response_len, shown};
use crate::pattern::{self, Bound};
use crate::stream::BoxedStream;

/// How long an answer may take. Where time is paused it is over as soon as nobody has anything to do.
const DEADLINE: Duration = Duration::from_secs(20);

/// One connection, with all that was said and heard on it.
pub struct Client {
    stream: BoxedStream,
    unread: BytesMut,
    transcript: String,
    bound: Bound,
    deadline: Duration,
}

impl Client {
    /// A client that has said and heard nothing yet.
    pub fn new(stream: impl Into<BoxedStream>) -> Self {
        Self {
            stream: stream.into(),
            unread: BytesMut::new(),
            transcript: String::new(),
            bound: Bound::new(),
            deadline: DEADLINE,
        }
    }

    /// The same with another deadline, as for what the server says by itself after a time.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Holds a conversation: lines that begin with `C: ` are said, those with `S: ` must be heard. Indentation and empty
    /// lines do not count; a CR LF within a line (as a literal has it) does.
    ///
    /// # Panics
    /// Something else was heard, or nothing in time.
    pub async fn talks(&mut self, conversation: &str) {
        let mut held = 0;
        for line in source_lines(conversation) {
            held += 1;
            if let Some(said) = line.strip_prefix("C: ") {
                self.says(said).await;
            } else if let Some(heard) = line.strip_prefix("S: ") {
                self.hears(heard).await;
            } else {
                panic!("neither `C: ` nor `S: `: {line:?}");
            }
        }
        assert!(held > 0, "an empty conversation claims nothing");
    }

    /// Says one line; CR LF is put behind it.
    pub async fn says(&mut self, line: impl AsRef<[u8]>) {
        let mut octets = line.as_ref().to_vec();
        octets.extend_from_slice(b"\r\n");
        self.sends(&octets).await;
    }

    /// Sends octets as they are, in one write.
    ///
    /// # Panics
    /// The connection is broken, or the server does not take them in time.
    pub async fn sends(&mut self, octets: &[u8]) {
        self.note("C", octets);
        let sent = timeout(self.deadline, async {
            self.stream.write_all(octets).await?;
            self.stream.flush().await
        });
        match sent.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.fails(&format!("the connection broke: {error}")),
            Err(_) => self.fails("the server did not take what was said"),
        }
    }

    /// Sends octets one at a time, each with the server's chance to look at it.
    pub async fn sends_byte_by_byte(&mut self, octets: &[u8]) {
        self.note("C", octets);
        for octet in octets {
            let sent = self.stream.write_all(std::slice::from_ref(octet)).await;
            sent.and(self.stream.flush().await)
                .unwrap_or_else(|e| self.fails(&format!("the connection broke: {e}")));
            tokio::task::yield_now().await;
        }
    }

    /// Hears exactly these responses, one a line.
    ///
    /// # Panics
    /// Another response, or none in time.
    pub async fn hears(&mut self, expected: &str) {
        for line in source_lines(expected) {
            let heard = self.response().await;
            if let Err(agreed) = pattern::matches(&line, &heard, &mut self.bound) {
                let shown = shown(&heard);
                let upto = self::shown(&heard[..agreed]);
                self.fails(&format!("expected {line:?}\n   heard {shown:?}\n  agreed {upto:?}"));
            }
        }
    }

    /// Hears exactly this response, given in octets.
    ///
    /// # Panics
    /// Another response, or none in time.
    pub async fn hears_octets(&mut self, expected: &[u8]) {
        let heard = self.response().await;
        if heard != expected {
            self.fails(&format!("expected {:?}", shown(expected)));
        }
    }

    /// The next response, literals and all, without its CR LF.
    ///
    /// # Panics
    /// There is none in time, the connection ended, or its framing is broken.
    pub async fn response(&mut self) -> Vec<u8> {
        match timeout(self.deadline, self.read_response()).await {
            Ok(Ok(Some(response))) => response,
            Ok(Ok(None)) => self.fails("the server closed the connection"),
            Ok(Err(error)) => self.fails(&format!("the connection broke: {error}")),
            Err(_) => self.fails("nothing more was heard in time"),
        }
    }

    /// The connection ends here, without another octet.
    ///
    /// # Panics
    /// It does not.
    pub async fn is_closed(&mut self) {
        match timeout(self.deadline, self.read_response()).await {
            Ok(Ok(None) | Err(_)) => {}
            Ok(Ok(Some(_))) => self.fails("the server said more instead of closing the connection"),
            Err(_) => self.fails("the server did not close the connection"),
        }
    }

    /// Nothing is heard for as long as this. Where time is paused that is as long as anybody has anything to do.
    ///
    /// # Panics
    /// Something is.
    pub async fn hears_nothing_for(&mut self, time: Duration) {
        if timeout(time, self.read_response()).await.is_ok() {
            self.fails("something was heard where silence was expected");
        }
    }

    /// What a hole of an earlier line was bound to.
    ///
    /// # Panics
    /// No line had such a hole.
    pub fn bound(&self, hole: &str) -> &str {
        match self.bound.get(hole) {
            Some(number) => number,
            None => self.fails(&format!("no line bound <{hole}>")),
        }
    }

    /// Gives a hole its number, learned elsewhere.
    pub fn bind(&mut self, hole: &str, number: &str) {
        self.bound.insert(hole.to_owned(), number.to_owned());
    }

    /// The stream, to go on with something else on it, such as TLS. Nothing unread may be left.
    ///
    /// # Panics
    /// Something is.
    pub fn into_stream(mut self) -> BoxedStream {
        if !self.unread.is_empty() {
            self.fails("octets were left unread");
        }
        std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()))
    }

    /// What was said and heard so far.
    pub fn transcript(&self) -> &str {
        &self.transcript
    }

    async fn read_response(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        loop {
            match response_len(&self.unread) {
                Framing::Whole(len) => {
                    let whole = self.unread.split_to(len);
                    self.note("S", &whole);
                    return Ok(Some(whole[..len - 2].to_vec()));
                }
                Framing::Broken(why) => self.fails(&format!("{why}: {:?}", shown(&self.unread))),
                Framing::More => {}
            }
            if self.stream.read_buf(&mut self.unread).await? == 0 {
                if !self.unread.is_empty() {
                    self.fails(&format!("the connection ended within {:?}", shown(&self.unread)));
                }
                return Ok(None);
            }
        }
    }

    fn note(&mut self, who: &str, octets: &[u8]) {
        let mut text = shown(octets);
        if text.len() > 600 {
            let cut = (0..=300).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
            text = format!("{}… ({} octets)", &text[..cut], octets.len());
        }
        let _ = writeln!(self.transcript, "{who}: {text}");
    }

    fn fails(&self, why: &str) -> ! {
        let lines: Vec<&str> = self.transcript.lines().collect();
        let last = &lines[lines.len().saturating_sub(60)..];
        panic!("{why}\n--- so far:\n{}", last.join("\n"))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if std::thread::panicking() || self.unread.is_empty() {
            return;
        }
        let left = shown(self.unread.chunk());
        self.fails(&format!("the test ended with this unread: {left:?}"));
    }
}

/// The lines of a text in a test: separated by a bare LF, without indentation; CR LF belongs to a line, also where a raw
/// string writes it as `\r\n`.
fn source_lines(text: &str) -> Vec<String> {
    let text = text.replace(r"\r\n", "\r\n");
    let mut lines: Vec<String> = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let line = lines.last_mut().expect("there is always a line");
        match c {
            '\r' if chars.peek() == Some(&'\n') => {
                chars.next();
                line.push_str("\r\n");
            }
            '\n' => lines.push(String::new()),
            ' ' if line.is_empty() => {}
            other => line.push(other),
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_keeps_the_line_ends_of_literals() {
        assert_eq!(source_lines("\n   S: a\r\n b\n   C: c\n"), ["S: a\r\n b", "C: c"]);
        assert_eq!(source_lines(r"S: a\r\n\Seen"), ["S: a\r\n\\Seen"]);
    }

    async fn against(server: &'static [u8], conversation: &'static str) -> bool {
        let (ours, mut theirs) = tokio::io::duplex(1024);
        theirs.write_all(server).await.unwrap();
        let held = tokio::spawn(async move { Client::new(Box::new(ours) as BoxedStream).talks(conversation).await });
        held.await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_missing_or_too_much_fails() {
        assert!(
            against(
                b"* 1 EXISTS\r\na OK done\r\n",
                "C: a NOOP\n S: * 1 EXISTS\n S: a OK <text>"
            )
            .await
        );
        assert!(!against(b"a OK done\r\n", "C: a NOOP\n S: * 1 EXISTS\n S: a OK <text>").await);
        assert!(!against(b"* 1 EXISTS\r\na OK done\r\n", "C: a NOOP\n S: a OK <text>").await);
        assert!(!against(b"a OK done\r\n* 1 EXISTS\r\n", "C: a NOOP\n S: a OK <text>").await);
        assert!(!against(b"", "C: a NOOP\n S: a OK <text>").await);
    }
}
