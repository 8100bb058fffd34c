//! What the model checker found: the shortest conversation that showed each fault.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use imap_compliance::{World, claims};

/// Who is in a mailbox that another client deleted is told so, whatever else he deletes meanwhile himself (RFC 2180 3.3):
/// otherwise his next commands would be answered BAD, for no reason that he knows.
async fn a_delete_of_another_mailbox_does_not_hide_that_ones_own_is_gone(world: World) {
    let mut viewer = world.login().await;
    viewer.talks("C: s EXAMINE Archive").await;
    viewer
        .hears(
            r"* FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
              * 0 EXISTS
              * 0 RECENT
              * OK [PERMANENTFLAGS ()] <text>
              * OK [UIDNEXT 1] <text>
              * OK [UIDVALIDITY <v>] <text>
              s OK [READ-ONLY] <text>",
        )
        .await;
    let mut other = world.login().await;
    other.talks("C: d DELETE Archive\nS: d OK <text>").await;
    viewer.talks("C: e DELETE Junk\nS: e OK <text>\nS: * BYE <text>").await;
    viewer.is_closed().await;
}

/// Who closes a mailbox that another client has deleted has closed it: nothing is left to be expunged, and RFC 3501 6.4.2
/// knows no other answer.
async fn a_mailbox_that_is_gone_can_be_closed(world: World) {
    let mut other = world.login().await;
    other
        .talks("C: a APPEND Archive {8+}\r\nX: y\r\n\r\n\nS: a OK [APPENDUID <v> 1] <text>")
        .await;
    let mut viewer = world.login().await;
    viewer.says("s SELECT Archive").await;
    viewer
        .hears(
            r"* FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
              * 1 EXISTS
              * 1 RECENT
              * OK [UNSEEN 1] <text>
              * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] <text>
              * OK [UIDNEXT 2] <text>
              * OK [UIDVALIDITY <v>] <text>
              s OK [READ-WRITE] <text>",
        )
        .await;
    other.talks("C: d DELETE Archive\nS: d OK <text>").await;
    viewer
        .talks("C: c CLOSE\nS: c OK <text>\nC: n NOOP\nS: n OK <text>")
        .await;
}

claims! {
    every: [],
    writable: [
        a_delete_of_another_mailbox_does_not_hide_that_ones_own_is_gone,
        a_mailbox_that_is_gone_can_be_closed,
    ],
}
