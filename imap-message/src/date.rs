//! The Date field: RFC 5322 3.3 with the obsolete forms of 4.3, and what senders write instead.

use crate::cursor::{Cursor, is_space};

/// When a message was sent, according to its Date field.
///
/// SENTBEFORE, SENTON and SENTSINCE compare the civil date as it was written, whatever its time and zone (RFC 3501
/// 6.4.4); SORT compares the instant (RFC 5256 2.2), where a missing time is midnight and a missing zone is UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentDate {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub unix: i64,
    /// Offset from UTC, in minutes; negative to the west.
    pub offset_minutes: i16,
    /// Year as written, 1 to 9999.
    pub year: u16,
    /// Month as written, 1 to 12.
    pub month: u8,
    /// Day of the month as written, 1 to 31.
    pub day: u8,
}

impl SentDate {
    /// Reads the value of a Date field. `None` if it holds no date that the calendar has.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(value);
        skip(&mut cursor);
        if cursor.peek().is_some_and(|octet| octet.is_ascii_alphabetic()) {
            cursor.take_while(|octet| octet.is_ascii_alphabetic() || octet == b'.');
            skip(&mut cursor);
        }
        let (day, _) = digits(&mut cursor)?;
        skip(&mut cursor);
        let month = month(cursor.take_while(|octet| octet.is_ascii_alphabetic()))?;
        skip(&mut cursor);
        let year = year(digits(&mut cursor)?)?;
        if day == 0 || day > days_in_month(year, month) {
            return None;
        }
        let day = u8::try_from(day).ok()?;
        let (seconds, offset_minutes) = time_and_zone(&mut cursor);
        let unix = days_from_epoch(year, month, day) * 86_400 + seconds - i64::from(offset_minutes) * 60;
        Some(Self {
            unix,
            offset_minutes,
            year,
            month,
            day,
        })
    }
}

fn skip(cursor: &mut Cursor<'_>) {
    while cursor.skip_cfws() || cursor.eat(b',') || cursor.eat(b'-') {}
}

/// A number of at most nine digits, and how many digits it had.
fn digits(cursor: &mut Cursor<'_>) -> Option<(u32, usize)> {
    let text = cursor.take_while(|octet| octet.is_ascii_digit());
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    let value = text.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
    Some((value, text.len()))
}

fn month(name: &[u8]) -> Option<u8> {
    const MONTHS: [&[u8]; 12] = [
        b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
    ];
    let name = name.get(..3)?;
    MONTHS
        .iter()
        .zip(1..)
        .find(|(month, _)| month.eq_ignore_ascii_case(name))
        .map(|(_, number)| number)
}

/// RFC 5322 4.3: two digits below 50 are of this century, other two and three digits count from 1900.
fn year((value, digits): (u32, usize)) -> Option<u16> {
    let year = match digits {
        ..=2 if value < 50 => value + 2000,
        ..=3 => value + 1900,
        _ => value,
    };
    u16::try_from(year).ok().filter(|year| (1..=9999).contains(year))
}

/// Seconds of the day, and the offset from UTC in minutes.
fn time_and_zone(cursor: &mut Cursor<'_>) -> (i64, i16) {
    cursor.skip_cfws();
    let Some(seconds) = time(cursor) else { return (0, 0) };
    (seconds, zone(cursor))
}

fn time(cursor: &mut Cursor<'_>) -> Option<i64> {
    let (hour, _) = digits(cursor)?;
    cursor.skip_cfws();
    if !cursor.eat(b':') {
        return None;
    }
    cursor.skip_cfws();
    let (minute, _) = digits(cursor)?;
    cursor.skip_cfws();
    let second = if cursor.eat(b':') {
        cursor.skip_cfws();
        digits(cursor)?.0
    } else {
        0
    };
    let valid = hour < 24 && minute < 60 && second <= 60;
    valid.then(|| i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second))
}

fn zone(cursor: &mut Cursor<'_>) -> i16 {
    cursor.skip_cfws();
    let west = match cursor.peek() {
        Some(b'+') => false,
        Some(b'-') => true,
        _ => return named_zone(cursor.take_while(|octet| !is_space(octet) && octet != b'(')),
    };
    cursor.bump();
    let Some((value, 4)) = digits(cursor) else { return 0 };
    let (hours, minutes) = (value / 100, value % 100);
    if hours > 23 || minutes > 59 {
        return 0;
    }
    let offset = i16::try_from(hours * 60 + minutes).unwrap_or(0);
    if west { -offset } else { offset }
}

/// RFC 5322 4.3; every other name, the military ones among them, counts as UTC.
fn named_zone(name: &[u8]) -> i16 {
    let zones: [(&[u8], i16); 8] = [
        (b"EST", -5),
        (b"EDT", -4),
        (b"CST", -6),
        (b"CDT", -5),
        (b"MST", -7),
        (b"MDT", -6),
        (b"PST", -8),
        (b"PDT", -7),
    ];
    zones
        .iter()
        .find(|(zone, _)| zone.eq_ignore_ascii_case(name))
        .map_or(0, |(_, hours)| hours * 60)
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in_month(year: u16, month: u8) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
fn days_from_epoch(year: u16, month: u8, day: u8) -> i64 {
    // Years that begin in March put the leap day at the end.
    let year = i64::from(year) - i64::from(month <= 2);
    let month = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: Option<(i64, i16, u16, u8, u8)>) {
        let found = SentDate::parse(value.as_bytes());
        assert_eq!(
            found.map(|d| (d.unix, d.offset_minutes, d.year, d.month, d.day)),
            expected,
            "{value}"
        );
    }

    #[test]
    fn dates_of_every_form_are_read() {
        let table = [
            (
                "Wed, 17 Jul 1996 02:23:25 -0700 (PDT)",
                (837_595_405, -420, 1996, 7, 17),
            ),
            ("17 Jul 1996 09:23 GMT", (837_595_380, 0, 1996, 7, 17)),
            ("Thu, 1 Jan 1970 00:00:00 +0000", (0, 0, 1970, 1, 1)),
            ("Thu,\r\n 13 Feb 69 23:32 -0330", (-27_723_480, -210, 1969, 2, 13)),
            (
                "21 Nov 97 09(comment):   55  :  06 -0600",
                (880_127_706, -360, 1997, 11, 21),
            ),
            ("Fri, 29 Feb 2008 12:00:00 EST", (1_204_304_400, -300, 2008, 2, 29)),
            ("1-Feb-2024 00:00:00 +0530", (1_706_725_800, 330, 2024, 2, 1)),
            ("Tue, 5 September 2023", (1_693_872_000, 0, 2023, 9, 5)),
            ("5 Sep 49 00:00 Z", (2_514_412_800, 0, 2049, 9, 5)),
            ("5 Sep 2023 25:00:00 +0200", (1_693_872_000, 0, 2023, 9, 5)),
            ("5 Sep 2023 01:00:00 +9999", (1_693_875_600, 0, 2023, 9, 5)),
        ];
        for (value, expected) in table {
            check(value, Some(expected));
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for value in [
            "",
            "today",
            "31 Feb 2024",
            "29 Feb 2023",
            "0 Jan 2024",
            "1 Foo 2024",
            "1 Jan",
            "1 Jan 99999999999",
        ] {
            check(value, None);
        }
    }
}
