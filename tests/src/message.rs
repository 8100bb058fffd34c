//! Messages of many MIME shapes, each by its number: the same number is always the same octets.

/// A message without surprises, for tests whose matter is something else.
pub fn plain(subject: &str) -> String {
    format!(
        "Date: Mon, 7 Feb 1994 21:52:25 -0800 (PST)\r\n\
         From: Fred Foobar <foobar@Blurdybloop.example>\r\n\
         Subject: {subject}\r\n\
         To: mooch@owatagu.example\r\n\
         Message-Id: <B27397-0100000@Blurdybloop.example>\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\
         \r\n\
         Hello Joe, do you think we can meet at 3:30 tomorrow?\r\n"
    )
}

/// Message number `n`. The shapes take turns; sizes and contents differ from one to the next. Line ends are CR LF, there is
/// no NUL; everything else occurs.
pub fn shape(n: u32) -> Vec<u8> {
    let make = SHAPES[n as usize % SHAPES.len()];
    let mut random = Random::new(u64::from(n) + 1);
    let mut message = format!(
        "Date: Tue, {} Mar 2021 {:02}:{:02}:00 +0100\r\n\
         Message-ID: <{n}.shape@example.org>\r\n\
         From: Sender {n} <sender{n}@example.org>\r\n\
         To: demo@example.org\r\n",
        n % 28 + 1,
        n % 24,
        n % 60
    )
    .into_bytes();
    make(n, &mut random, &mut message);
    message
}

type Shape = fn(u32, &mut Random, &mut Vec<u8>);

const SHAPES: [Shape; 16] = [
    text,
    text_without_final_newline,
    latin1,
    utf8_header,
    encoded_words,
    folded_headers,
    binary,
    long_lines,
    alternative,
    nested,
    forwarded,
    digest,
    no_body,
    empty_lines,
    broken_boundary,
    big,
];

fn text(n: u32, random: &mut Random, out: &mut Vec<u8>) {
    push(out, &format!("Subject: plain text {n}\r\n\r\n"));
    for i in 0..random.below(20) {
        push(out, &format!("line {i} of {n}\r\n"));
    }
    // What a mailbox in another format would have to quote.
    push(out, "From here on\r\n.\r\n..\r\n+OK\r\n* BYE\r\na1 LOGOUT\r\n");
}

fn text_without_final_newline(n: u32, _: &mut Random, out: &mut Vec<u8>) {
    push(out, &format!("Subject: no newline {n}\r\n\r\nthe end"));
}

fn latin1(n: u32, _: &mut Random, out: &mut Vec<u8>) {
    push(out, &format!("Subject: latin {n}\r\nMIME-Version: 1.0\r\n"));
    push(
        out,
        "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
    );
    out.extend_from_slice(b"na\xefve caf\xe9 \xa4\xff\r\n");
}

fn utf8_header(n: u32, _: &mut Random, out: &mut Vec<u8>) {
    push(
        out,
        &format!("Subject: Grüße Nr. {n} — 你好\r\nX-Täg: ü\r\n\r\nüöä\r\n"),
    );
}

fn encoded_words(n: u32, _: &mut Random, out: &mut Vec<u8>) {
    push(
        out,
        &format!("Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?= =?utf-8?B?IE5yLiA=?= {n}\r\n"),
    );
    push(
        out,
        "Cc: =?ISO-8859-1?Q?J=FCrgen?= <j@example.org>, A group:a@b.example,c@d.example;, undisclosed:;\r\n\r\nx\r\n",
    );
}

fn folded_headers(n: u32, _: &mut Random, out: &mut Vec<u8>) {
    push(out, &format!("Subject: folded\r\n  over\r\n\tthree lines {n}\r\n"));
    push(
        out,
        "X-Empty:\r\nX-Empty: \r\nReceived: one\r\nReceived: two\r\n\tand a half\r\nno colon here\r\n\r\nbody\r\n",
    );
}

fn binary(n: u32, random: &mut Random, out: &mut Vec<u8>) {
    push(
        out,
        &format!("Subject: binary {n}\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n\r\n"),
    );
    for _ in 0..random.below(4_000) {
        let octet = u8::try_from(random.below(255) + 1).unwrap_or(1);
        // A CR or LF alone does not survive every client; mail has CR LF.
        out.push(if matches!(octet, b'\r' | b'\n') { b'x' } else { octet });
    }
    push(out, "\r\n");
}

fn long_lines(n: u32, random: &mut Random, out: &mut Vec<u8>) {
    push(
        out,
        &format!("Subject: long {n}\r\nX-Long: {}\r\n\r\n", "x ".repeat(4_000)),
    );
    push(out, &"long ".repeat(random.below(20_000) as usize));
    push(out, "\r\n");
}

fn alternative(n: u32, _: &mut Random, out: &mut Vec<u8>) {
    push(out, &format!("Subject: alternative {n}\r\nMIME-Version: 1.0\r\n"));
    push(
        out,
        "Content-Type: multipart/alternative;\r\n boundary=\"b b\"\r\n\r\npreamble\r\n--b b\r\n",
    );
    push(
        out,
        "Content-Type: text/plain\r\n\r\nplain\r\n--b b  \r\nContent-Type: text/html; charset=utf-8\r\n",
    );
    push(
        out,
        "Content-Disposition: inline\r\nContent-Language: de, en\r\n\r\n<p>html</p>\r\n--b b--\r\nepilogue\r\n",
    );
}

fn nested(n: u32, random: &mut Random, out: &mut Vec<u8>) {
    push(out, &format!("Subject: nested {n}\r\nMIME-Version: 1.0\r\n"));
    let depth = random.below(30) + 2;
    for level in 0..depth {
        push(
            out,
            &format!("Content-Type: multipart/mixed; boundary=L{level}x\r\n\r\n--L{level}x\r\n"),
        );
    }
    push(out, "\r\nthe core\r\n");
    for level in (0..depth).rev() {
        push(out, &format!("--L{level}x\r\n\r\nside {level}\r\n--L{level}x--\r\n"));
    }
}

fn forwarded(n: u32, random: &mut Random, out: &mut Vec<u8>) {
    push(out, &format!("Subject: forwarded {n}\r\nMIME-Version: 1.0\r\n"));
    push(
        out,
        "Content-Type: multipart/mixed; boundary=fwd\r\n\r\n--fwd\r\nContent-Type: message/rfc822\r\n\r\n",
    );
    let inner = [0, 2, 8, 9][random.below(4) as usize];
    out.extend_from_slice(&shape(inner));
    push(
        out,
        "\r\n--fwd\r\nContent-Type: application/pdf; name*0=a; name*1*=%20b\r\n",
    );
    push(
        out,
        "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"a b.pdf\"; size=3\r\n",
    );
    push(
        out,
        "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\nContent-ID: <pdf@x>\r\n\r\nAAEC\r\n--fwd--\r\n",
    );
}

fn digest(n: u32, random: &mut Random, out: &mut Vec<u8>) {
    push(
        out,
        &format!("Subject: digest {n}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/digest; boundary=d\r\n\r\n"),
    );
    for i in 0..random.below(5) + 1 {
        push(
            out,
            &format!("--d\r\n\r\nFrom: a@b.example\r\nSubject: {i}\r\n\r\ntext {i}\r\n"),
        );
    }
    push(out, "--d--\r\n");
}

fn no_body(n: u32, _: &mut Random, out: &mut Vec<u8>) {
    push(out, &format!("Subject: header alone {n}\r\n\r\n"));
}

fn empty_lines(n: u32, random: &mut Random, out: &mut Vec<u8>) {
    push(out, &format!("Subject: empty lines {n}\r\n\r\n"));
    push(out, &"\r\n".repeat(random.below(50) as usize + 1));
}

fn broken_boundary(n: u32, _: &mut Random, out: &mut Vec<u8>) {
    push(out, &format!("Subject: broken {n}\r\nMIME-Version: 1.0\r\n"));
    push(
        out,
        "Content-Type: multipart/mixed; boundary=never\r\n\r\n--nev\r\n\r\nno part\r\n--never\r\nno end\r\n",
    );
}

fn big(n: u32, random: &mut Random, out: &mut Vec<u8>) {
    push(
        out,
        &format!("Subject: big {n}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n"),
    );
    push(
        out,
        "--B\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n",
    );
    let lines = if n % 128 == 15 {
        14_000
    } else {
        random.below(3_000) + 1_000
    };
    for _ in 0..lines {
        push(
            out,
            "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/AbCdEfGhIjKlMnOpQrStUvWxYz0123456789\r\n",
        );
    }
    push(out, "--B--\r\n");
}

fn push(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Numbers that look random and are the same for the same seed, on every machine (SplitMix64).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Numbers of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is not 0.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next_u64() % n
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_always_the_same_message_and_its_own() {
        let all: Vec<_> = (0..500).map(shape).collect();
        assert_eq!(all, (0..500).map(shape).collect::<Vec<_>>());
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), 500);
        for message in &all {
            assert!(!message.contains(&0));
            let cr = message.iter().filter(|b| **b == b'\r').count();
            let lf = message.iter().filter(|b| **b == b'\n').count();
            let crlf = message.windows(2).filter(|w| w == b"\r\n").count();
            assert_eq!((cr, lf), (crlf, crlf));
        }
        assert!(all.iter().any(|m| m.len() > 1 << 20));
    }
}
