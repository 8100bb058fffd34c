//! What LIST and LSUB answer, line by line.

use super::*;

fn mailboxes(names: &[&str]) -> Vec<MailboxEntry> {
    names.iter().zip(1..).map(|(name, id)| entry(name, id)).collect()
}

/// `+name` is subscribed, `-name` is a subscription without a mailbox.
fn entry(name: &str, id: u64) -> MailboxEntry {
    if let Some(name) = name.strip_prefix('+') {
        MailboxEntry::new(id, name).with_subscribed(true)
    } else if let Some(name) = name.strip_prefix('-') {
        MailboxEntry::subscription(MailboxName::new(name).unwrap())
    } else {
        MailboxEntry::new(id, name)
    }
}

fn show(lines: &[ListEntry]) -> Vec<String> {
    let word = |set: bool, word: &str| if set { format!(" {word}") } else { String::new() };
    let line = |l: &ListEntry| {
        let a = &l.attributes;
        let children = match a.has_children {
            Some(true) => " children",
            Some(false) => "",
            None => " ?",
        };
        let (gone, closed) = (word(a.non_existent, "gone"), word(a.no_select, "noselect"));
        format!("{}{gone}{closed}{}{children}", l.name, word(a.subscribed, "sub"))
    };
    lines.iter().map(line).collect()
}

fn answer(names: &[&str], patterns: &[&str], lsub: bool) -> Vec<String> {
    let query = ListQuery::new(patterns.iter().map(|p| (*p).to_owned()).collect(), lsub);
    show(&list(&mailboxes(names), &query))
}

#[test]
fn list_answers_every_matching_name_once_and_in_order() {
    // R3501-163, R3501-411, R5258-001, R5258-014, R5258-019
    let names = ["b", "a/c", "INBOX", "a", "INBOX/x", "a-z", "A"];
    let all = ["INBOX children", "INBOX/x", "A", "a children", "a/c", "a-z", "b"];
    assert_eq!(answer(&names, &["*"], false), all);
    assert_eq!(answer(&names, &["%", "*", "a", "*"], false), all);
    assert_eq!(
        answer(&names, &["%"], false),
        ["INBOX children", "A", "a children", "a-z", "b"]
    );
    assert_eq!(answer(&names, &["b", "", "inbox"], false), ["INBOX children", "b"]);
    assert_eq!(answer(&names, &["a/c"], false), ["a/c"]);
    assert_eq!(answer(&names, &["nothing"], false), [""; 0]);
    assert_eq!(answer(&names, &[""], false), [""; 0]);
    assert_eq!(answer(&names, &[], false), [""; 0]);
}

#[test]
fn a_level_that_is_no_mailbox_is_listed_as_nonexistent() {
    // R3501-166, R5258-009, R5258-026, R5258-030
    let names = ["INBOX", "foo/bar/baz", "foo/qux"];
    assert_eq!(answer(&names, &["%"], false), ["INBOX", "foo gone noselect children"]);
    assert_eq!(
        answer(&names, &["%/%"], false),
        ["foo/bar gone noselect children", "foo/qux"]
    );
    assert_eq!(answer(&names, &["foo"], false), ["foo gone noselect children"]);
    assert_eq!(
        answer(&names, &["*"], false),
        [
            "INBOX",
            "foo gone noselect children",
            "foo/bar gone noselect children",
            "foo/bar/baz",
            "foo/qux"
        ]
    );
}

#[test]
fn a_subscription_without_a_mailbox_is_never_in_list() {
    // R5258-005, R5258-017
    let names = ["a", "-a/gone", "-lost/b", "-top", "top/real"];
    assert_eq!(
        answer(&names, &["*"], false),
        ["a", "top gone noselect sub children", "top/real"]
    );
}

#[test]
fn lsub_answers_subscribed_names_also_without_a_mailbox() {
    // R3501-173, R3501-176, R3501-414
    let names = ["INBOX", "+a", "+a/b", "-gone", "-lost/x", "c"];
    assert_eq!(
        answer(&names, &["*"], true),
        [
            "a sub children",
            "a/b sub",
            "gone gone noselect sub",
            "lost/x gone noselect sub"
        ]
    );
}

#[test]
fn lsub_with_percent_answers_the_parent_in_place_of_its_child() {
    // R3501-174
    assert_eq!(answer(&["foo", "+foo/bar"], &["%"], true), ["foo noselect children"]);
    assert_eq!(answer(&["+foo/bar"], &["%"], true), ["foo gone noselect children"]);
    assert_eq!(answer(&["-foo/bar"], &["%"], true), ["foo gone noselect"]);
    assert_eq!(answer(&["+foo", "+foo/bar"], &["%"], true), ["foo sub children"]);
    let news = ["+comp/mail/mime", "+comp/mail/misc", "comp"];
    assert_eq!(answer(&news, &["comp/%"], true), ["comp/mail gone noselect children"]);
    assert_eq!(
        answer(&news, &["comp/mail/*"], true),
        ["comp/mail/mime sub", "comp/mail/misc sub"]
    );
    assert_eq!(
        answer(&news, &["comp/mail/%"], true),
        ["comp/mail/mime sub", "comp/mail/misc sub"]
    );
}

#[test]
fn lsub_adds_no_parent_where_the_pattern_reaches_the_child() {
    // R3501-414
    let names = ["foo", "+foo/bar/baz"];
    for pattern in ["*", "f*", "%/*", "*%", "foo", "foo/bar"] {
        let expected: &[&str] = if pattern.contains('*') {
            &["foo/bar/baz sub"]
        } else {
            &[]
        };
        assert_eq!(answer(&names, &[pattern], true), expected, "{pattern}");
    }
}

#[test]
fn a_name_given_as_mailbox_and_as_subscription_is_one() {
    let expected = ["a sub"];
    assert_eq!(answer(&["a", "-a"], &["*"], false), expected);
    assert_eq!(answer(&["-a", "a"], &["*"], false), expected);
    assert_eq!(answer(&["-a", "a"], &["*"], true), expected);
}

#[test]
fn marked_is_not_said_of_what_cannot_be_selected() {
    // R3501-294, R3501-368, R9051-131
    let mut mailbox = MailboxEntry::new(1, "a");
    mailbox.attributes.marked = Some(true);
    let query = ListQuery::new(vec!["*".into()], false);
    let marked = |mailbox: &MailboxEntry| list(std::slice::from_ref(mailbox), &query)[0].attributes.marked;
    assert_eq!(marked(&mailbox), Some(true));
    mailbox.attributes.no_select = true;
    assert_eq!(marked(&mailbox), None);
}

#[test]
fn attributes_of_the_mailbox_come_through() {
    let mailbox = MailboxEntry::new(1, "Sent").with_special_use(backend_api::SpecialUse::Sent);
    let lines = list(&[mailbox], &ListQuery::new(vec!["%".into()], false));
    assert_eq!(lines[0].attributes.special_use, [backend_api::SpecialUse::Sent]);
}

#[test]
fn a_large_hierarchy_is_listed_whole_and_in_order() {
    let names: Vec<String> = (0..20_000).map(|n| format!("l{}/m{}/n{n}", n % 7, n % 91)).collect();
    let entries: Vec<MailboxEntry> = names
        .iter()
        .zip(1..)
        .map(|(name, id)| MailboxEntry::new(id, name))
        .collect();
    let lines = list(&entries, &ListQuery::new(vec!["*".into()], false));
    // 7 and 91 share the factor 7: each second level is below one first level only.
    assert_eq!(lines.len(), 7 + 91 + 20_000);
    let mut seen = std::collections::HashSet::new();
    for line in &lines {
        assert!(
            line.name.parent().is_none_or(|parent| seen.contains(&parent)),
            "{}",
            line.name
        );
        assert!(seen.insert(line.name.clone()));
    }
}

#[test]
fn the_deepest_names_are_listed_with_all_their_levels() {
    let deep = vec!["d"; MailboxName::MAX_LEVELS].join("/");
    let lines = list(&[MailboxEntry::new(1, &deep)], &ListQuery::new(vec!["*".into()], false));
    assert_eq!(lines.len(), MailboxName::MAX_LEVELS);
    assert_eq!(
        lines.iter().filter(|l| l.attributes.non_existent).count(),
        MailboxName::MAX_LEVELS - 1
    );
}
