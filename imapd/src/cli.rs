//! The command line: its verbs and options, the help that teaches them, and which exit code a mistake in it has.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::failure::USAGE;
use crate::sysexits;

/// `imapd` and what follows it.
#[derive(Debug, Parser)]
#[command(
    name = "imapd",
    version,
    about = "An IMAP server: one binary, one data folder, no other service",
    after_help = EXAMPLES
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    /// What to do; `serve` when it is left out
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

/// What every verb takes, before or after it.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The data folder: accounts, mail and the self-made certificate [default: ./imapd-data]
    #[arg(long, global = true, value_name = "DIR", display_order = 100)]
    pub(crate) data: Option<PathBuf>,
    /// How log lines on standard error look: text or json [default: text]; RUST_LOG says which are written
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        display_order = 101,
        hide_possible_values = true
    )]
    pub(crate) log_format: Option<LogFormat>,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people
    #[default]
    Text,
    /// An object a line, for programs
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run the server
    #[command(long_about = SERVE_ABOUT, after_help = SERVE_EXAMPLES)]
    Serve(ServeArgs),
    /// Manage accounts, also while the server runs
    #[command(subcommand, after_help = USER_EXAMPLES)]
    User(UserVerb),
    /// Put one message from standard input into a mailbox
    #[command(long_about = DELIVER_ABOUT, after_help = DELIVER_EXAMPLES)]
    Deliver(DeliverArgs),
    /// Make the index of texts anew that SEARCH is fast by
    #[command(long_about = REINDEX_ABOUT, after_help = REINDEX_EXAMPLES)]
    Reindex(ReindexArgs),
}

#[derive(Debug, Args, Default)]
pub(crate) struct ServeArgs {
    /// Where to listen, with STARTTLS offered; may be repeated; `none` for nowhere [default: 127.0.0.1:1143]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Vec<String>,
    /// Where to listen with TLS from the start; may be repeated; `none` for nowhere [default: 127.0.0.1:1993]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen_tls: Vec<String>,
    /// The certificate chain (PEM), the server's own first; without it one is made and kept in the data folder
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Take passwords from any network without TLS; without this only loopback may send them so
    #[arg(long)]
    pub(crate) insecure_auth: bool,
    /// Keep no index of texts: it saves a tenth of the mail's room, and every SEARCH for a text reads all messages
    #[arg(long)]
    pub(crate) no_search_index: bool,
    /// The most connections in all; each idles in about 12 KB [default: 50000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_connections: Option<u32>,
    /// The most connections of one user [default: 16000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_per_user: Option<u32>,
    /// The most connections from one address [default: 32000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_per_address: Option<u32>,
    /// Read options from a TOML file; those given here win
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserVerb {
    /// Make an account
    #[command(long_about = ADD_ABOUT, after_help = ADD_EXAMPLES)]
    Add {
        /// The account's name: what people log in with
        name: String,
        /// Take the password from the first line of standard input instead of asking
        #[arg(long)]
        password_stdin: bool,
        /// Make INBOX alone, without Drafts, Sent, Junk, Trash and Archive
        #[arg(long)]
        bare: bool,
    },
    /// Give an account another password
    #[command(after_help = PASSWD_EXAMPLES)]
    Passwd {
        /// The account's name
        name: String,
        /// Take the password from the first line of standard input instead of asking
        #[arg(long)]
        password_stdin: bool,
    },
    /// Show all accounts
    List,
    /// Remove an account with all its mail
    #[command(after_help = REMOVE_EXAMPLES)]
    Remove {
        /// The account's name
        name: String,
        /// Do not ask on a terminal
        #[arg(long, short)]
        yes: bool,
    },
    /// Make an account for each line of a file
    #[command(long_about = IMPORT_ABOUT, after_help = IMPORT_EXAMPLES)]
    Import {
        /// The file; `-` is standard input
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DeliverArgs {
    /// Whose mailbox
    #[arg(long, value_name = "NAME")]
    pub(crate) user: String,
    /// Which mailbox
    #[arg(long, value_name = "M", default_value = "INBOX")]
    pub(crate) mailbox: String,
    /// Make the mailbox when it is not there
    #[arg(long)]
    pub(crate) create: bool,
    /// The envelope's sender, for Return-Path; empty for a bounce
    #[arg(long, value_name = "ADDR", default_value = "", hide_default_value = true)]
    pub(crate) from: String,
}

#[derive(Debug, Args)]
pub(crate) struct ReindexArgs {
    /// Whose messages; without it everybody's
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
}

/// Reads the command line; ends the process when it asks for help or makes no sense.
pub(crate) fn parse() -> Result<Cli, u8> {
    let args: Vec<OsString> = std::env::args_os().collect();
    Cli::try_parse_from(&args).map_err(|error| {
        // Nobody to tell when the terminal is gone.
        let _ = error.print();
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => 0,
            _ if is_deliver(&args) => sysexits::USAGE,
            _ => USAGE,
        }
    })
}

/// Whether the verb is `deliver`, whose callers are MTAs: they read exit codes as `sysexits.h` has them.
fn is_deliver(args: &[OsString]) -> bool {
    let mut args = args.iter().skip(1).filter_map(|a| a.to_str());
    while let Some(arg) = args.next() {
        match arg {
            "--data" | "--log-format" => drop(args.next()),
            _ if arg.starts_with('-') => {}
            verb => return verb == "deliver",
        }
    }
    false
}

const EXAMPLES: &str = "\
Examples:
  imapd                                   serve ./imapd-data, with a demo account at first
  imapd user add alice                    make an account; asks for a password
  imapd deliver --user alice < mail.eml   put a message into her INBOX
  imapd reindex                           make the index anew that SEARCH is fast by
  imapd --data /var/lib/imapd serve --listen 0.0.0.0:143 --listen-tls 0.0.0.0:993 \\
        --tls-cert fullchain.pem --tls-key privkey.pem

All of them work while a server runs on the same folder. `imapd help VERB` says more.";

const SERVE_ABOUT: &str = "\
Run the server.

In a new folder it makes an account `demo` with a random password and a few messages, and prints how to log in. For each \
listener it prints a line `listening on ADDR` on standard output once it accepts connections; everything else goes to \
standard error.

SIGTERM and SIGINT say goodbye to every client, finish what is under way for at most 10 seconds, and end; a second one ends \
at once. SIGHUP reads the certificate and its key again; connections stay. Under systemd use Type=notify-reload.";

const SERVE_EXAMPLES: &str = "\
Examples:
  imapd serve
  imapd serve --listen 127.0.0.1:1143 --listen '[::1]:1143' --listen-tls none
  imapd serve --listen 0.0.0.0:143 --listen-tls 0.0.0.0:993 --tls-cert fullchain.pem --tls-key privkey.pem
  imapd serve --config /etc/imapd.toml

ADDR is IP:PORT, [IPv6]:PORT or NAME:PORT; port 0 takes a free one. [::]:PORT takes IPv4 as well.

A config file can hold every option; paths in it start at its own folder, and a key that is not known is refused:
  data = \"/var/lib/imapd\"
  listen = [\"127.0.0.1:143\", \"[::1]:143\"]
  listen-tls = \"0.0.0.0:993\"
  tls-cert = \"/etc/ssl/mail.pem\"
  tls-key = \"/etc/ssl/mail.key\"
  insecure-auth = false
  search-index = true
  log-format = \"json\"";

const USER_EXAMPLES: &str = "\
Examples:
  imapd user add alice
  imapd user list
  imapd user import accounts.txt

Exit codes: 0 done, 1 not done (the message says why), 2 wrong usage.";

const ADD_ABOUT: &str = "\
Make an account.

It gets INBOX and, unless --bare is given, Drafts, Sent, Junk, Trash and Archive, so that mail clients know where to put what. \
All are subscribed. The password is asked for twice; it is kept as an argon2id hash.";

const ADD_EXAMPLES: &str = "\
Examples:
  imapd user add alice
  pass mail/alice | imapd user add alice --password-stdin
  imapd user add robot --bare --password-stdin < secret.txt";

const PASSWD_EXAMPLES: &str = "\
Examples:
  imapd user passwd alice
  pass mail/alice | imapd user passwd alice --password-stdin

The old password is of no use from then on; connections that are logged in stay.";

const REMOVE_EXAMPLES: &str = "\
Examples:
  imapd user remove alice         asks on a terminal whether that is meant
  imapd user remove alice --yes

The mail cannot be brought back.";

const IMPORT_ABOUT: &str = "\
Make an account for each line of a file: all of them, or none when a line is wrong.

A line is `name:password` or `name:{SCHEME}hash`; empty lines and lines that begin with # are skipped. Schemes: PLAIN, ARGON2ID, \
SHA, SSHA, SHA256, SSHA256, SHA512, SSHA512. Hashes other than argon2id are replaced when their user logs in.";

const IMPORT_EXAMPLES: &str = "\
Examples:
  imapd user import accounts.txt
  other-server export | imapd user import -

accounts.txt:
  # name:password
  alice:correct horse battery staple
  bob:{SSHA256}SrHPQNM9t1sH3GmmyAdY1oPbbQo5C7xhB2ot/YaFWQpuczhr";

const DELIVER_ABOUT: &str = "\
Put one message from standard input into a mailbox.

`Return-Path: <ADDR>` and `Delivered-To: NAME` are put before it, bare LF line ends become CRLF, NUL octets are left out, and a first line `From ` as in mbox \
files is dropped; nothing else is changed. When the exit code is 0 the message is on the disk; clients that are connected hear \
of it at once. It takes messages of any size in constant memory.";

const DELIVER_EXAMPLES: &str = "\
Examples:
  imapd deliver --user alice < message.eml
  imapd deliver --user alice --mailbox Lists/rust --create --from owner@lists.example < message.eml

As an MTA's delivery command (Postfix, master.cf):
  imapd unix - n n - 10 pipe user=imapd null_sender=
    argv=/usr/bin/imapd deliver --data /var/lib/imapd --user ${user} --from ${sender}

Exit codes, as in sysexits.h; unless it is 0 nothing was delivered:
   0  delivered, durably
  64  the command line is wrong
  66  standard input is empty
  67  there is no such user
  73  there is no such mailbox, and --create was not given
  74  standard input could not be read to its end
  75  busy, disk full, or the data folder cannot be used just now: try again later
  78  the data folder is not usable by this program (of a newer version, or not a mail store)";

const REINDEX_ABOUT: &str = "\
Make the index of texts anew that SEARCH is fast by.

The server keeps the index in step with the mail by itself, also after a crash. This is for the day when its log says that the \
index cannot be used, or when the index was switched off for long and is to be complete at once. Mail is only read; clients may \
stay connected, and their searches give the same answers meanwhile, only more slowly.

When it is interrupted, the server does the rest. A damaged index is mended when everybody's is made anew, without --user.";

const REINDEX_EXAMPLES: &str = "\
Examples:
  imapd reindex
  imapd reindex --user alice
  imapd --data /var/lib/imapd reindex

At a terminal a bar shows how far it is; at the end one line on standard output says how much was indexed.

Exit codes: 0 done, 1 not done (the message says why), 2 wrong usage.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn options_of_every_verb_stand_before_or_after_it() {
        for line in [
            ["imapd", "--data", "d", "user", "list"],
            ["imapd", "user", "--data", "d", "list"],
            ["imapd", "user", "list", "--data", "d"],
        ] {
            let cli = Cli::try_parse_from(line).unwrap();
            assert_eq!(cli.common.data, Some("d".into()), "{line:?}");
        }
    }

    #[test]
    fn deliver_is_recognised_also_in_a_wrong_command_line() {
        let table: &[(&[&str], bool)] = &[
            (&["imapd", "deliver"], true),
            (&["imapd", "--data", "user", "deliver", "--usr", "x"], true),
            (&["imapd", "--data=user", "deliver"], true),
            (&["imapd", "user", "add", "deliver"], false),
            (&["imapd", "--data", "deliver"], false),
            (&["imapd"], false),
        ];
        for (line, deliver) in table {
            let line: Vec<OsString> = line.iter().map(OsString::from).collect();
            assert_eq!(is_deliver(&line), *deliver, "{line:?}");
        }
    }
}
