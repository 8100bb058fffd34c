//! Parameters of MIME fields, with the continuations of RFC 2231 joined.

use crate::cursor::{Cursor, is_space};
use crate::limits::MAX_PARAMETERS;

/// `name=value` without quoting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) name: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

/// The parameters from here to the end of the field, continuations joined: `name*0` and `name*1` give `name`. Where a
/// piece is in the extended form (`name*0*`) the joined one is too, and is called `name*`: its character set and its
/// percent encoding stay, so that it is 7-bit text that every client can read.
pub(crate) fn parameters(cursor: &mut Cursor<'_>) -> Vec<Parameter> {
    let mut found = Vec::new();
    while found.len() < MAX_PARAMETERS {
        cursor.take_while(|octet| octet != b';');
        if !cursor.eat(b';') {
            break;
        }
        cursor.skip_cfws();
        let name = cursor.token().to_vec();
        cursor.skip_cfws();
        if name.is_empty() || !cursor.eat(b'=') {
            continue;
        }
        cursor.skip_cfws();
        found.push(Parameter {
            name,
            value: value(cursor),
        });
    }
    join(found)
}

/// The value of a parameter by its name.
pub(crate) fn named<'a>(parameters: &'a [Parameter], name: &str) -> Option<&'a [u8]> {
    parameters
        .iter()
        .find(|p| p.name.eq_ignore_ascii_case(name.as_bytes()))
        .map(|p| p.value.as_slice())
}

fn value(cursor: &mut Cursor<'_>) -> Vec<u8> {
    if cursor.peek() == Some(b'"') {
        return cursor.quoted_string();
    }
    let start = cursor.at();
    let word = cursor.take_while(|octet| octet != b';' && octet != b'(' && !is_space(octet));
    cursor.skip_cfws();
    if matches!(cursor.peek(), None | Some(b';')) {
        return word.to_vec();
    }
    // Senders forget the quotes around a file name with spaces.
    cursor.take_while(|octet| octet != b';');
    cursor.since(start).trim_ascii_end().to_vec()
}

/// One piece of a parameter that RFC 2231 3 splits: `base*section` or `base*section*`.
struct Piece {
    place: usize,
    section: u32,
    extended: bool,
}

fn join(found: Vec<Parameter>) -> Vec<Parameter> {
    if !found.iter().any(|parameter| split_name(&parameter.name).is_some()) {
        return found;
    }
    let mut joined = Vec::with_capacity(found.len());
    let mut used = vec![false; found.len()];
    for (place, parameter) in found.iter().enumerate() {
        if used.get(place) == Some(&true) {
            continue;
        }
        let pieces = split_name(&parameter.name).map(|(base, ..)| (base, pieces(&found, base)));
        match pieces {
            Some((base, pieces)) if pieces.iter().any(|piece| piece.place == place) => {
                for piece in &pieces {
                    if let Some(slot) = used.get_mut(piece.place) {
                        *slot = true;
                    }
                }
                joined.push(assemble(&found, base, &pieces));
            }
            _ => joined.push(parameter.clone()),
        }
    }
    joined
}

/// The pieces of a parameter from section 0 on, without a gap. What stands behind a gap stays a parameter of its own.
fn pieces(found: &[Parameter], wanted: &[u8]) -> Vec<Piece> {
    let mut all: Vec<Piece> = found
        .iter()
        .enumerate()
        .filter_map(|(place, parameter)| {
            let (base, section, extended) = split_name(&parameter.name)?;
            base.eq_ignore_ascii_case(wanted).then_some(Piece {
                place,
                section,
                extended,
            })
        })
        .collect();
    all.sort_by_key(|piece| piece.section);
    all.dedup_by_key(|piece| piece.section);
    let whole = all
        .iter()
        .zip(0..)
        .take_while(|(piece, section)| piece.section == *section)
        .count();
    all.truncate(whole);
    all
}

fn assemble(found: &[Parameter], base: &[u8], pieces: &[Piece]) -> Parameter {
    let extended = pieces.iter().any(|piece| piece.extended);
    let mut name = base.to_vec();
    let mut value = Vec::new();
    if extended {
        name.push(b'*');
        if pieces.first().is_some_and(|piece| !piece.extended) {
            value.extend_from_slice(b"''");
        }
    }
    for piece in pieces {
        let Some(parameter) = found.get(piece.place) else {
            continue;
        };
        if extended && !piece.extended {
            percent_encode(&mut value, &parameter.value);
        } else {
            value.extend_from_slice(&parameter.value);
        }
    }
    Parameter { name, value }
}

fn split_name(name: &[u8]) -> Option<(&[u8], u32, bool)> {
    let (name, extended) = match name.strip_suffix(b"*") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let star = memchr::memrchr(b'*', name)?;
    let digits = name.get(star + 1..)?;
    let base = name.get(..star)?;
    if base.is_empty() || digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let section = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((base, section, extended))
}

fn percent_encode(out: &mut Vec<u8>, text: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &octet in text {
        if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~') {
            out.push(octet);
        } else {
            out.push(b'%');
            out.extend(HEX.get(usize::from(octet >> 4)));
            out.extend(HEX.get(usize::from(octet & 15)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<(String, String)> {
        parameters(&mut Cursor::new(text.as_bytes()))
            .into_iter()
            .map(|p| (String::from_utf8(p.name).unwrap(), String::from_utf8(p.value).unwrap()))
            .collect()
    }

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        assert_eq!(parsed(text), expected, "{text}");
    }

    #[test]
    fn values_lose_quotes_comments_and_white_space() {
        check("; charset=us-ascii (Plain text)", &[("charset", "us-ascii")]);
        check(
            ";charset = \"us\\-ascii\" ; a=b",
            &[("charset", "us-ascii"), ("a", "b")],
        );
        check("; name=My File.pdf; x=y", &[("name", "My File.pdf"), ("x", "y")]);
        check("; name=\"a;b\"", &[("name", "a;b")]);
        check("; name=\"open", &[("name", "open")]);
    }

    #[test]
    fn what_is_no_parameter_is_left_out() {
        check("; ; =x; a; b=1; c d=2; e=", &[("b", "1"), ("e", "")]);
        check("", &[]);
    }

    /// R9051-141
    #[test]
    fn continuations_are_joined_in_the_order_of_their_numbers() {
        check(
            "; a=1; name*1=\"lo\"; name*0=hel; b=2",
            &[("a", "1"), ("name", "hello"), ("b", "2")],
        );
        check(
            "; title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\"",
            &[(
                "title*",
                "us-ascii'en'This%20is%20even%20more%20%2A%2A%2Afun%2A%2A%2A%20isn%27t%20it%21",
            )],
        );
        check("; n*0=a b; n*1*=%41", &[("n*", "''a%20b%41")]);
        check("; n*=utf-8''%41", &[("n*", "utf-8''%41")]);
    }

    #[test]
    fn a_continuation_behind_a_gap_stays_as_it_is() {
        check(
            "; n*0=a; n*2=c; n*99999999999=d",
            &[("n", "a"), ("n*2", "c"), ("n*99999999999", "d")],
        );
        check("; n*1=b", &[("n*1", "b")]);
        check("; n*0=a; n*0=b", &[("n", "a"), ("n*0", "b")]);
    }

    #[test]
    fn parameters_are_bounded() {
        let text: String = (0..1000).map(|n| format!("; p{n}=v")).collect();
        assert_eq!(parsed(&text).len(), MAX_PARAMETERS);
    }
}
