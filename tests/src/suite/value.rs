//! What holes stand for, and the values that they were bound to.

use std::collections::BTreeMap;

use backend_api::{Date, DateTime};

use super::token::{Token, number};

/// What a hole may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 1 to 4294967295.
    Positive,
    /// 0 to 4294967295.
    Number,
    /// 1 to 2^63 - 1 (RFC 7162 7 mod-sequence-value).
    ModSeq,
    /// A quoted string or literal.
    String,
    /// The same or NIL.
    NString,
    /// An atom.
    Atom,
    /// An atom or a string.
    AString,
    /// A quoted date-time (RFC 3501 9).
    Date,
    /// One token or list.
    Any,
    /// Text for people up to the end of the line.
    Text,
}

impl Kind {
    /// What kinds are called in scenarios.
    pub const NAMES: [&str; 9] = [
        "number", "modseq", "string", "nstring", "atom", "astring", "date", "any", "text",
    ];

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "number" => Self::Number,
            "modseq" => Self::ModSeq,
            "string" => Self::String,
            "nstring" => Self::NString,
            "atom" => Self::Atom,
            "astring" => Self::AString,
            "date" => Self::Date,
            "any" => Self::Any,
            "text" => Self::Text,
            _ => return None,
        })
    }

    /// What it is called in a hole.
    pub fn name(self) -> &'static str {
        match self {
            Self::Positive | Self::Number => "number",
            Self::ModSeq => "modseq",
            Self::String => "string",
            Self::NString => "nstring",
            Self::Atom => "atom",
            Self::AString => "astring",
            Self::Date => "date",
            Self::Any => "any",
            Self::Text => "text",
        }
    }

    /// The value of a token, if it is of this kind.
    pub fn value(self, token: &Token) -> Option<Value> {
        match self {
            Self::Positive | Self::Number | Self::ModSeq => self.of_number(token.atom()?),
            Self::String => token.string().map(Value::octets),
            Self::NString if token.is("NIL") => Some(Value::Token(token.clone())),
            Self::NString => token.string().map(Value::octets),
            Self::Atom | Self::Text => token.atom().map(Value::octets),
            Self::AString => token.astring().map(Value::octets),
            Self::Date => match token {
                Token::Quoted(octets) if is_date_time(octets) => Some(Value::octets(octets)),
                _ => None,
            },
            Self::Any => Some(match token {
                Token::Atom(atom) => number(atom).map_or_else(|| Value::Token(token.clone()), Value::Number),
                other => Value::Token(other.clone()),
            }),
        }
    }

    /// The value of digits, if they are a number of this kind.
    pub fn of_number(self, octets: &[u8]) -> Option<Value> {
        let value = number(octets)?;
        let fits = match self {
            Self::Positive => (1..=u64::from(u32::MAX)).contains(&value) && octets.first() != Some(&b'0'),
            Self::Number => value <= u64::from(u32::MAX),
            Self::ModSeq => (1..=i64::MAX as u64).contains(&value),
            _ => true,
        };
        fits.then_some(Value::Number(value))
    }

    /// Whether it is a number.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Positive | Self::Number | Self::ModSeq)
    }
}

/// A bound value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// A number.
    Number(u64),
    /// The octets of a string or an atom.
    Octets(Vec<u8>),
    /// Anything else.
    Token(Token),
}

impl Value {
    /// Octets.
    pub fn octets(octets: &[u8]) -> Self {
        Self::Octets(octets.to_vec())
    }

    /// A text.
    pub fn text(text: &str) -> Self {
        Self::Octets(text.as_bytes().to_vec())
    }

    /// As it is sent.
    pub fn rendered(&self) -> Vec<u8> {
        match self {
            Self::Number(number) => number.to_string().into_bytes(),
            Self::Octets(octets) => octets.clone(),
            Self::Token(token) => {
                let mut out = Vec::new();
                render(token, &mut out);
                out
            }
        }
    }

    /// Whether a token has this value.
    pub fn agrees(&self, token: &Token) -> bool {
        match self {
            Self::Number(number) => token.number() == Some(*number),
            Self::Octets(octets) => token
                .astring()
                .is_some_and(|heard| octets == heard || same_moment(octets, heard)),
            Self::Token(bound) => same(bound, token),
        }
    }
}

/// Whether two tokens mean the same: keywords without regard to case, strings however they are written.
fn same(a: &Token, b: &Token) -> bool {
    match (a, b) {
        (Token::Atom(a), Token::Atom(b)) => a.eq_ignore_ascii_case(b),
        (Token::List { items: a, .. }, Token::List { items: b, .. }) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (a, b) if a.string().is_some() => a.string() == b.string(),
        (a, b) => a == b,
    }
}

fn render(token: &Token, out: &mut Vec<u8>) {
    match token {
        Token::Atom(atom) => out.extend_from_slice(atom),
        Token::Quoted(octets) | Token::Literal(octets) | Token::Literal8(octets) => {
            out.push(b'"');
            for octet in octets {
                if matches!(octet, b'"' | b'\\') {
                    out.push(b'\\');
                }
                out.push(*octet);
            }
            out.push(b'"');
        }
        Token::List { items, .. } => {
            out.push(b'(');
            render_all(items, out);
            out.push(b')');
        }
        Token::Section { name, spec, origin } => {
            out.extend_from_slice(name);
            out.push(b'[');
            render_all(spec, out);
            out.push(b']');
            if let Some(origin) = origin {
                out.push(b'<');
                out.extend_from_slice(origin);
                out.push(b'>');
            }
        }
    }
}

fn render_all(items: &[Token], out: &mut Vec<u8>) {
    for (index, item) in items.iter().enumerate() {
        let glued = matches!(item, Token::List { glued: true, .. });
        if index > 0 && !glued {
            out.push(b' ');
        }
        render(item, out);
    }
}

const MONTHS: [&[u8]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// `17-Jul-1996 02:44:25 -0700`, the day padded by a space (RFC 3501 9 date-time).
pub fn is_date_time(text: &[u8]) -> bool {
    const SHAPE: &[u8] = b"dd-Mon-dddd dd:dd:dd zdddd";
    let fits = |(i, (t, s)): (usize, (&u8, &u8))| match s {
        b'd' => t.is_ascii_digit() || (i == 0 && *t == b' '),
        b'z' => matches!(t, b'+' | b'-'),
        b'M' | b'o' | b'n' => true,
        _ => t == s,
    };
    let month = text.get(3..6).unwrap_or_default();
    text.len() == SHAPE.len()
        && MONTHS.iter().any(|m| m.eq_ignore_ascii_case(month))
        && text.iter().zip(SHAPE).enumerate().all(fits)
}

/// Whether two date-times are the same moment, in whatever zones.
pub fn same_moment(a: &[u8], b: &[u8]) -> bool {
    let moment = |text| date_time(text).map(DateTime::unix);
    moment(a).is_some() && moment(a) == moment(b)
}

/// The moment that a date-time is, and its zone.
pub fn date_time(text: &[u8]) -> Option<DateTime> {
    if !is_date_time(text) {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    let part = |from: usize, to: usize| text.get(from..to)?.trim_start().parse::<u8>().ok();
    let month = MONTHS
        .iter()
        .position(|m| m.eq_ignore_ascii_case(text.as_bytes().get(3..6).unwrap_or_default()))?;
    let year = text.get(7..11)?.parse().ok()?;
    let date = Date::from_civil(year, u8::try_from(month).ok()? + 1, part(0, 2)?)?;
    let zone = i16::from(part(22, 24)?) * 60 + i16::from(part(24, 26)?);
    let zone = if text.get(21..22) == Some("-") { -zone } else { zone };
    DateTime::from_civil(date, part(12, 14)?, part(15, 17)?, part(18, 20)?, zone)
}

/// The values of a scenario by their names.
pub type Bound = BTreeMap<String, Value>;

/// An attempt to agree with a pattern: what it binds counts only if all agrees.
#[derive(Debug, Clone)]
pub struct Trial<'a> {
    bound: &'a Bound,
    new: Vec<(String, Value)>,
}

impl<'a> Trial<'a> {
    /// An attempt with what was bound before.
    pub fn new(bound: &'a Bound) -> Self {
        Self { bound, new: Vec::new() }
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let new = self.new.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v);
        new.or_else(|| self.bound.get(name))
    }

    /// Binds a name, or says whether it has that value already.
    pub fn bind(&mut self, name: Option<&str>, value: Value) -> bool {
        let Some(name) = name else { return true };
        match self.get(name) {
            Some(known) => *known == value,
            None => {
                self.new.push((name.to_owned(), value));
                true
            }
        }
    }

    /// How far it has come, to go back to.
    pub fn mark(&self) -> usize {
        self.new.len()
    }

    /// Forgets what was bound since.
    pub fn back_to(&mut self, mark: usize) {
        self.new.truncate(mark);
    }

    /// What was bound.
    pub fn into_new(self) -> Vec<(String, Value)> {
        self.new
    }
}
