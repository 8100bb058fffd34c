//! What came of one line in one round.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::catalogue::Line;
use super::report::number;
use crate::suite::report::visible;

/// What came of one line in one round.
#[derive(Debug, Clone)]
pub struct Row {
    /// Which line.
    pub(super) line: Line,
    /// The size of the mailbox, where the line is measured at several.
    pub(super) messages: Option<usize>,
    /// What came of it.
    pub(super) outcome: Outcome,
}

impl Row {
    /// Whether an answer was wrong, or none came.
    pub fn is_error(&self) -> bool {
        matches!(self.outcome, Outcome::Error(_))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.line.name)?;
        if let Some(messages) = self.messages {
            write!(f, " at {messages}")?;
        }
        match &self.outcome {
            Outcome::Measured(measured) => {
                let (value, note) = (number(measured.value), visible(&measured.note));
                write!(f, ": {value} {} {note}", self.line.unit.name())
            }
            Outcome::Skipped(why) => write!(f, ": not measured: {}", visible(why)),
            Outcome::Error(what) => write!(f, ": ERROR {}", visible(what)),
        }
    }
}

/// What came of it.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    /// A figure.
    Measured(Measured),
    /// It could not be measured: why.
    Skipped(String),
    /// An answer was wrong, or none came: what.
    Error(String),
}

/// A figure, and what was seen meanwhile. Times of processors are there where `/proc` tells them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The figure, in the row's unit.
    pub value: f64,
    /// How many operations were timed.
    pub count: u64,
    /// How long all of it took, in seconds.
    pub seconds: f64,
    /// The median of the times of the operations, in microseconds.
    pub p50_us: f64,
    /// Below or at this were 99 percent of them.
    pub p99_us: f64,
    /// The longest.
    pub max_us: f64,
    /// The server's processor time for each of what the figure counts (messages, commands …), in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_cpu_us: Option<f64>,
    /// The share of one processor that the load generator took.
    pub generator_cpu: f64,
    /// The share of all processors that was taken by neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others_cpu: Option<f64>,
    /// The server's memory behind it, in kB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_kb: Option<f64>,
    /// The most memory that it took meanwhile, in kB, where that was watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_kb: Option<f64>,
    /// What else is to be said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}
