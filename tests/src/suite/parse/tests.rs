//! What is a scenario, what is none, and where the error is.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;

use super::super::scenario::{Act, Begin, Need, Sent, Slot, Then, Times};
use super::*;

const HEAD: &str = "A claim.\nrfc: 3501 6.1.2\ncovers: R3501-001\n";

fn read(source: &str) -> Result<Scenario, String> {
    let shared = Messages::from([("plain".to_owned(), b"Subject: x\r\n\r\nbody".to_vec())]);
    scenario("x.imap", "x", source, &shared).map_err(|errors| errors[0].to_string())
}

/// All that is wrong, without the file.
fn all(head: &str, steps: &str) -> Vec<String> {
    let shared = Messages::from([("plain".to_owned(), b"Subject: x\r\n\r\nbody".to_vec())]);
    let errors = match scenario("x.imap", "x", &format!("{HEAD}{head}---\n{steps}"), &shared) {
        Ok(_) => Vec::new(),
        Err(errors) => errors,
    };
    let told = errors.iter().map(ToString::to_string);
    told.map(|error| error.trim_start_matches("x.imap:").to_owned())
        .collect()
}

fn with(head: &str, steps: &str) -> Result<Scenario, String> {
    read(&format!("{HEAD}{head}---\n{steps}"))
}

fn steps(steps: &str) -> String {
    with("", steps).map(|_| String::new()).unwrap_or_else(|error| error)
}

#[test]
fn a_head_is_read_whole() {
    let head = "# a remark\nneeds: move !IDLE user2 inbox\ngroup: hostile\nbox2: none\n\
                box:\n  own (\\Seen $Work) \"17-Jul-1996 02:44:25 -0700\"\n  plain\n\
                message own:\n  | To: a\\x20b\n  |\n  | <\"ab\" * 2>\nB is examining <box>\nA is authenticated as user2\n";
    let scenario = with(head, "A: a NOOP\n  a OK <text>\n").unwrap();
    assert_eq!(scenario.claim, "A claim.");
    assert_eq!((scenario.rfc, scenario.section.as_str()), (3501, "6.1.2"));
    assert_eq!(
        scenario.needs,
        [
            Need::Capability("MOVE".into()),
            Need::Without("IDLE".into()),
            Need::SecondUser,
            Need::Inbox
        ]
    );
    let [first, second] = &scenario.start.mailboxes[..] else {
        panic!("two mailboxes")
    };
    assert_eq!(
        (first.key.as_str(), first.exists, second.key.as_str(), second.exists),
        ("box", true, "box2", false)
    );
    assert_eq!(first.messages[0].octets, b"To: a b\r\n\r\nabab\r\n");
    assert_eq!(first.messages[0].flags, ["\\Seen", "$Work"]);
    assert_eq!(first.messages[0].date.as_deref(), Some("17-Jul-1996 02:44:25 -0700"));
    let examining = Begin::Selected {
        mailbox: "box".into(),
        read_only: true,
    };
    assert_eq!(
        scenario.begins,
        [('B', examining), ('A', Begin::Authenticated { second: true })]
    );
}

#[test]
fn errors_name_line_and_column() {
    assert_eq!(steps("A: a NOOP\n  a OK <text\n"), "");
    assert_eq!(
        steps("A: a NOOP\n  a FINE <text>\n"),
        "x.imap:6:5: behind a tag stands OK, NO or BAD"
    );
    assert_eq!(
        steps("A: a <what>\n  a OK <text>\n"),
        "x.imap:5:6: nothing is bound to `what` here"
    );
    assert_eq!(steps("A sings\n"), "x.imap:5:2: no such step");
    assert_eq!(
        steps("A: a {\"x\n  a OK <text>\n"),
        "x.imap:5:9: the literal does not end: `\"}` is missing"
    );
    assert_eq!(
        steps("A: a {message nope}\n  a OK <text>\n"),
        "x.imap:5:15: there is no message `nope`"
    );
    assert_eq!(
        steps("A: a\n  * 1 FETCH (<...> UID 3)\n  a OK <text>\n"),
        "x.imap:6:20: nothing follows `<...>`"
    );
    assert_eq!(
        steps("  * 1 EXISTS\n"),
        "x.imap:5:1: who hears this? a step of a client stands before"
    );
    assert_eq!(
        steps("A: a\n  ordered\n  a OK <text>\n"),
        "x.imap:6:1: `ordered` without `end`"
    );
    assert_eq!(
        steps("A: a\n  a OK <text>\ncheck: u < 3\n"),
        "x.imap:7:7: nothing is bound to `u` here"
    );
    assert_eq!(
        with("covers: nonsense\n", "").unwrap_err(),
        "x.imap:4:9: there is no requirement nonsense"
    );
    assert_eq!(
        with("box:\n  nope\n", "").unwrap_err(),
        "x.imap:5:3: there is no message `nope`"
    );
    assert_eq!(
        with("colour: red\n", "").unwrap_err(),
        "x.imap:4:1: no line `colour:` belongs into a head"
    );
    assert_eq!(
        read("A claim.\n").unwrap_err(),
        "x.imap:1:1: the line `---` between head and steps is missing"
    );
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let head = "needs: UIDPLSU MOVE !IDEL usr2\ncovers: R3501-001 R1 R2\nbox:\n  plian\n  plain (\\Seen\ncolour: red\n\
                message own:\n  | \\q\n  no bar\ngruop: hostile\nB is selected in <box7>\n";
    let steps = "A sings\n  a OK <text>\n  a FINE <text>\nA: b <what>\n  * 1 FETCH (UID <what>\n  b OK <text>\n\
                 A hears\n  ordered\n  * 1 EXISTS\ncheck: what > 1\nnext\nA haers\n  * 2 EXISTS\n";
    assert_eq!(
        all(head, steps),
        [
            "4:8: no capability is called UIDPLSU; did you mean `UIDPLUS`?",
            "4:21: no capability is called IDEL; did you mean `IDLE`?",
            "4:27: no capability is called USR2; did you mean `user2`?",
            "5:19: there is no requirement R1",
            "5:22: there is no requirement R2",
            "7:3: there is no message `plian`; did you mean `plain`?",
            "8:8: `)` is missing",
            "9:1: no line `colour:` belongs into a head",
            "11:6: an escape is one of \\r \\n \\t \\0 \\\\ \\\" \\xHH",
            "12:1: lines of a message stand behind `|`",
            "13:1: no line `gruop:` belongs into a head; did you mean `group`?",
            "14:1: there is no mailbox <box7> to be selected",
            "16:2: no such step",
            "18:5: behind a tag stands OK, NO or BAD",
            "19:6: nothing is bound to `what` here",
            "20:24: `)` is missing",
            "23:1: `ordered` without `end`",
            "26:1: `next` without `for`",
            "27:2: no such step; did you mean `hears`?",
        ]
    );
}

#[test]
fn a_name_is_bound_before_it_is_used() {
    let none: [&str; 0] = [];
    assert_eq!(
        all(
            "",
            "A: a NOOP\n  * <uid> EXISTS\n  a OK <text>\nA: b <uid>\n  b OK <text>\n"
        ),
        none
    );
    let never = "A: a NOOP\n  ! * <uid> EXISTS\n  a OK <text>\nA: b <uid>\n  b OK <text>\n";
    assert_eq!(all("", never), ["8:6: nothing is bound to `uid` here"]);
    assert_eq!(
        all("", "A: a LIST\n  * LIST () \"/\" <box3>\n  a OK <text>\n"),
        ["6:17: there is no `box3:` in the head"]
    );
    let second = "A: a LOGIN <user2> <password2>\n  a OK <text>\n";
    assert_eq!(
        all("A is authenticated as user2\n", second),
        [
            "4:1: there is a second user where the head has `needs: user2`",
            "6:12: `user2` is bound where the head has `needs: user2`"
        ]
    );
    assert_eq!(all("needs: user2\nA is authenticated as user2\n", second), none);
}

#[test]
fn a_name_that_stands_alone_and_is_like_another_is_misspelt() {
    let of = |hole: &str| {
        all(
            "",
            &format!("A: a NOOP\n  * LIST () <validity> {hole}\n  a OK <text>\ncheck: validity > 0\n"),
        )
    };
    assert_eq!(
        of("<valdity>"),
        ["6:24: `valdity` is bound here and used nowhere; did you mean `validity`?"]
    );
    assert_eq!(
        of("<nstrng>"),
        ["6:24: `nstrng` is bound here and used nowhere; did you mean `nstring`?"]
    );
    assert_eq!(
        of("<x:strnig>"),
        ["6:34: `strnig` is no kind of hole; did you mean `string`?"]
    );
    assert_eq!(
        [of("<validity2>"), of("<other>"), of("<next>"), of("<u>")].concat(),
        [""; 0]
    );
}

/// What a loop puts in is not in the file: places are those of the file's own line.
#[test]
fn an_error_in_a_loop_is_told_once_and_where_the_line_stands() {
    let of = |line: &str| {
        all(
            "",
            &format!("for W in\n  | NOOP x\n  | <who>\nA: a <W> <what>\n  {line}\nnext\n"),
        )
    };
    assert_eq!(
        of("a OK <text>"),
        ["8:10: nothing is bound to `what` here (where <W> is NOOP x)"]
    );
    let steps = |line: &str| {
        all(
            "",
            &format!("for W in\n  | NOOP\n  | <who>\nA: a <W>\n  {line}\nnext\n"),
        )
    };
    assert_eq!(
        steps("a OK <text>"),
        ["8:6: nothing is bound to `who` here (where <W> is <who>)"]
    );
    assert_eq!(
        all("", "for W in\n  | NOOP\n  | CHECK\nA: a <W>\n  a <W> <W> (x\nnext\n"),
        ["9:5: behind a tag stands OK, NO or BAD (where <W> is NOOP)"]
    );
}

#[test]
fn a_scenario_must_assert_something() {
    let nothing = "x.imap:6:1: nothing must come back: this scenario asserts nothing";
    assert_eq!(
        steps("A: a NOOP\n"),
        "x.imap:5:1: nothing must come back: this scenario asserts nothing"
    );
    assert_eq!(steps("A: a NOOP\n  ? * 1 EXISTS\n"), nothing);
    assert_eq!(steps("A: a NOOP\n  ~ * 1 EXISTS\n"), nothing);
    assert_eq!(steps("A: a NOOP\n  ! * 1 EXISTS\n"), nothing);
    assert_eq!(steps("A: a NOOP\n  * 1 EXISTS\n"), "");
    assert_eq!(steps("A hears nothing\n"), "");
    assert_eq!(steps("A is disconnected\n"), "");
}

#[test]
fn a_block_is_cut_at_what_lets_nothing_pass() {
    let scenario = with(
        "",
        "A: a EXPUNGE\n  * 3 EXISTS\n  ? * 1 RECENT\n  * 1 EXPUNGE\n  a OK <text>\n  or a NO <text> => end\n  ! * BYE <text>\n",
    );
    let steps = scenario.unwrap().steps;
    let Act::Hear(block) = &steps[1].act else {
        panic!("a block")
    };
    let [Slot::Lines(lines), Slot::Barrier(expunge), Slot::Barrier(tagged)] = &block.slots[..] else {
        panic!("{:?}", block.slots)
    };
    let times: Vec<Times> = lines.iter().map(|line| line[0].times).collect();
    assert_eq!(times, [Times::Once, Times::Maybe]);
    assert_eq!(expunge.alternatives[0].text, "* 1 EXPUNGE");
    let then: Vec<Then> = tagged.alternatives.iter().map(|a| a.then).collect();
    assert_eq!(then, [Then::GoOn, Then::End]);
    assert_eq!(block.never.len(), 1);
}

#[test]
fn a_loop_is_unrolled() {
    let looped = with(
        "",
        "for WORD in\n  | NOOP\n  | CHECK\nA: a <WORD>\n  a OK <text>\nnext\n",
    )
    .unwrap();
    let sent: Vec<&Act> = looped.steps.iter().map(|step| &step.act).collect();
    let text = |act: &Act| match act {
        Act::Send { text, .. } => text[0].clone(),
        _ => panic!("{act:?}"),
    };
    assert_eq!(text(sent[0]), Sent::Octets(b"a NOOP".to_vec()));
    assert_eq!(text(sent[2]), Sent::Octets(b"a CHECK".to_vec()));
}

#[test]
fn literals_and_escapes_are_what_they_say() {
    let of = |line: &str| match &with("", &format!("{line}\n  a OK <text>\n")).unwrap().steps[0].act {
        Act::Send { text, .. } => text.clone(),
        other => panic!("{other:?}"),
    };
    let literal = |at_once, octets: &[u8]| Sent::Literal {
        at_once,
        content: vec![Sent::Octets(octets.to_vec())],
    };
    assert_eq!(of(r"A> a\x41\r\n"), [Sent::Octets(b"aA\r\n".to_vec())]);
    assert_eq!(of(r"A: a \Seen {3}")[0], Sent::Octets(br"a \Seen {3}".to_vec()));
    assert_eq!(of(r#"A: {"x\"\0"}"#)[0], literal(false, b"x\"\0"));
    assert_eq!(of("A: {+message plain 9.3}")[0], literal(true, b"x\r\n"));
    assert_eq!(
        of("A: {message plain header}")[0],
        literal(false, b"Subject: x\r\n\r\n")
    );
    assert_eq!(of("A: {message plain text}")[0], literal(false, b"body"));
    assert_eq!(of("A: <\"ab\" * 2><size:plain>")[0], Sent::Octets(b"abab18".to_vec()));
    assert_eq!(of("A: a < b <1>")[0], Sent::Octets(b"a < b <1>".to_vec()));
}

proptest! {
    /// Whatever stands in a file: an error, not a panic, and it names a line of the file.
    #[test]
    fn anything_is_read_or_refused(lines in proptest::collection::vec("(  |A: |A> |or |\\* |check: |for )?[ -~é]{0,24}", 0..12)) {
        let source = format!("{HEAD}---\n{}", lines.join("\n"));
        if let Err(errors) = scenario("x.imap", "x", &source, &Messages::new()) {
            for error in errors {
                prop_assert!(error.line >= 1 && error.line as usize <= source.lines().count() + 1);
                prop_assert!(error.column >= 1);
            }
        }
    }
}
