//! A run as one page that needs nothing from elsewhere: for reading it works without JavaScript, which only adds the filter.
//!
//! Whatever a server said is escaped by the template, and the page's own policy allows no script and no style but the two
//! that are written here.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::super::outcome::{By, Failure, Outcome, Run, Said, Verdict};
use super::summary::{Counts, Row, Summary};
use super::{MISSING, NAMED, Parts, causes, duration, name_of, place, visible};
use crate::catalogue::{requirement_of, topic};

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/filter.js");

/// Failures up to this number are open when the page is.
const OPEN: usize = 20;

pub(super) fn write(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(page(run).into_string().as_bytes())
}

fn page(run: &Run) -> Markup {
    let summary = Summary::of(run);
    let policy = format!(
        "default-src 'none'; base-uri 'none'; form-action 'none'; style-src '{}'; script-src '{}'",
        hash(STYLE),
        hash(SCRIPT)
    );
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "IMAP compliance of " (visible(&run.target)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (header(run, summary.all.counts))
                main {
                    (by_rfc(&summary))
                    (by_cause(run))
                    (filter(&summary))
                    (group(run, "failed", "Failed", summary.all.counts.failed <= OPEN))
                    (group(run, "skipped", "Skipped", false))
                    (group(run, "passed", "Passed", false))
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
        "\n"
    }
}

/// What a policy calls this script or style.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

fn header(run: &Run, counts: Counts) -> Markup {
    let facts = [
        ("Began", visible(&run.started).into_owned()),
        ("Took", duration(run.millis)),
        ("Seed", run.seed.to_string()),
        ("Suite", format!("imap-compliance {}", visible(&run.suite))),
    ];
    html! {
        header {
            h1 { "IMAP compliance of " (visible(&run.target)) }
            p.server-name { (visible(&run.server)) }
            ul.counts {
                @for (verdict, count) in
                    [("failed", counts.failed), ("passed", counts.passed), ("skipped", counts.skipped)] {
                    // A group without outcomes is not there.
                    li class=(verdict) {
                        a href=[(count > 0).then(|| format!("#{verdict}"))] { strong { (count) } " " (verdict) }
                    }
                }
            }
            dl.facts {
                @for (name, value) in facts {
                    div { dt { (name) } dd { (value) } }
                }
            }
            @if !run.capabilities.is_empty() {
                details.capabilities {
                    summary { (run.capabilities.len()) " capabilities" }
                    p { code { (visible(&run.capabilities.join(" "))) } }
                }
            }
        }
    }
}

fn by_rfc(summary: &Summary) -> Markup {
    html! {
        section {
            h2 { "By RFC" }
            div.scroll {
                table {
                    thead {
                        tr {
                            th.name scope="col" { "RFC" }
                            th.bar aria-hidden="true" {}
                            @for name in ["Passed", "Failed", "Skipped", "MUST", "SHOULD"] {
                                th scope="col" { (name) }
                            }
                        }
                    }
                    tbody {
                        @for (rfc, row) in &summary.rfcs {
                            tr {
                                th.name scope="row" {
                                    a href=(format!("https://www.rfc-editor.org/rfc/rfc{rfc}")) { (rfc) }
                                    " " span { (topic(*rfc)) }
                                }
                                (cells(row))
                            }
                        }
                    }
                    tfoot { tr { th.name scope="row" { "All" } (cells(&summary.all)) } }
                }
            }
        }
    }
}

/// What many failures have in common.
fn by_cause(run: &Run) -> Markup {
    let causes = causes(run);
    html! {
        @if !causes.is_empty() {
            details.causes {
                summary { h2 { "Failures by cause " small { (causes.len()) } } }
                ul {
                    @for (what, outcomes) in &causes {
                        li {
                            strong { (outcomes.len()) }
                            div {
                                (visible(what))
                                @for outcome in outcomes.iter().take(NAMED) {
                                    span.where { (visible(&outcome.name)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn cells(row: &Row) -> Markup {
    let Counts {
        passed,
        failed,
        skipped,
    } = row.counts;
    let class = |name: &str, count: usize| {
        if count == 0 {
            format!("{name} none")
        } else {
            name.to_owned()
        }
    };
    html! {
        td.bar aria-hidden="true" {
            svg viewBox=(format!("0 0 {} 1", row.counts.all().max(1))) preserveAspectRatio="none" {
                rect.passed width=(passed) height="1" {}
                rect.failed x=(passed) width=(failed) height="1" {}
            }
        }
        td class=(class("passed", passed)) { (passed) }
        td class=(class("failed", failed)) { (failed) }
        td class=(class("skipped", skipped)) { (skipped) }
        @for kept in [row.must, row.should] {
            td class=(class("kept", kept.tried)) title=(format!("{} of {} kept", kept.kept, kept.tried)) {
                (kept.percent())
            }
        }
    }
}

/// Shown by the script alone, which it is of no use without.
fn filter(summary: &Summary) -> Markup {
    html! {
        form hidden {
            label.wide { "Text" input type="search" name="text" autocomplete="off"; }
            label {
                "RFC"
                select name="rfc" {
                    option value="" { "all" }
                    @for rfc in summary.rfcs.keys() {
                        option value=(rfc) { (rfc) " " (topic(*rfc)) }
                    }
                }
            }
            label {
                "Verdict"
                select name="verdict" {
                    option value="" { "all" }
                    @for verdict in ["failed", "skipped", "passed"] {
                        option { (verdict) }
                    }
                }
            }
            label { "Requirement" input name="requirement" placeholder="R3501-042" autocomplete="off"; }
            button type="reset" { "Clear" }
            output {}
        }
    }
}

fn group(run: &Run, verdict: &str, title: &str, open: bool) -> Markup {
    let outcomes = run
        .outcomes
        .iter()
        .filter(|outcome| name_of(&outcome.verdict) == verdict);
    let mut outcomes: Vec<&Outcome> = outcomes.collect();
    outcomes.sort_by_key(|outcome| outcome.rfc);
    html! {
        @if !outcomes.is_empty() {
            section.group id=(verdict) {
                h2 { (title) " " small { (outcomes.len()) } }
                @for outcome in outcomes {
                    (one(run, outcome, open))
                }
            }
        }
    }
}

fn one(run: &Run, outcome: &Outcome, open: bool) -> Markup {
    let verdict = name_of(&outcome.verdict);
    let covers = outcome.covers.join(" ");
    html! {
        details class=(format!("outcome {verdict}")) data-verdict=(verdict) data-rfc=(outcome.rfc)
            data-covers=(visible(&covers)) open[open] {
            summary {
                span.mark { (verdict) }
                span.about {
                    span.claim { (visible(&outcome.claim)) }
                    span.where {
                        "RFC " (outcome.rfc) " " (visible(&outcome.section)) " · " (visible(&outcome.name))
                        @if outcome.group != "scenario" { " · " (visible(&outcome.group)) }
                        @match &outcome.verdict {
                            Verdict::Skipped { reason } => { " · " (visible(reason)) }
                            _ => { " · " span.time { (duration(outcome.millis)) } }
                        }
                    }
                    @if let Verdict::Failed { failure } = &outcome.verdict {
                        span.why { (visible(&failure.what)) }
                    }
                }
            }
            div.inner {
                @if let Verdict::Failed { failure } = &outcome.verdict {
                    (failed(run, outcome, failure))
                }
                (rules(outcome))
            }
        }
    }
}

fn failed(run: &Run, outcome: &Outcome, failure: &Failure) -> Markup {
    let parts = Parts::of(failure);
    let all = &failure.conversation;
    let lines = |from: usize, to: usize| {
        html! {
            @for (at, line) in all.iter().enumerate().take(to).skip(from) {
                (said(line, failure.deviates == Some(at)))
            }
        }
    };
    let missing = failure.deviates.is_none() && !failure.expected.is_empty();
    html! {
        p.what { (visible(&failure.what)) }
        @if parts.before > 0 {
            details.more {
                summary { (parts.before) " earlier lines" }
                ol.talk { (lines(0, parts.before)) }
            }
        }
        @if !all.is_empty() || missing {
            ol.talk {
                (lines(parts.before, parts.end))
                @if missing {
                    li.deviates { strong { (MISSING) } }
                }
            }
        }
        @if parts.end < all.len() {
            details.more {
                summary { (all.len() - parts.end) " later lines" }
                ol.talk { (lines(parts.end, all.len())) }
            }
        }
        @if !failure.expected.is_empty() {
            h3 { "Expected" }
            pre.expected { @for line in &failure.expected { (visible(line)) "\n" } }
        }
        @if failure.line > 0 {
            @let (place, show) = place(run, &outcome.name, failure.line);
            h3 { "Scenario" }
            p.place { code { (visible(&place)) } }
            @if let Some(show) = show {
                pre.show { (visible(&show)) }
            }
        }
        h3 { "Repeat just this" }
        pre.repeat { (visible(&failure.repeat)) }
    }
}

fn said(said: &Said, deviates: bool) -> Markup {
    let (class, who) = match said.by {
        By::Client => ("client", "C:"),
        By::Server => ("server", "S:"),
        By::Suite => ("suite", "--"),
    };
    let lines: Vec<_> = said.text.lines().map(visible).collect();
    html! {
        li class=(if deviates { format!("{class} deviates") } else { class.to_owned() }) {
            span.who { (visible(&said.client)) " " (who) }
            span.said {
                (lines.join("\n"))
                @if deviates { strong { " ◀ deviates" } }
            }
        }
    }
}

fn rules(outcome: &Outcome) -> Markup {
    html! {
        h3 { "Requirements" }
        ul.rules {
            @for id in &outcome.covers {
                li {
                    @match requirement_of(id) {
                        Some(rule) => {
                            code { (id) } " "
                            a href=(link(rule.section)) { "RFC " (rule.section.trim_start_matches("RFC")) } " "
                            span.level { (rule.level) } " "
                            (rule.text)
                        }
                        None => code { (visible(id)) },
                    }
                }
            }
        }
    }
}

/// Where a section such as `RFC3501 6.4.6` is to be read.
fn link(section: &str) -> String {
    let (rfc, section) = section.split_once(' ').unwrap_or((section, ""));
    let page = format!("https://www.rfc-editor.org/rfc/{}", rfc.to_ascii_lowercase());
    match section {
        "" => page,
        _ => format!("{page}#section-{section}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use scraper::{Html, Selector};

    use super::super::{Format, sample, write};
    use super::*;

    fn written(run: &Run) -> String {
        let mut out = Vec::new();
        write(run, Format::Html, &mut out, false).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn texts(page: &Html, selector: &str) -> Vec<String> {
        let selector = Selector::parse(selector).unwrap();
        page.select(&selector).map(|element| element.text().collect()).collect()
    }

    #[test]
    fn a_run_is_told_in_full() {
        sample::golden("run.html", &written(&sample::run()));
    }

    #[test]
    fn a_parser_finds_nothing_wrong() {
        for run in [
            sample::run(),
            sample::small(),
            sample::long(200, Some(100)),
            sample::hostile(),
        ] {
            assert_eq!(Html::parse_document(&written(&run)).errors, [""; 0]);
        }
    }

    #[test]
    fn a_failure_shows_its_conversation_with_the_deviating_line() {
        let page = Html::parse_document(&written(&sample::run()));
        assert_eq!(
            texts(&page, ".failed .talk .deviates"),
            [
                "A S:* 1 FETCH (FLAGS (\\Draft)) ◀ deviates",
                "what was expected did not come"
            ]
        );
        assert_eq!(
            texts(&page, ".failed .what"),
            ["FLAGS lacks `\\Seen`", "`* 2 EXPUNGE` did not come"]
        );
        assert_eq!(texts(&page, ".failed pre.expected")[1], "* 2 EXPUNGE\nc OK <text>\n");
    }

    #[test]
    fn many_failures_are_told_by_cause_and_each_says_what_is_wrong() {
        let (run, what) = sample::failing(10);
        let page = Html::parse_document(&written(&run));
        assert_eq!(texts(&page, ".causes li"), [format!("10{what}s0s1s2")]);
        assert_eq!(texts(&page, ".outcome .why"), vec![what; 10]);
        let (few, _) = sample::failing(9);
        assert_eq!(texts(&Html::parse_document(&written(&few)), ".causes"), [""; 0]);
    }

    #[test]
    fn a_long_conversation_folds_around_its_deviation() {
        let page = Html::parse_document(&written(&sample::long(200, Some(100))));
        assert_eq!(texts(&page, ".more > summary"), ["61 earlier lines", "94 later lines"]);
        assert_eq!(texts(&page, ".talk li").len(), 200);
        assert_eq!(texts(&page, ".inner > .talk > li").len(), 45);
    }

    /// What a server said adds no element, no attribute and no script, whatever it is.
    #[test]
    fn a_server_cannot_write_into_the_page() {
        /// Elements and attributes with all values that are no text for people.
        fn skeleton(page: &Html) -> BTreeSet<(String, String, String)> {
            let mut seen = BTreeSet::new();
            for element in page.select(&Selector::parse("*").unwrap()) {
                let name = element.value().name().to_owned();
                seen.insert((name.clone(), String::new(), String::new()));
                for (attribute, value) in element.value().attrs() {
                    let value = if attribute == "data-covers" { "" } else { value };
                    seen.insert((name.clone(), attribute.to_owned(), value.to_owned()));
                }
            }
            seen
        }

        let (run, evil) = (sample::run(), sample::hostile());
        let text = written(&evil);
        assert_eq!(text.chars().find(|c| *c != '\n' && super::super::hidden(*c)), None);
        let page = Html::parse_document(&text);
        assert_eq!(skeleton(&page), skeleton(&Html::parse_document(&written(&run))));
        let shown = format!("IMAP compliance of {}", visible(&evil.target));
        assert_eq!(texts(&page, "h1"), [shown]);
    }

    #[test]
    fn nothing_is_fetched_from_elsewhere() {
        let page = Html::parse_document(&written(&sample::run()));
        for selector in [
            "link",
            "img",
            "iframe",
            "object",
            "[src]",
            "[style]",
            "[onclick]",
            "[onload]",
            "[onerror]",
        ] {
            assert_eq!(texts(&page, selector), [""; 0], "{selector}");
        }
        assert_eq!(STYLE.find("url("), None);
        assert_eq!(STYLE.find("@import"), None);
        assert_eq!(
            (texts(&page, "style"), texts(&page, "script")),
            (vec![STYLE.into()], vec![SCRIPT.into()])
        );
    }
}
