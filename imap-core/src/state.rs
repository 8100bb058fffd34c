//! The states of a connection (RFC 3501 3) and what ENABLE has switched on.
//!
//! ```text
//!                    +----------------------+
//!                    |connection established|
//!                    +----------------------+
//!            greeting |      | PREAUTH    | BYE
//!                     v      |            |
//!       +-----------------+  |            |
//!       |NotAuthenticated |  |            |
//!       +-----------------+  |            |
//!      LOGIN, AUTHENTICATE   v            |
//!              |   +---------------+      |
//!              +-->| Authenticated |<--+  |
//!                  +---------------+   | CLOSE, UNSELECT, failed SELECT or EXAMINE
//!                 SELECT, EXAMINE |    |  |
//!                                 v    |  |
//!                        +-----------------+
//!                        |    Selected     |
//!                        +-----------------+
//!            LOGOUT or BYE from any  |    |
//!                                    v    v
//!                               +----------+
//!                               |  Logout  |
//!                               +----------+
//! ```

/// The state of a connection (RFC 3501 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Nobody has logged in.
    NotAuthenticated,
    /// Somebody has logged in; no mailbox is selected.
    Authenticated,
    /// A mailbox is selected.
    Selected {
        /// By EXAMINE, or because the mailbox cannot be written.
        read_only: bool,
    },
    /// BYE was sent: the connection is being closed.
    Logout,
}

impl State {
    /// Whether somebody has logged in.
    pub fn is_authenticated(self) -> bool {
        matches!(self, Self::Authenticated | Self::Selected { .. })
    }

    /// Whether a mailbox is selected.
    pub fn is_selected(self) -> bool {
        matches!(self, Self::Selected { .. })
    }
}

/// The extensions that ENABLE (RFC 5161) has switched on. None can be yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Enabled {}

impl Enabled {
    /// Switches on what is known of these names and was not on, and says which those are (RFC 5161 3.1).
    pub(crate) fn enable(&mut self, names: &[String]) -> Vec<&'static str> {
        let _ = names;
        Vec::new()
    }
}
