//! Which messages can match at all, and what an index says of it.

use proptest::prelude::*;

use super::*;

fn only(uids: &[u32]) -> Option<UidSet> {
    Some(uids.iter().filter_map(|n| Uid::new(*n)).collect())
}

/// R3501-208
#[test]
fn what_an_index_is_asked_for_is_folded_and_there_once() {
    let key = SearchKey::And(vec![
        body("ÄPFEL"),
        not(body("äpfel")),
        text("äpfel"),
        header("X-Fruit", "Äpfel"),
        header("x-fruit", ""),
        body(""),
        SearchKey::Recent,
    ]);
    let all = |strings: &[&str]| strings.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    let expected = [
        Sought::new(SoughtIn::Body, all(&["äpfel"])),
        Sought::new(SoughtIn::Text, all(&["äpfel"])),
        Sought::new(SoughtIn::Header, all(&["x-fruit: ", "äpfel"])),
        Sought::new(SoughtIn::Header, all(&["x-fruit: "])),
    ];
    assert_eq!(Program::compile(&key).sought(), expected);
}

#[test]
fn a_message_that_lacks_a_string_is_decided_by_the_columns() {
    let mail = Mail::new(SIMPLE);
    let lacking = only(&[1, 29, 31]);
    let table = [
        (body("x"), Verdict::No),
        (text("x"), Verdict::No),
        (header("Subject", "x"), Verdict::No),
        (not(body("x")), Verdict::Yes),
        (SearchKey::Or(vec![body("x"), SearchKey::Recent]), Verdict::No),
        (SearchKey::And(vec![not(body("x")), uids(30, 30)]), Verdict::Yes),
    ];
    for (key, expected) in table {
        let mut program = Program::compile(&key);
        program.narrow(vec![lacking.clone()]);
        assert_eq!(program.cheap(&mail.row), expected, "{key:?}");
    }
}

#[test]
fn a_message_that_may_hold_a_string_or_is_not_known_is_read() {
    let mail = Mail::new(SIMPLE);
    for (may_hold, what) in [
        (vec![only(&[30])], "named"),
        (vec![None], "unknown"),
        (vec![], "not answered"),
    ] {
        for key in [body("noon"), not(body("noon"))] {
            let mut program = Program::compile(&key);
            program.narrow(may_hold.clone());
            assert_eq!(program.cheap(&mail.row), Verdict::Unknown(Need::Body), "{what} {key:?}");
        }
    }
}

/// Of two strings one is known to be missing: nothing is read for it.
#[test]
fn what_is_known_to_be_missing_ends_a_reading_early() {
    let long = "filler\r\n".repeat(100_000);
    let mail = Mail::new(format!("\r\nneedle\r\n{long}"));
    let key = SearchKey::And(vec![body("needle"), not(body("nowhere"))]);
    let mut program = Program::compile(&key);
    program.narrow(vec![only(&[30]), only(&[])]);
    let counted = mail.counted();
    let index = Index::of(&mail.octets);
    let answer = run(program.with_body(&mail.row, &index, &MessageBody::Ranged(counted.clone())));
    assert!(answer.unwrap());
    assert_eq!(counted.read.load(Ordering::Relaxed), 64 * 1024);
}

/// In a view of ten messages whose UIDs are 10, 20 … 100.
fn resolve(set: &NumSet) -> SeqSet {
    let numbers = (1..=10).filter_map(Seq::new);
    let named = numbers.filter(|seq| match set {
        NumSet::Seq(set) => set.contains(*seq),
        NumSet::Uid(set) => Uid::new(seq.get() * 10).is_some_and(|uid| set.contains(uid)),
    });
    named.collect()
}

#[test]
fn numbers_and_uids_say_outside_of_which_nothing_matches() {
    let and = SearchKey::And;
    let or = SearchKey::Or;
    let unseen = || not(has(SystemFlag::Seen));
    let table = [
        (SearchKey::All, None),
        (unseen(), None),
        (not(seqs(2, 4)), None),
        (seqs(2, 4), Some("2:4")),
        (uids(15, 40), Some("2:4")),
        (not(not(uids(15, 40))), Some("2:4")),
        (uids(11, 19), Some("")),
        (not(SearchKey::All), Some("")),
        (and(vec![seqs(2, 6), unseen(), uids(50, 200)]), Some("5:6")),
        (and(vec![seqs(2, 4), uids(50, 200), body("x")]), Some("")),
        (and(vec![not(uids(30, 30)), seqs(2, 4)]), Some("2:4")),
        (and(vec![and(vec![unseen(), seqs(2, 6)]), uids(1, 30)]), Some("2:3")),
        (or(vec![seqs(2, 3), uids(90, 90)]), Some("2:3,9")),
        (or(vec![seqs(2, 3), unseen()]), None),
        (or(vec![seqs(2, 3), and(vec![unseen(), uids(90, 90)])]), Some("2:3,9")),
        (and(vec![or(vec![seqs(2, 3), unseen()]), uids(30, 90)]), Some("3:9")),
    ];
    for (key, expected) in table {
        let named = Program::compile(&key).named(resolve);
        assert_eq!(named.map(|set| set.to_string()).as_deref(), expected, "{key:?}");
    }
}

#[test]
fn a_string_that_an_index_knows_names_those_that_may_hold_it() {
    let table = [
        (body("x"), Some("1,3")),
        (header("Subject", "x"), Some("1,3")),
        (not(body("x")), None),
        (SearchKey::And(vec![seqs(2, 5), body("x")]), Some("3")),
        (SearchKey::Or(vec![seqs(5, 5), text("x")]), Some("1,3,5")),
        // Of the second nothing is known.
        (SearchKey::Or(vec![body("x"), body("y")]), None),
    ];
    for (key, expected) in table {
        let mut program = Program::compile(&key);
        program.narrow(vec![only(&[10, 30]), None]);
        let named = program.named(resolve);
        assert_eq!(named.map(|set| set.to_string()).as_deref(), expected, "{key:?}");
    }
}

#[test]
fn flags_alone_rule_a_message_out_where_nothing_else_counts() {
    let seen = || has(SystemFlag::Seen);
    let flags = Flags::SEEN.with_keyword("$Junk");
    let table = [
        (seen(), true),
        (not(seen()), false),
        (keyword("$JUNK"), true),
        (not(keyword("$junk")), false),
        (has(SystemFlag::Draft), false),
        (SearchKey::And(vec![body("x"), has(SystemFlag::Draft)]), false),
        (SearchKey::And(vec![body("x"), seen()]), true),
        (SearchKey::Or(vec![body("x"), has(SystemFlag::Draft)]), true),
        (SearchKey::Or(vec![not(seen()), has(SystemFlag::Draft)]), false),
        (not(SearchKey::Or(vec![body("x"), seen()])), false),
        (not(SearchKey::And(vec![SearchKey::Recent, seen()])), true),
        (SearchKey::And(vec![SearchKey::Recent, not(seen())]), false),
    ];
    for (key, expected) in table {
        assert_eq!(Program::compile(&key).may_match(&flags), expected, "{key:?}");
    }
}

proptest! {
    /// An index that names at least the messages that hold a string changes no answer.
    #[test]
    fn an_index_that_names_too_many_changes_no_answer(
        plain in random::plain(),
        key in random::key(),
        too_many in prop::collection::vec(prop::option::of(any::<bool>()), 60),
    ) {
        let mail = plain.mail();
        let mut program = Program::compile(&key);
        let index = Index::of(&mail.octets);
        let holds = |sought: &Sought| {
            let searched = plain.texts(sought.area);
            searched.iter().any(|text| sought.strings.iter().all(|s| imap_message::fold(text).contains(s)))
        };
        let answers = program.sought().iter().zip(&too_many);
        let may_hold = answers.map(|(sought, extra)| extra.map(|extra| match extra || holds(sought) {
            true => UidSet::run(mail.row.uid, mail.row.uid),
            false => UidSet::new(),
        })).collect();
        program.narrow(may_hold);
        if plain.has(&key) {
            let (seq, uid) = (mail.row.seq, mail.row.uid);
            let named = program.named(|set| match set {
                NumSet::Seq(set) => set.clone(),
                NumSet::Uid(set) => set.contains(uid).then_some(seq).into_iter().collect(),
            });
            prop_assert!(named.is_none_or(|named| named.contains(seq)), "{:?}", key);
            prop_assert!(program.may_match(mail.row.flags), "{:?}", key);
        }
        let body = MessageBody::from(mail.octets.clone());
        let decided = match program.cheap(&mail.row) {
            Verdict::Unknown(_) => run(program.with_body(&mail.row, &index, &body)).unwrap(),
            verdict => verdict == Verdict::Yes,
        };
        prop_assert_eq!(decided, plain.has(&key), "{:?}", key);
    }
}
