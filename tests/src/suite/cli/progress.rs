//! What is seen while a run goes on: a bar with counts on a terminal, or nothing.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::super::outcome::{Outcome, Verdict};
use super::super::report::name_of;

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
    /// For so many scenarios. Nothing is drawn where standard error is no terminal.
    pub(super) fn new(count: usize, verbose: bool) -> Self {
        let terminal = stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(
            Some(count as u64),
            if terminal {
                ProgressDrawTarget::stderr()
            } else {
                ProgressDrawTarget::hidden()
            },
        );
        if let Ok(style) = ProgressStyle::with_template("{bar:32} {pos}/{len} {elapsed}  {msg}") {
            bar.set_style(style);
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

    /// The bar goes.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }

    /// How many failed.
    pub(super) fn failed(&self) -> usize {
        self.failed
    }
}
