//! Many scenarios played on one target, several at once, each in mailboxes of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
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
    /// Which scenarios are being played.
    pub running: Running,
}

/// The scenarios that are being played, each with the moment it began, the first that began first.
#[derive(Debug, Clone, Default)]
pub struct Running(Arc<Mutex<Vec<(String, Instant)>>>);

impl Running {
    /// Their names and since when they are played.
    pub fn all(&self) -> Vec<(String, Instant)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds one, until what is given back is dropped.
    fn begins(&self, name: &str) -> Playing<'_> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push((name.to_owned(), Instant::now()));
        Playing(self, name.to_owned())
    }
}

/// A scenario that is being played.
struct Playing<'a>(&'a Running, String);

impl Drop for Playing<'_> {
    fn drop(&mut self) {
        let mut all = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(name, _)| *name != self.1);
    }
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
    let phases = phases(&scenarios);
    let slow = Arc::new(Plan {
        timeout: plan.timeout.max(PATIENCE),
        ..Plan::clone(&plan)
    });
    let [ordinary, alone, refused] = phases.map(Arc::new);
    let phases = [
        (ordinary, plan.jobs.max(1), plan.clone()),
        (alone, 1, plan.clone()),
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

/// The scenarios that are played at once, those that are played one by one, and those that come last.
///
/// Who needs INBOX has it alone, and so has who gives a mailbox a use: a server may allow one mailbox of each (RFC 6154 3).
/// Refused logins make many servers slow: they come last, with time to be answered.
fn phases(scenarios: &[Arc<Scenario>]) -> [Vec<usize>; 3] {
    let mut phases = [Vec::new(), Vec::new(), Vec::new()];
    for (index, scenario) in scenarios.iter().enumerate() {
        let [ordinary, alone, last] = &mut phases;
        match () {
            () if logs_in(scenario) => last.push(index),
            () if scenario.needs.contains(&Need::Inbox) || gives_use(scenario) => alone.push(index),
            () => ordinary.push(index),
        }
    }
    phases
}

/// Whether a scenario sends CREATE with `USE`, or sets a mailbox's use as metadata (RFC 6154 3 and 4).
fn gives_use(scenario: &Scenario) -> bool {
    let sent = scenario.steps.iter().filter_map(|step| match &step.act {
        Act::Send { text, .. } => Some(text),
        _ => None,
    });
    sent.flatten().any(|piece| match piece {
        Sent::Octets(octets) => {
            let text = octets.to_ascii_uppercase();
            let holds = |what: &[u8]| text.windows(what.len()).any(|window| window == what);
            holds(b"(USE (") || holds(b"/SPECIALUSE")
        }
        _ => false,
    })
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
        let _playing = self.plan.running.begins(&scenario.name);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::super::library;
    use super::super::parse::scenario;
    use super::super::scenario::Messages;
    use super::*;

    fn of(needs: &str, line: &str) -> Arc<Scenario> {
        let source = format!("X.\nrfc: 3501 1\ncovers: R3501-001\n{needs}---\nA: {line}\n  a OK <text>\n");
        Arc::new(scenario("x", "x", &source, &Messages::new()).unwrap())
    }

    #[test]
    fn what_is_there_once_in_an_account_is_used_by_one_scenario_at_a_time() {
        let scenarios = [
            of("", "a NOOP"),
            of("needs: inbox\n", "a NOOP"),
            of("", "a CREATE x (use (\\Flagged))"),
            of("", "a LOGIN x y"),
            of("", "a SETMETADATA x (/private/specialuse \"\\\\Sent\")"),
            of("", "a CREATE use"),
        ];
        assert_eq!(phases(&scenarios), [vec![0, 5], vec![1, 2, 4], vec![3]]);
    }

    #[test]
    fn all_scenarios_about_uses_are_played_one_by_one() {
        let all = library::built_in().unwrap();
        let [_, alone, _] = phases(&all);
        let alone: Vec<&str> = alone.into_iter().map(|index| all[index].name.as_str()).collect();
        for name in [
            "rfc6154/2-list/the-return-option-adds-attributes",
            "rfc6154/3-create/a-second-mailbox-of-one-use",
            "rfc6154/4-metadata/the-entry-mirrors-the-use",
        ] {
            assert_eq!(alone.iter().filter(|known| **known == name).count(), 1, "{name}");
        }
    }
}
