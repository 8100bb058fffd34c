//! What clients can do besides reading: what is advertised to them follows from it.

/// What clients can do besides reading. The server advertises no capability whose commands would always be refused.
/// (`SPECIAL-USE` is none of them: LIST shows the special uses of whatever mailboxes have one, and picks those out.)
///
/// A [`MailStore`](crate::MailStore) says it once for all, or for each account; a
/// [`Backend`](crate::Backend) says before login what any session may be able to do, and each
/// [`Session`](crate::Session) what it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Abilities {
    /// Flags can be changed: STORE. Without it PERMANENTFLAGS is empty.
    pub flags: bool,
    /// Messages can be added: APPEND and COPY. Advertised is `APPENDLIMIT` (RFC 7889); together with
    /// [`remove`](Self::remove) `MOVE` (RFC 6851).
    pub add: bool,
    /// Messages can be removed: EXPUNGE and UID EXPUNGE. Advertised is `UIDPLUS` (RFC 4315).
    pub remove: bool,
    /// Mailboxes can be created for a special use. Advertised is `CREATE-SPECIAL-USE` (RFC 6154 3).
    pub create_special_use: bool,
}

impl Abilities {
    /// Nothing besides reading.
    pub const READ_ONLY: Self = Self {
        flags: false,
        add: false,
        remove: false,
        create_special_use: false,
    };

    /// Everything.
    pub const ALL: Self = Self {
        flags: true,
        add: true,
        remove: true,
        create_special_use: true,
    };

    /// Whether messages can be changed in any way.
    pub fn can_write(self) -> bool {
        self.flags || self.add || self.remove
    }
}
