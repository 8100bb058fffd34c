//! An application's own records, served as messages: each order of a shop is a message, each customer a folder.
//!
//! The implementation is all that an application writes: no sequence numbers, no MIME, no update rules.

use imap_server::prelude::*;

/// One record of the application.
pub struct Order {
    /// Its key, which never changes: the UID.
    pub id: u32,
    /// Who ordered: a mailbox.
    pub customer: u64,
    /// What was ordered.
    pub text: String,
}

/// What the application keeps.
pub struct Shop {
    /// Names of the customers; the place is the number.
    pub customers: Vec<String>,
    /// All orders.
    pub orders: Vec<Order>,
}

#[async_trait]
impl MailStore for Shop {
    async fn login(&self, who: Credentials<'_>) -> Result<Account> {
        if who.is("shop", "secret") {
            Ok(Account::new("shop"))
        } else {
            Err(Error::authentication_failed())
        }
    }

    async fn mailboxes(&self, _: &Account) -> Result<Vec<MailboxEntry>> {
        let folder = |(id, name): (u64, &String)| MailboxEntry::new(id, &format!("Orders/{name}"));
        let folders = (1..).zip(&self.customers).map(folder);
        Ok(std::iter::once(MailboxEntry::new(0, "INBOX")).chain(folders).collect())
    }

    async fn messages(&self, _: &Account, mailbox: MailboxId) -> Result<Messages> {
        let orders = self.orders.iter().filter(|o| mailbox == 0 || o.customer == mailbox);
        let entries = orders.filter_map(|o| Uid::new(o.id)).map(MessageEntry::new);
        Ok(entries.collect::<Vec<_>>().into())
    }

    async fn body(&self, _: &Account, _: MailboxId, uid: Uid) -> Result<MessageBody> {
        let order = self.orders.iter().find(|o| o.id == uid.get());
        let order = order.ok_or_else(|| Error::not_found("no such order"))?;
        let Order { id, text, .. } = order;
        Ok(format!("From: shop@example.com\r\nSubject: order {id}\r\n\r\n{text}\r\n").into())
    }
}
