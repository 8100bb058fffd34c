//! Reading messages: their indexes and octets, small ones as they are, large ones piece by piece.

use std::fs::File;
use std::sync::Arc;

use backend_api::{Bytes, Error, Load, Loaded, MessageBody, RangedBody, Result, Uid, async_trait};
use imap_message::Index;
use parking_lot::Mutex;
use rusqlite::blob::Blob;
use rusqlite::{Connection, Row, params};

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

/// So many at once are much to read.
const MANY: usize = 32;

/// UIDs this close to each other are looked up in one pass over the rows between them.
const GAP: u32 = 4;

struct Found {
    body: i64,
    size: u64,
    file: Option<[u8; 16]>,
}

/// Loads messages from the start of the list, up to one answer's worth, and says how many of the list that covers.
pub(crate) fn load(
    conn: &Connection,
    shared: &Arc<Shared>,
    place: Place,
    uids: &[Uid],
    what: Load,
) -> Result<(Vec<Loaded>, usize)> {
    let mut answer = Answer {
        conn,
        shared,
        what,
        loaded: Vec::new(),
        covered: 0,
        cost: 0,
        ranged: 0,
        piece: None,
    };
    if uids.len() >= MANY {
        shared.text_index.bulk_moves();
    }
    let mut rest = uids;
    while !rest.is_empty() {
        let (run, later) = rest.split_at(run_len(rest));
        rest = later;
        if !each_row(conn, place, run, |uid, row| answer.take(uid, row))? {
            break;
        }
    }
    Ok((answer.loaded, answer.covered))
}

/// How many UIDs from the start on grow by little.
fn run_len(uids: &[Uid]) -> usize {
    let near = |a: &Uid, b: &Uid| (1..=GAP).contains(&b.get().wrapping_sub(a.get()));
    let pairs = uids.iter().zip(uids.iter().skip(1));
    pairs.take_while(|(a, b)| near(a, b)).count() + usize::from(!uids.is_empty())
}

/// Hands out the rows of growing UIDs, `None` for those without, until it is not wanted any more; whether it was to the
/// end. Rows that follow each other are a step apart in SQLite's trees, where each one by itself is a search.
fn each_row(
    conn: &Connection,
    place: Place,
    uids: &[Uid],
    mut take: impl FnMut(Uid, Option<&Row<'_>>) -> Result<bool>,
) -> Result<bool> {
    let (Some(first), Some(last)) = (uids.first(), uids.last()) else {
        return Ok(true);
    };
    let mut select = conn
        .prepare_cached(
            "SELECT m.uid, m.body, i.octets FROM messages m LEFT JOIN indexes i ON i.id = m.body
             WHERE m.account = ? AND m.mailbox = ? AND m.uid BETWEEN ? AND ? ORDER BY m.uid",
        )
        .map_err(sql)?;
    let key = params![place.account, place.mailbox, first.get(), last.get()];
    let mut rows = select.query(key).map_err(sql)?;
    let mut wanted = uids.iter().copied().peekable();
    while let Some(row) = rows.next().map_err(sql)? {
        let here: u32 = row.get(0).map_err(sql)?;
        while let Some(gone) = wanted.next_if(|uid| uid.get() < here) {
            if !take(gone, None)? {
                return Ok(false);
            }
        }
        if let Some(uid) = wanted.next_if(|uid| uid.get() == here)
            && !take(uid, Some(row))?
        {
            return Ok(false);
        }
    }
    for gone in wanted {
        if !take(gone, None)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What was loaded so far.
struct Answer<'a> {
    conn: &'a Connection,
    shared: &'a Arc<Shared>,
    what: Load,
    loaded: Vec<Loaded>,
    covered: usize,
    cost: u64,
    ranged: usize,
    /// The first piece of the body whose header was read last: a handle that goes on to another row costs little.
    piece: Option<Blob<'a>>,
}

impl Answer<'_> {
    /// Takes a message in; `false` where it has no room any more.
    fn take(&mut self, uid: Uid, row: Option<&Row<'_>>) -> Result<bool> {
        let Some(row) = row else {
            self.covered += 1;
            return Ok(true);
        };
        let index = match self.what.index {
            true => row.get_ref(2).map_err(sql)?.as_blob_or_null(),
            false => Ok(None),
        };
        let index = index.map_err(|_| damaged("an index that is no blob"))?;
        let with_body = self.what.body || (self.what.index && index.is_none());
        self.cost = self.cost.saturating_add(OVERHEAD + index.map_or(0, |i| i.len() as u64));
        let (mut body, mut header) = (None, None);
        let id = row.get(1).map_err(sql)?;
        if with_body {
            let found = find(self.conn, id)?;
            let large = found.size > ANSWER;
            self.ranged += usize::from(large);
            self.cost = self.cost.saturating_add(if large { 0 } else { found.size });
            if !self.has_room() {
                return Ok(false);
            }
            body = octets_of(self.conn, self.shared, &found)?;
        } else {
            let len = index.filter(|_| self.what.header).and_then(header_len);
            self.cost = self.cost.saturating_add(len.unwrap_or(0));
            if !self.has_room() {
                return Ok(false);
            }
            header = len.map_or(Ok(None), |len| self.header(id, len))?;
        }
        if body.is_some() == with_body {
            let index = index.map(Bytes::copy_from_slice);
            self.loaded.push(Loaded::new(uid, index, body).with_header(header));
        }
        self.covered += 1;
        Ok(true)
    }

    /// The first octets of a body; `None` when its file went since this picture of the store was taken.
    fn header(&mut self, body: i64, len: u64) -> Result<Option<Bytes>> {
        let mut octets = vec![0; usize::try_from(len).map_err(Error::internal)?];
        if octets.is_empty() {
            return Ok(Some(Bytes::new()));
        }
        let row = chunk_id(body, 0).ok_or_else(|| damaged("a body's number"))?;
        let piece = match self.piece.take() {
            Some(mut piece) => piece.reopen(row).map(|()| piece),
            None => self.conn.blob_open("main", "contents", "octets", row, true),
        };
        match piece {
            Ok(piece) => {
                piece.read_at_exact(&mut octets, 0).map_err(sql)?;
                self.piece = Some(piece);
            }
            Err(e) if is_no_row(&e) => match find(self.conn, body)?.file {
                None => return Err(damaged("a body without its row")),
                Some(id) => match File::open(self.shared.folder.body(&id)) {
                    Ok(file) => read_file(&file, 0, &mut octets)?,
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                    Err(e) => return Err(Error::internal(e)),
                },
            },
            Err(e) => return Err(sql(e)),
        }
        Ok(Some(octets.into()))
    }

    /// A first message always has.
    fn has_room(&self) -> bool {
        self.loaded.is_empty() || (self.cost <= ANSWER && self.ranged <= MAX_RANGED)
    }
}

/// Octets of the header that an index is of; `None` for one that is read piece by piece with the body.
fn header_len(index: &[u8]) -> Option<u64> {
    let index = Index::parse(index).ok()?;
    let header = index.part(&[])?.header();
    Some(header.end).filter(|len| *len <= ANSWER)
}

/// Where the octets of a body are.
fn find(conn: &Connection, body: i64) -> Result<Found> {
    let mut select = conn
        .prepare_cached("SELECT size, file FROM bodies WHERE id = ?")
        .map_err(sql)?;
    let mut rows = select.query([body]).map_err(sql)?;
    let row = rows
        .next()
        .map_err(sql)?
        .ok_or_else(|| damaged("a message without its body"))?;
    Ok(Found {
        body,
        size: unsigned(row.get(0).map_err(sql)?),
        file: row.get(1).map_err(sql)?,
    })
}

/// The octets of a body; `None` when its file went since this picture of the store was taken.
fn octets_of(conn: &Connection, shared: &Arc<Shared>, found: &Found) -> Result<Option<MessageBody>> {
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

/// What SQLite says of a handle on a row that is not there.
fn is_no_row(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(e, _) if e.extended_code == rusqlite::ffi::SQLITE_ERROR)
}

fn read_rows(conn: &Connection, body: i64, mut offset: u64, mut into: &mut [u8]) -> Result<()> {
    while !into.is_empty() {
        let (piece, within) = (offset / CHUNK as u64, offset % CHUNK as u64);
        let within = usize::try_from(within).map_err(Error::internal)?;
        let id = chunk_id(body, piece).ok_or_else(|| damaged("a body's number"))?;
        let blob = match conn.blob_open("main", "contents", "octets", id, true) {
            Ok(blob) => blob,
            Err(e) if is_no_row(&e) => return Err(Error::not_found("the message was removed")),
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
        self.shared.text_index.bulk_moves();
        let octets = self.octets.clone();
        let read = move |conn: &Connection| octets.read(conn, offset, wanted);
        let octets = self.shared.readers.call(read).await?;
        let piece = octets.slice(..len.min(octets.len()));
        let start = offset;
        *self.ahead.lock() = Ahead { start, octets };
        Ok(piece)
    }
}
