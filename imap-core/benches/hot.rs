//! What every command and every row of a FETCH pays for.

use backend_api::{DateTime, Flags, Seq, SystemFlag, Uid};
use divan::{Bencher, black_box, counter::ItemsCount};
use imap_core::{Answer, Config, Connection, Event};

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
