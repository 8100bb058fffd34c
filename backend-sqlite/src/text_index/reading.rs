//! Reading a message for the index: the same texts, decoded in the same way, as SEARCH looks through.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use backend_api::{Bytes, Error, Result};
use imap_message::{FieldText, HeaderReader, Index, Indexer, Searched, TextDecoder, searched};
use rusqlite::{Connection, OptionalExtension as _};

use super::grams::{Area, Collector, Tail};
use super::pace::Pace;
use crate::error::sql;
use crate::folder::Folder;
use crate::load::{Octets, whole};

/// Octets read at once, as SEARCH does.
const PIECE: u64 = 64 * 1024;
/// A body up to this is read whole, rather than its texts alone.
const SMALL: u64 = 64 * 1024;
/// Text of one message that is looked at, in octets. Whoever sends more sends no letter; SEARCH reads it.
const MOST_TEXT: u64 = 4 * 1024 * 1024;
/// Distinct grams of one message that are kept. Ordinary text of any length has a tenth of that; noise has more, and would
/// make the index larger than itself.
const MOST_GRAMS: usize = 64 * 1024;

/// A body that is to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub(super) id: i64,
    pub(super) size: u64,
    pub(super) file: Option<[u8; 16]>,
}

/// Collects the grams of a message's texts. `false`: there are too many, or the text is not certain, so that nothing can be
/// said of what the message does not hold.
///
/// # Errors
/// It cannot be read.
pub(super) fn read(
    mail: &Connection,
    folder: &Folder,
    source: Source,
    grams: &mut Collector,
    pace: &mut Pace<'_>,
) -> Result<bool> {
    let octets = Source::open(source, mail, folder)?;
    let index = octets.index(pace)?;
    let mut reading = Reading {
        grams,
        pace,
        text: 0,
        certain: true,
    };
    for (range, what) in searched(&index) {
        if !reading.goes_on() {
            break;
        }
        match what {
            Searched::Header(_) => reading.header(&octets, range)?,
            Searched::Text(part) => reading.text(&octets, range, TextDecoder::of(&part))?,
        }
    }
    Ok(reading.goes_on())
}

/// A body that is being read.
struct Open<'c> {
    mail: &'c Connection,
    source: Source,
    octets: Octets,
    whole: Option<Bytes>,
}

impl Source {
    fn open<'c>(self, mail: &'c Connection, folder: &Folder) -> Result<Open<'c>> {
        let octets = match &self.file {
            None => Octets::Rows(self.id),
            Some(id) => Octets::File(Arc::new(File::open(folder.body(id)).map_err(Error::internal)?)),
        };
        let whole = match self.file {
            None if self.size <= SMALL => Some(whole(mail, self.id, self.size)?),
            _ => None,
        };
        Ok(Open {
            mail,
            source: self,
            octets,
            whole,
        })
    }
}

impl Open<'_> {
    /// The stored index, or one that is made.
    fn index(&self, pace: &mut Pace<'_>) -> Result<Index> {
        let stored: Option<Vec<u8>> = self
            .mail
            .prepare_cached("SELECT octets FROM indexes WHERE id = ?")
            .and_then(|mut s| s.query_row([self.source.id], |r| r.get(0)).optional())
            .map_err(sql)?;
        if let Some(index) = stored.and_then(|octets| Index::parse(octets).ok()) {
            return Ok(index);
        }
        let mut indexer = Indexer::new();
        let mut rest = 0..self.source.size;
        while !rest.is_empty() {
            indexer.push(&self.next(&mut rest)?);
            pace.give_way();
        }
        Ok(indexer.finish())
    }

    /// The next octets of a range that is not empty, which they are taken off.
    fn next(&self, rest: &mut Range<u64>) -> Result<Bytes> {
        let start = rest.start;
        let end = rest.end.min(start.saturating_add(PIECE));
        rest.start = end;
        let place = |at: u64| usize::try_from(at).map_err(Error::internal);
        match &self.whole {
            Some(whole) => {
                let (start, end) = (place(start)?, place(end)?.min(whole.len()));
                Ok(whole.slice(start.min(end)..end))
            }
            None => self.octets.read(self.mail, start, place(end - start)?),
        }
    }
}

struct Reading<'g, 'i> {
    grams: &'g mut Collector,
    pace: &'g mut Pace<'i>,
    /// Octets of text so far.
    text: u64,
    certain: bool,
}

impl Reading<'_, '_> {
    fn goes_on(&self) -> bool {
        self.certain && self.text <= MOST_TEXT && self.grams.len() <= MOST_GRAMS
    }

    fn header(&mut self, octets: &Open<'_>, mut rest: Range<u64>) -> Result<()> {
        let (mut raw, mut decoded) = (Tail::default(), Tail::default());
        let mut reader = HeaderReader::new();
        let mut field = |field: &FieldText<'_>| {
            // How a very long field is decoded depends on where it is cut.
            self.certain &= field.ends();
            let text = field.raw();
            self.text += text.len() as u64;
            self.grams.push(Area::Header, &mut raw, &text);
            field.decoded(&mut |piece| self.grams.push(Area::Header, &mut decoded, piece));
        };
        while !rest.is_empty() {
            reader.push(&octets.next(&mut rest)?, &mut field);
            self.pace.give_way();
        }
        reader.finish(&mut field);
        Ok(())
    }

    fn text(&mut self, octets: &Open<'_>, mut rest: Range<u64>, mut decoder: TextDecoder) -> Result<()> {
        let (mut tail, mut text) = (Tail::default(), String::new());
        while !rest.is_empty() && self.goes_on() {
            text.clear();
            decoder.push(&octets.next(&mut rest)?, &mut text);
            self.text += text.len() as u64;
            self.grams.push(Area::Body, &mut tail, &text);
            self.pace.give_way();
        }
        text.clear();
        decoder.finish(&mut text);
        self.grams.push(Area::Body, &mut tail, &text);
        Ok(())
    }
}
