//! Searching: by what stands in a list of messages, by header fields, and by texts.

use super::super::catalogue::{Group, Line, Unit};
use super::super::connection::Room;
use super::super::corpus::{self, BY_BODY, BY_FIELD, BY_SUBJECT, BY_TEXT, Trait};
use super::super::measure::{must, timed};
use super::super::round::Round;
use super::super::trouble::Result;

pub(in super::super) const GROUP: Group = Group {
    name: "search",
    about: "SEARCH by flags, dates, fields and texts; where a server may remember, the first time and again",
    lines: &[
        UNSEEN,
        ALL,
        SINCE_FIRST,
        SINCE,
        SUBJECT_FIRST,
        SUBJECT,
        FIELD_FIRST,
        FIELD,
        BODY_FIRST,
        BODY,
        TEXT_FIRST,
        TEXT,
    ],
    by_size: false,
    run,
};
const UNSEEN: Line = Line::new("search-unseen", "SEARCH UNSEEN in {medium}", Unit::Millis);
const ALL: Line = Line::new("search-all", "UID SEARCH ALL in {medium}", Unit::Millis);
const SINCE_FIRST: Line = Line::new("search-since-first", "SEARCH SINCE in {medium}, first", Unit::Millis);
const SINCE: Line = Line::new("search-since", "… again", Unit::Millis);
const SUBJECT_FIRST: Line = Line::new(
    "search-subject-first",
    "SEARCH SUBJECT in {medium}, first",
    Unit::Millis,
);
const SUBJECT: Line = Line::new("search-subject", "… again", Unit::Millis);
const FIELD_FIRST: Line = Line::new(
    "search-header-first",
    "SEARCH HEADER of another field in {medium}, first",
    Unit::Millis,
);
const FIELD: Line = Line::new("search-header", "… again", Unit::Millis);
const BODY_FIRST: Line = Line::new("search-body-first", "SEARCH BODY in {medium}, first", Unit::Millis);
const BODY: Line = Line::new("search-body", "… again", Unit::Millis);
const TEXT_FIRST: Line = Line::new("search-text-first", "SEARCH TEXT in {medium}, first", Unit::Millis);
const TEXT: Line = Line::new("search-text", "… again", Unit::Millis);

fn run(round: &mut Round) -> Result<()> {
    let filled = round.medium(0)?;
    let (messages, times) = (filled.messages, round.site.sizes.times);
    let count = |has: &dyn Fn(usize) -> bool| (0..messages).filter(|message| has(*message)).count();
    let since = corpus::day(messages.min(1000) * 7 / 10);
    let by = |(criterion, has): Trait| (format!("SEARCH {criterion}"), count(&has));
    let (subject, field, body, text) = (by(BY_SUBJECT), by(BY_FIELD), by(BY_BODY), by(BY_TEXT));
    let unseen = count(&|message| !corpus::is_seen(message));
    let later = count(&|message| corpus::day(message) >= since);
    let searches = [
        ("SEARCH UNSEEN".to_owned(), unseen, None, UNSEEN),
        ("UID SEARCH ALL".to_owned(), messages, None, ALL),
        (
            format!("SEARCH SINCE {}", corpus::search_date(since)),
            later,
            Some(SINCE_FIRST),
            SINCE,
        ),
        (subject.0, subject.1, Some(SUBJECT_FIRST), SUBJECT),
        (field.0, field.1, Some(FIELD_FIRST), FIELD),
        (body.0, body.1, Some(BODY_FIRST), BODY),
        (text.0, text.1, Some(TEXT_FIRST), TEXT),
    ];
    for (command, expected, first, again) in searches {
        if first.is_some() {
            round.start_anew()?;
        }
        let mut connection = round.site.select(&filled.mailbox, Room::Large)?;
        let mut search = |_| {
            let (took, tally) = timed(|| connection.command(&command))?;
            let got = tally.hits;
            must(got == expected as u64, || format!("{got} hits, not {expected}"))?;
            Ok(took)
        };
        if let Some(first) = first {
            round.first(first, 1.0, &mut search)?;
        }
        round.repeated(again, times, 1.0, search)?;
    }
    Ok(())
}
