//! How a search key becomes a program: constants gone, lists flat, cheap tests first, each needle and each header field
//! there once.

use std::cmp::Ordering;

use backend_api::{Date, Flag, ModSeq, NumSet, SearchKey};
use imap_message::Index;

use super::Need;
use super::needles::Needles;

/// One test, or tests of tests.
#[derive(Debug)]
pub(super) enum Node {
    Always(bool),
    Row(RowTest),
    /// RFC822.SIZE compares with this number in this way.
    Size(Ordering, u64),
    /// The day in the Date field compares with this day in this way, or in the other.
    Sent(DayTest, Date),
    /// Some field of this group has this needle; without a needle: there is such a field.
    Field {
        group: usize,
        needle: Option<usize>,
    },
    Body(usize),
    Text(usize),
    Not(Box<Node>),
    All(Vec<Node>),
    Any(Vec<Node>),
}

/// A test of what is known of every message without asking.
#[derive(Debug)]
pub(super) enum RowTest {
    Set(NumSet),
    Has(Flag),
    Recent,
    Day(DayTest, Date),
    ModSeq(ModSeq),
}

/// How a day stands to the day that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DayTest {
    Before,
    On,
    Since,
}

/// The fields of one name, and what is looked for in them.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) needles: Needles,
    /// What must be loaded to see the fields of this name.
    pub(super) need: Need,
}

/// What a program is made of.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) root: Node,
    pub(super) groups: Vec<Group>,
    /// Those of BODY and TEXT.
    pub(super) needles: Needles,
    /// Whether a TEXT is among the tests.
    pub(super) has_text: bool,
    pub(super) needs: Option<Need>,
}

impl DayTest {
    pub(super) fn holds(self, day: Date, asked: Date) -> bool {
        match self {
            Self::Before => day < asked,
            Self::On => day == asked,
            Self::Since => day >= asked,
        }
    }
}

pub(super) fn compile(key: &SearchKey) -> Parts {
    let mut compiler = Compiler {
        groups: Vec::new(),
        needles: Needles::default(),
        has_text: false,
        empty: None,
    };
    let root = compiler.node(key);
    let needs = compiler.cost(&root).1;
    compiler.needles.prepare();
    compiler.groups.iter_mut().for_each(|group| group.needles.prepare());
    Parts {
        root,
        groups: compiler.groups,
        needles: compiler.needles,
        has_text: compiler.has_text,
        needs,
    }
}

struct Compiler {
    groups: Vec<Group>,
    needles: Needles,
    has_text: bool,
    /// The index of a message without anything, which tells what an index keeps.
    empty: Option<Index>,
}

impl Compiler {
    fn node(&mut self, key: &SearchKey) -> Node {
        let day = |test, date: &Date| Node::Row(RowTest::Day(test, *date));
        match key {
            SearchKey::All => Node::Always(true),
            SearchKey::Set(set) => Node::Row(RowTest::Set(set.clone())),
            SearchKey::Has(flag) => Node::Row(RowTest::Has(flag.clone())),
            SearchKey::Recent => Node::Row(RowTest::Recent),
            SearchKey::Before(date) => day(DayTest::Before, date),
            SearchKey::On(date) => day(DayTest::On, date),
            SearchKey::Since(date) => day(DayTest::Since, date),
            SearchKey::SentBefore(date) => Node::Sent(DayTest::Before, *date),
            SearchKey::SentOn(date) => Node::Sent(DayTest::On, *date),
            SearchKey::SentSince(date) => Node::Sent(DayTest::Since, *date),
            SearchKey::Header { name, value } => self.field(name, value),
            SearchKey::Body(text) | SearchKey::Text(text) if text.is_empty() => Node::Always(true),
            SearchKey::Body(text) => Node::Body(self.needles.add(text)),
            SearchKey::Text(text) => {
                self.has_text = true;
                Node::Text(self.needles.add(text))
            }
            SearchKey::Larger(n) => Node::Size(Ordering::Greater, *n),
            SearchKey::Smaller(n) => Node::Size(Ordering::Less, *n),
            SearchKey::ModSeq(n) => Node::Row(RowTest::ModSeq(*n)),
            SearchKey::Not(key) => negate(self.node(key)),
            SearchKey::And(keys) => self.list(keys, true),
            SearchKey::Or(keys) => self.list(keys, false),
            // A key that this version does not know finds nothing, rather than everything.
            _ => Node::Always(false),
        }
    }

    fn field(&mut self, name: &str, value: &str) -> Node {
        let known = self.groups.iter().position(|group| group.name.eq_ignore_ascii_case(name));
        let number = known.unwrap_or(self.groups.len());
        if known.is_none() {
            let empty = self.empty.get_or_insert_with(|| Index::of(b""));
            self.groups.push(Group {
                name: name.to_owned(),
                needles: Needles::default(),
                need: if empty.header(name).is_some() { Need::Index } else { Need::Body },
            });
        }
        let group = self.groups.get_mut(number);
        let needle = group.filter(|_| !value.is_empty()).map(|group| group.needles.add(value));
        Node::Field { group: number, needle }
    }

    /// A list of tests of which `all` must hold, or any: `all` is also what a list without tests comes to.
    fn list(&mut self, keys: &[SearchKey], all: bool) -> Node {
        let mut nodes = Vec::with_capacity(keys.len());
        for key in keys {
            match (self.node(key), all) {
                (Node::Always(value), _) if value == all => {}
                (Node::Always(value), _) => return Node::Always(value),
                (Node::All(inner), true) | (Node::Any(inner), false) => nodes.extend(inner),
                (node, _) => nodes.push(node),
            }
        }
        nodes.sort_by_cached_key(|node| self.cost(node));
        match (nodes.len(), all) {
            (0, _) => Node::Always(all),
            (1, _) => nodes.pop().unwrap_or(Node::Always(all)),
            (_, true) => Node::All(nodes),
            (_, false) => Node::Any(nodes),
        }
    }

    /// The least and the most that a test may need.
    fn cost(&self, node: &Node) -> (Option<Need>, Option<Need>) {
        let same = |need| (need, need);
        match node {
            Node::Always(_) | Node::Row(_) => same(None),
            Node::Size(..) => same(Some(Need::Size)),
            Node::Sent(..) => same(Some(Need::Index)),
            Node::Field { group, .. } => same(self.groups.get(*group).map(|group| group.need)),
            Node::Body(_) | Node::Text(_) => same(Some(Need::Body)),
            Node::Not(node) => self.cost(node),
            Node::All(nodes) | Node::Any(nodes) => {
                let costs = || nodes.iter().map(|node| self.cost(node));
                let least = costs().map(|(least, _)| least).min().flatten();
                (least, costs().filter_map(|(_, most)| most).max())
            }
        }
    }
}

fn negate(node: Node) -> Node {
    match node {
        Node::Always(value) => Node::Always(!value),
        Node::Not(node) => *node,
        node => Node::Not(Box::new(node)),
    }
}
