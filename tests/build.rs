//! Builds the scenarios in: their texts, the messages they name, and a test for each.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where we are"));
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo says where to write"));
    let folder = root.join("scenarios");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    visit(&folder, &mut files);
    files.sort();
    let mut scenarios = Vec::new();
    let mut messages = Vec::new();
    for file in files {
        println!("cargo::rerun-if-changed={}", file.display());
        let inner = file.strip_prefix(&folder).expect("below the folder").with_extension("");
        let name = inner.to_string_lossy().replace('\\', "/");
        match file.extension().and_then(|e| e.to_str()) {
            Some("imap") => scenarios.push((name, file)),
            Some("eml") => messages.push((inner.file_name().expect("a name").to_string_lossy().into_owned(), file)),
            _ => {}
        }
    }
    scenarios.sort();
    let mut source = String::new();
    source.push_str("/// Names and texts.\nstatic EMBEDDED: &[(&str, &str)] = &[\n");
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
    std::fs::write(out.join("embedded.rs"), source).expect("the list of scenarios is written");
    std::fs::write(out.join("suite_macro.rs"), suite_macro(&scenarios)).expect("the macro is written");
}

/// The macro that makes a test of each scenario, in modules as the folders are.
fn suite_macro(scenarios: &[(String, PathBuf)]) -> String {
    let mut source = String::from(
        "/// A module of this name with a test for each scenario, played on what the closure makes: see\n\
         /// [`suite::in_process`](crate::suite::in_process).\n\
         #[macro_export]\n\
         macro_rules! suite {\n    ($name:ident, $factory:expr) => {\n        mod $name {\n            \
         #[allow(unused_imports)]\n            use super::*;\n            \
         fn play(scenario: &str) {\n                $crate::suite::in_process::test(scenario, $factory);\n            }\n",
    );
    let mut open: Vec<&str> = Vec::new();
    for (name, _) in scenarios {
        let mut folders: Vec<&str> = name.split('/').collect();
        let test = folders.pop().expect("a name has a part");
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

fn visit(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            visit(&path, files)
        } else {
            files.push(path)
        }
    }
}
