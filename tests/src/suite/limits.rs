//! What a scenario asks of a backend beyond reading, so that one that can only be read is not asked.

use super::scenario::{Act, Begin, CodePattern, Expected, Pat, Pattern, Piece, Scenario, Sent, Slot, StartMessage};

/// Commands that change something.
const CHANGING: [&str; 12] = [
    "STORE",
    "EXPUNGE",
    "APPEND",
    "COPY",
    "MOVE",
    "CREATE",
    "DELETE",
    "RENAME",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "SETACL",
    "SETMETADATA",
];

/// Why a scenario cannot be played on mailboxes that can only be read; none when it can.
pub(super) fn of_reading(scenario: &Scenario) -> Option<String> {
    for step in &scenario.steps {
        match &step.act {
            Act::Send { text, .. } => {
                let deleted = scenario
                    .start
                    .mailboxes
                    .iter()
                    .flat_map(|m| &m.messages)
                    .any(has_deleted);
                if deleted && words(text).get(1).is_some_and(|word| word == "CLOSE") {
                    return Some("the backend can only be read: CLOSE".to_owned());
                }
                if let Some(word) = changes(text) {
                    return Some(format!("the backend can only be read: {word}"));
                }
            }
            Act::Hear(block) => {
                let lines = block.slots.iter().flat_map(|slot| match slot {
                    Slot::Lines(lines) => lines.iter().flatten().collect::<Vec<_>>(),
                    Slot::Barrier(expected) => vec![expected],
                });
                if lines.into_iter().any(expects_writing) {
                    return Some("the backend can only be read: READ-WRITE".to_owned());
                }
            }
            _ => {}
        }
    }
    let marks = |(_, begin): &(char, Begin)| matches!(begin, Begin::Selected { read_only: false, .. });
    let selected = scenario.begins.iter().any(marks);
    let seen = scenario
        .steps
        .iter()
        .any(|step| matches!(&step.act, Act::Send { text, .. } if sets_seen(text)));
    (selected && seen).then(|| "the backend can only be read: FETCH sets \\Seen".to_owned())
}

fn has_deleted(message: &StartMessage) -> bool {
    message.flags.iter().any(|flag| flag.eq_ignore_ascii_case("\\Deleted"))
}

fn words(text: &[Sent]) -> Vec<String> {
    let octets = text.iter().filter_map(|piece| match piece {
        Sent::Octets(octets) => Some(String::from_utf8_lossy(octets).to_ascii_uppercase()),
        _ => None,
    });
    let whole = octets.collect::<Vec<_>>().join(" ");
    whole.split_whitespace().map(str::to_owned).collect()
}

/// The command of a line that changes something. `UID` stands in front of some.
fn changes(text: &[Sent]) -> Option<&'static str> {
    let words = words(text);
    let command = words.iter().skip(1).find(|word| *word != "UID")?;
    CHANGING.into_iter().find(|changing| command == changing)
}

/// Whether a FETCH marks what it fetches.
fn sets_seen(text: &[Sent]) -> bool {
    let words = words(text);
    let plain = |word: &String| {
        let word = word.trim_start_matches('(').trim_end_matches(')');
        word.starts_with("BODY[") || word.starts_with("BINARY[") || matches!(word, "RFC822" | "RFC822.TEXT")
    };
    words.iter().any(|word| word == "FETCH") && words.iter().any(plain)
}

fn expects_writing(expected: &Expected) -> bool {
    let mut of = expected
        .alternatives
        .iter()
        .map(|alternative| match &alternative.pattern {
            Pattern::Status {
                code: CodePattern::Is(pats),
                ..
            } => match pats.first() {
                Some(Pat::Atom(name)) => {
                    let is = |word: &[u8]| *name == [Piece::Octets(word.to_vec())];
                    is(b"READ-WRITE") || (is(b"PERMANENTFLAGS") && pats.get(1) != Some(&Pat::List(Vec::new())))
                }
                _ => false,
            },
            _ => false,
        });
    // Where something else may come instead, let it.
    of.all(|writing| writing)
}
