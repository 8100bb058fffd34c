//! The push parser: finds headers, bodies and boundary lines in a message that arrives in pieces of any size.

use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter};

use crate::date::SentDate;
use crate::field::{Field, Fields, is_blank, is_continuation};
use crate::index::Index;
use crate::limits::{MAX_DELIMITER_LINE, MAX_FIELD};
use crate::listed::{Listing, OpenField};
use crate::tree::{Delimiter, End, Tree};

/// Reads a message once, in pieces, and gives its [`Index`].
///
/// The pieces may be cut anywhere: the index does not depend on it. Memory does not depend on the size of the message;
/// what a message full of headers and parts may cost is bounded by the constants of [`limits`](crate::limits).
///
/// A line ends at LF, with or without a CR before it. A CR alone ends no line.
///
/// ```
/// use imap_message::Indexer;
///
/// let mut indexer = Indexer::new();
/// indexer.push(b"Subject: Lunch\r\n\r");
/// indexer.push(b"\nAt noon?\r\n");
/// let index = indexer.finish();
/// assert_eq!(index.size(), 28);
/// assert_eq!(index.envelope(), br#"(NIL "Lunch" NIL NIL NIL NIL NIL NIL NIL NIL)"#);
/// assert_eq!(index.body(), br#"("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 10 1)"#);
/// ```
pub struct Indexer {
    scan: Scan,
    here: Mark,
    /// Where the current line began; kept while lines are looked at.
    line_start: Mark,
    /// The current line as far as it has arrived, cut at the bound.
    line: Vec<u8>,
    line_length: u64,
    field: OpenField,
    in_field: bool,
    fields: Fields,
    listing: Listing,
    sent: Option<SentDate>,
    tree: Tree,
    line_with_dashes: Finder<'static>,
}

/// What the next octet is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scan {
    Header,
    /// A line of a body that may yet be a boundary line.
    LineStart,
    /// A line of a body that is none.
    Text,
}

/// How far the message has been read.
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    offset: u64,
    newlines: u64,
    /// The last four octets, the newest lowest.
    history: u32,
}

impl Mark {
    fn advance(&mut self, octets: &[u8]) {
        self.offset += octets.len() as u64;
        self.newlines += memchr_iter(b'\n', octets).count() as u64;
        let last = octets.get(octets.len().saturating_sub(4)..).unwrap_or_default();
        self.history = last
            .iter()
            .fold(self.history, |history, &octet| history << 8 | u32::from(octet));
    }

    fn end(self) -> End {
        let [.., last] = self.history.to_be_bytes();
        End {
            offset: self.offset,
            newlines: self.newlines,
            after_newline: last == b'\n',
        }
    }

    /// The point before the line end that stands here: that line end belongs to the boundary (RFC 2046 5.1.1).
    fn before_line_end(self) -> End {
        let [_, third, second, last] = self.history.to_be_bytes();
        if last != b'\n' {
            return self.end();
        }
        let (octets, before) = if second == b'\r' { (2, third) } else { (1, second) };
        End {
            offset: self.offset.saturating_sub(octets),
            newlines: self.newlines.saturating_sub(1),
            after_newline: before == b'\n',
        }
    }
}

impl Default for Indexer {
    fn default() -> Self {
        Self::new()
    }
}

impl Indexer {
    /// An indexer at the first octet of a message.
    pub fn new() -> Self {
        let mut tree = Tree::default();
        tree.begin(0);
        Self {
            scan: Scan::Header,
            here: Mark::default(),
            line_start: Mark::default(),
            line: Vec::new(),
            line_length: 0,
            field: OpenField::default(),
            in_field: false,
            fields: Fields::default(),
            listing: Listing::default(),
            sent: None,
            tree,
            line_with_dashes: Finder::new(b"\n--"),
        }
    }

    /// Takes the next octets of the message.
    pub fn push(&mut self, octets: &[u8]) {
        let mut rest = octets;
        while !rest.is_empty() {
            let used = match self.scan {
                Scan::Header => self.header(rest),
                Scan::LineStart if self.tree.watches() => self.line_of_body(rest),
                Scan::Text if self.tree.watches() => self.text(rest),
                Scan::LineStart | Scan::Text => self.unwatched(rest),
            };
            rest = rest.get(used..).unwrap_or_default();
        }
    }

    /// Ends the message.
    pub fn finish(mut self) -> Index {
        if self.scan == Scan::Header && self.line_length > 0 {
            self.take_line(Self::header_line);
        }
        if self.scan == Scan::LineStart && !self.line.is_empty() {
            self.take_line(Self::body_line);
        }
        self.end_headers(self.here.end());
        self.tree.close_to(0, self.here.end());
        Index::build(&self.tree, &self.listing, self.sent, self.here.offset)
    }

    /// Takes octets of a header up to a line end. Answers how many it took.
    fn header(&mut self, octets: &[u8]) -> usize {
        let used = memchr(b'\n', octets).map_or(octets.len(), |at| at + 1);
        let piece = octets.get(..used).unwrap_or_default();
        let room = MAX_FIELD.saturating_sub(self.line.len());
        let kept = piece.get(..piece.len().min(room)).unwrap_or_default();
        self.here.advance(piece);
        self.line_length += piece.len() as u64;
        let whole = piece.ends_with(b"\n");
        if whole && self.line.is_empty() {
            self.header_line(kept);
            self.begin_line();
            return used;
        }
        self.line.extend_from_slice(kept);
        if whole {
            self.take_line(Self::header_line);
        }
        used
    }

    /// Looks at one line of a header, of which `line` are the first octets.
    fn header_line(&mut self, line: &[u8]) {
        let whole = self.line_length <= MAX_DELIMITER_LINE as u64;
        if is_blank(line) {
            self.end_field();
            self.end_header(self.here.end());
        } else if let Some(delimiter) = self.tree.delimiter(line).filter(|_| whole) {
            // A header without an empty line. What it has belongs to it, up to the boundary line.
            self.end_headers(self.line_start.end());
            self.boundary_line(delimiter);
        } else if self.in_field && is_continuation(line) {
            self.field.append(line, self.line_length);
        } else {
            self.end_field();
            self.in_field = true;
            let list = self.tree.parts.len() == 1;
            self.field.begin(line, self.line_start.offset, self.line_length, list);
        }
    }

    fn end_field(&mut self) {
        self.field
            .end(&mut self.listing, |field, value| self.fields.put(field, value));
        self.in_field = false;
    }

    /// Ends the innermost header. The header of a message inside it follows, or a body.
    fn end_header(&mut self, end: End) {
        if self.tree.parts.len() == 1 {
            self.sent = self.fields.value(Field::Date).and_then(|value| SentDate::parse(&value));
        }
        let nested = self.tree.end_header(&self.fields, end);
        self.fields.clear();
        if !nested {
            self.scan = Scan::LineStart;
        }
    }

    /// Ends the header that is being read, if any, and the empty ones that would follow it.
    fn end_headers(&mut self, end: End) {
        if self.scan != Scan::Header {
            return;
        }
        self.end_field();
        while self.scan == Scan::Header {
            self.end_header(end);
        }
    }

    /// Takes octets of a line that may be a boundary line. Answers how many it took.
    fn line_of_body(&mut self, octets: &[u8]) -> usize {
        if self.line.is_empty() && octets.first() != Some(&b'-') {
            self.scan = Scan::Text;
            return 0;
        }
        let room = (MAX_DELIMITER_LINE + 1).saturating_sub(self.line.len());
        let window = octets.get(..octets.len().min(room)).unwrap_or_default();
        let used = memchr(b'\n', window).map_or(window.len(), |at| at + 1);
        let piece = octets.get(..used).unwrap_or_default();
        self.here.advance(piece);
        self.line.extend_from_slice(piece);
        if self.line.ends_with(b"\n") {
            self.take_line(Self::body_line);
        } else if self.line.len() > MAX_DELIMITER_LINE || self.line.get(1).is_some_and(|&octet| octet != b'-') {
            self.line.clear();
            self.scan = Scan::Text;
        }
        used
    }

    fn body_line(&mut self, line: &[u8]) {
        let delimiter = self.tree.delimiter(line).filter(|_| line.len() <= MAX_DELIMITER_LINE);
        if let Some(delimiter) = delimiter {
            self.boundary_line(delimiter);
        }
    }

    /// Acts on the boundary line that began at `line_start` and has just been read.
    fn boundary_line(&mut self, delimiter: Delimiter) {
        self.tree.apply(delimiter, self.line_start.before_line_end());
        if delimiter.close {
            self.scan = Scan::LineStart;
        } else {
            self.tree.begin(self.here.offset);
            self.scan = Scan::Header;
        }
    }

    /// Takes octets of a body up to the next line that begins with dashes. Answers how many it took.
    fn text(&mut self, octets: &[u8]) -> usize {
        let newline = self.line_with_dashes.find(octets).or_else(|| {
            let edge = octets.strip_suffix(b"-").unwrap_or(octets);
            edge.ends_with(b"\n").then(|| edge.len() - 1)
        });
        let Some(newline) = newline else {
            return self.unwatched(octets);
        };
        let used = newline + 1;
        self.here.advance(octets.get(..used).unwrap_or_default());
        self.begin_line();
        self.scan = Scan::LineStart;
        used
    }

    /// Takes octets of a body in which no boundary line can stand, or none does.
    fn unwatched(&mut self, octets: &[u8]) -> usize {
        self.here.advance(octets);
        octets.len()
    }

    /// Hands the gathered line over, and begins the next one.
    fn take_line(&mut self, look: impl FnOnce(&mut Self, &[u8])) {
        let mut line = std::mem::take(&mut self.line);
        look(self, &line);
        line.clear();
        self.line = line;
        self.begin_line();
    }

    fn begin_line(&mut self) {
        self.line_length = 0;
        self.line_start = self.here;
    }
}
