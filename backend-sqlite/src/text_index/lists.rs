//! How a set of messages is written down: as few octets as it takes, whether few or nearly all are in it.

/// A set of message ordinals within a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// None of so many.
    pub(super) fn none(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    pub(super) fn has(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    pub(super) fn put(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    /// Keeps what is in the other as well.
    pub(super) fn retain(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word &= other);
    }

    /// How many are in it.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Those that are in it, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(place, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros() as usize;
                (left != 0).then(|| {
                    left &= left - 1;
                    place * 64 + bit
                })
            })
        })
    }
}

/// Appends a number, seven bits an octet.
pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a number off the front.
pub(super) fn take_number(rest: &mut &[u8]) -> Option<u64> {
    let (octet, behind) = rest.split_first()?;
    if octet & 0x80 == 0 {
        *rest = behind;
        return Some(u64::from(*octet));
    }
    take_long_number(rest)
}

fn take_long_number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (octet, behind) = rest.split_first()?;
        *rest = behind;
        number |= u64::from(octet & 0x7f) << shift;
        if octet & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

// A list begins with a number: what it is, or how many gaps follow, and one more.
const ALL: u64 = 0;
const BITS: u64 = 1;

/// Appends the list of these ordinals, ascending and not empty, out of `count`.
pub(super) fn put_list(out: &mut Vec<u8>, ordinals: &[u32], count: u32) {
    if ordinals.len() == count as usize {
        return put_number(out, ALL);
    }
    let start = out.len();
    let bitmap = count.div_ceil(8) as usize;
    // Each takes an octet at least.
    if ordinals.len() >= bitmap {
        put_number(out, BITS);
        return put_bitmap(out, ordinals, bitmap);
    }
    put_number(out, ordinals.len() as u64 + 1);
    let mut next = 0;
    for ordinal in ordinals {
        put_number(out, u64::from(ordinal.saturating_sub(next)));
        next = ordinal.saturating_add(1);
        if out.len() - start > bitmap {
            out.truncate(start);
            put_number(out, BITS);
            return put_bitmap(out, ordinals, bitmap);
        }
    }
}

fn put_bitmap(out: &mut Vec<u8>, ordinals: &[u32], length: usize) {
    let start = out.len();
    out.resize(start + length, 0);
    for ordinal in ordinals {
        if let Some(octet) = out.get_mut(start + *ordinal as usize / 8) {
            *octet |= 1 << (ordinal % 8);
        }
    }
}

/// Takes a list off the front and hands on its ordinals, ascending; `None` if it is none.
pub(super) fn take_list(rest: &mut &[u8], count: u32, mut sink: impl FnMut(u32)) -> Option<()> {
    match take_number(rest)? {
        ALL => (0..count).for_each(sink),
        BITS => {
            let (bitmap, behind) = rest.split_at_checked(count.div_ceil(8) as usize)?;
            *rest = behind;
            for (octets, base) in bitmap.chunks(8).zip((0..count).step_by(64)) {
                let mut word = [0; 8];
                word.iter_mut().zip(octets).for_each(|(to, from)| *to = *from);
                let mut left = u64::from_le_bytes(word);
                while left != 0 {
                    sink(base + left.trailing_zeros());
                    left &= left - 1;
                }
            }
        }
        more => {
            let mut next = 0u32;
            for _ in 1..more {
                let ordinal = next.checked_add(u32::try_from(take_number(rest)?).ok()?)?;
                if ordinal >= count {
                    return None;
                }
                sink(ordinal);
                next = ordinal + 1;
            }
        }
    }
    Some(())
}

/// Takes a list off the front without looking at it.
pub(super) fn skip_list(rest: &mut &[u8], count: u32) -> Option<()> {
    let length = match take_number(rest)? {
        ALL => 0,
        BITS => count.div_ceil(8) as usize,
        more => {
            let last_octets = rest.iter().enumerate().filter(|(_, octet)| **octet & 0x80 == 0);
            let skipped = usize::try_from(more.checked_sub(2)?).ok()?;
            last_octets.map(|(at, _)| at).nth(skipped)? + 1
        }
    };
    *rest = rest.get(length..)?;
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_list_comes_back_as_it_was(count in 1..400_u32, some in prop::collection::btree_set(0..400_u32, 1..400)) {
            let ordinals: Vec<u32> = some.into_iter().filter(|n| *n < count).collect();
            prop_assume!(!ordinals.is_empty());
            let mut octets = Vec::new();
            put_list(&mut octets, &ordinals, count);
            prop_assert!(octets.len() <= 1 + count.div_ceil(8) as usize, "no longer than a bitmap");
            octets.extend_from_slice(b"behind");
            let (mut rest, mut back) = (&octets[..], Vec::new());
            prop_assert_eq!(take_list(&mut rest, count, |n| back.push(n)), Some(()));
            prop_assert_eq!(&back, &ordinals);
            prop_assert_eq!(rest, b"behind");
            let mut rest = &octets[..];
            prop_assert_eq!(skip_list(&mut rest, count), Some(()));
            prop_assert_eq!(rest, b"behind");
            for cut in 0..octets.len() - 6 {
                let all = &octets[..cut];
                prop_assert_eq!(take_list(&mut &all[..], count, |_| {}).and(skip_list(&mut &all[..], count)), None);
            }
        }

        #[test]
        fn a_set_keeps_what_is_in_both(a in prop::collection::btree_set(0..200_usize, 0..60), b in prop::collection::btree_set(0..200_usize, 0..60)) {
            let bits = |set: &std::collections::BTreeSet<usize>| {
                let mut bits = Bits::none(200);
                set.iter().for_each(|at| bits.put(*at));
                bits
            };
            let mut both = bits(&a);
            let expected: Vec<usize> = a.intersection(&b).copied().collect();
            both.retain(&bits(&b));
            prop_assert_eq!(both.len(), expected.len());
            prop_assert_eq!(both.iter().collect::<Vec<_>>(), expected);
            prop_assert!(a.iter().all(|at| bits(&a).has(*at)));
        }
    }
}
