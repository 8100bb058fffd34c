//! What UID commands have in common (RFC 3501 6.4.8).

use imap_compliance::World;

imap_compliance::claims! {
    every: [uids_come_back_though_not_asked_for, what_is_not_there_is_no_error, star_is_the_highest],
    writable: [uid_store_tells_the_uid],
}

/// R3501-271, R3501-273, R3501-276
async fn uids_come_back_though_not_asked_for(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a UID FETCH 3:5 FLAGS
          S: * 2 FETCH (UID 3 FLAGS (\Flagged $Forwarded))
          S: * 3 FETCH (UID 5 FLAGS ())
          S: a OK <text>
          C: b UID FETCH 2 (UID UID)
          S: * 1 FETCH (UID 2)
          S: b OK <text>",
    )
    .await;
}

/// R3501-274, R3501-381
async fn what_is_not_there_is_no_error(world: World) {
    let mut c = world.selected().await;
    c.talks(
        "C: a UID FETCH 1,4,6,8:4294967295 FLAGS\n S: * 4 FETCH (UID 7 FLAGS (\\Answered \\Seen))"
            .split('\n')
            .next()
            .unwrap(),
    )
    .await;
    c.hears("a OK <text>").await;
    c.talks("C: b UID SEARCH UID 1,4\n S: * SEARCH\n S: b OK <text>").await;
}

/// R3501-275
async fn star_is_the_highest(world: World) {
    let mut c = world.selected().await;
    c.talks(
        "C: a UID FETCH * (UID)
         S: * 4 FETCH (UID 7)
         S: a OK <text>
         C: b UID FETCH 1000:* (UID)
         S: * 4 FETCH (UID 7)
         S: b OK <text>
         C: c UID FETCH *:6 (UID)
         S: * 4 FETCH (UID 7)
         S: c OK <text>",
    )
    .await;
}

/// R3501-273
async fn uid_store_tells_the_uid(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a UID STORE 5,6 +FLAGS (\Seen)
          S: * 3 FETCH (UID 5 FLAGS (\Seen))
          S: a OK <text>
          C: b UID STORE 4 +FLAGS (\Seen)
          S: b OK <text>",
    )
    .await;
}
