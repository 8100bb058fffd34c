//! Many mailboxes: made, listed, and asked how they are.

use super::super::catalogue::{Group, Line, Unit};
use super::super::connection::Room;
use super::super::measure::{Sample, must, timed};
use super::super::round::Round;
use super::super::trouble::Result;

pub(in super::super) const GROUP: Group = Group {
    name: "list",
    about: "CREATE, LIST and STATUS of many mailboxes",
    lines: &[CREATE, LIST, STATUS],
    by_size: false,
    run,
};
const CREATE: Line = Line::new("create", "CREATE of {mailboxes}", Unit::Commands);
const LIST: Line = Line::new("list", "LIST of {mailboxes}", Unit::Millis);
const STATUS: Line = Line::new("status-pipelined", "STATUS of {mailboxes}, pipelined", Unit::Millis);

/// The index of the account.
const ACCOUNT: usize = 20;

fn run(round: &mut Round) -> Result<()> {
    let count = round.site.sizes.mailboxes;
    let mut connection = round.site.login(ACCOUNT, Room::Large)?;
    let (meter, mut times, mut names) = (round.site.meter(), Vec::new(), Vec::new());
    for index in 0..count {
        let (took, mailbox) = timed(|| round.create(&mut connection, ACCOUNT, &format!("list-{index}")))?;
        times.push(took);
        names.push(mailbox.name);
    }
    let created = Sample {
        value: count as f64 / times.iter().sum::<std::time::Duration>().as_secs_f64(),
        items: count as f64,
        times,
        ..Sample::default()
    };
    round.sampled(CREATE, &meter, created);
    let expected = count as u64;
    let times = round.site.sizes.times;
    let list = format!("LIST \"\" {}%", round.site.name("list-"));
    round.repeated(LIST, 3 * times, 1.0, |_| {
        let (took, tally) = timed(|| connection.command(&list))?;
        let got = tally.listed;
        must(got == expected, || format!("{got} LIST responses of {expected}"))?;
        Ok(took)
    })?;
    let status = |name: &String| format!("STATUS {name} (MESSAGES UNSEEN UIDNEXT)");
    let commands: Vec<String> = names.iter().map(status).collect();
    round.repeated(STATUS, times, 1.0, |_| {
        let (took, tally) = timed(|| connection.commands(&commands))?;
        let got = tally.statuses;
        must(got == expected, || format!("{got} STATUS responses of {expected}"))?;
        Ok(took)
    })
}
