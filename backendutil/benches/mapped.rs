//! What LIST and a FETCH of what is read from messages cost above the store: names matched, and rows made from the indexes that
//! are in memory. `cargo bench -p backendutil --bench mapped`

use std::sync::Arc;

use async_trait::async_trait;
use backend_api::{
    Access, Backend, BodySection, ConnInfo, Credentials, Ctx, DateTime, Error, Fetch, FetchItem, FetchSink, Flags,
    ListQuery, Mailbox, MailboxEntry, MailboxName, ModSeq, NumSet, Result, Section, SectionText, Seq, SeqSet, Session,
    Uid,
};
use backend_memory::MemoryStore;
use backendutil::{Mapped, MappedMailbox};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

/// Messages, or mailboxes.
const ROUND: u32 = 1_000;

const MESSAGE: &[u8] = b"Return-Path: <a@example.org>\r\nFrom: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\r\n\
To: Terry Gray <gray@example.com>, imap@example.com\r\nSubject: minutes of the meeting\r\n\
Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n\
Content-Type: multipart/alternative; boundary=\"=_x\"\r\n\r\n--=_x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
Short text.\r\n--=_x\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
<p>Short text.</p>\r\n--=_x--\r\n";

/// Counts octets, and is never full.
#[derive(Default)]
struct Octets {
    count: usize,
    rows: u32,
}

#[async_trait]
impl FetchSink for Octets {
    fn begin(&mut self, _: Seq, _: Uid) {}
    fn flags(&mut self, _: &Flags, _: bool) {
        self.count += 1;
    }
    fn internal_date(&mut self, _: DateTime) {
        self.count += 1;
    }
    fn rfc822_size(&mut self, _: u64) {
        self.count += 1;
    }
    fn mod_seq(&mut self, _: ModSeq) {}
    fn envelope(&mut self, wire: &[u8]) {
        self.count += wire.len();
    }
    fn body(&mut self, wire: &[u8]) {
        self.count += wire.len();
    }
    fn body_structure(&mut self, wire: &[u8]) {
        self.count += wire.len();
    }
    fn section(&mut self, _: &BodySection, _: Option<u64>) {}
    fn data(&mut self, octets: &[u8]) {
        self.count += octets.len();
    }
    fn end(&mut self) {
        self.rows += 1;
    }
    fn is_full(&self) -> bool {
        false
    }
    async fn ready(&mut self) -> Result<()> {
        Ok(())
    }
}

async fn selected() -> Result<MappedMailbox<MemoryStore>> {
    let store = MemoryStore::new().with_user("demo", "secret");
    for _ in 0..ROUND {
        store.deliver("demo", "INBOX", MESSAGE)?;
    }
    let (backend, conn) = (Mapped::<MemoryStore>::new(Arc::new(store)), ConnInfo::default());
    let ctx = Ctx::new(&conn);
    let mut session = backend.login(&ctx, Credentials::password("demo", b"secret")).await?;
    let opened = session.select(&ctx, &MailboxName::inbox(), Access::ReadWrite).await?;
    Ok(opened.0)
}

/// `FETCH 1:*`, not for the first time.
fn fetch(bencher: Bencher<'_, '_>, items: &[FetchItem]) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else {
        return;
    };
    let (want, conn) = (Fetch::new(items.to_vec()), ConnInfo::default());
    let (Some(first), Some(last)) = (Seq::new(1), Seq::new(ROUND)) else {
        return;
    };
    let all = NumSet::Seq(SeqSet::run(first, last));
    let Ok(mut mailbox) = runtime.block_on(selected()) else {
        return;
    };
    let mut once = || {
        runtime.block_on(async {
            let mut octets = Octets::default();
            mailbox
                .fetch(&Ctx::new(&conn), black_box(&all), &want, &mut octets)
                .await?;
            assert_eq!(octets.rows, ROUND, "of {} octets", octets.count);
            Ok::<_, Error>(octets.count)
        })
    };
    assert!(once().is_ok_and(|octets| octets > 0));
    bencher.counter(ItemsCount::new(ROUND)).bench_local(once);
}

#[divan::bench]
fn fetch_flags_date_and_size(bencher: Bencher<'_, '_>) {
    fetch(
        bencher,
        &[FetchItem::Flags, FetchItem::InternalDate, FetchItem::Rfc822Size],
    );
}

#[divan::bench]
fn fetch_envelope(bencher: Bencher<'_, '_>) {
    fetch(bencher, &[FetchItem::Envelope]);
}

#[divan::bench]
fn fetch_body_structure(bencher: Bencher<'_, '_>) {
    fetch(bencher, &[FetchItem::BodyStructure]);
}

/// FROM, TO, SUBJECT, DATE
#[divan::bench]
fn fetch_header_fields(bencher: Bencher<'_, '_>) {
    let names = ["FROM", "TO", "SUBJECT", "DATE"].map(str::to_owned);
    let section = Section {
        path: Vec::new(),
        text: SectionText::HeaderFields(names.to_vec()),
    };
    fetch(bencher, &[FetchItem::Section(BodySection::peek(section))]);
}

fn mailboxes() -> Vec<MailboxEntry> {
    let entry = |n: u32| MailboxEntry::new(u64::from(n), &format!("lists/year {}/mailbox {n}", n % 10));
    (1..=ROUND).map(entry).collect()
}

/// `LIST "" *`
#[divan::bench]
fn list_all(bencher: Bencher<'_, '_>) {
    let (entries, query) = (mailboxes(), ListQuery::new(vec!["*".to_owned()], false));
    let listed = || backendutil::list::list(black_box(&entries), &query);
    assert!(listed().len() >= ROUND as usize);
    bencher.counter(ItemsCount::new(ROUND)).bench_local(listed);
}

/// `LIST "" lists/%/*7`
#[divan::bench]
fn list_some(bencher: Bencher<'_, '_>) {
    let (entries, query) = (mailboxes(), ListQuery::new(vec!["lists/%/*7".to_owned()], false));
    let listed = || backendutil::list::list(black_box(&entries), &query);
    assert_eq!(listed().len(), 100);
    bencher.counter(ItemsCount::new(ROUND)).bench_local(listed);
}
