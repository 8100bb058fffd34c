//! A search string, and the search for it in text that arrives in pieces (RFC 3501 6.4.4: substrings, without regard
//! to case).

use memchr::memmem::Finder;

/// Text for comparison without regard to case: each character in lower case on its own, the final sigma as any other.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    folded
}

fn fold_into(mut text: &str, out: &mut String) {
    while !text.is_empty() {
        let (ascii, rest) = text.split_at(text.bytes().position(|octet| !octet.is_ascii()).unwrap_or(text.len()));
        let start = out.len();
        out.push_str(ascii);
        if let Some(added) = out.get_mut(start..) {
            added.make_ascii_lowercase();
        }
        let (others, rest) = rest.split_at(rest.find(|c: char| c.is_ascii()).unwrap_or(rest.len()));
        for character in others.chars() {
            match character {
                'ς' => out.push('σ'),
                _ => out.extend(character.to_lowercase()),
            }
        }
        text = rest;
    }
}

/// A folded search string.
///
/// ```
/// use imap_message::Needle;
///
/// let needle = Needle::new("straSSe");
/// assert!(needle.is_in("Hauptstrasse 1"));
///
/// let mut matcher = needle.matcher();
/// assert!(!matcher.push("Hauptstr"));
/// assert!(matcher.push("ASSE 1"));
/// ```
#[derive(Debug, Clone)]
pub struct Needle {
    finder: Finder<'static>,
    /// For each length of a prefix that matched: how much of it still matches when the next octet does not.
    fallback: Vec<u32>,
}

impl Needle {
    /// Folds a search string. The empty one is in every text.
    pub fn new(text: &str) -> Self {
        let folded = fold(text).into_bytes();
        let fallback = fallbacks(&folded);
        Self {
            finder: Finder::new(&folded).into_owned(),
            fallback,
        }
    }

    /// Whether it is in this text.
    pub fn is_in(&self, text: &str) -> bool {
        self.matcher().push(text)
    }

    /// A search in a text that arrives in pieces.
    pub fn matcher(&self) -> Matcher<'_> {
        Matcher {
            needle: self,
            matched: 0,
            found: self.octets().is_empty(),
            folded: String::new(),
        }
    }

    fn octets(&self) -> &[u8] {
        self.finder.needle()
    }

    /// How much of the needle matches behind this octet, if `matched` did before it.
    fn step(&self, mut matched: usize, octet: u8) -> usize {
        while self.octets().get(matched) != Some(&octet) {
            match matched.checked_sub(1).and_then(|last| self.fallback.get(last)) {
                Some(&shorter) => matched = shorter as usize,
                None => return 0,
            }
        }
        matched + 1
    }
}

/// For each prefix of the needle: the length of its longest proper suffix that is a prefix of the needle too.
fn fallbacks(needle: &[u8]) -> Vec<u32> {
    let mut fallback: Vec<u32> = Vec::with_capacity(needle.len());
    let mut length = 0usize;
    for (at, octet) in needle.iter().enumerate() {
        if at > 0 {
            while length > 0 && needle.get(length) != Some(octet) {
                length = fallback.get(length - 1).map_or(0, |&shorter| shorter as usize);
            }
            length += usize::from(needle.get(length) == Some(octet));
        }
        fallback.push(u32::try_from(length).unwrap_or(0));
    }
    fallback
}

/// A [`Needle`] being searched for. Time is linear in the text; memory depends on the needle and the longest piece.
#[derive(Debug, Clone)]
pub struct Matcher<'n> {
    needle: &'n Needle,
    /// How much of the needle the text so far ends with.
    matched: usize,
    found: bool,
    folded: String,
}

impl Matcher<'_> {
    /// Takes the next text. Whether the needle has been found, in this text or before; once found it stays found.
    pub fn push(&mut self, text: &str) -> bool {
        if self.found {
            return true;
        }
        self.folded.clear();
        fold_into(text, &mut self.folded);
        let folded = std::mem::take(&mut self.folded);
        self.search(folded.as_bytes());
        self.folded = folded;
        self.found
    }

    /// Whether the needle has been found.
    pub fn found(&self) -> bool {
        self.found
    }

    /// Forgets the text so far: what follows does not continue it. A match that was found stays found.
    pub fn interrupt(&mut self) {
        self.matched = 0;
    }

    fn search(&mut self, text: &[u8]) {
        let length = self.needle.octets().len();
        // A match across the border ends within these octets, one that crosses the next border begins within the last.
        let border = length.saturating_sub(1);
        if text.len() < 2 * length {
            self.walk(text);
            return;
        }
        if self.matched > 0 {
            self.walk(text.get(..border).unwrap_or_default());
        }
        if !self.found && self.needle.finder.find(text).is_some() {
            self.found = true;
        }
        if !self.found {
            self.matched = 0;
            self.walk(text.get(text.len() - border..).unwrap_or_default());
        }
    }

    fn walk(&mut self, text: &[u8]) {
        let length = self.needle.octets().len();
        for &octet in text {
            self.matched = self.needle.step(self.matched, octet);
            if self.matched == length {
                self.found = true;
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_makes_no_difference_and_everything_else_does() {
        let table = [
            ("", "", true),
            ("", "x", true),
            ("x", "", false),
            ("ÜBER", "darüber", true),
            ("ΟΔΟΣ", "οδος", true),
            ("a b", "A  B", false),
            ("strasse", "straße", false),
            ("aab", "aaab", true),
            ("e", "é", false),
        ];
        for (needle, text, expected) in table {
            assert_eq!(Needle::new(needle).is_in(text), expected, "{needle} in {text}");
        }
    }

    #[test]
    fn what_is_apart_is_not_joined() {
        let needle = Needle::new("ab");
        let mut matcher = needle.matcher();
        assert!(!matcher.push("a"));
        matcher.interrupt();
        assert!(!matcher.push("b"));
        assert!(matcher.push("ab"));
    }

    proptest! {
        #[test]
        fn each_character_is_folded_on_its_own(text in "[aZ0 äÖßςΣİK日\u{1F600}]{0,30}") {
            let one = |c: char| if c == 'ς' { "σ".to_owned() } else { c.to_lowercase().to_string() };
            prop_assert_eq!(fold(&text), text.chars().map(one).collect::<String>());
        }

        #[test]
        fn a_match_is_found_across_any_borders(
            needle in "[abA]{0,6}",
            pieces in proptest::collection::vec("[abAB]{0,20}", 0..6),
        ) {
            let needle_text = needle.to_lowercase();
            let needle = Needle::new(&needle);
            let mut matcher = needle.matcher();
            let mut text = String::new();
            for piece in pieces {
                text.push_str(&piece.to_lowercase());
                prop_assert_eq!(matcher.push(&piece), text.contains(&needle_text));
            }
        }
    }
}
