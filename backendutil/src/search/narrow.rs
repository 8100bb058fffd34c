//! Which messages a program can match at all, known before one of them is looked at.

use backend_api::{Date, Flags, NumSet, SeqSet};

use super::Need;
use super::evaluate::Known;
use super::program::{Node, Parts, RowTest, Test};

/// The numbers outside of which nothing matches, as far as numbers and UIDs in the key and what an index said tell;
/// `None` if they tell nothing.
pub(super) fn named(test: &Test, parts: &Parts, resolve: &impl Fn(&NumSet) -> SeqSet) -> Option<SeqSet> {
    match &test.node {
        Node::Always(false) => Some(SeqSet::new()),
        Node::Row(RowTest::Set(set)) => Some(resolve(set)),
        Node::Field { sought, .. } | Node::Body { sought, .. } | Node::Text { sought, .. } => {
            let may_hold = parts.may_hold.get(*sought)?.as_ref()?;
            Some(resolve(&NumSet::Uid(may_hold.clone())))
        }
        Node::All(tests) => {
            let sets = tests.iter().filter_map(|test| named(test, parts, resolve));
            sets.reduce(|all, set| all.intersection(&set))
        }
        Node::Any(tests) => {
            let sets: Option<Vec<SeqSet>> = tests.iter().map(|test| named(test, parts, resolve)).collect();
            Some(SeqSet::from_runs(sets?.iter().flat_map(SeqSet::runs).copied()))
        }
        // What is not named is most of the mailbox.
        Node::Not(_) | Node::Always(true) | Node::Row(_) | Node::Size(..) | Node::Sent(..) => None,
    }
}

/// The flags alone are known. What is needed for more is not asked for.
pub(super) struct OfFlags<'a>(pub(super) &'a Flags);

const MORE: Need = Need::Size;

impl Known for OfFlags<'_> {
    fn holds(&self, test: &RowTest) -> Result<bool, Need> {
        match test {
            RowTest::Has(flag) => Ok(self.0.contains(flag)),
            _ => Err(MORE),
        }
    }
    fn lacks(&self, _: usize) -> bool {
        false
    }
    fn size(&self) -> Result<u64, Need> {
        Err(MORE)
    }
    fn sent(&self) -> Result<Option<Date>, Need> {
        Err(MORE)
    }
    fn field(&mut self, _: usize, _: Option<usize>) -> Result<bool, Need> {
        Err(MORE)
    }
    fn body(&self, _: usize) -> Result<bool, Need> {
        Err(MORE)
    }
    fn text(&self, _: usize) -> Result<bool, Need> {
        Err(MORE)
    }
}
