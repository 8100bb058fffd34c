//! What a SEARCH costs that concerns few messages, in mailboxes from a thousand messages to a million: it should be the same.
//!
//! `cargo bench -p backendutil --bench search`.

#[path = "../tests/support/large.rs"]
mod large;

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use backend_api::{
    Access, Account, Backend, Changes, ConnInfo, Credentials, Ctx, Flag, Flags, Keyword, Mailbox, MailboxName, ModSeq,
    NumSet, Result, Rights, SearchKey, SearchSink, Seq, Session, SystemFlag, Uid, UidSet, UpdateSink, Updates, Watcher,
};
use backendutil::{Mapped, MappedMailbox};
use divan::{Bencher, black_box};
use large::Large;

const MESSAGES: [u32; 4] = [1_000, 10_000, 100_000, 1_000_000];

fn main() {
    divan::main();
}

/// Nothing here waits.
fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

#[derive(Default)]
struct Found(u32);

#[async_trait]
impl SearchSink for Found {
    fn put(&mut self, _: Seq, _: Uid) {
        self.0 += 1;
    }
    fn is_full(&self) -> bool {
        false
    }
    async fn ready(&mut self) -> Result<()> {
        Ok(())
    }
}

struct Unheard;

#[async_trait]
impl UpdateSink for Unheard {
    fn flags(&mut self, _: Seq, _: Uid, _: &Flags, _: bool, _: Option<ModSeq>) {}
    fn expunge(&mut self, _: Seq, _: Uid) {}
    fn exists(&mut self, _: u32, _: u32) {}
    fn keywords(&mut self, _: &[Keyword]) {}
    fn is_full(&self) -> bool {
        false
    }
    async fn ready(&mut self) -> Result<()> {
        Ok(())
    }
}

struct Selected {
    mailbox: MappedMailbox<Large>,
    backend: Mapped<Large>,
}

impl Selected {
    fn new(messages: u32) -> Option<Self> {
        let backend = Mapped::new(Arc::new(Large { messages }));
        let conn = ConnInfo::default();
        let ctx = Ctx::new(&conn);
        let mut session = now(backend.login(&ctx, Credentials::password("demo", b"secret")))?.ok()?;
        let (mailbox, _) = now(session.select(&ctx, &MailboxName::new("INBOX").ok()?, Access::ReadWrite))?.ok()?;
        Some(Self { mailbox, backend })
    }

    /// Every fourth message goes, and no EXPUNGE is told.
    fn with_ghosts(mut self, messages: u32) -> Option<Self> {
        let mut changes = Changes::default();
        (changes.from, changes.to) = (ModSeq(1), ModSeq(2));
        changes.vanished = (1..=messages).step_by(4).skip(1).filter_map(Uid::new).collect();
        self.backend.hub().mailbox(&Account::new("demo"), 1, Some(changes));
        let conn = ConnInfo::default();
        let mut sink = Unheard;
        let mut updates = Updates::new(&mut sink, Rights::FLAGS);
        now(self.mailbox.poll(&Ctx::new(&conn), &mut updates))?.ok()?;
        Some(self)
    }

    fn search(&mut self, key: &SearchKey) -> u32 {
        let conn = ConnInfo::default();
        let mut found = Found::default();
        let done = now(self.mailbox.search(&Ctx::new(&conn), black_box(key), &mut found));
        if done.is_some_and(|done| done.is_ok()) {
            found.0
        } else {
            u32::MAX
        }
    }
}

fn has(flag: SystemFlag) -> SearchKey {
    SearchKey::Has(Flag::System(flag))
}

fn uids(first: u32, last: u32) -> SearchKey {
    let runs = Uid::new(first).zip(Uid::new(last));
    SearchKey::Set(NumSet::Uid(UidSet::from_runs(runs)))
}

fn run(bencher: Bencher, selected: Option<Selected>, key: &SearchKey, finds: u32) {
    let Some(mut selected) = selected else { return };
    assert_eq!(selected.search(key), finds);
    bencher.bench_local(|| selected.search(key));
}

#[divan::bench(args = MESSAGES)]
fn uid_of_one_and_seen(bencher: Bencher, messages: u32) {
    let key = SearchKey::And(vec![uids(6, 6), has(SystemFlag::Seen)]);
    run(bencher, Selected::new(messages), &key, 1);
}

#[divan::bench(args = MESSAGES)]
fn uid_of_one_among_ghosts(bencher: Bencher, messages: u32) {
    let selected = Selected::new(messages).and_then(|s| s.with_ghosts(messages));
    run(bencher, selected, &uids(messages / 2, messages / 2), 1);
}

#[divan::bench(args = MESSAGES)]
fn a_flag_that_one_has(bencher: Bencher, messages: u32) {
    run(bencher, Selected::new(messages), &has(SystemFlag::Flagged), 1);
}

#[divan::bench(args = MESSAGES)]
fn a_flag_that_all_have_not(bencher: Bencher, messages: u32) {
    let unseen = SearchKey::Not(Box::new(has(SystemFlag::Seen)));
    run(bencher, Selected::new(messages), &unseen, 0);
}

/// What must be looked at: all of them.
#[divan::bench(args = MESSAGES, sample_count = 20)]
fn size(bencher: Bencher, messages: u32) {
    run(bencher, Selected::new(messages), &SearchKey::Larger(5_000), 0);
}

#[divan::bench(args = MESSAGES, sample_count = 20)]
fn size_among_ghosts(bencher: Bencher, messages: u32) {
    let selected = Selected::new(messages).and_then(|s| s.with_ghosts(messages));
    run(bencher, selected, &SearchKey::Larger(5_000), 0);
}
