//! FETCH: its items, macros, sections and partial ranges (RFC 3501 6.4.5).

use std::num::NonZeroU32;

use backend_api::{BodySection, FetchItem, Partial, Section, SectionForm, SectionText};

use super::cursor::Cursor;
use super::{Parse, Stop, set};
use crate::Limits;
use crate::command::Command;

const ITEM: &str = "a FETCH item";

pub(super) fn fetch(c: &mut Cursor<'_>, uid: bool, limits: &Limits) -> Parse<Command> {
    let set = set::argument(c, limits)?;
    c.space("a space and FETCH items")?;
    let mut items = Vec::new();
    if uid {
        // R3501-273
        items.push(FetchItem::Uid);
    }
    if c.eat(b'(') {
        list(c, &mut items, limits)?;
    } else if let Some(macro_items) = macro_name(c) {
        macro_items.iter().for_each(|item| add(&mut items, item.clone()));
    } else {
        let one = item(c, limits)?;
        add(&mut items, one);
    }
    c.end("the end of the command")?;
    Ok(Command::Fetch { uid, set, items })
}

fn add(items: &mut Vec<FetchItem>, item: FetchItem) {
    if !items.contains(&item) {
        items.push(item);
    }
}

fn list(c: &mut Cursor<'_>, items: &mut Vec<FetchItem>, limits: &Limits) -> Parse<()> {
    let mut count = 0;
    loop {
        if count >= limits.fetch_items {
            return Err(Stop::too_many("FETCH items"));
        }
        count += 1;
        let one = item(c, limits)?;
        add(items, one);
        if c.eat(b')') {
            return Ok(());
        }
        c.space("a space or the end of the list")?;
    }
}

/// ALL, FAST, FULL: they stand alone (R3501-232 to R3501-235).
fn macro_name(c: &mut Cursor<'_>) -> Option<&'static [FetchItem]> {
    use FetchItem as F;
    static FULL: [FetchItem; 5] = [F::Flags, F::InternalDate, F::Rfc822Size, F::Envelope, F::Body];
    let rows = [("ALL", 4), ("FAST", 3), ("FULL", 5)];
    let (_, len) = rows.into_iter().find(|(name, _)| c.keyword(name))?;
    FULL.get(..len)
}

fn item(c: &mut Cursor<'_>, limits: &Limits) -> Parse<FetchItem> {
    let start = c.position();
    let word = c.word(ITEM)?.to_ascii_uppercase();
    let rfc822 = |text, form, peek| {
        let section = Section { path: Vec::new(), text };
        Ok(FetchItem::Section(BodySection::new(section, None, form, peek)))
    };
    match word.as_str() {
        "FLAGS" => Ok(FetchItem::Flags),
        "UID" => Ok(FetchItem::Uid),
        "INTERNALDATE" => Ok(FetchItem::InternalDate),
        "RFC822.SIZE" => Ok(FetchItem::Rfc822Size),
        "ENVELOPE" => Ok(FetchItem::Envelope),
        "BODYSTRUCTURE" => Ok(FetchItem::BodyStructure),
        "RFC822" => rfc822(SectionText::All, SectionForm::Rfc822, false),
        "RFC822.HEADER" => rfc822(SectionText::Header, SectionForm::Rfc822Header, true),
        "RFC822.TEXT" => rfc822(SectionText::Text, SectionForm::Rfc822Text, false),
        "BODY" if c.peek() == Some(b'[') => section_item(c, false, limits),
        "BODY.PEEK" if c.peek() == Some(b'[') => section_item(c, true, limits),
        "BODY" => Ok(FetchItem::Body),
        _ => Err(c.bad_at(ITEM, start)),
    }
}

fn section_item(c: &mut Cursor<'_>, peek: bool, limits: &Limits) -> Parse<FetchItem> {
    c.expect(b'[', "a section")?;
    let section = section(c, limits)?;
    c.expect(b']', "the end of the section")?;
    let partial = if c.eat(b'<') { Some(partial(c)?) } else { None };
    let item = BodySection::new(section, partial, SectionForm::Body, peek);
    Ok(FetchItem::Section(item))
}

fn section(c: &mut Cursor<'_>, limits: &Limits) -> Parse<Section> {
    const NUMBER: &str = "a part number";
    let mut path = Vec::new();
    while c.peek().is_some_and(|b| b.is_ascii_digit()) {
        if path.len() >= limits.section_depth {
            return Err(Stop::too_many("levels in a section"));
        }
        path.extend(NonZeroU32::new(c.nz_number(NUMBER)?));
        if !c.eat(b'.') {
            let text = SectionText::All;
            return Ok(Section { path, text });
        }
    }
    if path.is_empty() && c.peek() == Some(b']') {
        return Ok(Section::default());
    }
    let text = section_text(c, !path.is_empty(), limits)?;
    Ok(Section { path, text })
}

/// `section-text`; MIME after a part number alone (R3501-244).
fn section_text(c: &mut Cursor<'_>, of_part: bool, limits: &Limits) -> Parse<SectionText> {
    const TEXT: &str = "HEADER, HEADER.FIELDS, HEADER.FIELDS.NOT, TEXT, or MIME of a part";
    let start = c.position();
    match c.word(TEXT)?.to_ascii_uppercase().as_str() {
        "HEADER" => Ok(SectionText::Header),
        "TEXT" => Ok(SectionText::Text),
        "MIME" if of_part => Ok(SectionText::Mime),
        "HEADER.FIELDS" => header_list(c, limits).map(SectionText::HeaderFields),
        "HEADER.FIELDS.NOT" => header_list(c, limits).map(SectionText::HeaderFieldsNot),
        _ => Err(c.bad_at(TEXT, start)),
    }
}

fn header_list(c: &mut Cursor<'_>, limits: &Limits) -> Parse<Vec<String>> {
    const LIST: &str = "a list of header field names";
    c.space(LIST)?;
    c.expect(b'(', LIST)?;
    let mut names = Vec::new();
    loop {
        if names.len() >= limits.header_fields {
            return Err(Stop::too_many("header field names"));
        }
        names.push(field_name(c)?);
        if c.eat(b')') {
            return Ok(names);
        }
        c.space("a space or the end of the list")?;
    }
}

/// The name of a header field (RFC 5322 3.6.8): printable US-ASCII without a colon.
pub(super) fn field_name(c: &mut Cursor<'_>) -> Parse<String> {
    const NAME: &str = "a header field name";
    let start = c.position();
    let octets = c.astring(NAME)?;
    let text = std::str::from_utf8(&octets).ok();
    let name = text.filter(|name| !name.is_empty() && name.bytes().all(|b| matches!(b, b'!'..=b'~') && b != b':'));
    name.map(str::to_owned).ok_or(c.bad_at(NAME, start))
}

/// `<offset.count>`, the count not 0 (R3501-247, R3501-249).
fn partial(c: &mut Cursor<'_>) -> Parse<Partial> {
    const PARTIAL: &str = "a range such as <0.1024>";
    let offset = c.number(PARTIAL)?;
    c.expect(b'.', PARTIAL)?;
    let count = c.nz_number(PARTIAL)?;
    c.expect(b'>', PARTIAL)?;
    Ok(Partial {
        offset: offset.into(),
        count: count.into(),
    })
}
