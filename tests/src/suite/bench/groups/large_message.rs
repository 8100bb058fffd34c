//! One message of 25 MB: in, out, and out in windows, with an eye on the server's memory.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::super::catalogue::{Group, Line, Unit};
use super::super::corpus;
use super::super::measure::{Sample, must, sample, timed};
use super::super::round::{Round, Site};
use super::super::trouble::Result;

pub(in super::super) const GROUP: Group = Group {
    name: "append25m",
    about: "a message of 25 MB goes in and comes out; the note tells what memory that takes (with --pid)",
    lines: &[APPEND, FETCH, WINDOWS],
    by_size: false,
    run,
};
const APPEND: Line = Line::new("append-25m", "APPEND 25 MB", Unit::Megabytes);
const FETCH: Line = Line::new("fetch-25m", "FETCH BODY.PEEK[] of 25 MB", Unit::Megabytes);
const WINDOWS: Line = Line::new("fetch-25m-windows", "… in windows of 64 KB", Unit::Megabytes);

/// Octets of a window.
const WINDOW: u64 = 65_536;
/// How often it is looked at the memory.
const LOOK: Duration = Duration::from_millis(10);

fn run(round: &mut Round) -> Result<()> {
    let (mailbox, mut connection) = round.create_in(0, "25m")?;
    let message = corpus::big(round.site.sizes.big);
    let (octets, megabytes) = (message.len() as u64, message.len() as f64 / 1e6);
    let append = |_| Ok(timed(|| connection.append(&mailbox.name, "", &message))?.0);
    watched(round, APPEND, megabytes, append)?;
    connection.command(&format!("SELECT {}", mailbox.name))?;
    let fetch = |_| {
        let (took, tally) = timed(|| connection.command("FETCH 1 BODY.PEEK[]"))?;
        let got = tally.in_literals;
        must(got == octets, || format!("{got} of {octets} octets came back"))?;
        Ok(took)
    };
    watched(round, FETCH, megabytes, fetch)?;
    round.repeated(WINDOWS, 1, megabytes, |_| {
        let (took, got) = timed(|| {
            let mut at = 0;
            while at < octets {
                let tally = connection.command(&format!("FETCH 1 BODY.PEEK[]<{at}.{WINDOW}>"))?;
                let (got, whole) = (tally.in_literals, WINDOW.min(octets - at));
                must(got == whole, || format!("a window of {whole} octets has {got}"))?;
                at += got;
            }
            Ok(at)
        })?;
        must(got == octets, || format!("{got} of {octets} octets came back"))?;
        Ok(took)
    })
}

/// Something is repeated while somebody looks at the server's memory.
fn watched(
    round: &mut Round,
    line: Line,
    megabytes: f64,
    operation: impl FnMut(usize) -> Result<Duration>,
) -> Result<()> {
    let site = round.site.clone();
    let before = site.peer.processes.kilobytes();
    let (meter, end) = (site.meter(), AtomicBool::new(false));
    let (times, peak) = std::thread::scope(|scope| {
        let looking = scope.spawn(|| peak(&site, &end));
        let times = round.samples(site.sizes.times, operation);
        end.store(true, Ordering::Relaxed);
        (times, looking.join().ok().flatten())
    });
    let times = match times {
        Ok(times) => times,
        Err(trouble) => return round.not_measured(line, None, trouble),
    };
    let note = peak.zip(before).map(|(peak, before)| {
        let (peak, grown) = (peak / 1024.0, (peak - before).max(0.0) / 1024.0);
        format!("server's memory at most {peak:.1} MB, {grown:.1} MB more than before")
    });
    let sample = Sample {
        peak,
        note: note.unwrap_or_default(),
        ..sample(line, megabytes, times)
    };
    round.sampled(line, &meter, sample);
    Ok(())
}

/// The most memory that the server takes until the end.
fn peak(site: &Site, end: &AtomicBool) -> Option<f64> {
    let server = &site.peer.processes;
    let mut peak = server.kilobytes()?;
    while !end.load(Ordering::Relaxed) {
        std::thread::sleep(LOOK);
        peak = peak.max(server.kilobytes().unwrap_or_default());
    }
    Some(peak)
}
