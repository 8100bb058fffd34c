//! The grammar of commands: which parser reads the arguments of which command, after its row of the table allowed it.

mod append;
mod cursor;
mod date;
mod fetch;
mod flags;
mod id;
mod mailbox;
mod search;
pub(crate) mod set;

use backend_api::{Access, DateTime, Flags};

use crate::answer::{Answer, Code};
use crate::capability::Facts;
use crate::codec;
use crate::command::{Command, MailboxArg};
use crate::command_table::{self, Kind, Row};
pub(crate) use cursor::Cursor;

/// Why a command, or its beginning, is not (yet) one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stop {
    /// Syntax: what was expected, and before which octet (from 0).
    Bad { expected: &'static str, at: usize },
    /// It cannot be done, or asks for too much: NO or BAD.
    Refused(Answer<'static>),
    /// So far it is right; the octets of an argument literal are needed to go on.
    Literal,
    /// An APPEND up to its message literal.
    Message(Message),
}

/// An APPEND up to its message literal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    pub(crate) mailbox: MailboxArg,
    pub(crate) flags: Flags,
    pub(crate) date: Option<DateTime>,
}

pub(crate) type Parse<T> = Result<T, Stop>;

impl Stop {
    /// The answer, where there is one.
    pub(crate) fn into_answer(self) -> Answer<'static> {
        match self {
            // The column is told, what stands there is not: it may be a password.
            Self::Bad { expected, at } => Answer::bad(format!("expected {expected} at column {}", at + 1)),
            Self::Refused(answer) => answer,
            Self::Literal => Answer::bad("a literal was not expected here"),
            Self::Message(_) => Answer::bad("a message literal was not expected here"),
        }
    }

    pub(crate) fn too_many(what: &str) -> Self {
        Self::Refused(Answer::bad(format!("too many {what}")).with_code(Code::Limit))
    }
}

/// A command that was read.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) row: &'static Row,
    pub(crate) command: Command,
}

/// The longest tag: it is repeated in the answer.
const MAX_TAG: usize = 1_024;

/// The tag at the start of a line, if there is one: the answer to a broken command carries it where it can
/// (R3501-011, R3501-353).
pub(crate) fn tag_of(line: &[u8]) -> Option<&str> {
    let is_tag = |b: &u8| cursor::is_astring_char(*b) && *b != b'+';
    let len = line.iter().take(MAX_TAG + 1).take_while(|b| is_tag(b)).count();
    let (tag, rest) = line.split_at_checked(len)?;
    let ended = matches!(rest.first(), None | Some(b' ' | b'\r' | b'\n'));
    if tag.is_empty() || tag.len() > MAX_TAG || !ended {
        return None;
    }
    std::str::from_utf8(tag).ok()
}

/// The row of the command in this line.
pub(crate) fn row_of(line: &[u8]) -> Option<&'static Row> {
    let mut words = line
        .split(|b| matches!(b, b' ' | b'\r' | b'\n'))
        .skip(1)
        .chain([&b""[..], b""]);
    let (first, second) = (words.next()?, words.next()?);
    command_table::find(first, second)
}

/// Reads a command, given without its last CRLF. With `whole` unset, its beginning: then it ends with a literal's header
/// and CRLF, and `Err` says whether the literal is wanted.
///
/// # Errors
/// See [`Stop`]. Never `Literal` nor `Message` when `whole`.
pub(crate) fn read(text: &[u8], whole: bool, facts: &Facts<'_>) -> Parse<Read> {
    let mut c = Cursor::new(text, whole);
    let Some(tag) = tag_of(text) else {
        return Err(c.bad("a tag"));
    };
    c.skip(tag.len());
    c.space("a space and a command")?;
    let Some(row) = row_of(text) else {
        return Err(Stop::Refused(Answer::bad("unknown command")));
    };
    c.skip(row.name.len());
    let refused = |why: &str| Stop::Refused(Answer::bad(format!("{} is not possible now: {why}", row.name)));
    row.legal.check(facts.state).map_err(refused)?;
    gate(row.kind, facts)?;
    let command = arguments(row.kind, &mut c, text, facts)?;
    let row = match &command {
        Command::Search { uid: true, key } if search::has_numbers(key) => &command_table::UID_SEARCH_BY_NUMBER,
        _ => row,
    };
    Ok(Read { row, command })
}

/// What depends on the connection rather than on its state.
fn gate(kind: Kind, facts: &Facts<'_>) -> Parse<()> {
    match kind {
        Kind::StartTls if facts.tls => Err(Stop::Refused(Answer::bad("TLS is active already"))),
        Kind::StartTls if !facts.starttls() => Err(Stop::Refused(Answer::bad("TLS is not available here"))),
        // R3501-118, R5530-004
        Kind::Login if !facts.plaintext_login() => Err(Stop::Refused(privacy_required())),
        _ => Ok(()),
    }
}

fn privacy_required() -> Answer<'static> {
    Answer::no("passwords are taken over TLS alone").with_code(Code::PrivacyRequired)
}

fn arguments(kind: Kind, c: &mut Cursor<'_>, text: &[u8], facts: &Facts<'_>) -> Parse<Command> {
    let limits = &facts.config.limits;
    let uid = matches!(
        kind,
        Kind::UidExpunge | Kind::UidSearch | Kind::UidFetch | Kind::UidStore | Kind::UidCopy | Kind::UidMove
    );
    match kind {
        Kind::Capability => alone(c, Command::Capability),
        Kind::Noop => alone(c, Command::Noop),
        Kind::Logout => alone(c, Command::Logout),
        Kind::StartTls => alone(c, Command::StartTls),
        Kind::Namespace => alone(c, Command::Namespace),
        Kind::Idle => alone(c, Command::Idle),
        Kind::Check => alone(c, Command::Check),
        Kind::Close => alone(c, Command::Close),
        Kind::Unselect => alone(c, Command::Unselect),
        Kind::Expunge => alone(c, Command::Expunge(None)),
        Kind::Login => codec::login(c, text),
        Kind::Authenticate => codec::authenticate(c, text).and_then(|command| offered(command, facts)),
        Kind::Enable => codec::enable(c, text, limits),
        Kind::Id => id::id(c, limits),
        Kind::Select => mailbox::select(c, Access::ReadWrite),
        Kind::Examine => mailbox::select(c, Access::ReadOnly),
        Kind::Create => mailbox::create(c),
        Kind::Delete => mailbox::one(c).map(Command::Delete),
        Kind::Subscribe => mailbox::one(c).map(Command::Subscribe),
        Kind::Unsubscribe => mailbox::one(c).map(Command::Unsubscribe),
        Kind::Rename => mailbox::rename(c),
        Kind::List => mailbox::list(c, false, limits),
        Kind::Lsub => mailbox::list(c, true, limits),
        Kind::Status => mailbox::status(c),
        Kind::Append => append::append(c, limits),
        Kind::UidExpunge => set::uid_expunge(c, limits),
        Kind::Search | Kind::UidSearch => search::search(c, uid, limits),
        Kind::Fetch | Kind::UidFetch => fetch::fetch(c, uid, limits),
        Kind::Store | Kind::UidStore => flags::store(c, uid, limits),
        Kind::Copy | Kind::UidCopy => set::copy(c, limits).map(|(set, mailbox)| Command::Copy { uid, set, mailbox }),
        Kind::Move | Kind::UidMove => set::copy(c, limits).map(|(set, mailbox)| Command::Move { uid, set, mailbox }),
    }
}

/// A command without arguments (R3501-092, R2177-010).
fn alone(c: &mut Cursor<'_>, command: Command) -> Parse<Command> {
    c.end("the end of the command")?;
    Ok(command)
}

/// R3501-104, R3501-109
fn offered(command: Command, facts: &Facts<'_>) -> Parse<Command> {
    let Command::Authenticate { mechanism, .. } = &command else {
        return Ok(command);
    };
    if !facts.mechanism(mechanism) {
        return Err(Stop::Refused(
            Answer::no("this mechanism is not offered").with_code(Code::Cannot),
        ));
    }
    if !facts.plaintext_login() {
        return Err(Stop::Refused(privacy_required()));
    }
    Ok(command)
}
