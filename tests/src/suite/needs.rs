//! What a scenario needs, and whether a server has it: otherwise it is skipped, with the reason.

use super::place::Facts;
use super::scenario::{
    Act, Begin, CodePattern, Expected, Need, Pat, Pattern, Piece, Scenario, Sent, Slot, StartMessage,
};
use super::target::{Security, Target};

/// Why a server lacks what a scenario needs; none when it has all.
pub fn lacks(scenario: &Scenario, target: &dyn Target, facts: &Facts) -> Option<String> {
    for need in &scenario.needs {
        let lacking = match need {
            Need::Capability(name) if !facts.has(name) => format!("no capability {name}"),
            Need::Without(name) if facts.has(name) => format!("there is the capability {name}"),
            Need::SecondUser if target.second().is_none() => "no second account".to_owned(),
            Need::Tls if target.security() == Security::Plain => "no TLS".to_owned(),
            Need::Hierarchy if facts.separator.is_none() => "no hierarchy of mailboxes".to_owned(),
            Need::Inbox if !target.owns_inbox() => "INBOX must not be changed".to_owned(),
            Need::StartTls if !facts.before_login.iter().any(|c| c == "STARTTLS") => "no STARTTLS".to_owned(),
            _ => continue,
        };
        return Some(lacking);
    }
    if target.is_read_only()
        && let Some(limit) = of_reading(scenario)
    {
        return Some(limit);
    }
    // What logs in by itself does so without TLS in front of STARTTLS.
    let disabled = facts.before_login.iter().any(|c| c == "LOGINDISABLED");
    let raw = |(_, begin): &(char, Begin)| matches!(begin, Begin::New);
    let connects = scenario.steps.iter().any(|step| matches!(step.act, Act::Connect));
    let by_itself = scenario.begins.iter().any(raw) || connects;
    if disabled && by_itself && !scenario.needs.contains(&Need::StartTls) {
        return Some("no login without TLS".to_owned());
    }
    None
}

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
fn of_reading(scenario: &Scenario) -> Option<String> {
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
