//! What holds in every state: the greeting, tags, CAPABILITY, NOOP, LOGOUT, and lines that are no commands.

use imap_compliance::{Kind, World};

imap_compliance::claims! {
    every: [
        the_greeting_comes_first_and_once,
        capability_tells_what_its_code_in_the_greeting_told,
        capability_takes_no_arguments,
        noop_is_answered_in_every_state,
        logout_says_bye_then_ok_then_closes,
        logout_ends_a_connection_in_every_state,
        a_tag_comes_back_as_it_was,
        a_tag_with_a_plus_is_no_tag,
        a_line_without_a_command_is_bad_and_the_session_goes_on,
        an_unknown_command_is_bad_and_the_session_goes_on,
        commands_of_another_state_are_refused,
        names_of_commands_have_no_case,
        commands_can_be_sent_octet_by_octet,
        arguments_too_many_or_too_few_are_bad,
        spaces_behind_a_command_are_bad,
        strings_are_astrings_and_no_more,
    ],
}

/// R3501-001, R3501-285, R3501-292
async fn the_greeting_comes_first_and_once(world: World) {
    let mut c = world.connect();
    c.talks(
        "S: * OK [CAPABILITY <list>] <text>
         C: a NOOP
         S: a OK <text>",
    )
    .await;
}

/// R3501-089, R3501-090, R3501-091, R3501-111, R3501-289, R3501-290, R5161-008, R2342-001, R2971-009, R4315-016, R4959-007,
/// R6154-005, R6154-006, R6851-021, R7889-003, R2177-001, R7888-009
async fn capability_tells_what_its_code_in_the_greeting_told(world: World) {
    let rest = match world.kind() {
        // What a store cannot do it does not promise.
        Kind::FourMethods => "CHILDREN SPECIAL-USE",
        _ => "UIDPLUS MOVE CHILDREN SPECIAL-USE CREATE-SPECIAL-USE APPENDLIMIT=<limit>",
    };
    let rest = format!("SASL-IR ID ENABLE IDLE LITERAL+ NAMESPACE UNSELECT {rest}");
    let before = format!("IMAP4rev1 AUTH=PLAIN AUTH=LOGIN {rest}");
    let after = format!("IMAP4rev1 {rest}");
    let mut c = world.connect();
    c.talks(&format!(
        "S: * OK [CAPABILITY {before}] <text>
         C: a CAPABILITY
         S: * CAPABILITY {before}
         S: a OK <text>
         C: b LOGIN demo secret
         S: b OK [CAPABILITY {after}] <text>
         C: c CAPABILITY
         S: * CAPABILITY {after}
         S: c OK <text>"
    ))
    .await;
}

/// R3501-092
async fn capability_takes_no_arguments(world: World) {
    let mut c = world.login().await;
    c.talks("C: a CAPABILITY x\n S: a BAD <text>").await;
}

/// R3501-093, R3501-196
async fn noop_is_answered_in_every_state(world: World) {
    let mut c = world.connect();
    c.talks(
        "S: * OK [CAPABILITY <list>] <text>
         C: a NOOP
         S: a OK <text>
         C: b LOGIN demo secret
         S: b OK [CAPABILITY <list>] <text>
         C: c NOOP
         S: c OK <text>",
    )
    .await;
    let mut c = world.selected().await;
    c.talks("C: a NOOP\n S: a OK <text>\n C: b CHECK\n S: b OK <text>")
        .await;
}

/// R3501-045, R3501-095, R3501-406
async fn logout_says_bye_then_ok_then_closes(world: World) {
    let mut c = world.login().await;
    c.talks("C: a LOGOUT\n S: * BYE <text>\n S: a OK <text>").await;
    c.is_closed().await;
}

/// R3501-096
async fn logout_ends_a_connection_in_every_state(world: World) {
    let mut c = world.connect();
    c.talks("S: * OK [CAPABILITY <list>] <text>\n C: a LOGOUT\n S: * BYE <text>\n S: a OK <text>")
        .await;
    c.is_closed().await;
    let mut c = world.selected().await;
    c.talks("C: a LOGOUT\n S: * BYE <text>\n S: a OK <text>").await;
    c.is_closed().await;
}

/// R3501-003, R3501-007, R3501-353
async fn a_tag_comes_back_as_it_was(world: World) {
    let mut c = world.login().await;
    for tag in ["a", "A.1", "]", "-_=;:'<>?,/|~`!@#$^&", "0", &"t".repeat(100)] {
        c.says(format!("{tag} NOOP")).await;
        c.hears_octets(format!("{tag} OK NOOP completed").as_bytes()).await;
    }
}

/// R3501-353
async fn a_tag_with_a_plus_is_no_tag(world: World) {
    let mut c = world.login().await;
    for line in ["a+ NOOP", "+ NOOP", "a* NOOP", "\"a\" NOOP", "a( NOOP", "a\\ NOOP"] {
        c.says(line).await;
        c.hears("* BAD <text>").await;
    }
    c.talks("C: z NOOP\n S: z OK <text>").await;
}

/// R3501-011, R3501-354
async fn a_line_without_a_command_is_bad_and_the_session_goes_on(world: World) {
    let mut c = world.login().await;
    c.talks(
        "C: a
         S: a BAD <text>
         C: b NOOP
         S: b OK <text>",
    )
    .await;
    c.sends(b"\r\n").await;
    c.hears("* BAD <text>").await;
    c.sends(b" NOOP\r\n").await;
    c.hears("* BAD <text>").await;
    c.talks("C: z NOOP\n S: z OK <text>").await;
}

/// R3501-088
async fn an_unknown_command_is_bad_and_the_session_goes_on(world: World) {
    let mut c = world.selected().await;
    c.talks(
        "C: a XYZZY
         S: a BAD <text>
         C: b UID NOOP
         S: b BAD <text>
         C: c UID
         S: c BAD <text>
         C: d NOOPX
         S: d BAD <text>
         C: z NOOP
         S: z OK <text>",
    )
    .await;
}

/// R3501-040, R3501-098, R3501-121, R3501-195, R3501-359, R3691-002, R4315-012, R6851-001
async fn commands_of_another_state_are_refused(world: World) {
    let mut c = world.connect();
    c.hears("* OK [CAPABILITY <list>] <text>").await;
    for command in [
        "SELECT INBOX",
        "LIST \"\" *",
        "STATUS INBOX (MESSAGES)",
        "NAMESPACE",
        "ENABLE X",
        "IDLE",
        "FETCH 1 FLAGS",
    ] {
        c.says(format!("a {command}")).await;
        c.hears("a BAD <text>").await;
    }
    c.talks("C: b LOGIN demo secret\n S: b OK [CAPABILITY <list>] <text>")
        .await;
    let needs_a_mailbox = [
        "CHECK",
        "CLOSE",
        "UNSELECT",
        "EXPUNGE",
        "UID EXPUNGE 1",
        "SEARCH ALL",
        "FETCH 1 FLAGS",
        "UID FETCH 1 FLAGS",
        "STORE 1 FLAGS ()",
        "COPY 1 Archive",
        "MOVE 1 Archive",
        "UID MOVE 1 Archive",
    ];
    for command in ["LOGIN demo secret", "AUTHENTICATE PLAIN", "STARTTLS"]
        .into_iter()
        .chain(needs_a_mailbox)
    {
        c.says(format!("c {command}")).await;
        c.hears("c BAD <text>").await;
    }
    c.talks("C: z NOOP\n S: z OK <text>").await;
}

/// R3501-087, R3501-336
async fn names_of_commands_have_no_case(world: World) {
    let mut c = world.login().await;
    c.says("a eXaMiNe inBOX").await;
    c.hears(&world.selected_lines("a", "READ-ONLY")).await;
    c.talks("C: b uId fEtCh 2 (rFc822.sIzE)\n S: * 1 FETCH (UID 2 RFC822.SIZE <size>)\n S: b OK <text>")
        .await;
}

/// R3501-004, R3501-005
async fn commands_can_be_sent_octet_by_octet(world: World) {
    let mut c = world.connect();
    c.hears("* OK [CAPABILITY <list>] <text>").await;
    c.sends_byte_by_byte(b"a LOGIN {4+}\r\ndemo \"sec\\\"").await;
    c.sends_byte_by_byte(b"ret\"\r\n").await;
    c.hears("a NO [AUTHENTICATIONFAILED] <text>").await;
    c.sends_byte_by_byte(b"b LOGIN {4}\r\n").await;
    c.hears("+ <text>").await;
    c.sends_byte_by_byte(b"demo {6}\r\n").await;
    c.hears("+ <text>").await;
    c.sends_byte_by_byte(b"secret\r\n").await;
    c.hears("b OK [CAPABILITY <list>] <text>").await;
}

/// R3501-010, R3501-337
async fn arguments_too_many_or_too_few_are_bad(world: World) {
    let mut c = world.selected().await;
    let lines = [
        "NOOP x",
        "CHECK x",
        "CLOSE x",
        "UNSELECT x",
        "EXPUNGE 1",
        "LOGOUT now",
        "NAMESPACE x",
        "IDLE x",
        "SELECT",
        "SELECT a b",
        "EXAMINE",
        "CREATE",
        "DELETE",
        "RENAME a",
        "SUBSCRIBE",
        "UNSUBSCRIBE",
        "LIST",
        "LIST a",
        "LSUB \"\"",
        "STATUS INBOX",
        "STATUS INBOX MESSAGES",
        "STATUS INBOX ()",
        "STATUS INBOX (MESSAGES FOO)",
        "FETCH",
        "FETCH 1",
        "FETCH 1 ()",
        "FETCH  1 FLAGS",
        "STORE 1",
        "STORE 1 FLAGS",
        "COPY 1",
        "MOVE 1",
        "SEARCH",
        "UID FETCH",
        "APPEND",
        "APPEND INBOX",
        "ENABLE",
        "ID",
    ];
    for line in lines {
        c.says(format!("a {line}")).await;
        c.hears("a BAD <text>").await;
    }
    c.talks("C: z NOOP\n S: z OK <text>").await;
}

/// R3501-355
async fn spaces_behind_a_command_are_bad(world: World) {
    let mut c = world.login().await;
    for line in ["NOOP ", "CAPABILITY ", "STATUS INBOX (MESSAGES) ", "LIST \"\" * "] {
        c.says(format!("a {line}")).await;
        c.hears("a BAD <text>").await;
    }
}

/// R3501-049, R3501-053, R3501-056, R3501-062
async fn strings_are_astrings_and_no_more(world: World) {
    let mut c = world.login().await;
    for name in [
        "a(b",
        "a{b",
        "a b",
        "a%b",
        "a*b",
        "a\"b",
        "a\\b",
        "\"a",
        "\"a\\b\"",
        "\"a\"b",
        "(a)",
        "caf\u{e9}",
        "\"a\u{7}\u{0}\"",
    ] {
        c.says(format!("a STATUS {name} (MESSAGES)")).await;
        c.hears("a BAD <text>").await;
    }
    for name in [
        "a]b",
        "a'b",
        "[a]",
        "\"a\\\\b\"",
        "\"a\\\"b\"",
        "\"a(b) {3}\"",
        "~a",
        "T&aoq-glich",
    ] {
        c.says(format!("b STATUS {name} (MESSAGES)")).await;
        c.hears("b NO [NONEXISTENT] <text>").await;
    }
}
