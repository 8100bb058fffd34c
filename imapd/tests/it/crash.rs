//! A server killed again and again while it is busiest, with other processes at work on its folder: what was acknowledged is
//! there, once, and nothing is half done, given twice, or left behind.

mod client;
mod model;
mod others;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use rustix::process::Signal;

use crate::leftovers;
use crate::support::client::Client;
use crate::support::server::Server;
use crate::support::{DEADLINE, Folder};
use client::Worker;
use model::{Held, Message, Random};
use others::{Accounts, Deliveries};

const WORKERS: usize = 16;
const ROUNDS: u64 = 8;
/// The mailboxes that all clients have in common; each has another that it renames.
const COMMON: [&str; 3] = ["INBOX", "A", "B"];

/// What was seen in earlier rounds.
#[derive(Default)]
struct Seen {
    /// By UIDVALIDITY and UID, also of messages that are gone.
    messages: HashMap<(u32, u32), String>,
    validity: HashMap<String, u32>,
}

/// A mailbox as it is after a restart.
struct Found {
    validity: u32,
    uid_next: u32,
    messages: BTreeMap<u32, Message>,
}

#[test]
fn a_killed_server_has_done_what_it_acknowledged_and_nothing_by_halves() {
    let folder = Folder::with_users("alice:secret");
    let server = Server::start(&folder);
    let mut setting_up = server.log_in("alice", "secret");
    COMMON[1..]
        .iter()
        .for_each(|name| drop(setting_up.ok(&format!("CREATE {name}"))));
    drop((setting_up, server));

    let mut seen = Seen::default();
    let mut workers: Vec<Worker> = (0..WORKERS).map(Worker::new).collect();
    let (mut deliveries, mut accounts) = (Deliveries::default(), Accounts::default());
    for round in 0..ROUNDS {
        let mut random = Random::new(round);
        let mut server = Server::start(&folder);
        let kill_at = 50 + random.below(400);
        let answers = AtomicUsize::new(0);
        let working = || answers.load(Ordering::SeqCst) < kill_at;
        std::thread::scope(|scope| {
            for (number, worker) in workers.iter_mut().enumerate() {
                let mut client = server.log_in("alice", "secret");
                let (answers, random) = (&answers, Random::new(round << 16 | number as u64));
                scope.spawn(move || worker.works(&mut client, random, answers));
            }
            scope.spawn(|| deliveries.works(&folder, Random::new(round), &working));
            scope.spawn(|| accounts.works(&folder, Random::new(round), &working));
            let end = Instant::now() + DEADLINE;
            while working() {
                assert!(Instant::now() < end, "it does nothing any more: {}", server.log());
                std::thread::yield_now();
            }
            server.signal(Signal::KILL);
        });
        assert_eq!(server.wait(), -1, "it was not killed");
        verify(&folder, &mut seen, &mut workers, &mut deliveries, &mut accounts);
    }
    nothing_is_left_behind(&folder);
}

fn verify(
    folder: &Folder,
    seen: &mut Seen,
    workers: &mut [Worker],
    deliveries: &mut Deliveries,
    accounts: &mut Accounts,
) {
    let database = leftovers::Folder::new(&folder.data());
    let damage = database.number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check != 'ok'");
    assert_eq!(damage, 0, "SQLite finds damage");

    let server = Server::start(folder);
    let mut client = server.log_in("alice", "secret");
    let found = read(&mut client);
    seen.compare(&found);
    let mut owners: HashMap<&str, Held> = HashMap::new();
    for (mailbox, content) in &found {
        for (uid, message) in &content.messages {
            let owner = message.name.split('-').next().unwrap();
            let held = owners.entry(owner).or_default();
            held.insert((mailbox.clone(), *uid), message.clone());
        }
    }
    let mut own: BTreeSet<String> = found.keys().cloned().collect();
    COMMON
        .iter()
        .for_each(|name| assert!(own.remove(*name), "{name} is gone"));
    for worker in workers {
        let held = owners.remove(worker.name.as_str()).unwrap_or_default();
        let boxes = own.extract_if(.., |name| name.starts_with(&format!("{}-", worker.name)));
        let boxes = boxes.map(|name| (name.clone(), found[&name].validity)).collect();
        worker.compare(held, boxes);
    }
    deliveries.compare(owners.remove("d").unwrap_or_default());
    assert!(owners.is_empty() && own.is_empty(), "whose are {owners:?} and {own:?}?");
    accounts.compare(folder, &server);
}

/// All that the account has.
fn read(client: &mut Client) -> BTreeMap<String, Found> {
    let listed = client.ok("LIST \"\" *");
    let names = listed.iter().map(|line| line.rsplit(' ').next().unwrap());
    let usual = ["Drafts", "Sent", "Junk", "Trash", "Archive"];
    let names: Vec<&str> = names.filter(|name| !usual.contains(name)).collect();
    names
        .into_iter()
        .map(|name| (name.to_owned(), read_mailbox(client, name)))
        .collect()
}

fn read_mailbox(client: &mut Client, name: &str) -> Found {
    let told = client.ok(&format!("EXAMINE {name}"));
    let number = |code: &str| -> u32 {
        let found = told.iter().find_map(|line| line.split_once(code));
        let (_, rest) = found.unwrap_or_else(|| panic!("no {code}in {told:?}"));
        rest.split(']').next().unwrap().parse().unwrap()
    };
    let fetched = client.ok("UID FETCH 1:* (FLAGS BODY.PEEK[])");
    let exists = format!("* {} EXISTS", fetched.len());
    assert!(
        told.contains(&exists),
        "{name}: {} messages, but {told:?}",
        fetched.len()
    );
    let counted = client.ok(&format!("STATUS {name} (MESSAGES UNSEEN)"));
    assert_eq!(
        counted,
        [format!("* STATUS {name} (MESSAGES {0} UNSEEN {0})", fetched.len())]
    );
    Found {
        validity: number("[UIDVALIDITY "),
        uid_next: number("[UIDNEXT "),
        messages: fetched.iter().map(|line| Message::parse(line)).collect(),
    }
}

impl Seen {
    /// No UID ever means another message, no mailbox has another UIDVALIDITY, and UIDNEXT is above all.
    fn compare(&mut self, found: &BTreeMap<String, Found>) {
        for (name, content) in found {
            let before = *self.validity.entry(name.clone()).or_insert(content.validity);
            assert_eq!(before, content.validity, "UIDVALIDITY of {name}");
            for (uid, message) in &content.messages {
                assert!(*uid < content.uid_next, "{name}: UIDNEXT is not above {uid}");
                let known = self
                    .messages
                    .entry((content.validity, *uid))
                    .or_insert_with(|| message.name.clone());
                assert_eq!(*known, message.name, "{name}: UID {uid} was another message's");
            }
        }
    }
}

/// No row, file, lock or ghost is there that nothing needs, once a server had the time to tidy up. Files whose commit never
/// came are swept when they are old.
fn nothing_is_left_behind(folder: &Folder) {
    let data = leftovers::Folder::new(&folder.data());
    let long_ago = SystemTime::now() - Duration::from_secs(2 * 60 * 60);
    for shelf in std::fs::read_dir(folder.data().join("bodies")).unwrap() {
        for file in std::fs::read_dir(shelf.unwrap().path()).unwrap() {
            let file = std::fs::File::options().write(true).open(file.unwrap().path()).unwrap();
            file.set_modified(long_ago).unwrap();
        }
    }
    let _server = Server::start(folder);
    let end = Instant::now() + DEADLINE;
    let rest = || {
        let wanted = data.number("SELECT ifnull(sum(messages), 0) FROM mailboxes WHERE name IS NOT NULL");
        let counts = data.counts();
        (
            counts.ghosts,
            counts.messages - wanted,
            data.disorder(),
            data.stores().len(),
        )
    };
    while rest() != (0, 0, Vec::new(), 1) {
        assert!(Instant::now() < end, "left behind: {:?}", rest());
        std::thread::yield_now();
    }
}
