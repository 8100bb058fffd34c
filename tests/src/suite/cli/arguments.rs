//! What the command line says, and the help that teaches it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::super::report::{self, compare};
use super::super::target::{Login, Security};
use super::bench::Bench;

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
  imap-compliance list --capability MOVE
      The scenarios, each with the requirements that it shows and its claim.
  imap-compliance show rfc6851/3.3-effects/others-see-an-expunge
      A scenario as it is played, which the report of a failure names with a line.

The exit status is 0 when nothing failed, 1 when something did, 2 when nothing could be played (what was skipped is not
played), and 130 when a signal ended the run early; its mailboxes are removed then, too.";

/// What else it does.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Names the scenarios, each with the requirements that it shows and its claim
    List {
        #[command(flatten)]
        which: Which,
    },
    /// Prints a scenario, or a message that scenarios name, such as `plain`
    Show {
        /// The scenario's name, as reports and `list` have it, or the message's
        name: String,
        /// Number the lines, as reports do
        #[arg(short, long)]
        numbers: bool,
        /// A file of this folder instead of the built-in scenarios
        #[arg(long, value_name = "DIR")]
        scenarios: Option<PathBuf>,
    },
    /// Compares runs that were written with --format json
    Compare {
        /// The records; the first is what the others are compared with
        #[arg(required = true, num_args = 2.., value_name = "RUN.json")]
        records: Vec<PathBuf>,
        /// text, markdown or json
        #[arg(long, default_value = "text")]
        format: compare::Format,
    },
    /// Measures how fast a server is, or two side by side, and checks every answer
    Bench(Box<Bench>),
}

/// Which scenarios.
#[derive(Debug, Args)]
pub(super) struct Which {
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
    /// Files of this folder instead of the built-in scenarios
    #[arg(long, value_name = "DIR", help_heading = "Which scenarios")]
    pub(super) scenarios: Option<PathBuf>,
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
    #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT, value_parser = seconds, help_heading = "Connection")]
    pub(super) timeout: f64,
    /// How many scenarios at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = jobs, help_heading = "Connection")]
    pub(super) jobs: usize,

    #[command(flatten)]
    pub(super) which: Which,
    /// Also those that change, rename and empty INBOX, which must be empty: for accounts made for tests
    #[arg(long, help_heading = "Which scenarios")]
    pub(super) inbox: bool,
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

/// How long an answer may take unless something else is said, in seconds.
const TIMEOUT: f64 = 10.0;

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
        if user2 == user {
            return Err(format!(
                "--user2 is {user}, as --user is: it must be another account, or be left out"
            ));
        }
        let password2 =
            password2.ok_or("the second password is missing: --password2, --password2-file or IMAP_PASSWORD2")?;
        Ok((first, Some(Login::new(user2, password2))))
    }

    /// The command that repeats a part of this run. Passwords are left out: a mark stands where one must be filled in, which
    /// `environment` does not have.
    pub(super) fn repeat(&self, server: &str, what: &str, environment: impl Fn(&str) -> Option<String>) -> String {
        let mut command = String::new();
        for (variable, password) in [("IMAP_PASSWORD", &self.password), ("IMAP_PASSWORD2", &self.password2)] {
            if password.is_some() && environment(variable) != *password {
                command.push_str(&format!("{variable}=… "));
            }
        }
        command.push_str(&format!("imap-compliance {server}"));
        for (name, value) in [("user", &self.user), ("user2", &self.user2)] {
            if let Some(value) = value {
                command.push_str(&format!(" --{name} {}", quoted(value)));
            }
        }
        for (name, file) in [
            ("password-file", &self.password_file),
            ("password2-file", &self.password2_file),
            ("scenarios", &self.which.scenarios),
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
        if self.timeout.total_cmp(&TIMEOUT).is_ne() {
            command.push_str(&format!(" --timeout {}", self.timeout));
        }
        format!("{command} {what}")
    }
}

/// A password that is given, or the first line of a file.
pub(super) fn password(given: Option<&String>, file: Option<&PathBuf>) -> Result<Option<String>, String> {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "tests")]

    use super::*;

    fn run(arguments: &str) -> Run {
        let words = ["imap-compliance"].into_iter().chain(arguments.split(' '));
        match Arguments::try_parse_from(words) {
            Ok(arguments) => arguments.run,
            Err(error) => panic!("{error}"),
        }
    }

    fn nothing(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn the_command_that_repeats_a_failure_has_all_that_mattered() {
        let run = run(
            "h:143 --user a --password secret --user2 b --password2 other --starttls --insecure --inbox \
                       --timeout 2.5 --jobs 3 --filter x --format html",
        );
        assert_eq!(
            run.repeat("h:143", "--filter 'y'", nothing),
            "IMAP_PASSWORD=… IMAP_PASSWORD2=… imap-compliance h:143 --user a --user2 b --starttls --insecure --inbox \
             --timeout 2.5 --filter 'y'"
        );
        let first = |variable: &str| (variable == "IMAP_PASSWORD").then(|| "secret".to_owned());
        let known = run.repeat("h:143", "", first);
        assert_eq!(known.split(' ').next(), Some("IMAP_PASSWORD2=…"));
    }

    #[test]
    fn what_is_as_always_is_left_out_of_the_command_that_repeats() {
        let run = run("h:143 --user a --password-file p --user2 b --password2-file q --timeout 10 --scenarios d");
        assert_eq!(
            run.repeat("h:143", "--filter 'y'", nothing),
            "imap-compliance h:143 --user a --user2 b --password-file p --password2-file q --scenarios d --filter 'y'"
        );
    }

    #[test]
    fn the_second_account_is_another_one() {
        let same = run("h:143 --user a --password x --user2 a --password2 y");
        assert_eq!(
            same.logins(),
            Err("--user2 is a, as --user is: it must be another account, or be left out".to_owned())
        );
        let other = run("h:143 --user a --password x --user2 b --password2 y");
        assert_eq!(other.logins(), Ok((Login::new("a", "x"), Some(Login::new("b", "y")))));
    }
}
