//! How the octets of a message that is being sent are taken in: in memory or into a file, hashed and indexed on the way.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;

use backend_api::{Error, ErrorKind, MessageBody, Result};
use bytes::BufMut as _;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::body::Indexing;
use crate::folder::{self, hex, private_file};
use crate::shared::Shared;

/// Octets that are handed to a blocking thread at a time; two such pieces are under way for a message.
const PIECE: usize = 256 * 1024;
/// Octets of a large message that the disk is given to write at a time, while more come in.
const WRITE_BACK: u64 = 2 * 1024 * 1024;
/// The most that is asked of somebody else's body at a time.
const READ: usize = 64 * 1024;

/// A message that was taken in and belongs to no mailbox yet. Dropped, it leaves nothing behind.
pub(crate) struct Staged {
    /// The account it was staged for; it cannot be added to another's mailbox.
    pub(crate) account: i64,
    pub(crate) size: u64,
    /// BLAKE3 of its octets.
    pub(crate) hash: [u8; 32],
    pub(crate) index: Vec<u8>,
    pub(crate) octets: Octets,
}

/// Where they are.
pub(crate) enum Octets {
    Memory(Vec<u8>),
    File(StagedFile),
}

/// A file that is removed when this is dropped, unless a commit took it over.
#[derive(Debug)]
pub(crate) struct StagedFile {
    pub(crate) path: PathBuf,
    /// Its name, once it is among the bodies.
    pub(crate) id: [u8; 16],
    kept: bool,
}

impl StagedFile {
    /// It stays.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed is swept later.
            let _ = folder::remove_file(&self.path);
        }
    }
}

/// Takes octets in, piece by piece.
struct Stager {
    account: i64,
    in_memory: u64,
    incoming: PathBuf,
    size: u64,
    hasher: blake3::Hasher,
    indexing: Indexing,
    memory: Vec<u8>,
    file: Option<(File, StagedFile)>,
    /// Above so many octets a message stays a file.
    file_above: u64,
    /// Octets that the disk has been given to write.
    given: u64,
}

impl Stager {
    fn new(shared: &Shared, account: i64) -> Self {
        Self {
            account,
            in_memory: shared.options.stage_in_memory,
            incoming: shared.folder.incoming().to_owned(),
            size: 0,
            hasher: blake3::Hasher::new(),
            indexing: Indexing::default(),
            memory: Vec::new(),
            file: None,
            file_above: shared.options.file_above,
            given: 0,
        }
    }

    fn push(&mut self, piece: &[u8]) -> io::Result<()> {
        self.size = self.size.saturating_add(piece.len() as u64);
        self.hasher.update(piece);
        self.indexing.push(piece);
        if self.file.is_none() && self.size <= self.in_memory {
            self.memory.extend_from_slice(piece);
            return Ok(());
        }
        let (file, _) = match &mut self.file {
            Some(open) => open,
            none => none.insert(new_file(&self.incoming)?),
        };
        if !self.memory.is_empty() {
            file.write_all(&std::mem::take(&mut self.memory))?;
        }
        file.write_all(piece)?;
        if self.size > self.file_above && self.size - self.given >= WRITE_BACK {
            write_back(file, self.given, self.size);
            self.given = self.size;
        }
        Ok(())
    }

    /// A file that stays one is on the disk when this returns.
    fn finish(self) -> io::Result<Staged> {
        let octets = match self.file {
            None => Octets::Memory(self.memory),
            Some((file, staged)) => {
                if self.size > self.file_above {
                    file.sync_all()?;
                }
                Octets::File(staged)
            }
        };
        Ok(Staged {
            account: self.account,
            size: self.size,
            hash: *self.hasher.finalize().as_bytes(),
            index: self.indexing.finish(),
            octets,
        })
    }
}

fn new_file(incoming: &std::path::Path) -> io::Result<(File, StagedFile)> {
    let id = folder::random_id()?;
    let path = incoming.join(hex(&id));
    let file = private_file(&path)?;
    let kept = false;
    Ok((file, StagedFile { path, id, kept }))
}

/// Has the disk begin with octets that were written, so that the sync at the end need not wait for all of them. That they
/// are safe is the sync's promise alone.
#[cfg(target_os = "linux")]
fn write_back(file: &File, from: u64, to: u64) {
    // Linux begins to write what is to be forgotten, and forgets what is written: so soon that is hardly anything.
    let len = std::num::NonZeroU64::new(to.saturating_sub(from));
    if let Err(error) = rustix::fs::fadvise(file, from, len, rustix::fs::Advice::DontNeed) {
        tracing::debug!(%error, "the disk begins with a large message at its end");
    }
}

#[cfg(not(target_os = "linux"))]
fn write_back(_: &File, _: u64, _: u64) {}

/// Takes in a message of exactly `size` octets.
///
/// # Cancel safety
/// Dropped, it leaves nothing behind.
pub(crate) async fn exactly(
    shared: &Shared,
    account: i64,
    size: u64,
    body: &mut (dyn AsyncRead + Send + Unpin),
) -> Result<Staged> {
    check_size(shared, size)?;
    let mut pieces = Pieces::new(shared, account, size);
    let filled = async {
        let mut left = size;
        while left > 0 {
            let room = pieces.room().min(usize::try_from(left).unwrap_or(usize::MAX));
            let read = body.read_buf(&mut (&mut pieces.filling).limit(room)).await?;
            if read == 0 {
                return Err(Error::disconnected());
            }
            left = left.saturating_sub(read as u64);
            pieces.filled().await?;
        }
        Ok(())
    };
    let filled = filled.await;
    pieces.end(filled).await
}

/// Takes in `prefix` and then everything up to the end of `body`.
pub(crate) async fn to_the_end(
    shared: &Shared,
    account: i64,
    prefix: &[u8],
    body: &mut (dyn AsyncRead + Send + Unpin),
) -> Result<Staged> {
    let mut pieces = Pieces::new(shared, account, u64::MAX);
    // The prefix is read like the message.
    let mut source = prefix.chain(body);
    let filled = async {
        let mut size = 0u64;
        loop {
            let room = pieces.room();
            let read = source.read_buf(&mut (&mut pieces.filling).limit(room)).await?;
            if read == 0 {
                return Ok(());
            }
            size = size.saturating_add(read as u64);
            check_size(shared, size)?;
            pieces.filled().await?;
        }
    };
    let filled = filled.await;
    pieces.end(filled).await
}

/// Takes in a message that somebody else holds.
pub(crate) async fn copied(shared: &Shared, account: i64, body: &MessageBody) -> Result<Staged> {
    let size = body.size();
    check_size(shared, size)?;
    let mut pieces = Pieces::new(shared, account, size);
    let filled = async {
        let mut at = 0u64;
        while at < size {
            let len = usize::try_from(size - at).unwrap_or(usize::MAX);
            let len = len.min(READ).min(pieces.room());
            pieces.filling.extend_from_slice(&body.read_at(at, len).await?);
            at = at.saturating_add(len as u64);
            pieces.filled().await?;
        }
        Ok(())
    };
    let filled = filled.await;
    pieces.end(filled).await
}

fn check_size(shared: &Shared, size: u64) -> Result<()> {
    match shared.options.append_limit {
        Some(limit) if size > limit => {
            let text = format!("the message is larger than the {limit} octets allowed here");
            Err(Error::new(ErrorKind::TooBig, text))
        }
        _ => Ok(()),
    }
}

/// Who takes octets in, and a piece to be filled.
type Idle = (Stager, Vec<u8>);

/// Two pieces in turn: one is filled from the network while the other is hashed, indexed and written.
struct Pieces<'s> {
    shared: &'s Shared,
    filling: Vec<u8>,
    capacity: usize,
    /// Small messages are dealt with on the caller's own thread.
    inline: bool,
    idle: Option<Stager>,
    busy: Option<JoinHandle<io::Result<Idle>>>,
}

impl<'s> Pieces<'s> {
    fn new(shared: &'s Shared, account: i64, size: u64) -> Self {
        let inline = size <= shared.options.stage_in_memory;
        let capacity = usize::try_from(size).unwrap_or(PIECE).clamp(1, PIECE);
        Self {
            shared,
            filling: Vec::with_capacity(capacity.min(if size == u64::MAX { 8 * 1024 } else { PIECE })),
            capacity,
            inline,
            idle: Some(Stager::new(shared, account)),
            busy: None,
        }
    }

    fn room(&self) -> usize {
        self.capacity.saturating_sub(self.filling.len())
    }

    /// After octets were added to `filling`.
    async fn filled(&mut self) -> Result<()> {
        if self.room() > 0 || self.inline {
            return Ok(());
        }
        self.hand_over().await
    }

    async fn hand_over(&mut self) -> Result<()> {
        self.shared.text_index.bulk_moves();
        let (mut stager, free) = self.wait().await?;
        let full = std::mem::replace(&mut self.filling, free);
        self.filling.clear();
        self.busy = Some(spawn_blocking(move || {
            stager.push(&full)?;
            Ok((stager, full))
        }));
        Ok(())
    }

    async fn wait(&mut self) -> Result<Idle> {
        if let Some(stager) = self.idle.take() {
            return Ok((stager, Vec::new()));
        }
        let Some(busy) = self.busy.take() else {
            return Err(Error::internal("a message was staged after an error"));
        };
        Ok(busy.await.map_err(Error::internal)??)
    }

    /// After an error a file that is being written is waited for, so that it is gone when the error is answered.
    async fn end(mut self, filled: Result<()>) -> Result<Staged> {
        match filled {
            Ok(()) => self.finish().await,
            Err(e) => {
                let _ = self.wait().await;
                Err(e)
            }
        }
    }

    async fn finish(mut self) -> Result<Staged> {
        let (mut stager, _) = self.wait().await?;
        let last = std::mem::take(&mut self.filling);
        let end = move || stager.push(&last).and_then(|()| stager.finish());
        if self.inline {
            return Ok(end()?);
        }
        Ok(spawn_blocking(end).await.map_err(Error::internal)??)
    }
}

/// Puts a large message's file among the bodies, under its own name, durably; smaller ones become rows.
pub(crate) async fn place(shared: &Shared, mut staged: Staged) -> Result<Staged> {
    let large = staged.size > shared.options.file_above;
    if !large {
        return Ok(staged);
    }
    let memory = match &mut staged.octets {
        Octets::Memory(octets) => Some(std::mem::take(octets)),
        Octets::File(_) => None,
    };
    let (incoming, bodies) = (shared.folder.incoming().to_owned(), shared.folder.bodies());
    let work = move || -> io::Result<Staged> {
        if let Some(octets) = memory {
            let (mut file, new) = new_file(&incoming)?;
            file.write_all(&octets)?;
            file.sync_all()?;
            staged.octets = Octets::File(new);
        }
        if let Octets::File(file) = &mut staged.octets {
            let name = hex(&file.id);
            let shelf = bodies.join(name.get(..2).unwrap_or("00"));
            folder::make_folder(&shelf)?;
            // Its age counts from now: who sweeps leaves alone what may yet get its row.
            File::options()
                .write(true)
                .open(&file.path)?
                .set_modified(std::time::SystemTime::now())?;
            let to = shelf.join(&name);
            std::fs::rename(&file.path, &to)?;
            file.path = to;
            folder::sync_folder(&shelf)?;
        }
        Ok(staged)
    };
    Ok(spawn_blocking(work).await.map_err(Error::internal)??)
}
