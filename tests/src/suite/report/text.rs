//! A run for people at a terminal.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::super::outcome::{By, Failure, Outcome, Run, Said, Verdict};
use super::summary::{Counts, Row, Summary};
use super::{Align, MISSING, NAMED, Parts, aligned, causes, duration, place, visible};
use crate::catalogue::{requirement_of, topic};

pub(super) fn write(run: &Run, out: &mut dyn Write, colour: bool) -> io::Result<()> {
    let paint = Paint(colour);
    let summary = Summary::of(run);
    writeln!(
        out,
        "imap-compliance {}: {} ({})",
        visible(&run.suite),
        visible(&run.target),
        visible(&run.server)
    )?;
    let (started, took) = (visible(&run.started), duration(run.millis));
    writeln!(out, "began {started}, took {took}, seed {}\n", run.seed)?;
    by_rfc(&summary, out, paint)?;
    for outcome in &run.outcomes {
        if let Verdict::Failed { failure } = &outcome.verdict {
            writeln!(out)?;
            failed(run, outcome, failure, out, paint)?;
        }
    }
    by_cause(run, out, paint)?;
    skipped(run, out, paint)?;
    let Counts {
        passed,
        failed,
        skipped,
    } = summary.all.counts;
    if run.unplayed > 0 {
        writeln!(
            out,
            "\nThe run was interrupted: {} scenarios were not played.",
            run.unplayed
        )?;
    }
    writeln!(out, "\n{passed} passed, {failed} failed, {skipped} skipped")
}

fn by_rfc(summary: &Summary, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
    let head = ["RFC", "", "passed", "failed", "skipped", "MUST", "SHOULD"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let row = |name: String, about: &str, row: &Row| {
        let Counts {
            passed,
            failed,
            skipped,
        } = row.counts;
        let numbers = [passed, failed, skipped].map(|n| n.to_string());
        let percents = [row.must.percent(), row.should.percent()];
        let mut cells = vec![name, about.to_owned()];
        cells.extend(numbers.into_iter().chain(percents));
        cells
    };
    rows.extend(summary.rfcs.iter().map(|(rfc, r)| row(rfc.to_string(), topic(*rfc), r)));
    rows.push(row("all".to_owned(), "", &summary.all));
    let failures = summary.rfcs.values().map(|row| row.counts.failed);
    // The head, the rows, and their sum.
    let failures = std::iter::once(0).chain(failures).chain([0]);
    for (line, failures) in aligned(&rows, &[Align::Right, Align::Left]).iter().zip(failures) {
        let style = if failures > 0 { RED } else { PLAIN };
        writeln!(out, "{}", paint.with(style, line))?;
    }
    Ok(())
}

fn failed(run: &Run, outcome: &Outcome, failure: &Failure, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
    let name = visible(&outcome.name);
    writeln!(out, "{} {name}", paint.with(RED.bold(), "FAILED"))?;
    writeln!(out, "  {}\n", visible(&outcome.claim))?;

    let parts = Parts::of(failure);
    let clients = failure.conversation.iter().map(|said| said.client.chars().count());
    let width = clients.max().unwrap_or(0);
    let elided = |count: usize, which: &str, out: &mut dyn Write| match count {
        0 => Ok(()),
        _ => writeln!(out, "    ({count} {which} lines: see the report in html or json)"),
    };
    elided(parts.before, "earlier", out)?;
    let lines = failure.conversation.iter().enumerate();
    for (at, line) in lines.take(parts.end).skip(parts.before) {
        said(line, width, failure.deviates == Some(at), out, paint)?;
    }
    elided(failure.conversation.len() - parts.end, "later", out)?;
    if failure.deviates.is_none() && !failure.expected.is_empty() {
        writeln!(out, "  {}", paint.with(RED, format_args!("> ({MISSING})")))?;
    }

    let mut label = "expected";
    writeln!(out, "\n  wrong     {}", paint.with(BOLD, visible(&failure.what)))?;
    for line in &failure.expected {
        writeln!(out, "  {label:8}  {}", visible(line))?;
        label = "";
    }
    if failure.line > 0 {
        let (place, show) = place(run, &outcome.name, failure.line);
        writeln!(out, "  scenario  {}", visible(&place))?;
        if let Some(show) = show {
            writeln!(out, "            {}", paint.with(CYAN, visible(&show)))?;
        }
    }
    let (rfc, section) = (outcome.rfc, visible(&outcome.section));
    writeln!(out, "  source    RFC {rfc} {section}")?;
    for id in &outcome.covers {
        match requirement_of(id) {
            Some(rule) => {
                let section = rule.section.trim_start_matches("RFC");
                writeln!(out, "  {:8}  {id}, RFC {section}: {}", rule.level, rule.text)?;
            }
            None => writeln!(out, "  {:8}  {}", "", visible(id))?,
        }
    }
    writeln!(out, "  repeat    {}", paint.with(CYAN, visible(&failure.repeat)))
}

fn said(said: &Said, width: usize, deviates: bool, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
    let mark = if deviates { '>' } else { ' ' };
    let (who, style) = match said.by {
        By::Client => ("C:", CYAN),
        By::Server => ("S:", PLAIN),
        By::Suite => ("--", DIM),
    };
    let style = if deviates { RED } else { style };
    let mut lines = said.text.lines();
    let (client, first) = (visible(&said.client), visible(lines.next().unwrap_or("")));
    let line = format!("{mark} {client:width$} {who} {first}");
    writeln!(out, "  {}", paint.with(style, line.trim_end()))?;
    for line in lines {
        // Within a literal.
        let line = format!("{mark} {:width$}  | {}", "", visible(line));
        writeln!(out, "  {}", paint.with(style, line.trim_end()))?;
    }
    Ok(())
}

/// What many failures have in common: how often each deviation came, with some scenarios that show it.
fn by_cause(run: &Run, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
    let causes = causes(run);
    if causes.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", paint.with(BOLD, "Failures by cause"))?;
    for (what, outcomes) in causes {
        writeln!(out, "  {:>3}  {}", outcomes.len(), visible(what))?;
        for outcome in outcomes.iter().take(NAMED) {
            writeln!(out, "       {}", paint.with(DIM, &visible(&outcome.name)))?;
        }
    }
    Ok(())
}

fn skipped(run: &Run, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
    let mut reasons: BTreeMap<&str, BTreeMap<u32, usize>> = BTreeMap::new();
    for outcome in &run.outcomes {
        if let Verdict::Skipped { reason } = &outcome.verdict {
            *reasons.entry(reason).or_default().entry(outcome.rfc).or_default() += 1;
        }
    }
    if reasons.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", paint.with(BOLD, "Skipped"))?;
    let row = |(reason, rfcs): (&&str, &BTreeMap<u32, usize>)| {
        let count: usize = rfcs.values().sum();
        let rfcs: Vec<String> = rfcs.keys().map(u32::to_string).collect();
        vec![
            format!("  {count}"),
            visible(reason).into_owned(),
            format!("RFC {}", rfcs.join(", ")),
        ]
    };
    let rows: Vec<Vec<String>> = reasons.iter().map(row).collect();
    for line in aligned(&rows, &[Align::Right, Align::Left, Align::Left]) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

const PLAIN: Style = Style::new();
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default();
const CYAN: Style = AnsiColor::Cyan.on_default();

/// Whether there are colours.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn with(self, style: Style, text: impl Display) -> impl Display {
        let style = if self.0 { style } else { PLAIN };
        format!("{style}{text}{style:#}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, sample, write};
    use super::*;

    fn written(run: &Run, colour: bool) -> String {
        let mut out = Vec::new();
        write(run, Format::Text, &mut out, colour).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_run_is_told_in_full() {
        sample::golden("run.txt", &written(&sample::run(), false));
    }

    #[test]
    fn colours_add_nothing_but_colours() {
        let coloured = written(&sample::run(), true);
        sample::golden("run.ansi", &coloured);
        let mut plain = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once("\x1b[") {
            plain.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        plain.push_str(rest);
        assert_eq!(plain, written(&sample::run(), false));
    }

    #[test]
    fn a_server_cannot_speak_to_the_terminal() {
        let text = written(&sample::hostile(), false);
        assert_eq!(text.chars().find(|c| *c != '\n' && super::super::hidden(*c)), None);
        assert_eq!(text.lines().last(), Some("2 passed, 2 failed, 3 skipped"));
    }

    #[test]
    fn a_long_conversation_is_shown_around_its_deviation() {
        let shown = |lines, deviates| {
            let text = written(&sample::long(lines, deviates), false);
            let conversation = text.split("\n\n").nth(3).unwrap();
            let lines: Vec<String> = conversation.lines().map(str::to_owned).collect();
            lines
        };
        let elided = |n, which| format!("    ({n} {which} lines: see the report in html or json)");
        let lines = shown(1_000, Some(500));
        assert_eq!(lines.len(), 47);
        assert_eq!(lines[0], elided(461, "earlier"));
        assert_eq!(lines[1], "    A S: * OK 461");
        assert_eq!(lines[40], "  > A S: * OK 500");
        assert_eq!(lines[45], "    A S: * OK 505");
        assert_eq!(lines[46], elided(494, "later"));
        let lines = shown(41, None);
        assert_eq!(lines.len(), 42);
        assert_eq!(lines[0], elided(1, "earlier"));
        assert_eq!(lines[41], format!("  > ({MISSING})"));
        assert_eq!(shown(40, Some(39))[0], "    A S: * OK 0");
    }

    #[test]
    fn many_failures_are_told_by_cause() {
        let (run, what) = sample::failing(10);
        let text = written(&run, false);
        let causes = text.split("\n\n").find(|part| part.starts_with("Failures by cause"));
        let expected = format!("Failures by cause\n   10  {what}\n       s0\n       s1\n       s2");
        assert_eq!(causes, Some(expected.as_str()));
        let (few, _) = sample::failing(9);
        assert!(
            written(&few, false)
                .split("\n\n")
                .all(|part| !part.starts_with("Failures by cause"))
        );
    }

    #[test]
    fn nothing_but_passed_ends_soon() {
        let mut run = sample::small();
        run.outcomes.truncate(1);
        let text = written(&run, false);
        assert_eq!(
            text,
            "imap-compliance 0.1.0: mail.example.org:143 (Example IMAP 2.3 ready.)\n\
             began 2026-11-22T02:44:25Z, took 1.9 s, seed 7\n\n \
             RFC             passed  failed  skipped  MUST  SHOULD\n\
             3501  IMAP4rev1       1       0        0  100%    100%\n \
             all                  1       0        0  100%    100%\n\n\
             1 passed, 0 failed, 0 skipped\n"
        );
    }
}
