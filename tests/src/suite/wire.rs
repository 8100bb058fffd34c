//! A connection: whole responses in, octets out, with TLS and DEFLATE from any octet on. Nothing a server sends can make it
//! keep more than its limits.

use std::io;
use std::time::Duration;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use super::token::number;
use crate::stream::BoxedStream;

/// The longest response without its literals.
const LINE: usize = 4 << 20;

/// The most octets of a response with its literals.
const RESPONSE: usize = 80 << 20;

/// What came of waiting for a response.
#[derive(Debug)]
pub enum Heard {
    /// A response, without its final CR LF.
    Response(Vec<u8>),
    /// What can be none: why, and what there was.
    Broken(String, Vec<u8>),
    /// The server has ended the connection; what was left without an end.
    Closed(Vec<u8>),
    /// Nothing came in time; what there was of a response.
    Nothing(Vec<u8>),
}

/// One connection.
pub struct Wire {
    stream: BoxedStream,
    unread: Vec<u8>,
    deflate: Option<Deflate>,
    scan: Scan,
}

struct Deflate {
    out: Compress,
    into: Decompress,
}

/// How far the unread octets were looked at, so that each is looked at once.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Scan {
    /// Where the line begins that was not yet seen whole.
    line: usize,
    /// Up to where it has no LF.
    seen: usize,
    /// Octets outside of literals before it.
    outside: usize,
}

impl Wire {
    /// A connection that nothing was said on.
    pub fn new(stream: BoxedStream) -> Self {
        Self {
            stream,
            unread: Vec::new(),
            deflate: None,
            scan: Scan::default(),
        }
    }

    /// Sends octets.
    ///
    /// # Errors
    /// The connection is broken, or they are not taken in time.
    pub async fn send(&mut self, octets: &[u8], time: Duration) -> io::Result<()> {
        let until = Instant::now() + time;
        let compressed;
        let octets = match &mut self.deflate {
            None => octets,
            Some(deflate) => {
                compressed = deflate.compressed(octets)?;
                &compressed
            }
        };
        let sent = timeout_at(until, async {
            self.stream.write_all(octets).await?;
            self.stream.flush().await
        });
        sent.await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the server does not take what is sent"))?
    }

    /// The next response, if one comes until then.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn hear(&mut self, until: Instant) -> Heard {
        loop {
            match self.scan.response(&self.unread) {
                Ok(Some(len)) => {
                    let rest = self.unread.split_off(len);
                    let mut response = std::mem::replace(&mut self.unread, rest);
                    response.truncate(len - 2);
                    self.scan = Scan::default();
                    return Heard::Response(response);
                }
                Ok(None) => {}
                Err(why) => {
                    self.scan = Scan::default();
                    return Heard::Broken(why, std::mem::take(&mut self.unread));
                }
            }
            match timeout_at(until, self.read()).await {
                Err(_) => return Heard::Nothing(self.unread.clone()),
                Ok(Ok(0) | Err(_)) => return Heard::Closed(std::mem::take(&mut self.unread)),
                Ok(Ok(_)) => {}
            }
        }
    }

    async fn read(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 16 * 1024];
        let count = self.stream.read(&mut buffer).await?;
        let octets = buffer.get(..count).unwrap_or_default();
        match &mut self.deflate {
            None => self.unread.extend_from_slice(octets),
            Some(deflate) => deflate.decompress(octets, &mut self.unread)?,
        }
        Ok(count)
    }

    /// Both directions are compressed from here on (RFC 4978).
    ///
    /// # Errors
    /// What came already cannot be decompressed.
    pub fn compress(&mut self) -> io::Result<()> {
        let mut deflate = Deflate {
            out: Compress::new(Compression::default(), false),
            into: Decompress::new(false),
        };
        let unread = std::mem::take(&mut self.unread);
        self.scan = Scan::default();
        deflate.decompress(&unread, &mut self.unread)?;
        self.deflate = Some(deflate);
        Ok(())
    }

    /// The stream, to go on with TLS.
    ///
    /// # Errors
    /// Octets that came in front of the handshake.
    pub fn into_stream(self) -> Result<BoxedStream, Vec<u8>> {
        if self.unread.is_empty() {
            Ok(self.stream)
        } else {
            Err(self.unread)
        }
    }

    /// Cuts the connection.
    pub async fn close(mut self) {
        let _ = self.stream.shutdown().await;
    }
}

impl Deflate {
    fn compressed(&mut self, octets: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::with_capacity(octets.len() + 64);
        let mut rest = octets;
        loop {
            out.reserve(4096);
            let before = self.out.total_in();
            self.out
                .compress_vec(rest, &mut out, FlushCompress::Sync)
                .map_err(|e| io::Error::other(e.to_string()))?;
            let taken = usize::try_from(self.out.total_in() - before).unwrap_or(usize::MAX);
            rest = rest.get(taken..).unwrap_or_default();
            // A sync flush is complete when room is left behind it.
            if rest.is_empty() && out.len() < out.capacity() {
                return Ok(out);
            }
        }
    }

    fn decompress(&mut self, octets: &[u8], into: &mut Vec<u8>) -> io::Result<()> {
        let mut rest = octets;
        loop {
            if into.len() > RESPONSE {
                return Err(io::Error::other("more octets than any response has"));
            }
            into.reserve(16 * 1024);
            let (before, produced) = (self.into.total_in(), self.into.total_out());
            let status = self
                .into
                .decompress_vec(rest, into, FlushDecompress::Sync)
                .map_err(|e| io::Error::other(e.to_string()))?;
            let taken = usize::try_from(self.into.total_in() - before).unwrap_or(usize::MAX);
            rest = rest.get(taken..).unwrap_or_default();
            let idle = taken == 0 && self.into.total_out() == produced;
            if status == Status::StreamEnd || idle || (rest.is_empty() && into.len() < into.capacity()) {
                return Ok(());
            }
        }
    }
}

impl Scan {
    /// The length of the response at the front, its literals and CR LF included.
    pub(super) fn response(&mut self, octets: &[u8]) -> Result<Option<usize>, String> {
        loop {
            let Some(ahead) = octets.get(self.seen.max(self.line)..) else {
                return Ok(None);
            };
            let Some(found) = ahead.iter().position(|b| *b == b'\n') else {
                self.seen = octets.len();
                if self.outside + octets.len().saturating_sub(self.line) > LINE {
                    return Err(format!("a line of more than {LINE} octets"));
                }
                return Ok(None);
            };
            let end = self.seen.max(self.line) + found;
            let line = octets.get(self.line..end).unwrap_or_default();
            let Some(line) = line.strip_suffix(b"\r") else {
                return Err("A line ends with LF, not CR LF (RFC 3501 2.2).".into());
            };
            if line.contains(&b'\r') {
                return Err("There is a bare CR in a line (RFC 3501 2.2).".into());
            }
            self.outside += line.len() + 2;
            let first = self.line == 0;
            let size = if first && is_status(line) { None } else { literal(line) };
            let Some(size) = size else { return Ok(Some(end + 1)) };
            let next = usize::try_from(size).ok().and_then(|size| size.checked_add(end + 1));
            match next.filter(|next| *next <= RESPONSE) {
                Some(next) => {
                    self.line = next;
                    self.seen = next;
                }
                None => return Err(format!("a literal of {size} octets")),
            }
        }
    }
}

/// Whether a line is a status response or a continuation, the text of which may end with braces.
fn is_status(line: &[u8]) -> bool {
    let mut words = line.split(|b| *b == b' ');
    let tag = words.next().unwrap_or_default();
    let word = words.next().unwrap_or_default().to_ascii_uppercase();
    let status = matches!(word.as_slice(), b"OK" | b"NO" | b"BAD" | b"BYE" | b"PREAUTH");
    let text = words.next().unwrap_or_default();
    let code_ends = !text.starts_with(b"[") || line.contains(&b']');
    tag == b"+" || (status && code_ends)
}

/// The size of the literal that a line announces at its end.
fn literal(line: &[u8]) -> Option<u64> {
    let inner = line.strip_suffix(b"}")?;
    let at = inner.iter().rposition(|b| *b == b'{')?;
    number(inner.get(at + 1..)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    fn front(octets: &[u8]) -> Result<Option<usize>, String> {
        Scan::default().response(octets)
    }

    #[test]
    fn a_response_holds_its_literals() {
        assert_eq!(front(b"* OK\r\n* 1"), Ok(Some(6)));
        assert_eq!(front(b"* 1 FETCH (BODY[] {4}\r\na\r\nb)\r\n"), Ok(Some(30)));
        assert_eq!(front(b"* 1 FETCH (BODY[] {4}\r\na\r\nb"), Ok(None));
        assert_eq!(front(b"* OK costs {5}\r\n"), Ok(Some(16)));
        assert!(front(b"* OK\n").is_err());
        assert!(front(b"* O\rK\r\n").is_err());
    }

    #[test]
    fn what_no_scenario_needs_is_not_kept() {
        assert!(front(&vec![b'x'; LINE + 1]).is_err());
        assert!(front(format!("* 1 FETCH (BODY[] {{{}}}\r\n", u64::MAX).as_bytes()).is_err());
        assert!(front(format!("* 1 FETCH (BODY[] {{{RESPONSE}}}\r\n").as_bytes()).is_err());
        let many = "x {0}\r\n".repeat(LINE / 4);
        assert!(front(many.as_bytes()).is_err());
    }

    proptest! {
        /// However the octets come, the same response ends at the same place.
        #[test]
        fn pieces_make_no_difference(cuts in proptest::collection::vec(0_usize..45, 0..6)) {
            let whole = b"* 1 FETCH (BODY[] {4}\r\na\r\nb X {2}\r\n}\r)\r\n* NEXT";
            let mut scan = Scan::default();
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut found = None;
            for cut in cuts {
                found = found.or(scan.response(whole.get(..cut).unwrap()).unwrap());
            }
            found = found.or(scan.response(whole).unwrap());
            prop_assert_eq!(found, Some(40));
        }
    }

    #[tokio::test]
    async fn what_is_compressed_comes_back() {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let (mut here, mut there) = (Wire::new(Box::new(ours)), Wire::new(Box::new(theirs)));
        here.compress().unwrap();
        there.compress().unwrap();
        let long = format!("* {}\r\n", "long ".repeat(20_000));
        for text in ["* OK short\r\n", long.as_str(), "a OK again\r\n"] {
            let sending = here.send(text.as_bytes(), Duration::from_secs(5));
            let until = Instant::now() + Duration::from_secs(5);
            let (sent, heard) = tokio::join!(sending, there.hear(until));
            sent.unwrap();
            match heard {
                Heard::Response(octets) => assert_eq!(octets, text.strip_suffix("\r\n").unwrap().as_bytes()),
                other => panic!("{other:?}"),
            }
        }
    }
}
