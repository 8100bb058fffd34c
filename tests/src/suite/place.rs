//! The mailboxes of a scenario: made before it under a prefix of its own, and removed afterwards whatever happened.

use std::time::Duration;

use super::client::{Answer, Client, Trouble};
use super::conversation::Conversation;
use super::scenario::{Start, StartMailbox, StartMessage};
use super::target::{Filled, Target};
use super::token::{Response, Token};

/// What is known of a server before the first scenario.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The greeting's text.
    pub greeting: String,
    /// What ID answered.
    pub id: Option<String>,
    /// Capabilities before login.
    pub before_login: Vec<String>,
    /// Capabilities after login.
    pub after_login: Vec<String>,
    /// The hierarchy separator.
    pub separator: Option<String>,
    /// What names of personal mailboxes begin with.
    pub namespace: String,
}

impl Facts {
    /// Whether a capability is there: after login or, if it is about logging in, before. One that may have a value, such as
    /// `APPENDLIMIT=1000`, is there with any.
    pub fn has(&self, capability: &str) -> bool {
        let is = |c: &String| {
            let front = c
                .get(..capability.len())
                .is_some_and(|front| front.eq_ignore_ascii_case(capability));
            front && matches!(c.as_bytes().get(capability.len()), None | Some(b'='))
        };
        let upper = capability.to_ascii_uppercase();
        let logs_in = matches!(upper.as_str(), "SASL-IR" | "LOGINDISABLED" | "STARTTLS") || upper.starts_with("AUTH=");
        self.after_login.iter().any(is) || (logs_in && self.before_login.iter().any(is))
    }

    /// Which server it is, as far as it says.
    pub fn server(&self) -> String {
        self.id.clone().unwrap_or_else(|| self.greeting.clone())
    }
}

/// A connection of the suite's own, on which mailboxes are made and removed.
pub struct Keeper {
    client: Client,
    talk: Conversation,
}

impl Keeper {
    /// Connects and logs in; what is learned of the server on the way.
    ///
    /// # Errors
    /// There is no connection, or the server does not let us in.
    pub async fn new(target: &dyn Target, second: bool, timeout: Duration) -> Result<(Self, Facts), Trouble> {
        let mut talk = Conversation::default();
        let connected = Client::connect('-', target, timeout).await;
        let mut client =
            connected.map_err(|error| Trouble::wrong(format!("There is no connection: {error}."), None))?;
        client.lenient = true;
        let talk_ref = &mut talk;
        let (greeting, told) = client.greeting(talk_ref).await?;
        let mut facts = Facts {
            greeting,
            ..Facts::default()
        };
        facts.before_login = match told {
            Some(told) => told,
            None => client.capabilities(talk_ref).await?,
        };
        let disabled = facts.before_login.iter().any(|c| c == "LOGINDISABLED");
        let secured = client.secure(target, talk_ref).await?;
        if disabled && !secured {
            return Err(Trouble::Lacks(
                "the server takes no passwords without TLS (LOGINDISABLED)".into(),
            ));
        }
        let login = if second {
            target.second().unwrap_or_else(|| target.first())
        } else {
            target.first()
        };
        let answer = client.login(&login, talk_ref).await?;
        facts.after_login = match answer.capabilities {
            Some(told) => told,
            None => client.capabilities(talk_ref).await?,
        };
        Ok((Self { client, talk }, facts))
    }

    /// Learns what the names of mailboxes look like.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn survey(&mut self, facts: &mut Facts) -> Result<(), Trouble> {
        if facts.has("NAMESPACE") {
            let answer = self.command(&[b"NAMESPACE"]).await?;
            if let Some((prefix, separator)) = answer.heard.iter().find_map(personal) {
                facts.namespace = prefix;
                facts.separator = separator;
            }
        }
        if facts.separator.is_none() {
            let answer = self.command(&[b"LIST \"\" \"\""]).await?;
            facts.separator = answer
                .heard
                .iter()
                .filter_map(listed)
                .find_map(|(_, separator)| separator);
        }
        if facts.has("ID") {
            let answer = self.command(&[b"ID NIL"]).await?;
            facts.id = answer.heard.iter().find_map(id);
        }
        Ok(())
    }

    /// How many messages INBOX holds.
    ///
    /// # Errors
    /// The server does not tell.
    pub async fn inbox(&mut self) -> Result<u32, Trouble> {
        let answer = self.command(&[b"STATUS INBOX (MESSAGES)"]).await?;
        let told = answer.heard.iter().find_map(|response| {
            let Response::Data(tokens) = response else { return None };
            let [name, _, Token::List { items, .. }] = tokens.as_slice() else {
                return None;
            };
            let value = items.get(1).filter(|_| name.is("STATUS"))?;
            std::str::from_utf8(value.astring()?).ok()?.parse().ok()
        });
        told.ok_or_else(|| {
            Trouble::wrong(
                "STATUS of INBOX does not tell how many messages it holds.".to_owned(),
                None,
            )
        })
    }

    /// Removes every message of INBOX, which is not wanted unless it was empty before the run.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn empty_inbox(&mut self) -> Result<(), Trouble> {
        if self.inbox().await? > 0 {
            self.command(&[b"SELECT INBOX"]).await?;
            self.command(&[b"STORE 1:* +FLAGS.SILENT (\\Deleted)"]).await?;
            self.command(&[b"CLOSE"]).await?;
        }
        Ok(())
    }

    async fn command(&mut self, parts: &[&[u8]]) -> Result<Answer, Trouble> {
        self.talk = Conversation::default();
        self.client.command(parts, &mut self.talk).await
    }

    /// Makes and fills the mailboxes of a scenario; their names in the order of the start.
    ///
    /// # Errors
    /// The server refuses, or does not answer.
    pub async fn prepare(
        &mut self,
        target: &dyn Target,
        start: &Start,
        prefix: &str,
        facts: &Facts,
    ) -> Result<Vec<String>, Trouble> {
        match target.fill(start).await {
            Filled::Done(names) => return Ok(names),
            Filled::Cannot(why) => return Err(Trouble::Lacks(why)),
            Filled::OverTheWire => {}
        }
        let mut names = Vec::new();
        for mailbox in &start.mailboxes {
            let name = format!("{prefix}-{}", mailbox.key);
            if mailbox.exists {
                self.fill(mailbox, &name, facts).await?;
            }
            names.push(name);
        }
        Ok(names)
    }

    async fn fill(&mut self, mailbox: &StartMailbox, name: &str, facts: &Facts) -> Result<(), Trouble> {
        let made = self
            .command(&[&[b"CREATE ".as_slice(), name.as_bytes()].concat()])
            .await?;
        refused("CREATE", &made)?;
        for message in &mailbox.messages {
            let appended = self.append(message, name, facts).await?;
            refused("APPEND", &appended)?;
        }
        if !mailbox.messages.is_empty() {
            // Nobody's \Recent: whoever selects first has them, and that is us.
            let selected = self
                .command(&[&[b"SELECT ".as_slice(), name.as_bytes()].concat()])
                .await?;
            refused("SELECT", &selected)?;
            let closing: &[u8] = if facts.has("UNSELECT") { b"UNSELECT" } else { b"CLOSE" };
            if facts.has("UNSELECT") || !mailbox.messages.iter().any(|m| has_flag(m, "\\Deleted")) {
                self.command(&[closing]).await?;
            } else {
                // CLOSE would remove what is \Deleted; a mailbox that is not there ends the selection, too.
                self.command(&[&[b"EXAMINE ".as_slice(), name.as_bytes()].concat()])
                    .await?;
                self.command(&[b"CLOSE"]).await?;
            }
        }
        Ok(())
    }

    async fn append(&mut self, message: &StartMessage, name: &str, facts: &Facts) -> Result<Answer, Trouble> {
        let mut command = format!("APPEND {name}");
        if !message.flags.is_empty() {
            command.push_str(&format!(" ({})", message.flags.join(" ")));
        }
        if let Some(date) = &message.date {
            command.push_str(&format!(" \"{date}\""));
        }
        let size = message.octets.len();
        if facts.has("LITERAL+") || (facts.has("LITERAL-") && size <= 4096) {
            let whole = [format!("{command} {{{size}+}}\r\n").as_bytes(), &message.octets].concat();
            return self.command(&[&whole]).await;
        }
        let front = format!("{command} {{{size}}}\r\n");
        self.command(&[front.as_bytes(), &message.octets]).await
    }

    /// Removes all mailboxes and subscriptions whose names begin so; how many could not be.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn clear(&mut self, prefix: &str) -> Result<usize, Trouble> {
        let pattern = format!("\"\" \"{prefix}*\"");
        let subscribed = self
            .command(&[&[b"LSUB ".as_slice(), pattern.as_bytes()].concat()])
            .await?;
        for name in names(&subscribed, prefix) {
            self.command(&[&[b"UNSUBSCRIBE ".as_slice(), name.as_slice()].concat()])
                .await?;
        }
        let there = self
            .command(&[&[b"LIST ".as_slice(), pattern.as_bytes()].concat()])
            .await?;
        let mut there = names(&there, prefix);
        // What is below goes first.
        there.sort_by_key(|name| std::cmp::Reverse(name.len()));
        let mut left = 0;
        for name in there {
            let deleted = self
                .command(&[&[b"DELETE ".as_slice(), name.as_slice()].concat()])
                .await?;
            left += usize::from(deleted.word != "OK");
        }
        Ok(left)
    }

    /// Says goodbye.
    pub async fn logout(mut self) {
        let _ = self.command(&[b"LOGOUT"]).await;
        self.client.close().await;
    }
}

fn has_flag(message: &StartMessage, flag: &str) -> bool {
    message.flags.iter().any(|f| f.eq_ignore_ascii_case(flag))
}

fn refused(what: &str, answer: &Answer) -> Result<(), Trouble> {
    match answer.word.as_str() {
        "OK" => Ok(()),
        word => Err(Trouble::Lacks(format!(
            "the mailboxes cannot be made: {what} is answered {word} {}",
            answer.text
        ))),
    }
}

/// The names of LIST or LSUB that begin so, as they are sent: quoted.
fn names(answer: &Answer, prefix: &str) -> Vec<Vec<u8>> {
    let names = answer.heard.iter().filter_map(listed).map(|(name, _)| name);
    // Never another's: what does not begin so is none of ours, whatever the server lists.
    let ours = names.filter(|name| name.starts_with(prefix.as_bytes()));
    ours.map(|name| super::client::astring(&String::from_utf8_lossy(&name)))
        .collect()
}

/// The name and the separator of a LIST or LSUB response.
fn listed(response: &Response) -> Option<(Vec<u8>, Option<String>)> {
    let Response::Data(tokens) = response else { return None };
    let [name, Token::List { .. }, separator, mailbox, ..] = tokens.as_slice() else {
        return None;
    };
    let separator = separator.string().map(|s| String::from_utf8_lossy(s).into_owned());
    let known = name.is("LIST") || name.is("LSUB");
    known.then(|| Some((mailbox.astring()?.to_vec(), separator))).flatten()
}

/// The first personal namespace (RFC 2342 5).
fn personal(response: &Response) -> Option<(String, Option<String>)> {
    let Response::Data(tokens) = response else { return None };
    let [name, personal, ..] = tokens.as_slice() else {
        return None;
    };
    let [prefix, separator, ..] = personal.list()?.first()?.list()? else {
        return None;
    };
    let text = |t: &Token| t.string().map(|s| String::from_utf8_lossy(s).into_owned());
    name.is("NAMESPACE")
        .then(|| Some((text(prefix)?, text(separator))))
        .flatten()
}

/// `name version` of an ID response.
fn id(response: &Response) -> Option<String> {
    let Response::Data(tokens) = response else { return None };
    let [name, Token::List { items, .. }] = tokens.as_slice() else {
        return None;
    };
    let value = |key: &str| {
        let pair = items.chunks(2).find(|pair| {
            pair.first()
                .and_then(Token::string)
                .is_some_and(|k| k.eq_ignore_ascii_case(key.as_bytes()))
        });
        pair.and_then(|pair| pair.get(1)?.string())
            .map(|v| String::from_utf8_lossy(v).into_owned())
    };
    let both: Vec<String> = [value("name"), value("version")].into_iter().flatten().collect();
    (name.is("ID") && !both.is_empty()).then(|| both.join(" "))
}
