//! Sets of numbers: `1:3,7`, however they are written, and with holes in them.

use super::super::scenario::{Piece, Template};
use super::super::token::number;
use super::super::value::{Kind, Trial, Value};

/// How many numbers a set may have before it is not looked into any further.
const MOST: u64 = 1 << 20;

/// The numbers of a set in its own order; none where it is no set, or one without end or of a size that no scenario has.
pub(super) fn expanded(octets: &[u8]) -> Option<Vec<u64>> {
    let mut out = Vec::new();
    for part in octets.split(|b| *b == b',') {
        let mut ends = part.splitn(2, |b| *b == b':');
        let first = number(ends.next()?)?;
        let last = ends.next().map_or(Some(first), number)?;
        if first.abs_diff(last) + out.len() as u64 > MOST {
            return None;
        }
        if first <= last {
            out.extend(first..=last)
        } else {
            out.extend((last..=first).rev())
        }
    }
    Some(out)
}

/// Whether two octet strings are the same set.
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    let is_set = |o: &[u8]| o.iter().any(|b| matches!(b, b',' | b':'));
    if !is_set(a) && !is_set(b) {
        return false;
    }
    match (expanded(a), expanded(b)) {
        (Some(mut a), Some(mut b)) => {
            a.sort_unstable();
            b.sort_unstable();
            a == b
        }
        _ => false,
    }
}

/// An end of a range in a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Number(u64),
    Hole(String),
}

/// The elements of a set with holes: single numbers, or ranges. None where the template is no set.
fn elements(template: &Template, trial: &Trial<'_>) -> Option<Vec<(Place, Option<Place>)>> {
    // The template as a text in which a hole that nothing is bound to is a letter.
    let mut names = Vec::new();
    let mut text = Vec::new();
    for piece in template {
        match piece {
            Piece::Octets(octets) => text.extend_from_slice(octets),
            Piece::Hole(Some(name), kind) if kind.is_number() || trial.get(name).is_some() => match trial.get(name) {
                Some(value) => text.extend(value.rendered()),
                None => {
                    names.push(name.clone());
                    text.push(b'?');
                }
            },
            Piece::Hole(..) => return None,
        }
    }
    let mut names = names.into_iter();
    let mut place = |octets: &[u8]| match octets {
        b"?" => names.next().map(Place::Hole),
        digits => number(digits).map(Place::Number),
    };
    let mut out = Vec::new();
    for part in text.split(|b| *b == b',') {
        let mut ends = part.splitn(2, |b| *b == b':');
        let first = place(ends.next()?)?;
        let last = match ends.next() {
            Some(last) => Some(place(last)?),
            None => None,
        };
        out.push((first, last));
    }
    Some(out)
}

/// Compares a set with holes to the numbers that were heard, in the order given: holes are bound.
pub(super) fn agrees(template: &Template, heard: &[u64], trial: &mut Trial<'_>) -> bool {
    let Some(elements) = elements(template, trial) else {
        return false;
    };
    let mut left = heard;
    for (first, last) in elements {
        let Some((&begin, rest)) = left.split_first() else {
            return false;
        };
        if !fits(&first, begin, trial) {
            return false;
        }
        left = rest;
        let Some(last) = last else { continue };
        let mut end = begin;
        let known = match &last {
            Place::Number(number) => Some(*number),
            Place::Hole(name) => match trial.get(name) {
                Some(Value::Number(number)) => Some(*number),
                _ => None,
            },
        };
        // Up to its end where that is known, else as far as the numbers go on.
        while known != Some(end) {
            match left.split_first() {
                Some((&next, rest)) if next == end + 1 => {
                    end = next;
                    left = rest;
                }
                _ => break,
            }
        }
        if !fits(&last, end, trial) {
            return false;
        }
    }
    left.is_empty()
}

fn fits(place: &Place, number: u64, trial: &mut Trial<'_>) -> bool {
    match place {
        Place::Number(expected) => *expected == number,
        Place::Hole(name) => {
            let value = Kind::Positive.of_number(number.to_string().as_bytes());
            value.is_some_and(|value| trial.bind(Some(name), value))
        }
    }
}
