//! What differs between runs: which scenarios fail in one and not in another, and the table by RFC side by side.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Serialize;

use super::super::outcome::Run;
use super::json::{self, ReadError};
use super::summary::{Counts, Row, Summary};
use super::{Align, aligned, name_of, named, visible};
use crate::catalogue::topic;

/// How a comparison is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people, at a terminal.
    #[default]
    Text,
    /// For a document.
    Markdown,
    /// For programs: the [`Comparison`] itself.
    Json,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        named(
            name,
            &[("text", Self::Text), ("markdown", Self::Markdown), ("json", Self::Json)],
        )
    }
}

/// Why runs cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A record cannot be read.
    #[error("{}: {error}", path.display())]
    Read {
        /// The record.
        path: PathBuf,
        /// Why.
        error: ReadError,
    },
    /// A run was interrupted: what it lacks would look as if it did not fail.
    #[error("{label} was interrupted: {unplayed} scenarios were not played; run it again")]
    Interrupted {
        /// What the run is called.
        label: String,
        /// How many scenarios it lacks.
        unplayed: usize,
    },
    /// The comparison cannot be written.
    #[error("{0}")]
    Write(#[from] io::Error),
}

/// Runs side by side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The runs, in the order given. What is new is new against the first.
    pub runs: Vec<Column>,
    /// By RFC: one cell for each run, none where it has nothing from this RFC.
    pub rfcs: BTreeMap<u32, Vec<Option<Cell>>>,
    /// Scenarios whose verdict is not the same in all runs, or that fail; the worst change first, then by name.
    pub differences: Vec<Difference>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// What it is called here: the record's file name.
    pub label: String,
    /// What was tested.
    pub target: String,
    /// Which server that was.
    pub server: String,
    /// When it began.
    pub started: String,
    /// All of it.
    pub all: Cell,
}

/// A run, or what it has from one RFC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// How many scenarios passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
    /// How many were skipped.
    pub skipped: usize,
    /// Percentage of the MUSTs tried that were kept; `–` when none was tried.
    pub must: String,
    /// The same for SHOULD.
    pub should: String,
}

impl Cell {
    fn new(row: &Row) -> Self {
        let Counts {
            passed,
            failed,
            skipped,
        } = row.counts;
        let (must, should) = (row.must.percent(), row.should.percent());
        Self {
            passed,
            failed,
            skipped,
            must,
            should,
        }
    }

    fn counts(&self) -> String {
        format!("{} / {} / {}", self.passed, self.failed, self.skipped)
    }
}

/// A scenario whose verdict is not the same in all runs, or that fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Its name.
    pub name: String,
    /// Its RFC.
    pub rfc: u32,
    /// Its section.
    pub section: String,
    /// What has changed.
    pub change: Change,
    /// `passed`, `failed`, `skipped`, or none: one for each run.
    pub verdicts: Vec<Option<&'static str>>,
}

/// What has changed against the first run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// A later run fails, the first does not.
    NewlyFailing,
    /// The first fails, a later run passes.
    NewlyPassing,
    /// The first fails, and so does a later run.
    StillFailing,
    /// It is not in every run.
    OnlyInSome,
    /// It is skipped in one and not in another.
    Skipped,
}

impl Change {
    const ALL: [Self; 5] = [
        Self::NewlyFailing,
        Self::NewlyPassing,
        Self::StillFailing,
        Self::OnlyInSome,
        Self::Skipped,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::NewlyFailing => "Newly failing",
            Self::NewlyPassing => "Newly passing",
            Self::StillFailing => "Still failing",
            Self::OnlyInSome => "Not in every run",
            Self::Skipped => "Skipped in some",
        }
    }

    fn of(verdicts: &[Option<&str>]) -> Option<Self> {
        let (first, later) = verdicts.split_first()?;
        let failed = Some("failed");
        if *first != failed && later.contains(&failed) {
            Some(Self::NewlyFailing)
        } else if *first == failed && later.contains(&Some("passed")) {
            Some(Self::NewlyPassing)
        } else if *first == failed && later.contains(&failed) {
            Some(Self::StillFailing)
        } else if verdicts.contains(&None) {
            Some(Self::OnlyInSome)
        } else {
            later.iter().any(|verdict| verdict != first).then_some(Self::Skipped)
        }
    }
}

impl Comparison {
    /// Compares runs, each with what it is called.
    pub fn of(runs: &[(String, Run)]) -> Self {
        let summaries: Vec<Summary> = runs.iter().map(|(_, run)| Summary::of(run)).collect();
        let columns = runs.iter().zip(&summaries).map(|((label, run), summary)| Column {
            label: label.clone(),
            target: run.target.clone(),
            server: run.server.clone(),
            started: run.started.clone(),
            all: Cell::new(&summary.all),
        });
        let numbers = summaries.iter().flat_map(|summary| summary.rfcs.keys());
        let cells = |rfc: &u32| summaries.iter().map(|s| s.rfcs.get(rfc).map(Cell::new)).collect();
        Self {
            runs: columns.collect(),
            rfcs: numbers.map(|rfc| (*rfc, cells(rfc))).collect(),
            differences: differences(runs),
        }
    }

    /// Whether no later run has a failure that the first has not.
    pub fn nothing_newly_fails(&self) -> bool {
        self.differences.iter().all(|d| d.change != Change::NewlyFailing)
    }

    /// Writes the comparison.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub fn write(&self, format: Format, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Text => self.text(out),
            Format::Markdown => self.markdown(out),
            Format::Json => {
                serde_json::to_writer_pretty(&mut *out, self)?;
                writeln!(out)
            }
        }
    }

    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let runs = self.runs.iter().map(|run| {
            let shown = [&run.label, &run.target, &run.server, &run.started].map(|text| visible(text).into_owned());
            shown.to_vec()
        });
        for line in aligned(&runs.collect::<Vec<_>>(), &[Align::Left; 4]) {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "\npassed / failed / skipped")?;
        let rows = self.table(&|label| visible(label).into_owned());
        for line in aligned(&rows, &[Align::Right, Align::Left]) {
            writeln!(out, "{line}")?;
        }
        for change in Change::ALL {
            let differences: Vec<_> = self.differences.iter().filter(|d| d.change == change).collect();
            if differences.is_empty() {
                continue;
            }
            writeln!(out, "\n{} ({})", change.title(), differences.len())?;
            let rows = differences.into_iter().map(|difference| {
                let verdicts = difference.verdicts.iter().map(|v| v.unwrap_or("–").to_owned());
                let mut row = vec![format!("  {}", visible(&difference.name))];
                row.extend(verdicts);
                row
            });
            for line in aligned(&rows.collect::<Vec<_>>(), &vec![Align::Left; self.runs.len() + 1]) {
                writeln!(out, "{line}")?;
            }
        }
        if self.differences.iter().all(|d| d.change == Change::StillFailing) {
            writeln!(out, "\nNo scenario differs.")?;
        }
        Ok(())
    }

    fn markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        for run in &self.runs {
            let [label, target, server, started] =
                [&run.label, &run.target, &run.server, &run.started].map(|text| escaped(text));
            writeln!(out, "- **{label}**: {target}, {server}, {started}")?;
        }
        writeln!(out, "\nPassed / failed / skipped:\n")?;
        let rows = self.table(&escaped);
        let mut lines = rows.iter().map(|row| format!("| {} |", row.join(" | ")));
        writeln!(out, "{}", lines.next().unwrap_or_default())?;
        writeln!(out, "|--:|:--|{}", "--:|".repeat(self.runs.len()))?;
        for line in lines {
            writeln!(out, "{line}")?;
        }
        let fails = |difference: &&Difference| difference.verdicts.contains(&Some("failed"));
        let mut failing: Vec<&Difference> = self.differences.iter().filter(fails).collect();
        failing.sort_by_key(|difference| &difference.name);
        if failing.is_empty() {
            return writeln!(out, "\nNo scenario fails.");
        }
        writeln!(out, "\nScenarios that fail:\n")?;
        let labels: Vec<String> = self.runs.iter().map(|run| escaped(&run.label)).collect();
        writeln!(out, "| Scenario | RFC | {} |", labels.join(" | "))?;
        writeln!(out, "|:--|:--|{}", ":--|".repeat(self.runs.len()))?;
        for difference in failing {
            let verdicts = difference.verdicts.iter().map(|v| match v {
                Some("failed") => "**failed**",
                Some(verdict) => verdict,
                None => "–",
            });
            writeln!(
                out,
                "| {} | {} {} | {} |",
                escaped(&difference.name),
                difference.rfc,
                escaped(&difference.section),
                verdicts.collect::<Vec<_>>().join(" | ")
            )?;
        }
        Ok(())
    }

    /// The table by RFC: a head, a row for each RFC, and their sums.
    fn table(&self, label: &dyn Fn(&str) -> String) -> Vec<Vec<String>> {
        let row = |name: String, about: &str, cells: Vec<String>| {
            let mut row = vec![name, about.to_owned()];
            row.extend(cells);
            row
        };
        let all = |what: &dyn Fn(&Cell) -> String| self.runs.iter().map(|run| what(&run.all)).collect();
        let labels = self.runs.iter().map(|run| label(&run.label)).collect();
        let mut rows = vec![row("RFC".into(), "", labels)];
        rows.extend(self.rfcs.iter().map(|(rfc, cells)| {
            let cells = cells
                .iter()
                .map(|cell| cell.as_ref().map_or("–".to_owned(), Cell::counts));
            row(rfc.to_string(), topic(*rfc), cells.collect())
        }));
        rows.push(row("all".into(), "", all(&Cell::counts)));
        rows.push(row(String::new(), "MUST kept", all(&|cell| cell.must.clone())));
        rows.push(row(String::new(), "SHOULD kept", all(&|cell| cell.should.clone())));
        rows
    }
}

fn differences(runs: &[(String, Run)]) -> Vec<Difference> {
    let mut scenarios: BTreeMap<&str, Difference> = BTreeMap::new();
    for (at, (_, run)) in runs.iter().enumerate() {
        for outcome in &run.outcomes {
            let scenario = scenarios.entry(&outcome.name).or_insert_with(|| Difference {
                name: outcome.name.clone(),
                rfc: outcome.rfc,
                section: outcome.section.clone(),
                change: Change::Skipped,
                verdicts: vec![None; runs.len()],
            });
            if let Some(verdict) = scenario.verdicts.get_mut(at) {
                *verdict = Some(name_of(&outcome.verdict));
            }
        }
    }
    let changed = scenarios.into_values().filter_map(|scenario| {
        let change = Change::of(&scenario.verdicts)?;
        Some(Difference { change, ..scenario })
    });
    let mut differences: Vec<Difference> = changed.collect();
    differences.sort_by_key(|difference| difference.change);
    differences
}

/// Text that means itself in a Markdown table.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in visible(text).chars() {
        if c.is_ascii_punctuation() && !",.;:/-=+()'\"%?!@".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Reads the records of runs, writes what differs, and says whether no later run has a failure that the first has not.
/// A run is called by its record's file name without the ending, or by the whole path where two names are the same.
///
/// # Errors
/// A record cannot be read, or `out` cannot be written.
pub fn run(records: &[PathBuf], format: Format, out: &mut dyn Write) -> Result<bool, Error> {
    let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let label = |path: &PathBuf| {
        let alone = records.iter().filter(|other| stem(other) == stem(path)).count() == 1;
        stem(path)
            .filter(|_| alone)
            .unwrap_or_else(|| path.display().to_string())
    };
    let read = |path: &PathBuf| {
        let error = |error| Error::Read {
            path: path.clone(),
            error,
        };
        let mut file = File::open(path).map_err(|e| error(e.into()))?;
        Ok((label(path), json::read(&mut file).map_err(error)?))
    };
    let runs = records.iter().map(read).collect::<Result<Vec<_>, Error>>()?;
    if let Some((label, run)) = runs.iter().find(|(_, run)| run.unplayed > 0) {
        return Err(Error::Interrupted {
            label: label.clone(),
            unplayed: run.unplayed,
        });
    }
    let comparison = Comparison::of(&runs);
    comparison.write(format, out)?;
    Ok(comparison.nothing_newly_fails())
}

#[cfg(test)]
mod tests {
    use super::super::super::outcome::Verdict;
    use super::super::sample;
    use super::*;

    /// The first fails twice; the second mends one, breaks another, skips one more, lacks one and has one of its own; the
    /// third has nothing from RFC 7162.
    fn runs() -> Vec<(String, Run)> {
        let first = sample::run();
        let mut second = sample::run();
        second.server = "Other | IMAP".into();
        let failed = second.outcomes[1].verdict.clone();
        second.outcomes[1].verdict = Verdict::Passed;
        second.outcomes[0].verdict = failed;
        second.outcomes[3].verdict = Verdict::Passed;
        second.outcomes.remove(4);
        second
            .outcomes
            .push(sample::passed("rfc9999/new", "New.", (9999, "1"), &[]));
        let mut third = sample::run();
        third.outcomes.truncate(5);
        let labels = ["ours", "a_b", "c"].map(str::to_owned);
        labels.into_iter().zip([first, second, third]).collect()
    }

    fn written(runs: &[(String, Run)], format: Format) -> String {
        let mut out = Vec::new();
        Comparison::of(runs).write(format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn two_or_more_runs_stand_side_by_side() {
        sample::golden("compare-2.txt", &written(&runs()[..2], Format::Text));
        sample::golden("compare-3.txt", &written(&runs(), Format::Text));
        sample::golden("compare-3.md", &written(&runs(), Format::Markdown));
        sample::golden("compare-2.json", &written(&runs()[..2], Format::Json));
    }

    #[test]
    fn a_run_does_not_differ_from_itself() {
        let runs = [runs().remove(0), runs().remove(0)];
        let changes: Vec<Change> = Comparison::of(&runs).differences.iter().map(|d| d.change).collect();
        assert_eq!(changes, [Change::StillFailing; 2]);
        assert_eq!(
            written(&runs, Format::Text).lines().last(),
            Some("No scenario differs.")
        );
    }

    #[test]
    fn only_a_new_failure_is_one() {
        let fails = |first: Option<&'static str>, later| Change::of(&[first, later]) == Some(Change::NewlyFailing);
        let all = [None, Some("passed"), Some("skipped"), Some("failed")];
        assert_eq!(all.map(|first| fails(first, Some("failed"))), [true, true, true, false]);
        assert_eq!(
            all.map(|later| fails(Some("passed"), later)),
            [false, false, false, true]
        );
        let mut runs = runs();
        assert!(!Comparison::of(&runs).nothing_newly_fails());
        runs.remove(1);
        assert!(Comparison::of(&runs).nothing_newly_fails());
    }

    #[test]
    fn a_server_cannot_break_the_table() {
        let runs = [("a".to_owned(), sample::hostile()), ("b".to_owned(), sample::run())];
        let (evil, plain) = (
            written(&runs, Format::Markdown),
            written(&[runs[1].clone(), runs[1].clone()], Format::Text),
        );
        assert_eq!(evil.chars().find(|c| *c != '\n' && super::super::hidden(*c)), None);
        assert_eq!(plain.lines().last(), Some("No scenario differs."));
        assert_eq!(
            escaped("a|b <i> `c` *d* \\ [e](f) \u{1b}"),
            "a\\|b \\<i\\> \\`c\\` \\*d\\* \\\\ \\[e\\](f) \\\\x1b"
        );
    }

    #[test]
    fn records_are_read_and_named_by_their_files() {
        let folder = tempfile::tempdir().unwrap();
        let record = |name: &str, run: &Run| {
            let path = folder.path().join(name);
            let mut out = File::create(&path).unwrap();
            super::super::write(run, super::super::Format::Json, &mut out, false).unwrap();
            path
        };
        let (a, b) = (record("a.json", &runs()[0].1), record("b.json", &runs()[1].1));
        let compared = |paths: &[PathBuf]| {
            let mut out = Vec::new();
            run(paths, Format::Text, &mut out).map(|same| (same, String::from_utf8(out).unwrap()))
        };
        let named = [
            ("a".to_owned(), runs()[0].1.clone()),
            ("b".to_owned(), runs()[1].1.clone()),
        ];
        assert_eq!(
            compared(&[a.clone(), b]).unwrap(),
            (false, written(&named, Format::Text))
        );
        assert_eq!(
            compared(&[a.clone(), a.clone()]).unwrap().1.split(' ').next(),
            a.to_str()
        );
        let none = folder.path().join("none.json");
        let error = compared(&[a, none.clone()]).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("{}: No such file or directory (os error 2)", none.display())
        );
    }
}
