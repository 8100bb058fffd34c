//! What stands behind the head: steps, blocks of heard lines, loops.

use super::super::scenario::{
    Act, Alternative, Block, Comparison, Expected, Pat, Pattern, Slot, Step, Sum, Summand, Then, Times,
};
use super::cursor::{Cursor, Names, Parsed, Wrong};
use super::spelling::meant;

/// A line of a file; what stands for the name of a loop is put in.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) number: u32,
    pub(super) text: String,
    /// What was put in, in the order of the places.
    put_in: Vec<PutIn>,
}

/// A value in the place of `<NAME>`.
#[derive(Debug, Clone)]
struct PutIn {
    /// Where in the line as it is now, and how long.
    at: usize,
    len: usize,
    name: String,
}

/// What is wrong at which octet of which line of a file.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) number: u32,
    pub(super) at: usize,
    pub(super) what: String,
}

impl Line {
    pub(super) fn new(number: u32, text: &str) -> Self {
        Self {
            number,
            text: text.to_owned(),
            put_in: Vec::new(),
        }
    }

    /// Something is wrong here. Within and behind what was put in, the place is that of the file's own line.
    pub(super) fn wrong(&self, at: usize, what: impl Into<String>) -> Found {
        let mut what = what.into();
        let mut place = at;
        for PutIn { at: from, len, name } in self.put_in.iter().rev() {
            let hole = name.len() + 2;
            if at >= from + len {
                place = place + hole - len;
            } else if at > *from {
                place -= at - from;
            }
        }
        if let [PutIn { at, len, name }, ..] = self.put_in.as_slice() {
            let value = self.text.get(*at..at + len).unwrap_or_default();
            what.push_str(&format!(" (where <{name}> is {value})"));
        }
        let number = self.number;
        Found {
            number,
            at: place,
            what,
        }
    }

    fn holds(&self, wrong: Wrong) -> Found {
        self.wrong(wrong.at, wrong.what)
    }

    /// The line with a value in the place of each `<NAME>`.
    fn with(&self, name: &str, value: &str) -> Self {
        let hole = format!("<{name}>");
        let (mut text, mut put_in) = (String::new(), Vec::new());
        let mut rest = self.text.as_str();
        while let Some((before, behind)) = rest.split_once(&hole) {
            text.push_str(before);
            put_in.push(PutIn {
                at: text.len(),
                len: value.len(),
                name: name.to_owned(),
            });
            text.push_str(value);
            rest = behind;
        }
        text.push_str(rest);
        Self {
            number: self.number,
            text,
            put_in,
        }
    }
}

/// Loops, unrolled: `<NAME>` is replaced by each of the values in turn.
pub(super) fn unrolled(lines: &[Line], found: &mut Vec<Found>) -> Vec<Line> {
    let mut out = Vec::new();
    let mut rest = lines.iter();
    while let Some(line) = rest.next() {
        if line.text == "next" {
            found.push(line.wrong(0, "`next` without `for`"));
            continue;
        }
        let Some(name) = line.text.strip_prefix("for ").and_then(|t| t.strip_suffix(" in")) else {
            out.push(line.clone());
            continue;
        };
        let mut values = Vec::new();
        let mut body = Vec::new();
        let mut ended = false;
        for inner in rest.by_ref() {
            let value = inner.text.trim_start().strip_prefix('|').filter(|_| body.is_empty());
            match value {
                Some(value) => values.push(value.strip_prefix(' ').unwrap_or(value).to_owned()),
                None if inner.text == "next" => {
                    ended = true;
                    break;
                }
                None if inner.text.starts_with("for ") => found.push(inner.wrong(0, "loops do not nest")),
                None => body.push(inner.clone()),
            }
        }
        if !ended || values.is_empty() || body.is_empty() {
            found.push(line.wrong(0, "`for NAME in`, lines `| value`, steps, `next`"));
        }
        for value in &values {
            out.extend(body.iter().map(|line| line.with(name, value)));
        }
    }
    out
}

/// The steps, and all that is wrong with them: one thing in a line, however often a loop plays it.
pub(super) fn steps(lines: &[Line], names: &mut Names<'_>, found: &mut Vec<Found>) -> Vec<Step> {
    let lines = unrolled(lines, found);
    let mut steps: Vec<Step> = Vec::new();
    let mut client = None;
    let mut index = 0;
    while let Some(line) = lines.get(index) {
        let text = line.text.as_str();
        index += 1;
        if text.trim().is_empty() || text.starts_with('#') {
            continue;
        }
        let number = line.number;
        if text.starts_with("  ") {
            let end = lines.iter().skip(index).position(|l| !belongs_to_block(&l.text));
            let end = end.map_or(lines.len(), |more| index + more);
            let block = lines.get(index - 1..end).unwrap_or_default();
            index = end;
            if client.is_none() {
                found.push(line.wrong(0, "who hears this? a step of a client stands before"));
            }
            names.line = index - block.len();
            let act = Act::Hear(self::block(block, names, found));
            steps.push(Step {
                line: number,
                client: client.unwrap_or('A'),
                act,
            });
            continue;
        }
        let read = match text.strip_prefix("check:") {
            Some(check) => self::check(text, check, names).map(|act| (client.unwrap_or('A'), Some(act))),
            None => self::step(text, names).inspect(|(who, _)| client = Some(*who)),
        };
        match read {
            Ok((who, Some(act))) => steps.push(Step {
                line: number,
                client: who,
                act,
            }),
            Ok((_, None)) => {}
            Err(wrong) => {
                // What follows is heard by whoever was probably meant, and what was probably bound is.
                client = client
                    .or(text.chars().next().filter(char::is_ascii_uppercase))
                    .or(Some('A'));
                names.suppose(text);
                found.push(line.holds(wrong));
            }
        }
    }
    found.extend(names.misspelt(&lines));
    steps
}

fn belongs_to_block(text: &str) -> bool {
    text.starts_with("  ") || text.starts_with('#')
}

/// A line of a client; none for `A hears`.
fn step(text: &str, names: &mut Names<'_>) -> Parsed<(char, Option<Act>)> {
    let mut cursor = Cursor::new(text, 0);
    let who = match cursor.next() {
        Some(who) if who.is_ascii_uppercase() => who,
        _ => {
            return Err(Wrong {
                at: 0,
                what: "a step begins with a client, `A` to `Z`".into(),
            });
        }
    };
    let rest = cursor.rest();
    for (opening, escapes, slowly, newline) in [
        (":", false, false, true),
        (">", true, false, false),
        (" slowly:", false, true, true),
    ] {
        if cursor.take(opening) {
            if !cursor.take(" ") && cursor.peek().is_some() {
                return cursor.wrong("a space is missing");
            }
            let mut text = cursor.sent(names, escapes, false)?;
            if newline {
                text.push(super::super::scenario::Sent::Octets(b"\r\n".to_vec()));
            }
            return Ok((who, Some(Act::Send { text, slowly })));
        }
    }
    let act = match rest {
        " hears" => None,
        " hears nothing" => Some(Act::HearNothing),
        " closes" => Some(Act::Close),
        " is disconnected" => Some(Act::Disconnected),
        " starts tls" => Some(Act::StartTls { or_end: false }),
        " starts tls => end" => Some(Act::StartTls { or_end: true }),
        " compresses" => Some(Act::Compress),
        " connects" => Some(Act::Connect),
        _ => {
            let known = [
                "hears",
                "hears nothing",
                "closes",
                "is disconnected",
                "starts tls",
                "compresses",
                "connects",
                "slowly:",
            ];
            let meant = meant(rest.trim_start(), known.into_iter());
            return cursor.wrong(format!("no such step{meant}"));
        }
    };
    Ok((who, act))
}

/// `check: new > old or uid2 >= uid1 + 1`
fn check(line: &str, check: &str, names: &mut Names<'_>) -> Parsed<Act> {
    let offset = line.len() - check.len();
    let mut any = Vec::new();
    for one in check.split(" or ") {
        any.push(comparison(offset, one, names)?);
    }
    Ok(Act::Check {
        any,
        text: check.trim().to_owned(),
    })
}

fn comparison(offset: usize, text: &str, names: &mut Names<'_>) -> Parsed<Comparison> {
    let wrong = |what: &str| Wrong {
        at: offset,
        what: what.to_owned(),
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_relation = |w: &&str| matches!(*w, "<" | "<=" | "=" | "!=" | ">" | ">=");
    let Some(middle) = words.iter().position(is_relation) else {
        return Err(wrong("a comparison has one of < <= = != > >= between spaces"));
    };
    let (left, right) = words.split_at(middle);
    let (relation, right) = right.split_first().ok_or_else(|| wrong("nothing to compare with"))?;
    let mut sum = |words: &[&str]| -> Parsed<Sum> {
        let mut sum = Sum::new();
        for (index, word) in words.iter().enumerate() {
            if index % 2 == 1 {
                if *word != "+" {
                    return Err(wrong("only `+` stands between names and numbers"));
                }
                continue;
            }
            let name = word.trim_start_matches('<').trim_end_matches('>');
            sum.push(match name.parse() {
                Ok(number) => Summand::Number(number),
                Err(_) if names.uses(name) => Summand::Name(name.to_owned()),
                Err(_) => return Err(wrong(&names.unbound(name))),
            });
        }
        if words.len().is_multiple_of(2) {
            Err(wrong("a name or number is missing"))
        } else {
            Ok(sum)
        }
    };
    Ok(Comparison {
        left: sum(left)?,
        relation: (*relation).to_owned(),
        right: sum(right)?,
    })
}

/// The lines heard after a step.
fn block(lines: &[Line], names: &mut Names<'_>, found: &mut Vec<Found>) -> Block {
    let mut block = Block::default();
    // The sequence of an `ordered` that is not yet at its end.
    let mut ordered: Option<(&Line, Vec<Expected>)> = None;
    // Where an `unordered` began that is not yet at its end.
    let mut unordered = None;
    let mut last = Last::None;
    let first = names.line;
    for (index, line) in lines.iter().enumerate() {
        names.line = first + index;
        let text = line.text.trim_start();
        let indent = line.text.len() - text.len();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        match text {
            "nothing else" => {
                block.strict = true;
                continue;
            }
            "unordered" if ordered.is_none() && unordered.is_none() => {
                unordered = Some(line);
                block.slots.push(Slot::Lines(Vec::new()));
                last = Last::None;
                continue;
            }
            "end" if unordered.is_some() => {
                unordered = None;
                block.slots.push(Slot::Lines(Vec::new()));
                last = Last::None;
                continue;
            }
            "ordered" if ordered.is_none() && unordered.is_none() => {
                ordered = Some((line, Vec::new()));
                last = Last::None;
                continue;
            }
            "end" if ordered.is_some() => {
                if let Some((_, sequence)) = ordered.take() {
                    push_line(&mut block, sequence);
                }
                last = Last::None;
                continue;
            }
            _ => {}
        }
        let mut cursor = Cursor::new(&line.text, indent);
        if cursor.take("or ") {
            let Some(alternative) = read(cursor, line, names, found) else {
                continue;
            };
            match expected(&mut block, &mut ordered, last) {
                Some(expected) => expected.alternatives.push(alternative),
                None if last == Last::Unread => {}
                None => found.push(line.wrong(indent, "`or` stands behind a line that is expected")),
            }
            // What may be EXPUNGE lets nothing pass.
            if unordered.is_none() {
                last = raised(&mut block, last);
            }
            continue;
        }
        let times = match () {
            () if cursor.take("? ") => Times::Maybe,
            () if cursor.take("~ ") => Times::Any,
            () if cursor.take("later ") => Times::Later,
            () if cursor.take("! ") => {
                // What does not come binds nothing.
                let before = names.bound.clone();
                block.never.extend(read(cursor, line, names, found));
                names.bound = before;
                last = Last::None;
                continue;
            }
            () => Times::Once,
        };
        let Some(alternative) = read(cursor, line, names, found) else {
            // An `or` behind it belongs to what could not be read.
            last = Last::Unread;
            continue;
        };
        let barrier =
            unordered.is_none() && is_barrier(&alternative.pattern) && matches!(times, Times::Once | Times::Maybe);
        let expected = Expected {
            times,
            alternatives: vec![alternative],
        };
        last = if let Some((_, sequence)) = &mut ordered {
            sequence.push(expected);
            Last::Ordered
        } else if barrier {
            block.slots.push(Slot::Barrier(expected));
            Last::Barrier
        } else {
            push_line(&mut block, vec![expected]);
            Last::Group
        };
    }
    block
        .slots
        .retain(|slot| !matches!(slot, Slot::Lines(lines) if lines.is_empty()));
    found.extend(ordered.map(|(line, _)| line.wrong(0, "`ordered` without `end`")));
    found.extend(unordered.map(|line| line.wrong(0, "`unordered` without `end`")));
    block
}

/// A line that is heard, if it can be read.
fn read(cursor: Cursor<'_>, line: &Line, names: &mut Names<'_>, found: &mut Vec<Found>) -> Option<Alternative> {
    match alternative(cursor, line.number, names) {
        Ok(alternative) => Some(alternative),
        Err(wrong) => {
            names.suppose(&line.text);
            found.push(line.holds(wrong));
            None
        }
    }
}

/// Where the line stands that an `or` belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    None,
    /// There is one, but it could not be read.
    Unread,
    Ordered,
    Barrier,
    Group,
}

fn expected<'a>(
    block: &'a mut Block,
    ordered: &'a mut Option<(&Line, Vec<Expected>)>,
    last: Last,
) -> Option<&'a mut Expected> {
    match (last, block.slots.last_mut()) {
        (Last::Ordered, _) => ordered.as_mut()?.1.last_mut(),
        (Last::Barrier, Some(Slot::Barrier(expected))) => Some(expected),
        (Last::Group, Some(Slot::Lines(lines))) => lines.last_mut()?.last_mut(),
        _ => None,
    }
}

/// Makes the last line of a group a barrier if one of its alternatives is one.
fn raised(block: &mut Block, last: Last) -> Last {
    let Some(Slot::Lines(lines)) = block.slots.last_mut().filter(|_| last == Last::Group) else {
        return last;
    };
    let barrier = |e: &Expected| e.alternatives.iter().any(|a| is_barrier(&a.pattern));
    if !lines.last().is_some_and(|sequence| sequence.iter().any(barrier)) {
        return last;
    }
    let raised = lines.pop().and_then(|mut sequence| sequence.pop());
    if let Some(expected) = raised {
        block.slots.push(Slot::Barrier(expected));
    }
    Last::Barrier
}

fn push_line(block: &mut Block, sequence: Vec<Expected>) {
    match block.slots.last_mut() {
        Some(Slot::Lines(lines)) => lines.push(sequence),
        _ => block.slots.push(Slot::Lines(vec![sequence])),
    }
}

fn alternative(mut cursor: Cursor<'_>, line: u32, names: &mut Names<'_>) -> Parsed<Alternative> {
    let start = cursor.at;
    let whole = cursor.line;
    let (text, then) = match whole {
        t if t.ends_with(" => end") => (t.trim_end_matches(" => end"), Then::End),
        t if t.ends_with(" => skip") => (t.trim_end_matches(" => skip"), Then::Skip),
        t => (t, Then::GoOn),
    };
    cursor.line = text;
    let pattern = cursor.pattern(names)?;
    let text = text.get(start..).unwrap_or_default().to_owned();
    Ok(Alternative {
        line,
        text,
        pattern,
        then,
    })
}

/// Whether no line passes this one.
fn is_barrier(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::Continue { .. } | Pattern::Expunged(_) => true,
        Pattern::Status { tag, .. } => *tag != [super::super::scenario::Piece::Octets(b"*".to_vec())],
        Pattern::Data(pats) => {
            let word = |index: usize, word: &str| match pats.get(index) {
                Some(Pat::Atom(template)) => match template.as_slice() {
                    [super::super::scenario::Piece::Octets(o)] => o.eq_ignore_ascii_case(word.as_bytes()),
                    _ => false,
                },
                _ => false,
            };
            word(1, "EXPUNGE") || word(0, "VANISHED")
        }
    }
}
