//! The tables, how an older folder becomes one of this version, and how each kind of connection is set up.
//!
//! Every key by which data is reached starts with the account. A body's number is unique in the whole store, is never
//! given twice, and is reached through a message's row alone.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::error::OpenError;

/// One step for each version: step *n* makes version *n + 1* of version *n*. A step that was released never changes.
const STEPS: [&str; 2] = [VERSION_1, VERSION_2];

/// Marks a database as ours (`PRAGMA application_id`).
const APPLICATION: i64 = 0x494d_4150;

const VERSION_1: &str = "
-- One row. `change` numbers the transactions that changed mailboxes; `uid_validity` is the highest of accounts removed.
CREATE TABLE store (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    change INTEGER NOT NULL,
    next_body INTEGER NOT NULL,
    uid_validity INTEGER NOT NULL
) STRICT;
INSERT INTO store VALUES (1, 0, 1, 0);

CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    password TEXT,
    uid_validity INTEGER NOT NULL,   -- the last one given
    next_mailbox INTEGER NOT NULL,
    created INTEGER NOT NULL,
    removed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX accounts_by_name ON accounts (name) WHERE removed = 0;

-- `name` is NULL once the mailbox was deleted: the row stays until everybody has seen that, and its messages are gone.
CREATE TABLE mailboxes (
    account INTEGER NOT NULL,
    id INTEGER NOT NULL,
    name TEXT,
    uid_validity INTEGER NOT NULL,
    special_use INTEGER NOT NULL,
    uid_next INTEGER NOT NULL,
    first_recent INTEGER NOT NULL,
    recent INTEGER NOT NULL,
    highest_modseq INTEGER NOT NULL,
    log_floor INTEGER NOT NULL,      -- the log of expunges is complete from this mod-sequence on
    log_rows INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    unseen INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    size INTEGER NOT NULL,
    change INTEGER NOT NULL,         -- the transaction that changed it last
    gone INTEGER,                    -- when it was deleted
    object_id BLOB NOT NULL,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX mailboxes_by_name ON mailboxes (account, name);
CREATE INDEX mailboxes_by_change ON mailboxes (change);
CREATE INDEX mailboxes_gone ON mailboxes (gone) WHERE gone IS NOT NULL;

CREATE TABLE subscriptions (
    account INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE keywords (
    account INTEGER NOT NULL,
    mailbox INTEGER NOT NULL,
    id INTEGER NOT NULL,
    name TEXT NOT NULL COLLATE NOCASE,
    PRIMARY KEY (account, mailbox, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX keywords_by_name ON keywords (account, mailbox, name);

-- What never changes of a message. A row that is in no page is a ghost.
CREATE TABLE messages (
    account INTEGER NOT NULL,
    mailbox INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    size INTEGER NOT NULL,
    date INTEGER NOT NULL,
    zone INTEGER NOT NULL,
    saved INTEGER NOT NULL,
    body INTEGER NOT NULL,
    PRIMARY KEY (account, mailbox, uid)
) STRICT, WITHOUT ROWID;

-- What changes: UID, mod-sequence and flags of up to 128 messages in a row. A page reaches up to the next one's first UID.
CREATE TABLE pages (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    mailbox INTEGER NOT NULL,
    first_uid INTEGER NOT NULL,
    max_modseq INTEGER NOT NULL,
    records BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX pages_by_uid ON pages (account, mailbox, first_uid);
CREATE INDEX pages_by_modseq ON pages (account, mailbox, max_modseq);

-- The log of expunges, a row for each operation.
CREATE TABLE vanished (
    account INTEGER NOT NULL,
    mailbox INTEGER NOT NULL,
    modseq INTEGER NOT NULL,
    uids BLOB NOT NULL,
    PRIMARY KEY (account, mailbox, modseq)
) STRICT, WITHOUT ROWID;

-- Expunged messages whose rows and bodies are still kept, for those who still number them.
CREATE TABLE ghosts (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    mailbox INTEGER NOT NULL,
    at INTEGER NOT NULL,
    uids BLOB NOT NULL
) STRICT;
CREATE INDEX ghosts_by_mailbox ON ghosts (account, mailbox);

-- `file` is the random name of a large body's file; the others are in `contents`.
CREATE TABLE bodies (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    hash BLOB NOT NULL,
    size INTEGER NOT NULL,
    refs INTEGER NOT NULL,
    file BLOB,
    email_id BLOB NOT NULL,
    thread_id BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX bodies_by_hash ON bodies (account, hash, size);
CREATE INDEX bodies_by_file ON bodies (file) WHERE file IS NOT NULL;

-- Pieces of 256 KiB: id is body * 2^20 + number of the piece.
CREATE TABLE contents (id INTEGER PRIMARY KEY, octets BLOB NOT NULL) STRICT;

-- The index of a body, as imap-message made it. The key is the body's.
CREATE TABLE indexes (id INTEGER PRIMARY KEY, octets BLOB NOT NULL) STRICT;
";

/// Ghosts know under which mod-sequence they were expunged: whoever was told up to there does not number them.
const VERSION_2: &str = "
ALTER TABLE ghosts ADD COLUMN modseq INTEGER NOT NULL DEFAULT 0;
DROP INDEX ghosts_by_mailbox;
CREATE INDEX ghosts_by_mailbox ON ghosts (account, mailbox, modseq);
";

/// Opens the connection that may create or migrate the database.
pub(crate) fn open(path: &Path) -> Result<Connection, OpenError> {
    let at = |source| OpenError::Database {
        path: path.to_owned(),
        source,
    };
    let mut conn = writing(path).map_err(at)?;
    migrate(&mut conn, path, &STEPS)?;
    Ok(conn)
}

/// A connection that writes, to a database that is of this version already.
pub(crate) fn writing(path: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(Duration::from_secs(10))?;
    // Every OK is a promise: FULL waits for the disk at each commit, as WAL's default would not.
    into_wal(&conn)?;
    conn.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;
         PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384;
         PRAGMA trusted_schema = OFF;",
    )?;
    keep_statements(&conn, 128)?;
    Ok(conn)
}

/// A connection that only reads.
pub(crate) fn reading(path: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(Duration::from_secs(10))?;
    conn.execute_batch("PRAGMA cache_size = -2048; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;")?;
    keep_statements(&conn, 64)?;
    Ok(conn)
}

/// Puts a database into WAL mode, which stays. SQLite does not wait for others while it changes the mode, whatever the busy
/// timeout: of several that open a new database at once all but one are refused, and have only to try again.
pub(crate) fn into_wal(conn: &Connection) -> rusqlite::Result<()> {
    let began = Instant::now();
    loop {
        match conn.execute_batch("PRAGMA journal_mode = WAL") {
            Err(e) if e.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && began.elapsed() < PATIENCE => {
                std::thread::sleep(PAUSE);
            }
            done => return done,
        }
    }
}

/// How long others may take to make the database.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(3);

fn keep_statements(conn: &Connection, count: usize) -> rusqlite::Result<()> {
    conn.set_prepared_statement_cache_capacity(count);
    // Else a statement on a table with a partial index is compiled anew for each value that is bound to it.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map(drop)
}

fn migrate(conn: &mut Connection, path: &Path, steps: &[&str]) -> Result<(), OpenError> {
    let at = |source| OpenError::Database {
        path: path.to_owned(),
        source,
    };
    let known = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    // Exclusive of other writers from the first look on: two processes that open a new folder make it once.
    let tx = conn
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(at)?;
    let number = |pragma| tx.query_row(pragma, [], |row| row.get::<_, i64>(0)).map_err(at);
    let found = number("PRAGMA user_version")?;
    let owner = number("PRAGMA application_id")?;
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    if found > known {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    if tables > 0 && (owner != APPLICATION || found < 1) {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }
    let done = usize::try_from(found).unwrap_or(0);
    for step in steps.iter().skip(done) {
        tx.execute_batch(step).map_err(at)?;
    }
    if found < known {
        tx.execute_batch(&format!(
            "PRAGMA user_version = {known}; PRAGMA application_id = {APPLICATION};"
        ))
        .map_err(at)?;
    }
    tx.commit().map_err(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mail.db");
        std::fs::File::create(&path).unwrap();
        (dir, path)
    }

    fn version(path: &Path) -> i64 {
        let conn = Connection::open(path).unwrap();
        conn.query_row("PRAGMA user_version", [], |r| r.get(0)).unwrap()
    }

    #[test]
    fn a_folder_of_every_earlier_version_becomes_one_of_the_newest() {
        for from in 0..=STEPS.len() {
            let (_dir, path) = empty();
            let mut conn = writing(&path).unwrap();
            migrate(&mut conn, &path, &STEPS[..from]).unwrap();
            assert_eq!(version(&path), from as i64);
            migrate(&mut conn, &path, &STEPS).unwrap();
            assert_eq!(version(&path), STEPS.len() as i64);
            let fresh = tables(
                &open(&empty().1)
                    .map_err(|_| ())
                    .unwrap_or_else(|()| writing(&path).unwrap()),
            );
            assert_eq!(tables(&conn), fresh);
        }
    }

    fn tables(conn: &Connection) -> Vec<String> {
        let mut all = conn.prepare("SELECT sql FROM sqlite_schema ORDER BY name").unwrap();
        let rows = all.query_map([], |r| r.get::<_, Option<String>>(0)).unwrap();
        rows.filter_map(|r| r.unwrap()).collect()
    }

    #[test]
    fn a_later_step_runs_on_the_version_before_it() {
        let (_dir, path) = empty();
        let mut conn = writing(&path).unwrap();
        migrate(&mut conn, &path, &STEPS).unwrap();
        migrate(&mut conn, &path, &and_then("ALTER TABLE accounts ADD COLUMN note TEXT")).unwrap();
        assert_eq!(version(&path), STEPS.len() as i64 + 1);
        conn.execute("UPDATE accounts SET note = 'x'", []).unwrap();
    }

    #[test]
    fn a_failing_step_changes_nothing() {
        let (_dir, path) = empty();
        let mut conn = writing(&path).unwrap();
        migrate(&mut conn, &path, &STEPS).unwrap();
        migrate(
            &mut conn,
            &path,
            &and_then("CREATE TABLE half (x); CREATE TABLE half (x)"),
        )
        .unwrap_err();
        assert_eq!(version(&path), STEPS.len() as i64);
        migrate(&mut conn, &path, &STEPS).unwrap();
    }

    /// All steps there are, and one more.
    fn and_then(step: &'static str) -> Vec<&'static str> {
        STEPS.into_iter().chain([step]).collect()
    }

    #[test]
    fn a_newer_folder_is_refused() {
        let (_dir, path) = empty();
        open(&path)
            .unwrap()
            .execute_batch("PRAGMA user_version = 1000")
            .unwrap();
        let error = open(&path).unwrap_err();
        assert!(matches!(error, OpenError::Newer { found: 1000, .. }), "{error}");
    }

    #[test]
    fn somebody_elses_database_is_refused() {
        let (_dir, path) = empty();
        Connection::open(&path)
            .unwrap()
            .execute_batch("CREATE TABLE theirs (x)")
            .unwrap();
        assert!(matches!(open(&path).unwrap_err(), OpenError::Foreign { .. }));
    }
}
