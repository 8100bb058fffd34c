//! What a view costs in time and in memory: a mailbox of a million messages, with up to half of them pending expunges.
//!
//! `cargo bench -p backendutil --bench view`. Memory is what the allocation counter says of making each thing and keeping
//! it: the columns `alloc` less `dealloc`.

use std::sync::{Arc, LazyLock};

use backend_api::{DateTime, Flags, MessageEntry, ModSeq, Seq, Uid, UidSet};
use backendutil::SeqMapper;
use backendutil::listing::{Difference, Snapshot};
use divan::{AllocProfiler, Bencher, black_box};

#[global_allocator]
static COUNTER: AllocProfiler = AllocProfiler::system();

const MESSAGES: u32 = 1_000_000;
const PENDING: [u32; 3] = [0, 25_000, 500_000];

fn main() {
    // Where one benchmark is asked for, that is what is wanted.
    let all = std::env::args().skip(1).all(|word| word == "--bench");
    for count in PENDING.into_iter().filter(|_| all) {
        let view = lagging(&without(&scattered(count)));
        println!("{count} pending expunges are {} ghosts", view.ghost_count());
    }
    divan::main();
}

fn uid(n: u32) -> Uid {
    Uid::new(n).unwrap_or(Uid::MAX)
}

fn entry(n: u32) -> MessageEntry {
    MessageEntry::new(uid(n))
        .with_flags(Flags::SEEN)
        .with_date(DateTime::new(i64::from(n), 0))
        .with_size(4_000)
        .with_mod_seq(ModSeq(1))
}

fn entries() -> Vec<MessageEntry> {
    (1..=MESSAGES).map(entry).collect()
}

static FULL: LazyLock<Arc<Snapshot>> = LazyLock::new(|| Arc::new(Snapshot::new(entries(), None, ModSeq(1))));

/// One of ten UIDs is not there.
static HOLES: LazyLock<Arc<Snapshot>> = LazyLock::new(|| {
    let kept = (1..=MESSAGES + MESSAGES / 9).filter(|n| n % 10 != 0);
    Arc::new(Snapshot::new(kept.map(entry).collect(), None, ModSeq(1)))
});

/// About so many of the messages, here and there.
fn scattered(count: u32) -> UidSet {
    let mix = |n: u32| (n ^ (n >> 11)).wrapping_mul(0x9e37_79b1) ^ (n << 7);
    let threshold = u32::try_from((u64::from(count) << 20) / u64::from(MESSAGES)).unwrap_or(0);
    let gone = |n: &u32| mix(*n).wrapping_mul(0x85eb_ca6b) >> 12 < threshold;
    (1..=MESSAGES).filter(gone).map(uid).collect()
}

/// The mailbox after these went.
fn without(gone: &UidSet) -> Arc<Snapshot> {
    Arc::new(FULL.apply(&[], gone, None, ModSeq(2)))
}

/// A view that was told nothing of it.
fn lagging(newer: &Arc<Snapshot>) -> SeqMapper {
    let mut view = SeqMapper::new(FULL.clone());
    advance(&mut view, newer);
    view
}

fn advance(view: &mut SeqMapper, newer: &Arc<Snapshot>) {
    let told = view.told().clone();
    let vanished = told.diff(newer).filter_map(|difference| match difference {
        Difference::Vanished { old, index } => Some((old.uid, index)),
        _ => None,
    });
    view.advance(newer.clone(), &vanished.collect::<Vec<_>>());
}

/// A place that the processor does not guess.
fn jump(place: &mut u32) -> u32 {
    *place = place.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    1 + (*place >> 8) % MESSAGES
}

#[divan::bench(args = PENDING, sample_size = 20_000, sample_count = 30)]
fn seq_to_uid(bencher: Bencher, pending: u32) {
    let view = lagging(&without(&scattered(pending)));
    let mut place = 1;
    bencher.bench_local(|| view.uid(black_box(Seq::new(jump(&mut place)).unwrap_or(Seq::MIN))));
}

#[divan::bench(args = PENDING, sample_size = 20_000, sample_count = 30)]
fn uid_to_seq(bencher: Bencher, pending: u32) {
    let view = lagging(&without(&scattered(pending)));
    let mut place = 1;
    bencher.bench_local(|| view.seq(black_box(uid(jump(&mut place)))));
}

/// Taken up and told: from a newer snapshot to the last EXPUNGE.
#[divan::bench(args = [25_000, 100_000])]
fn take_up_and_flush_expunges(bencher: Bencher, count: u32) {
    let newer = without(&scattered(count));
    bencher
        .with_inputs(|| SeqMapper::new(FULL.clone()))
        .bench_local_values(|mut view| {
            advance(&mut view, &newer);
            std::iter::from_fn(|| view.pop_ghost()).count()
        });
}

#[divan::bench(args = [25_000, 100_000])]
fn flush_expunges(bencher: Bencher, count: u32) {
    let view = lagging(&without(&scattered(count)));
    bencher
        .with_inputs(|| view.clone())
        .bench_local_values(|mut view| std::iter::from_fn(|| view.pop_ghost()).count());
}

#[divan::bench(sample_count = 10)]
fn build_a_snapshot(bencher: Bencher) {
    bencher
        .with_inputs(entries)
        .bench_local_values(|list| Snapshot::new(list, None, ModSeq(1)));
}

#[divan::bench]
fn apply_one_flag(bencher: Bencher) {
    let change = [entry(MESSAGES / 2).with_flags(Flags::NONE).with_mod_seq(ModSeq(2))];
    bencher.bench_local(|| FULL.apply(black_box(&change), &UidSet::new(), None, ModSeq(2)));
}

#[divan::bench]
fn apply_one_append(bencher: Bencher) {
    let change = [entry(MESSAGES + 1).with_mod_seq(ModSeq(2))];
    bencher.bench_local(|| FULL.apply(black_box(&change), &UidSet::new(), None, ModSeq(2)));
}

#[divan::bench]
fn apply_one_expunge(bencher: Bencher) {
    let gone = UidSet::run(uid(MESSAGES / 2), uid(MESSAGES / 2));
    bencher.bench_local(|| FULL.apply(&[], black_box(&gone), None, ModSeq(2)));
}

#[divan::bench]
fn diff_of_one_flag(bencher: Bencher) {
    let change = [entry(MESSAGES / 2).with_flags(Flags::NONE).with_mod_seq(ModSeq(2))];
    let newer = FULL.apply(&change, &UidSet::new(), None, ModSeq(2));
    bencher.bench_local(|| FULL.diff(black_box(&newer)).count());
}

/// A session more, that was told everything.
#[divan::bench]
fn memory_of_one_more_view(bencher: Bencher) {
    LazyLock::force(&HOLES);
    bencher.bench_local(|| SeqMapper::new(HOLES.clone()));
}

/// A session more, that was not told of so many expunges.
#[divan::bench(args = [100_000], sample_count = 10)]
fn memory_of_a_lagging_view(bencher: Bencher, count: u32) {
    let newer = without(&scattered(count));
    bencher.bench_local(|| lagging(&newer));
}
