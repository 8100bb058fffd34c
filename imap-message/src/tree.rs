//! The tree of parts while a message is being read: which parts are open, which boundaries end them, and what is known
//! of each (RFC 2046 5.1).

use crate::envelope::write_envelope;
use crate::field::Fields;
use crate::limits::{MAX_DEPTH, MAX_DESCRIPTIONS, MAX_PARTS};
use crate::mime::{
    DefaultType, Media, TransferEncoding, encoding_name, write_basic, write_extension, write_media,
    write_multipart_extension,
};
use crate::wire;

/// What a part consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartKind {
    /// Neither of the others: its body is what it carries.
    Leaf,
    /// A multipart: its children are its parts.
    Multipart,
    /// A message/rfc822 or message/global: its one child is the message, whose header begins where this body begins.
    Message,
}

/// A point of the message, as the end of a body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    pub(crate) offset: u64,
    /// How many LFs stand before it.
    pub(crate) newlines: u64,
    pub(crate) after_newline: bool,
}

/// Where the pieces of a part's description stand in [`Tree::text`], one behind the other.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Description {
    pub(crate) start: u32,
    /// Type, subtype and character set in lower case, for whoever reads the text.
    pub(crate) kind: u8,
    pub(crate) subtype: u8,
    pub(crate) charset: u8,
    /// The wire octets that open the structure; none for the default of text.
    pub(crate) basic: u32,
    /// The wire octets of the extension data; none if all of it is NIL.
    pub(crate) extension: u32,
    /// The wire octets of the envelope, if the part is a message.
    pub(crate) envelope: u32,
}

/// One part, in the order in which their headers stand in the message.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) header_start: u64,
    pub(crate) body_start: u64,
    pub(crate) body_end: u64,
    /// While the part is open: the LFs before its body.
    pub(crate) lines: u64,
    /// The next part of the same multipart; 0 if there is none.
    pub(crate) next: u32,
    last_child: Option<u32>,
    pub(crate) kind: PartKind,
    pub(crate) encoding: TransferEncoding,
    /// A message/global, which IMAP4rev1 does not open (RFC 3501 9, `media-message`).
    pub(crate) global: bool,
    pub(crate) text: bool,
    digest: bool,
    pub(crate) description: Description,
}

impl Part {
    /// Ends the body. The message that a message part carries does not reach beyond that part (`carrier`), even if the
    /// line end in front of the boundary line is the empty line behind its header.
    fn close(&mut self, carrier: Option<u64>, end: End) {
        if let Some(carrier) = carrier {
            self.header_start = self.header_start.min(carrier);
            self.body_start = self.body_start.min(carrier);
        }
        let empty = end.offset <= self.body_start;
        self.body_end = end.offset.max(self.body_start);
        let ended = end.newlines.saturating_sub(self.lines);
        self.lines = if empty {
            0
        } else {
            ended + u64::from(!end.after_newline)
        };
    }
}

struct Boundary {
    /// How many open parts there are up to and with its multipart.
    level: usize,
    text: Vec<u8>,
}

/// A boundary line that was recognised.
#[derive(Clone, Copy)]
pub(crate) struct Delimiter {
    boundary: usize,
    pub(crate) close: bool,
}

#[derive(Default)]
pub(crate) struct Tree {
    pub(crate) parts: Vec<Part>,
    /// The parts from the message itself to the one that is being read.
    open: Vec<usize>,
    boundaries: Vec<Boundary>,
    /// The lengths of the open boundaries, modulo 64, as bits: most lines are refused by a look at it.
    lengths: u64,
    pub(crate) text: Vec<u8>,
}

impl Tree {
    /// Whether a boundary line would mean anything.
    pub(crate) fn watches(&self) -> bool {
        !self.boundaries.is_empty() && self.parts.len() < MAX_PARTS
    }

    /// The innermost open boundary that this line is, its line end and white space behind it left aside.
    pub(crate) fn delimiter(&self, line: &[u8]) -> Option<Delimiter> {
        let text = line.strip_prefix(b"--")?.trim_ascii_end();
        let bare = text.strip_suffix(b"--");
        let lengths = length_bit(text.len()) | bare.map_or(0, |bare| length_bit(bare.len()));
        if !self.watches() || self.lengths & lengths == 0 {
            return None;
        }
        for (boundary, open) in self.boundaries.iter().enumerate().rev() {
            if open.text == text {
                return Some(Delimiter { boundary, close: false });
            }
            if Some(open.text.as_slice()) == bare {
                return Some(Delimiter { boundary, close: true });
            }
        }
        None
    }

    /// Whether the part that is being read is the message inside a message part.
    fn in_nested_message(&self) -> bool {
        let parent = self.open.len().checked_sub(2).and_then(|place| self.open.get(place));
        parent
            .and_then(|&place| self.parts.get(place))
            .is_some_and(|part| part.kind == PartKind::Message)
    }

    /// Begins a part whose header stands here.
    pub(crate) fn begin(&mut self, header_start: u64) {
        let place = self.parts.len();
        let parent = self.open.last().copied();
        self.link(parent, place);
        self.open.push(place);
        self.parts.push(Part {
            header_start,
            body_start: header_start,
            body_end: header_start,
            lines: 0,
            next: 0,
            last_child: None,
            kind: PartKind::Leaf,
            encoding: TransferEncoding::Identity,
            global: false,
            text: true,
            digest: false,
            description: Description::default(),
        });
    }

    fn link(&mut self, parent: Option<usize>, place: usize) {
        let Ok(place) = u32::try_from(place) else { return };
        let Some(parent) = parent.and_then(|parent| self.parts.get_mut(parent)) else {
            return;
        };
        let before = parent.last_child.replace(place);
        if let Some(before) = before.and_then(|before| self.parts.get_mut(before as usize)) {
            before.next = place;
        }
    }

    /// Ends the header of the innermost part. If that is a message part, the header of its message begins, which the
    /// answer says.
    pub(crate) fn end_header(&mut self, fields: &Fields, end: End) -> bool {
        let Some(&place) = self.open.last() else { return false };
        let is_message = place == 0 || self.in_nested_message();
        let (kind, media) = self.classify(fields);
        let encoding = encoding_name(fields);
        let description = self.describe(kind, &media, &encoding, fields, is_message);
        if kind == PartKind::Multipart
            && let Some(boundary) = media.boundary()
        {
            self.boundaries.push(Boundary {
                level: self.open.len(),
                text: boundary.to_vec(),
            });
            self.lengths |= length_bit(boundary.len());
        }
        let Some(part) = self.parts.get_mut(place) else {
            return false;
        };
        part.body_start = end.offset;
        part.body_end = end.offset;
        part.lines = end.newlines;
        part.kind = kind;
        part.encoding = TransferEncoding::named(&encoding);
        part.global = kind == PartKind::Message && media.is("message", "global");
        part.text = media.is_kind("text");
        part.digest = media.is("multipart", "digest");
        part.description = description;
        if kind == PartKind::Message {
            self.begin(end.offset);
        }
        kind == PartKind::Message
    }

    fn classify(&self, fields: &Fields) -> (PartKind, Media) {
        let media = Media::of(fields, self.default_type());
        let multipart = media.is_kind("multipart");
        if !multipart && !media.is("message", "rfc822") && !media.is("message", "global") {
            return (PartKind::Leaf, media);
        }
        if self.open.len() >= MAX_DEPTH || self.parts.len() >= MAX_PARTS {
            return (PartKind::Leaf, Media::opaque());
        }
        (
            if multipart {
                PartKind::Multipart
            } else {
                PartKind::Message
            },
            media,
        )
    }

    fn default_type(&self) -> DefaultType {
        let parent = self.open.len().checked_sub(2).and_then(|place| self.open.get(place));
        match parent.and_then(|&place| self.parts.get(place)) {
            Some(parent) if parent.digest => DefaultType::Message,
            _ => DefaultType::TextPlain,
        }
    }

    fn describe(
        &mut self,
        kind: PartKind,
        media: &Media,
        encoding: &[u8],
        fields: &Fields,
        is_message: bool,
    ) -> Description {
        let mut envelope = Vec::new();
        if is_message {
            write_envelope(&mut envelope, fields);
        }
        let mut basic = Vec::new();
        let mut extension = Vec::new();
        if kind == PartKind::Multipart {
            wire::string(&mut basic, &media.subtype);
            write_multipart_extension(&mut extension, media, fields);
        } else {
            write_basic(&mut basic, media, fields, encoding);
            write_extension(&mut extension, fields);
        }
        if extension == NO_EXTENSION {
            extension.clear();
        }
        if self.text.len() + basic.len() + extension.len() + envelope.len() > MAX_DESCRIPTIONS {
            extension.clear();
            envelope.clear();
            basic = short_description(kind, media, encoding);
        }
        self.keep(media, &basic, &extension, &envelope)
    }

    fn keep(&mut self, media: &Media, basic: &[u8], extension: &[u8], envelope: &[u8]) -> Description {
        let start = length(&self.text);
        let longest = if self.text.len() < MAX_DESCRIPTIONS {
            LONGEST_LABEL
        } else {
            LONGEST_SHORT_NAME
        };
        let mut label = |text: &[u8]| {
            let text = text.get(..text.len().min(longest)).unwrap_or_default();
            self.text.extend(text.iter().map(u8::to_ascii_lowercase));
            u8::try_from(text.len()).unwrap_or(0)
        };
        let kind = label(&media.kind);
        let subtype = label(&media.subtype);
        let charset = label(media.charset().unwrap_or_default());
        for piece in [basic, extension, envelope] {
            self.text.extend_from_slice(piece);
        }
        let (basic, extension, envelope) = (length(basic), length(extension), length(envelope));
        Description {
            start,
            kind,
            subtype,
            charset,
            basic,
            extension,
            envelope,
        }
    }

    /// Ends what a boundary line ends. The line stands at `end`, or the line end before it does.
    pub(crate) fn apply(&mut self, delimiter: Delimiter, end: End) {
        let Some(level) = self.boundaries.get(delimiter.boundary).map(|boundary| boundary.level) else {
            return;
        };
        self.close_to(level, end);
        self.boundaries
            .truncate(delimiter.boundary + usize::from(!delimiter.close));
        self.lengths = self
            .boundaries
            .iter()
            .fold(0, |bits, boundary| bits | length_bit(boundary.text.len()));
    }

    /// Ends the open parts beyond the first `level` ones.
    pub(crate) fn close_to(&mut self, level: usize, end: End) {
        let innermost = self.open.last().copied();
        let mut carrier = None;
        for &place in self.open.get(level..).unwrap_or_default() {
            let Some(part) = self.parts.get_mut(place) else {
                continue;
            };
            part.close(carrier, end);
            carrier = (part.kind == PartKind::Message).then_some(part.body_end);
        }
        self.open.truncate(level);
        if let Some(place) = innermost {
            self.fill(place);
        }
    }

    /// A multipart has one part at least (RFC 3501 9, `body-type-mpart`): one that has none gets an empty text part at
    /// its end.
    fn fill(&mut self, place: usize) {
        let Some(part) = self.parts.get(place) else { return };
        if part.kind != PartKind::Multipart || part.last_child.is_some() || self.open.contains(&place) {
            return;
        }
        let at = part.body_end;
        let media = Media::of(&Fields::default(), DefaultType::TextPlain);
        let description = self.keep(&media, b"", b"", b"");
        self.open.push(place);
        self.begin(at);
        self.open.truncate(self.open.len().saturating_sub(2));
        if let Some(part) = self.parts.last_mut() {
            part.description = description;
        }
    }
}

/// The structure of a part without a header: `type subtype params id description encoding`.
pub(crate) const DEFAULT_BASIC: &[u8] = br#""TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT""#;

/// Extension data of a part that has none, of either sort.
pub(crate) const NO_EXTENSION: &[u8] = b" NIL NIL NIL NIL";

/// Longest name of a type, subtype (RFC 6838 4.2) or character set that is kept for readers of the text.
const LONGEST_LABEL: usize = 127;

/// Most octets of a type, subtype or encoding name in a description beyond the bounds.
const LONGEST_SHORT_NAME: usize = 32;

fn short_description(kind: PartKind, media: &Media, encoding: &[u8]) -> Vec<u8> {
    let short = |name: &[u8]| name.len() <= LONGEST_SHORT_NAME;
    let mut basic = Vec::new();
    let named = short(&media.kind) && short(&media.subtype);
    if kind == PartKind::Multipart {
        wire::string(&mut basic, if named { &media.subtype } else { b"MIXED" });
        return basic;
    }
    if named || kind == PartKind::Message {
        write_media(&mut basic, media);
    } else {
        write_media(&mut basic, &Media::opaque());
    }
    basic.extend_from_slice(b" NIL NIL NIL ");
    wire::string(&mut basic, if short(encoding) { encoding } else { b"7BIT" });
    basic
}

fn length_bit(length: usize) -> u64 {
    1 << (length % 64)
}

fn length(text: &[u8]) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}
