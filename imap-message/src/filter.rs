//! HEADER.FIELDS and HEADER.FIELDS.NOT over a header that arrives in pieces (RFC 3501 6.4.5).

use memchr::memchr;

use crate::field::{is_blank, is_continuation, split_field};

/// Picks fields out of a header, octet for octet and in the order of the message, and ends them with the empty line.
///
/// ```
/// use imap_message::HeaderFilter;
///
/// let header = b"To: a@b\r\nSubject: one\r\n two\r\n\r\n";
/// let wanted = HeaderFilter::fields(["subject"]);
/// assert_eq!(wanted.filter(header), b"Subject: one\r\n two\r\n\r\n");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderFilter {
    names: Vec<Vec<u8>>,
    /// Whether the named fields are those to keep, or those to leave out.
    keep_named: bool,
}

impl HeaderFilter {
    /// Keeps the fields of these names; names are compared without regard to case.
    pub fn fields<N: AsRef<[u8]>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::new(names, true)
    }

    /// Keeps the fields of all other names, and lines that are no field.
    pub fn fields_not<N: AsRef<[u8]>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::new(names, false)
    }

    fn new<N: AsRef<[u8]>>(names: impl IntoIterator<Item = N>, keep_named: bool) -> Self {
        let mut names: Vec<_> = names
            .into_iter()
            .map(|name| name.as_ref().to_ascii_lowercase())
            .collect();
        names.sort();
        names.dedup();
        Self { names, keep_named }
    }

    /// The answer out of a whole header; what stands behind its empty line is ignored.
    pub fn filter(&self, header: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut filtering = self.clone().into_filtering();
        filtering.push(header, &mut out);
        filtering.finish(&mut out);
        out
    }

    /// A filter for a header that arrives in pieces.
    pub fn into_filtering(self) -> Filtering {
        Filtering {
            filter: self,
            place: Place::LineStart,
            keep: false,
            in_field: false,
            line: Vec::new(),
            last: b'\n',
        }
    }

    fn keeps(&self, line: &[u8]) -> bool {
        let named = split_field(line).is_some_and(|(name, _)| {
            let lower = || name.iter().map(u8::to_ascii_lowercase);
            self.names
                .binary_search_by(|known| known.iter().copied().cmp(lower()))
                .is_ok()
        });
        named == self.keep_named
    }
}

/// A [`HeaderFilter`] at work. Memory does not depend on the size of the header.
#[derive(Debug)]
pub struct Filtering {
    filter: HeaderFilter,
    place: Place,
    keep: bool,
    in_field: bool,
    /// The start of a line of which it is not yet known what it is.
    line: Vec<u8>,
    /// The last octet that was kept.
    last: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    LineStart,
    WithinLine,
    BehindHeader,
}

/// A field name that is longer, in octets, is none: nobody can ask for it.
const LONGEST_NAME: usize = 8 * 1024;

impl Filtering {
    /// Takes the next octets of the header and appends those to keep to `out`.
    pub fn push(&mut self, header: &[u8], out: &mut Vec<u8>) {
        let mut rest = header;
        while !rest.is_empty() && self.place != Place::BehindHeader {
            let newline = memchr(b'\n', rest).map(|at| at + 1);
            let piece = rest.get(..newline.unwrap_or(rest.len())).unwrap_or_default();
            rest = rest.get(piece.len()..).unwrap_or_default();
            match self.place {
                Place::LineStart => self.start_of_line(piece, newline.is_some(), out),
                _ => self.put(piece, out),
            }
            if newline.is_some() && self.place == Place::WithinLine {
                self.place = Place::LineStart;
            }
        }
    }

    /// Ends the header: appends the empty line, and before it the line end of a last line that has none.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        if !self.line.is_empty() {
            self.decide(out);
        }
        if self.last != b'\n' {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
    }

    fn start_of_line(&mut self, piece: &[u8], whole: bool, out: &mut Vec<u8>) {
        self.line.extend_from_slice(piece);
        if is_blank(&self.line) {
            self.line.clear();
            self.place = Place::BehindHeader;
            return;
        }
        let decided = whole || memchr(b':', piece).is_some() || self.line.len() > LONGEST_NAME;
        if decided {
            self.decide(out);
            self.place = Place::WithinLine;
        }
    }

    /// Decides from the start of a line whether it is kept.
    fn decide(&mut self, out: &mut Vec<u8>) {
        let line = std::mem::take(&mut self.line);
        if !(self.in_field && is_continuation(&line)) {
            let name = line.get(..line.len().min(LONGEST_NAME)).unwrap_or_default();
            self.keep = self.filter.keeps(name);
            self.in_field = true;
        }
        self.put(&line, out);
    }

    fn put(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        if self.keep {
            out.extend_from_slice(octets);
            self.last = octets.last().copied().unwrap_or(self.last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] =
        b"From: a@b\r\nsubject : one\r\n\ttwo\r\nX-Long: x\r\nSubject: again\nno colon here\r\nTo: c@d\r\n\r\nbody";

    /// R3501-239, R3501-240, R3501-386, R3501-387
    #[test]
    fn fields_are_picked_octet_for_octet_in_the_order_of_the_message() {
        let table: [(HeaderFilter, &[u8]); 5] = [
            (
                HeaderFilter::fields(["SUBJECT", "from"]),
                b"From: a@b\r\nsubject : one\r\n\ttwo\r\nSubject: again\n\r\n",
            ),
            (HeaderFilter::fields(["X-None"]), b"\r\n"),
            (HeaderFilter::fields(["Sub"]), b"\r\n"),
            (
                HeaderFilter::fields_not(["subject", "X-Long"]),
                b"From: a@b\r\nno colon here\r\nTo: c@d\r\n\r\n",
            ),
            (
                HeaderFilter::fields_not(["none"]),
                b"From: a@b\r\nsubject : one\r\n\ttwo\r\nX-Long: x\r\nSubject: again\nno colon here\r\nTo: c@d\r\n\r\n",
            ),
        ];
        for (filter, expected) in table {
            assert_eq!(filter.filter(HEADER), expected, "{filter:?}");
        }
    }

    #[test]
    fn the_empty_line_is_there_even_if_the_message_has_none() {
        assert_eq!(HeaderFilter::fields(["a"]).filter(b"A: x"), b"A: x\r\n\r\n");
        assert_eq!(HeaderFilter::fields(["a"]).filter(b"A: x\r\n"), b"A: x\r\n\r\n");
        assert_eq!(HeaderFilter::fields(["a"]).filter(b""), b"\r\n");
        assert_eq!(HeaderFilter::fields_not(["a"]).filter(b"b"), b"b\r\n\r\n");
    }

    #[test]
    fn where_the_header_is_cut_makes_no_difference() {
        for filter in [HeaderFilter::fields(["subject"]), HeaderFilter::fields_not(["subject"])] {
            let expected = filter.filter(HEADER);
            for size in 1..HEADER.len() {
                let mut out = Vec::new();
                let mut filtering = filter.clone().into_filtering();
                for piece in HEADER.chunks(size) {
                    filtering.push(piece, &mut out);
                }
                filtering.finish(&mut out);
                assert_eq!(out, expected, "pieces of {size}");
            }
        }
    }
}
