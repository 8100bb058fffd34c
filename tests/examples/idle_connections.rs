//! What 20,000 connections cost that idle on one mailbox of 100,000 messages, in one process: memory of each, and how soon an
//! APPEND is told to the last of them.
//!
//! `cargo run --release -p imap-compliance --example idle_connections [CONNECTIONS [FOLDER]]`
//!
//! The connections are pipes in memory, since a process may not open as many files everywhere, with the clients at their other
//! ends: what a pipe and its client take is measured before, on as many that no server holds, and taken off. So the figure is
//! the server's own part. Beneath a connection over a network there are besides its socket in the kernel and its place among
//! those that tokio watches. The data folder is made below FOLDER, else in memory. Linux alone says what is asked here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::alloc::System;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use backend_api::{ConnInfo, DateTime, Flags, Incoming, MailStore as _, MailboxName, MessageBody, NewMessage};
use backend_sqlite::{Options, SqliteStore};
use backendutil::Mapped;
use imap_server::{Caps, Server};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::Notify;

const CONNECTIONS: usize = 20_000;
const MESSAGES: usize = 100_000;
/// Octets that a pipe holds in each direction.
const PIPE: usize = 256;
const APPENDS: usize = 7;
const MESSAGE: &[u8] = b"Subject: news\r\n\r\nThere is something new.\r\n";

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Octets of the process at a moment.
#[derive(Clone, Copy)]
struct Memory {
    /// In memory, as the kernel counts pages.
    resident: f64,
    /// Allocated and not given back.
    allocated: f64,
}

impl Memory {
    fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let resident: f64 = line.trim_end_matches("kB").trim().parse().unwrap();
        let stats = ALLOCATOR.stats();
        Self {
            resident: resident * 1024.0,
            allocated: stats.bytes_allocated as f64 - stats.bytes_deallocated as f64,
        }
    }

    fn since(self, before: Self) -> Self {
        Self {
            resident: self.resident - before.resident,
            allocated: self.allocated - before.allocated,
        }
    }

    /// The share of one of so many.
    fn each(self, of: usize) -> Self {
        Self {
            resident: self.resident / of as f64,
            allocated: self.allocated / of as f64,
        }
    }
}

impl std::fmt::Display for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:.0} octets resident, {:.0} allocated",
            self.resident, self.allocated
        )
    }
}

/// Who was told of the last message, and when.
struct Told {
    began: Instant,
    /// For each client: microseconds since then, when it last read an EXISTS.
    at: Vec<AtomicU64>,
    left: AtomicUsize,
    all: Notify,
}

impl Told {
    fn new(clients: usize) -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            at: (0..clients).map(|_| AtomicU64::new(0)).collect(),
            left: AtomicUsize::new(0),
            all: Notify::new(),
        })
    }

    fn micros(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap()
    }
}

/// A client that reads what it is told until the connection ends. Each message is told it by one line with EXISTS.
async fn idles(mut pipe: DuplexStream, number: usize, told: Arc<Told>) {
    let (mut octets, mut line) = ([0; 64], Vec::new());
    while let Ok(count @ 1..) = pipe.read(&mut octets).await {
        for octet in &octets[..count] {
            line.push(*octet);
            if *octet == b'\n' {
                if line.ends_with(b" EXISTS\r\n") {
                    told.at[number].store(told.micros(), Ordering::Relaxed);
                    if told.left.fetch_sub(1, Ordering::AcqRel) == 1 {
                        told.all.notify_one();
                    }
                }
                line = Vec::new();
            }
        }
    }
}

/// Says something and reads up to a line that begins so.
async fn ask(pipe: &mut DuplexStream, says: &str, until: &str) {
    pipe.write_all(says.as_bytes()).await.unwrap();
    let mut line = Vec::new();
    loop {
        let octet = pipe.read_u8().await.unwrap();
        line.push(octet);
        if octet == b'\n' {
            if line.starts_with(until.as_bytes()) {
                return;
            }
            let refused = line.starts_with(b"a NO") || line.starts_with(b"a BAD") || line.starts_with(b"* BYE");
            assert!(!refused, "{}", String::from_utf8_lossy(&line));
            line.clear();
        }
    }
}

async fn fill(store: &SqliteStore) {
    let account = store.add_user("demo", Some(b"secret"), true).await.unwrap();
    let inbox = store.mailbox(&account, &MailboxName::inbox()).await.unwrap().unwrap();
    let message = |number: usize| {
        let text = format!("Subject: number {number}\r\n\r\nText.\r\n");
        let body = Incoming::Body(MessageBody::from(text));
        NewMessage::new(Flags::SEEN, DateTime::now(), 0, body)
    };
    for from in (0..MESSAGES).step_by(1000) {
        let messages = (from..from + 1000).map(message).collect();
        store.add(&account, inbox.id, messages).await.unwrap();
    }
}

/// A connection on which the account is logged in and the mailbox selected.
async fn selected(server: &Server<Mapped<SqliteStore>>) -> DuplexStream {
    let (mut client, stream) = duplex(PIPE);
    let server = server.clone();
    tokio::spawn(async move {
        // Passwords are taken where both ends are here.
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 143));
        server.serve(stream, ConnInfo::new(Some(here), Some(here))).await;
    });
    ask(&mut client, "", "* OK").await;
    ask(&mut client, "a LOGIN demo secret\r\n", "a OK").await;
    ask(&mut client, "a SELECT INBOX\r\n", "a OK").await;
    client
}

/// A pipe through which both sides spoke, as they do before IDLE, with nobody at its end.
async fn bare() -> (DuplexStream, DuplexStream) {
    let (mut client, mut server) = duplex(PIPE);
    for _ in 0..8 {
        let mut octets = [0; PIPE];
        server.write_all(&octets).await.unwrap();
        client.read_exact(&mut octets).await.unwrap();
        client.write_all(&octets[..24]).await.unwrap();
        server.read_exact(&mut octets[..24]).await.unwrap();
    }
    (client, server)
}

/// The time within which so many percent of those that count have passed.
fn within(times: &[u64], percent: usize) -> Duration {
    Duration::from_micros(times[(times.len() - 1) * percent / 100])
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let count = arguments
        .next()
        .map_or(CONNECTIONS, |count| count.to_str().unwrap().parse().unwrap());
    let below = arguments.next().map_or_else(
        || match Path::new("/dev/shm") {
            memory if memory.is_dir() => memory.to_owned(),
            _ => std::env::temp_dir(),
        },
        Into::into,
    );
    let folder = tempfile::tempdir_in(below).unwrap();
    let store = SqliteStore::open(folder.path(), Options::default()).unwrap();
    fill(&store).await;
    let mut caps = Caps::default();
    (caps.connections, caps.per_user, caps.per_address) = (2 * count, 2 * count, 2 * count);
    let backend = Mapped::<SqliteStore>::new(store);
    let server = Server::builder(backend).caps(caps).build();
    let mut appender = selected(&server).await;

    let before = Memory::now();
    let nobody = Told::new(count);
    let mut far = Vec::with_capacity(count);
    for number in 0..count {
        let (client, server) = bare().await;
        tokio::spawn(idles(client, number, nobody.clone()));
        far.push(server);
    }
    let pipes = Memory::now();
    let of_client = pipes.since(before).each(count);
    println!("a pipe and its client: {of_client}");

    let (told, began) = (Told::new(count), Instant::now());
    for number in 0..count {
        let mut client = selected(&server).await;
        ask(&mut client, "a IDLE\r\n", "+ ").await;
        tokio::spawn(idles(client, number, told.clone()));
    }
    let took = began.elapsed();
    let idling = Memory::now();
    let each = idling.since(pipes).each(count);
    println!(
        "{count} that idle on {MESSAGES} messages: {:.1} MB more; each {each}; without its pipe and client {}; {:.0} a second",
        idling.since(pipes).resident / 1e6,
        each.since(of_client),
        count as f64 / took.as_secs_f64()
    );

    for _ in 0..APPENDS {
        told.left.store(count, Ordering::Release);
        ask(
            &mut appender,
            &format!("a APPEND INBOX {{{}}}\r\n", MESSAGE.len()),
            "+ ",
        )
        .await;
        let sent = told.micros();
        appender.write_all(MESSAGE).await.unwrap();
        ask(&mut appender, "\r\n", "a OK").await;
        let answered = told.micros() - sent;
        told.all.notified().await;
        let times = told.at.iter().map(|at| at.load(Ordering::Relaxed).saturating_sub(sent));
        let mut times: Vec<u64> = times.collect();
        times.sort_unstable();
        println!(
            "APPEND: its OK after {:?}; told half of them after {:?}, 99 percent after {:?}, the last after {:?}",
            Duration::from_micros(answered),
            within(&times, 50),
            within(&times, 99),
            within(&times, 100)
        );
    }
    println!("after all that, more: {}", Memory::now().since(idling));
    drop(far);
}
