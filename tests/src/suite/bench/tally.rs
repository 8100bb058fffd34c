//! What came back for a command, counted: enough to tell a right answer from a wrong one, at next to no cost.

/// Counts of the untagged responses to one command, or to several sent at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// FETCH responses.
    pub(super) fetches: u64,
    /// The number of the last EXISTS.
    pub(super) exists: Option<u64>,
    /// EXPUNGE responses.
    pub(super) expunges: u64,
    /// Numbers in SEARCH responses.
    pub(super) hits: u64,
    /// LIST responses.
    pub(super) listed: u64,
    /// STATUS responses.
    pub(super) statuses: u64,
    /// MESSAGES of the last STATUS.
    pub(super) messages: Option<u64>,
    /// All octets, those of literals included.
    pub(super) octets: u64,
    /// Octets within literals.
    pub(super) in_literals: u64,
}

impl Tally {
    /// Counts a response, given without its `* `.
    pub(super) fn untagged(&mut self, response: &[u8]) {
        let (number, rest) = number(response);
        if let Some(number) = number {
            let word = rest.strip_prefix(b" ").unwrap_or_default();
            if begins(word, b"FETCH") {
                self.fetches += 1;
            } else if begins(word, b"EXISTS") {
                self.exists = Some(number);
            } else if begins(word, b"EXPUNGE") {
                self.expunges += 1;
            }
        } else if begins(response, b"SEARCH") {
            let words = response.split(|b| *b == b' ').skip(1);
            // `(MODSEQ n)` may stand at the end (RFC 7162 3.1.5).
            let words = words.take_while(|word| !word.starts_with(b"("));
            self.hits += words.filter(|word| number_of(word).is_some()).count() as u64;
        } else if begins(response, b"LIST ") {
            self.listed += 1;
        } else if begins(response, b"STATUS ") {
            self.statuses += 1;
            let text = String::from_utf8_lossy(response);
            self.messages = text
                .split_once("MESSAGES ")
                .and_then(|(_, rest)| number_of(rest.as_bytes()));
        }
    }
}

/// Whether octets begin with a word, in whatever case.
pub(super) fn begins(octets: &[u8], word: &[u8]) -> bool {
    octets
        .get(..word.len())
        .is_some_and(|front| front.eq_ignore_ascii_case(word))
}

/// The number that octets begin with.
fn number_of(octets: &[u8]) -> Option<u64> {
    number(octets).0
}

/// The number that octets begin with, and what is behind it.
pub(super) fn number(octets: &[u8]) -> (Option<u64>, &[u8]) {
    let digits = octets.iter().take_while(|b| b.is_ascii_digit()).count();
    let (front, rest) = octets.split_at_checked(digits).unwrap_or((octets, &[]));
    let add = |sum: u64, digit: &u8| sum.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
    ((digits > 0).then(|| front.iter().fold(0, add)), rest)
}

/// The size of the literal that a line, given with its CR LF, announces at its end.
pub(super) fn literal(line: &[u8]) -> Option<u64> {
    let inner = line.strip_suffix(b"}\r\n")?;
    let digits = inner.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let (front, size) = inner.split_at_checked(inner.len().checked_sub(digits)?)?;
    front.ends_with(b"{").then(|| number_of(size)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(responses: &[&str]) -> Tally {
        let mut tally = Tally::default();
        for response in responses {
            tally.untagged(response.as_bytes());
        }
        tally
    }

    #[test]
    fn what_comes_back_is_counted() {
        let counted = tally(&[
            "1 FETCH (FLAGS ())\r\n",
            "22 fetch (UID 7)\r\n",
            "3 EXISTS\r\n",
            "12 EXISTS\r\n",
            "1 EXPUNGE\r\n",
            "SEARCH 1 22 333 (MODSEQ 4)\r\n",
            "SEARCH\r\n",
            "LIST () \"/\" a\r\n",
            "STATUS a (UNSEEN 1 MESSAGES 45)\r\n",
            "OK 5 FETCH\r\n",
            "7 RECENT\r\n",
        ]);
        let expected = Tally {
            fetches: 2,
            exists: Some(12),
            expunges: 1,
            hits: 3,
            listed: 1,
            statuses: 1,
            messages: Some(45),
            ..Tally::default()
        };
        assert_eq!(counted, expected);
    }

    #[test]
    fn a_literal_stands_at_the_end_of_a_line() {
        let sizes = [
            "* 1 FETCH (BODY[] {12}\r\n",
            "{0}\r\n",
            "{}\r\n",
            "x{1x}\r\n",
            "1}\r\n",
            "{7}\n",
        ];
        let expected = [Some(12), Some(0), None, None, None, None];
        assert_eq!(sizes.map(|line| literal(line.as_bytes())), expected);
    }
}
