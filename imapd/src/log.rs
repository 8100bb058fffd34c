//! Where log lines go (standard error), how they look, and which are written.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;

/// Starts logging. `RUST_LOG` goes before `default`.
pub(crate) fn start(format: LogFormat, default: &str) {
    let (filter, wrong) = match std::env::var("RUST_LOG") {
        Ok(text) if !text.is_empty() => match EnvFilter::try_new(&text) {
            Ok(filter) => (filter, None),
            Err(e) => (EnvFilter::new(default), Some(e)),
        },
        _ => (EnvFilter::new(default), None),
    };
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    // Only a second start can fail, and there is none.
    let _ = match format {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    if let Some(error) = wrong {
        tracing::warn!(%error, "RUST_LOG is not understood and left aside; an example is imap_server=debug");
    }
}

/// What the server logs: connections and logins, and of everything else what went wrong.
pub(crate) const SERVER: &str = "warn,imapd=info,imap_server=info,imap_core=info,backendutil=info,backend_sqlite=info";

/// What the other verbs log: what went wrong.
pub(crate) const BRIEF: &str = "warn";
