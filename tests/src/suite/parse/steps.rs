//! What stands behind the head: steps, blocks of heard lines, loops.

use super::super::scenario::{
    Act, Alternative, Block, Comparison, Expected, Pat, Pattern, Slot, Step, Sum, Summand, Then, Times,
};
use super::cursor::{Cursor, Names, Parsed, Wrong};

/// A line of a file.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) number: u32,
    pub(super) text: String,
}

/// What is wrong in which line.
pub(super) type InLine<T> = Result<T, (u32, Wrong)>;

fn at(number: u32, at: usize, what: impl Into<String>) -> (u32, Wrong) {
    let what = what.into();
    (number, Wrong { at, what })
}

/// Loops, unrolled: `<NAME>` is replaced by each of the values in turn.
pub(super) fn unrolled(lines: &[Line]) -> InLine<Vec<Line>> {
    let mut out = Vec::new();
    let mut rest = lines.iter();
    while let Some(line) = rest.next() {
        if line.text == "next" {
            return Err(at(line.number, 0, "`next` without `for`"));
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
                None if inner.text.starts_with("for ") => return Err(at(inner.number, 0, "loops do not nest")),
                None => body.push(inner.clone()),
            }
        }
        if !ended || values.is_empty() || body.is_empty() {
            return Err(at(line.number, 0, "`for NAME in`, lines `| value`, steps, `next`"));
        }
        let hole = format!("<{name}>");
        for value in &values {
            out.extend(body.iter().map(|line| Line {
                number: line.number,
                text: line.text.replace(&hole, value),
            }));
        }
    }
    Ok(out)
}

/// The steps.
pub(super) fn steps(lines: &[Line], names: &mut Names<'_>) -> InLine<Vec<Step>> {
    let lines = unrolled(lines)?;
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
            let Some(client) = client else {
                return Err(at(number, 0, "who hears this? a step of a client stands before"));
            };
            let act = Act::Hear(self::block(block, names)?);
            steps.push(Step {
                line: number,
                client,
                act,
            });
            continue;
        }
        if let Some(check) = text.strip_prefix("check:") {
            let act = self::check(text, check, names).map_err(|wrong| (number, wrong))?;
            let client = client.unwrap_or('A');
            steps.push(Step {
                line: number,
                client,
                act,
            });
            continue;
        }
        let (who, act) = self::step(text, names).map_err(|wrong| (number, wrong))?;
        client = Some(who);
        if let Some(act) = act {
            steps.push(Step {
                line: number,
                client: who,
                act,
            });
        }
    }
    Ok(steps)
}

fn belongs_to_block(text: &str) -> bool {
    text.starts_with("  ") || text.starts_with('#')
}

/// A line of a client; none for `A hears`.
fn step(text: &str, names: &Names<'_>) -> Parsed<(char, Option<Act>)> {
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
        _ => return cursor.wrong("no such step"),
    };
    Ok((who, act))
}

/// `check: new > old or uid2 >= uid1 + 1`
fn check(line: &str, check: &str, names: &Names<'_>) -> Parsed<Act> {
    let offset = line.len() - check.len();
    let any = check
        .split(" or ")
        .map(|one| comparison(offset, one, names))
        .collect::<Parsed<Vec<_>>>()?;
    Ok(Act::Check {
        any,
        text: check.trim().to_owned(),
    })
}

fn comparison(offset: usize, text: &str, names: &Names<'_>) -> Parsed<Comparison> {
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
    let sum = |words: &[&str]| -> Parsed<Sum> {
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
                Err(_) if names.bound.contains(name) => Summand::Name(name.to_owned()),
                Err(_) => return Err(wrong(&format!("nothing is bound to `{name}` here"))),
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
fn block(lines: &[Line], names: &mut Names<'_>) -> InLine<Block> {
    let mut block = Block::default();
    // The sequence of an `ordered` that is not yet at its end.
    let mut ordered: Option<(u32, Vec<Expected>)> = None;
    // Where an `unordered` began that is not yet at its end.
    let mut unordered = None;
    let mut last = Last::None;
    for line in lines {
        let number = line.number;
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
                unordered = Some(number);
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
                ordered = Some((number, Vec::new()));
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
            let alternative = alternative(cursor, number, names).map_err(|wrong| (number, wrong))?;
            match expected(&mut block, &mut ordered, last) {
                Some(expected) => expected.alternatives.push(alternative),
                None => return Err(at(number, indent, "`or` stands behind a line that is expected")),
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
                let never = alternative(cursor, number, names).map_err(|wrong| (number, wrong))?;
                block.never.push(never);
                last = Last::None;
                continue;
            }
            () => Times::Once,
        };
        let alternative = alternative(cursor, number, names).map_err(|wrong| (number, wrong))?;
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
    match (ordered, unordered) {
        (Some((number, _)), _) => Err(at(number, 0, "`ordered` without `end`")),
        (_, Some(number)) => Err(at(number, 0, "`unordered` without `end`")),
        _ => Ok(block),
    }
}

/// Where the line stands that an `or` belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    None,
    Ordered,
    Barrier,
    Group,
}

fn expected<'a>(
    block: &'a mut Block,
    ordered: &'a mut Option<(u32, Vec<Expected>)>,
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
