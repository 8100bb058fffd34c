//! Responses taken apart into tokens, with the exact place where one cannot be.

use std::fmt;

/// How deep lists may nest: what a server says must not exhaust our stack.
const DEPTH: usize = 100;

/// A token of a response.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Token {
    /// Anything without delimiters: an atom, a number, a flag, a set, NIL.
    Atom(Vec<u8>),
    /// A quoted string, its escapes undone.
    Quoted(Vec<u8>),
    /// A literal.
    Literal(Vec<u8>),
    /// A literal8 (RFC 3516).
    Literal8(Vec<u8>),
    /// A list.
    List {
        /// What is in it.
        items: Vec<Token>,
        /// Whether no space stands between it and the list before it.
        glued: bool,
    },
    /// `BODY[…]<…>`, `BINARY[…]<…>` or `BINARY.SIZE[…]`.
    Section {
        /// What stands before the bracket.
        name: Vec<u8>,
        /// What stands between the brackets.
        spec: Vec<Token>,
        /// What stands between `<` and `>`.
        origin: Option<Vec<u8>>,
    },
}

impl Token {
    /// The atom's octets.
    pub fn atom(&self) -> Option<&[u8]> {
        match self {
            Self::Atom(atom) => Some(atom),
            _ => None,
        }
    }

    /// Whether it is this atom, without regard to case.
    pub fn is(&self, atom: &str) -> bool {
        self.atom().is_some_and(|a| a.eq_ignore_ascii_case(atom.as_bytes()))
    }

    /// The octets of a string.
    pub fn string(&self) -> Option<&[u8]> {
        match self {
            Self::Quoted(octets) | Self::Literal(octets) | Self::Literal8(octets) => Some(octets),
            _ => None,
        }
    }

    /// The octets of a string or an atom.
    pub fn astring(&self) -> Option<&[u8]> {
        self.atom().or_else(|| self.string())
    }

    /// The list's items.
    pub fn list(&self) -> Option<&[Token]> {
        match self {
            Self::List { items, .. } => Some(items),
            _ => None,
        }
    }

    /// The number that it is.
    pub fn number(&self) -> Option<u64> {
        number(self.atom()?)
    }
}

/// The number that these octets write.
pub fn number(octets: &[u8]) -> Option<u64> {
    let digits = !octets.is_empty() && octets.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(octets).ok()?;
    if digits { text.parse().ok() } else { None }
}

/// A response, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// `+ …`
    Continue {
        /// The response code.
        code: Option<Vec<Token>>,
        /// The text behind it.
        text: Vec<u8>,
    },
    /// `OK`, `NO`, `BAD`, `BYE` or `PREAUTH`.
    Status {
        /// The tag, or `*`.
        tag: Vec<u8>,
        /// In capitals.
        word: String,
        /// The response code.
        code: Option<Vec<Token>>,
        /// The text behind it.
        text: Vec<u8>,
    },
    /// Any other untagged response.
    Data(Vec<Token>),
}

/// Where and why something cannot be taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The octet of the response, from 0.
    pub at: usize,
    /// Why.
    pub why: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at octet {})", self.why, self.at)
    }
}

impl Response {
    /// Takes a response apart, given without its final CR LF (RFC 3501 7).
    ///
    /// # Errors
    /// It is none that a server may send.
    pub fn parse(octets: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader { octets, at: 0 };
        if octets.first() == Some(&b'+') {
            reader.at = 1;
            if reader.peek().is_none() {
                return reader.fails("`+` must be followed by a space");
            }
            reader.space()?;
            let (code, text) = reader.status_text(true)?;
            return Ok(Self::Continue { code, text });
        }
        let tag = reader.word();
        if tag.is_empty() {
            return reader.fails("a response begins with `*`, `+` or a tag");
        }
        reader.space()?;
        let start = reader.at;
        let word = String::from_utf8_lossy(reader.word()).to_ascii_uppercase();
        let status = matches!(word.as_str(), "OK" | "NO" | "BAD") || (tag == b"*" && is_farewell_or_greeting(&word));
        if status {
            reader.space()?;
            let (code, text) = reader.status_text(false)?;
            let tag = tag.to_vec();
            return Ok(Self::Status { tag, word, code, text });
        }
        if tag != b"*" {
            reader.at = start;
            return reader.fails("a tagged response is OK, NO or BAD");
        }
        reader.at = start;
        Ok(Self::Data(reader.tokens(End::Line, 0)?))
    }

    /// The number and the name of data such as `* 3 EXISTS`; the name of data such as `* SEARCH`. In capitals.
    pub fn name(&self) -> Option<(Option<u64>, String)> {
        let Self::Data(tokens) = self else { return None };
        let first = tokens.first()?;
        let (number, name) = match first.number() {
            Some(number) => (Some(number), tokens.get(1)?),
            None => (None, first),
        };
        Some((number, String::from_utf8_lossy(name.atom()?).to_ascii_uppercase()))
    }
}

fn is_farewell_or_greeting(word: &str) -> bool {
    matches!(word, "BYE" | "PREAUTH")
}

/// What ends a row of tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Line,
    Parenthesis,
    Bracket,
}

struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.octets.get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.octets.get(self.at..).unwrap_or_default()
    }

    fn fails<T>(&self, why: impl Into<String>) -> Result<T, Malformed> {
        let why = why.into();
        Err(Malformed { at: self.at, why })
    }

    fn space(&mut self) -> Result<(), Malformed> {
        if self.peek() != Some(b' ') {
            return self.fails("a space is missing");
        }
        self.at += 1;
        Ok(())
    }

    fn run(&mut self, fits: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let len = rest.iter().position(|b| !fits(*b)).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    fn word(&mut self) -> &'a [u8] {
        self.run(|b| !matches!(b, b' ' | b'(' | b')' | b'"' | b'{' | b'\r' | b'\n'))
    }

    /// A response code, if there is one, and the text behind it.
    fn status_text(&mut self, may_be_empty: bool) -> Result<(Option<Vec<Token>>, Vec<u8>), Malformed> {
        let mut code = None;
        if self.peek() == Some(b'[') {
            self.at += 1;
            let start = self.at;
            let tokens = match self.tokens(End::Bracket, 0) {
                Ok(tokens) => tokens,
                Err(malformed) => self.unknown_code(start, malformed)?,
            };
            code = Some(tokens);
            self.at += 1;
            if self.peek().is_none() {
                return self.fails("text must follow the response code");
            }
            self.space()?;
        }
        let text = self.rest().to_vec();
        if text.is_empty() && !may_be_empty {
            return self.fails("the text is missing");
        }
        self.at = self.octets.len();
        Ok((code, text))
    }

    /// A code that is not known may have anything but `]` in it (RFC 3501 9 resp-text-code).
    fn unknown_code(&mut self, start: usize, malformed: Malformed) -> Result<Vec<Token>, Malformed> {
        self.at = start;
        let name = self.run(|b| !matches!(b, b' ' | b']'));
        let known = super::syntax::is_known_code(&String::from_utf8_lossy(name));
        let rest = self.run(|b| b != b']');
        if known || self.peek() != Some(b']') || name.is_empty() {
            return Err(malformed);
        }
        let words = rest.split(|b| *b == b' ').filter(|w| !w.is_empty());
        let words = std::iter::once(name).chain(words);
        Ok(words.map(|w| Token::Atom(w.to_vec())).collect())
    }

    /// Tokens up to an end, which is not taken.
    fn tokens(&mut self, end: End, depth: usize) -> Result<Vec<Token>, Malformed> {
        if depth > DEPTH {
            return self.fails("lists nest too deep");
        }
        let mut tokens: Vec<Token> = Vec::new();
        loop {
            let ended = match self.peek() {
                None => end == End::Line,
                Some(b')') => end == End::Parenthesis,
                Some(b']') => end == End::Bracket,
                _ => false,
            };
            if ended {
                return Ok(tokens);
            }
            let mut glued = false;
            if let Some(last) = tokens.last() {
                if self.peek() == Some(b'(') && last.list().is_some() {
                    glued = true;
                } else {
                    self.space()?;
                }
            }
            let token = self.token(end, glued, depth)?;
            tokens.push(token);
        }
    }

    fn token(&mut self, end: End, glued: bool, depth: usize) -> Result<Token, Malformed> {
        match self.peek() {
            None => self.fails("it ends where more must follow"),
            Some(b'(') => {
                self.at += 1;
                let items = self.tokens(End::Parenthesis, depth + 1)?;
                self.at += 1;
                Ok(Token::List { items, glued })
            }
            Some(b'"') => self.quoted(),
            Some(b'{') => Ok(Token::Literal(self.literal()?)),
            Some(b'~') if self.rest().starts_with(b"~{") => {
                self.at += 1;
                Ok(Token::Literal8(self.literal()?))
            }
            Some(b' ') => self.fails("two spaces, or a space before the end or behind a parenthesis"),
            Some(b')') => self.fails("a parenthesis that nothing opened"),
            Some(b'\r' | b'\n') => self.fails("a bare CR or LF"),
            Some(_) => self.atom(end, depth),
        }
    }

    fn atom(&mut self, end: End, depth: usize) -> Result<Token, Malformed> {
        let start = self.at;
        let delimits =
            |b: u8| matches!(b, b' ' | b'(' | b')' | b'"' | b'\r' | b'\n') || (b == b']' && end == End::Bracket);
        let head = self.run(|b| !delimits(b) && b != b'[');
        if self.peek() == Some(b'[') && is_section(head) {
            return self.section(head, depth);
        }
        self.run(|b| !delimits(b));
        if self.peek() == Some(b'"') {
            return self.fails("a quote within an atom");
        }
        let atom = self.octets.get(start..self.at).unwrap_or_default();
        if atom.is_empty() {
            return self.fails("a token is missing");
        }
        Ok(Token::Atom(atom.to_vec()))
    }

    fn section(&mut self, name: &[u8], depth: usize) -> Result<Token, Malformed> {
        self.at += 1;
        let spec = self.tokens(End::Bracket, depth + 1)?;
        self.at += 1;
        let mut origin = None;
        if self.peek() == Some(b'<') {
            self.at += 1;
            origin = Some(self.run(|b| b != b'>' && b != b' ').to_vec());
            if self.peek() != Some(b'>') {
                return self.fails("`<` without `>`");
            }
            self.at += 1;
        }
        let name = name.to_vec();
        Ok(Token::Section { name, spec, origin })
    }

    fn quoted(&mut self) -> Result<Token, Malformed> {
        self.at += 1;
        let mut octets = Vec::new();
        loop {
            let Some(octet) = self.peek() else {
                return self.fails("a quoted string without its end");
            };
            match octet {
                b'"' => {
                    self.at += 1;
                    return Ok(Token::Quoted(octets));
                }
                b'\\' => {
                    self.at += 1;
                    match self.peek() {
                        Some(escaped @ (b'"' | b'\\')) => octets.push(escaped),
                        _ => return self.fails("only `\"` and `\\` are escaped in a quoted string"),
                    }
                }
                b'\r' | b'\n' => return self.fails("CR or LF in a quoted string"),
                0 => return self.fails("NUL in a quoted string"),
                other => octets.push(other),
            }
            self.at += 1;
        }
    }

    fn literal(&mut self) -> Result<Vec<u8>, Malformed> {
        self.at += 1;
        let digits = self.run(|b| b.is_ascii_digit());
        let Some(size) = number(digits).and_then(|n| usize::try_from(n).ok()) else {
            return self.fails("a literal without its size");
        };
        let Some(rest) = self.rest().strip_prefix(b"}\r\n") else {
            return self.fails("`{size}` and CR LF begin a literal");
        };
        let Some(octets) = rest.get(..size) else {
            return self.fails("the literal is shorter than it says");
        };
        self.at += 3 + size;
        Ok(octets.to_vec())
    }
}

fn is_section(head: &[u8]) -> bool {
    let known: [&[u8]; 3] = [b"BODY", b"BINARY", b"BINARY.SIZE"];
    known.iter().any(|k| k.eq_ignore_ascii_case(head))
}
