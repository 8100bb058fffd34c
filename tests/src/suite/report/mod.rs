//! What came of a run, written for people (`text`, `html`) and for machines (`json`, `junit`), and what differs between
//! runs (`compare`).
//!
//! What a server said is shown as it is but never trusted: `visible` escapes what a terminal or a page would obey.

mod columns;
pub mod compare;
mod html;
pub mod json;
mod junit;
#[cfg(test)]
mod sample;
pub mod summary;
mod text;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::str::FromStr;

use backend_api::DateTime;

use super::outcome::{Failure, Outcome, Run, Verdict};

pub(super) use columns::{Align, aligned};

/// How a run is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people, at a terminal.
    #[default]
    Text,
    /// For programs: the [`Run`] itself (see [`json`]).
    Json,
    /// For continuous integration: JUnit's XML.
    Junit,
    /// For people, one page without anything from elsewhere.
    Html,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        named(
            name,
            &[
                ("text", Self::Text),
                ("json", Self::Json),
                ("junit", Self::Junit),
                ("html", Self::Html),
            ],
        )
    }
}

/// What has this name among those there are; else which those are.
pub(in crate::suite) fn named<T: Copy>(name: &str, all: &[(&str, T)]) -> Result<T, String> {
    let found = all.iter().find(|(known, _)| *known == name);
    found.map(|(_, format)| *format).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|(known, _)| *known).collect();
        format!("`{name}` is none of {}", names.join(", "))
    })
}

/// Writes a run. `colour` matters to [`Format::Text`] alone; [`colour_wanted`] tells whether it is welcome.
///
/// # Errors
/// `out` cannot be written.
pub fn write(run: &Run, format: Format, out: &mut dyn Write, colour: bool) -> io::Result<()> {
    match format {
        Format::Text => text::write(run, out, colour),
        Format::Json => json::write(run, out),
        Format::Junit => junit::write(run, out),
        Format::Html => html::write(run, out),
    }
}

/// Whether colours are welcome: on a terminal, unless `NO_COLOR` is set and not empty (<https://no-color.org>).
pub fn colour_wanted(out: &impl IsTerminal) -> bool {
    out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The moment, as [`Run::started`] has it.
pub fn now() -> String {
    let now = DateTime::now();
    let ((year, month, day), (hour, minute, second)) = (now.date().civil(), now.time());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Text without what a terminal, an XML parser or a browser would obey instead of showing: controls, marks that change the
/// direction of writing or take no room, and code points that are no characters become `\x1b` or `\u{202e}`.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match u32::from(c) {
            _ if !hidden(c) => shown.push(c),
            0x09 => shown.push_str("\\t"),
            0x0a => shown.push_str("\\n"),
            0x0d => shown.push_str("\\r"),
            code @ ..0x80 => _ = write!(shown, "\\x{code:02x}"),
            code => _ = write!(shown, "\\u{{{code:x}}}"),
        }
    }
    Cow::Owned(shown)
}

fn hidden(c: char) -> bool {
    let code = u32::from(c);
    c.is_control()
        || matches!(code, 0x061c | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfdd0..=0xfdef | 0xfeff)
        || code & 0xfffe == 0xfffe
}

/// `850 ms`, `12.3 s`, `4 min 2 s`.
fn duration(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        _ => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1_000),
    }
}

/// What a verdict is called.
pub fn name_of(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed { .. } => "failed",
        Verdict::Skipped { .. } => "skipped",
    }
}

/// A failure's conversation, split so that a long one can be shown in part: its beginning, what matters, and the rest.
struct Parts {
    /// Lines before those that matter.
    before: usize,
    /// Where those that matter end.
    end: usize,
}

impl Parts {
    /// Some lines up to the deviating one, and a few behind it.
    fn of(failure: &Failure) -> Self {
        const UP_TO: usize = 40;
        const BEHIND: usize = 5;
        let all = failure.conversation.len();
        let last = failure.deviates.map_or(all, |at| at.saturating_add(1)).min(all);
        Self {
            before: last.saturating_sub(UP_TO),
            end: last.saturating_add(BEHIND).min(all),
        }
    }
}

/// Failures so many that one would look for what they have in common.
const MANY: usize = 10;
/// Scenarios that are named for a cause.
const NAMED: usize = 3;

/// What many failures have in common: each deviation with the outcomes that show it, the most frequent first; nothing where
/// there are few.
fn causes(run: &Run) -> Vec<(&str, Vec<&Outcome>)> {
    let mut causes: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for outcome in &run.outcomes {
        if let Verdict::Failed { failure } = &outcome.verdict {
            causes.entry(&failure.what).or_default().push(outcome);
        }
    }
    if causes.values().map(Vec::len).sum::<usize>() < MANY {
        return Vec::new();
    }
    // What came once has nothing in common with anything.
    let mut causes: Vec<_> = causes.into_iter().filter(|(_, outcomes)| outcomes.len() > 1).collect();
    causes.sort_by_key(|(_, outcomes)| std::cmp::Reverse(outcomes.len()));
    causes
}

/// Where a failure's scenario is to be read: its file and line, and for one that is built in the command that shows it.
fn place(run: &Run, name: &str, line: u32) -> (String, Option<String>) {
    match &run.scenarios {
        Some(folder) => (format!("{folder}/{name}.imap, line {line}"), None),
        None => (
            format!("{name}, line {line}"),
            Some(format!("imap-compliance show -n {name}")),
        ),
    }
}

/// Said when nothing that came is wrong, but something did not come.
const MISSING: &str = "what was expected did not come";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_obeyed_is_shown() {
        assert_eq!(visible("a \\r plain ü <b>"), "a \\r plain ü <b>");
        assert_eq!(
            visible("\0\t\r\n\x1b[2J\x7f\u{9b}\u{202e}\u{feff}\u{fffe}\u{1ffff}"),
            "\\x00\\t\\r\\n\\x1b[2J\\x7f\\u{9b}\\u{202e}\\u{feff}\\u{fffe}\\u{1ffff}"
        );
    }

    #[test]
    fn durations_are_for_people() {
        let shown = [0, 999, 1_000, 59_999, 60_000, 242_900].map(duration);
        assert_eq!(shown, ["0 ms", "999 ms", "1.0 s", "59.9 s", "1 min 0 s", "4 min 2 s"]);
    }

    #[test]
    fn a_built_in_scenario_is_shown_and_another_is_a_file() {
        let mut run = sample::run();
        assert_eq!(
            place(&run, "x/y", 7),
            ("x/y, line 7".to_owned(), Some("imap-compliance show -n x/y".to_owned()))
        );
        run.scenarios = Some("mine".to_owned());
        assert_eq!(place(&run, "x/y", 7), ("mine/x/y.imap, line 7".to_owned(), None));
    }

    #[test]
    fn formats_have_names() {
        assert_eq!("junit".parse(), Ok(Format::Junit));
        assert_eq!(
            "xml".parse::<Format>(),
            Err("`xml` is none of text, json, junit, html".to_owned())
        );
    }
}
