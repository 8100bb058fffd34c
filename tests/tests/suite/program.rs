//! The program itself, as its users start it.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Output};
use std::time::Duration;

use backend_api::Backend;
use backend_memory::MemoryStore;
use backendutil::Mapped;
use imap_compliance::world::{Certificate, FourMethods};
use imap_server::{Server, Tls};
use tokio::net::TcpListener;

/// A server with the accounts `demo` and `other`.
async fn server() -> SocketAddr {
    let store = MemoryStore::new()
        .with_user("demo", "secret")
        .with_user("other", "secret");
    serving(Mapped::new(store)).await
}

/// A server over this backend, with STARTTLS.
async fn serving<B: Backend>(backend: B) -> SocketAddr {
    let server = Server::builder(backend).failed_login_delay(Duration::ZERO).build();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let tls = Tls::StartTls(Certificate::new().server());
    tokio::spawn(async move { server.serve_listener(listener, tls).await });
    address
}

/// Runs the program with these words behind the address.
async fn run(address: SocketAddr, words: &'static str) -> Output {
    let running = tokio::task::spawn_blocking(move || {
        Command::new(env!("CARGO_BIN_EXE_imap-compliance"))
            .arg(address.to_string())
            .args(words.split(' '))
            .env_remove("IMAP_PASSWORD")
            .env_remove("IMAP_PASSWORD2")
            .output()
            .expect("the program runs")
    });
    running.await.expect("it ends")
}

fn said(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_account_that_cannot_log_in_is_found_before_the_run() {
    let address = server().await;
    let words = "--starttls --insecure --user demo --password secret --user2 other --password2 wrong --filter *";
    let output = run(address, words).await;
    assert_eq!(
        said(&output.stderr),
        format!(
            "imap-compliance: the second account, --user2 other: {address}: The server refuses the login of other: \
             user name or password is wrong\n"
        )
    );
    assert_eq!((output.status.code(), said(&output.stdout)), (Some(2), String::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_accounts_are_used_where_both_can_log_in() {
    let address = server().await;
    let words = "--starttls --insecure --user demo --password secret --user2 other --password2 secret --filter \
                 rfc3501/6.1.2-noop/* --format junit";
    let output = run(address, words).await;
    assert_eq!((output.status.code(), said(&output.stderr)), (Some(0), String::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_could_make_no_mailbox_ends_with_2_and_says_what_helps() {
    let address = serving(Mapped::new(FourMethods::new())).await;
    let words = "--starttls --insecure --user demo --password secret --format junit --filter rfc3501/6.1.2-noop/* \
                 --filter rfc6851/3.3-effects/others-see-an-expunge";
    let output = run(address, words).await;
    assert_eq!(
        said(&output.stderr),
        format!(
            "imap-compliance: {address}: nothing was played, all 3 scenarios were skipped:\n  \
             2  the mailboxes cannot be made: CREATE is answered NO mailboxes cannot be changed here\n  \
             1  no capability MOVE\n\
             Each scenario is played in mailboxes of its own, which are made by CREATE and APPEND: use an account that may \
             do both.\n\
             A backend that can only be read is tested within `cargo test`: imap_compliance::suite! with \
             `.filled_by(…).read_only()`.\n"
        )
    );
    assert_eq!(output.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_without_the_option_that_it_needs_ends_with_2_and_names_the_option() {
    let address = server().await;
    let words = "--starttls --insecure --user demo --password secret --format junit --filter \
                 rfc3501/6.3.5-rename/inbox-is-emptied-and-stays";
    let output = run(address, words).await;
    assert_eq!(
        said(&output.stderr),
        format!(
            "imap-compliance: {address}: nothing was played, the scenario was skipped:\n  \
             1  INBOX must not be changed\n\
             With --inbox it may be: for an account made for tests, whose INBOX is empty.\n"
        )
    );
    assert_eq!(output.status.code(), Some(2));
}
