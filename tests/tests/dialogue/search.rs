//! SEARCH and UID SEARCH (RFC 3501 6.4.4): every key.

use imap_compliance::{Client, World};

imap_compliance::claims! {
    every: [
        each_key_finds_what_it_means,
        strings_match_parts_without_case,
        dates_are_days,
        keys_combine,
        a_message_set_is_of_numbers,
        charsets,
        malformed_searches_are_bad,
        long_chains_are_searched,
        strings_come_in_every_form,
    ],
    writable: [the_deleted_and_the_new_are_found],
}

async fn finds(c: &mut Client, key: &str, found: &str) {
    c.says(format!("a SEARCH {key}")).await;
    let space = if found.is_empty() { "" } else { " " };
    c.hears(&format!("* SEARCH{space}{found}\n a OK <text>")).await;
}

/// R3501-203, R3501-211, R3501-212, R3501-213, R3501-214, R3501-215, R3501-216, R3501-217, R3501-218, R3501-225, R3501-227,
/// R3501-300
async fn each_key_finds_what_it_means(world: World) {
    let mut c = world.selected().await;
    for (key, found) in [
        ("ALL", "1 2 3 4"),
        ("ANSWERED", "4"),
        ("UNANSWERED", "1 2 3"),
        ("DELETED", ""),
        ("UNDELETED", "1 2 3 4"),
        ("DRAFT", ""),
        ("UNDRAFT", "1 2 3 4"),
        ("FLAGGED", "2"),
        ("UNFLAGGED", "1 3 4"),
        ("SEEN", "1 4"),
        ("UNSEEN", "2 3"),
        ("RECENT", ""),
        ("OLD", "1 2 3 4"),
        ("NEW", ""),
        ("KEYWORD $Forwarded", "2"),
        ("UNKEYWORD $forwarded", "1 3 4"),
        ("KEYWORD nothing", ""),
        ("LARGER 0", "1 2 3 4"),
        ("SMALLER 100", "3"),
        ("LARGER 85", "1 2 4"),
        ("UID 3:5", "2 3"),
        ("UID *", "4"),
        ("UID 100:*", "4"),
        ("UID 4,6", ""),
    ] {
        finds(&mut c, key, found).await;
    }
}

/// R3501-208, R3501-219, R3501-220, R3501-221, R3501-222, R3501-377, R3501-207
async fn strings_match_parts_without_case(world: World) {
    let mut c = world.selected().await;
    for (key, found) in [
        ("FROM foobar", "1"),
        ("FROM FOOBAR@blurdy", "1"),
        ("TO bob", "2"),
        ("CC x", ""),
        ("BCC x", ""),
        ("SUBJECT MEETING", "1"),
        ("SUBJECT \"n m\"", "1"),
        ("HEADER x-note TWO", "3"),
        ("HEADER X-NOTE \"\"", "3"),
        ("HEADER X-Nothing \"\"", ""),
        ("HEADER Cc \"\"", "2"),
        ("BODY tomorrow", "1"),
        ("BODY afternoon", ""),
        ("TEXT afternoon", "1"),
        ("TEXT tomorrow", "1"),
        ("BODY \"inner text\"", "4"),
        ("TEXT \"8-bit\"", "3"),
        ("CHARSET UTF-8 SUBJECT {6+}\r\ngr\u{fc}\u{df}", "2"),
        ("CHARSET UTF-8 BODY {8+}\r\nGR\u{dc}\u{df}e", "2"),
        ("CHARSET ISO-8859-1 FROM {6}", ""),
    ] {
        let key = key.replace("{8+}", "{7+}");
        if key.ends_with("{6}") {
            c.says(format!("a SEARCH {key}")).await;
            c.hears("+ <text>").await;
            c.says(b"J\xfcrgen").await;
            c.hears("* SEARCH 2\n a OK <text>").await;
            continue;
        }
        finds(&mut c, &key, found).await;
    }
}

/// R3501-223, R3501-224, R3501-370, R3501-376
async fn dates_are_days(world: World) {
    let mut c = world.selected().await;
    for (key, found) in [
        ("ON 8-Feb-1994", "1"),
        ("ON \"08-Feb-1994\"", "1"),
        ("BEFORE 17-Jul-1996", "1"),
        ("SINCE 17-Jul-1996", "2 3 4"),
        ("ON 1-Mar-2024", "4"),
        ("ON 29-Feb-2024", ""),
        ("SINCE 31-dec-2023", "3 4"),
        ("SENTON 7-Feb-1994", "1"),
        ("SENTBEFORE 17-Jul-1996", "1"),
        ("SENTSINCE 17-Jul-1996", "2 4"),
        ("SENTON 17-Jul-1996", "2"),
    ] {
        finds(&mut c, key, found).await;
    }
}

/// R3501-209, R3501-226, R3501-373
async fn keys_combine(world: World) {
    let mut c = world.selected().await;
    for (key, found) in [
        ("SEEN ANSWERED", "4"),
        ("NOT SEEN", "2 3"),
        ("OR SEEN FLAGGED", "1 2 4"),
        ("OR (SEEN ANSWERED) FLAGGED", "2 4"),
        ("NOT NOT SEEN", "1 4"),
        ("NOT (OR SEEN FLAGGED)", "3"),
        ("(ALL)", "1 2 3 4"),
        ("OR OR 1 2 3", "1 2 3"),
        ("((((SEEN))))", "1 4"),
    ] {
        finds(&mut c, key, found).await;
    }
}

/// R3501-210, R3501-229, R3501-272, R3501-378
async fn a_message_set_is_of_numbers(world: World) {
    let mut c = world.selected().await;
    finds(&mut c, "2", "2").await;
    finds(&mut c, "3:*", "3 4").await;
    finds(&mut c, "1,4 SEEN", "1 4").await;
    finds(&mut c, "5:9", "").await;
    finds(&mut c, "NOT 2:3", "1 4").await;
    c.talks("C: b UID SEARCH 2\n S: * SEARCH 3\n S: b OK <text>\n C: c UID SEARCH UID 2\n S: * SEARCH 2\n S: c OK <text>\n C: d UID SEARCH ALL\n S: * SEARCH 2 3 5 7\n S: d OK <text>")
        .await;
}

/// R3501-204, R3501-205, R3501-206, R3501-282, R3501-371
async fn charsets(world: World) {
    let mut c = world.selected().await;
    finds(&mut c, "CHARSET US-ASCII ALL", "1 2 3 4").await;
    finds(&mut c, "CHARSET utf-8 ALL", "1 2 3 4").await;
    finds(&mut c, "CHARSET \"UTF-8\" SUBJECT meeting", "1").await;
    c.talks("C: b SEARCH CHARSET X-NONSENSE ALL\n S: b NO [BADCHARSET (US-ASCII UTF-8)] <text>")
        .await;
    c.talks("C: c SEARCH ALL CHARSET UTF-8\n S: c BAD <text>").await;
}

/// R3501-230, R3501-372, R3501-374, R3501-373, R3501-362
async fn malformed_searches_are_bad(world: World) {
    let mut c = world.selected().await;
    for key in [
        "",
        "NONSENSE",
        "NOT",
        "OR SEEN",
        "OR",
        "(SEEN",
        "SEEN)",
        "()",
        "KEYWORD \\Seen",
        "KEYWORD",
        "ON",
        "ON 1-1-2020",
        "ON 32-Jan-2020",
        "BEFORE \"x\"",
        "LARGER x",
        "LARGER 4294967296",
        "UID 0",
        "0",
        "HEADER x",
        "SUBJECT",
        "SEEN  FLAGGED",
        "UID",
        "CHARSET UTF-8",
        "SUBJECT a b",
    ] {
        c.says(format!("a SEARCH {key}")).await;
        c.hears("a BAD <text>").await;
    }
}

/// R3501-373
async fn long_chains_are_searched(world: World) {
    let mut c = world.selected().await;
    let chain = format!("{}SEEN", "OR FLAGGED ".repeat(500));
    finds(&mut c, &chain, "1 2 4").await;
    finds(&mut c, "SEEN ".repeat(500).trim_end(), "1 4").await;
}

/// R3501-375, R3501-051
async fn strings_come_in_every_form(world: World) {
    let mut c = world.selected().await;
    for key in [
        "SUBJECT meeting",
        "SUBJECT \"meeting\"",
        "SUBJECT {7+}\r\nmeeting",
        "(NOT (NOT SUBJECT {7+}\r\nmeeting))",
        "HEADER {7+}\r\nSubject {7+}\r\nmeeting",
    ] {
        finds(&mut c, key, "1").await;
    }
}

/// R3501-213, R3501-217
async fn the_deleted_and_the_new_are_found(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r"C: a STORE 2,3 +FLAGS.SILENT (\Deleted)
          S: a OK <text>
          C: b APPEND INBOX {3+}\r\na\r\n
          S: * 5 EXISTS
          S: * 1 RECENT
          S: b OK [APPENDUID <v> 8] <text>",
    )
    .await;
    for (key, found) in [
        ("DELETED", "2 3"),
        ("UNDELETED", "1 4 5"),
        ("NEW", "5"),
        ("RECENT", "5"),
        ("OLD", "1 2 3 4"),
        ("RECENT SEEN", ""),
    ] {
        finds(&mut c, key, found).await;
    }
}
