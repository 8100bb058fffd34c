//! What every command and every row of a FETCH pays for.

use backend_api::{BodySection, DateTime, Flags, Section, SectionText, Seq, SystemFlag, Uid};
use divan::{Bencher, black_box, counter::ItemsCount};
use imap_core::{Answer, Config, Connection, Event};
use imap_message::{Index, Resolved};

fn main() {
    divan::main();
}

/// Rows or commands in one measured round.
const ROUND: u32 = 1_000;

fn selected() -> Connection {
    let mut core = Connection::new(Config::default(), true, false);
    core.set_authenticated();
    core.set_selected(false, u32::MAX);
    core
}

fn commands(bencher: Bencher<'_, '_>, line: &str) {
    let mut core = selected();
    let octets = line.repeat(ROUND as usize);
    bencher.counter(ItemsCount::new(ROUND)).bench_local(|| {
        core.input().extend_from_slice(octets.as_bytes());
        while let Event::Command { tag, command } = core.next_event() {
            black_box(&command);
            core.complete(&tag, &Answer::ok("done"));
        }
        core.output().clear();
    });
}

#[divan::bench]
fn noop(bencher: Bencher<'_, '_>) {
    commands(bencher, "a0001 NOOP\r\n");
}

/// Finding where a command ends, and no more: what is not known is refused at its name, and its literal thrown away.
#[divan::bench]
fn framing(bencher: Bencher<'_, '_>) {
    let line = format!(
        "a0001 XYZZY {{500+}}\r\n{}\r\n",
        "a line of twenty six octets".repeat(20).split_at(500).0
    );
    let mut config = Config::default();
    // Thrown away as often as it comes.
    config.limits.after_login.bad_commands = u32::MAX;
    let mut core = Connection::new(config, true, false);
    core.set_authenticated();
    core.set_selected(false, u32::MAX);
    let octets = line.repeat(ROUND as usize);
    bencher.counter(ItemsCount::new(ROUND)).bench_local(|| {
        core.input().extend_from_slice(octets.as_bytes());
        let mut refused = 0;
        while let Event::Refused { reason, .. } = core.next_event() {
            black_box(&reason);
            refused += 1;
        }
        assert_eq!(refused, ROUND);
        core.output().clear();
    });
}

#[divan::bench]
fn uid_fetch(bencher: Bencher<'_, '_>) {
    commands(bencher, "a0001 UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE)\r\n");
}

#[divan::bench]
fn store(bencher: Bencher<'_, '_>) {
    commands(bencher, "a0001 UID STORE 1:100 +FLAGS.SILENT (\\Seen)\r\n");
}

#[divan::bench]
fn search(bencher: Bencher<'_, '_>) {
    commands(bencher, "a0001 UID SEARCH UNSEEN SINCE 1-Feb-2020 FROM \"fred\"\r\n");
}

/// A set of 50,000 ranges, which takes half a megabyte, in one command.
#[divan::bench]
fn large_set(bencher: Bencher<'_, '_>) {
    let set: Vec<String> = (0..50_000).map(|i| format!("{}:{}", i * 10 + 1, i * 10 + 5)).collect();
    let line = format!("a UID FETCH {} FLAGS\r\n", set.join(","));
    let mut core = selected();
    bencher
        .counter(divan::counter::BytesCount::of_str(&line))
        .bench_local(|| {
            core.input().extend_from_slice(line.as_bytes());
            if let Event::Command { tag, .. } = core.next_event() {
                core.complete(&tag, &Answer::ok("done"));
            }
            core.output().clear();
        });
}

fn rows(bencher: Bencher<'_, '_>, with_uid: bool, row: impl Fn(&mut imap_core::Writer)) {
    let mut core = selected();
    bencher.counter(ItemsCount::new(ROUND)).bench_local(|| {
        let writer = core.writer();
        for n in 1_000_000..1_000_000 + ROUND {
            if let (Some(seq), Some(uid)) = (Seq::new(n), Uid::new(n + 5)) {
                writer.fetch_begin(seq, uid, with_uid);
                row(writer);
                writer.fetch_end();
            }
        }
        core.output().clear();
        core.set_selected(false, u32::MAX);
    });
}

#[divan::bench]
fn row_of_flags(bencher: Bencher<'_, '_>) {
    let flags = Flags::SEEN.with(SystemFlag::Answered);
    rows(bencher, false, |w| w.fetch_flags(&flags, false));
}

#[divan::bench]
fn row_of_uid_and_flags(bencher: Bencher<'_, '_>) {
    let flags = Flags::SEEN.with(SystemFlag::Answered);
    rows(bencher, true, |w| w.fetch_flags(&flags, false));
}

#[divan::bench]
fn row_of_uid_flags_date_and_size(bencher: Bencher<'_, '_>) {
    let flags = Flags::SEEN.with(SystemFlag::Answered);
    let date = DateTime::new(1_580_000_000, 60);
    rows(bencher, true, |w| {
        w.fetch_flags(&flags, false);
        w.fetch_internal_date(date);
        w.fetch_rfc822_size(123_456);
    });
}

const MESSAGE: &[u8] = b"Return-Path: <a@example.org>\r\nFrom: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\r\n\
To: Terry Gray <gray@example.com>, imap@example.com\r\nSubject: minutes of the meeting\r\n\
Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n\
Content-Type: multipart/alternative; boundary=\"=_x\"\r\n\r\n--=_x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
Short text.\r\n--=_x\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
<p>Short text.</p>\r\n--=_x--\r\n";

/// Rows from an index as a store keeps it.
fn rows_of_index(bencher: Bencher<'_, '_>, row: impl Fn(&mut imap_core::Writer, &Index<&[u8]>)) {
    let stored = Index::of(MESSAGE).into_bytes();
    rows(bencher, true, |w| {
        if let Ok(index) = Index::parse(black_box(stored.as_slice())) {
            row(w, &index);
        }
    });
}

#[divan::bench]
fn row_of_envelope(bencher: Bencher<'_, '_>) {
    rows_of_index(bencher, |w, index| w.fetch_envelope(index.envelope()));
}

#[divan::bench]
fn row_of_body_structure(bencher: Bencher<'_, '_>) {
    rows_of_index(bencher, |w, index| w.fetch_body_structure(index.body_structure()));
}

/// FROM, TO, SUBJECT, DATE
#[divan::bench]
fn row_of_header_fields(bencher: Bencher<'_, '_>) {
    let names = ["FROM", "TO", "SUBJECT", "DATE"].map(str::to_owned);
    let item = BodySection::peek(Section {
        path: Vec::new(),
        text: SectionText::HeaderFields(names.to_vec()),
    });
    rows_of_index(bencher, |w, index| {
        if let Resolved::Ready(text) = index.resolve(&item.section) {
            w.fetch_section(&item, Some(text.len() as u64));
            w.fetch_data(&text);
        }
    });
}

#[divan::bench]
fn search_numbers(bencher: Bencher<'_, '_>) {
    let mut core = selected();
    bencher.counter(ItemsCount::new(ROUND)).bench_local(|| {
        let writer = core.writer();
        writer.search_begin();
        (1_000_000..1_000_000 + ROUND)
            .filter_map(Uid::new)
            .for_each(|uid| writer.search_uid(uid));
        writer.search_end();
        core.output().clear();
    });
}
