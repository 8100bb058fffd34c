//! Round trips of the cheapest command.

use super::super::catalogue::{Group, Line, Unit};
use super::super::connection::Room;
use super::super::round::Round;
use super::super::trouble::Result;

pub(in super::super) const GROUP: Group = Group {
    name: "noop",
    about: "NOOP with an empty mailbox selected: what a round trip costs",
    lines: &[ONE, FIFTY, PIPELINED],
    by_size: false,
    run,
};
const ONE: Line = Line::new("noop-1", "NOOP, 1 connection", Unit::Commands);
const FIFTY: Line = Line::new("noop-50", "NOOP, 50 connections", Unit::Commands);
const PIPELINED: Line = Line::new("noop-pipelined", "NOOP, 100 pipelined", Unit::Commands);

/// Commands that are sent at once.
const AT_ONCE: usize = 100;

fn run(round: &mut Round) -> Result<()> {
    let empty = round.empty()?;
    let site = round.site.clone();
    for (line, connections) in [(ONE, 1), (FIFTY, 50)] {
        let setup = |_| site.select(&empty, Room::Medium);
        round.closed_loop(line, connections, setup, |connection, _| {
            connection.command("NOOP")?;
            Ok(1)
        })?;
    }
    let setup = |_| site.select(&empty, Room::Medium);
    round.closed_loop(PIPELINED, 1, setup, |connection, _| {
        connection.commands(std::iter::repeat_n("NOOP", AT_ONCE))?;
        Ok(AT_ONCE)
    })
}
