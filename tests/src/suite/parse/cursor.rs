//! A place within a line of a scenario, and errors that say where they are.

use std::collections::BTreeSet;
use std::fmt;

use super::super::scenario::{Messages, Piece, Sent, Template};
use super::super::value::Kind;
use super::spelling::{meant, nearest};
use super::steps::{Found, Line};

/// What is wrong with a scenario, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.what)
    }
}

impl std::error::Error for Error {}

/// What is wrong at which octet of a line.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) at: usize,
    pub(super) what: String,
}

pub(super) type Parsed<T> = Result<T, Wrong>;

/// What can be named in a line: messages, and names that are bound when it is played.
pub(super) struct Names<'a> {
    pub(super) messages: &'a Messages,
    pub(super) bound: BTreeSet<String>,
    /// Names that patterns bind, with the place of the first, and whether they stand anywhere else.
    new: Vec<New>,
    /// The line that is being read, for those places.
    pub(super) line: usize,
}

/// A name where a pattern binds it.
struct New {
    name: String,
    line: usize,
    at: usize,
    used: bool,
}

impl<'a> Names<'a> {
    pub(super) fn new(messages: &'a Messages, bound: BTreeSet<String>) -> Self {
        Self {
            messages,
            bound,
            new: Vec::new(),
            line: 0,
        }
    }

    /// Whether something is bound to a name, which is used here.
    pub(super) fn uses(&mut self, name: &str) -> bool {
        if let Some(new) = self.new.iter_mut().find(|new| new.name == name) {
            new.used = true;
        }
        self.bound.contains(name)
    }

    /// A pattern binds a name, or has it again.
    fn binds(&mut self, name: &str, at: usize) {
        if self.bound.insert(name.to_owned()) {
            let (name, line) = (name.to_owned(), self.line);
            let used = false;
            self.new.push(New { name, line, at, used });
        } else {
            self.uses(name);
        }
    }

    /// What is said where nothing is bound to a name.
    pub(super) fn unbound(&self, name: &str) -> String {
        match name {
            "user2" | "password2" | "user264" | "password264" => {
                format!("`{name}` is bound where the head has `needs: user2`")
            }
            _ if is_mailbox(name) => format!("there is no `{name}:` in the head"),
            _ => {
                let meant = meant(name, self.bound.iter().map(String::as_str));
                format!("nothing is bound to `{name}` here{meant}")
            }
        }
    }

    /// What a line that cannot be read may have bound is bound: it is not worth another error.
    pub(super) fn suppose(&mut self, text: &str) {
        for piece in text.split('<').skip(1) {
            let len = piece.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let name = piece.get(..len.unwrap_or(piece.len())).unwrap_or_default();
            self.bound.insert(name.to_owned());
            self.uses(name);
        }
    }

    /// Names that a pattern binds, that stand nowhere else, and that are like a kind of hole or another name.
    pub(super) fn misspelt(&self, lines: &[Line]) -> Vec<Found> {
        let of = |new: &New| {
            let letters = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
            let others = self.bound.iter().map(String::as_str).chain(Kind::NAMES);
            // `u1` and `u2` are no slips, and hardly anybody errs in the first letter.
            let first = new.name.get(..1);
            let others = others.filter(|other| letters(other) != letters(&new.name) && other.get(..1) == first);
            let meant = nearest(&new.name, others)?;
            let what = format!("`{}` is bound here and used nowhere; did you mean `{meant}`?", new.name);
            Some(lines.get(new.line)?.wrong(new.at, what))
        };
        self.new.iter().filter(|new| !new.used).filter_map(of).collect()
    }
}

/// Whether a name is one that heads give to mailboxes: `box`, `box2` …
fn is_mailbox(name: &str) -> bool {
    name.strip_prefix("box")
        .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
}

/// Reads a line.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    pub(super) line: &'a str,
    pub(super) at: usize,
}

/// What stands at a `<`.
pub(super) enum Angle {
    /// `<name>` or `<name:KIND>`, the kind still to be read.
    Name(String, Option<String>),
    /// `<"ab" * 300>`
    Repeat(Vec<u8>),
    /// `<...>`
    More,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(line: &'a str, at: usize) -> Self {
        Self { line, at }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.line.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    pub(super) fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    pub(super) fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let len = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    pub(super) fn wrong<T>(&self, what: impl Into<String>) -> Parsed<T> {
        let what = what.into();
        Err(Wrong { at: self.at, what })
    }

    pub(super) fn expect(&mut self, text: &str) -> Parsed<()> {
        if self.take(text) {
            Ok(())
        } else {
            self.wrong(format!("`{text}` is missing"))
        }
    }

    /// What stands at a `<`, if it is more than itself. Nothing is taken if not.
    pub(super) fn angle(&mut self) -> Parsed<Option<Angle>> {
        if self.take("<...>") {
            return Ok(Some(Angle::More));
        }
        if self.rest().starts_with("<\"") {
            self.at += 2;
            let text = self.escaped_until_quote()?;
            let spaces = |c| c == ' ';
            self.take_while(spaces);
            self.expect("*")?;
            self.take_while(spaces);
            let start = self.at;
            let times = self.take_while(|c| c.is_ascii_digit()).parse::<usize>();
            let Some(times) = times.ok().filter(|n| n.saturating_mul(text.len()) <= MAX_REPEATED) else {
                self.at = start;
                return self.wrong("how often? (at most 64 MiB in all)");
            };
            self.expect(">")?;
            return Ok(Some(Angle::Repeat(text.repeat(times))));
        }
        let mut ahead = self.clone();
        ahead.at += 1;
        let name = ahead.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        let mut kind = None;
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Ok(None);
        }
        if ahead.take(":") {
            kind = Some(
                ahead
                    .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
                    .to_owned(),
            );
        }
        if !ahead.take(">") || kind.as_ref().is_some_and(String::is_empty) {
            return Ok(None);
        }
        self.at = ahead.at;
        Ok(Some(Angle::Name(name.to_owned(), kind)))
    }

    /// Text with escapes up to a quote, which is taken.
    fn escaped_until_quote(&mut self) -> Parsed<Vec<u8>> {
        let mut text = Vec::new();
        loop {
            match self.next() {
                None => return self.wrong("`\"` is missing"),
                Some('"') => return Ok(text),
                Some('\\') => self.escape(&mut text)?,
                Some(c) => push(&mut text, c),
            }
        }
    }

    /// What stands behind a backslash.
    pub(super) fn escape(&mut self, out: &mut Vec<u8>) -> Parsed<()> {
        let octet = match self.next() {
            Some('r') => b'\r',
            Some('n') => b'\n',
            Some('t') => b'\t',
            Some('0') => 0,
            Some('\\') => b'\\',
            Some('"') => b'"',
            Some('x') => {
                let digits = self.rest().get(..2).and_then(|d| u8::from_str_radix(d, 16).ok());
                let Some(octet) = digits else {
                    return self.wrong("two hexadecimal digits are missing");
                };
                self.at += 2;
                octet
            }
            _ => {
                self.at -= 1;
                return self.wrong("an escape is one of \\r \\n \\t \\0 \\\\ \\\" \\xHH");
            }
        };
        out.push(octet);
        Ok(())
    }

    /// `message plain}` behind a brace: the octets, or those of `plain 0.10`, `plain header`, `plain text`.
    pub(super) fn message(&mut self, names: &Names<'_>) -> Parsed<Vec<u8>> {
        let start = self.at;
        let inner = self.take_while(|c| c != '}');
        let end = self.at;
        self.expect("}")?;
        let wrong = |what: String| Wrong { at: start, what };
        let mut words = inner.split(' ');
        let name = words.next().unwrap_or_default();
        let octets = names.messages.get(name);
        let octets = octets.ok_or_else(|| wrong(no_message(name, names.messages)))?;
        let part = match words.next() {
            None => octets.as_slice(),
            Some(part) => part_of(octets, part)
                .ok_or_else(|| wrong(format!("`{part}` is none of `header`, `text` and `0.10`")))?,
        };
        match words.next() {
            None => Ok(part.to_vec()),
            Some(_) => {
                self.at = end;
                self.wrong("`}` is missing")
            }
        }
    }

    /// The octets of a name that is known now: `size:NAME`.
    pub(super) fn size(&self, kind: &str, names: &Names<'_>) -> Parsed<Vec<u8>> {
        match names.messages.get(kind) {
            Some(octets) => Ok(octets.len().to_string().into_bytes()),
            None => self.wrong(no_message(kind, names.messages)),
        }
    }

    /// What is sent, up to the end of the line or, within a literal, up to its `"}`.
    pub(super) fn sent(&mut self, names: &mut Names<'_>, escapes: bool, literal: bool) -> Parsed<Vec<Sent>> {
        let mut out = Vec::new();
        let mut octets = Vec::new();
        loop {
            let Some(c) = self.peek() else {
                if literal {
                    return self.wrong("the literal does not end: `\"}` is missing");
                }
                break;
            };
            match c {
                '"' if literal => {
                    self.next();
                    self.expect("}")?;
                    break;
                }
                '\\' if escapes || literal => {
                    self.next();
                    self.escape(&mut octets)?;
                }
                '<' => {
                    let start = self.at;
                    match self.angle()? {
                        None => {
                            self.next();
                            octets.push(b'<');
                        }
                        Some(Angle::Repeat(text)) => octets.extend(text),
                        Some(Angle::More) => octets.extend(b"<...>"),
                        Some(Angle::Name(name, Some(of))) if name == "size" => octets.extend(self.size(&of, names)?),
                        Some(Angle::Name(name, None)) if names.uses(&name) => {
                            out.push(Sent::Octets(std::mem::take(&mut octets)));
                            out.push(Sent::Name(name));
                        }
                        Some(Angle::Name(name, _)) => {
                            self.at = start;
                            return self.wrong(names.unbound(&name));
                        }
                    }
                }
                '{' if !literal => {
                    let found = self.sent_literal(names)?;
                    match found {
                        Some(literal) => {
                            out.push(Sent::Octets(std::mem::take(&mut octets)));
                            out.push(literal);
                        }
                        None => {
                            self.next();
                            octets.push(b'{');
                        }
                    }
                }
                other => {
                    self.next();
                    push(&mut octets, other);
                }
            }
        }
        out.push(Sent::Octets(octets));
        out.retain(|piece| *piece != Sent::Octets(Vec::new()));
        Ok(out)
    }

    /// A line of a message: escapes and repetitions.
    pub(super) fn message_line(&mut self) -> Parsed<Vec<u8>> {
        let mut out = Vec::new();
        while let Some(c) = self.peek() {
            match c {
                '\\' => {
                    self.next();
                    self.escape(&mut out)?;
                    continue;
                }
                '<' if self.rest().starts_with("<\"") => {
                    if let Some(Angle::Repeat(text)) = self.angle()? {
                        out.extend(text);
                    }
                    continue;
                }
                _ => {}
            }
            self.next();
            push(&mut out, c);
        }
        Ok(out)
    }

    fn sent_literal(&mut self, names: &mut Names<'_>) -> Parsed<Option<Sent>> {
        for (opening, at_once, message) in [
            ("{\"", false, false),
            ("{+\"", true, false),
            ("{message ", false, true),
            ("{+message ", true, true),
        ] {
            if self.take(opening) {
                let content = if message {
                    vec![Sent::Octets(self.message(names)?)]
                } else {
                    self.sent(names, true, true)?
                };
                return Ok(Some(Sent::Literal { at_once, content }));
            }
        }
        Ok(None)
    }

    /// A hole of a pattern that begins at `start`. Names that it binds become known.
    pub(super) fn hole(
        &mut self,
        start: usize,
        name: String,
        kind: Option<String>,
        names: &mut Names<'_>,
    ) -> Parsed<Piece> {
        if let Some(kind) = kind {
            if name == "size" {
                return Ok(Piece::Octets(self.size(&kind, names)?));
            }
            let Some(kind) = Kind::named(&kind) else {
                let meant = meant(&kind, Kind::NAMES.into_iter());
                return self.wrong(format!("`{kind}` is no kind of hole{meant}"));
            };
            names.binds(&name, start);
            return Ok(Piece::Hole(Some(name), kind));
        }
        if let Some(kind) = Kind::named(&name) {
            return Ok(Piece::Hole(None, kind));
        }
        if !names.bound.contains(&name) && is_mailbox(&name) {
            self.at = start;
            return self.wrong(names.unbound(&name));
        }
        names.binds(&name, start);
        Ok(Piece::Hole(Some(name), Kind::Positive))
    }

    /// A string of a pattern up to its quote, with `escapes` as in `{"…"}` or as in a quoted string.
    pub(super) fn text(&mut self, names: &mut Names<'_>, escapes: bool) -> Parsed<Template> {
        let mut out = Template::new();
        let mut octets = Vec::new();
        loop {
            match self.peek() {
                None => return self.wrong("`\"` is missing"),
                Some('"') => break,
                Some('\\') if escapes => {
                    self.next();
                    self.escape(&mut octets)?;
                }
                Some('\\') => {
                    self.next();
                    match self.next() {
                        Some(c @ ('"' | '\\')) => push(&mut octets, c),
                        _ => return self.wrong("a quoted string has \\\" and \\\\; for other octets write {\"…\"}"),
                    }
                }
                Some('<') => match self.angle()? {
                    None => {
                        self.next();
                        octets.push(b'<');
                    }
                    Some(Angle::Repeat(text)) => octets.extend(text),
                    Some(Angle::More) => octets.extend(b"<...>"),
                    Some(Angle::Name(name, Some(of))) if name == "size" => octets.extend(self.size(&of, names)?),
                    Some(Angle::Name(name, None)) if names.uses(&name) => {
                        out.push(Piece::Octets(std::mem::take(&mut octets)));
                        out.push(Piece::Hole(Some(name), Kind::Any));
                    }
                    Some(Angle::Name(name, _)) => {
                        let why = names.unbound(&name);
                        return self.wrong(format!("{why}; for a `<` write {{\"\\x3c\"}}"));
                    }
                },
                Some(c) => {
                    self.next();
                    push(&mut octets, c);
                }
            }
        }
        self.next();
        out.push(Piece::Octets(octets));
        if out.len() > 1 {
            out.retain(|piece| *piece != Piece::Octets(Vec::new()));
        }
        Ok(out)
    }
}

/// What is said where there is no message of this name.
pub(super) fn no_message(name: &str, messages: &Messages) -> String {
    let meant = meant(name, messages.keys().map(String::as_str));
    format!("there is no message `{name}`{meant}")
}

/// How large a repeated text may be.
const MAX_REPEATED: usize = 64 << 20;

fn push(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

fn part_of<'a>(octets: &'a [u8], part: &str) -> Option<&'a [u8]> {
    let body = match octets.starts_with(b"\r\n") {
        true => 2,
        false => octets
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .map_or(octets.len(), |at| at + 4),
    };
    match part {
        "header" => octets.get(..body),
        "text" => octets.get(body..),
        range => {
            let (from, count) = range.split_once('.')?;
            let from: usize = from.parse().ok()?;
            let until = from.saturating_add(count.parse().ok()?);
            octets.get(from.min(octets.len())..until.min(octets.len()))
        }
    }
}
