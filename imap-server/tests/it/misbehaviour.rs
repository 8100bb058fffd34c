//! Backends that break the rules: their client is told nothing wrong, and nobody else notices.

use imap_server::prelude::*;

use crate::client::Client;
use crate::fake::{Fake, Fault};

const FAULT: &str = "* BYE [SERVERBUG] The mailbox backend made an error, sorry\r\n";

async fn told(fault: Fault, command: &str, answer: &str) {
    let fake = Fake::new(2).with(fault);
    let server = Server::new(fake);
    let mut other = Client::logged_in(&server).await;
    let mut c = Client::selected(&server).await;
    c.send(&format!("{command}\r\n")).await;
    c.expect(answer).await;
    c.expect_end().await;
    c.ended().await;
    other.talk("C: x NOOP\nS: x OK NOOP completed").await;
}

#[tokio::test(start_paused = true)]
async fn exists_that_falls_ends_the_session() {
    told(Fault::ExistsFalls, "a NOOP", FAULT).await;
}

#[tokio::test(start_paused = true)]
async fn a_number_above_exists_ends_the_session() {
    told(Fault::NumberAboveExists, "a FETCH 1 FLAGS", FAULT).await;
}

#[tokio::test(start_paused = true)]
async fn a_section_longer_than_announced_is_taken_back() {
    told(Fault::SectionTooLong, "a FETCH 1 BODY.PEEK[]", FAULT).await;
}

#[tokio::test(start_paused = true)]
async fn a_section_shorter_than_announced_is_taken_back() {
    told(Fault::SectionTooShort, "a FETCH 1 BODY.PEEK[]", FAULT).await;
}

#[tokio::test(start_paused = true)]
async fn a_response_without_end_is_taken_back() {
    told(Fault::EndMissing, "a FETCH 1 FLAGS", FAULT).await;
}

#[tokio::test(start_paused = true)]
async fn an_error_within_a_section_that_was_sent_closes_without_another_octet() {
    told(
        Fault::FailsWithinSentSection,
        "a FETCH 1 BODY.PEEK[]",
        "* 1 FETCH (BODY[] {9}\r\nessage 1",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_error_within_a_section_that_was_not_sent_is_a_no() {
    let server = Server::new(Fake::new(2).with(Fault::FailsWithinUnsentSection));
    let mut c = Client::selected(&server).await;
    c.send("a FETCH 1 BODY.PEEK[]\r\n").await;
    let id = server.handle().sessions()[0].id;
    c.expect(&format!("a NO [SERVERBUG] {id:x}-1\r\n")).await;
    c.talk("C: b NOOP\nS: b OK NOOP completed").await;
}

#[tokio::test(start_paused = true)]
async fn an_error_between_two_messages_keeps_the_first() {
    let fake = Fake::new(2).with(Fault::FailsBetweenMessages);
    let mut c = Client::selected(&Server::new(fake)).await;
    c.talk("C: a FETCH 1:2 FLAGS\nS: * 1 FETCH (FLAGS ())\nS: a NO [UNAVAILABLE] come back later")
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_command_ends_that_connection_alone() {
    told(Fault::FetchPanics, "a FETCH 1 FLAGS", "* BYE Internal error\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_poll_ends_that_connection_alone() {
    told(Fault::PollPanics, "a NOOP", "* BYE Internal error\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_fails_does_not_fail_the_command() {
    let fake = Fake::new(2).with(Fault::PollFails);
    let mut c = Client::selected(&Server::new(fake)).await;
    c.talk("C: a NOOP\nS: a OK NOOP completed").await;
}
