//! How a server is started anew, so that what comes first after that can be measured: a command of whoever runs the measurement.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::peer::{Peer, Way};
use super::process::Processes;
use super::round::Round;
use super::trouble::{Result, Stop, Trouble};

/// How long the command may take, and then the server until it greets.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks whether it has come so far.
const PAUSE: Duration = Duration::from_millis(10);
/// Octets of what the command says that are looked at.
const SAID: u64 = 1 << 16;

impl Peer {
    /// Starts the server anew, if there is a command for it; when this returns, the server has greeted. Processes that the
    /// command names (`pid=N`, a line each) are the server's from now on. It blocks, for seconds.
    ///
    /// # Errors
    /// The command fails or does not end, no greeting comes, or a process that was named is not there: what, for people.
    pub fn start_anew(&self) -> std::result::Result<(), String> {
        let Some(command) = &self.restart else { return Ok(()) };
        restarted(self, command, PATIENCE).map_err(|what| format!("`{command}` {what}"))
    }
}

impl Round<'_> {
    /// Starts the server anew where that can be done, so that what is measured next is the first since its start. All
    /// connections must have ended. A signal that ends the run waits for it: without a server no mailbox can be removed.
    pub(super) fn start_anew(&mut self) -> Result<()> {
        let peer = self.site.peer.clone();
        if peer.restart.is_none() {
            return Ok(());
        }
        self.site.stop.check()?;
        if self.restart_fails {
            return Trouble::wrong("the server was not restarted: that failed before");
        }
        self.says("the server is being restarted");
        if let Err(what) = peer.start_anew() {
            // What takes its whole patience to fail is not tried for each row.
            self.restart_fails = true;
            return Trouble::wrong(what);
        }
        if peer.processes.forget_missing() {
            self.warns("the server's process is another since its restart, and the command named none (pid=N)");
        }
        self.site.stop.check()
    }
}

fn restarted(peer: &Peer, command: &str, patience: Duration) -> std::result::Result<(), String> {
    let (status, said, complaints) = ended(command, patience)?;
    if !status.success() {
        let last = complaints.lines().rfind(|line| !line.trim().is_empty());
        return Err(match last {
            Some(last) => format!("ended with {status}: {last}"),
            None => format!("ended with {status}"),
        });
    }
    greeting(peer, patience)?;
    let named = said.lines().filter_map(|line| line.trim().strip_prefix("pid="));
    let named = named.map(|pid| pid.parse().map_err(|_| format!("named `{pid}` as a process")));
    let named = named.collect::<std::result::Result<Vec<u32>, String>>()?;
    if let Some(missing) = Processes::of(named.clone()).missing().first() {
        return Err(format!("named the process {missing}, which is not there"));
    }
    if !named.is_empty() {
        peer.processes.replace(named);
    }
    Ok(())
}

/// Runs a command of the shell to its end: how it ended, and what it said on both of its outputs. They are files, because a
/// server that it leaves behind holds them open, and would be killed by a pipe that nobody reads.
fn ended(command: &str, patience: Duration) -> std::result::Result<(ExitStatus, String, String), String> {
    let failed = |error: std::io::Error| format!("cannot be run: {error}");
    let (said, complaints) = (
        tempfile::tempfile().map_err(failed)?,
        tempfile::tempfile().map_err(failed)?,
    );
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).stdin(Stdio::null());
    shell
        .stdout(said.try_clone().map_err(failed)?)
        .stderr(complaints.try_clone().map_err(failed)?);
    // An interrupt at the keyboard is ours: the server goes on, so that the mailboxes can be removed.
    let mut child = shell.process_group(0).spawn().map_err(failed)?;
    let began = Instant::now();
    let status = loop {
        match child.try_wait().map_err(failed)? {
            Some(status) => break status,
            // It is left alone: it may well be the server.
            None if began.elapsed() >= patience => {
                let seconds = patience.as_secs();
                return Err(format!(
                    "has not ended after {seconds} s: it must leave the server running and end"
                ));
            }
            None => std::thread::sleep(PAUSE),
        }
    };
    Ok((status, text(said).map_err(failed)?, text(complaints).map_err(failed)?))
}

fn text(mut file: File) -> std::io::Result<String> {
    let mut octets = Vec::new();
    file.rewind()?;
    file.take(SAID).read_to_end(&mut octets)?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

/// Waits until the server greets.
fn greeting(peer: &Peer, patience: Duration) -> std::result::Result<(), String> {
    let began = Instant::now();
    loop {
        let left = patience.saturating_sub(began.elapsed());
        match Connection::greeted(peer, Way::Asked, left, &Stop::default()) {
            Ok(mut connection) => {
                // What becomes of it does not matter.
                let _ = connection.command("LOGOUT");
                return Ok(());
            }
            Err(trouble) if left.is_zero() => {
                let seconds = patience.as_secs();
                return Err(format!("has ended, but no greeting came for {seconds} s: {trouble}"));
            }
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::io::Write as _;
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;
    use crate::suite::bench::Accounts;
    use crate::suite::network::Network;
    use crate::suite::place::Facts;
    use crate::suite::target::Security;

    /// A server that says this to everybody and nothing else, or none.
    fn peer(greeting: Option<&'static str>) -> Peer {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let accounts = Accounts {
            name: "joe".to_owned(),
            count: 1,
            password: "secret".to_owned(),
        };
        let network = Network {
            address,
            first: accounts.login(0),
            second: None,
            security: Security::Plain,
            insecure: false,
            owns_inbox: false,
        };
        if let Some(greeting) = greeting {
            std::thread::spawn(move || {
                for client in listener.incoming() {
                    client.unwrap().write_all(greeting.as_bytes()).unwrap();
                }
            });
        }
        Peer::new("it".to_owned(), network, accounts, Facts::default()).unwrap()
    }

    fn restart(peer: &Peer, command: &str) -> std::result::Result<(), String> {
        restarted(peer, command, Duration::from_secs(60))
    }

    #[test]
    fn a_process_that_the_command_names_is_the_servers() {
        let (peer, own) = (peer(Some("* OK hello\r\n")), std::process::id());
        peer.processes.replace(vec![1]);
        assert_eq!(restart(&peer, "echo starting"), Ok(()));
        assert_eq!(peer.processes.named(), [1]);
        assert_eq!(restart(&peer, &format!("echo starting; echo pid={own}")), Ok(()));
        assert_eq!(peer.processes.named(), [own]);
        assert_eq!(restart(&peer, "echo pid=it"), Err("named `it` as a process".to_owned()));
        assert_eq!(
            restart(&peer, "echo pid=4294967295"),
            Err("named the process 4294967295, which is not there".to_owned())
        );
        assert_eq!(peer.processes.named(), [own]);
    }

    /// The server that the command leaves behind holds its outputs open.
    #[test]
    fn what_the_command_leaves_behind_is_not_waited_for() {
        let peer = peer(Some("* OK hello\r\n"));
        assert_eq!(restart(&peer, "sleep 60 & echo pid=$!"), Ok(()));
        let named = peer.processes.named();
        let [behind] = named[..] else { panic!("{named:?}") };
        assert_eq!(peer.processes.missing(), [0; 0]);
        let behind = rustix::process::Pid::from_raw(i32::try_from(behind).unwrap()).unwrap();
        rustix::process::kill_process(behind, rustix::process::Signal::KILL).unwrap();
    }

    #[test]
    fn what_goes_wrong_is_said() {
        let none = peer(None);
        let said = |command| restarted(&none, command, Duration::ZERO).unwrap_err();
        assert_eq!(
            said("exec sleep 1"),
            "has not ended after 0 s: it must leave the server running and end"
        );
        let said = |command| restarted(&none, command, Duration::from_millis(900)).unwrap_err();
        assert_eq!(said("exit 3"), "ended with exit status: 3");
        assert_eq!(
            said("echo one; echo two >&2; echo three >&2; exit 4"),
            "ended with exit status: 4: three"
        );
        assert_eq!(
            said("true"),
            "has ended, but no greeting came for 0 s: Connection refused (os error 111)"
        );
        let silent = peer(Some(""));
        assert_eq!(
            restarted(&silent, "true", Duration::from_millis(900)).unwrap_err(),
            "has ended, but no greeting came for 0 s: the server has ended the connection"
        );
        let busy = peer(Some("* BYE busy\r\n"));
        assert_eq!(
            restarted(&busy, "true", Duration::from_millis(900)).unwrap_err(),
            "has ended, but no greeting came for 0 s: the greeting is * BYE busy"
        );
    }
}
