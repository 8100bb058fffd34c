//! Many needles in one pass over a text: where it is cut into pieces makes no difference, and time is bounded by the
//! text's length whatever the needles are.

use std::collections::HashMap;

use imap_message::fold;
use memchr::memmem::Finder;

/// The distinct needles of a search, folded.
#[derive(Debug, Default)]
pub(super) struct Needles {
    numbers: HashMap<String, usize>,
    search: Search,
    /// How much of a text must be kept so that no needle is missed across two pieces.
    overlap: usize,
}

#[derive(Debug)]
enum Search {
    /// One after the other over a piece that is in the cache: fastest for the usual one or two.
    Each(Vec<Finder<'static>>),
    /// All at once.
    All(Automaton),
}

/// Up to here, one vectorised search for each needle is faster than the automaton.
const FEW: usize = 8;
/// From here on, in octets, a needle is too long to look through as much text again for every small piece.
const LONG: usize = 256;

/// Which needles were found.
#[derive(Debug, Clone, Default)]
pub(super) struct Hits {
    found: Vec<bool>,
    count: usize,
}

/// One text as it goes by in pieces.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The end of what went by, folded: as much of it as a needle may begin in.
    window: Vec<u8>,
    state: u32,
}

impl Default for Search {
    fn default() -> Self {
        Self::Each(Vec::new())
    }
}

impl Needles {
    /// The number of this needle, which is not empty; equal needles have the same.
    pub(super) fn add(&mut self, needle: &str) -> usize {
        let next = self.numbers.len();
        *self.numbers.entry(fold(needle)).or_insert(next)
    }

    /// Gets ready to search; to be called once, after the last needle was added.
    pub(super) fn prepare(&mut self) {
        let mut needles: Vec<(&str, usize)> = self.numbers.iter().map(|(n, i)| (n.as_str(), *i)).collect();
        needles.sort_unstable_by_key(|(_, number)| *number);
        let needles: Vec<&[u8]> = needles.into_iter().map(|(needle, _)| needle.as_bytes()).collect();
        self.overlap = needles.iter().map(|n| n.len()).max().unwrap_or(1).saturating_sub(1);
        self.search = if needles.len() <= FEW && self.overlap < LONG {
            Search::Each(needles.into_iter().map(|n| Finder::new(n).into_owned()).collect())
        } else {
            Search::All(Automaton::new(&needles))
        };
    }

    pub(super) fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Looks through the next piece of a text; whether it found a needle that was not found before.
    pub(super) fn search(&self, stream: &mut Stream, hits: &mut Hits, piece: &str) -> bool {
        let before = hits.count;
        if before == self.numbers.len() || piece.is_empty() {
            return false;
        }
        match &self.search {
            Search::Each(finders) => {
                fold_onto(&mut stream.window, piece);
                for (number, finder) in finders.iter().enumerate() {
                    if !hits.has(number) && finder.find(&stream.window).is_some() {
                        hits.put(number);
                    }
                }
                let past = stream.window.len().saturating_sub(self.overlap);
                stream.window.drain(..past);
            }
            Search::All(automaton) => {
                stream.state = automaton.run(stream.state, fold(piece).as_bytes(), hits);
            }
        }
        hits.count > before
    }
}

/// Appends a folded text.
fn fold_onto(window: &mut Vec<u8>, piece: &str) {
    if !piece.is_ascii() {
        return window.extend_from_slice(fold(piece).as_bytes());
    }
    let start = window.len();
    window.extend_from_slice(piece.as_bytes());
    window.get_mut(start..).unwrap_or_default().make_ascii_lowercase();
}

impl Hits {
    pub(super) fn has(&self, number: usize) -> bool {
        self.found.get(number).copied().unwrap_or_default()
    }

    fn put(&mut self, number: usize) {
        if self.found.len() <= number {
            self.found.resize(number + 1, false);
        }
        if let Some(found) = self.found.get_mut(number).filter(|found| !**found) {
            *found = true;
            self.count += 1;
        }
    }
}

impl Stream {
    /// Another text begins: no needle is found across the two.
    pub(super) fn restart(&mut self) {
        self.window.clear();
        self.state = 0;
    }
}

/// The automaton of Aho and Corasick: each state is a prefix of some needle, namely the longest one that the text read so
/// far ends with.
#[derive(Debug)]
struct Automaton {
    states: Vec<State>,
    /// Where the start state goes, by octet.
    start: Vec<u32>,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    octet: u8,
    first_child: u32,
    next_sibling: u32,
    /// The longest proper suffix of this prefix that is a prefix too.
    fallback: u32,
    /// One more than the number of the needle that this prefix is; 0 if it is none.
    needle: u32,
    /// The next state down the fallbacks that is a needle; 0 if there is none.
    shorter: u32,
}

impl Automaton {
    fn new(needles: &[&[u8]]) -> Self {
        let mut this = Self {
            states: vec![State::default()],
            start: vec![0; 256],
        };
        for (needle, number) in needles.iter().zip(1..) {
            let end = needle.iter().fold(0, |state, octet| this.child_or_new(state, *octet));
            if let Some(end) = this.states.get_mut(end as usize) {
                end.needle = number;
            }
        }
        this.link_fallbacks();
        this
    }

    fn run(&self, mut state: u32, text: &[u8], hits: &mut Hits) -> u32 {
        for octet in text {
            state = self.step(state, *octet);
            let reached = self.state(state);
            if reached.needle != 0 || reached.shorter != 0 {
                self.report(reached, hits);
            }
        }
        state
    }

    /// Where a needle was found before, all the shorter ones that it ends with were found as well.
    fn report(&self, mut state: State, hits: &mut Hits) {
        loop {
            if let Some(number) = state.needle.checked_sub(1) {
                if hits.has(number as usize) {
                    return;
                }
                hits.put(number as usize);
            }
            if state.shorter == 0 {
                return;
            }
            state = self.state(state.shorter);
        }
    }

    fn step(&self, mut state: u32, octet: u8) -> u32 {
        while state != 0 {
            if let Some(child) = self.child(state, octet) {
                return child;
            }
            state = self.state(state).fallback;
        }
        self.start.get(usize::from(octet)).copied().unwrap_or_default()
    }

    fn state(&self, state: u32) -> State {
        self.states.get(state as usize).copied().unwrap_or_default()
    }

    fn child(&self, state: u32, octet: u8) -> Option<u32> {
        let mut child = self.state(state).first_child;
        while child != 0 {
            let found = self.state(child);
            if found.octet == octet {
                return Some(child);
            }
            child = found.next_sibling;
        }
        None
    }

    fn child_or_new(&mut self, state: u32, octet: u8) -> u32 {
        if let Some(child) = self.child(state, octet) {
            return child;
        }
        let new = u32::try_from(self.states.len()).unwrap_or(0);
        let next_sibling = self.state(state).first_child;
        self.states.push(State {
            octet,
            next_sibling,
            ..State::default()
        });
        if let Some(parent) = self.states.get_mut(state as usize) {
            parent.first_child = new;
        }
        if let Some(start) = self.start.get_mut(usize::from(octet)).filter(|_| state == 0) {
            *start = new;
        }
        new
    }

    /// From short prefixes to long ones: the fallback of a prefix is shorter than the prefix.
    fn link_fallbacks(&mut self) {
        let mut queue = std::collections::VecDeque::from([0_u32]);
        while let Some(parent) = queue.pop_front() {
            let mut child = self.state(parent).first_child;
            while child != 0 {
                let State {
                    octet, next_sibling, ..
                } = self.state(child);
                let fallback = if parent == 0 {
                    0
                } else {
                    self.step(self.state(parent).fallback, octet)
                };
                let below = self.state(fallback);
                if let Some(state) = self.states.get_mut(child as usize) {
                    state.fallback = fallback;
                    state.shorter = if below.needle == 0 { below.shorter } else { fallback };
                }
                queue.push_back(child);
                child = next_sibling;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn needles(list: &[String]) -> Needles {
        let mut needles = Needles::default();
        for needle in list {
            needles.add(needle);
        }
        needles.prepare();
        needles
    }

    fn found(needles: &Needles, pieces: &[&str]) -> Vec<bool> {
        let (mut stream, mut hits) = (Stream::default(), Hits::default());
        for piece in pieces {
            needles.search(&mut stream, &mut hits, piece);
        }
        (0..needles.numbers.len()).map(|n| hits.has(n)).collect()
    }

    #[test]
    fn a_needle_is_found_in_any_case_and_across_pieces() {
        // R3501-208
        let table: &[(&str, &[&str], bool)] = &[
            ("world", &["hello World"], true),
            ("WORLD", &["hello w", "o", "", "rld"], true),
            ("world", &["wor", "d"], false),
            ("ÜBER", &["x über y"], true),
            ("straße", &["STRA", "ßE"], true),
            ("ДОМ", &["в дом", "е"], true),
            ("a\r\nb", &["a\r", "\nb"], true),
            ("İ", &["i\u{307}"], true),
            ("aa", &["a", "a"], true),
        ];
        for (needle, pieces, expected) in table {
            assert_eq!(
                found(&needles(&[(*needle).to_owned()]), pieces),
                [*expected],
                "{needle:?} {pieces:?}"
            );
        }
    }

    #[test]
    fn a_restarted_stream_joins_nothing() {
        for count in [1, FEW + 1] {
            let mut list = vec!["ab".to_owned()];
            list.extend((1..count).map(|n| format!("unlikely {n}")));
            let needles = needles(&list);
            let (mut stream, mut hits) = (Stream::default(), Hits::default());
            needles.search(&mut stream, &mut hits, "a");
            stream.restart();
            assert!(!needles.search(&mut stream, &mut hits, "b"));
            assert!(needles.search(&mut stream, &mut hits, "ab"));
            assert!(!needles.search(&mut stream, &mut hits, "ab"), "it was found before");
        }
    }

    #[test]
    fn equal_needles_have_one_number() {
        let mut needles = Needles::default();
        assert_eq!([needles.add("Ab"), needles.add("x"), needles.add("aB")], [0, 1, 0]);
    }

    #[test]
    fn needles_made_to_be_slow_are_not() {
        let list: Vec<String> = (1..=500).map(|n| "a".repeat(n)).collect();
        let text = "a".repeat(1 << 20);
        assert!(found(&needles(&list), &[&text]).into_iter().all(|hit| hit));
        let list: Vec<String> = (1..=500).map(|n| format!("{}b", "a".repeat(n))).collect();
        assert!(!found(&needles(&list), &[&text]).into_iter().any(|hit| hit));
    }

    proptest! {
        #[test]
        fn needles_are_found_where_a_plain_search_finds_them(
            list in prop::collection::vec("[abAä]{1,4}", 1..24),
            pieces in prop::collection::vec("[abABÄx]{0,6}", 0..6),
        ) {
            let needles = needles(&list);
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            let text = pieces.concat().to_lowercase();
            let found = found(&needles, &pieces);
            for (needle, number) in &needles.numbers {
                prop_assert_eq!(found[*number], text.contains(needle.as_str()), "{}", needle);
            }
        }
    }
}
