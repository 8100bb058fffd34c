//! SEARCH (RFC 3501 6.4.4): every key, read with a stack of its own, so that no nesting takes ours.

use backend_api::{Flag, SearchKey, SystemFlag};

use super::cursor::Cursor;
use super::{Parse, Stop, date, fetch, flags, set};
use crate::Limits;
use crate::answer::{Answer, Code};
use crate::charset::Charset;
use crate::command::{Command, RawNumSet};

type Key = SearchKey<RawNumSet>;

pub(super) fn search(c: &mut Cursor<'_>, uid: bool, limits: &Limits) -> Parse<Command> {
    const KEY: &str = "a space and a search key";
    c.space(KEY)?;
    let mut charset = Charset::UsAscii;
    if c.keyword("CHARSET ") {
        let name = c.astring("a charset")?;
        charset = Charset::named(&name).ok_or_else(bad_charset)?;
        c.space(KEY)?;
    }
    let mut reader = Reader {
        charset,
        limits,
        terms: 0,
        ranges: 0,
        stack: vec![Frame::And(Keys::default())],
    };
    let key = reader.keys(c)?;
    c.end("a search key or the end of the command")?;
    Ok(Command::Search { uid, key })
}

fn bad_charset() -> Stop {
    Stop::Refused(Answer::no("this charset is not known").with_code(Code::BadCharset))
}

/// Whether a message number is among the criteria (RFC 7162 3.2.10.2, RFC 9051 5.5). Not deeper than the parser allows.
pub(super) fn has_numbers(key: &Key) -> bool {
    match key {
        SearchKey::Set(set) => matches!(set, RawNumSet::Seq(_)),
        SearchKey::Not(key) => has_numbers(key),
        SearchKey::Or(keys) | SearchKey::And(keys) => keys.iter().any(has_numbers),
        _ => false,
    }
}

/// What waits for keys. Frames lie on the heap; how deep the keys themselves nest is counted, for those who walk through
/// them recurse.
enum Frame {
    /// A list of keys: in parentheses, or, at the bottom, the whole command.
    And(Keys),
    Not,
    /// `OR`, of which so many keys are missing. An OR that is an operand of an OR is the same OR with one key more.
    Or {
        keys: Keys,
        missing: usize,
    },
}

#[derive(Default)]
struct Keys {
    keys: Vec<Key>,
    /// Of the deepest.
    depth: usize,
}

impl Keys {
    fn push(&mut self, key: Deep) {
        self.depth = self.depth.max(key.depth);
        self.keys.push(key.key);
    }
}

/// A key and how deep others nest in it.
struct Deep {
    key: Key,
    depth: usize,
}

struct Reader<'l> {
    charset: Charset,
    limits: &'l Limits,
    terms: usize,
    ranges: usize,
    stack: Vec<Frame>,
}

impl Reader<'_> {
    fn keys(&mut self, c: &mut Cursor<'_>) -> Parse<Key> {
        loop {
            let Some(key) = self.start(c)? else { continue };
            let mut open = self.put(Deep { key, depth: 0 })?;
            while !open && self.stack.len() > 1 && c.eat(b')') {
                let group = self.close();
                open = self.put(group)?;
            }
            if open {
                c.space("a space and a search key")?;
                continue;
            }
            if self.stack.len() > 1 {
                c.space("a space or a closing parenthesis")?;
            } else if !c.another() {
                return Ok(self.close().key);
            }
        }
    }

    /// Reads a key; `None` when it has others in it, which come next.
    fn start(&mut self, c: &mut Cursor<'_>) -> Parse<Option<Key>> {
        const KEY: &str = "a search key";
        self.terms += 1;
        if self.terms > self.limits.search_terms {
            return Err(Stop::too_many("search keys"));
        }
        match c.peek() {
            Some(b'(') => {
                c.skip(1);
                self.stack.push(Frame::And(Keys::default()));
                return Ok(None);
            }
            Some(b'*' | b'0'..=b'9') => {
                let set = self.set(c)?;
                return Ok(Some(SearchKey::Set(RawNumSet::Seq(set))));
            }
            _ => {}
        }
        let start = c.position();
        let word = c.word(KEY)?.to_ascii_uppercase();
        if word == "NOT" {
            c.space("a space and a search key")?;
            self.stack.push(Frame::Not);
            return Ok(None);
        }
        if word == "OR" {
            c.space("a space and two search keys")?;
            if let Some(Frame::Or { missing, .. }) = self.stack.last_mut() {
                *missing += 1;
                return Ok(None);
            }
            self.stack.push(Frame::Or {
                keys: Keys::default(),
                missing: 2,
            });
            return Ok(None);
        }
        match flag_key(&word) {
            Some(key) => Ok(Some(key)),
            None => self.argument_key(&word, start, c).map(Some),
        }
    }

    /// Gives a key to what waits for it. Whether a NOT or an OR needs another one.
    fn put(&mut self, mut key: Deep) -> Parse<bool> {
        loop {
            if key.depth > self.limits.search_depth {
                return Err(Stop::too_many("levels of search keys"));
            }
            match self.stack.last_mut() {
                Some(Frame::And(keys)) => {
                    keys.push(key);
                    return Ok(false);
                }
                Some(Frame::Not) => {
                    key = Deep {
                        key: not(key.key),
                        depth: key.depth + 1,
                    }
                }
                Some(Frame::Or { keys, missing }) => {
                    match key.key {
                        SearchKey::Or(more) => {
                            keys.depth = keys.depth.max(key.depth - 1);
                            keys.keys.extend(more);
                        }
                        _ => keys.push(key),
                    }
                    *missing -= 1;
                    if *missing > 0 {
                        return Ok(true);
                    }
                    let Keys { keys, depth } = std::mem::take(keys);
                    key = Deep {
                        key: SearchKey::Or(keys),
                        depth: depth + 1,
                    };
                }
                None => return Ok(false),
            }
            self.stack.pop();
        }
    }

    /// Ends a list of keys. A list of one is that key.
    fn close(&mut self) -> Deep {
        let Keys { mut keys, depth } = match self.stack.pop() {
            Some(Frame::And(keys)) => keys,
            _ => Keys::default(),
        };
        let last = keys.pop();
        match (last, keys.is_empty()) {
            (Some(key), true) => Deep { key, depth },
            (Some(last), false) => {
                keys.push(last);
                Deep {
                    key: SearchKey::And(keys),
                    depth: depth + 1,
                }
            }
            (None, _) => Deep {
                key: SearchKey::All,
                depth,
            },
        }
    }

    fn set(&mut self, c: &mut Cursor<'_>) -> Parse<crate::command::RawSet> {
        let set = set::set(c, self.limits.set_ranges - self.ranges)?;
        self.ranges += set.0.len();
        Ok(set)
    }

    fn argument_key(&mut self, word: &str, start: usize, c: &mut Cursor<'_>) -> Parse<Key> {
        let known = matches!(
            word,
            "KEYWORD"
                | "UNKEYWORD"
                | "UID"
                | "BEFORE"
                | "ON"
                | "SINCE"
                | "SENTBEFORE"
                | "SENTON"
                | "SENTSINCE"
                | "BCC"
                | "CC"
                | "FROM"
                | "TO"
                | "SUBJECT"
                | "BODY"
                | "TEXT"
                | "HEADER"
                | "LARGER"
                | "SMALLER"
        );
        if !known {
            return Err(c.bad_at("a search key", start));
        }
        c.space("a space and the argument of the search key")?;
        Ok(match word {
            "KEYWORD" => SearchKey::Has(flags::keyword(c)?),
            "UNKEYWORD" => not(SearchKey::Has(flags::keyword(c)?)),
            "UID" => SearchKey::Set(RawNumSet::Uid(self.set(c)?)),
            "BEFORE" => SearchKey::Before(date::date(c)?),
            "ON" => SearchKey::On(date::date(c)?),
            "SINCE" => SearchKey::Since(date::date(c)?),
            "SENTBEFORE" => SearchKey::SentBefore(date::date(c)?),
            "SENTON" => SearchKey::SentOn(date::date(c)?),
            "SENTSINCE" => SearchKey::SentSince(date::date(c)?),
            "BCC" => self.header("Bcc", c)?,
            "CC" => self.header("Cc", c)?,
            "FROM" => self.header("From", c)?,
            "TO" => self.header("To", c)?,
            "SUBJECT" => self.header("Subject", c)?,
            "BODY" => SearchKey::Body(self.text(c)?),
            "TEXT" => SearchKey::Text(self.text(c)?),
            "LARGER" => SearchKey::Larger(c.number("a number of octets")?.into()),
            "SMALLER" => SearchKey::Smaller(c.number("a number of octets")?.into()),
            _ => {
                let name = fetch::field_name(c)?;
                c.space("a space and a text")?;
                self.header(&name, c)?
            }
        })
    }

    fn header(&self, name: &str, c: &mut Cursor<'_>) -> Parse<Key> {
        Ok(SearchKey::Header {
            name: name.to_owned(),
            value: self.text(c)?,
        })
    }

    fn text(&self, c: &mut Cursor<'_>) -> Parse<String> {
        const TEXT: &str = "a text in the charset of the search";
        let start = c.position();
        let octets = c.astring(TEXT)?;
        self.charset.decode(&octets).ok_or(c.bad_at(TEXT, start))
    }
}

fn not(key: Key) -> Key {
    SearchKey::Not(Box::new(key))
}

/// The keys without an argument.
fn flag_key(word: &str) -> Option<Key> {
    use SystemFlag::{Answered, Deleted, Draft, Flagged, Seen};
    let has = |flag| SearchKey::Has(Flag::System(flag));
    Some(match word {
        "ALL" => SearchKey::All,
        "ANSWERED" => has(Answered),
        "DELETED" => has(Deleted),
        "DRAFT" => has(Draft),
        "FLAGGED" => has(Flagged),
        "SEEN" => has(Seen),
        "UNANSWERED" => not(has(Answered)),
        "UNDELETED" => not(has(Deleted)),
        "UNDRAFT" => not(has(Draft)),
        "UNFLAGGED" => not(has(Flagged)),
        "UNSEEN" => not(has(Seen)),
        "RECENT" => SearchKey::Recent,
        "OLD" => not(SearchKey::Recent),
        "NEW" => SearchKey::And(vec![SearchKey::Recent, not(has(Seen))]),
        _ => return None,
    })
}
