//! `imapd deliver` beside a running server: idle clients hear of the message.

use imap_compliance::message;

use crate::daemon::{Daemon, imapd};

#[tokio::test]
async fn a_delivered_message_is_announced_to_an_idle_client() {
    let server = Daemon::start();
    let mut c = server.login().await;
    c.talks(
        r"C: a SELECT INBOX
          S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
          S: * 0 EXISTS
          S: * 0 RECENT
          S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] <text>
          S: * OK [UIDNEXT 1] <text>
          S: * OK [UIDVALIDITY <v>] <text>
          S: a OK [READ-WRITE] <text>
          C: b IDLE
          S: + <text>",
    )
    .await;
    let data = server.data();
    let delivered = tokio::task::spawn_blocking(move || {
        imapd(
            &data,
            &["deliver", "--user", "demo", "--from", "a@b.example"],
            message::plain("delivered").as_bytes(),
        );
    });
    c.hears("* 1 EXISTS\n * 1 RECENT").await;
    delivered.await.unwrap();
    c.talks(
        "C: DONE
         S: b OK <text>
         C: c FETCH 1 (BODY.PEEK[HEADER.FIELDS (RETURN-PATH SUBJECT)])
         S: * 1 FETCH (BODY[HEADER.FIELDS (RETURN-PATH SUBJECT)] {50}\\r\\nReturn-Path: <a@b.example>\\r\\nSubject: delivered\\r\\n\\r\\n)
         S: c OK <text>",
    )
    .await;
}
