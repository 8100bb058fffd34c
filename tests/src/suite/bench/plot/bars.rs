//! Two servers side by side: a bar for each row, to the right where the first is better.

use maud::{Markup, html};

use super::super::record::{Comparison, Finding, Record};
use super::{INK, Logarithmic, RULE, SOFT, WIDTH, at, frame, label, tick};
use crate::suite::report::visible;

const LEFT: f64 = 520.0;
const TOP: f64 = 86.0;
const ROW: f64 = 18.0;
/// Between groups.
const GAP: f64 = 7.0;
/// For the number behind the longest bar.
const RIGHT: f64 = 60.0;
const BETTER: &str = "#2f8f68";
const WORSE: &str = "#c8602f";

pub(super) fn draw(record: &Record) -> Markup {
    let ratios = || record.rows.iter().filter_map(|row| row.ratio);
    let scale = Logarithmic {
        values: (ratios().fold(0.5, f64::min) / 1.4, ratios().fold(2.0, f64::max) * 1.2),
        places: (LEFT, WIDTH - RIGHT),
    };
    let placed = placed(&record.rows);
    let bottom = placed.last().map_or(TOP, |(y, _)| y + ROW) + 4.0;
    let (first, second) = (label(record, 0), label(record, 1));
    let title = format!("{first} beside {second}");
    let content = html! {
        @for value in scale.ticks() {
            @let x = at(scale.place(value));
            @let colour = if value == 1.0 { SOFT } else { RULE };
            line x1=(x) x2=(x) y1=(at(TOP - 6.0)) y2=(at(bottom)) stroke=(colour) {}
            text x=(x) y=(at(TOP - 12.0)) fill=(SOFT) font-size="11" text-anchor="middle" { (tick(value)) "×" }
        }
        @if let Some(mean) = record.geometric_mean {
            @let x = at(scale.place(mean));
            line x1=(x) x2=(x) y1=(at(TOP - 6.0)) y2=(at(bottom + 6.0)) stroke=(INK) stroke-dasharray="4 3" {}
            text x=(x) y=(at(bottom + 20.0)) text-anchor="middle" font-weight="600" {
                (format!("geometric mean {mean:.2}×"))
            }
        }
        @for (y, row) in &placed {
            text x=(at(LEFT - 84.0)) y=(at(y + 13.0)) text-anchor="end" { (visible(&row.title)) }
            text x=(at(LEFT - 78.0)) y=(at(y + 13.0)) fill=(SOFT) font-size="10" { (row.unit) }
            (bar(row, *y, scale))
        }
    };
    frame(bottom + 34.0, &title, &about(record, &first), &content)
}

fn about(record: &Record, first: &str) -> String {
    let rounds = match record.rounds {
        1 => "one round".to_owned(),
        rounds => format!("medians of {rounds} rounds"),
    };
    let day = record.started.split('T').next().unwrap_or_default();
    let scale = format!("{:?}", record.scale).to_lowercase();
    format!("By what factor {first} is better (to the right) or worse (to the left); {rounds}, {scale} sizes, {day}.")
}

/// The rows, each with its upper edge; a gap where another group begins.
fn placed(rows: &[Comparison]) -> Vec<(f64, &Comparison)> {
    let (mut y, mut group) = (TOP, None);
    let place = |row| {
        let row: &Comparison = row;
        if group.is_some_and(|group| group != row.group.as_str()) {
            y += GAP;
        }
        group = Some(row.group.as_str());
        y += ROW;
        (y - ROW, row)
    };
    rows.iter().map(place).collect()
}

fn bar(row: &Comparison, y: f64, scale: Logarithmic) -> Markup {
    let Some(ratio) = row.ratio else {
        let wrong = row.results.iter().any(|result| matches!(result, Finding::Error { .. }));
        let (what, colour) = if wrong {
            ("ERROR", WORSE)
        } else {
            ("not measured", SOFT)
        };
        return html! {
            text x=(at(scale.place(1.0) + 4.0)) y=(at(y + 13.0)) fill=(colour) font-size="11" { (what) }
        };
    };
    let (one, end) = (scale.place(1.0), scale.place(ratio));
    let (colour, anchor, text) = if ratio >= 1.0 {
        (BETTER, "start", end + 4.0)
    } else {
        (WORSE, "end", end - 4.0)
    };
    let digits = match ratio {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    html! {
        rect x=(at(one.min(end))) y=(at(y + 3.0)) width=(at((end - one).abs().max(1.0))) height=(at(ROW - 6.0))
            fill=(colour) rx="1.5" {}
        text x=(at(text)) y=(at(y + 13.0)) text-anchor=(anchor) font-size="11"
            stroke="#fff" stroke-width="3" paint-order="stroke" { (format!("{ratio:.digits$}×")) }
    }
}
