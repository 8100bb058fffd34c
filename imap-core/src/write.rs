//! How responses are put into the one output buffer, and what may not be put there: the writer counts and refuses misuse.

mod parts;
mod table;

use backend_api::{
    BodySection, DateTime, Flags, Keyword, ListEntry, MailboxName, ModSeq, PermanentFlags, SectionForm, Selected, Seq,
    Status, StatusItems, Uid,
};
use bytes::BytesMut;
use imap_message::wire;

use crate::answer::{Answer, Code, Verdict};
use crate::connection::Tag;
use crate::utf7;
use table::{SYSTEM_FLAGS, date_time};

/// Writes responses, one method each, into a buffer that the driver sends from the front.
///
/// Text for people is cleaned, so it can never split a response. Whoever uses the writer against its rules (a section
/// longer than announced, a number above EXISTS, EXISTS that falls, …) sets [`misuse`](Writer::misuse): from then on nothing
/// is written but BYE, and the driver ends the session.
#[derive(Debug, Default)]
pub struct Writer {
    out: BytesMut,
    /// Where strings are formed before they are copied.
    scratch: Vec<u8>,
    /// Number of messages as told to the client.
    exists: u32,
    open: Open,
    /// Where the open response starts in `out`; `None` once a part of it may have been sent.
    start: Option<usize>,
    /// The client knows mod-sequences: CONDSTORE (RFC 7162) was enabled.
    mod_seqs: bool,
    /// Every keyword can be set for good, new ones, too, as told by PERMANENTFLAGS.
    any_keyword: bool,
    /// The last FETCH of this command: numbers and UIDs rise together.
    last: Option<(Seq, Uid)>,
    misuse: Option<&'static str>,
}

/// The response that is being written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Open {
    #[default]
    Nothing,
    Fetch {
        /// No item was written yet.
        first: bool,
        /// Octets of the present section still to come.
        section: u64,
    },
    Search,
}

impl Writer {
    // what it knows

    /// Number of messages as told to the client.
    pub fn exists_told(&self) -> u32 {
        self.exists
    }

    /// Octets waiting to be sent.
    pub fn pending(&self) -> usize {
        self.out.len()
    }

    /// What was done against the rules, if anything was. The session must end with BYE.
    pub fn misuse(&self) -> Option<&'static str> {
        self.misuse
    }

    /// Whether a response has been begun and not ended: nothing else may be written now, BYE least of all.
    pub fn in_response(&self) -> bool {
        self.open != Open::Nothing
    }

    /// Takes back the response that was begun and not ended. `false`: a part of it was sent already, so the connection can
    /// only be closed, without another octet.
    pub fn abandon_response(&mut self) -> bool {
        if !self.in_response() {
            return true;
        }
        self.open = Open::Nothing;
        match self.start.take() {
            Some(start) => {
                self.out.truncate(start);
                true
            }
            None => false,
        }
    }

    pub(crate) fn output(&mut self) -> &mut BytesMut {
        self.start = None;
        &mut self.out
    }

    pub(crate) fn set_exists(&mut self, exists: u32) {
        self.exists = exists;
        self.last = None;
    }

    /// Another command begins: its FETCH responses are counted anew.
    pub(crate) fn new_command(&mut self) {
        self.last = None;
    }

    // FETCH

    /// Starts `* seq FETCH (`, with the UID as first item where it is wanted. Ascending within one command.
    pub fn fetch_begin(&mut self, seq: Seq, uid: Uid, with_uid: bool) {
        if !self.may_begin() || !self.in_view(seq) {
            return;
        }
        if self
            .last
            .is_some_and(|(s, u)| (seq > s) != (uid > u) || (seq == s) != (uid == u))
        {
            return self.refuse("numbers and UIDs of FETCH do not rise together");
        }
        self.last = Some((seq, uid));
        self.start = Some(self.out.len());
        self.put(b"* ");
        self.number(seq.get());
        self.put(b" FETCH (");
        self.open = Open::Fetch {
            first: true,
            section: 0,
        };
        if with_uid {
            self.item(b"UID ");
            self.number(uid.get());
        }
    }

    /// `FLAGS (…)`, with `\Recent` if the message is recent to this session.
    pub fn fetch_flags(&mut self, flags: &Flags, recent: bool) {
        if self.item(b"FLAGS ") {
            self.flag_list(flags, recent);
        }
    }

    /// `INTERNALDATE "17-Jul-1996 02:44:25 -0700"` (R3501-332)
    pub fn fetch_internal_date(&mut self, date: DateTime) {
        if self.item(b"INTERNALDATE ") {
            let text = date_time(date);
            self.put(&text);
        }
    }

    /// `RFC822.SIZE n`
    pub fn fetch_rfc822_size(&mut self, octets: u64) {
        if self.item(b"RFC822.SIZE ") {
            self.number64(octets);
        }
    }

    /// `MODSEQ (n)` (RFC 7162)
    pub fn fetch_mod_seq(&mut self, mod_seq: ModSeq) {
        if self.item(b"MODSEQ (") {
            self.number64(mod_seq.get());
            self.put(b")");
        }
    }

    /// `ENVELOPE`, as finished octets.
    pub fn fetch_envelope(&mut self, wire: &[u8]) {
        if self.item(b"ENVELOPE ") {
            self.put(wire);
        }
    }

    /// `BODY`, as finished octets.
    pub fn fetch_body(&mut self, wire: &[u8]) {
        if self.item(b"BODY ") {
            self.put(wire);
        }
    }

    /// `BODYSTRUCTURE`, as finished octets.
    pub fn fetch_body_structure(&mut self, wire: &[u8]) {
        if self.item(b"BODYSTRUCTURE ") {
            self.put(wire);
        }
    }

    /// Announces a section in the spelling of the request, as a literal of `octets` octets, or NIL. Exactly as many octets
    /// must follow by [`fetch_data`](Writer::fetch_data).
    pub fn fetch_section(&mut self, item: &BodySection, octets: Option<u64>) {
        if !self.item(b"") {
            return;
        }
        match item.form {
            SectionForm::Rfc822 => self.put(b"RFC822"),
            SectionForm::Rfc822Header => self.put(b"RFC822.HEADER"),
            SectionForm::Rfc822Text => self.put(b"RFC822.TEXT"),
            _ => self.section_name(item),
        }
        let Some(octets) = octets else {
            return self.put(b" NIL");
        };
        self.put(b" {");
        self.number64(octets);
        self.put(b"}\r\n");
        self.open = Open::Fetch {
            first: false,
            section: octets,
        };
    }

    /// The next octets of the announced section.
    pub fn fetch_data(&mut self, octets: &[u8]) {
        if self.misuse.is_some() {
            return;
        }
        let left = match self.open {
            Open::Fetch { section, .. } => section.checked_sub(octets.len() as u64),
            _ => None,
        };
        let Some(section) = left else {
            return self.refuse("more octets than the section was announced with");
        };
        self.put(octets);
        self.open = Open::Fetch { first: false, section };
    }

    /// Ends the FETCH response.
    pub fn fetch_end(&mut self) {
        if self.misuse.is_some() {
            return;
        }
        match self.open {
            Open::Fetch {
                first: false,
                section: 0,
            } => {
                self.put(b")\r\n");
                self.open = Open::Nothing;
            }
            Open::Fetch { first: true, .. } => self.refuse("a FETCH response without an item"),
            Open::Fetch { .. } => self.refuse("fewer octets than the section was announced with"),
            _ => self.refuse("the end of a FETCH response that was not begun"),
        }
    }

    /// A whole `* seq FETCH (FLAGS (…))`, with the UID where it is given, and with the mod-sequence once the client has
    /// enabled CONDSTORE (R3501-291).
    pub fn flags_update(&mut self, seq: Seq, uid: Option<Uid>, flags: &Flags, recent: bool, mod_seq: Option<ModSeq>) {
        if !self.may_begin() || !self.in_view(seq) {
            return;
        }
        self.put(b"* ");
        self.number(seq.get());
        self.put(b" FETCH (");
        if let Some(uid) = uid {
            self.put(b"UID ");
            self.number(uid.get());
            self.put(b" ");
        }
        self.put(b"FLAGS ");
        self.flag_list(flags, recent);
        if let Some(mod_seq) = mod_seq.filter(|_| self.mod_seqs) {
            self.put(b" MODSEQ (");
            self.number64(mod_seq.get());
            self.put(b")");
        }
        self.put(b")\r\n");
    }

    // SEARCH

    /// Starts `* SEARCH`.
    pub fn search_begin(&mut self) {
        if !self.may_begin() {
            return;
        }
        self.start = Some(self.out.len());
        self.open = Open::Search;
        self.put(b"* SEARCH");
    }

    /// A message that was found, by its number: one up to EXISTS.
    pub fn search_seq(&mut self, seq: Seq) {
        if self.misuse.is_none() && self.in_view(seq) {
            self.search_result(seq.get());
        }
    }

    /// A message that was found, by its UID.
    pub fn search_uid(&mut self, uid: Uid) {
        if self.misuse.is_none() {
            self.search_result(uid.get());
        }
    }

    fn search_result(&mut self, number: u32) {
        if self.open != Open::Search {
            return self.refuse("a result outside a SEARCH response");
        }
        self.put(b" ");
        self.number(number);
    }

    /// Ends the SEARCH response.
    pub fn search_end(&mut self) {
        if self.misuse.is_some() {
            return;
        }
        if self.open != Open::Search {
            return self.refuse("the end of a SEARCH response that was not begun");
        }
        self.put(b"\r\n");
        self.open = Open::Nothing;
    }

    // the mailbox

    /// `* n EXISTS`. May not be less than before (R3501-077).
    pub fn exists(&mut self, exists: u32) {
        if !self.may_begin() {
            return;
        }
        if exists < self.exists {
            return self.refuse("EXISTS fell without EXPUNGE");
        }
        self.exists = exists;
        self.counted(exists, b" EXISTS\r\n");
    }

    /// `* n RECENT`
    pub fn recent(&mut self, recent: u32) {
        if !self.may_begin() {
            return;
        }
        if recent > self.exists {
            return self.refuse("more messages are recent than there are");
        }
        self.counted(recent, b" RECENT\r\n");
    }

    /// `* n EXPUNGE`: every higher number falls by one.
    pub fn expunge(&mut self, seq: Seq) {
        if !self.may_begin() || !self.in_view(seq) {
            return;
        }
        self.exists -= 1;
        self.last = None;
        self.counted(seq.get(), b" EXPUNGE\r\n");
    }

    /// `* FLAGS (…)`: the system flags and these keywords.
    pub fn flags(&mut self, keywords: &[Keyword]) {
        if !self.may_begin() {
            return;
        }
        self.put(b"* FLAGS (");
        self.put(SYSTEM_FLAGS);
        self.keywords(keywords);
        self.put(b")\r\n");
    }

    /// The mailbox has keywords that were not told: `* FLAGS` (RFC 3501 7.2.6). One that stands there and not in
    /// PERMANENTFLAGS cannot be set for good (7.1), so where it can that is told anew.
    pub fn new_keywords(&mut self, keywords: &[Keyword]) {
        self.flags(keywords);
        if self.any_keyword {
            self.permanent_flags(&PermanentFlags::All, keywords);
        }
    }

    /// `* OK [PERMANENTFLAGS (…)]`
    pub fn permanent_flags(&mut self, permanent: &PermanentFlags, keywords: &[Keyword]) {
        let all = Flags::from_parts(31, []);
        let (flags, keywords, any) = match permanent {
            PermanentFlags::All => (&all, keywords, true),
            PermanentFlags::These(flags) => (flags, &[][..], false),
            _ => (&Flags::NONE, &[][..], false),
        };
        self.any_keyword = any;
        let text = if any || !flags.is_empty() {
            "Flags that can be changed for good"
        } else {
            "No flag can be changed for good"
        };
        self.ok_code(&Code::PermanentFlags { flags, keywords, any }, text);
    }

    /// What SELECT and EXAMINE tell of the new mailbox, but for the tagged answer (RFC 3501 6.3.1; R3501-122 to
    /// R3501-128). Numbers are counted from here.
    pub fn selected(&mut self, selected: &Selected) {
        if !self.may_begin() {
            return;
        }
        self.set_exists(selected.exists);
        self.flags(&selected.keywords);
        self.exists(selected.exists);
        self.recent(selected.recent);
        if let Some(unseen) = selected.unseen {
            self.ok_code(&Code::Unseen(unseen), "First unseen message");
        }
        self.permanent_flags(&selected.permanent, &selected.keywords);
        if let Some(uid_next) = selected.uid_next {
            self.ok_code(&Code::UidNext(uid_next), "Next UID");
        }
        self.ok_code(&Code::UidValidity(selected.uid_validity), "UIDs are valid");
    }

    // lists

    /// `* LIST` or `* LSUB` (RFC 3501 7.2.2, 7.2.3).
    pub fn list(&mut self, entry: &ListEntry, lsub: bool) {
        if !self.may_begin() {
            return;
        }
        self.put(if lsub { b"* LSUB (" } else { b"* LIST (" });
        if lsub {
            let a = &entry.attributes;
            // In LSUB \Noselect means that not the name is subscribed, but one below it (R3501-174).
            if (a.no_select || a.non_existent) && !a.subscribed {
                self.put(b"\\Noselect");
            }
        } else {
            self.attributes(&entry.attributes);
        }
        self.put(b") \"/\" ");
        self.mailbox(&entry.name);
        self.put(b"\r\n");
    }

    /// The answer to `LIST reference ""`: the separator and the root of the reference, which is empty here, for no name
    /// starts with a separator (R3501-162).
    pub fn list_root(&mut self, lsub: bool) {
        if self.may_begin() {
            self.put(if lsub {
                b"* LSUB (\\Noselect) \"/\" \"\"\r\n"
            } else {
                b"* LIST (\\Noselect) \"/\" \"\"\r\n"
            });
        }
    }

    /// `* STATUS` with the counters that were asked for (R3501-299), and APPENDLIMIT where it is given (R7889-001).
    pub fn status(&mut self, name: &MailboxName, items: StatusItems, status: &Status, append_limit: Option<u64>) {
        if !self.may_begin() {
            return;
        }
        let uid_next = status.uid_next.map(|uid| u64::from(uid.get()));
        let rows = [
            (items.messages, "MESSAGES ", Some(status.messages.into())),
            (items.recent, "RECENT ", Some(status.recent.into())),
            (items.uid_next, "UIDNEXT ", uid_next),
            (
                items.uid_validity,
                "UIDVALIDITY ",
                Some(status.uid_validity.get().into()),
            ),
            (items.unseen, "UNSEEN ", Some(status.unseen.into())),
            (append_limit.is_some(), "APPENDLIMIT ", append_limit),
        ];
        self.put(b"* STATUS ");
        self.mailbox(name);
        self.put(b" (");
        let mut first = true;
        for (wanted, item, value) in rows {
            let (true, Some(value)) = (wanted, value) else { continue };
            if !std::mem::take(&mut first) {
                self.put(b" ");
            }
            self.put(item.as_bytes());
            self.number64(value);
        }
        self.put(b")\r\n");
    }

    /// `* NAMESPACE`: the personal namespace, with this prefix; there are no others (RFC 2342 5).
    pub fn namespace(&mut self, prefix: &str) {
        if !self.may_begin() {
            return;
        }
        self.put(b"* NAMESPACE ((");
        let mut encoded = Vec::new();
        utf7::encode(prefix, &mut encoded);
        self.scratch(|out| wire::quoted(out, &encoded));
        self.put(b" \"/\")) NIL NIL\r\n");
    }

    // the server

    /// `* CAPABILITY` with this list.
    pub fn capability(&mut self, list: &str) {
        if self.may_begin() {
            self.put(b"* CAPABILITY ");
            self.text(list);
            self.put(b"\r\n");
        }
    }

    /// `* ENABLED` with these names, of which there may be none (R5161-007).
    pub fn enabled(&mut self, names: &[&str]) {
        if !self.may_begin() {
            return;
        }
        self.put(b"* ENABLED");
        for name in names {
            self.put(b" ");
            self.text(name);
        }
        self.put(b"\r\n");
    }

    /// `* ID` with these fields, or NIL where there are none (RFC 2971 3.2).
    pub fn id(&mut self, fields: &[(&str, Option<&str>)]) {
        if !self.may_begin() {
            return;
        }
        if fields.is_empty() {
            return self.put(b"* ID NIL\r\n");
        }
        self.put(b"* ID (");
        for (i, (field, value)) in fields.iter().enumerate() {
            if i > 0 {
                self.put(b" ");
            }
            self.scratch(|out| {
                wire::string(out, field.as_bytes());
                out.push(b' ');
                wire::nstring(out, value.map(str::as_bytes));
            });
        }
        self.put(b")\r\n");
    }

    /// `* OK text`, such as a sign of life during IDLE.
    pub fn ok(&mut self, text: &str) {
        self.untagged(Verdict::Ok, None, text);
    }

    /// `* OK [CODE] text`
    pub fn ok_code(&mut self, code: &Code<'_>, text: &str) {
        self.untagged(Verdict::Ok, Some(code), text);
    }

    /// `* NO [CODE] text`: a warning.
    pub fn warning(&mut self, code: Option<&Code<'_>>, text: &str) {
        self.untagged(Verdict::No, code, text);
    }

    pub(crate) fn untagged(&mut self, verdict: Verdict, code: Option<&Code<'_>>, text: &str) {
        if self.may_begin() {
            self.put(b"* ");
            self.verdict(verdict, code, text);
        }
    }

    pub(crate) fn tagged(&mut self, tag: &Tag, answer: &Answer<'_>) {
        if self.may_begin() {
            self.put(tag.as_str().as_bytes());
            self.put(b" ");
            self.verdict(answer.verdict, answer.code.as_ref(), &answer.text);
        }
    }

    /// `* word [CODE] text`, for greetings and BYE. BYE is written even after misuse, if no response stands open.
    pub(crate) fn condition(&mut self, word: &str, code: Option<&Code<'_>>, text: &str) {
        if self.in_response() && !self.abandon_response() {
            return;
        }
        self.put(b"* ");
        self.put(word.as_bytes());
        self.rest_of_condition(code, text);
    }

    /// `+ text`. The text is ours, or base64.
    pub(crate) fn continuation(&mut self, text: &str) {
        self.put(b"+ ");
        self.put(text.as_bytes());
        self.put(b"\r\n");
    }
}
