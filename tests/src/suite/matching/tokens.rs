//! Tokens compared with patterns by what they mean.

use super::super::scenario::{Pat, Piece, Template};
use super::super::token::{Token, number};
use super::super::value::{Kind, Trial};
use super::sets;

/// What a token stands for, where that decides how it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Anything.
    Plain,
    /// A mailbox's name: written in any way, INBOX without regard to case.
    Mailbox,
    /// A string without regard to case.
    Caseless,
}

/// Whether a token agrees with a pattern.
pub(super) fn token(pat: &Pat, token: &Token, mode: Mode, trial: &mut Trial<'_>) -> bool {
    match pat {
        Pat::Hole(name, kind) => hole(name.as_deref(), *kind, token, trial),
        Pat::Text(template) | Pat::Exact(template) => {
            let Some(octets) = resolved(template, trial) else {
                return false;
            };
            match token {
                Token::Atom(atom) if atom.eq_ignore_ascii_case(b"NIL") => false,
                other => other.astring().is_some_and(|heard| same_octets(&octets, heard, mode)),
            }
        }
        Pat::Atom(template) => match (token, mode) {
            (Token::Atom(heard), Mode::Plain | Mode::Caseless) => atom(template, heard, trial),
            (Token::Atom(_), Mode::Mailbox) | (_, Mode::Mailbox) => {
                token.astring().is_some_and(|heard| match resolved(template, trial) {
                    Some(octets) => same_octets(&octets, heard, mode),
                    None => pieces(template, heard, trial, false),
                })
            }
            _ => false,
        },
        Pat::List(items) => token.list().is_some_and(|heard| row(items, heard, mode, trial)),
        Pat::Section { name, spec, origin } => section(name, spec, origin.as_ref(), token, trial),
        Pat::Maybe(pat) => self::token(pat, token, mode, trial),
        Pat::More | Pat::Not(_) => false,
    }
}

fn same_octets(expected: &[u8], heard: &[u8], mode: Mode) -> bool {
    let inbox = mode == Mode::Mailbox && expected.eq_ignore_ascii_case(b"INBOX");
    expected == heard || ((inbox || mode == Mode::Caseless) && expected.eq_ignore_ascii_case(heard))
}

fn hole(name: Option<&str>, kind: Kind, token: &Token, trial: &mut Trial<'_>) -> bool {
    if let Some(known) = name.and_then(|name| trial.get(name)) {
        return known.agrees(token);
    }
    kind.value(token).is_some_and(|value| trial.bind(name, value))
}

/// The octets of a template all of whose names are bound.
pub(super) fn resolved(template: &Template, trial: &Trial<'_>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for piece in template {
        match piece {
            Piece::Octets(octets) => out.extend_from_slice(octets),
            Piece::Hole(name, _) => out.extend(trial.get(name.as_deref()?)?.rendered()),
        }
    }
    Some(out)
}

/// An atom: a keyword, a number, a set, or a template with holes.
fn atom(template: &Template, heard: &[u8], trial: &mut Trial<'_>) -> bool {
    if let Some(expected) = resolved(template, trial) {
        let numbers = number(&expected).is_some() && number(&expected) == number(heard);
        return numbers || expected.eq_ignore_ascii_case(heard) || sets::same(&expected, heard);
    }
    let mark = trial.mark();
    if pieces(template, heard, trial, true) {
        return true;
    }
    trial.back_to(mark);
    let Some(mut numbers) = sets::expanded(heard) else {
        return false;
    };
    numbers.sort_unstable();
    sets::agrees(template, &numbers, trial)
}

/// Compares piece by piece; a hole takes all up to the octet that must follow it.
pub(super) fn pieces(template: &Template, heard: &[u8], trial: &mut Trial<'_>, caseless: bool) -> bool {
    let mut left = heard;
    let mut rest = template.as_slice();
    while let Some((piece, behind)) = rest.split_first() {
        rest = behind;
        let taken = match piece {
            Piece::Octets(octets) => {
                let Some(front) = left.get(..octets.len()) else {
                    return false;
                };
                let agrees = if caseless {
                    front.eq_ignore_ascii_case(octets)
                } else {
                    front == octets
                };
                if !agrees {
                    return false;
                }
                octets.len()
            }
            Piece::Hole(name, kind) => {
                let len = match name.as_deref().and_then(|name| trial.get(name)) {
                    Some(known) => known.rendered().len().min(left.len()),
                    None if kind.is_number() => left.iter().take_while(|b| b.is_ascii_digit()).count(),
                    None => match behind.first() {
                        Some(Piece::Octets(next)) => {
                            let found = left.windows(next.len().max(1)).position(|w| w == next.as_slice());
                            found.unwrap_or(left.len())
                        }
                        _ => left.len(),
                    },
                };
                let taken = Token::Atom(left.get(..len).unwrap_or_default().to_vec());
                if len == 0 || !hole(name.as_deref(), *kind, &taken, trial) {
                    return false;
                }
                len
            }
        };
        left = left.get(taken..).unwrap_or_default();
    }
    left.is_empty()
}

fn section(name: &str, spec: &[Pat], origin: Option<&Template>, token: &Token, trial: &mut Trial<'_>) -> bool {
    let Token::Section {
        name: heard_name,
        spec: heard_spec,
        origin: heard_origin,
    } = token
    else {
        return false;
    };
    let origins = match (origin, heard_origin) {
        (None, None) => true,
        (Some(expected), Some(heard)) => atom(expected, heard, trial),
        _ => false,
    };
    origins && name.as_bytes().eq_ignore_ascii_case(heard_name) && spec_row(spec, heard_spec, trial)
}

/// What stands between the brackets: names of header fields as atoms or strings, without regard to case.
fn spec_row(pats: &[Pat], heard: &[Token], trial: &mut Trial<'_>) -> bool {
    pats.len() == heard.len()
        && pats.iter().zip(heard).all(|(pat, token)| match (pat, token) {
            (Pat::List(pats), Token::List { items, .. }) => spec_row(pats, items, trial),
            (Pat::Atom(template) | Pat::Text(template) | Pat::Exact(template), token) => {
                match (resolved(template, trial), token.astring()) {
                    (Some(expected), Some(heard)) => expected.eq_ignore_ascii_case(heard),
                    _ => false,
                }
            }
            (pat, token) => self::token(pat, token, Mode::Plain, trial),
        })
}

/// Tokens in the order given.
pub(super) fn row(pats: &[Pat], heard: &[Token], mode: Mode, trial: &mut Trial<'_>) -> bool {
    let mut left = heard;
    for pat in pats {
        match pat {
            Pat::More => return true,
            Pat::Not(inner) => {
                if heard.iter().any(|t| tried(inner, t, mode, trial)) {
                    return false;
                }
            }
            Pat::Maybe(inner) => {
                if let Some((first, rest)) = left.split_first()
                    && tried(inner, first, mode, trial)
                {
                    left = rest;
                }
            }
            pat => {
                let Some((first, rest)) = left.split_first() else {
                    return false;
                };
                if !token(pat, first, mode, trial) {
                    return false;
                }
                left = rest;
            }
        }
    }
    left.is_empty()
}

/// Tokens in any order.
pub(super) fn bag(pats: &[Pat], heard: &[Token], open: bool, mode: Mode, trial: &mut Trial<'_>) -> bool {
    let mut left: Vec<&Token> = heard.iter().collect();
    let mut take = |pat: &Pat, trial: &mut Trial<'_>| {
        let found = left.iter().position(|t| tried(pat, t, mode, trial));
        if let Some(index) = found {
            left.remove(index);
        }
        found.is_some()
    };
    // What is fixed is taken first, then what holes may stand for, last what may be there.
    let fixed = |pat: &&Pat| !matches!(pat, Pat::Hole(..) | Pat::Maybe(_) | Pat::Not(_) | Pat::More);
    let holes = |pat: &&Pat| matches!(pat, Pat::Hole(..));
    if !pats.iter().filter(fixed).all(|pat| take(pat, trial)) || !pats.iter().filter(holes).all(|pat| take(pat, trial))
    {
        return false;
    }
    for pat in pats {
        match pat {
            Pat::Maybe(inner) => {
                take(inner, trial);
            }
            Pat::Not(inner) if heard.iter().any(|t| tried(inner, t, mode, trial)) => return false,
            _ => {}
        }
    }
    left.is_empty() || open || pats.contains(&Pat::More)
}

/// Groups of tokens in any order, such as pairs of names and values: the first of each group is its name.
pub(super) fn groups(pats: &[Pat], heard: &[Token], size: usize, trial: &mut Trial<'_>) -> bool {
    let open = pats.last() == Some(&Pat::More);
    let mut left: Vec<&[Token]> = heard.chunks(size).collect();
    let mut rest = pats;
    while let Some((first, behind)) = rest.split_first() {
        match first {
            Pat::More => break,
            Pat::Not(name) => {
                if heard
                    .chunks(size)
                    .any(|g| g.first().is_some_and(|t| tried(name, t, Mode::Plain, trial)))
                {
                    return false;
                }
                rest = behind;
            }
            _ => {
                let Some(group) = rest.get(..size) else { return false };
                let agrees = |heard: &&[Token], trial: &mut Trial<'_>| {
                    let mark = trial.mark();
                    let agrees = row(group, heard, Mode::Plain, trial);
                    if !agrees {
                        trial.back_to(mark);
                    }
                    agrees
                };
                let found = left.iter().position(|heard| agrees(heard, trial));
                match found {
                    Some(index) => {
                        left.remove(index);
                    }
                    None if matches!(first, Pat::Maybe(_)) => {}
                    None => return false,
                }
                rest = rest.get(size..).unwrap_or_default();
            }
        }
    }
    left.is_empty() || open
}

/// The same as [`token`], but nothing is bound where it does not agree.
pub(super) fn tried(pat: &Pat, token: &Token, mode: Mode, trial: &mut Trial<'_>) -> bool {
    let mark = trial.mark();
    let agrees = self::token(pat, token, mode, trial);
    if !agrees {
        trial.back_to(mark);
    }
    agrees
}
