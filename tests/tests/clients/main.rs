//! Real clients against the real binary, over loopback: what they read, write back, and leave alone.
//!
//! A client that is not installed is named and skipped; with `REQUIRE_CLIENTS=1` that is a failure.

// A dialogue with a client fails by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod curl;
mod daemon;
mod deliver;
mod mbsync;
mod mutt;
mod openssl;
mod python;

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Whether a program is there. Says so if it is not.
///
/// # Panics
/// It is not, and must be.
fn is_installed(program: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()));
    if !found {
        assert!(
            std::env::var_os("REQUIRE_CLIENTS").is_none(),
            "{program} is not installed"
        );
        println!("skipped: {program} is not installed");
    }
    found
}

/// Runs a program in a folder to its end, with this on its standard input.
///
/// # Panics
/// It fails, or takes longer than a minute.
fn run(folder: &Path, program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let output = run_to_end(folder, program, arguments, input);
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// The same, whatever its exit status.
fn run_to_end(folder: &Path, program: &str, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new("timeout");
    command.arg("60").arg(program).args(arguments).current_dir(folder);
    command
        .env("HOME", folder)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A program may end without having read all.
        let _ = std::io::Write::write_all(&mut stdin, &input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}
