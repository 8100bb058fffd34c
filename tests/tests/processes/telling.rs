//! What was acknowledged by one process is shown by the other's next NOOP, and told to its clients in IDLE.

use std::collections::BTreeSet;

use imap_compliance::Client;

use crate::{Two, append, ok, run, select};

/// So many changes of each kind, each way.
const ROUNDS: usize = 200;

/// The next untagged response without its `* `, and without the flag that is each session's own.
async fn told_of(client: &mut Client) -> String {
    let told = String::from_utf8(client.response().await).unwrap();
    let told = told.replace(r"\Recent ", "").replace(r" \Recent", "");
    told.strip_prefix("* ").unwrap_or(&told).to_owned()
}

/// One client changes, the other asks.
async fn shows(here: &mut Client, there: &mut Client) {
    for round in 0..ROUNDS {
        append(here, "INBOX", format!("Subject: {round}\r\n\r\n").as_bytes()).await;
        assert_eq!(ok(there, "NOOP").await, ["* 2 EXISTS"], "APPEND {round}");
        assert_eq!(
            ok(here, r"STORE 1 FLAGS (\Deleted)").await,
            [r"* 1 FETCH (FLAGS (\Deleted))"]
        );
        assert_eq!(
            ok(there, "NOOP").await,
            [r"* 1 FETCH (FLAGS (\Deleted))"],
            "STORE {round}"
        );
        assert_eq!(ok(here, "EXPUNGE").await, ["* 1 EXPUNGE"]);
        assert_eq!(ok(there, "NOOP").await, ["* 1 EXPUNGE"], "EXPUNGE {round}");
    }
}

/// R3501-410
#[test]
fn a_noop_shows_what_another_process_acknowledged() {
    run(async {
        let two = Two::new();
        two.data.deliver("INBOX", b"Subject: the first\n\n");
        let (mut one, mut other) = two.select("INBOX").await;
        shows(&mut one, &mut other).await;
        shows(&mut other, &mut one).await;
    });
}

#[test]
fn every_client_that_idles_hears_of_every_delivery() {
    const CLIENTS: usize = 50;
    const DELIVERIES: u32 = 40;
    run(async {
        let two = Two::new();
        let mut idle = Vec::new();
        for number in 0..CLIENTS {
            let process = if number % 2 == 0 { &two.one } else { &two.two };
            let mut client = select(process, "INBOX").await;
            client.talks("C: t IDLE\n S: + <text>").await;
            idle.push(client);
        }
        for delivery in 1..=DELIVERIES {
            two.data.deliver("INBOX", format!("Subject: {delivery}\n\n").as_bytes());
            for client in &mut idle {
                client.hears(&format!("* {delivery} EXISTS")).await;
                let recent = client.response().await;
                assert!(recent.ends_with(b" RECENT"), "{}", String::from_utf8_lossy(&recent));
            }
        }
        for client in &mut idle {
            client.talks("C: DONE\n S: t OK <text>").await;
        }
    });
}

/// Deliveries and changes that come faster than they are told are told together, and all of them.
#[test]
fn what_comes_in_a_burst_is_told_in_the_end() {
    run(async {
        let two = Two::new();
        let mut idle = select(&two.one, "INBOX").await;
        idle.talks("C: t IDLE\n S: + <text>").await;
        let mut busy = select(&two.two, "INBOX").await;
        let mut said = Vec::new();
        for _ in 0..100 {
            said.extend_from_slice(b"t APPEND INBOX {4+}\r\ntext\r\n");
        }
        busy.sends(&said).await;
        for _ in 0..100 {
            crate::answer(&mut busy).await;
        }
        // A message whose arrival was told before its flags change is told of again; one that comes with them is not.
        let mut exists = 0;
        while exists < 100 {
            let told = told_of(&mut idle).await;
            if let Some((number, what)) = told.split_once(' ')
                && what == "EXISTS"
            {
                exists = number.parse().unwrap();
            }
        }
        said.clear();
        for number in 1..=100 {
            said.extend_from_slice(format!("t STORE {number} FLAGS.SILENT (k{number})\r\n").as_bytes());
        }
        busy.sends(&said).await;
        for _ in 0..100 {
            crate::answer(&mut busy).await;
        }
        let mut flagged = BTreeSet::new();
        while flagged.len() < 100 {
            let told = told_of(&mut idle).await;
            let Some((number, flags)) = told.split_once(" FETCH ") else {
                continue;
            };
            assert_eq!(flags, format!("(FLAGS (k{number}))"));
            flagged.insert(number.to_owned());
        }
        idle.says("DONE").await;
        let (told, tagged) = crate::answer(&mut idle).await;
        assert!(tagged.starts_with("OK"), "{told:?} {tagged}");
    });
}
