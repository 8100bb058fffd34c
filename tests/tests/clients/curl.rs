//! curl: lists, fetches octet for octet, appends, searches and stores, without TLS and with it.

use std::fs;

use imap_compliance::message;

use crate::daemon::Daemon;
use crate::{is_installed, run};

#[test]
fn messages_come_back_octet_for_octet() {
    if !is_installed("curl") {
        return;
    }
    let server = Daemon::start();
    let folder = server.folder();
    let certificate = server.certificate().display().to_string();
    let plain = format!("imap://127.0.0.1:{}", server.port);
    let secure = format!("imaps://localhost:{}", server.tls_port);
    for (round, base) in [(0, &plain), (1, &secure)] {
        let curl = |url: &str, more: &[&str]| {
            let resolve = format!("localhost:{}:127.0.0.1", server.tls_port);
            let mut arguments = vec![
                "--silent",
                "--show-error",
                "--user",
                "demo:secret",
                "--cacert",
                &certificate,
                "--resolve",
                &resolve,
            ];
            arguments.extend_from_slice(more);
            let url = format!("{base}{url}");
            arguments.push(&url);
            run(folder, "curl", &arguments, b"")
        };
        let listed = String::from_utf8(curl("/", &[])).unwrap();
        let names: Vec<&str> = listed.lines().filter_map(|l| l.rsplit(' ').next()).collect();
        assert_eq!(
            names,
            ["INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash"],
            "{listed}"
        );
        for n in 0..16_u32 {
            let octets = message::shape(n);
            fs::write(folder.join("message"), &octets).unwrap();
            curl("/Drafts", &["--upload-file", "message"]);
            let uid = n + 1 + 16 * round;
            assert_eq!(curl(&format!("/Drafts;UID={uid}"), &[]), octets, "message {n}");
        }
        let uid = 1 + 16 * round;
        assert_eq!(
            curl(&format!("/Drafts;UID={uid};SECTION=HEADER.FIELDS%20(SUBJECT)"), &[]),
            b"Subject: plain text 0\r\n\r\n"
        );
        let found = curl("/Drafts?SUBJECT%20digest", &[]);
        let expected = if round == 0 {
            "* SEARCH 12\r\n"
        } else {
            "* SEARCH 12 28\r\n"
        };
        assert_eq!(String::from_utf8(found).unwrap(), expected);
        let stored = curl("/Drafts", &["--request", &format!("STORE {uid} +FLAGS (\\Flagged)")]);
        assert_eq!(
            String::from_utf8(stored).unwrap(),
            format!("* {uid} FETCH (FLAGS (\\Flagged \\Seen))\r\n")
        );
        let status = curl("", &["--request", "STATUS Drafts (MESSAGES UIDNEXT)"]);
        let (count, next) = (16 * (round + 1), 16 * (round + 1) + 1);
        assert_eq!(
            String::from_utf8(status).unwrap(),
            format!("* STATUS Drafts (MESSAGES {count} UIDNEXT {next})\r\n")
        );
    }
}
