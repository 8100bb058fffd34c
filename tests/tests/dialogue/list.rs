//! LIST (RFC 3501 6.3.8) with the attributes of CHILDREN (RFC 3348) and SPECIAL-USE (RFC 6154).

use std::time::{Duration, Instant};

use imap_compliance::World;

imap_compliance::claims! {
    every: [
        star_matches_every_name,
        percent_stays_on_one_level,
        an_empty_pattern_asks_for_the_separator,
        the_reference_stands_before_the_pattern,
        a_pattern_without_wildcards_is_a_name,
        no_match_is_ok,
        what_is_not_modified_utf_7_matches_nothing,
        inbox_is_found_in_any_case,
        patterns_come_as_atoms_strings_and_literals,
        patterns_of_many_stars_are_matched_at_once,
        malformed_lists_are_bad,
    ],
    writable: [another_users_mailboxes_are_not_shown],
}

const ALL: &str = r#"S: * LIST (\HasNoChildren) "/" INBOX
S: * LIST (\HasChildren \Archive) "/" Archive
S: * LIST (\HasNoChildren) "/" Archive/2024
S: * LIST (\HasNoChildren \Drafts) "/" Drafts
S: * LIST (\HasNoChildren \Junk) "/" Junk
S: * LIST (\HasNoChildren \Sent) "/" Sent
S: * LIST (\HasNoChildren \Trash) "/" Trash
S: * LIST (\HasNoChildren) "/" T&AOQ-glich
"#;

/// R3501-164, R3501-293, R3501-061, R3501-366, R3501-367, R3501-368, R6154-007, R6154-012, R3501-064, R3501-065, R3501-295
async fn star_matches_every_name(world: World) {
    let mut c = world.login().await;
    c.talks(&format!("C: a LIST \"\" *\n{ALL}S: a OK <text>")).await;
}

/// R3501-163, R3501-165
async fn percent_stays_on_one_level(world: World) {
    let mut c = world.login().await;
    let top = ALL.replace("S: * LIST (\\HasNoChildren) \"/\" Archive/2024\n", "");
    c.talks(&format!("C: a LIST \"\" %\n{top}S: a OK <text>")).await;
    c.talks(
        r#"C: b LIST "" %/%
           S: * LIST (\HasNoChildren) "/" Archive/2024
           S: b OK <text>
           C: c LIST "" A%e
           S: * LIST (\HasChildren \Archive) "/" Archive
           S: c OK <text>
           C: d LIST "" *2*
           S: * LIST (\HasNoChildren) "/" Archive/2024
           S: d OK <text>"#,
    )
    .await;
}

/// R3501-162, R3501-171
async fn an_empty_pattern_asks_for_the_separator(world: World) {
    let mut c = world.login().await;
    c.talks(
        r#"C: a LIST "" ""
           S: * LIST (\Noselect) "/" ""
           S: a OK <text>"#,
    )
    .await;
}

/// R3501-170, R3501-296, R3501-413, R3501-066
async fn the_reference_stands_before_the_pattern(world: World) {
    let mut c = world.login().await;
    for (reference, pattern) in [
        ("Archive/", "%"),
        ("Archive", "/%"),
        ("Arch", "ive/*"),
        ("Archive/2024", "\"\""),
    ] {
        c.says(format!("a LIST {reference} {pattern}")).await;
        c.hears(match pattern {
            "\"\"" => r#"* LIST (\Noselect) "/" """#,
            _ => r#"* LIST (\HasNoChildren) "/" Archive/2024"#,
        })
        .await;
        c.hears("a OK <text>").await;
    }
}

/// R3501-411, R3501-297
async fn a_pattern_without_wildcards_is_a_name(world: World) {
    let mut c = world.login().await;
    c.talks(
        r#"C: a LIST "" Archive
           S: * LIST (\HasChildren \Archive) "/" Archive
           S: a OK <text>
           C: b LIST "" archive
           S: b OK <text>
           C: c LIST "" T&AOQ-glich
           S: * LIST (\HasNoChildren) "/" T&AOQ-glich
           S: c OK <text>"#,
    )
    .await;
}

/// R3501-169, R3501-068, R3501-069: a convention of names, so a pattern against it is one that no name matches.
async fn what_is_not_modified_utf_7_matches_nothing(world: World) {
    let mut c = world.login().await;
    for pattern in ["T&AOQ", "T&AOQ*", "&*", "T&AO-glich", "&AGE-", "&AOQ-&AOQ-"] {
        c.talks(&format!("C: a LIST \"\" {pattern}\n S: a OK <text>")).await;
        c.talks(&format!(
            "C: b LIST {} *\n S: b OK <text>",
            pattern.trim_end_matches('*')
        ))
        .await;
        c.talks(&format!("C: c LSUB \"\" {pattern}\n S: c OK <text>")).await;
    }
}

/// R3501-169
async fn no_match_is_ok(world: World) {
    let mut c = world.login().await;
    c.talks("C: a LIST \"\" Nowhere*\n S: a OK <text>\n C: b LIST Nowhere %\n S: b OK <text>")
        .await;
}

/// R3501-168
async fn inbox_is_found_in_any_case(world: World) {
    let mut c = world.login().await;
    for pattern in ["inbox", "iNB%", "inbo*", "INBOX"] {
        c.says(format!("a LIST \"\" {pattern}")).await;
        c.hears("* LIST (\\HasNoChildren) \"/\" INBOX\n a OK <text>").await;
    }
}

/// R3501-345, R3501-051
async fn patterns_come_as_atoms_strings_and_literals(world: World) {
    let mut c = world.login().await;
    for pattern in ["Dr%", "\"Dr%\"", "{3+}\r\nDr%", "Dr*"] {
        c.says(format!("a LIST {{0+}}\r\n {pattern}")).await;
        c.hears("* LIST (\\HasNoChildren \\Drafts) \"/\" Drafts\n a OK <text>")
            .await;
    }
}

/// R3501-167
async fn patterns_of_many_stars_are_matched_at_once(world: World) {
    let mut c = world.login().await;
    let start = Instant::now();
    c.says(format!("a LIST \"\" {}b", "*a%A*".repeat(200))).await;
    c.hears("a OK <text>").await;
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

/// R3501-010
async fn malformed_lists_are_bad(world: World) {
    let mut c = world.login().await;
    for line in [
        "LIST",
        "LIST \"\"",
        "LIST \"\" * x",
        "LIST \"\"*",
        "LIST % \"\"",
        "LIST \"\" (a)",
        "LIST \"\" \"a",
    ] {
        c.says(format!("a {line}")).await;
        c.hears("a BAD <text>").await;
    }
}

/// R3501-172, R2342-003
async fn another_users_mailboxes_are_not_shown(world: World) {
    let mut c = world.login().await;
    c.talks("C: a CREATE private\n S: a OK <text>").await;
    let mut other = world.login_as("other").await;
    other
        .talks("C: a LIST \"\" private\n S: a OK <text>\n C: b SELECT private\n S: b NO [NONEXISTENT] <text>")
        .await;
}
