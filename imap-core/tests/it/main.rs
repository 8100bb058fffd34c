//! Whole sessions without a socket: octets pushed in, events and octets looked at.

mod commands;
mod dialogue;
mod framing;
mod hold_back;
mod oracle;
mod random;
mod responses;
mod support;
