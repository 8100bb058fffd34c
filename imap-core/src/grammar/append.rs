//! APPEND up to its message literal (RFC 3501 6.3.11).

use super::cursor::Cursor;
use super::{Message, Parse, Stop, date, flags, mailbox};
use crate::Limits;
use crate::command::Command;

/// Never `Ok`: a right APPEND stops at its message.
pub(super) fn append(c: &mut Cursor<'_>, limits: &Limits) -> Parse<Command> {
    let mailbox = mailbox::argument(c)?;
    c.space("a space and a message literal")?;
    let mut given = backend_api::Flags::NONE;
    if c.peek() == Some(b'(') {
        given = flags::list(c, limits)?;
        c.space("a space and a date or a message literal")?;
    }
    let mut moment = None;
    if c.peek() == Some(b'"') {
        moment = Some(date::date_time(c)?);
        c.space("a space and a message literal")?;
    }
    c.at_message("a flag list, a date or a message literal")?;
    Err(Stop::Message(Message {
        mailbox,
        flags: given,
        date: moment,
    }))
}
