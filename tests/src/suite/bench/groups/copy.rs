//! COPY and MOVE of many messages at once.

use super::super::catalogue::{Group, Line, Unit};
use super::super::connection::Connection;
use super::super::measure::{must, timed};
use super::super::round::Round;
use super::super::trouble::{Result, Trouble};

pub(in super::super) const GROUP: Group = Group {
    name: "copy",
    about: "COPY and MOVE of many messages at once",
    lines: &[COPY, MOVE],
    by_size: false,
    run,
};
const COPY: Line = Line::new("copy", "COPY of {copied}", Unit::Messages);
const MOVE: Line = Line::new("move", "MOVE of {copied}", Unit::Messages);

/// How often; as many are moved as were copied.
const TIMES: usize = 3;

fn run(round: &mut Round) -> Result<()> {
    let filled = round.medium(0)?;
    let (copied, account) = (round.site.sizes.copied, filled.mailbox.account);
    let (copies, mut connection) = round.create_in(account, "copies")?;
    let moved = round.create(&mut connection, account, "moved")?;
    connection.command(&format!("SELECT {}", filled.mailbox.name))?;
    round.repeated(COPY, TIMES, copied as f64, |before| {
        let (took, _) = timed(|| connection.command(&format!("COPY 1:{copied} {}", copies.name)))?;
        holds(&mut connection, &copies.name, (before + 1) * copied)?;
        Ok(took)
    })?;
    if !round.site.peer.facts.has("MOVE") {
        return Trouble::lacks("the server has no MOVE");
    }
    connection.command(&format!("SELECT {}", copies.name))?;
    round.repeated(MOVE, TIMES, copied as f64, |before| {
        let (took, tally) = timed(|| connection.command(&format!("MOVE 1:{copied} {}", moved.name)))?;
        let got = tally.expunges;
        must(got == copied as u64, || format!("{got} EXPUNGE responses of {copied}"))?;
        holds(&mut connection, &moved.name, (before + 1) * copied)?;
        Ok(took)
    })
}

fn holds(connection: &mut Connection, mailbox: &str, messages: usize) -> Result<()> {
    let tally = connection.command(&format!("STATUS {mailbox} (MESSAGES)"))?;
    must(tally.messages == Some(messages as u64), || {
        let got = tally.messages.unwrap_or_default();
        format!("{got} messages are there, not {messages}")
    })
}
