//! What clients that sleep, or that do not read or send, cost in memory: next to nothing, whatever happens meanwhile.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::alloc::System;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backend_api::{Account, DateTime, Flags, Incoming, MailStore, MailboxName, MessageBody, NewMessage};
use backend_sqlite::{Options, SqliteStore};
use backendutil::Mapped;
use imap_compliance::bulk::Bulk;
use imap_compliance::stepper::until;
use imap_compliance::stream::BoxedStream;
use imap_compliance::world::loopback;
use imap_compliance::{Client, Kind, World};
use imap_server::{Server, Tls};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// One test at a time: what others allocate would be counted as well.
static ALONE: Mutex<()> = Mutex::new(());

/// Octets that are allocated now.
fn live() -> i64 {
    let stats = ALLOCATOR.stats();
    i64::try_from(stats.bytes_allocated).unwrap() - i64::try_from(stats.bytes_deallocated).unwrap()
}

/// The most that was allocated at any look.
#[derive(Default)]
struct Peak(AtomicI64);

impl Peak {
    fn look(&self) {
        self.0.fetch_max(live(), Ordering::Relaxed);
    }

    fn above(&self, before: i64) -> i64 {
        self.0.load(Ordering::Relaxed) - before
    }
}

const MESSAGES: u32 = 50_000;
/// Octets of a message that is sent or read in part.
const LARGE: u64 = 100_000_000;

struct Sqlite {
    store: Arc<SqliteStore>,
    account: Account,
    server: Server<Mapped<SqliteStore>>,
    _folder: TempDir,
}

impl Sqlite {
    async fn new() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .unwrap();
        // Without the thread that indexes the text: what clients cost is counted here.
        let mut options = Options::default();
        options.search_index = false;
        let store = SqliteStore::open(folder.path(), options).unwrap();
        // `secret`, hashed at little cost.
        let hash =
            "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$YSB0ZXN0J3Mgc2FsdA$+5f8jhZt9pdzjD7bbzVcN8EmnUNhT3KvVDBlTFK2x0M";
        store.import_users(&format!("demo:{hash}")).await.unwrap();
        Self {
            account: store.account("demo").await.unwrap(),
            server: Server::builder(Mapped::<SqliteStore>::new(store.clone())).build(),
            store,
            _folder: folder,
        }
    }

    async fn add(&self, messages: impl Iterator<Item = (MessageBody, u64)>) {
        let inbox = self
            .store
            .mailbox(&self.account, &MailboxName::inbox())
            .await
            .unwrap()
            .unwrap()
            .id;
        let date = DateTime::new(1_000_000_000, 0);
        let new = messages.map(|(body, size)| NewMessage::new(Flags::NONE, date, size, Incoming::Body(body)));
        self.store.add(&self.account, inbox, new.collect()).await.unwrap();
    }

    fn stream(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let server = self.server.clone();
        tokio::spawn(async move { server.serve_tls(theirs, loopback(), Tls::None).await });
        ours
    }

    async fn login(&self) -> Client {
        let mut client = Client::new(Box::new(self.stream()) as BoxedStream).with_deadline(Duration::from_secs(120));
        client.hears("* OK [CAPABILITY <list>] <text>").await;
        client
            .talks("C: l LOGIN demo secret\n S: l OK [CAPABILITY <list>] <text>")
            .await;
        client
    }

    async fn select(&self) -> Client {
        let mut client = self.login().await;
        client.says("s SELECT INBOX").await;
        while !client.response().await.starts_with(b"s OK") {}
        client
    }
}

fn alone(claim: impl Future<Output = ()>) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(claim);
}

/// 20 STOREs of all 50,000 messages.
#[test]
fn a_million_flag_changes_add_less_than_a_megabyte_to_a_session_that_sleeps() {
    alone(async {
        let world = Sqlite::new().await;
        for _ in 0..MESSAGES / 5_000 {
            world
                .add((0..5_000).map(|_| (b"Subject: x\r\n\r\nx"[..].into(), 15)))
                .await;
        }
        let mut other = world.select().await;
        let store = async |other: &mut Client, change: &str| {
            other.says(format!("t STORE 1:* {change}")).await;
            other.hears("t OK <text>").await;
        };
        // Once before: what the store keeps for its own work is not the sleeper's.
        store(&mut other, r"FLAGS.SILENT (\Draft)").await;
        let mut sleeper = world.select().await;
        let before = live();
        for _ in 0..10 {
            store(&mut other, r"+FLAGS.SILENT (\Flagged)").await;
            store(&mut other, r"-FLAGS.SILENT (\Flagged \Draft)").await;
        }
        let added = live() - before;
        println!("1,000,000 flag changes added {added} octets");
        assert!(added < 1_000_000, "1,000,000 flag changes added {added} octets");
        sleeper.says("n NOOP").await;
        for number in 1..=MESSAGES {
            let told = sleeper.response().await;
            assert_eq!(
                String::from_utf8_lossy(&told),
                format!("* {number} FETCH (FLAGS ())"),
                "once, in order"
            );
        }
        sleeper.hears("n OK <text>").await;
        sleeper.talks("C: m NOOP\n S: m OK <text>").await;
    });
}

/// IDLE tells until the pipe is full, and no more until somebody reads.
#[test]
fn a_session_that_idles_and_does_not_read_costs_as_little() {
    alone(async {
        let world = Sqlite::new().await;
        world
            .add((0..10_000).map(|_| (b"Subject: x\r\n\r\nx"[..].into(), 15)))
            .await;
        let (mut other, mut idle) = (world.select().await, world.select().await);
        idle.talks("C: i IDLE\n S: + <text>").await;
        let change = async |other: &mut Client, change: &str| {
            other.says(format!("t STORE 1:* {change}")).await;
            other.hears("t OK <text>").await;
        };
        change(&mut other, r"FLAGS.SILENT (\Draft)").await;
        let before = live();
        for _ in 0..20 {
            change(&mut other, r"FLAGS.SILENT (\Flagged)").await;
            change(&mut other, r"FLAGS.SILENT (\Draft)").await;
        }
        let added = live() - before;
        println!("400,000 flag changes added {added} octets");
        assert!(added < 1_000_000, "400,000 flag changes added {added} octets");
        // What it hears in the end is what is there; it may hear of a message several times, never wrongly at last.
        change(&mut other, r"FLAGS.SILENT (\Answered)").await;
        idle.says("DONE").await;
        let mut last = vec![String::new(); 10_000];
        loop {
            let told = String::from_utf8_lossy(&idle.response().await).into_owned();
            if told.starts_with("i OK") {
                break;
            }
            let number: usize = told.split(' ').nth(1).unwrap().parse().unwrap();
            last[number - 1] = told;
        }
        idle.says("n NOOP").await;
        loop {
            let told = String::from_utf8_lossy(&idle.response().await).into_owned();
            if told.starts_with("n OK") {
                break;
            }
            let number: usize = told.split(' ').nth(1).unwrap().parse().unwrap();
            last[number - 1] = told;
        }
        for (told, number) in last.iter().zip(1..) {
            assert_eq!(*told, format!(r"* {number} FETCH (FLAGS (\Answered))"));
        }
    });
}

/// Where nobody reads the answers, the commands are not taken either.
#[test]
fn pipelined_commands_whose_answers_nobody_reads_cost_little() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // Time stands still until everybody waits for somebody else.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let world = World::new(Kind::Memory).await;
        let mut stream = world.login().await.into_stream();
        let commands = b"tag NOOP\r\n".repeat(4_000_000);
        let (before, peak) = (live(), Peak::default());
        let mut sent = 0;
        while let Ok(written) = tokio::time::timeout(Duration::from_secs(1), stream.write(&commands[sent..])).await {
            sent += written.unwrap();
            peak.look();
            let added = peak.above(before);
            assert!(added < 2_000_000, "{sent} octets of commands added {added} octets");
        }
        println!("{sent} octets were taken, {} added", peak.above(before));
        assert!(
            sent < commands.len(),
            "40 MB of commands were taken without an answer being read"
        );
        // Those that were taken are answered, each once and in order, as soon as somebody reads.
        let whole = sent / 10;
        let mut client = Client::new(stream);
        for _ in 0..whole {
            client.hears("tag OK <text>").await;
        }
        drop(client);
    });
}

#[test]
fn who_stops_reading_or_sending_a_large_message_costs_little() {
    alone(async {
        let world = Sqlite::new().await;
        world
            .add(std::iter::once((
                MessageBody::Ranged(Arc::new(Bulk::new(LARGE))),
                LARGE,
            )))
            .await;
        let (mut reader, mut sender) = (world.select().await, world.login().await);
        let (before, peak) = (live(), Peak::default());
        reader.says("f FETCH 1 BODY.PEEK[]").await;
        let mut reading = reader.into_stream();
        let mut piece = vec![0; 100_000];
        for _ in 0..LARGE / 200_000 {
            reading.read_exact(&mut piece).await.unwrap();
            peak.look();
        }
        sender.says(format!("f APPEND INBOX {{{}}}", LARGE - 1)).await;
        sender.hears("+ <text>").await;
        let mut sending = sender.into_stream();
        let text = Bulk::new(LARGE - 1);
        for at in (0..LARGE / 2).step_by(100_000) {
            sending.write_all(&text.octets(at, 100_000)).await.unwrap();
            peak.look();
        }
        let added = peak.above(before);
        println!("half a FETCH and half an APPEND of 100 MB added {added} octets");
        assert!(
            added < 4_000_000,
            "half a FETCH and half an APPEND of 100 MB added {added} octets"
        );
        drop((reading, sending));
        until("a connection does not end", || {
            world.server.handle().sessions().is_empty()
        })
        .await;
    });
}
