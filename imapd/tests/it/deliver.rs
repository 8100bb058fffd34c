//! Delivery: what is stored, who hears of it, and the exit code for everything that can go wrong.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::server::Server;
use crate::support::{Folder, outcome, ran};

/// The messages of a mailbox, whole.
fn messages(folder: &Folder, mailbox: &str) -> Vec<String> {
    let server = Server::start(folder);
    let mut client = server.log_in("alice", "secret");
    client.ok(&format!("EXAMINE {mailbox}"));
    let fetched = client.ok("UID FETCH 1:* BODY.PEEK[]");
    let body = |line: String| {
        line.split_once("\r\n")
            .map(|(_, body)| body.trim_end_matches(')').to_owned())
    };
    fetched.into_iter().filter_map(body).collect()
}

#[test]
fn a_message_gets_its_two_lines_and_crlf() {
    let folder = Folder::with_users("alice:secret");
    let mbox = "From joe@example Thu Jan  1 00:00:00 1970\nSubject: x\n\nFrom here\r\n\tend";
    assert_eq!(
        folder.imapd(["deliver", "--user", "alice", "--from", "joe@example"], mbox),
        ran(0, "", "")
    );
    assert_eq!(
        folder.imapd(["deliver", "--user", "alice", "--from", "<>"], "Subject: y\n\n"),
        ran(0, "", "")
    );
    assert_eq!(
        folder.imapd(["deliver", "--user", "alice", "--from=-x@y"], "\0\r\r\n"),
        ran(0, "", "")
    );
    let expected = [
        "Return-Path: <joe@example>\r\nDelivered-To: alice\r\nSubject: x\r\n\r\nFrom here\r\n\tend",
        "Return-Path: <>\r\nDelivered-To: alice\r\nSubject: y\r\n\r\n",
        "Return-Path: <-x@y>\r\nDelivered-To: alice\r\n\r\r\n",
    ];
    assert_eq!(messages(&folder, "INBOX"), expected);
}

#[test]
fn a_mailbox_is_made_only_when_asked_for() {
    let folder = Folder::with_users("alice:secret");
    let to = ["deliver", "--user", "alice", "--mailbox", "Lists/rust"];
    let refused = "imapd: there is no mailbox Lists/rust; --create makes it\n";
    assert_eq!(folder.imapd(to, "x\n"), ran(73, "", refused));
    assert_eq!(folder.imapd(to.iter().chain(&["--create"]), "x\n"), ran(0, "", ""));
    assert_eq!(folder.imapd(to, "y\n"), ran(0, "", ""));
    assert_eq!(
        folder.imapd(["deliver", "--user", "alice", "--mailbox", "inbox"], "z\n"),
        ran(0, "", "")
    );
    assert_eq!(messages(&folder, "Lists/rust").len(), 2);
    assert_eq!(messages(&folder, "INBOX").len(), 1);
    let server = Server::start(&folder);
    let mut client = server.log_in("alice", "secret");
    assert_eq!(client.ok("LSUB \"\" Lists/*"), ["* LSUB () \"/\" Lists/rust"]);
}

#[test]
fn what_cannot_be_delivered_has_its_own_exit_code() {
    let folder = Folder::with_users("alice:secret");
    let deliver = |args: &[&str], input: &str| folder.imapd(["deliver"].iter().chain(args), input);
    assert_eq!(
        deliver(&["--user", "bob"], "x"),
        ran(67, "", "imapd: there is no user bob\n")
    );
    let empty = "imapd: standard input is empty: a message is expected there\n";
    assert_eq!(deliver(&["--user", "alice"], ""), ran(66, "", empty));
    assert_eq!(
        deliver(&["--user", "alice"], "From a@b Thu Jan  1\n"),
        ran(66, "", empty)
    );
    let address = "an address cannot hold control characters or brackets";
    let from = format!("imapd: --from \"a\\nB: c\": {address}\n");
    assert_eq!(
        deliver(&["--user", "alice", "--from", "a\nB: c"], "x"),
        ran(64, "", &from)
    );
    let level = "imapd: --mailbox \"a//b\": a mailbox name cannot have an empty level\n";
    assert_eq!(
        deliver(&["--user", "alice", "--mailbox", "a//b"], "x"),
        ran(64, "", level)
    );
    assert_eq!(deliver(&["--user", "alice", "--mailbox", ""], "x").code, 64);
    assert_eq!(messages(&folder, "INBOX"), [""; 0]);
}

#[test]
fn standard_input_that_cannot_be_read_delivers_nothing() {
    let folder = Folder::with_users("alice:secret");
    // A folder opens, but does not read.
    let unreadable = std::fs::File::open(folder.path()).unwrap();
    let output = folder
        .command(["deliver", "--user", "alice"])
        .stdin(unreadable)
        .output()
        .unwrap();
    let error = "imapd: standard input could not be read: Is a directory (os error 21); nothing was delivered\n";
    assert_eq!(outcome(output), ran(74, "", error));
    assert_eq!(messages(&folder, "INBOX"), [""; 0]);
}

#[test]
fn standard_input_that_breaks_in_the_middle_delivers_nothing() {
    let folder = Folder::with_users("alice:secret");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (receiver, _) = listener.accept().unwrap();
    let receiver = Stdio::from(OwnedFd::from(receiver));
    let child = folder
        .command(["deliver", "--user", "alice"])
        .stdin(receiver)
        .spawn()
        .unwrap();
    // More than the sockets hold: once it is all sent, some of it was read.
    sender.write_all(&b"0123456789abcde\n".repeat(1024 * 1024)).unwrap();
    socket2::SockRef::from(&sender)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(sender);
    let ran = outcome(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.out.as_str()), (74, ""), "{}", ran.err);
    assert_eq!(messages(&folder, "INBOX"), [""; 0]);
}

#[test]
fn a_delivery_that_is_killed_delivers_nothing() {
    let folder = Folder::with_users("alice:secret");
    let mut child = folder
        .command(["deliver", "--user", "alice"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&b"0123456789abcde\n".repeat(128 * 1024)).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(messages(&folder, "INBOX"), [""; 0]);
}

#[test]
fn a_large_message_takes_no_memory() {
    let folder = Folder::with_users("alice:secret");
    let mut child = folder
        .command(["deliver", "--user", "alice"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let piece = b"0123456789abcde\n".repeat(64 * 1024);
    for _ in 0..96 {
        stdin.write_all(&piece).unwrap();
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    drop(stdin);
    assert_eq!(outcome(child.wait_with_output().unwrap()), ran(0, "", ""));
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes < 48 * 1024, "{kilobytes} kB for 96 MB");
    let server = Server::start(&folder);
    let mut client = server.log_in("alice", "secret");
    client.ok("EXAMINE INBOX");
    let size = 96 * piece.len() / 16 * 17 + "Return-Path: <>\r\nDelivered-To: alice\r\n".len();
    assert_eq!(
        client.ok("FETCH 1 RFC822.SIZE"),
        [format!("* 1 FETCH (RFC822.SIZE {size})")]
    );
}

#[test]
fn a_client_that_idles_hears_of_a_delivery() {
    let folder = Folder::with_users("alice:secret");
    let server = Server::start(&folder);
    let mut client = server.log_in("alice", "secret");
    client.ok("SELECT INBOX");
    for number in 1..=3 {
        let tag = client.start("IDLE").unwrap();
        assert!(client.line().unwrap().starts_with("+ "));
        assert_eq!(
            folder.imapd(["deliver", "--user", "alice"], "Subject: x\n\n"),
            ran(0, "", "")
        );
        assert_eq!(client.line().unwrap(), format!("* {number} EXISTS"));
        client.send("DONE\r\n").unwrap();
        client.answer(&tag).unwrap();
    }
}

#[test]
fn what_exit_code_0_was_given_for_is_there_after_a_crash() {
    let folder = Folder::with_users("alice:secret");
    let mut server = Server::start(&folder);
    server.log_in("alice", "secret").ok("SELECT INBOX");
    for _ in 0..5 {
        assert_eq!(folder.imapd(["deliver", "--user", "alice"], "Subject: x\n\n").code, 0);
    }
    server.signal(Signal::KILL);
    server.wait();
    assert_eq!(messages(&folder, "INBOX").len(), 5);
}

#[test]
fn many_deliveries_at_a_time_all_arrive() {
    let folder = Folder::with_users("alice:secret");
    let _server = Server::start(&folder);
    let deliver = |at| folder.imapd(["deliver", "--user", "alice"], format!("Subject: {at}\n\n"));
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..16).map(|at| scope.spawn(move || deliver(at))).collect();
        for one in all {
            assert_eq!(one.join().unwrap(), ran(0, "", ""));
        }
    });
    assert_eq!(messages(&folder, "INBOX").len(), 16);
}

#[test]
fn a_folder_that_somebody_holds_is_tried_for_ten_seconds_and_then_later_again() {
    let folder = Folder::with_users("alice:secret");
    let holder = rusqlite::Connection::open(folder.data().join("mail.db")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let busy = folder.imapd(["deliver", "--user", "alice"], "Subject: x\n\n");
    assert_eq!((busy.code, busy.out.as_str()), (75, ""), "{}", busy.err);
    assert!(
        busy.err.starts_with("imapd: the data folder cannot be used: "),
        "{}",
        busy.err
    );
    holder.execute_batch("ROLLBACK").unwrap();
    assert_eq!(
        folder.imapd(["deliver", "--user", "alice"], "Subject: x\n\n"),
        ran(0, "", "")
    );
    assert_eq!(messages(&folder, "INBOX").len(), 1);
}
