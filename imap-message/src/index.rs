//! The finished index: its serialised form, and what can be read from it without the message.

use std::fmt;
use std::ops::Range;

use crate::date::SentDate;
use crate::envelope::EMPTY;
use crate::field::split_field;
use crate::listed::{ListedSet, Listing, entries};
use crate::part::{Part, RECORD, write_record};
use crate::structure::{Form, envelope_of, write_structure};
use crate::tree::Tree;

/// The version of the serialised form. An index of another version is refused, so that it is built again.
pub const VERSION: u8 = 2;

/// Everything IMAP asks about one message, except the octets of its text.
///
/// The serialised form ([`as_bytes`](Index::as_bytes)) is what a backend stores; [`parse`](Index::parse) looks into it
/// without copying. `B` is what holds the octets: `Vec<u8>`, `&[u8]`, `Bytes`.
#[derive(Debug, Clone)]
pub struct Index<B = Vec<u8>> {
    octets: B,
    layout: Layout,
}

/// Why octets are no index. In either case the index is to be built again from the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexError {
    /// Another version of this crate wrote it.
    Version,
    /// It is no index, or it is damaged.
    Corrupt,
}

impl fmt::Display for IndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "the index was written in another version of its format",
            Self::Corrupt => "the index is damaged",
        })
    }
}

impl std::error::Error for IndexError {}

/// Where what stands. The octets begin with: magic, version, CRC-32 of all behind it, size, sent date, omitted names, and the lengths
/// of the sections, which follow in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    /// Where each section ends, which is where the next one begins. The first begins behind the head.
    ends: [u32; SECTIONS],
}

const MAGIC: &[u8; 3] = b"IMX";
const CHECKSUM: Range<usize> = 4..8;
const CHECKED: usize = 8;
const SIZE: usize = 8;
const UNIX: usize = 16;
const OFFSET_MINUTES: usize = 24;
const YEAR: usize = 26;
/// The month, and behind it the day.
const MONTH: usize = 28;
const OMITTED: usize = 32;
const LENGTHS: usize = 36;
const SECTIONS: usize = 8;
const HEAD: usize = LENGTHS + 4 * SECTIONS;

const ENVELOPE: usize = 0;
const BODY: usize = 1;
const BODY_STRUCTURE: usize = 2;
/// The structures for IMAP4rev2, where they are not the same.
const BODY_REV2: usize = 3;
const BODY_STRUCTURE_REV2: usize = 4;
const HEADER_LINES: usize = 5;
const PARTS: usize = 6;
const LABELS: usize = 7;

impl Index {
    pub(crate) fn build(tree: &Tree, listing: &Listing, sent: Option<SentDate>, size: u64) -> Self {
        let envelope = tree
            .parts
            .first()
            .map(|message| envelope_of(tree, message))
            .filter(|text| !text.is_empty());
        let structure = |extension, rev2| {
            let mut out = Vec::new();
            write_structure(&mut out, tree, Form { extension, rev2 });
            out
        };
        let global = tree.parts.iter().any(|part| part.global);
        let rev2 = |extension| if global { structure(extension, true) } else { Vec::new() };
        let mut parts = Vec::with_capacity(tree.parts.len() * RECORD);
        let mut labels = Vec::new();
        for part in &tree.parts {
            write_record(&mut parts, &mut labels, part, &tree.text);
        }
        let (body, body_structure) = (structure(false, false), structure(true, false));
        let (body_rev2, body_structure_rev2) = (rev2(false), rev2(true));
        let sections: [&[u8]; SECTIONS] = [
            envelope.unwrap_or(EMPTY),
            &body,
            &body_structure,
            &body_rev2,
            &body_structure_rev2,
            &listing.entries,
            &parts,
            &labels,
        ];
        let octets = serialise(&sections, listing.omitted, sent, size);
        // The layout of what was just written is what a parse would find.
        let layout = Layout::of(&octets).unwrap_or(Layout { ends: [0; SECTIONS] });
        Self { octets, layout }
    }

    /// The index of a message that is in memory as a whole.
    pub fn of(message: &[u8]) -> Self {
        let mut indexer = crate::Indexer::new();
        indexer.push(message);
        indexer.finish()
    }

    /// The serialised form.
    pub fn into_bytes(self) -> Vec<u8> {
        self.octets
    }
}

impl<B: AsRef<[u8]>> Index<B> {
    /// Looks into a serialised index. Costs one pass for the checksum and copies nothing.
    ///
    /// # Errors
    /// The octets are an index of another version, or none, or damaged: build it again from the message.
    pub fn parse(octets: B) -> Result<Self, IndexError> {
        let bytes = octets.as_ref();
        if bytes.get(..3) != Some(MAGIC) {
            return Err(IndexError::Corrupt);
        }
        if bytes.get(3) != Some(&VERSION) {
            return Err(IndexError::Version);
        }
        let stated = bytes.get(CHECKSUM).ok_or(IndexError::Corrupt)?;
        if stated != crc32fast::hash(bytes.get(CHECKED..).unwrap_or_default()).to_le_bytes() {
            return Err(IndexError::Corrupt);
        }
        let layout = Layout::of(bytes).ok_or(IndexError::Corrupt)?;
        Ok(Self { octets, layout })
    }

    /// The serialised form, to be stored.
    pub fn as_bytes(&self) -> &[u8] {
        self.octets.as_ref()
    }

    /// RFC822.SIZE: the size of the message in octets.
    pub fn size(&self) -> u64 {
        self.head(SIZE).map_or(0, u64::from_le_bytes)
    }

    /// ENVELOPE, as finished wire octets (RFC 3501 7.4.2).
    pub fn envelope(&self) -> &[u8] {
        self.section(ENVELOPE)
    }

    /// BODY, the structure without extension data, as finished wire octets.
    pub fn body(&self) -> &[u8] {
        self.section(BODY)
    }

    /// BODYSTRUCTURE, as finished wire octets.
    pub fn body_structure(&self) -> &[u8] {
        self.section(BODY_STRUCTURE)
    }

    /// BODY for a client that has enabled IMAP4rev2: message/global is opened there (RFC 9051 9, `media-message`).
    pub fn body_rev2(&self) -> &[u8] {
        self.either(BODY_REV2, BODY)
    }

    /// BODYSTRUCTURE for a client that has enabled IMAP4rev2.
    pub fn body_structure_rev2(&self) -> &[u8] {
        self.either(BODY_STRUCTURE_REV2, BODY_STRUCTURE)
    }

    /// The date of the Date field, if it has one.
    pub fn sent(&self) -> Option<SentDate> {
        let [month, day] = self.head(MONTH)?;
        let year = self.head(YEAR).map(u16::from_le_bytes)?;
        let sent = SentDate {
            unix: self.head(UNIX).map(i64::from_le_bytes)?,
            offset_minutes: self.head(OFFSET_MINUTES).map(i16::from_le_bytes)?,
            year,
            month,
            day,
        };
        (year != 0).then_some(sent)
    }

    /// The raw values of the message's own header fields of this name, in the order of the message: what stands behind
    /// the colon, folding and white space included, without the last line end; [`unfold`](crate::unfold) makes text of
    /// one. `None` if lines of this name are not stored and the header must be read.
    pub fn header(&self, name: &str) -> Option<impl Iterator<Item = &[u8]>> {
        if !self.stores(name) {
            return None;
        }
        let name = name.as_bytes().to_vec();
        let values = self.header_lines().filter_map(move |(_, line)| {
            let (found, value) = split_field(line)?;
            found.eq_ignore_ascii_case(&name).then(|| without_line_end(value))
        });
        Some(values)
    }

    /// The stored lines of the message's own header, each field with its folding and last line end, in the order of the
    /// message, and where each begins in the message.
    pub fn header_lines(&self) -> impl Iterator<Item = (u64, &[u8])> {
        entries(self.section(HEADER_LINES))
    }

    /// Whether all lines of this name are stored.
    pub(crate) fn stores(&self, name: &str) -> bool {
        ListedSet::of(name.as_bytes()).is_some_and(|listed| !self.omitted().meets(listed))
    }

    /// All parts, in the order in which their headers stand in the message; the first is the message itself, and a
    /// message inside a message part follows that part.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        (0..self.section(PARTS).len() / RECORD).map_while(|place| self.part_at(place))
    }

    /// The parts that carry something: all that are neither multipart nor message.
    pub fn leaves(&self) -> impl Iterator<Item = Part<'_>> {
        self.parts().filter(Part::is_leaf)
    }

    pub(crate) fn part_at(&self, place: usize) -> Option<Part<'_>> {
        Part::read(self.section(PARTS), self.section(LABELS), place)
    }

    fn omitted(&self) -> ListedSet {
        ListedSet(self.head(OMITTED).map_or(u32::MAX, u32::from_le_bytes))
    }

    fn section(&self, which: usize) -> &[u8] {
        let range = self.layout.range(which).unwrap_or_default();
        self.octets.as_ref().get(range).unwrap_or_default()
    }

    fn either(&self, first: usize, second: usize) -> &[u8] {
        match self.section(first) {
            b"" => self.section(second),
            found => found,
        }
    }

    fn head<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.octets.as_ref().get(at..)?.first_chunk().copied()
    }
}

impl Layout {
    /// The sections, if they fill the octets exactly.
    fn of(octets: &[u8]) -> Option<Self> {
        let mut layout = Self { ends: [0; SECTIONS] };
        let mut at = u32::try_from(HEAD).ok()?;
        for (place, end) in layout.ends.iter_mut().enumerate() {
            let length = octets.get(LENGTHS + 4 * place..)?.first_chunk().copied();
            at = at.checked_add(length.map(u32::from_le_bytes)?)?;
            *end = at;
        }
        let whole = at as usize == octets.len();
        let records = layout.range(PARTS)?.len();
        (whole && records >= RECORD && records.is_multiple_of(RECORD)).then_some(layout)
    }

    fn range(&self, section: usize) -> Option<Range<usize>> {
        let start = match section.checked_sub(1) {
            None => HEAD,
            Some(before) => *self.ends.get(before)? as usize,
        };
        Some(start..*self.ends.get(section)? as usize)
    }
}

fn serialise(sections: &[&[u8]; SECTIONS], omitted: ListedSet, sent: Option<SentDate>, size: u64) -> Vec<u8> {
    let length: usize = sections.iter().map(|section| section.len()).sum();
    let mut checked = Vec::with_capacity(HEAD + length);
    checked.extend_from_slice(&size.to_le_bytes());
    let none = SentDate {
        unix: 0,
        offset_minutes: 0,
        year: 0,
        month: 0,
        day: 0,
    };
    let sent = sent.unwrap_or(none);
    checked.extend_from_slice(&sent.unix.to_le_bytes());
    checked.extend_from_slice(&sent.offset_minutes.to_le_bytes());
    checked.extend_from_slice(&sent.year.to_le_bytes());
    checked.extend_from_slice(&[sent.month, sent.day, 0, 0]);
    checked.extend_from_slice(&omitted.0.to_le_bytes());
    for section in sections {
        checked.extend_from_slice(&u32::try_from(section.len()).unwrap_or(u32::MAX).to_le_bytes());
    }
    for section in sections {
        checked.extend_from_slice(section);
    }
    let mut octets = Vec::with_capacity(checked.len() + CHECKED);
    octets.extend_from_slice(MAGIC);
    octets.push(VERSION);
    octets.extend_from_slice(&crc32fast::hash(&checked).to_le_bytes());
    octets.extend_from_slice(&checked);
    octets
}

fn without_line_end(value: &[u8]) -> &[u8] {
    let value = value.strip_suffix(b"\n").unwrap_or(value);
    value.strip_suffix(b"\r").unwrap_or(value)
}
