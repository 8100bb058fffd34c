//! How the flags of up to 128 messages are packed into one blob.
//!
//! A record is UID (4 octets), mod-sequence (8), system flags (1), number of keywords (2) and their ids (2 each), little
//! endian, ascending by UID. The first octet of the blob is the version of this format.

use backend_api::SystemFlag;

/// Messages in a page. 128 make a page of about 2 KiB: two fit one of SQLite's, and 10,000 messages are 79 pages.
pub(crate) const PAGE: usize = 128;

const VERSION: u8 = 1;
const FIXED: usize = 15;

/// What can change of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) uid: u32,
    pub(crate) modseq: u64,
    /// The bits of [`SystemFlag`].
    pub(crate) system: u8,
    /// Where its keyword ids are in the page's list.
    start: u32,
    len: u16,
}

impl Record {
    pub(crate) fn has(&self, flag: SystemFlag) -> bool {
        self.system & flag as u8 != 0
    }
}

/// A page taken out of its blob.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    pub(crate) records: Vec<Record>,
    /// Keyword ids of all records; those of one are sorted. Ids that no record points to any more may be in between.
    keywords: Vec<u16>,
}

impl Page {
    /// The page in this blob; `None` when it is damaged.
    pub(crate) fn decode(blob: &[u8]) -> Option<Self> {
        let mut page = Self::default();
        page.decode_into(blob)?;
        Some(page)
    }

    /// The same, into memory that is there already.
    pub(crate) fn decode_into(&mut self, blob: &[u8]) -> Option<()> {
        self.records.clear();
        self.keywords.clear();
        let (&version, mut rest) = blob.split_first()?;
        if version != VERSION {
            return None;
        }
        while !rest.is_empty() {
            let (fixed, after) = rest.split_first_chunk::<FIXED>()?;
            let (uid, fixed) = fixed.split_first_chunk::<4>()?;
            let (modseq, fixed) = fixed.split_first_chunk::<8>()?;
            let (&system, fixed) = fixed.split_first()?;
            let len = u16::from_le_bytes(fixed.try_into().ok()?);
            let ids = after.get(..usize::from(len) * 2)?;
            self.records.push(Record {
                uid: u32::from_le_bytes(*uid),
                modseq: u64::from_le_bytes(*modseq),
                system,
                start: u32::try_from(self.keywords.len()).ok()?,
                len,
            });
            let (pairs, _) = ids.as_chunks::<2>();
            self.keywords.extend(pairs.iter().map(|b| u16::from_le_bytes(*b)));
            rest = after.get(usize::from(len) * 2..)?;
        }
        self.records.is_sorted_by(|a, b| a.uid < b.uid).then_some(())
    }

    /// The blob of this page.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut blob = Vec::with_capacity(1 + self.records.len() * FIXED + self.keywords.len() * 2);
        blob.push(VERSION);
        for record in &self.records {
            blob.extend_from_slice(&record.uid.to_le_bytes());
            blob.extend_from_slice(&record.modseq.to_le_bytes());
            blob.push(record.system);
            blob.extend_from_slice(&record.len.to_le_bytes());
            for id in self.keywords_of(record) {
                blob.extend_from_slice(&id.to_le_bytes());
            }
        }
        blob
    }

    /// The keyword ids of one record, sorted.
    pub(crate) fn keywords_of(&self, record: &Record) -> &[u16] {
        let start = record.start as usize;
        self.keywords
            .get(start..start + usize::from(record.len))
            .unwrap_or_default()
    }

    /// Adds a message behind the last one.
    pub(crate) fn push(&mut self, uid: u32, modseq: u64, system: u8, keywords: &[u16]) {
        let (start, len) = self.keep(keywords);
        self.records.push(Record {
            uid,
            modseq,
            system,
            start,
            len,
        });
    }

    /// Gives the record at `at` other flags.
    pub(crate) fn set(&mut self, at: usize, modseq: u64, system: u8, keywords: &[u16]) {
        let same = self.records.get(at).is_some_and(|r| self.keywords_of(r) == keywords);
        let place = (!same).then(|| self.keep(keywords));
        let Some(record) = self.records.get_mut(at) else {
            return;
        };
        (record.modseq, record.system) = (modseq, system);
        if let Some((start, len)) = place {
            (record.start, record.len) = (start, len);
        }
    }

    /// The highest mod-sequence in it.
    pub(crate) fn max_modseq(&self) -> u64 {
        self.records.iter().map(|r| r.modseq).max().unwrap_or(0)
    }

    fn keep(&mut self, keywords: &[u16]) -> (u32, u16) {
        // At most 4,096 keywords a mailbox and 128 messages a page: neither number comes near its type's end.
        let start = u32::try_from(self.keywords.len()).unwrap_or(u32::MAX);
        self.keywords.extend_from_slice(keywords);
        (start, u16::try_from(keywords.len()).unwrap_or(u16::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_page_comes_back_as_it_was(rows in proptest::collection::vec((1u32..1000, any::<u64>(), 0u8..32, proptest::collection::vec(any::<u16>(), 0..5)), 0..128)) {
            let mut page = Page::default();
            let mut uid = 0;
            for (step, modseq, system, keywords) in &rows {
                uid += step;
                page.push(uid, *modseq, *system, keywords);
            }
            let back = Page::decode(&page.encode()).unwrap();
            prop_assert_eq!(&back.records, &page.records);
            for (record, row) in back.records.iter().zip(&rows) {
                prop_assert_eq!(back.keywords_of(record), &row.3[..]);
            }
        }

        #[test]
        fn no_octets_are_too_strange_to_be_refused(blob in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Page::decode(&blob);
        }
    }

    #[test]
    fn flags_are_replaced_in_place() {
        let mut page = Page::default();
        page.push(1, 1, 0, &[1, 2]);
        page.push(2, 1, 8, &[3]);
        page.set(0, 5, 4, &[9]);
        let back = Page::decode(&page.encode()).unwrap();
        assert_eq!((back.records[0].modseq, back.records[0].system), (5, 4));
        assert_eq!(back.keywords_of(&back.records[0]), [9]);
        assert_eq!(back.keywords_of(&back.records[1]), [3]);
        assert_eq!(back.max_modseq(), 5);
    }

    #[test]
    fn a_full_page_without_keywords_is_half_a_page_of_sqlite() {
        let mut page = Page::default();
        (1..=PAGE as u32).for_each(|uid| page.push(uid, 1, 0, &[]));
        assert!(page.encode().len() < 2000);
    }
}
