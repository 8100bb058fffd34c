//! Where a number stands among ascending ones: a table says it roughly, so that a look-up touches two places of memory.

/// Numbers for which a place of the table stands, on average.
const PER_PLACE: usize = 8;
/// With fewer numbers there is no table.
const FEW: usize = 64;

/// The rough places of ascending numbers. It may be asked also after some were taken off their end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Finder {
    base: u32,
    /// Numbers that differ from `base` by as much, but for this many low bits, are found at the same place.
    shift: u32,
    /// How many numbers stand before each place, and then how many there are. Empty without a table.
    before: Vec<u32>,
}

impl Finder {
    /// For these ascending numbers. O(numbers); a table has at most an eighth as many places.
    pub(crate) fn new(numbers: &[u32]) -> Self {
        let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else {
            return Self::default();
        };
        if numbers.len() < FEW {
            return Self::default();
        }
        let (base, span) = (*first, last - first);
        let places = u32::try_from(numbers.len() / PER_PLACE).unwrap_or(u32::MAX);
        let shift = (0..32).find(|shift| span >> shift < places).unwrap_or(31);
        let mut before = Vec::with_capacity((span >> shift) as usize + 2);
        for (i, number) in (0_u32..).zip(numbers) {
            let place = ((number - base) >> shift) as usize;
            if before.len() <= place {
                before.resize(place + 1, i);
            }
        }
        before.push(u32::try_from(numbers.len()).unwrap_or(u32::MAX));
        Self { base, shift, before }
    }

    /// Where the last of these numbers is that is at most `n`. O(1) where they are spread evenly, else O(log).
    pub(crate) fn last_at_most(&self, numbers: &[u32], n: u32) -> Option<usize> {
        let (low, high) = self.place(numbers.len(), n)?;
        let within = numbers.get(low..high)?.partition_point(|other| *other <= n);
        (low + within).checked_sub(1)
    }

    /// Below `low` all numbers are at most `n`, from `high` on none is.
    fn place(&self, len: usize, n: u32) -> Option<(usize, usize)> {
        let Some(last) = self.before.len().checked_sub(2) else {
            return Some((0, len));
        };
        let place = ((n.checked_sub(self.base)? >> self.shift) as usize).min(last);
        let (low, high) = (*self.before.get(place)?, *self.before.get(place + 1)?);
        Some((len.min(low as usize), len.min(high as usize)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(numbers: &[u32], asked: impl IntoIterator<Item = u32>) {
        let finder = Finder::new(numbers);
        assert!(finder.before.len() <= numbers.len() / PER_PLACE + 2);
        for n in asked {
            for kept in [numbers.len(), numbers.len() / 2, 1, 0] {
                let numbers = &numbers[..kept.min(numbers.len())];
                let expected = numbers.iter().rposition(|other| *other <= n);
                assert_eq!(finder.last_at_most(numbers, n), expected, "{n} of {kept}");
            }
        }
    }

    #[test]
    fn the_last_number_that_is_not_higher_is_found_however_they_are_spread() {
        let ends = [0, 1, 2, u32::MAX - 1, u32::MAX];
        let mut state = 1_u32;
        let mut random = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 4) % below
        };
        let spread: Vec<u32> = (1..2_000).map(|n| n * 1_000).collect();
        let dense: Vec<u32> = (7..2_000).collect();
        let mut clustered: Vec<u32> = (0..500).map(|n| 3 * n).chain([u32::MAX / 2, u32::MAX]).collect();
        clustered.extend((0..500).map(|_| random(u32::MAX)));
        clustered.sort_unstable();
        clustered.dedup();
        let few: Vec<u32> = (0..FEW as u32 - 1).map(|n| 5 + n * n).collect();
        for numbers in [&spread, &dense, &clustered, &few, &vec![9], &vec![]] {
            let near = numbers
                .iter()
                .step_by(7)
                .flat_map(|n| [n.saturating_sub(1), *n, n.saturating_add(1)]);
            check(numbers, near.chain(ends).collect::<Vec<_>>());
        }
    }
}
