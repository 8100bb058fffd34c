//! EXPUNGE of every other message.

use super::super::catalogue::{Group, Line, Unit};
use super::super::connection::Room;
use super::super::measure::{must, timed};
use super::super::round::Round;
use super::super::trouble::Result;

pub(in super::super) const GROUP: Group = Group {
    name: "expunge",
    about: "EXPUNGE of every other message of a mailbox",
    lines: &[HALF],
    by_size: false,
    run,
};
const HALF: Line = Line::new("expunge-half", "EXPUNGE of every other of {medium}", Unit::Messages);

/// Messages that one STORE marks.
const MARKED: usize = 250;

fn run(round: &mut Round) -> Result<()> {
    let filled = round.medium_to_spoil()?;
    let mut connection = round.site.select(&filled.mailbox, Room::Large)?;
    connection.command("FETCH 1:* (FLAGS)")?;
    let odd: Vec<String> = (1..=filled.messages).step_by(2).map(|n| n.to_string()).collect();
    for marked in odd.chunks(MARKED) {
        connection.command(&format!("STORE {} +FLAGS.SILENT (\\Deleted)", marked.join(",")))?;
    }
    let expected = odd.len() as u64;
    round.repeated(HALF, 1, expected as f64, |_| {
        let (took, tally) = timed(|| connection.command("EXPUNGE"))?;
        let got = tally.expunges;
        must(got == expected, || format!("{got} EXPUNGE responses of {expected}"))?;
        Ok(took)
    })
}
