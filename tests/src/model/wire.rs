//! A connection that says octets and hears whole responses, each within a time.

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::rule::{Checked, Rule, broken};
use crate::frame::{Framing, response_len};
use crate::stream::BoxedStream;

/// How long an answer may take. Where time is paused it is over as soon as nobody has anything to do.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);

/// A connection.
pub(super) struct Wire {
    stream: BoxedStream,
    unread: BytesMut,
}

impl Wire {
    pub(super) fn new(stream: BoxedStream) -> Self {
        Self {
            stream,
            unread: BytesMut::new(),
        }
    }

    /// The stream, to go on with TLS on it.
    pub(super) fn into_stream(self) -> BoxedStream {
        self.stream
    }

    pub(super) async fn send(&mut self, octets: &[u8]) -> Checked {
        let sent = timeout(DEADLINE, async {
            self.stream.write_all(octets).await?;
            self.stream.flush().await
        });
        match sent.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e)) => broken(Rule::Connection, format!("the connection broke: {e}")),
            Err(_) => broken(
                Rule::Connection,
                format!("the server does not read what is sent within {} s", DEADLINE.as_secs()),
            ),
        }
    }

    /// A command with a tag of its own, and its answer: the untagged responses, and the text behind the tag.
    pub(super) async fn ask(&mut self, tag: &str, words: &str) -> Checked<(Vec<Vec<u8>>, String)> {
        self.send(format!("{tag} {words}\r\n").as_bytes()).await?;
        let mut untagged = Vec::new();
        loop {
            let response = self.response().await?;
            let tagged = response
                .strip_prefix(tag.as_bytes())
                .and_then(|rest| rest.strip_prefix(b" "));
            match tagged {
                Some(text) => return Ok((untagged, String::from_utf8_lossy(text).into_owned())),
                None => untagged.push(response),
            }
        }
    }

    /// The next response.
    pub(super) async fn response(&mut self) -> Checked<Vec<u8>> {
        match self.response_within(DEADLINE).await? {
            Some(response) => Ok(response),
            None => broken(Rule::Answer, format!("no answer within {} s", DEADLINE.as_secs())),
        }
    }

    /// The next response, if it comes within this time.
    pub(super) async fn response_within(&mut self, time: Duration) -> Checked<Option<Vec<u8>>> {
        loop {
            if let Some(response) = self.take()? {
                return Ok(Some(response));
            }
            match timeout(time, self.stream.read_buf(&mut self.unread)).await {
                Ok(read) => ended(read)?,
                Err(_) => return Ok(None),
            }
        }
    }

    /// The next response, if it is there.
    pub(super) async fn response_if_there(&mut self) -> Checked<Option<Vec<u8>>> {
        loop {
            if let Some(response) = self.take()? {
                return Ok(Some(response));
            }
            let Self { stream, unread } = self;
            let read = tokio::select! {
                biased;
                read = stream.read_buf(unread) => read,
                () = std::future::ready(()) => return Ok(None),
            };
            ended(read)?;
        }
    }

    fn take(&mut self) -> Checked<Option<Vec<u8>>> {
        match response_len(&self.unread) {
            Framing::Whole(len) => {
                let whole = self.unread.split_to(len);
                Ok(Some(whole[..len - 2].to_vec()))
            }
            Framing::More => Ok(None),
            Framing::Broken(why) => broken(Rule::Syntax, format!("{why} in what the server sends")),
        }
    }
}

fn ended(read: std::io::Result<usize>) -> Checked {
    match read {
        Ok(0) => broken(Rule::Connection, "the server closed the connection"),
        Ok(_) => Ok(()),
        Err(e) => broken(Rule::Connection, format!("the connection broke: {e}")),
    }
}
