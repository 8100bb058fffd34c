//! What holds for any octets: no panic, the same index for any pieces, well-formed answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod common;

use backend_api::SectionText::{All, HeaderFields, HeaderFieldsNot};
use common::grammar::{self, Body};
use common::{answer, in_pieces, names, section};
use imap_message::{HeaderFilter, Index, PartKind, Resolved, TextDecoder, TransferDecoder, decode_header};
use proptest::prelude::*;

/// Lines out of which hostile messages are put together.
const LINES: [&str; 36] = [
    "",
    "",
    "",
    "text",
    "--",
    "-",
    "--a",
    "--a",
    "--a--",
    "--a  ",
    "--ab",
    "--ab",
    "--ab--",
    "--a----",
    "--a--x",
    " continued; boundary=a",
    "\t(comment",
    "Content-Type: multipart/mixed; boundary=a",
    "Content-Type: multipart/mixed; boundary=\"ab\"",
    "Content-Type: multipart/digest; boundary=ab",
    "Content-Type: multipart/mixed; boundary=\"a--\"",
    "Content-Type: multipart/mixed",
    "Content-Type: message/rfc822",
    "Content-Type: message/rfc822",
    "Content-Type: message/global",
    "Content-Type: text/plain; charset=\"\u{fc}\"; name*0=a; name*1*=b",
    "Content-Type: /",
    "Content-Transfer-Encoding: base64",
    "Content-Disposition: attachment; filename=\"a\0b\"",
    "Content-Language: a, b, (c), \"d",
    "From: A \"b <c@d>, g: <@r:x@y>; e@[f",
    "To: \u{e9}t\u{e9} <a@b> (c",
    "Subject: =?utf-8?q?a?= \"q\" \\",
    "Date: Wed, 17 Jul 1996 02:23:25 -0700",
    "Message-ID: <x\ry>",
    "no colon",
];

fn message() -> impl Strategy<Value = Vec<u8>> {
    let line = (
        0..LINES.len(),
        prop_oneof![6 => Just("\r\n"), 3 => Just("\n"), 1 => Just("\r"), 1 => Just("")],
    );
    let start = prop::sample::select(vec![
        "",
        "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n",
        "Content-Type: multipart/digest; boundary=a\n\n--a\n\nContent-Type: multipart/mixed; boundary=ab\n\n--ab\n",
        "Content-Type: message/rfc822\r\n\r\n",
    ]);
    (start, proptest::collection::vec(line, 0..40)).prop_map(|(start, lines)| {
        let lines = lines
            .iter()
            .flat_map(|(line, end)| [LINES[*line], *end].concat().into_bytes());
        start.bytes().chain(lines).collect()
    })
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    let alphabet = prop::sample::select(b"\r\n\r\n--ab: \t;=\"\\()<>@,\0\xff?".to_vec());
    prop_oneof![
        message(),
        proptest::collection::vec(alphabet, 0..200),
        proptest::collection::vec(any::<u8>(), 0..200)
    ]
}

/// Everything that can be said of the index of any octets.
fn check(message: &[u8], index: &Index) {
    assert_eq!(index.size(), message.len() as u64);
    grammar::envelope(index.envelope());
    let body = grammar::body(index.body(), false, false);
    assert_eq!(grammar::body(index.body_structure(), true, false), body);
    let rev2 = grammar::body(index.body_rev2(), false, true);
    assert_eq!(grammar::body(index.body_structure_rev2(), true, true), rev2);
    check_sizes(message, index, &rev2, "", true);
    check_places(index, message.len() as u64);
    check_fields(message, index);
}

/// The sizes and lines of the structure are those of the sections.
fn check_sizes(message: &[u8], index: &Index, body: &Body, path: &str, is_message: bool) {
    let below = |number: usize| {
        if path.is_empty() {
            number.to_string()
        } else {
            format!("{path}.{number}")
        }
    };
    match body {
        Body::Multipart { parts, .. } => {
            for (number, part) in parts.iter().enumerate() {
                check_sizes(message, index, part, &below(number + 1), false);
            }
            assert_eq!(answer(message, index, &below(parts.len() + 1), All), None);
        }
        Body::Single {
            octets,
            lines,
            message: inner,
            ..
        } => {
            let own = if is_message { below(1) } else { path.to_owned() };
            let text = answer(message, index, &own, All).expect("a part of the structure");
            assert_eq!(text.len() as u64, *octets, "BODY[{own}]");
            if let Some(lines) = lines {
                assert_eq!(
                    count_lines(&text),
                    *lines,
                    "BODY[{own}] {:?}",
                    String::from_utf8_lossy(&text)
                );
            }
            if let Some(inner) = inner {
                check_sizes(message, index, inner, &own, true);
            }
        }
    }
}

fn count_lines(text: &[u8]) -> u64 {
    let ended = text.iter().filter(|&&octet| octet == b'\n').count() as u64;
    ended + u64::from(!text.is_empty() && !text.ends_with(b"\n"))
}

fn check_places(index: &Index, size: u64) {
    let mut before = 0;
    for (part, carried) in index.parts().zip(index.parts().skip(1)) {
        if part.kind() == PartKind::Message {
            assert_eq!(
                part.body(),
                carried.header().start..carried.body().end,
                "a message part is its message"
            );
        }
    }
    for part in index.parts() {
        assert!(part.header().start >= before, "parts are in the order of their headers");
        before = part.header().start;
        assert!(part.header().end == part.body().start && part.body().start <= part.body().end);
        assert!(part.body().end <= size);
    }
}

/// What is answered from the index is what the header holds.
fn check_fields(message: &[u8], index: &Index) {
    let header = index.parts().next().expect("the message").header();
    let header = &message[header.start as usize..header.end as usize];
    for listed in [
        &["From", "content-type"][..],
        &["subject", "To", "Message-ID"],
        &["no colon"],
    ] {
        let found = answer(message, index, "", HeaderFields(names(listed))).unwrap();
        assert_eq!(found, HeaderFilter::fields(listed).filter(header));
        let found = answer(message, index, "", HeaderFieldsNot(names(listed))).unwrap();
        assert_eq!(found, HeaderFilter::fields_not(listed).filter(header));
    }
    let ready = index.resolve(&section("", HeaderFields(names(&["From"]))));
    assert!(matches!(ready, Resolved::Ready(_)), "From is stored");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_octets_have_a_well_formed_index(message in octets()) {
        check(&message, &Index::of(&message));
    }

    #[test]
    fn the_index_does_not_depend_on_the_pieces(message in octets(), sizes in prop::collection::vec(1usize..12, 1..8)) {
        let whole = Index::of(&message);
        let pieces = in_pieces(&message, &sizes);
        prop_assert_eq!(whole.as_bytes(), pieces.as_bytes());
    }

    #[test]
    fn a_stored_index_is_read_back(message in octets()) {
        let index = Index::of(&message);
        let read = Index::parse(index.as_bytes()).unwrap();
        prop_assert_eq!(read.envelope(), index.envelope());
        prop_assert_eq!(read.body(), index.body());
        prop_assert_eq!(read.body_structure(), index.body_structure());
        prop_assert_eq!(read.sent(), index.sent());
        prop_assert_eq!(read.size(), index.size());
        prop_assert_eq!(read.parts().collect::<Vec<_>>(), index.parts().collect::<Vec<_>>());
    }

    #[test]
    fn a_damaged_index_is_refused(message in octets(), at in any::<prop::sample::Index>(), flip in 1u8..) {
        let mut stored = Index::of(&message).into_bytes();
        let at = at.index(stored.len());
        stored[at] ^= flip;
        prop_assert!(Index::parse(&stored).is_err(), "octet {}", at);
        stored[at] ^= flip;
        stored.truncate(at);
        prop_assert!(Index::parse(&stored).is_err(), "cut at {}", at);
    }

    #[test]
    fn any_octets_can_be_asked_to_be_an_index(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Index::parse(&octets).is_err());
    }

    #[test]
    fn any_header_text_can_be_decoded(raw in octets()) {
        decode_header(&raw);
    }

    #[test]
    fn any_body_is_decoded_the_same_in_any_pieces(
        body in octets(),
        charset in prop::sample::select(vec!["", "utf-8", "iso-8859-1", "shift_jis", "iso-2022-jp", "utf-16", "gb18030", "x"]),
        encoding in prop::sample::select(vec!["7bit", "base64", "quoted-printable", "x-uuencode"]),
        size in 1usize..9,
    ) {
        let encoding = imap_message::TransferEncoding::named(encoding.as_bytes());
        let decode = |size: usize| {
            let (mut text, mut decoder) = (String::new(), TextDecoder::new(encoding, charset.as_bytes()));
            let (mut octets, mut transfer) = (Vec::new(), TransferDecoder::new(encoding));
            for piece in body.chunks(size) {
                decoder.push(piece, &mut text);
                transfer.push(piece, &mut octets);
            }
            decoder.finish(&mut text);
            transfer.finish(&mut octets);
            (text, octets)
        };
        prop_assert_eq!(decode(size), decode(1000));
    }
}

#[test]
fn an_index_of_another_version_is_named_as_such() {
    let mut stored = Index::of(b"A: b\r\n\r\n").into_bytes();
    stored[3] += 1;
    assert_eq!(Index::parse(stored).unwrap_err(), imap_message::IndexError::Version);
}
