//! APPEND (RFC 3501 6.3.11) with APPENDUID (RFC 4315).

use imap_compliance::{World, message};

imap_compliance::claims! {
    every: [a_missing_mailbox_can_be_created_first, malformed_appends_are_bad],
    writable: [
        a_message_comes_back_octet_for_octet,
        flags_and_date_are_kept,
        without_a_date_it_is_now,
        the_selected_mailbox_tells_at_once,
        uids_rise_one_by_one,
        a_message_of_every_shape_comes_back,
        bare_line_ends_are_kept,
        a_nul_is_refused_and_nothing_is_stored,
        recent_is_not_the_clients_to_set,
        a_connection_that_ends_midway_stores_nothing,
    ],
    four_methods: [is_refused_by_a_store_without_it],
}

/// R3501-188, R3501-189, R3501-404, R3501-006, R7888-004
async fn a_missing_mailbox_can_be_created_first(world: World) {
    let mut c = world.login().await;
    c.talks(
        r#"C: a APPEND Nowhere {3}
           S: a NO [TRYCREATE] <text>
           C: b APPEND Nowhere {8+}\r\nx LOGOUT
           S: b NO [TRYCREATE] <text>
           C: c LIST "" Nowhere
           S: c OK <text>"#,
    )
    .await;
}

/// R3501-194, R3501-369, R3501-417, R3501-344, R3501-346
async fn malformed_appends_are_bad(world: World) {
    let mut c = world.login().await;
    let lines = [
        "INBOX \"text\"",
        "INBOX text",
        "INBOX (\\Seen",
        "INBOX (\\Seen)",
        "INBOX {3",
        "INBOX {x}",
        "INBOX {-1}",
        r#"INBOX "1-Jan-2020 00:00:00 +0000" {1}"#,
        r#"INBOX "32-Jan-2020 00:00:00 +0000" {1}"#,
        r#"INBOX "01-Foo-2020 00:00:00 +0000" {1}"#,
        r#"INBOX "01-Jan-2020 24:00:00 +0000" {1}"#,
        r#"INBOX "01-Jan-2020 00:00:00" {1}"#,
        r#"INBOX "30-Feb-2020 00:00:00 +0000" {1}"#,
        "INBOX ~{1}",
        "INBOX (a b) (c) {1}",
    ];
    for line in lines {
        c.says(format!("a APPEND {line}")).await;
        c.hears("a BAD <text>").await;
    }
    c.talks("C: b STATUS INBOX (MESSAGES)\n S: * STATUS INBOX (MESSAGES 4)\n S: b OK <text>")
        .await;
}

/// R3501-182, R3501-191, R4315-003, R4315-006, R4315-009, R4315-014, R4315-015, R3501-037, R3501-311, R3501-312
async fn a_message_comes_back_octet_for_octet(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a APPEND INBOX {29}
          S: + <text>
          C: Subject: x\r\n\r\n.\r\n* OK\r\nno end
          S: * 5 EXISTS
          S: * 1 RECENT
          S: a OK [APPENDUID <v> 8] <text>
          C: b FETCH 5 (RFC822.SIZE BODY.PEEK[])
          S: * 5 FETCH (RFC822.SIZE 29 BODY[] {29}\r\nSubject: x\r\n\r\n.\r\n* OK\r\nno end)
          S: b OK <text>",
    )
    .await;
}

/// R3501-183, R3501-185, R3501-036, R3501-184, R3501-418, R3501-332, R3501-032
async fn flags_and_date_are_kept(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r#"C: a APPEND INBOX (\sEEn $MDNSent \Draft) "17-Jul-2095 02:44:25 +0530" {3+}\r\na\r\n
           S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded $MDNSent)
           S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft $Forwarded $MDNSent \*)] <text>
           S: * 5 EXISTS
           S: * 1 RECENT
           S: a OK [APPENDUID <v> 8] <text>
           C: b APPEND INBOX () " 7-Feb-1894 00:00:01 -0800" {3+}\r\na\r\n
           S: * 6 EXISTS
           S: * 2 RECENT
           S: b OK [APPENDUID <v> 9] <text>
           C: c FETCH 5:6 (FLAGS INTERNALDATE)
           S: * 5 FETCH (FLAGS (\Seen \Draft $MDNSent \Recent) INTERNALDATE "17-Jul-2095 02:44:25 +0530")
           S: * 6 FETCH (FLAGS (\Recent) INTERNALDATE " 7-Feb-1894 00:00:01 -0800")
           S: c OK <text>"#,
    )
    .await;
}

/// R3501-186, R3501-034
async fn without_a_date_it_is_now(world: World) {
    let mut c = world.selected().await;
    let before = today();
    c.talks(
        r"C: a APPEND INBOX {3+}\r\na\r\n
          S: * 5 EXISTS
          S: * 1 RECENT
          S: a OK [APPENDUID <v> 8] <text>
          C: b SEARCH SINCE 1-Jan-2024 5
          S: * SEARCH 5
          S: b OK <text>
          C: c FETCH 5 (INTERNALDATE)
          S: * 5 FETCH (INTERNALDATE <date>)
          S: c OK <text>",
    )
    .await;
    let told = c.transcript().rsplit("INTERNALDATE \"").next().unwrap()[..11]
        .trim()
        .to_owned();
    assert!(told == before || told == today(), "{told} is not {before}");
}

/// Today in UTC, as a date is written on the wire.
fn today() -> String {
    let (year, month, day) = backend_api::DateTime::now().date().civil();
    let month = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ][usize::from(month) - 1];
    format!("{day}-{month}-{year}")
}

/// R3501-190, R3501-074, R3501-302, R3501-303
async fn the_selected_mailbox_tells_at_once(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a APPEND INBOX {3+}\r\na\r\n
          S: * 5 EXISTS
          S: * 1 RECENT
          S: a OK [APPENDUID <v> 8] <text>
          C: b APPEND Junk {3+}\r\na\r\n
          S: b OK [APPENDUID <junk> 1] <text>",
    )
    .await;
}

/// R3501-013, R3501-025
async fn uids_rise_one_by_one(world: World) {
    let mut c = world.login().await;
    for uid in 8..20 {
        c.says("a APPEND INBOX {1+}\r\nx").await;
        c.hears(&format!("a OK [APPENDUID <v> {uid}] <text>")).await;
    }
}

/// R3501-182, R3501-191, R3501-192
async fn a_message_of_every_shape_comes_back(world: World) {
    let mut c = world.login().await;
    for n in 0..32 {
        let message = message::shape(n);
        c.says(format!("a APPEND Junk {{{}}}", message.len())).await;
        c.hears("+ <text>").await;
        c.says(&message).await;
        c.hears(
            "a OK [APPENDUID <junk> <uid>] <text>"
                .replace("<uid>", &format!("{}", n + 1))
                .as_str(),
        )
        .await;
    }
    c.talks(
        r"C: b EXAMINE Junk
          S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
          S: * 32 EXISTS
          S: * 32 RECENT
          S: * OK [UNSEEN 1] <text>
          S: * OK [PERMANENTFLAGS ()] <text>
          S: * OK [UIDNEXT 33] <text>
          S: * OK [UIDVALIDITY <junk>] <text>
          S: b OK [READ-ONLY] <text>
          C: c FETCH 1:* (RFC822.SIZE BODY.PEEK[])",
    )
    .await;
    for n in 0..32 {
        let message = message::shape(n);
        let (seq, size) = (n + 1, message.len());
        let mut expected = format!("* {seq} FETCH (RFC822.SIZE {size} BODY[] {{{size}}}\r\n").into_bytes();
        expected.extend_from_slice(&message);
        expected.push(b')');
        c.hears_octets(&expected).await;
    }
    c.hears("c OK <text>").await;
}

/// R3501-182
async fn bare_line_ends_are_kept(world: World) {
    let mut c = world.selected().await;
    let message = b"Subject: x\r\n\r\none\ntwo\rthree\n\r\x01\x7f\xff";
    c.sends(format!("a APPEND INBOX {{{}+}}\r\n", message.len()).as_bytes())
        .await;
    c.says(message).await;
    c.hears("* 5 EXISTS\n * 1 RECENT\n a OK [APPENDUID <v> 8] <text>").await;
    c.says("b FETCH 5 BODY.PEEK[]").await;
    let mut expected = format!("* 5 FETCH (BODY[] {{{}}}\r\n", message.len()).into_bytes();
    expected.extend_from_slice(message);
    expected.push(b')');
    c.hears_octets(&expected).await;
    c.hears("b OK <text>").await;
}

/// R3501-193, R3501-187, R3501-055, R3501-338
async fn a_nul_is_refused_and_nothing_is_stored(world: World) {
    let mut c = world.login().await;
    c.says(b"a APPEND INBOX {9+}\r\nSubject\0x").await;
    c.hears("a BAD <text>").await;
    c.talks("C: b STATUS INBOX (MESSAGES)\n S: * STATUS INBOX (MESSAGES 4)\n S: b OK <text>")
        .await;
}

/// R3501-027
async fn recent_is_not_the_clients_to_set(world: World) {
    let mut c = world.login().await;
    c.talks(r"C: a APPEND INBOX (\Recent) {3}").await;
    c.hears("a BAD <text>").await;
}

/// R3501-187
async fn a_connection_that_ends_midway_stores_nothing(world: World) {
    let mut c = world.login().await;
    c.sends(b"a APPEND INBOX {100000+}\r\nSubject: half of a message").await;
    drop(c);
    let mut c = world.login().await;
    c.talks("C: b STATUS INBOX (MESSAGES UIDNEXT)\n S: * STATUS INBOX (MESSAGES 4 UIDNEXT 8)\n S: b OK <text>")
        .await;
}

async fn is_refused_by_a_store_without_it(world: World) {
    let mut c = world.login().await;
    c.talks(
        r"C: a APPEND INBOX {3}
          S: a NO [NOPERM] <text>
          C: b APPEND INBOX {8+}\r\nx LOGOUT
          S: b NO [NOPERM] <text>
          C: c NOOP
          S: c OK <text>",
    )
    .await;
}
