//! A message as programs hand it over, made into one as it is kept: CRLF line ends, no mbox line before it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};

/// Octets read at a time.
const PIECE: usize = 64 * 1024;

/// Reads a message piece by piece. A LF without a CR before it becomes CRLF, and NUL is left out: IMAP has no way to send one
/// (RFC 3501 9, R3501-338), and a message is worth more than a bounce. Every other octet is kept.
pub(crate) struct Message<R> {
    source: R,
    piece: Box<[u8]>,
    /// What of `piece` is still to be given.
    start: usize,
    end: usize,
    after_cr: bool,
}

impl<R: AsyncRead + Unpin> Message<R> {
    /// The message that `source` holds; `None` when it is empty.
    ///
    /// # Errors
    /// Those of reading.
    pub(crate) async fn open(source: R) -> io::Result<Option<Self>> {
        let piece = vec![0; PIECE].into_boxed_slice();
        let mut message = Self {
            source,
            piece,
            start: 0,
            end: 0,
            after_cr: false,
        };
        while !message.rest().contains(&b'\n') && message.fill_up().await? {}
        message.start = mbox_line(message.rest());
        if message.rest().is_empty() {
            (message.start, message.end) = (0, 0);
            while message.rest().is_empty() && message.fill_up().await? {}
        }
        Ok((!message.rest().is_empty()).then_some(message))
    }

    /// Reads more behind what there is; `false` when there is no room, or no more.
    async fn fill_up(&mut self) -> io::Result<bool> {
        let room = self.piece.get_mut(self.end..).unwrap_or_default();
        let read = self.source.read(room).await?;
        self.end += without_nul(room.get_mut(..read).unwrap_or_default());
        Ok(read > 0)
    }
}

impl<R> Message<R> {
    fn rest(&self) -> &[u8] {
        self.piece.get(self.start..self.end).unwrap_or_default()
    }

    /// Gives as much as there is room for.
    fn give(&mut self, out: &mut ReadBuf<'_>) {
        while out.remaining() > 0 && !self.rest().is_empty() {
            let rest = self.rest();
            let line = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
            let run = rest.get(..line.min(out.remaining())).unwrap_or_default();
            match run.last() {
                Some(last) => {
                    out.put_slice(run);
                    (self.start, self.after_cr) = (self.start + run.len(), *last == b'\r');
                }
                None if self.after_cr => {
                    out.put_slice(b"\n");
                    (self.start, self.after_cr) = (self.start + 1, false);
                }
                // The LF itself follows in the next round, or the next call.
                None => {
                    out.put_slice(b"\r");
                    self.after_cr = true;
                }
            }
        }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Message<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let message = &mut *self;
        while message.rest().is_empty() {
            let mut piece = ReadBuf::new(&mut message.piece);
            ready!(Pin::new(&mut message.source).poll_read(cx, &mut piece))?;
            if piece.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            (message.start, message.end) = (0, without_nul(piece.filled_mut()));
        }
        message.give(out);
        Poll::Ready(Ok(()))
    }
}

/// Moves everything but NUL to the front, and says how much that is.
fn without_nul(octets: &mut [u8]) -> usize {
    if !octets.contains(&0) {
        return octets.len();
    }
    let mut kept = 0;
    for at in 0..octets.len() {
        if octets.get(at).is_some_and(|b| *b != 0) {
            octets.swap(kept, at);
            kept += 1;
        }
    }
    kept
}

/// How long the line is that mbox files have before a message. A header field of that name has a colon (RFC 5322 4.5).
fn mbox_line(text: &[u8]) -> usize {
    let end = text.iter().position(|b| *b == b'\n').map_or(text.len(), |at| at + 1);
    match text.get(..end).and_then(|line| line.strip_prefix(b"From ")) {
        Some(rest) if !rest.trim_ascii_start().starts_with(b":") => end,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives what it holds in pieces of one size.
    struct Slowly<'a>(&'a [u8], usize);

    impl AsyncRead for Slowly<'_> {
        fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            let (now, later) = self.0.split_at(self.0.len().min(self.1).min(out.remaining()));
            out.put_slice(now);
            self.0 = later;
            Poll::Ready(Ok(()))
        }
    }

    async fn read(text: &[u8], source: usize, reader: usize) -> Option<Vec<u8>> {
        let mut message = Message::open(Slowly(text, source)).await.unwrap()?;
        let (mut all, mut piece) = (Vec::new(), vec![0; reader]);
        loop {
            match message.read(&mut piece).await.unwrap() {
                0 => return Some(all),
                read => all.extend_from_slice(&piece[..read]),
            }
        }
    }

    #[tokio::test]
    async fn a_message_gets_crlf_and_nothing_else_however_it_is_split() {
        let long = [b'x'; 300_000];
        let longer = [&b"a\n"[..], &long[..], b"\n"].concat();
        let longer_crlf = [&b"a\r\n"[..], &long[..], b"\r\n"].concat();
        let table: &[(&[u8], Option<&[u8]>)] = &[
            (b"", None),
            (b"\0\0", None),
            (b"a\0\n\0\0b\0\r\0\n", Some(b"a\r\nb\r\n")),
            (b"From a@b Thu Jan  1 00:00:00 1970\n", None),
            (b"From a@b Thu Jan  1 00:00:00 1970", None),
            (
                b"From a@b Thu Jan  1 00:00:00 1970\nA: b\n\nc\n",
                Some(b"A: b\r\n\r\nc\r\n"),
            ),
            (b"From a@b\r\nA: b\r\n", Some(b"A: b\r\n")),
            (b"From : a@b\n\n", Some(b"From : a@b\r\n\r\n")),
            (b"From: a@b\n\n", Some(b"From: a@b\r\n\r\n")),
            (b"From", Some(b"From")),
            (b"\n", Some(b"\r\n")),
            (b"a\r\n\nb\n\r\nc", Some(b"a\r\n\r\nb\r\n\r\nc")),
            (b"a\r\rb\r\n\0\xff\r", Some(b"a\r\rb\r\n\xff\r")),
            (&longer, Some(&longer_crlf)),
        ];
        for (text, expected) in table {
            for (source, reader) in [(1, 1), (1, 7), (7, 1), (3, 2), (65_536, 65_536), (1_000_000, 10_000)] {
                if text.len() / source.min(reader) > 100_000 {
                    continue;
                }
                let read = read(text, source, reader).await;
                assert_eq!(read.as_deref(), *expected, "{:?} {source} {reader}", text.len());
            }
        }
    }
}
