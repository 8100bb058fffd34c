//! How a command ends: its tagged answer with what the answer borrows, or why there is none.

use backend_api::{Appended, Copied, Error};
use imap_core::{Answer, Code, Connection, Tag, Verdict};

use crate::wire::End;

/// The tagged answer of a command.
#[derive(Debug)]
pub(crate) enum Reply {
    /// As it stands.
    Answer(Answer<'static>),
    /// `OK [COPYUID …]`, without the code where nothing was copied (RFC 4315 3).
    Copied(Copied),
    /// `OK [APPENDUID …]`
    Appended(Appended),
    /// The core has answered already.
    Answered,
}

/// Why a command has no other answer.
#[derive(Debug)]
pub(crate) enum Fail {
    /// An error of the backend, or one like it.
    No(Error),
    /// The same about the target of APPEND, COPY, MOVE.
    Target(Error),
    /// The connection ends.
    End(End),
}

impl From<Error> for Fail {
    fn from(error: Error) -> Self {
        Self::No(error)
    }
}

impl From<End> for Fail {
    fn from(end: End) -> Self {
        Self::End(end)
    }
}

impl Reply {
    /// `OK text`
    pub(crate) fn ok(text: &'static str) -> Result<Self, Fail> {
        Ok(Self::Answer(Answer::ok(text)))
    }

    /// `NO [code] text`
    pub(crate) fn no(code: Code<'static>, text: &'static str) -> Result<Self, Fail> {
        Ok(Self::Answer(Answer::no(text).with_code(code)))
    }

    /// `BAD text`
    pub(crate) fn bad(text: &'static str) -> Result<Self, Fail> {
        Ok(Self::Answer(Answer::bad(text)))
    }

    /// Whether updates may stand before it: not before a BAD, whose client and we do not understand each other.
    pub(crate) fn allows_updates(&self) -> bool {
        !matches!(self, Self::Answered) && self.verdict() != Verdict::Bad
    }

    /// OK, NO or BAD.
    pub(crate) fn verdict(&self) -> Verdict {
        match self {
            Self::Answer(answer) => answer.verdict,
            Self::Copied(_) | Self::Appended(_) => Verdict::Ok,
            Self::Answered => Verdict::Bad,
        }
    }

    /// Writes it.
    pub(crate) fn complete(&self, tag: &Tag, core: &mut Connection) {
        match self {
            Self::Answer(answer) => core.complete(tag, answer),
            Self::Copied(copied) => core.complete(tag, &copied_answer(copied)),
            Self::Appended(appended) => core.complete(
                tag,
                &Answer::ok("APPEND completed").with_code(Code::AppendUid {
                    uid_validity: appended.uid_validity,
                    uids: &appended.uids,
                }),
            ),
            Self::Answered => {}
        }
    }
}

fn copied_answer(copied: &Copied) -> Answer<'_> {
    if copied.uids.is_empty() {
        return Answer::ok("Nothing to copy");
    }
    Answer::ok("COPY completed").with_code(Code::CopyUid {
        uid_validity: copied.uid_validity,
        uids: &copied.uids,
    })
}
