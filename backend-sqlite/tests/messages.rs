//! Adding, flagging, removing, copying and moving messages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
use common::*;

use backend_api::*;

#[tokio::test]
async fn a_message_comes_back_as_it_was_given() {
    let w = world().await;
    let text = b"Subject: x\r\n\r\nbare\nlone\rnul\0 8-bit \xff no end";
    let flags = Flags::SEEN.with_keyword("$Label1");
    let uid = w.add_bytes(w.inbox, text, flags.clone()).await;
    let messages = w.store.messages(&w.account, w.inbox).await.unwrap();
    let entry = &messages.entries[0];
    assert_eq!(
        (entry.uid, &entry.flags, entry.date, entry.size),
        (uid, &flags, date(), Some(text.len() as u64))
    );
    assert_eq!(messages.uid_next, Uid::new(2));
    assert_eq!(messages.first_recent, Uid::new(1));
    assert_eq!(w.text(w.inbox, 1).await, text);
}

#[tokio::test]
async fn a_body_that_the_caller_holds_is_taken_too() {
    let w = world().await;
    let body = Incoming::Body(MessageBody::from("a\r\n"));
    let message = NewMessage::new(Flags::NONE, date(), 3, body);
    w.store.add(&w.account, w.inbox, vec![message]).await.unwrap();
    assert_eq!(w.text(w.inbox, 1).await, b"a\r\n");
}

#[tokio::test]
async fn an_empty_message_is_a_message() {
    let w = world().await;
    w.add("").await;
    assert_eq!(w.text(w.inbox, 1).await, b"");
}

#[tokio::test]
async fn uids_and_mod_sequences_rise_once_for_each_operation() {
    let w = world().await;
    let mut batch = Vec::new();
    for text in ["a", "b", "c"] {
        let staged = w
            .store
            .stage(&w.account, 1, &mut text.as_bytes())
            .await
            .unwrap()
            .unwrap();
        batch.push(NewMessage::new(Flags::NONE, date(), 1, Incoming::Staged(staged)));
    }
    let appended = w.store.add(&w.account, w.inbox, batch).await.unwrap();
    assert_eq!(appended.uids, [uid_of(1), uid_of(2), uid_of(3)]);
    w.add("d").await;
    assert_eq!(
        w.list(w.inbox).await.iter().map(|m| (m.0, m.2)).collect::<Vec<_>>(),
        [(1, 2), (2, 2), (3, 2), (4, 3)]
    );
}

#[tokio::test]
async fn the_watcher_is_told_each_change_as_it_follows_on_the_one_before() {
    let w = world().await;
    w.add("a").await;
    w.set("1", FlagChange::Add(Flags::SEEN)).await;
    w.store
        .remove(&w.account, w.inbox, &set("1"), Remove::All)
        .await
        .unwrap();
    let told: Vec<Changes> = w.told.take().into_iter().map(|(_, c)| c.unwrap()).collect();
    let steps: Vec<_> = told
        .iter()
        .map(|c| (c.from.get(), c.to.get(), c.set.len(), c.flags.len(), c.vanished.len()))
        .collect();
    assert_eq!(steps, [(1, 2, 1, 0, 0), (2, 3, 0, 1, 0), (3, 4, 0, 0, 1)]);
    assert_eq!(told[0].set[0].size, Some(1));
    assert_eq!(told[0].set[0].date, date());
    assert_eq!(told[0].set[0].mod_seq, ModSeq(2));
    assert_eq!(told[1].flags, [(uid_of(1), Flags::SEEN)]);
}

#[tokio::test]
async fn flags_are_added_removed_and_replaced() {
    let w = world().await;
    w.add("a").await;
    w.add("b").await;
    let key = |n: &str| Flags::NONE.with_keyword(n);
    w.set("1:9", FlagChange::Add(key("Work").union(&Flags::SEEN))).await;
    w.set("2", FlagChange::Remove(key("WORK"))).await;
    w.set("1", FlagChange::Replace(key("work").union(&key("Home")))).await;
    let list = w.list(w.inbox).await;
    assert_eq!(list[0].1, "(Home Work)");
    assert_eq!(list[1].1, "(\\Seen)");
}

#[tokio::test]
async fn flags_that_would_not_change_keep_their_mod_sequence() {
    let w = world().await;
    w.add_to(w.inbox, "a", Flags::SEEN).await;
    w.add("b").await;
    w.told.take();
    let done = w.set("1:2", FlagChange::Add(Flags::SEEN)).await;
    assert_eq!(done.changed, [(uid_of(2), Flags::SEEN)]);
    assert_eq!(w.list(w.inbox).await.iter().map(|m| m.2).collect::<Vec<_>>(), [2, 4]);
    w.told.take();
    assert_eq!(
        w.set("1:2", FlagChange::Add(Flags::SEEN)).await,
        FlagsChanged::default()
    );
    assert!(w.told.take().is_empty());
}

#[tokio::test]
async fn several_changes_of_flags_are_one_operation_under_one_mod_sequence() {
    let w = world().await;
    // Over three pages.
    for _ in 0..300 {
        w.add("a").await;
    }
    let before = w.status(w.inbox).await.highest_mod_seq.unwrap().get();
    w.told.take();
    let changes = vec![
        (set("1:4"), FlagChange::Add(Flags::SEEN)),
        (set("2,299"), FlagChange::Add(Flags::NONE.with_keyword("k"))),
        (set("3,129,999"), FlagChange::Replace(deleted())),
        (set("4"), FlagChange::Remove(Flags::SEEN)),
    ];
    assert!(w.store.set_flags_each(&w.account, w.inbox, changes).await.unwrap());
    let changed: Vec<_> = w.list(w.inbox).await.into_iter().filter(|m| m.2 > before).collect();
    let expected = [
        (1, "(\\Seen)"),
        (2, "(\\Seen k)"),
        (3, "(\\Deleted)"),
        (4, "()"),
        (129, "(\\Deleted)"),
        (299, "(k)"),
    ];
    assert_eq!(
        changed,
        expected.map(|(uid, flags)| (uid, flags.to_owned(), before + 1))
    );
    let status = w.status(w.inbox).await;
    assert_eq!((status.unseen, status.deleted), (298, 2));
    assert_eq!(w.told.take().len(), 1);
}

#[tokio::test]
async fn of_several_changes_all_are_made_or_none() {
    let w = world().await;
    w.add("a").await;
    let too_many = Flags::from_parts(0, (0..5000).filter_map(|n| Keyword::new(&format!("k{n}"))));
    let changes = vec![
        (set("1"), FlagChange::Add(Flags::SEEN)),
        (set("1"), FlagChange::Add(too_many)),
    ];
    let refused = w.store.set_flags_each(&w.account, w.inbox, changes).await;
    assert_eq!(kind(refused), ErrorKind::Limit);
    assert_eq!(w.list(w.inbox).await, [(1, "()".into(), 2)]);
    assert_eq!(w.rows("keywords"), 0);
}

/// Where the limit is reached, keywords that no message has make room: those of a change that is still to be written are not
/// among them.
#[tokio::test]
async fn keywords_of_one_change_do_not_make_room_for_those_of_another_beside_it() {
    let w = world().await;
    for _ in 0..4 {
        w.add("a").await;
    }
    let many = Flags::from_parts(0, (0..4095).filter_map(|n| Keyword::new(&format!("k{n}"))));
    let add = |uid: &str, name: &str| (set(uid), FlagChange::Add(Flags::NONE.with_keyword(name)));
    let three = || vec![add("1", "Important"), add("2", "Junk"), add("3", "Third")];
    w.set("4", FlagChange::Add(many)).await;
    let refused = w.store.set_flags_each(&w.account, w.inbox, three()).await;
    assert_eq!(kind(refused), ErrorKind::Limit);
    let flags = |list: Vec<(u32, String, u64)>| list.into_iter().map(|m| m.1).take(3).collect::<Vec<_>>();
    assert_eq!(flags(w.list(w.inbox).await), ["()", "()", "()"]);
    w.set("4", FlagChange::Replace(Flags::NONE)).await;
    assert!(w.store.set_flags_each(&w.account, w.inbox, three()).await.unwrap());
    assert_eq!(flags(w.list(w.inbox).await), ["(Important)", "(Junk)", "(Third)"]);
}

#[tokio::test]
async fn messages_changed_since_are_left_and_named() {
    let w = world().await;
    w.add("a").await;
    w.add("b").await;
    let change = FlagChange::Add(Flags::SEEN);
    let done = w
        .store
        .set_flags(&w.account, w.inbox, &set("1:2"), &change, Some(ModSeq(2)))
        .await
        .unwrap();
    assert_eq!(done.changed, [(uid_of(1), Flags::SEEN)]);
    assert_eq!(done.modified, set("2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_conditional_changes_with_one_mod_sequence_one_wins() {
    let w = world().await;
    w.add("a").await;
    let mut racing = tokio::task::JoinSet::new();
    for n in 0..32 {
        let (store, account, inbox) = (w.store.clone(), w.account.clone(), w.inbox);
        racing.spawn(async move {
            let change = FlagChange::Add(Flags::NONE.with_keyword(&format!("k{n}")));
            let done = store
                .set_flags(&account, inbox, &set("1"), &change, Some(ModSeq(2)))
                .await
                .unwrap();
            done.changed.len()
        });
    }
    let won: usize = racing.join_all().await.into_iter().sum();
    assert_eq!(won, 1);
}

#[tokio::test]
async fn a_mailbox_has_at_most_4096_keywords_and_says_so() {
    let w = world().await;
    w.add("a").await;
    let many = |from: usize, n: usize| {
        let names = (from..from + n).filter_map(|n| Keyword::new(&format!("k{n}")));
        FlagChange::Add(Flags::from_parts(0, names))
    };
    w.set("1", many(0, 4096)).await;
    let outcome = w
        .store
        .set_flags(&w.account, w.inbox, &set("1"), &many(4096, 1), None)
        .await;
    let error = outcome.unwrap_err();
    assert_eq!(
        (error.kind(), error.text()),
        (ErrorKind::Limit, "a mailbox can have at most 4096 keywords")
    );
    assert_eq!(
        w.store.messages(&w.account, w.inbox).await.unwrap().entries[0]
            .flags
            .keywords()
            .len(),
        4096
    );
    // Those that no message has any more make room.
    w.set("1", FlagChange::Replace(Flags::NONE)).await;
    w.set("1", many(4096, 4096)).await;
    assert_eq!(w.rows("keywords"), 4096);
}

#[tokio::test]
async fn counters_are_what_counting_gives() {
    let w = world().await;
    for text in ["a", "bb", "ccc"] {
        w.add(text).await;
    }
    w.set("1", FlagChange::Add(Flags::SEEN)).await;
    w.set("2", FlagChange::Add(deleted())).await;
    let s = w.status(w.inbox).await;
    assert_eq!((s.messages, s.unseen, s.deleted, s.size, s.recent), (3, 2, 1, 6, 3));
    assert_eq!((s.uid_next, s.highest_mod_seq), (Uid::new(4), Some(ModSeq(6))));
    w.store
        .remove(&w.account, w.inbox, &set("1:3"), Remove::Deleted)
        .await
        .unwrap();
    let s = w.status(w.inbox).await;
    assert_eq!((s.messages, s.unseen, s.deleted, s.size, s.recent), (2, 1, 0, 4, 2));
}

#[tokio::test]
async fn only_deleted_messages_are_expunged_unless_all_are_meant() {
    let w = world().await;
    for text in ["a", "b", "c"] {
        w.add(text).await;
    }
    w.set("2", FlagChange::Add(deleted())).await;
    let gone = w
        .store
        .remove(&w.account, w.inbox, &set("1:2"), Remove::Deleted)
        .await
        .unwrap();
    assert_eq!(gone, set("2"));
    let gone = w
        .store
        .remove(&w.account, w.inbox, &set("1:2"), Remove::All)
        .await
        .unwrap();
    assert_eq!(gone, set("1"));
    assert_eq!(w.uids(w.inbox).await, [3]);
    assert!(
        w.store
            .remove(&w.account, w.inbox, &set("1:2"), Remove::All)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_removed_message_stays_readable_until_it_is_reclaimed() {
    let w = world().await;
    w.add("ghost").await;
    let _session = w.view(w.inbox).await;
    w.store
        .remove(&w.account, w.inbox, &set("1"), Remove::All)
        .await
        .unwrap();
    w.store.tidy().await.unwrap();
    assert_eq!(w.text(w.inbox, 1).await, b"ghost");
    w.reclaim(w.inbox, "1").await;
    w.store.tidy().await.unwrap();
    assert_eq!(
        kind(w.store.body(&w.account, w.inbox, uid_of(1)).await),
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn messages_that_are_there_are_never_reclaimed() {
    let w = world().await;
    w.add("alive").await;
    w.reclaim(w.inbox, "1:1000").await;
    w.store.tidy().await.unwrap();
    assert_eq!(w.text(w.inbox, 1).await, b"alive");
}

#[tokio::test]
async fn a_copy_has_the_flags_and_the_date_and_the_same_body() {
    let w = world().await;
    let to = w.make("to").await;
    w.add("other").await;
    w.add_to(w.inbox, "text", Flags::SEEN.with_keyword("$X")).await;
    let copied = w
        .store
        .copy(&w.account, w.inbox, &set("2:7"), to, false)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(copied.uids, [(uid_of(2), uid_of(1))]);
    let entry = w.store.messages(&w.account, to).await.unwrap().entries.remove(0);
    assert_eq!(
        (entry.flags.to_string().as_str(), entry.date, entry.size),
        ("(\\Seen $X)", date(), Some(4))
    );
    assert_eq!(w.text(to, 1).await, b"text");
    assert_eq!(w.rows("bodies"), 2);
    assert_eq!(w.uids(w.inbox).await, [1, 2]);
}

#[tokio::test]
async fn a_copy_of_all_copies_nothing_when_one_is_gone() {
    let w = world().await;
    let to = w.make("to").await;
    w.add("a").await;
    let outcome = w.store.copy(&w.account, w.inbox, &set("1:2"), to, true).await;
    assert_eq!(kind(outcome), ErrorKind::ExpungeIssued);
    assert!(w.uids(to).await.is_empty());
}

#[tokio::test]
async fn a_target_that_is_not_there_is_not_found() {
    let w = world().await;
    w.add("a").await;
    let (a, from, uids) = (&w.account, w.inbox, &set("1"));
    assert_eq!(kind(w.store.copy(a, from, uids, 99, false).await), ErrorKind::NotFound);
    assert_eq!(kind(w.store.r#move(a, from, uids, 99).await), ErrorKind::NotFound);
    assert_eq!(w.uids(w.inbox).await, [1]);
}

#[tokio::test]
async fn every_call_on_a_mailbox_that_is_gone_is_not_found() {
    let w = world().await;
    let (s, a, gone) = (&w.store, &w.account, w.make("gone").await);
    s.delete(a, gone, &name("gone")).await.unwrap();
    let one = &set("1");
    assert_eq!(kind(s.messages(a, gone).await), ErrorKind::NotFound);
    assert_eq!(kind(s.body(a, gone, uid_of(1)).await), ErrorKind::NotFound);
    assert_eq!(kind(s.add(a, gone, vec![]).await), ErrorKind::NotFound);
    assert_eq!(
        kind(s.set_flags(a, gone, one, &FlagChange::Add(Flags::SEEN), None).await),
        ErrorKind::NotFound
    );
    assert_eq!(kind(s.remove(a, gone, one, Remove::All).await), ErrorKind::NotFound);
    assert_eq!(kind(s.copy(a, gone, one, w.inbox, false).await), ErrorKind::NotFound);
    assert_eq!(kind(s.r#move(a, gone, one, w.inbox).await), ErrorKind::NotFound);
    assert_eq!(kind(s.delete(a, gone, &name("gone")).await), ErrorKind::NotFound);
    assert!(s.changes_since(a, gone, ModSeq(1)).await.unwrap().unwrap().deleted);
    assert_eq!(kind(s.changes_since(a, 12345, ModSeq(1)).await), ErrorKind::NotFound);
}

#[tokio::test]
async fn another_accounts_mailbox_is_not_there() {
    let w = world().await;
    w.add("secret").await;
    let bob = w.store.add_user("bob", None, true).await.unwrap();
    let inbox = w.store.mailbox(&bob, &MailboxName::inbox()).await.unwrap().unwrap().id;
    assert_eq!(inbox, w.inbox);
    assert!(w.store.messages(&bob, inbox).await.unwrap().entries.is_empty());
    assert_eq!(kind(w.store.body(&bob, inbox, uid_of(1)).await), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_move_takes_the_messages_along_in_one_step() {
    let w = world().await;
    let to = w.make("to").await;
    w.add("a").await;
    w.add("b").await;
    w.told.take();
    let moved = w
        .store
        .r#move(&w.account, w.inbox, &set("2:3"), to)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(moved.uids, [(uid_of(2), uid_of(1))]);
    assert_eq!((w.uids(w.inbox).await, w.uids(to).await), (vec![1], vec![1]));
    let told = w.told.take();
    assert_eq!(told.len(), 2);
    assert_eq!((told[0].0, told[1].0), (to, w.inbox));
    assert_eq!(told[1].1.as_ref().unwrap().vanished, set("2"));
}

#[tokio::test]
async fn a_move_into_the_same_mailbox_gives_new_uids() {
    let w = world().await;
    for text in ["a", "b", "c"] {
        w.add(text).await;
    }
    let moved = w
        .store
        .r#move(&w.account, w.inbox, &set("1:4294967295"), w.inbox)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(moved.uids.len(), 3);
    assert_eq!(w.uids(w.inbox).await, [4, 5, 6]);
    assert_eq!(w.text(w.inbox, 4).await, b"a");
    assert_eq!(w.status(w.inbox).await.messages, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_moves_of_a_message_one_gets_it() {
    let w = world().await;
    for n in 0..20 {
        w.add(&format!("message {n}")).await;
    }
    let mut racing = tokio::task::JoinSet::new();
    for n in 0..8 {
        let to = w.make(&format!("to{n}")).await;
        let (store, account, from) = (w.store.clone(), w.account.clone(), w.inbox);
        racing.spawn(async move {
            let moved = store.r#move(&account, from, &set("1:20"), to).await.unwrap().unwrap();
            moved.uids.len()
        });
    }
    assert_eq!(racing.join_all().await.into_iter().sum::<usize>(), 20);
    assert!(w.uids(w.inbox).await.is_empty());
}

#[tokio::test]
async fn changes_since_are_what_happened_since() {
    let w = world().await;
    w.add("a").await;
    w.add("b").await;
    w.add("c").await;
    let at = w.status(w.inbox).await.highest_mod_seq.unwrap();
    w.set("2", FlagChange::Add(Flags::SEEN)).await;
    w.store
        .remove(&w.account, w.inbox, &set("1"), Remove::All)
        .await
        .unwrap();
    w.add("d").await;
    let changes = w.store.changes_since(&w.account, w.inbox, at).await.unwrap().unwrap();
    assert_eq!(changes.set.iter().map(|e| e.uid.get()).collect::<Vec<_>>(), [2, 4]);
    assert_eq!(changes.vanished, set("1"));
    assert_eq!(
        (changes.from, changes.to, changes.uid_next),
        (at, ModSeq(7), Uid::new(5))
    );
    let none = w
        .store
        .changes_since(&w.account, w.inbox, changes.to)
        .await
        .unwrap()
        .unwrap();
    assert!(none.set.is_empty() && none.vanished.is_empty());
    assert_eq!(
        w.store.changes_since(&w.account, w.inbox, ModSeq(99)).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn recent_messages_are_claimed_once() {
    let w = world().await;
    w.add("a").await;
    w.add("b").await;
    let recent = async |below, claim| w.store.first_recent(&w.account, w.inbox, uid_of(below), claim).await;
    assert_eq!(recent(3, false).await.unwrap(), uid_of(1));
    assert_eq!(recent(2, true).await.unwrap(), uid_of(1));
    assert_eq!(w.status(w.inbox).await.recent, 1);
    assert_eq!(
        w.store.messages(&w.account, w.inbox).await.unwrap().first_recent,
        Uid::new(2)
    );
    assert_eq!(recent(1, true).await.unwrap(), uid_of(1));
    assert_eq!(recent(3, true).await.unwrap(), uid_of(2));
    assert_eq!(w.status(w.inbox).await.recent, 0);
    assert_eq!(recent(3, true).await.unwrap(), uid_of(3));
    assert_eq!(recent(9, false).await.unwrap(), uid_of(3));
    w.add("c").await;
    assert_eq!(w.status(w.inbox).await.recent, 1);
}

#[tokio::test]
async fn many_pages_are_read_and_written_as_one_mailbox() {
    let w = world().await;
    let mut batch = Vec::new();
    for n in 0..1000u32 {
        let body = Incoming::Body(MessageBody::from(format!("message {n}")));
        batch.push(NewMessage::new(Flags::NONE, date(), 0, body));
    }
    w.store.add(&w.account, w.inbox, batch).await.unwrap();
    let odd: UidSet = (1..=1000).step_by(2).filter_map(Uid::new).collect();
    let done = w
        .store
        .set_flags(&w.account, w.inbox, &odd, &FlagChange::Add(deleted()), None)
        .await
        .unwrap();
    assert_eq!(done.changed.len(), 500);
    let gone = w
        .store
        .remove(&w.account, w.inbox, &set("1:1000"), Remove::Deleted)
        .await
        .unwrap();
    assert_eq!(gone, odd);
    assert_eq!(
        w.uids(w.inbox).await,
        (1..=1000).filter(|n| n % 2 == 0).collect::<Vec<_>>()
    );
    w.store
        .remove(&w.account, w.inbox, &set("1:1000"), Remove::All)
        .await
        .unwrap();
    assert_eq!(w.rows("pages"), 0);
    assert_eq!(w.add("next").await, uid_of(1001));
}

#[tokio::test]
async fn load_answers_a_sensible_piece_in_the_order_asked() {
    let w = world().await;
    for n in 0..10 {
        w.add(&format!("Subject: {n}\r\n\r\n{}", "x".repeat(50_000))).await;
    }
    let uids: Vec<Uid> = [9, 77, 3, 1, 2, 4, 5, 6, 7].into_iter().map(uid_of).collect();
    let (first, covered) = w
        .store
        .load(&w.account, w.inbox, &uids, Load::new(true, true))
        .await
        .unwrap();
    assert_eq!(first[..2].iter().map(|l| l.uid.get()).collect::<Vec<_>>(), [9, 3]);
    assert_eq!(first.len() + 1, covered);
    assert!((4..9).contains(&covered), "{covered}");
    assert!(first.iter().all(|l| l.index.is_some() && l.body.is_some()));
    let (indexes, covered) = w
        .store
        .load(&w.account, w.inbox, &uids, Load::new(true, false))
        .await
        .unwrap();
    assert_eq!((indexes.len(), covered), (8, 9));
    assert!(indexes.iter().all(|l| l.index.is_some() && l.body.is_none()));
    assert_eq!(
        w.store
            .load(&w.account, w.inbox, &[], Load::new(true, true))
            .await
            .unwrap()
            .1,
        0
    );
}

#[tokio::test]
async fn the_stored_index_is_the_index_of_the_octets() {
    let w = world().await;
    let text = "Subject: stored\r\nFrom: a@b\r\n\r\nbody\r\n";
    w.add(text).await;
    let (loaded, _) = w
        .store
        .load(&w.account, w.inbox, &[uid_of(1)], Load::new(true, false))
        .await
        .unwrap();
    assert_eq!(
        loaded[0].index.as_ref().unwrap(),
        imap_message::Index::of(text.as_bytes()).as_bytes()
    );
}

#[tokio::test]
async fn one_failing_operation_of_a_group_is_undone_alone() {
    let w = world().await;
    let to = w.make("to").await;
    w.add("a").await;
    let (s, a) = (&w.store, &w.account);
    let too_many = Flags::from_parts(0, (0..5000).filter_map(|n| Keyword::new(&format!("k{n}"))));
    let (uids, seen) = (set("1"), FlagChange::Add(Flags::SEEN));
    let too_many = FlagChange::Add(too_many);
    let (flagged, failed, copied, lost) = tokio::join!(
        s.set_flags(a, w.inbox, &uids, &seen, None),
        s.set_flags(a, w.inbox, &uids, &too_many, None),
        s.copy(a, w.inbox, &uids, to, true),
        s.r#move(a, w.inbox, &uids, 99),
    );
    assert_eq!(flagged.unwrap().changed.len(), 1);
    assert_eq!(kind(failed), ErrorKind::Limit);
    assert_eq!(copied.unwrap().unwrap().uids.len(), 1);
    assert_eq!(kind(lost), ErrorKind::NotFound);
    assert_eq!(w.list(w.inbox).await, [(1, "(\\Seen)".into(), 3)]);
    assert_eq!(w.rows("keywords"), 0);
}

#[tokio::test]
async fn a_future_dropped_before_it_ran_does_nothing_and_after_it_everything() {
    let w = world().await;
    w.add("a").await;
    let uids = set("1");
    let change = FlagChange::Add(Flags::SEEN);
    drop(w.store.set_flags(&w.account, w.inbox, &uids, &change, None));
    let later = FlagChange::Add(Flags::NONE.with_keyword("later"));
    {
        let mut handed_over = Box::pin(w.store.set_flags(&w.account, w.inbox, &uids, &later, None));
        let _ = futures_poll(&mut handed_over).await;
    }
    // What is asked for now runs behind it.
    w.add("b").await;
    assert_eq!(w.list(w.inbox).await[0].1, "(later)");
}

/// Polls once.
async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|cx| match std::pin::Pin::new(&mut *future).poll(cx) {
        std::task::Poll::Ready(out) => std::task::Poll::Ready(Some(out)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}

#[tokio::test]
async fn everything_is_there_after_the_store_was_opened_again() {
    let w = world().await;
    let to = w.make("to").await;
    w.add_to(w.inbox, "a", Flags::SEEN.with_keyword("K")).await;
    w.add("b").await;
    w.store.copy(&w.account, w.inbox, &set("1"), to, true).await.unwrap();
    w.store
        .remove(&w.account, w.inbox, &set("2"), Remove::All)
        .await
        .unwrap();
    let (list, status) = (w.list(w.inbox).await, w.status(w.inbox).await);
    let w = w.reopen(backend_sqlite::Options::default());
    assert_eq!((w.list(w.inbox).await, w.status(w.inbox).await), (list, status));
    assert_eq!(w.text(to, 1).await, b"a");
    assert_eq!(w.add("c").await, uid_of(3));
}
