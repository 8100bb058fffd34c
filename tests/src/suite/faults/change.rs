//! What stands between a server and a client: it knows which command is being answered, and passes on what a fault makes
//! of each response.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, duplex, split};

use super::{Common, Fault, Tells};
use crate::frame::{Framing, literal_at_end, response_len};
use crate::stream::BoxedStream;

/// A command of a client.
#[derive(Debug, Clone)]
pub(super) struct Command {
    /// Its tag.
    pub(super) tag: String,
    /// In capitals, with `UID ` in front where that was.
    pub(super) name: String,
    /// Its first line, without CR LF.
    pub(super) line: String,
    /// Whether it has a literal that was sent at once.
    pub(super) at_once: bool,
}

impl Command {
    fn read(line: &str) -> Self {
        let mut words = line.split(' ');
        let tag = words.next().unwrap_or_default().to_owned();
        let mut name = words.next().unwrap_or_default().to_ascii_uppercase();
        if name == "UID" {
            name = format!("UID {}", words.next().unwrap_or_default().to_ascii_uppercase());
        }
        Self {
            tag,
            name,
            line: line.to_owned(),
            at_once: false,
        }
    }

    /// Its name without UID.
    pub(super) fn verb(&self) -> &str {
        self.name.strip_prefix("UID ").unwrap_or(&self.name)
    }

    /// Whether the suite itself asks, before the scenario begins.
    fn is_setup(&self) -> bool {
        self.tag.starts_with("setup")
    }
}

/// A response as it came, and what is known when it comes.
#[derive(Debug)]
pub(super) struct Heard {
    /// All of it, a character for each octet, with its literals and CR LF.
    pub(super) text: String,
    /// The command that is being answered.
    pub(super) command: Option<Command>,
    /// The tag of the command behind that, if it was sent already.
    pub(super) behind: Option<String>,
    /// Whether this is the greeting.
    pub(super) greeting: bool,
}

impl Heard {
    /// The word that tells what it is: of `* 3 EXISTS` and `* SEARCH 1` the name, of a status response its condition.
    pub(super) fn word(&self) -> &str {
        let mut words = self.text.trim_end().split(' ').skip(1);
        let first = words.next().unwrap_or_default();
        match first.bytes().all(|b| b.is_ascii_digit()) {
            true => words.next().unwrap_or_default(),
            false => first,
        }
    }

    /// Whether it is an untagged response of this name.
    pub(super) fn is(&self, name: &str) -> bool {
        self.text.starts_with("* ") && self.word() == name
    }

    /// The number in front of it.
    pub(super) fn number(&self) -> Option<u32> {
        self.text.strip_prefix("* ")?.split(' ').next()?.parse().ok()
    }

    /// The same with another number in front.
    pub(super) fn numbered(&self, number: u32) -> Option<String> {
        let before = self.number()?;
        Some(self.text.replacen(&format!("* {before} "), &format!("* {number} "), 1))
    }

    /// Whether it completes the command.
    pub(super) fn tagged(&self) -> bool {
        self.command
            .as_ref()
            .is_some_and(|c| self.text.starts_with(&format!("{} ", c.tag)))
    }

    /// Whether it completes the command in this way.
    pub(super) fn completes(&self, word: &str) -> bool {
        self.tagged() && self.word() == word
    }

    /// Whether it is `+`.
    pub(super) fn asks(&self) -> bool {
        self.text.starts_with('+')
    }

    /// The name of the command that is being answered, without UID; empty where none is.
    pub(super) fn verb(&self) -> &str {
        self.command.as_ref().map_or("", Command::verb)
    }

    /// The same with UID, and the whole first line of the command.
    pub(super) fn line(&self) -> &str {
        self.command.as_ref().map_or("", |c| &c.line)
    }

    /// Whether a UID command is being answered.
    pub(super) fn of_uids(&self) -> bool {
        self.command.as_ref().is_some_and(|c| c.name.starts_with("UID "))
    }

    /// Whether it has this response code.
    pub(super) fn has_code(&self, code: &str) -> bool {
        let status = matches!(self.word(), "OK" | "NO" | "BAD" | "BYE");
        status && (self.text.contains(&format!(" [{code} ")) || self.text.contains(&format!(" [{code}]")))
    }

    /// The same without its response code.
    pub(super) fn without_code(&self) -> Option<String> {
        let (before, code) = self.text.split_once('[')?;
        let (_, after) = code.split_once("] ")?;
        Some(format!("{before}{after}"))
    }

    /// The same with one text in place of another; none where it has no such.
    pub(super) fn with(&self, from: &str, to: &str) -> Option<String> {
        self.text.contains(from).then(|| self.text.replacen(from, to, 1))
    }
}

/// What a fault remembers of a connection.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// How many messages there are, as the client was told by the server.
    pub(super) exists: u32,
    /// How often something was there.
    pub(super) count: u32,
    /// What was kept back.
    pub(super) kept: Vec<String>,
    /// A tag that was kept back.
    pub(super) tag: Option<String>,
    /// EXPUNGE responses that other clients were told, and this one not.
    pub(super) of_others: Vec<String>,
    seen: usize,
}

struct State {
    fault: Option<&'static Fault>,
    common: Arc<Common>,
    number: usize,
    commands: VecDeque<Command>,
    greeted: bool,
    memory: Memory,
    kept: Vec<String>,
}

/// Puts a fault between a server's stream and a client; the client's end is returned.
pub(super) fn between(server: BoxedStream, fault: Option<&'static Fault>, common: Arc<Common>) -> BoxedStream {
    let (ours, theirs) = duplex(64 * 1024);
    let (from_server, to_server) = split(server);
    let (from_client, to_client) = split(theirs);
    let state = Arc::new(Mutex::new(State {
        fault,
        number: common.connections.fetch_add(1, Ordering::Relaxed),
        common,
        commands: VecDeque::new(),
        greeted: false,
        memory: Memory::default(),
        kept: Vec::new(),
    }));
    tokio::spawn(pass_commands(from_client, to_server, state.clone()));
    tokio::spawn(pass_responses(from_server, to_client, state));
    Box::new(ours)
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn pass_commands(
    mut from_client: ReadHalf<tokio::io::DuplexStream>,
    mut to_server: WriteHalf<BoxedStream>,
    state: Arc<Mutex<State>>,
) {
    let mut asking = Asking::default();
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
        let mut out = Vec::new();
        for octet in buffer.get(..count).unwrap_or_default() {
            asking.pass(*octet, &state, &mut out);
        }
        if to_server.write_all(&out).await.is_err() {
            return;
        }
    }
    let _ = to_server.shutdown().await;
}

/// How far the client's octets were read.
#[derive(Default)]
struct Asking {
    line: Vec<u8>,
    /// Octets of a literal that are still to come.
    literal: usize,
    /// The tag of the command whose literal is to come if the server asks for it.
    awaited: Option<(String, usize)>,
    /// Whether the line goes on with a command behind a literal.
    goes_on: bool,
}

impl Asking {
    fn pass(&mut self, octet: u8, state: &Mutex<State>, out: &mut Vec<u8>) {
        if let Some((tag, size)) = self.awaited.take() {
            // Where the command was answered instead, this is another command.
            match lock(state).commands.iter().any(|c| c.tag == tag) {
                true => self.literal = size,
                false => self.goes_on = false,
            }
        }
        if self.literal > 0 {
            self.literal -= 1;
            out.push(octet);
            return;
        }
        let mut state = lock(state);
        let asks = state.fault.and_then(|fault| fault.asks);
        self.line.push(octet);
        if asks.is_none() {
            out.push(octet);
        }
        if octet != b'\n' {
            return;
        }
        let mut line = std::mem::take(&mut self.line);
        let whole = line
            .strip_suffix(b"\r\n")
            .or(line.strip_suffix(b"\n"))
            .unwrap_or_default();
        let text = latin(whole);
        let mut changed = None;
        if !self.goes_on && !state.is_data(&text) {
            let command = Command::read(&text);
            changed = asks.filter(|_| !command.is_setup()).and_then(|asks| asks(&command));
            state.commands.push_back(command);
        }
        self.goes_on = false;
        if let Some(command) = state.commands.back_mut() {
            let at_once = whole.strip_suffix(b"+}").map(|front| [front, b"}"].concat());
            command.at_once |= at_once.is_some();
            let size = literal_at_end(at_once.as_deref().unwrap_or(whole));
            self.goes_on = size.is_some();
            match size {
                Some(size) if at_once.is_some() => self.literal = size,
                Some(size) => self.awaited = Some((command.tag.clone(), size)),
                None => {}
            }
        }
        if asks.is_some() {
            if let Some(changed) = changed {
                state.common.changes.fetch_add(1, Ordering::Relaxed);
                line = [octets(&changed), b"\r\n".to_vec()].concat();
            }
            out.extend(line);
        }
    }
}

impl State {
    /// Whether a line belongs to a command that goes on: DONE, or an answer to a challenge.
    fn is_data(&self, line: &str) -> bool {
        match self.commands.back().map(Command::verb) {
            Some("IDLE") => line.eq_ignore_ascii_case("DONE"),
            Some("AUTHENTICATE") => !line.contains(' '),
            _ => false,
        }
    }

    /// What becomes of a response.
    fn tell(&mut self, response: &[u8], out: &mut Vec<u8>) {
        let heard = Heard {
            text: latin(response),
            command: self.commands.front().cloned(),
            behind: self.commands.get(1).map(|c| c.tag.clone()),
            greeting: !self.greeted,
        };
        self.greeted = true;
        let setup = heard.command.as_ref().is_some_and(Command::is_setup);
        let done = heard.tagged() || self.answers_another(&heard);
        let tells = self.fault.filter(|_| !setup).map_or(Tells::AsItIs, |fault| fault.tells);
        self.learn_of_others();
        let told = match tells {
            Tells::AsItIs => None,
            Tells::Each(tells) => tells(&heard),
            Tells::Remembering(tells) => tells(&mut self.memory, &heard),
            Tells::Answer(tells) => Some(self.answer(tells, &heard, done)),
        };
        if heard.is("EXPUNGE") && !setup {
            lock(&self.common.expunged).push((self.number, heard.text.clone()));
        }
        match heard.word() {
            "EXISTS" => self.memory.exists = heard.number().unwrap_or_default(),
            "EXPUNGE" => self.memory.exists = self.memory.exists.saturating_sub(1),
            _ => {}
        }
        if done {
            self.answered(&heard);
        }
        match told {
            Some(told) => {
                let counted = !matches!(tells, Tells::Answer(_)) && told != heard.text;
                self.common.changes.fetch_add(usize::from(counted), Ordering::Relaxed);
                out.extend(octets(&told));
            }
            None => out.extend_from_slice(response),
        }
    }

    fn answer(&mut self, tells: fn(&Heard, &mut Vec<String>), heard: &Heard, done: bool) -> String {
        if heard.command.is_none() || heard.asks() || heard.verb() == "IDLE" {
            let mut whole = self.kept.drain(..).collect::<String>();
            whole.push_str(&heard.text);
            return whole;
        }
        self.kept.push(heard.text.clone());
        if !done {
            return String::new();
        }
        let before = std::mem::take(&mut self.kept);
        let mut lines = before.clone();
        tells(heard, &mut lines);
        let changed = usize::from(lines != before);
        self.common.changes.fetch_add(changed, Ordering::Relaxed);
        lines.concat()
    }

    /// Whether it completes a command behind the first: what was read as the first was none.
    fn answers_another(&self, heard: &Heard) -> bool {
        let mut others = self.commands.iter().skip(1);
        others.any(|c| heard.text.starts_with(&format!("{} ", c.tag)))
    }

    fn answered(&mut self, heard: &Heard) {
        let tag = heard.text.split(' ').next().unwrap_or_default();
        if let Some(at) = self.commands.iter().position(|c| c.tag == tag) {
            self.commands.drain(..=at);
        }
    }

    fn learn_of_others(&mut self) {
        let told = lock(&self.common.expunged);
        let new = told.iter().skip(self.memory.seen);
        let of_others = new.filter(|(to, _)| *to != self.number).map(|(_, text)| text.clone());
        self.memory.of_others.extend(of_others);
        self.memory.seen = told.len();
    }
}

async fn pass_responses(
    mut from_server: ReadHalf<BoxedStream>,
    mut to_client: WriteHalf<tokio::io::DuplexStream>,
    state: Arc<Mutex<State>>,
) {
    let mut unread = Vec::new();
    while let Ok(1..) = from_server.read_buf(&mut unread).await {
        let mut told = Vec::new();
        while let Framing::Whole(len) = response_len(&unread) {
            let rest = unread.split_off(len);
            let response = std::mem::replace(&mut unread, rest);
            lock(&state).tell(&response, &mut told);
        }
        if to_client.write_all(&told).await.is_err() {
            return;
        }
    }
    let rest = std::mem::take(&mut lock(&state).kept).concat();
    let _ = to_client.write_all(&octets(&rest)).await;
    let _ = to_client.shutdown().await;
}

/// A character for each octet.
fn latin(octets: &[u8]) -> String {
    octets.iter().map(|octet| char::from(*octet)).collect()
}

/// An octet for each character.
fn octets(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_response_is_can_be_told() {
        let heard = |text: &str| Heard {
            text: text.to_owned(),
            command: Some(Command::read("a uid fetch 1 flags")),
            behind: None,
            greeting: false,
        };
        assert!(heard("* 3 EXISTS\r\n").is("EXISTS"));
        assert_eq!(heard("* 3 EXISTS\r\n").numbered(2).as_deref(), Some("* 2 EXISTS\r\n"));
        assert!(heard("a OK [X] done\r\n").completes("OK"));
        assert!(!heard("ab OK done\r\n").tagged());
        assert_eq!(
            heard("a OK [X] done\r\n").without_code().as_deref(),
            Some("a OK done\r\n")
        );
        assert_eq!((heard("").verb(), heard("").of_uids()), ("FETCH", true));
    }
}
