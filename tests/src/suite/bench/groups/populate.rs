//! Filling a mailbox as fast as the protocol lets one connection do it.

use super::super::catalogue::{Group, Line, Unit};
use super::super::mailboxes::Filled;
use super::super::measure::Sample;
use super::super::round::Round;
use super::super::trouble::Result;

pub(in super::super) const GROUP: Group = Group {
    name: "populate",
    about: "a mailbox is filled by one connection, by MULTIAPPEND or pipelined APPENDs if the server knows them",
    lines: &[MEDIUM, LARGE],
    by_size: false,
    run,
};
const MEDIUM: Line = Line::new(
    "populate",
    "filling a mailbox with {medium} ordinary messages",
    Unit::Messages,
);
const LARGE: Line = Line::new(
    "populate-small",
    "filling a mailbox with {large} small messages",
    Unit::Messages,
);

fn run(round: &mut Round) -> Result<()> {
    let (line, meter) = (MEDIUM, round.site.meter());
    let filled = round.medium(0)?;
    round.sampled(line, &meter, sample(&filled));
    let (line, meter) = (LARGE, round.site.meter());
    let filled = round.large()?;
    round.sampled(line, &meter, sample(&filled));
    Ok(())
}

fn sample(filled: &Filled) -> Sample {
    let messages = filled.messages as f64;
    Sample {
        value: messages / filled.took.as_secs_f64(),
        items: messages,
        took: Some(filled.took),
        note: format!("{}, {:.1} MB", filled.how, filled.octets as f64 / 1e6),
        ..Sample::default()
    }
}
