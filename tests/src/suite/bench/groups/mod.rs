//! The groups: each file measures what its `GROUP` lists, and looks at every answer.

pub(super) mod append;
pub(super) mod copy;
pub(super) mod expunge;
pub(super) mod fanout;
pub(super) mod fetch;
pub(super) mod idle;
pub(super) mod large_message;
pub(super) mod login;
pub(super) mod mailboxes;
pub(super) mod noop;
pub(super) mod populate;
pub(super) mod search;
pub(super) mod select;
pub(super) mod session;
pub(super) mod store;
