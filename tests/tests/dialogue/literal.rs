//! Literals: synchronizing, non-synchronizing (LITERAL+, RFC 7888), refused; their text is never taken for commands.

use imap_compliance::World;

imap_compliance::claims! {
    every: [
        a_literal_is_asked_for_and_the_command_goes_on_behind_it,
        a_non_synchronizing_literal_is_not_asked_for,
        an_empty_literal_is_a_literal,
        a_command_in_the_same_packet_runs,
        text_of_a_refused_literal_is_no_command,
        text_behind_a_bad_is_no_command,
        sizes_beyond_64_bits_end_the_connection,
        text_right_behind_a_literal_is_bad,
    ],
}

/// R3501-004, R3501-005, R3501-356, R3501-357
async fn a_literal_is_asked_for_and_the_command_goes_on_behind_it(world: World) {
    let mut c = world.selected().await;
    c.talks(
        "C: a SEARCH OR SUBJECT {9}
         S: + <text>
         C: afternoon SUBJECT {5}
         S: + <text>
         C: inner
         S: * SEARCH 1 4
         S: a OK <text>",
    )
    .await;
}

/// R7888-002, R7888-003, R7888-001
async fn a_non_synchronizing_literal_is_not_asked_for(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a SEARCH OR SUBJECT {9+}\r\nafternoon SUBJECT {5+}\r\ninner
          S: * SEARCH 1 4
          S: a OK <text>",
    )
    .await;
}

/// R3501-052, R7888-011
async fn an_empty_literal_is_a_literal(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a SEARCH SUBJECT {0}
          S: + <text>
          C: 
          S: * SEARCH 1 2 3 4
          S: a OK <text>
          C: b SEARCH SUBJECT {0+}\r\n
          S: * SEARCH 1 2 3 4
          S: b OK <text>",
    )
    .await;
}

/// R7888-002
async fn a_command_in_the_same_packet_runs(world: World) {
    let mut c = world.login().await;
    c.talks(
        r"C: a STATUS {5+}\r\nINBOX (MESSAGES)\r\nb NOOP\r\nc STATUS {6+}\r\nDrafts (MESSAGES)
          S: * STATUS INBOX (MESSAGES 4)
          S: a OK <text>
          S: b OK <text>
          S: * STATUS Drafts (MESSAGES 0)
          S: c OK <text>",
    )
    .await;
}

/// R3501-006, R7888-004, R7888-005
async fn text_of_a_refused_literal_is_no_command(world: World) {
    let mut c = world.login().await;
    c.talks(
        r"C: a APPEND Nowhere (\Seen) {22+}\r\nx LOGOUT\r\ny DELETE Junk\r\nb NOOP
          S: a NO [TRYCREATE] <text>
          S: b OK <text>
          C: c APPEND Nowhere {22}
          S: c NO [TRYCREATE] <text>
          C: d STATUS Junk (MESSAGES)
          S: * STATUS Junk (MESSAGES 0)
          S: d OK <text>",
    )
    .await;
}

/// R7888-004, R3501-084
async fn text_behind_a_bad_is_no_command(world: World) {
    let mut c = world.login().await;
    let starts = [
        "XYZZY",
        "LOGIN demo",
        "SELECT (",
        "STATUS INBOX",
        "APPEND INBOX (\\Recent)",
        "APPEND INBOX (\\Foo(",
        "APPEND INBOX \"99-Jan-2020 00:00:00 +0000\"",
        "SEARCH NONSENSE",
        "FETCH 1",
    ];
    for start in starts {
        c.sends(format!("a {start} {{19+}}\r\nx DELETE Junk\r\ny NO\r\nb NOOP\r\n").as_bytes())
            .await;
        c.hears("a BAD <text>\n b OK <text>").await;
    }
    c.talks("C: d STATUS Junk (MESSAGES)\n S: * STATUS Junk (MESSAGES 0)\n S: d OK <text>")
        .await;
}

/// R3501-046, R3501-050
async fn sizes_beyond_64_bits_end_the_connection(world: World) {
    for size in ["18446744073709551616+", "99999999999999999999999+"] {
        let mut c = world.login().await;
        c.sends(format!("a APPEND INBOX {{{size}}}\r\nx LOGOUT\r\n").as_bytes())
            .await;
        c.hears("a BAD <text>\n * BYE <text>").await;
        c.is_closed().await;
    }
    let mut c = world.login().await;
    c.sends(b"a APPEND INBOX {4294967296+}\r\nx LOGOUT\r\n").await;
    let refused = c.response().await;
    assert!(
        refused.starts_with(b"a NO [TOOBIG] ") || refused.starts_with(b"a NO [NOPERM] "),
        "{refused:?}"
    );
    c.hears("* BYE [TOOBIG] <text>").await;
    c.is_closed().await;
}

/// R3501-356
async fn text_right_behind_a_literal_is_bad(world: World) {
    let mut c = world.login().await;
    c.talks(
        r"C: a STATUS {5+}\r\nINBOX(MESSAGES)
          S: a BAD <text>
          C: b STATUS {5+}\r\nINBOXX (MESSAGES)
          S: b BAD <text>
          C: c NOOP
          S: c OK <text>",
    )
    .await;
}
