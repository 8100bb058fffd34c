//! A whole run: what was measured of one server or of two, round after round, put together row by row.
//!
//! It is what every report is made from and what `--format json` writes. Fields may be added without notice; when one changes
//! its meaning or goes, [`VERSION`] grows.

use serde::{Deserialize, Serialize};

use super::catalogue::{Group, Line};
use super::row::{Measured, Outcome, Row};
use super::sizes::{Scale, Sizes};
use super::statistics::{geometric_mean, median};

/// The version of the record.
pub const VERSION: u32 = 1;

/// A whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Format of this record.
    pub version: u32,
    /// The version of the program.
    pub suite: String,
    /// When it began, RFC 3339.
    pub started: String,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// Whether rows are missing because somebody ended it early.
    pub interrupted: bool,
    /// The sizes.
    pub scale: Scale,
    /// How often each server was measured.
    pub rounds: usize,
    /// The machine's load averages before, as Linux tells them.
    pub load_before: Option<String>,
    /// The same afterwards.
    pub load_after: Option<String>,
    /// One server, or two that are compared.
    pub servers: Vec<Server>,
    /// What was measured.
    pub rows: Vec<Comparison>,
    /// The geometric mean of the ratios, where two servers are compared.
    pub geometric_mean: Option<f64>,
}

/// A server that was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// What it is called.
    pub label: String,
    /// `host:port`.
    pub address: String,
    /// Which server it is, as far as it says.
    pub server: String,
}

/// One row: a line with a result for each server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What programs know it by.
    pub name: String,
    /// Its group.
    pub group: String,
    /// What people read.
    pub title: String,
    /// What the figure is counted in.
    pub unit: String,
    /// Whether the larger or the smaller figure is the better one.
    pub better: Better,
    /// The size of the mailbox, where it is measured at several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<usize>,
    /// In the order of [`Record::servers`].
    pub results: Vec<Finding>,
    /// By how much the first server is better than the second: 2 is twice as good, 0.5 half as good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
}

/// Which figure is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// The larger.
    Higher,
    /// The smaller.
    Lower,
}

/// What came of a row for one server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "lowercase")]
pub enum Finding {
    /// A figure of each round.
    Measured {
        /// The median of the rounds.
        value: f64,
        /// The difference between the largest and the smallest, in percent of the median.
        spread: f64,
        /// The rounds, in order.
        rounds: Vec<Measured>,
    },
    /// It could not be measured.
    Skipped {
        /// Why.
        reason: String,
    },
    /// An answer was wrong in a round, or none came.
    Error {
        /// What.
        what: String,
    },
}

impl Finding {
    fn of<'a>(rows: impl Iterator<Item = &'a Outcome>) -> Self {
        let (mut rounds, mut reason) = (Vec::new(), None);
        for outcome in rows {
            match outcome {
                Outcome::Measured(measured) => rounds.push(measured.clone()),
                Outcome::Skipped(why) => reason = Some(why.clone()),
                Outcome::Error(what) => return Self::Error { what: what.clone() },
            }
        }
        let values: Vec<f64> = rounds.iter().map(|round| round.value).collect();
        if values.is_empty() {
            let reason = reason.unwrap_or_else(|| "the run was interrupted".to_owned());
            return Self::Skipped { reason };
        }
        let value = median(&values);
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let spread = if value > 0.0 {
            100.0 * (most - least) / value
        } else {
            0.0
        };
        Self::Measured { value, spread, rounds }
    }

    /// The figure, if there is one.
    pub fn value(&self) -> Option<f64> {
        match self {
            Self::Measured { value, .. } => Some(*value),
            _ => None,
        }
    }

    /// The rounds that were measured.
    pub(super) fn rounds(&self) -> &[Measured] {
        match self {
            Self::Measured { rounds, .. } => rounds,
            _ => &[],
        }
    }

    /// The median over the rounds of what they tell.
    pub(super) fn median(&self, of: impl Fn(&Measured) -> Option<f64>) -> Option<f64> {
        let told: Vec<f64> = self.rounds().iter().filter_map(of).collect();
        (!told.is_empty()).then(|| median(&told))
    }
}

impl Comparison {
    fn of(
        group: &Group,
        line: &Line,
        messages: Option<usize>,
        sizes: &Sizes,
        rounds: &[Vec<Vec<Row>>],
    ) -> Option<Self> {
        let here = |row: &&Row| row.line.name == line.name && row.messages == messages;
        let of_server = |rounds: &Vec<Vec<Row>>| {
            let rows = rounds.iter().flatten().filter(here);
            Finding::of(rows.map(|row| &row.outcome))
        };
        let any = rounds.iter().flatten().flatten().any(|row| here(&row));
        let results: Vec<Finding> = rounds.iter().map(of_server).collect();
        let less = line.unit.less_is_better();
        let ratio = match results.as_slice() {
            [first, second] => first.value().zip(second.value()),
            _ => None,
        };
        // What is not above nothing has no ratio: memory that did not grow, say.
        let ratio = ratio.filter(|(first, second)| *first > 0.0 && *second > 0.0);
        any.then(|| Self {
            name: line.name.to_owned(),
            group: group.name.to_owned(),
            title: line.title(sizes),
            unit: line.unit.name().to_owned(),
            better: if less { Better::Lower } else { Better::Higher },
            messages,
            results,
            ratio: ratio.map(|(first, second)| if less { second / first } else { first / second }),
        })
    }
}

impl Record {
    /// Whether an answer was wrong.
    pub fn has_errors(&self) -> bool {
        let mut results = self.rows.iter().flat_map(|row| &row.results);
        results.any(|result| matches!(result, Finding::Error { .. }))
    }

    /// Whether rows are measured at several sizes.
    pub fn is_growth(&self) -> bool {
        self.rows.iter().any(|row| row.messages.is_some())
    }
}

/// The rows of groups from the rounds of each server, and the geometric mean of their ratios.
pub(super) fn rows(groups: &[&Group], sizes: &Sizes, rounds: &[Vec<Vec<Row>>]) -> (Vec<Comparison>, Option<f64>) {
    let mut rows = Vec::new();
    for group in groups {
        for line in group.lines {
            if group.by_size {
                let at = sizes.growth.iter().map(|size| Some(*size));
                rows.extend(at.filter_map(|size| Comparison::of(group, line, size, sizes, rounds)));
            } else {
                rows.extend(Comparison::of(group, line, None, sizes, rounds));
            }
        }
    }
    let ratios: Vec<f64> = rows.iter().filter_map(|row| row.ratio).collect();
    let mean = geometric_mean(&ratios);
    (rows, mean)
}
