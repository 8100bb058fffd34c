//! BODY and BODYSTRUCTURE: what is without regard to case in them (RFC 3501 7.4.2; RFC 2045 2) and what is not.

use super::super::scenario::Pat;
use super::super::token::Token;
use super::super::value::Trial;
use super::tokens::{self, Mode};

/// What stands at a place of a body structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A media type, an encoding, a language: without regard to case.
    Caseless,
    /// `("CHARSET" "us-ascii")`
    Parameters,
    /// `("attachment" ("filename" "x"))`
    Disposition,
    /// A part.
    Body,
    /// Anything else.
    Exact,
}

/// Whether a body structure agrees.
pub(super) fn agrees(pat: &Pat, token: &Token, trial: &mut Trial<'_>) -> bool {
    by_role(Role::Body, pat, token, trial)
}

fn by_role(role: Role, pat: &Pat, token: &Token, trial: &mut Trial<'_>) -> bool {
    match (role, pat, token) {
        (Role::Body, Pat::List(pats), Token::List { items, .. }) => {
            let roles = roles(items);
            row(
                pats,
                items,
                |index| roles.get(index).copied().unwrap_or(Role::Exact),
                trial,
            )
        }
        (Role::Parameters, Pat::List(pats), Token::List { items, .. }) => {
            let caseless = |index: usize| {
                let name = index
                    .checked_sub(1)
                    .and_then(|before| items.get(before))
                    .and_then(Token::string);
                let charset = name.is_some_and(|n| n.eq_ignore_ascii_case(b"charset"));
                if index.is_multiple_of(2) || charset {
                    Role::Caseless
                } else {
                    Role::Exact
                }
            };
            row(pats, items, caseless, trial)
        }
        (Role::Disposition, Pat::List(pats), Token::List { items, .. }) => row(
            pats,
            items,
            |index| if index == 0 { Role::Caseless } else { Role::Parameters },
            trial,
        ),
        (Role::Caseless, pat, token) => tokens::token(pat, token, Mode::Caseless, trial),
        (_, pat, token) => tokens::token(pat, token, Mode::Plain, trial),
    }
}

fn row(pats: &[Pat], heard: &[Token], role: impl Fn(usize) -> Role, trial: &mut Trial<'_>) -> bool {
    let open = pats.last() == Some(&Pat::More);
    let fixed = pats.len() - usize::from(open);
    let enough = if open {
        heard.len() >= fixed
    } else {
        heard.len() == fixed
    };
    enough
        && pats
            .iter()
            .take(fixed)
            .zip(heard)
            .enumerate()
            .all(|(index, (pat, token))| by_role(role(index), pat, token, trial))
}

/// What stands where in a part (RFC 3501 9 body).
fn roles(items: &[Token]) -> Vec<Role> {
    use Role::{Body, Caseless, Disposition, Exact, Parameters};
    let parts = items.iter().take_while(|t| t.list().is_some()).count();
    let mut roles = vec![Body; parts];
    if parts > 0 {
        roles.extend([Caseless, Parameters, Disposition, Caseless, Exact]);
        return roles;
    }
    let is = |index: usize, word: &str| {
        let text = items.get(index).and_then(Token::string);
        text.is_some_and(|t| t.eq_ignore_ascii_case(word.as_bytes()))
    };
    roles.extend([Caseless, Caseless, Parameters, Exact, Exact, Caseless, Exact]);
    if is(0, "message") && (is(1, "rfc822") || is(1, "global")) {
        roles.extend([Exact, Body, Exact]);
    } else if is(0, "text") {
        roles.push(Exact);
    }
    roles.extend([Exact, Disposition, Caseless, Exact]);
    roles
}
