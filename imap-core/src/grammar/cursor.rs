//! A cursor over a command's octets: atoms, strings, numbers and spaces (RFC 3501 9).

use std::borrow::Cow;

use super::{Parse, Stop};

pub(crate) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
    /// The command is all here; else it ends with a literal's header.
    whole: bool,
}

/// `ATOM-CHAR`
pub(super) fn is_atom_char(b: u8) -> bool {
    is_astring_char(b) && b != b']'
}

/// `ASTRING-CHAR`
pub(crate) fn is_astring_char(b: u8) -> bool {
    matches!(b, b'!'..=b'~') && !matches!(b, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\')
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a [u8], whole: bool) -> Self {
        Self { text, at: 0, whole }
    }

    pub(crate) fn whole(&self) -> bool {
        self.whole
    }

    pub(crate) fn bad(&self, expected: &'static str) -> Stop {
        Stop::Bad { expected, at: self.at }
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The same error, but at an earlier position.
    pub(super) fn bad_at(&self, expected: &'static str, at: usize) -> Stop {
        Stop::Bad { expected, at }
    }

    pub(super) fn skip(&mut self, n: usize) {
        self.at = (self.at + n).min(self.text.len());
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub(super) fn eat(&mut self, octet: u8) -> bool {
        let is = self.peek() == Some(octet);
        if is {
            self.at += 1;
        }
        is
    }

    pub(super) fn expect(&mut self, octet: u8, expected: &'static str) -> Parse<()> {
        if self.eat(octet) {
            Ok(())
        } else {
            Err(self.bad(expected))
        }
    }

    /// Exactly one space (R3501-337). A second one is found by what must follow.
    pub(super) fn space(&mut self, expected: &'static str) -> Parse<()> {
        self.expect(b' ', expected)
    }

    /// The end of the command. Spaces before it are refused (R3501-355).
    pub(crate) fn end(&mut self, expected: &'static str) -> Parse<()> {
        if self.rest().is_empty() {
            Ok(())
        } else {
            Err(self.bad(expected))
        }
    }

    /// Whether a space and another argument follow; takes the space.
    pub(super) fn another(&mut self) -> bool {
        self.eat(b' ')
    }

    fn take_while(&mut self, is: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let len = rest.iter().take_while(|b| is(**b)).count();
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    fn some_while(&mut self, is: impl Fn(u8) -> bool, expected: &'static str) -> Parse<&'a str> {
        let octets = self.take_while(is);
        match std::str::from_utf8(octets) {
            Ok(text) if !text.is_empty() => Ok(text),
            _ => Err(self.bad(expected)),
        }
    }

    /// `atom`
    pub(super) fn atom(&mut self, expected: &'static str) -> Parse<&'a str> {
        self.some_while(is_atom_char, expected)
    }

    /// A word of letters, digits, dots and hyphens: the names of keys and items.
    pub(super) fn word(&mut self, expected: &'static str) -> Parse<&'a str> {
        self.some_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'), expected)
    }

    /// Takes this word, in any case, if it stands here.
    pub(super) fn keyword(&mut self, word: &str) -> bool {
        let is = self
            .rest()
            .get(..word.len())
            .is_some_and(|w| w.eq_ignore_ascii_case(word.as_bytes()));
        if is {
            self.at += word.len();
        }
        is
    }

    /// `number`: 32 bits (R3501-050).
    pub(super) fn number(&mut self, expected: &'static str) -> Parse<u32> {
        let start = self.at;
        let digits = self.take_while(|b| b.is_ascii_digit());
        let value = digits
            .iter()
            .try_fold(0_u32, |n, d| n.checked_mul(10)?.checked_add(u32::from(d - b'0')));
        match value {
            Some(n) if !digits.is_empty() => Ok(n),
            _ => Err(self.bad_at(expected, start)),
        }
    }

    /// `nz-number`: neither 0 nor one that starts with it.
    pub(super) fn nz_number(&mut self, expected: &'static str) -> Parse<u32> {
        if self.peek() == Some(b'0') {
            return Err(self.bad(expected));
        }
        self.number(expected)
    }

    /// `n` digits as a number.
    pub(super) fn digits(&mut self, n: usize, expected: &'static str) -> Parse<u32> {
        let start = self.at;
        let digits = self.rest().get(..n).unwrap_or_default();
        if digits.len() != n || !digits.iter().all(u8::is_ascii_digit) {
            return Err(self.bad_at(expected, start));
        }
        self.at += n;
        Ok(digits.iter().fold(0, |v, d| v * 10 + u32::from(d - b'0')))
    }

    /// `astring` (R3501-049, R3501-051)
    pub(super) fn astring(&mut self, expected: &'static str) -> Parse<Cow<'a, [u8]>> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(expected),
            _ => Ok(Cow::Borrowed(self.some_while(is_astring_char, expected)?.as_bytes())),
        }
    }

    /// `list-mailbox`: an astring that may hold `%` and `*` (R3501-345).
    pub(super) fn list_mailbox(&mut self, expected: &'static str) -> Parse<Cow<'a, [u8]>> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(expected),
            _ => {
                let is = |b| is_astring_char(b) || matches!(b, b'%' | b'*');
                Ok(Cow::Borrowed(self.some_while(is, expected)?.as_bytes()))
            }
        }
    }

    /// `string`: quoted or literal.
    pub(super) fn string(&mut self, expected: &'static str) -> Parse<Cow<'a, [u8]>> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{') => self.literal(expected).map(Cow::Borrowed),
            _ => Err(self.bad(expected)),
        }
    }

    /// `quoted`: 7-bit, without NUL, CR and LF; a backslash stands before `"` and `\` alone (R3501-053).
    fn quoted(&mut self) -> Parse<Cow<'a, [u8]>> {
        self.at += 1;
        let start = self.at;
        let plain = self.take_while(|b| matches!(b, 1..=0x7f) && !matches!(b, b'"' | b'\\' | b'\r' | b'\n'));
        if self.eat(b'"') {
            return Ok(Cow::Borrowed(plain));
        }
        let mut unescaped = plain.to_vec();
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(b @ (b'"' | b'\\')) => unescaped.push(b),
                        _ => return Err(self.bad("a quote or a backslash after a backslash")),
                    }
                }
                Some(b @ 1..=0x7f) if b != b'\r' && b != b'\n' => unescaped.push(b),
                Some(_) => return Err(self.bad("7-bit text without control characters in a quoted string")),
                None => return Err(self.bad_at("a quoted string with its end", start - 1)),
            }
            self.at += 1;
        }
        self.at += 1;
        Ok(Cow::Owned(unescaped))
    }

    /// A literal: its header, which ends a line, and the octets. A NUL in it is refused (R3501-193).
    fn literal(&mut self, expected: &'static str) -> Parse<&'a [u8]> {
        let start = self.at;
        let size = self.literal_header(expected)?;
        if !self.whole && self.rest().is_empty() {
            return Err(Stop::Literal);
        }
        let octets = usize::try_from(size).ok().and_then(|n| self.rest().get(..n));
        let Some(octets) = octets else {
            return Err(self.bad_at(expected, start));
        };
        if memchr::memchr(0, octets).is_some() {
            return Err(self.bad_at("a literal without NUL", start));
        }
        self.at += octets.len();
        Ok(octets)
    }

    fn literal_header(&mut self, expected: &'static str) -> Parse<u64> {
        let start = self.at;
        let rest = self.rest();
        let end = rest.iter().position(|b| *b == b'}').and_then(|i| rest.get(..=i));
        let header = end.and_then(crate::frame::literal_header);
        // What 64 bits cannot say is refused by whoever is asked for the literal.
        let size = header.map(|h| h.size.unwrap_or(u64::MAX));
        let line_end = end
            .and_then(|e| rest.get(e.len()..))
            .is_some_and(|r| r.starts_with(b"\r\n"));
        let (Some(size), Some(end), true) = (size, end, line_end && rest.first() == Some(&b'{')) else {
            return Err(self.bad_at(expected, start));
        };
        self.at += end.len() + 2;
        Ok(size)
    }

    /// Whether a message literal's header ends the text here.
    pub(super) fn at_message(&mut self, expected: &'static str) -> Parse<()> {
        let start = self.at;
        self.literal_header(expected)?;
        if self.whole || !self.rest().is_empty() {
            return Err(self.bad_at(expected, start));
        }
        Ok(())
    }
}
