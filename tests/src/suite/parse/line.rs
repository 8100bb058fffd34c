//! A line that is heard: `* 1 FETCH (FLAGS (\Seen))`, `a OK <text>`.

use super::super::scenario::{CodePattern, Pat, Pattern, Piece, Template, TextPattern};
use super::cursor::{Angle, Cursor, Names, Parsed};

impl Cursor<'_> {
    /// A whole line.
    pub(super) fn pattern(&mut self, names: &mut Names<'_>) -> Parsed<Pattern> {
        let rest = self.rest();
        if rest == "+" || rest == "+ " {
            self.at = self.line.len();
            let (code, text) = (CodePattern::Any, TextPattern::Any);
            return Ok(Pattern::Continue { code, text });
        }
        if self.take("+ ") {
            let (code, text) = self.status_text(names)?;
            return Ok(Pattern::Continue { code, text });
        }
        if self.take("expunged ") {
            let set = self.pats(names, None)?;
            return Ok(Pattern::Expunged(set));
        }
        let tag = if self.take("*") {
            vec![Piece::Octets(b"*".to_vec())]
        } else {
            self.template(names, " ")?
        };
        if tag.is_empty() {
            return self.wrong("a line that is heard begins with `*`, `+` or a tag");
        }
        self.expect(" ")?;
        let untagged = tag == [Piece::Octets(b"*".to_vec())];
        let start = self.at;
        let word = self.take_while(|c| c.is_ascii_alphabetic()).to_ascii_uppercase();
        let ended = matches!(self.peek(), None | Some(' '));
        let status =
            matches!(word.as_str(), "OK" | "NO" | "BAD") || (untagged && matches!(word.as_str(), "BYE" | "PREAUTH"));
        if status && ended {
            let (code, text) = if self.take(" ") {
                self.status_text(names)?
            } else {
                return self.wrong("behind a status stands `<text>`, a code or a text");
            };
            return Ok(Pattern::Status { tag, word, code, text });
        }
        self.at = start;
        if !untagged {
            return self.wrong("behind a tag stands OK, NO or BAD");
        }
        let pats = self.pats(names, None)?;
        if pats.is_empty() {
            return self.wrong("a response is missing");
        }
        Ok(Pattern::Data(pats))
    }

    fn status_text(&mut self, names: &mut Names<'_>) -> Parsed<(CodePattern, TextPattern)> {
        let mut code = CodePattern::Any;
        if self.take("[]") {
            code = CodePattern::None;
            self.take(" ");
        } else if self.take("[") {
            code = CodePattern::Is(self.pats(names, Some(']'))?);
            self.expect("]")?;
            self.take(" ");
        }
        let text = match self.rest() {
            "<text>" => TextPattern::Some,
            "<empty>" => TextPattern::Empty,
            "" => TextPattern::Any,
            _ => TextPattern::Is(self.template(names, "")?),
        };
        self.at = self.line.len();
        Ok((code, text))
    }

    /// Octets with holes up to one of these characters, a parenthesis not among them.
    fn template(&mut self, names: &mut Names<'_>, until: &str) -> Parsed<Template> {
        let mut out = Template::new();
        let mut octets = Vec::new();
        while let Some(c) = self.peek() {
            if until.contains(c) {
                break;
            }
            let start = self.at;
            if c == '<'
                && let Some(angle) = self.angle()?
            {
                match angle {
                    Angle::Repeat(text) => octets.extend(text),
                    Angle::More => return self.wrong("`<...>` stands for itself, as the last of a list"),
                    Angle::Name(name, kind) => {
                        if name == "text" && kind.is_none() {
                            return self.wrong("`<text>` stands alone behind a status or its code");
                        }
                        if !octets.is_empty() {
                            out.push(Piece::Octets(std::mem::take(&mut octets)));
                        }
                        out.push(self.hole(start, name, kind, names)?);
                    }
                }
                continue;
            }
            self.next();
            octets.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        if !octets.is_empty() {
            out.push(Piece::Octets(octets));
        }
        // What a hole with a size or a repetition left behind is joined.
        Ok(joined(out))
    }

    /// Tokens up to this character, which is not taken, or to the end of the line.
    fn pats(&mut self, names: &mut Names<'_>, until: Option<char>) -> Parsed<Vec<Pat>> {
        let mut pats = Vec::new();
        loop {
            if self.peek() == until {
                return Ok(pats);
            }
            if let (None, Some(end)) = (self.peek(), until) {
                return self.wrong(format!("`{end}` is missing"));
            }
            if !pats.is_empty() {
                let glued = self.peek() == Some('(') && matches!(pats.last(), Some(Pat::List(_)));
                if !glued {
                    self.expect(" ")?;
                }
            }
            if matches!(pats.last(), Some(Pat::More)) {
                return self.wrong("nothing follows `<...>`");
            }
            let marks = until.is_some() || !pats.is_empty();
            let pat = self.pat(names, until, marks)?;
            pats.push(pat);
        }
    }

    fn pat(&mut self, names: &mut Names<'_>, until: Option<char>, marks: bool) -> Parsed<Pat> {
        let Some(c) = self.peek() else {
            return self.wrong("something is missing");
        };
        match c {
            '(' => {
                self.next();
                let items = self.pats(names, Some(')'))?;
                self.expect(")")?;
                Ok(Pat::List(items))
            }
            ')' => self.wrong("a parenthesis that nothing opened"),
            ' ' => self.wrong("a space too many"),
            '"' => {
                self.next();
                Ok(Pat::Text(self.text(names, false)?))
            }
            '!' if marks => {
                self.next();
                Ok(Pat::Not(Box::new(self.pat(names, until, false)?)))
            }
            '?' if marks => {
                self.next();
                Ok(Pat::Maybe(Box::new(self.pat(names, until, false)?)))
            }
            '{' if self.take("{\"") => {
                let text = self.text(names, true)?;
                self.expect("}")?;
                Ok(Pat::Exact(text))
            }
            '{' if self.take("{message ") => Ok(Pat::Exact(vec![Piece::Octets(self.message(names)?)])),
            '{' | '~' if self.take("{") || self.take("~{") => {
                self.wrong("a literal is written {\"…\"} or {message NAME}")
            }
            '<' if self.take("<...>") => Ok(Pat::More),
            _ => self.atom(names, until),
        }
    }

    fn atom(&mut self, names: &mut Names<'_>, until: Option<char>) -> Parsed<Pat> {
        let start = self.at;
        let head = self.take_while(|c| c.is_ascii_alphabetic() || c == '.').to_owned();
        let section = matches!(head.to_ascii_uppercase().as_str(), "BODY" | "BINARY" | "BINARY.SIZE");
        if section && self.take("[") {
            let spec = self.pats(names, Some(']'))?;
            self.expect("]")?;
            let mut origin = None;
            if self.peek() == Some('<') {
                self.next();
                let inner = self.template(names, "> ")?;
                self.expect(">")?;
                origin = Some(inner);
            }
            return Ok(Pat::Section {
                name: head,
                spec,
                origin,
            });
        }
        self.at = start;
        let stops = match until {
            Some(']') => " ()\"]",
            _ => " ()\"",
        };
        let template = self.template(names, stops)?;
        match template.as_slice() {
            [] => self.wrong("something is missing"),
            [Piece::Hole(name, kind)] => Ok(Pat::Hole(name.clone(), *kind)),
            _ => Ok(Pat::Atom(template)),
        }
    }
}

/// Neighbouring octets as one piece.
fn joined(template: Template) -> Template {
    let mut out = Template::new();
    for piece in template {
        match (out.last_mut(), piece) {
            (Some(Piece::Octets(before)), Piece::Octets(octets)) => before.extend(octets),
            (_, piece) => out.push(piece),
        }
    }
    out
}
