//! Tagged answers and response codes, and which of them each error of a backend becomes.

use std::borrow::Cow;

use backend_api::{Error, ErrorKind, Flags, Keyword, Seq, Uid, UidValidity};

/// The verdict of a tagged answer (RFC 3501 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Done.
    Ok,
    /// The situation does not allow it.
    No,
    /// The client broke the protocol.
    Bad,
}

/// A tagged answer: verdict, response code and text for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<'a> {
    /// OK, NO or BAD.
    pub verdict: Verdict,
    /// What machines read.
    pub code: Option<Code<'a>>,
    /// What people read. Octets that could split a response are replaced when it is written.
    pub text: Cow<'a, str>,
}

impl<'a> Answer<'a> {
    /// `OK text`
    pub fn ok(text: impl Into<Cow<'a, str>>) -> Self {
        Self::new(Verdict::Ok, text)
    }

    /// `NO text`
    pub fn no(text: impl Into<Cow<'a, str>>) -> Self {
        Self::new(Verdict::No, text)
    }

    /// `BAD text`
    pub fn bad(text: impl Into<Cow<'a, str>>) -> Self {
        Self::new(Verdict::Bad, text)
    }

    /// This verdict with this text and no code.
    pub fn new(verdict: Verdict, text: impl Into<Cow<'a, str>>) -> Self {
        Self {
            verdict,
            code: None,
            text: text.into(),
        }
    }

    /// The same answer with a response code.
    #[must_use]
    pub fn with_code(mut self, code: Code<'a>) -> Self {
        self.code = Some(code);
        self
    }

    /// What a client is told of a backend's error. `log_id` is what an internal error is logged under: it alone is shown
    /// of one (R5530-007).
    ///
    /// [`MailboxGone`](ErrorKind::MailboxGone), [`Bye`](ErrorKind::Bye) and [`Disconnected`](ErrorKind::Disconnected) end
    /// the connection: what they give here is for the case that the driver answers the command first.
    pub fn from_error(error: &Error, log_id: &str) -> Answer<'static> {
        let (verdict, code) = error_row(error.kind());
        let text = if code == Some(Code::ServerBug) {
            log_id.to_owned()
        } else {
            error.text().to_owned()
        };
        Answer {
            verdict,
            code,
            text: text.into(),
        }
    }

    /// The same for the target of APPEND, COPY and MOVE: a mailbox that could be made is `[TRYCREATE]`
    /// (R3501-189, R3501-268, R6851-015).
    pub fn from_target_error(error: &Error, log_id: &str) -> Answer<'static> {
        let mut answer = Answer::from_error(error, log_id);
        if error.kind() == ErrorKind::NotFound {
            answer.code = Some(Code::TryCreate);
        }
        answer
    }
}

/// The table of errors: one row a kind.
fn error_row(kind: ErrorKind) -> (Verdict, Option<Code<'static>>) {
    use ErrorKind as E;
    use Verdict::{Bad, No};
    match kind {
        E::Bad => (Bad, None),
        E::NotFound => (No, Some(Code::NonExistent)),
        E::AlreadyExists => (No, Some(Code::AlreadyExists)),
        E::Cannot | E::Unsupported => (No, Some(Code::Cannot)),
        E::ReadOnly | E::NoPermission => (No, Some(Code::NoPerm)),
        E::OverQuota => (No, Some(Code::OverQuota)),
        E::TooBig => (No, Some(Code::TooBig)),
        E::Limit => (No, Some(Code::Limit)),
        E::AuthenticationFailed => (No, Some(Code::AuthenticationFailed)),
        E::AuthorizationFailed => (No, Some(Code::AuthorizationFailed)),
        E::Expired => (No, Some(Code::Expired)),
        E::InUse => (No, Some(Code::InUse)),
        E::Unavailable | E::Disconnected => (No, Some(Code::Unavailable)),
        E::ExpungeIssued => (No, Some(Code::ExpungeIssued)),
        E::HasChildren => (No, Some(Code::HasChildren)),
        E::UseAttr => (No, Some(Code::UseAttr)),
        E::BadCharset => (No, Some(Code::BadCharset)),
        E::Corruption => (No, Some(Code::Corruption)),
        E::MailboxGone => (No, Some(Code::NonExistent)),
        E::Bye => (No, None),
        _ => (No, Some(Code::ServerBug)),
    }
}

/// A response code (RFC 3501 7.1, RFC 4315, RFC 5530, RFC 6154, RFC 7889, RFC 9051).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code<'a> {
    /// `ALERT`: the text must be shown to the user.
    Alert,
    /// `BADCHARSET (US-ASCII UTF-8)`
    BadCharset,
    /// `CAPABILITY …`, the list as [`Connection::capabilities`](crate::Connection::capabilities) gives it.
    Capability(Cow<'a, str>),
    /// `PARSE`
    Parse,
    /// `PERMANENTFLAGS (…)`; `\*` where `any` new keyword can be made.
    PermanentFlags {
        /// The flags that can be changed for good.
        flags: &'a Flags,
        /// More keywords.
        keywords: &'a [Keyword],
        /// New keywords may be made.
        any: bool,
    },
    /// `READ-ONLY`
    ReadOnly,
    /// `READ-WRITE`
    ReadWrite,
    /// `TRYCREATE`
    TryCreate,
    /// `UIDNEXT n`
    UidNext(Uid),
    /// `UIDVALIDITY n`
    UidValidity(UidValidity),
    /// `UNSEEN n`
    Unseen(Seq),
    /// `APPENDUID validity uids` (RFC 4315 3)
    AppendUid {
        /// UIDVALIDITY of the target.
        uid_validity: UidValidity,
        /// The new UIDs in the order of the messages, at least one.
        uids: &'a [Uid],
    },
    /// `COPYUID validity from to` (RFC 4315 3)
    CopyUid {
        /// UIDVALIDITY of the target.
        uid_validity: UidValidity,
        /// Old and new UID of each message in the order of copying. Of none, no code is written (R4315-013).
        uids: &'a [(Uid, Uid)],
    },
    /// `UIDNOTSTICKY` (RFC 4315 3)
    UidNotSticky,
    /// `UNAVAILABLE` (RFC 5530 3, as the following)
    Unavailable,
    /// `AUTHENTICATIONFAILED`
    AuthenticationFailed,
    /// `AUTHORIZATIONFAILED`
    AuthorizationFailed,
    /// `EXPIRED`
    Expired,
    /// `PRIVACYREQUIRED`
    PrivacyRequired,
    /// `CONTACTADMIN`
    ContactAdmin,
    /// `NOPERM`
    NoPerm,
    /// `INUSE`
    InUse,
    /// `EXPUNGEISSUED`
    ExpungeIssued,
    /// `CORRUPTION`
    Corruption,
    /// `SERVERBUG`
    ServerBug,
    /// `CLIENTBUG`
    ClientBug,
    /// `CANNOT`
    Cannot,
    /// `LIMIT`
    Limit,
    /// `OVERQUOTA`
    OverQuota,
    /// `ALREADYEXISTS`
    AlreadyExists,
    /// `NONEXISTENT`
    NonExistent,
    /// `USEATTR` (RFC 6154 3)
    UseAttr,
    /// `TOOBIG` (RFC 7889 4, RFC 4469)
    TooBig,
    /// `HASCHILDREN` (RFC 9051 7.1)
    HasChildren,
}

impl Code<'_> {
    /// The code's name; of most codes that is all.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Alert => "ALERT",
            Self::BadCharset => "BADCHARSET",
            Self::Capability(_) => "CAPABILITY",
            Self::Parse => "PARSE",
            Self::PermanentFlags { .. } => "PERMANENTFLAGS",
            Self::ReadOnly => "READ-ONLY",
            Self::ReadWrite => "READ-WRITE",
            Self::TryCreate => "TRYCREATE",
            Self::UidNext(_) => "UIDNEXT",
            Self::UidValidity(_) => "UIDVALIDITY",
            Self::Unseen(_) => "UNSEEN",
            Self::AppendUid { .. } => "APPENDUID",
            Self::CopyUid { .. } => "COPYUID",
            Self::UidNotSticky => "UIDNOTSTICKY",
            Self::Unavailable => "UNAVAILABLE",
            Self::AuthenticationFailed => "AUTHENTICATIONFAILED",
            Self::AuthorizationFailed => "AUTHORIZATIONFAILED",
            Self::Expired => "EXPIRED",
            Self::PrivacyRequired => "PRIVACYREQUIRED",
            Self::ContactAdmin => "CONTACTADMIN",
            Self::NoPerm => "NOPERM",
            Self::InUse => "INUSE",
            Self::ExpungeIssued => "EXPUNGEISSUED",
            Self::Corruption => "CORRUPTION",
            Self::ServerBug => "SERVERBUG",
            Self::ClientBug => "CLIENTBUG",
            Self::Cannot => "CANNOT",
            Self::Limit => "LIMIT",
            Self::OverQuota => "OVERQUOTA",
            Self::AlreadyExists => "ALREADYEXISTS",
            Self::NonExistent => "NONEXISTENT",
            Self::UseAttr => "USEATTR",
            Self::TooBig => "TOOBIG",
            Self::HasChildren => "HASCHILDREN",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_internal_error_is_never_shown() {
        let error = Error::internal("disk /dev/sda1 on fire");
        let answer = Answer::from_error(&error, "4711-3");
        assert_eq!(answer, Answer::no("4711-3").with_code(Code::ServerBug));
    }

    #[test]
    fn a_missing_target_can_be_created() {
        let error = Error::not_found("no such mailbox");
        assert_eq!(Answer::from_error(&error, "").code, Some(Code::NonExistent));
        assert_eq!(Answer::from_target_error(&error, "").code, Some(Code::TryCreate));
    }
}
