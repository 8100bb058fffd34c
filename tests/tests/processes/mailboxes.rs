//! RENAME, DELETE and CREATE of a mailbox that a client of another process has selected.

use crate::{Two, append, ask, ok, run, select, uid_validity};

/// R3501-129
#[test]
fn a_view_goes_on_when_another_process_renames_its_mailbox() {
    run(async {
        let two = Two::new();
        let mut other = two.two.login().await;
        ok(&mut other, "CREATE before").await;
        append(&mut other, "before", b"Subject: 1\r\n\r\none").await;
        let mut viewer = select(&two.one, "before").await;
        ok(&mut other, "RENAME before after").await;
        assert_eq!(ok(&mut viewer, "NOOP").await, [""; 0]);
        assert_eq!(
            ok(&mut viewer, "FETCH 1 BODY.PEEK[TEXT]").await,
            ["* 1 FETCH (BODY[TEXT] {3}\r\none)"]
        );
        ok(&mut viewer, r"STORE 1 +FLAGS.SILENT (\Flagged)").await;
        assert_eq!(
            ok(&mut other, "STATUS after (MESSAGES UIDNEXT)").await,
            ["* STATUS after (MESSAGES 1 UIDNEXT 2)"]
        );
        append(&mut other, "after", b"Subject: 2\r\n\r\ntwo").await;
        assert_eq!(ok(&mut viewer, "NOOP").await, ["* 2 EXISTS"]);
        let (_, tagged) = ask(&mut viewer, "STATUS before (MESSAGES)").await;
        assert!(tagged.starts_with("NO [NONEXISTENT]"), "{tagged}");
    });
}

/// R3501-116, R3501-120
#[test]
fn who_has_a_mailbox_selected_that_another_process_deletes_is_told_bye() {
    run(async {
        let two = Two::new();
        let mut other = two.two.login().await;
        ok(&mut other, "CREATE short").await;
        append(&mut other, "short", b"Subject: 1\r\n\r\none").await;
        let before = uid_validity(&mut other, "short").await;
        let (mut asks, mut idles) = (select(&two.one, "short").await, select(&two.one, "short").await);
        idles.talks("C: t IDLE\n S: + <text>").await;
        ok(&mut other, "DELETE short").await;
        let bye = idles.response().await;
        assert!(bye.starts_with(b"* BYE "), "{}", String::from_utf8_lossy(&bye));
        idles.is_closed().await;
        asks.talks("C: t NOOP\n S: t OK <text>\n S: * BYE <text>").await;
        asks.is_closed().await;

        // The same name is another mailbox.
        ok(&mut other, "CREATE short").await;
        let mut looker = two.one.login().await;
        let after = uid_validity(&mut looker, "short").await;
        assert!(
            after.parse::<u32>().unwrap() > before.parse().unwrap(),
            "{before} became {after}"
        );
        let told = ok(&mut looker, "SELECT short").await;
        assert!(told.contains(&"* 0 EXISTS".to_owned()), "{told:?}");
        append(&mut other, "short", b"Subject: 2\r\n\r\ntwo").await;
        assert_eq!(ok(&mut looker, "NOOP").await, ["* 1 EXISTS"]);
    });
}

/// R3501-131
#[test]
fn viewers_of_an_inbox_that_another_process_renames_are_told_expunge() {
    run(async {
        let two = Two::new();
        for number in 1..=3 {
            two.data.deliver("INBOX", format!("Subject: {number}\n\n").as_bytes());
        }
        let (mut viewer, mut other) = two.select("INBOX").await;
        let mut idles = select(&two.one, "INBOX").await;
        idles.talks("C: t IDLE\n S: + <text>").await;
        let expunged = ["* 3 EXPUNGE", "* 2 EXPUNGE", "* 1 EXPUNGE"];
        assert_eq!(ok(&mut other, "RENAME INBOX old").await, expunged);
        assert_eq!(ok(&mut viewer, "NOOP").await, expunged);
        for line in expunged {
            idles.hears(line).await;
        }
        idles.talks("C: DONE\n S: t OK <text>").await;
        assert_eq!(
            ok(&mut viewer, "STATUS old (MESSAGES)").await,
            ["* STATUS old (MESSAGES 3)"]
        );
        assert_eq!(
            ok(&mut viewer, "STATUS INBOX (MESSAGES)").await,
            ["* STATUS INBOX (MESSAGES 0)"]
        );
        // And it goes on as INBOX.
        two.data.deliver("INBOX", b"Subject: 4\n\n");
        assert_eq!(ok(&mut viewer, "NOOP").await, ["* 1 EXISTS"]);
    });
}
