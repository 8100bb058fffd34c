//! Flags, and STORE (RFC 3501 6.4.6).

use backend_api::{Flag, FlagChange, Flags, Keyword, SystemFlag};

use super::cursor::Cursor;
use super::{Parse, Stop, set};
use crate::Limits;
use crate::command::Command;

/// One flag that a client may set: `\Recent` and unknown system flags are none (R3501-027, R3501-352).
fn flag(c: &mut Cursor<'_>) -> Parse<Flag> {
    let start = c.position();
    if c.eat(b'\\') {
        const EXPECTED: &str = "a flag that can be set";
        let name = c.atom(EXPECTED)?;
        let found = SystemFlag::ALL
            .into_iter()
            .find(|f| f.name().get(1..).is_some_and(|n| n.eq_ignore_ascii_case(name)));
        return found.map(Flag::System).ok_or(c.bad_at(EXPECTED, start));
    }
    let name = c.atom("a flag")?;
    let keyword = Keyword::new(name).ok_or(c.bad_at("a keyword of at most 255 octets", start))?;
    Ok(Flag::Keyword(keyword))
}

/// A keyword alone.
pub(super) fn keyword(c: &mut Cursor<'_>) -> Parse<Flag> {
    if c.peek() == Some(b'\\') {
        return Err(c.bad("a keyword"));
    }
    flag(c)
}

/// `flag-list`: in parentheses, possibly empty.
pub(super) fn list(c: &mut Cursor<'_>, limits: &Limits) -> Parse<Flags> {
    c.expect(b'(', "a flag list")?;
    if c.eat(b')') {
        return Ok(Flags::NONE);
    }
    let flags = series(c, limits)?;
    c.expect(b')', "a flag or the end of the flag list")?;
    Ok(flags)
}

/// Flags with one space between any two.
fn series(c: &mut Cursor<'_>, limits: &Limits) -> Parse<Flags> {
    let mut flags = Vec::new();
    loop {
        if flags.len() >= limits.flags {
            return Err(Stop::too_many("flags"));
        }
        flags.push(flag(c)?);
        if !c.another() {
            return Ok(flags.into_iter().collect());
        }
    }
}

pub(super) fn store(c: &mut Cursor<'_>, uid: bool, limits: &Limits) -> Parse<Command> {
    const EXPECTED: &str = "FLAGS, +FLAGS or -FLAGS, with .SILENT or without";
    let set = set::argument(c, limits)?;
    c.space(EXPECTED)?;
    let start = c.position();
    let change = match c.peek() {
        Some(b'+') => FlagChange::Add,
        Some(b'-') => FlagChange::Remove,
        _ => FlagChange::Replace,
    };
    if matches!(c.peek(), Some(b'+' | b'-')) {
        c.skip(1);
    }
    let word = c.word(EXPECTED)?;
    let silent = match word.to_ascii_uppercase().as_str() {
        "FLAGS" => false,
        "FLAGS.SILENT" => true,
        _ => return Err(c.bad_at(EXPECTED, start)),
    };
    c.space("a space and a flag list")?;
    // R3501-263
    let flags = match c.peek() {
        Some(b'(') => list(c, limits)?,
        Some(b'\\') => series(c, limits)?,
        Some(b) if super::cursor::is_atom_char(b) => series(c, limits)?,
        _ => return Err(c.bad("a flag list")),
    };
    c.end("the end of the command")?;
    Ok(Command::Store {
        uid,
        set,
        change: change(flags),
        silent,
    })
}
