//! The smallest store: four methods, changed by its application alone.

use backend_api::{
    Access, BodySection, ErrorKind, Fetch, FetchItem, Flags, PermanentFlags, Rights, SearchKey, Section, Uid,
};

use crate::client::{World, seqs, uids};
use crate::stores::{Around, ReadOnly};

async fn world() -> World<ReadOnly> {
    let backend = backendutil::Mapped::new(std::sync::Arc::new(Around::new(ReadOnly::new())));
    World {
        hub: backend.hub(),
        account: backend_api::Account::new("demo"),
        backend,
    }
}

impl World<ReadOnly> {
    fn set(&self, n: u32, flags: Option<Flags>) {
        let mut all = self.store().inner.0.lock().unwrap();
        match flags {
            Some(flags) => all.insert(n, flags),
            None => all.remove(&n),
        };
    }

    fn changed(&self) {
        self.hub.changed(&self.account, 1);
    }
}

#[test]
fn it_is_shown_as_read_only() {
    crate::run(async {
        let world = world().await;
        let (mut a, selected) = world.open("INBOX", Access::ReadWrite).await.unwrap();
        assert_eq!((selected.exists, selected.uid_next), (7, Uid::new(8)));
        assert!(selected.read_only);
        assert_eq!(
            (selected.permanent, selected.highest_mod_seq),
            (PermanentFlags::None, None)
        );
        assert_eq!(a.store(&seqs("1"), "+\\Seen", false).await, ["ReadOnly"]);
        assert_eq!(a.r#move(&seqs("1"), "archive").await, "ReadOnly");
        assert_eq!(a.copy(&seqs("1"), "archive").await, "ReadOnly");
        assert_eq!(a.expunge().await.err().unwrap().kind(), ErrorKind::ReadOnly);
        let mut body = Fetch::new(vec![FetchItem::Section(BodySection::peek(Section::default()))]);
        body.set_seen = true;
        assert_eq!(a.fetch(&seqs("1"), &body).await, ["1 FETCH UID 1 body 22"]);
        let want = Fetch::new(vec![FetchItem::Rfc822Size, FetchItem::Flags]);
        assert_eq!(a.fetch(&uids("7"), &want).await, ["7 FETCH UID 7 size 22 ()"]);
        assert_eq!(a.search(&SearchKey::Text("text 3".into())).await, ["3=3"]);
    });
}

#[test]
fn what_its_application_does_is_told_when_it_says_so() {
    crate::run(async {
        let world = world().await;
        let mut a = world.select("INBOX").await;
        world.set(2, Some(Flags::SEEN));
        world.set(5, None);
        world.set(8, Some(Flags::NONE));
        assert_eq!(a.noop().await, [""; 0]);
        world.changed();
        assert_eq!(
            a.poll(Rights::NO_EXPUNGE).await,
            ["2 FETCH (\\Seen)", "8 EXISTS 1 RECENT"]
        );
        let body = Fetch::new(vec![FetchItem::Section(BodySection::peek(Section::default()))]);
        assert_eq!(
            a.fetch(&seqs("4:6"), &body).await,
            ["4 FETCH UID 4 body 22", "6 FETCH UID 6 body 22", "missing"],
            "the text of a ghost is gone"
        );
        assert_eq!(
            a.fetch(&seqs("5"), &Fetch::new(vec![FetchItem::Flags])).await,
            ["5 FETCH UID 5 ()"]
        );
        assert_eq!(a.noop().await, ["5 EXPUNGE"]);
        assert_eq!(
            a.whole().await,
            ["1 ()", "2 (\\Seen)", "3 ()", "4 ()", "6 ()", "7 ()", "8 ()"]
        );
    });
}

#[test]
fn the_last_uid_of_all_can_be_used() {
    crate::run(async {
        let world = world().await;
        let (mut a, selected) = world.open("archive", Access::ReadOnly).await.unwrap();
        assert_eq!((selected.exists, selected.uid_next, selected.recent), (2, None, 0));
        let want = Fetch::new(vec![FetchItem::Flags]);
        assert_eq!(
            a.fetch(&uids("2:4294967295"), &want).await,
            ["2 FETCH UID 4294967295 ()"]
        );
        world.hub.changed(&world.account, 2);
        assert_eq!(a.noop().await, [""; 0]);
    });
}

/// No number could be given to it without renumbering others: the connection ends, and its next one is right.
#[test]
fn a_new_message_below_those_announced_ends_the_connection() {
    crate::run(async {
        let world = world().await;
        world.set(4, None);
        let mut a = world.select("INBOX").await;
        world.set(4, Some(Flags::NONE));
        world.set(6, None);
        world.changed();
        assert_eq!(a.noop().await, ["Bye"]);
        assert_eq!(
            a.fetch(&seqs("4"), &Fetch::new(vec![FetchItem::Flags])).await,
            ["4 FETCH UID 5 ()"]
        );
        let mut b = world.select("INBOX").await;
        assert_eq!(b.whole().await, ["1 ()", "2 ()", "3 ()", "4 ()", "5 ()", "7 ()"]);
    });
}
