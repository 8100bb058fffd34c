//! STORE (RFC 3501 6.4.6).

use imap_compliance::World;

imap_compliance::claims! {
    every: [malformed_stores_are_bad],
    writable: [
        flags_are_replaced_added_and_removed,
        silent_tells_nothing_of_its_own,
        silent_still_tells_what_others_did,
        a_list_or_bare_flags,
        flags_last_beyond_the_session,
        recent_cannot_be_stored,
        keywords_keep_their_spelling_and_match_without_case,
        a_new_keyword_is_told_once_and_that_it_is_permanent,
        numbers_beyond_the_mailbox_are_bad,
        other_sessions_are_told,
        keywords_beyond_the_limit_are_refused_in_words,
    ],
}

/// R3501-010, R3501-230, R3501-342, R3501-363, R3501-362
async fn malformed_stores_are_bad(world: World) {
    let mut c = world.selected().await;
    for line in [
        "STORE 0 FLAGS ()",
        "STORE 1, FLAGS ()",
        "STORE 1:2:3 FLAGS ()",
        "STORE 1 FLAG (\\Seen)",
        "STORE 1 +FLAGS (\\Seen",
        "STORE 1 +FLAGS \\Seen)",
        "STORE 1 FLAGS (\\Nonsense)",
        "STORE 1 + FLAGS ()",
        "STORE 1 FLAGS.LOUD ()",
        "STORE 01 FLAGS ()",
        "STORE 1 FLAGS (a  b)",
        "STORE 1 FLAGS (\\)",
        "STORE 1 FLAGS {1+}\r\na",
        "STORE 1 +FLAGS (\\Answered) (UNCHANGEDSINCE 1)",
    ] {
        c.says(format!("a {line}")).await;
        c.hears("a BAD <text>").await;
    }
    c.talks(r"C: b FETCH 1 (FLAGS)").await;
    c.hears("* 1 FETCH (FLAGS (\\Seen))\n b OK <text>").await;
}

/// R3501-259, R3501-260, R3501-026
async fn flags_are_replaced_added_and_removed(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a STORE 1:2 +FLAGS (\Draft $Work)
          S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded $Work)
          S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded $Work \*)] <text>
          S: * 1 FETCH (FLAGS (\Seen \Draft $Work))
          S: * 2 FETCH (FLAGS (\Flagged \Draft $Forwarded $Work))
          S: a OK <text>
          C: b STORE 1:2 -FLAGS (\Draft $Forwarded)
          S: * 1 FETCH (FLAGS (\Seen $Work))
          S: * 2 FETCH (FLAGS (\Flagged $Work))
          S: b OK <text>
          C: c STORE 1:2 FLAGS (\Answered)
          S: * 1 FETCH (FLAGS (\Answered))
          S: * 2 FETCH (FLAGS (\Answered))
          S: c OK <text>
          C: d STORE 1 FLAGS ()
          S: * 1 FETCH (FLAGS ())
          S: d OK <text>
          C: e STORE 4,1 +FLAGS (\Answered)
          S: * 1 FETCH (FLAGS (\Answered))
          S: * 4 FETCH (FLAGS (\Answered \Seen))
          S: e OK <text>",
    )
    .await;
}

/// R3501-261
async fn silent_tells_nothing_of_its_own(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a STORE 1:4 +FLAGS.SILENT (\Deleted)
          S: a OK <text>
          C: b NOOP
          S: b OK <text>
          C: c FETCH 3 (FLAGS)
          S: * 3 FETCH (FLAGS (\Deleted))
          S: c OK <text>",
    )
    .await;
}

/// R3501-262
async fn silent_still_tells_what_others_did(world: World) {
    let mut c = world.selected().await;
    let mut other = world.selected().await;
    other.talks(r"C: a STORE 3 +FLAGS.SILENT (\Flagged)").await;
    other.hears("a OK <text>").await;
    c.talks(
        r"C: a STORE 2:3 +FLAGS.SILENT (\Seen)
          S: * 3 FETCH (FLAGS (\Flagged \Seen))
          S: a OK <text>",
    )
    .await;
    other
        .talks(
            r"C: b NOOP
          S: * 2 FETCH (FLAGS (\Flagged \Seen $Forwarded))
          S: * 3 FETCH (FLAGS (\Flagged \Seen))
          S: b OK <text>",
        )
        .await;
}

/// R3501-263
async fn a_list_or_bare_flags(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a STORE 3 FLAGS \Seen \Flagged
          S: * 3 FETCH (FLAGS (\Flagged \Seen))
          S: a OK <text>
          C: b STORE 3 -FLAGS \Seen
          S: * 3 FETCH (FLAGS (\Flagged))
          S: b OK <text>
          C: c STORE 3 +FLAGS ()
          S: * 3 FETCH (FLAGS (\Flagged))
          S: c OK <text>",
    )
    .await;
}

/// R3501-033
async fn flags_last_beyond_the_session(world: World) {
    let mut c = world.selected().await;
    c.talks(r"C: a STORE 3 +FLAGS.SILENT ($Junk \Seen)").await;
    c.talks(
        r"S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded $Junk)
          S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded $Junk \*)] <text>",
    )
    .await;
    c.talks("S: a OK <text>\n C: b LOGOUT\n S: * BYE <text>\n S: b OK <text>")
        .await;
    let mut c = world.login().await;
    c.talks(
        r"C: a SELECT INBOX
          S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded $Junk)
          S: * 4 EXISTS
          S: * 0 RECENT
          S: * OK [UNSEEN 2] <text>
          S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded $Junk \*)] <text>
          S: * OK [UIDNEXT 8] <text>
          S: * OK [UIDVALIDITY <v>] <text>
          S: a OK [READ-WRITE] <text>
          C: b FETCH 3 (FLAGS)
          S: * 3 FETCH (FLAGS (\Seen $Junk))
          S: b OK <text>",
    )
    .await;
}

/// R3501-027, R3501-352
async fn recent_cannot_be_stored(world: World) {
    let mut c = world.selected().await;
    c.talks(r"C: a STORE 1 +FLAGS (\Recent)").await;
    c.hears("a BAD <text>").await;
}

/// R3501-032, R3501-031
async fn keywords_keep_their_spelling_and_match_without_case(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a STORE 1 +FLAGS ($MailFlagBit0)
          S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded $MailFlagBit0)
          S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded $MailFlagBit0 \*)] <text>
          S: * 1 FETCH (FLAGS (\Seen $MailFlagBit0))
          S: a OK <text>
          C: b STORE 2 -FLAGS ($FORWARDED)
          S: * 2 FETCH (FLAGS (\Flagged))
          S: b OK <text>
          C: c SEARCH KEYWORD $mailflagbit0
          S: * SEARCH 1
          S: c OK <text>",
    )
    .await;
}

async fn a_new_keyword_is_told_once_and_that_it_is_permanent(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a STORE 1 +FLAGS (one)
          S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded one)
          S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded one \*)] <text>
          S: * 1 FETCH (FLAGS (\Seen one))
          S: a OK <text>
          C: b STORE 2 +FLAGS (one)
          S: * 2 FETCH (FLAGS (\Flagged $Forwarded one))
          S: b OK <text>",
    )
    .await;
}

/// R3501-256, R3501-410
async fn numbers_beyond_the_mailbox_are_bad(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a STORE 5 +FLAGS (\Seen)
          S: a BAD <text>
          C: b STORE 3:5 +FLAGS (\Seen)
          S: b BAD <text>
          C: c FETCH 3 (FLAGS)
          S: * 3 FETCH (FLAGS ())
          S: c OK <text>",
    )
    .await;
}

/// R5530-007
async fn keywords_beyond_the_limit_are_refused_in_words(world: World) {
    let mut c = world.selected().await;
    for hundred in 0..41 {
        let keywords: Vec<String> = (0..100).map(|n| format!("k{}", hundred * 100 + n)).collect();
        c.says(format!("a STORE 1 +FLAGS.SILENT ({})", keywords.join(" ")))
            .await;
        let mut answer = c.response().await;
        if hundred < 40 {
            assert!(answer.starts_with(b"* FLAGS ("), "{}", String::from_utf8_lossy(&answer));
            answer = c.response().await;
            let permanent = b"* OK [PERMANENTFLAGS (";
            assert!(answer.starts_with(permanent), "{}", String::from_utf8_lossy(&answer));
            answer = c.response().await;
        }
        let expected: &[u8] = if hundred < 40 { b"a OK " } else { b"a NO [LIMIT] " };
        assert!(
            answer.starts_with(expected),
            "{hundred}: {}",
            String::from_utf8_lossy(&answer)
        );
    }
    c.talks("C: b SEARCH KEYWORD k0 KEYWORD k3999\n S: * SEARCH 1\n S: b OK <text>\n C: c SEARCH KEYWORD k4000\n S: * SEARCH\n S: c OK <text>")
        .await;
}

/// R3501-075, R3501-279
async fn other_sessions_are_told(world: World) {
    let mut c = world.selected().await;
    let mut other = world.selected().await;
    c.talks(r"C: a STORE 2 +FLAGS.SILENT (\Seen)").await;
    c.hears("a OK <text>").await;
    other
        .talks(
            r"C: a NOOP
          S: * 2 FETCH (FLAGS (\Flagged \Seen $Forwarded))
          S: a OK <text>
          C: b NOOP
          S: b OK <text>",
        )
        .await;
}
