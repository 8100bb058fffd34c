//! One connection without I/O: which octet belongs to what, and which event, answer or state follows from it.

use std::fmt;
use std::sync::Arc;

use backend_api::{Rights, Selected};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, Bytes, BytesMut};
use zeroize::{Zeroize, Zeroizing};

use crate::answer::{Answer, Code, Verdict};
use crate::capability::{Config, Facts};
use crate::command::{AppendArgs, Command, MailboxArg, Secret};
use crate::command_table::{HeldBack, Kind, Row};
use crate::frame::{Found, Framer, LONGEST_HEADER, LiteralHeader, inside_quotes, literal_header};
use crate::grammar::{self, Message, Stop};
use crate::limits::{Limits, SideLimits};
use crate::look_ahead::{Ahead, look};
use crate::state::{Enabled, State};
use crate::write::Writer;

/// The tag of a command: it is repeated in its answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tag(Box<str>);

impl Tag {
    /// The tag as the client wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is no tag by RFC 3501 9.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotATag;

impl std::str::FromStr for Tag {
    type Err = NotATag;

    fn from_str(text: &str) -> Result<Self, NotATag> {
        let whole = grammar::tag_of(text.as_bytes()).filter(|tag| tag.len() == text.len());
        whole.map(|tag| Self(tag.into())).ok_or(NotATag)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the driver is to do next.
#[derive(Debug, PartialEq)]
pub enum Event {
    /// A whole command that is legal in the present state. Answer it, then call [`Connection::complete`].
    Command {
        /// Its tag.
        tag: Tag,
        /// What is asked.
        command: Command,
    },
    /// APPEND has come to its message literal. Accept it with [`Connection::accept_literal`] and take the octets with
    /// [`Connection::read_literal`], or refuse it with [`Connection::refuse_literal`], also later. Octets that are left
    /// when the next event is asked for are thrown away.
    AppendMessage {
        /// The command's tag.
        tag: Tag,
        /// Where to.
        mailbox: MailboxArg,
        /// What comes with the message.
        args: AppendArgs,
        /// It is the first message of the command. (MULTIAPPEND, RFC 3502, is to come: it always is.)
        first: bool,
    },
    /// The APPEND ended properly after its message. Commit, answer, `complete`.
    AppendEnd {
        /// The command's tag.
        tag: Tag,
    },
    /// Syntax broke after the message of an APPEND: BAD is queued; drop what was begun. The command is over.
    AppendBroken,
    /// A line in answer to [`Connection::sasl_challenge`], base64 decoded; `None` is `*`, the client gives up: answer BAD
    /// (R3501-105).
    SaslResponse(Option<Secret>),
    /// DONE ended IDLE. Answer, `complete`.
    IdleDone {
        /// Tag of the IDLE.
        tag: Tag,
    },
    /// Something was refused by the core (syntax, state, limits): BAD or NO is queued. For the log alone; go on. During an
    /// AUTHENTICATE exchange or IDLE that command was refused with it and is over
    /// ([`Connection::in_progress`] is false).
    Refused {
        /// The command's tag, if it had one.
        tag: Option<Tag>,
        /// What the client was told, never with a part of what it sent.
        reason: String,
    },
    /// The connection is to be closed after the output was flushed; BYE is queued.
    Close(String),
    /// Nothing to do before more octets come: flush the output, then read.
    NeedInput,
}

/// How a connection is greeted (RFC 3501 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Greeting<'a> {
    /// `* OK [CAPABILITY …] text`
    Ok(&'a str),
    /// `* PREAUTH [CAPABILITY …] text`: the client is known already.
    PreAuth(&'a str),
    /// `* BYE text`: turned away.
    Bye(&'a str),
}

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
    pub fn rights_at_start(&self) -> Rights {
        let Some(running) = &self.running else {
            return Rights::NONE;
        };
        if !running.row.start.is_none() && self.holds_back() {
            return Rights::FLAGS;
        }
        running.row.start
    }

    /// What may be told at the end of the running command, before its answer. Call it once a command: it counts how often
    /// something was held back.
    pub fn rights_at_end(&mut self) -> Rights {
        let Some(row) = self.running.as_ref().map(|r| r.row) else {
            return Rights::NONE;
        };
        if row.end.is_none() || row.held_back == HeldBack::No {
            return row.end;
        }
        if !self.look_ahead() || self.held_back >= self.config.limits.hold_back_commands {
            self.held_back = 0;
            return row.end;
        }
        self.held_back += 1;
        Rights::FLAGS
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
    pub fn holds_back(&self) -> bool {
        self.look() == Ahead::Numbers
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

    // the machine

    fn side(&self) -> &SideLimits {
        self.config.limits.side(self.state.is_authenticated())
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            config: &self.config,
            state: self.state,
            tls: self.tls,
            loopback: self.loopback,
            append_limit: self.append_limit,
        }
    }

    /// One step; `None` when there is another to be made at once.
    fn step(&mut self) -> Option<Event> {
        match self.mode {
            Mode::Line if self.running.is_some() => Some(Event::NeedInput),
            Mode::Line => self.line(),
            Mode::Argument { left } => self.argument(left),
            Mode::Offered { .. } | Mode::Tls => Some(Event::NeedInput),
            Mode::Message { left } => self.rest_of_message(left),
            Mode::AfterMessage => self.after_message(),
            Mode::SkipOctets { left } => self.skip_octets(left),
            Mode::SkipLine { crlf } => self.skip_line(crlf),
            Mode::Sasl => self.sasl_line(),
            Mode::Idle => self.idle_line(),
            Mode::Closed(ref text) => {
                self.input.clear();
                Some(Event::Close(text.clone()))
            }
        }
    }

    fn need_input(&mut self) -> Option<Event> {
        if self.input.is_empty() && self.input.capacity() > KEPT_BUFFER {
            self.input = BytesMut::new();
        }
        Some(Event::NeedInput)
    }

    fn line(&mut self) -> Option<Event> {
        let limit = self
            .side()
            .line
            .min(self.side().command.saturating_sub(self.gathered.octets.len()));
        match self.framer.find(&self.input, limit) {
            Found::More => self.need_input(),
            Found::TooLong => {
                let why = Answer::bad("the command is too long").with_code(Code::TooBig);
                Some(self.refuse_present(why, Mode::SkipLine { crlf: false }))
            }
            Found::BareLf(len) => Some(self.bare_lf(len)),
            Found::Line(len) => self.whole_line(len),
        }
    }

    /// A line with an LF that has no CR before it is refused. It ends there, unless the LF stands in a quoted string: what
    /// follows is then text of that string, and no command.
    fn bare_lf(&mut self, len: usize) -> Event {
        let text = self.input.get(..len - 1).unwrap_or_default();
        let crlf = inside_quotes(text);
        let literal = literal_header(text);
        let refused = self.refuse_present(Answer::bad("a line ends with CR LF"), Mode::Line);
        self.consume(len);
        self.enter(if crlf { Mode::SkipLine { crlf } } else { Mode::Line });
        if let (false, Some(header)) = (crlf, literal) {
            self.skip_literal(header);
        }
        refused
    }

    fn whole_line(&mut self, len: usize) -> Option<Event> {
        let content = self.input.get(..len - 2).unwrap_or_default();
        let header = literal_header(content);
        let single = self.gathered.octets.is_empty();
        if single && content.iter().all(|b| *b == b' ') {
            self.consume(len);
            return Some(self.refuse(None, Answer::bad("expected a tag and a command")));
        }
        let Some(header) = header else {
            return Some(self.whole_command(len, single));
        };
        let literals = self.gathered.literals;
        self.gather(len);
        let text = &self.gathered.octets;
        // What a client sends without waiting needs no look before it is all here, but for a message.
        let append = grammar::row_of(text).is_some_and(|row| row.kind == Kind::Append);
        let stop = if literals > 0 && !header.synchronizing && !append {
            Stop::Literal
        } else {
            match grammar::read(text, false, &self.facts()) {
                Err(stop) => stop,
                Ok(_) => Stop::Refused(Answer::bad("a literal was not expected here")),
            }
        };
        match (stop, header.size) {
            (Stop::Literal, Some(size)) => self.argument_literal(size, header),
            (Stop::Message(message), Some(size)) => Some(self.message_literal(message, size, header)),
            (Stop::Literal | Stop::Message(_), None) => {
                let why = Answer::bad("expected a literal of a size that 64 bits can say");
                Some(self.refuse_literal_of_command(why, header))
            }
            (stop, _) => Some(self.refuse_literal_of_command(stop.into_answer(), header)),
        }
    }

    /// A command is all here: read it where it lies.
    fn whole_command(&mut self, len: usize, single: bool) -> Event {
        let read = if single {
            grammar::read(self.input.get(..len - 2).unwrap_or_default(), true, &self.facts())
        } else {
            self.gather(len);
            let text = &self.gathered.octets;
            grammar::read(
                text.get(..text.len().saturating_sub(2)).unwrap_or_default(),
                true,
                &self.facts(),
            )
        };
        let tag = self.present_tag();
        let read = match (read, tag) {
            (Ok(read), Some(tag)) => Ok((read, tag)),
            (Ok(_), None) => Err((Answer::bad("expected a tag"), None)),
            (Err(stop), tag) => Err((stop.into_answer(), tag)),
        };
        if single {
            self.consume_wiped(len);
        }
        self.forget_gathered();
        match read {
            Err((answer, tag)) => self.refuse(tag, answer),
            Ok((read, tag)) => {
                self.run(tag.clone(), read.row);
                Event::Command {
                    tag,
                    command: read.command,
                }
            }
        }
    }

    fn run(&mut self, tag: Tag, row: &'static Row) {
        self.writer.new_command();
        self.running = Some(Running { tag, row });
    }

    /// An argument literal is wanted: it is taken if it is within the limits.
    fn argument_literal(&mut self, size: u64, header: LiteralHeader) -> Option<Event> {
        let side = self.side();
        let total = size.saturating_add(self.gathered.octets.len() as u64);
        let too_big = if size > side.argument_literal {
            Some("the literal is too large")
        } else if total > side.command as u64 {
            Some("the command is too long")
        } else if self.gathered.literals >= side.literals {
            Some("the command has too many literals")
        } else {
            None
        };
        if let Some(why) = too_big {
            return Some(self.refuse_literal_of_command(Answer::bad(why).with_code(Code::TooBig), header));
        }
        self.gathered.literals += 1;
        if header.synchronizing {
            self.writer.continuation("go on");
        }
        self.mode = Mode::Argument { left: size };
        None
    }

    fn message_literal(&mut self, message: Message, size: u64, header: LiteralHeader) -> Event {
        let Some(tag) = self.present_tag() else {
            return self.refuse_literal_of_command(Answer::bad("expected a tag"), header);
        };
        if size > self.append_limit {
            let why = Answer::no("the message is too large").with_code(Code::TooBig);
            return self.refuse_literal_of_command(why, header);
        }
        if let Some(row) = grammar::row_of(&self.gathered.octets) {
            self.run(tag.clone(), row);
        }
        self.forget_gathered();
        self.mode = Mode::Offered {
            left: size,
            synchronizing: header.synchronizing,
        };
        Event::AppendMessage {
            tag,
            mailbox: message.mailbox,
            args: AppendArgs {
                flags: message.flags,
                date: message.date,
                size,
            },
            first: true,
        }
    }

    fn argument(&mut self, left: u64) -> Option<Event> {
        let n = at_most(left, self.input.len());
        if let Some(octets) = self.input.get_mut(..n) {
            self.gathered.octets.extend_from_slice(octets);
            octets.zeroize();
        }
        self.consume(n);
        let left = left - n as u64;
        if left > 0 {
            self.mode = Mode::Argument { left };
            return self.need_input();
        }
        self.mode = Mode::Line;
        None
    }

    fn rest_of_message(&mut self, left: u64) -> Option<Event> {
        let n = at_most(left, self.input.len());
        self.consume(n);
        let left = left - n as u64;
        if left > 0 {
            self.mode = Mode::Message { left };
            return self.need_input();
        }
        self.mode = Mode::AfterMessage;
        None
    }

    /// R3501-356: after the message the command ends; anything else is BAD, and nothing is stored.
    fn after_message(&mut self) -> Option<Event> {
        let found = self.framer.find(&self.input, self.side().line);
        let lenient = !self.config.strict_spaces;
        let Some(tag) = self.running.as_ref().map(|r| r.tag.clone()) else {
            self.mode = Mode::SkipLine { crlf: false };
            return None;
        };
        if let Found::Line(len) = found {
            let content = self.input.get(..len - 2).unwrap_or_default();
            if content.is_empty() || lenient && content.iter().all(|b| *b == b' ') {
                self.consume(len);
                self.mode = Mode::Line;
                return Some(Event::AppendEnd { tag });
            }
        }
        if found == Found::More {
            return self.need_input();
        }
        self.complete(&tag, &Answer::bad("expected the end of the command after the message"));
        self.framer.reset();
        self.enter(Mode::SkipLine { crlf: false });
        Some(Event::AppendBroken)
    }

    fn skip_octets(&mut self, left: u64) -> Option<Event> {
        let n = at_most(left, self.input.len());
        self.consume(n);
        let left = left - n as u64;
        if left > 0 {
            self.mode = Mode::SkipOctets { left };
            return self.need_input();
        }
        self.mode = Mode::SkipLine { crlf: false };
        None
    }

    /// Throws away the rest of a line, in bounded memory, and the literal that may follow it.
    fn skip_line(&mut self, crlf: bool) -> Option<Event> {
        match self.framer.find(&self.input, usize::MAX) {
            Found::More | Found::TooLong => {
                // The start of a literal's header may be here already.
                let n = self.input.len().saturating_sub(LONGEST_HEADER);
                if n > 0 {
                    self.consume(n);
                }
                self.need_input()
            }
            Found::BareLf(len) if crlf => {
                self.consume(len);
                None
            }
            Found::Line(len) | Found::BareLf(len) => {
                let line = self.input.get(..len - 1).unwrap_or_default();
                let header = literal_header(line.strip_suffix(b"\r").unwrap_or(line));
                self.consume(len);
                self.mode = Mode::Line;
                if let Some(header) = header {
                    self.skip_literal(header);
                }
                None
            }
        }
    }

    fn sasl_line(&mut self) -> Option<Event> {
        let found = self.framer.find(&self.input, self.config.limits.sasl_line);
        let len = match found {
            Found::More => return self.need_input(),
            Found::TooLong => {
                return Some(self.refuse_running("the response is too long", Mode::SkipLine { crlf: false }));
            }
            Found::BareLf(len) => {
                self.consume_wiped(len);
                return Some(self.refuse_running("a line ends with CR LF", Mode::Line));
            }
            Found::Line(len) => len,
        };
        let content = self.input.get(..len - 2).unwrap_or_default();
        let response = match content {
            b"*" => Some(None),
            _ => STANDARD.decode(content).ok().map(|octets| Some(Secret::new(octets))),
        };
        self.consume_wiped(len);
        // A further challenge sets it again.
        self.mode = Mode::Line;
        match response {
            Some(response) => Some(Event::SaslResponse(response)),
            // R3501-107
            None => Some(self.refuse_running("expected base64", Mode::Line)),
        }
    }

    /// Anything but DONE ends IDLE with BAD, and is not looked at as a command (R2177-007).
    fn idle_line(&mut self) -> Option<Event> {
        const EXPECTED: &str = "expected DONE";
        match self.framer.find(&self.input, IDLE_LINE) {
            Found::More => self.need_input(),
            Found::TooLong => Some(self.refuse_running(EXPECTED, Mode::SkipLine { crlf: false })),
            Found::BareLf(_) => Some(self.refuse_running(EXPECTED, Mode::SkipLine { crlf: false })),
            Found::Line(len) => {
                let content = self.input.get(..len - 2).unwrap_or_default();
                let done = content.trim_ascii_end().eq_ignore_ascii_case(b"DONE");
                let tag = self.running.as_ref().map(|r| r.tag.clone());
                let (true, Some(tag)) = (done, tag) else {
                    return Some(self.refuse_running(EXPECTED, Mode::SkipLine { crlf: false }));
                };
                self.consume(len);
                self.mode = Mode::Line;
                Some(Event::IdleDone { tag })
            }
        }
    }

    /// Goes on with `mode`, unless the connection is being closed.
    fn enter(&mut self, mode: Mode) {
        if self.state != State::Logout {
            self.mode = mode;
        }
    }

    // refusing

    /// Refuses the running command, which is in an exchange of its own lines.
    fn refuse_running(&mut self, why: &'static str, mode: Mode) -> Event {
        let tag = self.running.take().map(|r| r.tag);
        self.mode = mode;
        self.framer.reset();
        self.refuse(tag, Answer::bad(why))
    }

    /// Refuses the command whose line is at the start of the input, or is being gathered.
    fn refuse_present(&mut self, answer: Answer<'static>, mode: Mode) -> Event {
        let tag = self.present_tag();
        self.forget_gathered();
        self.framer.reset();
        self.mode = mode;
        self.refuse(tag, answer)
    }

    /// Refuses a gathered command at a literal. Its octets come all the same if the client does not wait (R7888-004).
    fn refuse_literal_of_command(&mut self, answer: Answer<'static>, header: LiteralHeader) -> Event {
        let event = self.refuse_present(answer, Mode::Line);
        self.skip_literal(header);
        event
    }

    /// The literal of a refused command: thrown away, if the client sends it. One that is absurdly large ends the
    /// connection (R7888-005, R7888-008).
    fn skip_literal(&mut self, header: LiteralHeader) {
        if header.size.is_none() {
            return self.bye("the literal is too large", Some(Code::TooBig));
        }
        let Some(left) = header
            .size
            .filter(|_| !header.synchronizing && self.state != State::Logout)
        else {
            return;
        };
        let discard = match self.state.is_authenticated() {
            // What may be sent may also be refused.
            true => self.side().discard.max(self.append_limit),
            false => self.side().discard,
        };
        if left > discard {
            return self.bye("the literal is too large", Some(Code::TooBig));
        }
        self.mode = Mode::SkipOctets { left };
    }

    fn refuse(&mut self, tag: Option<Tag>, answer: Answer<'static>) -> Event {
        match &tag {
            Some(tag) => self.writer.tagged(tag, &answer),
            None => self.writer.untagged(Verdict::Bad, answer.code.as_ref(), &answer.text),
        }
        self.count(answer.verdict);
        Event::Refused {
            tag,
            reason: answer.text.into_owned(),
        }
    }

    /// Counts commands answered BAD in a row.
    fn count(&mut self, verdict: Verdict) {
        self.bad = if verdict == Verdict::Bad { self.bad + 1 } else { 0 };
        if self.bad >= self.side().bad_commands {
            self.bye("too many bad commands", None);
        }
    }

    // octets

    /// The tag of the command that is gathered, or stands at the start of the input.
    fn present_tag(&self) -> Option<Tag> {
        let text: &[u8] = if self.gathered.octets.is_empty() {
            &self.input
        } else {
            &self.gathered.octets
        };
        grammar::tag_of(text).map(|tag| Tag(tag.into()))
    }

    fn gather(&mut self, len: usize) {
        if self.gathered.octets.capacity() == 0 && !self.state.is_authenticated() {
            // A password must not be left behind where the vector was before it grew.
            let all = self.side().command;
            self.gathered.octets.reserve_exact(all);
        }
        self.gathered
            .octets
            .extend_from_slice(self.input.get(..len).unwrap_or_default());
        self.consume_wiped(len);
    }

    fn forget_gathered(&mut self) {
        if self.gathered.octets.capacity() > 0 {
            self.gathered = Gathered::default();
        }
    }

    fn consume(&mut self, n: usize) {
        self.input.advance(n.min(self.input.len()));
        self.looked = self.looked.saturating_sub(n);
        self.framer.reset();
    }

    /// Consumes octets with which somebody may be logging in.
    fn consume_wiped(&mut self, n: usize) {
        if let Some(octets) = self.input.get_mut(..n).filter(|_| !self.state.is_authenticated()) {
            octets.zeroize();
        }
        self.consume(n);
    }

    fn look(&self) -> Ahead {
        let left = match self.mode {
            Mode::Offered { left, .. } | Mode::Message { left } => left,
            Mode::AfterMessage => 0,
            _ => return look(&self.input, self.looked.min(self.input.len())),
        };
        // A message literal is here, at least in part, and the command's last CRLF; anything more may be a command.
        match self.input.len() as u64 > left.saturating_add(2) {
            true => Ahead::Numbers,
            false => Ahead::NoneUpTo(0),
        }
    }

    fn look_ahead(&mut self) -> bool {
        match self.look() {
            Ahead::Numbers => true,
            Ahead::NoneUpTo(at) => {
                self.looked = at;
                false
            }
        }
    }
}

fn at_most(left: u64, available: usize) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(available)
}
