//! What the command line says, and the help that teaches it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::super::report::{self, compare};
use super::super::target::{Login, Security};

/// Plays the IMAP compliance suite against a server, and tells what is wrong, why, and which RFC says so.
///
/// It makes its own mailboxes, whose names begin with `imap-compliance-`, and removes them afterwards. It touches no other
/// mailbox; INBOX only with --inbox.
#[derive(Debug, Parser)]
#[command(
    name = "imap-compliance",
    version,
    args_conflicts_with_subcommands = true,
    after_help = EXAMPLES
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) run: Run,
}

const EXAMPLES: &str = "\
Examples:
  imap-compliance localhost:1143 --user demo --password secret
      All scenarios on a server in the clear.
  IMAP_PASSWORD=secret imap-compliance mail.example.org:993 --tls --user demo
      Within TLS; the password is not in the list of processes.
  imap-compliance localhost:1143 --user demo --password secret --filter 'rfc3501/6.4.5*'
      Only FETCH. --requirement R3501-277, --capability MOVE and --group hostile choose, too.
  imap-compliance localhost:1143 --user demo --password secret --stress 60
      Besides, a minute of random commands by several clients, compared with what is there.
  imap-compliance localhost:1143 --user demo --password secret --format html --output report.html
      A report for a browser. `--format json` is what `compare` reads.

The exit status is 0 when nothing failed, 1 when something did, and 2 when nothing could be played, and
130 when a signal ended the run early; its mailboxes are removed then, too.";

/// What else it does.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Compares runs that were written with --format json
    Compare {
        /// The records; the first is what the others are compared with
        #[arg(required = true, num_args = 2.., value_name = "RUN.json")]
        records: Vec<PathBuf>,
        /// text, markdown or json
        #[arg(long, default_value = "text")]
        format: compare::Format,
    },
}

/// A run.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// The server
    #[arg(value_name = "HOST:PORT")]
    pub(super) server: Option<String>,

    /// The account to log in to
    #[arg(long, value_name = "NAME", help_heading = "Accounts")]
    pub(super) user: Option<String>,
    /// Its password
    #[arg(
        long,
        env = "IMAP_PASSWORD",
        hide_env_values = true,
        value_name = "TEXT",
        help_heading = "Accounts"
    )]
    pub(super) password: Option<String>,
    /// A file whose first line is its password
    #[arg(long, conflicts_with = "password", value_name = "FILE", help_heading = "Accounts")]
    pub(super) password_file: Option<PathBuf>,
    /// A second account, for what one account must not see of another
    #[arg(long, value_name = "NAME", help_heading = "Accounts")]
    pub(super) user2: Option<String>,
    /// Its password
    #[arg(
        long,
        env = "IMAP_PASSWORD2",
        hide_env_values = true,
        value_name = "TEXT",
        requires = "user2",
        help_heading = "Accounts"
    )]
    pub(super) password2: Option<String>,
    /// A file whose first line is its password
    #[arg(
        long,
        conflicts_with = "password2",
        requires = "user2",
        value_name = "FILE",
        help_heading = "Accounts"
    )]
    pub(super) password2_file: Option<PathBuf>,

    /// TLS from the first octet on (port 993)
    #[arg(long, conflicts_with = "starttls", help_heading = "Connection")]
    pub(super) tls: bool,
    /// TLS by STARTTLS in front of each login
    #[arg(long, help_heading = "Connection")]
    pub(super) starttls: bool,
    /// Take any certificate, as test servers have
    #[arg(long, help_heading = "Connection")]
    pub(super) insecure: bool,
    /// How long an answer may take
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = seconds, help_heading = "Connection")]
    pub(super) timeout: f64,
    /// How many scenarios at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = jobs, help_heading = "Connection")]
    pub(super) jobs: usize,

    /// Only scenarios whose name matches (`*`, `?`); may be repeated
    #[arg(long, value_name = "GLOB", help_heading = "Which scenarios")]
    pub(super) filter: Vec<String>,
    /// Only those that show this requirement, such as R3501-277; may be repeated
    #[arg(long, value_name = "ID", help_heading = "Which scenarios")]
    pub(super) requirement: Vec<String>,
    /// Only those that need this capability; may be repeated
    #[arg(long, value_name = "NAME", help_heading = "Which scenarios")]
    pub(super) capability: Vec<String>,
    /// Only this group: scenario, pipelining, concurrency, hostile, stress; may be repeated
    #[arg(
        long,
        value_name = "NAME",
        value_parser = ["scenario", "pipelining", "concurrency", "hostile", "stress"],
        help_heading = "Which scenarios"
    )]
    pub(super) group: Vec<String>,
    /// Also those that change, rename and empty INBOX, which must be empty: for accounts made for tests
    #[arg(long, help_heading = "Which scenarios")]
    pub(super) inbox: bool,
    /// Files of this folder instead of the built-in scenarios
    #[arg(long, value_name = "DIR", help_heading = "Which scenarios")]
    pub(super) scenarios: Option<PathBuf>,
    /// Besides, random commands by several clients for so long
    #[arg(long, value_name = "SECONDS", help_heading = "Which scenarios")]
    pub(super) stress: Option<u64>,
    /// Where --stress begins: what a failure prints, to repeat it
    #[arg(long, value_name = "N", help_heading = "Which scenarios")]
    pub(super) seed: Option<u64>,

    /// text, json, junit or html
    #[arg(long, default_value = "text", help_heading = "Report")]
    pub(super) format: report::Format,
    /// Where the report goes, instead of standard output
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    pub(super) output: Option<PathBuf>,
    /// Name each scenario as it ends
    #[arg(short, long, help_heading = "Report")]
    pub(super) verbose: bool,

    /// Print which requirements the scenarios cover, by RFC
    #[arg(long, help_heading = "Without a server")]
    pub(super) coverage: bool,
    /// Read all files of a folder and print what is wrong with each
    #[arg(long, value_name = "DIR", help_heading = "Without a server")]
    pub(super) check: Option<PathBuf>,
}

fn jobs(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(jobs) if (1..=256).contains(&jobs) => Ok(jobs),
        _ => Err("a number from 1 to 256".to_owned()),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 3600.0 => Ok(seconds),
        _ => Err("seconds, more than 0 and at most 3600".to_owned()),
    }
}

impl Run {
    /// How connections are protected.
    pub(super) fn security(&self) -> Security {
        match (self.tls, self.starttls) {
            (true, _) => Security::Tls,
            (_, true) => Security::StartTls,
            _ => Security::Plain,
        }
    }

    /// The accounts.
    ///
    /// # Errors
    /// What is missing, or cannot be read.
    pub(super) fn logins(&self) -> Result<(Login, Option<Login>), String> {
        let user = self
            .user
            .as_ref()
            .ok_or("--user is missing: the account to log in to")?;
        let password = password(self.password.as_ref(), self.password_file.as_ref())?;
        let password = password.ok_or("the password is missing: --password, --password-file or IMAP_PASSWORD")?;
        let first = Login::new(user, password);
        let Some(user2) = &self.user2 else {
            return Ok((first, None));
        };
        let password2 = self::password(self.password2.as_ref(), self.password2_file.as_ref())?;
        let password2 =
            password2.ok_or("the second password is missing: --password2, --password2-file or IMAP_PASSWORD2")?;
        Ok((first, Some(Login::new(user2, password2))))
    }

    /// The command that repeats a part of this run; passwords are left out.
    pub(super) fn repeat(&self, server: &str, what: &str) -> String {
        let mut command = format!("imap-compliance {server}");
        for (name, value) in [("user", &self.user), ("user2", &self.user2)] {
            if let Some(value) = value {
                command.push_str(&format!(" --{name} {}", quoted(value)));
            }
        }
        for (name, file) in [
            ("password-file", &self.password_file),
            ("password2-file", &self.password2_file),
            ("scenarios", &self.scenarios),
        ] {
            if let Some(file) = file {
                command.push_str(&format!(" --{name} {}", quoted(&file.display().to_string())));
            }
        }
        for (name, on) in [
            ("tls", self.tls),
            ("starttls", self.starttls),
            ("insecure", self.insecure),
            ("inbox", self.inbox),
        ] {
            if on {
                command.push_str(&format!(" --{name}"));
            }
        }
        format!("{command} {what}")
    }
}

fn password(given: Option<&String>, file: Option<&PathBuf>) -> Result<Option<String>, String> {
    let Some(file) = file else { return Ok(given.cloned()) };
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(Some(text.lines().next().unwrap_or_default().to_owned()))
}

/// As a shell reads it.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./@:+=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
