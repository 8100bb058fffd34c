//! The same messages put to two judges: the one that wrote them down, and `mail-parser`.
//!
//! `mail-parser` is asked only for what it means the same by: where the headers and bodies of leaves stand in messages
//! that keep to the syntax. It is not asked for encoded bodies (its end is that of the decoded text), for multiparts
//! (their end), for multiparts without parts, for bare CRs, for messages that carry nothing but a message (it panics),
//! nor for lines that only begin with an open boundary (which it takes for the boundary).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use imap_message::Index;
use mail_parser::{Message, MessageParser, PartType};
use proptest::prelude::*;

/// A part to be written down.
#[derive(Debug, Clone)]
enum Node {
    Leaf {
        kind: &'static str,
        lines: Vec<&'static str>,
    },
    Multipart(Vec<Node>),
    Message(Box<Node>),
}

/// Where a leaf was written: header, body, end.
type Place = (u64, u64, u64);

struct Writer {
    message: Vec<u8>,
    end: &'static str,
    boundaries: usize,
    leaves: Vec<Place>,
    parts: usize,
}

impl Writer {
    fn line(&mut self, text: &str) {
        self.message.extend_from_slice(text.as_bytes());
        self.message.extend_from_slice(self.end.as_bytes());
    }

    fn here(&self) -> u64 {
        self.message.len() as u64
    }

    fn node(&mut self, node: &Node) {
        self.parts += 1;
        let header = self.here();
        self.line("X-Some: field");
        match node {
            Node::Leaf { kind, lines } => {
                self.line(&format!("Content-Type: {kind}"));
                self.line("");
                let body = self.here();
                self.message.extend_from_slice(lines.join(self.end).as_bytes());
                self.leaves.push((header, body, self.here()));
            }
            Node::Message(inner) => {
                self.line("Content-Type: message/rfc822");
                self.line("");
                self.node(inner);
            }
            Node::Multipart(parts) => {
                self.boundaries += 1;
                let boundary = format!("=_{:04}", self.boundaries);
                self.line(&format!("Content-Type: multipart/mixed; boundary=\"{boundary}\""));
                self.line("");
                self.line("preamble");
                for part in parts {
                    self.line(&format!("--{boundary}"));
                    self.node(part);
                    self.line("");
                }
                self.message.extend_from_slice(format!("--{boundary}--").as_bytes());
            }
        }
    }
}

fn node() -> impl Strategy<Value = Node> {
    let line = prop::sample::select(vec!["", "text", "-- ", "--", "-", "--=_", "a b c", "--=_9999"]);
    let kind = prop::sample::select(vec![
        "text/plain",
        "text/html; charset=utf-8",
        "image/png",
        "application/pdf",
    ]);
    // `mail-parser` gives no offset of a leaf without text the meaning it has here.
    let leaf = (kind, prop::collection::vec(line, 0..4)).prop_map(|(kind, lines)| Node::Leaf {
        kind,
        lines: [&["first"], &lines[..]].concat(),
    });
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 1..4).prop_map(Node::Multipart),
            1 => inner
                .prop_filter("a message that is all of a message", |inner| !matches!(inner, Node::Message(_)))
                .prop_map(|inner| Node::Message(Box::new(inner))),
        ]
    })
}

fn leaves_of(message: &Message<'_>, found: &mut Vec<Place>) {
    for part in &message.parts {
        match &part.body {
            PartType::Multipart(_) => {}
            PartType::Message(inner) => leaves_of(inner, found),
            _ => found.push((
                u64::from(part.offset_header),
                u64::from(part.offset_body),
                u64::from(part.offset_end),
            )),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn leaves_stand_where_they_were_written_and_where_mail_parser_finds_them(
        root in node(),
        end in prop::sample::select(vec!["\r\n", "\n"]),
    ) {
        let mut writer = Writer { message: Vec::new(), end, boundaries: 0, leaves: Vec::new(), parts: 0 };
        writer.node(&root);
        let index = Index::of(&writer.message);
        let found: Vec<Place> =
            index.leaves().map(|part| (part.header().start, part.body().start, part.body().end)).collect();
        let shown = String::from_utf8_lossy(&writer.message).into_owned();
        prop_assert_eq!(&found, &writer.leaves, "as written:\n{}", shown);
        prop_assert_eq!(index.parts().count(), writer.parts);
        let message = MessageParser::default().parse(&writer.message).unwrap();
        let mut theirs = Vec::new();
        leaves_of(&message, &mut theirs);
        prop_assert_eq!(&found, &theirs, "mail-parser:\n{}", shown);
    }
}
