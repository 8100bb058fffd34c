//! Changing flags.

use super::super::catalogue::{Group, Line, Unit};
use super::super::connection::Room;
use super::super::mailboxes::Mailbox;
use super::super::measure::{must, timed};
use super::super::round::{Round, Site};
use super::super::trouble::Result;

pub(in super::super) const GROUP: Group = Group {
    name: "store",
    about: "STORE of one flag: of all messages, and of one message a command",
    lines: &[ALL, SILENT, ONE, EIGHT, PIPELINED],
    by_size: false,
    run,
};
const ALL: Line = Line::new("store-all", "STORE 1:* FLAGS of {medium}", Unit::Messages);
const SILENT: Line = Line::new("store-all-silent", "STORE 1:* FLAGS.SILENT of {medium}", Unit::Messages);
const ONE: Line = Line::new(
    "store-one",
    "STORE, one message a command, each awaited",
    Unit::Commands,
);
const EIGHT: Line = Line::new("store-one-8", "… 8 connections on one mailbox", Unit::Commands);
const PIPELINED: Line = Line::new("store-one-pipelined", "… 50 pipelined", Unit::Commands);

/// Commands that are sent at once.
const AT_ONCE: usize = 50;
/// How often all messages get the flag and lose it.
const TIMES: usize = 4;

/// The flag is given and taken in turn.
fn sign(turn: usize) -> char {
    if turn.is_multiple_of(2) { '+' } else { '-' }
}

fn run(round: &mut Round) -> Result<()> {
    let filled = round.medium(0)?;
    let (messages, site) = (filled.messages, round.site.clone());
    let mut connection = site.select(&filled.mailbox, Room::Large)?;
    connection.command("FETCH 1:* (FLAGS)")?;
    for (line, item, answers) in [(ALL, "FLAGS", messages), (SILENT, "FLAGS.SILENT", 0)] {
        round.repeated(line, TIMES, messages as f64, |turn| {
            let command = format!("STORE 1:* {}{item} (\\Answered)", sign(turn));
            let (took, tally) = timed(|| connection.command(&command))?;
            let got = tally.fetches;
            // Under .SILENT a server may tell all the same.
            must(got == answers as u64 || answers == 0, || {
                format!("{got} FETCH responses of {answers}")
            })?;
            Ok(took)
        })?;
    }
    connection.command("LOGOUT")?;
    for (line, connections) in [(ONE, 1), (EIGHT, 8)] {
        clear(&site, &filled.mailbox)?;
        // Messages of its own for each connection, so that each command changes something.
        let own = (messages / connections).max(1);
        let setup = |index| Ok((site.select(&filled.mailbox, Room::Medium)?, index * own));
        round.closed_loop(line, connections, setup, |(connection, first), before| {
            let message = *first + before / 2 % own + 1;
            let command = format!("STORE {message} {}FLAGS (\\Answered)", sign(before));
            let tally = connection.command(&command)?;
            must(tally.fetches >= 1, || {
                format!("no FETCH response for message {message}")
            })?;
            Ok(1)
        })?;
    }
    clear(&site, &filled.mailbox)?;
    let setup = |_| site.select(&filled.mailbox, Room::Medium);
    round.closed_loop(PIPELINED, 1, setup, |connection, before| {
        let (from, sign) = (before / 2 * AT_ONCE, sign(before));
        let command = |index| format!("STORE {} {sign}FLAGS (\\Answered)", (from + index) % messages + 1);
        let tally = connection.commands((0..AT_ONCE).map(command))?;
        let got = tally.fetches;
        must(got >= AT_ONCE as u64, || {
            format!("{got} FETCH responses for {AT_ONCE} commands")
        })?;
        Ok(AT_ONCE)
    })
}

/// No message has the flag: some servers tell nothing of a flag that does not change.
fn clear(site: &Site, mailbox: &Mailbox) -> Result<()> {
    let mut connection = site.select(mailbox, Room::Large)?;
    connection.command("STORE 1:* -FLAGS.SILENT (\\Answered)")?;
    connection.command("LOGOUT")?;
    Ok(())
}
