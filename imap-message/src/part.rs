//! One part as the index records it.

use std::ops::Range;

use crate::mime::TransferEncoding;
use crate::tree::{self, PartKind};

/// Length of a record, in octets.
pub(crate) const RECORD: usize = 48;

/// One part of a message, or the message itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'i> {
    pub(crate) place: usize,
    pub(crate) next: usize,
    header_start: u64,
    body_start: u64,
    body_end: u64,
    lines: u64,
    kind: PartKind,
    encoding: TransferEncoding,
    media: (&'i str, &'i str),
    charset: &'i [u8],
}

impl<'i> Part<'i> {
    /// What the part consists of.
    pub fn kind(&self) -> PartKind {
        self.kind
    }

    /// Whether it is neither multipart nor message.
    pub fn is_leaf(&self) -> bool {
        self.kind == PartKind::Leaf
    }

    /// Type and subtype in lower case, defaults applied: `("text", "plain")`.
    pub fn media_type(&self) -> (&'i str, &'i str) {
        self.media
    }

    /// The character set in lower case as the header names it; empty if it names none.
    pub fn charset(&self) -> &'i [u8] {
        self.charset
    }

    /// How the body is encoded.
    pub fn encoding(&self) -> TransferEncoding {
        self.encoding
    }

    /// Where its header stands in the message, the empty line included. The header of a message that a message part
    /// carries is the header of the part that follows.
    pub fn header(&self) -> Range<u64> {
        self.header_start..self.body_start
    }

    /// Where its body stands in the message, without the line end in front of a boundary line.
    pub fn body(&self) -> Range<u64> {
        self.body_start..self.body_end
    }

    /// How many lines the body has; a last line without a line end counts, if it is not empty.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    pub(crate) fn read(records: &'i [u8], labels: &'i [u8], place: usize) -> Option<Self> {
        let start = place.checked_mul(RECORD)?;
        let mut rest = Reader(records.get(start..start.checked_add(RECORD)?)?);
        let header_start = rest.u64()?;
        let body_start = rest.u64()?.max(header_start);
        let body_end = rest.u64()?.max(body_start);
        let lines = rest.u64()?;
        let next = rest.u32()? as usize;
        let label = rest.u32()? as usize;
        let [kind, encoding, of_kind, of_subtype, of_charset, ..] = rest.array::<8>()?;
        let mut labels = Reader(labels.get(label..)?);
        let media = (text(labels.take(of_kind)?), text(labels.take(of_subtype)?));
        let charset = labels.take(of_charset)?;
        let kind = match kind {
            1 => PartKind::Multipart,
            2 => PartKind::Message,
            _ => PartKind::Leaf,
        };
        let encoding = match encoding {
            0 => TransferEncoding::Identity,
            1 => TransferEncoding::Base64,
            2 => TransferEncoding::QuotedPrintable,
            _ => TransferEncoding::Unknown,
        };
        Some(Self {
            place,
            next,
            header_start,
            body_start,
            body_end,
            lines,
            kind,
            encoding,
            media,
            charset,
        })
    }
}

/// Appends the record of a part, and its labels behind those of others.
pub(crate) fn write_record(records: &mut Vec<u8>, labels: &mut Vec<u8>, part: &tree::Part, text: &[u8]) {
    let description = &part.description;
    for number in [part.header_start, part.body_start, part.body_end, part.lines] {
        records.extend_from_slice(&number.to_le_bytes());
    }
    records.extend_from_slice(&part.next.to_le_bytes());
    records.extend_from_slice(&u32::try_from(labels.len()).unwrap_or(u32::MAX).to_le_bytes());
    let kind = match part.kind {
        PartKind::Leaf => 0,
        PartKind::Multipart => 1,
        PartKind::Message => 2,
    };
    let encoding = match part.encoding {
        TransferEncoding::Identity => 0,
        TransferEncoding::Base64 => 1,
        TransferEncoding::QuotedPrintable => 2,
        TransferEncoding::Unknown => 3,
    };
    let lengths = [description.kind, description.subtype, description.charset];
    records.extend_from_slice(&[kind, encoding, lengths[0], lengths[1], lengths[2], 0, 0, 0]);
    let start = description.start as usize;
    let length: usize = lengths.iter().map(|&length| usize::from(length)).sum();
    labels.extend_from_slice(text.get(start..start + length).unwrap_or_default());
}

fn text(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).unwrap_or_default()
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (found, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*found)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn take(&mut self, length: u8) -> Option<&'a [u8]> {
        let (found, rest) = self.0.split_at_checked(usize::from(length))?;
        self.0 = rest;
        Some(found)
    }
}
