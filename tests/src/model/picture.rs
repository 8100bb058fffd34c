//! What one client knows of its selected mailbox, from what it was told alone, and the rules that each response must keep.

use std::collections::BTreeSet;

use super::ledger::{MailboxKey, Truth};
use super::rule::{Checked, Rule, broken, check};

/// Flags in lower case, without `\Recent`.
pub(super) type FlagSet = BTreeSet<String>;

/// A message as a client sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Its UID, once told.
    pub(super) uid: Option<u32>,
    /// Its flags, once told.
    pub(super) flags: Option<FlagSet>,
    /// It was shown with `\Recent`.
    pub(super) recent: bool,
    /// Its UID is above this one.
    above: u32,
}

/// A client's picture of its mailbox.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    /// Which mailbox.
    pub(super) mailbox: MailboxKey,
    /// This session's own number: each SELECT is a session.
    pub(super) session: u64,
    /// When it was opened, on the run's clock.
    pub(super) opened_at: u64,
    /// Opened by EXAMINE, or found to be read-only.
    pub(super) read_only: bool,
    /// The messages, the first being number 1.
    pub(super) messages: Vec<Seen>,
    /// UIDs whose EXPUNGE was told.
    gone: BTreeSet<u32>,
    /// The highest UID that was ever told, or that UIDNEXT leaves behind.
    highest: u32,
}

impl Picture {
    /// Of a mailbox that is being selected.
    pub(super) fn new(mailbox: MailboxKey, session: u64, opened_at: u64, read_only: bool) -> Self {
        Self {
            mailbox,
            session,
            opened_at,
            read_only,
            messages: Vec::new(),
            gone: BTreeSet::new(),
            highest: 0,
        }
    }

    /// How many messages there are.
    pub(super) fn exists(&self) -> u32 {
        u32::try_from(self.messages.len()).unwrap_or(u32::MAX)
    }

    /// Whether the UID of every message is known.
    pub(super) fn knows_all(&self) -> bool {
        self.messages.iter().all(|m| m.uid.is_some())
    }

    /// `* n EXISTS`
    pub(super) fn exists_told(&mut self, n: u32) -> Checked {
        let known = self.exists();
        check(Rule::ExistsFalls, n >= known, || {
            format!("EXISTS fell from {known} to {n} without EXPUNGE")
        })?;
        let above = self.highest;
        let new = Seen {
            above,
            ..Seen::default()
        };
        self.messages.resize(n as usize, new);
        Ok(())
    }

    /// `* OK [UIDNEXT n]` while it is being opened: what is announced later has this UID or a higher one.
    pub(super) fn uid_next_told(&mut self, n: u32) -> Checked {
        check(Rule::UidRises, n > self.highest, || {
            format!("UIDNEXT is {n}, and there is UID {}", self.highest)
        })?;
        self.highest = n - 1;
        Ok(())
    }

    /// `* n RECENT`
    pub(super) fn recent_told(&self, n: u32) -> Checked {
        check(Rule::Recent, n <= self.exists(), || {
            format!("{n} of {} messages are recent", self.exists())
        })
    }

    /// `* n EXPUNGE`
    pub(super) fn expunge_told(&mut self, n: u32) -> Checked {
        self.in_range(n)?;
        let index = n as usize - 1;
        let message = self.messages.remove(index);
        let bound = message.uid.unwrap_or(message.above);
        self.gone.extend(message.uid);
        for later in self.messages[index..].iter_mut().take_while(|m| m.uid.is_none()) {
            later.above = later.above.max(bound);
        }
        Ok(())
    }

    /// `* n FETCH (UID … FLAGS …)`
    pub(super) fn fetch_told(&mut self, n: u32, uid: Option<u32>, flags: Option<FlagSet>, recent: bool) -> Checked {
        self.in_range(n)?;
        if let Some(uid) = uid {
            self.uid_told(n, uid)?;
        }
        let message = &mut self.messages[n as usize - 1];
        message.recent |= recent;
        if flags.is_some() {
            message.flags = flags;
        }
        Ok(())
    }

    fn uid_told(&mut self, n: u32, uid: u32) -> Checked {
        let index = n as usize - 1;
        if let Some(known) = self.messages[index].uid {
            return check(Rule::NumberKept, known == uid, || {
                format!("number {n} was UID {known} and is UID {uid} now, without EXPUNGE")
            });
        }
        if self.gone.contains(&uid) {
            return broken(
                Rule::UidRises,
                format!("UID {uid} is back as number {n} after its EXPUNGE"),
            );
        }
        let below = self.messages[..index].iter().filter_map(|m| m.uid).next_back();
        let below = below.unwrap_or(0).max(self.messages[index].above);
        let above = self.messages[index + 1..].iter().find_map(|m| m.uid);
        check(
            Rule::UidRises,
            uid > below && above.is_none_or(|above| uid < above),
            || format!("UID {uid} of number {n} does not stand between {below} and {above:?}"),
        )?;
        self.messages[index].uid = Some(uid);
        self.highest = self.highest.max(uid);
        Ok(())
    }

    fn in_range(&self, n: u32) -> Checked {
        let exists = self.exists();
        check(Rule::NumberInRange, (1..=exists).contains(&n), || {
            format!("number {n} is outside of 1 to {exists}")
        })
    }

    /// The message of a UID, if it is known.
    pub(super) fn of_uid(&mut self, uid: u32) -> Option<&mut Seen> {
        self.messages.iter_mut().find(|m| m.uid == Some(uid))
    }

    /// Whether the EXPUNGE of this UID was told.
    pub(super) fn is_gone(&self, uid: u32) -> bool {
        self.gone.contains(&uid)
    }

    /// Compares with what is there, and learns the UIDs that were not told yet.
    pub(super) fn agrees_with(&mut self, truth: &[Truth]) -> Checked {
        let known = self.messages.len();
        check(Rule::MessagesTold, known == truth.len(), || {
            format!("it knows {known} messages of {}", truth.len())
        })?;
        for (n, message) in (1..).zip(truth) {
            let uid = message.uid;
            self.uid_told(n, uid).map_err(|mut wrong| {
                wrong.rule = Rule::MessagesTold;
                wrong
            })?;
            let told = self.messages[n as usize - 1].flags.as_ref();
            check(Rule::FlagsTold, told.is_none_or(|told| *told == message.flags), || {
                format!("flags of UID {uid} are {:?}, it was told {told:?}", message.flags)
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_uid_is_above_all_that_were_told_before_it() {
        let mut picture = Picture::new(MailboxKey(0), 0, 0, false);
        picture.exists_told(2).unwrap();
        picture.fetch_told(1, Some(4), None, false).unwrap();
        picture.fetch_told(2, Some(9), None, false).unwrap();
        picture.expunge_told(2).unwrap();
        picture.exists_told(2).unwrap();
        let reused = picture.fetch_told(2, Some(7), None, false).unwrap_err();
        assert_eq!(reused.rule, Rule::UidRises);
        picture.fetch_told(2, Some(10), None, false).unwrap();
    }

    #[test]
    fn a_number_keeps_its_message_until_an_expunge_is_told() {
        let mut picture = Picture::new(MailboxKey(0), 0, 0, false);
        picture.exists_told(2).unwrap();
        picture.fetch_told(1, Some(4), None, false).unwrap();
        let moved = picture.fetch_told(1, Some(5), None, false).unwrap_err();
        assert_eq!(moved.rule, Rule::NumberKept);
        assert_eq!(picture.expunge_told(0).unwrap_err().rule, Rule::NumberInRange);
        assert_eq!(picture.exists_told(1).unwrap_err().rule, Rule::ExistsFalls);
    }
}
