//! Clients of two processes at the same messages: what each is told to have done has been done once.

use std::collections::{BTreeMap, BTreeSet};

use backend_api::{FlagChange, Flags, MailStore as _, MailboxName, Uid, UidSet};
use backend_sqlite::{Options, SqliteStore};
use imap_compliance::Client;

use crate::{Two, append, ok, run, select};

const CLIENTS: usize = 8;
const MESSAGES: u32 = 40;

async fn clients(two: &Two, mailbox: &str) -> Vec<Client> {
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let process = if number % 2 == 0 { &two.one } else { &two.two };
        clients.push(select(process, mailbox).await);
    }
    clients
}

/// The texts of a mailbox's messages, by UID.
async fn texts(client: &mut Client, mailbox: &str) -> BTreeMap<u32, String> {
    ok(client, &format!("EXAMINE {mailbox}")).await;
    let told = ok(client, "UID FETCH 1:* BODY.PEEK[TEXT]").await;
    let uid_and_text = |line: String| {
        let (uid, rest) = line.split_once("(UID ").unwrap().1.split_once(' ').unwrap();
        let text = rest.split_once("\r\n").unwrap().1.trim_end_matches(')');
        (uid.parse().unwrap(), text.to_owned())
    };
    told.into_iter().map(uid_and_text).collect()
}

/// The UIDs of a set as COPYUID has it.
fn uids(set: &str) -> Vec<u32> {
    let range = |range: &str| {
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        first.parse::<u32>().unwrap()..=last.parse().unwrap()
    };
    set.split(',').flat_map(range).collect()
}

async fn fill(two: &Two) -> BTreeSet<String> {
    let mut client = two.one.login().await;
    for number in 0..MESSAGES {
        append(
            &mut client,
            "INBOX",
            format!("Subject: x\r\n\r\nmessage {number}").as_bytes(),
        )
        .await;
    }
    texts(&mut client, "INBOX").await.into_values().collect()
}

/// R6851-004
#[test]
fn messages_that_all_move_at_once_are_moved_once() {
    run(async {
        let two = Two::new();
        let all = fill(&two).await;
        ok(&mut two.one.login().await, "CREATE away").await;
        let (mut from, mut to) = ("INBOX", "away");
        for round in 0..6 {
            let mut movers = clients(&two, from).await;
            for (number, mover) in movers.iter_mut().enumerate() {
                // By number, by UID, and of a part.
                let command = match number % 4 {
                    0 | 1 => format!("MOVE 1:{MESSAGES} {to}"),
                    2 => format!("UID MOVE 1:* {to}"),
                    _ => format!("MOVE 5:20 {to}"),
                };
                mover.says(format!("t {command}")).await;
            }
            let (mut moved, mut arrived) = (Vec::new(), Vec::new());
            for mover in &mut movers {
                let (told, tagged) = crate::answer(mover).await;
                let whole = tagged.starts_with("OK ") || tagged.starts_with("NO [EXPUNGEISSUED] ");
                assert!(whole, "{tagged}");
                for code in told.iter().filter_map(|line| line.strip_prefix("* OK [COPYUID ")) {
                    let sets: Vec<&str> = code.split([' ', ']']).collect();
                    moved.extend(uids(sets[1]));
                    arrived.extend(uids(sets[2]));
                }
            }
            let unique = |uids: &[u32]| uids.iter().copied().collect::<BTreeSet<_>>();
            assert_eq!(
                (moved.len(), arrived.len()),
                (40, 40),
                "round {round}: {moved:?} became {arrived:?}"
            );
            assert_eq!(
                (unique(&moved).len(), unique(&arrived).len()),
                (40, 40),
                "round {round}"
            );
            drop(movers);
            for process in [&two.one, &two.two] {
                let mut looker = process.login().await;
                assert_eq!(texts(&mut looker, from).await, BTreeMap::new(), "round {round}");
                let there = texts(&mut looker, to).await;
                assert_eq!(
                    there.keys().copied().collect::<BTreeSet<_>>(),
                    unique(&arrived),
                    "round {round}"
                );
                assert_eq!(there.into_values().collect::<BTreeSet<_>>(), all, "round {round}");
            }
            (from, to) = (to, from);
        }
    });
}

/// R3501-014
#[test]
fn appends_of_two_processes_get_unique_rising_uids() {
    const EACH: u32 = 25;
    run(async {
        let two = Two::new();
        let mut appending = tokio::task::JoinSet::new();
        for (number, mut client) in clients(&two, "INBOX").await.into_iter().enumerate() {
            appending.spawn(async move {
                let mut uids = Vec::new();
                for round in 0..EACH {
                    uids.push(append(&mut client, "INBOX", format!("\r\n{number} {round}").as_bytes()).await);
                }
                (number, uids)
            });
        }
        let mut expected = BTreeMap::new();
        for (number, uids) in appending.join_all().await {
            assert!(uids.is_sorted_by(|a, b| a < b), "{uids:?}");
            expected.extend(
                uids.into_iter()
                    .zip(0..)
                    .map(|(uid, round)| (uid, format!("{number} {round}"))),
            );
        }
        assert_eq!(expected.len(), CLIENTS * EACH as usize, "a UID was given twice");
        for process in [&two.one, &two.two] {
            assert_eq!(texts(&mut process.login().await, "INBOX").await, expected);
        }
    });
}

/// Each adds its own keyword and takes another away: decided on old flags, some would be lost.
#[test]
fn no_flag_change_is_lost_among_those_of_two_processes() {
    run(async {
        let two = Two::new();
        fill(&two).await;
        let mut changing = tokio::task::JoinSet::new();
        for (number, mut client) in clients(&two, "INBOX").await.into_iter().enumerate() {
            changing.spawn(async move {
                for _ in 0..10 {
                    ok(
                        &mut client,
                        &format!("STORE 1:{MESSAGES} +FLAGS.SILENT (gone{number} stays{number})"),
                    )
                    .await;
                    ok(&mut client, &format!("STORE 1:{MESSAGES} -FLAGS.SILENT (gone{number})")).await;
                }
                client
            });
        }
        let mut clients = changing.join_all().await;
        let expected: BTreeSet<String> = (0..CLIENTS).map(|n| format!("stays{n}")).collect();
        for client in &mut clients {
            for line in ok(client, "FETCH 1:* FLAGS")
                .await
                .iter()
                .filter(|line| line.contains("FETCH"))
            {
                let flags = line.split_once("(FLAGS (").unwrap().1.trim_end_matches(')');
                assert_eq!(
                    flags.split(' ').map(str::to_owned).collect::<BTreeSet<_>>(),
                    expected,
                    "{line}"
                );
            }
        }
    });
}

/// Of several that expunge the same messages, each message goes once, and everybody is told of it once.
#[test]
fn each_expunge_of_two_processes_is_told_once() {
    run(async {
        let two = Two::new();
        fill(&two).await;
        let mut clients = clients(&two, "INBOX").await;
        ok(&mut clients[0], r"STORE 1:20 +FLAGS.SILENT (\Deleted)").await;
        for client in &mut clients {
            client.sends(b"t EXPUNGE\r\nt NOOP\r\n").await;
        }
        for client in &mut clients {
            let (mut told, _) = crate::answer(client).await;
            told.extend(crate::answer(client).await.0);
            told.extend(ok(client, "NOOP").await);
            let mut numbers: Vec<u32> = (1..=MESSAGES).collect();
            for line in told.iter().filter_map(|line| line.strip_suffix(" EXPUNGE")) {
                let number: usize = line.trim_start_matches("* ").parse().unwrap();
                numbers.remove(number - 1);
            }
            assert_eq!(numbers, (21..=MESSAGES).collect::<Vec<_>>(), "{told:?}");
        }
    });
}

/// Two stores of this process beside the servers': of many changes that ask for one mod-sequence a single one is made.
#[test]
fn of_conditional_changes_under_one_mod_sequence_one_wins() {
    run(async {
        let two = Two::new();
        two.data.deliver("INBOX", b"Subject: 1\n\n");
        let stores = [(); 2].map(|()| SqliteStore::open(two.data.path(), Options::default()).unwrap());
        let account = stores[0].account("demo").await.unwrap();
        let inbox = stores[0]
            .mailbox(&account, &MailboxName::inbox())
            .await
            .unwrap()
            .unwrap()
            .id;
        for round in 0..20 {
            let known = stores[0].messages(&account, inbox).await.unwrap().highest_mod_seq;
            let mut racing = tokio::task::JoinSet::new();
            for number in 0..6 {
                let (store, account) = (stores[number % 2].clone(), account.clone());
                racing.spawn(async move {
                    let change = FlagChange::Replace(Flags::NONE.with_keyword(&format!("k{round}x{number}")));
                    let uids = UidSet::run(Uid::MIN, Uid::MIN);
                    let done = store
                        .set_flags(&account, inbox, &uids, &change, Some(known))
                        .await
                        .unwrap();
                    (done.modified.is_empty(), change)
                });
            }
            let outcomes = racing.join_all().await;
            let made: Vec<_> = outcomes.iter().filter(|(made, _)| *made).collect();
            assert_eq!(made.len(), 1, "round {round}: {outcomes:?}");
            let now = stores[1].messages(&account, inbox).await.unwrap();
            assert_eq!(FlagChange::Replace(now.entries[0].flags.clone()), made[0].1);
        }
    });
}

/// Two clients of two processes say these at once; whether each was done.
async fn together(clients: &mut (Client, Client), here: &str, there: &str) -> [bool; 2] {
    clients.0.says(format!("t {here}")).await;
    clients.1.says(format!("t {there}")).await;
    let answers = [
        crate::answer(&mut clients.0).await.1,
        crate::answer(&mut clients.1).await.1,
    ];
    answers.map(|tagged| {
        let refused = ["NO [NONEXISTENT]", "NO [ALREADYEXISTS]", "NO [TRYCREATE]"];
        let refused = refused.iter().any(|code| tagged.starts_with(code));
        assert!(refused || tagged.starts_with("OK "), "{tagged}");
        !refused
    })
}

/// A mailbox that is renamed while another process deletes it by its old name is deleted or renamed, not both.
#[test]
fn of_delete_and_rename_of_a_mailbox_one_is_done() {
    run(async {
        let two = Two::new();
        let mut clients = (two.one.login().await, two.two.login().await);
        let mut done = [0, 0];
        for round in 0..100 {
            ok(&mut clients.0, "CREATE x").await;
            append(&mut clients.0, "x", b"Subject: x\r\n\r\n").await;
            let [deleted, renamed] = match round % 2 {
                0 => together(&mut clients, "DELETE x", "RENAME x y").await,
                _ => {
                    let [renamed, deleted] = together(&mut clients, "RENAME x y", "DELETE x").await;
                    [deleted, renamed]
                }
            };
            assert!(
                deleted != renamed,
                "round {round}: deleted {deleted}, renamed {renamed}"
            );
            done[usize::from(renamed)] += 1;
            for client in [&mut clients.0, &mut clients.1] {
                let expected: &[&str] = if renamed { &["* STATUS y (MESSAGES 1)"] } else { &[] };
                let (told, _) = crate::ask(client, "STATUS y (MESSAGES)").await;
                assert_eq!(told, expected, "round {round}");
                assert!(
                    crate::ask(client, "STATUS x (MESSAGES)")
                        .await
                        .1
                        .starts_with("NO [NONEXISTENT]")
                );
            }
            if renamed {
                ok(&mut clients.1, "DELETE y").await;
            }
        }
        assert!(done.iter().all(|count| *count > 0), "no race: {done:?}");
    });
}

/// What is copied, moved and appended to a name whose mailbox is deleted and made again meanwhile is in the one that the
/// answer names, or nowhere; what was not moved is where it was.
#[test]
fn what_goes_to_a_mailbox_that_is_made_again_meanwhile_is_in_the_one_of_its_answer() {
    run(async {
        let two = Two::new();
        let (mut here, mut there) = two.select("INBOX").await;
        ok(&mut there, "CREATE x").await;
        for round in 0..60 {
            let uid = append(&mut here, "INBOX", format!("\r\nmessage {round}").as_bytes()).await;
            there.sends(b"t DELETE x\r\nt CREATE x\r\n").await;
            let (command, code) = match round % 3 {
                0 => (format!("UID MOVE {uid} x"), "[COPYUID "),
                1 => (format!("UID COPY {uid} x"), "[COPYUID "),
                _ => (format!("APPEND x {{10+}}\r\n\r\nmessage{}", round % 10), "[APPENDUID "),
            };
            let (told, tagged) = crate::ask(&mut here, &command).await;
            for _ in 0..2 {
                let (_, tagged) = crate::answer(&mut there).await;
                assert!(tagged.starts_with("OK "), "{tagged}");
            }
            let lines = told.iter().chain([&tagged]);
            let went = lines.filter_map(|line| line.split_once(code)).next();
            assert_eq!(went.is_some(), tagged.starts_with("OK "), "{told:?} {tagged}");
            assert!(went.is_some() || tagged.starts_with("NO [TRYCREATE] "), "{tagged}");
            let validity = crate::uid_validity(&mut there, "x").await;
            let is_there = went.is_some_and(|(_, rest)| rest.starts_with(&format!("{validity} ")));
            let expected = format!("* STATUS x (MESSAGES {})", u32::from(is_there));
            assert_eq!(ok(&mut here, "STATUS x (MESSAGES)").await, [expected], "{tagged}");
            let left = ok(&mut here, &format!("UID SEARCH UID {uid}")).await;
            let moved = round % 3 == 0 && went.is_some();
            assert_eq!(
                left.last().unwrap().split(' ').count(),
                if moved { 2 } else { 3 },
                "{left:?}"
            );
        }
        assert_eq!(two.data.folder().disorder(), [""; 0]);
    });
}
