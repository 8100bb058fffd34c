//! What of a mailbox stays in memory when its last session has gone.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use backend_api::Account;
use backendutil::Mapped;

use crate::client::World;
use crate::large::Large;
use crate::run;
use crate::stores::Around;

/// How often the store is asked for its list when a mailbox of so many messages is opened three times, one after the other.
async fn lists(messages: u32, octets: Option<u64>) -> usize {
    let mapped = Mapped::new(Arc::new(Around::new(Large { messages })));
    let backend = match octets {
        Some(octets) => mapped.listing_cache(octets),
        None => mapped,
    };
    let (hub, account) = (backend.hub(), Account::new("demo"));
    let world = World { backend, hub, account };
    for _ in 0..3 {
        let client = world.select("INBOX").await;
        assert_eq!(client.picture.messages.len(), messages as usize);
    }
    world.store().lists.load(Ordering::Relaxed)
}

#[test]
fn a_mailbox_of_a_million_messages_is_opened_again_without_its_list() {
    run(async { assert_eq!(lists(1_000_000, None).await, 1) });
}

#[test]
fn a_mailbox_that_is_larger_than_the_room_is_listed_anew() {
    run(async {
        assert_eq!(lists(1_800_000, None).await, 3);
        assert_eq!(lists(20_000, Some(1_000_000)).await, 1);
        assert_eq!(lists(30_000, Some(1_000_000)).await, 3);
        assert_eq!(lists(1, Some(0)).await, 3);
    });
}
