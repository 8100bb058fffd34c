//! How a command ends when it cannot do what it was asked: one sentence for the person, one exit code for the script.

use std::fmt;

use backend_sqlite::UserError;

/// Why a command ends without having done its work.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    text: String,
}

/// What was asked for could not be done.
pub(crate) const FAILED: u8 = 1;
/// It was asked for in the wrong way.
pub(crate) const USAGE: u8 = 2;

impl Failure {
    /// It could not be done, for this reason.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self::with_code(FAILED, text)
    }

    /// The command line makes no sense, for this reason.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::with_code(USAGE, text)
    }

    /// Any reason with any code.
    pub(crate) fn with_code(code: u8, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { code, text }
    }

    /// The same with another code.
    pub(crate) fn code(self, code: u8) -> Self {
        Self { code, ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<UserError> for Failure {
    fn from(e: UserError) -> Self {
        let hint = match &e {
            UserError::Exists(name) => format!("; `imapd user passwd {name}` changes the password"),
            UserError::Unknown(_) => "; `imapd user list` shows those that there are".to_owned(),
            _ => String::new(),
        };
        Self::new(format!("{}{hint}", with_causes(&e)))
    }
}

/// An error with what caused it, where its own words do not say it already.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = error.source();
    }
    text
}
