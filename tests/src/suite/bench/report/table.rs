//! The table of a run: of one server with all that was seen, of two side by side, or by the sizes of a mailbox.

use super::super::record::{Comparison, Finding, Record};
use super::super::row::Measured;
use super::super::sizes::thousands;
use super::number;
use crate::suite::report::{Align, visible};

/// A table whose first row is its head.
pub(super) struct Table {
    pub(super) align: Vec<Align>,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// A column: its head, how it is aligned, and what stands in it.
struct Column<'a> {
    head: String,
    align: Align,
    cell: Box<dyn Fn(&Comparison) -> String + 'a>,
}

impl<'a> Column<'a> {
    fn left(head: &str, cell: impl Fn(&Comparison) -> String + 'a) -> Self {
        Self {
            head: head.to_owned(),
            align: Align::Left,
            cell: Box::new(cell),
        }
    }

    fn right(head: &str, cell: impl Fn(&Comparison) -> String + 'a) -> Self {
        Self {
            align: Align::Right,
            ..Self::left(head, cell)
        }
    }
}

impl Table {
    /// The table of a run.
    pub(super) fn of(record: &Record) -> Self {
        if record.is_growth() {
            return growth(record);
        }
        let columns = match record.servers.as_slice() {
            [_, _] => two(record),
            _ => one(record),
        };
        Self {
            align: columns.iter().map(|column| column.align).collect(),
            head: columns.iter().map(|column| column.head.clone()).collect(),
            rows: (record.rows.iter())
                .map(|row| columns.iter().map(|column| (column.cell)(row)).collect())
                .collect(),
        }
    }
}

const NOTHING: &str = "–";

fn result(row: &Comparison, server: usize) -> Option<&Finding> {
    row.results.get(server)
}

fn value(row: &Comparison, server: usize) -> String {
    match result(row, server) {
        Some(Finding::Measured { value, .. }) => number(*value),
        Some(Finding::Error { .. }) => "ERROR".to_owned(),
        _ => NOTHING.to_owned(),
    }
}

fn spread(row: &Comparison, server: usize) -> String {
    match result(row, server) {
        Some(Finding::Measured { spread, rounds, .. }) if rounds.len() > 1 => format!("{spread:.0}%"),
        _ => NOTHING.to_owned(),
    }
}

/// What the rounds tell, as their median.
fn told(row: &Comparison, server: usize, of: impl Fn(&Measured) -> Option<f64>) -> Option<f64> {
    result(row, server)?.median(of)
}

fn shown(told: Option<f64>, scale: f64) -> String {
    told.map_or_else(|| NOTHING.to_owned(), |told| number(told * scale))
}

/// Whether any row of any server tells it.
fn any(record: &Record, of: impl Fn(&Measured) -> bool) -> bool {
    let results = record.rows.iter().flat_map(|row| &row.results);
    results.flat_map(Finding::rounds).any(of)
}

fn one(record: &Record) -> Vec<Column<'_>> {
    let mut columns = vec![
        Column::left("scenario", |row| row.title.clone()),
        Column::right("figure", |row| value(row, 0)),
        Column::left("unit", |row| row.unit.clone()),
    ];
    if record.rounds > 1 {
        columns.push(Column::right("spread", |row| spread(row, 0)));
    }
    // Where nothing was timed one by one, there is no percentile.
    let time = |of: fn(&Measured) -> f64| {
        move |row: &Comparison| shown(told(row, 0, |round| (round.count > 0).then(|| of(round))), 1e-3)
    };
    columns.push(Column::right("p50 ms", time(|round| round.p50_us)));
    columns.push(Column::right("p99 ms", time(|round| round.p99_us)));
    if any(record, |round| round.server_cpu_us.is_some()) {
        columns.push(Column::right("server CPU µs each", |row| {
            shown(told(row, 0, |round| round.server_cpu_us), 1.0)
        }));
    }
    let percent = |told: Option<f64>| told.map_or_else(|| NOTHING.to_owned(), |share| format!("{:.0}%", share * 100.0));
    columns.push(Column::right("generator CPU", move |row| {
        percent(told(row, 0, |round| Some(round.generator_cpu)))
    }));
    if any(record, |round| round.others_cpu.is_some()) {
        columns.push(Column::right("others' CPU", move |row| {
            percent(told(row, 0, |round| round.others_cpu))
        }));
    }
    if any(record, |round| round.memory_kb.is_some()) {
        columns.push(Column::right("server MB", |row| {
            shown(told(row, 0, |round| round.memory_kb), 1.0 / 1024.0)
        }));
    }
    columns
}

fn two(record: &Record) -> Vec<Column<'_>> {
    let label = |server: usize| record.servers.get(server).map(|server| visible(&server.label));
    let label = move |server: usize| label(server).unwrap_or_default().into_owned();
    let mut columns = vec![
        Column::left("scenario", |row| row.title.clone()),
        Column::left("unit", |row| row.unit.clone()),
        Column::right(&label(0), |row| value(row, 0)),
        Column::right(&label(1), |row| value(row, 1)),
        Column::right(&format!("{} is better by", label(0)), |row| {
            row.ratio
                .map_or_else(|| NOTHING.to_owned(), |ratio| format!("{ratio:.2}x"))
        }),
    ];
    if record.rounds > 1 {
        columns.push(Column::right("spread of each", |row| {
            format!("{}, {}", spread(row, 0), spread(row, 1))
        }));
    }
    if any(record, |round| round.server_cpu_us.is_some()) {
        columns.push(Column::right("server CPU µs each", |row| {
            let [first, second] = [0, 1].map(|server| shown(told(row, server, |round| round.server_cpu_us), 1.0));
            format!("{first}, {second}")
        }));
    }
    columns
}

/// A row for each line and server, a column for each size.
fn growth(record: &Record) -> Table {
    let mut sizes: Vec<usize> = record.rows.iter().filter_map(|row| row.messages).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let mut head = ["scenario", "unit", "server"].map(str::to_owned).to_vec();
    head.extend(sizes.iter().map(|size| format!("{} messages", thousands(*size))));
    let mut align = vec![Align::Left; 3];
    align.extend(sizes.iter().map(|_| Align::Right));
    let mut rows = Vec::new();
    for line in lines(record) {
        for (server, about) in record.servers.iter().enumerate() {
            let at = |size: &usize| {
                record
                    .rows
                    .iter()
                    .find(|row| row.name == line.name && row.messages == Some(*size))
            };
            let mut cells = vec![
                line.title.clone(),
                line.unit.clone(),
                visible(&about.label).into_owned(),
            ];
            cells.extend(
                sizes
                    .iter()
                    .map(|size| at(size).map_or_else(|| NOTHING.to_owned(), |row| value(row, server))),
            );
            rows.push(cells);
        }
    }
    Table { align, head, rows }
}

/// The first row of each line.
pub(in super::super) fn lines(record: &Record) -> Vec<&Comparison> {
    let mut lines: Vec<&Comparison> = Vec::new();
    for row in &record.rows {
        if lines.iter().all(|line| line.name != row.name) {
            lines.push(row);
        }
    }
    lines
}
