//! Commands about messages: accepted, refused, and with what updates.

use imap_server::prelude::*;

use crate::client::Client;
use crate::fake::{Fake, Fault};

async fn selected(fake: &Fake) -> Client {
    Client::selected(&Server::new(fake.clone())).await
}

async fn examined(fake: &Fake) -> Client {
    Client::in_mailbox(&Server::new(fake.clone()), "EXAMINE").await
}

const DELETED: Flags = Flags::NONE;

fn deleted() -> Flags {
    DELETED.with(SystemFlag::Deleted)
}

#[tokio::test(start_paused = true)]
async fn fetch_gives_what_is_asked_and_sets_seen_without_peek() {
    let fake = Fake::new(2);
    let mut c = selected(&fake).await;
    c.talk(
        r#"
        C: a FETCH 2 (UID FLAGS RFC822.SIZE)
        S: * 2 FETCH (UID 2 FLAGS () RFC822.SIZE 9)
        S: a OK FETCH completed
        C: b FETCH 1 BODY.PEEK[]
        S: * 1 FETCH (BODY[] {9}
        S: message 1)
        S: b OK FETCH completed
        C: c UID FETCH 1 BODY[]
        S: * 1 FETCH (UID 1 BODY[] {9}
        S: message 1 FLAGS (\Seen))
        S: c OK FETCH completed
        C: d FETCH 1:* FLAGS
        S: * 1 FETCH (FLAGS (\Seen))
        S: * 2 FETCH (FLAGS ())
        S: d OK FETCH completed
        "#,
    )
    .await;
    let asked = [
        "fetch Seq({2}) seen=false",
        "fetch Seq({1}) seen=false",
        "fetch Uid({1}) seen=true",
        "fetch Seq({1:2}) seen=false",
    ];
    assert_eq!(fake.calls(), asked);
}

#[tokio::test(start_paused = true)]
async fn after_examine_nothing_changes() {
    let fake = Fake::new(2);
    fake.flag(2, deleted());
    let mut c = examined(&fake).await;
    c.talk(
        r#"
        C: a FETCH 1 BODY[]
        S: * 1 FETCH (BODY[] {9}
        S: message 1)
        S: a OK FETCH completed
        C: b STORE 1 +FLAGS (\Seen)
        S: b NO [NOPERM] the mailbox is open for reading only
        C: c UID STORE 1 FLAGS.SILENT ()
        S: c NO [NOPERM] the mailbox is open for reading only
        C: d EXPUNGE
        S: d NO [NOPERM] the mailbox is open for reading only
        C: e UID EXPUNGE 1:*
        S: e NO [NOPERM] the mailbox is open for reading only
        C: f MOVE 1 Other
        S: f NO [NOPERM] the mailbox is open for reading only
        C: g UID MOVE 1 Other
        S: g NO [NOPERM] the mailbox is open for reading only
        C: h COPY 1 Other
        S: h OK [COPYUID 1 1 101] COPY completed
        "#,
    )
    .await;
    assert_eq!(fake.calls(), ["fetch Seq({1}) seen=false", "copy Seq({1}) Other"]);
}

#[tokio::test(start_paused = true)]
async fn numbers_above_exists_are_bad_and_unknown_uids_are_not() {
    let fake = Fake::new(2);
    let mut c = selected(&fake).await;
    for command in ["FETCH 3 FLAGS", "STORE 1:3 FLAGS ()", "COPY 4 Other", "MOVE 5 Other"] {
        c.send(&format!("a {command}\r\n")).await;
        c.expect("a BAD no message has such a high number\r\n").await;
    }
    assert_eq!(fake.calls(), [""; 0]);
    c.talk(
        r#"
        C: b UID FETCH 7:9 FLAGS
        S: b OK FETCH completed
        C: c UID COPY 7 Other
        S: c OK Nothing to copy
        C: d UID MOVE 7 Other
        S: d OK MOVE completed
        C: e UID STORE 7 FLAGS ()
        S: e OK STORE completed
        "#,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_empty_mailbox_has_no_star_by_number_and_nothing_by_uid() {
    let fake = Fake::new(0);
    let mut c = selected(&fake).await;
    c.send("a FETCH 1:* FLAGS\r\n").await;
    c.expect("a BAD no message has such a high number\r\n").await;
    c.talk(
        r#"
        C: b UID FETCH 1:* FLAGS
        S: b OK FETCH completed
        C: c UID SEARCH 1:*
        S: * SEARCH
        S: c OK SEARCH completed
        "#,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn search_answers_numbers_or_uids_and_numbers_above_exists_match_nothing() {
    let fake = Fake::new(4);
    fake.remove(1);
    fake.flag(3, Flags::SEEN);
    let mut c = selected(&fake).await;
    c.talk(
        r#"
        C: a SEARCH ALL
        S: * SEARCH 1 2 3
        S: a OK SEARCH completed
        C: b UID SEARCH SEEN
        S: * SEARCH 3
        S: b OK SEARCH completed
        C: c SEARCH 2:99
        S: * SEARCH 2 3
        S: c OK SEARCH completed
        C: d SEARCH UID 4:*
        S: * SEARCH 3
        S: d OK SEARCH completed
        C: e SEARCH 99:*
        S: * SEARCH 3
        S: e OK SEARCH completed
        C: f SEARCH 99
        S: * SEARCH
        S: f OK SEARCH completed
        "#,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_search_that_fails_is_ended_before_its_no() {
    let fake = Fake::new(2).with(Fault::FailsBetweenMessages);
    let mut c = selected(&fake).await;
    c.send("a SEARCH ALL\r\n").await;
    c.expect("* SEARCH 1 2\r\na NO [UNAVAILABLE] come back later\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn store_answers_the_new_flags_unless_silent() {
    let fake = Fake::new(2);
    let mut c = selected(&fake).await;
    c.talk(
        r#"
        C: a STORE 1:2 +FLAGS (\Seen $Later)
        S: * 1 FETCH (FLAGS (\Seen $Later))
        S: * 2 FETCH (FLAGS (\Seen $Later))
        S: a OK STORE completed
        C: b STORE 1 -FLAGS.SILENT (\Seen)
        S: b OK STORE completed
        C: c UID STORE 2 FLAGS (\Draft)
        S: * 2 FETCH (UID 2 FLAGS (\Draft))
        S: c OK STORE completed
        "#,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_said_unless_silence_was_asked_for() {
    let fake = Fake::new(1).with(Fault::Missing);
    let mut c = selected(&fake).await;
    c.talk(
        r#"
        C: a FETCH 1 FLAGS
        S: * 1 FETCH (FLAGS ())
        S: a NO [EXPUNGEISSUED] Some messages were expunged by another session
        C: b STORE 1 +FLAGS (\Seen)
        S: * 1 FETCH (FLAGS (\Seen))
        S: b NO [EXPUNGEISSUED] Some messages were expunged by another session
        C: c STORE 1 +FLAGS.SILENT (\Seen)
        S: c OK STORE completed
        "#,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn expunge_tells_its_own_before_the_ok_highest_first() {
    let fake = Fake::new(3);
    fake.flag(1, deleted());
    fake.flag(3, deleted());
    let mut c = selected(&fake).await;
    c.talk(
        r#"
        C: a EXPUNGE
        S: * 3 EXPUNGE
        S: * 1 EXPUNGE
        S: a OK EXPUNGE completed
        "#,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn uid_expunge_removes_the_named_alone() {
    let fake = Fake::new(3);
    fake.flag(1, deleted());
    fake.flag(3, deleted());
    let mut c = selected(&fake).await;
    c.talk("C: a UID EXPUNGE 2:*\nS: * 3 EXPUNGE\nS: a OK EXPUNGE completed")
        .await;
    assert_eq!(fake.calls(), ["expunge Some({2:3})"]);
}

#[tokio::test(start_paused = true)]
async fn move_tells_copyuid_before_the_expunges() {
    let fake = Fake::new(3);
    let mut c = selected(&fake).await;
    c.talk(
        r#"
        C: a MOVE 1:2 Other
        S: * OK [COPYUID 1 1:2 101:102] Moved
        S: * 2 EXPUNGE
        S: * 1 EXPUNGE
        S: a OK MOVE completed
        "#,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_target_that_could_be_created_says_so() {
    let fake = Fake::new(1);
    let mut c = selected(&fake).await;
    c.talk(
        r#"
        C: a COPY 1 nothing
        S: a NO [TRYCREATE] no such mailbox
        C: b MOVE 1 nothing
        S: b NO [TRYCREATE] no such mailbox
        C: c COPY 1 "a//b"
        S: c NO [CANNOT] a mailbox name cannot have an empty level
        "#,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn commands_by_number_never_tell_expunge() {
    let fake = Fake::new(3);
    let mut c = selected(&fake).await;
    fake.remove(1);
    fake.flag(2, Flags::SEEN);
    fake.arrive("new");
    c.talk(
        r#"
        C: a SEARCH ALL
        S: * SEARCH 1 2 3
        S: * 2 FETCH (FLAGS (\Seen))
        S: * 4 EXISTS
        S: * 0 RECENT
        S: a OK SEARCH completed
        C: b STORE 3 +FLAGS.SILENT (\Draft)
        S: b OK STORE completed
        C: c FETCH 3 FLAGS
        S: * 3 FETCH (FLAGS (\Draft))
        S: c OK FETCH completed
        C: d UID SEARCH 1:2
        S: * SEARCH 1 2
        S: d OK SEARCH completed
        C: e UID FETCH 3 FLAGS
        S: * 3 FETCH (UID 3 FLAGS (\Draft))
        S: * 1 EXPUNGE
        S: e OK FETCH completed
        "#,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn every_other_command_tells_everything() {
    for command in [
        "NOOP",
        "CHECK",
        "COPY 2 Other",
        "CAPABILITY",
        "NAMESPACE",
        "CREATE x",
        "STATUS INBOX (MESSAGES)",
    ] {
        let fake = Fake::new(2);
        let mut c = selected(&fake).await;
        fake.remove(1);
        fake.arrive("new");
        c.send(&format!("a {command}\r\n")).await;
        c.skip_to("* 1 EXPUNGE").await;
        c.expect("* 2 EXISTS\r\n* 0 RECENT\r\na OK ").await;
    }
}

#[tokio::test(start_paused = true)]
async fn uid_fetch_to_star_means_the_mailbox_of_now() {
    let fake = Fake::new(1);
    let mut c = selected(&fake).await;
    fake.arrive("new");
    c.talk(
        r#"
        C: a UID FETCH 2:* FLAGS
        S: * 2 EXISTS
        S: * 0 RECENT
        S: * 2 FETCH (UID 2 FLAGS ())
        S: a OK FETCH completed
        "#,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn updates_stand_before_a_no_but_not_before_a_bad() {
    let fake = Fake::new(1);
    let mut c = selected(&fake).await;
    fake.arrive("new");
    c.send("a FETCH 9 FLAGS\r\n").await;
    c.expect("a BAD no message has such a high number\r\n").await;
    c.talk("C: b DELETE nothing\nS: * 2 EXISTS\nS: * 0 RECENT\nS: b NO [NONEXISTENT] no such mailbox")
        .await;
}

#[tokio::test(start_paused = true)]
async fn with_the_other_policy_changes_are_told_when_asked_for() {
    let fake = Fake::new(2);
    let server = Server::builder(fake.clone())
        .poll_policy(PollPolicy::OnlyWhenAsked)
        .build();
    let mut c = Client::selected(&server).await;
    fake.arrive("new");
    fake.flag(1, deleted());
    c.talk(
        r#"
        C: a STATUS INBOX (MESSAGES)
        S: * STATUS INBOX (MESSAGES 3)
        S: a OK STATUS completed
        C: b COPY 1 Other
        S: b OK [COPYUID 1 1 101] COPY completed
        C: c EXPUNGE
        S: * 1 EXPUNGE
        S: * 2 EXISTS
        S: * 0 RECENT
        S: c OK EXPUNGE completed
        "#,
    )
    .await;
}
