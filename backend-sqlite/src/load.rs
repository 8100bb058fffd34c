//! Reading messages: their indexes and octets, small ones as they are, large ones piece by piece.

use std::fs::File;
use std::sync::Arc;

use backend_api::{Bytes, Error, Load, Loaded, MessageBody, RangedBody, Result, Uid, async_trait};
use parking_lot::Mutex;
use rusqlite::{CachedStatement, Connection, params};

use crate::body::{CHUNK, chunk_id};
use crate::error::{damaged, sql};
use crate::shared::Shared;
use crate::tx::{Place, unsigned};

/// Octets of one answer. A body larger than this is read piece by piece.
const ANSWER: u64 = 256 * 1024;
/// What a message costs of an answer besides its octets.
const OVERHEAD: u64 = 128;
/// Large messages of one answer: each holds a file open.
const MAX_RANGED: usize = 16;

/// Messages that one answer covers at most.
pub(crate) const MOST: usize = 4_096;

struct Found {
    body: i64,
    size: u64,
    file: Option<[u8; 16]>,
    index: Option<Bytes>,
}

/// Loads messages from the start of the list, up to one answer's worth, and says how many of the list that covers.
pub(crate) fn load(
    conn: &Connection,
    shared: &Arc<Shared>,
    place: Place,
    uids: &[Uid],
    what: Load,
) -> Result<(Vec<Loaded>, usize)> {
    let (mut loaded, mut covered, mut cost, mut ranged) = (Vec::new(), 0, 0u64, 0);
    let mut find = Find::new(conn, place, what.index)?;
    for uid in uids {
        let Some(found) = find.message(*uid)? else {
            covered += 1;
            continue;
        };
        let with_body = what.body || (what.index && found.index.is_none());
        cost = cost.saturating_add(OVERHEAD + found.index.as_ref().map_or(0, |i| i.len() as u64));
        let large = found.size > ANSWER;
        if with_body && !large {
            cost = cost.saturating_add(found.size);
        }
        ranged += usize::from(with_body && large);
        if !loaded.is_empty() && (cost > ANSWER || ranged > MAX_RANGED) {
            break;
        }
        let body = if with_body { body(conn, shared, &found)? } else { None };
        if body.is_some() == with_body {
            loaded.push(Loaded::new(*uid, found.index, body));
        }
        covered += 1;
    }
    Ok((loaded, covered))
}

/// Looks messages up, one statement for all of a list.
struct Find<'c> {
    select: CachedStatement<'c>,
    place: Place,
    index: bool,
}

impl<'c> Find<'c> {
    fn new(conn: &'c Connection, place: Place, index: bool) -> Result<Self> {
        let text = if index {
            "SELECT b.id, b.size, b.file, i.octets FROM messages m JOIN bodies b ON b.id = m.body
             LEFT JOIN indexes i ON i.id = b.id WHERE m.account = ? AND m.mailbox = ? AND m.uid = ?"
        } else {
            "SELECT b.id, b.size, b.file FROM messages m JOIN bodies b ON b.id = m.body
             WHERE m.account = ? AND m.mailbox = ? AND m.uid = ?"
        };
        let select = conn.prepare_cached(text).map_err(sql)?;
        Ok(Self { select, place, index })
    }

    fn message(&mut self, uid: Uid) -> Result<Option<Found>> {
        let key = params![self.place.account, self.place.mailbox, uid.get()];
        let mut rows = self.select.query(key).map_err(sql)?;
        let Some(row) = rows.next().map_err(sql)? else {
            return Ok(None);
        };
        let index = if self.index {
            row.get_ref(3).map_err(sql)?.as_blob_or_null()
        } else {
            Ok(None)
        };
        let index = index.map_err(|_| damaged("an index that is no blob"))?;
        Ok(Some(Found {
            body: row.get(0).map_err(sql)?,
            size: unsigned(row.get(1).map_err(sql)?),
            file: row.get(2).map_err(sql)?,
            index: index.map(Bytes::copy_from_slice),
        }))
    }
}

/// The octets of a body; `None` when its file went since this picture of the store was taken.
fn body(conn: &Connection, shared: &Arc<Shared>, found: &Found) -> Result<Option<MessageBody>> {
    let place = match &found.file {
        None => Octets::Rows(found.body),
        Some(id) => match File::open(shared.folder.body(id)) {
            Ok(file) => Octets::File(Arc::new(file)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::internal(e)),
        },
    };
    if found.size > ANSWER {
        let ranged = Ranged {
            shared: shared.clone(),
            size: found.size,
            octets: place,
            ahead: Mutex::default(),
        };
        return Ok(Some(MessageBody::Ranged(Arc::new(ranged))));
    }
    let octets = match place {
        Octets::Rows(body) => whole(conn, body, found.size)?,
        file => file.read(conn, 0, usize::try_from(found.size).map_err(Error::internal)?)?,
    };
    Ok(Some(MessageBody::Bytes(octets)))
}

/// A body of at most one row: without a handle of its own on that row, which would cost more than the read.
pub(crate) fn whole(conn: &Connection, body: i64, size: u64) -> Result<Bytes> {
    const { assert!(ANSWER as usize <= CHUNK) };
    if size == 0 {
        return Ok(Bytes::new());
    }
    let mut select = conn
        .prepare_cached("SELECT octets FROM contents WHERE id = ?")
        .map_err(sql)?;
    let mut rows = select.query([chunk_id(body, 0)]).map_err(sql)?;
    let row = rows
        .next()
        .map_err(sql)?
        .ok_or_else(|| damaged("a body without its row"))?;
    let octets = row.get_ref(0).map_err(sql)?;
    let octets = octets.as_blob().ok().filter(|o| o.len() as u64 == size);
    octets
        .map(Bytes::copy_from_slice)
        .ok_or_else(|| damaged("a body's row has another length"))
}

/// Where the octets of a body are.
#[derive(Clone)]
pub(crate) enum Octets {
    /// In rows, under this number.
    Rows(i64),
    /// In a file; held open, it stays readable when the message goes.
    File(Arc<File>),
}

impl Octets {
    pub(crate) fn read(&self, conn: &Connection, offset: u64, len: usize) -> Result<Bytes> {
        let mut octets = vec![0; len];
        match self {
            Self::Rows(body) => read_rows(conn, *body, offset, &mut octets)?,
            Self::File(file) => read_file(file, offset, &mut octets)?,
        }
        Ok(octets.into())
    }
}

fn read_rows(conn: &Connection, body: i64, mut offset: u64, mut into: &mut [u8]) -> Result<()> {
    while !into.is_empty() {
        let (piece, within) = (offset / CHUNK as u64, offset % CHUNK as u64);
        let within = usize::try_from(within).map_err(Error::internal)?;
        let id = chunk_id(body, piece).ok_or_else(|| damaged("a body's number"))?;
        let blob = match conn.blob_open("main", "contents", "octets", id, true) {
            Ok(blob) => blob,
            Err(rusqlite::Error::SqliteFailure(e, _)) if e.extended_code == rusqlite::ffi::SQLITE_ERROR => {
                return Err(Error::not_found("the message was removed"));
            }
            Err(e) => return Err(sql(e)),
        };
        let len = into.len().min(blob.len().saturating_sub(within));
        let (now, later) = into
            .split_at_mut_checked(len)
            .filter(|_| len > 0)
            .ok_or_else(|| damaged("a body's rows"))?;
        blob.read_at_exact(now, within).map_err(sql)?;
        offset = offset.saturating_add(len as u64);
        into = later;
    }
    Ok(())
}

#[cfg(unix)]
fn read_file(file: &File, offset: u64, into: &mut [u8]) -> Result<()> {
    use std::os::unix::fs::FileExt as _;
    file.read_exact_at(into, offset)
        .map_err(|_| damaged("a body's file is shorter than its row says"))
}

#[cfg(not(unix))]
fn read_file(mut file: &File, offset: u64, into: &mut [u8]) -> Result<()> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    file.seek(SeekFrom::Start(offset)).map_err(Error::internal)?;
    file.read_exact(into)
        .map_err(|_| damaged("a body's file is shorter than its row says"))
}

/// A large message.
struct Ranged {
    shared: Arc<Shared>,
    size: u64,
    octets: Octets,
    /// What was read last: who reads on is given the rest of a larger piece without another hop.
    ahead: Mutex<Ahead>,
}

#[derive(Default)]
struct Ahead {
    start: u64,
    octets: Bytes,
}

impl Ahead {
    fn end(&self) -> u64 {
        self.start.saturating_add(self.octets.len() as u64)
    }

    fn get(&self, offset: u64, len: usize) -> Option<Bytes> {
        let at = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        let end = at.checked_add(len).filter(|end| *end <= self.octets.len())?;
        Some(self.octets.slice(at..end))
    }
}

#[async_trait]
impl RangedBody for Ranged {
    fn size(&self) -> u64 {
        self.size
    }

    async fn read_at(&self, offset: u64, len: usize) -> Result<Bytes> {
        let wanted = {
            let ahead = self.ahead.lock();
            if let Some(octets) = ahead.get(offset, len) {
                return Ok(octets);
            }
            let reads_on = offset > 0 && offset == ahead.end();
            if reads_on { len.max(CHUNK) } else { len }
        };
        let left = self.size.saturating_sub(offset);
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(wanted);
        let octets = self.octets.clone();
        let read = move |conn: &Connection| octets.read(conn, offset, wanted);
        let octets = self.shared.readers.call(read).await?;
        let piece = octets.slice(..len.min(octets.len()));
        let start = offset;
        *self.ahead.lock() = Ahead { start, octets };
        Ok(piece)
    }
}
