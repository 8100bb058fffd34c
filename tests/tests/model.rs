//! The model checker over everything that can be served, and proof that it finds faults.
//!
//! `MODEL_SEED=4711` tries one seed alone, `MODEL_SEEDS=100000` so many from 0 (or from `MODEL_SEED`) on, `MODEL_SECONDS=3600`
//! as many as there is time for, `MODEL_STEPS` and `MODEL_CLIENTS` set what else the seed decides. `MODEL_REMOTE=host:port`
//! with `MODEL_USER`, `MODEL_PASSWORD` and `MODEL_SECURITY` (`plain`, `tls` or `starttls`) names another server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use imap_compliance::model::{Failure, Fault, Flaw, Remote, Rule, Security, Size, Stress, Target, stress};

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn size() -> Size {
    let number = |variable| number(variable).and_then(|n| usize::try_from(n).ok());
    Size {
        clients: number("MODEL_CLIENTS"),
        steps: number("MODEL_STEPS"),
    }
}

/// So many seeds, or as many as there is time for, if the environment does not say otherwise.
fn many(target: &Target, seeds: u64, time: u64) {
    let (seed, said, seconds) = (number("MODEL_SEED"), number("MODEL_SEEDS"), number("MODEL_SECONDS"));
    let plan = match (seed, said, seconds) {
        (None, None, None) => (Some(seeds), Some(time)),
        (Some(_), None, None) => (Some(1), None),
        (_, said, seconds) => (said, seconds),
    };
    let plan = Stress {
        seed: seed.unwrap_or(0),
        seeds: plan.0,
        time: plan.1.map(Duration::from_secs),
        size: size(),
        ..Stress::default()
    };
    let mut next = Duration::from_secs(60);
    let done = stress(target, plan, |so_far| {
        if so_far.elapsed >= next {
            println!("{so_far}");
            next = so_far.elapsed + Duration::from_secs(60);
        }
    });
    let done = done.unwrap_or_else(|failure| panic!("{failure}"));
    println!("{done}");
    assert!(done.runs >= plan.seeds.unwrap_or(1).min(20), "{done}: too few to show anything");
}

/// R3501-014, R3501-023, R3501-077, R3501-085, R3501-086, R3501-304 to R3501-307, R3501-410, R6851-004, R6851-005, R6851-006,
/// R4315-007
#[test]
fn over_memory() {
    many(&Target::memory(), 1_500, 60);
}

/// As over memory, with others coming between at every operation of the store.
#[test]
fn over_a_slow_store() {
    many(&Target::with_flaw(Flaw::Slow), 800, 60);
}

/// As over memory.
#[test]
fn over_sqlite() {
    many(&Target::sqlite(), 400, 60);
}

/// As over memory.
#[test]
fn over_two_stores_on_one_folder() {
    many(&Target::two_stores(), 200, 60);
}

/// As over memory.
#[test]
fn over_two_processes_on_one_folder() {
    many(&Target::two_processes(), 60, 60);
}

/// What the store cannot do is refused, and what the application does is told.
#[test]
fn over_four_methods() {
    many(&Target::four_methods(), 300, 60);
}

/// Another server, if one is named.
#[test]
fn over_the_wire() {
    let Ok(address) = std::env::var("MODEL_REMOTE") else {
        println!("MODEL_REMOTE names no server");
        return;
    };
    let said = |variable, default: &str| std::env::var(variable).unwrap_or_else(|_| default.to_owned());
    let security = match said("MODEL_SECURITY", "plain").as_str() {
        "tls" => Security::Tls,
        "starttls" => Security::StartTls,
        _ => Security::Plain,
    };
    let remote = Remote {
        address,
        security,
        user: said("MODEL_USER", "demo"),
        password: said("MODEL_PASSWORD", "secret"),
    };
    many(&Target::remote(remote), 30, 60);
}

fn first_failure(target: &Target, seeds: u64, shrink: Duration) -> Option<Box<Failure>> {
    let plan = Stress {
        seeds: Some(seeds),
        shrink,
        ..Stress::default()
    };
    stress(target, plan, |_| {}).err()
}

#[test]
fn a_failure_is_shrunk_and_the_same_every_time() {
    let target = Target::with_fault(Fault::ExpungeTwice);
    let shrunk = || first_failure(&target, SEEDS, Duration::from_secs(60)).expect("a failure");
    let (one, two) = (shrunk(), shrunk());
    assert_eq!(one.to_string(), two.to_string());
    assert_eq!(one.rule, Rule::MessagesTold);
    // SELECT's seven lines, its own; STORE, FETCH and EXPUNGE with their answers, and NOOP.
    assert!(one.conversation.len() <= 24, "{one}");
}

/// In how many seeds each fault must be found.
const SEEDS: u64 = 120;

fn is_found(name: &str, target: &Target) {
    match first_failure(target, SEEDS, Duration::ZERO) {
        Some(failure) => println!("{name}: seed {}: {:?}: {}", failure.seed, failure.rule, failure.why),
        None => panic!("{name} was not found in {SEEDS} seeds"),
    }
}

/// Makes a test of each fault and flaw, named as it is.
macro_rules! found {
    ($($module:ident: $kind:ident by $target:ident: [$($test:ident $case:ident),* $(,)?]),* $(,)?) => {
        $(mod $module {
            use super::*;

            $(#[test] fn $test() {
                is_found(stringify!($test), &Target::$target($kind::$case));
            })*

            #[test]
            fn none_is_left_out() {
                assert_eq!([$($kind::$case),*], $kind::ALL);
            }
        })*
    };
}

found! {
    found_on_the_wire: Fault by with_fault: [
        expunge_during_fetch ExpungeDuringFetch,
        expunge_twice ExpungeTwice,
        lost_exists LostExists,
        second_flag_change_dropped SecondFlagChangeDropped,
        renumbered_before_told RenumberedBeforeTold,
        lost_expunge LostExpunge,
        wrong_number WrongNumber,
        copy_uid_reversed CopyUidReversed,
        wrong_append_uid WrongAppendUid,
        deleted_hidden DeletedHidden,
        number_zero NumberZero,
        lost_wake_up_before_idle LostWakeUp,
        exists_too_early_under_pipelining TooEarly,
    ],
    found_in_a_backend: Flaw by with_flaw: [
        tells_nothing TellsNothing,
        lost_wake_up LostWakeUp,
        expunge_through_examine_and_close ExamineExpunges,
        a_ghosts_number_is_another_message GhostIsAnother,
        move_keeps MoveKeeps,
        append_forgets AppendForgets,
        copy_forgets CopyForgets,
        second_flag_change_forgotten SecondFlagsForgotten,
        recent_to_all RecentToAll,
        uid_validity_kept ValidityKept,
        rename_of_inbox_loses RenameLoses,
    ],
}
