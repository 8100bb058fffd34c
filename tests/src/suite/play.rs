//! A scenario played: its steps one by one, until one deviates or all are done.

use std::collections::BTreeMap;
use std::time::Duration;

use backend_api::DateTime;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::client::{Client, Next, Trouble};
use super::conversation::Conversation;

use super::matching::{Listener, Verdict as Heard, has_tag};
use super::outcome::{Failure, Verdict};
use super::place::Facts;
use super::scenario::{Act, Begin, Block, Comparison, Expected, Need, Scenario, Sent, Step, Sum, Summand};
use super::target::{Login, Target};
use super::token::Response;
use super::value::{Bound, Value};

/// How long nothing must be heard.
const SILENCE: Duration = Duration::from_millis(200);

/// How many responses a block may have.
const RESPONSES: usize = 500_000;

/// How a scenario ended that did not fail.
enum End {
    Passed,
    Skipped(String),
}

/// Plays a scenario whose mailboxes have these names.
pub struct Player<'a> {
    target: &'a dyn Target,
    scenario: &'a Scenario,
    timeout: Duration,
    clients: BTreeMap<char, Client>,
    carried: BTreeMap<char, Vec<&'a Expected>>,
    bound: Bound,
    talk: Conversation,
    line: u32,
}

impl<'a> Player<'a> {
    /// Begins with what is known of the server and the names of the mailboxes.
    pub fn new(
        target: &'a dyn Target,
        scenario: &'a Scenario,
        facts: &Facts,
        prefix: &str,
        mailboxes: &[String],
        timeout: Duration,
    ) -> Self {
        let mut bound = Bound::new();
        let mut bind = |name: &str, value: &str| {
            bound.insert(name.to_owned(), Value::text(value));
        };
        for (user, password, login) in [
            ("user", "password", Some(target.first())),
            ("user2", "password2", target.second()),
        ] {
            let Some(login) = login else { continue };
            bind(user, &login.user);
            bind(password, &login.password);
            bind(&user.replace("user", "user64"), &BASE64.encode(&login.user));
            bind(
                &password.replace("password", "password64"),
                &BASE64.encode(&login.password),
            );
            if user == "user" {
                let Login { user, password } = &login;
                for (name, message) in [
                    ("plain", format!("\0{user}\0{password}")),
                    ("plain_wrong", format!("\0{user}\0wrong-{password}")),
                    ("plain_as_self", format!("{user}\0{user}\0{password}")),
                    ("plain_as_other", format!("somebody-else\0{user}\0{password}")),
                ] {
                    bind(name, &BASE64.encode(message));
                }
            }
        }
        bind("sep", facts.separator.as_deref().unwrap_or_default());
        bind("prefix", prefix);
        bind("today", &today());
        for (mailbox, name) in scenario.start.mailboxes.iter().zip(mailboxes) {
            bind(&mailbox.key, name);
        }
        Self {
            target,
            scenario,
            timeout,
            clients: BTreeMap::new(),
            carried: BTreeMap::new(),
            bound,
            talk: Conversation::default(),
            line: 1,
        }
    }

    /// Plays it, and cuts all connections afterwards.
    pub async fn play(mut self, repeat: &str) -> Verdict {
        // However a server drags things out, there is an end.
        let limit = self.timeout * 6 + Duration::from_secs(30);
        let played = tokio::time::timeout(limit, self.steps()).await;
        let played = played.unwrap_or_else(|_| {
            Err({
                let what = format!("The scenario takes longer than {} s.", limit.as_secs());
                Trouble::wrong(what, None)
            })
        });
        for client in self.clients.values_mut() {
            client.close().await;
        }
        match played {
            Ok(End::Passed) => Verdict::Passed,
            Ok(End::Skipped(reason)) | Err(Trouble::Lacks(reason)) => Verdict::Skipped { reason },
            Err(Trouble::Wrong { what, expected, at }) => Verdict::Failed {
                failure: Failure {
                    what,
                    line: expected.first().map_or(self.line, |(line, _)| *line),
                    expected: expected.into_iter().map(|(_, text)| text).collect(),
                    conversation: self.talk.into_said(),
                    deviates: at,
                    repeat: repeat.to_owned(),
                },
            },
        }
    }

    async fn steps(&mut self) -> Result<End, Trouble> {
        let scenario = self.scenario;
        for (who, begin) in &scenario.begins {
            self.begin(*who, begin).await?;
        }
        let mut steps = scenario.steps.iter().peekable();
        let mut sender: Option<(char, bool)> = None;
        while let Some(step) = steps.next() {
            self.line = step.line;
            if !self.clients.contains_key(&step.client) && !matches!(step.act, Act::Connect | Act::Check { .. }) {
                self.begin(step.client, &Begin::Authenticated { second: false }).await?;
            }
            if let Some((who, slowly)) = sender.take() {
                let goes_on = matches!(step.act, Act::Send { slowly: now, .. } if who == step.client && now == slowly);
                if !goes_on {
                    self.flush(who, slowly).await;
                }
            }
            match &step.act {
                Act::Send { text, slowly } => {
                    self.send(step.client, text, *slowly).await?;
                    sender = Some((step.client, *slowly));
                    if steps.peek().is_none() {
                        self.flush(step.client, *slowly).await;
                    }
                }
                Act::Hear(block) => match self.hear(step.client, block).await? {
                    None => {}
                    Some(end) => return Ok(end),
                },
                Act::StartTls { or_end } => {
                    if !self.start_tls(step.client, *or_end).await? {
                        return Ok(End::Passed);
                    }
                }
                act => self.act(step, act).await?,
            }
        }
        self.nothing_is_left()?;
        Ok(End::Passed)
    }

    fn client(&mut self, who: char) -> Result<&mut Client, Trouble> {
        self.clients
            .get_mut(&who)
            .ok_or_else(|| Trouble::wrong("This client has no connection.", None))
    }

    /// A client as the head says it begins.
    async fn begin(&mut self, who: char, begin: &Begin) -> Result<(), Trouble> {
        self.connect(who).await?;
        if *begin == Begin::New {
            return Ok(());
        }
        let Some(client) = self.clients.get_mut(&who) else {
            return Ok(());
        };
        let talk = &mut self.talk;
        client.greeting(talk).await?;
        if !self.scenario.needs.contains(&Need::StartTls) || !matches!(begin, Begin::Connected) {
            client.secure(self.target, talk).await?;
        }
        let second = matches!(begin, Begin::Authenticated { second: true });
        let login = match second {
            _ if *begin == Begin::Connected => return Ok(()),
            true => self
                .target
                .second()
                .ok_or_else(|| Trouble::Lacks("no second account".into()))?,
            false => self.target.first(),
        };
        client.login(&login, talk).await?;
        if let Begin::Selected { mailbox, read_only } = begin {
            let name = self
                .bound
                .get(mailbox)
                .map_or_else(|| mailbox.clone().into_bytes(), Value::rendered);
            let verb: &[u8] = if *read_only { b"EXAMINE " } else { b"SELECT " };
            let answer = client.command(&[&[verb, &name].concat()], talk).await?;
            if answer.word != "OK" {
                let what = format!("The mailbox cannot be selected: {}", answer.text);
                return Err(Trouble::wrong(what, Some(answer.at)));
            }
        }
        Ok(())
    }

    async fn connect(&mut self, who: char) -> Result<(), Trouble> {
        let connected = Client::connect(who, self.target, self.timeout).await;
        let client = connected.map_err(|error| Trouble::wrong(format!("There is no connection: {error}."), None))?;
        if let Some(mut before) = self.clients.insert(who, client) {
            before.close().await;
        }
        Ok(())
    }

    /// Whether TLS began; the end of the connection in its place is an error unless it is allowed.
    async fn start_tls(&mut self, who: char, or_end: bool) -> Result<bool, Trouble> {
        let Some(client) = self.clients.get_mut(&who) else {
            return Ok(true);
        };
        let began = client.start_tls(self.target, &mut self.talk).await?;
        if !began && !or_end {
            let what = "The server ends the connection instead of the TLS handshake.";
            return Err(Trouble::wrong(what, self.talk.last()));
        }
        Ok(began)
    }

    async fn flush(&mut self, who: char, slowly: bool) {
        if let Some(client) = self.clients.get_mut(&who) {
            client.flush(slowly, &mut self.talk).await;
        }
    }

    /// Queues what is sent. Only a literal that the server must ask for is waited for.
    async fn send(&mut self, who: char, text: &[Sent], slowly: bool) -> Result<(), Trouble> {
        let mut line = Vec::new();
        for piece in text {
            match piece {
                Sent::Octets(octets) => self.queue(who, octets, &mut line)?,
                Sent::Name(name) => {
                    let value = self.value(name)?.rendered();
                    self.queue(who, &value, &mut line)?;
                }
                Sent::Literal { at_once, content } => {
                    let content = self.rendered(content)?;
                    let plus = if *at_once { "+" } else { "" };
                    let announced = format!("{{{}{plus}}}\r\n", content.len());
                    self.queue(who, announced.as_bytes(), &mut line)?;
                    if !at_once {
                        self.flush(who, slowly).await;
                        if !self.is_asked_for(who, &line).await? {
                            // Refused: what it answered is compared with what is listed.
                            return Ok(());
                        }
                    }
                    self.queue(who, &content, &mut line)?;
                }
            }
        }
        let words: Vec<Vec<u8>> = line
            .split(|b| *b == b' ')
            .take(2)
            .map(<[u8]>::to_ascii_uppercase)
            .collect();
        let logs_in = matches!(words.get(1).map(Vec::as_slice), Some(b"LOGIN" | b"AUTHENTICATE"));
        self.client(who)?.after_login |= logs_in;
        Ok(())
    }

    fn queue(&mut self, who: char, octets: &[u8], line: &mut Vec<u8>) -> Result<(), Trouble> {
        self.client(who)?.queue(octets);
        // The front of a line tells its tag; more is not needed.
        if line.len() < 1_000 {
            line.extend_from_slice(octets);
        }
        Ok(())
    }

    fn rendered(&self, content: &[Sent]) -> Result<Vec<u8>, Trouble> {
        let mut out = Vec::new();
        for piece in content {
            match piece {
                Sent::Octets(octets) => out.extend_from_slice(octets),
                Sent::Name(name) => out.extend(self.value(name)?.rendered()),
                Sent::Literal { .. } => {}
            }
        }
        Ok(out)
    }

    fn value(&self, name: &str) -> Result<&Value, Trouble> {
        // A name of an alternative that did not come, or of the second user where there is none.
        self.bound
            .get(name)
            .ok_or_else(|| Trouble::Lacks(format!("nothing was bound to `{name}`")))
    }

    /// Whether the server asks for a literal, or answers the command instead.
    async fn is_asked_for(&mut self, who: char, line: &[u8]) -> Result<bool, Trouble> {
        let tag = line.split(|b| *b == b' ').next().unwrap_or_default().to_vec();
        let within = self.timeout;
        let Some(client) = self.clients.get_mut(&who) else {
            return Ok(false);
        };
        loop {
            match client.read(within, &mut self.talk).await? {
                Next::Response((_, Response::Continue { .. })) => return Ok(true),
                Next::Response(placed) => {
                    let refuses = match &placed.1 {
                        Response::Status { tag: heard, word, .. } => {
                            *heard == tag || (heard == b"*" && matches!(word.as_str(), "BAD" | "BYE"))
                        }
                        _ => false,
                    };
                    client.keep(placed);
                    if refuses {
                        return Ok(false);
                    }
                }
                Next::Closed => return Ok(false),
                Next::Nothing => {
                    let expected = vec![(self.line, "+ <text>".to_owned())];
                    let what = "The server does not ask for the literal, nor does it refuse it.".into();
                    return Err(Trouble::Wrong {
                        what,
                        expected,
                        at: None,
                    });
                }
            }
        }
    }

    /// Hears a block.
    async fn hear(&mut self, who: char, block: &'a Block) -> Result<Option<End>, Trouble> {
        let within = self.timeout;
        let Some(client) = self.clients.get_mut(&who) else {
            return Ok(None);
        };
        let carried = self.carried.remove(&who).unwrap_or_default();
        let mut listener = Listener::new(block, carried, client.after_login);
        // Where nothing must come, what may is waited for a little.
        let quiet = !listener.needs_anything();
        let within = if quiet { SILENCE } else { within };
        let mut count = 0;
        while quiet || !listener.is_done() {
            let (at, response) = match client.next(within, &mut self.talk).await? {
                Next::Response(placed) => placed,
                Next::Nothing if quiet && listener.is_done() => break,
                Next::Closed => {
                    let (what, at) = (
                        "The server closed the connection before all came that must.".into(),
                        self.talk.last(),
                    );
                    return Err(Trouble::Wrong {
                        what,
                        expected: listener.missing(),
                        at,
                    });
                }
                Next::Nothing => {
                    let what = format!("What must come here did not come within {} s.", within.as_secs_f32());
                    return Err(Trouble::Wrong {
                        what,
                        expected: listener.missing(),
                        at: None,
                    });
                }
            };
            count += 1;
            if count > RESPONSES {
                return Err(Trouble::wrong(
                    "The server says more than any scenario lists.",
                    Some(at),
                ));
            }
            match listener.hear(&response, &mut self.bound) {
                Heard::Fine => {}
                Heard::End => return Ok(Some(End::Passed)),
                Heard::Skip => {
                    // Without the text: it may name the mailboxes of this run.
                    let reason = match response {
                        Response::Status { word, .. } => {
                            format!("the server answers {word}, as it may: there is nothing to see here")
                        }
                        _ => {
                            "the server tells data of another form, as it may: there is nothing to see here".to_owned()
                        }
                    };
                    return Ok(Some(End::Skipped(reason)));
                }
                Heard::Wrong { what, expected } => {
                    return Err(Trouble::Wrong {
                        what,
                        expected,
                        at: Some(at),
                    });
                }
            }
        }
        let overdue = listener.overdue();
        if !overdue.is_empty() {
            let what = "A line that was to come with this command at the latest has not come.".into();
            return Err(Trouble::Wrong {
                what,
                expected: overdue,
                at: None,
            });
        }
        // A login may take several lines and continuations.
        client.after_login &= !block.slots.iter().any(has_tag);
        self.carried.insert(who, listener.into_carried());
        Ok(None)
    }

    async fn act(&mut self, step: &Step, act: &Act) -> Result<(), Trouble> {
        let who = step.client;
        match act {
            Act::Connect => return self.connect(who).await,
            Act::Check { any, text } => return self.check(any, text),
            _ => {}
        }
        let within = self.timeout;
        let Some(client) = self.clients.get_mut(&who) else {
            return Ok(());
        };
        let talk = &mut self.talk;
        match act {
            Act::HearNothing => match client.next(SILENCE, talk).await? {
                Next::Nothing => Ok(()),
                Next::Closed => Err(Trouble::wrong("The server closed the connection.", talk.last())),
                Next::Response((at, _)) => Err(Trouble::wrong(
                    "The server says something where it must be silent.",
                    Some(at),
                )),
            },
            Act::Close => {
                client.close().await;
                talk.remark(who, "the client closed the connection");
                Ok(())
            }
            Act::Disconnected => match client.next(within, talk).await? {
                Next::Closed => Ok(()),
                Next::Response((at, _)) => Err(Trouble::wrong(
                    "The server says something where it must end the connection.",
                    Some(at),
                )),
                Next::Nothing => {
                    let what = format!(
                        "The server does not end the connection within {} s.",
                        within.as_secs_f32()
                    );
                    Err(Trouble::wrong(what, None))
                }
            },
            Act::Compress => {
                let Some(mut wire) = client.take_wire() else {
                    return Err(Trouble::wrong("There is no connection.", talk.last()));
                };
                wire.compress()
                    .map_err(|e| Trouble::wrong(format!("This cannot be decompressed: {e}."), talk.last()))?;
                client.put_wire(wire);
                talk.remark(who, "DEFLATE begins");
                Ok(())
            }
            Act::Send { .. } | Act::Hear(_) | Act::StartTls { .. } | Act::Connect | Act::Check { .. } => Ok(()),
        }
    }

    fn check(&mut self, any: &[Comparison], text: &str) -> Result<(), Trouble> {
        let shown = |value: &Value| String::from_utf8_lossy(&value.rendered()).into_owned();
        let mut values = Vec::new();
        for Comparison { left, relation, right } in any {
            let (left, right) = (self.sum(left)?, self.sum(right)?);
            let holds = match relation.as_str() {
                "<" => left < right,
                "<=" => left <= right,
                "=" => left == right,
                "!=" => left != right,
                ">" => left > right,
                _ => left >= right,
            };
            if holds {
                return Ok(());
            }
            values.push(format!("{} {relation} {}", shown(&left), shown(&right)));
        }
        let what = format!("This does not hold: {}.", values.join(" or "));
        let expected = vec![(self.line, text.to_owned())];
        Err(Trouble::Wrong {
            what,
            expected,
            at: self.talk.last(),
        })
    }

    fn sum(&self, sum: &Sum) -> Result<Value, Trouble> {
        let mut total = 0_u64;
        for summand in sum {
            let value = match summand {
                Summand::Number(number) => Value::Number(*number),
                Summand::Name(name) => self.value(name)?.clone(),
            };
            match value {
                Value::Number(number) => total = total.saturating_add(number),
                // Text can be compared, not added.
                other => return Ok(Value::Octets(other.rendered())),
            }
        }
        Ok(Value::Number(total))
    }

    /// What was heard but is listed nowhere.
    fn nothing_is_left(&mut self) -> Result<(), Trouble> {
        for (who, client) in &mut self.clients {
            let block = Block::default();
            let carried = self.carried.remove(who).unwrap_or_default();
            let mut listener = Listener::new(&block, carried, client.after_login);
            while let Some((at, response)) = client.left() {
                if let Heard::Wrong { what, .. } = listener.hear(&response, &mut self.bound) {
                    return Err(Trouble::wrong(what, Some(at)));
                }
            }
            let overdue = listener.overdue();
            if !overdue.is_empty() {
                return Err(Trouble::Wrong {
                    what: "A line that was to come later has not come when the last step is done.".into(),
                    expected: overdue,
                    at: None,
                });
            }
        }
        Ok(())
    }
}

/// `22-Nov-2026`
fn today() -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (year, month, day) = DateTime::now().date().civil();
    let month = MONTHS
        .get(usize::from(month).saturating_sub(1))
        .copied()
        .unwrap_or("Jan");
    format!("{day:02}-{month}-{year}")
}
