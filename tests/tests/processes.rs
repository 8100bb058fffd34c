//! Several processes on one data folder: what one acknowledges, the others show, and nothing is lost, doubled or left behind.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "processes/ghosts.rs"]
mod ghosts;
#[path = "processes/mailboxes.rs"]
mod mailboxes;
#[path = "processes/races.rs"]
mod races;
#[path = "processes/recent.rs"]
mod recent;
#[path = "processes/telling.rs"]
mod telling;

use imap_compliance::Client;
use imap_compliance::imapd::{Data, Process};

/// Two servers on one folder.
struct Two {
    data: Data,
    one: Process,
    two: Process,
}

impl Two {
    fn new() -> Self {
        let data = Data::new();
        let (one, two) = (data.serve(), data.serve());
        Self { data, one, two }
    }

    /// A client of each, with a mailbox selected.
    async fn select(&self, mailbox: &str) -> (Client, Client) {
        (select(&self.one, mailbox).await, select(&self.two, mailbox).await)
    }
}

async fn select(process: &Process, mailbox: &str) -> Client {
    let mut client = process.login().await;
    ok(&mut client, &format!("SELECT {mailbox}")).await;
    client
}

/// What a command was answered: the untagged responses and the tagged one. What is recent is left out: it depends on who was
/// told first.
async fn ask(client: &mut Client, command: &str) -> (Vec<String>, String) {
    client.says(format!("t {command}")).await;
    answer(client).await
}

async fn answer(client: &mut Client) -> (Vec<String>, String) {
    let mut untagged = Vec::new();
    loop {
        let line = String::from_utf8_lossy(&client.response().await).into_owned();
        match line.strip_prefix("t ") {
            Some(tagged) => return (untagged, tagged.to_owned()),
            None if line.ends_with(" RECENT") || line.starts_with("+ ") => {}
            None => untagged.push(line.replace(r" \Recent", "").replace(r"\Recent", "")),
        }
    }
}

/// What a command was answered before its OK.
async fn ok(client: &mut Client, command: &str) -> Vec<String> {
    let (untagged, tagged) = ask(client, command).await;
    assert!(tagged.starts_with("OK"), "{command}: {tagged}");
    untagged
}

/// Appends a message and gives the UID that it got.
async fn append(client: &mut Client, mailbox: &str, text: &[u8]) -> u32 {
    client
        .sends(
            &[
                format!("t APPEND {mailbox} {{{}+}}\r\n", text.len()).as_bytes(),
                text,
                b"\r\n",
            ]
            .concat(),
        )
        .await;
    let (_, tagged) = answer(client).await;
    let code = tagged
        .strip_prefix("OK [APPENDUID ")
        .unwrap_or_else(|| panic!("{tagged}"));
    code.split([' ', ']']).nth(1).unwrap().parse().unwrap()
}

/// The UIDVALIDITY of a mailbox.
async fn uid_validity(client: &mut Client, mailbox: &str) -> String {
    let told = ok(client, &format!("STATUS {mailbox} (UIDVALIDITY)")).await;
    told[0].rsplit(' ').next().unwrap().trim_end_matches(')').to_owned()
}

fn run(claim: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(claim);
}
