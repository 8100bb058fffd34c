//! RENAME (RFC 3501 6.3.5).

use imap_compliance::World;

imap_compliance::claims! {
    every: [from_nowhere_is_refused, onto_what_is_there_is_refused],
    writable: [
        takes_everything_below_along,
        makes_the_levels_above_the_new_name,
        inbox_is_emptied_and_stays,
        who_has_it_selected_goes_on,
        a_mailbox_cannot_be_moved_below_itself,
        uids_stay,
    ],
    four_methods: [is_refused_by_a_store_without_it],
}

/// R3501-152, R5530-002
async fn from_nowhere_is_refused(world: World) {
    let mut c = world.login().await;
    let answer = match world.kind() {
        imap_compliance::Kind::FourMethods => "CANNOT",
        _ => "NONEXISTENT",
    };
    c.talks(&format!("C: a RENAME Nowhere New\n S: a NO [{answer}] <text>"))
        .await;
}

/// R3501-152, R3501-416, R5530-001
async fn onto_what_is_there_is_refused(world: World) {
    let mut c = world.login().await;
    c.talks("C: a RENAME Junk inbox\n S: a NO [ALREADYEXISTS] <text>\n C: b RENAME Junk Junk\n S: b NO [ALREADYEXISTS] <text>").await;
    let answer = match world.kind() {
        imap_compliance::Kind::FourMethods => "CANNOT",
        _ => "ALREADYEXISTS",
    };
    c.talks(&format!("C: c RENAME Junk Sent\n S: c NO [{answer}] <text>"))
        .await;
}

/// R3501-153
async fn takes_everything_below_along(world: World) {
    let mut c = world.login().await;
    c.talks(
        "C: a RENAME Archive Old
         S: a OK <text>
         C: b LIST \"\" Archive*
         S: b OK <text>
         C: c LIST \"\" Old*
         S: * LIST (\\HasChildren \\Archive) \"/\" Old
         S: * LIST (\\HasNoChildren) \"/\" Old/2024
         S: c OK <text>",
    )
    .await;
}

/// R3501-154
async fn makes_the_levels_above_the_new_name(world: World) {
    let mut c = world.login().await;
    c.talks(
        "C: a RENAME Junk x/y/Junk
         S: a OK <text>
         C: b SELECT x/y
         S: * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)
         S: * 0 EXISTS
         S: * 0 RECENT
         S: * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] <text>
         S: * OK [UIDNEXT 1] <text>
         S: * OK [UIDVALIDITY <y>] <text>
         S: b OK [READ-WRITE] <text>
         C: c LIST \"\" x/y/%
         S: * LIST (\\HasNoChildren \\Junk) \"/\" x/y/Junk
         S: c OK <text>",
    )
    .await;
}

/// R3501-156, R3501-157
async fn inbox_is_emptied_and_stays(world: World) {
    let mut viewer = world.selected().await;
    let mut c = world.login().await;
    c.talks(
        "C: a CREATE INBOX/below
         S: a OK <text>
         C: b RENAME INBOX Old
         S: b OK <text>
         C: c STATUS INBOX (MESSAGES)
         S: * STATUS INBOX (MESSAGES 0)
         S: c OK <text>
         C: d STATUS Old (MESSAGES UNSEEN)
         S: * STATUS Old (MESSAGES 4 UNSEEN 2)
         S: d OK <text>
         C: e LIST \"\" INBOX*
         S: * LIST (\\HasChildren) \"/\" INBOX
         S: * LIST (\\HasNoChildren) \"/\" INBOX/below
         S: e OK <text>",
    )
    .await;
    viewer
        .talks(
            "C: a NOOP
             S: * 4 EXPUNGE
             S: * 3 EXPUNGE
             S: * 2 EXPUNGE
             S: * 1 EXPUNGE
             S: a OK <text>",
        )
        .await;
}

/// R2180-004
async fn who_has_it_selected_goes_on(world: World) {
    let mut c = world.login().await;
    c.talks(
        r"C: a SELECT Junk
          S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
          S: * 0 EXISTS
          S: * 0 RECENT
          S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] <text>
          S: * OK [UIDNEXT 1] <text>
          S: * OK [UIDVALIDITY <j>] <text>
          S: a OK [READ-WRITE] <text>",
    )
    .await;
    let mut other = world.login().await;
    other.talks("C: a RENAME Junk Spam\n S: a OK <text>\n C: b APPEND Spam {3+}\\r\\na\\r\\n\n S: b OK [APPENDUID <j> 1] <text>").await;
    c.talks("C: b NOOP\n S: * 1 EXISTS\n S: * 1 RECENT\n S: b OK <text>")
        .await;
}

async fn a_mailbox_cannot_be_moved_below_itself(world: World) {
    let mut c = world.login().await;
    c.talks("C: a RENAME Archive Archive/2025\n S: a NO [CANNOT] <text>")
        .await;
}

/// R3501-155, R3501-015
async fn uids_stay(world: World) {
    let mut c = world.login().await;
    c.talks(
        r"C: a APPEND Junk {3+}\r\na\r\n
          S: a OK [APPENDUID <v> 1] <text>
          C: b RENAME Junk Spam
          S: b OK <text>
          C: c STATUS Spam (UIDNEXT UIDVALIDITY)
          S: * STATUS Spam (UIDNEXT 2 UIDVALIDITY <v>)
          S: c OK <text>",
    )
    .await;
}

async fn is_refused_by_a_store_without_it(world: World) {
    let mut c = world.login().await;
    c.talks("C: a RENAME Junk Spam\n S: a NO [CANNOT] <text>").await;
}
