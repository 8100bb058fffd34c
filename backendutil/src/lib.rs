//! Placeholder.

pub mod list;
