//! DELETE (RFC 3501 6.3.4).

use imap_compliance::World;

imap_compliance::claims! {
    every: [inbox_cannot_be_deleted, what_is_not_there_cannot_be_deleted],
    writable: [
        takes_the_messages_with_it,
        children_stay_and_the_name_with_them,
        who_has_it_selected_is_told_goodbye,
        who_deletes_what_he_has_selected_is_no_longer_in_it,
        the_subscription_stays,
    ],
    four_methods: [is_refused_by_a_store_without_it],
}

/// R3501-146
async fn inbox_cannot_be_deleted(world: World) {
    let mut c = world.login().await;
    c.talks("C: a DELETE inbox\n S: a NO [CANNOT] <text>").await;
}

/// R3501-147, R5530-002
async fn what_is_not_there_cannot_be_deleted(world: World) {
    let mut c = world.login().await;
    c.talks("C: a DELETE Nowhere\n S: a NO [NONEXISTENT] <text>\n C: b DELETE \"a//b\"\n S: b NO [NONEXISTENT] <text>")
        .await;
}

/// R3501-012
async fn takes_the_messages_with_it(world: World) {
    let mut c = world.login().await;
    c.talks(
        r"C: a APPEND Junk {3+}\r\na\r\n
          S: a OK [APPENDUID <first> 1] <text>
          C: b DELETE Junk
          S: b OK <text>
          C: c SELECT Junk
          S: c NO [NONEXISTENT] <text>
          C: d APPEND Junk {3+}\r\na\r\n
          S: d NO [TRYCREATE] <text>
          C: e CREATE Junk
          S: e OK <text>
          C: f STATUS Junk (MESSAGES UIDVALIDITY)
          S: * STATUS Junk (MESSAGES 0 UIDVALIDITY <second>)
          S: f OK <text>",
    )
    .await;
    assert_ne!(c.bound("first"), c.bound("second"));
}

/// R3501-148, R3501-149, R3501-150
async fn children_stay_and_the_name_with_them(world: World) {
    let mut c = world.login().await;
    c.talks(
        "C: a DELETE Archive
         S: a OK <text>
         C: b LIST \"\" Archive*
         S: * LIST (\\Noselect \\HasChildren) \"/\" Archive
         S: * LIST (\\HasNoChildren) \"/\" Archive/2024
         S: b OK <text>
         C: c LIST \"\" %
         S: * LIST (\\HasNoChildren) \"/\" INBOX
         S: * LIST (\\Noselect \\HasChildren) \"/\" Archive
         S: * LIST (\\HasNoChildren \\Drafts) \"/\" Drafts
         S: * LIST (\\HasNoChildren \\Junk) \"/\" Junk
         S: * LIST (\\HasNoChildren \\Sent) \"/\" Sent
         S: * LIST (\\HasNoChildren \\Trash) \"/\" Trash
         S: * LIST (\\HasNoChildren) \"/\" T&AOQ-glich
         S: c OK <text>
         C: d DELETE Archive
         S: d NO [HASCHILDREN] <text>
         C: e SELECT Archive
         S: e NO [NONEXISTENT] <text>",
    )
    .await;
}

/// R2180-003, R3501-046
async fn who_has_it_selected_is_told_goodbye(world: World) {
    let mut c = world.login().await;
    c.talks(
        r"C: a SELECT Junk
          S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
          S: * 0 EXISTS
          S: * 0 RECENT
          S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] <text>
          S: * OK [UIDNEXT 1] <text>
          S: * OK [UIDVALIDITY <j>] <text>
          S: a OK [READ-WRITE] <text>",
    )
    .await;
    let mut other = world.login().await;
    other.talks("C: a DELETE Junk\n S: a OK <text>").await;
    c.talks("C: b NOOP\n S: b OK <text>\n S: * BYE <text>").await;
    c.is_closed().await;
}

/// R3501-159, R3501-176
async fn the_subscription_stays(world: World) {
    let mut c = world.login().await;
    c.talks(
        "C: a DELETE Junk
         S: a OK <text>
         C: b LSUB \"\" Junk
         S: * LSUB () \"/\" Junk
         S: b OK <text>",
    )
    .await;
}

async fn is_refused_by_a_store_without_it(world: World) {
    let mut c = world.login().await;
    c.talks("C: a DELETE Junk\n S: a NO [CANNOT] <text>").await;
}

/// Others are told goodbye; who does it himself goes on.
async fn who_deletes_what_he_has_selected_is_no_longer_in_it(world: World) {
    let mut c = world.login().await;
    c.talks(
        r"C: a SELECT Junk
          S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
          S: * 0 EXISTS
          S: * 0 RECENT
          S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] <text>
          S: * OK [UIDNEXT 1] <text>
          S: * OK [UIDVALIDITY <j>] <text>
          S: a OK [READ-WRITE] <text>
          C: b DELETE Junk
          S: b OK <text>
          C: c FETCH 1 (FLAGS)
          S: c BAD <text>
          C: d NOOP
          S: d OK <text>",
    )
    .await;
}
