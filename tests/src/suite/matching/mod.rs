//! Whether what was heard is what a scenario lists: responses and blocks of them.

mod block;
mod body;
mod difference;
mod fetch;
mod lines;
mod sets;
#[cfg(test)]
mod tests;
mod tokens;

pub use block::{Listener, Verdict};
pub(super) use lines::has_tag;

use super::scenario::{CodePattern, Pat, Pattern, Piece, Template, TextPattern};
use super::token::{Response, Token};
use super::value::Trial;
use tokens::{Mode, bag, groups, resolved, row, token};

/// Whether a response agrees with a pattern, FETCH and `expunged` left out, which take more than one response.
pub fn agrees(pattern: &Pattern, heard: &Response, trial: &mut Trial<'_>) -> bool {
    match (pattern, heard) {
        (
            Pattern::Continue { code, text },
            Response::Continue {
                code: heard_code,
                text: heard_text,
            },
        ) => self::code(code, heard_code.as_deref(), trial) && self::text(text, heard_text, trial),
        (
            Pattern::Status { tag, word, code, text },
            Response::Status {
                tag: heard_tag,
                word: heard_word,
                code: heard_code,
                text: heard_text,
            },
        ) => {
            // Tags are compared octet for octet.
            resolved(tag, trial).is_some_and(|tag| tag == *heard_tag)
                && word == heard_word
                && self::code(code, heard_code.as_deref(), trial)
                && self::text(text, heard_text, trial)
        }
        (Pattern::Data(pats), Response::Data(tokens)) => data(pats, tokens, trial),
        _ => false,
    }
}

fn text(pattern: &TextPattern, heard: &[u8], trial: &mut Trial<'_>) -> bool {
    match pattern {
        TextPattern::Any => true,
        TextPattern::Some => !heard.is_empty(),
        TextPattern::Empty => heard.is_empty(),
        TextPattern::Is(template) => tokens::pieces(template, heard, trial, false),
    }
}

fn code(pattern: &CodePattern, heard: Option<&[Token]>, trial: &mut Trial<'_>) -> bool {
    let (pats, heard) = match (pattern, heard) {
        (CodePattern::Any, _) | (CodePattern::None, None) => return true,
        (CodePattern::Is(pats), Some(heard)) => (pats.as_slice(), heard),
        _ => return false,
    };
    let (Some(name), Some(heard_name)) = (pats.first(), heard.first()) else {
        return false;
    };
    if !token(name, heard_name, Mode::Plain, trial) {
        return false;
    }
    let (pats, heard) = (pats.get(1..).unwrap_or_default(), heard.get(1..).unwrap_or_default());
    let is = |word: &str| heard_name.is(word);
    if is("CAPABILITY") {
        return bag(pats, heard, false, Mode::Plain, trial);
    }
    if is("COPYUID") {
        return copied(pats, heard, trial);
    }
    if is("PERMANENTFLAGS")
        && let ([Pat::List(pats)], [Token::List { items, .. }]) = (pats, heard)
    {
        return bag(pats, items, false, Mode::Plain, trial);
    }
    row(pats, heard, Mode::Plain, trial)
}

/// `COPYUID validity source destination`: the sets are pairs in their own order (RFC 4315 3).
fn copied(pats: &[Pat], heard: &[Token], trial: &mut Trial<'_>) -> bool {
    let (
        &[
            ref validity,
            Pat::Atom(ref from) | Pat::Text(ref from) | Pat::Exact(ref from),
            ref to,
        ],
        [heard_validity, heard_from, heard_to],
    ) = (pats, heard)
    else {
        return row(pats, heard, Mode::Plain, trial);
    };
    let sets = |token: &Token| token.atom().and_then(sets::expanded);
    let (Some(from_heard), Some(to_heard)) = (sets(heard_from), sets(heard_to)) else {
        return false;
    };
    if !token(validity, heard_validity, Mode::Plain, trial) || from_heard.len() != to_heard.len() {
        return false;
    }
    let mut pairs: Vec<(u64, u64)> = from_heard.into_iter().zip(to_heard).collect();
    pairs.sort_unstable();
    let (from_heard, to_heard): (Vec<u64>, Vec<u64>) = pairs.into_iter().unzip();
    let to = match to {
        Pat::Atom(to) => to.clone(),
        Pat::Hole(name, kind) => vec![Piece::Hole(name.clone(), *kind)],
        _ => return false,
    };
    sets::agrees(from, &from_heard, trial) && sets::agrees(&to, &to_heard, trial)
}

/// Untagged data.
fn data(pats: &[Pat], heard: &[Token], trial: &mut Trial<'_>) -> bool {
    let number = heard.first().is_some_and(|t| t.number().is_some());
    let at = usize::from(number);
    let Some(name) = heard.get(at).and_then(Token::atom) else {
        return false;
    };
    let name = String::from_utf8_lossy(name).to_ascii_uppercase();
    let front = at + 1;
    let (Some(front_pats), Some(front_heard)) = (pats.get(..front), heard.get(..front)) else {
        return false;
    };
    if !row(front_pats, front_heard, Mode::Plain, trial) {
        return false;
    }
    let (pats, heard) = (
        pats.get(front..).unwrap_or_default(),
        heard.get(front..).unwrap_or_default(),
    );
    match (name.as_str(), pats, heard) {
        ("CAPABILITY" | "ENABLED" | "SEARCH", ..) => bag(pats, heard, false, Mode::Plain, trial),
        ("FLAGS", [Pat::List(pats)], [Token::List { items, .. }]) => bag(pats, items, false, Mode::Plain, trial),
        ("STATUS", [mailbox, Pat::List(pats)], [heard_mailbox, Token::List { items, .. }]) => {
            token(mailbox, heard_mailbox, Mode::Mailbox, trial) && groups(pats, items, 2, trial)
        }
        (
            "LIST" | "LSUB",
            [attributes, sep, mailbox, more @ ..],
            [heard_attributes, heard_sep, heard_mailbox, rest @ ..],
        ) => {
            let attributes = match (attributes, heard_attributes) {
                (Pat::List(pats), Token::List { items, .. }) => bag(pats, items, true, Mode::Plain, trial),
                (pat, heard) => token(pat, heard, Mode::Plain, trial),
            };
            attributes
                && token(sep, heard_sep, Mode::Plain, trial)
                && token(mailbox, heard_mailbox, Mode::Mailbox, trial)
                && row(more, rest, Mode::Plain, trial)
        }
        ("ESEARCH", ..) => esearch(pats, heard, trial),
        ("METADATA", [mailbox, Pat::List(pats)], [heard_mailbox, Token::List { items, .. }]) => {
            token(mailbox, heard_mailbox, Mode::Mailbox, trial) && groups(pats, items, 2, trial)
        }
        ("QUOTA", [root, Pat::List(pats)], [heard_root, Token::List { items, .. }]) => {
            token(root, heard_root, Mode::Mailbox, trial) && groups(pats, items, 3, trial)
        }
        (
            "ACL" | "MYRIGHTS" | "LISTRIGHTS" | "QUOTAROOT" | "METADATA",
            [mailbox, pats @ ..],
            [heard_mailbox, heard @ ..],
        ) => token(mailbox, heard_mailbox, Mode::Mailbox, trial) && rights(&name, pats, heard, trial),
        _ => row(pats, heard, Mode::Plain, trial),
    }
}

/// Rights are letters in any order (RFC 4314 2.1); the pairs of an ACL are, too.
fn rights(name: &str, pats: &[Pat], heard: &[Token], trial: &mut Trial<'_>) -> bool {
    match name {
        "ACL" => groups(&sorted_rights(pats, 1), &sorted_tokens(heard, 1), 2, trial),
        "MYRIGHTS" => row(&sorted_rights(pats, 0), &sorted_tokens(heard, 0), Mode::Mailbox, trial),
        _ => row(pats, heard, Mode::Mailbox, trial),
    }
}

/// The letters of every second pattern from here sorted.
fn sorted_rights(pats: &[Pat], from: usize) -> Vec<Pat> {
    let sorted = |template: &Template| match template.as_slice() {
        [Piece::Octets(octets)] => vec![Piece::Octets(letters(octets))],
        other => other.to_vec(),
    };
    let each = pats.iter().enumerate().map(|(index, pat)| match pat {
        Pat::Atom(template) | Pat::Text(template) | Pat::Exact(template) if index % 2 == from => {
            Pat::Text(sorted(template))
        }
        Pat::Atom(template) => Pat::Text(template.clone()),
        other => other.clone(),
    });
    each.collect()
}

fn sorted_tokens(heard: &[Token], from: usize) -> Vec<Token> {
    let each = heard.iter().enumerate().map(|(index, token)| match token.astring() {
        Some(octets) if index % 2 == from => Token::Quoted(letters(octets)),
        _ => token.clone(),
    });
    each.collect()
}

fn letters(octets: &[u8]) -> Vec<u8> {
    let mut letters = octets.to_vec();
    letters.sort_unstable();
    letters
}

/// `ESEARCH (TAG "a") UID MIN 1 ALL 1:3`: pairs in any order behind the tag and UID (RFC 4731 3.1).
fn esearch(pats: &[Pat], heard: &[Token], trial: &mut Trial<'_>) -> bool {
    let is_uid = |pat: &Pat| matches!(pat, Pat::Atom(t) if *t == [Piece::Octets(b"UID".to_vec())]);
    let front = |correlated: bool, uid: bool| usize::from(correlated) + usize::from(uid);
    let correlated = matches!(pats.first(), Some(Pat::List(_)));
    let uid = pats.get(usize::from(correlated)).is_some_and(is_uid);
    let heard_correlated = heard.first().is_some_and(|t| t.list().is_some());
    let heard_uid = heard.get(usize::from(heard_correlated)).is_some_and(|t| t.is("UID"));
    let (at, heard_at) = (front(correlated, uid), front(heard_correlated, heard_uid));
    if (correlated, uid) != (heard_correlated, heard_uid) {
        return false;
    }
    let fronts = row(
        pats.get(..at).unwrap_or_default(),
        heard.get(..heard_at).unwrap_or_default(),
        Mode::Plain,
        trial,
    );
    fronts
        && groups(
            pats.get(at..).unwrap_or_default(),
            heard.get(heard_at..).unwrap_or_default(),
            2,
            trial,
        )
}
