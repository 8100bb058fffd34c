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
