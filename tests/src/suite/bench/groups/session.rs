//! What a mail client does from login to logout.

use super::super::catalogue::{Group, Line, Unit};
use super::super::connection::Room;
use super::super::corpus::Dice;
use super::super::mailboxes::Filled;
use super::super::measure::must;
use super::super::round::{Round, Site};
use super::super::trouble::Result;

pub(in super::super) const GROUP: Group = Group {
    name: "session",
    about: "LOGIN, SELECT, flags of 200 messages, envelopes and structures of 50, 3 texts, STORE, SEARCH, NOOP, LOGOUT",
    lines: &[ONE, SIXTEEN],
    by_size: false,
    run,
};
const ONE: Line = Line::new("session-1", "a whole session, 1 at a time", Unit::Sessions);
const SIXTEEN: Line = Line::new("session-16", "… 16 at a time, one mailbox", Unit::Sessions);

/// Messages whose flags are asked for.
const LISTED: usize = 200;
/// Messages that are shown in a list.
const SHOWN: usize = 50;
/// Messages that are read.
const READ: usize = 3;

fn run(round: &mut Round) -> Result<()> {
    let filled = round.medium(0)?;
    let site = round.site.clone();
    for (line, connections) in [(ONE, 1), (SIXTEEN, 16)] {
        let setup = |index| Ok(Dice::new(index as u64));
        round.closed_loop(line, connections, setup, |dice, _| {
            session(&site, &filled, dice)?;
            Ok(1)
        })?;
    }
    Ok(())
}

fn session(site: &Site, filled: &Filled, dice: &mut Dice) -> Result<()> {
    let messages = filled.messages;
    let mut connection = site.select(&filled.mailbox, Room::Large)?;
    let list = "UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE";
    for (last, what) in [(LISTED, "FLAGS UID"), (SHOWN, list)] {
        let last = last.min(messages);
        let tally = connection.command(&format!("FETCH {}:* ({what})", messages - last + 1))?;
        let got = tally.fetches;
        must(got >= last as u64, || {
            format!("{got} FETCH responses of {last} ({what})")
        })?;
    }
    for _ in 0..READ {
        let message = dice.message(messages);
        let got = connection
            .command(&format!("FETCH {message} (BODY.PEEK[])"))?
            .in_literals;
        must(got >= 400, || format!("message {message} has {got} octets"))?;
    }
    let message = dice.message(messages);
    connection.command(&format!("STORE {message} +FLAGS.SILENT (\\Seen)"))?;
    for command in ["SEARCH UNSEEN", "NOOP", "LOGOUT"] {
        connection.command(command)?;
    }
    Ok(())
}
