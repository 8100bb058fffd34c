//! The messages that are `\Recent` to one session.

use backend_api::Uid;
use roaring::RoaringBitmap;

/// UIDs that are recent to a session and in its view, and how many. A bitmap: sessions that claim in turn leave gaps
/// everywhere, which in a list of runs would cost more with each message that ever came.
#[derive(Debug, Default)]
pub(super) struct Recent {
    uids: RoaringBitmap,
    count: u32,
}

impl Recent {
    /// All messages from `first` to `last`, of which the view has `count`, are recent, and none was before.
    pub(super) fn add(&mut self, first: Uid, last: Uid, count: u32) {
        self.uids.insert_range(first.get()..=last.get());
        self.uids.optimize();
        self.count = self.count.saturating_add(count);
    }

    /// Whether this message is recent.
    pub(super) fn contains(&self, uid: Uid) -> bool {
        self.uids.contains(uid.get())
    }

    /// This message left the view.
    pub(super) fn remove(&mut self, uid: Uid) {
        if self.uids.remove(uid.get()) {
            self.count = self.count.saturating_sub(1);
        }
    }

    /// How many of the view's messages are recent.
    pub(super) fn count(&self) -> u32 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid(n: u32) -> Uid {
        Uid::new(n).unwrap()
    }

    #[test]
    fn messages_that_left_are_neither_counted_nor_remembered() {
        let mut recent = Recent::default();
        recent.add(uid(3), uid(9), 5);
        assert_eq!(recent.count(), 5);
        for n in [2, 3, 3, 9] {
            recent.remove(uid(n));
        }
        assert_eq!(recent.count(), 3);
        assert!(recent.contains(uid(4)) && !recent.contains(uid(3)) && !recent.contains(uid(10)));
    }

    #[test]
    fn who_claims_every_other_message_remembers_an_eighth_of_an_octet_for_each() {
        let (mut one, mut all) = (Recent::default(), Recent::default());
        for n in (1..200_000).step_by(2) {
            one.add(uid(n), uid(n), 1);
        }
        all.add(uid(1), uid(1_000_000), 1_000_000);
        assert!(one.uids.serialized_size() < 200_000 / 8 + 8_192 + 100);
        assert!(all.uids.serialized_size() < 1_000);
    }
}
