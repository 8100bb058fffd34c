//! A scenario as it was read from its file: what the engine plays. `tests/SCENARIOS.md` says what each part means.

use std::collections::BTreeMap;

use backend_api::{DateTime, Flags, SystemFlag};

use super::value::{Kind, date_time};

/// One claim about a server, as a conversation.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The file's path below the folder of scenarios, without its ending.
    pub name: String,
    /// The path to show in messages.
    pub file: String,
    /// The claim, a sentence.
    pub claim: String,
    /// The number of the RFC.
    pub rfc: u32,
    /// Its section.
    pub section: String,
    /// Requirement ids.
    pub covers: Vec<String>,
    /// What a server must have, or it is skipped.
    pub needs: Vec<Need>,
    /// `scenario`, `pipelining`, `concurrency` or `hostile`.
    pub group: String,
    /// What there is at the start.
    pub start: Start,
    /// How the clients begin, in the order of the head.
    pub begins: Vec<(char, Begin)>,
    /// What is done and heard.
    pub steps: Vec<Step>,
}

/// What must be there at the start of a scenario.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Start {
    /// Mailboxes, `box` first.
    pub mailboxes: Vec<StartMailbox>,
}

impl Start {
    /// The mailbox, where there is no other.
    pub fn only_mailbox(&self) -> Option<&StartMailbox> {
        let mut there = self.mailboxes.iter().filter(|mailbox| mailbox.exists);
        there.next().filter(|_| there.next().is_none())
    }

    /// The names of the mailboxes where all that exist are this one.
    pub fn names_with(&self, name: &str) -> Vec<String> {
        let of = |mailbox: &StartMailbox| match mailbox.exists {
            true => name.to_owned(),
            false => format!("imap-compliance-{}", mailbox.key),
        };
        self.mailboxes.iter().map(of).collect()
    }
}

/// A mailbox of the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartMailbox {
    /// Its name in the scenario: `box`, `box2` …
    pub key: String,
    /// Whether there is a mailbox, or only a name that nothing has yet.
    pub exists: bool,
    /// Its messages, oldest first.
    pub messages: Vec<StartMessage>,
}

/// A message of the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartMessage {
    /// Its octets.
    pub octets: Vec<u8>,
    /// Its flags, as they are written in IMAP.
    pub flags: Vec<String>,
    /// Its internal date, as it is written in IMAP, without the quotes.
    pub date: Option<String>,
}

impl StartMessage {
    /// Its flags as a backend has them.
    pub fn backend_flags(&self) -> Flags {
        self.flags
            .iter()
            .fold(Flags::NONE, |flags, name| match SystemFlag::from_name(name) {
                Some(flag) => flags.with(flag),
                None => flags.with_keyword(name),
            })
    }

    /// Its internal date as a backend has it; now where the scenario gives none.
    pub fn backend_date(&self) -> DateTime {
        let given = self.date.as_ref().and_then(|date| date_time(date.as_bytes()));
        given.unwrap_or_else(DateTime::now)
    }
}

/// What a server must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// A capability after login.
    Capability(String),
    /// No such capability.
    Without(String),
    /// A second account.
    SecondUser,
    /// TLS on the connection.
    Tls,
    /// INBOX may be changed.
    Inbox,
    /// A hierarchy of mailboxes: a separator that is not NIL.
    Hierarchy,
    /// STARTTLS offered before login.
    StartTls,
}

/// How a client begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// Its greeting is not yet read.
    New,
    /// Its greeting was read.
    Connected,
    /// Logged in, as the second user or the first.
    Authenticated {
        /// As the second user.
        second: bool,
    },
    /// With a mailbox selected.
    Selected {
        /// The mailbox's name in the scenario.
        mailbox: String,
        /// By EXAMINE.
        read_only: bool,
    },
}

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// The line of the file.
    pub line: u32,
    /// The client; the last one mentioned where the step names none.
    pub client: char,
    /// What happens.
    pub act: Act,
}

/// What happens in a step.
#[derive(Debug, Clone)]
pub enum Act {
    /// The client sends.
    Send {
        /// What.
        text: Vec<Sent>,
        /// Octet by octet.
        slowly: bool,
    },
    /// The client hears.
    Hear(Block),
    /// It hears nothing.
    HearNothing,
    /// It cuts its connection.
    Close,
    /// The server ends its connection.
    Disconnected,
    /// The TLS handshake.
    StartTls {
        /// Where the server ends the connection instead, the scenario ends, passed.
        or_end: bool,
    },
    /// DEFLATE both ways.
    Compress,
    /// A new connection.
    Connect,
    /// Bound values are compared.
    Check {
        /// One of them must hold.
        any: Vec<Comparison>,
        /// As it is written.
        text: String,
    },
}

/// Two sums to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Left side.
    pub left: Sum,
    /// `<`, `<=`, `=`, `!=`, `>` or `>=`.
    pub relation: String,
    /// Right side.
    pub right: Sum,
}

/// Names and numbers to be added up.
pub type Sum = Vec<Summand>;

/// A name or number of a sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Summand {
    /// A bound value.
    Name(String),
    /// A number.
    Number(u64),
}

/// A piece of what is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// Octets as they are.
    Octets(Vec<u8>),
    /// A bound value.
    Name(String),
    /// A literal.
    Literal {
        /// Sent at once (`{4+}`).
        at_once: bool,
        /// Its octets.
        content: Vec<Sent>,
    },
}

/// What is heard after a step.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// What comes, in order; a slot without an order among its like is within a [`Slot::Lines`].
    pub slots: Vec<Slot>,
    /// What must not come.
    pub never: Vec<Alternative>,
    /// Nothing is tolerated that is not listed.
    pub strict: bool,
}

/// A place in a block.
#[derive(Debug, Clone)]
pub enum Slot {
    /// Untagged lines in any order; each holds a sequence, which is longer than one line where `ordered` stands.
    Lines(Vec<Vec<Expected>>),
    /// A line that nothing passes: tagged, `+`, EXPUNGE or VANISHED.
    Barrier(Expected),
}

/// A line that is expected, with what may come instead.
#[derive(Debug, Clone)]
pub struct Expected {
    /// How often.
    pub times: Times,
    /// The line, and what `or` says.
    pub alternatives: Vec<Alternative>,
}

/// How often a line comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// Once.
    Once,
    /// Once or not at all.
    Maybe,
    /// Any number of times.
    Any,
    /// Once, in this block or in the client's next.
    Later,
}

/// A line to compare with.
#[derive(Debug, Clone)]
pub struct Alternative {
    /// The line of the file.
    pub line: u32,
    /// As it is written.
    pub text: String,
    /// What it means.
    pub pattern: Pattern,
    /// What follows when it comes.
    pub then: Then,
}

/// What follows when a line comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The scenario goes on.
    GoOn,
    /// It ends, passed.
    End,
    /// It is skipped.
    Skip,
}

/// A response to compare with.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// `+ text`; without a text any.
    Continue {
        /// The response code.
        code: CodePattern,
        /// Text, or any.
        text: TextPattern,
    },
    /// A status response.
    Status {
        /// The tag; `*` for untagged ones.
        tag: Template,
        /// `OK`, `NO`, `BAD`, `BYE`, `PREAUTH`.
        word: String,
        /// The response code.
        code: CodePattern,
        /// The text.
        text: TextPattern,
    },
    /// Any other untagged response.
    Data(Vec<Pat>),
    /// EXPUNGE responses that together remove these messages, given as a set.
    Expunged(Vec<Pat>),
}

/// The response code that is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodePattern {
    /// Any or none.
    Any,
    /// None.
    None,
    /// This.
    Is(Vec<Pat>),
}

/// The text that is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextPattern {
    /// Any, also an empty one.
    Any,
    /// At least one character.
    Some,
    /// None: `+ ` and nothing behind it.
    Empty,
    /// This.
    Is(Template),
}

/// A pattern for one token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pat {
    /// An atom, with holes in it.
    Atom(Template),
    /// A string of octets; where a date-time stands, the same moment in any zone.
    Text(Template),
    /// A string of just these octets.
    Exact(Template),
    /// A list.
    List(Vec<Pat>),
    /// A whole token.
    Hole(Option<String>, Kind),
    /// `BODY[…]<…>` and its like.
    Section {
        /// `BODY`, `BINARY` …
        name: String,
        /// What stands between the brackets.
        spec: Vec<Pat>,
        /// The origin octet.
        origin: Option<Template>,
    },
    /// Anything more, at the end of a list.
    More,
    /// This must not be in the list.
    Not(Box<Pat>),
    /// This may be in the list.
    Maybe(Box<Pat>),
}

/// Octets with holes.
pub type Template = Vec<Piece>;

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Octets as they are.
    Octets(Vec<u8>),
    /// A hole; the name is none where nothing is bound.
    Hole(Option<String>, Kind),
}

/// The messages that a scenario can name.
pub type Messages = BTreeMap<String, Vec<u8>>;
