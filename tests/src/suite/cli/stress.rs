//! The model checker as a part of a run: random commands of several clients for some time.

use std::time::{Duration, Instant};

use super::super::network::Network;
use super::super::outcome::{By, Failure, Outcome, Said, Verdict};
use super::super::target::Security;
use super::progress::Progress;
use crate::model;

/// Goes on for so long, or until a rule is broken. It blocks.
pub(super) fn run(target: &Network, seconds: u64, seed: u64, repeat: &str, progress: &Progress) -> Outcome {
    let began = Instant::now();
    let remote = model::Remote {
        address: target.address.clone(),
        security: match target.security {
            Security::Plain => model::Security::Plain,
            Security::Tls => model::Security::Tls,
            Security::StartTls => model::Security::StartTls,
        },
        user: target.first.user.clone(),
        password: target.first.password.clone(),
        without: Vec::new(),
    };
    let remote = model::Target::remote(remote).with_repeat(repeat);
    let stress = model::Stress {
        seed,
        time: Some(Duration::from_secs(seconds)),
        seeds: None,
        ..model::Stress::default()
    };
    let result = model::stress(&remote, stress, |summary| progress.says(&format!("stress: {summary}")));
    let (section, verdict) = match result {
        Ok(_) => ("2.3.1.2".to_owned(), Verdict::Passed),
        Err(failure) => {
            let (rfc, section) = section(failure.rule.section());
            let verdict = Verdict::Failed {
                failure: failed(*failure),
            };
            return outcome(rfc, section, began, verdict);
        }
    };
    outcome(3501, section, began, verdict)
}

fn outcome(rfc: u32, section: String, began: Instant, verdict: Verdict) -> Outcome {
    Outcome {
        name: "stress/several-clients-at-random".to_owned(),
        claim: "What several clients are told agrees with what is there, whatever they do at once.".to_owned(),
        rfc,
        section,
        group: "stress".to_owned(),
        covers: Vec::new(),
        millis: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        verdict,
    }
}

fn failed(failure: model::Failure) -> Failure {
    let conversation: Vec<Said> = failure.conversation.iter().map(|line| said(line)).collect();
    Failure {
        what: sentence(&failure.why),
        expected: vec![format!(
            "{} ({})",
            sentence(failure.rule.says()),
            failure.rule.section()
        )],
        line: 0,
        deviates: conversation.len().checked_sub(1),
        conversation,
        repeat: failure.repeat,
    }
}

/// Begins large and ends with a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

/// `2> text`, `2< text`: which client, and who said it.
fn said(line: &str) -> Said {
    let at = line.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
    let (client, rest) = line.split_at(at);
    let (by, text) = match (rest.strip_prefix('>'), rest.strip_prefix('<')) {
        (Some(text), _) => (By::Client, text),
        (_, Some(text)) => (By::Server, text),
        _ => (By::Suite, rest),
    };
    Said {
        client: client.trim().to_owned(),
        by,
        text: text.trim_start().to_owned(),
    }
}

/// `RFC 3501 7.4.1` or the like.
fn section(text: &str) -> (u32, String) {
    let mut words = text.split(' ').filter(|word| *word != "RFC");
    let rfc = words
        .next()
        .and_then(|word| word.trim_start_matches("RFC").parse().ok());
    (
        rfc.unwrap_or(3501),
        words.next().unwrap_or_default().trim_end_matches([',', ';']).to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a server that tells each EXPUNGE twice.
    #[test]
    fn a_failure_is_told_in_the_words_of_imap() {
        let faulty = model::Target::with_fault(model::Fault::ExpungeTwice);
        let plan = model::Stress {
            seeds: Some(120),
            ..model::Stress::default()
        };
        let found = model::stress(&faulty, plan, |_| {}).expect_err("it is found");
        assert_eq!(found.rule, model::Rule::NumberInRange);
        let failure = failed(*found);
        assert_eq!(
            failure.expected,
            ["A message sequence number is between 1 and EXISTS. (RFC 3501 2.3.1.2 and 7.4)"]
        );
        let last = failure.conversation.last().map(|said| (said.by, said.text.clone()));
        let what = match &last {
            Some((By::Server, text)) => text.strip_prefix("* ").and_then(|t| t.strip_suffix(" EXPUNGE")),
            _ => None,
        };
        let n = what.expect("EXPUNGE is the last that was heard");
        let client = &failure.conversation.last().expect("a line").client;
        let exists = n.parse::<u32>().expect("a number") - 1;
        let told = match exists {
            0 => format!("sequence number {n} is told in a mailbox whose EXISTS is 0."),
            _ => format!("sequence number {n} is not between 1 and EXISTS, which is {exists}."),
        };
        assert_eq!(failure.what, format!("Client {client}: {told}"));
    }

    #[test]
    fn a_line_of_the_conversation_says_who_said_it() {
        let of = |line| {
            let Said { client, by, text } = said(line);
            (client, by, text)
        };
        assert_eq!(of("2> a NOOP"), ("2".into(), By::Client, "a NOOP".into()));
        assert_eq!(of("2< a OK <x>"), ("2".into(), By::Server, "a OK <x>".into()));
        assert_eq!(
            of("   EXAMINE by another client shows: x holds UID 1 ()"),
            (
                String::new(),
                By::Suite,
                "EXAMINE by another client shows: x holds UID 1 ()".into()
            )
        );
    }
}
