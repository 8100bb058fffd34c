//! The rules that a run may find broken, each with the section that says so.

use std::fmt;

/// A rule of the protocol that every response, or every quiet point, is checked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// None of IMAP's: there is no server to hold to them.
    Unreachable,
    /// A response is none that a server may send.
    Syntax,
    /// The connection ends, or says BYE, without a reason.
    Connection,
    /// A command is answered in time, in order, once, and not refused without a reason.
    Answer,
    /// A message number is between 1 and EXISTS.
    NumberInRange,
    /// A number means one message until an EXPUNGE was told.
    NumberKept,
    /// EXPUNGE is told at no other moment than the table of commands allows.
    ExpungeLegal,
    /// What waits unread and uses numbers is answered in the numbering that its client knew.
    HeldBack,
    /// EXISTS falls by EXPUNGE alone.
    ExistsFalls,
    /// UIDs rise, and none comes twice.
    UidRises,
    /// A UID is one message for ever.
    UidKept,
    /// APPENDUID and COPYUID are true.
    UidPlus,
    /// MOVE moves once, all of it, and tells so.
    Move,
    /// A client that asked knows the flags that are there.
    FlagsTold,
    /// A client that asked knows which messages are there.
    MessagesTold,
    /// IDLE tells what happens without being asked.
    IdleTells,
    /// `\Recent` is shown to one session.
    Recent,
    /// STATUS counts what is there, and UIDNEXT never falls.
    Status,
    /// SEARCH finds what is there.
    Search,
    /// A message that nobody removed is there, once.
    NothingLost,
    /// CREATE, DELETE, RENAME and LIST agree.
    Mailboxes,
}

impl Rule {
    /// What it demands, for whoever reads a failure.
    pub fn says(self) -> &'static str {
        match self {
            Self::Unreachable => "the server cannot be reached",
            Self::Syntax => "a response follows the formal syntax",
            Self::Connection => "a connection ends only for a reason, and BYE comes before",
            Self::Answer => "each command is answered once, in time, and not refused without a reason",
            Self::NumberInRange => "a message sequence number is between 1 and EXISTS",
            Self::NumberKept => "a message sequence number means one message until an EXPUNGE is told",
            Self::ExpungeLegal => {
                "EXPUNGE is told neither while no command is in progress nor in answer to FETCH, STORE or SEARCH"
            }
            Self::HeldBack => "a command that was already sent is answered in the sequence numbers its client knew",
            Self::ExistsFalls => "EXISTS does not fall: messages go by EXPUNGE alone",
            Self::UidRises => "UIDs rise, none is given twice, and UIDVALIDITY stays",
            Self::UidKept => "a UID means one message for ever",
            Self::UidPlus => "APPENDUID and COPYUID tell the UIDs that the messages have",
            Self::Move => "MOVE moves each message once",
            Self::FlagsTold => "a client that sends NOOP is told of changed flags by FETCH",
            Self::MessagesTold => {
                "a client that sends NOOP is told of all messages that came (EXISTS) and went (EXPUNGE)"
            }
            Self::IdleTells => "IDLE tells of changes without being asked",
            Self::Recent => "\\Recent is shown to one session alone",
            Self::Status => "STATUS counts what the mailbox holds, and UIDNEXT never falls",
            Self::Search => "SEARCH finds the messages that match, and no others",
            Self::NothingLost => "a message that nobody expunged is there, once",
            Self::Mailboxes => "CREATE, DELETE, RENAME and LIST agree about which mailboxes there are",
        }
    }

    /// Where it stands.
    pub fn section(self) -> &'static str {
        match self {
            Self::Unreachable => "RFC 3501 2.1",
            Self::Syntax => "RFC 3501 7 and 9",
            Self::Connection => "RFC 3501 3.4 and 7.1.5, RFC 2180 3.3",
            Self::Answer => "RFC 3501 2.2.2, 5.5 and 7.1",
            Self::NumberInRange => "RFC 3501 2.3.1.2 and 7.4",
            Self::NumberKept => "RFC 3501 2.3.1.2 and 7.4.1",
            Self::ExpungeLegal => "RFC 3501 7.4.1",
            Self::HeldBack => "RFC 3501 5.5",
            Self::ExistsFalls => "RFC 3501 7.3.1 and 7.4.1",
            Self::UidRises | Self::UidKept => "RFC 3501 2.3.1.1",
            Self::UidPlus => "RFC 4315 3",
            Self::Move => "RFC 6851 3.3",
            Self::FlagsTold => "RFC 3501 5.2, 6.4.6 and 7.4.2",
            Self::MessagesTold => "RFC 3501 5.2, 6.1.2, 7.3.1 and 7.4.1",
            Self::IdleTells => "RFC 2177 3",
            Self::Recent => "RFC 3501 2.3.2",
            Self::Status => "RFC 3501 6.3.10",
            Self::Search => "RFC 3501 6.4.4",
            Self::NothingLost => "RFC 3501 6.3.2, 6.3.11, 6.4.3 and 6.4.7",
            Self::Mailboxes => "RFC 3501 6.3.3 to 6.3.5, RFC 2180 3",
        }
    }
}

/// A rule was broken, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) rule: Rule,
    pub(super) why: String,
}

impl Broken {
    /// The same, with where it happened in front.
    pub(super) fn at(mut self, place: impl fmt::Display) -> Self {
        self.why = format!("{place}: {}", self.why);
        self
    }
}

/// What a check ends with.
pub(super) type Checked<T = ()> = Result<T, Broken>;

/// This rule was broken.
pub(super) fn broken<T>(rule: Rule, why: impl Into<String>) -> Checked<T> {
    Err(Broken { rule, why: why.into() })
}

/// The rule is kept if `kept`; else `why` says how it was broken.
pub(super) fn check(rule: Rule, kept: bool, why: impl FnOnce() -> String) -> Checked {
    if kept { Ok(()) } else { broken(rule, why()) }
}
