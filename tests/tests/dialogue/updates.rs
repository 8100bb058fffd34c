//! When a client is told of what others did (RFC 3501 5.2, 5.5, 7.4.1), and what its numbers mean until then.

use imap_compliance::world::{PLAIN, Settings};
use imap_compliance::{World, message};
use imap_server::PollPolicy;

imap_compliance::claims! {
    every: [
        noop_and_check_tell,
        fetch_by_number_tells_of_new_mail_and_of_no_expunge,
        uid_fetch_tells_expunges_at_its_end,
        search_by_number_tells_no_expunge,
        uid_search_with_a_number_tells_no_expunge,
        select_tells_of_the_new_mailbox_alone,
        n_star_of_uid_fetch_means_the_mailbox_of_now,
        a_number_keeps_its_message_until_its_expunge_is_told,
        a_ghost_stays_readable_and_is_found_by_no_search,
        nothing_is_told_while_no_command_runs,
        nothing_is_told_by_a_bad,
        nothing_is_told_behind_the_back_of_a_pipelined_number,
        what_came_and_went_is_never_mentioned,
        by_policy_only_who_asks_is_told,
    ],
    writable: [
        a_second_flag_change_is_not_lost,
        store_by_number_tells_no_expunge_and_skips_ghosts,
        pipelined_store_and_expunge_keep_their_order,
        no_pipelined_store_marks_what_its_client_never_saw,
        nothing_is_told_while_a_literal_is_awaited,
    ],
}

/// How many messages are recent is the store's to say.
async fn recent(c: &mut imap_compliance::Client) {
    let told = c.response().await;
    assert!(told.ends_with(b" RECENT"), "{}", String::from_utf8_lossy(&told));
}

/// R3501-094, R3501-196, R3501-074, R3501-302, R3501-303
async fn noop_and_check_tell(world: World) {
    let mut c = world.selected().await;
    world.vanishes(3).await;
    world.arrives(&message::plain("new")).await;
    c.talks("C: a NOOP\n S: * 2 EXPUNGE\n S: * 4 EXISTS").await;
    recent(&mut c).await;
    c.talks("S: a OK <text>").await;
    world.vanishes(2).await;
    c.talks("C: b CHECK\n S: * 1 EXPUNGE\n S: b OK <text>\n C: c NOOP\n S: c OK <text>")
        .await;
}

/// R3501-305, R3501-086
async fn fetch_by_number_tells_of_new_mail_and_of_no_expunge(world: World) {
    let mut c = world.selected().await;
    world.vanishes(2).await;
    world.arrives(&message::plain("new")).await;
    c.talks(
        "C: a FETCH 2:* (UID)
         S: * 2 FETCH (UID 3)
         S: * 3 FETCH (UID 5)
         S: * 4 FETCH (UID 7)
         S: * 5 EXISTS",
    )
    .await;
    recent(&mut c).await;
    c.talks(
        "S: a OK <text>
         C: b FETCH 5 (UID)
         S: * 5 FETCH (UID 8)
         S: b OK <text>
         C: c NOOP
         S: * 1 EXPUNGE
         S: c OK <text>
         C: d FETCH 4 (UID)
         S: * 4 FETCH (UID 8)
         S: d OK <text>",
    )
    .await;
}

/// R3501-308
async fn uid_fetch_tells_expunges_at_its_end(world: World) {
    let mut c = world.selected().await;
    world.vanishes(2).await;
    c.talks("C: a UID FETCH 5 (UID)\n S: * 3 FETCH (UID 5)\n S: * 1 EXPUNGE\n S: a OK <text>")
        .await;
}

/// R3501-307, R3501-229, R2180-011
async fn search_by_number_tells_no_expunge(world: World) {
    let mut c = world.selected().await;
    world.vanishes(2).await;
    c.talks("C: a SEARCH ALL\n S: * SEARCH 2 3 4\n S: a OK <text>\n C: b NOOP\n S: * 1 EXPUNGE\n S: b OK <text>")
        .await;
}

/// R3501-307, R3501-378
async fn uid_search_with_a_number_tells_no_expunge(world: World) {
    let mut c = world.selected().await;
    world.vanishes(2).await;
    c.talks(
        "C: a UID SEARCH NOT (2 SEEN)
         S: * SEARCH 3 5 7
         S: a OK <text>
         C: b UID SEARCH ALL
         S: * SEARCH 3 5 7
         S: * 1 EXPUNGE
         S: b OK <text>",
    )
    .await;
}

/// R3501-129
async fn select_tells_of_the_new_mailbox_alone(world: World) {
    let mut c = world.selected().await;
    world.vanishes(2).await;
    c.talks(
        r"C: a EXAMINE Drafts
          S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
          S: * 0 EXISTS
          S: * 0 RECENT
          S: * OK [PERMANENTFLAGS ()] <text>
          S: * OK [UIDNEXT 1] <text>
          S: * OK [UIDVALIDITY <drafts>] <text>
          S: a OK [READ-ONLY] <text>
          C: b NOOP
          S: b OK <text>",
    )
    .await;
}

/// R3501-275, R3501-410
async fn n_star_of_uid_fetch_means_the_mailbox_of_now(world: World) {
    let mut c = world.selected().await;
    world.arrives(&message::plain("new")).await;
    c.talks("C: a UID FETCH 8:* (UID)\n S: * 5 EXISTS").await;
    recent(&mut c).await;
    c.talks(
        "S: * 5 FETCH (UID 8)\n S: a OK <text>\n C: b UID FETCH 100:* (UID)\n S: * 5 FETCH (UID 8)\n S: b OK <text>",
    )
    .await;
}

/// R3501-023, R3501-014, R3501-086, R2180-005
async fn a_number_keeps_its_message_until_its_expunge_is_told(world: World) {
    let mut c = world.selected().await;
    world.vanishes(2).await;
    world.vanishes(5).await;
    for _ in 0..3 {
        c.talks("C: a FETCH 2,4 (UID)\n S: * 2 FETCH (UID 3)\n S: * 4 FETCH (UID 7)\n S: a OK <text>")
            .await;
    }
    c.talks("C: b NOOP\n S: * 3 EXPUNGE\n S: * 1 EXPUNGE\n S: b OK <text>\n C: c FETCH 1:2 (UID)\n S: * 1 FETCH (UID 3)\n S: * 2 FETCH (UID 7)\n S: c OK <text>")
        .await;
}

/// R2180-005, R2180-006, R2180-011, R5530-005
async fn a_ghost_stays_readable_and_is_found_by_no_search(world: World) {
    let mut c = world.selected().await;
    world.vanishes(2).await;
    c.talks(
        "C: a SEARCH 1:2
         S: * SEARCH 2
         S: a OK <text>
         C: b FETCH 1 (UID)",
    )
    .await;
    // A ghost is answered as long as it can be, else it is said that it cannot.
    let told = c.response().await;
    if told == b"* 1 FETCH (UID 2)" {
        let answer = c.response().await;
        assert!(answer.starts_with(b"b OK ") || answer.starts_with(b"b NO [EXPUNGEISSUED] "));
    } else {
        assert!(
            told.starts_with(b"b NO [EXPUNGEISSUED] "),
            "{}",
            String::from_utf8_lossy(&told)
        );
    }
    c.talks("C: c NOOP\n S: * 1 EXPUNGE\n S: c OK <text>").await;
}

/// R3501-304, R3501-079
async fn nothing_is_told_while_no_command_runs(world: World) {
    let mut c = world.selected().await;
    world.vanishes(2).await;
    world.arrives(std::str::from_utf8(PLAIN).unwrap()).await;
    let mut other = world.login().await;
    other
        .talks("C: a STATUS INBOX (MESSAGES)\n S: * STATUS INBOX (MESSAGES 4)\n S: a OK <text>")
        .await;
    c.says("b UNSELECT").await;
    c.hears("b OK <text>").await;
}

/// R3501-359
async fn nothing_is_told_by_a_bad(world: World) {
    let mut c = world.selected().await;
    world.vanishes(2).await;
    c.talks("C: a NOOP x\n S: a BAD <text>\n C: b FETCH 5 (UID)\n S: b BAD <text>\n C: c NOOP\n S: * 1 EXPUNGE\n S: c OK <text>").await;
}

/// R3501-086, R3501-083
async fn nothing_is_told_behind_the_back_of_a_pipelined_number(world: World) {
    let mut c = world.selected().await;
    world.vanishes(2).await;
    world.arrives(&message::plain("new")).await;
    c.talks(
        r"C: a NOOP\r\nb FETCH 2:* (UID)\r\nc NOOP
          S: a OK <text>
          S: * 2 FETCH (UID 3)
          S: * 3 FETCH (UID 5)
          S: * 4 FETCH (UID 7)
          S: * 5 EXISTS",
    )
    .await;
    recent(&mut c).await;
    c.talks("S: b OK <text>\n S: * 1 EXPUNGE\n S: c OK <text>").await;
}

async fn what_came_and_went_is_never_mentioned(world: World) {
    let mut c = world.selected().await;
    let uid = world.arrives(&message::plain("short-lived")).await;
    world.vanishes(uid.get()).await;
    c.talks("C: a NOOP\n S: a OK <text>").await;
}

/// R3501-074
async fn by_policy_only_who_asks_is_told(world: World) {
    let settings = Settings {
        poll: PollPolicy::OnlyWhenAsked,
        ..Settings::default()
    };
    let world = World::with(world.kind(), &settings).await;
    let mut c = world.selected().await;
    world.vanishes(2).await;
    c.talks(
        "C: a NAMESPACE
         S: * NAMESPACE ((\"\" \"/\")) NIL NIL
         S: a OK <text>
         C: b NOOP
         S: * 1 EXPUNGE
         S: b OK <text>",
    )
    .await;
}

/// R3501-075
async fn a_second_flag_change_is_not_lost(world: World) {
    let mut c = world.selected().await;
    let mut other = world.selected().await;
    for flag in [r"\Seen", r"\Flagged", r"\Draft"] {
        other.says(format!("a STORE 3 +FLAGS.SILENT ({flag})")).await;
        other.hears("a OK <text>").await;
    }
    c.talks(r"C: a NOOP").await;
    c.hears(r"* 3 FETCH (FLAGS (\Flagged \Seen \Draft))").await;
    c.hears("a OK <text>").await;
    other.talks(r"C: b STORE 3 -FLAGS.SILENT (\Draft)").await;
    other.hears("b OK <text>").await;
    c.talks(r"C: b FETCH 3 (FLAGS)").await;
    c.hears(r"* 3 FETCH (FLAGS (\Flagged \Seen))").await;
    let mut last = c.response().await;
    if last.starts_with(b"* ") {
        assert_eq!(last, br"* 3 FETCH (FLAGS (\Flagged \Seen))");
        last = c.response().await;
    }
    assert!(last.starts_with(b"b OK "));
}

/// R3501-306, R2180-009, R2180-010, R2180-015, R5530-005
async fn store_by_number_tells_no_expunge_and_skips_ghosts(world: World) {
    let mut c = world.selected().await;
    world.vanishes(2).await;
    c.talks(
        r"C: a STORE 1,3 +FLAGS (\Seen)
          S: * 3 FETCH (FLAGS (\Seen))
          S: a NO [EXPUNGEISSUED] <text>
          C: b STORE 1,3 +FLAGS.SILENT (\Draft)
          S: b OK <text>
          C: c STORE 1 +FLAGS (\Seen)
          S: c NO [EXPUNGEISSUED] <text>
          C: d UID STORE 2,5 +FLAGS (\Seen)
          S: * 3 FETCH (UID 5 FLAGS (\Seen \Draft))
          S: * 1 EXPUNGE
          S: d OK <text>",
    )
    .await;
}

/// R3501-085, R3501-083
async fn pipelined_store_and_expunge_keep_their_order(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a STORE 2 +FLAGS.SILENT (\Deleted)\r\nb EXPUNGE\r\nc STORE 2 +FLAGS (\Deleted)\r\nd EXPUNGE
          S: a OK <text>
          S: * 2 EXPUNGE
          S: b OK <text>
          S: * 2 FETCH (FLAGS (\Deleted))
          S: c OK <text>
          S: * 2 EXPUNGE
          S: d OK <text>
          C: e FETCH 1:* (UID)
          S: * 1 FETCH (UID 2)
          S: * 2 FETCH (UID 7)
          S: e OK <text>",
    )
    .await;
}

/// R3501-086
async fn no_pipelined_store_marks_what_its_client_never_saw(world: World) {
    let mut c = world.selected().await;
    world.arrives(&message::plain("unseen")).await;
    c.talks(
        r"C: a NOOP\r\nb STORE 1:* +FLAGS.SILENT (\Deleted)\r\nc EXPUNGE
          S: a OK <text>",
    )
    .await;
    while !c.response().await.starts_with(b"c OK ") {}
    c.talks("C: d UID FETCH 1:* (UID)\n S: * 1 FETCH (UID 8)\n S: d OK <text>")
        .await;
}

/// R3501-358, R3501-409
async fn nothing_is_told_while_a_literal_is_awaited(world: World) {
    let mut c = world.selected().await;
    c.talks("C: a APPEND INBOX {3}\n S: + <text>").await;
    world.vanishes(2).await;
    let mut other = world.login().await;
    other
        .talks("C: a STATUS INBOX (MESSAGES)\n S: * STATUS INBOX (MESSAGES 3)\n S: a OK <text>")
        .await;
    c.talks("C: abc\n S: * 1 EXPUNGE\n S: * 4 EXISTS").await;
    recent(&mut c).await;
    c.talks("S: a OK [APPENDUID <v> 8] <text>").await;
}
