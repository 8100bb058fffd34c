//! Address lists, as ENVELOPE shows them: groups, source routes, quoted local parts, comments as names, and whatever
//! senders write instead (RFC 5322 3.4 and 4.4; RFC 3501 7.4.2).

use crate::cursor::{Cursor, is_space};
use crate::limits::MAX_ADDRESSES;
use crate::wire;

/// Writes the address structures of a field value, unfolded, without the parentheses around the list. Writes nothing
/// if there is no address.
///
/// An address without a domain has the empty string for its host, because NIL there marks a group.
pub(crate) fn write_addresses(out: &mut Vec<u8>, value: &[u8]) {
    let mut list = List {
        out,
        count: 0,
        in_group: false,
    };
    let mut cursor = Cursor::new(value);
    while cursor.peek().is_some() && list.count < MAX_ADDRESSES {
        next_address(&mut cursor, &mut list);
    }
    list.end_group();
}

struct List<'o> {
    out: &'o mut Vec<u8>,
    count: usize,
    in_group: bool,
}

impl List<'_> {
    fn put(&mut self, name: Option<&[u8]>, route: Option<&[u8]>, mailbox: Option<&[u8]>, host: Option<&[u8]>) {
        self.out.push(b'(');
        wire::nstring(self.out, name);
        for member in [route, mailbox, host] {
            self.out.push(b' ');
            wire::nstring(self.out, member);
        }
        self.out.push(b')');
        self.count += 1;
    }

    fn mailbox(&mut self, words: &Words, specification: &Specification) {
        let name = words.text.trim_ascii();
        let name = if name.is_empty() {
            words.comment.as_deref()
        } else {
            Some(name)
        };
        let route = (!specification.route.is_empty()).then_some(specification.route.as_slice());
        self.put(name, route, Some(&specification.local), Some(&specification.domain));
    }

    fn begin_group(&mut self, name: &[u8]) {
        self.end_group();
        self.put(None, None, Some(name), None);
        self.in_group = true;
    }

    fn end_group(&mut self) {
        if self.in_group {
            self.put(None, None, None, None);
            self.in_group = false;
        }
    }
}

/// The words in front of whatever decides what they are: a display name, a group's name or a local part.
#[derive(Default)]
struct Words {
    /// The words, with one space wherever the field had white space or a comment.
    text: Vec<u8>,
    /// The last comment that is not empty: where there is no phrase it serves as the name (RFC 5322 3.4).
    comment: Option<Vec<u8>>,
    any: bool,
}

impl Words {
    /// Reads up to a special that ends a phrase, and leaves that one.
    fn read(cursor: &mut Cursor<'_>) -> Self {
        let mut words = Self::default();
        loop {
            let apart = words.skip_cfws(cursor);
            let word = match cursor.peek() {
                None | Some(b',' | b';' | b':' | b'<' | b'@') => return words,
                Some(b'"') => cursor.quoted_string(),
                Some(b')' | b'>' | b']' | b'[' | b'\\') => {
                    // Out of place. Kept, so that the reader sees what was written.
                    cursor.bump().into_iter().collect()
                }
                Some(_) => cursor.take_while(is_word).to_vec(),
            };
            if apart && words.any && !words.text.ends_with(b" ") {
                words.text.push(b' ');
            }
            words.text.extend_from_slice(&word);
            words.any = true;
        }
    }

    /// Skips white space and comments, and remembers a comment.
    fn skip_cfws(&mut self, cursor: &mut Cursor<'_>) -> bool {
        let start = cursor.at();
        loop {
            cursor.skip_space();
            if cursor.peek() != Some(b'(') {
                return cursor.at() > start;
            }
            let comment = cursor.comment();
            let comment = comment.trim_ascii();
            if !comment.is_empty() {
                self.comment = Some(comment.to_vec());
            }
        }
    }
}

/// `[route] local-part "@" domain`
#[derive(Default)]
struct Specification {
    route: Vec<u8>,
    local: Vec<u8>,
    domain: Vec<u8>,
}

fn next_address(cursor: &mut Cursor<'_>, list: &mut List<'_>) {
    let mut words = Words::read(cursor);
    match cursor.peek() {
        Some(b':') => {
            cursor.bump();
            if words.any {
                list.begin_group(words.text.trim_ascii());
            }
        }
        Some(b'<') => {
            let specification = angle(cursor);
            trailing(cursor, &mut words);
            list.mailbox(&words, &specification);
        }
        Some(b'@') => {
            cursor.bump();
            let domain = domain(cursor, &mut words);
            let local = without_spaces(&words.text);
            trailing(cursor, &mut words);
            words.text.clear();
            list.mailbox(
                &words,
                &Specification {
                    local,
                    domain,
                    ..Specification::default()
                },
            );
        }
        other => {
            cursor.bump();
            if words.any {
                let local = std::mem::take(&mut words.text).trim_ascii().to_vec();
                list.mailbox(
                    &words,
                    &Specification {
                        local,
                        ..Specification::default()
                    },
                );
            }
            if other == Some(b';') {
                list.end_group();
            }
        }
    }
}

/// What stands between an address and the next comma: a comment may be its name, the rest is noise.
fn trailing(cursor: &mut Cursor<'_>, words: &mut Words) {
    loop {
        words.skip_cfws(cursor);
        match cursor.peek() {
            None | Some(b';') => return,
            Some(b',') => {
                cursor.bump();
                return;
            }
            // A new address where a comma is missing.
            Some(b'<') => return,
            Some(b'"') => drop(cursor.quoted_string()),
            Some(_) => drop(cursor.bump()),
        }
    }
}

/// The text between `<` and `>`, comments and white space left out.
fn angle(cursor: &mut Cursor<'_>) -> Specification {
    cursor.eat(b'<');
    let mut found = Specification::default();
    // Where the last `@` stands that may divide local part from domain.
    let mut text = Vec::new();
    let mut divider = None;
    while let Some(octet) = cursor.peek() {
        match octet {
            b'>' => {
                cursor.bump();
                break;
            }
            b'(' => drop(cursor.comment()),
            b'"' => text.extend(cursor.quoted_string()),
            b'[' => text.extend(literal(cursor)),
            b':' if text.first() == Some(&b'@') && found.route.is_empty() => {
                cursor.bump();
                found.route = std::mem::take(&mut text);
                divider = None;
            }
            b'@' => {
                cursor.bump();
                divider = Some(text.len());
                text.push(octet);
            }
            _ if is_space(octet) => drop(cursor.bump()),
            _ => {
                cursor.bump();
                text.push(octet);
            }
        }
    }
    match divider {
        Some(at) => {
            found.domain = text.get(at + 1..).unwrap_or_default().to_vec();
            text.truncate(at);
            found.local = text;
        }
        None => found.local = text,
    }
    found
}

/// The domain behind `@` of an address without angle brackets.
fn domain(cursor: &mut Cursor<'_>, words: &mut Words) -> Vec<u8> {
    let mut domain = Vec::new();
    loop {
        let apart = words.skip_cfws(cursor);
        match cursor.peek() {
            Some(b'[') => domain.extend(literal(cursor)),
            Some(b'.') => {
                cursor.bump();
                domain.push(b'.');
            }
            // Two words with only white space between them are not one domain.
            Some(octet) if is_word(octet) && !(apart && is_whole(&domain)) => {
                domain.extend_from_slice(cursor.take_while(|octet| is_word(octet) && octet != b'.'));
            }
            _ => return domain,
        }
    }
}

fn is_whole(domain: &[u8]) -> bool {
    !matches!(domain.last(), None | Some(b'.'))
}

/// A domain literal with its brackets (RFC 5322 3.4.1).
fn literal(cursor: &mut Cursor<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    while let Some(octet) = cursor.bump() {
        match octet {
            b'\\' => text.extend(cursor.bump()),
            b']' => {
                text.push(octet);
                break;
            }
            _ if is_space(octet) => {}
            _ => text.push(octet),
        }
    }
    text
}

/// The obsolete local part may have white space around its dots; a quoted one keeps its own, which is why only the
/// spaces next to dots go.
fn without_spaces(words: &[u8]) -> Vec<u8> {
    let mut local: Vec<u8> = Vec::with_capacity(words.len());
    for &octet in words.trim_ascii() {
        if octet == b'.' && local.last() == Some(&b' ') {
            local.pop();
        }
        if octet == b' ' && local.last() == Some(&b'.') {
            continue;
        }
        local.push(octet);
    }
    local
}

fn is_word(octet: u8) -> bool {
    !is_space(octet)
        && !matches!(
            octet,
            b'(' | b')' | b'<' | b'>' | b'[' | b']' | b':' | b';' | b'@' | b'\\' | b',' | b'"'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &str, expected: &str) {
        let mut out = Vec::new();
        write_addresses(&mut out, value.as_bytes());
        assert_eq!(String::from_utf8_lossy(&out), expected, "{value}");
    }

    /// R3501-402
    #[test]
    fn addresses_are_split_into_name_route_mailbox_and_host() {
        let table = [
            ("a@b.c", r#"(NIL NIL "a" "b.c")"#),
            (
                "Terry Gray <gray@cac.washington.edu>",
                r#"("Terry Gray" NIL "gray" "cac.washington.edu")"#,
            ),
            (
                "a@b, <c@d>,e@f",
                r#"(NIL NIL "a" "b")(NIL NIL "c" "d")(NIL NIL "e" "f")"#,
            ),
            (r#""Joe Q. Public" <j@x>"#, r#"("Joe Q. Public" NIL "j" "x")"#),
            ("Joe Q. Public <j@x>", r#"("Joe Q. Public" NIL "j" "x")"#),
            (r#""Giant; \"Big\" Box" <s@x>"#, r#"("Giant; \"Big\" Box" NIL "s" "x")"#),
            (r#""john doe"@x"#, r#"(NIL NIL "john doe" "x")"#),
            (r#"<"a\"b@c"@x>"#, r#"(NIL NIL "a\"b@c" "x")"#),
            ("a . b @ c . d", r#"(NIL NIL "a.b" "c.d")"#),
            ("<@r1,@r2:a@b>", r#"(NIL "@r1,@r2" "a" "b")"#),
            ("a@[10.0.0.1]", r#"(NIL NIL "a" "[10.0.0.1]")"#),
            ("X <a@[IPv6:::1]>", r#"("X" NIL "a" "[IPv6:::1]")"#),
            (
                "=?utf-8?q?J=C3=B6rg?= <j@x>",
                r#"("=?utf-8?q?J=C3=B6rg?=" NIL "j" "x")"#,
            ),
        ];
        for (value, expected) in table {
            check(value, expected);
        }
    }

    #[test]
    fn a_comment_is_the_name_where_there_is_no_phrase() {
        check("a@b (John (the) Doe)", r#"("John (the) Doe" NIL "a" "b")"#);
        check("(first) a@b", r#"("first" NIL "a" "b")"#);
        check("<a@b> (Late)", r#"("Late" NIL "a" "b")"#);
        check(
            "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
            r#"("Pete" NIL "pete" "silly.test")"#,
        );
    }

    #[test]
    fn a_group_has_a_start_and_an_end_marker() {
        check(
            "A Group:Ed Jones <joe@where.test>,john@one.test;, x@y",
            r#"(NIL NIL "A Group" NIL)("Ed Jones" NIL "joe" "where.test")(NIL NIL "john" "one.test")(NIL NIL NIL NIL)(NIL NIL "x" "y")"#,
        );
        check(
            "Undisclosed recipients:;",
            r#"(NIL NIL "Undisclosed recipients" NIL)(NIL NIL NIL NIL)"#,
        );
        check("open: a@b", r#"(NIL NIL "open" NIL)(NIL NIL "a" "b")(NIL NIL NIL NIL)"#);
        check(
            "one: two: a@b;;",
            r#"(NIL NIL "one" NIL)(NIL NIL NIL NIL)(NIL NIL "two" NIL)(NIL NIL "a" "b")(NIL NIL NIL NIL)"#,
        );
    }

    #[test]
    fn bad_syntax_survives() {
        let table = [
            ("", ""),
            (" , ,, ", ""),
            (";;:", ""),
            ("(only a comment)", ""),
            ("root", r#"(NIL NIL "root" "")"#),
            ("Undisclosed Recipients", r#"(NIL NIL "Undisclosed Recipients" "")"#),
            ("Name <>", r#"("Name" NIL "" "")"#),
            ("Name <", r#"("Name" NIL "" "")"#),
            ("<@x>", r#"(NIL NIL "" "x")"#),
            ("@x", r#"(NIL NIL "" "x")"#),
            ("a@b@c", r#"(NIL NIL "a" "b")"#),
            ("<a@b@c>", r#"(NIL NIL "a@b" "c")"#),
            ("a@b <c@d>", r#"(NIL NIL "a" "b")(NIL NIL "c" "d")"#),
            ("Name <a@b", r#"("Name" NIL "a" "b")"#),
            ("\"open <a@b>", r#"(NIL NIL "open <a@b>" "")"#),
            ("a) b] <c@d>", r#"("a) b]" NIL "c" "d")"#),
        ];
        for (value, expected) in table {
            check(value, expected);
        }
    }

    #[test]
    fn eight_bit_names_are_literals() {
        let mut out = Vec::new();
        write_addresses(&mut out, b"J\xf6rg <j@x>");
        assert_eq!(out, b"({4}\r\nJ\xf6rg NIL \"j\" \"x\")");
    }

    #[test]
    fn addresses_are_bounded() {
        let mut out = Vec::new();
        write_addresses(&mut out, &b"a@b,".repeat(MAX_ADDRESSES * 2));
        assert_eq!(out, br#"(NIL NIL "a" "b")"#.repeat(MAX_ADDRESSES));
    }
}
