//! Clients that stop reading or sending hold up nobody: no lock, no transaction, no other client of the same mailbox.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use backend_api::{Account, DateTime, Flags, Incoming, MailStore, MailboxName, MessageBody, NewMessage};
use backend_sqlite::{Options, SqliteStore};
use backendutil::Mapped;
use imap_compliance::Client;
use imap_compliance::bulk::Bulk;
use imap_compliance::leftovers::Folder;
use imap_compliance::stepper::until;
use imap_compliance::stream::BoxedStream;
use imap_server::{Server, Tls};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Octets of the message that somebody stops reading or sending.
const LARGE: u64 = 100_000_000;
/// How often others do each of the things they do meanwhile.
const ROUNDS: u32 = 60;

struct World {
    store: Arc<SqliteStore>,
    account: Account,
    server: Server<Mapped<SqliteStore>>,
    address: SocketAddr,
    folder: TempDir,
}

impl World {
    /// A server on a port of its own, with large messages in files or in rows.
    async fn new(in_files: bool) -> Self {
        let folder = tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .unwrap();
        let mut options = Options::default();
        if !in_files {
            options.file_above = u64::MAX;
        }
        let store = SqliteStore::open(folder.path(), options).unwrap();
        // `secret`, hashed at little cost.
        let hash =
            "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$YSB0ZXN0J3Mgc2FsdA$+5f8jhZt9pdzjD7bbzVcN8EmnUNhT3KvVDBlTFK2x0M";
        store.import_users(&format!("demo:{hash}")).await.unwrap();
        let account = store.account("demo").await.unwrap();
        let server = Server::builder(Mapped::<SqliteStore>::new(store.clone())).build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let listening = server.clone();
        tokio::spawn(async move { listening.serve_listener(listener, Tls::None).await });
        Self {
            store,
            account,
            server,
            address,
            folder,
        }
    }

    fn folder(&self) -> Folder {
        Folder::new(self.folder.path())
    }

    /// Puts the large message into INBOX, as the first one.
    async fn with_large(self) -> Self {
        let inbox = self
            .store
            .mailbox(&self.account, &MailboxName::inbox())
            .await
            .unwrap()
            .unwrap()
            .id;
        let body = Incoming::Body(MessageBody::Ranged(Arc::new(Bulk::new(LARGE))));
        let message = NewMessage::new(Flags::SEEN, DateTime::new(1_000_000_000, 0), LARGE, body);
        self.store.add(&self.account, inbox, vec![message]).await.unwrap();
        self
    }

    async fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut client = Client::new(Box::new(stream) as BoxedStream).with_deadline(Duration::from_secs(60));
        client.hears("* OK [CAPABILITY <list>] <text>").await;
        client
            .talks("C: l LOGIN demo secret\n S: l OK [CAPABILITY <list>] <text>")
            .await;
        client
    }

    /// A client with INBOX selected, which has so many messages.
    async fn select(&self, exists: u32) -> Client {
        let mut client = self.connect().await;
        let lines = ask(&mut client, "SELECT INBOX").await;
        assert!(lines.contains(&format!("* {exists} EXISTS")), "{lines:?}");
        client
    }

    /// While somebody hangs: another process writes and empties the log, and the mailbox's other clients go on.
    async fn goes_on(&self, exists: u32) {
        another_process_is_not_held_up(&self.folder()).await;
        let (mut one, mut two) = (self.select(exists).await, self.select(exists).await);
        for round in 1..=ROUNDS {
            let now = exists + round;
            one.says("a APPEND INBOX {4+}").await;
            one.says("text").await;
            assert_eq!(without_recent(&mut one, "a").await, [format!("* {now} EXISTS")]);
            let told = ask(&mut two, "NOOP").await;
            assert_eq!(told, [format!("* {now} EXISTS")]);
            let flagged = format!(r"* {now} FETCH (FLAGS (\Flagged");
            let told = ask(&mut two, &format!(r"STORE {now} +FLAGS (\Flagged)")).await;
            assert_eq!(heads(&told, flagged.len()), [flagged.as_str()]);
            let told = ask(&mut one, "NOOP").await;
            assert_eq!(heads(&told, flagged.len()), [flagged.as_str()]);
            let told = ask(&mut one, &format!("FETCH {now} BODY.PEEK[]")).await;
            assert_eq!(told, [format!("* {now} FETCH (BODY[] {{4}}\r\ntext)")]);
        }
        another_process_is_not_held_up(&self.folder()).await;
    }

    /// Waits until so many connections are left.
    async fn connections(&self, count: usize) {
        until("a connection does not end", || {
            self.server.handle().sessions().len() == count
        })
        .await;
    }
}

/// The server's own threads hold locks for moments. Whoever hangs would hold them for ever.
async fn another_process_is_not_held_up(folder: &Folder) {
    let folder = folder.clone();
    let free = move || until_ok(|| folder.is_unlocked());
    tokio::task::spawn_blocking(free).await.unwrap();
}

fn until_ok(mut attempt: impl FnMut() -> rusqlite::Result<()>) {
    let end = std::time::Instant::now() + Duration::from_secs(20);
    while let Err(error) = attempt() {
        assert!(std::time::Instant::now() < end, "another process is held up: {error}");
        std::thread::yield_now();
    }
}

fn heads(lines: &[String], len: usize) -> Vec<&str> {
    lines.iter().map(|line| line.get(..len).unwrap_or(line)).collect()
}

async fn ask(client: &mut Client, command: &str) -> Vec<String> {
    client.says(format!("a {command}")).await;
    without_recent(client, "a").await
}

/// What is heard up to the tagged OK. How many are recent depends on who was told first.
async fn without_recent(client: &mut Client, tag: &str) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let line = String::from_utf8_lossy(&client.response().await).into_owned();
        if line.starts_with(&format!("{tag} ")) {
            assert!(line.starts_with(&format!("{tag} OK")), "{line}");
            return lines;
        }
        if line.starts_with("+ ") || line.ends_with(" RECENT") {
            continue;
        }
        lines.push(line);
    }
}

/// A client that has asked for the large message, has read its first octets, and stops.
async fn stops_reading(world: &World) -> BoxedStream {
    let mut client = world.select(1).await;
    client.says("f FETCH 1 BODY.PEEK[]").await;
    let mut stream = client.into_stream();
    let announced = format!("* 1 FETCH (BODY[] {{{LARGE}}}\r\n");
    let mut heard = vec![0; announced.len()];
    stream.read_exact(&mut heard).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&heard), announced);
    stream
}

/// It reads on, to the end, and hears then what happened meanwhile: the EXPUNGE not before the next command.
async fn reads_on(mut stream: BoxedStream) -> Client {
    let (bulk, mut at) = (Bulk::new(LARGE), 0);
    let mut piece = vec![0; 1_000_000];
    while at < LARGE {
        stream.read_exact(&mut piece).await.unwrap();
        assert!(piece == bulk.octets(at, piece.len()), "other octets after {at}");
        at += piece.len() as u64;
    }
    let mut end = [0; 3];
    stream.read_exact(&mut end).await.unwrap();
    assert_eq!(&end, b")\r\n");
    let mut client = Client::new(stream);
    assert_eq!(
        without_recent(&mut client, "f").await,
        [format!("* {} EXISTS", 1 + ROUNDS)]
    );
    assert_eq!(ask(&mut client, "NOOP").await, ["* 1 EXPUNGE"]);
    client
}

async fn a_client_stops_reading(in_files: bool) {
    let world = World::new(in_files).await.with_large().await;
    let hanging = stops_reading(&world).await;
    let leaving = stops_reading(&world).await;
    world.goes_on(1).await;
    // Somebody removes the message meanwhile, and both the row and the log are free for it.
    let mut other = world.select(1 + ROUNDS).await;
    ask(&mut other, r"STORE 1 +FLAGS.SILENT (\Deleted)").await;
    assert_eq!(ask(&mut other, "EXPUNGE").await, ["* 1 EXPUNGE"]);
    ask(&mut other, "LOGOUT").await;
    drop(other);
    world.connections(2).await;
    drop(leaving);
    world.connections(1).await;
    another_process_is_not_held_up(&world.folder()).await;
    // It is still whole for who is in the middle of it.
    drop(reads_on(hanging).await);
    world.connections(0).await;
    world.store.tidy().await.unwrap();
    let folder = world.folder();
    assert_eq!(folder.disorder(), [""; 0]);
    let counts = folder.counts();
    let left = (counts.messages, counts.bodies, counts.ghosts, counts.files);
    assert_eq!(left, (i64::from(ROUNDS), 1, 0, 0), "the removed message is kept");
}

/// A client that has sent half of a large message, and stops.
async fn stops_sending(world: &World, text: &Bulk) -> BoxedStream {
    let mut client = world.connect().await;
    client.says(format!("f APPEND INBOX {{{}}}", text.size())).await;
    client.hears("+ <text>").await;
    let mut stream = client.into_stream();
    sends(&mut stream, text, 0, text.size() / 2).await;
    stream
}

async fn sends(stream: &mut BoxedStream, text: &Bulk, from: u64, to: u64) {
    let mut at = from;
    while at < to {
        let piece = text.octets(at, usize::try_from((to - at).min(1_000_000)).unwrap());
        stream.write_all(&piece).await.unwrap();
        at += piece.len() as u64;
    }
}

async fn a_client_stops_sending() {
    let world = World::new(true).await;
    let folder = world.folder();
    let text = Bulk::new(LARGE);
    let mut hanging = stops_sending(&world, &text).await;
    let leaving = stops_sending(&world, &Bulk::new(LARGE + 1)).await;
    until("nothing is taken in", || folder.incoming().len() == 2).await;
    world.goes_on(0).await;
    drop(leaving);
    world.connections(1).await;
    assert_eq!(
        folder.incoming().len(),
        1,
        "what was sent stays when its client has gone"
    );
    sends(&mut hanging, &text, LARGE / 2, LARGE).await;
    let mut client = Client::new(hanging).with_deadline(Duration::from_secs(60));
    client.says("").await;
    let uid = ROUNDS + 1;
    client.hears(&format!("f OK [APPENDUID <v> {uid}] <text>")).await;
    ask(&mut client, "EXAMINE INBOX").await;
    // Its middle, where it was interrupted, and its size.
    let (start, len) = (LARGE / 2 - 50_000, 100_000);
    let middle = String::from_utf8(text.octets(start, len)).unwrap();
    let told = ask(
        &mut client,
        &format!("FETCH {uid} (RFC822.SIZE BODY.PEEK[]<{start}.{len}>)"),
    )
    .await;
    let expected = format!("* {uid} FETCH (RFC822.SIZE {LARGE} BODY[]<{start}> {{{len}}}\r\n{middle})");
    assert!(told == [expected], "other octets where it was interrupted");
    drop(client);
    world.connections(0).await;
    assert_eq!(folder.disorder(), [""; 0]);
}

fn run(claim: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(claim);
}

#[test]
fn who_stops_reading_a_file_holds_up_nobody() {
    run(a_client_stops_reading(true));
}

#[test]
fn who_stops_reading_rows_holds_up_nobody() {
    run(a_client_stops_reading(false));
}

#[test]
fn who_stops_sending_holds_up_nobody_and_leaves_nothing() {
    run(a_client_stops_sending());
}
