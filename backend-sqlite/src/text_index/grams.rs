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
    /// The three highest bits of each of these octets, and the five others.
    high: u32,
    low: u32,
    count: usize,
}

impl Tail {
    /// Hands on the grams that end in the next octets of the text, and the place of each.
    fn push(&mut self, octets: &[u8], mut sink: impl FnMut(u32, Place)) {
        let lacking = (OCTETS - 1).saturating_sub(self.count).min(octets.len());
        let (first, rest) = octets.split_at(lacking);
        first.iter().for_each(|octet| self.add(*octet));
        self.count += lacking;
        for octet in rest {
            self.add(*octet);
            let (leaf, bit) = (self.high, self.low);
            sink(self.octets, Place { leaf, bit });
        }
    }

    fn add(&mut self, octet: u8) {
        let octet = u32::from(octet);
        self.octets = (self.octets << 8 | octet) & 0xff_ffff;
        self.high = (self.high << 3 | octet >> 5) & 0x1ff;
        self.low = (self.low << 5 | octet & 0x1f) & 0x7fff;
    }
}

/// The distinct grams of some strings that are folded already, in no order.
pub(super) fn of_strings(area: Area, strings: &[String]) -> Vec<Gram> {
    let mut grams = Vec::new();
    for string in strings {
        Tail::default().push(string.as_bytes(), |gram, _| grams.push(area.base() | gram));
    }
    grams.sort_unstable();
    grams.dedup();
    grams
}

/// A bit for each gram of one area whose octets have the same three highest bits. What is of letters alone is in one leaf,
/// which the processor's cache holds.
type Leaf = [u32; LEAF];
const LEAF: usize = 1 << 10;
/// How many leaves there are for one area.
const LEAVES: u32 = 1 << 9;
/// Octets of text whose grams are looked at before the new ones are added to the others.
const PIECE: usize = 1024;

/// Collects the distinct grams of one message after the other.
pub(super) struct Collector {
    /// A bit for each possible gram, 4 MiB in all, in leaves that are made when they are needed: a text has few of them.
    leaves: Vec<Option<Box<Leaf>>>,
    found: Vec<Gram>,
    /// Room for what a piece of text adds.
    new: Box<[Gram; PIECE]>,
}

/// Where a gram of an area has its bit.
#[derive(Debug, Clone, Copy)]
struct Place {
    leaf: u32,
    bit: u32,
}

impl Place {
    fn of(gram: Gram) -> Self {
        Self {
            leaf: gram >> 24 << 9 | (gram >> 21 & 7) << 6 | (gram >> 13 & 7) << 3 | gram >> 5 & 7,
            bit: (gram >> 16 & 31) << 10 | (gram >> 8 & 31) << 5 | gram & 31,
        }
    }

    fn within(self, area: Area) -> Self {
        let leaf = self.leaf | area.base() >> 24 << 9;
        Self { leaf, ..self }
    }
}

impl Collector {
    pub(super) fn new() -> Self {
        Self {
            leaves: vec![None; LEAVES as usize * 2],
            found: Vec::new(),
            new: Box::new([0; PIECE]),
        }
    }

    /// Takes the next piece of a text.
    pub(super) fn push(&mut self, area: Area, tail: &mut Tail, text: &str) {
        let Self { leaves, found, new } = self;
        for piece in fold(text).as_bytes().chunks(PIECE) {
            let mut count = 0;
            tail.push(piece, |gram, place| {
                let place = place.within(area);
                let Some(leaf) = leaves.get_mut(place.leaf as usize) else {
                    return;
                };
                let leaf = leaf.get_or_insert_with(|| Box::new([0; LEAF]));
                // Whether a gram is new cannot be foreseen, so nothing branches on it.
                if let (Some(word), Some(new)) = (leaf.get_mut(place.bit as usize / 32), new.get_mut(count)) {
                    *new = area.base() | gram;
                    count += usize::from(*word >> (place.bit % 32) & 1 == 0);
                    *word |= 1 << (place.bit % 32);
                }
            });
            found.extend_from_slice(new.get(..count).unwrap_or_default());
        }
    }

    /// How many there are so far.
    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// Hands on the grams of the message, in no order, and makes ready for the next one.
    pub(super) fn take(&mut self, sink: impl FnOnce(&[Gram])) {
        sink(&self.found);
        for gram in self.found.drain(..) {
            let place = Place::of(gram);
            let leaf = self.leaves.get_mut(place.leaf as usize).and_then(Option::as_mut);
            if let Some(word) = leaf.and_then(|leaf| leaf.get_mut(place.bit as usize / 32)) {
                *word = 0;
            }
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
            collector.take(|grams| found.extend_from_slice(grams));
            found.sort_unstable();
            assert_eq!(found, expected, "cut at {cut}");
        }
        assert_eq!(collector.len(), 0);
    }

    #[test]
    fn a_text_takes_memory_for_the_grams_it_may_have_alone() {
        let mut collector = Collector::new();
        collector.push(Area::Body, &mut Tail::default(), "abracadabra");
        assert_eq!(collector.leaves.iter().flatten().count(), 1);
    }

    #[test]
    fn each_gram_has_a_bit_of_its_own() {
        let bit = |gram: Gram| {
            let place = Place::of(gram);
            place.leaf as usize * LEAF * 32 + place.bit as usize
        };
        let (first, last) = (bit(0), bit(END - 1));
        assert_eq!((first, last), (0, END as usize - 1));
        // Each bit of a gram goes to another place of the number, whatever the others are.
        let mut moved: Vec<usize> = (0..25).map(|at| bit(1 << at)).collect();
        moved.sort_unstable();
        assert_eq!(moved, (0..25).map(|at| 1 << at).collect::<Vec<_>>());
        for gram in (0..END).step_by(40_009) {
            let parts = (0..25).map(|at| bit(gram & 1 << at));
            assert_eq!(bit(gram), parts.fold(0, |all, part| all | part), "{gram:x}");
        }
    }

    #[test]
    fn a_string_of_less_than_three_octets_has_none() {
        let strings = ["", "a", "ab", "ä"].map(str::to_owned);
        assert_eq!(of_strings(Area::Header, &strings), Vec::<Gram>::new());
        assert_eq!(of_strings(Area::Header, &["日".to_owned()]), [0xe6_97a5]);
        assert_eq!(of_strings(Area::Body, &["abc".to_owned()]), [0x161_6263]);
    }
}
