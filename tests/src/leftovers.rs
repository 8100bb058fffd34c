//! What a data folder of `backend-sqlite` holds that no message needs: rows, chunks, files, locks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// A data folder, looked at from outside of the store.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

/// How many rows and files there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Rows of messages, removed ones that are still kept included.
    pub messages: i64,
    /// Rows of flag pages.
    pub pages: i64,
    /// Rows of bodies.
    pub bodies: i64,
    /// Rows of octets.
    pub chunks: i64,
    /// Rows of indexes.
    pub indexes: i64,
    /// Rows that say which removed messages are still kept.
    pub ghosts: i64,
    /// Files of large messages.
    pub files: usize,
}

impl Folder {
    /// The data folder at this path.
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// A connection of another process, which waits for nobody: whoever holds a lock is found out.
    ///
    /// # Panics
    /// The database cannot be opened.
    pub fn connection(&self) -> Connection {
        let conn = Connection::open_with_flags(self.database(), OpenFlags::SQLITE_OPEN_READ_WRITE);
        let conn = conn.expect("the database opens");
        conn.busy_timeout(Duration::ZERO).expect("a timeout");
        conn
    }

    /// A connection that only reads.
    ///
    /// # Panics
    /// The database cannot be opened.
    pub fn reader(&self) -> Connection {
        let conn = Connection::open_with_flags(self.database(), OpenFlags::SQLITE_OPEN_READ_ONLY);
        conn.expect("the database opens")
    }

    fn database(&self) -> PathBuf {
        self.0.join("mail.db")
    }

    /// A number from the database.
    ///
    /// # Panics
    /// It cannot be read.
    pub fn number(&self, query: &str) -> i64 {
        let number = self.reader().query_row(query, [], |row| row.get(0));
        number.unwrap_or_else(|e| panic!("{query}: {e}"))
    }

    /// What there is.
    ///
    /// # Panics
    /// The database cannot be read.
    pub fn counts(&self) -> Counts {
        let rows = |table: &str| self.number(&format!("SELECT count(*) FROM {table}"));
        Counts {
            messages: rows("messages"),
            pages: rows("pages"),
            bodies: rows("bodies"),
            chunks: rows("contents"),
            indexes: rows("indexes"),
            ghosts: rows("ghosts"),
            files: self.body_files().len(),
        }
    }

    /// The names of the files of large messages.
    pub fn body_files(&self) -> BTreeSet<String> {
        files_below(&self.0.join("bodies"))
    }

    /// The names of the files of messages that are being sent.
    pub fn incoming(&self) -> BTreeSet<String> {
        files_below(&self.0.join("incoming"))
    }

    /// The stores that are open on this folder, dead ones that nobody has cleared away included.
    pub fn stores(&self) -> BTreeSet<String> {
        files_below(&self.0.join("run"))
            .into_iter()
            .filter(|name| name.ends_with(".lock"))
            .collect()
    }

    /// What is there and belongs to nothing, or is missing; empty in good order.
    ///
    /// # Panics
    /// The database cannot be read.
    pub fn disorder(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (what, query) in ORDER {
            let count = self.number(query);
            if count != 0 {
                wrong.push(format!("{count} {what}"));
            }
        }
        let conn = self.reader();
        let named = conn.prepare("SELECT lower(hex(file)) FROM bodies WHERE file IS NOT NULL");
        let mut named = named.expect("a query");
        let named: BTreeSet<String> = named
            .query_map([], |row| row.get(0))
            .expect("rows")
            .collect::<Result<_, _>>()
            .expect("names");
        let files = self.body_files();
        if files != named {
            wrong.push(format!("files {files:?} where rows name {named:?}"));
        }
        let incoming = self.incoming();
        if !incoming.is_empty() {
            wrong.push(format!("still incoming: {incoming:?}"));
        }
        wrong
    }

    /// Who holds a lock: nobody, if another process can write and carry all of the log into the database.
    ///
    /// # Errors
    /// What it could not do.
    pub fn is_unlocked(&self) -> rusqlite::Result<()> {
        let conn = self.connection();
        conn.execute_batch("BEGIN IMMEDIATE; UPDATE store SET change = change; COMMIT")?;
        let busy: i64 = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        match busy {
            0 => Ok(()),
            _ => Err(rusqlite::Error::InvalidParameterName(
                "somebody reads an old picture of the store".into(),
            )),
        }
    }
}

/// Counts that are zero in good order.
const ORDER: [(&str, &str); 6] = [
    (
        "bodies with another number of references",
        "SELECT count(*) FROM bodies b WHERE refs != (SELECT count(*) FROM messages m WHERE m.body = b.id)",
    ),
    (
        "chunks without a body",
        "SELECT count(*) FROM contents c WHERE NOT EXISTS (SELECT 1 FROM bodies b WHERE b.id = c.id >> 20 AND b.file IS NULL)",
    ),
    (
        "bodies without octets",
        "SELECT count(*) FROM bodies b WHERE file IS NULL AND size > 0 AND NOT EXISTS (SELECT 1 FROM contents c WHERE c.id = b.id << 20)",
    ),
    (
        "indexes without a body",
        "SELECT count(*) FROM indexes i WHERE NOT EXISTS (SELECT 1 FROM bodies b WHERE b.id = i.id)",
    ),
    (
        "messages without a body",
        "SELECT count(*) FROM messages m WHERE NOT EXISTS (SELECT 1 FROM bodies b WHERE b.id = m.body)",
    ),
    (
        "mailboxes that count messages which are not there",
        "SELECT count(*) FROM mailboxes x WHERE name IS NOT NULL AND messages >
         (SELECT count(*) FROM messages m WHERE m.account = x.account AND m.mailbox = x.id)",
    ),
];

fn files_below(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return found;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.append(&mut files_below(&path));
        } else if let Some(name) = path.file_name() {
            found.insert(name.to_string_lossy().into_owned());
        }
    }
    found
}
