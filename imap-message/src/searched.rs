//! Which texts of a message SEARCH looks through (RFC 3501 6.4.4), and how each is decoded: one answer for who scans a
//! message and for who keeps an index of many.

use std::borrow::Cow;
use std::ops::Range;

use crate::encoded_word::decode_header;
use crate::field_reader::{FieldPiece, FieldReader};
use crate::index::Index;
use crate::part::Part;

/// The version of what is searched and how it is decoded. Who keeps an index of these texts makes it again when this, or
/// [`VERSION`](crate::VERSION), is another.
pub const SEARCHED_VERSION: u8 = 1;

/// A stretch of a message that is searched.
#[derive(Debug, Clone, Copy)]
pub enum Searched<'i> {
    /// A header: [`HeaderReader`] makes text of it.
    Header(HeaderRole),
    /// The body of a part: [`TextDecoder::of`](crate::TextDecoder::of) makes text of it.
    Text(Part<'i>),
}

/// What a header is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderRole {
    /// The message's own: for HEADER and TEXT.
    Own,
    /// That of a part, or of a message within the message: for TEXT. BODY matches no header field (RFC 9051 6.4.4, which
    /// makes the words of RFC 3501 plain).
    Within,
}

/// The stretches of a message that are searched, in their order, and where each stands. Nothing is found across two.
///
/// `message/*` that is a leaf carries no message: delivery reports and their like, which are text.
pub fn searched<B: AsRef<[u8]>>(index: &Index<B>) -> impl Iterator<Item = (Range<u64>, Searched<'_>)> {
    let mut role = HeaderRole::Own;
    index.parts().flat_map(move |part| {
        let header = (part.header(), Searched::Header(role));
        let is_text = part.is_leaf() && matches!(part.media_type().0, "text" | "message");
        let text = is_text.then(|| (part.body(), Searched::Text(part)));
        role = HeaderRole::Within;
        [Some(header), text].into_iter().flatten()
    })
}

/// Makes text of a header that arrives in pieces of any size, in bounded memory however long its fields are.
#[derive(Debug, Default)]
pub struct HeaderReader(FieldReader);

/// The text of one field, or of a piece of a very long one.
#[derive(Debug)]
pub struct FieldText<'a> {
    name: Option<&'a [u8]>,
    octets: &'a [u8],
    value: &'a [u8],
    starts: bool,
    ends: bool,
}

impl HeaderReader {
    /// A reader at the start of a header.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next octets of the header.
    pub fn push(&mut self, octets: &[u8], sink: &mut impl FnMut(&FieldText<'_>)) {
        self.0.push(octets, &mut |piece| sink(&FieldText::of(piece)));
    }

    /// The header is over.
    pub fn finish(self, sink: &mut impl FnMut(&FieldText<'_>)) {
        self.0.finish(&mut |piece| sink(&FieldText::of(piece)));
    }
}

impl<'a> FieldText<'a> {
    fn of(piece: FieldPiece<'a>) -> Self {
        let (name, value) = piece.split();
        Self {
            name,
            octets: piece.octets,
            value,
            starts: piece.starts,
            ends: piece.ends,
        }
    }

    /// The field's name, where it begins here and has one.
    pub fn name(&self) -> Option<&'a [u8]> {
        self.name
    }

    /// The field begins here; if not, this continues what was handed on before.
    pub fn starts(&self) -> bool {
        self.starts
    }

    /// The field ends here. Where a longer one is cut depends on the pieces in which the header arrived.
    pub fn ends(&self) -> bool {
        self.ends
    }

    /// What HEADER searches: unfolded, encoded words decoded.
    pub fn value(&self) -> String {
        let mut decoded = decode_header(self.value);
        if !self.starts && self.value.first().is_some_and(u8::is_ascii_whitespace) {
            // Decoding takes away the white space around a value; here it is in the middle of one.
            decoded.insert(0, ' ');
        }
        decoded
    }

    /// What TEXT searches, as it stands in the message. The raw texts of all fields of a header are one text.
    pub fn raw(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.octets)
    }

    /// What TEXT searches besides: name and value decoded, in pieces. They, too, are one text over all fields.
    pub fn decoded(&self, sink: &mut impl FnMut(&str)) {
        if let Some(name) = self.name {
            sink(&String::from_utf8_lossy(name));
            sink(": ");
        }
        sink(&self.value());
        if self.ends {
            sink("\r\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TextDecoder;

    const NESTED: &[u8] = b"Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n\
        --b\r\nContent-Type: message/rfc822\r\n\r\nSubject: =?utf-8?q?inn=C3=A9r?=\r\n\r\nwithin\r\n\
        --b\r\nContent-Type: image/png\r\n\r\nxx\r\n--b--\r\n";

    fn texts(message: &[u8], size: usize) -> Vec<String> {
        let index = Index::of(message);
        let mut all = Vec::new();
        for (range, what) in searched(&index) {
            let octets = &message[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()];
            let mut text = String::new();
            match what {
                Searched::Header(role) => {
                    let mut reader = HeaderReader::new();
                    let mut sink = |field: &FieldText<'_>| field.decoded(&mut |piece| text += piece);
                    octets.chunks(size).for_each(|piece| reader.push(piece, &mut sink));
                    reader.finish(&mut sink);
                    all.push(format!("{role:?} {text}"));
                }
                Searched::Text(part) => {
                    let mut decoder = TextDecoder::of(&part);
                    octets.chunks(size).for_each(|piece| decoder.push(piece, &mut text));
                    decoder.finish(&mut text);
                    all.push(text);
                }
            }
        }
        all
    }

    /// R3501-222, R9051-164
    #[test]
    fn headers_and_texts_come_in_their_order_and_nothing_else_does() {
        let expected = [
            "Own Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n",
            "Within Content-Type: message/rfc822\r\n\r\n",
            "Within Subject: innér\r\n\r\n",
            "within",
            "Within Content-Type: image/png\r\n\r\n",
        ];
        for size in [1, 7, 1_000] {
            assert_eq!(texts(NESTED, size), expected, "pieces of {size}");
        }
    }
}
