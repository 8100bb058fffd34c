//! The lines of a block one by one: which may come now, and whether a response is one of them.

use super::super::scenario::{Alternative, Expected, Pattern, Piece, Slot, Then, Times};
use super::super::token::{Response, Token};
use super::super::value::{Bound, Trial, Value};
use super::{agrees, fetch};

/// How far a sequence of lines is.
#[derive(Debug, Clone, Default)]
pub(super) struct Sequence {
    pub(super) at: usize,
    /// Which alternative of a FETCH is half told, and which of its items were.
    pub(super) half: Option<(usize, Vec<bool>)>,
}

/// The lines of a sequence that may come now: the next one, and those behind lines that need not come.
pub(super) fn candidates<'a>(
    lines: &'a [Expected],
    sequence: &Sequence,
) -> impl Iterator<Item = (usize, &'a Expected)> + use<'a> {
    let rest = lines.iter().enumerate().skip(sequence.at);
    let mut blocked = false;
    rest.take_while(move |(_, expected)| {
        let was = blocked;
        blocked |= expected.times == Times::Once;
        !was
    })
}

pub(super) type Items<'t> = Vec<(&'t Token, &'t Token)>;

/// Gives a line what it wants of a FETCH: what is left of it, the state afterwards, and what follows.
pub(super) fn take<'t>(
    index: usize,
    expected: &Expected,
    sequence: &Sequence,
    told: &fetch::Told<'t>,
    items: &Items<'t>,
    trial: &mut Trial<'_>,
) -> Option<(Items<'t>, Sequence, Then)> {
    for (which, alternative) in expected.alternatives.iter().enumerate() {
        let Some(wanted) = fetch::wanted(&alternative.pattern) else {
            continue;
        };
        let half = sequence.half.as_ref().filter(|_| sequence.at == index);
        let mut done = match half {
            Some((chosen, done)) if *chosen == which => done.clone(),
            Some(_) => continue,
            None => vec![false; wanted.items.len()],
        };
        let mark = trial.mark();
        if !wanted.is_of(told, trial) {
            continue;
        }
        let Some(left) = wanted.take(items, &mut done, trial) else {
            trial.back_to(mark);
            continue;
        };
        let mut after = Sequence { at: index, half: None };
        if wanted.is_done(&done) && expected.times != Times::Any {
            after.at = index + 1;
        } else if expected.times != Times::Any {
            after.half = Some((which, done));
        }
        return Some((left, after, alternative.then));
    }
    None
}

/// Whether a tagged line, or a `+`, is in a slot.
pub(in super::super) fn has_tag(slot: &Slot) -> bool {
    let status = |a: &Alternative| match &a.pattern {
        Pattern::Status { tag, .. } => *tag != [Piece::Octets(b"*".to_vec())],
        _ => false,
    };
    let tagged = |e: &Expected| e.alternatives.iter().any(status);
    match slot {
        Slot::Barrier(expected) => tagged(expected),
        Slot::Lines(lines) => lines.iter().flatten().any(tagged),
    }
}

pub(super) fn is_needed(slot: &Slot) -> bool {
    match slot {
        Slot::Barrier(expected) => expected.times == Times::Once,
        Slot::Lines(lines) => lines.iter().flatten().any(|e| e.times == Times::Once),
    }
}

pub(super) fn listed(expected: &Expected) -> Vec<(u32, String)> {
    let each = expected.alternatives.iter().enumerate();
    each.map(|(index, a)| {
        (
            a.line,
            if index == 0 {
                a.text.clone()
            } else {
                format!("or {}", a.text)
            },
        )
    })
    .collect()
}

/// Whether a response agrees with a pattern; what that binds is bound.
pub(super) fn binds(pattern: &Pattern, heard: &Response, bound: &mut Bound) -> bool {
    let mut trial = Trial::new(bound);
    if !agrees(pattern, heard, &mut trial) {
        return false;
    }
    let new = trial.into_new();
    bound.extend(new);
    true
}

/// The same with a FETCH, which must have all that is wanted.
pub(super) fn whole(pattern: &Pattern, heard: &Response, bound: &mut Bound) -> bool {
    let (Some(wanted), Response::Data(tokens)) = (fetch::wanted(pattern), heard) else {
        return binds(pattern, heard, bound);
    };
    let Some(told) = fetch::told(tokens) else { return false };
    let mut trial = Trial::new(bound);
    let mut done = vec![false; wanted.items.len()];
    let left = wanted
        .is_of(&told, &mut trial)
        .then(|| wanted.take(&told.items, &mut done, &mut trial))
        .flatten();
    let tolerated = |(name, _): &(&Token, &Token)| name.is("UID") || name.is("MODSEQ");
    if !left.is_some_and(|left| left.iter().all(tolerated)) || !wanted.is_done(&done) {
        return false;
    }
    let new: Vec<(String, Value)> = trial.into_new();
    bound.extend(new);
    true
}

/// Whether a response is one that must not come: a FETCH with all the items, whatever else it has.
pub(super) fn never_agrees(pattern: &Pattern, heard: &Response, bound: &Bound) -> bool {
    let mut trial = Trial::new(bound);
    let (Some(wanted), Response::Data(tokens)) = (fetch::wanted(pattern), heard) else {
        return agrees(pattern, heard, &mut trial);
    };
    let Some(told) = fetch::told(tokens) else { return false };
    let mut done = vec![false; wanted.items.len()];
    let of = wanted.is_of(&told, &mut trial);
    of && wanted.take(&told.items, &mut done, &mut trial).is_some() && wanted.is_done(&done)
}
