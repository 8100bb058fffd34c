//! What is logged, and what never is.

use std::io;
use std::sync::{Arc, Mutex};

use imap_server::prelude::*;
use tracing_subscriber::fmt::MakeWriter;

use crate::client::Client;
use crate::fake::{Fake, Fault};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Whether anybody listens is remembered for each place that logs, and other tests of this process come by without a
/// subscriber: one that wants everything, and keeps nothing, is there for all of them.
fn want_everything() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let all = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(io::sink);
        tracing::subscriber::set_global_default(all.finish()).unwrap();
    });
}

/// Everything that a connection logs; `#` stands for the connection.
async fn logged(fake: Fake, conversation: &str) -> String {
    want_everything();
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let mut c = Client::new(&Server::new(fake));
    c.send(conversation).await;
    while tokio::io::AsyncReadExt::read(&mut c.stream, &mut [0; 4096])
        .await
        .unwrap()
        > 0
    {}
    c.ended().await;
    let log = log.text();
    let id = log
        .split_once("{id=")
        .and_then(|(_, rest)| rest.split_once(' '))
        .unwrap()
        .0;
    let hex = format!("{:x}", id.parse::<u64>().unwrap());
    log.replace(&format!("{{id={id} peer=127.0.0.1:50000 tls=false}}"), "#")
        .replace(&format!("\"{hex}-"), "\"#-")
}

#[tokio::test(start_paused = true)]
async fn passwords_and_messages_are_never_logged() {
    let log = logged(
        Fake::new(0),
        "a LOGIN demo pass-secret-1\r\n\
         b LOGIN demo {13+}\r\npass-secret-2\r\n\
         c AUTHENTICATE PLAIN AGRlbW8AcGFzcy1zZWNyZXQtMw==\r\n\
         d AUTHENTICATE LOGIN ZGVtbw==\r\ncGFzcy1zZWNyZXQtNA==\r\n\
         e LOGIN demo pass-secret-5 pass-secret-6\r\n\
         f LOGIN demo secret\r\n\
         g APPEND INBOX {11+}\r\nbody-secret\r\n\
         h LOGOUT\r\n",
    )
    .await;
    let logged_in = " INFO connection#:command{command=\"LOGIN\"}: logged in user=\"demo\"";
    assert!(log.lines().any(|line| line == logged_in), "{log}");
    for hidden in ["secret", "c2VjcmV0", "zZWNyZXQ"] {
        assert!(!log.contains(hidden), "{hidden} in {log}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_is_logged_with_its_user_mailbox_and_outcome() {
    let log = logged(
        Fake::new(0),
        "a LOGIN demo secret\r\nb SELECT INBOX\r\nc CHECK\r\nd LOGOUT\r\n",
    )
    .await;
    // The octets of `c CHECK` and its CRLF are 9, those of its answer are counted when it is written.
    assert_eq!(
        log,
        r#" INFO connection#:command{command="LOGIN"}: logged in user="demo"
DEBUG connection#:command{command="LOGIN"}: done outcome="OK" octets_in=21 octets_out=0 us=0
DEBUG connection#:command{command="SELECT" user="demo"}: done outcome="OK" octets_in=16 octets_out=244 us=0
DEBUG connection#:command{command="CHECK" user="demo" mailbox="INBOX"}: done outcome="OK" octets_in=9 octets_out=0 us=0
 INFO connection#: connection ended why="logout" user="demo" octets_in=56 octets_out=694 ms=1000
"#
    );
}

#[tokio::test(start_paused = true)]
async fn an_internal_error_stands_in_the_log_under_its_number() {
    let fake = Fake::new(0).with(Fault::Internal);
    let log = logged(fake, "a LOGIN demo secret\r\nb STATUS INBOX (MESSAGES)\r\nc LOGOUT\r\n").await;
    assert_eq!(
        log,
        r##" INFO connection#:command{command="LOGIN"}: logged in user="demo"
DEBUG connection#:command{command="LOGIN"}: done outcome="OK" octets_in=21 octets_out=0 us=0
ERROR connection#: internal error id="#-1" error="internal error: the disk is on fire"
DEBUG connection#:command{command="STATUS" user="demo"}: done outcome="NO" octets_in=27 octets_out=0 us=0
 INFO connection#: connection ended why="logout" user="demo" octets_in=58 octets_out=415 ms=1000
"##
    );
}
