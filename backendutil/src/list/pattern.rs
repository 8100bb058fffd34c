//! How a LIST pattern matches a mailbox name, in time that no pattern can blow up (RFC 3501 6.3.8).

use backend_api::SEPARATOR;

/// The separator as an octet: names and patterns are compared octet by octet, which for UTF-8 comes to the same as
/// character by character.
const SEPARATOR_OCTET: u8 = SEPARATOR as u8;

const INBOX: &str = "INBOX";

/// A LIST or LSUB pattern: `*` stands for anything, `%` for anything within one level.
///
/// Every way in which the pattern can match is followed at once, one bit for each place in the pattern, so the time is
/// bounded by the name's length times the pattern's length over 64, whatever stands in them (`*a*a*a*b`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Runs of wildcards are one wildcard: `*` where there is a `*` among them, else `%`.
    tokens: Vec<Token>,
    /// For each octet, the places that it matches literally; `WORDS` words for each, one after the other.
    literals: Vec<u64>,
    stars: Vec<u64>,
    percents: Vec<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Literal(u8),
    Percent,
    Star,
}

impl Pattern {
    /// The pattern, reference name and mailbox name joined.
    pub fn new(pattern: &str) -> Self {
        let mut tokens: Vec<Token> = Vec::with_capacity(pattern.len());
        for octet in pattern.bytes() {
            let token = Token::of(octet);
            match (tokens.last_mut(), token) {
                (Some(Token::Star), Token::Percent | Token::Star) | (Some(Token::Percent), Token::Percent) => {}
                (Some(last @ Token::Percent), Token::Star) => *last = Token::Star,
                _ => tokens.push(token),
            }
        }
        let words = tokens.len() / 64 + 1;
        let mut this = Self {
            literals: vec![0; words * 256],
            stars: vec![0; words],
            percents: vec![0; words],
            tokens: Vec::new(),
        };
        for (place, token) in tokens.iter().enumerate() {
            let (bits, word) = match token {
                Token::Literal(octet) => (&mut this.literals, usize::from(*octet) * words + place / 64),
                Token::Percent => (&mut this.percents, place / 64),
                Token::Star => (&mut this.stars, place / 64),
            };
            if let Some(word) = bits.get_mut(word) {
                *word |= 1 << (place % 64);
            }
        }
        this.tokens = tokens;
        this
    }

    /// Whether this name matches, all of it. `INBOX` as the name's first level is matched in any case, everything else
    /// exactly.
    pub fn matches(&self, name: &str) -> bool {
        let any_case = inbox_len(name);
        let mut places = vec![0_u64; self.stars.len()];
        if let Some(first) = places.first_mut() {
            *first = 1;
        }
        self.skip_wildcards(&mut places);
        for (at, octet) in name.bytes().enumerate() {
            let alive = if at < any_case {
                self.step(&mut places, octet, octet.to_ascii_lowercase())
            } else {
                self.step(&mut places, octet, octet)
            };
            if !alive {
                return false;
            }
        }
        let end = self.tokens.len();
        places.get(end / 64).is_some_and(|word| word >> (end % 64) & 1 == 1)
    }

    /// Whether a `%` in it still means something, beside a `*` it does not.
    pub(super) fn has_percent(&self) -> bool {
        self.tokens.contains(&Token::Percent)
    }

    /// Takes one octet, given in both its cases; whether any way to match is left.
    fn step(&self, places: &mut [u64], octet: u8, other_case: u8) -> bool {
        let (same, other) = (self.literal(octet), self.literal(other_case));
        let wild = |star: u64, percent: u64| if octet == SEPARATOR_OCTET { star } else { star | percent };
        let masks = same.iter().zip(other).zip(self.stars.iter().zip(&self.percents));
        let (mut carry, mut alive) = (0, 0);
        for (place, ((same, other), (star, percent))) in places.iter_mut().zip(masks) {
            let consumed = *place & (same | other);
            let stayed = *place & wild(*star, *percent);
            *place = consumed << 1 | carry | stayed;
            carry = consumed >> 63;
            alive |= *place;
        }
        self.skip_wildcards(places);
        alive != 0
    }

    /// A wildcard may stand for nothing. As no two wildcards are neighbours, one step is all there is to it.
    fn skip_wildcards(&self, places: &mut [u64]) {
        let mut carry = 0;
        for (place, (star, percent)) in places.iter_mut().zip(self.stars.iter().zip(&self.percents)) {
            let wild = *place & (star | percent);
            *place |= wild << 1 | carry;
            carry = wild >> 63;
        }
    }

    fn literal(&self, octet: u8) -> &[u64] {
        let words = self.stars.len();
        let start = usize::from(octet) * words;
        self.literals.get(start..start + words).unwrap_or_default()
    }
}

impl Token {
    fn of(octet: u8) -> Self {
        match octet {
            b'*' => Self::Star,
            b'%' => Self::Percent,
            octet => Self::Literal(octet),
        }
    }
}

/// Whether any of the patterns matches this name.
pub fn matches_any(patterns: &[Pattern], name: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(name))
}

/// How many octets of the name are `INBOX` as its first level.
fn inbox_len(name: &str) -> usize {
    match name.strip_prefix(INBOX) {
        Some(rest) if rest.is_empty() || rest.starts_with(SEPARATOR) => INBOX.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wildcards_match_what_the_rfc_says() {
        // R3501-063, R3501-164, R3501-165, R3501-411
        let table: &[(&str, &str, bool)] = &[
            ("", "", true),
            ("", "a", false),
            ("a", "a", true),
            ("a", "A", false),
            ("a", "ab", false),
            ("ab", "a", false),
            ("*", "a/b/c", true),
            ("*", "a", true),
            ("%", "a", true),
            ("%", "a/b", false),
            ("a/%", "a", false),
            ("a/%", "a/b", true),
            ("a/%", "a/b/c", false),
            ("a/*", "a/b/c", true),
            ("a*", "a", true),
            ("a*", "a/b", true),
            ("a%", "ab", true),
            ("a%", "a/b", false),
            ("%/b", "a/b", true),
            ("%/b", "x/a/b", false),
            ("*/b", "x/a/b", true),
            ("%/%", "a/b", true),
            ("%/%", "a", false),
            ("%/%", "a/b/c", false),
            ("%a%b", "xxaxxb", true),
            ("%a/a%b", "a/ab", true),
            ("%a/a%b", "a/a/b", false),
            ("*%", "a/b", true),
            ("%*", "a/b", true),
            ("%%", "a/b", false),
            ("%%", "ab", true),
            ("a**c", "abc", true),
            ("Entw%rfe", "Entwürfe", true),
            ("*ü*", "Entwürfe", true),
            ("*Ü*", "Entwürfe", false),
            ("日%", "日本", true),
        ];
        for (pattern, name, expected) in table {
            assert_eq!(Pattern::new(pattern).matches(name), *expected, "{pattern:?} {name:?}");
        }
    }

    #[test]
    fn inbox_matches_in_any_case_and_only_as_the_first_level() {
        // R3501-168
        let table: &[(&str, &str, bool)] = &[
            ("inbox", "INBOX", true),
            ("InBoX", "INBOX", true),
            ("i%", "INBOX", true),
            ("*x", "INBOX", true),
            ("inbox/%", "INBOX/a", true),
            ("inbox*", "INBOX/a", true),
            ("inbox/A", "INBOX/a", false),
            ("INBOX", "INBOXES", false),
            ("inbox%", "INBOXES", false),
            ("inboxes", "inboxes", true),
            ("Inboxes", "inboxes", false),
            ("a/inbox", "a/INBOX", false),
            ("a/INBOX", "a/INBOX", true),
        ];
        for (pattern, name, expected) in table {
            assert_eq!(Pattern::new(pattern).matches(name), *expected, "{pattern:?} {name:?}");
        }
    }

    #[test]
    fn a_pattern_longer_than_a_machine_word_matches_across_the_words() {
        for len in [62, 63, 64, 65, 127, 128, 129, 300] {
            let name = "ab".repeat(len);
            let inner: String = name.chars().take(len).collect();
            assert!(Pattern::new(&inner).matches(&inner), "{len}");
            assert!(Pattern::new(&format!("{inner}*")).matches(&name), "{len}");
            assert!(
                Pattern::new(&format!("*{inner}")).matches(&format!("x/{inner}")),
                "{len}"
            );
            assert!(
                !Pattern::new(&format!("{inner}%")).matches(&format!("{inner}/")),
                "{len}"
            );
            assert!(!Pattern::new(&format!("{inner}x")).matches(&inner), "{len}");
        }
    }

    #[test]
    fn a_pattern_made_to_be_slow_is_not() {
        // A matcher that tries one way after the other needs longer than the universe is old for this.
        let pattern = Pattern::new(&format!("{}b", "*a%a".repeat(250)));
        let name = "a".repeat(1_000);
        for _ in 0..100 {
            assert!(!pattern.matches(&name));
        }
    }

    #[test]
    fn any_of_several_patterns_is_enough() {
        let patterns: Vec<Pattern> = ["a", "b%", ""].into_iter().map(Pattern::new).collect();
        assert!(matches_any(&patterns, "bc"));
        assert!(!matches_any(&patterns, "c"));
        assert!(!matches_any(&[], "a"));
    }

    fn naive(pattern: &[u8], name: &[u8]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((b'*', rest)) => (0..=name.len()).any(|n| naive(rest, &name[n..])),
            Some((b'%', rest)) => {
                let level = name.iter().position(|c| *c == b'/').unwrap_or(name.len());
                (0..=level).any(|n| naive(rest, &name[n..]))
            }
            Some((c, rest)) => name.first() == Some(c) && naive(rest, &name[1..]),
        }
    }

    proptest! {
        #[test]
        fn a_pattern_matches_what_the_naive_matcher_matches(pattern in "[ab/*%]{0,10}", name in "[ab/]{0,12}") {
            prop_assert_eq!(Pattern::new(&pattern).matches(&name), naive(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
