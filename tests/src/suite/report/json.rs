//! A run as JSON: the record that `--format json` writes and `compare` reads.
//!
//! The record is one object with the fields of [`Run`]. A verdict is `{"verdict": "passed"}`, `{"verdict": "failed",
//! "failure": {…}}` or `{"verdict": "skipped", "reason": "…"}`. Fields may be added without notice, and a reader passes over
//! those that it does not know; when a field changes its meaning or goes, [`VERSION`] grows.

use std::io::{self, Read, Write};

use serde::Deserialize;

use super::super::outcome::Run;

/// The version of the record that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read at all.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is no JSON, or no record of a run.
    #[error("it is no record of a run (made with `--format json`): {0}")]
    Malformed(#[from] serde_json::Error),
    /// It is a record of another version.
    #[error("it is a record of version {0}, and this program reads version {VERSION}")]
    Version(u32),
}

pub(super) fn write(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, run)?;
    writeln!(out)
}

/// Reads a record.
///
/// # Errors
/// See [`ReadError`].
pub fn read(input: &mut impl Read) -> Result<Run, ReadError> {
    /// What every version has.
    #[derive(Deserialize)]
    struct Any {
        version: u32,
    }

    let mut octets = Vec::new();
    input.read_to_end(&mut octets)?;
    let Any { version } = serde_json::from_slice(&octets)?;
    if version != VERSION {
        return Err(ReadError::Version(version));
    }
    Ok(serde_json::from_slice(&octets)?)
}

#[cfg(test)]
mod tests {
    use super::super::{Format, sample, write};
    use super::*;

    fn written(run: &Run) -> String {
        let mut out = Vec::new();
        write(run, Format::Json, &mut out, false).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_record_is_stable() {
        sample::golden("small.json", &written(&sample::small()));
    }

    #[test]
    fn what_is_written_is_read_back() {
        for run in [sample::run(), sample::hostile()] {
            assert_eq!(read(&mut written(&run).as_bytes()).unwrap(), run);
        }
    }

    #[test]
    fn a_field_of_a_later_program_is_passed_over() {
        let text = written(&sample::small()).replace("\"seed\":", "\"weather\": [1, 2], \"seed\":");
        assert_eq!(read(&mut text.as_bytes()).unwrap(), sample::small());
    }

    #[test]
    fn another_version_is_refused_by_its_number() {
        let error = |text: &str| read(&mut text.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            error(r#"{"version": 7, "outcomes": "elsewhere"}"#),
            "it is a record of version 7, and this program reads version 1"
        );
        assert_eq!(
            error("[]"),
            "it is no record of a run (made with `--format json`): \
             invalid length 0, expected struct Any with 1 element at line 1 column 2"
        );
        assert_eq!(
            error("<html>"),
            "it is no record of a run (made with `--format json`): expected value at line 1 column 1"
        );
    }
}
