//! What is seen while it is measured: a bar that says what goes on, and what went wrong.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::super::super::bench::{Row, Watcher};

/// The bar.
pub(super) struct Progress {
    bar: ProgressBar,
    verbose: bool,
    terminal: bool,
}

impl Progress {
    /// For so many rows. Nothing is drawn where standard error is no terminal.
    pub(super) fn new(rows: usize, verbose: bool) -> Self {
        let terminal = stderr().is_terminal();
        let target = if terminal {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(rows as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {elapsed}  {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, verbose, terminal }
    }

    /// A line that stays.
    pub(super) fn line(&self, line: &str) {
        if self.terminal {
            self.bar.println(line);
        } else {
            eprintln!("{line}");
        }
    }

    /// The bar goes.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watcher for Progress {
    fn begins(&self, label: &str, round: usize) {
        if self.verbose {
            self.line(&format!("{label}, round {round}"));
        }
    }

    fn says(&self, label: &str, what: &str) {
        self.bar.set_message(format!("{label}: {what}"));
    }

    fn ended(&self, label: &str, title: &str, row: &Row) {
        if self.verbose || row.is_error() {
            self.line(&format!("{label}: {row}"));
        }
        self.bar.set_message(format!("{label}: {title}"));
        self.bar.inc(1);
    }

    fn warns(&self, label: &str, what: &str) {
        self.line(&format!("{label}: {what}"));
    }
}
