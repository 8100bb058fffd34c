//! What clients of a mailbox notice while two others hang: one stopped reading in the middle of a FETCH of 100 MB, one stopped
//! sending in the middle of an APPEND of 100 MB.
//!
//! `cargo build --release -p imapd && cargo run --release -p imap-compliance --example stuck_clients [FOLDER]`
//!
//! Round trips of one client, without the two and with them, in turn, three times each. The data folder is made below FOLDER,
//! else in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use imap_compliance::Client;
use imap_compliance::bulk::Bulk;
use imap_compliance::imapd::{Data, Process};

const LARGE: u64 = 100_000_000;
const ROUNDS: usize = 3;
/// Round trips of each command in a round.
const TRIPS: u32 = 2_000;

/// Says a command and hears everything up to its OK.
async fn ask(client: &mut Client, command: &str) {
    client.says(format!("t {command}")).await;
    loop {
        let heard = client.response().await;
        if heard.starts_with(b"t ") {
            assert!(
                heard.starts_with(b"t OK "),
                "{command}: {}",
                String::from_utf8_lossy(&heard)
            );
            return;
        }
    }
}

async fn selected(server: &Process) -> Client {
    let mut client = server.login().await;
    ask(&mut client, "SELECT INBOX").await;
    client
}

/// One that asked for the large message and reads no more than its beginning.
async fn stops_reading(server: &Process) -> Client {
    let mut client = selected(server).await;
    client.says("t FETCH 1 BODY.PEEK[]").await;
    client
}

/// One that announced a large message and sends half of it.
async fn stops_sending(server: &Process) -> Client {
    let mut client = selected(server).await;
    client.says(format!("t APPEND INBOX {{{LARGE}+}}")).await;
    let message = Bulk::new(LARGE);
    for piece in 0..50 {
        client.sends(&message.octets(piece * 1_000_000, 1_000_000)).await;
    }
    client
}

const COMMANDS: [&str; 4] = [
    "NOOP",
    "UID FETCH 2 (FLAGS RFC822.SIZE)",
    "FETCH 2 BODY.PEEK[]",
    "STORE 2 +FLAGS.SILENT (\\Seen)",
];

#[tokio::main]
async fn main() {
    let data = match std::env::args_os().nth(1) {
        Some(folder) => Data::below(folder.as_ref()),
        None => Data::new(),
    };
    let server = data.serve();
    data.deliver("INBOX", &Bulk::new(LARGE).all());
    data.deliver("INBOX", b"Subject: small\r\n\r\nText.\r\n");
    let mut client = selected(&server).await;
    let mut times = vec![[Vec::new(), Vec::new()]; COMMANDS.len()];
    for _ in 0..ROUNDS {
        for with in [0, 1] {
            let stuck = match with {
                0 => Vec::new(),
                _ => vec![stops_reading(&server).await, stops_sending(&server).await],
            };
            for (command, times) in COMMANDS.iter().zip(&mut times) {
                for _ in 0..TRIPS {
                    let began = Instant::now();
                    ask(&mut client, command).await;
                    if let Some(times) = times.get_mut(with) {
                        times.push(began.elapsed());
                    }
                }
            }
            drop(stuck);
        }
    }
    for (command, [without, with]) in COMMANDS.iter().zip(times) {
        println!("{command}: without {}; with {}", shown(without), shown(with));
    }
    ask(&mut client, "LOGOUT").await;
}

fn shown(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |percent: usize| {
        times
            .get((times.len() - 1) * percent / 100)
            .copied()
            .unwrap_or_default()
    };
    format!("p50 {:?}, p99 {:?}", at(50), at(99))
}
