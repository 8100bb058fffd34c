//! APPENDLIMIT (RFC 7889): how large a message may be, told before and kept to.

use imap_compliance::World;
use imap_compliance::world::Settings;
use imap_server::Limits;

imap_compliance::claims! {
    every: [status_tells_the_limit_of_a_mailbox],
    writable: [what_is_too_large_is_refused_before_it_is_sent],
}

/// R7889-001, R7889-005
async fn status_tells_the_limit_of_a_mailbox(world: World) {
    let mut c = world.login().await;
    c.talks(
        "C: a STATUS INBOX (MESSAGES APPENDLIMIT)
         S: * STATUS INBOX (MESSAGES 4 APPENDLIMIT 1073741824)
         S: a OK <text>",
    )
    .await;
}

/// R7889-002, R7889-003, R3501-187, R7888-005
async fn what_is_too_large_is_refused_before_it_is_sent(world: World) {
    let limits = Limits {
        message: 100,
        ..Limits::default()
    };
    let world = World::with(
        world.kind(),
        &Settings {
            limits: Some(limits),
            ..Settings::default()
        },
    )
    .await;
    let mut c = world.login().await;
    c.talks(
        "C: a APPEND INBOX {101}
         S: a NO [TOOBIG] <text>
         C: b STATUS INBOX (MESSAGES APPENDLIMIT)
         S: * STATUS INBOX (MESSAGES 4 APPENDLIMIT 100)
         S: b OK <text>",
    )
    .await;
    let long = "x".repeat(101);
    c.says(format!("c APPEND INBOX {{101+}}\r\n{long}\r\nd NOOP")).await;
    c.hears("c NO [TOOBIG] <text>\n d OK <text>").await;
    let fits = "x".repeat(100);
    c.says(format!("e APPEND INBOX {{100+}}\r\n{fits}")).await;
    c.hears("e OK [APPENDUID <v> 8] <text>").await;
}
