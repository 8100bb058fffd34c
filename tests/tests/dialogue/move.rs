//! MOVE and UID MOVE (RFC 6851).

use imap_compliance::World;

imap_compliance::claims! {
    every: [a_missing_target_is_refused],
    writable: [
        each_expunge_is_told_once,
        uid_move_takes_uids,
        from_a_mailbox_opened_by_examine_is_refused,
        a_message_that_two_sessions_move_is_in_one_place,
        into_the_same_mailbox,
        other_deleted_messages_stay,
        other_sessions_are_told,
        a_number_that_is_gone_is_skipped,
    ],
    four_methods: [is_refused_by_a_store_without_it],
}

/// R6851-015, R6851-005
async fn a_missing_target_is_refused(world: World) {
    let mut c = world.selected().await;
    let code = if world.kind() == imap_compliance::Kind::FourMethods {
        "NOPERM"
    } else {
        "TRYCREATE"
    };
    c.talks(&format!(
        "C: a MOVE 1 Nowhere\n S: a NO [{code}] <text>\n C: b UID MOVE 2 Nowhere\n S: b NO [{code}] <text>"
    ))
    .await;
    c.talks("C: c FETCH 1 (UID)\n S: * 1 FETCH (UID 2)\n S: c OK <text>")
        .await;
}

/// R6851-001, R6851-006, R6851-009, R6851-010, R6851-018, R3501-309
async fn each_expunge_is_told_once(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r#"C: a MOVE 1,3:4 Junk
           S: * OK [COPYUID <junk> 2,5,7 1:3] <text>
           S: * 4 EXPUNGE
           S: * 3 EXPUNGE
           S: * 1 EXPUNGE
           S: a OK <text>
           C: b NOOP
           S: b OK <text>
           C: c FETCH 1:* (UID FLAGS)
           S: * 1 FETCH (UID 3 FLAGS (\Flagged $Forwarded))
           S: c OK <text>
           C: d SELECT Junk
           S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
           S: * 3 EXISTS
           S: * 3 RECENT
           S: * OK [UNSEEN 2] <text>
           S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] <text>
           S: * OK [UIDNEXT 4] <text>
           S: * OK [UIDVALIDITY <junk>] <text>
           S: d OK [READ-WRITE] <text>
           C: e FETCH 1:3 (FLAGS INTERNALDATE)
           S: * 1 FETCH (FLAGS (\Seen \Recent) INTERNALDATE " 8-Feb-1994 05:53:25 +0000")
           S: * 2 FETCH (FLAGS (\Recent) INTERNALDATE "31-Dec-2023 23:59:25 +0000")
           S: * 3 FETCH (FLAGS (\Answered \Seen \Recent) INTERNALDATE " 1-Mar-2024 00:30:25 +0530")
           S: e OK <text>"#,
    )
    .await;
}

/// R6851-002, R6851-009, R3501-274
async fn uid_move_takes_uids(world: World) {
    let mut c = world.selected().await;
    c.talks(
        "C: a UID MOVE 3:6 Junk
         S: * OK [COPYUID <junk> 3,5 1:2] <text>
         S: * 3 EXPUNGE
         S: * 2 EXPUNGE
         S: a OK <text>
         C: b UID MOVE 3,100 Junk
         S: b OK <text>",
    )
    .await;
}

/// R6851-017
async fn from_a_mailbox_opened_by_examine_is_refused(world: World) {
    let mut c = world.login().await;
    c.says("a EXAMINE INBOX").await;
    c.hears(&world.selected_lines("a", "READ-ONLY")).await;
    c.talks(
        "C: b MOVE 1 Junk
         S: b NO [NOPERM] <text>
         C: c UID MOVE 2 Junk
         S: c NO [NOPERM] <text>
         C: d STATUS Junk (MESSAGES)
         S: * STATUS Junk (MESSAGES 0)
         S: d OK <text>
         C: e STATUS INBOX (MESSAGES)
         S: * STATUS INBOX (MESSAGES 4)
         S: e OK <text>",
    )
    .await;
}

/// R6851-004, R6851-006
async fn a_message_that_two_sessions_move_is_in_one_place(world: World) {
    let mut c = world.selected().await;
    let mut other = world.selected().await;
    c.says("a MOVE 1:4 Junk").await;
    other.says("a MOVE 1:4 Sent").await;
    for client in [&mut c, &mut other] {
        while !client.response().await.starts_with(b"a OK ") {}
    }
    let mut moved = Vec::new();
    for mailbox in ["Junk", "Sent", "INBOX"] {
        c.says(format!("b STATUS {mailbox} (MESSAGES)")).await;
        let told = String::from_utf8(c.response().await).unwrap();
        moved.push(
            told.trim_end_matches(')')
                .rsplit(' ')
                .next()
                .unwrap()
                .parse::<u32>()
                .unwrap(),
        );
        c.hears("b OK <text>").await;
    }
    assert_eq!((moved[0] + moved[1], moved[2]), (4, 0), "{moved:?}");
}

/// R6851-016, R6851-018
async fn into_the_same_mailbox(world: World) {
    let mut c = world.selected().await;
    c.talks(
        "C: a MOVE 2 INBOX
         S: * OK [COPYUID <v> 3 8] <text>
         S: * 2 EXPUNGE
         S: * 4 EXISTS
         S: * 1 RECENT
         S: a OK <text>
         C: b FETCH 1:* (UID)
         S: * 1 FETCH (UID 2)
         S: * 2 FETCH (UID 5)
         S: * 3 FETCH (UID 7)
         S: * 4 FETCH (UID 8)
         S: b OK <text>",
    )
    .await;
}

/// R6851-003, R6851-019
async fn other_deleted_messages_stay(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a STORE 1 +FLAGS.SILENT (\Deleted)
          S: a OK <text>
          C: b MOVE 2 Junk
          S: * OK [COPYUID <junk> 3 1] <text>
          S: * 2 EXPUNGE
          S: b OK <text>
          C: c FETCH 1 (UID FLAGS)
          S: * 1 FETCH (UID 2 FLAGS (\Deleted \Seen))
          S: c OK <text>",
    )
    .await;
}

/// R6851-007
async fn other_sessions_are_told(world: World) {
    let mut c = world.selected().await;
    let mut other = world.selected().await;
    c.talks("C: a MOVE 2:3 Junk\n S: * OK [COPYUID <junk> 3,5 1:2] <text>\n S: * 3 EXPUNGE\n S: * 2 EXPUNGE\n S: a OK <text>").await;
    other
        .talks("C: a NOOP\n S: * 3 EXPUNGE\n S: * 2 EXPUNGE\n S: a OK <text>")
        .await;
}

/// R2180-012
async fn a_number_that_is_gone_is_skipped(world: World) {
    let mut c = world.selected().await;
    world.vanishes(3).await;
    c.talks("C: a MOVE 1:2 Junk\n S: * OK [COPYUID <junk> 2 1] <text>\n S: * 2 EXPUNGE\n S: * 1 EXPUNGE")
        .await;
    let answer = c.response().await;
    // Which of both a server answers is its own choice: what could be moved was moved.
    assert!(answer.starts_with(b"a OK ") || answer.starts_with(b"a NO [EXPUNGEISSUED] "));
}

async fn is_refused_by_a_store_without_it(world: World) {
    let mut c = world.selected().await;
    c.talks("C: a MOVE 1 Junk\n S: a NO [NOPERM] <text>").await;
}
