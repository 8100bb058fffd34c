//! What the command line of `bench` says, and the help that teaches it.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::super::super::bench::{self, report};
use super::super::super::target::Security;

pub(in super::super) const EXAMPLES: &str = "\
Examples:
  imap-compliance bench localhost:1143 --user demo --password secret --quick
      A quick look at all scenarios.
  imap-compliance bench localhost:1143 --user 'user{}' --accounts 200 --password secret \\
          --pid $(pidof imapd)
      As figures are quoted: with user1 to user200, and with processor time and memory.
  imap-compliance bench localhost:1143 --user 'user{}' --accounts 200 --password secret \\
          --label ours --compare localhost:2143 --compare-label theirs --plot ratios.svg
      Two servers in one run, in turn: ratios, their spread, their geometric mean. These mean
      something beyond one machine.
  imap-compliance bench localhost:1143 --user demo --password secret --group noop --group list \\
          --rounds 3 --format html --output report.html
      Only these; medians of three rounds, as a page for a browser.
  imap-compliance bench localhost:1143 --user demo --password secret --group select \
          --restart 'pkill -x imapd; while pgrep -x imapd; do sleep 0.1; done >/dev/null
                     imapd serve >imapd.log 2>&1 & echo pid=$!'
      SELECT after a start. A service: --restart 'systemctl restart dovecot'.
  imap-compliance bench localhost:1143 --user demo --password secret --growth --plot growth.svg
      How cost grows from 1,000 to 100,000 messages; --full goes on to 1,000,000.
  imap-compliance bench --list
      What there is to be measured.

What makes figures good:
  - The machine does nothing else: `others' CPU` and the spread tell. The server and this
    program are built for release.
  - Rows of one connection depend on where the system puts the two sides. Pin both to one core
    for those, which compares the work they do: `taskset -c 0` in front of each.
  - A store in a RAM disk compares the work; one on a disk shows what a durable change costs.
  - TLS measures TLS: compare in the clear, unless that is what you want to know.
  - The server must let one account have 200 connections at once, as long as there are few
    accounts even as many as --idle says.
  - `first` is the first time that anybody asks, in a mailbox just filled; with --restart, the
    first time after a start of the server. The system still has its files in memory then; a
    command that has it forget them (as root, `echo 3 > /proc/sys/vm/drop_caches`) shows a start
    of the machine.

A command for --restart ends the server and starts it again on the same accounts, mailboxes and
address, and ends itself with status 0. The server stays behind, its output going elsewhere. A
line `pid=N` that the command prints names the server's process from then on, as --pid did. It
is tried once before anything is measured.

Its mailboxes begin with `imap-compliance-bench-` and are removed in the end, also after an
interrupt. It touches no other, INBOX neither.

The exit status is 0 when all went well, 1 when an answer was wrong (its row is an ERROR, never
a figure), 2 when nothing could be measured, and 130 when a signal ended the run early.";

/// A measurement.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in super::super) struct Bench {
    /// The server
    #[arg(value_name = "HOST:PORT", required_unless_present = "list")]
    pub(super) server: Option<String>,

    /// The account; with --accounts, `{}` in it is a number: 'user{}' is user1, user2 …
    #[arg(long, value_name = "NAME", help_heading = "Accounts")]
    pub(super) user: Option<String>,
    /// How many accounts there are; 200 are enough
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = many, help_heading = "Accounts")]
    pub(super) accounts: usize,
    /// Their password
    #[arg(
        long,
        env = "IMAP_PASSWORD",
        hide_env_values = true,
        value_name = "TEXT",
        help_heading = "Accounts"
    )]
    pub(super) password: Option<String>,
    /// A file whose first line is their password
    #[arg(long, conflicts_with = "password", value_name = "FILE", help_heading = "Accounts")]
    pub(super) password_file: Option<PathBuf>,

    /// What the server is called in reports; HOST:PORT if it is not said
    #[arg(long, value_name = "TEXT", help_heading = "The server")]
    pub(super) label: Option<String>,
    /// Its process, to look at processor time and memory, its children's included (Linux); may be repeated
    #[arg(long, value_name = "PID", value_delimiter = ',', help_heading = "The server")]
    pub(super) pid: Vec<u32>,
    /// A command of the shell that restarts the server and ends when it runs again: `first` is then after a start
    #[arg(long, value_name = "COMMAND", help_heading = "The server")]
    pub(super) restart: Option<String>,
    /// A port with TLS from the first octet on, for what idle connections within TLS take; else STARTTLS
    #[arg(long, value_name = "PORT", help_heading = "The server")]
    pub(super) tls_port: Option<u16>,
    /// TLS from the first octet on (port 993), for all
    #[arg(long, conflicts_with = "starttls", help_heading = "The server")]
    pub(super) tls: bool,
    /// TLS by STARTTLS in front of each login, for all
    #[arg(long, help_heading = "The server")]
    pub(super) starttls: bool,
    /// Take any certificate, as test servers have
    #[arg(long, help_heading = "The server")]
    pub(super) insecure: bool,

    /// Another server, measured in the same run, in turn
    #[arg(long, value_name = "HOST:PORT", help_heading = "Comparison")]
    pub(super) compare: Option<String>,
    /// What it is called
    #[arg(long, requires = "compare", value_name = "TEXT", help_heading = "Comparison")]
    pub(super) compare_label: Option<String>,
    /// Its process; may be repeated
    #[arg(
        long,
        requires = "compare",
        value_name = "PID",
        value_delimiter = ',',
        help_heading = "Comparison"
    )]
    pub(super) compare_pid: Vec<u32>,
    /// A command that restarts it, as --restart
    #[arg(long, requires = "compare", value_name = "COMMAND", help_heading = "Comparison")]
    pub(super) compare_restart: Option<String>,
    /// Its port with TLS
    #[arg(long, requires = "compare", value_name = "PORT", help_heading = "Comparison")]
    pub(super) compare_tls_port: Option<u16>,
    /// Its account, as --user; the same if it is not said, and so for what follows
    #[arg(long, requires = "compare", value_name = "NAME", help_heading = "Comparison")]
    pub(super) compare_user: Option<String>,
    /// How many accounts it has
    #[arg(long, requires = "compare", value_name = "N", value_parser = many, help_heading = "Comparison")]
    pub(super) compare_accounts: Option<usize>,
    /// Their password
    #[arg(
        long,
        requires = "compare",
        env = "IMAP_PASSWORD2",
        hide_env_values = true,
        value_name = "TEXT",
        help_heading = "Comparison"
    )]
    pub(super) compare_password: Option<String>,
    /// A file whose first line is their password
    #[arg(
        long,
        requires = "compare",
        conflicts_with = "compare_password",
        value_name = "FILE",
        help_heading = "Comparison"
    )]
    pub(super) compare_password_file: Option<PathBuf>,

    /// Only this group (see --list); may be repeated
    #[arg(
        long,
        value_name = "NAME",
        value_parser = PossibleValuesParser::new(bench::names()),
        hide_possible_values = true,
        help_heading = "What is measured"
    )]
    pub(super) group: Vec<String>,
    /// Print what there is to be measured, and nothing else
    #[arg(long, help_heading = "What is measured")]
    pub(super) list: bool,
    /// Instead: the same commands in a mailbox that grows, to see how cost grows
    #[arg(long, conflicts_with = "group", help_heading = "What is measured")]
    pub(super) growth: bool,
    /// Growth up to 1,000,000 messages
    #[arg(
        long,
        requires = "growth",
        conflicts_with = "quick",
        help_heading = "What is measured"
    )]
    pub(super) full: bool,
    /// Smaller mailboxes and shorter times: a minute or two for each server and round
    #[arg(long, help_heading = "What is measured")]
    pub(super) quick: bool,
    /// So small that it shows only that all works: for this program's own tests
    #[arg(long, hide = true, conflicts_with = "quick")]
    pub(super) tiny: bool,
    /// How many connections idle for the sake of their memory
    #[arg(long, value_name = "N", value_parser = many, help_heading = "What is measured")]
    pub(super) idle: Option<usize>,
    /// How often each server is measured; medians are reported. 2 when two are compared, else 1
    #[arg(long, value_name = "N", value_parser = many, help_heading = "What is measured")]
    pub(super) rounds: Option<usize>,

    /// text, markdown, json or html
    #[arg(long, default_value = "text", help_heading = "Report")]
    pub(super) format: report::Format,
    /// Where the report goes, instead of standard output
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    pub(super) output: Option<PathBuf>,
    /// A picture: ratios with --compare, curves with --growth
    #[arg(long, value_name = "FILE.svg", help_heading = "Report")]
    pub(super) plot: Option<PathBuf>,
    /// Tell each figure as it is had
    #[arg(short, long, help_heading = "Report")]
    pub(super) verbose: bool,
}

fn many(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(count) if (1..=1_000_000).contains(&count) => Ok(count),
        _ => Err("a number from 1 to 1000000".to_owned()),
    }
}

impl Bench {
    /// How connections are protected.
    pub(super) fn security(&self) -> Security {
        match (self.tls, self.starttls) {
            (true, _) => Security::Tls,
            (_, true) => Security::StartTls,
            _ => Security::Plain,
        }
    }
}
