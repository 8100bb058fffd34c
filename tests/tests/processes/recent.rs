//! `\Recent` goes to one session, whichever process it is of.

use std::collections::BTreeMap;

use imap_compliance::Client;

use crate::{Two, ok, run};

/// Clients of each process.
const CLIENTS: usize = 4;

async fn clients(two: &Two) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(two.one.login().await);
        clients.push(two.two.login().await);
    }
    clients
}

/// What a command was answered, `\Recent` and RECENT included.
async fn whole_answer(client: &mut Client) -> Vec<String> {
    let mut untagged = Vec::new();
    loop {
        let line = String::from_utf8(client.response().await).unwrap();
        if let Some(tagged) = line.strip_prefix("t ") {
            assert!(tagged.starts_with("OK"), "{tagged}");
            return untagged;
        }
        untagged.push(line);
    }
}

async fn asks(client: &mut Client, command: &str) -> Vec<String> {
    client.says(format!("t {command}")).await;
    whole_answer(client).await
}

/// The last number that was told of this name.
fn number(told: &[String], name: &str) -> Option<u32> {
    let told = told.iter().rev().find_map(|line| line.strip_suffix(name));
    told.map(|line| line.trim_start_matches("* ").trim().parse().unwrap())
}

/// The messages that are recent to a client, as each command shows them.
async fn recent(client: &mut Client) -> Vec<u32> {
    let fetched = asks(client, "FETCH 1:* FLAGS").await;
    let flagged: Vec<u32> = fetched
        .iter()
        .filter(|line| line.contains(r"\Recent"))
        .map(|line| line.split(' ').nth(1).unwrap().parse().unwrap())
        .collect();
    let numbers: Vec<String> = flagged.iter().map(u32::to_string).collect();
    let found = ["* SEARCH".to_owned()]
        .into_iter()
        .chain(numbers)
        .collect::<Vec<_>>()
        .join(" ");
    assert_eq!(asks(client, "SEARCH RECENT").await, [found]);
    flagged
}

/// R3501-028, R3501-334
#[test]
fn of_sessions_that_select_at_once_each_recent_message_is_given_to_one() {
    run(async {
        let two = Two::new();
        let mut clients = clients(&two).await;
        let mut messages = 0;
        for round in 1..=6_u32 {
            for number in 0..round {
                two.data.deliver("INBOX", format!("Subject: {number}\n\n").as_bytes());
            }
            // In every round others come first.
            clients.rotate_left(round as usize);
            for client in &mut clients {
                client.says("t SELECT INBOX").await;
            }
            let mut said = 0;
            for client in &mut clients {
                let told = whole_answer(client).await;
                assert_eq!(number(&told, " EXISTS"), Some(messages + round));
                said += number(&told, " RECENT").unwrap();
            }
            assert_eq!(said, round, "round {round}");
            let mut given = Vec::new();
            for client in &mut clients {
                given.extend(recent(client).await);
                asks(client, "UNSELECT").await;
            }
            given.sort_unstable();
            assert_eq!(
                given,
                (messages + 1..=messages + round).collect::<Vec<_>>(),
                "round {round}"
            );
            messages += round;
        }
    });
}

/// R3501-028: mail that comes while sessions of both processes have the mailbox selected.
#[test]
fn what_arrives_is_recent_to_one_of_all_sessions_of_both_processes() {
    run(async {
        let two = Two::new();
        let mut clients = clients(&two).await;
        for (at, client) in clients.iter_mut().enumerate() {
            asks(client, "SELECT INBOX").await;
            // Half of them hear of it by themselves, the others when they ask.
            if at % 4 < 2 {
                client.talks("C: t IDLE\n S: + <text>").await;
            }
        }
        const DELIVERIES: u32 = 12;
        for number in 1..=DELIVERIES {
            two.data.deliver("INBOX", format!("Subject: {number}\n\n").as_bytes());
            for (at, client) in clients.iter_mut().enumerate() {
                if at % 4 >= 2 {
                    let told = asks(client, "NOOP").await;
                    assert_eq!(self::number(&told, " EXISTS"), Some(number));
                } else {
                    client.hears(&format!("* {number} EXISTS")).await;
                    client.response().await;
                }
            }
        }
        let mut holders: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (at, client) in clients.iter_mut().enumerate() {
            if at % 4 < 2 {
                client.says("DONE").await;
                whole_answer(client).await;
            }
            for message in recent(client).await {
                holders.entry(message).or_default().push(at);
            }
        }
        let numbers: Vec<u32> = holders.keys().copied().collect();
        assert_eq!(numbers, (1..=DELIVERIES).collect::<Vec<_>>(), "{holders:?}");
        assert!(holders.values().all(|of| of.len() == 1), "{holders:?}");
    });
}

/// R3501-030, R3501-136, R3501-177
#[test]
fn examine_and_status_show_what_is_recent_in_any_process_and_take_nothing() {
    run(async {
        let two = Two::new();
        let (mut here, mut there) = (two.one.login().await, two.two.login().await);
        two.data.deliver("INBOX", b"Subject: 1\n\n");
        two.data.deliver("INBOX", b"Subject: 2\n\n");
        for client in [&mut here, &mut there] {
            for _ in 0..2 {
                assert_eq!(number(&asks(client, "EXAMINE INBOX").await, " RECENT"), Some(2));
                assert_eq!(recent(client).await, [1, 2]);
                assert_eq!(
                    asks(client, "STATUS INBOX (RECENT)").await,
                    ["* STATUS INBOX (RECENT 2)"]
                );
            }
        }
        assert_eq!(number(&asks(&mut there, "SELECT INBOX").await, " RECENT"), Some(2));
        let mut late = two.one.login().await;
        for client in [&mut here, &mut late] {
            assert_eq!(
                asks(client, "STATUS INBOX (RECENT)").await,
                ["* STATUS INBOX (RECENT 0)"]
            );
            assert_eq!(number(&asks(client, "EXAMINE INBOX").await, " RECENT"), Some(0));
            assert_eq!(recent(client).await, [0; 0]);
            assert_eq!(number(&asks(client, "SELECT INBOX").await, " RECENT"), Some(0));
        }
        // What it was given it keeps.
        assert_eq!(recent(&mut there).await, [1, 2]);
    });
}

/// Nobody waits for a disk who only looks.
#[test]
fn select_writes_nothing_where_nothing_is_recent() {
    run(async {
        let two = Two::new();
        let (mut here, mut there) = (two.one.login().await, two.two.login().await);
        let outside = two.data.folder().reader();
        let version = || -> i64 { outside.query_row("PRAGMA data_version", [], |row| row.get(0)).unwrap() };
        ok(&mut here, "CREATE other").await;
        two.data.deliver("INBOX", b"Subject: 1\n\n");
        assert_eq!(number(&asks(&mut here, "SELECT INBOX").await, " RECENT"), Some(1));
        let before = version();
        for mailbox in ["other", "INBOX", "other"] {
            for command in ["SELECT", "EXAMINE"] {
                for client in [&mut here, &mut there] {
                    let told = asks(client, &format!("{command} {mailbox}")).await;
                    assert_eq!(number(&told, " RECENT"), Some(0));
                }
            }
        }
        assert_eq!(version(), before);
    });
}
