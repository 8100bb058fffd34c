//! Whole sessions without a socket: octets pushed in, events and octets looked at.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod commands;
mod dialogue;
mod framing;
mod hold_back;
mod items_and_keys;
mod oracle;
mod random;
mod responses;
mod support;
