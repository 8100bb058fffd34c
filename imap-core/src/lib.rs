//! The IMAP protocol without I/O: octets in, events out; replies in, octets out.
//!
//! A driver (in this workspace `imap-server`) owns a socket and a [`Connection`] and runs this loop; nothing here waits,
//! knows a clock or allocates without a bound. Whoever only wants to serve mail needs `imap-server`, not this crate.
//!
//! 1. Ask for the [next event](Connection::next_event) until it is [`Event::NeedInput`]; answer each command with untagged
//!    responses through the [`Writer`] and one [`complete`](Connection::complete).
//! 2. Send the [`output`](Connection::output).
//! 3. Read octets into [`input`](Connection::input), and begin again.
//!
//! Before a command is answered, [`rights_at_end`](Connection::rights_at_end) says what may be told of changes made by
//! others; this crate alone decides that, from its command table.
//!
//! A whole session, with no socket:
//!
//! ```
//! use imap_core::{Answer, Code, Command, Config, Connection, Event, Greeting};
//!
//! let mut conn = Connection::new(Config::default(), /* TLS */ true, /* loopback */ false);
//! conn.greeting(Greeting::Ok("ready"));
//! assert!(conn.output().split().starts_with(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN "));
//!
//! let mut push = |octets: &[u8]| {
//!     conn.input().extend_from_slice(octets);
//!     loop {
//!         match conn.next_event() {
//!             Event::NeedInput | Event::Close(_) => break conn.output().split(),
//!             Event::Command { tag, command } => {
//!                 let answer = match command {
//!                     Command::Login { user, password } if user == "fred" && password.expose() == b"foo" => {
//!                         conn.set_authenticated();
//!                         Answer::ok("welcome")
//!                     }
//!                     Command::Login { .. } => Answer::no("wrong").with_code(Code::AuthenticationFailed),
//!                     Command::Noop => Answer::ok("done"),
//!                     Command::Logout => {
//!                         conn.bye("logging out", None);
//!                         Answer::ok("done")
//!                     }
//!                     _ => Answer::no("not in this example").with_code(Code::Cannot),
//!                 };
//!                 conn.complete(&tag, &answer);
//!             }
//!             // What the core refused is answered already.
//!             _ => {}
//!         }
//!     }
//! };
//! assert_eq!(push(b"a1 LOGIN fred {3}\r\n"), "+ go on\r\n");
//! assert_eq!(push(b"foo\r\n"), "a1 OK welcome\r\n");
//! assert_eq!(push(b"a2 FETCH 1 FLAGS\r\n"), "a2 BAD FETCH is not possible now: select a mailbox first\r\n");
//! // A refused command's literal is thrown away, never run.
//! assert_eq!(push(b"a3 XYZZY {9+}\r\na4 LOGOUT\r\na5 NOOP\r\n"), "a3 BAD unknown command\r\na5 OK done\r\n");
//! assert_eq!(push(b"a6 LOGOUT\r\n"), "* BYE logging out\r\na6 OK done\r\n");
//! ```
//!
//! The files: `frame` finds lines and literals; `grammar` reads commands (`codec` asks imap-codec for three of them) into
//! the [`Command`]s of `command`, once `command_table` and `state` have allowed them; `connection` is the machine between;
//! `look_ahead` tells whether updates must wait; `write` writes, with the codes of `answer` and the names of `utf7`;
//! `capability` and `limits` are what a server can be told.

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
pub use command::{AppendArgs, Command, ListNames, ListOptions, MailboxArg, RawNumSet, RawSet, Secret, SetEnd};
pub use connection::{Connection, Event, Greeting, NotATag, Tag};
pub use grammar::set::{resolve_search, resolve_search_seq, resolve_seq, resolve_uid};
pub use limits::{Limits, SideLimits};
pub use state::{Enabled, State};
pub use write::Writer;
