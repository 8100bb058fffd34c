//! Opening a large mailbox, and asking how it is without opening it.

use std::time::Duration;

use super::super::catalogue::{Group, Line, Unit};
use super::super::connection::{Connection, Room};
use super::super::mailboxes::Filled;
use super::super::measure::{Sample, must, sample, timed};
use super::super::round::Round;
use super::super::tally::Tally;
use super::super::trouble::{Result, Trouble};

pub(in super::super) const GROUP: Group = Group {
    name: "select",
    about: "SELECT and STATUS of a large mailbox",
    lines: &[FIRST, NEW, AGAIN, STATUS],
    by_size: false,
    run,
};
const FIRST: Line = Line::new("select-first", "SELECT of {large}, first after start", Unit::Millis);
const NEW: Line = Line::new(
    "select-new",
    "SELECT of {large}, new connection (login not counted)",
    Unit::Millis,
);
const AGAIN: Line = Line::new("select-again", "… again on the same", Unit::Millis);
const STATUS: Line = Line::new("status", "STATUS of {large}", Unit::Millis);

fn run(round: &mut Round) -> Result<()> {
    let large = round.large()?;
    let site = round.site.clone();
    let select = format!("SELECT {}", large.mailbox.name);
    let opened = |connection: &mut Connection| {
        let (took, tally) = timed(|| connection.command(&select))?;
        all_there(&large, tally.exists, &tally)?;
        Ok(took)
    };
    let times = site.sizes.times;
    if let Err(trouble) = first(round, large.mailbox.account, opened) {
        round.not_measured(FIRST, None, trouble)?;
    }
    round.repeated(NEW, 5 * times, 1.0, |_| {
        let mut connection = site.login(large.mailbox.account, Room::Medium)?;
        let took = opened(&mut connection)?;
        connection.command("LOGOUT")?;
        Ok(took)
    })?;
    let mut connection = site.login(large.mailbox.account, Room::Medium)?;
    let other = round.create(&mut connection, large.mailbox.account, "select")?;
    let leave = format!("EXAMINE {}", other.name);
    round.repeated(AGAIN, 10 * times, 1.0, |_| {
        connection.command(&leave)?;
        opened(&mut connection)
    })?;
    connection.command(&leave)?;
    let status = format!("STATUS {} (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)", large.mailbox.name);
    round.repeated(STATUS, 10 * times, 1.0, |_| {
        let (took, tally) = timed(|| connection.command(&status))?;
        all_there(&large, tally.messages, &tally)?;
        Ok(took)
    })
}

/// Each time after a start of its own.
fn first(round: &mut Round, account: usize, opened: impl Fn(&mut Connection) -> Result<Duration>) -> Result<()> {
    let site = round.site.clone();
    if site.peer.restart.is_none() {
        return Trouble::lacks("it was not said how the server is restarted (--restart)");
    }
    let mut taken = Vec::new();
    let mut meter = site.meter();
    for _ in 0..site.sizes.times {
        round.start_anew()?;
        let mut connection = site.login(account, Room::Medium)?;
        meter = site.meter();
        taken.push(opened(&mut connection)?);
        connection.command("LOGOUT")?;
    }
    // Its processor time is not told: it is of one process after the other.
    let sample = Sample {
        items: 0.0,
        ..sample(FIRST, 1.0, taken)
    };
    round.sampled(FIRST, &meter, sample);
    Ok(())
}

fn all_there(large: &Filled, told: Option<u64>, tally: &Tally) -> Result<()> {
    let expected = large.messages as u64;
    must(told == Some(expected), || {
        let told = told.map_or_else(|| "nothing".to_owned(), |told| told.to_string());
        format!("{told} is told of {expected} messages, in {} octets", tally.octets)
    })
}
