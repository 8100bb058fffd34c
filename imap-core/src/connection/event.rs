//! What a connection gives its driver: events, and the tags to answer them with.

use std::fmt;

use crate::command::{AppendArgs, Command, MailboxArg, Secret};
use crate::grammar;

/// The tag of a command: it is repeated in its answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tag(pub(super) Box<str>);

impl Tag {
    /// The tag as the client wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is no tag by RFC 3501 9.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotATag;

impl std::str::FromStr for Tag {
    type Err = NotATag;

    fn from_str(text: &str) -> Result<Self, NotATag> {
        let whole = grammar::tag_of(text.as_bytes()).filter(|tag| tag.len() == text.len());
        whole.map(|tag| Self(tag.into())).ok_or(NotATag)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the driver is to do next.
#[derive(Debug, PartialEq)]
pub enum Event {
    /// A whole command that is legal in the present state. Answer it, then call [`Connection::complete`](crate::Connection::complete).
    Command {
        /// Its tag.
        tag: Tag,
        /// What is asked.
        command: Command,
    },
    /// APPEND has come to its message literal. Accept it with [`Connection::accept_literal`](crate::Connection::accept_literal) and take the octets with
    /// [`Connection::read_literal`](crate::Connection::read_literal), or refuse it with [`Connection::refuse_literal`](crate::Connection::refuse_literal), also later. Octets that are left
    /// when the next event is asked for are thrown away.
    AppendMessage {
        /// The command's tag.
        tag: Tag,
        /// Where to.
        mailbox: MailboxArg,
        /// What comes with the message.
        args: AppendArgs,
        /// It is the first message of the command. (MULTIAPPEND, RFC 3502, is to come: it always is.)
        first: bool,
    },
    /// The APPEND ended properly after its message. Commit, answer, `complete`.
    AppendEnd {
        /// The command's tag.
        tag: Tag,
    },
    /// Syntax broke after the message of an APPEND: BAD is queued; drop what was begun. The command is over.
    AppendBroken,
    /// A line in answer to [`Connection::sasl_challenge`](crate::Connection::sasl_challenge), base64 decoded; `None` is `*`, the client gives up: answer BAD
    /// (R3501-105).
    SaslResponse(Option<Secret>),
    /// DONE ended IDLE. Answer, `complete`.
    IdleDone {
        /// Tag of the IDLE.
        tag: Tag,
    },
    /// Something was refused by the core (syntax, state, limits): BAD or NO is queued. For the log alone; go on. During an
    /// AUTHENTICATE exchange or IDLE that command was refused with it and is over
    /// ([`Connection::in_progress`](crate::Connection::in_progress) is false).
    Refused {
        /// The command's tag, if it had one.
        tag: Option<Tag>,
        /// What the client was told, never with a part of what it sent.
        reason: String,
    },
    /// The connection is to be closed after the output was flushed; BYE is queued.
    Close(String),
    /// Nothing to do before more octets come: flush the output, then read.
    NeedInput,
}

/// How a connection is greeted (RFC 3501 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Greeting<'a> {
    /// `* OK [CAPABILITY …] text`
    Ok(&'a str),
    /// `* PREAUTH [CAPABILITY …] text`: the client is known already.
    PreAuth(&'a str),
    /// `* BYE text`: turned away.
    Bye(&'a str),
}
