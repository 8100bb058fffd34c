//! The octets of messages in the database: a row for each distinct message of an account, with its references.

use std::fs::File;
use std::io::Read as _;

use backend_api::Result;
use rusqlite::{OptionalExtension as _, params};

use crate::error::{damaged, sql};
use crate::stage::{Octets, Staged};
use crate::tx::Tx;

/// Octets in a row of `contents`.
pub(crate) const CHUNK: usize = 256 * 1024;

/// The row of `contents` that holds a piece of a body.
pub(crate) fn chunk_id(body: i64, piece: u64) -> Option<i64> {
    body.checked_mul(1 << 20)?
        .checked_add(i64::try_from(piece).ok().filter(|p| *p < 1 << 20)?)
}

/// The index of a message, made while it comes in.
#[derive(Default)]
pub(crate) struct Indexing(imap_message::Indexer);

impl Indexing {
    pub(crate) fn push(&mut self, octets: &[u8]) {
        self.0.push(octets);
    }

    /// The index as it is stored; empty is none.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.0.finish().into_bytes()
    }
}

/// Gives a body a row, or a reference to the row that the same octets have already in this account.
pub(crate) fn insert(tx: &mut Tx<'_>, account: i64, staged: Staged) -> Result<i64> {
    let size = i64::try_from(staged.size).map_err(backend_api::Error::internal)?;
    let known: Option<i64> = tx
        .conn
        .prepare_cached("UPDATE bodies SET refs = refs + 1 WHERE account = ? AND hash = ? AND size = ? RETURNING id")
        .and_then(|mut s| {
            s.query_row(params![account, staged.hash, size], |r| r.get(0))
                .optional()
        })
        .map_err(sql)?;
    if let Some(id) = known {
        if let Octets::File(file) = staged.octets {
            tx.after.discard.push(file);
        }
        return Ok(id);
    }
    let id = tx.new_body();
    let (email, thread) = (tx.object_id()?, tx.object_id()?);
    let large = staged.size > tx.file_above;
    let file = match &staged.octets {
        Octets::File(file) if large => Some(file.id),
        _ => None,
    };
    tx.conn
        .prepare_cached(
            "INSERT INTO bodies (id, account, hash, size, refs, file, email_id, thread_id) VALUES (?, ?, ?, ?, 1, ?, ?, ?)",
        )
        .and_then(|mut s| s.execute(params![id, account, staged.hash, size, file, email, thread]))
        .map_err(sql)?;
    if !staged.index.is_empty() {
        tx.conn
            .prepare_cached("INSERT INTO indexes (id, octets) VALUES (?, ?)")
            .and_then(|mut s| s.execute(params![id, staged.index]))
            .map_err(sql)?;
    }
    match staged.octets {
        Octets::Memory(octets) => insert_chunks(tx, id, &octets[..])?,
        Octets::File(file) if large => tx.after.keep.push(file),
        Octets::File(file) => insert_chunks(tx, id, File::open(&file.path)?)?,
    }
    Ok(id)
}

fn insert_chunks(tx: &Tx<'_>, body: i64, mut octets: impl std::io::Read) -> Result<()> {
    let mut insert = tx
        .conn
        .prepare_cached("INSERT INTO contents (id, octets) VALUES (?, ?)")
        .map_err(sql)?;
    let mut chunk = Vec::new();
    for piece in 0.. {
        chunk.clear();
        octets.by_ref().take(CHUNK as u64).read_to_end(&mut chunk)?;
        if chunk.is_empty() {
            break;
        }
        let id = chunk_id(body, piece).ok_or_else(|| damaged("a body's number"))?;
        insert.execute(params![id, chunk]).map_err(sql)?;
    }
    Ok(())
}

/// One more message has this body.
pub(crate) fn refer(tx: &Tx<'_>, body: i64) -> Result<()> {
    tx.conn
        .prepare_cached("UPDATE bodies SET refs = refs + 1 WHERE id = ?")
        .and_then(|mut s| s.execute([body]))
        .map_err(sql)?;
    Ok(())
}

/// One message less has this body; with the last one it goes.
pub(crate) fn release(tx: &mut Tx<'_>, body: i64) -> Result<()> {
    let left: Option<(i64, Option<[u8; 16]>)> = tx
        .conn
        .prepare_cached("UPDATE bodies SET refs = refs - 1 WHERE id = ? RETURNING refs, file")
        .and_then(|mut s| s.query_row([body], |r| Ok((r.get(0)?, r.get(1)?))).optional())
        .map_err(sql)?;
    let Some((0, file)) = left else {
        return Ok(());
    };
    let run = |text, from: i64, to: i64| {
        tx.conn
            .prepare_cached(text)
            .and_then(|mut s| s.execute([from, to]))
            .map_err(sql)
    };
    run("DELETE FROM bodies WHERE id BETWEEN ? AND ?", body, body)?;
    run("DELETE FROM indexes WHERE id BETWEEN ? AND ?", body, body)?;
    match file {
        Some(id) => tx.after.unlink.push(id),
        None => {
            let first = chunk_id(body, 0).ok_or_else(|| damaged("a body's number"))?;
            run("DELETE FROM contents WHERE id BETWEEN ? AND ?", first, first | 0xf_ffff)?;
        }
    }
    Ok(())
}
