//! A run by RFC: how many scenarios passed, and how much of what binds was kept.

use std::collections::BTreeMap;

use super::super::outcome::{Run, Verdict};
use crate::catalogue::{Force, requirement_of};

/// How many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All was as listed.
    pub passed: usize,
    /// Something was not.
    pub failed: usize,
    /// The server does not have what was needed.
    pub skipped: usize,
}

impl Counts {
    /// Of a whole run.
    pub fn of(run: &Run) -> Self {
        let mut counts = Self::default();
        for outcome in &run.outcomes {
            counts.add(&outcome.verdict);
        }
        counts
    }

    pub(super) fn add(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed { .. } => self.failed += 1,
            Verdict::Skipped { .. } => self.skipped += 1,
        }
    }

    /// Of all three.
    pub fn all(&self) -> usize {
        self.passed + self.failed + self.skipped
    }
}

/// Of the requirements that were tried, how many were kept in every scenario that shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// No scenario that shows it failed.
    pub kept: usize,
    /// At least one scenario that shows it was not skipped.
    pub tried: usize,
}

impl Kept {
    fn add(&mut self, kept: bool) {
        self.tried += 1;
        self.kept += usize::from(kept);
    }

    /// Such as `98%`, rounded down so that `100%` means all; `–` when none was tried.
    pub fn percent(&self) -> String {
        match (self.kept * 100).checked_div(self.tried) {
            Some(percent) => format!("{percent}%"),
            None => "–".to_owned(),
        }
    }
}

/// One RFC of a run, or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Row {
    /// Scenarios.
    pub counts: Counts,
    /// MUST, MUST NOT and MUST-P.
    pub must: Kept,
    /// SHOULD and SHOULD NOT.
    pub should: Kept,
}

/// A run by RFC.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// By the RFC's number.
    pub rfcs: BTreeMap<u32, Row>,
    /// All of them.
    pub all: Row,
}

impl Summary {
    /// Counts a run. A scenario counts for the RFC that it is from, a requirement for its own. MAY is in no percentage.
    pub fn of(run: &Run) -> Self {
        let mut summary = Self::default();
        let mut kept: BTreeMap<&str, bool> = BTreeMap::new();
        for outcome in &run.outcomes {
            for row in [&mut summary.all, summary.rfcs.entry(outcome.rfc).or_default()] {
                row.counts.add(&outcome.verdict);
            }
            if !matches!(outcome.verdict, Verdict::Skipped { .. }) {
                for id in &outcome.covers {
                    *kept.entry(id).or_insert(true) &= outcome.verdict == Verdict::Passed;
                }
            }
        }
        for (id, kept) in kept {
            let Some(requirement) = requirement_of(id) else {
                continue;
            };
            for row in [&mut summary.all, summary.rfcs.entry(requirement.rfc()).or_default()] {
                match requirement.force() {
                    Force::Must => row.must.add(kept),
                    Force::Should => row.should.add(kept),
                    Force::May => {}
                }
            }
        }
        summary
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn scenarios_count_for_their_rfc_and_requirements_for_their_own() {
        let summary = Summary::of(&sample::run());
        let row = |passed, failed, skipped, must: (usize, usize), should: (usize, usize)| Row {
            counts: Counts {
                passed,
                failed,
                skipped,
            },
            must: Kept {
                kept: must.0,
                tried: must.1,
            },
            should: Kept {
                kept: should.0,
                tried: should.1,
            },
        };
        let rfcs = BTreeMap::from([
            (3501, row(1, 2, 0, (1, 4), (1, 1))),
            (6851, row(0, 0, 2, (0, 0), (0, 0))),
            (7162, row(1, 0, 1, (1, 1), (1, 1))),
        ]);
        assert_eq!(summary.rfcs, rfcs);
        assert_eq!(summary.all, row(2, 2, 3, (2, 5), (2, 2)));
    }

    #[test]
    fn a_percentage_is_100_only_when_all_was_kept() {
        let percent = |kept, tried| Kept { kept, tried }.percent();
        assert_eq!([percent(0, 0), percent(999, 1000), percent(7, 7)], ["–", "99%", "100%"]);
    }
}
