//! The model checker: several clients do random things to the same mailboxes, each keeps its own picture from what it is
//! told alone, and at quiet points every picture must be what is there.
//!
//! A run is given by its seed, from which its script is drawn: 2 to 8 clients and their steps. [`stress`] runs one seed after
//! another against a [`Target`]. What breaks a [`Rule`] is a [`Failure`]: it is made short by leaving out clients and steps,
//! and shows its seed, the rule with the section that has it, and the conversation.
//!
//! How the files relate: `run` takes the steps of a `script`, each by a `player`, who makes up a `command` and `hear`s the
//! answers into his `picture`; the `ledger` is what all of them together know. At a `quiet` point a `witness` sees what is
//! there. A `site` is where that happens, `remote` a server elsewhere; `shrink` makes a failure short. [`Fault`] and [`Flaw`]
//! are servers that are wrong: proof that the checker bites.
//!
//! What is expected of this project's servers goes beyond the RFCs; of others it is what RFC 3501, 2177, 3691, 4315, 6851 and
//! 7888 demand. After DELETE (elsewhere RENAME, too) of a selected mailbox it is whatever RFC 2180 3 allows: that its clients
//! go on, are refused, or are cut off with BYE, at any time until they leave it; this project's servers must cut them off when
//! they ask for news. Of a mailbox that was deleted nothing more is compared.
//!
//! While one client sends CREATE, DELETE or RENAME, no other has a command under way that names a mailbox, so that all know
//! which mailbox a name means; whatever they do in the mailboxes that they have selected goes on.

mod command;
mod fault;
mod flaw;
mod flawed_store;
mod hear;
mod ledger;
mod picture;
mod player;
mod quiet;
mod remote;
mod rule;
mod run;
mod scene;
mod script;
mod shrink;
mod site;
mod target;
mod wire;
mod witness;

use std::fmt;
use std::time::{Duration, Instant};

pub use fault::Fault;
pub use flaw::Flaw;
pub use remote::{Remote, Security};
pub use rule::Rule;
use script::Script;
pub use script::Size;
use shrink::{Shown, shrink};
pub use target::Target;

/// How long to go on, and from where.
#[derive(Debug, Clone, Copy)]
pub struct Stress {
    /// The first seed; the next ones follow it.
    pub seed: u64,
    /// No seed is begun after this time; `None`: as long as there are seeds.
    pub time: Option<Duration>,
    /// So many seeds are tried even when the time is over: a loaded machine takes longer, and shows no less.
    pub at_least: u64,
    /// How many seeds at most.
    pub seeds: Option<u64>,
    /// How large each run is.
    pub size: Size,
    /// How long a failure may take to be made short.
    pub shrink: Duration,
}

impl Default for Stress {
    fn default() -> Self {
        Self {
            seed: 0,
            time: None,
            at_least: 0,
            seeds: Some(1),
            size: Size::default(),
            shrink: Duration::from_secs(30),
        }
    }
}

/// What was done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Runs without a failure, a seed each.
    pub runs: u64,
    /// Their steps.
    pub steps: u64,
    /// Lines said and heard.
    pub lines: u64,
    /// How long it took.
    pub elapsed: Duration,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            runs,
            steps,
            lines,
            elapsed,
        } = self;
        let seconds = elapsed.as_secs_f64();
        write!(f, "{runs} seeds, {steps} steps, {lines} lines in {seconds:.1} s")
    }
}

/// A rule was broken.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The seed that shows it.
    pub seed: u64,
    /// The rule.
    pub rule: Rule,
    /// How it was broken.
    pub why: String,
    /// The shortest conversation found: the client's number, `>` or `<`, and the line.
    pub conversation: Vec<String>,
    /// Lines of the conversation in which it was found.
    pub found_in: usize,
    /// The command that repeats it.
    pub repeat: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {} ({})", self.seed, self.rule.says(), self.rule.section())?;
        writeln!(f, "{}", self.why)?;
        let lines = self.conversation.len();
        if lines > 0 {
            writeln!(f, "{lines} of {} lines still show it:", self.found_in)?;
        }
        let start = lines.saturating_sub(SHOWN);
        for line in &self.conversation[start..] {
            writeln!(f, "  {line}")?;
        }
        write!(f, "repeat: {}", self.repeat)
    }
}

impl std::error::Error for Failure {}

/// Runs one seed after another until a rule is broken, the time is over, or there are no more. `on_progress` hears of each
/// run that ended well.
///
/// It makes runtimes of its own and blocks: within one, call it through `spawn_blocking`.
///
/// # Errors
/// A rule was broken; or the server cannot be reached.
pub fn stress(target: &Target, stress: Stress, mut on_progress: impl FnMut(&Summary)) -> Result<Summary, Box<Failure>> {
    let start = Instant::now();
    let mut summary = Summary::default();
    for seed in stress.seed..=u64::MAX {
        let over = stress.time.is_some_and(|time| start.elapsed() >= time);
        if (over && summary.runs >= stress.at_least) || stress.seeds.is_some_and(|seeds| summary.runs >= seeds) {
            break;
        }
        let script = Script::new(seed, stress.size);
        let outcome = target.attempt(&script);
        if let Err(broken) = outcome.result {
            let found_in = outcome.log.len();
            let mut shown = Shown {
                script,
                log: outcome.log,
                broken,
            };
            if outcome.steps > 0 && shown.broken.rule != Rule::Unreachable {
                shown.script.steps.truncate(outcome.steps);
                shown = shrink(target, shown, stress.shrink);
            }
            return Err(Box::new(Failure {
                seed,
                rule: shown.broken.rule,
                why: shown.broken.why,
                conversation: shown.log,
                found_in,
                repeat: target.repeat(seed),
            }));
        }
        summary.runs += 1;
        summary.steps += outcome.steps as u64;
        summary.lines += outcome.log.len() as u64;
        summary.elapsed = start.elapsed();
        on_progress(&summary);
    }
    Ok(summary)
}

/// Lines of the conversation that a failure shows.
const SHOWN: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_seeds_are_tried_though_the_time_is_over() {
        let runs = |at_least| {
            let plan = Stress {
                time: Some(Duration::ZERO),
                at_least,
                seeds: Some(3),
                ..Stress::default()
            };
            stress(&Target::memory(), plan, |_| {}).map(|done| done.runs).unwrap()
        };
        assert_eq!([runs(0), runs(2), runs(9)], [0, 2, 3]);
    }
}
