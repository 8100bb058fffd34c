//! Scenarios read from their files, with errors that name file, line and column.

mod cursor;
mod line;
mod steps;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use super::scenario::{Act, Begin, Messages, Need, Scenario, Slot, Start, StartMailbox, StartMessage, Step, Times};
use crate::catalogue;
pub use cursor::Error;
use cursor::{Cursor, Names, Wrong};
use steps::{InLine, Line};

/// Names that are bound before a scenario begins.
const BOUND: [&str; 15] = [
    "user",
    "password",
    "user2",
    "password2",
    "plain",
    "plain_wrong",
    "plain_as_self",
    "plain_as_other",
    "user64",
    "password64",
    "user264",
    "password264",
    "sep",
    "prefix",
    "today",
];

/// Reads a scenario. `shared` are the messages that every scenario can name.
///
/// # Errors
/// All that is wrong with it.
pub fn scenario(file: &str, name: &str, source: &str, shared: &Messages) -> Result<Scenario, Vec<Error>> {
    let mut reader = Head::new(shared);
    let read = reader.read(source).and_then(|steps| {
        let mut bound: BTreeSet<String> = BOUND.iter().map(|&name| name.to_owned()).collect();
        bound.extend(reader.mailboxes.iter().map(|b| b.key.clone()));
        let mut names = Names {
            messages: &reader.messages,
            bound,
        };
        let steps = steps::steps(&steps, &mut names)?;
        reader.whole(&steps)?;
        Ok(steps)
    });
    let steps = read.map_err(|(line, wrong)| {
        let text = source
            .lines()
            .nth((line as usize).saturating_sub(1))
            .unwrap_or_default();
        let before = text.get(..wrong.at.min(text.len())).unwrap_or(text);
        vec![Error {
            file: file.to_owned(),
            line,
            column: u32::try_from(before.chars().count())
                .unwrap_or(u32::MAX)
                .saturating_add(1),
            what: wrong.what,
        }]
    })?;
    Ok(Scenario {
        name: name.to_owned(),
        file: file.to_owned(),
        claim: reader.claim,
        rfc: reader.rfc.0,
        section: reader.rfc.1,
        covers: reader.covers,
        needs: reader.needs,
        group: reader.group,
        start: Start {
            mailboxes: reader.mailboxes,
        },
        begins: reader.begins,
        steps,
    })
}

fn is_known(id: &str) -> bool {
    static KNOWN: OnceLock<BTreeSet<&'static str>> = OnceLock::new();
    let known = KNOWN.get_or_init(|| catalogue::requirements().iter().map(|r| r.id).collect());
    known.contains(id)
}

/// The octets of a file of a message: its line ends become CR LF.
pub fn message_file(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() + octets.len() / 32);
    let mut before = 0;
    for octet in octets {
        if *octet == b'\n' && before != b'\r' {
            out.push(b'\r');
        }
        out.push(*octet);
        before = *octet;
    }
    out
}

/// The head as it is being read.
struct Head {
    messages: Messages,
    claim: String,
    rfc: (u32, String),
    covers: Vec<String>,
    needs: Vec<Need>,
    group: String,
    mailboxes: Vec<StartMailbox>,
    begins: Vec<(char, Begin)>,
    lines: u32,
}

fn wrong<T>(line: u32, at: usize, what: impl Into<String>) -> InLine<T> {
    let what = what.into();
    Err((line, Wrong { at, what }))
}

impl Head {
    fn new(shared: &Messages) -> Self {
        Self {
            messages: shared.clone(),
            claim: String::new(),
            rfc: (0, String::new()),
            covers: Vec::new(),
            needs: Vec::new(),
            group: "scenario".to_owned(),
            mailboxes: Vec::new(),
            begins: Vec::new(),
            lines: 0,
        }
    }

    /// Reads the head and gives back the lines behind it.
    fn read(&mut self, source: &str) -> InLine<Vec<Line>> {
        let all = (1..).zip(source.lines());
        let lines: Vec<Line> = all
            .map(|(number, text)| Line {
                number,
                text: text.trim_end().to_owned(),
            })
            .collect();
        self.lines = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        let Some(middle) = lines.iter().position(|l| l.text == "---") else {
            return wrong(self.lines.max(1), 0, "the line `---` between head and steps is missing");
        };
        let (head, steps) = lines.split_at(middle);
        if let Some(tab) = lines.iter().find(|l| l.text.starts_with('\t')) {
            return wrong(tab.number, 0, "lines are indented by spaces");
        }
        let Some((claim, head)) = head.split_first().filter(|(claim, _)| !claim.text.trim().is_empty()) else {
            return wrong(1, 0, "the first line is the claim, a sentence");
        };
        if !claim.text.ends_with('.') {
            return wrong(1, claim.text.len(), "the claim is a sentence and ends with a full stop");
        }
        self.claim.clone_from(&claim.text);
        // Messages first: mailboxes name them.
        let entries = entries(head)?;
        for (line, inner) in &entries {
            if let Some(name) = line.text.strip_prefix("message ").and_then(|t| t.strip_suffix(':')) {
                self.message(line.number, name, inner)?;
            }
        }
        for (line, inner) in &entries {
            self.entry(line, inner)?;
        }
        if self.rfc.0 == 0 {
            return wrong(1, 0, "`rfc:` is missing");
        }
        if self.covers.is_empty() {
            return wrong(1, 0, "`covers:` is missing");
        }
        if !self.mailboxes.iter().any(|b| b.key == "box") {
            let key = "box".to_owned();
            self.mailboxes.push(StartMailbox {
                key,
                exists: true,
                messages: Vec::new(),
            });
        }
        self.mailboxes.sort_by_key(|b| (b.key.len(), b.key.clone()));
        Ok(steps.iter().skip(1).cloned().collect())
    }

    fn message(&mut self, line: u32, name: &str, inner: &[Line]) -> InLine<()> {
        let mut octets = Vec::new();
        for inner in inner {
            let text = inner.text.trim_start();
            let Some(text) = text.strip_prefix('|') else {
                return wrong(inner.number, 0, "lines of a message stand behind `|`");
            };
            let text = text.strip_prefix(' ').unwrap_or(text);
            let at = inner.text.len() - text.len();
            let mut cursor = Cursor::new(&inner.text, at);
            let sent = cursor.message_line().map_err(|wrong| (inner.number, wrong))?;
            octets.extend(sent);
            octets.extend(b"\r\n");
        }
        if self.messages.insert(name.to_owned(), octets).is_some() {
            return wrong(line, 8, format!("there is another message `{name}`"));
        }
        Ok(())
    }

    fn entry(&mut self, line: &Line, inner: &[Line]) -> InLine<()> {
        let text = line.text.as_str();
        let number = line.number;
        if text.starts_with("message ") {
            return Ok(());
        }
        if let Some(begin) = begin(text) {
            if self.begins.iter().any(|(who, _)| *who == begin.0) {
                return wrong(number, 0, "how this client begins was said before");
            }
            self.begins.push(begin);
            return Ok(());
        }
        let Some((key, value)) = text.split_once(':') else {
            return wrong(number, 0, "no such line of a head");
        };
        let value_at = key.len() + 1;
        let value = value.trim();
        if key.starts_with("box") && key.get(3..).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit())) {
            return self.mailbox(number, key, value, inner);
        }
        if let Some(inner) = inner.first() {
            return wrong(inner.number, 0, "an indented line belongs to `box:` or `message NAME:`");
        }
        match key {
            "rfc" => {
                let (rfc, section) = value.split_once(' ').unwrap_or((value, ""));
                match rfc.parse() {
                    Ok(rfc) if !section.is_empty() => self.rfc = (rfc, section.to_owned()),
                    _ => return wrong(number, value_at, "the RFC's number and a section, such as `3501 6.4.6`"),
                }
            }
            "covers" => {
                for id in value.split_whitespace() {
                    if !is_known(id) {
                        let at = text.find(id).unwrap_or(value_at);
                        return wrong(number, at, format!("there is no requirement {id}"));
                    }
                    self.covers.push(id.to_owned());
                }
            }
            "needs" => self.needs.extend(value.split_whitespace().map(need)),
            "group" if matches!(value, "pipelining" | "concurrency" | "hostile") => self.group = value.to_owned(),
            "group" => return wrong(number, value_at, "a group is pipelining, concurrency or hostile"),
            _ => return wrong(number, 0, format!("no line `{key}:` belongs into a head")),
        }
        Ok(())
    }

    fn mailbox(&mut self, number: u32, key: &str, value: &str, inner: &[Line]) -> InLine<()> {
        let exists = match value {
            "" => true,
            "none" => false,
            _ => return wrong(number, key.len() + 1, "behind a mailbox stands `none` or nothing"),
        };
        if self.mailboxes.iter().any(|b| b.key == key) {
            return wrong(number, 0, format!("there is another `{key}:`"));
        }
        let mut messages = Vec::new();
        for line in inner {
            if !exists {
                return wrong(line.number, 0, "a mailbox that is not there has no messages");
            }
            messages.push(self.start_message(line)?);
        }
        let key = key.to_owned();
        self.mailboxes.push(StartMailbox { key, exists, messages });
        Ok(())
    }

    /// `plain (\Seen $Work) "17-Jul-1996 02:44:25 -0700"`
    fn start_message(&self, line: &Line) -> InLine<StartMessage> {
        let text = line.text.trim_start();
        let indent = line.text.len() - text.len();
        let (name, mut rest) = text.split_once(' ').unwrap_or((text, ""));
        let Some(octets) = self.messages.get(name) else {
            return wrong(line.number, indent, format!("there is no message `{name}`"));
        };
        let mut flags = Vec::new();
        if let Some(list) = rest.strip_prefix('(') {
            let Some((list, behind)) = list.split_once(')') else {
                return wrong(line.number, indent + name.len(), "`)` is missing");
            };
            flags = list.split_whitespace().map(str::to_owned).collect();
            rest = behind.trim_start();
        }
        let mut date = None;
        if let Some(quoted) = rest.strip_prefix('"') {
            let inner = quoted
                .strip_suffix('"')
                .filter(|d| super::value::is_date_time(d.as_bytes()));
            let Some(inner) = inner else {
                return wrong(
                    line.number,
                    line.text.len() - rest.len(),
                    "no date such as \"17-Jul-1996 02:44:25 -0700\"",
                );
            };
            date = Some(inner.to_owned());
            rest = "";
        }
        if !rest.is_empty() {
            return wrong(
                line.number,
                line.text.len() - rest.len(),
                "behind a message stand (flags) and \"date\"",
            );
        }
        Ok(StartMessage {
            octets: octets.clone(),
            flags,
            date,
        })
    }

    /// What can be said of a scenario only as a whole.
    fn whole(&self, steps: &[Step]) -> InLine<()> {
        for (_, begin) in &self.begins {
            if let Begin::Selected { mailbox, .. } = begin
                && mailbox != "INBOX"
                && !self.mailboxes.iter().any(|b| b.key == *mailbox && b.exists)
            {
                return wrong(1, 0, format!("there is no mailbox <{mailbox}> to be selected"));
            }
        }
        let must = |slot: &Slot| match slot {
            Slot::Barrier(expected) => is_needed(expected.times),
            Slot::Lines(lines) => lines.iter().flatten().any(|e| is_needed(e.times)),
        };
        let asserts = |step: &Step| match &step.act {
            Act::Hear(block) => block.slots.iter().any(must),
            Act::HearNothing | Act::Disconnected | Act::Check { .. } => true,
            _ => false,
        };
        if !steps.iter().any(asserts) {
            return wrong(
                self.lines.max(1),
                0,
                "nothing must come back: this scenario asserts nothing",
            );
        }
        if let Some(step) = steps
            .iter()
            .find(|s| matches!(&s.act, Act::Hear(b) if b.slots.is_empty() && b.never.is_empty()))
        {
            return wrong(step.line, 0, "nothing is listed here");
        }
        Ok(())
    }
}

fn is_needed(times: Times) -> bool {
    matches!(times, Times::Once | Times::Later)
}

/// The lines of a head, each with the indented ones behind it; remarks are left out.
fn entries(head: &[Line]) -> InLine<Vec<(Line, Vec<Line>)>> {
    let mut entries: Vec<(Line, Vec<Line>)> = Vec::new();
    for line in head {
        let text = line.text.as_str();
        if text.trim().is_empty() || text.starts_with('#') {
            continue;
        }
        if !text.starts_with(' ') {
            entries.push((line.clone(), Vec::new()));
            continue;
        }
        match entries.last_mut() {
            Some((_, inner)) => inner.push(line.clone()),
            None => return wrong(line.number, 0, "an indented line belongs to `box:` or `message NAME:`"),
        }
    }
    Ok(entries)
}

fn need(word: &str) -> Need {
    match word {
        "user2" => Need::SecondUser,
        "tls" => Need::Tls,
        "inbox" => Need::Inbox,
        "hierarchy" => Need::Hierarchy,
        "starttls" => Need::StartTls,
        _ => match word.strip_prefix('!') {
            Some(name) => Need::Without(name.to_ascii_uppercase()),
            None => Need::Capability(word.to_ascii_uppercase()),
        },
    }
}

/// `A is selected in <box>`
fn begin(text: &str) -> Option<(char, Begin)> {
    let (who, state) = text.split_once(" is ")?;
    let mut chars = who.chars();
    let who = chars.next().filter(char::is_ascii_uppercase)?;
    if chars.next().is_some() {
        return None;
    }
    let mailbox = |rest: &str| {
        let inner = rest.strip_prefix('<').and_then(|r| r.strip_suffix('>'));
        inner.or((rest == "INBOX").then_some(rest)).map(str::to_owned)
    };
    let begin = match state {
        "new" => Begin::New,
        "connected" => Begin::Connected,
        "authenticated" => Begin::Authenticated { second: false },
        "authenticated as user2" => Begin::Authenticated { second: true },
        _ => {
            let selected = state.strip_prefix("selected in ").map(|rest| (rest, false));
            let (rest, read_only) = selected.or_else(|| state.strip_prefix("examining ").map(|rest| (rest, true)))?;
            Begin::Selected {
                mailbox: mailbox(rest)?,
                read_only,
            }
        }
    };
    Some((who, begin))
}
