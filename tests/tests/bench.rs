//! `imap-compliance bench` as it is run: against our own server, against one that answers wrongly, and interrupted. What it
//! measures means nothing here: the sizes are tiny.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead as _, BufReader};
use std::net::Ipv4Addr;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backend_memory::MemoryStore;
use backendutil::Mapped;
use imap_compliance::imapd::Data;
use imap_compliance::suite::bench::{Better, Comparison, Finding, Record};
use imap_compliance::world::Certificate;
use imap_server::{Server, Tls};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_blocking;

/// A server in this process with the accounts `user1` and `user2`; its port.
async fn server() -> u16 {
    let store = MemoryStore::new()
        .with_user("user1", "secret")
        .with_user("user2", "secret");
    let server = Server::builder(Mapped::new(store))
        .failed_login_delay(Duration::ZERO)
        .build();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let tls = Tls::StartTls(Certificate::new().server());
    tokio::spawn(async move { server.serve_listener(listener, tls).await });
    port
}

/// The program with tiny sizes on a server, with both accounts.
fn bench(port: u16) -> Command {
    bench_as(port, "user{}", 2)
}

fn bench_as(port: u16, user: &str, accounts: usize) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_imap-compliance"));
    command.args(["bench", "--tiny", "--user", user, "--accounts", &accounts.to_string()]);
    command.arg(format!("127.0.0.1:{port}"));
    command.env("IMAP_PASSWORD", "secret");
    command
}

/// What it says, and that it ends so.
async fn said(mut command: Command, status: i32) -> String {
    let output: Output = spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

async fn recorded(mut command: Command, status: i32) -> Record {
    command.args(["--format", "json"]);
    serde_json::from_str(&said(command, status).await).unwrap()
}

fn names(record: &Record) -> Vec<&str> {
    record.rows.iter().map(|row| row.name.as_str()).collect()
}

/// What is not a figure: name and reason.
fn without_figure(record: &Record) -> Vec<String> {
    let result = |row: &Comparison| {
        let results = row.results.iter().filter_map(|result| match result {
            Finding::Measured { .. } => None,
            Finding::Skipped { reason } => Some(format!("{}: skipped: {reason}", row.name)),
            Finding::Error { what } => Some(format!("{}: error: {what}", row.name)),
        });
        results.collect::<Vec<_>>()
    };
    record.rows.iter().flat_map(result).collect()
}

/// The mailboxes of `user1` and `user2`.
async fn mailboxes(port: u16) -> Vec<String> {
    let mut names = Vec::new();
    for user in ["user1", "user2"] {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let commands = format!("a LOGIN {user} secret\r\nb LIST \"\" *\r\nc LOGOUT\r\n");
        stream.write_all(commands.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let listed = answer.lines().filter(|line| line.starts_with("* LIST "));
        names.extend(listed.map(|line| line.rsplit(' ').next().unwrap().to_owned()));
    }
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_is_listed_is_measured_and_nothing_is_left_behind() {
    let port = server().await;
    let mut command = bench(port);
    command.arg("--pid").arg(std::process::id().to_string());
    command.args(["--restart", "true"]);
    let record = recorded(command, 0).await;
    assert_eq!(without_figure(&record), [""; 0]);
    let mut list = Command::new(env!("CARGO_BIN_EXE_imap-compliance"));
    list.args(["bench", "--list"]);
    let list = said(list, 0).await;
    let rows = list.lines().take_while(|line| !line.starts_with("with --growth"));
    let rows = rows.filter_map(|line| line.strip_prefix("    ")?.split(' ').next());
    assert_eq!(names(&record), rows.collect::<Vec<_>>());
    assert_eq!(mailboxes(port).await, ["INBOX", "INBOX"]);
}

/// And one account does for all, within TLS as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_not_measured_of_a_process_that_is_not_named() {
    let mut command = bench_as(server().await, "user1", 1);
    command.args(["--group", "idle", "--group", "fanout", "--starttls", "--insecure"]);
    let record = recorded(command, 0).await;
    assert_eq!(
        without_figure(&record),
        [
            "idle: skipped: the server's process was not named (--pid)",
            "idle-tls: skipped: the server's process was not named (--pid)"
        ]
    );
    assert_eq!(names(&record), ["fanout", "idle", "idle-tls"]);
}

/// But for how numbers are rounded.
fn is_about(number: f64, other: f64) -> bool {
    (number / other - 1.0).abs() < 1e-9
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_are_compared_by_ratios_and_their_geometric_mean() {
    let folder = TempDir::new().unwrap();
    let plot = folder.path().join("plot.svg");
    let (first, second) = (server().await, server().await);
    let with = |format: &str| {
        let mut command = bench(first);
        command.arg("--compare").arg(format!("127.0.0.1:{second}"));
        command.args(["--label", "one", "--compare-label", "other", "--format", format]);
        command.args(["--group", "select", "--group", "copy"]);
        command.arg("--plot").arg(&plot);
        command
    };
    let record: Record = serde_json::from_str(&said(with("json"), 0).await).unwrap();
    let all = ["select-first", "select-new", "select-again", "status", "copy", "move"];
    assert_eq!(names(&record), all);
    let not_said = Finding::Skipped {
        reason: "it was not said how the server is restarted (--restart)".to_owned(),
    };
    assert_eq!(record.rows[0].results, [not_said.clone(), not_said]);
    let labels: Vec<&str> = record.servers.iter().map(|server| server.label.as_str()).collect();
    assert_eq!(labels, ["one", "other"]);
    let mut product = 1.0;
    for row in record.rows.iter().skip(1) {
        let [
            Finding::Measured { value: one, rounds, .. },
            Finding::Measured { value: other, .. },
        ] = &row.results[..]
        else {
            panic!("{row:?}");
        };
        assert_eq!(rounds.len(), 2);
        let ratio = match row.better {
            Better::Higher => one / other,
            Better::Lower => other / one,
        };
        assert!(is_about(row.ratio.unwrap(), ratio), "{row:?}");
        product *= ratio;
    }
    let mean = record.geometric_mean.unwrap();
    assert!(is_about(mean, product.powf(0.2)), "{mean}, {product}");
    let svg = std::fs::read_to_string(&plot).unwrap();
    let picture = roxmltree::Document::parse(&svg).unwrap();
    let bars = picture
        .descendants()
        .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "rect")));
    // One is the ground.
    assert_eq!(bars.count(), record.rows.len());
    let text = said(with("text"), 0).await;
    let mut last = text.lines().rev();
    let mean = last.next().unwrap().strip_prefix("  one is better by ").unwrap();
    assert_eq!(mean.split_once('x').unwrap().1, ", over 5 rows");
    assert_eq!(last.next(), Some("Geometric mean"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn growth_is_measured_at_each_size() {
    let folder = TempDir::new().unwrap();
    let plot = folder.path().join("plot.svg");
    let port = server().await;
    let mut command = bench(port);
    command.arg("--growth").arg("--plot").arg(&plot);
    let record = recorded(command, 0).await;
    assert_eq!(without_figure(&record), [""; 0]);
    let sizes = |name: &str| -> Vec<usize> {
        let rows = record.rows.iter().filter(|row| row.name == name);
        rows.filter_map(|row| row.messages).collect()
    };
    let mut lines = names(&record);
    lines.dedup();
    let expected = [
        "growth-fetch-one",
        "growth-store-one",
        "growth-search-number",
        "growth-search-flag",
        "growth-search-text",
        "growth-select",
        "growth-flags-all",
    ];
    assert_eq!(lines, expected);
    assert_eq!(
        lines.iter().map(|line| sizes(line)).collect::<Vec<_>>(),
        vec![vec![10, 30, 100]; 7]
    );
    let svg = std::fs::read_to_string(&plot).unwrap();
    let picture = roxmltree::Document::parse(&svg).unwrap();
    let curves = picture
        .descendants()
        .filter(|node| node.tag_name().name() == "polyline");
    assert_eq!(curves.count(), 7);
    assert_eq!(mailboxes(port).await, ["INBOX", "INBOX"]);
}

/// `imapd` on a folder of its own behind an address that stays; who connects to the other address has it restarted, and is told
/// the new process. Both ports, and how often that happened.
async fn restartable() -> (u16, u16, Arc<AtomicU32>) {
    let front = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let control = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let ports = [&front, &control].map(|listener| listener.local_addr().unwrap().port());
    let data = Data::new();
    let server = spawn_blocking(move || (data.serve(), data)).await.unwrap();
    let (now, times) = (
        Arc::new(Mutex::new(Some(server.0.address()))),
        Arc::new(AtomicU32::new(0)),
    );
    let (address, count) = (now.clone(), times.clone());
    tokio::spawn(async move {
        let (mut process, mut data) = server;
        while let Ok((mut asks, _)) = control.accept().await {
            *address.lock().unwrap() = None;
            let restarted = spawn_blocking(move || {
                process.end();
                (data.serve(), data)
            });
            (process, data) = restarted.await.unwrap();
            *address.lock().unwrap() = Some(process.address());
            count.fetch_add(1, Ordering::Relaxed);
            asks.write_all(format!("pid={}\n", process.id()).as_bytes())
                .await
                .unwrap();
        }
    });
    tokio::spawn(async move {
        while let Ok((mut client, _)) = front.accept().await {
            let Some(address) = *now.lock().unwrap() else { continue };
            tokio::spawn(async move {
                let mut server = TcpStream::connect(address).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    (ports[0], ports[1], times)
}

/// The rows that say that they were measured after a start.
fn after_a_start(record: &Record) -> Vec<&str> {
    let says = |row: &&Comparison| match &row.results[..] {
        [Finding::Measured { rounds, .. }] => rounds.iter().all(|round| round.note == "after a start of the server"),
        _ => false,
    };
    record.rows.iter().filter(says).map(|row| row.name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_first_is_measured_after_a_restart_and_memory_of_the_new_process() {
    let (port, control, times) = restartable().await;
    let restart = format!("bash -c 'cat < /dev/tcp/127.0.0.1/{control}'");
    let mut command = bench_as(port, "demo", 1);
    command.arg("--restart").arg(restart);
    for group in ["fetchfast", "fetchmeta", "search", "select", "idle"] {
        command.args(["--group", group]);
    }
    let record = recorded(command, 0).await;
    assert_eq!(without_figure(&record), [""; 0]);
    let first = names(&record).into_iter().filter(|name| name.ends_with("-first"));
    let (of_select, others): (Vec<&str>, Vec<&str>) = first.partition(|name| *name == "select-first");
    assert_eq!((of_select.len(), others.len()), (1, 10));
    assert_eq!(after_a_start(&record), others);
    // Once to see that it can be done, once for each of the others, and for each SELECT of two.
    assert_eq!(times.load(Ordering::Relaxed), 1 + 10 + 2);
    let mut client = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let commands = "a LOGIN demo secret\r\nb LIST \"\" *\r\nc LOGOUT\r\n";
    client.write_all(commands.as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    let listed: Vec<&str> = answer.lines().filter(|line| line.starts_with("* LIST ")).collect();
    assert_eq!(listed, ["* LIST (\\HasNoChildren) \"/\" INBOX"]);
}

/// The first one goes well: it is tried before anything is measured.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_that_fails_later_is_an_error_of_what_needs_it_and_not_tried_again() {
    let (port, folder) = (server().await, TempDir::new().unwrap());
    let count = folder.path().join("count");
    let restart = format!(
        "echo >> {0}; test $(wc -l < {0}) = 1 || {{ echo broken >&2; exit 3; }}",
        count.display()
    );
    let mut command = bench(port);
    command.args(["--group", "fetchmeta", "--group", "select", "--group", "copy"]);
    command.arg("--restart").arg(&restart);
    let record = recorded(command, 1).await;
    let failed = format!("error: `{restart}` ended with exit status: 3: broken");
    let mut expected = [
        "envelope-first",
        "envelope",
        "bodystructure-first",
        "bodystructure",
        "header-fields-first",
        "header-fields",
    ]
    .map(|name| format!("{name}: {failed}"))
    .to_vec();
    expected.push("select-first: error: the server was not restarted: that failed before".to_owned());
    assert_eq!(without_figure(&record), expected);
    assert_eq!(std::fs::read(&count).unwrap(), b"\n\n");
    assert_eq!(mailboxes(port).await, ["INBOX", "INBOX"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_that_fails_at_once_is_said_before_anything_is_measured() {
    let mut command = bench(server().await);
    let address = command.get_args().last().unwrap().to_str().unwrap().to_owned();
    command.args(["--restart", "echo no such service >&2; exit 5"]);
    let output = spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        (output.status.code(), errors),
        (
            Some(2),
            format!(
                "imap-compliance: {address}: `echo no such service >&2; exit 5` ended with exit status: 5: no such service\n"
            )
        )
    );
}

/// Between clients and a server, one response out of all is left out: the first that begins so.
async fn without(server: u16, response: &'static str) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut asks, mut tells) = client.into_split();
                let behind = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                let (answers, mut takes) = behind.into_split();
                let asking = tokio::spawn(async move { tokio::io::copy(&mut asks, &mut takes).await });
                let (mut answers, mut line, mut left_out) = (tokio::io::BufReader::new(answers), Vec::new(), false);
                while answers.read_until(b'\n', &mut line).await.is_ok_and(|count| count > 0) {
                    if line.starts_with(response.as_bytes()) && !left_out {
                        left_out = true;
                    } else if tells.write_all(&line).await.is_err() {
                        break;
                    }
                    line.clear();
                }
                asking.abort();
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_answer_is_an_error_and_no_figure() {
    let server = server().await;
    let wrong = |response, groups: [&'static str; 2]| async move {
        let mut command = bench(without(server, response).await);
        for group in groups {
            command.args(["--group", group]);
        }
        without_figure(&recorded(command, 1).await)
    };
    assert_eq!(
        wrong("* 1 EXPUNGE", ["noop", "expunge"]).await,
        ["expunge-half: error: 59 EXPUNGE responses of 60"]
    );
    assert_eq!(
        wrong("* 120 FETCH", ["login", "fetchfast"]).await,
        [
            "fetch-fast-first: error: 119 FETCH responses of 120",
            "fetch-fast-large-first: error: 299 FETCH responses of 300"
        ]
    );
    assert_eq!(
        wrong("* SEARCH", ["noop", "search"]).await,
        [
            "search-unseen: error: 0 hits, not 66",
            "search-all: error: 0 hits, not 120",
            "search-since-first: error: 0 hits, not 36",
            "search-subject-first: error: 0 hits, not 2",
            "search-header-first: error: 0 hits, not 2",
            "search-body-first: error: 0 hits, not 1",
            "search-text-first: error: 0 hits, not 1"
        ]
    );
    let text = {
        let mut command = bench(without(server, "* LIST").await);
        command.args(["--group", "list", "--label", "wrong"]);
        said(command, 1).await
    };
    let last: Vec<&str> = text.lines().rev().take(2).collect();
    assert_eq!(last, ["  list, wrong: 19 LIST responses of 20", "Errors"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_run_says_so_and_leaves_no_mailbox() {
    let port = server().await;
    let mut command = bench(port);
    command.args(["--verbose", "--format", "json", "--rounds", "100"]);
    let output = spawn_blocking(move || {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // By now there is a mailbox.
        let prefix = format!("127.0.0.1:{port}: noop-1: ");
        assert!(lines.any(|line| line.unwrap().starts_with(&prefix)));
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        for line in lines {
            line.unwrap();
        }
        child.wait_with_output().unwrap()
    });
    let output = output.await.unwrap();
    assert_eq!(output.status.code(), Some(130));
    let record: Record = serde_json::from_slice(&output.stdout).unwrap();
    assert!(record.interrupted);
    assert_eq!(record.rows[0].name, "login-1");
    assert_eq!(mailboxes(port).await, ["INBOX", "INBOX"]);
}

#[tokio::test]
async fn what_makes_no_sense_is_said_before_anything_is_measured() {
    let refused = |arguments: &'static [&'static str]| async move {
        let mut command = Command::new(env!("CARGO_BIN_EXE_imap-compliance"));
        command
            .args(["bench", "127.0.0.1:1", "--password", "x"])
            .args(arguments);
        let output = spawn_blocking(move || command.output()).await.unwrap().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(
        refused(&["--user", "u{}"]).await,
        "imap-compliance: `u{}` stands for several accounts: --accounts says how many\n"
    );
    assert_eq!(
        refused(&["--user", "u", "--accounts", "2"]).await,
        "imap-compliance: `u` is one account: with --accounts, `{}` in it stands for their numbers\n"
    );
    assert_eq!(
        refused(&["--user", "u", "--plot", "never.svg"]).await,
        "imap-compliance: --plot draws ratios or growth: it needs --compare or --growth\n"
    );
    assert_eq!(
        refused(&["--user", "u", "--compare", "127.0.0.1:2", "--restart", "true"]).await,
        "imap-compliance: --restart and --compare-restart go together: else `first` is after a start on one side alone\n"
    );
    assert_eq!(
        refused(&[]).await,
        "imap-compliance: --user is missing: the account to log in to\n"
    );
}
