//! How connections end: by the client, by time, by the embedder.

use std::time::Duration;

use imap_server::prelude::*;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::client::{Client, loopback};
use crate::fake::{Fake, Fault};

#[tokio::test(start_paused = true)]
async fn what_was_received_before_the_client_closed_its_side_is_answered() {
    let fake = Fake::new(1);
    let mut c = Client::selected(&Server::new(fake)).await;
    c.send("a NOOP\r\nb UID STORE 1 +FLAGS.SILENT (\\Seen)\r\nc FETCH 1 FLAGS\r\nd NOO")
        .await;
    c.stream.shutdown().await.unwrap();
    c.expect("a OK NOOP completed\r\nb OK STORE completed\r\n* 1 FETCH (FLAGS (\\Seen))\r\nc OK FETCH completed\r\n")
        .await;
    c.expect_end().await;
    c.ended().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_vanishes_cuts_a_read_off() {
    let fake = Fake::new(1).with(Fault::FetchHangs);
    let server = Server::new(fake.clone());
    let mut c = Client::selected(&server).await;
    c.send("a FETCH 1 FLAGS\r\n").await;
    c.quiet().await;
    assert_eq!(fake.calls(), ["fetch Seq({1}) seen=false"]);
    server.handle().disconnect_user("demo", "Bye for now");
    c.expect("* BYE Bye for now\r\n").await;
    assert_eq!(fake.calls(), ["dropped"]);
}

#[tokio::test(start_paused = true)]
async fn thirty_minutes_of_silence_end_a_session() {
    let mut c = Client::selected(&Server::new(Fake::new(0))).await;
    let start = Instant::now();
    tokio::time::sleep(Duration::from_secs(1000)).await;
    c.send("a NOOP\r\n").await;
    c.expect("a OK NOOP completed\r\n").await;
    c.expect("* BYE Autologout; idle for too long\r\n").await;
    assert_eq!(start.elapsed().as_secs(), 2800);
    c.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn autologout_cannot_be_set_below_thirty_minutes() {
    let mut times = Times::default();
    times.autologout = Duration::from_secs(1);
    let server = Server::builder(Fake::new(0)).times(times).build();
    let mut c = Client::selected(&server).await;
    let start = Instant::now();
    c.expect("* BYE Autologout; idle for too long\r\n").await;
    assert_eq!(start.elapsed().as_secs(), 1800);
}

#[tokio::test(start_paused = true)]
async fn a_handle_lists_sessions_and_disconnects_a_user() {
    let server = Server::new(Fake::new(0));
    let handle = server.handle();
    let mut demo = Client::selected(&server).await;
    let mut other = Client::greeted(&server).await;
    other.send("a LOGIN user1 secret\r\n").await;
    other.skip_to("a OK").await;
    let sessions = handle.sessions();
    let listed: Vec<_> = sessions
        .iter()
        .map(|s| (s.user.as_deref(), s.mailbox.as_ref().map(|m| m.as_str())))
        .collect();
    assert_eq!(listed, [(Some("demo"), Some("INBOX")), (Some("user1"), None)]);
    assert_eq!(sessions[0].peer, loopback().peer);
    assert_eq!(handle.disconnect_user("demo", "The account was closed"), 1);
    demo.expect("* BYE The account was closed\r\n").await;
    demo.expect_end().await;
    demo.ended().await;
    other.talk("C: b NOOP\nS: b OK NOOP completed").await;
    assert!(handle.disconnect(sessions[1].id, "And you"));
    assert!(!handle.disconnect(sessions[0].id, "And you"));
    other.expect("* BYE And you\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_says_bye_to_all_also_in_idle_and_before_login() {
    let server = Server::new(Fake::new(0));
    let mut waiting = Client::selected(&server).await;
    let mut greeted = Client::greeted(&server).await;
    let mut idle = Client::selected(&server).await;
    idle.talk("C: a IDLE\nS: + idling").await;
    let handle = server.handle();
    let left = tokio::spawn(async move {
        handle
            .shutdown("Server is shutting down", Duration::from_secs(10))
            .await
    });
    for client in [&mut waiting, &mut greeted, &mut idle] {
        client.expect("* BYE Server is shutting down\r\n").await;
    }
    for client in [waiting, greeted, idle] {
        drop(client.stream);
    }
    assert_eq!(left.await.unwrap(), 0);
    let mut late = Client::new(&server);
    late.expect("* BYE Server is shutting down\r\n").await;
    late.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_long_answer_ends_between_two_messages() {
    let fake = Fake::new(0);
    for _ in 0..100 {
        fake.arrive("x".repeat(100_000));
    }
    let server = Server::new(fake);
    let mut c = Client::with_pipe(&server, loopback(), Tls::None, 4096);
    c.send("a LOGIN demo secret\r\nb SELECT INBOX\r\n").await;
    c.skip_to("b OK").await;
    c.send("c FETCH 1:* BODY.PEEK[]\r\n").await;
    c.skip_to("* 3 FETCH").await;
    server.handle().disconnect_user("demo", "Enough");
    let last = c.skip_to("* BYE").await;
    assert_eq!(last, "* BYE Enough\r\n");
    c.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_reason_cannot_split_a_response() {
    let server = Server::new(Fake::new(0));
    let mut c = Client::greeted(&server).await;
    let handle = server.handle();
    let reason = "Back\r\nx OK soon";
    let shutdown = tokio::spawn(async move { handle.shutdown(reason, Duration::from_secs(10)).await });
    c.expect("* BYE Back??x OK soon\r\n").await;
    drop(c.stream);
    shutdown.await.unwrap();
    let mut late = Client::new(&server);
    late.expect("* BYE Back??x OK soon\r\n").await;
    late.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_cuts_off_who_does_not_end_in_time() {
    let fake = Fake::new(1).with(Fault::FetchHangs);
    let server = Server::new(fake.clone());
    let mut c = Client::selected(&server).await;
    c.send("a FETCH 1 FLAGS\r\n").await;
    c.quiet().await;
    let start = Instant::now();
    assert_eq!(server.handle().shutdown("Now", Duration::from_secs(2)).await, 1);
    assert_eq!(start.elapsed().as_secs(), 2);
    c.ended().await;
    assert_eq!(fake.calls(), ["fetch Seq({1}) seen=false", "dropped"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_on_its_way_is_not_stored_by_a_shutdown() {
    let fake = Fake::new(0);
    let server = Server::new(fake.clone());
    let mut c = Client::logged_in(&server).await;
    c.send("a APPEND INBOX {5+}\r\nhel").await;
    c.quiet().await;
    let handle = server.handle();
    tokio::spawn(async move { handle.shutdown("Now", Duration::from_secs(9)).await });
    c.expect("* BYE Now\r\n").await;
    c.expect_end().await;
    assert_eq!(fake.world().messages.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_connection_takes_little_memory_of_its_own() {
    let server = Server::new(Fake::new(0));
    let (_ours, theirs) = tokio::io::duplex(64);
    let future = server.serve(theirs, loopback());
    let size = std::mem::size_of_val(&future);
    assert!(size < 1024, "{size}");
}
