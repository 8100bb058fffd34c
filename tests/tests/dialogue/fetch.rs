//! FETCH (RFC 3501 6.4.5): items, macros, sets. Body sections are in `section`, structures in `structure`.

use imap_compliance::{Kind, World};

imap_compliance::claims! {
    every: [
        items_come_back_in_one_response,
        macros_stand_for_their_items,
        macros_stand_alone,
        malformed_fetches_are_bad,
        numbers_beyond_the_mailbox_are_bad,
        sets_are_sets,
        sets_of_50_000_ranges_are_read,
        an_empty_mailbox_has_no_numbers,
        a_ghostly_uid_of_20_digits_is_bad,
    ],
    writable: [a_section_without_peek_sets_seen_and_says_so, what_only_looks_sets_nothing],
}

/// R3501-251, R3501-332, R3501-333, R3501-037
async fn items_come_back_in_one_response(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r#"C: a FETCH 2 (UID FLAGS INTERNALDATE RFC822.SIZE)
           S: * 2 FETCH (UID 3 FLAGS (\Flagged $Forwarded) INTERNALDATE "17-Jul-1996 02:44:25 -0700" RFC822.SIZE <size>)
           S: a OK <text>
           C: b FETCH 1:2 UID
           S: * 1 FETCH (UID 2)
           S: * 2 FETCH (UID 3)
           S: b OK <text>
           C: c FETCH 4 INTERNALDATE
           S: * 4 FETCH (INTERNALDATE " 1-Mar-2024 00:30:25 +0530")
           S: c OK <text>"#,
    )
    .await;
    assert_eq!(c.bound("size"), imap_compliance::world::ALTERNATIVE.len().to_string());
}

/// R3501-232, R3501-233, R3501-234
async fn macros_stand_for_their_items(world: World) {
    let mut c = world.selected().await;
    let fast = r#"FLAGS (\Seen) INTERNALDATE " 8-Feb-1994 05:53:25 +0000" RFC822.SIZE 319"#;
    let envelope = r#"ENVELOPE ("Mon, 7 Feb 1994 21:52:25 -0800 (PST)" "afternoon meeting" (("Fred Foobar" NIL "foobar" "Blurdybloop.example")) (("Fred Foobar" NIL "foobar" "Blurdybloop.example")) (("Fred Foobar" NIL "foobar" "Blurdybloop.example")) ((NIL NIL "mooch" "owatagu.example")) NIL NIL NIL "<B27397-0100000@Blurdybloop.example>")"#;
    let body = r#"BODY ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 55 1)"#;
    let fast = fast.replace("319", &imap_compliance::world::PLAIN.len().to_string());
    c.talks(&format!(
        "C: a FETCH 1 FAST
         S: * 1 FETCH ({fast})
         S: a OK <text>
         C: b FETCH 1 ALL
         S: * 1 FETCH ({fast} {envelope})
         S: b OK <text>
         C: c FETCH 1 full
         S: * 1 FETCH ({fast} {envelope} {body})
         S: c OK <text>"
    ))
    .await;
}

/// R3501-235
async fn macros_stand_alone(world: World) {
    let mut c = world.selected().await;
    for items in ["(ALL)", "(FAST UID)", "FULL UID", "(UID FULL)"] {
        c.says(format!("a FETCH 1 {items}")).await;
        c.hears("a BAD <text>").await;
    }
}

/// R3501-254, R3501-382, R3501-383, R3501-244, R3501-249, R3501-384
async fn malformed_fetches_are_bad(world: World) {
    let mut c = world.selected().await;
    for line in [
        "FETCH 1 ()",
        "FETCH 1 NONSENSE",
        "FETCH 1 (UID NONSENSE)",
        "FETCH 1 BODY [TEXT]",
        "FETCH 1 BODY[MIME]",
        "FETCH 1 BODY[1.]",
        "FETCH 1 BODY[0]",
        "FETCH 1 BODY[TEXT",
        "FETCH 1 BODY[]<0.0>",
        "FETCH 1 BODY[]<0>",
        "FETCH 1 BODY[]<-1.2>",
        "FETCH 1 BODY[HEADER.FIELDS]",
        "FETCH 1 BODY[HEADER.FIELDS ()]",
        "FETCH 1 BODY[TEXT.1]",
        "FETCH 1 (UID",
        "FETCH 1 UID)",
        "FETCH 1 (UID,FLAGS)",
        "FETCH 1 (UID  FLAGS)",
        "FETCH 0 UID",
        "FETCH 1:0 UID",
        "FETCH 1,, UID",
        "FETCH , UID",
        "FETCH 1: UID",
        "FETCH -1 UID",
        "FETCH 4294967296 UID",
        "FETCH 1 RFC822.PEEK",
        "FETCH 1 BODY.PEEK",
        "FETCH 1 MODSEQ",
    ] {
        c.says(format!("a {line}")).await;
        c.hears("a BAD <text>").await;
    }
}

/// R3501-256, R3501-410
async fn numbers_beyond_the_mailbox_are_bad(world: World) {
    let mut c = world.selected().await;
    c.talks("C: a FETCH 5 UID\n S: a BAD <text>\n C: b FETCH 1:5 UID\n S: b BAD <text>\n C: c FETCH 4294967295 UID\n S: c BAD <text>").await;
}

/// R3501-257, R3501-258, R3501-341
async fn sets_are_sets(world: World) {
    let mut c = world.selected().await;
    c.talks(
        "C: a FETCH *:3 UID
         S: * 3 FETCH (UID 5)
         S: * 4 FETCH (UID 7)
         S: a OK <text>
         C: b FETCH 4,1,3:4,* UID
         S: * 1 FETCH (UID 2)
         S: * 3 FETCH (UID 5)
         S: * 4 FETCH (UID 7)
         S: b OK <text>
         C: c FETCH * UID
         S: * 4 FETCH (UID 7)
         S: c OK <text>",
    )
    .await;
}

/// R2683-001
async fn sets_of_50_000_ranges_are_read(world: World) {
    let mut c = world.selected().await;
    let set: Vec<String> = (1..=50_000_u32).map(|n| format!("{}:{}", n * 3, n * 3 + 1)).collect();
    c.says(format!("a UID FETCH {} (UID)", set.join(","))).await;
    c.hears("* 2 FETCH (UID 3)\n * 4 FETCH (UID 7)\n a OK <text>").await;
}

/// R3501-256, R3501-380
async fn an_empty_mailbox_has_no_numbers(world: World) {
    let mut c = world.login().await;
    c.says("a EXAMINE Drafts").await;
    while !c.response().await.starts_with(b"a OK ") {}
    c.talks(
        "C: b FETCH 1:* UID
         S: b BAD <text>
         C: c FETCH * UID
         S: c BAD <text>
         C: d UID FETCH 1:* UID
         S: d OK <text>
         C: e SEARCH ALL
         S: * SEARCH
         S: e OK <text>
         C: f SEARCH 1:*
         S: * SEARCH
         S: f OK <text>",
    )
    .await;
}

/// R3501-050
async fn a_ghostly_uid_of_20_digits_is_bad(world: World) {
    let mut c = world.selected().await;
    c.talks("C: a UID FETCH 99999999999999999999 (UID)\n S: a BAD <text>\n C: b UID FETCH 4294967295 (UID)\n S: b OK <text>").await;
    c.talks("C: c UID FETCH 4294967295:7 (UID)\n S: * 4 FETCH (UID 7)\n S: c OK <text>")
        .await;
}

/// R3501-250, R3501-251, R3501-395
async fn a_section_without_peek_sets_seen_and_says_so(world: World) {
    for item in [
        "BODY[]",
        "BODY[HEADER.FIELDS (Subject)]",
        "BODY[TEXT]<0.1>",
        "RFC822",
        "RFC822.TEXT",
        "BODY[1]",
    ] {
        let world = World::new(world.kind()).await;
        let mut c = world.selected().await;
        c.says(format!("a FETCH 3 {item}")).await;
        let told = c.response().await;
        assert!(
            told.ends_with(b" FLAGS (\\Seen))"),
            "{item}: {}",
            String::from_utf8_lossy(&told)
        );
        c.talks("S: a OK <text>\n C: b FETCH 3 FLAGS\n S: * 3 FETCH (FLAGS (\\Seen))\n S: b OK <text>")
            .await;
        if world.kind() != Kind::Memory {
            break;
        }
    }
}

/// R3501-250, R3501-395
async fn what_only_looks_sets_nothing(world: World) {
    let mut c = world.selected().await;
    for item in [
        "BODY.PEEK[]",
        "RFC822.HEADER",
        "ENVELOPE",
        "BODYSTRUCTURE",
        "BODY",
        "RFC822.SIZE",
    ] {
        c.says(format!("a FETCH 3 {item}")).await;
        c.response().await;
        c.hears("a OK <text>").await;
    }
    c.talks("C: b FETCH 3 FLAGS\n S: * 3 FETCH (FLAGS ())\n S: b OK <text>")
        .await;
}
