//! Any octets as a message: the index is the same however they are cut, it can be read back, and every section lies inside.
#![no_main]

use imap_message::{Index, Indexer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let whole = Index::of(data);
    let mut indexer = Indexer::new();
    data.chunks(3).for_each(|piece| indexer.push(piece));
    assert_eq!(whole.as_bytes(), indexer.finish().as_bytes());
    let read = Index::parse(whole.as_bytes()).expect("an index just made");
    assert_eq!(read.size(), data.len() as u64);
    for part in read.parts() {
        assert!(part.body().end <= read.size() && part.header().end <= read.size());
    }
    // What is no index is refused, or read without harm.
    if let Ok(index) = Index::parse(data) {
        index.parts().count();
        index.header_lines().count();
    }
});
