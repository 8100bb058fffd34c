//! ENVELOPE, octet for octet.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use imap_message::Index;

#[track_caller]
fn check(message: &[u8], expected: &[u8]) {
    let index = Index::of(message);
    let found = index.envelope();
    assert_eq!(found, expected, "{}", String::from_utf8_lossy(found));
}

/// The message of RFC 3501 8.
const SAMPLE: &[u8] = b"Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n\
From: Terry Gray <gray@cac.washington.edu>\r\n\
Subject: IMAP4rev1 WG mtg summary and minutes\r\n\
To: imap@cac.washington.edu\r\n\
cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n\
Message-Id: <B27397-0100000@cac.washington.edu>\r\n\
MIME-Version: 1.0\r\n\
Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\
\r\n";

/// R3501-038
#[test]
fn the_sample_of_rfc_3501_has_its_envelope() {
    check(
        SAMPLE,
        br#"("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev1 WG mtg summary and minutes" (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu")) ((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL "<B27397-0100000@cac.washington.edu>")"#,
    );
}

#[test]
fn a_message_without_a_header_has_an_envelope_of_nils() {
    let nils: &[u8] = b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)";
    for message in [
        &b""[..],
        b"\r\n",
        b"\r\ntext",
        b"no header at all",
        b"To:\r\n\r\n",
        b"From: ,\r\n\r\n",
    ] {
        check(message, nils);
    }
}

/// RFC 3501 7.4.2: absent is NIL, present but empty is the empty string.
#[test]
fn an_empty_text_field_is_the_empty_string() {
    check(
        b"Subject:\r\nMessage-ID: \r\n\r\n",
        br#"(NIL "" NIL NIL NIL NIL NIL NIL NIL "")"#,
    );
}

/// The defaults of RFC 3501 7.4.2.
#[test]
fn sender_and_reply_to_are_their_own_or_from() {
    check(
        b"From: a@x\r\nSender: b@x\r\nReply-To: c@x\r\n\r\n",
        br#"(NIL NIL ((NIL NIL "a" "x")) ((NIL NIL "b" "x")) ((NIL NIL "c" "x")) NIL NIL NIL NIL NIL)"#,
    );
    check(
        b"From: a@x\r\nSender: (empty)\r\nReply-To:\r\n\r\n",
        br#"(NIL NIL ((NIL NIL "a" "x")) ((NIL NIL "a" "x")) ((NIL NIL "a" "x")) NIL NIL NIL NIL NIL)"#,
    );
    check(
        b"Sender: b@x\r\n\r\n",
        br#"(NIL NIL NIL ((NIL NIL "b" "x")) NIL NIL NIL NIL NIL NIL)"#,
    );
}

/// R3501-331
#[test]
fn folded_values_are_unfolded_and_encoded_words_stay() {
    check(
        b"Subject: =?utf-8?q?a?=\r\n =?utf-8?q?b?=\r\n\tend  \r\nIn-Reply-To:\r\n <1@x>\r\n <2@x>\r\n\r\n",
        b"(NIL \"=?utf-8?q?a?= =?utf-8?q?b?=\tend\" NIL NIL NIL NIL NIL NIL \"<1@x> <2@x>\" NIL)",
    );
}

#[test]
fn eight_bit_text_is_a_literal_and_nul_is_dropped() {
    check(
        "Subject: grün\r\n\r\n".as_bytes(),
        "(NIL {5}\r\ngrün NIL NIL NIL NIL NIL NIL NIL NIL)".as_bytes(),
    );
    check(
        b"Subject: a\0\xff\r\n\r\n",
        b"(NIL {2}\r\na\xff NIL NIL NIL NIL NIL NIL NIL NIL)",
    );
    check(
        b"Subject: a\rb \"q\" \\\r\n\r\n",
        br#"(NIL "a b \"q\" \\" NIL NIL NIL NIL NIL NIL NIL NIL)"#,
    );
}

#[test]
fn bare_line_feeds_end_lines_too() {
    check(
        b"From: a@x\nSubject: s\n t\n\nTo: b@x\n",
        br#"(NIL "s t" ((NIL NIL "a" "x")) ((NIL NIL "a" "x")) ((NIL NIL "a" "x")) NIL NIL NIL NIL NIL)"#,
    );
}

#[test]
fn the_first_of_two_fields_counts_and_destinations_are_joined() {
    check(
        b"Subject: one\r\nSUBJECT: two\r\nTo: a@x\r\nTo: b@x\r\n\r\n",
        br#"(NIL "one" NIL NIL NIL ((NIL NIL "a" "x")(NIL NIL "b" "x")) NIL NIL NIL NIL)"#,
    );
}

#[test]
fn lines_that_are_no_field_are_passed_over() {
    check(
        b"From nobody Mon Jan  1 00:00:00 2024\nSubject : s\n: no name\nX\n\n",
        br#"(NIL "s" NIL NIL NIL NIL NIL NIL NIL NIL)"#,
    );
}

#[test]
fn the_date_is_read_beside_the_envelope() {
    let sent = Index::of(SAMPLE).sent().unwrap();
    assert_eq!((sent.unix, sent.offset_minutes), (837_595_405, -420));
    assert_eq!((sent.year, sent.month, sent.day), (1996, 7, 17));
    assert_eq!(Index::of(b"Date: soon\r\n\r\n").sent(), None);
    assert_eq!(Index::of(b"\r\nDate: 1 Jan 2024\r\n").sent(), None);
}
