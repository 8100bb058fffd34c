//! Logging in.

use super::super::catalogue::{Group, Line, Unit};
use super::super::connection::Room;
use super::super::round::Round;
use super::super::trouble::Result;

pub(in super::super) const GROUP: Group = Group {
    name: "login",
    about: "connect, LOGIN, LOGOUT, over and over",
    lines: &[ONE, EIGHT],
    by_size: false,
    run,
};
const ONE: Line = Line::new("login-1", "connect, LOGIN, LOGOUT: 1 connection", Unit::Logins);
const EIGHT: Line = Line::new("login-8", "connect, LOGIN, LOGOUT: 8 connections", Unit::Logins);

/// How many accounts a connection logs in to, in turn.
const ACCOUNTS: usize = 12;

fn run(round: &mut Round) -> Result<()> {
    for (line, connections) in [(ONE, 1), (EIGHT, 8)] {
        let site = round.site.clone();
        round.closed_loop(line, connections, Ok, |index, before| {
            let account = *index + 8 * (before % ACCOUNTS);
            site.login(account, Room::Medium)?.command("LOGOUT")?;
            Ok(1)
        })?;
    }
    Ok(())
}
