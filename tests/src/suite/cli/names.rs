//! The scenarios by name: which there are, and what one says.

use std::io::{self, Write};
use std::path::Path;

use super::super::library;
use super::arguments::Which;
use super::{Unchosen, chosen};

/// Writes a line for each scenario: its name, the requirements that it shows, its claim.
///
/// # Errors
/// There is none.
pub(super) fn list(which: &Which, out: &mut dyn Write) -> Result<(), String> {
    let scenarios = chosen(which).map_err(|(Unchosen::None(why) | Unchosen::Wrong(why))| why)?;
    let lines = scenarios
        .iter()
        .map(|s| format!("{} [{}]: {}", s.name, s.covers.join(" "), s.claim));
    written(lines, out)
}

/// Writes a scenario or a message.
///
/// # Errors
/// There is none of this name.
pub(super) fn show(name: &str, numbers: bool, folder: Option<&Path>, out: &mut dyn Write) -> Result<(), String> {
    let bare = name.strip_suffix(".imap").or(name.strip_suffix(".eml")).unwrap_or(name);
    let text = match folder {
        Some(folder) => {
            let file = folder.join(format!("{bare}.imap"));
            std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?
        }
        None => {
            let message = || library::message(bare).map(|octets| String::from_utf8_lossy(octets).into_owned());
            let found = library::source(bare).map(str::to_owned).or_else(message);
            found.ok_or_else(|| {
                let last = bare.rsplit('/').next().unwrap_or_default();
                format!("there is no scenario and no message {bare}: imap-compliance list --filter '*{last}*'")
            })?
        }
    };
    let numbered = (1..).zip(text.lines()).map(|(number, line)| match numbers {
        true => format!("{number:>4}  {line}").trim_end().to_owned(),
        false => line.to_owned(),
    });
    written(numbered, out)
}

/// Whoever reads may have seen enough, as `head` has.
fn written(lines: impl Iterator<Item = String>, out: &mut dyn Write) -> Result<(), String> {
    for line in lines {
        match writeln!(out, "{line}") {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use clap::Parser as _;

    use super::super::arguments::{Arguments, Command};
    use super::*;

    fn listed(arguments: &str) -> Result<String, String> {
        let words = ["imap-compliance", "list"]
            .into_iter()
            .chain(arguments.split_whitespace());
        let Some(Command::List { which }) = Arguments::try_parse_from(words).unwrap().command else {
            panic!("no list")
        };
        let mut out = Vec::new();
        list(&which, &mut out).map(|()| String::from_utf8(out).unwrap())
    }

    fn shown(name: &str, numbers: bool, folder: Option<&Path>) -> Result<String, String> {
        let mut out = Vec::new();
        show(name, numbers, folder, &mut out).map(|()| String::from_utf8(out).unwrap())
    }

    #[test]
    fn each_scenario_is_listed_with_its_requirements_and_its_claim() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        file(
            "b.imap",
            "B is so.\n\nrfc: 6851 3.1\ncovers: R6851-001 R6851-002\nneeds: MOVE\n---\nA: a NOOP\n  a OK <text>\n",
        );
        file(
            "a.imap",
            "A is so.\n\nrfc: 3501 6.1.2\ncovers: R3501-001\n---\nA: a NOOP\n  a OK <text>\n",
        );
        let of = |more: &str| listed(&format!("--scenarios {} {more}", folder.path().display()));
        let (a, b) = ("a [R3501-001]: A is so.\n", "b [R6851-001 R6851-002]: B is so.\n");
        assert_eq!(of(""), Ok(format!("{a}{b}")));
        assert_eq!(of("--capability move"), Ok(b.to_owned()));
        assert_eq!(of("--requirement r3501-001"), Ok(a.to_owned()));
        assert_eq!(of("--filter b*"), Ok(b.to_owned()));
        assert_eq!(
            of("--filter c").unwrap_err(),
            "no scenario is chosen by --filter, --requirement, --capability and --group; a pattern is for the whole name: \
             try '*c*'"
        );
        assert_eq!(
            shown("a", false, Some(folder.path())).unwrap().lines().next(),
            Some("A is so.")
        );
    }

    #[test]
    fn a_built_in_scenario_is_shown_as_it_is_written() {
        let all = library::built_in().unwrap();
        let some = all.iter().find(|s| s.name.starts_with("rfc3501/")).unwrap();
        let plain = shown(&some.name, false, None).unwrap();
        assert_eq!(plain.lines().next(), Some(some.claim.as_str()));
        assert_eq!(shown(&format!("{}.imap", some.name), false, None), Ok(plain.clone()));
        let numbered = shown(&some.name, true, None).unwrap();
        assert_eq!(numbered.lines().next(), Some(format!("   1  {}", some.claim).as_str()));
        assert_eq!(numbered.lines().count(), plain.lines().count());
    }

    #[test]
    fn a_message_is_shown_and_what_is_not_there_says_how_to_look() {
        let plain = shown("plain", false, None).unwrap();
        assert_eq!(shown("plain.eml", false, None), Ok(plain));
        assert_eq!(
            shown("rfc3501/nope", false, None),
            Err("there is no scenario and no message rfc3501/nope: imap-compliance list --filter '*nope*'".to_owned())
        );
    }
}
