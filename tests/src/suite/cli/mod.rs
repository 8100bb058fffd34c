//! The program: what the command line asks for is done, and the exit status says how it went.

mod arguments;
mod bench;
mod names;
mod progress;
mod stress;
mod unplayed;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Parser as _;
use tokio::sync::mpsc;

use super::client::Trouble;
use super::coverage::Coverage;
use super::network::Network;
use super::outcome::{self, Outcome};
use super::place::Facts;
use super::run::{self, Plan, Running};
use super::scenario::{Need, Scenario};
use super::target::Target;
use super::{library, parse, report};
use arguments::{Arguments, Command, Run, Which};
use progress::Progress;

/// Something failed.
const FAILED: u8 = 1;
/// Nothing could be played.
const UNABLE: u8 = 2;
/// A signal ended the run before all was played.
const INTERRUPTED: u8 = 130;

/// How a run ended.
enum End {
    /// Nothing failed.
    Well,
    /// Something failed.
    Failed,
    /// A signal came first.
    Interrupted,
}

impl From<bool> for End {
    fn from(well: bool) -> Self {
        if well { Self::Well } else { Self::Failed }
    }
}

/// The program.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.command {
        // The reports' commands go here.
        Some(Command::Compare { records, format }) => {
            let compared = report::compare::run(records, *format, &mut io::stdout().lock());
            compared.map(End::from).map_err(|error| error.to_string())
        }
        Some(Command::List { which }) => names::list(which, &mut io::stdout().lock()).map(|()| End::Well),
        Some(Command::Show {
            name,
            numbers,
            scenarios,
        }) => names::show(name, *numbers, scenarios.as_deref(), &mut io::stdout().lock()).map(|()| End::Well),
        Some(Command::Bench(asked)) => bench::run(asked),
        None => run_as_asked(&arguments.run),
    };
    match done {
        Ok(End::Well) => ExitCode::SUCCESS,
        Ok(End::Failed) => ExitCode::from(FAILED),
        Ok(End::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(why) => {
            eprintln!("imap-compliance: {why}");
            ExitCode::from(UNABLE)
        }
    }
}

fn run_as_asked(asked: &Run) -> Result<End, String> {
    if let Some(folder) = &asked.check {
        let scenarios = library::folder(folder).map_err(|errors| listed(&errors))?;
        if scenarios.is_empty() {
            return Err(format!("there is no scenario (`*.imap`) below {}", folder.display()));
        }
        println!("{} scenarios, no errors", scenarios.len());
        return Ok(End::Well);
    }
    if asked.coverage {
        let scenarios = all(asked.which.scenarios.as_deref())?;
        let covered = Coverage::of(scenarios.iter().flat_map(|s| s.covers.iter().map(String::as_str)));
        covered
            .write(&mut io::stdout().lock())
            .map_err(|error| error.to_string())?;
        return Ok(End::Well);
    }
    let stress = asked
        .stress
        .filter(|_| asked.which.group.is_empty() || asked.which.group.iter().any(|g| g == "stress"));
    let scenarios = match chosen(&asked.which) {
        Ok(chosen) => chosen,
        Err(Unchosen::None(_)) if stress.is_some() => Vec::new(),
        Err(Unchosen::None(why) | Unchosen::Wrong(why)) => return Err(why),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(play(asked, scenarios, stress))
}

fn listed(errors: &[parse::Error]) -> String {
    for error in errors {
        println!("{error}");
    }
    let files: BTreeSet<&str> = errors.iter().map(|error| error.file.as_str()).collect();
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let (errors, files) = (errors.len(), files.len());
    format!("{errors} error{} in {files} file{}", plural(errors), plural(files))
}

/// All scenarios: those of a folder, or those built in.
fn all(folder: Option<&Path>) -> Result<Vec<Arc<Scenario>>, String> {
    let scenarios = match folder {
        Some(folder) => library::folder(folder),
        None => library::built_in(),
    };
    scenarios.map_err(|errors| listed(&errors))
}

/// Why no scenario was chosen.
enum Unchosen {
    /// There is none such.
    None(String),
    /// What was asked for makes no sense.
    Wrong(String),
}

/// The scenarios that are asked for: one at least.
fn chosen(which: &Which) -> Result<Vec<Arc<Scenario>>, Unchosen> {
    let known = |id: &String| {
        super::super::catalogue::requirements()
            .iter()
            .any(|r| r.id.eq_ignore_ascii_case(id))
    };
    if let Some(id) = which.requirement.iter().find(|id| !known(id)) {
        let why = format!("there is no requirement {id}: --coverage lists them by RFC");
        return Err(Unchosen::Wrong(why));
    }
    let all = all(which.scenarios.as_deref()).map_err(Unchosen::Wrong)?;
    let chosen: Vec<Arc<Scenario>> = all.into_iter().filter(|s| is_chosen(which, s)).collect();
    if chosen.is_empty() {
        let mut why = "no scenario is chosen by --filter, --requirement, --capability and --group".to_owned();
        if let Some(glob) = which.filter.first() {
            why.push_str(&format!("; a pattern is for the whole name: try '*{glob}*'"));
        }
        return Err(Unchosen::None(why));
    }
    Ok(chosen)
}

fn is_chosen(which: &Which, scenario: &Scenario) -> bool {
    let any = |all: &[String], is: &dyn Fn(&String) -> bool| all.is_empty() || all.iter().any(is);
    any(&which.filter, &|glob| {
        matches(glob.as_bytes(), scenario.name.as_bytes())
    }) && any(&which.requirement, &|id| {
        scenario.covers.iter().any(|c| c.eq_ignore_ascii_case(id))
    }) && any(&which.capability, &|name| {
        scenario.needs.contains(&Need::Capability(name.to_ascii_uppercase()))
    }) && any(&which.group, &|group| scenario.group == *group)
}

/// Whether a name matches a pattern of `*` and `?`.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    // Where the last `*` was, and how much of the name it takes.
    let (mut at, mut from, mut star) = (0, 0, None);
    while let Some(octet) = name.get(from) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(expected) if expected == octet || *expected == b'?' => {
                at += 1;
                from += 1;
            }
            _ => match star {
                Some((before, taken)) => {
                    at = before + 1;
                    from = taken + 1;
                    star = Some((before, taken + 1));
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(|b| *b == b'*'))
}

async fn play(asked: &Run, scenarios: Vec<Arc<Scenario>>, stress: Option<u64>) -> Result<End, String> {
    let target = target(asked)?;
    // Before the work is done, not after it.
    let output = asked.output.as_deref().map(opened).transpose()?;
    let (began, started) = (Instant::now(), report::now());
    let timeout = Duration::from_secs_f64(asked.timeout);
    let facts = run::survey(&target, timeout.max(run::PATIENCE))
        .await
        .map_err(|trouble| unable(&target.address, asked.tls, trouble))?;
    if let Some(second) = target.second() {
        let tried = run::second(&target, timeout.max(run::PATIENCE)).await;
        tried.map_err(|trouble| {
            format!(
                "the second account, --user2 {}: {}",
                second.user,
                unable(&target.address, asked.tls, trouble)
            )
        })?;
    }
    if asked.inbox {
        let messages = run::inbox(&target, timeout)
            .await
            .map_err(|trouble| unable(&target.address, asked.tls, trouble))?;
        if messages > 0 {
            return Err(format!(
                "INBOX of this account holds {messages} messages, and scenarios that change INBOX rename and empty it: \
                 use --inbox with an account made for tests, whose INBOX is empty"
            ));
        }
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = asked.seed.unwrap_or_else(|| u64::from(since.subsec_nanos()));
    let running = Running::default();
    let plan = Arc::new(Plan {
        running: running.clone(),
        timeout,
        jobs: asked.jobs,
        name: format!("{:x}{:x}", std::process::id(), since.subsec_millis()),
        repeat: asked.repeat(&target.address, "--filter '{}'", environment),
    });
    let chosen = scenarios.len();
    let mut progress = Progress::new(chosen, asked.verbose, running);
    let (shared, facts) = (Arc::new(target.clone()), Arc::new(facts));
    let mut outcomes = play_all(shared, facts.clone(), scenarios, plan, &mut progress).await?;
    let unplayed = chosen.saturating_sub(outcomes.len());
    if let Some(seconds) = stress.filter(|_| unplayed == 0) {
        let repeat = asked.repeat(
            &target.address,
            "--group stress --stress 600 --seed {seed}",
            environment,
        );
        let done = tokio::task::spawn_blocking(move || {
            let outcome = stress::run(&target, seconds, seed, &repeat, &progress);
            (outcome, progress)
        });
        let (outcome, back) = done
            .await
            .map_err(|error| format!("the model checker broke off: {error}"))?;
        progress = back;
        progress.ended(&outcome);
        outcomes.push(outcome);
    }
    progress.end();
    outcomes.sort_by(|a, b| a.name.cmp(&b.name));
    let run = outcome::Run {
        version: report::json::VERSION,
        suite: env!("CARGO_PKG_VERSION").to_owned(),
        target: asked.server.clone().unwrap_or_default(),
        server: facts.server(),
        capabilities: facts.after_login.clone(),
        started,
        millis: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        seed,
        unplayed,
        scenarios: asked
            .which
            .scenarios
            .as_ref()
            .map(|folder| folder.display().to_string()),
        outcomes,
    };
    written(&run, asked, output).map_err(|error| format!("the report cannot be written: {error}"))?;
    if unplayed > 0 {
        return Ok(End::Interrupted);
    }
    match unplayed::why(&run) {
        Some(why) => Err(why),
        None => Ok(End::from(progress.failed() == 0)),
    }
}

fn environment(variable: &str) -> Option<String> {
    std::env::var(variable).ok()
}

/// All outcomes; those so far when the user interrupts. Its mailboxes are removed either way.
async fn play_all(
    target: Arc<Network>,
    facts: Arc<Facts>,
    scenarios: Vec<Arc<Scenario>>,
    plan: Arc<Plan>,
    progress: &mut Progress,
) -> Result<Vec<Outcome>, String> {
    let count = scenarios.len();
    let (sender, mut receiver) = mpsc::channel(64);
    let target: Arc<dyn Target> = target;
    let running = tokio::spawn(run::run(target, facts, Arc::new(scenarios), plan, sender));
    let mut outcomes = Vec::new();
    loop {
        tokio::select! {
            outcome = receiver.recv() => match outcome {
                Some(outcome) => {
                    progress.ended(&outcome);
                    outcomes.push(outcome);
                    if outcomes.len() == count {
                        progress.all_played();
                    }
                }
                None => break,
            },
            () = interrupted() => {
                progress.says("interrupted: the mailboxes are being removed");
                // Whoever has something to send ends instead.
                drop(receiver);
                break;
            }
        }
    }
    running.await.map_err(|error| format!("the run broke off: {error}"))?;
    Ok(outcomes)
}

/// Ends when the user or the system wants the program to: SIGINT, SIGTERM, SIGHUP.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut term), Ok(mut hangup)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup())) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = term.recv() => {}
                _ = hangup.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

fn opened(path: &Path) -> Result<File, String> {
    File::create(path).map_err(|error| format!("the report cannot be written to {}: {error}", path.display()))
}

fn target(asked: &Run) -> Result<Network, String> {
    let server = asked
        .server
        .as_ref()
        .ok_or("HOST:PORT is missing: the server to play on (see --help)")?;
    is_host_and_port(server)?;
    let (first, second) = asked.logins()?;
    Ok(Network {
        address: server.clone(),
        first,
        second,
        security: asked.security(),
        insecure: asked.insecure,
        owns_inbox: asked.inbox,
    })
}

fn is_host_and_port(server: &str) -> Result<(), String> {
    let port = server
        .rsplit_once(':')
        .and_then(|(host, port)| port.parse::<u16>().ok().filter(|_| !host.is_empty()));
    match port {
        Some(_) => Ok(()),
        None => Err(format!("`{server}` is not HOST:PORT")),
    }
}

/// Why nothing can be played on a server, and what may help; whether TLS was tried from the first octet on.
fn unable(server: &str, tls: bool, trouble: Trouble) -> String {
    let what = match trouble {
        Trouble::Lacks(what) | Trouble::Wrong { what, .. } => what,
    };
    let hint = if what.contains("invalid peer certificate") {
        "\n  The certificate is not trusted: --insecure takes any."
    } else if tls && what.contains("InvalidContentType") {
        "\n  The port does not speak TLS from the first octet on: try --starttls, or the port for TLS (993)."
    } else if what.contains("LOGINDISABLED") {
        "\n  Try --starttls, or --tls and the port for it (993)."
    } else if !tls && (what.contains("greeting") || what.contains("LF")) {
        "\n  If the port speaks TLS from the first octet on, try --tls."
    } else {
        ""
    };
    format!("{server}: {what}{hint}")
}

fn written(run: &outcome::Run, asked: &Run, output: Option<File>) -> io::Result<()> {
    match output {
        None => {
            let out = io::stdout();
            let colour = report::colour_wanted(&out);
            report::write(run, asked.format, &mut out.lock(), colour)
        }
        Some(file) => {
            let mut out = io::BufWriter::new(file);
            report::write(run, asked.format, &mut out, false)?;
            out.flush()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_glob_matches_whole_names() {
        let all = |pattern: &str| {
            let names = ["rfc3501/6.4.5-fetch/a", "rfc3501/6.4.6-store/ab", "x"];
            names.map(|name| matches(pattern.as_bytes(), name.as_bytes()))
        };
        assert_eq!(all("*"), [true, true, true]);
        assert_eq!(all("rfc3501/6.4.?-*/a"), [true, false, false]);
        assert_eq!(all("*a*b"), [false, true, false]);
        assert_eq!(all("x"), [false, false, true]);
        assert_eq!(all(""), [false, false, false]);
    }
}
