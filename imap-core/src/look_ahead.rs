//! Hold-back: whether commands that use message numbers wait in the read buffer (RFC 3501 5.5).

use crate::command_table::Numbers;
use crate::frame::literal_header;
use crate::grammar::row_of;

/// What was found in the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ahead {
    /// The command that starts here uses message numbers or `*`, or may turn out to.
    Numbers(usize),
    /// None up to the line that starts here.
    NoneUpTo(usize),
}

/// Looks at the lines of `input` from `at` on, where a line starts.
pub(crate) fn look(input: &[u8], mut at: usize) -> Ahead {
    // Where the command of the present line starts: a command with literals is looked at anew until it is all here.
    let mut command = at;
    loop {
        let rest = input.get(at..).unwrap_or_default();
        if rest.is_empty() {
            return Ahead::NoneUpTo(command);
        }
        let Some(end) = memchr::memchr(b'\n', rest) else {
            // Of a later line of a command the first has told what there is to know.
            return if command == at {
                Ahead::Numbers(command)
            } else {
                Ahead::NoneUpTo(command)
            };
        };
        let line = rest.get(..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if command == at && uses_numbers(line) {
            return Ahead::Numbers(command);
        }
        at += end + 1;
        match literal_header(line) {
            Some(header) => {
                if header.synchronizing && at < input.len() {
                    // Whether these are the literal's octets depends on whether it will be refused.
                    return Ahead::Numbers(command);
                }
                let size = header.size.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
                at = at.saturating_add(size);
            }
            None => command = at,
        }
    }
}

fn uses_numbers(line: &[u8]) -> bool {
    match row_of(line).map(|row| row.numbers) {
        None | Some(Numbers::Never) => false,
        Some(Numbers::Star) => memchr::memchr(b'*', line).is_some(),
        Some(Numbers::Yes) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_told_apart() {
        use Ahead::{NoneUpTo, Numbers};
        let table: [(&str, Ahead); 18] = [
            ("", NoneUpTo(0)),
            ("a", Numbers(0)),
            ("a NOOP", Numbers(0)),
            ("a NOOP\r\nb NO", Numbers(8)),
            ("a NOOP\r\n", NoneUpTo(8)),
            ("a NOOP\r\nb STORE 1:* FLAGS ()\r\n", Numbers(8)),
            ("a NOOP\r\nb UID STORE 5 FLAGS ()\r\n", NoneUpTo(32)),
            ("b UID STORE 5:* FLAGS ()\r\n", Numbers(0)),
            ("b uid search 5\r\n", Numbers(0)),
            ("b FETCH 1 FLAGS\r\n", Numbers(0)),
            ("b XYZ 1\r\n", NoneUpTo(9)),
            ("b CREATE {3+}\r\na\nb\r\nc", Numbers(20)),
            ("b CREATE {3+}\r\na\nb\r\nc NOOP\r\n", NoneUpTo(28)),
            ("b CREATE {30+}\r\nc FETCH 1 FLAGS\r\n", NoneUpTo(0)),
            ("b CREATE {3+}\r\nabc", NoneUpTo(0)),
            ("b CREATE {3}\r\n", NoneUpTo(0)),
            ("b CREATE {3}\r\nabc", Numbers(0)),
            ("b CREATE {99999999999999999999999+}\r\nabc", NoneUpTo(0)),
        ];
        for (input, found) in table {
            assert_eq!(look(input.as_bytes(), 0), found, "{input:?}");
        }
    }
}
