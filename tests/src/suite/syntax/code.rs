//! Response codes (RFC 3501 7.1, 9 resp-text-code; RFC 4315, 4978, 5464, 5530, 7162, 8474).

use super::super::token::Token;
use super::shape::{
    is_astring, is_atom_token, is_flag, is_mod_sequence, is_number, is_nz_number, is_object_id, is_set,
};
use super::{Checked, Row, data};

/// Codes that stand alone.
const ALONE: [&str; 36] = [
    "ALERT",
    "ALREADYEXISTS",
    "AUTHENTICATIONFAILED",
    "AUTHORIZATIONFAILED",
    "BADCOMPARATOR",
    "BADEVENT",
    "CANNOT",
    "CLIENTBUG",
    "CLOSED",
    "COMPRESSIONACTIVE",
    "CONTACTADMIN",
    "CORRUPTION",
    "EXPIRED",
    "EXPUNGEISSUED",
    "HASCHILDREN",
    "INUSE",
    "LIMIT",
    "NOMODSEQ",
    "NONEXISTENT",
    "NOPERM",
    "NOTSAVED",
    "NOTIFICATIONOVERFLOW",
    "NOUPDATE",
    "OVERQUOTA",
    "PARSE",
    "PRIVACYREQUIRED",
    "READ-ONLY",
    "READ-WRITE",
    "SERVERBUG",
    "TOOBIG",
    "TRYCREATE",
    "UIDNOTSTICKY",
    "UIDREQUIRED",
    "UNAVAILABLE",
    "UNKNOWN-CTE",
    "USEATTR",
];

/// Codes with arguments.
const OTHERS: [&str; 12] = [
    "APPENDUID",
    "BADCHARSET",
    "CAPABILITY",
    "COPYUID",
    "HIGHESTMODSEQ",
    "MAILBOXID",
    "METADATA",
    "MODIFIED",
    "PERMANENTFLAGS",
    "UIDNEXT",
    "UIDVALIDITY",
    "UNSEEN",
];

/// Whether the syntax of a code of this name is known.
pub(in super::super) fn is_known(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    // What later RFCs give arguments stands alone in none that is known here.
    let open = matches!(upper.as_str(), "LIMIT" | "BADEVENT" | "NOUPDATE" | "MODIFIED");
    !open && (ALONE.contains(&upper.as_str()) || OTHERS.contains(&upper.as_str()))
}

/// Checks a code, if there is one.
pub(super) fn check(code: Option<&[Token]>) -> Checked {
    let Some(code) = code else { return Ok(()) };
    let Some((name, rest)) = code.split_first() else {
        return Err("an empty response code".into());
    };
    if !is_atom_token(name) {
        return Err("a response code begins with an atom".into());
    }
    let name = String::from_utf8_lossy(name.atom().unwrap_or_default()).to_ascii_uppercase();
    let mut row = Row::new("the response code", rest);
    match name.as_str() {
        "APPENDUID" => {
            row.must("a UIDVALIDITY", is_nz_number)?;
            row.must("a UID", is_set)?;
        }
        "COPYUID" => {
            row.must("a UIDVALIDITY", is_nz_number)?;
            row.must("a set of UIDs", is_set)?;
            row.must("a set of UIDs", is_set)?;
        }
        "BADCHARSET" if rest.is_empty() => {}
        "BADCHARSET" => {
            let charsets = row.list("charsets")?;
            if charsets.is_empty() || !charsets.iter().all(is_astring) {
                return Err("BADCHARSET has a list of charsets, or none".into());
            }
        }
        "CAPABILITY" => return data::capabilities(rest),
        "HIGHESTMODSEQ" => {
            row.must("a mod-sequence", is_mod_sequence)?;
        }
        "MODIFIED" => {
            row.must("a set", is_set)?;
        }
        "MAILBOXID" => {
            row.must("an objectid", is_object_id)?;
        }
        "PERMANENTFLAGS" => {
            let flags = row.list("flags")?;
            if !flags.iter().all(|flag| is_flag(flag, true)) {
                return Err("PERMANENTFLAGS has what is no flag".into());
            }
        }
        "UIDNEXT" | "UIDVALIDITY" | "UNSEEN" => {
            row.must("a number from 1 to 4294967295", is_nz_number)?;
        }
        "METADATA" => {
            let what = row.must("what is the matter", is_atom_token)?;
            if what.is("LONGENTRIES") || what.is("MAXSIZE") {
                row.must("a number", is_number)?;
            }
        }
        known if is_known(known) => {}
        _ => return Ok(()),
    }
    row.end()
}
