//! The program `imapd` as processes of its own, several of them on one data folder.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{OnceLock, mpsc};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::client::Client;
use crate::leftovers::Folder;
use crate::stepper::DEADLINE;
use crate::stream::BoxedStream;

/// A data folder with the account `demo`, whose password is `secret`, and which has no mailbox but INBOX.
pub struct Data(TempDir);

impl Data {
    /// A new one, in memory where that is to be had.
    ///
    /// # Panics
    /// It cannot be made.
    pub fn new() -> Self {
        let in_memory = Path::new("/dev/shm");
        let here = std::env::temp_dir();
        Self::below(if in_memory.is_dir() { in_memory } else { &here })
    }

    /// A new one below this folder.
    ///
    /// # Panics
    /// It cannot be made.
    pub fn below(folder: &Path) -> Self {
        let data = Self(tempfile::tempdir_in(folder).expect("a temporary folder"));
        data.run(&["user", "add", "demo", "--bare", "--password-stdin"], b"secret\n");
        data
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Looked at from outside.
    pub fn folder(&self) -> Folder {
        Folder::new(self.path())
    }

    /// A process that delivers a message; when this returns it has been acknowledged.
    ///
    /// # Panics
    /// It was not.
    pub fn deliver(&self, mailbox: &str, message: &[u8]) {
        self.run(&["deliver", "--user", "demo", "--mailbox", mailbox], message);
    }

    /// A process that serves this folder.
    ///
    /// # Panics
    /// It does not.
    pub fn serve(&self) -> Process {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0", "--listen-tls", "none"]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("imapd starts");
        let stdout = BufReader::new(child.stdout.take().expect("its output"));
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            stdout
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| send.send(line))
        });
        let line = lines.recv_timeout(DEADLINE).expect("imapd says where it listens");
        let address = line.strip_prefix("listening on ").expect("an address");
        Process {
            address: address.parse().expect("an address"),
            child,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .arg("--data")
            .arg(self.path())
            .current_dir(self.path());
        command.env_remove("RUST_LOG").env_remove("NOTIFY_SOCKET");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str], input: &[u8]) {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .spawn()
            .expect("imapd starts");
        let mut stdin = child.stdin.take().expect("its input");
        stdin.write_all(input).expect("it reads what it is given");
        drop(stdin);
        let status = child.wait().expect("it ends");
        assert!(status.success(), "imapd {arguments:?}: {status}");
    }
}

impl Default for Data {
    fn default() -> Self {
        Self::new()
    }
}

/// A server in a process of its own, which is killed with the test.
pub struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A connection on which `demo` is logged in.
    ///
    /// # Panics
    /// There is none.
    pub async fn login(&self) -> Client {
        let stream = TcpStream::connect(self.address).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let mut client = Client::new(Box::new(stream) as BoxedStream);
        client.hears("* OK [CAPABILITY <list>] <text>").await;
        client.says("login LOGIN demo secret").await;
        client.hears("login OK [CAPABILITY <list>] <text>").await;
        client
    }

    /// Ends it as an operator does, and waits for that.
    ///
    /// # Panics
    /// It ends with an error.
    pub fn end(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("it is there");
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "imapd: {status}");
    }

    /// Ends it as a lack of memory does: in the middle of whatever it does.
    ///
    /// # Panics
    /// It cannot be killed.
    pub fn kill(mut self) {
        self.child.kill().expect("it is there");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program, beside the test in the folder of its profile. Built when it is not there.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let test = std::env::current_exe().expect("the test's own path");
        let profile = test.ancestors().nth(2).expect("the folder of the profile");
        let program = profile.join(format!("imapd{}", std::env::consts::EXE_SUFFIX));
        if !program.exists() {
            let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            build
                .args(["build", "--quiet", "--package", "imapd"])
                .current_dir(env!("CARGO_MANIFEST_DIR"));
            if profile.ends_with("release") {
                build.arg("--release");
            }
            let built = build.status().expect("cargo runs");
            assert!(built.success() && program.exists(), "there is no {}", program.display());
        }
        program
    })
}
