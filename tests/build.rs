//! Builds the scenarios in: their texts, the messages they name, and a test for each.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let variable = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .ok_or_else(|| io::Error::other(name))
    };
    let (root, out) = (variable("CARGO_MANIFEST_DIR")?, variable("OUT_DIR")?);
    let folder = root.join("scenarios");
    let mut files = Vec::new();
    visit(&folder, &mut files)?;
    let (mut scenarios, mut messages) = (Vec::new(), Vec::new());
    for file in files {
        println!("cargo::rerun-if-changed={}", file.display());
        let inner = file.strip_prefix(&folder).unwrap_or(&file).with_extension("");
        match file.extension().and_then(|ending| ending.to_str()) {
            Some("imap") => scenarios.push((inner.to_string_lossy().replace('\\', "/"), file)),
            Some("eml") => {
                let name = inner.file_name().unwrap_or_default();
                messages.push((name.to_string_lossy().into_owned(), file));
            }
            _ => {}
        }
    }
    // By name, as they are looked up.
    scenarios.sort();
    messages.sort();
    let mut source = String::from("/// Names and texts.\nstatic EMBEDDED: &[(&str, &str)] = &[\n");
    for (name, file) in &scenarios {
        let _ = writeln!(
            source,
            "    ({name:?}, include_str!({:?})),",
            file.display().to_string()
        );
    }
    source.push_str("];\n/// Names and octets.\nstatic EMBEDDED_MESSAGES: &[(&str, &[u8])] = &[\n");
    for (name, file) in &messages {
        let _ = writeln!(
            source,
            "    ({name:?}, include_bytes!({:?})),",
            file.display().to_string()
        );
    }
    source.push_str("];\n");
    fs::write(out.join("embedded.rs"), source)?;
    fs::write(out.join("suite_macro.rs"), suite_macro(&scenarios))
}

/// The macro that makes a test of each scenario, in modules as the folders are.
fn suite_macro(scenarios: &[(String, PathBuf)]) -> String {
    let mut source = String::from(MACRO);
    let mut open: Vec<&str> = Vec::new();
    for (name, _) in scenarios {
        let (folders, test) = name.rsplit_once('/').unwrap_or(("", name));
        let folders: Vec<&str> = folders.split('/').filter(|folder| !folder.is_empty()).collect();
        let common = open.iter().zip(&folders).take_while(|(a, b)| a == b).count();
        while open.len() > common {
            open.pop();
            source.push_str("            }\n");
        }
        for folder in folders.iter().skip(common) {
            let _ = writeln!(source, "            mod {} {{ use super::play;", identifier(folder));
            open.push(folder);
        }
        let _ = writeln!(
            source,
            "            #[test] fn {}() {{ play({name:?}); }}",
            identifier(test)
        );
    }
    for _ in open {
        source.push_str("            }\n");
    }
    source.push_str("        }\n    };\n}\n");
    source
}

const MACRO: &str = r"/// A module of this name with a test for each scenario, played on what the closure makes:
/// `suite!(my_store, || async { InProcess::new(…) })`.
///
/// A backend that lets clients CREATE and APPEND needs no more. One that can only be read needs
/// [`filled_by`](crate::suite::InProcess::filled_by) and [`read_only`](crate::suite::InProcess::read_only) behind `new`.
/// [`suite::in_process`](crate::suite::in_process) has both in full, and where the dependency comes from.
#[macro_export]
macro_rules! suite {
    ($name:ident, $factory:expr) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            fn play(scenario: &str) {
                $crate::suite::in_process::test(scenario, $factory);
            }
";

/// A name of Rust: `6.4.6-store` becomes `s6_4_6_store`.
fn identifier(name: &str) -> String {
    let word: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let keyword = matches!(
        word.as_str(),
        "move" | "match" | "use" | "in" | "type" | "where" | "loop" | "if" | "enum" | "play"
    );
    if keyword || word.starts_with(|c: char| c.is_ascii_digit()) {
        format!("s{word}")
    } else {
        word.to_ascii_lowercase()
    }
}

fn visit(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            visit(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
