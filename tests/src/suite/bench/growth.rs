//! How cost grows with the size of a mailbox: the same commands while it grows from one size to the next.

use std::time::{Duration, Instant};

use super::catalogue::{Group, Line, Unit};
use super::connection::{Connection, Room};
use super::corpus::{self, Dice};
use super::mailboxes::Mailbox;
use super::measure::{must, sample, timed};
use super::round::Round;
use super::tally::Tally;
use super::trouble::Result;

pub(super) const GROUP: Group = Group {
    name: "growth",
    about: "what concerns one message, or one of all, while the mailbox grows",
    lines: &[FETCH, STORE, SEARCH_NUMBER, SEARCH_FLAG, SEARCH_TEXT, SELECT, FLAGS],
    by_size: true,
    run,
};
const FETCH: Line = Line::new("growth-fetch-one", "FETCH of one message", Unit::Millis);
const STORE: Line = Line::new("growth-store-one", "STORE of one message", Unit::Millis);
const SEARCH_NUMBER: Line = Line::new("growth-search-number", "UID SEARCH of one number", Unit::Millis);
const SEARCH_FLAG: Line = Line::new(
    "growth-search-flag",
    "SEARCH of a flag that one message has",
    Unit::Millis,
);
const SEARCH_TEXT: Line = Line::new(
    "growth-search-text",
    "SEARCH BODY of a word that one message has",
    Unit::Millis,
);
const SELECT: Line = Line::new("growth-select", "SELECT, new connection", Unit::Millis);
const FLAGS: Line = Line::new("growth-flags-all", "UID FETCH 1:* (FLAGS)", Unit::MicrosEach);

/// Messages that are APPENDed; the others are copies of them.
const APPENDED: usize = 1000;
/// Messages that one COPY makes at most.
const COPIED: usize = 20_000;
/// How often a command is repeated at most.
const TIMES: usize = 200;
/// How often a command is repeated that reads all.
const FEW: usize = 5;
/// The word that the first message alone has.
const WORD: &str = "oneinamillion";
const ACCOUNT: usize = 0;

fn run(round: &mut Round) -> Result<()> {
    let sizes = round.site.sizes.growth.clone();
    let first = sizes.first().copied().unwrap_or(APPENDED).min(APPENDED);
    let mailbox = round.filled(ACCOUNT, "growth", first, &message)?.mailbox;
    let mut here = first;
    for size in sizes {
        grow(round, &mailbox, &mut here, size)?;
        at(round, &mailbox, size)?;
    }
    Ok(())
}

/// The first has a flag and a word that no other has.
fn message(index: usize) -> (String, Vec<u8>) {
    let mut message = corpus::small(index);
    if index > 0 {
        return ("(\\Seen) ".to_owned(), message);
    }
    message.extend_from_slice(WORD.as_bytes());
    message.extend_from_slice(b"\r\n");
    ("(\\Flagged) ".to_owned(), message)
}

/// Copies the messages behind the first until there are so many.
fn grow(round: &mut Round, mailbox: &Mailbox, here: &mut usize, size: usize) -> Result<()> {
    let mut connection = round.site.select(mailbox, Room::Large)?;
    while *here < size {
        round.says(&format!("the mailbox grows to {size} messages: {here}"));
        let copied = (*here - 1).min(size - *here).clamp(1, COPIED);
        connection.command(&format!("COPY 2:{} {}", copied + 1, mailbox.name))?;
        *here += copied;
    }
    Ok(())
}

/// All lines at a size.
fn at(round: &mut Round, mailbox: &Mailbox, size: usize) -> Result<()> {
    let site = round.site.clone();
    let select = format!("SELECT {}", mailbox.name);
    point(round, SELECT, size, 1.0, TIMES, || {
        let mut connection = site.login(mailbox.account, Room::Medium)?;
        let (took, tally) = timed(|| connection.command(&select))?;
        let told = tally.exists.unwrap_or_default();
        must(told == size as u64, || format!("{told} EXISTS, not {size}"))?;
        connection.command("LOGOUT")?;
        Ok(took)
    })?;
    let mut connection = site.select(mailbox, Room::Large)?;
    let mut dice = Dice::new(7);
    let one = |tally: &Tally| tally.fetches;
    point(round, FETCH, size, 1.0, TIMES, || {
        let command = format!("FETCH {} (UID FLAGS INTERNALDATE RFC822.SIZE)", dice.message(size));
        answered(&mut connection, &command, one, 1)
    })?;
    let mut plus = false;
    let (mut dice, mut stored) = (Dice::new(8), 1);
    point(round, STORE, size, 1.0, TIMES, || {
        // A flag is given to one at random and taken again, so that each command changes something.
        plus = !plus;
        if plus {
            stored = dice.message(size);
        }
        let sign = if plus { '+' } else { '-' };
        answered(
            &mut connection,
            &format!("STORE {stored} {sign}FLAGS (\\Answered)"),
            one,
            1,
        )
    })?;
    let hits = |tally: &Tally| tally.hits;
    point(round, SEARCH_NUMBER, size, 1.0, TIMES, || {
        answered(&mut connection, &format!("UID SEARCH {}", dice.message(size)), hits, 1)
    })?;
    for (line, criterion) in [
        (SEARCH_FLAG, "FLAGGED".to_owned()),
        (SEARCH_TEXT, format!("BODY {WORD}")),
    ] {
        let command = format!("SEARCH {criterion}");
        point(round, line, size, 1.0, TIMES, || {
            answered(&mut connection, &command, hits, 1)
        })?;
    }
    let all = "UID FETCH 1:* (FLAGS)";
    point(round, FLAGS, size, size as f64, FEW, || {
        answered(&mut connection, all, one, size as u64)
    })
}

/// A command after whose answer so much must be counted.
fn answered(
    connection: &mut Connection,
    command: &str,
    count: impl Fn(&Tally) -> u64,
    expected: u64,
) -> Result<Duration> {
    let (took, tally) = timed(|| connection.command(command))?;
    let got = count(&tally);
    must(got == expected, || {
        format!("{command}: {got} responses or hits, not {expected}")
    })?;
    Ok(took)
}

/// One figure: a command is repeated so often, or for the time that the sizes give.
fn point(
    round: &mut Round,
    line: Line,
    size: usize,
    items: f64,
    times: usize,
    mut operation: impl FnMut() -> Result<Duration>,
) -> Result<()> {
    let (meter, began, most) = (round.site.meter(), Instant::now(), round.site.sizes.time);
    let mut taken = Vec::new();
    while taken.is_empty() || (taken.len() < times && began.elapsed() < most) {
        match operation() {
            Ok(took) => taken.push(took),
            Err(trouble) => return round.not_measured(line, Some(size), trouble),
        }
    }
    let sample = sample(line, items, taken);
    round.sampled_at(line, Some(size), &meter, sample);
    Ok(())
}
