//! SUBSCRIBE and UNSUBSCRIBE (RFC 3501 6.3.6, 6.3.7).

use imap_compliance::World;

imap_compliance::claims! {
    every: [a_name_is_needed],
    writable: [adds_and_removes_a_name, is_known_to_other_sessions],
    four_methods: [is_refused_by_a_store_without_it],
}

/// R3501-010
async fn a_name_is_needed(world: World) {
    let mut c = world.login().await;
    c.talks("C: a SUBSCRIBE\n S: a BAD <text>\n C: b UNSUBSCRIBE a b\n S: b BAD <text>")
        .await;
}

/// R3501-160, R3501-161
async fn adds_and_removes_a_name(world: World) {
    let mut c = world.login().await;
    c.talks(
        r#"C: a SUBSCRIBE T&AOQ-glich
           S: a OK <text>
           C: b LSUB "" T*
           S: * LSUB () "/" Trash
           S: * LSUB () "/" T&AOQ-glich
           S: b OK <text>
           C: c UNSUBSCRIBE T&AOQ-glich
           S: c OK <text>
           C: d LSUB "" T*
           S: * LSUB () "/" Trash
           S: d OK <text>
           C: e SUBSCRIBE inbox
           S: e OK <text>"#,
    )
    .await;
}

/// R3501-160
async fn is_known_to_other_sessions(world: World) {
    let mut c = world.login().await;
    let mut other = world.login().await;
    c.talks("C: a UNSUBSCRIBE Junk\n S: a OK <text>").await;
    other.talks("C: a LSUB \"\" Junk\n S: a OK <text>").await;
}

async fn is_refused_by_a_store_without_it(world: World) {
    let mut c = world.login().await;
    c.talks("C: a SUBSCRIBE T&AOQ-glich\n S: a NO [CANNOT] <text>").await;
}
