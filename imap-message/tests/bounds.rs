//! What a message costs that is larger or deeper than any honest one, and that its answers stay well formed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod common;

use std::fmt::Write;

use backend_api::SectionText::{All, HeaderFields};
use common::grammar::{self, Body};
use common::{answer, names, section};
use imap_message::limits::{MAX_DEPTH, MAX_PARTS, MAX_STORED_HEADER};
use imap_message::{Index, Indexer, Resolved};

#[track_caller]
fn well_formed(index: &Index) -> Body {
    grammar::envelope(index.envelope());
    let body = grammar::body(index.body(), false, false);
    assert_eq!(grammar::body(index.body_structure(), true, false), body);
    body
}

fn depth(body: &Body) -> usize {
    match body {
        Body::Multipart { parts, .. } => 1 + parts.iter().map(depth).max().unwrap_or(0),
        Body::Single { message, .. } => 1 + message.as_deref().map_or(0, depth),
    }
}

#[test]
fn an_ordinary_message_has_a_small_index() {
    let header = "From: Terry Gray <gray@cac.washington.edu>\r\nTo: imap@cac.washington.edu\r\nSubject: minutes\r\n\
Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\nMessage-Id: <B27397-0100000@cac.washington.edu>\r\n\
Content-Type: multipart/mixed; boundary=\"=_x\"\r\n\r\n";
    let mut message = header.to_owned();
    for kind in [
        "text/plain; charset=utf-8",
        "text/html; charset=utf-8",
        "application/pdf; name=minutes.pdf",
    ] {
        write!(
            message,
            "--=_x\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n"
        )
        .unwrap();
    }
    message.push_str("--=_x--\r\n");
    let index = Index::of(message.as_bytes());
    let beyond = index.as_bytes().len() - header.len();
    assert!(beyond < 1500, "{beyond} octets beyond the headers");
}

#[test]
fn the_index_does_not_grow_with_the_message() {
    let mut indexer = Indexer::new();
    indexer.push(b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\n");
    let piece =
        b"VGhpcyBpcyBhIGxpbmUgb2YgYmFzZTY0IHRleHQgb2Ygc2V2ZW50eSBzaXggb2N0ZXRzLCBhcyB1c3VhbA==\r\n".repeat(1000);
    for _ in 0..200 {
        indexer.push(&piece);
    }
    indexer.push(b"--x--\r\n");
    let index = indexer.finish();
    assert!(index.as_bytes().len() < 600, "{}", index.as_bytes().len());
    assert_eq!(index.leaves().map(|part| part.lines()).collect::<Vec<_>>(), [200_000]);
}

#[test]
fn nesting_is_bounded_and_the_deepest_part_is_opaque() {
    let messages = "Content-Type: message/rfc822\n\n".repeat(1000);
    let multiparts = (0..1000)
        .map(|n| format!("Content-Type: multipart/x; boundary=b{n}\n\n--b{n}\n"))
        .collect();
    for message in [messages, multiparts] {
        let index = Index::of(message.as_bytes());
        let body = well_formed(&index);
        assert_eq!(depth(&body), MAX_DEPTH);
        assert_eq!(index.parts().count(), MAX_DEPTH);
        let deepest = index.leaves().next().unwrap();
        assert_eq!(deepest.media_type(), ("application", "octet-stream"));
        assert_eq!(deepest.body().end, message.len() as u64);
    }
}

#[test]
fn ten_thousand_parts_are_all_there() {
    let mut message = "Content-Type: multipart/mixed; boundary=x\r\n\r\n".to_owned();
    for number in 1..MAX_PARTS {
        write!(message, "--x\r\nContent-Type: text/plain\r\n\r\npart {number}\r\n").unwrap();
    }
    message.push_str("--x--\r\n");
    let index = Index::of(message.as_bytes());
    let Body::Multipart { parts, .. } = well_formed(&index) else {
        panic!("no multipart")
    };
    assert_eq!(parts.len(), MAX_PARTS - 1);
    assert_eq!(answer(message.as_bytes(), &index, "9998", All).unwrap(), b"part 9998");
}

#[test]
fn what_follows_the_last_part_within_the_bounds_belongs_to_it() {
    let header = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n";
    let part = b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\ny\r\n";
    let message = [&header[..], &part.repeat(MAX_PARTS * 2), b"--x--\r\n"].concat();
    let index = Index::of(&message);
    well_formed(&index);
    // Every multipart of these has an empty part of its own, but the last, which is a leaf.
    let last = index.parts().last().unwrap();
    assert_eq!(last.media_type(), ("application", "octet-stream"));
    assert_eq!(last.body().end, message.len() as u64);
}

#[test]
fn descriptions_beyond_the_bounds_are_cut_to_type_encoding_and_size() {
    let header = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n";
    let name = "n".repeat(4000);
    let part =
        format!("--x\r\nContent-Type: text/html; name={name}\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n");
    let message = [&header[..], &part.repeat(9000).into_bytes(), b"--x--\r\n"].concat();
    let index = Index::of(&message);
    let Body::Multipart { parts, .. } = well_formed(&index) else {
        panic!("no multipart")
    };
    assert_eq!(parts.len(), 9000);
    let single = |part: &Body| match part {
        Body::Single {
            kind,
            encoding,
            octets,
            lines,
            ..
        } => (kind.clone(), encoding.clone(), *octets, *lines),
        Body::Multipart { .. } => panic!("no single part"),
    };
    let expected = (b"text".to_vec(), b"base64".to_vec(), 4, Some(1));
    assert!(parts.iter().all(|part| single(part) == expected));
    assert!(index.as_bytes().len() < 6 * 1024 * 1024, "{}", index.as_bytes().len());
}

#[test]
fn a_header_of_a_megabyte_is_read_and_its_long_fields_are_cut() {
    let subject = "s".repeat(1024 * 1024);
    let header = format!("From: a@b\r\nSubject: {subject}\r\nTo: c@d\r\n\r\n");
    let index = Index::of(header.as_bytes());
    well_formed(&index);
    assert!(index.as_bytes().len() < 70 * 1024);
    let whole = format!("Subject: {subject}\r\n\r\n").into_bytes();
    assert_eq!(
        answer(header.as_bytes(), &index, "", HeaderFields(names(&["subject"]))).unwrap(),
        whole
    );
    let ready = index.resolve(&section("", HeaderFields(names(&["To", "From"]))));
    assert_eq!(ready, Resolved::Ready(b"From: a@b\r\nTo: c@d\r\n\r\n".to_vec()));
    assert!(index.header("Subject").is_none());
}

#[test]
fn a_hundred_thousand_fields_are_read() {
    let mut header = "List-Id: x\r\nX-A: y\r\nTo: a@b\r\n".repeat(100_000);
    header.push_str("Subject: end\r\n\r\n");
    let index = Index::of(header.as_bytes());
    well_formed(&index);
    assert!(index.header_lines().map(|(_, line)| line.len()).sum::<usize>() <= MAX_STORED_HEADER);
    assert_eq!(
        answer(header.as_bytes(), &index, "", HeaderFields(names(&["Subject"]))).unwrap(),
        b"Subject: end\r\n\r\n"
    );
    let lists = b"List-Id: x\r\n".repeat(100_000);
    let found = answer(header.as_bytes(), &index, "", HeaderFields(names(&["List-Id"]))).unwrap();
    assert_eq!(found, [&lists[..], b"\r\n"].concat());
}

/// Each of these would take minutes if any octet were looked at again and again.
#[test]
fn hostile_repetitions_are_read_to_their_end() {
    let comments = "(".repeat(500_000);
    let quotes = "\"\\".repeat(250_000);
    let parameters = ";a*0=b;a*1=c".repeat(50_000);
    let words = "=?utf-8?q?".repeat(50_000);
    let nested: String = (0..90).fold(String::new(), |mut all, number| {
        write!(
            all,
            "Content-Type: multipart/x; boundary=b{number:03}\n\n--b{number:03}\n"
        )
        .unwrap();
        all
    });
    let messages = [
        format!("From: {comments}\r\n\r\n"),
        format!("From: {quotes}\r\n\r\n"),
        format!("To: {}\r\n\r\n", "a:".repeat(250_000)),
        format!("To: {}\r\n\r\n", "<@a,@b:".repeat(100_000)),
        format!("Content-Type: text/plain{parameters}\r\n\r\n"),
        format!("Subject: {words}\r\n\r\n"),
        format!("Subject: x\r\n{}", " x\r\n".repeat(250_000)),
        format!("Content-Type: multipart/x; boundary=x\n\n{}", "--\n-\n".repeat(200_000)),
        format!("{nested}\n{}", "--b0xx\n".repeat(150_000)),
        format!("{nested}{}", "--b000\n".repeat(150_000)),
    ];
    for message in messages {
        let mut indexer = Indexer::new();
        message.as_bytes().chunks(7).for_each(|piece| indexer.push(piece));
        let index = indexer.finish();
        imap_message::decode_header(message.as_bytes());
        well_formed(&index);
    }
}
