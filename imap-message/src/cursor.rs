//! The lexical tokens of structured header fields: words, quoted strings, comments, white space (RFC 5322 3.2).

/// A place in a structured field value. Every method moves it forward or leaves it; none goes back.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The text from an earlier place to here.
    pub(crate) fn since(&self, start: usize) -> &'a [u8] {
        self.text.get(start..self.at).unwrap_or_default()
    }

    pub(crate) fn bump(&mut self) -> Option<u8> {
        let octet = self.peek()?;
        self.at += 1;
        Some(octet)
    }

    /// Steps over this octet if it comes next.
    pub(crate) fn eat(&mut self, octet: u8) -> bool {
        let here = self.peek() == Some(octet);
        self.at += usize::from(here);
        here
    }

    pub(crate) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let start = self.at;
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
        self.since(start)
    }

    /// A `token` of RFC 2045 5.1; empty if there is none.
    pub(crate) fn token(&mut self) -> &'a [u8] {
        self.take_while(is_token)
    }

    /// Skips white space; says whether there was any.
    pub(crate) fn skip_space(&mut self) -> bool {
        !self.take_while(is_space).is_empty()
    }

    /// Skips white space and comments; says whether there was any.
    pub(crate) fn skip_cfws(&mut self) -> bool {
        let start = self.at;
        loop {
            self.skip_space();
            if self.peek() != Some(b'(') {
                return self.at > start;
            }
            self.comment();
        }
    }

    /// The text of the comment that opens here, nested comments included with their parentheses; the outer parentheses
    /// and the quoting are removed. An unclosed comment ends with the field.
    pub(crate) fn comment(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut depth = 0u32;
        while let Some(octet) = self.bump() {
            match octet {
                b'\\' => text.extend(self.bump()),
                b'(' => {
                    depth += 1;
                    if depth > 1 {
                        text.push(octet);
                    }
                }
                b')' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return text;
                    }
                    text.push(octet);
                }
                _ => text.push(octet),
            }
        }
        text
    }

    /// The text of the quoted string that opens here, without quotes and quoting. An unclosed one ends with the field.
    pub(crate) fn quoted_string(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        self.eat(b'"');
        while let Some(octet) = self.bump() {
            match octet {
                b'"' => return text,
                b'\\' => text.extend(self.bump()),
                _ => text.push(octet),
            }
        }
        text
    }
}

pub(crate) fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

pub(crate) fn is_token(octet: u8) -> bool {
    matches!(octet, b'!'..=b'~')
        && !matches!(
            octet,
            b'(' | b')' | b'<' | b'>' | b'@' | b',' | b';' | b':' | b'\\' | b'"' | b'/' | b'[' | b']' | b'?' | b'='
        )
}
