//! Each deliberate fault of a server is caught by a scenario: the suite bites.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use backend_memory::MemoryStore;
use backendutil::Mapped;
use imap_compliance::stream::BoxedStream;
use imap_compliance::suite::fault::{FAULTS, Fault};
use imap_compliance::suite::in_process::play;
use imap_compliance::suite::outcome::Verdict;
use imap_compliance::suite::scenario::{Need, Scenario};
use imap_compliance::suite::{InProcess, library};
use imap_compliance::world::loopback;
use imap_server::Server;

/// Connections that the suite itself makes before a scenario: to look at the server, and to make the mailboxes.
const OWN: u32 = 2;

/// A server that lies on every connection but the suite's own.
fn lying(fault: Fault) -> InProcess {
    let store = MemoryStore::new()
        .with_user("demo", "secret")
        .with_user("other", "secret");
    let server = Server::builder(Mapped::new(store))
        .failed_login_delay(std::time::Duration::ZERO)
        .build();
    let connections = AtomicU32::new(0);
    let connect = move || {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let server = server.clone();
        tokio::spawn(async move { server.serve(theirs, loopback()).await });
        let honest: BoxedStream = Box::new(ours);
        if connections.fetch_add(1, Ordering::Relaxed) < OWN {
            honest
        } else {
            fault.between(honest)
        }
    };
    InProcess::from_connections("a server that lies", connect, "demo", "secret").second_user("other", "secret")
}

/// What the scenario finds wrong; none when it passes, is skipped, or fails before its first step.
async fn caught(fault: Fault, scenario: &Scenario) -> Option<String> {
    match play(&lying(fault), scenario).await.ok()?.verdict {
        Verdict::Failed { failure } if failure.line > 1 => Some(failure.what),
        _ => None,
    }
}

/// The first scenario that catches a fault, the likeliest tried first.
fn first_that_catches(fault: Fault, scenarios: &[Arc<Scenario>]) -> Option<(String, String)> {
    let likely = |s: &&Arc<Scenario>| s.name.contains(fault.hint);
    let others = scenarios.iter().filter(|s| !likely(s));
    let mut all = scenarios.iter().filter(likely).chain(others);
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().start_paused(true).build().expect("a runtime")
    };
    all.find_map(|scenario| {
        let what = runtime().block_on(caught(fault, scenario))?;
        Some((scenario.name.clone(), what))
    })
}

#[test]
fn every_fault_is_caught() {
    let scenarios = library::built_in().expect("the scenarios are well-formed");
    let plays = |s: &Arc<Scenario>| !s.needs.contains(&Need::StartTls);
    let scenarios: Vec<Arc<Scenario>> = scenarios.into_iter().filter(plays).collect();
    let next = AtomicU32::new(0);
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(fault) = FAULTS.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    let catcher = first_that_catches(*fault, &scenarios);
                    found.lock().expect("no thread panics").push((fault.name, catcher));
                }
            });
        }
    });
    let found = found.into_inner().expect("no thread panics");
    let mut missed = Vec::new();
    for (fault, catcher) in &found {
        match catcher {
            Some((scenario, what)) => println!("{fault}: {scenario}: {what}"),
            None => missed.push(*fault),
        }
    }
    assert!(FAULTS.len() >= 40, "too few faults: {}", FAULTS.len());
    assert_eq!(missed, [""; 0], "no scenario catches these");
}
