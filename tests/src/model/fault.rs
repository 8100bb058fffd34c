//! Faults between a right server and its clients: proof that the model checker finds them.

use std::collections::HashMap;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::sync::watch;

use crate::frame::{Framing, response_len};
use crate::response::Response;
use crate::stream::BoxedStream;

/// A way to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// EXPUNGE is kept back and told while a later FETCH by number is answered.
    ExpungeDuringFetch,
    /// Each EXPUNGE is told twice.
    ExpungeTwice,
    /// EXISTS is told by SELECT alone.
    LostExists,
    /// Of flag changes by others only the first for each number is told.
    SecondFlagChangeDropped,
    /// Once a message is gone its number means the next one: EXPUNGE is told two commands later.
    RenumberedBeforeTold,
    /// EXPUNGE is never told.
    LostExpunge,
    /// EXPUNGE tells a number that is one too high where there is such a number.
    WrongNumber,
    /// COPYUID names the target's UIDs in the wrong order.
    CopyUidReversed,
    /// APPENDUID is one too high.
    WrongAppendUid,
    /// FLAGS lack `\Deleted`.
    DeletedHidden,
    /// FETCH that tells changed flags has the number zero once in a while.
    NumberZero,
    /// What happened before IDLE is told when IDLE ends.
    LostWakeUp,
    /// What waits unread holds nothing back: each command is answered as if no other was behind it.
    TooEarly,
    /// Every message is recent to every session.
    RecentToAll,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::ExpungeDuringFetch,
        Self::ExpungeTwice,
        Self::LostExists,
        Self::SecondFlagChangeDropped,
        Self::RenumberedBeforeTold,
        Self::LostExpunge,
        Self::WrongNumber,
        Self::CopyUidReversed,
        Self::WrongAppendUid,
        Self::DeletedHidden,
        Self::NumberZero,
        Self::LostWakeUp,
        Self::TooEarly,
        Self::RecentToAll,
    ];

    /// Puts it between a server's stream and a client; the client's end is returned.
    pub(crate) fn between(self, server: DuplexStream) -> BoxedStream {
        let (ours, theirs) = duplex(64 * 1024);
        let (mut from_server, to_server) = split(server);
        let (from_client, mut to_client) = split(theirs);
        let (answered, answers) = watch::channel(0);
        tokio::spawn(pass_commands(from_client, to_server, self, answers));
        tokio::spawn(async move {
            let mut unread = BytesMut::new();
            let mut liar = Liar::new(self);
            while let Ok(1..) = from_server.read_buf(&mut unread).await {
                let mut told = Vec::new();
                while let Framing::Whole(len) = response_len(&unread) {
                    liar.pass(&unread.split_to(len), &mut told);
                }
                liar.read_all();
                if to_client.write_all(&told).await.is_err() {
                    return;
                }
                answered.send_replace(liar.settled);
            }
            let _ = to_client.shutdown().await;
        });
        Box::new(ours)
    }
}

/// Passes commands on; where nothing is to be held back, each when the one before it has been answered.
async fn pass_commands(
    mut from_client: ReadHalf<DuplexStream>,
    mut to_server: WriteHalf<DuplexStream>,
    fault: Fault,
    mut answers: watch::Receiver<u64>,
) {
    let mut unread = BytesMut::new();
    let mut passed = 0;
    while let Ok(1..) = from_client.read_buf(&mut unread).await {
        loop {
            let len = match fault {
                Fault::TooEarly => command_len(&unread),
                _ => Some(unread.len()).filter(|len| *len > 0),
            };
            let Some(len) = len else { break };
            if fault == Fault::TooEarly && answers.wait_for(|n| *n >= passed).await.is_err() {
                return;
            }
            if to_server.write_all(&unread.split_to(len)).await.is_err() {
                return;
            }
            passed += 1;
        }
    }
    let _ = to_server.shutdown().await;
}

/// How long the command at the front is, its literals included.
fn command_len(octets: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let end = from + octets.get(from..)?.iter().position(|b| *b == b'\n')? + 1;
        let line = octets.get(from..end)?.strip_suffix(b"\r\n")?;
        let Some(size) = line.strip_suffix(b"+}").and_then(|line| {
            let digits = line.rsplit(|b| *b == b'{').next()?;
            std::str::from_utf8(digits).ok()?.parse::<usize>().ok()
        }) else {
            return Some(end);
        };
        from = end + size;
    }
}

/// Passes responses on, falsified.
struct Liar {
    fault: Fault,
    exists: u32,
    /// SELECT or EXAMINE is being answered.
    in_select: bool,
    kept: Vec<Vec<u8>>,
    /// Tagged answers since something was kept.
    answers: u32,
    told_flags: HashMap<u32, u32>,
    /// Answers and continuations: commands that have been dealt with.
    settled: u64,
    /// The continuation of IDLE was passed on in this read.
    idles: bool,
}

impl Liar {
    fn new(fault: Fault) -> Self {
        Self {
            fault,
            exists: 0,
            in_select: false,
            kept: Vec::new(),
            answers: 0,
            told_flags: HashMap::new(),
            settled: 0,
            idles: false,
        }
    }

    /// Everything that was there has been passed on.
    fn read_all(&mut self) {
        self.idles = false;
    }

    fn pass(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        let text = String::from_utf8_lossy(octets).into_owned();
        self.in_select |= text.starts_with("* FLAGS (");
        let parsed = Response::parse(octets.strip_suffix(b"\r\n").unwrap_or(octets));
        let settles = text.starts_with('+') || matches!(parsed, Ok(Response::Condition(ref c)) if c.tag != "*");
        self.settled += u64::from(settles);
        match (self.fault, parsed) {
            (Fault::NumberZero, Ok(Response::Fetch { seq, uid: None, .. })) if seq > 1 => {
                out.extend(text.replacen(&format!("* {seq} "), "* 0 ", 1).bytes());
            }
            (Fault::RecentToAll, Ok(Response::Fetch { flags: Some(_), .. })) => {
                let recent = text.replacen("FLAGS (", "FLAGS (\\Recent ", 1);
                out.extend(recent.replacen(" )", ")", 1).bytes());
            }
            (Fault::LostWakeUp, Ok(Response::Continue)) => {
                self.idles = true;
                out.extend_from_slice(octets);
            }
            (Fault::LostWakeUp, Ok(Response::Condition(ref c))) if c.tag != "*" => {
                self.kept.drain(..).for_each(|kept| out.extend(kept));
                out.extend_from_slice(octets);
            }
            (Fault::LostWakeUp, _) if self.idles => self.kept.push(octets.to_vec()),
            (Fault::ExpungeDuringFetch, Ok(Response::Expunge(_))) => self.kept.push(octets.to_vec()),
            (Fault::ExpungeDuringFetch, Ok(Response::Fetch { uid: Some(_), .. })) => {
                out.extend_from_slice(octets);
                self.kept.drain(..).for_each(|kept| out.extend(kept));
            }
            (Fault::ExpungeTwice, Ok(Response::Expunge(_))) => out.extend([octets, octets].concat()),
            (Fault::LostExpunge, Ok(Response::Expunge(_))) => {}
            (Fault::WrongNumber, Ok(Response::Expunge(n))) => {
                let wrong = if n < self.exists { n + 1 } else { n };
                self.exists = self.exists.saturating_sub(1);
                out.extend(format!("* {wrong} EXPUNGE\r\n").bytes());
            }
            (Fault::LostExists, Ok(Response::Exists(_))) if !self.in_select => {}
            (Fault::SecondFlagChangeDropped, Ok(Response::Fetch { seq, uid: None, .. })) => {
                let times = self.told_flags.entry(seq).or_default();
                *times += 1;
                if *times == 1 {
                    out.extend_from_slice(octets);
                }
            }
            (Fault::RenumberedBeforeTold, Ok(Response::Expunge(_))) => {
                self.kept.push(octets.to_vec());
                self.answers = 0;
            }
            (Fault::CopyUidReversed, _) if text.contains("[COPYUID ") => out.extend(reversed(&text).bytes()),
            (Fault::WrongAppendUid, _) if text.contains("[APPENDUID ") => out.extend(raised(&text).bytes()),
            (Fault::DeletedHidden, Ok(Response::Fetch { body: None, .. })) => {
                out.extend(
                    text.replace(" \\Deleted", "")
                        .replace("\\Deleted ", "")
                        .replace("\\Deleted", "")
                        .bytes(),
                );
            }
            (_, parsed) => {
                if let Ok(Response::Exists(n)) = parsed {
                    self.exists = n;
                }
                let tagged = matches!(parsed, Ok(Response::Condition(ref c)) if c.tag != "*");
                self.in_select &= !tagged;
                if tagged && text.contains(" OK [READ-") {
                    self.kept.clear();
                    self.told_flags.clear();
                }
                self.answers += u32::from(tagged);
                if self.fault == Fault::RenumberedBeforeTold && self.answers > 2 {
                    self.kept.drain(..).for_each(|kept| out.extend(kept));
                }
                out.extend_from_slice(octets);
            }
        }
    }
}

/// `[COPYUID v a,b c:d]` with the last set turned round.
fn reversed(text: &str) -> String {
    let Some((before, after)) = text.split_once(']') else {
        return text.to_owned();
    };
    let Some((before, set)) = before.rsplit_once(' ') else {
        return text.to_owned();
    };
    let mut uids = crate::response::set(set).unwrap_or_default();
    uids.reverse();
    let words: Vec<String> = uids.iter().map(u32::to_string).collect();
    format!("{before} {}]{after}", words.join(","))
}

/// `[APPENDUID v n]` with another number.
fn raised(text: &str) -> String {
    let Some((before, after)) = text.split_once(']') else {
        return text.to_owned();
    };
    let Some((before, uid)) = before.rsplit_once(' ') else {
        return text.to_owned();
    };
    let uid: u32 = uid.parse().unwrap_or(0);
    format!("{before} {}]{after}", uid + 1)
}
