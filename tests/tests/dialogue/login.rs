//! LOGIN (RFC 3501 6.2.3): forms of its arguments, refusals, and where passwords may not be sent.

use std::time::Duration;

use imap_compliance::World;
use imap_compliance::world::Settings;
use imap_server::Tls;

imap_compliance::claims! {
    every: [
        user_and_password_are_astrings,
        a_wrong_login_is_refused_without_saying_why,
        without_tls_from_afar_no_password_is_taken,
        refused_logins_come_to_an_end,
    ],
}

const GREETING: &str = "* OK [CAPABILITY <list>] <text>";

/// R3501-119, R3501-042, R3501-117, R3501-051
async fn user_and_password_are_astrings(world: World) {
    for line in [
        "a LOGIN demo secret",
        "a LOGIN \"demo\" \"secret\"",
        "a LOGIN {4+}\r\ndemo {6+}\r\nsecret",
        "a login demo \"se\\\\cret\"",
    ] {
        let mut c = world.connect();
        c.hears(GREETING).await;
        c.says(line).await;
        let wrong = line.contains("\\\\");
        c.hears(if wrong {
            "a NO [AUTHENTICATIONFAILED] <text>"
        } else {
            "a OK [CAPABILITY <list>] <text>"
        })
        .await;
    }
}

/// R3501-120, R3501-349, R5530-003
async fn a_wrong_login_is_refused_without_saying_why(world: World) {
    let mut c = world.connect();
    c.hears(GREETING).await;
    let mut answers = Vec::new();
    for line in [
        "a LOGIN demo wrong",
        "a LOGIN nobody secret",
        "a LOGIN DEMO secret",
        "a LOGIN demo {0+}\r\n",
    ] {
        c.says(line).await;
        answers.push(c.response().await);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "they differ");
    assert!(answers[0].starts_with(b"a NO [AUTHENTICATIONFAILED] "));
    c.talks("C: b LOGIN demo secret\n S: b OK [CAPABILITY <list>] <text>")
        .await;
}

/// R3501-109, R3501-118, R3501-350, R3501-407, R5530-004
async fn without_tls_from_afar_no_password_is_taken(world: World) {
    let mut c = world.connect_from_afar(Tls::None);
    c.talks(
        "S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED SASL-IR <list>] <text>
         C: a LOGIN demo secret
         S: a NO [PRIVACYREQUIRED] <text>
         C: b LOGIN demo wrong
         S: b NO [PRIVACYREQUIRED] <text>
         C: c AUTHENTICATE PLAIN AGRlbW8Ac2VjcmV0
         S: c NO [PRIVACYREQUIRED] <text>
         C: d LIST \"\" *
         S: d BAD <text>",
    )
    .await;
    let open = Settings {
        insecure_auth: true,
        ..Settings::default()
    };
    let world = World::with(world.kind(), &open).await;
    let mut c = world.connect_from_afar(Tls::None);
    c.talks(
        "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN <list>] <text>
         C: a LOGIN demo secret
         S: a OK [CAPABILITY <list>] <text>",
    )
    .await;
}

/// R3501-351, R3501-046
async fn refused_logins_come_to_an_end(world: World) {
    let mut c = world.connect();
    c.hears(GREETING).await;
    for _ in 0..5 {
        c.talks("C: a LOGIN demo wrong\n S: a NO [AUTHENTICATIONFAILED] <text>")
            .await;
    }
    c.hears("* BYE <text>").await;
    c.is_closed().await;
}

/// R3501-351
#[tokio::test(start_paused = true)]
async fn a_refused_login_is_answered_slowly_and_delays_nobody_else() {
    let slow = Settings {
        failed_login_delay: Duration::from_secs(2),
        ..Settings::default()
    };
    let world = World::with(imap_compliance::Kind::Memory, &slow).await;
    let mut c = world.connect();
    c.talks("S: * OK [CAPABILITY <list>] <text>\n C: a LOGIN demo wrong")
        .await;
    let asked = tokio::time::Instant::now();
    drop(world.login().await);
    assert_eq!(asked.elapsed(), Duration::ZERO);
    c.hears("a NO [AUTHENTICATIONFAILED] <text>").await;
    assert_eq!(asked.elapsed().as_secs(), 2);
}

/// R3501-046, R3501-082
#[tokio::test(start_paused = true)]
async fn who_does_not_log_in_in_time_is_told_and_let_go() {
    let world = World::new(imap_compliance::Kind::Memory).await;
    let mut c = world.connect().with_deadline(Duration::from_secs(3_600));
    c.hears(GREETING).await;
    let start = tokio::time::Instant::now();
    c.hears("* BYE <text>").await;
    c.is_closed().await;
    assert_eq!(start.elapsed().as_secs(), 60);
}

/// R3501-080, R3501-081, R3501-082
#[tokio::test(start_paused = true)]
async fn who_is_logged_in_may_be_silent_for_half_an_hour_after_each_command() {
    let world = World::new(imap_compliance::Kind::Memory).await;
    let mut c = world.login().await.with_deadline(Duration::from_secs(3_600));
    tokio::time::sleep(Duration::from_secs(29 * 60)).await;
    c.talks("C: a NOOP\n S: a OK <text>").await;
    let start = tokio::time::Instant::now();
    c.hears("* BYE <text>").await;
    c.is_closed().await;
    assert_eq!(start.elapsed().as_secs(), 30 * 60);
}
