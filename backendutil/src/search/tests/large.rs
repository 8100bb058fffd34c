//! Large messages, large keys, deep keys.

use super::*;

#[test]
fn a_needle_is_found_across_the_border_of_two_reads() {
    let header = "Content-Type: text/plain; charset=utf-8\r\n\r\n";
    for before in 65_536 - 12..65_536 + 4 {
        let mail = Mail::new(format!("{header}{}nächtlich{}", "x".repeat(before), "y".repeat(70_000)));
        assert!(mail.matches(&body("NÄCHTLICH")), "{before}");
        assert!(!mail.matches(&body("nachtlich")), "{before}");
    }
}

#[test]
fn a_long_needle_is_found_in_encoded_text() {
    let line = "=C3=A4bcdefghij klmnopqrst uvwxyz=\r\n";
    let head = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
    let mail = Mail::new(format!("{head}{}", line.repeat(5_000)));
    let needle = "äbcdefghij klmnopqrst uvwxyz".repeat(100);
    assert!(mail.matches(&body(&needle)));
    assert!(!mail.matches(&body(&format!("{needle}!"))));
}

#[test]
fn an_endless_header_field_is_searched_to_its_end() {
    let mail = Mail::new(format!(
        "X-Long: {}\r\nTo: {}\r\n\r\n",
        "x".repeat(300_000) + " end",
        "a@b,\r\n ".repeat(30_000) + "last"
    ));
    assert!(mail.matches(&header("x-long", "x end")));
    assert!(mail.matches(&header("to", "a@b, last")));
    assert!(mail.matches(&text("x END")));
    assert!(!mail.matches(&header("to", "end")));
}

#[test]
fn a_chain_of_500_alternatives_takes_one_pass() {
    let mail = Mail::new(format!(
        "Subject: a\r\n\r\n{}the last one\r\n",
        "nothing of that here ".repeat(50_000)
    ));
    let mut keys: Vec<SearchKey> = (0..500).map(|n| body(&format!("not there {n}"))).collect();
    assert!(!mail.matches(&SearchKey::Or(keys.clone())));
    keys.push(text("LAST one"));
    assert!(mail.matches(&SearchKey::Or(keys)));
    let names = (0..500).map(|n| header("From", &format!("user{n}@"))).collect();
    assert!(!mail.matches(&SearchKey::Or(names)));
}

/// A binary tree of OR as a parser makes it that does not flatten chains.
#[test]
fn nested_chains_come_out_flat() {
    let nested = (0..500).fold(body("x0"), |key, n| SearchKey::Or(vec![body(&format!("x{n}")), key]));
    let mail = Mail::new("\r\nx499\r\n");
    assert!(mail.matches(&nested));
    assert!(!Mail::new("\r\ny\r\n").matches(&nested));
}

#[test]
fn not_nests_300_deep() {
    for depth in 300..302 {
        let key = (0..depth).fold(body("noon"), |key, _| not(key));
        assert_eq!(Mail::new(SIMPLE).matches(&key), depth % 2 == 0);
    }
    let key = (0..300).fold(body("noon"), |key, n| {
        let key = not(key);
        if n % 2 == 0 {
            SearchKey::And(vec![text("at"), key])
        } else {
            SearchKey::Or(vec![text("nowhere"), key])
        }
    });
    assert!(Mail::new(SIMPLE).matches(&key));
}

#[test]
fn a_large_message_full_of_near_misses_is_searched_for_many_needles() {
    let mail = Mail::new(format!("Subject: a\r\n\r\n{}", "a".repeat(2 << 20)));
    let keys = (1..300).map(|n| body(&format!("{}b", "a".repeat(n)))).collect();
    assert!(!mail.matches(&SearchKey::Or(keys)));
}
