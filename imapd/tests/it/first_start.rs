//! The first start on a new folder: an account that one can log in to, and how that is told; never again afterwards.

use crate::support::client::Client;
use crate::support::server::Server;
use crate::support::{DEADLINE, Folder, ran};
use rustix::process::Signal;
use std::time::Instant;

/// The password that the server told.
fn password(server: &Server) -> String {
    server.wait_for_log("passwd demo\n\n");
    let log = server.log();
    let line = log.lines().find(|l| l.starts_with("  password  ")).unwrap();
    line.trim_start_matches("  password  ").to_owned()
}

fn read_a_welcome(client: &mut Client, password: &str) {
    client.log_in("demo", password);
    client.ok("SELECT INBOX");
    let subject = client.ok("FETCH 2 BODY.PEEK[HEADER.FIELDS (SUBJECT)]");
    let expected = "* 2 FETCH (BODY[HEADER.FIELDS (SUBJECT)] {24}\r\nSubject: With a file\r\n\r\n)";
    assert_eq!(subject, [expected]);
}

#[test]
fn the_demo_account_is_there_over_plain_tls_and_starttls() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let password = password(&server);

    read_a_welcome(&mut server.connect(), &password);

    let mut tls = Client::connect_tls(server.tls(), &server.certificate()).unwrap();
    read_a_welcome(&mut tls, &password);

    let mut plain = server.connect();
    plain.ok("STARTTLS");
    read_a_welcome(&mut plain.secured(&server.certificate()).unwrap(), &password);
}

#[test]
fn of_two_first_starts_at_once_one_makes_the_account_and_both_serve_it() {
    for _ in 0..4 {
        let folder = &Folder::new();
        let start = || Server::start(folder);
        let servers = std::thread::scope(|scope| {
            let threads = [scope.spawn(start), scope.spawn(start)];
            threads.map(|thread| thread.join().unwrap())
        });
        let told = servers.each_ref().map(|server| {
            let end = Instant::now() + DEADLINE;
            loop {
                let log = server.log();
                match (log.contains("passwd demo\n\n"), log.contains(" serving ")) {
                    (false, false) => assert!(Instant::now() < end, "it says neither: {log}"),
                    (tells, _) => break tells,
                }
                std::thread::yield_now();
            }
        });
        let teller = told.iter().position(|told| *told).expect("nobody tells the password");
        assert!(!told[1 - teller], "both tell a password");
        let password = password(&servers[teller]);
        servers
            .iter()
            .for_each(|server| read_a_welcome(&mut server.connect(), &password));
    }
}

#[test]
fn the_demo_account_has_three_messages_one_unread_and_the_usual_mailboxes() {
    let folder = Folder::new();
    let server = Server::start(&folder);
    let mut client = server.log_in("demo", &password(&server));
    let status = client.ok("STATUS INBOX (MESSAGES UNSEEN)");
    assert_eq!(status, ["* STATUS INBOX (MESSAGES 3 UNSEEN 1)"]);
    let expected = [
        "* LIST (\\HasNoChildren) \"/\" INBOX",
        "* LIST (\\HasNoChildren \\Archive) \"/\" Archive",
        "* LIST (\\HasNoChildren \\Drafts) \"/\" Drafts",
        "* LIST (\\HasNoChildren \\Junk) \"/\" Junk",
        "* LIST (\\HasNoChildren \\Sent) \"/\" Sent",
        "* LIST (\\HasNoChildren \\Trash) \"/\" Trash",
    ];
    assert_eq!(client.ok("LIST \"\" *"), expected);
    client.ok("SELECT INBOX");
    let types = client.ok("FETCH 1:3 BODY.PEEK[HEADER.FIELDS (CONTENT-TYPE)]");
    let of = |at: usize| {
        types[at]
            .split_once("Content-Type: ")
            .unwrap()
            .1
            .split(';')
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        [of(0), of(1), of(2)],
        ["multipart/alternative", "multipart/mixed", "text/plain"]
    );
}

#[test]
fn a_second_start_makes_no_account_and_tells_no_password() {
    let folder = Folder::new();
    let mut first = Server::start(&folder);
    let password = password(&first);
    first.signal(Signal::TERM);
    assert_eq!(first.wait(), 0);

    let mut second = Server::start(&folder);
    second.wait_for_log(" serving ");
    second.log_in("demo", &password);
    second.signal(Signal::TERM);
    assert_eq!(second.wait(), 0);
    assert!(!second.log().contains("password"), "{}", second.log());
}

#[test]
fn where_there_are_accounts_no_demo_is_made() {
    let folder = Folder::with_users("alice:secret");
    let server = Server::start(&folder);
    server.log_in("alice", "secret");
    let list = folder.imapd(["user", "list"], "");
    assert_eq!(list.out, "NAME   MESSAGES  SIZE\nalice         0   0 B\n");
}

#[test]
fn an_emptied_folder_gets_no_demo_and_says_how_to_make_an_account() {
    let folder = Folder::with_users("alice:secret");
    assert_eq!(folder.imapd(["user", "remove", "alice"], "").code, 0);
    let server = Server::start(&folder);
    server.wait_for_log("which has no accounts: make one with `imapd --data ");
    assert_eq!(folder.imapd(["user", "list"], "").out, "");
}

#[test]
fn json_logs_hold_no_password() {
    let folder = Folder::new();
    let options = [
        "--log-format",
        "json",
        "--listen",
        "127.0.0.1:0",
        "--listen-tls",
        "none",
    ];
    let server = Server::start_with(&folder, &options, 1);
    server.wait_for_log("user passwd demo");
    assert_eq!(
        folder
            .imapd(["user", "passwd", "demo", "--password-stdin"], "pw\n")
            .code,
        0
    );
    server.log_in("demo", "pw");
    server.wait_for_log("logged in");
    for line in server.log().lines() {
        assert!(line.starts_with('{') && line.ends_with('}'), "{line}");
        assert!(!line.contains("\"pw\""), "{line}");
    }
}

#[test]
fn a_port_that_is_taken_leaves_no_trace() {
    let folder = Folder::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = folder.imapd(["serve", "--listen", &address, "--listen-tls", "none"], "");
    let why = "another program listens there already; stop it, or choose another port with --listen";
    let expected = ran(1, "", &format!("imapd: cannot listen on {address}: {why}\n"));
    assert_eq!(refused, expected);
    assert!(!folder.data().exists());
}

#[test]
fn two_servers_serve_one_folder() {
    let folder = Folder::with_users("alice:secret");
    let (one, two) = (Server::start(&folder), Server::start(&folder));
    let mut writer = one.log_in("alice", "secret");
    let mut reader = two.log_in("alice", "secret");
    reader.ok("SELECT INBOX");
    assert!(
        writer
            .append("INBOX", b"Subject: x\r\n\r\n")
            .unwrap()
            .starts_with("OK ")
    );
    assert_eq!(reader.ok("NOOP"), ["* 1 EXISTS", "* 1 RECENT"]);
}
