//! What SEARCH finds, asked in all three stages, which must agree.

mod large;
mod narrowed;
mod random;
mod text;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use backend_api::{Bytes, Date, ErrorKind, Flag, Keyword, NumSet, RangedBody, SeqSet, SoughtIn, SystemFlag};

use super::*;

/// A body that is read in ranges and counts what was read of it.
pub(super) struct Counted {
    octets: Vec<u8>,
    read: AtomicU64,
    /// It was removed after it was opened.
    gone: bool,
}

#[async_trait]
impl RangedBody for Counted {
    fn size(&self) -> u64 {
        self.octets.len() as u64
    }

    async fn read_at(&self, offset: u64, len: usize) -> Result<Bytes> {
        if self.gone {
            return Err(Error::new(ErrorKind::NotFound, "it is gone"));
        }
        assert!(len <= 64 * 1024);
        self.read.fetch_add(len as u64, Ordering::Relaxed);
        let start = usize::try_from(offset).unwrap();
        Ok(Bytes::copy_from_slice(&self.octets[start..start + len]))
    }
}

/// A message with the columns of its listing.
pub(super) struct Mail<'a> {
    row: Row<'a>,
    octets: Vec<u8>,
}

impl Mail<'_> {
    pub(super) fn new(octets: impl AsRef<[u8]>) -> Self {
        let octets = octets.as_ref().to_vec();
        let row = Row {
            seq: Seq::new(3).unwrap(),
            uid: Uid::new(30).unwrap(),
            flags: &Flags::SEEN,
            recent: false,
            date: DateTime::from_civil(day("2024-02-01"), 23, 30, 0, -600).unwrap(),
            size: Some(octets.len() as u64),
            mod_seq: ModSeq(7),
        };
        Self { row, octets }
    }

    /// Whether the message matches, with each stage checked against the others.
    pub(super) fn matches(&self, key: &SearchKey) -> bool {
        let program = Program::compile(key);
        let index = Index::of(&self.octets);
        let ranged = self.counted();
        let decided = run(program.with_body(&self.row, &index, &MessageBody::Ranged(ranged))).unwrap();
        let whole = MessageBody::from(self.octets.clone());
        assert_eq!(
            run(program.with_body(&self.row, &index, &whole)).unwrap(),
            decided,
            "{key:?}"
        );
        for verdict in [program.cheap(&self.row), program.with_index(&self.row, &index)] {
            match verdict {
                Verdict::Yes => assert!(decided, "{key:?}"),
                Verdict::No => assert!(!decided, "{key:?}"),
                Verdict::Unknown(_) => assert!(program.needs().is_some(), "{key:?}"),
            }
        }
        if let Verdict::Unknown(need) = program.with_index(&self.row, &index) {
            assert!(need >= Need::Header, "{key:?}");
        }
        if program.needs() < Some(Need::Body) {
            let end = usize::try_from(index.part(&[]).unwrap().header().end).unwrap();
            let header = MessageBody::from(self.octets[..end].to_vec());
            let of_header = run(program.with_body(&self.row, &index, &header));
            assert_eq!(of_header.unwrap(), decided, "{key:?}");
        }
        decided
    }

    fn counted(&self) -> Arc<Counted> {
        Arc::new(Counted {
            octets: self.octets.clone(),
            read: AtomicU64::new(0),
            gone: false,
        })
    }
}

pub(super) fn run<T>(future: impl Future<Output = T> + Send) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

pub(super) fn day(text: &str) -> Date {
    let mut numbers = text.split('-').map(|n| n.parse::<u16>().unwrap());
    let mut next = || numbers.next().unwrap();
    let year = i32::from(next());
    Date::from_civil(year, u8::try_from(next()).unwrap(), u8::try_from(next()).unwrap()).unwrap()
}

pub(super) fn header(name: &str, value: &str) -> SearchKey {
    SearchKey::Header {
        name: name.into(),
        value: value.into(),
    }
}

pub(super) fn body(text: &str) -> SearchKey {
    SearchKey::Body(text.into())
}

pub(super) fn text(text: &str) -> SearchKey {
    SearchKey::Text(text.into())
}

pub(super) fn not(key: SearchKey) -> SearchKey {
    SearchKey::Not(Box::new(key))
}

fn seqs(a: u32, b: u32) -> SearchKey {
    SearchKey::Set(NumSet::Seq(SeqSet::run(Seq::new(a).unwrap(), Seq::new(b).unwrap())))
}

fn uids(a: u32, b: u32) -> SearchKey {
    SearchKey::Set(NumSet::Uid(UidSet::run(Uid::new(a).unwrap(), Uid::new(b).unwrap())))
}

fn has(flag: SystemFlag) -> SearchKey {
    SearchKey::Has(Flag::System(flag))
}

fn keyword(name: &str) -> SearchKey {
    SearchKey::Has(Flag::Keyword(Keyword::new(name).unwrap()))
}

const SIMPLE: &str =
    "From: Ann <ann@x.org>\r\nDate: Fri, 2 Feb 2024 00:10:00 +0200\r\nSubject: Lunch\r\n\r\nAt noon?\r\n";

#[test]
fn the_columns_decide_about_numbers_flags_dates_and_sizes() {
    // R3501-210 to R3501-218, R3501-223, R3501-225 to R3501-227, R3501-376, R7162-020
    let flags = Flags::SEEN.with(SystemFlag::Draft).with_keyword("$Junk");
    let mut mail = Mail::new(SIMPLE);
    mail.row.flags = &flags;
    let size = mail.octets.len() as u64;
    let table = [
        (SearchKey::All, true),
        (seqs(1, 3), true),
        (seqs(4, 30), false),
        (uids(30, 30), true),
        (uids(1, 29), false),
        (has(SystemFlag::Seen), true),
        (has(SystemFlag::Draft), true),
        (has(SystemFlag::Answered), false),
        (has(SystemFlag::Deleted), false),
        (has(SystemFlag::Flagged), false),
        (keyword("$JUNK"), true),
        (keyword("$NotJunk"), false),
        (SearchKey::Recent, false),
        (SearchKey::Before(day("2024-02-02")), true),
        (SearchKey::Before(day("2024-02-01")), false),
        (SearchKey::On(day("2024-02-01")), true),
        // In UTC it is the 2nd already; the zone of INTERNALDATE counts.
        (SearchKey::On(day("2024-02-02")), false),
        (SearchKey::On(day("2024-01-31")), false),
        (SearchKey::Since(day("2024-02-01")), true),
        (SearchKey::Since(day("2024-02-02")), false),
        (SearchKey::Larger(size), false),
        (SearchKey::Larger(size - 1), true),
        (SearchKey::Smaller(size), false),
        (SearchKey::Smaller(size + 1), true),
        (SearchKey::ModSeq(ModSeq(7)), true),
        (SearchKey::ModSeq(ModSeq(8)), false),
        (SearchKey::ModSeq(ModSeq::ZERO), true),
        (SearchKey::And(vec![seqs(1, 3), uids(1, 99)]), true),
        (SearchKey::And(vec![seqs(1, 3), SearchKey::Recent]), false),
        (SearchKey::Or(vec![seqs(9, 9), uids(1, 99)]), true),
        (SearchKey::Or(vec![seqs(9, 9), SearchKey::Recent]), false),
    ];
    for (key, expected) in table {
        for (key, expected) in [
            (key.clone(), expected),
            (not(key.clone()), !expected),
            (not(not(key)), expected),
        ] {
            let program = Program::compile(&key);
            let verdict = if expected { Verdict::Yes } else { Verdict::No };
            assert_eq!(program.cheap(&mail.row), verdict, "{key:?}");
            assert!(program.needs() <= Some(Need::Size));
        }
    }
}

#[test]
fn recent_is_what_the_session_says() {
    // R3501-217
    let mut mail = Mail::new(SIMPLE);
    mail.row.recent = true;
    let new = SearchKey::And(vec![SearchKey::Recent, not(has(SystemFlag::Seen))]);
    assert!(mail.matches(&SearchKey::Recent) && !mail.matches(&new));
    mail.row.flags = &Flags::NONE;
    assert!(mail.matches(&new));
}

#[test]
fn sent_is_the_day_that_the_date_field_writes() {
    // R3501-224, R3501-376
    let mail = Mail::new(SIMPLE);
    let table = [
        (SearchKey::SentOn(day("2024-02-02")), true),
        // In UTC, and by INTERNALDATE, it would be the 1st.
        (SearchKey::SentOn(day("2024-02-01")), false),
        (SearchKey::SentBefore(day("2024-02-03")), true),
        (SearchKey::SentBefore(day("2024-02-02")), false),
        (SearchKey::SentSince(day("2024-02-02")), true),
        (SearchKey::SentSince(day("2024-02-03")), false),
    ];
    for (key, expected) in table {
        assert_eq!(mail.matches(&key), expected, "{key:?}");
    }
}

#[test]
fn a_message_without_a_date_matches_no_day() {
    for message in [
        "Subject: x\r\n\r\n",
        "Date: yesterday\r\n\r\n",
        "Date: 31 Feb 2024 10:00:00 +0000\r\n\r\n",
    ] {
        let mail = Mail::new(message);
        for key in [SearchKey::SentOn, SearchKey::SentBefore, SearchKey::SentSince] {
            assert!(!mail.matches(&key(day("2024-02-01"))), "{message:?}");
        }
        let not = SearchKey::Not(Box::new(SearchKey::SentBefore(day("2024-02-02"))));
        assert!(mail.matches(&not), "{message:?}");
    }
}

#[test]
fn an_unknown_size_is_asked_for_before_anything_dearer() {
    let mut mail = Mail::new(SIMPLE);
    mail.row.size = None;
    let verdict = |key: &SearchKey| Program::compile(key).cheap(&mail.row);
    let large = SearchKey::Larger(1_000);
    assert_eq!(verdict(&large), Verdict::Unknown(Need::Size));
    assert_eq!(
        verdict(&SearchKey::And(vec![body("x"), large.clone()])),
        Verdict::Unknown(Need::Size)
    );
    assert_eq!(verdict(&SearchKey::And(vec![large.clone(), seqs(9, 9)])), Verdict::No);
    assert_eq!(verdict(&SearchKey::Or(vec![large.clone(), seqs(3, 3)])), Verdict::Yes);
    assert!(!mail.matches(&large));
}

#[test]
fn what_is_needed_is_the_least_that_may_decide() {
    let mail = Mail::new(SIMPLE);
    let index = Index::of(&mail.octets);
    let table = [
        (header("Subject", "lunch"), Need::Index),
        (SearchKey::SentOn(day("2024-02-02")), Need::Index),
        (header("X-Unlisted", "a"), Need::Header),
        (body("a"), Need::Body),
        (text("a"), Need::Body),
        (SearchKey::And(vec![body("a"), header("Subject", "lunch")]), Need::Index),
        (not(SearchKey::Or(vec![text("a"), header("From", "ann")])), Need::Index),
    ];
    for (key, need) in table {
        assert_eq!(
            Program::compile(&key).cheap(&mail.row),
            Verdict::Unknown(need),
            "{key:?}"
        );
    }
    let verdict = |key| Program::compile(&key).with_index(&mail.row, &index);
    assert_eq!(
        verdict(SearchKey::And(vec![body("a"), header("Subject", "dinner")])),
        Verdict::No
    );
    assert_eq!(
        verdict(SearchKey::Or(vec![body("a"), header("Subject", "lunch")])),
        Verdict::Yes
    );
    assert_eq!(
        verdict(SearchKey::And(vec![body("a"), header("Subject", "lunch")])),
        Verdict::Unknown(Need::Body)
    );
    assert_eq!(
        Program::compile(&SearchKey::Or(vec![body("a"), SearchKey::Recent])).needs(),
        Some(Need::Body)
    );
    assert_eq!(
        Program::compile(&SearchKey::And(vec![body("a"), not(SearchKey::All)])).needs(),
        None
    );
}

#[test]
fn no_more_is_read_than_decides() {
    let long = "filler text without it\r\n".repeat(100_000);
    let mail = Mail::new(format!("X-Unlisted: one\r\nSubject: a\r\n\r\nneedle\r\n{long}"));
    let index = Index::of(&mail.octets);
    let read = |key: SearchKey| {
        let body = mail.counted();
        let matches = run(Program::compile(&key).with_body(&mail.row, &index, &MessageBody::Ranged(body.clone())));
        (matches.unwrap(), body.read.load(Ordering::Relaxed))
    };
    let header_size = index.parts().next().unwrap().header().end;
    let size = mail.octets.len() as u64;
    assert_eq!(read(header("Subject", "b")), (false, 0));
    assert_eq!(read(header("X-Unlisted", "one")), (true, header_size));
    assert_eq!(
        read(SearchKey::And(vec![body("filler"), header("X-Unlisted", "two")])),
        (false, header_size)
    );
    assert_eq!(read(text("unlisted: ONE")), (true, header_size));
    assert_eq!(read(body("needle")), (true, 64 * 1024));
    assert_eq!(read(not(body("needle"))), (false, 64 * 1024));
    assert_eq!(read(body("nowhere")), (false, size - header_size));
    let many = SearchKey::And((0..50).map(|n| not(body(&format!("nowhere {n}")))).collect());
    assert_eq!(read(many), (true, size - header_size), "one pass for all needles");
}

#[test]
fn a_body_that_was_removed_is_an_error() {
    let mail = Mail::new(SIMPLE);
    let gone = Counted {
        octets: mail.octets.clone(),
        read: AtomicU64::new(0),
        gone: true,
    };
    let program = Program::compile(&body("noon"));
    let answer = run(program.with_body(
        &mail.row,
        &Index::of(&mail.octets),
        &MessageBody::Ranged(Arc::new(gone)),
    ));
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::NotFound);
}
