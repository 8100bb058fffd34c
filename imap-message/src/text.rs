//! Text of a part: transfer encoding and character set removed, from pieces of any size.

use encoding_rs::{DecoderResult, Encoding};

use crate::mime::TransferEncoding;
use crate::part::Part;
use crate::transfer::TransferDecoder;

/// Decodes the body of a part to text. Memory does not depend on the size of the body.
///
/// A missing or unknown character set, and US-ASCII, are read as UTF-8, where an octet that is none is read as
/// ISO 8859-1. What a known character set can not decode becomes U+FFFD.
pub struct TextDecoder {
    transfer: TransferDecoder,
    charset: CharsetDecoder,
    octets: Vec<u8>,
}

impl TextDecoder {
    /// A decoder at the first octet of a body.
    pub fn new(encoding: TransferEncoding, charset: &[u8]) -> Self {
        Self {
            transfer: TransferDecoder::new(encoding),
            charset: CharsetDecoder::new(charset),
            octets: Vec::new(),
        }
    }

    /// A decoder for the body of this part.
    pub fn of(part: &Part<'_>) -> Self {
        Self::new(part.encoding(), part.charset())
    }

    /// Takes the next octets of the body and appends their text.
    pub fn push(&mut self, body: &[u8], out: &mut String) {
        if self.transfer.is_identity() {
            return self.charset.push(body, out);
        }
        self.octets.clear();
        self.transfer.push(body, &mut self.octets);
        self.charset.push(&self.octets, out);
    }

    /// Ends the body and appends the text of what was held back.
    pub fn finish(mut self, out: &mut String) {
        self.octets.clear();
        self.transfer.finish(&mut self.octets);
        self.charset.push(&self.octets, out);
        self.charset.finish(out);
    }
}

/// Decodes one character set to text, from pieces of any size.
pub(crate) enum CharsetDecoder {
    /// UTF-8 with ISO 8859-1 for what is none; the octets are the start of a character that is not whole yet.
    Lenient(Vec<u8>),
    Known(Box<encoding_rs::Decoder>),
}

impl CharsetDecoder {
    pub(crate) fn new(charset: &[u8]) -> Self {
        let ascii: [&[u8]; 4] = [b"", b"us-ascii", b"ascii", b"utf-8"];
        if ascii.iter().any(|name| name.eq_ignore_ascii_case(charset.trim_ascii())) {
            return Self::Lenient(Vec::new());
        }
        match Encoding::for_label_no_replacement(charset) {
            Some(encoding) => Self::Known(Box::new(encoding.new_decoder_with_bom_removal())),
            None => Self::Lenient(Vec::new()),
        }
    }

    pub(crate) fn push(&mut self, octets: &[u8], out: &mut String) {
        match self {
            Self::Known(decoder) => decode(decoder, octets, false, out),
            Self::Lenient(held) if held.is_empty() => *held = lenient(octets, out),
            Self::Lenient(held) => {
                // Only the first octets can belong to the character that is held.
                let (first, rest) = octets.split_at_checked(LONGEST_CHAR).unwrap_or((octets, &[]));
                let mut start = std::mem::take(held);
                start.extend_from_slice(first);
                *held = lenient(&start, out);
                if !rest.is_empty() {
                    let mut start = std::mem::take(held);
                    if start.is_empty() {
                        *held = lenient(rest, out);
                    } else {
                        start.extend_from_slice(rest);
                        *held = lenient(&start, out);
                    }
                }
            }
        }
    }

    pub(crate) fn finish(&mut self, out: &mut String) {
        match self {
            Self::Known(decoder) => decode(decoder, b"", true, out),
            Self::Lenient(held) => out.extend(std::mem::take(held).into_iter().map(char::from)),
        }
    }
}

/// Most octets of a character in UTF-8.
const LONGEST_CHAR: usize = 4;

fn decode(decoder: &mut encoding_rs::Decoder, mut octets: &[u8], last: bool, out: &mut String) {
    loop {
        // Room for at least one character each time, so that every turn makes progress.
        out.reserve(octets.len().clamp(64, 64 * 1024));
        let (result, read) = decoder.decode_to_string_without_replacement(octets, out, last);
        octets = octets.get(read..).unwrap_or_default();
        match result {
            DecoderResult::InputEmpty => return,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => out.push(char::REPLACEMENT_CHARACTER),
        }
    }
}

/// Appends what is UTF-8 as it is and other octets as ISO 8859-1. Gives back the start of a character at the end.
fn lenient(octets: &[u8], out: &mut String) -> Vec<u8> {
    if let Ok(text) = std::str::from_utf8(octets) {
        out.push_str(text);
        return Vec::new();
    }
    let mut chunks = octets.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        out.push_str(chunk.valid());
        if chunks.peek().is_none() && is_start_of_char(chunk.invalid()) {
            return chunk.invalid().to_vec();
        }
        out.extend(chunk.invalid().iter().copied().map(char::from));
    }
    Vec::new()
}

/// Whether more octets could make a character of these.
fn is_start_of_char(octets: &[u8]) -> bool {
    !octets.is_empty() && std::str::from_utf8(octets).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(encoding: TransferEncoding, charset: &str, body: &[u8], size: usize) -> String {
        let mut out = String::new();
        let mut decoder = TextDecoder::new(encoding, charset.as_bytes());
        body.chunks(size).for_each(|piece| decoder.push(piece, &mut out));
        decoder.finish(&mut out);
        out
    }

    #[test]
    fn text_is_decoded_whatever_the_pieces() {
        use TransferEncoding::{Base64, Identity, QuotedPrintable};
        let table: [(TransferEncoding, &str, &[u8], &str); 11] = [
            (Identity, "utf-8", "grün €𝄞".as_bytes(), "grün €𝄞"),
            (Identity, "", b"gr\xfcn", "grün"),
            (Identity, "us-ascii", "grün".as_bytes(), "grün"),
            (Identity, "x-nobody-knows", b"a\xe2\x82", "a\u{e2}\u{82}"),
            (Identity, "utf-8", b"\xe2\x82x\xf0\x9f", "\u{e2}\u{82}x\u{f0}\u{9f}"),
            (Identity, "iso-8859-15", b"\xa4", "€"),
            (QuotedPrintable, "ISO-8859-1", b"gr=FCn", "grün"),
            (Base64, "utf-8", b"Z3LDvG4=", "grün"),
            (Identity, "iso-2022-jp", b"\x1b$B%F%9%H\x1b(B", "テスト"),
            (Identity, "utf-16le", b"a\0\xfc\0", "aü"),
            (Identity, "gb2312", b"\xd6\xd0\xff", "中\u{fffd}"),
        ];
        for (encoding, charset, body, expected) in table {
            for size in [1, 2, 3, 5, 1000] {
                assert_eq!(
                    decoded(encoding, charset, body, size),
                    expected,
                    "{charset} in pieces of {size}"
                );
            }
        }
    }

    #[test]
    fn a_large_piece_is_decoded_whole() {
        let body = b"\xfcx".repeat(200_000);
        assert_eq!(
            decoded(TransferEncoding::Identity, "iso-8859-1", &body, 300_000),
            "üx".repeat(200_000)
        );
    }
}
