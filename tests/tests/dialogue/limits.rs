//! What a client can make the server keep or do is bounded, before login more closely than after.

use std::time::{Duration, Instant};

use imap_compliance::World;

imap_compliance::claims! {
    every: [
        a_literal_of_50_mb_before_login_is_refused_unread,
        a_line_without_an_end_is_refused,
        nesting_is_bounded,
        a_long_line_is_read_after_login,
        bad_commands_come_to_an_end,
    ],
    writable: [hostile_mime_is_answered_soon],
}

/// R3501-006, R3501-286
async fn a_literal_of_50_mb_before_login_is_refused_unread(world: World) {
    let mut c = world.connect();
    c.hears("* OK [CAPABILITY <list>] <text>").await;
    c.says("a LOGIN {52428800}").await;
    let answer = c.response().await;
    assert!(
        answer.starts_with(b"a BAD ") || answer.starts_with(b"a NO "),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    c.talks("C: b NOOP\n S: b OK <text>").await;
}

/// R3501-286, R2683-001
async fn a_line_without_an_end_is_refused(world: World) {
    let mut c = world.connect();
    c.hears("* OK [CAPABILITY <list>] <text>").await;
    c.sends(format!("a LOGIN {}", "x".repeat(60_000)).as_bytes()).await;
    let answer = c.response().await;
    assert!(
        answer.starts_with(b"a BAD ") || answer.starts_with(b"* BAD "),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}

async fn nesting_is_bounded(world: World) {
    let mut c = world.connect();
    c.hears("* OK [CAPABILITY <list>] <text>").await;
    c.says(format!("a ID {}", "(".repeat(2_000))).await;
    c.hears("a BAD <text>").await;
    let mut c = world.selected().await;
    for open in ["(", "NOT ", "NOT (", "OR SEEN (", "OR (SEEN) NOT "] {
        c.says(format!("b SEARCH {}SEEN", open.repeat(100_000))).await;
        let answer = c.response().await;
        assert!(
            answer.starts_with(b"b BAD ") || answer.starts_with(b"b NO "),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    c.says(format!("c FETCH 1 BODY[{}1]", "1.".repeat(100_000))).await;
    c.hears("c BAD [LIMIT] <text>").await;
    c.talks("C: d NOOP\n S: d OK <text>").await;
}

/// R2683-001
async fn a_long_line_is_read_after_login(world: World) {
    let mut c = world.selected().await;
    c.says(format!("a SEARCH {}ALL", "SEEN ".repeat(2_000))).await;
    c.hears("* SEARCH 1 4\n a OK <text>").await;
}

/// R3501-046
async fn bad_commands_come_to_an_end(world: World) {
    let mut c = world.connect();
    c.hears("* OK [CAPABILITY <list>] <text>").await;
    for n in 1.. {
        c.says("a XYZZY").await;
        c.hears("a BAD <text>").await;
        if n == 10 {
            break;
        }
    }
    c.hears("* BYE <text>").await;
    c.is_closed().await;
}

async fn hostile_mime_is_answered_soon(world: World) {
    let boundaries: String = (0..2_000)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"))
        .collect();
    let headers = "X: y\r\n".repeat(50_000);
    let parts = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        "--b\r\n\r\nx\r\n".repeat(10_000)
    );
    let parameters = format!("Content-Type: text/plain{}\r\n\r\nx", "; a*0=b; a*1*=c".repeat(5_000));
    let addresses = format!("From: {}\r\n\r\nx", "(".repeat(100_000));
    let mut c = world.login().await;
    let start = Instant::now();
    for (n, message) in [boundaries, headers, parts, parameters, addresses]
        .into_iter()
        .enumerate()
    {
        c.says(format!("a APPEND Junk {{{}+}}\r\n{message}", message.len()))
            .await;
        c.hears(&format!("a OK [APPENDUID <junk> {}] <text>", n + 1)).await;
    }
    c.says("b EXAMINE Junk").await;
    while !c.response().await.starts_with(b"b OK ") {}
    c.says("c FETCH 1:* (ENVELOPE BODYSTRUCTURE)").await;
    for _ in 0..5 {
        let told = c.response().await;
        assert!(told.len() < 16 << 20, "{} octets", told.len());
    }
    c.hears("c OK <text>").await;
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}
