//! `imapd` as people and programs use it: the real binary, its exit codes and outputs, and mail clients over loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod cli;
mod config;
mod crash;
mod deliver;
mod first_start;
#[path = "../../../tests/src/leftovers.rs"]
#[allow(dead_code, unreachable_pub)]
mod leftovers;
mod reindex;
mod signals;
mod support;
mod tls;
mod user;
