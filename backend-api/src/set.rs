//! Sets of sequence numbers and of UIDs as sorted, disjoint runs, `*` already resolved.

use std::fmt;
use std::ops::RangeInclusive;

use crate::{Seq, Uid};

/// A number that a set can hold.
pub trait Number: Copy + Ord + fmt::Debug + Send + Sync {
    /// From a plain number; `None` for zero.
    fn from_u32(n: u32) -> Option<Self>;
    /// As a plain number.
    fn to_u32(self) -> u32;
}

impl Number for Uid {
    fn from_u32(n: u32) -> Option<Self> {
        Self::new(n)
    }
    fn to_u32(self) -> u32 {
        self.get()
    }
}

impl Number for Seq {
    fn from_u32(n: u32) -> Option<Self> {
        Self::new(n)
    }
    fn to_u32(self) -> u32 {
        self.get()
    }
}

/// A set of numbers: ascending runs that neither overlap nor touch. Memory is in proportion to the runs.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NumberSet<N> {
    /// Inclusive, ascending, with a gap between any two.
    runs: Vec<(N, N)>,
}

/// A set of UIDs.
pub type UidSet = NumberSet<Uid>;
/// A set of message sequence numbers.
pub type SeqSet = NumberSet<Seq>;

impl<N> Default for NumberSet<N> {
    fn default() -> Self {
        Self { runs: Vec::new() }
    }
}

impl<N: Number> NumberSet<N> {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The set of one run; the ends may come in either order.
    pub fn run(a: N, b: N) -> Self {
        Self {
            runs: vec![(a.min(b), a.max(b))],
        }
    }

    /// The set of these runs in any order, overlapping or not. O(n log n).
    pub fn from_runs(runs: impl IntoIterator<Item = (N, N)>) -> Self {
        let mut runs: Vec<(N, N)> = runs.into_iter().map(|(a, b)| (a.min(b), a.max(b))).collect();
        if !runs.is_sorted() {
            runs.sort_unstable();
        }
        let mut set = Self::new();
        for (a, b) in runs {
            set.push_run(a, b);
        }
        set
    }

    /// Adds a run that starts at or after the start of the last one (the usual case: ascending input). A run that
    /// starts earlier is put in its place at the cost of a rebuild.
    pub fn push_run(&mut self, a: N, b: N) {
        let (a, b) = (a.min(b), a.max(b));
        match self.runs.last_mut() {
            Some(last) if a < last.0 => {
                self.runs.push((a, b));
                *self = Self::from_runs(std::mem::take(&mut self.runs));
            }
            Some(last) if a.to_u32() <= last.1.to_u32().saturating_add(1) => last.1 = last.1.max(b),
            _ => self.runs.push((a, b)),
        }
    }

    /// Adds a number.
    pub fn insert(&mut self, n: N) {
        self.push_run(n, n);
    }

    /// The runs, ascending, both ends inclusive.
    pub fn runs(&self) -> &[(N, N)] {
        &self.runs
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// How many numbers are in it.
    pub fn len(&self) -> u64 {
        self.runs
            .iter()
            .map(|(a, b)| u64::from(b.to_u32() - a.to_u32()) + 1)
            .sum()
    }

    /// The lowest number.
    pub fn first(&self) -> Option<N> {
        self.runs.first().map(|r| r.0)
    }

    /// The highest number.
    pub fn last(&self) -> Option<N> {
        self.runs.last().map(|r| r.1)
    }

    /// Whether `n` is in it. O(log runs).
    pub fn contains(&self, n: N) -> bool {
        let i = self.runs.partition_point(|r| r.1 < n);
        self.runs.get(i).is_some_and(|r| r.0 <= n)
    }

    /// The numbers, ascending. The set may be as large as 4 billion numbers: bound what you do with it.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = N> + '_ {
        self.runs
            .iter()
            .flat_map(|(a, b)| plain(*a, *b).filter_map(N::from_u32))
    }

    /// Whether nothing is in both. O(m log n) for m runs in the one that has fewer.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        let (few, many) = match self.runs.len() <= other.runs.len() {
            true => (self, other),
            false => (other, self),
        };
        few.runs.iter().all(|(a, b)| {
            let at = many.runs.partition_point(|run| run.1 < *a);
            many.runs.get(at).is_none_or(|run| run.0 > *b)
        })
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (mut left, mut right) = (self.runs.iter().peekable(), other.runs.iter().peekable());
        let mut out = Self::new();
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            let (start, end) = (a.0.max(b.0), a.1.min(b.1));
            if start <= end {
                out.push_run(start, end);
            }
            if a.1 < b.1 {
                left.next();
            } else {
                right.next();
            }
        }
        out
    }
}

fn plain<N: Number>(a: N, b: N) -> RangeInclusive<u32> {
    a.to_u32()..=b.to_u32()
}

impl<N: Number> FromIterator<N> for NumberSet<N> {
    fn from_iter<T: IntoIterator<Item = N>>(iter: T) -> Self {
        let mut set = Self::new();
        let mut unsorted = Vec::new();
        for n in iter {
            match set.last() {
                Some(last) if n < last => unsorted.push((n, n)),
                _ => set.insert(n),
            }
        }
        if unsorted.is_empty() {
            return set;
        }
        unsorted.extend(set.runs);
        Self::from_runs(unsorted)
    }
}

/// As IMAP writes it: `1:3,5`.
impl<N: Number> fmt::Display for NumberSet<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (a, b)) in self.runs.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            write!(f, "{}", a.to_u32())?;
            if a != b {
                write!(f, ":{}", b.to_u32())?;
            }
        }
        Ok(())
    }
}

impl<N: Number> fmt::Debug for NumberSet<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

/// The messages that a command names, by number or by UID.
///
/// The core has checked and resolved it: no number is above EXISTS, `*` and `$` are replaced by what they mean. A UID
/// that is not in the mailbox is not an error (RFC 3501 6.4.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumSet {
    /// By message sequence number.
    Seq(SeqSet),
    /// By UID: the command was a `UID` command.
    Uid(UidSet),
}

impl NumSet {
    /// Whether it is of UIDs.
    pub fn is_uid(&self) -> bool {
        matches!(self, Self::Uid(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(runs: &[(u32, u32)]) -> UidSet {
        UidSet::from_runs(runs.iter().map(|(a, b)| (Uid::new(*a).unwrap(), Uid::new(*b).unwrap())))
    }

    #[test]
    fn runs_that_overlap_or_touch_are_one() {
        assert_eq!(
            set(&[(5, 7), (1, 2), (3, 3), (7, 9), (20, 11)]).to_string(),
            "1:3,5:9,11:20"
        );
        assert_eq!(set(&[(u32::MAX, u32::MAX), (1, 1)]).to_string(), "1,4294967295");
    }

    #[test]
    fn numbers_come_in_any_order() {
        let s: UidSet = [4, 1, 2, 9, 3].into_iter().filter_map(Uid::new).collect();
        assert_eq!(s.to_string(), "1:4,9");
        assert_eq!(s.len(), 5);
    }

    #[test]
    fn sets_are_disjoint_whose_intersection_is_empty() {
        let sets = [
            &[][..],
            &[(1, 5)],
            &[(6, 6)],
            &[(2, 3), (7, 9)],
            &[(5, 7)],
            &[(1, 1), (10, 11), (20, 30)],
            &[(1, 30)],
        ];
        for (a, b) in sets.iter().flat_map(|a| sets.iter().map(move |b| (set(a), set(b)))) {
            assert_eq!(a.is_disjoint(&b), a.intersection(&b).is_empty(), "{a} {b}");
        }
    }

    #[test]
    fn an_intersection_holds_what_is_in_both() {
        assert_eq!(
            set(&[(1, 5), (10, 20)])
                .intersection(&set(&[(4, 11), (15, 15), (30, 40)]))
                .to_string(),
            "4:5,10:11,15"
        );
        assert!(set(&[(1, 5)]).intersection(&set(&[])).is_empty());
    }

    #[test]
    fn membership_is_right_at_each_end_of_a_run() {
        let s = set(&[(2, 3), (7, 9)]);
        let members: Vec<u32> = (1..=10).filter(|n| s.contains(Uid::new(*n).unwrap())).collect();
        assert_eq!(members, [2, 3, 7, 8, 9]);
    }
}
