//! Modified UTF-7, the encoding of mailbox names on the wire (RFC 3501 5.1.3), decoded in its canonical form alone.

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// Decodes a name. Every text has exactly one encoding, and only that one is taken: two spellings of one name would be
/// two names to a client (R3501-070, R3501-071).
///
/// # Errors
/// Why it is none, in words for the client.
pub(crate) fn decode(wire: &[u8]) -> Result<String, &'static str> {
    let mut text = String::with_capacity(wire.len());
    let mut rest = wire;
    let mut after_shift = false;
    while let Some((&octet, tail)) = rest.split_first() {
        rest = tail;
        match octet {
            b'&' => {
                let Some(end) = memchr::memchr(b'-', rest) else {
                    return Err("a name in modified UTF-7 ends shifted back to US-ASCII");
                };
                let (shifted, tail) = rest.split_at_checked(end).unwrap_or((rest, &[]));
                rest = tail.get(1..).unwrap_or_default();
                if shifted.is_empty() {
                    text.push('&');
                    after_shift = false;
                    continue;
                }
                if after_shift {
                    return Err("a name in modified UTF-7 has no superfluous shifts");
                }
                decode_shifted(shifted, &mut text)?;
                after_shift = true;
            }
            0x20..=0x7e => {
                text.push(char::from(octet));
                after_shift = false;
            }
            0x80.. => return Err("a mailbox name is in modified UTF-7, without 8-bit octets"),
            _ => return Err("a mailbox name cannot hold control characters"),
        }
    }
    Ok(text)
}

fn decode_shifted(shifted: &[u8], text: &mut String) -> Result<(), &'static str> {
    const WRONG: &str = "this is not modified UTF-7";
    // The engine refuses what is not canonical: padding, and bits left over that are not 0.
    let octets = BASE64.decode(shifted).map_err(|_| WRONG)?;
    if octets.is_empty() || octets.len() % 2 != 0 {
        return Err(WRONG);
    }
    let units = octets.chunks_exact(2).map(|pair| match pair {
        [high, low] => u16::from_be_bytes([*high, *low]),
        _ => 0,
    });
    for unit in char::decode_utf16(units) {
        let c = unit.map_err(|_| WRONG)?;
        if matches!(c, ' '..='~') {
            return Err("a name in modified UTF-7 does not encode printable US-ASCII");
        }
        text.push(c);
    }
    Ok(())
}

/// Encodes a name. What comes out is printable US-ASCII, unless the name has ASCII control characters, which become
/// base64 as well.
pub(crate) fn encode(text: &str, out: &mut Vec<u8>) {
    let mut shifted = Vec::new();
    for c in text.chars() {
        if matches!(c, ' '..='~') {
            flush(&mut shifted, out);
            out.push(c as u8);
            if c == '&' {
                out.push(b'-');
            }
        } else {
            let mut units = [0; 2];
            let units = c.encode_utf16(&mut units);
            shifted.extend(units.iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut shifted, out);
}

fn flush(shifted: &mut Vec<u8>, out: &mut Vec<u8>) {
    if shifted.is_empty() {
        return;
    }
    out.push(b'&');
    out.extend_from_slice(BASE64.encode(&shifted).as_bytes());
    out.push(b'-');
    shifted.clear();
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(text: &str) -> String {
        let mut out = Vec::new();
        encode(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// R3501-068, R3501-069, R3501-072, R3501-073
    #[test]
    fn known_names_go_both_ways() {
        let table = [
            ("INBOX", "INBOX"),
            ("", ""),
            ("Entwürfe", "Entw&APw-rfe"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Fun & more", "Fun &- more"),
            ("é&é", "&AOk-&-&AOk-"),
            ("📁", "&2D3cwQ-"),
        ];
        for (text, wire) in table {
            assert_eq!(encoded(text), wire);
            assert_eq!(decode(wire.as_bytes()).as_deref(), Ok(text));
        }
    }

    /// R3501-071
    #[test]
    fn what_is_not_canonical_is_refused() {
        let table: [&[u8]; 14] = [
            b"&",
            b"a&AOk",
            b"&AGE-",
            b"&AOk-&AOk-",
            b"&AOl-",
            b"&AO-",
            b"&AOk=-",
            b"&2D0-",
            b"&3EE-",
            b"&A/8k-",
            b"caf\xc3\xa9",
            b"a\r\nb",
            b"a\0",
            b"&*-",
        ];
        for wire in table {
            assert!(decode(wire).is_err(), "{}", wire.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "[ -~]{0,5}\\PC{0,8}[&é台📁]{0,5}") {
            prop_assert_eq!(decode(encoded(&text).as_bytes()), Ok(text));
        }

        #[test]
        fn what_decodes_encodes_to_the_same_octets(wire in "[&A-Za-c0-3+,-]{0,14}") {
            if let Ok(text) = decode(wire.as_bytes()) {
                prop_assert_eq!(encoded(&text), wire);
            }
        }
    }
}
