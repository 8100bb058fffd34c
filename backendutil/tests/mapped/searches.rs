//! SEARCH looks at those messages alone that can match: it finds what it finds when it looks at all.

use backend_api::{Flag, MailStore, NumSet, Rights, SearchKey, SystemFlag};

use crate::client::{Client, World, flags, seqs, uids};
use crate::on_every_store;
use crate::random::Random;

on_every_store! {
    a_narrowed_search_finds_what_a_look_at_all_finds: 2_500,
    numbers_that_name_nothing_are_answered_without_a_look_at_anything: 3,
}

/// The same key, in words that name no message and no flag.
fn anywhere(key: &SearchKey) -> SearchKey {
    let never = SearchKey::And(vec![SearchKey::Recent, SearchKey::Not(Box::new(SearchKey::Recent))]);
    SearchKey::Or(vec![key.clone(), never])
}

fn set(random: &mut Random, top: usize) -> String {
    let run = |random: &mut Random| {
        let from = 1 + random.below(top + 3);
        let most = [1, 1, 20, 3_000][random.below(4)];
        format!("{from}:{}", from + random.below(most))
    };
    let runs: Vec<String> = (0..=random.below(4)).map(|_| run(random)).collect();
    runs.join(",")
}

fn key(random: &mut Random, top: usize, depth: usize) -> SearchKey {
    let several = |random: &mut Random| (0..=random.below(3)).map(|_| key(random, top, depth - 1)).collect();
    match random.below(if depth == 0 { 8 } else { 14 }) {
        0 | 1 => SearchKey::Set(seqs(&set(random, top))),
        2 | 3 => SearchKey::Set(uids(&set(random, top))),
        4 | 5 => SearchKey::Has(Flag::System(SystemFlag::ALL[random.below(5)])),
        6 => SearchKey::Has(flags("$Word").iter().next().unwrap()),
        7 if random.one_in(4) => SearchKey::All,
        7 => SearchKey::Recent,
        8 | 9 => SearchKey::Not(Box::new(key(random, top, depth - 1))),
        10 | 11 => SearchKey::Or(several(random)),
        _ => SearchKey::And(several(random)),
    }
}

/// Something happens in the mailbox that this client is told of in part, or not.
async fn step<S: MailStore>(world: &World<S>, client: &mut Client<S>, random: &mut Random) {
    let top = client.picture.messages.len() + 50;
    match random.below(8) {
        0 | 1 => world.remove(1, &set(random, top)).await,
        2 => world.deliver(1, 1 + random.below(40)).await,
        3..=5 => {
            let given = ["\\Flagged", "\\Seen \\Draft", "\\Answered $Word", ""][random.below(4)];
            world.flag(1, &set(random, top), given).await;
        }
        6 => drop(client.poll(Rights::NO_EXPUNGE).await),
        _ => drop(client.noop().await),
    }
}

async fn a_narrowed_search_finds_what_a_look_at_all_finds<S: MailStore>(world: World<S>) {
    let mut random = Random(5);
    let mut client = world.select("INBOX").await;
    let mut found = 0;
    for _ in 0..30 {
        step(&world, &mut client, &mut random).await;
        let top = client.picture.messages.len();
        for _ in 0..10 {
            let key = key(&mut random, top, 3);
            let narrowed = client.search(&key).await;
            assert_eq!(narrowed, client.search(&anywhere(&key)).await, "{key:?}");
            found += usize::from(!narrowed.is_empty());
        }
    }
    assert!(found > 100, "most keys find something: {found}");
}

async fn numbers_that_name_nothing_are_answered_without_a_look_at_anything<S: MailStore>(world: World<S>) {
    let mut a = world.select("INBOX").await;
    let hello = || SearchKey::Text("hello".into());
    let of = |set: NumSet| SearchKey::And(vec![hello(), SearchKey::Set(set)]);
    world.remove(1, "2").await;
    world.deliver(1, 1).await;
    assert_eq!(a.search(&of(seqs("2"))).await, [""; 0], "a ghost");
    assert_eq!(a.search(&of(uids("4:9"))).await, [""; 0], "what was not announced");
    let both = SearchKey::And(vec![of(seqs("1")), of(uids("3"))]);
    assert_eq!(a.search(&both).await, [""; 0], "two others");
    assert_eq!(*world.store().loaded.lock().unwrap(), [0; 0]);
    assert_eq!(a.search(&of(uids("3:9"))).await, ["3=3"]);
    assert_eq!(*world.store().loaded.lock().unwrap(), [3]);
}
