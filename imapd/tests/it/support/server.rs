//! A running server: where it listens, what it logs, and signals to it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use super::client::Client;
use super::{DEADLINE, Folder, Watchdog};

/// A server that is killed with the test.
pub(crate) struct Server {
    child: Child,
    pub(crate) addresses: Vec<SocketAddr>,
    log: Arc<Log>,
    data: PathBuf,
}

#[derive(Default)]
struct Log {
    text: Mutex<String>,
    more: Condvar,
}

impl Server {
    /// Serves a folder, one listener without TLS and one with.
    pub(crate) fn start(folder: &Folder) -> Self {
        Self::start_with(folder, &["--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0"], 2)
    }

    /// Serves a folder with these options, until it says of so many listeners that they listen.
    pub(crate) fn start_with(folder: &Folder, options: &[&str], listeners: usize) -> Self {
        Self::spawn(folder.command(["serve"].iter().chain(options)), folder, listeners)
    }

    pub(crate) fn spawn(mut command: Command, folder: &Folder, listeners: usize) -> Self {
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Log::default());
        let mut stderr = child.stderr.take().unwrap();
        let sink = log.clone();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = stderr.read(&mut piece) {
                sink.text
                    .lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&piece[..read]));
                sink.more.notify_all();
            }
        });
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            stdout
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| send.send(line))
        });
        let mut server = Self {
            child,
            addresses: Vec::new(),
            log,
            data: folder.data(),
        };
        let end = Instant::now() + DEADLINE;
        while server.addresses.len() < listeners {
            let line = lines.recv_timeout(end.saturating_duration_since(Instant::now()));
            let line = line.unwrap_or_else(|_| panic!("it does not listen: {}", server.log()));
            let address = line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}"));
            server.addresses.push(address.parse().unwrap());
        }
        server
    }

    /// The first listener, which is without TLS unless a test wants it otherwise.
    pub(crate) fn plain(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// The second listener.
    pub(crate) fn tls(&self) -> SocketAddr {
        self.addresses[1]
    }

    /// Connects without TLS, and reads the greeting.
    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.plain())
    }

    /// Connects and logs in.
    pub(crate) fn log_in(&self, user: &str, password: &str) -> Client {
        let mut client = self.connect();
        client.log_in(user, password);
        client
    }

    /// The certificate that the server made for itself.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.data.join("tls/cert.pem")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Everything on standard error until now.
    pub(crate) fn log(&self) -> String {
        self.log.text.lock().unwrap().clone()
    }

    /// Waits until standard error has this.
    pub(crate) fn wait_for_log(&self, text: &str) {
        let end = Instant::now() + DEADLINE;
        let mut log = self.log.text.lock().unwrap();
        while !log.contains(text) {
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the log never says {text:?}: {log}");
            log = self.log.more.wait_timeout(log, left).unwrap().0;
        }
    }

    /// Waits until the process has ended; its exit code, or -1 after a signal.
    pub(crate) fn wait(&mut self) -> i32 {
        let _watchdog = Watchdog::of(&self.child);
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
