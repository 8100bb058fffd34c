//! A session that is told nothing falsified and opens a mailbox anew each time it is asked: what is there.

use std::collections::BTreeMap;

use super::command::id_of;
use super::hear::parsed;
use super::ledger::Truth;
use super::rule::{Checked, Rule, broken, check};
use super::wire::Wire;
use crate::response::Response;

/// Who looks.
pub(super) struct Witness {
    wire: Wire,
    /// How a mailbox is left: whoever keeps one open may be cut off when it is deleted.
    leave: &'static str,
}

/// The counters of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) messages: u32,
    pub(super) unseen: u32,
    pub(super) uid_next: u32,
    pub(super) uid_validity: u32,
}

/// All counters, or which one STATUS left out.
fn counters(mailbox: &str, told: &BTreeMap<String, u32>) -> Checked<Counters> {
    let of = |name: &str| match told.get(name) {
        Some(value) => Ok(*value),
        None => broken(Rule::Status, format!("STATUS of {mailbox} does not tell {name}")),
    };
    Ok(Counters {
        messages: of("MESSAGES")?,
        unseen: of("UNSEEN")?,
        uid_next: of("UIDNEXT")?,
        uid_validity: of("UIDVALIDITY")?,
    })
}

/// Which command bears this tag.
fn command(tag: &str) -> &'static str {
    match tag {
        "a" => "EXAMINE",
        "b" => "UID FETCH",
        "c" => "CLOSE or UNSELECT",
        _ => "STATUS",
    }
}

impl Witness {
    /// Over this connection; `unselect`: the server has UNSELECT.
    pub(super) fn new(wire: Wire, unselect: bool) -> Self {
        let leave = if unselect { "UNSELECT" } else { "CLOSE" };
        Self { wire, leave }
    }

    /// What is in a mailbox, and what STATUS says of it.
    ///
    /// # Errors
    /// It cannot be looked at, or STATUS leaves out what it was asked for.
    pub(super) async fn truth(&mut self, mailbox: &str) -> Checked<(Vec<Truth>, Counters)> {
        let lines = format!(
            "a EXAMINE {mailbox}\r\nb UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (X-ID)])\r\nc {}\r\n\
             d STATUS {mailbox} (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)\r\n",
            self.leave
        );
        self.wire.send(lines.as_bytes()).await?;
        let (mut all, mut told) = (Vec::new(), BTreeMap::new());
        loop {
            let response = self.wire.response().await?;
            match parsed(&response)? {
                Response::Fetch {
                    uid: Some(uid),
                    flags: Some(flags),
                    body: Some(body),
                    ..
                } => all.push(Truth {
                    uid,
                    flags,
                    id: id_of(&body).unwrap_or(0),
                }),
                Response::Status(_, items) => {
                    told.extend(
                        items
                            .into_iter()
                            .map(|(name, value)| (name.to_ascii_uppercase(), value)),
                    );
                }
                Response::Condition(c) if c.tag != "*" && c.word != "OK" => {
                    let response = String::from_utf8_lossy(&response).into_owned();
                    return broken(
                        Rule::Mailboxes,
                        format!("{} of {mailbox} is answered {response}", command(&c.tag)),
                    );
                }
                Response::Condition(c) if c.tag == "d" => return Ok((all, counters(mailbox, &told)?)),
                _ => {}
            }
        }
    }

    /// The names of mailboxes that begin so.
    pub(super) async fn names(&mut self, prefix: &str) -> Checked<Vec<String>> {
        let (listed, answer) = self.wire.ask("l", &format!("LIST \"\" \"{prefix}*\"")).await?;
        check(Rule::Mailboxes, answer.starts_with("OK"), || {
            format!("LIST is answered {answer}")
        })?;
        let name = |line: &Vec<u8>| {
            let line = String::from_utf8_lossy(line);
            let rest = line.strip_prefix("* LIST (")?.rsplit(' ').next()?.to_owned();
            Some(rest.trim_matches('"').to_owned())
        };
        Ok(listed.iter().filter_map(name).collect())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// What is said of a server that answers `STATUS` so.
    async fn of_status(status: &str) -> Checked<Counters> {
        let (ours, mut theirs) = tokio::io::duplex(1 << 16);
        let answers = format!("a OK [READ-ONLY] x\r\nb OK x\r\nc OK x\r\n{status}d OK x\r\n");
        tokio::spawn(async move {
            let mut asked = [0; 1024];
            let _ = theirs.read(&mut asked).await;
            let _ = theirs.write_all(answers.as_bytes()).await;
        });
        let mut witness = Witness::new(Wire::new(Box::new(ours)), true);
        witness.truth("box").await.map(|(_, counters)| counters)
    }

    #[tokio::test]
    async fn what_status_leaves_out_is_not_zero() {
        let all = "* STATUS box (messages 0 UNSEEN 0 UIDNEXT 1 UIDVALIDITY 7)\r\n";
        assert_eq!(of_status(all).await.unwrap().uid_validity, 7);
        let why = |told| async move { of_status(told).await.unwrap_err().why };
        assert_eq!(
            why("* STATUS box (MESSAGES 0 UNSEEN 0 UIDNEXT 1)\r\n").await,
            "STATUS of box does not tell UIDVALIDITY"
        );
        assert_eq!(why("").await, "STATUS of box does not tell MESSAGES");
    }
}
