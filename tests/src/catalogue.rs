//! The catalogue of requirements: every rule of the RFCs that tests cite, by an id that is never given twice.

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
