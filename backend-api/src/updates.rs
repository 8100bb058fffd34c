//! How a backend tells a connection of changes, and the rights with which it may.

use async_trait::async_trait;

use crate::{Flags, Keyword, ModSeq, Result, Seq, Uid};

/// Which kinds of change may be told now. The core takes them from its command table; see [the table](crate#when-may-what-be-sent).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Rights {
    /// FETCH of changed flags, and FLAGS when the list of keywords grew.
    pub flags: bool,
    /// EXISTS and RECENT.
    pub exists: bool,
    /// EXPUNGE or VANISHED.
    pub expunge: bool,
}

impl Rights {
    /// Everything may be told: NOOP, IDLE.
    pub const ALL: Self = Self {
        flags: true,
        exists: true,
        expunge: true,
    };
    /// Everything but EXPUNGE: at the end of a command that uses numbers, and at the start of `UID FETCH` and its like, so
    /// that `n:*` means the mailbox of now.
    pub const NO_EXPUNGE: Self = Self {
        flags: true,
        exists: true,
        expunge: false,
    };
    /// Changed flags alone: a command that uses numbers is waiting behind this one.
    pub const FLAGS: Self = Self {
        flags: true,
        exists: false,
        expunge: false,
    };
    /// Nothing.
    pub const NONE: Self = Self {
        flags: false,
        exists: false,
        expunge: false,
    };

    /// Whether nothing may be told.
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }
}

/// What the core makes of a backend's updates. Authors see it as [`Updates`].
#[async_trait]
pub trait UpdateSink: Send {
    /// The flags of a message are now these.
    fn flags(&mut self, seq: Seq, uid: Uid, flags: &Flags, recent: bool, mod_seq: Option<ModSeq>);
    /// A message is gone; every higher number falls by one.
    fn expunge(&mut self, seq: Seq, uid: Uid);
    /// The mailbox has so many messages, of which so many are recent to this session.
    fn exists(&mut self, exists: u32, recent: u32);
    /// The mailbox has these keywords now.
    fn keywords(&mut self, keywords: &[Keyword]);
    /// Whether [`ready`](UpdateSink::ready) must be awaited before more is put.
    fn is_full(&self) -> bool;
    /// Waits until the client has taken enough.
    ///
    /// # Errors
    /// The connection is gone: return the error at once.
    async fn ready(&mut self) -> Result<()>;
}

/// One poll: the right to tell changes, lent by the connection for the length of one call.
///
/// The order is: changed flags, then expunges from the highest number down, then EXISTS. What may not be told now stays
/// to be told by a later poll.
pub struct Updates<'a> {
    sink: &'a mut dyn UpdateSink,
    rights: Rights,
}

impl<'a> Updates<'a> {
    /// Lends a connection to a backend.
    pub fn new(sink: &'a mut dyn UpdateSink, rights: Rights) -> Self {
        Self { sink, rights }
    }

    /// What may be told.
    pub fn rights(&self) -> Rights {
        self.rights
    }

    /// To tell changed flags, if that may be done now.
    pub fn flags(&mut self) -> Option<FlagUpdates<'_>> {
        self.rights.flags.then_some(FlagUpdates(&mut *self.sink))
    }

    /// To tell expunges: `Some` only while EXPUNGE is legal.
    pub fn expunges(&mut self) -> Option<ExpungeUpdates<'_>> {
        self.rights.expunge.then_some(ExpungeUpdates(&mut *self.sink))
    }

    /// To tell of new messages, if that may be done now.
    pub fn exists(&mut self) -> Option<ExistsUpdates<'_>> {
        self.rights.exists.then_some(ExistsUpdates(&mut *self.sink))
    }

    /// Whether [`ready`](Updates::ready) must be awaited before more is told.
    pub fn is_full(&self) -> bool {
        self.sink.is_full()
    }

    /// Waits until the client has taken enough. Hold no lock and no transaction meanwhile.
    ///
    /// # Errors
    /// The connection is gone, or was misused: return the error at once.
    pub async fn ready(&mut self) -> Result<()> {
        self.sink.ready().await
    }
}

/// The right to tell changed flags.
pub struct FlagUpdates<'a>(&'a mut dyn UpdateSink);

impl FlagUpdates<'_> {
    /// The flags of a message are now these. `mod_seq` where the mailbox keeps them.
    pub fn put(&mut self, seq: Seq, uid: Uid, flags: &Flags, recent: bool, mod_seq: Option<ModSeq>) {
        self.0.flags(seq, uid, flags, recent, mod_seq);
    }

    /// The mailbox has these keywords now; tell it only when the list changed.
    pub fn keywords(&mut self, keywords: &[Keyword]) {
        self.0.keywords(keywords);
    }
}

/// The right to tell expunges.
pub struct ExpungeUpdates<'a>(&'a mut dyn UpdateSink);

impl ExpungeUpdates<'_> {
    /// A message is gone, and with it its number: every higher number falls by one at once. Tell the highest first.
    pub fn put(&mut self, seq: Seq, uid: Uid) {
        self.0.expunge(seq, uid);
    }
}

/// The right to tell of new messages.
pub struct ExistsUpdates<'a>(&'a mut dyn UpdateSink);

impl ExistsUpdates<'_> {
    /// The view has so many messages now, of which so many are recent to this session. Never less than before.
    pub fn put(&mut self, exists: u32, recent: u32) {
        self.0.exists(exists, recent);
    }
}
