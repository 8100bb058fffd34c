//! [`Mapped`]: a complete backend from a store that knows UIDs alone.

mod append;
mod fetch;
mod indexes;
mod mailbox;
mod octets;
mod recent;
mod search;
mod session;
mod sync;
mod told;

use std::sync::Arc;

use async_trait::async_trait;
use backend_api::{Abilities, Backend, Credentials, Ctx, MailStore, Result};

pub use mailbox::MappedMailbox;
pub use session::MappedSession;

use crate::hub::Hub;
use indexes::{INDEXES, Indexes};

/// A tier-1 [`Backend`] over a [`MailStore`]: views, update dispatch, EXPUNGE buffering, IDLE, SEARCH, MOVE, and every
/// item of FETCH.
///
/// The store is asked by UID alone. What it refuses is refused to the client in the right words.
pub struct Mapped<S> {
    store: Arc<S>,
    hub: Hub,
    indexes: Arc<Indexes>,
}

impl<S: MailStore> Mapped<S> {
    /// A backend over this store.
    pub fn new(store: impl Into<Arc<S>>) -> Self {
        let (store, hub) = (store.into(), Hub::new());
        store.attach(Arc::new(hub.clone()));
        let indexes = Arc::new(Indexes::new(INDEXES));
        Self { store, hub, indexes }
    }

    /// How many octets of memory the indexes of messages that were read lately may have, of all sessions together; 64 MiB
    /// unless it is said here. From them ENVELOPE, BODYSTRUCTURE, header fields and searches in headers are answered
    /// without asking the store again.
    #[must_use]
    pub fn index_cache(mut self, octets: u64) -> Self {
        self.indexes = Arc::new(Indexes::new(octets));
        self
    }

    /// How many octets of memory the listings of mailboxes may have that no session has open any more, all together; 64 MiB
    /// unless it is said here, and never more than 256 mailboxes. A listing takes 38 octets for each message, so that this is
    /// room for 1,700,000. What is kept need not be listed by the store when the mailbox is opened again; a mailbox whose
    /// listing alone is larger is not kept. Mailboxes that are open are listed whatever this says.
    ///
    /// It counts for a store with mod-sequences; one without is asked for its list at each SELECT all the same.
    #[must_use]
    pub fn listing_cache(self, octets: u64) -> Self {
        self.hub.keep(octets);
        self
    }

    /// To say that something changed in the store: keep a clone where your application changes its data.
    pub fn hub(&self) -> Hub {
        self.hub.clone()
    }

    /// The store.
    pub fn store(&self) -> &Arc<S> {
        &self.store
    }
}

#[async_trait]
impl<S: MailStore> Backend for Mapped<S> {
    type Session = MappedSession<S>;

    fn abilities(&self) -> Abilities {
        self.store.abilities(None)
    }

    async fn login(&self, _ctx: &Ctx<'_>, who: Credentials<'_>) -> Result<Self::Session> {
        let account = self.store.login(who).await?;
        Ok(MappedSession::new(
            self.store.clone(),
            self.hub.clone(),
            self.indexes.clone(),
            account,
        ))
    }
}
