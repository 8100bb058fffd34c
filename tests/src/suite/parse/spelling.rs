//! Words that are probably misspelt: known capabilities, and which known word somebody may have meant.

/// Capabilities that a scenario can need: those of IANA's registry "IMAP Capabilities", and widespread ones that are not in
/// it. A part behind `=` that servers choose is left out, with the `=`.
const CAPABILITIES: &[&str] = &[
    "ACL",
    "ANNOTATE-EXPERIMENT-1",
    "APPENDLIMIT",
    "AUTH=",
    "BINARY",
    "CATENATE",
    "CHILDREN",
    "COMPRESS=DEFLATE",
    "CONDSTORE",
    "CONTEXT=SEARCH",
    "CONTEXT=SORT",
    "CONVERT",
    "CREATE-SPECIAL-USE",
    "ENABLE",
    "ESEARCH",
    "ESORT",
    "FILTERS",
    "I18NLEVEL=1",
    "I18NLEVEL=2",
    "ID",
    "IDLE",
    "IMAP4",
    "IMAP4REV1",
    "IMAP4REV2",
    "IMAPSIEVE=",
    "INPROGRESS",
    "JMAPACCESS",
    "LANGUAGE",
    "LIST-EXTENDED",
    "LIST-METADATA",
    "LIST-MYRIGHTS",
    "LIST-STATUS",
    "LITERAL+",
    "LITERAL-",
    "LOGIN-REFERRALS",
    "LOGINDISABLED",
    "MAILBOX-REFERRALS",
    "MESSAGELIMIT",
    "METADATA",
    "METADATA-SERVER",
    "MOVE",
    "MULTIAPPEND",
    "MULTISEARCH",
    "NAMESPACE",
    "NOTIFY",
    "OBJECTID",
    "PARTIAL",
    "PREVIEW",
    "PREVIEW=FUZZY",
    "QRESYNC",
    "QUOTA",
    "QUOTA=",
    "QUOTASET",
    "REPLACE",
    "RIGHTS=",
    "SASL-IR",
    "SAVEDATE",
    "SAVELIMIT",
    "SEARCH=FUZZY",
    "SEARCHRES",
    "SNIPPET=FUZZY",
    "SORT",
    "SORT=DISPLAY",
    "SPECIAL-USE",
    "STARTTLS",
    "STATUS=SIZE",
    "THREAD=ORDEREDSUBJECT",
    "THREAD=REFERENCES",
    "THREAD=REFS",
    "UIDBATCHES",
    "UIDONLY",
    "UIDPLUS",
    "UNAUTHENTICATE",
    "UNSELECT",
    "URL-PARTIAL",
    "URLAUTH",
    "URLAUTH=BINARY",
    "URLFETCH=BINARY",
    "UTF8=ACCEPT",
    "UTF8=ALL",
    "UTF8=APPEND",
    "UTF8=ONLY",
    "UTF8=USER",
    "WITHIN",
    "QUOTA=RES-STORAGE",
    "QUOTA=RES-MESSAGE",
    "QUOTA=RES-MAILBOX",
    "QUOTA=RES-ANNOTATION-STORAGE",
    "AUTH=PLAIN",
    "AUTH=LOGIN",
    "AUTH=CRAM-MD5",
    "AUTH=EXTERNAL",
    "AUTH=SCRAM-SHA-256",
    "AUTH=OAUTHBEARER",
];

/// Whether a server may have this capability. What begins with `X` is nobody's to list (RFC 3501 6.5.1).
pub(super) fn is_capability(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let known = |known: &&str| match known.strip_suffix('=') {
        Some(front) => {
            let value = name.strip_prefix(front).and_then(|rest| rest.strip_prefix('='));
            value.is_some_and(|value| !value.is_empty())
        }
        None => **known == name,
    };
    name.starts_with('X') || CAPABILITIES.iter().any(known)
}

/// The capability that was probably meant, as a hint to be put behind an error.
pub(super) fn capability_meant(name: &str) -> String {
    let words = ["user2", "tls", "inbox", "hierarchy", "starttls"];
    let all = CAPABILITIES.iter().filter(|known| !known.ends_with('=')).chain(&words);
    meant(name, all.copied())
}

/// Such as ``; did you mean `MOVE`?``, or nothing where no word is like this one.
pub(super) fn meant<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    match nearest(word, known) {
        Some(nearest) => format!("; did you mean `{nearest}`?"),
        None => String::new(),
    }
}

/// The word that is nearest to this one, if it is near: one slip, two where the word is long.
pub(super) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let slips = match word.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        _ => 2,
    };
    let near = known.map(|known| (distance(word, known), known));
    let near = near.filter(|(distance, _)| (1..=slips).contains(distance));
    near.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// How many letters are wrong, missing, too many or changed with their neighbours; case does not count.
fn distance(a: &str, b: &str) -> usize {
    let letters = |text: &str| text.to_ascii_uppercase().chars().collect::<Vec<char>>();
    let (a, b) = (letters(a), letters(b));
    // The rows for the two letters before and for this one.
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let of = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let changed = of(&last, j) + usize::from(x != y);
            let mut least = changed.min(of(&last, j + 1) + 1).min(of(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped && x != y {
                least = least.min(of(&before, j - 1) + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_one_letter_or_two_that_changed_places() {
        let of = |a, b| distance(a, b);
        assert_eq!([of("MOVE", "move"), of("MOVE", "MOEV"), of("MOVE", "MOVES")], [0, 1, 1]);
        assert_eq!([of("UIDPLSU", "UIDPLUS"), of("", "ab"), of("abc", "xyz")], [1, 2, 3]);
        assert_eq!(nearest("text", ["next"].into_iter()), Some("next"));
        assert_eq!(nearest("id", ["ip"].into_iter()), None);
    }

    #[test]
    fn capabilities_are_known_with_what_servers_put_behind_them() {
        for known in [
            "move",
            "AUTH=GSSAPI",
            "RIGHTS=texk",
            "QUOTA=RES-STORAGE",
            "X-MINE",
            "XLIST",
        ] {
            assert!(is_capability(known), "{known}");
        }
        for unknown in ["UIDPLSU", "AUTH=", "RIGHTS", "MOVE=1", "THREAD"] {
            assert!(!is_capability(unknown), "{unknown}");
        }
        assert_eq!(capability_meant("UIDPLSU"), "; did you mean `UIDPLUS`?");
        assert_eq!(capability_meant("usr2"), "; did you mean `user2`?");
        assert_eq!(capability_meant("NONSENSE"), "");
    }
}
