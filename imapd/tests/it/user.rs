//! Accounts on the command line: made, listed, changed, removed and imported, with and without a server that runs.

use std::process::Stdio;

use crate::support::server::Server;
use crate::support::{self, Folder, outcome, ran};

#[test]
fn an_account_is_made_once() {
    let folder = Folder::new();
    let add = ["user", "add", "alice", "--password-stdin"];
    assert_eq!(folder.imapd(add, "secret\n"), ran(0, "added alice\n", ""));
    let hint = "`imapd user passwd alice` changes the password";
    let twice = format!("imapd: the user alice exists already; {hint}\n");
    assert_eq!(folder.imapd(add, "other\n"), ran(1, "", &twice));
    let server = Server::start(&folder);
    server.log_in("alice", "secret");
}

#[test]
fn of_several_who_make_the_same_account_at_once_one_does() {
    let folder = &Folder::with_users("alice:secret");
    let add = |number: u8| {
        let added = folder.imapd(["user", "add", "bob", "--password-stdin"], format!("p{number}\n"));
        (number, added)
    };
    let runs = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|number| scope.spawn(move || add(number))).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect::<Vec<_>>()
    });
    let (made, refused): (Vec<_>, Vec<_>) = runs.into_iter().partition(|(_, run)| run.code == 0);
    assert_eq!((made.len(), refused.len()), (1, 3));
    let hint = "`imapd user passwd bob` changes the password";
    let twice = format!("imapd: the user bob exists already; {hint}\n");
    assert!(refused.iter().all(|(_, run)| *run == ran(1, "", &twice)));
    let server = Server::start(folder);
    let lets_in = |number: &u8| server.connect().is_let_in("bob", &format!("p{number}"));
    assert_eq!((0..4).filter(lets_in).collect::<Vec<_>>(), [made[0].0]);
}

#[test]
fn a_password_is_the_first_line_without_its_end() {
    for (input, password) in [
        ("a b\nrest", "\"a b\""),
        ("x\r\ny", "x"),
        ("no-end", "no-end"),
        (" sp \n", "\" sp \""),
    ] {
        let folder = Folder::new();
        assert_eq!(folder.imapd(["user", "add", "u", "--password-stdin"], input).code, 0);
        let server = Server::start(&folder);
        server.log_in("u", password);
    }
}

#[test]
fn what_is_no_password_or_no_name_is_refused() {
    let folder = Folder::new();
    let empty = "imapd: the first line of standard input is empty: the password is expected there\n";
    for input in ["", "\n", "\r\n", "\nsecret\n"] {
        assert_eq!(
            folder.imapd(["user", "add", "a", "--password-stdin"], input),
            ran(1, "", empty),
            "{input:?}"
        );
    }
    let long = "x".repeat(1025);
    let too_long = "imapd: the password is longer than 1024 octets\n";
    assert_eq!(
        folder.imapd(["user", "add", "a", "--password-stdin"], long),
        ran(1, "", too_long)
    );
    let slash = "imapd: a user name cannot hold a slash\n";
    assert_eq!(
        folder.imapd(["user", "add", "a/b", "--password-stdin"], "x"),
        ran(1, "", slash)
    );
    let nobody = "imapd: no accounts yet; make one with `imapd user add NAME`\n";
    assert_eq!(folder.imapd(["user", "list"], ""), ran(0, "", nobody));
}

#[test]
fn without_a_terminal_nobody_is_asked() {
    let folder = Folder::with_users("alice:secret");
    let refused = "imapd: there is no terminal to ask for the password on: give it with --password-stdin\n";
    assert_eq!(folder.imapd(["user", "add", "bob"], "x\n"), ran(1, "", refused));
    assert_eq!(folder.imapd(["user", "passwd", "alice"], "x\n"), ran(1, "", refused));
    assert_eq!(
        folder.imapd(["user", "remove", "alice"], ""),
        ran(0, "removed alice\n", "")
    );
}

#[test]
fn verbs_about_an_account_want_one_that_is_there() {
    let folder = Folder::with_users("alice:secret");
    let error = "imapd: there is no user bob; `imapd user list` shows those that there are\n";
    assert_eq!(
        folder.imapd(["user", "passwd", "bob", "--password-stdin"], "x\n"),
        ran(1, "", error)
    );
    assert_eq!(folder.imapd(["user", "remove", "bob", "--yes"], ""), ran(1, "", error));
}

#[test]
fn bare_means_inbox_alone() {
    let folder = Folder::new();
    folder.imapd(["user", "add", "robot", "--bare", "--password-stdin"], "x");
    let server = Server::start(&folder);
    let mut client = server.log_in("robot", "x");
    assert_eq!(client.ok("LIST \"\" *"), ["* LIST (\\HasNoChildren) \"/\" INBOX"]);
}

#[test]
fn the_list_has_every_account_with_its_mail() {
    let folder = Folder::with_users("zoe:x\nalice:x\nbob:x\n");
    let message = format!("Subject: x\n\n{}", "0123456789".repeat(500));
    for _ in 0..12 {
        assert_eq!(folder.imapd(["deliver", "--user", "bob"], &message), ran(0, "", ""));
    }
    let table = "NAME   MESSAGES   SIZE\nalice         0    0 B\nbob          12  61 KB\nzoe           0    0 B\n";
    assert_eq!(folder.imapd(["user", "list"], ""), ran(0, table, ""));
}

#[test]
fn what_is_done_to_accounts_takes_effect_in_a_server_that_runs() {
    let folder = Folder::with_users("alice:secret");
    let server = Server::start(&folder);
    assert!(!server.connect().is_let_in("bob", "x"));

    folder.imapd(["user", "add", "bob", "--password-stdin"], "x\n");
    server.log_in("bob", "x");

    let changed = folder.imapd(["user", "passwd", "bob", "--password-stdin"], "y\n");
    assert_eq!(changed, ran(0, "changed the password of bob\n", ""));
    assert!(!server.connect().is_let_in("bob", "x"));
    server.log_in("bob", "y");

    assert_eq!(
        folder.imapd(["user", "remove", "bob", "--yes"], ""),
        ran(0, "removed bob\n", "")
    );
    assert!(!server.connect().is_let_in("bob", "y"));
    server.log_in("alice", "secret");
}

/// Who is told so at once, at the next command, or when a message was sent.
#[test]
fn sessions_of_a_user_who_is_removed_end_and_see_nothing_of_a_later_user_of_that_name() {
    let folder = Folder::with_users("alice:secret\nbob:x");
    let server = Server::start(&folder);
    folder.imapd(["deliver", "--user", "bob"], "Subject: old\n\n");
    let log_in = || server.log_in("bob", "x");

    let mut idles = log_in();
    idles.ok("SELECT INBOX");
    let idle = idles.start("IDLE").unwrap();
    assert!(idles.line().unwrap().starts_with("+ "));
    let mut selected = log_in();
    selected.ok("SELECT INBOX");
    let mut sends = log_in();
    let append = sends.start("APPEND INBOX {10}").unwrap();
    assert!(sends.line().unwrap().starts_with("+ "));
    let commands = [
        "LIST \"\" *",
        "LSUB \"\" *",
        "STATUS INBOX (MESSAGES)",
        "SELECT INBOX",
        "EXAMINE Sent",
        "CREATE new",
        "DELETE Sent",
        "RENAME Sent Gone",
        "RENAME INBOX Gone",
        "SUBSCRIBE new",
        "UNSUBSCRIBE INBOX",
        "APPEND INBOX {1+}\r\nx",
    ];
    let asking: Vec<_> = commands.iter().map(|command| (command, log_in())).collect();

    // Another password is no reason to end a session.
    folder.imapd(["user", "passwd", "bob", "--password-stdin"], "y\n");
    selected.ok("NOOP");
    assert!(!server.connect().is_let_in("bob", "x"));

    assert_eq!(folder.imapd(["user", "remove", "bob", "--yes"], "").code, 0);
    folder.imapd(["user", "add", "bob", "--password-stdin"], "new\n");
    folder.imapd(["deliver", "--user", "bob"], "Subject: new\n\n");

    let bye = idles.answer(&idle).unwrap_err();
    assert_eq!(bye.kind(), std::io::ErrorKind::UnexpectedEof);
    let end = |answer: support::client::Answer, client: &mut support::client::Client| {
        assert_eq!(answer.untagged, [""; 0]);
        let bye = client.line().unwrap();
        assert!(bye.starts_with("* BYE "), "{bye}");
        assert!(client.line().is_err());
        answer.tagged
    };
    let noop = selected.ask("NOOP").unwrap();
    assert!(end(noop, &mut selected).starts_with("OK "));
    sends.send("0123456789\r\n").unwrap();
    let append = sends.answer(&append).unwrap();
    assert_eq!(end(append, &mut sends), "NO this account was removed");
    for (command, mut client) in asking {
        let answer = client.ask(command).unwrap();
        assert_eq!(end(answer, &mut client), "NO this account was removed", "{command}");
    }
    let mut new = server.log_in("bob", "new");
    assert_eq!(new.ok("STATUS INBOX (MESSAGES)"), ["* STATUS INBOX (MESSAGES 1)"]);
    assert_eq!(new.ok("LIST \"\" new"), [""; 0]);
}

#[test]
fn a_user_who_is_made_again_has_none_of_the_mail_of_before() {
    let folder = Folder::with_users("alice:secret");
    let server = Server::start(&folder);
    folder.imapd(["deliver", "--user", "alice"], "Subject: old\n\n");
    folder.imapd(["user", "remove", "alice"], "");
    folder.imapd(["user", "add", "alice", "--password-stdin"], "new\n");
    let mut client = server.log_in("alice", "new");
    assert_eq!(client.ok("STATUS INBOX (MESSAGES)"), ["* STATUS INBOX (MESSAGES 0)"]);
}

#[test]
fn accounts_are_imported_from_a_file_and_from_standard_input() {
    let folder = Folder::new();
    // The second and third password is `password`, hashed elsewhere.
    let lines = "\u{feff}# comment\r\nalice:pass:word \r\n\r\nbob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\r\n\
                 eve:{SSHA256}SrHPQNM9t1sH3GmmyAdY1oPbbQo5C7xhB2ot/YaFWQpuczhr\nmax:{PLAIN}{x}\n";
    let file = folder.file("users.txt", lines);
    let imported = folder.imapd(["user".as_ref(), "import".as_ref(), file.as_os_str()], "");
    assert_eq!(imported, ran(0, "imported 4 accounts\n", ""));
    assert_eq!(
        folder.imapd(["user", "import", "-"], "one:more"),
        ran(0, "imported 1 account\n", "")
    );
    assert_eq!(
        folder.imapd(["user", "import", "-"], "# nobody\n"),
        ran(0, "imported 0 accounts\n", "")
    );
    let server = Server::start(&folder);
    for (user, password) in [
        ("alice", "\"pass:word \""),
        ("bob", "password"),
        ("eve", "password"),
        ("max", "{x}"),
        ("one", "more"),
    ] {
        if password == "{x}" {
            // `{` begins a literal outside of quotes.
            server.log_in(user, "\"{x}\"");
        } else {
            server.log_in(user, password);
        }
    }
}

#[test]
fn an_import_with_a_mistake_imports_nothing_and_names_the_line() {
    let folder = Folder::with_users("alice:secret");
    let table: &[(&[u8], &str)] = &[
        (
            b"new:x\nbroken\n",
            "line 2: there is no colon between name and password",
        ),
        (b"new:x\n\n\nnew:y\n", "line 4: the user new is there twice"),
        (b"new:x\nalice:y\n", "line 2: the user alice exists already"),
        (b"new:\n", "line 1: the password is empty"),
        (b":x\n", "line 1: a user name cannot be empty"),
        (
            b"new:{SSHA}short\n",
            "line 1: scheme SSHA: not a base64 hash of the right length",
        ),
        (b"new:x\n\xff:y\n", "line 2: not UTF-8"),
    ];
    for (lines, why) in table {
        let error = format!("imapd: standard input, {why}; no account was imported\n");
        assert_eq!(
            folder.imapd(["user", "import", "-"], lines),
            ran(1, "", &error),
            "{why}"
        );
    }
    let file = folder.file("users.txt", "x");
    let error = format!(
        "imapd: {}, line 1: there is no colon between name and password; no account was imported\n",
        file.display()
    );
    assert_eq!(
        folder.imapd(["user".as_ref(), "import".as_ref(), file.as_os_str()], ""),
        ran(1, "", &error)
    );
    assert_eq!(
        folder.imapd(["user", "list"], "").out,
        "NAME   MESSAGES  SIZE\nalice         0   0 B\n"
    );
    let missing = folder.imapd(["user", "import", "missing.txt"], "");
    assert_eq!(
        missing,
        ran(
            1,
            "",
            "imapd: missing.txt cannot be read: No such file or directory (os error 2)\n"
        )
    );
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let folder = Folder::with_users("alice:secret");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = folder
        .command(["user", "list"])
        .stdout(Stdio::from(writer))
        .output()
        .unwrap();
    assert_eq!(outcome(output), ran(0, "", ""));
}
