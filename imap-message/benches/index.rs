//! How fast a message is indexed.

use divan::Bencher;
use divan::counter::BytesCount;
use imap_message::{Index, Indexer};

fn main() {
    divan::main();
}

fn attachment(octets: usize) -> Vec<u8> {
    let line = b"VGhpcyBpcyBhIGxpbmUgb2YgYmFzZTY0IHRleHQgb2Ygc2V2ZW50eSBzaXggb2N0ZXRzLCBhcyB1c3U=\r\n";
    let mut message =
        b"From: a@b\r\nSubject: large\r\nContent-Type: multipart/mixed; boundary=\"=_x\"\r\n\r\n--=_x\r\n\
Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            .to_vec();
    while message.len() < octets {
        message.extend_from_slice(line);
    }
    message.extend_from_slice(b"--=_x--\r\n");
    message
}

/// A message of 25 MiB with one attachment, in pieces of 64 KiB.
#[divan::bench]
fn large_attachment(bencher: Bencher<'_, '_>) {
    let message = attachment(25 * 1024 * 1024);
    bencher.counter(BytesCount::new(message.len())).bench(|| {
        let mut indexer = Indexer::new();
        message.chunks(64 * 1024).for_each(|piece| indexer.push(piece));
        indexer.finish()
    });
}

/// A message of 25 MiB that is one text, in pieces of 64 KiB.
#[divan::bench]
fn large_text(bencher: Bencher<'_, '_>) {
    let message = [
        &b"Subject: text\r\n\r\n"[..],
        &b"A line of text, as people write it.\r\n".repeat(700_000),
    ]
    .concat();
    bencher.counter(BytesCount::new(message.len())).bench(|| {
        let mut indexer = Indexer::new();
        message.chunks(64 * 1024).for_each(|piece| indexer.push(piece));
        indexer.finish()
    });
}

const ORDINARY: &[u8] = b"Return-Path: <a@example.org>\r\nReceived: from a by b with ESMTPS id 1\r\n for <c@d>; Wed, 17 Jul 1996 02:23:25 -0700\r\n\
From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\r\nTo: Terry Gray <gray@example.com>, imap@example.com\r\nSubject: minutes of the meeting\r\n\
Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n\
Content-Type: multipart/alternative; boundary=\"=_x\"\r\n\r\n--=_x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nShort text.\r\n\
--=_x\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>Short text.</p>\r\n--=_x--\r\n";

/// A message with two short texts.
#[divan::bench]
fn ordinary_message() -> Index {
    Index::of(divan::black_box(ORDINARY))
}

/// Opening its stored index.
#[divan::bench]
fn stored_index(bencher: Bencher<'_, '_>) {
    let stored = Index::of(ORDINARY).into_bytes();
    bencher.bench(|| Index::parse(divan::black_box(&stored)).map(|index| index.envelope().len()));
}
