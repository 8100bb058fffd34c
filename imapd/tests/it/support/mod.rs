//! A data folder of a test's own, the program run on it, and what came of that.

pub(crate) mod client;
pub(crate) mod server;

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// After this long something that should happen did not.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A folder that is removed with the test; the data folder is in it, not made yet.
pub(crate) struct Folder(tempfile::TempDir);

/// How a run of the program ended, and all it said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A run that ended like this.
pub(crate) fn ran(code: i32, out: &str, err: &str) -> Ran {
    let (out, err) = (out.to_owned(), err.to_owned());
    Ran { code, out, err }
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A folder with these accounts, given as lines of an import.
    pub(crate) fn with_users(lines: &str) -> Self {
        let folder = Self::new();
        let imported = folder.imapd(["user", "import", "-"], lines);
        assert_eq!((imported.code, imported.err.as_str()), (0, ""));
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// A file beside the data folder.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The program on this data folder, to be run.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_imapd"));
        command
            .args(args)
            .arg("--data")
            .arg(self.data())
            .current_dir(self.path());
        command.env_remove("RUST_LOG").env_remove("NOTIFY_SOCKET");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program on this data folder, with this on standard input.
    pub(crate) fn imapd<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>, input: impl AsRef<[u8]>) -> Ran {
        run(self.command(args), input.as_ref())
    }
}

/// Runs a program to its end.
pub(crate) fn run(mut command: Command, input: &[u8]) -> Ran {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that does not want it ends without having read it.
    let _ = stdin.write_all(input);
    drop(stdin);
    let _watchdog = Watchdog::of(&child);
    outcome(child.wait_with_output().unwrap())
}

pub(crate) fn outcome(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Kills a process that should have ended long ago, so that a test that waits for it fails instead of waiting.
pub(crate) struct Watchdog(#[expect(dead_code, reason = "dropped, it calls the watchdog off")] mpsc::Sender<()>);

impl Watchdog {
    pub(crate) fn of(child: &Child) -> Self {
        let (call_off, ended) = mpsc::channel();
        let pid = Pid::from_child(child);
        std::thread::spawn(move || {
            if ended.recv_timeout(DEADLINE) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = kill_process(pid, Signal::KILL);
            }
        });
        Self(call_off)
    }
}
