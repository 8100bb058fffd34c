//! Deliberate faults between a server and its client: proof that the suite bites. A suite that finds nothing wrong with a
//! server that lies proves nothing about one that does not.
//!
//! [`FAULTS`] are all of them; [`Fault::between`] puts one on a connection. What the suite says to set a scenario up
//! passes unharmed: only what the scenario itself compares is falsified.

mod list;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::wire::Scan;
use crate::stream::BoxedStream;
pub use list::FAULTS;

/// Something wrong that a server could say.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// What it is called.
    pub name: &'static str,
    /// The scenarios whose names contain this are the likeliest to see it.
    pub hint: &'static str,
    /// What becomes of a response, given and returned as text with an octet for each character, its CR LF included. None:
    /// it stays as it is.
    falsify: fn(&mut Memory, &str) -> Option<String>,
}

/// What a fault remembers from one response to the next.
#[derive(Debug, Default)]
struct Memory {
    /// How often something happened.
    count: u32,
    /// What is held back.
    held: String,
}

/// Octets on their way in each direction.
const PIPE: usize = 64 * 1024;

impl Fault {
    /// The fault of this name.
    pub fn named(name: &str) -> Option<Self> {
        FAULTS.iter().find(|fault| fault.name == name).copied()
    }

    /// The client's end of a connection whose other end leads to this server, with the fault in between.
    pub fn between(self, server: BoxedStream) -> BoxedStream {
        let (ours, theirs) = tokio::io::duplex(PIPE);
        tokio::spawn(self.pump(server, theirs));
        Box::new(ours)
    }

    async fn pump(self, mut server: BoxedStream, mut client: tokio::io::DuplexStream) {
        let (mut from_client, mut from_server) = ([0; 4096], [0; 4096]);
        let mut unread = Vec::new();
        let mut memory = Memory::default();
        let mut active = Active::new(self.name.starts_with("the greeting"));
        loop {
            tokio::select! {
                read = client.read(&mut from_client) => {
                    let Ok(count @ 1..) = read else { break };
                    let octets = from_client.get(..count).unwrap_or_default();
                    active.sees(octets);
                    if server.write_all(octets).await.is_err() || server.flush().await.is_err() {
                        break;
                    }
                }
                read = server.read(&mut from_server) => {
                    let Ok(count @ 1..) = read else { break };
                    unread.extend_from_slice(from_server.get(..count).unwrap_or_default());
                    while let Ok(Some(len)) = Scan::default().response(&unread) {
                        let rest = unread.split_off(len);
                        let response = std::mem::replace(&mut unread, rest);
                        let said = active.falsifies().then(|| (self.falsify)(&mut memory, &text(&response))).flatten();
                        let said = said.map_or(response, |said| octets(&said));
                        if client.write_all(&said).await.is_err() {
                            return;
                        }
                    }
                }
            }
        }
        let _ = client.shutdown().await;
        let _ = server.shutdown().await;
    }
}

/// Whether a fault does anything yet.
struct Active {
    greeting: bool,
    heard: bool,
    begun: bool,
}

impl Active {
    fn new(greeting: bool) -> Self {
        Self {
            greeting,
            heard: false,
            begun: false,
        }
    }

    /// What the suite says on its own behalf has tags of its own.
    fn sees(&mut self, octets: &[u8]) {
        self.begun |= !octets.starts_with(b"setup");
    }

    fn falsifies(&mut self) -> bool {
        let first = !std::mem::replace(&mut self.heard, true);
        if self.greeting { first } else { self.begun }
    }
}

fn text(octets: &[u8]) -> String {
    octets.iter().map(|b| char::from(*b)).collect()
}

fn octets(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect()
}
