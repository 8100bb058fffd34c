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

claims! {
    every: [],
    writable: [a_delete_of_another_mailbox_does_not_hide_that_ones_own_is_gone],
}
