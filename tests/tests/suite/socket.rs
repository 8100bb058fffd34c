//! The suite over real sockets, within TLS and in the clear, as `imap-compliance HOST:PORT` plays it.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use backend_memory::MemoryStore;
use backendutil::Mapped;
use imap_compliance::suite::library;
use imap_compliance::suite::network::Network;
use imap_compliance::suite::outcome::Verdict;
use imap_compliance::suite::run::{Plan, Running, run, survey};
use imap_compliance::suite::target::{Login, Security};
use imap_compliance::world::Certificate;
use imap_server::{Server, Tls};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// Plays all scenarios; what failed, and how many passed.
async fn whole(tls: Tls, security: Security) -> (Vec<String>, usize) {
    let store = MemoryStore::new()
        .with_user("demo", "secret")
        .with_user("other", "secret");
    let server = Server::builder(Mapped::new(store))
        .failed_login_delay(Duration::ZERO)
        .build();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move { server.serve_listener(listener, tls).await });
    let target = Network {
        address,
        first: Login::new("demo", "secret"),
        second: Some(Login::new("other", "secret")),
        security,
        insecure: true,
        owns_inbox: true,
    };
    let plan = Plan {
        timeout: Duration::from_secs(30),
        jobs: 8,
        name: "socket".to_owned(),
        repeat: String::new(),
        running: Running::default(),
    };
    let facts = survey(&target, plan.timeout).await.expect("the server lets us in");
    let scenarios = library::built_in().expect("the scenarios are well-formed");
    let (sender, mut receiver) = mpsc::channel(64);
    let running = tokio::spawn(run(
        Arc::new(target),
        Arc::new(facts),
        Arc::new(scenarios),
        Arc::new(plan),
        sender,
    ));
    let (mut failed, mut passed) = (Vec::new(), 0);
    while let Some(outcome) = receiver.recv().await {
        match outcome.verdict {
            Verdict::Passed => passed += 1,
            Verdict::Skipped { .. } => {}
            Verdict::Failed { failure } => failed.push(format!("{}: {}", outcome.name, failure.what)),
        }
    }
    running.await.expect("the run ends");
    (failed, passed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whole_within_tls() {
    let (failed, passed) = whole(Tls::Implicit(Certificate::new().server()), Security::Tls).await;
    assert_eq!(failed, [""; 0]);
    assert!(passed > 400, "only {passed} passed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whole_behind_starttls() {
    let (failed, passed) = whole(Tls::StartTls(Certificate::new().server()), Security::StartTls).await;
    assert_eq!(failed, [""; 0]);
    assert!(passed > 400, "only {passed} passed");
}
