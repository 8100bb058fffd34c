//! Scenarios read from their files, with errors that name file, line and column.

mod cursor;
mod line;
mod spelling;
mod steps;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use super::scenario::{Act, Begin, Messages, Need, Scenario, Slot, Start, StartMailbox, StartMessage, Step, Times};
use crate::catalogue;
pub use cursor::Error;
use cursor::{Cursor, Names, no_message};
use spelling::{capability_meant, is_capability, meant};
use steps::{Found, Line};

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
/// All that is wrong with it, in the order of its lines: one thing in a line of the steps.
pub fn scenario(file: &str, name: &str, source: &str, shared: &Messages) -> Result<Scenario, Vec<Error>> {
    let mut reader = Head::new(shared);
    let steps = reader.read(source);
    let second = reader.needs.contains(&Need::SecondUser);
    let fits = |name: &str| second || !name.contains("user2") && !name.contains("password2");
    let known = BOUND.into_iter().filter(|name| fits(name));
    let mut bound: BTreeSet<String> = known.map(str::to_owned).collect();
    bound.extend(reader.mailboxes.iter().map(|b| b.key.clone()));
    let messages = std::mem::take(&mut reader.messages);
    let mut names = Names::new(&messages, bound);
    let mut found = std::mem::take(&mut reader.found);
    let before = found.len();
    let steps = steps::steps(&steps, &mut names, &mut found);
    let as_a_whole = found.len() == before && !reader.is_cut;
    found.extend(reader.whole(as_a_whole.then_some(&steps)));
    if !found.is_empty() {
        return Err(errors(file, source, found));
    }
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

/// What was found, with columns in characters. Of a line behind the head only the first is kept: the rest may follow from
/// it, and a loop finds the same again.
fn errors(file: &str, source: &str, mut found: Vec<Found>) -> Vec<Error> {
    found.sort_by_key(|found| found.number);
    let head = source.lines().position(|line| line.trim_end() == "---");
    let head = head.map_or(u32::MAX, |line| u32::try_from(line).unwrap_or(u32::MAX));
    found.dedup_by(|later, first| {
        later.number == first.number && (first.number > head || (later.at, &later.what) == (first.at, &first.what))
    });
    let error = |Found { number, at, what }| {
        let text = source
            .lines()
            .nth((number as usize).saturating_sub(1))
            .unwrap_or_default();
        let before = text.get(..at.min(text.len())).unwrap_or(text);
        let column = u32::try_from(before.chars().count()).unwrap_or(u32::MAX);
        Error {
            file: file.to_owned(),
            line: number,
            column: column.saturating_add(1),
            what,
        }
    };
    found.into_iter().map(error).collect()
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
    /// The lines of those.
    begun: Vec<u32>,
    lines: u32,
    /// What is wrong.
    found: Vec<Found>,
    /// There is no end of the head, so nothing can be said of the steps.
    is_cut: bool,
    /// `rfc:` or `covers:` was there, right or wrong.
    cites: (bool, bool),
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
            begun: Vec::new(),
            lines: 0,
            found: Vec::new(),
            is_cut: false,
            cites: (false, false),
        }
    }

    fn wrong(&mut self, number: u32, at: usize, what: impl Into<String>) {
        let what = what.into();
        self.found.push(Found { number, at, what });
    }

    /// Reads the head and gives back the lines behind it.
    fn read(&mut self, source: &str) -> Vec<Line> {
        let all = (1..).zip(source.lines());
        let lines: Vec<Line> = all.map(|(number, text)| Line::new(number, text.trim_end())).collect();
        self.lines = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        let Some(middle) = lines.iter().position(|l| l.text == "---") else {
            self.is_cut = true;
            let last = self.lines.max(1);
            self.wrong(last, 0, "the line `---` between head and steps is missing");
            return Vec::new();
        };
        let (head, steps) = lines.split_at(middle);
        for tab in lines.iter().filter(|l| l.text.starts_with('\t')) {
            self.wrong(tab.number, 0, "lines are indented by spaces");
        }
        match head.split_first() {
            Some((claim, head)) if !claim.text.trim().is_empty() => {
                if !claim.text.ends_with('.') {
                    let end = claim.text.len();
                    self.wrong(1, end, "the claim is a sentence and ends with a full stop");
                }
                self.claim.clone_from(&claim.text);
                self.entries(head);
            }
            _ => {
                self.wrong(1, 0, "the first line is the claim, a sentence");
                self.entries(head);
            }
        }
        if !self.cites.0 {
            self.wrong(1, 0, "`rfc:` is missing");
        }
        if !self.cites.1 {
            self.wrong(1, 0, "`covers:` is missing");
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
        // What is behind a tab was told.
        let steps = steps.iter().skip(1).filter(|l| !l.text.starts_with('\t'));
        steps.cloned().collect()
    }

    /// The lines behind the claim.
    fn entries(&mut self, head: &[Line]) {
        let mut entries: Vec<(&Line, Vec<&Line>)> = Vec::new();
        for line in head {
            let text = line.text.as_str();
            if text.trim().is_empty() || text.starts_with('#') || text.starts_with('\t') {
                continue;
            }
            match entries.last_mut() {
                _ if !text.starts_with(' ') => entries.push((line, Vec::new())),
                Some((_, inner)) => inner.push(line),
                None => self.wrong(line.number, 0, "an indented line belongs to `box:` or `message NAME:`"),
            }
        }
        // Messages first: mailboxes name them.
        for (line, inner) in &entries {
            if let Some(name) = line.text.strip_prefix("message ").and_then(|t| t.strip_suffix(':')) {
                self.message(line.number, name, inner);
            }
        }
        for (line, inner) in &entries {
            self.entry(line, inner);
        }
    }

    fn message(&mut self, line: u32, name: &str, inner: &[&Line]) {
        let mut octets = Vec::new();
        for inner in inner {
            let text = inner.text.trim_start();
            let Some(text) = text.strip_prefix('|') else {
                self.wrong(inner.number, 0, "lines of a message stand behind `|`");
                continue;
            };
            let text = text.strip_prefix(' ').unwrap_or(text);
            let at = inner.text.len() - text.len();
            match Cursor::new(&inner.text, at).message_line() {
                Ok(sent) => octets.extend(sent),
                Err(wrong) => self.wrong(inner.number, wrong.at, wrong.what),
            }
            octets.extend(b"\r\n");
        }
        if self.messages.insert(name.to_owned(), octets).is_some() {
            self.wrong(line, 8, format!("there is another message `{name}`"));
        }
    }

    fn entry(&mut self, line: &Line, inner: &[&Line]) {
        let text = line.text.as_str();
        let number = line.number;
        if text.starts_with("message ") {
            return;
        }
        if let Some(begin) = begin(text) {
            if self.begins.iter().any(|(who, _)| *who == begin.0) {
                self.wrong(number, 0, "how this client begins was said before");
            }
            self.begins.push(begin);
            self.begun.push(number);
            return;
        }
        let Some((key, value)) = text.split_once(':') else {
            return self.wrong(number, 0, "no such line of a head");
        };
        let value_at = key.len() + 1;
        let value = value.trim();
        if key.starts_with("box") && key.get(3..).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit())) {
            return self.mailbox(number, key, value, inner);
        }
        if let Some(inner) = inner.first() {
            self.wrong(inner.number, 0, "an indented line belongs to `box:` or `message NAME:`");
        }
        match key {
            "rfc" => {
                self.cites.0 = true;
                let (rfc, section) = value.split_once(' ').unwrap_or((value, ""));
                match rfc.parse() {
                    Ok(rfc) if !section.is_empty() => self.rfc = (rfc, section.to_owned()),
                    _ => self.wrong(number, value_at, "the RFC's number and a section, such as `3501 6.4.6`"),
                }
            }
            "covers" => {
                for (at, id) in words(text, value_at) {
                    self.cites.1 = true;
                    if is_known(id) {
                        self.covers.push(id.to_owned());
                    } else {
                        self.wrong(number, at, format!("there is no requirement {id}"));
                    }
                }
            }
            "needs" => {
                for (at, word) in words(text, value_at) {
                    let need = need(word);
                    if let Need::Capability(name) | Need::Without(name) = &need
                        && !is_capability(name)
                    {
                        let meant = capability_meant(word.trim_start_matches('!'));
                        self.wrong(number, at, format!("no capability is called {name}{meant}"));
                    }
                    self.needs.push(need);
                }
            }
            "group" if matches!(value, "pipelining" | "concurrency" | "hostile") => self.group = value.to_owned(),
            "group" => self.wrong(number, value_at, "a group is pipelining, concurrency or hostile"),
            _ => {
                let known = ["rfc", "covers", "needs", "group", "box", "message"];
                let meant = meant(key, known.into_iter());
                self.wrong(number, 0, format!("no line `{key}:` belongs into a head{meant}"));
            }
        }
    }

    fn mailbox(&mut self, number: u32, key: &str, value: &str, inner: &[&Line]) {
        let exists = match value {
            "" => true,
            "none" => false,
            _ => {
                self.wrong(number, key.len() + 1, "behind a mailbox stands `none` or nothing");
                true
            }
        };
        if self.mailboxes.iter().any(|b| b.key == key) {
            self.wrong(number, 0, format!("there is another `{key}:`"));
        }
        let mut messages = Vec::new();
        for line in inner {
            if !exists {
                self.wrong(line.number, 0, "a mailbox that is not there has no messages");
                break;
            }
            match self.start_message(line) {
                Ok(message) => messages.push(message),
                Err(found) => self.found.push(found),
            }
        }
        let key = key.to_owned();
        self.mailboxes.push(StartMailbox { key, exists, messages });
    }

    /// `plain (\Seen $Work) "17-Jul-1996 02:44:25 -0700"`
    fn start_message(&self, line: &Line) -> Result<StartMessage, Found> {
        let text = line.text.trim_start();
        let indent = line.text.len() - text.len();
        let (name, mut rest) = text.split_once(' ').unwrap_or((text, ""));
        let Some(octets) = self.messages.get(name) else {
            return Err(line.wrong(indent, no_message(name, &self.messages)));
        };
        let mut flags = Vec::new();
        if let Some(list) = rest.strip_prefix('(') {
            let Some((list, behind)) = list.split_once(')') else {
                return Err(line.wrong(indent + name.len(), "`)` is missing"));
            };
            flags = list.split_whitespace().map(str::to_owned).collect();
            rest = behind.trim_start();
        }
        let mut date = None;
        let at = line.text.len() - rest.len();
        if let Some(quoted) = rest.strip_prefix('"') {
            let inner = quoted
                .strip_suffix('"')
                .filter(|d| super::value::is_date_time(d.as_bytes()));
            let Some(inner) = inner else {
                return Err(line.wrong(at, "no date such as \"17-Jul-1996 02:44:25 -0700\""));
            };
            date = Some(inner.to_owned());
            rest = "";
        }
        if !rest.is_empty() {
            return Err(line.wrong(at, "behind a message stand (flags) and \"date\""));
        }
        Ok(StartMessage {
            octets: octets.clone(),
            flags,
            date,
        })
    }

    /// What can be said of a scenario only as a whole; of its steps where all could be read.
    fn whole(&self, steps: Option<&Vec<Step>>) -> Vec<Found> {
        let mut found = Vec::new();
        let mut wrong = |number: u32, what: String| found.push(Found { number, at: 0, what });
        for ((_, begin), line) in self.begins.iter().zip(&self.begun) {
            match begin {
                Begin::Selected { mailbox, .. }
                    if mailbox != "INBOX" && !self.mailboxes.iter().any(|b| b.key == *mailbox && b.exists) =>
                {
                    wrong(*line, format!("there is no mailbox <{mailbox}> to be selected"));
                }
                Begin::Authenticated { second: true } if !self.needs.contains(&Need::SecondUser) => {
                    wrong(
                        *line,
                        "there is a second user where the head has `needs: user2`".to_owned(),
                    );
                }
                _ => {}
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
        let Some(steps) = steps else { return found };
        if !steps.iter().any(asserts) {
            let what = "nothing must come back: this scenario asserts nothing";
            wrong(self.lines.max(1), what.to_owned());
        }
        let empty = |s: &&Step| matches!(&s.act, Act::Hear(b) if b.slots.is_empty() && b.never.is_empty());
        for step in steps.iter().filter(empty) {
            wrong(step.line, "nothing is listed here".to_owned());
        }
        found
    }
}

/// The words of a line from here on, with their places.
fn words(line: &str, from: usize) -> impl Iterator<Item = (usize, &str)> {
    let mut at = from;
    line.get(from..).unwrap_or_default().split(' ').filter_map(move |word| {
        let place = at;
        at += word.len() + 1;
        (!word.is_empty()).then_some((place, word))
    })
}

fn is_needed(times: Times) -> bool {
    matches!(times, Times::Once | Times::Later)
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
