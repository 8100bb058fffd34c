//! One round on one server: its groups one after another, the mailboxes that they share, and the rows that come of it.

use std::sync::Arc;

use super::Watcher;
use super::catalogue::{Group, Line};
use super::connection::{Connection, Room};
use super::mailboxes::{Mailbox, Mailboxes};
use super::peer::{Peer, Way};
use super::row::{Outcome, Row};
use super::sizes::Sizes;
use super::trouble::{Result, Stop, Trouble};

/// What does not change within a round.
pub(super) struct Site {
    pub(super) peer: Arc<Peer>,
    pub(super) sizes: Arc<Sizes>,
    pub(super) stop: Stop,
    /// What the names of mailboxes begin with.
    prefix: String,
}

impl Site {
    /// A connection that has logged in to an account.
    pub(super) fn login(&self, account: usize, room: Room) -> Result<Connection> {
        Connection::login(&self.peer, account, Way::Asked, room, &self.stop)
    }

    /// A connection that is where a mailbox is, which it has selected.
    pub(super) fn select(&self, mailbox: &Mailbox, room: Room) -> Result<Connection> {
        let mut connection = self.login(mailbox.account, room)?;
        connection.command(&format!("SELECT {}", mailbox.name))?;
        Ok(connection)
    }

    /// A name for a mailbox.
    pub(super) fn name(&self, role: impl std::fmt::Display) -> String {
        format!("{}{role}", self.prefix)
    }
}

/// One round on one server.
pub(super) struct Round<'a> {
    pub(super) site: Arc<Site>,
    pub(super) mailboxes: Mailboxes,
    /// Whether the server could not be restarted.
    pub(super) restart_fails: bool,
    watcher: &'a dyn Watcher,
    rows: Vec<Row>,
}

impl<'a> Round<'a> {
    /// A round; `name` tells its mailboxes from those of others.
    pub(super) fn new(peer: Arc<Peer>, sizes: Arc<Sizes>, stop: Stop, name: &str, watcher: &'a dyn Watcher) -> Self {
        let prefix = format!("{}imap-compliance-bench-{name}-", peer.facts.namespace);
        let site = Site {
            peer,
            sizes,
            stop,
            prefix,
        };
        Self {
            site: Arc::new(site),
            mailboxes: Mailboxes::default(),
            restart_fails: false,
            watcher,
            rows: Vec::new(),
        }
    }

    /// Runs groups, and removes the mailboxes in the end. Each line has its row, unless the round was interrupted.
    pub(super) fn run(mut self, groups: &[&Group]) -> Vec<Row> {
        for group in groups {
            let ended = (group.run)(&mut self);
            if matches!(ended, Err(Trouble::Interrupted)) || self.site.stop.is_set() {
                break;
            }
            self.fill_up(group, ended);
        }
        self.remove_mailboxes();
        self.rows
    }

    /// What the group left out has a reason.
    fn fill_up(&mut self, group: &Group, ended: Result<()>) {
        let sizes: Vec<Option<usize>> = if group.by_size {
            self.site.sizes.growth.iter().copied().map(Some).collect()
        } else {
            vec![None]
        };
        let trouble = ended.err();
        for line in group.lines {
            for messages in &sizes {
                let there = |row: &Row| row.line.name == line.name && row.messages == *messages;
                if self.rows.iter().any(there) {
                    continue;
                }
                let outcome = match &trouble {
                    Some(Trouble::Lacks(why)) => Outcome::Skipped(why.clone()),
                    Some(other) => Outcome::Error(other.to_string()),
                    None => Outcome::Error("it was not measured".to_owned()),
                };
                self.ended(*line, *messages, outcome);
            }
        }
    }

    /// A line has its row.
    pub(super) fn ended(&mut self, line: Line, messages: Option<usize>, outcome: Outcome) {
        let row = Row {
            line,
            messages,
            outcome,
        };
        self.watcher
            .ended(&self.site.peer.label, &line.title(&self.site.sizes), &row);
        self.rows.push(row);
    }

    /// A line cannot be measured; what is worse than that ends the group.
    pub(super) fn not_measured(&mut self, line: Line, messages: Option<usize>, trouble: Trouble) -> Result<()> {
        match trouble {
            Trouble::Interrupted => return Err(Trouble::Interrupted),
            Trouble::Lacks(why) => self.ended(line, messages, Outcome::Skipped(why)),
            trouble => self.ended(line, messages, Outcome::Error(trouble.to_string())),
        }
        Ok(())
    }

    /// Something begins that takes its time.
    pub(super) fn says(&self, what: &str) {
        self.watcher.says(&self.site.peer.label, what);
    }

    /// Something should be known by whoever runs it.
    pub(super) fn warns(&self, what: &str) {
        self.watcher.warns(&self.site.peer.label, what);
    }

    fn remove_mailboxes(&mut self) {
        if !self.mailboxes.is_empty() {
            self.says("the mailboxes are being removed");
        }
        for (mailbox, trouble) in self.mailboxes.remove(&self.site.peer) {
            let (name, user) = (&mailbox.name, self.site.peer.accounts.login(mailbox.account).user);
            self.warns(&format!("the mailbox {name} of {user} is left: {trouble}"));
        }
    }
}
