//! What the tests share: messages to mutate, and a strict reader of `body` and `envelope` (RFC 3501 9).
#![allow(dead_code)]

pub(crate) mod grammar;

use backend_api::{Section, SectionText};
use imap_message::{Index, Resolved};
use std::num::NonZeroU32;

/// A section from `"1.2"` and what text of it.
pub(crate) fn section(path: &str, text: SectionText) -> Section {
    let path = path
        .split('.')
        .filter(|n| !n.is_empty())
        .map(|n| n.parse::<NonZeroU32>().unwrap())
        .collect();
    Section { path, text }
}

/// The octets that answer a section; `None` is NIL.
pub(crate) fn answer(message: &[u8], index: &Index, path: &str, text: SectionText) -> Option<Vec<u8>> {
    let cut = |start: u64, len: u64| message[start as usize..(start + len) as usize].to_vec();
    match index.resolve(&section(path, text)) {
        Resolved::Range { start, len } => Some(cut(start, len)),
        Resolved::HeaderFilter { start, len, filter } => Some(filter.filter(&cut(start, len))),
        Resolved::Ready(octets) => Some(octets),
        Resolved::Missing => None,
        other => panic!("{other:?}"),
    }
}

/// Field names for a HEADER.FIELDS.
pub(crate) fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// An index that was made of pieces of these sizes, in turn.
pub(crate) fn in_pieces(message: &[u8], sizes: &[usize]) -> Index {
    let mut indexer = imap_message::Indexer::new();
    let mut rest = message;
    for &size in sizes.iter().cycle() {
        let (piece, behind) = rest.split_at(size.clamp(1, rest.len().max(1)).min(rest.len()));
        indexer.push(piece);
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    indexer.finish()
}
