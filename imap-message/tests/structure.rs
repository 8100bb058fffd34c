//! BODY and BODYSTRUCTURE, octet for octet.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use imap_message::Index;

#[track_caller]
fn check(message: &[u8], expected: &str) {
    let index = Index::of(message);
    assert_eq!(String::from_utf8_lossy(index.body()), expected);
}

#[track_caller]
fn check_extended(message: &[u8], expected: &str) {
    let index = Index::of(message);
    assert_eq!(String::from_utf8_lossy(index.body_structure()), expected);
}

/// R3501-315, R3501-316: the structure of RFC 3501 8, with 92 lines in 3028 octets.
#[test]
fn the_sample_of_rfc_3501_has_its_structure() {
    let mut message = b"Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n".to_vec();
    for line in 0..92 {
        message.resize(message.len() + if line == 0 { 114 } else { 30 }, b'x');
        message.extend_from_slice(b"\r\n");
    }
    check(
        &message,
        r#"("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 3028 92)"#,
    );
}

/// R3501-318: the second example of RFC 3501 7.4.2, in its form.
#[test]
fn a_text_and_an_attachment_are_a_multipart() {
    let message = b"Content-Type: multipart/MIXED; boundary=\"=_x\"\r\n\r\npreamble\r\n\
--=_x\r\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\none\r\ntwo\r\n\
--=_x\r\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII; NAME=cc.diff\r\n\
Content-ID: <960723163407.20117h@cac.washington.edu>\r\nContent-Description: Compiler diff\r\n\
Content-Transfer-Encoding: BASE64\r\n\r\nT25l\r\n\r\n--=_x--\r\nepilogue\r\n";
    check(
        message,
        r#"(("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 8 2)("TEXT" "PLAIN" ("CHARSET" "US-ASCII" "NAME" "cc.diff") "<960723163407.20117h@cac.washington.edu>" "Compiler diff" "BASE64" 6 1) "MIXED")"#,
    );
    check_extended(
        message,
        r#"(("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 8 2 NIL NIL NIL NIL)("TEXT" "PLAIN" ("CHARSET" "US-ASCII" "NAME" "cc.diff") "<960723163407.20117h@cac.washington.edu>" "Compiler diff" "BASE64" 6 1 NIL NIL NIL NIL) "MIXED" ("boundary" "=_x") NIL NIL NIL)"#,
    );
}

#[test]
fn extension_data_is_in_its_order() {
    check_extended(
        b"Content-Type: image/png\r\nContent-MD5: Q2hlY2s=\r\n\
Content-Disposition: attachment; filename=\"a b.png\"; size=3\r\n\
Content-Language: de, en (both)\r\nContent-Location: http://x/y\r\nContent-Transfer-Encoding: base64 (c)\r\n\r\nAAAA",
        r#"("image" "png" NIL NIL NIL "base64" 4 "Q2hlY2s=" ("attachment" ("filename" "a b.png" "size" "3")) ("de" "en") "http://x/y")"#,
    );
    check_extended(
        b"Content-Type: image/png\r\nContent-Disposition: inline\r\nContent-Language: de\r\n\r\n",
        r#"("image" "png" NIL NIL NIL "7BIT" 0 NIL ("inline" NIL) "de" NIL)"#,
    );
}

/// RFC 2045 5.2: what is no Content-Type counts as none.
#[test]
fn a_type_that_is_none_is_plain_text() {
    let plain = r#"("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 2 1)"#;
    for content_type in [
        "",
        "Content-Type:\r\n",
        "Content-Type: text\r\n",
        "Content-Type: /x\r\n",
        "Content-Type: a/\r\n",
    ] {
        check(format!("{content_type}\r\nhi").as_bytes(), plain);
    }
    check(
        b"Content-Type: text/html\r\n\r\nhi",
        r#"("text" "html" NIL NIL NIL "7BIT" 2 1)"#,
    );
    check(
        b"Content-Type: (c) text (d) / (e) html (f) ; charset (g) = utf-8\r\n\r\nhi",
        r#"("text" "html" ("charset" "utf-8") NIL NIL "7BIT" 2 1)"#,
    );
}

/// R3501-317, R3501-039
#[test]
fn a_message_part_has_envelope_structure_and_lines() {
    check_extended(
        b"Content-Type: message/rfc822\r\n\r\nFrom: a@b\r\nSubject: in\r\nContent-Type: text/x-foo\r\n\r\none\r\ntwo",
        r#"("message" "rfc822" NIL NIL NIL "7BIT" 60 (NIL "in" ((NIL NIL "a" "b")) ((NIL NIL "a" "b")) ((NIL NIL "a" "b")) NIL NIL NIL NIL NIL) ("text" "x-foo" NIL NIL NIL "7BIT" 8 2 NIL NIL NIL NIL) 6 NIL NIL NIL NIL)"#,
    );
}

/// R3501-324
#[test]
fn the_parts_of_a_digest_are_messages_unless_they_say_otherwise() {
    check(
        b"Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\nSubject: one\r\n\r\n1\r\n--d\r\nContent-Type: text/plain\r\n\r\n2\r\n--d--\r\n",
        r#"(("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 17 (NIL "one" NIL NIL NIL NIL NIL NIL NIL NIL) ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 1 1) 3)("text" "plain" NIL NIL NIL "7BIT" 1 1) "digest")"#,
    );
}

/// R3501-400, R9051-171: only IMAP4rev2 opens message/global.
#[test]
fn message_global_is_opened_for_rev2_alone() {
    let message = b"Content-Type: message/global\r\n\r\nSubject: in\r\n\r\nx";
    check(message, r#"("message" "global" NIL NIL NIL "7BIT" 16)"#);
    let index = Index::of(message);
    let rev2 = r#"("message" "global" NIL NIL NIL "7BIT" 16 (NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL) ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 1 1) 3)"#;
    assert_eq!(String::from_utf8_lossy(index.body_rev2()), rev2);
    let message = b"Content-Type: message/partial\r\n\r\nSubject: in\r\n\r\nx";
    check(message, r#"("message" "partial" NIL NIL NIL "7BIT" 16)"#);
    let index = Index::of(message);
    assert_eq!(index.body_structure(), index.body_structure_rev2());
}

/// R3501-401
#[test]
fn a_multipart_without_parts_has_an_empty_one() {
    let empty = r#"("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 0 0)"#;
    for message in [
        "Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\ntext\r\n--x--\r\n",
        "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n\r\ntext\r\n----\r\n",
        "Content-Type: multipart/mixed; boundary=x\r\n\r\nno part\r\n",
        "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x--\r\n",
        "Content-Type: multipart/mixed; boundary=x",
        "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x",
        "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n--x--",
    ] {
        check(message.as_bytes(), &format!("({empty} \"mixed\")"));
    }
    check(
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n--x\r\n\r\n--x--",
        &format!("({empty}{empty} \"mixed\")"),
    );
}

#[test]
fn one_boundary_may_begin_with_another() {
    for (outer, inner) in [("a", "ab"), ("ab", "a"), ("a", "a--"), ("a--", "a")] {
        let message = format!(
            "Content-Type: multipart/mixed; boundary=\"{outer}\"\r\n\r\n--{outer}\r\n\
Content-Type: multipart/alternative; boundary=\"{inner}\"\r\n\r\n--{inner}\r\n\r\n1\r\n--{inner} \t\r\n\r\n22\r\n--abc\r\n\
--{outer}\r\n\r\n333\r\n--{outer}--\r\n"
        );
        let text =
            |octets, lines| format!(r#"("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" {octets} {lines})"#);
        let expected = format!(
            "(({}{} \"alternative\"){} \"mixed\")",
            text(1, 1),
            text(9, 2),
            text(3, 1)
        );
        // `a--` is the end of `a` and a boundary of its own; the inner one is asked first.
        if (outer, inner) != ("a--", "a") {
            check(message.as_bytes(), &expected);
        }
    }
}

#[test]
fn a_boundary_ends_every_part_inside_its_multipart() {
    check(
        b"Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\nx\n--o\n\ny\n--o--\n--o\nz",
        r#"(("message" "rfc822" NIL NIL NIL "7BIT" 49 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) (("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 1 1) "mixed") 5)("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 1 1) "mixed")"#,
    );
}

#[test]
fn a_header_may_end_with_a_boundary_line() {
    check(
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\n--x\r\nContent-Type: message/rfc822\r\n--x--\r\n",
        r#"(("text" "html" NIL NIL NIL "7BIT" 0 0)("message" "rfc822" NIL NIL NIL "7BIT" 0 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 0 0) 0) "mixed")"#,
    );
}

#[test]
fn lines_are_counted_whatever_ends_them() {
    for (body, octets, lines) in [
        ("", 0, 0),
        ("a", 1, 1),
        ("a\r\n", 3, 1),
        ("a\nb\n", 4, 2),
        ("\r\n\r\n", 4, 2),
        ("a\rb", 3, 1),
    ] {
        check(
            format!("Content-Type: text/plain\r\n\r\n{body}").as_bytes(),
            &format!(r#"("text" "plain" NIL NIL NIL "7BIT" {octets} {lines})"#),
        );
        check(
            format!(
                "Content-Type: multipart/x; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\n{body}\r\n--x--"
            )
            .as_bytes(),
            &format!(r#"(("text" "plain" NIL NIL NIL "7BIT" {octets} {lines}) "x")"#),
        );
    }
}

/// R9051-141
#[test]
fn continued_parameters_are_joined() {
    check_extended(
        b"Content-Type: application/x; name*0=\"long \"; name*1=name; x*=utf-8''%e2%82%ac\r\nContent-Disposition: attachment;\r\n filename*0*=utf-8''%e2;\r\n filename*1*=%82%ac;\r\n filename*2=.txt\r\n\r\n",
        r#"("application" "x" ("name" "long name" "x*" "utf-8''%e2%82%ac") NIL NIL "7BIT" 0 NIL ("attachment" ("filename*" "utf-8''%e2%82%ac.txt")) NIL NIL)"#,
    );
}

#[test]
fn eight_bit_parameters_are_literals() {
    check(
        "Content-Type: application/x; name=\"grün.txt\"\r\n\r\n".as_bytes(),
        "(\"application\" \"x\" (\"name\" {9}\r\ngrün.txt) NIL NIL \"7BIT\" 0)",
    );
}
