//! Accounts: adding, listing, removing and importing them, and checking who logs in.

use std::fmt;
use std::sync::Arc;

use backend_api::{Account, Credentials, Error, ErrorKind, MailboxName, Result as StoreResult, SpecialUse};
use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use crate::error::sql;
use crate::login_cache::LoginCache;
use crate::mailboxes;
use crate::password::{self, Imported, MAX_PASSWORD};
use crate::shared::Shared;
use crate::store::SqliteStore;
use crate::tx::{Place, Tx, deleted, unsigned};
use crate::{recover, tx};

/// Longest user name, in octets.
const MAX_NAME: usize = 255;

/// What every account gets besides INBOX, unless it is to be bare.
const USUAL: [(&str, SpecialUse); 5] = [
    ("Drafts", SpecialUse::Drafts),
    ("Sent", SpecialUse::Sent),
    ("Junk", SpecialUse::Junk),
    ("Trash", SpecialUse::Trash),
    ("Archive", SpecialUse::Archive),
];

/// An account as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// Its name.
    pub name: String,
    /// Whether it has a password; without one nobody can log in.
    pub has_password: bool,
    /// Mailboxes.
    pub mailboxes: u64,
    /// Messages in all of them.
    pub messages: u64,
    /// Their octets together; a copy counts like the original.
    pub size: u64,
}

/// Why something could not be done with an account, in words for the person who asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UserError {
    /// The name is not possible.
    #[error("{0}")]
    Name(String),
    /// The password is not possible.
    #[error("{0}")]
    Password(String),
    /// There is such a user.
    #[error("the user {0} exists already")]
    Exists(String),
    /// There is no such user.
    #[error("there is no user {0}")]
    Unknown(String),
    /// A line of an import; nothing was imported.
    #[error("line {line}: {why}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// The store could not do it.
    #[error("{0}")]
    Store(#[from] Error),
}

/// An account to be made.
struct New {
    name: String,
    password: Option<String>,
}

impl fmt::Debug for New {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "New({:?}, …)", self.name)
    }
}

impl SqliteStore {
    /// Adds an account with INBOX and, unless `bare`, Drafts, Sent, Junk, Trash and Archive, all subscribed. Without a
    /// password nobody can log in, but mail can be delivered.
    ///
    /// # Errors
    /// [`UserError::Name`], [`UserError::Password`], [`UserError::Exists`]
    ///
    /// # Cancel safety
    /// Dropped, it adds the account or does nothing.
    pub async fn add_user(&self, name: &str, password: Option<&[u8]>, bare: bool) -> Result<Account, UserError> {
        let name = check_name(name)?.to_owned();
        let password = match password {
            Some(password) => Some(self.hash(password).await?),
            None => None,
        };
        let new = New { name, password };
        let added = move |tx: &mut Tx<'_>| Ok(add(tx, &new, bare));
        self.shared.writer.call(added).await?
    }

    /// Gives an account another password.
    ///
    /// # Errors
    /// [`UserError::Unknown`], [`UserError::Password`]
    ///
    /// # Cancel safety
    /// Dropped, it changes the password or does nothing.
    pub async fn set_password(&self, name: &str, password: &[u8]) -> Result<(), UserError> {
        let hash = self.hash(password).await?;
        let user = name.to_owned();
        let set = move |tx: &mut Tx<'_>| {
            tx.conn
                .prepare_cached("UPDATE accounts SET password = ? WHERE name = ? AND removed = 0")
                .and_then(|mut s| s.execute([hash, user]))
                .map_err(sql)
        };
        match self.shared.writer.call(set).await? {
            0 => Err(UserError::Unknown(name.to_owned())),
            _ => Ok(()),
        }
    }

    /// All accounts, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn list_users(&self) -> Result<Vec<User>, UserError> {
        Ok(self.shared.readers.call(list).await?)
    }

    /// Removes an account with all its mail.
    ///
    /// # Errors
    /// [`UserError::Unknown`]
    ///
    /// # Cancel safety
    /// Dropped, the account is gone or not; what is left of its mail is removed when the store tidies up.
    pub async fn remove_user(&self, name: &str) -> Result<(), UserError> {
        let user = name.to_owned();
        let Some(places) = self.shared.writer.call(move |tx| remove(tx, &user)).await? else {
            return Err(UserError::Unknown(name.to_owned()));
        };
        for place in places {
            while self.shared.writer.call(move |tx| recover::empty(tx, place)).await? {}
        }
        Ok(())
    }

    /// Adds an account for each line: `name:password` or `name:{SCHEME}hash`; empty lines and such as begin with `#` are
    /// skipped. Plain passwords are hashed on all cores. All accounts are added, or none; the number added is returned.
    ///
    /// # Errors
    /// [`UserError::Line`], which says what is wrong where.
    ///
    /// # Cancel safety
    /// Dropped, it adds all accounts or none.
    pub async fn import_users(&self, lines: &str) -> Result<usize, UserError> {
        let parsed = parse_lines(lines)?;
        let hashed = spawn_blocking(move || hash_all(parsed))
            .await
            .map_err(Error::internal)??;
        let count = hashed.len();
        // An error inside undoes all: it is carried out beside the store's own.
        let (fault, outcome) = std::sync::mpsc::channel();
        let add_all = move |tx: &mut Tx<'_>| {
            for (line, new) in &hashed {
                if let Err(e) = add(tx, new, false) {
                    let why = e.to_string();
                    let _ = fault.send(UserError::Line { line: *line, why });
                    return Err(Error::new(ErrorKind::AlreadyExists, "the import was undone"));
                }
            }
            Ok(())
        };
        match self.shared.writer.call(add_all).await {
            Ok(()) => Ok(count),
            Err(e) => Err(outcome.try_recv().unwrap_or(UserError::Store(e))),
        }
    }

    /// Whether there is any account.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn has_users(&self) -> Result<bool, UserError> {
        let any = |conn: &Connection| {
            conn.prepare_cached("SELECT 1 FROM accounts WHERE removed = 0 LIMIT 1")
                .and_then(|mut s| s.exists([]))
                .map_err(sql)
        };
        Ok(self.shared.readers.call(any).await?)
    }

    /// An account by its name, for a program that acts for its user without a password.
    ///
    /// # Errors
    /// [`UserError::Unknown`]
    pub async fn account(&self, name: &str) -> Result<Account, UserError> {
        let user = name.to_owned();
        let found = self
            .shared
            .readers
            .call(move |conn| crate::listing::account(conn, &user))
            .await?;
        found.ok_or_else(|| UserError::Unknown(name.to_owned()))
    }

    async fn hash(&self, password: &[u8]) -> Result<String, UserError> {
        if password.is_empty() {
            return Err(UserError::Password("the password is empty".into()));
        }
        if password.len() > MAX_PASSWORD {
            let why = format!("the password is longer than {MAX_PASSWORD} octets");
            return Err(UserError::Password(why));
        }
        let password = password.to_vec();
        let permit = self.shared.checks.clone().acquire_owned().await;
        let hash = spawn_blocking(move || {
            let _permit = permit;
            password::hash(&password)
        });
        let hash = hash.await.map_err(Error::internal)?;
        Ok(hash.map_err(Error::internal)?)
    }
}

/// Checks who somebody is, on at most as many threads as there are cores.
pub(crate) async fn login(shared: &Arc<Shared>, who: Credentials<'_>) -> StoreResult<Account> {
    let Credentials::Password { user, password } = who else {
        return Err(Error::unsupported("this way to log in is not offered"));
    };
    let name = user.to_owned();
    let row = shared.readers.call(move |conn| find(conn, &name)).await?;
    let (id, stored) = row.unzip();
    let stored = stored.flatten();
    let known = |cache: &LoginCache| {
        id.zip(stored.as_deref())
            .is_some_and(|(id, s)| cache.knows(id, s, password))
    };
    if let (Some(id), true) = (id, shared.logins.as_ref().is_some_and(known)) {
        return Ok(Account::with_id(user, unsigned(id)));
    }
    let outdated = stored.as_deref().is_some_and(password::is_outdated);
    let (given, old) = (Zeroizing::new(password.to_vec()), stored.clone());
    let permit = shared.checks.clone().acquire_owned().await;
    let check = spawn_blocking(move || {
        let _permit = permit;
        let right = password::verify(stored.as_deref(), &given);
        let fresh = (right && outdated).then(|| password::hash(&given));
        (right, fresh)
    });
    let (right, fresh) = check.await.map_err(Error::internal)?;
    let (true, Some(id)) = (right, id) else {
        return Err(Error::authentication_failed());
    };
    if let (false, Some(stored), Some(logins)) = (outdated, &old, &shared.logins) {
        logins.remember(id, stored, password);
    }
    if let (Some(Ok(fresh)), Some(old)) = (fresh, old) {
        let replaced = shared.writer.call(move |tx| replace_hash(tx, id, &old, &fresh)).await;
        if let Err(e) = replaced {
            tracing::warn!(user, kind = ?e.kind(), "an old password hash could not be replaced; tried at the next login");
        }
    }
    Ok(Account::with_id(user, unsigned(id)))
}

type Row = (i64, Option<String>);

fn find(conn: &Connection, name: &str) -> StoreResult<Option<Row>> {
    conn.prepare_cached("SELECT id, password FROM accounts WHERE name = ? AND removed = 0")
        .and_then(|mut s| s.query_row([name], |r| Ok((r.get(0)?, r.get(1)?))).optional())
        .map_err(sql)
}

fn replace_hash(tx: &Tx<'_>, id: i64, old: &str, fresh: &str) -> StoreResult<()> {
    tx.conn
        .prepare_cached("UPDATE accounts SET password = ?3 WHERE id = ?1 AND password = ?2")
        .and_then(|mut s| s.execute(params![id, old, fresh]))
        .map(drop)
        .map_err(sql)
}

fn check_name(name: &str) -> Result<&str, UserError> {
    let name = name.trim();
    let wrong = |why: &str| Err(UserError::Name(why.to_owned()));
    if name.is_empty() {
        return wrong("a user name cannot be empty");
    }
    if name.len() > MAX_NAME {
        return wrong("a user name has at most 255 octets");
    }
    if name.chars().any(char::is_control) {
        return wrong("a user name cannot hold control characters");
    }
    if name.contains('/') {
        return wrong("a user name cannot hold a slash");
    }
    Ok(name)
}

fn add(tx: &mut Tx<'_>, new: &New, bare: bool) -> Result<Account, UserError> {
    let taken = tx
        .conn
        .prepare_cached("SELECT 1 FROM accounts WHERE name = ? AND removed = 0")
        .and_then(|mut s| s.exists([&new.name]))
        .map_err(sql)?;
    if taken {
        return Err(UserError::Exists(new.name.clone()));
    }
    let id: i64 = tx
        .conn
        .prepare_cached(
            "INSERT INTO accounts (name, password, uid_validity, next_mailbox, created)
             VALUES (?1, ?2, (SELECT uid_validity FROM store), 1, ?3) RETURNING id",
        )
        .and_then(|mut s| s.query_row(params![new.name, new.password, tx.now], |r| r.get(0)))
        .map_err(sql)?;
    let account = Account::with_id(&new.name, unsigned(id));
    let inbox = MailboxName::inbox();
    mailboxes::create(tx, &account, &inbox, &[])?;
    mailboxes::subscribe(tx, &account, &inbox, true)?;
    for (name, special_use) in USUAL.iter().filter(|_| !bare) {
        let name = MailboxName::new(name).map_err(Error::internal)?;
        mailboxes::create(tx, &account, &name, &[*special_use])?;
        mailboxes::subscribe(tx, &account, &name, true)?;
    }
    Ok(account)
}

fn list(conn: &Connection) -> StoreResult<Vec<User>> {
    let mut select = conn
        .prepare_cached(
            "SELECT a.name, a.password IS NOT NULL, count(m.id), ifnull(sum(m.messages), 0), ifnull(sum(m.size), 0)
             FROM accounts a LEFT JOIN mailboxes m ON m.account = a.id AND m.name IS NOT NULL
             WHERE a.removed = 0 GROUP BY a.id ORDER BY a.name",
        )
        .map_err(sql)?;
    let users = select.query_map([], |r| {
        Ok(User {
            name: r.get(0)?,
            has_password: r.get(1)?,
            mailboxes: unsigned(r.get(2)?),
            messages: unsigned(r.get(3)?),
            size: unsigned(r.get(4)?),
        })
    });
    users.and_then(Iterator::collect).map_err(sql)
}

/// Takes the account's name, password and mailboxes away; `None` when there is none. What is left is emptied afterwards.
fn remove(tx: &mut Tx<'_>, name: &str) -> StoreResult<Option<Vec<Place>>> {
    let Some(account) = crate::listing::account(tx.conn, name)? else {
        return Ok(None);
    };
    let id = tx::account_id(&account);
    let run = |text| {
        tx.conn
            .prepare_cached(text)
            .and_then(|mut s| s.execute([id]))
            .map_err(sql)
    };
    // An account of this name that is made later gets other UIDVALIDITYs.
    run("UPDATE store SET uid_validity = max(uid_validity, (SELECT uid_validity FROM accounts WHERE id = ?))")?;
    run("UPDATE accounts SET removed = 1, password = NULL WHERE id = ?")?;
    run("DELETE FROM subscriptions WHERE account = ?")?;
    let places: Vec<Place> = tx
        .conn
        .prepare_cached("SELECT id FROM mailboxes WHERE account = ?")
        .and_then(|mut s| {
            let rows = s.query_map([id], |r| r.get(0).map(|mailbox| Place { account: id, mailbox }))?;
            rows.collect()
        })
        .map_err(sql)?;
    for place in &places {
        if let Ok(mailbox) = tx.mailbox(*place) {
            mailboxes::bury(tx, *place)?;
            tx.tell(&account, *place, deleted(mailbox.mod_seq()));
        }
    }
    Ok(Some(places))
}

type Line = (usize, String, Imported);

fn parse_lines(text: &str) -> Result<Vec<Line>, UserError> {
    let mut parsed = Vec::new();
    let mut names = std::collections::HashSet::new();
    for (at, text) in text.lines().enumerate() {
        let line = at + 1;
        let wrong = |why: String| UserError::Line { line, why };
        if text.trim().is_empty() || text.starts_with('#') {
            continue;
        }
        let (name, secret) = text
            .split_once(':')
            .ok_or_else(|| wrong("there is no colon between name and password".into()))?;
        let name = check_name(name).map_err(|e| wrong(e.to_string()))?;
        if !names.insert(name) {
            return Err(wrong(format!("the user {name} is there twice")));
        }
        parsed.push((line, name.to_owned(), password::import(secret).map_err(wrong)?));
    }
    Ok(parsed)
}

/// Hashes what is to be hashed, on all cores.
fn hash_all(lines: Vec<Line>) -> Result<Vec<(usize, New)>, UserError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = lines.len().div_ceil(cores).max(1);
    let mut lines = lines.into_iter();
    let shares: Vec<Vec<Line>> = (0..cores).map(|_| lines.by_ref().take(share).collect()).collect();
    std::thread::scope(|scope| {
        let threads: Vec<_> = shares
            .into_iter()
            .map(|share| scope.spawn(move || share.into_iter().map(hash_line).collect::<Result<Vec<_>, _>>()))
            .collect();
        let mut hashed = Vec::new();
        for thread in threads {
            let done = thread.join().map_err(|_| Error::internal("hashing panicked"))?;
            hashed.extend(done?);
        }
        Ok(hashed)
    })
}

fn hash_line((line, name, imported): Line) -> Result<(usize, New), UserError> {
    let password = match imported {
        Imported::Hash(hash) => hash,
        Imported::Password(password) => password::hash(&password).map_err(Error::internal)?,
    };
    let password = Some(password);
    Ok((line, New { name, password }))
}
