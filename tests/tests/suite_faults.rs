//! The scenarios find what is wrong: each deliberate fault between the server and its clients fails one of them.
//!
//! `cargo test -p imap-compliance --test suite_faults -- --nocapture` prints which.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use backend_memory::MemoryStore;
use backendutil::Mapped;
use imap_compliance::suite::faults::{self, Fault, Played};
use imap_compliance::suite::outcome::Verdict;
use imap_compliance::suite::place::Facts;
use imap_compliance::suite::scenario::Scenario;
use imap_compliance::suite::{InProcess, library, run};
use imap_server::Server;

static SCENARIOS: LazyLock<Vec<Arc<Scenario>>> =
    LazyLock::new(|| library::built_in().expect("the scenarios are right"));

fn server() -> InProcess {
    let store = MemoryStore::new()
        .with_user("demo", "secret")
        .with_user("other", "secret");
    let server = Server::builder(Mapped::new(store))
        .failed_login_delay(Duration::ZERO)
        .build();
    InProcess::new("the memory store", server, "demo", "secret").second_user("other", "secret")
}

/// Time passes at once when nobody has anything to do: what never comes is not waited for.
fn at_once<F: Future>(what: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(what)
}

fn facts() -> Facts {
    at_once(async { run::survey(&server(), Duration::from_secs(20)).await }).expect("the server can be surveyed")
}

fn play(fault: Option<&'static Fault>, facts: &Facts, scenario: &Scenario) -> Played {
    at_once(async { faults::play(&server(), fault, facts, scenario).await }).expect("the mailboxes can be made")
}

/// Does something for each of many, on all processors; the results in the same order.
fn each<T: Sync, R: Send>(of: &[T], what: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(one) = of.get(index) else { return };
                    let result = what(one);
                    results.lock().expect("no thread broke").push((index, result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("no thread broke");
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// What came of a fault.
enum Found {
    Caught(String),
    Uncaught(String),
}

fn find(fault: &'static Fault, facts: &Facts, scenarios: &[Arc<Scenario>]) -> Found {
    let mut likely: Vec<_> = scenarios.iter().collect();
    likely.sort_by_key(|scenario| fault.distance(scenario));
    let mut changes = 0;
    for scenario in likely {
        let played = play(Some(fault), facts, scenario);
        changes += played.changes;
        match played.verdict {
            Verdict::Failed { failure } if played.changes > 0 => {
                return Found::Caught(format!("{}: caught by {}: {}", fault.name, scenario.name, failure.what));
            }
            Verdict::Failed { failure } => {
                let what = failure.what;
                return Found::Uncaught(format!("{}: fails {} untouched: {what}", fault.name, scenario.name));
            }
            Verdict::Passed | Verdict::Skipped { .. } => {}
        }
    }
    match changes {
        0 => Found::Uncaught(format!("{}: nothing was ever changed", fault.name)),
        _ => Found::Uncaught(format!("{}: nothing catches it", fault.name)),
    }
}

/// All octets are passed on as they are: that a scenario fails is due to the fault. Then each fault fails one.
#[test]
fn each_fault_is_caught_by_a_scenario_that_passes_without_it() {
    let facts = facts();
    let without = each(&SCENARIOS, |scenario| play(None, &facts, scenario).verdict);
    let mut passing = Vec::new();
    let mut failing = Vec::new();
    for (scenario, verdict) in SCENARIOS.iter().zip(without) {
        match verdict {
            Verdict::Passed => passing.push(scenario.clone()),
            Verdict::Failed { failure } => failing.push(format!("{}: {}", scenario.name, failure.what)),
            Verdict::Skipped { .. } => {}
        }
    }
    assert_eq!(failing, Vec::<String>::new(), "these fail without a fault");
    let faults: Vec<_> = faults::all().collect();
    let names: BTreeSet<_> = faults.iter().map(|fault| fault.name).collect();
    assert_eq!(names.len(), faults.len(), "each fault has a name of its own");
    let mut uncaught = Vec::new();
    for found in each(&faults, |fault| find(fault, &facts, &passing)) {
        match found {
            Found::Caught(how) => println!("{how}"),
            Found::Uncaught(why) => uncaught.push(why),
        }
    }
    println!("{} faults, {} scenarios that pass", faults.len(), passing.len());
    assert_eq!(uncaught, Vec::<String>::new(), "the suite is blind to these");
}
