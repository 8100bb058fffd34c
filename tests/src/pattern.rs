//! How an expected response is written: octet for octet, with holes where a server is free to choose.
//!
//! | hole | stands for |
//! |---|---|
//! | `<text>` | text for people to the end of the line: at least one character, 7-bit, not beginning with `[` |
//! | `<date>` | a quoted date-time as in INTERNALDATE |
//! | `<list>` | anything but `]` and line ends, as in `[CAPABILITY <list>]` |
//! | `<any other word>` | a number from 1 to 4294967295; where the word comes again, the same number |

use std::collections::HashMap;

/// Numbers bound by the holes of earlier lines.
pub type Bound = HashMap<String, String>;

/// Whether a response is the expected one. Binds holes on the way.
///
/// # Errors
/// How much of the response agreed.
pub fn matches(expected: &str, heard: &[u8], bound: &mut Bound) -> Result<(), usize> {
    let mut at = 0;
    let mut rest = expected;
    while !rest.is_empty() {
        let left = &heard[at..];
        if let Some((name, after)) = hole(rest) {
            at += fill(name, left, bound).ok_or(at)?;
            rest = after;
            continue;
        }
        let char_len = rest.chars().next().map_or(1, char::len_utf8);
        let literal = &rest.as_bytes()[..char_len];
        if !left.starts_with(literal) {
            return Err(at);
        }
        at += char_len;
        rest = &rest[char_len..];
    }
    if at == heard.len() { Ok(()) } else { Err(at) }
}

/// The hole that a pattern begins with, and what follows it.
fn hole(pattern: &str) -> Option<(&str, &str)> {
    let (name, after) = pattern.strip_prefix('<')?.split_once('>')?;
    let is_word = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    is_word.then_some((name, after))
}

/// How many octets fill the hole. Text is at least one 7-bit character behind the code (R3501-280, R3501-281, R3501-365).
fn fill(name: &str, left: &[u8], bound: &mut Bound) -> Option<usize> {
    let run = |fits: fn(u8) -> bool| left.iter().position(|b| !fits(*b)).unwrap_or(left.len());
    match name {
        "text" => {
            let len = run(|b| (0x20..0x7f).contains(&b) || b == b'\t');
            (len > 0 && left[0] != b'[' && left[0] != b' ').then_some(len)
        }
        "list" => {
            let len = run(|b| (0x20..0x7f).contains(&b) && b != b']');
            (len > 0).then_some(len)
        }
        "date" => {
            let date = left.get(..28)?;
            is_date_time(date).then_some(28)
        }
        _ => {
            let len = run(|b| b.is_ascii_digit());
            let digits = std::str::from_utf8(&left[..len]).ok()?;
            let valid = !digits.starts_with('0') && digits.parse::<u32>().is_ok();
            let known = bound.entry(name.to_owned()).or_insert_with(|| digits.to_owned());
            (valid && known == digits).then_some(len)
        }
    }
}

/// `"17-Jul-1996 02:44:25 -0700"`, the day padded by a space (RFC 3501 9 date-time).
fn is_date_time(text: &[u8]) -> bool {
    let shape = b"\"dd-Mon-dddd dd:dd:dd zdddd\"";
    let months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let month = std::str::from_utf8(&text[4..7]).unwrap_or("?");
    let fits = |(i, (t, s)): (usize, (&u8, &u8))| match s {
        b'd' => t.is_ascii_digit() || (i == 1 && *t == b' '),
        b'z' => matches!(t, b'+' | b'-'),
        b'M' | b'o' | b'n' => true,
        _ => t == s,
    };
    let named = months.as_bytes().chunks(3).any(|m| m == month.as_bytes());
    named && text.iter().zip(shape).enumerate().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(expected: &str, heard: &str) -> bool {
        matches(expected, heard.as_bytes(), &mut Bound::new()).is_ok()
    }

    #[test]
    fn a_response_is_compared_to_its_last_octet() {
        assert!(fits("* 3 EXISTS", "* 3 EXISTS"));
        assert!(!fits("* 3 EXISTS", "* 3 EXISTS "));
        assert!(!fits("* 3 EXISTS", "* 33 EXISTS"));
        assert!(!fits("* 3 EXISTS", "* 3 EXIST"));
        assert!(!fits("* 3 EXISTS", "* 3 exists"));
    }

    #[test]
    fn text_hides_no_response_code_and_is_never_empty() {
        assert!(fits("a OK <text>", "a OK done"));
        assert!(!fits("a OK <text>", "a OK [READ-WRITE] done"));
        assert!(!fits("a OK <text>", "a OK "));
        assert!(!fits("a OK <text>", "a OK d\u{f6}ne"));
        assert!(fits(
            "a OK [CAPABILITY <list>] <text>",
            "a OK [CAPABILITY IMAP4rev1 X] done"
        ));
    }

    #[test]
    fn a_number_keeps_its_value() {
        let mut bound = Bound::new();
        assert!(matches("[UIDVALIDITY <v>]", b"[UIDVALIDITY 17]", &mut bound).is_ok());
        assert!(matches("[APPENDUID <v> 3]", b"[APPENDUID 17 3]", &mut bound).is_ok());
        assert_eq!(matches("[APPENDUID <v> 3]", b"[APPENDUID 18 3]", &mut bound), Err(11));
        assert!(!fits("<n>", "0"));
        assert!(!fits("<n>", "4294967296"));
        assert!(!fits("<n>", ""));
    }

    #[test]
    fn a_date_has_its_exact_shape() {
        assert!(fits("<date>)", "\"17-Jul-1996 02:44:25 -0700\")"));
        assert!(fits("<date>", "\" 7-Jul-1996 02:44:25 +0000\""));
        assert!(!fits("<date>", "\"7-Jul-1996 02:44:25 +0000\""));
        assert!(!fits("<date>", "\"17-Foo-1996 02:44:25 +0000\""));
    }

    #[test]
    fn what_looks_like_a_message_id_is_no_hole() {
        assert!(fits("<a@b>", "<a@b>"));
        assert!(fits("BODY[]<0>", "BODY[]<0>"));
    }
}
