//! The messages that a demo account begins with: small, but of the shapes that real mail has.

use imap_server::backend_api::{DateTime, Flags, SystemFlag};

/// A message and its flags.
pub(crate) struct Welcome {
    pub(crate) octets: Vec<u8>,
    pub(crate) flags: Flags,
}

/// The messages, oldest first; the last one is unread. `imapd` is how this program is called on this data folder.
pub(crate) fn messages(now: DateTime, imapd: &str) -> Vec<Welcome> {
    let seen = Flags::new().with(SystemFlag::Seen);
    [
        ("=?UTF-8?Q?Willkommen,_bienvenue,_=E3=82=88=E3=81=86=E3=81=93=E3=81=9D?=", WELCOME, seen.clone()),
        ("With a file", WITH_A_FILE, seen.with(SystemFlag::Flagged)),
        ("What to try next", WHAT_NEXT, Flags::new()),
    ]
    .into_iter()
    .enumerate()
    .map(|(at, (subject, rest, flags))| {
        let id = format!("welcome-{}-{}@localhost", at + 1, now.unix());
        let head = format!(
            "Date: {}\nFrom: imapd <imapd@localhost>\nTo: demo <demo@localhost>\nSubject: {subject}\nMessage-ID: <{id}>\n",
            date(now)
        );
        let rest = rest.replace("{imapd}", imapd);
            let octets = format!("{head}{rest}").replace('\n', "\r\n").into_bytes();
        Welcome { octets, flags }
    })
    .collect()
}

/// A date as RFC 5322 3.3 writes it, in UTC.
fn date(moment: DateTime) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let day = moment.date();
    let (year, month, of_month) = day.civil();
    let (hour, minute, second) = moment.time();
    let weekday = usize::try_from(day.days().rem_euclid(7))
        .ok()
        .and_then(|d| DAYS.get(d))
        .unwrap_or(&"Thu");
    let month = MONTHS.get(usize::from(month).saturating_sub(1)).unwrap_or(&"Jan");
    format!("{weekday}, {of_month} {month} {year} {hour:02}:{minute:02}:{second:02} +0000")
}

const WELCOME: &str = "\
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=\"=_welcome\"

--=_welcome
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Your mail server is running, and your mail client can read this: that is all=
 there is to set up.

This message says the same twice, as text and as HTML; your client shows the=
 one it likes better. The subject has letters of three scripts =E2=80=94 if=
 you can read them, nothing was lost on the way.

--=_welcome
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<p>Your mail server is <b>running</b>, and your mail client can read this: t=
hat is all there is to set up.</p>
<p>This message says the same twice, as text and as HTML; your client shows =
the one it likes better. The subject has letters of three scripts &mdash; if=
 you can read them, nothing was lost on the way.</p>

--=_welcome--
";

const WITH_A_FILE: &str = "\
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=\"=_file\"

--=_file
Content-Type: text/plain; charset=us-ascii

Two files come with this message: a note and a picture.

--=_file
Content-Type: text/plain; charset=utf-8; name=\"note.txt\"
Content-Disposition: attachment; filename=\"note.txt\"
Content-Transfer-Encoding: base64

QSBub3RlLCBhcyBhbiBhdHRhY2htZW50LgpTYXZlIGl0LCBhbmQgaXQgcmVhZHMg4oCcQSBub3Rl
4oCdLgo=

--=_file
Content-Type: image/png; name=\"dot.png\"
Content-Disposition: attachment; filename=\"dot.png\"
Content-Transfer-Encoding: base64

iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAYAAAAf8/9hAAAAOElEQVR42mNgoBXQqDjxHxmTrZEk
gwhpxmsIsZpxGkKRAaRqxjBkGBgw8LFAlYRElaRMlcxEKgAAkR1jnCIqWDYAAAAASUVORK5CYII=

--=_file--
";

const WHAT_NEXT: &str = "\
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

This one is unread. Some things to try:

Leave your mail client open on this folder and deliver a message; it appears
at once:

  printf 'Subject: hello\\n\\nThis is me.\\n' |
    {imapd} deliver --user demo

Make an account of your own, and remove this one when you no longer need it:

  {imapd} user add alice
  {imapd} user remove demo

Move this message to another folder, flag it, delete it; a second client sees
it happen.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_mail_has_it() {
        assert_eq!(date(DateTime::new(0, 0)), "Thu, 1 Jan 1970 00:00:00 +0000");
        assert_eq!(date(DateTime::new(1_709_251_199, 0)), "Thu, 29 Feb 2024 23:59:59 +0000");
        assert_eq!(date(DateTime::new(1_709_251_200, 0)), "Fri, 1 Mar 2024 00:00:00 +0000");
    }

    #[test]
    fn the_messages_are_proper_mail() {
        let all = messages(DateTime::new(1_709_251_199, 0), "imapd --data x");
        let unread: Vec<bool> = all.iter().map(|m| !m.flags.has(SystemFlag::Seen)).collect();
        assert_eq!(unread, [false, false, true]);
        for message in &all {
            assert!(message.octets.is_ascii());
            for line in message.octets.split(|b| *b == b'\n') {
                assert!(line.len() < 100 && (line.is_empty() || line.ends_with(b"\r")));
            }
        }
    }
}
