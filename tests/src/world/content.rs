//! The mail that every world begins with.

use backend_api::{
    Account, Bytes, Date, DateTime, Flags, Incoming, MailStore, MailboxName, NewMessage, Remove, SpecialUse,
    SystemFlag, Uid, UidSet,
};

/// The first message of INBOX: UID 2, `\Seen`.
pub const PLAIN: &[u8] = b"Date: Mon, 7 Feb 1994 21:52:25 -0800 (PST)\r\n\
From: Fred Foobar <foobar@Blurdybloop.example>\r\n\
Subject: afternoon meeting\r\n\
To: mooch@owatagu.example\r\n\
Message-Id: <B27397-0100000@Blurdybloop.example>\r\n\
MIME-Version: 1.0\r\n\
Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\
\r\n\
Hello Joe, do you think we can meet at 3:30 tomorrow?\r\n";

/// The second: UID 3, `\Flagged` and `$Forwarded`.
pub const ALTERNATIVE: &[u8] = b"Date: Wed, 17 Jul 1996 02:23:25 -0700\r\n\
From: \"Terry \\\"T\\\" Gray\" <gray@cac.example>, =?UTF-8?Q?J=C3=BCrgen?= <j@example.org>\r\n\
Sender: minutes@cac.example\r\n\
Reply-To: list@cac.example\r\n\
To: A group:a@b.example,c@d.example;, bob@example.org\r\n\
Cc:\r\n\
Subject: =?ISO-8859-1?Q?Gr=FC=DFe?=\r\n\
In-Reply-To: <B27397-0100000@Blurdybloop.example>\r\n\
Message-Id: <alt@cac.example>\r\n\
MIME-Version: 1.0\r\n\
Content-Type: multipart/alternative;\r\n boundary=\"b1\"; charset=x\r\n\
\r\n\
preamble\r\n\
--b1\r\n\
Content-Type: text/plain; charset=utf-8\r\n\
Content-Transfer-Encoding: quoted-printable\r\n\
\r\n\
Gr=C3=BC=C3=9Fe\r\n\
--b1\r\n\
Content-Type: text/html\r\n\
Content-Language: de\r\n\
Content-Disposition: inline; filename=\"a.html\"\r\n\
\r\n\
<p>hi</p>\r\n\
\r\n\
--b1--\r\n";

/// The third: UID 5, no flags, 8-bit, no Content-Type, no newline at its end.
pub const LATIN: &[u8] =
    b"From: a@b.example\r\nSubject: 8-bit\r\nX-Note: one\r\nX-Note: two\r\n\tfolded\r\n\r\nna\xefve caf\xe9";

/// The fourth: UID 7, `\Answered`, a message within a message.
pub const FORWARDED: &[u8] = b"Date: Fri, 1 Mar 2024 10:00:00 +0100\r\n\
From: c@d.example\r\n\
Subject: Fwd: inner\r\n\
Message-Id: <fwd@d.example>\r\n\
MIME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=out\r\n\
\r\n\
--out\r\n\
\r\n\
see below\r\n\
--out\r\n\
Content-Type: message/rfc822\r\n\
Content-Description: the original\r\n\
\r\n\
From: e@f.example\r\n\
Subject: inner\r\n\
Content-Type: multipart/mixed; boundary=in\r\n\
\r\n\
--in\r\n\
\r\n\
inner text\r\n\
--in\r\n\
Content-Type: image/png\r\n\
Content-Transfer-Encoding: base64\r\n\
\r\n\
AAEC\r\n\
--in--\r\n\
\r\n\
--out--\r\n";

/// A mailbox's name, what it is for, and whether it is subscribed.
pub(super) type Mailbox = (&'static str, Option<SpecialUse>, bool);

/// The mailboxes.
pub(super) const MAILBOXES: [Mailbox; 8] = [
    ("INBOX", None, true),
    ("Archive", Some(SpecialUse::Archive), true),
    ("Archive/2024", None, true),
    ("Drafts", Some(SpecialUse::Drafts), true),
    ("Junk", Some(SpecialUse::Junk), true),
    ("Sent", Some(SpecialUse::Sent), true),
    ("Trash", Some(SpecialUse::Trash), true),
    ("T\u{e4}glich", None, false),
];

type Message = (Uid, Flags, DateTime, &'static [u8]);

/// The messages of INBOX.
pub(super) fn inbox() -> impl Iterator<Item = Message> {
    let flags = [
        Flags::NONE.with(SystemFlag::Seen),
        Flags::NONE.with(SystemFlag::Flagged).with_keyword("$Forwarded"),
        Flags::NONE,
        Flags::NONE.with(SystemFlag::Answered).with(SystemFlag::Seen),
    ];
    let dates = [
        at(1994, 2, 8, 5, 53, 0),
        at(1996, 7, 17, 2, 44, -420),
        at(2023, 12, 31, 23, 59, 0),
        at(2024, 3, 1, 0, 30, 330),
    ];
    let bodies = [PLAIN, ALTERNATIVE, LATIN, FORWARDED];
    let uids = [2, 3, 5, 7].map(|n| Uid::new(n).expect("not 0"));
    let both = uids.into_iter().zip(flags).zip(dates.into_iter().zip(bodies));
    both.map(|((uid, flags), (date, body))| (uid, flags, date, body))
}

fn at(year: i32, month: u8, day: u8, hour: u8, minute: u8, offset: i16) -> DateTime {
    let date = Date::from_civil(year, month, day).expect("a date");
    DateTime::from_civil(date, hour, minute, 25, offset).expect("a moment")
}

/// Puts everything into a store that can be written.
pub(super) async fn fill<S: MailStore>(store: &S, account: &Account) {
    let there = store.mailboxes(account).await.expect("mailboxes can be listed");
    for (name, special_use, subscribed) in MAILBOXES {
        let name = MailboxName::new(name).expect("a name");
        if !there.iter().any(|m| m.name == name) {
            let special_use: Vec<_> = special_use.into_iter().collect();
            store
                .create(account, &name, &special_use)
                .await
                .expect("the mailbox is made");
        }
        store.subscribe(account, &name, subscribed).await.expect("subscribed");
    }
    let inbox = store
        .mailbox(account, &MailboxName::inbox())
        .await
        .expect("listed")
        .expect("INBOX")
        .id;
    // Seven messages, three of which are taken out again: numbers and UIDs differ.
    let messages: Vec<Message> = inbox_with_gaps();
    let new = messages.into_iter().map(|(_, flags, date, body)| {
        let octets = Bytes::from_static(body);
        NewMessage::new(flags, date, body.len() as u64, Incoming::Body(octets.into()))
    });
    store
        .add(account, inbox, new.collect())
        .await
        .expect("the messages are added");
    let gaps: UidSet = [1, 4, 6].into_iter().filter_map(Uid::new).collect();
    store
        .remove(account, inbox, &gaps, Remove::All)
        .await
        .expect("some are removed");
    let next = Uid::new(8).expect("not 0");
    store
        .first_recent(account, inbox, next, true)
        .await
        .expect("they were in a session");
}

fn inbox_with_gaps() -> Vec<Message> {
    let of: Vec<Message> = inbox().collect();
    (1..=7)
        .map(|n| {
            let found = of.iter().find(|(uid, ..)| uid.get() == n);
            found.unwrap_or(&of[0]).clone()
        })
        .collect()
}
