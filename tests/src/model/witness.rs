//! A session that is told nothing falsified and opens a mailbox anew each time it is asked: what is there.

use super::command::id_of;
use super::ledger::Truth;
use super::rule::{Broken, Checked, Rule, broken, check};
use super::wire::Wire;
use crate::response::Response;

/// Who looks.
pub(super) struct Witness {
    wire: Wire,
    /// How a mailbox is left: whoever keeps one open may be cut off when it is deleted.
    leave: &'static str,
}

/// The counters of a mailbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) messages: u32,
    pub(super) unseen: u32,
    pub(super) uid_next: u32,
    pub(super) uid_validity: u32,
}

impl Witness {
    /// Over this connection; `unselect`: the server has UNSELECT.
    pub(super) fn new(wire: Wire, unselect: bool) -> Self {
        let leave = if unselect { "UNSELECT" } else { "CLOSE" };
        Self { wire, leave }
    }

    /// What is in a mailbox, and what STATUS says of it.
    pub(super) async fn truth(&mut self, mailbox: &str) -> Checked<(Vec<Truth>, Counters)> {
        let lines = format!(
            "a EXAMINE {mailbox}\r\nb UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (X-ID)])\r\nc {}\r\n\
             d STATUS {mailbox} (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)\r\n",
            self.leave
        );
        self.wire.send(lines.as_bytes()).await?;
        let (mut all, mut counters) = (Vec::new(), Counters::default());
        loop {
            let response = self.wire.response().await?;
            match Response::parse(&response).map_err(|why| Broken {
                rule: Rule::Syntax,
                why,
            })? {
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
                    for (name, value) in items {
                        match name.as_str() {
                            "MESSAGES" => counters.messages = value,
                            "UNSEEN" => counters.unseen = value,
                            "UIDNEXT" => counters.uid_next = value,
                            "UIDVALIDITY" => counters.uid_validity = value,
                            _ => {}
                        }
                    }
                }
                Response::Condition(c) if c.tag != "*" && c.word != "OK" => {
                    let response = String::from_utf8_lossy(&response).into_owned();
                    return broken(Rule::Mailboxes, format!("{mailbox} cannot be looked at: {response}"));
                }
                Response::Condition(c) if c.tag == "d" => return Ok((all, counters)),
                _ => {}
            }
        }
    }

    /// The names of mailboxes that begin so.
    pub(super) async fn names(&mut self, prefix: &str) -> Checked<Vec<String>> {
        let (listed, answer) = self.wire.ask("l", &format!("LIST \"\" \"{prefix}*\"")).await?;
        check(Rule::Mailboxes, answer.starts_with("OK"), || format!("LIST: {answer}"))?;
        let name = |line: &Vec<u8>| {
            let line = String::from_utf8_lossy(line);
            let rest = line.strip_prefix("* LIST (")?.rsplit(' ').next()?.to_owned();
            Some(rest.trim_matches('"').to_owned())
        };
        Ok(listed.iter().filter_map(name).collect())
    }
}
