//! Large messages whose octets follow from their place, so that they need not be kept to be compared.

use std::fmt::Write as _;

use async_trait::async_trait;
use backend_api::{Bytes, RangedBody, Result};

/// Octets in a line of the text.
const LINE: u64 = 64;

/// A message of a size. Two sizes are two messages: no octets are shared from the subject on.
#[derive(Debug, Clone)]
pub struct Bulk {
    header: String,
    size: u64,
}

impl Bulk {
    /// The message of so many octets; at least 100.
    ///
    /// # Panics
    /// It is smaller.
    pub fn new(size: u64) -> Self {
        assert!(size >= 100, "the header needs room");
        let header = format!("From: bulk@example.org\r\nSubject: {size} octets\r\n\r\n");
        Self { header, size }
    }

    /// The octets from a place on, as many of them as there are.
    ///
    /// # Panics
    /// The range is larger than memory.
    pub fn octets(&self, from: u64, len: usize) -> Vec<u8> {
        let end = self.size.min(from + len as u64);
        let header = self.header.len() as u64;
        // From the start of the line that the range begins in.
        let first = from.saturating_sub(header) / LINE;
        let mut text = String::with_capacity(len + 2 * LINE as usize);
        let mut start = header + first * LINE;
        if from < header {
            text.push_str(&self.header);
            start = 0;
        }
        let mut number = first;
        while start + (text.len() as u64) < end {
            let _ = write!(text, "{number:062}\r\n");
            number += 1;
        }
        let at = |place: u64| usize::try_from(place - start).expect("it is in memory");
        text.as_bytes()
            .get(at(from.min(end))..at(end))
            .expect("the range was made")
            .to_vec()
    }

    /// All of it.
    pub fn all(&self) -> Vec<u8> {
        self.octets(0, usize::try_from(self.size).expect("it fits into memory"))
    }

    /// How many octets it has.
    pub fn size(&self) -> u64 {
        self.size
    }
}

#[async_trait]
impl RangedBody for Bulk {
    fn size(&self) -> u64 {
        self.size
    }

    async fn read_at(&self, offset: u64, len: usize) -> Result<Bytes> {
        Ok(self.octets(offset, len).into())
    }
}

/// All octets of the message of this size.
pub fn sized(octets: usize) -> Vec<u8> {
    Bulk::new(octets as u64).all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_those_of_the_whole() {
        let (bulk, all) = (Bulk::new(1_000), sized(1_000));
        assert_eq!(all.len(), 1_000);
        for from in 0..=1_000 {
            for len in [0, 1, 63, 64, 65, 300, 2_000] {
                let end = all.len().min(from + len);
                assert_eq!(bulk.octets(from as u64, len), all[from..end], "{from} {len}");
            }
        }
    }
}
