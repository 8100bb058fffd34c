//! EXPUNGE (RFC 3501 6.4.3) and UID EXPUNGE (RFC 4315 2.1).

use imap_compliance::World;

imap_compliance::claims! {
    every: [a_uid_set_is_needed_for_uid_expunge],
    writable: [
        each_number_accounts_for_those_before,
        with_nothing_deleted_it_is_ok,
        uid_expunge_removes_those_in_the_set_alone,
        what_another_session_deleted_goes_too,
        what_was_not_announced_stays,
    ],
}

/// R4315-012, R3501-010
async fn a_uid_set_is_needed_for_uid_expunge(world: World) {
    let mut c = world.selected().await;
    c.talks("C: a UID EXPUNGE\n S: a BAD <text>\n C: b UID EXPUNGE 0\n S: b BAD <text>\n C: c UID EXPUNGE x\n S: c BAD <text>").await;
}

/// R3501-200, R3501-201, R3501-024, R3501-309, R3501-310
async fn each_number_accounts_for_those_before(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a STORE 1,3,4 +FLAGS.SILENT (\Deleted)
          S: a OK <text>
          C: b EXPUNGE
          S: * 4 EXPUNGE
          S: * 3 EXPUNGE
          S: * 1 EXPUNGE
          S: b OK <text>
          C: c FETCH 1:* (UID)
          S: * 1 FETCH (UID 3)
          S: c OK <text>
          C: d FETCH 2 (UID)
          S: d BAD <text>",
    )
    .await;
}

/// R3501-420
async fn with_nothing_deleted_it_is_ok(world: World) {
    let mut c = world.selected().await;
    c.talks("C: a EXPUNGE\n S: a OK <text>\n C: b UID EXPUNGE 1:*\n S: b OK <text>")
        .await;
}

/// R4315-001, R4315-002, R3501-379
async fn uid_expunge_removes_those_in_the_set_alone(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a STORE 1:3 +FLAGS.SILENT (\Deleted)
          S: a OK <text>
          C: b UID EXPUNGE 3,7,100
          S: * 2 EXPUNGE
          S: b OK <text>
          C: c UID EXPUNGE *
          S: c OK <text>
          C: d UID EXPUNGE 5:*
          S: * 2 EXPUNGE
          S: d OK <text>
          C: e FETCH 1:* (UID)
          S: * 1 FETCH (UID 2)
          S: * 2 FETCH (UID 7)
          S: e OK <text>",
    )
    .await;
}

/// R3501-200
async fn what_another_session_deleted_goes_too(world: World) {
    let mut c = world.selected().await;
    let mut other = world.selected().await;
    other.talks(r"C: a STORE 2 +FLAGS.SILENT (\Deleted)").await;
    other.hears("a OK <text>").await;
    c.talks("C: a EXPUNGE\n S: * 2 EXPUNGE\n S: a OK <text>").await;
    other.talks("C: b NOOP\n S: * 2 EXPUNGE\n S: b OK <text>").await;
}

async fn what_was_not_announced_stays(world: World) {
    let mut c = world.selected().await;
    let mut other = world.selected().await;
    other
        .talks(
            r"C: a APPEND INBOX (\Deleted) {3+}\r\na\r\n
          S: * 5 EXISTS
          S: * 1 RECENT
          S: a OK [APPENDUID <v> 8] <text>",
        )
        .await;
    c.talks("C: a EXPUNGE\n S: * 5 EXISTS\n S: * 0 RECENT\n S: a OK <text>")
        .await;
    c.talks("C: b EXPUNGE\n S: * 5 EXPUNGE\n S: b OK <text>").await;
}
