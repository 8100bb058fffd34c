//! LIST and LSUB from a flat list of mailboxes: which names are answered, in which order, with which attributes
//! (RFC 3501 6.3.8, 6.3.9).

mod pattern;

use std::cmp::Ordering;

use backend_api::{Attributes, ListEntry, ListQuery, MailboxEntry, MailboxName, SEPARATOR};

pub use pattern::{Pattern, matches_any};

/// The answer to LIST or LSUB, complete: parents before children, `INBOX` first, each name once.
///
/// `entries` are the account's mailboxes in any order, with a [`MailboxEntry::subscription`] for each subscribed name
/// that is no mailbox.
///
/// - A level above a mailbox that is no mailbox itself is listed where it matches, as `\NonExistent \Noselect`.
/// - LIST never answers a subscription without a mailbox; LSUB always does.
/// - LSUB with `%`: an unsubscribed name above a subscribed one that the pattern does not reach is answered in its place,
///   as `\Noselect`, whether it is a mailbox or not.
/// - `has_children` is right in every entry: it speaks of mailboxes, never of subscriptions without one.
pub fn list(entries: &[MailboxEntry], query: &ListQuery) -> Vec<ListEntry> {
    // An empty pattern matches no name (RFC 5258 3).
    let patterns: Vec<Pattern> = query
        .patterns
        .iter()
        .filter(|p| !p.is_empty())
        .map(|p| Pattern::new(p))
        .collect();
    let tree = Tree::grow(entries);
    if query.lsub {
        tree.lsub(&patterns)
    } else {
        tree.list(&patterns)
    }
}

/// Every name, those implied by their children included, parents before children.
struct Tree<'a> {
    nodes: Vec<Node<'a>>,
}

struct Node<'a> {
    name: &'a str,
    /// What was given for this name; `None` where it is there for its children alone.
    entry: Option<&'a MailboxEntry>,
    /// Its place is before this one.
    parent: Option<usize>,
    /// It is a mailbox.
    exists: bool,
    subscribed: bool,
    /// Some mailbox is below it.
    has_children: bool,
}

impl<'a> Tree<'a> {
    fn grow(entries: &'a [MailboxEntry]) -> Self {
        let mut sorted: Vec<(bool, &MailboxEntry)> = entries.iter().map(|e| (is_elsewhere(e), e)).collect();
        sorted.sort_by(|(x, a), (y, b)| x.cmp(y).then_with(|| by_level(a.name.as_str(), b.name.as_str())));
        let mut tree = Self {
            nodes: Vec::with_capacity(sorted.len()),
        };
        // The node added last and those above it, from the top down.
        let mut path: Vec<usize> = Vec::new();
        for (_, entry) in sorted {
            tree.add(entry, &mut path);
        }
        tree.count_children();
        tree
    }

    fn add(&mut self, entry: &'a MailboxEntry, path: &mut Vec<usize>) {
        let name = entry.name.as_str();
        while path.last().is_some_and(|last| !self.is_at_or_above(*last, name)) {
            path.pop();
        }
        let known = path
            .last()
            .and_then(|last| self.nodes.get(*last))
            .map_or(0, |node| node.name.len() + 1);
        let ends = name.match_indices(SEPARATOR).map(|(at, _)| at).chain([name.len()]);
        for end in ends.filter(|end| *end >= known) {
            let parent = path.last().copied();
            path.push(self.nodes.len());
            self.nodes.push(Node::implied(name.get(..end).unwrap_or(name), parent));
        }
        if let Some(node) = path.last().and_then(|last| self.nodes.get_mut(*last)) {
            node.merge(entry);
        }
    }

    fn is_at_or_above(&self, place: usize, name: &str) -> bool {
        let Some(node) = self.nodes.get(place) else {
            return false;
        };
        name.strip_prefix(node.name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(SEPARATOR))
    }

    fn count_children(&mut self) {
        for place in (0..self.nodes.len()).rev() {
            let Some(node) = self.nodes.get(place) else { continue };
            let (alive, parent) = (node.exists || node.has_children, node.parent);
            if let Some(parent) = parent.filter(|_| alive).and_then(|p| self.nodes.get_mut(p)) {
                parent.has_children = true;
            }
        }
    }

    fn list(&self, patterns: &[Pattern]) -> Vec<ListEntry> {
        let listed = self.nodes.iter().filter(|node| node.exists || node.has_children);
        listed
            .filter(|node| matches_any(patterns, node.name))
            .filter_map(Node::line)
            .collect()
    }

    fn lsub(&self, patterns: &[Pattern]) -> Vec<ListEntry> {
        let stand_ins = self.stand_ins(patterns);
        let lines = self.nodes.iter().zip(stand_ins).filter_map(|(node, stands_in)| {
            if node.subscribed && matches_any(patterns, node.name) {
                node.line()
            } else if stands_in {
                node.line().map(cannot_be_selected)
            } else {
                None
            }
        });
        lines.collect()
    }

    /// For each node, whether it matches a pattern with `%` that does not reach some subscribed name below it
    /// (RFC 3501 6.3.9). Under a `*` everything below is reached, so no parent is added.
    fn stand_ins(&self, patterns: &[Pattern]) -> Vec<bool> {
        let mut stand_ins = vec![false; self.nodes.len()];
        for pattern in patterns.iter().filter(|p| p.has_percent()) {
            let mut hides_some = vec![false; self.nodes.len()];
            for (place, node) in self.nodes.iter().enumerate().rev() {
                let matches = pattern.matches(node.name);
                let hides = hides_some.get(place).copied().unwrap_or_default();
                if let Some(stands_in) = stand_ins.get_mut(place) {
                    *stands_in |= matches && hides;
                }
                let above = node.parent.and_then(|parent| hides_some.get_mut(parent));
                if let Some(above) = above {
                    *above |= hides || (node.subscribed && !matches);
                }
            }
        }
        stand_ins
    }
}

impl<'a> Node<'a> {
    fn implied(name: &'a str, parent: Option<usize>) -> Self {
        Self {
            name,
            entry: None,
            parent,
            exists: false,
            subscribed: false,
            has_children: false,
        }
    }

    /// A name may be given twice: as a mailbox and as a subscription.
    fn merge(&mut self, entry: &'a MailboxEntry) {
        let exists = !entry.attributes.non_existent;
        if self.entry.is_none() || (exists && !self.exists) {
            self.entry = Some(entry);
        }
        self.exists |= exists;
        self.subscribed |= entry.attributes.subscribed;
    }

    fn line(&self) -> Option<ListEntry> {
        let name = match self.entry {
            Some(entry) => entry.name.clone(),
            None => MailboxName::new(self.name).ok()?,
        };
        let mut attributes = Attributes::default();
        if let Some(entry) = self.entry {
            attributes.clone_from(&entry.attributes);
        }
        attributes.non_existent = !self.exists;
        attributes.no_select |= !self.exists;
        attributes.subscribed = self.subscribed;
        attributes.has_children = Some(self.has_children);
        if attributes.no_select {
            // RFC 3501 7.2.2: neither \Marked nor \Unmarked beside \Noselect.
            attributes.marked = None;
        }
        Some(ListEntry::new(name, attributes))
    }
}

fn cannot_be_selected(mut line: ListEntry) -> ListEntry {
    line.attributes.no_select = true;
    line.attributes.marked = None;
    line
}

/// Neither `INBOX` nor below it.
fn is_elsewhere(entry: &MailboxEntry) -> bool {
    entry.name.as_str().split(SEPARATOR).next() != Some("INBOX")
}

/// Level by level, so that what is below a name follows it at once: the separator comes before every other octet.
fn by_level(a: &str, b: &str) -> Ordering {
    let rank = |octet: u8| if octet == SEPARATOR as u8 { 0 } else { octet };
    match a.bytes().zip(b.bytes()).find(|(a, b)| a != b) {
        Some((a, b)) => rank(a).cmp(&rank(b)),
        None => a.len().cmp(&b.len()),
    }
}

#[cfg(test)]
mod tests;
