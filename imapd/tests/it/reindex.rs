//! `imapd reindex`: what it says, beside a server and without one, and what a server does when it was killed meanwhile.

use rustix::process::Signal;

use crate::support::server::Server;
use crate::support::{Folder, Ran, ran};

/// A folder in which alice has so many messages, and bob one.
fn folder(messages: usize) -> Folder {
    let folder = Folder::with_users("alice:secret\nbob:secret");
    for n in 0..messages {
        deliver(&folder, "alice", &format!("apples {n}"));
    }
    deliver(&folder, "bob", "pears");
    folder
}

fn deliver(folder: &Folder, user: &str, text: &str) {
    let message = format!("Subject: fruit\r\n\r\n{text}\r\n");
    assert_eq!(folder.imapd(["deliver", "--user", user], message), ran(0, "", ""));
}

/// What is said, without the size of the index.
fn reindex(folder: &Folder) -> String {
    let Ran { code, out, err } = folder.imapd(["reindex"], "");
    assert_eq!((code, err.as_str()), (0, ""));
    let (said, size) = out.split_once("; the index takes ").unwrap();
    assert!(size.ends_with(" KB\n"), "{size}");
    said.to_owned()
}

fn found(server: &Server, user: &str, key: &str) -> Vec<String> {
    let mut client = server.log_in(user, "secret");
    client.ok("EXAMINE INBOX");
    client.ok(&format!("UID SEARCH {key}"))
}

#[test]
fn it_says_how_much_it_indexed() {
    let folder = folder(3);
    assert_eq!(reindex(&folder), "indexed 4 messages (259 B)");
    let alice = folder.imapd(["reindex", "--user", "alice"], "");
    assert_eq!(alice, ran(0, "indexed 3 messages (198 B) of alice\n", ""));
    let bob = folder.imapd(["reindex", "--user", "bob"], "");
    assert_eq!(bob, ran(0, "indexed 1 message (61 B) of bob\n", ""));
    let nobody = "imapd: there is no user carol; `imapd user list` shows those that there are\n";
    assert_eq!(folder.imapd(["reindex", "--user", "carol"], ""), ran(1, "", nobody));
}

#[test]
fn it_mends_a_damaged_index_beside_a_server_that_goes_on() {
    let folder = folder(3);
    reindex(&folder);
    let path = folder.data().join("search.db");
    let mut octets = std::fs::read(&path).unwrap();
    octets.iter_mut().skip(100).for_each(|octet| *octet ^= 0x55);
    std::fs::write(&path, octets).unwrap();
    let server = Server::start(&folder);
    assert_eq!(found(&server, "alice", "BODY \"APPLES 1\""), ["* SEARCH 2"]);
    server.wait_for_log("the search index cannot be used");
    assert_eq!(reindex(&folder), "indexed 4 messages (259 B)");
    deliver(&folder, "alice", "plums");
    assert_eq!(found(&server, "alice", "BODY plums"), ["* SEARCH 4"]);
    assert_eq!(found(&server, "bob", "NOT BODY pears"), ["* SEARCH"]);
}

/// R3501-206: killed at any time, a server that comes back finds what there is.
#[test]
fn a_server_that_was_killed_while_it_indexed_finds_every_message() {
    let folder = Folder::with_users("alice:secret");
    let mut sent = 0;
    for round in 0..6 {
        let mut server = Server::start(&folder);
        let mut client = server.log_in("alice", "secret");
        for n in 0..40 {
            let text = format!(
                "Subject: {n}\r\n\r\nletter {sent} of many, {}\r\n",
                "filler ".repeat(n * 5)
            );
            client.append("INBOX", text.as_bytes()).unwrap();
            sent += 1;
            assert_eq!(
                found(&server, "alice", &format!("BODY \"LETTER {} OF\"", sent / 2)),
                [format!("* SEARCH {}", sent / 2 + 1)]
            );
        }
        drop(client);
        // The index is as far as it is, at another moment each time.
        std::thread::yield_now();
        server.signal(if round % 3 == 2 { Signal::TERM } else { Signal::KILL });
        server.wait();
    }
    let server = Server::start(&folder);
    for n in (0..sent).step_by(17) {
        assert_eq!(
            found(&server, "alice", &format!("BODY \"letter {n} of\"")),
            [format!("* SEARCH {}", n + 1)]
        );
    }
    assert_eq!(found(&server, "alice", "NOT BODY letter"), ["* SEARCH"]);
    let all: Vec<String> = (1..=sent).map(|uid| uid.to_string()).collect();
    assert_eq!(
        found(&server, "alice", "BODY \"of many\""),
        [format!("* SEARCH {}", all.join(" "))]
    );
}
