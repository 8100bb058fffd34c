//! Sections, octet for octet, of the message that RFC 3501 6.4.5 gives as its example of part numbers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod common;

use backend_api::SectionText::{All, Header, HeaderFields, HeaderFieldsNot, Mime, Text};
use common::{answer, names, section};
use imap_message::{Index, Resolved};

const TEXT_422: &str =
    "--d\r\nContent-Type: text/plain\r\n\r\n4.2.2.1\r\n--d\r\nContent-Type: text/richtext\r\n\r\n4.2.2.2\r\n--d--";
const HEADER_42: &str = "Subject: inner 4.2\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n";
const HEADER_3: &str = "Subject: inner 3\r\nX-Fold: a\r\n b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
const TEXT_3: &str = "--b\r\n\r\n3.1\r\n\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\n3.2\r\n--b--";
const HEADER: &str = "Subject: outer\r\nFrom: a@b\r\nX-Other: 1\r\nSUBJECT: again,\r\n\tfolded\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n";

fn text_42() -> String {
    format!("--c\r\n\r\n4.2.1\r\n--c\r\nContent-Type: multipart/alternative; boundary=d\r\n\r\n{TEXT_422}\r\n--c--")
}

fn text_4() -> String {
    let text = text_42();
    format!(
        "--e\r\nContent-Type: image/gif\r\nContent-ID: <4.1>\r\n\r\n4.1\r\n--e\r\nContent-Type: message/rfc822\r\n\r\n{HEADER_42}{text}\r\n--e--"
    )
}

fn text() -> String {
    let four = text_4();
    format!(
        "preamble\r\n--a\r\nContent-Type: text/plain\r\n\r\n1\r\n--a\r\nContent-Type: application/octet-stream\r\n\r\n\
2\r\n--a\r\nContent-Type: message/rfc822\r\n\r\n{HEADER_3}{TEXT_3}\r\n--a\r\n\
Content-Type: multipart/mixed; boundary=e\r\n\r\n{four}\r\n--a--\r\nepilogue\r\n"
    )
}

/// R3501-236 to R3501-246, R3501-390 to R3501-393
#[test]
fn every_section_of_the_example_is_its_octets() {
    let message = format!("{HEADER}{}", text());
    let index = Index::of(message.as_bytes());
    let table: [(&str, _, Option<String>); 36] = [
        ("", All, Some(message.clone())),
        ("", Header, Some(HEADER.to_owned())),
        ("", Text, Some(text())),
        ("1", All, Some("1".to_owned())),
        ("1", Mime, Some("Content-Type: text/plain\r\n\r\n".to_owned())),
        ("1", Header, None),
        ("1", Text, None),
        ("1.1", All, None),
        ("2", All, Some("2".to_owned())),
        ("3", All, Some(format!("{HEADER_3}{TEXT_3}"))),
        ("3", Mime, Some("Content-Type: message/rfc822\r\n\r\n".to_owned())),
        ("3", Header, Some(HEADER_3.to_owned())),
        ("3", Text, Some(TEXT_3.to_owned())),
        ("3.1", All, Some("3.1\r\n".to_owned())),
        ("3.1", Mime, Some("\r\n".to_owned())),
        ("3.2", All, Some("3.2".to_owned())),
        ("3.3", All, None),
        ("4", All, Some(text_4())),
        (
            "4",
            Mime,
            Some("Content-Type: multipart/mixed; boundary=e\r\n\r\n".to_owned()),
        ),
        ("4", Header, None),
        ("4", Text, None),
        ("4.1", All, Some("4.1".to_owned())),
        (
            "4.1",
            Mime,
            Some("Content-Type: image/gif\r\nContent-ID: <4.1>\r\n\r\n".to_owned()),
        ),
        ("4.2", All, Some(format!("{HEADER_42}{}", text_42()))),
        ("4.2", Header, Some(HEADER_42.to_owned())),
        ("4.2", Text, Some(text_42())),
        ("4.2.1", All, Some("4.2.1".to_owned())),
        ("4.2.2", All, Some(TEXT_422.to_owned())),
        ("4.2.2.1", All, Some("4.2.2.1".to_owned())),
        ("4.2.2.2", All, Some("4.2.2.2".to_owned())),
        ("4.2.2.2", Mime, Some("Content-Type: text/richtext\r\n\r\n".to_owned())),
        ("4.2.2.3", All, None),
        ("4.2.2.1.1", All, None),
        ("5", All, None),
        ("4294967295", All, None),
        ("3.4294967295.1", Mime, None),
    ];
    for (path, text, expected) in table {
        let found = answer(message.as_bytes(), &index, path, text.clone());
        assert_eq!(
            found.map(|octets| String::from_utf8(octets).unwrap()),
            expected,
            "BODY[{path}.{text:?}]"
        );
    }
}

/// R3501-239, R3501-240, R3501-386, R3501-387
#[test]
fn header_fields_are_picked_from_the_header_that_is_named() {
    let message = format!("{HEADER}{}", text());
    let index = Index::of(message.as_bytes());
    let table = [
        (
            "",
            HeaderFields(names(&["subject", "From"])),
            Some("Subject: outer\r\nFrom: a@b\r\nSUBJECT: again,\r\n\tfolded\r\n\r\n"),
        ),
        (
            "",
            HeaderFields(names(&["X-Other", "FROM"])),
            Some("From: a@b\r\nX-Other: 1\r\n\r\n"),
        ),
        ("", HeaderFields(names(&["To"])), Some("\r\n")),
        (
            "",
            HeaderFieldsNot(names(&["SUBJECT", "content-type"])),
            Some("From: a@b\r\nX-Other: 1\r\n\r\n"),
        ),
        ("3", HeaderFields(names(&["X-FOLD"])), Some("X-Fold: a\r\n b\r\n\r\n")),
        (
            "3",
            HeaderFieldsNot(names(&["X-FOLD", "Content-Type"])),
            Some("Subject: inner 3\r\n\r\n"),
        ),
        (
            "4.2",
            HeaderFields(names(&["Subject"])),
            Some("Subject: inner 4.2\r\n\r\n"),
        ),
        ("1", HeaderFields(names(&["Content-Type"])), None),
        ("4", HeaderFieldsNot(names(&["Content-Type"])), None),
    ];
    for (path, text, expected) in table {
        let found = answer(message.as_bytes(), &index, path, text.clone());
        assert_eq!(found.as_deref(), expected.map(str::as_bytes), "BODY[{path}.{text:?}]");
    }
}

#[test]
fn listed_fields_are_answered_without_the_message() {
    let index = Index::of(HEADER.as_bytes());
    let listed = HeaderFields(names(&["Subject", "to", "List-Anything", "X-Priority"]));
    let expected = b"Subject: outer\r\nSUBJECT: again,\r\n\tfolded\r\n\r\n".to_vec();
    assert_eq!(index.resolve(&section("", listed)), Resolved::Ready(expected));
    let values: Vec<_> = index.header("subject").unwrap().collect();
    assert_eq!(values, [&b" outer"[..], b" again,\r\n\tfolded"]);
    assert!(index.header("X-Other").is_none());
    let lines: Vec<_> = index
        .header_lines()
        .map(|(at, line)| (at, String::from_utf8_lossy(line).into_owned()))
        .collect();
    let expected = [
        (0, "Subject: outer\r\n"),
        (16, "From: a@b\r\n"),
        (39, "SUBJECT: again,\r\n\tfolded\r\n"),
        (65, "Content-Type: multipart/mixed; boundary=a\r\n"),
    ];
    assert_eq!(lines, expected.map(|(at, line)| (at, line.to_owned())));
}

#[test]
fn only_the_headers_of_the_message_itself_are_stored() {
    let index = Index::of(b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nSubject: text\r\n");
    assert_eq!(index.header("Subject").unwrap().count(), 0);
}

/// R3501-242, R3501-392
#[test]
fn a_message_that_is_no_multipart_has_the_part_1() {
    let message = b"Subject: x\r\n\r\ntext\r\n";
    let index = Index::of(message);
    assert_eq!(answer(message, &index, "1", All).unwrap(), b"text\r\n");
    assert_eq!(answer(message, &index, "1", Mime).unwrap(), b"Subject: x\r\n\r\n");
    assert_eq!(answer(message, &index, "2", All), None);
    assert_eq!(answer(message, &index, "1.1", All), None);
    assert_eq!(answer(message, &index, "1", Header), None);
}

#[test]
fn messages_within_messages_are_numbered_1_each() {
    let message =
        b"Content-Type: message/rfc822\r\n\r\nSubject: b\r\nContent-Type: message/rfc822\r\n\r\nSubject: c\r\n\r\ntext";
    let index = Index::of(message);
    let b = &b"Subject: b\r\nContent-Type: message/rfc822\r\n\r\n"[..];
    let c = &b"Subject: c\r\n\r\ntext"[..];
    assert_eq!(answer(message, &index, "1", All).unwrap(), [b, c].concat());
    assert_eq!(answer(message, &index, "1", Header).unwrap(), b);
    assert_eq!(answer(message, &index, "1", Text).unwrap(), c);
    assert_eq!(answer(message, &index, "1.1", All).unwrap(), c);
    assert_eq!(answer(message, &index, "1.1", Mime).unwrap(), b);
    assert_eq!(answer(message, &index, "1.1", Header).unwrap(), b"Subject: c\r\n\r\n");
    assert_eq!(answer(message, &index, "1.1.1", All).unwrap(), b"text");
    assert_eq!(answer(message, &index, "1.1.1.1", All), None);
}

/// R3501-314
#[test]
fn a_message_without_an_empty_line_is_all_header() {
    for message in [&b"Subject: x\r\n"[..], b"Subject: x", b"", b"Subject: x\r\n\r"] {
        let index = Index::of(message);
        assert_eq!(answer(message, &index, "", All).unwrap(), message);
        assert_eq!(answer(message, &index, "", Header).unwrap(), message);
        assert_eq!(answer(message, &index, "", Text).unwrap(), b"");
        assert_eq!(answer(message, &index, "1", All).unwrap(), b"");
    }
    let index = Index::of(b"Subject: x");
    let ready = index.resolve(&section("", HeaderFields(names(&["subject"]))));
    assert_eq!(ready, Resolved::Ready(b"Subject: x\r\n\r\n".to_vec()));
}

#[test]
fn line_ends_are_given_as_they_are() {
    let message = b"Subject: x\nTo: y\r\n\nbody\rwith\0odd\nends";
    let index = Index::of(message);
    assert_eq!(answer(message, &index, "", Header).unwrap(), b"Subject: x\nTo: y\r\n\n");
    assert_eq!(answer(message, &index, "", Text).unwrap(), b"body\rwith\0odd\nends");
    assert_eq!(
        answer(message, &index, "", HeaderFields(names(&["subject"]))).unwrap(),
        b"Subject: x\n\r\n"
    );
}

/// R3501-244
#[test]
fn mime_needs_a_part_number() {
    assert_eq!(
        Index::of(b"A: b\r\n\r\n").resolve(&section("", Mime)),
        Resolved::Missing
    );
}

#[test]
fn parts_are_given_with_type_charset_encoding_and_place() {
    use imap_message::{PartKind, TransferEncoding};
    let message = b"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: Text/HTML; CharSet=\"UTF-8\"\nContent-Transfer-Encoding: Quoted-Printable\n\nx\n--a\n\ny\n--a--\n";
    let index = Index::of(message);
    let found: Vec<_> = index
        .parts()
        .map(|p| {
            (
                p.kind(),
                p.media_type(),
                p.charset().to_vec(),
                p.encoding(),
                p.header(),
                p.body(),
                p.lines(),
            )
        })
        .collect();
    let (html, plain) = (("text", "html"), ("text", "plain"));
    let expected = [
        (
            PartKind::Multipart,
            ("multipart", "mixed"),
            b"".to_vec(),
            TransferEncoding::Identity,
            0..43,
            43..148,
            9,
        ),
        (
            PartKind::Leaf,
            html,
            b"utf-8".to_vec(),
            TransferEncoding::QuotedPrintable,
            47..133,
            133..134,
            1,
        ),
        (
            PartKind::Leaf,
            plain,
            b"us-ascii".to_vec(),
            TransferEncoding::Identity,
            139..140,
            140..141,
            1,
        ),
    ];
    assert_eq!(found, expected);
    assert_eq!(index.leaves().count(), 2);
}

/// The line end in front of a boundary line belongs to it (RFC 2046 5.1.1), also behind a header.
#[test]
fn a_message_part_that_is_all_header_ends_where_its_message_ends() {
    let message = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n--x\r\nX-A: b\r\n--x--\r\n";
    let index = Index::of(message);
    assert_eq!(answer(message, &index, "1", All).unwrap(), b"Subject: y");
    assert_eq!(answer(message, &index, "1", Header).unwrap(), b"Subject: y");
    assert_eq!(answer(message, &index, "1", Text).unwrap(), b"");
    assert_eq!(answer(message, &index, "2", Mime).unwrap(), b"X-A: b\r\n");
    assert_eq!(answer(message, &index, "2", All).unwrap(), b"");
    let message = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\n--x--\r\n";
    let index = Index::of(message);
    assert_eq!(answer(message, &index, "1", All).unwrap(), b"Subject: y\r\n");
    assert_eq!(answer(message, &index, "1", Header).unwrap(), b"Subject: y\r\n");
    assert_eq!(answer(message, &index, "1", Text).unwrap(), b"");
}
