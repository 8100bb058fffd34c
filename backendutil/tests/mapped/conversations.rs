//! One claim a conversation, on every kind of store.

use std::sync::atomic::Ordering;

use backend_api::{
    Access, BodySection, ConnInfo, Ctx, ErrorKind, Fetch, FetchItem, MailStore, Mailbox, MailboxName, Rights,
    SearchKey, Section, SectionText, Session, StatusItems, Uid,
};

use crate::client::{Client, World, seqs, uids};
use crate::stores::Push;
use crate::{Woken, mod_seqs, on_every_store};

const NONE: [&str; 0] = [];

fn flags() -> Fetch {
    Fetch::new(vec![FetchItem::Flags])
}

/// FETCH BODY[]
fn body() -> Fetch {
    let mut fetch = Fetch::new(vec![FetchItem::Section(BodySection::peek(Section::default()))]);
    fetch.set_seen = true;
    fetch
}

fn name(name: &str) -> MailboxName {
    MailboxName::new(name).unwrap()
}

/// Whether `changed` is ready at once, and again when it is asked again.
fn has_news<S: MailStore>(client: &mut Client<S>, rights: Rights) -> bool {
    let once = crate::poll_times(client.mailbox.changed(rights).as_mut(), 3).is_some();
    let again = crate::poll_times(client.mailbox.changed(rights).as_mut(), 1).is_some();
    assert_eq!(once, again, "level-triggered");
    once
}

on_every_store! {
    a_store_is_answered_once_and_told_to_the_others: 3,
    silent_hides_nothing_but_what_the_client_did_itself: 3,
    stores_that_wait_are_told_when_they_are_run_and_not_before: 5,
    another_command_than_those_that_waited_ends_the_waiting: 3,
    stores_that_cannot_be_made_as_one_are_made_one_by_one: 2,
    a_silent_store_after_a_fetch_leaves_no_wrong_flags: 1,
    reading_sets_seen_once_and_says_so_once: 2,
    what_a_fetch_told_is_not_told_again_and_what_it_left_out_is: 4,
    a_ghost_keeps_its_number_until_its_expunge_is_told: 5,
    what_went_unheard_is_missing_too: 5,
    what_moved_in_while_another_was_appended_is_numbered_by_uid: 3,
    recent_goes_to_one_session_and_examine_claims_none: 0,
    an_expunge_reaches_the_others_from_the_highest_number_down: 6,
    what_is_not_announced_is_not_expunged: 2,
    changed_is_ready_as_long_as_there_is_something_to_tell: 3,
    who_waits_is_woken: 2,
    a_deleted_mailbox_ends_its_views: 1,
    a_renamed_mailbox_goes_on: 1,
    renaming_the_inbox_empties_it: 3,
    a_closed_mailbox_opened_again_is_that_of_now: 3,
    what_nobody_numbers_any_more_is_reclaimed_once: 5,
    a_new_keyword_is_told_before_it_is_used: 2,
    what_came_and_went_unannounced_is_never_mentioned: 2,
    nothing_is_written_through_examine: 2,
    a_copy_of_nothing_is_no_error: 1,
    changed_since_reads_and_flags_only_what_changed: 4,
    what_another_read_lately_is_not_loaded_again: 5,
    a_message_that_went_is_left_out_though_its_index_is_in_memory: 3,
    what_the_header_answers_is_not_asked_of_the_body: 2,
}

async fn a_store_is_answered_once_and_told_to_the_others<S: MailStore>(world: World<S>) {
    let (mut a, mut b) = (world.select("INBOX").await, world.select("INBOX").await);
    assert_eq!(
        a.store(&seqs("1:2"), "+\\Deleted", false).await,
        ["1 FETCH (\\Deleted)", "2 FETCH (\\Deleted)"]
    );
    assert_eq!(a.noop().await, NONE);
    assert_eq!(b.noop().await, ["1 FETCH (\\Deleted)", "2 FETCH (\\Deleted)"]);
    assert_eq!(
        b.store(&uids("2:9"), "\\Seen", false).await,
        ["2 FETCH (\\Seen)", "3 FETCH (\\Seen)"]
    );
    assert_eq!(b.store(&uids("2"), "-\\Seen", false).await, ["2 FETCH ()"]);
    assert_eq!(b.noop().await, NONE);
    assert_eq!(
        a.noop().await,
        ["2 FETCH ()", "3 FETCH (\\Seen)"],
        "the last state alone"
    );
    assert_eq!(b.store(&uids("40"), "\\Seen", false).await, NONE);
}

async fn silent_hides_nothing_but_what_the_client_did_itself<S: MailStore>(world: World<S>) {
    let (mut a, mut b) = (world.select("INBOX").await, world.select("INBOX").await);
    assert_eq!(a.store(&seqs("1:3"), "+\\Seen", true).await, NONE);
    assert_eq!(a.noop().await, NONE);
    assert_eq!(
        b.noop().await,
        ["1 FETCH (\\Seen)", "2 FETCH (\\Seen)", "3 FETCH (\\Seen)"]
    );
    b.store(&seqs("2"), "+\\Flagged", false).await;
    assert_eq!(a.store(&seqs("1:3"), "+\\Draft", true).await, NONE);
    assert_eq!(a.noop().await, ["2 FETCH (\\Flagged \\Seen \\Draft)"]);
    assert_eq!(a.noop().await, NONE);
}

async fn stores_that_wait_are_told_when_they_are_run_and_not_before<S: MailStore>(world: World<S>) {
    let (mut a, mut b) = (world.select("INBOX").await, world.select("INBOX").await);
    let ahead = [
        (seqs("1"), "+\\Seen"),
        (seqs("2:3"), "+\\Draft"),
        (seqs("4"), "\\Deleted"),
    ];
    a.store_ahead(&ahead).await;
    assert_eq!(a.store(&seqs("1"), "+\\Seen", false).await, ["1 FETCH (\\Seen)"]);
    assert_eq!(a.noop().await, NONE, "the next is still to come");
    assert_eq!(a.store(&seqs("2:3"), "+\\Draft", true).await, NONE);
    assert_eq!(a.noop().await, NONE, "and so is the last");
    assert_eq!(a.store(&seqs("4"), "\\Deleted", false).await, ["4 FETCH (\\Deleted)"]);
    assert_eq!(a.noop().await, NONE);
    let truth = ["1 (\\Seen)", "2 (\\Draft)", "3 (\\Draft)", "4 (\\Deleted)", "5 ()"];
    assert_eq!(world.truth(1).await, truth);
    assert_eq!(a.whole().await, b.whole().await);
}

#[test]
fn what_others_do_between_stores_made_as_one_is_told_behind_the_last() {
    for push in [Push::Changes, Push::Hint, Push::Nothing] {
        crate::run(async {
            let world = World::with_messages(mod_seqs(push), 3).await;
            let mut a = world.select("INBOX").await;
            a.store_ahead(&[(seqs("1"), "+\\Seen"), (seqs("2"), "new")]).await;
            let now = ["1 (\\Seen)", "2 (new)", "3 ()"];
            assert_eq!(world.truth(1).await, now, "both are made");
            let first = a.store(&seqs("1"), "+\\Seen", false).await;
            assert_eq!(first, ["FLAGS (new)", "1 FETCH (\\Seen)"]);
            world.flag(1, "1", "\\Flagged").await;
            world.remove(1, "3").await;
            assert_eq!(a.noop().await, NONE);
            assert_eq!(a.store(&seqs("2"), "new", true).await, NONE);
            assert_eq!(a.noop().await, ["1 FETCH (\\Flagged)", "3 EXPUNGE"]);
        });
    }
}

async fn another_command_than_those_that_waited_ends_the_waiting<S: MailStore>(world: World<S>) {
    let mut a = world.select("INBOX").await;
    let ahead = [(seqs("1"), "+\\Seen"), (seqs("2"), "+\\Seen"), (seqs("3"), "+\\Seen")];
    a.store_ahead(&ahead).await;
    a.store(&seqs("1"), "+\\Seen", false).await;
    assert_eq!(a.store(&seqs("2"), "-\\Seen", false).await, ["2 FETCH ()"]);
    world.flag(1, "1", "").await;
    assert_eq!(a.noop().await.first(), Some(&"1 FETCH ()".to_owned()));
    a.store_ahead(&ahead).await;
    a.search(&SearchKey::All).await;
    world.flag(1, "1", "\\Draft").await;
    assert_eq!(a.noop().await.first(), Some(&"1 FETCH (\\Draft)".to_owned()));
    a.whole().await;
}

async fn stores_that_cannot_be_made_as_one_are_made_one_by_one<S: MailStore>(world: World<S>) {
    let mut a = world.select("INBOX").await;
    world.store().each_fails.store(true, Ordering::Relaxed);
    a.store_ahead(&[(uids("1"), "+\\Seen"), (uids("2"), "+\\Draft")]).await;
    assert_eq!(world.truth(1).await, ["1 ()", "2 ()"]);
    assert_eq!(a.store(&uids("1"), "+\\Seen", false).await, ["1 FETCH (\\Seen)"]);
    assert_eq!(a.store(&uids("2"), "+\\Draft", false).await, ["2 FETCH (\\Draft)"]);
    assert_eq!(a.noop().await, NONE);
}

/// Without a poll between: what the FETCH told is no longer so.
async fn a_silent_store_after_a_fetch_leaves_no_wrong_flags<S: MailStore>(world: World<S>) {
    let mut a = world.select("INBOX").await;
    world.flag(1, "1", "\\Flagged").await;
    assert_eq!(a.fetch(&seqs("1"), &flags()).await, ["1 FETCH UID 1 (\\Flagged)"]);
    world.flag(1, "1", "").await;
    assert_eq!(a.store(&seqs("1"), "+\\Seen", true).await, NONE);
    assert_eq!(a.noop().await, ["1 FETCH (\\Seen)"]);
}

async fn reading_sets_seen_once_and_says_so_once<S: MailStore>(world: World<S>) {
    let (mut a, mut b) = (world.select("INBOX").await, world.select("INBOX").await);
    assert_eq!(a.fetch(&seqs("1"), &body()).await, ["1 FETCH UID 1 body 25 (\\Seen)"]);
    assert_eq!(a.noop().await, NONE);
    assert_eq!(a.fetch(&seqs("1"), &body()).await, ["1 FETCH UID 1 body 25"]);
    assert_eq!(b.fetch(&seqs("1"), &body()).await, ["1 FETCH UID 1 body 25"]);
    assert_eq!(b.noop().await, ["1 FETCH (\\Seen)"]);
    let mut both = body();
    both.items.push(FetchItem::Flags);
    assert_eq!(b.fetch(&seqs("2"), &both).await, ["2 FETCH UID 2 body 25 (\\Seen)"]);
    assert_eq!(b.noop().await, NONE);
    assert_eq!(a.noop().await, ["2 FETCH (\\Seen)"]);
}

async fn what_a_fetch_told_is_not_told_again_and_what_it_left_out_is<S: MailStore>(world: World<S>) {
    let mut a = world.select("INBOX").await;
    world.flag(1, "1:4", "\\Flagged").await;
    assert_eq!(
        a.fetch(&seqs("1,3:4"), &flags()).await,
        [
            "1 FETCH UID 1 (\\Flagged)",
            "3 FETCH UID 3 (\\Flagged)",
            "4 FETCH UID 4 (\\Flagged)"
        ]
    );
    assert_eq!(a.noop().await, ["2 FETCH (\\Flagged)"]);
    assert_eq!(a.noop().await, NONE);
}

async fn a_ghost_keeps_its_number_until_its_expunge_is_told<S: MailStore>(world: World<S>) {
    let mut a = world.select("INBOX").await;
    world.remove(1, "2,4").await;
    let all = [1, 2, 3, 4, 5].map(|n| format!("{n} FETCH UID {n} ()"));
    assert_eq!(a.fetch(&seqs("1:5"), &flags()).await, all);
    assert_eq!(a.poll(Rights::NO_EXPUNGE).await, NONE);
    assert_eq!(a.fetch(&seqs("1:5"), &flags()).await, all);
    assert_eq!(a.search(&SearchKey::All).await, ["1=1", "3=3", "5=5"]);
    assert_eq!(a.search(&SearchKey::Set(seqs("2:3"))).await, ["3=3"]);
    assert_eq!(a.copy(&seqs("1:3"), "other").await, "ExpungeIssued");
    assert_eq!(world.truth(2).await, NONE);
    assert_eq!(a.copy(&uids("1:3"), "other").await, "1>1 3>2");
    assert_eq!(
        a.store(&seqs("2:3"), "+\\Seen", false).await,
        ["3 FETCH (\\Seen)", "missing"]
    );
    assert_eq!(
        a.store(&uids("2:3"), "+\\Draft", false).await,
        ["3 FETCH (\\Seen \\Draft)"]
    );
    assert_eq!(a.r#move(&seqs("4:5"), "third").await, "5>1 missing");
    assert_eq!(a.fetch(&seqs("3"), &flags()).await, ["3 FETCH UID 3 (\\Seen \\Draft)"]);
    assert_eq!(a.poll(Rights::NO_EXPUNGE).await, NONE);
    assert_eq!(a.noop().await, ["5 EXPUNGE", "4 EXPUNGE", "2 EXPUNGE"]);
    assert_eq!(a.whole().await, ["1 ()", "3 (\\Seen \\Draft)"]);
}

/// Also not for a search in headers; and what went is gone, though its index is in memory.
async fn what_another_read_lately_is_not_loaded_again<S: MailStore>(world: World<S>) {
    let envelope = Fetch::new(vec![FetchItem::Envelope]);
    let loaded = || std::mem::take(&mut *world.store().loaded.lock().unwrap());
    let (mut a, mut b) = (world.select("INBOX").await, world.select("INBOX").await);
    assert_eq!(
        a.fetch(&uids("2,4"), &envelope).await,
        ["2 FETCH UID 2 envelope", "4 FETCH UID 4 envelope"]
    );
    assert_eq!(loaded(), [2, 4]);
    assert_eq!(
        b.fetch(&seqs("1:5"), &envelope).await,
        [
            "1 FETCH UID 1 envelope",
            "2 FETCH UID 2 envelope",
            "3 FETCH UID 3 envelope",
            "4 FETCH UID 4 envelope",
            "5 FETCH UID 5 envelope",
        ]
    );
    assert_eq!(loaded(), [1, 3, 5]);
    world.remove(1, "3:4").await;
    assert_eq!(a.noop().await, ["4 EXPUNGE", "3 EXPUNGE"]);
    let hello = SearchKey::Header {
        name: "Subject".into(),
        value: "hello".into(),
    };
    assert_eq!(a.search(&hello).await, ["1=1", "2=2", "3=5"]);
    assert_eq!(a.fetch(&uids("3:5"), &envelope).await, ["3 FETCH UID 5 envelope"]);
    assert_eq!(loaded(), []);
}

/// R3501-237, R3501-239, R3501-240.
async fn what_the_header_answers_is_not_asked_of_the_body<S: MailStore>(world: World<S>) {
    let mut a = world.select("INBOX").await;
    let with_id = SearchKey::Header {
        name: "X-Id".into(),
        value: String::new(),
    };
    assert_eq!(a.search(&with_id).await, [""; 0]);
    assert_eq!(a.search(&SearchKey::Not(Box::new(with_id))).await, ["1=1", "2=2"]);
    let mut section = Section::default();
    for (text, told) in [
        (SectionText::Header, "2 FETCH UID 2 body 18"),
        (
            SectionText::HeaderFields(vec!["X-Id".into(), "Subject".into()]),
            "2 FETCH UID 2 body 18",
        ),
        (
            SectionText::HeaderFieldsNot(vec!["Subject".into()]),
            "2 FETCH UID 2 body 2",
        ),
    ] {
        section.text = text;
        let fetch = Fetch::new(vec![FetchItem::Section(BodySection::peek(section.clone()))]);
        assert_eq!(a.fetch(&seqs("2"), &fetch).await, [told]);
    }
    assert_eq!(*world.store().whole.lock().unwrap(), [0; 0]);
    section.text = SectionText::Text;
    let fetch = Fetch::new(vec![FetchItem::Section(BodySection::peek(section))]);
    assert_eq!(a.fetch(&seqs("2"), &fetch).await, ["2 FETCH UID 2 body 7"]);
    assert_eq!(*world.store().whole.lock().unwrap(), [2]);
}

/// The field is in no index: the message's octets are needed, before its answer begins. Some stores still have them.
async fn a_message_that_went_is_left_out_though_its_index_is_in_memory<S: MailStore>(world: World<S>) {
    let mut a = world.select("INBOX").await;
    a.fetch(&seqs("1:3"), &Fetch::new(vec![FetchItem::Envelope])).await;
    world.remove(1, "2").await;
    let mut section = Section::default();
    for fields in [&["X-Id"][..], &["Subject", "X-Id"]] {
        section.text = SectionText::HeaderFields(fields.iter().map(|name| (*name).to_owned()).collect());
        let fetch = Fetch::new(vec![FetchItem::Section(BodySection::peek(section.clone()))]);
        let told = a.fetch(&seqs("1:3"), &fetch).await;
        let numbers: Vec<&str> = told.iter().map(|line| line.split(' ').next().unwrap()).collect();
        match world.store().inner.body(&world.account, 1, Uid::new(2).unwrap()).await {
            Ok(_) => assert_eq!(numbers, ["1", "2", "3"]),
            Err(_) => assert_eq!(numbers, ["1", "3", "missing"]),
        }
    }
}

/// The store has lost them, and the view does not know that yet.
async fn what_went_unheard_is_missing_too<S: MailStore>(world: World<S>) {
    let mut a = world.select("INBOX").await;
    world.remove(1, "2").await;
    assert_eq!(
        a.store(&seqs("1:2"), "+\\Seen", false).await,
        ["1 FETCH (\\Seen)", "missing"]
    );
    assert_eq!(a.store(&seqs("2"), "+\\Seen", false).await, ["missing"]);
    assert_eq!(a.store(&uids("2"), "+\\Seen", false).await, NONE);
    assert_eq!(a.copy(&seqs("1:3"), "other").await, "ExpungeIssued");
    assert_eq!(a.copy(&uids("1:3"), "other").await, "1>1 3>2");
    assert_eq!(a.r#move(&uids("1:2"), "other").await, "1>3");
    world.remove(1, "4").await;
    assert_eq!(a.r#move(&seqs("3:5"), "other").await, "3>4 5>5 missing");
    assert_eq!(
        a.noop().await,
        ["5 EXPUNGE", "4 EXPUNGE", "3 EXPUNGE", "2 EXPUNGE", "1 EXPUNGE"]
    );
}

/// The application has stored a message and not said so yet.
async fn what_moved_in_while_another_was_appended_is_numbered_by_uid<S: MailStore>(world: World<S>) {
    let (mut a, mut b) = (world.select("INBOX").await, world.select("INBOX").await);
    world.deliver_unheard(1, 1).await;
    assert_eq!(a.append("INBOX").await.get(), 5);
    assert_eq!(a.noop().await, ["5 EXISTS 2 RECENT"]);
    assert_eq!(b.noop().await, ["5 EXISTS 0 RECENT"]);
    world.hub.changed(&world.account, 1);
    assert_eq!(a.noop().await, NONE);
    assert_eq!(a.whole().await, world.truth(1).await);
    assert_eq!(b.whole().await, world.truth(1).await);
}

async fn recent_goes_to_one_session_and_examine_claims_none<S: MailStore>(world: World<S>) {
    world.deliver(1, 2).await;
    let status = async || {
        let conn = ConnInfo::default();
        let mut session = world.session().await;
        let status = session
            .status(&Ctx::new(&conn), &name("INBOX"), StatusItems::default())
            .await;
        status.unwrap().recent
    };
    assert_eq!(status().await, 2);
    let (mut c, selected) = world.open("INBOX", Access::ReadOnly).await.unwrap();
    assert_eq!((selected.recent, status().await), (2, 2));
    let (mut a, selected) = world.open("INBOX", Access::ReadWrite).await.unwrap();
    assert_eq!((selected.recent, status().await), (2, 0));
    let (mut b, selected) = world.open("INBOX", Access::ReadWrite).await.unwrap();
    assert_eq!(selected.recent, 0);
    world.deliver(1, 1).await;
    assert_eq!(c.noop().await, ["3 EXISTS 3 RECENT"]);
    assert_eq!(status().await, 1);
    assert_eq!(b.noop().await, ["3 EXISTS 1 RECENT"]);
    assert_eq!(a.noop().await, ["3 EXISTS 2 RECENT"]);
    assert_eq!(
        a.fetch(&seqs("2:3"), &flags()).await,
        ["2 FETCH UID 2 (\\Recent)", "3 FETCH UID 3 ()"]
    );
    assert_eq!(
        b.fetch(&seqs("2:3"), &flags()).await,
        ["2 FETCH UID 2 ()", "3 FETCH UID 3 (\\Recent)"]
    );
    assert_eq!(b.search(&SearchKey::Recent).await, ["3=3"]);
    drop((a, b, c));
    assert_eq!(world.open("INBOX", Access::ReadWrite).await.unwrap().1.recent, 0);
}

async fn an_expunge_reaches_the_others_from_the_highest_number_down<S: MailStore>(world: World<S>) {
    let (mut a, mut b) = (world.select("INBOX").await, world.select("INBOX").await);
    a.store(&seqs("2,4:5"), "+\\Deleted", false).await;
    a.expunge().await.unwrap();
    let gone = ["5 EXPUNGE", "4 EXPUNGE", "2 EXPUNGE"];
    assert_eq!(a.noop().await, gone);
    assert_eq!(b.poll(Rights::NO_EXPUNGE).await, NONE);
    assert_eq!(
        b.fetch(&seqs("5:6"), &flags()).await,
        ["5 FETCH UID 5 (\\Deleted)", "6 FETCH UID 6 ()"]
    );
    a.store(&seqs("1"), "+\\Seen", false).await;
    assert_eq!(
        b.noop().await,
        ["1 FETCH (\\Seen)", "5 EXPUNGE", "4 EXPUNGE", "2 EXPUNGE"]
    );
    assert_eq!(a.whole().await, b.whole().await);
    assert_eq!(b.whole().await, world.truth(1).await);
}

async fn what_is_not_announced_is_not_expunged<S: MailStore>(world: World<S>) {
    let mut a = world.select("INBOX").await;
    world.deliver(1, 1).await;
    world.flag(1, "1:3", "\\Deleted").await;
    assert_eq!(a.store(&uids("1:9"), "+\\Seen", true).await, NONE);
    assert_eq!(a.copy(&uids("1:9"), "other").await, "1>1 2>2");
    a.expunge().await.unwrap();
    assert_eq!(world.truth(1).await, ["3 (\\Deleted)"]);
    assert_eq!(a.r#move(&uids("3"), "other").await, "");
    assert_eq!(a.noop().await, ["2 EXPUNGE", "1 EXPUNGE", "1 EXISTS 1 RECENT"]);
    assert_eq!(a.whole().await, ["3 (\\Deleted)"]);
}

async fn changed_is_ready_as_long_as_there_is_something_to_tell<S: MailStore>(world: World<S>) {
    let mut a = world.select("INBOX").await;
    assert!(!has_news(&mut a, Rights::ALL));
    world.deliver(1, 1).await;
    assert!(has_news(&mut a, Rights::ALL));
    assert_eq!(a.poll(Rights::FLAGS).await, NONE);
    assert!(!has_news(&mut a, Rights::FLAGS));
    assert!(has_news(&mut a, Rights::NO_EXPUNGE));
    assert_eq!(a.poll(Rights::NO_EXPUNGE).await, ["4 EXISTS 1 RECENT"]);
    assert!(!has_news(&mut a, Rights::ALL));
    world.remove(1, "2").await;
    assert!(has_news(&mut a, Rights::NO_EXPUNGE));
    assert_eq!(a.poll(Rights::NO_EXPUNGE).await, NONE);
    assert!(!has_news(&mut a, Rights::NO_EXPUNGE));
    assert!(has_news(&mut a, Rights::ALL));
    assert_eq!(a.noop().await, ["2 EXPUNGE"]);
    assert!(!has_news(&mut a, Rights::ALL));
    assert!(!has_news(&mut a, Rights::NONE));
}

async fn who_waits_is_woken<S: MailStore>(world: World<S>) {
    let (mut a, mut b) = (world.select("INBOX").await, world.select("INBOX").await);
    let woken = std::sync::Arc::new(Woken::default());
    let waker = woken.clone().into();
    let mut cx = std::task::Context::from_waker(&waker);
    let count = || woken.0.load(std::sync::atomic::Ordering::SeqCst);
    // Each wait is new: one that is given up leaves nothing behind.
    for (times, told) in (1..).zip(["1 FETCH (\\Seen)", "3 EXISTS 1 RECENT", "2 EXPUNGE"]) {
        drop(a.mailbox.changed(Rights::ALL));
        let before = count();
        let mut waiting = a.mailbox.changed(Rights::ALL);
        assert!(waiting.as_mut().poll(&mut cx).is_pending());
        match times {
            1 => drop(b.store(&seqs("1"), "+\\Seen", false).await),
            2 => world.deliver(1, 1).await,
            _ => world.remove(1, "2").await,
        }
        assert!(count() > before);
        assert!(waiting.as_mut().poll(&mut cx).is_ready());
        drop(waiting);
        assert_eq!(a.noop().await, [told]);
        b.noop().await;
    }
}

async fn a_deleted_mailbox_ends_its_views<S: MailStore>(world: World<S>) {
    let conn = ConnInfo::default();
    world.deliver(2, 2).await;
    let (mut a, mut b) = (world.select("other").await, world.select("INBOX").await);
    b.session.delete(&Ctx::new(&conn), &name("other")).await.unwrap();
    assert!(has_news(&mut a, Rights::ALL));
    assert_eq!(a.noop().await.last().unwrap(), "MailboxGone");
    let gone = world.open("other", Access::ReadWrite).await.err().unwrap();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    b.session.create(&Ctx::new(&conn), &name("other"), &[]).await.unwrap();
    let (mut c, selected) = world.open("other", Access::ReadWrite).await.unwrap();
    assert_eq!(selected.exists, 0);
    assert_eq!(a.noop().await.last().unwrap(), "MailboxGone");
    assert_eq!(c.noop().await, NONE);
}

async fn a_renamed_mailbox_goes_on<S: MailStore>(world: World<S>) {
    let conn = ConnInfo::default();
    world.deliver(2, 2).await;
    let (mut a, mut b) = (world.select("other").await, world.select("INBOX").await);
    b.session
        .rename(&Ctx::new(&conn), &name("other"), &name("another"))
        .await
        .unwrap();
    assert_eq!(a.noop().await, NONE);
    let mut c = world.select("another").await;
    assert_eq!(c.store(&seqs("2"), "+\\Seen", false).await, ["2 FETCH (\\Seen)"]);
    assert_eq!(a.noop().await, ["2 FETCH (\\Seen \\Recent)"]);
}

async fn renaming_the_inbox_empties_it<S: MailStore>(world: World<S>) {
    let conn = ConnInfo::default();
    let (mut a, mut b) = (world.select("INBOX").await, world.select("other").await);
    b.session
        .rename(&Ctx::new(&conn), &name("INBOX"), &name("old"))
        .await
        .unwrap();
    assert!(has_news(&mut a, Rights::ALL));
    assert_eq!(a.noop().await, ["3 EXPUNGE", "2 EXPUNGE", "1 EXPUNGE"]);
    assert_eq!(world.open("old", Access::ReadWrite).await.unwrap().1.exists, 3);
    world.deliver(1, 1).await;
    assert_eq!(a.noop().await, ["1 EXISTS 1 RECENT"]);
}

async fn a_closed_mailbox_opened_again_is_that_of_now<S: MailStore>(world: World<S>) {
    drop(world.select("INBOX").await);
    world.deliver_unheard(1, 2).await;
    let mut a = world.select("INBOX").await;
    assert_eq!(a.whole().await, world.truth(1).await);
    drop(a);
    world
        .store()
        .inner
        .remove(
            &world.account,
            1,
            &crate::client::uid_set("2"),
            backend_api::Remove::All,
        )
        .await
        .unwrap();
    let mut a = world.select("INBOX").await;
    assert_eq!(a.noop().await, NONE);
    assert_eq!(a.whole().await, ["1 ()", "3 ()", "4 ()", "5 ()"]);
}

async fn what_nobody_numbers_any_more_is_reclaimed_once<S: MailStore>(world: World<S>) {
    let (mut a, mut b) = (world.select("INBOX").await, world.select("INBOX").await);
    let reclaimed = || world.store().reclaimed.lock().unwrap().clone();
    world.remove(1, "2:3").await;
    a.noop().await;
    assert_eq!(b.poll(Rights::NO_EXPUNGE).await, NONE);
    a.noop().await;
    assert_eq!(reclaimed(), NONE);
    b.noop().await;
    assert_eq!(reclaimed(), ["1: 2:3"]);
    world.remove(1, "1").await;
    a.noop().await;
    world.remove(1, "5").await;
    a.noop().await;
    assert_eq!(reclaimed(), ["1: 2:3"]);
    drop(b);
    assert_eq!(reclaimed(), ["1: 2:3", "1: 1,5"]);
    a.noop().await;
    drop(a);
    assert_eq!(reclaimed(), ["1: 2:3", "1: 1,5"]);
}

async fn a_new_keyword_is_told_before_it_is_used<S: MailStore>(world: World<S>) {
    let (mut a, mut b) = (world.select("INBOX").await, world.select("INBOX").await);
    assert_eq!(
        a.store(&seqs("1"), "+$Work", false).await,
        ["FLAGS ($Work)", "1 FETCH ($Work)"]
    );
    assert_eq!(a.noop().await, NONE);
    assert_eq!(b.noop().await, ["FLAGS ($Work)", "1 FETCH ($Work)"]);
    assert_eq!(b.store(&seqs("2"), "+$work", false).await, ["2 FETCH ($work)"]);
    assert_eq!(b.noop().await, NONE);
}

async fn what_came_and_went_unannounced_is_never_mentioned<S: MailStore>(world: World<S>) {
    let mut a = world.select("INBOX").await;
    world.deliver(1, 3).await;
    a.poll(Rights::FLAGS).await;
    world.flag(1, "3:5", "\\Seen").await;
    a.poll(Rights::FLAGS).await;
    world.remove(1, "3,5").await;
    assert_eq!(a.poll(Rights::FLAGS).await, NONE);
    assert_eq!(a.noop().await, ["3 EXISTS 1 RECENT"]);
    assert_eq!(a.whole().await, ["1 ()", "2 ()", "4 (\\Seen)"]);
}

async fn nothing_is_written_through_examine<S: MailStore>(world: World<S>) {
    let (mut a, selected) = world.open("INBOX", Access::ReadOnly).await.unwrap();
    assert!(selected.read_only);
    world.flag(1, "1", "\\Deleted").await;
    a.noop().await;
    assert_eq!(a.store(&seqs("1"), "+\\Seen", false).await, ["ReadOnly"]);
    assert_eq!(a.r#move(&seqs("1"), "other").await, "ReadOnly");
    assert_eq!(a.expunge().await.err().unwrap().kind(), ErrorKind::ReadOnly);
    assert_eq!(a.fetch(&seqs("2"), &body()).await, ["2 FETCH UID 2 body 25"]);
    assert_eq!(a.copy(&seqs("2"), "other").await, "2>1");
    drop(a);
    assert_eq!(world.truth(1).await, ["1 (\\Deleted)", "2 ()"]);
}

async fn a_copy_of_nothing_is_no_error<S: MailStore>(world: World<S>) {
    let mut a = world.select("INBOX").await;
    assert_eq!(a.copy(&uids("7:9"), "other").await, "");
    assert_eq!(a.r#move(&uids("7:9"), "other").await, "");
    assert_eq!(a.copy(&uids("1"), "nowhere").await, "NotFound");
    assert_eq!(a.r#move(&uids("1"), "nowhere").await, "NotFound");
    assert_eq!(world.truth(1).await, ["1 ()"]);
}

async fn changed_since_reads_and_flags_only_what_changed<S: MailStore>(world: World<S>) {
    let (mut a, mut b) = (world.select("INBOX").await, world.select("INBOX").await);
    a.store(&seqs("1"), "+\\Draft", false).await;
    let mod_seq = a.fetch(&seqs("1"), &Fetch::new(vec![FetchItem::ModSeq])).await;
    let since = mod_seq[0].rsplit(' ').next().unwrap().parse().unwrap();
    b.store(&seqs("3"), "+\\Draft", false).await;
    world.remove(1, "2").await;
    let mut want = body();
    want.changed_since = Some(backend_api::ModSeq(since));
    assert_eq!(
        a.fetch(&uids("1:4"), &want).await,
        ["3 FETCH UID 3 body 25 (\\Seen \\Draft)"]
    );
    assert_eq!(world.truth(1).await, ["1 (\\Draft)", "3 (\\Seen \\Draft)", "4 ()"]);
    want.items = vec![FetchItem::Flags];
    assert_eq!(a.fetch(&uids("1:4"), &want).await, ["3 FETCH UID 3 (\\Seen \\Draft)"]);
}

/// Over stores that keep what was removed until they are told.
#[test]
fn nothing_is_left_in_the_store_after_the_last_view_was_told() {
    crate::run(async {
        for push in [crate::Push::Changes, crate::Push::Hint, crate::Push::Nothing] {
            let world = World::with_messages(mod_seqs(push), 4).await;
            let kept = || world.store().inner.kept(1);
            let mut a = world.select("INBOX").await;
            world.deliver_unheard(1, 2).await;
            // One that was numbered, one that was not.
            world.remove(1, "2,5").await;
            assert_eq!(
                a.fetch(&seqs("2"), &body()).await,
                ["2 FETCH UID 2 body 25"],
                "a ghost can still be read"
            );
            assert_eq!(a.poll(Rights::NO_EXPUNGE).await, ["5 EXISTS 1 RECENT"]);
            assert_eq!(kept(), 2);
            assert_eq!(a.noop().await, ["2 EXPUNGE"]);
            assert_eq!(kept(), 0, "{push:?}");
            assert_eq!(a.whole().await, world.truth(1).await);
        }
    });
}

/// A store that has forgotten its log is listed anew, and its own mod-sequences stay.
#[test]
fn a_store_that_cannot_say_what_changed_is_listed() {
    crate::run(async {
        for push in [crate::Push::Hint, crate::Push::Nothing] {
            let world = World::with_messages(mod_seqs(push), 4).await;
            world
                .store()
                .inner
                .forgetful
                .store(true, std::sync::atomic::Ordering::Relaxed);
            let mut a = world.select("INBOX").await;
            world.flag(1, "3", "\\Seen").await;
            world.remove(1, "1").await;
            world.deliver(1, 1).await;
            assert_eq!(a.noop().await, ["3 FETCH (\\Seen)", "1 EXPUNGE", "4 EXISTS 1 RECENT"]);
            let mod_seqs = a.fetch(&seqs("1:4"), &Fetch::new(vec![FetchItem::ModSeq])).await;
            let wanted = [
                "1 FETCH UID 2 modseq 2",
                "2 FETCH UID 3 modseq 3",
                "3 FETCH UID 4 modseq 2",
                "4 FETCH UID 5 modseq 5",
            ];
            assert_eq!(mod_seqs, wanted);
            world.flag(1, "4", "\\Seen").await;
            assert_eq!(a.noop().await, ["3 FETCH (\\Seen)"]);
        }
    });
}
