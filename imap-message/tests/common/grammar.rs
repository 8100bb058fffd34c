//! A strict reader of `body` and `envelope` (RFC 3501 9): panics where the octets are not of the grammar.

/// A body structure as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    Multipart {
        parts: Vec<Body>,
        subtype: Vec<u8>,
    },
    Single {
        kind: Vec<u8>,
        subtype: Vec<u8>,
        encoding: Vec<u8>,
        octets: u64,
        lines: Option<u64>,
        message: Option<Box<Body>>,
    },
}

/// Reads a whole `body`; `extension` says whether extension data must be there or must not, `rev2` whether
/// message/global is opened.
pub(crate) fn body(wire: &[u8], extension: bool, rev2: bool) -> Body {
    let mut reader = Reader {
        rest: wire,
        extension,
        rev2,
    };
    let body = reader.body();
    assert_eq!(reader.rest, b"", "octets behind the structure");
    body
}

/// Checks a whole `envelope`.
pub(crate) fn envelope(wire: &[u8]) {
    let mut reader = Reader {
        rest: wire,
        extension: false,
        rev2: false,
    };
    reader.envelope();
    assert_eq!(reader.rest, b"", "octets behind the envelope");
}

struct Reader<'a> {
    rest: &'a [u8],
    extension: bool,
    rev2: bool,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> u8 {
        *self.rest.first().expect("octets missing")
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(count).expect("octets missing");
        self.rest = rest;
        taken
    }

    fn expect(&mut self, text: &[u8]) {
        let found = self.take(text.len());
        assert_eq!(found, text, "before {:?}", String::from_utf8_lossy(self.rest));
    }

    fn number(&mut self) -> u64 {
        let digits = self.rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
        std::str::from_utf8(self.take(digits))
            .unwrap()
            .parse()
            .expect("a number")
    }

    fn string(&mut self) -> Vec<u8> {
        if self.peek() == b'{' {
            self.take(1);
            let count = self.number();
            self.expect(b"}\r\n");
            let text = self.take(count as usize);
            assert!(!text.contains(&0), "NUL in a literal");
            return text.to_vec();
        }
        self.expect(b"\"");
        let mut text = Vec::new();
        loop {
            match self.take(1)[0] {
                b'"' => return text,
                b'\\' => {
                    let octet = self.take(1)[0];
                    assert!(octet == b'"' || octet == b'\\', "bad escape");
                    text.push(octet);
                }
                octet => {
                    assert!(
                        (1..0x80).contains(&octet) && octet != b'\r' && octet != b'\n',
                        "octet {octet} in quotes"
                    );
                    text.push(octet);
                }
            }
        }
    }

    fn nil(&mut self) -> bool {
        let nil = self.rest.starts_with(b"NIL");
        if nil {
            self.take(3);
        }
        nil
    }

    fn nstring(&mut self) {
        if !self.nil() {
            self.string();
        }
    }

    fn space(&mut self) {
        self.expect(b" ");
    }

    fn parameters(&mut self) {
        if self.nil() {
            return;
        }
        self.expect(b"(");
        loop {
            self.string();
            self.space();
            self.string();
            if self.peek() == b')' {
                self.take(1);
                return;
            }
            self.space();
        }
    }

    fn body(&mut self) -> Body {
        self.expect(b"(");
        let body = if self.peek() == b'(' {
            self.multipart()
        } else {
            self.single()
        };
        self.expect(b")");
        body
    }

    fn multipart(&mut self) -> Body {
        let mut parts = Vec::new();
        while self.peek() == b'(' {
            parts.push(self.body());
        }
        self.space();
        let subtype = self.string();
        if self.extension {
            self.space();
            self.parameters();
            self.common_extension();
        }
        Body::Multipart { parts, subtype }
    }

    fn single(&mut self) -> Body {
        let kind = self.string();
        self.space();
        let subtype = self.string();
        self.space();
        self.parameters();
        for _ in 0..2 {
            self.space();
            self.nstring();
        }
        self.space();
        let encoding = self.string();
        self.space();
        let octets = self.number();
        let opened = subtype.eq_ignore_ascii_case(b"rfc822") || self.rev2 && subtype.eq_ignore_ascii_case(b"global");
        let mut message = None;
        let mut lines = None;
        if kind.eq_ignore_ascii_case(b"message") && opened {
            self.space();
            self.envelope();
            self.space();
            message = Some(Box::new(self.body()));
            self.space();
            lines = Some(self.number());
        } else if kind.eq_ignore_ascii_case(b"text") {
            self.space();
            lines = Some(self.number());
        }
        assert!(
            !kind.eq_ignore_ascii_case(b"multipart"),
            "a multipart with the structure of a single part"
        );
        if self.extension {
            self.space();
            self.nstring();
            self.common_extension();
        }
        Body::Single {
            kind,
            subtype,
            encoding,
            octets,
            lines,
            message,
        }
    }

    fn common_extension(&mut self) {
        self.space();
        if !self.nil() {
            self.expect(b"(");
            self.string();
            self.space();
            self.parameters();
            self.expect(b")");
        }
        self.space();
        if self.peek() == b'(' {
            self.take(1);
            self.string();
            while self.peek() == b' ' {
                self.space();
                self.string();
            }
            self.expect(b")");
        } else {
            self.nstring();
        }
        self.space();
        self.nstring();
    }

    fn envelope(&mut self) {
        self.expect(b"(");
        self.nstring();
        self.space();
        self.nstring();
        for _ in 0..6 {
            self.space();
            self.addresses();
        }
        for _ in 0..2 {
            self.space();
            self.nstring();
        }
        self.expect(b")");
    }

    fn addresses(&mut self) {
        if self.nil() {
            return;
        }
        self.expect(b"(");
        loop {
            self.expect(b"(");
            self.nstring();
            for _ in 0..3 {
                self.space();
                self.nstring();
            }
            self.expect(b")");
            if self.peek() == b')' {
                self.take(1);
                return;
            }
        }
    }
}
