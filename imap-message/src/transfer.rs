//! The transfer encodings of RFC 2045 6, decoded from pieces of any size and tolerant of what senders get wrong.

use memchr::memchr2;

use crate::mime::TransferEncoding;

/// Decodes the body of a part. Memory does not depend on the size of the body.
///
/// Base64 ignores every octet that is not of its alphabet, and padding ends a group, so that encoded texts one behind
/// the other decode as one. Quoted-printable leaves an `=` that begins no escape as it is. An unknown encoding is
/// handed through.
#[derive(Debug, Clone)]
pub struct TransferDecoder {
    state: State,
}

#[derive(Debug, Clone)]
enum State {
    Identity,
    Base64 { bits: u32, count: u8 },
    QuotedPrintable(QuotedPrintable),
}

impl TransferDecoder {
    /// A decoder at the first octet of a body.
    pub fn new(encoding: TransferEncoding) -> Self {
        let state = match encoding {
            TransferEncoding::Identity | TransferEncoding::Unknown => State::Identity,
            TransferEncoding::Base64 => State::Base64 { bits: 0, count: 0 },
            TransferEncoding::QuotedPrintable => State::QuotedPrintable(QuotedPrintable::default()),
        };
        Self { state }
    }

    /// Takes the next octets of the body and appends what they decode to.
    pub fn push(&mut self, body: &[u8], out: &mut Vec<u8>) {
        match &mut self.state {
            State::Identity => out.extend_from_slice(body),
            State::Base64 { bits, count } => base64(bits, count, body, out),
            State::QuotedPrintable(state) => state.push_all(body, out),
        }
    }

    /// Whether it hands everything through.
    pub(crate) fn is_identity(&self) -> bool {
        matches!(self.state, State::Identity)
    }

    /// Ends the body and appends what was held back.
    pub fn finish(self, out: &mut Vec<u8>) {
        match self.state {
            State::Identity => {}
            State::Base64 { bits, count } => end_group(bits, count, out),
            State::QuotedPrintable(state) => state.finish(out),
        }
    }
}

fn base64(bits: &mut u32, count: &mut u8, body: &[u8], out: &mut Vec<u8>) {
    out.reserve(body.len() / 4 * 3 + 3);
    for &octet in body {
        let value = match octet {
            b'A'..=b'Z' => octet - b'A',
            b'a'..=b'z' => octet - b'a' + 26,
            b'0'..=b'9' => octet - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                end_group(*bits, *count, out);
                (*bits, *count) = (0, 0);
                continue;
            }
            _ => continue,
        };
        *bits = *bits << 6 | u32::from(value);
        *count += 1;
        if *count == 4 {
            let [_, first, second, third] = bits.to_be_bytes();
            out.extend_from_slice(&[first, second, third]);
            (*bits, *count) = (0, 0);
        }
    }
}

/// What two or three characters of an unfinished group decode to.
fn end_group(bits: u32, count: u8, out: &mut Vec<u8>) {
    let missing = 4 - u32::from(count.min(4));
    let [_, first, second, _] = (bits << (6 * missing)).to_be_bytes();
    match count {
        2 => out.push(first),
        3 => out.extend_from_slice(&[first, second]),
        _ => {}
    }
}

#[derive(Debug, Clone, Default)]
struct QuotedPrintable {
    /// White space that is dropped if the line ends behind it (RFC 2045 6.7 rule 3).
    space: Vec<u8>,
    escape: Escape,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    /// Behind `=`
    Begun,
    /// Behind `=` and white space, or `=` and CR
    LineEnd,
    /// Behind `=` and one hexadecimal digit
    Half(u8),
}

/// Longest run of white space that is held back to see whether the line ends, in octets.
const LONGEST_SPACE: usize = 1024;

impl QuotedPrintable {
    fn push_all(&mut self, mut body: &[u8], out: &mut Vec<u8>) {
        while let Some((&octet, behind)) = body.split_first() {
            let plain = self.plain_start(body);
            if plain.is_empty() {
                self.push(octet, out);
                body = behind;
            } else {
                out.extend_from_slice(plain);
                body = body.get(plain.len()..).unwrap_or_default();
            }
        }
    }

    /// The octets at the start that stand for themselves: up to the white space before an escape or a line end.
    fn plain_start<'b>(&self, body: &'b [u8]) -> &'b [u8] {
        if self.escape != Escape::None || !self.space.is_empty() {
            return &[];
        }
        // Of a run of white space that never ends, not all is looked at again and again.
        let body = body.get(..4 * LONGEST_SPACE).unwrap_or(body);
        let end = memchr2(b'=', b'\n', body).unwrap_or(body.len());
        let run = body.get(..end).unwrap_or_default();
        let last = run.iter().rposition(|octet| !matches!(octet, b' ' | b'\t' | b'\r'));
        run.get(..last.map_or(0, |last| last + 1)).unwrap_or_default()
    }

    fn push(&mut self, octet: u8, out: &mut Vec<u8>) {
        match std::mem::take(&mut self.escape) {
            Escape::None => self.plain(octet, out),
            Escape::Begun => match octet {
                b'\n' => {}
                b'\r' | b' ' | b'\t' => self.escape = Escape::LineEnd,
                _ if octet.is_ascii_hexdigit() => self.escape = Escape::Half(octet),
                _ => {
                    out.push(b'=');
                    self.plain(octet, out);
                }
            },
            Escape::LineEnd => match octet {
                b'\n' => {}
                b'\r' | b' ' | b'\t' => self.escape = Escape::LineEnd,
                _ => self.plain(octet, out),
            },
            Escape::Half(high) if octet.is_ascii_hexdigit() => out.push(hex(high) << 4 | hex(octet)),
            Escape::Half(high) => {
                out.extend_from_slice(&[b'=', high]);
                self.plain(octet, out);
            }
        }
    }

    fn plain(&mut self, octet: u8, out: &mut Vec<u8>) {
        match octet {
            b' ' | b'\t' if self.space.len() < LONGEST_SPACE => self.space.push(octet),
            b'\r' => self.space.push(octet),
            b'\n' => {
                let ends_with_cr = self.space.ends_with(b"\r");
                self.space.clear();
                out.extend_from_slice(if ends_with_cr { b"\r\n" } else { b"\n" });
            }
            b'=' => {
                self.flush(out);
                self.escape = Escape::Begun;
            }
            _ => {
                self.flush(out);
                out.push(octet);
            }
        }
        if self.space.len() > LONGEST_SPACE {
            self.flush(out);
        }
    }

    fn flush(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.space);
    }

    fn finish(mut self, out: &mut Vec<u8>) {
        match self.escape {
            Escape::Half(high) => out.extend_from_slice(&[b'=', high]),
            Escape::Begun => out.push(b'='),
            Escape::None | Escape::LineEnd => {}
        }
        self.space.clear();
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(encoding: TransferEncoding, body: &[u8], size: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut decoder = TransferDecoder::new(encoding);
        body.chunks(size).for_each(|piece| decoder.push(piece, &mut out));
        decoder.finish(&mut out);
        out
    }

    #[track_caller]
    fn check(encoding: TransferEncoding, table: &[(&[u8], &[u8])]) {
        for (body, expected) in table {
            for size in [1, 2, 3, 1000] {
                assert_eq!(
                    decoded(encoding, body, size),
                    *expected,
                    "{:?}",
                    String::from_utf8_lossy(body)
                );
            }
        }
    }

    #[test]
    fn base64_ignores_what_is_not_of_its_alphabet() {
        check(
            TransferEncoding::Base64,
            &[
                (b"SGVsbG8=", b"Hello"),
                (b"SGVs\r\nbG8=\r\n", b"Hello"),
                (b"SGVsbG8", b"Hello"),
                (b"S-G*V sbG8=!", b"Hello"),
                (b"SGk=SGk=", b"HiHi"),
                (b"A", b""),
                (b"====", b""),
                (b"", b""),
            ],
        );
    }

    #[test]
    fn quoted_printable_survives_bad_escapes() {
        check(
            TransferEncoding::QuotedPrintable,
            &[
                (b"a=3Db=c3=A9", b"a=b\xc3\xa9"),
                (b"soft=\r\nline=\nend= \t\r\n!", b"softlineend!"),
                (b"trailing \t\r\nspace \n", b"trailing\r\nspace\n"),
                (b"in  side", b"in  side"),
                (b"bad=G1 =1G ==41 =", b"bad=G1 =1G =A ="),
                (b"=4", b"=4"),
                (b"cr\rin", b"cr\rin"),
            ],
        );
    }

    #[test]
    fn white_space_is_held_back_within_bounds() {
        let body = [&b" ".repeat(5000)[..], b"x"].concat();
        check(TransferEncoding::QuotedPrintable, &[(&body, &body)]);
    }

    #[test]
    fn other_encodings_are_handed_through() {
        check(TransferEncoding::Identity, &[(b"a=3D\0\xff\r\n", b"a=3D\0\xff\r\n")]);
        check(TransferEncoding::Unknown, &[(b"a=3D", b"a=3D")]);
    }

    proptest! {
        #[test]
        fn octets_that_are_taken_together_decode_as_one_by_one(body in "[=4Gax \t\r\n]{0,60}", spaces in 0..3_000_usize) {
            let body = [body.as_bytes(), &b" ".repeat(spaces), body.as_bytes()].concat();
            let (mut one_by_one, mut expected) = (QuotedPrintable::default(), Vec::new());
            body.iter().for_each(|octet| one_by_one.push(*octet, &mut expected));
            one_by_one.finish(&mut expected);
            prop_assert_eq!(decoded(TransferEncoding::QuotedPrintable, &body, usize::MAX), expected);
        }
    }
}
