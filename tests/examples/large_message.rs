//! What a message of 1 GB costs the server: APPEND over IMAP, FETCH of the whole, FETCH in windows of 64 KB; how long each
//! takes, and by how much the process's memory rises above what it was at rest.
//!
//! `cargo build --release -p imapd && cargo run --release -p imap-compliance --example large_message [FOLDER]`
//!
//! The data folder is made below FOLDER, else where temporary files are. Linux alone says what is asked here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Instant;

use imap_compliance::imapd::{Data, Process};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::TcpStream;

/// Octets. The server's limit is 1 GiB.
const SIZE: u64 = 1_000_000_000;
const WINDOW: u64 = 65_536;
/// KiB by which the memory may rise.
const MOST: u64 = 16 * 1_024;
const HEADER: &[u8] = b"Subject: large\r\nContent-Type: application/octet-stream\r\n\r\n";

/// The octet at this place: lines of 76 characters, none like the one before it.
fn octet(at: u64) -> u8 {
    let header = HEADER.get(usize::try_from(at).unwrap());
    header.copied().unwrap_or_else(|| {
        let line = at / 78;
        match at % 78 {
            76 => b'\r',
            77 => b'\n',
            column => b'A' + u8::try_from((line.wrapping_mul(31) ^ (line >> 7) ^ column) % 26).unwrap(),
        }
    })
}

fn octets(from: u64, to: u64) -> Vec<u8> {
    (from..to).map(octet).collect()
}

struct Client(BufStream<TcpStream>);

impl Client {
    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        line.truncate(line.trim_end().len());
        line
    }

    async fn says(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
        self.0.flush().await.unwrap();
    }

    /// The tagged answer to a command, which is OK.
    async fn ok(&mut self, command: &str) {
        self.says(&format!("t {command}\r\n")).await;
        self.done().await;
    }

    async fn done(&mut self) {
        loop {
            let line = self.line().await;
            if let Some(tagged) = line.strip_prefix("t ") {
                assert!(tagged.starts_with("OK "), "{tagged}");
                return;
            }
        }
    }

    async fn append(&mut self) {
        self.says(&format!("t APPEND INBOX {{{SIZE}}}\r\n")).await;
        assert!(self.line().await.starts_with("+ "));
        for from in (0..SIZE).step_by(WINDOW as usize) {
            let piece = octets(from, SIZE.min(from + WINDOW));
            self.0.write_all(&piece).await.unwrap();
        }
        self.says("\r\n").await;
        self.done().await;
    }

    /// The octets of a literal, which are those of the message from here to there.
    async fn hears(&mut self, mut from: u64, to: u64) {
        while from < to {
            let end = to.min(from + WINDOW);
            let mut piece = vec![0; usize::try_from(end - from).unwrap()];
            self.0.read_exact(&mut piece).await.unwrap();
            assert!(piece == octets(from, end), "other octets between {from} and {end}");
            from = end;
        }
    }

    async fn fetch(&mut self) {
        self.says("t FETCH 1 BODY.PEEK[]\r\n").await;
        assert_eq!(self.line().await, format!("* 1 FETCH (BODY[] {{{SIZE}}}"));
        self.hears(0, SIZE).await;
        self.done().await;
    }

    async fn fetch_windows(&mut self) {
        for from in (0..SIZE).step_by(WINDOW as usize) {
            let len = WINDOW.min(SIZE - from);
            self.says(&format!("t FETCH 1 BODY.PEEK[]<{from}.{len}>\r\n")).await;
            assert_eq!(self.line().await, format!("* 1 FETCH (BODY[]<{from}> {{{len}}}"));
            self.hears(from, from + len).await;
            self.done().await;
        }
    }
}

/// A number of KiB that the kernel keeps of the process.
fn memory(process: &Process, what: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
    line.trim_end_matches("kB").trim().parse().unwrap()
}

/// The mark of the most memory begins anew at what is used now.
fn forget_most(process: &Process) -> u64 {
    std::fs::write(format!("/proc/{}/clear_refs", process.id()), "5").unwrap();
    memory(process, "VmRSS:")
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = std::env::args_os()
        .nth(1)
        .unwrap_or_else(|| std::env::temp_dir().into());
    let data = Data::below(folder.as_ref());
    let server = data.serve();
    let stream = TcpStream::connect(server.address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut client = Client(BufStream::new(stream));
    assert!(client.line().await.starts_with("* OK "));
    client.ok("LOGIN demo secret").await;
    client.ok("SELECT INBOX").await;

    let at_rest = memory(&server, "VmRSS:");
    for what in ["APPEND", "FETCH", "FETCH in windows of 64 KB"] {
        let before = forget_most(&server);
        let began = Instant::now();
        match what {
            "APPEND" => client.append().await,
            "FETCH" => client.fetch().await,
            _ => client.fetch_windows().await,
        }
        let took = began.elapsed();
        let most = memory(&server, "VmHWM:");
        if what == "APPEND" {
            client.ok("NOOP").await;
        }
        println!(
            "{what}: {:.1} s, {:.0} MB/s; memory {before} KiB before, {most} KiB at most, {:+} KiB",
            took.as_secs_f64(),
            SIZE as f64 / 1e6 / took.as_secs_f64(),
            most as i64 - before as i64
        );
        assert!(most < before + MOST, "memory rises with the message");
    }
    println!(
        "at rest before all: {at_rest} KiB; after all: {} KiB",
        memory(&server, "VmRSS:")
    );
}
