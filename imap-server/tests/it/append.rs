//! APPEND: literals in every way they come, and what becomes of refused ones.

use std::time::Duration;

use imap_server::Limits;
use imap_server::prelude::*;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::client::{CAPS_IN, Client};
use crate::fake::{Fake, Fault};

async fn client(fake: &Fake) -> Client {
    let client = Client::logged_in(&Server::new(fake.clone())).await;
    fake.calls();
    client
}

#[tokio::test(start_paused = true)]
async fn a_message_is_asked_for_and_stored() {
    let fake = Fake::new(1);
    let mut c = client(&fake).await;
    c.send("a APPEND INBOX (\\Seen) {5}\r\n").await;
    c.expect("+ go on\r\n").await;
    c.talk("C: hello\nS: a OK [APPENDUID 1 2] APPEND completed").await;
    assert_eq!(fake.calls(), ["append INBOX", "message 5 (\\Seen)", "append dropped"]);
    assert_eq!(fake.world().messages.values().last().unwrap().body, "hello");
}

#[tokio::test(start_paused = true)]
async fn a_command_in_the_same_packet_as_a_literal_runs() {
    let fake = Fake::new(0);
    let mut c = client(&fake).await;
    c.send("a APPEND INBOX {5+}\r\nhello\r\nb NOOP\r\n").await;
    c.expect("a OK [APPENDUID 1 1] APPEND completed\r\nb OK NOOP completed\r\n")
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_literal_may_come_octet_by_octet() {
    let fake = Fake::new(0);
    let mut c = client(&fake).await;
    for octet in b"a APPEND INBOX {5+}\r\nhello\r\nb NOOP\r\n" {
        c.send([*octet]).await;
        tokio::task::yield_now().await;
    }
    c.expect("a OK [APPENDUID 1 1] APPEND completed\r\nb OK NOOP completed\r\n")
        .await;
}

#[tokio::test(start_paused = true)]
async fn an_append_to_the_selected_mailbox_is_announced_before_its_ok() {
    let fake = Fake::new(1);
    let mut c = Client::selected(&Server::new(fake.clone())).await;
    c.send("a APPEND INBOX {5+}\r\nhello\r\n").await;
    c.expect("* 2 EXISTS\r\n* 0 RECENT\r\na OK [APPENDUID 1 2] APPEND completed\r\n")
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_synchronizing_literal_is_never_asked_for() {
    let fake = Fake::new(0);
    let mut c = client(&fake).await;
    c.talk(
        r#"
        C: a APPEND nothing {5}
        S: a NO [TRYCREATE] no such mailbox
        C: b APPEND "a//b" {5}
        S: b NO [CANNOT] a mailbox name cannot have an empty level
        C: c NOOP
        S: c OK NOOP completed
        "#,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn text_of_a_refused_literal_is_never_executed() {
    let fake = Fake::new(0);
    let mut c = client(&fake).await;
    c.send("a APPEND nothing {19+}\r\nx CREATE injected\r\n\r\nb NOOP\r\n")
        .await;
    c.expect("a NO [TRYCREATE] no such mailbox\r\nb OK NOOP completed\r\n")
        .await;
    assert_eq!(fake.calls(), ["append nothing"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_backend_leaves_unread_is_never_executed() {
    let fake = Fake::new(0).with(Fault::AppendRefusedAfterTwoOctets);
    let mut c = client(&fake).await;
    c.send("a APPEND INBOX {19+}\r\nx CREATE injected\r\n\r\nb NOOP\r\n")
        .await;
    c.expect("a NO [OVERQUOTA] two octets are too many\r\nb OK NOOP completed\r\n")
        .await;
    assert_eq!(fake.calls(), ["append INBOX", "message 19 ()", "append dropped"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_big_is_refused_before_an_octet_of_it() {
    let fake = Fake::new(0);
    fake.world().append_limit = Some(10);
    let mut c = Client::greeted(&Server::new(fake.clone())).await;
    c.send("in LOGIN demo secret\r\n").await;
    let list = CAPS_IN.replace("1073741824", "10");
    c.expect(&format!("in OK [CAPABILITY {list}] Logged in\r\n")).await;
    fake.calls();
    c.send("a APPEND INBOX {11}\r\n").await;
    c.expect("a NO [TOOBIG] the message is too large\r\n").await;
    c.talk("C: b NOOP\nS: b OK NOOP completed").await;
    assert_eq!(fake.calls(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_fails_is_a_no() {
    let fake = Fake::new(0).with(Fault::CommitFails);
    let mut c = client(&fake).await;
    c.send("a APPEND INBOX {5+}\r\nhello\r\n").await;
    c.expect("a NO [UNAVAILABLE] not now\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_line_that_does_not_end_properly_stores_nothing() {
    let fake = Fake::new(0);
    let mut c = client(&fake).await;
    c.send("a APPEND INBOX {5+}\r\nhello world\r\nb NOOP\r\n").await;
    c.expect("a BAD expected the end of the command after the message\r\n")
        .await;
    c.expect("b OK NOOP completed\r\n").await;
    assert_eq!(fake.world().messages.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_message_with_a_nul_is_refused_wherever_it_stands() {
    let fake = Fake::new(0);
    let mut c = client(&fake).await;
    c.send("a APPEND INBOX {5+}\r\nhel\0o\r\nb NOOP\r\n").await;
    c.expect("a BAD a message cannot hold NUL\r\nb OK NOOP completed\r\n")
        .await;
    // The same past the buffer, and where the backend does not look.
    c.send("c APPEND INBOX {5+}\r\n").await;
    c.quiet().await;
    c.send("hel\0o\r\n").await;
    c.expect("c BAD a message cannot hold NUL\r\n").await;
    assert_eq!(fake.world().messages.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn half_a_literal_stores_nothing() {
    let fake = Fake::new(0);
    let mut c = client(&fake).await;
    c.send("a APPEND INBOX {5+}\r\nhel").await;
    c.stream.shutdown().await.unwrap();
    c.expect_end().await;
    c.ended().await;
    assert_eq!(fake.world().messages.len(), 0);
    assert_eq!(fake.calls(), ["append INBOX", "message 5 ()", "append dropped"]);
}

#[tokio::test(start_paused = true)]
async fn a_literal_of_which_nothing_comes_for_five_minutes_ends_the_connection() {
    let fake = Fake::new(0);
    let mut c = client(&fake).await;
    c.send("a APPEND INBOX {5+}\r\nhe").await;
    tokio::time::sleep(Duration::from_secs(299)).await;
    c.send("l").await;
    let start = Instant::now();
    c.expect("* BYE Nothing came of the literal that was announced\r\n")
        .await;
    assert_eq!(start.elapsed().as_secs(), 300);
    c.expect_end().await;
    assert_eq!(fake.world().messages.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_literal_larger_than_every_buffer_arrives_whole() {
    let fake = Fake::new(0);
    let mut c = client(&fake).await;
    let body: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 255 + 1) as u8).collect();
    c.send(format!("a APPEND INBOX {{{}+}}\r\n", body.len())).await;
    c.send(&body).await;
    c.send("\r\nb NOOP\r\n").await;
    c.expect("a OK [APPENDUID 1 1] APPEND completed\r\nb OK NOOP completed\r\n")
        .await;
    assert_eq!(fake.world().messages.values().last().unwrap().body, body);
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_the_server_holds_as_well() {
    let fake = Fake::new(0);
    let limits = Limits {
        message: 4,
        ..Limits::default()
    };
    let server = Server::builder(fake.clone())
        .limits(limits)
        .without_capability("ID")
        .build();
    let mut c = Client::new(&server);
    c.line().await;
    c.send("in LOGIN demo secret\r\n").await;
    let list = CAPS_IN.replace(" ID ", " ").replace("1073741824", "4");
    c.expect(&format!("in OK [CAPABILITY {list}] Logged in\r\n")).await;
    c.send("a APPEND INBOX {5}\r\n").await;
    c.expect("a NO [TOOBIG] the message is too large\r\n").await;
}
