//! IDLE (RFC 2177).

use std::time::Duration;

use imap_compliance::{Kind, World, message};

imap_compliance::claims! {
    every: [
        changes_are_told_as_they_happen,
        mail_that_came_before_idle_is_announced,
        idle_and_done_in_one_packet,
        done_can_come_octet_by_octet,
        commands_behind_done_run,
        without_a_mailbox_it_is_quiet,
        something_else_than_done_is_bad_and_not_run,
        expunges_are_told,
    ],
    writable: [flags_are_told],
}

async fn idles(world: &World) -> imap_compliance::Client {
    let mut c = world.selected().await;
    c.talks("C: i IDLE\n S: + <text>").await;
    c
}

/// R2177-002, R2177-003, R2177-004
async fn changes_are_told_as_they_happen(world: World) {
    let mut c = idles(&world).await;
    for n in 5..8 {
        world.arrives(&message::plain("new")).await;
        c.hears(&format!("* {n} EXISTS")).await;
        recent(&mut c).await;
    }
    c.talks("C: DONE\n S: i OK <text>\n C: b FETCH 5 (UID)\n S: * 5 FETCH (UID 8)\n S: b OK <text>")
        .await;
}

/// How many messages are recent is the store's to say.
async fn recent(c: &mut imap_compliance::Client) {
    let told = c.response().await;
    assert!(
        told.starts_with(b"* ") && told.ends_with(b" RECENT"),
        "{}",
        String::from_utf8_lossy(&told)
    );
}

/// R2177-003
async fn mail_that_came_before_idle_is_announced(world: World) {
    let mut c = world.selected().await;
    c.talks("C: a NOOP\n S: a OK <text>").await;
    world.arrives(&message::plain("between")).await;
    c.talks("C: i IDLE\n S: + <text>\n S: * 5 EXISTS").await;
    recent(&mut c).await;
    c.talks("C: DONE\n S: i OK <text>").await;
}

/// R2177-004
async fn idle_and_done_in_one_packet(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a IDLE\r\nDONE\r\nb NOOP\r\nc IDLE\r\nDONE
          S: + <text>
          S: a OK <text>
          S: b OK <text>
          S: + <text>
          S: c OK <text>",
    )
    .await;
}

/// R2177-007
async fn done_can_come_octet_by_octet(world: World) {
    let mut c = idles(&world).await;
    c.sends_byte_by_byte(b"dOnE\r\n").await;
    c.hears("i OK <text>").await;
}

async fn commands_behind_done_run(world: World) {
    let mut c = idles(&world).await;
    c.talks(
        r"C: DONE\r\nb FETCH 1 (UID)\r\nc NOOP
          S: i OK <text>
          S: * 1 FETCH (UID 2)
          S: b OK <text>
          S: c OK <text>",
    )
    .await;
}

/// R2177-006
async fn without_a_mailbox_it_is_quiet(world: World) {
    let mut c = world.login().await;
    c.talks("C: i IDLE\n S: + <text>").await;
    world.arrives(&message::plain("unheard")).await;
    c.talks("C: DONE\n S: i OK <text>").await;
}

/// R2177-007, R2177-010
async fn something_else_than_done_is_bad_and_not_run(world: World) {
    let mut c = idles(&world).await;
    c.talks(
        "C: b LOGOUT
         S: i BAD <text>
         C: c IDLE now
         S: c BAD <text>
         C: d NOOP
         S: d OK <text>",
    )
    .await;
}

/// R2177-008
async fn expunges_are_told(world: World) {
    let mut c = idles(&world).await;
    world.vanishes(3).await;
    c.hears("* 2 EXPUNGE").await;
    world.vanishes(2).await;
    c.hears("* 1 EXPUNGE").await;
    c.talks("C: DONE\n S: i OK <text>").await;
}

async fn flags_are_told(world: World) {
    let mut c = idles(&world).await;
    let mut other = world.selected().await;
    for (sign, flags) in [("+", r"\Seen"), ("-", "")] {
        other.says(format!(r"a STORE 3 {sign}FLAGS.SILENT (\Seen)")).await;
        other.hears("a OK <text>").await;
        c.hears(&format!("* 3 FETCH (FLAGS ({flags}))")).await;
    }
    c.talks("C: DONE\n S: i OK <text>").await;
}

#[tokio::test(start_paused = true)]
async fn a_sign_of_life_comes_after_two_minutes_of_silence() {
    let world = World::new(Kind::Memory).await;
    let mut c = idles(&world).await.with_deadline(Duration::from_secs(3_600));
    let start = tokio::time::Instant::now();
    c.hears("* OK <text>\n * OK <text>").await;
    assert_eq!(start.elapsed().as_secs(), 240);
    c.talks("C: DONE\n S: i OK <text>").await;
}

/// R2177-005, R3501-082
#[tokio::test(start_paused = true)]
async fn idle_ends_half_an_hour_after_the_last_octet() {
    let world = World::new(Kind::Memory).await;
    let mut c = idles(&world).await.with_deadline(Duration::from_secs(3_600));
    let start = tokio::time::Instant::now();
    for _ in 0..14 {
        c.hears("* OK <text>").await;
    }
    while !c.response().await.starts_with(b"* BYE ") {}
    c.is_closed().await;
    assert_eq!(start.elapsed().as_secs(), 30 * 60);
}
