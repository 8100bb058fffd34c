//! Body sections of FETCH (RFC 3501 6.4.5), each compared octet for octet.

use imap_compliance::world::{ALTERNATIVE, FORWARDED, LATIN, PLAIN};
use imap_compliance::{Client, World};

imap_compliance::claims! {
    every: [
        the_whole_its_header_and_its_text,
        header_fields_and_all_others,
        parts_by_their_numbers,
        parts_of_a_message_within,
        mime_headers_of_parts,
        partial_ranges,
        parts_that_are_not_there_are_nil,
        labels_repeat_the_request,
    ],
}

/// The header of a message with its empty line, and its body.
fn halves(message: &[u8]) -> (&[u8], &[u8]) {
    let end = message.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    message.split_at(end)
}

/// What lies between two texts.
fn between<'a>(message: &'a [u8], from: &str, to: &str) -> &'a [u8] {
    let find = |text: &str, at: usize| {
        message[at..]
            .windows(text.len())
            .position(|w| w == text.as_bytes())
            .unwrap()
            + at
    };
    let start = find(from, 0) + from.len();
    &message[start..find(to, start)]
}

async fn is(c: &mut Client, seq: u32, request: &str, label: &str, octets: &[u8]) {
    c.says(format!("a FETCH {seq} {request}")).await;
    let mut expected = format!("* {seq} FETCH ({label} {{{}}}\r\n", octets.len()).into_bytes();
    expected.extend_from_slice(octets);
    expected.push(b')');
    c.hears_octets(&expected).await;
    c.hears("a OK <text>").await;
}

async fn examined(world: &World) -> Client {
    let mut c = world.login().await;
    c.says("a EXAMINE INBOX").await;
    c.hears(&world.selected_lines("a", "READ-ONLY")).await;
    c
}

/// R3501-236, R3501-237, R3501-238, R3501-252, R3501-253, R3501-312, R3501-314
async fn the_whole_its_header_and_its_text(world: World) {
    let mut c = examined(&world).await;
    for (seq, message) in (1..).zip([PLAIN, ALTERNATIVE, LATIN, FORWARDED]) {
        let (header, text) = halves(message);
        is(&mut c, seq, "BODY[]", "BODY[]", message).await;
        is(&mut c, seq, "BODY.PEEK[]", "BODY[]", message).await;
        is(&mut c, seq, "RFC822", "RFC822", message).await;
        is(&mut c, seq, "BODY[HEADER]", "BODY[HEADER]", header).await;
        is(&mut c, seq, "RFC822.HEADER", "RFC822.HEADER", header).await;
        is(&mut c, seq, "BODY[TEXT]", "BODY[TEXT]", text).await;
        is(&mut c, seq, "RFC822.TEXT", "RFC822.TEXT", text).await;
    }
}

/// R3501-239, R3501-240, R3501-386, R3501-387
async fn header_fields_and_all_others(world: World) {
    let mut c = examined(&world).await;
    let fields = |names: &str| format!("BODY[HEADER.FIELDS ({names})]");
    is(
        &mut c,
        3,
        &fields("x-note SUBJECT"),
        &fields("x-note SUBJECT"),
        b"Subject: 8-bit\r\nX-Note: one\r\nX-Note: two\r\n\tfolded\r\n\r\n",
    )
    .await;
    is(&mut c, 3, &fields("Nothing"), &fields("Nothing"), b"\r\n").await;
    is(
        &mut c,
        3,
        "BODY.PEEK[HEADER.FIELDS.NOT (X-Note From)]",
        "BODY[HEADER.FIELDS.NOT (X-Note From)]",
        b"Subject: 8-bit\r\n\r\n",
    )
    .await;
}

/// R3501-241, R3501-242, R3501-394, R3501-393
async fn parts_by_their_numbers(world: World) {
    let mut c = examined(&world).await;
    is(&mut c, 1, "BODY[1]", "BODY[1]", halves(PLAIN).1).await;
    is(&mut c, 2, "BODY[1]", "BODY[1]", b"Gr=C3=BC=C3=9Fe").await;
    is(&mut c, 2, "BODY[2]", "BODY[2]", b"<p>hi</p>\r\n").await;
    is(&mut c, 3, "BODY[1]", "BODY[1]", b"na\xefve caf\xe9").await;
    is(&mut c, 4, "BODY[1]", "BODY[1]", b"see below").await;
}

/// R3501-243, R3501-245, R3501-391, R3501-392
async fn parts_of_a_message_within(world: World) {
    let mut c = examined(&world).await;
    let inner = between(FORWARDED, "the original\r\n\r\n", "\r\n--out--");
    let (header, text) = halves(inner);
    is(&mut c, 4, "BODY[2]", "BODY[2]", inner).await;
    is(&mut c, 4, "BODY[2.HEADER]", "BODY[2.HEADER]", header).await;
    is(&mut c, 4, "BODY[2.TEXT]", "BODY[2.TEXT]", text).await;
    is(&mut c, 4, "BODY[2.1]", "BODY[2.1]", b"inner text").await;
    is(&mut c, 4, "BODY[2.2]", "BODY[2.2]", b"AAEC").await;
    is(
        &mut c,
        4,
        "BODY[2.HEADER.FIELDS (Subject)]",
        "BODY[2.HEADER.FIELDS (Subject)]",
        b"Subject: inner\r\n\r\n",
    )
    .await;
}

/// R3501-246
async fn mime_headers_of_parts(world: World) {
    let mut c = examined(&world).await;
    is(
        &mut c,
        4,
        "BODY[2.MIME]",
        "BODY[2.MIME]",
        b"Content-Type: message/rfc822\r\nContent-Description: the original\r\n\r\n",
    )
    .await;
    is(&mut c, 4, "BODY[1.MIME]", "BODY[1.MIME]", b"\r\n").await;
    is(
        &mut c,
        4,
        "BODY[2.2.MIME]",
        "BODY[2.2.MIME]",
        b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n",
    )
    .await;
}

/// R3501-247, R3501-248, R3501-311, R3501-388, R3501-389
async fn partial_ranges(world: World) {
    let mut c = examined(&world).await;
    is(&mut c, 1, "BODY[]<5.10>", "BODY[]<5>", &PLAIN[5..15]).await;
    is(&mut c, 1, "BODY[]<0.4294967295>", "BODY[]<0>", PLAIN).await;
    is(&mut c, 1, "BODY[]<100000.10>", "BODY[]<100000>", b"").await;
    is(&mut c, 3, "BODY[1]<2.3>", "BODY[1]<2>", b"\xefve").await;
    is(
        &mut c,
        3,
        "BODY[HEADER.FIELDS (Subject)]<9.5>",
        "BODY[HEADER.FIELDS (Subject)]<9>",
        b"8-bit",
    )
    .await;
    let mut whole = Vec::new();
    for (i, piece) in ALTERNATIVE.chunks(7).enumerate() {
        is(
            &mut c,
            2,
            &format!("BODY[]<{}.7>", i * 7),
            &format!("BODY[]<{}>", i * 7),
            piece,
        )
        .await;
        whole.extend_from_slice(piece);
    }
    assert_eq!(whole, ALTERNATIVE);
}

/// R3501-255, R3501-390
async fn parts_that_are_not_there_are_nil(world: World) {
    let mut c = examined(&world).await;
    for section in ["2", "1.1", "3.MIME", "1.HEADER", "1.TEXT"] {
        c.says(format!("a FETCH 1 BODY[{section}]")).await;
        c.hears(&format!("* 1 FETCH (BODY[{section}] NIL)\n a OK <text>")).await;
    }
}

/// R3501-385, R3501-384
async fn labels_repeat_the_request(world: World) {
    let mut c = examined(&world).await;
    is(
        &mut c,
        3,
        "BODY[HEADER.FIELDS (\"Subject\" {4+}\r\nFrom)]",
        "BODY[HEADER.FIELDS (Subject From)]",
        b"From: a@b.example\r\nSubject: 8-bit\r\n\r\n",
    )
    .await;
    c.talks("C: b FETCH 2 (BODY[1]<0.2> BODY[1]<2.2>)\n S: * 2 FETCH (BODY[1]<0> {2}\\r\\nGr BODY[1]<2> {2}\\r\\n=C)\n S: b OK <text>").await;
}
