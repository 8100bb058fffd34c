//! A backend made of the four required methods of a `MailStore` alone: an application's own data, shown as mail.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use backend_api::{
    Account, Credentials, DateTime, Error, Flags, MailStore, MailboxEntry, MailboxId, MessageBody, MessageEntry,
    Messages, Result, Uid, async_trait,
};

use super::content;

type Inbox = BTreeMap<Uid, (Flags, DateTime, Vec<u8>)>;

/// Messages that only the application itself changes.
pub struct FourMethods {
    inbox: Mutex<Inbox>,
    /// The highest UID that was given: none comes twice.
    last_uid: AtomicU32,
}

impl Default for FourMethods {
    fn default() -> Self {
        Self::new()
    }
}

impl FourMethods {
    /// With the mail of every world.
    pub fn new() -> Self {
        let inbox = content::inbox().map(|(uid, flags, date, body)| (uid, (flags, date, body.to_vec())));
        let inbox: Inbox = inbox.collect();
        Self {
            last_uid: AtomicU32::new(inbox.last_key_value().map_or(0, |(uid, _)| uid.get())),
            inbox: Mutex::new(inbox),
        }
    }

    /// With these messages alone, and none of those that it had.
    pub fn begin_with(&self, messages: impl IntoIterator<Item = (Flags, DateTime, Vec<u8>)>) {
        let uids = || Uid::new(self.last_uid.fetch_add(1, Ordering::Relaxed) + 1).unwrap_or(Uid::MIN);
        *self.inbox() = messages.into_iter().map(|message| (uids(), message)).collect();
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn arrives(&self, message: &str) -> Uid {
        let mut inbox = self.inbox();
        let last = self.last_uid.fetch_add(1, Ordering::Relaxed);
        let uid = Uid::new(last + 1).unwrap_or(Uid::MIN);
        inbox.insert(
            uid,
            (
                Flags::NONE,
                DateTime::new(1_000_000_000, 0),
                message.as_bytes().to_vec(),
            ),
        );
        uid
    }

    pub(super) fn vanishes(&self, uid: Uid) {
        self.inbox().remove(&uid);
    }
}

#[async_trait]
impl MailStore for FourMethods {
    async fn login(&self, who: Credentials<'_>) -> Result<Account> {
        match who.is("demo", "secret") || who.is("other", "secret") {
            true => Ok(Account::new(who.user())),
            false => Err(Error::authentication_failed()),
        }
    }

    async fn mailboxes(&self, _: &Account) -> Result<Vec<MailboxEntry>> {
        let entry = |(id, (name, special_use, subscribed)): (u64, content::Mailbox)| {
            let entry = MailboxEntry::new(id, name).with_subscribed(subscribed);
            special_use.into_iter().fold(entry, MailboxEntry::with_special_use)
        };
        Ok((1..).zip(content::MAILBOXES).map(entry).collect())
    }

    async fn messages(&self, account: &Account, mailbox: MailboxId) -> Result<Messages> {
        if mailbox != 1 || account.name() != "demo" {
            return Ok(Messages::default());
        }
        let entry = |(uid, (flags, date, _)): (&Uid, &(Flags, DateTime, Vec<u8>))| {
            MessageEntry::new(*uid).with_flags(flags.clone()).with_date(*date)
        };
        Ok(self.inbox().iter().map(entry).collect::<Vec<_>>().into())
    }

    async fn body(&self, _: &Account, _: MailboxId, uid: Uid) -> Result<MessageBody> {
        let found = self.inbox().get(&uid).map(|(.., body)| body.clone());
        found
            .map(MessageBody::from)
            .ok_or_else(|| Error::not_found("no such message"))
    }
}
