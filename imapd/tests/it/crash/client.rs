//! A client that does all kinds of things to messages of its own, and knows what it was answered.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::COMMON;
use super::model::{Held, Message, Random};
use crate::support::client::{Answer, Client};

/// The client, from round to round.
pub(super) struct Worker {
    pub(super) name: String,
    held: Held,
    /// Its own mailbox; `None` before it was created.
    own: BTreeMap<String, Option<u32>>,
    number: usize,
    /// What the server had not answered when it was killed.
    doing: Option<Doing>,
}

/// A command.
#[derive(Debug, Clone)]
enum Doing {
    Append {
        to: String,
        message: Message,
    },
    Flag {
        at: String,
        uids: Vec<u32>,
        flag: &'static str,
    },
    Expunge {
        at: String,
        uids: Vec<u32>,
    },
    Copy {
        from: String,
        uids: Vec<u32>,
        to: String,
    },
    Move {
        from: String,
        uids: Vec<u32>,
        to: String,
    },
    Create {
        name: String,
    },
    Rename {
        from: String,
        to: String,
    },
    Remove {
        name: String,
    },
}

impl Worker {
    pub(super) fn new(number: usize) -> Self {
        Self {
            name: format!("w{number}"),
            held: Held::new(),
            own: BTreeMap::new(),
            number: 0,
            doing: None,
        }
    }

    /// Works until the connection breaks.
    pub(super) fn works(&mut self, client: &mut Client, mut random: Random, answers: &AtomicUsize) -> Option<()> {
        loop {
            let doing = self.next(&mut random);
            if let Some(mailbox) = doing.selects() {
                let selected = client.ask(format!("SELECT {mailbox}")).ok()?;
                assert!(selected.tagged.starts_with("OK "), "{doing:?}: {selected:?}");
            }
            self.doing = Some(doing.clone());
            let answer = doing.ask(client).ok()?;
            assert!(answer.tagged.starts_with("OK "), "{doing:?}: {answer:?}");
            self.done(&doing, &answer);
            self.doing = None;
            answers.fetch_add(1, Ordering::SeqCst);
            if doing.selects().is_some() {
                client.ask("UNSELECT").ok()?;
            }
        }
    }

    fn next(&mut self, random: &mut Random) -> Doing {
        self.number += 1;
        let name = format!("{}-{}", self.name, self.number);
        let own = self.own.keys().next().cloned();
        let mut places: Vec<String> = COMMON.map(str::to_owned).to_vec();
        places.extend(own.clone());
        let to = places[random.below(places.len())].clone();
        match (random.below(20), own) {
            (0..6, _) => {
                let message = Message::new(&name);
                return Doing::Append { to, message };
            }
            (6, None) => return Doing::Create { name },
            (6, Some(from)) => return Doing::Rename { from, to: name },
            (7, Some(name)) if random.below(3) == 0 => return Doing::Remove { name },
            _ => {}
        }
        let at = places[random.below(places.len())].clone();
        let mut uids: Vec<u32> = self
            .held
            .keys()
            .filter(|(name, _)| *name == at)
            .map(|(_, uid)| *uid)
            .collect();
        while uids.len() > 4 {
            uids.swap_remove(random.below(uids.len()));
        }
        uids.sort_unstable();
        let deleted = |uid: &u32| self.held[&(at.clone(), *uid)].flags.contains("\\Deleted");
        if uids.is_empty() {
            let message = Message::new(&name);
            return Doing::Append { to, message };
        }
        match random.below(10) {
            0..3 => Doing::Flag {
                at,
                uids,
                flag: "$done",
            },
            3..5 if uids.iter().all(deleted) => Doing::Expunge { at, uids },
            3..5 => Doing::Flag {
                at,
                uids,
                flag: "\\Deleted",
            },
            5..7 => Doing::Copy { from: at, uids, to },
            _ => Doing::Move { from: at, uids, to },
        }
    }

    /// Takes up what was acknowledged.
    fn done(&mut self, doing: &Doing, answer: &Answer) {
        match doing {
            Doing::Append { to, message } => {
                let uid = code(&answer.tagged, "APPENDUID").pop().unwrap().1;
                let before = self.held.insert((to.clone(), uid), message.clone());
                assert_eq!(before, None, "UID {uid} of {to} was given twice");
            }
            Doing::Copy { uids, to, from } | Doing::Move { uids, to, from } => {
                let moved = answer.untagged.iter().find(|line| line.contains("COPYUID"));
                let pairs = code(moved.unwrap_or(&answer.tagged), "COPYUID");
                assert_eq!(pairs.iter().map(|p| p.0).collect::<Vec<_>>(), *uids, "{doing:?}");
                for (old, new) in pairs {
                    let old = (from.clone(), old);
                    let message = match doing {
                        Doing::Move { .. } => self.held.remove(&old).unwrap(),
                        _ => self.held[&old].clone(),
                    };
                    let before = self.held.insert((to.clone(), new), message);
                    assert_eq!(before, None, "UID {new} of {to} was given twice");
                }
            }
            _ => doing.change(&mut self.held, &mut self.own),
        }
    }

    /// What is there is what was acknowledged, with or without the command that was not answered.
    pub(super) fn compare(&mut self, held: Held, own: BTreeMap<String, u32>) {
        let doing = self.doing.take();
        let matches = |expected: &BTreeMap<String, Option<u32>>| {
            expected.keys().eq(own.keys()) && expected.iter().all(|(n, v)| v.is_none_or(|v| v == own[n]))
        };
        let undone = held == self.held && matches(&self.own);
        let done = doing.as_ref().is_some_and(|doing| {
            let (mut expected, mut boxes) = (self.held.clone(), self.own.clone());
            if doing.gives_uids() {
                matches(&boxes) && doing.is_done(&expected, &held)
            } else {
                doing.change(&mut expected, &mut boxes);
                held == expected && matches(&boxes)
            }
        });
        let missing: Vec<_> = self.held.iter().filter(|(key, _)| !held.contains_key(key)).collect();
        let new: Vec<_> = held.iter().filter(|(key, _)| !self.held.contains_key(key)).collect();
        assert!(
            undone || done,
            "{}: neither before nor after {doing:?}\nmissing {missing:?}\nnew {new:?}\nboxes {own:?} instead of {:?}",
            self.name,
            self.own
        );
        self.held = held;
        self.own = own.into_iter().map(|(name, validity)| (name, Some(validity))).collect();
    }
}

impl Doing {
    fn selects(&self) -> Option<&str> {
        match self {
            Self::Flag { at, .. } | Self::Expunge { at, .. } => Some(at),
            Self::Copy { from, .. } | Self::Move { from, .. } => Some(from),
            _ => None,
        }
    }

    fn gives_uids(&self) -> bool {
        matches!(self, Self::Append { .. } | Self::Copy { .. } | Self::Move { .. })
    }

    fn ask(&self, client: &mut Client) -> io::Result<Answer> {
        let set = |uids: &[u32]| uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        client.ask(match self {
            Self::Append { to, message } => {
                let text = Message::text(&message.name);
                format!("APPEND {to} {{{}+}}\r\n{text}", text.len())
            }
            Self::Flag { uids, flag, .. } => format!("UID STORE {} +FLAGS.SILENT ({flag})", set(uids)),
            Self::Expunge { uids, .. } => format!("UID EXPUNGE {}", set(uids)),
            Self::Copy { uids, to, .. } => format!("UID COPY {} {to}", set(uids)),
            Self::Move { uids, to, .. } => format!("UID MOVE {} {to}", set(uids)),
            Self::Create { name } => format!("CREATE {name}"),
            Self::Rename { from, to } => format!("RENAME {from} {to}"),
            Self::Remove { name } => format!("DELETE {name}"),
        })
    }

    /// What it does, where that is known without an answer.
    fn change(&self, held: &mut Held, own: &mut BTreeMap<String, Option<u32>>) {
        match self {
            Self::Flag { at, uids, flag } => {
                for uid in uids {
                    let message = held.get_mut(&(at.clone(), *uid)).unwrap();
                    message.flags.insert((*flag).to_owned());
                }
            }
            Self::Expunge { at, uids } => uids.iter().for_each(|uid| drop(held.remove(&(at.clone(), *uid)))),
            Self::Create { name } => drop(own.insert(name.clone(), None)),
            Self::Rename { from, to } => {
                let validity = own.remove(from).unwrap();
                own.insert(to.clone(), validity);
                let old = std::mem::take(held).into_iter();
                *held = old
                    .map(|((name, uid), message)| {
                        let name = if name == *from { to.clone() } else { name };
                        ((name, uid), message)
                    })
                    .collect();
            }
            Self::Remove { name } => {
                own.remove(name).unwrap();
                held.retain(|(mailbox, _), _| mailbox != name);
            }
            Self::Append { .. } | Self::Copy { .. } | Self::Move { .. } => panic!("its UIDs are not known"),
        }
    }

    /// Whether it was done, all of it and nothing else, under whatever new UIDs.
    fn is_done(&self, before: &Held, after: &Held) -> bool {
        let (from, uids, to, arrived) = match self {
            Self::Append { to, message } => (None, [].as_slice(), to, vec![message]),
            Self::Copy { from, uids, to } | Self::Move { from, uids, to } => {
                let messages = uids.iter().map(|uid| &before[&(from.clone(), *uid)]).collect();
                (Some(from), uids.as_slice(), to, messages)
            }
            _ => return false,
        };
        let goes = |(mailbox, uid): &(String, u32)| {
            matches!(self, Self::Move { .. }) && Some(mailbox) == from && uids.contains(uid)
        };
        let stays = before.iter().filter(|(key, _)| !goes(key));
        let rest = after.iter().filter(|(key, _)| before.contains_key(*key));
        let new: Vec<_> = after.iter().filter(|(key, _)| !before.contains_key(*key)).collect();
        let highest = before
            .keys()
            .filter(|(mailbox, _)| mailbox == to)
            .map(|(_, uid)| *uid)
            .max();
        stays.eq(rest)
            && new
                .iter()
                .all(|((mailbox, uid), _)| mailbox == to && Some(*uid) > highest)
            && new.iter().map(|(_, message)| *message).eq(arrived)
    }
}

/// Old and new UIDs of a response code; for an APPEND the new one twice.
fn code(line: &str, name: &str) -> Vec<(u32, u32)> {
    let (_, rest) = line.split_once(name).unwrap_or_else(|| panic!("no {name} in {line}"));
    let words: Vec<&str> = rest.split(']').next().unwrap().split_ascii_whitespace().collect();
    let sets: Vec<Vec<u32>> = words[1..].iter().map(|set| numbers(set)).collect();
    let (old, new) = (sets.first().unwrap(), sets.last().unwrap());
    assert_eq!(old.len(), new.len(), "{line}");
    assert_eq!(new.iter().collect::<BTreeSet<_>>().len(), new.len(), "{line}");
    old.iter().copied().zip(new.iter().copied()).collect()
}

fn numbers(set: &str) -> Vec<u32> {
    let number = |n: &str| n.parse::<u32>().unwrap();
    set.split(',')
        .flat_map(|run| {
            let (first, last) = run.split_once(':').unwrap_or((run, run));
            number(first)..=number(last)
        })
        .collect()
}
