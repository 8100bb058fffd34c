//! The config file: every option from it, the command line above it, and mistakes named with their line.

use std::process::Command;

use crate::support::client::Client;
use crate::support::server::Server;
use crate::support::{Folder, ran};
use crate::tls::certificate;

#[test]
fn a_config_file_says_everything_relative_to_itself() {
    let folder = Folder::with_users("alice:secret");
    let (cert, _) = certificate(&folder, "own");
    let file = folder.file(
        "imapd.toml",
        "data = 'data'\nlisten = '127.0.0.1:0'\nlisten-tls = ['127.0.0.1:0', '127.0.0.1:0']\ntls-cert = 'own.pem'\n\
         tls-key = 'own.key'\ninsecure-auth = true\nsearch-index = false\nlog-format = 'json'\n",
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_imapd"));
    command.arg("serve").arg("--config").arg(file).current_dir("/");
    command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let server = Server::spawn(command, &folder, 3);
    server.log_in("alice", "secret");
    for address in &server.addresses[1..] {
        Client::connect_tls(*address, &cert).unwrap().log_in("alice", "secret");
    }
    server.wait_for_log("logged in");
    assert!(!folder.data().join("search.db").exists());
    assert!(server.log().lines().all(|l| l.starts_with('{')), "{}", server.log());
}

#[test]
fn the_command_line_wins() {
    let folder = Folder::with_users("alice:secret");
    let file = folder.file(
        "imapd.toml",
        "data = 'elsewhere'\nlisten = '192.0.2.1:143'\nlisten-tls = '192.0.2.1:993'\n",
    );
    let options = [
        "--config",
        file.to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
        "--listen-tls",
        "none",
    ];
    let server = Server::start_with(&folder, &options, 1);
    server.log_in("alice", "secret");
    assert!(!folder.path().join("elsewhere").exists());
}

#[test]
fn mistakes_in_the_file_are_named_with_their_line() {
    let folder = Folder::new();
    let expected = "`data`, `log-format`, `listen`, `listen-tls`, `tls-cert`, `tls-key`, `insecure-auth`, `search-index`, \
         `max-connections`, `max-per-user`, `max-per-address`";
    let table = [
        (
            "# mail\nlisten = '127.0.0.1:0'\nport = 143\n",
            format!("imapd: imapd.toml, line 3: unknown field `port`, expected one of {expected}\n"),
        ),
        (
            "insecure-auth = 1\n",
            "imapd: imapd.toml, line 1: invalid type: integer `1`, expected a boolean\n".to_owned(),
        ),
    ];
    for (text, error) in table {
        folder.file("imapd.toml", text);
        assert_eq!(
            folder.imapd(["serve", "--config", "imapd.toml"], ""),
            ran(1, "", &error)
        );
    }
    let missing = "imapd: the config file missing.toml cannot be read: No such file or directory (os error 2)\n";
    assert_eq!(
        folder.imapd(["serve", "--config", "missing.toml"], ""),
        ran(1, "", missing)
    );
    assert!(!folder.data().exists());
}
