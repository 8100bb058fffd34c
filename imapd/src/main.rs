//! `imapd`: the bundled IMAP server with its accounts and its delivery, on one data folder.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing))]

mod cli;
mod config;
mod deliver;
mod demo;
mod failure;
mod folder;
mod listen;
mod log;
mod message;
mod password;
mod reindex;
mod self_signed;
mod serve;
mod signals;
mod sysexits;
mod tls;
mod user;
mod welcome;

use std::process::ExitCode;

use crate::cli::Verb;

/// Many small allocations on many threads, and memory given back when connections end.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match cli::parse() {
        Ok(cli) => cli,
        Err(code) => return code.into(),
    };
    let done = match cli.verb {
        None => serve::run(cli.common, cli::ServeArgs::default()),
        Some(Verb::Serve(args)) => serve::run(cli.common, args),
        Some(Verb::User(verb)) => user::run(cli.common, verb),
        Some(Verb::Deliver(args)) => deliver::run(cli.common, args),
        Some(Verb::Reindex(args)) => reindex::run(cli.common, args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("imapd: {failure}");
            failure.code.into()
        }
    }
}
