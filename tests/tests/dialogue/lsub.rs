//! LSUB (RFC 3501 6.3.9).

use imap_compliance::World;

imap_compliance::claims! {
    every: [tells_what_is_subscribed, no_match_is_ok],
    writable: [percent_tells_of_parents_that_are_not_subscribed],
}

/// R3501-173, R3501-175
async fn tells_what_is_subscribed(world: World) {
    let mut c = world.login().await;
    c.talks(
        r#"C: a LSUB "" *
           S: * LSUB () "/" INBOX
           S: * LSUB () "/" Archive
           S: * LSUB () "/" Archive/2024
           S: * LSUB () "/" Drafts
           S: * LSUB () "/" Junk
           S: * LSUB () "/" Sent
           S: * LSUB () "/" Trash
           S: a OK <text>
           C: b LSUB Archive/ %
           S: * LSUB () "/" Archive/2024
           S: b OK <text>"#,
    )
    .await;
}

/// R3501-173
async fn no_match_is_ok(world: World) {
    let mut c = world.login().await;
    c.talks("C: a LSUB \"\" Nowhere*\n S: a OK <text>").await;
}

/// R3501-174, R3501-414
async fn percent_tells_of_parents_that_are_not_subscribed(world: World) {
    let mut c = world.login().await;
    c.talks(
        r#"C: a UNSUBSCRIBE Archive
           S: a OK <text>
           C: b LSUB "" A%
           S: * LSUB (\Noselect) "/" Archive
           S: b OK <text>
           C: c LSUB "" A*
           S: * LSUB () "/" Archive/2024
           S: c OK <text>"#,
    )
    .await;
}
