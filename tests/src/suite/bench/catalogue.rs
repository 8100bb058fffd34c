//! What there is to be measured: groups of lines, each of which becomes a row of the report.

use super::groups;
use super::growth;
use super::round::Round;
use super::sizes::{Sizes, thousands};
use super::trouble::Result;

/// What a figure is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Logins,
    Commands,
    Messages,
    Sessions,
    Megabytes,
    Millis,
    MicrosEach,
    KilobytesEach,
}

impl Unit {
    /// As it is written.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Logins => "logins/s",
            Self::Commands => "cmds/s",
            Self::Messages => "msgs/s",
            Self::Sessions => "sessions/s",
            Self::Megabytes => "MB/s",
            Self::Millis => "ms",
            Self::MicrosEach => "µs/msg",
            Self::KilobytesEach => "kB/conn",
        }
    }

    /// Whether the smaller figure is the better one.
    pub(super) fn less_is_better(self) -> bool {
        matches!(self, Self::Millis | Self::MicrosEach | Self::KilobytesEach)
    }
}

/// One thing that is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// What programs know it by; it does not change with the sizes.
    pub(super) name: &'static str,
    /// What people read; names of sizes in braces stand for numbers.
    title: &'static str,
    /// What its figure is counted in.
    pub(super) unit: Unit,
}

impl Line {
    pub(super) const fn new(name: &'static str, title: &'static str, unit: Unit) -> Self {
        Self { name, title, unit }
    }

    /// What people read.
    pub(super) fn title(&self, sizes: &Sizes) -> String {
        let numbers = [
            ("{medium}", sizes.medium),
            ("{large}", sizes.large),
            ("{copied}", sizes.copied),
            ("{mailboxes}", sizes.mailboxes),
            ("{watchers}", sizes.watchers),
            ("{idle}", sizes.idle),
        ];
        let title = self.title.to_owned();
        numbers
            .iter()
            .fold(title, |title, (name, number)| title.replace(name, &thousands(*number)))
    }
}

/// Lines that are measured together.
pub(super) struct Group {
    /// What it is chosen by.
    pub(super) name: &'static str,
    /// What it measures.
    pub(super) about: &'static str,
    /// Its lines, in the order of the report.
    pub(super) lines: &'static [Line],
    /// Whether each line is measured at each size of [`Sizes::growth`].
    pub(super) by_size: bool,
    /// Measures them.
    pub(super) run: fn(&mut Round) -> Result<()>,
}

/// All groups, in the order in which they are run: what changes a mailbox comes behind what counts on it.
pub(super) static GROUPS: &[&Group] = &[
    &groups::login::GROUP,
    &groups::noop::GROUP,
    &groups::populate::GROUP,
    &groups::append::GROUP,
    &groups::large_message::GROUP,
    &groups::fetch::FLAGS,
    &groups::fetch::META,
    &groups::fetch::BODY,
    &groups::store::GROUP,
    &groups::search::GROUP,
    &groups::select::GROUP,
    &groups::copy::GROUP,
    &groups::expunge::GROUP,
    &groups::mailboxes::GROUP,
    &groups::session::GROUP,
    &groups::fanout::GROUP,
    &groups::idle::GROUP,
];

/// What shows how cost grows.
pub(super) static GROWTH: &[&Group] = &[&growth::GROUP];

/// The names of the groups.
pub fn names() -> impl Iterator<Item = &'static str> {
    GROUPS.iter().map(|group| group.name)
}

/// What each group measures, for people: a line for it and one for each of its rows.
pub fn list(sizes: &Sizes) -> String {
    let mut text = String::new();
    for (heading, groups) in [("", GROUPS), ("with --growth, at each size:\n", GROWTH)] {
        text.push_str(heading);
        for group in groups {
            text.push_str(&format!("{:<14}{}\n", group.name, group.about));
            for line in group.lines {
                let title = line.title(sizes);
                text.push_str(&format!("    {:<24}{title} [{}]\n", line.name, line.unit.name()));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::suite::bench::sizes::Scale;

    #[test]
    fn each_line_has_a_name_of_its_own_and_a_title_without_gaps() {
        let sizes = Sizes::of(Scale::Full);
        let groups = || GROUPS.iter().chain(GROWTH);
        let lines: Vec<&Line> = groups().flat_map(|group| group.lines).collect();
        let names: BTreeSet<&str> = lines.iter().map(|line| line.name).collect();
        assert_eq!(names.len(), lines.len());
        let gaps = lines.iter().filter(|line| line.title(&sizes).contains(['{', '}']));
        assert_eq!(gaps.map(|line| line.name).collect::<Vec<_>>(), [""; 0]);
        let groups: BTreeSet<&str> = groups().map(|group| group.name).collect();
        assert_eq!(groups.len(), GROUPS.len() + GROWTH.len());
    }
}
