//! The IMAP protocol without I/O.

mod answer;
mod capability;
mod charset;
mod codec;
mod command;
mod command_table;
mod connection;
mod frame;
mod grammar;
mod limits;
mod look_ahead;
mod state;
mod utf7;
mod write;

pub use answer::{Answer, Code, Verdict};
pub use capability::Config;
pub use command::{AppendArgs, Command, MailboxArg, RawNumSet, RawSet, Secret, SetEnd};
pub use connection::{Connection, Event, Greeting, NotATag, Tag};
pub use grammar::set::{resolve_search, resolve_search_seq, resolve_seq, resolve_uid};
pub use limits::{Limits, SideLimits};
pub use state::{Enabled, State};
pub use write::Writer;
