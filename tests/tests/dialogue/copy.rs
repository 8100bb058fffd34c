//! COPY and UID COPY (RFC 3501 6.4.7) with COPYUID (RFC 4315).

use imap_compliance::World;

imap_compliance::claims! {
    every: [a_missing_target_can_be_created_first, malformed_copies_are_bad],
    writable: [
        copies_keep_flags_and_date,
        uid_copy_skips_what_is_not_there,
        into_the_same_mailbox,
        a_number_that_is_gone_copies_nothing,
        by_uid_what_is_gone_is_skipped,
        out_of_a_mailbox_opened_by_examine,
    ],
    four_methods: [is_refused_where_the_target_cannot_be_written],
}

/// R3501-266, R3501-267, R3501-268, R3501-269
async fn a_missing_target_can_be_created_first(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r#"C: a COPY 1 Nowhere
           S: a NO [TRYCREATE] <text>
           C: b UID COPY 2 Nowhere
           S: b NO [TRYCREATE] <text>
           C: c LIST "" Nowhere
           S: c OK <text>"#,
    )
    .await;
}

/// R3501-256, R3501-363
async fn malformed_copies_are_bad(world: World) {
    let mut c = world.selected().await;
    for line in [
        "COPY 0 Junk",
        "COPY 5 Junk",
        "COPY 1:5 Junk",
        "COPY 1",
        "COPY * * Junk",
        "COPY 1 2 Junk",
        "UID COPY 0 Junk",
        "COPY a Junk",
    ] {
        c.says(format!("a {line}")).await;
        c.hears("a BAD <text>").await;
    }
}

/// R3501-035, R3501-265, R3501-270, R3501-421, R4315-004, R4315-007, R4315-008, R4315-014
async fn copies_keep_flags_and_date(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r#"C: a COPY 4,1:2 Junk
           S: a OK [COPYUID <junk> 2:3,7 1:3] <text>
           C: b FETCH 1:4 (UID FLAGS)
           S: * 1 FETCH (UID 2 FLAGS (\Seen))
           S: * 2 FETCH (UID 3 FLAGS (\Flagged $Forwarded))
           S: * 3 FETCH (UID 5 FLAGS ())
           S: * 4 FETCH (UID 7 FLAGS (\Answered \Seen))
           S: b OK <text>
           C: c SELECT Junk
           S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded)
           S: * 3 EXISTS
           S: * 3 RECENT
           S: * OK [UNSEEN 2] <text>
           S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded \*)] <text>
           S: * OK [UIDNEXT 4] <text>
           S: * OK [UIDVALIDITY <junk>] <text>
           S: c OK [READ-WRITE] <text>
           C: d FETCH 1:3 (FLAGS INTERNALDATE)
           S: * 1 FETCH (FLAGS (\Seen \Recent) INTERNALDATE " 8-Feb-1994 05:53:25 +0000")
           S: * 2 FETCH (FLAGS (\Flagged $Forwarded \Recent) INTERNALDATE "17-Jul-1996 02:44:25 -0700")
           S: * 3 FETCH (FLAGS (\Answered \Seen \Recent) INTERNALDATE " 1-Mar-2024 00:30:25 +0530")
           S: d OK <text>"#,
    )
    .await;
}

/// R3501-271, R3501-274, R3501-381, R4315-013
async fn uid_copy_skips_what_is_not_there(world: World) {
    let mut c = world.selected().await;
    c.talks(
        "C: a UID COPY 1:4,100 Junk
         S: a OK [COPYUID <junk> 2:3 1:2] <text>
         C: b UID COPY 4,6 Junk
         S: b OK <text>
         C: c STATUS Junk (MESSAGES)
         S: * STATUS Junk (MESSAGES 2)
         S: c OK <text>",
    )
    .await;
}

/// R3501-013
async fn into_the_same_mailbox(world: World) {
    let mut c = world.selected().await;
    c.talks(
        "C: a COPY 2 INBOX
         S: * 5 EXISTS
         S: * 1 RECENT
         S: a OK [COPYUID <v> 3 8] <text>",
    )
    .await;
}

/// R2180-012, R2180-017, R3501-269, R5530-005
async fn a_number_that_is_gone_copies_nothing(world: World) {
    let mut c = world.selected().await;
    world.vanishes(3).await;
    c.talks(
        "C: a COPY 1:2 Junk
         S: * 2 EXPUNGE
         S: a NO [EXPUNGEISSUED] <text>
         C: b STATUS Junk (MESSAGES)
         S: * STATUS Junk (MESSAGES 0)
         S: b OK <text>",
    )
    .await;
}

/// R3501-274
async fn by_uid_what_is_gone_is_skipped(world: World) {
    let mut c = world.selected().await;
    world.vanishes(3).await;
    c.talks(
        "C: a UID COPY 2:3 Junk
         S: * 2 EXPUNGE
         S: a OK [COPYUID <junk> 2 1] <text>",
    )
    .await;
}

async fn out_of_a_mailbox_opened_by_examine(world: World) {
    let mut c = world.login().await;
    c.says("a EXAMINE INBOX").await;
    c.hears(&world.selected_lines("a", "READ-ONLY")).await;
    c.talks("C: b COPY 1 Junk\n S: b OK [COPYUID <junk> 2 1] <text>").await;
}

async fn is_refused_where_the_target_cannot_be_written(world: World) {
    let mut c = world.selected().await;
    c.talks("C: a COPY 1 Junk\n S: a NO [NOPERM] <text>").await;
}
