//! A driver that answers every command with OK, and writes down what it was given.

use std::fmt::Write;

use backend_api::Access;
use imap_core::{Answer, Code, Command, Config, Connection, Event, Greeting, Limits};

pub(crate) struct Driver {
    pub(crate) core: Connection,
    /// Events, one a line; without those that ask for input.
    pub(crate) events: String,
    out: Vec<u8>,
}

impl Driver {
    pub(crate) fn new(config: Config) -> Self {
        let mut core = Connection::new(config, true, false);
        core.greeting(Greeting::Ok("ready"));
        core.output().clear();
        Self {
            core,
            events: String::new(),
            out: Vec::new(),
        }
    }

    pub(crate) fn with_limits(change: impl FnOnce(&mut Limits)) -> Self {
        let mut config = Config::default();
        change(&mut config.limits);
        Self::new(config)
    }

    pub(crate) fn authenticated() -> Self {
        let mut driver = Self::new(Config::default());
        driver.core.set_authenticated();
        driver
    }

    pub(crate) fn selected() -> Self {
        let mut driver = Self::authenticated();
        driver.core.set_selected(false, 10);
        driver
    }

    /// Sends these octets and says what comes back.
    pub(crate) fn push(&mut self, octets: &[u8]) -> String {
        self.core.input().extend_from_slice(octets);
        self.run();
        String::from_utf8_lossy(&std::mem::take(&mut self.out)).into_owned()
    }

    pub(crate) fn send(&mut self, text: &str) -> String {
        self.push(text.as_bytes())
    }

    /// The events since the last time.
    pub(crate) fn events(&mut self) -> String {
        std::mem::take(&mut self.events)
    }

    fn note(&mut self, event: &str) {
        writeln!(self.events, "{event}").unwrap();
    }

    fn run(&mut self) {
        loop {
            self.read_message();
            let event = self.core.next_event();
            self.take_output();
            match event {
                Event::NeedInput | Event::Close(_) => break,
                other => self.answer(other),
            }
            self.take_output();
        }
    }

    fn take_output(&mut self) {
        self.out.extend_from_slice(&self.core.output().split());
    }

    fn read_message(&mut self) {
        let octets = self.core.read_literal(usize::MAX);
        if !octets.is_empty() {
            // Octets, not pieces: how they came does not matter.
            for octet in octets {
                write!(self.events, "{}", octet.escape_ascii()).unwrap();
            }
        }
    }

    fn answer(&mut self, event: Event) {
        match event {
            Event::Command { tag, command } => {
                self.note(&format!("{tag} {command:?}"));
                match &command {
                    Command::Login { .. } => self.core.set_authenticated(),
                    Command::Select { access, .. } => self.core.set_selected(*access == Access::ReadOnly, 10),
                    Command::Close | Command::Unselect => self.core.set_unselected(),
                    Command::Logout => self.core.bye("logging out", None),
                    Command::Idle => return self.core.begin_idle(),
                    Command::Authenticate { initial: None, .. } => return self.core.sasl_challenge(b"who?"),
                    Command::Authenticate { .. } => self.core.set_authenticated(),
                    _ => {}
                }
                self.core.complete(&tag, &Answer::ok("done"));
            }
            Event::AppendMessage { tag, mailbox, args, .. } => {
                self.note(&format!("{tag} append to {mailbox:?} {args:?}"));
                match mailbox {
                    Ok(_) => self.core.accept_literal(),
                    Err(why) => {
                        let answer = Answer::no(why).with_code(Code::NonExistent);
                        self.core.refuse_literal(&tag, &answer);
                    }
                }
            }
            Event::AppendEnd { tag } => {
                self.note(" end");
                self.core.complete(&tag, &Answer::ok("appended"));
            }
            Event::AppendBroken => self.note(" broken"),
            Event::SaslResponse(Some(secret)) => {
                self.note(&format!("response of {} octets", secret.expose().len()));
                self.core.set_authenticated();
                self.finish("authenticated");
            }
            Event::SaslResponse(None) => {
                self.note("cancelled");
                self.finish_bad("cancelled");
            }
            Event::IdleDone { tag } => {
                self.note("done");
                self.core.complete(&tag, &Answer::ok("idled"));
            }
            Event::Refused { tag, reason } => {
                self.note(&format!("refused {:?}: {reason}", tag.map(|t| t.to_string())));
            }
            Event::NeedInput | Event::Close(_) => {}
        }
    }

    /// AUTHENTICATE is always tagged `auth` in these tests.
    fn finish(&mut self, text: &str) {
        self.finish_with(&Answer::ok(text));
    }

    fn finish_bad(&mut self, text: &str) {
        self.finish_with(&Answer::bad(text));
    }

    fn finish_with(&mut self, answer: &Answer<'_>) {
        let tag = "auth".parse().unwrap();
        self.core.complete(&tag, answer);
    }
}

/// The same octets at once and split at every place, and in single octets: the same events and the same answers.
pub(crate) fn split_everywhere(start: impl Fn() -> Driver, octets: &[u8]) {
    let whole = {
        let mut driver = start();
        (driver.push(octets), driver.events())
    };
    let places = (0..octets.len()).step_by(1 + octets.len() / 2_000);
    for at in places {
        let mut driver = start();
        let (first, second) = octets.split_at(at);
        let out = driver.push(first) + &driver.push(second);
        assert_eq!(
            (out, driver.events()),
            whole,
            "split at {at}: {}",
            octets.escape_ascii()
        );
    }
    let mut driver = start();
    let out: String = octets.iter().map(|o| driver.push(&[*o])).collect();
    assert_eq!(
        (out, driver.events()),
        whole,
        "in single octets: {}",
        octets.escape_ascii()
    );
}
