//! CREATE (RFC 3501 6.3.3) and CREATE with USE (RFC 6154 3).

use imap_compliance::World;

imap_compliance::claims! {
    every: [inbox_cannot_be_made, a_name_with_control_characters_is_refused, an_unknown_use_is_refused],
    writable: [
        makes_a_mailbox_once,
        makes_the_levels_above,
        a_separator_at_the_end_is_no_part_of_the_name,
        a_mailbox_made_again_has_another_uidvalidity,
        names_are_modified_utf_7,
        nil_is_a_name,
        a_special_use_is_kept,
    ],
    four_methods: [is_refused_by_a_store_without_it],
}

/// R3501-140
async fn inbox_cannot_be_made(world: World) {
    let mut c = world.login().await;
    c.talks(
        "C: a CREATE inbox\n S: a NO [ALREADYEXISTS] <text>\n C: b CREATE \"INBOX/\"\n S: b NO [ALREADYEXISTS] <text>",
    )
    .await;
}

/// R3501-060, R3501-145, R3501-193
async fn a_name_with_control_characters_is_refused(world: World) {
    let mut c = world.login().await;
    c.sends(b"a CREATE {5+}\r\na\r\nbc\r\n").await;
    c.hears("a NO [CANNOT] <text>").await;
    c.sends(b"b CREATE {3+}\r\na\x07b\r\n").await;
    c.hears("b NO [CANNOT] <text>").await;
    c.sends(b"c CREATE {3+}\r\na\0b\r\n").await;
    c.hears("c BAD <text>").await;
    c.talks("C: d LIST \"\" a%\n S: d OK <text>").await;
}

/// R6154-003, R6154-004
async fn an_unknown_use_is_refused(world: World) {
    let mut c = world.login().await;
    c.talks(
        r"C: a CREATE New (USE (\Nonsense))
          S: a NO [USEATTR] <text>
          C: b CREATE New (USE All)
          S: b BAD <text>
          C: c CREATE New (FOO)
          S: c BAD <text>
          C: d LIST '' New
          S: d OK <text>"
            .replace("''", "\"\"")
            .as_str(),
    )
    .await;
}

/// R3501-139, R3501-145, R5530-001
async fn makes_a_mailbox_once(world: World) {
    let mut c = world.login().await;
    c.talks(
        "C: a CREATE New
         S: a OK <text>
         C: b CREATE New
         S: b NO [ALREADYEXISTS] <text>
         C: c LIST \"\" New
         S: * LIST (\\HasNoChildren) \"/\" New
         S: c OK <text>
         C: d LSUB \"\" New
         S: d OK <text>",
    )
    .await;
}

/// R3501-143
async fn makes_the_levels_above(world: World) {
    let mut c = world.login().await;
    c.talks(
        "C: a CREATE x/y/z
         S: a OK <text>
         C: b LIST \"\" x*
         S: * LIST (\\HasChildren) \"/\" x
         S: * LIST (\\HasChildren) \"/\" x/y
         S: * LIST (\\HasNoChildren) \"/\" x/y/z
         S: b OK <text>",
    )
    .await;
}

/// R3501-141, R3501-142
async fn a_separator_at_the_end_is_no_part_of_the_name(world: World) {
    let mut c = world.login().await;
    c.talks(
        "C: a CREATE x/
         S: a OK <text>
         C: b LIST \"\" x%
         S: * LIST (\\HasNoChildren) \"/\" x
         S: b OK <text>
         C: c CREATE x
         S: c NO [ALREADYEXISTS] <text>
         C: d CREATE x//y
         S: d NO [CANNOT] <text>",
    )
    .await;
}

/// R3501-012, R3501-022, R3501-144, R3501-151
async fn a_mailbox_made_again_has_another_uidvalidity(world: World) {
    let mut c = world.login().await;
    let mut seen = Vec::new();
    for hole in ["first", "second", "third"] {
        c.talks(&format!(
            "C: a CREATE Again
             S: a OK <text>
             C: b STATUS Again (UIDVALIDITY)
             S: * STATUS Again (UIDVALIDITY <{hole}>)
             S: b OK <text>
             C: c DELETE Again
             S: c OK <text>"
        ))
        .await;
        seen.push(c.bound(hole).parse::<u32>().unwrap());
    }
    assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
}

/// R3501-068, R3501-069, R3501-070, R3501-071, R3501-072, R3501-073
async fn names_are_modified_utf_7(world: World) {
    let mut c = world.login().await;
    c.talks(
        "C: a CREATE \"~peter/mail/&U,BTFw-/&ZeVnLIqe-\"
         S: a OK <text>
         C: b LIST \"\" ~peter/mail/*
         S: * LIST (\\HasChildren) \"/\" ~peter/mail/&U,BTFw-
         S: * LIST (\\HasNoChildren) \"/\" ~peter/mail/&U,BTFw-/&ZeVnLIqe-
         S: b OK <text>
         C: c CREATE \"Tom &- Jerry\"
         S: c OK <text>
         C: d LIST \"\" Tom*
         S: * LIST (\\HasNoChildren) \"/\" \"Tom &- Jerry\"
         S: d OK <text>
         C: e CREATE \"a&b\"
         S: e NO [CANNOT] <text>
         C: f CREATE \"&AGE-\"
         S: f NO [CANNOT] <text>",
    )
    .await;
    c.sends("g CREATE {3+}\r\n\u{fc}x\r\n".as_bytes()).await;
    c.hears("g NO [CANNOT] <text>").await;
}

/// R3501-361, R3501-048
async fn nil_is_a_name(world: World) {
    let mut c = world.login().await;
    c.talks(
        "C: a CREATE NIL
         S: a OK <text>
         C: b LIST \"\" NIL
         S: * LIST (\\HasNoChildren) \"/\" \"NIL\"
         S: b OK <text>",
    )
    .await;
}

/// R6154-008, R6154-009
async fn a_special_use_is_kept(world: World) {
    let mut c = world.login().await;
    c.talks(
        r"C: a CREATE Everything (USE (\All))
          S: a OK <text>
          C: b LIST '' Everything
          S: * LIST (\HasNoChildren \All) '/' Everything
          S: b OK <text>"
            .replace('\'', "\"")
            .as_str(),
    )
    .await;
}

async fn is_refused_by_a_store_without_it(world: World) {
    let mut c = world.login().await;
    c.talks("C: a CREATE New\n S: a NO [CANNOT] <text>\n C: b LIST \"\" New\n S: b OK <text>")
        .await;
}
