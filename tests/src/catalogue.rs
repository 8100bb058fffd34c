//! The catalogue of requirements: every rule of the RFCs that tests cite, by an id that is never given twice.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The catalogue as it stands in `requirements.tsv`.
pub const SOURCE: &str = include_str!("../requirements.tsv");

/// One rule of an RFC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirement {
    /// Such as `R3501-077`: the RFC and a number.
    pub id: &'static str,
    /// RFC and section.
    pub section: &'static str,
    /// MUST, SHOULD, MAY …; MUST-P binds by prose or grammar without the word.
    pub level: &'static str,
    /// The rule.
    pub text: &'static str,
    /// Whether it can be seen on the wire.
    pub testable: bool,
    /// In which command or state.
    pub place: &'static str,
}

/// All requirements, in the order of the file.
///
/// # Panics
/// A row has not six columns.
pub fn requirements() -> Vec<Requirement> {
    SOURCE.lines().skip(1).map(requirement).collect()
}

fn requirement(row: &'static str) -> Requirement {
    let columns: Vec<&str> = row.split('\t').collect();
    let [id, section, level, text, testable, place] = columns[..] else {
        panic!("not six columns: {row:?}");
    };
    Requirement {
        id,
        section,
        level,
        text,
        testable: testable == "y",
        place,
    }
}

impl Requirement {
    /// The RFC's number, which the id begins with.
    pub fn rfc(&self) -> u32 {
        rfc_of(self.id).unwrap_or(0)
    }

    /// How much it binds.
    pub fn force(&self) -> Force {
        match self.level {
            "MAY" => Force::May,
            "SHOULD" | "SHOULD NOT" => Force::Should,
            _ => Force::Must,
        }
    }
}

/// How much a requirement binds (RFC 2119).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Force {
    /// MUST, MUST NOT and MUST-P.
    Must,
    /// SHOULD and SHOULD NOT.
    Should,
    /// MAY: allowed outcomes, so no percentage is made of these.
    May,
}

/// The requirement with this id.
pub fn requirement_of(id: &str) -> Option<&'static Requirement> {
    static ALL: LazyLock<HashMap<&str, Requirement>> =
        LazyLock::new(|| requirements().into_iter().map(|r| (r.id, r)).collect());
    ALL.get(id)
}

/// The RFC that an id belongs to.
pub fn rfc_of(id: &str) -> Option<u32> {
    id.strip_prefix('R')?.split_once('-')?.0.parse().ok()
}

/// The RFCs that our own server offers.
pub const OFFERED: [u32; 16] = [
    2177, 2180, 2342, 2683, 2971, 3501, 3691, 4315, 4616, 4959, 5161, 5530, 6154, 6851, 7888, 7889,
];

/// What an RFC is about, in a word or three; empty when it is not of the catalogue.
pub fn topic(rfc: u32) -> &'static str {
    TOPICS.iter().find(|(number, _)| *number == rfc).map_or("", |t| t.1)
}

/// The RFCs of the catalogue, each with its capability or topic.
const TOPICS: [(u32, &str); 59] = [
    (2087, "QUOTA (old)"),
    (2177, "IDLE"),
    (2180, "multi-access"),
    (2342, "NAMESPACE"),
    (2683, "implementation advice"),
    (2971, "ID"),
    (3501, "IMAP4rev1"),
    (3502, "MULTIAPPEND"),
    (3516, "BINARY"),
    (3691, "UNSELECT"),
    (4314, "ACL"),
    (4315, "UIDPLUS"),
    (4466, "ABNF"),
    (4469, "CATENATE"),
    (4616, "SASL PLAIN"),
    (4731, "ESEARCH"),
    (4959, "SASL-IR"),
    (4978, "COMPRESS"),
    (5032, "WITHIN"),
    (5161, "ENABLE"),
    (5182, "SEARCHRES"),
    (5255, "I18NLEVEL"),
    (5256, "SORT, THREAD"),
    (5258, "LIST-EXTENDED"),
    (5267, "CONTEXT"),
    (5464, "METADATA"),
    (5465, "NOTIFY"),
    (5530, "response codes"),
    (5802, "SCRAM"),
    (5819, "LIST-STATUS"),
    (5957, "SORT=DISPLAY"),
    (6154, "SPECIAL-USE"),
    (6203, "SEARCH=FUZZY"),
    (6851, "MOVE"),
    (6855, "UTF8 (old)"),
    (7162, "CONDSTORE, QRESYNC"),
    (7377, "MULTISEARCH"),
    (7628, "OAUTHBEARER"),
    (7817, "TLS identity"),
    (7888, "LITERAL+, LITERAL-"),
    (7889, "APPENDLIMIT"),
    (8314, "implicit TLS"),
    (8437, "UNAUTHENTICATE"),
    (8438, "STATUS=SIZE"),
    (8440, "LIST-MYRIGHTS"),
    (8474, "OBJECTID"),
    (8508, "REPLACE"),
    (8514, "SAVEDATE"),
    (8970, "PREVIEW"),
    (9051, "IMAP4rev2"),
    (9208, "QUOTA"),
    (9394, "PARTIAL"),
    (9585, "INPROGRESS"),
    (9586, "UIDONLY"),
    (9590, "LIST-METADATA"),
    (9698, "JMAPACCESS"),
    (9738, "MESSAGELIMIT"),
    (9755, "UTF8=ACCEPT"),
    (10022, "UIDBATCHES"),
];

/// The ids that a text cites.
pub fn cited(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('R').filter_map(|(at, _)| {
        let before = text[..at].chars().next_back();
        if before.is_some_and(char::is_alphanumeric) {
            return None;
        }
        let rest = &text[at + 1..];
        let rfc = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number = rest.get(rfc..)?.strip_prefix('-')?;
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        (rfc > 0 && digits > 0).then(|| &text[at..=at + rfc + 1 + digits])
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn every_id_is_given_once() {
        let all = requirements();
        let ids: BTreeSet<&str> = all.iter().map(|r| r.id).collect();
        assert_eq!(ids.len(), all.len());
        for Requirement { id, section, .. } in all {
            let rfc = section.trim_start_matches("RFC").split(' ').next().unwrap();
            assert!(id.starts_with(&format!("R{rfc}-")), "{id} is not of {section}");
            assert_eq!(cited(id).collect::<Vec<_>>(), [id]);
        }
    }

    #[test]
    fn levels_are_those_of_rfc_2119_and_must_by_prose() {
        let known = ["MAY", "MUST", "MUST NOT", "MUST-P", "SHOULD", "SHOULD NOT"];
        let levels: BTreeSet<&str> = requirements().iter().map(|r| r.level).collect();
        assert_eq!(levels.into_iter().collect::<Vec<_>>(), known);
        let seen: BTreeSet<&str> = SOURCE
            .lines()
            .skip(1)
            .filter_map(|row| row.split('\t').nth(4))
            .collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["n", "y"]);
    }

    #[test]
    fn every_rfc_has_a_topic() {
        let rfcs: BTreeSet<u32> = requirements().iter().map(Requirement::rfc).collect();
        assert_eq!(rfcs.into_iter().collect::<Vec<_>>(), TOPICS.map(|(rfc, _)| rfc));
    }

    fn fingerprint(text: &str) -> String {
        Sha256::digest(text)[..4]
            .iter()
            .map(|octet| format!("{octet:02x}"))
            .collect()
    }

    /// `requirements.ids` holds every id that was ever given, with the fingerprint of the rule that it was given to. A rule may
    /// be put in other words; but it does not move to another id, and its id does not go. With `UPDATE_GOLDEN=1` in the
    /// environment new ids are added.
    #[test]
    fn no_id_goes_or_is_given_to_another_rule() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("requirements.ids");
        let given = std::fs::read_to_string(&path).unwrap();
        let given: Vec<(&str, &str)> = given.lines().map(|line| line.split_once('\t').unwrap()).collect();
        let all = requirements();
        let mut wrong = Vec::new();
        for (id, was) in &given {
            let Some(rule) = requirement_of(id) else {
                wrong.push(format!("{id} is gone"));
                continue;
            };
            let here = |other: &&Requirement| other.rfc() == rule.rfc() && other.id != *id;
            let moved = all.iter().filter(here).find(|other| fingerprint(other.text) == *was);
            match moved {
                Some(to) if fingerprint(rule.text) != *was => wrong.push(format!("{id} is {} now", to.id)),
                _ => {}
            }
        }
        assert_eq!(wrong, [""; 0]);
        let new: Vec<&Requirement> = all.iter().filter(|r| given.iter().all(|(id, _)| *id != r.id)).collect();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let given = given.iter().map(|(id, was)| format!("{id}\t{was}\n"));
            let new = new.iter().map(|r| format!("{}\t{}\n", r.id, fingerprint(r.text)));
            std::fs::write(&path, given.chain(new).collect::<String>()).unwrap();
            return;
        }
        let new: Vec<&str> = new.iter().map(|r| r.id).collect();
        assert_eq!(
            new, [""; 0],
            "not yet in tests/requirements.ids: \
             UPDATE_GOLDEN=1 cargo test -p imap-compliance --lib given_to_another_rule"
        );
    }

    #[test]
    fn ids_are_found_in_prose() {
        let text = "/// R3501-077, R7162-1; not R3501 or XR12-3 or R-1 (R3501-078)";
        assert_eq!(cited(text).collect::<Vec<_>>(), ["R3501-077", "R7162-1", "R3501-078"]);
    }

    #[test]
    fn every_id_cited_in_the_workspace_is_in_the_catalogue() {
        let known: BTreeSet<&str> = requirements().iter().map(|r| r.id).collect();
        let mut unknown = Vec::new();
        let mut files = 0;
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        visit(root, &mut |path, text| {
            files += 1;
            let ids = cited(text).filter(|id| !known.contains(id));
            unknown.extend(ids.map(|id| format!("{}: {id}", path.display())));
        });
        // The examples of the test above are none of the catalogue's.
        unknown.retain(|u| !u.contains("catalogue.rs"));
        assert_eq!(unknown, [""; 0]);
        assert!(files > 100, "the workspace was not found: {files} files");
    }

    fn visit(folder: &Path, act: &mut impl FnMut(&Path, &str)) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let source = matches!(path.extension().and_then(|e| e.to_str()), Some("rs" | "md"));
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                visit(&path, act);
            } else if source && path.is_file() {
                act(&path, &std::fs::read_to_string(&path).unwrap());
            }
        }
    }
}
