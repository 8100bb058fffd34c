//! How a figure is had: a closed loop over connections, or one command repeated; with what the processors did meanwhile.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::catalogue::{Line, Unit};
use super::process::{Machine, own_seconds};
use super::round::{Round, Site};
use super::row::{Measured, Outcome};
use super::statistics::percentile;
use super::trouble::{Result, Trouble};

/// What is said of a figure that is the first since the server's start.
const AFTER_START: &str = "after a start of the server";

/// Clocks when a measurement begins.
pub(super) struct Meter {
    server: Option<f64>,
    machine: Option<Machine>,
    // Last: reading the others is not what is measured.
    own: f64,
    began: Instant,
}

/// What was timed.
#[derive(Debug, Default)]
pub(super) struct Sample {
    /// The figure, in the line's unit.
    pub(super) value: f64,
    /// Of how many things (messages, commands …) the server's time is shared out.
    pub(super) items: f64,
    /// How long all took, if not from the meter's beginning to now.
    pub(super) took: Option<Duration>,
    /// What each operation took.
    pub(super) times: Vec<Duration>,
    /// The most memory that the server took, in kB.
    pub(super) peak: Option<f64>,
    /// What else is to be said.
    pub(super) note: String,
}

/// What something took, beside what came of it.
pub(super) fn timed<T>(what: impl FnOnce() -> Result<T>) -> Result<(Duration, T)> {
    let began = Instant::now();
    let done = what()?;
    Ok((began.elapsed(), done))
}

/// An error unless it is so; `what` says what is wrong instead.
pub(super) fn must(holds: bool, what: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { Trouble::wrong(what()) }
}

fn micros(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}

impl Site {
    /// The clocks now.
    pub(super) fn meter(&self) -> Meter {
        Meter {
            server: self.peer.processes.seconds(),
            machine: Machine::now(),
            own: own_seconds(),
            began: Instant::now(),
        }
    }

    /// A sample with what the clocks say.
    fn measured(&self, meter: &Meter, sample: Sample) -> Measured {
        let (passed, own) = (meter.began.elapsed(), own_seconds() - meter.own);
        let took = sample.took.unwrap_or(passed).as_secs_f64();
        let now = self.meter();
        let server = meter.server.zip(now.server).map(|(before, now)| now - before);
        let others = meter.machine.zip(now.machine).and_then(|(before, now)| {
            // Without the server's time, there is no telling what others took.
            now.share_of_others(before, own + server?)
        });
        let mut times: Vec<f64> = sample.times.iter().copied().map(micros).collect();
        let passed = passed.as_secs_f64();
        Measured {
            value: sample.value,
            count: times.len() as u64,
            seconds: took,
            p50_us: percentile(&mut times, 50.0),
            p99_us: percentile(&mut times, 99.0),
            max_us: percentile(&mut times, 100.0),
            // The clock's ticks are of 10 ms: a few of them tell nothing.
            server_cpu_us: server
                .filter(|seconds| *seconds >= 0.03 && sample.items > 0.0)
                .map(|seconds| seconds * 1e6 / sample.items),
            generator_cpu: if passed > 0.0 { own / passed } else { 0.0 },
            others_cpu: others,
            memory_kb: self.peer.processes.kilobytes(),
            peak_kb: sample.peak,
            note: sample.note,
        }
    }
}

impl Round<'_> {
    /// A row of what was timed.
    pub(super) fn sampled(&mut self, line: Line, meter: &Meter, sample: Sample) {
        self.sampled_at(line, None, meter, sample);
    }

    /// The same at a size of the mailbox.
    pub(super) fn sampled_at(&mut self, line: Line, messages: Option<usize>, meter: &Meter, sample: Sample) {
        let measured = self.site.measured(meter, sample);
        self.ended(line, messages, Outcome::Measured(measured));
    }

    /// Something is repeated, which tells what it took; the figure is the median: in milliseconds, or of the `items` that one
    /// repetition is about, how many a second.
    pub(super) fn repeated(
        &mut self,
        line: Line,
        times: usize,
        items: f64,
        operation: impl FnMut(usize) -> Result<Duration>,
    ) -> Result<()> {
        self.repeated_noting("", line, times, items, operation)
    }

    /// The same, once, for what comes first: after a start of the server, if [`Round::start_anew`] can give it one.
    pub(super) fn first(
        &mut self,
        line: Line,
        items: f64,
        operation: impl FnMut(usize) -> Result<Duration>,
    ) -> Result<()> {
        let note = match self.site.peer.restart {
            Some(_) => AFTER_START,
            None => "",
        };
        self.repeated_noting(note, line, 1, items, operation)
    }

    fn repeated_noting(
        &mut self,
        note: &str,
        line: Line,
        times: usize,
        items: f64,
        operation: impl FnMut(usize) -> Result<Duration>,
    ) -> Result<()> {
        self.says(&line.title(&self.site.sizes));
        let meter = self.site.meter();
        match self.samples(times, operation) {
            Ok(times) => {
                let mut sample = sample(line, items, times);
                note.clone_into(&mut sample.note);
                self.sampled(line, &meter, sample);
                Ok(())
            }
            Err(trouble) => self.not_measured(line, None, trouble),
        }
    }

    /// What something took, each time that it was repeated.
    pub(super) fn samples(
        &self,
        times: usize,
        mut operation: impl FnMut(usize) -> Result<Duration>,
    ) -> Result<Vec<Duration>> {
        let repetition = |index| {
            self.site.stop.check()?;
            operation(index)
        };
        (0..times).map(repetition).collect()
    }

    /// Connections that each do one operation after another, for the time that the sizes give; the figure is how many a second
    /// all of them did together. `setup` makes what a connection needs, by its index; `operation` is told how often it was
    /// done before, and says how many it counts for.
    pub(super) fn closed_loop<S: Send>(
        &mut self,
        line: Line,
        connections: usize,
        setup: impl Fn(usize) -> Result<S>,
        operation: impl Fn(&mut S, usize) -> Result<usize> + Sync,
    ) -> Result<()> {
        self.says(&line.title(&self.site.sizes));
        let states = match (0..connections).map(setup).collect::<Result<Vec<S>>>() {
            Ok(states) => states,
            Err(trouble) => return self.not_measured(line, None, trouble),
        };
        let site = self.site.clone();
        let (began, end) = (Barrier::new(connections + 1), AtomicBool::new(false));
        let mut meter = None;
        let done = std::thread::scope(|scope| {
            let threads = states.into_iter().map(|mut state| {
                let (site, began, end, operation) = (&site, &began, &end, &operation);
                scope.spawn(move || {
                    began.wait();
                    let done = one_of_many(site, end, |before| operation(&mut state, before));
                    // A connection that is closed while others go on would cost them time.
                    (done, state)
                })
            });
            let threads: Vec<_> = threads.collect();
            meter = Some(site.meter());
            began.wait();
            let ended = threads.into_iter().map(|thread| match thread.join() {
                Ok((done, state)) => done.map(|done| (done, state)),
                Err(_) => Trouble::wrong("a thread of the load generator broke"),
            });
            ended.collect::<Vec<_>>()
        });
        let Some(meter) = meter else { return Ok(()) };
        let took = meter.began.elapsed();
        let (mut times, mut count, mut states) = (Vec::new(), 0, Vec::new());
        for done in done {
            match done {
                Ok((done, state)) => {
                    times.extend(done.0);
                    count += done.1;
                    states.push(state);
                }
                Err(trouble) => return self.not_measured(line, None, trouble),
            }
        }
        let sample = Sample {
            value: count as f64 / took.as_secs_f64(),
            items: count as f64,
            took: Some(took),
            times,
            ..Sample::default()
        };
        self.sampled(line, &meter, sample);
        Ok(())
    }
}

/// A sample of one command that was repeated.
pub(super) fn sample(line: Line, items: f64, times: Vec<Duration>) -> Sample {
    let mut seconds: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
    let median = percentile(&mut seconds, 50.0).max(1e-9);
    Sample {
        value: match line.unit {
            Unit::Millis => median * 1e3,
            Unit::MicrosEach => median * 1e6 / items,
            _ => items / median,
        },
        items: items * times.len() as f64,
        times,
        ..Sample::default()
    }
}

/// One thread of a closed loop: what its operations took, and how many they count for.
fn one_of_many(
    site: &Site,
    end: &AtomicBool,
    mut operation: impl FnMut(usize) -> Result<usize>,
) -> Result<(Vec<Duration>, usize)> {
    let began = Instant::now();
    let (mut times, mut count) = (Vec::with_capacity(4096), 0);
    let mut now = began;
    while times.is_empty() || (now - began < site.sizes.time && !end.load(Ordering::Relaxed)) {
        match operation(times.len()) {
            Ok(counts_for) => count += counts_for,
            Err(trouble) => {
                // The others need not go on.
                end.store(true, Ordering::Relaxed);
                return Err(trouble);
            }
        }
        let then = now;
        now = Instant::now();
        times.push(now - then);
    }
    Ok((times, count))
}
