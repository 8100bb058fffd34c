//! The model checker over everything that can be served, and proof that it finds faults.
//!
//! `MODEL_SEED=4711` tries one seed alone, `MODEL_SEEDS=100000` so many from 0 (or from `MODEL_SEED`) on, `MODEL_SECONDS=3600`
//! as many as there is time for, `MODEL_STEPS` and `MODEL_CLIENTS` set what else the seed decides. `MODEL_REMOTE=host:port`
//! with `MODEL_USER`, `MODEL_PASSWORD` and `MODEL_SECURITY` (`plain`, `tls` or `starttls`) names another server;
//! `MODEL_WITHOUT="MOVE IDLE"` leaves out capabilities of it that are known to be wrong.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write as _;
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

/// So many seeds, or as many as there is time for in so many seconds, if the environment does not say otherwise. Together
/// they are thousands within two minutes on two cores. [`AT_LEAST`] of them are played however long that takes.
fn many(name: &str, target: &Target, seeds: u64, time: u64) {
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
        at_least: if seconds.is_none() { AT_LEAST } else { 0 },
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
    let remark = match plan.seeds {
        Some(seeds) if done.runs >= seeds => String::new(),
        _ if done.runs < AT_LEAST => format!(": the time was over, and fewer than {AT_LEAST} show little"),
        Some(seeds) => format!(": not {seeds}, the time was over"),
        None => String::new(),
    };
    // Of a test that passes, what it prints by `eprintln!` is not shown.
    let line = format!("{name}: {done}{remark}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// Fewer seeds show little.
const AT_LEAST: u64 = 60;

/// R3501-014, R3501-023, R3501-077, R3501-085, R3501-086, R3501-304 to R3501-307, R3501-410, R6851-004, R6851-005, R6851-006,
/// R4315-007
#[test]
fn over_memory() {
    many("over_memory", &Target::memory(), 1_200, 35);
}

/// As over memory, with others coming between at every operation of the store.
#[test]
fn over_a_slow_store() {
    many("over_a_slow_store", &Target::with_flaw(Flaw::Slow), 700, 30);
}

/// As over memory.
#[test]
fn over_sqlite() {
    many("over_sqlite", &Target::sqlite(), 900, 45);
}

/// As over memory.
#[test]
fn over_two_stores_on_one_folder() {
    many("over_two_stores_on_one_folder", &Target::two_stores(), 800, 45);
}

/// As over memory.
#[test]
fn over_two_processes_on_one_folder() {
    many("over_two_processes_on_one_folder", &Target::two_processes(), 350, 35);
}

/// What the store cannot do is refused, and what the application does is told.
#[test]
fn over_four_methods() {
    many("over_four_methods", &Target::four_methods(), 400, 15);
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
        without: said("MODEL_WITHOUT", "").split(' ').map(str::to_owned).collect(),
    };
    many("over_the_wire", &Target::remote(remote), 30, 60);
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
    assert_eq!(one.rule, Rule::NumberInRange);
    // SELECT and its answer are nine lines; then a UID must be learned, and its message moved or expunged.
    assert!(one.conversation.len() <= 20, "{one}");
}

/// In how many seeds each fault must be found.
const SEEDS: u64 = 120;

/// Some seed shows that this rule is broken; others may show others first.
fn is_found(name: &str, target: &Target, rule: Rule) {
    let mut seed = 0;
    while seed < SEEDS {
        let plan = Stress {
            seed,
            seeds: Some(SEEDS - seed),
            shrink: Duration::ZERO,
            ..Stress::default()
        };
        let Err(failure) = stress(target, plan, |_| {}) else {
            break;
        };
        if failure.rule == rule {
            println!("{name}: seed {}: {rule:?}: {}", failure.seed, failure.why);
            return;
        }
        seed = failure.seed + 1;
    }
    panic!("{name} was not found in {SEEDS} seeds");
}

/// Makes a test of each fault and flaw, named as it is, with the rule that it breaks.
macro_rules! found {
    ($($module:ident: $kind:ident by $target:ident: [$($test:ident $case:ident breaks $rule:ident),* $(,)?]),* $(,)?) => {
        $(mod $module {
            use super::*;

            $(#[test] fn $test() {
                is_found(stringify!($test), &Target::$target($kind::$case), Rule::$rule);
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
        expunge_during_fetch ExpungeDuringFetch breaks ExpungeLegal,
        expunge_twice ExpungeTwice breaks MessagesTold,
        lost_exists LostExists breaks NumberInRange,
        second_flag_change_dropped SecondFlagChangeDropped breaks FlagsTold,
        renumbered_before_told RenumberedBeforeTold breaks NumberKept,
        lost_expunge LostExpunge breaks MessagesTold,
        wrong_number WrongNumber breaks NumberKept,
        copy_uid_reversed CopyUidReversed breaks UidKept,
        wrong_append_uid WrongAppendUid breaks UidKept,
        deleted_hidden DeletedHidden breaks FlagsTold,
        number_zero NumberZero breaks NumberInRange,
        lost_wake_up_before_idle LostWakeUp breaks IdleTells,
        exists_too_early_under_pipelining TooEarly breaks HeldBack,
        recent_to_all RecentToAll breaks Recent,
    ],
    found_in_a_backend: Flaw by with_flaw: [
        tells_nothing TellsNothing breaks MessagesTold,
        lost_wake_up LostWakeUp breaks IdleTells,
        expunge_through_examine_and_close ExamineExpunges breaks NothingLost,
        a_ghosts_number_is_another_message GhostIsAnother breaks UidKept,
        move_keeps MoveKeeps breaks NothingLost,
        append_forgets AppendForgets breaks NothingLost,
        copy_forgets CopyForgets breaks NothingLost,
        second_flag_change_forgotten SecondFlagsForgotten breaks FlagsTold,
        uid_validity_kept ValidityKept breaks UidKept,
        rename_of_inbox_loses RenameLoses breaks NothingLost,
    ],
}
