//! Conversations with the server over an in-memory stream, in paused time: a claim each.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub
)]

mod append;
mod auth;
mod broken;
mod client;
mod ending;
mod fake;
mod idle;
mod listener;
mod log;
mod mailboxes;
mod messages;
mod misbehaviour;
mod pipelining;
mod tls;
