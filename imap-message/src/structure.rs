//! BODY and BODYSTRUCTURE out of the finished tree of parts (RFC 3501 7.4.2 and 9).

use crate::envelope::EMPTY;
use crate::tree::{DEFAULT_BASIC, NO_EXTENSION, Part, PartKind, Tree};
use crate::wire;

/// Which structure is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    /// BODYSTRUCTURE, not BODY.
    pub(crate) extension: bool,
    /// message/global has envelope, structure and lines as message/rfc822 has (RFC 9051 9, `media-message`).
    pub(crate) rev2: bool,
}

/// Writes the structure of the whole message.
pub(crate) fn write_structure(out: &mut Vec<u8>, tree: &Tree, form: Form) {
    Writer { tree, form }.part(out, 0);
}

struct Writer<'t> {
    tree: &'t Tree,
    form: Form,
}

impl Writer<'_> {
    /// One part with all below it; as deep as the tree, whose depth is bounded.
    fn part(&self, out: &mut Vec<u8>, place: usize) {
        let Some(part) = self.tree.parts.get(place) else { return };
        out.push(b'(');
        match part.kind {
            PartKind::Multipart => self.multipart(out, place, part),
            PartKind::Message if self.form.rev2 || !part.global => self.message(out, place, part),
            _ => self.leaf(out, part),
        }
        if self.form.extension {
            out.extend_from_slice(self.extension(part));
        }
        out.push(b')');
    }

    fn multipart(&self, out: &mut Vec<u8>, place: usize, part: &Part) {
        let mut child = place + 1;
        while let Some(found) = self.tree.parts.get(child) {
            self.part(out, child);
            if found.next as usize <= child {
                break;
            }
            child = found.next as usize;
        }
        out.push(b' ');
        out.extend_from_slice(self.basic(part));
    }

    fn message(&self, out: &mut Vec<u8>, place: usize, part: &Part) {
        self.basic_and_size(out, part);
        out.push(b' ');
        match self.tree.parts.get(place + 1).map(|message| self.envelope(message)) {
            None | Some(b"") => out.extend_from_slice(EMPTY),
            Some(envelope) => out.extend_from_slice(envelope),
        }
        out.push(b' ');
        self.part(out, place + 1);
        out.push(b' ');
        wire::number(out, part.lines);
    }

    fn leaf(&self, out: &mut Vec<u8>, part: &Part) {
        self.basic_and_size(out, part);
        if part.text {
            out.push(b' ');
            wire::number(out, part.lines);
        }
    }

    fn basic_and_size(&self, out: &mut Vec<u8>, part: &Part) {
        out.extend_from_slice(self.basic(part));
        out.push(b' ');
        wire::number(out, part.body_end - part.body_start);
    }

    fn basic(&self, part: &Part) -> &[u8] {
        let description = &part.description;
        match self.piece(labels_end(part), description.basic) {
            b"" => DEFAULT_BASIC,
            basic => basic,
        }
    }

    fn extension(&self, part: &Part) -> &[u8] {
        let description = &part.description;
        match self.piece(labels_end(part) + description.basic as usize, description.extension) {
            b"" => NO_EXTENSION,
            extension => extension,
        }
    }

    fn envelope(&self, part: &Part) -> &[u8] {
        envelope_of(self.tree, part)
    }

    fn piece(&self, start: usize, length: u32) -> &[u8] {
        self.tree.text.get(start..start + length as usize).unwrap_or_default()
    }
}

/// The envelope of a part that is a message; empty if it has none within the bounds.
pub(crate) fn envelope_of<'t>(tree: &'t Tree, part: &Part) -> &'t [u8] {
    let description = &part.description;
    let start = labels_end(part) + description.basic as usize + description.extension as usize;
    tree.text
        .get(start..start + description.envelope as usize)
        .unwrap_or_default()
}

fn labels_end(part: &Part) -> usize {
    let description = &part.description;
    description.start as usize
        + usize::from(description.kind)
        + usize::from(description.subtype)
        + usize::from(description.charset)
}
