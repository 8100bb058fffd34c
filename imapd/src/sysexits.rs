//! The exit codes that MTAs understand, as BSD's `sysexits.h` numbers them.

/// The command line is wrong.
pub(crate) const USAGE: u8 = 64;
/// The message is not acceptable.
pub(crate) const DATAERR: u8 = 65;
/// There is no message.
pub(crate) const NOINPUT: u8 = 66;
/// There is no such user.
pub(crate) const NOUSER: u8 = 67;
/// There is no such mailbox.
pub(crate) const CANTCREAT: u8 = 73;
/// The message could not be read.
pub(crate) const IOERR: u8 = 74;
/// Later it may work.
pub(crate) const TEMPFAIL: u8 = 75;
/// It is set up wrongly.
pub(crate) const CONFIG: u8 = 78;
