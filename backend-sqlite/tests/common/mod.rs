//! What the tests share: a store in a folder of its own, short forms, and a watcher that writes down what it is told.
#![allow(dead_code, unreachable_pub)]

use std::path::Path;
use std::sync::{Arc, Mutex};

use backend_api::*;
use backend_sqlite::{Options, SqliteStore};

pub struct World {
    pub store: Arc<SqliteStore>,
    pub account: Account,
    pub inbox: MailboxId,
    pub told: Arc<Told>,
    pub dir: tempfile::TempDir,
}

pub async fn world() -> World {
    world_with(Options::default()).await
}

/// Thresholds so low that every class of body is met by small messages.
pub fn small() -> Options {
    let mut options = Options::default();
    options.stage_in_memory = 1_000;
    options.file_above = 600_000;
    options
}

pub async fn world_with(options: Options) -> World {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path(), options).unwrap();
    let told = Arc::new(Told::default());
    store.attach(told.clone());
    let account = store.add_user("ann", None, true).await.unwrap();
    let inbox = store
        .mailbox(&account, &MailboxName::inbox())
        .await
        .unwrap()
        .unwrap()
        .id;
    told.take();
    World {
        store,
        account,
        inbox,
        told,
        dir,
    }
}

impl World {
    pub async fn add(&self, text: &str) -> Uid {
        self.add_to(self.inbox, text, Flags::NONE).await
    }

    pub async fn add_to(&self, mailbox: MailboxId, text: &str, flags: Flags) -> Uid {
        self.add_bytes(mailbox, text.as_bytes(), flags).await
    }

    pub async fn add_bytes(&self, mailbox: MailboxId, octets: &[u8], flags: Flags) -> Uid {
        let staged = self
            .store
            .stage(&self.account, octets.len() as u64, &mut &octets[..])
            .await
            .unwrap();
        let body = Incoming::Staged(staged.unwrap());
        let message = NewMessage::new(flags, date(), octets.len() as u64, body);
        let appended = self.store.add(&self.account, mailbox, vec![message]).await.unwrap();
        appended.uids[0]
    }

    pub async fn make(&self, mailbox: &str) -> MailboxId {
        let name = name(mailbox);
        self.store.create(&self.account, &name, &[]).await.unwrap();
        self.id(mailbox).await.unwrap()
    }

    pub async fn id(&self, mailbox: &str) -> Option<MailboxId> {
        let entry = self.store.mailbox(&self.account, &name(mailbox)).await.unwrap();
        entry.map(|e| e.id)
    }

    pub async fn list(&self, mailbox: MailboxId) -> Vec<(u32, String, u64)> {
        let messages = self.store.messages(&self.account, mailbox).await.unwrap();
        messages
            .entries
            .iter()
            .map(|e| (e.uid.get(), e.flags.to_string(), e.mod_seq.get()))
            .collect()
    }

    pub async fn uids(&self, mailbox: MailboxId) -> Vec<u32> {
        self.list(mailbox).await.iter().map(|m| m.0).collect()
    }

    pub async fn set(&self, uids: &str, change: FlagChange) -> FlagsChanged {
        let outcome = self
            .store
            .set_flags(&self.account, self.inbox, &set(uids), &change, None)
            .await;
        outcome.unwrap()
    }

    pub async fn text(&self, mailbox: MailboxId, uid: u32) -> Vec<u8> {
        let body = self.store.body(&self.account, mailbox, uid_of(uid)).await.unwrap();
        body.read_all(1 << 30).await.unwrap().to_vec()
    }

    pub async fn status(&self, mailbox: MailboxId) -> Status {
        let mailboxes = self.store.mailboxes(&self.account).await.unwrap();
        let status = mailboxes.into_iter().find(|m| m.id == mailbox).unwrap().status;
        status.unwrap()
    }

    /// A session that numbers messages begins, as far as the store has to know. It has been told of everything.
    pub async fn view(&self, mailbox: MailboxId) -> Box<dyn std::any::Any + Send + Sync> {
        let view = self.store.view(&self.account, mailbox).unwrap();
        let now = self.store.messages(&self.account, mailbox).await.unwrap();
        self.store
            .reclaim(&self.account, mailbox, &UidSet::new(), now.highest_mod_seq);
        view
    }

    /// Every session is told that these were removed.
    pub async fn reclaim(&self, mailbox: MailboxId, uids: &str) {
        let now = self.store.messages(&self.account, mailbox).await.unwrap();
        self.store
            .reclaim(&self.account, mailbox, &set(uids), now.highest_mod_seq);
    }

    /// Rows of a table.
    pub fn rows(&self, table: &str) -> i64 {
        let conn = rusqlite::Connection::open(self.dir.path().join("mail.db")).unwrap();
        conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0))
            .unwrap()
    }

    /// Closes the store and opens the folder again.
    pub fn reopen(self, options: Options) -> World {
        let World {
            store,
            account,
            inbox,
            dir,
            ..
        } = self;
        drop(store);
        let store = SqliteStore::open(dir.path(), options).unwrap();
        let told = Arc::new(Told::default());
        store.attach(told.clone());
        World {
            store,
            account,
            inbox,
            told,
            dir,
        }
    }
}

#[derive(Default)]
pub struct Told(Mutex<Vec<(MailboxId, Option<Changes>)>>, tokio::sync::Notify);

impl Told {
    pub fn take(&self) -> Vec<(MailboxId, Option<Changes>)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// Waits until something is told.
    pub async fn next(&self) -> Vec<(MailboxId, Option<Changes>)> {
        loop {
            let waiting = self.1.notified();
            let told = self.take();
            if !told.is_empty() {
                return told;
            }
            waiting.await;
        }
    }
}

impl Watcher for Told {
    fn mailbox(&self, _: &Account, mailbox: MailboxId, changes: Option<Changes>) {
        self.0.lock().unwrap().push((mailbox, changes));
        self.1.notify_one();
    }
}

pub fn date() -> DateTime {
    DateTime::new(837_596_665, -420)
}

pub fn name(name: &str) -> MailboxName {
    MailboxName::new(name).unwrap()
}

pub fn uid_of(n: u32) -> Uid {
    Uid::new(n).unwrap()
}

/// `1:3,5`
pub fn set(text: &str) -> UidSet {
    let number = |n: &str| uid_of(n.parse().unwrap());
    let runs = text.split(',').map(|run| {
        let (a, b) = run.split_once(':').unwrap_or((run, run));
        (number(a), number(b))
    });
    UidSet::from_runs(runs)
}

pub fn deleted() -> Flags {
    Flags::NONE.with(SystemFlag::Deleted)
}

pub fn kind<T>(outcome: Result<T>) -> ErrorKind {
    match outcome {
        Ok(_) => panic!("it should have failed"),
        Err(e) => e.kind(),
    }
}

/// Every file below a folder but the database and what belongs to the running process.
pub fn files(dir: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for part in ["bodies", "incoming"] {
        walk(&dir.join(part), &mut all);
    }
    all
}

fn walk(dir: &Path, all: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, all);
        } else {
            all.push(path.display().to_string());
        }
    }
}
