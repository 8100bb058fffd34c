//! What the server does for each message, or for each command, beside taking time: allocations and octets allocated, processor
//! time, and calls of the system.
//!
//! `cargo run --release -p imap-compliance --example costs [FOLDER]`
//!
//! Server and client are in this process, over the loopback interface and on a SQLite folder below FOLDER, else in memory. The
//! client has one thread, which allocates nothing while it is counted and whose processor time is taken off. The calls of the
//! system are those that `strace` sees (Debian package `strace`; without it they are left out) in a second run of the same, in
//! which processor time means nothing; those of the client's thread are left out. Linux alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::alloc::System;
use std::collections::{BTreeMap, HashMap};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use backend_sqlite::{Options, SqliteStore};
use backendutil::Mapped;
use imap_server::{Server, Tls};
use rustix::time::{ClockId, clock_gettime};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MESSAGES: usize = 1_000;
/// Set where `strace` watches: a scenario's name is said by asking for a file of that name, which is not there.
const WATCHED: &str = "COSTS_WATCHED";
const MARK: &str = "/costs-begins/";
const END: &str = "end";

/// A message of two parts, about 4 KB.
fn message(number: usize) -> String {
    let line = format!("Line of message {number}, which is one of many that say much the same.\r\n");
    format!(
        "From: Ann <ann@example.org>\r\nTo: Bob <bob@example.org>, Cy <cy@example.org>\r\nSubject: message {number}\r\n\
         Date: Mon, 2 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{number}@example.org>\r\nX-Number: {number}\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{0}\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
         {0}\r\n--b--\r\n",
        line.repeat(25)
    )
}

/// Says commands and reads up to the last of their answers, without allocating.
struct Client {
    stream: TcpStream,
    space: Box<[u8; 64 * 1024]>,
}

impl Client {
    fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut client = Self {
            stream,
            space: Box::new([0; 64 * 1024]),
        };
        client.reads("* OK ", 1);
        client
    }

    fn logged_in(address: SocketAddr) -> Self {
        let mut client = Self::new(address);
        client.asks("t LOGIN demo secret\r\n", 1);
        client
    }

    fn selected(address: SocketAddr, mailbox: &str) -> Self {
        let mut client = Self::logged_in(address);
        client.asks(&format!("t SELECT {mailbox}\r\n"), 1);
        client
    }

    /// Commands with the tag `t`, all of which end with OK.
    fn asks(&mut self, commands: &str, count: usize) {
        self.stream.write_all(commands.as_bytes()).unwrap();
        self.reads("t OK ", count);
    }

    /// Up to so many lines that begin so.
    fn reads(&mut self, start: &str, count: usize) {
        let start = start.as_bytes();
        // How much of a line's start was found; none in the middle of a line that begins with something else.
        let (mut found, mut matched) = (0, Some(0));
        loop {
            let read = self.stream.read(&mut self.space[..]).unwrap();
            assert!(read > 0, "the server went");
            for octet in &self.space[..read] {
                matched = match matched {
                    _ if *octet == b'\n' && found == count => return,
                    _ if *octet == b'\n' => Some(0),
                    Some(at) if at < start.len() && start[at] == *octet => {
                        found += usize::from(at + 1 == start.len());
                        Some(at + 1)
                    }
                    _ => None,
                };
            }
        }
    }
}

/// What was counted of the process so far.
#[derive(Clone, Copy)]
struct Counts {
    allocations: usize,
    octets: usize,
    nanos: i128,
}

impl Counts {
    fn now() -> Self {
        let stats = ALLOCATOR.stats();
        let nanos = |clock| {
            let time = clock_gettime(clock);
            i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
        };
        Self {
            allocations: stats.allocations + stats.reallocations,
            octets: stats.bytes_allocated,
            nanos: nanos(ClockId::ProcessCPUTime) - nanos(ClockId::ThreadCPUTime),
        }
    }
}

struct Row {
    name: &'static str,
    unit: &'static str,
    items: usize,
    allocations: usize,
    octets: usize,
    nanos: i128,
}

/// Measures one scenario after the other.
struct Meter {
    rows: Vec<Row>,
    watched: bool,
}

impl Meter {
    fn measure(&mut self, name: &'static str, unit: &'static str, items: usize, work: impl FnOnce()) {
        self.mark(name);
        let before = Counts::now();
        work();
        let after = Counts::now();
        self.mark(END);
        self.rows.push(Row {
            name,
            unit,
            items,
            allocations: after.allocations - before.allocations,
            octets: after.octets - before.octets,
            nanos: after.nanos - before.nanos,
        });
    }

    /// One command, once to warm up if it is `again`.
    fn ask(&mut self, name: &'static str, items: usize, client: &mut Client, command: &str, again: bool) {
        let command = format!("t {command}\r\n");
        if again {
            client.asks(&command, 1);
        }
        let unit = if items == 1 { "command" } else { "message" };
        self.measure(name, unit, items, || client.asks(&command, 1));
    }

    fn mark(&self, name: &str) {
        if self.watched {
            let _ = std::fs::File::open(format!("{MARK}{}", name.replace(' ', "_")));
        }
    }
}

fn scenarios(address: SocketAddr, watched: bool) -> Vec<Row> {
    let rows = Vec::with_capacity(64);
    let mut meter = Meter { rows, watched };
    let mut c = Client::logged_in(address);
    let text = message(0);
    let one = format!("t APPEND INBOX {{{}+}}\r\n{text}\r\n", text.len());
    c.asks(&one, 1);
    meter.measure("APPEND of 4 KB, awaited", "message", 200, || {
        (0..200).for_each(|_| c.asks(&one, 1));
    });
    c.asks("t CREATE all\r\n", 1);
    for number in 0..MESSAGES {
        let text = message(number);
        c.asks(&format!("t APPEND all {{{}+}}\r\n{text}\r\n", text.len()), 1);
    }
    meter.measure("connect, LOGIN, LOGOUT", "session", 20, || {
        for _ in 0..20 {
            Client::logged_in(address).asks("t LOGOUT\r\n", 1);
        }
    });
    let mut c = Client::selected(address, "all");
    let trip = |meter: &mut Meter, c: &mut Client, name, command: &str| {
        let command = format!("t {command}\r\n");
        c.asks(&command, 1);
        meter.measure(name, "command", 1_000, || (0..1_000).for_each(|_| c.asks(&command, 1)));
    };
    trip(&mut meter, &mut c, "NOOP", "NOOP");
    let many = "t NOOP\r\n".repeat(100);
    meter.measure("NOOP, 100 pipelined", "command", 1_000, || {
        (0..10).for_each(|_| c.asks(&many, 100));
    });
    trip(&mut meter, &mut c, "STATUS", "STATUS INBOX (MESSAGES UNSEEN UIDNEXT)");
    trip(&mut meter, &mut c, "SELECT again", "SELECT all");
    let n = MESSAGES;
    let fast = "FETCH 1:* (FLAGS UID INTERNALDATE RFC822.SIZE)";
    meter.ask("FETCH FLAGS UID INTERNALDATE RFC822.SIZE", n, &mut c, fast, true);
    meter.ask("FETCH ENVELOPE, first", n, &mut c, "FETCH 1:* ENVELOPE", false);
    meter.ask("FETCH ENVELOPE, again", n, &mut c, "FETCH 1:* ENVELOPE", true);
    meter.ask("FETCH BODYSTRUCTURE, again", n, &mut c, "FETCH 1:* BODYSTRUCTURE", true);
    let fields = "FETCH 1:* BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE)]";
    meter.ask("FETCH HEADER.FIELDS, again", n, &mut c, fields, true);
    meter.ask("FETCH BODY[], of all", n, &mut c, "FETCH 1:* BODY.PEEK[]", true);
    trip(&mut meter, &mut c, "FETCH BODY[], of one", "FETCH 77 BODY.PEEK[]");
    meter.ask("STORE FLAGS, of all", n, &mut c, "STORE 1:* +FLAGS (\\Seen)", false);
    meter.ask(
        "STORE FLAGS.SILENT, of all",
        n,
        &mut c,
        "STORE 1:* -FLAGS.SILENT (\\Seen)",
        false,
    );
    let store = |sign: char, from: usize, to: usize| -> Vec<String> {
        let one = |number| format!("t STORE {number} {sign}FLAGS (\\Flagged)\r\n");
        (from..to).map(one).collect()
    };
    let single = store('+', 1, 201);
    meter.measure("STORE of one, awaited", "command", 200, || {
        single.iter().for_each(|command| c.asks(command, 1));
    });
    let together: Vec<String> = store('-', 1, 201).chunks(50).map(|part| part.concat()).collect();
    meter.measure("STORE of one, 50 pipelined", "command", 200, || {
        together.iter().for_each(|commands| c.asks(commands, 50));
    });
    meter.ask("SEARCH UNSEEN", 1, &mut c, "SEARCH UNSEEN", true);
    meter.ask("SEARCH UID of one", 1, &mut c, "SEARCH UID 77", true);
    meter.ask("SEARCH SUBJECT", 1, &mut c, "SEARCH SUBJECT \"message 77\"", true);
    meter.ask("SEARCH BODY", 1, &mut c, "SEARCH BODY \"message 77,\"", true);
    c.asks("t CREATE copies\r\n", 1);
    meter.ask("COPY", n, &mut c, "COPY 1:* copies", false);
    c.asks("t CREATE moved\r\n", 1);
    meter.ask("MOVE", n, &mut c, "MOVE 1:* moved", false);
    c.asks("t SELECT copies\r\n", 1);
    c.asks("t STORE 1:* +FLAGS.SILENT (\\Deleted)\r\n", 1);
    meter.ask("EXPUNGE", n, &mut c, "EXPUNGE", false);
    let make: Vec<String> = (0..100).map(|i| format!("t CREATE box{i}\r\n")).collect();
    meter.measure("CREATE, awaited", "command", 100, || {
        make.iter().for_each(|m| c.asks(m, 1))
    });
    let command = "t LIST \"\" *\r\n";
    c.asks(command, 1);
    meter.measure("LIST of 104", "mailbox", 104, || c.asks(command, 1));
    meter.rows
}

/// Runs the scenarios on a server of its own.
fn measured(folder: &Path, watched: bool) -> Vec<Row> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let address = runtime.block_on(async {
        let store = SqliteStore::open(folder, Options::default()).unwrap();
        store.add_user("demo", Some(b"secret"), true).await.unwrap();
        let server = Server::new(Mapped::<SqliteStore>::new(store));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { server.serve_listener(listener, Tls::None).await });
        address
    });
    scenarios(address, watched)
}

/// Calls of the system by scenario and name, those of other threads than the one that says the names.
fn calls(trace: &str) -> HashMap<String, BTreeMap<String, usize>> {
    let mut all: HashMap<String, BTreeMap<String, usize>> = HashMap::new();
    let mut present: Option<(String, &str)> = None;
    for line in trace.lines() {
        let Some((thread, rest)) = line.split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        if let Some((_, name)) = rest.split_once(MARK) {
            let name = name.split('"').next().unwrap_or_default().replace('_', " ");
            present = (name != END).then_some((name, thread));
            continue;
        }
        let (Some((scenario, client)), Some((call, _))) = (&present, rest.split_once('(')) else {
            continue;
        };
        // What was interrupted by another thread is told again when it ends, as `<... read resumed>`.
        if thread != *client && call.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            *all.entry(scenario.clone())
                .or_default()
                .entry(call.to_owned())
                .or_default() += 1;
        }
    }
    all
}

/// The same under `strace`.
fn watch(folder: &Path) -> Option<HashMap<String, BTreeMap<String, usize>>> {
    let trace = folder.join("trace");
    let data = folder.join("watched");
    let ran = Command::new("strace")
        .args(["-f", "-qq", "-o"])
        .arg(&trace)
        .arg(std::env::current_exe().ok()?)
        .arg(&data)
        .env(WATCHED, "1")
        .status();
    match ran {
        Ok(status) if status.success() => Some(calls(&std::fs::read_to_string(&trace).ok()?)),
        Ok(status) => panic!("strace: {status}"),
        Err(_) => {
            eprintln!("costs: there is no strace, so the calls of the system are not counted");
            None
        }
    }
}

fn main() {
    let place = std::env::args_os().nth(1).map(PathBuf::from);
    if std::env::var_os(WATCHED).is_some() {
        measured(&place.unwrap(), true);
        return;
    }
    let memory = PathBuf::from("/dev/shm");
    let place = place.unwrap_or_else(|| if memory.is_dir() { memory } else { std::env::temp_dir() });
    let folder = tempfile::tempdir_in(place).unwrap();
    let rows = measured(&folder.path().join("counted"), false);
    let calls = watch(folder.path());
    println!("| scenario | for each | allocations | octets allocated | processor time [µs] | calls of the system |");
    println!("|---|---|---:|---:|---:|---|");
    for row in rows {
        let each = |n: f64| {
            let n = n / row.items as f64;
            if n >= 100.0 {
                format!("{n:.0}")
            } else {
                format!("{n:.2}")
            }
        };
        let of_it = calls
            .as_ref()
            .map(|calls| calls.get(row.name).cloned().unwrap_or_default());
        let said = match of_it {
            None => "not counted".to_owned(),
            Some(names) => {
                let total = each(names.values().sum::<usize>() as f64);
                let mut names: Vec<_> = names.into_iter().collect();
                names.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
                let most = names
                    .iter()
                    .take(3)
                    .map(|(name, count)| format!("{name} {}", each(*count as f64)));
                format!("{total}: {}", most.collect::<Vec<_>>().join(", "))
            }
        };
        let Row { name, unit, .. } = row;
        let (allocations, octets) = (each(row.allocations as f64), each(row.octets as f64));
        println!(
            "| {name} | {unit} | {allocations} | {octets} | {} | {said} |",
            each(row.nanos as f64 / 1_000.0)
        );
    }
}
