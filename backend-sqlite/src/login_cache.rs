//! Passwords that were found right a short while ago, as keyed hashes: a client that connects again does not cost 19 MiB and
//! twenty milliseconds each time.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// From the full check on; it is not prolonged by use.
const LIFE: Duration = Duration::from_secs(600);
/// Accounts remembered at a time.
const MOST: usize = 10_000;

/// What was right, for each account.
///
/// An entry is a hash of the password together with the hash that is stored, under a key that exists in this process alone
/// and is lost with it. So it never holds a password, and it is void as soon as the stored hash is another one, whichever
/// process changed it: the stored hash is read at each login.
pub(crate) struct LoginCache {
    key: [u8; 32],
    proofs: Mutex<HashMap<i64, (blake3::Hash, Instant)>>,
}

impl LoginCache {
    /// An empty one with a key of its own; without randomness there is none.
    pub(crate) fn new() -> Option<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).ok()?;
        Some(Self {
            key,
            proofs: Mutex::default(),
        })
    }

    fn proof(&self, id: i64, stored: &str, password: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&id.to_le_bytes());
        hasher.update(&(stored.len() as u64).to_le_bytes());
        hasher.update(stored.as_bytes());
        hasher.update(password);
        hasher.finalize()
    }

    /// Whether this password was found right against this stored hash a short while ago.
    pub(crate) fn knows(&self, id: i64, stored: &str, password: &[u8]) -> bool {
        let proof = self.proof(id, stored, password);
        // `blake3::Hash` compares in constant time.
        self.proofs
            .lock()
            .get(&id)
            .is_some_and(|(known, since)| since.elapsed() < LIFE && *known == proof)
    }

    /// Remembers a password that was found right just now.
    pub(crate) fn remember(&self, id: i64, stored: &str, password: &[u8]) {
        let proof = self.proof(id, stored, password);
        let mut proofs = self.proofs.lock();
        if proofs.len() >= MOST {
            proofs.retain(|_, (_, since)| since.elapsed() < LIFE);
        }
        if proofs.len() >= MOST {
            proofs.clear();
        }
        proofs.insert(id, (proof, Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_password_against_the_same_stored_hash_is_known() {
        let cache = LoginCache::new().unwrap();
        cache.remember(1, "$a", b"secret");
        assert!(cache.knows(1, "$a", b"secret"));
        assert!(!cache.knows(1, "$b", b"secret"), "the password was changed since");
        assert!(!cache.knows(1, "$a", b"secret\0"));
        assert!(!cache.knows(1, "$as", b"ecret"));
        assert!(!cache.knows(2, "$a", b"secret"));
    }

    #[test]
    fn it_remembers_a_bounded_number_of_accounts() {
        let cache = LoginCache::new().unwrap();
        (0..=MOST as i64).for_each(|id| cache.remember(id, "$a", b"x"));
        assert!(cache.proofs.lock().len() <= MOST);
        assert!(cache.knows(MOST as i64, "$a", b"x"));
    }
}
