//! Further processes on the same folder: deliveries, and changes of accounts. Some of them are killed, too.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::Stdio;

use super::model::{Held, Message, Random};
use crate::support::server::Server;
use crate::support::{Folder, Watchdog};

/// How a process ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Done,
    Refused(i32),
    Killed,
}

/// Runs the program with this on standard input, and kills it behind that where it is to be.
fn run(folder: &Folder, arguments: &[&str], input: &str, kill: bool) -> End {
    let mut child = folder.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
    let _watchdog = Watchdog::of(&child);
    // A program that does not want it ends without having read it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    if kill {
        child.kill().unwrap();
    }
    match child.wait_with_output().unwrap().status.code() {
        Some(0) => End::Done,
        Some(code) => End::Refused(code),
        None => End::Killed,
    }
}

/// Who delivers.
#[derive(Default)]
pub(super) struct Deliveries {
    number: usize,
    acknowledged: BTreeSet<String>,
    /// Of those that were killed: there or not.
    unsure: BTreeSet<String>,
}

impl Deliveries {
    pub(super) fn works(&mut self, folder: &Folder, mut random: Random, working: &(dyn Fn() -> bool + Sync)) {
        while working() {
            self.number += 1;
            let name = format!("d-{}", self.number);
            let arguments = ["deliver", "--user", "alice", "--from", "<>"];
            let kill = random.below(4) == 0;
            match run(folder, &arguments, &Message::text(&name), kill) {
                End::Done => drop(self.acknowledged.insert(name)),
                End::Killed => drop(self.unsure.insert(name)),
                End::Refused(code) => panic!("{name} was not delivered: exit code {code}"),
            }
        }
    }

    /// Each acknowledged one is there once, each other one at most once.
    pub(super) fn compare(&mut self, held: Held) {
        let mut there = BTreeSet::new();
        for ((mailbox, uid), message) in held {
            assert_eq!(mailbox, "INBOX");
            assert!(message.flags.is_empty());
            assert!(
                there.insert(message.name.clone()),
                "{uid}: {} is there twice",
                message.name
            );
        }
        let missing: Vec<_> = self.acknowledged.difference(&there).collect();
        assert!(missing.is_empty(), "acknowledged, and not there: {missing:?}");
        let known = |name: &String| self.acknowledged.contains(name) || self.unsure.contains(name);
        assert!(there.iter().all(known), "{there:?}");
        // What a killed one has done by now is all it does.
        self.unsure.clear();
        self.acknowledged = there;
    }
}

/// Who makes, changes and removes accounts.
#[derive(Default)]
pub(super) struct Accounts {
    number: usize,
    /// With their passwords: one, or one of two.
    there: BTreeMap<String, Vec<String>>,
    /// There or not.
    unsure: BTreeSet<String>,
}

impl Accounts {
    pub(super) fn works(&mut self, folder: &Folder, mut random: Random, working: &(dyn Fn() -> bool + Sync)) {
        while working() {
            self.number += 1;
            let kill = random.below(3) == 0;
            let name = format!("u{}", random.below(3));
            let password = format!("p{}", self.number);
            let line = format!("{password}\n");
            let known = self.there.get(&name).cloned();
            let (arguments, input): (&[&str], &str) = match (&known, random.below(2)) {
                (None, _) => (&["user", "add", &name, "--bare", "--password-stdin"], &line),
                (_, 0) => (&["user", "remove", &name, "--yes"], ""),
                _ => (&["user", "passwd", &name, "--password-stdin"], &line),
            };
            let removes = arguments[1] == "remove";
            let end = run(folder, arguments, input, kill);
            let sure = !self.unsure.contains(&name);
            match end {
                End::Refused(code) => {
                    assert!(!sure, "{arguments:?}: exit code {code}");
                    self.there.remove(&name);
                    self.unsure.remove(&name);
                }
                End::Done if removes => {
                    self.there.remove(&name);
                    self.unsure.remove(&name);
                }
                End::Done => {
                    self.there.insert(name.clone(), vec![password]);
                    self.unsure.remove(&name);
                }
                End::Killed => {
                    if removes || known.is_none() {
                        self.unsure.insert(name.clone());
                    }
                    if !removes {
                        self.there.entry(name.clone()).or_default().push(password);
                    }
                }
            }
        }
    }

    /// Those that are there are known, and let in with their passwords alone.
    pub(super) fn compare(&mut self, folder: &Folder, server: &Server) {
        let listed = folder.imapd(["user", "list"], "").out;
        let names = listed.lines().skip(1).map(|line| line.split(' ').next().unwrap());
        let names: BTreeSet<String> = names.filter(|name| *name != "alice").map(str::to_owned).collect();
        for name in self.there.keys() {
            assert!(
                names.contains(name) || self.unsure.contains(name),
                "{name} is not there"
            );
        }
        for name in &names {
            assert!(self.there.contains_key(name), "{name} is there");
        }
        self.there.retain(|name, _| names.contains(name));
        self.unsure.clear();
        for (name, passwords) in &mut self.there {
            passwords.retain(|password| server.connect().is_let_in(name, password));
            assert_eq!(passwords.len(), 1, "{name}");
            let mut client = server.log_in(name, &passwords[0]);
            assert_eq!(client.ok("STATUS INBOX (MESSAGES)"), ["* STATUS INBOX (MESSAGES 0)"]);
        }
    }
}
