//! Runs for the tests of the reports, and the files that hold what the reports must be.

use std::path::Path;

use super::super::outcome::{By, Failure, Outcome, Run, Said, Verdict};

/// One of everything: passed, failed with and without a deviating line, skipped for two reasons.
pub(super) fn run() -> Run {
    Run {
        version: 1,
        suite: "0.1.0".into(),
        target: "mail.example.org:143".into(),
        server: "Example IMAP 2.3 ready.".into(),
        capabilities: vec!["IMAP4rev1".into(), "IDLE".into()],
        started: "2026-11-22T02:44:25Z".into(),
        millis: 1_934,
        seed: 7,
        unplayed: 0,
        scenarios: None,
        outcomes: vec![
            passed(
                "rfc3501/6.4.5-fetch/body-sets-seen",
                "FETCH BODY[] sets \\Seen.",
                (3501, "6.4.5"),
                &["R3501-250", "R3501-251", "R3501-255"],
            ),
            failed(
                "rfc3501/6.4.6-store/flags-are-replaced",
                "STORE replaces, adds and removes flags.",
                (3501, "6.4.6"),
                &["R3501-259", "R3501-260"],
                Failure {
                    what: "FLAGS lacks `\\Seen`".into(),
                    expected: vec!["* 1 FETCH (FLAGS (\\Seen \\Draft))".into()],
                    line: 14,
                    conversation: vec![
                        said("A", By::Client, "a SELECT \"t7/box\""),
                        said("A", By::Server, "a OK [READ-WRITE] Selected."),
                        said("B", By::Suite, "connected"),
                        said("A", By::Client, "b STORE 1 +FLAGS (\\Draft)"),
                        said("A", By::Server, "* 1 FETCH (FLAGS (\\Draft))"),
                        said("A", By::Server, "b OK Done."),
                    ],
                    deviates: Some(4),
                    repeat: "imap-compliance mail.example.org:143 --user joe --seed 7 \
                             --filter rfc3501/6.4.6-store/flags-are-replaced"
                        .into(),
                },
            ),
            failed(
                "rfc3501/7.4.1-expunge/others-are-told",
                "Another session is told of an EXPUNGE.",
                (3501, "7.4.1"),
                &["R3501-304", "R3501-new"],
                Failure {
                    what: "`* 2 EXPUNGE` did not come".into(),
                    expected: vec!["* 2 EXPUNGE".into(), "c OK <text>".into()],
                    line: 21,
                    conversation: vec![
                        said("B", By::Client, "c NOOP"),
                        said("B", By::Server, "c OK {12}\r\nof two lines."),
                    ],
                    deviates: None,
                    repeat: "imap-compliance mail.example.org:143 --filter rfc3501/7.4.1-expunge/others-are-told"
                        .into(),
                },
            ),
            skipped(
                "rfc6851/3.1-move/moves-all",
                "MOVE moves all.",
                (6851, "3.1"),
                &["R6851-001"],
                "no capability MOVE",
            ),
            skipped(
                "rfc6851/3.2-uid-move/moves-by-uid",
                "UID MOVE takes UIDs.",
                (6851, "3.2"),
                &["R6851-002"],
                "no capability MOVE",
            ),
            skipped(
                "rfc7162/3.1-modseq/private-flags",
                "Flags of another account change nothing.",
                (7162, "3.1"),
                &["R7162-002"],
                "no second account",
            ),
            passed(
                "rfc7162/3.1-modseq/store-without-change",
                "A STORE that changes nothing leaves the mod-sequence alone.",
                (7162, "3.1"),
                &["R7162-001", "R7162-004", "R3501-260"],
            ),
        ],
    }
}

/// One failure alone.
pub(super) fn small() -> Run {
    let mut run = run();
    run.outcomes.truncate(2);
    run
}

/// So many failures that deviate in the same way, and what is wrong with each.
pub(super) fn failing(count: usize) -> (Run, String) {
    let mut run = run();
    let one = run.outcomes[1].clone();
    let Verdict::Failed { failure } = &one.verdict else {
        return (run, String::new());
    };
    let what = failure.what.clone();
    let named = |n| Outcome {
        name: format!("s{n}"),
        ..one.clone()
    };
    run.outcomes = (0..count).map(named).collect();
    (run, what)
}

/// A server that wants to write into the report.
pub(super) fn hostile() -> Run {
    let evil = "</code></pre><script>alert(1)</script><img src=x onerror=alert(2)>\"'`&amp;]]>--><!--\
                \x1b[2J\0\u{7}\u{9b}\u{fffe}\u{202e}gnp.exe\r\n<td></table>{{7*7}}<style>*{display:none}</style>";
    let mut run = run();
    run.target = evil.into();
    run.server = evil.into();
    run.capabilities = vec![evil.into()];
    run.started = evil.into();
    for outcome in &mut run.outcomes {
        outcome.claim = evil.into();
        outcome.group = evil.into();
        outcome.section = evil.into();
        outcome.covers.push(evil.into());
        match &mut outcome.verdict {
            Verdict::Passed => {}
            Verdict::Skipped { reason } => *reason = evil.into(),
            Verdict::Failed { failure } => {
                failure.what = evil.into();
                failure.repeat = evil.into();
                failure.expected = vec![evil.into()];
                for said in &mut failure.conversation {
                    said.text = evil.into();
                    said.client = evil.into();
                }
            }
        }
        outcome.name = evil.into();
    }
    run
}

/// A run whose one failure deviates in line `deviates` of a conversation of `lines` lines.
pub(super) fn long(lines: usize, deviates: Option<usize>) -> Run {
    let mut run = small();
    run.outcomes.remove(0);
    if let Verdict::Failed { failure } = &mut run.outcomes[0].verdict {
        failure.conversation = (0..lines)
            .map(|n| said("A", By::Server, &format!("* OK {n}")))
            .collect();
        failure.deviates = deviates;
    }
    run
}

/// Compares a report with the file that holds what it must be. With `UPDATE_GOLDEN=1` in the environment the file is written
/// instead: look at what changed before it is committed.
pub(super) fn golden(name: &str, is: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/suite/report/golden")
        .join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, is).unwrap();
    }
    let must = std::fs::read_to_string(&path).unwrap();
    let differs = must.lines().zip(is.lines()).position(|(must, is)| must != is);
    let line = differs.unwrap_or_else(|| must.lines().count().min(is.lines().count()));
    assert!(
        must == is,
        "{name}, line {}:\nmust be {:?}\nis      {:?}",
        line + 1,
        must.lines().nth(line),
        is.lines().nth(line),
    );
}

pub(super) fn passed(name: &str, claim: &str, (rfc, section): (u32, &str), covers: &[&str]) -> Outcome {
    Outcome {
        name: name.into(),
        claim: claim.into(),
        rfc,
        section: section.into(),
        group: "scenario".into(),
        covers: covers.iter().map(|id| (*id).into()).collect(),
        millis: 12,
        verdict: Verdict::Passed,
    }
}

fn failed(name: &str, claim: &str, source: (u32, &str), covers: &[&str], failure: Failure) -> Outcome {
    let verdict = Verdict::Failed { failure };
    Outcome {
        verdict,
        ..passed(name, claim, source, covers)
    }
}

fn skipped(name: &str, claim: &str, source: (u32, &str), covers: &[&str], reason: &str) -> Outcome {
    let verdict = Verdict::Skipped { reason: reason.into() };
    Outcome {
        verdict,
        millis: 0,
        ..passed(name, claim, source, covers)
    }
}

fn said(client: &str, by: By, text: &str) -> Said {
    Said {
        client: client.into(),
        by,
        text: text.into(),
    }
}
