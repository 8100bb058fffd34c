//! The command line: which forms are taken, what help and mistakes look like, and with which code the program ends.

use std::process::Command;

use crate::support::{Folder, Ran, ran, run};

/// The program without a data folder named.
fn bare(args: &[&str]) -> Ran {
    let folder = Folder::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_imapd"));
    command.args(args).current_dir(folder.path());
    command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    run(command, b"")
}

#[test]
fn the_version_is_told() {
    assert_eq!(
        bare(&["--version"]),
        ran(0, concat!("imapd ", env!("CARGO_PKG_VERSION"), "\n"), "")
    );
}

#[test]
fn every_level_has_help_with_examples() {
    for level in [
        &["--help"][..],
        &["serve", "--help"],
        &["user", "--help"],
        &["user", "add", "--help"],
        &["user", "passwd", "--help"],
        &["user", "remove", "--help"],
        &["user", "import", "--help"],
        &["deliver", "--help"],
        &["reindex", "--help"],
    ] {
        let help = bare(level);
        assert_eq!((help.code, help.err.as_str()), (0, ""), "{level:?}");
        assert!(help.out.contains("\nExamples:\n"), "{level:?}: {}", help.out);
        assert!(help.out.contains("--data <DIR>"), "{level:?}: {}", help.out);
    }
}

#[test]
fn help_as_a_verb_says_what_the_option_says() {
    for (verb, option) in [
        (&["help"][..], &["--help"][..]),
        (&["help", "serve"], &["serve", "--help"]),
        (&["help", "user"], &["user", "--help"]),
        (&["help", "user", "add"], &["user", "add", "--help"]),
        (&["user", "help", "add"], &["user", "add", "--help"]),
        (&["help", "deliver"], &["deliver", "--help"]),
        (&["help", "reindex"], &["reindex", "--help"]),
    ] {
        assert_eq!(bare(verb), bare(option), "{verb:?}");
    }
}

#[test]
fn a_mistake_in_one_address_is_told_though_the_other_is_taken() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    let refused = bare(&["serve", "--listen", &taken, "--listen-tls", "127.0.0.1"]);
    assert_eq!(refused.code, 2, "{}", refused.err);
}

#[test]
fn mistakes_end_with_code_2_and_those_of_deliver_with_64() {
    let table: &[(&[&str], i32)] = &[
        (&["srve"], 2),
        (&["help", "srve"], 2),
        (&["help", "deliver", "bcc"], 2),
        (&["serve", "--lisen", "127.0.0.1:0"], 2),
        (&["serve", "extra"], 2),
        (&["serve", "--listen", "1143"], 2),
        (&["serve", "--listen", ":1143"], 2),
        (&["serve", "--listen-tls", "127.0.0.1"], 2),
        (&["serve", "--listen", "none", "--listen-tls", "none"], 2),
        (&["serve", "--listen", "none", "--listen", "127.0.0.1:0"], 2),
        (&["serve", "--tls-cert", "x"], 2),
        (&["serve", "--tls-key", "x"], 2),
        (&["serve", "--log-format", "xml"], 2),
        (&["user"], 2),
        (&["user", "add"], 2),
        (&["user", "add", "alice", "secret"], 2),
        (&["user", "add", "alice", "--password", "secret"], 2),
        (&["user", "passwd"], 2),
        (&["user", "list", "alice"], 2),
        (&["user", "remove"], 2),
        (&["user", "import"], 2),
        (&["reindex", "alice"], 2),
        (&["deliver"], 64),
        (&["deliver", "--user"], 64),
        (&["deliver", "--user", "a", "--bcc", "b"], 64),
        (&["--data", "user", "deliver"], 64),
    ];
    for (args, code) in table {
        let refused = bare(args);
        assert_eq!(
            (refused.code, refused.out.as_str()),
            (*code, ""),
            "{args:?}: {}",
            refused.err
        );
        assert!(!refused.err.is_empty(), "{args:?}");
    }
}

#[test]
fn the_data_folder_is_named_before_or_after_the_verb() {
    let folder = Folder::with_users("alice:secret");
    let data = folder.data();
    let data = data.to_str().unwrap();
    let table = ran(0, "NAME   MESSAGES  SIZE\nalice         0   0 B\n", "");
    for args in [
        ["--data", data, "user", "list"],
        ["user", "--data", data, "list"],
        ["user", "list", "--data", data],
    ] {
        assert_eq!(bare(&args), table, "{args:?}");
    }
}

#[test]
fn without_a_name_the_data_folder_is_imapd_data_here() {
    let folder = Folder::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_imapd"));
    command
        .args(["user", "add", "alice", "--password-stdin"])
        .current_dir(folder.path());
    command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    assert_eq!(run(command, b"secret\n"), ran(0, "added alice\n", ""));
    assert!(folder.path().join("imapd-data/mail.db").is_file());
}

#[test]
fn a_folder_that_is_not_there_is_not_made_by_looking_at_it() {
    let folder = Folder::new();
    let data = folder.data();
    let hint = "name the data folder with --data, or make an account there with `imapd user add`";
    let error = format!("imapd: there is no mail store in {}: {hint}\n", data.display());
    for args in [
        &["user", "list"][..],
        &["user", "passwd", "a"],
        &["user", "remove", "a"],
        &["reindex"],
    ] {
        assert_eq!(folder.imapd(args, ""), ran(1, "", &error), "{args:?}");
    }
    assert_eq!(folder.imapd(["deliver", "--user", "a"], "x"), ran(75, "", &error));
    assert!(!data.exists());
}

#[test]
fn a_folder_of_a_newer_version_is_refused() {
    let folder = Folder::with_users("alice:secret");
    let path = folder.data().join("mail.db");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--listen-tls", "none"];
    let refused = folder.imapd(serve, "");
    let path = path.canonicalize().unwrap();
    let why = "was written by a newer version (schema 99; this program knows 2): update the program";
    let error = format!("imapd: the data folder cannot be used: {} {why}\n", path.display());
    assert_eq!(refused, ran(1, "", &error));
    assert_eq!(folder.imapd(["user", "list"], ""), ran(1, "", &error));
    assert_eq!(folder.imapd(["deliver", "--user", "alice"], "x"), ran(78, "", &error));
}

#[test]
fn something_else_in_place_of_the_folder_is_refused() {
    let folder = Folder::new();
    std::fs::write(folder.data(), "a file").unwrap();
    let error = format!(
        "imapd: {} is not a folder: name a data folder with --data\n",
        folder.data().display()
    );
    assert_eq!(
        folder.imapd(["user", "add", "a", "--password-stdin"], "x\n"),
        ran(1, "", &error)
    );
    assert_eq!(
        folder.imapd(["serve", "--listen", "127.0.0.1:0", "--listen-tls", "none"], ""),
        ran(1, "", &error)
    );
}

#[test]
fn a_wrong_filter_for_the_log_stops_nothing() {
    let folder = Folder::with_users("alice:secret");
    let mut command = folder.command(["user", "list"]);
    command.env("RUST_LOG", "=[=");
    let listed = run(command, b"");
    assert_eq!(
        (listed.code, listed.out.as_str()),
        (0, "NAME   MESSAGES  SIZE\nalice         0   0 B\n")
    );
    assert!(listed.err.contains("RUST_LOG is not understood"), "{}", listed.err);
}
