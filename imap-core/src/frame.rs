//! Where a line ends and whether a literal follows it, found in linear time however the octets arrive.

/// How far the present line was searched: octets are looked at once.
#[derive(Debug, Default)]
pub(crate) struct Framer {
    scanned: usize,
}

/// What was found of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// No end yet.
    More,
    /// No end within the limit.
    TooLong,
    /// Ends with CRLF; length with it.
    Line(usize),
    /// Has an LF without CR; length up to it and with it.
    BareLf(usize),
}

impl Framer {
    /// The next line of `input`, which must start where it started at the last call unless [`reset`](Framer::reset).
    pub(crate) fn find(&mut self, input: &[u8], limit: usize) -> Found {
        let unseen = input.get(self.scanned..).unwrap_or_default();
        let Some(at) = memchr::memchr(b'\n', unseen) else {
            self.scanned = input.len();
            return if input.len() >= limit {
                Found::TooLong
            } else {
                Found::More
            };
        };
        let end = self.scanned + at;
        self.scanned = end;
        if end >= limit {
            return Found::TooLong;
        }
        let cr = end.checked_sub(1).and_then(|i| input.get(i)) == Some(&b'\r');
        if cr {
            Found::Line(end + 1)
        } else {
            Found::BareLf(end + 1)
        }
    }

    /// The line was taken from the input.
    pub(crate) fn reset(&mut self) {
        self.scanned = 0;
    }
}

/// `{n}` or `{n+}` at the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LiteralHeader {
    /// `None`: more than 64 bits can say.
    pub(crate) size: Option<u64>,
    /// The client waits for a continuation request.
    pub(crate) synchronizing: bool,
}

/// Digits of the largest number of 64 bits.
const MOST_DIGITS: usize = 20;

/// So many octets at the end of a line, with its CR, tell whether it ends with a literal's header.
pub(crate) const LONGEST_HEADER: usize = MOST_DIGITS + 5;

/// The literal announced by this line, given without its line end. At every line's end, whatever stands before it, also in
/// a command that is refused (R7888-002): else the octets that follow would run as commands.
pub(crate) fn literal_header(line: &[u8]) -> Option<LiteralHeader> {
    let inner = line.strip_suffix(b"}")?;
    let (inner, synchronizing) = match inner.strip_suffix(b"+") {
        Some(inner) => (inner, false),
        None => (inner, true),
    };
    let digits = inner.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    if digits > MOST_DIGITS {
        // Too large whatever stands before: of a line that is thrown away, no more than this is looked at.
        let size = None;
        return Some(LiteralHeader { size, synchronizing });
    }
    let (before, number) = inner.split_at_checked(inner.len() - digits)?;
    if number.is_empty() || before.last() != Some(&b'{') {
        return None;
    }
    let size = number
        .iter()
        .try_fold(0_u64, |n, d| n.checked_mul(10)?.checked_add(u64::from(d - b'0')));
    Some(LiteralHeader { size, synchronizing })
}

/// Whether a quoted string is open at the end of this text: a line feed here belongs to the string.
pub(crate) fn inside_quotes(text: &[u8]) -> bool {
    let mut open = false;
    let mut octets = text.iter();
    while let Some(octet) = octets.next() {
        match octet {
            b'"' => open = !open,
            b'\\' if open => {
                octets.next();
            }
            _ => {}
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_at_the_end_alone() {
        let some = |size, synchronizing| {
            Some(LiteralHeader {
                size: Some(size),
                synchronizing,
            })
        };
        let table: [(&[u8], Option<LiteralHeader>); 15] = [
            (b"a LOGIN {5}", some(5, true)),
            (b"a LOGIN {5+}", some(5, false)),
            (b"{0+}", some(0, false)),
            (b"{007}", some(7, true)),
            (b"~{3}", some(3, true)),
            (b"a \"b {5+}", some(5, false)),
            (b"{4294967296+}", some(4_294_967_296, false)),
            (b"{18446744073709551615}", some(u64::MAX, true)),
            (
                b"{18446744073709551616+}",
                Some(LiteralHeader {
                    size: None,
                    synchronizing: false,
                }),
            ),
            (
                b"{000000000000000000005+}",
                Some(LiteralHeader {
                    size: None,
                    synchronizing: false,
                }),
            ),
            (b"{5-}", None),
            (b"{}", None),
            (b"{+}", None),
            (b"{5} ", None),
            (b"5}", None),
        ];
        for (line, header) in table {
            assert_eq!(literal_header(line), header, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn each_octet_is_searched_once() {
        let mut framer = Framer::default();
        let text = b"a NOOP\r\nb";
        for n in 0..7 {
            assert_eq!(framer.find(&text[..n], 100), Found::More);
            assert_eq!(framer.scanned, n);
        }
        assert_eq!(framer.find(text, 100), Found::Line(8));
    }

    #[test]
    fn a_line_has_its_limit_and_its_carriage_return() {
        let find = |text: &[u8], limit| Framer::default().find(text, limit);
        assert_eq!(find(b"abc\r\n", 5), Found::Line(5));
        assert_eq!(find(b"abcd\r\n", 5), Found::TooLong);
        assert_eq!(find(b"abcde", 5), Found::TooLong);
        assert_eq!(find(b"abc\nd\r\n", 9), Found::BareLf(4));
        assert_eq!(find(b"\n", 9), Found::BareLf(1));
    }

    #[test]
    fn quotes_are_counted_without_the_escaped() {
        for (text, open) in [
            ("a", false),
            ("a \"b", true),
            ("\"a\\\"", true),
            ("\"a\\\\\"", false),
            ("\\\"", true),
        ] {
            assert_eq!(inside_quotes(text.as_bytes()), open, "{text}");
        }
    }
}
