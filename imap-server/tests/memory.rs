//! What a connection costs: messages pass through it, however large, and an idle one gives everything back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::alloc::System;
use std::sync::atomic::{AtomicI64, Ordering};

use imap_server::prelude::*;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Octets of the message that goes in and out.
const GIGABYTE: u64 = 1_000_000_000;
const PIECE: usize = 64 * 1024;

static PEAK: AtomicI64 = AtomicI64::new(0);

/// Octets that are allocated now.
fn live() -> i64 {
    let stats = ALLOCATOR.stats();
    i64::try_from(stats.bytes_allocated).unwrap() - i64::try_from(stats.bytes_deallocated).unwrap()
}

fn sample() {
    PEAK.fetch_max(live(), Ordering::Relaxed);
}

// One test: others beside it would be counted as well.
#[tokio::test]
async fn a_connection_passes_a_gigabyte_in_and_out_and_idles_in_little() {
    let server = Server::builder(Endless).insecure_auth(true).build();
    let mut client = connect(&server, 256 * 1024).await;
    talk(&mut client, "a LOGIN demo secret\r\n", "a OK").await;
    talk(&mut client, "b SELECT INBOX\r\n", "b OK").await;

    let before = live();
    PEAK.store(before, Ordering::Relaxed);
    let out = fetch(&mut client).await;
    assert!(out >= GIGABYTE);
    let peak = PEAK.load(Ordering::Relaxed) - before;
    assert!(peak < 1_000_000, "a FETCH of 1 GB added {peak} octets");

    PEAK.store(before, Ordering::Relaxed);
    append(&mut client).await;
    let peak = PEAK.load(Ordering::Relaxed) - before;
    assert!(peak < 1_000_000, "an APPEND of 1 GB added {peak} octets");
    drop(client);
    while !server.handle().sessions().is_empty() {
        tokio::task::yield_now().await;
    }

    let before = live();
    let mut idle = Vec::new();
    for _ in 0..COUNT {
        let mut client = connect(&server, PIPE).await;
        talk(&mut client, "a LOGIN demo secret\r\n", "a OK").await;
        talk(&mut client, "b SELECT INBOX\r\n", "b OK").await;
        talk(&mut client, "c UID FETCH 7 BODY.PEEK[]\r\n", "c OK").await;
        talk(&mut client, "d IDLE\r\n", "+ idling").await;
        idle.push(client);
    }
    tokio::task::yield_now().await;
    let each = (live() - before) / COUNT;
    println!("an idle connection: {each} octets");
    assert!(each < 20_000, "an idle connection takes {each} octets");
}

const COUNT: i64 = 100;
const PIPE: usize = 512;

async fn connect(server: &Server<Endless>, octets: usize) -> DuplexStream {
    let (ours, theirs) = duplex(octets);
    let server = server.clone();
    tokio::spawn(async move { server.serve(theirs, ConnInfo::default()).await });
    ours
}

/// Sends a command and reads to its answer.
async fn talk(client: &mut DuplexStream, command: &str, answer: &str) {
    client.write_all(command.as_bytes()).await.unwrap();
    let mut text = Vec::new();
    while !String::from_utf8_lossy(&text).lines().any(|l| l.starts_with(answer)) || !text.ends_with(b"\n") {
        assert!(client.read_buf(&mut text).await.unwrap() > 0);
    }
}

/// Reads a gigabyte; how much came.
async fn fetch(client: &mut DuplexStream) -> u64 {
    client.write_all(b"c FETCH 1 BODY.PEEK[]\r\n").await.unwrap();
    let mut space = vec![0; PIECE];
    let mut octets = 0;
    loop {
        let read = client.read(&mut space).await.unwrap();
        octets += read as u64;
        sample();
        if octets > GIGABYTE && space.get(..read).unwrap().ends_with(b"FETCH completed\r\n") {
            return octets;
        }
    }
}

async fn append(client: &mut DuplexStream) {
    client
        .write_all(format!("d APPEND INBOX {{{GIGABYTE}+}}\r\n").as_bytes())
        .await
        .unwrap();
    let piece = vec![b'x'; PIECE];
    let mut left = usize::try_from(GIGABYTE).unwrap();
    while left > 0 {
        let octets = left.min(PIECE);
        client.write_all(piece.get(..octets).unwrap()).await.unwrap();
        left -= octets;
        sample();
    }
    talk(client, "\r\n", "d OK").await;
}

/// A mailbox with one message of a gigabyte.
struct Endless;

fn no<T>() -> Result<T> {
    Err(Error::unsupported("not here"))
}

#[async_trait]
impl Backend for Endless {
    type Session = EndlessSession;
    async fn login(&self, _: &Ctx<'_>, _: Credentials<'_>) -> Result<EndlessSession> {
        Ok(EndlessSession)
    }
}

struct EndlessSession;

#[async_trait]
impl Session for EndlessSession {
    type Mailbox = EndlessMailbox;
    fn user(&self) -> &str {
        "demo"
    }
    async fn list(&mut self, _: &Ctx<'_>, _: &ListQuery, _: &mut dyn ListSink) -> Result<()> {
        no()
    }
    async fn status(&mut self, _: &Ctx<'_>, _: &MailboxName, _: StatusItems) -> Result<Status> {
        no()
    }
    async fn create(&mut self, _: &Ctx<'_>, _: &MailboxName, _: &[SpecialUse]) -> Result<()> {
        no()
    }
    async fn delete(&mut self, _: &Ctx<'_>, _: &MailboxName) -> Result<()> {
        no()
    }
    async fn rename(&mut self, _: &Ctx<'_>, _: &MailboxName, _: &MailboxName) -> Result<()> {
        no()
    }
    async fn subscribe(&mut self, _: &Ctx<'_>, _: &MailboxName, _: bool) -> Result<()> {
        no()
    }
    async fn select(&mut self, _: &Ctx<'_>, _: &MailboxName, _: Access) -> Result<(EndlessMailbox, Selected)> {
        let mut selected = Selected::new(UidValidity::MIN);
        selected.exists = 1;
        Ok((EndlessMailbox, selected))
    }
    async fn append<'s>(&'s mut self, _: &Ctx<'_>, _: &MailboxName) -> Result<Box<dyn Append + 's>> {
        Ok(Box::new(Swallow))
    }
}

struct Swallow;

#[async_trait]
impl Append for Swallow {
    async fn message(&mut self, _: AppendOptions, size: u64, body: &mut (dyn AsyncRead + Send + Unpin)) -> Result<()> {
        let mut space = vec![0; PIECE];
        let mut octets = 0;
        loop {
            match body.read(&mut space).await? {
                0 => break,
                read => octets += read as u64,
            }
            sample();
        }
        assert_eq!(octets, size);
        Ok(())
    }
    async fn commit(self: Box<Self>) -> Result<Appended> {
        Ok(Appended::new(UidValidity::MIN, vec![Uid::MIN]))
    }
}

struct EndlessMailbox;

#[async_trait]
impl Mailbox for EndlessMailbox {
    fn last_uid(&self) -> Option<Uid> {
        Some(Uid::MIN)
    }
    async fn fetch(&mut self, _: &Ctx<'_>, set: &NumSet, want: &Fetch, out: &mut dyn FetchSink) -> Result<Fetched> {
        if set.is_uid() {
            return Ok(Fetched::default());
        }
        out.begin(Seq::MIN, Uid::MIN);
        let piece = vec![b'x'; PIECE];
        for item in &want.items {
            let FetchItem::Section(section) = item else { continue };
            out.section(section, Some(GIGABYTE));
            let mut left = usize::try_from(GIGABYTE).unwrap();
            while left > 0 {
                let octets = left.min(PIECE);
                out.data(piece.get(..octets).unwrap());
                left -= octets;
                sample();
                if out.is_full() {
                    out.ready().await?;
                }
            }
        }
        out.end();
        Ok(Fetched::default())
    }
    async fn store(&mut self, _: &Ctx<'_>, _: &NumSet, _: &FlagChange, _: bool, _: &mut Updates<'_>) -> Result<Stored> {
        no()
    }
    async fn search(&mut self, _: &Ctx<'_>, _: &SearchKey, _: &mut dyn SearchSink) -> Result<()> {
        no()
    }
    async fn copy(&mut self, _: &Ctx<'_>, _: &NumSet, _: &MailboxName) -> Result<Copied> {
        no()
    }
    async fn r#move(&mut self, _: &Ctx<'_>, _: &NumSet, _: &MailboxName) -> Result<Copied> {
        no()
    }
    async fn expunge(&mut self, _: &Ctx<'_>, _: Option<&UidSet>) -> Result<()> {
        no()
    }
    async fn changed(&mut self, _: Rights) {
        std::future::pending().await
    }
    async fn poll(&mut self, _: &Ctx<'_>, _: &mut Updates<'_>) -> Result<()> {
        Ok(())
    }
}
