//! AUTHENTICATE (RFC 3501 6.2.2) with PLAIN (RFC 4616), LOGIN, and initial responses (RFC 4959).

use imap_compliance::World;

imap_compliance::claims! {
    every: [
        plain_is_asked_for_with_an_empty_challenge,
        an_initial_response_saves_the_question,
        login_asks_twice,
        an_exchange_can_be_cancelled,
        what_is_no_base64_is_bad,
        an_unknown_mechanism_is_refused,
        an_empty_initial_response_is_a_response,
        another_identity_is_refused_even_with_the_right_password,
        a_message_of_plain_has_three_parts,
        a_refusal_does_not_say_why,
    ],
}

const GREETING: &str = "S: * OK [CAPABILITY <list>] <text>\n";

async fn dialogue(world: &World, conversation: &str) {
    let mut c = world.connect();
    c.talks(&format!("{GREETING}{conversation}")).await;
}

/// R3501-106, R3501-108, R3501-112, R3501-335, R4959-003, R4616-001
async fn plain_is_asked_for_with_an_empty_challenge(world: World) {
    let mut c = world.connect();
    c.talks(&format!("{GREETING}C: a AUTHENTICATE PLAIN")).await;
    c.hears_octets(b"+ ").await;
    c.talks("C: AGRlbW8Ac2VjcmV0\n S: a OK [CAPABILITY <list>] <text>\n C: b LIST \"\" \"\"\n S: * LIST (\\Noselect) \"/\" \"\"\n S: b OK <text>")
        .await;
}

/// R4959-006
async fn an_initial_response_saves_the_question(world: World) {
    dialogue(
        &world,
        "C: a authenticate plain AGRlbW8Ac2VjcmV0\n S: a OK [CAPABILITY <list>] <text>",
    )
    .await;
    dialogue(
        &world,
        "C: a AUTHENTICATE PLAIN ZGVtbwBkZW1vAHNlY3JldA==\n S: a OK [CAPABILITY <list>] <text>",
    )
    .await;
}

/// R3501-106
async fn login_asks_twice(world: World) {
    dialogue(
        &world,
        "C: a AUTHENTICATE LOGIN
         S: + VXNlciBOYW1l
         C: ZGVtbw==
         S: + UGFzc3dvcmQ=
         C: c2VjcmV0
         S: a OK [CAPABILITY <list>] <text>",
    )
    .await;
}

/// R3501-105, R3501-114
async fn an_exchange_can_be_cancelled(world: World) {
    let mut c = world.connect();
    c.talks(&format!("{GREETING}C: a AUTHENTICATE PLAIN")).await;
    c.hears_octets(b"+ ").await;
    c.talks(
        "C: *
         S: a BAD <text>
         C: b AUTHENTICATE PLAIN AGRlbW8Ad3Jvbmc=
         S: b NO [AUTHENTICATIONFAILED] <text>
         C: c AUTHENTICATE PLAIN AGRlbW8Ac2VjcmV0
         S: c OK [CAPABILITY <list>] <text>",
    )
    .await;
}

/// R3501-107, R4959-001
async fn what_is_no_base64_is_bad(world: World) {
    let mut c = world.connect();
    c.talks(&format!(
        "{GREETING}C: a AUTHENTICATE PLAIN !!!\n S: a BAD <text>\n C: b AUTHENTICATE PLAIN"
    ))
    .await;
    c.hears_octets(b"+ ").await;
    c.talks("C: A===\n S: b BAD <text>\n C: c NOOP\n S: c OK <text>").await;
}

/// R3501-104
async fn an_unknown_mechanism_is_refused(world: World) {
    dialogue(
        &world,
        "C: a AUTHENTICATE X-NONE
         S: a NO [CANNOT] <text>
         C: b AUTHENTICATE CRAM-MD5
         S: b NO [CANNOT] <text>
         C: c AUTHENTICATE
         S: c BAD <text>",
    )
    .await;
}

/// R4959-005
async fn an_empty_initial_response_is_a_response(world: World) {
    dialogue(
        &world,
        "C: a AUTHENTICATE PLAIN =\n S: a NO [AUTHENTICATIONFAILED] <text>",
    )
    .await;
}

/// R3501-116
async fn another_identity_is_refused_even_with_the_right_password(world: World) {
    // other NUL demo NUL secret
    dialogue(
        &world,
        "C: a AUTHENTICATE PLAIN b3RoZXIAZGVtbwBzZWNyZXQ=
         S: a NO [AUTHORIZATIONFAILED] <text>
         C: b LIST \"\" *
         S: b BAD <text>",
    )
    .await;
}

/// R4616-001, R3501-193
async fn a_message_of_plain_has_three_parts(world: World) {
    // NUL demo NUL secret NUL; NUL demo NUL secret NUL x; NUL demo; NUL NUL secret
    for message in [
        "AGRlbW8Ac2VjcmV0AA==",
        "AGRlbW8Ac2VjcmV0AHg=",
        "AGRlbW8=",
        "AABzZWNyZXQ=",
    ] {
        dialogue(
            &world,
            &format!("C: a AUTHENTICATE PLAIN {message}\n S: a NO [AUTHENTICATIONFAILED] <text>"),
        )
        .await;
    }
}

/// R3501-348
async fn a_refusal_does_not_say_why(world: World) {
    let mut c = world.connect();
    c.hears("* OK [CAPABILITY <list>] <text>").await;
    let mut answers = Vec::new();
    // A wrong password, and a user who is not there.
    for message in ["AGRlbW8Ad3Jvbmc=", "AG5vYm9keQBzZWNyZXQ="] {
        c.says(format!("a AUTHENTICATE PLAIN {message}")).await;
        answers.push(c.response().await);
    }
    assert_eq!(answers[0], answers[1]);
}
