//! Messages that another process expunged: readable as long as a client numbers them, and then gone without a trace.

use std::time::Instant;

use imap_compliance::Client;
use imap_compliance::bulk::sized;
use imap_compliance::imapd::Data;
use imap_compliance::leftovers::Counts;
use imap_compliance::stepper::DEADLINE;
use tokio::io::AsyncWriteExt as _;

use crate::{Two, append, ask, ok, run, select};

/// A small message, one in rows, one in a file.
const SIZES: [usize; 3] = [500, 600_000, 2_000_000];

/// Two clients with the three messages, of which the second has expunged all and the first has not been told.
async fn haunted(two: &Two) -> (Client, Client) {
    let (mut viewer, mut other) = two.select("INBOX").await;
    for octets in SIZES {
        append(&mut viewer, "INBOX", &sized(octets)).await;
    }
    ok(&mut other, "NOOP").await;
    ok(&mut other, r"STORE 1:3 +FLAGS.SILENT (\Deleted)").await;
    ok(&mut viewer, "NOOP").await;
    assert_eq!(
        ok(&mut other, "EXPUNGE").await,
        ["* 3 EXPUNGE", "* 2 EXPUNGE", "* 1 EXPUNGE"]
    );
    (viewer, other)
}

/// What there is of the three messages.
fn whole() -> Counts {
    Counts {
        messages: 3,
        bodies: 3,
        // 500, then 600,000 in pieces of 262,144.
        chunks: 4,
        indexes: 3,
        ghosts: 1,
        files: 1,
        ..Counts::default()
    }
}

/// Waits until nothing is left of any message, without doing anything.
async fn all_goes_by_itself(data: &Data) {
    let end = Instant::now() + DEADLINE;
    while data.folder().counts() != Counts::default() {
        assert!(Instant::now() < end, "this is left: {:?}", data.folder().counts());
        tokio::task::yield_now().await;
    }
    assert_eq!(data.folder().disorder(), [""; 0]);
}

/// R3501-304, R3501-305
#[test]
fn what_another_process_expunged_stays_readable_until_its_expunge_is_told() {
    run(async {
        let two = Two::new();
        let (mut viewer, other) = haunted(&two).await;
        for (octets, number) in SIZES.into_iter().zip(1..) {
            let text = String::from_utf8(sized(octets)).unwrap();
            let told = ok(&mut viewer, &format!("FETCH {number} (RFC822.SIZE BODY.PEEK[])")).await;
            let expected = format!("* {number} FETCH (RFC822.SIZE {octets} BODY[] {{{octets}}}\r\n{text})");
            assert!(told == [expected], "message {number}");
        }
        assert_eq!(ok(&mut viewer, "SEARCH ALL").await, ["* SEARCH"]);
        let (told, tagged) = ask(&mut viewer, r"STORE 2 +FLAGS (\Seen)").await;
        assert!(
            told.is_empty() && tagged.starts_with("NO [EXPUNGEISSUED]"),
            "{told:?} {tagged}"
        );
        let (told, tagged) = ask(&mut viewer, "COPY 1:3 INBOX").await;
        assert_eq!(told, ["* 3 EXPUNGE", "* 2 EXPUNGE", "* 1 EXPUNGE"]);
        assert!(tagged.starts_with("NO [EXPUNGEISSUED]"), "{tagged}");
        assert_eq!(ok(&mut viewer, "NOOP").await, [""; 0]);
        // All this time both servers and both sessions were there, and they still are.
        all_goes_by_itself(&two.data).await;
        drop((viewer, other));
    });
}

/// Of all who number a message, the last one counts, of whichever process: also one who only looks, or who sleeps.
#[test]
fn what_was_expunged_goes_when_the_last_of_all_sessions_was_told() {
    run(async {
        let two = Two::new();
        let (mut viewer, mut other) = haunted(&two).await;
        let mut sleeps = two.one.login().await;
        // It comes when the messages are gone already, and is nobody to wait for.
        let late = select(&two.one, "INBOX").await;
        assert_eq!(
            ok(&mut viewer, "NOOP").await,
            ["* 3 EXPUNGE", "* 2 EXPUNGE", "* 1 EXPUNGE"]
        );
        all_goes_by_itself(&two.data).await;
        drop(late);

        // Now both processes have one who was told and one who was not.
        append(&mut other, "INBOX", &sized(SIZES[2])).await;
        ok(&mut sleeps, "EXAMINE INBOX").await;
        let mut theirs = select(&two.two, "INBOX").await;
        ok(&mut viewer, "NOOP").await;
        ok(&mut viewer, r"STORE 1 +FLAGS.SILENT (\Deleted)").await;
        assert_eq!(ok(&mut viewer, "EXPUNGE").await, ["* 1 EXPUNGE"]);
        let told = ok(&mut other, "NOOP").await;
        assert_eq!(told, ["* 1 EXPUNGE"]);
        assert_eq!(
            ok(&mut theirs, "FETCH 1 RFC822.SIZE").await,
            ["* 1 FETCH (RFC822.SIZE 2000000)"]
        );
        assert_eq!(ok(&mut theirs, "NOOP").await.last().unwrap(), "* 1 EXPUNGE");
        let whole_of = |client: Client| async move {
            let mut client = client;
            let told = ok(&mut client, "FETCH 1 BODY.PEEK[]").await;
            assert_eq!(told[0].len(), "* 1 FETCH (BODY[] {2000000}\r\n)".len() + SIZES[2]);
            client
        };
        let sleeps = whole_of(sleeps).await;
        assert_eq!(two.data.folder().counts().files, 1);
        // It leaves without having been told.
        drop(sleeps);
        all_goes_by_itself(&two.data).await;
        drop((viewer, other, theirs));
    });
}

/// The one who would have had to be told is killed with its process.
#[test]
fn what_was_expunged_goes_when_the_process_whose_session_numbers_it_is_killed() {
    run(async {
        let two = Two::new();
        let (viewer, mut other) = haunted(&two).await;
        assert_eq!(two.data.folder().counts(), whole());
        two.one.kill();
        all_goes_by_itself(&two.data).await;
        assert_eq!(two.data.folder().stores().len(), 1);
        assert_eq!(ok(&mut other, "NOOP").await, [""; 0]);
        drop(viewer);
    });
}

#[test]
fn what_a_process_expunged_that_was_killed_goes_when_the_other_has_told_of_it() {
    run(async {
        let two = Two::new();
        let (mut viewer, other) = haunted(&two).await;
        two.two.kill();
        drop(other);
        assert_eq!(
            ok(&mut viewer, "FETCH 1 RFC822.SIZE").await,
            ["* 1 FETCH (RFC822.SIZE 500)"]
        );
        assert_eq!(
            ok(&mut viewer, "NOOP").await,
            ["* 3 EXPUNGE", "* 2 EXPUNGE", "* 1 EXPUNGE"]
        );
        all_goes_by_itself(&two.data).await;
    });
}

#[test]
fn what_nobody_was_told_of_goes_when_all_processes_have_ended_and_one_starts() {
    run(async {
        for kill in [false, true] {
            let two = Two::new();
            let clients = haunted(&two).await;
            let Two { data, one, two } = two;
            for process in [one, two] {
                match kill {
                    true => process.kill(),
                    false => process.end(),
                }
            }
            drop(clients);
            // One that ends in peace may have cleared away itself.
            if kill {
                assert_eq!(data.folder().counts(), whole());
            }
            let _again = data.serve();
            all_goes_by_itself(&data).await;
            assert_eq!(data.folder().stores().len(), 1, "what a dead process left in run/");
        }
    });
}

/// After 35 minutes, whoever lives and whatever they number: what is missing then is said (RFC 2180 4.1.2).
#[test]
fn what_was_expunged_goes_after_its_time_also_under_a_view_that_sleeps() {
    run(async {
        let two = Two::new();
        let (mut viewer, other) = haunted(&two).await;
        drop(other);
        let Two { data, one, two } = two;
        two.kill();
        let aged = data.folder().connection();
        aged.busy_timeout(DEADLINE).unwrap();
        aged.execute_batch("UPDATE ghosts SET at = at - 34 * 60").unwrap();
        // A server that starts tidies up; it is not alone, so nothing goes yet.
        drop(data.serve());
        assert_eq!(data.folder().counts(), whole());
        aged.execute_batch("UPDATE ghosts SET at = at - 2 * 60").unwrap();
        let _again = data.serve();
        all_goes_by_itself(&data).await;

        let (told, tagged) = ask(&mut viewer, "FETCH 1:3 BODY.PEEK[]").await;
        assert!(
            told.is_empty() && tagged.starts_with("NO [EXPUNGEISSUED]"),
            "{told:?} {tagged}"
        );
        // What the listing remembers of them needs no row.
        assert_eq!(
            ok(&mut viewer, "FETCH 1,3 (UID RFC822.SIZE FLAGS)").await,
            [
                r"* 1 FETCH (UID 1 RFC822.SIZE 500 FLAGS (\Deleted))",
                r"* 3 FETCH (UID 3 RFC822.SIZE 2000000 FLAGS (\Deleted))"
            ]
        );
        assert_eq!(
            ok(&mut viewer, "NOOP").await,
            ["* 3 EXPUNGE", "* 2 EXPUNGE", "* 1 EXPUNGE"]
        );
        drop(one);
    });
}

#[test]
fn a_killed_process_leaves_no_lock_no_half_message_and_no_stale_state() {
    run(async {
        let two = Two::new();
        let folder = two.data.folder();
        let (mut viewer, mut other) = two.select("INBOX").await;
        append(&mut other, "INBOX", b"Subject: kept\r\n\r\nkept").await;
        // Half of a message is under way, and a client idles, when it is killed.
        let mut sending = two.two.login().await;
        sending.says("a APPEND INBOX {10000000}").await;
        sending.hears("+ <text>").await;
        let mut half = sending.into_stream();
        half.write_all(&sized(5_000_000)).await.unwrap();
        imap_compliance::stepper::until("nothing is taken in", || !folder.incoming().is_empty()).await;
        two.two.kill();
        drop((other, half));

        assert_eq!(ok(&mut viewer, "NOOP").await, ["* 1 EXISTS"]);
        assert_eq!(
            ok(&mut viewer, "FETCH 1 BODY.PEEK[TEXT]").await,
            ["* 1 FETCH (BODY[TEXT] {4}\r\nkept)"]
        );
        let end = Instant::now() + DEADLINE;
        while folder.stores().len() > 1 || !folder.incoming().is_empty() {
            append(&mut viewer, "INBOX", b"Subject: occasion\r\n\r\n").await;
            assert!(Instant::now() < end, "{:?} {:?}", folder.stores(), folder.incoming());
        }
        let count = folder.number("SELECT messages FROM mailboxes WHERE name = 'INBOX'");
        let again = two.data.serve();
        let mut third = select(&again, "INBOX").await;
        assert_eq!(
            ok(&mut third, "STATUS INBOX (MESSAGES)").await,
            [format!("* STATUS INBOX (MESSAGES {count})")]
        );
        append(&mut third, "INBOX", b"Subject: last\r\n\r\n").await;
        assert_eq!(ok(&mut viewer, "NOOP").await, [format!("* {} EXISTS", count + 1)]);
        assert_eq!(folder.disorder(), [""; 0]);
    });
}
