//! What is known of a message while its index and its text are read, and how the text is read: once, in pieces, for all
//! needles.

use std::ops::Range;

use backend_api::{Bytes, Date, MessageBody, Result};
use imap_message::{FieldText, HeaderReader, HeaderRole, Index, Searched, TextDecoder, decode_header, searched};

use super::evaluate::{Known, evaluate};
use super::needles::{Hits, Stream};
use super::program::{Parts, RowTest};
use super::{Need, Row};

/// How much of a body is in memory at once, in octets.
const PIECE: u64 = 64 * 1024;
/// How many octets are searched for one unit of the task's budget: a megabyte or so before other tasks have their turn.
const BUDGET: usize = 8 * 1024;

/// A message as far as it is known.
pub(super) struct Message<'a, B> {
    parts: &'a Parts,
    row: &'a Row<'a>,
    index: &'a Index<B>,
    /// What is known of each group of fields.
    fields: Vec<Option<Fields>>,
    /// Needles found in the header or in MIME headers.
    in_header: Hits,
    /// Needles found in the body.
    in_body: Hits,
    /// All of the text was read.
    read: bool,
}

/// What the fields of one name hold.
#[derive(Default)]
struct Fields {
    present: bool,
    hits: Hits,
}

impl<'a, B: AsRef<[u8]>> Message<'a, B> {
    pub(super) fn new(parts: &'a Parts, row: &'a Row<'a>, index: &'a Index<B>) -> Self {
        Self {
            parts,
            row,
            index,
            fields: parts.groups.iter().map(|_| None).collect(),
            in_header: Hits::default(),
            in_body: Hits::default(),
            read: false,
        }
    }

    /// Reads the text, up to the point where the answer is certain.
    pub(super) async fn read(&mut self, body: &MessageBody) -> Result<Option<bool>> {
        let index = self.index;
        for (range, what) in searched(index) {
            let decided = match what {
                Searched::Header(role) if self.wants_header(role) => self.read_header(body, range, role).await?,
                Searched::Text(part) if !self.parts.needles.is_empty() => {
                    self.read_text(body, range, TextDecoder::of(&part)).await?
                }
                _ => None,
            };
            if decided.is_some() {
                return Ok(decided);
            }
        }
        self.read = true;
        Ok(None)
    }

    fn wants_header(&self, role: HeaderRole) -> bool {
        match role {
            HeaderRole::Own => self.parts.has_text || self.fields.iter().any(Option::is_none),
            HeaderRole::Within => self.parts.has_text,
        }
    }

    async fn read_header(&mut self, body: &MessageBody, range: Range<u64>, role: HeaderRole) -> Result<Option<bool>> {
        let mut text = HeaderText::default();
        let mut reader = HeaderReader::new();
        let mut unknown = HeaderFields::of(self, role);
        let mut rest = range;
        while !rest.is_empty() {
            let octets = next_piece(body, &mut rest).await?;
            reader.push(&octets, &mut |field| self.field(field, &mut text, &mut unknown));
        }
        reader.finish(&mut |field| self.field(field, &mut text, &mut unknown));
        unknown.settle(self);
        Ok(evaluate(&self.parts.root, self).ok())
    }

    fn field(&mut self, field: &FieldText<'_>, text: &mut HeaderText, unknown: &mut HeaderFields) {
        unknown.take(self.parts, field);
        let needles = &self.parts.needles;
        let hits = &mut self.in_header;
        if needles.is_empty() {
            return;
        }
        needles.search(&mut text.raw, hits, &field.raw());
        field.decoded(&mut |piece| {
            needles.search(&mut text.decoded, hits, piece);
        });
    }

    async fn read_text(
        &mut self,
        body: &MessageBody,
        range: Range<u64>,
        mut decoder: TextDecoder,
    ) -> Result<Option<bool>> {
        let mut stream = Stream::default();
        let mut text = String::new();
        let mut rest = range;
        while !rest.is_empty() {
            let octets = next_piece(body, &mut rest).await?;
            text.clear();
            decoder.push(&octets, &mut text);
            if let Some(decided) = self.text_piece(&mut stream, &text) {
                return Ok(Some(decided));
            }
        }
        text.clear();
        decoder.finish(&mut text);
        Ok(self.text_piece(&mut stream, &text))
    }

    /// The answer, if what this piece has in it decides.
    fn text_piece(&mut self, stream: &mut Stream, text: &str) -> Option<bool> {
        let more = self.parts.needles.search(stream, &mut self.in_body, text);
        if more {
            evaluate(&self.parts.root, self).ok()
        } else {
            None
        }
    }
}

impl<B: AsRef<[u8]>> Known for Message<'_, B> {
    fn holds(&self, test: &RowTest) -> Result<bool, Need> {
        Ok(test.holds(self.row))
    }

    fn lacks(&self, sought: usize) -> bool {
        self.parts.lacks(sought, self.row.uid)
    }

    fn size(&self) -> Result<u64, Need> {
        Ok(self.row.size.unwrap_or_else(|| self.index.size()))
    }

    fn sent(&self) -> Result<Option<Date>, Need> {
        let civil = self.index.sent();
        Ok(civil.and_then(|sent| Date::from_civil(i32::from(sent.year), sent.month, sent.day)))
    }

    fn field(&mut self, group: usize, needle: Option<usize>) -> Result<bool, Need> {
        let (slot, group) = self
            .fields
            .get_mut(group)
            .zip(self.parts.groups.get(group))
            .ok_or(Need::Header)?;
        if slot.is_none() {
            *slot = self.index.header(&group.name).map(|values| {
                let mut fields = Fields::default();
                let mut stream = Stream::default();
                for value in values {
                    fields.present = true;
                    stream.restart();
                    group
                        .needles
                        .search(&mut stream, &mut fields.hits, &decode_header(value));
                }
                fields
            });
        }
        let fields = slot.as_ref().ok_or(Need::Header)?;
        Ok(needle.map_or(fields.present, |needle| fields.hits.has(needle)))
    }

    fn body(&self, needle: usize) -> Result<bool, Need> {
        let found = self.in_body.has(needle);
        if found || self.read { Ok(found) } else { Err(Need::Body) }
    }

    fn text(&self, needle: usize) -> Result<bool, Need> {
        let found = self.in_body.has(needle) || self.in_header.has(needle);
        if found || self.read { Ok(found) } else { Err(Need::Body) }
    }
}

/// A header as text: nothing is found across two of these.
#[derive(Default)]
struct HeaderText {
    /// As it stands there.
    raw: Stream,
    /// Unfolded, encoded words decoded.
    decoded: Stream,
}

/// The groups of fields that the index does not know, while the message's own header goes by.
#[derive(Default)]
struct HeaderFields {
    open: Vec<(usize, Fields)>,
    /// Which of them the current field belongs to.
    current: Option<usize>,
    value: Stream,
}

impl HeaderFields {
    fn of<B>(message: &Message<'_, B>, role: HeaderRole) -> Self {
        if role != HeaderRole::Own {
            return Self::default();
        }
        let open = message.fields.iter().enumerate().filter(|(_, fields)| fields.is_none());
        Self {
            open: open.map(|(group, _)| (group, Fields::default())).collect(),
            ..Self::default()
        }
    }

    fn take(&mut self, parts: &Parts, field: &FieldText<'_>) {
        if field.starts() {
            self.value.restart();
            let named = |group: &usize| {
                let group = parts.groups.get(*group);
                group
                    .zip(field.name())
                    .is_some_and(|(group, name)| group.name.as_bytes().eq_ignore_ascii_case(name))
            };
            self.current = self.open.iter().position(|(group, _)| named(group));
        }
        let Some((group, fields)) = self.current.and_then(|place| self.open.get_mut(place)) else {
            return;
        };
        let Some(group) = parts.groups.get(*group) else { return };
        fields.present = true;
        group.needles.search(&mut self.value, &mut fields.hits, &field.value());
    }

    fn settle<B>(self, message: &mut Message<'_, B>) {
        for (group, fields) in self.open {
            if let Some(slot) = message.fields.get_mut(group) {
                *slot = Some(fields);
            }
        }
    }
}

/// The next octets of a range that is not empty, which they are taken off.
async fn next_piece(body: &MessageBody, rest: &mut Range<u64>) -> Result<Bytes> {
    let length = (rest.end - rest.start).min(PIECE) as usize;
    for _ in 0..=length / BUDGET {
        tokio::task::coop::consume_budget().await;
    }
    let octets = body.read_at(rest.start, length).await?;
    rest.start += length as u64;
    Ok(octets)
}
