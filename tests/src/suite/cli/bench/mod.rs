//! `imap-compliance bench`: what the command line asks for is measured, and the report written.

mod arguments;
mod progress;

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::oneshot;

use super::super::bench::{self, Accounts, Peer, Plan, Processes, Record, Scale, Sizes, Stop, report};
use super::super::network::Network;
use super::super::run;
use super::{End, INTERRUPTED, interrupted, unable};
pub(super) use arguments::Bench;
use progress::Progress;

/// A side of the run as the command line names it.
struct Side<'a> {
    address: &'a str,
    label: Option<&'a String>,
    user: &'a str,
    accounts: usize,
    password: String,
    pids: &'a [u32],
    tls_port: Option<u16>,
    restart: Option<&'a String>,
}

pub(super) fn run(asked: &Bench) -> Result<End, String> {
    let (scale, sizes) = sizes(asked);
    if asked.list {
        print!("{}", bench::list(&sizes));
        return Ok(End::Well);
    }
    if asked.plot.is_some() && asked.compare.is_none() && !asked.growth {
        return Err("--plot draws ratios or growth: it needs --compare or --growth".to_owned());
    }
    let sides = sides(asked)?;
    let rounds = asked.rounds.unwrap_or(sides.len());
    // Before the work is done, not after it.
    let output = asked.output.as_deref().map(super::opened).transpose()?;
    let plot = asked.plot.as_deref().map(super::opened).transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let record = runtime.block_on(async {
        let mut peers = Vec::new();
        for side in &sides {
            peers.push(peer(asked, side).await?);
        }
        let plan = Plan {
            peers,
            groups: asked.group.clone(),
            growth: asked.growth,
            scale,
            sizes,
            rounds,
            name: format!("{:x}{:x}", std::process::id(), since.subsec_millis()),
            stop: Stop::default(),
        };
        measured(plan, asked.verbose).await
    })?;
    written(&record, asked, output, plot).map_err(|error| format!("the report cannot be written: {error}"))?;
    if record.interrupted {
        return Ok(End::Interrupted);
    }
    Ok(End::from(!record.has_errors()))
}

fn sizes(asked: &Bench) -> (Scale, Sizes) {
    let scale = match (asked.quick, asked.tiny) {
        (_, true) => Scale::Tiny,
        (true, _) => Scale::Quick,
        _ => Scale::Full,
    };
    let mut sizes = Sizes::of(scale);
    if asked.full {
        sizes.growth.push(1_000_000);
    }
    sizes.idle = asked.idle.unwrap_or(sizes.idle);
    (scale, sizes)
}

fn sides(asked: &Bench) -> Result<Vec<Side<'_>>, String> {
    let server = asked.server.as_deref().ok_or("HOST:PORT is missing (see --help)")?;
    let user = asked.user.as_deref();
    let user = user.ok_or("--user is missing: the account to log in to")?;
    let given = super::arguments::password(asked.password.as_ref(), asked.password_file.as_ref())?;
    let given = given.ok_or("the password is missing: --password, --password-file or IMAP_PASSWORD")?;
    let first = Side {
        address: server,
        label: asked.label.as_ref(),
        user,
        accounts: asked.accounts,
        password: given.clone(),
        pids: &asked.pid,
        tls_port: asked.tls_port,
        restart: asked.restart.as_ref(),
    };
    let mut sides = vec![first];
    if let Some(other) = &asked.compare {
        let password =
            super::arguments::password(asked.compare_password.as_ref(), asked.compare_password_file.as_ref())?;
        sides.push(Side {
            address: other,
            label: asked.compare_label.as_ref(),
            user: asked.compare_user.as_deref().unwrap_or(user),
            accounts: asked.compare_accounts.unwrap_or(asked.accounts),
            password: password.unwrap_or(given),
            pids: &asked.compare_pid,
            tls_port: asked.compare_tls_port,
            restart: asked.compare_restart.as_ref(),
        });
    }
    if let [Side { restart: Some(_), .. }, Side { restart: None, .. }]
    | [Side { restart: None, .. }, Side { restart: Some(_), .. }] = sides.as_slice()
    {
        return Err(
            "--restart and --compare-restart go together: else `first` is after a start on one side alone".to_owned(),
        );
    }
    for side in &sides {
        super::is_host_and_port(side.address)?;
        let (user, several) = (side.user, side.user.contains("{}"));
        if several && side.accounts == 1 {
            return Err(format!(
                "`{user}` stands for several accounts: --accounts says how many"
            ));
        }
        if !several && side.accounts > 1 {
            return Err(format!(
                "`{user}` is one account: with --accounts, `{{}}` in it stands for their numbers"
            ));
        }
    }
    Ok(sides)
}

/// A server, with what can be learned of it before.
async fn peer(asked: &Bench, side: &Side<'_>) -> Result<Peer, String> {
    let accounts = Accounts {
        name: side.user.to_owned(),
        count: side.accounts,
        password: side.password.clone(),
    };
    let network = Network {
        address: side.address.to_owned(),
        first: accounts.login(0),
        second: None,
        security: asked.security(),
        insecure: asked.insecure,
        owns_inbox: false,
    };
    let facts = run::survey(&network, run::PATIENCE).await;
    let facts = facts.map_err(|trouble| unable(side.address, asked.tls, trouble))?;
    let label = side.label.map_or(side.address, String::as_str).to_owned();
    let peer = Peer::new(label, network, accounts, facts);
    let mut peer = peer.map_err(|error| format!("{}: {error}", side.address))?;
    peer.tls_port = side.tls_port;
    peer.processes = Processes::of(side.pids.to_vec());
    if let Some(missing) = peer.processes.missing().first() {
        return Err(format!("there is no process {missing} (--pid)"));
    }
    peer.restart = side.restart.cloned();
    // Before mailboxes are filled, not after it.
    peer.start_anew().map_err(|what| format!("{}: {what}", side.address))?;
    Ok(peer)
}

/// Measures, until all is measured or somebody interrupts it.
async fn measured(plan: Plan, verbose: bool) -> Result<Record, String> {
    let progress = Arc::new(Progress::new(plan.steps(), verbose));
    let stop = plan.stop.clone();
    let (sender, mut receiver) = oneshot::channel();
    let watcher = progress.clone();
    // Nobody hears of it when the program ends meanwhile.
    std::thread::spawn(move || drop(sender.send(bench::run(&plan, &*watcher))));
    let record = tokio::select! {
        record = &mut receiver => record,
        () = interrupted() => {
            stop.set();
            progress.line("interrupted: the mailboxes are being removed; another interrupt leaves them");
            tokio::select! {
                record = receiver => record,
                () = interrupted() => std::process::exit(i32::from(INTERRUPTED)),
            }
        }
    };
    progress.end();
    record.map_err(|_| "the measurement broke off".to_owned())
}

fn written(record: &Record, asked: &Bench, output: Option<File>, plot: Option<File>) -> io::Result<()> {
    match output {
        None => report::write(record, asked.format, &mut io::stdout().lock())?,
        Some(file) => {
            let mut out = io::BufWriter::new(file);
            report::write(record, asked.format, &mut out)?;
            out.flush()?;
        }
    }
    if let (Some(mut file), Some(picture)) = (plot, bench::plot::svg(record)) {
        file.write_all(picture.as_bytes())?;
    }
    Ok(())
}
