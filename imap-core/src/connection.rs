//! One connection without I/O: what its driver calls.

mod event;
mod machine;

use std::fmt;
use std::sync::Arc;

use backend_api::{Abilities, Rights, Selected};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use zeroize::Zeroizing;

use crate::answer::{Answer, Code, Verdict};
use crate::capability::Config;
use crate::command::Command;
use crate::command_table::{HeldBack, Kind, Row};
use crate::frame::Framer;
use crate::limits::Limits;
use crate::state::{Enabled, State};
use crate::write::Writer;

pub use event::{Event, Greeting, NotATag, Tag};

/// One connection. See the [crate's documentation](crate) for the loop that drives it.
///
/// *From the wire*: [`input`](Self::input), [`next_event`](Self::next_event), the literal methods.
/// *State*: [`state`](Self::state), `set_…`, the rights. *To the wire*: [`writer`](Self::writer),
/// [`complete`](Self::complete), [`output`](Self::output).
#[derive(Debug)]
pub struct Connection {
    config: Arc<Config>,
    tls: bool,
    loopback: bool,
    append_limit: u64,
    abilities: Abilities,
    state: State,
    enabled: Enabled,
    mode: Mode,
    /// The command that waits for its answer.
    running: Option<Running>,
    input: BytesMut,
    framer: Framer,
    /// The present command so far, once it has argument literals: its lines and their octets in one piece.
    gathered: Gathered,
    writer: Writer,
    /// Commands answered BAD in a row.
    bad: u32,
    /// Commands in a row at whose end something was held back.
    held_back: u32,
    /// So many octets of `input` hold only commands that use no message numbers.
    looked: usize,
}

#[derive(Debug, Clone)]
struct Running {
    tag: Tag,
    row: &'static Row,
}

/// What the next octet belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Mode {
    /// A line of a command.
    Line,
    /// An argument literal.
    Argument {
        left: u64,
    },
    /// A message literal that the driver has neither accepted nor refused.
    Offered {
        left: u64,
        synchronizing: bool,
    },
    /// A message literal that is being taken.
    Message {
        left: u64,
    },
    /// The line after a message literal.
    AfterMessage,
    /// The octets of a literal of a refused command, then the rest of that command.
    SkipOctets {
        left: u64,
    },
    /// The rest of a line of a refused command; with `crlf` a bare LF does not end it.
    SkipLine {
        crlf: bool,
    },
    /// The client's answer to a SASL challenge.
    Sasl,
    /// DONE.
    Idle,
    /// STARTTLS was answered OK: whatever comes before the handshake is no command.
    Tls,
    Closed(String),
}

/// A command's lines and argument literals; wiped when it is let go, for there may be a password in it.
#[derive(Default)]
struct Gathered {
    octets: Zeroizing<Vec<u8>>,
    literals: usize,
    /// Octets that were read when they were not all of the command.
    read: usize,
}

impl fmt::Debug for Gathered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} octets", self.octets.len())
    }
}

/// How much the buffer grows by when more is to be read.
const READ_PIECE: usize = 16 * 1024;
/// A buffer larger than this is given back once it is empty.
const KEPT_BUFFER: usize = 64 * 1024;
/// DONE and its CRLF, generously.
const IDLE_LINE: usize = 64;

impl Connection {
    /// A connection that has not been greeted. `tls`: it is encrypted already; `loopback`: both ends are on this machine.
    pub fn new(config: impl Into<Arc<Config>>, tls: bool, loopback: bool) -> Self {
        let config = config.into();
        let append_limit = config.limits.message;
        Self {
            config,
            tls,
            loopback,
            append_limit,
            abilities: Abilities::ALL,
            state: State::NotAuthenticated,
            enabled: Enabled::default(),
            mode: Mode::Line,
            running: None,
            input: BytesMut::new(),
            framer: Framer::default(),
            gathered: Gathered::default(),
            writer: Writer::default(),
            bad: 0,
            held_back: 0,
            looked: 0,
        }
    }

    // from the wire

    /// Where the driver appends the octets that it read (`read_buf`): there is spare capacity. Read only after
    /// [`Event::NeedInput`], so that no more is kept than one command needs.
    pub fn input(&mut self) -> &mut BytesMut {
        if self.input.capacity() - self.input.len() < READ_PIECE / 4 {
            self.input.reserve(READ_PIECE);
        }
        &mut self.input
    }

    /// The next event. Takes time in proportion to the octets received since the last call.
    pub fn next_event(&mut self) -> Event {
        loop {
            if let Some(event) = self.step() {
                return event;
            }
        }
    }

    /// Whether octets beyond the present command, or literal, have been received.
    pub fn has_input(&self) -> bool {
        !self.input.is_empty()
    }

    /// Whether a command has been given as an event and not been answered.
    pub fn in_progress(&self) -> bool {
        self.running.is_some()
    }

    /// Whether IDLE is running: DONE is awaited.
    pub fn is_idling(&self) -> bool {
        self.mode == Mode::Idle
    }

    /// Gives back the read buffer, if it is empty: for a connection that has nothing to say. IDLE does it by itself.
    pub fn shrink(&mut self) {
        if self.input.is_empty() {
            self.input = BytesMut::new();
        }
    }

    /// Octets of the present literal still to come, buffered or not.
    pub fn literal_remaining(&self) -> u64 {
        match self.mode {
            Mode::Offered { left, .. } | Mode::Message { left } => left,
            _ => 0,
        }
    }

    /// Takes up to `max` buffered octets of an accepted message literal; empty when none is buffered, or none is left.
    pub fn read_literal(&mut self, max: usize) -> Bytes {
        let Mode::Message { left } = &mut self.mode else {
            return Bytes::new();
        };
        let n = at_most(*left, self.input.len()).min(max);
        *left -= n as u64;
        self.looked = 0;
        self.input.split_to(n).freeze()
    }

    /// Says that `n` octets of an accepted message literal were read from the socket past the buffer. Only while
    /// [`read_literal`](Self::read_literal) gives none.
    pub fn literal_read_directly(&mut self, n: usize) {
        if let Mode::Message { left } = &mut self.mode {
            *left = left.saturating_sub(n as u64);
        }
    }

    /// Accepts the message literal: a client that waits is told to go on (`+ `).
    pub fn accept_literal(&mut self) {
        if let Mode::Offered { left, synchronizing } = self.mode {
            if synchronizing {
                self.writer.continuation("go on");
            }
            self.mode = Mode::Message { left };
        }
    }

    /// Ends an APPEND before its message, or in the middle of it: queues the tagged answer, throws away what is still to
    /// come of the command.
    pub fn refuse_literal(&mut self, tag: &Tag, answer: &Answer<'_>) {
        let mode = self.mode.clone();
        self.complete(tag, answer);
        self.enter(match mode {
            // A client that waits for `+ ` sends no octets after a tagged answer.
            Mode::Offered {
                synchronizing: true, ..
            } => Mode::Line,
            Mode::Offered { left, .. } | Mode::Message { left } => Mode::SkipOctets { left },
            Mode::AfterMessage => Mode::SkipLine { crlf: false },
            other => other,
        });
    }

    // state

    /// The state (RFC 3501 3).
    pub fn state(&self) -> State {
        self.state
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.config.limits
    }

    /// The largest message that APPEND takes here, in octets.
    pub fn append_limit(&self) -> u64 {
        self.append_limit
    }

    /// Lowers [`append_limit`](Self::append_limit) to what the backend takes (RFC 7889).
    pub fn set_append_limit(&mut self, octets: u64) {
        self.append_limit = octets.min(self.config.limits.message);
    }

    /// What is advertised of what a backend may be able to do: before login what any session may, then what this one can.
    /// All of it until this is called.
    pub fn set_abilities(&mut self, abilities: Abilities) {
        self.abilities = abilities;
    }

    /// Somebody has logged in.
    pub fn set_authenticated(&mut self) {
        self.state = State::Authenticated;
    }

    /// A mailbox is selected, with `exists` messages as told to the client.
    pub fn set_selected(&mut self, read_only: bool, exists: u32) {
        self.state = State::Selected { read_only };
        self.writer.set_exists(exists);
    }

    /// No mailbox is selected: after CLOSE and UNSELECT, and before every SELECT, so that one that fails leaves none
    /// (R3501-130).
    pub fn set_unselected(&mut self) {
        if self.state.is_selected() {
            self.state = State::Authenticated;
        }
        self.writer.set_exists(0);
    }

    /// Number of messages as told to the client.
    pub fn exists(&self) -> u32 {
        self.writer.exists_told()
    }

    /// The extensions switched on by ENABLE.
    pub fn enabled(&self) -> &Enabled {
        &self.enabled
    }

    /// Switches on what of these can be, and writes `* ENABLED` (R5161-001 to R5161-007).
    pub fn enable(&mut self, names: &[String]) {
        let on = self.enabled.enable(names);
        self.writer.enabled(&on);
    }

    /// Whether the connection is encrypted.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// After the TLS handshake: every octet received before is forgotten (R3501-101).
    pub fn set_tls(&mut self) {
        self.input = BytesMut::new();
        self.framer.reset();
        self.gathered = Gathered::default();
        self.looked = 0;
        self.tls = true;
        if self.mode == Mode::Tls {
            self.mode = Mode::Line;
        }
    }

    /// The capabilities of this moment, as a list for `CAPABILITY`.
    pub fn capabilities(&self) -> String {
        self.facts().list()
    }

    /// Sends a SASL challenge: queues `+ ` and its base64 (R3501-106). The next line comes as [`Event::SaslResponse`].
    pub fn sasl_challenge(&mut self, challenge: &[u8]) {
        self.writer.continuation(&STANDARD.encode(challenge));
        self.mode = Mode::Sasl;
    }

    /// Enters IDLE: queues `+ idling` (RFC 2177 3).
    pub fn begin_idle(&mut self) {
        self.writer.continuation("idling");
        self.mode = Mode::Idle;
        self.shrink();
    }

    /// What may be told before the running command is answered: `UID FETCH` and `UID SEARCH` mean the mailbox of now.
    /// Less when commands that use message numbers wait.
    pub fn rights_at_start(&mut self) -> Rights {
        let start = self.running.as_ref().map_or(Rights::NONE, |running| running.row.start);
        if !start.is_none() && self.look_ahead() {
            return Rights::FLAGS;
        }
        start
    }

    /// What may be told at the end of the running command, before its answer. Call it once a command: it counts how often
    /// something was held back.
    pub fn rights_at_end(&mut self) -> Rights {
        let Some(row) = self.running.as_ref().map(|r| r.row) else {
            return Rights::NONE;
        };
        if row.end.is_none() {
            return row.end;
        }
        if !self.look_ahead() || self.held_back >= self.config.limits.hold_back_commands {
            self.held_back = 0;
            return row.end;
        }
        self.held_back += 1;
        let mut rights = Rights::FLAGS;
        rights.expunge = row.held_back == HeldBack::Exists;
        rights
    }

    /// What may be told during IDLE: EXPUNGE only while no octet beyond the IDLE line is unread.
    pub fn rights_in_idle(&self) -> Rights {
        match self.mode {
            Mode::Idle if self.input.is_empty() => Rights::ALL,
            Mode::Idle => Rights::NO_EXPUNGE,
            _ => Rights::NONE,
        }
    }

    /// Hold-back (RFC 3501 5.5): octets of a further command that uses message numbers or `*`, or may turn out to, have been
    /// received.
    pub fn holds_back(&mut self) -> bool {
        self.look_ahead()
    }

    /// A command that waits behind the running one, without taking it: the one that starts at octet `at` of what was read and
    /// not taken, if it is all here on one line and is legal in the present state; and where the next one starts. `at` is 0 or
    /// what this returned.
    pub fn peek_command(&self, at: usize) -> Option<(Command, usize)> {
        self.peek(at)
    }

    /// Whether something was held back at the end of the last commands. The driver, which has the clock, calls
    /// [`end_hold_back`](Self::end_hold_back) when that has been so for 5 seconds.
    pub fn is_holding_back(&self) -> bool {
        self.held_back > 0
    }

    /// The next [`rights_at_end`](Self::rights_at_end) holds nothing back.
    pub fn end_hold_back(&mut self) {
        self.held_back = self.config.limits.hold_back_commands;
    }

    // to the wire

    /// Queues the tagged answer of a command, which is over with it.
    pub fn complete(&mut self, tag: &Tag, answer: &Answer<'_>) {
        self.writer.tagged(tag, answer);
        self.count(answer.verdict);
        let row = self.running.take().map(|r| r.row);
        let starttls = row.is_some_and(|r| r.kind == Kind::StartTls);
        if starttls && answer.verdict == Verdict::Ok {
            self.mode = Mode::Tls;
        }
        if matches!(self.mode, Mode::Sasl | Mode::Idle) {
            self.mode = Mode::Line;
        }
    }

    /// Untagged responses.
    pub fn writer(&mut self) -> &mut Writer {
        &mut self.writer
    }

    /// Greets. `Ok` and `PreAuth` carry the capabilities; `PreAuth` logs in.
    pub fn greeting(&mut self, greeting: Greeting<'_>) {
        let (word, text) = match greeting {
            Greeting::Ok(text) => ("OK", text),
            Greeting::PreAuth(text) => {
                self.state = State::Authenticated;
                ("PREAUTH", text)
            }
            Greeting::Bye(text) => return self.bye(text, None),
        };
        let code = Code::Capability(self.capabilities().into());
        self.writer.condition(word, Some(&code), text);
    }

    /// Queues `* BYE`: the connection is to be closed, which is what the next event says. A response that is open is taken
    /// back; if a part of it was sent already, nothing is queued, for BYE may not stand inside a response. The answer to
    /// LOGOUT may still follow.
    pub fn bye(&mut self, text: &str, code: Option<Code<'_>>) {
        if self.state == State::Logout {
            return;
        }
        self.writer.condition("BYE", code.as_ref(), text);
        self.state = State::Logout;
        self.mode = Mode::Closed(text.to_owned());
        self.input = BytesMut::new();
        self.gathered = Gathered::default();
        self.looked = 0;
    }

    /// Octets waiting to be sent.
    pub fn pending(&self) -> usize {
        self.writer.pending()
    }

    /// The octets to be sent; the driver takes them from the front.
    pub fn output(&mut self) -> &mut BytesMut {
        self.writer.output()
    }

    /// What SELECT tells, and the state after it: [`Writer::selected`] and [`set_selected`](Self::set_selected).
    pub fn select(&mut self, selected: &Selected, read_only: bool) {
        self.writer.selected(selected);
        self.set_selected(read_only, selected.exists);
    }
}

fn at_most(left: u64, available: usize) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(available)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_with_nothing_to_say_keeps_no_buffer() {
        let mut conn = Connection::new(Config::default(), true, false);
        conn.set_authenticated();
        conn.input().extend_from_slice(b"a IDLE\r\n");
        assert!(matches!(conn.next_event(), Event::Command { .. }));
        conn.begin_idle();
        assert_eq!(conn.input.capacity(), 0);
        conn.input().extend_from_slice(b"DONE\r\n");
        assert!(matches!(conn.next_event(), Event::IdleDone { .. }));
        conn.shrink();
        assert_eq!(conn.input.capacity(), 0);
    }
}
