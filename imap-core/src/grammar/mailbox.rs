//! Mailbox names, and the commands about mailboxes: SELECT, CREATE, RENAME, LIST, STATUS and their kin (RFC 3501 6.3).

use backend_api::{Access, MailboxName, SEPARATOR, SpecialUse, StatusItems};

use super::cursor::Cursor;
use super::{Parse, Stop};
use crate::Limits;
use crate::answer::{Answer, Code};
use crate::command::{Command, ListOptions, MailboxArg};
use crate::utf7;

const EXPECTED: &str = "a mailbox name";

/// ` mailbox`
pub(super) fn argument(c: &mut Cursor<'_>) -> Parse<MailboxArg> {
    raw(c).map(|wire| wire.and_then(|name| named(&name)))
}

fn raw(c: &mut Cursor<'_>) -> Parse<Result<String, &'static str>> {
    c.space("a space and a mailbox name")?;
    let wire = c.astring(EXPECTED)?;
    Ok(utf7::decode(&wire))
}

fn named(name: &str) -> MailboxArg {
    MailboxName::new(name).map_err(|why| why.0)
}

/// ` mailbox` and the end.
pub(super) fn one(c: &mut Cursor<'_>) -> Parse<MailboxArg> {
    let mailbox = argument(c)?;
    c.end("the end of the command")?;
    Ok(mailbox)
}

pub(super) fn select(c: &mut Cursor<'_>, access: Access) -> Parse<Command> {
    let mailbox = argument(c)?;
    c.end("the end of the command, for there are no parameters here")?;
    Ok(Command::Select { mailbox, access })
}

pub(super) fn rename(c: &mut Cursor<'_>) -> Parse<Command> {
    let from = argument(c)?;
    let to = one(c)?;
    Ok(Command::Rename { from, to })
}

/// CREATE (RFC 3501 6.3.3): a trailing separator says that children are meant to come, and is not part of the name.
pub(super) fn create(c: &mut Cursor<'_>) -> Parse<Command> {
    let mailbox = raw(c)?.and_then(|name| named(name.strip_suffix(SEPARATOR).unwrap_or(&name)));
    let special_use = if c.another() { create_parameters(c)? } else { Vec::new() };
    c.end("the end of the command")?;
    Ok(Command::Create { mailbox, special_use })
}

/// `(USE (\Sent))` (RFC 6154 3). A use that is not known cannot be made (R6154-003, R6154-004).
fn create_parameters(c: &mut Cursor<'_>) -> Parse<Vec<SpecialUse>> {
    const PARAMETER: &str = "the parameter USE";
    const ATTRIBUTE: &str = "a special-use attribute";
    c.expect(b'(', PARAMETER)?;
    if !c.keyword("USE") {
        return Err(c.bad(PARAMETER));
    }
    c.space(PARAMETER)?;
    c.expect(b'(', "a list of special-use attributes")?;
    let mut uses = Vec::new();
    let mut known = true;
    if c.peek() != Some(b')') {
        loop {
            c.expect(b'\\', ATTRIBUTE)?;
            let name = c.atom(ATTRIBUTE)?;
            match SpecialUse::from_name(&format!("\\{name}")) {
                Some(special_use) if !uses.contains(&special_use) => uses.push(special_use),
                Some(_) => {}
                None => known = false,
            }
            if !c.eat(b' ') {
                break;
            }
        }
    }
    c.expect(b')', "an attribute or the end of the list")?;
    c.expect(b')', "the end of the parameters")?;
    if !known {
        return Err(Stop::Refused(
            Answer::no("there is no such special use").with_code(Code::UseAttr),
        ));
    }
    Ok(uses)
}

/// LIST, also extended (RFC 5258) by the options of RFC 6154 2; LSUB.
pub(super) fn list(c: &mut Cursor<'_>, lsub: bool, limits: &Limits) -> Parse<Command> {
    c.space("a space and a reference name")?;
    let mut options = None;
    if !lsub && c.peek() == Some(b'(') {
        let special_use = special_use_option(c)?;
        options = Some(ListOptions { special_use });
        c.space("a space and a reference name")?;
    }
    let start = c.position();
    let reference = c.astring("a reference name")?;
    c.space("a space and a pattern")?;
    let pattern = c.list_mailbox("a pattern")?;
    if reference.len() + pattern.len() > limits.list_pattern {
        return Err(c.bad_at("a shorter pattern", start));
    }
    if !lsub && c.another() {
        if !c.keyword("RETURN ") {
            return Err(c.bad("RETURN and a list of options"));
        }
        // Whatever is returned shows its special use.
        special_use_option(c)?;
        options.get_or_insert_default();
    }
    c.end("the end of the command")?;
    let decoded = (utf7::decode(&reference), utf7::decode(&pattern));
    Ok(Command::List {
        names: match decoded {
            (Ok(reference), Ok(pattern)) => Ok((reference, pattern)),
            (Err(why), _) | (_, Err(why)) => Err(why),
        },
        lsub,
        options,
    })
}

/// A list of options, which can be but `SPECIAL-USE`: whether it is among them.
fn special_use_option(c: &mut Cursor<'_>) -> Parse<bool> {
    const OPTION: &str = "the option SPECIAL-USE";
    c.expect(b'(', "a list of options")?;
    if c.eat(b')') {
        return Ok(false);
    }
    loop {
        let start = c.position();
        if !c.word(OPTION)?.eq_ignore_ascii_case("SPECIAL-USE") {
            return Err(c.bad_at(OPTION, start));
        }
        if !c.another() {
            break;
        }
    }
    c.expect(b')', "an option or the end of the list")?;
    Ok(true)
}

/// STATUS: at least one item (R3501-178, R3501-180).
pub(super) fn status(c: &mut Cursor<'_>) -> Parse<Command> {
    const LIST: &str = "a list of status items";
    const ITEM: &str = "a status item";
    let mailbox = argument(c)?;
    c.space(LIST)?;
    c.expect(b'(', LIST)?;
    let mut items = StatusItems::default();
    let mut append_limit = false;
    loop {
        let start = c.position();
        match c.word(ITEM)?.to_ascii_uppercase().as_str() {
            "MESSAGES" => items.messages = true,
            "RECENT" => items.recent = true,
            "UIDNEXT" => items.uid_next = true,
            "UIDVALIDITY" => items.uid_validity = true,
            "UNSEEN" => items.unseen = true,
            "APPENDLIMIT" => append_limit = true,
            _ => return Err(c.bad_at(ITEM, start)),
        }
        if !c.eat(b' ') {
            break;
        }
    }
    c.expect(b')', "a status item or the end of the list")?;
    c.end("the end of the command")?;
    Ok(Command::Status {
        mailbox,
        items,
        append_limit,
    })
}
