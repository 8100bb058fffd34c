//! Every command dropped after each number of polls: the store is as before it or as after it, and nothing is left behind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;
use std::time::Duration;

use backend_api::*;
use backend_memory::MemoryStore;
use backend_sqlite::{Options, SqliteStore};
use backendutil::{Mapped, MappedMailbox, MappedSession};
use imap_compliance::bulk::sized;
use imap_compliance::leftovers::Folder;
use imap_compliance::sink::Sink;
use imap_compliance::stepper::{DEADLINE, DropAt, poll_times, until};
use imap_compliance::world::loopback;
use imap_compliance::{Client, response::Response};
use imap_server::Server;
use tempfile::TempDir;

/// A store that can be tried.
#[async_trait]
trait Tried: MailStore + Sized {
    async fn make() -> (Arc<Self>, Option<TempDir>);
    /// Waits until everything that was begun has ended.
    async fn rests(&self) {}
}

#[async_trait]
impl Tried for MemoryStore {
    async fn make() -> (Arc<Self>, Option<TempDir>) {
        (Arc::new(Self::new().with_user("demo", "secret")), None)
    }
}

#[async_trait]
impl Tried for SqliteStore {
    async fn make() -> (Arc<Self>, Option<TempDir>) {
        let folder = tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .unwrap();
        let mut options = Options::default();
        // What it does in the background would hold locks now and then.
        options.background = false;
        options.stage_in_memory = 8_000;
        options.file_above = 20_000;
        let store = Self::open(folder.path(), options).unwrap();
        // `secret`, hashed at little cost.
        let hash =
            "{ARGON2ID}$argon2id$v=19$m=8,t=1,p=1$YSB0ZXN0J3Mgc2FsdA$+5f8jhZt9pdzjD7bbzVcN8EmnUNhT3KvVDBlTFK2x0M";
        store.import_users(&format!("demo:{hash}")).await.unwrap();
        (store, Some(folder))
    }

    async fn rests(&self) {
        self.tidy().await.unwrap();
    }
}

/// The same backend for the session that is tried and for those that look.
struct Lent<S>(Arc<Mapped<S>>);

#[async_trait]
impl<S: MailStore> Backend for Lent<S> {
    type Session = MappedSession<S>;

    async fn login(&self, ctx: &Ctx<'_>, who: Credentials<'_>) -> Result<Self::Session> {
        self.0.login(ctx, who).await
    }
}

struct World<S: MailStore> {
    backend: Arc<Mapped<S>>,
    server: Server<Lent<S>>,
    account: Account,
    folder: Option<TempDir>,
}

/// INBOX has messages in memory, in rows after a file, in a file, and two to be expunged.
const INBOX: [(usize, SystemFlag); 4] = [
    (500, SystemFlag::Seen),
    (10_000, SystemFlag::Answered),
    (25_000, SystemFlag::Deleted),
    (700, SystemFlag::Deleted),
];

fn named(name: &str) -> MailboxName {
    MailboxName::new(name).unwrap()
}

fn new_message(octets: usize, flags: Flags) -> NewMessage {
    let body = Incoming::Body(sized(octets).into());
    NewMessage::new(flags, DateTime::new(1_000_000_000, 0), octets as u64, body)
}

impl<S: Tried> World<S> {
    async fn new() -> Self {
        let (store, folder) = S::make().await;
        let backend = Arc::new(Mapped::<S>::new(store.clone()));
        let server = Server::builder(Lent(backend.clone())).build();
        let account = store.login(Credentials::password("demo", b"secret")).await.unwrap();
        for mailbox in store.mailboxes(&account).await.unwrap() {
            if !mailbox.name.is_inbox() {
                store.delete(&account, mailbox.id, &mailbox.name).await.unwrap();
                store.subscribe(&account, &mailbox.name, false).await.unwrap();
            }
        }
        for name in ["other", "other/child", "third"] {
            store.create(&account, &named(name), &[]).await.unwrap();
        }
        store.subscribe(&account, &named("other"), true).await.unwrap();
        let world = Self {
            backend,
            server,
            account,
            folder,
        };
        let messages = INBOX.map(|(octets, flag)| new_message(octets, Flags::NONE.with(flag)));
        let inbox = world.id("INBOX").await;
        store.add(&world.account, inbox, messages.into()).await.unwrap();
        let message = new_message(300, Flags::NONE);
        store
            .add(&world.account, world.id("other").await, vec![message])
            .await
            .unwrap();
        store
            .first_recent(&world.account, inbox, Uid::new(5).unwrap(), true)
            .await
            .unwrap();
        store.rests().await;
        world
    }

    fn store(&self) -> &S {
        self.backend.store()
    }

    async fn id(&self, name: &str) -> MailboxId {
        self.store()
            .mailbox(&self.account, &named(name))
            .await
            .unwrap()
            .unwrap()
            .id
    }

    /// As an application that changes its own data does.
    async fn flag(&self, change: FlagChange) {
        let inbox = self.id("INBOX").await;
        let uids = UidSet::run(Uid::MIN, Uid::MIN);
        self.store()
            .set_flags(&self.account, inbox, &uids, &change, None)
            .await
            .unwrap();
        self.backend.hub().changed(&self.account, inbox);
    }

    /// A session that logged in just now.
    async fn client(&self) -> Client {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let server = self.server.clone();
        tokio::spawn(async move { server.serve(theirs, loopback()).await });
        let mut client = Client::new(Box::new(ours) as imap_compliance::stream::BoxedStream);
        client.hears("* OK [CAPABILITY <list>] <text>").await;
        ask(&mut client, "LOGIN demo secret").await;
        client
    }

    /// Everything that a fresh session can see.
    async fn picture(&self) -> Vec<String> {
        let mut client = self.client().await;
        let mut picture = ask(&mut client, r#"LIST "" *"#).await;
        picture.extend(ask(&mut client, r#"LSUB "" *"#).await);
        let listed = picture
            .iter()
            .filter(|line| line.starts_with("* LIST (") && !line.contains(r"\Noselect"));
        let names: Vec<String> = listed
            .filter_map(|line| line.rsplit(' ').next())
            .map(str::to_owned)
            .collect();
        let mut validities = Vec::new();
        for name in &names {
            let items = "MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN";
            for line in ask(&mut client, &format!("STATUS {name} ({items})")).await {
                let Response::Status(_, items) = Response::parse(line.as_bytes()).unwrap() else {
                    panic!("{line}")
                };
                validities.extend(items.iter().filter(|(item, _)| item == "UIDVALIDITY").map(|(_, v)| *v));
                let counts: Vec<_> = items.into_iter().filter(|(item, _)| item != "UIDVALIDITY").collect();
                picture.push(format!("{name} {counts:?}"));
            }
            ask(&mut client, &format!("EXAMINE {name}")).await;
            picture.extend(
                ask(
                    &mut client,
                    "UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])",
                )
                .await,
            );
        }
        // In another world they are others, in the same order.
        let mut order = validities.clone();
        order.sort_unstable();
        picture.extend(
            validities
                .iter()
                .map(|v| format!("UIDVALIDITY {:?}", order.binary_search(v))),
        );
        picture
    }

    /// Nothing is held, and nothing is left: another session writes at once.
    async fn is_tidy(&self) {
        self.store().rests().await;
        if let Some(folder) = &self.folder {
            let folder = Folder::new(folder.path());
            until("a message is still incoming", || folder.incoming().is_empty()).await;
            assert_eq!(folder.disorder(), [""; 0]);
            folder.is_unlocked().unwrap();
            assert_eq!(folder.counts().ghosts, 0, "what nobody numbers is kept");
        }
        let writes = async {
            let mut client = self.client().await;
            ask(&mut client, "SELECT INBOX").await;
            for flags in [r"+FLAGS.SILENT (\Draft)", r"-FLAGS.SILENT (\Draft)"] {
                assert_eq!(ask(&mut client, &format!("UID STORE 1:* {flags}")).await, [""; 0]);
            }
        };
        tokio::time::timeout(DEADLINE, writes)
            .await
            .expect("a session that writes waits");
    }
}

/// What a command is answered before its OK.
async fn ask(client: &mut Client, command: &str) -> Vec<String> {
    client.says(format!("a {command}")).await;
    let mut untagged = Vec::new();
    loop {
        let line = String::from_utf8_lossy(&client.response().await).into_owned();
        if line.starts_with("a ") {
            assert!(line.starts_with("a OK"), "{command}: {line}");
            return untagged;
        }
        untagged.push(line);
    }
}

/// The commands, and whether each changes the store.
const COMMANDS: [(&str, bool); 32] = [
    ("login", false),
    ("list", false),
    ("lsub", false),
    ("status", false),
    ("select", false),
    ("select other", true),
    ("examine other", false),
    ("create", true),
    ("delete", true),
    ("delete other", true),
    ("rename", true),
    ("rename inbox", true),
    ("subscribe", true),
    ("unsubscribe", true),
    ("append", true),
    ("append to rows", true),
    ("append to a file", true),
    ("append three", true),
    ("store", true),
    ("store silent", true),
    ("fetch flags", false),
    ("fetch body", false),
    ("fetch body seen", true),
    ("search", false),
    ("copy", true),
    ("uid copy", true),
    ("move", true),
    ("move here", true),
    ("expunge", true),
    ("uid expunge", true),
    ("poll", false),
    ("changed", false),
];

async fn append<S: MailStore>(session: &mut MappedSession<S>, sizes: &[usize]) -> Result<()> {
    let conn = ConnInfo::default();
    let mut append = session.append(&Ctx::new(&conn), &named("INBOX")).await?;
    for octets in sizes {
        let options = AppendOptions::new(Flags::SEEN, Some(DateTime::new(1_100_000_000, 0)));
        let text = sized(*octets);
        // The client sends it in pieces, and its connection is waited for between two.
        let (mut client, mut server) = tokio::io::duplex(3_000);
        let sent = async {
            tokio::io::AsyncWriteExt::write_all(&mut client, &text).await.unwrap();
        };
        let (taken, ()) = tokio::join!(append.message(options, *octets as u64, &mut server), sent);
        taken?;
    }
    append.commit().await.map(drop)
}

/// Runs a command in a session that has INBOX selected.
async fn run<S: MailStore>(
    command: &str,
    backend: &Mapped<S>,
    session: &mut MappedSession<S>,
    inbox: &mut MappedMailbox<S>,
) -> Result<()> {
    let (conn, mut sink) = (ConnInfo::default(), Sink::default());
    let ctx = &Ctx::new(&conn);
    let all = NumSet::Seq(SeqSet::run(Seq::MIN, Seq::new(4).unwrap()));
    let uids = UidSet::run(Uid::MIN, Uid::new(9).unwrap());
    let third = Seq::new(3).unwrap();
    let list = |lsub| ListQuery::new(vec!["*".into()], lsub);
    let body = |set_seen| {
        let mut want = Fetch::new(vec![
            FetchItem::Envelope,
            FetchItem::Section(BodySection::peek(Section::default())),
        ]);
        want.set_seen = set_seen;
        want
    };
    let flagged = FlagChange::Add(Flags::NONE.with(SystemFlag::Flagged).with_keyword("$New"));
    match command {
        "login" => backend
            .login(ctx, Credentials::password("demo", b"secret"))
            .await
            .map(drop),
        "list" => session.list(ctx, &list(false), &mut sink).await,
        "lsub" => session.list(ctx, &list(true), &mut sink).await,
        "status" => session
            .status(ctx, &named("other"), StatusItems::default())
            .await
            .map(drop),
        "select" => session.select(ctx, &named("INBOX"), Access::ReadWrite).await.map(drop),
        "select other" => session.select(ctx, &named("other"), Access::ReadWrite).await.map(drop),
        "examine other" => session.select(ctx, &named("other"), Access::ReadOnly).await.map(drop),
        "create" => session.create(ctx, &named("new/below"), &[]).await,
        "delete" => session.delete(ctx, &named("third")).await,
        "delete other" => session.delete(ctx, &named("other")).await,
        "rename" => session.rename(ctx, &named("other"), &named("new")).await,
        "rename inbox" => session.rename(ctx, &named("INBOX"), &named("old")).await,
        "subscribe" => session.subscribe(ctx, &named("third"), true).await,
        "unsubscribe" => session.subscribe(ctx, &named("other"), false).await,
        "append" => append(session, &[1_000]).await,
        "append to rows" => append(session, &[12_000]).await,
        "append to a file" => append(session, &[60_000]).await,
        "append three" => append(session, &[2_000, 30_000, 9_000]).await,
        "store" => inbox
            .store(
                ctx,
                &all,
                &flagged,
                false,
                &mut Updates::new(&mut sink, Rights::NO_EXPUNGE),
            )
            .await
            .map(drop),
        "store silent" => inbox
            .store(
                ctx,
                &all,
                &flagged,
                true,
                &mut Updates::new(&mut sink, Rights::NO_EXPUNGE),
            )
            .await
            .map(drop),
        "fetch flags" => inbox
            .fetch(ctx, &all, &Fetch::new(vec![FetchItem::Flags]), &mut sink)
            .await
            .map(drop),
        "fetch body" => inbox.fetch(ctx, &all, &body(false), &mut sink).await.map(drop),
        // Of one message: that of many is so for each of them.
        "fetch body seen" => inbox
            .fetch(ctx, &NumSet::Seq(SeqSet::run(third, third)), &body(true), &mut sink)
            .await
            .map(drop),
        "search" => inbox.search(ctx, &SearchKey::Text("nowhere".into()), &mut sink).await,
        "copy" => inbox.copy(ctx, &all, &named("other")).await.map(drop),
        "uid copy" => inbox.copy(ctx, &NumSet::Uid(uids), &named("other")).await.map(drop),
        "move" => inbox.r#move(ctx, &all, &named("other")).await.map(drop),
        "move here" => inbox.r#move(ctx, &all, &named("INBOX")).await.map(drop),
        "expunge" => inbox.expunge(ctx, None).await,
        "uid expunge" => {
            inbox
                .expunge(ctx, Some(&UidSet::run(Uid::MIN, Uid::new(3).unwrap())))
                .await
        }
        "poll" => inbox.poll(ctx, &mut Updates::new(&mut sink, Rights::ALL)).await,
        "changed" => {
            inbox.changed(Rights::ALL).await;
            Ok(())
        }
        other => panic!("no such command: {other}"),
    }
}

/// Runs a command, dropped after so many polls; whether it came to its end.
async fn drop_after<S: Tried>(world: &World<S>, command: &str, polls: usize, at: DropAt) -> bool {
    let conn = ConnInfo::default();
    let ctx = Ctx::new(&conn);
    let mut session = world
        .backend
        .login(&ctx, Credentials::password("demo", b"secret"))
        .await
        .unwrap();
    world.flag(FlagChange::Add(Flags::NONE.with(SystemFlag::Draft))).await;
    let (mut inbox, _) = session.select(&ctx, &named("INBOX"), Access::ReadWrite).await.unwrap();
    // So there is something to be told.
    world
        .flag(FlagChange::Remove(Flags::NONE.with(SystemFlag::Draft)))
        .await;
    let (done, poller) = poll_times(run(command, &world.backend, &mut session, &mut inbox), polls, at).await;
    drop(inbox);
    drop(session);
    world.store().rests().await;
    poller.is_forgotten().await;
    done.inspect(|result| assert!(result.is_ok(), "{command}: {result:?}"))
        .is_some()
}

async fn every_command<S: Tried>() {
    let mut world: World<S> = World::new().await;
    let before = world.picture().await;
    let mut untouched = 0;
    for (command, changes) in COMMANDS {
        assert!(drop_after(&world, command, usize::MAX, DropAt::AtOnce).await);
        let after = world.picture().await;
        let mut now = after.clone();
        assert_eq!(after != before, changes, "{command}");
        world.is_tidy().await;
        for at in DropAt::ALL {
            for polls in 1.. {
                if now != before {
                    world = World::new().await;
                }
                let here = format!("{command}, dropped after {polls} polls, {at:?}");
                let done = drop_after(&world, command, polls, at).await;
                now = world.picture().await;
                let expected = if now == before && !done { &before } else { &after };
                assert_eq!(&now, expected, "{here}");
                untouched += u32::from(changes && now == before);
                world.is_tidy().await;
                if done {
                    break;
                }
            }
        }
        if changes {
            world = World::new().await;
        }
    }
    assert!(untouched > 0, "every command had been done at its first poll already");
}

fn tried<F: Future<Output = ()>>(claim: F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(300), claim)
            .await
            .expect("it hangs")
    });
}

#[test]
fn over_memory_a_dropped_command_has_done_all_or_nothing() {
    tried(every_command::<MemoryStore>());
}

#[test]
fn over_sqlite_a_dropped_command_has_done_all_or_nothing() {
    tried(every_command::<SqliteStore>());
}

/// A wait that nobody ends leaves nothing when it is dropped, however often.
#[test]
fn a_wait_for_changes_is_forgotten_when_it_is_dropped() {
    tried(async {
        let world: World<SqliteStore> = World::new().await;
        let conn = ConnInfo::default();
        let ctx = Ctx::new(&conn);
        let mut session = world
            .backend
            .login(&ctx, Credentials::password("demo", b"secret"))
            .await
            .unwrap();
        let (mut inbox, _) = session.select(&ctx, &named("INBOX"), Access::ReadWrite).await.unwrap();
        let mut sink = Sink::default();
        inbox
            .poll(&ctx, &mut Updates::new(&mut sink, Rights::ALL))
            .await
            .unwrap();
        for _ in 0..1_000 {
            let (done, poller) = poll_times(inbox.changed(Rights::ALL), 1, DropAt::AtOnce).await;
            assert_eq!(done, None);
            poller.is_forgotten().await;
        }
        // The next one hears of what happens.
        world.flag(FlagChange::Add(Flags::NONE.with(SystemFlag::Draft))).await;
        assert_eq!(
            poll_times(inbox.changed(Rights::ALL), 2, DropAt::Woken).await.0,
            Some(())
        );
    });
}
