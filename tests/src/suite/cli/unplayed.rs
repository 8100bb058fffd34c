//! Why nothing was played, and what helps.

use std::collections::BTreeMap;

use super::super::outcome::{Run, Verdict};
use super::super::report::visible;

/// How many reasons are named.
const NAMED: usize = 3;

/// What is said when every scenario of a run was skipped; none when one was played.
pub(super) fn why(run: &Run) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for outcome in &run.outcomes {
        let Verdict::Skipped { reason } = &outcome.verdict else {
            return None;
        };
        *counts.entry(reason).or_default() += 1;
    }
    let mut reasons: Vec<(&str, usize)> = counts.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let all = match run.outcomes.len() {
        1 => "the scenario was skipped".to_owned(),
        all => format!("all {all} scenarios were skipped"),
    };
    let mut why = format!("{}: nothing was played, {all}:", run.target);
    let width = reasons.first().map_or(0, |(_, count)| count.to_string().len());
    for (reason, count) in reasons.iter().take(NAMED) {
        why.push_str(&format!("\n  {count:width$}  {}", visible(reason)));
    }
    match reasons.len().saturating_sub(NAMED) {
        0 => {}
        1 => why.push_str("\n  and one more reason, which the report names"),
        more => why.push_str(&format!("\n  and {more} more reasons, which the report names")),
    }
    if let Some(help) = reasons.iter().find_map(|(reason, _)| help(reason)) {
        why.push_str(&format!("\n{help}"));
    }
    Some(why)
}

/// What to do about a reason.
fn help(reason: &str) -> Option<&'static str> {
    let begins = |front: &str| reason.starts_with(front);
    match () {
        () if begins("the mailboxes cannot be made") => Some(
            "Each scenario is played in mailboxes of its own, which are made by CREATE and APPEND: use an account that may \
             do both.\nA backend that can only be read is tested within `cargo test`: imap_compliance::suite! with \
             `.filled_by(…).read_only()`.",
        ),
        () if begins("INBOX must not be changed") => {
            Some("With --inbox it may be: for an account made for tests, whose INBOX is empty.")
        }
        () if begins("no second account") => Some("Name a second account with --user2 and --password2."),
        () if begins("no TLS") => Some("Connect with --starttls, or with --tls and the port for it (993)."),
        () if begins("no capability") => Some(
            "What a server does not advertise is not tried on it: choose other scenarios (`imap-compliance list` names them).",
        ),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::outcome::Outcome;
    use super::*;

    /// A run with these outcomes.
    fn run(verdicts: Vec<Verdict>) -> Run {
        let outcome = |verdict| Outcome {
            name: String::new(),
            claim: String::new(),
            rfc: 3501,
            section: String::new(),
            group: String::new(),
            covers: Vec::new(),
            millis: 0,
            verdict,
        };
        Run {
            version: 1,
            suite: String::new(),
            target: "mail.example.org:143".to_owned(),
            server: String::new(),
            capabilities: Vec::new(),
            started: String::new(),
            millis: 0,
            seed: 0,
            unplayed: 0,
            scenarios: None,
            outcomes: verdicts.into_iter().map(outcome).collect(),
        }
    }

    fn skipped(reason: &str) -> Verdict {
        Verdict::Skipped {
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn the_most_frequent_reasons_come_first_with_what_helps() {
        let reasons = [
            "no capability A",
            "no TLS",
            "no login without TLS",
            "no login without TLS",
            "no second account",
            "no TLS",
            "no capability B",
            "no login without TLS",
        ];
        let expected = "mail.example.org:143: nothing was played, all 8 scenarios were skipped:\n  \
                        3  no login without TLS\n  2  no TLS\n  1  no capability A\n  \
                        and 2 more reasons, which the report names\n\
                        Connect with --starttls, or with --tls and the port for it (993).";
        assert_eq!(why(&run(reasons.map(skipped).into())).as_deref(), Some(expected));
    }

    #[test]
    fn a_run_in_which_one_scenario_was_played_has_nothing_to_explain() {
        assert_eq!(why(&run(vec![skipped("no TLS"), Verdict::Passed])), None);
    }

    #[test]
    fn a_server_cannot_speak_to_the_terminal_by_a_refusal() {
        let run = run(vec![skipped("no capability \u{1b}[2J")]);
        let first = why(&run).and_then(|why| why.lines().nth(1).map(str::to_owned));
        let expected = "  1  no capability \\x1b[2J";
        assert_eq!(first.as_deref(), Some(expected));
    }
}
