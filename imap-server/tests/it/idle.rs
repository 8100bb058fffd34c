//! IDLE and its traps.

use std::time::Duration;

use imap_server::prelude::*;
use tokio::time::{Instant, sleep};

use crate::client::Client;
use crate::fake::{Fake, Fault};

async fn selected(fake: &Fake) -> Client {
    Client::selected(&Server::new(fake.clone())).await
}

#[tokio::test(start_paused = true)]
async fn changes_are_told_as_they_happen() {
    let fake = Fake::new(2);
    let mut c = selected(&fake).await;
    c.talk("C: a IDLE\nS: + idling").await;
    fake.arrive("new");
    c.expect("* 3 EXISTS\r\n* 0 RECENT\r\n").await;
    fake.flag(1, Flags::SEEN);
    c.expect("* 1 FETCH (FLAGS (\\Seen))\r\n").await;
    fake.remove(2);
    c.expect("* 2 EXPUNGE\r\n").await;
    c.talk("C: DONE\nS: a OK IDLE completed").await;
}

#[tokio::test(start_paused = true)]
async fn mail_that_arrived_between_the_last_command_and_idle_is_announced_at_once() {
    let fake = Fake::new(1);
    let mut c = selected(&fake).await;
    fake.arrive("new");
    c.talk("C: a IDLE\nS: + idling\nS: * 2 EXISTS\nS: * 0 RECENT\nC: DONE\nS: a OK IDLE completed")
        .await;
}

#[tokio::test(start_paused = true)]
async fn idle_and_done_in_one_packet_are_answered() {
    let fake = Fake::new(1);
    let mut c = selected(&fake).await;
    c.send("a IDLE\r\nDONE\r\nb NOOP\r\n").await;
    c.expect("+ idling\r\na OK IDLE completed\r\nb OK NOOP completed\r\n")
        .await;
}

#[tokio::test(start_paused = true)]
async fn done_may_come_octet_by_octet_and_in_any_case() {
    let fake = Fake::new(1);
    let mut c = selected(&fake).await;
    c.talk("C: a IDLE\nS: + idling").await;
    for octet in "done\r\n".split_inclusive("") {
        c.quiet().await;
        c.send(octet).await;
    }
    c.expect("a OK IDLE completed\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn no_expunge_is_told_once_octets_beyond_idle_are_there() {
    let fake = Fake::new(2);
    let mut c = selected(&fake).await;
    c.talk("C: a IDLE\nS: + idling").await;
    c.send("DON").await;
    c.quiet().await;
    fake.remove(1);
    fake.arrive("new");
    c.expect("* 3 EXISTS\r\n* 0 RECENT\r\n").await;
    c.quiet().await;
    c.send("E\r\n").await;
    c.expect("* 1 EXPUNGE\r\na OK IDLE completed\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_command_by_number_behind_done_holds_expunge_back() {
    let fake = Fake::new(2);
    let mut c = selected(&fake).await;
    c.talk("C: a IDLE\nS: + idling").await;
    fake.remove_quietly(1);
    c.send("DONE\r\nb FETCH 2 UID\r\n").await;
    c.expect("a OK IDLE completed\r\n* 2 FETCH (UID 2)\r\nb OK FETCH completed\r\n")
        .await;
}

#[tokio::test(start_paused = true)]
async fn idle_is_legal_when_nothing_is_selected() {
    let mut c = Client::logged_in(&Server::new(Fake::new(0))).await;
    c.talk("C: a IDLE\nS: + idling\nC: DONE\nS: a OK IDLE completed").await;
}

#[tokio::test(start_paused = true)]
async fn something_else_than_done_ends_idle_with_bad() {
    let fake = Fake::new(1);
    let mut c = selected(&fake).await;
    c.talk("C: a IDLE\nS: + idling").await;
    c.send("b NOOP\r\n").await;
    c.expect("a BAD expected DONE\r\n").await;
    c.talk("C: c NOOP\nS: c OK NOOP completed").await;
}

#[tokio::test(start_paused = true)]
async fn two_minutes_of_silence_are_broken_by_a_sign_of_life() {
    let fake = Fake::new(1);
    let mut c = selected(&fake).await;
    c.send("a IDLE\r\n").await;
    c.expect("+ idling\r\n").await;
    let start = Instant::now();
    c.expect("* OK Still here\r\n").await;
    assert_eq!(start.elapsed().as_secs(), 120);
    sleep(Duration::from_secs(60)).await;
    fake.arrive("new");
    c.expect("* 2 EXISTS\r\n* 0 RECENT\r\n").await;
    c.expect("* OK Still here\r\n").await;
    assert_eq!(start.elapsed().as_secs(), 300);
}

#[tokio::test(start_paused = true)]
async fn idle_ends_thirty_minutes_after_the_client_was_heard() {
    let fake = Fake::new(1);
    let mut c = selected(&fake).await;
    let start = Instant::now();
    c.send("a IDLE\r\n").await;
    c.expect("+ idling\r\n").await;
    for _ in 0..14 {
        c.expect("* OK Still here\r\n").await;
    }
    let line = c.skip_to("* BYE").await;
    assert_eq!(line, "* BYE Autologout; idle for too long\r\n");
    assert_eq!(start.elapsed().as_secs(), 1800);
    c.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_that_goes_away_ends_idle_with_bye() {
    let fake = Fake::new(1);
    let mut c = selected(&fake).await;
    c.talk("C: a IDLE\nS: + idling").await;
    fake.world().fault = Some(Fault::Gone);
    fake.notify();
    c.expect("* BYE The mailbox was deleted\r\n").await;
    c.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_wakes_for_nothing_keeps_no_processor_busy() {
    let fake = Fake::new(1).with(Fault::ChangedLies);
    let mut c = selected(&fake).await;
    c.talk("C: a IDLE\nS: + idling").await;
    fake.world().polls = 0;
    sleep(Duration::from_secs(10)).await;
    let polls = fake.world().polls;
    assert!((1_000..2_000).contains(&polls), "{polls}");
    c.talk("C: DONE\nS: a OK IDLE completed").await;
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_fails_is_tried_again_and_is_no_busy_loop() {
    let fake = Fake::new(1).with(Fault::PollFails);
    let mut c = selected(&fake).await;
    c.talk("C: a IDLE\nS: + idling").await;
    fake.arrive("new");
    c.quiet().await;
    fake.world().fault = None;
    c.expect("* 2 EXISTS\r\n* 0 RECENT\r\n").await;
    c.talk("C: DONE\nS: a OK IDLE completed").await;
}
