//! Signals: an end that says goodbye and loses nothing, one at once, and another certificate without an end.

use std::io;

use rustix::process::Signal;

use crate::support::Folder;
use crate::support::client::Client;
use crate::support::server::Server;
use crate::tls::certificate;

const BYE: &str = "* BYE The server is shutting down";

#[test]
fn everybody_is_told_goodbye() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = Folder::with_users("alice:secret");
        let mut server = Server::start(&folder);
        let mut greeted = server.connect();
        let mut logged_in = server.log_in("alice", "secret");
        let mut idle = server.log_in("alice", "secret");
        idle.ok("SELECT INBOX");
        idle.start("IDLE").unwrap();
        assert!(idle.line().unwrap().starts_with("+ "));
        let mut tls = Client::connect_tls(server.tls(), &server.certificate()).unwrap();
        server.signal(signal);
        for client in [&mut greeted, &mut logged_in, &mut idle, &mut tls] {
            assert_eq!(client.line().unwrap(), BYE);
            let end = client.line().unwrap_err();
            assert_eq!(end.kind(), io::ErrorKind::UnexpectedEof);
        }
        assert_eq!(server.wait(), 0);
    }
}

#[test]
fn what_was_asked_for_before_the_end_is_done() {
    let folder = Folder::with_users("alice:secret");
    let mut server = Server::start(&folder);
    let mut clients: Vec<Client> = (0..4).map(|_| server.log_in("alice", "secret")).collect();
    let message = b"Subject: x\r\n\r\n";
    for client in &mut clients {
        assert!(client.append("INBOX", message).unwrap().starts_with("OK "));
    }
    // Ten more of each, whose answers nobody has read.
    for client in &mut clients {
        for _ in 0..10 {
            let command = [format!("APPEND INBOX {{{}+}}\r\n", message.len()).as_bytes(), message].concat();
            client.start(command).unwrap();
        }
    }
    server.signal(Signal::TERM);
    let mut acknowledged = 4;
    for client in &mut clients {
        while let Ok(line) = client.line() {
            acknowledged += usize::from(line.contains(" OK [APPENDUID "));
        }
    }
    assert_eq!(server.wait(), 0);
    let server = Server::start(&folder);
    let mut client = server.log_in("alice", "secret");
    let status = client.ok("STATUS INBOX (MESSAGES)").remove(0);
    let there: usize = status
        .trim_start_matches("* STATUS INBOX (MESSAGES ")
        .trim_end_matches(')')
        .parse()
        .unwrap();
    assert!(there >= acknowledged, "{there} of {acknowledged}");
}

#[test]
fn a_client_that_takes_nothing_holds_up_the_end_until_the_second_signal() {
    let folder = Folder::with_users("alice:secret");
    let body = format!("Subject: x\r\n\r\n{}", "0123456789abcd\r\n".repeat(1024 * 1024));
    assert_eq!(folder.imapd(["deliver", "--user", "alice"], body).code, 0);
    let mut server = Server::start(&folder);
    let mut client = server.log_in("alice", "secret");
    client.ok("SELECT INBOX");
    client.start("FETCH 1 BODY.PEEK[]").unwrap();
    // The beginning has come, so the rest is under way.
    let mut first = [0; 1];
    client.take(&mut first).unwrap();
    server.signal(Signal::TERM);
    server.wait_for_log("shutting down");
    server.signal(Signal::TERM);
    let code = server.wait();
    assert_eq!(code, 1, "{}", server.log());
}

#[test]
fn the_certificate_is_exchanged_without_ending_connections() {
    let folder = Folder::with_users("alice:secret");
    let (cert, key) = certificate(&folder, "own");
    let old = folder.file("old.pem", std::fs::read(&cert).unwrap());
    let options = [
        "--listen",
        "127.0.0.1:0",
        "--listen-tls",
        "127.0.0.1:0",
        "--tls-cert",
        "own.pem",
        "--tls-key",
        "own.key",
    ];
    let server = Server::start_with(&folder, &options, 2);
    let mut before = Client::connect_tls(server.tls(), &old).unwrap();
    before.log_in("alice", "secret");

    let (new, new_key) = certificate(&folder, "new");
    std::fs::copy(&new, &cert).unwrap();
    std::fs::copy(&new_key, &key).unwrap();
    server.signal(Signal::HUP);
    server.wait_for_log("read the certificate again");
    Client::connect_tls(server.tls(), &new)
        .unwrap()
        .log_in("alice", "secret");
    assert!(Client::connect_tls(server.tls(), &old).is_err());
    let mut starttls = server.connect();
    starttls.ok("STARTTLS");
    starttls.secured(&new).unwrap().log_in("alice", "secret");
    before.ok("NOOP");

    folder.file("own.key", "junk");
    server.signal(Signal::HUP);
    server.wait_for_log("the certificate was not exchanged, the one before stays");
    Client::connect_tls(server.tls(), &new)
        .unwrap()
        .log_in("alice", "secret");
    before.ok("NOOP");
}
