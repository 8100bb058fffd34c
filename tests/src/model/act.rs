//! What a simulated client does next: a random command that makes sense in its picture, and what must be known of it when
//! its answers come.

use super::picture::Picture;
use crate::message::Random;

/// A command that was sent and not yet answered.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    /// Its tag.
    pub(super) tag: String,
    /// What it does.
    pub(super) act: Act,
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// SELECT or EXAMINE.
    Open {
        /// The mailbox.
        mailbox: String,
        /// EXAMINE.
        read_only: bool,
    },
    /// CLOSE or UNSELECT.
    Shut,
    /// APPEND of the message with this number in `X-Id`.
    Append {
        /// Where to.
        mailbox: String,
        /// The message's own number.
        id: u64,
    },
    /// STORE or UID STORE.
    Store {
        /// By UID.
        uid: bool,
        /// Which UIDs, in the client's picture when it was sent.
        uids: Vec<u32>,
        /// `+`, `-` or nothing.
        sign: &'static str,
        /// One flag.
        flag: &'static str,
        /// `.SILENT`
        silent: bool,
    },
    /// FETCH or UID FETCH.
    Fetch {
        /// By UID.
        uid: bool,
    },
    /// SEARCH, UID SEARCH.
    Search {
        /// UIDs come back.
        uid: bool,
        /// A message number is among the criteria.
        numbers: bool,
    },
    /// COPY, UID COPY, MOVE, UID MOVE.
    Copy {
        /// By UID.
        uid: bool,
        /// MOVE.
        moves: bool,
        /// Which UIDs, in the client's picture when it was sent.
        uids: Vec<u32>,
        /// Where to.
        to: String,
    },
    /// EXPUNGE, UID EXPUNGE.
    Expunge,
    /// NOOP, CHECK.
    Noop,
    /// STATUS of a mailbox.
    Status,
    /// IDLE, until DONE is sent.
    Idle,
}

impl Act {
    /// Whether EXPUNGE may be told while it is being answered (RFC 3501 7.4.1).
    pub(super) fn allows_expunge(&self) -> bool {
        match self {
            Self::Open { .. } | Self::Shut => false,
            Self::Store { uid, .. } | Self::Fetch { uid } => *uid,
            Self::Search { uid, numbers } => *uid && !numbers,
            _ => true,
        }
    }

    /// Whether it names messages by number, so that nothing may be told before it which shifts them (RFC 3501 5.5).
    pub(super) fn uses_numbers(&self) -> bool {
        match self {
            Self::Store { uid, .. } | Self::Fetch { uid } | Self::Copy { uid, .. } => !uid,
            Self::Search { .. } => true,
            _ => false,
        }
    }

    /// Whether it may expunge messages itself, and tell so before its OK.
    pub(super) fn expunges(&self) -> bool {
        matches!(self, Self::Expunge | Self::Copy { moves: true, .. })
    }
}

/// The mailboxes that the clients share.
pub(super) const MAILBOXES: [&str; 2] = ["INBOX", "Archive"];

const FLAGS: [&str; 5] = ["\\Seen", "\\Flagged", "\\Answered", "$Work", "\\Deleted"];

/// A random command: its words behind the tag, and what is to be remembered.
pub(super) fn next(random: &mut Random, picture: Option<&Picture>, ids: &mut u64) -> (String, Act) {
    let mailbox = || MAILBOXES[0].to_owned();
    let Some(picture) = picture else {
        return match random.below(5) {
            0 => append(random, ids),
            1 => (format!("STATUS {} (MESSAGES UIDNEXT)", mailbox()), Act::Status),
            n => open(random, n == 2),
        };
    };
    match random.below(24) {
        0..=2 => append(random, ids),
        3..=7 => store(random, picture),
        8..=10 => fetch(random, picture),
        11 => search(random, picture),
        12 | 13 => copy(random, picture, false),
        14 | 15 => copy(random, picture, true),
        16 | 17 => expunge(random, picture),
        18 => ("NOOP".into(), Act::Noop),
        19 => ("CHECK".into(), Act::Noop),
        20 => ("IDLE".into(), Act::Idle),
        21 => (
            format!("STATUS {} (MESSAGES UIDNEXT)", MAILBOXES[random.below(2) as usize]),
            Act::Status,
        ),
        22 => match random.below(3) {
            0 => ("CLOSE".into(), Act::Shut),
            1 => ("UNSELECT".into(), Act::Shut),
            _ => open(random, false),
        },
        _ => open(random, random.clone().one_in(4)),
    }
}

fn open(random: &mut Random, read_only: bool) -> (String, Act) {
    // Most work on the same mailbox, so that they meet.
    let mailbox = MAILBOXES[usize::from(random.one_in(4))].to_owned();
    let word = if read_only { "EXAMINE" } else { "SELECT" };
    (format!("{word} {mailbox}"), Act::Open { mailbox, read_only })
}

fn append(random: &mut Random, ids: &mut u64) -> (String, Act) {
    *ids += 1;
    let id = *ids;
    let mailbox = MAILBOXES[usize::from(random.one_in(4))].to_owned();
    let message = format!("X-Id: {id}\r\n\r\nbody {id}\r\n");
    let flags = if random.one_in(3) { "(\\Seen) " } else { "" };
    let words = format!("APPEND {mailbox} {flags}{{{}+}}\r\n{message}", message.len());
    (words, Act::Append { mailbox, id })
}

/// A few known messages: as numbers or UIDs, and their UIDs. `None` when none is known.
fn some(random: &mut Random, picture: &Picture, uid: bool) -> Option<(String, Vec<u32>)> {
    let known: Vec<(usize, u32)> = picture
        .messages
        .iter()
        .enumerate()
        .filter_map(|(i, m)| Some((i + 1, m.uid?)))
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

fn store(random: &mut Random, picture: &Picture) -> (String, Act) {
    let (uid, silent) = (random.one_in(2), random.one_in(3));
    let sign = ["+", "-", ""][random.below(3) as usize];
    let flag = FLAGS[random.below(FLAGS.len() as u64) as usize];
    let Some((set, uids)) = some(random, picture, uid) else {
        return ("NOOP".into(), Act::Noop);
    };
    let dot = if silent { ".SILENT" } else { "" };
    let words = format!("{}STORE {set} {sign}FLAGS{dot} ({flag})", prefix(uid));
    let act = Act::Store {
        uid,
        uids,
        sign,
        flag,
        silent,
    };
    (words, act)
}

fn fetch(random: &mut Random, picture: &Picture) -> (String, Act) {
    let uid = random.one_in(2);
    let items = [
        "(UID FLAGS)",
        "(UID BODY.PEEK[HEADER.FIELDS (X-ID)])",
        "(UID BODY[HEADER.FIELDS (X-ID)])",
    ][random.below(3) as usize];
    let set = match (random.below(3), picture.exists()) {
        (_, 0) if !uid => return ("NOOP".into(), Act::Noop),
        (0, _) => "1:*".to_owned(),
        (1, n) if !uid => (random.below(u64::from(n)) + 1).to_string(),
        _ => match some(random, picture, uid) {
            Some((set, _)) => set,
            None => "*".to_owned(),
        },
    };
    (format!("{}FETCH {set} {items}", prefix(uid)), Act::Fetch { uid })
}

fn search(random: &mut Random, picture: &Picture) -> (String, Act) {
    let uid = random.one_in(2);
    let numbers = random.one_in(2) && picture.exists() > 0;
    let key = match numbers {
        true => "1:* NOT DELETED",
        false => ["ALL", "DELETED", "UNSEEN", "KEYWORD $Work"][random.below(4) as usize],
    };
    (format!("{}SEARCH {key}", prefix(uid)), Act::Search { uid, numbers })
}

fn copy(random: &mut Random, picture: &Picture, moves: bool) -> (String, Act) {
    let uid = random.one_in(2);
    let to = MAILBOXES[random.below(2) as usize].to_owned();
    let Some((set, uids)) = some(random, picture, uid).filter(|_| !(moves && picture.read_only)) else {
        return ("NOOP".into(), Act::Noop);
    };
    let word = if moves { "MOVE" } else { "COPY" };
    let words = format!("{}{word} {set} {to}", prefix(uid));
    (words, Act::Copy { uid, moves, uids, to })
}

fn expunge(random: &mut Random, picture: &Picture) -> (String, Act) {
    if random.one_in(2)
        && let Some((set, _)) = some(random, picture, true)
    {
        return (format!("UID EXPUNGE {set}"), Act::Expunge);
    }
    ("EXPUNGE".into(), Act::Expunge)
}
