//! What one client knows of its selected mailbox, from what it was told alone, and the rules that each response must keep.

use std::collections::BTreeSet;

/// A message as a client sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Its UID, once told.
    pub(super) uid: Option<u32>,
    /// Its flags, once told; without `\Recent`, in lower case.
    pub(super) flags: Option<BTreeSet<String>>,
}

/// A client's picture of its mailbox.
#[derive(Debug, Clone, Default)]
pub(super) struct Picture {
    /// The mailbox's name.
    pub(super) mailbox: String,
    /// Opened by EXAMINE.
    pub(super) read_only: bool,
    /// UIDVALIDITY.
    pub(super) uid_validity: u32,
    /// The messages, the first being number 1.
    pub(super) messages: Vec<Seen>,
    /// UIDs whose EXPUNGE was told.
    gone: BTreeSet<u32>,
}

/// The answer to a response that breaks a rule: which.
pub(super) type Checked<T = ()> = Result<T, String>;

impl Picture {
    /// Of a mailbox that is being selected.
    pub(super) fn new(mailbox: &str, read_only: bool) -> Self {
        Self {
            mailbox: mailbox.to_owned(),
            read_only,
            ..Self::default()
        }
    }

    /// How many messages there are.
    pub(super) fn exists(&self) -> u32 {
        u32::try_from(self.messages.len()).unwrap_or(u32::MAX)
    }

    /// `* n EXISTS`
    pub(super) fn exists_told(&mut self, n: u32) -> Checked {
        if n < self.exists() {
            return Err(format!("EXISTS fell from {} to {n} without EXPUNGE", self.exists()));
        }
        self.messages.resize(n as usize, Seen::default());
        Ok(())
    }

    /// `* n EXPUNGE`
    pub(super) fn expunge_told(&mut self, n: u32) -> Checked {
        self.in_range(n)?;
        let message = self.messages.remove(n as usize - 1);
        if let Some(uid) = message.uid {
            self.gone.insert(uid);
        }
        Ok(())
    }

    /// `* n FETCH (UID … FLAGS …)`
    pub(super) fn fetch_told(&mut self, n: u32, uid: Option<u32>, flags: Option<BTreeSet<String>>) -> Checked {
        self.in_range(n)?;
        if let Some(uid) = uid {
            self.uid_told(n, uid)?;
        }
        if flags.is_some() {
            self.messages[n as usize - 1].flags = flags;
        }
        Ok(())
    }

    fn uid_told(&mut self, n: u32, uid: u32) -> Checked {
        let index = n as usize - 1;
        if let Some(known) = self.messages[index].uid {
            return match known == uid {
                true => Ok(()),
                false => Err(format!(
                    "number {n} was UID {known} and is UID {uid} now, without EXPUNGE"
                )),
            };
        }
        if self.gone.contains(&uid) {
            return Err(format!("UID {uid} is back as number {n} after its EXPUNGE"));
        }
        let below = self.messages[..index].iter().filter_map(|m| m.uid).next_back();
        let above = self.messages[index + 1..].iter().find_map(|m| m.uid);
        if below.is_some_and(|b| b >= uid) || above.is_some_and(|a| a <= uid) {
            return Err(format!(
                "UID {uid} of number {n} does not stand between {below:?} and {above:?}"
            ));
        }
        self.messages[index].uid = Some(uid);
        Ok(())
    }

    fn in_range(&self, n: u32) -> Checked {
        match (1..=self.exists()).contains(&n) {
            true => Ok(()),
            false => Err(format!("number {n} is outside of 1..={}", self.exists())),
        }
    }

    /// The number of a UID, if it is known.
    pub(super) fn number_of(&self, uid: u32) -> Option<u32> {
        let index = self.messages.iter().position(|m| m.uid == Some(uid))?;
        u32::try_from(index + 1).ok()
    }

    /// Whether the EXPUNGE of this UID was told.
    pub(super) fn is_gone(&self, uid: u32) -> bool {
        self.gone.contains(&uid)
    }

    /// Compares with what is there, and learns the UIDs that were not told yet.
    pub(super) fn agrees_with(&mut self, truth: &[(u32, BTreeSet<String>)]) -> Checked {
        if self.messages.len() != truth.len() {
            return Err(format!("it knows {} messages of {}", self.messages.len(), truth.len()));
        }
        for (i, (uid, flags)) in truth.iter().enumerate() {
            let n = u32::try_from(i + 1).unwrap_or(u32::MAX);
            self.uid_told(n, *uid)?;
            let seen = &mut self.messages[i];
            if seen.flags.as_ref().is_some_and(|told| told != flags) {
                let told = seen.flags.clone();
                return Err(format!("flags of UID {uid} are {flags:?}, it was told {told:?}"));
            }
        }
        Ok(())
    }
}
