//! A block of heard lines: what may come when, what came, and what is still missing.

use std::collections::{BTreeMap, BTreeSet};

use super::super::scenario::{Alternative, Block, Expected, Pat, Pattern, Slot, Then, Times};
use super::super::token::{Response, Token, number};
use super::super::value::{Bound, Trial};
use super::lines::{Sequence, binds, candidates, has_tag, is_needed, listed, never_agrees, take, whole};
use super::{difference, fetch, sets, tokens};

/// What a response is in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As it is listed, or tolerated.
    Fine,
    /// With it the scenario ends, passed.
    End,
    /// With it the scenario is skipped.
    Skip,
    /// A deviation.
    Wrong {
        /// What is wrong, in one sentence.
        what: String,
        /// The lines of the scenario that were expected: their numbers and texts.
        expected: Vec<(u32, String)>,
    },
}

/// Listens to a block.
pub struct Listener<'a> {
    block: &'a Block,
    /// Which slot is the current one.
    at: usize,
    /// What came of the sequences of each slot.
    states: Vec<Vec<Sequence>>,
    /// What may still come from blocks before, or must by now.
    carried: Vec<&'a Expected>,
    /// Flags as they were told in this block, by the number or UID.
    told: BTreeMap<u64, Vec<Vec<u8>>>,
    /// Which messages `expunged` saw going, as numbered at its start.
    gone: BTreeSet<u64>,
    after_login: bool,
    ended: bool,
}

impl<'a> Listener<'a> {
    /// Begins to listen. `carried` is what blocks before have left to come; `after_login`: the client has just logged in, so
    /// the server may tell its capabilities.
    pub fn new(block: &'a Block, carried: Vec<&'a Expected>, after_login: bool) -> Self {
        let states = block.slots.iter().map(|slot| match slot {
            Slot::Lines(lines) => vec![Sequence::default(); lines.len()],
            Slot::Barrier(_) => Vec::new(),
        });
        Self {
            block,
            at: 0,
            states: states.collect(),
            carried,
            told: BTreeMap::new(),
            gone: BTreeSet::new(),
            after_login,
            ended: false,
        }
    }

    /// Whether anything must come in this block.
    pub fn needs_anything(&self) -> bool {
        self.block.slots.iter().any(is_needed)
    }

    /// Whether everything came that must.
    pub fn is_done(&self) -> bool {
        let slots = (self.at..self.block.slots.len()).all(|slot| self.is_complete(slot));
        self.ended || (slots && (self.ends_with_a_tag() || self.overdue().is_empty()))
    }

    fn ends_with_a_tag(&self) -> bool {
        self.block.slots.last().is_some_and(has_tag)
    }

    /// What blocks before have left to come, and what must have come when this one is over.
    pub fn overdue(&self) -> Vec<(u32, String)> {
        self.carried
            .iter()
            .filter(|e| e.times == Times::Later)
            .flat_map(|e| listed(e))
            .collect()
    }

    fn is_complete(&self, slot: usize) -> bool {
        match (self.block.slots.get(slot), self.states.get(slot)) {
            (Some(Slot::Barrier(expected)), _) => expected.times != Times::Once,
            (Some(Slot::Lines(lines)), Some(sequences)) => lines.iter().zip(sequences).all(|(lines, sequence)| {
                let rest = lines.get(sequence.at..).unwrap_or_default();
                rest.iter().all(|e| e.times != Times::Once)
            }),
            _ => true,
        }
    }

    /// What the next block may or must still hear: what is to come later, and unless a tagged line ended this one also
    /// what need not come at all.
    pub fn into_carried(self) -> Vec<&'a Expected> {
        let open = !self.ends_with_a_tag();
        let slots = self
            .block
            .slots
            .iter()
            .zip(&self.states)
            .filter_map(|(slot, states)| match slot {
                Slot::Lines(lines) => Some(lines.iter().zip(states)),
                Slot::Barrier(_) => None,
            });
        let rest = slots
            .flatten()
            .flat_map(|(lines, s)| lines.get(s.at..).unwrap_or_default());
        rest.filter(|e| e.times == Times::Later || (open && e.times != Times::Once))
            .collect()
    }

    /// The lines that must still come before any later one.
    pub fn missing(&self) -> Vec<(u32, String)> {
        for (slot, states) in self.block.slots.iter().zip(&self.states).skip(self.at) {
            let missing: Vec<(u32, String)> = match slot {
                Slot::Barrier(expected) if expected.times == Times::Once => listed(expected),
                Slot::Barrier(_) => Vec::new(),
                Slot::Lines(lines) => {
                    let rest = lines
                        .iter()
                        .zip(states)
                        .flat_map(|(lines, s)| lines.get(s.at..).unwrap_or_default());
                    rest.filter(|e| e.times == Times::Once).flat_map(listed).collect()
                }
            };
            if !missing.is_empty() {
                return missing;
            }
        }
        self.overdue()
    }

    /// Takes a response. What it binds is bound when it is fine.
    pub fn hear(&mut self, heard: &Response, bound: &mut Bound) -> Verdict {
        for never in &self.block.never {
            if never_agrees(&never.pattern, heard, bound) {
                let expected = vec![(never.line, format!("! {}", never.text))];
                return Verdict::Wrong {
                    what: format!("{} comes, and must not.", difference::kind(heard)),
                    expected,
                };
            }
        }
        match self.attempt(heard, bound) {
            Some(Then::GoOn) => Verdict::Fine,
            Some(Then::End) => {
                self.ended = true;
                Verdict::End
            }
            Some(Then::Skip) => Verdict::Skip,
            None if !self.block.strict && self.tolerates(heard) => Verdict::Fine,
            None => self.wrong(heard, bound),
        }
    }

    fn attempt(&mut self, heard: &Response, bound: &mut Bound) -> Option<Then> {
        let block = self.block;
        // Whether all before the slot is complete; where not, only data of a later command may come (RFC 3501 5.5).
        let mut complete = true;
        for slot in self.at..block.slots.len() {
            match block.slots.get(slot)? {
                Slot::Lines(lines) => {
                    let mut states = self.states.get(slot).cloned().unwrap_or_default();
                    if let Some(then) = self.in_lines(lines, &mut states, heard, bound) {
                        if let Some(before) = self.states.get_mut(slot) {
                            *before = states;
                        }
                        if complete {
                            self.at = slot;
                        }
                        return Some(then);
                    }
                }
                Slot::Barrier(expected) => {
                    let early = |a: &&Alternative| a.then != Then::GoOn && binds(&a.pattern, heard, bound);
                    if complete {
                        if let Some((then, over)) = self.at_barrier(expected, heard, bound) {
                            self.at = if over { slot + 1 } else { slot };
                            return Some(then);
                        }
                    } else if let Some(alternative) = expected.alternatives.iter().find(early) {
                        // It ends the block also where lines before it are missing.
                        return Some(alternative.then);
                    }
                    let tagged = |a: &Alternative| matches!(a.pattern, Pattern::Status { .. });
                    if (!complete || expected.times == Times::Once) && !expected.alternatives.iter().all(tagged) {
                        break;
                    }
                }
            }
            complete = complete && self.is_complete(slot);
        }
        self.in_carried(heard, bound)
    }

    fn in_carried(&mut self, heard: &Response, bound: &mut Bound) -> Option<Then> {
        let fits = |e: &&Expected| e.alternatives.iter().any(|a| whole(&a.pattern, heard, bound));
        let index = self.carried.iter().position(fits)?;
        if self.carried.get(index)?.times != Times::Any {
            self.carried.remove(index);
        }
        Some(Then::GoOn)
    }

    /// Compares with a line that nothing passes: what follows, and whether it is over.
    fn at_barrier(&mut self, expected: &Expected, heard: &Response, bound: &mut Bound) -> Option<(Then, bool)> {
        for alternative in &expected.alternatives {
            if let Pattern::Expunged(pats) = &alternative.pattern {
                if let Some(over) = self.expunged(pats, heard, bound) {
                    return Some((alternative.then, over));
                }
            } else if self.gone.is_empty() && binds(&alternative.pattern, heard, bound) {
                if heard.name().is_some() {
                    self.told.clear();
                }
                return Some((alternative.then, true));
            }
        }
        None
    }

    /// EXPUNGE or VANISHED of `expunged 2,3`: whether it belongs to it, and whether it is the last.
    fn expunged(&mut self, pats: &[Pat], heard: &Response, bound: &Bound) -> Option<bool> {
        let [Pat::Atom(template)] = pats else {
            let [Pat::Hole(Some(name), _)] = pats else { return None };
            let wanted = bound.get(name).and_then(|v| number(&v.rendered()))?;
            return self.expunged_of(&[wanted].into(), heard);
        };
        let set = tokens::resolved(template, &Trial::new(bound))?;
        let wanted: BTreeSet<u64> = sets::expanded(&set)?.into_iter().collect();
        self.expunged_of(&wanted, heard)
    }

    fn expunged_of(&mut self, wanted: &BTreeSet<u64>, heard: &Response) -> Option<bool> {
        let Response::Data(tokens) = heard else { return None };
        let (seq, name) = heard.name()?;
        match (seq, name.as_str()) {
            (Some(seq), "EXPUNGE") => {
                // As it was numbered at the start.
                let mut original = seq;
                for gone in &self.gone {
                    if *gone <= original {
                        original += 1;
                    }
                }
                if !wanted.contains(&original) {
                    return None;
                }
                self.gone.insert(original);
            }
            (None, "VANISHED") => {
                let uids = sets::expanded(tokens.get(1)?.atom()?)?;
                // Which UIDs they have the scenario does not say; how many there are it does.
                let open: Vec<u64> = wanted.difference(&self.gone).copied().take(uids.len()).collect();
                if open.len() < uids.len() {
                    return None;
                }
                self.gone.extend(open);
            }
            _ => return None,
        }
        self.told.clear();
        let over = self.gone.len() == wanted.len();
        if over {
            self.gone.clear();
        }
        Some(over)
    }

    /// Tries the lines of a group: those that must come before those that may.
    fn in_lines(
        &mut self,
        lines: &'a [Vec<Expected>],
        sequences: &mut [Sequence],
        heard: &Response,
        bound: &mut Bound,
    ) -> Option<Then> {
        if let Response::Data(tokens) = heard
            && let Some(told) = fetch::told(tokens)
            && let Some(then) = self.fetch(lines, sequences, &told, bound)
        {
            return Some(then);
        }
        for times in [Times::Once, Times::Later, Times::Maybe, Times::Any] {
            for (lines, sequence) in lines.iter().zip(sequences.iter_mut()) {
                for (index, expected) in candidates(lines, sequence) {
                    if expected.times != times {
                        continue;
                    }
                    for alternative in &expected.alternatives {
                        let fetch = fetch::wanted(&alternative.pattern).is_some();
                        if !fetch && binds(&alternative.pattern, heard, bound) {
                            sequence.at = if times == Times::Any { index } else { index + 1 };
                            sequence.half = None;
                            return Some(alternative.then);
                        }
                    }
                }
            }
        }
        None
    }

    /// A FETCH: by one line that all of its items belong to, or by several lines for the same message.
    fn fetch(
        &mut self,
        lines: &'a [Vec<Expected>],
        sequences: &mut [Sequence],
        told: &fetch::Told<'_>,
        bound: &mut Bound,
    ) -> Option<Then> {
        let seq = told.seq.number().unwrap_or(0);
        let flags = fetch::flags(&told.items);
        let again = flags.is_some() && self.told.get(&seq) == flags.as_ref();
        let tolerated = |name: &Token| name.is("UID") || name.is("MODSEQ") || (again && name.is("FLAGS"));
        for alone in [true, false] {
            let mut trial = Trial::new(bound);
            let mut left = told.items.clone();
            let mut after = sequences.to_vec();
            let mut progress = None;
            'all: for times in [Times::Once, Times::Later, Times::Maybe, Times::Any] {
                for (lines, sequence) in lines.iter().zip(after.iter_mut()) {
                    let found: Vec<(usize, &Expected)> = candidates(lines, sequence).collect();
                    for (index, expected) in found.into_iter().filter(|(_, e)| e.times == times) {
                        let mark = trial.mark();
                        match take(index, expected, sequence, told, &left, &mut trial) {
                            Some((rest, state, then)) if rest.len() < left.len() => {
                                let whole = rest.iter().all(|(name, _)| tolerated(name));
                                if alone && !whole {
                                    trial.back_to(mark);
                                    continue;
                                }
                                *sequence = state;
                                left = rest;
                                progress = progress.filter(|t| *t != Then::GoOn).or(Some(then));
                                if whole {
                                    left.clear();
                                    break 'all;
                                }
                                break;
                            }
                            _ => trial.back_to(mark),
                        }
                    }
                }
            }
            if let Some(then) = progress
                && left.iter().all(|(name, _)| tolerated(name))
            {
                let new = trial.into_new();
                bound.extend(new);
                sequences.clone_from_slice(&after);
                self.told.extend(flags.map(|flags| (seq, flags)));
                return Some(then);
            }
        }
        // Nothing but what is tolerated.
        let all = told.items.iter().all(|(name, _)| tolerated(name));
        let forbidden = |e: &Expected| {
            let wanted = e.alternatives.iter().filter_map(|a| fetch::wanted(&a.pattern));
            let mut trial = Trial::new(bound);
            let mut of = wanted.filter(|w| w.is_of(told, &mut Trial::new(bound)));
            of.any(|w| told.items.iter().any(|(name, _)| w.forbids(name, &mut trial)))
        };
        let fine = all && !told.items.is_empty() && !self.block.strict && !lines.iter().flatten().any(forbidden);
        fine.then_some(Then::GoOn)
    }

    /// What a server may say at any time.
    fn tolerates(&self, heard: &Response) -> bool {
        match heard {
            Response::Status { tag, word, code, .. } if tag == b"*" && word == "OK" => match code {
                None => true,
                Some(code) => code
                    .first()
                    .is_some_and(|name| name.is("PERMANENTFLAGS") || name.is("HIGHESTMODSEQ") || name.is("UIDNEXT")),
            },
            Response::Data(_) => match heard.name() {
                Some((Some(_), name)) => name == "RECENT",
                Some((None, name)) => name == "FLAGS" || (name == "CAPABILITY" && self.after_login),
                None => false,
            },
            _ => false,
        }
    }

    fn wrong(&self, heard: &Response, bound: &Bound) -> Verdict {
        let expected = self.missing();
        let what = self
            .came_already(heard, bound)
            .or_else(|| self.difference(heard, bound));
        let what = what.unwrap_or_else(|| match self.comes_later(heard, bound) {
            true => format!("{} comes before what must come first.", difference::kind(heard)),
            false if expected.is_empty() => {
                format!("{} comes, and nothing more is listed here.", difference::kind(heard))
            }
            false => format!("{} comes, which is not listed here.", difference::kind(heard)),
        });
        Verdict::Wrong { what, expected }
    }

    /// Something that was listed once, and came.
    fn came_already(&self, heard: &Response, bound: &Bound) -> Option<String> {
        let done =
            self.block
                .slots
                .iter()
                .zip(&self.states)
                .enumerate()
                .flat_map(|(slot, (lines, states))| match lines {
                    Slot::Barrier(expected) => {
                        if slot < self.at {
                            vec![expected]
                        } else {
                            Vec::new()
                        }
                    }
                    Slot::Lines(lines) => {
                        let done = lines
                            .iter()
                            .zip(states)
                            .flat_map(|(lines, s)| lines.get(..s.at).unwrap_or_default());
                        done.collect()
                    }
                });
        let mut done = done;
        let again = done.any(|expected| comes(expected, heard, bound)) && !self.comes_later(heard, bound);
        again.then(|| format!("{} comes more often than it is listed.", difference::kind(heard)))
    }

    /// Something that is listed, but behind what did not come.
    fn comes_later(&self, heard: &Response, bound: &Bound) -> bool {
        self.pending().any(|expected| comes(expected, heard, bound))
    }

    /// In what it differs from the line that it was probably meant to be.
    fn difference(&self, heard: &Response, bound: &Bound) -> Option<String> {
        if self.comes_later(heard, bound) {
            return None;
        }
        difference::from(self.pending().flat_map(|expected| &expected.alternatives), heard, bound)
    }

    /// The lines that did not yet come.
    fn pending(&self) -> impl Iterator<Item = &Expected> {
        let slots = self.block.slots.iter().zip(&self.states).skip(self.at);
        slots.flat_map(|(slot, states)| match slot {
            Slot::Barrier(expected) => vec![expected],
            Slot::Lines(lines) => {
                let rest = lines
                    .iter()
                    .zip(states)
                    .flat_map(|(lines, s)| lines.get(s.at..).unwrap_or_default());
                rest.collect()
            }
        })
    }
}

fn comes(expected: &Expected, heard: &Response, bound: &Bound) -> bool {
    expected
        .alternatives
        .iter()
        .any(|a| whole(&a.pattern, heard, &mut bound.clone()))
}
