//! The embeddable IMAP server: a tokio driver, TLS and authentication over any backend.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod auth;
mod cmd;
mod config;
mod connection;
mod handle;
mod io;
mod listener;
mod literal;
mod log;
pub mod prelude;
mod registry;
mod reply;
mod server;
mod shutdown;
mod sink;
mod tls;
mod wire;

pub use backend_api;
pub use imap_core::{Limits, SideLimits};
pub use tokio_rustls::rustls;

pub use config::{Caps, PollPolicy, Times};
pub use handle::{Handle, SessionInfo};
pub use server::{Builder, Server};
pub use tls::Tls;
