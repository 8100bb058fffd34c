//! The charsets in which a SEARCH may be written: US-ASCII, UTF-8 and every label that `encoding_rs` knows.

use encoding_rs::{Encoding, REPLACEMENT, UTF_8};

/// The charset of one SEARCH.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Charset {
    UsAscii,
    Known(&'static Encoding),
}

impl Charset {
    /// The charset of this name in any case; `None` is answered `NO [BADCHARSET]` (R3501-204 to R3501-206).
    pub(crate) fn named(label: &[u8]) -> Option<Self> {
        if label.eq_ignore_ascii_case(b"US-ASCII") || label.eq_ignore_ascii_case(b"ASCII") {
            return Some(Self::UsAscii);
        }
        // The replacement encoding turns any text into one U+FFFD: it stands for charsets that must not be decoded.
        let encoding = Encoding::for_label(label)?;
        (encoding != REPLACEMENT).then_some(Self::Known(encoding))
    }

    /// The text as UTF-8, or `None` where the octets are none in this charset. Without a CHARSET, UTF-8 is taken too:
    /// many clients send it without saying so.
    pub(crate) fn decode(self, octets: &[u8]) -> Option<String> {
        let encoding = match self {
            Self::UsAscii => UTF_8,
            Self::Known(encoding) => encoding,
        };
        let text = encoding.decode_without_bom_handling_and_without_replacement(octets)?;
        Some(text.into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_decoded_by_its_charset() {
        let table: [(&str, &[u8], Option<&str>); 8] = [
            ("us-ascii", b"abc", Some("abc")),
            ("utf-8", "é".as_bytes(), Some("é")),
            ("UTF-8", b"\xff", None),
            ("iso-8859-1", b"\xe9", Some("é")),
            ("ISO-8859-15", b"\xa4", Some("€")),
            ("koi8-r", b"\xd4", Some("т")),
            ("shift_jis", b"\x93\xfa", Some("日")),
            ("iso-2022-jp", b"\x1b$BF|\x1b(B", Some("日")),
        ];
        for (label, octets, text) in table {
            let charset = Charset::named(label.as_bytes()).unwrap();
            assert_eq!(charset.decode(octets).as_deref(), text, "{label}");
        }
    }

    #[test]
    fn an_unknown_charset_is_none() {
        for label in ["X-UNKNOWN", "", "hz-gb-2312", "utf-7"] {
            assert_eq!(Charset::named(label.as_bytes()), None, "{label}");
        }
    }
}
