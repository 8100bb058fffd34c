//! The bounds of the index: how much of a hostile message is looked at, and what becomes of the rest.
//!
//! An ordinary message costs a few KiB while it is read, whatever its size. The most hostile one costs a few MiB, and as
//! much for its finished index: that is ten thousand parts, or descriptions up to their bound.

/// Longest text of one header field that is read for ENVELOPE and BODYSTRUCTURE, in octets, folding included. What
/// follows in that field is ignored: further addresses are not listed, a longer subject is cut.
pub const MAX_FIELD: usize = 64 * 1024;

/// Most text of all fields of one header that is read for ENVELOPE and BODYSTRUCTURE, in octets. Fields after that
/// count as absent or are cut. Fields of no interest are not kept and do not count.
pub const MAX_HEADER_TEXT: usize = 128 * 1024;

/// Most octets of the message's own listed header lines that the index stores, bookkeeping included. A field that does
/// not fit is left out, and a request that names it reads the header instead.
pub const MAX_STORED_HEADER: usize = 16 * 1024;

/// Deepest nesting of multipart and message parts, counted from the message itself. A multipart or message part at
/// this depth is a leaf: `application/octet-stream` with its text as the body.
pub const MAX_DEPTH: usize = 100;

/// Most parts of a message, nested messages included. After that no boundary line is recognised any more: the rest of
/// the message belongs to the last part, which is a leaf.
pub const MAX_PARTS: usize = 10_000;

/// Longest boundary parameter, in octets (RFC 2046 5.1.1 allows 70). A multipart with a longer one has no parts of
/// its own and is shown with one empty text part.
pub const MAX_BOUNDARY: usize = 256;

/// Longest line that can be a boundary line, in octets, white space behind the boundary and line end included.
pub const MAX_DELIMITER_LINE: usize = 1024;

/// Most parameters of one Content-Type or Content-Disposition field; the rest is ignored. RFC 2231 continuations count
/// one each.
pub const MAX_PARAMETERS: usize = 64;

/// Most language tags of one Content-Language field; the rest is ignored.
pub const MAX_LANGUAGES: usize = 32;

/// Most addresses of one field, group markers included; the rest is ignored.
pub const MAX_ADDRESSES: usize = 2_000;

/// Most octets that all parts of a message together may take for their descriptions (parameters, disposition, nested
/// envelopes …). A part behind that is described by its type, encoding and size alone, a nested message by an
/// envelope of NILs.
pub const MAX_DESCRIPTIONS: usize = 1024 * 1024;
