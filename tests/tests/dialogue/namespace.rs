//! NAMESPACE (RFC 2342).

use imap_compliance::World;

imap_compliance::claims! {
    every: [there_is_one_personal_namespace_without_a_prefix],
}

/// R2342-002
async fn there_is_one_personal_namespace_without_a_prefix(world: World) {
    let mut c = world.login().await;
    c.talks("C: a NAMESPACE\n S: * NAMESPACE ((\"\" \"/\")) NIL NIL\n S: a OK <text>")
        .await;
}
