//! Which connections there are, who is on them, and the caps on their number.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use backend_api::{ConnInfo, MailboxName};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::config::Caps;
use crate::handle::SessionInfo;
use crate::shutdown::Stop;

/// All connections of one server.
#[derive(Default)]
pub(crate) struct Registry {
    inner: Mutex<Inner>,
    /// Notified whenever the last connection ended.
    pub(crate) empty: Notify,
    /// No new connections are taken.
    pub(crate) closing: CancellationToken,
    /// Connections that are still there end now, whatever they do.
    pub(crate) kill: CancellationToken,
}

#[derive(Default)]
struct Inner {
    entries: HashMap<u64, Arc<Entry>>,
    per_address: HashMap<IpAddr, usize>,
    per_user: HashMap<Arc<str>, usize>,
    /// Why new connections are turned away.
    closing: Option<Arc<str>>,
}

/// One connection as others see it.
pub(crate) struct Entry {
    pub(crate) info: ConnInfo,
    since: SystemTime,
    pub(crate) stop: Stop,
    /// Grows whenever the peer takes octets.
    pub(crate) progress: AtomicU64,
    who: Mutex<Who>,
}

#[derive(Default)]
struct Who {
    user: Option<Arc<str>>,
    mailbox: Option<MailboxName>,
    tls: bool,
}

/// A connection's place in the registry; dropping it leaves.
pub(crate) struct Place {
    registry: Arc<Registry>,
    pub(crate) entry: Arc<Entry>,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// A number that no other connection of this process has.
pub(crate) fn next_id() -> u64 {
    NEXT_ID.fetch_add(1, Ordering::Relaxed)
}

impl Registry {
    /// Enters a connection, or says in words for the client why it cannot be taken.
    pub(crate) fn enter(self: &Arc<Self>, info: &ConnInfo, caps: &Caps) -> Result<Place, String> {
        let mut inner = lock(&self.inner);
        if let Some(reason) = &inner.closing {
            return Err(reason.to_string());
        }
        if inner.entries.len() >= caps.connections {
            return Err("Too many connections to this server, try again later".into());
        }
        if let Some(peer) = info.peer {
            let count = inner.per_address.entry(peer.ip()).or_default();
            if *count >= caps.per_address {
                return Err("Too many connections from your address, try again later".into());
            }
            *count += 1;
        }
        let entry = Arc::new(Entry {
            info: info.clone(),
            since: SystemTime::now(),
            stop: Stop::default(),
            progress: AtomicU64::new(0),
            who: Mutex::new(Who {
                tls: info.tls,
                ..Who::default()
            }),
        });
        inner.entries.insert(info.id, entry.clone());
        Ok(Place {
            registry: self.clone(),
            entry,
        })
    }

    pub(crate) fn sessions(&self) -> Vec<SessionInfo> {
        let entries: Vec<_> = lock(&self.inner).entries.values().cloned().collect();
        let mut sessions: Vec<_> = entries.iter().map(|e| e.session()).collect();
        sessions.sort_unstable_by_key(|s| s.id);
        sessions
    }

    /// Stops those for whom `which` says so; how many.
    pub(crate) fn stop(&self, which: impl Fn(&SessionInfo) -> bool, reason: &str) -> usize {
        let entries: Vec<_> = lock(&self.inner).entries.values().cloned().collect();
        let stopped = entries.iter().filter(|e| which(&e.session()));
        stopped.map(|e| e.stop.stop(reason)).count()
    }

    /// From now on nobody is let in, and those inside are asked to leave.
    pub(crate) fn close(&self, reason: &str) {
        lock(&self.inner).closing.get_or_insert_with(|| reason.into());
        self.closing.cancel();
        self.stop(|_| true, reason);
    }

    pub(crate) fn len(&self) -> usize {
        lock(&self.inner).entries.len()
    }
}

impl Entry {
    fn session(&self) -> SessionInfo {
        let who = lock(&self.who);
        SessionInfo {
            id: self.info.id,
            user: who.user.as_deref().map(str::to_owned),
            peer: self.info.peer,
            tls: who.tls,
            mailbox: who.mailbox.clone(),
            since: self.since,
        }
    }
}

impl Place {
    /// Notes who logged in; `false` where this user has too many connections already.
    pub(crate) fn log_in(&self, user: &str, caps: &Caps) -> bool {
        let user: Arc<str> = user.into();
        let mut inner = lock(&self.registry.inner);
        let count = inner.per_user.entry(user.clone()).or_default();
        if *count >= caps.per_user {
            return false;
        }
        *count += 1;
        lock(&self.entry.who).user = Some(user);
        true
    }

    pub(crate) fn user(&self) -> Option<Arc<str>> {
        lock(&self.entry.who).user.clone()
    }

    pub(crate) fn set_mailbox(&self, mailbox: Option<MailboxName>) {
        lock(&self.entry.who).mailbox = mailbox;
    }

    pub(crate) fn mailbox(&self) -> Option<MailboxName> {
        lock(&self.entry.who).mailbox.clone()
    }

    pub(crate) fn set_tls(&self) {
        lock(&self.entry.who).tls = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let user = lock(&self.entry.who).user.take();
        let mut inner = lock(&self.registry.inner);
        inner.entries.remove(&self.entry.info.id);
        if let Some(peer) = self.entry.info.peer {
            less(&mut inner.per_address, &peer.ip());
        }
        if let Some(user) = user {
            less(&mut inner.per_user, &user);
        }
        if inner.entries.is_empty() {
            self.registry.empty.notify_waiters();
        }
    }
}

fn less<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// What is behind these locks is whole after every statement, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
