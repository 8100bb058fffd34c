//! The command line.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use tokio::sync::mpsc;

use super::client::Trouble;
use super::coverage::Coverage;
use super::network::Network;
use super::outcome::{Outcome, Run, Verdict};
use super::report::{self, compare, json};
use super::run::{self, Plan};
use super::target::{Login, Security, Target};
use super::{library, parse};

/// Plays the compliance suite against an IMAP server.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The server
    #[arg(value_name = "HOST:PORT")]
    server: Option<String>,
    /// The account
    #[arg(long)]
    user: Option<String>,
    /// Its password
    #[arg(long)]
    password: Option<String>,
    /// A second account
    #[arg(long)]
    user2: Option<String>,
    /// Its password
    #[arg(long)]
    password2: Option<String>,
    /// TLS from the first octet on
    #[arg(long)]
    tls: bool,
    /// TLS by STARTTLS
    #[arg(long, conflicts_with = "tls")]
    starttls: bool,
    /// Take any certificate
    #[arg(long)]
    insecure: bool,
    /// INBOX may be changed
    #[arg(long)]
    inbox: bool,
    /// Only scenarios whose names match (`*` and `?`)
    #[arg(long)]
    filter: Option<String>,
    /// How long an answer may take
    #[arg(long, default_value_t = 10.0)]
    timeout: f64,
    /// How many scenarios at once
    #[arg(long, default_value_t = 8)]
    jobs: usize,
    /// Name each scenario as soon as it was played
    #[arg(short, long)]
    verbose: bool,
    /// Files instead of the built-in scenarios
    #[arg(long)]
    scenarios: Option<PathBuf>,
    /// Reads the files of a folder and reports what is wrong with them
    #[arg(long)]
    check: Option<PathBuf>,
    /// Tells which requirements the built-in scenarios show
    #[arg(long)]
    coverage: bool,
    /// How the report is written: text, json, junit or html
    #[arg(long, default_value = "text")]
    format: report::Format,
    /// Where the report is written, instead of to the terminal
    #[arg(long)]
    output: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tells what differs between runs; fails when a later one has a failure that the first has not
    Compare {
        /// Reports of runs, made with `--format json`
        #[arg(required = true, num_args = 2..)]
        records: Vec<PathBuf>,
        /// How it is written: text, markdown or json
        #[arg(long, default_value = "text")]
        format: compare::Format,
    },
}

/// The program.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Command::Compare { records, format }) = &arguments.command {
        return match compare::run(records, *format, &mut io::stdout().lock()) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::from(1),
            Err(error) => fails(&error.to_string()),
        };
    }
    if arguments.coverage {
        return match Coverage::built_in().map(|coverage| coverage.write(&mut io::stdout().lock())) {
            Ok(Ok(())) => ExitCode::SUCCESS,
            Ok(Err(error)) => fails(&error.to_string()),
            Err(errors) => wrong(&errors),
        };
    }
    if let Some(folder) = &arguments.check {
        return match library::folder(folder) {
            Ok(scenarios) => {
                println!("{} scenarios, no errors", scenarios.len());
                ExitCode::SUCCESS
            }
            Err(errors) => wrong(&errors),
        };
    }
    let scenarios = match &arguments.scenarios {
        Some(folder) => library::folder(folder),
        None => library::built_in(),
    };
    let mut scenarios = match scenarios {
        Ok(scenarios) => scenarios,
        Err(errors) => return wrong(&errors),
    };
    if let Some(filter) = &arguments.filter {
        scenarios.retain(|s| glob(filter.as_bytes(), s.name.as_bytes()));
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fails(&error.to_string()),
    };
    runtime.block_on(play(arguments, scenarios))
}

fn wrong(errors: &[parse::Error]) -> ExitCode {
    for error in errors {
        println!("{error}");
    }
    fails(&format!("{} files with errors", errors.len()))
}

fn fails(why: &str) -> ExitCode {
    eprintln!("imap-compliance: {why}");
    ExitCode::from(2)
}

async fn play(arguments: Arguments, scenarios: Vec<Arc<super::scenario::Scenario>>) -> ExitCode {
    let (Some(server), Some(user), Some(password)) = (&arguments.server, &arguments.user, &arguments.password) else {
        return fails("HOST:PORT, --user and --password are needed");
    };
    let second = arguments
        .user2
        .as_ref()
        .map(|user| Login::new(user, arguments.password2.as_ref().unwrap_or(password)));
    let target = Network {
        address: server.clone(),
        first: Login::new(user, password),
        second,
        security: match (arguments.tls, arguments.starttls) {
            (true, _) => Security::Tls,
            (_, true) => Security::StartTls,
            _ => Security::Plain,
        },
        insecure: arguments.insecure,
        owns_inbox: arguments.inbox,
    };
    let timeout = Duration::from_secs_f64(arguments.timeout);
    let facts = match run::survey(&target, timeout).await {
        Ok(facts) => facts,
        Err(Trouble::Lacks(why)) => return fails(&why),
        Err(Trouble::Wrong { what, .. }) => return fails(&what),
    };
    let plan = Plan {
        timeout,
        jobs: arguments.jobs,
        name: format!("{:x}", std::process::id()),
        repeat: format!(
            "imap-compliance {} --user {user} --password … --filter '{{}}'",
            target.name()
        ),
    };
    let mut run = Run {
        version: json::VERSION,
        suite: env!("CARGO_PKG_VERSION").into(),
        target: target.name(),
        server: facts.server(),
        capabilities: facts.after_login.clone(),
        started: report::now(),
        millis: 0,
        seed: 0,
        outcomes: Vec::new(),
    };
    let began = Instant::now();
    let (sender, mut receiver) = mpsc::channel(64);
    let running = tokio::spawn(run::run(
        Arc::new(target),
        Arc::new(facts),
        Arc::new(scenarios),
        Arc::new(plan),
        sender,
    ));
    while let Some(outcome) = receiver.recv().await {
        if arguments.verbose {
            show(&outcome);
        }
        run.outcomes.push(outcome);
    }
    let _ = running.await;
    run.millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    run.outcomes.sort_by(|a, b| a.name.cmp(&b.name));
    if let Err(error) = write(&run, arguments.format, arguments.output.as_deref()) {
        return fails(&error.to_string());
    }
    let failed = |outcome: &Outcome| matches!(outcome.verdict, Verdict::Failed { .. });
    if run.outcomes.iter().any(failed) {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    }
}

fn write(run: &Run, format: report::Format, output: Option<&Path>) -> io::Result<()> {
    let Some(path) = output else {
        let out = io::stdout();
        return report::write(run, format, &mut out.lock(), report::colour_wanted(&out));
    };
    let mut out = BufWriter::new(File::create(path)?);
    report::write(run, format, &mut out, false)?;
    out.flush()
}

fn show(outcome: &Outcome) {
    let verdict = report::name_of(&outcome.verdict);
    eprintln!("{verdict:7} {} ({} ms)", outcome.name, outcome.millis);
}

/// Whether a name matches a pattern of `*` and `?`.
fn glob(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => glob(rest, name) || name.split_first().is_some_and(|(_, n)| glob(pattern, n)),
        (Some((b'?', rest)), Some((_, name))) => glob(rest, name),
        (Some((p, rest)), Some((n, name))) => p == n && glob(rest, name),
        _ => false,
    }
}
