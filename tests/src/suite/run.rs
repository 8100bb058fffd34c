//! Many scenarios played on one target, several at once, each in mailboxes of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::client::Trouble;
use super::needs::lacks;
use super::outcome::{Failure, Outcome, Verdict};
use super::place::{Facts, Keeper};
use super::play::Player;
use super::scenario::{Act, Need, Scenario, Sent};
use super::target::Target;

/// How a run is done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How long an answer may take.
    pub timeout: Duration,
    /// How many scenarios at once.
    pub jobs: usize,
    /// What tells the mailboxes of this run from those of others.
    pub name: String,
    /// The command that repeats a scenario; `{}` stands for its name.
    pub repeat: String,
}

/// What is learned of a server before the first scenario.
///
/// # Errors
/// Why nothing can be played on it.
pub async fn survey(target: &dyn Target, timeout: Duration) -> Result<Facts, Trouble> {
    let (mut keeper, mut facts) = Keeper::new(target, false, timeout).await?;
    keeper.survey(&mut facts).await?;
    keeper.logout().await;
    Ok(facts)
}

/// Tries whether the second account can log in.
///
/// # Errors
/// Why it cannot.
pub async fn second(target: &dyn Target, timeout: Duration) -> Result<(), Trouble> {
    let (keeper, _) = Keeper::new(target, true, timeout).await?;
    keeper.logout().await;
    Ok(())
}

/// How many messages INBOX holds.
///
/// # Errors
/// The server does not tell.
pub async fn inbox(target: &dyn Target, timeout: Duration) -> Result<u32, Trouble> {
    let (mut keeper, _) = Keeper::new(target, false, timeout).await?;
    let messages = keeper.inbox().await;
    keeper.logout().await;
    messages
}

/// Plays scenarios; each outcome is sent as soon as it is there. Dropping the receiver ends the run after the scenarios
/// that are being played.
pub async fn run(
    target: Arc<dyn Target>,
    facts: Arc<Facts>,
    scenarios: Arc<Vec<Arc<Scenario>>>,
    plan: Arc<Plan>,
    outcomes: mpsc::Sender<Outcome>,
) {
    // Who needs INBOX has it alone. Refused logins make many servers slow: they come last, with time to be answered.
    let mut phases = [Vec::new(), Vec::new(), Vec::new()];
    for (index, scenario) in scenarios.iter().enumerate() {
        let [ordinary, inbox, refused] = &mut phases;
        match () {
            () if logs_in(scenario) => refused.push(index),
            () if scenario.needs.contains(&Need::Inbox) => inbox.push(index),
            () => ordinary.push(index),
        }
    }
    let slow = Arc::new(Plan {
        timeout: plan.timeout.max(PATIENCE),
        ..Plan::clone(&plan)
    });
    let [ordinary, inbox, refused] = phases.map(Arc::new);
    let phases = [
        (ordinary, plan.jobs.max(1), plan.clone()),
        (inbox, 1, plan.clone()),
        (refused, plan.jobs.max(1), slow),
    ];
    for (which, jobs, plan) in phases {
        let next = Arc::new(AtomicUsize::new(0));
        let workers = (0..jobs.min(which.len())).map(|_| {
            let (target, facts, scenarios, plan) = (target.clone(), facts.clone(), scenarios.clone(), plan.clone());
            let (which, next, outcomes) = (which.clone(), next.clone(), outcomes.clone());
            tokio::spawn(async move {
                let mut worker = Worker {
                    target: &*target,
                    facts: &facts,
                    plan: &plan,
                    keeper: None,
                };
                while let Some(index) = which.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Some(scenario) = scenarios.get(*index) else { break };
                    let outcome = worker.play(*index, scenario).await;
                    if outcomes.send(outcome).await.is_err() {
                        break;
                    }
                }
                worker.end().await;
            })
        });
        for worker in workers.collect::<Vec<_>>() {
            // A worker that broke has sent what it could; the sweep below removes what it left.
            let _ = worker.await;
        }
    }
    sweep(&*target, &facts, &plan).await;
}

/// How long a login may take where others were refused before.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Whether a scenario itself tries to log in.
fn logs_in(scenario: &Scenario) -> bool {
    let mut sent = scenario.steps.iter().filter_map(|step| match &step.act {
        Act::Send { text, .. } => text.first(),
        _ => None,
    });
    sent.any(|piece| match piece {
        Sent::Octets(octets) => {
            let command = octets.split(|b| *b == b' ').nth(1).map(<[u8]>::to_ascii_uppercase);
            matches!(command.as_deref(), Some(b"LOGIN" | b"AUTHENTICATE"))
        }
        _ => false,
    })
}

/// Removes all mailboxes of a run, of both accounts.
pub async fn sweep(target: &dyn Target, facts: &Facts, plan: &Plan) {
    for second in [false, true] {
        if second && target.second().is_none() {
            continue;
        }
        if let Ok((mut keeper, _)) = Keeper::new(target, second, plan.timeout).await {
            let _ = keeper.clear(&prefix(facts, plan, None)).await;
            keeper.logout().await;
        }
    }
}

/// What the names of the mailboxes of a run, or of one of its scenarios, begin with.
fn prefix(facts: &Facts, plan: &Plan, index: Option<usize>) -> String {
    let (namespace, name) = (&facts.namespace, &plan.name);
    match index {
        None => format!("{namespace}imap-compliance-{name}-"),
        Some(index) => format!("{namespace}imap-compliance-{name}-{index}x"),
    }
}

/// Plays one scenario after another.
pub struct Worker<'a> {
    target: &'a dyn Target,
    facts: &'a Facts,
    plan: &'a Plan,
    keeper: Option<Keeper>,
}

impl<'a> Worker<'a> {
    /// A worker that has no connection yet.
    pub fn new(target: &'a dyn Target, facts: &'a Facts, plan: &'a Plan) -> Self {
        Self {
            target,
            facts,
            plan,
            keeper: None,
        }
    }

    /// Plays a scenario, with its mailboxes made before and removed afterwards.
    pub async fn play(&mut self, index: usize, scenario: &Scenario) -> Outcome {
        let began = Instant::now();
        let repeat = self.plan.repeat.replace("{}", &scenario.name);
        let verdict = match lacks(scenario, self.target, self.facts) {
            Some(reason) => Verdict::Skipped { reason },
            None => self.in_place(index, scenario, &repeat).await,
        };
        Outcome {
            name: scenario.name.clone(),
            claim: scenario.claim.clone(),
            rfc: scenario.rfc,
            section: scenario.section.clone(),
            group: scenario.group.clone(),
            covers: scenario.covers.clone(),
            millis: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            verdict,
        }
    }

    async fn in_place(&mut self, index: usize, scenario: &Scenario, repeat: &str) -> Verdict {
        let prefix = prefix(self.facts, self.plan, Some(index));
        let names = match self.prepare(scenario, &prefix).await {
            Ok(names) => names,
            Err(trouble) => {
                self.clear(&prefix).await;
                return not_prepared(trouble, repeat);
            }
        };
        let player = Player::new(self.target, scenario, self.facts, &prefix, &names, self.plan.timeout);
        let verdict = player.play(repeat).await;
        self.clear(&prefix).await;
        if scenario.needs.contains(&Need::Inbox)
            && let Some(keeper) = &mut self.keeper
        {
            // It was empty before; what cannot be removed, the next scenario shows.
            let _ = keeper.empty_inbox().await;
        }
        verdict
    }

    async fn prepare(&mut self, scenario: &Scenario, prefix: &str) -> Result<Vec<String>, Trouble> {
        let mut keeper = match self.keeper.take() {
            Some(keeper) => keeper,
            None => Keeper::new(self.target, false, self.plan.timeout).await?.0,
        };
        let names = keeper.prepare(self.target, &scenario.start, prefix, self.facts).await;
        // A connection with which something is wrong is not used again.
        if matches!(names, Ok(_) | Err(Trouble::Lacks(_))) {
            self.keeper = Some(keeper);
        }
        names
    }

    async fn clear(&mut self, prefix: &str) {
        let mut keeper = match self.keeper.take() {
            Some(keeper) => keeper,
            None => match Keeper::new(self.target, false, self.plan.timeout).await {
                Ok((keeper, _)) => keeper,
                Err(_) => return,
            },
        };
        if keeper.clear(prefix).await.is_ok() {
            self.keeper = Some(keeper);
        }
    }

    /// Says goodbye.
    pub async fn end(self) {
        if let Some(keeper) = self.keeper {
            keeper.logout().await;
        }
    }
}

fn not_prepared(trouble: Trouble, repeat: &str) -> Verdict {
    match trouble {
        Trouble::Lacks(reason) => Verdict::Skipped { reason },
        Trouble::Wrong { what, .. } => Verdict::Failed {
            failure: Failure {
                what: format!("The mailboxes could not be made: {what}"),
                expected: Vec::new(),
                line: 1,
                conversation: Vec::new(),
                deviates: None,
                repeat: repeat.to_owned(),
            },
        },
    }
}
