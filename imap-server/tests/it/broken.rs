//! Connections that break: what only reads ends at once, what changes something is finished.

use std::time::Duration;

use imap_server::prelude::*;
use tokio::time::Instant;

use crate::client::Client;
use crate::fake::{Fake, Fault};

async fn selected(fake: &Fake) -> (Client, std::sync::Arc<tokio::sync::Notify>) {
    let (mut c, broken) = Client::breakable(&Server::new(fake.clone()));
    c.send("a LOGIN demo secret\r\nb SELECT INBOX\r\n").await;
    c.skip_to("b OK").await;
    fake.calls();
    (c, broken)
}

#[tokio::test(start_paused = true)]
async fn a_read_is_cut_off() {
    let fake = Fake::new(1).with(Fault::FetchHangs);
    let (mut c, broken) = selected(&fake).await;
    c.send("a FETCH 1 FLAGS\r\n").await;
    c.quiet().await;
    let start = Instant::now();
    broken.notify_one();
    c.ended().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(fake.calls(), ["fetch Seq({1}) seen=false", "dropped"]);
}

#[tokio::test(start_paused = true)]
async fn a_change_is_finished() {
    let fake = Fake::new(1).with(Fault::StoreWaits);
    let (mut c, broken) = selected(&fake).await;
    c.send("a STORE 1 +FLAGS (\\Seen)\r\n").await;
    c.quiet().await;
    broken.notify_one();
    c.ended().await;
    assert_eq!(fake.calls().last().map(String::as_str), Some("stored"));
}

#[tokio::test(start_paused = true)]
async fn a_change_is_finished_before_a_shutdown_ends() {
    let fake = Fake::new(1).with(Fault::StoreWaits);
    let server = Server::new(fake.clone());
    let mut c = Client::selected(&server).await;
    c.send("a STORE 1 +FLAGS (\\Seen)\r\n").await;
    c.quiet().await;
    let handle = server.handle();
    let shutdown = tokio::spawn(async move { handle.shutdown("Now", Duration::from_secs(60)).await });
    c.expect("* 1 FETCH (FLAGS (\\Seen))\r\na OK STORE completed\r\n* BYE Now\r\n")
        .await;
    c.expect_end().await;
    drop(c.stream);
    assert_eq!(shutdown.await.unwrap(), 0);
    assert_eq!(fake.calls().last().map(String::as_str), Some("stored"));
}

#[tokio::test(start_paused = true)]
async fn a_login_a_literal_a_poll_and_idle_end_at_once() {
    let fake = Fake::new(1);
    for command in ["a IDLE", "a APPEND INBOX {5+}"] {
        let (mut c, broken) = selected(&fake).await;
        c.send(format!("{command}\r\n")).await;
        tokio::task::yield_now().await;
        let start = Instant::now();
        broken.notify_one();
        c.ended().await;
        assert_eq!(start.elapsed(), Duration::ZERO, "{command}");
    }
    assert_eq!(fake.world().messages.len(), 1);
    let fake = Fake::new(1).with(Fault::PollHangs);
    let (mut c, broken) = selected(&fake).await;
    c.send("a NOOP\r\n").await;
    tokio::task::yield_now().await;
    let start = Instant::now();
    broken.notify_one();
    c.ended().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    let fake = Fake::new(0).with(Fault::LoginHangs);
    let (mut c, broken) = Client::breakable(&Server::new(fake));
    c.send("a LOGIN demo secret\r\n").await;
    tokio::task::yield_now().await;
    let start = Instant::now();
    broken.notify_one();
    c.ended().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_does_not_answer_a_read_is_given_up() {
    let fake = Fake::new(1).with(Fault::FetchHangs);
    let mut c = Client::selected(&Server::new(fake.clone())).await;
    let start = Instant::now();
    c.send("a FETCH 1 FLAGS\r\n").await;
    c.expect("* BYE The server took too long\r\n").await;
    assert_eq!(start.elapsed().as_secs(), 600);
}
