//! What came of a run of the suite: the data that every report is made from, and that `--format json` writes.

use serde::{Deserialize, Serialize};

/// A whole run against one server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Format of this record; grows when a field changes its meaning.
    pub version: u32,
    /// The version of the suite.
    pub suite: String,
    /// `host:port`, or the name of a backend.
    pub target: String,
    /// The greeting's text, ID's answer, or whatever tells which server this is.
    pub server: String,
    /// Capabilities after login.
    pub capabilities: Vec<String>,
    /// When it began, RFC 3339.
    pub started: String,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// The seed of all that is random.
    pub seed: u64,
    /// How many scenarios were chosen and not played, because the run was interrupted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unplayed: usize,
    /// The folder that the scenarios are from; none where they are the built-in ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenarios: Option<String>,
    /// One for each scenario or check, in the order of their names.
    pub outcomes: Vec<Outcome>,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// What came of one scenario or check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The file's path below `scenarios` without its ending, such as `rfc3501/6.4.6-store/flags-are-replaced`.
    pub name: String,
    /// The claim, a sentence.
    pub claim: String,
    /// The RFC's number.
    pub rfc: u32,
    /// The section, such as `6.4.6`.
    pub section: String,
    /// `scenario`, `pipelining`, `concurrency`, `hostile` or `stress`.
    pub group: String,
    /// Requirement ids that it shows.
    pub covers: Vec<String>,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// Passed, failed or skipped.
    pub verdict: Verdict,
}

/// Passed, failed or skipped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
pub enum Verdict {
    /// All was as listed.
    Passed,
    /// Something was not.
    Failed {
        /// The deviation.
        failure: Failure,
    },
    /// The server does not have what it needs.
    Skipped {
        /// What is missing, such as `no capability MOVE`.
        reason: String,
    },
}

/// A deviation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What is wrong, in one sentence.
    pub what: String,
    /// What was expected instead, as the scenario lists it; empty where nothing was.
    pub expected: Vec<String>,
    /// The line of the scenario's file.
    pub line: u32,
    /// All that was said and heard, in order.
    pub conversation: Vec<Said>,
    /// Which of them is the deviating one; none when something did not come.
    pub deviates: Option<usize>,
    /// The command that repeats just this.
    pub repeat: String,
}

/// One line (with its literals) of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// `A`, `B` …
    pub client: String,
    /// Who said it.
    pub by: By,
    /// Octets as text: escapes for what cannot be shown, long literals shortened.
    pub text: String,
}

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// The client.
    Client,
    /// The server.
    Server,
    /// The suite itself: a remark, such as that the connection was closed.
    Suite,
}
