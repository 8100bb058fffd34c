//! A server killed while it is busiest: nothing that a client was told is done may be undone.

use std::collections::HashMap;
use std::sync::mpsc;

use rustix::process::Signal;

use crate::support::Folder;
use crate::support::client::Client;
use crate::support::server::Server;

const CLIENTS: usize = 64;
const ROUNDS: usize = 4;
/// After so many answers of a round the server is killed.
const ANSWERS: usize = 400;

/// What a client was told.
enum Told {
    Appended { uid: u32, name: String },
    Stored { uid: u32 },
}

/// Appends without end, and flags what it appended.
fn work(client: &mut Client, name: &str, told: &mpsc::Sender<Told>) -> Option<()> {
    for number in 0.. {
        let name = format!("{name}-{number}");
        let answer = client.append("INBOX", message(&name).as_bytes()).ok()?;
        // OK [APPENDUID 1 2] …
        let uid = answer.split([' ', ']']).nth(3)?.parse().ok()?;
        told.send(Told::Appended { uid, name }).ok()?;
        let stored = client
            .ask(format!("UID STORE {uid} +FLAGS.SILENT (\\Flagged $done)"))
            .ok()?;
        assert!(stored.tagged.starts_with("OK "), "{stored:?}");
        told.send(Told::Stored { uid }).ok()?;
    }
    None
}

/// Messages of all sizes: rows, several rows, files.
fn message(name: &str) -> String {
    let sum: usize = name.bytes().map(usize::from).sum();
    let lines = [3, 40, 1_000, 20_000][if sum.is_multiple_of(29) { 3 } else { sum % 3 }];
    format!(
        "Subject: {name}\r\n\r\n{}",
        format!("{name} of the round, again\r\n").repeat(lines)
    )
}

#[test]
fn a_killed_server_loses_nothing_that_was_acknowledged() {
    let folder = Folder::with_users("alice:secret");
    let mut names: HashMap<u32, String> = HashMap::new();
    let mut flagged: Vec<u32> = Vec::new();
    for round in 0..ROUNDS {
        let mut server = Server::start(&folder);
        let (told, tellings) = mpsc::channel();
        std::thread::scope(|scope| {
            let mut clients: Vec<Client> = (0..CLIENTS).map(|_| server.log_in("alice", "secret")).collect();
            for (at, mut client) in clients.drain(..).enumerate() {
                let told = told.clone();
                scope.spawn(move || {
                    client.ok("SELECT INBOX");
                    work(&mut client, &format!("r{round}-c{at}"), &told)
                });
            }
            drop(told);
            for (count, told) in tellings.iter().enumerate() {
                if count == ANSWERS {
                    server.signal(Signal::KILL);
                }
                match told {
                    Told::Appended { uid, name } => assert_eq!(names.insert(uid, name), None, "a UID was given twice"),
                    Told::Stored { uid } => flagged.push(uid),
                }
            }
        });
        assert_eq!(server.wait(), -1, "it was not killed");
        verify(&folder, &names, &flagged);
    }
    assert!(names.len() + flagged.len() >= ROUNDS * ANSWERS);
}

fn verify(folder: &Folder, names: &HashMap<u32, String>, flagged: &[u32]) {
    let server = Server::start(folder);
    let mut client = server.log_in("alice", "secret");
    client.ok("EXAMINE INBOX");
    let mut there: HashMap<u32, (String, bool)> = HashMap::new();
    for line in client.ok("UID FETCH 1:* (FLAGS BODY.PEEK[])") {
        let (head, rest) = line.split_once("\r\n").unwrap();
        let uid = head
            .split("UID ")
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let text = rest.strip_suffix(')').unwrap();
        let name = text.split(['\r', ' ']).nth(1).unwrap();
        // Also what was not acknowledged is there whole or not at all.
        assert!(text == message(name), "{head}: not as it was sent");
        let done = head.contains("\\Flagged") && head.contains("$done");
        assert!(there.insert(uid, (name.to_owned(), done)).is_none());
    }
    for (uid, name) in names {
        assert_eq!(
            there.get(uid).map(|(name, _)| name),
            Some(name),
            "the APPEND with UID {uid} was acknowledged"
        );
    }
    for uid in flagged {
        assert!(there[uid].1, "the STORE of UID {uid} was acknowledged");
    }
}
