//! The real binary: found or built, started on ports of its own in a folder of its own, and ended with the test.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use imap_compliance::Client;
use imap_compliance::stream::BoxedStream;
use tempfile::TempDir;
use tokio::net::TcpStream;

/// A running `imapd` with the account `demo`, password `secret`.
pub(crate) struct Daemon {
    child: Child,
    folder: TempDir,
    /// The port without TLS.
    pub(crate) port: u16,
    /// The port with TLS from the start.
    pub(crate) tls_port: u16,
}

impl Daemon {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        imapd(&data, &["user", "add", "demo", "--password-stdin"], b"secret");
        let mut child = Command::new(binary())
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--listen-tls",
                "127.0.0.1:0",
                "--data",
            ])
            .arg(&data)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut port = || {
            let line = lines.next().unwrap().unwrap();
            let address = line.strip_prefix("listening on 127.0.0.1:");
            address
                .unwrap_or_else(|| panic!("not an address: {line:?}"))
                .parse()
                .unwrap()
        };
        let (port, tls_port) = (port(), port());
        Self {
            child,
            folder,
            port,
            tls_port,
        }
    }

    /// A folder for the test's own files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The certificate that it made for itself.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.data().join("tls").join("cert.pem")
    }

    /// A connection that `demo` has logged in on.
    pub(crate) async fn login(&self) -> Client {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut client = Client::new(Box::new(stream) as BoxedStream);
        client.hears("* OK [CAPABILITY <list>] <text>").await;
        client.says("login LOGIN demo secret").await;
        client.hears("login OK [CAPABILITY <list>] <text>").await;
        client
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command of the binary on a data folder.
pub(crate) fn imapd(data: &Path, arguments: &[&str], input: &[u8]) {
    let mut child = Command::new(binary())
        .args(arguments)
        .arg("--data")
        .arg(data)
        .env("RUST_LOG", "error")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let status = child.wait().unwrap();
    assert!(status.success(), "imapd {arguments:?}: {status}");
}

/// Where the binary is: beside this test's own folder, built if need be.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let profile = test.parent().and_then(Path::parent).unwrap().to_owned();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package", "imapd"]);
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        let built = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
        assert!(built.success(), "imapd cannot be built");
        let binary = profile.join("imapd");
        assert!(binary.is_file(), "{} is not there", binary.display());
        binary
    })
}
