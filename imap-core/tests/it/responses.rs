//! What is written, octet for octet; and that an independent decoder reads the same.

use std::num::NonZeroU32;

use backend_api::{
    Attributes, BodySection, Date, DateTime, Error, ErrorKind, Flags, Keyword, ListEntry, MailboxName, ModSeq, Partial,
    PermanentFlags, Section, SectionForm, SectionText, Selected, Seq, SpecialUse, Status, StatusItems, SystemFlag, Uid,
    UidValidity,
};
use imap_codec::ResponseCodec;
use imap_codec::decode::Decoder;
use imap_core::{Answer, Code, Config, Connection, Writer};

fn connection() -> Connection {
    let mut core = Connection::new(Config::default(), true, false);
    core.set_authenticated();
    core.set_selected(false, 10);
    core
}

/// What `write` writes, which must be responses that imap-codec reads, too.
fn written(write: impl FnOnce(&mut Writer)) -> String {
    let text = unchecked(write);
    decodes(text.as_bytes());
    text
}

fn unchecked(write: impl FnOnce(&mut Writer)) -> String {
    let mut core = connection();
    write(core.writer());
    assert_eq!(core.writer().misuse(), None);
    assert!(!core.writer().in_response());
    String::from_utf8(core.output().to_vec()).unwrap()
}

fn decodes(mut octets: &[u8]) {
    while !octets.is_empty() {
        match ResponseCodec::new().decode(octets) {
            Ok((rest, _)) => octets = rest,
            Err(e) => panic!("{e:?}: {}", octets.escape_ascii()),
        }
    }
}

fn seq(n: u32) -> Seq {
    Seq::new(n).unwrap()
}

fn uid(n: u32) -> Uid {
    Uid::new(n).unwrap()
}

fn name(text: &str) -> MailboxName {
    MailboxName::new(text).unwrap()
}

fn moment() -> DateTime {
    let day = Date::from_civil(2020, 2, 1).unwrap();
    DateTime::from_civil(day, 9, 8, 7, -330).unwrap()
}

/// R3501-332, R3501-334
#[test]
fn a_fetch_response_has_its_items_in_the_order_given() {
    let flags = Flags::NONE.with(SystemFlag::Seen).with_keyword("$A");
    let text = written(|w| {
        w.fetch_begin(seq(3), uid(77), true);
        w.fetch_flags(&flags, true);
        w.fetch_internal_date(moment());
        w.fetch_rfc822_size(4_294_967_295);
        w.fetch_envelope(b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
        w.fetch_body(br#"("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1)"#);
        w.fetch_end();
        w.fetch_begin(seq(4), uid(78), false);
        w.fetch_flags(&Flags::NONE, false);
        w.fetch_end();
    });
    assert_eq!(
        text,
        "* 3 FETCH (UID 77 FLAGS (\\Seen $A \\Recent) INTERNALDATE \" 1-Feb-2020 09:08:07 -0530\" RFC822.SIZE 4294967295 \
         ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) BODY (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 1))\r\n\
         * 4 FETCH (FLAGS ())\r\n"
    );
    let mod_seq = unchecked(|w| {
        w.fetch_begin(seq(3), uid(77), false);
        w.fetch_mod_seq(ModSeq(u64::MAX));
        w.fetch_end();
    });
    assert_eq!(mod_seq, "* 3 FETCH (MODSEQ (18446744073709551615))\r\n");
}

/// R3501-247, R3501-253, R3501-255, R3501-311
#[test]
fn sections_are_named_as_they_were_asked_for() {
    let path = |numbers: &[u32]| numbers.iter().filter_map(|n| NonZeroU32::new(*n)).collect();
    let body = |path, text, partial| BodySection::new(Section { path, text }, partial, SectionForm::Body, true);
    let partial = Some(Partial { offset: 5, count: 9 });
    let names = || vec!["To".to_owned(), "X Y".to_owned()];
    let rfc822 = |form| BodySection::new(Section::default(), None, form, false);
    let table = [
        (body(vec![], SectionText::All, None), "BODY[]"),
        (body(vec![], SectionText::Header, partial), "BODY[HEADER]<5>"),
        (body(path(&[1, 22]), SectionText::All, None), "BODY[1.22]"),
        (body(path(&[1]), SectionText::Mime, None), "BODY[1.MIME]"),
        (body(path(&[1]), SectionText::Text, None), "BODY[1.TEXT]"),
        (
            body(vec![], SectionText::HeaderFields(names()), None),
            "BODY[HEADER.FIELDS (To \"X Y\")]",
        ),
        (
            body(path(&[2]), SectionText::HeaderFieldsNot(vec!["a".into()]), None),
            "BODY[2.HEADER.FIELDS.NOT (a)]",
        ),
        (rfc822(SectionForm::Rfc822), "RFC822"),
        (rfc822(SectionForm::Rfc822Header), "RFC822.HEADER"),
        (rfc822(SectionForm::Rfc822Text), "RFC822.TEXT"),
    ];
    for (item, spelled) in table {
        let text = written(|w| {
            w.fetch_begin(seq(1), uid(1), false);
            w.fetch_section(&item, Some(5));
            w.fetch_data(b"a\r");
            w.fetch_data(b"");
            w.fetch_data(b"\nbc");
            w.fetch_section(&item, None);
            w.fetch_section(&item, Some(0));
            w.fetch_end();
        });
        let expected = format!("* 1 FETCH ({spelled} {{5}}\r\na\r\nbc {spelled} NIL {spelled} {{0}}\r\n)\r\n");
        assert_eq!(text, expected);
    }
}

#[test]
fn every_set_of_system_flags_is_written() {
    for bits in 0..32 {
        let flags = Flags::from_parts(bits, []);
        let plain = unchecked(|w| w.flags_update(seq(1), None, &flags, false, None));
        assert_eq!(plain, format!("* 1 FETCH (FLAGS {flags})\r\n"));
        let recent = unchecked(|w| w.flags_update(seq(1), None, &flags, true, None));
        assert_eq!(recent.replace(" \\Recent", "").replace("\\Recent", ""), plain);
        decodes(recent.as_bytes());
    }
    let full = unchecked(|w| w.flags_update(seq(2), Some(uid(9)), &Flags::SEEN, true, Some(ModSeq(7))));
    assert_eq!(full, "* 2 FETCH (UID 9 FLAGS (\\Seen \\Recent))\r\n");
}

#[test]
fn search_results_stream() {
    assert_eq!(
        written(|w| {
            w.search_begin();
            w.search_end();
        }),
        "* SEARCH\r\n"
    );
    let text = unchecked(|w| {
        w.search_begin();
        (1..=1_000_000).for_each(|n| w.search_uid(uid(n)));
        w.search_end();
    });
    let expected: String = (1..=1_000_000).map(|n| format!(" {n}")).collect();
    assert_eq!(text, format!("* SEARCH{expected}\r\n"));
}

/// R3501-122 to R3501-128
#[test]
fn select_tells_the_whole_mailbox() {
    let mut selected = Selected::new(UidValidity::new(99).unwrap());
    selected.exists = 3;
    selected.recent = 1;
    selected.unseen = Some(seq(2));
    selected.uid_next = Some(uid(8));
    selected.keywords = vec![Keyword::new("$A").unwrap(), Keyword::new("b").unwrap()];
    selected.permanent = PermanentFlags::All;
    let text = written(|w| w.selected(&selected));
    let system = "\\Answered \\Flagged \\Deleted \\Seen \\Draft";
    assert_eq!(
        text,
        format!(
            "* FLAGS ({system} $A b)\r\n* 3 EXISTS\r\n* 1 RECENT\r\n* OK [UNSEEN 2] First unseen message\r\n\
             * OK [PERMANENTFLAGS ({system} $A b \\*)] Flags that can be changed for good\r\n* OK [UIDNEXT 8] Next UID\r\n\
             * OK [UIDVALIDITY 99] UIDs are valid\r\n"
        )
    );
    let mut core = connection();
    core.select(&Selected::new(UidValidity::MIN), true);
    assert_eq!(core.exists(), 0);
    assert_eq!(
        core.output().split(),
        format!(
            "* FLAGS ({system})\r\n* 0 EXISTS\r\n* 0 RECENT\r\n* OK [PERMANENTFLAGS ()] No flag can be changed for good\r\n\
             * OK [UIDNEXT 1] Next UID\r\n* OK [UIDVALIDITY 1] UIDs are valid\r\n"
        )
    );
}

/// R3501-174, R3501-293, R3501-299, R2342-002, R7889-001
#[test]
fn lists_and_counters() {
    let mut a = Attributes::default();
    a.has_children = Some(true);
    a.special_use = vec![SpecialUse::Sent];
    let entry = ListEntry::new(name("Entwürfe/a b"), a.clone());
    a.non_existent = true;
    let ghost = ListEntry::new(name("x"), a.clone());
    a.subscribed = true;
    a.no_inferiors = true;
    a.marked = Some(false);
    let subscribed = ListEntry::new(name("y&z"), a);
    let text = written(|w| {
        w.list(&entry, false);
        w.list(&ghost, false);
        w.list(&subscribed, false);
        w.list(&ghost, true);
        w.list(&subscribed, true);
        w.list_root(false);
    });
    assert_eq!(
        text,
        "* LIST (\\HasChildren \\Sent) \"/\" \"Entw&APw-rfe/a b\"\r\n* LIST (\\Noselect \\HasChildren \\Sent) \"/\" x\r\n\
         * LIST (\\Noselect \\Noinferiors \\Unmarked \\Sent) \"/\" y&-z\r\n* LSUB (\\Noselect) \"/\" x\r\n\
         * LSUB () \"/\" y&-z\r\n* LIST (\\Noselect) \"/\" \"\"\r\n"
    );
    let mut items = StatusItems::default();
    items.messages = true;
    items.uid_next = true;
    items.unseen = true;
    let mut status = Status::new(UidValidity::MIN);
    status.messages = 5;
    status.unseen = 2;
    let limit = unchecked(|w| w.status(&name("INBOX"), items, &status, Some(1 << 40)));
    assert_eq!(
        limit,
        "* STATUS INBOX (MESSAGES 5 UIDNEXT 1 UNSEEN 2 APPENDLIMIT 1099511627776)\r\n"
    );
    status.uid_next = None;
    assert_eq!(
        written(|w| w.status(&name("a b"), items, &status, None)),
        "* STATUS \"a b\" (MESSAGES 5 UNSEEN 2)\r\n"
    );
    assert_eq!(unchecked(|w| w.namespace("")), "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
    assert_eq!(unchecked(|w| w.id(&[])), "* ID NIL\r\n");
    assert_eq!(
        unchecked(|w| w.id(&[("name", Some("x")), ("v", None)])),
        "* ID (\"name\" \"x\" \"v\" NIL)\r\n"
    );
    assert_eq!(
        written(|w| w.capability("IMAP4rev1 IDLE")),
        "* CAPABILITY IMAP4rev1 IDLE\r\n"
    );
    assert_eq!(written(|w| w.enabled(&["CONDSTORE"])), "* ENABLED CONDSTORE\r\n");
    assert_eq!(written(|w| w.enabled(&[])), "* ENABLED\r\n");
}

fn answered(answer: &Answer<'_>) -> String {
    let mut core = connection();
    core.complete(&"a1".parse().unwrap(), answer);
    decodes(core.output());
    String::from_utf8(core.output().to_vec()).unwrap()
}

/// R4315-006, R4315-007, R4315-013
#[test]
fn codes_are_written_before_the_text() {
    let uid_validity = UidValidity::new(7).unwrap();
    let uids: Vec<Uid> = [1, 2, 3, 9, 8, 4_294_967_295].map(uid).to_vec();
    let pairs: Vec<(Uid, Uid)> = [(3, 10), (4, 11), (9, 12)].map(|(a, b)| (uid(a), uid(b))).to_vec();
    let append = |uids| Answer::ok("done").with_code(Code::AppendUid { uid_validity, uids });
    let copy = |uids| Answer::ok("done").with_code(Code::CopyUid { uid_validity, uids });
    assert_eq!(
        answered(&append(&uids)),
        "a1 OK [APPENDUID 7 1:3,9,8,4294967295] done\r\n"
    );
    assert_eq!(answered(&append(&uids[..1])), "a1 OK [APPENDUID 7 1] done\r\n");
    assert_eq!(answered(&copy(&pairs)), "a1 OK [COPYUID 7 3:4,9 10:12] done\r\n");
    assert_eq!(answered(&copy(&[])), "a1 OK done\r\n");
    assert_eq!(
        answered(&Answer::no("what?").with_code(Code::BadCharset)),
        "a1 NO [BADCHARSET (US-ASCII UTF-8)] what?\r\n"
    );
    let these = Flags::SEEN.with_keyword("k");
    let code = Code::PermanentFlags {
        flags: &these,
        keywords: &[],
        any: true,
    };
    assert_eq!(
        answered(&Answer::ok("x").with_code(code)),
        "a1 OK [PERMANENTFLAGS (\\Seen k \\*)] x\r\n"
    );
}

/// R3501-281
#[test]
fn text_can_not_split_a_response() {
    let table = [
        ("done\r\n* BYE", "a1 NO done??* BYE\r\n"),
        ("a\0b\u{7f}c\td", "a1 NO a?b?c?d\r\n"),
        ("déjà", "a1 NO d?j?\r\n"),
        ("", "a1 NO .\r\n"),
        ("[ALERT] x", "a1 NO .[ALERT] x\r\n"),
    ];
    for (text, line) in table {
        assert_eq!(answered(&Answer::no(text)), line);
    }
}

/// R5530-001 to R5530-007
#[test]
fn each_kind_of_error_has_its_verdict_and_code() {
    use ErrorKind as E;
    let table = [
        (E::Bad, "BAD x"),
        (E::NotFound, "NO [NONEXISTENT] x"),
        (E::AlreadyExists, "NO [ALREADYEXISTS] x"),
        (E::Cannot, "NO [CANNOT] x"),
        (E::Unsupported, "NO [CANNOT] x"),
        (E::ReadOnly, "NO [NOPERM] x"),
        (E::NoPermission, "NO [NOPERM] x"),
        (E::OverQuota, "NO [OVERQUOTA] x"),
        (E::TooBig, "NO [TOOBIG] x"),
        (E::Limit, "NO [LIMIT] x"),
        (E::AuthenticationFailed, "NO [AUTHENTICATIONFAILED] x"),
        (E::AuthorizationFailed, "NO [AUTHORIZATIONFAILED] x"),
        (E::Expired, "NO [EXPIRED] x"),
        (E::InUse, "NO [INUSE] x"),
        (E::Unavailable, "NO [UNAVAILABLE] x"),
        (E::ExpungeIssued, "NO [EXPUNGEISSUED] x"),
        (E::HasChildren, "NO [HASCHILDREN] x"),
        (E::UseAttr, "NO [USEATTR] x"),
        (E::BadCharset, "NO [BADCHARSET (US-ASCII UTF-8)] x"),
        (E::Corruption, "NO [CORRUPTION] x"),
        (E::MailboxGone, "NO [NONEXISTENT] x"),
        (E::Internal, "NO [SERVERBUG] id-1"),
    ];
    for (kind, line) in table {
        let answer = Answer::from_error(&Error::new(kind, "x"), "id-1");
        assert_eq!(answered(&answer), format!("a1 {line}\r\n"));
    }
}

/// One misuse of the writer: what is recorded, and that nothing wrong is sent after it.
fn misuse(write: impl FnOnce(&mut Writer)) -> (Option<&'static str>, String) {
    let mut core = connection();
    write(core.writer());
    let misuse = core.writer().misuse();
    core.complete(&"a".parse().unwrap(), &Answer::ok("done"));
    core.bye("sorry", Some(Code::ServerBug));
    (misuse, String::from_utf8(core.output().to_vec()).unwrap())
}

/// R3501-077, R3501-231
#[test]
fn misuse_ends_the_session_and_nothing_wrong_is_sent() {
    let bye = "* BYE [SERVERBUG] sorry\r\n";
    let item = BodySection::peek(Section::default());
    let begin = |w: &mut Writer| w.fetch_begin(seq(1), uid(5), false);
    assert_eq!(
        misuse(|w| w.fetch_begin(seq(11), uid(5), false)),
        (Some("a message number above EXISTS"), bye.into())
    );
    assert_eq!(
        misuse(|w| w.exists(9)),
        (Some("EXISTS fell without EXPUNGE"), bye.into())
    );
    assert_eq!(
        misuse(|w| w.recent(11)),
        (Some("more messages are recent than there are"), bye.into())
    );
    let (why, out) = misuse(|w| {
        w.expunge(seq(10));
        w.expunge(seq(10));
    });
    assert_eq!(
        (why, out),
        (Some("a message number above EXISTS"), format!("* 10 EXPUNGE\r\n{bye}"))
    );
    let (why, out) = misuse(|w| {
        begin(w);
        w.fetch_section(&item, Some(3));
        w.fetch_data(b"four");
    });
    assert_eq!(
        (why, out),
        (Some("more octets than the section was announced with"), bye.into())
    );
    let (why, out) = misuse(|w| {
        begin(w);
        w.fetch_section(&item, Some(3));
        w.fetch_data(b"ab");
        w.fetch_end();
    });
    assert_eq!(
        (why, out),
        (Some("fewer octets than the section was announced with"), bye.into())
    );
    let (why, out) = misuse(|w| {
        begin(w);
        w.fetch_end();
    });
    assert_eq!((why, out), (Some("a FETCH response without an item"), bye.into()));
    assert_eq!(
        misuse(|w| w.fetch_end()).0,
        Some("the end of a FETCH response that was not begun")
    );
    assert_eq!(
        misuse(|w| w.fetch_flags(&Flags::NONE, false)).0,
        Some("an item outside a FETCH response")
    );
    assert_eq!(
        misuse(|w| w.search_seq(seq(1))).0,
        Some("a result outside a SEARCH response")
    );
    let (why, out) = misuse(|w| {
        w.search_begin();
        w.search_uid(uid(999));
        w.search_seq(seq(10));
        w.search_seq(seq(11));
    });
    assert_eq!((why, out), (Some("a message number above EXISTS"), bye.into()));
    assert_eq!(misuse(begin).0, None);
    let (why, _) = misuse(|w| {
        begin(w);
        w.exists(12);
    });
    assert_eq!(why, Some("a response inside another"));
    let (why, _) = misuse(|w| {
        for (s, u) in [(1, 5), (2, 5)] {
            w.fetch_begin(seq(s), uid(u), true);
            w.fetch_end();
        }
    });
    assert_eq!(why, Some("numbers and UIDs of FETCH do not rise together"));
}

#[test]
fn bye_never_stands_inside_a_response() {
    let item = BodySection::peek(Section::default());
    let mut core = connection();
    core.writer().fetch_begin(seq(1), uid(1), false);
    core.writer().fetch_section(&item, Some(100));
    core.writer().fetch_data(b"half");
    assert!(core.writer().in_response());
    let sent = core.output().split();
    core.bye("sorry", None);
    assert_eq!(core.output().len(), 0, "behind {sent:?} nothing may come");

    let mut core = connection();
    core.writer().exists(11);
    core.writer().fetch_begin(seq(1), uid(1), false);
    core.writer().fetch_section(&item, Some(100));
    assert!(core.writer().abandon_response());
    core.complete(&"a".parse().unwrap(), &Answer::no("disk"));
    assert_eq!(core.output().split(), "* 11 EXISTS\r\na NO disk\r\n");
}

#[test]
fn exists_is_counted() {
    let mut core = connection();
    core.writer().exists(12);
    core.writer().expunge(seq(5));
    core.writer().exists(11);
    assert_eq!((core.exists(), core.writer().misuse()), (11, None));
    core.set_unselected();
    assert_eq!(core.exists(), 0);
}
