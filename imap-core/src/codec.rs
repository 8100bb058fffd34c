//! The one file that calls imap-codec: it decodes commands whose grammar is constant, and what it gives is made our own at
//! once. It never sees a NUL, and nothing here depends on which of its features are on.

use std::str::from_utf8;

use imap_codec::CommandCodec;
use imap_codec::decode::{CommandDecodeError, Decoder};
use imap_types::command::CommandBody;
use zeroize::Zeroizing;

use crate::Limits;
use crate::answer::{Answer, Code};
use crate::command::{Command, Secret};
use crate::grammar::{Cursor, Parse, Stop};

/// LOGIN (RFC 3501 6.2.3; R3501-119)
pub(crate) fn login(c: &Cursor<'_>, text: &[u8]) -> Parse<Command> {
    let expected = c.bad("a user name and a password");
    decode(c, text, expected, |body| match body {
        CommandBody::Login { username, password } => {
            let Ok(user) = from_utf8(username.as_ref()) else {
                return Some(Err(Stop::Refused(wrong_user())));
            };
            Some(Ok(Command::Login {
                user: user.to_owned(),
                password: Secret::new(password.declassify().as_ref().to_vec()),
            }))
        }
        _ => None,
    })
}

/// No user has a name that is no UTF-8, and nobody is told which of the two was wrong (R3501-349).
fn wrong_user() -> Answer<'static> {
    Answer::no("user name or password is wrong").with_code(Code::AuthenticationFailed)
}

/// AUTHENTICATE (RFC 3501 6.2.2, RFC 4959)
pub(crate) fn authenticate(c: &Cursor<'_>, text: &[u8]) -> Parse<Command> {
    let expected = c.bad("a mechanism, and perhaps an initial response in base64");
    decode(c, text, expected, |body| match body {
        CommandBody::Authenticate {
            mechanism,
            initial_response,
        } => Some(Ok(Command::Authenticate {
            mechanism: mechanism.as_ref().to_ascii_uppercase(),
            initial: initial_response.map(|secret| Secret::new(secret.declassify().to_vec())),
        })),
        _ => None,
    })
}

/// ENABLE (RFC 5161): whatever the names are (R5161-001).
pub(crate) fn enable(c: &Cursor<'_>, text: &[u8], limits: &Limits) -> Parse<Command> {
    let expected = c.bad("a space and names of capabilities");
    decode(c, text, expected, |body| match body {
        CommandBody::Enable { capabilities } => {
            if capabilities.as_ref().len() > limits.enable_names {
                return Some(Err(Stop::too_many("names in ENABLE")));
            }
            let names = capabilities.as_ref().iter().map(|c| c.to_string().to_ascii_uppercase());
            Some(Ok(Command::Enable(names.collect())))
        }
        _ => None,
    })
}

/// Decodes one command. `take` makes it ours, or says `None` when it is another.
fn decode(
    c: &Cursor<'_>,
    text: &[u8],
    expected: Stop,
    take: impl Fn(CommandBody<'_>) -> Option<Parse<Command>>,
) -> Parse<Command> {
    if memchr::memchr(0, text).is_some() {
        return Err(expected);
    }
    match attempt(text, c.whole(), &take) {
        Err(Stop::Bad { .. }) => Err(expected),
        other => other,
    }
}

fn attempt(text: &[u8], whole: bool, take: &impl Fn(CommandBody<'_>) -> Option<Parse<Command>>) -> Parse<Command> {
    const WRONG: Stop = Stop::Bad { expected: "", at: 0 };
    let mut line = Zeroizing::new(Vec::with_capacity(text.len() + 2));
    line.extend_from_slice(text);
    if whole {
        line.extend_from_slice(b"\r\n");
    }
    match CommandCodec::new().decode(&line) {
        Ok((rest, command)) if rest.is_empty() && whole => take(command.body).unwrap_or(Err(WRONG)),
        Err(CommandDecodeError::Incomplete | CommandDecodeError::LiteralFound { .. }) if !whole => Err(Stop::Literal),
        _ => Err(WRONG),
    }
}
