//! Every bound on what a client can make this crate keep or do, with its default and its reason.

/// What a client can make us keep or do, before and after login. See [`Limits::default`] for the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// While nobody has logged in: anybody on the network can use these up.
    pub before_login: SideLimits,
    /// After login.
    pub after_login: SideLimits,
    /// Octets of a message that APPEND takes; also the number behind `APPENDLIMIT=` (RFC 7889).
    pub message: u64,
    /// How deep the keys of a SEARCH may nest: whoever evaluates them recurses. Parentheses around one key do not count, and
    /// a chain of `OR`, however it is nested, is one level.
    pub search_depth: usize,
    /// Criteria in one SEARCH: each is looked at for each message.
    pub search_terms: usize,
    /// Ranges in one message set, or in all sets of one SEARCH together. Each takes 16 octets here.
    pub set_ranges: usize,
    /// Flags named by one STORE or APPEND.
    pub flags: usize,
    /// Items of one FETCH: each may be as large as the message.
    pub fetch_items: usize,
    /// Header field names in one FETCH section.
    pub header_fields: usize,
    /// Numbers in one section path (`1.2.3`).
    pub section_depth: usize,
    /// Pairs in ID (RFC 2971 3.3 says 30).
    pub id_pairs: usize,
    /// Octets of a field name in ID (RFC 2971 3.3 says 30).
    pub id_field: usize,
    /// Octets of a value in ID (RFC 2971 3.3 says 1,024).
    pub id_value: usize,
    /// Names in one ENABLE.
    pub enable_names: usize,
    /// Octets of a list pattern with its reference.
    pub list_pattern: usize,
    /// Octets of one continuation line of AUTHENTICATE, as base64. A PLAIN response holds two names and a password.
    pub sasl_line: usize,
    /// Octets read again and again in one command, because the text before each literal must be right before its client is
    /// told to go on.
    pub read_again: usize,
    /// After how many commands that wait behind one another what is held back is told all the same.
    pub hold_back_commands: u32,
}

/// The limits that depend on whether somebody has logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideLimits {
    /// Octets of one line, with its CRLF.
    pub line: usize,
    /// Octets of one literal that is an argument (anything but a message).
    pub argument_literal: u64,
    /// Octets of a command with all its argument literals.
    pub command: usize,
    /// Argument literals of one command: the text before each synchronizing one is parsed anew.
    pub literals: usize,
    /// Octets of a refused non-synchronizing literal that are read and thrown away; one that is longer ends the connection.
    pub discard: u64,
    /// Commands answered BAD one after the other, after which the connection is closed.
    pub bad_commands: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            before_login: SideLimits {
                // RFC 2683 3.2.1.5 asks for 8,000; nothing that is legal before login comes near.
                line: 8 * 1024,
                // User names and passwords.
                argument_literal: 4 * 1024,
                command: 16 * 1024,
                literals: 8,
                // Enough that a client which sends its mail too early gets an answer, and no more.
                discard: 64 << 20,
                // A client that speaks another protocol is recognised soon.
                bad_commands: 10,
            },
            after_login: SideLimits {
                // A set of 50,000 ranges of UIDs takes 1,050,000 octets.
                line: 2 << 20,
                // Search text and mailbox names.
                argument_literal: 128 * 1024,
                command: 2 << 20,
                // An `OR` of 500 search texts, each a literal, and the same again.
                literals: 1_024,
                // One message as large as we take, and a bit: the answer to it is a NO, not a lost connection.
                discard: 2 << 30,
                // In a row; a person with a terminal makes fewer.
                bad_commands: 50,
            },
            message: 1 << 30,
            search_depth: 200,
            search_terms: 10_000,
            set_ranges: 200_000,
            flags: 1_000,
            fetch_items: 500,
            header_fields: 1_000,
            section_depth: 100,
            id_pairs: 30,
            id_field: 30,
            id_value: 1_024,
            enable_names: 100,
            list_pattern: 4_000,
            sasl_line: 16 * 1024,
            // Thousands of ordinary literals; a tenth of a second.
            read_again: 64 << 20,
            hold_back_commands: 100,
        }
    }
}

impl Limits {
    pub(crate) fn side(&self, logged_in: bool) -> &SideLimits {
        if logged_in {
            &self.after_login
        } else {
            &self.before_login
        }
    }
}
