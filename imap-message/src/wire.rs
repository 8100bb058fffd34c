//! How a string is put on the wire: as an atom, quoted or as a literal (RFC 3501 4.3 and 9).
//!
//! Whatever the octets, what is written is one well-formed string: text can never split a response. NUL octets are
//! dropped, because neither form may contain one (`CHAR8` is 1 to 255).

/// Longest string that is written quoted, in octets; a longer one becomes a literal, which clients need not scan.
pub const MAX_QUOTED: usize = 1000;

/// Writes `NIL`, or the string.
pub fn nstring(out: &mut Vec<u8>, text: Option<&[u8]>) {
    match text {
        Some(text) => string(out, text),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// Writes a string: quoted when it is short and all of it printable ASCII, space or tab, else as a literal.
pub fn string(out: &mut Vec<u8>, text: &[u8]) {
    if text.len() <= MAX_QUOTED && text.iter().all(|&octet| is_plain(octet)) {
        quoted(out, text);
    } else {
        literal(out, text);
    }
}

/// Writes an `astring`: an atom where the octets allow it, else a string. The text `NIL` is quoted, so that nobody
/// takes it for the absent string.
pub fn astring(out: &mut Vec<u8>, text: &[u8]) {
    let atom = !text.is_empty()
        && text.len() <= MAX_QUOTED
        && !text.eq_ignore_ascii_case(b"NIL")
        && text.iter().all(|&octet| is_astring_char(octet));
    if atom {
        out.extend_from_slice(text);
    } else {
        string(out, text);
    }
}

/// Writes a quoted string of 7-bit text whatever its length. CR, LF and NUL are dropped and an octet above 127 becomes
/// `?`: use [`string`] where octets must survive, [`quoted_utf8`] where the client has enabled UTF-8.
pub fn quoted(out: &mut Vec<u8>, text: &[u8]) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    for &octet in text {
        match octet {
            b'\r' | b'\n' | 0 => {}
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', octet]),
            0x80.. => out.push(b'?'),
            _ => out.push(octet),
        }
    }
    out.push(b'"');
}

/// Writes a quoted string of UTF-8 text, for a client that has enabled UTF8=ACCEPT (RFC 6855 3) or IMAP4rev2
/// (RFC 9051 4.3). CR, LF and NUL are dropped.
pub fn quoted_utf8(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    for &octet in text.as_bytes() {
        match octet {
            b'\r' | b'\n' | 0 => {}
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', octet]),
            _ => out.push(octet),
        }
    }
    out.push(b'"');
}

/// Writes a literal: `{n}`, CRLF and the octets without NULs.
pub fn literal(out: &mut Vec<u8>, text: &[u8]) {
    let nuls = memchr::memchr_iter(0, text).count();
    out.push(b'{');
    number(out, (text.len() - nuls) as u64);
    out.extend_from_slice(b"}\r\n");
    if nuls == 0 {
        out.extend_from_slice(text);
    } else {
        out.extend(text.iter().copied().filter(|&octet| octet != 0));
    }
}

/// Writes a number in decimal.
pub fn number(out: &mut Vec<u8>, mut value: u64) {
    let start = out.len();
    loop {
        out.push(b'0' + (value % 10) as u8);
        value /= 10;
        if value == 0 {
            break;
        }
    }
    if let Some(digits) = out.get_mut(start..) {
        digits.reverse();
    }
}

fn is_plain(octet: u8) -> bool {
    matches!(octet, b'\t' | b' '..=b'~')
}

fn is_astring_char(octet: u8) -> bool {
    matches!(octet, b'!'..=b'~') && !matches!(octet, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out);
        out
    }

    #[test]
    fn a_string_is_quoted_where_it_can_be_and_else_a_literal() {
        let table: [(&[u8], &[u8]); 9] = [
            (b"", b"\"\""),
            (b"plain text", b"\"plain text\""),
            (b"a\tb", b"\"a\tb\""),
            (b"say \"hi\" \\o/", b"\"say \\\"hi\\\" \\\\o/\""),
            (b"caf\xc3\xa9", b"{5}\r\ncaf\xc3\xa9"),
            (b"a\r\nb", b"{4}\r\na\r\nb"),
            (b"a\rb", b"{3}\r\na\rb"),
            (b"a\0b", b"{2}\r\nab"),
            (b"\x7f", b"{1}\r\n\x7f"),
        ];
        for (text, expected) in table {
            assert_eq!(written(|out| string(out, text)), expected, "{text:?}");
        }
    }

    #[test]
    fn a_long_string_is_a_literal() {
        let text = vec![b'x'; MAX_QUOTED + 1];
        let mut expected = b"{1001}\r\n".to_vec();
        expected.extend_from_slice(&text);
        assert_eq!(written(|out| string(out, &text)), expected);
        assert_eq!(written(|out| string(out, &text[1..])).len(), MAX_QUOTED + 2);
    }

    #[test]
    fn an_absent_string_is_nil_and_an_empty_one_is_empty() {
        assert_eq!(written(|out| nstring(out, None)), b"NIL");
        assert_eq!(written(|out| nstring(out, Some(b""))), b"\"\"");
    }

    #[test]
    fn an_astring_is_an_atom_where_it_can_be() {
        let table: [(&[u8], &[u8]); 7] = [
            (b"INBOX", b"INBOX"),
            (b"a]b", b"a]b"),
            (b"", b"\"\""),
            (b"nil", b"\"nil\""),
            (b"a b", b"\"a b\""),
            (b"a*", b"\"a*\""),
            (b"\xff", b"{1}\r\n\xff"),
        ];
        for (text, expected) in table {
            assert_eq!(written(|out| astring(out, text)), expected, "{text:?}");
        }
    }

    #[test]
    fn quoted_text_can_not_leave_its_quotes() {
        assert_eq!(written(|out| quoted(out, b"a\r\n\"\0\xe9")), b"\"a\\\"?\"");
        assert_eq!(written(|out| quoted_utf8(out, "é\r\n\0\\")), "\"é\\\\\"".as_bytes());
    }

    #[test]
    fn numbers_are_decimal() {
        for value in [0, 7, 10, 4_294_967_296, u64::MAX] {
            assert_eq!(written(|out| number(out, value)), value.to_string().into_bytes());
        }
    }
}
