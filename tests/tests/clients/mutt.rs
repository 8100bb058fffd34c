//! mutt in batch: opens the mailbox, tags all, copies a message, marks one deleted, syncs.

use std::fs;

use imap_compliance::message;

use crate::daemon::{Daemon, imapd};
use crate::{is_installed, run_to_end};

#[tokio::test]
async fn mutt_reads_copies_and_deletes() {
    if !is_installed("mutt") || !is_installed("script") {
        return;
    }
    let server = Daemon::start();
    for n in 0..3 {
        imapd(&server.data(), &["deliver", "--user", "demo"], &message::shape(n));
    }
    let folder = server.folder();
    let config = "set ssl_starttls=no\nset ssl_force_tls=no\nset imap_pass=secret\nset imap_check_subscribed=no\n\
                  set header_cache=\nset confirmcreate=no\nset confirmappend=no\nset delete=yes\nset quit=yes\nset mark_old=no\n\
                  set copy=no\nset imap_keepalive=0\nset wait_key=no\nset auto_tag=no\nset tmpdir=.\n";
    fs::write(folder.join("muttrc"), config).unwrap();
    let mailbox = format!("imap://demo@127.0.0.1:{}/INBOX", server.port);
    let keys = "push '<first-entry><display-message><exit><copy-message>=Archive<enter><first-entry><next-entry><delete-message><sync-mailbox><quit>'";
    let command = format!(
        "mutt -n -F muttrc -e \"set folder={}\" -e \"{keys}\" -f {mailbox}",
        mailbox.trim_end_matches("INBOX")
    );
    let output = run_to_end(
        folder,
        "script",
        &["-qec", &format!("env TERM=vt100 {command}"), "/dev/null"],
        b"",
    );
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut c = server.login().await;
    c.says("a STATUS INBOX (MESSAGES UNSEEN)").await;
    let inbox = c.response().await;
    assert_eq!(
        String::from_utf8_lossy(&inbox),
        "* STATUS INBOX (MESSAGES 2 UNSEEN 1)",
        "{shown}"
    );
    c.hears("a OK <text>").await;
    c.talks("C: b STATUS Archive (MESSAGES)\n S: * STATUS Archive (MESSAGES 1)\n S: b OK <text>")
        .await;
}
