//! mbsync (isync): pulls 500 messages octet for octet, pushes changes back, and has nothing to do then; twice.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use imap_compliance::message;

use crate::daemon::Daemon;
use crate::{is_installed, run};

const MESSAGES: u32 = 500;

#[tokio::test]
async fn what_is_pulled_is_the_same_and_changes_go_back() {
    if !is_installed("mbsync") {
        return;
    }
    let server = Daemon::start();
    let folder = server.folder().to_owned();
    let mut c = server.login().await;
    let mut expected = BTreeMap::new();
    for n in 0..MESSAGES {
        let message = message::shape(n);
        let mailbox = if n % 10 == 0 { "Archive" } else { "INBOX" };
        c.sends(format!("a APPEND {mailbox} {{{}+}}\r\n", message.len()).as_bytes())
            .await;
        c.says(&message).await;
        c.hears(&format!(
            "a OK [APPENDUID <{}> <uid_{}>] <text>",
            mailbox.to_lowercase(),
            word(n)
        ))
        .await;
        *expected.entry(message).or_insert(0) += 1;
    }
    configure(&folder, server.port);
    sync(&folder);
    assert_eq!(contents(&folder), expected);
    has_nothing_to_do(&folder, &server).await;

    for round in 0..2_u32 {
        push(&folder, round);
        sync(&folder);
        has_nothing_to_do(&folder, &server).await;
        let marker = format!("new message of round {round}");
        c.says("b EXAMINE INBOX").await;
        loop {
            let line = String::from_utf8(c.response().await).unwrap();
            if let Some(exists) = line.strip_prefix("* ").and_then(|l| l.strip_suffix(" EXISTS")) {
                c.bind("exists", exists);
            }
            if line.starts_with("b OK [READ-ONLY] ") {
                break;
            }
        }
        c.says(format!("c SEARCH SUBJECT \"{marker}\"")).await;
        c.hears("* SEARCH <exists>\n c OK <text>").await;
        c.says("d SEARCH FLAGGED").await;
        let flagged = String::from_utf8(c.response().await).unwrap();
        assert_eq!(flagged.split(' ').count() - 2, 5 * (round as usize + 1), "{flagged}");
        c.hears("d OK <text>").await;
        c.talks("C: e UNSELECT\n S: e OK <text>").await;
    }
    // One message came and one went in each round: what is left is the same on both sides, and all of it pulled again.
    fs::remove_dir_all(folder.join("mail")).unwrap();
    configure(&folder, server.port);
    sync(&folder);
    let all: usize = contents(&folder).values().sum();
    assert_eq!(all, MESSAGES as usize);
    let unchanged = contents(&folder)
        .into_iter()
        .filter(|(m, n)| expected.get(m) == Some(n))
        .count();
    assert_eq!(unchanged, MESSAGES as usize - 2);
}

/// A number as a word that a hole can have.
fn word(n: u32) -> String {
    n.to_string().bytes().map(|b| char::from(b - b'0' + b'a')).collect()
}

fn configure(folder: &Path, port: u16) {
    let mail = folder.join("mail");
    fs::create_dir_all(&mail).unwrap();
    let version = String::from_utf8(run(folder, "mbsync", &["--version"], b"")).unwrap();
    let tls = if version.contains("isync 1.4") {
        "SSLType"
    } else {
        "TLSType"
    };
    let config = format!(
        "IMAPAccount there\nHost 127.0.0.1\nPort {port}\nUser demo\nPass secret\n{tls} None\nAuthMechs LOGIN\nTimeout 60\n\n\
         IMAPStore far\nAccount there\n\n\
         MaildirStore near\nPath {mail}/\nInbox {mail}/INBOX\nSubFolders Verbatim\n\n\
         Channel all\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nExpunge Both\nSyncState *\nSync All\n",
        mail = mail.display()
    );
    fs::write(folder.join("mbsyncrc"), config).unwrap();
}

fn sync(folder: &Path) {
    run(folder, "mbsync", &["-V", "-c", "mbsyncrc", "all"], b"");
}

/// Everything that a synchronization could change, on both sides.
async fn both_sides(folder: &Path, server: &Daemon) -> (Vec<PathBuf>, Vec<Vec<u8>>) {
    let mut c = server.login().await;
    let mut there = Vec::new();
    for mailbox in ["INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash"] {
        c.says(format!("a EXAMINE {mailbox}\r\nb UID FETCH 1:* (FLAGS)\r\nc UNSELECT"))
            .await;
        while there.last().is_none_or(|line: &Vec<u8>| !line.starts_with(b"c ")) {
            there.push(c.response().await);
        }
        there.push(Vec::new());
    }
    (files(folder), there)
}

/// A synchronization now changes nothing.
async fn has_nothing_to_do(folder: &Path, server: &Daemon) {
    let before = both_sides(folder, server).await;
    sync(folder);
    assert_eq!(both_sides(folder, server).await, before);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for mailbox in fs::read_dir(folder.join("mail")).unwrap() {
        for part in ["cur", "new"] {
            if let Ok(entries) = fs::read_dir(mailbox.as_ref().unwrap().path().join(part)) {
                all.extend(entries.map(|e| e.unwrap().path()));
            }
        }
    }
    all.retain(|path| path.is_file());
    all.sort();
    all
}

/// The messages in the Maildir with CR LF, each with how often it is there. mbsync's own mark is left out.
fn contents(folder: &Path) -> BTreeMap<Vec<u8>, usize> {
    let mut all = BTreeMap::new();
    for path in files(folder) {
        let mut message = Vec::new();
        let octets = fs::read(path).unwrap();
        for line in octets.split_inclusive(|b| *b == b'\n') {
            if line.starts_with(b"X-TUID: ") {
                continue;
            }
            message.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line));
            if line.ends_with(b"\n") {
                message.extend_from_slice(b"\r\n");
            }
        }
        *all.entry(message).or_insert(0) += 1;
    }
    all
}

/// Flags five messages, deletes one, adds one.
fn push(folder: &Path, round: u32) {
    let inbox = folder.join("mail/INBOX");
    let there = files(folder).into_iter().filter(|p| p.starts_with(&inbox));
    let plain: Vec<PathBuf> = there.filter(|p| !p.to_string_lossy().contains(":2,F")).collect();
    for path in plain.iter().take(5) {
        mark(path, "F");
    }
    mark(&plain[5], "T");
    let message = message::plain(&format!("new message of round {round}")).replace("\r\n", "\n");
    fs::write(inbox.join(format!("new/{round}.added.here")), message).unwrap();
}

/// Gives a Maildir file flags.
fn mark(path: &Path, flags: &str) {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let name = name.split(":2,").next().unwrap();
    let cur = path.parent().and_then(Path::parent).unwrap().join("cur");
    fs::rename(path, cur.join(format!("{name}:2,{flags}"))).unwrap();
}
