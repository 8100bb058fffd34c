//! What an index says, and what is made of it.

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
        let body = MessageBody::from(mail.octets.clone());
        let decided = match program.cheap(&mail.row) {
            Verdict::Unknown(_) => run(program.with_body(&mail.row, &index, &body)).unwrap(),
            verdict => verdict == Verdict::Yes,
        };
        prop_assert_eq!(decided, plain.has(&key), "{:?}", key);
    }
}
