//! A run of the load generator, written for people and for programs.

mod html;
#[cfg(test)]
pub(super) mod sample;
pub(super) mod table;

use std::io::{self, Write};
use std::str::FromStr;

use super::record::{Finding, Record};
use crate::suite::report::{aligned, named, visible};
use table::Table;

/// How a run is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people, at a terminal.
    #[default]
    Text,
    /// For a document.
    Markdown,
    /// For programs: the [`Record`] itself.
    Json,
    /// For people, one page with a plot and without anything from elsewhere.
    Html,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        named(
            name,
            &[
                ("text", Self::Text),
                ("markdown", Self::Markdown),
                ("json", Self::Json),
                ("html", Self::Html),
            ],
        )
    }
}

/// Writes a run.
///
/// # Errors
/// `out` cannot be written.
pub fn write(record: &Record, format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text => text(record, out),
        Format::Markdown => markdown(record, out),
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, record)?;
            writeln!(out)
        }
        Format::Html => out.write_all(html::page(record).as_bytes()),
    }
}

fn text(record: &Record, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "imap-compliance bench {}", visible(&record.suite))?;
    for line in facts(record) {
        writeln!(out, "{line}")?;
    }
    let table = Table::of(record);
    writeln!(out)?;
    let rows: Vec<Vec<String>> = std::iter::once(table.head).chain(table.rows).collect();
    for line in aligned(&rows, &table.align) {
        writeln!(out, "{line}")?;
    }
    for (title, lines) in remarks(record) {
        writeln!(out, "\n{title}")?;
        for line in lines {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}

fn markdown(record: &Record, out: &mut dyn Write) -> io::Result<()> {
    for line in facts(record) {
        writeln!(out, "- {}", escaped(&line))?;
    }
    let table = Table::of(record);
    let row = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| escaped(cell)).collect();
        format!("| {} |", cells.join(" | "))
    };
    writeln!(out, "\n{}", row(&table.head))?;
    let rules = table.align.iter().map(|align| match align {
        crate::suite::report::Align::Left => "---|",
        crate::suite::report::Align::Right => "---:|",
    });
    writeln!(out, "|{}", rules.collect::<String>())?;
    for cells in &table.rows {
        writeln!(out, "{}", row(cells))?;
    }
    for (title, lines) in remarks(record) {
        writeln!(out, "\n{}\n", escaped(&title))?;
        for line in lines {
            writeln!(out, "- {}", escaped(&line))?;
        }
    }
    Ok(())
}

/// Text that means itself in a table of a document.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '|' | '\\' | '*' | '_' | '<' | '`' | '[') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// What was measured, when and how.
fn facts(record: &Record) -> Vec<String> {
    let mut facts: Vec<String> = Vec::new();
    for server in &record.servers {
        let [label, address, name] = [&server.label, &server.address, &server.server].map(|text| visible(text));
        let label = if label == address {
            String::new()
        } else {
            format!("{label}: ")
        };
        facts.push(format!("{label}{address} ({name})"));
    }
    let scale = format!("{:?}", record.scale).to_lowercase();
    let (seconds, rounds) = (record.millis / 1000, record.rounds);
    facts.push(format!(
        "began {}, took {seconds} s; {scale} sizes, rounds: {rounds}",
        visible(&record.started)
    ));
    if let (Some(before), Some(after)) = (&record.load_before, &record.load_after) {
        let (before, after) = (visible(before), visible(after));
        facts.push(format!(
            "load of the machine (1, 5, 15 minutes): {before} before, {after} after"
        ));
    }
    facts
}

/// What stands behind the table: titles, each with some lines.
fn remarks(record: &Record) -> Vec<(String, Vec<String>)> {
    let (mut errors, mut skipped, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for row in &record.rows {
        let size = row
            .messages
            .map(|messages| format!(" at {messages}"))
            .unwrap_or_default();
        for (server, result) in record.servers.iter().zip(&row.results) {
            let (label, name) = (visible(&server.label), &row.name);
            let line = |text: &str| format!("{name}{size}, {label}: {}", visible(text));
            match result {
                Finding::Error { what } => errors.push(line(what)),
                Finding::Skipped { reason } => skipped.push(line(reason)),
                Finding::Measured { rounds, .. } => {
                    let note = rounds.last().map(|round| round.note.as_str()).unwrap_or_default();
                    if !note.is_empty() {
                        notes.push(line(note));
                    }
                }
            }
        }
    }
    let mut remarks = vec![
        ("Notes".to_owned(), notes),
        ("Not measured".to_owned(), skipped),
        ("Errors".to_owned(), errors),
    ];
    if let Some(mean) = record.geometric_mean {
        let rows = record.rows.iter().filter(|row| row.ratio.is_some()).count();
        let label = record.servers.first().map(|server| visible(&server.label));
        let label = label.unwrap_or_default();
        let line = format!("{label} is better by {mean:.2}x, over {rows} rows");
        remarks.push(("Geometric mean".to_owned(), vec![line]));
    }
    if record.interrupted {
        let line = "rows are missing; what is there was measured in full".to_owned();
        remarks.push(("The run was interrupted".to_owned(), vec![line]));
    }
    remarks.retain(|(_, lines)| !lines.is_empty());
    remarks
}

/// A figure for people.
pub(super) fn number(value: f64) -> String {
    let digits = match value.abs() {
        1000.0.. => 0,
        10.0.. => 1,
        _ => 3,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use scraper::{Html, Selector};

    use super::*;

    fn written(record: &Record, format: Format) -> String {
        let mut out = Vec::new();
        write(record, format, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn two_servers_stand_side_by_side() {
        let expected = "\
imap-compliance bench 0.1.0
ours: a:143 (oursd \\x1b[1m)
the|irs: b:143 (the|irsd \\x1b[1m)
began 2026-11-22T02:44:25Z, took 61 s; quick sizes, rounds: 2
load of the machine (1, 5, 15 minutes): 0.10 0.20 0.30 before, 1.10 0.60 0.40 after

scenario            unit      ours  the|irs  ours is better by  spread of each  server CPU µs each
NOOP, 1 connection  cmds/s   40000    10000              4.00x          5%, 0%          12.0, 12.0
… 50 connections    cmds/s   100.0    400.0              0.25x         20%, 0%          12.0, 12.0
SEARCH              ms       0.500    ERROR                  –           0%, –             12.0, –
idle                kB/conn      –        –                  –            –, –                –, –

Notes
  noop-50, ours: cold
  noop-50, the|irs: warm

Not measured
  idle-tls, ours: no --pid
  idle-tls, the|irs: no --pid

Errors
  search-all, the|irs: 99 hits, not <b>100</b> \\x1b]0;x\\x07

Geometric mean
  ours is better by 1.00x, over 2 rows
";
        assert_eq!(written(&sample::two(), Format::Text), expected);
    }

    #[test]
    fn one_server_is_told_with_all_that_was_seen() {
        let text = written(&sample::one(), Format::Text);
        let table: Vec<&str> = text.lines().skip(5).take(4).collect();
        let expected = [
            "scenario            figure  unit     p50 ms  p99 ms  server CPU µs each  generator CPU  others' CPU  server MB",
            "NOOP, 1 connection   40000  cmds/s    0.250   1.500                12.0            25%          50%       20.0",
            "… 50 connections     100.0  cmds/s    0.250   1.500                12.0            25%          50%       20.0",
            "SEARCH               0.500  ms        0.250   1.500                12.0            25%          50%       20.0",
        ];
        assert_eq!(table, expected);
    }

    #[test]
    fn sizes_stand_in_columns() {
        let text = written(&sample::growth(), Format::Markdown);
        let rest: Vec<&str> = text.lines().skip(5).collect();
        let expected = [
            "| scenario | unit | server | 1,000 messages | 10,000 messages | 100,000 messages |",
            "|---|---|---|---:|---:|---:|",
            "| SELECT | ms | ours | 0.100 | 0.100 | 0.125 |",
            "| SELECT | ms | the\\|irs | 0.200 | 2.000 | ERROR |",
            "",
            "Errors",
            "",
            "- growth-select at 100000, the\\|irs: it is gone",
            "",
            "The run was interrupted",
            "",
            "- rows are missing; what is there was measured in full",
        ];
        assert_eq!(rest, expected);
    }

    #[test]
    fn what_is_written_as_json_is_read_back() {
        for record in [sample::one(), sample::two(), sample::growth()] {
            let read: Record = serde_json::from_str(&written(&record, Format::Json)).unwrap();
            assert_eq!(read, record);
        }
    }

    #[test]
    fn the_page_is_well_formed_and_what_a_server_says_is_only_text() {
        let texts = |page: &Html, selector: &str| -> Vec<String> {
            let selector = Selector::parse(selector).unwrap();
            page.select(&selector).map(|element| element.text().collect()).collect()
        };
        for record in [sample::one(), sample::two(), sample::growth()] {
            let text = written(&record, Format::Html);
            assert_eq!(text.chars().find(|c| c.is_control() && *c != '\n'), None);
            let page = Html::parse_document(&text);
            assert_eq!(page.errors, [""; 0]);
            for selector in ["b", "script", "link", "img", "[style]", "[onclick]"] {
                assert_eq!(texts(&page, selector), [""; 0], "{selector}");
            }
        }
        let page = Html::parse_document(&written(&sample::two(), Format::Html));
        assert_eq!(texts(&page, "h1"), ["IMAP bench: ours beside the|irs"]);
        assert_eq!(texts(&page, "td.error"), ["ERROR"]);
        assert_eq!(texts(&page, "figure svg > title"), ["ours beside the|irs"]);
    }
}
