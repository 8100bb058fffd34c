//! ID (RFC 2971 3.1), within the sizes that its section 3.3 sets.

use super::cursor::Cursor;
use super::{Parse, Stop};
use crate::Limits;
use crate::command::Command;

pub(super) fn id(c: &mut Cursor<'_>, limits: &Limits) -> Parse<Command> {
    c.space("a space and NIL or a list of fields")?;
    let fields = if c.keyword("NIL") {
        Vec::new()
    } else {
        fields(c, limits)?
    };
    c.end("the end of the command")?;
    Ok(Command::Id(fields))
}

fn fields(c: &mut Cursor<'_>, limits: &Limits) -> Parse<Vec<(String, Option<String>)>> {
    let mut fields = Vec::new();
    c.expect(b'(', "NIL or a list of fields")?;
    if c.eat(b')') {
        return Ok(fields);
    }
    loop {
        if fields.len() >= limits.id_pairs {
            return Err(Stop::too_many("fields in ID"));
        }
        let field = text(c, limits.id_field, "a field name")?;
        c.space("a space and a value")?;
        let value = if c.keyword("NIL") {
            None
        } else {
            Some(text(c, limits.id_value, "NIL or a value")?)
        };
        fields.push((field, value));
        if c.eat(b')') {
            return Ok(fields);
        }
        c.space("a space or the end of the list")?;
    }
}

fn text(c: &mut Cursor<'_>, limit: usize, expected: &'static str) -> Parse<String> {
    let octets = c.string(expected)?;
    if octets.len() > limit {
        return Err(Stop::too_many("octets in ID"));
    }
    Ok(String::from_utf8_lossy(&octets).into_owned())
}
