//! Ordinary mail: plain texts, alternatives in HTML, attachments and forwarded messages, with the headers that lists and
//! relays add.

use std::fmt::Write as _;

use super::{Dice, NAMES, WEEKDAYS, base64_lines, civil, day, pick, prose, words};

/// A word in the subject of one message out of a hundred.
const RARE_SUBJECT: &str = "raresubjecttoken";
/// A word in the text of one message out of a hundred.
const NEEDLE: &str = "xyzzyneedle";

/// What one message out of many has, as a criterion of SEARCH, and whether a message has it.
pub(in crate::suite::bench) type Trait = (&'static str, fn(usize) -> bool);

/// A word of the subject.
pub(in crate::suite::bench) const BY_SUBJECT: Trait = ("SUBJECT raresubjecttoken", has_rare_subject);
/// A field that servers do not keep at hand.
pub(in crate::suite::bench) const BY_FIELD: Trait = ("HEADER X-Spam-Status score=-3.3", has_score);
/// A word of the text.
pub(in crate::suite::bench) const BY_BODY: Trait = ("BODY xyzzyneedle", has_needle);
/// The same, looked for in the header, too.
pub(in crate::suite::bench) const BY_TEXT: Trait = ("TEXT xyzzyneedle", has_needle);

fn has_rare_subject(message: usize) -> bool {
    message % 4 == 3 && message % 100 == 7
}

fn has_score(message: usize) -> bool {
    message % 9 == 3 && message % 10 == 3
}

fn has_needle(message: usize) -> bool {
    message % 100 == 42
}

/// All fields but those that say what the content is.
pub(super) fn header(message: usize, dice: &mut Dice, out: &mut String) {
    let (year, month, date) = civil(day(message));
    let (weekday, minute, second) = (pick(&WEEKDAYS, day(message)), message % 60, message / 60 % 60);
    let date = format!("{weekday}, {date} {month} {year} 12:{minute:02}:{second:02} +0000");
    let _ = write!(out, "Return-Path: <bounce+{message}@lists.example.org>\r\n");
    for relay in 0..3 {
        let (address, id) = (dice.below(250) + 1, dice.roll() & 0xffff_ffff_ffff);
        let _ = write!(
            out,
            "Received: from mx{relay}.example.net (mx{relay}.example.net [192.0.2.{address}])\r\n\
             \tby mail{relay}.example.org (Postfix) with ESMTPS id {id:012X}\r\n\tfor <user@example.org>; {date}\r\n"
        );
    }
    let mut token = |octets| {
        let mut text = String::new();
        base64_lines(&dice.octets(octets), &mut text);
        text.trim_end().to_owned()
    };
    let (body_hash, signature) = (token(32), token(54));
    let _ = write!(
        out,
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net; s=sel1;\r\n\
         \th=from:to:subject:date:message-id; bh={body_hash};\r\n\tb={signature}\r\n\
         Message-ID: <{message}.{:016x}@example.net>\r\nDate: {date}\r\n",
        dice.roll()
    );
    people(message, dice, out);
    subject(message, out);
    let (score, tenths) = (message % 9, message % 10);
    let _ = write!(
        out,
        "X-Mailer: imap-compliance\r\nX-Spam-Status: No, score=-{score}.{tenths}\r\nMIME-Version: 1.0\r\n"
    );
}

fn people(message: usize, dice: &mut Dice, out: &mut String) {
    if message.is_multiple_of(7) {
        let _ = write!(
            out,
            "From: =?UTF-8?Q?J=C3=BCrgen_M=C3=BCller_{message}?= <jm{message}@example.net>\r\n"
        );
    } else {
        let from = pick(&NAMES, message);
        let first = from.split(' ').next().unwrap_or_default().to_lowercase();
        let _ = write!(out, "From: \"{from}\" <{first}@example.net>\r\n");
    }
    let to = (0..1 + message % 4).map(|index| {
        let (name, number) = (pick(&NAMES, message + index * 3), dice.below(1000));
        format!("{name} <p{number}@example.org>")
    });
    let to: Vec<String> = to.collect();
    let _ = write!(out, "To: {}\r\n", to.join(",\r\n "));
    if message.is_multiple_of(3) {
        let _ = write!(out, "Cc: team: a{message}@example.org, \"B, C\" <bc@example.org>;\r\n");
    }
    if message > 0 && message.is_multiple_of(2) {
        let (before, half) = (message - 1, message / 2);
        let _ = write!(
            out,
            "In-Reply-To: <{before}.x@example.net>\r\nReferences: <{half}.y@example.net>\r\n <{before}.x@example.net>\r\n"
        );
    }
}

fn subject(message: usize, out: &mut String) {
    let words = words();
    let word = pick(&words, message);
    let _ = match message % 4 {
        0 => {
            let mut text = String::new();
            base64_lines(format!("Bericht für Größe {message}").as_bytes(), &mut text);
            write!(out, "Subject: =?UTF-8?B?{}?=\r\n", text.trim_end())
        }
        1 => {
            let (list, other) = (message % 13, pick(&words, message / 7));
            write!(out, "Subject: Re: [list-{list}] {word} {other} {message}\r\n")
        }
        2 => write!(
            out,
            "Subject: Invoice {message} for the {word}\r\n  quarter, second line\r\n"
        ),
        _ => {
            let front = if has_rare_subject(message) {
                RARE_SUBJECT
            } else {
                "Hello"
            };
            write!(out, "Subject: {front} {message}\r\n")
        }
    };
}

/// A message whose attachment, if it has one, is of at most `attachment` octets: at least 12,000.
pub(in crate::suite::bench) fn realistic(message: usize, attachment: usize) -> Vec<u8> {
    let mut dice = Dice::new(message as u64 + 1);
    let mut out = String::with_capacity(8192);
    header(message, &mut dice, &mut out);
    let boundary = format!("=_b{:x}", dice.roll());
    match message % 10 {
        0..=4 => plain(message, &mut dice, &mut out),
        5..=7 => alternative(message, &boundary, &mut dice, &mut out),
        _ => mixed(message, &boundary, attachment, &mut dice, &mut out),
    }
    out.into_bytes()
}

fn needle(message: usize, out: &mut String) {
    if has_needle(message) {
        let _ = write!(out, "The needle is {NEEDLE} here.\r\n");
    }
}

fn some_prose(least: usize, more: usize, dice: &mut Dice, out: &mut String) {
    let octets = least + dice.below(more);
    prose(dice, octets, out);
}

fn plain(message: usize, dice: &mut Dice, out: &mut String) {
    out.push_str("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n");
    some_prose(500, 5500, dice, out);
    out.push_str("Gr=C3=BC=C3=9Fe, soft=\r\n break\r\n");
    needle(message, out);
}

fn alternative(message: usize, boundary: &str, dice: &mut Dice, out: &mut String) {
    let _ = write!(
        out,
        "Content-Type: multipart/alternative; boundary=\"{boundary}\"\r\n\r\nThis is MIME.\r\n--{boundary}\r\n\
         Content-Type: text/plain; charset=us-ascii\r\n\r\n"
    );
    some_prose(1000, 6000, dice, out);
    needle(message, out);
    let _ = write!(
        out,
        "--{boundary}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n<html><body><p>"
    );
    some_prose(2000, 18_000, dice, out);
    let _ = write!(out, "</p></body></html>\r\n--{boundary}--\r\n");
}

fn mixed(message: usize, boundary: &str, attachment: usize, dice: &mut Dice, out: &mut String) {
    let _ = write!(
        out,
        "Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: inline\r\n\r\n"
    );
    some_prose(300, 2000, dice, out);
    needle(message, out);
    if message % 10 == 9 {
        let _ = write!(
            out,
            "--{boundary}\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n"
        );
        header(message / 2 + 1, dice, out);
        out.push_str("Content-Type: text/plain\r\n\r\n");
        some_prose(500, 2000, dice, out);
    }
    let _ = write!(
        out,
        "--{boundary}\r\nContent-Type: application/octet-stream; name*=utf-8''%C3%BCber-{message}.bin\r\n\
         Content-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"data-{message}.bin\"; size=1\r\nContent-ID: <{message}@x>\r\n\r\n"
    );
    let octets = 8000 + dice.below(attachment.saturating_sub(12_000)) * 3 / 4;
    base64_lines(&dice.octets(octets), out);
    let _ = write!(out, "--{boundary}--\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(message: usize) -> String {
        String::from_utf8(realistic(message, 13_000)).unwrap()
    }

    #[test]
    fn what_searches_look_for_is_in_the_messages_that_are_said_to_have_it() {
        let found = |word: &str| -> Vec<usize> { (0..300).filter(|message| text(*message).contains(word)).collect() };
        let said = |(_, has): Trait| -> Vec<usize> { (0..300).filter(|message| has(*message)).collect() };
        assert_eq!(found(RARE_SUBJECT), said(BY_SUBJECT));
        assert_eq!(found(NEEDLE), said(BY_BODY));
        // The message that is forwarded within another is not looked at by HEADER.
        let own = |message: &usize| text(*message).split("\r\n\r\n").next().unwrap().contains("score=-3.3");
        assert_eq!((0..300).filter(own).collect::<Vec<_>>(), said(BY_FIELD));
    }

    #[test]
    fn a_message_is_always_the_same() {
        assert_eq!(text(19), text(19));
        assert_ne!(text(19), text(29));
    }
}
