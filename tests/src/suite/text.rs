//! A failure as text, for the output of a test.

use std::fmt::Write as _;

use super::outcome::{By, Failure};

/// The conversation with the deviating line marked, what is wrong, and where the scenario says otherwise.
pub fn failure(claim: &str, file: &str, failure: &Failure) -> String {
    let mut out = format!("{claim}\n");
    for (index, said) in failure.conversation.iter().enumerate() {
        let mark = if failure.deviates == Some(index) { ">>>" } else { "   " };
        let by = match said.by {
            By::Client => "C",
            By::Server => "S",
            By::Suite => "-",
        };
        let _ = writeln!(out, "{mark} {}{by}: {}", said.client, said.text);
    }
    let _ = writeln!(out, "{}", failure.what);
    for expected in &failure.expected {
        let _ = writeln!(out, "    expected: {expected}");
    }
    let _ = write!(out, "{file}:{}", failure.line);
    out
}
