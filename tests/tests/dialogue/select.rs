//! SELECT, EXAMINE, CLOSE, UNSELECT (RFC 3501 6.3.1, 6.3.2, 6.4.2, RFC 3691).

use imap_compliance::{Kind, World};

imap_compliance::claims! {
    every: [
        tells_the_whole_of_a_mailbox,
        examine_tells_the_same_and_is_read_only,
        an_empty_mailbox_has_no_unseen,
        one_that_fails_leaves_nothing_selected,
        inbox_has_no_case,
        another_mailbox_takes_the_place_of_the_first,
        close_after_examine_removes_nothing,
        bad_arguments_leave_the_mailbox_selected,
        names_with_wildcards_are_names,
    ],
    writable: [
        close_removes_what_is_deleted_without_a_word,
        unselect_removes_nothing,
        selecting_another_removes_nothing,
        recent_goes_to_the_first_session_alone,
        examine_takes_no_message_for_recent,
        examine_changes_nothing,
    ],
    four_methods: [a_store_that_only_reads_is_read_only],
}

/// R3501-044, R3501-122, R3501-123, R3501-124, R3501-125, R3501-126, R3501-127, R3501-128, R3501-131, R3501-301, R3501-364,
/// R4315-010
async fn tells_the_whole_of_a_mailbox(world: World) {
    world.selected().await;
}

/// R3501-132, R3501-135, R3501-137
async fn examine_tells_the_same_and_is_read_only(world: World) {
    let mut c = world.login().await;
    c.says("a EXAMINE INBOX").await;
    c.hears(&world.selected_lines("a", "READ-ONLY")).await;
}

/// R3501-125, R3501-364
async fn an_empty_mailbox_has_no_unseen(world: World) {
    let mut c = world.login().await;
    c.talks(
        r"C: a EXAMINE Drafts
          S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
          S: * 0 EXISTS
          S: * 0 RECENT
          S: * OK [PERMANENTFLAGS ()] <text>
          S: * OK [UIDNEXT 1] <text>
          S: * OK [UIDVALIDITY <v>] <text>
          S: a OK [READ-ONLY] <text>",
    )
    .await;
}

/// R3501-043, R3501-130, R3501-134, R5530-002
async fn one_that_fails_leaves_nothing_selected(world: World) {
    let mut c = world.selected().await;
    c.talks(
        "C: a SELECT Nowhere
         S: a NO [NONEXISTENT] <text>
         C: b FETCH 1 FLAGS
         S: b BAD <text>",
    )
    .await;
    c.says("c SELECT INBOX").await;
    c.hears(&world.selected_lines("c", "READ-WRITE")).await;
    c.talks("C: d EXAMINE \"\"\n S: d NO [NONEXISTENT] <text>\n C: e CHECK\n S: e BAD <text>")
        .await;
}

/// R3501-058, R3501-059, R3501-339
async fn inbox_has_no_case(world: World) {
    let mut c = world.login().await;
    for name in ["inbox", "\"iNbOx\"", "{5+}\r\nInbox"] {
        c.says(format!("a SELECT {name}")).await;
        c.hears(&world.selected_lines("a", "READ-WRITE")).await;
    }
}

/// R3501-129
async fn another_mailbox_takes_the_place_of_the_first(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a EXAMINE Drafts
          S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
          S: * 0 EXISTS
          S: * 0 RECENT
          S: * OK [PERMANENTFLAGS ()] <text>
          S: * OK [UIDNEXT 1] <text>
          S: * OK [UIDVALIDITY <drafts>] <text>
          S: a OK [READ-ONLY] <text>
          C: b FETCH 1 FLAGS
          S: b BAD <text>",
    )
    .await;
}

/// R3501-138, R3501-198, R3501-202, R3501-264
async fn close_after_examine_removes_nothing(world: World) {
    if world.kind() != Kind::FourMethods {
        let mut other = world.selected().await;
        other.talks(r"C: a STORE 1 +FLAGS.SILENT (\Deleted)").await;
        other.hears("a OK <text>").await;
    }
    let mut c = world.login().await;
    c.says("a EXAMINE INBOX").await;
    c.hears(&world.selected_lines("a", "READ-ONLY")).await;
    c.talks(
        r"C: b STORE 2 +FLAGS (\Deleted)
          S: b NO [NOPERM] <text>
          C: c EXPUNGE
          S: c NO [NOPERM] <text>
          C: d UID EXPUNGE 2
          S: d NO [NOPERM] <text>
          C: e CLOSE
          S: e OK <text>
          C: f STATUS INBOX (MESSAGES)
          S: * STATUS INBOX (MESSAGES 4)
          S: f OK <text>",
    )
    .await;
}

/// R3501-359, R3501-360
async fn bad_arguments_leave_the_mailbox_selected(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a SELECT
          S: a BAD <text>
          C: b SELECT INBOX (FOO
          S: b BAD <text>
          C: c DELETE Nowhere
          S: c NO [NONEXISTENT] <text>",
    )
    .await;
    c.talks("C: d UID FETCH 2 (UID)\n S: * 1 FETCH (UID 2)\n S: d OK <text>")
        .await;
}

/// R3501-063, R3501-345
async fn names_with_wildcards_are_names(world: World) {
    let mut c = world.login().await;
    c.talks(
        "C: a SELECT \"IN%\"
         S: a NO [NONEXISTENT] <text>
         C: b SELECT \"*\"
         S: b NO [NONEXISTENT] <text>
         C: c SELECT *
         S: c BAD <text>
         C: d SELECT IN%
         S: d BAD <text>",
    )
    .await;
}

/// R3501-197
async fn close_removes_what_is_deleted_without_a_word(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a STORE 1,3 +FLAGS.SILENT (\Deleted)
          S: a OK <text>
          C: b CLOSE
          S: b OK <text>
          C: c CHECK
          S: c BAD <text>
          C: d EXAMINE INBOX
          S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded)
          S: * 2 EXISTS
          S: * 0 RECENT
          S: * OK [UNSEEN 1] <text>
          S: * OK [PERMANENTFLAGS ()] <text>
          S: * OK [UIDNEXT 8] <text>
          S: * OK [UIDVALIDITY <v>] <text>
          S: d OK [READ-ONLY] <text>
          C: e FETCH 1:* (UID)
          S: * 1 FETCH (UID 3)
          S: * 2 FETCH (UID 7)
          S: e OK <text>",
    )
    .await;
}

/// R3691-001
async fn unselect_removes_nothing(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a STORE 1 +FLAGS.SILENT (\Deleted)
          S: a OK <text>
          C: b UNSELECT
          S: b OK <text>
          C: c EXPUNGE
          S: c BAD <text>
          C: d STATUS INBOX (MESSAGES UNSEEN)
          S: * STATUS INBOX (MESSAGES 4 UNSEEN 2)
          S: d OK <text>",
    )
    .await;
}

/// R3501-129, R3501-199
async fn selecting_another_removes_nothing(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a STORE 1 +FLAGS.SILENT (\Deleted)
          S: a OK <text>
          C: b EXAMINE Nowhere
          S: b NO [NONEXISTENT] <text>
          C: c STATUS INBOX (MESSAGES)
          S: * STATUS INBOX (MESSAGES 4)
          S: c OK <text>",
    )
    .await;
}

/// R3501-028, R3501-334, R3501-419
async fn recent_goes_to_the_first_session_alone(world: World) {
    let mut c = world.login().await;
    c.talks(
        r"C: a APPEND Drafts {3+}\r\na\r\n
          S: a OK [APPENDUID <d> 1] <text>
          C: b STATUS Drafts (RECENT)
          S: * STATUS Drafts (RECENT 1)
          S: b OK <text>
          C: c SELECT Drafts
          S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
          S: * 1 EXISTS
          S: * 1 RECENT
          S: * OK [UNSEEN 1] <text>
          S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] <text>
          S: * OK [UIDNEXT 2] <text>
          S: * OK [UIDVALIDITY <d>] <text>
          S: c OK [READ-WRITE] <text>
          C: d FETCH 1 (FLAGS)
          S: * 1 FETCH (FLAGS (\Recent))
          S: d OK <text>
          C: e SEARCH RECENT
          S: * SEARCH 1
          S: e OK <text>",
    )
    .await;
    let mut other = world.login().await;
    other
        .talks(
            r"C: a SELECT Drafts
          S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
          S: * 1 EXISTS
          S: * 0 RECENT
          S: * OK [UNSEEN 1] <text>
          S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] <text>
          S: * OK [UIDNEXT 2] <text>
          S: * OK [UIDVALIDITY <d>] <text>
          S: a OK [READ-WRITE] <text>
          C: b FETCH 1 (FLAGS)
          S: * 1 FETCH (FLAGS ())
          S: b OK <text>
          C: c SEARCH OLD
          S: * SEARCH 1
          S: c OK <text>",
        )
        .await;
}

/// R3501-030, R3501-136
async fn examine_takes_no_message_for_recent(world: World) {
    let mut c = world.login().await;
    c.talks("C: a APPEND Drafts {3+}\\r\\na\\r\\n\n S: a OK [APPENDUID <d> 1] <text>")
        .await;
    for _ in 0..2 {
        c.talks(
            r"C: c EXAMINE Drafts
          S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
          S: * 1 EXISTS
          S: * 1 RECENT
          S: * OK [UNSEEN 1] <text>
          S: * OK [PERMANENTFLAGS ()] <text>
          S: * OK [UIDNEXT 2] <text>
          S: * OK [UIDVALIDITY <d>] <text>
          S: c OK [READ-ONLY] <text>",
        )
        .await;
    }
}

/// R3501-138
async fn examine_changes_nothing(world: World) {
    let mut c = world.login().await;
    c.says("a EXAMINE INBOX").await;
    c.hears(&world.selected_lines("a", "READ-ONLY")).await;
    c.talks(
        r"C: b FETCH 3 (BODY[HEADER.FIELDS (SUBJECT)])
          S: * 3 FETCH (BODY[HEADER.FIELDS (SUBJECT)] {18}\r\nSubject: 8-bit\r\n\r\n)
          S: b OK <text>
          C: c FETCH 3 (FLAGS)
          S: * 3 FETCH (FLAGS ())
          S: c OK <text>
          C: d MOVE 1 Archive
          S: d NO [NOPERM] <text>
          C: e COPY 1 Archive
          S: e OK [COPYUID <archive> 2 1] <text>",
    )
    .await;
}

/// R3501-132, R3501-133
async fn a_store_that_only_reads_is_read_only(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a STORE 1 FLAGS ()
          S: a NO [NOPERM] <text>
          C: b EXPUNGE
          S: b NO [NOPERM] <text>",
    )
    .await;
    c.talks("C: d CLOSE\n S: d OK <text>").await;
}
