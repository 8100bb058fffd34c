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

/// Flags as they stand in a response.
pub(super) fn flags(flags: &FlagSet) -> String {
    let each: Vec<&str> = flags.iter().map(String::as_str).collect();
    format!("({})", each.join(" "))
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
            format!("EXISTS fell from {known} to {n} without an EXPUNGE")
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
            format!("UIDNEXT is {n}, though a message has UID {}", self.highest)
        })?;
        self.highest = n - 1;
        Ok(())
    }

    /// `* n RECENT`
    pub(super) fn recent_told(&self, n: u32) -> Checked {
        check(Rule::Recent, n <= self.exists(), || {
            format!("RECENT is {n}, more than EXISTS, which is {}", self.exists())
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
                format!("message {n} had UID {known} and has UID {uid} now, without an EXPUNGE between")
            });
        }
        if self.gone.contains(&uid) {
            return broken(
                Rule::UidRises,
                format!("UID {uid} is back as message {n} after its EXPUNGE"),
            );
        }
        let below = self.messages[..index].iter().filter_map(|m| m.uid).next_back();
        let below = below.unwrap_or(0).max(self.messages[index].above);
        let above = self.messages[index + 1..].iter().find_map(|m| m.uid);
        check(
            Rule::UidRises,
            uid > below && above.is_none_or(|above| uid < above),
            || match above {
                Some(above) if uid >= above => {
                    format!("message {n} has UID {uid}, which is not below UID {above} of a message behind it")
                }
                _ => format!("message {n} has UID {uid}, which is not above UID {below}, given before it"),
            },
        )?;
        self.messages[index].uid = Some(uid);
        self.highest = self.highest.max(uid);
        Ok(())
    }

    fn in_range(&self, n: u32) -> Checked {
        let exists = self.exists();
        check(Rule::NumberInRange, (1..=exists).contains(&n), || match exists {
            0 => format!("sequence number {n} is told in a mailbox whose EXISTS is 0"),
            _ => format!("sequence number {n} is not between 1 and EXISTS, which is {exists}"),
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
            format!(
                "by EXISTS and EXPUNGE it was told of {known} messages, and the mailbox holds {}",
                truth.len()
            )
        })?;
        for (n, message) in (1..).zip(truth) {
            let uid = message.uid;
            self.uid_told(n, uid).map_err(|mut wrong| {
                wrong.rule = Rule::MessagesTold;
                wrong
            })?;
            let told = self.messages[n as usize - 1].flags.as_ref();
            check(Rule::FlagsTold, told.is_none_or(|told| *told == message.flags), || {
                format!(
                    "the flags of UID {uid} are {}, and it was last told {}",
                    flags(&message.flags),
                    told.map(flags).unwrap_or_default()
                )
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

    /// Whoever reads it knows IMAP, not the names of this program.
    #[test]
    fn what_is_wrong_is_told_in_the_words_of_imap() {
        let mut picture = Picture::new(MailboxKey(0), 0, 0, false);
        assert_eq!(
            picture.expunge_told(1).unwrap_err().why,
            "sequence number 1 is told in a mailbox whose EXISTS is 0"
        );
        picture.exists_told(3).unwrap();
        let flags: FlagSet = ["\\answered".to_owned(), "\\seen".to_owned()].into();
        picture.fetch_told(2, Some(5), Some(flags), false).unwrap();
        assert_eq!(
            picture.fetch_told(4, None, None, false).unwrap_err().why,
            "sequence number 4 is not between 1 and EXISTS, which is 3"
        );
        assert_eq!(
            picture.fetch_told(1, Some(5), None, false).unwrap_err().why,
            "message 1 has UID 5, which is not below UID 5 of a message behind it"
        );
        assert_eq!(
            picture.fetch_told(3, Some(4), None, false).unwrap_err().why,
            "message 3 has UID 4, which is not above UID 5, given before it"
        );
        let truth = |uid| Truth {
            uid,
            flags: FlagSet::new(),
            id: 0,
        };
        assert_eq!(
            picture.agrees_with(&[truth(4)]).unwrap_err().why,
            "by EXISTS and EXPUNGE it was told of 3 messages, and the mailbox holds 1"
        );
        assert_eq!(
            picture.agrees_with(&[4, 5, 6].map(truth)).unwrap_err().why,
            "the flags of UID 5 are (), and it was last told (\\answered \\seen)"
        );
    }
}
