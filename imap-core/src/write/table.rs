//! What is written from a table: dates, and each of the 32 sets of system flags.

use backend_api::{DateTime, Flags, SystemFlag};

/// `"dd-Mon-yyyy hh:mm:ss +zzzz"`, the day padded by a space (RFC 3501 9, `date-time`).
pub(super) fn date_time(date: DateTime) -> [u8; 28] {
    const MONTHS: [&[u8; 3]; 12] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
    ];
    let (year, month, day) = date.date().civil();
    let (hour, minute, second) = date.time();
    let [m1, m2, m3] = MONTHS
        .get(usize::from(month).wrapping_sub(1))
        .copied()
        .unwrap_or(b"Jan");
    let [d1, d2] = two(day);
    let d1 = if d1 == b'0' { b' ' } else { d1 };
    let [y1, y2] = two((year / 100 % 100) as u8);
    let [y3, y4] = two((year % 100) as u8);
    let [h1, h2] = two(hour);
    let [n1, n2] = two(minute);
    let [s1, s2] = two(second);
    let offset = date.offset_minutes();
    let sign = if offset < 0 { b'-' } else { b'+' };
    let [z1, z2] = two((offset.unsigned_abs() / 60) as u8);
    let [z3, z4] = two((offset.unsigned_abs() % 60) as u8);
    [
        b'"', d1, d2, b'-', *m1, *m2, *m3, b'-', y1, y2, y3, y4, b' ', h1, h2, b':', n1, n2, b':', s1, s2, b' ', sign,
        z1, z2, z3, z4, b'"',
    ]
}

fn two(n: u8) -> [u8; 2] {
    [b'0' + n / 10 % 10, b'0' + n % 10]
}

pub(super) const SYSTEM_FLAGS: &[u8] = b"\\Answered \\Flagged \\Deleted \\Seen \\Draft";

/// The system flags of a message, as written between parentheses: one row for each of the 32 sets.
pub(super) fn system_flags(flags: &Flags) -> &'static [u8] {
    INNER.get(usize::from(flags.system())).copied().unwrap_or_default()
}

// The rows are in the order of the bits.
const _: () = assert!(
    SystemFlag::Answered as u8 == 1
        && SystemFlag::Flagged as u8 == 2
        && SystemFlag::Deleted as u8 == 4
        && SystemFlag::Seen as u8 == 8
        && SystemFlag::Draft as u8 == 16
);

static INNER: [&[u8]; 32] = [
    b"",
    b"\\Answered",
    b"\\Flagged",
    b"\\Answered \\Flagged",
    b"\\Deleted",
    b"\\Answered \\Deleted",
    b"\\Flagged \\Deleted",
    b"\\Answered \\Flagged \\Deleted",
    b"\\Seen",
    b"\\Answered \\Seen",
    b"\\Flagged \\Seen",
    b"\\Answered \\Flagged \\Seen",
    b"\\Deleted \\Seen",
    b"\\Answered \\Deleted \\Seen",
    b"\\Flagged \\Deleted \\Seen",
    b"\\Answered \\Flagged \\Deleted \\Seen",
    b"\\Draft",
    b"\\Answered \\Draft",
    b"\\Flagged \\Draft",
    b"\\Answered \\Flagged \\Draft",
    b"\\Deleted \\Draft",
    b"\\Answered \\Deleted \\Draft",
    b"\\Flagged \\Deleted \\Draft",
    b"\\Answered \\Flagged \\Deleted \\Draft",
    b"\\Seen \\Draft",
    b"\\Answered \\Seen \\Draft",
    b"\\Flagged \\Seen \\Draft",
    b"\\Answered \\Flagged \\Seen \\Draft",
    b"\\Deleted \\Seen \\Draft",
    b"\\Answered \\Deleted \\Seen \\Draft",
    b"\\Flagged \\Deleted \\Seen \\Draft",
    b"\\Answered \\Flagged \\Deleted \\Seen \\Draft",
];
