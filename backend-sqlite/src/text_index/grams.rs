//! Grams: each three octets in a row of a folded text. A text that holds a string holds every gram of it.

use imap_message::fold;

/// Three octets, and above them the area whose text they are of.
pub(super) type Gram = u32;

/// Above all grams.
pub(super) const END: Gram = 1 << 25;

/// Octets in a gram: a shorter string has none, and the index cannot say who holds it.
pub(super) const OCTETS: usize = 3;

/// What is kept apart of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Area {
    /// Its header and the MIME headers of its parts: what TEXT searches and BODY does not.
    Header,
    /// What BODY searches.
    Body,
}

impl Area {
    fn base(self) -> Gram {
        match self {
            Self::Header => 0,
            Self::Body => 1 << 24,
        }
    }
}

/// The end of a text that goes by in pieces: the octets that its next gram begins with.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tail {
    octets: u32,
    count: usize,
}

impl Tail {
    /// Hands on the grams that end in the next octets of the text.
    fn push(&mut self, octets: &[u8], mut sink: impl FnMut(u32)) {
        for octet in octets {
            self.octets = (self.octets << 8 | u32::from(*octet)) & 0xff_ffff;
            if self.count < OCTETS - 1 {
                self.count += 1;
            } else {
                sink(self.octets);
            }
        }
    }
}

/// The distinct grams of some strings that are folded already, in no order.
pub(super) fn of_strings(area: Area, strings: &[String]) -> Vec<Gram> {
    let mut grams = Vec::new();
    for string in strings {
        Tail::default().push(string.as_bytes(), |gram| grams.push(area.base() | gram));
    }
    grams.sort_unstable();
    grams.dedup();
    grams
}

/// Grams of a leaf: those that begin with the same octet.
const LEAF: usize = 1 << 16;

/// Collects the distinct grams of one message after the other.
pub(super) struct Collector {
    /// A bit for each possible gram, 4 MiB in all, in leaves that are made when they are needed: a text has few of them.
    seen: Vec<Vec<u64>>,
    found: Vec<Gram>,
}

impl Collector {
    pub(super) fn new() -> Self {
        Self {
            seen: vec![Vec::new(); END as usize / LEAF],
            found: Vec::new(),
        }
    }

    /// Takes the next piece of a text.
    pub(super) fn push(&mut self, area: Area, tail: &mut Tail, text: &str) {
        let (seen, found) = (&mut self.seen, &mut self.found);
        tail.push(fold(text).as_bytes(), |gram| {
            let gram = area.base() | gram;
            let Some(leaf) = seen.get_mut(gram as usize / LEAF) else {
                return;
            };
            if leaf.is_empty() {
                leaf.resize(LEAF / 64, 0);
            }
            if let Some(word) = leaf.get_mut(gram as usize % LEAF / 64)
                && *word >> (gram % 64) & 1 == 0
            {
                *word |= 1 << (gram % 64);
                found.push(gram);
            }
        });
    }

    /// How many there are so far.
    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// Hands on the grams of the message, in no order, and makes ready for the next one.
    pub(super) fn take(&mut self, mut sink: impl FnMut(Gram)) {
        for gram in self.found.drain(..) {
            let leaf = self.seen.get_mut(gram as usize / LEAF);
            if let Some(word) = leaf.and_then(|leaf| leaf.get_mut(gram as usize % LEAF / 64)) {
                *word = 0;
            }
            sink(gram);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_pieces_has_the_grams_of_the_whole() {
        let text = "Ärger: aaab\r\nx";
        let mut expected = of_strings(Area::Body, &[fold(text)]);
        expected.sort_unstable();
        let mut collector = Collector::new();
        for cut in text.char_indices().map(|(at, _)| at) {
            let (a, b) = text.split_at(cut);
            let mut tail = Tail::default();
            collector.push(Area::Body, &mut tail, a);
            collector.push(Area::Body, &mut tail, b);
            let mut found = Vec::new();
            collector.take(|gram| found.push(gram));
            found.sort_unstable();
            assert_eq!(found, expected, "cut at {cut}");
        }
        assert_eq!(collector.len(), 0);
    }

    #[test]
    fn a_text_takes_memory_for_the_grams_it_may_have_alone() {
        let mut collector = Collector::new();
        collector.push(Area::Body, &mut Tail::default(), "abracadabra");
        let octets: usize = collector.seen.iter().map(|leaf| leaf.capacity() * 8).sum();
        // Grams that begin with a, b, c, d and r.
        assert_eq!(octets, 5 * 8 * 1024);
    }

    #[test]
    fn a_string_of_less_than_three_octets_has_none() {
        let strings = ["", "a", "ab", "ä"].map(str::to_owned);
        assert_eq!(of_strings(Area::Header, &strings), Vec::<Gram>::new());
        assert_eq!(of_strings(Area::Header, &["日".to_owned()]), [0xe6_97a5]);
        assert_eq!(of_strings(Area::Body, &["abc".to_owned()]), [0x161_6263]);
    }
}
