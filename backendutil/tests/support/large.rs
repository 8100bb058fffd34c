//! A store of one large mailbox, of which there is nothing but the list.

use async_trait::async_trait;
use backend_api::{
    Account, Changes, Credentials, DateTime, Error, Flags, MailStore, MailboxEntry, MailboxId, MessageBody,
    MessageEntry, Messages, ModSeq, Result, Uid,
};

/// Every message has `\Seen`; the first has `\Flagged` as well.
pub(crate) struct Large {
    pub(crate) messages: u32,
}

impl Large {
    pub(crate) fn list(&self) -> Vec<MessageEntry> {
        let uids = (1..=self.messages).filter_map(Uid::new);
        let entry = |uid: Uid| {
            MessageEntry::new(uid)
                .with_flags(Flags::SEEN)
                .with_date(DateTime::new(i64::from(uid.get()), 0))
                .with_size(4_000)
                .with_mod_seq(ModSeq(1))
        };
        let mut list: Vec<MessageEntry> = uids.map(entry).collect();
        if let Some(first) = list.first_mut() {
            first.flags = Flags::SEEN.with(backend_api::SystemFlag::Flagged);
        }
        list
    }
}

#[async_trait]
impl MailStore for Large {
    async fn login(&self, who: Credentials<'_>) -> Result<Account> {
        Ok(Account::new(who.user()))
    }

    async fn mailboxes(&self, _: &Account) -> Result<Vec<MailboxEntry>> {
        Ok(vec![MailboxEntry::new(1, "INBOX")])
    }

    async fn messages(&self, _: &Account, _: MailboxId) -> Result<Messages> {
        let mut messages = Messages::from(self.list());
        messages.highest_mod_seq = ModSeq(1);
        Ok(messages)
    }

    async fn body(&self, _: &Account, _: MailboxId, _: Uid) -> Result<MessageBody> {
        Err(Error::not_found("there are no octets here"))
    }

    fn has_mod_seqs(&self) -> bool {
        true
    }

    async fn changes_since(&self, _: &Account, _: MailboxId, since: ModSeq) -> Result<Option<Changes>> {
        let mut changes = Changes::default();
        (changes.from, changes.to) = (since, since);
        Ok(Some(changes))
    }
}
