//! What the store costs, measured by hand: `cargo bench -p backend-sqlite`
//! (`-- append` for the appends alone). The folder is in `TMPDIR`; durable figures need
//! a real disk.
//!
//! `-- groups` measures commits of 1, 8 and 64 operations: in memory (`/dev/shm`) and in `TMPDIR`;
//! `-- groups append 64 640` or `-- groups store 8 640` makes so many of one kind and size in
//! `TMPDIR` and ends, without anything in the background, for whoever counts instructions.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use backend_api::*;
use backend_sqlite::{Options, SqliteStore};

fn main() {
    // Cargo adds a word of its own.
    let words = std::env::args().filter(|word| word != "--bench");
    let words: Vec<String> = words.skip_while(|word| word != "groups").collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, kind @ ("append" | "store"), size, count] => {
            let (size, count) = (size.parse().unwrap(), count.parse().unwrap());
            one_thread().block_on(async {
                let groups = Groups::new(&std::env::temp_dir(), size, Options::brief()).await;
                groups.run(kind == "append", count).await;
            });
        }
        ["groups", ..] => one_thread().block_on(groups()),
        _ => tokio::runtime::Runtime::new().unwrap().block_on(all()),
    }
}

fn one_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

async fn all() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), Options::default()).unwrap();
    let account = store.add_user("ann", None, true).await.unwrap();
    let inbox = store
        .mailbox(&account, &MailboxName::inbox())
        .await
        .unwrap()
        .unwrap()
        .id;
    for producers in [1, 8, 64] {
        let each = if producers == 1 { 300 } else { 16_000 / producers };
        let took = appends(&store, &account, inbox, producers, each).await;
        let rate = (producers * each) as f64 / took.as_secs_f64();
        println!("append 4 KB, {producers} at a time: {rate:.0} /s");
    }
    if std::env::args().any(|a| a == "append") {
        return;
    }
    large(&store, &account, inbox).await;
    many(&store, &account).await;
    refreshes(&store);
}

async fn appends(
    store: &Arc<SqliteStore>,
    account: &Account,
    to: MailboxId,
    producers: usize,
    each: usize,
) -> Duration {
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for producer in 0..producers {
        let (store, account) = (store.clone(), account.clone());
        tasks.spawn(async move {
            for n in 0..each {
                let head = format!("From: a@b\r\nSubject: {producers} {producer} {n}\r\n\r\n");
                let text = format!("{head}{}", "x".repeat(4096 - head.len()));
                append(&store, &account, to, text.into_bytes()).await;
            }
        });
    }
    tasks.join_all().await;
    started.elapsed()
}

/// A store that takes at most so many operations into one transaction.
struct Groups {
    store: Arc<SqliteStore>,
    account: Account,
    inbox: MailboxId,
    /// The flag that is changed next.
    next: AtomicUsize,
    // Last: the store closes first.
    _folder: tempfile::TempDir,
}

/// Messages that are there before.
const MESSAGES: usize = 1_000;

impl Groups {
    async fn new(below: &Path, size: usize, mut options: Options) -> Arc<Self> {
        let folder = tempfile::tempdir_in(below).unwrap();
        options.group = size;
        let store = SqliteStore::open(folder.path(), options).unwrap();
        let account = store.add_user("ann", None, true).await.unwrap();
        let inbox = store
            .mailbox(&account, &MailboxName::inbox())
            .await
            .unwrap()
            .unwrap()
            .id;
        let message = |n: usize| {
            let body = Incoming::Body(MessageBody::from(format!("Subject: {n}\r\n\r\nbody\r\n")));
            NewMessage::new(Flags::NONE, DateTime::now(), 0, body)
        };
        let messages = (0..MESSAGES).map(message).collect();
        store.add(&account, inbox, messages).await.unwrap();
        Arc::new(Self {
            store,
            account,
            inbox,
            next: AtomicUsize::new(0),
            _folder: folder,
        })
    }

    /// So many operations that all wait from the beginning: every group but the first and the last is full.
    async fn run(self: &Arc<Self>, append: bool, count: usize) {
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..count {
            let groups = self.clone();
            tasks.spawn(async move {
                match append {
                    true => groups.append(n).await,
                    false => groups.set_flag().await,
                }
            });
        }
        tasks.join_all().await;
    }

    async fn append(&self, n: usize) {
        let text = format!("From: a@b\r\nSubject: {n}\r\n\r\n{}\r\n", "x".repeat(2_000));
        append(&self.store, &self.account, self.inbox, text.into_bytes()).await;
    }

    /// Each changes something.
    async fn set_flag(&self) {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let uid = Uid::new(u32::try_from(n % MESSAGES + 1).unwrap()).unwrap();
        let change = match n / MESSAGES % 2 {
            0 => FlagChange::Add(Flags::SEEN),
            _ => FlagChange::Remove(Flags::SEEN),
        };
        let (store, set) = (&self.store, UidSet::run(uid, uid));
        drop(
            store
                .set_flags(&self.account, self.inbox, &set, &change, None)
                .await
                .unwrap(),
        );
    }
}

/// What an operation costs in groups of several sizes; the best of several rounds.
async fn groups() {
    let memory = Path::new("/dev/shm");
    let places = [("in memory", memory.to_owned()), ("on disk", std::env::temp_dir())];
    for (place, below) in places.iter().filter(|(_, below)| below.is_dir()) {
        for (what, append) in [("APPEND of 2 KB", true), ("STORE", false)] {
            for size in [1, 8, 64] {
                let groups = Groups::new(below, size, Options::default()).await;
                let count = 640;
                let mut best = Duration::MAX;
                for _ in 0..7 {
                    let started = Instant::now();
                    groups.run(append, count).await;
                    best = best.min(started.elapsed());
                }
                let each = best.as_secs_f64() * 1e6 / count as f64;
                let group = each * size as f64;
                println!("{what}, {size} a commit, {place}: {each:.1} µs each, {group:.0} µs a commit, at best");
            }
        }
    }
}

async fn append(store: &SqliteStore, account: &Account, to: MailboxId, text: Vec<u8>) {
    let size = text.len() as u64;
    let staged = store.stage(account, size, &mut &text[..]).await.unwrap().unwrap();
    let message = NewMessage::new(Flags::NONE, DateTime::now(), size, Incoming::Staged(staged));
    store.add(account, to, vec![message]).await.unwrap();
}

async fn large(store: &SqliteStore, account: &Account, to: MailboxId) {
    let mut text = vec![b'x'; 25 << 20];
    text.chunks_mut(76).for_each(|line| *line.last_mut().unwrap() = b'\n');
    let mut best = Duration::MAX;
    for n in 0..5u8 {
        text[0] = b'a' + n;
        let copy = text.clone();
        let started = Instant::now();
        append(store, account, to, copy).await;
        best = best.min(started.elapsed());
    }
    println!("append 25 MB: {:.0} MB/s", 26.2 / best.as_secs_f64());
    let uid = store.messages(account, to).await.unwrap().entries.last().unwrap().uid;
    let started = Instant::now();
    let body = store.body(account, to, uid).await.unwrap();
    let mut at = 0;
    while at < body.size() {
        let len = (body.size() - at).min(65_536) as usize;
        at += body.read_at(at, len).await.unwrap().len() as u64;
    }
    println!("read 25 MB: {:.0} MB/s", 26.2 / started.elapsed().as_secs_f64());
}

async fn many(store: &SqliteStore, account: &Account) {
    let name = MailboxName::new("many").unwrap();
    store.create(account, &name, &[]).await.unwrap();
    let many = store.mailbox(account, &name).await.unwrap().unwrap().id;
    let started = Instant::now();
    for batch in 0..100 {
        let message = |n: usize| {
            let text = format!("Subject: {batch} {n}\r\n\r\nbody\r\n");
            let body = Incoming::Body(MessageBody::from(text));
            NewMessage::new(Flags::NONE, DateTime::now(), 0, body)
        };
        store
            .add(account, many, (0..1_000).map(message).collect())
            .await
            .unwrap();
    }
    println!(
        "100,000 small messages, 1,000 a call: {:.1} s",
        started.elapsed().as_secs_f64()
    );
    let list = async || {
        let messages = store.messages(account, many).await.unwrap();
        assert_eq!(messages.entries.len(), 100_000);
    };
    time("messages of 100,000", 10, list).await;
    time("status", 1_000, async || {
        assert!(store.mailbox(account, &name).await.unwrap().unwrap().status.is_some())
    })
    .await;
    let uids = |from: u32, to: u32| UidSet::run(Uid::new(from).unwrap(), Uid::new(to).unwrap());
    let mut seen = false;
    let mut flip = |set: UidSet| {
        seen = !seen;
        let change = if seen {
            FlagChange::Add(Flags::SEEN)
        } else {
            FlagChange::Remove(Flags::SEEN)
        };
        async move { drop(store.set_flags(account, many, &set, &change, None).await.unwrap()) }
    };
    time_each("STORE of 10,000", 20, || flip(uids(50_001, 60_000))).await;
    time_each("STORE of 1", 300, || flip(uids(50_001, 50_001))).await;
    let to = MailboxName::new("to").unwrap();
    store.create(account, &to, &[]).await.unwrap();
    let to = store.mailbox(account, &to).await.unwrap().unwrap().id;
    let mut next = 0;
    time_each("COPY of 1,000", 10, || {
        next += 1_000;
        let set = uids(next, next + 999);
        async move { drop(store.copy(account, many, &set, to, true).await.unwrap()) }
    })
    .await;
    time_each("MOVE of 1,000", 10, || {
        next += 1_000;
        let set = uids(next, next + 999);
        async move { drop(store.r#move(account, many, &set, to).await.unwrap()) }
    })
    .await;
    let odd: UidSet = (60_001..70_000).step_by(2).filter_map(Uid::new).collect();
    let odd = &odd;
    time_each("EXPUNGE of every other of 10,000", 1, || async move {
        store.remove(account, many, odd, Remove::All).await.unwrap();
    })
    .await;
    let all: Vec<Uid> = store
        .messages(account, many)
        .await
        .unwrap()
        .entries
        .iter()
        .map(|e| e.uid)
        .collect();
    let load = async |what| {
        let mut rest = &all[..10_000];
        while !rest.is_empty() {
            let (_, covered) = store.load(account, many, rest, what).await.unwrap();
            rest = &rest[covered..];
        }
    };
    time("load the indexes of 10,000", 5, async || {
        load(Load::new(true, false)).await
    })
    .await;
    time("load the bodies of 10,000", 5, async || {
        load(Load::new(false, true)).await
    })
    .await;
}

fn refreshes(store: &SqliteStore) {
    let started = Instant::now();
    let mut count = 0u32;
    while started.elapsed() < Duration::from_millis(200) {
        store.refresh();
        count += 1;
    }
    println!("refresh, as often as may be: {:.2} µs", 200_000.0 / f64::from(count));
}

async fn time(what: &str, times: u32, call: impl AsyncFn()) {
    let mut best = Duration::MAX;
    for _ in 0..times {
        let started = Instant::now();
        call().await;
        best = best.min(started.elapsed());
    }
    println!("{what}: {:.3} ms at best", best.as_secs_f64() * 1000.0);
}

async fn time_each<F: Future>(what: &str, times: u32, mut call: impl FnMut() -> F) {
    let (mut best, mut all) = (Duration::MAX, Duration::ZERO);
    for _ in 0..times {
        let started = Instant::now();
        call().await;
        best = best.min(started.elapsed());
        all += started.elapsed();
    }
    let mean = all.as_secs_f64() * 1000.0 / f64::from(times);
    println!(
        "{what}: {:.3} ms at best, {mean:.3} ms in the mean",
        best.as_secs_f64() * 1000.0
    );
}
