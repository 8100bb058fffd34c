//! [`SqliteStore`]: opening a folder, and the contract as calls of the writer and the readers.

use std::any::Any;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use backend_api::{
    Abilities, Account, Appended, Changes, Copied, Credentials, Error, FlagChange, FlagsChanged, Incoming, Load,
    Loaded, MailStore, MailboxEntry, MailboxId, MailboxName, MessageBody, Messages, ModSeq, NewMessage, Remove, Result,
    Sought, SpecialUse, Uid, UidSet, Watcher, async_trait,
};
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::io::AsyncRead;
use tokio::sync::Semaphore;

use crate::append::{self, Arriving};
use crate::checkpoint::{self, Checkpoint};
use crate::error::OpenError;
use crate::folder::Folder;
use crate::login_cache::LoginCache;
use crate::options::Options;
use crate::reader::Readers;
use crate::recover::{self, Bell, Leftovers};
use crate::remover::{self, Remover};
use crate::shared::{Behind, Shared};
use crate::stage::{self, Staged};
use crate::text_index::{self, TextIndex};
use crate::tx::{Mailbox, Place, Tx, account_id};
use crate::views::{View, Views};
use crate::watch::{self, Seen, Wake};
use crate::writer::{self, Writer};
use crate::{copy, expunge, flags, listing, load, mailboxes, schema, users};

/// Mail in one data folder. Cloning it is cheap; the last one that is dropped closes the folder, after what was handed to
/// it is done.
///
/// It is used inside a tokio runtime. Several processes may have the same folder open.
#[derive(Clone)]
pub struct SqliteStore {
    pub(crate) shared: Arc<Shared>,
    /// Closes the store when the last clone goes; the threads hold `shared` alone.
    _open: Arc<Open>,
}

struct Open {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl SqliteStore {
    /// Opens a data folder, made when it is not there.
    ///
    /// # Errors
    /// [`OpenError`]: a folder of a newer version or on a network file system is refused.
    pub fn open(folder: impl AsRef<Path>, options: Options) -> Result<Arc<Self>, OpenError> {
        let folder = Folder::open(folder.as_ref())?;
        let path = folder.database();
        let at = |source| OpenError::Database {
            path: path.clone(),
            source,
        };
        let conn = schema::open(&path)?;
        // In this order: what another store removes after it was looked for may be read there.
        let mut leftovers = Leftovers::find(&conn).map_err(at)?;
        if folder.others_alive().unwrap_or(true) {
            leftovers = Leftovers::default();
        }
        let (writer, queue) = Writer::new();
        let (watch, rings) = Wake::new();
        let (remover, jobs) = Remover::new();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let shared = Arc::new(Shared {
            writer,
            readers: Readers::default(),
            watcher: OnceLock::new(),
            seen: Seen::new(schema::reading(&path).map_err(at)?).map_err(at)?,
            watch,
            remover: Arc::new(remover),
            behind: Behind::default(),
            views: Views::new(folder.views()),
            checkpoint: Checkpoint::default(),
            bell: Bell::default(),
            checks: Arc::new(Semaphore::new(cores)),
            logins: LoginCache::new(),
            stop: false.into(),
            passes: tokio::sync::watch::Sender::new(0),
            text_index: TextIndex::new(&folder, options.search_index),
            folder,
            options,
        });
        let open = Open {
            shared: shared.clone(),
            threads: Mutex::default(),
        };
        open.start("mail-writer", move |shared| writer::run(shared, conn, &queue))?;
        for _ in 0..shared.options.readers.max(1) {
            shared.readers.add(schema::reading(&path).map_err(at)?);
            open.start("mail-reader", move |shared| shared.readers.run())?;
        }
        open.start("mail-remove", move |_| remover::run(&jobs))?;
        if shared.options.background {
            let conn = schema::writing(&path).map_err(at)?;
            open.start("mail-checkpoint", move |shared| checkpoint::run(shared, &conn))?;
            open.start("mail-watch", move |shared| watch::run(shared, &rings))?;
            if shared.options.search_index {
                open.start("mail-index", text_index::run)?;
            }
            open.start("mail-tidy", move |shared| recover::run(shared, leftovers))?;
        }
        let _open = Arc::new(open);
        Ok(Arc::new(Self { shared, _open }))
    }

    /// Counts the passes of background work: each time when for now every message was indexed that could be, or what had to
    /// be cleared away was. Who waits for what is done in the background looks, and looks again when this changes.
    pub fn passes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.shared.passes.subscribe()
    }

    /// Does at once, and to its end, what is otherwise done in the background: removed messages that nobody numbers any
    /// more, deleted mailboxes and files that no message names are cleared away as far as their time has come.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn tidy(&self) -> Result<()> {
        let shared = self.shared.clone();
        let work = move || recover::tidy(&shared, Leftovers::default(), &|_| ());
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)??;
        self.files_removed().await;
        Ok(())
    }

    /// Returns when the files of messages that were removed before are removed, too, which is done a moment after the answer.
    ///
    /// # Cancel safety
    /// Nothing is changed.
    pub async fn files_removed(&self) {
        self.shared.remover.settled().await;
    }

    async fn staged(&self, account: &Account, body: Incoming) -> Result<Staged> {
        let staged = match body {
            Incoming::Body(body) => stage::copied(&self.shared, account_id(account), &body).await?,
            Incoming::Staged(staged) => *staged
                .downcast::<Staged>()
                .map_err(|_| Error::internal("a message was staged by another store"))?,
            _ => return Err(Error::internal("a new kind of incoming message")),
        };
        stage::place(&self.shared, staged).await
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SqliteStore({})", self.shared.folder.root().display())
    }
}

impl Open {
    fn start(&self, name: &str, run: impl FnOnce(&Arc<Shared>) + Send + 'static) -> Result<(), OpenError> {
        let shared = self.shared.clone();
        let thread = std::thread::Builder::new().name(name.to_owned());
        let thread = thread.spawn(move || run(&shared)).map_err(|source| OpenError::Io {
            path: self.shared.folder.root().to_owned(),
            source,
        })?;
        self.threads.lock().push(thread);
        Ok(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.bell.stop();
        self.shared.text_index.stop();
        self.shared.checkpoint.stop();
        self.shared.writer.stop();
        self.shared.readers.stop();
        self.shared.watch.wake();
        self.shared.remover.stop();
        for thread in self.threads.get_mut().drain(..) {
            // The store may be dropped by one of its own threads, at the end of a call.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
        self.shared.seen.close();
        // The last connection that is closed carries the log into the database and removes it, so that the next start has
        // nothing to go through. One that only reads cannot.
        if let Err(e) =
            schema::writing(&self.shared.folder.database()).and_then(|conn| conn.close().map_err(|(_, e)| e))
        {
            tracing::warn!(error = %e, "the write-ahead log stays for the next start");
        }
    }
}

#[async_trait]
impl MailStore for SqliteStore {
    async fn login(&self, who: Credentials<'_>) -> Result<Account> {
        users::login(&self.shared, who).await
    }

    async fn mailboxes(&self, account: &Account) -> Result<Vec<MailboxEntry>> {
        let account = account.clone();
        let read = move |conn: &Connection| listing::mailboxes(conn, &account);
        self.shared.readers.call(read).await
    }

    async fn messages(&self, account: &Account, mailbox: MailboxId) -> Result<Messages> {
        let place = Place::new(account, mailbox);
        self.shared
            .readers
            .call_long(move |conn| listing::messages(conn, place))
            .await
    }

    async fn body(&self, account: &Account, mailbox: MailboxId, uid: Uid) -> Result<MessageBody> {
        let (mut loaded, _) = self.load(account, mailbox, &[uid], Load::new(false, true)).await?;
        let body = loaded.pop().and_then(|l| l.body);
        body.ok_or_else(|| Error::not_found("no such message"))
    }

    fn abilities(&self, _: Option<&Account>) -> Abilities {
        Abilities::ALL
    }

    async fn add(&self, account: &Account, mailbox: MailboxId, messages: Vec<NewMessage>) -> Result<Appended> {
        let mut arriving = Vec::with_capacity(messages.len());
        for message in messages {
            let staged = self.staged(account, message.body).await?;
            arriving.push(Arriving {
                flags: message.flags,
                date: message.date,
                staged,
            });
        }
        let (account, place) = (account.clone(), Place::new(account, mailbox));
        self.shared
            .writer
            .call(move |tx| append::add(tx, &account, place, arriving))
            .await
    }

    async fn set_flags(
        &self,
        account: &Account,
        mailbox: MailboxId,
        uids: &UidSet,
        change: &FlagChange,
        unchanged_since: Option<ModSeq>,
    ) -> Result<FlagsChanged> {
        let (account, place) = (account.clone(), Place::new(account, mailbox));
        let (uids, change) = (uids.clone(), change.clone());
        self.shared
            .writer
            .call(move |tx| flags::set_flags(tx, &account, place, &[(uids, change)], unchanged_since))
            .await
    }

    async fn set_flags_each(
        &self,
        account: &Account,
        mailbox: MailboxId,
        changes: Vec<(UidSet, FlagChange)>,
    ) -> Result<bool> {
        let (account, place) = (account.clone(), Place::new(account, mailbox));
        let set = move |tx: &mut Tx<'_>| flags::set_flags(tx, &account, place, &changes, None);
        self.shared.writer.call(set).await.map(|_| true)
    }

    async fn remove(&self, account: &Account, mailbox: MailboxId, uids: &UidSet, which: Remove) -> Result<UidSet> {
        let (account, place, uids) = (account.clone(), Place::new(account, mailbox), uids.clone());
        self.shared
            .writer
            .call(move |tx| expunge::remove(tx, &account, place, &uids, which))
            .await
    }

    async fn copy(
        &self,
        account: &Account,
        from: MailboxId,
        uids: &UidSet,
        to: MailboxId,
        all: bool,
    ) -> Result<Option<Copied>> {
        let (from, to) = (Place::new(account, from), Place::new(account, to));
        let (account, uids) = (account.clone(), uids.clone());
        let copy = move |tx: &mut Tx<'_>| copy::copy(tx, &account, from, &uids, to, all);
        self.shared.writer.call(copy).await.map(Some)
    }

    async fn r#move(&self, account: &Account, from: MailboxId, uids: &UidSet, to: MailboxId) -> Result<Option<Copied>> {
        let (from, to) = (Place::new(account, from), Place::new(account, to));
        let (account, uids) = (account.clone(), uids.clone());
        let r#move = move |tx: &mut Tx<'_>| copy::r#move(tx, &account, from, &uids, to);
        self.shared.writer.call(r#move).await.map(Some)
    }

    async fn create(&self, account: &Account, name: &MailboxName, special_use: &[SpecialUse]) -> Result<()> {
        let (account, name, uses) = (account.clone(), name.clone(), special_use.to_vec());
        self.shared
            .writer
            .call(move |tx| mailboxes::create(tx, &account, &name, &uses).map(drop))
            .await
    }

    async fn delete(&self, account: &Account, mailbox: MailboxId, name: &MailboxName) -> Result<()> {
        let (account, place, name) = (account.clone(), Place::new(account, mailbox), name.clone());
        self.shared
            .writer
            .call(move |tx| mailboxes::delete(tx, &account, place, &name))
            .await
    }

    async fn rename(&self, account: &Account, from: &MailboxName, to: &MailboxName) -> Result<()> {
        let (account, from, to) = (account.clone(), from.clone(), to.clone());
        self.shared
            .writer
            .call(move |tx| mailboxes::rename(tx, &account, &from, &to))
            .await
    }

    async fn subscribe(&self, account: &Account, name: &MailboxName, subscribed: bool) -> Result<()> {
        let (account, name) = (account.clone(), name.clone());
        self.shared
            .writer
            .call(move |tx| mailboxes::subscribe(tx, &account, &name, subscribed))
            .await
    }

    async fn mailbox(&self, account: &Account, name: &MailboxName) -> Result<Option<MailboxEntry>> {
        let (account, name) = (account.clone(), name.clone());
        let read = move |conn: &Connection| listing::mailbox(conn, &account, &name);
        self.shared.readers.call(read).await
    }

    async fn load(
        &self,
        account: &Account,
        mailbox: MailboxId,
        uids: &[Uid],
        what: Load,
    ) -> Result<(Vec<Loaded>, usize)> {
        let place = Place::new(account, mailbox);
        // A list may be as long as the mailbox; no answer covers more than this of it.
        let uids = uids.get(..load::MOST).unwrap_or(uids).to_vec();
        let shared = self.shared.clone();
        let read = move |conn: &Connection| load::load(conn, &shared, place, &uids, what);
        self.shared.readers.call(read).await
    }

    async fn may_hold(&self, account: &Account, mailbox: MailboxId, sought: &[Sought]) -> Vec<Option<UidSet>> {
        let (place, sought) = (Place::new(account, mailbox), sought.to_vec());
        let shared = self.shared.clone();
        let read = move |conn: &Connection| Ok(shared.text_index.may_hold(conn, place, &sought));
        self.shared.readers.call(read).await.unwrap_or_default()
    }

    async fn stage(
        &self,
        account: &Account,
        size: u64,
        body: &mut (dyn AsyncRead + Send + Unpin),
    ) -> Result<Option<Box<dyn Any + Send>>> {
        let staged = stage::exactly(&self.shared, account_id(account), size, body).await?;
        Ok(Some(Box::new(staged)))
    }

    async fn changes_since(&self, account: &Account, mailbox: MailboxId, since: ModSeq) -> Result<Option<Changes>> {
        let place = Place::new(account, mailbox);
        let read = move |conn: &Connection| listing::changes_since(conn, place, since);
        self.shared.readers.call(read).await
    }

    fn has_mod_seqs(&self) -> bool {
        true
    }

    async fn first_recent(&self, account: &Account, mailbox: MailboxId, below: Uid, claim: bool) -> Result<Uid> {
        let place = Place::new(account, mailbox);
        if claim {
            let claim = move |tx: &mut Tx<'_>| expunge::claim_recent(tx, place, below);
            return self.shared.writer.call_lazily(claim).await;
        }
        let read = move |conn: &Connection| Ok(Mailbox::load(conn, place)?.first_recent());
        let first = self.shared.readers.call(read).await?;
        Ok(first.map_or(below, |first| first.min(below)))
    }

    fn view(&self, account: &Account, mailbox: MailboxId) -> Option<Box<dyn Any + Send + Sync>> {
        Some(Box::new(View::new(&self.shared, Place::new(account, mailbox))))
    }

    fn reclaim(&self, account: &Account, mailbox: MailboxId, uids: &UidSet, up_to: ModSeq) {
        let place = Place::new(account, mailbox);
        self.shared.views.told(place, up_to.get());
        if !uids.is_empty() {
            self.shared.behind.reclaim(place);
            self.shared.writer.behind();
        }
    }

    fn attach(&self, watcher: Arc<dyn Watcher>) {
        if self.shared.watcher.set(watcher).is_err() {
            tracing::error!("a second watcher was attached to a store; it hears nothing");
        }
    }

    fn refresh(&self) {
        self.shared.seen.look(&self.shared);
    }

    fn append_limit(&self) -> Option<u64> {
        self.shared.options.append_limit
    }
}
