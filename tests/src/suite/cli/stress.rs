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
        what: format!("{:?}: {}", failure.rule, failure.why),
        expected: Vec::new(),
        line: 0,
        deviates: conversation.len().checked_sub(1),
        conversation,
        repeat: failure.repeat,
    }
}

/// `2> text`, `2< text`: which client, and who said it.
fn said(line: &str) -> Said {
    let at = line.find(['>', '<']);
    let (client, rest) = line.split_at(at.unwrap_or(0));
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
