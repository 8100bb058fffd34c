//! imap-core reads lines as it does alone, beside imap-codec with every feature on.

#[cfg(test)]
mod tests {
    use imap_core::{Answer, Config, Connection, Event};

    /// What a line becomes in a logged-in connection, or what it is answered.
    fn read(line: &str) -> String {
        let mut conn = Connection::new(Config::default(), true, true);
        conn.set_authenticated();
        conn.input().extend_from_slice(line.as_bytes());
        match conn.next_event() {
            Event::Command { tag, command } => {
                conn.complete(&tag, &Answer::ok("done"));
                format!("{command:?}")
            }
            _ => {
                let output = String::from_utf8_lossy(conn.output()).into_owned();
                output.split(' ').take(2).collect::<Vec<_>>().join(" ")
            }
        }
    }

    #[test]
    fn nothing_is_read_otherwise() {
        // Each of these is read otherwise by imap-codec with one of its quirks or extensions.
        let table = [
            ("a NOOP\n", "a BAD"),
            ("a NOOP \r\n", "a BAD"),
            ("a STATUS INBOX (MESSAGES) \r\n", "a BAD"),
            ("a STATUS INBOX (SIZE)\r\n", "a BAD"),
            ("a ID (\"name\" \"x\") \r\n", "a BAD"),
            ("a ID (\"name\" \"x\")\r\n", "Id([(\"name\", Some(\"x\"))])"),
            ("a SELECT INBOX (CONDSTORE)\r\n", "a BAD"),
            ("a ENABLE CONDSTORE\r\n", "Enable([\"CONDSTORE\"])"),
            ("a GETMETADATA INBOX /private/comment\r\n", "a BAD"),
            ("a NAMESPACE\r\n", "Namespace"),
            ("a UNSUBSCRIBE x\r\n", "Unsubscribe(Ok(\"x\"))"),
        ];
        let wrong: Vec<_> = table
            .iter()
            .map(|(line, expected)| (*line, *expected, read(line)))
            .filter(|(_, e, got)| e != got)
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
