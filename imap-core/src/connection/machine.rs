//! The machine of a connection: which octet belongs to what, one step after the other.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, BytesMut};
use zeroize::Zeroize;

use super::{Connection, Event, Gathered, IDLE_LINE, KEPT_BUFFER, Mode, Running, Tag, at_most};
use crate::answer::{Answer, Code, Verdict};
use crate::capability::Facts;
use crate::command::{AppendArgs, Command, Secret};
use crate::command_table::{Kind, Row};
use crate::frame::{Found, Framer, LONGEST_HEADER, LiteralHeader, inside_quotes, literal_header};
use crate::grammar::{self, Message, Stop};
use crate::limits::SideLimits;
use crate::look_ahead::{Ahead, look};
use crate::state::State;

impl Connection {
    pub(super) fn side(&self) -> &SideLimits {
        self.config.limits.side(self.state.is_authenticated())
    }

    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            config: &self.config,
            state: self.state,
            tls: self.tls,
            loopback: self.loopback,
            abilities: self.abilities,
            append_limit: self.append_limit,
        }
    }

    /// One step; `None` when there is another to be made at once.
    pub(super) fn step(&mut self) -> Option<Event> {
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
        self.gathered.read += self.gathered.octets.len();
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
        } else if self.gathered.literals >= side.literals || self.gathered.read > self.config.limits.read_again {
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
        let Some(tag) = self.running.as_ref().map(|r| r.tag.clone()) else {
            self.mode = Mode::SkipLine { crlf: false };
            return None;
        };
        if let Found::Line(len) = found {
            let content = self.input.get(..len - 2).unwrap_or_default();
            if content.is_empty() {
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
    pub(super) fn enter(&mut self, mode: Mode) {
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
            return self.bye("a literal has a size that 64 bits can say", None);
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
    pub(super) fn count(&mut self, verdict: Verdict) {
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
            true => Ahead::Numbers(0),
            false => Ahead::NoneUpTo(0),
        }
    }

    /// The command that starts at octet `at` of the input, if it is all here on one line and could be run in this state, and
    /// where the next one starts.
    pub(super) fn peek(&self, at: usize) -> Option<(Command, usize)> {
        let rest = self.input.get(at..).filter(|_| self.mode == Mode::Line)?;
        let Found::Line(len) = Framer::default().find(rest, self.side().line) else {
            return None;
        };
        let content = rest.get(..len - 2)?;
        if literal_header(content).is_some() {
            return None;
        }
        let read = grammar::read(content, true, &self.facts()).ok()?;
        Some((read.command, at + len))
    }

    /// Whether a command that uses message numbers waits, or may. Where it was found is remembered: each octet is looked at
    /// once, however many commands stand in front of it.
    pub(super) fn look_ahead(&mut self) -> bool {
        let (found, at) = match self.look() {
            Ahead::Numbers(at) => (true, at),
            Ahead::NoneUpTo(at) => (false, at),
        };
        self.looked = at;
        found
    }
}
