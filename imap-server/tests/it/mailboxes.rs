//! Commands about mailboxes: accepted and refused.

use imap_server::prelude::*;

use crate::client::{CAPS_IN, Client};
use crate::fake::{Fake, Fault};

async fn client(fake: &Fake) -> Client {
    let client = Client::logged_in(&Server::new(fake.clone())).await;
    fake.calls();
    client
}

#[tokio::test(start_paused = true)]
async fn the_commands_of_every_state_are_answered() {
    let fake = Fake::new(0);
    let mut c = client(&fake).await;
    c.talk(&format!(
        r#"
        C: a CAPABILITY
        S: * CAPABILITY {CAPS_IN}
        S: a OK CAPABILITY completed
        C: b NOOP
        S: b OK NOOP completed
        C: c ID NIL
        S: * ID ("name" "imap-server")
        S: c OK ID completed
        C: d ENABLE X-NOTHING
        S: * ENABLED
        S: d OK ENABLE completed
        C: e NAMESPACE
        S: * NAMESPACE (("" "/")) NIL NIL
        S: e OK NAMESPACE completed
        C: f LOGOUT
        S: * BYE Logging out
        S: f OK LOGOUT completed
        "#
    ))
    .await;
    c.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn mailboxes_are_created_removed_and_renamed_but_for_inbox() {
    let fake = Fake::new(0);
    let mut c = client(&fake).await;
    c.talk(
        r#"
        C: a CREATE new/
        S: a OK CREATE completed
        C: b CREATE new
        S: b NO [ALREADYEXISTS] there is one
        C: c CREATE inbox
        S: c NO [ALREADYEXISTS] INBOX is always there
        C: d CREATE "a//b"
        S: d NO [CANNOT] a mailbox name cannot have an empty level
        C: e DELETE Inbox
        S: e NO [CANNOT] INBOX cannot be deleted
        C: f DELETE nothing
        S: f NO [NONEXISTENT] no such mailbox
        C: g DELETE new
        S: g OK DELETE completed
        C: h RENAME Other Other
        S: h NO [ALREADYEXISTS] there is such a mailbox already
        C: i RENAME Other INBOX
        S: i NO [ALREADYEXISTS] there is such a mailbox already
        C: j RENAME Other Other/below
        S: j NO [CANNOT] a mailbox cannot be moved below itself
        C: k RENAME INBOX INBOX/old
        S: k OK RENAME completed
        C: l RENAME nothing something
        S: l NO [NONEXISTENT] no such mailbox
        C: m SUBSCRIBE Other
        S: m OK SUBSCRIBE completed
        C: n UNSUBSCRIBE gone
        S: n OK UNSUBSCRIBE completed
        "#,
    )
    .await;
    let asked = [
        "create new []",
        "create new []",
        "delete nothing",
        "delete new",
        "rename INBOX INBOX/old",
        "rename nothing something",
        "subscribe Other true",
        "subscribe gone false",
    ];
    assert_eq!(fake.calls(), asked);
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_is_created_for_a_special_use() {
    let fake = Fake::new(0);
    let mut c = client(&fake).await;
    c.talk("C: a CREATE Bin (USE (\\Trash))\nS: a OK CREATE completed")
        .await;
    assert_eq!(fake.calls(), ["create Bin [Trash]"]);
}

#[tokio::test(start_paused = true)]
async fn lists_join_reference_and_pattern() {
    let fake = Fake::new(0);
    let mut c = client(&fake).await;
    c.talk(
        r#"
        C: a LIST "" ""
        S: * LIST (\Noselect) "/" ""
        S: a OK LIST completed
        C: b LIST "" *
        S: * LIST () "/" INBOX
        S: * LIST () "/" Other
        S: b OK LIST completed
        C: c LSUB a/ /%
        S: * LSUB () "/" INBOX
        S: * LSUB () "/" Other
        S: c OK LSUB completed
        "#,
    )
    .await;
    assert_eq!(fake.calls(), [r#"list ["*"] lsub=false"#, r#"list ["a/%"] lsub=true"#]);
}

/// R6154-001, R6154-002
#[tokio::test(start_paused = true)]
async fn list_selects_and_returns_special_uses() {
    let fake = Fake::new(0);
    let mut c = client(&fake).await;
    c.talk(
        r#"
        C: a CREATE Junk
        S: a OK CREATE completed
        C: b LIST (SPECIAL-USE) "" *
        S: * LIST (\Junk) "/" Junk
        S: b OK LIST completed
        C: c LIST "" * RETURN (SPECIAL-USE)
        S: * LIST () "/" INBOX
        S: * LIST (\Junk) "/" Junk
        S: * LIST () "/" Other
        S: c OK LIST completed
        "#,
    )
    .await;
}

/// RFC 5258 3: only the form of RFC 3501 asks for the separator.
#[tokio::test(start_paused = true)]
async fn an_extended_list_of_the_empty_pattern_does_not_ask_for_the_separator() {
    let fake = Fake::new(0);
    let mut c = client(&fake).await;
    c.talk("C: a LIST (SPECIAL-USE) \"\" \"\"\nS: a OK LIST completed")
        .await;
    assert_eq!(fake.calls(), [r#"list [""] lsub=false"#]);
}

#[tokio::test(start_paused = true)]
async fn status_tells_what_was_asked_also_of_the_selected_mailbox() {
    let fake = Fake::new(2);
    let mut c = Client::selected(&Server::new(fake.clone())).await;
    c.talk(
        r#"
        C: a STATUS inbox (MESSAGES UIDNEXT)
        S: * STATUS INBOX (MESSAGES 2 UIDNEXT 3)
        S: a OK STATUS completed
        C: b STATUS nothing (MESSAGES)
        S: b NO [NONEXISTENT] no such mailbox
        "#,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_internal_error_is_shown_as_a_number_alone() {
    let server = Server::new(Fake::new(0).with(Fault::Internal));
    let mut c = Client::logged_in(&server).await;
    c.send("a STATUS INBOX (MESSAGES)\r\n").await;
    let id = server.handle().sessions()[0].id;
    c.expect(&format!("a NO [SERVERBUG] {id:x}-1\r\n")).await;
}

#[tokio::test(start_paused = true)]
async fn select_tells_everything_in_its_order() {
    let fake = Fake::new(3);
    fake.flag(1, Flags::SEEN);
    let mut c = client(&fake).await;
    c.talk(
        r#"
        C: a SELECT INBOX
        S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
        S: * 3 EXISTS
        S: * 0 RECENT
        S: * OK [UNSEEN 2] First unseen message
        S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags that can be changed for good
        S: * OK [UIDNEXT 4] Next UID
        S: * OK [UIDVALIDITY 1] UIDs are valid
        S: a OK [READ-WRITE] SELECT completed
        C: b EXAMINE INBOX
        S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
        S: * 3 EXISTS
        S: * 0 RECENT
        S: * OK [UNSEEN 2] First unseen message
        S: * OK [PERMANENTFLAGS ()] No flag can be changed for good
        S: * OK [UIDNEXT 4] Next UID
        S: * OK [UIDVALIDITY 1] UIDs are valid
        S: b OK [READ-ONLY] EXAMINE completed
        "#,
    )
    .await;
    assert_eq!(fake.calls(), ["select INBOX ReadWrite", "select INBOX ReadOnly"]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_select_leaves_nothing_selected() {
    let fake = Fake::new(1);
    let server = Server::new(fake.clone());
    let mut c = Client::selected(&server).await;
    c.talk("C: a SELECT nothing\nS: a NO [NONEXISTENT] no such mailbox")
        .await;
    c.send("b FETCH 1 FLAGS\r\n").await;
    c.expect("b BAD FETCH is not possible now: select a mailbox first\r\n")
        .await;
    assert_eq!(server.handle().sessions()[0].mailbox, None);
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_without_messages_has_no_first_unseen() {
    let fake = Fake::new(0);
    fake.world().read_only = true;
    let mut c = client(&fake).await;
    c.talk(
        r#"
        C: a SELECT INBOX
        S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
        S: * 0 EXISTS
        S: * 0 RECENT
        S: * OK [PERMANENTFLAGS ()] No flag can be changed for good
        S: * OK [UIDNEXT 1] Next UID
        S: * OK [UIDVALIDITY 1] UIDs are valid
        S: a OK [READ-ONLY] SELECT completed
        "#,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn close_removes_without_a_word_and_unselect_nothing() {
    let fake = Fake::new(2);
    let server = Server::new(fake.clone());
    fake.flag(1, Flags::NONE.with(SystemFlag::Deleted));
    let mut c = Client::selected(&server).await;
    c.talk("C: a UNSELECT\nS: a OK UNSELECT completed").await;
    assert_eq!(fake.calls(), [""; 0]);
    c.send("b SELECT INBOX\r\n").await;
    c.skip_to("b OK").await;
    fake.calls();
    c.talk("C: c CLOSE\nS: c OK CLOSE completed").await;
    assert_eq!(fake.calls(), ["expunge None"]);
    assert_eq!(fake.world().messages.len(), 1);
    c.send("d CLOSE\r\n").await;
    c.expect("d BAD CLOSE is not possible now: select a mailbox first\r\n")
        .await;
}

#[tokio::test(start_paused = true)]
async fn close_removes_nothing_after_examine() {
    let fake = Fake::new(1);
    fake.flag(1, Flags::NONE.with(SystemFlag::Deleted));
    let mut c = Client::in_mailbox(&Server::new(fake.clone()), "EXAMINE").await;
    c.talk("C: a CLOSE\nS: a OK CLOSE completed").await;
    assert_eq!(fake.calls(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_mailbox_ends_the_session_after_the_running_command() {
    let fake = Fake::new(1);
    let mut c = Client::selected(&Server::new(fake.clone())).await;
    fake.world().fault = Some(Fault::Gone);
    c.talk("C: a FETCH 1 FLAGS\nS: * 1 FETCH (FLAGS ())\nS: a OK FETCH completed\nS: * BYE The mailbox was deleted")
        .await;
    c.expect_end().await;
}
