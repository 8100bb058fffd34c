//! Where a response ends: lines, and the literals that they announce (R3501-002).

/// What stands at the front of the octets that were received.
pub(crate) enum Framing {
    /// A whole response of so many octets.
    Whole(usize),
    /// The beginning of one.
    More,
    /// What no response can be.
    Broken(&'static str),
}

/// How long the response at the front is, its literals and its CR LF included.
pub(crate) fn response_len(octets: &[u8]) -> Framing {
    let mut from = 0;
    loop {
        let Some(end) = octets[from..].iter().position(|b| *b == b'\n').map(|i| from + i) else {
            return match octets[from..].iter().position(|b| *b == b'\r') {
                Some(i) if from + i + 1 < octets.len() => Framing::Broken("a bare CR"),
                _ => Framing::More,
            };
        };
        let line = &octets[from..end];
        let Some(line) = line.strip_suffix(b"\r") else {
            return Framing::Broken("a bare LF");
        };
        if line.contains(&b'\r') {
            return Framing::Broken("a bare CR");
        }
        match literal_at_end(line) {
            None => return Framing::Whole(end + 1),
            Some(size) if octets.len() - (end + 1) < size => return Framing::More,
            Some(size) => from = end + 1 + size,
        }
    }
}

/// The size of the literal that a line announces at its end.
pub(crate) fn literal_at_end(line: &[u8]) -> Option<usize> {
    let digits = line.strip_suffix(b"}")?.rsplit(|b| *b == b'{').next()?;
    let announced = line.len() >= digits.len() + 2 && line[line.len() - digits.len() - 2] == b'{';
    let number = std::str::from_utf8(digits).ok()?;
    let number = number.bytes().all(|b| b.is_ascii_digit()).then_some(number)?;
    announced.then(|| number.parse().ok()).flatten()
}

/// Octets as they can be shown.
pub(crate) fn shown(octets: &[u8]) -> String {
    let octets = octets.strip_suffix(b"\r\n").unwrap_or(octets);
    String::from_utf8_lossy(octets)
        .replace('\r', "\\r")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_holds_its_literals() {
        let len = |text: &[u8]| match response_len(text) {
            Framing::Whole(len) => Some(len),
            _ => None,
        };
        assert_eq!(len(b"* OK\r\n* 1"), Some(6));
        assert_eq!(len(b"* 1 FETCH (BODY[] {4}\r\na\r\nb)\r\n"), Some(30));
        assert_eq!(len(b"* 1 FETCH (BODY[] {4}\r\na\r\nb"), None);
        assert!(matches!(response_len(b"* OK\n"), Framing::Broken(_)));
        assert!(matches!(response_len(b"* O\rK\r\n"), Framing::Broken(_)));
    }
}
