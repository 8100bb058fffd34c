//! What a connection costs that does nothing.

use std::time::{Duration, Instant};

use super::super::catalogue::{Group, Line, Unit};
use super::super::connection::{Connection, Room};
use super::super::mailboxes::Mailbox;
use super::super::measure::{Sample, timed};
use super::super::peer::Way;
use super::super::process::{Memory, available_kilobytes};
use super::super::round::Round;
use super::super::trouble::{Result, Trouble};

pub(in super::super) const GROUP: Group = Group {
    name: "idle",
    about: "memory of the server (--pid) for each connection that IDLEs in a mailbox",
    lines: &[PLAIN, TLS],
    by_size: false,
    run,
};
const PLAIN: Line = Line::new(
    "idle",
    "memory of an idle connection, {idle} of them",
    Unit::KilobytesEach,
);
const TLS: Line = Line::new(
    "idle-tls",
    "memory of an idle connection within TLS, {idle} of them",
    Unit::KilobytesEach,
);

/// Accounts that are used at most.
const ACCOUNTS: usize = 200;
/// How long the server has to let go of what closed connections had.
const LET_GO: Duration = Duration::from_secs(30);

fn run(round: &mut Round) -> Result<()> {
    if round.site.peer.processes.is_empty() {
        return Trouble::lacks("the server's process was not named (--pid)");
    }
    let mailboxes = mailboxes(round)?;
    for (line, way) in [(PLAIN, Way::Asked), (TLS, Way::WithinTls)] {
        if let Err(trouble) = measured(round, line, way, &mailboxes) {
            round.not_measured(line, None, trouble)?;
        }
    }
    Ok(())
}

/// A mailbox in each account that is used.
fn mailboxes(round: &mut Round) -> Result<Vec<Mailbox>> {
    let accounts = round
        .site
        .peer
        .accounts
        .count
        .min(round.site.sizes.idle)
        .clamp(1, ACCOUNTS);
    let make = |account| Ok(round.create_in(account, &format!("idle-{account}"))?.0);
    (0..accounts).map(make).collect()
}

fn measured(round: &mut Round, line: Line, way: Way, mailboxes: &[Mailbox]) -> Result<()> {
    let site = round.site.clone();
    let (peer, count) = (&site.peer, site.sizes.idle);
    if way == Way::WithinTls {
        peer.within_tls().map_err(|why| Trouble::Lacks(why.to_owned()))?;
    }
    round.says(&line.title(&site.sizes));
    let memory = || {
        let memory = peer.processes.memory();
        memory.ok_or(Trouble::Lacks("the server's memory cannot be read".to_owned()))
    };
    let (before, meter) = (memory()?, site.meter());
    let (mut connections, mut times) = (Vec::new(), Vec::new());
    for mailbox in mailboxes.iter().cycle().take(count) {
        let (took, connection) = timed(|| {
            let mut connection = Connection::login(peer, mailbox.account, way, Room::Small, &site.stop)?;
            connection.command(&format!("SELECT {}", mailbox.name))?;
            connection.start("IDLE")?;
            connection.continuation()?;
            Ok(connection)
        })?;
        connections.push(connection);
        times.push(took);
        if connections.len() == 100 {
            is_enough_for(count, &before, &memory()?)?;
        }
    }
    let set_up = count as f64 / times.iter().sum::<Duration>().as_secs_f64();
    std::thread::sleep(site.sizes.rest);
    let idling = memory()?;
    let mut note = format!(
        "{:.1} MB and {} processes more; {set_up:.0} connections a second",
        (idling.kilobytes - before.kilobytes) / 1024.0,
        idling.processes.saturating_sub(before.processes)
    );
    if let Some(share) = resting_share(round) {
        note.push_str(&format!("; idling takes {:.2} % of a processor", share * 100.0));
    }
    let sample = Sample {
        value: (idling.kilobytes - before.kilobytes) / count as f64,
        items: count as f64,
        times,
        note,
        ..Sample::default()
    };
    round.sampled(line, &meter, sample);
    drop(connections);
    let closed = Instant::now();
    let stays = |now: Memory| now.processes > before.processes + 20;
    while memory().is_ok_and(stays) && closed.elapsed() < LET_GO {
        site.stop.check()?;
        std::thread::sleep(Duration::from_millis(500));
    }
    Ok(())
}

/// An error when so many connections, each as large as those so far, would take more than half of what there is.
fn is_enough_for(count: usize, before: &Memory, now: &Memory) -> Result<()> {
    let each = (now.kilobytes - before.kilobytes) / 100.0;
    let (needed, there) = (each * count as f64, available_kilobytes().unwrap_or(f64::MAX));
    if needed < there / 2.0 {
        return Ok(());
    }
    Trouble::lacks(format!("{count} connections would take {:.1} GB", needed / 1e6))
}

/// The share of a processor that the server takes while nothing happens.
fn resting_share(round: &Round) -> Option<f64> {
    let (rest, processes) = (round.site.sizes.rest, &round.site.peer.processes);
    if rest.is_zero() {
        return None;
    }
    let before = processes.seconds()?;
    std::thread::sleep(rest);
    Some((processes.seconds()? - before) / rest.as_secs_f64())
}
