//! The mailboxes of a round: made and filled when a group needs them, removed when the round ends.

use std::time::{Duration, Instant};

use super::connection::{Connection, Room};
use super::corpus;
use super::peer::{Peer, Way};
use super::round::{Round, Site};
use super::trouble::{Result, Stop, Trouble};

/// A mailbox that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mailbox {
    /// The index of the account whose it is.
    pub(super) account: usize,
    /// Its name.
    pub(super) name: String,
}

/// A mailbox with messages.
#[derive(Debug, Clone)]
pub(super) struct Filled {
    pub(super) mailbox: Mailbox,
    /// How many messages it holds.
    pub(super) messages: usize,
    /// Their octets together.
    pub(super) octets: u64,
    /// How long the server took to take them.
    pub(super) took: Duration,
    /// How they were sent.
    pub(super) how: &'static str,
}

/// The account whose large mailbox is used.
const LARGE: usize = 9;

/// All mailboxes of a round.
#[derive(Debug, Default)]
pub(super) struct Mailboxes {
    made: Vec<Mailbox>,
    /// Mailboxes of ordinary mail, all alike.
    medium: Vec<Filled>,
    /// How many there were: each has a name of its own.
    mediums: usize,
    large: Option<Filled>,
    empty: Option<Mailbox>,
}

impl Mailboxes {
    pub(super) fn is_empty(&self) -> bool {
        self.made.is_empty()
    }

    /// Removes all; those that stay, and why.
    pub(super) fn remove(&mut self, peer: &Peer) -> Vec<(Mailbox, Trouble)> {
        let mut made = std::mem::take(&mut self.made);
        made.sort_by_key(|mailbox| mailbox.account % peer.accounts.count.max(1));
        let mut left = Vec::new();
        let mut open: Option<(usize, Connection)> = None;
        for mailbox in made {
            let account = mailbox.account % peer.accounts.count.max(1);
            let connection = match open.take().filter(|(of, _)| *of == account) {
                Some((_, connection)) => Ok(connection),
                // What was interrupted is still cleared away.
                None => Connection::login(peer, account, Way::Asked, Room::Small, &Stop::default()),
            };
            let deleted = connection.and_then(|mut connection| {
                let deleted = connection.command(&format!("DELETE {}", mailbox.name));
                // A connection that was refused something goes on; one that is broken does not.
                if matches!(deleted, Ok(_) | Err(Trouble::Wrong(_))) {
                    open = Some((account, connection));
                }
                deleted
            });
            if let Err(trouble) = deleted {
                left.push((mailbox, trouble));
            }
        }
        left
    }
}

impl Round<'_> {
    /// Makes a mailbox on a connection of its account.
    pub(super) fn create(&mut self, connection: &mut Connection, account: usize, role: &str) -> Result<Mailbox> {
        let name = self.site.name(role);
        let mailbox = Mailbox { account, name };
        // Before it is made, so that it is removed whenever the run ends.
        self.mailboxes.made.push(mailbox.clone());
        connection.command(&format!("CREATE {}", mailbox.name))?;
        Ok(mailbox)
    }

    /// Makes a mailbox on a connection of its own.
    pub(super) fn create_in(&mut self, account: usize, role: &str) -> Result<(Mailbox, Connection)> {
        let mut connection = self.site.login(account, Room::Large)?;
        let mailbox = self.create(&mut connection, account, role)?;
        Ok((mailbox, connection))
    }

    /// A mailbox without messages, of the first account.
    pub(super) fn empty(&mut self) -> Result<Mailbox> {
        if let Some(mailbox) = &self.mailboxes.empty {
            return Ok(mailbox.clone());
        }
        let (mailbox, _) = self.create_in(0, "empty")?;
        self.mailboxes.empty = Some(mailbox.clone());
        Ok(mailbox)
    }

    /// The mailbox of ordinary mail with this index.
    pub(super) fn medium(&mut self, index: usize) -> Result<Filled> {
        while self.mailboxes.medium.len() <= index {
            let account = self.mailboxes.medium.len();
            self.mailboxes.mediums += 1;
            let role = format!("medium-{}", self.mailboxes.mediums);
            let (sizes, attachment) = (self.site.sizes.clone(), self.site.sizes.attachment);
            let make = |index| (corpus::options(index), corpus::realistic(index, attachment));
            let filled = self.filled(account, &role, sizes.medium, &make)?;
            self.mailboxes.medium.push(filled);
        }
        let filled = self.mailboxes.medium.get(index).cloned();
        filled.ok_or_else(|| Trouble::Wrong("the mailbox is not there".to_owned()))
    }

    /// A mailbox of ordinary mail that nobody else looks at afterwards.
    pub(super) fn medium_to_spoil(&mut self) -> Result<Filled> {
        // The first is where others search and count.
        let index = self.mailboxes.medium.len().saturating_sub(1).max(1);
        let filled = self.medium(index)?;
        self.mailboxes.medium.truncate(index);
        Ok(filled)
    }

    /// The mailbox of small mail.
    pub(super) fn large(&mut self) -> Result<Filled> {
        if let Some(filled) = &self.mailboxes.large {
            return Ok(filled.clone());
        }
        let messages = self.site.sizes.large;
        let make = |index| (corpus::options(index), corpus::small(index));
        let filled = self.filled(LARGE, "large", messages, &make)?;
        self.mailboxes.large = Some(filled.clone());
        Ok(filled)
    }

    /// Makes a mailbox with messages; each is made with what stands in front of it in APPEND.
    pub(super) fn filled(
        &mut self,
        account: usize,
        role: &str,
        messages: usize,
        make: &dyn Fn(usize) -> (String, Vec<u8>),
    ) -> Result<Filled> {
        self.says(&format!("a mailbox of {messages} messages is being filled"));
        let (mailbox, mut connection) = self.create_in(account, role)?;
        fill(&self.site, &mut connection, mailbox, messages, make)
    }
}

/// Fills a mailbox by the quickest means that the server knows, and looks whether all arrived.
fn fill(
    site: &Site,
    connection: &mut Connection,
    mailbox: Mailbox,
    messages: usize,
    make: &dyn Fn(usize) -> (String, Vec<u8>),
) -> Result<Filled> {
    let facts = &site.peer.facts;
    let (at_once, several) = (facts.has("LITERAL+"), facts.has("MULTIAPPEND"));
    let (batch, how) = match (at_once, several) {
        (true, true) => (250, "MULTIAPPEND of 250"),
        (true, false) => (16, "16 APPENDs pipelined"),
        (false, _) => (16, "one APPEND after another"),
    };
    let mut filled = Filled {
        mailbox,
        messages,
        octets: 0,
        took: Duration::ZERO,
        how,
    };
    for from in (0..messages).step_by(batch) {
        let made: Vec<(String, Vec<u8>)> = (from..messages.min(from + batch)).map(make).collect();
        filled.octets += made.iter().map(|(_, message)| message.len() as u64).sum::<u64>();
        // Making up the messages is not the server's time.
        let began = Instant::now();
        if at_once {
            connection.append_many(&filled.mailbox.name, &made, several)?;
        } else {
            for (options, message) in &made {
                connection.append(&filled.mailbox.name, options, message)?;
            }
        }
        filled.took += began.elapsed();
    }
    let status = connection.command(&format!("STATUS {} (MESSAGES)", filled.mailbox.name))?;
    if status.messages != Some(messages as u64) {
        let there = status.messages.unwrap_or_default();
        return Trouble::wrong(format!("{there} of {messages} messages have arrived"));
    }
    Ok(filled)
}
