//! Which body has which grams: put in body by body, taken out gram by gram.

use super::grams::Gram;

/// Grams are put in order by the bits above these, then by these: letters have few of the former, so that what is written
/// at a time, and what is then sorted, is in the processor's cache.
const LOW: u32 = 11;
const HIGH: u32 = 14;
/// Beside the low bits of a gram, the ordinal of its body has the rest of 32 bits.
const ORDINAL: u32 = 32 - LOW;
/// The most bodies that may be put in.
pub(super) const MOST: usize = 1 << ORDINAL;
/// Fewer entries are not worth counting.
const FEW: usize = 512;

const _: () = assert!(super::grams::END <= 1 << (LOW + HIGH));

/// The grams of some bodies.
#[derive(Default)]
pub(super) struct Entries {
    /// Those of the first body, then those of the second, and so on.
    grams: Vec<Gram>,
    /// Where those of each body end.
    ends: Vec<usize>,
}

impl Entries {
    /// Adds the next body, and its grams, each once.
    pub(super) fn push(&mut self, grams: &[Gram]) {
        self.grams.extend_from_slice(grams);
        self.ends.push(self.grams.len());
    }

    /// Hands on each gram, ascending, with the ordinals of the bodies that have it, ascending as well. Takes 4 octets more
    /// for each entry meanwhile.
    pub(super) fn by_gram<E>(self, mut sink: impl FnMut(Gram, &[u32]) -> Result<(), E>) -> Result<(), E> {
        let mut entries = vec![0; self.grams.len()];
        let mut places = Places::new(HIGH);
        places.begin(self.grams.iter().map(|gram| gram >> LOW));
        let mut start = 0;
        for (ordinal, end) in (0..).zip(self.ends) {
            for gram in self.grams.get(start..end).unwrap_or_default() {
                places.put(&mut entries, gram >> LOW, gram << ORDINAL | ordinal);
            }
            start = end;
        }
        drop(self.grams);
        let (mut rest, mut start) = (&mut *entries, 0);
        let (mut sorted, mut within, mut ordinals) = (Vec::new(), Places::new(LOW), Vec::new());
        for (high, end) in (0..).zip(places.0) {
            let Some((these, behind)) = rest.split_at_mut_checked((end - start) as usize) else {
                break;
            };
            (rest, start) = (behind, end);
            let these: &[u32] = if these.len() < FEW {
                these.sort_unstable();
                these
            } else {
                within.begin(these.iter().map(|entry| entry >> ORDINAL));
                sorted.resize(these.len().max(sorted.len()), 0);
                for entry in &*these {
                    within.put(&mut sorted, entry >> ORDINAL, *entry);
                }
                sorted.get(..these.len()).unwrap_or_default()
            };
            for same in these.chunk_by(|a, b| a >> ORDINAL == b >> ORDINAL) {
                let gram = high << LOW | same.first().map_or(0, |entry| entry >> ORDINAL);
                ordinals.clear();
                ordinals.extend(same.iter().map(|entry| entry % (1 << ORDINAL)));
                sink(gram, &ordinals)?;
            }
        }
        Ok(())
    }
}

/// Where entries go that are put in order by some of their bits: the place of the next one with each value of these.
struct Places(Vec<u32>);

impl Places {
    fn new(bits: u32) -> Self {
        Self(vec![0; 1 << bits])
    }

    /// Makes room for entries of these values.
    fn begin(&mut self, values: impl Iterator<Item = u32>) {
        self.0.fill(0);
        for value in values {
            if let Some(count) = self.0.get_mut(value as usize) {
                *count += 1;
            }
        }
        let mut next = 0;
        for place in &mut self.0 {
            next += std::mem::replace(place, next);
        }
    }

    /// Puts an entry behind those of the same value.
    fn put(&mut self, entries: &mut [u32], value: u32, entry: u32) {
        if let Some(place) = self.0.get_mut(value as usize)
            && let Some(free) = entries.get_mut(*place as usize)
        {
            *free = entry;
            *place += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::text_index::grams::END;

    fn gram() -> impl Strategy<Value = Gram> {
        // Many that differ in the low bits alone, some in the high ones, and any.
        prop_oneof![3 => 0..200_u32, 1 => (0..5_u32).prop_map(|n| n << LOW), 1 => 0..END]
    }

    proptest! {
        #[test]
        fn each_gram_has_the_bodies_it_was_put_in_for(
            bodies in prop::collection::vec(prop::collection::hash_set(gram(), 0..60), 0..60),
        ) {
            let mut entries = Entries::default();
            let mut expected: BTreeMap<Gram, BTreeSet<u32>> = BTreeMap::new();
            for (ordinal, grams) in (0..).zip(bodies) {
                for gram in &grams {
                    expected.entry(*gram).or_default().insert(ordinal);
                }
                entries.push(&grams.into_iter().collect::<Vec<_>>());
            }
            let mut found = Vec::new();
            let done: Result<(), ()> = entries.by_gram(|gram, ordinals| {
                found.push((gram, ordinals.to_vec()));
                Ok(())
            });
            prop_assert_eq!(done, Ok(()));
            let expected: Vec<(Gram, Vec<u32>)> =
                expected.into_iter().map(|(gram, ordinals)| (gram, ordinals.into_iter().collect())).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
