//! Where passwords come from: a terminal that shows nothing, or the first line of standard input.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use zeroize::Zeroizing;

use crate::failure::Failure;

/// A password; its memory is cleared when it is dropped.
pub(crate) type Password = Zeroizing<Vec<u8>>;

/// Longer than any password that is taken.
const MAX_LINE: u64 = 64 * 1024;

/// Gets a password for this user.
///
/// # Errors
/// There is none, or the two that were typed differ.
pub(crate) fn get(user: &str, from_stdin: bool) -> Result<Password, Failure> {
    if from_stdin { first_line() } else { ask(user) }
}

fn first_line() -> Result<Password, Failure> {
    let failed = |e: io::Error| Failure::new(format!("the password cannot be read from standard input: {e}"));
    let mut line = Zeroizing::new(Vec::new());
    io::stdin()
        .lock()
        .take(MAX_LINE)
        .read_until(b'\n', &mut line)
        .map_err(failed)?;
    let ends = line.strip_suffix(b"\n").map(|l| l.strip_suffix(b"\r").unwrap_or(l));
    let length = ends.map_or(line.len(), <[u8]>::len);
    line.truncate(length);
    if line.is_empty() {
        return Err(Failure::new(
            "the first line of standard input is empty: the password is expected there",
        ));
    }
    Ok(line)
}

fn ask(user: &str) -> Result<Password, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::new(
            "there is no terminal to ask for the password on: give it with --password-stdin",
        ));
    }
    let prompt = |text: String| {
        rpassword::prompt_password(text)
            .map(|typed| Zeroizing::new(typed.into_bytes()))
            .map_err(|e| Failure::new(format!("the password cannot be read from the terminal: {e}")))
    };
    let password = prompt(format!("New password for {user}: "))?;
    let again = prompt("The same again: ".to_owned())?;
    if password != again {
        return Err(Failure::new("the two passwords differ; nothing was changed"));
    }
    Ok(password)
}
