//! The parts that responses are made of, and the checks that each goes through.

use backend_api::{Attributes, BodySection, Flags, Keyword, MailboxName, Section, SectionText, Seq, Uid};
use imap_message::wire;

use super::table::system_flags;
use super::{Open, Writer};
use crate::answer::{Code, Verdict};
use crate::utf7;

impl Writer {
    pub(super) fn verdict(&mut self, verdict: Verdict, code: Option<&Code<'_>>, text: &str) {
        self.put(match verdict {
            Verdict::Ok => b"OK",
            Verdict::No => b"NO",
            Verdict::Bad => b"BAD",
        });
        self.rest_of_condition(code, text);
    }

    pub(super) fn rest_of_condition(&mut self, code: Option<&Code<'_>>, text: &str) {
        self.put(b" ");
        if let Some(code) =
            code.filter(|c| !matches!(c, Code::CopyUid { uids: [], .. } | Code::AppendUid { uids: [], .. }))
        {
            self.code(code);
        }
        // `resp-text` has at least one character, and a text that starts with `[` would be read as a code.
        match text.as_bytes().first() {
            None => self.put(b"."),
            Some(b'[') => self.put(b"."),
            _ => {}
        }
        self.text(text);
        self.put(b"\r\n");
    }

    fn code(&mut self, code: &Code<'_>) {
        self.put(b"[");
        self.put(code.name().as_bytes());
        match code {
            Code::BadCharset => self.put(b" (US-ASCII UTF-8)"),
            Code::Capability(list) => {
                self.put(b" ");
                self.text(list);
            }
            Code::PermanentFlags { flags, keywords, any } => {
                self.put(b" (");
                self.put(system_flags(flags));
                let written = !flags.is_empty();
                self.keywords_after(flags.keywords(), flags.system() != 0);
                self.keywords_after(keywords, written);
                if *any {
                    self.put(if written || !keywords.is_empty() {
                        b" \\*"
                    } else {
                        b"\\*"
                    });
                }
                self.put(b")");
            }
            Code::UidNext(n) => self.code_number(n.get()),
            Code::UidValidity(n) => self.code_number(n.get()),
            Code::Unseen(n) => self.code_number(n.get()),
            Code::AppendUid { uid_validity, uids } => {
                self.code_number(uid_validity.get());
                self.put(b" ");
                self.uid_runs(uids.iter().copied());
            }
            Code::CopyUid { uid_validity, uids } => {
                self.code_number(uid_validity.get());
                self.put(b" ");
                self.uid_runs(uids.iter().map(|(from, _)| *from));
                self.put(b" ");
                self.uid_runs(uids.iter().map(|(_, to)| *to));
            }
            _ => {}
        }
        self.put(b"] ");
    }

    fn code_number(&mut self, n: u32) {
        self.put(b" ");
        self.number(n);
    }

    /// UIDs in their order: what rises by one is a range (R4315-007).
    fn uid_runs(&mut self, uids: impl Iterator<Item = Uid>) {
        let mut run: Option<(Uid, Uid)> = None;
        let mut first = true;
        for uid in uids {
            match run {
                Some((start, end)) if end.next() == Some(uid) => run = Some((start, uid)),
                Some(done) => {
                    self.uid_run(done, std::mem::take(&mut first));
                    run = Some((uid, uid));
                }
                None => run = Some((uid, uid)),
            }
        }
        if let Some(done) = run {
            self.uid_run(done, first);
        }
    }

    fn uid_run(&mut self, (start, end): (Uid, Uid), first: bool) {
        if !first {
            self.put(b",");
        }
        self.number(start.get());
        if start != end {
            self.put(b":");
            self.number(end.get());
        }
    }

    pub(super) fn section_name(&mut self, item: &BodySection) {
        let Section { path, text } = &item.section;
        self.put(b"BODY[");
        for (i, number) in path.iter().enumerate() {
            if i > 0 {
                self.put(b".");
            }
            self.number(number.get());
        }
        if !path.is_empty() && *text != SectionText::All {
            self.put(b".");
        }
        match text {
            SectionText::All => {}
            SectionText::Header => self.put(b"HEADER"),
            SectionText::Text => self.put(b"TEXT"),
            SectionText::Mime => self.put(b"MIME"),
            SectionText::HeaderFields(names) => self.header_fields(b"HEADER.FIELDS (", names),
            SectionText::HeaderFieldsNot(names) => self.header_fields(b"HEADER.FIELDS.NOT (", names),
        }
        self.put(b"]");
        // The origin alone is repeated, never the length (R3501-247, R3501-311).
        if let Some(partial) = item.partial {
            self.put(b"<");
            self.number64(partial.offset);
            self.put(b">");
        }
    }

    fn header_fields(&mut self, word: &[u8], names: &[String]) {
        self.put(word);
        self.scratch(|out| {
            for (i, name) in names.iter().enumerate() {
                if i > 0 {
                    out.push(b' ');
                }
                wire::astring(out, name.as_bytes());
            }
        });
        self.put(b")");
    }

    pub(super) fn attributes(&mut self, a: &Attributes) {
        let rows = [
            // \NonExistent belongs to RFC 5258: a client that knows RFC 3501 alone is told \Noselect.
            (a.no_select || a.non_existent, "\\Noselect"),
            (a.no_inferiors, "\\Noinferiors"),
            (a.marked == Some(true), "\\Marked"),
            (a.marked == Some(false), "\\Unmarked"),
            // RFC 3348: never beside \Noinferiors, which implies it.
            (a.has_children == Some(true) && !a.no_inferiors, "\\HasChildren"),
            (a.has_children == Some(false) && !a.no_inferiors, "\\HasNoChildren"),
        ];
        let uses = a.special_use.iter().map(|u| u.name());
        let names = rows.iter().filter(|(set, _)| *set).map(|(_, name)| *name).chain(uses);
        for (i, name) in names.enumerate() {
            if i > 0 {
                self.put(b" ");
            }
            self.put(name.as_bytes());
        }
    }

    /// A name on the wire: modified UTF-7, an atom where it can be one.
    pub(super) fn mailbox(&mut self, name: &MailboxName) {
        let mut encoded = Vec::with_capacity(name.as_str().len());
        utf7::encode(name.as_str(), &mut encoded);
        self.scratch(|out| wire::astring(out, &encoded));
    }

    pub(super) fn flag_list(&mut self, flags: &Flags, recent: bool) {
        self.put(b"(");
        self.put(system_flags(flags));
        self.keywords_after(flags.keywords(), flags.system() != 0);
        if recent {
            self.put(if flags.is_empty() { b"\\Recent" } else { b" \\Recent" });
        }
        self.put(b")");
    }

    pub(super) fn keywords(&mut self, keywords: &[Keyword]) {
        self.keywords_after(keywords, true);
    }

    fn keywords_after(&mut self, keywords: &[Keyword], mut written: bool) {
        for keyword in keywords {
            if written {
                self.put(b" ");
            }
            self.put(keyword.as_str().as_bytes());
            written = true;
        }
    }

    pub(super) fn counted(&mut self, n: u32, word: &[u8]) {
        self.put(b"* ");
        self.number(n);
        self.put(word);
    }

    /// Text for people: what could split a response, and what is not US-ASCII, becomes `?`.
    pub(super) fn text(&mut self, text: &str) {
        if text.bytes().all(is_text) {
            return self.put(text.as_bytes());
        }
        self.scratch(|out| {
            out.extend(text.chars().map(|c| {
                if c.is_ascii() && is_text(c as u8) {
                    c as u8
                } else {
                    b'?'
                }
            }));
        });
    }

    // misuse

    pub(super) fn may_begin(&mut self) -> bool {
        if self.misuse.is_some() {
            return false;
        }
        if self.in_response() {
            self.refuse("a response inside another");
            return false;
        }
        true
    }

    pub(super) fn in_view(&mut self, seq: Seq) -> bool {
        let is = seq.get() <= self.exists;
        if !is {
            self.refuse("a message number above EXISTS");
        }
        is
    }

    /// Starts an item of a FETCH; `false` when there may be none now.
    pub(super) fn item(&mut self, name: &[u8]) -> bool {
        if self.misuse.is_some() {
            return false;
        }
        match self.open {
            Open::Fetch { first, section: 0 } => {
                if !first {
                    self.put(b" ");
                }
                self.open = Open::Fetch {
                    first: false,
                    section: 0,
                };
                self.put(name);
                true
            }
            Open::Fetch { .. } => {
                self.refuse("an item before the end of a section");
                false
            }
            _ => {
                self.refuse("an item outside a FETCH response");
                false
            }
        }
    }

    pub(super) fn refuse(&mut self, why: &'static str) {
        self.misuse.get_or_insert(why);
    }

    // octets

    pub(super) fn put(&mut self, octets: &[u8]) {
        self.out.extend_from_slice(octets);
    }

    pub(super) fn scratch(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.scratch.clear();
        write(&mut self.scratch);
        self.out.extend_from_slice(&self.scratch);
    }

    pub(super) fn number(&mut self, n: u32) {
        self.number64(u64::from(n));
    }

    pub(super) fn number64(&mut self, mut n: u64) {
        let mut digits = [0; 20];
        let mut used = 0;
        for place in digits.iter_mut().rev() {
            *place = b'0' + (n % 10) as u8;
            used += 1;
            n /= 10;
            if n == 0 {
                break;
            }
        }
        let at = digits.len() - used;
        self.put(digits.get(at..).unwrap_or_default());
    }
}

fn is_text(octet: u8) -> bool {
    matches!(octet, b' '..=b'~')
}
