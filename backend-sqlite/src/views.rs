//! Which mailboxes the sessions of each process number, and up to where all of them were told of expunges: a file of each
//! store, which the others read before they clear away what was expunged.
//!
//! A record is written before the session reads the mailbox. So who finds none, after an expunge was committed, knows that
//! whatever session comes later reads a mailbox without those messages. That a store lives is said by its lock, not by this
//! file: the kernel lets go of the lock with the process, however that ends.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::folder::private_file;
use crate::shared::Shared;
use crate::tx::Place;

/// Account, mailbox, mod-sequence, check: it lies within one page of the file.
const RECORD: usize = 32;
/// A record that is read while it is written is read again, so often.
const TRIES: usize = 8;

/// The mailboxes that sessions of this store number.
pub(crate) struct Views {
    path: PathBuf,
    records: Mutex<Records>,
}

#[derive(Default)]
struct Records {
    /// Made with the first view.
    file: Option<File>,
    open: HashMap<Place, Record>,
    free: Vec<u64>,
    /// Places in the file that were ever used.
    used: u64,
}

struct Record {
    at: u64,
    sessions: u32,
    told: u64,
}

impl Views {
    /// None yet; they will be in this file.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            records: Mutex::default(),
        }
    }

    /// One session more is about to read this mailbox.
    fn open(&self, place: Place) {
        let mut records = self.records.lock();
        if let Some(record) = records.open.get_mut(&place) {
            record.sessions = record.sessions.saturating_add(1);
            return;
        }
        let at = records.free.pop().unwrap_or_else(|| {
            records.used += 1;
            records.used - 1
        });
        let record = Record {
            at,
            sessions: 1,
            told: 0,
        };
        records.open.insert(place, record);
        self.write(&mut records, at, &encode(place, 0));
    }

    /// One session less; whether it was the last one.
    fn close(&self, place: Place) -> bool {
        let mut records = self.records.lock();
        let Some(record) = records.open.get_mut(&place) else {
            return false;
        };
        record.sessions = record.sessions.saturating_sub(1);
        if record.sessions > 0 {
            return false;
        }
        let at = record.at;
        records.open.remove(&place);
        records.free.push(at);
        self.write(&mut records, at, &[0; RECORD]);
        true
    }

    /// Every session was told of what was expunged up to this mod-sequence.
    pub(crate) fn told(&self, place: Place, up_to: u64) {
        let mut records = self.records.lock();
        let Some(record) = records.open.get_mut(&place).filter(|r| r.told < up_to) else {
            return;
        };
        record.told = up_to;
        let at = record.at;
        self.write(&mut records, at, &encode(place, up_to));
    }

    /// Up to which mod-sequence the sessions of this store were told; `None` when it has none.
    pub(crate) fn told_up_to(&self, place: Place) -> Option<u64> {
        self.records.lock().open.get(&place).map(|r| r.told)
    }

    fn write(&self, records: &mut Records, at: u64, octets: &[u8; RECORD]) {
        let mut write = || -> io::Result<()> {
            let file = match &mut records.file {
                Some(file) => file,
                none => none.insert(private_file(&self.path)?),
            };
            file.seek(SeekFrom::Start(at * RECORD as u64))?;
            file.write_all(octets)
        };
        if let Err(e) = write() {
            tracing::warn!(error = %e, "another process may clear away what clients here still number");
        }
    }
}

/// What another store's sessions number, and up to where they were told; `None` when that cannot be known just now.
pub(crate) fn of_another(path: &Path) -> Option<HashMap<Place, u64>> {
    for _ in 0..TRIES {
        let octets = match std::fs::read(path) {
            Ok(octets) => octets,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Some(HashMap::new()),
            Err(_) => return None,
        };
        if let Some(found) = decode(&octets) {
            return Some(found);
        }
    }
    None
}

fn decode(octets: &[u8]) -> Option<HashMap<Place, u64>> {
    let (records, rest) = octets.as_chunks::<RECORD>();
    let mut found = HashMap::new();
    for record in records.iter().filter(|r| **r != [0; RECORD]) {
        let (numbers, _) = record.as_chunks::<8>();
        let &[account, mailbox, told, _] = numbers else {
            return None;
        };
        let place = Place {
            account: i64::from_le_bytes(account),
            mailbox: i64::from_le_bytes(mailbox),
        };
        let told = u64::from_le_bytes(told);
        if encode(place, told) != *record {
            return None;
        }
        let least = found.entry(place).or_insert(told);
        *least = told.min(*least);
    }
    rest.is_empty().then_some(found)
}

fn encode(place: Place, told: u64) -> [u8; RECORD] {
    let mut record = [0; RECORD];
    let (account, mailbox, told) = (
        place.account.to_le_bytes(),
        place.mailbox.to_le_bytes(),
        told.to_le_bytes(),
    );
    let check = blake3::Hasher::new()
        .update(&account)
        .update(&mailbox)
        .update(&told)
        .finalize();
    let all = account.iter().chain(&mailbox).chain(&told).chain(check.as_bytes());
    record.iter_mut().zip(all).for_each(|(to, from)| *to = *from);
    record
}

/// A session's view of a mailbox, for as long as it lives.
pub(crate) struct View {
    shared: Arc<Shared>,
    place: Place,
}

impl View {
    /// From now on nothing that is expunged here is cleared away before [`Views::told`].
    pub(crate) fn new(shared: &Arc<Shared>, place: Place) -> Self {
        shared.views.open(place);
        Self {
            shared: shared.clone(),
            place,
        }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        let shared = &self.shared;
        // Alone, this process knows itself what it has to clear away.
        if shared.views.close(self.place) && !shared.behind.was_alone(&shared.folder) {
            shared.behind.reclaim(self.place);
            shared.writer.behind();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Place = Place { account: 1, mailbox: 7 };
    const TWO: Place = Place { account: 2, mailbox: 7 };

    fn views() -> (tempfile::TempDir, Views) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("views");
        (dir, Views::new(path))
    }

    fn seen(views: &Views) -> Vec<(Place, u64)> {
        let mut seen: Vec<_> = of_another(&views.path).unwrap().into_iter().collect();
        seen.sort_unstable_by_key(|(place, _)| place.account);
        seen
    }

    #[test]
    fn another_store_sees_what_is_numbered_and_how_far_it_was_told() {
        let (_dir, views) = views();
        assert_eq!(seen(&views), []);
        views.open(ONE);
        views.open(TWO);
        views.open(ONE);
        assert_eq!(seen(&views), [(ONE, 0), (TWO, 0)]);
        views.told(ONE, 5);
        views.told(ONE, 4);
        assert_eq!(seen(&views), [(ONE, 5), (TWO, 0)]);
        assert!(!views.close(ONE));
        assert!(views.close(TWO));
        assert_eq!(seen(&views), [(ONE, 5)]);
        assert!(views.close(ONE));
        assert_eq!(seen(&views), []);
    }

    #[test]
    fn the_file_is_as_long_as_there_were_mailboxes_at_a_time() {
        let (_dir, views) = views();
        for mailbox in 0..1_000 {
            views.open(Place { account: 1, mailbox });
            views.open(ONE);
            views.close(Place { account: 1, mailbox });
            views.close(ONE);
        }
        assert_eq!(std::fs::metadata(&views.path).unwrap().len(), 2 * RECORD as u64);
    }

    #[test]
    fn a_record_half_written_is_not_believed() {
        let (_dir, views) = views();
        views.open(ONE);
        let mut half = encode(ONE, 0);
        half[16] = 9;
        std::fs::write(&views.path, half).unwrap();
        assert_eq!(of_another(&views.path), None);
    }
}
