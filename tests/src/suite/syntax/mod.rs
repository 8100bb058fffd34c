//! Whether a response follows the formal syntax of its kind: RFC 3501 9 and the extensions that add to it.
//!
//! Nothing here knows what was asked: that is what scenarios are for. A response of an unknown name is let through.

mod code;
mod data;
mod fetch;
mod shape;
#[cfg(test)]
mod tests;

use super::token::{Response, Token};
use shape::{Strings, each_string};

pub(super) use code::is_known as is_known_code;

/// What is wrong with the syntax of a response. `utf8`: UTF8=ACCEPT was enabled, and text may have more than 7 bits.
///
/// # Errors
/// What.
pub fn check(response: &Response, utf8: bool) -> Result<(), String> {
    let strings = Strings { utf8 };
    match response {
        Response::Continue { code, text } => {
            code::check(code.as_deref())?;
            strings.text(text)
        }
        Response::Status { tag, code, text, .. } => {
            if tag != b"*" && !shape::is_tag(tag) {
                return Err("the tag has characters that no tag has".into());
            }
            code::check(code.as_deref())?;
            each_string(code.as_deref().unwrap_or_default(), &mut |token| strings.check(token))?;
            strings.text(text)
        }
        Response::Data(tokens) => {
            each_string(tokens, &mut |token| strings.check(token))?;
            data::check(tokens)
        }
    }
}

type Checked = Result<(), String>;

/// Takes tokens one by one.
struct Row<'a> {
    of: &'static str,
    left: &'a [Token],
}

impl<'a> Row<'a> {
    fn new(of: &'static str, left: &'a [Token]) -> Self {
        Self { of, left }
    }

    /// The next token.
    fn next(&mut self, what: &str) -> Result<&'a Token, String> {
        let (first, rest) = self
            .left
            .split_first()
            .ok_or_else(|| format!("{}: {what} is missing", self.of))?;
        if !self.left.is_empty() && matches!(first, Token::List { glued: true, .. }) {
            return Err(format!("{}: a space is missing between two lists", self.of));
        }
        self.left = rest;
        Ok(first)
    }

    /// The next token, which must be so.
    fn must(&mut self, what: &str, is: impl Fn(&Token) -> bool) -> Result<&'a Token, String> {
        let token = self.next(what)?;
        if is(token) {
            Ok(token)
        } else {
            Err(format!("{}: this is not {what}", self.of))
        }
    }

    /// The list that comes next.
    fn list(&mut self, what: &str) -> Result<&'a [Token], String> {
        let list = self.next(what)?.list();
        list.ok_or_else(|| format!("{}: this is not {what}, a list", self.of))
    }

    fn is_at_end(&self) -> bool {
        self.left.is_empty()
    }

    fn end(&self) -> Checked {
        if self.is_at_end() {
            Ok(())
        } else {
            Err(format!("{}: there is more than belongs to it", self.of))
        }
    }
}
