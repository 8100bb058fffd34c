//! What is seen while a run goes on: a bar with counts on a terminal, or nothing.

use std::fmt;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::super::outcome::{Outcome, Verdict};
use super::super::report::name_of;
use super::super::run::Running;

/// The bar, and how many ended how.
pub(super) struct Progress {
    bar: ProgressBar,
    verbose: bool,
    terminal: bool,
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Progress {
    /// For so many scenarios; below the bar stands which of those that are `running` began first, if it takes long. Nothing
    /// is drawn where standard error is no terminal.
    pub(super) fn new(count: usize, verbose: bool, running: Running) -> Self {
        let terminal = stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(
            Some(count as u64),
            if terminal {
                ProgressDrawTarget::stderr()
            } else {
                ProgressDrawTarget::hidden()
            },
        );
        if let Ok(style) = ProgressStyle::with_template("{bar:32} {pos}/{len} {elapsed}  {msg}\n{slow}") {
            let slow = move |_: &ProgressState, out: &mut dyn fmt::Write| {
                let (now, all) = (Instant::now(), running.all());
                let all: Vec<(&str, Duration)> = all.iter().map(|(n, t)| (n.as_str(), now - *t)).collect();
                let _ = out.write_str(&slow(&all));
            };
            bar.set_style(style.with_key("slow", slow));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self {
            bar,
            verbose,
            terminal,
            passed: 0,
            failed: 0,
            skipped: 0,
        }
    }

    /// A scenario has ended.
    pub(super) fn ended(&mut self, outcome: &Outcome) {
        let count = match &outcome.verdict {
            Verdict::Passed => &mut self.passed,
            Verdict::Failed { .. } => &mut self.failed,
            Verdict::Skipped { .. } => &mut self.skipped,
        };
        *count += 1;
        let failed = matches!(outcome.verdict, Verdict::Failed { .. });
        if self.verbose || (failed && self.terminal) {
            let line = match &outcome.verdict {
                Verdict::Skipped { reason } => format!("skipped {}: {reason}", outcome.name),
                Verdict::Failed { failure } => format!("failed  {}: {}", outcome.name, failure.what),
                verdict => format!("{}  {} ({} ms)", name_of(verdict), outcome.name, outcome.millis),
            };
            if self.terminal {
                self.bar.println(line)
            } else {
                eprintln!("{line}")
            }
        }
        let Self {
            passed,
            failed,
            skipped,
            ..
        } = self;
        self.bar
            .set_message(format!("{passed} passed, {failed} failed, {skipped} skipped"));
        self.bar.inc(1);
    }

    /// Something else goes on.
    pub(super) fn says(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    /// All were played.
    pub(super) fn all_played(&self) {
        self.says("the mailboxes are being removed");
    }

    /// The bar goes.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }

    /// How many failed.
    pub(super) fn failed(&self) -> usize {
        self.failed
    }
}

/// From when on it is worth to be said which scenario is played.
const SLOW: Duration = Duration::from_secs(1);

/// Which scenario is played for the longest time, if that is long.
fn slow(running: &[(&str, Duration)]) -> String {
    let Some((name, time)) = running
        .iter()
        .max_by_key(|(_, time)| *time)
        .filter(|(_, time)| *time >= SLOW)
    else {
        return String::new();
    };
    let others = match running.len() - 1 {
        0 => String::new(),
        others => format!(", and {others} more"),
    };
    format!("{name} for {} s{others}", time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scenario_that_takes_long_is_named() {
        let of = |running: &[(&str, f64)]| {
            let running: Vec<(&str, Duration)> = running
                .iter()
                .map(|(name, s)| (*name, Duration::from_secs_f64(*s)))
                .collect();
            slow(&running)
        };
        assert_eq!(of(&[]), "");
        assert_eq!(of(&[("x/a", 0.9)]), "");
        assert_eq!(of(&[("x/a", 1.2)]), "x/a for 1 s");
        assert_eq!(
            of(&[("x/a", 0.2), ("x/b", 12.7), ("x/c", 3.0)]),
            "x/b for 12 s, and 2 more"
        );
    }
}
