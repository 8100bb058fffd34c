//! How cost grows: a panel for each line, both axes logarithmic and alike, so that what grows with the mailbox rises at the
//! angle of the dashed line, and what does not stays level.

use maud::{Markup, html};

use super::super::record::{Comparison, Finding, Record};
use super::super::report::table::lines;
use super::super::sizes::thousands;
use super::{Logarithmic, RULE, SOFT, WIDTH, at, frame, label, tick};

const COLUMNS: usize = 2;
const TOP: f64 = 92.0;
const PANEL: (f64, f64) = (WIDTH / COLUMNS as f64, 270.0);
/// Around the field of a panel: left, top, right, bottom.
const MARGIN: (f64, f64, f64, f64) = (62.0, 30.0, 24.0, 34.0);
const COLOURS: [&str; 2] = ["#2f6fb3", "#c8602f"];

pub(super) fn draw(record: &Record) -> Markup {
    let lines = lines(record);
    let height = TOP + lines.len().div_ceil(COLUMNS) as f64 * PANEL.1;
    let labels: Vec<String> = (0..record.servers.len()).map(|server| label(record, server)).collect();
    let title = format!("How cost grows: {}", labels.join(" beside "));
    let about = "Time against messages in the mailbox, both logarithmic; level is independent of the size, dashed is in proportion to it.";
    let content = html! {
        @for ((server, label), colour) in labels.iter().enumerate().zip(COLOURS) {
            @let x = 20.0 + 200.0 * server as f64;
            line x1=(at(x)) x2=(at(x + 22.0)) y1="70" y2="70" stroke=(colour) stroke-width="2.5" {}
            text x=(at(x + 28.0)) y="74" { (label) }
        }
        @for (index, line) in lines.iter().enumerate() {
            @let x = (index % COLUMNS) as f64 * PANEL.0;
            @let y = TOP + (index / COLUMNS) as f64 * PANEL.1;
            (panel(record, line, (x, y)))
        }
    };
    frame(height, &title, about, &content)
}

/// The figures of a line for a server: size and value.
fn points(record: &Record, line: &Comparison, server: usize) -> Vec<(f64, f64)> {
    let rows = record.rows.iter().filter(|row| row.name == line.name);
    let point = |row: &Comparison| {
        let value = row.results.get(server).and_then(Finding::value)?;
        Some((row.messages? as f64, value)).filter(|(size, value)| *size > 0.0 && *value > 0.0)
    };
    rows.filter_map(point).collect()
}

/// From the least value to the greatest, with room around them, and at least `decades` powers of ten.
fn range(values: impl Iterator<Item = f64> + Clone, decades: f64) -> (f64, f64) {
    let least = values.clone().fold(f64::INFINITY, f64::min);
    let most = values.fold(0.0, f64::max);
    if most <= 0.0 {
        return (1.0, 10.0);
    }
    let (from, to) = (least / 1.6, most * 1.6);
    let missing = (decades - (to / from).log10()).max(0.0);
    // Level curves lie low: what grows goes up.
    let above = 10_f64.powf(missing * 0.75);
    let below = 10_f64.powf(missing * 0.25);
    (from / below, to * above)
}

fn panel(record: &Record, line: &Comparison, (left, top): (f64, f64)) -> Markup {
    let series: Vec<Vec<(f64, f64)>> = (0..record.servers.len())
        .map(|server| points(record, line, server))
        .collect();
    let all = || series.iter().flatten();
    let (field, (l, t, r, b)) = ((left, top, left + PANEL.0, top + PANEL.1), MARGIN);
    let sizes = range(all().map(|(size, _)| *size), 1.0);
    let width = Logarithmic {
        values: sizes,
        places: (field.0 + l, field.2 - r),
    };
    let height = Logarithmic {
        values: range(all().map(|(_, value)| *value), (sizes.1 / sizes.0).log10()),
        places: (field.3 - b, field.1 + t),
    };
    let mut marks: Vec<f64> = all().map(|(size, _)| *size).collect();
    marks.sort_by(f64::total_cmp);
    marks.dedup();
    html! {
        text x=(at(field.0 + l)) y=(at(field.1 + 18.0)) font-weight="600" { (line.title) " " tspan fill=(SOFT) font-weight="400" { (line.unit) } }
        @for value in height.ticks() {
            @let y = at(height.place(value));
            line x1=(at(width.places.0)) x2=(at(width.places.1)) y1=(y) y2=(y) stroke=(RULE) {}
            text x=(at(width.places.0 - 6.0)) y=(at(height.place(value) + 4.0)) text-anchor="end" font-size="11" fill=(SOFT) { (tick(value)) }
        }
        @for size in &marks {
            @let x = at(width.place(*size));
            line x1=(x) x2=(x) y1=(at(height.places.0)) y2=(at(height.places.1)) stroke=(RULE) {}
            text x=(x) y=(at(height.places.0 + 16.0)) text-anchor="middle" font-size="11" fill=(SOFT) { (thousands(*size as usize)) }
        }
        @if let Some(first) = series.first().and_then(|points| points.first()) {
            (in_proportion(*first, width, height))
        }
        @for (points, colour) in series.iter().zip(COLOURS) {
            @let path: Vec<String> = points.iter().map(|(size, value)| format!("{},{}", at(width.place(*size)), at(height.place(*value)))).collect();
            polyline points=(path.join(" ")) fill="none" stroke=(colour) stroke-width="2.5" stroke-linejoin="round" {}
            @for (size, value) in points {
                circle cx=(at(width.place(*size))) cy=(at(height.place(*value))) r="3.5" fill=(colour) {}
            }
        }
    }
}

/// What a cost would be that grows in proportion, from the first point to where it leaves the field.
fn in_proportion((size, value): (f64, f64), width: Logarithmic, height: Logarithmic) -> Markup {
    let factor = (width.values.1 / size).min(height.values.1 / value).max(1.0);
    let [x1, x2] = [size, size * factor].map(|size| at(width.place(size)));
    let [y1, y2] = [value, value * factor].map(|value| at(height.place(value)));
    html! { line x1=(x1) y1=(y1) x2=(x2) y2=(y2) stroke=(SOFT) stroke-dasharray="4 4" {} }
}
