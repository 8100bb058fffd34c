//! What a listing says of its size is about what it takes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "support/large.rs"]
mod large;

use std::alloc::System;
use std::sync::Arc;

use backend_api::{Flags, MessageEntry, ModSeq, UidSet};
use backendutil::listing::Snapshot;
use large::Large;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Octets that are allocated now.
fn live() -> u64 {
    let stats = ALLOCATOR.stats();
    u64::try_from(stats.bytes_allocated - stats.bytes_deallocated).unwrap()
}

fn assert_said(what: &str, snapshot: &Snapshot, taken: u64) {
    let (len, said) = (u64::from(snapshot.len()), snapshot.octets());
    println!("{what}: {len} messages take {taken} octets, said to be {said}");
    assert!(said.abs_diff(taken) < taken / 10, "{what}: {taken}, not {said}");
}

// One test: others beside it would be counted as well.
#[test]
fn a_listing_takes_as_much_as_it_says() {
    let make = |what, list: fn(u32) -> Vec<MessageEntry>, messages| {
        let before = live();
        let snapshot = Snapshot::new(list(messages), None, ModSeq(1));
        let taken = live() - before;
        assert_said(what, &snapshot, taken);
        (snapshot, before)
    };
    let plain = |messages| Large { messages }.list();
    let (million, before) = make("plain", plain, 1_000_000);
    assert!(million.octets() < 42_000_000);

    // Each change replaces a chunk; what it replaced is gone with the snapshot before.
    let mut now = Arc::new(million);
    for n in (1..1_000_000).step_by(500) {
        let row = now.row(n).unwrap();
        let change = row.to_entry().with_flags(Flags::NONE).with_mod_seq(ModSeq(2));
        now = Arc::new(now.apply(&[change], &UidSet::new(), None, ModSeq(2)));
    }
    assert_said("after changes", &now, live() - before);
    let third = now.rows(0).map(|row| row.uid).step_by(3).collect();
    now = Arc::new(now.apply(&[], &third, None, ModSeq(3)));
    drop(third);
    assert_said("after removals", &now, live() - before);
    drop(now);

    let words = |messages| {
        let word = |n: usize| Flags::SEEN.with_keyword(&format!("keyword{}", n % 1_000));
        let list = Large { messages }.list().into_iter().enumerate();
        list.map(|(n, entry)| entry.with_flags(word(n))).collect()
    };
    make("a thousand keywords", words, 100_000);
}
