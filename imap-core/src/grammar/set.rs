//! Message sets (RFC 3501 9, `sequence-set`): read as written, resolved against the view.

use backend_api::{NumSet, NumberSet, SearchKey, Seq, SeqSet, Uid, UidSet};

use super::cursor::Cursor;
use super::{Parse, Stop, mailbox};
use crate::Limits;
use crate::command::{Command, MailboxArg, RawNumSet, RawSet, SetEnd};

const EXPECTED: &str = "a message set";

/// A set of at most `ranges` ranges. 0 is a syntax error (R3501-342).
pub(super) fn set(c: &mut Cursor<'_>, ranges: usize) -> Parse<RawSet> {
    let mut runs = Vec::new();
    loop {
        if runs.len() >= ranges {
            return Err(Stop::too_many("ranges in a message set"));
        }
        let start = end(c)?;
        let stop = if c.eat(b':') { end(c)? } else { start };
        runs.push((start, stop));
        if !c.eat(b',') {
            return Ok(RawSet(runs));
        }
    }
}

fn end(c: &mut Cursor<'_>) -> Parse<SetEnd> {
    if c.eat(b'*') {
        return Ok(SetEnd::Star);
    }
    c.nz_number(EXPECTED).map(SetEnd::Number)
}

/// The argument ` set` of a command.
pub(super) fn argument(c: &mut Cursor<'_>, limits: &Limits) -> Parse<RawSet> {
    c.space("a space and a message set")?;
    set(c, limits.set_ranges)
}

pub(super) fn uid_expunge(c: &mut Cursor<'_>, limits: &Limits) -> Parse<Command> {
    let set = argument(c, limits)?;
    c.end("the end of the command")?;
    Ok(Command::Expunge(Some(set)))
}

/// The arguments of COPY and MOVE.
pub(super) fn copy(c: &mut Cursor<'_>, limits: &Limits) -> Parse<(RawSet, MailboxArg)> {
    let set = argument(c, limits)?;
    let mailbox = mailbox::one(c)?;
    Ok((set, mailbox))
}

/// Resolves a set of message numbers in a mailbox of `exists` messages as told to the client.
///
/// # Errors
/// The text of the BAD: a number above EXISTS, or `*` where there is no message (R3501-256).
pub fn resolve_seq(set: &RawSet, exists: u32) -> Result<SeqSet, &'static str> {
    let number = |end: &SetEnd| match *end {
        SetEnd::Star => Seq::new(exists).ok_or("the mailbox is empty"),
        SetEnd::Number(n) if n > exists => Err("no message has such a high number"),
        SetEnd::Number(n) => Seq::new(n).ok_or("a message number is never 0"),
    };
    let runs: Result<Vec<_>, _> = set.0.iter().map(|(a, b)| Ok((number(a)?, number(b)?))).collect();
    runs.map(SeqSet::from_runs)
}

/// Resolves a set of UIDs. `last` is the highest UID that was told to the client, which `*` means; in an empty mailbox a
/// range with `*` is empty. UIDs that do not exist are no error (R3501-274, R3501-275).
pub fn resolve_uid(set: &RawSet, last: Option<Uid>) -> UidSet {
    resolve(set, last)
}

/// Resolves a set of message numbers that is a criterion of SEARCH: numbers above EXISTS match nothing (R3501-256).
pub fn resolve_search_seq(set: &RawSet, exists: u32) -> SeqSet {
    match Seq::new(exists) {
        Some(last) => resolve(set, Some(last)).intersection(&SeqSet::run(Seq::MIN, last)),
        None => SeqSet::new(),
    }
}

/// Resolves the sets of a SEARCH. See [`resolve_search_seq`] and [`resolve_uid`].
pub fn resolve_search(key: SearchKey<RawNumSet>, exists: u32, last: Option<Uid>) -> SearchKey {
    let resolved = key.try_map_sets(&mut |set| {
        Ok::<_, std::convert::Infallible>(match set {
            RawNumSet::Uid(set) => NumSet::Uid(resolve_uid(&set, last)),
            RawNumSet::Seq(set) => NumSet::Seq(resolve_search_seq(&set, exists)),
        })
    });
    match resolved {
        Ok(key) => key,
        Err(never) => match never {},
    }
}

fn resolve<N: backend_api::Number>(set: &RawSet, last: Option<N>) -> NumberSet<N> {
    let number = |end: &SetEnd| match *end {
        SetEnd::Star => last,
        SetEnd::Number(n) => N::from_u32(n),
    };
    let runs = set.0.iter().filter_map(|(a, b)| Some((number(a)?, number(b)?)));
    NumberSet::from_runs(runs)
}
