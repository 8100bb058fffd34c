//! Random operations through the contract, beside a model that is too simple to be wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use common::*;

use std::collections::{BTreeMap, BTreeSet};

use backend_api::*;
use proptest::prelude::*;

const BOXES: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    Add {
        to: usize,
        len: usize,
        flags: u8,
        keyword: u8,
    },
    Flag {
        at: usize,
        set: BTreeSet<u32>,
        kind: u8,
        flags: u8,
        keyword: u8,
        since: Option<u64>,
    },
    Remove {
        at: usize,
        set: BTreeSet<u32>,
        all: bool,
    },
    Copy {
        from: usize,
        to: usize,
        set: BTreeSet<u32>,
        all: bool,
    },
    Move {
        from: usize,
        to: usize,
        set: BTreeSet<u32>,
    },
    Reclaim {
        at: usize,
    },
    Remake {
        at: usize,
    },
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let mailbox = || 0..BOXES;
    let set = || proptest::collection::btree_set(1u32..40, 0..12);
    prop_oneof![
        6 => (mailbox(), 0usize..3000, 0u8..32, 0u8..4).prop_map(|(to, len, flags, keyword)| Step::Add { to, len, flags, keyword }),
        4 => (mailbox(), set(), 0u8..3, 0u8..32, 0u8..4, proptest::option::of(0u64..30))
            .prop_map(|(at, set, kind, flags, keyword, since)| Step::Flag { at, set, kind, flags, keyword, since }),
        2 => (mailbox(), set(), any::<bool>()).prop_map(|(at, set, all)| Step::Remove { at, set, all }),
        2 => (mailbox(), mailbox(), set(), any::<bool>()).prop_map(|(from, to, set, all)| Step::Copy { from, to, set, all }),
        2 => (mailbox(), mailbox(), set()).prop_map(|(from, to, set)| Step::Move { from, to, set }),
        1 => mailbox().prop_map(|at| Step::Reclaim { at }),
        1 => (1..BOXES).prop_map(|at| Step::Remake { at }),
        1 => Just(Step::Reopen),
    ]
}

#[derive(Clone, Default, Debug)]
struct Message {
    flags: Flags,
    modseq: u64,
    text: Vec<u8>,
}

/// A mailbox as a map; what a client is told by the watcher beside it.
#[derive(Clone, Debug)]
struct Model {
    id: MailboxId,
    messages: BTreeMap<u32, Message>,
    next: u32,
    modseq: u64,
    ghosts: BTreeSet<u32>,
    /// Made of what the watcher was told alone.
    told: BTreeMap<u32, (Flags, u64)>,
    told_to: u64,
    /// The state at some earlier mod-sequence.
    earlier: (u64, BTreeMap<u32, (Flags, u64)>),
}

impl Model {
    fn new(id: MailboxId) -> Self {
        Self {
            id,
            messages: BTreeMap::new(),
            next: 1,
            modseq: 1,
            ghosts: BTreeSet::new(),
            told: BTreeMap::new(),
            told_to: 1,
            earlier: (1, BTreeMap::new()),
        }
    }

    fn add(&mut self, flags: Flags, text: Vec<u8>) -> u32 {
        let (uid, modseq) = (self.next, self.modseq);
        self.next += 1;
        self.messages.insert(uid, Message { flags, modseq, text });
        uid
    }

    fn picked(&self, set: &BTreeSet<u32>) -> Vec<(u32, Message)> {
        self.messages
            .iter()
            .filter(|(uid, _)| set.contains(uid))
            .map(|(u, m)| (*u, m.clone()))
            .collect()
    }

    fn take(&mut self, set: &BTreeSet<u32>) {
        self.messages.retain(|uid, _| !set.contains(uid));
        self.ghosts.extend(set);
    }

    fn picture(&self) -> BTreeMap<u32, (Flags, u64)> {
        self.messages
            .iter()
            .map(|(uid, m)| (*uid, (m.flags.clone(), m.modseq)))
            .collect()
    }
}

fn flags(bits: u8, keyword: u8) -> Flags {
    Flags::from_parts(
        bits,
        (keyword > 0).then(|| Keyword::new(["a", "B", "$C"][usize::from(keyword - 1)]).unwrap()),
    )
}

fn uids(set: &BTreeSet<u32>) -> UidSet {
    set.iter().filter_map(|n| Uid::new(*n)).collect()
}

/// A few texts come again, so that bodies are shared.
fn text(len: usize) -> Vec<u8> {
    (0..len / 700 * 700).map(|n| (n % 251) as u8).collect()
}

fn apply_told(boxes: &mut [Model], told: Vec<(MailboxId, Option<Changes>)>) {
    for (id, changes) in told {
        let Some(model) = boxes.iter_mut().find(|m| m.id == id) else {
            continue;
        };
        let changes = changes.expect("everything is told one by one");
        assert_eq!(changes.from.get(), model.told_to, "a step was left out");
        model.told_to = changes.to.get();
        for uid in changes.vanished.iter() {
            model.told.remove(&uid.get()).expect("vanished twice");
        }
        for e in changes.set {
            model.told.insert(e.uid.get(), (e.flags, e.mod_seq.get()));
        }
        for (uid, flags) in changes.flags {
            let known = model
                .told
                .get_mut(&uid.get())
                .expect("flags of a message that nobody was told of");
            *known = (flags, changes.to.get());
        }
    }
}

async fn run(steps: Vec<Step>) {
    let mut options = small();
    options.file_above = 1_500;
    let mut w = world_with(options.clone()).await;
    let mut boxes = vec![Model::new(w.inbox)];
    for n in 1..BOXES {
        boxes.push(Model::new(w.make(&format!("box{n}")).await));
    }
    w.told.take();
    for step in steps {
        do_step(&mut w, &mut boxes, step, &options).await;
        apply_told(&mut boxes, w.told.take());
        for model in &boxes {
            check(&w, model).await;
        }
    }
    for model in &mut boxes {
        changes_lead_from_earlier_to_now(&w, model).await;
        let all = set("1:4294967295");
        w.store.remove(&w.account, model.id, &all, Remove::All).await.unwrap();
        w.store.reclaim(&w.account, model.id, &all, ModSeq(u64::MAX));
    }
    w.store.tidy().await.unwrap();
    // Mailboxes that were deleted keep theirs for a minute.
    let kept = w.rows(
        "(SELECT 1 FROM messages m JOIN mailboxes b USING (account) WHERE b.id = m.mailbox AND b.name IS NOT NULL)",
    );
    assert_eq!(kept, 0);
    let lost = w.rows("(SELECT 1 FROM bodies b WHERE refs <> (SELECT count(*) FROM messages m WHERE m.body = b.id))");
    assert_eq!(lost, 0, "references are miscounted");
    let named = w.rows("bodies WHERE file IS NOT NULL") as usize;
    assert_eq!(files(w.dir.path()).len(), named);
}

async fn do_step(w: &mut World, boxes: &mut [Model], step: Step, options: &backend_sqlite::Options) {
    match step {
        Step::Add {
            to,
            len,
            flags: bits,
            keyword,
        } => {
            let (flags, text) = (flags(bits, keyword), text(len));
            let uid = w.add_bytes(boxes[to].id, &text, flags.clone()).await;
            boxes[to].modseq += 1;
            assert_eq!(uid.get(), boxes[to].add(flags, text));
        }
        Step::Flag {
            at,
            set,
            kind,
            flags: bits,
            keyword,
            since,
        } => {
            let named = flags(bits, keyword);
            let change = [
                FlagChange::Add(named.clone()),
                FlagChange::Remove(named.clone()),
                FlagChange::Replace(named),
            ];
            let change = change[usize::from(kind)].clone();
            let model = &mut boxes[at];
            let done = w
                .store
                .set_flags(&w.account, model.id, &uids(&set), &change, since.map(ModSeq))
                .await
                .unwrap();
            let (mut changed, mut modified) = (Vec::new(), BTreeSet::new());
            for (uid, m) in model.messages.iter_mut().filter(|(uid, _)| set.contains(uid)) {
                let after = change.apply(&m.flags);
                if since.is_some_and(|s| m.modseq > s) {
                    modified.insert(*uid);
                } else if after != m.flags {
                    m.flags = after.clone();
                    m.modseq = model.modseq + 1;
                    changed.push((uid_of(*uid), after));
                }
            }
            model.modseq += u64::from(!changed.is_empty());
            assert_eq!((done.changed, done.modified), (changed, uids(&modified)));
        }
        Step::Remove { at, set, all } => {
            let model = &mut boxes[at];
            let which = if all { Remove::All } else { Remove::Deleted };
            let gone = w.store.remove(&w.account, model.id, &uids(&set), which).await.unwrap();
            let goes = |m: &Message| all || m.flags.has(SystemFlag::Deleted);
            let expected: BTreeSet<u32> = model
                .picked(&set)
                .into_iter()
                .filter(|(_, m)| goes(m))
                .map(|m| m.0)
                .collect();
            assert_eq!(gone, uids(&expected));
            model.modseq += u64::from(!expected.is_empty());
            model.take(&expected);
        }
        Step::Copy { from, to, set, all } => {
            let picked = boxes[from].picked(&set);
            let outcome = w
                .store
                .copy(&w.account, boxes[from].id, &uids(&set), boxes[to].id, all)
                .await;
            if all && picked.len() < set.len() {
                assert_eq!(kind(outcome), ErrorKind::ExpungeIssued);
                return;
            }
            let model = &mut boxes[to];
            model.modseq += u64::from(!picked.is_empty());
            let expected: Vec<_> = picked
                .into_iter()
                .map(|(u, m)| (uid_of(u), uid_of(model.add(m.flags, m.text))))
                .collect();
            assert_eq!(outcome.unwrap().unwrap().uids, expected);
        }
        Step::Move { from, to, set } => {
            let picked = boxes[from].picked(&set);
            let moved = w
                .store
                .r#move(&w.account, boxes[from].id, &uids(&set), boxes[to].id)
                .await
                .unwrap()
                .unwrap();
            let gone: BTreeSet<u32> = picked.iter().map(|m| m.0).collect();
            boxes[from].modseq += u64::from(!gone.is_empty());
            boxes[from].take(&gone);
            let model = &mut boxes[to];
            model.modseq += u64::from(!gone.is_empty() && from != to);
            let expected: Vec<_> = picked
                .into_iter()
                .map(|(u, m)| (uid_of(u), uid_of(model.add(m.flags, m.text))))
                .collect();
            assert_eq!(moved.uids, expected);
        }
        Step::Reclaim { at } => {
            let model = &mut boxes[at];
            w.store
                .reclaim(&w.account, model.id, &uids(&model.ghosts), ModSeq(model.modseq));
            w.store.tidy().await.unwrap();
            for uid in std::mem::take(&mut model.ghosts) {
                assert_eq!(
                    kind(w.store.body(&w.account, model.id, uid_of(uid)).await),
                    ErrorKind::NotFound
                );
            }
            changes_lead_from_earlier_to_now(w, model).await;
        }
        Step::Remake { at } => {
            let id = boxes[at].id;
            w.store
                .delete(&w.account, id, &name(&format!("box{at}")))
                .await
                .unwrap();
            assert_eq!(kind(w.store.messages(&w.account, id).await), ErrorKind::NotFound);
            w.told.take();
            boxes[at] = Model::new(w.make(&format!("box{at}")).await);
            assert_ne!(boxes[at].id, id);
        }
        Step::Reopen => {
            let world = std::mem::replace(w, world_with(backend_sqlite::Options::brief()).await);
            *w = world.reopen(options.clone());
            // What was removed is cleared away at an opening alone.
            boxes.iter_mut().for_each(|m| m.ghosts.clear());
        }
    }
}

async fn check(w: &World, model: &Model) {
    let messages = w.store.messages(&w.account, model.id).await.unwrap();
    let seen: BTreeMap<u32, (Flags, u64)> = messages
        .entries
        .iter()
        .map(|e| (e.uid.get(), (e.flags.clone(), e.mod_seq.get())))
        .collect();
    assert_eq!(seen, model.picture());
    assert_eq!(seen, model.told, "what was told is not what there is");
    assert_eq!(messages.highest_mod_seq.get(), model.modseq);
    assert_eq!(messages.uid_next.unwrap().get(), model.next);
    let status = w.status(model.id).await;
    let count = |f: &dyn Fn(&Message) -> bool| model.messages.values().filter(|m| f(m)).count() as u32;
    assert_eq!(status.messages, count(&|_| true));
    assert_eq!(status.recent, count(&|_| true));
    assert_eq!(status.unseen, count(&|m| !m.flags.has(SystemFlag::Seen)));
    assert_eq!(status.deleted, count(&|m| m.flags.has(SystemFlag::Deleted)));
    assert_eq!(
        status.size,
        model.messages.values().map(|m| m.text.len() as u64).sum::<u64>()
    );
    let uids: Vec<Uid> = model.messages.keys().map(|u| uid_of(*u)).collect();
    let mut rest = &uids[..];
    while !rest.is_empty() {
        let (loaded, covered) = w
            .store
            .load(&w.account, model.id, rest, Load::new(false, true))
            .await
            .unwrap();
        assert_eq!(loaded.len(), covered);
        for l in loaded {
            let octets = l.body.unwrap().read_all(1 << 20).await.unwrap();
            assert!(octets == model.messages[&l.uid.get()].text, "{:?}", l.uid);
        }
        rest = &rest[covered..];
    }
}

async fn changes_lead_from_earlier_to_now(w: &World, model: &mut Model) {
    let (at, mut picture) = model.earlier.clone();
    let changes = w
        .store
        .changes_since(&w.account, model.id, ModSeq(at))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((changes.from.get(), changes.to.get()), (at, model.modseq));
    for uid in changes.vanished.iter() {
        picture.remove(&uid.get());
    }
    for e in changes.set {
        picture.insert(e.uid.get(), (e.flags, e.mod_seq.get()));
    }
    assert_eq!(picture, model.picture());
    model.earlier = (model.modseq, picture);
}

proptest! {
    // Each step waits for the disk: `PROPTEST_CASES=500` by hand.
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(8),
        max_shrink_iters: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]
    #[test]
    fn the_store_does_what_the_model_does(steps in proptest::collection::vec(step(), 1..30)) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run(steps));
    }
}
