//! Which octets a section names (RFC 3501 6.4.5).

use std::num::NonZeroU32;
use std::ops::Range;

use backend_api::{Section, SectionText};

use crate::field::split_field;
use crate::filter::HeaderFilter;
use crate::index::Index;
use crate::part::Part;
use crate::tree::PartKind;

/// Octets that fields asked for usually have together.
const USUAL: usize = 384;

/// How a section is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resolved {
    /// These octets of the message, as they are.
    Range {
        /// First octet, from 0.
        start: u64,
        /// How many octets.
        len: u64,
    },
    /// The header in these octets of the message, through the filter.
    HeaderFilter {
        /// First octet of the header, from 0.
        start: u64,
        /// How many octets.
        len: u64,
        /// What makes the answer of them.
        filter: HeaderFilter,
    },
    /// This, without a look at the message.
    Ready(Vec<u8>),
    /// NIL: the message has no such part, or the part has no such text.
    Missing,
}

impl From<Range<u64>> for Resolved {
    fn from(range: Range<u64>) -> Self {
        Self::Range {
            start: range.start,
            len: range.end.saturating_sub(range.start),
        }
    }
}

impl<B: AsRef<[u8]>> Index<B> {
    /// Which octets answer `BODY[section]`, before `<partial>` is applied.
    ///
    /// A message that is no multipart has the one part 1, its body; HEADER, TEXT and their like below the message itself
    /// exist for message/rfc822 and message/global parts only. The header of a message is all up to and with the empty
    /// line, or up to the end of the message if there is none. HEADER.FIELDS always ends with an empty line.
    pub fn resolve(&self, section: &Section) -> Resolved {
        self.try_resolve(section).unwrap_or(Resolved::Missing)
    }

    /// Whether [`resolve`](Self::resolve) answers this section from what is stored here, without the message's octets.
    pub fn answers(&self, section: &Section) -> bool {
        match &section.text {
            SectionText::HeaderFields(names) => section.path.is_empty() && names.iter().all(|name| self.stores(name)),
            _ => false,
        }
    }

    /// The part that these part numbers name: what `BODY[path]` is the body of. The message itself for no numbers.
    pub fn part(&self, path: &[NonZeroU32]) -> Option<Part<'_>> {
        let message = self.part_at(0)?;
        let Some((&first, path)) = path.split_first() else {
            return Some(message);
        };
        let mut part = self.part_of_message(message, first)?;
        for &number in path {
            part = match part.kind() {
                PartKind::Leaf => return None,
                PartKind::Multipart => self.child(&part, number)?,
                PartKind::Message => self.part_of_message(self.carried(&part)?, number)?,
            };
        }
        Some(part)
    }

    fn try_resolve(&self, section: &Section) -> Option<Resolved> {
        let part = self.part(&section.path)?;
        let own = section.path.is_empty();
        match &section.text {
            SectionText::All if own => Some((0..self.size()).into()),
            SectionText::All => Some(part.body().into()),
            SectionText::Mime if own => None,
            SectionText::Mime => Some(part.header().into()),
            SectionText::Header => Some(self.message_at(&part, own)?.header().into()),
            SectionText::Text => Some(self.message_at(&part, own)?.body().into()),
            SectionText::HeaderFields(names) => {
                if self.answers(section) {
                    return Some(Resolved::Ready(self.stored_fields(names)));
                }
                Some(filtered(&self.message_at(&part, own)?, HeaderFilter::fields(names)))
            }
            SectionText::HeaderFieldsNot(names) => {
                Some(filtered(&self.message_at(&part, own)?, HeaderFilter::fields_not(names)))
            }
        }
    }

    /// The message whose header and text a section names.
    fn message_at<'i>(&'i self, part: &Part<'i>, own: bool) -> Option<Part<'i>> {
        match part.kind() {
            _ if own => Some(*part),
            PartKind::Message => self.carried(part),
            PartKind::Leaf | PartKind::Multipart => None,
        }
    }

    /// The message that a message part carries.
    fn carried(&self, part: &Part<'_>) -> Option<Part<'_>> {
        self.part_at(part.place + 1)
    }

    fn part_of_message<'i>(&'i self, message: Part<'i>, number: NonZeroU32) -> Option<Part<'i>> {
        match message.kind() {
            PartKind::Multipart => self.child(&message, number),
            PartKind::Leaf | PartKind::Message => (number == NonZeroU32::MIN).then_some(message),
        }
    }

    /// The nth part of a multipart.
    fn child(&self, multipart: &Part<'_>, number: NonZeroU32) -> Option<Part<'_>> {
        let mut child = self.part_at(multipart.place + 1)?;
        for _ in 1..number.get() {
            if child.next <= child.place {
                return None;
            }
            child = self.part_at(child.next)?;
        }
        Some(child)
    }

    /// What [`HeaderFilter::fields`] makes of the whole header, of the fields that are stored.
    fn stored_fields<N: AsRef<[u8]>>(&self, names: &[N]) -> Vec<u8> {
        let asked = |name: &[u8]| names.iter().any(|asked| asked.as_ref().eq_ignore_ascii_case(name));
        let kept = |field: &&[u8]| split_field(field).is_some_and(|(name, _)| asked(name));
        let mut out = Vec::with_capacity(USUAL);
        for field in self.header_lines().map(|(_, field)| field).filter(kept) {
            out.extend_from_slice(field);
        }
        if out.last().is_some_and(|last| *last != b'\n') {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        out
    }
}

fn filtered(message: &Part<'_>, filter: HeaderFilter) -> Resolved {
    let header = message.header();
    Resolved::HeaderFilter {
        start: header.start,
        len: header.end.saturating_sub(header.start),
        filter,
    }
}
