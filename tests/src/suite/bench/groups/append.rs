//! Taking in messages of 4 KB, each answered before the next.

use super::super::catalogue::{Group, Line, Unit};
use super::super::connection::Room;
use super::super::corpus;
use super::super::round::Round;
use super::super::trouble::{Result, Trouble};

pub(in super::super) const GROUP: Group = Group {
    name: "append",
    about: "APPEND of 4 KB messages, each answered before the next",
    lines: &[ONE, EIGHT, MANY, SAME, AT_ONCE],
    by_size: false,
    run,
};
const ONE: Line = Line::new("append-1", "APPEND 4 KB, 1 connection", Unit::Messages);
const EIGHT: Line = Line::new("append-8", "APPEND 4 KB, 8 connections, a mailbox each", Unit::Messages);
const MANY: Line = Line::new(
    "append-64",
    "APPEND 4 KB, 64 connections, a mailbox each",
    Unit::Messages,
);
const SAME: Line = Line::new(
    "append-8-same",
    "APPEND 4 KB, 8 connections, one mailbox",
    Unit::Messages,
);
const AT_ONCE: Line = Line::new(
    "append-1-literal+",
    "APPEND 4 KB, 1 connection, LITERAL+",
    Unit::Messages,
);

/// Octets of a message.
const SIZE: usize = 4096;
/// Mailboxes, and messages to choose from.
const MAILBOXES: usize = 64;

fn run(round: &mut Round) -> Result<()> {
    let mut names = Vec::new();
    for index in 0..MAILBOXES {
        let (mailbox, mut connection) = round.create_in(index, &format!("append-{index}"))?;
        connection.command("LOGOUT")?;
        names.push(mailbox);
    }
    let messages: Vec<Vec<u8>> = (0..MAILBOXES).map(|index| corpus::exact(index, SIZE)).collect();
    let message = |before: usize| messages.get(before % MAILBOXES).map_or(&[][..], Vec::as_slice);
    let site = round.site.clone();
    let own = |index: usize| {
        let mailbox = names.get(index).ok_or(Trouble::Wrong("no mailbox".to_owned()))?;
        Ok((site.login(mailbox.account, Room::Medium)?, mailbox.name.as_str()))
    };
    for (line, connections) in [(ONE, 1), (EIGHT, 8), (MANY, MAILBOXES)] {
        round.closed_loop(line, connections, own, |(connection, name), before| {
            connection.append(name, "", message(before))?;
            Ok(1)
        })?;
    }
    round.closed_loop(
        SAME,
        8,
        |_| own(0),
        |(connection, name), before| {
            connection.append(name, "", message(before))?;
            Ok(1)
        },
    )?;
    if !site.peer.facts.has("LITERAL+") && !site.peer.facts.has("LITERAL-") {
        return Trouble::lacks("the server has neither LITERAL+ nor LITERAL-");
    }
    round.closed_loop(AT_ONCE, 1, own, |(connection, name), before| {
        connection.append_at_once(name, "", message(before))?;
        Ok(1)
    })
}
