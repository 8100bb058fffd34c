//! Every method dropped after each number of polls: nothing is lost, doubled, locked or left untold.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Context;

use backend_api::{
    Access, BodySection, ConnInfo, Ctx, Fetch, FetchItem, ListEntry, ListQuery, ListSink, MailStore, Mailbox,
    MailboxName, Rights, SearchKey, Section, Session, StatusItems, async_trait,
};

use crate::client::{Client, World, seqs, uids};
use crate::{Woken, finish, on_every_store, poll_times};

#[derive(Default)]
struct Names(Vec<String>);

#[async_trait]
impl ListSink for Names {
    fn put(&mut self, entry: &ListEntry) {
        self.0.push(entry.name.to_string());
    }

    fn is_full(&self) -> bool {
        true
    }

    async fn ready(&mut self) -> backend_api::Result<()> {
        Ok(())
    }
}

const METHODS: [&str; 24] = [
    "store",
    "silent",
    "read",
    "flags",
    "search",
    "copy",
    "uid copy",
    "move",
    "move here",
    "expunge",
    "poll",
    "poll flags",
    "list",
    "status",
    "create",
    "delete",
    "delete other",
    "rename",
    "rename inbox",
    "subscribe",
    "select",
    "select other",
    "examine",
    "append",
];

async fn run<S: MailStore>(method: &str, client: &mut Client<S>) {
    let conn = ConnInfo::default();
    let ctx = Ctx::new(&conn);
    let name = |n| MailboxName::new(n).unwrap();
    let session = &mut client.session;
    match method {
        "store" => drop(client.store(&seqs("1:3"), "+\\Flagged", false).await),
        "silent" => drop(client.store(&uids("1:3"), "+\\Flagged", true).await),
        "read" => {
            let mut want = Fetch::new(vec![FetchItem::Section(BodySection::peek(Section::default()))]);
            want.set_seen = true;
            client.fetch(&seqs("1:3"), &want).await;
        }
        "flags" => drop(client.fetch(&seqs("1:3"), &Fetch::new(vec![FetchItem::Flags])).await),
        "search" => drop(client.search(&SearchKey::Text("nowhere".into())).await),
        "copy" => drop(client.copy(&seqs("1:2"), "other").await),
        "uid copy" => drop(client.copy(&uids("1:2"), "other").await),
        "move" => drop(client.r#move(&seqs("1:2"), "other").await),
        "move here" => drop(client.r#move(&seqs("1:2"), "INBOX").await),
        "expunge" => drop(client.expunge().await),
        "poll" => drop(client.noop().await),
        "poll flags" => drop(client.poll(Rights::FLAGS).await),
        "list" => {
            let query = ListQuery::new(vec!["*".into()], false);
            session.list(&ctx, &query, &mut Names::default()).await.unwrap();
        }
        "status" => drop(
            session
                .status(&ctx, &name("other"), StatusItems::default())
                .await
                .unwrap(),
        ),
        "create" => session.create(&ctx, &name("new"), &[]).await.unwrap(),
        "delete" => session.delete(&ctx, &name("third")).await.unwrap(),
        "delete other" => session.delete(&ctx, &name("other")).await.unwrap(),
        "rename" => session.rename(&ctx, &name("other"), &name("new")).await.unwrap(),
        "rename inbox" => session.rename(&ctx, &name("INBOX"), &name("new")).await.unwrap(),
        "subscribe" => drop(session.subscribe(&ctx, &name("other"), true).await),
        "select" => drop(session.select(&ctx, &name("INBOX"), Access::ReadWrite).await.unwrap()),
        "select other" => drop(session.select(&ctx, &name("other"), Access::ReadWrite).await.unwrap()),
        "examine" => drop(session.select(&ctx, &name("other"), Access::ReadOnly).await.unwrap()),
        _ => drop(client.append("INBOX").await),
    }
}

on_every_store! { a_method_dropped_half_way_leaves_every_picture_true: 4 }

async fn a_method_dropped_half_way_leaves_every_picture_true<S: MailStore>(world: World<S>) {
    for method in METHODS {
        for polls in 1.. {
            if drop_after(&world, method, polls).await {
                break;
            }
        }
    }
}

/// Whether the method came to its end within so many polls.
async fn drop_after<S: MailStore>(world: &World<S>, method: &str, polls: usize) -> bool {
    restore(world).await;
    let (mut a, mut b, mut c) = (
        world.select("INBOX").await,
        world.select("INBOX").await,
        world.select("other").await,
    );
    for client in [&mut a, &mut b, &mut c] {
        client.whole().await;
    }
    let first = b.picture.messages[0].as_ref().unwrap().0;
    world.flag(1, &first.to_string(), "\\Deleted \\Draft").await;
    let target = id(world, "other").await.unwrap();
    let messages = world.truth(1).await.len() + world.truth(target).await.len();
    b.noop().await;
    let here = format!("{method} dropped after {polls} polls");
    let pauses = &world.store().pauses;
    pauses.store(true, Ordering::Relaxed);
    let done = {
        // Somebody waits all the while, and is not asked again unless woken.
        let woken = Arc::new(Woken::default());
        let waker = woken.clone().into();
        let mut waiting = Box::pin(b.mailbox.changed(Rights::ALL));
        assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let done = poll_times(Box::pin(run(method, &mut a)).as_mut(), polls).is_some();
        let times = woken.0.load(Ordering::SeqCst);
        drop(waiting);
        let ready = poll_times(b.mailbox.changed(Rights::ALL).as_mut(), 1).is_some();
        // SELECT and STATUS have the store asked, without a change that they know of.
        let asks = ["select", "examine", "status"].iter().any(|m| method.starts_with(m));
        assert!(
            times > 0 || !ready || asks,
            "{here}: there is something to tell, and nobody was woken"
        );
        done
    };
    pauses.store(false, Ordering::Relaxed);
    // Those who wait know of it without asking.
    for client in [&mut b, &mut c] {
        told_by_waiting(client);
    }
    for (name, client) in ["INBOX", "other"].into_iter().zip([&mut b, &mut c]) {
        let Some(id) = id(world, name).await else { continue };
        let Ok(fresh) = world.open(name, Access::ReadWrite).await else {
            continue;
        };
        let mut fresh = fresh.0;
        assert_eq!(
            finish(Box::pin(fresh.whole()).as_mut()),
            world.truth(id).await,
            "{here}"
        );
        assert_eq!(
            finish(Box::pin(client.whole()).as_mut()),
            world.truth(id).await,
            "{here}"
        );
    }
    // The client itself may go on, as one that only stopped waiting.
    if !method.starts_with("rename") {
        assert_eq!(finish(Box::pin(a.whole()).as_mut()), world.truth(1).await, "{here}");
    }
    if method.contains("move") && !world.store().by_hand {
        assert_eq!(
            world.truth(1).await.len() + world.truth(target).await.len(),
            messages,
            "{here}"
        );
    }
    done
}

/// Polls as long as `changed` says so.
fn told_by_waiting<S: MailStore>(client: &mut Client<S>) {
    for _ in 0..10 {
        let ready = poll_times(
            Box::pin(backend_api::Mailbox::changed(&mut client.mailbox, Rights::ALL)).as_mut(),
            2,
        );
        if ready.is_none() {
            return;
        }
        let lines = finish(Box::pin(client.noop()).as_mut());
        if lines.iter().any(|l| l == "MailboxGone") {
            return;
        }
    }
    panic!("a poll leaves nothing to be told");
}

async fn id<S: MailStore>(world: &World<S>, name: &str) -> Option<u64> {
    let name = MailboxName::new(name).unwrap();
    let entry = world.store().inner.mailbox(&world.account, &name).await.unwrap();
    entry.map(|e| e.id)
}

/// INBOX with four messages at least, and the mailboxes there must be.
async fn restore<S: MailStore>(world: &World<S>) {
    let store = &world.store().inner;
    let name = |n| MailboxName::new(n).unwrap();
    for wanted in ["other", "third"] {
        if id(world, wanted).await.is_none() {
            store.create(&world.account, &name(wanted), &[]).await.unwrap();
        }
    }
    if let Some(new) = id(world, "new").await {
        store.delete(&world.account, new, &name("new")).await.unwrap();
    }
    world
        .deliver(1, 4_usize.saturating_sub(world.truth(1).await.len()))
        .await;
}
