//! Sets of UIDs as blobs (for the log of expunges), and the arithmetic on them that the contract does not offer.

use backend_api::{Uid, UidSet};

/// The set as a blob: for each run the distance from the end of the one before and its length, as LEB128.
pub(crate) fn encode(set: &UidSet) -> Vec<u8> {
    let mut blob = Vec::with_capacity(set.runs().len() * 3);
    let mut last = 0;
    for (a, b) in set.runs() {
        put(&mut blob, a.get() - last);
        put(&mut blob, b.get() - a.get());
        last = b.get();
    }
    blob
}

/// The runs in a blob; `None` when it is damaged.
pub(crate) fn decode(mut blob: &[u8]) -> Option<Vec<(Uid, Uid)>> {
    let mut runs = Vec::new();
    let mut last: u32 = 0;
    while !blob.is_empty() {
        let a = last.checked_add(take(&mut blob)?)?;
        last = a.checked_add(take(&mut blob)?)?;
        runs.push((Uid::new(a)?, Uid::new(last)?));
    }
    Some(runs)
}

/// What is in `set` and not in `other`.
pub(crate) fn difference(set: &UidSet, other: &UidSet) -> UidSet {
    let mut out = UidSet::new();
    let mut others = other.runs().iter().peekable();
    for &(first, last) in set.runs() {
        let mut start = Some(first);
        while let Some(&&(a, b)) = others.peek() {
            let Some(from) = start.filter(|s| *s <= last) else {
                break;
            };
            if a > last {
                break;
            }
            if b >= from {
                if let Some(before) = Uid::new(a.get() - 1).filter(|before| *before >= from) {
                    out.push_run(from, before);
                }
                start = b.next();
            }
            if b > last {
                break;
            }
            others.next();
        }
        if let Some(from) = start.filter(|s| *s <= last) {
            out.push_run(from, last);
        }
    }
    out
}

/// The first `n` numbers of a set.
pub(crate) fn first(set: &UidSet, mut n: u32) -> UidSet {
    let mut out = UidSet::new();
    for &(a, b) in set.runs() {
        let Some(more) = n.checked_sub(1) else {
            break;
        };
        let end = b.get().min(a.get().saturating_add(more));
        n = n.saturating_sub(end - a.get()).saturating_sub(1);
        out.push_run(a, Uid::new(end).unwrap_or(a));
    }
    out
}

fn put(blob: &mut Vec<u8>, mut n: u32) {
    while n >= 0x80 {
        blob.push((n & 0x7f) as u8 | 0x80);
        n >>= 7;
    }
    blob.push(n as u8);
}

fn take(blob: &mut &[u8]) -> Option<u32> {
    let mut n: u32 = 0;
    for shift in (0..35).step_by(7) {
        let (&octet, rest) = blob.split_first()?;
        *blob = rest;
        n |= u32::from(octet & 0x7f).checked_shl(shift)?;
        if octet & 0x80 == 0 {
            return (shift < 28 || octet < 16).then_some(n);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn set(uids: &BTreeSet<u32>) -> UidSet {
        uids.iter().filter_map(|u| Uid::new(*u)).collect()
    }

    proptest! {
        #[test]
        fn sets_are_what_sets_are(a in proptest::collection::btree_set(1u32..60, 0..40), b in proptest::collection::btree_set(1u32..60, 0..40), n in 0u32..50) {
            let (x, y) = (set(&a), set(&b));
            prop_assert_eq!(UidSet::from_runs(decode(&encode(&x)).unwrap()), x.clone());
            prop_assert_eq!(difference(&x, &y), set(&a.difference(&b).copied().collect()));
            prop_assert_eq!(first(&x, n), set(&a.iter().copied().take(n as usize).collect()));
        }

        #[test]
        fn no_octets_are_too_strange_to_be_refused(blob in proptest::collection::vec(any::<u8>(), 0..50)) {
            let _ = decode(&blob);
        }
    }

    #[test]
    fn the_ends_of_the_numbers_are_kept() {
        let all = UidSet::run(Uid::MIN, Uid::MAX);
        assert_eq!(decode(&encode(&all)).unwrap(), all.runs());
        let ends = UidSet::from_runs([(Uid::MIN, Uid::MIN), (Uid::MAX, Uid::MAX)]);
        assert_eq!(decode(&encode(&ends)).unwrap(), ends.runs());
        assert_eq!(difference(&all, &all), UidSet::new());
        let within = (Uid::MIN.next().unwrap(), Uid::new(u32::MAX - 1).unwrap());
        assert_eq!(difference(&all, &ends).runs(), [within]);
    }
}
