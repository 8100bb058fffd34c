//! The compliance suite: scenarios, the engine that plays them against any server, and what came of it.
//!
//! A scenario is data (`tests/SCENARIOS.md` is its specification). [`parse`] reads it, [`play`] plays it on a [`Target`],
//! [`run`] plays many at once, and [`outcome`] is the record that reports are made from. [`mod@bench`] measures instead.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod bench;
pub mod cli;
pub mod client;
pub mod conversation;
pub mod coverage;
pub mod faults;
pub mod in_process;
pub mod library;
pub mod matching;
pub mod needs;
pub mod network;
pub mod outcome;
pub mod parse;
pub mod place;
pub mod play;
pub mod report;
pub mod run;
pub mod scenario;
pub mod syntax;
pub mod target;
pub mod text;
pub mod token;
pub mod value;
pub mod wire;

pub use in_process::{Fill, InProcess};
pub use target::Target;
