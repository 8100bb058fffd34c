//! How a search key becomes a program: constants gone, lists flat, cheap tests first, each needle and each header field
//! there once.

use std::cmp::Ordering;
use std::collections::HashMap;

use backend_api::{Date, Flag, ModSeq, NumSet, SearchKey, Sought, SoughtIn, Uid, UidSet};
use imap_message::{Index, fold};

use super::Need;
use super::needles::Needles;

/// A test, and the least and the most that it may need.
#[derive(Debug)]
pub(super) struct Test {
    pub(super) node: Node,
    cost: (Option<Need>, Option<Need>),
}

/// What is tested.
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
        /// Its number among what is sought.
        sought: usize,
    },
    Body {
        needle: usize,
        sought: usize,
    },
    Text {
        needle: usize,
        sought: usize,
    },
    Not(Box<Test>),
    All(Vec<Test>),
    Any(Vec<Test>),
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
    pub(super) root: Test,
    pub(super) groups: Vec<Group>,
    /// Those of BODY and TEXT.
    pub(super) needles: Needles,
    /// Whether a TEXT is among the tests.
    pub(super) has_text: bool,
    pub(super) needs: Option<Need>,
    /// What an index may be asked for, each once.
    pub(super) sought: Vec<Sought>,
    /// For each of these, as far as an index was asked and knows: the messages that may hold it.
    pub(super) may_hold: Vec<Option<UidSet>>,
}

impl Parts {
    /// Whether an index says that this message does not hold what is sought under this number.
    pub(super) fn lacks(&self, sought: usize, uid: Uid) -> bool {
        let known = self.may_hold.get(sought).and_then(Option::as_ref);
        known.is_some_and(|may_hold| !may_hold.contains(uid))
    }
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
        sought: Vec::new(),
        numbers: HashMap::new(),
        empty: None,
    };
    let root = compiler.test(key);
    let needs = root.cost.1;
    compiler.needles.prepare();
    compiler.groups.iter_mut().for_each(|group| group.needles.prepare());
    Parts {
        root,
        groups: compiler.groups,
        needles: compiler.needles,
        has_text: compiler.has_text,
        needs,
        sought: compiler.sought,
        may_hold: Vec::new(),
    }
}

struct Compiler {
    groups: Vec<Group>,
    needles: Needles,
    has_text: bool,
    sought: Vec<Sought>,
    numbers: HashMap<Sought, usize>,
    /// The index of a message without anything, which tells what an index keeps.
    empty: Option<Index>,
}

impl Compiler {
    fn test(&mut self, key: &SearchKey) -> Test {
        let day = |test, date: &Date| Test::row(RowTest::Day(test, *date));
        let sent = |test, date: &Date| Test::needing(Need::Index, Node::Sent(test, *date));
        match key {
            SearchKey::All => Test::always(true),
            SearchKey::Set(set) => Test::row(RowTest::Set(set.clone())),
            SearchKey::Has(flag) => Test::row(RowTest::Has(flag.clone())),
            SearchKey::Recent => Test::row(RowTest::Recent),
            SearchKey::Before(date) => day(DayTest::Before, date),
            SearchKey::On(date) => day(DayTest::On, date),
            SearchKey::Since(date) => day(DayTest::Since, date),
            SearchKey::SentBefore(date) => sent(DayTest::Before, date),
            SearchKey::SentOn(date) => sent(DayTest::On, date),
            SearchKey::SentSince(date) => sent(DayTest::Since, date),
            SearchKey::Header { name, value } => self.field(name, value),
            SearchKey::Body(text) | SearchKey::Text(text) if text.is_empty() => Test::always(true),
            SearchKey::Body(text) => {
                let sought = self.sought(SoughtIn::Body, vec![fold(text)]);
                let needle = self.needles.add(text);
                Test::needing(Need::Body, Node::Body { needle, sought })
            }
            SearchKey::Text(text) => {
                self.has_text = true;
                let sought = self.sought(SoughtIn::Text, vec![fold(text)]);
                let needle = self.needles.add(text);
                Test::needing(Need::Body, Node::Text { needle, sought })
            }
            SearchKey::Larger(n) => Test::needing(Need::Size, Node::Size(Ordering::Greater, *n)),
            SearchKey::Smaller(n) => Test::needing(Need::Size, Node::Size(Ordering::Less, *n)),
            SearchKey::ModSeq(n) => Test::row(RowTest::ModSeq(*n)),
            SearchKey::Not(key) => negate(self.test(key)),
            SearchKey::And(keys) => self.list(keys, true),
            SearchKey::Or(keys) => self.list(keys, false),
            // A key that this version does not know finds nothing, rather than everything.
            _ => Test::always(false),
        }
    }

    fn field(&mut self, name: &str, value: &str) -> Test {
        let known = self
            .groups
            .iter()
            .position(|group| group.name.eq_ignore_ascii_case(name));
        let number = known.unwrap_or(self.groups.len());
        if known.is_none() {
            let empty = self.empty.get_or_insert_with(|| Index::of(b""));
            let stored = empty.header(name).is_some();
            self.groups.push(Group {
                name: name.to_owned(),
                needles: Needles::default(),
                need: if stored { Need::Index } else { Need::Header },
            });
        }
        let mut strings = vec![format!("{}: ", fold(name))];
        strings.extend((!value.is_empty()).then(|| fold(value)));
        let sought = self.sought(SoughtIn::Header, strings);
        let Some(group) = self.groups.get_mut(number) else {
            return Test::always(false);
        };
        let needle = (!value.is_empty()).then(|| group.needles.add(value));
        let node = Node::Field {
            group: number,
            needle,
            sought,
        };
        Test::needing(group.need, node)
    }

    fn sought(&mut self, area: SoughtIn, strings: Vec<String>) -> usize {
        let next = self.sought.len();
        let new = Sought::new(area, strings);
        let number = *self.numbers.entry(new.clone()).or_insert(next);
        if number == next {
            self.sought.push(new);
        }
        number
    }

    /// A list of tests of which `all` must hold, or any: `all` is also what a list without tests comes to.
    fn list(&mut self, keys: &[SearchKey], all: bool) -> Test {
        let mut tests = Vec::with_capacity(keys.len());
        for key in keys {
            let test = self.test(key);
            match (test.node, all) {
                (Node::Always(value), _) if value == all => {}
                (Node::Always(value), _) => return Test::always(value),
                (Node::All(inner), true) | (Node::Any(inner), false) => tests.extend(inner),
                (node, _) => tests.push(Test { node, ..test }),
            }
        }
        tests.sort_by_key(|test| test.cost);
        let least = tests.first().and_then(|test| test.cost.0);
        let most = tests.iter().filter_map(|test| test.cost.1).max();
        match (tests.len(), all) {
            (0 | 1, _) => tests.pop().unwrap_or(Test::always(all)),
            (_, true) => Test {
                node: Node::All(tests),
                cost: (least, most),
            },
            (_, false) => Test {
                node: Node::Any(tests),
                cost: (least, most),
            },
        }
    }
}

impl Test {
    fn always(value: bool) -> Self {
        Self {
            node: Node::Always(value),
            cost: (None, None),
        }
    }

    fn row(test: RowTest) -> Self {
        Self {
            node: Node::Row(test),
            cost: (None, None),
        }
    }

    fn needing(need: Need, node: Node) -> Self {
        Self {
            node,
            cost: (Some(need), Some(need)),
        }
    }
}

fn negate(test: Test) -> Test {
    match test.node {
        Node::Always(value) => Test::always(!value),
        Node::Not(test) => *test,
        node => Test {
            cost: test.cost,
            node: Node::Not(Box::new(Test { node, ..test })),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cheap_tests_come_first_at_every_level() {
        let field = |name: &str| SearchKey::Header {
            name: name.into(),
            value: "x".into(),
        };
        let body = || SearchKey::Body("x".into());
        let inner = SearchKey::Or(vec![body(), field("Subject")]);
        let keys = vec![
            body(),
            field("X-Unlisted"),
            inner,
            field("From"),
            SearchKey::Larger(1),
            SearchKey::Recent,
        ];
        let Node::All(tests) = compile(&SearchKey::And(keys)).root.node else {
            panic!("no list")
        };
        let shown: Vec<String> = tests
            .iter()
            .map(|test| format!("{:?} {:?}", test.cost.0, test.cost.1))
            .collect();
        let cost = |least, most| format!("{:?} {:?}", Some(least), Some(most));
        assert_eq!(
            shown,
            [
                "None None".to_owned(),
                cost(Need::Size, Need::Size),
                cost(Need::Index, Need::Index),
                cost(Need::Index, Need::Body),
                cost(Need::Header, Need::Header),
                cost(Need::Body, Need::Body),
            ]
        );
    }
}
