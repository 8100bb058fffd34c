//! Commands that come faster than answers go, and updates that wait for them.

use std::time::Duration;

use imap_server::prelude::*;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::time::{Instant, sleep, timeout};

use crate::client::{Client, loopback};
use crate::fake::Fake;

#[tokio::test(start_paused = true)]
async fn answers_come_in_the_order_of_the_commands() {
    let fake = Fake::new(2);
    let mut c = Client::selected(&Server::new(fake.clone())).await;
    c.send("a STORE 1 +FLAGS.SILENT (\\Deleted)\r\nb EXPUNGE\r\nc FETCH 1 UID\r\n")
        .await;
    c.expect("a OK STORE completed\r\n* 1 EXPUNGE\r\nb OK EXPUNGE completed\r\n")
        .await;
    c.expect("* 1 FETCH (UID 2)\r\nc OK FETCH completed\r\n").await;
}

/// A mailbox that can makes the changes of all of them at once.
#[tokio::test(start_paused = true)]
async fn stores_that_wait_are_named_before_the_first_is_run() {
    let table: [(&str, &[&str], &[&str]); 9] = [
        ("STORE 1 X|STORE 2:3 X", &["ahead Seq({1}) Seq({2:3})"], &["", ""]),
        (
            "UID STORE 1 X|UID STORE 3:* X|NOOP",
            &["ahead Uid({1}) Uid({3:4})"],
            &["", "", ""],
        ),
        (
            "STORE 1 X|STORE 2 X|STORE 3 X|STORE 1 X|STORE 2 X",
            &["ahead Seq({1}) Seq({2}) Seq({3})", "ahead Seq({1}) Seq({2})"],
            &["", "", "", "", ""],
        ),
        ("STORE 1 X", &[], &[""]),
        // The same message twice; numbers of another kind; another command; one that is refused; one that is not all here.
        ("STORE 1:2 X|STORE 2 X", &[], &["", ""]),
        ("STORE 1 X|UID STORE 2 X", &[], &["", ""]),
        ("STORE 1 X|NOOP|STORE 2 X", &[], &["", "", ""]),
        (
            "STORE 1 X|STORE 9 X|STORE 2 X|STORE 3 X",
            &["ahead Seq({2}) Seq({3})"],
            &["", "BAD", "", ""],
        ),
        (
            "STORE 9 X|STORE 1 X|STORE 2 X",
            &["ahead Seq({1}) Seq({2})"],
            &["BAD", "", ""],
        ),
    ];
    for (commands, ahead, outcomes) in table {
        let fake = Fake::new(4);
        let mut c = Client::selected(&Server::new(fake.clone())).await;
        let lines = commands.replace('X', "+FLAGS.SILENT (\\Seen)").replace('|', "\r\nt ");
        c.send(&format!("t {lines}\r\n")).await;
        for outcome in outcomes {
            c.skip_to(if outcome.is_empty() { "t OK" } else { "t BAD" }).await;
        }
        let named: Vec<String> = fake
            .calls()
            .into_iter()
            .filter(|call| call.starts_with("ahead"))
            .collect();
        assert_eq!(named, ahead, "{commands}");
    }
    let fake = Fake::new(4);
    let mut c = Client::in_mailbox(&Server::new(fake.clone()), "EXAMINE").await;
    c.send("t STORE 1 FLAGS ()\r\nt STORE 2 FLAGS ()\r\n").await;
    c.skip_to("t NO").await;
    c.skip_to("t NO").await;
    assert_eq!(fake.calls(), [""; 0]);
}

/// RFC 3501 5.5: a number means the same message in all of them.
#[tokio::test(start_paused = true)]
async fn stores_that_were_named_are_answered_one_by_one() {
    let fake = Fake::new(3);
    let mut c = Client::selected(&Server::new(fake.clone())).await;
    fake.remove(1);
    c.send("a STORE 2 +FLAGS (\\Seen)\r\nb STORE 3 +FLAGS (\\Draft)\r\nc NOOP\r\n")
        .await;
    c.expect("* 2 FETCH (FLAGS (\\Seen))\r\na OK STORE completed\r\n").await;
    c.expect("* 3 FETCH (FLAGS (\\Draft))\r\nb OK STORE completed\r\n")
        .await;
    c.expect("* 1 EXPUNGE\r\nc OK NOOP completed\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_command_by_number_behind_noop_holds_expunge_and_exists_back() {
    let fake = Fake::new(2);
    let mut c = Client::selected(&Server::new(fake.clone())).await;
    fake.remove(1);
    fake.arrive("new");
    fake.flag(2, Flags::SEEN);
    c.send("a NOOP\r\nb STORE 1:* +FLAGS.SILENT (\\Deleted)\r\n").await;
    c.expect("* 2 FETCH (FLAGS (\\Seen))\r\na OK NOOP completed\r\n").await;
    c.expect("* 3 EXISTS\r\n* 0 RECENT\r\nb OK STORE completed\r\n").await;
    // What the client had not seen was not touched.
    assert!(fake.world().messages.values().last().unwrap().flags.is_empty());
    c.talk("C: c NOOP\nS: * 1 EXPUNGE\nS: c OK NOOP completed").await;
}

#[tokio::test(start_paused = true)]
async fn expunge_tells_what_is_gone_and_holds_back_what_is_new() {
    let fake = Fake::new(3);
    let mut c = Client::selected(&Server::new(fake.clone())).await;
    c.talk("C: s STORE 1 +FLAGS.SILENT (\\Deleted)\nS: s OK STORE completed")
        .await;
    fake.remove(2);
    fake.arrive("new");
    c.send("a EXPUNGE\r\nb UID STORE 1:* +FLAGS.SILENT (\\Deleted)\r\n")
        .await;
    c.expect("* 2 EXPUNGE\r\n* 1 EXPUNGE\r\na OK EXPUNGE completed\r\n")
        .await;
    c.expect("* 2 EXISTS\r\n* 0 RECENT\r\nb OK STORE completed\r\n").await;
    assert!(fake.world().messages.values().last().unwrap().flags.is_empty());
}

#[tokio::test(start_paused = true)]
async fn half_a_command_behind_noop_holds_back_as_well() {
    let fake = Fake::new(2);
    let mut c = Client::selected(&Server::new(fake.clone())).await;
    fake.remove(1);
    c.send("a NOOP\r\nb FET").await;
    c.expect("a OK NOOP completed\r\n").await;
    c.send("CH 2 UID\r\n").await;
    c.expect("* 2 FETCH (UID 2)\r\nb OK FETCH completed\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_command_without_numbers_behind_noop_holds_nothing_back() {
    let fake = Fake::new(2);
    let mut c = Client::selected(&Server::new(fake.clone())).await;
    fake.remove(1);
    c.send("a NOOP\r\nb NOOP\r\n").await;
    c.expect("* 1 EXPUNGE\r\na OK NOOP completed\r\nb OK NOOP completed\r\n")
        .await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_held_back_for_longer_than_five_seconds() {
    let fake = Fake::new(2);
    let mut c = Client::selected(&Server::new(fake.clone())).await;
    fake.remove(1);
    for _ in 0..6 {
        c.send("a NOOP\r\nb FETCH 1:* UID").await;
        c.expect("a OK NOOP completed\r\n").await;
        sleep(Duration::from_millis(900)).await;
        c.send("\r\n").await;
        c.skip_to("b OK").await;
    }
    c.send("c NOOP\r\nd FETCH 1 UID\r\n").await;
    c.expect("* 1 EXPUNGE\r\nc OK NOOP completed\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn who_pipelines_without_end_is_told_that_it_is_over() {
    let server = Server::new(Fake::new(0));
    let c = Client::logged_in(&server).await;
    let (ours, mut theirs) = tokio::io::split(c.stream);
    let flood = tokio::spawn(async move { while theirs.write_all(b"a NOOP\r\n").await.is_ok() {} });
    let mut answers = BufReader::new(ours).lines();
    let mut told = 0;
    while let Some(line) = answers.next_line().await.unwrap() {
        told += 1;
        if told == 1_000 {
            server.handle().disconnect_user("demo", "Enough");
        }
        if line == "* BYE Enough" {
            break;
        }
        assert!(told < 1_000_000, "it goes on for ever");
    }
    flood.abort();
}

#[tokio::test(start_paused = true)]
async fn commands_whose_answers_nobody_reads_are_not_taken_in() {
    let fake = Fake::new(0);
    let server = Server::new(fake);
    let mut c = Client::with_pipe(&server, loopback(), Tls::None, 64 * 1024);
    let batch = "a CAPABILITY\r\n".repeat(1000);
    let mut taken = 0;
    while timeout(Duration::from_secs(1), c.stream.write_all(batch.as_bytes()))
        .await
        .is_ok()
    {
        taken += batch.len();
        assert!(taken < 1 << 20, "the server reads without end");
    }
    // And it goes on as soon as somebody reads.
    c.skip_to("a OK").await;
    c.skip_to("a OK").await;
}

#[tokio::test(start_paused = true)]
async fn who_takes_no_octet_for_five_minutes_is_dropped() {
    let fake = Fake::new(0);
    fake.arrive(vec![b'x'; 1 << 20]);
    let server = Server::new(fake);
    let mut c = Client::with_pipe(&server, loopback(), Tls::None, 4096);
    c.send("a LOGIN demo secret\r\nb SELECT INBOX\r\n").await;
    c.skip_to("b OK").await;
    let start = Instant::now();
    c.send("c FETCH 1 BODY.PEEK[]\r\n").await;
    let Client { stream, task, .. } = c;
    task.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 300);
    assert!(server.handle().sessions().is_empty());
    drop(stream);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_delays_nobody_else() {
    let fake = Fake::new(0);
    fake.arrive(vec![b'x'; 10 << 20]);
    let server = Server::new(fake);
    let mut slow = Client::with_pipe(&server, loopback(), Tls::None, 4096);
    slow.send("a LOGIN demo secret\r\nb SELECT INBOX\r\n").await;
    slow.skip_to("b OK").await;
    slow.send("c FETCH 1 BODY.PEEK[]\r\n").await;
    let mut other = Client::selected(&server).await;
    let start = Instant::now();
    other
        .talk("C: a STORE 1 +FLAGS.SILENT (\\Seen)\nS: a OK STORE completed\nC: b NOOP\nS: b OK NOOP completed")
        .await;
    assert!(start.elapsed() < Duration::from_millis(100));
    slow.expect("* 1 FETCH (BODY[] {10485760}\r\n").await;
    slow.expect(&"x".repeat(10 << 20)).await;
    slow.expect(")\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_answered_in_few_writes() {
    use std::pin::Pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll};

    struct Counted(tokio::io::DuplexStream, Arc<AtomicUsize>);
    impl tokio::io::AsyncRead for Counted {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut tokio::io::ReadBuf<'_>,
        ) -> Poll<std::io::Result<()>> {
            Pin::new(&mut self.0).poll_read(cx, buf)
        }
    }
    impl tokio::io::AsyncWrite for Counted {
        fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
            self.1.fetch_add(1, Ordering::Relaxed);
            Pin::new(&mut self.0).poll_write(cx, buf)
        }
        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(cx)
        }
        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(cx)
        }
    }

    let writes = Arc::new(AtomicUsize::new(0));
    let server = Server::new(Fake::new(0));
    let (mut ours, theirs) = tokio::io::duplex(1 << 20);
    let stream = Counted(theirs, writes.clone());
    let serving = server.clone();
    tokio::spawn(async move { serving.serve(stream, loopback()).await });
    ours.write_all("a NOOP\r\n".repeat(500).as_bytes()).await.unwrap();
    ours.shutdown().await.unwrap();
    let mut answers = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut ours, &mut answers)
        .await
        .unwrap();
    assert_eq!(answers.lines().count(), 501);
    let writes = writes.load(Ordering::Relaxed);
    assert!(writes <= 3, "{writes} writes for the greeting and one batch");
}
