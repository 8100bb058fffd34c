//! What SEARCH answers with the index, without it, and by a reference that knows the texts before they were encoded: the
//! same, whatever is indexed already and whatever comes and goes meanwhile.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use common::*;

use std::sync::Arc;

use backend_api::*;
use backend_sqlite::{Options, SqliteStore};
use backendutil::Mapped;
use base64::Engine as _;
use encoding_rs::Encoding;
use imap_message::fold;
use proptest::prelude::*;

/// A message as it is before it is encoded.
#[derive(Debug, Clone)]
struct Letter {
    subject: String,
    note: Option<String>,
    texts: Vec<(String, Charset, Transfer)>,
}

#[derive(Debug, Clone, Copy)]
enum Charset {
    Utf8,
    Latin1,
    Koi8,
    Japanese,
}

#[derive(Debug, Clone, Copy)]
enum Transfer {
    Plain,
    Quoted,
    Base64,
}

impl Charset {
    fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Latin1 => "iso-8859-1",
            Self::Koi8 => "koi8-r",
            Self::Japanese => "iso-2022-jp",
        }
    }

    /// What of a text it has.
    fn only(self, text: &str) -> String {
        let encoding = Encoding::for_label(self.name().as_bytes()).unwrap();
        text.chars().filter(|c| !encoding.encode(&c.to_string()).2).collect()
    }

    fn encode(self, text: &str) -> Vec<u8> {
        Encoding::for_label(self.name().as_bytes())
            .unwrap()
            .encode(text)
            .0
            .into_owned()
    }
}

impl Transfer {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "8bit",
            Self::Quoted => "quoted-printable",
            Self::Base64 => "base64",
        }
    }

    fn encode(self, octets: &[u8]) -> Vec<u8> {
        match self {
            Self::Plain => octets.to_vec(),
            Self::Base64 => {
                let text = base64::engine::general_purpose::STANDARD.encode(octets);
                let lines: Vec<&[u8]> = text.as_bytes().chunks(20).collect();
                lines.join(&b"\r\n"[..])
            }
            Self::Quoted => {
                let mut out = Vec::new();
                for (at, octet) in octets.iter().enumerate() {
                    match octet {
                        b'\r' | b'\n' | b'a'..=b'z' => out.push(*octet),
                        _ => out.extend(format!("={octet:02X}").bytes()),
                    }
                    if at % 11 == 10 && *octet != b'\r' {
                        out.extend(b"=\r\n");
                    }
                }
                out
            }
        }
    }
}

impl Letter {
    fn header(&self) -> Vec<(&'static str, &str)> {
        let note = self.note.iter().map(|note| ("X-Note", note.as_str()));
        std::iter::once(("Subject", self.subject.as_str()))
            .chain(note)
            .collect()
    }

    fn octets(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, value) in self.header() {
            let encoded: String = value.bytes().map(|octet| format!("={octet:02X}")).collect();
            out.extend(format!("{name}: =?utf-8?Q?{encoded}?=\r\n").bytes());
        }
        out.extend(b"Content-Type: multipart/mixed; boundary=\"bb\"\r\n\r\n");
        for (text, charset, transfer) in &self.texts {
            let (charset_name, encoding) = (charset.name(), transfer.name());
            out.extend(
                format!("--bb\r\nContent-Type: text/plain; charset={charset_name}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n")
                    .bytes(),
            );
            out.extend(transfer.encode(&charset.encode(text)));
            out.extend(b"\r\n");
        }
        out.extend(b"--bb--\r\n");
        out
    }

    /// The reference. What TEXT finds in the lines of a header as they stand there is left to other tests: the letters asked
    /// for are not in them.
    fn has(&self, key: &SearchKey) -> bool {
        let inside = |text: &str, string: &str| fold(text).contains(&fold(string));
        let body = |string: &str| self.texts.iter().any(|(text, ..)| inside(text, string));
        match key {
            SearchKey::Body(string) => string.is_empty() || body(string),
            SearchKey::Text(string) => {
                string.is_empty() || body(string) || self.header().iter().any(|(_, value)| inside(value, string))
            }
            SearchKey::Header { name, value } => self
                .header()
                .iter()
                .any(|(n, text)| n.eq_ignore_ascii_case(name) && inside(text, value)),
            SearchKey::Not(key) => !self.has(key),
            SearchKey::And(keys) => keys.iter().all(|key| self.has(key)),
            SearchKey::Or(keys) => keys.iter().any(|key| self.has(key)),
            other => unreachable!("{other:?}"),
        }
    }
}

/// Words of letters that make many near misses, in several scripts, none of which is in what is around them.
fn words() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        3 => "[vwVWZ]{1,6}",
        1 => "[öÖßщЩ日本]{1,4}",
        1 => Just("\r\n".to_owned()),
        1 => Just(" ".to_owned()),
    ];
    prop::collection::vec(word, 0..8).prop_map(|words| words.concat())
}

fn letter() -> impl Strategy<Value = Letter> {
    let charset = prop::sample::select(vec![Charset::Utf8, Charset::Latin1, Charset::Koi8, Charset::Japanese]);
    let transfer = prop::sample::select(vec![Transfer::Plain, Transfer::Quoted, Transfer::Base64]);
    let text = (words(), charset, transfer).prop_map(|(text, charset, transfer)| {
        // Two line ends in a row may be taken for the end of something.
        (charset.only(&text), charset, transfer)
    });
    let line = || words().prop_map(|text| text.replace("\r\n", "").trim().to_owned());
    (line(), prop::option::of(line()), prop::collection::vec(text, 1..3)).prop_map(|(subject, note, texts)| Letter {
        subject,
        note,
        texts,
    })
}

fn key() -> impl Strategy<Value = SearchKey> {
    let string = || words().prop_map(|text| text.chars().take(7).collect::<String>());
    let line = || string().prop_map(|text| text.replace("\r\n", "").trim().to_owned());
    let leaf = prop_oneof![
        3 => string().prop_map(SearchKey::Body),
        // TEXT finds the white space of the header, too.
        2 => string().prop_filter("letters", |s| s.is_empty() || s.chars().any(|c| !c.is_whitespace())).prop_map(|s| SearchKey::Text(s.trim().to_owned())),
        2 => line().prop_map(|value| SearchKey::Header { name: "subject".into(), value }),
        1 => line().prop_map(|value| SearchKey::Header { name: "X-Note".into(), value }),
        1 => line().prop_map(|value| SearchKey::Header { name: "X-None".into(), value }),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|key| SearchKey::Not(Box::new(key))),
            prop::collection::vec(inner.clone(), 1..3).prop_map(SearchKey::And),
            prop::collection::vec(inner, 1..3).prop_map(SearchKey::Or),
        ]
    })
}

#[derive(Default)]
struct Found(Vec<u32>);

#[async_trait]
impl SearchSink for Found {
    fn put(&mut self, _: Seq, uid: Uid) {
        self.0.push(uid.get());
    }
    fn is_full(&self) -> bool {
        false
    }
    async fn ready(&mut self) -> Result<()> {
        Ok(())
    }
}

/// What a session finds that selects INBOX just now.
async fn search_all(store: &Arc<SqliteStore>, keys: &[SearchKey]) -> Vec<Vec<u32>> {
    let backend: Mapped<SqliteStore> = Mapped::new(store.clone());
    let conn = ConnInfo::default();
    let ctx = Ctx::new(&conn);
    let mut session = backend
        .login(&ctx, Credentials::password("bob", b"secret"))
        .await
        .unwrap();
    let (mut mailbox, _) = session
        .select(&ctx, &MailboxName::inbox(), Access::ReadOnly)
        .await
        .unwrap();
    let mut all = Vec::new();
    for key in keys {
        let mut found = Found::default();
        mailbox.search(&ctx, key, &mut found).await.unwrap();
        all.push(found.0);
    }
    all
}

fn options(search_index: bool, background: bool) -> Options {
    let mut options = small();
    (options.search_index, options.background) = (search_index, background);
    options
}

async fn folder() -> (tempfile::TempDir, Arc<SqliteStore>, Account, MailboxId) {
    // In memory, where the system has that: it is not what survives that is asked here.
    let dir = tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap();
    let store = SqliteStore::open(dir.path(), options(true, false)).unwrap();
    // `secret`
    store
        .import_users("bob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=")
        .await
        .unwrap();
    let account = store.account("bob").await.unwrap();
    let inbox = store
        .mailbox(&account, &MailboxName::inbox())
        .await
        .unwrap()
        .unwrap()
        .id;
    (dir, store, account, inbox)
}

async fn add(store: &SqliteStore, account: &Account, inbox: MailboxId, octets: Vec<u8>) {
    let size = octets.len() as u64;
    let message = NewMessage::new(Flags::NONE, date(), size, Incoming::Body(octets.into()));
    store.add(account, inbox, vec![message]).await.unwrap();
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// R3501-206 to R3501-208, R3501-219 to R3501-222
    #[test]
    fn the_index_changes_no_answer(
        letters in prop::collection::vec(letter(), 1..20),
        keys in prop::collection::vec(key(), 12),
        indexed in 0..20_usize,
        removed in prop::collection::btree_set(1..20_u32, 0..4),
    ) {
        runtime().block_on(async {
            let (dir, store, account, inbox) = folder().await;
            for (at, letter) in letters.iter().enumerate() {
                add(&store, &account, inbox, letter.octets()).await;
                if at == indexed || at == indexed / 2 {
                    store.index_now().await.unwrap();
                }
            }
            let gone: UidSet = removed.iter().filter_map(|n| Uid::new(*n)).collect();
            store.remove(&account, inbox, &gone, Remove::All).await.unwrap();
            let without = SqliteStore::open(dir.path(), options(false, false)).unwrap();
            let expected: Vec<Vec<u32>> = keys
                .iter()
                .map(|key| {
                    let there = (1u32..).zip(&letters).filter(|(uid, _)| !removed.contains(uid));
                    there.filter(|(_, letter)| letter.has(key)).map(|(uid, _)| uid).collect()
                })
                .collect();
            assert_eq!(search_all(&without, &keys).await, expected, "without the index: {keys:?}");
            assert_eq!(search_all(&store, &keys).await, expected, "{indexed} indexed: {keys:?}");
            store.index_now().await.unwrap();
            assert_eq!(search_all(&store, &keys).await, expected, "all indexed: {keys:?}");
        });
    }
}

/// Who appends while others search finds each of its messages as soon as it is acknowledged, indexed or not.
#[test]
fn searches_beside_appends_miss_nothing() {
    runtime().block_on(async {
        let (dir, store, account, inbox) = folder().await;
        drop(store);
        let store = SqliteStore::open(dir.path(), options(true, true)).unwrap();
        let text = |n: u32| format!("Subject: {n}\r\n\r\nletter number {n}, as the others\r\n");
        for n in 1..=120u32 {
            add(&store, &account, inbox, text(n).into_bytes()).await;
            let key = |n| SearchKey::Body(format!("NUMBER {n},"));
            let keys = [key(n), key(n / 2), SearchKey::Not(Box::new(key(n)))];
            let expected = [vec![n], Vec::from_iter((n / 2 > 0).then_some(n / 2)), (1..n).collect()];
            assert_eq!(search_all(&store, &keys).await, expected, "after message {n}");
        }
    });
}

/// More messages than one batch holds, of which some, most or all may match.
#[test]
fn a_mailbox_of_many_batches_is_searched_whole() {
    runtime().block_on(async {
        let (_dir, store, account, inbox) = folder().await;
        let count = 5_000u32;
        let new = |n: u32| {
            let octets = format!(
                "Subject: {n}\r\n\r\nthe {} text\r\n",
                if n % 700 == 3 { "seldom" } else { "usual" }
            );
            let size = octets.len() as u64;
            NewMessage::new(Flags::NONE, date(), size, Incoming::Body(octets.into_bytes().into()))
        };
        for start in (1..=count).step_by(500) {
            store
                .add(&account, inbox, (start..start + 500).map(new).collect())
                .await
                .unwrap();
        }
        let body = |text: &str| SearchKey::Body(text.into());
        let keys = [
            body("seldom"),
            SearchKey::Not(Box::new(body("seldom"))),
            body("text"),
            SearchKey::Header {
                name: "Subject".into(),
                value: "4999".into(),
            },
            SearchKey::Or(vec![body("te"), body("nowhere")]),
        ];
        let some = |holds: &dyn Fn(u32) -> bool| (1..=count).filter(|n| holds(*n)).collect::<Vec<u32>>();
        let expected = [
            some(&|n| n % 700 == 3),
            some(&|n| n % 700 != 3),
            some(&|_| true),
            vec![4_999],
            some(&|_| true),
        ];
        assert_eq!(search_all(&store, &keys).await, expected, "not indexed");
        store.index_now().await.unwrap();
        assert_eq!(search_all(&store, &keys).await, expected, "indexed");
    });
}
