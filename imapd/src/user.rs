//! The verb `user`: accounts made, listed and removed.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use backend_sqlite::{SqliteStore, User, UserError};

use crate::cli::{Common, UserVerb};
use crate::failure::Failure;
use crate::{config, folder, log, password};

/// For a program that does one thing and ends. Hashing has threads of its own; one is enough for the rest.
///
/// # Errors
/// The system gives no more of what it takes.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(format!("threads cannot be started: {e}")))
}

/// Does what was asked for.
///
/// # Errors
/// It could not be done; then nothing was.
pub(crate) fn run(common: Common, verb: UserVerb) -> Result<(), Failure> {
    log::start(common.log_format.unwrap_or_default(), log::BRIEF);
    let data = common.data.unwrap_or_else(|| config::DATA.into());
    runtime()?.block_on(async {
        match verb {
            UserVerb::Add {
                name,
                password_stdin,
                bare,
            } => add(&data, &name, password_stdin, bare).await,
            UserVerb::Passwd { name, password_stdin } => passwd(&data, &name, password_stdin).await,
            UserVerb::List => list(&data).await,
            UserVerb::Remove { name, yes } => remove(&data, &name, yes).await,
            UserVerb::Import { file } => import(&data, &file).await,
        }
    })
}

async fn add(data: &Path, name: &str, from_stdin: bool, bare: bool) -> Result<(), Failure> {
    // Before a password is asked for in vain.
    if folder::is_there(data) && folder::open_existing(data)?.account(name).await.is_ok() {
        return Err(UserError::Exists(name.to_owned()).into());
    }
    let password = password::get(name, from_stdin)?;
    let store = folder::open_or_make(data)?;
    let account = store.add_user(name, Some(&password), bare).await?;
    say(&format!("added {}", account.name()))
}

async fn passwd(data: &Path, name: &str, from_stdin: bool) -> Result<(), Failure> {
    let store = folder::open_existing(data)?;
    store.account(name).await?;
    let password = password::get(name, from_stdin)?;
    store.set_password(name, &password).await?;
    say(&format!("changed the password of {name}"))
}

async fn list(data: &Path) -> Result<(), Failure> {
    let users = folder::open_existing(data)?.list_users().await?;
    if users.is_empty() {
        eprintln!("imapd: no accounts yet; make one with `imapd user add NAME`");
        return Ok(());
    }
    say(table(&users).trim_end())
}

async fn remove(data: &Path, name: &str, yes: bool) -> Result<(), Failure> {
    let store = folder::open_existing(data)?;
    store.account(name).await?;
    if !yes && io::stdin().is_terminal() && !confirm(&store, name).await? {
        return Err(Failure::new(format!("{name} was not removed")));
    }
    store.remove_user(name).await?;
    say(&format!("removed {name}"))
}

async fn confirm(store: &SqliteStore, name: &str) -> Result<bool, Failure> {
    let users = store.list_users().await?;
    let messages = users.iter().find(|u| u.name == name).map_or(0, |u| u.messages);
    eprint!("Remove {name} with {messages} messages, for good? [y/N] ");
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.map_err(|e| Failure::new(format!("the answer cannot be read: {e}")))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

async fn import(data: &Path, file: &Path) -> Result<(), Failure> {
    let (lines, from) = read_lines(file)?;
    let store = folder::open_or_make(data)?;
    let importing = async {
        let text = lines.strip_prefix('\u{feff}').unwrap_or(&lines);
        store.import_users(text).await
    };
    let count = with_progress(&from, importing).await.map_err(|e| match e {
        UserError::Line { .. } => Failure::new(format!("{from}, {e}; no account was imported")),
        e => Failure::from(e),
    })?;
    let accounts = if count == 1 { "account" } else { "accounts" };
    say(&format!("imported {count} {accounts}"))
}

fn read_lines(file: &Path) -> Result<(zeroize::Zeroizing<String>, String), Failure> {
    let (octets, from) = if file == Path::new("-") {
        let mut octets = Vec::new();
        (
            io::stdin().lock().read_to_end(&mut octets).map(|_| octets),
            "standard input".to_owned(),
        )
    } else {
        (std::fs::read(file), file.display().to_string())
    };
    let octets = octets.map_err(|e| Failure::new(format!("{from} cannot be read: {e}")))?;
    let text = String::from_utf8(octets).map_err(|e| {
        let good = e.as_bytes().get(..e.utf8_error().valid_up_to()).unwrap_or_default();
        let line = good.iter().filter(|b| **b == b'\n').count() + 1;
        Failure::new(format!("{from}, line {line}: not UTF-8; no account was imported"))
    })?;
    Ok((zeroize::Zeroizing::new(text), from))
}

/// A password takes tens of milliseconds to hash: whoever imports thousands at a terminal sees that it goes on.
async fn with_progress<T>(from: &str, work: impl Future<Output = T>) -> T {
    if !io::stderr().is_terminal() {
        return work.await;
    }
    let start = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.tick().await;
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => {
                eprint!("\r\x1b[K");
                return done;
            }
            _ = ticks.tick() => eprint!("\rimporting {from}: hashing passwords for {} s", start.elapsed().as_secs()),
        }
    }
}

fn table(users: &[User]) -> String {
    let name_of = |u: &User| {
        if u.has_password {
            u.name.clone()
        } else {
            format!("{} (no password)", u.name)
        }
    };
    let mut rows = vec![["NAME".to_owned(), "MESSAGES".to_owned(), "SIZE".to_owned()]];
    rows.extend(
        users
            .iter()
            .map(|u| [name_of(u), u.messages.to_string(), octets(u.size)]),
    );
    let width = |column: fn(&[String; 3]) -> &String| rows.iter().map(|r| column(r).chars().count()).max().unwrap_or(0);
    let (a, b, c) = (width(|[a, _, _]| a), width(|[_, b, _]| b), width(|[_, _, c]| c));
    rows.iter()
        .map(|[name, messages, size]| format!("{name:a$}  {messages:>b$}  {size:>c$}\n"))
        .collect()
}

/// A size as people read it.
pub(crate) fn octets(size: u64) -> String {
    let (mut value, mut unit) = (size as f64, "B");
    for larger in ["KB", "MB", "GB", "TB"] {
        if value < 999.5 {
            break;
        }
        (value, unit) = (value / 1000.0, larger);
    }
    match unit {
        "B" => format!("{size} B"),
        _ if value < 9.95 => format!("{value:.1} {unit}"),
        _ => format!("{value:.0} {unit}"),
    }
}

/// A line on standard output.
pub(crate) fn say(line: &str) -> Result<(), Failure> {
    let written = writeln!(io::stdout(), "{line}");
    match written {
        // `imapd user list | head -1`
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(format!("standard output: {e}"))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        let table = [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 KB"),
            (9_949, "9.9 KB"),
            (9_951, "10 KB"),
            (999_499, "999 KB"),
            (999_500, "1.0 MB"),
            (12_345_678, "12 MB"),
            (5_000_000_000_000, "5.0 TB"),
        ];
        for (size, text) in table {
            assert_eq!(octets(size), text);
        }
    }
}
