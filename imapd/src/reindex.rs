//! The verb `reindex`: the search index made anew, with a bar for whoever watches.

use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use backend_sqlite::{Reindexed, Reindexing};

use crate::cli::{Common, ReindexArgs};
use crate::failure::Failure;
use crate::user::{octets, runtime, say};
use crate::{config, folder, log};

/// Between two pictures of the bar.
const FRAME: Duration = Duration::from_millis(100);
/// Places of the bar.
const WIDTH: u64 = 30;

/// Makes the index anew.
///
/// # Errors
/// It could not be done to its end.
pub(crate) fn run(common: Common, args: ReindexArgs) -> Result<(), Failure> {
    log::start(common.log_format.unwrap_or_default(), log::BRIEF);
    let data = common.data.unwrap_or_else(|| config::DATA.into());
    runtime()?.block_on(async {
        let store = folder::open_existing(&data)?;
        let is_watched = io::stderr().is_terminal();
        let mut drawn: Option<Instant> = None;
        let progress = move |at: Reindexing| {
            if is_watched && drawn.is_none_or(|last| last.elapsed() >= FRAME) {
                drawn = Some(Instant::now());
                eprint!("\r{}\x1b[K", bar(at.done, at.messages));
            }
        };
        let done = store.reindex(args.user.as_deref(), progress).await;
        if is_watched {
            eprint!("\r\x1b[K");
        }
        say(&summary(args.user.as_deref(), &done?))
    })
}

/// `[#####     ]  17%  1700 of 10000 messages`
fn bar(done: u64, all: u64) -> String {
    let part = |of: u64| done.min(all).saturating_mul(of).checked_div(all).unwrap_or(of);
    let full = "#".repeat(usize::try_from(part(WIDTH)).unwrap_or(0));
    let width = usize::try_from(WIDTH).unwrap_or(0);
    format!("[{full:width$}] {:3}%  {done} of {all} messages", part(100))
}

fn summary(user: Option<&str>, done: &Reindexed) -> String {
    let (messages, size) = (done.messages, octets(done.size));
    let word = if messages == 1 { "message" } else { "messages" };
    match user {
        Some(name) => format!("indexed {messages} {word} ({size}) of {name}"),
        None => format!(
            "indexed {messages} {word} ({size}); the index takes {}",
            octets(done.index_size)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_from_the_left() {
        let table = [
            (0, 200, "[                              ]   0%  0 of 200 messages"),
            (99, 200, "[##############                ]  49%  99 of 200 messages"),
            (200, 200, "[##############################] 100%  200 of 200 messages"),
            (0, 0, "[##############################] 100%  0 of 0 messages"),
        ];
        for (done, all, expected) in table {
            assert_eq!(bar(done, all), expected);
        }
    }
}
