//! What FETCH tells of a message (RFC 3501 7.4.2, 9 msg-att; RFC 3516, 7162, 8474, 8514, 8970).

use super::super::token::{Token, number};
use super::shape::{
    is_astring, is_date, is_flag, is_mod_sequence, is_nil, is_nstring, is_number, is_number64, is_nz_number,
    is_object_id, is_string,
};
use super::{Checked, Row};

/// Checks the list of items.
pub(super) fn check(tokens: &[Token]) -> Checked {
    let mut row = Row::new("FETCH", tokens);
    let list = row.list("items")?;
    row.end()?;
    if list.is_empty() {
        return Err("FETCH without items".into());
    }
    let mut items = Row::new("FETCH", list);
    while !items.is_at_end() {
        item(&mut items)?;
    }
    Ok(())
}

fn item(items: &mut Row<'_>) -> Checked {
    let name = items.next("an item")?;
    let word = match name {
        Token::Section { name, spec, origin } => return section(name, spec, origin.as_deref(), items),
        other => {
            String::from_utf8_lossy(other.atom().ok_or("FETCH: the name of an item is an atom")?).to_ascii_uppercase()
        }
    };
    match word.as_str() {
        "FLAGS" => {
            if !items.list("flags")?.iter().all(|flag| is_flag(flag, false)) {
                return Err("FLAGS has what is no flag".into());
            }
        }
        "UID" => {
            items.must("a UID", is_nz_number)?;
        }
        "INTERNALDATE" => {
            items.must("a date-time such as \"17-Jul-1996 02:44:25 -0700\"", is_date)?;
        }
        "RFC822.SIZE" => {
            items.must("a number", is_number64)?;
        }
        "RFC822" | "RFC822.HEADER" | "RFC822.TEXT" | "PREVIEW" => {
            items.must("a string or NIL", is_nstring)?;
        }
        "ENVELOPE" => envelope(items.list("an envelope")?)?,
        "BODY" => body(items.list("a body structure")?, false)?,
        "BODYSTRUCTURE" => body(items.list("a body structure")?, true)?,
        "MODSEQ" => {
            if !matches!(items.list("a mod-sequence")?, [value] if is_mod_sequence(value)) {
                return Err("MODSEQ is one mod-sequence in parentheses".into());
            }
        }
        "EMAILID" => {
            items.must("an objectid", is_object_id)?;
        }
        "THREADID" => {
            items.must("an objectid or NIL", |t| is_nil(t) || is_object_id(t))?;
        }
        "SAVEDATE" => {
            items.must("a date-time or NIL", |t| is_nil(t) || is_date(t))?;
        }
        _ => {
            items.next("a value")?;
        }
    }
    Ok(())
}

fn section(name: &[u8], spec: &[Token], origin: Option<&[u8]>, items: &mut Row<'_>) -> Checked {
    if origin.is_some_and(|o| number(o).is_none_or(|n| n > u64::from(u32::MAX))) {
        return Err("the origin octet is a number".into());
    }
    if name.eq_ignore_ascii_case(b"BODY") {
        section_spec(spec)?;
        items.must("a string or NIL", is_nstring)?;
        return Ok(());
    }
    let parts = |text: &[u8]| {
        text.split(|b| *b == b'.')
            .all(|n| is_nz_number(&Token::Atom(n.to_vec())))
    };
    let part = match spec {
        [] => true,
        [Token::Atom(text)] => parts(text),
        _ => false,
    };
    if !part {
        return Err("the section of BINARY is a part".into());
    }
    if name.eq_ignore_ascii_case(b"BINARY.SIZE") {
        items.must("a number", is_number)?;
    } else {
        items.must("a string or NIL", |t| is_nstring(t) || matches!(t, Token::Literal8(_)))?;
    }
    Ok(())
}

/// Nothing, part numbers, or a text behind them (RFC 3501 9 section-spec).
fn section_spec(spec: &[Token]) -> Checked {
    let wrong = || Err("no section looks so".to_owned());
    let (first, rest) = match spec.split_first() {
        None => return Ok(()),
        Some((Token::Atom(first), rest)) => (first.to_ascii_uppercase(), rest),
        Some(_) => return wrong(),
    };
    let mut words = first.split(|b| *b == b'.').peekable();
    let mut part = false;
    while words
        .next_if(|word| is_nz_number(&Token::Atom(word.to_vec())))
        .is_some()
    {
        part = true;
    }
    let text: Vec<&[u8]> = words.collect();
    let fields = match text.as_slice() {
        [] => part && rest.is_empty(),
        [b"HEADER" | b"TEXT"] => rest.is_empty(),
        [b"MIME"] => part && rest.is_empty(),
        [b"HEADER", b"FIELDS"] | [b"HEADER", b"FIELDS", b"NOT"] => match rest {
            [Token::List { items, .. }] => !items.is_empty() && items.iter().all(is_astring),
            _ => false,
        },
        _ => false,
    };
    if fields { Ok(()) } else { wrong() }
}

/// Ten fields (RFC 3501 7.4.2, 9 envelope).
fn envelope(tokens: &[Token]) -> Checked {
    let mut row = Row::new("ENVELOPE", tokens);
    row.must("the date, a string or NIL", is_nstring)?;
    row.must("the subject, a string or NIL", is_nstring)?;
    for field in ["from", "sender", "reply-to", "to", "cc", "bcc"] {
        addresses(field, row.next(field)?)?;
    }
    row.must("the in-reply-to, a string or NIL", is_nstring)?;
    row.must("the message-id, a string or NIL", is_nstring)?;
    row.end()
}

fn addresses(field: &str, token: &Token) -> Checked {
    if is_nil(token) {
        return Ok(());
    }
    let list = token.list().filter(|list| !list.is_empty());
    let Some(list) = list else {
        return Err(format!("ENVELOPE: {field} is NIL or a list of addresses"));
    };
    for (index, address) in list.iter().enumerate() {
        let Token::List { items, glued } = address else {
            return Err(format!("ENVELOPE: an address of {field} is a list"));
        };
        if *glued != (index > 0) {
            return Err(format!("ENVELOPE: nothing stands between the addresses of {field}"));
        }
        if items.len() != 4 || !items.iter().all(is_nstring) {
            return Err(format!("ENVELOPE: an address of {field} has four strings or NILs"));
        }
    }
    Ok(())
}

/// A part or several (RFC 3501 9 body); extension data only in BODYSTRUCTURE.
fn body(tokens: &[Token], extended: bool) -> Checked {
    let parts = tokens.iter().take_while(|t| t.list().is_some()).count();
    if parts == 0 {
        return single(tokens, extended);
    }
    for (index, part) in tokens.iter().take(parts).enumerate() {
        if let Token::List { items, glued } = part {
            if *glued != (index > 0) {
                return Err("a body structure: nothing stands between the parts of a multipart".into());
            }
            body(items, extended)?;
        }
    }
    let mut row = Row::new("a multipart's structure", tokens.get(parts..).unwrap_or_default());
    row.must("the subtype, a string", is_string)?;
    if row.is_at_end() {
        return Ok(());
    }
    if !extended {
        return Err("BODY has no extension data".into());
    }
    parameters(&mut row)?;
    extension(&mut row)
}

fn single(tokens: &[Token], extended: bool) -> Checked {
    let mut row = Row::new("a part's structure", tokens);
    let media = row.must("the type, a string", is_string)?.string().unwrap_or_default();
    let subtype = row
        .must("the subtype, a string", is_string)?
        .string()
        .unwrap_or_default();
    parameters(&mut row)?;
    row.must("the id, a string or NIL", is_nstring)?;
    row.must("the description, a string or NIL", is_nstring)?;
    row.must("the encoding, a string", is_string)?;
    row.must("the size, a number", is_number64)?;
    if media.eq_ignore_ascii_case(b"MESSAGE") && subtype.eq_ignore_ascii_case(b"RFC822") {
        envelope(row.list("the envelope of the message")?)?;
        body(row.list("the structure of the message")?, extended)?;
        row.must("the lines, a number", is_number64)?;
    } else if media.eq_ignore_ascii_case(b"TEXT") {
        row.must("the lines, a number", is_number64)?;
    }
    if row.is_at_end() {
        return Ok(());
    }
    if !extended {
        return Err("BODY has no extension data".into());
    }
    row.must("the MD5, a string or NIL", is_nstring)?;
    extension(&mut row)
}

fn parameters(row: &mut Row<'_>) -> Checked {
    let pairs = |list: &[Token]| !list.is_empty() && list.len().is_multiple_of(2) && list.iter().all(is_string);
    row.must("the parameters, NIL or pairs of strings", |t| {
        is_nil(t) || t.list().is_some_and(pairs)
    })?;
    Ok(())
}

/// Disposition, language, location, and what future revisions add; each may be the last.
fn extension(row: &mut Row<'_>) -> Checked {
    if row.is_at_end() {
        return Ok(());
    }
    let disposition = row.next("the disposition")?;
    match disposition {
        Token::List { items, .. } => {
            let mut of = Row::new("the disposition", items);
            of.must("its type, a string", is_string)?;
            parameters(&mut of)?;
            of.end()?;
        }
        other if is_nil(other) => {}
        _ => return Err("the disposition is NIL or a list".into()),
    }
    if row.is_at_end() {
        return Ok(());
    }
    let languages = |list: &[Token]| !list.is_empty() && list.iter().all(is_string);
    row.must("the language, a string, NIL or strings", |t| {
        is_nstring(t) || t.list().is_some_and(languages)
    })?;
    if row.is_at_end() {
        return Ok(());
    }
    row.must("the location, a string or NIL", is_nstring)?;
    if row.left.iter().all(is_extension) {
        Ok(())
    } else {
        Err("what follows the location has another syntax".into())
    }
}

fn is_extension(token: &Token) -> bool {
    is_nstring(token)
        || is_number(token)
        || token
            .list()
            .is_some_and(|list| !list.is_empty() && list.iter().all(is_extension))
}
