//! A run as JUnit's XML, as continuous integration reads it: a suite for each RFC, a case for each scenario.

use std::collections::BTreeMap;
use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::super::outcome::{By, Failure, Outcome, Run, Verdict};
use super::summary::Counts;
use super::{MISSING, place, visible};
use crate::catalogue::{requirement_of, topic};

pub(super) fn write(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let mut rfcs: BTreeMap<u32, Vec<&Outcome>> = BTreeMap::new();
    for outcome in &run.outcomes {
        rfcs.entry(outcome.rfc).or_default().push(outcome);
    }
    let mut xml = Xml(Writer::new_with_indent(out, b' ', 2));
    xml.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let mut all = counted("testsuites", "imap-compliance", Counts::of(run), run.millis);
    timestamp(&mut all, run);
    xml.open(all)?;
    for (rfc, outcomes) in rfcs {
        suite(&mut xml, run, rfc, &outcomes)?;
    }
    xml.close("testsuites")?;
    writeln!(xml.0.get_mut())
}

fn suite(xml: &mut Xml<'_>, run: &Run, rfc: u32, outcomes: &[&Outcome]) -> io::Result<()> {
    let mut counts = Counts::default();
    outcomes.iter().for_each(|outcome| counts.add(&outcome.verdict));
    // Scenarios run side by side: together they can take longer than the run.
    let millis = outcomes.iter().map(|outcome| outcome.millis).sum();
    let name = format!("RFC {rfc} {}", topic(rfc));
    let mut suite = counted("testsuite", name.trim_end(), counts, millis);
    timestamp(&mut suite, run);
    attribute(&mut suite, "hostname", &run.target);
    xml.open(suite)?;
    xml.open(BytesStart::new("properties"))?;
    for (name, value) in [
        ("suite", &run.suite),
        ("target", &run.target),
        ("server", &run.server),
        ("capabilities", &run.capabilities.join(" ")),
        ("seed", &run.seed.to_string()),
    ] {
        let mut property = BytesStart::new("property");
        attribute(&mut property, "name", name);
        attribute(&mut property, "value", value);
        xml.event(Event::Empty(property))?;
    }
    xml.close("properties")?;
    for outcome in outcomes {
        case(xml, run, outcome)?;
    }
    xml.close("testsuite")
}

fn case(xml: &mut Xml<'_>, run: &Run, outcome: &Outcome) -> io::Result<()> {
    let mut case = BytesStart::new("testcase");
    attribute(&mut case, "name", &outcome.name);
    attribute(&mut case, "classname", &format!("imap.rfc{}", outcome.rfc));
    attribute(&mut case, "time", &seconds(outcome.millis));
    xml.open(case)?;
    match &outcome.verdict {
        Verdict::Passed => {}
        Verdict::Failed { failure } => {
            let mut failed = BytesStart::new("failure");
            attribute(&mut failed, "message", &failure.what);
            attribute(&mut failed, "type", "deviation");
            xml.lines(failed, &told(run, outcome, failure))?;
        }
        Verdict::Skipped { reason } => {
            let mut skipped = BytesStart::new("skipped");
            attribute(&mut skipped, "message", reason);
            xml.event(Event::Empty(skipped))?;
        }
    }
    let mut about = vec![
        outcome.claim.clone(),
        format!("RFC {} {}", outcome.rfc, outcome.section),
    ];
    about.extend(outcome.covers.iter().map(|id| rule(id)));
    xml.lines(BytesStart::new("system-out"), &about)?;
    xml.close("testcase")
}

/// A failure in full, line by line.
fn told(run: &Run, outcome: &Outcome, failure: &Failure) -> Vec<String> {
    let mut lines = vec![failure.what.clone(), String::new()];
    for (at, said) in failure.conversation.iter().enumerate() {
        let mark = if failure.deviates == Some(at) { '>' } else { ' ' };
        let who = match said.by {
            By::Client => "C:",
            By::Server => "S:",
            By::Suite => "--",
        };
        lines.push(format!("{mark} {} {who} {}", said.client, said.text));
    }
    if failure.deviates.is_none() && !failure.expected.is_empty() {
        lines.push(format!("> ({MISSING})"));
    }
    lines.push(String::new());
    lines.extend(failure.expected.iter().map(|line| format!("expected: {line}")));
    if failure.line > 0 {
        let (place, show) = place(run, &outcome.name, failure.line);
        lines.push(format!("scenario: {place}"));
        lines.extend(show.map(|show| format!("show: {show}")));
    }
    lines.push(format!("repeat: {}", failure.repeat));
    lines
}

fn rule(id: &str) -> String {
    match requirement_of(id) {
        Some(rule) => format!("{id} {} ({}): {}", rule.level, rule.section, rule.text),
        None => id.to_owned(),
    }
}

fn counted<'a>(element: &'a str, name: &str, counts: Counts, millis: u64) -> BytesStart<'a> {
    let mut start = BytesStart::new(element);
    attribute(&mut start, "name", name);
    attribute(&mut start, "tests", &counts.all().to_string());
    attribute(&mut start, "failures", &counts.failed.to_string());
    attribute(&mut start, "errors", "0");
    attribute(&mut start, "skipped", &counts.skipped.to_string());
    attribute(&mut start, "time", &seconds(millis));
    start
}

/// When the run began, as the schema wants it: to the second, without a zone. Left out where it is of another form.
fn timestamp(start: &mut BytesStart<'_>, run: &Run) {
    let Some(moment) = run.started.get(..19) else { return };
    let form = |c: char| if c.is_ascii_digit() { '9' } else { c };
    if moment.chars().map(form).eq("9999-99-99T99:99:99".chars()) {
        attribute(start, "timestamp", moment);
    }
}

fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1_000, millis % 1_000)
}

fn attribute(start: &mut BytesStart<'_>, name: &str, value: &str) {
    start.push_attribute((name, visible(value).as_ref()));
}

struct Xml<'a>(Writer<&'a mut dyn Write>);

impl Xml<'_> {
    fn event(&mut self, event: Event<'_>) -> io::Result<()> {
        self.0.write_event(event)
    }

    fn open(&mut self, start: BytesStart<'_>) -> io::Result<()> {
        self.event(Event::Start(start))
    }

    fn close(&mut self, name: &str) -> io::Result<()> {
        self.event(Event::End(BytesEnd::new(name)))
    }

    /// An element that holds lines.
    fn lines(&mut self, start: BytesStart<'_>, lines: &[String]) -> io::Result<()> {
        let end = start.to_end().into_owned();
        let lines: Vec<_> = lines.iter().map(|line| visible(line)).collect();
        self.open(start)?;
        self.event(Event::Text(BytesText::new(&lines.join("\n"))))?;
        self.event(Event::End(end))
    }
}

#[cfg(test)]
mod tests {
    use roxmltree::Document;

    use super::super::{Format, sample, write};
    use super::*;

    fn written(run: &Run) -> String {
        let mut out = Vec::new();
        write(run, Format::Junit, &mut out, false).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_run_is_told_in_full() {
        sample::golden("run.xml", &written(&sample::run()));
    }

    #[test]
    fn a_reader_of_junit_finds_what_it_looks_for() {
        let text = written(&sample::run());
        let document = Document::parse(&text).unwrap();
        let root = document.root_element();
        assert_eq!(root.tag_name().name(), "testsuites");
        let suites: Vec<_> = root.children().filter(roxmltree::Node::is_element).collect();
        let attribute = |name| suites.iter().map(|s| s.attribute(name).unwrap()).collect::<Vec<_>>();
        assert_eq!(
            attribute("name"),
            ["RFC 3501 IMAP4rev1", "RFC 6851 MOVE", "RFC 7162 CONDSTORE, QRESYNC"]
        );
        assert_eq!(attribute("tests"), ["3", "2", "2"]);
        assert_eq!(attribute("failures"), ["2", "0", "0"]);
        assert_eq!(attribute("skipped"), ["0", "2", "1"]);
        for suite in suites {
            let count = |name: &str| suite.descendants().filter(|n| n.has_tag_name(name)).count().to_string();
            assert_eq!(Some(count("testcase").as_str()), suite.attribute("tests"));
            assert_eq!(Some(count("failure").as_str()), suite.attribute("failures"));
            assert_eq!(Some(count("skipped").as_str()), suite.attribute("skipped"));
        }
    }

    #[test]
    fn a_server_cannot_break_the_document() {
        let text = written(&sample::hostile());
        let document = Document::parse(&text).unwrap();
        let names: std::collections::BTreeSet<&str> =
            document.descendants().map(|node| node.tag_name().name()).collect();
        let known = [
            "",
            "failure",
            "properties",
            "property",
            "skipped",
            "system-out",
            "testcase",
            "testsuite",
            "testsuites",
        ];
        assert_eq!(names.into_iter().collect::<Vec<_>>(), known);
        let evil = &sample::hostile().server;
        let read = document
            .descendants()
            .find(|n| n.attribute("name") == Some("server"))
            .unwrap();
        assert_eq!(read.attribute("value"), Some(visible(evil).as_ref()));
    }
}
