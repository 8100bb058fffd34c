//! In what a response differs from the line that it was probably meant to be, in one sentence.

use super::super::conversation::shown;
use super::super::scenario::{Alternative, CodePattern, Pat, Pattern, Piece, Template, TextPattern};
use super::super::token::{Response, Token};
use super::super::value::{Bound, Trial, Value};
use super::fetch;
use super::tokens::{Mode, token, tried};

/// What kind of response this is, as one would say: `An untagged EXISTS response`.
pub(super) fn kind(heard: &Response) -> String {
    match heard {
        Response::Continue { .. } => "A continuation request (`+`)".to_owned(),
        Response::Status { tag, word, code, .. } if tag == b"*" => {
            let code = code.as_deref().and_then(<[Token]>::first);
            let code = code.map(|name| format!(" [{}]", shown(&Value::Token(name.clone()).rendered())));
            format!("An untagged {word}{} response", code.unwrap_or_default())
        }
        Response::Status { tag, word, .. } => format!("An answer {word} with the tag {}", shown(tag)),
        Response::Data(tokens) => match heard.name() {
            Some((_, name)) if name == "FETCH" => {
                let told = fetch::told(tokens).map(|told| told.items).unwrap_or_default();
                let items: Vec<String> = told.iter().map(|(item, _)| of_token(item)).collect();
                match items.as_slice() {
                    [] => "An untagged FETCH response".to_owned(),
                    _ => cut(format!("An untagged FETCH response with {}", items.join(", "))),
                }
            }
            Some((_, name)) => format!("An untagged {} response", cut(shown(name.as_bytes()))),
            None => "An untagged response without a name".to_owned(),
        },
    }
}

/// How much of a value is shown.
const LONG: usize = 160;

/// What is different from the first of these lines that is of the same kind.
pub(super) fn from<'a>(
    lines: impl Iterator<Item = &'a Alternative>,
    heard: &Response,
    bound: &Bound,
) -> Option<String> {
    let mut found = None;
    for line in lines {
        let difference = match (&line.pattern, heard) {
            (Pattern::Status { tag, word, code, text }, Response::Status { .. }) => {
                status(tag, word, code, text, heard, bound)
            }
            (Pattern::Data(_), Response::Data(tokens)) if fetch::wanted(&line.pattern).is_some() => {
                of_fetch(&line.pattern, tokens, bound)
            }
            (Pattern::Data(pats), Response::Data(tokens)) => of_data(pats, tokens, bound),
            _ => None,
        };
        found = found.or(difference);
    }
    found
}

fn status(
    tag: &Template,
    word: &str,
    code: &CodePattern,
    text: &TextPattern,
    heard: &Response,
    bound: &Bound,
) -> Option<String> {
    let Response::Status {
        tag: heard_tag,
        word: heard_word,
        code: heard_code,
        text: heard_text,
    } = heard
    else {
        return None;
    };
    let tag = template(tag, bound);
    if tag.as_bytes() != heard_tag.as_slice() {
        let both_tagged = tag != "*" && heard_tag != b"*";
        return both_tagged.then(|| format!("The tag is {}, not {tag}.", shown(heard_tag)));
    }
    if word != heard_word {
        let what = if tag == "*" { "untagged response" } else { "answer" };
        return Some(format!("The {what} is {heard_word} instead of {word}."));
    }
    let heard_code = heard_code.as_deref();
    if !super::code(code, heard_code, &mut Trial::new(bound)) {
        let told = heard_code.map(|code| format!("[{}]", row_of_tokens(code)));
        return Some(match (code, told) {
            (CodePattern::Is(pats), Some(told)) => format!("The code is {told} instead of [{}].", row(pats, bound)),
            (CodePattern::Is(pats), None) => format!("The code [{}] is missing.", row(pats, bound)),
            (_, told) => format!(
                "The answer has the code {}, which must not be there.",
                told.unwrap_or_default()
            ),
        });
    }
    let same = super::text(text, heard_text, &mut Trial::new(bound));
    (!same).then(|| format!("The text is another: {}.", shown(heard_text)))
}

fn of_data(pats: &[Pat], heard: &[Token], bound: &Bound) -> Option<String> {
    let named = |token: &Token| token.number().is_none();
    let heard_name = heard.iter().find(|token| named(token))?;
    let same_kind = pats.iter().take(2).any(|pat| match pat {
        Pat::Atom(_) => token(pat, heard_name, Mode::Plain, &mut Trial::new(bound)),
        _ => false,
    });
    if !same_kind {
        return None;
    }
    let name = cut(shown(&Value::Token(heard_name.clone()).rendered().to_ascii_uppercase()));
    let mut trial = Trial::new(bound);
    for (index, pat) in pats.iter().enumerate() {
        let Some(token) = heard.get(index) else {
            return Some(format!("{name} does not tell {}.", of_pat(pat, bound)));
        };
        if !tried(pat, token, Mode::Mailbox, &mut trial) && *pat != Pat::More {
            return Some(format!(
                "{name} tells {} instead of {}.",
                of_token(token),
                of_pat(pat, bound)
            ));
        }
    }
    heard
        .get(pats.len())
        .map(|more| format!("{name} tells {}, which is not listed.", of_token(more)))
}

fn of_fetch(pattern: &Pattern, heard: &[Token], bound: &Bound) -> Option<String> {
    let wanted = fetch::wanted(pattern)?;
    let told = fetch::told(heard)?;
    let mut trial = Trial::new(bound);
    if !wanted.is_of(&told, &mut trial) {
        return None;
    }
    for (name, value) in &told.items {
        let mut done = vec![false; wanted.items.len()];
        let alone = [(*name, *value)];
        match wanted.take(&alone, &mut done, &mut trial) {
            Some(left) if left.is_empty() => {}
            Some(_) if name.is("UID") || name.is("MODSEQ") => {}
            Some(_) => return Some(format!("FETCH tells {}, which is not listed.", of_token(name))),
            None if wanted.forbids(name, &mut trial) => {
                return Some(format!("FETCH tells {}, which must not be there.", of_token(name)));
            }
            None => {
                let pat = wanted.value_of(name)?;
                return Some(format!(
                    "FETCH tells {} as {} instead of {}.",
                    of_token(name),
                    of_token(value),
                    of_pat(pat, bound)
                ));
            }
        }
    }
    None
}

fn cut(text: String) -> String {
    match text.char_indices().nth(LONG) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

fn of_token(token: &Token) -> String {
    let text = Value::Token(token.clone()).rendered();
    let quoted = matches!(token, Token::Atom(_)).then(|| format!("`{}`", shown(&text)));
    cut(quoted.unwrap_or_else(|| shown(&text)))
}

fn row_of_tokens(tokens: &[Token]) -> String {
    let each: Vec<String> = tokens
        .iter()
        .map(|t| shown(&Value::Token(t.clone()).rendered()))
        .collect();
    cut(each.join(" "))
}

fn of_pat(pat: &Pat, bound: &Bound) -> String {
    let text = plain(pat, bound);
    cut(if matches!(pat, Pat::Atom(_)) {
        format!("`{text}`")
    } else {
        text
    })
}

fn row(pats: &[Pat], bound: &Bound) -> String {
    let each: Vec<String> = pats.iter().map(|pat| plain(pat, bound)).collect();
    each.join(" ")
}

fn plain(pat: &Pat, bound: &Bound) -> String {
    match pat {
        Pat::Atom(of) => template(of, bound),
        Pat::Text(of) | Pat::Exact(of) => format!("\"{}\"", template(of, bound)),
        Pat::List(pats) => format!("({})", row(pats, bound)),
        Pat::Hole(name, kind) => template(&vec![Piece::Hole(name.clone(), *kind)], bound),
        Pat::Section { name, spec, origin } => {
            let origin = origin.as_ref().map(|origin| format!("<{}>", template(origin, bound)));
            format!("{name}[{}]{}", row(spec, bound), origin.unwrap_or_default())
        }
        Pat::More => "<...>".to_owned(),
        Pat::Not(pat) => format!("!{}", plain(pat, bound)),
        Pat::Maybe(pat) => format!("?{}", plain(pat, bound)),
    }
}

fn template(of: &Template, bound: &Bound) -> String {
    let each = of.iter().map(|piece| match piece {
        Piece::Octets(octets) => shown(octets),
        Piece::Hole(Some(name), _) => match bound.get(name) {
            Some(value) => shown(&value.rendered()),
            None => format!("<{name}>"),
        },
        Piece::Hole(None, kind) => format!("<{}>", kind.name()),
    });
    each.collect()
}
