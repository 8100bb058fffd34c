//! Reading: what stands in a list of messages, what a client shows of each, and whole texts.

use std::time::Duration;

use super::super::catalogue::{Group, Line, Unit};
use super::super::connection::{Connection, Room};
use super::super::corpus::Dice;
use super::super::measure::{must, timed};
use super::super::round::Round;
use super::super::trouble::Result;

pub(in super::super) const FLAGS: Group = Group {
    name: "fetchfast",
    about: "FETCH 1:* of what needs no look at the messages",
    lines: &[FAST_FIRST, FAST, FLAGS_ALONE, LARGE_FIRST, LARGE, LARGE_FLAGS_ALONE],
    by_size: false,
    run: fast,
};
const FAST_FIRST: Line = Line::new(
    "fetch-fast-first",
    "FETCH FLAGS UID INTERNALDATE RFC822.SIZE of {medium}, first",
    Unit::Messages,
);
const FAST: Line = Line::new("fetch-fast", "… again", Unit::Messages);
const FLAGS_ALONE: Line = Line::new("fetch-flags", "UID FETCH 1:* (FLAGS) of {medium}", Unit::Messages);
const LARGE_FIRST: Line = Line::new(
    "fetch-fast-large-first",
    "FETCH FLAGS UID INTERNALDATE RFC822.SIZE of {large}, first",
    Unit::Messages,
);
const LARGE: Line = Line::new("fetch-fast-large", "… again", Unit::Messages);
const LARGE_FLAGS_ALONE: Line = Line::new("fetch-flags-large", "UID FETCH 1:* (FLAGS) of {large}", Unit::Messages);

pub(in super::super) const META: Group = Group {
    name: "fetchmeta",
    about: "FETCH 1:* of what a server has read the messages for: the first time, and again on a new connection",
    lines: &[
        ENVELOPE_FIRST,
        ENVELOPE,
        STRUCTURE_FIRST,
        STRUCTURE,
        FIELDS_FIRST,
        FIELDS,
    ],
    by_size: false,
    run: meta,
};
const ENVELOPE_FIRST: Line = Line::new("envelope-first", "FETCH ENVELOPE of {medium}, first", Unit::Messages);
const ENVELOPE: Line = Line::new("envelope", "… again", Unit::Messages);
const STRUCTURE_FIRST: Line = Line::new(
    "bodystructure-first",
    "FETCH BODYSTRUCTURE of {medium}, first",
    Unit::Messages,
);
const STRUCTURE: Line = Line::new("bodystructure", "… again", Unit::Messages);
const FIELDS_FIRST: Line = Line::new(
    "header-fields-first",
    "FETCH HEADER.FIELDS (FROM TO SUBJECT DATE) of {medium}, first",
    Unit::Messages,
);
const FIELDS: Line = Line::new("header-fields", "… again", Unit::Messages);

pub(in super::super) const BODY: Group = Group {
    name: "fetchbody",
    about: "whole messages and parts of them",
    lines: &[ALL, RANDOM, PARTS],
    by_size: false,
    run: body,
};
const ALL: Line = Line::new("body-all", "FETCH BODY.PEEK[] of {medium}", Unit::Megabytes);
const RANDOM: Line = Line::new(
    "body-random",
    "FETCH BODY.PEEK[] of one message a command, at random",
    Unit::Messages,
);
const PARTS: Line = Line::new(
    "part-and-header-8",
    "… its part 1 and header, 8 connections",
    Unit::Messages,
);

/// The least octets that the shortest of the messages' parts and headers have.
const LEAST: u64 = 400;

fn fast(round: &mut Round) -> Result<()> {
    let (medium, large) = (round.medium(0)?, round.large()?);
    let times = round.site.sizes.times + 2;
    let lines = [
        (medium, [FAST_FIRST, FAST, FLAGS_ALONE]),
        (large, [LARGE_FIRST, LARGE, LARGE_FLAGS_ALONE]),
    ];
    for (filled, [first, again, flags]) in lines {
        let messages = filled.messages;
        round.start_anew()?;
        let mut connection = round.site.select(&filled.mailbox, Room::Large)?;
        let items = messages as f64;
        let command = "FETCH 1:* (FLAGS UID INTERNALDATE RFC822.SIZE)";
        round.first(first, items, |_| all(&mut connection, command, messages, 60))?;
        round.repeated(again, times, items, |_| all(&mut connection, command, messages, 60))?;
        let command = "UID FETCH 1:* (FLAGS)";
        round.repeated(flags, times, items, |_| all(&mut connection, command, messages, 20))?;
    }
    Ok(())
}

/// A command that fetches all messages, each of which has at least so many octets.
fn all(connection: &mut Connection, command: &str, messages: usize, least: u64) -> Result<Duration> {
    let (took, tally) = timed(|| connection.command(command))?;
    let (got, expected) = (tally.fetches, messages as u64);
    must(got == expected, || format!("{got} FETCH responses of {expected}"))?;
    let (got, least) = (tally.octets, least * expected);
    must(got >= least, || format!("{got} octets, fewer than {least}"))?;
    Ok(took)
}

fn meta(round: &mut Round) -> Result<()> {
    let lines = [
        ("ENVELOPE", ENVELOPE_FIRST, ENVELOPE),
        ("BODYSTRUCTURE", STRUCTURE_FIRST, STRUCTURE),
        ("BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE)]", FIELDS_FIRST, FIELDS),
    ];
    for (index, (what, first, again)) in lines.into_iter().enumerate() {
        // Each in a mailbox of its own, which nobody has read.
        let filled = round.medium(index + 1)?;
        let command = format!("FETCH 1:* ({what})");
        round.start_anew()?;
        let (times, items) = (round.site.sizes.times, filled.messages as f64);
        let fetch = |connection: &mut Connection| all(connection, &command, filled.messages, 60);
        let mut connection = round.site.select(&filled.mailbox, Room::Large)?;
        round.first(first, items, |_| fetch(&mut connection))?;
        let mut connection = round.site.select(&filled.mailbox, Room::Large)?;
        round.repeated(again, times, items, |_| fetch(&mut connection))?;
    }
    Ok(())
}

fn body(round: &mut Round) -> Result<()> {
    let filled = round.medium(0)?;
    let (messages, octets, times) = (filled.messages, filled.octets, round.site.sizes.times);
    let site = round.site.clone();
    let mut connection = site.select(&filled.mailbox, Room::Large)?;
    round.repeated(ALL, times, octets as f64 / 1e6, |_| {
        let (took, tally) = timed(|| connection.command("FETCH 1:* (BODY.PEEK[])"))?;
        let (got, expected) = (tally.fetches, messages as u64);
        must(got == expected, || format!("{got} FETCH responses of {expected}"))?;
        let got = tally.in_literals;
        must(got == octets, || format!("{got} octets of {octets}"))?;
        Ok(took)
    })?;
    drop(connection);
    let setup = |index| Ok((site.select(&filled.mailbox, Room::Large)?, Dice::new(3 + index as u64)));
    for (line, connections, what) in [
        (RANDOM, 1, "UID BODY.PEEK[]"),
        (PARTS, 8, "UID FLAGS BODY.PEEK[1] BODY.PEEK[HEADER]"),
    ] {
        round.closed_loop(line, connections, setup, |(connection, dice), _| {
            let message = dice.message(messages);
            let tally = connection.command(&format!("FETCH {message} ({what})"))?;
            let (fetches, octets) = (tally.fetches, tally.in_literals);
            must(fetches == 1 && octets >= LEAST, || {
                format!("{fetches} FETCH responses with {octets} octets for message {message}")
            })?;
            Ok(1)
        })?;
    }
    Ok(())
}
