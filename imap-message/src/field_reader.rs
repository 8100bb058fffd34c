//! A header that arrives in pieces, as fields: each with its folding, and in bounded memory however long it is.

use memchr::memchr;

/// One field, or a piece of one that is longer than [`LONGEST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FieldPiece<'a> {
    /// The octets as they stand there, line ends included.
    pub(crate) octets: &'a [u8],
    /// The field begins here, with its name.
    pub(crate) starts: bool,
    /// The field ends here.
    pub(crate) ends: bool,
}

/// A field longer than this, in octets, is handed on in pieces, cut at a line end if there is one.
const LONGEST: usize = 64 * 1024;

/// Cuts a header into its fields. A line without a name is handed on as a field.
#[derive(Debug, Default)]
pub(crate) struct FieldReader {
    pending: Vec<u8>,
    /// Up to here no field ends.
    looked_at: usize,
    within_field: bool,
}

impl FieldReader {
    /// Takes the next octets of the header.
    pub(crate) fn push(&mut self, octets: &[u8], sink: &mut impl FnMut(FieldPiece<'_>)) {
        self.pending.extend_from_slice(octets);
        let mut start = 0;
        while let Some(newline) = memchr(b'\n', self.pending.get(self.looked_at..).unwrap_or_default()) {
            let end = self.looked_at + newline + 1;
            let Some(next) = self.pending.get(end) else { break };
            self.looked_at = end;
            if !matches!(next, b' ' | b'\t') {
                self.emit(start, end, true, sink);
                start = end;
            } else if end - start > LONGEST {
                self.emit(start, end, false, sink);
                start = end;
            }
        }
        let rest = self.pending.len() - start;
        if rest > LONGEST + 1 {
            // All but the last octet: a line end there may yet end the field.
            let end = self.pending.len() - 1;
            self.emit(start, end, false, sink);
            start = end;
        }
        self.pending.drain(..start);
        self.looked_at = self.looked_at.saturating_sub(start);
    }

    /// The header is over.
    pub(crate) fn finish(mut self, sink: &mut impl FnMut(FieldPiece<'_>)) {
        self.emit(0, self.pending.len(), true, sink);
    }

    fn emit(&mut self, start: usize, end: usize, ends: bool, sink: &mut impl FnMut(FieldPiece<'_>)) {
        let octets = self.pending.get(start..end).unwrap_or_default();
        if octets.is_empty() {
            return;
        }
        sink(FieldPiece {
            octets,
            starts: !self.within_field,
            ends,
        });
        self.within_field = !ends;
    }
}

impl<'a> FieldPiece<'a> {
    /// The field's name, if it begins here and has one, and what stands behind the colon.
    pub(crate) fn split(&self) -> (Option<&'a [u8]>, &'a [u8]) {
        let colon = memchr(b':', self.octets).filter(|_| self.starts);
        let Some((name, value)) = colon.and_then(|at| self.octets.split_at_checked(at)) else {
            return (None, self.octets);
        };
        (Some(name.trim_ascii_end()), value.get(1..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<(Vec<u8>, bool, bool)> {
        let mut fields = Vec::new();
        let mut reader = FieldReader::default();
        let mut sink = |p: FieldPiece<'_>| fields.push((p.octets.to_vec(), p.starts, p.ends));
        for piece in pieces {
            reader.push(piece, &mut sink);
        }
        reader.finish(&mut sink);
        fields
    }

    #[test]
    fn where_a_header_is_cut_makes_no_difference() {
        let header = b"A: 1\r\nB: 2\r\n 3\r\n\t4\r\nno name\r\nC : 5\r\n\r\n";
        let expected: Vec<(Vec<u8>, bool, bool)> =
            ["A: 1\r\n", "B: 2\r\n 3\r\n\t4\r\n", "no name\r\n", "C : 5\r\n", "\r\n"]
                .iter()
                .map(|field| (field.as_bytes().to_vec(), true, true))
                .collect();
        for size in 1..=header.len() {
            assert_eq!(read(header.chunks(size)), expected, "pieces of {size}");
        }
    }

    #[test]
    fn an_endless_field_is_handed_on_in_pieces() {
        let line = format!("X: {}\r\nY: 1\r\n", "a".repeat(300_000));
        let fields = read(line.as_bytes().chunks(1_000));
        let all: Vec<u8> = fields.iter().flat_map(|(octets, ..)| octets.clone()).collect();
        assert_eq!(all, line.as_bytes());
        assert!(fields.iter().all(|(octets, ..)| octets.len() <= LONGEST + 1_001));
        let marks: Vec<(bool, bool)> = fields.iter().map(|(_, starts, ends)| (*starts, *ends)).collect();
        assert_eq!(marks.first(), Some(&(true, false)));
        assert_eq!(marks.last(), Some(&(true, true)));
        assert_eq!(marks.iter().filter(|(starts, _)| *starts).count(), 2);
        assert_eq!(marks.iter().filter(|(_, ends)| *ends).count(), 2);
    }

    #[test]
    fn a_field_of_many_lines_is_cut_at_a_line_end() {
        let field = format!("To: a@b,\r\n{}", " c@d,\r\n".repeat(40_000));
        let fields = read(field.as_bytes().chunks(1 << 14));
        assert!(fields.len() > 1);
        assert!(fields.iter().all(|(octets, ..)| octets.ends_with(b"\r\n")));
    }
}
