//! How soon 50 idling clients of one process hear of 1,000 deliveries by another: p50, p99 and the most.
//!
//! `cargo build --release -p imapd && cargo run --release -p imap-compliance --example deliveries [FOLDER]`
//!
//! Three ways: a program that has the store open, from the call and from its answer; and `imapd deliver`, a process for each
//! message, from its start. The data folder is made below FOLDER, else in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use backend_sqlite::{Delivery, Options, SqliteStore};
use imap_compliance::Client;
use imap_compliance::imapd::Data;
use tokio::sync::mpsc;

const CLIENTS: usize = 50;
const DELIVERIES: u32 = 1_000;

/// When somebody was told of the message with this number.
type Told = (u32, Instant);

async fn idle(mut client: Client, first: u32, last: u32, told: mpsc::UnboundedSender<Told>) -> Client {
    for number in first..=last {
        client.hears(&format!("* {number} EXISTS")).await;
        told.send((number, Instant::now())).unwrap();
        assert!(client.response().await.ends_with(b" RECENT"));
    }
    client
}

fn show(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| {
        times
            .get((times.len() - 1) * percent / 100)
            .copied()
            .unwrap_or_default()
    };
    println!(
        "{what}: p50 {:?}, p99 {:?}, most {:?} ({} told)",
        at(50),
        at(99),
        at(100),
        times.len()
    );
}

#[tokio::main]
async fn main() {
    let data = match std::env::args_os().nth(1) {
        Some(folder) => Data::below(folder.as_ref()),
        None => Data::new(),
    };
    let server = data.serve();
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = server.login().await;
        client.says("s SELECT INBOX").await;
        while !client.response().await.starts_with(b"s OK") {}
        client.talks("C: i IDLE\n S: + <text>").await;
        clients.push(client);
    }
    let (send, mut told) = mpsc::unbounded_channel();
    let store = SqliteStore::open(data.path(), Options::brief()).unwrap();
    let (mut called, mut answered, mut started) = (Vec::new(), Vec::new(), Vec::new());
    for (round, first) in [(0, 1), (1, DELIVERIES + 1)] {
        let last = first + DELIVERIES - 1;
        let tasks: Vec<_> = clients
            .drain(..)
            .map(|c| tokio::spawn(idle(c, first, last, send.clone())))
            .collect();
        for number in first..=last {
            let message = format!("Subject: {number}\r\n\r\n");
            let (began, done) = match round {
                0 => {
                    let began = Instant::now();
                    store
                        .deliver(Delivery::new("demo"), &mut message.as_bytes())
                        .await
                        .unwrap();
                    (began, Instant::now())
                }
                _ => {
                    let began = Instant::now();
                    tokio::task::block_in_place(|| data.deliver("INBOX", message.as_bytes()));
                    (began, Instant::now())
                }
            };
            for _ in 0..CLIENTS {
                let (which, at) = told.recv().await.unwrap();
                assert_eq!(which, number, "told of another message");
                match round {
                    0 => {
                        called.push(at.duration_since(began));
                        answered.push(at.saturating_duration_since(done));
                    }
                    _ => started.push(at.duration_since(began)),
                }
            }
        }
        for task in tasks {
            clients.push(task.await.unwrap());
        }
    }
    show("from the call", called);
    show("from its answer", answered);
    show("from the start of `imapd deliver`", started);
    for client in &mut clients {
        client.talks("C: DONE\n S: i OK <text>").await;
    }
}
