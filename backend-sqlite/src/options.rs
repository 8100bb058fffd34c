//! What can be set when a store is opened, with the reason for each default.

use std::time::Duration;

/// How a [`SqliteStore`](crate::SqliteStore) behaves. Start from [`Options::default`] and set what differs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Octets of a message that are staged in memory; a larger one goes to a file at once. 64 KiB holds most mail.
    pub stage_in_memory: u64,
    /// Messages above so many octets are files of their own, the others rows of the database. Files are written four
    /// times as fast as rows, but cost two more waits for the disk: 1 MiB is where the two meet.
    pub file_above: u64,
    /// The largest message, in octets, that is taken; `None` is no limit.
    pub append_limit: Option<u64>,
    /// Threads that read, each with a connection. More than the processor's cores only help when the disk is slow.
    pub readers: usize,
    /// The most operations in one transaction: bounds how long the first of them waits for the last.
    pub group: usize,
    /// How long a write waits for another process that holds the database, before it is answered as busy. A process holds
    /// it for milliseconds, unless it was stopped in the middle.
    pub patience: Duration,
    /// Whether this process watches for changes of others, checkpoints and tidies up. A program that does one thing and
    /// ends leaves that to the server.
    pub background: bool,
    /// Whether texts are indexed for SEARCH. The index takes a tenth of the mail's room; without it every SEARCH for a text
    /// reads all messages.
    pub search_index: bool,
}

impl Default for Options {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            stage_in_memory: 64 * 1024,
            file_above: 1024 * 1024,
            append_limit: None,
            readers: cores.clamp(2, 4),
            group: 256,
            patience: Duration::from_secs(10),
            background: true,
            search_index: true,
        }
    }
}

impl Options {
    /// For a program that does one thing and ends: one reader, nothing in the background.
    pub fn brief() -> Self {
        Self {
            readers: 1,
            background: false,
            ..Self::default()
        }
    }
}
