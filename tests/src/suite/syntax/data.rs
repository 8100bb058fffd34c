//! Untagged data (RFC 3501 7.2, 7.3, 9 response-data, and the extensions that add to them).

use std::collections::BTreeSet;

use super::super::token::Token;
use super::shape::{
    is_astring, is_atom_token, is_flag, is_mod_sequence, is_nil, is_nstring, is_number, is_number64, is_nz_number,
    is_object_id, is_separator, is_set, is_string,
};
use super::{Checked, Row, fetch};

/// Checks untagged data.
pub(super) fn check(tokens: &[Token]) -> Checked {
    let Some((first, rest)) = tokens.split_first() else {
        return Err("an empty response".into());
    };
    if first.number().is_some() {
        return numbered(first, rest);
    }
    if !is_atom_token(first) {
        return Err("a response begins with a number or a name".into());
    }
    let name = String::from_utf8_lossy(first.atom().unwrap_or_default()).to_ascii_uppercase();
    match name.as_str() {
        "CAPABILITY" => capabilities(rest),
        "ENABLED" => all("ENABLED", rest, is_atom_token),
        "FLAGS" => {
            let mut row = Row::new("FLAGS", rest);
            all("FLAGS", row.list("flags")?, |flag| is_flag(flag, false))?;
            row.end()
        }
        "LIST" | "LSUB" => list(rest),
        "STATUS" => status(rest),
        "SEARCH" | "SORT" => found(rest),
        "ESEARCH" => esearch(rest),
        "THREAD" => threads(rest),
        "VANISHED" => vanished(rest),
        "NAMESPACE" => namespaces(rest),
        "ID" => id(rest),
        "QUOTA" => quota(rest),
        "QUOTAROOT" => {
            let mut row = Row::new("QUOTAROOT", rest);
            row.must("a mailbox", is_astring)?;
            all("QUOTAROOT", row.left, is_astring)
        }
        "ACL" => {
            let mut row = Row::new("ACL", rest);
            row.must("a mailbox", is_astring)?;
            while !row.is_at_end() {
                row.must("an identifier", is_astring)?;
                row.must("rights", is_astring)?;
            }
            Ok(())
        }
        "MYRIGHTS" => {
            let mut row = Row::new("MYRIGHTS", rest);
            row.must("a mailbox", is_astring)?;
            row.must("rights", is_astring)?;
            row.end()
        }
        "LISTRIGHTS" => {
            let mut row = Row::new("LISTRIGHTS", rest);
            row.must("a mailbox", is_astring)?;
            row.must("an identifier", is_astring)?;
            row.must("rights", is_astring)?;
            all("LISTRIGHTS", row.left, is_astring)
        }
        "METADATA" => metadata(rest),
        "EXISTS" | "RECENT" | "EXPUNGE" | "FETCH" | "UIDFETCH" => Err(format!("{name} has a number in front of it")),
        _ => Ok(()),
    }
}

/// `3 EXISTS` and its like.
fn numbered(number: &Token, rest: &[Token]) -> Checked {
    let Some((name, rest)) = rest.split_first() else {
        return Err("a number and nothing more".into());
    };
    let name = String::from_utf8_lossy(name.atom().unwrap_or_default()).to_ascii_uppercase();
    match name.as_str() {
        "EXISTS" | "RECENT" if is_number(number) && rest.is_empty() => Ok(()),
        "EXPUNGE" if is_nz_number(number) && rest.is_empty() => Ok(()),
        "FETCH" | "UIDFETCH" if is_nz_number(number) => fetch::check(rest),
        "EXISTS" | "RECENT" | "EXPUNGE" | "FETCH" | "UIDFETCH" => {
            Err(format!("{name} has a number that it cannot have, or more behind it"))
        }
        _ => Err(format!("no response has a number in front of `{name}`")),
    }
}

fn all(of: &str, tokens: &[Token], is: impl Fn(&Token) -> bool) -> Checked {
    if tokens.iter().all(is) {
        Ok(())
    } else {
        Err(format!("{of} has what does not belong into it"))
    }
}

/// Capabilities: atoms, IMAP4rev1 or IMAP4rev2 among them.
pub(super) fn capabilities(tokens: &[Token]) -> Checked {
    all("CAPABILITY", tokens, is_atom_token)?;
    if tokens.iter().any(|t| t.is("IMAP4REV1") || t.is("IMAP4REV2")) {
        Ok(())
    } else {
        Err("CAPABILITY lacks IMAP4rev1".into())
    }
}

/// `(attributes) separator mailbox` and, extended, a list of items (RFC 3501 9 mailbox-list; RFC 5258 6).
fn list(tokens: &[Token]) -> Checked {
    let mut row = Row::new("LIST", tokens);
    let attributes = row.list("attributes")?;
    let attribute = |t: &Token| is_flag(t, false) && t.atom().is_some_and(|a| a.starts_with(b"\\"));
    all("the attributes of LIST", attributes, attribute)?;
    let selectable = ["\\Noselect", "\\Marked", "\\Unmarked"];
    if attributes.iter().filter(|a| selectable.iter().any(|s| a.is(s))).count() > 1 {
        return Err("LIST: at most one of \\Noselect, \\Marked and \\Unmarked".into());
    }
    row.must("a separator: NIL or one quoted character", is_separator)?;
    row.must("a mailbox", is_astring)?;
    if !row.is_at_end() {
        let mut items = Row::new("the extended data of LIST", row.list("extended data")?);
        while !items.is_at_end() {
            items.must("a name", is_astring)?;
            items.next("a value")?;
        }
    }
    row.end()
}

/// `mailbox (MESSAGES 3 …)` (RFC 3501 9 mailbox-data; RFC 4466 6 and what adds to it).
fn status(tokens: &[Token]) -> Checked {
    let mut row = Row::new("STATUS", tokens);
    row.must("a mailbox", is_astring)?;
    let mut items = Row::new("the items of STATUS", row.list("items")?);
    while !items.is_at_end() {
        let name = items.must("a name", is_atom_token)?;
        let name = String::from_utf8_lossy(name.atom().unwrap_or_default()).to_ascii_uppercase();
        match name.as_str() {
            "MESSAGES" | "RECENT" | "UNSEEN" | "DELETED" => items.must("a number", is_number)?,
            "UIDNEXT" | "UIDVALIDITY" => items.must("a number from 1 to 4294967295", is_nz_number)?,
            "HIGHESTMODSEQ" | "SIZE" | "DELETED-STORAGE" => items.must("a number", is_number64)?,
            "APPENDLIMIT" => items.must("a number or NIL", |t| is_number(t) || is_nil(t))?,
            "MAILBOXID" => items.must("an objectid", is_object_id)?,
            _ => items.next("a value")?,
        };
    }
    row.end()
}

/// Numbers, and with CONDSTORE the highest mod-sequence (RFC 7162 7).
fn found(tokens: &[Token]) -> Checked {
    let numbers = match tokens.split_last() {
        Some((Token::List { items, .. }, numbers)) => {
            let mut row = Row::new("the mod-sequence of SEARCH", items);
            row.must("MODSEQ", |t| t.is("MODSEQ"))?;
            row.must("a mod-sequence", is_mod_sequence)?;
            row.end()?;
            numbers
        }
        _ => tokens,
    };
    all("SEARCH", numbers, is_nz_number)
}

/// `(TAG "a") UID MIN 1 …` (RFC 4466 6; RFC 4731 5; RFC 9394 3).
fn esearch(tokens: &[Token]) -> Checked {
    let mut row = Row::new("ESEARCH", tokens);
    if row.left.first().is_some_and(|t| t.list().is_some()) {
        let mut tag = Row::new("the correlator of ESEARCH", row.list("a correlator")?);
        tag.must("TAG", |t| t.is("TAG"))?;
        tag.must("a string", is_string)?;
        // Multimailbox searches add MAILBOX and UIDVALIDITY (RFC 7377 2.1).
        while !tag.is_at_end() {
            tag.must("a name", is_atom_token)?;
            tag.next("a value")?;
        }
    }
    if row.left.first().is_some_and(|t| t.is("UID")) {
        row.next("UID")?;
    }
    while !row.is_at_end() {
        let name = row.must("a name", is_atom_token)?;
        let name = String::from_utf8_lossy(name.atom().unwrap_or_default()).to_ascii_uppercase();
        match name.as_str() {
            "MIN" | "MAX" => row.must("a number from 1 to 4294967295", is_nz_number)?,
            "COUNT" => row.must("a number", is_number)?,
            "ALL" => row.must("a set", is_set)?,
            "MODSEQ" => row.must("a mod-sequence", is_mod_sequence)?,
            "PARTIAL" | "ADDTO" | "REMOVEFROM" | "RELEVANCY" => row.must("a list", |t| t.list().is_some())?,
            _ => row.next("a value")?,
        };
    }
    Ok(())
}

/// Threads, one behind the other (RFC 5256 6 thread-data).
fn threads(tokens: &[Token]) -> Checked {
    for (index, thread) in tokens.iter().enumerate() {
        match thread {
            Token::List { items, glued } if *glued == (index > 0) => self::thread(items)?,
            Token::List { .. } => return Err("THREAD: nothing stands between threads".into()),
            _ => return Err("THREAD: a thread is a list".into()),
        }
    }
    Ok(())
}

/// Members, then none or at least two nested threads.
fn thread(items: &[Token]) -> Checked {
    let members = items.iter().take_while(|t| t.list().is_none());
    let count = members.clone().count();
    if !members.clone().all(is_nz_number) {
        return Err("THREAD: members are numbers from 1 to 4294967295".into());
    }
    let nested = items.get(count..).unwrap_or_default();
    if items.is_empty() || nested.len() == 1 {
        return Err("THREAD: an empty thread, or a branch that is alone".into());
    }
    threads(nested)
}

/// `[(EARLIER)] uids` (RFC 7162 7).
fn vanished(tokens: &[Token]) -> Checked {
    let mut row = Row::new("VANISHED", tokens);
    if let Some(Token::List { items, .. }) = row.left.first() {
        if !matches!(items.as_slice(), [one] if one.is("EARLIER")) {
            return Err("VANISHED: the list is (EARLIER)".into());
        }
        row.next("EARLIER")?;
    }
    row.must("a set of UIDs", is_set)?;
    row.end()
}

/// Three times NIL or `((prefix separator …)…)` (RFC 2342 6).
fn namespaces(tokens: &[Token]) -> Checked {
    let mut row = Row::new("NAMESPACE", tokens);
    for _ in 0..3 {
        let namespaces = row.must("NIL or a list", |t| {
            is_nil(t) || t.list().is_some_and(|l| !l.is_empty())
        })?;
        for (index, namespace) in namespaces.list().unwrap_or_default().iter().enumerate() {
            let Token::List { items, glued } = namespace else {
                return Err("NAMESPACE: a namespace is a list".into());
            };
            if *glued != (index > 0) {
                return Err("NAMESPACE: nothing stands between namespaces".into());
            }
            let mut of = Row::new("a namespace", items);
            of.must("a prefix", is_string)?;
            of.must("a separator: NIL or one quoted character", is_separator)?;
            while !of.is_at_end() {
                of.must("an extension's name", is_string)?;
                of.must("an extension's values", |t| t.list().is_some_and(|l| !l.is_empty()))?;
            }
        }
    }
    row.end()
}

/// NIL, or names and values (RFC 2971 4).
fn id(tokens: &[Token]) -> Checked {
    let mut row = Row::new("ID", tokens);
    let fields = row.must("NIL or a list", |t| is_nil(t) || t.list().is_some())?;
    let mut fields = Row::new("ID", fields.list().unwrap_or_default());
    let mut names = BTreeSet::new();
    while !fields.is_at_end() {
        let name = fields.must("a name", is_string)?.string().unwrap_or_default();
        let value = fields.must("a value", is_nstring)?.string().unwrap_or_default();
        if name.len() > 30 || value.len() > 1024 {
            return Err("ID: a field has at most 30 octets, a value at most 1024 (RFC 2971 3.3)".into());
        }
        if !names.insert(name.to_ascii_lowercase()) {
            return Err("ID: no field comes twice (RFC 2971 3.3)".into());
        }
    }
    if names.len() > 30 {
        return Err("ID: there are at most 30 fields (RFC 2971 3.3)".into());
    }
    row.end()
}

/// `root (STORAGE 10 512 …)` (RFC 9208 7).
fn quota(tokens: &[Token]) -> Checked {
    let mut row = Row::new("QUOTA", tokens);
    row.must("a quota root", is_astring)?;
    let mut resources = Row::new("QUOTA", row.list("resources")?);
    while !resources.is_at_end() {
        resources.must("a resource", is_atom_token)?;
        resources.must("a usage", is_number64)?;
        resources.must("a limit", is_number64)?;
    }
    row.end()
}

/// `mailbox (entry value …)` or `mailbox entry …` (RFC 5464 5).
fn metadata(tokens: &[Token]) -> Checked {
    let mut row = Row::new("METADATA", tokens);
    row.must("a mailbox", is_astring)?;
    if row.left.first().is_some_and(|t| t.list().is_some()) {
        let mut entries = Row::new("METADATA", row.list("entries")?);
        while !entries.is_at_end() {
            entries.must("an entry", is_astring)?;
            entries.must("a value", |t| is_nstring(t) || matches!(t, Token::Literal8(_)))?;
        }
        return row.end();
    }
    row.must("an entry", is_astring)?;
    all("METADATA", row.left, is_astring)
}
