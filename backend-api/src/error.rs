//! Errors of a backend, by whose fault they are.

use std::fmt;

/// The result of every call into a backend.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// What went wrong, and what the client is told.
///
/// The kind decides the answer: `BAD` (the client's fault), `NO [CODE]` (the situation's) or `BYE` (ours, or policy).
/// The text is shown to the client, except for [`ErrorKind::Internal`]; the source goes to the log alone.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    text: String,
    source: Option<Source>,
}

/// The kinds of error, and the response code of RFC 5530 (or RFC 3501) that each is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client broke the protocol: `BAD`.
    Bad,
    /// Not there: `NO [NONEXISTENT]`. As the target of APPEND, COPY or MOVE the core makes it `NO [TRYCREATE]`.
    NotFound,
    /// There already: `NO [ALREADYEXISTS]`.
    AlreadyExists,
    /// This can never be done: `NO [CANNOT]`.
    Cannot,
    /// This server, or this mailbox, does not do it: `NO [CANNOT]`.
    Unsupported,
    /// The mailbox is open, or exists, for reading only: `NO [NOPERM]`.
    ReadOnly,
    /// Not allowed to this user: `NO [NOPERM]`.
    NoPermission,
    /// Over quota, or the disk is full: `NO [OVERQUOTA]`.
    OverQuota,
    /// The message is larger than allowed: `NO [TOOBIG]` (RFC 7889).
    TooBig,
    /// Some other limit: `NO [LIMIT]`.
    Limit,
    /// User or password is wrong: `NO [AUTHENTICATIONFAILED]`.
    AuthenticationFailed,
    /// The password is right, but not for the identity asked for: `NO [AUTHORIZATIONFAILED]`.
    AuthorizationFailed,
    /// The password was right once: `NO [EXPIRED]`.
    Expired,
    /// Somebody else holds a lock: `NO [INUSE]`; trying again may help.
    InUse,
    /// A part of the server is not there just now: `NO [UNAVAILABLE]`.
    Unavailable,
    /// Messages of the set were expunged by another session: `NO [EXPUNGEISSUED]`.
    ExpungeIssued,
    /// The mailbox has children, so it cannot be deleted: `NO [HASCHILDREN]` (RFC 9051).
    HasChildren,
    /// A name or an attribute that is not possible here, as in `NO [USEATTR]` (RFC 6154).
    UseAttr,
    /// The charset of a SEARCH is unknown: `NO [BADCHARSET (…)]`.
    BadCharset,
    /// Stored data is damaged: `NO [CORRUPTION]`.
    Corruption,
    /// The selected mailbox is no more, or its UIDVALIDITY changed: the command ends, then `* BYE`.
    MailboxGone,
    /// Policy: the connection is to be closed with `* BYE` and this text.
    Bye,
    /// The client went away while it was being answered. Nobody is told.
    Disconnected,
    /// A fault of ours: `NO [SERVERBUG] <id>`; text and source go to the log under that id, never to the wire.
    Internal,
}

impl Error {
    /// An error of this kind with a text for the client.
    pub fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            text: text.into(),
            source: None,
        }))
    }

    /// A fault of ours. The text and the source are logged, never sent.
    pub fn internal(source: impl Into<Source>) -> Self {
        let source = source.into();
        Self(Box::new(Inner {
            kind: ErrorKind::Internal,
            text: "internal error".into(),
            source: Some(source),
        }))
    }

    /// The same error with a cause for the log.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// [`ErrorKind::NotFound`]
    pub fn not_found(text: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, text)
    }

    /// [`ErrorKind::Unsupported`]
    pub fn unsupported(text: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, text)
    }

    /// [`ErrorKind::AuthenticationFailed`], in words that do not tell whether the user exists.
    pub fn authentication_failed() -> Self {
        Self::new(ErrorKind::AuthenticationFailed, "user name or password is wrong")
    }

    /// [`ErrorKind::Disconnected`]
    pub fn disconnected() -> Self {
        Self::new(ErrorKind::Disconnected, "the client went away")
    }

    /// The kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The text for the client.
    pub fn text(&self) -> &str {
        &self.0.text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("text", &self.0.text)
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|s| s as _)
    }
}

/// An I/O error while talking to the client is a disconnect; a full disk is over quota; the rest is ours.
impl From<std::io::Error> for Error {
    fn from(e: std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        match e.kind() {
            Io::StorageFull | Io::QuotaExceeded => Self::new(ErrorKind::OverQuota, "no space left").with_source(e),
            Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe | Io::UnexpectedEof => {
                Self::disconnected().with_source(e)
            }
            _ => Self::internal(e),
        }
    }
}
