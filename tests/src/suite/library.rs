//! Where scenarios come from: those built in, or files of a folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use super::parse::{self, Error};
use super::scenario::{Messages, Scenario};

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The scenarios that are built in, in the order of their names.
///
/// # Errors
/// All that is wrong with them.
pub fn built_in() -> Result<Vec<Arc<Scenario>>, Vec<Error>> {
    let messages = built_in_messages();
    let files = EMBEDDED
        .iter()
        .map(|(name, source)| (format!("{name}.imap"), (*name).to_owned(), (*source).to_owned()));
    all(files, messages)
}

/// The built-in scenario of this name.
///
/// # Errors
/// What is wrong with it; an empty list when there is none.
pub fn built_in_named(name: &str) -> Result<Arc<Scenario>, Vec<Error>> {
    let messages = built_in_messages();
    let found = EMBEDDED.binary_search_by(|(known, _)| (*known).cmp(name)).ok();
    let (name, source) = found.and_then(|index| EMBEDDED.get(index)).ok_or_else(Vec::new)?;
    parse::scenario(&format!("{name}.imap"), name, source, messages).map(Arc::new)
}

/// What the file of a built-in scenario says.
pub fn source(name: &str) -> Option<&'static str> {
    let found = EMBEDDED.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    EMBEDDED.get(found).map(|(_, source)| *source)
}

/// The file of a built-in message.
pub fn message(name: &str) -> Option<&'static [u8]> {
    let found = EMBEDDED_MESSAGES.iter().find(|(known, _)| *known == name)?;
    Some(found.1)
}

/// The scenarios below a folder; messages are those of its `messages`, and the built-in ones.
///
/// # Errors
/// All that is wrong with them.
pub fn folder(folder: &Path) -> Result<Vec<Arc<Scenario>>, Vec<Error>> {
    let mut paths = Vec::new();
    visit(folder, &mut paths)?;
    paths.sort();
    let built_in = EMBEDDED_MESSAGES
        .iter()
        .map(|(name, octets)| ((*name).to_owned(), octets.to_vec()));
    let mut own = Vec::new();
    for path in paths.iter().filter(|p| p.extension().is_some_and(|e| e == "eml")) {
        let octets = std::fs::read(path).map_err(|e| vec![unreadable(path, &e)])?;
        own.push((
            path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            octets,
        ));
    }
    let messages = messages(built_in.chain(own));
    let mut sources = Vec::new();
    for path in paths.iter().filter(|p| p.extension().is_some_and(|e| e == "imap")) {
        let source = std::fs::read_to_string(path).map_err(|e| vec![unreadable(path, &e)])?;
        let name = path.strip_prefix(folder).unwrap_or(path).with_extension("");
        let name = name.to_string_lossy().replace('\\', "/");
        sources.push((path.display().to_string(), name, source));
    }
    all(sources.into_iter(), &messages)
}

fn built_in_messages() -> &'static Messages {
    static MESSAGES: LazyLock<Messages> = LazyLock::new(|| {
        messages(
            EMBEDDED_MESSAGES
                .iter()
                .map(|(name, octets)| ((*name).to_owned(), octets.to_vec())),
        )
    });
    &MESSAGES
}

fn messages(of: impl Iterator<Item = (String, Vec<u8>)>) -> Messages {
    of.map(|(name, octets)| (name, parse::message_file(&octets)))
        .collect::<BTreeMap<_, _>>()
}

fn all(
    files: impl Iterator<Item = (String, String, String)>,
    messages: &Messages,
) -> Result<Vec<Arc<Scenario>>, Vec<Error>> {
    let (mut scenarios, mut errors) = (Vec::new(), Vec::new());
    for (file, name, source) in files {
        match parse::scenario(&file, &name, &source, messages) {
            Ok(scenario) => scenarios.push(Arc::new(scenario)),
            Err(found) => errors.extend(found),
        }
    }
    if errors.is_empty() { Ok(scenarios) } else { Err(errors) }
}

fn visit(folder: &Path, paths: &mut Vec<std::path::PathBuf>) -> Result<(), Vec<Error>> {
    let unreadable = |e: &std::io::Error| vec![unreadable(folder, e)];
    for entry in std::fs::read_dir(folder).map_err(|e| unreadable(&e))? {
        let path = entry.map_err(|e| unreadable(&e))?.path();
        if path.is_dir() {
            visit(&path, paths)?
        } else {
            paths.push(path)
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error {
        file: path.display().to_string(),
        line: 1,
        column: 1,
        what: format!("it cannot be read: {error}"),
    }
}
