//! What a simulated client says: a command that makes sense in its picture, and what must be known of it when its answers
//! come.

use super::ledger::{Ledger, MailboxKey};
use super::picture::Picture;
use super::script::Verb;
use super::site::Abilities;
use crate::message::Random;

/// A command that was sent and not yet answered.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) tag: String,
    pub(super) act: Act,
}

/// A command, as far as its answers depend on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// SELECT or EXAMINE.
    Open { mailbox: MailboxKey, read_only: bool },
    /// SELECT of what is not there.
    OpenNothing,
    /// CLOSE or UNSELECT.
    Shut,
    /// APPEND of the message with this number in `X-Id`; the UID is not below `floor`.
    Append { mailbox: MailboxKey, id: u64, floor: u32 },
    /// STORE or UID STORE of one flag to messages that the client knew by these UIDs when it sent it.
    Store {
        uid: bool,
        star: bool,
        uids: Vec<u32>,
        sign: &'static str,
        flag: &'static str,
        silent: bool,
    },
    /// FETCH or UID FETCH.
    Fetch { uid: bool, star: bool },
    /// SEARCH, UID SEARCH; `numbers`: a message number is among the criteria.
    Search { uid: bool, numbers: bool },
    /// COPY, UID COPY, MOVE, UID MOVE.
    Copy {
        uid: bool,
        moves: bool,
        uids: Vec<u32>,
        to: MailboxKey,
        floor: u32,
    },
    /// EXPUNGE, UID EXPUNGE.
    Expunge,
    /// NOOP, CHECK.
    Noop,
    /// STATUS: UIDNEXT is not below `floor`.
    Status { mailbox: MailboxKey, floor: u32 },
    /// IDLE, until DONE is sent.
    Idle,
    /// CREATE, DELETE, RENAME: nobody else names a mailbox meanwhile.
    Mailbox,
}

impl Act {
    /// Whether EXPUNGE may be told while it is being answered (RFC 3501 7.4.1; `strict`: RFC 7162 3.2.10.2, too).
    pub(super) fn allows_expunge(&self, strict: bool) -> bool {
        match self {
            Self::Open { .. } | Self::OpenNothing | Self::Shut => false,
            Self::Store { uid, .. } | Self::Fetch { uid, .. } => *uid,
            Self::Search { uid, numbers } => *uid && !(strict && *numbers),
            _ => true,
        }
    }

    /// Whether it names messages by number, so that no EXPUNGE may be told before it that its client had not seen.
    pub(super) fn uses_numbers(&self) -> bool {
        match self {
            Self::Store { uid, .. } | Self::Fetch { uid, .. } | Self::Copy { uid, .. } => !uid,
            Self::Search { numbers, uid } => *numbers || !uid,
            _ => false,
        }
    }

    /// Whether EXISTS told before it would change which messages it means.
    pub(super) fn uses_star(&self) -> bool {
        match self {
            Self::Store { star, .. } | Self::Fetch { star, .. } => *star,
            Self::Search { numbers, .. } => *numbers,
            _ => false,
        }
    }

    /// Whether it may expunge messages itself, and tell so before its OK.
    pub(super) fn expunges(&self) -> bool {
        matches!(self, Self::Expunge | Self::Copy { moves: true, .. })
    }

    /// Whether it names a mailbox: then none may be made, removed or renamed meanwhile.
    pub(super) fn names_mailbox(&self) -> bool {
        matches!(
            self,
            Self::Open { .. } | Self::OpenNothing | Self::Append { .. } | Self::Copy { .. } | Self::Status { .. }
        )
    }
}

/// Where a command is made up: what the client sees, what all know, what the server can do.
pub(super) struct Where<'a> {
    pub(super) picture: Option<&'a Picture>,
    pub(super) ledger: &'a mut Ledger,
    pub(super) abilities: &'a Abilities,
    /// Names that are not in use.
    pub(super) unused: &'a str,
}

const FLAGS: [&str; 5] = ["\\Seen", "\\Flagged", "\\Answered", "$Work", "\\Deleted"];

/// The words of a command behind its tag, and what is to be remembered of it.
pub(super) type Command = (String, Act);

impl Where<'_> {
    /// A command of this kind, or the nearest that makes sense here.
    pub(super) fn command(&mut self, verb: Verb, random: &mut Random) -> Command {
        let able = self.abilities;
        let Some(picture) = self.picture else {
            return match verb {
                Verb::Append => self.append(random),
                Verb::Status => self.status(random),
                Verb::Examine => self.open(random, true),
                Verb::Noop => ("NOOP".into(), Act::Noop),
                _ => self.open(random, false),
            };
        };
        match verb {
            Verb::Append => self.append(random),
            Verb::Store => store(random, picture, able.strict),
            Verb::Fetch => fetch(random, picture),
            Verb::Search => search(random, picture),
            Verb::Copy => self.copy(random, picture, false),
            Verb::Move if able.moves => self.copy(random, picture, true),
            Verb::UidExpunge if able.uid_plus => match some(random, picture, true) {
                Some((set, uids)) => (format!("UID EXPUNGE {set}"), self.expunging(picture, Some(&uids))),
                None => ("EXPUNGE".into(), self.expunging(picture, None)),
            },
            Verb::Expunge | Verb::UidExpunge => ("EXPUNGE".into(), self.expunging(picture, None)),
            Verb::Check => ("CHECK".into(), Act::Noop),
            Verb::Idle if able.idle => ("IDLE".into(), Act::Idle),
            Verb::Status => self.status(random),
            Verb::Select => self.open(random, false),
            Verb::Examine => self.open(random, true),
            Verb::Unselect if able.unselect => ("UNSELECT".into(), Act::Shut),
            Verb::Close | Verb::Unselect => {
                if !picture.read_only {
                    self.ledger.expunges(picture.mailbox, None);
                }
                ("CLOSE".into(), Act::Shut)
            }
            _ => ("NOOP".into(), Act::Noop),
        }
    }

    fn expunging(&mut self, picture: &Picture, uids: Option<&[u32]>) -> Act {
        if !picture.read_only {
            self.ledger.expunges(picture.mailbox, uids);
        }
        Act::Expunge
    }

    /// One of the mailboxes: most often the first, so that they meet.
    fn any(&self, random: &mut Random) -> (String, MailboxKey) {
        let all: Vec<_> = self.ledger.names().collect();
        let at = match random.below(4) {
            0 => random.below(all.len() as u64) as usize,
            _ => all.iter().position(|(_, key)| key.0 == 0).unwrap_or(0),
        };
        (all[at].0.to_owned(), all[at].1)
    }

    fn open(&self, random: &mut Random, read_only: bool) -> Command {
        let word = if read_only { "EXAMINE" } else { "SELECT" };
        if random.one_in(24) {
            return (format!("{word} {}", self.unused), Act::OpenNothing);
        }
        let (name, mailbox) = self.any(random);
        (format!("{word} {name}"), Act::Open { mailbox, read_only })
    }

    fn append(&mut self, random: &mut Random) -> Command {
        self.ledger.last_id += 1;
        let id = self.ledger.last_id;
        let (name, mailbox) = self.any(random);
        let message = message(id);
        let flags = if random.one_in(3) { "(\\Seen) " } else { "" };
        let plus = if self.abilities.literal_plus { "+" } else { "" };
        let words = format!("APPEND {name} {flags}{{{}{plus}}}\r\n{message}", message.len());
        let floor = self.ledger.uid_floor(mailbox);
        (words, Act::Append { mailbox, id, floor })
    }

    fn status(&self, random: &mut Random) -> Command {
        let (name, mailbox) = self.any(random);
        // RFC 3501 6.3.10: not for the mailbox that is selected.
        let selected = self.picture.is_some_and(|picture| picture.mailbox == mailbox);
        if selected && !self.abilities.strict {
            return ("NOOP".into(), Act::Noop);
        }
        let floor = self.ledger.uid_floor(mailbox);
        (
            format!("STATUS {name} (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)"),
            Act::Status { mailbox, floor },
        )
    }

    fn copy(&mut self, random: &mut Random, picture: &Picture, moves: bool) -> Command {
        let uid = random.one_in(2);
        let (name, to) = self.any(random);
        let Some((set, uids)) = some(random, picture, uid).filter(|_| !(moves && picture.read_only)) else {
            return ("NOOP".into(), Act::Noop);
        };
        if moves {
            uids.iter()
                .for_each(|uid| self.ledger.may_be_taken(picture.mailbox, *uid));
        }
        let word = if moves { "MOVE" } else { "COPY" };
        let words = format!("{}{word} {set} {name}", prefix(uid));
        let floor = self.ledger.uid_floor(to);
        let act = Act::Copy {
            uid,
            moves,
            uids,
            to,
            floor,
        };
        (words, act)
    }
}

/// A message that bears its own number.
pub(super) fn message(id: u64) -> String {
    format!("X-Id: {id}\r\n\r\nbody {id}\r\n")
}

/// The number in a message's `X-Id`.
pub(super) fn id_of(header: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(header).ok()?;
    text.get(..6).filter(|name| name.eq_ignore_ascii_case("X-Id: "))?;
    text[6..].split("\r\n").next()?.parse().ok()
}

/// A few known messages: as numbers or UIDs, and their UIDs. `None` when none is known.
fn some(random: &mut Random, picture: &Picture, uid: bool) -> Option<(String, Vec<u32>)> {
    let known: Vec<(usize, u32)> = (1..)
        .zip(&picture.messages)
        .filter_map(|(n, m)| Some((n, m.uid?)))
        .collect();
    if known.is_empty() {
        return None;
    }
    let count = random.below(3) + 1;
    let mut picked: Vec<_> = (0..count)
        .map(|_| known[random.below(known.len() as u64) as usize])
        .collect();
    picked.sort_unstable();
    picked.dedup();
    let words: Vec<String> = picked
        .iter()
        .map(|(n, u)| if uid { u.to_string() } else { n.to_string() })
        .collect();
    Some((words.join(","), picked.into_iter().map(|(_, u)| u).collect()))
}

fn prefix(uid: bool) -> &'static str {
    if uid { "UID " } else { "" }
}

fn store(random: &mut Random, picture: &Picture, strict: bool) -> Command {
    let (uid, silent) = (random.one_in(2), random.one_in(3));
    let sign = ["+", "-", ""][random.below(3) as usize];
    let flag = FLAGS[random.below(FLAGS.len() as u64) as usize];
    let star = random.one_in(6) && strict && picture.exists() > 0 && picture.knows_all();
    let picked = match star {
        true => {
            let uids: Vec<u32> = picture.messages.iter().filter_map(|m| m.uid).collect();
            let first = if uid { uids[0] } else { 1 };
            Some((format!("{first}:*"), uids))
        }
        false => some(random, picture, uid),
    };
    let Some((set, uids)) = picked else {
        return ("FETCH 1:* (UID FLAGS)".into(), Act::Fetch { uid: false, star: true }).or_noop(picture);
    };
    let dot = if silent { ".SILENT" } else { "" };
    let words = format!("{}STORE {set} {sign}FLAGS{dot} ({flag})", prefix(uid));
    let act = Act::Store {
        uid,
        star,
        uids,
        sign,
        flag,
        silent,
    };
    (words, act)
}

trait OrNoop {
    fn or_noop(self, picture: &Picture) -> Command;
}

impl OrNoop for Command {
    /// NOOP where there is no message to be named.
    fn or_noop(self, picture: &Picture) -> Command {
        match picture.exists() {
            0 => ("NOOP".into(), Act::Noop),
            _ => self,
        }
    }
}

fn fetch(random: &mut Random, picture: &Picture) -> Command {
    let uid = random.one_in(2);
    let items = [
        "(UID FLAGS)",
        "(UID BODY.PEEK[HEADER.FIELDS (X-ID)])",
        "(UID BODY[HEADER.FIELDS (X-ID)])",
    ][random.below(3) as usize];
    let (star, set) = match (random.below(3), picture.exists()) {
        (_, 0) if !uid => return ("NOOP".into(), Act::Noop),
        (0, _) => (true, "1:*".to_owned()),
        (1, n) if !uid => (false, (random.below(u64::from(n)) + 1).to_string()),
        _ => match some(random, picture, uid) {
            Some((set, _)) => (false, set),
            None => (true, "*".to_owned()),
        },
    };
    (format!("{}FETCH {set} {items}", prefix(uid)), Act::Fetch { uid, star })
}

fn search(random: &mut Random, picture: &Picture) -> Command {
    let uid = random.one_in(2);
    let numbers = random.one_in(2) && picture.exists() > 0;
    let key = match numbers {
        true => "1:* NOT DELETED",
        false => ["ALL", "DELETED", "UNSEEN", "KEYWORD $Work"][random.below(4) as usize],
    };
    (format!("{}SEARCH {key}", prefix(uid)), Act::Search { uid, numbers })
}
