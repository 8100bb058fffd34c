//! What a program comes to with what is known of a message: true, false, or what must be known to say.

use backend_api::{Date, NumSet};

use super::program::{Node, Parts, RowTest, Test};
use super::{Need, Row};

/// What is known of a message: more and more of it, as it is loaded.
pub(super) trait Known {
    /// What the columns say to this.
    fn holds(&self, test: &RowTest) -> Result<bool, Need>;
    /// Whether an index says that the message does not hold what is sought under this number.
    fn lacks(&self, sought: usize) -> bool;
    fn size(&self) -> Result<u64, Need>;
    /// The day of sending.
    fn sent(&self) -> Result<Option<Date>, Need>;
    /// Whether some field of the group has the needle; without a needle, whether there is such a field.
    fn field(&mut self, group: usize, needle: Option<usize>) -> Result<bool, Need>;
    fn body(&self, needle: usize) -> Result<bool, Need>;
    fn text(&self, needle: usize) -> Result<bool, Need>;
}

/// The columns alone are known.
pub(super) struct Columns<'a> {
    pub(super) row: &'a Row<'a>,
    pub(super) parts: &'a Parts,
}

impl Known for Columns<'_> {
    fn holds(&self, test: &RowTest) -> Result<bool, Need> {
        Ok(test.holds(self.row))
    }
    fn lacks(&self, sought: usize) -> bool {
        self.parts.lacks(sought, self.row.uid)
    }
    fn size(&self) -> Result<u64, Need> {
        self.row.size.ok_or(Need::Size)
    }
    fn sent(&self) -> Result<Option<Date>, Need> {
        Err(Need::Index)
    }
    fn field(&mut self, group: usize, _: Option<usize>) -> Result<bool, Need> {
        Err(self.parts.groups.get(group).map_or(Need::Header, |group| group.need))
    }
    fn body(&self, _: usize) -> Result<bool, Need> {
        Err(Need::Body)
    }
    fn text(&self, _: usize) -> Result<bool, Need> {
        Err(Need::Body)
    }
}

/// Evaluates as far as is known: one false test makes a list of which all must hold false, whatever the others are.
/// What it says is needed is the least that may decide.
pub(super) fn evaluate(test: &Test, known: &mut impl Known) -> Result<bool, Need> {
    match &test.node {
        Node::Always(value) => Ok(*value),
        Node::Row(test) => known.holds(test),
        Node::Size(wanted, than) => known.size().map(|size| size.cmp(than) == *wanted),
        Node::Sent(day_test, date) => known
            .sent()
            .map(|day| day.is_some_and(|day| day_test.holds(day, *date))),
        Node::Field { sought, .. } | Node::Body { sought, .. } | Node::Text { sought, .. } if known.lacks(*sought) => {
            Ok(false)
        }
        Node::Field { group, needle, .. } => known.field(*group, *needle),
        Node::Body { needle, .. } => known.body(*needle),
        Node::Text { needle, .. } => known.text(*needle),
        Node::Not(test) => evaluate(test, known).map(|value| !value),
        Node::All(tests) => list(tests, known, true),
        Node::Any(tests) => list(tests, known, false),
    }
}

fn list(tests: &[Test], known: &mut impl Known, all: bool) -> Result<bool, Need> {
    let mut need: Option<Need> = None;
    for test in tests {
        match evaluate(test, known) {
            Ok(value) if value != all => return Ok(value),
            Ok(_) => {}
            Err(more) => need = Some(need.map_or(more, |need| need.min(more))),
        }
    }
    need.map_or(Ok(all), Err)
}

impl RowTest {
    pub(super) fn holds(&self, row: &Row<'_>) -> bool {
        match self {
            Self::Set(NumSet::Seq(set)) => set.contains(row.seq),
            Self::Set(NumSet::Uid(set)) => set.contains(row.uid),
            Self::Has(flag) => row.flags.contains(flag),
            Self::Recent => row.recent,
            Self::Day(test, date) => test.holds(row.date.date(), *date),
            Self::ModSeq(least) => row.mod_seq >= *least,
        }
    }
}
