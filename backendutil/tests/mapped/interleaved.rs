//! Random commands of two to four clients at the same time, in every order of their steps.

use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Waker};

use backend_api::{BodySection, Fetch, FetchItem, MailStore, NumSet, Rights, SearchKey, Section, SeqSet};

use crate::client::{Client, World, seqs};
use crate::random::Random;
use crate::{finish, on_every_store, poll_times};

on_every_store! {
    every_picture_is_true_when_all_is_quiet: 6,
    two_moves_of_the_same_messages_never_double_them: 4,
}

type Running<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

async fn every_picture_is_true_when_all_is_quiet<S: MailStore>(world: World<S>) {
    for seed in 0..100 {
        let mut random = Random(seed);
        let count = 2 + random.below(3);
        let mut clients = Vec::new();
        for _ in 0..count {
            clients.push(world.select("INBOX").await);
        }
        for _ in 0..12 {
            world.store().pauses.store(true, Ordering::Relaxed);
            let outside = random
                .one_in(3)
                .then(|| Box::pin(application(&world, random.next())) as Running<'_>);
            let commands = clients
                .iter_mut()
                .map(|c| Box::pin(command(c, random.next())) as Running<'_>);
            let running: Vec<_> = commands.chain(outside).collect();
            together(running, &mut random);
            world.store().pauses.store(false, Ordering::Relaxed);
        }
        let truth = world.truth(1).await;
        for client in &mut clients {
            assert_eq!(finish(Box::pin(client.whole()).as_mut()), truth, "seed {seed}");
        }
        assert!(clients.iter().all(|c| c.picture.messages.len() == truth.len()));
    }
}

/// Steps one or the other until all are done.
fn together(mut running: Vec<Running<'_>>, random: &mut Random) {
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..100_000 {
        if running.is_empty() {
            return;
        }
        let at = random.below(running.len());
        if running[at].as_mut().poll(&mut cx).is_ready() {
            drop(running.remove(at));
        }
    }
    panic!("they wait for each other");
}

async fn command<S: MailStore>(client: &mut Client<S>, seed: u64) {
    let mut random = Random(seed);
    let exists = client.picture.messages.len();
    let mut some = || {
        let from = 1 + random.below(exists);
        let to = (from + random.below(3)).min(exists.max(1));
        seqs(&format!("{from}:{to}"))
    };
    let (set, flags) = (some(), ["+\\Seen", "-\\Seen", "+\\Deleted", "\\Flagged"]);
    let change = flags[random.below(4)];
    if exists == 0 || matches!(&set, NumSet::Seq(s) if s.is_empty()) {
        client.append("INBOX").await;
        return;
    }
    let want = Fetch::new(vec![FetchItem::Flags]);
    let mut body = Fetch::new(vec![FetchItem::Section(BodySection::peek(Section::default()))]);
    body.set_seen = true;
    let outcome = match random.below(12) {
        0 | 1 => client.store(&set, change, false).await,
        2 => client.store(&set, change, true).await,
        3 => client.fetch(&set, &want).await,
        4 => client.fetch(&set, &body).await,
        5 => client.search(&SearchKey::All).await,
        6 => vec![client.copy(&set, "INBOX").await],
        7 => vec![client.r#move(&set, "INBOX").await],
        8 => vec![client.r#move(&set, "other").await],
        9 => {
            client.append("INBOX").await;
            return drop(client.noop().await);
        }
        10 => {
            client.expunge().await.unwrap();
            return drop(client.noop().await);
        }
        _ => return drop(client.noop().await),
    };
    let bad = outcome
        .iter()
        .find(|l| ["Bye", "Internal", "NotFound"].contains(&l.as_str()));
    assert_eq!(bad, None);
    let rights = match &set {
        NumSet::Seq(_) => Rights::NO_EXPUNGE,
        _ => Rights::ALL,
    };
    client.poll(rights).await;
}

/// The owner of the store changes something, and says so afterwards.
async fn application<S: MailStore>(world: &World<S>, seed: u64) {
    let mut random = Random(seed);
    let truth = world.truth(1).await;
    let uid = truth
        .get(random.below(truth.len()))
        .and_then(|line| line.split(' ').next());
    match (random.below(3), uid) {
        (0, Some(uid)) => world.remove(1, uid).await,
        (1, Some(uid)) => world.flag(1, uid, "\\Draft $App").await,
        _ => world.deliver(1, 1).await,
    }
}

async fn two_moves_of_the_same_messages_never_double_them<S: MailStore>(world: World<S>) {
    for polls in 0.. {
        let missing = 4 - world.truth(1).await.len();
        world.deliver(1, missing).await;
        let (mut a, mut b) = (world.select("INBOX").await, world.select("INBOX").await);
        let before = world.truth(2).await.len();
        world.store().pauses.store(true, Ordering::Relaxed);
        let first = SeqSet::run(backend_api::Seq::MIN, backend_api::Seq::new(3).unwrap());
        let (first, last) = (NumSet::Seq(first), seqs("2:4"));
        let (mut one, mut two) = (Box::pin(a.r#move(&first, "other")), Box::pin(b.r#move(&last, "other")));
        let early = poll_times(one.as_mut(), polls);
        let mut cx = Context::from_waker(Waker::noop());
        let (mut one_done, mut two_done) = (early.clone(), None);
        // The second as far as it comes, then the first to its end.
        for _ in 0..1000 {
            if two_done.is_none()
                && let std::task::Poll::Ready(done) = two.as_mut().poll(&mut cx)
            {
                two_done = Some(done);
            }
        }
        if one_done.is_none() {
            one_done = Some(finish(one.as_mut()));
        }
        let two_done = two_done.unwrap_or_else(|| finish(two.as_mut()));
        world.store().pauses.store(false, Ordering::Relaxed);
        let moved = format!("{} {two_done}", one_done.unwrap());
        let mut old: Vec<&str> = moved
            .split(' ')
            .filter_map(|p| p.split_once('>'))
            .map(|p| p.0)
            .collect();
        let count = old.len();
        old.sort_unstable();
        old.dedup();
        assert_eq!((old.len(), count), (4, 4), "{moved}");
        assert_eq!(world.truth(2).await.len() - before, 4);
        assert_eq!(world.truth(1).await, [""; 0]);
        drop((one, two));
        assert_eq!(a.noop().await, ["4 EXPUNGE", "3 EXPUNGE", "2 EXPUNGE", "1 EXPUNGE"]);
        assert_eq!(b.noop().await, ["4 EXPUNGE", "3 EXPUNGE", "2 EXPUNGE", "1 EXPUNGE"]);
        if early.is_some() {
            return;
        }
    }
}
