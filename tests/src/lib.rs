//! The IMAP compliance suite: a test client that compares whole answers, worlds to run it in, and a model checker.
//!
//! [`client`] speaks IMAP over any stream and fails on anything that is not exactly what was expected ([`pattern`] is how
//! that is written). [`world`] is a server of its own for each test, over each of three backends. [`model`] lets clients do
//! random things and compares what each was told with what is there. [`message`] makes messages of many shapes.
//! [`catalogue`] is the list of requirements that tests cite.
//!
//! For what happens beneath a client: [`stepper`] polls a future so many times and drops it, with [`sink`] in its way; [`imapd`]
//! runs the program in processes of its own; [`leftovers`] counts what a data folder holds; [`bulk`] makes large messages.

// A suite fails by panicking: that is how a test says that a claim is not true.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod bulk;
pub mod catalogue;
pub mod client;
mod frame;
pub mod imapd;
pub mod leftovers;
pub mod message;
pub mod model;
pub mod pattern;
pub mod response;
pub mod sink;
pub mod stepper;
pub mod stream;
pub mod suite;
pub mod world;

include!(concat!(env!("OUT_DIR"), "/suite_macro.rs"));

pub use client::Client;
pub use world::{Kind, World};
