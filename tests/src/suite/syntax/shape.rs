//! What tokens look like: atoms, numbers, flags, strings, sets (RFC 3501 9).

use super::super::token::{Token, number};
use super::super::value::is_date_time;
use super::Checked;

fn is_atom_char(octet: u8) -> bool {
    (0x21..0x7f).contains(&octet) && !b"(){%*\"\\]".contains(&octet)
}

/// An atom.
pub(super) fn is_atom(octets: &[u8]) -> bool {
    !octets.is_empty() && octets.iter().all(|b| is_atom_char(*b))
}

/// A tag: ASTRING-CHARs but no `+`.
pub(super) fn is_tag(octets: &[u8]) -> bool {
    !octets.is_empty() && octets.iter().all(|b| (is_atom_char(*b) || *b == b']') && *b != b'+')
}

/// An atom or a string.
pub(super) fn is_astring(token: &Token) -> bool {
    let chars = |octets: &[u8]| octets.iter().all(|b| is_atom_char(*b) || *b == b']');
    is_string(token) || token.atom().is_some_and(chars)
}

/// A quoted string or a literal.
pub(super) fn is_string(token: &Token) -> bool {
    matches!(token, Token::Quoted(_) | Token::Literal(_))
}

pub(super) fn is_nil(token: &Token) -> bool {
    token.is("NIL")
}

/// A string or NIL.
pub(super) fn is_nstring(token: &Token) -> bool {
    is_string(token) || is_nil(token)
}

/// 1 to 4294967295, without zeros in front.
pub(super) fn is_nz_number(token: &Token) -> bool {
    token.atom().is_some_and(is_nz)
}

fn is_nz(octets: &[u8]) -> bool {
    octets.first() != Some(&b'0') && number(octets).is_some_and(|n| n <= u64::from(u32::MAX))
}

/// 0 to 4294967295.
pub(super) fn is_number(token: &Token) -> bool {
    token.number().is_some_and(|n| n <= u64::from(u32::MAX))
}

/// 0 to 2^63 - 1: sizes, and mod-sequences that may be 0.
pub(super) fn is_number64(token: &Token) -> bool {
    token.number().is_some_and(|n| i64::try_from(n).is_ok())
}

/// 1 to 2^63 - 1 (RFC 7162 7).
pub(super) fn is_mod_sequence(token: &Token) -> bool {
    is_number64(token) && token.number() != Some(0)
}

/// A set without `*`.
pub(super) fn is_set(token: &Token) -> bool {
    let range = |part: &[u8]| {
        let mut ends = part.splitn(2, |b| *b == b':');
        ends.all(is_nz)
    };
    token.atom().is_some_and(|set| set.split(|b| *b == b',').all(range))
}

/// A flag; `\*` where keywords may be made.
pub(super) fn is_flag(token: &Token, or_star: bool) -> bool {
    token.atom().is_some_and(|flag| match flag.strip_prefix(b"\\") {
        Some(b"*") => or_star,
        Some(name) => is_atom(name),
        None => is_atom(flag),
    })
}

/// An atom token.
pub(super) fn is_atom_token(token: &Token) -> bool {
    token.atom().is_some_and(is_atom)
}

/// A quoted date-time.
pub(super) fn is_date(token: &Token) -> bool {
    matches!(token, Token::Quoted(text) if is_date_time(text))
}

/// 1 to 255 letters, digits, `_` and `-` (RFC 8474 7).
pub(super) fn is_object_id(token: &Token) -> bool {
    let fits = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let id = match token {
        Token::List { items, .. } => match items.as_slice() {
            [Token::Atom(id)] => id,
            _ => return false,
        },
        _ => return false,
    };
    (1..=255).contains(&id.len()) && id.iter().all(fits)
}

/// `NIL` or one quoted character: a hierarchy separator.
pub(super) fn is_separator(token: &Token) -> bool {
    is_nil(token) || matches!(token, Token::Quoted(text) if text.len() == 1)
}

/// The octets that text and strings may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strings {
    pub(super) utf8: bool,
}

impl Strings {
    /// A string, wherever it stands.
    pub(super) fn check(self, token: &Token) -> Checked {
        match token {
            Token::Quoted(octets) if !self.fits(octets) => Err("octets above 127 in a quoted string".into()),
            Token::Literal(octets) if octets.contains(&0) => Err("NUL in a literal".into()),
            Token::Atom(octets) if !self.fits(octets) => Err("octets above 127 in an atom".into()),
            Token::Atom(octets) if octets.iter().any(|b| *b < 0x20 || *b == 0x7f) => Err("a control in an atom".into()),
            _ => Ok(()),
        }
    }

    /// The text of a status response.
    pub(super) fn text(self, octets: &[u8]) -> Checked {
        if !self.fits(octets) {
            return Err("octets above 127 in the text".into());
        }
        if octets.contains(&0) {
            Err("NUL in the text".into())
        } else {
            Ok(())
        }
    }

    fn fits(self, octets: &[u8]) -> bool {
        if self.utf8 {
            std::str::from_utf8(octets).is_ok()
        } else {
            octets.is_ascii()
        }
    }
}

/// Calls this for each token, those within others too.
pub(super) fn each_string(tokens: &[Token], act: &mut impl FnMut(&Token) -> Checked) -> Checked {
    for token in tokens {
        match token {
            Token::List { items, .. } => each_string(items, act)?,
            Token::Section { spec, .. } => each_string(spec, act)?,
            other => act(other)?,
        }
    }
    Ok(())
}
