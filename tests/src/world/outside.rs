//! What happens to a store outside of IMAP: the application's own doing, beneath the server.

use std::sync::Arc;

use backend_api::{
    Account, DateTime, Flags, Incoming, MailStore, MailboxId, MailboxName, NewMessage, Remove, Uid, async_trait,
};
use backend_memory::MemoryStore;
use backend_sqlite::SqliteStore;
use backendutil::Hub;

use super::four_methods::FourMethods;

/// A store, and the hub by which its application says that something changed.
pub(super) struct Store<S> {
    pub(super) store: Arc<S>,
    pub(super) hub: Hub,
    pub(super) account: Account,
}

#[async_trait]
pub(super) trait Outside: Send + Sync {
    async fn arrives(&self, message: &str) -> Uid;
    async fn vanishes(&self, uid: Uid);
}

impl<S: MailStore> Store<S> {
    async fn inbox(&self) -> MailboxId {
        let inbox = self.store.mailbox(&self.account, &MailboxName::inbox()).await;
        inbox.expect("mailboxes can be listed").expect("there is an INBOX").id
    }

    async fn add(&self, message: &str) -> Uid {
        let body = Incoming::Body(message.to_owned().into());
        let new = NewMessage::new(Flags::NONE, DateTime::new(1_000_000_000, 0), message.len() as u64, body);
        let inbox = self.inbox().await;
        let added = self
            .store
            .add(&self.account, inbox, vec![new])
            .await
            .expect("the message is added");
        self.hub.changed(&self.account, inbox);
        added.uids[0]
    }

    async fn remove(&self, uid: Uid) {
        let inbox = self.inbox().await;
        let uids = [uid].into_iter().collect();
        self.store
            .remove(&self.account, inbox, &uids, Remove::All)
            .await
            .expect("the message is removed");
        self.hub.changed(&self.account, inbox);
    }
}

#[async_trait]
impl Outside for Store<MemoryStore> {
    async fn arrives(&self, message: &str) -> Uid {
        self.add(message).await
    }
    async fn vanishes(&self, uid: Uid) {
        self.remove(uid).await;
    }
}

#[async_trait]
impl Outside for Store<SqliteStore> {
    async fn arrives(&self, message: &str) -> Uid {
        self.add(message).await
    }
    async fn vanishes(&self, uid: Uid) {
        self.remove(uid).await;
    }
}

#[async_trait]
impl Outside for Store<FourMethods> {
    async fn arrives(&self, message: &str) -> Uid {
        let uid = self.store.arrives(message);
        self.hub.changed(&self.account, self.inbox().await);
        uid
    }
    async fn vanishes(&self, uid: Uid) {
        self.store.vanishes(uid);
        self.hub.changed(&self.account, self.inbox().await);
    }
}
