//! The model checker over the backends that can be written, and proof that it finds faults.
//!
//! `MODEL_SEEDS=100000` tries more seeds, `MODEL_SEED=4711` one alone, `MODEL_STEPS` sets the length of a run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use imap_compliance::model::{Failure, Fault, Plan, Target, run};
use imap_compliance::{Kind, World};

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn plan() -> Plan {
    let steps = number("MODEL_STEPS").and_then(|n| u32::try_from(n).ok());
    Plan {
        steps: steps.unwrap_or(Plan::default().steps),
        ..Plan::default()
    }
}

/// One seed in a runtime and a world of its own, so that it can be repeated.
fn one(kind: Kind, seed: u64, fault: Option<Fault>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(kind != Kind::Sqlite)
        .build()
        .unwrap();
    runtime.block_on(async {
        let world = World::new(kind).await;
        let target = match fault {
            Some(fault) => Target::with_fault(&world, fault),
            None => Target::new(&world),
        };
        run(&target, plan(), seed).await
    })
}

/// Seeds up to a number, or as far as a time lasts.
fn many(kind: Kind, seeds: u64, time: Duration) {
    if let Some(seed) = number("MODEL_SEED") {
        one(kind, seed, None).unwrap_or_else(|failure| panic!("{failure}"));
        return;
    }
    let (seeds, time) = number("MODEL_SEEDS").map_or((seeds, time), |n| (n, Duration::MAX));
    let start = Instant::now();
    let mut tried = 0;
    for seed in 0..seeds {
        one(kind, seed, None).unwrap_or_else(|failure| panic!("{failure}"));
        tried += 1;
        if start.elapsed() > time {
            break;
        }
    }
    println!("{tried} seeds in {:?}", start.elapsed());
    assert!(tried >= seeds.min(20), "{tried} seeds are too few to show anything");
}

/// R3501-014, R3501-023, R3501-077, R3501-085, R3501-086, R3501-304 to R3501-307, R3501-410, R6851-004, R6851-005, R6851-006,
/// R4315-007
#[test]
fn every_picture_is_what_is_there_over_memory() {
    many(Kind::Memory, 400, Duration::from_secs(25));
}

/// As over memory.
#[test]
fn every_picture_is_what_is_there_over_sqlite() {
    many(Kind::Sqlite, 200, Duration::from_secs(30));
}

#[test]
fn a_seed_can_be_repeated() {
    let failure = |seed| {
        one(Kind::Memory, seed, Some(Fault::ExpungeTwice))
            .err()
            .map(|f| f.conversation)
    };
    let seed = (0..50)
        .find(|seed| failure(*seed).is_some())
        .expect("a seed that finds it");
    assert_eq!(failure(seed), failure(seed));
}

/// In how many seeds each fault must be found.
const SEEDS: u64 = 60;

#[test]
fn each_fault_is_found() {
    for fault in Fault::ALL {
        let found = (0..SEEDS).find_map(|seed| one(Kind::Memory, seed, Some(fault)).err());
        match found {
            Some(failure) => println!("{fault:?}: seed {}: {}", failure.seed, failure.why),
            None => panic!("{fault:?} was not found in {SEEDS} seeds"),
        }
    }
}
