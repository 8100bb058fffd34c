//! Encoded words of RFC 2047, for whoever looks into the text of a header.

use std::borrow::Cow;

use memchr::{memchr, memmem};

use crate::field::unfold;
use crate::mime::TransferEncoding;
use crate::text::CharsetDecoder;
use crate::transfer::TransferDecoder;

/// The text of a raw header value: unfolded, encoded words decoded, the white space between two of them removed. Raw
/// UTF-8 is kept, other raw octets are read as ISO 8859-1. What is no encoded word, or is in a character set or an
/// encoding that nobody knows, stays as it is.
///
/// Encoded words are decoded inside quoted strings and comments too, where RFC 2047 5 forbids them but senders put them.
pub fn decode_header(raw: &[u8]) -> String {
    let value = unfold(raw);
    let mut out = String::with_capacity(value.len());
    let mut words = Words {
        out: &mut out,
        open: None,
    };
    let mut rest: &[u8] = &value;
    while let Some(at) = memmem::find(rest, b"=?") {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        match EncodedWord::parse(from) {
            Some((word, behind)) => {
                words.between(before);
                words.word(&word);
                rest = behind;
            }
            None => {
                let (text, behind) = rest.split_at_checked(at + 2).unwrap_or((rest, &[]));
                words.text(text);
                rest = behind;
            }
        }
    }
    words.text(rest);
    words.end_word();
    out
}

struct EncodedWord<'a> {
    charset: &'a [u8],
    octets: Vec<u8>,
}

/// Longest name of a character set, in octets, language included.
const LONGEST_CHARSET: usize = 80;

impl<'a> EncodedWord<'a> {
    /// The encoded word at the start of this text, and what follows it.
    fn parse(text: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let text = text.strip_prefix(b"=?")?;
        let window = text.get(..text.len().min(LONGEST_CHARSET))?;
        let (charset, text) = split_at_mark(text, memchr(b'?', window)?)?;
        let (encoding, text) = split_at_mark(text, 1).filter(|(encoding, _)| encoding.len() == 1)?;
        let end = text.iter().position(|&octet| matches!(octet, b'?' | b' ' | b'\t'))?;
        let (encoded, text) = split_at_mark(text, end)?;
        let behind = text.strip_prefix(b"=")?;
        // RFC 2231 5: a language may follow.
        let charset = charset.split(|&octet| octet == b'*').next()?;
        if charset.is_empty() || !charset.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let octets = decode(encoding, encoded)?;
        is_known(charset).then_some((Self { charset, octets }, behind))
    }
}

fn is_known(charset: &[u8]) -> bool {
    encoding_rs::Encoding::for_label_no_replacement(charset).is_some()
}

/// What stands before and behind the `?` at this place.
fn split_at_mark(text: &[u8], at: usize) -> Option<(&[u8], &[u8])> {
    let (before, from) = text.split_at_checked(at)?;
    Some((before, from.strip_prefix(b"?")?))
}

fn decode(encoding: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let (encoding, text) = match encoding {
        b"b" | b"B" => (TransferEncoding::Base64, Cow::Borrowed(text)),
        b"q" | b"Q" => {
            let spaced = text
                .iter()
                .map(|&octet| if octet == b'_' { b' ' } else { octet })
                .collect();
            (TransferEncoding::QuotedPrintable, Cow::Owned(spaced))
        }
        _ => return None,
    };
    let mut octets = Vec::with_capacity(text.len());
    let mut decoder = TransferDecoder::new(encoding);
    decoder.push(&text, &mut octets);
    decoder.finish(&mut octets);
    if encoding == TransferEncoding::QuotedPrintable {
        // The space at the end of a word counts; at the end of a line it would not.
        let trailing = text.len() - text.trim_ascii_end().len();
        octets.extend(std::iter::repeat_n(b' ', trailing));
    }
    Some(octets)
}

/// Puts words and text together. A character may begin in one encoded word and end in the next of the same set.
struct Words<'o, 'a> {
    out: &'o mut String,
    open: Option<(&'a [u8], CharsetDecoder)>,
}

impl<'a> Words<'_, 'a> {
    /// Text in front of an encoded word: nothing if it is white space behind another one (RFC 2047 6.2).
    fn between(&mut self, text: &[u8]) {
        if self.open.is_none() || !text.trim_ascii().is_empty() {
            self.text(text);
        }
    }

    fn text(&mut self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        self.end_word();
        let mut plain = CharsetDecoder::new(b"");
        plain.push(text, self.out);
        plain.finish(self.out);
    }

    fn word(&mut self, word: &EncodedWord<'a>) {
        match &mut self.open {
            Some((charset, decoder)) if charset.eq_ignore_ascii_case(word.charset) => {
                decoder.push(&word.octets, self.out);
            }
            _ => {
                self.end_word();
                let mut decoder = CharsetDecoder::new(word.charset);
                decoder.push(&word.octets, self.out);
                self.open = Some((word.charset, decoder));
            }
        }
    }

    fn end_word(&mut self) {
        if let Some((_, mut decoder)) = self.open.take() {
            decoder.finish(self.out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2047 8 is the source of the rows with `(a b)` and their like.
    #[test]
    fn encoded_words_are_decoded_and_joined() {
        let table: [(&[u8], &str); 22] = [
            (b"=?ISO-8859-1?Q?a?=", "a"),
            (b"(=?ISO-8859-1?Q?a?= b)", "(a b)"),
            (b"(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"),
            (b"(=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=)", "(ab)"),
            (b"(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
            (b"(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"),
            (
                b"=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>",
                "Keith Moore <moore@cs.utk.edu>",
            ),
            (b"=?utf-8?B?w7w=?= =?utf-8?q?=C3=BC?=", "üü"),
            (b"=?utf-8?B?4oI=?= =?utf-8?B?rA==?=", "€"),
            (b"=?utf-8*de?q?gr=C3=BCn?=", "grün"),
            (b"=?utf-8?q?a_?=b", "a b"),
            ("roh: grün".as_bytes(), "roh: grün"),
            (b"raw: gr\xfcn", "raw: grün"),
            (b"=?x-none?q?a?= b", "=?x-none?q?a?= b"),
            (b"=?utf-8?x?a?= b", "=?utf-8?x?a?= b"),
            (b"=?utf-8?q?a b?=", "=?utf-8?q?a b?="),
            (b"=?utf-8?q?open", "=?utf-8?q?open"),
            (b"=?=?utf-8?q?a?=", "=?a"),
            (b"=?utf-8?q??=", ""),
            (b"=?utf-8?q?a=4?= =?utf-8?q?b=?=", "a=4b="),
            (b"=?iso-2022-kr?q?a?=", "=?iso-2022-kr?q?a?="),
            (b"", ""),
        ];
        for (raw, expected) in table {
            assert_eq!(decode_header(raw), expected, "{}", String::from_utf8_lossy(raw));
        }
    }
}
