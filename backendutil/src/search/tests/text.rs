//! What text is searched, and how it is decoded.

use super::*;

fn check(mail: &Mail<'_>, table: &[(SearchKey, bool)]) {
    for (key, expected) in table {
        assert_eq!(mail.matches(key), *expected, "{key:?}");
        assert_eq!(mail.matches(&not(key.clone())), !expected, "NOT {key:?}");
    }
}

#[test]
fn headers_are_searched_unfolded_and_without_regard_to_case() {
    // R3501-208, R3501-219, R3501-220, R3501-221, R3501-377
    let mail = Mail::new(
        "From: Ann Lee <ann@x.org>\r\nTo: a@x.org\r\nTo: b@x.org\r\nCC:\r\nX-Any: one\r\n two\r\n\tthree\r\n\
         X-Any: four\r\nSubject: In the\r\n park\r\nX-Empty:\r\nMessage-ID: <1.A@x>\r\n\r\nSubject: body\r\n",
    );
    check(
        &mail,
        &[
            (header("From", "ANN lee <"), true),
            (header("From", "a@x.org"), false),
            (header("to", "a@x.org"), true),
            (header("TO", "B@X.ORG"), true),
            (header("To", "a@x.orgb@x.org"), false),
            (header("Subject", "in the park"), true),
            (header("Subject", "body"), false),
            (header("Message-Id", "<1.a@x>"), true),
            (header("Cc", ""), true),
            (header("Cc", "a"), false),
            (header("Bcc", ""), false),
            (header("Bcc", "a"), false),
            (header("X-ANY", "one two\tthree"), true),
            (header("x-any", "FOUR"), true),
            (header("X-Any", "threefour"), false),
            (header("X-An", ""), false),
            (header("X-Empty", ""), true),
            (header("X-Empty", " "), false),
            (header("X-None", ""), false),
            (header("", ""), false),
        ],
    );
}

#[test]
fn encoded_words_are_decoded_in_every_charset() {
    // R3501-207, R9051-165
    let mail = Mail::new(
        "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= =?UTF-8?q?_aus?= =?iso-8859-1?q?_K=F6ln?=\r\n\
         From: =?koi8-r?B?8NLJ18XULCDNydI=?= <a@x>\r\n\
         X-Jp: =?iso-2022-jp?B?GyRCRnxLXDhsJUYlOSVIGyhC?=\r\n\
         X-Split: =?utf-8?q?na?=\r\n =?utf-8?q?tion?=\r\n\
         X-Raw: gr\u{fc}n\r\n\r\n",
    );
    check(
        &mail,
        &[
            (header("Subject", "GRÜßE AUS KÖLN"), true),
            (header("Subject", "utf-8"), false),
            (header("From", "привет, МИР <"), true),
            (header("X-Jp", "本語テ"), true),
            (header("X-Split", "nation"), true),
            (header("X-Raw", "GRÜN"), true),
        ],
    );
}

#[test]
fn text_is_decoded_from_its_transfer_encoding_and_its_charset() {
    // R3501-207, R3501-222, R9051-165
    let mime = |kind: &str, encoding: &str, body: &[u8]| {
        let head = format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n");
        Mail::new([head.as_bytes(), body].concat())
    };
    let japanese = b"\x1b$BF|K\\8l%F%9%H\x1b(B\r\n";
    let table: &[(Mail<'_>, &str, bool)] = &[
        (
            mime(
                "text/plain; charset=utf-8",
                "base64",
                b"0J/RgNC4\r\n0LLQtdGCLCDQvNC40YA=",
            ),
            "ПРИВЕТ, мир",
            true,
        ),
        (
            mime("text/plain; charset=koi8-r", "base64", b"8NLJ18XU\r\nLCDNydI="),
            "привет, мир",
            true,
        ),
        (
            mime(
                "text/plain; charset=koi8-r",
                "quoted-printable",
                b"=F0=D2=C9=\r\n=D7=C5=D4",
            ),
            "привет",
            true,
        ),
        (
            mime("text/plain; charset=iso-2022-jp", "7bit", japanese),
            "日本語テスト",
            true,
        ),
        (
            mime("text/plain; charset=iso-8859-1", "8bit", b"Gr\xfc\xdfe"),
            "grüße",
            true,
        ),
        (mime("text/plain", "8bit", "Grüße".as_bytes()), "GRÜßE", true),
        (
            mime("text/plain; charset=x-nobody", "8bit", b"plain ascii"),
            "PLAIN",
            true,
        ),
        (
            mime("text/html; charset=utf-8", "quoted-printable", b"<b>over=\r\n due</b>"),
            "overdue",
            false,
        ),
        (
            mime("text/html; charset=utf-8", "quoted-printable", b"<b>over=\r\ndue</b>"),
            "overdue",
            true,
        ),
        (mime("text/plain", "base64", b"aGVsbG8="), "aGVsbG8", false),
        (mime("application/octet-stream", "7bit", b"plain words"), "plain", false),
        (mime("image/svg+xml", "base64", b"aGVsbG8="), "hello", false),
    ];
    for (mail, needle, expected) in table {
        let shown = String::from_utf8_lossy(&mail.octets);
        assert_eq!(mail.matches(&body(needle)), *expected, "{needle:?} in {shown}");
        assert_eq!(mail.matches(&text(needle)), *expected, "{needle:?} in {shown}");
    }
}

#[test]
fn line_ends_stand_for_themselves() {
    let mail = Mail::new("Subject: a\r\n\r\nfirst line\r\nsecond line\r\n");
    check(
        &mail,
        &[
            (body("LINE\r\nSECOND"), true),
            (body("line second"), false),
            (body("first line\r\nsecond line\r\n"), true),
        ],
    );
}

#[test]
fn the_empty_string_is_in_every_message() {
    let mail = Mail::new("\r\n");
    check(
        &mail,
        &[
            (body(""), true),
            (text(""), true),
            (body("a"), false),
            (text("a"), false),
        ],
    );
    check(
        &Mail::new(""),
        &[
            (body(""), true),
            (body("a"), false),
            (text("a"), false),
            (header("To", ""), false),
        ],
    );
}

const NESTED: &str = "Subject: outer\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
    preamble\r\n--b\r\nContent-Type: text/plain\r\nContent-Description: described\r\n\r\nfirst part\r\n--b\r\n\
    Content-Type: message/rfc822\r\nContent-ID: <carrier>\r\n\r\n\
    Subject: =?utf-8?q?inn=C3=A9r?=\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n\
    --c\r\nContent-Type: text/html\r\nContent-Location: deep\r\n\r\n<p>nested text</p>\r\n--c--\r\n--b\r\n\
    Content-Type: message/delivery-status\r\n\r\nAction: failed\r\n--b\r\n\
    Content-Type: image/png; name=picture\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--b--\r\nepilogue\r\n";

#[test]
fn body_is_the_text_of_all_parts_and_messages_within_and_no_header() {
    // R3501-222, R3501-228, R9051-164
    check(
        &Mail::new(NESTED),
        &[
            (body("first part"), true),
            (body("nested text"), true),
            (body("action: failed"), true),
            (body("innér"), false),
            (body("=?utf-8?q?inn"), false),
            (body("outer"), false),
            (body("described"), false),
            (body("<carrier>"), false),
            (body("deep"), false),
            (body("picture"), false),
            (body("hello"), false),
            (body("preamble"), false),
            (body("epilogue"), false),
            (body("--b"), false),
            (body("part\r\n<p>"), false),
        ],
    );
}

#[test]
fn text_is_the_body_and_all_headers_of_parts() {
    // R3501-222, R9051-164
    check(
        &Mail::new(NESTED),
        &[
            (text("first part"), true),
            (text("nested text"), true),
            (text("innér"), true),
            (text("Subject: outer"), true),
            (text("outer\r\nMIME-Version"), true),
            (text("described"), true),
            (text("<carrier>"), true),
            (text("deep"), true),
            (text("name=picture"), true),
            (text("hello"), false),
            (text("preamble"), false),
        ],
    );
}

#[test]
fn text_finds_a_header_both_as_it_stands_there_and_decoded() {
    let mail = Mail::new("Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nX-Fold: one\r\n two\r\n\r\nbody\r\n");
    check(
        &mail,
        &[
            (text("grüße"), true),
            (text("subject: GRÜ"), true),
            (text("=?UTF-8?Q?gr=c3"), true),
            (text("one two"), true),
            (text("one\r\n two\r\n"), true),
            (text("two\r\n\r\nbody"), false),
            (body("grüße"), false),
        ],
    );
}

#[test]
fn keys_that_search_the_same_text_do_not_disturb_each_other() {
    let mail = Mail::new("Subject: alpha\r\nX-Other: gamma\r\n\r\nbeta\r\n");
    let and = |keys: Vec<SearchKey>| SearchKey::And(keys);
    check(
        &mail,
        &[
            (and(vec![body("beta"), text("alpha"), header("X-Other", "gamma")]), true),
            (and(vec![body("alpha"), text("alpha")]), false),
            (and(vec![body("alpha"), text("beta")]), false),
            (
                SearchKey::Or(vec![
                    body("alpha"),
                    header("X-Other", "alpha"),
                    header("Subject", "beta"),
                ]),
                false,
            ),
            (
                and(vec![
                    header("Subject", "ALPHA"),
                    header("subject", "pha"),
                    header("SUBJECT", ""),
                ]),
                true,
            ),
            (
                and(vec![
                    not(body("alpha")),
                    not(text("delta")),
                    not(header("Subject", "gamma")),
                ]),
                true,
            ),
        ],
    );
}
