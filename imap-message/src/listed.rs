//! The header lines that clients list, kept as they stand in the message so that HEADER.FIELDS needs no read of it.

use crate::field::{Field, split_field};
use crate::limits::{MAX_FIELD, MAX_STORED_HEADER};

/// The fields whose lines the index stores: what clients ask for to show a list of messages, and `List-*`.
const LISTED: [&[u8]; 24] = [
    b"From",
    b"To",
    b"Cc",
    b"Bcc",
    b"Subject",
    b"Date",
    b"Message-ID",
    b"In-Reply-To",
    b"References",
    b"Reply-To",
    b"Sender",
    b"Content-Type",
    b"Importance",
    b"Priority",
    b"X-Priority",
    b"MIME-Version",
    b"Content-Transfer-Encoding",
    b"Newsgroups",
    b"Mail-Followup-To",
    b"Mail-Reply-To",
    b"Disposition-Notification-To",
    b"Precedence",
    b"Auto-Submitted",
    b"X-Spam-Flag",
];

/// A set of listed names. All of `List-*` is one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ListedSet(pub(crate) u32);

impl ListedSet {
    /// The set with this name alone; `None` if lines of this name are not stored.
    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        if name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"List-")) {
            return Some(Self(1 << LISTED.len()));
        }
        LISTED
            .iter()
            .position(|listed| listed.eq_ignore_ascii_case(name))
            .map(|place| Self(1 << place))
    }

    pub(crate) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// Whether an index keeps the lines of fields of this name, as long as they are not too long.
///
/// What is asked of other fields is read from the message: load it with the index then.
pub fn is_stored(name: &str) -> bool {
    ListedSet::of(name.as_bytes()).is_some()
}

/// The stored lines, each behind its offset in the message and its length.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) entries: Vec<u8>,
    /// Names of which a line did not fit.
    pub(crate) omitted: ListedSet,
}

impl Listing {
    fn put(&mut self, name: ListedSet, start: u64, length: u64, raw: &[u8]) {
        let fits = self.entries.len() + raw.len() + ENTRY_HEAD <= MAX_STORED_HEADER && raw.len() as u64 == length;
        let (true, Ok(start)) = (fits, u32::try_from(start)) else {
            self.omitted.add(name);
            return;
        };
        self.entries.extend_from_slice(&start.to_le_bytes());
        self.entries
            .extend_from_slice(&u32::try_from(raw.len()).unwrap_or(0).to_le_bytes());
        self.entries.extend_from_slice(raw);
    }
}

/// Offset and length, four octets each.
const ENTRY_HEAD: usize = 8;

/// The stored lines in the order of the message: offset and octets of each.
pub(crate) fn entries(mut rest: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    std::iter::from_fn(move || {
        let (start, after) = rest.split_first_chunk::<4>()?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let line = after.get(..length)?;
        rest = after.get(length..)?;
        Some((u64::from(u32::from_le_bytes(*start)), line))
    })
}

/// The field that is being read, line by line.
#[derive(Debug, Default)]
pub(crate) struct OpenField {
    known: Option<Field>,
    listed: Option<ListedSet>,
    start: u64,
    length: u64,
    /// The raw field, name and folding included, cut at the bound.
    raw: Vec<u8>,
}

impl OpenField {
    /// Begins a field with its first line, of which `line` are the first octets and `length` all.
    pub(crate) fn begin(&mut self, line: &[u8], start: u64, length: u64, list: bool) {
        let name = split_field(line).map(|(name, _)| name);
        self.known = name.and_then(Field::named);
        self.listed = name.filter(|_| list).and_then(ListedSet::of);
        self.start = start;
        self.length = 0;
        self.raw.clear();
        self.append(line, length);
    }

    /// Takes a further line of the field.
    pub(crate) fn append(&mut self, line: &[u8], length: u64) {
        // A cut line is followed by nothing: text from both sides of a cut would read as one.
        let whole = self.raw.len() as u64 == self.length;
        self.length += length;
        if whole && (self.known.is_some() || self.listed.is_some()) {
            let room = MAX_FIELD.saturating_sub(self.raw.len());
            self.raw
                .extend_from_slice(line.get(..line.len().min(room)).unwrap_or_default());
        }
    }

    /// Ends the field, if there is one: hands its value to `put` and its lines to the listing.
    pub(crate) fn end(&mut self, listing: &mut Listing, put: impl FnOnce(Field, &[u8])) {
        if let Some(name) = self.listed.take() {
            listing.put(name, self.start, self.length, &self.raw);
        }
        if let (Some(field), Some((_, value))) = (self.known.take(), split_field(&self.raw)) {
            put(field, value);
        }
        self.raw.clear();
    }
}
