//! The embeddable IMAP server: give it your mailboxes, and mail clients can read them.
//!
//! Whoever has mailboxes, or something that can be shown as mailboxes, implements [`MailStore`](prelude::MailStore) (four
//! methods) or [`Backend`](prelude::Backend) (the whole contract), and depends on this crate alone.
//!
//! ```
//! use imap_server::prelude::*;
//! # use tokio::io::{AsyncReadExt, duplex};
//! # use backend_memory::MemoryStore;
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! // Your own `MailStore` in its place:
//! let store = MemoryStore::new().with_user("demo", "secret");
//! store.deliver("demo", "INBOX", "Subject: hello\r\n\r\nHello.\r\n")?;
//! let server = Server::new(Mapped::new(store));
//!
//! // On the network:
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! tokio::spawn({
//!     let server = server.clone();
//!     async move { server.serve_listener(listener, Tls::None).await }
//! });
//!
//! // Or over any stream:
//! let (mut client, stream) = duplex(4096);
//! tokio::spawn({
//!     let server = server.clone();
//!     async move { server.serve(stream, ConnInfo::default()).await }
//! });
//! let mut greeting = [0; 5];
//! client.read_exact(&mut greeting).await?;
//! assert_eq!(&greeting, b"* OK ");
//!
//! server.handle().shutdown("Goodbye", std::time::Duration::from_secs(5)).await;
//! # Ok(()) }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run()).unwrap();
//! ```
//!
//! # What it does
//! A task for each connection, and nothing shared between two of them but the backend: a slow client delays itself alone.
//! Memory depends neither on the size of a message nor on how slow the peer is: octets pass through 64 KiB at a time in
//! either direction, nothing is read while answers wait to be taken, and an idle connection holds no buffer. What changes
//! something is awaited to its end; what only reads ends when the client has gone.
//!
//! What may be said when is decided by `imap_core`; what is in the mailboxes, by the backend. A backend that breaks the
//! rules, or panics, loses that one connection; nothing wrong reaches a client.
//!
//! # The files
//! [`Server`] (`server.rs`) takes streams, from a listener (`listener.rs`, `tls.rs`, `prompt.rs`) or from anywhere.
//! `connection.rs` is one connection from greeting to farewell; what it runs is in `cmd/`, a file for each command, with
//! logging in in `auth.rs`. `wire.rs` holds the stream (`io.rs`) and the protocol core together; `sink.rs` and `literal.rs`
//! are what a backend sees of them. [`Handle`] (`handle.rs`) reaches into connections through the `registry.rs`.

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
mod prompt;
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
pub use tls::{Tls, server_config};

/// The README's code, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
