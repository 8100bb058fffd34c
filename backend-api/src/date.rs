//! A moment with its zone offset, as INTERNALDATE keeps it, and the civil dates of SEARCH.

/// A moment to the second, with the zone in which it was given (RFC 3501 `date-time`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DateTime {
    unix: i64,
    /// Minutes east of UTC.
    offset: i16,
}

/// A day without a zone, as SEARCH compares it (RFC 3501 6.4.4 disregards time and zone).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date {
    /// Days since 1970-01-01.
    days: i32,
}

const DAY: i64 = 86_400;
/// Years 0000 to 9999: what four digits can say.
const MIN_DAYS: i64 = -719_528;
const MAX_DAYS: i64 = 2_932_896;

impl DateTime {
    /// Seconds since 1970-01-01 UTC, and minutes east of UTC. Clamped to the years 0000 to 9999 and to ±99:59, which is
    /// what the wire form can say.
    pub fn new(unix: i64, offset_minutes: i16) -> Self {
        let offset = offset_minutes.clamp(-5_999, 5_999);
        let zone = i64::from(offset) * 60;
        Self {
            unix: unix.clamp(MIN_DAYS * DAY - zone, (MAX_DAYS + 1) * DAY - 1 - zone),
            offset,
        }
    }

    /// Now, in UTC.
    pub fn now() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Self::new(since.map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX)), 0)
    }

    /// From the civil form; `None` where it names no moment (31 February, 24:00, …). A leap second (60) is the next
    /// minute's first.
    pub fn from_civil(date: Date, hour: u8, minute: u8, second: u8, offset_minutes: i16) -> Option<Self> {
        if hour > 23 || minute > 59 || second > 60 || offset_minutes.unsigned_abs() > 5_999 {
            return None;
        }
        let local = i64::from(date.days) * DAY + i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        Some(Self::new(local - i64::from(offset_minutes) * 60, offset_minutes))
    }

    /// Seconds since 1970-01-01 UTC.
    pub fn unix(self) -> i64 {
        self.unix
    }

    /// Minutes east of UTC.
    pub fn offset_minutes(self) -> i16 {
        self.offset
    }

    /// The day in its own zone.
    pub fn date(self) -> Date {
        Date {
            days: i32::try_from(self.local().div_euclid(DAY)).unwrap_or(0),
        }
    }

    /// Hour, minute and second in its own zone.
    pub fn time(self) -> (u8, u8, u8) {
        let s = self.local().rem_euclid(DAY);
        let part = |n: i64| u8::try_from(n).unwrap_or(0);
        (part(s / 3600), part(s / 60 % 60), part(s % 60))
    }

    fn local(self) -> i64 {
        self.unix + i64::from(self.offset) * 60
    }
}

impl Date {
    /// Year, month from 1, day from 1; `None` where there is no such day or the year is outside 0 to 9999.
    pub fn from_civil(year: i32, month: u8, day: u8) -> Option<Self> {
        if !(0..=9999).contains(&year) || !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
            return None;
        }
        // Days are counted from 1 March, so that a leap day is a year's last.
        let shifted = if month <= 2 { year - 1 } else { year };
        let era = shifted.div_euclid(400);
        let of_era = shifted.rem_euclid(400);
        let month_from_march = (i32::from(month) + 9) % 12;
        let of_year = (153 * month_from_march + 2) / 5 + i32::from(day) - 1;
        let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
        Some(Self { days })
    }

    /// Days since 1970-01-01.
    pub fn days(self) -> i32 {
        self.days
    }

    /// Year, month from 1, day from 1.
    pub fn civil(self) -> (i32, u8, u8) {
        let z = self.days + 719_468;
        let era = z.div_euclid(146_097);
        let of_era = z.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let year = year_of_era + era * 400 + i32::from(month <= 2);
        (year, u8::try_from(month).unwrap_or(1), u8::try_from(day).unwrap_or(1))
    }
}

fn days_in(year: i32, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_four_centuries_comes_back() {
        for days in -140_000..140_000 {
            let date = Date { days };
            let (y, m, d) = date.civil();
            assert_eq!(Date::from_civil(y, m, d), Some(date), "{y}-{m}-{d}");
        }
    }

    #[test]
    fn known_days_are_where_they_belong() {
        assert_eq!(Date::from_civil(1970, 1, 1).unwrap().days(), 0);
        assert_eq!(Date::from_civil(2000, 2, 29).unwrap().days(), 11_016);
        assert_eq!(Date::from_civil(1900, 2, 29), None);
        assert_eq!(Date::from_civil(2023, 4, 31), None);
        assert_eq!(Date::from_civil(0, 1, 1).unwrap().days(), MIN_DAYS as i32);
        assert_eq!(Date::from_civil(9999, 12, 31).unwrap().days(), MAX_DAYS as i32);
    }

    #[test]
    fn a_moment_keeps_its_zone() {
        let day = Date::from_civil(1996, 7, 17).unwrap();
        let t = DateTime::from_civil(day, 2, 44, 25, -420).unwrap();
        assert_eq!(
            (t.unix(), t.offset_minutes(), t.date(), t.time()),
            (837_596_665, -420, day, (2, 44, 25))
        );
    }

    #[test]
    fn what_four_digits_cannot_say_is_clamped() {
        assert_eq!(DateTime::new(i64::MAX, 0).date().civil(), (9999, 12, 31));
        assert_eq!(DateTime::new(i64::MIN, 60).date().civil(), (0, 1, 1));
    }
}
