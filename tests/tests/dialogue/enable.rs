//! ENABLE (RFC 5161).

use imap_compliance::World;

imap_compliance::claims! {
    every: [what_is_unknown_is_ignored_and_enabled_is_answered, without_arguments_it_is_bad, capabilities_stay_as_they_are],
}

/// R5161-001, R5161-002, R5161-005, R5161-007
async fn what_is_unknown_is_ignored_and_enabled_is_answered(world: World) {
    let mut c = world.login().await;
    c.talks(
        "C: a ENABLE UTF8=ACCEPT X-NONSENSE
         S: * ENABLED
         S: a OK <text>
         C: b ENABLE IMAP4rev1 IDLE
         S: * ENABLED
         S: b OK <text>",
    )
    .await;
}

/// R5161-006
async fn without_arguments_it_is_bad(world: World) {
    let mut c = world.login().await;
    c.talks("C: a ENABLE\n S: a BAD <text>\n C: b ENABLE (X)\n S: b BAD <text>")
        .await;
}

/// R5161-003, R3501-291
async fn capabilities_stay_as_they_are(world: World) {
    let mut c = world.login().await;
    c.says("a CAPABILITY").await;
    let before = c.response().await;
    c.hears("a OK <text>").await;
    c.talks("C: b ENABLE CONDSTORE\n S: * ENABLED\n S: b OK <text>\n C: c CAPABILITY")
        .await;
    c.hears_octets(&before).await;
    c.hears("c OK <text>").await;
}
