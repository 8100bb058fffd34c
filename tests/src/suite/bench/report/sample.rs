//! Records for the tests of the reports and pictures.

use super::super::record::{Better, Comparison, Finding, Record, Server, VERSION};
use super::super::row::Measured;
use super::super::sizes::Scale;

fn measured(values: &[f64], note: &str) -> Finding {
    let round = |value: &f64| Measured {
        value: *value,
        count: 100,
        seconds: 1.5,
        p50_us: 250.0,
        p99_us: 1500.0,
        max_us: 9000.0,
        server_cpu_us: Some(12.0),
        generator_cpu: 0.25,
        others_cpu: Some(0.5),
        memory_kb: Some(20_480.0),
        peak_kb: None,
        note: note.to_owned(),
    };
    let (first, last) = (values[0], values[values.len() - 1]);
    let value = (first + last) / 2.0;
    Finding::Measured {
        value,
        spread: 100.0 * (last - first) / value,
        rounds: values.iter().map(round).collect(),
    }
}

fn row(name: &str, title: &str, unit: &str, results: [Finding; 2], ratio: Option<f64>) -> Comparison {
    let less = matches!(unit, "ms" | "kB/conn");
    Comparison {
        name: name.to_owned(),
        group: name.split('-').next().unwrap().to_owned(),
        title: title.to_owned(),
        unit: unit.to_owned(),
        better: if less { Better::Lower } else { Better::Higher },
        messages: None,
        results: results.into(),
        ratio,
    }
}

fn server(label: &str, address: &str) -> Server {
    Server {
        label: label.to_owned(),
        address: address.to_owned(),
        server: format!("{label}d \u{1b}[1m"),
    }
}

/// Two servers: better, worse, an error of the second, and what was not measured. The second's words are hostile.
pub(in super::super) fn two() -> Record {
    let skipped = || Finding::Skipped {
        reason: "no --pid".to_owned(),
    };
    let wrong = Finding::Error {
        what: "99 hits, not <b>100</b> \u{1b}]0;x\u{7}".to_owned(),
    };
    Record {
        version: VERSION,
        suite: "0.1.0".to_owned(),
        started: "2026-11-22T02:44:25Z".to_owned(),
        millis: 61_900,
        interrupted: false,
        scale: Scale::Quick,
        rounds: 2,
        load_before: Some("0.10 0.20 0.30".to_owned()),
        load_after: Some("1.10 0.60 0.40".to_owned()),
        servers: vec![server("ours", "a:143"), server("the|irs", "b:143")],
        rows: vec![
            row(
                "noop-1",
                "NOOP, 1 connection",
                "cmds/s",
                [measured(&[39_000.0, 41_000.0], ""), measured(&[10_000.0, 10_000.0], "")],
                Some(4.0),
            ),
            row(
                "noop-50",
                "… 50 connections",
                "cmds/s",
                [measured(&[90.0, 110.0], "cold"), measured(&[400.0, 400.0], "warm")],
                Some(0.25),
            ),
            row("search-all", "SEARCH", "ms", [measured(&[0.5, 0.5], ""), wrong], None),
            row("idle-tls", "idle", "kB/conn", [skipped(), skipped()], None),
        ],
        geometric_mean: Some(1.0),
    }
}

/// The first of them alone, in one round.
pub(in super::super) fn one() -> Record {
    let mut record = two();
    record.servers.truncate(1);
    record.rounds = 1;
    record.geometric_mean = None;
    for row in &mut record.rows {
        row.ratio = None;
        row.results.truncate(1);
        if let Some(Finding::Measured { rounds, .. }) = row.results.first_mut() {
            rounds.truncate(1);
        }
    }
    record
}

/// One line at three sizes, of both; the second has no figure for the last.
pub(in super::super) fn growth() -> Record {
    let mut record = two();
    let at = |messages: usize, first: f64, second: Finding| Comparison {
        messages: Some(messages),
        ..row("growth-select", "SELECT", "ms", [measured(&[first], ""), second], None)
    };
    record.rows = vec![
        at(1000, 0.1, measured(&[0.2], "")),
        at(10_000, 0.1, measured(&[2.0], "")),
        at(
            100_000,
            0.125,
            Finding::Error {
                what: "it is gone".to_owned(),
            },
        ),
    ];
    record.geometric_mean = None;
    record.interrupted = true;
    record
}
