//! Header lines: how a field is told from its neighbours, which fields are read, and how a value is unfolded
//! (RFC 5322 2.2).

use std::borrow::Cow;

use memchr::memchr;

use crate::limits::{MAX_FIELD, MAX_HEADER_TEXT};

/// A field that ENVELOPE or BODYSTRUCTURE is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Date,
    Subject,
    From,
    Sender,
    ReplyTo,
    To,
    Cc,
    Bcc,
    InReplyTo,
    MessageId,
    ContentType,
    ContentTransferEncoding,
    ContentId,
    ContentDescription,
    ContentDisposition,
    ContentMd5,
    ContentLanguage,
    ContentLocation,
}

const FIELDS: [(&[u8], Field); 18] = [
    (b"Date", Field::Date),
    (b"Subject", Field::Subject),
    (b"From", Field::From),
    (b"Sender", Field::Sender),
    (b"Reply-To", Field::ReplyTo),
    (b"To", Field::To),
    (b"Cc", Field::Cc),
    (b"Bcc", Field::Bcc),
    (b"In-Reply-To", Field::InReplyTo),
    (b"Message-ID", Field::MessageId),
    (b"Content-Type", Field::ContentType),
    (b"Content-Transfer-Encoding", Field::ContentTransferEncoding),
    (b"Content-ID", Field::ContentId),
    (b"Content-Description", Field::ContentDescription),
    (b"Content-Disposition", Field::ContentDisposition),
    (b"Content-MD5", Field::ContentMd5),
    (b"Content-Language", Field::ContentLanguage),
    (b"Content-Location", Field::ContentLocation),
];

impl Field {
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        FIELDS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|&(_, field)| field)
    }

    /// RFC 5322 4.5.3: several destination fields of one name are one list.
    fn is_joined(self) -> bool {
        matches!(self, Self::To | Self::Cc | Self::Bcc)
    }
}

/// The raw values of one header's fields, cut to the bounds.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    values: [Option<Vec<u8>>; FIELDS.len()],
    kept: usize,
}

impl Fields {
    /// Takes the raw value of a field. Of fields that occur more than once the first counts, destinations are joined.
    pub(crate) fn put(&mut self, field: Field, raw: &[u8]) {
        let room = MAX_HEADER_TEXT.saturating_sub(self.kept);
        let raw = raw.get(..raw.len().min(room)).unwrap_or_default();
        let Some(slot) = self.values.get_mut(field as usize) else {
            return;
        };
        match slot {
            None => *slot = Some(raw.to_vec()),
            Some(value) if field.is_joined() && value.len() + raw.len() < MAX_FIELD => {
                value.push(b',');
                value.extend_from_slice(raw);
            }
            Some(_) => return,
        }
        self.kept += raw.len() + 1;
    }

    /// The unfolded value of a field, if the header has the field.
    pub(crate) fn value(&self, field: Field) -> Option<Cow<'_, [u8]>> {
        self.values.get(field as usize)?.as_deref().map(unfold)
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// A header value without the line ends of its folding and without white space around it; the white space inside is
/// kept as it is (RFC 5322 2.2.3). A CR that ends no line becomes a space.
pub fn unfold(raw: &[u8]) -> Cow<'_, [u8]> {
    if !raw.iter().any(|&octet| octet == b'\r' || octet == b'\n') {
        return Cow::Borrowed(raw.trim_ascii());
    }
    let mut value = Vec::with_capacity(raw.len());
    let mut octets = raw.iter().copied().peekable();
    while let Some(octet) = octets.next() {
        match octet {
            b'\n' => {}
            b'\r' if octets.peek() == Some(&b'\n') => {}
            b'\r' => value.push(b' '),
            _ => value.push(octet),
        }
    }
    Cow::Owned(value.trim_ascii().to_vec())
}

/// The name and the raw value of a header line or field: what stands before and behind the first colon. A line without
/// a colon has no name. White space between name and colon is obsolete but legal (RFC 5322 4.5).
pub(crate) fn split_field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr(b':', line)?;
    let name = line.get(..colon)?.trim_ascii_end();
    let value = line.get(colon + 1..)?;
    (!name.is_empty()).then_some((name, value))
}

/// Whether this line continues the field before it.
pub(crate) fn is_continuation(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

/// Whether this line, its line end included, is the empty line behind a header.
pub(crate) fn is_blank(line: &[u8]) -> bool {
    line == b"\n" || line == b"\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfolding_removes_line_ends_and_nothing_else() {
        let table: [(&[u8], &[u8]); 6] = [
            (b" plain \r\n", b"plain"),
            (b" one\r\n two\r\n", b"one two"),
            (b" one\n\ttwo\n", b"one\ttwo"),
            (b" one \r\n  two", b"one   two"),
            (b" a\rb\r\n", b"a b"),
            (b"\r\n", b""),
        ];
        for (raw, expected) in table {
            assert_eq!(unfold(raw).as_ref(), expected, "{raw:?}");
        }
    }

    #[test]
    fn a_field_name_ends_at_the_colon() {
        assert_eq!(split_field(b"Subject : x"), Some((&b"Subject"[..], &b" x"[..])));
        assert_eq!(split_field(b"no colon"), None);
        assert_eq!(split_field(b": no name"), None);
    }

    #[test]
    fn the_table_of_fields_is_in_the_order_of_the_enum() {
        for (place, (name, field)) in FIELDS.iter().enumerate() {
            assert_eq!(*field as usize, place);
            assert_eq!(Field::named(&name.to_ascii_uppercase()), Some(*field));
        }
    }

    #[test]
    fn destinations_are_joined_and_of_others_the_first_counts() {
        let mut fields = Fields::default();
        for (field, raw) in [
            (Field::To, b" a@x"),
            (Field::To, b" b@x"),
            (Field::From, b" c@x"),
            (Field::From, b" d@x"),
        ] {
            fields.put(field, raw);
        }
        assert_eq!(fields.value(Field::To).as_deref(), Some(&b"a@x, b@x"[..]));
        assert_eq!(fields.value(Field::From).as_deref(), Some(&b"c@x"[..]));
        assert_eq!(fields.value(Field::Cc), None);
    }
}
