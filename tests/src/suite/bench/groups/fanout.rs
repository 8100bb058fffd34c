//! One message, and many sessions that wait for it.

use std::time::{Duration, Instant};

use std::os::fd::AsFd as _;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::super::catalogue::{Group, Line, Unit};
use super::super::connection::{Connection, Room};
use super::super::corpus;
use super::super::mailboxes::Mailbox;
use super::super::measure::{Sample, must};
use super::super::round::Round;
use super::super::statistics::{median, percentile};
use super::super::trouble::{Result, Trouble};

pub(in super::super) const GROUP: Group = Group {
    name: "fanout",
    about: "a message is APPENDed while sessions IDLE in its mailbox: until the last of them reads EXISTS",
    lines: &[LAST],
    by_size: false,
    run,
};
const LAST: Line = Line::new(
    "fanout",
    "APPEND → EXISTS at the last of {watchers} idling",
    Unit::Millis,
);

/// Messages that are there before.
const BEFORE: u64 = 5;
/// How long EXISTS is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two messages.
const PAUSE: Duration = Duration::from_millis(200);
/// How often it is looked whether the run is to end.
const TICK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 200_000_000,
};

/// When who heard of a message, after its last octet was sent.
struct Told {
    watchers: Vec<Duration>,
    appender: Duration,
}

fn run(round: &mut Round) -> Result<()> {
    let site = round.site.clone();
    let (mailbox, mut appender) = round.create_in(0, "fanout")?;
    let message = corpus::exact(1, 4096);
    for _ in 0..BEFORE {
        appender.append(&mailbox.name, "", &message)?;
    }
    round.says(&LAST.title(&site.sizes));
    let memory = || site.peer.processes.memory();
    let before = memory();
    let count = site.sizes.watchers;
    let watchers = (0..count).map(|_| {
        let mut connection = site.select(&mailbox, Room::Small)?;
        connection.start("IDLE")?;
        connection.continuation()?;
        connection.listen()?;
        Ok(connection)
    });
    let mut watchers = watchers.collect::<Result<Vec<Connection>>>()?;
    std::thread::sleep(site.sizes.rest);
    let idling = memory();
    let meter = site.meter();
    let (mut times, mut lasts, mut appended) = (Vec::new(), Vec::new(), Vec::new());
    for arrival in 0..site.sizes.arrivals {
        site.stop.check()?;
        let exists = BEFORE + arrival as u64 + 1;
        let told = arrives(&mut appender, &mut watchers, &mailbox, &message, exists)?;
        let last = told.watchers.iter().max().copied().unwrap_or_default();
        lasts.push(last.as_secs_f64() * 1e3);
        appended.push(told.appender.as_secs_f64() * 1e3);
        times.extend(told.watchers);
        std::thread::sleep(PAUSE.min(site.sizes.time / 4));
    }
    let mut all: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1e3).collect();
    let mut note = format!(
        "the median of all {:.1} ms, APPEND's OK {:.1} ms",
        percentile(&mut all, 50.0),
        median(&appended)
    );
    if let Some((before, idling)) = before.zip(idling) {
        let each = (idling.kilobytes - before.kilobytes) / count as f64;
        let processes = idling.processes as f64 - before.processes as f64;
        note.push_str(&format!(
            "; {each:.0} kB and {:.2} processes a session",
            processes / count as f64
        ));
    }
    let sample = Sample {
        value: median(&lasts),
        items: times.len() as f64,
        times,
        note,
        ..Sample::default()
    };
    round.sampled(LAST, &meter, sample);
    Ok(())
}

/// Appends a message; when each of the watchers had read of it.
fn arrives(
    appender: &mut Connection,
    watchers: &mut [Connection],
    mailbox: &Mailbox,
    message: &[u8],
    exists: u64,
) -> Result<Told> {
    appender.start_append(&mailbox.name, "", message)?;
    appender.finish_append(message)?;
    let sent = Instant::now();
    let mut told: Vec<Option<Duration>> = vec![None; watchers.len()];
    let mut answered = None;
    while answered.is_none() || told.contains(&None) {
        let missing = told.iter().filter(|told| told.is_none()).count();
        must(sent.elapsed() < PATIENCE, || {
            let all = told.len();
            format!("{missing} of {all} were told nothing for {} s", PATIENCE.as_secs())
        })?;
        let (of_watchers, of_appender) = ready(watchers, &told, answered.is_none().then_some(&*appender))?;
        let now = sent.elapsed();
        if of_appender {
            answered = Some(now);
        }
        for index in of_watchers {
            let (Some(watcher), Some(told)) = (watchers.get_mut(index), told.get_mut(index)) else {
                continue;
            };
            let heard = watcher.heard()?.exists;
            if heard.is_some_and(|heard| heard >= exists) {
                *told = Some(sent.elapsed());
            }
        }
    }
    appender.answers(1)?;
    Ok(Told {
        watchers: told.into_iter().flatten().collect(),
        appender: answered.unwrap_or_default(),
    })
}

/// Which watchers that were told nothing yet have something to read, and whether the appender has.
fn ready(
    watchers: &[Connection],
    told: &[Option<Duration>],
    appender: Option<&Connection>,
) -> Result<(Vec<usize>, bool)> {
    let waiting: Vec<usize> = (0..)
        .zip(told)
        .filter(|(_, told)| told.is_none())
        .map(|(i, _)| i)
        .collect();
    let connections = waiting.iter().filter_map(|index| watchers.get(*index)).chain(appender);
    let mut polled: Vec<PollFd> = connections
        .map(|connection| PollFd::from_borrowed_fd(connection.as_fd(), PollFlags::IN))
        .collect();
    match poll(&mut polled, Some(&TICK)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(Trouble::Io(error.into())),
    }
    let readable = |fd: Option<&PollFd>| fd.is_some_and(|fd| !fd.revents().is_empty());
    let of_watchers = waiting.iter().enumerate().filter(|(at, _)| readable(polled.get(*at)));
    let of_watchers = of_watchers.map(|(_, index)| *index).collect();
    Ok((of_watchers, appender.is_some() && readable(polled.last())))
}
