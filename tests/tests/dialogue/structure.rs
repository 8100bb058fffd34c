//! ENVELOPE, BODY and BODYSTRUCTURE (RFC 3501 7.4.2).

use imap_compliance::World;

imap_compliance::claims! {
    every: [
        envelopes_have_addresses_groups_and_nils,
        a_missing_sender_is_the_one_from,
        structures_of_single_parts,
        structures_of_multiparts_with_extension_data,
        structures_of_messages_within,
    ],
    writable: [what_is_missing_is_nil, eight_bit_headers_come_as_literals, children_of_a_digest_are_messages],
}

/// R3501-325, R3501-326, R3501-327, R3501-329, R3501-331, R3501-397, R3501-402, R3501-038, R3501-396
async fn envelopes_have_addresses_groups_and_nils(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r#"C: a FETCH 2 ENVELOPE
           S: * 2 FETCH (ENVELOPE ("Wed, 17 Jul 1996 02:23:25 -0700" "=?ISO-8859-1?Q?Gr=FC=DFe?=" (("Terry \"T\" Gray" NIL "gray" "cac.example")("=?UTF-8?Q?J=C3=BCrgen?=" NIL "j" "example.org")) ((NIL NIL "minutes" "cac.example")) ((NIL NIL "list" "cac.example")) ((NIL NIL "A group" NIL)(NIL NIL "a" "b.example")(NIL NIL "c" "d.example")(NIL NIL NIL NIL)(NIL NIL "bob" "example.org")) NIL NIL "<B27397-0100000@Blurdybloop.example>" "<alt@cac.example>"))
           S: a OK <text>"#,
    )
    .await;
}

/// R3501-328, R3501-330
async fn a_missing_sender_is_the_one_from(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r#"C: a FETCH 3 ENVELOPE
           S: * 3 FETCH (ENVELOPE (NIL "8-bit" ((NIL NIL "a" "b.example")) ((NIL NIL "a" "b.example")) ((NIL NIL "a" "b.example")) NIL NIL NIL NIL NIL))
           S: a OK <text>"#,
    )
    .await;
}

/// R3501-315, R3501-316, R3501-320, R3501-322, R3501-323, R3501-398
async fn structures_of_single_parts(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r#"C: a FETCH 1 (BODY BODYSTRUCTURE)
           S: * 1 FETCH (BODY ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 55 1) BODYSTRUCTURE ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 55 1 NIL NIL NIL NIL))
           S: a OK <text>
           C: b FETCH 3 BODY
           S: * 3 FETCH (BODY ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 10 1))
           S: b OK <text>"#,
    )
    .await;
}

/// R3501-318, R3501-319, R3501-321, R3501-399, R3501-401, R3501-039
async fn structures_of_multiparts_with_extension_data(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r#"C: a FETCH 2 (BODY BODYSTRUCTURE)
           S: * 2 FETCH (BODY (("text" "plain" ("charset" "utf-8") NIL NIL "quoted-printable" 15 1)("text" "html" NIL NIL NIL "7BIT" 11 1) "alternative") BODYSTRUCTURE (("text" "plain" ("charset" "utf-8") NIL NIL "quoted-printable" 15 1 NIL NIL NIL NIL)("text" "html" NIL NIL NIL "7BIT" 11 1 NIL ("inline" ("filename" "a.html")) "de" NIL) "alternative" ("boundary" "b1" "charset" "x") NIL NIL NIL))
           S: a OK <text>"#,
    )
    .await;
}

/// R3501-317
async fn structures_of_messages_within(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r#"C: a FETCH 4 BODY
           S: * 4 FETCH (BODY (("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 9 1)("message" "rfc822" NIL NIL "the original" "7BIT" 183 (NIL "inner" ((NIL NIL "e" "f.example")) ((NIL NIL "e" "f.example")) ((NIL NIL "e" "f.example")) NIL NIL NIL NIL NIL) (("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 10 1)("image" "png" NIL NIL NIL "base64" 4) "mixed") 13) "mixed"))
           S: a OK <text>"#,
    )
    .await;
}

/// R3501-328, R3501-329, R3501-330
async fn what_is_missing_is_nil(world: World) {
    let mut c = world.selected().await;
    c.talks(
        r#"C: a APPEND INBOX {12+}\r\nSubject:\r\n\r\n
           S: * 5 EXISTS
           S: * 1 RECENT
           S: a OK [APPENDUID <v> 8] <text>
           C: b FETCH 5 ENVELOPE
           S: * 5 FETCH (ENVELOPE (NIL "" NIL NIL NIL NIL NIL NIL NIL NIL))
           S: b OK <text>"#,
    )
    .await;
}

/// R3501-054, R3501-313
async fn eight_bit_headers_come_as_literals(world: World) {
    let mut c = world.selected().await;
    c.says("a APPEND INBOX {16+}\r\nSubject: Gr\u{fc}n\r\n".as_bytes())
        .await;
    c.hears("* 5 EXISTS\n * 1 RECENT\n a OK [APPENDUID <v> 8] <text>").await;
    c.says("b FETCH 5 ENVELOPE").await;
    c.hears_octets("* 5 FETCH (ENVELOPE (NIL {5}\r\nGr\u{fc}n NIL NIL NIL NIL NIL NIL NIL NIL))".as_bytes())
        .await;
    c.hears("b OK <text>").await;
}

/// R3501-324, R3501-231
async fn children_of_a_digest_are_messages(world: World) {
    let mut c = world.selected().await;
    let digest = "Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\nFrom: a@b.example\r\n\r\nx\r\n--d--\r\n";
    c.says(format!("a APPEND INBOX {{{}+}}\r\n{digest}", digest.len()))
        .await;
    c.hears("* 5 EXISTS\n * 1 RECENT\n a OK [APPENDUID <v> 8] <text>").await;
    for tag in ["b", "c"] {
        c.says(format!("{tag} FETCH 5 BODY")).await;
        c.hears(&format!(
            r#"* 5 FETCH (BODY (("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 22 (NIL NIL ((NIL NIL "a" "b.example")) ((NIL NIL "a" "b.example")) ((NIL NIL "a" "b.example")) NIL NIL NIL NIL NIL) ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 1 1) 3) "digest"))
               {tag} OK <text>"#
        ))
        .await;
    }
}
