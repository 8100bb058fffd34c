//! STATUS (RFC 3501 6.3.10).

use imap_compliance::World;

imap_compliance::claims! {
    every: [
        answers_each_item_that_was_asked_for,
        the_selected_mailbox_can_be_asked_about,
        a_missing_mailbox_is_refused,
        unknown_items_are_bad,
        wildcards_are_taken_literally,
    ],
    writable: [uidnext_rises_with_messages_alone, recent_is_not_touched],
}

/// R3501-178, R3501-299, R3501-020
async fn answers_each_item_that_was_asked_for(world: World) {
    let mut c = world.login().await;
    c.talks(
        "C: a STATUS inbox (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN)
         S: * STATUS INBOX (MESSAGES 4 RECENT 0 UIDNEXT 8 UIDVALIDITY <v> UNSEEN 2)
         S: a OK <text>
         C: b STATUS \"Drafts\" (unseen)
         S: * STATUS Drafts (UNSEEN 0)
         S: b OK <text>
         C: c STATUS T&AOQ-glich (MESSAGES)
         S: * STATUS T&AOQ-glich (MESSAGES 0)
         S: c OK <text>",
    )
    .await;
}

/// R3501-177, R3501-181
async fn the_selected_mailbox_can_be_asked_about(world: World) {
    let mut c = world.selected().await;
    c.talks(
        "C: a STATUS INBOX (MESSAGES UIDVALIDITY)
         S: * STATUS INBOX (MESSAGES 4 UIDVALIDITY <v>)
         S: a OK <text>
         C: b STATUS Drafts (MESSAGES)
         S: * STATUS Drafts (MESSAGES 0)
         S: b OK <text>
         C: c FETCH 1 (UID)
         S: * 1 FETCH (UID 2)
         S: c OK <text>",
    )
    .await;
}

/// R3501-179, R5530-002
async fn a_missing_mailbox_is_refused(world: World) {
    let mut c = world.login().await;
    c.talks("C: a STATUS Nowhere (MESSAGES)\n S: a NO [NONEXISTENT] <text>")
        .await;
}

/// R3501-180
async fn unknown_items_are_bad(world: World) {
    let mut c = world.login().await;
    for items in [
        "()",
        "(NONSENSE)",
        "MESSAGES",
        "(MESSAGES",
        "(MESSAGES,UNSEEN)",
        "(MESSAGES  UNSEEN)",
    ] {
        c.says(format!("a STATUS INBOX {items}")).await;
        c.hears("a BAD <text>").await;
    }
}

/// R3501-415
async fn wildcards_are_taken_literally(world: World) {
    let mut c = world.login().await;
    c.talks("C: a STATUS \"%\" (MESSAGES)\n S: a NO [NONEXISTENT] <text>\n C: b STATUS % (MESSAGES)\n S: b BAD <text>")
        .await;
}

/// R3501-017, R3501-018, R3501-021
async fn uidnext_rises_with_messages_alone(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a STORE 4 +FLAGS.SILENT (\Deleted)
          S: a OK <text>
          C: b EXPUNGE
          S: * 4 EXPUNGE
          S: b OK <text>
          C: c STATUS INBOX (MESSAGES UIDNEXT)
          S: * STATUS INBOX (MESSAGES 3 UIDNEXT 8)
          S: c OK <text>
          C: d APPEND INBOX {3+}\r\na\r\n
          S: * 4 EXISTS
          S: * 1 RECENT
          S: d OK [APPENDUID <v> 8] <text>
          C: e STATUS INBOX (MESSAGES UIDNEXT)
          S: * STATUS INBOX (MESSAGES 4 UIDNEXT 9)
          S: e OK <text>",
    )
    .await;
}

/// R3501-177
async fn recent_is_not_touched(world: World) {
    let mut c = world.login().await;
    c.talks(
        r"C: a APPEND Junk {3+}\r\na\r\n
          S: a OK [APPENDUID <v> 1] <text>
          C: b STATUS Junk (RECENT)
          S: * STATUS Junk (RECENT 1)
          S: b OK <text>
          C: c STATUS Junk (RECENT)
          S: * STATUS Junk (RECENT 1)
          S: c OK <text>",
    )
    .await;
}
