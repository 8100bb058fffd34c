//! Messages made up for measuring: number `i` is the same in every run and for every server.

mod realistic;

use std::fmt::Write as _;

use backend_api::DateTime;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub(super) use realistic::{BY_BODY, BY_FIELD, BY_SUBJECT, BY_TEXT, Trait, realistic};

/// Numbers that look random (xorshift64*).
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        let mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03;
        let mut dice = Self(mixed.max(1));
        for _ in 0..4 {
            dice.roll();
        }
        dice
    }

    pub(super) fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// From 0 on, below `n`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        ((self.roll() >> 33) % n.max(1) as u64) as usize
    }

    /// From 1 to `n`, as messages are numbered.
    pub(super) fn message(&mut self, n: usize) -> usize {
        self.below(n) + 1
    }

    fn octets(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.roll() as u8).collect()
    }
}

const WORDS: &str = "the report meeting please attached quarter budget release server mailbox schedule review draft customer \
    invoice shipping delay thanks regards update version change request question answer today tomorrow office project \
    deadline team engineer design paper contract number account travel flight hotel lunch dinner garden winter summer river \
    mountain letter paragraph sentence and or not with";
const NAMES: [&str; 10] = [
    "Alice Adler",
    "Bob Brown",
    "Carla Cruz",
    "Dan Dietz",
    "Eva Engel",
    "Frank Fox",
    "Gina Gold",
    "Hugo Hahn",
    "Iris Ito",
    "Jan Jung",
];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// One of a list, which begins again behind its end.
fn pick<'a>(list: &[&'a str], index: usize) -> &'a str {
    list.get(index % list.len().max(1)).copied().unwrap_or_default()
}

fn words() -> Vec<&'static str> {
    WORDS.split_whitespace().collect()
}

/// The day of the first message, counted from 1970-01-01: 8 January 2022.
const FIRST_DAY: usize = 19_000;

/// The day of a message, counted from 1970-01-01.
pub(super) fn day(message: usize) -> usize {
    FIRST_DAY + message % 1000
}

fn civil(day: usize) -> (i32, &'static str, u8) {
    let (year, month, day) = DateTime::new(day as i64 * 86_400, 0).date().civil();
    (year, pick(&MONTHS, usize::from(month).saturating_sub(1)), day)
}

/// A day as SEARCH takes it: `8-Jan-2022`.
pub(super) fn search_date(day: usize) -> String {
    let (year, month, day) = civil(day);
    format!("{day}-{month}-{year}")
}

fn internal_date(message: usize) -> String {
    let (year, month, day) = civil(day(message));
    let (minute, second) = (message % 60, message / 60 % 60);
    format!("\"{day:02}-{month}-{year} 12:{minute:02}:{second:02} +0000\"")
}

/// Whether a message is `\Seen` from the beginning.
pub(super) fn is_seen(message: usize) -> bool {
    message.is_multiple_of(2) && message % 20 != 10
}

/// What stands in front of a message's literal in APPEND, with a space behind it: flags and date.
pub(super) fn options(message: usize) -> String {
    let flags = match (is_seen(message), message.is_multiple_of(10)) {
        (true, true) => "\\Seen \\Flagged",
        (false, true) if message.is_multiple_of(2) => "\\Flagged",
        (true, false) => "\\Seen",
        _ => "",
    };
    format!("({flags}) {} ", internal_date(message))
}

/// Base64 in lines of 76 characters.
fn base64_lines(octets: &[u8], out: &mut String) {
    let text = STANDARD.encode(octets);
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, next) = rest.split_at_checked(76).unwrap_or((rest, ""));
        out.push_str(line);
        out.push_str("\r\n");
        rest = next;
    }
}

/// At least so many octets of words.
fn prose(dice: &mut Dice, octets: usize, out: &mut String) {
    let words = words();
    let end = out.len() + octets;
    let mut column = 0;
    while out.len() < end {
        let word = pick(&words, dice.below(words.len()));
        if column + word.len() > 70 {
            out.push_str("\r\n");
            column = 0;
        }
        out.push_str(word);
        out.push(' ');
        column += word.len() + 1;
    }
    out.push_str("\r\n");
}

/// A small message of a few lines.
pub(super) fn small(message: usize) -> Vec<u8> {
    let mut dice = Dice::new(message as u64 + 77);
    let mut out = String::with_capacity(1600);
    let _ = write!(
        out,
        "From: {} <s{}@example.net>\r\nTo: user@example.org\r\nSubject: small {message}\r\n\
         Date: Sat, 8 Jan 2022 12:00:00 +0000\r\nMessage-ID: <s{message}@example.net>\r\n\r\n",
        pick(&NAMES, message),
        message % 100
    );
    let octets = 300 + dice.below(700);
    prose(&mut dice, octets, &mut out);
    out.into_bytes()
}

/// A message of exactly so many octets, which are more than its header.
pub(super) fn exact(message: usize, octets: usize) -> Vec<u8> {
    let mut dice = Dice::new(message as u64 + 5);
    let mut out = String::with_capacity(octets + 100);
    realistic::header(message, &mut dice, &mut out);
    out.push_str("Content-Type: text/plain; charset=us-ascii\r\n\r\n");
    let left = octets.saturating_sub(out.len());
    prose(&mut dice, left, &mut out);
    let mut out = out.into_bytes();
    out.truncate(octets.saturating_sub(3));
    // A CR at the cut would be bare.
    if let Some(last) = out.last_mut().filter(|last| **last == b'\r') {
        *last = b'.';
    }
    out.extend_from_slice(b".\r\n");
    out
}

/// One large attachment: about so many octets, at least 8,192.
pub(super) fn big(octets: usize) -> Vec<u8> {
    let mut dice = Dice::new(99);
    let mut out = String::with_capacity(octets + 4096);
    realistic::header(1, &mut dice, &mut out);
    out.push_str(
        "Content-Type: multipart/mixed; boundary=\"big\"\r\n\r\n--big\r\nContent-Type: text/plain\r\n\r\nhello\r\n\
         --big\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n",
    );
    let attachment = dice.octets(octets.saturating_sub(4096) / 78 * 57);
    base64_lines(&attachment, &mut out);
    out.push_str("--big--\r\n");
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_the_size_that_was_asked_for() {
        // Lines are cut at each of their octets.
        for octets in 4000..4100 {
            let made = exact(1, octets);
            assert_eq!(made.len(), octets);
            let bare = made
                .windows(2)
                .filter(|pair| pair[0] == b'\r' && pair[1] != b'\n')
                .count();
            assert_eq!(bare, 0, "{octets} octets");
        }
    }

    #[test]
    fn flags_and_dates_are_told_to_append() {
        assert_eq!(options(0), "(\\Seen \\Flagged) \"08-Jan-2022 12:00:00 +0000\" ");
        assert_eq!(options(1), "() \"09-Jan-2022 12:01:00 +0000\" ");
        assert_eq!(options(2), "(\\Seen) \"10-Jan-2022 12:02:00 +0000\" ");
        assert_eq!(options(70), "(\\Flagged) \"19-Mar-2022 12:10:01 +0000\" ");
        assert_eq!(search_date(day(1)), "9-Jan-2022");
    }

    #[test]
    fn base64_is_broken_into_lines() {
        let mut out = String::new();
        base64_lines(&[0; 60], &mut out);
        assert_eq!(out, format!("{}\r\nAAAA\r\n", "A".repeat(76)));
    }
}
