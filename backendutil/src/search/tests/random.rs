//! Random keys over random messages, against an evaluator that looks at everything.

use proptest::prelude::*;

use super::*;

/// A message as the naive evaluator sees it.
#[derive(Debug, Clone)]
pub(super) struct Plain {
    subject: Option<String>,
    other: Vec<String>,
    text: String,
    flags: Flags,
    seq: u32,
}

impl Plain {
    pub(super) fn mail(&self) -> Mail<'_> {
        let mut message = String::new();
        if let Some(subject) = &self.subject {
            message += &format!("Subject: {subject}\r\n");
        }
        for other in &self.other {
            message += &format!("X-Other: {other}\r\n");
        }
        let mut mail = Mail::new(message + "\r\n" + &self.text);
        mail.row.flags = &self.flags;
        mail.row.seq = Seq::new(self.seq).unwrap();
        mail
    }

    /// The texts of an area, each of which is searched on its own.
    pub(super) fn texts(&self, area: SoughtIn) -> Vec<String> {
        let subject = self.subject.iter().map(|text| format!("Subject: {text}\r\n"));
        let header: String = subject
            .chain(self.other.iter().map(|text| format!("X-Other: {text}\r\n")))
            .collect();
        match area {
            SoughtIn::Header => vec![header],
            SoughtIn::Body => vec![self.text.clone()],
            SoughtIn::Text => vec![header, self.text.clone()],
        }
    }

    pub(super) fn has(&self, key: &SearchKey) -> bool {
        let inside = |text: &str, needle: &str| text.to_lowercase().contains(&needle.to_lowercase());
        let fields: Vec<(&str, &String)> = self
            .subject
            .iter()
            .map(|value| ("Subject", value))
            .chain(self.other.iter().map(|value| ("X-Other", value)))
            .collect();
        match key {
            SearchKey::All => true,
            SearchKey::Has(flag) => self.flags.contains(flag),
            SearchKey::Set(NumSet::Seq(set)) => set.contains(Seq::new(self.seq).unwrap()),
            SearchKey::Header { name, value } => fields
                .iter()
                .any(|(n, text)| n.eq_ignore_ascii_case(name) && inside(text, value)),
            SearchKey::Body(needle) => inside(&self.text, needle),
            SearchKey::Text(needle) => {
                let header: String = fields
                    .iter()
                    .map(|(name, text)| format!("{name}: {text}\r\n"))
                    .collect();
                inside(&self.text, needle) || inside(&header, needle)
            }
            SearchKey::Not(key) => !self.has(key),
            SearchKey::And(keys) => keys.iter().all(|key| self.has(key)),
            SearchKey::Or(keys) => keys.iter().any(|key| self.has(key)),
            other => unreachable!("{other:?}"),
        }
    }
}

pub(super) fn plain() -> impl Strategy<Value = Plain> {
    let words = "[abAäÄ]{0,5}";
    (
        prop::option::of(words),
        prop::collection::vec(words, 0..3),
        "[abAäÄ\n]{0,12}",
        0..32_u8,
        1..6_u32,
    )
        .prop_map(|(subject, other, text, flags, seq)| Plain {
            subject,
            other,
            text: text.replace('\n', "\r\n"),
            flags: Flags::from_parts(flags, []),
            seq,
        })
}

pub(super) fn key() -> impl Strategy<Value = SearchKey> {
    let needle = "[abÄ]{0,3}";
    let leaf = prop_oneof![
        Just(SearchKey::All),
        prop::sample::select(SystemFlag::ALL.to_vec()).prop_map(has),
        (1..6_u32, 1..6_u32).prop_map(|(a, b)| seqs(a, b)),
        needle.prop_map(|value| header("subject", &value)),
        needle.prop_map(|value| header("X-OTHER", &value)),
        needle.prop_map(|value| body(&value)),
        needle.prop_map(|value| text(&value)),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(not),
            prop::collection::vec(inner.clone(), 1..5).prop_map(SearchKey::And),
            prop::collection::vec(inner, 1..5).prop_map(SearchKey::Or),
        ]
    })
}

proptest! {
    #[test]
    fn a_program_finds_what_the_naive_evaluator_finds(plain in plain(), key in key()) {
        prop_assert_eq!(plain.mail().matches(&key), plain.has(&key), "{:?}", key);
    }
}
