//! What agrees with a line, and what a block lets pass.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;

use super::super::parse;
use super::super::scenario::{Act, Block, Messages};
use super::super::token::Response;
use super::super::value::{Bound, Value};
use super::*;

/// The block of lines heard after a step.
fn block(lines: &str) -> Block {
    let source = format!("A claim.\nrfc: 3501 6.1.2\ncovers: R3501-001\n---\nA: a NOOP\n{lines}\ncheck: 1 = 1\n");
    let scenario = parse::scenario("x", "x", &source, &Messages::new());
    let scenario = scenario.unwrap_or_else(|errors| panic!("{}", errors[0]));
    match &scenario.steps[1].act {
        Act::Hear(block) => block.clone(),
        other => panic!("{other:?}"),
    }
}

/// What becomes of responses: `fine` when all are and nothing is missing, else what is wrong or missing first.
fn play(lines: &str, heard: &[&str], bound: &mut Bound) -> String {
    let block = block(lines);
    let mut listener = Listener::new(&block, Vec::new(), false);
    for response in heard {
        let parsed = Response::parse(response.as_bytes()).unwrap_or_else(|error| panic!("{response}: {error}"));
        match listener.hear(&parsed, bound) {
            Verdict::Fine => {}
            Verdict::End => return "end".into(),
            Verdict::Skip => return "skip".into(),
            Verdict::Wrong { what, .. } => return what,
        }
    }
    match listener.is_done() {
        true => "fine".into(),
        false => format!("missing: {}", listener.missing()[0].1),
    }
}

fn heard(lines: &str, heard: &[&str]) -> String {
    play(lines, heard, &mut Bound::new())
}

fn one(line: &str, response: &str) -> bool {
    heard(&format!("  {line}"), &[response]) == "fine"
}

#[test]
fn keywords_have_no_case_and_strings_have() {
    assert!(one("* SEARCH 1 2", "* search 2 1"));
    assert!(one("* LIST () \"/\" box", "* LIST () \"/\" \"box\""));
    assert!(!one("* LIST () \"/\" box", "* LIST () \"/\" Box"));
    assert!(one("* LIST () \"/\" INBOX", "* LIST () \"/\" Inbox"));
    assert!(one("* ID (\"name\" NIL)", "* ID ({4}\r\nname NIL)"));
    assert!(!one("* ID (\"name\" NIL)", "* ID (\"Name\" NIL)"));
    assert!(!one("* ID (\"name\" \"NIL\")", "* ID (\"name\" NIL)"));
    assert!(!one("* ID (\"name\" \"\")", "* ID (\"name\" NIL)"));
}

#[test]
fn lists_without_an_order_are_compared_without_one() {
    assert!(one("* FLAGS (\\Seen $a)", "* FLAGS ($A \\SEEN)"));
    assert!(one("* FLAGS (\\Seen <...>)", "* FLAGS ($a \\Seen)"));
    assert!(!one(
        "* STATUS x (MESSAGES 1 UNSEEN 0)",
        "* STATUS x (UNSEEN 1 MESSAGES 1)"
    ));
    assert!(one(
        "* STATUS x (MESSAGES 1 UNSEEN 0)",
        "* STATUS x (UNSEEN 0 MESSAGES 1)"
    ));
    assert!(one(
        "* CAPABILITY IMAP4rev1 !LOGINDISABLED <...>",
        "* CAPABILITY A IMAP4rev1"
    ));
    assert!(!one(
        "* CAPABILITY IMAP4rev1 !LOGINDISABLED <...>",
        "* CAPABILITY LOGINDISABLED IMAP4rev1"
    ));
    assert!(one(
        "* ESEARCH (TAG \"a\") UID MIN 1 COUNT 3",
        "* ESEARCH (TAG \"a\") UID COUNT 3 MIN 1"
    ));
    assert!(!one("* ESEARCH (TAG \"a\") MIN 1", "* ESEARCH (TAG \"a\") UID MIN 1"));
    assert!(one(
        "* LIST (\\Noselect) \"/\" x",
        "* LIST (\\Noselect \\HasChildren) \"/\" x"
    ));
}

#[test]
fn holes_are_bound_once() {
    let mut bound = Bound::new();
    let lines = "  * STATUS x (UIDNEXT <next>)\n  a OK [APPENDUID <v> <uid>] <text>";
    let all = ["* STATUS x (UIDNEXT 7)", "a OK [APPENDUID 3 9] done"];
    assert_eq!(play(lines, &all, &mut bound), "fine");
    assert_eq!(bound["uid"], Value::Number(9));
    assert_eq!(
        play(
            "  a OK [APPENDUID <v> <uid>] <text>",
            &["a OK [APPENDUID 3 9] x"],
            &mut bound
        ),
        "fine"
    );
    let other = play(
        "  a OK [APPENDUID <v> <uid>] <text>",
        &["a OK [APPENDUID 3 8] x"],
        &mut bound,
    );
    assert_eq!(other, "The code is [APPENDUID 3 8] instead of [APPENDUID 3 9].");
    assert!(!one("* STATUS x (UIDNEXT <n>)", "* STATUS x (UIDNEXT 0)"));
    assert!(one("* STATUS x (MESSAGES <number>)", "* STATUS x (MESSAGES 0)"));
}

#[test]
fn sets_are_sets_and_pairs_stay_pairs() {
    let copied = "  a OK [COPYUID 1 2:3,5 <x>,<y>,<z>] <text>";
    let mut bound = Bound::new();
    assert_eq!(play(copied, &["a OK [COPYUID 1 5,2:3 12,10:11] x"], &mut bound), "fine");
    assert_eq!(
        [&bound["x"], &bound["y"], &bound["z"]],
        [10, 11, 12].map(Value::Number).each_ref()
    );
    assert!(one("a OK [COPYUID 1 2:3 4:5] <text>", "a OK [COPYUID 1 3,2 5,4] x"));
    assert!(!one("a OK [COPYUID 1 2:3 4:5] <text>", "a OK [COPYUID 1 2:3 5:4] x"));
    assert!(one("* VANISHED 1:3", "* VANISHED 3,1:2"));
    assert!(!one("* VANISHED 1:3", "* VANISHED 1:4"));
}

#[test]
fn a_fetch_may_come_in_pieces() {
    let lines = "  * 1 FETCH (FLAGS (\\Seen) RFC822.SIZE 5)\n  * 2 FETCH (FLAGS ())\n  a OK <text>";
    let pieces = [
        "* 2 FETCH (UID 9 FLAGS ())",
        "* 1 FETCH (RFC822.SIZE 5)",
        "* 1 FETCH (FLAGS (\\SEEN))",
        "a OK x",
    ];
    assert_eq!(heard(lines, &pieces), "fine");
    assert_eq!(heard(lines, &pieces[..3]), "missing: a OK <text>");
    assert_eq!(
        heard(lines, &pieces[..2]),
        "missing: * 1 FETCH (FLAGS (\\Seen) RFC822.SIZE 5)"
    );
    let again = [&pieces[..3], &["* 1 FETCH (FLAGS (\\Seen))", "a OK x"]].concat();
    assert_eq!(heard(lines, &again), "fine");
    let other = [&pieces[..3], &["* 1 FETCH (FLAGS ())"]].concat();
    assert_eq!(
        heard(lines, &other),
        "An untagged FETCH response with `FLAGS` comes, which is not listed here."
    );
    assert_eq!(
        heard(lines, &["* 1 FETCH (RFC822.SIZE 6)"]),
        "FETCH tells `RFC822.SIZE` as `6` instead of `5`."
    );
    assert_eq!(
        heard(lines, &["* 1 FETCH (FLAGS ())"]),
        "FETCH tells `FLAGS` as () instead of (\\Seen)."
    );
    assert_eq!(
        heard(lines, &["* 1 FETCH (X 1)"]),
        "FETCH tells `X`, which is not listed."
    );
}

#[test]
fn nothing_passes_an_expunge_or_a_tag() {
    let lines = "  * 3 EXISTS\n  * 2 EXPUNGE\n  * 2 FETCH (FLAGS ())\n  a OK <text>";
    let good = ["* 3 EXISTS", "* 2 EXPUNGE", "* 2 FETCH (FLAGS ())", "a OK x"];
    assert_eq!(heard(lines, &good), "fine");
    let early = |what| format!("{what} comes before what must come first.");
    assert_eq!(heard(lines, &["* 2 EXPUNGE"]), early("An untagged EXPUNGE response"));
    assert_eq!(
        heard(lines, &["* 3 EXISTS", "* 2 FETCH (FLAGS ())"]),
        early("An untagged FETCH response with `FLAGS`")
    );
    assert_eq!(
        heard(lines, &["* 3 EXISTS", "* 2 EXPUNGE", "a OK x"]),
        early("An answer OK with the tag a")
    );
    assert_eq!(
        heard(lines, &["* 3 EXISTS", "* 3 EXISTS"]),
        "An untagged EXISTS response comes more often than it is listed."
    );
    assert_eq!(
        heard(lines, &["* 3 EXISTS", "* 2 EXPUNGE", "* 1 EXPUNGE"]),
        "An untagged EXPUNGE response comes, which is not listed here."
    );
    assert_eq!(
        heard("  * 2 EXPUNGE\n  a OK <text>", &["* 1 EXPUNGE"]),
        "EXPUNGE tells `1` instead of `2`."
    );
}

#[test]
fn data_of_a_later_command_may_come_before_an_earlier_tag() {
    let lines = "  * SEARCH 1\n  a OK <text>\n  * SEARCH 2\n  b OK <text>";
    assert_eq!(heard(lines, &["* SEARCH 2", "* SEARCH 1", "a OK x", "b OK x"]), "fine");
    assert_eq!(
        heard(lines, &["* SEARCH 1", "a OK x", "b OK x"]),
        "An answer OK with the tag b comes before what must come first."
    );
}

#[test]
fn expunged_messages_are_numbered_as_at_the_start() {
    let lines = "  expunged 2,3,5\n  a OK <text>";
    assert_eq!(
        heard(lines, &["* 2 EXPUNGE", "* 2 EXPUNGE", "* 3 EXPUNGE", "a OK x"]),
        "fine"
    );
    assert_eq!(
        heard(lines, &["* 5 EXPUNGE", "* 3 EXPUNGE", "* 2 EXPUNGE", "a OK x"]),
        "fine"
    );
    assert_eq!(heard(lines, &["* VANISHED 12:13,20", "a OK x"]), "fine");
    assert_eq!(
        heard(lines, &["* 2 EXPUNGE", "* 3 EXPUNGE"]),
        "An untagged EXPUNGE response comes, which is not listed here."
    );
    assert_eq!(
        heard(lines, &["* 2 EXPUNGE", "a OK x"]),
        "An answer OK with the tag a comes before what must come first."
    );
}

#[test]
fn what_may_come_may_and_what_must_not_does_not() {
    let lines = "  ? * 1 EXISTS\n  ~ * SEARCH <...>\n  ! * 9 EXISTS\n  a OK <text>";
    assert_eq!(heard(lines, &["a OK x"]), "fine");
    assert_eq!(
        heard(lines, &["* SEARCH", "* 1 EXISTS", "* SEARCH 3", "a OK x"]),
        "fine"
    );
    assert_eq!(
        heard(lines, &["* 1 EXISTS", "* 1 EXISTS"]),
        "An untagged EXISTS response comes more often than it is listed."
    );
    assert_eq!(
        heard(lines, &["* 9 EXISTS"]),
        "An untagged EXISTS response comes, and must not."
    );
    assert_eq!(
        heard(
            "  a OK <text>\n  or a NO <text> => end\n  or a BAD <text> => skip",
            &["a NO x"]
        ),
        "end"
    );
    assert_eq!(
        heard("  * 1 EXISTS\n  a OK <text>\n  or a BAD <text> => skip", &["a BAD x"]),
        "skip"
    );
    assert_eq!(heard("  a OK <text>", &["a NO x"]), "The answer is NO instead of OK.");
    assert_eq!(heard("  a OK <text>", &["b OK x"]), "The tag is b, not a.");
}

#[test]
fn a_server_may_say_some_things_at_any_time() {
    let all = [
        "* FLAGS (\\Seen)",
        "* 0 RECENT",
        "* OK [UIDNEXT 3] x",
        "* OK still here",
        "a OK x",
    ];
    assert_eq!(heard("  a OK <text>", &all), "fine");
    let kinds = [
        "An untagged FLAGS response",
        "An untagged RECENT response",
        "An untagged OK [UIDNEXT] response",
        "An untagged OK response",
    ];
    for (line, kind) in all.iter().zip(kinds) {
        let told = format!("{kind} comes, which is not listed here.");
        assert_eq!(heard("  nothing else\n  a OK <text>", &[line]), told);
    }
    for (line, kind) in [
        ("* 1 EXISTS", "An untagged EXISTS response"),
        ("* SEARCH", "An untagged SEARCH response"),
        ("* OK [ALERT] x", "An untagged OK [ALERT] response"),
        ("* NO x", "An untagged NO response"),
        ("* CAPABILITY IMAP4rev1", "An untagged CAPABILITY response"),
        ("+ x", "A continuation request (`+`)"),
    ] {
        let told = format!("{kind} comes, which is not listed here.");
        assert_eq!(heard("  a OK <text>", &[line]), told);
    }
}

#[test]
fn an_order_that_is_asked_for_is_kept() {
    let lines = "  ordered\n  * LIST () \"/\" a\n  * LIST () \"/\" b\n  end\n  a OK <text>";
    let of = |names: [&str; 2]| names.map(|name| format!("* LIST () \"/\" {name}"));
    let [first, second] = of(["a", "b"]);
    assert_eq!(heard(lines, &[&first, &second, "a OK x"]), "fine");
    assert_eq!(
        heard(lines, &[&second]),
        "An untagged LIST response comes before what must come first."
    );
    let any = "  unordered\n  a OK <text>\n  * 1 EXISTS\n  b OK <text>\n  end";
    assert_eq!(heard(any, &["b OK x", "* 1 EXISTS", "a OK x"]), "fine");
}

#[test]
fn what_is_to_come_later_is_waited_for_in_the_next_block() {
    let (first, second) = (block("  later * 2 EXISTS\n  a OK <text>"), block("  b OK <text>"));
    let mut bound = Bound::new();
    let mut say = |listener: &mut Listener<'_>, text: &str| {
        let response = Response::parse(text.as_bytes()).unwrap();
        assert_eq!(listener.hear(&response, &mut bound), Verdict::Fine, "{text}");
    };
    let mut listener = Listener::new(&first, Vec::new(), false);
    say(&mut listener, "a OK x");
    assert!(listener.is_done());
    let mut listener = Listener::new(&second, listener.into_carried(), false);
    say(&mut listener, "b OK x");
    assert_eq!(listener.overdue(), [(6, "* 2 EXISTS".to_owned())]);
    let mut listener = Listener::new(&first, Vec::new(), false);
    say(&mut listener, "* 2 EXISTS");
    say(&mut listener, "a OK x");
    assert!(listener.into_carried().is_empty());
}

#[test]
fn a_body_structure_has_no_case_where_mime_has_none() {
    let line = |encoding: &str| {
        format!(
            "* 1 FETCH (BODY (\"TEXT\" \"plain\" (\"CHARSET\" \"US-ASCII\" \"name\" \"A\") NIL NIL \"{encoding}\" 5 1))"
        )
    };
    let told = "* 1 FETCH (BODY (\"text\" \"PLAIN\" (\"charset\" \"us-ascii\" \"NAME\" \"A\") NIL NIL \"7bit\" 5 1))";
    assert!(one(&line("7BIT"), told));
    assert!(!one(&line("8BIT"), told));
    assert!(!one(&line("7BIT"), &told.replace("\"A\"", "\"a\"")));
    assert!(!one(&line("7BIT"), &told.replace("5 1", "5 2")));
}

#[test]
fn dates_are_moments_unless_octets_are_asked_for() {
    let told = "* 1 FETCH (INTERNALDATE \"17-Jul-1996 09:44:25 +0000\")";
    assert!(one("* 1 FETCH (INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")", told));
    assert!(!one("* 1 FETCH (INTERNALDATE \"17-Jul-1996 02:44:26 -0700\")", told));
    assert!(!one("* 1 FETCH (INTERNALDATE {\"17-Jul-1996 02:44:25 -0700\"})", told));
}

proptest! {
    /// Untagged lines come in any order, and none of them may be missing.
    #[test]
    fn any_order_of_untagged_lines_is_one(order in Just((1_u32..8).collect::<Vec<_>>()).prop_shuffle(), drop in 0_usize..8) {
        let lines: String = (1..8).map(|n| format!("  * {n} FETCH (FLAGS ($k{n}))\n")).collect();
        let lines = format!("{lines}  a OK <text>");
        let mut said: Vec<String> = order.iter().map(|n| format!("* {n} FETCH (FLAGS ($k{n}))")).collect();
        if drop < said.len() {
            said.remove(drop);
        }
        said.push("a OK x".into());
        let said: Vec<&str> = said.iter().map(String::as_str).collect();
        let expected = if drop < 7 { "An answer OK with the tag a comes before what must come first." } else { "fine" };
        prop_assert_eq!(heard(&lines, &said), expected);
    }

    /// A set agrees with itself, however it is cut, and with no other.
    #[test]
    fn a_set_is_the_same_however_it_is_written(numbers in proptest::collection::btree_set(1_u64..60, 1..20), other in 1_u64..60) {
        let single: Vec<String> = numbers.iter().rev().map(ToString::to_string).collect();
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for &number in &numbers {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == number => *last = number,
                _ => ranges.push((number, number)),
            }
        }
        let ranges: Vec<String> = ranges.iter().map(|(first, last)| format!("{first}:{last}")).collect();
        prop_assert!(sets::same(single.join(",").as_bytes(), ranges.join(",").as_bytes()) || single.len() == 1 && numbers.len() == 1);
        if !numbers.contains(&other) {
            let more = format!("{},{other}", ranges.join(","));
            prop_assert!(!sets::same(more.as_bytes(), ranges.join(",").as_bytes()));
        }
    }

    /// Whatever a server sends and a scenario lists: an answer, not a panic.
    #[test]
    fn anything_is_compared(response in "(\\* |a |\\+ )?[ -~]{0,60}", line in 0_usize..6) {
        let lines = ["  * 1 FETCH (FLAGS (\\Seen <...>) UID <u>)", "  * LIST (<...>) \"/\" <x:astring>", "  expunged 1:3",
            "  a OK [COPYUID <v> <a>:<b> <c>:<d>] <text>", "  * ESEARCH (TAG <t:string>) ALL <s:any>", "  * FLAGS (<a:atom> ?b !c)"];
        if let Ok(parsed) = Response::parse(response.as_bytes()) {
            let block = block(lines[line]);
            let _ = Listener::new(&block, Vec::new(), false).hear(&parsed, &mut Bound::new());
        }
    }
}
