//! A run as one page that needs nothing from elsewhere: the plot, the table, and what else is to be said.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::super::plot;
use super::super::record::Record;
use super::table::Table;
use super::{facts, remarks};
use crate::suite::report::{Align, visible};

const STYLE: &str = include_str!("page.css");

pub(super) fn page(record: &Record) -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!("default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{hash}'");
    let labels = record.servers.iter().map(|server| visible(&server.label).into_owned());
    let title = format!("IMAP bench: {}", labels.collect::<Vec<_>>().join(" beside "));
    let table = Table::of(record);
    let class = |column: usize| match table.align.get(column) {
        Some(Align::Left) => "left",
        _ => "right",
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                ul.facts { @for fact in facts(record) { li { (fact) } } }
                @if let Some(plot) = plot::svg(record) {
                    figure { (PreEscaped(plot)) }
                }
                div.scroll {
                    table {
                        thead { tr {
                            @for (column, cell) in table.head.iter().enumerate() {
                                th scope="col" class=(class(column)) { (cell) }
                            }
                        } }
                        tbody { @for row in &table.rows { tr {
                            @for (column, cell) in row.iter().enumerate() {
                                td class=(if cell == "ERROR" { "error" } else { class(column) }) { (cell) }
                            }
                        } } }
                    }
                }
                @for (title, lines) in remarks(record) {
                    h2 { (title) }
                    ul { @for line in lines { li { (line) } } }
                }
            }
        }
        "\n"
    };
    page.into_string()
}
