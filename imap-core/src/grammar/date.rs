//! Dates: `date` of SEARCH and `date-time` of APPEND (RFC 3501 9).

use backend_api::{Date, DateTime};

use super::Parse;
use super::cursor::Cursor;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// `date`: `1-Feb-1994`, in quotes or not.
pub(super) fn date(c: &mut Cursor<'_>) -> Parse<Date> {
    const EXPECTED: &str = "a date such as 1-Feb-1994";
    let start = c.position();
    let quoted = c.eat(b'"');
    let day = match c.digits(2, EXPECTED) {
        Ok(day) => day,
        Err(_) => c.digits(1, EXPECTED)?,
    };
    let date = month_and_year(c, day, EXPECTED)?;
    if quoted {
        c.expect(b'"', EXPECTED)?;
    }
    date.ok_or(c.bad_at("a day that exists", start))
}

fn month_and_year(c: &mut Cursor<'_>, day: u32, expected: &'static str) -> Parse<Option<Date>> {
    c.expect(b'-', expected)?;
    let month = (1..).zip(MONTHS).find(|(_, name)| c.keyword(name));
    let Some((month, _)) = month else {
        return Err(c.bad(expected));
    };
    c.expect(b'-', expected)?;
    let year = c.digits(4, expected)?;
    let (year, day) = (i32::try_from(year).unwrap_or(0), u8::try_from(day).unwrap_or(0));
    Ok(Date::from_civil(year, month, day))
}

/// `date-time`: `"17-Jul-1996 02:44:25 -0700"`, the day of two characters (R3501-194, R3501-344).
pub(super) fn date_time(c: &mut Cursor<'_>) -> Parse<DateTime> {
    const EXPECTED: &str = "a date such as \"17-Jul-1996 02:44:25 -0700\"";
    let start = c.position();
    c.expect(b'"', EXPECTED)?;
    let day = if c.eat(b' ') {
        c.digits(1, EXPECTED)?
    } else {
        c.digits(2, EXPECTED)?
    };
    let date = month_and_year(c, day, EXPECTED)?;
    c.space(EXPECTED)?;
    let hour = c.digits(2, EXPECTED)?;
    c.expect(b':', EXPECTED)?;
    let minute = c.digits(2, EXPECTED)?;
    c.expect(b':', EXPECTED)?;
    let second = c.digits(2, EXPECTED)?;
    c.space(EXPECTED)?;
    let west = c.eat(b'-');
    if !west {
        c.expect(b'+', EXPECTED)?;
    }
    let (zone_hours, zone_minutes) = (c.digits(2, EXPECTED)?, c.digits(2, EXPECTED)?);
    c.expect(b'"', EXPECTED)?;
    let part = |n: u32| u8::try_from(n).unwrap_or(u8::MAX);
    let offset = i16::try_from(zone_hours * 60 + zone_minutes).unwrap_or(i16::MAX);
    let offset = if west { -offset } else { offset };
    let moment = date
        .filter(|_| zone_minutes < 60)
        .and_then(|d| DateTime::from_civil(d, part(hour), part(minute), part(second), offset));
    moment.ok_or(c.bad_at("a moment that exists", start))
}
