//! Responses taken apart, as far as a client's picture of a mailbox depends on them.

use std::collections::BTreeSet;

/// One response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// `* n EXISTS`
    Exists(u32),
    /// `* n RECENT`
    Recent(u32),
    /// `* n EXPUNGE`
    Expunge(u32),
    /// `* n FETCH (…)`
    Fetch {
        /// The message's number.
        seq: u32,
        /// `UID`
        uid: Option<u32>,
        /// `FLAGS`, without `\Recent`, in lower case.
        flags: Option<BTreeSet<String>>,
        /// Whether FLAGS held `\Recent`.
        recent: bool,
        /// The literal of a body section.
        body: Option<Vec<u8>>,
    },
    /// `* SEARCH …`
    Search(Vec<u32>),
    /// `* STATUS mailbox (…)`: the items and their values.
    Status(String, Vec<(String, u32)>),
    /// `* OK`, `* NO`, `* BAD`, `* BYE`, `* PREAUTH` or a tagged answer.
    Condition(Condition),
    /// `+ …`
    Continue,
    /// Another untagged response.
    Other(String),
}

/// A status response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The tag, or `*`.
    pub tag: String,
    /// `OK`, `NO`, `BAD`, `BYE`, `PREAUTH`.
    pub word: String,
    /// The response code with its arguments, without brackets; may be empty.
    pub code: String,
}

impl Response {
    /// Takes a response apart: untagged, a continuation, or tagged (R3501-008).
    ///
    /// # Errors
    /// It is none that a server may send.
    pub fn parse(response: &[u8]) -> Result<Self, String> {
        let bad = || format!("not a response: {:?}", String::from_utf8_lossy(response));
        if response.starts_with(b"+ ") || response == b"+" {
            return Ok(Self::Continue);
        }
        let mut parser = Parser { left: response };
        let tag = parser.word().ok_or_else(bad)?;
        let word = parser.word().ok_or_else(bad)?;
        if tag == "*" {
            if let Ok(number) = word.parse() {
                return parser.numbered(number).ok_or_else(bad);
            }
            match word.as_str() {
                "SEARCH" => return parser.numbers().map(Self::Search).ok_or_else(bad),
                "STATUS" => return parser.status().ok_or_else(bad),
                "OK" | "NO" | "BAD" | "BYE" | "PREAUTH" => {}
                _ => return Ok(Self::Other(String::from_utf8_lossy(response).into_owned())),
            }
        }
        let tagged = tag != "*" && matches!(word.as_str(), "OK" | "NO" | "BAD");
        if tag != "*" && !tagged {
            return Err(bad());
        }
        let text = String::from_utf8_lossy(parser.left);
        let code = text
            .strip_prefix('[')
            .and_then(|t| t.split_once(']'))
            .map_or("", |(code, _)| code);
        Ok(Self::Condition(Condition {
            tag,
            word,
            code: code.to_owned(),
        }))
    }
}

impl Condition {
    /// The arguments of a response code of this name.
    pub fn code(&self, name: &str) -> Option<Vec<&str>> {
        let mut words = self.code.split(' ');
        (words.next() == Some(name)).then(|| words.collect())
    }
}

/// The numbers of a set such as `3:5,9`, in its order; `None` where it is none.
pub fn set(text: &str) -> Option<Vec<u32>> {
    let mut all = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once(':').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        if first == 0 || last == 0 || first.abs_diff(last) > 100_000 {
            return None;
        }
        if first <= last {
            all.extend(first..=last);
        } else {
            all.extend((last..=first).rev());
        }
    }
    Some(all)
}

struct Parser<'a> {
    left: &'a [u8],
}

impl Parser<'_> {
    fn word(&mut self) -> Option<String> {
        let len = self
            .left
            .iter()
            .position(|b| matches!(b, b' ' | b'(' | b')'))
            .unwrap_or(self.left.len());
        let word = std::str::from_utf8(&self.left[..len]).ok()?.to_owned();
        self.left = &self.left[len..];
        self.skip(b" ");
        (!word.is_empty()).then_some(word)
    }

    fn skip(&mut self, octets: &[u8]) -> bool {
        let rest = self.left.strip_prefix(octets);
        self.left = rest.unwrap_or(self.left);
        rest.is_some()
    }

    fn numbers(&mut self) -> Option<Vec<u32>> {
        let mut numbers = Vec::new();
        while !self.left.is_empty() {
            numbers.push(self.word()?.parse().ok()?);
        }
        Some(numbers)
    }

    fn numbered(&mut self, number: u32) -> Option<Response> {
        match self.word()?.as_str() {
            "EXISTS" => Some(Response::Exists(number)),
            "RECENT" => Some(Response::Recent(number)),
            "EXPUNGE" => Some(Response::Expunge(number)),
            "FETCH" => self.fetch(number),
            _ => None,
        }
    }

    fn fetch(&mut self, seq: u32) -> Option<Response> {
        let (mut uid, mut flags, mut recent, mut body) = (None, None, false, None);
        self.skip(b"(").then_some(())?;
        while !self.skip(b")") {
            self.skip(b" ");
            if self.left.starts_with(b"BODY[") {
                let end = self.left.windows(2).position(|w| w == b"] ")?;
                self.left = &self.left[end + 2..];
                body = self.nstring()?;
                continue;
            }
            match self.word()?.as_str() {
                "UID" => uid = Some(self.word()?.parse().ok()?),
                "FLAGS" => {
                    let mut all = self.list()?;
                    recent = all.remove("\\recent");
                    flags = Some(all);
                }
                "MODSEQ" => drop(self.list()?),
                _ => return None,
            }
        }
        self.left.is_empty().then_some(Response::Fetch {
            seq,
            uid,
            flags,
            recent,
            body,
        })
    }

    /// A list of flags.
    fn list(&mut self) -> Option<BTreeSet<String>> {
        let mut all = BTreeSet::new();
        self.skip(b"(").then_some(())?;
        while !self.skip(b")") {
            all.insert(self.word()?.to_ascii_lowercase());
        }
        Some(all)
    }

    /// A literal, a quoted string, or NIL.
    fn nstring(&mut self) -> Option<Option<Vec<u8>>> {
        if self.skip(b"NIL") {
            return Some(None);
        }
        if !self.skip(b"\"") {
            return self.literal().map(Some);
        }
        let mut octets = Vec::new();
        loop {
            let (first, rest) = self.left.split_first()?;
            self.left = rest;
            match first {
                b'"' => return Some(Some(octets)),
                b'\\' => {
                    let (escaped, rest) = self.left.split_first()?;
                    self.left = rest;
                    octets.push(*escaped);
                }
                octet => octets.push(*octet),
            }
        }
    }

    fn literal(&mut self) -> Option<Vec<u8>> {
        self.skip(b"{").then_some(())?;
        let end = self.left.iter().position(|b| *b == b'}')?;
        let size: usize = std::str::from_utf8(&self.left[..end]).ok()?.parse().ok()?;
        let octets = self.left.get(end + 3..end + 3 + size)?.to_vec();
        self.left = &self.left[end + 3 + size..];
        Some(octets)
    }

    fn status(&mut self) -> Option<Response> {
        let mailbox = self.word()?;
        let mut items = Vec::new();
        self.skip(b"(").then_some(())?;
        while !self.skip(b")") {
            items.push((self.word()?, self.word()?.parse().ok()?));
        }
        Some(Response::Status(mailbox, items))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Response {
        Response::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn responses_are_taken_apart() {
        assert_eq!(parsed("* 3 EXISTS"), Response::Exists(3));
        assert_eq!(parsed("* SEARCH"), Response::Search(vec![]));
        assert_eq!(parsed("* SEARCH 2 30"), Response::Search(vec![2, 30]));
        assert_eq!(
            parsed("* 2 FETCH (UID 7 FLAGS (\\Seen \\Recent) BODY[] {3}\r\nx)y)"),
            Response::Fetch {
                seq: 2,
                uid: Some(7),
                flags: Some(["\\seen".to_owned()].into()),
                recent: true,
                body: Some(b"x)y".to_vec())
            }
        );
        let Response::Condition(done) = parsed("a7 OK [COPYUID 5 2,4 9:10] done") else {
            panic!("a tagged answer");
        };
        assert_eq!(done.code("COPYUID").unwrap(), ["5", "2,4", "9:10"]);
        assert_eq!(
            parsed("* STATUS INBOX (MESSAGES 2 UIDNEXT 9)"),
            Response::Status("INBOX".into(), vec![("MESSAGES".into(), 2), ("UIDNEXT".into(), 9)])
        );
        assert!(Response::parse(b"a7 FINE done").is_err());
        assert!(Response::parse(b"* 2 FETCH (UID 7").is_err());
    }

    #[test]
    fn a_set_keeps_its_order() {
        assert_eq!(set("3:5,1"), Some(vec![3, 4, 5, 1]));
        assert_eq!(set("5:3"), Some(vec![5, 4, 3]));
        assert_eq!(set("*"), None);
        assert_eq!(set(""), None);
    }
}
