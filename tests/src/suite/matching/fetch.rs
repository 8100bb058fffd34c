//! FETCH responses: items in any order, spread over any number of responses for the same message.

use super::super::scenario::{Pat, Pattern};
use super::super::token::Token;
use super::super::value::{Bound, Trial, same_moment};
use super::body;
use super::tokens::{Mode, bag, resolved, token, tried};

/// A FETCH that is expected, taken apart.
#[derive(Debug, Clone)]
pub(super) struct Wanted<'a> {
    /// FETCH or UIDFETCH.
    name: &'a Pat,
    seq: &'a Pat,
    pub(super) items: Vec<Item<'a>>,
    never: Vec<&'a Pat>,
    open: bool,
}

/// An item that is expected.
#[derive(Debug, Clone)]
pub(super) struct Item<'a> {
    name: &'a Pat,
    value: &'a Pat,
    pub(super) maybe: bool,
}

/// A FETCH that was heard.
#[derive(Debug, Clone)]
pub(super) struct Told<'a> {
    name: &'a Token,
    pub(super) seq: &'a Token,
    pub(super) items: Vec<(&'a Token, &'a Token)>,
}

/// The FETCH that a pattern is.
pub(super) fn wanted(pattern: &Pattern) -> Option<Wanted<'_>> {
    let Pattern::Data(pats) = pattern else { return None };
    let [seq, name @ Pat::Atom(word), Pat::List(list)] = pats.as_slice() else {
        return None;
    };
    let [super::Piece::Octets(word)] = word.as_slice() else {
        return None;
    };
    if !is_fetch(word) {
        return None;
    }
    let (mut items, mut never, mut open) = (Vec::new(), Vec::new(), false);
    let mut rest = list.as_slice();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            Pat::More => open = true,
            Pat::Not(name) => never.push(&**name),
            name => {
                let (value, behind) = rest.split_first()?;
                rest = behind;
                let (name, maybe) = match name {
                    Pat::Maybe(name) => (&**name, true),
                    name => (name, false),
                };
                items.push(Item { name, value, maybe });
            }
        }
    }
    Some(Wanted {
        name,
        seq,
        items,
        never,
        open,
    })
}

/// The FETCH that a response is.
pub(super) fn told(tokens: &[Token]) -> Option<Told<'_>> {
    let [seq, name, Token::List { items, .. }] = tokens else {
        return None;
    };
    if !name.atom().is_some_and(is_fetch) || items.len() % 2 != 0 {
        return None;
    }
    let pairs = items.chunks(2).filter_map(|pair| Some((pair.first()?, pair.get(1)?)));
    let items = pairs.collect();
    Some(Told { name, seq, items })
}

fn is_fetch(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"FETCH") || word.eq_ignore_ascii_case(b"UIDFETCH")
}

impl Wanted<'_> {
    /// Whether it is about the message that was told of.
    pub(super) fn is_of(&self, told: &Told<'_>, trial: &mut Trial<'_>) -> bool {
        token(self.name, told.name, Mode::Plain, trial) && tried(self.seq, told.seq, Mode::Plain, trial)
    }

    /// Whether an item must not be told.
    pub(super) fn forbids(&self, name: &Token, trial: &mut Trial<'_>) -> bool {
        self.never.iter().any(|pat| tried(pat, name, Mode::Plain, trial))
    }

    /// Takes the items that were told: which of them are left, and which of ours are done. None where one contradicts.
    pub(super) fn take<'t>(
        &self,
        items: &[(&'t Token, &'t Token)],
        done: &mut [bool],
        trial: &mut Trial<'_>,
    ) -> Option<Vec<(&'t Token, &'t Token)>> {
        let mut left = Vec::new();
        for (name, value) in items {
            if self.forbids(name, trial) {
                return None;
            }
            let mut named = false;
            let mut taken = false;
            for (item, done) in self.items.iter().zip(done.iter_mut()) {
                if !tried(item.name, name, Mode::Plain, trial) {
                    continue;
                }
                // UID and MODSEQ are told again with whatever else is told.
                let again = *done && (name.is("UID") || name.is("MODSEQ"));
                if *done && !again {
                    continue;
                }
                named = true;
                let mark = trial.mark();
                if self::value(name, item.value, value, trial) {
                    *done = true;
                    taken = true;
                    break;
                }
                trial.back_to(mark);
            }
            if named && !taken {
                return None;
            }
            if !taken && !self.open {
                left.push((*name, *value));
            }
        }
        Some(left)
    }

    /// What an item of this name is to be.
    pub(super) fn value_of(&self, name: &Token) -> Option<&Pat> {
        let bound = Bound::new();
        let mut of = self.items.iter();
        of.find(|item| tried(item.name, name, Mode::Plain, &mut Trial::new(&bound)))
            .map(|item| item.value)
    }

    /// Whether all items were told that must be.
    pub(super) fn is_done(&self, done: &[bool]) -> bool {
        self.items.iter().zip(done).all(|(item, done)| *done || item.maybe)
    }
}

fn value(name: &Token, pat: &Pat, heard: &Token, trial: &mut Trial<'_>) -> bool {
    match (pat, heard) {
        (Pat::List(pats), Token::List { items, .. }) if name.is("FLAGS") => bag(pats, items, false, Mode::Plain, trial),
        (Pat::Text(template), Token::Quoted(heard)) if name.is("INTERNALDATE") => {
            resolved(template, trial).is_some_and(|expected| expected == *heard || same_moment(&expected, heard))
        }
        _ if name.is("BODY") || name.is("BODYSTRUCTURE") => body::agrees(pat, heard, trial),
        _ => token(pat, heard, Mode::Plain, trial),
    }
}

/// Flags as they are told, to be compared with those that are told again.
pub(super) fn flags(items: &[(&Token, &Token)]) -> Option<Vec<Vec<u8>>> {
    let (_, value) = items.iter().find(|(name, _)| name.is("FLAGS"))?;
    let mut flags: Vec<Vec<u8>> = value
        .list()?
        .iter()
        .filter_map(Token::atom)
        .map(<[u8]>::to_ascii_lowercase)
        .collect();
    flags.sort_unstable();
    Some(flags)
}
