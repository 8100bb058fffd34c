//! The command table: in which states each command is legal, which updates may be told at its start and at its end, and
//! whether it uses message numbers. All policy of RFC 3501 5.5 and 7.4.1 is in its rows.

use backend_api::Rights;

use crate::State;

/// One command of the table, UID forms apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Capability,
    Noop,
    Logout,
    Id,
    StartTls,
    Authenticate,
    Login,
    Enable,
    Select,
    Examine,
    Create,
    Delete,
    Rename,
    Subscribe,
    Unsubscribe,
    List,
    Lsub,
    Namespace,
    Status,
    Append,
    Idle,
    Check,
    Close,
    Unselect,
    Expunge,
    UidExpunge,
    Search,
    UidSearch,
    Fetch,
    UidFetch,
    Store,
    UidStore,
    Copy,
    UidCopy,
    Move,
    UidMove,
}

/// The states in which a command is legal (RFC 3501 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Legal {
    Any,
    NotAuthenticated,
    Authenticated,
    Selected,
}

impl Legal {
    /// `Err` names what is needed.
    pub(crate) fn check(self, state: State) -> Result<(), &'static str> {
        match self {
            _ if state == State::Logout => Err("the connection is being closed"),
            Self::NotAuthenticated if state.is_authenticated() => Err("already logged in"),
            Self::Authenticated | Self::Selected if !state.is_authenticated() => Err("log in first"),
            Self::Selected if !state.is_selected() => Err("select a mailbox first"),
            _ => Ok(()),
        }
    }
}

/// Whether a command means messages by number, or by `*`: then nothing may be told before it that its client has not
/// seen when it sent it (RFC 3501 5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    Never,
    /// When `*` is in it.
    Star,
    /// Always, or it may.
    Yes,
}

/// What becomes of the rights when commands that use numbers wait behind this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeldBack {
    /// Neither EXPUNGE nor EXISTS is told.
    Both,
    /// EXISTS alone. The expunges are what the command is for: they come before its OK (RFC 3501 6.4.3, RFC 6851 3.3).
    Exists,
}

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) kind: Kind,
    /// In upper case; of UID commands both words.
    pub(crate) name: &'static str,
    pub(crate) legal: Legal,
    pub(crate) start: Rights,
    pub(crate) end: Rights,
    pub(crate) held_back: HeldBack,
    pub(crate) numbers: Numbers,
}

const fn row(kind: Kind, name: &'static str, legal: Legal, end: Rights) -> Row {
    Row {
        kind,
        name,
        legal,
        start: Rights::NONE,
        end,
        held_back: HeldBack::Both,
        numbers: Numbers::Never,
    }
}

const fn using(numbers: Numbers, row: Row) -> Row {
    Row { numbers, ..row }
}

const fn expunges(row: Row) -> Row {
    Row {
        held_back: HeldBack::Exists,
        ..row
    }
}

/// `n:*` of a UID command means the mailbox of now, and no FETCH carries a number that was not announced.
const fn told_at_start(row: Row) -> Row {
    Row {
        start: Rights::NO_EXPUNGE,
        ..row
    }
}

use Legal::{Any, Authenticated, NotAuthenticated, Selected};
use Numbers::{Star, Yes};

const ALL: Rights = Rights::ALL;
const NO_EXPUNGE: Rights = Rights::NO_EXPUNGE;
const NONE: Rights = Rights::NONE;

/// RFC 3501 6 and 7.4.1 (R3501-304 to R3501-308), RFC 2177 3, RFC 4315 2.1, RFC 6851 3.3.
pub(crate) static TABLE: [Row; 36] = [
    row(Kind::Capability, "CAPABILITY", Any, ALL),
    row(Kind::Noop, "NOOP", Any, ALL),
    row(Kind::Logout, "LOGOUT", Any, NONE),
    row(Kind::Id, "ID", Any, ALL),
    row(Kind::StartTls, "STARTTLS", NotAuthenticated, NONE),
    row(Kind::Authenticate, "AUTHENTICATE", NotAuthenticated, NONE),
    row(Kind::Login, "LOGIN", NotAuthenticated, NONE),
    row(Kind::Enable, "ENABLE", Authenticated, NONE),
    row(Kind::Select, "SELECT", Authenticated, NONE),
    row(Kind::Examine, "EXAMINE", Authenticated, NONE),
    row(Kind::Create, "CREATE", Authenticated, ALL),
    row(Kind::Delete, "DELETE", Authenticated, ALL),
    row(Kind::Rename, "RENAME", Authenticated, ALL),
    row(Kind::Subscribe, "SUBSCRIBE", Authenticated, ALL),
    row(Kind::Unsubscribe, "UNSUBSCRIBE", Authenticated, ALL),
    row(Kind::List, "LIST", Authenticated, ALL),
    row(Kind::Lsub, "LSUB", Authenticated, ALL),
    row(Kind::Namespace, "NAMESPACE", Authenticated, ALL),
    row(Kind::Status, "STATUS", Authenticated, ALL),
    row(Kind::Append, "APPEND", Authenticated, ALL),
    row(Kind::Idle, "IDLE", Authenticated, ALL),
    row(Kind::Check, "CHECK", Selected, ALL),
    row(Kind::Close, "CLOSE", Selected, NONE),
    row(Kind::Unselect, "UNSELECT", Selected, NONE),
    expunges(row(Kind::Expunge, "EXPUNGE", Selected, ALL)),
    using(Star, expunges(row(Kind::UidExpunge, "UID EXPUNGE", Selected, ALL))),
    using(Yes, row(Kind::Search, "SEARCH", Selected, NO_EXPUNGE)),
    // Its row when no message number is among its criteria: see `UID_SEARCH_BY_NUMBER`.
    told_at_start(using(Yes, row(Kind::UidSearch, "UID SEARCH", Selected, ALL))),
    using(Yes, row(Kind::Fetch, "FETCH", Selected, NO_EXPUNGE)),
    told_at_start(using(Star, row(Kind::UidFetch, "UID FETCH", Selected, ALL))),
    using(Yes, row(Kind::Store, "STORE", Selected, NO_EXPUNGE)),
    using(Star, row(Kind::UidStore, "UID STORE", Selected, ALL)),
    using(Yes, row(Kind::Copy, "COPY", Selected, ALL)),
    using(Star, row(Kind::UidCopy, "UID COPY", Selected, ALL)),
    using(Yes, expunges(row(Kind::Move, "MOVE", Selected, ALL))),
    using(Star, expunges(row(Kind::UidMove, "UID MOVE", Selected, ALL))),
];

/// UID SEARCH with a message number anywhere among its criteria (RFC 7162 3.2.10.2, RFC 9051 5.5): as SEARCH.
pub(crate) static UID_SEARCH_BY_NUMBER: Row = using(Yes, row(Kind::UidSearch, "UID SEARCH", Selected, NO_EXPUNGE));

/// The row of the command whose words are these; `second` counts after `UID` alone.
pub(crate) fn find(first: &[u8], second: &[u8]) -> Option<&'static Row> {
    let uid = first.eq_ignore_ascii_case(b"UID");
    TABLE
        .iter()
        .find(|row| match row.name.as_bytes().strip_prefix(b"UID ") {
            Some(name) => uid && name.eq_ignore_ascii_case(second),
            None => !uid && row.name.as_bytes().eq_ignore_ascii_case(first),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(rights: Rights) -> &'static str {
        match rights {
            Rights::ALL => "all",
            Rights::NO_EXPUNGE => "no-expunge",
            Rights::NONE => "none",
            _ => "?",
        }
    }

    const PRINTED: &str = "\
CAPABILITY    Any               start none        end all         held-back Both   numbers Never
NOOP          Any               start none        end all         held-back Both   numbers Never
LOGOUT        Any               start none        end none        held-back Both   numbers Never
ID            Any               start none        end all         held-back Both   numbers Never
STARTTLS      NotAuthenticated  start none        end none        held-back Both   numbers Never
AUTHENTICATE  NotAuthenticated  start none        end none        held-back Both   numbers Never
LOGIN         NotAuthenticated  start none        end none        held-back Both   numbers Never
ENABLE        Authenticated     start none        end none        held-back Both   numbers Never
SELECT        Authenticated     start none        end none        held-back Both   numbers Never
EXAMINE       Authenticated     start none        end none        held-back Both   numbers Never
CREATE        Authenticated     start none        end all         held-back Both   numbers Never
DELETE        Authenticated     start none        end all         held-back Both   numbers Never
RENAME        Authenticated     start none        end all         held-back Both   numbers Never
SUBSCRIBE     Authenticated     start none        end all         held-back Both   numbers Never
UNSUBSCRIBE   Authenticated     start none        end all         held-back Both   numbers Never
LIST          Authenticated     start none        end all         held-back Both   numbers Never
LSUB          Authenticated     start none        end all         held-back Both   numbers Never
NAMESPACE     Authenticated     start none        end all         held-back Both   numbers Never
STATUS        Authenticated     start none        end all         held-back Both   numbers Never
APPEND        Authenticated     start none        end all         held-back Both   numbers Never
IDLE          Authenticated     start none        end all         held-back Both   numbers Never
CHECK         Selected          start none        end all         held-back Both   numbers Never
CLOSE         Selected          start none        end none        held-back Both   numbers Never
UNSELECT      Selected          start none        end none        held-back Both   numbers Never
EXPUNGE       Selected          start none        end all         held-back Exists numbers Never
UID EXPUNGE   Selected          start none        end all         held-back Exists numbers Star
SEARCH        Selected          start none        end no-expunge  held-back Both   numbers Yes
UID SEARCH    Selected          start no-expunge  end all         held-back Both   numbers Yes
FETCH         Selected          start none        end no-expunge  held-back Both   numbers Yes
UID FETCH     Selected          start no-expunge  end all         held-back Both   numbers Star
STORE         Selected          start none        end no-expunge  held-back Both   numbers Yes
UID STORE     Selected          start none        end all         held-back Both   numbers Star
COPY          Selected          start none        end all         held-back Both   numbers Yes
UID COPY      Selected          start none        end all         held-back Both   numbers Star
MOVE          Selected          start none        end all         held-back Exists numbers Yes
UID MOVE      Selected          start none        end all         held-back Exists numbers Star
UID SEARCH    Selected          start none        end no-expunge  held-back Both   numbers Yes
";

    /// R3501-086, R3501-304 to R3501-308, R2177-008
    #[test]
    fn the_whole_table_is_what_was_reviewed() {
        let mut printed = String::new();
        for row in TABLE.iter().chain([&UID_SEARCH_BY_NUMBER]) {
            printed += &format!(
                "{:<13} {:<17} start {:<11} end {:<11} held-back {:<6} numbers {:?}\n",
                row.name,
                format!("{:?}", row.legal),
                shown(row.start),
                shown(row.end),
                format!("{:?}", row.held_back),
                row.numbers
            );
        }
        assert_eq!(printed, PRINTED);
    }

    /// R3501-040, R3501-087, R3501-098, R3501-121, R3501-195
    #[test]
    fn each_state_allows_its_own_commands() {
        let states = [
            State::NotAuthenticated,
            State::Authenticated,
            State::Selected { read_only: true },
            State::Logout,
        ];
        let allowed = |legal: Legal| states.map(|s| legal.check(s).is_ok());
        assert_eq!(allowed(Any), [true, true, true, false]);
        assert_eq!(allowed(NotAuthenticated), [true, false, false, false]);
        assert_eq!(allowed(Authenticated), [false, true, true, false]);
        assert_eq!(allowed(Selected), [false, false, true, false]);
    }

    #[test]
    fn names_are_found_in_any_case() {
        assert_eq!(find(b"nOOp", b"").unwrap().kind, Kind::Noop);
        assert_eq!(find(b"uid", b"fetch").unwrap().kind, Kind::UidFetch);
        assert_eq!(find(b"fetch", b"x").unwrap().kind, Kind::Fetch);
        assert!(find(b"uid", b"noop").is_none());
        assert!(find(b"UID FETCH", b"").is_none());
        assert!(find(b"", b"").is_none());
    }
}
